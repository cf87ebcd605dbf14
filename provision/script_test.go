package provision_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/provision"
)

// script is a history told before it happens. It can be played again and again, and with less in it: an event that makes no sense any more
// does nothing.
type script struct {
	seed   uint64
	setup  setup
	events []event
}

// setup is a job and a target.
type setup struct {
	// matching: 0 by userName, 1 by externalId first.
	matching int
	// active: 0 by Switch, 1 by Not, 2 not mapped, so that nobody can be disabled, 3 from the attribute of the source, which
	// says nothing of leaving, 4 by an expression that asks for the status, too.
	active int
	// title: 0 not mapped, 1 cleared when there is none, 2 kept then, 3 for new accounts only, 4 where there is none.
	title int
	// upper: the family name is written in capitals by an expression.
	upper   bool
	manager bool
	// scope: 0 everybody, 1 not those of department Out, 2 those of department In or with a job title, 3 those assigned.
	scope      int
	groupScope bool
	// keepsAccounts: the mapping does not allow to delete people.
	keepsAccounts bool
	tellsChanges  bool
	// parks: the policy has values for people who are to have each other's.
	parks  bool
	policy provision.Policy

	dropsMemberships, membersOnCreate bool
	perRequest                        int
	concurrency                       int
}

// event is something that changes, or a cycle.
type event struct {
	text  string
	do    func(*history)
	cycle *cycleEvent
}

// cycleEvent is a cycle with what goes wrong in it.
type cycleEvent struct {
	// after is the time since the one before.
	after time.Duration
	// kill is the call or commit with which the process dies, 0 for none.
	kill int
	// faults of the target by number of the call.
	faults map[int]fault
	// loses is a kind of call of which every one takes effect and is not answered.
	loses string
	// sourceFails is the entry, from 1, at which the source cannot be read further; 0 when it can.
	sourceFails int
	// expired: the source does not know the watermark any more.
	expired bool
}

// fault is what a call is answered with, and whether it took effect.
type fault struct {
	status  int // 0 for none in time
	applied bool
}

func (f fault) String() string {
	text := fmt.Sprint(f.status)
	if f.status == 0 {
		text = "timeout"
	}
	if f.applied {
		text += ", applied"
	}
	return text
}

func (s *script) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "setup: %+v\n", s.setup)
	for _, e := range s.events {
		fmt.Fprintln(&b, e)
	}
	return b.String()
}

func (e event) String() string {
	c := e.cycle
	if c == nil {
		return e.text
	}
	text := fmt.Sprintf("cycle after %v", c.after)
	for _, call := range slices.Sorted(maps.Keys(c.faults)) {
		text += fmt.Sprintf("; call %d: %v", call, c.faults[call])
	}
	if c.loses != "" {
		text += fmt.Sprintf("; every answer of %s is lost", c.loses)
	}
	if c.sourceFails > 0 {
		text += fmt.Sprintf("; the source fails at entry %d", c.sourceFails)
	}
	if c.expired {
		text += "; the watermark has expired"
	}
	if c.kill > 0 {
		text += fmt.Sprintf("; killed at %d", c.kill)
	}
	return text
}

// author writes a script.
type author struct {
	*script
	rng           *rand.Rand
	users, groups int
	version       int
	// later are events for after the next cycle.
	later []event
}

func newScript(seed uint64) *script {
	a := &author{script: &script{seed: seed}, rng: rand.New(rand.NewPCG(seed, 2))}
	a.setup = a.newSetup()
	for range 2 + a.rng.IntN(7) {
		a.hire()
	}
	for range 1 + a.rng.IntN(3) {
		a.newGroup()
	}
	for range 3 + a.rng.IntN(6) {
		for range a.rng.IntN(4) {
			a.change()
		}
		for range a.rng.IntN(3) {
			if a.flip(3) {
				a.interfere()
			}
		}
		a.cycle()
		if a.flip(12) {
			a.command()
		}
	}
	return a.script
}

func (a *author) flip(n int) bool { return a.rng.IntN(n) == 0 }

func pick[T any](a *author, values ...T) T { return values[a.rng.IntN(len(values))] }

