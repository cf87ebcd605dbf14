package provision_test

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/state/sqlite"
)

// TestConvergence plays random histories of a directory, each with a job, a mapping and a target of its own, against a target that fails in
// random ways and is changed by others, and kills the job at random points. In the end the target must be what the mapping says,
// and on the way nothing may happen that should not. What fails is told as the shortest history that fails.
//
// SCIMBRIDGE_SEEDS is how many histories are played, by default 2,000, and fewer with -race or -short; SCIMBRIDGE_SEED_FROM is the first.
// SCIMBRIDGE_SEED plays a single one and tells it.
func TestConvergence(t *testing.T) {
	if seed := environment(t, "SCIMBRIDGE_SEED", -1); seed >= 0 {
		s := newScript(uint64(seed))
		t.Log(s)
		if failure := s.play(t, memory(t), nil); failure != "" {
			t.Fatalf("%s\n%s", failure, s.shrink(t, memory(t)))
		}
		return
	}
	otherwise := defaultSeeds
	if testing.Short() {
		otherwise = 100
	}
	from, seeds := environment(t, "SCIMBRIDGE_SEED_FROM", 0), environment(t, "SCIMBRIDGE_SEEDS", otherwise)
	met := &sightings{seen: map[string]int{}}
	t.Run("seeds", func(t *testing.T) {
		workers := runtime.GOMAXPROCS(0)
		for i := range workers {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				playSeeds(t, from+i, from+seeds, workers, met)
			})
		}
	})
	if t.Failed() {
		return
	}
	t.Logf("%d histories: %v", seeds, met)
	for _, what := range wantSightings {
		// A property that is never put to the test shows nothing.
		if met.seen[what] == 0 && seeds >= 500 {
			t.Errorf("no history had: %s", what)
		}
	}
}

// playSeeds plays every so manieth seed. Many histories share a database, each with a job of its own.
func playSeeds(t *testing.T, from, to, step int, met *sightings) {
	const perDatabase = 25
	var db *sqlite.Store
	for n, seed := 0, from; seed < to; n, seed = n+1, seed+step {
		if n%perDatabase == 0 {
			if db != nil {
				_ = db.Close()
			}
			db = memory(t)
		}
		s := newScript(uint64(seed))
		if failure := s.play(t, db, met); failure != "" {
			t.Fatalf("%s\n%s", failure, s.shrink(t, db))
		}
	}
}

func memory(t *testing.T) *sqlite.Store {
	t.Helper()
	db, err := sqlite.Memory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func environment(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// wantSightings are the things that the histories must have among them.
var wantSightings = []string{
	"killed before a call", "killed after a call", "killed before a commit", "answer lost of create", "answer lost of update", "answer lost of members",
	"answer lost of delete", "refused create", "refused update", "refused members", "refused delete", "refused find", "refused list",
	"fault 401", "fault 409", "fault 429", "fault 500", "fault 503", "fault timeout",
	"held deletions", "source fault", "target unusable", "watermark expired", "incremental cycle", "adopted", "planned", "on demand", "removed in the target",
	"changed in the target", "duplicate", "conflict", "parked", "unresolved reference", "member refused",
	"disabled, with an address that is taken", "another policy",
}

// sightings counts what happened in all histories.
type sightings struct {
	mu   sync.Mutex
	seen map[string]int
}

func (s *sightings) meet(what string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[what]++
}

func (s *sightings) String() string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(s.seen)) {
		parts = append(parts, fmt.Sprintf("%s %d", what, s.seen[what]))
	}
	return strings.Join(parts, ", ")
}

