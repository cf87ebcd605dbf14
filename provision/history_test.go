package provision_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/state/sqlite"
)

// history is a script being played.
type history struct {
	*world
	setup setup
	met   *sightings
	// unassigned are people who are not assigned to the target.
	unassigned map[string]bool
	// log has what changed in the directory, for a source that can tell.
	log     []string
	expired bool
	// was are former values, by person and attribute.
	was map[string]any
	// had are the people who ever had an address, strangers the accounts of others.
	had       map[string]map[string]bool
	strangers map[string]string
	released  bool
	effects   []effect
}

// effect is a change that was made to the target.
type effect struct {
	resourceType, id string
	before, after    scim.Document // nil when it was made, or is gone
}

// wrong is what must not be. It ends the play.
type wrong string

var histories atomic.Int64

// play plays a script and returns what went wrong, or "".
func (s *script) play(t *testing.T, db *sqlite.Store, met *sightings) (failure string) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case wrong:
			failure = string(r)
		default:
			panic(r)
		}
	}()
	h := &history{
		world: newWorldOn(t, db), setup: s.setup, met: met, unassigned: map[string]bool{}, had: map[string]map[string]bool{},
		strangers: map[string]string{}, was: map[string]any{},
	}
	h.name = fmt.Sprintf("job-%d", histories.Add(1))
	h.prepare()
	for _, e := range s.events {
		if e.cycle == nil {
			e.do(h)
		} else {
			h.run(*e.cycle)
		}
	}
	h.settle()
	h.comeToRest()
	h.check()
	return ""
}

func (h *history) wrong(format string, args ...any) { panic(wrong(fmt.Sprintf(format, args...))) }

func (h *history) prepare() {
	s := h.setup
	h.mappings = []mapping.ObjectMapping{s.userMapping(), s.groupMapping()}
	h.config.Policy, h.config.Concurrency = s.policy, s.concurrency
	h.app.dropsMemberships = s.dropsMemberships
	h.app.profile.Resources[1].MembersOnCreate = s.membersOnCreate
	h.app.profile.Resources[1].Patch.MembersPerRequest = s.perRequest
	h.app.watch = func(resourceType, id string, before, after scim.Document) {
		h.effects = append(h.effects, effect{resourceType, id, before.Clone(), after.Clone()})
	}
	if s.scope == 3 {
		h.config.Assigned = func(_ context.Context, objectType string, e provision.Entry) (bool, error) {
			return objectType != "User" || !h.unassigned[e.ID], nil
		}
	}
	if s.parks {
		h.config.Policy.Park = func(_, value string) string {
			h.met.meet("parked")
			return "parked-" + value
		}
	}
	if s.tellsChanges {
		h.config.Source = teller{h}
	}
	for i := range 2 {
		h.strangers[fmt.Sprintf("foreign%d@example.com", i)] = h.app.put("User", scim.Document{
			"userName": fmt.Sprintf("foreign%d@example.com", i), "active": true, "name": map[string]any{"familyName": "Foreign"},
		})
	}
}

// teller is a source that can tell what changed.
type teller struct{ *history }

func (t teller) Entries(ctx context.Context, objectType string) iter.Seq2[provision.Entry, error] {
	return t.source.Entries(ctx, objectType)
}

func (t teller) Lookup(ctx context.Context, objectType string, ids []string) ([]provision.Entry, error) {
	return t.source.Lookup(ctx, objectType, ids)
}

func (t teller) Watermark(context.Context) (string, error) { return fmt.Sprint(len(t.log)), nil }

func (t teller) Changes(_ context.Context, objectType, since string) iter.Seq2[provision.Entry, error] {
	return func(yield func(provision.Entry, error) bool) {
		if t.expired {
			t.met.meet("watermark expired")
			yield(provision.Entry{}, provision.ErrWatermarkExpired)
			return
		}
		var from int
		_, _ = fmt.Sscan(since, &from)
		for n, id := range slices.Compact(slices.Sorted(slices.Values(t.log[from:]))) {
			if t.source.fail != nil && n >= t.source.failAt {
				break
			}
			id, ok := strings.CutPrefix(id, objectType+" ")
			if !ok {
				continue
			}
			e := provision.Entry{ID: id, Attributes: maps.Clone(t.source.objects[objectType][id])}
			e.Deleted = e.Attributes == nil
			if !yield(e, nil) {
				return
			}
		}
		if t.source.fail != nil {
			yield(provision.Entry{}, t.source.fail)
		}
	}
}

