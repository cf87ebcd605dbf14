package sqlstore

import (
	"context"
	"slices"
	"strconv"

	"github.com/scimbridge/scim/server"
)

var memberColumns = []string{"tenant", "owner", "position", "value", "element"}

func (m member) row(tenant string, owner, position int64) []any {
	var element any
	if m.element != nil {
		element = *m.element
	}
	return []any{tenant, owner, position, m.value, element}
}

// insertMembers adds members to a resource, the first at the position.
func insertMembers(ctx context.Context, tx Tx, tenant string, owner, position int64, members []member) error {
	const most = 1000
	for chunk := range slices.Chunk(members, most) {
		list := make([][]any, len(chunk))
		for i, m := range chunk {
			list[i] = m.row(tenant, owner, position)
			position++
		}
		if err := tx.Insert(ctx, "members", memberColumns, list); err != nil {
			return err
		}
	}
	return nil
}

// addMembers gives resources that were read their members.
func addMembers(ctx context.Context, tx Tx, list []*row) error {
	byTenant := make(map[string][]int64)
	byOwner := make(map[int64][]any)
	for _, r := range list {
		if r.members {
			byTenant[r.resource.Tenant] = append(byTenant[r.resource.Tenant], r.seq)
		}
	}
	for tenant, owners := range byTenant {
		err := inChunks(owners, func(in string, args []any) error {
			return tx.Query(ctx, func(from Row) error {
				var owner int64
				var m member
				if err := from.Scan(&owner, &m.value, &m.element); err != nil {
					return err
				}
				object, err := m.object()
				byOwner[owner] = append(byOwner[owner], object)
				return err
			}, "SELECT owner, value, element FROM members WHERE tenant = $1 AND owner IN ("+in+") ORDER BY owner, position", args...)
		}, tenant)
		if err != nil {
			return err
		}
	}
	for _, r := range list {
		r.resource.Document = join(r.resource.Document, byOwner[r.seq])
	}
	return nil
}

// kept is a member that is in the table.
type kept struct {
	member
	position int64
}

// membersOf returns the members of a resource in order.
func membersOf(ctx context.Context, tx Tx, of row) (list []kept, err error) {
	err = tx.Query(ctx, func(from Row) error {
		var k kept
		err := from.Scan(&k.position, &k.value, &k.element)
		list = append(list, k)
		return err
	}, "SELECT position, value, element FROM members WHERE tenant = $1 AND owner = $2 ORDER BY position", of.resource.Tenant, of.seq)
	return list, err
}

// setMembers gives a resource these members in the place of those that it has. Those that stay where they are are not written.
func setMembers(ctx context.Context, tx Tx, of row, members []member) error {
	var old []kept
	if of.members {
		var err error
		if old, err = membersOf(ctx, tx, of); err != nil {
			return err
		}
	}
	// Members stay as long as what is left of the old ones is the beginning of the new ones.
	var gone []string
	stay, next := 0, int64(0)
	for _, k := range old {
		if next <= k.position {
			next = k.position + 1
		}
		if stay < len(members) && same(k.member, members[stay]) {
			stay++
			continue
		}
		gone = append(gone, k.value)
	}
	if err := removeMembers(ctx, tx, of, gone); err != nil {
		return err
	}
	return insertMembers(ctx, tx, of.resource.Tenant, of.seq, next, members[stay:])
}

func same(a, b member) bool {
	if a.value != b.value || (a.element == nil) != (b.element == nil) {
		return false
	}
	return a.element == nil || *a.element == *b.element
}

func removeMembers(ctx context.Context, tx Tx, of row, values []string) error {
	return inChunks(values, func(in string, args []any) error {
		_, err := tx.Exec(ctx, "DELETE FROM members WHERE tenant = $1 AND owner = $2 AND value IN ("+in+")", args...)
		return err
	}, of.resource.Tenant, of.seq)
}

// UpdateMembers adds and removes members. It reads and writes no more members than the change names, unless c.Reset is set.
func (s *Store) UpdateMembers(ctx context.Context, u server.MemberUpdate) (server.MemberResult, error) {
	add, err := membersIn(u.Add)
	if err != nil {
		return server.MemberResult{}, wrap("update members", err)
	}
	var c content
	if u.Document != nil {
		if c, err = s.content(ctx, u.Resource); err != nil {
			return server.MemberResult{}, wrap("update members", err)
		}
	}
	sh := s.shape(u.Type, u.Schema)
	id, err := s.shapeID(ctx, sh, true)
	if err != nil {
		return server.MemberResult{}, wrap("update members", err)
	}
	var result server.MemberResult
	err = s.db.Write(ctx, func(tx Tx) error {
		result = server.MemberResult{}
		was, err := find(ctx, tx, u.Key, s.dialect.ForUpdate)
		if err != nil {
			return err
		}
		if u.IfVersion != "" && was.resource.Version != u.IfVersion {
			return server.ErrVersion
		}
		fresh, gone, err := plan(ctx, tx, was, add, u.MemberChange)
		if err != nil {
			return err
		}
		result = server.MemberResult{Resource: was.resource, Added: valuesOf(fresh), Removed: gone}
		if u.Document == nil && len(fresh) == 0 && len(gone) == 0 {
			return nil
		}
		result.Changed = true
		result.Resource.Version = u.Version
		if err := exchange(ctx, tx, was, fresh, gone); err != nil {
			return err
		}
		members := was.members || len(fresh) > 0
		if u.Document != nil {
			result.Resource.Document = u.Document
			return s.put(ctx, tx, was, u.Version, members, c)
		}
		result.Resource.Document = server.Modified(was.resource.Document, u.Modified)
		now := content{shape: id}
		if now.document, err = encode(result.Resource.Document); err != nil {
			return err
		}
		if err := now.index(sh, result.Resource.Document); err != nil {
			return err
		}
		if was.shape != id || sh.has(modified) { // else the terms are those that they were
			if err := setTerms(ctx, tx, was, now.terms); err != nil {
				return err
			}
		}
		return s.setDocument(ctx, tx, was.seq, u.Version, members, now)
	})
	if err != nil {
		return server.MemberResult{}, wrap("update members", err)
	}
	return result, nil
}

