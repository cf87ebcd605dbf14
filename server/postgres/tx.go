package postgres

import (
	"context"
	"errors"
	"math/bits"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/scimbridge/scim/server/internal/sqlstore"
)

// tx is a transaction.
type tx struct {
	conn *pgx.Conn
	// begin is sent together with the first statement.
	begin []string
	// failure is the first error of a statement.
	failure error
	// grown says that there are four times as many resources as when statistics were gathered.
	grown bool
}

var _ sqlstore.Tx = (*tx)(nil)

// Query runs a statement that has a result.
func (t *tx) Query(ctx context.Context, row func(sqlstore.Row) error, text string, args ...any) error {
	if t.begin == nil {
		return t.failed(query(ctx, t.conn, row, text, args))
	}
	b := t.first()
	b.Queue(text, args...).Query(func(rows pgx.Rows) error { return each(rows, row) })
	return t.failed(t.conn.SendBatch(ctx, b).Close())
}

// Exec runs a statement that has none.
func (t *tx) Exec(ctx context.Context, text string, args ...any) (n int64, err error) {
	if t.begin == nil {
		tag, err := t.conn.Exec(ctx, text, args...)
		return tag.RowsAffected(), t.failed(err)
	}
	b := t.first()
	b.Queue(text, args...).Exec(func(tag pgconn.CommandTag) error {
		n = tag.RowsAffected()
		return nil
	})
	return n, t.failed(t.conn.SendBatch(ctx, b).Close())
}

// first returns a batch that begins the transaction.
func (t *tx) first() *pgx.Batch {
	b := &pgx.Batch{}
	for _, text := range t.begin {
		b.Queue(text)
	}
	t.begin = nil
	return b
}

func (t *tx) failed(err error) error {
	err = lost(t.conn, err)
	if t.failure == nil {
		t.failure = err
	}
	return err
}

// why returns the error for a transaction that is not committed.
func (t *tx) why(err error) error {
	// What came after a statement that failed says less than that.
	if t.failure != nil && !errors.Is(err, t.failure) && again(t.failure) {
		return t.failure
	}
	return err
}

// commit ends the transaction. It is not torn by a context that ends now.
func (t *tx) commit(ctx context.Context) error {
	if t.begin != nil {
		return nil // nothing was done
	}
	if t.conn.IsClosed() {
		return t.failed(errors.New("the connection was lost"))
	}
	late, cancel := patient(ctx)
	defer cancel()
	results, err := t.conn.PgConn().Exec(late, "COMMIT").ReadAll()
	if err == nil && (len(results) != 1 || results[0].CommandTag.String() != "COMMIT") {
		return errors.New("the transaction had failed, and was undone")
	}
	server, answered := errors.AsType[*pgconn.PgError](err)
	if err == nil || answered && !strings.HasPrefix(server.Code, "57P") {
		return err
	}
	// Nobody knows whether it was committed, so it must not be run again. What pgx says is safe to retry counts for nothing here: it says so
	// of a connection that was lost before the answer came.
	return &final{sqlstore.Busy(err)}
}

// rollback undoes what has not been committed. Its connection is closed by the pool when that fails.
func (t *tx) rollback() {
	if t.begin != nil || t.conn.IsClosed() || t.conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := patient(context.Background())
	defer cancel()
	_, _ = t.conn.PgConn().Exec(ctx, "ROLLBACK").ReadAll()
}

// copied is from how many rows on they are copied.
const copied = 50

// Insert adds rows: a few by a statement, many by COPY.
func (t *tx) Insert(ctx context.Context, table string, columns []string, rows [][]any) error {
	if len(rows) >= copied {
		if err := t.now(ctx); err != nil {
			return err
		}
		_, err := t.conn.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
		return t.failed(err)
	}
	if len(rows) == 0 {
		return nil
	}
	args := make([]any, 0, len(rows)*len(columns))
	for _, row := range rows {
		args = append(args, row...)
	}
	_, err := t.Exec(ctx, insertText(table, columns, len(rows)), args...)
	return err
}

// now begins the transaction, if that has not been done.
func (t *tx) now(ctx context.Context) error {
	if t.begin == nil {
		return nil
	}
	return t.failed(t.conn.SendBatch(ctx, t.first()).Close())
}

func insertText(table string, columns []string, rows int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES ")
	for i := range rows {
		b.WriteString(strings.Repeat(",", min(i, 1)) + "(")
		for j := range columns {
			b.WriteString(strings.Repeat(",", min(j, 1)) + "$" + strconv.Itoa(i*len(columns)+j+1))
		}
		b.WriteByte(')')
	}
	return b.String()
}

// Sequence returns n numbers.
func (t *tx) Sequence(ctx context.Context, n int) ([]int64, error) {
	numbers := make([]int64, 0, n)
	err := t.Query(ctx, func(r sqlstore.Row) error {
		var number int64
		err := r.Scan(&number)
		numbers = append(numbers, number)
		t.grown = t.grown || milestone(number)
		return err
	}, "SELECT nextval('resource_seq') FROM generate_series(1, $1::integer)", n)
	return numbers, err
}

// milestone reports whether a number is a power of 4 that is worth statistics.
func milestone(n int64) bool {
	return n >= 64 && n&(n-1) == 0 && bits.TrailingZeros64(uint64(n))%2 == 0
}

// gather gathers the statistics by which statements are planned. PostgreSQL does so itself, but not at once, and without any it does
// not see which index finds one resource and which finds all. It is no matter when it fails.
func gather(ctx context.Context, conn *pgx.Conn) {
	late, cancel := patient(ctx)
	defer cancel()
	_, _ = conn.Exec(late, "ANALYZE resources, uniques, terms, members")
}

func query(ctx context.Context, conn *pgx.Conn, row func(sqlstore.Row) error, text string, args []any) error {
	rows, err := conn.Query(ctx, text, args...)
	if err == nil {
		err = each(rows, row)
	}
	return lost(conn, err)
}

func each(rows pgx.Rows, row func(sqlstore.Row) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
