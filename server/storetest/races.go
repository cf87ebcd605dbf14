package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

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
