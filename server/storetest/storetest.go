package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

// Run tests stores that open returns: an empty one for every call.
func Run(t *testing.T, open func(t *testing.T) server.Store) {
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			c.run(&fixture{TB: t, store: open(t), ctx: t.Context()})
		})
	}
}

// check is one promise of a store.
type check struct {
	name string
	run  func(*fixture)
}

func checks() []check {
	return []check{
		{"create then get", testCreate},
		{"create refuses an id that is there", testCreateExists},
		{"get leaves out nothing but what may be omitted", testOmit},
		{"unique values are refused to others", testUnique},
		{"unique values are free again", testUniqueFreed},
		{"unique scopes do not meet", testUniqueScopes},
		{"documents are not changed by the store", testGivenDocuments},
		{"update replaces the document", testUpdate},
		{"update needs the version", testUpdateVersion},
		{"update changes nothing when a value is taken", testUpdateTaken},
		{"update keeps what was not loaded", testKeep},
		{"delete", testDelete},
		{"ids are free again", testRecreate},
		{"what was read stays as it was", testSnapshot},
		{"tenants do not see each other", testTenants},
		{"types do not meet", testTypes},
		{"keys are what they are, byte by byte", testKeys},
		{"query filters", testFilters},
		{"query filters by what has changed", testFiltersFollowChanges},
		{"query pages by index", testIndexPages},
		{"query pages by cursor", testCursorPages},
		{"query orders", testOrder},
		{"equal resources are in the order of creation", testOrderOfCreation},
		{"query shows views", testView},
		{"pages by cursor have what stays exactly once", testCursorUnderChange},
		{"compare and swap loses no update", testConcurrentUpdates},
		{"readers see whole changes", testConcurrentReads},
		{"unique holds between concurrent creates", testConcurrentCreates},
		{"an id is created once", testConcurrentCreatesOfOneID},
		{"a cancelled context ends calls", testContext},
		{"members are added and removed", testMembers},
		{"members and document change together", testMembersWithDocument},
		{"members change under a version", testMembersUnderVersion},
		{"members change nothing else", testMembersAlone},
		{"members are counted", testCountMembers},
		{"members are found", testMemberships},
		{"memberships say the type of the member", testMembershipTypes},
		{"concurrent member changes are all kept", testConcurrentMembers},
		{"get many", testGetMany},
	}
}

func testCreate(f *fixture) {
	r := f.create(user("u1"), scim.Document{
		"userName": "Anna B", "active": true, "name": map[string]any{"givenName": "A"},
		"emails":                  []any{map[string]any{"value": "a@example.com", "primary": true}},
		scim.EnterpriseUserSchema: map[string]any{"department": "R&D"},
		"x":                       []any{int64(9007199254740993), 1.5, false, "é\u0000"},
	}, userName("anna b"))
	f.wantResource(r, f.get(user("u1")))
	_, err := f.store.Get(f.ctx, user("u2"))
	f.wantError(server.ErrNotFound, err)
	_, err = f.store.Get(f.ctx, group("u1"))
	f.wantError(server.ErrNotFound, err)
}

func testCreateExists(f *fixture) {
	r := f.create(user("u1"), scim.Document{"userName": "a"})
	f.wantError(server.ErrExists, f.store.Create(f.ctx, f.resource(user("u1"), scim.Document{"userName": "b"})))
	f.wantResource(r, f.get(user("u1")))
}

func testOmit(f *fixture) {
	whole := f.create(group("g1"), members("u1", "u2")).Document.Clone()
	got := f.get(group("g1"), "members")
	if got.Document["displayName"] != "group" || got.ID != "g1" || got.Version == "" {
		f.Errorf("got %v", got)
	}
	if _, ok := f.store.(server.MemberStore); ok && got.Document["members"] != nil {
		f.Errorf("a MemberStore returned members that were to be omitted")
	}
	page := f.run(server.Query{Type: "Group", Schema: schema.Group(), Limit: 1, Omit: []string{"members"}})
	if len(page.Resources) != 1 || page.Resources[0].Document["displayName"] != "group" {
		f.Errorf("got %v", page)
	} else if _, ok := f.store.(server.MemberStore); ok && page.Resources[0].Document["members"] != nil {
		f.Errorf("a MemberStore returned members that were to be omitted from a query")
	}
	if diff := cmp.Diff(whole, f.get(group("g1")).Document); diff != "" {
		f.Errorf("what was omitted once is gone (-want +got):\n%s", diff)
	}
}

func testUnique(f *fixture) {
	f.create(user("u1"), scim.Document{"userName": "a"}, userName("a"))
	f.wantTaken("userName", f.store.Create(f.ctx, f.resource(user("u2"), scim.Document{"userName": "a"}, userName("a"))))
	_, err := f.store.Get(f.ctx, user("u2"))
	f.wantError(server.ErrNotFound, err)
	other := f.create(user("u2"), scim.Document{"userName": "b"}, userName("b"))
	f.wantTaken("userName", f.store.Update(f.ctx, server.Update{
		Resource: f.resource(user("u2"), scim.Document{"userName": "a"}, userName("a")), IfVersion: other.Version,
	}))
	f.wantResource(other, f.get(user("u2")))
	kept := f.resource(user("u2"), scim.Document{"userName": "b", "title": "T"}, userName("b"))
	if err := f.store.Update(f.ctx, server.Update{Resource: kept, IfVersion: other.Version}); err != nil {
		f.Errorf("update of a resource that keeps its own unique value: %v", err)
	}
}

func testUniqueFreed(f *fixture) {
	r := f.create(user("u1"), scim.Document{"userName": "a"}, userName("a"))
	renamed := f.resource(user("u1"), scim.Document{"userName": "b"}, userName("b"))
	if err := f.store.Update(f.ctx, server.Update{Resource: renamed, IfVersion: r.Version}); err != nil {
		f.Fatal(err)
	}
	f.create(user("u2"), scim.Document{"userName": "a"}, userName("a"))
	if err := f.store.Delete(f.ctx, user("u1"), ""); err != nil {
		f.Fatal(err)
	}
	f.create(user("u3"), scim.Document{"userName": "b"}, userName("b"))
}

