package storetest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

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
