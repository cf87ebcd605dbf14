package server

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
)

// admitMembers checks the members that doc has and old has not, and gives their elements in doc the type. It returns how the
// members change.
func (c *call) admitMembers(ctx context.Context, rt *resourceType, id string, old, doc scim.Document, pending map[string]string) (MemberChange, error) {
	if rt.members == nil {
		return MemberChange{}, nil
	}
	was := make(map[string]map[string]any)
	each(old[Members], func(e any) {
		if value, ok := MemberValue(e); ok {
			was[value] = e.(map[string]any)
		}
	})
	list, _ := doc[Members].([]any)
	var change MemberChange
	kept := make([]any, 0, len(list))
	seen := make(map[string]any, len(list)) // the element of each value
	for i, e := range list {
		value, ok := MemberValue(e)
		if !ok || value == "" {
			return change, memberError("members[%d].value: is required", i)
		}
		if first, again := seen[value]; again {
			if !sameType(first, e) {
				return change, memberError("members: %.100q is the id of members of two types, of which a group can have one", value)
			}
			continue
		}
		seen[value] = e
		element, had := was[value]
		if !had {
			element = maps.Clone(e.(map[string]any))
			change.Add = append(change.Add, element)
		}
		kept = append(kept, element)
	}
	for value := range was {
		if seen[value] == nil {
			change.Remove = append(change.Remove, value)
		}
	}
	slices.Sort(change.Remove)
	if len(kept) > 0 {
		doc[Members] = kept
	}
	return change, c.admit(ctx, rt, id, change.Add, pending)
}

// sameType reports whether two elements may be the same member.
func sameType(a, b any) bool {
	one, _ := a.(map[string]any)["type"].(string)
	other, _ := b.(map[string]any)["type"].(string)
	return one == "" || other == "" || strings.EqualFold(one, other)
}

// admit checks new members and settles their elements, which it changes: their type becomes that of the resource, and $ref, which
// is made when the group is read, is left out. A display that the client gives stays: it is immutable (RFC 7643 section 2.4).
func (c *call) admit(ctx context.Context, rt *resourceType, id string, elements []map[string]any, pending map[string]string) error {
	if len(elements) == 0 {
		return nil
	}
	candidates := make([]Key, 0, len(elements))
	for _, e := range elements {
		value, _ := MemberValue(e)
		for _, name := range c.s.memberTypes(rt, e) {
			candidates = append(candidates, c.keyOf(name, value))
		}
	}
	found, err := c.existing(ctx, candidates)
	if err != nil {
		return err
	}
	for _, e := range elements {
		value, _ := MemberValue(e)
		typ, ok := pending[value]
		for _, name := range c.s.memberTypes(rt, e) {
			if !ok && found[c.keyOf(name, value)] {
				typ, ok = name, true
			}
		}
		switch {
		case ok && typ == rt.Name && value == id: // resources of other types may have the same id
			return memberError("members: a resource cannot be a member of itself")
		case ok:
			e["type"] = typ
			delete(e, "$ref")
		case !c.s.opts.MissingMembers:
			return memberError("members: no resource has the id %.100q", value)
		}
	}
	return nil
}

// expel takes new members out of a group again that were deleted between the look whether they exist and the writing of the group: who deleted
// them saw no group that has them. pending are ids that are about to exist. The change of the group is made and stays: what goes wrong here
// is logged.
func (c *call) expel(ctx context.Context, group Key, added []map[string]any, pending map[string]string) {
	if len(added) == 0 || c.s.opts.MissingMembers {
		return
	}
	ctx, cancel := c.s.detached(ctx)
	defer cancel()
	keys := make([]Key, 0, len(added))
	for _, e := range added {
		value, _ := MemberValue(e)
		if typ, ok := e["type"].(string); ok && pending[value] == "" {
			keys = append(keys, c.keyOf(typ, value))
		}
	}
	found, err := c.existing(ctx, keys)
	for _, key := range keys {
		if err == nil && !found[key] {
			err = c.leaveGroup(ctx, group, key.ID)
		}
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		c.s.opts.Logger.LogAttrs(ctx, slog.LevelError, "new members of a group could not be looked at again",
			slog.String("request", c.info.ID), slog.String("group", group.ID), slog.String("error", err.Error()))
	}
}

