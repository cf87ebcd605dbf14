package sqlite_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/sqlite"
)

// A directory in a file, with an index for questions by employee number. What one run of the service has stored the next one finds.
func Example() {
	folder, err := os.MkdirTemp("", "scim")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(folder) }()
	number := scim.EnterpriseUserSchema + ":employeeNumber"
	run := func(do func(c *client.Client) error) error {
		store, err := sqlite.Open(context.Background(), filepath.Join(folder, "scim.db"), sqlite.Indexed(number))
		if err != nil {
			return err
		}
		defer func() { _ = store.Close() }()
		handler, err := server.New(store, server.Options{Authenticator: server.BearerTokens("a-long-random-token")})
		if err != nil {
			return err
		}
		service := httptest.NewServer(handler)
		defer service.Close()
		c, err := client.New(service.URL, client.WithBearerToken("a-long-random-token"))
		if err != nil {
			return err
		}
		return do(c)
	}
	err = run(func(c *client.Client) error {
		_, err := c.Users().Create(context.Background(), scim.User{
			UserName: "zoe@example.com", Enterprise: &scim.EnterpriseUser{EmployeeNumber: "E1"},
		})
		return err
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = run(func(c *client.Client) error {
		zoe, err := c.Users().Find(context.Background(), number, "E1")
		fmt.Println(zoe.UserName)
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: zoe@example.com
}