func testUniqueScopes(f *fixture) {
	f.create(user("u1"), nil, server.Unique{Scope: "User", Attribute: "a", Value: "x"})
	f.create(group("g1"), nil, server.Unique{Scope: "Group", Attribute: "a", Value: "x"})
	f.create(user("u2"), nil, server.Unique{Scope: "User", Attribute: "b", Value: "x"})
	f.create(user("u3"), nil, server.Unique{Scope: "User", Attribute: "a", Value: "X"})
	f.create(user("u4"), nil, server.Unique{Attribute: "a", Value: "x"})
	f.wantTaken("a", f.store.Create(f.ctx, f.resource(group("g2"), nil, server.Unique{Attribute: "a", Value: "x"})))
}

func testGivenDocuments(f *fixture) {
	r := f.resource(group("g1"), members("u1", "u1", "u2"))
	given := r.Document.Clone()
	if err := f.store.Create(f.ctx, r); err != nil {
		f.Fatal(err)
	}
	if diff := cmp.Diff(given, r.Document); diff != "" {
		f.Errorf("Create has changed the document that it was given (-want +got):\n%s", diff)
	}
	changed := f.resource(group("g1"), members("u2", "u3"))
	given = changed.Document.Clone()
	if err := f.store.Update(f.ctx, server.Update{Resource: changed, IfVersion: r.Version}); err != nil {
		f.Fatal(err)
	}
	if diff := cmp.Diff(given, changed.Document); diff != "" {
		f.Errorf("Update has changed the document that it was given (-want +got):\n%s", diff)
	}
}

func testUpdate(f *fixture) {
	r := f.create(user("u1"), scim.Document{"userName": "a", "title": "T"})
	changed := f.resource(user("u1"), scim.Document{"userName": "a", "nickName": "N"})
	if err := f.store.Update(f.ctx, server.Update{Resource: changed, IfVersion: r.Version}); err != nil {
		f.Fatal(err)
	}
	f.wantResource(changed, f.get(user("u1")))
}

func testUpdateVersion(f *fixture) {
	r := f.create(user("u1"), scim.Document{"userName": "a"})
	changed := f.resource(user("u1"), scim.Document{"userName": "b"})
	f.wantError(server.ErrVersion, f.store.Update(f.ctx, server.Update{Resource: changed, IfVersion: "other"}))
	f.wantResource(r, f.get(user("u1")))
	missing := f.resource(user("u2"), scim.Document{"userName": "b"})
	f.wantError(server.ErrNotFound, f.store.Update(f.ctx, server.Update{Resource: missing, IfVersion: r.Version}))
}

func testUpdateTaken(f *fixture) {
	f.create(user("u1"), scim.Document{"userName": "a"}, userName("a"))
	r := f.create(user("u2"), scim.Document{"userName": "b"}, userName("b"))
	err := f.store.Update(f.ctx, server.Update{
		Resource:  f.resource(user("u2"), scim.Document{"userName": "c"}, userName("c"), userName("a")),
		IfVersion: r.Version,
	})
	f.wantTaken("userName", err)
	f.wantResource(r, f.get(user("u2")))
	f.create(user("u3"), scim.Document{"userName": "c"}, userName("c"))
	f.wantTaken("userName", f.store.Create(f.ctx, f.resource(user("u4"), nil, userName("b"))))
}

func testKeep(f *fixture) {
	r := f.create(group("g1"), members("u1", "u2"))
	read := f.get(group("g1"), "members")
	if read.Document["members"] != nil {
		f.Skip("the store leaves nothing out")
	}
	renamed := f.resource(group("g1"), scim.Document{"displayName": "renamed"})
	if err := f.store.Update(f.ctx, server.Update{Resource: renamed, IfVersion: r.Version, Keep: []string{"members"}}); err != nil {
		f.Fatal(err)
	}
	got := f.get(group("g1"))
	if diff := cmp.Diff([]any{element("u1"), element("u2")}, got.Document["members"]); diff != "" {
		f.Errorf("members (-want +got):\n%s", diff)
	}
	if got.Document["displayName"] != "renamed" {
		f.Errorf("got displayName %v", got.Document["displayName"])
	}
}

func testDelete(f *fixture) {
	r := f.create(user("u1"), scim.Document{"userName": "a"})
	f.wantError(server.ErrVersion, f.store.Delete(f.ctx, user("u1"), "other"))
	f.wantResource(r, f.get(user("u1")))
	if err := f.store.Delete(f.ctx, user("u1"), r.Version); err != nil {
		f.Fatal(err)
	}
	_, err := f.store.Get(f.ctx, user("u1"))
	f.wantError(server.ErrNotFound, err)
	f.wantError(server.ErrNotFound, f.store.Delete(f.ctx, user("u1"), ""))
	late := f.resource(user("u1"), scim.Document{"userName": "a"})
	f.wantError(server.ErrNotFound, f.store.Update(f.ctx, server.Update{Resource: late, IfVersion: r.Version}))
	f.wantPage(f.query(""), 0)
	f.wantPage(f.query(`userName eq "a"`), 0)
}

func testRecreate(f *fixture) {
	f.create(user("u1"), scim.Document{"userName": "a", "title": "T"}, userName("a"))
	f.create(user("u2"), scim.Document{"userName": "b"}, userName("b"))
	if err := f.store.Delete(f.ctx, user("u1"), ""); err != nil {
		f.Fatal(err)
	}
	again := f.create(user("u1"), scim.Document{"userName": "c"}, userName("c"))
	f.wantResource(again, f.get(user("u1")))
	f.wantPage(f.query(""), 2, "u2", "u1")
	f.wantPage(f.query(`title pr`), 0)
}

func testSnapshot(f *fixture) {
	r := f.create(group("g1"), members("u1"))
	before := f.get(group("g1"))
	page := f.run(f.queryOf("Group", schema.Group(), ""))
	copied := before.Document.Clone()
	changed := f.resource(group("g1"), members("u2", "u3"))
	if err := f.store.Update(f.ctx, server.Update{Resource: changed, IfVersion: r.Version}); err != nil {
		f.Fatal(err)
	}
	for _, read := range []server.Resource{before, page.Resources[0]} {
		if diff := cmp.Diff(copied, read.Document); diff != "" {
			f.Errorf("a document was changed after it was read (-want +got):\n%s", diff)
		}
	}
}

