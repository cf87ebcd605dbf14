package postgres_test

import (
	"testing"

	"github.com/scimbridge/scim/internal/postgrestest"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/postgres"
	"github.com/scimbridge/scim/server/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) server.Store { return open(t, postgrestest.Schema(t)) })
}

// open opens a store that is closed at the end of the test.
func open(t testing.TB, dsn string, options ...postgres.Option) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
