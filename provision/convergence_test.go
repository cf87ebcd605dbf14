package provision_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/provision"
)

// TestConvergence plays random histories of a directory against a target that fails in random ways, and kills the job at random
// points. In the end the target must be what the mapping says.
//
// SCIMBRIDGE_SEEDS is how many histories are played, SCIMBRIDGE_SEED plays a single one and tells it.
func TestConvergence(t *testing.T) {
	if text := os.Getenv("SCIMBRIDGE_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		newHistory(t, seed, true).play()
		return
	}
	seeds := 60
	if text := os.Getenv("SCIMBRIDGE_SEEDS"); text != "" {
		var err error
		if seeds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	for seed := range uint64(seeds) {
		if t.Failed() {
			return
		}
		newHistory(t, seed, false).play()
	}
}

// history is one random history.
type history struct {
	*world
	rng     *rand.Rand
	seed    uint64
	told    []string
	aloud   bool
	version int
	users   []string
	groups  []string
	// endings counts accounts disabled or deleted in the cycle, which the limit allows.
	limit    int
	released bool
	foreign  []string
}

var errCrash = errors.New("the process was killed")

func newHistory(t *testing.T, seed uint64, aloud bool) *history {
	h := &history{world: newWorld(t), rng: rand.New(rand.NewPCG(seed, 1)), seed: seed, aloud: aloud}
	h.mappings[0].Scope = []mapping.FilterGroup{{Clauses: []mapping.Clause{{Attribute: "department", Operator: mapping.NotEquals, Value: "Out"}}}}
	h.app.dropsMemberships = h.flip(2)
	h.app.profile.Resources[1].MembersOnCreate = h.flip(2)
	if h.flip(3) {
		h.config.Policy.Adopt = provision.AdoptNever
	}
	h.limit = 3 + h.rng.IntN(3)
	h.config.Policy.Deletions = provision.DeletionLimit{Count: h.limit, Percent: -1}
	h.config.Policy.MaxShrink = -1
	// With several objects at once the order of calls, and so the history, is another each time.
	h.config.Concurrency = 1
	if seed%10 == 9 {
		h.config.Concurrency = 3
	}
	for i := range 2 {
		h.foreign = append(h.foreign, h.app.put("User", scim.Document{
			"userName": fmt.Sprintf("foreign%d@example.com", i), "active": true, "name": map[string]any{"familyName": "Foreign"},
		}))
	}
	for range 3 + h.rng.IntN(8) {
		h.newUser()
	}
	for range 1 + h.rng.IntN(3) {
		h.newGroup()
	}
	return h
}

func (h *history) flip(n int) bool { return h.rng.IntN(n) == 0 }

func (h *history) tell(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	h.told = append(h.told, line)
	if h.aloud {
		fmt.Println(line)
	}
}

func (h *history) fatal(format string, args ...any) {
	h.t.Helper()
	h.t.Fatalf("SCIMBRIDGE_SEED=%d: %s\n%s", h.seed, fmt.Sprintf(format, args...), strings.Join(h.told, "\n"))
}

func (h *history) newUser() {
	id := fmt.Sprintf("u%d", len(h.users))
	h.users = append(h.users, id)
	h.source.user(id, id+"@example.com", "department", "In")
	h.tell("hire %s", id)
}

func (h *history) newGroup() {
	id := fmt.Sprintf("g%d", len(h.groups))
	h.groups = append(h.groups, id)
	h.source.group(id, "Group "+id, h.someUsers()...)
	h.tell("group %s: %v", id, h.source.objects["Group"][id]["members"])
}

func (h *history) someUsers() []string {
	var some []string
	for _, id := range append(slices.Clone(h.users), "ghost") {
		if h.flip(2) {
			some = append(some, id)
		}
	}
	return some
}

// mutate changes something in the directory.
func (h *history) mutate() {
	id := h.users[h.rng.IntN(len(h.users))]
	u := h.source.objects["User"][id]
	group := h.groups[h.rng.IntN(len(h.groups))]
	h.version++
	switch n := h.rng.IntN(12); {
	case n == 0:
		h.newUser()
	case n == 1:
		h.newGroup()
	case n == 2:
		h.source.group(group, fmt.Sprintf("Group %s v%d", group, h.version), h.someUsers()...)
		h.tell("group %s: %v", group, h.source.objects["Group"][group]["members"])
	case n == 3 && len(h.source.objects["Group"]) > 1:
		delete(h.source.objects["Group"], group)
		h.tell("group %s is dissolved", group)
	case n == 4 && len(h.source.objects["User"]) > 1:
		delete(h.source.objects["User"], id)
		h.tell("%s vanishes", id)
	case u == nil:
		h.source.user(id, fmt.Sprintf("%s.v%d@example.com", id, h.version), "department", "In")
		h.tell("%s returns", id)
	case n == 5:
		u["accountEnabled"] = false
		h.tell("%s is disabled", id)
	case n == 6:
		u["accountEnabled"] = true
		h.tell("%s is enabled", id)
	case n == 7:
		u["department"] = "Out"
		h.tell("%s leaves scope", id)
	case n == 8:
		u["department"] = "In"
		h.tell("%s comes into scope", id)
	case n == 9:
		u["userPrincipalName"] = fmt.Sprintf("%s.v%d@example.com", id, h.version)
		h.tell("%s is renamed %s", id, u["userPrincipalName"])
	case n == 10:
		other := h.users[h.rng.IntN(len(h.users))]
		if o := h.source.objects["User"][other]; o != nil {
			u["userPrincipalName"] = o["userPrincipalName"]
			h.tell("%s gets the address of %s", id, other)
		}
	default:
		u["surname"] = fmt.Sprintf("Family%d", h.version)
		h.tell("%s is called %s", id, u["surname"])
	}
}

// interfere changes something in the target behind the job's back.
func (h *history) interfere() {
	for _, id := range slices.Sorted(maps.Keys(h.app.objects["User"])) {
		u := h.app.objects["User"][id]
		if slices.Contains(h.foreign, id) || h.rng.IntN(4) > 0 {
			continue
		}
		delete(h.app.objects["User"], id)
		for _, g := range h.app.objects["Group"] {
			g["members"] = withoutMember(g, id)
		}
		h.tell("account %v is removed in the target", u["userName"])
		return
	}
}

// faults makes the target fail now and then.
func (h *history) faults(odds int) {
	h.app.fault = nil
	if odds == 0 {
		return
	}
	h.app.fault = func(call string) (error, bool) {
		if h.rng.IntN(odds) > 0 {
			return nil, false
		}
		applied := h.flip(2)
		err := []error{
			scim.NewError(429, "", "slow down"), scim.NewError(500, "", "oops"), scim.NewError(503, "", "busy"),
			&scim.Error{Attempts: 3, Err: context.DeadlineExceeded},
		}[h.rng.IntN(4)]
		if err.(*scim.Error).Status == 429 {
			applied = false
		}
		h.tell("  %s: %v (applied: %v)", call, err, applied)
		return err, applied
	}
}

// run runs a cycle that may be killed after some calls.
func (h *history) run(killAfter int) *provision.Summary {
	h.clock.advance(40 * time.Minute)
	k := &killer{left: killAfter}
	if killAfter > 0 {
		h.target, h.world.state = &mortalTarget{h.app, k}, &mortalState{h.state, k}
	}
	real := h.state
	defer func() { h.target, h.world.state = h.app, real }()
	if m, ok := h.world.state.(*mortalState); ok {
		real = m.State
	}
	before := h.active()
	s, err := h.job().RunCycle(h.t.Context())
	ended := 0
	for id, was := range before {
		if u := h.app.objects["User"][id]; was && (u == nil || u["active"] == false) {
			ended++
		}
	}
	switch {
	case k.dead:
		h.tell("cycle killed after %d calls", killAfter)
	case err != nil:
		h.tell("cycle failed: %v", err)
	default:
		h.tell("cycle: %d changed, failures %v, held %d", s.Changed(), codes(s), s.Held)
	}
	if ended > h.limit && !h.released {
		h.fatal("%d accounts ended in one cycle, %d are allowed", ended, h.limit)
	}
	if err != nil && !k.dead && !errors.Is(err, provision.ErrTargetUnusable) {
		h.fatal("cycle: %v", err)
	}
	return s
}

func (h *history) active() map[string]bool {
	active := map[string]bool{}
	for id, u := range h.app.objects["User"] {
		active[id] = u["active"] != false
	}
	return active
}

func (h *history) play() {
	for range 3 + h.rng.IntN(6) {
		for range h.rng.IntN(4) {
			h.mutate()
		}
		if h.flip(5) {
			h.interfere()
		}
		h.faults([]int{0, 3, 8, 20}[h.rng.IntN(4)])
		kill := 0
		if h.flip(2) {
			kill = 1 + h.rng.IntN(40)
		}
		h.run(kill)
		h.clock.advance(time.Duration(h.rng.IntN(30)) * time.Hour)
	}
	h.settleDirectory()
	h.faults(0)
	var s *provision.Summary
	quiet := false
	for range 12 {
		h.clock.advance(25 * time.Hour)
		h.app.journal = nil
		s = h.run(0)
		h.released = false
		if s.Held > 0 {
			if err := h.job().Restart(h.t.Context(), provision.ForceDeletes); err != nil {
				h.fatal("%v", err)
			}
			h.released = true
			continue
		}
		if quiet = len(h.app.writes()) == 0; quiet {
			break
		}
	}
	if !quiet {
		h.fatal("the job does not come to rest: %q", h.app.writes())
	}
	if !s.InStep() {
		h.fatal("not in step: %+v", s.Failures)
	}
	h.check()
}

// settleDirectory ends what is ambiguous, and touches everything, so that what was removed behind the job's back is noticed.
func (h *history) settleDirectory() {
	for id, u := range h.source.objects["User"] {
		u["userPrincipalName"] = id + ".final@example.com"
		u["surname"] = "Final" + id
	}
	for id, g := range h.source.objects["Group"] {
		g["displayName"] = "Final " + id
	}
	h.tell("everybody is renamed")
}

// check compares the target with what the mapping says.
func (h *history) check() {
	want, got := map[string]string{}, map[string]string{}
	for id, u := range h.source.objects["User"] {
		if u["accountEnabled"] == true && u["department"] == "In" {
			want["user "+id+".final@example.com"] = fmt.Sprintf("Given%s Final%s", id, id)
		}
	}
	for _, u := range h.app.objects["User"] {
		name, _ := u["name"].(map[string]any)
		if u["active"] != false && name["familyName"] != "Foreign" {
			got[fmt.Sprintf("user %v", u["userName"])] = fmt.Sprintf("%v %v", name["givenName"], name["familyName"])
		}
	}
	for id, g := range h.source.objects["Group"] {
		var members []string
		for _, m := range g["members"].([]any) {
			if want[fmt.Sprintf("user %v.final@example.com", m)] != "" {
				members = append(members, fmt.Sprintf("%v.final@example.com", m))
			}
		}
		slices.Sort(members)
		want["group Final "+id] = fmt.Sprint(members)
	}
	for _, g := range h.app.objects["Group"] {
		var members []string
		list, _ := g["members"].([]any)
		for _, m := range list {
			// Memberships of disabled accounts give no access, and stay or go as the target likes.
			if u := h.app.objects["User"][m.(map[string]any)["value"].(string)]; u["active"] != false {
				members = append(members, fmt.Sprint(u["userName"]))
			}
		}
		slices.Sort(members)
		got[fmt.Sprintf("group %v", g["displayName"])] = fmt.Sprint(members)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		h.fatal("target (-want +got):\n%s", diff)
	}
	if n := len(h.app.objects["User"]) - len(h.foreign); n > len(h.users) {
		h.fatal("%d accounts for %d people", n, len(h.users))
	}
	for i, id := range h.foreign {
		if u := h.app.objects["User"][id]; u["userName"] != fmt.Sprintf("foreign%d@example.com", i) || u["active"] != true {
			h.fatal("a foreign account was touched: %v", u)
		}
	}
}

// killer ends a process after a number of calls: nothing that comes later has any effect.
type killer struct {
	mu   sync.Mutex
	left int
	dead bool
}

func (k *killer) check() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left--; k.left < 0 {
		k.dead = true
		return errCrash
	}
	return nil
}