func testTenants(f *fixture) {
	f.create(server.Key{Tenant: "a", Type: "User", ID: "u1"}, scim.Document{"userName": "x"}, userName("x"))
	b := f.create(server.Key{Tenant: "b", Type: "User", ID: "u1"}, scim.Document{"userName": "x", "title": "b"}, userName("x"))
	_, err := f.store.Get(f.ctx, user("u1"))
	f.wantError(server.ErrNotFound, err)
	f.wantError(server.ErrNotFound, f.store.Delete(f.ctx, user("u1"), ""))
	f.wantError(server.ErrNotFound, f.store.Update(f.ctx, server.Update{Resource: f.resource(user("u1"), nil), IfVersion: b.Version}))
	f.wantResource(b, f.get(b.Key))
	f.wantPage(f.query(""), 0)
	q := f.query(`userName eq "x"`)
	q.Tenant = "b"
	page := f.wantPage(q, 1, "u1")
	if len(page.Resources) == 1 {
		f.wantResource(b, page.Resources[0])
	}
	if err := f.store.Delete(f.ctx, server.Key{Tenant: "a", Type: "User", ID: "u1"}, ""); err != nil {
		f.Fatal(err)
	}
	f.wantPage(q, 1, "u1")
	if m, ok := f.store.(server.MemberStore); ok {
		f.create(server.Key{Tenant: "b", Type: "Group", ID: "g1"}, members("u1"))
		groups, err := m.Memberships(f.ctx, "a", []string{"u1"})
		if err != nil || len(groups["u1"]) != 0 {
			f.Errorf("tenant a got memberships %v, %v", groups, err)
		}
		_, err = m.UpdateMembers(f.ctx, server.MemberUpdate{
			Resource: server.Resource{Key: group("g1"), Version: f.version()}, Modified: epoch, MemberChange: server.MemberChange{Add: elements("u2")},
		})
		f.wantError(server.ErrNotFound, err)
		q := f.queryOf("Group", schema.Group(), `members.value eq "u1"`)
		f.wantPage(q, 0)
		q.Tenant = "b"
		f.wantPage(q, 1, "g1")
	}
}

// A user and a group have one id.
func testTypes(f *fixture) {
	u := f.create(user("1"), scim.Document{"userName": "a", "displayName": "both"})
	g := f.create(group("1"), scim.Document{"displayName": "both"})
	f.wantPage(f.query(`displayName eq "both"`), 1, "1")
	f.wantPage(f.query(""), 1, "1")
	f.wantPage(f.queryOf("Group", schema.Group(), `id eq "1"`), 1, "1")
	changed := f.resource(group("1"), scim.Document{"displayName": "changed"})
	if err := f.store.Update(f.ctx, server.Update{Resource: changed, IfVersion: g.Version}); err != nil {
		f.Error(err)
	}
	f.wantResource(u, f.get(user("1")))
	if err := f.store.Delete(f.ctx, group("1"), ""); err != nil {
		f.Error(err)
	}
	f.wantResource(u, f.get(user("1")))
	_, err := f.store.Get(f.ctx, group("1"))
	f.wantError(server.ErrNotFound, err)
}

// Keys that a store could take for each other: in another case, with spaces, and joined with a separator.
func testKeys(f *fixture) {
	keys := []server.Key{
		user("u1"), user("U1"), user("u1 "), user(" u1"), user("ü1"), user("u\u03081"), user("u%1"), user("u_1"), user("u'1"), user(`u"\1`),
		{Tenant: "t", Type: "User", ID: "u1"},
		{Tenant: "T", Type: "User", ID: "u1"},
		{Tenant: "t ", Type: "User", ID: "u1"},
	}
	for _, separator := range []string{"", "/", ":", "|", ".", "-"} {
		keys = append(keys,
			server.Key{Tenant: "a" + separator + "User" + separator + "b", Type: "User", ID: "c" + separator},
			server.Key{Tenant: "a", Type: "User", ID: "b" + separator + "User" + separator + "c" + separator})
	}
	created := make([]server.Resource, len(keys))
	inTenant := map[string][]string{}
	for i, key := range keys {
		created[i] = f.create(key, scim.Document{"userName": "same"}, userName(key.ID))
		inTenant[key.Tenant] = append(inTenant[key.Tenant], key.ID)
	}
	for i, key := range keys {
		f.wantResource(created[i], f.get(key))
		q := f.query("")
		q.Tenant = key.Tenant
		f.wantPage(q, len(inTenant[key.Tenant]), inTenant[key.Tenant]...)
	}
	for i, key := range keys {
		if err := f.store.Delete(f.ctx, key, ""); err != nil {
			f.Errorf("delete %+v: %v", key, err)
		}
		if i+1 < len(keys) {
			f.wantResource(created[i+1], f.get(keys[i+1]))
		}
	}
}

// people creates the users that queries are tested on, in this order.
func people(f *fixture) {
	f.user("u1", scim.Document{
		"userName": "Anna@example.com", "displayName": "Anna", "externalId": "E1", "active": true, "title": "Engineer",
		"emails": []any{
			map[string]any{"value": "anna@home.example", "type": "home"},
			map[string]any{"value": "anna@work.example", "type": "work", "primary": true},
		},
		scim.EnterpriseUserSchema: map[string]any{"department": "R&D", "employeeNumber": "7"},
	})
	f.user("u2", scim.Document{
		"userName": "bert@example.com", "displayName": "bert", "externalId": "e1", "active": false,
		"emails": []any{map[string]any{"value": "bert@work.example", "type": "work"}},
	})
	f.user("u3", scim.Document{"userName": "straße@example.com", "displayName": "Anna", "name": map[string]any{"familyName": "O'Neil \"x\""}})
	f.user("u4", scim.Document{"userName": "dora@example.com", "title": "engineer", "active": true})
}

