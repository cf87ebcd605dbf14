package storetest_test

import (
	"cmp"
	"context"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
)

// toy is the least that a Store can be: a list and a lock. It has one fault, or none.
type toy struct {
	mu       sync.Mutex
	list     []row
	sequence int
	fault    string
}

// row is a resource with its place in the order of creation.
type row struct {
	server.Resource
	sequence int
}

func (s *toy) is(fault string) bool { return s.fault == fault }

// find returns where a resource is, -1 when it is nowhere. The lock must be held.
func (s *toy) find(key server.Key) int {
	joined := func(k server.Key) string { return k.Tenant + "/" + k.Type + "/" + k.ID }
	return slices.IndexFunc(s.list, func(r row) bool {
		switch {
		case s.is("keys are the same in any case"):
			return strings.EqualFold(r.Tenant, key.Tenant) && r.Type == key.Type && strings.EqualFold(r.ID, key.ID)
		case s.is("keys are joined"):
			return joined(r.Key) == joined(key)
		}
		return r.Key == key
	})
}

// findLoosely is find with the faults of stores that forget a part of the key.
func (s *toy) findLoosely(key server.Key, method string) int {
	return slices.IndexFunc(s.list, func(r row) bool {
		return r.ID == key.ID && (r.Tenant == key.Tenant || s.is(method+" forgets the tenant")) && (r.Type == key.Type || s.is(method+" forgets the type"))
	})
}

// taken returns an error when another resource has one of the unique values.
func (s *toy) taken(r server.Resource, method string) error {
	if s.is(method + " does not look at unique values") {
		return nil
	}
	for _, other := range s.list {
		if other.Key == r.Key && !s.is("a resource may not keep its own unique value") || other.Tenant != r.Tenant && !s.is("unique values are those of all tenants") {
			continue
		}
		for _, u := range other.Unique {
			if slices.ContainsFunc(r.Unique, func(v server.Unique) bool {
				if s.is("unique values have no scope") {
					u.Scope, v.Scope = "", ""
				}
				if s.is("unique values are the same in any case") {
					u.Value, v.Value = strings.ToLower(u.Value), strings.ToLower(v.Value)
				}
				return u == v
			}) {
				return &server.TakenError{Unique: u}
			}
		}
	}
	return nil
}

func (s *toy) done(ctx context.Context) error {
	if s.is("contexts are ignored") {
		return nil
	}
	return ctx.Err()
}

// pause lets others in where a lock should have kept them out.
func (s *toy) pause(fault string) {
	if !s.is(fault) {
		return
	}
	s.mu.Unlock()
	for range 100 {
		runtime.Gosched()
	}
	s.mu.Lock()
}

func (s *toy) Create(ctx context.Context, r server.Resource) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.done(ctx); err != nil {
		return err
	}
	if s.find(r.Key) >= 0 && !s.is("an id is created twice") {
		return server.ErrExists
	}
	if err := s.taken(r, "create"); err != nil {
		return err
	}
	s.pause("unique values are looked at without the lock")
	s.pause("ids are looked at without the lock")
	if s.is("the document that was given is changed") {
		r.Document["x"] = "mine"
	}
	if name, ok := r.Document["userName"].(string); ok && s.is("text is in lower case") {
		r.Document = maps.Clone(r.Document)
		r.Document["userName"] = strings.ToLower(name)
	}
	s.sequence++
	s.list = append(s.list, row{r, s.sequence})
	if s.is("an id comes back to its old place") && r.ID == "u1" {
		s.list[len(s.list)-1].sequence = 0
	}
	return nil
}

func (s *toy) Get(ctx context.Context, key server.Key, omit ...string) (server.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.done(ctx); err != nil {
		return server.Resource{}, err
	}
	i := s.findLoosely(key, "get")
	if i < 0 {
		return server.Resource{}, server.ErrNotFound
	}
	return s.show(s.list[i].Resource, omit), nil
}

