package provision

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles"
)

// cycle is one cycle at work. Its steps are in read.go, judge.go, match.go, export.go and references.go, in this order.
type cycle struct {
	job    *Job
	state  State
	target Target
	policy *Policy
	began  time.Time
	js     JobState
	sum    *Summary
	types  map[string]*TypeSummary
	// plan receives the operations when nothing is to be changed.
	plan *Plan
	// only restricts the cycle to some objects, by type, for provisioning on demand.
	only map[string][]string
	// chosen restricts the members that are added to groups.
	chosen map[string]bool

	watermark string
	full      map[string]bool
	seen      map[string]*keySet
	// rematched is set for types whose matching values changed, so that duplicates must be looked for.
	rematched map[string]bool
	listed    map[string]bool
	estimated bool // the total of the read that is under way
	tested    bool
	// repeating is set while objects are tried again one by one, with nothing else under way.
	repeating bool
	// claims are target objects linked in this cycle, with the source objects they are linked to, until that is recorded.
	claimsMu sync.Mutex
	claims   map[string]string
	// removed are target objects deleted in this cycle.
	removed map[string]bool

	before   Requests
	reads    atomic.Int64
	writes   atomic.Int64
	trouble  atomic.Int64 // failures of the target in a row
	pending  []LogEntry
	protects map[string]bool
	verified *location // of Policy.Verified
	// deferred are deactivations left for later, ended counts those of this cycle, and deletions.
	deferred *keySet
	ended    int
	gaveUp   int // objects that are not tried again from now on
	// readBacks are the writes to be read back, sampled how many there are of each attribute, and drifted the records in which a
	// drift is repaired.
	readBacks []written
	sampled   map[string]int
	drifted   map[int64]bool
	// regrouped are groups whose members changed in the source, or all if regroupAll.
	regrouped  map[string]bool
	regroupAll bool
	uniques    uniques
}

func (j *Job) newCycle(state State, target Target) *cycle {
	c := &cycle{
		job: j, state: state, target: target, policy: &j.config.Policy, began: j.now(),
		types: map[string]*TypeSummary{}, full: map[string]bool{}, seen: map[string]*keySet{}, rematched: map[string]bool{},
		listed: map[string]bool{}, claims: map[string]string{}, removed: map[string]bool{}, protects: map[string]bool{},
		sampled: map[string]int{}, drifted: map[int64]bool{}, regrouped: map[string]bool{},
		uniques: newUniques(),
	}
	c.sum = &Summary{CycleID: j.config.NewID(), Began: c.began}
	for _, id := range j.config.Policy.Protected {
		c.protects[foldText(id)] = true
	}
	if p := j.config.Policy; p.Adopt == AdoptIfVerified && p.Verified != "" {
		if l, err := locate(p.Verified); err == nil {
			c.verified = &l
		}
	}
	// The slice is never grown, so that the pointers into it stay good.
	c.sum.Types = make([]TypeSummary, len(j.rules))
	for i, r := range j.rules {
		c.sum.Types[i] = TypeSummary{Type: r.source, Actions: map[Action]int{}}
		c.types[r.source] = &c.sum.Types[i]
	}
	c.before = c.counted()
	return c
}

// counted returns what the target says that it sent.
func (c *cycle) counted() Requests {
	if t, ok := c.job.config.Target.(RequestCounter); ok {
		return t.Requests()
	}
	return Requests{}
}

// requests returns what was sent in this cycle.
func (c *cycle) requests() Requests {
	if _, ok := c.job.config.Target.(RequestCounter); ok {
		return c.counted().Sub(c.before)
	}
	return Requests{Reads: c.reads.Load(), Writes: c.writes.Load()}
}

// run goes through all steps.
func (c *cycle) run(ctx context.Context) (*Summary, error) {
	err := c.begin(ctx)
	if err != nil {
		return nil, err
	}
	err = c.steps(ctx)
	if finishErr := c.finish(ctx, err); err == nil {
		err = finishErr
	}
	return c.sum, err
}

