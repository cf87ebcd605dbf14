package sqlite_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server/sqlite"
)

func TestFileIsItsOwnersOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a name with ?, # and % in it.db")
	create(t, open(t, path), user(1))
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", info.Name(), info.Mode())
		}
	}
}

func TestKeepsResources(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scim.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	create(t, s, user(1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), user(1).Key); err == nil {
		t.Error("a closed store answers")
	}
	page, err := open(t, path).Query(t.Context(), query(t, "User", `userName eq "user1@example.com"`))
	if err != nil || len(page.Resources) != 1 {
		t.Errorf("after opening again: %v, %v", page, err)
	}
}

func TestManyOpenANewFileAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scim.db")
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			s, err := sqlite.Open(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Create(t.Context(), user(n)); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	page, err := open(t, path).Query(t.Context(), query(t, "User", ""))
	if err != nil || page.Total != 8 {
		t.Errorf("there are %d users, want 8: %v", page.Total, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	path := func(content string) string {
		path := filepath.Join(t.TempDir(), "scim.db")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	changed := func(statement string) string {
		path := path("")
		s, err := sqlite.Open(t.Context(), path)
		if err == nil {
			err = errors.Join(s.Exec(t.Context(), statement), s.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tt := range []struct{ name, path, want string }{
		{"no path", "", "no path"},
		{"a folder that is not there", filepath.Join(t.TempDir(), "no", "scim.db"), "no such file"},
		{"a folder", t.TempDir(), "is a directory"},
		{"another kind of file", path(strings.Repeat("not a database\n", 100)), "not a SQLite database"},
		{"a database of a newer program", changed("PRAGMA user_version = 1000"), "version 1000, which a newer program wrote"},
		{"a database of another program", changed("PRAGMA application_id = 7"), "of another program"},
		{"a database of nobody knows whom", changed("PRAGMA application_id = 0; PRAGMA user_version = 0"), "of another program"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := sqlite.Open(t.Context(), tt.path)
			if err == nil {
				_ = s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "sqlite: ") {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

// wantInternal checks an error of which clients must not learn.
func wantInternal(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want %q in it", err, want)
	}
	if _, shown := errors.AsType[*scim.Error](err); shown {
		t.Errorf("%v would be shown to clients", err)
	}
}

func TestFullDisk(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "scim.db"))
	if err := s.Exec(t.Context(), "PRAGMA max_page_count = 40"); err != nil {
		t.Fatal(err)
	}
	n := 0
	var err error
	for ; err == nil; n++ {
		err = s.Create(t.Context(), user(n))
	}
	wantInternal(t, err, "disk is full")
	// What there was is there, nothing of what failed is, and the store goes on when there is room.
	page, err := s.Query(t.Context(), query(t, "User", ""))
	if err != nil || page.Total != n-1 {
		t.Errorf("%d users, %v; want %d", page.Total, err, n-1)
	}
	if err := s.Exec(t.Context(), "PRAGMA max_page_count = 4000"); err != nil {
		t.Fatal(err)
	}
	create(t, s, user(n-1))
}

func TestReadOnly(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "scim.db"))
	create(t, s, user(1))
	if err := s.Exec(t.Context(), "PRAGMA query_only = 1"); err != nil { // root may write any file
		t.Fatal(err)
	}
	wantInternal(t, s.Create(t.Context(), user(2)), "cannot be written")
	if _, err := s.Get(t.Context(), user(1).Key); err != nil {
		t.Error(err)
	}
}

func TestDamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scim.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 500 {
		create(t, s, user(n))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	// The schema, at the beginning, stays.
	_, err = f.WriteAt([]byte(strings.Repeat("x", int(info.Size())/2)), info.Size()/2)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = open(t, path).Query(t.Context(), query(t, "User", `title pr`))
	wantInternal(t, err, "damaged")
}

func TestWaitsForAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scim.db")
	other := open(t, path)
	s := open(t, path, sqlite.Patience(40*time.Millisecond))
	create(t, s, user(1))
	if err := other.Exec(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	err := s.Create(t.Context(), user(2))
	e, ok := errors.AsType[*scim.Error](err)
	if !ok || e.Status != http.StatusServiceUnavailable || e.RetryAfter <= 0 || strings.Contains(e.Detail, "SQL") {
		t.Errorf("got error %v, want status 503 and when to try again", err)
	}
	if _, err := s.Get(t.Context(), user(1).Key); err != nil {
		t.Errorf("a reader is held up: %v", err)
	}
	patient := open(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- patient.Create(ctx, user(2)) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want that of the context", err)
	}
	go func() { done <- patient.Create(t.Context(), user(2)) }()
	if err := other.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("after the lock is gone: %v", err)
	}
}

// A query that would never end does when its context does.
func TestContextStopsQueries(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "scim.db"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Endless(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v", err)
	}
	create(t, s, user(1)) // the connections are of use still
	if _, err := s.Get(t.Context(), user(1).Key); err != nil {
		t.Error(err)
	}
}

func TestPanicLeavesNoTransactionOpen(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "scim.db"))
	for range 20 { // more than there are connections
		for _, write := range []bool{true, false} {
			func() {
				defer func() { _ = recover() }()
				s.Panic(t.Context(), write)
			}()
		}
	}
	create(t, s, user(1))
}

func TestCallsAfterClose(t *testing.T) {
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "scim.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantInternal(t, s.Create(t.Context(), user(1)), "closed")
	if err := s.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
}
