package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
)

// open returns a client of a service that runs for an example only, with some users.
func open() (c *client.Client, end func()) {
	service := newService().addUsers(3)
	c, err := client.New(service.URL, client.WithBearerToken("secret"), client.WithProfile(profiles.Generic()))
	if err != nil {
		log.Fatal(err)
	}
	return c, service.Close
}

func Example() {
	service := newService()
	defer service.Close()

	c, err := client.New(service.URL, client.WithBearerToken("secret"))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	user, err := c.Users().Create(ctx, scim.User{UserName: "taylor.lee@example.com", Active: scim.Bool(true)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(user)

	for user, err := range c.Users().List(ctx, client.Query{Filter: filter.Eq("userName", "taylor.lee@example.com")}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("found", user.UserName)
	}
	// Output:
	// User 1 (taylor.lee@example.com)
	// found taylor.lee@example.com
}

func ExampleNew() {
	c, err := client.New("https://scim.example.com/v2?aadOptscim062020",
		client.WithBearerToken(os.Getenv("SCIM_TOKEN")+"token"),
		client.WithTimeout(20*time.Second),
		client.WithRetry(client.Retry{Attempts: 3, Budget: time.Minute}),
		client.WithRateLimits(profiles.RateLimit{Name: "all", Requests: 600, Seconds: 60}),
		client.WithLogger(slog.Default()),
	)
	fmt.Println(c, err)
	// Output: SCIM service at https://scim.example.com/v2 <nil>
}

func ExampleNew_refused() {
	_, err := client.New("http://scim.example.com/v2")
	fmt.Println(err)
	// Output: client: base URL: http would send the credential in the clear; use https, or WithInsecureHTTP
}

func ExampleResources_List() {
	c, end := open()
	defer end()
	for user, err := range c.Users().List(context.Background(), client.Query{Filter: filter.Eq("active", true)}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(user.UserName)
	}
	// Output:
	// user0001@example.com
	// user0003@example.com
}

func ExampleResources_Find() {
	c, end := open()
	defer end()
	user, err := c.Users().Find(context.Background(), "userName", "user0002@example.com")
	fmt.Println(user, err)

	_, err = c.Users().Find(context.Background(), "userName", "nobody@example.com")
	fmt.Println(errors.Is(err, scim.ErrNotFound))
	// Output:
	// User 2 (user0002@example.com) <nil>
	// true
}

func ExampleResources_Count() {
	c, end := open()
	defer end()
	n, err := c.Users().Count(context.Background(), filter.Eq("active", false))
	fmt.Println(n, err)
	// Output: 1 <nil>
}

func ExampleResources_Update() {
	c, end := open()
	defer end()
	ctx := context.Background()
	user, err := c.Users().Find(ctx, "userName", "user0001@example.com")
	if err != nil {
		log.Fatal(err)
	}
	changed := user
	changed.Title = "Tour Guide"
	changed.Active = scim.Bool(false)
	// One PATCH with the two attributes. What nobody touched is not sent.
	user, err = c.Users().Update(ctx, user, changed)
	fmt.Println(user.Title, *user.Active, err)
	// Output: Tour Guide false <nil>
}

func ExampleResources_Patch() {
	c, end := open()
	defer end()
	updated, err := c.Users().Patch(context.Background(), "1", []scim.PatchOperation{
		{Op: scim.OpReplace, Path: `emails[type eq "work"].value`, Value: "taylor@example.com"},
	})
	if updated == nil {
		fmt.Println("done, and the service did not show the user,", err)
	}
	// Output: done, and the service did not show the user, <nil>
}

// What is searched for is sent in the body, so it is in no URL and no access log.
func ExampleResources_Search() {
	service := newService().addUsers(3)
	defer service.Close()
	c, err := client.New(service.URL)
	if err != nil {
		log.Fatal(err)
	}
	for user, err := range c.Users().Search(context.Background(), client.Query{Filter: filter.Eq("userName", "user0002@example.com")}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(user.ID)
	}
	fmt.Println(service.requests())
	// Output:
	// 2
	// [POST /Users/.search]
}

func ExampleClient_ResourceTypes() {
	simulator, err := postmantest.New(postmantest.Options{})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(simulator)
	defer server.Close()
	c, err := client.New(server.URL+"/scim/v2", client.WithBearerToken(postmantest.DefaultKey))
	if err != nil {
		log.Fatal(err)
	}
	types, err := c.ResourceTypes(context.Background())
	for _, t := range types {
		fmt.Println(t.Name, t.Endpoint)
	}
	fmt.Println(err)
	// Output:
	// User /Users
	// Group /Groups
	// <nil>
}

func ExampleResources_PlanUpdate() {
	c, err := client.New(postman.BaseURL, client.WithProfile(postman.Profile()))
	if err != nil {
		log.Fatal(err)
	}
	old := scim.User{ID: "1", UserName: "taylor.lee@example.com", Active: scim.Bool(true)}
	gone := old
	gone.Active = scim.Bool(false)
	changes, err := c.Users().PlanUpdate(context.Background(), old, gone)
	if err != nil {
		log.Fatal(err)
	}
	for _, change := range changes {
		fmt.Println(change.Method, change.Operations)
	}
	// Output: PATCH [{replace  map[active:false]}]
}

func ExampleResources_SetMembers() {
	c, end := open()
	defer end()
	ctx := context.Background()
	group, err := c.Groups().Create(ctx, scim.Group{DisplayName: "Guides", Members: []scim.Reference{{Value: "1"}, {Value: "2"}}})
	if err != nil {
		log.Fatal(err)
	}
	// Adds 3 and removes 1, in one request.
	fmt.Println(c.Groups().SetMembers(ctx, group.ID, "2", "3"))
	// Output: <nil>
}

func ExampleClient_Documents() {
	c, end := open()
	defer end()
	doc, err := c.Documents("User").Get(context.Background(), "1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(doc["userName"])
	// Output: user0001@example.com
}

func ExampleFor() {
	type Device struct {
		ID           string `json:"id,omitzero"`
		SerialNumber string `json:"serialNumber"`
	}
	c, end := open()
	defer end()
	devices := client.For[Device](c, scim.ResourceType{
		Name: "Device", Endpoint: "/Devices", Schema: "urn:ietf:params:scim:schemas:core:2.0:Device",
	}, nil)
	device, err := devices.Create(context.Background(), Device{SerialNumber: "C02XJ0G8JH"})
	fmt.Println(device.SerialNumber, err)
	// Output: C02XJ0G8JH <nil>
}

func ExampleClient_Bulk() {
	c, end := open()
	defer end()
	results, err := c.Bulk(context.Background(), scim.BulkRequest{Operations: []scim.BulkOperation{
		{Method: "POST", Path: "/Users", BulkID: "lee", Data: scim.Document{"userName": "taylor.lee@example.com"}},
		{Method: "POST", Path: "/Groups", Data: scim.Document{
			"displayName": "Guides", "members": []any{map[string]any{"value": "bulkId:lee"}},
		}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range results {
		fmt.Println(r.Status, r.ID, r.Err)
	}
	// Output:
	// 201 4 <nil>
	// 201 5 <nil>
}

func ExampleClient_Capabilities() {
	c, err := client.New(postman.BaseURL, client.WithProfile(postman.Profile()))
	if err != nil {
		log.Fatal(err)
	}
	can, err := c.Capabilities(context.Background())
	fmt.Println(can.Patch, can.Bulk, can.MaxResults, err)
	// Output: true false 100 <nil>
}

// What a service is known to refuse costs no request, and the error says what to do.
func ExampleErrNotSent() {
	c, err := client.New(postman.BaseURL, client.WithProfile(postman.Profile()))
	if err != nil {
		log.Fatal(err)
	}
	err = c.Users().Delete(context.Background(), "2819c223")
	fmt.Println(errors.Is(err, client.ErrNotSent))
	fmt.Println(err)
	// Output:
	// true
	// scim: 501 Not Implemented: Postman does not offer delete of a User; set active to false instead, where the resource has it
}

func ExampleWithMiddleware() {
	trace := func(next http.RoundTripper) http.RoundTripper {
		return transport(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err == nil {
				fmt.Println(r.Method, r.URL.Path, resp.StatusCode)
			}
			return resp, err
		})
	}
	service := newService().addUsers(1)
	defer service.Close()
	c, err := client.New(service.URL, client.WithMiddleware(trace))
	if err != nil {
		log.Fatal(err)
	}
	if err := c.Users().Delete(context.Background(), "1"); err != nil {
		log.Fatal(err)
	}
	// Output: DELETE /Users/1 204
}

func ExampleClient_Stats() {
	c, end := open()
	defer end()
	if _, err := c.Users().Get(context.Background(), "1"); err != nil {
		log.Fatal(err)
	}
	s := c.Stats()
	fmt.Println(s.Requests, s.Reads, s.Writes, s.Retries)
	// Output: 1 1 0 0
}