// What changes in the directory.

func (h *history) person(id string) map[string]any { return h.source.objects["User"][id] }

func (h *history) note(objectType, id string) { h.log = append(h.log, objectType+" "+id) }

func (h *history) hire(id, address, department string, title any, boss string) {
	if h.person(id) != nil {
		return
	}
	delete(h.source.deleted["User"], id)
	h.source.user(id, address, "department", department, "employeeId", id)
	h.set(id, "userPrincipalName", address)
	h.set(id, "jobTitle", title)
	if boss != "" {
		h.set(id, "boss", boss)
	}
}

func (h *history) set(id, name string, value any) {
	u := h.person(id)
	if u == nil {
		return
	}
	h.was[id+name] = u[name]
	u[name] = value
	if value == nil {
		delete(u, name)
	}
	if name == "userPrincipalName" {
		address := value.(string)
		if h.had[address] == nil {
			h.had[address] = map[string]bool{}
		}
		h.had[address][id] = true
	}
	h.note("User", id)
}

func (h *history) takeBack(id, name string) {
	if was, ok := h.was[id+name]; ok {
		h.set(id, name, was)
	}
}

func (h *history) copyAddress(id, from string) {
	if o := h.person(from); o != nil {
		h.set(id, "userPrincipalName", o["userPrincipalName"])
	}
}

func (h *history) swap(id, other string) {
	u, o := h.person(id), h.person(other)
	if u == nil || o == nil {
		return
	}
	mine := u["userPrincipalName"]
	h.set(id, "userPrincipalName", o["userPrincipalName"])
	h.set(other, "userPrincipalName", mine)
}

func (h *history) succeed(id, other, next string) {
	if id == other || h.person(id) == nil || h.person(other) == nil {
		return
	}
	h.copyAddress(id, other)
	h.set(other, "userPrincipalName", next)
}

func (h *history) vanish(objectType, id string) {
	if h.source.objects[objectType][id] != nil {
		delete(h.source.objects[objectType], id)
		h.note(objectType, id)
	}
}

func (h *history) replace(id, heir string) {
	if u := h.person(id); u != nil {
		address := u["userPrincipalName"].(string)
		h.vanish("User", id)
		h.hire(heir, address, "In", nil, "")
	}
}

func (h *history) purge(id string) {
	if h.person(id) != nil {
		h.vanish("User", id)
		h.source.deleted["User"][id] = true
	}
}

func (h *history) assign(id string, assigned bool) {
	h.unassigned[id] = !assigned // the directory has no change to tell
}

func (h *history) group(id, name string, members []string) {
	h.source.group(id, name, members...)
	h.source.objects["Group"][id]["kind"] = "open"
	h.note("Group", id)
}

func (h *history) change(group, name string, value any) {
	if g := h.source.objects["Group"][group]; g != nil {
		g[name] = value
		h.note("Group", group)
	}
}

func (h *history) members(group string, members []string) {
	list := []any{}
	for _, m := range members {
		list = append(list, m)
	}
	h.change(group, "members", list)
}

func (h *history) rename(group, name string) { h.change(group, "displayName", name) }

func (h *history) kind(group, kind string) { h.change(group, "kind", kind) }

// What changes in the target behind the job's back. Other changes than removals are noticed by a job that looks for them alone.

// account returns the id of the account of a person, or "".
func (h *history) account(person string) string {
	for _, id := range slices.Sorted(maps.Keys(h.app.objects["User"])) {
		if ownerOf(h.app.objects["User"][id]) == person {
			return id
		}
	}
	return ""
}

// ownerOf returns whose an account is, by the given name, which never changes.
func ownerOf(account scim.Document) string {
	name, _ := account["name"].(map[string]any)
	given, _ := name["givenName"].(string)
	return strings.TrimPrefix(given, "Given")
}

func (h *history) removeAccount(person string) {
	id := h.account(person)
	if id == "" {
		return
	}
	delete(h.app.objects["User"], id)
	for _, g := range h.app.objects["Group"] {
		g["members"] = withoutMember(g, id)
	}
	h.met.meet("removed in the target")
}

// groupOf returns the id of the target's group of a source group, or "".
func (h *history) groupOf(group string) string {
	for _, id := range slices.Sorted(maps.Keys(h.app.objects["Group"])) {
		if tokenOf(h.app.objects["Group"][id]) == group {
			return id
		}
	}
	return ""
}

