package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/sqlite"
	"github.com/scimbridge/scim/server/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) server.Store { return open(t, filepath.Join(t.TempDir(), "scim.db")) })
}

// open opens a file that is closed at the end of the test.
func open(t testing.TB, path string, options ...sqlite.Option) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}
