package provision

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles"
)

// result is what came of one object.
type result struct {
	rec  *Record
	step step
	// failure is why the object failed, fatal why the cycle must end.
	failure *Failure
	fatal   error
	// again asks to try once more when all others are done: the value is taken, and may be free by then.
	again bool
	// quiet says that nothing happened that is worth noting.
	quiet         bool
	writes        int
	added         int
	removed       int
	took          time.Duration
	keepScheduled bool
	// deferred says that a deactivation was left for later.
	deferred bool
	// refusal says that the target answered, and that the answer is about this change.
	refusal bool
	// ended is the end of access that took place although the rest of the change was refused.
	ended *step
}

// export creates, updates, disables and deletes the objects of a type that are due.
func (c *cycle) export(ctx context.Context, r *rule) error {
	q := Query{Type: r.source, Dirty: true, DueBefore: c.began}
	again, err := c.pool(ctx, r, PhaseExport, q, nil, c.perform)
	if err != nil || len(again) == 0 {
		return err
	}
	// What was refused because a value is taken is tried once more: the one who had it may have given it up by now, and the list
	// shows who has it in another spelling.
	if !c.listed[r.source] && slices.ContainsFunc(again, func(rec *Record) bool { return rec.TargetID == "" && c.mayMiss(r, rec) }) {
		if err := c.list(ctx, r, len(again)*c.pageSize()+1_000_000); err != nil {
			return err
		}
		if err := c.findAgain(ctx, again); err != nil {
			return err
		}
	}
	return c.repeat(ctx, r, again)
}

func (c *cycle) mayMiss(r *rule, rec *Record) bool {
	return slices.ContainsFunc(rec.Want.Match, func(m MatchValue) bool { return r.missesCase(m.Attribute) })
}

// pool works on all records of a query, several at a time, and records the results as they come. It returns those to be tried again.
func (c *cycle) pool(
	ctx context.Context, r *rule, phase Phase, q Query, done *keySet, perform func(context.Context, *rule, *Record) result,
) ([]*Record, error) {
	total, err := c.state.Count(ctx, c.job.config.Name, q)
	if err != nil || total == 0 {
		return nil, err
	}
	if !c.tested && c.plan == nil {
		// A target that cannot be used is noticed once, and not with every object.
		c.reads.Add(1)
		if err := c.target.TestConnection(ctx); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, unusable(err)
		}
		c.tested = true
	}
	// The context ends the workers when the cycle must end.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work := make(chan *Record)
	results := make(chan result, 2*c.job.config.Concurrency)
	var workers sync.WaitGroup
	for range c.job.config.Concurrency {
		workers.Go(func() {
			for rec := range work {
				begin := c.job.now()
				res := perform(ctx, r, rec)
				res.rec, res.took = rec, c.job.now().Sub(begin)
				results <- res
			}
		})
	}
	produced := make(chan error, 1)
	go func() {
		produced <- c.produce(ctx, q, done, work)
		close(work)
		workers.Wait()
		close(results)
	}()
	again, err := c.collect(ctx, r, phase, total, results, cancel)
	if produceErr := <-produced; err == nil && produceErr != nil {
		err = produceErr
	}
	return again, err
}

