package storetest_test

import (
	"context"
	"maps"
	"slices"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
)

// memberToy is a toy that is a MemberStore and a BatchStore.
type memberToy struct{ toy }

func (s *memberToy) Create(ctx context.Context, r server.Resource) error {
	if !s.is("members are there twice") {
		r.Document = withMembers(r.Document, elementsOf(r.Document))
	}
	return s.toy.Create(ctx, r)
}

func (s *memberToy) Get(ctx context.Context, key server.Key, omit ...string) (server.Resource, error) {
	r, err := s.toy.Get(ctx, key)
	if err == nil && !s.is("get omits nothing") {
		r.Document = without(r.Document, omit)
	}
	return r, err
}

func (s *memberToy) Query(ctx context.Context, q server.Query) (server.Page, error) {
	page, err := s.toy.Query(ctx, q)
	for i := range page.Resources {
		if !s.is("query omits nothing") {
			page.Resources[i].Document = without(page.Resources[i].Document, q.Omit)
		}
	}
	return page, err
}

func (s *memberToy) Update(ctx context.Context, u server.Update) error {
	u.Document = withMembers(u.Document, elementsOf(u.Document))
	if slices.Contains(u.Keep, server.Members) && !s.is("nothing is kept") {
		old, err := s.toy.Get(ctx, u.Key)
		if err != nil {
			return err
		}
		u.Document = withMembers(u.Document, elementsOf(old.Document))
	}
	return s.toy.Update(ctx, u)
}

func without(doc scim.Document, names []string) scim.Document {
	if len(names) == 0 {
		return doc
	}
	doc = maps.Clone(doc)
	for _, name := range names {
		delete(doc, name)
	}
	return doc
}

// elementsOf returns the members of a document, each once.
func elementsOf(doc scim.Document) []map[string]any {
	var list []map[string]any
	all, _ := doc[server.Members].([]any)
	for _, e := range all {
		if element := e.(map[string]any); position(list, element["value"].(string)) < 0 {
			list = append(list, element)
		}
	}
	return list
}

func position(list []map[string]any, value string) int {
	return slices.IndexFunc(list, func(e map[string]any) bool { return e["value"] == value })
}

func withMembers(doc scim.Document, list []map[string]any) scim.Document {
	doc = without(doc, []string{server.Members})
	all := make([]any, len(list))
	for i, e := range list {
		all[i] = e
	}
	if len(all) > 0 {
		doc[server.Members] = all
	}
	return doc
}

func (s *memberToy) UpdateMembers(ctx context.Context, u server.MemberUpdate) (server.MemberResult, error) {
	var result server.MemberResult
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.done(ctx); err != nil {
		return result, err
	}
	i := s.findLoosely(u.Key, "updateMembers")
	if i < 0 {
		return result, server.ErrNotFound
	}
	old := s.list[i].Resource
	ignored := s.is("updateMembers ignores the version") || s.is("updateMembers ignores the version without a document") && u.Document == nil
	if u.IfVersion != "" && old.Version != u.IfVersion && !ignored {
		return result, server.ErrVersion
	}
	list := s.changed(elementsOf(old.Document), u.MemberChange, &result)
	s.pause("changes of members are lost")
	next := old
	next.Version, next.Document = u.Version, server.Modified(old.Document, u.Modified)
	if s.is("updateMembers leaves the time") {
		next.Document = old.Document
	}
	if s.is("updateMembers forgets unique values") {
		next.Unique = nil
	}
	if u.Document != nil {
		if next = u.Resource; !s.is("updateMembers does not look at unique values") {
			if err := s.taken(next, "update"); err != nil {
				return server.MemberResult{}, err
			}
		}
	} else if result.Added == nil && result.Removed == nil && !s.is("a change of nothing is a change") {
		result.Resource = s.hide(old)
		return result, nil
	}
	if result.Changed = true; s.is("updateMembers changes what was handed out") && u.Document == nil {
		maps.Copy(old.Document, withMembers(next.Document, list)) // which Get has returned
		next.Document = old.Document
	} else {
		next.Document = withMembers(next.Document, list)
	}
	s.list[i].Resource = next
	result.Resource = s.hide(next)
	return result, nil
}

func (s *memberToy) hide(r server.Resource) server.Resource {
	if !s.is("the result has members") {
		r.Document = without(r.Document, []string{server.Members})
	}
	return r
}

// changed returns the members after a change, and notes in r which are added and removed.
func (s *memberToy) changed(list []map[string]any, c server.MemberChange, r *server.MemberResult) []map[string]any {
	var kept []map[string]any
	for _, e := range list {
		value := e["value"].(string)
		switch {
		case c.Reset && position(c.Add, value) < 0 && !s.is("reset removes nobody"), slices.Contains(c.Remove, value):
			r.Removed = append(r.Removed, value)
		default:
			kept = append(kept, e)
		}
	}
	if len(c.Remove) > 0 && s.is("remove removes all") {
		kept = nil
	}
	if s.is("add replaces") && len(c.Add) > 0 {
		kept = nil
	}
	for _, e := range c.Add {
		if value := e["value"].(string); position(kept, value) < 0 || s.is("members are added twice") {
			kept = append(kept, e)
			r.Added = append(r.Added, value)
		}
	}
	return kept
}

func (s *memberToy) CountMembers(_ context.Context, key server.Key, most int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.findLoosely(key, "countMembers")
	switch {
	case i < 0 && s.is("what does not exist has no members"):
		return 0, nil
	case i < 0:
		return 0, server.ErrNotFound
	}
	n := len(elementsOf(s.list[i].Document))
	if s.is("members are counted to the last") {
		return n, nil
	}
	return min(n, most), nil
}

func (s *memberToy) Memberships(_ context.Context, tenant string, ids []string) (map[string][]server.Membership, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string][]server.Membership{}
	for _, r := range s.list {
		for _, e := range elementsOf(r.Document) {
			value := e["value"].(string)
			if r.Tenant != tenant && !s.is("memberships forget the tenant") || !slices.Contains(ids, value) {
				continue
			}
			display, _ := r.Document["displayName"].(string)
			typ, _ := e["type"].(string)
			if s.is("memberships forget the type of the member") {
				typ = ""
			}
			all[value] = append(all[value], server.Membership{Key: r.Key, Display: display, MemberType: typ})
		}
	}
	if s.is("memberships are in no order") {
		for _, list := range all {
			slices.Reverse(list)
		}
	}
	return all, nil
}

func (s *memberToy) GetMany(ctx context.Context, keys []server.Key, omit ...string) ([]server.Resource, error) {
	var list []server.Resource
	for _, key := range keys {
		if s.is("get many forgets the tenant") {
			key.Tenant = ""
		}
		if r, err := s.Get(ctx, key, omit...); err == nil {
			list = append(list, r)
		} else if s.is("get many needs all") {
			return nil, err
		}
	}
	return list, nil
}
