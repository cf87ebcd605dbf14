package provision

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles"
)

// step is what is to be done to one object.
type step struct {
	action Action
	code   Code
	reason string
	// before and after are the governed attributes.
	before, after scim.Document
}

// decide works out what is to be done to an object, given what is known of it. For an object in scope without link, the answer is
// create: whether there is something to link to is found out first.
func (c *cycle) decide(r *rule, rec *Record) step {
	if rec.leaving() {
		return c.decideLeaving(r, rec)
	}
	if rec.TargetID != "" && rec.blocked() {
		return c.decideBlocked(r, rec)
	}
	if c.protected(r, rec) {
		return step{action: ActionSkip, code: EntrySynchronizationSkipped, reason: "the object is protected"}
	}
	if rec.TargetID == "" {
		return c.decideCreate(r, rec)
	}
	s := step{action: ActionUpdate, after: r.governed(rec.Sent, rec.Want)}
	s.before = rec.known(s.after)
	switch {
	case rec.Flags.Has(Disabled):
	case rec.Flags.Has(SoftDeleted) && (r.softDelete || switchesOff(s.before, s.after)):
		s.action, s.reason = ActionDisable, "disabled in the source"
	case switchesOff(s.before, s.after):
		// Whatever the mapping concludes it from: access ends, and the limit of deletions is to apply.
		s.action, s.reason = ActionDisable, "the mapping switches it off"
	}
	switch {
	case equalDocs(s.before, s.after):
		return step{action: ActionSkip, code: RedundantExport}
	case !r.m.Allows(mapping.Update):
		return step{action: ActionSkip, code: EntrySynchronizationSkipped, reason: "the mapping does not allow updates"}
	}
	s.before = r.resend(s.before, rec.Want)
	return s
}

// isOff reports whether a document says that an account is switched off.
func isOff(doc scim.Document) bool {
	switch v := field(doc, "active").(type) {
	case bool:
		return !v
	case string:
		return strings.EqualFold(v, "false")
	}
	return false
}

// switchesOff reports whether a change ends access.
func switchesOff(before, after scim.Document) bool { return isOff(after) && !isOff(before) }

// ending returns what of a change ends the access of somebody.
func (rec *Record) ending(after scim.Document) scim.Document {
	if len(rec.Want.Disable) > 0 || !isOff(after) {
		return rec.Want.Disable
	}
	return scim.Document{"active": after["active"]}
}

// leaving reports whether the object should not be in the target.
func (rec *Record) leaving() bool { return !rec.Flags.Has(InScope) || !rec.Flags.Has(Present) }

// known returns what the target is known to hold, for a change to what it should hold. Where it is not known, it is taken to be otherwise,
// so that the change is sent.
func (rec *Record) known(after scim.Document) scim.Document {
	if !rec.Flags.Has(Unsure) {
		return rec.Sent
	}
	before := rec.Sent.Clone()
	for _, tried := range rec.Tried {
		before = merge(before, difference(after, tried))
		for name := range after {
			if empty(tried[name]) {
				delete(before, name)
			}
		}
	}
	return before
}

// knownOf returns what the target is known to hold of some attributes, and of others what it should, so that nothing is sent of those.
func (rec *Record) knownOf(attributes, after scim.Document) scim.Document {
	known, before := rec.known(after), after.Clone()
	for name := range attributes {
		if v, ok := known[name]; ok {
			before[name] = v
		} else {
			delete(before, name)
		}
	}
	return before
}

// doubtful reports whether it is not known that the target object of somebody who leaves is there and as [Want.Disable] says. Of
// other attributes it may not be known what they hold.
func (rec *Record) doubtful() bool {
	if !rec.Flags.Has(Unsure) {
		return false
	}
	return len(rec.Tried) == 0 || slices.ContainsFunc(rec.Tried, func(tried scim.Document) bool {
		return len(tried) == 0 || len(difference(tried, rec.Want.Disable)) > 0
	})
}

