package sqlstore

import (
	"cmp"
	"context"
	"slices"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/sqlquery"
)

// Store keeps resources in a database. It implements [server.Store], [server.MemberCounter] and [server.BatchStore].
type Store struct {
	db      DB
	dialect Dialect
	indexed []string
	shapes  shapes
}

var (
	_ server.MemberCounter = (*Store)(nil)
	_ server.BatchStore    = (*Store)(nil)
)

// Options are what a store may be told.
type Options struct {
	// Indexed are the paths of attributes to index besides userName, externalId, displayName, emails.value and all that are unique.
	// Paths that a schema does not have are passed over.
	Indexed []string
}

// New returns a store in a database whose tables are there.
func New(db DB, dialect Dialect, o Options) *Store {
	dialect.Slots = max(1, dialect.Slots)
	dialect.OfType = cmp.Or(dialect.OfType, sameType)
	return &Store{
		db: db, dialect: dialect, indexed: slices.Sorted(slices.Values(o.Indexed)),
		shapes: shapes{
			known: make(map[*schema.Schema]*shape),
			last:  map[string]*schema.Schema{"User": schema.User(), "Group": schema.Group()},
		},
	}
}

// row is a resource as a table has it.
type row struct {
	seq      int64
	resource server.Resource
	// members says that there may be some.
	members bool
	shape   int64
	text    string
}

// columns are those of a row, of the table resources under the name r.
const columns = "r.seq, r.tenant, r.type, r.id, r.version, r.members, r.shape, r.document"

func scan(from Row) (r row, err error) {
	var members int64
	err = from.Scan(&r.seq, &r.resource.Tenant, &r.resource.Type, &r.resource.ID, &r.resource.Version, &members, &r.shape, &r.text)
	r.members = members != 0
	return r, err
}

