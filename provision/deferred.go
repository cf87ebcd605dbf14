package provision

import "context"

// An object that was just matched can turn out to be disabled in the source, and its account is to be disabled then. How many there are is
// not known before they are matched, so they are only linked at first. Then it is judged whether there are too many, together with what
// was disabled or deleted in this cycle already.

// deferEnd links an object and leaves its deactivation for later.
func (c *cycle) deferEnd(rec *Record) result {
	rec.succeeded()
	rec.Flags |= Dirty
	return result{
		step: step{action: ActionLink, reason: "matches target object " + rec.TargetID}, keepScheduled: true, deferred: true,
	}
}

// exportDeferred disables those that were left for later, unless there are too many.
func (c *cycle) exportDeferred(ctx context.Context, r *rule) error {
	if c.deferred == nil {
		return nil
	}
	later := c.deferred
	c.deferred = nil
	if err := c.judge(ctx); err != nil {
		return err
	}
	q := Query{Type: r.source, Dirty: true, DueBefore: c.began}
	again, err := c.pool(ctx, r, PhaseExport, q, nil, func(ctx context.Context, r *rule, rec *Record) result {
		if !later.has(rec.Key) {
			return result{rec: rec, quiet: true, keepScheduled: true}
		}
		return c.perform(ctx, r, rec)
	})
	if err != nil {
		return err
	}
	return c.repeat(ctx, r, again)
}