func memberError(format string, args ...any) error {
	e := badRequest(scim.InvalidValue, format, args...)
	e.Attribute = Members
	return e
}

// memberTypes are the types that a member can be of, the likeliest first.
func (s *Server) memberTypes(rt *resourceType, element map[string]any) []string {
	if name, ok := element["type"].(string); ok {
		for _, t := range s.types {
			if strings.EqualFold(t.Name, name) {
				return []string{t.Name}
			}
		}
	}
	// A reference may be outdated, or that of another server: it only says where to look first.
	if name, ok := s.referredType(element); ok && slices.Contains(rt.memberTypes, name) {
		return slices.Concat([]string{name}, rt.memberTypes)
	}
	return rt.memberTypes
}

// referredType returns the type that $ref of a member says it is of.
func (s *Server) referredType(element map[string]any) (string, bool) {
	ref, _ := element["$ref"].(string)
	rest, _, ok := cutLast(ref, "/")
	if !ok {
		return "", false
	}
	_, segment, _ := cutLast(rest, "/")
	rt, ok := s.endpoints[segment]
	if !ok {
		return "", false
	}
	return rt.Name, true
}

// cutLast cuts s around the last separator. Without one, everything is after it.
func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return "", s, false
}

// findMemberTypes returns the types that the schema says members are of; all, when it names none that there is.
func findMemberTypes(rt *resourceType, all []*resourceType) []string {
	var named, every []string
	ref, ok := rt.members.SubAttribute("$ref")
	for _, t := range all {
		every = append(every, t.Name)
		if ok && slices.Contains(ref.ReferenceTypes, t.Name) {
			named = append(named, t.Name)
		}
	}
	if len(named) > 0 {
		return named
	}
	return every
}

// existing returns which of the resources there are.
func (c *call) existing(ctx context.Context, keys []Key) (map[Key]bool, error) {
	resources, err := c.getMany(ctx, keys)
	if err != nil {
		return nil, err
	}
	found := make(map[Key]bool, len(resources))
	for _, r := range resources {
		found[r.Key] = true
	}
	return found, nil
}

