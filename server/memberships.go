package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/scimbridge/scim/filter"
)

// memberships returns the groups of each of the resources.
func (c *call) memberships(ctx context.Context, resources []Resource) (map[Key][]Membership, error) {
	members := make([]Key, len(resources))
	for i, r := range resources {
		members[i] = r.Key
	}
	direct, err := c.directMemberships(ctx, members)
	if err != nil || !c.s.opts.IndirectGroups {
		return direct, err
	}
	all := make(map[Key][]Membership, len(direct))
	for member, groups := range direct {
		if all[member], err = c.withIndirect(ctx, groups); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// withIndirect adds the groups that these groups are members of, and so on.
func (c *call) withIndirect(ctx context.Context, groups []Membership) ([]Membership, error) {
	all := slices.Clone(groups)
	seen := make(map[Key]bool)
	for _, g := range groups {
		seen[g.Key] = true
	}
	for level := groups; len(level) > 0; {
		keys := make([]Key, len(level))
		for i, g := range level {
			keys[i] = g.Key
		}
		parents, err := c.directMemberships(ctx, keys)
		if err != nil {
			return nil, err
		}
		level = nil
		for _, key := range keys {
			for _, g := range parents[key] {
				if !seen[g.Key] {
					seen[g.Key] = true
					g.indirect = true
					level = append(level, g)
				}
			}
		}
		all = append(all, level...)
	}
	return all, nil
}

// directMemberships returns the groups that have each of the resources as a member.
func (c *call) directMemberships(ctx context.Context, members []Key) (map[Key][]Membership, error) {
	byID, err := c.membershipsByID(ctx, members)
	if err != nil || len(byID) == 0 {
		return nil, err
	}
	groups := make(map[Key][]Membership, len(byID))
	for _, member := range members {
		for _, g := range byID[member.ID] {
			is, err := c.isMember(ctx, member, g)
			if err != nil {
				return nil, err
			}
			if is {
				groups[member] = append(groups[member], g)
			}
		}
	}
	return groups, nil
}

// membershipsByID returns the groups that list the id of each of the resources.
func (c *call) membershipsByID(ctx context.Context, members []Key) (map[string][]Membership, error) {
	if c.s.members != nil {
		ids := make([]string, len(members))
		for i, m := range members {
			ids[i] = m.ID
		}
		return c.s.members.Memberships(ctx, c.tenant(), ids)
	}
	groups := make(map[string][]Membership)
	for _, rt := range c.s.types {
		if rt.members == nil {
			continue
		}
		for _, m := range members {
			err := c.eachGroupOf(ctx, rt, m.ID, func(g Resource) {
				display, _ := g.Document["displayName"].(string)
				groups[m.ID] = append(groups[m.ID], Membership{Key: g.Key, Display: display})
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return groups, nil
}

// eachGroupOf calls do for every resource of the type that lists id as a member.
func (c *call) eachGroupOf(ctx context.Context, rt *resourceType, id string, do func(Resource)) error {
	f := filter.Has(Members, filter.Eq("value", id))
	match, err := f.Compile(rt.schema)
	if err != nil {
		return fmt.Errorf("server: find the groups of a member: %w", err)
	}
	q := Query{
		Tenant: c.tenant(), Type: rt.Name, Schema: rt.schema, Filter: f, Match: match,
		Limit: c.s.opts.Limits.MaxResults, Omit: omitMembers,
	}
	for {
		page, err := c.s.store.Query(ctx, q)
		if err != nil {
			return err
		}
		for _, g := range page.Resources {
			do(g)
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

// isMember reports whether the member of a group that has the id of a resource is that resource. Ids are unique among the resources of all
// types (RFC 7643 section 3.1), unless a store has others.
func (c *call) isMember(ctx context.Context, member Key, group Membership) (bool, error) {
	if group.MemberType != "" {
		return strings.EqualFold(group.MemberType, member.Type), nil
	}
	rt, ok := c.s.typeNamed(group.Type)
	if !ok {
		return true, nil
	}
	var others []Key
	for _, name := range rt.memberTypes {
		if name != member.Type {
			others = append(others, c.keyOf(name, member.ID))
		}
	}
	if len(others) == 0 {
		return true, nil
	}
	rivals, err := c.existing(ctx, others)
	if err != nil || len(rivals) == 0 {
		return true, err
	}
	element, err := c.memberElement(ctx, group.Key, member.ID)
	if err != nil {
		return false, err
	}
	for _, name := range c.s.memberTypes(rt, element) {
		if name == member.Type || rivals[c.keyOf(name, member.ID)] {
			return name == member.Type, nil
		}
	}
	return true, nil
}

// memberElement returns the element of a group's member; nil when it has gone.
func (c *call) memberElement(ctx context.Context, group Key, id string) (map[string]any, error) {
	g, err := c.s.store.Get(ctx, group)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var element map[string]any
	each(g.Document[Members], func(e any) {
		if value, ok := MemberValue(e); ok && value == id && element == nil {
			element, _ = e.(map[string]any)
		}
	})
	return element, nil
}