// CountMembers returns how many members a resource has, or most when it has more.
func (s *Store) CountMembers(ctx context.Context, key server.Key, most int) (int, error) {
	r, err := find(ctx, s.db, key, "")
	if err != nil || !r.members || most <= 0 {
		return 0, wrap("count members", err)
	}
	var n int64
	err = s.db.Query(ctx, func(from Row) error { return from.Scan(&n) },
		"SELECT count(*) FROM (SELECT 1 FROM members WHERE tenant = $1 AND owner = $2 LIMIT "+strconv.Itoa(most)+") few", key.Tenant, r.seq)
	return int(n), wrap("count members", err)
}

// membersIn returns the members among elements. Of two with one value the first counts.
func membersIn(elements []map[string]any) ([]member, error) {
	list := make([]member, 0, len(elements))
	seen := make(map[string]bool, len(elements))
	for _, e := range elements {
		value, ok := server.MemberValue(e)
		if !ok || seen[value] {
			continue
		}
		seen[value] = true
		m, err := memberOf(e)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

func valuesOf(members []member) []string {
	var values []string
	for _, m := range members {
		values = append(values, m.value)
	}
	return values
}

// plan returns which members a change adds and removes.
func plan(ctx context.Context, tx Tx, of row, add []member, c server.MemberChange) (fresh []member, gone []string, err error) {
	is := make(map[string]bool)
	switch {
	case !of.members:
	case c.Reset:
		old, err := membersOf(ctx, tx, of)
		if err != nil {
			return nil, nil, err
		}
		for _, k := range old {
			is[k.value] = true
		}
	default:
		named := slices.Concat(valuesOf(add), slices.DeleteFunc(slices.Clone(c.Remove), func(v string) bool { return !plain(v) }))
		err = inChunks(named, func(in string, args []any) error {
			return tx.Query(ctx, func(from Row) error {
				var value string
				err := from.Scan(&value)
				is[value] = true
				return err
			}, "SELECT value FROM members WHERE tenant = $1 AND owner = $2 AND value IN ("+in+")", args...)
		}, of.resource.Tenant, of.seq)
		if err != nil {
			return nil, nil, err
		}
	}
	for _, m := range add {
		if !is[m.value] {
			fresh = append(fresh, m)
		} else if c.Reset {
			delete(is, m.value)
		}
	}
	if c.Reset {
		for value := range is {
			gone = append(gone, value)
		}
		slices.Sort(gone)
		return fresh, gone, nil
	}
	for _, value := range c.Remove {
		if is[value] {
			gone = append(gone, value)
			delete(is, value)
		}
	}
	return fresh, gone, nil
}

// exchange removes members and adds others, behind those that there are.
func exchange(ctx context.Context, tx Tx, of row, fresh []member, gone []string) error {
	var last *int64
	if len(fresh) > 0 && of.members {
		err := tx.Query(ctx, func(from Row) error { return from.Scan(&last) },
			"SELECT max(position) FROM members WHERE tenant = $1 AND owner = $2", of.resource.Tenant, of.seq)
		if err != nil {
			return err
		}
	}
	next := int64(0)
	if last != nil {
		next = *last + 1
	}
	if err := removeMembers(ctx, tx, of, gone); err != nil {
		return err
	}
	return insertMembers(ctx, tx, of.resource.Tenant, of.seq, next, fresh)
}

// Memberships returns the groups of each id.
func (s *Store) Memberships(ctx context.Context, tenant string, ids []string) (map[string][]server.Membership, error) {
	ids = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(ids))), func(id string) bool { return len(id) > maxKey || !plain(id) })
	groups := make(map[string][]server.Membership)
	err := inChunks(ids, func(in string, args []any) error {
		return s.db.Query(ctx, func(from Row) error {
			var m member
			var text string
			g := server.Membership{Key: server.Key{Tenant: tenant}}
			if err := from.Scan(&m.value, &m.element, &g.Type, &g.ID, &text); err != nil {
				return err
			}
			doc, err := decode(text)
			if err != nil {
				return err
			}
			element, err := m.object()
			g.Display, _ = doc["displayName"].(string)
			g.MemberType, _ = element["type"].(string)
			groups[m.value] = append(groups[m.value], g)
			return err
		}, `SELECT m.value, m.element, r.type, r.id, r.document FROM members m JOIN resources r ON r.seq = m.owner
WHERE m.tenant = $1 AND m.value IN (`+in+`) ORDER BY m.value, m.owner`, args...)
	}, tenant)
	if err == nil {
		err = ctx.Err()
	}
	return groups, wrap("memberships", err)
}
