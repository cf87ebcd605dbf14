package patch

import (
	"maps"
	"slices"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// changeSelected applies an operation to the elements that a value filter selects, or to a sub-attribute of them. Without a
// filter all elements are selected.
func (e *edit) changeSelected(p place, l *list, kind scim.PatchOp, value any) error {
	slots, err := e.selected(p, l)
	switch {
	case err != nil:
		return err
	case len(slots) == 0:
		return e.changeMissing(p, l, kind, value)
	case p.sub != nil && kind == scim.OpRemove:
		return e.mergeSelected(l, slots, scim.OpReplace, map[string]any{p.sub.Name: nil})
	case p.sub != nil:
		return e.mergeSelected(l, slots, kind, map[string]any{p.sub.Name: value})
	case kind == scim.OpRemove || kind == scim.OpReplace && value == nil:
		for _, slot := range slots {
			l.remove(slot)
		}
		return nil
	}
	return e.writeSelected(p, l, slots, kind, value)
}

// selected returns the slots of the elements that the filter matches. Those that have the value it demands are found without
// looking at the others.
func (e *edit) selected(p place, l *list) ([]int, error) {
	if !p.filtered() {
		return l.slots(), e.spend(l.live)
	}
	slots, work := []int(nil), 0
	if id, ok := p.identity(); ok && l.findsText() {
		slots, work = l.find(l.keyOf(id))
	} else {
		slots, work = l.slots(), l.live
	}
	if err := e.spend(max(work, len(slots)*p.cost)); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slots, func(slot int) bool { return !p.match.Match(l.items[slot]) }), nil
}

// creates reports whether an operation may make what its path has not found: an element with what the filter asks for. Microsoft Entra
// adds and replaces sub-attributes of elements, emails[type eq "work"].value, that are not there. Nobody is known to replace whole
// elements that are not, or those of a kind that the schema does not name: then RFC 7644 section 3.5.2.3 holds, which has that refused.
func (e *edit) creates(p place, kind scim.PatchOp, wanted map[string]any) bool {
	switch {
	case e.opts.Strict:
		return false
	case kind == scim.OpAdd:
		return true
	}
	return p.sub != nil && isKind(p.attr, wanted)
}

// isKind reports whether sub-attributes stand for a kind of elements, such as the type work, and not for one of them, as its value does.
func isKind(a *schema.Attribute, wanted map[string]any) bool {
	for name, v := range wanted {
		sub, ok := a.SubAttribute(name)
		if !ok || sub.Name == "value" {
			return false
		}
		text, _ := v.(string)
		named := func(kind string) bool { return strings.EqualFold(kind, text) }
		if len(sub.CanonicalValues) > 0 && !slices.ContainsFunc(sub.CanonicalValues, named) {
			return false
		}
	}
	return true
}

// changeMissing applies an operation to what a filter has not found.
func (e *edit) changeMissing(p place, l *list, kind scim.PatchOp, value any) error {
	if kind == scim.OpRemove && (!e.opts.Strict || !p.filtered()) {
		return nil
	}
	wanted, ok := map[string]any{}, true
	if p.filtered() {
		wanted, ok = p.wanted()
	}
	if !ok || !e.creates(p, kind, wanted) || p.attr.Type != schema.Complex {
		return noTarget(p)
	}
	element, err := e.withValue(p, wanted, value)
	if err != nil || element == nil {
		return err
	}
	return e.addElements(l, []any{element})
}

// writeCost is how many elements can be looked at in the time that it takes to change one.
const writeCost = 4

// mergeSelected writes sub-attributes of several elements.
func (e *edit) mergeSelected(l *list, slots []int, kind scim.PatchOp, part map[string]any) error {
	if err := e.spend(writeCost * len(slots)); err != nil {
		return err
	}
	var primary []int
	for _, slot := range slots {
		if err := e.mergeElement(l, slot, part, kind, false); err != nil {
			return err
		}
		if givesPrimary(l.attr, part) && isPrimary(l.items[slot]) {
			primary = append(primary, slot)
		}
	}
	return e.keepPrimaryUnique(l, primary)
}

// givesPrimary reports whether an operation says which element is the primary one.
func givesPrimary(a *schema.Attribute, part map[string]any) bool {
	for name := range part {
		if sub, ok := a.SubAttribute(name); ok && sub.Name == "primary" {
			return true
		}
	}
	return false
}

// writeSelected adds the sub-attributes of a value to elements, or replaces them by the value.
func (e *edit) writeSelected(p place, l *list, slots []int, kind scim.PatchOp, value any) error {
	if value == nil {
		return e.nothingAdded(l.attr)
	}
	if p.attr.Type == schema.Complex && kind == scim.OpAdd {
		if object, ok := value.(map[string]any); ok {
			return e.mergeSelected(l, slots, kind, object)
		}
	}
	elements, err := e.elements(p.attr, value)
	if err != nil {
		return err
	}
	if len(elements) != 1 {
		return refuse(scim.InvalidValue, p.path(), "a path with a filter takes one value for %s, not %d", p.path(), len(elements))
	}
	object, ok := elements[0].(map[string]any)
	switch {
	case !ok:
		return e.replaceValues(l, slots, elements[0])
	case kind == scim.OpAdd:
		return e.mergeSelected(l, slots, kind, object)
	}
	return e.replaceSelected(p, l, slots, object)
}

// replaceValues replaces simple values by one.
func (e *edit) replaceValues(l *list, slots []int, v any) error {
	there, err := e.same(l, v)
	if err != nil {
		return err
	}
	for i, slot := range slots {
		switch {
		case equal(l.items[slot], v):
		case i == 0 && (there < 0 || there == slot):
			l.set(slot, v)
		default:
			l.remove(slot)
		}
	}
	return nil
}

// replaceSelected replaces elements by a value. They keep what the client cannot write about the same value, and, unless Strict, what the
// filter has said of them.
func (e *edit) replaceSelected(p place, l *list, slots []int, object map[string]any) error {
	if wanted, ok := p.wanted(); ok && !e.opts.Strict {
		maps.Copy(wanted, object)
		element, err := p.attr.CanonicalElement(wanted, e.reading())
		if err != nil {
			return err
		}
		object = element.(map[string]any)
	}
	if err := e.spend(writeCost * len(slots)); err != nil {
		return err
	}
	var primary []int
	for _, slot := range slots {
		replaced, err := replaceElement(l.attr, l.items[slot], object)
		if err != nil {
			return err
		}
		if isPrimary(object) {
			primary = append(primary, slot)
		}
		if equal(replaced, l.items[slot]) {
			continue
		}
		if err := e.grow(replaced, 1); err != nil {
			return err
		}
		l.set(slot, replaced)
	}
	return e.keepPrimaryUnique(l, primary)
}

// replaceElement returns the element that replaces an old one. Its immutable sub-attributes cannot become others.
func replaceElement(a *schema.Attribute, old any, object map[string]any) (any, error) {
	there, ok := old.(map[string]any)
	if !ok {
		return object, nil
	}
	for _, sub := range a.Sub {
		v, given := object[sub.Name]
		had, has := there[sub.Name]
		if sub.Mutability == schema.Immutable && given && has && !sub.Equal(had, v) {
			return nil, immutable(sub)
		}
	}
	if value, ok := a.SubAttribute("value"); ok && object[value.Name] != nil && !value.Equal(there[value.Name], object[value.Name]) {
		return object, nil
	}
	return carry(a, old, object), nil
}