// produce hands out the records of a query.
func (c *cycle) produce(ctx context.Context, q Query, done *keySet, work chan<- *Record) error {
	return c.each(ctx, q, func(rec *Record) error {
		if c.skips(rec) || done != nil && done.add(rec.Key) {
			return nil
		}
		select {
		case work <- rec:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

// collectBatch is how many results are recorded in one transaction at most. When the target is slow there is one at a time.
const collectBatch = 256

func (c *cycle) collect(ctx context.Context, r *rule, phase Phase, total int, results <-chan result, cancel func()) (again []*Record, err error) {
	finished := 0
	commit := &Commit{KeepMatching: true}
	flush := func() {
		// What was done is recorded even when the cycle must end.
		if commitErr := c.commit(context.WithoutCancel(ctx), commit); commitErr != nil && err == nil {
			err = commitErr
			cancel()
		}
		c.unclaim(commit.Put)
		commit = &Commit{KeepMatching: true}
		c.progress(phase, r.source, finished, total)
	}
	for res := range results {
		finished++
		switch {
		case res.fatal != nil:
			if err == nil || errors.Is(err, context.Canceled) {
				err = res.fatal
			}
			cancel()
		case res.again:
			c.noteEnded(r, res)
			again = append(again, res.rec)
		default:
			c.settle(r, res, commit)
		}
		if len(results) == 0 || len(commit.Put)+len(commit.Forget) >= collectBatch {
			flush()
		}
	}
	flush()
	return again, err
}

// settle records what came of an object.
func (c *cycle) settle(r *rule, res result, commit *Commit) {
	rec := res.rec
	rec.Found = nil
	t := c.types[r.source]
	t.MembersAdded += res.added
	t.MembersRemoved += res.removed
	if res.deferred {
		if c.deferred == nil {
			c.deferred = &keySet{}
		}
		c.deferred.add(rec.Key)
	}
	c.noteEnded(r, res)
	ends := res.step.action == ActionDisable || res.step.action == ActionDelete
	if ends && res.failure == nil && res.writes > 0 && !rec.Flags.Has(Released) {
		c.ended++
	}
	if ends && res.failure == nil {
		// What was allowed is done. What comes after that is another matter.
		rec.Flags &^= Released
	}
	switch {
	case res.failure != nil:
		c.fail(r, rec, res.failure)
	default:
		if !res.keepScheduled {
			c.settled(r, rec)
		}
		if !res.quiet {
			c.noteResult(r, res)
		}
		if res.writes > 0 {
			c.sample(r, rec, res.step)
		}
	}
	c.put(commit, rec)
}

// noteEnded notes that access was ended, whatever became of the rest.
func (c *cycle) noteEnded(r *rule, res result) {
	if res.ended == nil {
		return
	}
	if !res.rec.Flags.Has(Released) {
		c.ended++
	}
	res.rec.Flags &^= Released
	c.note(r, res.rec, *res.ended, 1, &res.took)
	c.sample(r, res.rec, *res.ended)
}

// finished reports whether nothing is left of an object, neither in the source nor in the target.
func (rec *Record) finished() bool {
	return rec.TargetID == "" && rec.Flags&(Present|Creating) == 0 && rec.Failure == nil
}

// forgettable reports whether nothing is left of an object, and no reference to it is believed to have been sent.
func (j *Job) forgettable(rec *Record) bool {
	return rec.finished() && (!rec.Flags.Has(Rejoin) || !j.refers())
}

// put records an object, or forgets it when that can be done.
func (c *cycle) put(commit *Commit, rec *Record) {
	if c.job.forgettable(rec) {
		commit.Forget = append(commit.Forget, rec.Key)
		return
	}
	commit.Put = append(commit.Put, rec)
}

// refers reports whether any mapping has references.
func (j *Job) refers() bool {
	return slices.ContainsFunc(j.rules, func(r *rule) bool { return r.refs })
}

func (c *cycle) noteResult(r *rule, res result) {
	took := res.took
	c.note(r, res.rec, res.step, res.writes, &took)
	if c.plan != nil && res.added+res.removed > 0 {
		op := &c.plan.Operations[len(c.plan.Operations)-1]
		op.AddMembers, op.RemoveMembers = res.added, res.removed
	}
}

// settled works out what is still to be done for an object of which something was done.
func (c *cycle) settled(r *rule, rec *Record) {
	rec.succeeded()
	if !rec.leaving() {
		rec.Flags = rec.Flags.With(Dirty, rec.TargetID != "" && needsReferences(rec))
		return
	}
	if c.deletedLater(r, rec) {
		rec.Flags |= Dirty
		rec.Due = rec.Left.Add(c.policy.DeleteAfter)
	}
}

// perform does what is to be done to one object. It runs in several goroutines.
func (c *cycle) perform(ctx context.Context, r *rule, rec *Record) result {
	if rec.blocked() {
		return c.performBlocked(ctx, r, rec)
	}
	if rec.TargetID == "" && rec.Flags.Has(Creating) {
		// It could not be found out yet what became of it.
		return result{rec: rec, quiet: true, keepScheduled: true}
	}
	s := c.decide(r, rec)
	if rec.Flags.Has(Held) && (s.action == ActionDisable || s.action == ActionDelete) {
		return result{rec: rec, quiet: true, keepScheduled: true}
	}
	res := c.do(ctx, r, rec, s)
	res.rec = rec
	return res
}

func (c *cycle) do(ctx context.Context, r *rule, rec *Record, s step) result {
	switch s.action {
	case ActionFail:
		return result{failure: &Failure{Code: s.code, Reason: s.reason}}
	case ActionCreate:
		return c.provision(ctx, r, rec, s)
	case ActionUpdate, ActionDisable:
		return c.change(ctx, r, rec, s)
	case ActionDelete:
		return c.remove(ctx, r, rec, s)
	}
	c.noteRedundant(r, rec, s)
	return result{step: s, quiet: s.code == RedundantExport}
}

// noteRedundant remembers that an object is disabled, or enabled, where somebody else saw to it before the job could.
func (c *cycle) noteRedundant(r *rule, rec *Record, s step) {
	if s.code == RedundantExport && rec.TargetID != "" && (r.softDelete || rec.Flags.Has(Disabled) != isOff(rec.Sent)) {
		c.noteState(r, rec, s, false)
	}
}

// failed turns an error into a result.
func (c *cycle) failed(err error) result {
	if fatal(err) {
		return result{fatal: err}
	}
	var e *scim.Error
	var f *Failure
	if !errors.As(err, &e) && !errors.As(err, &f) && !errors.Is(err, context.DeadlineExceeded) {
		// The state store, not the target.
		return result{fatal: err}
	}
	return result{failure: failureOf(err)}
}

// provision links an object without link to a target object that matches, or creates one.
func (c *cycle) provision(ctx context.Context, r *rule, rec *Record, s step) result {
	found, err := c.candidates(ctx, r, rec)
	if err != nil {
		return c.failed(err)
	}
	if found != nil {
		return c.link(ctx, r, rec, found)
	}
	if rec.Flags.Has(SoftDeleted) {
		return result{step: step{action: ActionSkip, code: EntrySynchronizationSkipped, reason: "disabled in the source, and not in the target"}}
	}
	return c.add(ctx, r, rec, s)
}

// link takes a target object over, and brings it into step.
func (c *cycle) link(ctx context.Context, r *rule, rec *Record, found *Found) result {
	doc, left, err := c.accept(ctx, r, rec, found)
	if errors.Is(err, errLeft) {
		return result{again: true}
	}
	if err != nil {
		var f *Failure
		if errors.As(err, &f) && f.Code == EntrySynchronizationSkipped {
			return result{step: step{action: ActionSkip, code: f.Code, reason: f.Reason}}
		}
		res := c.failed(err)
		res.again = res.failure != nil && res.failure.Code == DuplicateSourceEntries
		return res
	}
	if err := c.adopt(ctx, r, rec, doc); err != nil {
		return c.failed(err)
	}
	if left != nil {
		// Both at once: the target object is always linked to one of the two.
		// An account that was disabled may have been dropped from its groups, and is to have its memberships again.
		rec.Flags = rec.Flags.With(Created, left.Flags.Has(Created)).With(Disabled, left.Flags.Has(Disabled))
		rec.Left = left.Left
		concerned, err := c.inherit(ctx, left, rec)
		if err != nil {
			return result{fatal: err}
		}
		if err := c.state.Commit(ctx, c.job.config.Name, &Commit{Put: append(concerned, rec), Forget: []int64{left.Key}}); err != nil {
			return result{fatal: err}
		}
	}
	s := c.decide(r, rec)
	if s.action == ActionSkip {
		c.noteRedundant(r, rec, s)
		return result{step: step{action: ActionLink, reason: "matches target object " + doc.ID()}}
	}
	if s.action == ActionDisable || s.action == ActionDelete {
		return c.deferEnd(rec)
	}
	res := c.change(ctx, r, rec, s)
	if res.failure == nil && res.step.reason == "" {
		res.step.reason = "matches target object " + doc.ID()
	}
	return res
}

// add creates a target object.
func (c *cycle) add(ctx context.Context, r *rule, rec *Record, s step) result {
	if rec.Gone && c.policy.Gone == GoneReport {
		return result{failure: &Failure{
			Code: InvalidAnchor, Reason: "the linked object was deleted in the target, and the policy is to leave it so",
			Remedy: "restart with Escrows to have it created again, or take the object out of the scope",
		}}
	}
	if path := r.missing(s.after); path != "" {
		return result{failure: &Failure{Code: MandatoryFieldsMissing, Attribute: path, Reason: "the target requires a value, and the mapping gives none"}}
	}
	if !r.offers(profiles.Create) {
		return result{failure: &Failure{Code: NotImplemented, Reason: "the target does not offer to create " + r.target + " objects"}}
	}
	doc := s.after.Clone()
	members, err := c.membersOnCreate(ctx, r, rec, doc)
	if err != nil {
		return result{fatal: err}
	}
	// If the process dies after this, the object that is found then is known to be our own.
	rec.Flags |= Creating
	rec.Intent = rec.Want.Match
	setIDs(&rec.UnsureRefs, r.members, members)
	if err := c.intend(ctx, rec); err != nil {
		return result{fatal: err}
	}
	made, err := c.create(ctx, r, doc)
	if err != nil && len(members) > 0 && refusesContent(err) {
		// One member that the target does not take must not keep the group from being made.
		delete(doc, "members")
		members = nil
		made, err = c.create(ctx, r, doc)
	}
	if err == nil && made.ID() == "" {
		err = &Failure{Code: ServiceIncompatible, Reason: "the target created an object and did not say with which id"}
	}
	if err != nil {
		return c.addFailed(ctx, r, rec, err)
	}
	c.claim(r, made.ID(), rec.SourceID)
	rec.linkTo(made.ID(), project(s.after, r.shape(rec.Want)))
	rec.Flags = rec.Flags.With(Created, true)
	if isOff(rec.Sent) {
		// The mapping has it begin so.
		rec.Flags, rec.Left = rec.Flags|Disabled, c.began
	}
	rec.created()
	setIDs(&rec.UnsureRefs, r.members, nil)
	setIDs(&rec.SentRefs, r.members, members)
	return result{step: s, writes: 1, added: len(members)}
}

// refusesContent reports whether an error is about what was sent, not about the target or a conflict.
func refusesContent(err error) bool {
	var e *scim.Error
	return errors.As(err, &e) && (e.Status == 400 || e.Status == 404 || e.Status == 422) && e.Type != scim.Uniqueness
}

// addFailed finds out what became of a create that was not answered with success.
func (c *cycle) addFailed(ctx context.Context, r *rule, rec *Record, err error) result {
	if fatal(err) {
		return result{fatal: err}
	}
	f := failureOf(err)
	if !f.Transient {
		// It was refused, so what is found now is somebody else's.
		rec.created()
		setIDs(&rec.UnsureRefs, r.members, nil)
	}
	if f.Code != EntryConflict && !f.Transient {
		return c.failed(err)
	}
	found, lookErr := c.lookUp(ctx, r, rec.Want.Match)
	if lookErr != nil && fatal(lookErr) {
		return result{fatal: lookErr}
	}
	if lookErr == nil && found != nil {
		return c.link(ctx, r, rec, found)
	}
	if f.Code == EntryConflict && !c.listed[r.source] && c.mayMiss(r, rec) {
		return result{again: true, failure: f}
	}
	return result{failure: f}
}

// change updates or disables a target object.
func (c *cycle) change(ctx context.Context, r *rule, rec *Record, s step) result {
	res := c.changeAll(ctx, r, rec, s)
	if s.action != ActionDisable || res.failure == nil || rec.Flags.Has(Disabled) || rec.TargetID == "" || rec.leaving() {
		return res
	}
	return c.endOnly(ctx, r, rec, s, res)
}

// endOnly ends the access of somebody who is disabled when the target refuses something else that is to change with it, such as a user name
// that is taken: what is in doubt is not whether access is to end. The refusal stays a failure.
func (c *cycle) endOnly(ctx context.Context, r *rule, rec *Record, s step, refused result) result {
	ending := rec.ending(s.after)
	after := merge(rec.Sent, ending)
	if !refused.refusal || len(ending) == 0 || len(difference(after, s.after))+len(difference(s.after, after)) == 0 {
		return refused
	}
	only := step{action: ActionDisable, reason: s.reason + "; the target refuses what else is to change", before: rec.knownOf(ending, after), after: after}
	wasUnsure := rec.Flags.Has(Unsure)
	rec.tries(after)
	if err := c.intend(ctx, rec); err != nil {
		return result{fatal: err}
	}
	refused.writes++
	if err := c.update(ctx, r, rec.TargetID, only.before, only.after); err != nil {
		if fatal(err) {
			return result{fatal: err}
		}
		// That it is not known what came of this is in the record, and the change as a whole is tried again.
		return refused
	}
	rec.Sent = after
	c.noteState(r, rec, only, wasUnsure)
	rec.sureOf(ending)
	refused.ended = &only
	return refused
}

// changeAll updates or disables a target object in one request.
func (c *cycle) changeAll(ctx context.Context, r *rule, rec *Record, s step) result {
	wasUnsure := rec.Flags.Has(Unsure)
	rec.tries(s.after)
	if err := c.intend(ctx, rec); err != nil {
		return result{fatal: err}
	}
	err := c.update(ctx, r, rec.TargetID, s.before, s.after)
	switch {
	case errors.Is(err, scim.ErrNotFound):
		return c.vanished(ctx, r, rec, s)
	case errors.Is(err, scim.ErrConflict) || errors.Is(err, scim.ErrUniqueness):
		if !wasUnsure {
			rec.sure()
		}
		return result{failure: failureOf(err), again: true, writes: 1, refusal: true}
	case err != nil:
		res := c.failed(err)
		res.writes, res.refusal = 1, answers(err)
		if !wasUnsure && res.failure != nil && !res.failure.Transient {
			// It was refused, so nothing has changed.
			rec.sure()
		}
		return res
	}
	rec.Sent = s.after
	c.noteState(r, rec, s, wasUnsure)
	if rec.leaving() {
		rec.sureOf(rec.Want.Disable)
	} else {
		rec.sure()
	}
	return result{step: s, writes: 1}
}

// answers reports whether a target answered with an error that may be about what was sent. Some say so with a status for faults of their own.
func answers(err error) bool {
	var e *scim.Error
	if !errors.As(err, &e) || errors.Is(err, client.ErrQuotaExhausted) {
		return false
	}
	switch e.Status {
	case 0, 401, 404, 408, 429, 502, 503, 504:
		return false
	}
	return true
}

// noteState remembers whether the target object is disabled now.
func (c *cycle) noteState(r *rule, rec *Record, s step, wasUnsure bool) {
	was := rec.Flags.Has(Disabled)
	now := s.action == ActionDisable || rec.leaving() || r.softDelete && rec.Flags.Has(SoftDeleted) || isOff(rec.Sent)
	rec.Flags = rec.Flags.With(Disabled, now)
	switch {
	case now && !was:
		rec.Left = c.began
	case (was || wasUnsure) && !now:
		// Many targets drop the memberships of a disabled account.
		rec.Flags |= Rejoin
		rec.Left = time.Time{}
	}
}

// vanished deals with a linked target object that is gone. An object that should not be there is as it should be; one that should
// is matched or made again.
func (c *cycle) vanished(ctx context.Context, r *rule, rec *Record, s step) result {
	if res := c.stillThere(ctx, r, rec); res != nil {
		return *res
	}
	// The target may go on finding it for a while.
	c.noteRemoved(r, rec.TargetID)
	rec.lost()
	if rec.leaving() || rec.Flags.Has(SoftDeleted) {
		return result{step: step{action: s.action, reason: "it was gone from the target already"}, writes: 1}
	}
	next := c.decide(r, rec)
	if next.action != ActionCreate {
		return result{step: next}
	}
	found, err := c.lookUp(ctx, r, rec.Want.Match)
	if err != nil {
		return c.failed(err)
	}
	var res result
	if found != nil {
		res = c.link(ctx, r, rec, found)
	} else {
		res = c.add(ctx, r, rec, next)
	}
	if res.failure == nil {
		res.step.code, res.step.reason = InvalidAnchor, "the linked object was gone from the target; it was matched or made again"
	}
	return res
}

// stillThere asks whether an object is really gone of which a change was answered with 404: a link that is given up for a mistake leaves an
// account that nobody switches off any more. It returns nil when it is gone.
func (c *cycle) stillThere(ctx context.Context, r *rule, rec *Record) *result {
	c.reads.Add(1)
	_, err := c.target.Get(ctx, r.target, rec.TargetID)
	switch err = c.checked(ctx, err); {
	case errors.Is(err, scim.ErrNotFound):
		return nil
	case err != nil && fatal(err):
		return &result{fatal: err}
	}
	return &result{writes: 1, failure: &Failure{
		Code: InvalidAnchor, Transient: true, Reason: "the target answered that the object does not exist, and does not say so when it is asked for it",
		Remedy: "nothing: it is tried again",
	}}
}

// remove deletes a target object.
func (c *cycle) remove(ctx context.Context, r *rule, rec *Record, s step) result {
	rec.tries(scim.Document{})
	if err := c.intend(ctx, rec); err != nil {
		return result{fatal: err}
	}
	err := c.delete(ctx, r, rec.TargetID)
	switch {
	case errors.Is(err, scim.ErrNotFound):
		if res := c.stillThere(ctx, r, rec); res != nil {
			return *res
		}
		fallthrough
	case err == nil:
		c.noteRemoved(r, rec.TargetID)
		rec.unlink()
		return result{step: s, writes: 1}
	case (errors.Is(err, scim.ErrNotImplemented) || statusIs(err, 405)) && len(rec.Want.Disable) > 0 && !rec.Flags.Has(Disabled):
		res := c.change(ctx, r, rec, step{
			action: ActionDisable, reason: s.reason + "; the target does not delete", before: rec.Sent, after: merge(rec.Sent, rec.Want.Disable),
		})
		res.writes++
		return res
	}
	res := c.failed(err)
	res.writes = 1
	return res
}

func statusIs(err error, status int) bool {
	var e *scim.Error
	return errors.As(err, &e) && e.Status == status
}

// intend records what is about to be sent. If the process dies then, it is known that the target may have it.
func (c *cycle) intend(ctx context.Context, rec *Record) error {
	return c.state.Commit(ctx, c.job.config.Name, &Commit{Put: []*Record{rec}, KeepMatching: true})
}

// maxTried bounds the changes of which it is not known whether they took effect.
const maxTried = 8

// tries notes that the target may hold something else soon.
func (rec *Record) tries(after scim.Document) {
	rec.Flags |= Unsure
	if slices.ContainsFunc(rec.Tried, func(d scim.Document) bool { return equalDocs(d, after) && len(d) == len(after) }) {
		return
	}
	if rec.Tried = append(rec.Tried, after); len(rec.Tried) > maxTried {
		rec.Tried = append([]scim.Document{merge(rec.Tried[0], rec.Tried[1])}, rec.Tried[2:]...)
	}
}

// created notes that the outcome of a create is known.
func (rec *Record) created() {
	rec.Intent = nil
	rec.Flags &^= Creating
}

// adopt links a record to a target object that was found.
func (c *cycle) adopt(ctx context.Context, r *rule, rec *Record, doc scim.Document) error {
	rec.linkTo(doc.ID(), project(doc, r.shape(rec.Want)))
	rec.Flags = rec.Flags.With(Created, rec.Flags.Has(Creating))
	rec.created()
	if err := c.readReferences(ctx, r, rec, doc); err != nil {
		return err
	}
	if r.members == "" || !r.isGroup() {
		return nil
	}
	return c.readMembers(ctx, r, rec)
}

// readReferences finds out to whom attributes such as manager refer in a target object that is taken over. References to what is linked to
// no source object are left alone.
func (c *cycle) readReferences(ctx context.Context, r *rule, rec *Record, doc scim.Document) error {
	for path := range rec.Want.Refs {
		if path == r.members && r.isGroup() {
			continue
		}
		l, err := locate(path)
		if err != nil {
			continue
		}
		var ids []string
		for _, targetID := range l.referred(doc) {
			id, err := c.sourceOf(ctx, targetID)
			if err != nil {
				return err
			}
			if id != "" {
				ids = append(ids, id)
			}
		}
		setIDs(&rec.SentRefs, path, sorted(ids))
	}
	return nil
}

// readMembers finds out which members a group has that is taken over. Members that are linked to no source object are left alone.
func (c *cycle) readMembers(ctx context.Context, r *rule, rec *Record) error {
	c.reads.Add(1)
	group, err := c.target.Get(ctx, r.target, rec.TargetID)
	if err = c.checked(ctx, err); err != nil {
		return err
	}
	var ids []string
	members, _ := field(group, "members").([]any)
	for _, m := range members {
		object, _ := m.(map[string]any)
		targetID, _ := field(object, "value").(string)
		id, err := c.sourceOf(ctx, targetID)
		if err != nil {
			return err
		}
		if id != "" {
			ids = append(ids, id)
		}
	}
	setIDs(&rec.SentRefs, r.members, sorted(ids))
	return nil
}

// sourceOf returns the source id of the object that is linked to a target object, or "".
func (c *cycle) sourceOf(ctx context.Context, targetID string) (string, error) {
	for _, r := range c.job.rules {
		key, err := c.state.Linked(ctx, c.job.config.Name, r.source, targetID)
		if err != nil {
			return "", err
		}
		if key == 0 {
			continue
		}
		records, err := c.state.Records(ctx, c.job.config.Name, []int64{key})
		if err != nil || len(records) == 0 {
			return "", err
		}
		return records[0].SourceID, nil
	}
	return "", nil
}

// recover finds the objects for which a create was sent whose outcome is not known, because the process was killed or the answer was lost.
// It looks for what was sent then; the source may say something else by now, or nothing.
func (c *cycle) recover(ctx context.Context) error {
	return c.each(ctx, Query{Creating: true}, func(rec *Record) error {
		r := c.job.rule(rec.Type)
		if r == nil || c.skips(rec) {
			return nil
		}
		commit := &Commit{}
		found, err := c.lookUp(ctx, r, rec.Intent)
		switch {
		case err == nil && found != nil && len(found.Documents) == 1:
			err = c.recovered(ctx, r, rec, found.Documents[0])
		case err == nil:
			rec.created()
			rec.UnsureRefs = nil
		}
		if err != nil {
			res := c.failed(err)
			if res.fatal != nil {
				return res.fatal
			}
			c.fail(r, rec, res.failure)
		}
		c.put(commit, rec)
		return c.commit(ctx, commit)
	})
}

func (c *cycle) recovered(ctx context.Context, r *rule, rec *Record, doc scim.Document) error {
	other, _, err := c.owner(ctx, r, doc.ID(), rec)
	if err != nil {
		return err
	}
	if other != "" {
		rec.created()
		return nil
	}
	if err := c.adopt(ctx, r, rec, doc); err != nil {
		return err
	}
	if rec.blocked() {
		c.wake(r, rec)
	} else {
		rec.reset()
	}
	rec.Flags |= Dirty
	return nil
}
