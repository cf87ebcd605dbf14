package provision

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/profiles"
)

// Altered is an attribute of the target that did not keep what was written to it, although the write was answered with success. It is
// found by reading back: see [Policy.ReadBack].
type Altered struct {
	// Type is the source object type, Resource the target's.
	Type     string `json:"type"`
	Resource string `json:"resource"`
	// Attribute is the path of the target attribute.
	Attribute string `json:"attribute"`
	Effect    Effect `json:"effect"`
	// Objects counts the objects for which it was seen, and Intact those that did keep the attribute since the first of them.
	Objects int `json:"objects"`
	Intact  int `json:"intact,omitzero"`
	// First is when it was seen first, and SourceID one of the objects.
	First    time.Time `json:"first"`
	SourceID string    `json:"sourceId"`
}

// Effect is what became of a value that was written.
type Effect string

// Effects.
const (
	// Dropped: the target has no value.
	Dropped Effect = "dropped"
	// KeptOld: the target has the value from before the write.
	KeptOld Effect = "keptOld"
	// Changed: the target has another value than the one that was written.
	Changed Effect = "changed"
)

// effectTexts say what became of a value.
var effectTexts = map[Effect]string{
	Dropped: "was accepted and dropped", KeptOld: "was accepted, and the old value was kept", Changed: "was accepted and changed",
}

// String returns one line.
func (a Altered) String() string {
	return fmt.Sprintf("%s: what was written to %s %s", a.Type, a.Attribute, effectTexts[a.Effect])
}

// AlteredValue is what the target made of a value that was written to one object.
type AlteredValue struct {
	Attribute string `json:"attribute"`
	Sent      any    `json:"sent,omitempty"`
	Holds     any    `json:"holds,omitempty"`
}

const (
	// maxReadBack bounds how many objects a cycle reads back.
	maxReadBack = 1000
	// maxReadBackDrift bounds how many of them are those in which a drift was repaired.
	maxReadBackDrift = 200
)

// written is what was sent to one object.
type written struct {
	rule     *rule
	key      int64
	targetID string
	changes  []Change
}

// sample notes what was written to an object if it is to be read back: when one of the attributes was not sampled often enough yet. So
// attributes that few objects have are looked at too.
func (c *cycle) sample(r *rule, rec *Record, s step) {
	if c.plan != nil || s.after == nil || rec.TargetID == "" || len(c.readBacks) >= maxReadBack {
		return
	}
	// A repair is always looked at: if the target drops it again, it must not be repaired again.
	take := c.drifted[rec.Key]
	if c.policy.ReadBack <= 0 && !take {
		return
	}
	list := slices.DeleteFunc(changes(s.before, s.after, nil), func(ch Change) bool { return !r.readable(ch.Attribute) })
	for _, ch := range list {
		at := r.source + "\x00" + ch.Attribute
		if c.sampled[at] < c.policy.ReadBack {
			c.sampled[at]++
			take = true
		}
	}
	if take && len(list) > 0 {
		c.readBacks = append(c.readBacks, written{r, rec.Key, rec.TargetID, list})
	}
}

// readable reports whether an attribute can be seen again after it was written.
func (r *rule) readable(path string) bool {
	if strings.EqualFold(path, "password") {
		return false
	}
	if r.resource == nil {
		return true
	}
	a, ok := r.resource.Attribute(path)
	return !ok || a.Mutability != "writeOnly"
}

// readBack reads objects again that were written in this cycle, and notes which attributes did not keep what was written.
func (c *cycle) readBack(ctx context.Context) error {
	var found []Altered
	for _, w := range c.readBacks {
		c.reads.Add(1)
		doc, err := c.target.Get(ctx, w.rule.target, w.targetID)
		if err = c.checked(ctx, err); err != nil {
			if err := fatalOnly(err); err != nil {
				return err
			}
			continue
		}
		list, err := c.compareWritten(ctx, w, doc)
		if err != nil {
			return err
		}
		found = append(found, list...)
	}
	if len(found) == 0 {
		return nil
	}
	c.sum.Altered = found
	var texts []string
	for _, a := range found {
		texts = append(texts, a.String())
	}
	c.tell(NotifyAltered, "", strings.Join(texts, "; "), remedies[AttributeNotKept])
	return nil
}

