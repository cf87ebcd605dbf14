package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
)

// references sends memberships and other references, when all objects that can be referred to are there.
func (c *cycle) references(ctx context.Context) error {
	if !c.job.refers() {
		return nil
	}
	if err := c.rejoin(ctx); err != nil {
		return err
	}
	for _, r := range c.job.rules {
		if !r.refs {
			continue
		}
		done := &keySet{}
		for _, q := range []Query{{Dirty: true}, {Pending: true}} {
			q.Type = r.source
			if _, err := c.pool(ctx, r, PhaseReferences, q, done, c.refer); err != nil {
				return err
			}
		}
	}
	return nil
}

// rejoin has memberships sent again for objects that were enabled again, or made again, because the target dropped them. Those of objects that
// are gone are forgotten with them, so that they are sent when the objects come back. It first forgets that they were sent and then
// takes the mark off, so that a crash between the two only repeats work.
func (c *cycle) rejoin(ctx context.Context) error {
	joining := map[string]bool{}
	var keys []int64
	err := c.each(ctx, Query{Rejoin: true}, func(rec *Record) error {
		joins := rec.TargetID != "" && !rec.Flags.Has(Disabled)
		if (joins || rec.finished()) && !c.skips(rec) {
			joining[rec.SourceID] = true
			keys = append(keys, rec.Key)
		}
		return nil
	})
	if err != nil || len(keys) == 0 {
		return err
	}
	for _, r := range c.job.rules {
		if !r.refs {
			continue
		}
		err := c.each(ctx, Query{Type: r.source, Linked: true}, func(rec *Record) error {
			if !rec.unsend(joining) {
				return nil
			}
			rec.Flags |= Dirty
			return c.commit(ctx, &Commit{Put: []*Record{rec}})
		})
		if err != nil {
			return err
		}
	}
	// They are read again, as an object that refers to others may be among those just changed.
	for chunk := range slices.Chunk(keys, readBatch) {
		records, err := c.state.Records(ctx, c.job.config.Name, chunk)
		if err != nil {
			return err
		}
		commit := &Commit{}
		for i := range records {
			records[i].Flags &^= Rejoin
			c.put(commit, &records[i])
		}
		if err := c.commit(ctx, commit); err != nil {
			return err
		}
	}
	return nil
}

// unsend forgets that references to some objects were sent, and reports whether any were.
func (rec *Record) unsend(ids map[string]bool) bool {
	changed := false
	for path, sent := range rec.SentRefs {
		kept := slices.DeleteFunc(slices.Clone(sent), func(id string) bool { return ids[id] })
		if len(kept) < len(sent) {
			gone := subtract(sent, kept)
			setIDs(&rec.SentRefs, path, kept)
			setIDs(&rec.UnsureRefs, path, sorted(rec.UnsureRefs[path], gone))
			changed = true
		}
	}
	return changed
}

