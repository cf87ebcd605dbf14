// Package sqlstoretest checks what the stores in SQL databases do beyond the contract of [server.Store].
package sqlstoretest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/elimity-com/scim/optional"
	elimity "github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

// Store is a store in a SQL database.
type Store interface {
	server.MemberStore
	server.BatchStore
	Load(ctx context.Context, resources iter.Seq2[server.Resource, error]) (int, error)
	Reindex(ctx context.Context, resourceType string, sc *schema.Schema) error
}

// Run tests stores. For every test, database makes an empty database, and returns a function that opens it, any number of times, with indexes
// for more attributes.
func Run(t *testing.T, database func(t *testing.T) (open func(indexed ...string) Store)) {
	for _, tt := range []struct {
		name string
		run  func(t *testing.T, open func(indexed ...string) Store)
	}{
		{"numbers keep their type", testNumbers},
		{"unique values of any length", testLongUnique},
		{"keys that cannot be", testKeys},
		{"members that cannot be", testStrangeMembers},
		{"order and elements of members follow the document", testMemberOrder},
		{"load", testLoad},
		{"load ends at what cannot be added", testLoadFails},
		{"totals follow changes", testTotals},
		{"an index for more attributes", testIndexed},
		{"another schema", testSchema},
		{"a type whose schema is not known", testNoSchema},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, database(t)) })
	}
}

func resource(typ, id string, attributes scim.Document) server.Resource {
	doc := scim.Document{"id": id, "schemas": []any{scim.UserSchema}, "meta": map[string]any{"resourceType": typ}}
	r := server.Resource{Key: server.Key{Type: typ, ID: id}, Version: "v1", Document: doc}
	switch typ {
	case "User":
		r.Schema = schema.User()
	case "Group":
		r.Schema = schema.Group()
	}
	for name, v := range attributes {
		doc[name] = v
	}
	return r
}

func user(n int) server.Resource {
	name := fmt.Sprintf("user%d", n)
	r := resource("User", fmt.Sprintf("u%d", n), scim.Document{"userName": name, "title": fmt.Sprintf("Title %d", n%3)})
	r.Unique = []server.Unique{{Scope: "User", Attribute: "userName", Value: name}}
	return r
}

func create(t *testing.T, s server.Store, resources ...server.Resource) {
	t.Helper()
	for _, r := range resources {
		if err := s.Create(t.Context(), r); err != nil {
			t.Fatalf("create %v: %v", r.Key, err)
		}
	}
}

func get(t *testing.T, s server.Store, key server.Key) server.Resource {
	t.Helper()
	r, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("get %v: %v", key, err)
	}
	return r
}

// wantFound checks which resources of a type a filter finds.
func wantFound(t *testing.T, s server.Store, typ string, sc *schema.Schema, text string, want ...string) {
	t.Helper()
	q := server.Query{Type: typ, Schema: sc, Limit: 1000, Total: true}
	if text != "" {
		q.Filter = filter.MustParse(text)
		match, err := q.Filter.Compile(sc)
		if err != nil {
			t.Fatal(err)
		}
		q.Match = match
	}
	page, err := s.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range page.Resources {
		got = append(got, r.ID)
	}
	if !slices.Equal(got, want) || page.Total != len(want) {
		t.Errorf("%s: got %v of %d, want %v", text, got, page.Total, want)
	}
}

func testNumbers(t *testing.T, open func(...string) Store) {
	s := open()
	r := resource("User", "u1", scim.Document{"x": []any{int64(1), -0.5, 1e20, 1e300, int64(1) << 62, int64(-9007199254740993)}})
	create(t, s, r)
	if diff := cmp.Diff(r.Document, get(t, s, r.Key).Document); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
}

func testLongUnique(t *testing.T, open func(...string) Store) {
	s := open()
	for n, value := range []string{
		strings.Repeat("x", 10_000) + "a", strings.Repeat("x", 10_000) + "b", "", "=", "#", "a\x00b", "a\x00c", strings.Repeat("ü", 300),
	} {
		unique := []server.Unique{{Scope: "User", Attribute: "userName", Value: value}}
		r := resource("User", fmt.Sprintf("u%d", n), scim.Document{"userName": value})
		r.Unique = unique
		create(t, s, r)
		again := resource("User", "again", nil)
		again.Unique = unique
		if _, taken := errors.AsType[*server.TakenError](s.Create(t.Context(), again)); !taken {
			t.Errorf("%.10q... can be taken twice", value)
		}
		if value != "" {
			wantFound(t, s, "User", schema.User(), filter.Eq("userName", value).String(), r.ID)
			wantFound(t, s, "User", schema.User(), filter.Sw("userName", value+"z").String())
		}
	}
}