// getMany returns those of the resources that exist, without members.
func (c *call) getMany(ctx context.Context, keys []Key) ([]Resource, error) {
	if c.s.batch != nil {
		return c.s.batch.GetMany(ctx, keys, Members)
	}
	list := make([]Resource, 0, len(keys))
	for _, key := range keys {
		r, err := c.s.store.Get(ctx, key, Members)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// displays returns the display of every member of the resources that was not given one.
func (c *call) displays(ctx context.Context, resources []Resource) (map[Key]string, error) {
	var keys []Key
	wanted := make(map[Key]bool)
	for _, r := range resources {
		each(r.Document[Members], func(e any) {
			value, ok := MemberValue(e)
			if !ok {
				return
			}
			element := e.(map[string]any)
			typ, _ := element["type"].(string)
			if element["display"] != nil {
				return
			}
			if key := c.keyOf(typ, value); typ != "" && !wanted[key] {
				wanted[key] = true
				keys = append(keys, key)
			}
		})
	}
	if len(keys) == 0 {
		return nil, nil
	}
	members, err := c.getMany(ctx, keys)
	if err != nil {
		return nil, err
	}
	displays := make(map[Key]string, len(members))
	for _, m := range members {
		displays[m.Key] = c.s.opts.MemberDisplay(m.Key, m.Document)
	}
	return displays, nil
}

// memberDisplay returns the name of a resource, of what may be shown.
func (s *Server) memberDisplay(key Key, doc scim.Document) string {
	rt, ok := s.typeNamed(key.Type)
	if !ok {
		return ""
	}
	name, _ := doc["name"].(map[string]any)
	for _, n := range [...]struct {
		path  string
		value any
	}{{displayName, doc[displayName]}, {"name.formatted", name["formatted"]}, {"userName", doc["userName"]}} {
		if text, _ := n.value.(string); text != "" && rt.shows(n.path) {
			return text
		}
	}
	return ""
}

const displayName = "displayName"

// shows reports whether an attribute with a path, if there is one, may be shown.
func (rt *resourceType) shows(path string) bool {
	return !slices.ContainsFunc(rt.sensitive, func(a *schema.Attribute) bool { return a.Path() == path })
}

// leaveGroups takes a resource out of all groups.
func (c *call) leaveGroups(ctx context.Context, member Key) error {
	groups, err := c.directMemberships(ctx, []Key{member})
	if err != nil {
		return err
	}
	for _, g := range groups[member] {
		if err := c.leaveGroup(ctx, g.Key, member.ID); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

func (c *call) leaveGroup(ctx context.Context, group Key, member string) error {
	change := Change{Kind: MembersLeft, Key: group, Partial: true, Members: MemberChange{Remove: []string{member}}}
	if c.s.members != nil {
		r := Resource{Key: group, Version: c.s.opts.NewVersion()}
		if rt, ok := c.s.typeNamed(group.Type); ok {
			r.Schema = rt.schema
		}
		result, err := c.s.members.UpdateMembers(ctx, MemberUpdate{
			Resource: r, Modified: c.s.opts.Now(), MemberChange: change.Members,
		})
		if err == nil && result.Changed {
			c.after(ctx, change)
		}
		return err
	}
	rt, ok := c.s.typeNamed(group.Type)
	if !ok {
		return nil
	}
	_, err := retry(ctx, func() (Resource, error) {
		r, err := c.s.store.Get(ctx, group)
		if err != nil {
			return r, err
		}
		change.Old, change.Partial = r.Document, false
		change.New = Modified(withoutMember(r.Document, member), c.s.opts.Now())
		err = c.s.store.Update(ctx, Update{IfVersion: r.Version, Resource: Resource{
			Key: group, Version: c.s.opts.NewVersion(), Document: change.New, Unique: rt.uniqueValues(change.New),
			Schema: rt.schema,
		}})
		if err == nil {
			c.after(ctx, change)
		}
		return r, err
	})
	return err
}

func withoutMember(doc scim.Document, member string) scim.Document {
	list, _ := doc[Members].([]any)
	left := slices.DeleteFunc(slices.Clone(list), func(e any) bool {
		value, _ := MemberValue(e)
		return value == member
	})
	doc = maps.Clone(doc)
	if doc[Members] = left; len(left) == 0 {
		delete(doc, Members)
	}
	return doc
}

// memberDelta is a change of members that takes the operations of a PATCH one by one.
type memberDelta struct {
	reset   bool
	order   []string
	added   map[string]map[string]any
	removed map[string]bool
}

func (d *memberDelta) clear() {
	*d = memberDelta{reset: true, added: make(map[string]map[string]any), removed: make(map[string]bool)}
}

func (d *memberDelta) add(element map[string]any) {
	value, _ := MemberValue(element)
	if _, again := d.added[value]; !again {
		d.order = append(d.order, value)
		d.added[value] = element
	}
	delete(d.removed, value)
}

func (d *memberDelta) remove(value string) {
	delete(d.added, value)
	d.removed[value] = true
}

func (d *memberDelta) change() MemberChange {
	c := MemberChange{Reset: d.reset}
	for _, value := range d.order {
		if element, ok := d.added[value]; ok {
			c.Add = append(c.Add, element)
		}
	}
	if !d.reset {
		c.Remove = slices.Sorted(maps.Keys(d.removed))
	}
	return c
}

// splitMembers separates the operations on members from the others. It returns false when one of them depends on which
// members there are: then the members have to be loaded.
func (rt *resourceType) splitMembers(ops []scim.PatchOperation) (rest []scim.PatchOperation, change MemberChange, ok bool, err error) {
	if rt.members == nil || rt.members.Mutability != schema.ReadWrite || rt.Strict {
		return nil, change, false, nil
	}
	d := memberDelta{added: make(map[string]map[string]any), removed: make(map[string]bool)}
	touched := false
	for i, op := range ops {
		about, ok, err := rt.memberOperation(&d, op)
		if err != nil {
			if e, is := errors.AsType[*scim.Error](err); is {
				located := *e
				located.Operation = i + 1
				err = &located
			}
			return nil, change, false, err
		}
		if !ok {
			return nil, change, false, nil
		}
		touched = touched || about
		if !about {
			rest = append(rest, op)
		}
	}
	return rest, d.change(), touched, nil
}

// memberOperation takes one operation. about says that it is about members, ok that the delta can express it.
func (rt *resourceType) memberOperation(d *memberDelta, op scim.PatchOperation) (about, ok bool, err error) {
	kind := scim.PatchOp(strings.ToLower(strings.TrimSpace(string(op.Op))))
	path := strings.TrimSpace(op.Path)
	if path == "" {
		return rt.pathlessMembers(d, kind, op.Value)
	}
	if a, found := rt.schema.Lookup(path); found {
		switch {
		case a == rt.members:
			ok, err := rt.changeMembers(d, kind, op.Value)
			return true, ok, err
		case a.Parent() == rt.members:
			return true, false, nil
		}
		return false, true, nil
	}
	parsed, err := filter.ParsePath(path, filter.SingleQuotes(), filter.QuotedBooleans())
	if err != nil {
		return false, true, nil // package patch says what is wrong with it
	}
	if a, found := rt.schema.Lookup(parsed.Attr.String()); !found || a != rt.members {
		return false, true, nil
	}
	values, plain := valuesOf(parsed.Filter.Node())
	if !plain || parsed.Sub != "" || kind != scim.OpRemove {
		return true, false, nil
	}
	for _, v := range values {
		d.remove(v)
	}
	return true, true, nil
}

// pathlessMembers takes an operation without path when its only attribute is members. One with others, too, is
// left to be taken apart by package patch unless it has none of the members.
func (rt *resourceType) pathlessMembers(d *memberDelta, kind scim.PatchOp, value any) (about, ok bool, err error) {
	object, isObject := value.(map[string]any)
	if !isObject || kind == scim.OpRemove {
		return false, true, nil // package patch says what is wrong with it
	}
	for name, v := range object {
		top, _, _ := strings.Cut(name, "[")
		a, found := rt.schema.Lookup(strings.TrimSpace(top))
		if !found || a != rt.members && a.Parent() != rt.members {
			continue
		}
		if a != rt.members || top != name || len(object) > 1 {
			return true, false, nil
		}
		ok, err := rt.changeMembers(d, kind, v)
		return true, ok, err
	}
	return false, true, nil
}

// changeMembers takes an operation on all of members. It returns false for one that removes members by something else than their value.
func (rt *resourceType) changeMembers(d *memberDelta, kind scim.PatchOp, value any) (ok bool, err error) {
	switch kind {
	case scim.OpRemove:
		if value == nil {
			d.clear()
			return true, nil
		}
	case scim.OpReplace:
		d.clear()
	case scim.OpAdd:
	default:
		return false, badRequest(scim.InvalidSyntax, "op must be add, replace or remove")
	}
	canonical, err := rt.members.Canonical(value, schema.Options{Mode: schema.ModePatch, Unknown: rt.Unknown, Tolerant: true})
	if err != nil {
		return false, err
	}
	list, _ := canonical.([]any)
	for i, e := range list {
		id, known := MemberValue(e)
		switch {
		case kind == scim.OpRemove && known && id != "":
			d.remove(id)
		case kind == scim.OpRemove:
			return false, nil
		case !known || id == "":
			return false, memberError("members[%d].value: is required", i)
		default:
			d.add(e.(map[string]any))
		}
	}
	return true, nil
}

// valuesOf returns the values that a filter such as value eq "a" or value eq "b" asks for, and whether it is of that form.
func valuesOf(n filter.Node) ([]string, bool) {
	switch n := n.(type) {
	case *filter.Compare:
		text, ok := n.Value.Text()
		return []string{text}, ok && n.Op == filter.OpEq && n.Attr.Sub == "" && strings.EqualFold(n.Attr.Name, "value")
	case *filter.Or:
		var all []string
		for _, t := range n.Terms {
			values, ok := valuesOf(t)
			if !ok {
				return nil, false
			}
			all = append(all, values...)
		}
		return all, true
	}
	return nil, false
}