// begin decides on the kind of cycle, and remembers that it was begun.
func (c *cycle) begin(ctx context.Context) (err error) {
	if c.js, err = c.state.Job(ctx, c.job.config.Name); err != nil {
		return err
	}
	c.sum.Kind = Incremental
	if rules := fingerprints(c.job.rules, c.policy); c.js.Watermark == "" || c.js.Rules != rules {
		c.sum.Kind = Initial
		c.js.Rules, c.js.Watermark = rules, ""
	}
	c.js.Cycles++
	if c.regroupAll = c.js.Unread; c.js.Unread {
		for _, r := range c.job.rules {
			c.rematched[r.source] = true
		}
	}
	c.js.Unread = true
	c.job.config.Logger.Info("cycle begins", "job", c.job.config.Name, "cycle", c.sum.CycleID, "kind", c.sum.Kind)
	return c.commit(ctx, &Commit{Job: &c.js})
}

func (c *cycle) steps(ctx context.Context) error {
	if err := c.readAll(ctx); err != nil {
		return err
	}
	if err := c.flattenGroups(ctx); err != nil {
		return err
	}
	c.js.Unread = false
	if err := c.recover(ctx); err != nil {
		return err
	}
	driftErr := c.repairDrift(ctx)
	if driftErr != nil && !errors.Is(driftErr, errNoList) {
		return driftErr
	}
	if err := c.reconsider(ctx); err != nil {
		return err
	}
	if err := c.judge(ctx); err != nil {
		return err
	}
	for _, r := range c.job.rules {
		if err := c.match(ctx, r); err != nil {
			return err
		}
		if err := c.export(ctx, r); err != nil {
			return err
		}
		if err := c.exportDeferred(ctx, r); err != nil {
			return err
		}
	}
	if err := c.references(ctx); err != nil {
		return err
	}
	if err := c.readBack(ctx); err != nil {
		return err
	}
	// The cycle has failed, but nobody had to wait for it.
	return driftErr
}

// finish records how the cycle went. It does so even when the context has ended.
func (c *cycle) finish(running context.Context, cause error) error {
	ctx := context.WithoutCancel(running)
	c.sum.Ended, c.sum.Requests = c.job.now(), c.requests()
	if err := c.collectFailures(ctx); err != nil {
		return err
	}
	switch {
	case cause == nil:
		c.completed()
	case errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded):
		// Stopped from outside: nothing is wrong with the job.
		c.sum.Error = cause.Error()
	default:
		c.sum.Error = cause.Error()
		reason := EncounteredQuarantineException
		var fault *SourceFault
		if errors.As(cause, &fault) {
			reason = IngestionInterrupted
		}
		c.quarantine(reason, cause.Error())
	}
	if cause == nil {
		c.judgeFailures()
	}
	c.js.LastCycle = c.sum
	c.job.config.Logger.Info("cycle ends", "job", c.job.config.Name, "cycle", c.sum.CycleID, "changed", c.sum.Changed(),
		"failed", c.sum.FailureCount, "held", c.sum.Held, "reads", c.sum.Requests.Reads, "writes", c.sum.Requests.Writes, "error", c.sum.Error)
	c.tellGivenUp()
	if err := c.commit(ctx, &Commit{Job: &c.js, LogBefore: c.began.Add(-c.policy.keepLog())}); err != nil || c.plan != nil {
		return err
	}
	return c.job.deliver(running, &c.js)
}

// completed moves the watermark on. Objects that failed are in the state, so that it can.
func (c *cycle) completed() {
	if c.only != nil {
		return
	}
	c.js.Watermark = c.watermark
	c.js.LastSuccess = c.sum.Ended
	c.js.AllowShrink = false
	if len(c.full) > 0 {
		c.js.LastFullRead = c.began
	}
	if c.sum.InStep() {
		c.js.SteadyState = c.sum.Ended
	}
}

