package sqlquery_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/internal/postgrestest"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/sqlquery"
	"github.com/scimbridge/scim/server/memory"
	"github.com/scimbridge/scim/server/postgres"
	"github.com/scimbridge/scim/server/sqlite"
)

// stores opens every store that keeps resources in a database. The attributes are in an index.
var stores = map[string]func(t *testing.T, indexed ...string) server.Store{
	"SQLite": func(t *testing.T, indexed ...string) server.Store {
		store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "scim.db"), sqlite.Relaxed(), sqlite.Indexed(indexed...))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		return store
	},
	"PostgreSQL": func(t *testing.T, indexed ...string) server.Store {
		store, err := postgres.Open(t.Context(), postgrestest.Database(t), postgres.Indexed(indexed...))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		return store
	},
}

// TestStoresAgree asks the stores in databases and the one in memory the same random questions: with filters, orders, pages by index
// and by cursor. What is in them was created, changed and partly deleted.
func TestStoresAgree(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			for round := range uint64(*rounds+1) / 2 {
				m := newMaker(things(), *seed+round)
				m.plain = true
				c := comparison{T: t, maker: m, seed: *seed + round}
				if round%2 == 0 {
					c.want, c.got = memory.New(), open(t)
				} else {
					c.want, c.got = memory.New(indexed...), open(t, indexed...)
				}
				c.fill()
				for range filters {
					c.ask()
					if t.Failed() {
						return
					}
				}
			}
		})
	}
}

// comparison holds one store against another.
type comparison struct {
	*testing.T
	*maker
	want, got server.Store
	docs      []scim.Document
	seed      uint64
}

// fill gives both stores the same resources.
func (c *comparison) fill() {
	c.docs = c.documents()
	do := func(what string, change func(server.Store) error) {
		c.Helper()
		for _, store := range []server.Store{c.want, c.got} {
			if err := change(store); err != nil {
				c.Fatalf("%s: %v", what, err)
			}
		}
	}
	resource := func(i int, version string) server.Resource {
		return server.Resource{Key: thing(i), Version: version, Document: c.docs[i], Schema: c.schema}
	}
	for i := range c.docs {
		do("create", func(s server.Store) error { return s.Create(c.Context(), resource(i, "1")) })
	}
	for range len(c.docs) / 4 {
		i := c.IntN(len(c.docs))
		c.docs[i] = c.document(c.docs[i].ID())
		do("update", func(s server.Store) error {
			r, err := s.Get(c.Context(), thing(i))
			if err != nil {
				return err
			}
			return s.Update(c.Context(), server.Update{Resource: resource(i, r.Version+"1"), IfVersion: r.Version})
		})
	}
	for i := range len(c.docs) {
		u := server.MemberUpdate{Resource: server.Resource{Key: thing(i), Version: "2"}, Modified: time.Date(2020, 2, 29, 0, i, 0, 0, time.UTC)}
		u.Add = []map[string]any{{"value": pick(c.maker, "m1", "m2", "M3"), "type": pick(c.maker, "User", "")}}
		if u.Reset = c.IntN(8) == 0; !u.Reset {
			u.Remove = []string{pick(c.maker, "m4", "a", "B")}
		}
		if c.IntN(3) > 0 {
			continue
		}
		do("update members", func(s server.Store) error {
			_, err := s.(server.MemberStore).UpdateMembers(c.Context(), u)
			return err
		})
	}
	for i := range len(c.docs) / 8 {
		do("delete", func(s server.Store) error { return s.Delete(c.Context(), thing(i), "") })
	}
	// What another tenant or type has must not be seen.
	for i := range c.docs {
		other := resource(i, "1")
		if c.IntN(2) == 0 {
			other.Tenant = "other"
		} else {
			other.Type = "Other"
		}
		do("create", func(s server.Store) error { return s.Create(c.Context(), other) })
	}
}

func thing(i int) server.Key { return server.Key{Type: "Thing", ID: "id" + strconv.Itoa(i)} }

// ask puts one question to both stores, and all that follow from cursors.
func (c *comparison) ask() {
	q := server.Query{Type: "Thing", Schema: c.schema, Limit: c.IntN(12), Total: c.IntN(2) == 0, Strict: c.IntN(4) == 0}
	if c.IntN(5) > 0 {
		q.Filter = c.filter(c.docs, 3)
		types := c.schema.LooseTypes()
		if q.Strict {
			types = c.schema
		}
		var err error
		if q.Match, err = q.Filter.Compile(types, filter.UnknownAsAbsent()); err != nil {
			c.Fatal(err)
		}
	}
	a := pick(c.maker, c.attributes...)
	if c.IntN(3) == 0 {
		a, _ = c.schema.Lookup(pick(c.maker, indexed...))
	}
	if c.IntN(3) == 0 && a.Type != schema.Complex && a.Type != schema.Binary {
		q.Order = server.Order{Attribute: a, Descending: c.IntN(2) == 0}
	}
	if c.IntN(2) == 0 {
		q.Offset = c.IntN(40)
	}
	if c.IntN(2) == 0 {
		q.Omit = []string{server.Members}
	}
	want, got := q, q
	for {
		a, err := c.want.Query(c.Context(), want)
		if err != nil {
			c.Fatal(err)
		}
		b, err := c.got.Query(c.Context(), got)
		if err != nil {
			c.Fatalf("seed %d: %s: %v", c.seed, q.Filter, err)
		}
		if !q.Total { // it may be anything
			a.Total, b.Total = 0, 0
		}
		if q.Limit == 0 { // there is no place where the next page could begin
			a.Next, b.Next = "", ""
		}
		if !c.samePage(a, b) {
			c.Errorf("seed %d: filter %s, order by %v (descending %v), offset %d, limit %d, total %v, omit %v, strict %v, next %v:\ngot  %s\nwant %s",
				c.seed, q.Filter, q.Order.Attribute, q.Order.Descending, q.Offset, q.Limit, q.Total, q.Omit, q.Strict, want.After != "", show(b), show(a))
			return
		}
		if a.Next == "" || q.Limit == 0 {
			return
		}
		want.After, got.After, want.Offset, got.Offset = a.Next, b.Next, 0, 0
	}
}

func (c *comparison) samePage(a, b server.Page) bool {
	return a.Total == b.Total && (a.Next == "") == (b.Next == "") && slices.EqualFunc(a.Resources, b.Resources, func(a, b server.Resource) bool {
		return a.Key == b.Key && a.Version == b.Version && c.projection(a.Document) == c.projection(b.Document)
	})
}

// projection is the same for documents that differ in the Go type of a number only.
func (c *comparison) projection(doc scim.Document) string {
	b, err := sqlquery.Project(c.schema, doc)
	if err != nil {
		c.Fatal(err)
	}
	return string(b)
}

func show(p server.Page) string {
	text := fmt.Sprintf("total %d, more %v:", p.Total, p.Next != "")
	for _, r := range p.Resources {
		text += " " + r.ID + "/" + r.Version
	}
	return text
}
