package postman_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
)

// A program puts somebody on the team. Here the team is a simulated one; for a real one the URL is postman.BaseURL, and the key is made
// in Postman's Team Settings.
func Example() {
	simulator, err := postmantest.New(postmantest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	service := httptest.NewServer(simulator)
	defer service.Close()
	ctx := context.Background()

	c, err := client.New(service.URL+postmantest.BasePath,
		client.WithBearerToken(postmantest.DefaultKey), client.WithProfile(postman.Profile()))
	if err != nil {
		fmt.Println(err)
		return
	}
	ada, err := c.Users().Create(ctx, scim.User{
		UserName: "ada@meridian.example", Name: &scim.Name{GivenName: "Ada", FamilyName: "Byron"}, Active: scim.Bool(true),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ada.UserName, "is on the team")

	// What Postman is known to refuse is not sent, and the error says what to do instead.
	err = c.Users().Delete(ctx, ada.ID)
	fmt.Println(errors.Is(err, client.ErrNotSent), err)
	// Output:
	// ada@meridian.example is on the team
	// true scim: 501 Not Implemented: Postman does not offer delete of a User; set active to false instead, where the resource has it
}

// The mappings of Microsoft's tutorial are ready to use.
func ExampleMappingJSON() {
	file, err := mapping.Decode(postman.MappingJSON())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, definition := range file.Mappings {
		m, err := mapping.Compile(definition, mapping.WithProfile(postman.Profile()))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %d problems, reads %v\n", definition.Name, len(m.Check(postman.Profile())), m.SourceAttributes())
	}
	// Output:
	// Provision users: 0 problems, reads [userPrincipalName IsSoftDeleted givenName surname]
	// Provision groups: 0 problems, reads [displayName members]
}
