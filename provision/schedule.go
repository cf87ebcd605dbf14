package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Run runs cycles until the context ends, which is no error: an initial one first where none was completed, then one each
// [Config.Interval], or when [Config.Trigger] says so. In quarantine the cycles become rarer. While the job is paused or disabled no
// cycle runs, and it is looked at again each interval.
//
// A cycle that fails does not end Run; it is in the log, in the status, and with [Config.Notify]. Run ends with an error only when the
// state cannot be used.
func (j *Job) Run(ctx context.Context) error {
	for {
		wait, err := j.runDue(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if err := j.rest(ctx, wait); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// rest waits for the next cycle, and meanwhile delivers what could not be delivered before.
func (j *Job) rest(ctx context.Context, wait time.Duration) error {
	until := j.now().Add(wait)
	trigger := j.config.Trigger
	for {
		js, err := j.config.State.Job(ctx, j.config.Name)
		if err != nil {
			return endedOr(ctx, err)
		}
		wait := until.Sub(j.now())
		sooner, pending := j.untilDelivery(&js)
		if pending = pending && sooner < wait; pending {
			wait = sooner
		}
		select {
		case <-ctx.Done():
			return nil
		case _, open := <-trigger:
			if open {
				return nil
			}
			// Nothing more comes from it, and the schedule goes on.
			trigger = nil
			continue
		case <-j.config.Clock.After(max(wait, 0)):
		}
		if !pending {
			return nil
		}
		if err := j.deliverPending(ctx); err != nil {
			return endedOr(ctx, err)
		}
	}
}

func endedOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// deliverPending delivers notifications between cycles. While another process runs the job, they are its to deliver.
func (j *Job) deliverPending(ctx context.Context) error {
	release, err := j.config.State.Acquire(ctx, j.config.Name)
	if errors.Is(err, ErrBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	js, err := j.config.State.Job(ctx, j.config.Name)
	if err == nil {
		err = j.deliver(ctx, &js)
	}
	return errors.Join(err, release())
}

// runDue runs a cycle, unless the job may not run, and returns how long to wait for the next.
func (j *Job) runDue(ctx context.Context) (time.Duration, error) {
	js, err := j.config.State.Job(ctx, j.config.Name)
	if err != nil {
		return 0, err
	}
	begin := j.now()
	if js.Paused || js.Disabled {
		return j.jittered(j.config.Interval), nil
	}
	if js.Quarantine != nil && begin.Before(js.Quarantine.NextAttempt) {
		return js.Quarantine.NextAttempt.Sub(begin), nil
	}
	summary, err := j.RunCycle(ctx)
	if j.config.CycleEnded != nil {
		j.config.CycleEnded(summary, err)
	}
	var fault *SourceFault
	switch {
	case err == nil, ctx.Err() != nil, errors.Is(err, ErrBusy), errors.Is(err, ErrTargetUnusable), errors.As(err, &fault):
	default:
		return 0, err
	}
	if err != nil && ctx.Err() == nil {
		j.config.Logger.Error("cycle failed", "job", j.config.Name, "error", err)
	}
	if js, err = j.config.State.Job(ctx, j.config.Name); err != nil {
		return 0, err
	}
	if js.Quarantine != nil {
		return max(js.Quarantine.NextAttempt.Sub(j.now()), 0), nil
	}
	return max(j.jittered(j.config.Interval)-j.now().Sub(begin), 0), nil
}

// jittered moves a time by up to a tenth either way, so that jobs started together do not stay together.
func (j *Job) jittered(d time.Duration) time.Duration {
	if j.config.Random == nil {
		return d
	}
	return d + time.Duration((j.config.Random()-0.5)*0.2*float64(d))
}

// Start lets [Job.Run] go on after [Job.Pause], or after the job was disabled. It takes the job out of quarantine.
func (j *Job) Start(ctx context.Context) error {
	return j.edit(ctx, func(js *JobState, _ *Commit) error {
		js.Paused, js.Disabled, js.Quarantine = false, false, nil
		return nil
	})
}

// Pause keeps [Job.Run] from starting cycles. What is known is kept. A cycle that is running ends first.
func (j *Job) Pause(ctx context.Context) error {
	return j.edit(ctx, func(js *JobState, _ *Commit) error {
		js.Paused = true
		return nil
	})
}

func (j *Job) edit(ctx context.Context, change func(*JobState, *Commit) error) (err error) {
	release, err := j.config.State.Acquire(ctx, j.config.Name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	js, err := j.config.State.Job(ctx, j.config.Name)
	if err != nil {
		return err
	}
	commit := &Commit{Job: &js}
	if err := change(&js, commit); err != nil {
		return err
	}
	return j.config.State.Commit(ctx, j.config.Name, commit)
}

// ResetScope is what [Job.Restart] forgets.
type ResetScope string

// Reset scopes, as Microsoft Graph names them.
const (
	// ResetWatermark makes the next cycle an initial one: everything is read, mapped anew and compared, also what is as it was before. That
	// has to be asked for when only something besides the objects has changed: the day, or what [Config.Env] gives. Links are kept.
	ResetWatermark ResetScope = "Watermark"
	// ResetEscrows forgets failures: objects that failed are tried again in the next cycle.
	ResetEscrows ResetScope = "Escrows"
	// ResetQuarantineState takes the job out of quarantine.
	ResetQuarantineState ResetScope = "QuarantineState"
	// ResetConnectorDataStore forgets all objects and links: everything is matched anew. Those who have left the source are forgotten as
	// well: accounts of theirs that are not disabled yet, because that failed or is held, stay as they are.
	ResetConnectorDataStore ResetScope = "ConnectorDataStore"
	// ResetFull is all of the above.
	ResetFull ResetScope = "Full"
	// ForceDeletes lets the deletions that are held now go ahead, and the next read be as small as it is.
	ForceDeletes ResetScope = "ForceDeletes"
)

// ParseResetScopes reads a list of scopes separated by commas, in any case.
func ParseResetScopes(text string) ([]ResetScope, error) {
	all := []ResetScope{ResetWatermark, ResetEscrows, ResetQuarantineState, ResetConnectorDataStore, ResetFull, ForceDeletes}
	var scopes []ResetScope
	for _, name := range strings.Split(text, ",") {
		name = strings.TrimSpace(name)
		i := slices.IndexFunc(all, func(s ResetScope) bool { return strings.EqualFold(string(s), name) })
		if i < 0 {
			return nil, fmt.Errorf("provision: unknown reset scope %q: one of %q is needed", name, all)
		}
		scopes = append(scopes, all[i])
	}
	return scopes, nil
}

// Restart makes the job forget some of what it knows, so that the next cycle finds it out anew, and lets it run again when it was paused
// or disabled. Without scopes it forgets watermark, escrows and quarantine, as Entra's portal does; links are kept. It starts no cycle.
func (j *Job) Restart(ctx context.Context, scopes ...ResetScope) error {
	if len(scopes) == 0 {
		scopes = []ResetScope{ResetWatermark, ResetEscrows, ResetQuarantineState}
	}
	if slices.Contains(scopes, ResetFull) {
		scopes = append(scopes, ResetWatermark, ResetEscrows, ResetQuarantineState, ResetConnectorDataStore)
	}
	return j.edit(ctx, func(js *JobState, commit *Commit) error {
		js.Paused, js.Disabled = false, false
		for _, s := range scopes {
			if err := j.reset(ctx, s, js, commit); err != nil {
				return err
			}
		}
		return nil
	})
}

func (j *Job) reset(ctx context.Context, scope ResetScope, js *JobState, commit *Commit) error {
	switch scope {
	case ResetWatermark:
		js.Watermark = ""
	case ResetQuarantineState:
		js.Quarantine = nil
	case ResetConnectorDataStore:
		js.Watermark, js.Read, js.Altered, js.Circles = "", nil, nil, nil
		commit.ForgetAll, commit.Put = true, nil
	case ResetEscrows:
		if commit.ForgetAll {
			return nil
		}
		return j.editRecords(ctx, Query{Failed: true}, commit, func(rec *Record) {
			switch {
			case rec.Failure.Remap:
				// It has to be mapped before it can be tried.
				rec.Due = time.Time{}
				rec.Flags &^= GivenUp
			case !rec.Flags.Has(Duplicate) && !rec.Failure.waitsForSource():
				rec.reset()
				rec.Gone = false
			}
		})
	case ForceDeletes:
		js.AllowShrink = true
		if js.Quarantine != nil && js.Quarantine.Reason == TooManyDeletes {
			js.Quarantine = nil
		}
		if commit.ForgetAll {
			return nil
		}
		return j.editRecords(ctx, Query{Held: true}, commit, func(rec *Record) {
			rec.Flags = rec.Flags.With(Held, false).With(Released, true)
		})
	}
	return nil
}

// editRecords changes records in the commit; one that is in it already is changed there.
func (j *Job) editRecords(ctx context.Context, q Query, commit *Commit, change func(*Record)) error {
	put := map[int64]*Record{}
	for _, rec := range commit.Put {
		put[rec.Key] = rec
	}
	var after int64
	for {
		records, err := j.config.State.Scan(ctx, j.config.Name, q, after, readBatch)
		if err != nil || len(records) == 0 {
			return err
		}
		after = records[len(records)-1].Key
		for i := range records {
			rec := &records[i]
			if put[rec.Key] == nil {
				put[rec.Key] = rec
				commit.Put = append(commit.Put, rec)
			}
			change(put[rec.Key])
		}
	}
}

// Held returns the objects whose deletion or deactivation is held back, at most limit of them.
func (j *Job) Held(ctx context.Context, limit int) ([]Record, error) {
	return j.config.State.Scan(ctx, j.config.Name, Query{Held: true}, 0, limit)
}
