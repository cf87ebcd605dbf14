package postmantest_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
)

// connect starts a simulator and returns a client of it. In a test, NewServer does the first half.
func connect(o postmantest.Options, more ...client.Option) (*postmantest.Simulator, *client.Client, func()) {
	simulator, err := postmantest.New(o)
	if err != nil {
		panic(err)
	}
	h := httptest.NewServer(simulator)
	c, err := client.New(h.URL+postmantest.BasePath, append([]client.Option{
		client.WithBearerToken(postmantest.DefaultKey), client.WithProfile(postman.Profile()),
	}, more...)...)
	if err != nil {
		panic(err)
	}
	return simulator, c, h.Close
}

func person(userName, given, family string) scim.User {
	return scim.User{UserName: userName, Name: &scim.Name{GivenName: given, FamilyName: family}, Active: scim.Bool(true)}
}

// A person is put on the team, into a group, and off the team again. Postman takes users off by deactivating them.
func Example() {
	srv, c, stop := connect(postmantest.Options{})
	defer stop()
	ctx := context.Background()

	ada, err := c.Users().Create(ctx, person("ada@meridian.example", "Ada", "Byron"))
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := c.Groups().Create(ctx, scim.Group{DisplayName: "Engineering", Members: []scim.Reference{{Value: ada.ID}}}); err != nil {
		fmt.Println(err)
		return
	}
	left := ada
	left.Active = scim.Bool(false)
	if _, err := c.Users().Update(ctx, ada, left); err != nil {
		fmt.Println(err)
		return
	}

	for _, u := range srv.Users() {
		fmt.Println(u.UserName, "active:", *u.Active)
	}
	fmt.Print(srv.Journal())
	// Output:
	// ada@meridian.example active: false
	// POST /Users 201
	// POST /Groups 201
	// PATCH /Users/… 200
}

// The answer to a create is lost. The client finds what became of it, and creates nobody twice.
func ExampleSimulator_Inject() {
	clock := postmantest.NewClock(time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC))
	srv, c, stop := connect(postmantest.Options{Clock: clock}, client.WithClock(clock))
	defer stop()
	srv.Inject(postmantest.Fault{Method: "POST", Path: "/Users", Status: 500, AfterApply: true})

	_, err := c.Users().Create(context.Background(), person("ada@meridian.example", "Ada", "Byron"))
	fmt.Println("error:", err)
	fmt.Println("users:", len(srv.Users()))
	fmt.Print(srv.Journal())
	// Output:
	// error: <nil>
	// users: 1
	// POST /Users 500
	// GET /Users 200
}

// Three hundred and sixty people need two minutes at 180 writes a minute, and no time at all with a virtual clock.
func ExampleClock() {
	start := time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC)
	clock := postmantest.NewClock(start)
	srv, c, stop := connect(postmantest.Options{Clock: clock}, client.WithClock(clock))
	defer stop()

	for i := range 361 {
		u := person(fmt.Sprintf("person%d@meridian.example", i), "Pat", "Doe")
		if _, err := c.Users().Create(context.Background(), u); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println("users:", len(srv.Users()), "refused:", len(srv.Journal().Refused()))
	fmt.Println("took at least two minutes:", clock.Now().Sub(start) >= 2*time.Minute)
	// Output:
	// users: 361 refused: 0
	// took at least two minutes: true
}

// Somebody who has an account of her own, outside the team's domains, is invited, and can join groups once she has accepted.
func ExampleSimulator_Accept() {
	srv, c, stop := connect(postmantest.Options{
		VerifiedDomains: []string{"meridian.example"},
		Accounts:        map[string]postmantest.Account{"grace@elsewhere.example": postmantest.Standalone},
	})
	defer stop()
	ctx := context.Background()
	grace, err := c.Users().Create(ctx, person("grace@elsewhere.example", "Grace", "Hopper"))
	if err != nil {
		fmt.Println(err)
		return
	}
	team, err := c.Groups().Create(ctx, scim.Group{DisplayName: "Engineering"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("before:", c.Groups().AddMembers(ctx, team.ID, grace.ID) == nil)
	srv.Accept("grace@elsewhere.example")
	fmt.Println("after:", c.Groups().AddMembers(ctx, team.ID, grace.ID) == nil)
	// Output:
	// before: false
	// after: true
}