func testFilters(f *fixture) {
	people(f)
	tests := []struct {
		filter string
		want   []string
	}{
		{`userName eq "anna@EXAMPLE.com"`, []string{"u1"}},
		{`userName eq "STRASSE@example.com"`, nil},
		{`userName eq "STRAßE@example.com"`, []string{"u3"}},
		{`userName eq "nobody"`, nil},
		{`externalId eq "e1"`, []string{"u2"}},
		{`externalId eq "E1"`, []string{"u1"}},
		{`id eq "u3"`, []string{"u3"}},
		{`id eq "U3"`, nil},
		{`displayName eq "anna"`, []string{"u1", "u3"}},
		{`displayName sw "an"`, []string{"u1", "u3"}},
		{`emails.value eq "anna@work.example"`, []string{"u1"}},
		{`emails eq "anna@work.example"`, []string{"u1"}},
		{`emails[type eq "work" and value eq "anna@work.example"]`, []string{"u1"}},
		{`emails[type eq "home" and value eq "anna@work.example"]`, nil},
		{`emails[type eq "work"]`, []string{"u1", "u2"}},
		{`emails co "work"`, []string{"u1", "u2"}},
		{`not (emails pr)`, []string{"u3", "u4"}},
		{`active eq true and title eq "engineer"`, []string{"u1", "u4"}},
		{`active ne true`, []string{"u2", "u3"}},
		{`userName eq "anna@example.com" or userName eq "dora@example.com"`, []string{"u1", "u4"}},
		{`userName eq "anna@example.com" or title pr`, []string{"u1", "u4"}},
		{`displayName eq "anna" and not (userName sw "anna")`, []string{"u3"}},
		{`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "r&d"`, []string{"u1"}},
		{`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber ge "7"`, []string{"u1"}},
		{`name.familyName eq "o'neil \"x\""`, []string{"u3"}},
		{`meta.created lt "2026-01-02T04:04:05.1+01:00"`, []string{"u1", "u2", "u3", "u4"}},
		{`meta.created gt "2026-01-02T03:04:05Z"`, nil},
		{`userName co "@example.com" and userName gt "b"`, []string{"u2", "u3", "u4"}},
		{`userName eq "anna@example.com" and displayName eq "bert"`, nil},
	}
	for _, tt := range tests {
		f.wantPage(f.query(tt.filter), len(tt.want), tt.want...)
		q := f.query(tt.filter)
		q.Limit, q.Offset = 1, 1
		f.wantPage(q, len(tt.want), tt.want[min(1, len(tt.want)):min(2, len(tt.want))]...)
	}
	f.create(group("g1"), members("u1", "u2"))
	f.create(group("g2"), scim.Document{"displayName": "empty"})
	f.wantPage(f.queryOf("Group", schema.Group(), `members.value eq "u2"`), 1, "g1")
	f.wantPage(f.queryOf("Group", schema.Group(), `members[value eq "u2" and type eq "user"]`), 1, "g1")
	f.wantPage(f.queryOf("Group", schema.Group(), `members[value eq "u3"]`), 0)
	f.wantPage(f.queryOf("Group", schema.Group(), `not (members pr)`), 1, "g2")
	f.wantPage(f.queryOf("Group", schema.Group(), `members.type eq "User" and displayName sw "gr"`), 1, "g1")
}

func testFiltersFollowChanges(f *fixture) {
	people(f)
	old := f.get(user("u1"))
	changed := f.resource(user("u1"), scim.Document{"userName": "new", "emails": []any{map[string]any{"value": "new@example.com"}}})
	if err := f.store.Update(f.ctx, server.Update{Resource: changed, IfVersion: old.Version}); err != nil {
		f.Fatal(err)
	}
	f.wantPage(f.query(`userName eq "anna@example.com"`), 0)
	f.wantPage(f.query(`userName eq "new"`), 1, "u1")
	f.wantPage(f.query(`displayName eq "anna"`), 1, "u3")
	f.wantPage(f.query(`emails.value eq "anna@home.example"`), 0)
	f.wantPage(f.query(`emails.value eq "NEW@example.com"`), 1, "u1")
	f.wantPage(f.query(""), 4, "u1", "u2", "u3", "u4")

	// With many values, each of which there is twice, stores may go other ways.
	for _, first := range []int{0, 150, 160, 500} {
		var emails []any
		for n := first; n < first+200; n++ {
			e := map[string]any{"value": fmt.Sprintf("n%d@example.com", n)}
			emails = append(emails, e, e)
		}
		next := f.resource(user("u1"), scim.Document{"userName": "new", "emails": emails})
		if err := f.store.Update(f.ctx, server.Update{Resource: next, IfVersion: changed.Version}); err != nil {
			f.Fatal(err)
		}
		changed = next
		for _, n := range []int{0, 149, 150, 151, 159, 160, 199, 349, 350, 359, 360, 500, 699, 700} {
			total, want := 0, []string{}
			if first <= n && n < first+200 {
				total, want = 1, []string{"u1"}
			}
			f.wantPage(f.query(fmt.Sprintf(`emails.value eq "N%d@example.com"`, n)), total, want...)
		}
	}
}

func testIndexPages(f *fixture) {
	people(f)
	q := f.query("")
	for _, tt := range []struct {
		offset, limit int
		want          []string
	}{
		{0, 2, []string{"u1", "u2"}},
		{2, 2, []string{"u3", "u4"}},
		{3, 5, []string{"u4"}},
		{4, 5, nil},
		{1 << 40, 5, nil},
		{1, 0, nil},
	} {
		q.Offset, q.Limit = tt.offset, tt.limit
		f.wantPage(q, 4, tt.want...)
	}
}

// pages reads all pages of a query. Between two it calls between, with the number and the ids of the first.
func pages(f *fixture, q server.Query, between func(page int, ids []string)) [][]string {
	f.Helper()
	var all [][]string
	for n := 1; ; n++ {
		page := f.run(q)
		all = append(all, ids(page.Resources))
		if page.Next == "" {
			return all
		}
		if n > 100 {
			f.Fatal("the pages never end")
		}
		q.After = page.Next
		between(n, ids(page.Resources))
	}
}

func testCursorPages(f *fixture) {
	people(f)
	for _, tt := range []struct {
		filter string
		order  server.Order
		want   [][]string
	}{
		{"", server.Order{}, [][]string{{"u1", "u2"}, {"u3", "u4"}}},
		{`displayName eq "anna" or title pr`, server.Order{}, [][]string{{"u1", "u3"}, {"u4"}}},
		{"", f.order("displayName", false), [][]string{{"u1", "u3"}, {"u2", "u4"}}},
		{"", f.order("displayName", true), [][]string{{"u4", "u2"}, {"u1", "u3"}}},
		{`userName co "@"`, f.order("title", false), [][]string{{"u1", "u4"}, {"u2", "u3"}}},
	} {
		q := f.query(tt.filter)
		q.Order, q.Limit = tt.order, 2
		if diff := cmp.Diff(tt.want, pages(f, q, func(int, []string) {})); diff != "" {
			f.Errorf("filter %q, %s (-want +got):\n%s", tt.filter, describe(tt.order), diff)
		}
		one, single := q, [][]string{}
		for _, id := range slices.Concat(tt.want...) {
			single = append(single, []string{id})
		}
		one.Limit = 1
		if diff := cmp.Diff(single, pages(f, one, func(int, []string) {})); diff != "" {
			f.Errorf("pages of one, filter %q, %s (-want +got):\n%s", tt.filter, describe(tt.order), diff)
		}
		total := f.run(q).Total
		if q.After = f.run(q).Next; q.After != "" && f.run(q).Total != total {
			f.Errorf("filter %q, %s: the second page has total %d, the first %d", tt.filter, describe(tt.order), f.run(q).Total, total)
		}
	}
}

