package provision

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/scimbridge/scim"
)

// repairDrift compares the target with what it is known to hold, and has put back what was changed there behind the job's back. It is done
// every [Policy.Drift], before anything is judged, so that what it finds is under the same safeguards.
func (c *cycle) repairDrift(ctx context.Context) error {
	if c.policy.Drift <= 0 || c.only != nil || c.began.Sub(c.js.LastDrift) < c.policy.Drift {
		return nil
	}
	for _, r := range c.job.rules {
		if err := c.compareType(ctx, r); err != nil {
			return err
		}
	}
	c.js.LastDrift = c.began
	return nil
}

// compareType compares all linked objects of a type.
func (c *cycle) compareType(ctx context.Context, r *rule) error {
	linked, err := c.state.Count(ctx, c.job.config.Name, Query{Type: r.source, Linked: true})
	if err != nil || linked == 0 {
		return err
	}
	seen := &keySet{}
	n := 0
	c.reads.Add(1)
	for doc, err := range c.target.List(ctx, r.target) {
		if err = c.checked(ctx, err); err != nil {
			return listError(err)
		}
		if n++; n%c.pageSize() == 0 {
			c.reads.Add(1)
		}
		key, err := c.state.Linked(ctx, c.job.config.Name, r.source, doc.ID())
		if err != nil {
			return err
		}
		if key == 0 {
			continue
		}
		seen.add(key)
		if err := c.compareObject(ctx, r, key, doc); err != nil {
			return err
		}
	}
	return c.findGone(ctx, r, seen)
}

// compareObject notes how a target object really is.
func (c *cycle) compareObject(ctx context.Context, r *rule, key int64, doc scim.Document) error {
	records, err := c.state.Records(ctx, c.job.config.Name, []int64{key})
	if err != nil || len(records) == 0 {
		return err
	}
	rec := &records[0]
	// Who is disabled and waits to be deleted is to be so until then. Of others something is to be sent anyway.
	waits := rec.leaving() && rec.Flags.Has(Disabled) && !rec.Flags.Has(Held) && rec.Failure == nil
	if rec.Flags.Has(Duplicate) || rec.Flags.Has(Dirty) && !waits {
		return nil
	}
	actual := project(doc, r.shape(rec.Want))
	relearnt := c.keepsAfterAll(r, rec, actual)
	drifted := len(c.drifts(r, rec, actual, project(rec.Sent, r.shape(rec.Want)))) > 0
	if drifted && len(c.drifted) < maxReadBackDrift {
		c.drifted[key] = true
	}
	if drifted || rec.Flags.Has(Unsure) {
		drifted = true
		rec.sure()
		rec.Sent = merge(actual, nil)
		if rec.Sent == nil {
			rec.Sent = scim.Document{}
		}
		// An account that was enabled behind the job's back is to be disabled again.
		ending := rec.ending(rec.Want.Update)
		if rec.Flags.Has(Disabled) && !equalDocs(difference(rec.Sent, ending), nil) {
			rec.Flags &^= Disabled
			rec.Due = time.Time{}
		}
	}
	if r.members != "" && r.isGroup() && !rec.leaving() {
		before := slices.Clone(rec.SentRefs[r.members])
		if err := c.readMembers(ctx, r, rec); err != nil {
			// A single group that cannot be read has the members that it is believed to have.
			if res := c.failed(err); res.fatal != nil {
				return res.fatal
			}
		}
		drifted = drifted || !slices.Equal(before, rec.SentRefs[r.members])
	}
	if !drifted && !relearnt {
		return nil
	}
	rec.Flags = rec.Flags.With(Dirty, drifted || rec.Flags.Has(Dirty))
	return c.commit(ctx, &Commit{Put: []*Record{rec}})
}

// findGone finds linked objects that the list did not have. A list can miss objects, so each is asked for by itself.
func (c *cycle) findGone(ctx context.Context, r *rule, seen *keySet) error {
	return c.each(ctx, Query{Type: r.source, Linked: true}, func(rec *Record) error {
		if seen.has(rec.Key) {
			return nil
		}
		c.reads.Add(1)
		_, err := c.target.Get(ctx, r.target, rec.TargetID)
		if !errors.Is(err, scim.ErrNotFound) {
			return fatalOnly(c.checked(ctx, err))
		}
		rec.lost()
		if rec.Flags.Has(Present) {
			rec.Flags |= Dirty
		} else {
			rec.succeeded()
		}
		commit := &Commit{}
		c.put(commit, rec)
		return c.commit(ctx, commit)
	})
}

// fatalOnly lets a single object that cannot be read be: it is as it was believed to be.
func fatalOnly(err error) error {
	if err != nil && fatal(err) {
		return err
	}
	return nil
}
