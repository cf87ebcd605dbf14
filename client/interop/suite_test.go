package interop_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/filter"
)

// server is what the suite has to know of a server.
type server struct {
	url, token string
	// unique is set when the server refuses a second user of a name.
	unique bool
	// enterprise is set when users have the enterprise extension.
	enterprise bool
	// noEscapes is set when its filters do not know \" inside a string.
	noEscapes bool
}

func (s server) client(t *testing.T, options ...client.Option) *client.Client {
	t.Helper()
	c, err := client.New(s.url, append(options, client.WithBearerToken(s.token), client.WithPageSize(7))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// run does with a server what the client offers.
func run(t *testing.T, s server) {
	t.Run("users", func(t *testing.T) { users(t, s) })
	t.Run("lists and filters", func(t *testing.T) { lists(t, s) })
	t.Run("groups", func(t *testing.T) { groups(t, s) })
	t.Run("documents", func(t *testing.T) { documents(t, s) })
	t.Run("discovery", func(t *testing.T) { discovery(t, s) })
	t.Run("bulk", func(t *testing.T) { bulk(t, s) })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func person(name string) scim.User {
	return scim.User{
		UserName: name + "@example.com", ExternalID: "x-" + name, Active: scim.Bool(true), Title: "Guide",
		Name:   &scim.Name{GivenName: name, FamilyName: "O'Neil \"Q\""},
		Emails: []scim.MultiValue{{Value: name + "@example.com", Type: "work", Primary: true}, {Value: name + "@home.example", Type: "home"}},
	}
}

var serverMade = []cmp.Option{cmpopts.IgnoreFields(scim.User{}, "ID", "Meta", "Schemas", "Groups", "Extra"), cmpopts.EquateEmpty()}

func users(t *testing.T, s server) {
	ctx, c := t.Context(), s.client(t)
	want := person("anna")
	if s.enterprise {
		want.Enterprise = &scim.EnterpriseUser{Department: "Tours", EmployeeNumber: "7"}
	}
	created, err := c.Users().Create(ctx, want)
	must(t, err)
	if created.ID == "" {
		t.Fatalf("created without id: %+v", created)
	}
	got, err := c.Users().Get(ctx, created.ID)
	must(t, err)
	if diff := cmp.Diff(want, got, serverMade...); diff != "" {
		t.Errorf("read after create (-want +got):\n%s", diff)
	}
	if s.unique {
		if _, err := c.Users().Create(ctx, person("anna")); !errors.Is(err, scim.ErrConflict) || !errors.Is(err, scim.ErrUniqueness) {
			t.Errorf("a second user of the name: %v", err)
		}
	}

	changed := got
	changed.Name = &scim.Name{GivenName: "Anna-Lena", FamilyName: got.Name.FamilyName}
	changed.Active = scim.Bool(false)
	changed.Title = ""
	changed.DisplayName = "Anna"
	changed.Emails = []scim.MultiValue{{Value: "anna@new.example", Type: "work", Primary: true}}
	_, err = c.Users().Update(ctx, got, changed)
	must(t, err)
	got, err = c.Users().Get(ctx, created.ID)
	must(t, err)
	if diff := cmp.Diff(changed, got, serverMade...); diff != "" {
		t.Errorf("read after update (-want +got):\n%s", diff)
	}

	replaced := person("anna")
	_, err = c.Users().Replace(ctx, created.ID, replaced)
	must(t, err)
	got, err = c.Users().Get(ctx, created.ID)
	must(t, err)
	if diff := cmp.Diff(replaced, got, serverMade...); diff != "" {
		t.Errorf("read after replace (-want +got):\n%s", diff)
	}

	must(t, c.Users().Delete(ctx, created.ID))
	if _, err := c.Users().Get(ctx, created.ID); !errors.Is(err, scim.ErrNotFound) {
		t.Errorf("read after delete: %v", err)
	}
	if err := c.Users().Delete(ctx, created.ID); !errors.Is(err, scim.ErrNotFound) {
		t.Errorf("second delete: %v", err)
	}
	wrong := server{url: s.url, token: "wrong"}
	if _, err := wrong.client(t).Users().Get(ctx, "1"); !errors.Is(err, scim.ErrUnauthorized) {
		t.Errorf("wrong token: %v", err)
	}
}

func lists(t *testing.T, s server) {
	ctx, c := t.Context(), s.client(t)
	want := map[string]bool{}
	for i := range 30 {
		u := person(fmt.Sprintf("list%02d", i))
		u.Active = scim.Bool(i%3 > 0)
		created, err := c.Users().Create(ctx, u)
		must(t, err)
		want[created.ID] = true
	}
	got := map[string]bool{}
	for user, err := range c.Users().List(ctx, client.Query{}) {
		must(t, err)
		got[user.ID] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	found, err := c.Users().Find(ctx, "userName", "list07@example.com")
	must(t, err)
	if found.ExternalID != "x-list07" {
		t.Errorf("found %+v", found)
	}
	nobody, family := `no"body@example.com`, `O'Neil "Q"`
	if s.noEscapes {
		nobody, family = "nobody@example.com", "O'Neil"
	}
	if _, err := c.Users().Find(ctx, "userName", nobody); !errors.Is(err, scim.ErrNotFound) {
		t.Errorf("found nobody: %v", err)
	}
	for name, tt := range map[string]struct {
		f    filter.Filter
		want int
	}{
		"eq":         {filter.Eq("active", false), 10},
		"and, sw":    {filter.Sw("userName", "list1").And(filter.Eq("active", true)), 7},
		"or":         {filter.Eq("userName", "list03@example.com").Or(filter.Eq("userName", "list04@example.com")), 2},
		"value path": {filter.Has("emails", filter.Eq("type", "home").And(filter.Eq("value", "list05@home.example"))), 1},
		"pr":         {filter.Pr("title"), 30},
		"quotes":     {filter.Sw("name.familyName", family), 30},
	} {
		n := 0
		for _, err := range c.Users().List(ctx, client.Query{Filter: tt.f}) {
			if err != nil {
				t.Errorf("%s: %s: %v", name, tt.f, err)
				break
			}
			n++
		}
		if n != tt.want {
			t.Errorf("%s: %d users match %s, want %d", name, n, tt.f, tt.want)
		}
	}
	for id := range want {
		must(t, c.Users().Delete(ctx, id))
	}
	n, err := c.Users().Count(ctx, filter.Filter{})
	if err != nil || n != 0 {
		t.Errorf("%d users are left, error %v", n, err)
	}
}

func groups(t *testing.T, s server) {
	ctx, c := t.Context(), s.client(t)
	var ids []string
	for i := range 4 {
		u, err := c.Users().Create(ctx, person(fmt.Sprintf("member%d", i)))
		must(t, err)
		ids = append(ids, u.ID)
	}
	group, err := c.Groups().Create(ctx, scim.Group{DisplayName: "Guides", Members: []scim.Reference{{Value: ids[0]}}})
	must(t, err)
	members := func(want ...string) {
		t.Helper()
		got, err := c.Groups().Members(ctx, group.ID)
		must(t, err)
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("members (-want +got):\n%s", diff)
		}
	}
	members(ids[0])
	must(t, c.Groups().AddMembers(ctx, group.ID, ids[1], ids[2]))
	members(ids[0], ids[1], ids[2])
	must(t, c.Groups().RemoveMembers(ctx, group.ID, ids[0]))
	members(ids[1], ids[2])
	must(t, c.Groups().SetMembers(ctx, group.ID, ids[2], ids[3]))
	members(ids[2], ids[3])
	old, err := c.Groups().Get(ctx, group.ID)
	must(t, err)
	renamed := old
	renamed.DisplayName = "Tour Guides"
	_, err = c.Groups().Update(ctx, old, renamed)
	must(t, err)
	found, err := c.Groups().Find(ctx, "displayName", "Tour Guides")
	must(t, err)
	if found.ID != group.ID || len(found.Members) != 2 {
		t.Errorf("found %+v", found)
	}
	must(t, c.Groups().Delete(ctx, group.ID))
	for _, id := range ids {
		must(t, c.Users().Delete(ctx, id))
	}
}

func documents(t *testing.T, s server) {
	ctx, users := t.Context(), s.client(t).Documents("User")
	doc, err := users.Create(ctx, scim.Document{"userName": "doc@example.com", "active": true, "name": map[string]any{"familyName": "D"}})
	must(t, err)
	next := doc.Clone()
	next["nickName"] = "Doc"
	next["name"] = map[string]any{"familyName": "D", "givenName": "Doc"}
	_, err = users.Update(ctx, doc, next)
	must(t, err)
	got, err := users.Get(ctx, doc.ID())
	must(t, err)
	if got["nickName"] != "Doc" || got["name"].(map[string]any)["givenName"] != "Doc" {
		t.Errorf("read after update: %v", got)
	}
	must(t, users.Delete(ctx, doc.ID()))
}

func discovery(t *testing.T, s server) {
	ctx, c := t.Context(), s.client(t)
	config, err := c.ServiceProviderConfig(ctx)
	must(t, err)
	if !config.Patch.Supported || !config.Filter.Supported {
		t.Errorf("service provider config %+v", config)
	}
	types, err := c.ResourceTypes(ctx)
	must(t, err)
	var names []string
	for _, rt := range types {
		names = append(names, rt.Name+" "+rt.Endpoint)
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"Group /Groups", "User /Users"}, names); diff != "" {
		t.Errorf("resource types (-want +got):\n%s", diff)
	}
	schemas, err := c.Schemas(ctx)
	must(t, err)
	if !slices.ContainsFunc(schemas, func(d scim.Document) bool { return d.ID() == scim.UserSchema }) {
		t.Errorf("%d schemas, none of them of users", len(schemas))
	}
}

// bulk works whether the server has bulk requests or not.
func bulk(t *testing.T, s server) {
	ctx, c := t.Context(), s.client(t)
	results, err := c.Bulk(ctx, scim.BulkRequest{Operations: []scim.BulkOperation{
		{Method: "POST", Path: "/Users", BulkID: "a", Data: scim.Document{"schemas": []any{scim.UserSchema}, "userName": "bulk@example.com"}},
		{Method: "POST", Path: "/Groups", BulkID: "g", Data: scim.Document{
			"schemas": []any{scim.GroupSchema}, "displayName": "Bulk", "members": []any{map[string]any{"value": "bulkId:a"}},
		}},
	}})
	must(t, err)
	for _, r := range results {
		must(t, r.Err)
	}
	members, err := c.Groups().Members(ctx, results[1].ID)
	must(t, err)
	if diff := cmp.Diff([]string{results[0].ID}, members); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	must(t, c.Groups().Delete(ctx, results[1].ID))
	must(t, c.Users().Delete(ctx, results[0].ID))
}
