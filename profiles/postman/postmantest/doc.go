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
// the bare array of resource types, the refusal to delete users.
//
// # The team
//
// [Options] describe the team: which domains it has verified, how many seats it has, who has an account elsewhere, whose the key is.
// [Simulator.Seed] puts people into it, [Simulator.Users] and [Simulator.Groups] show what is there, [Simulator.Accept] makes somebody accept
// an invitation.
//
// # Making it fail
//
// [Simulator.Inject] adds a [Fault]: a refusal, a quota that is used up, a gateway's page, a lost connection, an answer that comes late or
// never although the change was made. Each hits the requests that it names, as often as it says.
//
// # What it was asked
//
// [Simulator.Journal] has every request with its body and its answer.
//
// # Time
//
// With a [Clock] neither rate limits nor delays take time to test.
//
// # How true it is
//
// It follows Postman's documentation, rule by rule; each rule has a test that names it. Where the documentation is silent or contradicts
// itself, it does what was thought the likeliest, and [Switches] change that: run a test under both to know that a program does not
// depend on a guess. The profile in package postman says which statements are documented and which inferred.
package postmantest
