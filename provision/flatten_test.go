package provision_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/provision"
)

// feed is a directory that tells what changed since a position.
type feed struct {
	*directory
	states []map[string]map[string]string // by position: digest by type and id
	full   int
}

func (f *feed) Entries(ctx context.Context, objectType string) iter.Seq2[provision.Entry, error] {
	f.full++
	return f.directory.Entries(ctx, objectType)
}

func (f *feed) Watermark(context.Context) (string, error) {
	now := map[string]map[string]string{}
	for typ, objects := range f.objects {
		now[typ] = map[string]string{}
		for id, o := range objects {
			now[typ][id] = fmt.Sprint(o)
		}
	}
	f.states = append(f.states, now)
	return strconv.Itoa(len(f.states) - 1), nil
}

func (f *feed) Changes(_ context.Context, objectType, since string) iter.Seq2[provision.Entry, error] {
	return func(yield func(provision.Entry, error) bool) {
		at, err := strconv.Atoi(since)
		if err != nil {
			yield(provision.Entry{}, err)
			return
		}
		was := f.states[at][objectType]
		for _, id := range slices.Sorted(maps.Keys(f.objects[objectType])) {
			if o := f.objects[objectType][id]; was[id] != fmt.Sprint(o) && !yield(provision.Entry{ID: id, Attributes: maps.Clone(o)}, nil) {
				return
			}
		}
		known := map[string]bool{}
		for _, state := range f.states[at:] {
			for id := range state[objectType] {
				known[id] = true
			}
		}
		for _, id := range slices.Sorted(maps.Keys(known)) {
			if _, there := f.objects[objectType][id]; !there && !yield(provision.Entry{ID: id, Deleted: true}, nil) {
				return
			}
		}
	}
}

// flat returns a world in which groups are flattened, of a source that tells changes.
func flat(t testing.TB) (*world, *feed) {
	w := newWorld(t)
	f := &feed{directory: w.source}
	w.config.Source = f
	w.config.Policy.FlattenGroups = true
	for _, id := range []string{"a", "b", "c", "d"} {
		w.source.user(id, id+"@x")
	}
	return w, f
}

// groups returns the groups of the application with their members, without domains.
func (w *world) groups() []string {
	var lines []string
	for _, line := range w.app.picture() {
		if name, ok := strings.CutPrefix(line, "group "); ok {
			lines = append(lines, strings.ReplaceAll(name, "@x", ""))
		}
	}
	return lines
}

func (w *world) wantGroups(what string, want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.groups()); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestNestedGroupsAreFlattened(t *testing.T) {
	w, f := flat(t)
	w.source.group("top", "Top", "a", "mid", "side")
	w.source.group("mid", "Mid", "b", "low")
	w.source.group("side", "Side", "low")
	w.source.group("low", "Low", "c", "b")
	s, _ := w.cycle()
	w.wantGroups("at first", "Low [b c]", "Mid [b c]", "Side [b c]", "Top [a b c]")
	if !s.InStep() || s.WarningCount != 0 {
		t.Errorf("failures %v, warnings %v", codes(s), s.Warnings)
	}
	full := f.full

	w.source.group("low", "Low", "c", "d")
	_, writes := w.cycle()
	w.wantGroups("a change deep down", "Low [c d]", "Mid [b c d]", "Side [c d]", "Top [a b c d]")
	if len(writes) != 4 {
		t.Errorf("writes %q, want one for each group", writes)
	}

	w.source.group("side", "Side")
	w.cycle()
	w.wantGroups("one of two ways in is gone", "Low [c d]", "Mid [b c d]", "Side []", "Top [a b c d]")

	w.source.group("mid", "Mid", "b")
	w.cycle()
	w.wantGroups("both are", "Low [c d]", "Mid [b]", "Side []", "Top [a b]")

	w.source.group("mid", "The middle", "b")
	if _, writes := w.cycle(); len(writes) != 1 {
		t.Errorf("a new name: writes %q", writes)
	}
	w.source.group("side", "Side", "new")
	w.cycle()
	w.wantGroups("a member that is not there yet", "Low [c d]", "Side []", "The middle [b]", "Top [a b]")
	w.source.group("new", "New", "d")
	w.cycle()
	w.wantGroups("which turns out to be a group", "Low [c d]", "New [d]", "Side [d]", "The middle [b]", "Top [a b d]")
	delete(w.source.objects["Group"], "new")
	w.cycle()
	w.wantGroups("which is deleted", "Low [c d]", "Side []", "The middle [b]", "Top [a b]")

	w.source.group("side", "Side", "e")
	w.cycle()
	w.source.user("e", "e@x")
	w.cycle()
	w.wantGroups("a person who comes later", "Low [c d]", "Side [e]", "The middle [b]", "Top [a b e]")
	if _, writes := w.cycle(); len(writes) != 0 || f.full != full {
		t.Errorf("writes %q, and %d full reads", writes, f.full-full)
	}
}

