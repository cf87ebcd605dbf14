package server

import (
	"context"
	"hash/fnv"
	"io"
	"maps"
	"net/url"
	"reflect"
	"slices"
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
	// standard says that no attributes in particular are asked for.
	standard bool
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

// shown is a resource as the client gets it: the stored document, with the attributes in added and in meta put over it; or doc, when
// that is not enough.
type shown struct {
	key      Key
	etag     string
	location string
	version  string // as meta has it; empty without ETags

	rt     *resourceType
	stored scim.Document
	added  []field
	doc    scim.Document
	// rendering is where the JSON of stored is kept; nil when it is not.
	rendering *Rendering
}

// field is an attribute that the server makes; without value it is absent.
type field struct {
	name  string
	value any
}

// show returns resources as the client gets them.
func (c *call) show(ctx context.Context, v view, resources []Resource) ([]shown, error) {
	list, err := c.dress(ctx, v, resources)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if v.standard && c.s.opts.Hooks.OnRead == nil && !v.rt.hasMixed(list[i].stored) {
			continue
		}
		doc := list[i].whole()
		if c.s.opts.Hooks.OnRead != nil {
			if doc, err = c.s.opts.Hooks.OnRead(ctx, list[i].key, doc.Clone()); err != nil {
				return nil, err
			}
		}
		list[i].doc = v.rt.schema.Project(doc, v.projection)
	}
	return list, nil
}

// dress returns resources with what the server adds to them.
func (c *call) dress(ctx context.Context, v view, resources []Resource) ([]shown, error) {
	var memberships map[Key][]Membership
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
		s := shown{key: r.Key, location: c.location(v.rt, r.ID), rt: v.rt, stored: r.Document}
		var digest string
		if v.groups {
			var groups any
			groups, digest = c.groups(v.rt, memberships[r.Key])
			s.added = append(s.added, field{v.rt.groups.Name, groups})
		}
		if v.members {
			members, names := c.shownMembers(r.Document, v.rt, displays)
			if members != nil {
				s.added = append(s.added, field{Members, members})
			}
			digest += names
		}
		s.added = c.addReferences(s.added, r.Document, v.rt)
		s.etag = etag(r.Version, digest)
		if c.s.has(FeatureETag) {
			s.version = s.etag
		}
		out[i] = s
	}
	return out, nil
}

// whole returns the document with all that was added. It shares values with the stored one.
func (s *shown) whole() scim.Document {
	doc := maps.Clone(s.stored)
	for _, f := range s.added {
		if doc[f.name] = f.value; f.value == nil {
			delete(doc, f.name)
		}
	}
	stored, _ := doc["meta"].(map[string]any)
	meta := make(map[string]any, len(stored)+2)
	maps.Copy(meta, stored)
	meta["location"] = s.location
	if s.version != "" {
		meta["version"] = s.version
	}
	doc["meta"] = meta
	return doc
}

// rendered is the JSON of the attributes of a document that are shown as they are stored, without the braces. It is good for
// that document only: who changes a document makes another. Another server with the same store may show less.
type rendered struct {
	rt       *resourceType
	document scim.Document
	json     []byte
}

// of reports whether r was made of the document, as one of the type.
func (r *rendered) of(rt *resourceType, doc scim.Document) bool {
	return r != nil && r.rt == rt && reflect.ValueOf(r.document).Pointer() == reflect.ValueOf(doc).Pointer()
}

// append appends the resource as JSON: what is stored, what was added, and meta.
func (s *shown) append(b []byte) ([]byte, error) {
	if s.doc != nil {
		return appendObject(b, s.doc)
	}
	b, err := s.appendStored(append(b, '{'))
	for _, f := range s.added {
		if err != nil || f.value == nil {
			continue
		}
		if b, err = appendString(b, f.name); err == nil {
			b, err = appendJSON(append(b, ':'), f.value)
			b = append(b, ',')
		}
	}
	if err != nil {
		return b, err
	}
	b, err = s.appendMeta(append(b, `"meta":`...))
	return append(b, '}'), err
}