func testOrder(f *fixture) {
	people(f)
	for _, tt := range []struct {
		path       string
		descending bool
		want       []string
	}{
		{"userName", false, []string{"u1", "u2", "u4", "u3"}},
		{"userName", true, []string{"u3", "u4", "u2", "u1"}},
		{"externalId", false, []string{"u1", "u2", "u3", "u4"}},
		{"displayName", false, []string{"u1", "u3", "u2", "u4"}},
		{"displayName", true, []string{"u4", "u2", "u1", "u3"}},
		{"active", false, []string{"u2", "u1", "u4", "u3"}},
		{"emails.value", true, []string{"u3", "u4", "u2", "u1"}},
		{"name.familyName", false, []string{"u3", "u1", "u2", "u4"}},
		{"meta.created", true, []string{"u1", "u2", "u3", "u4"}},
	} {
		q := f.query("")
		q.Order = f.order(tt.path, tt.descending)
		f.wantPage(q, 4, tt.want...)
		q.Offset, q.Limit = 1, 2
		f.wantPage(q, 4, tt.want[1:3]...)
	}
	q := f.query(`displayName eq "anna"`)
	q.Order = f.order("userName", true)
	f.wantPage(q, 2, "u3", "u1")
}

// The ids are in another order.
func testOrderOfCreation(f *fixture) {
	want := []string{"m", "z", "a", "Q"}
	for _, id := range want {
		f.user(id, scim.Document{"displayName": "same"})
	}
	for _, q := range []server.Query{f.query(""), f.query(`displayName eq "same"`), f.query(`displayName co "a"`)} {
		for _, order := range []server.Order{{}, f.order("displayName", false), f.order("displayName", true), f.order("title", false)} {
			q.Order, q.Offset, q.Limit = order, 0, 10
			f.wantPage(q, 4, want...)
			q.Offset, q.Limit = 1, 2
			f.wantPage(q, 4, want[1:3]...)
			q.Offset, q.Limit = 0, 3
			if diff := cmp.Diff([][]string{want[:3], want[3:]}, pages(f, q, func(int, []string) {})); diff != "" {
				f.Errorf("pages, filter %q, %s (-want +got):\n%s", q.Filter, describe(order), diff)
			}
		}
	}
}

func testView(f *fixture) {
	people(f)
	f.create(group("g1"), members("u1"))
	q := f.query(`nickName eq "has no title"`)
	q.View = func(_ context.Context, r server.Resource) (scim.Document, error) {
		doc := r.Document.Clone()
		if doc["title"] == nil {
			doc["nickName"] = "has no title"
		}
		return doc, nil
	}
	f.wantPage(q, 2, "u2", "u3")
	failure := errors.New("view failed")
	q.View = func(context.Context, server.Resource) (scim.Document, error) { return nil, failure }
	_, err := f.store.Query(f.ctx, q)
	f.wantError(failure, err)
	q = f.queryOf("Group", schema.Group(), `members.display eq "u1@example.com"`)
	f.wantPage(q, 0)
	q.Omit = []string{"members"}
	q.View = func(ctx context.Context, r server.Resource) (scim.Document, error) {
		doc := r.Document.Clone()
		list, _ := doc["members"].([]any)
		for _, e := range list {
			id, _ := server.MemberValue(e)
			member, err := f.getWithin(ctx, user(id))
			if err != nil {
				return nil, err
			}
			e.(map[string]any)["display"] = member.Document["userName"]
		}
		return doc, nil
	}
	f.user("u9", nil)
	f.create(group("g2"), members("u9"))
	f.wantPage(q, 0)
	old := f.get(user("u1"))
	renamed := f.resource(user("u1"), scim.Document{"userName": "u1@example.com"})
	if err := f.store.Update(f.ctx, server.Update{Resource: renamed, IfVersion: old.Version}); err != nil {
		f.Fatal(err)
	}
	f.wantPage(q, 1, "g1")
}

// patience is how long a store may take for what does not wait.
var patience = 30 * time.Second

// getWithin is Get for a View, which hangs when the store holds a lock.
func (f *fixture) getWithin(ctx context.Context, key server.Key) (r server.Resource, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r, err = f.store.Get(ctx, key)
	}()
	select {
	case <-done:
		return r, err
	case <-time.After(patience):
		return server.Resource{}, errors.New("a View called Get, which hangs: Query holds a lock while it calls View")
	}
}

func testCursorUnderChange(f *fixture) {
	for _, order := range []server.Order{{}, f.order("displayName", false)} {
		tenant := "t" + fmt.Sprint(order.Attribute != nil)
		key := func(n int) server.Key { return server.Key{Tenant: tenant, Type: "User", ID: fmt.Sprintf("u%02d", n)} }
		for n := range 20 {
			f.create(key(n), scim.Document{"displayName": fmt.Sprintf("name %02d", n)})
		}
		q := f.query("")
		q.Tenant, q.Order, q.Limit = tenant, order, 3
		deleted := map[string]bool{}
		var seen []string
		for _, page := range pages(f, q, func(page int, ids []string) {
			f.create(key(100+page), scim.Document{"displayName": "aaa"})
			// One that is still to come, and the last of the page, with which the next begins.
			for _, id := range slices.Compact([]string{key(20 - page).ID, ids[len(ids)-1]}) {
				if deleted[id] {
					continue
				}
				if err := f.store.Delete(f.ctx, server.Key{Tenant: tenant, Type: "User", ID: id}, ""); err != nil {
					f.Fatalf("delete %s: %v", id, err)
				}
				deleted[id] = true
			}
		}) {
			seen = append(seen, page...)
		}
		for n := range 20 {
			id := key(n).ID
			count := len(slices.DeleteFunc(slices.Clone(seen), func(s string) bool { return s != id }))
			if !deleted[id] && count != 1 {
				f.Errorf("%s: %s is in the pages %d times, want once", describe(order), id, count)
			}
		}
	}
}