func (s *toy) show(r server.Resource, omit []string) server.Resource {
	if s.is("what is omitted is deleted") {
		for _, name := range omit {
			delete(r.Document, name)
		}
	}
	if s.is("the key lacks the tenant") {
		r.Tenant = ""
	}
	if s.is("too much is omitted") && len(omit) > 0 {
		r.Document = scim.Document{"id": r.ID}
	}
	return r
}

func (s *toy) Update(ctx context.Context, u server.Update) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.done(ctx); err != nil {
		return err
	}
	i := s.findLoosely(u.Key, "update")
	switch {
	case i < 0 && s.is("update creates"):
		s.sequence++
		s.list = append(s.list, row{u.Resource, s.sequence})
		return nil
	case i < 0:
		return server.ErrNotFound
	case s.list[i].Version != u.IfVersion && !s.is("update ignores the version"):
		return server.ErrVersion
	}
	s.pause("updates are lost")
	r := u.Resource
	if s.is("update merges") {
		r.Document = maps.Clone(s.list[i].Document)
		maps.Copy(r.Document, u.Document)
	}
	if s.is("what is handed out is changed") && u.Type == "Group" {
		r.Document = s.list[i].Document
		clear(r.Document)
		maps.Copy(r.Document, u.Document)
	}
	if s.is("half of an update is made when a value is taken") {
		s.list[i].Document = r.Document
	}
	if err := s.taken(u.Resource, "update"); err != nil {
		return err
	}
	if s.is("the version stays") {
		r.Version = s.list[i].Version
	}
	if s.is("unique values stay when a resource changes") {
		r.Unique = append(slices.Clone(r.Unique), s.list[i].Unique...)
	}
	if s.is("readers see half of an update") {
		s.list[i].Version = r.Version
		s.pause(s.fault)
	}
	if i = s.findLoosely(u.Key, "update"); i < 0 {
		return server.ErrNotFound
	}
	s.list[i].Resource = r
	if s.is("a change moves a resource to the end") {
		s.sequence++
		s.list[i].sequence = s.sequence
	}
	return nil
}

func (s *toy) Delete(ctx context.Context, key server.Key, ifVersion string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.done(ctx); err != nil {
		return err
	}
	i := s.findLoosely(key, "delete")
	switch {
	case i < 0 && s.is("delete of nothing succeeds"):
		return nil
	case i < 0:
		return server.ErrNotFound
	case ifVersion != "" && s.list[i].Version != ifVersion && !s.is("delete ignores the version"):
		return server.ErrVersion
	case s.is("unique values stay when a resource is deleted"):
		s.list[i].Key = server.Key{Tenant: key.Tenant, Type: "deleted", ID: key.Type + key.ID + strconv.Itoa(s.list[i].sequence)}
		return nil
	}
	s.list = slices.Delete(slices.Clone(s.list), i, i+1)
	return nil
}

// cursor is where a page begins.
type cursor struct {
	Sequence int
	ID       string
	Key      server.SortKey
}

