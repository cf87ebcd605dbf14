package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/scimbridge/scim/internal/postgres"
	"github.com/scimbridge/scim/provision"
)

// lease is the right to run a job.
type lease struct {
	// conn holds the lock.
	conn *pgx.Conn
	// epoch is the number of the lease: who has a lower one has lost it.
	epoch int64
}

// advisory names the lock of a job: by the table, too, so that it is another one in another schema.
const advisory = "'provision_leases'::regclass::oid::integer, $1::integer"

// settings make a lease last, and end soon after its machine: the server is to ask every ten seconds whether the connection
// is still there. Servers have them or not, according to their version.
const settings = `SELECT set_config(s.name, v.value, true) FROM pg_settings s JOIN (VALUES
	('idle_in_transaction_session_timeout', '0'), ('transaction_timeout', '0'),
	('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '4')) v(name, value) ON v.name = s.name`

// Acquire takes the lease of a job. See the package's documentation for how it ends.
func (s *Store) Acquire(ctx context.Context, job string) (func() error, error) {
	l := &lease{}
	s.mu.Lock()
	taken := s.leases[job] != nil
	if !taken {
		s.leases[job] = l
	}
	s.mu.Unlock()
	if taken {
		return nil, provision.ErrBusy
	}
	if s.fork == nil {
		if err := s.take(ctx, job, l); err != nil {
			s.forgetLease(job)
			return nil, err
		}
	}
	return func() error {
		s.forgetLease(job)
		l.end()
		return nil
	}, nil
}

func (s *Store) forgetLease(job string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.leases, job)
}

func (s *Store) take(ctx context.Context, job string, l *lease) error {
	id, err := s.jobID(ctx, job, true)
	if err != nil {
		return err
	}
	l.conn, err = postgres.Connect(ctx, s.pool)
	if err != nil {
		return fmt.Errorf("postgres: lease: %w", err)
	}
	if err := l.take(ctx, s, id); err != nil {
		l.end()
		return err
	}
	return nil
}

func (l *lease) take(ctx context.Context, s *Store, id int32) error {
	// In this isolation level the transaction keeps nothing from being cleaned up.
	if _, err := l.conn.Exec(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED"); err != nil {
		return fmt.Errorf("postgres: lease: %w", err)
	}
	if _, err := l.conn.Exec(ctx, settings); err != nil {
		return fmt.Errorf("postgres: lease: %w", err)
	}
	var got bool
	if err := l.conn.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock("+advisory+")", id).Scan(&got); err != nil {
		return fmt.Errorf("postgres: lease: %w", err)
	}
	if !got {
		return provision.ErrBusy
	}
	// It waits for what the holder before is committing just now. From then on that one cannot.
	err := s.pool.QueryRow(ctx, "UPDATE provision_leases SET epoch = epoch + 1 WHERE job = $1 RETURNING epoch", id).Scan(&l.epoch)
	if err != nil {
		return fmt.Errorf("postgres: lease: %w", err)
	}
	return nil
}

// patience is how long the end of a lease may take, and a commit after the program has been told to stop.
const patience = 30 * time.Second

// end gives the lease back. It cannot fail: when the server does not answer, the lease ends with the connection.
func (l *lease) end() {
	if l.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	// The server takes its time to see that a connection is closed; after this, the next process need not wait for that.
	_, _ = l.conn.Exec(ctx, "ROLLBACK")
	_ = l.conn.Close(ctx)
}
