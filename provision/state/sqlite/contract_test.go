package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/state/statetest"
)

func TestContract(t *testing.T) {
	statetest.Run(t, func(t *testing.T) statetest.Open {
		path := filepath.Join(t.TempDir(), "state.db")
		return func(t *testing.T) provision.State { return open(t, path) }
	})
}
