package sqlstore

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/server"
)

// scanned is how many documents are held at once.
const scanned = 256

// scan returns the page by evaluating the query on documents. in runs a function in a transaction: in one that goes on when the query is
// one of a moment, in one of its own when View must be called between them.
func (s *search) scan(ctx context.Context, in func(func(Tx) error) error) (page server.Page, err error) {
	var found []row
	if s.Order.Attribute != nil {
		found, err = s.ordered(ctx, in, &page)
	} else {
		found, err = s.created(ctx, in, &page)
	}
	if err != nil {
		return server.Page{}, err
	}
	err = in(func(tx Tx) error {
		page.Resources, err = s.resources(ctx, tx, found)
		return err
	})
	return page, err
}

// created finds the resources of a page in the order of their creation.
func (s *search) created(ctx context.Context, in func(func(Tx) error) error, page *server.Page) (found []row, err error) {
	last := s.after.Seq
	from := s.after.Seq
	if s.Total {
		from = 0
	}
	return found, s.matching(ctx, in, from, func(r row, _ scim.Document) bool {
		page.Total++
		switch {
		case r.seq <= s.after.Seq || s.After == "" && page.Total <= s.Offset:
		case len(found) < s.Limit:
			found = append(found, r)
			last = r.seq
		case page.Next == "":
			page.Next = position{Seq: last}.String()
			return s.Total
		}
		return true
	})
}

// ordered finds the resources of a page in an order. It holds no more than the place of those in the page and before it.
func (s *search) ordered(ctx context.Context, in func(func(Tx) error) error, page *server.Page) ([]row, error) {
	first := &firsts{order: s.Order, most: s.Offset + s.Limit + 1}
	var start *spot
	if s.After != "" && s.after.Key != nil {
		start = &spot{key: *s.after.Key, seq: s.after.Seq}
	}
	err := s.matching(ctx, in, 0, func(r row, doc scim.Document) bool {
		page.Total++
		p := spot{key: s.Order.Key(doc), seq: r.seq}
		if start == nil || first.compare(p, *start) > 0 {
			first.add(p)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	spots := first.sorted()
	beyond := len(spots) > s.Offset+s.Limit
	spots = spots[min(s.Offset, len(spots)):min(s.Offset+s.Limit, len(spots))]
	if beyond && len(spots) > 0 {
		last := spots[len(spots)-1]
		page.Next = position{Seq: last.seq, Key: &last.key}.String()
	} else if beyond && start != nil {
		page.Next = s.After
	}
	var found []row
	err = in(func(tx Tx) error {
		found, err = bySeq(ctx, tx, spots)
		return err
	})
	return found, err
}

// bySeq returns the rows with these sequence numbers, in their order.
func bySeq(ctx context.Context, tx Tx, spots []spot) ([]row, error) {
	seqs := make([]int64, len(spots))
	for i, p := range spots {
		seqs[i] = p.seq
	}
	bySeq := make(map[int64]row, len(seqs))
	err := inChunks(seqs, func(list string, args []any) error {
		some, err := rows(ctx, tx, "SELECT "+columns+" FROM resources r WHERE r.seq IN ("+list+")", args...)
		for _, r := range some {
			bySeq[r.seq] = r
		}
		return err
	})
	found := make([]row, 0, len(seqs))
	for _, seq := range seqs {
		if r, ok := bySeq[seq]; ok { // it may be gone when the order needed a View
			found = append(found, r)
		}
	}
	return found, err
}

func (s *search) omits(name string) bool { return slices.Contains(s.Omit, name) }

// readsMembers reports whether filter or order look at members.
func (s *search) readsMembers() bool {
	if a := s.Order.Attribute; a != nil && strings.HasPrefix(a.Path(), server.Members+".") {
		return true
	}
	return slices.ContainsFunc(s.Filter.Attributes(), func(a filter.Attr) bool { return strings.EqualFold(a.Name, server.Members) })
}

// matching calls visit for every resource that matches after a sequence number, with its document as filter and order see it, until it
// returns false. The row is without members.
func (s *search) matching(ctx context.Context, in func(func(Tx) error) error, after int64, visit func(row, scim.Document) bool) error {
	c, _ := s.clause()
	c.and("r.seq > " + c.arg(after))
	from := len(c.args) - 1
	text := "SELECT " + columns + c.where + " ORDER BY r.seq LIMIT " + c.arg(int64(scanned))
	for {
		var list []row
		err := in(func(tx Tx) (err error) {
			list, err = rows(ctx, tx, text, c.args...)
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range list {
			doc, err := s.seen(ctx, in, r)
			if err != nil {
				return err
			}
			if doc == nil || s.Match != nil && !s.Match.Match(doc) {
				continue
			}
			if !visit(r, doc) {
				return nil
			}
		}
		if len(list) < scanned {
			return nil
		}
		c.args[from] = list[len(list)-1].seq
	}
}

// seen returns the document as filter and order see it; nil when it is gone. The members of one group at a time are held.
func (s *search) seen(ctx context.Context, in func(func(Tx) error) error, r row) (scim.Document, error) {
	if r.members && (s.View != nil || s.readsMembers()) {
		err := in(func(tx Tx) (err error) {
			if s.View != nil { // this is another transaction than that in which the row was read
				if r, err = find(ctx, tx, r.resource.Key, ""); err != nil {
					return err
				}
			}
			return addMembers(ctx, tx, []*row{&r})
		})
		if errors.Is(err, server.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	if s.View == nil {
		return r.resource.Document, nil
	}
	return s.View(ctx, r.resource)
}

// spot is the place of a resource in an order.
type spot struct {
	key server.SortKey
	seq int64
}

// firsts keeps the first few of many spots: a heap with the last of them on top.
type firsts struct {
	order server.Order
	most  int
	spots []spot
}

// compare orders spots; equal ones in the order of their creation.
func (f *firsts) compare(a, b spot) int {
	return cmp.Or(f.order.Compare(a.key, b.key), cmp.Compare(a.seq, b.seq))
}

func (f *firsts) add(p spot) {
	if len(f.spots) < f.most {
		heap.Push(f, p)
		return
	}
	if f.compare(p, f.spots[0]) < 0 {
		f.spots[0] = p
		heap.Fix(f, 0)
	}
}

func (f *firsts) sorted() []spot {
	slices.SortFunc(f.spots, f.compare)
	return f.spots
}

// Len, Less, Swap, Push and Pop are for package heap.

func (f *firsts) Len() int           { return len(f.spots) }
func (f *firsts) Less(i, j int) bool { return f.compare(f.spots[i], f.spots[j]) > 0 }
func (f *firsts) Swap(i, j int)      { f.spots[i], f.spots[j] = f.spots[j], f.spots[i] }
func (f *firsts) Push(p any)         { f.spots = append(f.spots, p.(spot)) }
func (f *firsts) Pop() any {
	last := f.spots[len(f.spots)-1]
	f.spots = f.spots[:len(f.spots)-1]
	return last
}
