package postgres

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/scimbridge/scim/internal/postgres"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/sqlquery"
	"github.com/scimbridge/scim/server/internal/sqlstore"
)

// Store keeps resources in a PostgreSQL database. It implements [server.Store], [server.MemberCounter] and [server.BatchStore], and is safe
// for concurrent use. Make one with [Open] or [New].
type Store struct {
	db    database
	store *sqlstore.Store
	close func()
}

var (
	_ server.MemberCounter = (*Store)(nil)
	_ server.BatchStore    = (*Store)(nil)
)

// Option changes how a database is used.
type Option func(*options)

type options struct {
	indexed  []string
	patience time.Duration
}

// Indexed makes indexes for more attributes: paths such as
// urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber. Attributes that are not strings have none, and
// paths that a schema does not have are passed over. All processes should have the same. After a change of the indexed
// attributes, call [Store.Reindex].
func Indexed(paths ...string) Option {
	return func(o *options) { o.indexed = append(o.indexed, paths...) }
}

// Patience is how long the database is waited for, when it cannot be reached or others are in the way, before the answer is a *scim.Error
// with status 503: 10 seconds, unless this says otherwise. A context that ends sooner ends the waiting.
func Patience(d time.Duration) Option { return func(o *options) { o.patience = max(0, d) } }

// defaultSchema is where the tables are when the connection string does not say.
const defaultSchema = "scim"

// Open opens the database that a connection string names: a URL, or key=value pairs. ctx ends the opening only. No error has the connection
// string or the password.
func Open(ctx context.Context, dsn string, opts ...Option) (*Store, error) {
	config, err := postgres.Parse(dsn)
	if err != nil {
		return nil, fmt.Errorf("postgres: open store: %w", err)
	}
	if config.ConnConfig.RuntimeParams["search_path"] == "" {
		config.ConnConfig.RuntimeParams["search_path"] = defaultSchema
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: open store: %w", err)
	}
	s, err := open(ctx, pool, defaultSchema, opts)
	if err != nil {
		pool.Close()
		return nil, err
	}
	s.close = pool.Close
	return s, nil
}

// New does the same with connections of the program's own, which Close leaves open. The tables are in the first schema of their search
// path, which must be there.
func New(ctx context.Context, pool *pgxpool.Pool, opts ...Option) (*Store, error) {
	return open(ctx, pool, "", opts)
}

// slots spread the count of resources: as many transactions can add some at the same time.
const slots = 16

func open(ctx context.Context, pool *pgxpool.Pool, schema string, opts []Option) (*Store, error) {
	o := options{patience: sqlstore.Patience}
	for _, option := range opts {
		option(&o)
	}
	if err := postgres.Migrate(ctx, pool, schema, versionTable, migrations); err != nil {
		return nil, fmt.Errorf("postgres: open store: %w", err)
	}
	db := database{pool, o.patience}
	dialect := sqlstore.Dialect{SQL: sqlquery.PostgreSQL, OfType: ofType, ForUpdate: " FOR UPDATE", Slots: slots}
	return &Store{db: db, store: sqlstore.New(db, dialect, sqlstore.Options{Indexed: o.indexed}), close: func() {}}, nil
}

// Close closes the connections, when those in use are free. Calls that begin later fail.
func (s *Store) Close() error {
	s.close()
	return nil
}

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

// Load adds many resources with COPY, thousands in one transaction, and returns how many it has added. Each must be complete, as
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
