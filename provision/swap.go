package provision

import (
	"context"
	"fmt"

	"github.com/scimbridge/scim"
)

// Values such as userName are unique in most targets. Somebody who is to have the value of somebody else can have it when that one has given it
// up: so who gives up comes before who waits. Where some wait for each other in a ring, nobody can go first, unless one of them is parked.

// queue are objects that were refused a value because it is taken, in the order in which they can have it.
type queue struct {
	r       *rule
	ordered []*Record
	// holders are the objects that hold values, by matching key.
	holders map[string]*Record
	seen    map[*Record]int
	// blocked are objects that wait, around a ring, for one who waits for them: what they wait for, and who has it.
	blocked map[*Record]blocked
}

type blocked struct {
	holder *Record
	// place is which matching attribute it is.
	place int
}

// Stages of an object that is put into a queue.
const (
	queueing = iota + 1
	queued
)

func (c *cycle) queue(ctx context.Context, r *rule, records []*Record) (*queue, error) {
	q := &queue{r: r, holders: map[string]*Record{}, seen: map[*Record]int{}, blocked: map[*Record]blocked{}}
	byTarget := map[string]*Record{}
	doubts := false
	for _, rec := range records {
		if rec.TargetID == "" {
			continue
		}
		byTarget[rec.TargetID] = rec
		doubts = doubts || rec.Flags.Has(Unsure)
		for i, path := range r.m.MatchingAttributes() {
			for _, v := range r.matching[i].values(rec.Sent) {
				q.holders[r.matchKey(path, v)] = rec
			}
		}
	}
	if doubts {
		if err := c.askHolders(ctx, q, records, byTarget); err != nil {
			return nil, err
		}
	}
	for _, rec := range records {
		q.put(rec)
	}
	return q, nil
}

// askHolders asks the target who holds what others wait for, as that is not known of all.
func (c *cycle) askHolders(ctx context.Context, q *queue, records []*Record, byTarget map[string]*Record) error {
	for _, rec := range records {
		for _, m := range rec.Want.Match {
			found, err := c.lookUp(ctx, q.r, []MatchValue{m})
			switch {
			case err != nil:
				if res := c.failed(err); res.fatal != nil {
					return res.fatal
				}
			case found == nil:
			case len(found.Documents) == 1:
				q.holders[q.r.matchKey(m.Attribute, m.Value)] = byTarget[found.Documents[0].ID()]
			}
		}
	}
	return nil
}

// put puts an object behind those whose values it waits for.
func (q *queue) put(rec *Record) {
	if q.seen[rec] != 0 {
		return
	}
	q.seen[rec] = queueing
	if rec.leaving() {
		// It is to have no other value.
		q.seen[rec] = queued
		q.ordered = append(q.ordered, rec)
		return
	}
	for i, path := range q.r.m.MatchingAttributes() {
		for _, v := range q.r.matching[i].values(rec.Want.Update) {
			holder := q.holders[q.r.matchKey(path, v)]
			if holder == nil || holder == rec {
				continue
			}
			if q.seen[holder] == queueing {
				q.blocked[rec] = blocked{holder, i}
				continue
			}
			q.put(holder)
		}
	}
	q.seen[rec] = queued
	q.ordered = append(q.ordered, rec)
}

// park gives one of a ring another value for a while, if the policy has one, so that the others can move on. It returns why it cannot.
func (c *cycle) park(ctx context.Context, r *rule, waiting *Record, b blocked) (*Failure, error) {
	path, holder := r.m.MatchingAttributes()[b.place], b.holder
	refused := &Failure{
		Code: EntryConflict, Attribute: path,
		Reason: fmt.Sprintf("the value is that of source object %s, which waits, by itself or through others, for the one of this object", holder.SourceID),
		Remedy: "rename one of them in the target, or let the job do so for a moment (Policy.Park)",
	}
	values := r.matching[b.place].values(holder.Sent)
	if c.policy.Park == nil || len(values) != 1 {
		return refused, nil
	}
	value, _ := values[0].(string)
	parked := holder.Sent.Clone()
	if r.matching[b.place].set(parked, c.policy.Park(path, value)); equalDocs(parked, holder.Sent) {
		return refused, nil
	}
	return c.move(ctx, r, holder, parked, fmt.Sprintf("parked, so that source object %s can have the value", waiting.SourceID))
}

// move gives one of a ring a value that it is not to keep, or the one from before.
func (c *cycle) move(ctx context.Context, r *rule, holder *Record, after scim.Document, reason string) (*Failure, error) {
	s := step{action: ActionUpdate, reason: reason, before: holder.Sent, after: after}
	wasUnsure := holder.Flags.Has(Unsure)
	holder.tries(after)
	if err := c.intend(ctx, holder); err != nil {
		return nil, err
	}
	if err := c.update(ctx, r, holder.TargetID, s.before, s.after); err != nil {
		res := c.failed(err)
		if res.failure != nil && !res.failure.Transient && !wasUnsure {
			holder.sure()
		}
		return res.failure, res.fatal
	}
	changed := difference(holder.Sent, after)
	holder.Sent = after
	holder.sureOf(changed)
	c.note(r, holder, s, 1, nil)
	return nil, nil
}

// repeat tries objects again, one by one: those who give values up before those who wait for them. What is still taken has failed.
func (c *cycle) repeat(ctx context.Context, r *rule, records []*Record) error {
	c.repeating = true
	defer func() { c.repeating = false }()
	q, err := c.queue(ctx, r, records)
	if err != nil {
		return err
	}
	for _, rec := range q.ordered {
		res := c.performQueued(ctx, r, rec, q)
		if res.fatal != nil {
			return res.fatal
		}
		res.again = false
		commit := &Commit{KeepMatching: true}
		c.settle(r, res, commit)
		if err := c.commit(ctx, commit); err != nil {
			return err
		}
	}
	return nil
}

// performQueued does what is to be done to one object, once nobody is in its way any more.
func (c *cycle) performQueued(ctx context.Context, r *rule, rec *Record, q *queue) result {
	b, ok := q.blocked[rec]
	if !ok {
		res := c.perform(ctx, r, rec)
		res.rec = rec
		return res
	}
	before := b.holder.Sent
	if failure, err := c.park(ctx, r, rec, b); failure != nil || err != nil {
		return result{rec: rec, failure: failure, fatal: err}
	}
	res := c.perform(ctx, r, rec)
	if res.rec = rec; res.failure == nil || res.fatal != nil {
		return res
	}
	// Nobody has moved up, and who was parked is not to stay so. Where the value is taken all the same, because only an answer was lost, the
	// target says so.
	reason := fmt.Sprintf("no longer parked, as source object %s cannot have the value", rec.SourceID)
	if _, err := c.move(ctx, r, b.holder, before, reason); err != nil {
		res.fatal = err
	}
	return res
}
