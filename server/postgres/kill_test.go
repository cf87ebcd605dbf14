package postgres_test

import (
	"context"
	"os"
	"testing"

	"github.com/scimbridge/scim/internal/postgrestest"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/killtest"
	"github.com/scimbridge/scim/server/postgres"
)

func TestMain(m *testing.M) {
	killtest.Serve(func(ctx context.Context, dsn string) (server.Store, error) { return postgres.Open(ctx, dsn) })
	os.Exit(m.Run())
}

func TestServersAreKilledUnderWrites(t *testing.T) {
	killtest.Run(t, postgrestest.Schema(t), 50)
}

func TestTwoServersShareTheDatabase(t *testing.T) {
	killtest.Share(t, postgrestest.Schema(t))
}