// judgeFailures puts the job into quarantine, or takes it out.
func (c *cycle) judgeFailures() {
	if c.sum.Held > 0 {
		c.quarantine(TooManyDeletes, fmt.Sprintf("%d deletions or deactivations are held; release them, or mend the source or the scope", c.sum.Held))
		return
	}
	succeeded, references := 0, 0
	for _, t := range c.sum.Types {
		succeeded += t.InStep
		for a, n := range t.Actions {
			if a != ActionFail && a != ActionSkip {
				succeeded += n
			}
		}
	}
	references = c.sum.referenceFailures
	failed := c.sum.FailureCount - references
	if reason := c.policy.Quarantine.Judge(failed, references, succeeded); reason != "" {
		c.quarantine(reason, fmt.Sprintf("%d objects failed, and %d more because of references; see the provisioning log", failed, references))
		return
	}
	if c.only == nil {
		c.js.Quarantine = nil
		c.tellRecovered()
	}
}

func (c *cycle) quarantine(reason QuarantineReason, message string) {
	now := c.job.now()
	old := c.js.Quarantine
	c.js.Quarantine = c.policy.Quarantine.enter(old, reason, message, now, c.job.config.Interval)
	if c.policy.Quarantine.over(c.js.Quarantine, now) && !c.js.Disabled {
		c.js.Disabled = true
		c.tellDisabled(c.js.Quarantine)
	}
	if old != nil && old.Reason == reason {
		return
	}
	c.job.config.Logger.Warn("quarantine", "job", c.job.config.Name, "reason", reason, "message", message)
	c.tellQuarantine(reason, message)
}

