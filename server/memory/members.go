package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/casefold"
)

// membership is that of a member in a group.
type membership struct {
	// folded is the member's id in one case: a filter may ask for it in any.
	folded, member string
	sequence       uint64
	group          *record
	// memberType is the member's type as its element has it. It is no part of the order.
	memberType string
}

func membershipOf(member string, sequence uint64, group *record) membership {
	return membership{folded: casefold.String(member), member: member, sequence: sequence, group: group}
}

func (a membership) less(b membership) bool {
	return cmp.Or(
		cmp.Compare(a.folded, b.folded), cmp.Compare(a.member, b.member), cmp.Compare(a.sequence, b.sequence),
	) < 0
}

// UpdateMembers adds and removes members.
func (s *Store) UpdateMembers(ctx context.Context, u server.MemberUpdate) (server.MemberResult, error) {
	if err := ctx.Err(); err != nil {
		return server.MemberResult{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, tab, rec := s.find(u.Key)
	if rec == nil {
		return server.MemberResult{}, server.ErrNotFound
	}
	if u.IfVersion != "" && rec.current.resource.Version != u.IfVersion {
		return server.MemberResult{}, server.ErrVersion
	}
	if u.Document != nil {
		if err := t.checkUnique(rec, u.Unique); err != nil {
			return server.MemberResult{}, err
		}
	}
	result := rec.plan(u.MemberChange)
	if u.Document == nil && len(result.Added) == 0 && len(result.Removed) == 0 {
		result.Resource = rec.current.resource
		return result, nil
	}
	result.Changed = true
	v := &version{sequence: rec.current.sequence, members: t.changed(rec, u.Add, result)}
	if u.Document != nil {
		t.putDocument(tab, rec, v, u.Resource, s.entriesOf(u.Document))
	} else {
		v.resource = rec.current.resource
		v.resource.Version = u.Version
		v.resource.Document = server.Modified(v.resource.Document, u.Modified)
		tab.set(rec, v)
	}
	result.Resource = v.resource
	return result, nil
}

// CountMembers returns how many members a resource has, or most when it has more.
func (s *Store) CountMembers(ctx context.Context, key server.Key, most int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, _, rec := s.find(key)
	if rec == nil {
		return 0, server.ErrNotFound
	}
	return min(len(rec.places), most), nil
}

// plan returns what a change does to the members there are.
func (rec *record) plan(c server.MemberChange) server.MemberResult {
	var r server.MemberResult
	wanted := make(map[string]bool, len(c.Add))
	for _, element := range c.Add {
		value, ok := server.MemberValue(element)
		if !ok || wanted[value] {
			continue
		}
		wanted[value] = true
		if _, is := rec.places[value]; !is {
			r.Added = append(r.Added, value)
		}
	}
	if c.Reset {
		for value := range rec.places {
			if !wanted[value] {
				r.Removed = append(r.Removed, value)
			}
		}
		slices.Sort(r.Removed)
		return r
	}
	removed := make(map[string]bool, len(c.Remove))
	for _, value := range c.Remove {
		if _, is := rec.places[value]; is && !removed[value] {
			removed[value] = true
			r.Removed = append(r.Removed, value)
		}
	}
	return r
}

// changed returns the members of a record after a change. The set that there was stays as it is: others may be reading it.
func (t *tenant) changed(rec *record, add []map[string]any, result server.MemberResult) *elements {
	set := new(elements)
	if rec.current.members != nil {
		set = rec.current.members.Copy()
	}
	sequence := rec.current.sequence
	for _, value := range result.Removed {
		set.Delete(rec.places[value])
		delete(rec.places, value)
		t.members.Delete(membershipOf(value, sequence, rec))
	}
	if len(rec.places) == 0 { // a new one also for those who are gone: a Go map never gives memory back
		rec.places = make(map[string]uint64, len(result.Added))
	}
	byValue := make(map[string]map[string]any, len(add))
	for _, element := range add {
		value, _ := server.MemberValue(element)
		if byValue[value] == nil {
			byValue[value] = element
		}
	}
	for _, value := range result.Added {
		t.join(rec, sequence, set, value, byValue[value])
	}
	return set
}

// Memberships returns the groups of each id.
func (s *Store) Memberships(ctx context.Context, tenant string, ids []string) (map[string][]server.Membership, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, ok := s.tenants[tenant]
	if !ok || t.members.Len() == 0 {
		return nil, nil
	}
	var groups map[string][]server.Membership
	for _, id := range ids {
		var list []server.Membership
		t.members.Ascend(membershipOf(id, 0, nil), func(m membership) bool {
			if m.member != id {
				return false
			}
			r := m.group.current.resource
			display, _ := r.Document["displayName"].(string)
			list = append(list, server.Membership{Key: r.Key, Display: display, MemberType: m.memberType})
			return true
		})
		if list != nil {
			if groups == nil {
				groups = make(map[string][]server.Membership, len(ids))
			}
			groups[id] = list
		}
	}
	return groups, nil
}
