package postgres_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/scimbridge/scim/internal/postgrestest"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/state/postgres"
)

// TestMain makes the test program a process that runs a job, when it is started as one.
func TestMain(m *testing.M) {
	if dsn := os.Getenv("STATE_DSN"); dsn != "" {
		if err := runJob(dsn); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// runJob takes the lease, tells so, and commits records until it is killed.
func runJob(dsn string) error {
	s, err := postgres.Open(context.Background(), dsn)
	if err != nil {
		return err
	}
	if _, err := s.Acquire(context.Background(), "job"); err != nil {
		return err
	}
	for i := 0; ; i++ {
		r := &provision.Record{Head: provision.Head{SourceID: fmt.Sprint(os.Getpid(), "-", i)}, Type: "User"}
		if err := s.Commit(context.Background(), "job", &provision.Commit{Put: []*provision.Record{r}}); err != nil {
			return err
		}
		fmt.Println(r.SourceID)
	}
}

type process struct {
	*exec.Cmd
	lines *bufio.Reader
}

func startProcess(t *testing.T, dsn string) process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "STATE_DSN="+dsn)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return process{cmd, bufio.NewReader(out)}
}

// kill ends the process with SIGKILL and returns what it had committed.
func (p process) kill(t *testing.T) []string {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(p.lines)
	if err != nil {
		t.Fatal(err)
	}
	_ = p.Wait()
	lines := strings.Split(string(rest), "\n")
	return lines[:len(lines)-1] // a last line that is not whole was not told
}

// acquire takes the lease as soon as it is free.
func acquire(t *testing.T, s *postgres.Store) func() error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		release, err := s.Acquire(ctx, "job")
		if err == nil {
			return release
		}
		if !errors.Is(err, provision.ErrBusy) {
			t.Fatal(err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the lease was not handed over")
		}
	}
}

// A job that another process runs is busy; when that process is killed, the next takes over and finds all that it committed.
func TestAKilledHolderIsFollowedByAnother(t *testing.T) {
	dsn := postgrestest.Schema(t)
	s := open(t, dsn)
	for range 5 {
		holder := startProcess(t, dsn)
		first, err := holder.lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Acquire(t.Context(), "job"); !errors.Is(err, provision.ErrBusy) {
			t.Fatalf("err = %v, want ErrBusy", err)
		}
		r := &provision.Record{Head: provision.Head{SourceID: "intruder"}, Type: "User"}
		second := startProcess(t, dsn)
		if text, err := second.lines.ReadString('\n'); err != nil || !strings.Contains(text, provision.ErrBusy.Error()) {
			t.Errorf("the second process says %q, %v", text, err)
		}
		_ = second.Wait()

		committed := append(holder.kill(t), strings.TrimSpace(first))
		release := acquire(t, s)
		heads, err := s.Heads(t.Context(), "job", "User", committed)
		if err != nil || len(heads) != len(committed) {
			t.Errorf("%d of %d records are there: %v", len(heads), len(committed), err)
		}
		if err := s.Commit(t.Context(), "job", &provision.Commit{Put: []*provision.Record{r}, ForgetAll: true}); err != nil {
			t.Error(err)
		}
		if err := release(); err != nil {
			t.Error(err)
		}
	}
}

