package provision

import (
	"context"
	"fmt"

	"github.com/scimbridge/scim/mapping"
)

// Objects that cannot be dealt with until the source is mended are left as they are, with one exception: somebody whose own row says that
// he is disabled loses access all the same. His account is known by its link, so that there is no doubt whose it is; what is in doubt is
// only what else should be in it. Leaving it active because of a row too many, or of a value that does not fit, would be the one mistake
// that nobody notices. That a mended source enables him again, and that the limit of deletions applies, makes the other mistake small.
//
// Where the same id occurs several times there is no row of his own, and all must say so.

// blocked reports whether an object waits for the source to be mended.
func (rec *Record) blocked() bool {
	return rec.Flags.Has(Duplicate) || rec.Failure != nil && (rec.Failure.waitsForSource() || rec.Failure.Remap)
}

// mustEnd reports whether a blocked object is to lose access nevertheless.
func (c *cycle) mustEnd(r *rule, rec *Record) bool {
	return rec.TargetID != "" && !rec.leaving() && rec.Flags.Has(SoftDeleted) && (!rec.Flags.Has(Disabled) || rec.Flags.Has(Unsure)) &&
		len(rec.ending(rec.Want.Update)) > 0 && r.m.Allows(mapping.Update) && !c.protected(r, rec)
}

// decideBlocked works out what is to be done to a linked object that waits for the source to be mended.
func (c *cycle) decideBlocked(r *rule, rec *Record) step {
	if !c.mustEnd(r, rec) {
		s := step{action: ActionFail, code: DuplicateSourceEntries}
		if f := rec.Failure; f != nil {
			s.code, s.reason = f.Code, f.Reason
		}
		return s
	}
	after := merge(rec.Sent, rec.ending(rec.Want.Update))
	return step{action: ActionDisable, reason: "disabled in the source; nothing else is changed until the source is mended", before: rec.known(after), after: after}
}

// wake makes a blocked object due that is to leave or to lose access.
func (c *cycle) wake(r *rule, rec *Record) {
	leaves := rec.leaving() && rec.TargetID != "" && (!rec.Flags.Has(Disabled) || rec.Flags.Has(Unsure))
	if leaves || c.mustEnd(r, rec) {
		rec.Due = c.began
	}
}

// performBlocked does what is to be done to an object that waits for the source to be mended. It goes on waiting.
func (c *cycle) performBlocked(ctx context.Context, r *rule, rec *Record) result {
	s := c.decide(r, rec)
	if rec.TargetID == "" || s.action != ActionDisable && s.action != ActionDelete || rec.Flags.Has(Held) {
		return result{rec: rec, quiet: true, keepScheduled: true}
	}
	waiting := rec.Failure
	res := c.do(ctx, r, rec, s)
	res.rec = rec
	if res.fatal != nil || res.again {
		return res
	}
	rec.Due = never
	if f := res.failure; f != nil {
		// What it waits for is not over, and this is tried again in the next cycle.
		res.step, res.failure, rec.Due = step{action: ActionFail, code: f.Code, reason: f.Reason}, nil, c.began
	}
	res.keepScheduled, rec.Failure = true, waiting
	return res
}

// readDouble is about a row whose id came before. What it would make of the object is not asked, but whether all rows say that it should
// have no access.
func (c *cycle) readDouble(ctx context.Context, r *rule, item *readItem, before Flags) error {
	const said = Present | InScope | SoftDeleted | HardDeleted
	rec, e := item.rec, item.entry
	now := Flags(0)
	if e.Deleted {
		now = HardDeleted | before&InScope
	} else {
		o := r.evaluate(ctx, e, item.assigned, rec.TargetID != "", c.policy.enabledAttribute(), c.env(r, rec))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := endsCycle(o.err); err != nil {
			return err
		}
		in := o.scope.In || o.ignore
		now = Flags(Present).With(InScope, in).With(SoftDeleted, in && o.soft && !o.ignore)
	}
	switch {
	case before&said == now:
	case saysOff(before) && saysOff(now):
		// They differ in how; disabling can be undone.
		now = Present | InScope | SoftDeleted
	default:
		now = Present | InScope
	}
	rec.Flags = rec.Flags&^said | now | Dirty
	rec.Matching = nil
	c.fail(r, rec, &Failure{Code: DuplicateSourceEntries, Reason: fmt.Sprintf("the id %q occurs more than once in the source", e.ID)})
	c.wake(r, rec)
	return nil
}

// saysOff reports whether the source says that an object should have no access.
func saysOff(f Flags) bool {
	return !f.Has(Present) || !f.Has(InScope) || f.Has(SoftDeleted)
}
