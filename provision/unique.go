package provision

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/mapping/expr"
	"github.com/scimbridge/scim/profiles"
)

// maxUniqueLookUps is how many values of a type are looked up one by one before the target's list is read instead.
const maxUniqueLookUps = 25

// uniques knows which values are taken, for the expression SelectUniqueValue.
type uniques struct {
	// wanted are the values of objects that are still to be created, with their source ids.
	wanted map[string]string
	loaded map[string]bool // by source type
	// answers are what the target said of a value, lookUps how often it was asked.
	answers map[string]bool
	lookUps int
	// listed are the values in the target's list, for types that were listed.
	listed map[string]bool
	values map[string]bool
	// offline: the target is not to be asked.
	offline bool
}

func newUniques() uniques {
	return uniques{
		wanted: map[string]string{}, loaded: map[string]bool{}, answers: map[string]bool{}, listed: map[string]bool{}, values: map[string]bool{},
	}
}

// env returns what the expressions of one object may see.
func (c *cycle) env(r *rule, rec *Record) mapping.Env {
	env := c.job.config.Env
	if env.Clock == nil {
		env.Clock = c.job.config.Clock.Now
	}
	if len(r.uniques) == 0 {
		return env
	}
	besides := env.Taken
	env.Taken = func(ctx context.Context, target, value string) (bool, error) {
		if rec.TargetID != "" {
			// Such values are for new objects only.
			return false, nil
		}
		taken, err := c.taken(ctx, r, rec, target, value)
		var e *scim.Error
		var f *Failure
		if err != nil && !fatal(err) && !errors.As(err, &e) && !errors.As(err, &f) && !errors.Is(err, context.DeadlineExceeded) {
			// The state store, not the target.
			err = &stateError{err}
		}
		if taken || err != nil || besides == nil {
			return taken, err
		}
		if taken, err = besides(ctx, target, value); err != nil {
			err = &Failure{Code: InternalError, Reason: err.Error(), Attribute: target, Transient: true}
		}
		return taken, err
	}
	return env
}

// stateError is an error that ends the cycle, on its way through a mapping.
type stateError struct{ error }

func (e *stateError) Unwrap() error { return e.error }

// endsCycle returns the error with which a cycle has to end, if the error of a mapping is one.
func endsCycle(err error) error {
	var s *stateError
	switch {
	case errors.As(err, &s):
		return s.error
	case err != nil && fatal(err):
		return err
	}
	return nil
}

func (r *rule) uniqueKey(path, value string) string {
	if !r.caseExact(path) {
		value = strings.ToLower(value)
	}
	return r.target + "\x00" + path + "\x00" + value
}

// taken reports whether a value is one of an object in the target, or of another that is still to be created there.
func (c *cycle) taken(ctx context.Context, r *rule, rec *Record, path, value string) (bool, error) {
	if err := c.loadWanted(ctx, r); err != nil {
		return false, err
	}
	key := r.uniqueKey(path, value)
	if owner, ok := c.uniques.wanted[key]; ok {
		// What was chosen for this object before stays its own: the target may have it from a create whose answer was lost.
		return owner != r.source+"\x00"+rec.SourceID, nil
	}
	if taken, ok := c.uniques.answers[key]; ok || c.uniques.offline {
		return taken, nil
	}
	taken, err := c.askTaken(ctx, r, path, value, key)
	if err == nil {
		c.uniques.answers[key] = taken
	}
	return taken, err
}

// askTaken asks the target.
func (c *cycle) askTaken(ctx context.Context, r *rule, path, value, key string) (bool, error) {
	filterable, lists := c.filterable(r, path), r.offers(profiles.List)
	if lists && (!filterable || c.uniques.lookUps >= maxUniqueLookUps) {
		err := c.listValues(ctx, r)
		return c.uniques.values[key], err
	}
	if !filterable {
		return false, &Failure{
			Code: NotImplemented, Attribute: path, Reason: "the target can neither be asked who has a value, nor be listed", Remap: true,
			Remedy: "use another expression than SelectUniqueValue for the attribute",
		}
	}
	c.uniques.lookUps++
	found, err := c.lookUp(ctx, r, []MatchValue{{path, value}})
	return found != nil, err
}

// listValues reads the target's list for the values that have to be unique.
func (c *cycle) listValues(ctx context.Context, r *rule) error {
	if c.uniques.listed[r.target] {
		return nil
	}
	page, n := c.pageSize(), 0
	c.reads.Add(1)
	for doc, err := range c.target.List(ctx, r.target) {
		if err = c.checked(ctx, err); err != nil {
			return listError(err)
		}
		for path, l := range r.uniques {
			for _, v := range l.values(doc) {
				c.uniques.values[r.uniqueKey(path, fmt.Sprint(v))] = true
			}
		}
		if n++; n%page == 0 {
			c.reads.Add(1)
		}
	}
	c.uniques.listed[r.target] = true
	return nil
}

// loadWanted reads which values objects have that are still to be created: those of this cycle that are recorded already, and those
// that an earlier one did not get to.
func (c *cycle) loadWanted(ctx context.Context, r *rule) error {
	for _, other := range c.job.rules {
		if other.target != r.target || c.uniques.loaded[other.source] {
			continue
		}
		c.uniques.loaded[other.source] = true
		if err := c.each(ctx, Query{Type: other.source, Dirty: true, Unlinked: true}, func(rec *Record) error {
			c.reserve(other, rec)
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// reserve keeps the values of an object that is to be created from others.
func (c *cycle) reserve(r *rule, rec *Record) {
	if len(r.uniques) == 0 || rec.TargetID != "" || !rec.Flags.Has(InScope) {
		return
	}
	for path, l := range r.uniques {
		for _, v := range l.values(rec.Want.Create) {
			key := r.uniqueKey(path, fmt.Sprint(v))
			if _, ok := c.uniques.wanted[key]; !ok {
				c.uniques.wanted[key] = r.source + "\x00" + rec.SourceID
			}
		}
	}
}

// uniqueFailure words an error of the mapping that is about what the target has, and not about the object. It returns nil for others.
func uniqueFailure(err error) *Failure {
	var f *Failure
	var e *scim.Error
	switch {
	case errors.Is(err, expr.ErrAllTaken):
		f = &Failure{Code: EntryConflict, Reason: "every value that the mapping could give is taken", Remedy: "give the expression one more rule, or free a value in the target"}
	case errors.As(err, &f), errors.As(err, &e):
		f = failureOf(err)
	default:
		return nil
	}
	f.Remap = true
	var m *mapping.Error
	if errors.As(err, &m) && f.Attribute == "" {
		f.Attribute = m.Target
	}
	return f
}

// remap maps objects again whose mapping failed because of what the target had, when they are due. A full read does so by itself.
func (c *cycle) remap(ctx context.Context, r *rule) error {
	if c.full[r.source] || len(r.uniques) == 0 {
		return nil
	}
	var ids []string
	if err := c.each(ctx, Query{Type: r.source, Failed: true, DueBefore: c.began}, func(rec *Record) error {
		if rec.Failure != nil && rec.Failure.Remap && rec.Flags.Has(Present) && !c.seen[r.source].has(rec.Key) {
			ids = append(ids, rec.SourceID)
		}
		return nil
	}); err != nil || len(ids) == 0 {
		return err
	}
	entries, err := c.job.config.Source.Lookup(ctx, r.source, ids)
	if err != nil {
		return c.sourceFault(ctx, r.source, err)
	}
	return c.readEntryBatch(ctx, r, entries)
}
