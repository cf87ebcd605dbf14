package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/scimbridge/scim/server/internal/sqlstore"
)

// pool is the connections for one purpose. They are kept until the end, with the statements prepared on them: preparing one costs
// more than running it.
type pool struct {
	source string
	// turn has room for as many as may have a connection.
	turn chan struct{}

	mu     sync.Mutex
	db     *sql.DB
	free   []*conn
	closed bool
}

var errClosed = errors.New("sqlite: store is closed")

func newPool(path string, most int, pragmas ...string) *pool {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()}
	return &pool{
		source: u.String() + "?" + url.Values{"_pragma": pragmas}.Encode(), turn: make(chan struct{}, most),
	}
}

// use calls do with a connection that nobody else has.
func (p *pool) use(ctx context.Context, do func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case p.turn <- struct{}{}:
	}
	defer func() { <-p.turn }()
	c, err := p.get(ctx)
	if err != nil {
		return err
	}
	defer p.put(c)
	return do(c)
}

func (p *pool) get(ctx context.Context) (*conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	if n := len(p.free); n > 0 { // the last one: it has the most in its cache
		c := p.free[n-1]
		p.free = p.free[:n-1]
		return c, nil
	}
	if p.db == nil {
		db, err := sql.Open("sqlite", p.source)
		if err != nil {
			return nil, err
		}
		p.db = db
	}
	c, err := p.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, prepared: make(map[string]*sql.Stmt)}, nil
}

func (p *pool) put(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.broken || p.closed {
		c.discard()
		return
	}
	p.free = append(p.free, c)
}

// close closes the connections; those in use when they are put back.
func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.free {
		c.discard()
	}
	p.free = nil
	if p.db == nil {
		return nil
	}
	return p.db.Close()
}

// conn is a connection. While a transaction is open it is its [sqlstore.Tx].
type conn struct {
	*sql.Conn
	prepared map[string]*sql.Stmt
	// broken says that nobody knows what state the connection is in.
	broken bool
}

// discard closes the connection for good.
func (c *conn) discard() {
	for _, st := range c.prepared {
		_ = st.Close()
	}
	_ = c.Raw(func(any) error { return driver.ErrBadConn })
}

// transact runs do between begin and COMMIT, or ROLLBACK when it fails or panics.
func (c *conn) transact(ctx context.Context, begin string, do func() error) error {
	if _, err := c.Exec(ctx, begin); err != nil {
		return err
	}
	done := false
	defer func() {
		if !done {
			c.rollback()
		}
	}()
	if err := do(); err != nil {
		return err
	}
	// What was done is not torn by a context that ends now.
	if _, err := c.Exec(context.WithoutCancel(ctx), "COMMIT"); err != nil {
		return err
	}
	done = true
	return nil
}

// rollback ends a transaction. SQLite has done so already after some failures, such as a full disk.
func (c *conn) rollback() {
	if _, err := c.Exec(context.Background(), "ROLLBACK"); err != nil {
		c.broken = true
	}
}

// stmt returns a statement prepared; nil when there are too many already.
func (c *conn) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	if st, ok := c.prepared[text]; ok || len(c.prepared) >= maxPrepared {
		return st, nil
	}
	st, err := c.PrepareContext(ctx, text)
	if err == nil {
		c.prepared[text] = st
	}
	return st, err
}

// Query runs a statement and calls row for all rows of its result.
func (c *conn) Query(ctx context.Context, row func(sqlstore.Row) error, text string, args ...any) error {
	st, err := c.stmt(ctx, text)
	if err != nil {
		return err
	}
	var rows *sql.Rows
	if st == nil {
		rows, err = c.QueryContext(ctx, text, args...)
	} else {
		rows, err = st.QueryContext(ctx, args...)
	}
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Exec runs a statement.
func (c *conn) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	st, err := c.stmt(ctx, text)
	if err != nil {
		return 0, err
	}
	var result sql.Result
	if st == nil {
		result, err = c.ExecContext(ctx, text, args...)
	} else {
		result, err = st.ExecContext(ctx, args...)
	}
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Sequence returns n numbers.
func (c *conn) Sequence(ctx context.Context, n int) ([]int64, error) {
	var last int64
	err := c.Query(ctx, func(r sqlstore.Row) error { return r.Scan(&last) },
		"UPDATE sequence SET last = last + $1 RETURNING last", int64(n))
	numbers := make([]int64, n)
	for i := range numbers {
		numbers[i] = last - int64(n-1-i)
	}
	return numbers, err
}

// Insert adds rows, many in one statement.
func (c *conn) Insert(ctx context.Context, table string, columns []string, rows [][]any) error {
	for _, n := range [...]int{64, 8, 1} {
		text := insertText(table, columns, n)
		for len(rows) >= n {
			args := make([]any, 0, n*len(columns))
			for _, row := range rows[:n] {
				args = append(args, row...)
			}
			if _, err := c.Exec(ctx, text, args...); err != nil {
				return err
			}
			rows = rows[n:]
		}
	}
	return nil
}

func insertText(table string, columns []string, rows int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES ")
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for j := range columns {
			if j > 0 {
				b.WriteByte(',')
			}
			place := "$" + strconv.Itoa(i*len(columns)+j+1)
			if columns[j] == "search" {
				place = "jsonb(" + place + ")"
			}
			b.WriteString(place)
		}
		b.WriteByte(')')
	}
	return b.String()
}
