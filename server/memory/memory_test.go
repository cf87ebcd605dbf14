package memory_test

import (
	"testing"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
	"github.com/scimbridge/scim/server/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) server.Store { return memory.New() })
}
