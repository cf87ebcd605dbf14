package postgres

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Migrate brings tables to the newest version. Steps bring them from version i to i+1; they are only ever appended to. Table
// is the one that holds the version. Schema, when not empty, is made if the tables would be in it and it is not there. Steps run once, each wholly or not at all, however many processes start at the same time. When there
// is nothing to do, only the right to read is needed.
func Migrate(ctx context.Context, pool *pgxpool.Pool, schema, table string, steps []string) error {
	version, err := readVersion(ctx, pool, table)
	if err != nil || version == len(steps) {
		return err
	}
	if version > len(steps) {
		return newer(version, len(steps))
	}
	for attempt := 0; ; attempt++ {
		err := pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
			return migrate(ctx, tx, schema, table, steps)
		})
		if !Undone(err) || attempt == 4 {
			return err
		}
	}
}

type querier interface {
	QueryRow(ctx context.Context, text string, args ...any) pgx.Row
}

// readVersion returns 0 when there is no table yet.
func readVersion(ctx context.Context, q querier, table string) (version int, err error) {
	var exists bool
	if err := q.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", table).Scan(&exists); err != nil || !exists {
		return 0, err
	}
	err = q.QueryRow(ctx, "SELECT version FROM "+table).Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return version, err
}

func migrate(ctx context.Context, tx pgx.Tx, schema, table string, steps []string) error {
	// Who is here first makes the others wait, and leaves them nothing to do.
	id := fnv.New64a()
	_, _ = id.Write([]byte("scimbridge migrations of " + table))
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(id.Sum64())); err != nil {
		return err
	}
	if err := makeSchema(ctx, tx, schema); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS "+table+" (version integer NOT NULL)"); err != nil {
		return err
	}
	version, err := readVersion(ctx, tx, table)
	if err != nil {
		return err
	}
	if version > len(steps) {
		return newer(version, len(steps))
	}
	for i, step := range steps[version:] {
		// A step is several statements, which only the simple protocol takes.
		if _, err := tx.Conn().PgConn().Exec(ctx, step).ReadAll(); err != nil {
			return fmt.Errorf("to version %d: %w", version+i+1, err)
		}
	}
	if _, err := tx.Exec(ctx, "DELETE FROM "+table); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO "+table+" (version) VALUES ($1)", len(steps))
	return err
}

// makeSchema makes a schema that the search path begins with. To find that it is there needs no rights.
func makeSchema(ctx context.Context, tx pgx.Tx, schema string) error {
	if schema == "" {
		return nil
	}
	var missing bool
	err := tx.QueryRow(ctx, `SELECT split_part(current_setting('search_path'), ',', 1) = $1
AND NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)`, schema).Scan(&missing)
	if err != nil || !missing {
		return err
	}
	_, err = tx.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{schema}.Sanitize())
	return err
}

func newer(version, known int) error {
	return fmt.Errorf("the tables have version %d, which a newer program made; this one knows %d", version, known)
}
