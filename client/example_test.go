package client_test

import (
	"context"
	"fmt"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/filter"
)

func Example() {
	service := newService()
	defer service.Close()

	c, err := client.New(service.URL, client.WithBearerToken("secret"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	user, err := c.Users().Create(ctx, scim.User{UserName: "taylor.lee@example.com", Active: scim.Bool(true)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(user)

	for user, err := range c.Users().List(ctx, client.Query{Filter: filter.Eq("userName", "taylor.lee@example.com")}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("found", user.UserName)
	}
	// Output:
	// User 1 (taylor.lee@example.com)
	// found taylor.lee@example.com
}
