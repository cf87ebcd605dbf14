package scim

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	core "github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/provision"
)

// maxChanges is how many changes are gathered before everything is read instead, which takes less memory.
const maxChanges = 10_000

// watermark is a position in the history of a service that keeps none.
type watermark struct {
	// Time is when it was taken, by this machine's clock.
	Time time.Time `json:"t,omitzero"`
	// Period numbers the spans of Options.FullEvery: everything is read when another one has begun.
	Period int64 `json:"p,omitzero"`
	// Totals are how many resources of each type there were.
	Totals map[string]int `json:"n,omitempty"`
}

// Watermark returns the time, with the number of resources of each type where totals can be trusted. A service that cannot tell changes has
// always the same one.
func (s *Source) Watermark(ctx context.Context) (string, error) {
	w := watermark{}
	if s.options.Changes {
		w.Time = s.options.Now().UTC().Truncate(time.Millisecond)
		w.Period = s.period(w.Time)
		for _, name := range slices.Sorted(maps.Keys(s.types)) {
			n, err := s.Count(ctx, name)
			if err != nil {
				return "", err
			}
			if n >= 0 {
				if w.Totals == nil {
					w.Totals = map[string]int{}
				}
				w.Totals[name] = n
			}
		}
	}
	data, err := json.Marshal(w, json.Deterministic(true))
	return string(data), err
}

func (s *Source) period(t time.Time) int64 {
	if s.options.FullEvery < 0 {
		return 0
	}
	return t.UnixNano() / int64(s.options.FullEvery)
}

// Changes yields the resources that were modified since a watermark, or [provision.ErrWatermarkExpired] where it cannot be known that
// these are all: see the package.
func (s *Source) Changes(ctx context.Context, objectType, since string) iter.Seq2[provision.Entry, error] {
	return func(yield func(provision.Entry, error) bool) {
		t, ok := s.types[objectType]
		if !ok {
			return
		}
		entries, err := s.changes(ctx, &t, since)
		if err != nil {
			yield(provision.Entry{}, err)
			return
		}
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// changes gathers all changes before it returns any, because only the last tells whether they are all.
func (s *Source) changes(ctx context.Context, t *Type, since string) ([]provision.Entry, error) {
	var w watermark
	if err := json.Unmarshal([]byte(since), &w); err != nil || !s.options.Changes || w.Time.IsZero() || w.Period != s.period(s.options.Now()) {
		return nil, provision.ErrWatermarkExpired
	}
	from := w.Time.Add(-s.options.Overlap)
	var entries []provision.Entry
	created, telling := 0, true
	err := s.entries(ctx, t, s.modifiedSince(t, from), func(e provision.Entry, doc core.Document) bool {
		entries = append(entries, e)
		modified, ok := metaTime(doc, "lastModified")
		// A service that ignores the filter shows what it should not have.
		telling = ok && !modified.Before(from.Truncate(time.Second)) && len(entries) <= maxChanges
		if born, ok := metaTime(doc, "created"); ok && born.After(w.Time) {
			created++
		}
		return telling
	})
	if errors.Is(err, core.ErrInvalidFilter) {
		return nil, provision.ErrWatermarkExpired // the service does not know the filter after all
	}
	if err != nil {
		return nil, err
	}
	if !telling {
		return nil, provision.ErrWatermarkExpired
	}
	return entries, s.checkTotal(ctx, t, w, created)
}

// checkTotal compares how many resources there are with how many there should be when none was deleted.
func (s *Source) checkTotal(ctx context.Context, t *Type, w watermark, created int) error {
	before, counted := w.Totals[t.Name]
	if s.options.TotalsUnreliable {
		return nil
	}
	now, err := s.Count(ctx, t.Name)
	if err != nil {
		return err
	}
	if !counted || now != before+created {
		return provision.ErrWatermarkExpired
	}
	return nil
}

func (s *Source) modifiedSince(t *Type, from time.Time) filter.Filter {
	if r, ok := s.client.Profile().Resource(t.Name); ok {
		if a, ok := r.Attribute("meta.lastModified"); ok && !slices.Contains(a.Filter, "gt") && slices.Contains(a.Filter, "ge") {
			return filter.Ge("meta.lastModified", from)
		}
	}
	return filter.Gt("meta.lastModified", from)
}

func metaTime(doc core.Document, name string) (time.Time, bool) {
	meta, _ := doc["meta"].(map[string]any)
	text, _ := meta[name].(string)
	t, err := time.Parse(time.RFC3339, text)
	return t, err == nil
}
