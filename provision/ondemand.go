package provision

import (
	"context"
	"errors"
	"fmt"
)

// OnDemand is the outcome of [Job.ProvisionOnDemand].
type OnDemand struct {
	// Explanation has the steps import, scope and match.
	Explanation *Explanation `json:"explanation"`
	// Summary says what was done, and Log has an entry for each object concerned.
	Summary *Summary   `json:"summary"`
	Log     []LogEntry `json:"log,omitempty"`
}

// ProvisionOnDemand brings one object into step now, outside the schedule, and for a group those of its members that are named. It uses
// the same steps as a cycle, with its safeguards. The object must be in the source: what has left it is dealt with by cycles.
func (j *Job) ProvisionOnDemand(ctx context.Context, objectType, id string, members ...string) (*OnDemand, error) {
	if j.rule(objectType) == nil {
		return nil, fmt.Errorf("provision: no mapping for %s objects", objectType)
	}
	release, err := j.config.State.Acquire(ctx, j.config.Name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = release() }()
	before, err := j.Explain(ctx, objectType, id)
	if err != nil {
		return nil, err
	}
	c := j.newCycle(j.config.State, j.config.Target)
	c.only = map[string][]string{objectType: {id}}
	for _, r := range j.rules {
		if !r.isGroup() && len(members) > 0 {
			c.only[r.source] = append(c.only[r.source], members...)
		}
	}
	summary, err := c.run(ctx)
	if err != nil {
		return nil, err
	}
	log, err := j.Log(ctx, LogQuery{CycleID: summary.CycleID})
	return &OnDemand{before, summary, log}, err
}

func (j *Job) rule(objectType string) *rule {
	for _, r := range j.rules {
		if r.source == objectType {
			return r
		}
	}
	return nil
}

// readOnly reads the objects that the cycle is restricted to.
func (c *cycle) readOnly(ctx context.Context) error {
	for _, r := range c.job.rules {
		ids := c.only[r.source]
		if len(ids) == 0 {
			continue
		}
		entries, err := c.job.config.Source.Lookup(ctx, r.source, ids)
		if err != nil {
			return c.sourceFault(ctx, r.source, err)
		}
		if err := c.readEntryBatch(ctx, r, entries); err != nil {
			return err
		}
	}
	return c.findDuplicates(ctx)
}

// ErrNoSuchObject is returned when neither the source nor the state has an object.
var ErrNoSuchObject = errors.New("provision: no such object")