// tokenOf returns which source group a group comes from: the second word of its name.
func tokenOf(group scim.Document) string { return strings.Fields(fmt.Sprint(group["displayName"]))[1] }

func (h *history) removeGroup(group string) {
	delete(h.app.objects["Group"], h.groupOf(group))
}

func (h *history) stranger(person, address string) {
	if h.person(person) == nil || h.app.taken("User", "", scim.Document{"userName": address}) != nil {
		return
	}
	h.strangers[address] = h.app.put("User", scim.Document{"userName": address, "active": true, "name": map[string]any{"familyName": "Stranger"}})
	h.set(person, "userPrincipalName", address)
}

func (h *history) refuseMember(person string, refuses bool) {
	if id := h.account(person); id != "" {
		h.app.refusesMember[id] = refuses
	}
}

func (h *history) tamper(person string, change func(map[string]any)) {
	if u := h.app.objects["User"][h.account(person)]; u != nil && h.setup.policy.Drift > 0 {
		change(u)
		if u["active"] == false && h.app.dropsMemberships {
			for _, g := range h.app.objects["Group"] {
				g["members"] = withoutMember(g, u["id"].(string))
			}
		}
		h.met.meet("changed in the target")
	}
}

// toggleActive does nothing where the mapping does not say who is active.
func (h *history) toggleActive(person string) {
	if h.setup.active != 2 {
		h.tamper(person, func(u map[string]any) { u["active"] = u["active"] == false })
	}
}

func (h *history) toggleMember(group, person string) {
	g, id := h.app.objects["Group"][h.groupOf(group)], h.account(person)
	if g == nil || id == "" || h.setup.policy.Drift == 0 {
		return
	}
	list, _ := g["members"].([]any)
	g["members"] = withoutMember(g, id)
	if len(g["members"].([]any)) == len(list) && h.app.member(id) == nil {
		g["members"] = append(g["members"].([]any), map[string]any{"value": id})
	}
	h.met.meet("changed in the target")
}

// What an administrator does.

func (h *history) restart(scope provision.ResetScope) {
	if err := h.job().Restart(h.t.Context(), scope); err != nil {
		h.wrong("restart: %v", err)
	}
}

// leave changes what is to become of those who leave.
func (h *history) leave(outOfScope, vanished, deleted provision.Leave) {
	for _, p := range []*provision.Policy{&h.setup.policy, &h.config.Policy} {
		p.OutOfScope, p.Vanished, p.Deleted = outOfScope, vanished, deleted
	}
	h.met.meet("another policy")
}

// planned makes a plan, which must change nothing, and runs a cycle, which must do nothing if the plan says so.
func (h *history) planned() {
	before := fmt.Sprint(h.app.objects)
	plan, err := h.job().Plan(h.t.Context())
	if err != nil {
		h.wrong("plan: %v", err)
	}
	if after := fmt.Sprint(h.app.objects); after != before {
		h.wrong("a plan changed the target from %s to %s", before, after)
	}
	h.met.meet("planned")
	h.run(cycleEvent{})
	if plan.Empty() && len(h.effects) > 0 {
		h.wrong("the plan was empty, and this was done: %v\n%v", h.effects, plan)
	}
}

func (h *history) onDemand(person string) {
	if h.person(person) == nil {
		return
	}
	h.effects = nil
	if _, err := h.job().ProvisionOnDemand(h.t.Context(), "User", person); err != nil {
		h.wrong("on demand: %v", err)
	}
	h.met.meet("on demand")
	h.judge()
}

// run runs a cycle in which things go wrong.
func (h *history) run(c cycleEvent) *provision.Summary {
	h.clock.advance(c.after)
	h.app.journal, h.effects, h.expired = nil, nil, c.expired
	h.source.fail, h.source.failAt = nil, c.sourceFails-1
	if c.sourceFails > 0 {
		h.source.fail = errors.New("the disk is full")
	}
	h.faults(c)
	k := &killer{left: c.kill, met: h.met}
	state := h.state
	if c.kill > 0 {
		h.target, h.state = &mortalTarget{h.app, k}, &mortalState{h.state, k}
	}
	s, err := h.job().RunCycle(h.t.Context())
	h.target, h.state, h.app.fault = h.app, state, nil
	h.outcome(s, err, k)
	h.source.fail = nil
	h.judge()
	return s
}

