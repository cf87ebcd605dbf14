package provision_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"testing/fstest"
	"time"

	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/source/csv"
	"github.com/scimbridge/scim/provision/state/sqlite"
)

// A directory of two people and a group is provisioned into Postman, here into its simulator. The plan says what will be done.
func Example() {
	ctx := context.Background()
	simulator, err := postmantest.New(postmantest.Options{})
	check(err)
	server := httptest.NewServer(simulator)
	defer server.Close()

	files := fstest.MapFS{
		"people.csv": {Data: []byte("employeeId,userPrincipalName,givenName,surname,accountEnabled\n" +
			"E1,ada@meridian.example,Ada,Byron,true\nE2,ben@meridian.example,Ben,Okri,true\n")},
		"groups.csv": {Data: []byte("groupId,displayName,members\nG1,Engineering,E1;E2\n")},
	}
	source, err := csv.New(
		csv.Table{Type: "User", File: "people.csv", FS: files, ID: "employeeId", Booleans: []string{"accountEnabled"}},
		csv.Table{Type: "Group", File: "groups.csv", FS: files, ID: "groupId", Lists: map[string]string{"members": ";"}},
	)
	check(err)
	c, err := client.New(server.URL+postmantest.BasePath, client.WithBearerToken(postmantest.DefaultKey), client.WithProfile(postman.Profile()))
	check(err)
	state, err := sqlite.Memory()
	check(err)
	defer func() { _ = state.Close() }()
	file, err := mapping.Decode(postman.MappingJSON())
	check(err)
	var mappings []*mapping.Mapping
	for _, m := range file.Mappings {
		compiled, err := mapping.Compile(m, mapping.WithProfile(postman.Profile()))
		check(err)
		mappings = append(mappings, compiled)
	}

	job, err := provision.New(provision.Config{
		Name: "postman", Source: source, Target: provision.NewClientTarget(c), State: state, Mappings: mappings,
	})
	check(err)
	check(job.TestConnection(ctx))
	plan, err := job.Plan(ctx)
	check(err)
	_, err = plan.WriteTo(os.Stdout)
	check(err)
	summary, err := job.RunCycle(ctx)
	check(err)
	fmt.Println("in step:", summary.InStep())
	for _, g := range simulator.Groups() {
		fmt.Println(g.DisplayName, "has", len(g.Members), "members")
	}
	// Output:
	// create       Group G1 (Engineering)
	//     displayName: (none) -> "Engineering"
	//     members: 2 added, 0 removed
	// create       User E1 (ada@meridian.example)
	//     active: (none) -> true
	//     name.familyName: (none) -> "Byron"
	//     name.givenName: (none) -> "Ada"
	//     userName: (none) -> "ada@meridian.example"
	// create       User E2 (ben@meridian.example)
	//     active: (none) -> true
	//     name.familyName: (none) -> "Okri"
	//     name.givenName: (none) -> "Ben"
	//     userName: (none) -> "ben@meridian.example"
	// Group: 1 create
	// User: 2 create
	// 0 in step; 3 writes and 4 reads, about 1s at the target's rate
	// in step: true
	// Engineering has 2 members
}

// Failed objects are retried by a schedule: after 6, 12 and 24 hours, then daily.
func ExampleEscrow_Next() {
	failed := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	next, again := provision.Escrow{}.Next(failed, failed.Add(6*time.Hour), 2, false)
	fmt.Println(next.Format(time.DateTime), again)
	// Output: 2026-03-01 21:00:00 true
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