func testConcurrentUpdates(f *fixture) {
	f.create(user("u1"), scim.Document{"n": int64(0)})
	const workers, each = 8, 25
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range workers {
		wg.Go(func() {
			for range each {
				for {
					r, err := f.store.Get(f.ctx, user("u1"))
					if err != nil {
						f.Error(err)
						return
					}
					n, _ := r.Document["n"].(int64)
					mu.Lock()
					next := f.resource(user("u1"), scim.Document{"n": n + 1})
					mu.Unlock()
					err = f.store.Update(f.ctx, server.Update{Resource: next, IfVersion: r.Version})
					if err == nil {
						break
					}
					if !errors.Is(err, server.ErrVersion) {
						f.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if n := f.get(user("u1")).Document["n"]; n != int64(workers*each) {
		f.Errorf("%d updates, each of them adding one, have succeeded, and the sum is %v", workers*each, n)
	}
}

// A reader sees a version with the document that has it.
func testConcurrentReads(f *fixture) {
	key := user("u1")
	attributes := func(version int) scim.Document {
		text := fmt.Sprint(version)
		return scim.Document{"userName": text, "title": text}
	}
	r := server.Resource{Key: key, Version: "0", Document: document("User", "u1", attributes(0)), Schema: schema.User()}
	if err := f.store.Create(f.ctx, r); err != nil {
		f.Fatal(err)
	}
	var wg sync.WaitGroup
	var ended atomic.Bool
	check := func(r server.Resource) {
		if r.Document["title"] != r.Version || r.Document["userName"] != r.Version {
			f.Errorf("version %s was read with the document %v", r.Version, r.Document)
			ended.Store(true)
		}
	}
	for range 2 {
		wg.Go(func() {
			for !ended.Load() {
				r, err := f.store.Get(f.ctx, key)
				if err != nil {
					f.Error(err)
					return
				}
				check(r)
				page, err := f.store.Query(f.ctx, server.Query{Type: "User", Schema: schema.User(), Limit: 10, Total: true})
				if err != nil || len(page.Resources) != 1 || page.Total != 1 {
					f.Errorf("a query while a resource changes: got %v of %d, %v, want it", ids(page.Resources), page.Total, err)
					return
				}
				check(page.Resources[0])
			}
		})
	}
	for n := 1; n <= 100 && !ended.Load(); n++ {
		r = server.Resource{Key: key, Version: fmt.Sprint(n), Document: document("User", "u1", attributes(n)), Schema: schema.User()}
		if err := f.store.Update(f.ctx, server.Update{Resource: r, IfVersion: fmt.Sprint(n - 1)}); err != nil {
			f.Error(err)
			break
		}
	}
	ended.Store(true)
	wg.Wait()
}

// rounds is how often a race is run.
const rounds = 10

// race creates resources at the same time, one of which is to succeed, and returns it. The others fail with what refused accepts.
func (f *fixture) race(refused func(error), resources []server.Resource) server.Resource {
	f.Helper()
	var start, wg sync.WaitGroup
	start.Add(1)
	errs := make([]error, len(resources))
	for n, r := range resources {
		wg.Go(func() {
			start.Wait()
			errs[n] = f.store.Create(f.ctx, r)
		})
	}
	start.Done()
	wg.Wait()
	var created []server.Resource
	for n, err := range errs {
		if err == nil {
			created = append(created, resources[n])
			continue
		}
		refused(err)
	}
	if len(created) != 1 {
		f.Fatalf("of %d creates at the same time %d succeeded, want 1", len(resources), len(created))
	}
	return created[0]
}

func testConcurrentCreatesOfOneID(f *fixture) {
	for round := range rounds {
		key := user(fmt.Sprintf("u%d", round))
		list := make([]server.Resource, 8)
		for n := range list {
			list[n] = f.resource(key, scim.Document{"userName": fmt.Sprintf("a%d", n)})
		}
		created := f.race(func(err error) { f.wantError(server.ErrExists, err) }, list)
		f.wantResource(created, f.get(key))
		f.wantPage(f.query(fmt.Sprintf("id eq %q", key.ID)), 1, key.ID)
	}
}

func testConcurrentCreates(f *fixture) {
	for round := range rounds {
		name := fmt.Sprintf("a%d", round)
		list := make([]server.Resource, 8)
		for n := range list {
			list[n] = f.resource(user(fmt.Sprintf("u%d-%d", round, n)), scim.Document{"userName": name}, userName(name))
		}
		created := f.race(func(err error) { f.wantTaken("userName", err) }, list)
		f.wantPage(f.query(fmt.Sprintf("userName eq %q", name)), 1, created.ID)
	}
}

func testContext(f *fixture) {
	r := f.create(user("u1"), scim.Document{"userName": "a"})
	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	_, err := f.store.Get(ctx, user("u1"))
	f.wantError(context.Canceled, err)
	_, err = f.store.Query(ctx, f.query(""))
	f.wantError(context.Canceled, err)
	f.wantError(context.Canceled, f.store.Create(ctx, f.resource(user("u2"), nil)))
	f.wantError(context.Canceled, f.store.Update(ctx, server.Update{Resource: f.resource(user("u1"), nil), IfVersion: r.Version}))
	f.wantError(context.Canceled, f.store.Delete(ctx, user("u1"), ""))
	f.wantResource(r, f.get(user("u1")))
	f.wantPage(f.query(""), 1, "u1")
}

func (f *fixture) memberStore() server.MemberStore {
	f.Helper()
	m, ok := f.store.(server.MemberStore)
	if !ok {
		f.Skip("not a MemberStore")
	}
	return m
}

// change applies a change of members.
func (f *fixture) change(m server.MemberStore, id string, c server.MemberChange) server.MemberResult {
	f.Helper()
	r, err := m.UpdateMembers(f.ctx, server.MemberUpdate{
		Resource: server.Resource{Key: group(id), Version: f.version()}, Modified: epoch.Add(time.Hour), MemberChange: c,
	})
	if err != nil {
		f.Fatalf("change members of %s: %v", id, err)
	}
	return r
}

func (f *fixture) wantMembers(id string, want ...string) {
	f.Helper()
	got := []string{}
	list, _ := f.get(group(id)).Document["members"].([]any)
	for _, e := range list {
		value, _ := server.MemberValue(e)
		got = append(got, value)
	}
	if !slices.Equal(got, want) {
		f.Errorf("group %s has the members %v, want %v", id, got, want)
	}
}

func testCountMembers(f *fixture) {
	m, ok := f.store.(server.MemberCounter)
	if !ok {
		f.Skip("not a MemberCounter")
	}
	f.create(group("g1"), members("u1", "u2", "u3"))
	f.create(group("g2"), scim.Document{"displayName": "group"})
	want := func(id string, most, want int) {
		f.Helper()
		if got, err := m.CountMembers(f.ctx, group(id), most); err != nil || got != want {
			f.Errorf("group %s has %d members, counting to %d (error %v), want %d", id, got, most, err, want)
		}
	}
	want("g1", 10, 3)
	want("g1", 3, 3)
	want("g1", 2, 2)
	want("g1", 0, 0)
	want("g2", 10, 0)
	f.change(m, "g1", server.MemberChange{Add: elements("u4", "u1"), Remove: []string{"u2", "u3"}})
	want("g1", 10, 2)
	f.change(m, "g1", server.MemberChange{Reset: true})
	want("g1", 10, 0)
	f.change(m, "g2", server.MemberChange{Add: elements("u1")})
	want("g2", 10, 1)
	_, err := m.CountMembers(f.ctx, group("g3"), 10)
	f.wantError(server.ErrNotFound, err)
	other := group("g2")
	other.Tenant = "other"
	_, err = m.CountMembers(f.ctx, other, 10)
	f.wantError(server.ErrNotFound, err)
}

func elements(ids ...string) []map[string]any {
	list := make([]map[string]any, len(ids))
	for i, id := range ids {
		list[i] = element(id)
	}
	return list
}

func testMembers(f *fixture) {
	m := f.memberStore()
	r := f.create(group("g1"), scim.Document{"displayName": "group"})
	result := f.change(m, "g1", server.MemberChange{Add: elements("u1", "u2", "u1")})
	if !result.Changed || !slices.Equal(result.Added, []string{"u1", "u2"}) || len(result.Removed) != 0 {
		f.Errorf("adding two members gave %+v", result)
	}
	f.wantMembers("g1", "u1", "u2")
	got := f.get(group("g1"))
	meta := got.Document["meta"].(map[string]any)
	if got.Version == r.Version || got.Version != result.Resource.Version || meta["lastModified"] != server.FormatTime(epoch.Add(time.Hour)) {
		f.Errorf("after a change of members the resource is %v, the result said %v", got, result.Resource)
	}
	if result.Resource.Document["members"] != nil || result.Resource.Document["displayName"] != "group" {
		f.Errorf("the result has the document %v", result.Resource.Document)
	}
	before := f.get(group("g1"))
	result = f.change(m, "g1", server.MemberChange{Add: elements("u2"), Remove: []string{"nobody"}})
	if result.Changed || result.Resource.Version != before.Version {
		f.Errorf("changing nothing gave %+v", result)
	}
	f.wantResource(before, f.get(group("g1")))
	result = f.change(m, "g1", server.MemberChange{Add: elements("u3"), Remove: []string{"u1"}})
	if !slices.Equal(result.Added, []string{"u3"}) || !slices.Equal(result.Removed, []string{"u1"}) {
		f.Errorf("exchanging a member gave %+v", result)
	}
	f.wantMembers("g1", "u2", "u3")
	result = f.change(m, "g1", server.MemberChange{Reset: true, Add: elements("u3", "u4")})
	if !slices.Equal(result.Added, []string{"u4"}) || !slices.Equal(result.Removed, []string{"u2"}) {
		f.Errorf("setting the members gave %+v", result)
	}
	f.wantMembers("g1", "u3", "u4")
	f.change(m, "g1", server.MemberChange{Reset: true})
	f.wantMembers("g1")
	if _, has := f.get(group("g1")).Document["members"]; has {
		f.Error("a group without members has the attribute")
	}
	_, err := m.UpdateMembers(f.ctx, server.MemberUpdate{Resource: server.Resource{Key: group("g2")}})
	f.wantError(server.ErrNotFound, err)
	twice := f.create(group("g3"), members("u1", "u2", "u1"))
	f.wantMembers("g3", "u1", "u2")
	update := server.Update{Resource: f.resource(group("g3"), members("u3", "u3", "u1")), IfVersion: twice.Version}
	if err := f.store.Update(f.ctx, update); err != nil {
		f.Fatal(err)
	}
	f.wantMembers("g3", "u3", "u1")
}

func testMembersWithDocument(f *fixture) {
	m := f.memberStore()
	f.create(group("other"), scim.Document{"displayName": "taken"}, server.Unique{Scope: "Group", Attribute: "displayName", Value: "taken"})
	r := f.create(group("g1"), members("u1"))
	update := server.MemberUpdate{
		Resource:  f.resource(group("g1"), scim.Document{"displayName": "renamed"}),
		IfVersion: "other", Modified: epoch, MemberChange: server.MemberChange{Add: elements("u2")},
	}
	_, err := m.UpdateMembers(f.ctx, update)
	f.wantError(server.ErrVersion, err)
	update.IfVersion = r.Version
	update.Unique = []server.Unique{{Scope: "Group", Attribute: "displayName", Value: "taken"}}
	_, err = m.UpdateMembers(f.ctx, update)
	f.wantTaken("displayName", err)
	f.wantResource(r, f.get(group("g1")))
	update.Unique = nil
	if _, err = m.UpdateMembers(f.ctx, update); err != nil {
		f.Fatal(err)
	}
	f.wantMembers("g1", "u1", "u2")
	f.wantPage(f.queryOf("Group", schema.Group(), `displayName eq "renamed"`), 1, "g1")
	f.wantPage(f.queryOf("Group", schema.Group(), `displayName eq "group"`), 0)
}

func testMembersUnderVersion(f *fixture) {
	m := f.memberStore()
	r := f.create(group("g1"), members("u1"))
	update := server.MemberUpdate{
		Resource: server.Resource{Key: group("g1"), Version: f.version()}, IfVersion: "other", Modified: epoch,
		MemberChange: server.MemberChange{Add: elements("u2")},
	}
	_, err := m.UpdateMembers(f.ctx, update)
	f.wantError(server.ErrVersion, err)
	f.wantResource(r, f.get(group("g1")))
	update.IfVersion = r.Version
	if _, err := m.UpdateMembers(f.ctx, update); err != nil {
		f.Errorf("with the version that it has: %v", err)
	}
	f.wantMembers("g1", "u1", "u2")
}

// A change of members leaves unique values, indexes, and what was read before as they are.
func testMembersAlone(f *fixture) {
	m := f.memberStore()
	taken := server.Unique{Scope: "Group", Attribute: "displayName", Value: "group"}
	f.create(group("g1"), members("u1"), taken)
	before := f.get(group("g1"))
	page := f.run(f.queryOf("Group", schema.Group(), ""))
	copied := before.Document.Clone()
	add := elements("u2")
	f.change(m, "g1", server.MemberChange{Add: add, Remove: []string{"u1"}})
	for _, read := range []server.Resource{before, page.Resources[0]} {
		if diff := cmp.Diff(copied, read.Document); diff != "" {
			f.Errorf("a document was changed after it was read (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff(elements("u2"), add); diff != "" {
		f.Errorf("UpdateMembers has changed the elements that it was given (-want +got):\n%s", diff)
	}
	f.wantTaken("displayName", f.store.Create(f.ctx, f.resource(group("g2"), members(), taken)))
	f.wantPage(f.queryOf("Group", schema.Group(), `displayName eq "group"`), 1, "g1")
	f.wantPage(f.queryOf("Group", schema.Group(), `members.value eq "u1"`), 0)
	f.wantPage(f.queryOf("Group", schema.Group(), `members.value eq "u2"`), 1, "g1")
}

func testMemberships(f *fixture) {
	m := f.memberStore()
	f.create(group("g1"), members("u1", "u2"))
	f.create(group("g2"), members("u2"))
	f.change(m, "g2", server.MemberChange{Add: elements("u3"), Remove: []string{"u2"}})
	f.create(group("g0"), members("u3"))
	want := map[string][]server.Membership{
		"u1": {membershipIn("g1", "User")},
		"u2": {membershipIn("g1", "User")},
		"u3": {membershipIn("g2", "User"), membershipIn("g0", "User")},
	}
	check := func() {
		f.Helper()
		f.wantMemberships(m, want, "u1", "u2", "u3", "U3", "u")
	}
	check()
	if err := f.store.Delete(f.ctx, group("g2"), ""); err != nil {
		f.Fatal(err)
	}
	want["u3"] = want["u3"][1:]
	check()
	r := f.get(group("g1"))
	update := server.Update{Resource: f.resource(group("g1"), members("u2")), IfVersion: r.Version}
	if err := f.store.Update(f.ctx, update); err != nil {
		f.Fatal(err)
	}
	delete(want, "u1")
	check()
}

func membershipIn(id, memberType string) server.Membership {
	return server.Membership{Key: group(id), Display: "group", MemberType: memberType}
}

func (f *fixture) wantMemberships(m server.MemberStore, want map[string][]server.Membership, ids ...string) {
	f.Helper()
	got, err := m.Memberships(f.ctx, "", ids)
	if err != nil {
		f.Fatal(err)
	}
	for id, groups := range got {
		if len(groups) == 0 {
			delete(got, id)
		}
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b server.Membership) bool {
		return a.Key == b.Key && a.Display == b.Display && a.MemberType == b.MemberType
	})); diff != "" {
		f.Errorf("memberships (-want +got):\n%s", diff)
	}
}

func testMembershipTypes(f *fixture) {
	m := f.memberStore()
	typed := func(id, typ string) map[string]any { return map[string]any{"value": id, "type": typ} }
	r := f.create(group("g1"), scim.Document{"displayName": "group", "members": []any{
		typed("1", "User"), typed("2", "Group"), map[string]any{"value": "3"},
	}})
	f.create(group("g2"), scim.Document{"displayName": "group", "members": []any{typed("1", "Group")}})
	want := map[string][]server.Membership{
		"1": {membershipIn("g1", "User"), membershipIn("g2", "Group")},
		"2": {membershipIn("g1", "Group")},
		"3": {membershipIn("g1", "")},
	}
	f.wantMemberships(m, want, "1", "2", "3")
	f.change(m, "g2", server.MemberChange{Add: []map[string]any{typed("2", "User")}, Remove: []string{"1"}})
	f.change(m, "g2", server.MemberChange{Add: []map[string]any{typed("1", "User")}})
	want["1"] = []server.Membership{membershipIn("g1", "User"), membershipIn("g2", "User")}
	want["2"] = []server.Membership{membershipIn("g1", "Group"), membershipIn("g2", "User")}
	f.wantMemberships(m, want, "1", "2", "3")
	update := server.Update{Resource: f.resource(group("g1"), scim.Document{"displayName": "group", "members": []any{typed("2", "User")}}), IfVersion: r.Version}
	if err := f.store.Update(f.ctx, update); err != nil {
		f.Fatal(err)
	}
	f.wantMemberships(m, map[string][]server.Membership{
		"1": {membershipIn("g2", "User")},
		"2": {membershipIn("g1", "User"), membershipIn("g2", "User")},
	}, "1", "2", "3")
}

func testConcurrentMembers(f *fixture) {
	m := f.memberStore()
	f.create(group("g1"), scim.Document{"displayName": "group"})
	const workers, each = 8, 20
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := range each {
				id := fmt.Sprintf("u%d-%d", w, n)
				update := server.MemberUpdate{
					Resource: server.Resource{Key: group("g1"), Version: id}, Modified: epoch,
					MemberChange: server.MemberChange{Add: elements(id)},
				}
				if _, err := m.UpdateMembers(f.ctx, update); err != nil {
					f.Error(err)
				}
				if _, err := f.store.Get(f.ctx, group("g1")); err != nil {
					f.Error(err)
				}
			}
		})
	}
	wg.Wait()
	list, _ := f.get(group("g1")).Document["members"].([]any)
	if len(list) != workers*each {
		f.Errorf("the group has %d members, want %d", len(list), workers*each)
	}
}

func testGetMany(f *fixture) {
	b, ok := f.store.(server.BatchStore)
	if !ok {
		f.Skip("not a BatchStore")
	}
	f.user("u1", nil)
	f.user("u2", nil)
	f.create(group("u2"), members("u1"))
	got, err := b.GetMany(f.ctx, []server.Key{user("u2"), user("none"), group("u2"), {Tenant: "t", Type: "User", ID: "u1"}})
	if err != nil {
		f.Fatal(err)
	}
	want := map[server.Key]bool{user("u2"): true, group("u2"): true}
	found := make(map[server.Key]bool)
	for _, r := range got {
		found[r.Key] = true
		f.wantResource(f.get(r.Key), r)
	}
	if diff := cmp.Diff(want, found); diff != "" {
		f.Errorf("resources (-want +got):\n%s", diff)
	}
	got, err = b.GetMany(f.ctx, []server.Key{group("u2")}, "members")
	if err != nil || len(got) != 1 || got[0].Document["displayName"] != "group" {
		f.Errorf("without members: got %v, %v", got, err)
	}
}
