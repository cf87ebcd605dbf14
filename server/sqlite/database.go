package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/scimbridge/scim/server/internal/sqlstore"
)

// database is a file as package sqlstore uses it: any number of readers and one writer at a time, which have connections of
// their own.
type database struct {
	readers, writer *pool
	// patience is how long to wait for another process.
	patience time.Duration
}

var _ sqlstore.DB = (*database)(nil)

const (
	// maxReaders is how many queries run at once. They use the processor, mostly.
	maxReaders = 16
	// maxPrepared bounds the statements that are kept: the store has some dozens, and clients add those of the filters they use.
	maxPrepared = 300
	// cachePragma is how much of the file each connection keeps in memory, in KiB: the inner pages of all indexes of some millions
	// of resources.
	cachePragma = "cache_size(-16384)"
)

func open(ctx context.Context, path string, o options) (*database, error) {
	path, err := prepare(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: open store: %w", err)
	}
	durability := "synchronous(full)"
	if o.relaxed {
		durability = "synchronous(normal)"
	}
	// SQLite itself waits for a lock a part of the time: it looks for it more often.
	wait := fmt.Sprintf("busy_timeout(%d)", o.patience.Milliseconds()/4)
	db := &database{
		patience: o.patience, writer: newPool(path, 1, wait, cachePragma, "journal_mode(wal)", durability),
		readers: newPool(path, maxReaders, wait, cachePragma, "query_only(1)"),
	}
	// SQLite does not wait for its turn to switch to WAL.
	err = sqlstore.RetryFor(ctx, db.patience, isBusy, func() error {
		return db.writer.use(ctx, func(c *conn) error { return migrate(ctx, c) })
	})
	if err != nil {
		_ = db.close()
		return nil, fmt.Errorf("sqlite: open store %s: %w", path, explain(ctx, err))
	}
	return db, nil
}

// creating keeps Open from using a file that another call is making. Closing a file lets go of all locks that the process has on it, those
// of SQLite included: it must not happen when there may be some.
var creating sync.Mutex

// prepare makes the file when it is not there, readable for its owner only. It returns its absolute path: connections are made later, too.
func prepare(path string) (string, error) {
	if path == "" {
		return "", errors.New("no path of a file")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	creating.Lock()
	defer creating.Unlock()
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return "", fmt.Errorf("%s is a directory", path)
	case !errors.Is(err, fs.ErrNotExist):
		return path, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) { // another process was faster
		return path, nil
	}
	if err != nil {
		return "", err
	}
	return path, f.Close()
}

func (db *database) close() error { return errors.Join(db.readers.close(), db.writer.close()) }

// Query runs a statement on its own.
func (db *database) Query(ctx context.Context, row func(sqlstore.Row) error, text string, args ...any) error {
	return db.retry(ctx, func() error {
		return db.readers.use(ctx, func(c *conn) error { return c.Query(ctx, row, text, args...) })
	})
}

// Read runs do in a transaction.
func (db *database) Read(ctx context.Context, do func(sqlstore.Tx) error) error {
	return db.retry(ctx, func() error {
		return db.readers.use(ctx, func(c *conn) error { return c.transact(ctx, "BEGIN", func() error { return do(c) }) })
	})
}

// Write runs do in a transaction that holds the lock of the file from its beginning.
func (db *database) Write(ctx context.Context, do func(sqlstore.Tx) error) error {
	return db.retry(ctx, func() error {
		return db.writer.use(ctx, func(c *conn) error { return c.transact(ctx, "BEGIN IMMEDIATE", func() error { return do(c) }) })
	})
}

// retry tries again while another process is in the way. Whatever was tried has been undone then.
func (db *database) retry(ctx context.Context, try func() error) error {
	return explain(ctx, sqlstore.RetryFor(ctx, db.patience, isBusy, try))
}

func isBusy(err error) bool {
	code := codeOf(err)
	return code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED
}

// codeOf returns the primary result code of an error of SQLite, or 0.
func codeOf(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// explain says of errors that have a cause outside of the program what it is.
func explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err() // the statement was interrupted
	}
	switch codeOf(err) {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("the disk is full: %w", err)
	case sqlite3.SQLITE_READONLY:
		return fmt.Errorf("the file, or its directory, cannot be written: %w", err)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("the file is damaged; restore it from a copy: %w", err)
	case sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("the file cannot be opened: %w", err)
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("the file is not a SQLite database: %w", err)
	}
	return err
}
