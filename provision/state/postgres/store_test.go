package postgres_test

import (
	"testing"

	"github.com/scimbridge/scim/internal/postgrestest"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/state/postgres"
	"github.com/scimbridge/scim/provision/state/statetest"
)

func open(t *testing.T, dsn string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestContract(t *testing.T) {
	statetest.Run(t, func(t *testing.T) statetest.Open {
		dsn := postgrestest.Schema(t)
		return func(t *testing.T) provision.State { return open(t, dsn) }
	})
}
