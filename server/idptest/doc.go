// Package idptest plays to a SCIM service what identity providers send to it, and says what it does that they cannot work with.
// The service is any [net/http.Handler], made with this module or not.
//
//	func TestProvisioning(t *testing.T) {
//		idptest.All(t, idptest.Target{Handler: handler, BasePath: "/scim/v2", Token: "secret"})
//	}
//
// There is one function for each provider, and one for each of the two test suites of Microsoft. Every request sequence is a subtest;
// go test -run and -skip select among them, for a service that has fewer attributes than the sequences use. A failure names the
// request, shows what was sent and what came back, and says what the provider needs.
//
// The requests have the shape that the providers document or that was seen on the wire, quirks included: booleans as strings, members
// removed with an array of values, dotted names as keys, JSON in a string. Where nothing is known of a provider's request, it has the
// shape that RFC 7644 gives.
//
// The sequences create users and groups with names of their own, and delete them afterwards. They do not look at what else the service
// holds, and can be run against one that holds real resources, but should not.
package idptest
