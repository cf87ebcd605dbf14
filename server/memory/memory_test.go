package memory_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
	"github.com/scimbridge/scim/server/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) server.Store { return memory.New() })
}

func user(n int) server.Resource {
	id := fmt.Sprintf("user-%d", n)
	return server.Resource{
		Key: server.Key{Type: "User", ID: id}, Version: "1", Document: scim.Document{"id": id, "userName": id, "displayName": id},
		Unique: []server.Unique{{Scope: "User", Attribute: "userName", Value: id}}, Schema: schema.User(),
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // what finalizers and pools held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// The memory of what was deleted comes back, and what is left is found as before.
func TestMemoryOfDeletedResourcesComesBack(t *testing.T) {
	const all, left = 30_000, 10
	s := memory.New()
	before := heap()
	for n := range all {
		if err := s.Create(t.Context(), user(n)); err != nil {
			t.Fatal(err)
		}
	}
	members := make([]any, all)
	for n := range members {
		members[n] = map[string]any{"value": user(n).ID}
	}
	group := server.Resource{Key: server.Key{Type: "Group", ID: "g"}, Version: "1", Document: scim.Document{"id": "g", "members": members}, Schema: schema.Group()}
	if err := s.Create(t.Context(), group); err != nil {
		t.Fatal(err)
	}
	members, group.Document = nil, nil
	full := heap() - before
	for n := left; n < all; n++ {
		if err := s.Delete(t.Context(), user(n).Key, ""); err != nil {
			t.Fatal(err)
		}
	}
	group.Version = "2"
	if _, err := s.UpdateMembers(t.Context(), server.MemberUpdate{Resource: group, MemberChange: server.MemberChange{Reset: true}}); err != nil {
		t.Fatal(err)
	}
	if after := heap(); after > before && after-before > full/50 {
		t.Errorf("%d users took %d KiB; when they are gone %d KiB are left", all, full>>10, (after-before)>>10)
	}
	for n := range left {
		if _, err := s.Get(t.Context(), user(n).Key); err != nil {
			t.Errorf("user %d: %v", n, err)
		}
		again := user(n)
		again.ID += "-again"
		if _, ok := errors.AsType[*server.TakenError](s.Create(t.Context(), again)); !ok {
			t.Errorf("the name of user %d is free", n)
		}
	}
	if err := s.Create(t.Context(), user(left)); err != nil {
		t.Error(err)
	}
}

func query(t *testing.T, text string) server.Query {
	t.Helper()
	q := server.Query{Type: "User", Schema: schema.User(), Limit: 1000, Total: true}
	if text == "" {
		return q
	}
	var err error
	if q.Filter, err = filter.Parse(text); err != nil {
		t.Fatal(err)
	}
	if q.Match, err = q.Filter.Compile(q.Schema); err != nil {
		t.Fatal(err)
	}
	return q
}

// A query sees the resources as they were when it began, whatever is done while it works, and nothing that is done waits for it.
func TestQueriesSeeOneMoment(t *testing.T) {
	for _, text := range []string{"", `displayName sw "user"`, `displayName co "user"`} {
		s := memory.New()
		const all = 50
		for n := range all {
			if err := s.Create(t.Context(), user(n)); err != nil {
				t.Fatal(err)
			}
		}
		q := query(t, text)
		q.Order.Attribute, _ = schema.User().Lookup("userName")
		changed := false
		q.View = func(ctx context.Context, r server.Resource) (scim.Document, error) {
			if changed {
				return r.Document, nil
			}
			changed = true
			for n := range all {
				if err := s.Delete(ctx, user(n).Key, ""); err != nil {
					return nil, err
				}
			}
			return r.Document, s.Create(ctx, user(all))
		}
		page, err := s.Query(t.Context(), q)
		if err != nil || page.Total != all || len(page.Resources) != all {
			t.Errorf("filter %q: %d of %d, %v", text, len(page.Resources), page.Total, err)
		}
		q.View = nil
		if page, err = s.Query(t.Context(), q); err != nil || page.Total != 1 {
			t.Errorf("filter %q, afterwards: %d, %v", text, page.Total, err)
		}
	}
}

// Everything happens at the same time. Afterwards the indexes and the memberships say what the documents do.
func TestEverythingAtOnce(t *testing.T) {
	const workers, each, users = 8, 300, 40
	s := memory.New()
	group := server.Key{Type: "Group", ID: "g"}
	if err := s.Create(t.Context(), server.Resource{Key: group, Version: "0", Document: scim.Document{"id": "g"}, Schema: schema.Group()}); err != nil {
		t.Fatal(err)
	}
	queries := []server.Query{query(t, ""), query(t, `displayName eq "d1"`), query(t, `displayName co "d"`), query(t, `displayName sw "d"`)}
	byName := query(t, "")
	byName.Order.Attribute, _ = schema.User().Lookup("displayName")
	queries = append(queries, byName)
	var wg sync.WaitGroup
	for w := range workers {
		random := rand.New(rand.NewPCG(uint64(w), 1))
		wg.Go(func() {
			for n := range each {
				if err := step(t, s, random, queries, group, fmt.Sprintf("%d-%d", w, n)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for n := range 5 {
		indexed, err := s.Query(t.Context(), query(t, fmt.Sprintf(`displayName eq "d%d"`, n)))
		if err != nil {
			t.Fatal(err)
		}
		scanned, err := s.Query(t.Context(), query(t, fmt.Sprintf(`not (displayName ne "d%d")`, n)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ids(scanned), ids(indexed)); diff != "" {
			t.Errorf("users with the name d%d (-without index +with index):\n%s", n, diff)
		}
	}
	g, err := s.Get(t.Context(), group)
	if err != nil {
		t.Fatal(err)
	}
	isMember := map[string]bool{}
	list, _ := g.Document["members"].([]any)
	for _, e := range list {
		value, _ := server.MemberValue(e)
		if isMember[value] {
			t.Errorf("%s is a member twice", value)
		}
		isMember[value] = true
	}
	for n := range users {
		id := user(n).ID
		groups, err := s.Memberships(t.Context(), "", []string{id})
		if err != nil || len(groups[id]) > 0 != isMember[id] {
			t.Errorf("%s has the groups %v, %v, and is a member: %v", id, groups[id], err, isMember[id])
		}
	}
}

func ids(p server.Page) []string {
	list := []string{}
	for _, r := range p.Resources {
		list = append(list, r.ID)
	}
	return list
}

// step does something with one of forty users, or with the group.
func step(t *testing.T, s *memory.Store, random *rand.Rand, queries []server.Query, group server.Key, version string) error {
	r := user(random.IntN(40))
	r.Version = version
	r.Document["displayName"] = fmt.Sprintf("d%d", random.IntN(5))
	ctx, id := t.Context(), r.ID
	var err error
	switch random.IntN(7) {
	case 0, 1:
		err = s.Create(ctx, r)
	case 2:
		var old server.Resource
		if old, err = s.Get(ctx, r.Key); err == nil {
			err = s.Update(ctx, server.Update{Resource: r, IfVersion: old.Version})
		}
	case 3:
		err = s.Delete(ctx, r.Key, "")
	case 4:
		change := server.MemberChange{Add: []map[string]any{{"value": id}}}
		if random.IntN(2) == 0 {
			change = server.MemberChange{Remove: []string{id}}
		}
		_, err = s.UpdateMembers(ctx, server.MemberUpdate{Resource: server.Resource{Key: group, Version: version}, Modified: time.Unix(0, 0), MemberChange: change})
	case 5:
		q := queries[random.IntN(len(queries))]
		q.Limit = 1 + random.IntN(10)
		for {
			page, err := s.Query(ctx, q)
			if err != nil || page.Next == "" {
				return err
			}
			q.After = page.Next
		}
	case 6:
		var many []server.Resource
		if many, err = s.GetMany(ctx, []server.Key{r.Key, group}); err == nil && len(many) == 0 {
			return errors.New("the group is gone")
		}
	}
	if errors.Is(err, server.ErrExists) || errors.Is(err, server.ErrNotFound) || errors.Is(err, server.ErrVersion) {
		return nil
	}
	return err
}