// rows runs a SELECT of columns.
func rows(ctx context.Context, q Querier, text string, args ...any) (list []row, err error) {
	err = q.Query(ctx, func(from Row) error {
		r, err := scan(from)
		list = append(list, r)
		return err
	}, text, args...)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if err := list[i].decode(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (r *row) decode() (err error) {
	r.resource.Document, err = decode(r.text)
	r.text = ""
	return err
}

// sameType is the condition for resources of the tenant $1 and the type $2.
const sameType = "r.tenant = $1 AND r.type = $2"

const byKey = "SELECT " + columns + " FROM resources r WHERE " + sameType + " AND r.id = $3"

// find returns the row with a key, without members.
func find(ctx context.Context, q Querier, key server.Key, suffix string) (row, error) {
	if !possible(key) {
		return row{}, server.ErrNotFound
	}
	list, err := rows(ctx, q, byKey+suffix, key.Tenant, key.Type, key.ID)
	if err != nil {
		return row{}, err
	}
	if len(list) == 0 {
		return row{}, server.ErrNotFound
	}
	return list[0], nil
}

// Get returns the resource.
func (s *Store) Get(ctx context.Context, key server.Key, omit ...string) (server.Resource, error) {
	r, err := find(ctx, s.db, key, "")
	if err != nil || !r.members || slices.Contains(omit, server.Members) {
		return r.resource, wrap("get", err)
	}
	// Document and members are read again, as they are at one moment.
	err = s.db.Read(ctx, func(tx Tx) error {
		var err error
		if r, err = find(ctx, tx, key, ""); err != nil {
			return err
		}
		return addMembers(ctx, tx, []*row{&r})
	})
	return r.resource, wrap("get", err)
}

// GetMany returns those of the resources that exist.
func (s *Store) GetMany(ctx context.Context, keys []server.Key, omit ...string) ([]server.Resource, error) {
	type kind struct{ tenant, typ string }
	ids := make(map[kind][]string)
	var kinds []kind
	for _, key := range keys {
		if !possible(key) {
			continue
		}
		k := kind{key.Tenant, key.Type}
		if ids[k] == nil {
			kinds = append(kinds, k)
		}
		ids[k] = append(ids[k], key.ID)
	}
	var found []*row
	read := func(q Querier) error {
		found = nil
		for _, k := range kinds {
			err := inChunks(ids[k], func(list string, args []any) error {
				some, err := rows(ctx, q, "SELECT "+columns+" FROM resources r WHERE r.tenant = $1 AND r.type = $2 AND r.id IN ("+list+")", args...)
				for i := range some {
					found = append(found, &some[i])
				}
				return err
			}, k.tenant, k.typ)
			if err != nil {
				return err
			}
		}
		return nil
	}
	var err error
	if slices.Contains(omit, server.Members) {
		err = read(s.db) // resources need not be of one moment, only each of them
	} else {
		err = s.db.Read(ctx, func(tx Tx) error {
			if err := read(tx); err != nil {
				return err
			}
			return addMembers(ctx, tx, found)
		})
	}
	if err == nil {
		err = ctx.Err() // without keys nobody has looked
	}
	if err != nil {
		return nil, wrap("get many", err)
	}
	out := make([]server.Resource, len(found))
	for i, r := range found {
		out[i] = r.resource
	}
	return out, nil
}

// content is what a resource is stored as.
type content struct {
	document string
	members  []member
	shape    int64
	search   any
	terms    []term
	unique   []server.Unique
}

// content returns what a resource is stored as. It is made before the transaction, so that nobody waits for it.
func (s *Store) content(ctx context.Context, r server.Resource) (content, error) {
	if !possible(r.Key) {
		return content{}, scim.NewError(400, scim.InvalidValue, "the id is too long, or has characters that cannot be stored")
	}
	doc, members, err := split(r.Document)
	if err != nil {
		return content{}, err
	}
	c := content{members: members, unique: sorted(r.Unique)}
	if c.document, err = encode(doc); err != nil {
		return c, err
	}
	sh := s.shape(r.Type, r.Schema)
	if c.shape, err = s.shapeID(ctx, sh, true); err != nil {
		return c, err
	}
	return c, c.index(sh, doc)
}

// index makes search and terms from a document.
func (c *content) index(sh *shape, doc scim.Document) error {
	if sh == nil {
		return nil
	}
	search, err := sqlquery.Project(sh.schema, doc)
	if err != nil {
		return err
	}
	c.search, c.terms = string(search), sqlquery.Entries(sh.schema, doc, sh.indexed...)
	return nil
}

// Create adds a resource.
func (s *Store) Create(ctx context.Context, r server.Resource) error {
	c, err := s.content(ctx, r)
	if err != nil {
		return wrap("create", err)
	}
	return wrap("create", s.create(ctx, r, c))
}

func (s *Store) create(ctx context.Context, r server.Resource, c content) error {
	return s.db.Write(ctx, func(tx Tx) error {
		seqs, err := tx.Sequence(ctx, 1)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `INSERT INTO resources (seq, tenant, type, id, version, document, members, shape, search)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, `+s.dialect.search("$9")+`) ON CONFLICT (tenant, type, id) DO NOTHING`,
			seqs[0], r.Tenant, r.Type, r.ID, r.Version, c.document, flag(len(c.members) > 0), c.shape, c.search)
		if err != nil {
			return err
		}
		if n == 0 {
			return server.ErrExists
		}
		if err := addUnique(ctx, tx, r.Tenant, seqs[0], c.unique); err != nil {
			return err
		}
		if err := addTerms(ctx, tx, r.Key, seqs[0], c.terms); err != nil {
			return err
		}
		if err := insertMembers(ctx, tx, r.Tenant, seqs[0], 0, c.members); err != nil {
			return err
		}
		return s.count(ctx, tx, r.Key, seqs[0], 1)
	})
}

// count notes that there are more, or fewer, resources of a type.
func (s *Store) count(ctx context.Context, tx Tx, key server.Key, seq, n int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO counts (tenant, type, slot, n) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant, type, slot) DO UPDATE SET n = counts.n + excluded.n`, key.Tenant, key.Type, seq%s.dialect.Slots, n)
	return err
}

// Update puts u.Resource in the place of what is there.
func (s *Store) Update(ctx context.Context, u server.Update) error {
	c, err := s.content(ctx, u.Resource)
	if err != nil {
		return wrap("update", err)
	}
	return wrap("update", s.db.Write(ctx, func(tx Tx) error {
		was, err := find(ctx, tx, u.Key, s.dialect.ForUpdate)
		if err != nil {
			return err
		}
		if was.resource.Version != u.IfVersion {
			return server.ErrVersion
		}
		members := was.members
		if !members || !slices.Contains(u.Keep, server.Members) {
			members = len(c.members) > 0
			if was.members || members {
				if err := setMembers(ctx, tx, was, c.members); err != nil {
					return err
				}
			}
		}
		return s.put(ctx, tx, was, u.Version, members, c)
	}))
}

// put replaces everything of a resource but its members.
func (s *Store) put(ctx context.Context, tx Tx, was row, version string, members bool, c content) error {
	if err := setUnique(ctx, tx, was, c.unique); err != nil {
		return err
	}
	if err := setTerms(ctx, tx, was, c.terms); err != nil {
		return err
	}
	return s.setDocument(ctx, tx, was.seq, version, members, c)
}

func (s *Store) setDocument(ctx context.Context, tx Tx, seq int64, version string, members bool, c content) error {
	_, err := tx.Exec(ctx, "UPDATE resources SET version = $2, document = $3, members = $4, shape = $5, search = "+s.dialect.search("$6")+" WHERE seq = $1",
		seq, version, c.document, flag(members), c.shape, c.search)
	return err
}

// Delete removes the resource.
func (s *Store) Delete(ctx context.Context, key server.Key, ifVersion string) error {
	return wrap("delete", s.db.Write(ctx, func(tx Tx) error {
		was, err := find(ctx, tx, key, s.dialect.ForUpdate)
		if err != nil {
			return err
		}
		if ifVersion != "" && was.resource.Version != ifVersion {
			return server.ErrVersion
		}
		for _, text := range [...]string{
			"DELETE FROM resources WHERE seq = $1", "DELETE FROM uniques WHERE owner = $1", "DELETE FROM terms WHERE owner = $1",
		} {
			if _, err := tx.Exec(ctx, text, was.seq); err != nil {
				return err
			}
		}
		if was.members {
			if _, err := tx.Exec(ctx, "DELETE FROM members WHERE tenant = $1 AND owner = $2", key.Tenant, was.seq); err != nil {
				return err
			}
		}
		return s.count(ctx, tx, was.resource.Key, was.seq, -1)
	}))
}

func flag(on bool) int64 {
	if on {
		return 1
	}
	return 0
}
