package provision

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/mapping"
)

// Config is what a job is made of.
type Config struct {
	// Name identifies the job in its state and log. It must stay the same for as long as the state is used.
	Name   string
	Source Source
	Target Target
	State  State
	// Tenant is the tenantId of log entries. It may be empty.
	Tenant string
	// Mappings say which source objects become which target objects. Groups are provisioned after all others.
	Mappings []*mapping.Mapping
	Policy   Policy
	// Env is what expressions of the mappings may see besides the object, such as what DefaultDomain gives. Its clock is the job's
	// where it has none. SelectUniqueValue asks the target, and takes no value that another object is to be created with; Env.Taken is
	// asked besides, for values that must be kept free.
	Env mapping.Env
	// Assigned reports whether an object is assigned to the target; nil means that all are. What is no longer assigned is out of
	// scope. It is asked about every object in every cycle, so that with it a [ChangeSource] is read in full each time.
	Assigned func(ctx context.Context, objectType string, e Entry) (bool, error)
	// Concurrency is how many objects are sent at once: 4 when 0. The target paces itself.
	Concurrency int
	// Interval is the time between the starts of two cycles of [Job.Run]: 40 minutes when 0.
	Interval time.Duration
	// Trigger starts a cycle of [Job.Run] at once when something is received from it: a source that is told of changes sends to
	// it. It may be nil; one that is closed starts nothing.
	Trigger <-chan struct{}
	// Sinks receive the provisioning log besides the State.
	Sinks []LogSink
	// Progress is called as a cycle goes on, from one goroutine at a time. It must not block.
	Progress func(Progress)
	// Notify is told when the job enters quarantine, holds deletions, cannot read its source or use its target, when that is
	// over, and of what [NotificationKind] lists besides: once per cause, also when the program is started anew meanwhile. It may be nil.
	Notify Notifier
	// CycleEnded is called after each cycle of [Job.Run] with what [Job.RunCycle] returned. It may be nil.
	CycleEnded func(*Summary, error)
	// Logger is told about the job as a whole, never about values of objects. nil is silent.
	Logger *slog.Logger
	// Clock is the time; nil is the machine's.
	Clock Clock
	// Random returns a number in [0, 1) for the jitter of the schedule; nil means no jitter.
	Random func() float64
	// NewID makes the ids of cycles and log entries; nil makes random UUIDs.
	NewID func() string
}

// Clock is where a job has its time from.
type Clock interface {
	Now() time.Time
	// After sends on the channel when a time has passed.
	After(d time.Duration) <-chan time.Time
}

type systemClock struct{}

