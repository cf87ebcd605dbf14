package patch

import (
	"slices"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// Diff returns the fewest operations, written in the dialect, that make new of old: Apply(s, old, ops) equals new. Both documents
// must be in canonical form ([schema.Schema.Canonical]); neither is changed. It returns none when nothing has to be done.
//
// What a client cannot write makes no difference: readOnly attributes, the attribute schemas, and immutable sub-attributes of members that
// new does not give. Neither does the order of elements, nor whether a string is empty or absent. A sensitive attribute such as password
// is written whenever new has it, because its old value cannot be known.
//
// Members, and the elements of other attributes that refer to resources, are compared by their value and added and removed one
// by one, so that members whom somebody else has added meanwhile stay. Of all other multi-valued attributes, one changed, removed or
// added element is written by itself; beyond that the attribute is replaced. The time taken is linear in the size of the documents.
//
// The error is a [*scim.Error]: mutability when new lacks what is required or changes what is immutable, invalidPath when the documents
// differ in an attribute that the schema does not have. Use [Dialect.Chunk] to split many operations into requests.
func Diff(s *schema.Schema, old, new scim.Document, d Dialect) ([]scim.PatchOperation, error) {
	if err := checkUnknown(s, old, new); err != nil {
		return nil, err
	}
	w := newWriter(d, old, new)
	for a := range s.Attributes() {
		if a.Mutability == schema.ReadOnly || a.Name == "schemas" && a.URN == "" {
			continue
		}
		before, after := assigned(holder(old, a)[a.Name]), assigned(holder(new, a)[a.Name])
		if err := w.diff(a, before, after); err != nil {
			return nil, err
		}
	}
	return w.operations(), nil
}

// assigned returns a value, or nil when it is unassigned.
func assigned(v any) any {
	switch v := v.(type) {
	case string:
		if v == "" {
			return nil
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
	case map[string]any:
		if len(v) == 0 {
			return nil
		}
	}
	return v
}

// checkUnknown returns an error when the documents differ in an attribute that the schema does not have.
func checkUnknown(s *schema.Schema, old, new map[string]any) error {
	for _, ext := range s.Extensions() {
		before, _ := old[ext.Name].(map[string]any)
		after, _ := new[ext.Name].(map[string]any)
		if name, ok := unknownDifference(before, after, ext.SubAttribute); ok {
			return unknownAttribute(ext.Name + ":" + name)
		}
	}
	if name, ok := unknownDifference(old, new, s.Lookup); ok {
		return unknownAttribute(name)
	}
	return nil
}

// unknownDifference returns the first name, in order, that find does not know and that has another value in old than in new.
func unknownDifference(old, new map[string]any, find func(string) (*schema.Attribute, bool)) (first string, found bool) {
	for _, object := range []map[string]any{old, new} {
		for name := range object {
			if a, ok := find(name); ok && a.Name == name || found && name >= first {
				continue
			}
			if !equal(assigned(old[name]), assigned(new[name])) {
				first, found = name, true
			}
		}
	}
	return first, found
}

// diff writes what makes after of before, both of which may be nil.
func (w *writer) diff(a *schema.Attribute, before, after any) error {
	switch {
	case a.Sensitive():
		if after != nil {
			w.set(a, nil, after, false)
		}
		return nil
	case after == nil && before == nil || equal(before, after) && !holdsSecret(a):
		return nil
	case a.MultiValued:
		return w.diffList(a, asElements(before), asElements(after))
	case after == nil && (a.Required || a.Mutability == schema.Immutable):
		return mayUnset(a)
	case after == nil:
		w.remove(a.Path())
		return nil
	case a.Type == schema.Complex:
		return w.diffComplex(a, before, after)
	case before != nil && a.Mutability == schema.Immutable:
		if a.Equal(before, after) {
			return nil
		}
		return immutable(a)
	case !equal(before, after):
		w.set(a, nil, after, before == nil)
	}
	return nil
}

// holdsSecret reports whether a sub-attribute is sensitive, so that it must be written even if it seems to be the same.
func holdsSecret(a *schema.Attribute) bool {
	return slices.ContainsFunc(a.Sub, (*schema.Attribute).Sensitive)
}

func asElements(v any) []any {
	if v == nil {
		return nil
	}
	if elements, ok := v.([]any); ok {
		return elements
	}
	return []any{v}
}

// diffComplex compares a complex attribute with one value, which after has.
func (w *writer) diffComplex(a *schema.Attribute, before, after any) error {
	o, n := clientPart(a, before), clientPart(a, after)
	switch {
	case len(n) == 0 && len(o) == 0:
		return nil
	case len(n) == 0 && a.Required:
		return mayUnset(a)
	case len(n) == 0:
		w.remove(a.Path())
		return nil
	case before == nil:
		w.set(a, nil, n, true)
		return nil
	case a.Mutability == schema.Immutable:
		if a.Equal(o, n) {
			return nil
		}
		return immutable(a)
	case !immutablesStay(a, o, n):
		if a.Required {
			return immutable(a)
		}
		w.removeFirst(a.Path())
		w.set(a, nil, n, true)
		return nil
	}
	w.diffSubs(a, o, n)
	return nil
}

// clientPart returns the sub-attributes that a client can write and that have a value.
func clientPart(a *schema.Attribute, v any) map[string]any {
	object, _ := v.(map[string]any)
	part := make(map[string]any, len(object))
	for name, v := range object {
		sub, ok := a.SubAttribute(name)
		if ok && sub.Mutability != schema.ReadOnly && assigned(v) != nil {
			part[name] = v
		}
	}
	return part
}

// immutablesStay reports whether n has the immutable sub-attributes of o.
func immutablesStay(a *schema.Attribute, o, n map[string]any) bool {
	for name, v := range o {
		if sub, ok := a.SubAttribute(name); ok && sub.Mutability == schema.Immutable && !sub.Equal(v, n[name]) {
			return false
		}
	}
	return true
}

// diffSubs writes the sub-attributes that differ. With another value of the attribute all are written, because a service
// forgets what it knew of the old value.
func (w *writer) diffSubs(a *schema.Attribute, o, n map[string]any) {
	value, _ := a.SubAttribute("value")
	moved := value != nil && o[value.Name] != nil && !equal(o[value.Name], n[value.Name])
	if moved && n[value.Name] != nil {
		w.set(a, nil, n, false)
	}
	for _, sub := range a.Sub {
		ov, nv := o[sub.Name], n[sub.Name]
		switch {
		case nv == nil && ov == nil:
		case nv == nil && moved && sub == value:
			w.removeFirst(sub.Path())
		case nv == nil && moved && sub.Name == "$ref":
		case nv == nil:
			w.remove(sub.Path())
		case moved && n[value.Name] != nil:
		case moved && sub.Name == "$ref" || !sameValues(sub, ov, nv):
			w.set(a, sub, nv, ov == nil)
		}
	}
}

// sameValues reports whether a sub-attribute need not be written.
func sameValues(sub *schema.Attribute, ov, nv any) bool {
	if sub.Sensitive() {
		return false
	}
	o, ok := ov.([]any)
	n, also := nv.([]any)
	if !ok || !also {
		return sub.Mutability == schema.Immutable && sub.Equal(ov, nv) || equal(ov, nv)
	}
	return len(without(o, n)) == 0 && len(without(n, o)) == 0
}

// writer writes operations in a dialect.
type writer struct {
	dialect Dialect
	// id is that of the resource, for objects without a path.
	id string
	// first, sets, removals and lists are the operations in the order in which they are sent.
	first, sets, removals, lists []scim.PatchOperation
	// nested and dotted are the values of the replace operations without a path.
	nested, dotted map[string]any
}

func newWriter(d Dialect, old, new scim.Document) *writer {
	w := &writer{dialect: d, nested: make(map[string]any), dotted: make(map[string]any), id: new.ID()}
	if w.id == "" {
		w.id = old.ID()
	}
	return w
}

// operations returns what was written.
func (w *writer) operations() []scim.PatchOperation {
	ops := w.first
	for _, object := range []map[string]any{w.dotted, w.nested} {
		if len(object) == 0 {
			continue
		}
		if w.dialect.PathlessID && w.id != "" {
			object["id"] = w.id
		}
		ops = append(ops, w.dialect.operation(scim.OpReplace, "", object))
	}
	ops = append(ops, w.sets...)
	ops = append(ops, w.removals...)
	return append(ops, w.lists...)
}

// operation returns an operation in the dialect. An object without a path has its booleans in the dialect already.
func (d Dialect) operation(op scim.PatchOp, path string, value any) scim.PatchOperation {
	if d.TitleCaseOps {
		op = scim.PatchOp(strings.ToUpper(string(op[:1])) + string(op[1:]))
	}
	return scim.PatchOperation{Op: op, Path: path, Value: d.value(value)}
}

// value returns a value as the dialect writes it.
func (d Dialect) value(v any) any {
	switch {
	case !d.StringBooleans:
		return v
	case v == true:
		return "True"
	case v == false:
		return "False"
	}
	return v
}

func (w *writer) remove(path string) {
	w.removals = append(w.removals, w.dialect.operation(scim.OpRemove, path, nil))
}

func (w *writer) removeFirst(path string) {
	w.first = append(w.first, w.dialect.operation(scim.OpRemove, path, nil))
}

// set writes the value of an attribute, or of a sub-attribute of it. absent says that there was none before.
func (w *writer) set(a, sub *schema.Attribute, v any, absent bool) {
	switch form := w.formOf(a, sub); {
	case form == FormPathless:
		w.nest(a, sub, v)
	case form == FormDotted:
		w.dot(a, sub, v)
	case absent && w.dialect.AddAbsent:
		w.sets = append(w.sets, w.dialect.operation(scim.OpAdd, pathOf(a, sub), v))
	default:
		w.sets = append(w.sets, w.dialect.operation(scim.OpReplace, pathOf(a, sub), v))
	}
}

func pathOf(a, sub *schema.Attribute) string {
	if sub != nil {
		return sub.Path()
	}
	return a.Path()
}

// formOf returns how an attribute is written.
func (w *writer) formOf(a, sub *schema.Attribute) Form {
	for _, path := range w.dialect.Pathless {
		if strings.EqualFold(path, a.Path()) || sub != nil && strings.EqualFold(path, sub.Path()) {
			return FormPathless
		}
	}
	return w.dialect.Form
}

// nest puts a value into the nested object.
func (w *writer) nest(a, sub *schema.Attribute, v any) {
	into := w.nested
	if a.URN != "" {
		into = within(into, a.URN)
	}
	if sub != nil {
		into, a = within(into, a.Name), sub
	}
	into[a.Name] = w.dialect.value(v)
}

func within(object map[string]any, name string) map[string]any {
	inner, ok := object[name].(map[string]any)
	if !ok {
		inner = make(map[string]any)
		object[name] = inner
	}
	return inner
}

// dot puts a value into the object that is keyed by paths. The sub-attributes of a complex value have a key each, unless one of them is
// the value that the others are about.
func (w *writer) dot(a, sub *schema.Attribute, v any) {
	object, ok := v.(map[string]any)
	_, whole := a.SubAttribute("value")
	if !ok || whole || sub != nil {
		w.dotted[pathOf(a, sub)] = w.dialect.value(v)
		return
	}
	for name, v := range object {
		w.dotted[a.Path()+"."+name] = w.dialect.value(v)
	}
}