func (c *cycle) decideCreate(r *rule, rec *Record) step {
	switch {
	case len(rec.Want.Match) == 0:
		return step{action: ActionFail, code: ImportSkipped, reason: "the object has no value for a matching attribute"}
	case !r.m.Allows(mapping.Create):
		return step{action: ActionSkip, code: EntrySynchronizationSkipped, reason: "the mapping does not allow creating"}
	}
	return step{action: ActionCreate, after: rec.Want.Create}
}

// decideLeaving works out how an object leaves the target.
func (c *cycle) decideLeaving(r *rule, rec *Record) step {
	skip := func(reason string) step {
		return step{action: ActionSkip, code: EntrySynchronizationSkipped, reason: reason}
	}
	how, why := c.leave(rec)
	switch {
	case rec.TargetID == "":
		return skip(why)
	case c.protected(r, rec):
		return skip("the object is protected")
	case rec.Flags.Has(Disabled) && !rec.doubtful():
		return c.decideAfter(r, rec, skip)
	case how == LeaveAlone:
		return skip(why + "; the policy is to leave it alone")
	}
	canDelete := r.m.Allows(mapping.Delete) && r.offers(profiles.Delete)
	canDisable := r.m.Allows(mapping.Update) && len(rec.Want.Disable) > 0
	switch {
	case how == LeaveDelete && canDelete, how == LeaveDisable && !r.softDelete && r.isGroup() && canDelete:
		return step{action: ActionDelete, reason: why, before: rec.Sent}
	case how == LeaveDisable && !canDisable && r.deprovisionsByDelete() && canDelete:
		return step{action: ActionDelete, reason: why, before: rec.Sent}
	case canDisable:
		after := merge(rec.Sent, rec.Want.Disable)
		return step{action: ActionDisable, reason: why, before: rec.knownOf(rec.Want.Disable, after), after: after}
	}
	return skip(why + "; the mapping and the target offer no way to end its access")
}

// decideAfter is about an object that was disabled before: it is deleted when the source deletes it, or after some time, but not
// when it had been disabled for leaving scope, because then it is managed no longer.
func (c *cycle) decideAfter(r *rule, rec *Record, skip func(string) step) step {
	if !r.m.Allows(mapping.Delete) || !r.offers(profiles.Delete) || !rec.Flags.Has(InScope) {
		return skip("it is disabled already")
	}
	switch {
	case rec.Flags.Has(HardDeleted) && c.deletedPolicy() == LeaveDelete:
		return step{action: ActionDelete, reason: "deleted in the source", before: rec.Sent}
	case !rec.Flags.Has(Present) && c.policy.Vanished == LeaveDelete && !rec.Flags.Has(HardDeleted):
		return step{action: ActionDelete, reason: "no longer in the source", before: rec.Sent}
	case c.policy.DeleteAfter > 0 && !rec.Flags.Has(Present) && !c.began.Before(rec.Left.Add(c.policy.DeleteAfter)):
		return step{action: ActionDelete, reason: "disabled long ago and no longer in the source", before: rec.Sent}
	}
	return skip("it is disabled already")
}

func (c *cycle) deletedPolicy() Leave {
	if c.policy.Deleted == LeaveByDefault {
		return LeaveDelete
	}
	return c.policy.Deleted
}

// leave returns how an object leaves, and why.
func (c *cycle) leave(rec *Record) (Leave, string) {
	how, why := c.policy.OutOfScope, "out of scope"
	if rec.Reason != "" {
		why += ": " + rec.Reason
	}
	switch {
	case rec.Flags.Has(HardDeleted):
		return c.deletedPolicy(), "deleted in the source"
	case !rec.Flags.Has(Present):
		how, why = c.policy.Vanished, "no longer in the source"
	}
	if how == LeaveByDefault {
		how = LeaveDisable
	}
	return how, why
}

func (c *cycle) protected(r *rule, rec *Record) bool {
	if len(c.protects) == 0 {
		return false
	}
	if c.protects[foldText(rec.SourceID)] || rec.TargetID != "" && c.protects[foldText(rec.TargetID)] {
		return true
	}
	for i := range r.matching {
		for _, v := range append(r.matching[i].values(rec.Sent), r.matching[i].values(rec.Want.Create)...) {
			if s, ok := v.(string); ok && c.protects[foldText(s)] {
				return true
			}
		}
	}
	return false
}