func (s *toy) Query(ctx context.Context, q server.Query) (server.Page, error) {
	if err := s.done(ctx); err != nil {
		return server.Page{}, err
	}
	s.mu.Lock()
	list := slices.Clone(s.list)
	s.mu.Unlock()
	if s.is("views are called with the lock held") {
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	found, keys := []row{}, map[int]server.SortKey{}
	for _, r := range list {
		ok, key, err := s.matches(ctx, q, r)
		if err != nil && !s.is("errors of views are swallowed") {
			return server.Page{}, err
		}
		if keys[r.sequence] = key; ok {
			found = append(found, r)
		}
	}
	compare := s.compare(q, keys)
	slices.SortStableFunc(found, compare)
	return s.page(q, found, keys, compare)
}

func (s *toy) matches(ctx context.Context, q server.Query, r row) (bool, server.SortKey, error) {
	if r.Tenant != q.Tenant && !s.is("query forgets the tenant") || r.Type != q.Type && !s.is("query forgets the type") {
		return false, server.SortKey{}, nil
	}
	doc := r.Document
	if q.View != nil && !s.is("views are ignored") {
		seen := r.Resource
		if s.is("views see what is omitted") {
			seen.Document = maps.Clone(seen.Document)
			for _, name := range q.Omit {
				delete(seen.Document, name)
			}
		}
		var err error
		if doc, err = q.View(ctx, seen); err != nil {
			return false, server.SortKey{}, err
		}
	}
	ignored := s.is("filters are ignored") || s.is("filters are ignored where there is an order") && q.Order.Attribute != nil
	return ignored || q.Match == nil || q.Match.Match(doc), q.Order.Key(doc), nil
}

func (s *toy) compare(q server.Query, keys map[int]server.SortKey) func(a, b row) int {
	return func(a, b row) int {
		switch {
		case s.is("orders are ignored"):
			return cmp.Compare(a.sequence, b.sequence)
		case s.is("the order of creation is that of ids"):
			return cmp.Or(q.Order.Compare(keys[a.sequence], keys[b.sequence]), cmp.Compare(a.ID, b.ID))
		case s.is("equal resources are in the order of ids"):
			if q.Order.Attribute != nil {
				return cmp.Or(q.Order.Compare(keys[a.sequence], keys[b.sequence]), cmp.Compare(a.ID, b.ID))
			}
		case s.is("equal resources are turned around in descending order"):
			if q.Order.Descending {
				return cmp.Or(q.Order.Compare(keys[a.sequence], keys[b.sequence]), cmp.Compare(b.sequence, a.sequence))
			}
		}
		return cmp.Or(q.Order.Compare(keys[a.sequence], keys[b.sequence]), cmp.Compare(a.sequence, b.sequence))
	}
}

func (s *toy) page(q server.Query, found []row, keys map[int]server.SortKey, compare func(a, b row) int) (server.Page, error) {
	page := server.Page{Total: len(found)}
	start := q.Offset
	if q.After != "" {
		var at cursor
		if err := json.Unmarshal([]byte(q.After), &at); err != nil {
			return page, err
		}
		keys[at.Sequence] = at.Key
		last := row{server.Resource{Key: server.Key{ID: at.ID}}, at.Sequence}
		start = len(found)
		for i, r := range found {
			if compare(r, last) > 0 {
				start = i
				break
			}
		}
		if s.is("cursors are offsets") || s.is("cursors are offsets in the order of creation") && q.Order.Attribute == nil {
			start = at.Sequence
		}
		if s.is("cursors begin with a resource that may be gone") {
			if start = 1 + slices.IndexFunc(found, func(r row) bool { return r.sequence == at.Sequence }); start == 0 {
				start = len(found)
			}
		}
		if s.is("the total is what follows the cursor") {
			page.Total = len(found) - start
		}
	}
	if s.is("offsets are ignored") {
		start = 0
	}
	start = min(start, len(found))
	end := min(start+q.Limit, len(found))
	if s.is("limits are ignored") {
		end = len(found)
	}
	for _, r := range found[start:end] {
		page.Resources = append(page.Resources, s.show(r.Resource, q.Omit))
	}
	if s.is("the total is that of the page") {
		page.Total = len(page.Resources)
	}
	if s.is("the total is that without the filter") {
		page.Total = len(s.list)
	}
	if end > start && (end < len(found) || s.is("there is always a next page")) {
		last := found[end-1]
		next := cursor{last.sequence, last.ID, keys[last.sequence]}
		if s.is("cursors are offsets") || s.is("cursors are offsets in the order of creation") && q.Order.Attribute == nil {
			next.Sequence = end
		}
		data, err := json.Marshal(next)
		if err != nil {
			return page, err
		}
		page.Next = string(data)
	}
	return page, nil
}
