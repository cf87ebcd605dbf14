package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

// fixture is a store under test.
type fixture struct {
	testing.TB
	store server.Store
	ctx   context.Context
	// versions numbers the versions given out.
	versions int
}

func (f *fixture) version() string {
	f.versions++
	return fmt.Sprintf("v%d", f.versions)
}

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func document(typ, id string, attributes scim.Document) scim.Document {
	urn := scim.UserSchema
	if typ == "Group" {
		urn = scim.GroupSchema
	}
	doc := scim.Document{
		"id": id, "schemas": []any{urn},
		"meta": map[string]any{
			"resourceType": typ, "created": server.FormatTime(epoch), "lastModified": server.FormatTime(epoch),
		},
	}
	for name, value := range attributes {
		doc[name] = value
	}
	return doc
}

// resource returns a resource with a fresh version.
func (f *fixture) resource(key server.Key, attributes scim.Document, unique ...server.Unique) server.Resource {
	return server.Resource{
		Key: key, Version: f.version(), Document: document(key.Type, key.ID, attributes), Unique: unique, Schema: schemaOf(key.Type),
	}
}

func schemaOf(typ string) *schema.Schema {
	if typ == "Group" {
		return schema.Group()
	}
	return schema.User()
}

func (f *fixture) create(key server.Key, attributes scim.Document, unique ...server.Unique) server.Resource {
	f.Helper()
	r := f.resource(key, attributes, unique...)
	if err := f.store.Create(f.ctx, r); err != nil {
		f.Fatalf("create %+v: %v", key, err)
	}
	return r
}

// user creates a user whose userName is unique.
func (f *fixture) user(id string, attributes scim.Document) server.Resource {
	f.Helper()
	all := scim.Document{"userName": id + "@example.com"}
	for name, value := range attributes {
		all[name] = value
	}
	return f.create(user(id), all)
}

func user(id string) server.Key  { return server.Key{Type: "User", ID: id} }
func group(id string) server.Key { return server.Key{Type: "Group", ID: id} }

func userName(value string) server.Unique {
	return server.Unique{Scope: "User", Attribute: "userName", Value: value}
}

func members(ids ...string) scim.Document {
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = element(id)
	}
	return scim.Document{"displayName": "group", "members": list}
}

func element(id string) map[string]any { return map[string]any{"value": id, "type": "User"} }

func (f *fixture) get(key server.Key, omit ...string) server.Resource {
	f.Helper()
	r, err := f.store.Get(f.ctx, key, omit...)
	if err != nil {
		f.Fatalf("get %+v: %v", key, err)
	}
	return r
}

// wantResource checks a resource as it is read.
func (f *fixture) wantResource(want, got server.Resource) {
	f.Helper()
	want.Unique, got.Unique = nil, nil
	want.Schema, got.Schema = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		f.Errorf("resource (-want +got):\n%s", diff)
	}
}

func (f *fixture) wantError(want, got error) {
	f.Helper()
	if !errors.Is(got, want) {
		f.Errorf("got error %v, want %v", got, want)
	}
}

// wantTaken checks that err is that of a value which another resource has.
func (f *fixture) wantTaken(attribute string, err error) {
	f.Helper()
	taken, ok := errors.AsType[*server.TakenError](err)
	if !ok || taken.Unique.Attribute != attribute {
		f.Errorf("got error %v, want a TakenError for %s", err, attribute)
	}
}

// query returns a query of users; an empty filter is none.
func (f *fixture) query(text string) server.Query {
	return f.queryOf("User", schema.User(), text)
}

func (f *fixture) queryOf(typ string, s *schema.Schema, text string) server.Query {
	f.Helper()
	q := server.Query{Type: typ, Schema: s, Limit: 1000, Total: true}
	if text == "" {
		return q
	}
	var err error
	if q.Filter, err = filter.Parse(text); err != nil {
		f.Fatal(err)
	}
	if q.Match, err = q.Filter.Compile(s); err != nil {
		f.Fatal(err)
	}
	return q
}

func (f *fixture) order(path string, descending bool) server.Order {
	f.Helper()
	a, ok := schema.User().Lookup(path)
	if !ok {
		f.Fatalf("no attribute %s", path)
	}
	return server.Order{Attribute: a, Descending: descending}
}

func (f *fixture) run(q server.Query) server.Page {
	f.Helper()
	page, err := f.store.Query(f.ctx, q)
	if err != nil {
		f.Fatalf("%s: %v", about(q), err)
	}
	return page
}

func ids(resources []server.Resource) []string {
	list := []string{}
	for _, r := range resources {
		list = append(list, r.ID)
	}
	return list
}

// wantPage checks which resources a query gives, in which order.
func (f *fixture) wantPage(q server.Query, total int, want ...string) server.Page {
	f.Helper()
	page := f.run(q)
	if got := ids(page.Resources); !slices.Equal(got, want) {
		f.Errorf("%s: got %v, want %v", about(q), got, want)
	}
	if q.Total && page.Total != total {
		f.Errorf("%s: got total %d, want %d", about(q), page.Total, total)
	}
	return page
}

// about says what a query is for.
func about(q server.Query) string {
	text := "query of " + q.Type
	if q.Tenant != "" {
		text += fmt.Sprintf(" of tenant %q", q.Tenant)
	}
	if q.Match != nil {
		text += fmt.Sprintf(", filter %q", q.Filter)
	}
	return text + ", " + describe(q.Order) + fmt.Sprintf(", offset %d, after %q, limit %d", q.Offset, q.After, q.Limit)
}

// describe says what an order is by.
func describe(o server.Order) string {
	switch {
	case o.Attribute == nil:
		return "order of creation"
	case o.Descending:
		return "order by " + o.Attribute.Path() + ", descending"
	}
	return "order by " + o.Attribute.Path()
}
