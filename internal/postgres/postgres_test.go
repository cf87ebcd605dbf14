package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/scimbridge/scim/internal/postgres"
	"github.com/scimbridge/scim/internal/postgrestest"
)

func open(t *testing.T, dsn string) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func TestErrorsKeepThePasswordToThemselves(t *testing.T) {
	for _, dsn := range []string{
		"postgres://scim:s3cr3t@127.0.0.1:1/scim",
		"postgres://scim:s3cr3t@127.0.0.1:1/scim?sslmode=sometimes",
		"postgres://scim:a/s3cr3t@127.0.0.1:1/scim",
		"postgres://scim:a%zzs3cr3t@127.0.0.1:1/scim",
		"postgres://scim:a#s3cr3t@127.0.0.1:1/scim",
		"postgres://scim@127.0.0.1:1/scim?password=s3cr3t&port=x",
		"postgres://127.0.0.1:1/scim?sslpassword=s3cr3t&sslcert=nothing&sslkey=nothing",
		"host=127.0.0.1 port=1 password=s3cr3t",
		"host=127.0.0.1 port=one password='a b s3cr3t'",
		`host=127.0.0.1 password=a\ s3cr3t port=1`,
		"password=s3cr3t host",
		"s3cr3t",
	} {
		pool, err := postgres.Open(t.Context(), dsn)
		if err == nil {
			err = pool.Ping(t.Context())
			pool.Close()
		}
		if err == nil {
			t.Errorf("%s: connected", dsn)
			continue
		}
		for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
			if strings.Contains(text, "s3cr3t") && dsn != "s3cr3t" || dsn == "s3cr3t" && strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("%s: %s", dsn, text)
			}
		}
	}
}

func TestConnectAsksThePoolHow(t *testing.T) {
	config, err := pgxpool.ParseConfig(postgrestest.Schema(t))
	if err != nil {
		t.Fatal(err)
	}
	config.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
		c.RuntimeParams["application_name"] = "a token was fetched"
		return nil
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	conn, err := postgres.Connect(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var name string
	if err := conn.QueryRow(t.Context(), "SHOW application_name").Scan(&name); err != nil || name != "a token was fetched" {
		t.Errorf("application_name %q, %v", name, err)
	}
}

func TestMigrationsRunOnceHoweverManyStart(t *testing.T) {
	dsn := postgrestest.Schema(t)
	steps := []string{"CREATE TABLE things (n int); INSERT INTO things VALUES (1)", "INSERT INTO things VALUES (2)"}
	var group sync.WaitGroup
	for range 8 {
		pool := open(t, dsn)
		group.Go(func() {
			if err := postgres.Migrate(t.Context(), pool, "", "things_version", steps); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	pool := open(t, dsn)
	if n := count(t, pool, "SELECT count(*) FROM things"); n != 2 {
		t.Errorf("%d rows, want one of each step", n)
	}
	if n := count(t, pool, "SELECT sum(version) FROM things_version"); n != 2 {
		t.Errorf("version %d, want 2", n)
	}
}

func count(t *testing.T, pool *pgxpool.Pool, text string) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), text).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMigrationsContinueFromAnOlderVersion(t *testing.T) {
	pool := open(t, postgrestest.Schema(t))
	steps := []string{"CREATE TABLE things (n int)", "INSERT INTO things VALUES (2)"}
	for range 2 {
		for _, known := range []int{1, 2} {
			err := postgres.Migrate(t.Context(), pool, "", "things_version", steps[:known])
			if known == 2 && err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := count(t, pool, "SELECT count(*) FROM things"); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
	if err := postgres.Migrate(t.Context(), pool, "", "things_version", steps[:1]); err == nil || !strings.Contains(err.Error(), "newer program") {
		t.Errorf("an older program: err = %v", err)
	}
}

func TestAFailedMigrationLeavesNothing(t *testing.T) {
	pool := open(t, postgrestest.Schema(t))
	if err := postgres.Migrate(t.Context(), pool, "", "things_version", []string{"CREATE TABLE things (n int)", "nonsense"}); err == nil {
		t.Fatal("nonsense was accepted")
	}
	if n := count(t, pool, "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema AND tablename IN ('things', 'things_version')"); n != 0 {
		t.Errorf("%d tables were left", n)
	}
}

func TestNothingToDoNeedsNoRights(t *testing.T) {
	dsn := postgrestest.Schema(t)
	pool := open(t, dsn)
	steps := []string{"CREATE TABLE things (n int)"}
	if err := postgres.Migrate(t.Context(), pool, "", "things_version", steps); err != nil {
		t.Fatal(err)
	}
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	readOnly, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	if err := postgres.Migrate(t.Context(), readOnly, "", "things_version", steps); err != nil {
		t.Error(err)
	}
	if err := postgres.Migrate(t.Context(), readOnly, "", "things_version", append(steps, "SELECT 1")); err == nil {
		t.Error("tables were changed without the right to")
	}
}
