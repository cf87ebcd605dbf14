package mapping

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/scimbridge/scim"
)

// Merge returns what a target object is to be: current, with what r says of an update done to it. Of r it uses Update, WhenEmpty and
// Clear. Neither is changed, and the result shares nothing with them. References are not part of it: see [Reference.Put].
//
// Attributes that the mapping does not govern stay. Where a target has a value filter, the elements that the filter describes are governed
// together: emails[type eq "work"].value leaves other sub-attributes of the work address and all other addresses alone, and an
// element for which there is no value any more goes when the mapping gives values for others. Attributes in [Result.AddOnly] of the
// mapping lose no values.
func (m *Mapping) Merge(current scim.Document, r Result) scim.Document {
	doc := current.Clone()
	if doc == nil {
		doc = scim.Document{}
	}
	for i := range m.layout {
		if m.layout[i].element {
			m.mergeElements(doc, i, r.Update, false)
		}
	}
	for i := range m.attributes {
		if t := &m.attributes[i].target; m.plain(t) {
			m.mergePlain(doc, t, r.Update, false)
		}
	}
	for i := range m.layout {
		if m.layout[i].element {
			m.mergeElements(doc, i, r.WhenEmpty, true)
		}
	}
	for i := range m.attributes {
		t := &m.attributes[i].target
		if m.plain(t) {
			m.mergePlain(doc, t, r.WhenEmpty, true)
		}
		if slices.Contains(r.Clear, t.name) {
			m.clear(doc, t)
		}
	}
	return doc
}

// plain reports whether a target is a value in the document that is not in an element of a list.
func (m *Mapping) plain(t *target) bool { return !t.reference && !m.layout[t.container].element }

// within returns the object that a container is in a document, nil when there is none and none is to be made. The container is no
// element.
func (m *Mapping) within(doc map[string]any, container int, create bool) map[string]any {
	if container == 0 || doc == nil {
		return doc
	}
	c := &m.layout[container]
	parent := m.within(doc, c.parent, create)
	object, ok := parent[c.key].(map[string]any)
	if !ok && create {
		object = make(map[string]any)
		parent[c.key] = object
	}
	return object
}

// mergePlain takes over one value. fill takes it over only where there is none.
func (m *Mapping) mergePlain(doc map[string]any, t *target, from map[string]any, fill bool) {
	v, ok := m.within(from, t.container, false)[t.key]
	if !ok {
		return
	}
	object := m.within(doc, t.container, true)
	old := object[t.key]
	if fill && !unassigned(old) {
		return
	}
	if slices.Contains(m.addOnly, t.name) {
		if list, ok := old.([]any); ok {
			v = union(list, v)
		}
	}
	object[t.key] = cloneComposite(v)
}