func (a *author) newSetup() setup {
	s := setup{
		matching: a.rng.IntN(2), active: pick(a, 0, 0, 1, 1, 0, 2, 3, 4), title: a.rng.IntN(5), upper: a.flip(2), manager: a.flip(2), scope: a.rng.IntN(4),
		groupScope: a.flip(3), keepsAccounts: a.flip(4), tellsChanges: a.flip(2), parks: a.flip(2), dropsMemberships: a.flip(2), membersOnCreate: a.flip(2),
		perRequest: pick(a, 0, 2), concurrency: 1,
	}
	// With several objects at once the order of calls, and so the history, is another each time.
	if a.seed%10 == 9 {
		s.concurrency = 3
	}
	leave := []provision.Leave{"", "", provision.LeaveDisable, provision.LeaveDelete, provision.LeaveAlone}
	s.policy = provision.Policy{
		Adopt: pick(a, provision.AdoptMatching, provision.AdoptMatching, provision.AdoptNever), OutOfScope: pick(a, leave...),
		Vanished: pick(a, leave...), Deleted: pick(a, leave...), DeleteAfter: pick(a, 0, 0, 48*time.Hour), Drift: pick(a, 0, 24*time.Hour),
		Deletions: provision.DeletionLimit{Count: 1 + a.rng.IntN(3), Percent: -1}, MaxShrink: -1,
	}
	return s
}

func (a *author) add(do func(*history), format string, args ...any) {
	a.events = append(a.events, event{text: fmt.Sprintf(format, args...), do: do})
}

func (a *author) hire() {
	id, department := fmt.Sprintf("u%d", a.users), pick(a, "In", "In", "In", "Out")
	title := pick(a, nil, nil, any("Engineer"))
	a.users++
	boss := ""
	if a.flip(2) {
		boss = a.anyone()
	}
	a.add(func(h *history) { h.hire(id, id+"@example.com", department, title, boss) }, "hire %s for %s as %v under %q", id, department, title, boss)
}

func (a *author) anyone() string { return fmt.Sprintf("u%d", a.rng.IntN(max(a.users, 1))) }

func (a *author) anyGroup() string { return fmt.Sprintf("g%d", a.rng.IntN(max(a.groups, 1))) }

func (a *author) newGroup() {
	id := fmt.Sprintf("g%d", a.groups)
	a.groups++
	members := a.some()
	a.add(func(h *history) { h.group(id, "Group "+id, members) }, "group %s: %v", id, members)
}

func (a *author) some() []string {
	var some []string
	for i := range a.users + 1 {
		if a.flip(2) {
			some = append(some, fmt.Sprintf("u%d", i))
		}
	}
	return some
}

// change changes something in the directory.
func (a *author) change() {
	id, other, group := a.anyone(), a.anyone(), a.anyGroup()
	a.version++
	v := a.version
	set := func(name string, value any) {
		a.add(func(h *history) { h.set(id, name, value) }, "%s of %s is %v", name, id, value)
		if a.flip(2) {
			// What is taken back at once shows whether the job knows what the target has after a change that went wrong.
			a.later = append(a.later, event{text: fmt.Sprintf("%s of %s is as it was", name, id), do: func(h *history) { h.takeBack(id, name) }})
		}
	}
	switch a.rng.IntN(20) {
	case 0:
		a.hire()
	case 1:
		a.newGroup()
	case 2, 3:
		members := a.some()
		a.add(func(h *history) { h.members(group, members) }, "members of %s: %v", group, members)
	case 4:
		a.add(func(h *history) { h.rename(group, fmt.Sprintf("Group %s v%d", group, v)) }, "group %s is renamed", group)
	case 5:
		kind := pick(a, "open", "hidden")
		a.add(func(h *history) { h.kind(group, kind) }, "group %s is %s", group, kind)
	case 6:
		a.add(func(h *history) { h.vanish("Group", group) }, "group %s is dissolved", group)
	case 7:
		heir := fmt.Sprintf("u%d", a.users)
		if a.flip(2) {
			a.users++
			a.add(func(h *history) { h.replace(id, heir) }, "%s vanishes, and %s is hired with the address", id, heir)
			return
		}
		a.add(func(h *history) { h.vanish("User", id) }, "%s vanishes", id)
	case 8:
		a.add(func(h *history) { h.purge(id) }, "%s is deleted for good", id)
	case 9:
		address := fmt.Sprintf("%s.v%d@example.com", id, v)
		a.add(func(h *history) { h.hire(id, address, "In", nil, "") }, "%s returns as %s", id, address)
	case 10, 11:
		if a.setup.active == 4 && a.flip(2) {
			set("status", pick(a, "away", "here"))
			return
		}
		set("accountEnabled", a.flip(2))
	case 12:
		set("department", pick(a, "In", "Out"))
	case 13:
		assigned := a.flip(2)
		a.add(func(h *history) { h.assign(id, assigned) }, "%s is assigned: %v", id, assigned)
	case 14:
		set("userPrincipalName", fmt.Sprintf("%s.v%d@example.com", id, v))
	case 15:
		a.add(func(h *history) { h.copyAddress(id, other) }, "%s gets the address of %s", id, other)
	case 16:
		if a.flip(2) {
			a.add(func(h *history) { h.swap(id, other) }, "%s and %s swap addresses", id, other)
			return
		}
		next := fmt.Sprintf("%s.v%d@example.com", other, v)
		a.add(func(h *history) { h.succeed(id, other, next) }, "%s gets the address of %s, who gets %s", id, other, next)
	case 17:
		set("jobTitle", pick(a, nil, any(fmt.Sprintf("Title%d", v))))
	case 18:
		set("boss", pick(a, nil, any(other)))
	default:
		set("surname", fmt.Sprintf("Family%d", v))
	}
}

