package postgres_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/internal/postgrestest"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/postgres"
)

const (
	manyUsers   = 4000
	manyMembers = 3000
)

// directory is many users, a group of most of them, and small groups.
func directory(tenant string) iter.Seq2[server.Resource, error] {
	return func(yield func(server.Resource, error) bool) {
		for n := range manyUsers {
			name := fmt.Sprintf("user%05d@example.com", n)
			doc := scim.Document{
				"userName": name, "externalId": fmt.Sprint("E", n), "displayName": fmt.Sprint("Taylor ", n),
				"emails": []any{map[string]any{"value": name, "type": "work"}},
			}
			r := resource("User", fmt.Sprint("u", n), schema.User(), doc)
			r.Unique = []server.Unique{{Scope: "User", Attribute: "userName", Value: name}}
			r.Tenant = tenant
			if !yield(r, nil) {
				return
			}
		}
		for g := range 200 {
			size := 3
			if g == 0 {
				size = manyMembers
			}
			members := make([]any, size)
			for n := range members {
				members[n] = map[string]any{"value": fmt.Sprint("u", n+g), "type": "User"}
			}
			doc := scim.Document{"displayName": fmt.Sprint("Group ", g), "members": members}
			r := resource("Group", fmt.Sprint("g", g), schema.Group(), doc)
			r.Tenant = tenant
			if !yield(r, nil) {
				return
			}
		}
	}
}

func resource(typ, id string, s *schema.Schema, doc scim.Document) server.Resource {
	doc["schemas"] = []any{"urn:ietf:params:scim:schemas:core:2.0:" + typ}
	doc["id"] = id
	doc["meta"] = map[string]any{"resourceType": typ, "created": "2026-01-01T00:00:00.000Z", "lastModified": "2026-01-01T00:00:00.000Z"}
	return server.Resource{Key: server.Key{Type: typ, ID: id}, Version: "1", Document: doc, Schema: s}
}

func parse(t *testing.T, typ string, s *schema.Schema, text string) server.Query {
	t.Helper()
	f, err := filter.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	match, err := f.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return server.Query{Type: typ, Schema: s, Filter: f, Match: match, Limit: 10, Total: true, Omit: []string{"members"}}
}

// What is asked for often is found through indexes: no statement looks at more rows than a few, however many there are; what is
// asked for most often also for a tenant that has come since PostgreSQL has gathered statistics.
func TestStatementsUseIndexes(t *testing.T) {
	config, err := pgxpool.ParseConfig(postgrestest.Schema(t))
	if err != nil {
		t.Fatal(err)
	}
	sent := &postgrestest.Statements{}
	config.ConnConfig.Tracer = sent
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	s, err := postgres.New(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"resources", "uniques", "terms", "members"} {
		if _, err := pool.Exec(t.Context(), "ALTER TABLE "+table+" SET (autovacuum_enabled = off)"); err != nil {
			t.Fatal(err)
		}
	}
	for _, tenant := range []string{"", "later"} {
		if n, err := s.Load(t.Context(), directory(tenant)); err != nil {
			t.Fatal(n, err)
		}
		for name, call := range calls(t, s, tenant) {
			if slices.Contains(unsure, name) && tenant == "later" {
				continue
			}
			t.Run(name+" "+tenant, func(t *testing.T) {
				sent.Take()
				err := call()
				list := sent.Take()
				if err != nil {
					t.Fatal(err)
				}
				judged := 0
				for _, st := range list {
					if !strings.Contains(st.Text, "FROM ") && !strings.HasPrefix(st.Text, "UPDATE ") {
						continue
					}
					judged++
					if rows, plan := work(t, pool, st); rows > 60 {
						t.Errorf("%s %v\nlooks at %.0f rows:\n%s", st.Text, st.Args, rows, plan)
					}
				}
				if judged == 0 {
					t.Errorf("none of %d statements was looked at", len(list))
				}
			})
		}
	}
}

// unsure are the calls for which the planner has to know how many resources a tenant has.
var unsure = []string{
	"or", "id eq", "first page", "one member of the large group", "some members of the large group",
}

