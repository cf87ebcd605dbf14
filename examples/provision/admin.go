package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/scimbridge/scim/provision"
)

// administer does what concerns the state alone. It reports whether the job is in step, as far as that was asked.
func administer(ctx context.Context, b *bridge, o *options, r *report) (inStep bool, err error) {
	switch {
	case o.status:
		return showStatus(ctx, b.job, r)
	case o.releaseDeletes:
		return true, releaseDeletes(ctx, b.job, r)
	case o.restart != "":
		return true, restart(ctx, b.job, o.restart, r)
	}
	return true, showLog(ctx, b, o, r)
}

// checkState refuses to make a state only to say that there is nothing in it.
func checkState(file string) error {
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no state %s yet: run a cycle first, or say with -state where it is", file)
	}
	return nil
}

func showStatus(ctx context.Context, job *provision.Job, r *report) (inStep bool, err error) {
	s, err := job.Status(ctx)
	if err != nil {
		return false, err
	}
	r.say("Job %s: %s", job.Name(), s.Code)
	r.say("  cycles          %d", s.Cycles)
	if c := s.LastCycle; c != nil {
		r.say("  last cycle      %s, %s to %s: %d changed, %d failed, %d held", c.Kind, stamp(c.Began), stamp(c.Ended), c.Changed(), c.FailureCount, c.Held)
		if c.Error != "" {
			r.say("                  it ended early: %s", c.Error)
		}
	}
	r.say("  last success    %s", stamp(s.LastSuccess))
	r.say("  all in step     %s", stamp(s.SteadyState))
	failing := 0
	for _, typ := range []string{"User", "Group"} {
		failing += s.Failed[typ] + s.Held[typ]
		r.say("  %-15s %d linked, %d failed, %d held", typ, s.Linked[typ], s.Failed[typ], s.Held[typ])
	}
	if q := s.Quarantine; q != nil {
		r.say("  quarantine      %s since %s: %s", q.Reason, stamp(q.Began), q.Message)
		r.say("                  tried again by %s, where the program runs with -interval", stamp(q.NextAttempt))
	}
	if s.Undelivered > 0 {
		r.say("  notifications   %d could not be delivered yet", s.Undelivered)
	}
	return s.Code == provision.StatusActive && failing == 0 && s.LastCycle != nil && s.LastCycle.Error == "", nil
}

// stamp prints a time as the log has it.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

func releaseDeletes(ctx context.Context, job *provision.Job, r *report) error {
	const most = 20
	held, err := job.Held(ctx, provision.MaxListedFailures)
	if err != nil {
		return err
	}
	if err := job.Restart(ctx, provision.ForceDeletes); err != nil {
		return err
	}
	for i, rec := range held {
		if i == most {
			r.say("  and %d more", len(held)-most)
			break
		}
		r.say("  %s %s (%s)", rec.Type, rec.SourceID, rec.Display)
	}
	number := fmt.Sprint(len(held))
	if len(held) == provision.MaxListedFailures {
		number += " or more"
	}
	r.say("%s deletions or deactivations were held; they go ahead in the next cycle, for which the directory may be as small as it is.", number)
	return nil
}

func restart(ctx context.Context, job *provision.Job, text string, r *report) error {
	scopes, err := provision.ParseResetScopes(text)
	if err != nil {
		return err
	}
	if err := job.Restart(ctx, scopes...); err != nil {
		return err
	}
	var names []string
	for _, s := range scopes {
		names = append(names, string(s))
	}
	r.say("Job %s is reset: %s. The next cycle finds out anew.", job.Name(), strings.Join(names, ", "))
	return nil
}

// showLog prints log entries, the newest first.
func showLog(ctx context.Context, b *bridge, o *options, r *report) error {
	q := provision.LogQuery{Status: provision.Status(o.outcome), Since: o.sinceTime, Until: o.till, Limit: cmp.Or(o.limit, 100)}
	queries := []provision.LogQuery{q}
	if o.user != "" {
		ids, err := b.known(ctx, o.user)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return fmt.Errorf("the state knows nobody who is %q", o.user)
		}
		queries = nil
		for _, id := range ids {
			q.ID = id
			queries = append(queries, q)
		}
	}
	var entries []provision.LogEntry
	for _, q := range queries {
		some, err := b.job.Log(ctx, q)
		if err != nil {
			return err
		}
		entries = append(entries, some...)
	}
	slices.SortStableFunc(entries, func(x, y provision.LogEntry) int { return y.Time.Compare(x.Time) })
	for i := range entries[:min(len(entries), q.Limit)] {
		e := &entries[i]
		r.say("%s  %s", stamp(e.Time), entryLine(e))
		for _, m := range e.Modified {
			r.say("    %s: %s -> %s", m.DisplayName, textOr(m.OldValue), textOr(m.NewValue))
		}
	}
	if len(entries) == 0 {
		r.say("The log has no such entry.")
	}
	return nil
}

// known returns the source ids of objects in the state that have an id, a matching value or a display name, those who have left among
// them: a name may have gone from one person to another.
func (b *bridge) known(ctx context.Context, who string) ([]string, error) {
	const page = 1000
	ids := map[string]bool{}
	var after int64
	for {
		records, err := b.state.Scan(ctx, b.job.Name(), provision.Query{}, after, page)
		if err != nil || len(records) == 0 {
			return slices.Sorted(maps.Keys(ids)), err
		}
		for _, rec := range records {
			after = rec.Key
			isMatch := func(m provision.MatchValue) bool { return strings.EqualFold(fmt.Sprint(m.Value), who) }
			if rec.SourceID == who || rec.TargetID == who || strings.EqualFold(rec.Display, who) || slices.ContainsFunc(rec.Want.Match, isMatch) {
				ids[rec.SourceID] = true
			}
		}
	}
}
