package memory

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/tidwall/btree"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/server"
)

// Store keeps resources in memory. It implements [server.Store], [server.MemberCounter] and [server.BatchStore]. Make one with
// [New].
type Store struct {
	indexed []indexed
	mu      sync.RWMutex
	tenants map[string]*tenant
}

var (
	_ server.MemberCounter = (*Store)(nil)
	_ server.BatchStore    = (*Store)(nil)
)

// New returns an empty store. Resources are found by userName, externalId, displayName, the value of their e-mail addresses and
// of their members without looking at all, and by the attributes in more: paths in the schema's spelling, such as
// urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber. One that is no path is passed over.
func New(more ...string) *Store {
	s := &Store{tenants: make(map[string]*tenant)}
	for _, path := range append([]string{"userName", "externalId", "displayName", "emails.value"}, more...) {
		if a, err := filter.ParseAttr(path); err == nil {
			s.indexed = append(s.indexed, indexed{path: a.String(), attr: a})
		}
	}
	return s
}

// tenant is what one tenant has.
type tenant struct {
	tables map[string]*table
	unique map[server.Unique]*record
	// mostUnique is how many unique values there have been since the map was made.
	mostUnique int
	// members has the groups of every member.
	members *btree.BTreeG[membership]
	// sequence numbers resources in the order of their creation. It is the tenant's own: clients see it in cursors.
	sequence uint64
}

// table is the resources of one type.
type table struct {
	byID map[string]*record
	// most is how many resources there have been since byID was made.
	most int
	// order has the resources in the order of their creation.
	order *versions
	// snapshot is a copy of order as it is now; nil when nobody has asked for one since the last change.
	snapshot *versions
	indexes  map[string]*btree.BTreeG[entry]
}

// versions are resources by their sequence number.
type versions = btree.Map[uint64, *version]

// elements are members in the order in which they were added.
type elements = btree.Map[uint64, map[string]any]

// record is a resource through all its versions.
type record struct {
	current *version
	entries []indexEntry
	unique  []server.Unique
	// places says where in current.members each member is.
	places map[string]uint64
	// nextPlace is where the next member goes.
	nextPlace uint64
}

// version is a resource as it is between two changes. It is immutable.
type version struct {
	sequence uint64
	// resource is without the members that are kept apart.
	resource server.Resource
	// members are those kept apart; nil when there are none.
	members *elements
}

func (s *Store) tenant(name string) *tenant {
	t, ok := s.tenants[name]
	if !ok {
		t = &tenant{
			tables: make(map[string]*table), unique: make(map[server.Unique]*record),
			members: btree.NewBTreeGOptions(membership.less, btree.Options{NoLocks: true}),
		}
		s.tenants[name] = t
	}
	return t
}

func (s *Store) table(t *tenant, typ string) *table {
	tab, ok := t.tables[typ]
	if !ok {
		tab = &table{
			byID: make(map[string]*record), order: new(versions),
			indexes: make(map[string]*btree.BTreeG[entry], len(s.indexed)),
		}
		for _, i := range s.indexed {
			tab.indexes[i.path] = btree.NewBTreeGOptions(entry.less, btree.Options{NoLocks: true})
		}
		t.tables[typ] = tab
	}
	return tab
}

// find returns a record; nil when there is none. The lock must be held.
func (s *Store) find(key server.Key) (*tenant, *table, *record) {
	t, ok := s.tenants[key.Tenant]
	if !ok {
		return nil, nil, nil
	}
	tab, ok := t.tables[key.Type]
	if !ok {
		return t, nil, nil
	}
	return t, tab, tab.byID[key.ID]
}

// Create adds a resource.
func (s *Store) Create(ctx context.Context, r server.Resource) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries := s.entriesOf(r.Document)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tenant(r.Tenant)
	tab := s.table(t, r.Type)
	if tab.byID[r.ID] != nil {
		return server.ErrExists
	}
	if err := t.checkUnique(nil, r.Unique); err != nil {
		return err
	}
	t.sequence++
	rec := &record{}
	tab.byID[r.ID] = rec
	t.put(tab, rec, t.sequence, r, entries)
	return nil
}

// checkUnique returns an error when a value is that of another record than rec.
func (t *tenant) checkUnique(rec *record, values []server.Unique) error {
	for _, u := range values {
		if holder, taken := t.unique[u]; taken && holder != rec {
			return &server.TakenError{Unique: u}
		}
	}
	return nil
}

// put makes r the current version of a record, members included.
func (t *tenant) put(tab *table, rec *record, sequence uint64, r server.Resource, entries []indexEntry) {
	v := &version{sequence: sequence}
	document, members := split(r.Document)
	was := rec.places
	rec.places, rec.nextPlace = nil, 0
	if len(members) > 0 {
		v.members = new(elements)
		rec.places = make(map[string]uint64, len(members))
		for _, element := range members {
			value, _ := server.MemberValue(element)
			t.join(rec, sequence, v.members, value, element)
		}
	}
	for value := range was {
		if _, stays := rec.places[value]; !stays {
			t.members.Delete(membershipOf(value, sequence, rec))
		}
	}
	r.Document = document
	t.putDocument(tab, rec, v, r, entries)
}

