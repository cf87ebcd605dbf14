package provision

import (
	"cmp"
	"context"
	"slices"
)

// find returns the records of objects that people name so: by source or target id, display name, or a matching value in any case.
func (j *Job) find(ctx context.Context, name string) ([]Record, error) {
	records, err := j.config.State.Scan(ctx, j.config.Name, Query{Text: name}, 0, readBatch)
	if err != nil {
		return nil, err
	}
	known := map[int64]bool{}
	for i := range records {
		known[records[i].Key] = true
	}
	for _, r := range j.rules {
		var values []string
		for _, path := range r.m.MatchingAttributes() {
			values = append(values, r.matchKey(path, name))
		}
		matching, err := j.config.State.Matching(ctx, j.config.Name, r.source, values)
		if err != nil {
			return nil, err
		}
		var keys []int64
		for _, m := range matching {
			if !known[m.Key] {
				known[m.Key] = true
				keys = append(keys, m.Key)
			}
		}
		more, err := j.config.State.Records(ctx, j.config.Name, keys)
		if err != nil {
			return nil, err
		}
		records = append(records, more...)
	}
	return records, nil
}

// logOf returns the log entries of the objects that people name so.
func (j *Job) logOf(ctx context.Context, q LogQuery) ([]LogEntry, error) {
	records, err := j.find(ctx, q.User)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{q.User: true}
	for i := range records {
		ids[records[i].SourceID] = true
	}
	var all []LogEntry
	for _, id := range sortedKeys(ids) {
		one := q
		one.ID, one.User = id, ""
		entries, err := j.config.State.Log(ctx, j.config.Name, one)
		if err != nil {
			return nil, err
		}
		all = append(all, entries...)
	}
	// Where an id is asked for as well, both must be true.
	all = slices.DeleteFunc(all, func(e LogEntry) bool { return q.ID != "" && e.Source.ID != q.ID && e.Target.ID != q.ID })
	slices.SortStableFunc(all, func(a, b LogEntry) int { return b.Time.Compare(a.Time) })
	seen := map[string]bool{}
	all = slices.DeleteFunc(all, func(e LogEntry) bool {
		again := seen[e.ID]
		seen[e.ID] = true
		return again
	})
	return all[:min(len(all), cmp.Or(max(q.Limit, 0), 100))], nil
}
