package scim_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	core "github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/provision/source/scim"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

func Example() {
	handler, err := server.New(memory.New(), server.Options{Authenticator: server.BearerTokens("secret")})
	if err != nil {
		fmt.Println(err)
		return
	}
	hr := httptest.NewServer(handler)
	defer hr.Close()
	c, err := client.New(hr.URL, client.WithBearerToken("secret"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	_, err = c.Users().Create(ctx, core.User{UserName: "ada@example.com", Name: &core.Name{GivenName: "Ada"}, Active: core.Bool(true)})
	if err != nil {
		fmt.Println(err)
		return
	}

	// This is a provision.Config's Source.
	source, err := scim.New(c, scim.Options{Changes: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	for entry, err := range source.Entries(ctx, "User") {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(entry.Attributes["userName"], entry.Attributes["active"])
	}
	// Output: ada@example.com true
}
