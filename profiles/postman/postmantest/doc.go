// Package postmantest is a SCIM service that behaves like Postman's, for the tests of programs that provision into Postman.
//
//	func TestProvisioning(t *testing.T) {
//		srv := postmantest.NewServer(t, postmantest.Options{})
//		c, err := client.New(srv.URL, client.WithBearerToken(srv.Key), client.WithProfile(postman.Profile()))
//		…
//		if users := srv.Users(); len(users) != 1 { … }
//	}
//
// It is package server with Postman's resource types, and around it what is peculiar to Postman: the rate limits, the two filters,
// the bare array of resource types, the refusal to delete users. Its rules are numbered; each has a test that cites the number. Where
// Postman's documentation is silent, [Switches] choose.
//
// [Options] describe the team: verified domains, seats, people who have an account elsewhere. [Simulator.Inject] makes it fail, [Simulator.Journal]
// tells what it was asked, and its clock can be replaced, so that a minute's rate limit takes no minute to test.
package postmantest
