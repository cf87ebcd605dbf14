package provision

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/scimbridge/scim/mapping"
)

// Explanation says why an object is treated as it is.
type Explanation struct {
	Type     string `json:"type"`
	SourceID string `json:"sourceId"`
	// InSource says whether the source has the object.
	InSource bool `json:"inSource"`
	Assigned bool `json:"assigned"`
	Enabled  bool `json:"enabled"`
	// InScope says whether it is to be in the target, and Reason why not.
	InScope bool   `json:"inScope"`
	Reason  string `json:"reason,omitzero"`
	// Conditions are what the scoping filters ask, each with its answer.
	Conditions []mapping.Condition `json:"conditions,omitempty"`
	// Values say where the value of each attribute comes from.
	Values []Origin `json:"values,omitempty"`
	// TargetID is the link, if there is one, and Created whether the job made the target object itself.
	TargetID string `json:"targetId,omitzero"`
	Created  bool   `json:"created,omitzero"`
	// Matching are the values that a target object is looked for by, in their order.
	Matching []MatchValue `json:"matching,omitempty"`
	// Changes are the governed attributes: as the target is known to hold them, and as they should be.
	Changes []Change `json:"changes,omitempty"`
	// Next says what the next cycle would do, as far as can be said without asking the target.
	Next    Action `json:"next"`
	NextWhy string `json:"nextReason,omitzero"`
	// Failure is why it is not in step, and Due when it is tried again; zero when only a change in the source helps.
	Failure *Failure  `json:"failure,omitempty"`
	Due     time.Time `json:"due,omitzero"`
	// Held says that a deletion or deactivation is held back.
	Held bool `json:"held,omitzero"`
}

// String returns the explanation as lines of text.
func (e *Explanation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: ", e.Type, e.SourceID)
	switch {
	case !e.InSource:
		b.WriteString("not in the source")
	case e.InScope:
		b.WriteString("in scope")
	default:
		b.WriteString("out of scope: " + e.Reason)
	}
	b.WriteByte('\n')
	if e.InSource && !e.Enabled {
		b.WriteString("disabled in the source\n")
	}
	if e.TargetID != "" {
		how := "matched"
		if e.Created {
			how = "created"
		}
		fmt.Fprintf(&b, "linked to %s, which was %s\n", e.TargetID, how)
	}
	for _, c := range e.Conditions {
		answer := "no"
		if c.True {
			answer = "yes"
		}
		fmt.Fprintf(&b, "    scope: %s: %s\n", c.Text, answer)
	}
	for _, v := range e.Values {
		v.print(&b)
	}
	for _, m := range e.Matching {
		fmt.Fprintf(&b, "matched by %s = %s\n", m.Attribute, printValue(m.Value))
	}
	for _, c := range e.Changes {
		fmt.Fprintf(&b, "    %s: %s -> %s\n", c.Attribute, printValue(c.Old), printValue(c.New))
	}
	fmt.Fprintf(&b, "next: %s", e.Next)
	if e.NextWhy != "" {
		b.WriteString(": " + e.NextWhy)
	}
	b.WriteByte('\n')
	if e.Failure != nil {
		fmt.Fprintf(&b, "failed %d times: %s\n", e.Failure.Tries, e.Failure.Error())
	}
	return b.String()
}

// Explain says for one object, without any request to the target and without changing anything, why it is in scope or not, how it is
// matched, what it should become and what would happen next. It returns [ErrNoSuchObject] when nothing is known of it.
func (j *Job) Explain(ctx context.Context, objectType, id string) (*Explanation, error) {
	r := j.rule(objectType)
	if r == nil {
		return nil, fmt.Errorf("provision: no mapping for %s objects", objectType)
	}
	entries, err := j.config.Source.Lookup(ctx, objectType, []string{id})
	if err != nil {
		return nil, &SourceFault{Type: objectType, Err: err}
	}
	heads, err := j.config.State.Heads(ctx, j.config.Name, objectType, []string{id})
	if err != nil {
		return nil, err
	}
	rec := &Record{Head: Head{SourceID: id}, Type: objectType}
	if len(heads) > 0 {
		records, err := j.config.State.Records(ctx, j.config.Name, []int64{heads[0].Key})
		if err != nil {
			return nil, err
		}
		if len(records) > 0 {
			rec = &records[0]
		}
	}
	if len(entries) == 0 && rec.Key == 0 {
		return nil, fmt.Errorf("%w: %s %s", ErrNoSuchObject, objectType, id)
	}
	return j.explain(ctx, r, rec, entries)
}

