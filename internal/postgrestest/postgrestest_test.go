//go:build unix

package postgrestest_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/scimbridge/scim/internal/postgrestest"
)

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func query[V any](t *testing.T, conn *pgx.Conn, text string) (v V) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), text).Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTestsAreApart(t *testing.T) {
	conns := []*pgx.Conn{
		connect(t, postgrestest.Database(t)), connect(t, postgrestest.Database(t)),
		connect(t, postgrestest.Schema(t)), connect(t, postgrestest.Schema(t)),
	}
	for i, conn := range conns {
		if query[bool](t, conn, "SELECT to_regclass('t') IS NOT NULL") {
			t.Errorf("connection %d sees a table of another", i)
		}
		if _, err := conn.Exec(t.Context(), "CREATE TABLE t (x int)"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDatabaseTakesClauses(t *testing.T) {
	dsn := postgrestest.Database(t, "LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'")
	if got := query[string](t, connect(t, dsn), "SELECT datcollate FROM pg_database WHERE datname = current_database()"); got != "C.UTF-8" {
		t.Errorf("collation %s", got)
	}
}

func TestCommittedDataSurvivesKillAndRestart(t *testing.T) {
	s := postgrestest.Start(t, "fsync=on")
	dsn := s.Database(t)
	conn := connect(t, dsn)
	if got := query[string](t, conn, "SHOW fsync"); got != "on" {
		t.Errorf("fsync is %s", got)
	}
	if _, err := conn.Exec(t.Context(), "CREATE TABLE t (x int); INSERT INTO t VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	s.Kill(t)
	s.Start(t)
	if n := query[int](t, connect(t, dsn), "SELECT count(*) FROM t"); n != 1 {
		t.Errorf("%d rows after Kill", n)
	}
	s.Stop(t)
	if _, err := pgx.Connect(t.Context(), dsn); err == nil {
		t.Error("the server answers after Stop")
	}
	s.Start(t)
	if n := query[int](t, connect(t, dsn), "SELECT count(*) FROM t"); n != 1 {
		t.Errorf("%d rows after Stop", n)
	}
}

// TestServerEndsWithItsProcess kills a process that uses a server.
func TestServerEndsWithItsProcess(t *testing.T) {
	if os.Getenv("POSTGRESTEST_CHILD") != "" {
		conn := connect(t, postgrestest.Database(t))
		os.Stderr.WriteString(query[string](t, conn, "SHOW data_directory") + "\n")
		select {}
	}
	_ = postgrestest.Database(t) // skips where there is no PostgreSQL
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServerEndsWithItsProcess$")
	child.Env = append(os.Environ(), "POSTGRESTEST_CHILD=1")
	stderr, err := child.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	data, err := bufio.NewReader(stderr).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	data = strings.TrimSpace(data)
	pid := postmaster(t, data)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()

	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		_, err := os.Stat(filepath.Dir(data))
		if errors.Is(err, os.ErrNotExist) && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("process %d or folder %s is still there", pid, data)
		}
	}
}

func postmaster(t *testing.T, data string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestWithoutPostgreSQL(t *testing.T) {
	if os.Getenv("POSTGRESTEST_CHILD") != "" {
		_ = postgrestest.Database(t)
		return
	}
	for ci, want := range map[string]string{"": "--- SKIP", "true": "--- FAIL"} {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^TestWithoutPostgreSQL$")
		child.Env = []string{"POSTGRESTEST_CHILD=1", "CI=" + ci, "POSTGRES_BIN=" + t.TempDir(), "HOME=" + t.TempDir()}
		out, _ := child.CombinedOutput()
		if !strings.Contains(string(out), want) {
			t.Errorf("with CI=%q want %s, got:\n%s", ci, want, out)
		}
	}
}
