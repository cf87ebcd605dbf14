package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/scimbridge/scim/internal/postgres"
	"github.com/scimbridge/scim/server/internal/sqlstore"
)

// database is a PostgreSQL database as package sqlstore uses it.
type database struct {
	pool *pgxpool.Pool
	// patience is how long to wait for it.
	patience time.Duration
}

var _ sqlstore.DB = database{}

const (
	beginRead = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	// Rows that are to stay as they are are locked.
	beginWrite = "BEGIN ISOLATION LEVEL READ COMMITTED"
	// A process whose machine fails in the middle of a transaction must not keep others waiting.
	endWhenIdle = "SET LOCAL idle_in_transaction_session_timeout = '30s'"
)

// Query runs a statement on its own.
func (db database) Query(ctx context.Context, row func(sqlstore.Row) error, text string, args ...any) error {
	return db.retry(ctx, func(conn *pgx.Conn) error {
		delivered := false
		err := query(ctx, conn, func(r sqlstore.Row) error {
			delivered = true
			return row(r)
		}, text, args)
		if err != nil && delivered {
			return &final{err} // the rows cannot be taken back
		}
		return err
	})
}

// Read runs do in a transaction that sees one state of the database.
func (db database) Read(ctx context.Context, do func(sqlstore.Tx) error) error {
	return db.retry(ctx, func(conn *pgx.Conn) error {
		tx := &tx{conn: conn, begin: []string{beginRead}}
		defer tx.rollback()
		if err := do(tx); err != nil {
			return tx.why(err)
		}
		return nil
	})
}

// Write runs do in a transaction.
func (db database) Write(ctx context.Context, do func(sqlstore.Tx) error) error {
	return db.retry(ctx, func(conn *pgx.Conn) error {
		tx := &tx{conn: conn, begin: []string{beginWrite, endWhenIdle}}
		defer tx.rollback()
		if err := do(tx); err != nil {
			return tx.why(err)
		}
		if err := tx.commit(ctx); err != nil {
			return err
		}
		if tx.grown {
			gather(ctx, conn)
		}
		return nil
	})
}

// retry runs try on a connection, and again while others are in the way or the connection was lost. Whatever was tried has been undone
// then.
func (db database) retry(ctx context.Context, try func(*pgx.Conn) error) error {
	err := sqlstore.RetryFor(ctx, db.patience, again, func() error {
		conn, err := db.pool.Acquire(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return &final{err}
			}
			return err
		}
		defer conn.Release()
		err = try(conn.Conn())
		if err != nil && ctx.Err() != nil {
			return &final{err}
		}
		return err
	})
	if e, ok := errors.AsType[*final](err); ok {
		err = e.error
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // the statement was cancelled, or the connection closed
	}
	return err
}

// final is an error after which nothing must be tried again.
type final struct{ error }

func (e *final) Unwrap() error { return e.error }

// again reports whether a transaction may succeed when it is run again. Errors of the store itself, such as that of a value that is taken,
// are no reason.
func again(err error) bool {
	if _, ok := errors.AsType[*final](err); ok {
		return false
	}
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch server.Code {
		case "57P01", "57P02", "57P03", // the server is being stopped or started
			"53300",          // too many connections
			"57014", "25P03", // cancelled by an administrator, or idle for too long
			"08000", "08003", "08006":
			return true
		}
		return postgres.Undone(err)
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	_, lost := errors.AsType[*lostError](err)
	return connecting || lost || pgconn.SafeToRetry(err)
}

// lostError says that the connection was lost while a transaction was open.
type lostError struct{ error }

func (e *lostError) Unwrap() error { return e.error }

// lost marks the errors of a connection that is not to be had any more, and that was not told to commit.
func lost(conn *pgx.Conn, err error) error {
	if err != nil && conn.IsClosed() {
		return &lostError{err}
	}
	return err
}

// patience is how long a commit and the end of a transaction may take when the client has gone.
const patience = 20 * time.Second

// patient returns a context that does not end with ctx, but in time.
func patient(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), patience)
}