// unassigned reports whether a value is none (RFC 7643 section 2.5).
func unassigned(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// union returns a list with the values that it lacks.
func union(list []any, more any) []any {
	list = slices.Clone(list)
	values, ok := more.([]any)
	if !ok {
		values = []any{more}
	}
	for _, v := range values {
		if !slices.ContainsFunc(list, func(have any) bool { return has(have, v) }) {
			list = append(list, v)
		}
	}
	return list
}

// has reports whether a value is v, or an object that has all of v's attributes.
func has(have, v any) bool {
	object, ok := v.(map[string]any)
	other, also := have.(map[string]any)
	if !ok || !also {
		return reflect.DeepEqual(have, v)
	}
	for name, f := range object {
		if !reflect.DeepEqual(other[name], f) {
			return false
		}
	}
	return true
}

// mergeElements takes over the elements of a list that a container describes.
func (m *Mapping) mergeElements(doc map[string]any, container int, from map[string]any, fill bool) {
	c := &m.layout[container]
	all, _ := m.within(from, c.parent, false)[c.key].([]any)
	wanted := m.described(container, all)
	if len(wanted) == 0 {
		return
	}
	parent := m.within(doc, c.parent, true)
	list, _ := parent[c.key].([]any)
	have := m.described(container, list)
	switch {
	case fill && len(have) > 0:
		fillElement(list[have[0]].(map[string]any), all[wanted[0]].(map[string]any))
	case m.addsOnly(container):
		for _, w := range wanted {
			list = union(list, []any{cloneComposite(all[w])})
		}
	default:
		list = exchange(list, have, all, wanted)
	}
	parent[c.key] = list
}

// described returns the places of the elements that a container describes, which no other container of the list describes more closely.
func (m *Mapping) described(container int, list []any) (places []int) {
	c := &m.layout[container]
	for i, e := range list {
		object, ok := e.(map[string]any)
		if !ok || !c.describes(object) {
			continue
		}
		closer := false
		for k := range m.layout {
			other := &m.layout[k]
			closer = closer || k != container && other.element && other.parent == c.parent && other.key == c.key &&
				len(other.given) > len(c.given) && other.describes(object)
		}
		if !closer {
			places = append(places, i)
		}
	}
	return places
}

// describes reports whether an element is one of those that the container's value filter asks for. Texts are compared in any case, as
// canonical values such as work are not caseExact.
func (c *container) describes(object map[string]any) bool {
	for _, g := range c.given {
		have, want := object[g.name], g.value
		a, ok1 := have.(string)
		b, ok2 := want.(string)
		if ok1 && ok2 && strings.EqualFold(a, b) {
			continue
		}
		if !reflect.DeepEqual(have, want) {
			return false
		}
	}
	return true
}

func (m *Mapping) addsOnly(container int) bool {
	return slices.ContainsFunc(m.attributes, func(a attribute) bool {
		return a.target.container == container && slices.Contains(m.addOnly, a.target.name)
	})
}

func fillElement(object, from map[string]any) {
	for name, v := range from {
		if unassigned(object[name]) {
			object[name] = cloneComposite(v)
		}
	}
}

// exchange puts the wanted elements in the place of those that there are. What is there already keeps its place and its other
// attributes; then places are taken in order, and what is left over goes.
func exchange(list []any, have []int, all []any, wanted []int) []any {
	free := slices.Clone(have)
	var missing []map[string]any
	for _, w := range wanted {
		at := slices.IndexFunc(free, func(h int) bool { return has(list[h], all[w]) })
		if at >= 0 {
			free = slices.Delete(free, at, at+1)
			continue
		}
		missing = append(missing, all[w].(map[string]any))
	}
	for _, element := range missing {
		if len(free) > 0 {
			maps.Copy(list[free[0]].(map[string]any), cloneComposite(element).(map[string]any))
			free = free[1:]
			continue
		}
		list = append(list, cloneComposite(element))
	}
	for _, h := range slices.Backward(free) {
		list = slices.Delete(list, h, h+1)
	}
	return list
}

// clear takes a value out, and what held nothing else: an object, or an element that has only what its value filter asks for.
func (m *Mapping) clear(doc map[string]any, t *target) {
	c := &m.layout[t.container]
	if !c.element {
		delete(m.within(doc, t.container, false), t.key)
		m.prune(doc, t.container)
		return
	}
	parent := m.within(doc, c.parent, false)
	list, _ := parent[c.key].([]any)
	for _, at := range slices.Backward(m.described(t.container, list)) {
		object := list[at].(map[string]any)
		delete(object, t.key)
		if t.key == "" || len(object) <= len(c.given) {
			list = slices.Delete(list, at, at+1)
		}
	}
	if len(list) > 0 {
		parent[c.key] = list
		return
	}
	if parent != nil {
		delete(parent, c.key)
	}
	m.prune(doc, c.parent)
}

// prune takes out a container that holds nothing, and those that it was in.
func (m *Mapping) prune(doc map[string]any, container int) {
	for container != 0 {
		c := &m.layout[container]
		if object := m.within(doc, container, false); object == nil || len(object) > 0 {
			return
		}
		delete(m.within(doc, c.parent, false), c.key)
		container = c.parent
	}
}
