package memory

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
)

// Query returns a page of the resources as they are at one moment: changes made while it works are not in it.
func (s *Store) Query(ctx context.Context, q server.Query) (server.Page, error) {
	if err := ctx.Err(); err != nil {
		return server.Page{}, err
	}
	src, ok := s.source(q)
	if !ok {
		return server.Page{}, nil
	}
	after, err := parsePosition(q.After)
	if err != nil {
		return server.Page{}, err
	}
	switch {
	case q.Order.Attribute != nil:
		return src.ordered(ctx, q, after)
	case q.Match == nil:
		return src.slice(q, after), nil
	}
	return src.scan(ctx, q, after)
}

// position is where a page begins: after the resource with the sequence number and, in an order, with the key.
type position struct {
	Sequence uint64          `json:"s"`
	Key      *server.SortKey `json:"k,omitzero"`
}

func parsePosition(text string) (position, error) {
	var p position
	if text == "" {
		return p, nil
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return p, scim.NewError(400, scim.InvalidCursor, "the cursor is not one of this query")
	}
	return p, nil
}

func (p position) String() string {
	if p.Key == nil {
		return `{"s":` + strconv.FormatUint(p.Sequence, 10) + `}`
	}
	data, err := json.Marshal(p)
	if err != nil { // only for text that is not UTF-8, which documents do not hold
		return ""
	}
	return string(data)
}

// source is where a query looks: the candidates that an index has found, or all resources of the type.
type source struct {
	list []*version
	all  *versions
	// members says that filter or order look at members.
	members bool
}

// source returns where to look for what the query wants; false when there is nothing.
func (s *Store) source(q server.Query) (source, bool) {
	src := source{members: readsMembers(q)}
	s.mu.RLock()
	t := s.tenants[q.Tenant]
	if t == nil || t.tables[q.Type] == nil {
		s.mu.RUnlock()
		return src, false
	}
	tab := t.tables[q.Type]
	if q.Match != nil {
		if list, ok := (finder{t, tab, q.Type, q.Schema}).candidates(q.Filter.Node()); ok {
			s.mu.RUnlock()
			src.list = list
			return src, true
		}
	}
	src.all = tab.snapshot
	s.mu.RUnlock()
	if src.all == nil {
		src.all = s.snapshot(tab)
	}
	return src, true
}

// snapshot returns the resources of a table as they are now. It costs no more than a pointer: the first change afterwards copies
// what it touches.
func (s *Store) snapshot(tab *table) *versions {
	s.mu.Lock()
	defer s.mu.Unlock()
	if tab.snapshot == nil {
		tab.snapshot = tab.order.Copy()
	}
	return tab.snapshot
}

func readsMembers(q server.Query) bool {
	if a := q.Order.Attribute; a != nil && strings.HasPrefix(a.Path(), server.Members+".") {
		return true
	}
	for _, a := range q.Filter.Attributes() {
		if strings.EqualFold(a.Name, server.Members) {
			return true
		}
	}
	return false
}

// each calls visit for every resource after a sequence number, until it returns false.
func (src source) each(after uint64, visit func(*version) bool) {
	if src.all != nil {
		src.all.Ascend(after+1, func(_ uint64, v *version) bool { return visit(v) })
		return
	}
	for _, v := range src.list {
		if v.sequence > after && !visit(v) {
			return
		}
	}
}

// slice returns a page of all resources in the order of their creation.
func (src source) slice(q server.Query, after position) server.Page {
	page := server.Page{Total: src.all.Len()}
	last := after.Sequence
	if q.Offset > 0 {
		before, _, ok := src.all.GetAt(q.Offset - 1)
		if !ok {
			return page
		}
		last = before
	}
	src.each(last, func(v *version) bool {
		if len(page.Resources) == q.Limit {
			page.Next = position{Sequence: last}.String()
			return false
		}
		page.Resources = append(page.Resources, v.show(q.Omit))
		last = v.sequence
		return true
	})
	return page
}