// shrink looks for a shorter history that fails too, and tells it.
func (s *script) shrink(t *testing.T, db *sqlite.Store) string {
	t.Helper()
	best, failure, tries := s, s.play(t, db, nil), 0
	if failure == "" {
		return "it did not fail again, as it has several objects under way at once:\n" + s.String()
	}
	better := func(candidate *script) bool {
		if tries++; tries > 1500 {
			return false
		}
		if f := candidate.play(t, db, nil); f != "" {
			best, failure = candidate, f
			return true
		}
		return false
	}
	for again := true; again; {
		again = false
		for size := max(len(best.events)/2, 1); size > 0; size /= 2 {
			for from := len(best.events) - size; from >= 0; from -= size {
				again = better(best.without(from, size)) || again
			}
		}
		for i := range best.events {
			for slices.ContainsFunc(best.events[i].simpler(), func(e event) bool { return better(best.with(i, e)) }) {
				again = true
			}
		}
		for slices.ContainsFunc(best.setup.simpler(), func(simpler setup) bool { return better(best.in(simpler)) }) {
			again = true
		}
	}
	return fmt.Sprintf("SCIMBRIDGE_SEED=%d fails. The shortest history that does (of %d tried): %s\n%s", s.seed, tries, failure, best)
}

func (s *script) without(from, n int) *script {
	c := *s
	c.events = slices.Delete(slices.Clone(s.events), from, from+n)
	return &c
}

func (s *script) with(i int, e event) *script {
	c := *s
	c.events = slices.Clone(s.events)
	c.events[i] = e
	return &c
}

func (s *script) in(other setup) *script {
	c := *s
	c.setup = other
	return &c
}

// simpler returns events like this one with less in them.
func (e event) simpler() []event {
	if e.cycle == nil {
		return nil
	}
	var list []event
	add := func(change func(*cycleEvent)) {
		c := *e.cycle
		c.faults = maps.Clone(c.faults)
		change(&c)
		list = append(list, event{cycle: &c})
	}
	if e.cycle.kill > 0 {
		add(func(c *cycleEvent) { c.kill = 0 })
	}
	if e.cycle.loses != "" {
		add(func(c *cycleEvent) { c.loses = "" })
	}
	if e.cycle.sourceFails > 0 {
		add(func(c *cycleEvent) { c.sourceFails = 0 })
	}
	if len(e.cycle.faults) > 1 {
		add(func(c *cycleEvent) { c.faults = nil })
	}
	for _, call := range slices.Sorted(maps.Keys(e.cycle.faults)) {
		add(func(c *cycleEvent) { delete(c.faults, call) })
	}
	return list
}

// simpler returns setups like this one that are nearer to the plain one.
func (s setup) simpler() []setup {
	var list []setup
	add := func(change func(*setup)) {
		c := s
		change(&c)
		if fmt.Sprint(c) != fmt.Sprint(s) {
			list = append(list, c)
		}
	}
	plain := setup{policy: provision.Policy{Deletions: s.policy.Deletions, MaxShrink: s.policy.MaxShrink}, concurrency: 1}
	add(func(c *setup) { *c = plain })
	add(func(c *setup) { c.policy = plain.policy })
	add(func(c *setup) { c.matching = plain.matching })
	add(func(c *setup) { c.active = plain.active })
	add(func(c *setup) { c.title = plain.title })
	add(func(c *setup) { c.upper = false })
	add(func(c *setup) { c.manager = false })
	add(func(c *setup) { c.scope = 0 })
	add(func(c *setup) { c.groupScope = false })
	add(func(c *setup) { c.keepsAccounts = false })
	add(func(c *setup) { c.tellsChanges = false })
	add(func(c *setup) { c.parks = false })
	add(func(c *setup) { c.dropsMemberships = false })
	add(func(c *setup) { c.membersOnCreate = false })
	add(func(c *setup) { c.perRequest = 0 })
	add(func(c *setup) { c.concurrency = 1 })
	add(func(c *setup) { c.policy.Drift = 0 })
	add(func(c *setup) { c.policy.DeleteAfter = 0 })
	add(func(c *setup) { c.policy.Adopt = provision.AdoptMatching })
	return list
}