func testKeys(t *testing.T, open func(...string) Store) {
	s := open()
	for _, id := range []string{"a\x00b", "\xff", strings.Repeat("x", 10_000)} {
		key := server.Key{Type: "User", ID: id}
		if _, err := s.Get(t.Context(), key); !errors.Is(err, server.ErrNotFound) {
			t.Errorf("get %.10q: %v", id, err)
		}
		if list, err := s.GetMany(t.Context(), []server.Key{key}); err != nil || len(list) != 0 {
			t.Errorf("get many %.10q: %v, %v", id, list, err)
		}
		if err := s.Delete(t.Context(), key, ""); !errors.Is(err, server.ErrNotFound) {
			t.Errorf("delete %.10q: %v", id, err)
		}
		if groups, err := s.Memberships(t.Context(), "", []string{id}); err != nil || len(groups) != 0 {
			t.Errorf("memberships of %.10q: %v, %v", id, groups, err)
		}
		wantRefused(t, s.Create(t.Context(), server.Resource{Key: key, Document: scim.Document{}}))
	}
}

// wantRefused checks that an error tells the client what is wrong with what it sent.
func wantRefused(t *testing.T, err error) {
	t.Helper()
	if e, ok := errors.AsType[*scim.Error](err); !ok || e.Status != http.StatusBadRequest {
		t.Errorf("got error %v, want status 400", err)
	}
}

func group(members ...any) server.Resource {
	return resource("Group", "g1", scim.Document{"displayName": "Group", "members": members})
}

func member(value string) map[string]any { return map[string]any{"value": value} }

func testStrangeMembers(t *testing.T, open func(...string) Store) {
	s := open()
	for _, value := range []string{"a\x00b", strings.Repeat("x", 10_000)} {
		wantRefused(t, s.Create(t.Context(), group(member(value))))
	}
	create(t, s, group(member("u1")))
	change := server.MemberChange{Add: []map[string]any{member("a\x00b")}, Remove: []string{"c\x00d", "\xff"}}
	update := server.MemberUpdate{Resource: server.Resource{Key: group().Key, Version: "v2"}, MemberChange: change}
	_, err := s.UpdateMembers(t.Context(), update)
	wantRefused(t, err)
	update.Add = nil
	if result, err := s.UpdateMembers(t.Context(), update); err != nil || result.Changed {
		t.Errorf("removing what cannot be there: %v, %v", result, err)
	}
}

func testMemberOrder(t *testing.T, open func(...string) Store) {
	s := open()
	typed := map[string]any{"value": "b", "type": "User", "x": 1.5}
	create(t, s, group(member("a"), member("b"), member("c")))
	for n, members := range [][]any{
		{member("a"), member("c")},
		{member("c"), member("a")},
		{member("c"), typed, member("a")},
		{member("c"), member("b"), member("a"), member("d")},
		{member("d"), member("e")},
		{},
		{member("a")},
	} {
		r := group(members...)
		if len(members) == 0 {
			delete(r.Document, "members")
		}
		r.Version = fmt.Sprintf("v%d", n+2)
		if err := s.Update(t.Context(), server.Update{Resource: r, IfVersion: fmt.Sprintf("v%d", n+1)}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r.Document, get(t, s, r.Key).Document); diff != "" {
			t.Errorf("document (-want +got):\n%s", diff)
		}
	}
}

