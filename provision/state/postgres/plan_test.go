package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/scimbridge/scim/internal/postgrestest"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/state/postgres"
)

// statements notes what is sent to the server.
type statements struct {
	mu   sync.Mutex
	list []statement
}

type statement struct {
	text string
	args []any
}

func (s *statements) add(text string, args []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, statement{text, args})
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.add(data.SQL, data.Args)
	return ctx
}
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (s *statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (s *statements) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	s.add(data.SQL, data.Args)
}
func (s *statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// What a cycle asks for many times must not read the whole table, also before there are statistics.
func TestStatementsUseIndexes(t *testing.T) {
	config, err := pgxpool.ParseConfig(postgrestest.Schema(t))
	if err != nil {
		t.Fatal(err)
	}
	sent := &statements{}
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
				sent.list = nil
				if err := call(); err != nil {
					t.Fatal(err)
				}
				for _, st := range sent.list {
					if !strings.Contains(st.text, "provision_objects") && !strings.Contains(st.text, "provision_details") && !strings.Contains(st.text, "provision_matching") {
						continue
					}
					plan := explain(t, pool, st)
					if strings.Contains(plan, "Seq Scan") {
						t.Errorf("%s\nreads a whole table:\n%s", st.text, plan)
					}
				}
			})
		}
		t.Run("duplicates "+analyzed, func(t *testing.T) {
			sent.list = nil
			if _, err := s.Duplicates(t.Context(), "job", "User"); err != nil {
				t.Fatal(err)
			}
			for _, st := range sent.list {
				if plan := explain(t, pool, st); strings.Contains(plan, "Join") || strings.Contains(plan, "Nested Loop") {
					t.Errorf("%s\njoins all records with all records:\n%s", st.text, plan)
				}
			}
		})
	}
}

// explain returns the plan of a statement.
func explain(t *testing.T, pool *pgxpool.Pool, st statement) string {
	t.Helper()
	rows, err := pool.Query(t.Context(), "EXPLAIN "+st.text, st.args...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", st.text, err)
	}
	return strings.Join(lines, "\n")
}