// scan returns a page of the matching resources in the order of their creation.
func (src source) scan(ctx context.Context, q server.Query, after position) (server.Page, error) {
	var page server.Page
	last := after.Sequence
	err := src.matching(ctx, q, from(q, after), func(v *version, _ scim.Document) bool {
		page.Total++
		switch {
		case v.sequence <= after.Sequence || q.After == "" && page.Total <= q.Offset:
		case len(page.Resources) < q.Limit:
			page.Resources = append(page.Resources, v.show(q.Omit))
			last = v.sequence
		case page.Next == "":
			page.Next = position{Sequence: last}.String()
			return q.Total
		}
		return true
	})
	return page, err
}

// from returns after which resource to begin: to count all, with the first.
func from(q server.Query, after position) uint64 {
	if q.Total {
		return 0
	}
	return after.Sequence
}

// matching calls visit for every resource that matches, with its document as filter and order see it, until it returns false.
func (src source) matching(ctx context.Context, q server.Query, after uint64, visit func(*version, scim.Document) bool) (err error) {
	looked := 0
	src.each(after, func(v *version) bool {
		if looked++; looked%32 == 0 { // one look may take seconds, when a filter with many terms meets many values
			if err = ctx.Err(); err != nil {
				return false
			}
		}
		doc := v.resource.Document
		if src.members || q.View != nil {
			doc = v.show(nil).Document
		}
		if q.View != nil {
			if doc, err = q.View(ctx, v.show(nil)); err != nil {
				return false
			}
		}
		if q.Match != nil && !q.Match.Match(doc) {
			return true
		}
		return visit(v, doc)
	})
	return err
}

// ordered returns a page of the matching resources in an order. It holds no more of them than the page and what is before it.
func (src source) ordered(ctx context.Context, q server.Query, after position) (server.Page, error) {
	var page server.Page
	first := &firsts{order: q.Order, most: q.Offset + q.Limit + 1}
	var start *place
	if q.After != "" && after.Key != nil {
		start = &place{key: *after.Key, v: &version{sequence: after.Sequence}}
	}
	err := src.matching(ctx, q, 0, func(v *version, doc scim.Document) bool {
		page.Total++
		p := place{key: q.Order.Key(doc), v: v}
		if start == nil || first.compare(p, *start) > 0 {
			first.add(p)
		}
		return true
	})
	if err != nil {
		return server.Page{}, err
	}
	found := first.sorted()
	more := len(found) > q.Offset+q.Limit
	found = found[min(q.Offset, len(found)):min(q.Offset+q.Limit, len(found))]
	for _, p := range found {
		page.Resources = append(page.Resources, p.v.show(q.Omit))
	}
	if more && len(found) > 0 {
		last := found[len(found)-1]
		page.Next = position{Sequence: last.v.sequence, Key: &last.key}.String()
	} else if more && start != nil {
		page.Next = q.After
	}
	return page, nil
}

// place is the place of a resource in an order.
type place struct {
	key server.SortKey
	v   *version
}

// firsts keeps the first few of many places: a heap with the last of them on top.
type firsts struct {
	order  server.Order
	most   int
	places []place
}

// compare orders places; equal ones in the order of their creation.
func (f *firsts) compare(a, b place) int {
	return cmp.Or(f.order.Compare(a.key, b.key), cmp.Compare(a.v.sequence, b.v.sequence))
}

func (f *firsts) add(p place) {
	if len(f.places) < f.most {
		heap.Push(f, p)
		return
	}
	if f.compare(p, f.places[0]) < 0 {
		f.places[0] = p
		heap.Fix(f, 0)
	}
}

func (f *firsts) sorted() []place {
	slices.SortFunc(f.places, f.compare)
	return f.places
}

// Len, Less, Swap, Push and Pop are for package heap.

func (f *firsts) Len() int           { return len(f.places) }
func (f *firsts) Less(i, j int) bool { return f.compare(f.places[i], f.places[j]) > 0 }
func (f *firsts) Swap(i, j int)      { f.places[i], f.places[j] = f.places[j], f.places[i] }
func (f *firsts) Push(p any)         { f.places = append(f.places, p.(place)) }
func (f *firsts) Pop() any {
	last := f.places[len(f.places)-1]
	f.places = f.places[:len(f.places)-1]
	return last
}
