package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/killtest"
	"github.com/scimbridge/scim/server/sqlite"
)

func TestMain(m *testing.M) {
	killtest.Serve(func(ctx context.Context, dsn string) (server.Store, error) { return sqlite.Open(ctx, dsn) })
	os.Exit(m.Run())
}

func TestWhatWasAnsweredSurvivesKill(t *testing.T) {
	killtest.Run(t, filepath.Join(t.TempDir(), "scim.db"), 50)
}

func TestTwoProcessesShareAFile(t *testing.T) {
	killtest.Share(t, filepath.Join(t.TempDir(), "scim.db"))
}
