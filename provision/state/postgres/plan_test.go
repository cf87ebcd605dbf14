package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/scimbridge/scim/internal/postgrestest"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/state/postgres"
)

// What a cycle asks for many times must not read the whole table, also before there are statistics.
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
	const n = 20_000
	var put []*provision.Record
	for i := range n {
		id := fmt.Sprint(i)
		r := &provision.Record{Head: provision.Head{SourceID: id, TargetID: "t" + id, Flags: provision.Present}, Type: "User", Matching: []string{id}}
		if i%100 == 0 {
			r.Flags |= provision.Dirty
		}
		put = append(put, r)
	}
	if err := s.Commit(t.Context(), "job", &provision.Commit{Put: put}); err != nil {
		t.Fatal(err)
	}
	var ids []string
	var keys []int64
	for i := range 5 {
		ids, keys = append(ids, fmt.Sprint(i)), append(keys, int64(i+1))
	}
	for _, analyzed := range []string{"without statistics", "with statistics"} {
		if analyzed == "with statistics" {
			if _, err := pool.Exec(t.Context(), "ANALYZE"); err != nil {
				t.Fatal(err)
			}
		}
		for name, call := range map[string]func() error{
			"heads":    func() error { _, err := s.Heads(t.Context(), "job", "User", ids); return err },
			"records":  func() error { _, err := s.Records(t.Context(), "job", keys); return err },
			"linked":   func() error { _, err := s.Linked(t.Context(), "job", "User", "t7"); return err },
			"matching": func() error { _, err := s.Matching(t.Context(), "job", "User", ids); return err },
			"dirty":    func() error { _, err := s.Scan(t.Context(), "job", provision.Query{Dirty: true}, 0, 100); return err },
			"scan": func() error {
				_, err := s.ScanHeads(t.Context(), "job", provision.Query{Type: "User"}, 50, 100)
				return err
			},
			"change": func() error { return s.Commit(t.Context(), "job", &provision.Commit{Put: put[:5]}) },
			"forget": func() error { return s.Commit(t.Context(), "job", &provision.Commit{Forget: []int64{n + 1}}) },
		} {
			t.Run(name+" "+analyzed, func(t *testing.T) {
				sent.Take()
				if err := call(); err != nil {
					t.Fatal(err)
				}
				judged := 0
				for _, st := range sent.Take() {
					if !strings.Contains(st.Text, "provision_objects") && !strings.Contains(st.Text, "provision_details") && !strings.Contains(st.Text, "provision_matching") {
						continue
					}
					judged++
					plan := explain(t, pool, st)
					if strings.Contains(plan, "Seq Scan") {
						t.Errorf("%s\nreads a whole table:\n%s", st.Text, plan)
					}
				}
				if judged == 0 {
					t.Error("no statement was looked at")
				}
			})
		}
		t.Run("duplicates "+analyzed, func(t *testing.T) {
			sent.Take()
			if _, err := s.Duplicates(t.Context(), "job", "User"); err != nil {
				t.Fatal(err)
			}
			list := sent.Take()
			if len(list) == 0 {
				t.Error("no statement was looked at")
			}
			for _, st := range list {
				if plan := explain(t, pool, st); strings.Contains(plan, "Join") || strings.Contains(plan, "Nested Loop") {
					t.Errorf("%s\njoins all records with all records:\n%s", st.Text, plan)
				}
			}
		})
	}
}

// explain returns the plan of a statement.
func explain(t *testing.T, pool *pgxpool.Pool, st postgrestest.Statement) string {
	t.Helper()
	rows, err := pool.Query(t.Context(), "EXPLAIN "+st.Text, st.Args...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", st.Text, err)
	}
	return strings.Join(lines, "\n")
}