func all(resources ...server.Resource) iter.Seq2[server.Resource, error] {
	return func(yield func(server.Resource, error) bool) {
		for _, r := range resources {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func testLoad(t *testing.T, open func(...string) Store) {
	s := open()
	const users = 4500
	list := make([]server.Resource, users, users+1)
	members := make([]any, users)
	for n := range users {
		list[n] = user(n)
		members[n] = member(list[n].ID)
	}
	if n, err := s.Load(t.Context(), all(append(list, group(members...))...)); err != nil || n != users+1 {
		t.Fatalf("load: %d, %v", n, err)
	}
	if diff := cmp.Diff(list[users-1].Document, get(t, s, list[users-1].Key).Document); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	if got := get(t, s, group().Key).Document["members"]; !cmp.Equal(got, any(members)) {
		t.Errorf("the group has other members than were loaded")
	}
	wantFound(t, s, "User", schema.User(), `userName eq "USER4000"`, "u4000")
	groups, err := s.Memberships(t.Context(), "", []string{"u7"})
	if err != nil || len(groups["u7"]) != 1 {
		t.Errorf("memberships: %v, %v", groups, err)
	}
	if _, taken := errors.AsType[*server.TakenError](s.Create(t.Context(), server.Resource{
		Key: server.Key{Type: "User", ID: "x"}, Document: scim.Document{}, Unique: user(4321).Unique,
	})); !taken {
		t.Error("a unique value that was loaded is free")
	}
	q := server.Query{Type: "User", Schema: schema.User(), Offset: users - 1, Limit: 5, Total: true}
	page, err := s.Query(t.Context(), q)
	if err != nil || page.Total != users || len(page.Resources) != 1 || page.Resources[0].ID != list[users-1].ID {
		t.Errorf("the last page is %v, %v", page, err)
	}
}

func testLoadFails(t *testing.T, open func(...string) Store) {
	s := open()
	same := user(1)
	same.Key.ID = "other"
	n, err := s.Load(t.Context(), all(user(0), user(1), same, user(2)))
	if _, taken := errors.AsType[*server.TakenError](err); n != 2 || !taken || !strings.Contains(err.Error(), "other") {
		t.Errorf("load of a value twice: %d, %v", n, err)
	}
	wantFound(t, s, "User", schema.User(), "", "u0", "u1")
	if n, err = s.Load(t.Context(), all(user(3), user(0))); n != 1 || !errors.Is(err, server.ErrExists) {
		t.Errorf("load of an id twice: %d, %v", n, err)
	}
	broken := errors.New("broken source")
	n, err = s.Load(t.Context(), func(yield func(server.Resource, error) bool) {
		_ = yield(user(4), nil) && yield(server.Resource{}, broken) && yield(user(5), nil)
	})
	if n != 1 || !errors.Is(err, broken) {
		t.Errorf("load from a source that breaks: %d, %v", n, err)
	}
	wantFound(t, s, "User", schema.User(), "", "u0", "u1", "u3", "u4")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := s.Load(ctx, all(user(6))); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("load that is cancelled: %d, %v", n, err)
	}
}

func testTotals(t *testing.T, open func(...string) Store) {
	s := open()
	want := func(n int) {
		t.Helper()
		page, err := s.Query(t.Context(), server.Query{Type: "User", Schema: schema.User(), Total: true})
		if err != nil || page.Total != n {
			t.Errorf("total %d, %v; want %d", page.Total, err, n)
		}
	}
	want(0)
	for n := range 40 {
		create(t, s, user(n))
	}
	create(t, s, group())
	want(40)
	if err := s.Create(t.Context(), user(3)); !errors.Is(err, server.ErrExists) {
		t.Error(err)
	}
	for n := range 15 {
		if err := s.Delete(t.Context(), user(n).Key, ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Load(t.Context(), all(user(100), user(101))); err != nil {
		t.Fatal(err)
	}
	want(27)
}

func testIndexed(t *testing.T, open func(...string) Store) {
	s := open()
	create(t, s, user(0), user(1), user(2), user(3))
	more := open("title", "urn:example:no:attribute", "no attribute", "meta", "password")
	check := func() {
		t.Helper()
		wantFound(t, more, "User", schema.User(), `title eq "title 0"`, "u0", "u3")
		wantFound(t, more, "User", schema.User(), `title sw "title 0" and userName eq "user3"`, "u3")
		wantFound(t, s, "User", schema.User(), `title eq "TITLE 1"`, "u1")
	}
	check()
	create(t, more, resource("User", "u9", scim.Document{"userName": "nine", "title": "Title 1"}))
	wantFound(t, s, "User", schema.User(), `title eq "TITLE 1"`, "u1", "u9")
	if err := s.Delete(t.Context(), server.Key{Type: "User", ID: "u9"}, ""); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := more.Reindex(t.Context(), "User", schema.User()); err != nil {
			t.Fatal(err)
		}
		check()
	}
	if err := s.Reindex(t.Context(), "User", schema.User()); err != nil {
		t.Fatal(err)
	}
	check()
}

// device returns a schema with one attribute, for which case counts or does not.
func device(t *testing.T, caseExact bool) *schema.Schema {
	t.Helper()
	s, err := schema.Compile(elimity.Schema{
		ID: "urn:example:Device", Name: optional.NewString("Device"), Attributes: elimity.Attributes{
			elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "serial", CaseExact: caseExact, Uniqueness: elimity.AttributeUniquenessServer()})),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func testSchema(t *testing.T, open func(...string) Store) {
	s := open()
	folded, exact := device(t, false), device(t, true)
	for n, serial := range []string{"ab", "AB", "c"} {
		r := resource("Device", fmt.Sprintf("d%d", n), scim.Document{"serial": serial})
		r.Schema = folded
		create(t, s, r)
	}
	check := func() {
		t.Helper()
		wantFound(t, s, "Device", folded, `serial eq "aB"`, "d0", "d1")
		wantFound(t, s, "Device", exact, `serial eq "aB"`)
		wantFound(t, s, "Device", exact, `serial eq "AB"`, "d1")
		wantFound(t, s, "Device", exact, `serial gt "AB"`, "d0", "d2")
	}
	check()
	r := resource("Device", "d3", scim.Document{"serial": "x"})
	r.Schema = exact
	create(t, s, r)
	check2 := func() {
		t.Helper()
		wantFound(t, s, "Device", folded, `serial eq "X"`, "d3")
		wantFound(t, s, "Device", exact, `serial eq "X"`)
		wantFound(t, s, "Device", exact, `not (serial sw "A")`, "d0", "d2", "d3")
	}
	check2()
	if err := s.Reindex(t.Context(), "Device", exact); err != nil {
		t.Fatal(err)
	}
	check2()
}

func testNoSchema(t *testing.T, open func(...string) Store) {
	s := open()
	create(t, s, resource("Device", "d0", scim.Document{"serial": "a"}), resource("Device", "d1", scim.Document{"serial": "b"}))
	sc := device(t, false)
	wantFound(t, s, "Device", sc, `serial eq "A"`, "d0")
	wantFound(t, s, "Device", sc, "", "d0", "d1")
	if err := s.Reindex(t.Context(), "Device", sc); err != nil {
		t.Fatal(err)
	}
	wantFound(t, s, "Device", sc, `serial eq "A"`, "d0")
}
