// Package server is a SCIM 2.0 service (RFC 7643, RFC 7644, RFC 9865) as an [net/http.Handler].
//
//	handler, err := server.New(memory.New(), server.Options{
//		Authenticator: server.BearerTokens(os.Getenv("SCIM_TOKEN")),
//	})
//	http.Handle("/scim/v2/", handler)
//
// That is a service with users, the enterprise extension and groups, which Entra and Okta can provision. The handler works below any
// path of any router and behind [net/http.StripPrefix]: what is in front of the endpoint becomes a part of the URLs that it
// writes.
//
// # Parts
//
//   - A [Store] keeps the resources: package sqlite in one file, package postgres in a database that several machines share, package
//     memory for tests. A Store has five methods, and package storetest checks any other. Stores may do more: see [MemberStore],
//     [MemberCounter] and [BatchStore].
//   - An [Authenticator] says who is asking, and for which tenant. One handler serves any number of tenants.
//   - A [ResourceType] says what there is: a schema, an endpoint, which operations are offered.
//   - [Hooks] see every change before it is stored, and may refuse or enrich it, and again afterwards.
//
// # What the server answers
//
// Bodies are read strictly as JSON (a name twice is an error) and generously as SCIM: names in any case, booleans as strings, extensions
// by qualified name, and what else package schema and package patch tolerate. [ResourceType.Strict] ends the generosity.
//
// The id and meta of a resource are the server's. Versions are strong entity-tags: If-Match and If-None-Match work on all methods. A
// change that loses a race is made anew on what it finds, unless it has If-Match; then the answer is 412. A PUT or PATCH
// that changes nothing leaves the version as it is.
//
// Members of groups are shown with type and $ref, and with the display that they were given or else their name as it is now; users
// are shown with their groups. Deleting a user takes it out of
// its groups. A PATCH of the members of a group costs what it changes when the store is a MemberStore; it is then answered with 204, unless
// [Options.PatchReply] says otherwise.
//
// What is never returned, such as the password, is never shown, cannot be asked for in filters and orders (403 sensitive), and
// appears in no log. Errors of stores reach the log only.
//
// All results have a stable order: that of creation, or that of sortBy with ties in the order of creation. Pages are by index, or by
// cursor when the request has the parameter cursor (RFC 9865): one type or all, ordered or not. Cursors go forward only, and no
// previousCursor is offered, which the RFC leaves open.
package server