// outcome judges how a cycle ended.
func (h *history) outcome(s *provision.Summary, err error, k *killer) {
	var fault *provision.SourceFault
	switch {
	case k.dead:
		return
	case errors.As(err, &fault) && h.source.fail != nil:
		h.met.meet("source fault")
		if len(h.effects) > 0 {
			h.wrong("the source could not be read, and this was done: %v", h.effects)
		}
		return
	case errors.Is(err, provision.ErrTargetUnusable):
		h.met.meet("target unusable")
		return
	case err != nil:
		h.wrong("cycle: %v", err)
	}
	if s.Kind == provision.Incremental && h.setup.tellsChanges {
		h.met.meet("incremental cycle")
	}
	if s.Held > 0 {
		h.met.meet("held deletions")
	}
	if s.WarningCount > 0 {
		h.met.meet("unresolved reference")
	}
	for _, f := range s.Failures {
		switch {
		case f.Code == provision.DuplicateSourceEntries:
			h.met.meet("duplicate")
		case f.Code == provision.EntryConflict:
			h.met.meet("conflict")
		case f.Reference && contains(f.Reason, "does not take"):
			h.met.meet("member refused")
		}
	}
}

func (h *history) faults(c cycleEvent) {
	call := -1
	h.app.fault = func(what string) (error, bool) {
		call++
		f, ok := c.faults[call]
		verb, _, _ := strings.Cut(what, " ")
		switch {
		case verb == c.loses:
			f = fault{applied: true}
		case !ok:
			return nil, false
		}
		err := error(scim.NewError(f.status, "", "something is wrong"))
		if f.status == 0 {
			err = &scim.Error{Attempts: 3, Err: context.DeadlineExceeded}
			h.met.meet("fault timeout")
		} else {
			h.met.meet(fmt.Sprintf("fault %d", f.status))
		}
		if f.applied {
			h.met.meet("answer lost of " + verb)
		} else {
			h.met.meet("refused " + verb)
		}
		return err, f.applied
	}
}

// entitled reports whether somebody is to have an account, and whether it is to be enabled.
func (h *history) entitled(person string) (account, enabled bool) {
	u := h.person(person)
	account = u != nil && h.setup.inScope(person, u, h.unassigned)
	return account, account && u["accountEnabled"] == true && (h.setup.active != 4 || u["status"] != "away")
}

func (h *history) groupEntitled(group string) bool {
	g := h.source.objects["Group"][group]
	return g != nil && (!h.setup.groupScope || g["kind"] != "hidden")
}

// judge looks at all that was done to the target in a cycle: none of it may be against the directory, and it must not end the access of
// more than are allowed.
func (h *history) judge() {
	ended := map[string]bool{}
	for _, e := range h.effects {
		ends := e.after == nil
		if e.resourceType == "User" {
			ends = h.judgeAccount(e)
		} else {
			h.judgeGroup(e)
		}
		if ends {
			ended[e.id] = true
		}
	}
	if limit := h.setup.policy.Deletions.Count; len(ended) > limit && !h.released {
		h.wrong("%d objects were deleted or disabled in one cycle, and %d are allowed: %v", len(ended), limit, h.effects)
	}
	owners := map[string]string{}
	for id, u := range h.app.objects["User"] {
		owner := ownerOf(u)
		if h.passedOn(owner, u) {
			continue
		}
		if other := owners[owner]; other != "" && owner != "" {
			h.wrong("%s has two accounts, %s and %s", owner, id, other)
		}
		owners[owner] = id
	}
}

func (h *history) judgeAccount(e effect) (ends bool) {
	owner := ownerOf(e.after)
	if e.after == nil {
		owner = ownerOf(e.before)
	}
	account, enabled := h.entitled(owner)
	was, is := e.before != nil && e.before["active"] != false, e.after != nil && e.after["active"] != false
	switch {
	case owner == "" && h.adoptable(e):
		// It was taken over for somebody, and not brought into step yet.
	case owner == "":
		h.wrong("somebody else's account was changed: %v", e)
	case e.before == nil && !enabled && (h.setup.active != 4 || !account || is):
		h.wrong("an account was made for %s, who is to have none: %v", owner, e)
	case e.after == nil && account:
		h.wrong("the account of %s was deleted: %v", owner, e)
	case was && !is && enabled:
		h.wrong("the account of %s was disabled: %v", owner, e)
	case e.before != nil && !was && is && !enabled:
		h.wrong("the account of %s was enabled: %v", owner, e)
	case h.inherited(owner, e):
		// It is somebody else's by now, and has not been brought into step yet.
	case e.before != nil && e.after != nil && !account:
		other := e.before.Clone()
		if other["active"] = e.after["active"]; other["active"] == nil {
			delete(other, "active")
		}
		if diff := cmp.Diff(other, e.after); diff != "" {
			h.wrong("the account of %s, who is out of scope, was changed: %s", owner, diff)
		}
	}
	return was && !is || e.after == nil
}

