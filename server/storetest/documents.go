package storetest

import (
	"context"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

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
