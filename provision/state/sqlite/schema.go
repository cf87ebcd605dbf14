package sqlite

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations bring a file from version i to i+1. They are only ever appended to.
var migrations = []string{
	`
CREATE TABLE jobs (
	id   INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	data BLOB
);
CREATE TABLE kinds (
	id   INTEGER PRIMARY KEY,
	job  INTEGER NOT NULL,
	type TEXT NOT NULL,
	UNIQUE (job, type)
);
-- What a cycle looks at for every object is apart from the bulk of the data, so that it stays in memory.
CREATE TABLE objects (
	key       INTEGER PRIMARY KEY AUTOINCREMENT,
	kind      INTEGER NOT NULL,
	source_id TEXT NOT NULL,
	digest    BLOB NOT NULL,
	flags     INTEGER NOT NULL,
	target_id TEXT NOT NULL,
	display   TEXT NOT NULL,
	due       INTEGER NOT NULL,
	UNIQUE (kind, source_id)
);
CREATE INDEX objects_kind ON objects (kind);
CREATE UNIQUE INDEX objects_target ON objects (kind, target_id) WHERE target_id <> '';
CREATE INDEX objects_attention ON objects (kind, key) WHERE (flags & 2174) <> 0;
CREATE TABLE details (
	key  INTEGER PRIMARY KEY,
	data BLOB NOT NULL
);
CREATE TABLE matching (
	kind       INTEGER NOT NULL,
	value      TEXT NOT NULL,
	key        INTEGER NOT NULL,
	precedence INTEGER NOT NULL,
	PRIMARY KEY (kind, value, key)
) WITHOUT ROWID;
CREATE INDEX matching_key ON matching (key);
CREATE TABLE log (
	id        INTEGER PRIMARY KEY,
	job       INTEGER NOT NULL,
	time      INTEGER NOT NULL,
	source_id TEXT NOT NULL,
	target_id TEXT NOT NULL,
	status    TEXT NOT NULL,
	code      TEXT NOT NULL,
	cycle     TEXT NOT NULL,
	data      BLOB NOT NULL
);
CREATE INDEX log_time ON log (job, time);
CREATE INDEX log_source ON log (job, source_id);
CREATE INDEX log_target ON log (job, target_id);
`,
}

// migrate brings the file to the newest version, in one transaction.
func migrate(ctx context.Context, db *sql.DB, migrations []string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("the file has version %d, which a newer program wrote; this one knows %d", version, len(migrations))
	}
	if version == len(migrations) {
		return nil
	}
	for _, m := range migrations[version:] {
		if _, err := tx.ExecContext(ctx, m); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(migrations))); err != nil {
		return err
	}
	return tx.Commit()
}