func (systemClock) Now() time.Time                         { return time.Now().UTC() }
func (systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Job keeps a target in step with a source. It holds no state of its own besides its configuration: two Jobs with the same name and
// State are the same job, and only one at a time can run. It is safe for concurrent use.
type Job struct {
	config Config
	rules  []*rule
}

// New checks a configuration and returns the job. It returns an error when something is missing, when two mappings have the same
// source type, or when a mapping cannot work with the target's profile; [mapping.Mapping.Check] says more about that.
func New(config Config) (*Job, error) {
	switch {
	case config.Name == "":
		return nil, errors.New("provision: a job needs a name")
	case config.Source == nil, config.Target == nil, config.State == nil:
		return nil, errors.New("provision: a job needs a source, a target and a state")
	case len(config.Mappings) == 0:
		return nil, errors.New("provision: a job needs mappings")
	}
	if err := config.Policy.check(); err != nil {
		return nil, err
	}
	if config.Concurrency <= 0 {
		config.Concurrency = 4
	}
	if config.Interval <= 0 {
		config.Interval = 40 * time.Minute
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Clock == nil {
		config.Clock = systemClock{}
	}
	if config.NewID == nil {
		config.NewID = uuid.NewString
	}
	j := &Job{config: config}
	for _, m := range config.Mappings {
		if m.Definition().Disabled {
			continue
		}
		if err := j.addRule(m); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(j.rules, func(a, b *rule) int { return boolOrder(a.isGroup()) - boolOrder(b.isGroup()) })
	return j, nil
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (j *Job) addRule(m *mapping.Mapping) error {
	p := j.config.Target.Profile()
	for _, problem := range m.Check(p) {
		if problem.Severity == mapping.Failure {
			return fmt.Errorf("provision: mapping %s does not work with %s: %s", m.Name(), p.Name, problem)
		}
		j.config.Logger.Warn("mapping", "mapping", m.Name(), "problem", problem.String())
	}
	r, err := newRule(m, p, j.config.Policy)
	if err != nil {
		return err
	}
	for _, other := range j.rules {
		if other.source == r.source {
			return fmt.Errorf("provision: mappings %s and %s both read %s objects", other.m.Name(), m.Name(), r.source)
		}
	}
	j.rules = append(j.rules, r)
	return nil
}

// Name returns the job's name.
func (j *Job) Name() string { return j.config.Name }

func (j *Job) now() time.Time { return j.config.Clock.Now().UTC().Truncate(time.Millisecond) }

// TestConnection checks that the target answers and accepts the credentials. The error is one line and says what to do; it wraps
// [ErrTargetUnusable].
func (j *Job) TestConnection(ctx context.Context) error {
	err := j.config.Target.TestConnection(ctx)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return unusable(err)
}

// unusable words an error that concerns the target as a whole.
func unusable(err error) error {
	if errors.Is(err, ErrTargetUnusable) {
		return err
	}
	hint := ""
	var e *scim.Error
	switch {
	case errors.Is(err, scim.ErrUnauthorized):
		hint = "the credential is refused; create a new one in the target"
	case errors.Is(err, scim.ErrForbidden):
		hint = "the credential is known but not allowed to do this; check the rights of its owner"
	case errors.Is(err, scim.ErrNotFound):
		hint = "there is no SCIM service at this address; check the tenant URL"
	case errors.Is(err, client.ErrQuotaExhausted):
		hint = "its quota is used up; " + quotaRemedy
	case errors.As(err, &e) && e.Status == 0:
		hint = "it cannot be reached; check the tenant URL and the network"
	}
	if hint == "" {
		return fmt.Errorf("%w: %w", ErrTargetUnusable, err)
	}
	return fmt.Errorf("%w: %s (%w)", ErrTargetUnusable, hint, err)
}

// RunCycle runs one cycle now: an initial one when nothing is known of the source yet or the mappings have changed, otherwise an
// incremental one. Failures of single objects do not end it; they are in the summary, and are tried again in later cycles.
//
// The error says why the cycle as a whole failed: a [*SourceFault], in which case nothing was sent, [ErrTargetUnusable],
// [ErrBusy], or the context's. The summary is of what was done until then; it is nil when nothing was begun.
func (j *Job) RunCycle(ctx context.Context) (*Summary, error) {
	release, err := j.config.State.Acquire(ctx, j.config.Name)
	if err != nil {
		return nil, err
	}
	c := j.newCycle(j.config.State, j.config.Target)
	summary, err := c.run(ctx)
	if releaseErr := release(); releaseErr != nil && err == nil {
		err = releaseErr
	}
	return summary, err
}

// Plan returns what a cycle would do now, without changing anything in the target or in the state. It reads the source, and looks up
// in the target what it needs to know.
func (j *Job) Plan(ctx context.Context) (*Plan, error) {
	release, err := j.config.State.Acquire(ctx, j.config.Name)
	if err != nil {
		return nil, err
	}
	plan, err := j.plan(ctx)
	if releaseErr := release(); releaseErr != nil && err == nil {
		err = releaseErr
	}
	return plan, err
}

func (j *Job) plan(ctx context.Context) (plan *Plan, err error) {
	fork, err := j.config.State.Fork(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, fork.Close()) }()
	dry := newDryTarget(j.config.Target)
	c := j.newCycle(fork, dry)
	plan = &Plan{Job: j.config.Name, Created: c.began}
	c.plan = plan
	summary, err := c.run(ctx)
	if err != nil {
		return nil, err
	}
	plan.Kind = summary.Kind
	for _, t := range summary.Types {
		plan.InStep += t.InStep
	}
	plan.Requests = Requests{Reads: c.requests().Reads, Writes: dry.writes.Load()}
	plan.Duration = j.config.estimate(plan.Requests)
	plan.order()
	return plan, nil
}

// ErrPlanStale is returned when a plan is to be applied and another one would come out by now.
var ErrPlanStale = errors.New("provision: the source or the target has changed since the plan was made")

// Apply runs a cycle if it would do what the plan says, and nothing else. Otherwise it returns an error that wraps [ErrPlanStale] and
// names the first difference, and nothing is sent.
func (j *Job) Apply(ctx context.Context, plan *Plan) (*Summary, error) {
	release, err := j.config.State.Acquire(ctx, j.config.Name)
	if err != nil {
		return nil, err
	}
	summary, err := j.apply(ctx, plan)
	if releaseErr := release(); releaseErr != nil && err == nil {
		err = releaseErr
	}
	return summary, err
}

func (j *Job) apply(ctx context.Context, plan *Plan) (*Summary, error) {
	now, err := j.plan(ctx)
	if err != nil {
		return nil, err
	}
	if plan.Job != now.Job {
		return nil, fmt.Errorf("%w: it is for job %s", ErrPlanStale, plan.Job)
	}
	if differences := plan.Compare(now); len(differences) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrPlanStale, differences[0])
	}
	return j.newCycle(j.config.State, j.config.Target).run(ctx)
}

// JobStatus is what is known of a job between its cycles.
type JobStatus struct {
	// Code is one of NotRun, Active, Paused, Quarantine, Disabled.
	Code StatusCode `json:"code"`
	// Cycles counts the cycles begun.
	Cycles      int64       `json:"cycles"`
	Quarantine  *Quarantine `json:"quarantine,omitempty"`
	LastCycle   *Summary    `json:"lastExecution,omitempty"`
	LastSuccess time.Time   `json:"lastSuccessfulExecution,omitzero"`
	// SteadyState is when everything was in step last.
	SteadyState time.Time `json:"steadyStateLastAchievedTime,omitzero"`
	// Linked, Failed and Held count source objects by type: linked to a target object, failed, or with a deletion held back.
	Linked map[string]int `json:"synchronizedEntryCountByType,omitempty"`
	Failed map[string]int `json:"failed,omitempty"`
	Held   map[string]int `json:"held,omitempty"`
	// Altered are the attributes of the target that do not keep what is written to them, as far as was found by reading back.
	Altered []Altered `json:"altered,omitempty"`
	// Undelivered counts notifications that could not be delivered yet.
	Undelivered int `json:"undelivered,omitzero"`
}

// StatusCode is the state of a job.
type StatusCode string

// Status codes.
const (
	StatusNotRun     StatusCode = "NotRun"
	StatusActive     StatusCode = "Active"
	StatusPaused     StatusCode = "Paused"
	StatusQuarantine StatusCode = "Quarantine"
	StatusDisabled   StatusCode = "Disabled"
)

// Status returns what is known of the job. It may be called while the job runs.
func (j *Job) Status(ctx context.Context) (*JobStatus, error) {
	js, err := j.config.State.Job(ctx, j.config.Name)
	if err != nil {
		return nil, err
	}
	s := &JobStatus{
		Code: StatusActive, Cycles: js.Cycles, Quarantine: js.Quarantine, LastCycle: js.LastCycle,
		LastSuccess: js.LastSuccess, SteadyState: js.SteadyState, Undelivered: len(js.Outbox), Altered: js.Altered,
		Linked: map[string]int{}, Failed: map[string]int{}, Held: map[string]int{},
	}
	switch {
	case js.Disabled:
		s.Code = StatusDisabled
	case js.Paused:
		s.Code = StatusPaused
	case js.Quarantine != nil:
		s.Code = StatusQuarantine
	case js.Cycles == 0:
		s.Code = StatusNotRun
	}
	for _, r := range j.rules {
		for counts, q := range map[*map[string]int]Query{
			&s.Linked: {Type: r.source, Linked: true}, &s.Failed: {Type: r.source, Failed: true}, &s.Held: {Type: r.source, Held: true},
		} {
			if (*counts)[r.source], err = j.config.State.Count(ctx, j.config.Name, q); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// Log returns entries of the provisioning log, the newest first.
func (j *Job) Log(ctx context.Context, q LogQuery) ([]LogEntry, error) {
	if q.User == "" {
		return j.config.State.Log(ctx, j.config.Name, q)
	}
	return j.logOf(ctx, q)
}

// estimate returns how long requests take at the target's rate limits.
func (c *Config) estimate(r Requests) time.Duration {
	var longest time.Duration
	for _, l := range c.Target.Profile().RateLimits {
		var n int64
		if l.Covers("GET") {
			n += r.Reads
		}
		if l.Covers("POST") || l.Covers("PATCH") || l.Covers("PUT") || l.Covers("DELETE") {
			n += r.Writes
		}
		if l.Requests > 0 {
			longest = max(longest, time.Duration(n)*l.Window()/time.Duration(l.Requests))
		}
	}
	return longest
}

func describe(op Operation) string {
	return fmt.Sprintf("%s of %s %s", op.Action, op.Type, op.SourceID)
}

func printOperation(op Operation) string {
	var b strings.Builder
	op.print(&b)
	return b.String()
}
