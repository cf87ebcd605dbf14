package statetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/provision"
)

// Open opens a state at one place. It closes it when the test ends, and may be called several times.
type Open func(t *testing.T) provision.State

// Run checks a kind of state. Place returns how to open a new, empty place.
func Run(t *testing.T, place func(t *testing.T) Open) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, open Open)
	}{
		{"records survive reopening", recordsSurvive},
		{"an unknown job has nothing", unknownJob},
		{"any text is kept", anyText},
		{"records are replaced and forgotten", replaceAndForget},
		{"what is forgotten can be added again", forgetAll},
		{"keys are small and never given twice", keys},
		{"a commit is all or nothing", allOrNothing},
		{"a target object is linked once", targetTaken},
		{"jobs are apart", jobsApart},
		{"many at once", many},
		{"commits at the same time", concurrent},
		{"queries select", queries},
		{"scans go on where they ended", scans},
		{"duplicates concern the first matching value", duplicates},
		{"matching values are replaced", matching},
		{"the lease is exclusive", lease},
		{"a lease outlives the context it was taken with", leaseContext},
		{"a fork is independent", fork},
		{"a fork knows what it is told", forkWrites},
		{"log queries", logQueries},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, place(t)) })
	}
}

// job is the name of the job in most tests.
const job = "job"

func record(id string) *provision.Record {
	return &provision.Record{
		Head: provision.Head{SourceID: id, TargetID: "t-" + id, Digest: provision.Digest{1, 2}, Flags: provision.Present | provision.Dirty | provision.Unsure},
		Type: "User", Display: "Name of " + id, Due: time.UnixMilli(1_700_000_000_123).UTC(), Matching: []string{"userName\x00" + id},
		Detail: provision.Detail{
			Want:       provision.Want{Update: scim.Document{"userName": id, "n": int64(7)}, Refs: map[string][]string{"members": {"a", "b"}}},
			Sent:       scim.Document{"userName": "old"},
			Unresolved: map[string][]string{"members": {"b"}},
			Failure:    &provision.Failure{Code: provision.Timeout, Reason: "slow", Tries: 2, First: time.UnixMilli(5).UTC()},
		},
	}
}

func commit(t *testing.T, s provision.State, c *provision.Commit) {
	t.Helper()
	if err := s.Commit(t.Context(), job, c); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, s provision.State, records ...*provision.Record) {
	t.Helper()
	commit(t, s, &provision.Commit{Put: records})
}