// collectFailures puts into the summary what is not in step.
func (c *cycle) collectFailures(ctx context.Context) error {
	name := c.job.config.Name
	for _, r := range c.job.rules {
		failed, err := c.state.Scan(ctx, name, Query{Type: r.source, Failed: true}, 0, MaxListedFailures)
		if err != nil {
			return err
		}
		count, err := c.state.Count(ctx, name, Query{Type: r.source, Failed: true})
		if err != nil {
			return err
		}
		c.sum.FailureCount += count
		c.sum.Failures = appendFailures(c.sum.Failures, failed)
		if err := c.countReferenceFailures(ctx, r, failed, count); err != nil {
			return err
		}
		err = c.each(ctx, Query{Type: r.source, Pending: true}, func(rec *Record) error {
			if len(rec.Unresolved) == 0 {
				return nil
			}
			c.sum.WarningCount++
			if len(c.sum.Warnings) < MaxListedFailures {
				c.sum.Warnings = append(c.sum.Warnings, unresolvedWarning(rec))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, circle := range c.js.Circles {
		c.sum.WarningCount++
		if len(c.sum.Warnings) < MaxListedFailures {
			c.sum.Warnings = append(c.sum.Warnings, circle.warning())
		}
	}
	held, err := c.state.Count(ctx, name, Query{Held: true})
	c.sum.Held = held
	return err
}

// countReferenceFailures counts failures that are about references alone. There are few beyond the listed ones, if any.
func (c *cycle) countReferenceFailures(ctx context.Context, r *rule, listed []Record, count int) error {
	if !r.refs {
		return nil
	}
	for {
		var last int64
		for i := range listed {
			if listed[i].Failure != nil && listed[i].Failure.Reference {
				c.sum.referenceFailures++
			}
			last = listed[i].Key
		}
		if count -= len(listed); count <= 0 || len(listed) == 0 {
			return nil
		}
		var err error
		if listed, err = c.state.Scan(ctx, c.job.config.Name, Query{Type: r.source, Failed: true}, last, MaxListedFailures); err != nil {
			return err
		}
	}
}

func appendFailures(list []ObjectFailure, records []Record) []ObjectFailure {
	for i := range records {
		rec := &records[i]
		if len(list) >= MaxListedFailures || rec.Failure == nil {
			continue
		}
		f := ObjectFailure{Type: rec.Type, SourceID: rec.SourceID, Display: rec.Display, Failure: *rec.Failure}
		if !rec.Flags.Has(GivenUp) {
			f.Due = rec.Due
		}
		list = append(list, f)
	}
	return list
}

// commit records changes, together with the log entries that belong to them.
func (c *cycle) commit(ctx context.Context, change *Commit) error {
	change.Log = append(change.Log, c.pending...)
	if change.empty() {
		return nil
	}
	if err := c.state.Commit(ctx, c.job.config.Name, change); err != nil {
		return err
	}
	entries := c.pending
	c.pending = nil
	if c.plan != nil || len(entries) == 0 {
		return nil
	}
	for _, s := range c.job.config.Sinks {
		// The state has the entries. That a file is full or a collector is down must not keep leavers in.
		if err := s.WriteEntries(ctx, entries); err != nil {
			c.sum.SinkErrors++
			c.job.config.Logger.Error("log sink failed", "job", c.job.config.Name, "entries", len(entries), "error", err)
		}
	}
	return nil
}

func (c *cycle) progress(phase Phase, typ string, done, total int) {
	if c.job.config.Progress == nil || c.plan != nil {
		return
	}
	estimated := phase == PhaseRead && c.estimated && total >= 0
	if estimated && done > total {
		// There are more than there were.
		total, estimated = -1, false
	}
	c.job.config.Progress(Progress{
		Phase: phase, Type: typ, Done: done, Total: total, Estimated: estimated, Requests: c.requests(), Avoided: c.sum.Avoided(),
	})
}

// pageSize is how many resources a page of the target's list has.
func (c *cycle) pageSize() int {
	p := c.target.Profile().Paging
	switch {
	case p.MaxCount > 0:
		return p.MaxCount
	case p.DefaultCount > 0:
		return p.DefaultCount
	}
	return 100
}

// The methods below are the target's, counted, and with faults of the target as a whole told apart.

func (c *cycle) find(ctx context.Context, r *rule, f filter.Filter) ([]scim.Document, error) {
	c.reads.Add(1)
	docs, err := c.target.Find(ctx, r.target, f)
	return docs, c.checked(ctx, err)
}

func (c *cycle) create(ctx context.Context, r *rule, doc scim.Document) (scim.Document, error) {
	c.writes.Add(1)
	made, err := c.target.Create(ctx, r.target, doc)
	return made, c.checked(ctx, err)
}

func (c *cycle) update(ctx context.Context, r *rule, id string, before, after scim.Document) error {
	c.writes.Add(1)
	return c.checked(ctx, c.target.Update(ctx, r.target, id, before, after))
}

func (c *cycle) changeMembers(ctx context.Context, r *rule, id string, add, remove []string) error {
	c.writes.Add(int64(memberRequests(c.target.Profile(), r.target, len(add)+len(remove))))
	return c.checked(ctx, c.target.ChangeMembers(ctx, r.target, id, add, remove))
}

func (c *cycle) delete(ctx context.Context, r *rule, id string) error {
	c.writes.Add(1)
	return c.checked(ctx, c.target.Delete(ctx, r.target, id))
}

// maxTrouble is how many objects in a row may find the target unreachable, or forbidden, before the cycle ends.
const maxTrouble = 5

// checked notices when the target as a whole cannot be used.
func (c *cycle) checked(ctx context.Context, err error) error {
	if err == nil {
		c.trouble.Store(0)
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var e *scim.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Status == 401, errors.Is(err, client.ErrQuotaExhausted):
		return unusable(err)
	case e.Status == 0 && e.Attempts > 0, e.Status == 0 && e.Err != nil, e.Status == 403, e.Status == 503:
		if c.trouble.Add(1) >= maxTrouble {
			return unusable(err)
		}
	default:
		c.trouble.Store(0)
	}
	return err
}

// memberRequests returns how many requests a change of that many members takes.
func memberRequests(p *profiles.Profile, resourceType string, n int) int {
	if n == 0 {
		return 0
	}
	if r, ok := p.Resource(resourceType); ok && r.Patch.MembersPerRequest > 0 {
		return (n + r.Patch.MembersPerRequest - 1) / r.Patch.MembersPerRequest
	}
	return 1
}

// keySet is a set of keys of records, which are small numbers.
type keySet struct{ bits []uint64 }

// add adds a key, and reports whether it was there.
func (s *keySet) add(key int64) bool {
	word, bit := int(key>>6), uint64(1)<<(key&63)
	for word >= len(s.bits) {
		s.bits = append(s.bits, make([]uint64, max(len(s.bits), 64))...)
	}
	had := s.bits[word]&bit != 0
	s.bits[word] |= bit
	return had
}

func (s *keySet) has(key int64) bool {
	word := int(key >> 6)
	return word < len(s.bits) && s.bits[word]&(1<<(key&63)) != 0
}