// appendStored appends the attributes that are shown as they are stored, each with a comma behind it.
func (s *shown) appendStored(b []byte) ([]byte, error) {
	if s.rendering != nil {
		if r := s.rendering.made.Load(); r.of(s.rt, s.stored) {
			return append(b, r.json...), nil
		}
	}
	var few [24]string
	names := few[:0]
	for name := range s.stored {
		if _, replaced := s.find(name); !replaced && name != "meta" && !slices.Contains(s.rt.hidden, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	start := len(b)
	for _, name := range names {
		var err error
		if b, err = appendString(b, name); err != nil {
			return b, err
		}
		if b, err = appendJSON(append(b, ':'), s.stored[name]); err != nil {
			return b, err
		}
		b = append(b, ',')
	}
	if s.rendering != nil {
		s.rendering.made.Store(&rendered{rt: s.rt, document: s.stored, json: slices.Clone(b[start:])})
	}
	return b, nil
}

func (s *shown) find(name string) (any, bool) {
	for _, f := range s.added {
		if f.name == name {
			return f.value, true
		}
	}
	return nil, false
}

func (s *shown) appendMeta(b []byte) ([]byte, error) {
	stored, _ := s.stored["meta"].(map[string]any)
	var few [8]string
	names := append(few[:0], "location")
	if s.version != "" {
		names = append(names, "version")
	}
	for name := range stored {
		if name != "location" && name != "version" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return appendMembers(b, names, func(b []byte, name string) ([]byte, error) {
		switch name {
		case "location":
			return appendString(b, s.location)
		case "version":
			return appendString(b, s.version)
		}
		return appendJSON(b, stored[name])
	})
}

// inspectReturned finds out what of a type's documents is not shown unless asked for, or ever.
func (rt *resourceType) inspectReturned() {
	hidden := func(a *schema.Attribute) bool {
		return a.Returned == schema.ReturnedNever || a.Returned == schema.ReturnedRequest
	}
	var below func(a *schema.Attribute) bool
	below = func(a *schema.Attribute) bool {
		return slices.ContainsFunc(a.Sub, func(sub *schema.Attribute) bool { return hidden(sub) || below(sub) })
	}
	for a := range rt.schema.Attributes() {
		for _, u := range append([]*schema.Attribute{a}, a.Sub...) {
			if u.Sensitive() {
				rt.sensitive = append(rt.sensitive, u)
			}
		}
		switch {
		case a.URN != "": // looked at as a part of its extension
		case hidden(a):
			rt.hidden = append(rt.hidden, a.Name)
		case below(a):
			rt.mixed = append(rt.mixed, a.Name)
		}
	}
	for _, e := range rt.schema.Extensions() {
		if below(e) {
			rt.mixed = append(rt.mixed, e.Name)
		}
	}
}

// hasSensitive reports whether a document has an attribute that is never shown.
func (rt *resourceType) hasSensitive(doc scim.Document) bool {
	return slices.ContainsFunc(rt.sensitive, func(a *schema.Attribute) bool {
		holder := map[string]any(doc)
		if a.URN != "" {
			holder, _ = doc[a.URN].(map[string]any)
		}
		p := a.Parent()
		if p == nil {
			return holder[a.Name] != nil
		}
		found := false
		each(holder[p.Name], func(e any) {
			object, _ := e.(map[string]any)
			found = found || object[a.Name] != nil
		})
		return found
	})
}

// hasMixed reports whether a document has an attribute of which a part is not to be shown.
func (rt *resourceType) hasMixed(doc scim.Document) bool {
	return slices.ContainsFunc(rt.mixed, func(name string) bool { _, ok := doc[name]; return ok })
}

// groups returns the groups that a user is a member of as they are shown, nil for none, and a digest of them.
func (c *call) groups(rt *resourceType, groups []Membership) (any, string) {
	if len(groups) == 0 {
		return nil, ""
	}
	digest := fnv.New64a()
	list := make([]any, 0, len(groups))
	for _, g := range groups {
		element := map[string]any{"value": g.ID}
		groupType, known := c.s.typeNamed(g.Type)
		if known && !groupType.shows(displayName) {
			g.Display = ""
		}
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
		if known && has(rt.groups, "$ref") {
			element["$ref"] = c.location(groupType, g.ID)
		}
		list = append(list, element)
		_, _ = digest.Write([]byte(g.ID + "\x00" + g.Display + "\x00" + kind + "\x00"))
	}
	return list, strconv.FormatUint(digest.Sum64(), 36)
}

// shownMembers returns the members of a group with display and $ref, as far as the schema has them; nil for none. It also returns a digest of
// the displays that are the names of the members, which change without the group being written; empty when none is.
func (c *call) shownMembers(doc scim.Document, rt *resourceType, displays map[Key]string) (any, string) {
	stored, ok := doc[Members].([]any)
	if !ok {
		return nil, ""
	}
	names, named := fnv.New64a(), false
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
		if display := displays[c.keyOf(kind, value)]; display != "" && hasDisplay && element["display"] == nil {
			element["display"] = display
			named = true
			_, _ = io.WriteString(names, value+"\x00"+display+"\x00")
		}
		if !hasType {
			delete(element, "type")
		}
	}
	if !named {
		return list, ""
	}
	return list, strconv.FormatUint(names.Sum64(), 36)
}

func (c *call) keyOf(typ, id string) Key { return Key{Tenant: c.tenant(), Type: typ, ID: id} }

// addReferences adds references such as manager with their $ref.
func (c *call) addReferences(added []field, doc scim.Document, rt *resourceType) []field {
	var extensions map[string]map[string]any
	for _, a := range rt.references {
		holder := map[string]any(doc)
		if a.URN != "" {
			holder, _ = doc[a.URN].(map[string]any)
		}
		value, ok := MemberValue(holder[a.Name])
		target, known := c.s.target(a)
		if !ok || value == "" || !known {
			continue
		}
		element := maps.Clone(holder[a.Name].(map[string]any))
		element["$ref"] = c.location(target, value)
		if a.URN == "" {
			added = append(added, field{a.Name, element})
			continue
		}
		extension, copied := extensions[a.URN]
		if !copied {
			extension = maps.Clone(holder)
			if extensions == nil {
				extensions = make(map[string]map[string]any, 1)
			}
			extensions[a.URN] = extension
			added = append(added, field{a.URN, extension})
		}
		extension[a.Name] = element
	}
	return added
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