// compareWritten compares one object with what was written to it. It returns what was not known before.
func (c *cycle) compareWritten(ctx context.Context, w written, doc scim.Document) ([]Altered, error) {
	records, err := c.state.Records(ctx, c.job.config.Name, []int64{w.key})
	if err != nil || len(records) == 0 {
		return nil, err
	}
	rec := &records[0]
	holds := map[string]any{}
	flatten(holds, "", map[string]any(project(doc, merge(w.rule.shape(rec.Want), rec.Want.Create))))
	var found []Altered
	failed := c.stillHasAccess(w, rec, doc)
	changed := failed
	for _, ch := range w.changes {
		now := holds[ch.Attribute]
		before := len(rec.Altered)
		rec.Altered = slices.DeleteFunc(rec.Altered, func(a AlteredValue) bool { return a.Attribute == ch.Attribute })
		changed = changed || len(rec.Altered) != before
		if hasValue(now, ch.New) || w.rule.sameKey(ch.Attribute, now, ch.New) {
			c.intact(w.rule, ch.Attribute)
			continue
		}
		if !failed {
			rec.Altered = append(rec.Altered, AlteredValue{ch.Attribute, ch.New, now})
		}
		changed = true
		effect := Changed
		switch {
		case equalValue(now, ch.Old):
			effect = KeptOld
			if empty(now) {
				effect = Dropped
			}
		case empty(now):
			effect = Dropped
		}
		if a, isNew := c.altered(w.rule, rec, ch.Attribute, effect); isNew {
			found = append(found, a)
			c.pending = append(c.pending, c.entry(w.rule, rec, step{action: "other", code: AttributeNotKept, reason: a.String()}, nil, nil))
		}
	}
	if !changed {
		return found, nil
	}
	return found, c.commit(ctx, &Commit{Put: []*Record{rec}})
}

// stillHasAccess makes it a failure when an account was disabled and is as before: that somebody who left is still in must not be a remark on an
// attribute. It is tried again, as it may only have been read too soon. A value that the target does not show says nothing.
func (c *cycle) stillHasAccess(w written, rec *Record, doc scim.Document) bool {
	ending := rec.ending(rec.Sent)
	if !rec.Flags.Has(Disabled) || rec.TargetID != w.targetID || len(ending) == 0 {
		return false
	}
	actual := project(doc, ending)
	wanted, holds := map[string]any{}, map[string]any{}
	flatten(wanted, "", map[string]any(ending))
	flatten(holds, "", map[string]any(actual))
	at := slices.IndexFunc(w.changes, func(ch Change) bool {
		want, ends := wanted[ch.Attribute]
		return ends && equalValue(want, ch.New) && !empty(holds[ch.Attribute]) && equalValue(holds[ch.Attribute], ch.Old)
	})
	if at < 0 {
		return false
	}
	rec.Sent = merge(rec.Sent, actual)
	rec.Flags = rec.Flags.With(Disabled, false).With(Dirty, true)
	if rec.blocked() {
		c.wake(w.rule, rec)
		return true
	}
	c.fail(w.rule, rec, &Failure{
		Code: AttributeNotKept, Attribute: w.changes[at].Attribute, Transient: true,
		Reason: "the target answered with success, and the account is enabled as before",
		Remedy: "end the access in the target by hand, and see why it does not do so when it is told to; it is tried again",
	})
	return true
}

// hasValue reports whether what a target holds is what was written. Sub-attributes and elements that the target adds are its own affair,
// and so is how it writes a time.
func hasValue(holds, sent any) bool {
	if equalValue(holds, sent) {
		return true
	}
	switch sent := sent.(type) {
	case []any:
		list, ok := holds.([]any)
		return ok && !slices.ContainsFunc(sent, func(want any) bool {
			return !slices.ContainsFunc(list, func(have any) bool { return hasValue(have, want) })
		})
	case map[string]any:
		object, ok := holds.(map[string]any)
		for name, v := range sent {
			ok = ok && hasValue(field(object, name), v)
		}
		return ok
	case string:
		have, ok := holds.(string)
		if !ok {
			return false
		}
		t, err := time.Parse(time.RFC3339Nano, sent)
		u, err2 := time.Parse(time.RFC3339Nano, have)
		return err == nil && err2 == nil && t.Equal(u)
	}
	return false
}

// sameKey reports whether two matching values are the same to a target that does not tell case.
func (r *rule) sameKey(path string, a, b any) bool {
	s, ok1 := a.(string)
	t, ok2 := b.(string)
	return ok1 && ok2 && r.folded[path] && strings.EqualFold(s, t)
}

func (c *cycle) intact(r *rule, attribute string) {
	for i := range c.js.Altered {
		if a := &c.js.Altered[i]; a.Type == r.source && a.Attribute == attribute {
			a.Intact++
		}
	}
}

// altered remembers that an attribute did not keep its value, and reports whether that is new.
func (c *cycle) altered(r *rule, rec *Record, attribute string, effect Effect) (Altered, bool) {
	for i := range c.js.Altered {
		if a := &c.js.Altered[i]; a.Type == r.source && a.Attribute == attribute && a.Effect == effect {
			a.Objects++
			return *a, false
		}
	}
	a := Altered{
		Type: r.source, Resource: r.target, Attribute: attribute, Effect: effect, Objects: 1, First: c.job.now(), SourceID: rec.SourceID,
	}
	c.js.Altered = append(c.js.Altered, a)
	return a, true
}

