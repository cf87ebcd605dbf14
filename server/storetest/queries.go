package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

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
