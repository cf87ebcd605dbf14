// Million measures a SQL store with many users and one large group: how long it takes to load them, how large the database is, and how
// long requests take.
//
//	go run ./million -store sqlite -dsn /tmp/million.db
//	go run ./million -store sqlite -dsn /tmp/million.db -loaded   # measure again what is there already
//	go run ./million -store postgres -dsn 'postgres:///million?host=/run/postgresql&user=postgres'
//
// Requests go to the handler directly: no network is in the figures, everything else is.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/postgres"
	"github.com/scimbridge/scim/server/sqlite"
)

// store is a store that can be measured.
type store struct {
	server.Store
	loader
	// size returns how many bytes the database has on disk.
	size  func(ctx context.Context) (int64, error)
	close func() error
}

func main() {
	kind := flag.String("store", "sqlite", "sqlite, or postgres")
	dsn := flag.String("dsn", "million.db", "the file, or the connection string of an empty database")
	relaxed := flag.Bool("relaxed", false, "sqlite: do not wait for the disk")
	loaded := flag.Bool("loaded", false, "the users are there already")
	var m measurement
	flag.IntVar(&m.users, "users", 1_000_000, "how many users")
	flag.IntVar(&m.members, "members", 100_000, "how many members the large group has")
	flag.IntVar(&m.requests, "requests", 2000, "how many requests of each kind")
	flag.Parse()
	ctx := context.Background()
	s, err := open(ctx, *kind, *dsn, *relaxed)
	if err == nil {
		err = m.run(ctx, s, !*loaded)
	}
	if err == nil {
		err = s.close()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "million: %v\n", err)
		os.Exit(1)
	}
}

func open(ctx context.Context, kind, dsn string, relaxed bool) (*store, error) {
	switch kind {
	case "sqlite":
		var options []sqlite.Option
		if relaxed {
			options = append(options, sqlite.Relaxed())
		}
		s, err := sqlite.Open(ctx, dsn, options...)
		if err != nil {
			return nil, err
		}
		return &store{Store: s, loader: s, size: func(context.Context) (int64, error) { return fileSize(dsn) }, close: s.Close}, nil
	case "postgres":
		pool, err := pgxpool.New(ctx, dsn)
		if err != nil {
			return nil, fmt.Errorf("-dsn: %w", err)
		}
		s, err := postgres.Open(ctx, dsn)
		if err != nil {
			return nil, err
		}
		return &store{Store: s, loader: s, size: func(ctx context.Context) (n int64, err error) {
			err = pool.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&n)
			return n, err
		}, close: func() error { pool.Close(); return s.Close() }}, nil
	}
	return nil, fmt.Errorf("-store %q: there are sqlite and postgres", strings.TrimSpace(kind))
}

// fileSize returns the size of a SQLite database with its log.
func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	size := info.Size()
	if info, err := os.Stat(path + "-wal"); err == nil {
		size += info.Size()
	}
	return size, nil
}
