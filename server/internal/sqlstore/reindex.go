package sqlstore

import (
	"context"

	"github.com/scimbridge/scim/schema"
)

// Reindex gives all resources of a type the shape that they have under a schema.
func (s *Store) Reindex(ctx context.Context, typ string, sc *schema.Schema) error {
	sh := s.shape(typ, sc)
	id, err := s.shapeID(ctx, sh, true)
	if err != nil || sh == nil {
		return wrap("reindex", err)
	}
	const chunk = 200
	for seq, left := int64(0), true; left; {
		err := s.db.Write(ctx, func(tx Tx) error {
			list, err := rows(ctx, tx, "SELECT "+columns+" FROM resources r WHERE r.type = $1 AND r.shape <> $2 AND r.seq > $3 ORDER BY r.seq LIMIT $4"+
				s.dialect.ForUpdate, typ, id, seq, int64(chunk))
			if err != nil {
				return err
			}
			next := seq
			for _, r := range list {
				if err := s.reindex(ctx, tx, r, sh, id); err != nil {
					return err
				}
				next = r.seq
			}
			seq, left = next, len(list) == chunk
			return nil
		})
		if err != nil {
			return wrap("reindex", err)
		}
	}
	return nil
}

func (s *Store) reindex(ctx context.Context, tx Tx, r row, sh *shape, id int64) error {
	c := content{shape: id}
	if err := c.index(sh, r.resource.Document); err != nil {
		return err
	}
	if err := setTerms(ctx, tx, r, c.terms); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "UPDATE resources SET shape = $2, search = "+s.dialect.search("$3")+" WHERE seq = $1", r.seq, c.shape, c.search)
	return err
}
