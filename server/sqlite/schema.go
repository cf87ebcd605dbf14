package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/scimbridge/scim/server/internal/sqlstore"
)

// migrations bring a file from version i to i+1. They are only ever appended to. Package sqlstore says what the tables are for.
var migrations = [...]string{
	`
CREATE TABLE resources (
	seq      INTEGER PRIMARY KEY,
	tenant   TEXT NOT NULL,
	type     TEXT NOT NULL,
	id       TEXT NOT NULL,
	version  TEXT NOT NULL,
	members  INTEGER NOT NULL,
	shape    INTEGER NOT NULL,
	search   BLOB,
	-- Behind search, so that who looks for something does not have to read it: what is long is in a chain of pages.
	document TEXT NOT NULL
);
CREATE UNIQUE INDEX resources_id ON resources (tenant, type, id);
CREATE INDEX resources_order ON resources (tenant, type, seq);
CREATE INDEX resources_shape ON resources (tenant, type, shape);
CREATE TABLE uniques (
	tenant    TEXT NOT NULL,
	scope     TEXT NOT NULL,
	attribute TEXT NOT NULL,
	value     TEXT NOT NULL,
	owner     INTEGER NOT NULL,
	PRIMARY KEY (tenant, scope, attribute, value)
) WITHOUT ROWID;
CREATE INDEX uniques_owner ON uniques (owner);
CREATE TABLE terms (
	tenant    TEXT NOT NULL,
	type      TEXT NOT NULL,
	attribute TEXT NOT NULL,
	value     TEXT NOT NULL,
	owner     INTEGER NOT NULL,
	PRIMARY KEY (tenant, type, attribute, value, owner)
) WITHOUT ROWID;
CREATE INDEX terms_owner ON terms (owner);
CREATE TABLE members (
	tenant   TEXT NOT NULL,
	owner    INTEGER NOT NULL,
	position INTEGER NOT NULL,
	value    TEXT NOT NULL,
	element  TEXT,
	PRIMARY KEY (tenant, owner, position)
) WITHOUT ROWID;
CREATE UNIQUE INDEX members_value ON members (tenant, value, owner);
CREATE TABLE counts (
	tenant TEXT NOT NULL,
	type   TEXT NOT NULL,
	slot   INTEGER NOT NULL,
	n      INTEGER NOT NULL,
	PRIMARY KEY (tenant, type, slot)
) WITHOUT ROWID;
CREATE TABLE shapes (
	id          INTEGER PRIMARY KEY,
	fingerprint TEXT NOT NULL UNIQUE
);
-- The last seq that was given away. A number is not used again, so that a cursor never means another resource.
CREATE TABLE sequence (last INTEGER NOT NULL);
INSERT INTO sequence VALUES (0);
-- What the planner has to know: a tenant and a type may have all there is, so that only what comes behind them in an index makes it
-- worth using. Counted figures, of a file that is small still, would have it do otherwise.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
	('resources', 'resources_id', '1000000 500000 250000 1'),
	('resources', 'resources_order', '1000000 500000 250000 1'),
	('resources', 'resources_shape', '1000000 500000 250000 250000'),
	('uniques', 'uniques', '1000000 500000 250000 250000 1'),
	('uniques', 'uniques_owner', '1000000 1'),
	('terms', 'terms', '4000000 2000000 1000000 250000 2 1'),
	('terms', 'terms_owner', '4000000 4'),
	('members', 'members', '1000000 500000 1000 1'),
	('members', 'members_value', '1000000 500000 5 1');
ANALYZE sqlite_schema;
`,
}

// applicationID marks the files of this package: "SCIM" in ASCII.
const applicationID = 0x5343494d

// migrate brings the file to the newest version, in one transaction. It changes nothing in a file that is not of this package, and waits
// for nobody when there is nothing to do.
func migrate(ctx context.Context, c *conn) error {
	version, err := versionOf(ctx, c)
	if err != nil || version == len(migrations) {
		return err
	}
	return c.transact(ctx, "BEGIN IMMEDIATE", func() error {
		version, err := versionOf(ctx, c) // another process may have been faster
		if err != nil {
			return err
		}
		for _, m := range migrations[version:] {
			if _, err := c.ExecContext(ctx, m); err != nil {
				return err
			}
		}
		_, err = c.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", len(migrations), applicationID))
		return err
	})
}

// versionOf returns the version of a file that this program can work on.
func versionOf(ctx context.Context, c *conn) (version int, err error) {
	var application, tables int
	err = c.Query(ctx, func(r sqlstore.Row) error { return r.Scan(&version, &application, &tables) },
		`SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version, pragma_application_id`)
	switch {
	case err != nil:
		return 0, err
	case application != applicationID && (application != 0 || version != 0 || tables != 0):
		return 0, errors.New("the file is a database of another program")
	case version > len(migrations):
		return 0, fmt.Errorf("the file has version %d, which a newer program wrote; this one knows %d", version, len(migrations))
	}
	return version, nil
}