// drifts returns how a target object differs from what it is known to hold, leaving aside what the target is known to make of it.
func (c *cycle) drifts(r *rule, rec *Record, actual, sent scim.Document) []Change {
	return slices.DeleteFunc(changes(sent, actual, nil), func(ch Change) bool {
		for _, a := range rec.Altered {
			if a.Attribute == ch.Attribute && equalValue(a.Holds, ch.New) && equalValue(a.Sent, ch.Old) {
				return true
			}
		}
		return slices.ContainsFunc(c.js.Altered, func(a Altered) bool {
			return a.Effect == Dropped && a.Intact == 0 && a.Type == r.source && a.Attribute == ch.Attribute && empty(ch.New)
		})
	})
}

// keepsAfterAll forgets what the target was seen to make of values that it has as they were sent, because it was read back too soon, say. It
// reports whether there was any. What is changed there from now on is a drift again.
func (c *cycle) keepsAfterAll(r *rule, rec *Record, actual scim.Document) bool {
	if len(rec.Altered) == 0 {
		return false
	}
	holds, before := map[string]any{}, len(rec.Altered)
	flatten(holds, "", map[string]any(actual))
	rec.Altered = slices.DeleteFunc(rec.Altered, func(a AlteredValue) bool {
		kept := hasValue(holds[a.Attribute], a.Sent)
		if kept {
			c.intact(r, a.Attribute)
		}
		return kept
	})
	return len(rec.Altered) < before
}

// AmendProfile returns a copy of a profile in which what was found by reading back is written down: an attribute that is dropped is
// no longer among those that the service keeps, so that mappings that use it are warned of and the client leaves it out of updates;
// one that keeps its old value becomes immutable; one that changes values has a note. Facts say that this was observed, where and when.
//
// It returns what it could not write down besides: attributes of a type of which the profile lists none, because a list with one
// entry would say that the service has no others, single elements of a list, and attributes that some objects did keep.
func AmendProfile(p *profiles.Profile, found []Altered) (amended *profiles.Profile, left []Altered, err error) {
	data, err := p.Encode()
	if err != nil {
		return nil, nil, fmt.Errorf("provision: amend profile: %w", err)
	}
	if amended, err = profiles.Decode(data); err != nil {
		return nil, nil, fmt.Errorf("provision: amend profile: %w", err)
	}
	for _, a := range found {
		if !amend(amended, a) {
			left = append(left, a)
		}
	}
	if err := amended.Validate(); err != nil {
		return nil, nil, fmt.Errorf("provision: amend profile: %w", err)
	}
	return amended, left, nil
}

// amend writes one observation down, and reports whether it could.
func amend(p *profiles.Profile, a Altered) bool {
	r, ok := p.Resource(a.Resource)
	if !ok || a.Intact > 0 || strings.Contains(a.Attribute, "[") {
		return false
	}
	i := slices.IndexFunc(r.Attributes, func(known profiles.Attribute) bool { return strings.EqualFold(known.Path, a.Attribute) })
	if i < 0 && a.Effect == Dropped && len(r.Attributes) > 0 {
		// It says so already.
		return true
	}
	if i < 0 || r.Attributes[i].Required && a.Effect == Dropped {
		return false
	}
	seen := fmt.Sprintf("%s, seen by reading back on %s", effectTexts[a.Effect], a.First.Format(time.DateOnly))
	list := "/resources/" + pointer(r.Name) + "/attributes"
	whole := list + "/" + pointer(r.Attributes[i].Path)
	if p.Facts == nil {
		p.Facts = map[string]profiles.Fact{}
	}
	fact := profiles.Fact{Basis: profiles.Observed, Source: "read back after writing", Note: "What was written " + seen + "."}
	switch a.Effect {
	case Dropped:
		path := r.Attributes[i].Path
		r.Attributes = slices.Delete(r.Attributes, i, i+1)
		for at := range p.Facts {
			if at == whole || strings.HasPrefix(at, whole+"/") {
				delete(p.Facts, at)
			}
		}
		// The others are known from where they were known before.
		fact, _ = p.Fact(list)
		if fact.Basis == "" {
			fact.Basis = profiles.Inferred
		}
		fact.Note = strings.TrimSpace(fact.Note + " What was written to " + path + " " + seen + ".")
		p.Facts[list] = fact
	case KeptOld:
		r.Attributes[i].Mutability = "immutable"
		p.Facts[whole+"/mutability"] = fact
	default:
		r.Attributes[i].Note = strings.TrimSpace(r.Attributes[i].Note + " What is written may be kept otherwise.")
		p.Facts[whole+"/note"] = fact
	}
	return true
}

// pointer escapes a step of a path to a fact (RFC 6901).
func pointer(step string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(step) }
