package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/internal/postgrestest"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/postgres"
)

func user(n int) server.Resource {
	name := fmt.Sprintf("user%d", n)
	r := resource("User", fmt.Sprint("u", n), schema.User(), scim.Document{"userName": name})
	r.Unique = []server.Unique{{Scope: "User", Attribute: "userName", Value: name}}
	return r
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func exec1(t *testing.T, conn *pgx.Conn, text string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

// waitFor waits until a query of one number returns it.
func waitFor(t *testing.T, conn *pgx.Conn, want int, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var n int
		if err := conn.QueryRow(ctx, text).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n == want {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: still %d, want %d", text, n, want)
		}
	}
}

func wantBusy(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*scim.Error](err)
	if !ok || e.Status != http.StatusServiceUnavailable || e.RetryAfter <= 0 {
		t.Errorf("got error %v, want status 503 with RetryAfter", err)
	}
}

// When the context ends the server stops working, too.
func TestContextStopsStatements(t *testing.T) {
	dsn := postgrestest.Database(t)
	s := open(t, dsn)
	if err := s.Create(t.Context(), user(1)); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, dsn)
	exec1(t, conn, "BEGIN; SELECT FROM scim.resources FOR UPDATE")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Update(ctx, server.Update{Resource: user(1), IfVersion: "1"}) }()
	watch := connect(t, dsn)
	const waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
	waitFor(t, watch, 1, waiting)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	waitFor(t, watch, 0, waiting)
	exec1(t, conn, "ROLLBACK")
	if err := s.Update(t.Context(), server.Update{Resource: user(1), IfVersion: "1"}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// trouble makes the next so many new resources fail with a code.
func trouble(t *testing.T, conn *pgx.Conn, code string, times int) {
	t.Helper()
	exec1(t, conn, fmt.Sprintf(`CREATE SEQUENCE tries;
CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	IF nextval('tries') <= %d THEN RAISE EXCEPTION 'trouble' USING ERRCODE = '%s'; END IF; RETURN NEW;
END $$;
CREATE TRIGGER trouble BEFORE INSERT ON resources FOR EACH ROW EXECUTE FUNCTION trouble()`, times, code))
}

func TestUndoneTransactionsAreRunAgain(t *testing.T) {
	for _, code := range []string{"40001", "40P01"} {
		t.Run(code, func(t *testing.T) {
			dsn := postgrestest.Schema(t)
			s := open(t, dsn)
			trouble(t, connect(t, dsn), code, 3)
			if err := s.Create(t.Context(), user(1)); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Get(t.Context(), user(1).Key); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPatienceEnds(t *testing.T) {
	dsn := postgrestest.Schema(t)
	s := open(t, dsn, postgres.Patience(0))
	trouble(t, connect(t, dsn), "40001", 1_000_000)
	wantBusy(t, s.Create(t.Context(), user(1)))
}

func TestOtherFailuresAreNotTriedAgain(t *testing.T) {
	dsn := postgrestest.Schema(t)
	s := open(t, dsn)
	conn := connect(t, dsn)
	trouble(t, conn, "P0001", 1)
	if err := s.Create(t.Context(), user(1)); err == nil || !strings.Contains(err.Error(), "trouble") {
		t.Errorf("err = %v", err)
	}
	waitFor(t, conn, 1, "SELECT last_value FROM tries")
}

// Transactions that wait for each other in a circle are told apart by the server, and both succeed in the end.
func TestDeadlock(t *testing.T) {
	dsn := postgrestest.Schema(t)
	s := open(t, dsn)
	for n := range 2 {
		if err := s.Create(t.Context(), user(n)); err != nil {
			t.Fatal(err)
		}
	}
	conn := connect(t, dsn)
	// The other one has the first user and wants the second; the store has the second, and wants the value of the first.
	exec1(t, conn, "SET deadlock_timeout = '1h'; BEGIN; UPDATE uniques SET owner = owner WHERE value = '=user0'")
	changed := user(1)
	changed.Version, changed.Unique = "2", []server.Unique{{Scope: "User", Attribute: "userName", Value: "user0"}}
	done := make(chan error)
	go func() { done <- s.Update(t.Context(), server.Update{Resource: changed, IfVersion: "1"}) }()
	watch := connect(t, dsn)
	waitFor(t, watch, 1, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%uniques%'")
	exec1(t, conn, "DELETE FROM uniques WHERE value = '=user0'; UPDATE resources SET version = version WHERE id = 'u1'; COMMIT")
	if err := <-done; err != nil {
		t.Errorf("err = %v", err)
	}
}

// A server that is restarted is waited for; one that stays away is a 503, until it is back.
func TestDatabaseIsRestarted(t *testing.T) {
	database := postgrestest.Start(t)
	dsn := database.Database(t)
	patient, hasty := open(t, dsn, postgres.Patience(time.Minute)), open(t, dsn, postgres.Patience(0))
	handler, err := server.New(hasty, server.Options{Authenticator: server.Anonymous()})
	if err != nil {
		t.Fatal(err)
	}
	post := func(name string) *httptest.ResponseRecorder {
		body := strings.NewReader(`{"schemas":["` + scim.UserSchema + `"],"userName":"` + name + `"}`)
		r := httptest.NewRequest(http.MethodPost, "/Users", body)
		r.Header.Set("Content-Type", scim.ContentType)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	if w := post("before"); w.Code != http.StatusCreated {
		t.Fatalf("before: %d %s", w.Code, w.Body)
	}
	if err := patient.Create(t.Context(), user(1)); err != nil {
		t.Fatal(err)
	}
	for _, kill := range []bool{false, true} {
		if kill {
			database.Kill(t)
		} else {
			database.Stop(t)
		}
		// What is killed may still answer for a moment.
		if w := post("meanwhile"); !kill && (w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "") {
			t.Errorf("meanwhile: %d, Retry-After %q: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
		}
		done := make(chan error)
		go func() {
			_, err := patient.Get(t.Context(), user(1).Key)
			done <- err
		}()
		database.Start(t)
		if err := <-done; err != nil {
			t.Errorf("a call that could wait: %v", err)
		}
		// The connections of before are no use any more; each fails once at most.
		for range 20 {
			if w := post("afterwards"); w.Code != http.StatusServiceUnavailable {
				break
			}
		}
		if w := post("afterwards"); w.Code != http.StatusConflict {
			t.Errorf("afterwards: %d %s, want the user to be there", w.Code, w.Body)
		}
	}
}

// proxy stands between a store and its server, and cuts connections.
type proxy struct {
	port   int
	socket string
	// cut ends the connection of a client whose next message contains it: before the server gets it, or after its answer, which the
	// client then does not get.
	cut    atomic.Pointer[string]
	answer bool
	times  atomic.Int64
}

func startProxy(t *testing.T, dsn string) (*proxy, string) {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{port: listener.Addr().(*net.TCPAddr).Port, socket: fmt.Sprintf("%s/.s.PGSQL.%d", config.Host, config.Port)}
	var group sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		group.Wait()
	})
	group.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { p.serve(ctx, client) })
		}
	})
	return p, fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable&search_path=%s", p.port, config.Database, config.RuntimeParams["search_path"])
}

func (p *proxy) serve(ctx context.Context, client net.Conn) {
	database, err := (&net.Dialer{}).DialContext(ctx, "unix", p.socket)
	if err != nil {
		_ = client.Close()
		return
	}
	stop := context.AfterFunc(ctx, func() { _, _ = client.Close(), database.Close() })
	defer stop()
	muted := make(chan struct{})
	var once sync.Once
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 64<<10)
		for {
			n, err := database.Read(buf)
			if err != nil {
				break
			}
			select {
			case <-muted: // the answer to what was to be cut
				_, _ = client.Close(), database.Close()
				return
			default:
			}
			if _, err := client.Write(buf[:n]); err != nil {
				break
			}
		}
		_, _ = client.Close(), database.Close()
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			break
		}
		if text := p.cut.Load(); text != nil && bytes.Contains(buf[:n], []byte(*text)) {
			p.cut.Store(nil)
			p.times.Add(1)
			if !p.answer {
				break
			}
			once.Do(func() { close(muted) })
		}
		if _, err := database.Write(buf[:n]); err != nil {
			break
		}
	}
	if p.times.Load() == 0 || !p.answer {
		_, _ = client.Close(), database.Close()
	}
	<-done
}

