package patch

import (
	"maps"
	"slices"
	"strconv"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
)

// diffList compares the elements of a multi-valued attribute.
func (w *writer) diffList(a *schema.Attribute, old, new []any) error {
	o, n := clientElements(a, old), clientElements(a, new)
	switch {
	case len(n) == 0 && len(o) == 0:
		return nil
	case len(o) == 0 && addable(a, nil, n):
		w.addElements(a, n)
		return nil
	case len(o) == 0:
		w.replaceElements(a, n)
		return nil
	case a.Mutability == schema.Immutable:
		if a.Equal(o, n) {
			return nil
		}
		return immutable(a)
	case len(n) == 0 && a.Required:
		return mayUnset(a)
	case len(n) == 0:
		w.removeAll(a, o)
		return nil
	case isReference(a) && allValued(a, o) && allValued(a, n):
		w.diffReferences(a, o, n)
		return nil
	}
	w.diffElements(a, o, n)
	return nil
}

// clientElements returns the elements without what a client cannot write. Elements of which nothing is left are left out.
func clientElements(a *schema.Attribute, elements []any) []any {
	if a.Type != schema.Complex {
		return elements
	}
	readOnly := slices.ContainsFunc(a.Sub, func(sub *schema.Attribute) bool { return sub.Mutability == schema.ReadOnly })
	kept := make([]any, 0, len(elements))
	for _, element := range elements {
		object, ok := element.(map[string]any)
		if ok && (readOnly || hasUnassigned(object)) {
			object = clientPart(a, object)
		}
		if len(object) > 0 {
			kept = append(kept, object)
		}
	}
	return kept
}

func hasUnassigned(object map[string]any) bool {
	for _, v := range object {
		if assigned(v) == nil {
			return true
		}
	}
	return false
}

func allValued(a *schema.Attribute, elements []any) bool {
	return !slices.ContainsFunc(elements, func(element any) bool { return !refersTo(a, element) })
}

func (w *writer) addElements(a *schema.Attribute, elements []any) {
	if isReference(a) && w.dialect.MemberRemoval == ReplaceAll {
		w.replaceElements(a, elements)
		return
	}
	w.lists = append(w.lists, w.dialect.operation(scim.OpAdd, a.Path(), elements))
}

// replaceElements replaces all elements. Members have an operation of their own in every form.
func (w *writer) replaceElements(a *schema.Attribute, elements []any) {
	if !isReference(a) && w.formOf(a, nil) != FormPath {
		w.set(a, nil, elements, false)
		return
	}
	w.lists = append(w.lists, w.dialect.operation(scim.OpReplace, a.Path(), elements))
}

func (w *writer) removeAll(a *schema.Attribute, o []any) {
	switch {
	case isReference(a) && w.dialect.MemberRemoval == ReplaceAll:
		w.replaceElements(a, []any{})
	case isReference(a) && w.dialect.MemberRemoval == ValueArray && allValued(a, o):
		w.removeReferences(a, o)
	default:
		w.lists = append(w.lists, w.dialect.operation(scim.OpRemove, a.Path(), nil))
	}
}

// diffReferences compares members by their values, each of which is there once.
func (w *writer) diffReferences(a *schema.Attribute, o, n []any) {
	l := newList(a, nil)
	before := make(map[string]int, len(o))
	for i, element := range o {
		before[l.key(element)] = i
	}
	stay := make([]bool, len(o))
	seen := make(map[string]bool, len(n))
	var added []any
	var changed [][2]map[string]any
	for _, element := range n {
		key := l.key(element)
		if seen[key] {
			continue
		}
		seen[key] = true
		i, ok := before[key]
		if !ok || !sameReference(a, o[i].(map[string]any), element.(map[string]any)) {
			added = append(added, element)
			continue
		}
		stay[i] = true
		if !equal(o[i], element) {
			changed = append(changed, [2]map[string]any{o[i].(map[string]any), element.(map[string]any)})
		}
	}
	var removed []any
	for i, element := range o {
		if !stay[i] && before[l.key(element)] == i {
			removed = append(removed, element)
		}
	}
	if w.dialect.MemberRemoval == ReplaceAll && len(removed) > 0 {
		w.replaceElements(a, n)
		return
	}
	w.removeReferences(a, removed)
	if len(added) > 0 {
		w.lists = append(w.lists, w.dialect.operation(scim.OpAdd, a.Path(), added))
	}
	for _, pair := range changed {
		w.diffReference(a, pair[0], pair[1])
	}
}

