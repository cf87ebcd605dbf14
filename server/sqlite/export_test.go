package sqlite

import (
	"context"
	"strings"

	"github.com/scimbridge/scim/server/internal/sqlquery"
	"github.com/scimbridge/scim/server/internal/sqlstore"
)

// Statement is a statement that a store has run.
type Statement struct {
	Text string
	Args []any
	Plan []string
}

// Record returns a store that works on the same file, and a function that returns the statements it has run since, with the plans
// of SQLite for those that read.
func (s *Store) Record(indexed ...string) (*Store, func(ctx context.Context) ([]Statement, error)) {
	r := &recorder{DB: s.db}
	recorded := &Store{db: s.db, store: sqlstore.New(r, sqlstore.Dialect{SQL: sqlquery.SQLite}, sqlstore.Options{Indexed: indexed})}
	return recorded, func(ctx context.Context) ([]Statement, error) {
		list := r.statements
		r.statements = nil
		for i, st := range list {
			if !strings.HasPrefix(st.Text, "SELECT") {
				continue
			}
			err := s.db.Query(ctx, func(row sqlstore.Row) error {
				var id, parent, unused int
				var detail string
				err := row.Scan(&id, &parent, &unused, &detail)
				list[i].Plan = append(list[i].Plan, detail)
				return err
			}, "EXPLAIN QUERY PLAN "+st.Text, st.Args...)
			if err != nil {
				return nil, err
			}
		}
		return list, nil
	}
}

// Changes returns how many rows have been added, changed or removed since the file was opened.
func (s *Store) Changes(ctx context.Context) (n int, err error) {
	err = s.db.writer.use(ctx, func(c *conn) error {
		return c.Query(ctx, func(r sqlstore.Row) error { return r.Scan(&n) }, "SELECT total_changes()")
	})
	return n, err
}

// Exec runs a statement on the connection that writes.
func (s *Store) Exec(ctx context.Context, text string) error {
	return s.db.writer.use(ctx, func(c *conn) error {
		_, err := c.ExecContext(ctx, text)
		return err
	})
}

type recorder struct {
	sqlstore.DB
	statements []Statement
}

func (r *recorder) note(text string, args []any) {
	r.statements = append(r.statements, Statement{Text: text, Args: args})
}

func (r *recorder) Query(ctx context.Context, row func(sqlstore.Row) error, text string, args ...any) error {
	r.note(text, args)
	return r.DB.Query(ctx, row, text, args...)
}

func (r *recorder) Read(ctx context.Context, do func(sqlstore.Tx) error) error {
	return r.DB.Read(ctx, func(tx sqlstore.Tx) error { return do(recordedTx{tx, r}) })
}

func (r *recorder) Write(ctx context.Context, do func(sqlstore.Tx) error) error {
	return r.DB.Write(ctx, func(tx sqlstore.Tx) error { return do(recordedTx{tx, r}) })
}

type recordedTx struct {
	sqlstore.Tx
	r *recorder
}

func (t recordedTx) Query(ctx context.Context, row func(sqlstore.Row) error, text string, args ...any) error {
	t.r.note(text, args)
	return t.Tx.Query(ctx, row, text, args...)
}

// Endless runs a query that has no end.
func (s *Store) Endless(ctx context.Context) error {
	return s.db.Query(ctx, func(sqlstore.Row) error { return nil },
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
}

// Panic panics in a transaction.
func (s *Store) Panic(ctx context.Context, write bool) {
	run := s.db.Read
	if write {
		run = s.db.Write
	}
	_ = run(ctx, func(sqlstore.Tx) error { panic("in a transaction") })
}
