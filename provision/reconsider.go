package provision

import (
	"context"

	"github.com/scimbridge/scim/profiles"
)

// reconsider has it decided again what is to become of those who left, in a cycle that compares everything: nothing was to be done about them, and
// the policy, or the mapping, may say otherwise by now. What is in the source was mapped anew when it was read.
func (c *cycle) reconsider(ctx context.Context) error {
	if c.sum.Kind != Initial || c.only != nil {
		return nil
	}
	for _, r := range c.job.rules {
		if err := c.reconsiderType(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (c *cycle) reconsiderType(ctx context.Context, r *rule) error {
	var after int64
	for {
		heads, err := c.state.ScanHeads(ctx, c.job.config.Name, Query{Type: r.source, Linked: true}, after, readBatch)
		if err != nil || len(heads) == 0 {
			return err
		}
		after = heads[len(heads)-1].Key
		var keys []int64
		for _, h := range heads {
			// What is dirty is decided about anyway, when it is due.
			if !h.Flags.Has(Present) && h.Flags&(Dirty|Failed) == 0 {
				keys = append(keys, h.Key)
			}
		}
		records, err := c.state.Records(ctx, c.job.config.Name, keys)
		if err != nil {
			return err
		}
		commit := &Commit{KeepMatching: true}
		for i := range records {
			if rec := &records[i]; c.reconsiderOne(r, rec) {
				commit.Put = append(commit.Put, rec)
			}
		}
		if err := c.commit(ctx, commit); err != nil {
			return err
		}
	}
}

// reconsiderOne marks a record of somebody who left if there is something to be done, and reports whether there is.
func (c *cycle) reconsiderOne(r *rule, rec *Record) bool {
	r.learnDisable(rec)
	switch c.decide(r, rec).action {
	case ActionDisable, ActionDelete:
		rec.Flags |= Dirty
	default:
		if !c.deletedLater(r, rec) {
			return false
		}
		rec.Flags |= Dirty
		rec.Due = rec.Left.Add(c.policy.DeleteAfter)
	}
	return true
}

// deletedLater reports whether a target object is to be deleted some time after its source object left.
func (c *cycle) deletedLater(r *rule, rec *Record) bool {
	return rec.TargetID != "" && rec.Flags.Has(Disabled|InScope) && !rec.Flags.Has(Present) && c.policy.DeleteAfter > 0 && r.offers(profiles.Delete)
}
