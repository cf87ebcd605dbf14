package provision_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"testing/fstest"

	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/source/csv"
	"github.com/scimbridge/scim/provision/state/sqlite"
)

// exampleJob provisions two people and some groups into Postman's simulator, with one more attribute than Postman keeps.
func exampleJob(policy provision.Policy, groups string) (job *provision.Job, simulator *postmantest.Simulator, end func()) {
	simulator, err := postmantest.New(postmantest.Options{})
	check(err)
	server := httptest.NewServer(simulator)
	files := fstest.MapFS{
		"people.csv": {Data: []byte("id,userPrincipalName,givenName,surname,accountEnabled,jobTitle\n" +
			"E1,ada@meridian.example,Ada,Byron,true,Engineer\nE2,ben@meridian.example,Ben,Okri,true,Writer\n")},
		"groups.csv": {Data: []byte("id,displayName,members\n" + groups)},
	}
	source, err := csv.New(
		csv.Table{Type: "User", File: "people.csv", FS: files, ID: "id", Booleans: []string{"accountEnabled"}},
		csv.Table{Type: "Group", File: "groups.csv", FS: files, ID: "id", Lists: map[string]string{"members": ";"}},
	)
	check(err)
	c, err := client.New(server.URL+postmantest.BasePath, client.WithBearerToken(postmantest.DefaultKey), client.WithProfile(postman.Profile()))
	check(err)
	state, err := sqlite.Memory()
	check(err)
	file, err := mapping.Decode(postman.MappingJSON())
	check(err)
	var mappings []*mapping.Mapping
	for _, m := range file.Mappings {
		if m.Target == "User" {
			m.Attributes = append(slices.Clone(m.Attributes), mapping.AttributeMapping{Target: "title", Source: "jobTitle"})
		}
		mappings = append(mappings, mapping.MustCompile(m, mapping.WithProfile(postman.Profile())))
	}
	job, err = provision.New(provision.Config{
		Name: "postman", Source: source, Target: provision.NewClientTarget(c), State: state, Mappings: mappings, Policy: policy,
	})
	check(err)
	return job, simulator, func() { server.Close(); _ = state.Close() }
}

// Postman answers with success, and keeps no title. Reading back shows that, once.
func ExampleAltered() {
	ctx := context.Background()
	job, _, end := exampleJob(provision.Policy{ReadBack: 3}, "")
	defer end()
	for range 2 {
		summary, err := job.RunCycle(ctx)
		check(err)
		fmt.Println(len(summary.Altered), "found")
		for _, a := range summary.Altered {
			fmt.Println(a)
		}
	}
	// Output:
	// 1 found
	// User: what was written to title was accepted and dropped
	// 0 found
}

// Postman knows no groups in groups. The members of Platform become members of Engineering.
func ExamplePolicy_flattenGroups() {
	job, simulator, end := exampleJob(provision.Policy{FlattenGroups: true}, "G1,Engineering,E1;G2\nG2,Platform,E2\n")
	defer end()
	_, err := job.RunCycle(context.Background())
	check(err)
	for _, g := range simulator.Groups() {
		fmt.Println(g.DisplayName, "has", len(g.Members), "members")
	}
	// Unordered output:
	// Engineering has 2 members
	// Platform has 1 members
}

// One group with one of its members, at once and step by step.
func ExampleJob_ProvisionOnDemand() {
	job, simulator, end := exampleJob(provision.Policy{}, "G1,Engineering,E1;E2\n")
	defer end()
	got, err := job.ProvisionOnDemand(context.Background(), "Group", "G1", "E2")
	check(err)
	for _, step := range got.Steps {
		fmt.Println(step.Type, step.Status)
	}
	for _, u := range simulator.Users() {
		fmt.Println(u.UserName)
	}
	// Output:
	// import success
	// scoping success
	// matching success
	// export success
	// ben@meridian.example
}
