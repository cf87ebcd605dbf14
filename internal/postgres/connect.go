package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// errDSN says no more, because whatever else it said could be a part of the password.
var errDSN = errors.New("the connection string is malformed; in a URL, special characters of the password must be percent-encoded")

// Parse returns what a connection string says, and defaults for what it does not: how long connecting may take, how many connections there
// are, and that statements are planned for the values that they have, not once for all, since a group of two members and one of a hundred
// thousand are different things. No error has the connection string or a password.
func Parse(dsn string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, errDSN
	}
	if params := config.ConnConfig.RuntimeParams; params["application_name"] == "" {
		params["application_name"] = "scimbridge"
	}
	if !strings.Contains(dsn, "connect_timeout") {
		config.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	if !strings.Contains(dsn, "pool_max_conns") {
		config.MaxConns = max(config.MaxConns, 16)
	}
	if !strings.Contains(dsn, "default_query_exec_mode") {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	return config, nil
}

// Open returns a pool of connections. No error has the connection string or a password.
func Open(ctx context.Context, dsn string) (*pgxpool.Pool, error) {
	config, err := Parse(dsn)
	if err != nil {
		return nil, err
	}
	return pgxpool.NewWithConfig(ctx, config)
}

// Connect makes a connection like those of a pool, which is not one of them.
func Connect(ctx context.Context, pool *pgxpool.Pool) (*pgx.Conn, error) {
	config := pool.Config()
	if config.BeforeConnect != nil {
		if err := config.BeforeConnect(ctx, config.ConnConfig); err != nil {
			return nil, fmt.Errorf("before connecting: %w", err)
		}
	}
	return pgx.ConnectConfig(ctx, config.ConnConfig)
}
