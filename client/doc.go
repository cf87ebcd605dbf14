// Package client calls any SCIM 2.0 service from Go (RFC 7644): users, groups and other resources, as structs or as documents.
//
//	c, err := client.New("https://api.getpostman.com/scim/v2",
//		client.WithBearerToken(os.Getenv("POSTMAN_SCIM_API_KEY")),
//		client.WithProfile(postman.Profile()))
//	user, err := c.Users().Create(ctx, scim.User{
//		UserName: "taylor.lee@example.com",
//		Name:     &scim.Name{GivenName: "Taylor", FamilyName: "Lee"},
//		Active:   scim.Bool(true),
//	})
//
// [Client.Users], [Client.Groups], [Client.Documents] and [For] return a [Resources], which has a method for everything that can be done
// with resources of one type. A [Client] and all that it returns are safe for concurrent use. It needs no Close; it starts goroutines
// only within a call, and they end with it.
//
// # Errors
//
// Every error of a call is a [*scim.Error]: test for a kind with [errors.Is] and [scim.ErrNotFound], [scim.ErrConflict] and so on, or one of
// this package's. It says which request failed and how often it was tried, and what the service said, whether that was a SCIM
// error or a web page. It never holds a credential or the query of a URL.
//
// # What is tried again
//
// Requests are sent again after 408, 425, 429 (but see [ErrQuotaExhausted]), 502, 503, 504, 520 to 524 and network errors, at the moment the
// service asks for or after a growing, random wait; [Retry] has the numbers. Reads, replacements, deletions and PATCH requests end the same when they are done
// twice. A create does not: [Resources.Create] says how it is settled. After a 401 a request is sent once more if [WithTokenSource] has
// another token then. The context always wins.
//
// # Rate limits
//
// The limits of the profile, or of [WithRateLimits], are kept: in no span of a limit's window are more requests sent than it allows,
// counted so that the service must agree, while bursts up to the limit go out at once. What the service states in RateLimit and
// X-RateLimit header fields, in its 429s and in Retry-After is obeyed where it is stricter. Reads and writes wait
// separately. All uses of one Client share the limits; two Clients, or two processes, do not know of each other.
//
// # Profiles
//
// With a profile a request that the service is known to refuse fails before it is sent, with an error that says which rule it breaks and
// what to do instead: a filter on an attribute that it cannot filter, a required attribute that is missing, an operation that
// it does not have. errors.Is(err, [ErrNotSent]) tells such errors. Without a profile the service is taken to follow RFC 7644.
//
// # Credentials
//
// Credentials are sent to the origin of the base URL alone: its scheme, host and port. A redirect is followed only within that origin
// and only when it keeps the method; any other is an error.
package client
