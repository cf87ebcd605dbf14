package client_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
)

func Example_postman() {
	simulator, err := postmantest.New(postmantest.Options{})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(simulator)
	defer server.Close()
	ctx, url, key := context.Background(), server.URL+"/scim/v2/", postmantest.DefaultKey

	c, err := client.New(url, client.WithBearerToken(key), client.WithProfile(postman.Profile()))
	if err != nil {
		log.Fatal(err)
	}
	name := &scim.Name{GivenName: "Taylor", FamilyName: "Lee"}
	user, err := c.Users().Create(ctx, scim.User{UserName: "taylor.lee@example.com", Name: name, Active: scim.Bool(true)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("created", user.UserName)
	// Output:
	// created taylor.lee@example.com
}

// TestGuideIsTheExample holds docs/guide-postman.md to code that runs: its ten lines are those of the example above.
func TestGuideIsTheExample(t *testing.T) {
	guide, err := os.ReadFile("../docs/guide-postman.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example_postman_test.go")
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "\n\n\tc, err := client.New(", "\n}\n"
	_, rest, found := strings.Cut(string(guide), begin)
	text, _, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatal("the guide has no program")
	}
	if n := 1 + strings.Count(text, "\n"); n != 10 {
		t.Errorf("the program of the guide has %d lines, not ten", n)
	}
	if !strings.Contains(string(example), begin+text) {
		t.Errorf("the guide's program is not that of the example:\n%s", text)
	}
}
