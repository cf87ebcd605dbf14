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

	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/sqlquery"
)

// usual are the attributes that are always indexed, where the schema has them.
var usual = []string{"userName", "externalId", "displayName", "emails.value"}

// modified is the attribute that changes whenever a resource does.
const modified = "meta.lastModified"

// shape is how search and terms are made from documents of one type.
type shape struct {
	schema      *schema.Schema
	fingerprint string
	// indexed are the paths of the attributes with terms.
	indexed []string

	mu sync.Mutex
	id int64 // 0 as long as it is not known
}

// version changes with how search and terms are made.
const version = 1

// makeShape returns the shape under a schema, with terms of the usual attributes, those of more, and all that are unique.
func makeShape(s *schema.Schema, more []string) *shape {
	sh := &shape{schema: s}
	add := func(a *schema.Attribute, ok bool) {
		if ok && a.Type == schema.Complex {
			a, ok = a.SubAttribute("value")
		}
		if ok && !a.Sensitive() && a.Path() != "id" && !slices.Contains(sh.indexed, a.Path()) {
			sh.indexed = append(sh.indexed, a.Path())
		}
	}
	for _, path := range slices.Concat(usual, more) {
		add(s.Lookup(path))
	}
	if _, group := s.Lookup(server.Members); !group {
		// Programs that keep up with changes ask what is newer. For groups it would make a change of one member cost more.
		add(s.Lookup(modified))
	}
	digest := sha256.New()
	fmt.Fprintln(digest, version, sqlquery.Version, unicode.Version)
	for a := range s.Attributes() {
		describe(digest, a, func(a *schema.Attribute) {
			add(a, a.Uniqueness == schema.UniquenessServer || a.Uniqueness == schema.UniquenessGlobal)
		})
	}
	for _, path := range sh.indexed {
		fmt.Fprintln(digest, "indexed", path)
	}
	sh.fingerprint = hex.EncodeToString(digest.Sum(nil)[:16])
	return sh
}

// has reports whether there are terms of an attribute.
func (sh *shape) has(path string) bool { return sh != nil && slices.Contains(sh.indexed, path) }

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
