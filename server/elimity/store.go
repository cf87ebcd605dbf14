package elimity

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/http"
	"sync"

	elimity "github.com/elimity-com/scim"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
)

// store is the handlers as a [server.Store]. Its Create stores nothing: the hook beforeCreate has done so.
type store struct {
	types    map[string]*resourceType
	options  Options
	logger   *slog.Logger
	versions versions

	seed  maphash.Seed
	locks [64]sync.Mutex
}

func newStore(types []elimity.ResourceType, options Options, logger *slog.Logger) (*store, error) {
	compiled, err := compileTypes(types)
	if err != nil {
		return nil, err
	}
	return &store{types: compiled, options: options, logger: logger, seed: maphash.MakeSeed()}, nil
}

func (s *store) typeOf(key server.Key) (*resourceType, error) {
	rt, ok := s.types[key.Type]
	if !ok {
		return nil, fmt.Errorf("elimity: the resource type %s has no handler", key.Type)
	}
	return rt, nil
}

// lock makes the changes of one resource wait for each other. Some resources share a lock; nobody holds two.
func (s *store) lock(key server.Key) *sync.Mutex {
	return &s.locks[maphash.Comparable(s.seed, key)%uint64(len(s.locks))]
}

// request returns the request that ctx belongs to, as handlers get it.
func request(ctx context.Context) *http.Request {
	info, ok := server.Info(ctx)
	if !ok {
		return new(http.Request).WithContext(ctx)
	}
	r := info.Request.WithContext(ctx)
	r.Body, r.ContentLength = http.NoBody, 0
	return r
}

func (s *store) Create(_ context.Context, r server.Resource) error {
	s.versions.set(r.Key, r.Version, r.Document)
	return nil
}

func (s *store) Get(ctx context.Context, key server.Key, _ ...string) (server.Resource, error) {
	rt, err := s.typeOf(key)
	if err != nil {
		return server.Resource{}, err
	}
	r, err := rt.Handler.Get(request(ctx), key.ID)
	if err != nil {
		return server.Resource{}, convert(err)
	}
	if r.ID == "" {
		r.ID = key.ID
	}
	return s.resource(ctx, rt, key, r)
}

// resource returns a handler's resource as the server has it. key may be without an id.
func (s *store) resource(ctx context.Context, rt *resourceType, key server.Key, r elimity.Resource) (server.Resource, error) {
	doc, err := s.document(ctx, rt, r)
	if err != nil {
		return server.Resource{}, err
	}
	key.ID = r.ID
	return server.Resource{Key: key, Document: doc, Version: s.versions.of(key, doc)}, nil
}

func (s *store) Update(ctx context.Context, u server.Update) error {
	lock := s.lock(u.Key)
	lock.Lock()
	defer lock.Unlock()
	current, err := s.Get(ctx, u.Key)
	if err != nil {
		return err
	}
	if current.Version != u.IfVersion {
		return server.ErrVersion
	}
	rt, err := s.typeOf(u.Key)
	if err != nil {
		return err
	}
	changed, err := s.write(ctx, rt, current.Document, u.Document, u.ID)
	if err != nil {
		return convert(err)
	}
	stored := u.Document
	if len(changed.Attributes) > 0 {
		changed.ID = u.ID
		if stored, err = s.document(ctx, rt, changed); err != nil {
			return err
		}
	}
	s.versions.set(u.Key, u.Version, stored)
	return nil
}

// write has the handler give a resource its new state.
func (s *store) write(ctx context.Context, rt *resourceType, old, doc scim.Document, id string) (elimity.Resource, error) {
	r := request(ctx)
	if s.options.Patch && r.Method == http.MethodPatch {
		return rt.patch(r, id, old, doc)
	}
	attributes, err := rt.attributes(doc)
	if err != nil {
		return elimity.Resource{}, err
	}
	changed, err := rt.Handler.Replace(r, id, attributes)
	if isNotOffered(err) {
		if byPatch, patchErr := rt.patch(r, id, old, doc); !isNotOffered(patchErr) {
			return byPatch, patchErr
		}
	}
	return changed, err
}

func (s *store) Delete(ctx context.Context, key server.Key, ifVersion string) error {
	lock := s.lock(key)
	lock.Lock()
	defer lock.Unlock()
	rt, err := s.typeOf(key)
	if err != nil {
		return err
	}
	if ifVersion != "" {
		current, err := s.Get(ctx, key)
		if err != nil {
			return err
		}
		if current.Version != ifVersion {
			return server.ErrVersion
		}
	}
	if err := rt.Handler.Delete(request(ctx), key.ID); err != nil {
		return convert(err)
	}
	s.versions.forget(key)
	return nil
}

// versions remembers the versions that the server has given to what it wrote. Resources that were not written lately have a digest of
// their content as version. The zero value is empty. It is safe for concurrent use.
type versions struct {
	mu    sync.Mutex
	given map[server.Key]given
}

// given is a version that the server gave to a content.
type given struct {
	version string
	digest  string
}

// maxVersions bounds the memory of versions. To forget one costs a client a refused condition at most.
const maxVersions = 1 << 16

func (v *versions) set(key server.Key, version string, doc scim.Document) {
	d := digest(doc)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.given == nil || len(v.given) >= maxVersions {
		v.given = make(map[server.Key]given)
	}
	v.given[key] = given{version: version, digest: d}
}

func (v *versions) forget(key server.Key) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.given, key)
}

// of returns the version of a resource with a content.
func (v *versions) of(key server.Key, doc scim.Document) string {
	d := digest(doc)
	v.mu.Lock()
	defer v.mu.Unlock()
	if g, ok := v.given[key]; ok && g.digest == d {
		return g.version
	}
	return d
}
