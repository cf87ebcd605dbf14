package sqlite_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/state/sqlite"
)

func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func record(id string) *provision.Record {
	return &provision.Record{
		Head: provision.Head{SourceID: id, TargetID: "t-" + id, Digest: provision.Digest{1, 2}, Flags: provision.Present | provision.Dirty},
		Type: "User", Display: "Name of " + id, Due: time.UnixMilli(1_700_000_000_123).UTC(), Matching: []string{"userName\x00" + id},
		Detail: provision.Detail{
			Want:       provision.Want{Update: scim.Document{"userName": id, "n": int64(7)}, Refs: map[string][]string{"members": {"a", "b"}}},
			Sent:       scim.Document{"userName": "old"},
			Unresolved: map[string][]string{"members": {"b"}},
			Failure:    &provision.Failure{Code: provision.Timeout, Reason: "slow", Tries: 2, First: time.UnixMilli(5).UTC()},
		},
	}
}

func TestRecordsSurviveReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#%.db")
	s := open(t, path)
	want := record("1")
	if err := s.Commit(t.Context(), "job", &provision.Commit{Put: []*provision.Record{want}, Job: &provision.JobState{Watermark: "w"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	got, err := s.Records(t.Context(), "job", []int64{want.Key})
	if err != nil || len(got) != 1 {
		t.Fatalf("Records = %v, %v", got, err)
	}
	if diff := cmp.Diff(*want, got[0]); diff != "" {
		t.Errorf("record differs (-want +got):\n%s", diff)
	}
	js, err := s.Job(t.Context(), "job")
	if err != nil || js.Watermark != "w" {
		t.Errorf("Job = %+v, %v", js, err)
	}
	heads, err := s.Heads(t.Context(), "job", "User", []string{"1", "unknown"})
	if diff := cmp.Diff([]provision.Head{want.Head}, heads); err != nil || diff != "" {
		t.Errorf("Heads: %v\n%s", err, diff)
	}
}

func TestCommitIsAllOrNothing(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "s.db"))
	first, second := record("1"), record("2")
	second.TargetID = first.TargetID
	err := s.Commit(t.Context(), "job", &provision.Commit{Put: []*provision.Record{first, second}})
	if !errors.Is(err, provision.ErrTargetTaken) {
		t.Fatalf("err = %v, want ErrTargetTaken", err)
	}
	if first.Key != 0 || second.Key != 0 {
		t.Errorf("keys %d and %d were kept for records that were not added", first.Key, second.Key)
	}
	if n, err := s.Count(t.Context(), "job", provision.Query{}); n != 0 || err != nil {
		t.Errorf("Count = %d, %v, want nothing", n, err)
	}
}

func TestLeaseIsExclusive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	a, b := open(t, path), open(t, path)
	release, err := a.Acquire(t.Context(), "job")
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*sqlite.Store{"the same store": a, "another one": b} {
		if _, err := s.Acquire(t.Context(), "job"); !errors.Is(err, provision.ErrBusy) {
			t.Errorf("%s: err = %v, want ErrBusy", name, err)
		}
	}
	other, err := b.Acquire(t.Context(), "another job")
	if err != nil {
		t.Errorf("another job is kept out: %v", err)
	}
	if err := errors.Join(release(), other()); err != nil {
		t.Fatal(err)
	}
	release, err = b.Acquire(t.Context(), "job")
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	_ = release()
}

func TestDuplicatesConcernTheFirstMatchingValue(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "s.db"))
	for id, matching := range map[string][]string{"1": {"u\x00a", "d\x00x"}, "2": {"u\x00b", "d\x00x"}, "3": {"u\x00a"}} {
		r := &provision.Record{Head: provision.Head{SourceID: id}, Type: "User", Matching: matching}
		if err := s.Commit(t.Context(), "job", &provision.Commit{Put: []*provision.Record{r}}); err != nil {
			t.Fatal(err)
		}
	}
	found, err := s.Duplicates(t.Context(), "job", "User")
	if err != nil || len(found) != 2 || found[0].Value != "u\x00a" || found[1].Value != "u\x00a" {
		t.Errorf("Duplicates = %v, %v, want the two with u a", found, err)
	}
	matching, err := s.Matching(t.Context(), "job", "User", []string{"d\x00x", "nothing"})
	if err != nil || len(matching) != 2 || matching[0].Precedence != 1 {
		t.Errorf("Matching = %v, %v", matching, err)
	}
}

func TestForkIsIndependent(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "s.db"))
	r := record("1")
	if err := s.Commit(t.Context(), "job", &provision.Commit{Put: []*provision.Record{r}}); err != nil {
		t.Fatal(err)
	}
	fork, err := s.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := fork.Commit(t.Context(), "job", &provision.Commit{ForgetAll: true}); err != nil {
		t.Fatal(err)
	}
	if err := fork.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Count(t.Context(), "job", provision.Query{}); n != 1 || err != nil {
		t.Errorf("Count = %d, %v, want 1", n, err)
	}
}

func TestLogQueries(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "s.db"))
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	var log []provision.LogEntry
	for i, status := range []provision.Status{provision.StatusSuccess, provision.StatusFailure, provision.StatusSkipped} {
		e := provision.LogEntry{ID: string(rune('a' + i)), Time: noon.Add(time.Duration(i) * time.Minute), CycleID: "c"}
		e.Source.ID, e.Status.Status = "s", status
		if status == provision.StatusFailure {
			e.Status.Error = &provision.LogError{Code: provision.Timeout}
		}
		log = append(log, e)
	}
	if err := s.Commit(t.Context(), "job", &provision.Commit{Log: log}); err != nil {
		t.Fatal(err)
	}
	ids := func(q provision.LogQuery) (text string) {
		t.Helper()
		entries, err := s.Log(t.Context(), "job", q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			text += e.ID
		}
		return text
	}
	for want, q := range map[string]provision.LogQuery{
		"cba": {}, "cb": {Limit: 2}, "b": {Code: provision.Timeout}, "c": {Status: provision.StatusSkipped}, "ba": {Until: noon.Add(2 * time.Minute), ID: "s"}, "": {ID: "x"},
	} {
		if got := ids(q); got != want {
			t.Errorf("Log(%+v) = %q, want %q", q, got, want)
		}
	}
	if err := s.Commit(t.Context(), "job", &provision.Commit{LogBefore: noon.Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	if got := ids(provision.LogQuery{}); got != "cb" {
		t.Errorf("after trimming: %q, want cb", got)
	}
}

func TestFilesOfANewerVersionAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(path); err == nil || !strings.Contains(err.Error(), "newer program") {
		t.Errorf("err = %v", err)
	}
}