// has checks that the records of the job are these and no others.
func has(t *testing.T, s provision.State, want ...*provision.Record) {
	t.Helper()
	got, err := s.Scan(t.Context(), job, provision.Query{}, 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	wanted := make([]provision.Record, 0, len(want))
	for _, r := range want {
		wanted = append(wanted, *r)
	}
	slices.SortFunc(wanted, func(a, b provision.Record) int { return cmp.Compare(a.Key, b.Key) })
	if len(got) == 0 && len(wanted) == 0 {
		return
	}
	if diff := gocmp.Diff(wanted, got); diff != "" {
		t.Errorf("records differ (-want +got):\n%s", diff)
	}
}

func recordsSurvive(t *testing.T, open Open) {
	s := open(t)
	want := record("1")
	commit(t, s, &provision.Commit{Put: []*provision.Record{want}, Job: &provision.JobState{Watermark: "w", Read: map[string]int{"User": 3}}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t)
	got, err := s.Records(t.Context(), job, []int64{want.Key, want.Key + 1000})
	if diff := gocmp.Diff([]provision.Record{*want}, got); err != nil || diff != "" {
		t.Errorf("Records: %v (-want +got):\n%s", err, diff)
	}
	js, err := s.Job(t.Context(), job)
	if err != nil || js.Watermark != "w" || js.Read["User"] != 3 {
		t.Errorf("Job = %+v, %v", js, err)
	}
	heads, err := s.Heads(t.Context(), job, "User", []string{"1", "unknown"})
	if diff := gocmp.Diff([]provision.Head{want.Head}, heads); err != nil || diff != "" {
		t.Errorf("Heads: %v (-want +got):\n%s", err, diff)
	}
	heads, err = s.ScanHeads(t.Context(), job, provision.Query{Type: "User"}, 0, 10)
	if diff := gocmp.Diff([]provision.Head{want.Head}, heads); err != nil || diff != "" {
		t.Errorf("ScanHeads: %v (-want +got):\n%s", err, diff)
	}
	for target, key := range map[string]int64{"t-1": want.Key, "t-2": 0, "": 0} {
		if got, err := s.Linked(t.Context(), job, "User", target); got != key || err != nil {
			t.Errorf("Linked(%q) = %d, %v, want %d", target, got, err, key)
		}
	}
}

func unknownJob(t *testing.T, open Open) {
	s := open(t)
	js, err := s.Job(t.Context(), job)
	if diff := gocmp.Diff(provision.JobState{}, js); err != nil || diff != "" {
		t.Errorf("Job: %v\n%s", err, diff)
	}
	n, err := s.Count(t.Context(), job, provision.Query{})
	if n != 0 || err != nil {
		t.Errorf("Count = %d, %v", n, err)
	}
	heads, err := s.Heads(t.Context(), job, "User", []string{"1"})
	if len(heads) != 0 || err != nil {
		t.Errorf("Heads = %v, %v", heads, err)
	}
	entries, err := s.Log(t.Context(), job, provision.LogQuery{})
	if len(entries) != 0 || err != nil {
		t.Errorf("Log = %v, %v", entries, err)
	}
	key, err := s.Linked(t.Context(), job, "User", "t")
	if key != 0 || err != nil {
		t.Errorf("Linked = %v, %v", key, err)
	}
}

func anyText(t *testing.T, open Open) {
	s := open(t)
	var records []*provision.Record
	for _, id := range []string{
		"", "Zoë", "zoë", "a\x00b", "a\x1ab", "a\x1a0b", "a'\"b", `a\b`, "a%b_", "line\nbreak", "\u202e", "\U0001f600", "a ", "a",
		strings.Repeat("x", 5000) + "1", strings.Repeat("x", 5000) + "2", strings.Repeat("\x00", 3000) + "1", strings.Repeat("ü", 4000),
	} {
		r := record(id)
		r.Display, r.Matching = id, []string{"userName\x00" + id, "emails\x00" + id}
		records = append(records, r)
	}
	put(t, s, records...)
	has(t, s, records...)
	for _, r := range records {
		id := r.SourceID
		heads, err := s.Heads(t.Context(), job, "User", []string{id})
		if diff := gocmp.Diff([]provision.Head{r.Head}, heads); err != nil || diff != "" {
			t.Errorf("Heads(%.20q): %v\n%s", id, err, diff)
		}
		if key, err := s.Linked(t.Context(), job, "User", r.TargetID); key != r.Key || err != nil {
			t.Errorf("Linked(%.20q) = %d, %v, want %d", r.TargetID, key, err, r.Key)
		}
		found, err := s.Matching(t.Context(), job, "User", r.Matching[1:])
		if diff := gocmp.Diff([]provision.MatchingRecord{{Value: r.Matching[1], Key: r.Key, Precedence: 1}}, found); err != nil || diff != "" {
			t.Errorf("Matching(%.20q): %v\n%s", id, err, diff)
		}
		if id == "" {
			continue // which selects all
		}
		// Both the source id and the name are the text.
		if n, err := s.Count(t.Context(), job, provision.Query{Text: id}); n != 1 || err != nil {
			t.Errorf("Count of %.20q = %d, %v", id, n, err)
		}
		if n, err := s.Count(t.Context(), job, provision.Query{Text: r.TargetID}); n != 1 || err != nil {
			t.Errorf("Count of %.20q = %d, %v", r.TargetID, n, err)
		}
	}
	entry := provision.LogEntry{ID: "e", Time: time.Unix(1, 0).UTC(), CycleID: "a\x00b"}
	entry.Source.ID, entry.Source.DisplayName = "a\x00b", "\x00"
	commit(t, s, &provision.Commit{Log: []provision.LogEntry{entry}})
	entries, err := s.Log(t.Context(), job, provision.LogQuery{ID: "a\x00b", CycleID: "a\x00b"})
	if err != nil || len(entries) != 1 || entries[0].Source.ID != "a\x00b" {
		t.Errorf("Log = %v, %v", entries, err)
	}
	if err := s.Commit(t.Context(), "a\x00b/.. \u00fc", &provision.Commit{Job: &provision.JobState{Watermark: "\x00"}}); err != nil {
		t.Fatal(err)
	}
	if js, err := s.Job(t.Context(), "a\x00b/.. \u00fc"); err != nil || js.Watermark != "\x00" {
		t.Errorf("Job = %+v, %v", js, err)
	}
}

func replaceAndForget(t *testing.T, open Open) {
	s := open(t)
	a, b, c := record("a"), record("b"), record("c")
	put(t, s, a, b, c)
	a.TargetID, a.Digest, a.Flags, a.Display, a.Due = "t-new", provision.Digest{9}, provision.InScope, "another name", time.Time{}
	a.Detail = provision.Detail{Reason: "reason"}
	commit(t, s, &provision.Commit{Put: []*provision.Record{a}, Forget: []int64{b.Key}})
	has(t, s, a, c)
	if key, err := s.Linked(t.Context(), job, "User", "t-a"); key != 0 || err != nil {
		t.Errorf("the old link leads to %d, %v", key, err)
	}
	if found, err := s.Matching(t.Context(), job, "User", b.Matching); len(found) != 0 || err != nil {
		t.Errorf("a forgotten record matches: %v, %v", found, err)
	}
	// What one record leaves another may take, in one commit.
	a.TargetID, c.TargetID = c.TargetID, ""
	commit(t, s, &provision.Commit{Put: []*provision.Record{c, a}})
	has(t, s, a, c)
	d := record("d")
	d.TargetID = a.TargetID
	commit(t, s, &provision.Commit{Put: []*provision.Record{d}, Forget: []int64{a.Key}})
	has(t, s, c, d)
}

func forgetAll(t *testing.T, open Open) {
	s := open(t)
	put(t, s, record("a"), record("b"))
	a := record("a")
	commit(t, s, &provision.Commit{ForgetAll: true, Put: []*provision.Record{a}})
	has(t, s, a)
	if found, err := s.Matching(t.Context(), job, "User", []string{"userName\x00b"}); len(found) != 0 || err != nil {
		t.Errorf("a forgotten record matches: %v, %v", found, err)
	}
}

func keys(t *testing.T, open Open) {
	s := open(t)
	seen := map[int64]bool{}
	for i := range 5 {
		a, b := record(fmt.Sprint("a", i)), record(fmt.Sprint("b", i))
		put(t, s, a, b)
		for _, key := range []int64{a.Key, b.Key} {
			if key < 1 || key > 100 || seen[key] {
				t.Errorf("key %d", key)
			}
			seen[key] = true
		}
		commit(t, s, &provision.Commit{Forget: []int64{a.Key, b.Key}})
	}
}

func allOrNothing(t *testing.T, open Open) {
	s := open(t)
	old := record("old")
	put(t, s, old)
	changed := *old
	changed.Display = "changed"
	taken := record("taken")
	taken.TargetID = old.TargetID
	err := s.Commit(t.Context(), job, &provision.Commit{
		Put: []*provision.Record{record("1"), &changed, taken}, Job: &provision.JobState{Watermark: "w"},
		Log: []provision.LogEntry{{ID: "e"}},
	})
	if !errors.Is(err, provision.ErrTargetTaken) {
		t.Fatalf("err = %v, want ErrTargetTaken", err)
	}
	if taken.Key != 0 {
		t.Errorf("key %d was kept for a record that was not added", taken.Key)
	}
	has(t, s, old)
	js, err := s.Job(t.Context(), job)
	if js.Watermark != "" || err != nil {
		t.Errorf("Job = %+v, %v", js, err)
	}
	entries, err := s.Log(t.Context(), job, provision.LogQuery{})
	if len(entries) != 0 || err != nil {
		t.Errorf("Log = %v, %v", entries, err)
	}
	// It goes on.
	put(t, s, record("2"))
}

func targetTaken(t *testing.T, open Open) {
	s := open(t)
	first, second := record("1"), record("2")
	second.TargetID = first.TargetID
	err := s.Commit(t.Context(), job, &provision.Commit{Put: []*provision.Record{first, second}})
	if !errors.Is(err, provision.ErrTargetTaken) {
		t.Fatalf("both new: err = %v, want ErrTargetTaken", err)
	}
	if first.Key != 0 || second.Key != 0 {
		t.Errorf("keys %d and %d were kept for records that were not added", first.Key, second.Key)
	}
	has(t, s)
	second.TargetID = "t-2"
	put(t, s, first, second)
	changed := *second
	changed.TargetID = first.TargetID
	if err := s.Commit(t.Context(), job, &provision.Commit{Put: []*provision.Record{&changed}}); !errors.Is(err, provision.ErrTargetTaken) {
		t.Errorf("an old one: err = %v, want ErrTargetTaken", err)
	}
	if changed.Key != second.Key {
		t.Errorf("the key of an old record became %d", changed.Key)
	}
	has(t, s, first, second)
	// Target ids of another type are others.
	group := record("3")
	group.Type, group.TargetID = "Group", first.TargetID
	put(t, s, group)
	// Any number may have no link.
	fourth, fifth := record("4"), record("5")
	fourth.TargetID, fifth.TargetID = "", ""
	put(t, s, fourth, fifth)
	has(t, s, first, second, group, fourth, fifth)
}

func jobsApart(t *testing.T, open Open) {
	s := open(t)
	mine, other := record("1"), record("1")
	put(t, s, mine)
	if err := s.Commit(t.Context(), "other", &provision.Commit{
		Put: []*provision.Record{other}, Job: &provision.JobState{Watermark: "other"}, Log: []provision.LogEntry{{ID: "e"}},
	}); err != nil {
		t.Fatal(err)
	}
	commit(t, s, &provision.Commit{ForgetAll: true, LogBefore: time.Unix(1<<40, 0)})
	has(t, s)
	if got, err := s.Records(t.Context(), "other", []int64{other.Key}); len(got) != 1 || err != nil {
		t.Errorf("Records of the other job = %v, %v", got, err)
	}
	if entries, err := s.Log(t.Context(), "other", provision.LogQuery{}); len(entries) != 1 || err != nil {
		t.Errorf("Log of the other job = %v, %v", entries, err)
	}
	if js, err := s.Job(t.Context(), job); js.Watermark != "" || err != nil {
		t.Errorf("Job = %+v, %v", js, err)
	}
}

func many(t *testing.T, open Open) {
	s := open(t)
	const n = 3000
	var records []*provision.Record
	var ids, values []string
	for i := range n {
		r := record(fmt.Sprintf("%05d", i))
		records, ids, values = append(records, r), append(ids, r.SourceID), append(values, r.Matching[0])
	}
	put(t, s, records...)
	for _, r := range records {
		r.Flags = provision.Present
	}
	put(t, s, records...)
	has(t, s, records...)
	heads, err := s.Heads(t.Context(), job, "User", ids)
	if err != nil || len(heads) != n {
		t.Errorf("%d heads, %v", len(heads), err)
	}
	found, err := s.Matching(t.Context(), job, "User", values)
	if err != nil || len(found) != n {
		t.Errorf("%d matching, %v", len(found), err)
	}
	var wanted []int64
	for _, r := range records {
		wanted = append(wanted, r.Key)
	}
	got, err := s.Records(t.Context(), job, wanted)
	if err != nil || len(got) != n {
		t.Errorf("%d records, %v", len(got), err)
	}
	for list, call := range map[string]func() (int, error){
		"heads":   func() (int, error) { l, err := s.Heads(t.Context(), job, "User", nil); return len(l), err },
		"records": func() (int, error) { l, err := s.Records(t.Context(), job, nil); return len(l), err },
		"values":  func() (int, error) { l, err := s.Matching(t.Context(), job, "User", nil); return len(l), err },
	} {
		if n, err := call(); n != 0 || err != nil {
			t.Errorf("no %s asked for: %d, %v", list, n, err)
		}
	}
}

func concurrent(t *testing.T, open Open) {
	s := open(t)
	release, err := s.Acquire(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	const workers, rounds = 8, 10
	all := make([][]*provision.Record, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := range rounds {
				r := record(fmt.Sprintf("%d-%d", w, i))
				for range 2 {
					err := s.Commit(t.Context(), job, &provision.Commit{Put: []*provision.Record{r}, Job: &provision.JobState{Watermark: r.SourceID}})
					if err != nil {
						t.Error(err)
						return
					}
					r.Display += " again"
				}
				r.Display = strings.TrimSuffix(r.Display, " again")
				all[w] = append(all[w], r)
			}
		})
	}
	group.Wait()
	has(t, s, slices.Concat(all...)...)
	if err := release(); err != nil {
		t.Error(err)
	}
}

func queries(t *testing.T, open Open) {
	s := open(t)
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, r := range []struct {
		id, target string
		flags      provision.Flags
		due        time.Time
	}{
		{"1", "t1", provision.Present, time.Time{}},
		{"2", "", provision.Present | provision.Dirty, time.Time{}},
		{"3", "t3", provision.Dirty | provision.Failed, noon.Add(time.Hour)},
		{"4", "t4", provision.Present | provision.Pending | provision.Held | provision.Rejoin, time.Time{}},
		{"5", "", provision.Creating | provision.Unsure, time.Time{}},
	} {
		put(t, s, &provision.Record{
			Head: provision.Head{SourceID: r.id, TargetID: r.target, Flags: r.flags}, Type: "User", Due: r.due, Display: "D" + r.id,
		})
	}
	for name, test := range map[string]struct {
		query provision.Query
		want  []string
	}{
		"all":           {provision.Query{}, []string{"1", "2", "3", "4", "5"}},
		"a type":        {provision.Query{Type: "User"}, []string{"1", "2", "3", "4", "5"}},
		"another type":  {provision.Query{Type: "Group"}, nil},
		"present":       {provision.Query{Type: "User", Present: true}, []string{"1", "2", "4"}},
		"dirty":         {provision.Query{Dirty: true}, []string{"2", "3"}},
		"dirty and due": {provision.Query{Dirty: true, DueBefore: noon}, []string{"2"}},
		"due exactly":   {provision.Query{Dirty: true, DueBefore: noon.Add(time.Hour)}, []string{"2", "3"}},
		"failed":        {provision.Query{Failed: true}, []string{"3"}},
		"held":          {provision.Query{Held: true}, []string{"4"}},
		"pending":       {provision.Query{Pending: true}, []string{"4"}},
		"rejoin":        {provision.Query{Rejoin: true}, []string{"4"}},
		"creating":      {provision.Query{Creating: true}, []string{"5"}},
		"unlinked":      {provision.Query{Unlinked: true}, []string{"2", "5"}},
		"linked":        {provision.Query{Linked: true}, []string{"1", "3", "4"}},
		"two flags":     {provision.Query{Present: true, Dirty: true}, []string{"2"}},
		"by source id":  {provision.Query{Text: "2"}, []string{"2"}},
		"by target id":  {provision.Query{Text: "t3"}, []string{"3"}},
		"by name":       {provision.Query{Text: "D4"}, []string{"4"}},
	} {
		t.Run(name, func(t *testing.T) {
			records, err := s.Scan(t.Context(), job, test.query, 0, 100)
			if err != nil {
				t.Fatal(err)
			}
			heads, err := s.ScanHeads(t.Context(), job, test.query, 0, 100)
			if err != nil {
				t.Fatal(err)
			}
			var ids, headIDs []string
			for _, r := range records {
				ids = append(ids, r.SourceID)
			}
			for _, h := range heads {
				headIDs = append(headIDs, h.SourceID)
			}
			if diff := gocmp.Diff(test.want, ids); diff != "" {
				t.Errorf("Scan (-want +got):\n%s", diff)
			}
			if diff := gocmp.Diff(test.want, headIDs); diff != "" {
				t.Errorf("ScanHeads (-want +got):\n%s", diff)
			}
			if n, err := s.Count(t.Context(), job, test.query); n != len(test.want) || err != nil {
				t.Errorf("Count = %d, %v, want %d", n, err, len(test.want))
			}
		})
	}
}

func scans(t *testing.T, open Open) {
	s := open(t)
	for i := range 10 {
		put(t, s, record(fmt.Sprint(i)))
	}
	var ids []string
	for after := int64(0); ; {
		records, err := s.Scan(t.Context(), job, provision.Query{}, after, 3)
		if err != nil || len(records) > 3 {
			t.Fatalf("%d records, %v", len(records), err)
		}
		if len(records) == 0 {
			break
		}
		for _, r := range records {
			ids, after = append(ids, r.SourceID), r.Key
		}
	}
	if diff := gocmp.Diff([]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, ids); diff != "" {
		t.Error(diff)
	}
}

func duplicates(t *testing.T, open Open) {
	s := open(t)
	long := "u\x00" + strings.Repeat("long", 2000)
	for _, r := range []struct {
		id       string
		matching []string
	}{
		{"1", []string{"u\x00a", "d\x00x"}},
		{"2", []string{"u\x00b", "d\x00x"}},
		{"3", []string{"u\x00a"}},
		{"4", nil},
		{"5", []string{long}},
		{"6", []string{long}},
		{"7", []string{long + "!"}},
		{"8", []string{"u\x00A"}},
		// Not of the first matching attribute, and twice in one record.
		{"9", []string{"u\x00c", "u\x00b"}},
		{"10", []string{"u\x00d", "u\x00d"}},
	} {
		put(t, s, &provision.Record{Head: provision.Head{SourceID: r.id}, Type: "User", Matching: r.matching})
	}
	found, err := s.Duplicates(t.Context(), job, "User")
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, m := range found {
		values = append(values, m.Value)
	}
	slices.Sort(values)
	if diff := gocmp.Diff([]string{"u\x00a", "u\x00a", long, long}, values); diff != "" {
		t.Error(diff)
	}
	for i := 0; i < len(found); i += 2 {
		if found[i].Value != found[i+1].Value {
			t.Error("those with the same value are not next to each other")
			break
		}
	}
	if found, err := s.Duplicates(t.Context(), job, "Group"); len(found) != 0 || err != nil {
		t.Errorf("of another type: %v, %v", found, err)
	}
}

func matching(t *testing.T, open Open) {
	s := open(t)
	a, b := record("a"), record("b")
	a.Matching, b.Matching = []string{"u\x00a", "m\x00x"}, []string{"u\x00b", "m\x00x"}
	put(t, s, a, b)
	find := func(values ...string) (text string) {
		t.Helper()
		found, err := s.Matching(t.Context(), job, "User", values)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, m := range found {
			lines = append(lines, fmt.Sprintf("%s %d %d", strings.ReplaceAll(m.Value, "\x00", " "), m.Key-a.Key, m.Precedence))
		}
		slices.Sort(lines)
		return strings.Join(lines, ", ")
	}
	if got := find("m\x00x", "u\x00b", "nothing"); got != "m x 0 1, m x 1 1, u b 1 0" {
		t.Errorf("at first: %s", got)
	}
	a.Matching, b.Matching = []string{"m\x00x", "u\x00c"}, nil
	put(t, s, a, b)
	if got := find("m\x00x", "u\x00a", "u\x00b", "u\x00c"); got != "m x 0 0, u c 0 1" {
		t.Errorf("afterwards: %s", got)
	}
}

func lease(t *testing.T, open Open) {
	a, b := open(t), open(t)
	release, err := a.Acquire(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]provision.State{"the same state": a, "another one": b} {
		if _, err := s.Acquire(t.Context(), job); !errors.Is(err, provision.ErrBusy) {
			t.Errorf("%s: err = %v, want ErrBusy", name, err)
		}
	}
	other, err := b.Acquire(t.Context(), "another job")
	if err != nil {
		t.Fatalf("another job is kept out: %v", err)
	}
	put(t, a, record("1"))
	if err := errors.Join(release(), other()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		release, err = b.Acquire(t.Context(), job)
		if err != nil {
			t.Fatalf("after release: %v", err)
		}
		put(t, b, record("2"))
		commit(t, b, &provision.Commit{ForgetAll: true})
		if err := release(); err != nil {
			t.Fatal(err)
		}
	}
	release, err = a.Acquire(t.Context(), job)
	if err != nil {
		t.Fatalf("the first again: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
}

func leaseContext(t *testing.T, open Open) {
	a, b := open(t), open(t)
	ctx, cancel := context.WithCancel(t.Context())
	release, err := a.Acquire(ctx, job)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := b.Acquire(t.Context(), job); !errors.Is(err, provision.ErrBusy) {
		t.Errorf("err = %v, want ErrBusy", err)
	}
	// What was sent must be recorded, though the job is told to stop.
	if err := a.Commit(ctx, job, &provision.Commit{Put: []*provision.Record{record("1")}}); err != nil {
		t.Errorf("Commit with a cancelled context: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
}

func fork(t *testing.T, open Open) {
	s := open(t)
	r := record("1")
	commit(t, s, &provision.Commit{Put: []*provision.Record{r}, Job: &provision.JobState{Watermark: "w"}})
	release, err := s.Acquire(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = release() }()
	f, err := s.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	has(t, f, r)
	commit(t, f, &provision.Commit{ForgetAll: true, Job: &provision.JobState{Watermark: "fork"}})
	has(t, f)
	has(t, s, r)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	has(t, s, r)
	if js, err := s.Job(t.Context(), job); js.Watermark != "w" || err != nil {
		t.Errorf("Job = %+v, %v", js, err)
	}
	put(t, s, record("2"))
}

func forkWrites(t *testing.T, open Open) {
	s := open(t)
	old := record("1")
	put(t, s, old)
	f, err := s.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	release, err := f.Acquire(t.Context(), job)
	if err != nil {
		t.Fatalf("the lease of a fork: %v", err)
	}
	var group sync.WaitGroup
	records := make([]*provision.Record, 8)
	for i := range records {
		records[i] = record(fmt.Sprint("new", i))
		group.Go(func() {
			if err := f.Commit(t.Context(), job, &provision.Commit{Put: records[i : i+1]}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	taken := record("taken")
	taken.TargetID = old.TargetID
	if err := f.Commit(t.Context(), job, &provision.Commit{Put: []*provision.Record{taken}}); !errors.Is(err, provision.ErrTargetTaken) {
		t.Errorf("err = %v, want ErrTargetTaken", err)
	}
	has(t, f, append(records, old)...)
	changed := *old
	changed.Display = "changed"
	put(t, f, &changed)
	has(t, f, append(records, &changed)...)
	has(t, s, old)
	if err := release(); err != nil {
		t.Error(err)
	}
}

func logQueries(t *testing.T, open Open) {
	s := open(t)
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	var log []provision.LogEntry
	for i, status := range []provision.Status{provision.StatusSuccess, provision.StatusFailure, provision.StatusSkipped} {
		e := provision.LogEntry{ID: string(rune('a' + i)), Time: noon.Add(time.Duration(i) * time.Minute), CycleID: "c"}
		e.Source.ID, e.Status.Status = "s", status
		if status == provision.StatusFailure {
			e.Status.Error = &provision.LogError{Code: provision.Timeout}
			e.Target.ID = "t"
		}
		log = append(log, e)
	}
	commit(t, s, &provision.Commit{Log: log})
	check := func(want string, q provision.LogQuery) {
		t.Helper()
		entries, err := s.Log(t.Context(), job, q)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, e := range entries {
			got += e.ID
		}
		if got != want {
			t.Errorf("Log(%+v) = %q, want %q", q, got, want)
		}
	}
	check("cba", provision.LogQuery{})
	check("cb", provision.LogQuery{Limit: 2})
	check("b", provision.LogQuery{Code: provision.Timeout})
	check("c", provision.LogQuery{Status: provision.StatusSkipped})
	check("cba", provision.LogQuery{CycleID: "c"})
	check("", provision.LogQuery{CycleID: "another"})
	check("ba", provision.LogQuery{Until: noon.Add(2 * time.Minute), ID: "s"})
	check("cb", provision.LogQuery{Since: noon.Add(time.Minute)})
	check("b", provision.LogQuery{ID: "t"})
	check("", provision.LogQuery{ID: "x"})
	commit(t, s, &provision.Commit{LogBefore: noon.Add(time.Minute)})
	check("cb", provision.LogQuery{})
	entries, err := s.Log(t.Context(), job, provision.LogQuery{ID: "t"})
	if diff := gocmp.Diff(log[1:2], entries, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
