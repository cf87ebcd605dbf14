package sqlstore

import (
	"cmp"
	"context"
	"slices"

	"github.com/scimbridge/scim/server"
)

func compareUnique(a, b server.Unique) int {
	return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Attribute, b.Attribute), cmp.Compare(a.Value, b.Value))
}

// sorted returns values in one order, each once: transactions that want the same values do not wait for each other in a circle.
func sorted(values []server.Unique) []server.Unique {
	return slices.Compact(slices.SortedFunc(slices.Values(values), compareUnique))
}

// addUnique takes values for a resource. It returns a [server.TakenError] when one is another resource's.
func addUnique(ctx context.Context, tx Tx, tenant string, owner int64, values []server.Unique) error {
	for _, u := range values {
		n, err := tx.Exec(ctx, `INSERT INTO uniques (tenant, scope, attribute, value, owner) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant, scope, attribute, value) DO NOTHING`, tenant, u.Scope, u.Attribute, uniqueKey(u.Value), owner)
		if err != nil {
			return err
		}
		if n == 0 {
			return &server.TakenError{Unique: u}
		}
	}
	return nil
}

// setUnique gives a resource these values in the place of those that it has.
func setUnique(ctx context.Context, tx Tx, was row, values []server.Unique) error {
	type held struct{ scope, attribute, key string }
	old := make(map[held]bool)
	err := tx.Query(ctx, func(r Row) error {
		var h held
		err := r.Scan(&h.scope, &h.attribute, &h.key)
		old[h] = true
		return err
	}, "SELECT scope, attribute, value FROM uniques WHERE owner = $1", was.seq)
	if err != nil {
		return err
	}
	var fresh []server.Unique
	for _, u := range values {
		h := held{u.Scope, u.Attribute, uniqueKey(u.Value)}
		if !old[h] {
			fresh = append(fresh, u)
		}
		delete(old, h)
	}
	if err := addUnique(ctx, tx, was.resource.Tenant, was.seq, fresh); err != nil {
		return err
	}
	for h := range old {
		_, err := tx.Exec(ctx, "DELETE FROM uniques WHERE tenant = $1 AND scope = $2 AND attribute = $3 AND value = $4",
			was.resource.Tenant, h.scope, h.attribute, h.key)
		if err != nil {
			return err
		}
	}
	return nil
}
