package sqlstore

import (
	"context"
	"slices"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/sqlquery"
)

// walked returns a page of all resources in the order of an attribute with terms, and false when these do not give the order. It reads
// as many terms as it passes over and returns, where any other way sorts all resources.
func (s *search) walked(ctx context.Context, tx Tx) (page server.Page, ok bool, err error) {
	if s.Match != nil || s.stale || s.shape == nil || s.After != "" && s.after.Key == nil {
		return page, false, nil
	}
	c := &clause{args: []any{s.Tenant, s.Type}}
	way, ok := s.table().Walk(s.Schema, s.Query.Order, c.arg)
	if !ok {
		return page, false, nil
	}
	seqs, ok, err := (&walk{way: way, search: s, tx: tx, clause: c}).find(ctx)
	if err != nil || !ok {
		return page, false, err
	}
	found := make([]spot, 0, len(seqs))
	for _, seq := range seqs[:min(len(seqs), s.Limit)] {
		found = append(found, spot{seq: seq})
	}
	list, err := bySeq(ctx, tx, found)
	if err != nil {
		return page, false, err
	}
	if len(seqs) > s.Limit {
		page.Next = s.next(list)
	}
	if s.Total {
		if page.Total, err = s.size(ctx, tx); err != nil {
			return page, false, err
		}
	}
	page.Resources, err = s.resources(ctx, tx, list)
	return page, true, err
}

// walk is one way along the terms of an attribute.
type walk struct {
	*search
	way    sqlquery.Walk
	tx     Tx
	clause *clause
	// unclear says that a term was met which does not say where its resource belongs.
	unclear bool
}

// find returns the sequence numbers of the page and of one resource more, and false when the terms do not say which these are.
func (w *walk) find(ctx context.Context) (seqs []int64, ok bool, err error) {
	left, offset, after := more(w.Limit), int64(w.Offset), w.After != ""
	parts := []bool{true, false} // those with a term, and those without
	if w.Order.Descending {
		slices.Reverse(parts)
	}
	for _, with := range parts {
		if after && with != w.after.Key.Present {
			continue // the page begins in the other part
		}
		read := w.without
		if with {
			read = w.with
		}
		list, err := read(ctx, after, left, offset)
		if err != nil || w.unclear {
			return nil, false, err
		}
		seqs, left, after = append(seqs, list...), left-int64(len(list)), false
		if left == 0 {
			break
		}
		if len(list) > 0 {
			offset = 0
		} else if offset > 0 {
			n, err := w.count(ctx, with)
			if err != nil {
				return nil, false, err
			}
			offset = max(0, offset-n)
		}
	}
	return seqs, true, nil
}

// with returns resources that have a term, in their order.
func (w *walk) with(ctx context.Context, after bool, limit, offset int64) (seqs []int64, err error) {
	c := &clause{args: slices.Clone(w.clause.args)}
	text := "SELECT " + w.way.Key + ", " + w.way.Value + " FROM " + w.way.Entries
	if after {
		condition, ok := w.way.After(*w.after.text(w.Order), w.after.Seq, c.arg)
		if !ok {
			w.unclear = true
			return nil, nil
		}
		text += " AND " + condition
	}
	text += " ORDER BY " + w.way.By + " LIMIT " + c.arg(limit) + " OFFSET " + c.arg(offset)
	err = w.tx.Query(ctx, func(r Row) error {
		var seq int64
		var value string
		err := r.Scan(&seq, &value)
		seqs = append(seqs, seq)
		w.unclear = w.unclear || sqlquery.IsCut(value)
		return err
	}, text, c.args...)
	return seqs, err
}

// without returns resources that have no term, in the order of their creation.
func (w *walk) without(ctx context.Context, after bool, limit, offset int64) (seqs []int64, err error) {
	if n, err := w.count(ctx, false); err != nil || n <= offset {
		return nil, err // mostly there are none, which costs less to know than to look for
	}
	c := &clause{args: slices.Clone(w.clause.args)}
	text := "SELECT r.seq FROM resources r WHERE " + w.store.dialect.OfType + " AND " + w.way.Missing
	if after {
		text += " AND r.seq > " + c.arg(w.after.Seq)
	}
	text += " ORDER BY r.seq LIMIT " + c.arg(limit) + " OFFSET " + c.arg(offset)
	err = w.tx.Query(ctx, func(r Row) error {
		var seq int64
		err := r.Scan(&seq)
		seqs = append(seqs, seq)
		return err
	}, text, c.args...)
	return seqs, err
}

// count returns how many resources have a term, or have none.
func (w *walk) count(ctx context.Context, with bool) (n int64, err error) {
	err = w.tx.Query(ctx, func(r Row) error { return r.Scan(&n) }, "SELECT count(*) FROM "+w.way.Entries, w.clause.args...)
	if err != nil || with {
		return n, err
	}
	all, err := w.size(ctx, w.tx)
	return int64(all) - n, err
}
