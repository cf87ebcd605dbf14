package patch

import (
	"maps"
	"net/http"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// applyMultiple applies an operation to a multi-valued attribute, or to those of its elements that a filter selects.
func (e *edit) applyMultiple(p place, kind scim.PatchOp, value any) error {
	e.touch(p.attr)
	l := e.open(p.attr)
	before, version := l.live, l.version
	if err := e.changeElements(p, l, kind, value); err != nil {
		return err
	}
	switch {
	case l.version == version:
		if kind != scim.OpRemove {
			e.wrote(p.attr)
		}
		return nil
	case before > 0 && p.attr.Mutability == schema.Immutable:
		return immutable(p.attr)
	case before > 0 && l.live == 0 && p.attr.Required:
		return refuse(scim.Mutability, p.attr.Path(), "%s is required", p.attr.Path())
	}
	e.changed = true
	e.wrote(p.attr)
	return nil
}

func (e *edit) changeElements(p place, l *list, kind scim.PatchOp, value any) error {
	switch {
	case p.filtered() || p.sub != nil && p.attr.Type == schema.Complex:
		return e.changeSelected(p, l, kind, value)
	case kind == scim.OpAdd:
		return e.addElements(l, value)
	case kind == scim.OpReplace:
		return e.replaceElements(l, value)
	case value == nil:
		clearElements(l)
		return nil
	}
	return e.removeListed(l, value)
}

func clearElements(l *list) {
	if l.live > 0 {
		l.reset(nil)
	}
}

// elements returns the elements that an operation gives, in canonical form.
func (e *edit) elements(a *schema.Attribute, value any) ([]any, error) {
	if _, ok := value.([]any); !ok && value != nil {
		value = []any{value}
	}
	v, err := a.Canonical(value, e.reading())
	if err != nil {
		return nil, err
	}
	elements, _ := v.([]any)
	for _, element := range elements {
		if err := complete(a, element); err != nil {
			return nil, err
		}
		if err := e.grow(element, 1); err != nil {
			return nil, err
		}
	}
	return elements, nil
}

// complete returns an error when a new element lacks a required sub-attribute.
func complete(a *schema.Attribute, element any) error {
	object, ok := element.(map[string]any)
	if !ok {
		return nil
	}
	for _, sub := range a.Sub {
		if sub.Required && sub.Mutability != schema.ReadOnly && object[sub.Name] == nil {
			return refuse(scim.InvalidValue, sub.Path(), "%s is required", sub.Path())
		}
	}
	return nil
}

// addElements adds elements that are not there yet (RFC 7644 section 3.5.2.1).
func (e *edit) addElements(l *list, value any) error {
	if value == nil {
		return e.nothingAdded(l.attr)
	}
	elements, err := e.elements(l.attr, value)
	if err != nil {
		return err
	}
	l.expect(len(elements))
	var primary []int
	for _, element := range elements {
		slot, err := e.addElement(l, element)
		if err != nil {
			return err
		}
		if isPrimary(element) {
			primary = append(primary, slot)
		}
	}
	return e.keepPrimaryUnique(l, primary)
}

// addElement adds an element, or merges it into the one that is the same, and returns the slot.
func (e *edit) addElement(l *list, element any) (int, error) {
	slot, err := e.same(l, element)
	if err != nil {
		return 0, err
	}
	if slot < 0 {
		l.append(element)
		return len(l.items) - 1, nil
	}
	object, ok := element.(map[string]any)
	if !ok {
		return slot, nil
	}
	return slot, e.mergeElement(l, slot, object, scim.OpAdd, !e.opts.Strict)
}

// mergeElement writes sub-attributes of the element in a slot. An element of which nothing is left is removed.
func (e *edit) mergeElement(l *list, slot int, part map[string]any, kind scim.PatchOp, keep bool) error {
	old, ok := l.items[slot].(map[string]any)
	if !ok {
		return refuse(scim.InvalidPath, l.attr.Path(), "the values of %s have no sub-attributes", l.attr.Path())
	}
	merged, err := e.merge(l.attr, old, part, kind, keep)
	switch {
	case err != nil:
		return err
	case equalObjects(old, merged):
		return nil
	case len(merged) == 0 || !e.opts.Strict && isShell(merged) && !isShell(old):
		l.remove(slot)
	default:
		l.set(slot, merged)
	}
	return nil
}

// isShell reports whether an element says what a value would be for, but has none.
func isShell(object map[string]any) bool {
	for name := range object {
		if name != "type" && name != "primary" && name != "display" {
			return false
		}
	}
	return true
}

// same returns the slot of the element that an element to be added would repeat, -1 for none.
func (e *edit) same(l *list, element any) (int, error) {
	slots, work := l.find(l.key(element))
	if err := e.spend(work); err != nil {
		return 0, err
	}
	for _, slot := range slots {
		if sameElement(l.attr, l.items[slot], element) {
			return slot, nil
		}
	}
	return -1, nil
}

// isReference reports whether the elements of an attribute refer to resources: then each is known by its value alone.
func isReference(a *schema.Attribute) bool {
	value, ok := a.SubAttribute("value")
	if !ok {
		return false
	}
	_, ref := a.SubAttribute("$ref")
	return ref || value.Mutability == schema.Immutable
}

// sameElement reports whether two elements with the same key are the same: references by their value; others with a value by value
// and type, of which a service keeps one each (RFC 7643 section 2.4); all others when they are alike.
func sameElement(a *schema.Attribute, old, element any) bool {
	object, ok := element.(map[string]any)
	there, isObject := old.(map[string]any)
	if !ok || !isObject {
		return ok == isObject
	}
	value, ok := a.SubAttribute("value")
	if !ok || object[value.Name] == nil {
		return covers(a, there, object) && writable(a, there) == len(object)
	}
	if isReference(a) {
		return true
	}
	kind, ok := a.SubAttribute("type")
	return !ok || object[kind.Name] == nil || kind.Equal(there[kind.Name], object[kind.Name])
}

// writable returns how many sub-attributes of an element a client can have written.
func writable(a *schema.Attribute, object map[string]any) int {
	n := 0
	for name := range object {
		if sub, ok := a.SubAttribute(name); !ok || sub.Mutability != schema.ReadOnly {
			n++
		}
	}
	return n
}

// replaceElements puts the elements given in place of all (RFC 7644 section 3.5.2.3). An element that was there before keeps what
// the client cannot write.
func (e *edit) replaceElements(l *list, value any) error {
	elements, err := e.elements(l.attr, value)
	if err != nil {
		return err
	}
	l.expect(len(elements))
	next := newList(l.attr, nil)
	next.eager = true
	unchanged := true
	for _, element := range elements {
		repeated, err := e.repeated(next, element)
		if err != nil {
			return err
		}
		if repeated {
			continue
		}
		slot, err := e.previous(l, element)
		if err != nil {
			return err
		}
		if slot < 0 {
			unchanged = false
		} else {
			element = carry(l.attr, l.items[slot], element)
			unchanged = unchanged && equal(element, l.items[slot])
		}
		next.append(element)
	}
	if unchanged && next.live == l.live {
		return nil
	}
	l.reset(next.items)
	return nil
}

// previous returns the slot of the element that an element given in place of all has been until now, -1 for none: the same one, or
// else the only one with its value.
func (e *edit) previous(l *list, element any) (int, error) {
	slot, err := e.same(l, element)
	object, ok := element.(map[string]any)
	if err != nil || slot >= 0 || !ok || l.sub == nil || object[l.sub.Name] == nil {
		return slot, err
	}
	slots, work := l.find(l.key(element))
	if len(slots) == 1 {
		slot = slots[0]
	}
	return slot, e.spend(work)
}

// repeated reports whether an element occurs among those that were given before it.
func (e *edit) repeated(given *list, element any) (bool, error) {
	slots, work := given.find(given.key(element))
	if err := e.spend(work); err != nil {
		return false, err
	}
	for _, slot := range slots {
		if equal(given.items[slot], element) || refersTo(given.attr, element) {
			return true, nil
		}
	}
	return false, nil
}

// refersTo reports whether an element refers to a resource, so that its value is all that matters.
func refersTo(a *schema.Attribute, element any) bool {
	object, ok := element.(map[string]any)
	if !ok || !isReference(a) {
		return false
	}
	value, _ := a.SubAttribute("value")
	return object[value.Name] != nil
}

// carry returns an element with what the same element had before and a client cannot write or has not given again: its readOnly
// sub-attributes, and the immutable ones. An immutable value keeps its spelling.
func carry(a *schema.Attribute, old, element any) any {
	object, ok := element.(map[string]any)
	there, isObject := old.(map[string]any)
	if !ok || !isObject {
		return element
	}
	carried := object
	for _, sub := range a.Sub {
		v, had := there[sub.Name]
		given, has := object[sub.Name]
		kept := sub.Mutability == schema.ReadOnly || sub.Mutability == schema.Immutable && (!has || sub.Equal(v, given))
		if !had || !kept {
			continue
		}
		if len(carried) == len(object) {
			carried = maps.Clone(object)
		}
		carried[sub.Name] = v
	}
	return carried
}

// removeListed removes the elements given, and no others. Microsoft Entra removes members so.
func (e *edit) removeListed(l *list, value any) error {
	if e.opts.Strict {
		return refuse(scim.InvalidValue, l.attr.Path(), "remove takes no value: the path %s[value eq …] names what to remove", l.attr.Path())
	}
	elements, err := e.elements(l.attr, value)
	if err != nil {
		return err
	}
	l.expect(len(elements))
	for _, element := range elements {
		slots, err := e.listed(l, element)
		if err != nil {
			return err
		}
		for _, slot := range slots {
			l.remove(slot)
		}
	}
	return nil
}

// listed returns the slots of the elements that an element to be removed means: those with its value, and its type unless they are
// references; without a value, those that have all it has.
func (e *edit) listed(l *list, element any) ([]int, error) {
	slots, work := l.find(l.key(element))
	if err := e.spend(work); err != nil {
		return nil, err
	}
	object, ok := element.(map[string]any)
	if !ok {
		return slots, nil
	}
	identified := l.sub != nil && object[l.sub.Name] != nil
	if !identified {
		if err := asksForSecret(l.attr, object); err != nil {
			return nil, err
		}
		slots = l.slots()
		if err := e.spend(len(slots)); err != nil {
			return nil, err
		}
	}
	meant := slots[:0]
	for _, slot := range slots {
		there, _ := l.items[slot].(map[string]any)
		if identified && sameElement(l.attr, there, object) || !identified && covers(l.attr, there, object) {
			meant = append(meant, slot)
		}
	}
	return meant, nil
}

// asksForSecret returns an error when what is shown would tell whether an element has a value that is never shown: it would be gone.
func asksForSecret(a *schema.Attribute, object map[string]any) error {
	for _, sub := range a.Sub {
		if sub.Sensitive() && !a.Sensitive() && object[sub.Name] != nil {
			err := refuse(scim.Sensitive, sub.Path(), "%s may not say which elements to remove", sub.Path())
			err.Status = http.StatusForbidden
			return err
		}
	}
	return nil
}

func isPrimary(element any) bool {
	object, ok := element.(map[string]any)
	return ok && object["primary"] == true
}

// keepPrimaryUnique takes primary from all elements but the one that an operation has given it to (RFC 7644 section 3.5.2).
func (e *edit) keepPrimaryUnique(l *list, given []int) error {
	sub, ok := l.attr.SubAttribute("primary")
	if len(given) == 0 || !ok || sub.Type != schema.Boolean {
		return nil
	}
	if len(given) > 1 {
		return refuse(scim.InvalidValue, sub.Path(), "%s can be true in one element only", sub.Path())
	}
	if err := e.spend(l.live); err != nil {
		return err
	}
	for slot, item := range l.items {
		if slot == given[0] || !isPrimary(item) {
			continue
		}
		other := maps.Clone(item.(map[string]any))
		other["primary"] = false
		l.set(slot, other)
	}
	return nil
}
