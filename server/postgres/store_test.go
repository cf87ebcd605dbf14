package postgres_test

import (
	"testing"

	"github.com/scimbridge/scim/internal/postgrestest"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/sqlstore/sqlstoretest"
	"github.com/scimbridge/scim/server/memory"
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

func TestAnswersAsMemoryDoes(t *testing.T) {
	for seed := range uint64(3) {
		storetest.Compare(t, memory.New(), open(t, postgrestest.Schema(t)), seed, 600)
	}
}

// The database orders and compares texts as a dictionary does, by default; the answers are the same.
func TestAnswersAsMemoryDoesWhateverTheCollation(t *testing.T) {
	var version int
	if err := connect(t, postgrestest.Schema(t)).QueryRow(t.Context(), "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		t.Fatal(err)
	}
	if version < 150000 {
		t.Skip("left out: PostgreSQL 14 has no databases with an ICU collation")
	}
	dsn := postgrestest.Database(t, "LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'")
	storetest.Compare(t, memory.New(), open(t, dsn), 11, 600)
}

func TestBeyondTheContract(t *testing.T) {
	sqlstoretest.Run(t, func(t *testing.T) func(indexed ...string) sqlstoretest.Store {
		dsn := postgrestest.Schema(t)
		return func(indexed ...string) sqlstoretest.Store { return open(t, dsn, postgres.Indexed(indexed...)) }
	})
}
