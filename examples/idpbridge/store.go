package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/scimbridge/scim/provision"
	statepostgres "github.com/scimbridge/scim/provision/state/postgres"
	statesqlite "github.com/scimbridge/scim/provision/state/sqlite"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
	"github.com/scimbridge/scim/server/postgres"
	"github.com/scimbridge/scim/server/sqlite"
)

// stores are the names of the stores.
var stores = []string{"sqlite", "postgres", "memory"}

// closers are closed together, the last one first.
type closers []io.Closer

func (c closers) close() (err error) {
	for i := len(c) - 1; i >= 0; i-- {
		if e := c[i].Close(); err == nil {
			err = e
		}
	}
	return err
}

// openStore opens what the options say that users and groups are kept in.
func openStore(ctx context.Context, o *options, open *closers) (server.Store, error) {
	switch o.store {
	case "sqlite":
		store, err := sqlite.Open(ctx, o.dsn)
		if err != nil {
			return nil, err
		}
		*open = append(*open, store)
		return store, nil
	case "postgres":
		store, err := postgres.Open(ctx, o.dsn)
		if err != nil {
			return nil, err
		}
		*open = append(*open, store)
		return store, nil
	case "memory":
		return memory.New(), nil
	}
	return nil, fmt.Errorf("there is no store %q", o.store)
}

// openState opens what the job remembers. With a store in memory it forgets everything too, as those who are no longer stored after a restart
// would look like people who left.
func openState(ctx context.Context, o *options, open *closers) (provision.State, error) {
	var state provision.State
	var err error
	switch {
	case o.store == "memory":
		state, err = statesqlite.Memory()
	case strings.HasPrefix(o.state, "postgres://") || strings.HasPrefix(o.state, "postgresql://"):
		state, err = statepostgres.Open(ctx, o.state)
	default:
		state, err = statesqlite.Open(o.state)
	}
	if err != nil {
		return nil, err
	}
	*open = append(*open, state)
	return state, nil
}