// When all start at once, one runs the job at a time.
func TestOneOfManyGetsTheLease(t *testing.T) {
	dsn := postgrestest.Schema(t)
	const n = 6
	var mu sync.Mutex
	var group sync.WaitGroup
	running, got := 0, 0
	for range n {
		s := open(t, dsn)
		group.Go(func() {
			for range 5 {
				release, err := s.Acquire(t.Context(), "job")
				if errors.Is(err, provision.ErrBusy) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				running, got = running+1, got+1
				if running != 1 {
					t.Errorf("%d hold the lease", running)
				}
				mu.Unlock()
				err = s.Commit(t.Context(), "job", &provision.Commit{Job: &provision.JobState{Watermark: "w"}})
				mu.Lock()
				running--
				mu.Unlock()
				if err := errors.Join(err, release()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if got == 0 {
		t.Error("nobody got the lease")
	}
}

// sever closes the connections that hold leases, as a network does that fails.
func sever(t *testing.T, dsn string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	tag, err := conn.Exec(t.Context(), "SELECT pg_terminate_backend(pid, 60000) FROM pg_locks WHERE locktype = 'advisory' AND classid = 'provision_leases'::regclass")
	if err != nil || tag.RowsAffected() != 1 {
		t.Fatalf("%v, %v", tag, err)
	}
}

func TestALostLeaseStopsCommits(t *testing.T) {
	dsn := postgrestest.Schema(t)
	a, b := open(t, dsn), open(t, dsn)
	release, err := a.Acquire(t.Context(), "job")
	if err != nil {
		t.Fatal(err)
	}
	record := &provision.Record{Head: provision.Head{SourceID: "1"}, Type: "User"}
	put := func(s *postgres.Store) error {
		return s.Commit(t.Context(), "job", &provision.Commit{Put: []*provision.Record{record}})
	}
	if err := put(a); err != nil {
		t.Fatal(err)
	}
	if err := put(b); !errors.Is(err, provision.ErrBusy) {
		t.Errorf("a commit without the lease: err = %v, want ErrBusy", err)
	}
	sever(t, dsn)
	// Nobody has taken over, so nothing is lost.
	if err := put(a); err != nil {
		t.Errorf("before another one took over: %v", err)
	}
	releaseB := acquire(t, b)
	for name, c := range map[string]*provision.Commit{
		"an old record": {Put: []*provision.Record{record}},
		"a new record":  {Put: []*provision.Record{{Head: provision.Head{SourceID: "2"}, Type: "User"}}},
		"the job":       {Job: &provision.JobState{Watermark: "stale"}},
		"all":           {ForgetAll: true},
	} {
		if err := a.Commit(t.Context(), "job", c); !errors.Is(err, provision.ErrBusy) {
			t.Errorf("%s after another one took over: err = %v, want ErrBusy", name, err)
		}
	}
	if err := put(b); err != nil {
		t.Errorf("the new holder: %v", err)
	}
	if n, err := b.Count(t.Context(), "job", provision.Query{}); n != 1 || err != nil {
		t.Errorf("Count = %d, %v", n, err)
	}
	// The loser gives back what it no longer has, which takes nothing from the new holder, and waits for its turn.
	if err := release(); err != nil {
		t.Error(err)
	}
	if _, err := a.Acquire(t.Context(), "job"); !errors.Is(err, provision.ErrBusy) {
		t.Errorf("err = %v, want ErrBusy", err)
	}
	if err := releaseB(); err != nil {
		t.Error(err)
	}
	release, err = a.Acquire(t.Context(), "job")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(put(a), release()); err != nil {
		t.Error(err)
	}
}

// A server that is restarted takes the lease with it; the state goes on without being opened anew.
func TestAServerIsRestarted(t *testing.T) {
	server := postgrestest.Start(t)
	s := open(t, server.Database(t))
	release, err := s.Acquire(t.Context(), "job")
	if err != nil {
		t.Fatal(err)
	}
	put := func(id string) error {
		r := &provision.Record{Head: provision.Head{SourceID: id}, Type: "User"}
		return s.Commit(t.Context(), "job", &provision.Commit{Put: []*provision.Record{r}})
	}
	if err := put("1"); err != nil {
		t.Fatal(err)
	}
	server.Kill(t)
	if err := put("2"); err == nil {
		t.Error("a commit without a server")
	}
	server.Start(t)
	// Commits find a connection that works, though the pool has some that do not.
	if err := put("3"); err != nil {
		t.Error(err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	release = acquire(t, s)
	if n, err := s.Count(t.Context(), "job", provision.Query{}); n != 2 || err != nil {
		t.Errorf("Count = %d, %v", n, err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}
