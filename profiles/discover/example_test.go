package discover_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles/discover"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

// A service is asked what it can do. Nothing is written to it.
func ExampleProbe() {
	handler, err := server.New(memory.New(), server.Options{Authenticator: server.BearerTokens("secret")})
	if err != nil {
		fmt.Println(err)
		return
	}
	service := httptest.NewServer(handler)
	defer service.Close()

	report, err := discover.Probe(context.Background(), service.URL, discover.Options{Name: "widgets"}, client.WithBearerToken("secret"))
	if err != nil {
		fmt.Println(err)
		return
	}
	user, _ := report.Profile.Resource("User")
	userName, _ := user.Attribute("userName")
	fmt.Println("userName can be filtered with", userName.Filter)
	fact, _ := report.Profile.Fact("/resources/User/attributes/userName/filter")
	fmt.Printf("%s, by %s. %s\n", fact.Basis, fact.Source, fact.Note)
	// Output:
	// userName can be filtered with [eq ne co sw ew pr gt ge lt le]
	// observed, by a filter on it with a value that nothing has. The service held none: a filter that it ignores would have looked the same.
}
