package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// errDSN says no more, because whatever else it said could be a part of the password.
var errDSN = errors.New("the connection string is malformed; in a URL, special characters of the password must be percent-encoded")

// Open returns a pool of connections. No error has the connection string or a password.
func Open(ctx context.Context, dsn string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, errDSN
	}
	if params := config.ConnConfig.RuntimeParams; params["application_name"] == "" {
		params["application_name"] = "scimbridge"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, errDSN
	}
	return pool, nil
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