func TestGroupsOutOfScopeAreLookedInto(t *testing.T) {
	w, f := flat(t)
	w.mappings[1].Scope = []mapping.FilterGroup{{Clauses: []mapping.Clause{{Attribute: "displayName", Operator: mapping.Includes, Value: "App"}}}}
	w.source.group("app", "App Postman", "staff")
	w.source.group("staff", "Staff", "a", "b")
	w.cycle()
	w.wantGroups("at first", "App Postman [a b]")
	w.source.group("staff", "Staff", "b", "c")
	w.cycle()
	w.wantGroups("after a change", "App Postman [b c]")
	w.source.group("staff", "App Staff", "b", "c")
	w.cycle()
	w.wantGroups("when it comes into scope", "App Postman [b c]", "App Staff [b c]")
	w.source.group("staff", "Staff", "c")
	w.cycle()
	w.wantGroups("when it leaves again", "App Postman [c]")
	w.source.group("staff", "Staff")
	w.cycle()
	w.wantGroups("when nobody is left", "App Postman []")
	_ = f
}

func TestGroupsThatContainEachOtherAreReported(t *testing.T) {
	w, _ := flat(t)
	w.source.group("1", "One", "a", "2")
	w.source.group("2", "Two", "b", "3")
	w.source.group("3", "Three", "c", "1")
	w.source.group("4", "Four", "4", "d")
	w.source.group("5", "Five", "1", "4")
	s, _ := w.cycle()
	w.wantGroups("in a circle", "Five [a b c d]", "Four [d]", "One [a b c]", "Three [a b c]", "Two [a b c]")
	var told []string
	for _, warning := range s.Warnings {
		told = append(told, string(warning.Code)+" "+warning.Reason)
	}
	want := []string{
		"GroupsContainEachOther group 4 contains itself",
		"GroupsContainEachOther groups 1, 2, 3 contain each other; each has the members of all",
	}
	if diff := cmp.Diff(want, sortedStrings(told)); diff != "" || !s.InStep() {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	w.source.user("e", "e@x")
	w.source.group("2", "Two", "b", "3", "e")
	if s, _ := w.cycle(); s.WarningCount != 2 {
		t.Errorf("%d warnings, want the two as long as they are there", s.WarningCount)
	}
	log, err := w.job().Log(t.Context(), provision.LogQuery{Code: provision.GroupsContainEachOther})
	if err != nil || len(log) != 2 {
		t.Errorf("%d log entries, want one for each circle: %v", len(log), err)
	}
	w.source.group("3", "Three", "c")
	w.source.group("4", "Four", "d")
	s, _ = w.cycle()
	w.wantGroups("opened", "Five [a b c d e]", "Four [d]", "One [a b c e]", "Three [c]", "Two [b c e]")
	if s.WarningCount != 0 {
		t.Errorf("warnings %v", s.Warnings)
	}
}

func TestFlatteningIsSwitchedOnAndOff(t *testing.T) {
	w, _ := flat(t)
	w.config.Policy.FlattenGroups = false
	w.source.group("top", "Top", "a", "low")
	w.source.group("low", "Low", "b")
	s, _ := w.cycle()
	w.wantGroups("off", "Low [b]", "Top [a]")
	if s.WarningCount != 1 {
		t.Errorf("%d warnings, want one for the group in a group", s.WarningCount)
	}
	w.config.Policy.FlattenGroups = true
	w.cycle()
	w.wantGroups("on", "Low [b]", "Top [a b]")
	x, err := w.job().Explain(t.Context(), "Group", "top")
	if err != nil || x.Next != provision.ActionSkip {
		t.Errorf("explained %+v, %v", x, err)
	}
	w.config.Policy.FlattenGroups = false
	w.cycle()
	w.wantGroups("off again", "Low [b]", "Top [a]")
}

// TestFlatteningConverges plays random trees of groups, with faults of the source and crashes between reading and writing.
func TestFlatteningConverges(t *testing.T) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 7))
		w, f := flat(t)
		if seed%3 == 0 {
			w.config.Source = w.source // reads everything each time
		}
		w.mappings[1].Scope = []mapping.FilterGroup{{Clauses: []mapping.Clause{{Attribute: "displayName", Operator: mapping.Includes, Value: "G"}}}}
		var ids []string
		for i := range 8 {
			ids = append(ids, fmt.Sprintf("g%d", i))
		}
		for round := range 12 {
			for range 1 + rng.IntN(3) {
				id := ids[rng.IntN(len(ids))]
				if rng.IntN(5) == 0 {
					delete(w.source.objects["Group"], id)
					continue
				}
				var members []string
				for _, m := range append([]string{"a", "b", "c", "d", "ghost"}, ids...) {
					if rng.IntN(4) == 0 {
						members = append(members, m)
					}
				}
				w.source.group(id, []string{"G", "H"}[rng.IntN(4)/3]+id, members...)
			}
			w.config.Policy.Deletions.Count, w.config.Policy.Deletions.Percent, w.config.Policy.MaxShrink = -1, -1, -1
			switch rng.IntN(4) {
			case 0:
				w.source.fail, w.source.failAt = errors.New("torn"), rng.IntN(4)
			case 1:
				crash := rng.IntN(20)
				w.app.fault = func(string) (error, bool) {
					if crash--; crash < 0 {
						return context.Canceled, crash%2 == 0
					}
					return nil, false
				}
			}
			_, _ = w.job().RunCycle(t.Context())
			w.source.fail, w.app.fault = nil, nil
			if round%3 != 2 {
				continue
			}
			w.cycle()
			w.cycle()
			w.wantGroups(fmt.Sprintf("seed %d, round %d", seed, round), flattened(f.directory)...)
			if _, writes := w.cycle(); len(writes) != 0 {
				t.Errorf("seed %d, round %d: nothing changed, but %q", seed, round, writes)
			}
			if t.Failed() {
				return
			}
		}
	}
}

// flattened works out what groups should be there, by another way than the engine: it adds members until none is added any more.
func flattened(d *directory) []string {
	members := map[string]map[string]bool{}
	for id, g := range d.objects["Group"] {
		members[id] = map[string]bool{}
		for _, m := range g["members"].([]any) {
			members[id][m.(string)] = true
		}
	}
	for grew := true; grew; {
		grew = false
		for id := range members {
			for m := range maps.Clone(members[id]) {
				for inner := range members[m] {
					grew = grew || !members[id][inner]
					members[id][inner] = true
				}
			}
		}
	}
	var lines []string
	for id, g := range d.objects["Group"] {
		name := g["displayName"].(string)
		if !strings.HasPrefix(name, "G") {
			continue
		}
		var people []string
		for m := range members[id] {
			if d.objects["User"][m] != nil {
				people = append(people, m)
			}
		}
		lines = append(lines, fmt.Sprintf("%s %v", name, sortedStrings(people)))
	}
	return sortedStrings(lines)
}