// calls are the calls of a store that must not look at many rows.
func calls(t *testing.T, s *postgres.Store, tenant string) map[string]func() error {
	query := func(typ, text string, want int) func() error {
		sc := schema.User()
		if typ == "Group" {
			sc = schema.Group()
		}
		q := parse(t, typ, sc, text)
		q.Tenant = tenant
		return func() error {
			page, err := s.Query(t.Context(), q)
			if err == nil && page.Total != want {
				err = fmt.Errorf("%d found, want %d", page.Total, want)
			}
			return err
		}
	}
	get := func(typ, id string, omit ...string) func() error {
		return func() error {
			_, err := s.Get(t.Context(), server.Key{Tenant: tenant, Type: typ, ID: id}, omit...)
			return err
		}
	}
	return map[string]func() error{
		"userName eq":               query("User", `userName eq "USER00017@example.com"`, 1),
		"userName eq nobody":        query("User", `userName eq "nobody"`, 0),
		"externalId eq":             query("User", `externalId eq "E17"`, 1),
		"displayName eq":            query("User", `displayName eq "taylor 17"`, 1),
		"displayName eq of a group": query("Group", `displayName eq "Group 17"`, 1),
		"emails.value eq":           query("User", `emails.value eq "user00017@example.com"`, 1),
		"emails with a type":        query("User", `emails[type eq "work" and value eq "user00017@example.com"]`, 1),
		"userName sw":               query("User", `userName sw "user0001"`, 10),
		"meta.lastModified gt":      query("User", `meta.lastModified gt "2026-12-31T00:00:00Z"`, 0),
		"and":                       query("User", `active eq true and userName eq "user00017@example.com"`, 0),
		"or":                        query("User", `externalId eq "E1" or externalId eq "E2"`, 2),
		"id eq":                     query("User", `id eq "u17"`, 1),
		"members.value eq":          query("Group", `members.value eq "u3"`, 4),
		"get":                       get("User", "u17"),
		"get a group, not members":  get("Group", "g0", "members"),
		"get a small group":         get("Group", "g7"),
		"get many": func() error {
			keys := []server.Key{{Tenant: tenant, Type: "User", ID: "u1"}, {Tenant: tenant, Type: "User", ID: "u2"}}
			_, err := s.GetMany(t.Context(), keys)
			return err
		},
		"groups of users": func() error {
			_, err := s.Memberships(t.Context(), tenant, []string{"u1", "u2", "u3"})
			return err
		},
		"one member of the large group": func() error {
			_, err := s.UpdateMembers(t.Context(), change(tenant, "g0", []string{"u3900"}, nil))
			return err
		},
		"some members of the large group": func() error {
			_, err := s.UpdateMembers(t.Context(), change(tenant, "g0", []string{"u3901", "u3902"}, []string{"u5", "u6"}))
			return err
		},
		"first page": func() error {
			_, err := s.Query(t.Context(), server.Query{Tenant: tenant, Type: "User", Schema: schema.User(), Limit: 10, Total: true})
			return err
		},
		"first page in an order": func() error {
			userName, _ := schema.User().Lookup("userName")
			page, err := s.Query(t.Context(), server.Query{
				Tenant: tenant, Type: "User", Schema: schema.User(), Limit: 10, Total: true, Order: server.Order{Attribute: userName},
			})
			if err == nil && (len(page.Resources) != 10 || page.Next == "" || page.Total < 10) {
				err = fmt.Errorf("%d of %d found", len(page.Resources), page.Total)
			}
			return err
		},
		"update": func() error {
			r := resource("User", "u1234", schema.User(), scim.Document{"userName": "user01234@example.com", "displayName": "changed"})
			r.Tenant = tenant
			return s.Update(t.Context(), server.Update{Resource: r, IfVersion: "1"})
		},
		"delete": func() error { return s.Delete(t.Context(), server.Key{Tenant: tenant, Type: "User", ID: "u3999"}, "") },
	}
}

func change(tenant, group string, add, remove []string) server.MemberUpdate {
	u := server.MemberUpdate{
		Resource:     server.Resource{Key: server.Key{Tenant: tenant, Type: "Group", ID: group}, Version: "2", Schema: schema.Group()},
		MemberChange: server.MemberChange{Remove: remove},
	}
	for _, id := range add {
		u.Add = append(u.Add, map[string]any{"value": id, "type": "User"})
	}
	return u
}

// node is a part of a plan.
type node struct {
	Rows     float64 `json:"Actual Rows"`
	Loops    float64 `json:"Actual Loops"`
	Filtered float64 `json:"Rows Removed by Filter"`
	Joined   float64 `json:"Rows Removed by Join Filter"`
	Rechecks float64 `json:"Rows Removed by Index Recheck"`
	Plans    []node  `json:"Plans"`
}

// most is the largest number of rows that a part of the plan looks at.
func (n node) most() float64 {
	m := (n.Rows + n.Filtered + n.Joined + n.Rechecks) * max(n.Loops, 1)
	for _, p := range n.Plans {
		m = max(m, p.most())
	}
	return m
}

// work runs a statement again, in vain, and returns how many rows it looks at.
func work(t *testing.T, pool *pgxpool.Pool, st postgrestest.Statement) (rows float64, plan string) {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if err := tx.QueryRow(t.Context(), "EXPLAIN (ANALYZE, FORMAT JSON) "+st.Text, st.Args...).Scan(&plan); err != nil {
		t.Fatalf("%s: %v", st.Text, err)
	}
	var explained []struct{ Plan node }
	if err := json.Unmarshal([]byte(plan), &explained); err != nil {
		t.Fatal(err)
	}
	return explained[0].Plan.most(), plan
}
