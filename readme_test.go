package scim_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/source/csv"
	"github.com/scimbridge/scim/provision/state/sqlite"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

// What stands between the marks in the examples below is the README's code, which TestReadmeIsCompiled compares.

// postmanOnThisMachine starts a simulator, so that the examples need no account.
func postmanOnThisMachine() (url, key string, stop func()) {
	simulator, err := postmantest.New(postmantest.Options{})
	if err != nil {
		panic(err)
	}
	s := httptest.NewServer(simulator)
	return s.URL + postmantest.BasePath + "/", postmantest.DefaultKey, s.Close
}

func Example_client() {
	ctx := context.Background()
	tenantURL, key, stop := postmanOnThisMachine()
	defer stop()
	err := func() error {
		// README: client
		c, err := client.New(tenantURL, client.WithBearerToken(key), client.WithProfile(postman.Profile()))
		if err != nil {
			return err
		}
		user, err := c.Users().Create(ctx, scim.User{
			UserName: "taylor.lee@example.com",
			Name:     &scim.Name{GivenName: "Taylor", FamilyName: "Lee"},
			Active:   scim.Bool(true),
		})
		if err != nil {
			return err
		}
		changed := user
		changed.Active = scim.Bool(false)
		_, err = c.Users().Update(ctx, user, changed) // the fewest operations, in the service's dialect
		// README: end
		return err
	}()
	fmt.Println(err)
	// Output: <nil>
}

func Example_server() {
	err := func() error {
		// README: server
		handler, err := server.New(memory.New(), server.Options{
			Authenticator: server.BearerTokens("a-long-random-token"),
		})
		if err != nil {
			return err
		}
		s := httptest.NewServer(handler) // or http.Handle("/scim/v2/", handler)
		// README: end
		defer s.Close()
		c, err := client.New(s.URL, client.WithBearerToken("a-long-random-token"))
		if err != nil {
			return err
		}
		_, err = c.Groups().Create(context.Background(), scim.Group{DisplayName: "Tour Guides"})
		return err
	}()
	fmt.Println(err)
	// Output: <nil>
}

func Example_mapping() {
	ctx := context.Background()
	err := func() error {
		// README: mapping
		users, err := mapping.Compile(mapping.ObjectMapping{
			Source: "User", Target: "User",
			Attributes: []mapping.AttributeMapping{
				{Target: "userName", Source: "userPrincipalName", Matching: 1},
				{Target: "active", Expression: `Switch([IsSoftDeleted], , "False", "True", "True", "False")`},
				{Target: "name.givenName", Source: "givenName"},
				{Target: "name.familyName", Source: "surname"},
			},
		})
		if err != nil {
			return err
		}
		result, err := users.Map(ctx, map[string]any{
			"userPrincipalName": "zoe@example.com", "givenName": "Zoë", "surname": "Lefèvre", "IsSoftDeleted": false,
		}, mapping.Env{})
		fmt.Println(result.Create)
		// README: end
		return err
	}()
	fmt.Println(err)
	// Output:
	// map[active:true name:map[familyName:Lefèvre givenName:Zoë] userName:zoe@example.com]
	// <nil>
}

func Example_provision() {
	ctx := context.Background()
	tenantURL, key, stop := postmanOnThisMachine()
	defer stop()
	files := fstest.MapFS{"people.csv": {Data: []byte(
		"employeeId,userPrincipalName,givenName,surname,accountEnabled\n7,zoe@example.com,Zoë,Lefèvre,TRUE\n")}}
	err := func() error {
		// README: provision
		people, err := csv.New(csv.Table{
			Type: "User", FS: files, File: "people.csv", ID: "employeeId", Booleans: []string{"accountEnabled"},
		})
		if err != nil {
			return err
		}
		postmanTeam, err := client.New(tenantURL, client.WithBearerToken(key), client.WithProfile(postman.Profile()))
		if err != nil {
			return err
		}
		state, err := sqlite.Memory() // or sqlite.Open("state.db"), which survives the process
		if err != nil {
			return err
		}
		defer state.Close()
		file, err := mapping.Decode(postman.MappingJSON())
		if err != nil {
			return err
		}
		job, err := provision.New(provision.Config{
			Name: "postman", Source: people, Target: provision.NewClientTarget(postmanTeam), State: state,
			Mappings: []*mapping.Mapping{mapping.MustCompile(file.Mappings[0])},
		})
		if err != nil {
			return err
		}
		plan, err := job.Plan(ctx) // nothing is changed
		if err != nil {
			return err
		}
		fmt.Print(plan)
		summary, err := job.RunCycle(ctx)
		if err != nil {
			return err
		}
		fmt.Println("in step:", summary.InStep())
		// README: end
		return nil
	}()
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// create       User 7 (zoe@example.com)
	//     active: (none) -> true
	//     name.familyName: (none) -> "Lefèvre"
	//     name.givenName: (none) -> "Zoë"
	//     userName: (none) -> "zoe@example.com"
	// User: 1 create
	// 0 in step; 1 writes and 1 reads, about 0s at the target's rate
	// in step: true
}

// The README's Go code is this file's, so that it cannot rot.
func TestReadmeIsCompiled(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(readme), "```go\n")[1:]
	if len(blocks) != 4 {
		t.Errorf("the README has %d blocks of Go, want one each for client, server, mapping and provision", len(blocks))
	}
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		if !strings.Contains(flat(string(source)), flat(code)) {
			t.Errorf("this code of the README is not in readme_test.go:\n%s", code)
		}
	}
}

// flat folds white space, so that indentation does not matter.
func flat(code string) string { return strings.Join(strings.Fields(code), " ") }