// putDocument makes v, whose members are there already, the current version of a record.
func (t *tenant) putDocument(tab *table, rec *record, v *version, r server.Resource, entries []indexEntry) {
	for _, u := range rec.unique {
		delete(t.unique, u)
	}
	rec.unique = r.Unique
	for _, u := range rec.unique {
		t.unique[u] = rec
	}
	r.Unique, r.Schema = nil, nil
	v.resource = r
	tab.reindex(rec, v.sequence, entries)
	tab.set(rec, v)
}

func (tab *table) set(rec *record, v *version) {
	rec.current = v
	tab.order.Set(v.sequence, v)
	tab.snapshot = nil
}

// join adds a member to a set.
func (t *tenant) join(rec *record, sequence uint64, set *elements, value string, element map[string]any) {
	rec.places[value] = rec.nextPlace
	set.Set(rec.nextPlace, element)
	rec.nextPlace++
	m := membershipOf(value, sequence, rec)
	m.memberType, _ = element["type"].(string)
	t.members.Set(m)
}

// split takes the members out of a document. Of two with one value the first counts. Elements that are no members stay.
func split(doc scim.Document) (scim.Document, []map[string]any) {
	list, ok := doc[server.Members].([]any)
	if !ok {
		return doc, nil
	}
	members := make([]map[string]any, 0, len(list))
	seen := make(map[string]bool, len(list))
	var others []any
	for _, e := range list {
		value, ok := server.MemberValue(e)
		switch {
		case !ok:
			others = append(others, e)
		case !seen[value]:
			seen[value] = true
			members = append(members, e.(map[string]any))
		}
	}
	doc = maps.Clone(doc)
	if doc[server.Members] = others; others == nil {
		delete(doc, server.Members)
	}
	return doc, members
}

// Get returns the resource.
func (s *Store) Get(ctx context.Context, key server.Key, omit ...string) (server.Resource, error) {
	if err := ctx.Err(); err != nil {
		return server.Resource{}, err
	}
	v, ok := s.current(key)
	if !ok {
		return server.Resource{}, server.ErrNotFound
	}
	return v.show(omit), nil
}

func (s *Store) current(key server.Key) (*version, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, _, rec := s.find(key)
	if rec == nil {
		return nil, false
	}
	return rec.current, true
}

// show returns the resource with its members, unless they are not needed.
func (v *version) show(omit []string) server.Resource {
	r := v.resource
	if v.members == nil || v.members.Len() == 0 || slices.Contains(omit, server.Members) {
		return r
	}
	others, _ := r.Document[server.Members].([]any)
	list := append(make([]any, 0, v.members.Len()+len(others)), others...)
	v.members.Scan(func(_ uint64, element map[string]any) bool {
		list = append(list, element)
		return true
	})
	r.Document = maps.Clone(r.Document)
	r.Document[server.Members] = list
	return r
}

// GetMany returns those of the resources that exist.
func (s *Store) GetMany(ctx context.Context, keys []server.Key, omit ...string) ([]server.Resource, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	list := make([]server.Resource, 0, len(keys))
	for _, key := range keys {
		if v, ok := s.current(key); ok {
			list = append(list, v.show(omit))
		}
	}
	return list, nil
}

// Update puts u.Resource in the place of what is there.
func (s *Store) Update(ctx context.Context, u server.Update) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries := s.entriesOf(u.Document)
	s.mu.Lock()
	defer s.mu.Unlock()
	t, tab, rec := s.find(u.Key)
	if rec == nil {
		return server.ErrNotFound
	}
	if rec.current.resource.Version != u.IfVersion {
		return server.ErrVersion
	}
	if err := t.checkUnique(rec, u.Unique); err != nil {
		return err
	}
	if slices.Contains(u.Keep, server.Members) && rec.current.members != nil {
		v := &version{sequence: rec.current.sequence, members: rec.current.members}
		t.putDocument(tab, rec, v, u.Resource, entries)
		return nil
	}
	t.put(tab, rec, rec.current.sequence, u.Resource, entries)
	return nil
}

// Delete removes the resource.
func (s *Store) Delete(ctx context.Context, key server.Key, ifVersion string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, tab, rec := s.find(key)
	if rec == nil {
		return server.ErrNotFound
	}
	if ifVersion != "" && rec.current.resource.Version != ifVersion {
		return server.ErrVersion
	}
	sequence := rec.current.sequence
	tab.most, t.mostUnique = max(tab.most, len(tab.byID)), max(t.mostUnique, len(t.unique))
	tab.reindex(rec, sequence, nil)
	for _, u := range rec.unique {
		delete(t.unique, u)
	}
	for value := range rec.places {
		t.members.Delete(membershipOf(value, sequence, rec))
	}
	delete(tab.byID, key.ID)
	tab.byID, t.unique = smaller(tab.byID, &tab.most), smaller(t.unique, &t.mostUnique)
	tab.order.Delete(sequence)
	tab.snapshot = nil
	return nil
}

// smaller returns m, or a copy of it when most of what it held, of which most is the number, is gone: a Go map never gives memory back.
func smaller[K comparable, V any](m map[K]V, most *int) map[K]V {
	const few = 4096 // entries for which it is not worth while
	if *most < few || len(m) > *most/4 {
		return m
	}
	*most = len(m)
	less := make(map[K]V, len(m))
	maps.Copy(less, m)
	return less
}
