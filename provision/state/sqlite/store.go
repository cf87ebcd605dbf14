package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/scimbridge/scim/provision"
)

// Store is a [provision.State] in a SQLite database. It is safe for concurrent use.
type Store struct {
	db   *sql.DB
	path string // empty in memory
	temp string // removed on Close

	mu    sync.Mutex
	held  map[string]bool
	jobs  map[string]int64
	kinds map[kind]int64
	stmts map[string]*sql.Stmt
}

var _ provision.State = (*Store)(nil)

type kind struct {
	job int64
	typ string
}

// Open opens a state file, and makes it when it is not there, readable for its owner only.
func Open(path string) (*Store, error) {
	if err := create(path); err != nil {
		return nil, fmt.Errorf("sqlite: open state: %w", err)
	}
	return open(path, dataSource(path, wait+"&_pragma=journal_mode(wal)"))
}

// creating is held while a file is made, so that another Open of this process does not use it before it is closed.
var creating sync.Mutex

// create makes the file when it is not there. One that is there is not touched: closing it would end the locks that SQLite holds on it for
// another [Store] of this process.
func create(path string) error {
	creating.Lock()
	defer creating.Unlock()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) { // another process was faster
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// Memory returns a state that is lost when it is closed.
func Memory() (*Store, error) {
	return open("", "file::memory:?"+wait)
}

// wait is how long SQLite waits for another process that writes.
const wait = "_pragma=busy_timeout(10000)"

// dataSource returns the name of a database file, whatever characters its path has.
func dataSource(path, pragma string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()}
	return u.String() + "?_pragma=synchronous(normal)&_txlock=immediate&" + pragma
}

func open(path, source string) (*Store, error) {
	db, err := sql.Open("sqlite", source)
	if err != nil {
		return nil, fmt.Errorf("sqlite: open state: %w", err)
	}
	// One connection: SQLite has one writer anyway, and a database in memory belongs to its connection.
	db.SetMaxOpenConns(1)
	if err := migrate(context.Background(), db, migrations); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("sqlite: open state %s: %w", path, err)
	}
	return &Store{
		db: db, path: path, held: map[string]bool{}, jobs: map[string]int64{}, kinds: map[kind]int64{},
		stmts: map[string]*sql.Stmt{},
	}, nil
}

// Close closes the file.
func (s *Store) Close() error {
	err := s.db.Close()
	if s.temp != "" {
		err = errors.Join(err, os.RemoveAll(s.temp))
	}
	return err
}

// Acquire takes the lease of a job: in this process by a mark, among processes by a lock on a file of its own, which the operating
// system lets go of when the process ends.
func (s *Store) Acquire(ctx context.Context, job string) (func() error, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[job] {
		return nil, provision.ErrBusy
	}
	unlock := func() error { return nil }
	if s.path != "" && s.temp == "" {
		var err error
		if unlock, err = lockFile(ctx, s.path+"."+url.PathEscape(job)+".lock"); err != nil {
			return nil, err
		}
	}
	s.held[job] = true
	return func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.held, job)
		return unlock()
	}, nil
}

func lockFile(ctx context.Context, path string) (func() error, error) {
	db, err := sql.Open("sqlite", dataSource(path, "_pragma=busy_timeout(0)"))
	if err != nil {
		return nil, fmt.Errorf("sqlite: lock: %w", err)
	}
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err == nil {
		// The lock must outlive the context that it was taken with.
		_, err = conn.ExecContext(context.WithoutCancel(ctx), "BEGIN EXCLUSIVE")
	}
	if err == nil {
		return func() error { return errors.Join(conn.Close(), db.Close()) }, nil
	}
	_ = db.Close()
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY {
		return nil, provision.ErrBusy
	}
	return nil, fmt.Errorf("sqlite: lock: %w", err)
}

// Fork copies the state into a file of its own in the directory for temporary files.
func (s *Store) Fork(ctx context.Context) (provision.State, error) {
	dir, err := os.MkdirTemp("", "scimbridge-plan-")
	if err != nil {
		return nil, fmt.Errorf("sqlite: copy state: %w", err)
	}
	path := filepath.Join(dir, "state.db")
	if _, err := s.db.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("sqlite: copy state: %w", err)
	}
	// It is thrown away, so nothing has to survive a crash.
	fork, err := open(path, dataSource(path, "_pragma=journal_mode(off)"))
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	fork.temp = dir
	return fork, nil
}

// stmt returns a prepared statement. The statements of this package are few and fixed.
func (s *Store) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st, ok := s.stmts[text]; ok {
		return st, nil
	}
	st, err := s.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	s.stmts[text] = st
	return st, nil
}

