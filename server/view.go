package server

import (
	"context"
	"hash/fnv"
	"maps"
	"net/url"
	"strconv"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// view is how resources of one type are shown in the answer to a request: what the server adds to what is stored, and which of
// it is asked for.
type view struct {
	rt         *resourceType
	projection schema.Projection
	// members, display and groups say whether these are shown: the members of a group, their display, and the groups of a
	// user.
	members, display, groups bool
}

// view returns how resources are shown when these attributes are asked for.
func (s *Server) view(rt *resourceType, attributes, excluded []string) (view, error) {
	if len(attributes) == 0 && len(excluded) == 0 {
		return rt.standard, nil
	}
	p, err := rt.schema.Projection(attributes, excluded)
	if err != nil {
		return view{}, err
	}
	return rt.viewOf(p), nil
}

// viewOf finds out what a projection shows by showing it an example.
func (rt *resourceType) viewOf(p schema.Projection) view {
	v := view{rt: rt, projection: p}
	if rt.members != nil {
		_, hasDisplay := rt.members.SubAttribute("display")
		shown, _ := rt.schema.Project(scim.Document{Members: []any{map[string]any{"value": "x", "display": "x"}}}, p)[Members].([]any)
		v.members = len(shown) > 0
		if v.members && hasDisplay {
			element, _ := shown[0].(map[string]any)
			v.display = element["display"] != nil
		}
	}
	if rt.groups != nil {
		shown := rt.schema.Project(scim.Document{rt.groups.Name: []any{map[string]any{"value": "x", "display": "x", "$ref": "x", "type": "x"}}}, p)
		v.groups = shown[rt.groups.Name] != nil
	}
	return v
}

// whole is the view of everything, for hooks and for filters that look at what the server adds.
func (rt *resourceType) whole() view {
	return view{rt: rt, members: rt.members != nil, display: rt.members != nil, groups: rt.groups != nil}
}

// omit are the attributes that need not be loaded.
func (v view) omit() []string {
	if v.rt.members != nil && !v.members {
		return omitMembers
	}
	return nil
}

var omitMembers = []string{Members}

// location returns the URL of a resource.
func (c *call) location(rt *resourceType, id string) string {
	return c.info.BaseURL + rt.Endpoint + "/" + url.PathEscape(id)
}

// shown is a resource as the client gets it.
type shown struct {
	doc  scim.Document
	etag string
	key  Key
	// location is that of the resource.
	location string
}

// show returns resources as the client gets them.
func (c *call) show(ctx context.Context, v view, resources []Resource) ([]shown, error) {
	dressed, err := c.dress(ctx, v, resources)
	if err != nil {
		return nil, err
	}
	for i := range dressed {
		doc := dressed[i].doc
		if c.s.opts.Hooks.OnRead != nil {
			if doc, err = c.s.opts.Hooks.OnRead(ctx, dressed[i].key, doc.Clone()); err != nil {
				return nil, err
			}
		}
		dressed[i].doc = v.rt.schema.Project(doc, v.projection)
	}
	return dressed, nil
}

// dress returns resources with what the server adds to them. The documents share values with the stored ones.
func (c *call) dress(ctx context.Context, v view, resources []Resource) ([]shown, error) {
	var memberships map[string][]Membership
	var displays map[Key]string
	var err error
	if v.groups {
		if memberships, err = c.memberships(ctx, resources); err != nil {
			return nil, err
		}
	}
	if v.display {
		if displays, err = c.displays(ctx, resources); err != nil {
			return nil, err
		}
	}
	out := make([]shown, len(resources))
	for i, r := range resources {
		doc := maps.Clone(r.Document)
		var digest string
		if v.groups {
			digest = c.addGroups(doc, v.rt, memberships[r.ID])
		}
		if v.members {
			c.addMembers(doc, v.rt, displays)
		}
		c.addReferences(doc, v.rt)
		out[i] = shown{doc: doc, key: r.Key, location: c.location(v.rt, r.ID), etag: etag(r.Version, digest)}
		c.addMeta(doc, &out[i])
	}
	return out, nil
}

func (c *call) addMeta(doc scim.Document, s *shown) {
	stored, _ := doc["meta"].(map[string]any)
	meta := make(map[string]any, len(stored)+2)
	maps.Copy(meta, stored)
	meta["location"] = s.location
	if c.s.has(FeatureETag) {
		meta["version"] = s.etag
	}
	doc["meta"] = meta
}

// addGroups adds the groups that a user is a member of, and returns a digest of them.
func (c *call) addGroups(doc scim.Document, rt *resourceType, groups []Membership) string {
	delete(doc, rt.groups.Name)
	if len(groups) == 0 {
		return ""
	}
	digest := fnv.New64a()
	list := make([]any, 0, len(groups))
	for _, g := range groups {
		element := map[string]any{"value": g.ID}
		if g.Display != "" {
			element["display"] = g.Display
		}
		kind := "direct"
		if g.indirect {
			kind = "indirect"
		}
		if has(rt.groups, "type") {
			element["type"] = kind
		}
		if groupType, ok := c.s.typeNamed(g.Type); ok && has(rt.groups, "$ref") {
			element["$ref"] = c.location(groupType, g.ID)
		}
		list = append(list, element)
		_, _ = digest.Write([]byte(g.ID + "\x00" + g.Display + "\x00" + kind + "\x00"))
	}
	doc[rt.groups.Name] = list
	return strconv.FormatUint(digest.Sum64(), 36)
}

// addMembers gives the members of a group their display and $ref, as far as the schema has them.
func (c *call) addMembers(doc scim.Document, rt *resourceType, displays map[Key]string) {
	stored, ok := doc[Members].([]any)
	if !ok {
		return
	}
	hasType, hasRef, hasDisplay := has(rt.members, "type"), has(rt.members, "$ref"), has(rt.members, "display")
	list := make([]any, len(stored))
	for i, e := range stored {
		value, ok := MemberValue(e)
		if !ok {
			list[i] = e
			continue
		}
		element := maps.Clone(e.(map[string]any))
		list[i] = element
		kind, _ := element["type"].(string)
		if memberType, ok := c.s.typeNamed(kind); ok && hasRef {
			element["$ref"] = c.location(memberType, value)
		}
		if display := displays[c.keyOf(kind, value)]; display != "" && hasDisplay {
			element["display"] = display
		}
		if !hasType {
			delete(element, "type")
		}
	}
	doc[Members] = list
}

func (c *call) keyOf(typ, id string) Key { return Key{Tenant: c.tenant(), Type: typ, ID: id} }

// addReferences gives references such as manager their $ref.
func (c *call) addReferences(doc scim.Document, rt *resourceType) {
	for _, a := range rt.references {
		holder := map[string]any(doc)
		if a.URN != "" {
			holder, _ = doc[a.URN].(map[string]any)
		}
		value, ok := MemberValue(holder[a.Name])
		if !ok || value == "" {
			continue
		}
		target, ok := c.s.target(a)
		if !ok {
			continue
		}
		element := maps.Clone(holder[a.Name].(map[string]any))
		element["$ref"] = c.location(target, value)
		if a.URN != "" {
			holder = maps.Clone(holder)
			doc[a.URN] = holder
		}
		holder[a.Name] = element
	}
}

// target returns the type of the resources that a complex attribute points to, when it can only be one.
func (s *Server) target(a *schema.Attribute) (*resourceType, bool) {
	ref, ok := a.SubAttribute("$ref")
	if !ok || len(ref.ReferenceTypes) != 1 {
		return nil, false
	}
	return s.typeNamed(ref.ReferenceTypes[0])
}

func has(a *schema.Attribute, sub string) bool {
	_, ok := a.SubAttribute(sub)
	return ok
}

// derived reports whether the server adds to a stored attribute, or makes it up.
func (rt *resourceType) derived(a *schema.Attribute) bool {
	top := a
	if p := a.Parent(); p != nil {
		top = p
	}
	switch {
	case top == rt.groups:
		return true
	case top == rt.members:
		return a.Name == "display" || a.Name == "$ref"
	case top.Name == "meta" && top.URN == "":
		return strings.EqualFold(a.Name, "location") || strings.EqualFold(a.Name, "version")
	}
	for _, r := range rt.references {
		if top == r && a.Name == "$ref" {
			return true
		}
	}
	return false
}