// inherit has references to one who left count as references to the one who takes the target object over: it is the same object there. It
// returns the records that this concerns.
func (c *cycle) inherit(ctx context.Context, left, heir *Record) ([]*Record, error) {
	var changed []*Record
	for _, r := range c.job.rules {
		if !r.refs {
			continue
		}
		err := c.each(ctx, Query{Type: r.source, Linked: true}, func(rec *Record) error {
			if rec.Key != left.Key && rec.Key != heir.Key && rec.replaceReference(left.SourceID, heir.SourceID) {
				rec.Flags |= Dirty
				changed = append(changed, rec)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	heir.Tried = left.Tried
	// One that was disabled may have lost its memberships: they are sent again when it is enabled.
	heir.Flags |= left.Flags & (Unsure | Disabled | Rejoin)
	heir.SentRefs, heir.UnsureRefs = maps.Clone(left.SentRefs), maps.Clone(left.UnsureRefs)
	heir.replaceReference(left.SourceID, heir.SourceID)
	return changed, nil
}

// replaceReference puts one source id in the place of another in the references that the target has or may have.
func (rec *Record) replaceReference(old, now string) bool {
	changed := false
	for _, refs := range []map[string][]string{rec.SentRefs, rec.UnsureRefs} {
		for path, ids := range refs {
			if slices.Contains(ids, old) {
				refs[path] = sorted(subtract(ids, []string{old}), []string{now})
				changed = true
			}
		}
	}
	return changed
}

// resolve returns what is known of objects that are referred to, by source id. A person and a group with the same id are told apart
// by the order of the types: the first one counts.
func (c *cycle) resolve(ctx context.Context, r *rule, ids []string) (map[string]Head, error) {
	known := make(map[string]Head, len(ids))
	for _, other := range c.job.rules {
		if other.isGroup() && r.isGroup() && r.resource != nil && !r.resource.NestedGroups {
			continue
		}
		heads, err := c.state.Heads(ctx, c.job.config.Name, other.source, ids)
		if err != nil {
			return nil, err
		}
		for _, h := range heads {
			if _, ok := known[h.SourceID]; !ok {
				known[h.SourceID] = h
			}
		}
	}
	return known, nil
}

// refer brings the references of one object into step. It runs in several goroutines.
func (c *cycle) refer(ctx context.Context, r *rule, rec *Record) result {
	if rec.TargetID == "" || rec.leaving() || rec.Flags.Has(Duplicate) || !r.m.Allows(mapping.Update) || c.protected(r, rec) || c.mustWait(rec) {
		return result{quiet: true, keepScheduled: true}
	}
	// A failure to change other attributes, or a deactivation that is held back, does not keep members in, or out; but it is not over either.
	otherwise := rec.Failure != nil && !rec.Failure.Reference || rec.Flags.Has(Held)
	total := result{quiet: true, step: step{action: ActionUpdate}, keepScheduled: otherwise}
	before := slices.Concat(unresolvedOf(rec)...)
	for _, path := range sortedKeys(rec.Want.Refs) {
		if rec.settledRef(path) {
			continue
		}
		res := c.referPath(ctx, r, rec, path)
		if res.fatal != nil {
			return res
		}
		total.writes += res.writes
		total.added += res.added
		total.removed += res.removed
		if res.failure != nil && total.failure == nil {
			total.failure = res.failure
		}
	}
	rec.Flags = rec.Flags.With(Pending, len(rec.Unresolved)+len(rec.Waiting) > 0)
	now := slices.Concat(unresolvedOf(rec)...)
	if len(now) > 0 && !slices.Equal(before, now) {
		total.step.code, total.step.reason, total.quiet = UnableToResolveReferenceAttributeValue, unresolvedText(rec), false
	}
	if total.writes > 0 {
		total.quiet = false
	} else if !total.quiet {
		total.step.action = ActionSkip
	}
	if f := total.failure; f != nil {
		f.Reference = true
		if otherwise {
			total.failure, total.quiet = nil, true
		}
	}
	return total
}

// mustWait reports whether the references of an object are not due: they failed and are tried again later, or it could not be mapped.
func (c *cycle) mustWait(rec *Record) bool {
	f := rec.Failure
	return f != nil && (f.waitsForSource() || f.Reference && rec.Due.After(c.began))
}

func unresolvedOf(rec *Record) [][]string {
	var all [][]string
	for _, path := range sortedKeys(rec.Unresolved) {
		all = append(all, rec.Unresolved[path])
	}
	return all
}

// unresolvedText names what cannot be resolved, as far as it fits into a line.
func unresolvedText(rec *Record) string {
	const most = 10
	var parts []string
	for _, path := range sortedKeys(rec.Unresolved) {
		ids := rec.Unresolved[path]
		shown := strings.Join(ids[:min(len(ids), most)], ", ")
		if len(ids) > most {
			shown += fmt.Sprintf(" and %d more", len(ids)-most)
		}
		parts = append(parts, fmt.Sprintf("%s: %s cannot be linked: not in the source, or not provisioned", path, shown))
	}
	return strings.Join(parts, "; ")
}

func unresolvedWarning(rec *Record) ObjectFailure {
	return ObjectFailure{
		Type: rec.Type, SourceID: rec.SourceID, Display: rec.Display,
		Failure: Failure{
			Code: UnableToResolveReferenceAttributeValue, Reason: unresolvedText(rec), Reference: true,
			Remedy: "add the objects to the source or to the scope, or take them out of the list; they are linked as soon as they are provisioned",
		},
	}
}

// referPath brings one reference attribute into step.
func (c *cycle) referPath(ctx context.Context, r *rule, rec *Record, path string) result {
	want, sent := rec.Want.Refs[path], rec.SentRefs[path]
	if c.chosen != nil && path == r.members && r.isGroup() {
		// The others are sent by the next cycle.
		want = slices.DeleteFunc(slices.Clone(want), func(id string) bool {
			return !c.chosen[id] && !slices.Contains(sent, id) && !slices.Contains(rec.UnsureRefs[path], id)
		})
	}
	known, err := c.resolve(ctx, r, slices.Concat(want, sent, rec.UnsureRefs[path]))
	if err != nil {
		return result{fatal: err}
	}
	d := compareReferences(want, sent, rec.UnsureRefs[path], known)
	setIDs(&rec.Unresolved, path, d.unresolved)
	setIDs(&rec.Waiting, path, d.waiting)
	isMembers := path == r.members && r.isGroup()
	if isMembers {
		// What is gone from the target is gone from its groups.
		d.gone = nil
	}
	if len(d.add)+len(d.remove)+len(d.gone) == 0 {
		setIDs(&rec.SentRefs, path, d.kept)
		setIDs(&rec.UnsureRefs, path, d.doubts)
		return result{}
	}
	setIDs(&rec.UnsureRefs, path, sorted(rec.UnsureRefs[path], d.add, d.remove, d.gone))
	if err := c.intend(ctx, rec); err != nil {
		return result{fatal: err}
	}
	if isMembers {
		return c.sendMembers(ctx, r, rec, path, d, known)
	}
	return c.sendReference(ctx, r, rec, path, d, known)
}

func setIDs(m *map[string][]string, path string, ids []string) {
	if len(ids) == 0 {
		delete(*m, path)
		return
	}
	if *m == nil {
		*m = map[string][]string{}
	}
	(*m)[path] = ids
}

// referenceDelta is how references sent become those wanted; all are source ids.
type referenceDelta struct {
	// kept were sent and stay.
	kept, add, remove []string
	// unresolved are wanted and cannot be sent; waiting are wanted and disabled.
	unresolved, waiting []string
	// gone were sent, and are in the target no longer; doubts are waiting, and may be there already.
	gone, doubts []string
}

// compareReferences finds it out. What the target is not known to have, or not to have, is sent in any case.
func compareReferences(want, sent, unsure []string, known map[string]Head) referenceDelta {
	var d referenceDelta
	wanted, was := map[string]bool{}, map[string]bool{}
	for _, id := range sent {
		was[id] = true
	}
	for _, id := range unsure {
		was[id] = false
	}
	for _, id := range want {
		wanted[id] = true
		h, ok := known[id]
		switch {
		case !ok || h.TargetID == "" && !h.Flags.Has(SoftDeleted):
			d.unresolved = append(d.unresolved, id)
		case was[id] && h.TargetID != "":
			d.kept = append(d.kept, id)
		case h.TargetID == "" || h.Flags.Has(Disabled):
			d.waiting = append(d.waiting, id)
			if h.TargetID != "" && slices.Contains(unsure, id) {
				d.doubts = append(d.doubts, id)
			}
		default:
			d.add = append(d.add, id)
		}
	}
	for _, id := range sorted(sent, unsure) {
		h, ok := known[id]
		switch linked := ok && h.TargetID != ""; {
		case !linked:
			d.gone = append(d.gone, id)
		case !wanted[id]:
			d.remove = append(d.remove, id)
		}
	}
	return d
}

// sendMembers changes the members of a group. When the target refuses some, the others are changed all the same.
func (c *cycle) sendMembers(ctx context.Context, r *rule, rec *Record, path string, d referenceDelta, known map[string]Head) result {
	err := c.changeMembers(ctx, r, rec.TargetID, targetIDs(d.add, known), targetIDs(d.remove, known))
	res := result{writes: memberRequests(c.target.Profile(), r.target, len(d.add)+len(d.remove))}
	if err == nil {
		setIDs(&rec.SentRefs, path, sorted(d.kept, d.add))
		setIDs(&rec.UnsureRefs, path, d.doubts)
		res.added, res.removed = len(d.add), len(d.remove)
		return res
	}
	if !refusesContent(err) {
		failed := c.failed(err)
		failed.writes = res.writes
		return failed
	}
	if errors.Is(err, scim.ErrNotFound) && c.isGone(ctx, r, rec.TargetID) {
		rec.lost()
		return result{writes: res.writes, failure: &Failure{
			Code: InvalidAnchor, Reason: "the linked group is gone from the target", Transient: true,
			Remedy: "nothing: it is matched or made again in the next cycle",
		}}
	}
	s := memberSplit{c: c, r: r, id: rec.TargetID, known: known, budget: 64}
	removed := s.send(ctx, d.remove, true)
	added := s.send(ctx, d.add, false)
	if s.fatal != nil {
		return result{fatal: s.fatal}
	}
	refused, still := subtract(d.add, added), subtract(d.remove, removed)
	gone, stateErr := c.findGoneMembers(ctx, r, refused, known)
	if stateErr != nil {
		return result{fatal: stateErr}
	}
	refused = subtract(refused, gone)
	setIDs(&rec.Unresolved, path, sorted(rec.Unresolved[path], gone))
	setIDs(&rec.SentRefs, path, sorted(d.kept, added, still))
	setIDs(&rec.UnsureRefs, path, sorted(refused, still, d.doubts))
	res.writes += s.writes
	res.added, res.removed = len(added), len(removed)
	res.failure = &Failure{
		Code: failureOf(err).Code, Attribute: path, Reason: fmt.Sprintf("the target does not take %s: %v", strings.Join(append(refused, still...), ", "), s.last),
		Remedy: "see whether these accounts have joined the target, for example by accepting an invitation; they are tried again",
	}
	if len(refused)+len(still) == 0 {
		res.failure = nil
	}
	return res
}

// findGoneMembers finds out which of the members that a group does not take are gone from the target. They are linked no longer, so that
// they are made again if they should be there.
func (c *cycle) findGoneMembers(ctx context.Context, r *rule, ids []string, known map[string]Head) (gone []string, err error) {
	for _, id := range ids {
		records, err := c.state.Records(ctx, c.job.config.Name, []int64{known[id].Key})
		if err != nil {
			return nil, err
		}
		// Objects of the same type may be under way just now.
		if len(records) == 0 || records[0].Type == r.source || records[0].TargetID == "" {
			continue
		}
		rec := &records[0]
		member := c.job.rule(rec.Type)
		if member == nil || !c.isGone(ctx, member, rec.TargetID) {
			continue
		}
		rec.lost()
		if !rec.blocked() {
			rec.reset()
		}
		rec.Flags |= Dirty
		if err := c.intend(ctx, rec); err != nil {
			return nil, err
		}
		gone = append(gone, id)
	}
	return gone, nil
}

func (c *cycle) isGone(ctx context.Context, r *rule, id string) bool {
	c.reads.Add(1)
	_, err := c.target.Get(ctx, r.target, id)
	return errors.Is(err, scim.ErrNotFound)
}

// memberSplit finds the members that a target refuses by halving the list, within a budget of requests.
type memberSplit struct {
	c      *cycle
	r      *rule
	id     string
	known  map[string]Head
	budget int
	writes int
	last   error
	fatal  error
}

// send changes members and returns those that were accepted.
func (s *memberSplit) send(ctx context.Context, ids []string, remove bool) []string {
	if len(ids) == 0 || s.budget <= 0 || s.fatal != nil {
		return nil
	}
	s.budget--
	add, gone := targetIDs(ids, s.known), []string(nil)
	if remove {
		add, gone = nil, add
	}
	s.writes += memberRequests(s.c.target.Profile(), s.r.target, len(ids))
	err := s.c.changeMembers(ctx, s.r, s.id, add, gone)
	switch {
	case err == nil, remove && len(ids) == 1 && errors.Is(err, scim.ErrNotFound):
		return slices.Clone(ids)
	case fatal(err):
		s.fatal = err
		return nil
	}
	s.last = err
	if len(ids) == 1 || !refusesContent(err) {
		return nil
	}
	half := len(ids) / 2
	return append(s.send(ctx, ids[:half], remove), s.send(ctx, ids[half:], remove)...)
}

func targetIDs(ids []string, known map[string]Head) []string {
	list := make([]string, 0, len(ids))
	for _, id := range ids {
		list = append(list, known[id].TargetID)
	}
	return list
}

func sorted(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}

func subtract(from, what []string) []string {
	var left []string
	for _, id := range from {
		if !slices.Contains(what, id) {
			left = append(left, id)
		}
	}
	return left
}

// sendReference changes an attribute such as manager.
func (c *cycle) sendReference(ctx context.Context, r *rule, rec *Record, path string, d referenceDelta, known map[string]Head) result {
	l, err := locate(path)
	if err != nil {
		return result{failure: &Failure{Code: InternalError, Attribute: path, Reason: err.Error()}}
	}
	before, after := scim.Document{}, scim.Document{}
	was, now := targetIDs(sorted(d.kept, d.remove), known), targetIDs(sorted(d.kept, d.add), known)
	if len(was) == 0 && len(now) == 0 {
		// The target still refers to what is gone. With which id does not matter, as it is to refer to nothing.
		was = d.gone
	}
	if len(now) <= 1 && len(was) > 1 {
		// There is one at a time. Which it is now is in doubt; any but the one to be makes the change be sent.
		was = subtract(was, now)[:1]
	}
	l.refer(before, was)
	l.refer(after, now)
	if err := c.update(ctx, r, rec.TargetID, before, after); err != nil {
		res := c.failed(err)
		res.writes = 1
		return res
	}
	setIDs(&rec.SentRefs, path, sorted(d.kept, d.add))
	setIDs(&rec.UnsureRefs, path, d.doubts)
	return result{writes: 1}
}

// membersOnCreate puts the members that can be resolved into the document of a new group, where the target takes them. It returns
// their source ids.
func (c *cycle) membersOnCreate(ctx context.Context, r *rule, rec *Record, doc scim.Document) ([]string, error) {
	if r.members == "" || !r.isGroup() || r.resource == nil || !r.resource.MembersOnCreate || len(rec.Want.Refs[r.members]) == 0 {
		return nil, nil
	}
	known, err := c.resolve(ctx, r, rec.Want.Refs[r.members])
	if err != nil {
		return nil, err
	}
	d := compareReferences(rec.Want.Refs[r.members], nil, nil, known)
	if most := r.resource.Patch.MembersPerRequest; len(d.add) == 0 || most > 0 && len(d.add) > most {
		return nil, nil
	}
	list := make([]any, 0, len(d.add))
	for _, id := range targetIDs(d.add, known) {
		list = append(list, map[string]any{"value": id})
	}
	doc["members"] = list
	return d.add, nil
}
