package sqlite_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/sqlite"
)

func resource(typ, id string, attributes scim.Document) server.Resource {
	s, urn := schema.User(), scim.UserSchema
	if typ == "Group" {
		s, urn = schema.Group(), scim.GroupSchema
	}
	doc := scim.Document{"id": id, "schemas": []any{urn}, "meta": map[string]any{"resourceType": typ}}
	for name, v := range attributes {
		doc[name] = v
	}
	return server.Resource{Key: server.Key{Type: typ, ID: id}, Version: "v1", Document: doc, Schema: s}
}

func user(n int) server.Resource {
	name := fmt.Sprintf("user%d@example.com", n)
	r := resource("User", fmt.Sprintf("u%d", n), scim.Document{
		"userName": name, "externalId": fmt.Sprintf("E%d", n), "displayName": "User", "emails": []any{map[string]any{"value": name}},
		scim.EnterpriseUserSchema: map[string]any{"employeeNumber": fmt.Sprint(n)},
	})
	r.Unique = []server.Unique{{Scope: "User", Attribute: "userName", Value: name}}
	return r
}

func create(t testing.TB, s server.Store, resources ...server.Resource) {
	t.Helper()
	for _, r := range resources {
		if err := s.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

// query returns a query of a type; an empty filter is none.
func query(t testing.TB, typ, text string) server.Query {
	t.Helper()
	q := server.Query{Type: typ, Schema: schema.User(), Limit: 100, Total: true, Omit: []string{server.Members}}
	if typ == "Group" {
		q.Schema = schema.Group()
	}
	if text == "" {
		return q
	}
	var err error
	if q.Filter, err = filter.Parse(text); err == nil {
		q.Match, err = q.Filter.Compile(q.Schema)
	}
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// ordered returns a query with an order.
func ordered(q server.Query, by string) server.Query {
	q.Order.Attribute, _ = q.Schema.Lookup(by)
	return q
}

// Statements that read resources, members or terms without an index other than that of tenant and type look at all there is.
func looksAtAll(st sqlite.Statement) bool {
	for _, line := range st.Plan {
		_, scanned, _ := strings.Cut(line, "SCAN ")
		table, _, _ := strings.Cut(scanned, " ")
		if slices.Contains([]string{"r", "t", "m", "resources", "terms", "members", "uniques"}, table) || strings.HasSuffix(line, "(tenant=?)") || strings.HasSuffix(line, "(tenant=? AND type=?)") {
			return true
		}
	}
	return false
}

func TestIndexesServe(t *testing.T) {
	s, statements := open(t, filepath.Join(t.TempDir(), "scim.db")).Record()
	for n := range 20 {
		create(t, s, user(n))
	}
	group := resource("Group", "g1", scim.Document{
		"displayName": "Group", "members": []any{map[string]any{"value": "u1"}, map[string]any{"value": "u2"}},
	})
	create(t, s, group)
	ask := func(q server.Query) func() error {
		return func() error {
			_, err := s.Query(t.Context(), q)
			return err
		}
	}
	for _, tt := range []struct {
		name string
		do   func() error
		all  bool
	}{
		{"get", func() error { _, err := s.Get(t.Context(), user(1).Key); return err }, false},
		{"get with members", func() error { _, err := s.Get(t.Context(), group.Key); return err }, false},
		{"get many", func() error { _, err := s.GetMany(t.Context(), []server.Key{user(1).Key, user(2).Key}); return err }, false},
		{"memberships", func() error { _, err := s.Memberships(t.Context(), "", []string{"u1"}); return err }, false},
		{"memberships of many", func() error { _, err := s.Memberships(t.Context(), "", []string{"u1", "u2", "u7"}); return err }, false},
		{"update", func() error {
			r := user(3)
			r.Version = "v2"
			return s.Update(t.Context(), server.Update{Resource: r, IfVersion: "v1"})
		}, false},
		{"member added", func() error {
			return add(t, s, "u3")
		}, false},
		{"members replaced", func() error {
			change := server.MemberChange{Reset: true, Add: []map[string]any{{"value": "u2"}, {"value": "u5"}}}
			_, err := s.UpdateMembers(t.Context(), server.MemberUpdate{Resource: version(group, "v9"), MemberChange: change})
			return err
		}, false},
		{"delete", func() error { return s.Delete(t.Context(), user(9).Key, "") }, false},
		{"id eq", ask(query(t, "User", `id eq "u1"`)), false},
		{"userName eq", ask(query(t, "User", `userName eq "USER1@example.com"`)), false},
		{"userName sw", ask(query(t, "User", `userName sw "user11"`)), false},
		{"externalId eq", ask(query(t, "User", `externalId eq "E1"`)), false},
		{"displayName eq of a group", ask(query(t, "Group", `displayName eq "group"`)), false},
		{"meta.lastModified gt", ask(query(t, "User", `meta.lastModified gt "2026-12-31T00:00:00Z"`)), false},
		{"userName sw, ordered", ask(ordered(query(t, "User", `userName sw "user11"`), "userName")), false},
		{"emails.value eq", ask(query(t, "User", `emails.value eq "user1@example.com"`)), false},
		{"emails eq", ask(query(t, "User", `emails eq "user1@example.com"`)), false},
		{"value path", ask(query(t, "User", `emails[type eq "work" and value eq "user1@example.com"]`)), false},
		{"and", ask(query(t, "User", `active eq true and userName eq "user1@example.com"`)), false},
		{"or", ask(query(t, "User", `externalId eq "E1" or userName eq "user2@example.com" or id eq "u7"`)), false},
		{"members.value eq", ask(query(t, "Group", `members.value eq "u1"`)), false},
		{"members[value eq]", ask(query(t, "Group", `members[value eq "u1"]`)), false},
		{"title eq", ask(query(t, "User", `title eq "Engineer"`)), true},
		{"not", ask(query(t, "User", `not (userName eq "user1@example.com")`)), true},
		{"without index", ask(query(t, "User", scim.EnterpriseUserSchema+`:employeeNumber eq "1"`)), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := statements(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := tt.do(); err != nil {
				t.Fatal(err)
			}
			list, err := statements(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			all := false
			for _, st := range list {
				if looksAtAll(st) {
					all = true
					if !tt.all {
						t.Errorf("a statement without index:\n%s\n%s", st.Text, strings.Join(st.Plan, "\n"))
					}
				}
			}
			if tt.all && !all {
				t.Errorf("no statement looks at all, which this test should have seen: %v", list)
			}
		})
	}
}

// What was stored before an attribute was indexed is looked at one by one until it is indexed, too.
func TestReindex(t *testing.T) {
	number := scim.EnterpriseUserSchema + ":employeeNumber"
	file := open(t, filepath.Join(t.TempDir(), "scim.db"))
	create(t, file, user(1), user(2))
	s, statements := file.Record(number)
	looked := func() bool {
		t.Helper()
		page, err := s.Query(t.Context(), query(t, "User", number+` eq "2"`))
		if err != nil || len(page.Resources) != 1 || page.Resources[0].ID != "u2" {
			t.Errorf("got %v, %v", page, err)
		}
		list, err := statements(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(list, func(st sqlite.Statement) bool {
			return strings.Contains(st.Text, "r.document") && (strings.Contains(st.Text, "r.shape <") || looksAtAll(st))
		})
	}
	if !looked() {
		t.Error("an index is trusted that does not have all resources")
	}
	if err := s.Reindex(t.Context(), "User", schema.User()); err != nil {
		t.Fatal(err)
	}
	if _, err := statements(t.Context()); err != nil {
		t.Fatal(err)
	}
	if looked() {
		t.Error("the index does not serve after Reindex")
	}
}

func version(r server.Resource, v string) server.Resource {
	return server.Resource{Key: r.Key, Version: v, Schema: r.Schema}
}

// add adds a member to the group g1.
func add(t testing.TB, s *sqlite.Store, member string) error {
	t.Helper()
	_, err := s.UpdateMembers(t.Context(), server.MemberUpdate{
		Resource:     server.Resource{Key: server.Key{Type: "Group", ID: "g1"}, Version: "with " + member, Schema: schema.Group()},
		MemberChange: server.MemberChange{Add: []map[string]any{{"value": member, "type": "User"}}},
	})
	return err
}

func TestAddingAMemberWritesOneOfThem(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "scim.db"))
	members := make([]any, 100_000)
	for n := range members {
		members[n] = map[string]any{"value": fmt.Sprintf("u%d", n)}
	}
	create(t, s, resource("Group", "g1", scim.Document{"displayName": "Everybody", "members": members}))
	before, err := s.Changes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := add(t, s, "new"); err != nil {
		t.Fatal(err)
	}
	after, err := s.Changes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if after-before != 2 { // the member, and the group with its version
		t.Errorf("%d rows were written, want 2", after-before)
	}
	r, err := s.Get(t.Context(), server.Key{Type: "Group", ID: "g1"})
	if err != nil {
		t.Fatal(err)
	}
	list, _ := r.Document[server.Members].([]any)
	if len(list) != len(members)+1 {
		t.Errorf("the group has %d members, want %d", len(list), len(members)+1)
	}
}

// Without members nothing is asked of their table.
func TestMembersAreNotReadWhenTheyAreOmitted(t *testing.T) {
	s, statements := open(t, filepath.Join(t.TempDir(), "scim.db")).Record()
	create(t, s, resource("Group", "g1", scim.Document{"displayName": "Group", "members": []any{map[string]any{"value": "u1"}}}))
	if _, err := statements(t.Context()); err != nil {
		t.Fatal(err)
	}
	key := server.Key{Type: "Group", ID: "g1"}
	if _, err := s.Get(t.Context(), key, server.Members); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", `displayName sw "G"`, `displayName co "r"`} {
		if page, err := s.Query(t.Context(), query(t, "Group", text)); err != nil || len(page.Resources) != 1 {
			t.Fatalf("filter %q: %v, %v", text, page, err)
		}
	}
	if _, err := s.GetMany(t.Context(), []server.Key{key}, server.Members); err != nil {
		t.Fatal(err)
	}
	list, err := statements(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range list {
		if strings.Contains(st.Text, "FROM members") {
			t.Errorf("members are read: %s", st.Text)
		}
	}
}