func TestLostBeforeCommitIsRunAgain(t *testing.T) {
	for _, text := range []string{"BEGIN", "INSERT INTO resources", "INSERT INTO uniques"} {
		t.Run(text, func(t *testing.T) {
			p, dsn := startProxy(t, postgrestest.Schema(t))
			s := open(t, dsn)
			p.cut.Store(&text)
			if err := s.Create(t.Context(), user(1)); err != nil {
				t.Error(err)
			}
			if p.times.Load() != 1 {
				t.Error("the connection was not cut")
			}
			if _, err := s.Get(t.Context(), user(1).Key); err != nil {
				t.Error(err)
			}
		})
	}
}

// Whether a change was committed is not known when the connection is lost meanwhile: it is not made again, whether it was or not.
func TestLostInCommitIsNotRunAgain(t *testing.T) {
	for _, committed := range []bool{true, false} {
		t.Run(fmt.Sprint("committed ", committed), func(t *testing.T) {
			p, dsn := startProxy(t, postgrestest.Schema(t))
			p.answer = committed
			s := open(t, dsn)
			if err := s.Create(t.Context(), user(2)); err != nil {
				t.Fatal(err)
			}
			commit := "COMMIT\x00"
			p.cut.Store(&commit)
			wantBusy(t, s.Create(t.Context(), user(1)))
			if p.times.Load() != 1 {
				t.Error("the connection was not cut")
			}
			_, err := s.Get(t.Context(), user(1).Key)
			if committed && err != nil || !committed && !errors.Is(err, server.ErrNotFound) {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestProcessesStartTogether opens an empty database by several processes at once.
func TestProcessesStartTogether(t *testing.T) {
	if dsn := os.Getenv("POSTGRES_OPEN"); dsn != "" {
		s := open(t, dsn)
		// All wait here until all are there.
		_, _ = io.Copy(io.Discard, os.Stdin)
		r := user(os.Getpid())
		if err := s.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		return
	}
	dsn := postgrestest.Database(t)
	const n = 5
	var group sync.WaitGroup
	var inputs []io.Closer
	for range n {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProcessesStartTogether$")
		child.Env = append(os.Environ(), "POSTGRES_OPEN="+dsn)
		in, err := child.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, in)
		group.Go(func() {
			if out, err := child.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	for _, in := range inputs {
		_ = in.Close()
	}
	group.Wait()
	waitFor(t, connect(t, dsn), n, "SELECT count(*) FROM scim.resources")
	waitFor(t, connect(t, dsn), 1, "SELECT count(*) FROM scim.scim_version")
}

func TestErrorsKeepThePasswordToThemselves(t *testing.T) {
	for _, dsn := range []string{
		"postgres://scim:s3cr3t@127.0.0.1:1/scim", "postgres://scim:a#s3cr3t@127.0.0.1:1/scim", "host=127.0.0.1 port=x password=s3cr3t",
	} {
		if _, err := postgres.Open(t.Context(), dsn); err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "s3cr3t") {
			t.Errorf("err = %v", err)
		}
	}
}

func TestANewerVersionIsRefused(t *testing.T) {
	dsn := postgrestest.Schema(t)
	open(t, dsn)
	exec1(t, connect(t, dsn), "UPDATE scim_version SET version = 99")
	if _, err := postgres.Open(t.Context(), dsn); err == nil || !strings.Contains(err.Error(), "newer program") {
		t.Errorf("err = %v", err)
	}
}
