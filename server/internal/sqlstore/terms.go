package sqlstore

import (
	"context"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/sqlquery"
)

// term is a value of an indexed attribute.
type term = sqlquery.Entry

var termColumns = []string{"tenant", "type", "attribute", "value", "owner"}

func termRow(t term, key server.Key, owner int64) []any {
	return []any{key.Tenant, key.Type, t.Path, t.Value, owner}
}

func addTerms(ctx context.Context, tx Tx, key server.Key, owner int64, terms []term) error {
	if len(terms) == 0 {
		return nil
	}
	list := make([][]any, len(terms))
	for i, t := range terms {
		list[i] = termRow(t, key, owner)
	}
	return tx.Insert(ctx, "terms", termColumns, list)
}

// few is how many terms are removed one by one. When there are more, all are, and those that stay are added again.
const few = 50

// setTerms gives a resource these terms in the place of those that it has.
func setTerms(ctx context.Context, tx Tx, was row, terms []term) error {
	old := make(map[term]bool)
	err := tx.Query(ctx, func(r Row) error {
		var t term
		err := r.Scan(&t.Path, &t.Value)
		old[t] = true
		return err
	}, "SELECT attribute, value FROM terms WHERE owner = $1", was.seq)
	if err != nil {
		return err
	}
	var fresh []term
	for _, t := range terms {
		if !old[t] {
			fresh = append(fresh, t)
		}
		delete(old, t)
	}
	if len(old) > few {
		if _, err := tx.Exec(ctx, "DELETE FROM terms WHERE owner = $1", was.seq); err != nil {
			return err
		}
		return addTerms(ctx, tx, was.resource.Key, was.seq, terms)
	}
	for t := range old {
		_, err := tx.Exec(ctx, "DELETE FROM terms WHERE tenant = $1 AND type = $2 AND attribute = $3 AND value = $4 AND owner = $5",
			termRow(t, was.resource.Key, was.seq)...)
		if err != nil {
			return err
		}
	}
	return addTerms(ctx, tx, was.resource.Key, was.seq, fresh)
}
