package patch

import (
	"maps"
	"slices"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// reading is how values in operations are read.
func (e *edit) reading() schema.Options {
	o := schema.Options{Mode: schema.ModePatch, Tolerant: !e.opts.Strict}
	if e.opts.Strict {
		o.Unknown = schema.UnknownReject
	}
	return o
}

// canonical returns the canonical form of a value; nil when it is unassigned. An empty string takes the value away, as Microsoft's
// validator asks, unless Strict.
func (e *edit) canonical(a *schema.Attribute, value any) (any, error) {
	if value == nil || value == "" && !e.opts.Strict {
		return nil, nil
	}
	v, err := a.Canonical(value, e.reading())
	if err != nil || v != "" {
		return v, err
	}
	switch {
	case !e.opts.Strict:
		return nil, nil
	case a.Required:
		return nil, refuse(scim.InvalidValue, a.Path(), "%s is required and cannot be empty", a.Path())
	}
	return v, nil
}

// applySingle applies an operation to an attribute with one value.
func (e *edit) applySingle(a *schema.Attribute, kind scim.PatchOp, value any) error {
	if kind == scim.OpRemove {
		return e.unset(a)
	}
	if object, ok := value.(map[string]any); ok && a.Type == schema.Complex {
		return e.mergeSingle(a, kind, object)
	}
	v, err := e.canonical(a, value)
	switch {
	case err != nil:
		return err
	case v == nil && kind == scim.OpAdd:
		return e.nothingAdded(a)
	case v == nil:
		return e.unset(a)
	case a.Type == schema.Complex:
		return e.mergeSingle(a, kind, v.(map[string]any))
	}
	return e.write(a, v)
}

// nothingAdded is the outcome of an add without a value.
func (e *edit) nothingAdded(a *schema.Attribute) error {
	if e.opts.Strict {
		return refuse(scim.InvalidValue, a.Path(), "add needs a value for %s", a.Path())
	}
	return nil
}

// unset takes the value of an attribute away.
func (e *edit) unset(a *schema.Attribute) error {
	if e.get(a) == nil {
		return nil
	}
	if err := mayUnset(a); err != nil {
		return err
	}
	e.put(a, nil)
	return nil
}

func mayUnset(a *schema.Attribute) error {
	switch {
	case a.Required:
		return refuse(scim.Mutability, a.Path(), "%s is required", a.Path())
	case a.Mutability == schema.Immutable:
		return immutable(a)
	}
	return nil
}

func immutable(a *schema.Attribute) *scim.Error {
	return refuse(scim.Mutability, a.Path(), "%s is immutable and has a value already", a.Path())
}

// write gives an attribute a value in canonical form.
func (e *edit) write(a *schema.Attribute, v any) error {
	old := e.get(a)
	switch {
	case a.Mutability == schema.Immutable && old != nil:
		if a.Sensitive() || !a.Equal(old, v) {
			return immutable(a)
		}
		return nil
	case equal(old, v):
		e.wrote(a)
		return nil
	}
	if err := e.grow(v, 1); err != nil {
		return err
	}
	e.wrote(a)
	e.put(a, v)
	return nil
}

// wrote notes that an attribute was given a value, be it the one that it had.
func (e *edit) wrote(a *schema.Attribute) {
	if a.Sensitive() {
		e.changed, e.sensitive = true, true
	}
}

// applySub applies an operation to a sub-attribute of a complex attribute with one value.
func (e *edit) applySub(p place, kind scim.PatchOp, value any) error {
	if kind == scim.OpRemove {
		return e.mergeSingle(p.attr, scim.OpReplace, map[string]any{p.sub.Name: nil})
	}
	return e.mergeSingle(p.attr, kind, map[string]any{p.sub.Name: value})
}

// applySelected applies an operation to a complex attribute with one value, if a value filter matches it.
func (e *edit) applySelected(p place, kind scim.PatchOp, value any) error {
	old := e.get(p.attr)
	if err := e.spend(p.cost); err != nil {
		return err
	}
	if old != nil && p.match.Match(old) {
		if p.sub != nil {
			return e.applySub(p, kind, value)
		}
		return e.applySingle(p.attr, kind, value)
	}
	if kind == scim.OpRemove && !e.opts.Strict {
		return nil
	}
	wanted, ok := p.wanted()
	if !ok || !e.creates(p, kind, wanted) || old != nil {
		return noTarget(p)
	}
	element, err := e.withValue(p, wanted, value)
	if err != nil || element == nil {
		return err
	}
	return e.mergeSingle(p.attr, kind, element)
}

func noTarget(p place) *scim.Error {
	return refuse(scim.NoTarget, p.path(), "no value of %s matches the filter of the path", p.attr.Path())
}

// withValue returns what a filter wants of an element together with the value that an operation gives; nil when it gives none.
func (e *edit) withValue(p place, wanted map[string]any, value any) (map[string]any, error) {
	if p.sub != nil {
		if value == nil || value == "" {
			return nil, nil
		}
		wanted[p.sub.Name] = value
		return wanted, nil
	}
	v, err := p.attr.CanonicalElement(value, e.reading())
	if err != nil || v == nil {
		return nil, err
	}
	maps.Copy(wanted, v.(map[string]any))
	return wanted, nil
}

// mergeSingle writes sub-attributes of a complex attribute with one value; the others stay (RFC 7644 sections 3.5.2.1 and 3.5.2.3).
func (e *edit) mergeSingle(a *schema.Attribute, kind scim.PatchOp, part map[string]any) error {
	old, _ := e.get(a).(map[string]any)
	merged, err := e.merge(a, old, part, kind, false)
	if err != nil {
		return err
	}
	switch {
	case len(merged) == 0:
		return e.unset(a)
	case equalObjects(old, merged):
		return nil
	case a.Mutability == schema.Immutable && old != nil:
		return immutable(a)
	}
	e.put(a, merged)
	return nil
}

// merge returns object with the sub-attributes of part; object itself when that changes nothing. With keep, immutable
// sub-attributes that have a value keep it; otherwise a change of one is an error.
func (e *edit) merge(a *schema.Attribute, object, part map[string]any, kind scim.PatchOp, keep bool) (map[string]any, error) {
	merged, copied := object, false
	seen := make(map[*schema.Attribute]bool, len(part))
	for _, name := range slices.Sorted(maps.Keys(part)) {
		sub, ok := a.SubAttribute(name)
		switch {
		case !ok && e.opts.Strict:
			return nil, refuse(scim.InvalidValue, a.Path(), "%q is not a sub-attribute of %s", name, a.Path())
		case !ok || sub.Mutability == schema.ReadOnly:
			continue
		case seen[sub]:
			return nil, refuse(scim.InvalidSyntax, sub.Path(), "%s is given twice", sub.Path())
		}
		seen[sub] = true
		v, err := e.subValue(sub, object[sub.Name], part[name], kind, keep)
		if err != nil {
			return nil, err
		}
		e.wrote(sub)
		if equal(v, object[sub.Name]) {
			continue
		}
		if err := e.grow(v, 1); err != nil {
			return nil, err
		}
		if !copied {
			merged, copied = cloneObject(object), true
		}
		assign(merged, sub.Name, v)
	}
	dropStale(a, object, merged, seen)
	return merged, nil
}

func cloneObject(object map[string]any) map[string]any {
	if object == nil {
		return make(map[string]any)
	}
	return maps.Clone(object)
}

// assign stores a value in an object, or takes it out when it is nil.
func assign(object map[string]any, name string, v any) {
	if v == nil {
		delete(object, name)
		return
	}
	object[name] = v
}

// subValue returns the value that a sub-attribute has after an operation gave it a value; nil for none.
func (e *edit) subValue(sub *schema.Attribute, old, given any, kind scim.PatchOp, keep bool) (any, error) {
	v, err := e.canonical(sub, given)
	switch {
	case err != nil:
		return nil, err
	case v == nil && kind == scim.OpAdd:
		return old, nil
	case v == nil && old == nil:
		return nil, nil
	case v == nil:
		return nil, mayUnset(sub)
	case sub.Mutability == schema.Immutable && old != nil:
		if keep || sub.Equal(old, v) {
			return old, nil
		}
		return nil, immutable(sub)
	case sub.MultiValued && kind == scim.OpAdd:
		return joined(sub, old, v), nil
	}
	return v, nil
}

// joined returns the values of a multi-valued sub-attribute with those of more that are not among them.
func joined(sub *schema.Attribute, old, more any) any {
	values, _ := old.([]any)
	given, _ := more.([]any)
	for _, v := range given {
		if indexAlike(sub, values, v) < 0 {
			values = append(slices.Clip(values), v)
		}
	}
	return values
}

// dropStale takes out of an object, whose sub-attribute value was changed, what the service had said about the old value: the
// readOnly sub-attributes, and the URI, unless they were given with the new value.
func dropStale(a *schema.Attribute, object, merged map[string]any, given map[*schema.Attribute]bool) {
	identity, ok := a.SubAttribute("value")
	if !ok || object[identity.Name] == nil || equal(object[identity.Name], merged[identity.Name]) {
		return
	}
	for _, sub := range a.Sub {
		if sub.Mutability == schema.ReadOnly || sub.Name == "$ref" && !given[sub] {
			delete(merged, sub.Name)
		}
	}
}