// jobID returns the number of a job, or 0 when there is none of the name and it is not to be made.
func (s *Store) jobID(ctx context.Context, name string, create bool) (int64, error) {
	return s.id(ctx, s.jobs, name, create, "SELECT id FROM jobs WHERE name = ?", "INSERT INTO jobs (name) VALUES (?)", name)
}

func (s *Store) kindID(ctx context.Context, job, typ string, create bool) (int64, error) {
	id, err := s.jobID(ctx, job, create)
	if err != nil || id == 0 {
		return 0, err
	}
	s.mu.Lock()
	known, ok := s.kinds[kind{id, typ}]
	s.mu.Unlock()
	if ok {
		return known, nil
	}
	k, err := s.lookupID(ctx, create, "SELECT id FROM kinds WHERE job = ? AND type = ?", "INSERT INTO kinds (job, type) VALUES (?, ?)", id, typ)
	if err != nil || k == 0 {
		return 0, err
	}
	s.mu.Lock()
	s.kinds[kind{id, typ}] = k
	s.mu.Unlock()
	return k, nil
}

func (s *Store) id(ctx context.Context, cache map[string]int64, name string, create bool, query, insert string, args ...any) (int64, error) {
	s.mu.Lock()
	known, ok := cache[name]
	s.mu.Unlock()
	if ok {
		return known, nil
	}
	id, err := s.lookupID(ctx, create, query, insert, args...)
	if err != nil || id == 0 {
		return 0, err
	}
	s.mu.Lock()
	cache[name] = id
	s.mu.Unlock()
	return id, nil
}

func (s *Store) lookupID(ctx context.Context, create bool, query, insert string, args ...any) (id int64, err error) {
	err = s.db.QueryRowContext(ctx, query, args...).Scan(&id)
	if err == nil {
		return id, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("sqlite: %w", err)
	}
	if !create {
		return 0, nil
	}
	// Another goroutine may have been quicker.
	if _, err := s.db.ExecContext(ctx, insert+" ON CONFLICT DO NOTHING", args...); err != nil {
		return 0, fmt.Errorf("sqlite: %w", err)
	}
	if err := s.db.QueryRowContext(ctx, query, args...).Scan(&id); err != nil {
		return 0, fmt.Errorf("sqlite: %w", err)
	}
	return id, nil
}

// Job returns what is known of a job.
func (s *Store) Job(ctx context.Context, job string) (provision.JobState, error) {
	var data []byte
	var state provision.JobState
	err := s.db.QueryRowContext(ctx, "SELECT data FROM jobs WHERE name = ?", job).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) || err == nil && data == nil {
		return state, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &state)
	}
	if err != nil {
		return provision.JobState{}, fmt.Errorf("sqlite: read job: %w", err)
	}
	return state, nil
}

// selectLinked repeats the condition of the index, without which SQLite does not use it.
const selectLinked = "SELECT key FROM objects WHERE kind = ? AND target_id = ? AND target_id <> ''"

// Linked returns the key of the record that is linked to a target object.
func (s *Store) Linked(ctx context.Context, job, objectType, targetID string) (int64, error) {
	k, err := s.kindID(ctx, job, objectType, false)
	if err != nil || k == 0 || targetID == "" {
		return 0, err
	}
	st, err := s.stmt(ctx, selectLinked)
	if err != nil {
		return 0, err
	}
	var key int64
	err = st.QueryRowContext(ctx, k, targetID).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("sqlite: %w", err)
	}
	return key, nil
}

// chunk is how many values one statement takes. The last chunk is filled up with its last value, so that there is one statement.
const chunk = 256

var placeholders = strings.TrimSuffix(strings.Repeat("?,", chunk), ",")

// inChunks runs a statement that ends in an IN list for all values and scans the rows.
func inChunks[V any](ctx context.Context, s *Store, text string, fixed []any, values []V, scan func(*sql.Rows) error) error {
	for len(values) > 0 {
		n := min(chunk, len(values))
		// A few values are asked for often, when one object is looked at.
		width := chunk
		list := placeholders
		if n == 1 {
			width, list = 1, "?"
		}
		args := append(make([]any, 0, len(fixed)+width), fixed...)
		for i := range width {
			args = append(args, values[min(i, n-1)])
		}
		st, err := s.stmt(ctx, strings.Replace(text, "(?)", "("+list+")", 1))
		if err != nil {
			return err
		}
		if err := scanRows(ctx, st, args, scan); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

func scanRows(ctx context.Context, st *sql.Stmt, args []any, scan func(*sql.Rows) error) error {
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("sqlite: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return nil
}

// unixTime keeps the zero time zero.
func unixTime(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromUnix(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
