package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/mapping/expr"
	"github.com/scimbridge/scim/schema"
)

// target is a target attribute: its type, and where in a document its value goes.
type target struct {
	path filter.Path
	// name is the path in the schema's spelling.
	name string
	// known says that the schema or the profile has the attribute, or that the mapping gives its type.
	known       bool
	kind        Type
	multiValued bool
	readOnly    bool
	// spreads says that each value of a list makes an element of its own.
	spreads bool
	// reference says that the values are ids of other objects of the source.
	reference bool
	// container holds the value under key; with no key, the value's own attributes are put into it.
	container int
	key       string
}

// container is an object in the documents being made, or the document itself.
type container struct {
	parent int
	key    string
	// element says that the object is an element of the list under key.
	element bool
	// given are the attributes that a new element starts with: those its value filter asks for.
	given []given
	size  int
}

type given struct {
	name  string
	value any
}

// layout is all containers of a mapping's targets; the first is the document. A container comes after its parent.
type layout []container

// find returns the container with that place in the parent, or adds it. id tells elements of one list apart.
func (l *layout) find(ids map[string]int, parent int, key, id string, c container) int {
	full := fmt.Sprintf("%d\x00%s\x00%s", parent, key, id)
	if i, ok := ids[full]; ok {
		return i
	}
	c.parent, c.key = parent, key
	*l = append(*l, c)
	(*l)[parent].size++
	ids[full] = len(*l) - 1
	return len(*l) - 1
}

// place finds the container of a target, once its type is known. parentMulti says that the attribute of which the target is a
// sub-attribute is a list.
func (c *compiler) place(t *target, parentMulti bool) error {
	p := t.path
	at := 0
	if p.Attr.URN != "" {
		at = c.layout.find(c.containers, 0, p.Attr.URN, "", container{})
	}
	sub := p.Target().Sub
	switch {
	case !p.Filter.IsZero():
		e, err := c.element(p)
		if err != nil {
			return err
		}
		// In any case, because [container.describes] finds the element in the target that way.
		at = c.layout.find(c.containers, at, p.Attr.Name, strings.ToLower(p.Filter.String()), e)
		t.key, t.spreads, t.multiValued = sub, sub != "" && !t.multiValued, t.multiValued && sub != ""
		if sub == "" {
			t.kind = TypeComplex
		}
	case sub != "" && parentMulti:
		at = c.layout.find(c.containers, at, p.Attr.Name, "", container{element: true})
		t.key, t.spreads = sub, !t.multiValued
	case sub != "":
		at = c.layout.find(c.containers, at, p.Attr.Name, "", container{})
		t.key = sub
	default:
		t.key = p.Attr.Name
	}
	t.container = at
	c.layout[at].size++
	return nil
}

// element is the list element that the value filter of a path describes.
func (c *compiler) element(p filter.Path) (container, error) {
	made := container{element: true}
	terms, ok := p.Filter.Equalities()
	if !ok {
		return made, fmt.Errorf("[%s] does not say what a new element has to be: only eq, joined by and, does", p.Filter)
	}
	for _, term := range terms {
		g := given{term.Attr.Name, term.Value.Any()}
		if a, ok := c.attribute(filter.Attr{URN: p.Attr.URN, Name: p.Attr.Name, Sub: term.Attr.Name}); ok {
			g.name = a.Name
			if b, ok := boolean(expr.FromAny(g.value)); ok && a.Type == schema.Boolean {
				// Entra writes roles[primary eq "True"].
				g.value = b
			}
		}
		made.given = append(made.given, g)
	}
	made.size = len(terms)
	return made, nil
}

// builder makes one document.
type builder struct {
	layout  layout
	objects []map[string]any
}

func (b *builder) reset(l layout) {
	b.layout = l
	if cap(b.objects) < len(l) {
		b.objects = make([]map[string]any, len(l))
	}
	b.objects = b.objects[:len(l)]
	clear(b.objects)
}

// document returns what was made, nil when nothing was.
func (b *builder) document() map[string]any { return b.objects[0] }

// object returns a container's object and makes it if need be.
func (b *builder) object(i int) map[string]any {
	if b.objects[i] != nil {
		return b.objects[i]
	}
	c := &b.layout[i]
	object := make(map[string]any, c.size)
	b.objects[i] = object
	if i == 0 {
		return object
	}
	for _, g := range c.given {
		object[g.name] = g.value
	}
	parent := b.object(c.parent)
	if !c.element {
		parent[c.key] = object
		return object
	}
	list, _ := parent[c.key].([]any)
	parent[c.key] = append(list, object)
	return object
}