// sameReference reports whether o can become n: whether it has the immutable sub-attributes that n gives.
func sameReference(a *schema.Attribute, o, n map[string]any) bool {
	for name, v := range n {
		sub, ok := a.SubAttribute(name)
		if ok && sub.Mutability == schema.Immutable && o[name] != nil && !sub.Equal(o[name], v) {
			return false
		}
	}
	return true
}

// diffReference writes the sub-attributes that differ between two references to the same resource.
func (w *writer) diffReference(a *schema.Attribute, o, n map[string]any) {
	value, _ := a.SubAttribute("value")
	path := filter.Path{Attr: canonicalAttr(a), Filter: filter.Eq(value.Name, o[value.Name])}
	for _, sub := range a.Sub {
		path.Sub = sub.Name
		ov, nv := o[sub.Name], n[sub.Name]
		switch {
		case nv == nil && (ov == nil || sub.Mutability == schema.Immutable):
		case nv == nil:
			w.lists = append(w.lists, w.dialect.operation(scim.OpRemove, path.String(), nil))
		case !sameValues(sub, ov, nv):
			w.lists = append(w.lists, w.dialect.operation(scim.OpReplace, path.String(), nv))
		}
	}
}

// removeReferences removes members by their values.
func (w *writer) removeReferences(a *schema.Attribute, removed []any) {
	value, ok := a.SubAttribute("value")
	if !ok {
		return
	}
	values := make([]any, len(removed))
	for i, element := range removed {
		values[i] = element.(map[string]any)[value.Name]
	}
	w.lists = append(w.lists, w.dialect.removals(canonicalAttr(a), value.Name, values)...)
}

// removals returns the operations that remove the elements with the values given.
func (d Dialect) removals(a filter.Attr, name string, values []any) []scim.PatchOperation {
	if len(values) == 0 {
		return nil
	}
	if d.MemberRemoval == ValueArray {
		elements := make([]any, len(values))
		for i, v := range values {
			elements[i] = map[string]any{name: v}
		}
		return []scim.PatchOperation{d.operation(scim.OpRemove, a.String(), elements)}
	}
	ops := make([]scim.PatchOperation, len(values))
	for i, v := range values {
		ops[i] = d.operation(scim.OpRemove, filter.Path{Attr: a, Filter: filter.Eq(name, v)}.String(), nil)
	}
	return ops
}

// diffElements compares elements that are not references: as wholes.
func (w *writer) diffElements(a *schema.Attribute, o, n []any) {
	removed, added := without(o, n), without(n, o)
	switch {
	case len(removed) == 0 && len(added) == 0:
	case len(removed) == 0 && addable(a, o, added):
		w.addElements(a, added)
	case len(removed) == 1 && len(added) == 0:
		if !w.removeElement(a, o, removed[0]) {
			w.replaceElements(a, n)
		}
	case len(removed) == 1 && len(added) == 1:
		if !w.changeElement(a, o, removed[0], added[0]) {
			w.replaceElements(a, n)
		}
	default:
		w.replaceElements(a, n)
	}
}

// without returns the elements of these that are not among others, each once.
func without(these, others []any) []any {
	there := make(map[string]bool, len(others))
	for _, element := range others {
		there[digest(element)] = true
	}
	var left []any
	for _, element := range these {
		if key := digest(element); !there[key] {
			there[key] = true
			left = append(left, element)
		}
	}
	return left
}

// digest returns a text that is the same for equal values only.
func digest(v any) string { return string(appendDigest(nil, v)) }

func appendDigest(b []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		b = append(b, '{')
		for _, name := range slices.Sorted(maps.Keys(v)) {
			b = appendDigest(append(strconv.AppendQuote(b, name), ':'), v[name])
		}
		return append(b, '}')
	case []any:
		b = append(b, '[')
		for _, element := range v {
			b = append(appendDigest(b, element), ',')
		}
		return append(b, ']')
	case string:
		return strconv.AppendQuote(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(append(b, 'i'), v, 10)
	case float64:
		return strconv.AppendFloat(append(b, 'f'), v, 'g', -1, 64)
	}
	return append(b, "null"...)
}