// judge holds deletions and deactivations back when there are too many. Everything else goes on.
func (c *cycle) judge(ctx context.Context) error {
	name := c.job.config.Name
	linked, err := c.state.Count(ctx, name, Query{Linked: true})
	if err != nil {
		return err
	}
	due, ending := c.ended, c.ended
	// Those count too that a cycle on demand does not look at: what is held stays so when it is asked for by itself.
	if err := c.eachLeaving(ctx, func(_ *rule, rec *Record) error {
		if rec.Flags.Has(Released) {
			return nil
		}
		due++
		if !rec.Flags.Has(Disabled) {
			ending++
		}
		return nil
	}); err != nil {
		return err
	}
	why, tooMany := c.policy.Deletions.Exceeded(due, linked)
	if !tooMany && ending >= smallDeletion {
		enabled, err := c.countEnabled(ctx)
		if err != nil {
			return err
		}
		if why, tooMany = c.policy.Deletions.Exceeded(ending, enabled); tooMany {
			why += " of those that are enabled"
		}
	}
	if c.plan != nil && why != "" {
		c.plan.Held = why
	}
	commit := &Commit{}
	flush := func() error {
		err := c.commit(ctx, commit)
		commit = &Commit{}
		return err
	}
	if err := c.eachLeaving(ctx, func(r *rule, rec *Record) error {
		if c.skips(rec) {
			return nil
		}
		hold := tooMany && !rec.Flags.Has(Released)
		if hold == rec.Flags.Has(Held) {
			return nil
		}
		rec.Flags = rec.Flags.With(Held, hold)
		if hold {
			c.staged(r, rec, why)
		}
		if commit.Put = append(commit.Put, rec); len(commit.Put) >= readBatch {
			return flush()
		}
		return nil
	}); err != nil {
		return err
	}
	if err := c.letGo(ctx, commit); err != nil {
		return err
	}
	return flush()
}

// countEnabled counts the linked objects that are not disabled, or were not when the cycle began: accounts of those who left long ago say nothing
// about how many of today's may go at once.
func (c *cycle) countEnabled(ctx context.Context) (int, error) {
	n := c.ended
	for _, r := range c.job.rules {
		var after int64
		for {
			heads, err := c.state.ScanHeads(ctx, c.job.config.Name, Query{Type: r.source, Linked: true}, after, 4*readBatch)
			if err != nil {
				return 0, err
			}
			if len(heads) == 0 {
				break
			}
			after = heads[len(heads)-1].Key
			for _, h := range heads {
				if !h.Flags.Has(Disabled) {
					n++
				}
			}
		}
	}
	return n, nil
}

// eachLeaving calls a function for each object that is to be deleted or disabled now.
func (c *cycle) eachLeaving(ctx context.Context, do func(*rule, *Record) error) error {
	for _, r := range c.job.rules {
		err := c.each(ctx, Query{Type: r.source, Dirty: true, DueBefore: c.began, Linked: true}, func(rec *Record) error {
			switch c.decide(r, rec).action {
			case ActionDisable, ActionDelete:
				return do(r, rec)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// letGo takes the mark of a held deletion off objects that are not to be deleted any more.
func (c *cycle) letGo(ctx context.Context, commit *Commit) error {
	return c.each(ctx, Query{Held: true}, func(rec *Record) error {
		for _, r := range c.job.rules {
			if r.source != rec.Type {
				continue
			}
			switch c.decide(r, rec).action {
			case ActionDisable, ActionDelete:
				return nil
			}
			rec.Flags &^= Held | Released
			commit.Put = append(commit.Put, rec)
		}
		return nil
	})
}

// skips reports whether an object is not looked at in this cycle.
func (c *cycle) skips(rec *Record) bool {
	if c.only == nil {
		return false
	}
	for _, id := range c.only[rec.Type] {
		if id == rec.SourceID {
			return false
		}
	}
	return true
}

// never is a time for retries that only a change in the source brings about.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
