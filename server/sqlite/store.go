package sqlite

import (
	"context"
	"iter"
	"time"

	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/sqlquery"
	"github.com/scimbridge/scim/server/internal/sqlstore"
)

// Store keeps resources in a SQLite file. It implements [server.Store], [server.MemberCounter] and [server.BatchStore], and is safe for
// concurrent use. Make one with [Open].
type Store struct {
	db    *database
	store *sqlstore.Store
}

var (
	_ server.MemberCounter = (*Store)(nil)
	_ server.BatchStore    = (*Store)(nil)
)

// Option changes how a file is used.
type Option func(*options)

type options struct {
	relaxed  bool
	indexed  []string
	patience time.Duration
}

// Relaxed does not wait for the disk: a change is in the file when the client is told, and survives the end of the process, but it may
// be lost in a power cut. Changes made one after the other are lost in the opposite order, and none by half.
func Relaxed() Option { return func(o *options) { o.relaxed = true } }

// Indexed makes indexes for more attributes: paths such as
// urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber. Attributes that are not strings have none, and
// paths that a schema does not have are passed over. After a change of the indexed attributes, call [Store.Reindex].
func Indexed(paths ...string) Option {
	return func(o *options) { o.indexed = append(o.indexed, paths...) }
}

// Patience is how long a call waits while another process has the file locked, before it returns a *scim.Error with status 503: 10
// seconds unless this option is given. It never waits longer than its context allows.
func Patience(d time.Duration) Option { return func(o *options) { o.patience = max(0, d) } }

// Open opens a file, makes it when it is not there, and brings it to the present version. ctx ends the opening only.
func Open(ctx context.Context, path string, opts ...Option) (*Store, error) {
	o := options{patience: sqlstore.Patience}
	for _, option := range opts {
		option(&o)
	}
	db, err := open(ctx, path, o)
	if err != nil {
		return nil, err
	}
	return &Store{db: db, store: sqlstore.New(db, sqlstore.Dialect{SQL: sqlquery.SQLite}, sqlstore.Options{Indexed: o.indexed})}, nil
}

// Close closes the file. Calls that are under way may fail.
func (s *Store) Close() error { return s.db.close() }

// Create adds a resource.
func (s *Store) Create(ctx context.Context, r server.Resource) error { return s.store.Create(ctx, r) }

// Get returns the resource.
func (s *Store) Get(ctx context.Context, key server.Key, omit ...string) (server.Resource, error) {
	return s.store.Get(ctx, key, omit...)
}

// GetMany returns those of the resources that exist.
func (s *Store) GetMany(ctx context.Context, keys []server.Key, omit ...string) ([]server.Resource, error) {
	return s.store.GetMany(ctx, keys, omit...)
}

// Query returns a page of the resources. Page and total are of one moment, unless the query has a View.
func (s *Store) Query(ctx context.Context, q server.Query) (server.Page, error) {
	return s.store.Query(ctx, q)
}

// Update puts u.Resource in the place of what is there.
func (s *Store) Update(ctx context.Context, u server.Update) error { return s.store.Update(ctx, u) }

// Delete removes the resource.
func (s *Store) Delete(ctx context.Context, key server.Key, ifVersion string) error {
	return s.store.Delete(ctx, key, ifVersion)
}

// UpdateMembers adds and removes members.
func (s *Store) UpdateMembers(ctx context.Context, u server.MemberUpdate) (server.MemberResult, error) {
	return s.store.UpdateMembers(ctx, u)
}

// CountMembers returns how many members a resource has, or most when it has more.
func (s *Store) CountMembers(ctx context.Context, key server.Key, most int) (int, error) {
	return s.store.CountMembers(ctx, key, most)
}

// Memberships returns the groups of each id.
func (s *Store) Memberships(ctx context.Context, tenant string, ids []string) (map[string][]server.Membership, error) {
	return s.store.Memberships(ctx, tenant, ids)
}

// Load adds many resources, thousands in one transaction, and returns how many it has added. Each must be complete, as
// [server.Store].Create wants it. It ends at the first error: that of resources, of ctx, or of a resource that cannot be added, whose key
// the error then names. The resources before it have been added, those after it have not.
func (s *Store) Load(ctx context.Context, resources iter.Seq2[server.Resource, error]) (int, error) {
	return s.store.Load(ctx, resources)
}

// Reindex makes the indexes of all resources of a type anew that were not made under this schema, with these [Indexed] attributes and by
// this version of the package. It is to be called when one of the three has changed: until then queries give the same answers, but
// look at those resources one by one. It does nothing when there are none, and can be ended and begun again at any time. The store can be
// used meanwhile.
func (s *Store) Reindex(ctx context.Context, resourceType string, sc *schema.Schema) error {
	return s.store.Reindex(ctx, resourceType, sc)
}
