package sqlite

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scimbridge/scim/provision"
)

// TestMigrate brings a file that an older program wrote to a newer version, with versions made up for the purpose.
func TestMigrate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	rec := &provision.Record{Head: provision.Head{SourceID: "1", TargetID: "t-1"}, Type: "User", Display: "Ada"}
	if err := s.Commit(t.Context(), "job", &provision.Commit{Put: []*provision.Record{rec}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	today := slices.Clone(migrations)
	version := func() (n int) {
		if err := db.QueryRow("PRAGMA user_version").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	broken := append(slices.Clone(today), "ALTER TABLE objects ADD COLUMN region TEXT NOT NULL DEFAULT 'eu'", "UPDATE nothing SET x = 1")
	if err := migrate(t.Context(), db, broken); err == nil || version() != len(today) {
		t.Fatalf("a migration that fails half-way: %v, version %d", err, version())
	}
	if _, err := db.Exec("SELECT region FROM objects"); err == nil {
		t.Fatal("a migration that failed left half of it behind")
	}
	newer := append(slices.Clone(today), "ALTER TABLE objects ADD COLUMN region TEXT NOT NULL DEFAULT 'eu'", "UPDATE objects SET region = 'us' WHERE display = 'Ada'")
	for range 2 { // the second time there is nothing to do
		if err := migrate(t.Context(), db, newer); err != nil {
			t.Fatal(err)
		}
	}
	var region, target string
	if err := db.QueryRow("SELECT region, target_id FROM objects").Scan(&region, &target); err != nil || region != "us" || target != "t-1" || version() != len(newer) {
		t.Errorf("region %q, target %q, version %d, %v", region, target, version(), err)
	}
	if err := migrate(t.Context(), db, today); err == nil || !strings.Contains(err.Error(), "newer program") {
		t.Errorf("an older program opened the file: %v", err)
	}
}

// TestIndexesAreUsed asks SQLite how it would find what a cycle looks for with each object. Without the indexes a job takes the square of
// the number of objects.
func TestIndexesAreUsed(t *testing.T) {
	s, err := Memory()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	rec := &provision.Record{Head: provision.Head{SourceID: "1"}, Type: "User"}
	if err := s.Commit(t.Context(), "job", &provision.Commit{Put: []*provision.Record{rec}}); err != nil {
		t.Fatal(err)
	}
	find := func(q provision.Query) string {
		where, _, none, err := s.where(t.Context(), "job", q)
		if err != nil || none {
			t.Fatal(err, none)
		}
		return indexed(recordColumns, q) + " WHERE " + where + " AND o.key > 0 ORDER BY o.key LIMIT 1"
	}
	for text, index := range map[string]string{
		selectLinked: "objects_target",
		"SELECT key FROM objects WHERE kind = ? AND source_id IN (?, ?)":                     "sqlite_autoindex_objects_1",
		"SELECT value FROM matching WHERE kind = ? AND value IN (?, ?)":                      "PRIMARY KEY",
		"DELETE FROM matching WHERE key = ?":                                                 "matching_key",
		find(provision.Query{Type: "User", Dirty: true}):                                     "objects_attention",
		find(provision.Query{Type: "User", Failed: true, DueBefore: time.Now()}):             "objects_attention",
		find(provision.Query{Creating: true}):                                                "objects_attention",
		find(provision.Query{Type: "User", Present: true}):                                   "objects_kind",
		"SELECT data FROM log WHERE job = ? ORDER BY time DESC, id DESC":                     "log_time",
		"SELECT data FROM log WHERE job = ? AND source_id = ? LIMIT 1":                       "log_source",
		"SELECT data FROM log WHERE job = ? AND target_id = 'x' LIMIT 1":                     "log_target",
		"SELECT d.data FROM objects o JOIN details d ON d.key = o.key WHERE o.key IN (?, ?)": "INTEGER PRIMARY KEY",
	} {
		if plan := planOf(t, s.db, text); !strings.Contains(plan, index) || strings.Contains(plan, "SCAN") {
			t.Errorf("%s\nis answered by %s, want %s", text, plan, index)
		}
	}
}

func planOf(t *testing.T, db *sql.DB, text string) string {
	t.Helper()
	args := make([]any, strings.Count(text, "?"))
	for i := range args {
		args[i] = 1
	}
	rows, err := db.QueryContext(context.Background(), "EXPLAIN QUERY PLAN "+text, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	return strings.Join(steps, "; ")
}