// mortalState is a state whose process dies: no commit after that takes effect.
type mortalState struct {
	provision.State
	*killer
}

func (s *mortalState) Commit(ctx context.Context, job string, c *provision.Commit) error {
	if err := s.check(); err != nil {
		return err
	}
	return s.State.Commit(ctx, job, c)
}

// mortalTarget is a target of a process that dies: before a call is sent, or when it was sent and its answer is lost.
type mortalTarget struct {
	*application
	*killer
}

func (t *mortalTarget) Create(ctx context.Context, resourceType string, doc scim.Document) (scim.Document, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	made, err := t.application.Create(ctx, resourceType, doc)
	if lost := t.check(); lost != nil {
		return nil, lost
	}
	return made, err
}

func (t *mortalTarget) Update(ctx context.Context, resourceType, id string, before, after scim.Document) error {
	if err := t.check(); err != nil {
		return err
	}
	err := t.application.Update(ctx, resourceType, id, before, after)
	return errors.Join(t.check(), err)
}

func (t *mortalTarget) ChangeMembers(ctx context.Context, resourceType, id string, add, remove []string) error {
	if err := t.check(); err != nil {
		return err
	}
	err := t.application.ChangeMembers(ctx, resourceType, id, add, remove)
	return errors.Join(t.check(), err)
}

func (t *mortalTarget) Delete(ctx context.Context, resourceType, id string) error {
	if err := t.check(); err != nil {
		return err
	}
	err := t.application.Delete(ctx, resourceType, id)
	return errors.Join(t.check(), err)
}