// interfere changes something in the target behind the job's back.
func (a *author) interfere() {
	id, group := a.anyone(), a.anyGroup()
	a.version++
	v := a.version
	switch a.rng.IntN(10) {
	case 0, 1, 2:
		a.add(func(h *history) { h.removeAccount(id) }, "in the target, the account of %s is removed", id)
	case 3:
		a.add(func(h *history) { h.removeGroup(group) }, "in the target, %s is removed", group)
	case 4:
		address := fmt.Sprintf("%s.v%d@example.com", id, v)
		a.add(func(h *history) { h.stranger(id, address) }, "in the target, a stranger takes %s, which %s gets too", address, id)
	case 5:
		refuses := a.flip(2)
		a.add(func(h *history) { h.refuseMember(id, refuses) }, "in the target, %s may be no member: %v", id, refuses)
	case 6:
		a.add(func(h *history) { h.toggleActive(id) }, "in the target, %s is enabled or disabled", id)
	case 7:
		a.add(func(h *history) {
			h.tamper(id, func(u map[string]any) {
				u["name"] = map[string]any{"givenName": "Given" + id, "familyName": "Tampered"}
			})
		}, "in the target, %s is called Tampered", id)
	case 8:
		a.add(func(h *history) { h.tamper(id, func(u map[string]any) { u["title"] = "Tampered" }) }, "in the target, %s has the title Tampered", id)
	default:
		a.add(func(h *history) { h.toggleMember(group, id) }, "in the target, %s joins or leaves %s", id, group)
	}
}

// command is something that an administrator asks for.
func (a *author) command() {
	id := a.anyone()
	switch a.rng.IntN(5) {
	case 4:
		leave := []provision.Leave{"", provision.LeaveDisable, provision.LeaveDelete, provision.LeaveAlone}
		outOfScope, vanished, deleted := pick(a, leave...), pick(a, leave...), pick(a, leave...)
		a.add(func(h *history) { h.leave(outOfScope, vanished, deleted) }, "the policy is now %q, %q, %q", outOfScope, vanished, deleted)
	case 0:
		scope := pick(a, provision.ResetWatermark, provision.ResetEscrows, provision.ResetQuarantineState)
		a.add(func(h *history) { h.restart(scope) }, "restart %s", scope)
	case 1:
		a.add((*history).planned, "a plan, and a cycle that does what it says")
	default:
		a.add(func(h *history) { h.onDemand(id) }, "%s is provisioned on demand", id)
	}
}