// set puts a converted value into the document.
func (b *builder) set(t *target, v any) {
	object := b.object(t.container)
	if t.key == "" {
		fields, _ := v.(map[string]any)
		for name, f := range fields {
			object[name] = f
		}
		return
	}
	if list, ok := v.([]any); ok && t.spreads {
		b.spread(t, object, list)
		return
	}
	object[t.key] = v
}

// spread puts the first value into the container and each further one into a new element like it.
func (b *builder) spread(t *target, object map[string]any, list []any) {
	object[t.key] = list[0]
	c := &b.layout[t.container]
	parent := b.object(c.parent)
	elements, _ := parent[c.key].([]any)
	for _, v := range list[1:] {
		further := make(map[string]any, len(c.given)+1)
		for _, g := range c.given {
			further[g.name] = g.value
		}
		further[t.key] = v
		elements = append(elements, further)
	}
	parent[c.key] = elements
}

// newTarget reads a target path and finds out what type it has.
func (c *compiler) newTarget(a AttributeMapping) (*target, error) {
	if a.Target == "" {
		return nil, errors.New("a target is needed")
	}
	p, err := filter.ParsePath(a.Target, filter.SingleQuotes())
	if err != nil {
		return nil, err
	}
	if p.Attr.Name == "" {
		return nil, errors.New("this is a schema, not an attribute")
	}
	t := &target{path: p}
	parentMulti := c.describe(t)
	if a.Type != "" {
		t.known, t.kind, t.multiValued = true, a.Type, a.MultiValued
		t.reference = a.Type == TypeReference
	}
	if t.kind == TypeReference && !t.reference {
		t.kind = TypeString
	}
	if t.reference {
		c.refer(t)
	}
	t.name = t.path.String()
	return t, c.place(t, parentMulti)
}

// refer makes the target of a reference the attribute that refers, also when the mapping names its sub-attribute value.
func (c *compiler) refer(t *target) {
	if strings.EqualFold(t.path.Attr.Sub, "value") && t.path.Filter.IsZero() {
		t.path.Attr.Sub = ""
	}
	if attribute, ok := c.attribute(t.path.Attr); ok {
		t.multiValued = attribute.MultiValued
	}
}

// describe finds the target's spelling and type in the schema and the profile, and reports whether the attribute that it is a
// sub-attribute of has several values.
func (c *compiler) describe(t *target) (parentMulti bool) {
	p := &t.path
	if isCore(p.Attr.URN) {
		p.Attr.URN = ""
	}
	sub := p.Target().Sub
	whole := filter.Attr{URN: p.Attr.URN, Name: p.Attr.Name}
	if a, ok := c.attribute(whole); ok {
		p.Attr.URN, p.Attr.Name, parentMulti = a.URN, a.Name, a.MultiValued
		if sub != "" {
			t.reference = strings.EqualFold(sub, "value") && refers(a) && p.Filter.IsZero()
			a, ok = a.SubAttribute(sub)
		} else {
			t.reference = refers(a)
		}
		if ok {
			t.known, t.kind, t.multiValued = true, Type(a.Type), a.MultiValued
			t.readOnly = a.Mutability == schema.ReadOnly
			if sub != "" {
				respell(p, a.Name)
			}
		}
	}
	if c.profile == nil {
		return parentMulti && (sub != "" || !p.Filter.IsZero())
	}
	if a, ok := c.profile.Attribute(whole.String()); ok {
		parentMulti = parentMulti || a.MultiValued
		if sub == "" && a.Type == string(TypeReference) && !t.known {
			t.reference = true
		}
	}
	if a, ok := c.profile.Attribute(p.Target().String()); ok {
		t.known, t.kind, t.multiValued = true, Type(a.Type), a.MultiValued
	}
	return parentMulti && (sub != "" || !p.Filter.IsZero())
}

// respell sets the name of the sub-attribute that a path ends at.
func respell(p *filter.Path, sub string) {
	if p.Filter.IsZero() {
		p.Attr.Sub = sub
	} else {
		p.Sub = sub
	}
}

// refers reports whether the values of an attribute are users or groups.
func refers(a *schema.Attribute) bool {
	ref, ok := a.SubAttribute("$ref")
	return ok && (slices.Contains(ref.ReferenceTypes, "User") || slices.Contains(ref.ReferenceTypes, "Group"))
}

// attribute finds an attribute in the schema.
func (c *compiler) attribute(a filter.Attr) (*schema.Attribute, bool) {
	if c.schema == nil {
		return nil, false
	}
	return c.schema.Lookup(a.String())
}