func (j *Job) explain(ctx context.Context, r *rule, rec *Record, entries []Entry) (*Explanation, error) {
	x := &Explanation{
		Type: r.source, SourceID: rec.SourceID, InSource: len(entries) > 0, TargetID: rec.TargetID, Created: rec.Flags.Has(Created),
		Failure: rec.Failure, Held: rec.Flags.Has(Held), Assigned: true, Enabled: true,
	}
	c := j.newCycle(j.config.State, j.config.Target)
	// What would be noted is not kept.
	c.plan = &Plan{}
	c.uniques.offline = true
	unchanged, due, gaveUp := false, rec.Due, rec.Flags.Has(GivenUp)
	if gaveUp {
		due = time.Time{}
	}
	if len(entries) == 0 {
		if rec.Flags.Has(Present) {
			rec.vanish()
		}
	} else {
		var err error
		if j.config.Assigned != nil {
			if x.Assigned, err = j.config.Assigned(ctx, r.source, entries[0]); err != nil {
				return nil, &SourceFault{Type: r.source, Err: err}
			}
		}
		duplicate := rec.Failure
		c.origins(ctx, r, rec, entries[0], x)
		unchanged = r.digest(entries[0], x.Assigned) == rec.Digest
		o := r.evaluate(ctx, entries[0], x.Assigned, rec.TargetID != "", j.config.Policy.enabledAttribute(), c.env(r, rec))
		x.Enabled = isEnabled(entries[0].Attributes[j.config.Policy.enabledAttribute()])
		x.Reason = o.scope.Reason
		wasDuplicate := rec.Flags.Has(Duplicate)
		rec.Flags = rec.Flags.With(Present, true).With(HardDeleted, false)
		rec.reset()
		c.settleRead(r, rec, entries[0], o)
		if err := c.flattenAlone(ctx, r, rec); err != nil {
			return nil, err
		}
		if wasDuplicate {
			rec.Failure, rec.Flags = duplicate, rec.Flags|Duplicate
		}
	}
	x.InScope = x.InSource && rec.Flags.Has(InScope)
	x.Matching = redactMatching(rec.Want)
	s := c.decide(r, rec)
	if rec.blocked() && rec.Failure != nil && s.action != ActionDisable && s.action != ActionDelete {
		s = step{action: ActionFail, code: rec.Failure.Code, reason: rec.Failure.Reason}
	}
	before := x.Failure
	if x.Failure = rec.Failure; before != nil && rec.Failure == nil && unchanged {
		x.Failure, x.Due = before, due
	}
	x.Changes = changes(s.before, s.after, rec.Want.Redacted)
	x.Next, x.NextWhy = s.action, s.reason
	switch {
	case s.action == ActionCreate:
		x.NextWhy = "it is looked for in the target by its matching values, and created when it is not there; " + j.config.Policy.adoption()
	case s.code == RedundantExport && needsReferences(rec):
		x.Next, x.NextWhy = ActionUpdate, "its references have changed"
	case s.code == RedundantExport:
		x.NextWhy = "it is in step"
	case x.Held && (s.action == ActionDisable || s.action == ActionDelete):
		x.Next = ActionStagedDelete
	}
	if !x.Due.IsZero() {
		x.NextWhy = strings.TrimPrefix(x.NextWhy+"; it failed, and is tried again at "+x.Due.Format(time.RFC3339), "; ")
	} else if x.Failure != nil && x.Failure == before && gaveUp {
		x.NextWhy = strings.TrimPrefix(x.NextWhy+"; it failed, and is not tried again before it changes in the source", "; ")
	}
	return x, nil
}

func redactMatching(w Want) []MatchValue {
	list := make([]MatchValue, 0, len(w.Match))
	for _, m := range w.Match {
		if isRedacted(m.Attribute, w.Redacted) {
			m.Value = Redacted
		}
		list = append(list, m)
	}
	return list
}
