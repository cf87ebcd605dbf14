package main

import (
	"cmp"
	"context"
	"errors"

	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
	"github.com/scimbridge/scim/server/postgres"
	"github.com/scimbridge/scim/server/sqlite"
)

// stores are the stores that -store names. Each opens what -dsn names, and returns how to close it.
var stores = map[string]func(ctx context.Context, dsn string) (server.Store, func() error, error){
	"memory":   openMemory,
	"postgres": openPostgres,
	"sqlite":   openSQLite,
}

func openMemory(_ context.Context, dsn string) (server.Store, func() error, error) {
	if dsn != "" {
		return nil, nil, errors.New("-store memory keeps nothing in a file: it takes no -dsn")
	}
	return memory.New(), func() error { return nil }, nil
}

func openSQLite(ctx context.Context, dsn string) (server.Store, func() error, error) {
	s, err := sqlite.Open(ctx, cmp.Or(dsn, "scim.db"))
	if err != nil {
		return nil, nil, err
	}
	// A newer version of the program may index more.
	if err := reindex(ctx, s); err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return s, s.Close, nil
}

func openPostgres(ctx context.Context, dsn string) (server.Store, func() error, error) {
	s, err := postgres.Open(ctx, dsn)
	if err != nil {
		return nil, nil, err
	}
	if err := reindex(ctx, s); err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return s, s.Close, nil
}

// reindex brings the indexes of a store to what this program makes of its schemas.
func reindex(ctx context.Context, s interface {
	Reindex(ctx context.Context, resourceType string, sc *schema.Schema) error
},
) error {
	return errors.Join(s.Reindex(ctx, "User", schema.User()), s.Reindex(ctx, "Group", schema.Group()))
}
