package sqlstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"sync"
	"unicode"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server/internal/casefold"
)

// usual are the attributes that are always indexed, where the schema has them.
var usual = []string{"userName", "externalId", "displayName", "emails.value"}

// shape is how search and terms are made from documents of one type.
type shape struct {
	schema      *schema.Schema
	fingerprint string
	indexed     []*schema.Attribute

	mu sync.Mutex
	id int64 // 0 as long as it is not known
}

// makeShape returns the shape under a schema, with indexes for the usual attributes, those of more, and all that are unique.
func makeShape(s *schema.Schema, more []string) *shape {
	sh := &shape{schema: s}
	add := func(a *schema.Attribute, ok bool) {
		if ok && a.Type == schema.Complex {
			a, ok = a.SubAttribute("value")
		}
		if ok && a.Type == schema.String && !a.Sensitive() && !slices.Contains(sh.indexed, a) {
			sh.indexed = append(sh.indexed, a)
		}
	}
	for _, path := range slices.Concat(usual, more) {
		add(s.Lookup(path))
	}
	digest := sha256.New()
	fmt.Fprintln(digest, projectionVersion, unicode.Version)
	for a := range s.Attributes() {
		describe(digest, a, func(a *schema.Attribute) {
			if a.Uniqueness == schema.UniquenessServer || a.Uniqueness == schema.UniquenessGlobal {
				add(a, a.Path() != "id" && a.Type == schema.String)
			}
		})
	}
	for _, a := range sh.indexed {
		fmt.Fprintln(digest, "indexed", a.Path())
	}
	sh.fingerprint = hex.EncodeToString(digest.Sum(nil)[:16])
	return sh
}

// describe writes what of an attribute search and terms depend on.
func describe(digest hash.Hash, a *schema.Attribute, visit func(*schema.Attribute)) {
	fmt.Fprintln(digest, a.Path(), a.Type, a.MultiValued, a.CaseExact, a.Sensitive())
	visit(a)
	for _, sub := range a.Sub {
		describe(digest, sub, visit)
	}
}

// shapes are the shapes of the schemas that the store has met.
type shapes struct {
	mu    sync.Mutex
	known map[*schema.Schema]*shape
	// last is the schema that a type was last seen with.
	last map[string]*schema.Schema
}

// maxShapes bounds what is remembered, should a program compile a schema for every request.
const maxShapes = 256

// shape returns that of a type under a schema; with nil, under the schema that the type was seen with last, nil when there is none.
func (s *Store) shape(typ string, sc *schema.Schema) *shape {
	s.shapes.mu.Lock()
	defer s.shapes.mu.Unlock()
	if sc == nil {
		sc = s.shapes.last[typ]
	}
	if sc == nil {
		return nil
	}
	if len(s.shapes.known) >= maxShapes {
		clear(s.shapes.known)
	}
	if len(s.shapes.last) < maxShapes {
		s.shapes.last[typ] = sc
	}
	sh, ok := s.shapes.known[sc]
	if !ok {
		sh = makeShape(sc, s.indexed)
		s.shapes.known[sc] = sh
	}
	return sh
}

// shapeID returns the number of a shape in the database. When it has none yet it is given one if make is set; else the result is -1,
// which no row has.
func (s *Store) shapeID(ctx context.Context, sh *shape, make bool) (int64, error) {
	if sh == nil {
		return 0, nil
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.id != 0 {
		return sh.id, nil
	}
	find := func(q Querier) (id int64, err error) {
		id = -1
		err = q.Query(ctx, func(r Row) error { return r.Scan(&id) }, "SELECT id FROM shapes WHERE fingerprint = $1", sh.fingerprint)
		return id, err
	}
	id, err := find(s.db)
	if err == nil && id < 0 && make {
		err = s.db.Write(ctx, func(tx Tx) (err error) {
			if _, err = tx.Exec(ctx, "INSERT INTO shapes (fingerprint) VALUES ($1) ON CONFLICT (fingerprint) DO NOTHING", sh.fingerprint); err == nil {
				id, err = find(tx)
			}
			return err
		})
	}
	if err == nil && id > 0 {
		sh.id = id
	}
	return id, err
}

// term is a value of an indexed attribute.
type term struct{ attribute, value string }

// terms returns the values of a document's indexed attributes, each once.
func (sh *shape) terms(doc scim.Document) []term {
	if sh == nil {
		return nil
	}
	list := make([]term, 0, len(sh.indexed)+2)
	for _, a := range sh.indexed {
		holder := map[string]any(doc)
		if a.URN != "" {
			holder, _ = doc[a.URN].(map[string]any)
		}
		add := func(v any) {
			text, ok := v.(string)
			if t := (term{a.Path(), termKey(casefold.String(text))}); ok && !slices.Contains(list, t) {
				list = append(list, t)
			}
		}
		if p := a.Parent(); p != nil {
			each(holder[p.Name], func(e any) {
				object, _ := e.(map[string]any)
				each(object[a.Name], add)
			})
			continue
		}
		each(holder[a.Name], add)
	}
	return list
}

// each calls do for every element of an array, or for a value that is none.
func each(v any, do func(any)) {
	list, ok := v.([]any)
	if !ok {
		do(v)
		return
	}
	for _, e := range list {
		do(e)
	}
}

// isIndexed returns the attribute that a filter names when it is indexed: for a complex one, its value.
func (sh *shape) isIndexed(name filter.Attr) (*schema.Attribute, bool) {
	a, ok := sh.schema.AttrLoose(name)
	if ok && a.Type == schema.Complex {
		a, ok = a.SubAttribute("value")
	}
	return a, ok && slices.Contains(sh.indexed, a)
}
