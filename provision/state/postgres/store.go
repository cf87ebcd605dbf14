package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/scimbridge/scim/internal/postgres"
	"github.com/scimbridge/scim/provision"
)

// Store is a [provision.State] in a PostgreSQL database. It is safe for concurrent use.
type Store struct {
	pool *pgxpool.Pool
	// close ends what Open began.
	close func()
	// fork is set in a store that is thrown away.
	fork *fork

	mu     sync.Mutex
	jobs   map[string]int32
	leases map[string]*lease
}

var _ provision.State = (*Store)(nil)

// Open opens the state in the database that a connection string names (a URL, or key=value pairs), and makes or updates its
// tables. Errors never have the connection string.
func Open(ctx context.Context, dsn string) (*Store, error) {
	pool, err := postgres.Open(ctx, dsn)
	if err != nil {
		return nil, fmt.Errorf("postgres: open state: %w", err)
	}
	s, err := New(ctx, pool)
	if err != nil {
		pool.Close()
		return nil, err
	}
	s.close = pool.Close
	return s, nil
}

// New does the same with connections of the program's own, which Close leaves open. Each lease makes a connection more, as the pool would.
func New(ctx context.Context, pool *pgxpool.Pool) (*Store, error) {
	if err := postgres.Migrate(ctx, pool, "", versionTable, migrations); err != nil {
		return nil, fmt.Errorf("postgres: open state: %w", err)
	}
	return newStore(pool, func() {}), nil
}

func newStore(pool *pgxpool.Pool, closing func()) *Store {
	return &Store{pool: pool, close: closing, jobs: map[string]int32{}, leases: map[string]*lease{}}
}

// Close closes the connections, and throws a fork away. Leases are to be released before.
func (s *Store) Close() error {
	s.close()
	return nil
}

// query runs a statement and calls scan for each row.
func (s *Store) query(ctx context.Context, scan func(pgx.Rows) error, text string, args ...any) error {
	if s.fork != nil {
		s.fork.mu.Lock()
		defer s.fork.mu.Unlock()
		return eachRow(ctx, s.fork.conn, scan, text, args)
	}
	return eachRow(ctx, s.pool, scan, text, args)
}

type querier interface {
	Query(ctx context.Context, text string, args ...any) (pgx.Rows, error)
}

func eachRow(ctx context.Context, q querier, scan func(pgx.Rows) error, text string, args []any) error {
	rows, err := q.Query(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("postgres: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// one returns the value that a statement returns, and whether there is one.
func one[V any](ctx context.Context, s *Store, text string, args ...any) (v V, ok bool, err error) {
	err = s.query(ctx, func(rows pgx.Rows) error {
		ok = true
		return rows.Scan(&v)
	}, text, args...)
	return v, ok, err
}

// jobID returns the number of a job, or 0 when there is none of the name and it is not to be made.
func (s *Store) jobID(ctx context.Context, name string, create bool) (int32, error) {
	s.mu.Lock()
	id, ok := s.jobs[name]
	s.mu.Unlock()
	if ok {
		return id, nil
	}
	key, _ := short(name)
	id, ok, err := one[int32](ctx, s, "SELECT id FROM provision_jobs WHERE name = $1", key)
	if err == nil && !ok && create {
		// Another process may be doing the same.
		id, _, err = one[int32](ctx, s, `WITH made AS (
	INSERT INTO provision_jobs (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id
), lease AS (
	INSERT INTO provision_leases (job) SELECT id FROM made ON CONFLICT (job) DO NOTHING
) SELECT id FROM made`, key)
	}
	if err != nil || id == 0 {
		return 0, err
	}
	s.mu.Lock()
	s.jobs[name] = id
	s.mu.Unlock()
	return id, nil
}

// Job returns what is known of a job.
func (s *Store) Job(ctx context.Context, job string) (provision.JobState, error) {
	var state provision.JobState
	key, _ := short(job)
	data, _, err := one[*string](ctx, s, "SELECT data FROM provision_jobs WHERE name = $1", key)
	if err == nil && data != nil {
		err = json.Unmarshal([]byte(*data), &state)
	}
	if err != nil {
		return provision.JobState{}, fmt.Errorf("read job: %w", err)
	}
	return state, nil
}

// fork is a transaction that is never committed.
type fork struct {
	mu   sync.Mutex
	conn *pgx.Conn
	// lastKeys are the keys given by the fork, by job.
	lastKeys map[int32]int64
}

// Fork returns the state as it is now, in a transaction that is rolled back by Close. See the package's documentation.
func (s *Store) Fork(ctx context.Context) (provision.State, error) {
	if s.fork != nil {
		return nil, errors.New("postgres: a fork cannot be forked")
	}
	conn, err := postgres.Connect(ctx, s.pool)
	if err != nil {
		return nil, fmt.Errorf("postgres: fork: %w", err)
	}
	closing := func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		// The server undoes the transaction anyway, but takes its time to see that a connection is closed.
		_, _ = conn.Exec(ctx, "ROLLBACK")
		_ = conn.Close(ctx)
	}
	for _, text := range []string{"BEGIN ISOLATION LEVEL REPEATABLE READ", settings, "SELECT count(*) FROM provision_version"} {
		if _, err := conn.Exec(ctx, text); err != nil {
			closing()
			return nil, fmt.Errorf("postgres: fork: %w", err)
		}
	}
	f := newStore(s.pool, closing)
	f.fork = &fork{conn: conn, lastKeys: map[int32]int64{}}
	return f, nil
}

// timestamp keeps the zero time zero, and drops what PostgreSQL does not hold.
func timestamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Microsecond)
	return &t
}

func fromTimestamp(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
