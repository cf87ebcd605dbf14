package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// OnDemand is the outcome of [Job.ProvisionOnDemand].
type OnDemand struct {
	// Steps are what was done on the way: import, scoping, matching, and the action. Those after the one where it ended are left out.
	Steps []LogStep `json:"provisioningSteps"`
	// Explanation says what was known of the object before.
	Explanation *Explanation `json:"explanation"`
	// Summary says what was done, and Log has an entry for each object concerned.
	Summary *Summary   `json:"summary"`
	Log     []LogEntry `json:"log,omitempty"`
}

// ProvisionOnDemand brings one object into step now, outside the schedule. For a group, the members that are named are provisioned as
// well, and are the only ones that are added; without names, all are added that are provisioned already. It uses the same steps as a cycle,
// with its safeguards. The object must be in the source: what has left it is dealt with by cycles.
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
	c.only = map[string][]string{}
	if before.InSource {
		c.only[objectType] = []string{id}
	}
	for _, r := range j.rules {
		if !r.isGroup() && len(members) > 0 {
			c.only[r.source] = append(c.only[r.source], members...)
		}
	}
	if len(members) > 0 {
		c.chosen = map[string]bool{}
		for _, m := range members {
			c.chosen[m] = true
		}
	}
	summary, err := c.run(ctx)
	if err != nil {
		return nil, err
	}
	log, err := j.Log(ctx, LogQuery{CycleID: summary.CycleID})
	if err != nil {
		return nil, err
	}
	steps, err := j.demandSteps(ctx, before, log)
	return &OnDemand{steps, before, summary, log}, err
}

// demandSteps tells the way of one object in four steps.
func (j *Job) demandSteps(ctx context.Context, x *Explanation, log []LogEntry) ([]LogStep, error) {
	scoping := LogStep{
		Name: "EntrySynchronizationScoping", Type: "scoping", Status: StatusSuccess, Description: "The object is in scope.",
		Details: map[string]string{"Assigned": graphBool(x.Assigned), "IsActive": graphBool(x.Enabled), "ScopeEvaluationResult": x.Reason},
	}
	steps := []LogStep{{
		Name: "EntryImport", Type: "import", Status: StatusSuccess, Description: "The object was read from the source.",
		Details: map[string]string{},
	}}
	if !x.InSource {
		steps[0].Status, steps[0].Description = StatusSkipped, "The object is not in the source."
		return steps, nil
	}
	if !x.InScope {
		scoping.Status, scoping.Description = StatusSkipped, "The object is not in scope: "+x.Reason
	}
	if steps = append(steps, scoping); !x.InScope && x.TargetID == "" {
		return steps, nil
	}
	heads, err := j.config.State.Heads(ctx, j.config.Name, x.Type, []string{x.SourceID})
	if err != nil {
		return nil, err
	}
	steps = append(steps, matchingStep(x, heads))
	action := LogStep{
		Name: "EntrySynchronizationSkip", Type: "processing", Status: StatusSkipped, Description: "There is nothing to change.",
		Details: map[string]string{"SkipReason": string(RedundantExport)},
	}
	for _, e := range slices.Backward(log) {
		if e.Source.ID == x.SourceID && e.Source.IdentityType == x.Type && len(e.Steps) > 0 {
			// The newest comes first in the log; that of references comes after that of the object itself.
			action = e.Steps[len(e.Steps)-1]
			break
		}
	}
	return append(steps, action), nil
}

func graphBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// matchingStep says how an object came by its target object.
func matchingStep(x *Explanation, heads []Head) LogStep {
	s := LogStep{Name: "EntrySynchronizationAdd", Type: "matching", Status: StatusSuccess, Details: map[string]string{}}
	for _, m := range x.Matching {
		s.Details[m.Attribute] = printValue(m.Value)
	}
	linked := len(heads) > 0 && heads[0].TargetID != ""
	switch {
	case x.TargetID != "" && linked && heads[0].TargetID == x.TargetID:
		s.Description = "The object is linked to " + x.TargetID + "."
	case linked && heads[0].Flags.Has(Created):
		s.Description = "Nothing in the target matches the object."
	case linked:
		s.Description = "The object matches " + heads[0].TargetID + "."
	default:
		s.Description = "The object is not linked to anything in the target."
	}
	return s
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
		ids := sorted(c.only[r.source])
		if len(ids) == 0 {
			continue
		}
		// So an id that the source has twice is noticed.
		c.seen[r.source] = &keySet{}
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
