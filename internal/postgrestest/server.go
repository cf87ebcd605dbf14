package postgrestest

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a PostgreSQL server. It is safe for concurrent use.
type Server struct {
	dir       string
	databases atomic.Int64

	mu    sync.Mutex
	shell *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
}

// keeper does as it is told line by line, and stops the server and removes the folder when it is told no more.
//
//go:embed keeper.sh
var keeper string

// settings make a server quick to start and sparing with the machine. Nothing that a process has committed is lost when it is killed,
// only when the machine fails.
var settings = []string{
	"fsync=off", "full_page_writes=off", "shared_buffers=64MB", "max_connections=100", "listen_addresses=''",
	// Tests that wait for a lock which they hold themselves shall fail with a message.
	"lock_timeout=60s",
}

// shared is the server of all tests of the process.
var shared = sync.OnceValues(func() (*Server, error) { return newServer(nil) })

// Database returns the DSN of a new, empty database on the server that all tests of the process share. The user is a superuser without
// password.
func Database(t testing.TB, clauses ...string) string {
	t.Helper()
	s, err := shared()
	if err != nil {
		unavailable(t, err)
	}
	return s.Database(t, clauses...)
}

// Schema returns the DSN of a database with a new, empty schema, in which tables are made and looked for. It is dropped when the
// test ends. That is quicker by far than a database.
func Schema(t testing.TB) string {
	t.Helper()
	s, err := shared()
	if err != nil {
		unavailable(t, err)
	}
	name := fmt.Sprintf("test%d", s.databases.Add(1))
	if err := s.admin("CREATE SCHEMA " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.admin("DROP SCHEMA " + name + " CASCADE"); err != nil {
			t.Logf("schema not dropped: %v", err)
		}
	})
	return s.dsn("postgres") + "&search_path=" + name
}

// Start starts a server for one test. Settings, such as "fsync=on", come after those that make it quick, and count.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := newServer(settings)
	if err != nil {
		unavailable(t, err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Errorf("stop PostgreSQL: %v", err)
		}
	})
	return s
}

func newServer(extra []string) (*Server, error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(socketFolder(), "scim-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	if err := s.keep(bin); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	// The shell sees to the folder from here on.
	err = s.tell("init")
	if err == nil {
		err = s.configure(extra)
	}
	if err == nil {
		err = s.tell("start")
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// socketFolder is the folder for temporary files, unless its name is too long for a Unix socket.
func socketFolder() string {
	if dir := os.TempDir(); len(dir) < 60 {
		return dir
	}
	return "/tmp"
}

func (s *Server) keep(bin string) error {
	s.shell = exec.Command("/bin/sh", "-c", keeper, "postgrestest", bin, s.dir)
	s.shell.Dir = s.dir
	// Neither the messages nor the time zone and port of whoever runs the tests.
	s.shell.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	if err := asUser(s.shell, s.dir); err != nil {
		return err
	}
	in, err := s.shell.StdinPipe()
	if err != nil {
		return err
	}
	out, err := s.shell.StdoutPipe()
	if err != nil {
		return err
	}
	s.in, s.out = in, bufio.NewReader(out)
	return s.shell.Start()
}

// tell gives the keeper a command and waits until it is done.
func (s *Server) tell(command string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.WriteString(s.in, command+"\n"); err != nil {
		return err
	}
	answer, err := s.out.ReadString('\n')
	if err != nil {
		return fmt.Errorf("%s PostgreSQL: %w", command, err)
	}
	if answer != "done\n" {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Errorf("%s PostgreSQL: %s\n%s", command, strings.TrimSpace(answer), log[max(0, len(log)-4096):])
	}
	return nil
}

func (s *Server) configure(extra []string) error {
	f, err := os.OpenFile(filepath.Join(s.dir, "data", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("\nunix_socket_directories='%s'\n%s\n%s\n",
		strings.ReplaceAll(s.dir, "'", "''"), strings.Join(settings, "\n"), strings.Join(extra, "\n"))
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// close ends the keeper, which stops the server and removes the folder.
func (s *Server) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.in.Close(), s.shell.Wait())
}

// Stop shuts the server down in an orderly way: clients are thrown out. It returns when the server has stopped.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	s.must(t, "stop")
}

// Kill ends the server's first process with SIGKILL, upon which the others end themselves, and on Linux waits until they have.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	s.must(t, "kill")
}

// Start starts the server again, on the same socket, and waits until it accepts connections.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	s.must(t, "start")
}

func (s *Server) must(t testing.TB, command string) {
	t.Helper()
	if err := s.tell(command); err != nil {
		t.Fatal(err)
	}
}

// Socket returns the path of the server's Unix socket.
func (s *Server) Socket() string { return filepath.Join(s.dir, ".s.PGSQL.5432") }

func (s *Server) dsn(database string) string {
	query := url.Values{"host": {s.dir}, "port": {"5432"}, "user": {"postgres"}, "sslmode": {"disable"}}
	return (&url.URL{Scheme: "postgres", Path: "/" + database, RawQuery: query.Encode()}).String()
}

// Database returns the DSN of a new, empty database. It is dropped when the test ends, even if it is still in use. Clauses
// are added to CREATE DATABASE.
func (s *Server) Database(t testing.TB, clauses ...string) string {
	t.Helper()
	name := fmt.Sprintf("test%d", s.databases.Add(1))
	if err := s.admin("CREATE DATABASE " + name + " TEMPLATE template0 " + strings.Join(clauses, " ")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// A test that leaves its server stopped has nothing to drop.
		if err := s.admin("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Logf("database not dropped: %v", err)
		}
	})
	return s.dsn(name)
}

func (s *Server) admin(statement string) error {
	// Tests drop their databases when their contexts have ended.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.dsn("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
