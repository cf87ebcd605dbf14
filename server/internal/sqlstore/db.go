package sqlstore

import (
	"context"

	"github.com/scimbridge/scim/server/internal/sqlquery"
)

// DB is a database, as far as the store needs one. It is safe for concurrent use.
//
// Methods return the error of ctx when it is done, wrapped or not. Failures that end when one tries again (locks, deadlocks,
// serialization failures, a connection that broke before anything was sent) are retried inside, and become the result of [Busy] when
// that does not help. Other errors of the driver are returned wrapped.
type DB interface {
	Querier
	// Read runs do in a transaction that sees the database as it is at one moment, and changes nothing.
	Read(ctx context.Context, do func(Tx) error) error
	// Write runs do in a transaction. It is committed when do returns nil, and undone when it returns an error, which Write then
	// returns. Do may be run several times: it begins anew each time.
	//
	// Rows that do reads with [Dialect.ForUpdate] do not change until the transaction ends. When Write returns nil the
	// changes survive the end of the process.
	Write(ctx context.Context, do func(Tx) error) error
}

// Querier runs statements. Their parameters are $1, $2 and so on, each of which may occur more than once.
type Querier interface {
	// Query calls row for each row of the result, until it returns an error, which Query then returns. No other statement may be
	// run by row. Args are string, int64, float64, bool or nil.
	Query(ctx context.Context, row func(Row) error, text string, args ...any) error
}

// Row is a row of a result. Scan takes pointers to string, int64, float64, bool, and to pointers to these for what may be NULL.
type Row interface{ Scan(dest ...any) error }

// Tx is a transaction. It must not be used concurrently.
type Tx interface {
	Querier
	// Exec runs a statement that has no result, and returns how many rows it changed.
	Exec(ctx context.Context, text string, args ...any) (int64, error)
	// Insert adds any number of rows to one of the tables, by the fastest way that the database has. The column search gets a
	// string, or nil.
	Insert(ctx context.Context, table string, columns []string, rows [][]any) error
	// Sequence returns n numbers in ascending order, each larger than those of all transactions that ended before this one
	// began.
	Sequence(ctx context.Context, n int) ([]int64, error)
}

// Dialect says how the SQL of a database differs.
type Dialect struct {
	// SQL is that of filters. With PostgreSQL the column search is JSONB; with SQLite it is a BLOB that the function jsonb makes.
	SQL sqlquery.Dialect
	// OfType is the condition for the resources r of the tenant $1 and the type $2, where nothing else leads to them: an index serves it in
	// the order of seq. It is empty when that index is on the columns themselves.
	OfType string
	// ForUpdate stands at the end of a SELECT that locks its rows; empty where a transaction is the only one that writes.
	ForUpdate string
	// Slots is over how many rows the number of the resources of a type is spread, at least 1, so that transactions which add
	// resources at the same time need not wait for each other.
	Slots int64
}

// search returns the expression that makes the column search of the argument at a placeholder.
func (d Dialect) search(placeholder string) string {
	if d.SQL == sqlquery.PostgreSQL {
		return "CAST(" + placeholder + " AS JSONB)"
	}
	return "jsonb(" + placeholder + ")"
}