// addable reports whether elements can be added without an old one taking one of them in, or losing primary.
func addable(a *schema.Attribute, o, added []any) bool {
	l := newList(a, nil)
	l.eager = true
	primary := false
	for _, element := range o {
		l.append(element)
		primary = primary || isPrimary(element)
	}
	for _, element := range added {
		if primary && isPrimary(element) {
			return false
		}
		slots, _ := l.find(l.key(element))
		for _, slot := range slots {
			if sameElement(a, l.items[slot], element) {
				return false
			}
		}
		l.append(element)
	}
	return true
}

// removeElement writes the removal of one element, if a filter can tell it from the others.
func (w *writer) removeElement(a *schema.Attribute, o []any, element any) bool {
	f, ok := selector(a, o, element, nil)
	if !ok {
		return false
	}
	path := filter.Path{Attr: canonicalAttr(a), Filter: f}
	w.lists = append(w.lists, w.dialect.operation(scim.OpRemove, path.String(), nil))
	return true
}

// changeElement writes the change of one element: by its sub-attribute when there is only one that differs.
func (w *writer) changeElement(a *schema.Attribute, o []any, from, to any) bool {
	before, ok := from.(map[string]any)
	after, also := to.(map[string]any)
	if !ok || !also || isPrimary(to) && !isPrimary(from) || isShell(after) {
		return false
	}
	var differ []*schema.Attribute
	for _, sub := range a.Sub {
		if !equal(before[sub.Name], after[sub.Name]) {
			differ = append(differ, sub)
		}
		if sub.Mutability == schema.Immutable && before[sub.Name] != nil && !equal(before[sub.Name], after[sub.Name]) {
			return false
		}
	}
	f, ok := selector(a, o, from, differ)
	if !ok {
		return false
	}
	path := filter.Path{Attr: canonicalAttr(a), Filter: f}
	if len(differ) > 1 {
		w.lists = append(w.lists, w.dialect.operation(scim.OpReplace, path.String(), after))
		return true
	}
	path.Sub = differ[0].Name
	v, set := after[path.Sub]
	switch {
	case !set:
		w.lists = append(w.lists, w.dialect.operation(scim.OpRemove, path.String(), nil))
	case before[path.Sub] == nil && w.dialect.AddAbsent:
		w.lists = append(w.lists, w.dialect.operation(scim.OpAdd, path.String(), v))
	default:
		w.lists = append(w.lists, w.dialect.operation(scim.OpReplace, path.String(), v))
	}
	return true
}

// selector returns a filter that only one of the elements matches: by its type, as clients do, by its value, or by both. It
// does not name what is about to change.
func selector(a *schema.Attribute, o []any, element any, changing []*schema.Attribute) (filter.Filter, bool) {
	object, ok := element.(map[string]any)
	if !ok {
		text, isText := element.(string)
		return filter.Eq("value", text), isText && alikeOnce(a, o, element)
	}
	var names []string
	for _, name := range []string{"type", "value"} {
		sub, ok := a.SubAttribute(name)
		if _, isText := object[name].(string); !ok || !isText || sub.Type != schema.String || slices.Contains(changing, sub) {
			continue
		}
		if matchOnce(a, o, object, name) {
			return filter.Eq(name, object[name]), true
		}
		names = append(names, name)
	}
	if len(names) < 2 || !matchOnce(a, o, object, names...) {
		return filter.Filter{}, false
	}
	return filter.Eq(names[0], object[names[0]]).And(filter.Eq(names[1], object[names[1]])), true
}

// alikeOnce reports whether one of the simple values is like v.
func alikeOnce(a *schema.Attribute, values []any, v any) bool {
	n := 0
	for _, w := range values {
		if a.Equal(v, w) {
			n++
		}
	}
	return n == 1
}

// matchOnce reports whether one of the elements has the sub-attributes named in common with object.
func matchOnce(a *schema.Attribute, elements []any, object map[string]any, names ...string) bool {
	part := make(map[string]any, len(names))
	for _, name := range names {
		part[name] = object[name]
	}
	n := 0
	for _, element := range elements {
		if there, ok := element.(map[string]any); ok && covers(a, there, part) {
			n++
		}
	}
	return n == 1
}