// adoptable reports whether an account was there before, and somebody may have taken it over.
func (h *history) adoptable(e effect) bool {
	return e.before != nil && h.setup.policy.Adopt == provision.AdoptMatching && len(h.had[fmt.Sprint(e.before["userName"])]) > 0
}

// inherited reports whether the account of somebody who has left may have gone to another, who has the address now.
func (h *history) inherited(owner string, e effect) bool {
	if e.before == nil || e.after == nil || h.person(owner) != nil || h.setup.policy.Adopt != provision.AdoptMatching {
		return false
	}
	return len(h.had[fmt.Sprint(e.before["userName"])]) > 1
}

// passedOn reports whether an account may have gone from somebody who left, and has come back under another address since, to the one who got the
// address, and has the name of the former still, as the target refuses what the latter is to have.
func (h *history) passedOn(owner string, account scim.Document) bool {
	address, _ := account["userName"].(string)
	u := h.person(owner)
	return u != nil && u["userPrincipalName"] != address && h.setup.policy.Adopt == provision.AdoptMatching && len(h.had[address]) > 1
}

func (h *history) judgeGroup(e effect) {
	if e.after == nil {
		if group := tokenOf(e.before); h.groupEntitled(group) {
			h.wrong("group %s was deleted", group)
		}
		return
	}
	group := tokenOf(e.after)
	if !h.groupEntitled(group) {
		h.wrong("group %s, which is not in scope, was changed: %v", group, e)
	}
	listed := h.source.objects["Group"][group]["members"].([]any)
	before := memberIDs(e.before)
	for _, id := range memberIDs(e.after) {
		owner := ownerOf(h.app.objects["User"][id])
		// The account of somebody who has left may be on its way to somebody else.
		if h.person(owner) != nil && !h.passedOn(owner, h.app.objects["User"][id]) && !slices.Contains(before, id) && !slices.Contains(listed, any(owner)) {
			h.wrong("%s was made a member of group %s", owner, group)
		}
	}
}

func memberIDs(group scim.Document) []string {
	var ids []string
	list, _ := group["members"].([]any)
	for _, m := range list {
		ids = append(ids, m.(map[string]any)["value"].(string))
	}
	return ids
}