// cycle is a cycle in which things go wrong.
func (a *author) cycle() {
	c := &cycleEvent{after: 40*time.Minute + time.Duration(a.rng.IntN(30))*time.Hour, faults: map[int]fault{}}
	if odds := pick(a, 0, 3, 8, 20); odds > 0 {
		for call := range 100 {
			// Most cycles get beyond the first calls, after whose failure there would be none.
			if !a.flip(odds) || call < 2 && !a.flip(4) {
				continue
			}
			f := fault{status: pick(a, 429, 500, 503, 0, 429, 500, 503, 0, 409), applied: a.flip(2)}
			if a.flip(60) {
				f.status = 401
			}
			if f.status == 429 || f.status == 401 || f.status == 409 {
				f.applied = false
			}
			c.faults[call] = f
		}
	}
	if a.flip(2) {
		c.kill = 1 + a.rng.IntN(60)
	}
	if a.flip(6) {
		c.loses = pick(a, "create", "update", "update", "members", "delete")
	}
	if a.flip(12) {
		c.sourceFails = 1 + a.rng.IntN(8)
	}
	c.expired = a.flip(6)
	a.events = append(a.events, event{cycle: c})
	a.events = append(a.events, a.later...)
	a.later = nil
}

func (s setup) userMapping() mapping.ObjectMapping {
	m := mapping.ObjectMapping{Name: "Users", Source: "User", Target: "User"}
	userName := mapping.AttributeMapping{Target: "userName", Source: "userPrincipalName", Matching: 1}
	if s.matching == 1 {
		userName.Matching = 2
		m.Attributes = append(m.Attributes, mapping.AttributeMapping{Target: "externalId", Source: "employeeId", Matching: 1})
	}
	family := mapping.AttributeMapping{Target: "name.familyName", Source: "surname"}
	if s.upper {
		family = mapping.AttributeMapping{Target: "name.familyName", Expression: "ToUpper([surname])"}
	}
	m.Attributes = append(m.Attributes, userName, family, mapping.AttributeMapping{Target: "name.givenName", Source: "givenName"})
	if s.active < 2 {
		expression := []string{`Switch([IsSoftDeleted], , "False", "True", "True", "False")`, "Not([IsSoftDeleted])"}[s.active]
		m.Attributes = append(m.Attributes, mapping.AttributeMapping{Target: "active", Expression: expression})
	}
	if s.active == 4 {
		m.Attributes = append(m.Attributes, mapping.AttributeMapping{
			Target: "active", Expression: `IIF([status]="away", "False", Switch([IsSoftDeleted], , "False", "True", "True", "False"))`,
		})
	}
	if s.active == 3 {
		m.Attributes = append(m.Attributes, mapping.AttributeMapping{Target: "active", Source: "accountEnabled"})
	}
	title := mapping.AttributeMapping{Target: "title", Source: "jobTitle"}
	switch s.title {
	case 1:
		title.NullFlow = mapping.ClearNull
	case 3:
		title.Apply = mapping.OnCreate
	case 4:
		title.Apply = mapping.WhenEmpty
	}
	if s.title > 0 {
		m.Attributes = append(m.Attributes, title)
	}
	if s.manager {
		m.Attributes = append(m.Attributes, mapping.AttributeMapping{Target: "manager", Source: "boss", Type: mapping.TypeReference, NullFlow: mapping.ClearNull})
	}
	department := func(o mapping.Operator, v string) mapping.Clause {
		return mapping.Clause{Attribute: "department", Operator: o, Value: v}
	}
	switch s.scope {
	case 1:
		m.Scope = []mapping.FilterGroup{{Clauses: []mapping.Clause{department(mapping.NotEquals, "Out")}}}
	case 2:
		m.Scope = []mapping.FilterGroup{
			{Name: "In", Clauses: []mapping.Clause{department(mapping.Equals, "In")}},
			{Name: "titled", Clauses: []mapping.Clause{{Attribute: "jobTitle", Operator: mapping.IsNotNull}}},
		}
	}
	if s.keepsAccounts {
		m.Actions = []mapping.Action{mapping.Create, mapping.Update}
	}
	return m
}

func (s setup) groupMapping() mapping.ObjectMapping {
	m := groupMapping()
	if s.groupScope {
		m.Scope = []mapping.FilterGroup{{Clauses: []mapping.Clause{{Attribute: "kind", Operator: mapping.NotEquals, Value: "hidden"}}}}
	}
	return m
}

// inScope reports whether somebody is to have an account, whether it is enabled or not.
func (s setup) inScope(id string, u map[string]any, unassigned map[string]bool) bool {
	switch s.scope {
	case 1:
		return u["department"] != "Out"
	case 2:
		return u["department"] == "In" || u["jobTitle"] != nil
	case 3:
		return !unassigned[id]
	}
	return true
}
