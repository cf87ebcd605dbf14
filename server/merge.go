package server

import (
	"context"
	"slices"
)

// merged returns a page of the ordered resources of several types by its index.
func (c *call) merged(ctx context.Context, queries []typeQuery, w window) (result, error) {
	sources := make([]*source, len(queries))
	for i, q := range queries {
		q.Limit = min(w.offset()+w.count, c.s.opts.Limits.MaxResults)
		sources[i] = &source{call: c, q: q}
	}
	return c.merge(ctx, sources, w.offset(), w.count)
}

// mergePosition is where the resources of one type go on.
type mergePosition struct {
	// After is [Page.Next] of the page before, empty for the type's first page.
	After string `json:"a,omitzero"`
	// Done says that there are no more.
	Done bool `json:"x,omitzero"`
}

// mergedFromCursor returns the page of ordered resources of several types that a cursor points to.
func (c *call) mergedFromCursor(ctx context.Context, queries []typeQuery, w window) (result, error) {
	position, err := c.openCursor(*w.cursor, w.digest)
	if err != nil {
		return result{}, err
	}
	if position.Merge == nil {
		position.Merge = make([]mergePosition, len(queries))
	}
	if len(position.Merge) != len(queries) {
		return result{}, invalidCursor()
	}
	// Each try reads a page and then finds out where each type goes on. A change in between makes another try necessary.
	const most = 10
	for range most {
		sources := make([]*source, len(queries))
		for i, q := range queries {
			q.After, q.Limit = position.Merge[i].After, w.count
			sources[i] = &source{call: c, q: q, done: position.Merge[i].Done}
		}
		r, err := c.merge(ctx, sources, 0, w.count)
		if err != nil {
			return r, err
		}
		next := cursor{Merge: make([]mergePosition, len(queries)), Digest: w.digest}
		more, stable := false, true
		for i, s := range sources {
			var same bool
			if next.Merge[i], same, err = s.position(ctx); err != nil {
				return r, err
			}
			more, stable = more || !next.Merge[i].Done, stable && same
		}
		if stable {
			if more {
				r.next = c.sealCursor(next)
			}
			return r, nil
		}
	}
	return result{}, unavailable("too many changes while the results were put in order")
}

// merge returns resources of the sources in their order, without those that come first.
func (c *call) merge(ctx context.Context, sources []*source, skip, count int) (result, error) {
	var r result
	for _, s := range sources {
		if err := s.open(ctx); err != nil {
			return r, err
		}
		r.total += s.total
	}
	for n := range skip + count {
		next, err := least(ctx, sources)
		if err != nil || next == nil {
			return r, err
		}
		resource := next.page[next.taken]
		next.taken++
		if n < skip {
			continue
		}
		list, err := c.show(ctx, next.q.view, []Resource{resource})
		if err != nil {
			return r, err
		}
		r.shown = append(r.shown, list...)
	}
	return r, nil
}

// source yields the resources of one type in order.
type source struct {
	call *call
	// q is the query of the page that is being read.
	q    typeQuery
	page []Resource
	keys []SortKey
	// taken is how many of the page were used.
	taken int
	// next is where the page after this begins; done says that there is none.
	next  string
	done  bool
	total int
}

// open reads the first page, and how many resources there are in all.
func (s *source) open(ctx context.Context) error {
	s.q.Total = true
	if s.done {
		q := s.q.Query
		q.After, q.Limit = "", 0
		page, err := s.call.ask(ctx, q)
		s.total = page.Total
		return err
	}
	return s.read(ctx)
}

// read reads the page that q asks for.
func (s *source) read(ctx context.Context) error {
	page, err := s.call.ask(ctx, s.q.Query)
	if err != nil {
		return err
	}
	if s.q.Total {
		s.total, s.q.Total = page.Total, false
	}
	s.page, s.taken, s.next = page.Resources, 0, page.Next
	s.keys = make([]SortKey, len(s.page))
	for i, r := range s.page {
		doc := r.Document
		if s.q.View != nil {
			if doc, err = s.q.View(ctx, r); err != nil {
				return err
			}
		}
		s.keys[i] = s.q.Order.Key(doc)
	}
	return nil
}

// fill reads the next page when this one is used up.
func (s *source) fill(ctx context.Context) error {
	if s.done || s.taken < len(s.page) {
		return nil
	}
	if s.done = s.next == ""; s.done {
		return nil
	}
	s.q.After = s.next
	return s.read(ctx)
}

// position returns where the resources go on that were not used, and whether those which were used are still in front of it.
func (s *source) position(ctx context.Context) (mergePosition, bool, error) {
	switch {
	case s.done:
		return mergePosition{Done: true}, true, nil
	case s.taken == len(s.page) && (s.taken > 0 || s.q.Limit > 0):
		return mergePosition{After: s.next, Done: s.next == ""}, true, nil
	case s.taken == 0:
		return mergePosition{After: s.q.After}, true, nil
	}
	q := s.q.Query
	q.Limit = s.taken
	page, err := s.call.ask(ctx, q)
	same := slices.EqualFunc(page.Resources, s.page[:s.taken], func(a, b Resource) bool { return a.Key == b.Key })
	return mergePosition{After: page.Next, Done: page.Next == ""}, same, err
}

// least returns the source whose next resource comes first; nil when all are used up.
func least(ctx context.Context, sources []*source) (*source, error) {
	var first *source
	for _, s := range sources {
		if err := s.fill(ctx); err != nil {
			return nil, err
		}
		if s.taken == len(s.page) {
			continue
		}
		if first == nil || s.q.Order.Compare(s.keys[s.taken], first.keys[first.taken]) < 0 {
			first = s
		}
	}
	return first, nil
}
