package memory_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

// userWith returns a user with many addresses, every one of them twice.
func userWith(version string, from, addresses int) server.Resource {
	list := make([]any, 0, 2*addresses)
	for n := range addresses {
		e := map[string]any{"value": fmt.Sprintf("u%d@example.com", from+n)}
		list = append(list, e, e)
	}
	return server.Resource{
		Key: server.Key{Type: "User", ID: "1"}, Version: version,
		Document: scim.Document{"id": "1", "userName": "a", "emails": list},
	}
}

func TestManyValuesAreFound(t *testing.T) {
	ctx, store := t.Context(), memory.New()
	finds := func(address string, want int) {
		t.Helper()
		q := server.Query{Type: "User", Schema: schema.User(), Filter: filter.Eq("emails.value", address), Limit: 10, Total: true}
		match, err := q.Filter.Compile(q.Schema)
		if err != nil {
			t.Fatal(err)
		}
		q.Match = match
		page, err := store.Query(ctx, q)
		if err != nil || page.Total != want || len(page.Resources) != want {
			t.Errorf("%s: found %d and a total of %d, %v; want %d", address, len(page.Resources), page.Total, err, want)
		}
	}
	if err := store.Create(ctx, userWith("v1", 0, 100)); err != nil {
		t.Fatal(err)
	}
	finds("u0@example.com", 1)
	finds("U99@example.com", 1)
	for i, tt := range []struct{ from, addresses int }{{50, 100}, {149, 1}, {148, 3}, {0, 0}} {
		u := server.Update{Resource: userWith(fmt.Sprintf("v%d", i+2), tt.from, tt.addresses), IfVersion: fmt.Sprintf("v%d", i+1)}
		if err := store.Update(ctx, u); err != nil {
			t.Fatal(err)
		}
		for n := range 160 {
			want := 0
			if n >= tt.from && n < tt.from+tt.addresses {
				want = 1
			}
			finds(fmt.Sprintf("u%d@example.com", n), want)
		}
	}
}

func TestQueriesEndSoonAfterTheirContext(t *testing.T) {
	store := memory.New()
	for n := range 200 {
		r := userWith("v1", n, 1)
		r.ID = fmt.Sprint(n)
		if err := store.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	f := filter.Pr("title")
	match, err := f.Compile(schema.User())
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	_, err = store.Query(ctx, server.Query{
		Type: "User", Schema: schema.User(), Limit: 10, Total: true, Filter: f, Match: match,
		View: func(_ context.Context, r server.Resource) (scim.Document, error) {
			looked++
			cancel()
			return r.Document, nil
		},
	})
	if err == nil || looked > 50 {
		t.Errorf("%d resources were looked at, %v; want an error after 50 at most", looked, err)
	}
}

func TestTheCostOfValuesGrowsWithTheirNumberOnly(t *testing.T) {
	took := func(addresses int) time.Duration {
		least := time.Hour
		for range 3 {
			store, r := memory.New(), userWith("v1", 0, addresses)
			u := server.Update{Resource: userWith("v2", addresses, addresses), IfVersion: "v1"}
			start := time.Now()
			if err := store.Create(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if err := store.Update(t.Context(), u); err != nil {
				t.Fatal(err)
			}
			least = min(least, time.Since(start))
		}
		return least
	}
	few, many := took(2_000), took(16_000)
	if many > 40*few { // 64 times, if it grew with the square
		t.Errorf("2,000 addresses took %v, 16,000 took %v", few, many)
	}
}
