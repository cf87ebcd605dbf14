package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/scimbridge/scim/server"
)

// batch is how many resources Load adds in one transaction, unless they have many members.
const batch = 2000

// Load adds many resources, and returns how many it has added.
func (s *Store) Load(ctx context.Context, resources iter.Seq2[server.Resource, error]) (int, error) {
	loaded := 0
	var waiting []loading
	flush := func() error {
		n, err := s.add(ctx, waiting)
		loaded += n
		waiting = waiting[:0]
		return err
	}
	members := 0
	for r, err := range resources {
		if err == nil {
			err = ctx.Err()
		}
		var c content
		if err == nil {
			c, err = s.content(ctx, r)
		}
		if err != nil {
			return loaded, errors.Join(wrap("load", err), flush())
		}
		r.Document = nil // what is needed of it is in c
		waiting = append(waiting, loading{r, c})
		if members += len(c.members); len(waiting) >= batch || members > 10*batch {
			members = 0
			if err := flush(); err != nil {
				return loaded, err
			}
		}
	}
	return loaded, flush()
}

// loading is a resource that is being added.
type loading struct {
	resource server.Resource
	content  content
}

var (
	resourceColumns = []string{"seq", "tenant", "type", "id", "version", "members", "shape", "document", "search"}
	uniqueColumns   = []string{"tenant", "scope", "attribute", "value", "owner"}
)

// add adds resources in one transaction. When one of them cannot be added it adds those before it, and returns its error.
func (s *Store) add(ctx context.Context, list []loading) (int, error) {
	if len(list) == 0 {
		return 0, nil
	}
	err := s.db.Write(ctx, func(tx Tx) error { return s.insert(ctx, tx, list) })
	if err == nil {
		return len(list), nil
	}
	if ctx.Err() != nil {
		return 0, wrap("load", err)
	}
	// One of them is the cause: alone it says what is wrong.
	for i, l := range list {
		if err := s.create(ctx, l.resource, l.content); err != nil {
			return i, fmt.Errorf("sqlstore: load %s %s: %w", l.resource.Type, l.resource.ID, err)
		}
	}
	return len(list), nil
}

func (s *Store) insert(ctx context.Context, tx Tx, list []loading) error {
	seqs, err := tx.Sequence(ctx, len(list))
	if err != nil {
		return err
	}
	type counter struct{ tenant, typ string }
	var resources, uniques, terms, members [][]any
	counts := make(map[counter]int64)
	for i, l := range list {
		r, c, seq := l.resource, l.content, seqs[i]
		resources = append(resources, []any{
			seq, r.Tenant, r.Type, r.ID, r.Version, flag(len(c.members) > 0), c.shape, c.document, c.search,
		})
		for _, u := range c.unique {
			uniques = append(uniques, []any{r.Tenant, u.Scope, u.Attribute, uniqueKey(u.Value), seq})
		}
		for _, t := range c.terms {
			terms = append(terms, termRow(t, r.Key, seq))
		}
		for p, m := range c.members {
			members = append(members, m.row(r.Tenant, seq, int64(p)))
		}
		counts[counter{r.Tenant, r.Type}]++
	}
	for _, t := range []struct {
		table   string
		columns []string
		rows    [][]any
	}{
		{"resources", resourceColumns, resources},
		{"uniques", uniqueColumns, uniques},
		{"terms", termColumns, terms},
		{"members", memberColumns, members},
	} {
		if err := tx.Insert(ctx, t.table, t.columns, t.rows); err != nil {
			return err
		}
	}
	for c, n := range counts {
		if err := s.count(ctx, tx, server.Key{Tenant: c.tenant, Type: c.typ}, seqs[0], n); err != nil {
			return err
		}
	}
	return nil
}
