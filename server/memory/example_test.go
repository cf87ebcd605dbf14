package memory_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

// A directory in memory, with an index for questions by employee number.
func Example() {
	store := memory.New(scim.EnterpriseUserSchema + ":employeeNumber")
	handler, err := server.New(store, server.Options{Authenticator: server.BearerTokens("a-long-random-token")})
	if err != nil {
		fmt.Println(err)
		return
	}
	service := httptest.NewServer(handler)
	defer service.Close()
	c, err := client.New(service.URL, client.WithBearerToken("a-long-random-token"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if _, err := c.Users().Create(ctx, scim.User{
		UserName: "zoe@example.com", Enterprise: &scim.EnterpriseUser{EmployeeNumber: "E1"},
	}); err != nil {
		fmt.Println(err)
		return
	}
	zoe, err := c.Users().Find(ctx, scim.EnterpriseUserSchema+":employeeNumber", "E1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(zoe.UserName)
	// Output: zoe@example.com
}