// settle ends what cannot be resolved. A job that does not look for what others changed in the target is made to touch everything, so that it
// notices.
func (h *history) settle() {
	h.app.refusesMember = map[string]bool{}
	for _, u := range h.app.objects["User"] {
		// Who is left alone, and was disabled by others, could be no member, whatever the directory says.
		if account, _ := h.entitled(ownerOf(u)); !account && h.mayStay(ownerOf(u)) && u["active"] != nil {
			u["active"] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(h.source.objects["User"])) {
		if h.setup.policy.Drift == 0 || h.obstructed(id) {
			h.set(id, "surname", "Final"+id)
			if h.stuck(id) {
				continue
			}
			h.set(id, "userPrincipalName", id+".final@example.com")
		}
	}
	for _, id := range slices.Sorted(maps.Keys(h.source.objects["Group"])) {
		if h.setup.policy.Drift == 0 {
			h.rename(id, "Final "+id)
		}
	}
}

// stuck reports whether somebody who is disabled is left with an address that he cannot have. That he is to have no access does not wait for it.
func (h *history) stuck(id string) bool {
	account, enabled := h.entitled(id)
	return account && !enabled && h.obstructed(id)
}

// obstructed reports whether the address of a person is, or was, that of somebody who does not give it up.
func (h *history) obstructed(id string) bool {
	address := h.person(id)["userPrincipalName"].(string)
	if h.strangers[address] != "" {
		return true
	}
	for other := range h.had[address] {
		if other == id {
			continue
		}
		u := h.person(other)
		if _, enabled := h.entitled(other); !enabled || u["userPrincipalName"] == address {
			return true
		}
	}
	return !h.setup.parks && h.inRing(id)
}

// inRing reports whether somebody waits for an address which its holder gives up only for another, and so on around.
func (h *history) inRing(id string) bool {
	next := id
	for range len(h.source.objects["User"]) {
		u := h.person(next)
		if u == nil {
			return false
		}
		holder := ""
		for _, account := range h.app.objects["User"] {
			if account["userName"] == u["userPrincipalName"] {
				holder = ownerOf(account)
			}
		}
		if holder == "" || holder == next {
			return false
		}
		if next = holder; next == id {
			return true
		}
	}
	return true
}

// comeToRest runs cycles until nothing is left to be done.
func (h *history) comeToRest() {
	var s *provision.Summary
	for range 14 {
		s = h.run(cycleEvent{after: 25 * time.Hour})
		if s == nil {
			h.wrong("no cycle without faults")
		}
		h.released = false
		if s.Held > 0 {
			h.restart(provision.ForceDeletes)
			h.released = true
			continue
		}
		if len(h.app.writes()) == 0 && s.InStep() || len(h.effects) == 0 && h.onlyStuck(s) {
			return
		}
	}
	h.wrong("the job does not come to rest: %q, failures %+v", h.app.writes(), s.Failures)
}

// onlyStuck reports whether a cycle failed with nothing but the addresses of people who are disabled.
func (h *history) onlyStuck(s *provision.Summary) bool {
	if s.Error != "" || s.FailureCount == 0 {
		return false
	}
	for _, f := range s.Failures {
		if f.Type != "User" || !h.stuck(f.SourceID) {
			return false
		}
	}
	h.met.meet("disabled, with an address that is taken")
	return true
}

// check compares the target with what the directory and the mapping say.
func (h *history) check() {
	want, got := map[string]string{}, map[string]string{}
	for id := range h.source.objects["User"] {
		if _, enabled := h.entitled(id); enabled {
			want["user "+id] = h.wantedAccount(id)
		}
	}
	for id, u := range h.app.objects["User"] {
		owner := ownerOf(u)
		switch {
		case owner == "":
			continue
		case slices.Contains(slices.Collect(maps.Values(h.strangers)), id):
			h.met.meet("adopted")
		}
		if _, enabled := h.entitled(owner); enabled || u["active"] != false && !h.mayStay(owner) {
			got["user "+owner] = h.accountAsIs(owner, u)
		}
	}
	for id, g := range h.source.objects["Group"] {
		if h.groupEntitled(id) {
			want["group "+id] = fmt.Sprint(g["displayName"], h.wantedMembers(g))
		}
	}
	for _, g := range h.app.objects["Group"] {
		if id := tokenOf(g); h.groupEntitled(id) || !h.groupMayStay() {
			got["group "+id] += fmt.Sprint(g["displayName"], h.membersAsIs(g))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		h.wrong("target (-want +got):\n%s", diff)
	}
	for address, id := range h.strangers {
		u := h.app.objects["User"][id]
		untouched := h.setup.policy.Adopt == provision.AdoptNever || len(h.had[address]) == 0
		if u != nil && untouched && (u["userName"] != address || u["active"] != true) {
			h.wrong("a stranger's account was changed: %v", u)
		}
	}
}

func (h *history) wantedAccount(id string) string {
	u := h.person(id)
	family := u["surname"].(string)
	if h.setup.upper {
		family = strings.ToUpper(family)
	}
	text := fmt.Sprintf("%v %s active", u["userPrincipalName"], family)
	if h.titleIsClear(u) {
		text += fmt.Sprintf(" title=%v", u["jobTitle"])
	}
	if manager, clear := h.wantedManager(u); clear {
		text += fmt.Sprintf(" manager=%v", manager)
	}
	return text
}

// accountAsIs shows of an account what wantedAccount shows.
func (h *history) accountAsIs(owner string, account scim.Document) string {
	name, _ := account["name"].(map[string]any)
	text := fmt.Sprintf("%v %s active", account["userName"], name["familyName"])
	if account["active"] == false {
		text = strings.Replace(text, " active", " inactive", 1)
	}
	u := h.person(owner)
	if h.titleIsClear(u) {
		text += fmt.Sprintf(" title=%v", account["title"])
	}
	if _, clear := h.wantedManager(u); clear {
		manager, _ := account["manager"].(map[string]any)
		text += fmt.Sprintf(" manager=%v", manager["value"])
	}
	return text
}

// titleIsClear reports whether the title of an account depends on the directory alone, and not on what was there before.
func (h *history) titleIsClear(u map[string]any) bool {
	return u != nil && (h.setup.title == 1 || h.setup.title == 2 && u["jobTitle"] != nil)
}

// wantedManager returns the account of somebody's manager, and whether that depends on the directory alone.
func (h *history) wantedManager(u map[string]any) (account any, clear bool) {
	if u == nil || !h.setup.manager {
		return nil, false
	}
	boss, _ := u["boss"].(string)
	if boss == "" {
		return nil, true
	}
	if _, enabled := h.entitled(boss); enabled {
		return h.account(boss), true
	}
	return nil, false
}

func (h *history) wantedMembers(group map[string]any) []string {
	var members []string
	for _, m := range group["members"].([]any) {
		if _, enabled := h.entitled(m.(string)); enabled {
			members = append(members, m.(string))
		}
	}
	slices.Sort(members)
	return members
}

// membersAsIs returns the members who are to have an account. Memberships of others give no access, and stay or go as the target likes.
func (h *history) membersAsIs(group scim.Document) []string {
	var members []string
	for _, id := range memberIDs(group) {
		owner := ownerOf(h.app.objects["User"][id])
		if _, enabled := h.entitled(owner); enabled {
			members = append(members, owner)
		}
	}
	slices.Sort(members)
	return members
}

// mayStay reports whether the account of somebody who is not to have one may stay enabled, because nothing can be done, or by policy.
func (h *history) mayStay(id string) bool {
	p := h.setup.policy
	account, _ := h.entitled(id)
	switch {
	case h.setup.active == 2:
		return true
	case account:
		return false
	case h.person(id) != nil:
		return p.OutOfScope == provision.LeaveAlone
	}
	return slices.Contains([]provision.Leave{p.OutOfScope, p.Vanished, p.Deleted}, provision.LeaveAlone)
}

func (h *history) groupMayStay() bool {
	p := h.setup.policy
	return slices.Contains([]provision.Leave{p.OutOfScope, p.Vanished, p.Deleted}, provision.LeaveAlone)
}

var errCrash = errors.New("the process was killed")

// killer ends a process after a number of calls: nothing that comes later has any effect.
type killer struct {
	mu   sync.Mutex
	left int
	dead bool
	met  *sightings
}

func (k *killer) check(where string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left--; k.left >= 0 {
		return nil
	}
	if !k.dead {
		k.met.meet("killed " + where)
	}
	k.dead = true
	return errCrash
}

// mortalState is a state whose process dies: no commit after that takes effect.
type mortalState struct {
	provision.State
	*killer
}

func (s *mortalState) Commit(ctx context.Context, job string, c *provision.Commit) error {
	if err := s.check("before a commit"); err != nil {
		return err
	}
	return s.State.Commit(ctx, job, c)
}

// mortalTarget is a target of a process that dies: before a call is sent, or when it was sent and its answer is lost.
type mortalTarget struct {
	*application
	*killer
}

// call makes a call that the process may not survive.
func (t *mortalTarget) mortal(call func() error) error {
	if err := t.check("before a call"); err != nil {
		return err
	}
	err := call()
	if lost := t.check("after a call"); lost != nil {
		return lost
	}
	return err
}

func (t *mortalTarget) Create(ctx context.Context, resourceType string, doc scim.Document) (made scim.Document, err error) {
	err = t.mortal(func() (err error) {
		made, err = t.application.Create(ctx, resourceType, doc)
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

func (t *mortalTarget) Update(ctx context.Context, resourceType, id string, before, after scim.Document) error {
	return t.mortal(func() error { return t.application.Update(ctx, resourceType, id, before, after) })
}

func (t *mortalTarget) ChangeMembers(ctx context.Context, resourceType, id string, add, remove []string) error {
	return t.mortal(func() error { return t.application.ChangeMembers(ctx, resourceType, id, add, remove) })
}

func (t *mortalTarget) Delete(ctx context.Context, resourceType, id string) error {
	return t.mortal(func() error { return t.application.Delete(ctx, resourceType, id) })
}
