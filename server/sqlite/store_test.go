package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/sqlstore/sqlstoretest"
	"github.com/scimbridge/scim/server/memory"
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

func TestAnswersAsMemoryDoes(t *testing.T) {
	for seed := range uint64(3) {
		storetest.Compare(t, memory.New(), open(t, filepath.Join(t.TempDir(), "scim.db"), sqlite.Relaxed()), seed, 400)
	}
}

// Two programs that index different attributes, or have different versions of this package, use one file. None trusts what the other has
// indexed, and all answers are right.
func TestAnswersAsMemoryDoesWhileIndexesDiffer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scim.db")
	one, other := open(t, path, sqlite.Relaxed()), open(t, path, sqlite.Relaxed(), sqlite.Indexed("title", "name.familyName"))
	storetest.Compare(t, memory.New(), &alternating{stores: [2]*sqlite.Store{one, other}}, 7, 400)
}

// alternating is two stores that are called by turns.
type alternating struct {
	stores [2]*sqlite.Store
	calls  int
}

func (a *alternating) next() *sqlite.Store {
	a.calls++
	return a.stores[a.calls/3%2]
}

func (a *alternating) Create(ctx context.Context, r server.Resource) error {
	return a.next().Create(ctx, r)
}

func (a *alternating) Get(ctx context.Context, key server.Key, omit ...string) (server.Resource, error) {
	return a.next().Get(ctx, key, omit...)
}

func (a *alternating) Query(ctx context.Context, q server.Query) (server.Page, error) {
	return a.next().Query(ctx, q)
}

func (a *alternating) Update(ctx context.Context, u server.Update) error {
	return a.next().Update(ctx, u)
}

func (a *alternating) Delete(ctx context.Context, key server.Key, ifVersion string) error {
	return a.next().Delete(ctx, key, ifVersion)
}

func (a *alternating) UpdateMembers(ctx context.Context, u server.MemberUpdate) (server.MemberResult, error) {
	return a.next().UpdateMembers(ctx, u)
}

func (a *alternating) Memberships(ctx context.Context, tenant string, ids []string) (map[string][]server.Membership, error) {
	return a.next().Memberships(ctx, tenant, ids)
}

func TestBeyondTheContract(t *testing.T) {
	sqlstoretest.Run(t, func(t *testing.T) func(indexed ...string) sqlstoretest.Store {
		path := filepath.Join(t.TempDir(), "scim.db")
		return func(indexed ...string) sqlstoretest.Store { return open(t, path, sqlite.Indexed(indexed...)) }
	})
}
