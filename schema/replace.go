package schema

import (
	"maps"

	"github.com/scimbridge/scim"
)

// Replace returns what a resource becomes when PUT replaces it (RFC 7644 section 3.5.1). old is the stored document and
// replacement the one received, brought to canonical form in [ModeReplace]; neither is changed, and the result may share
// values with both.
//
//   - readOnly attributes keep the value of old.
//   - An immutable attribute that has a value in old keeps it. A replacement with another value, compared as
//     [Attribute.Equal] does, is a [*scim.Error] with status 400 and type mutability.
//   - An attribute that is writeOnly or never returned keeps its value when the replacement has none, because the client could
//     not have read it.
//   - All others are as in the replacement, and absent when they are absent there.
//
// The elements of a multi-valued attribute may come and go. One that stays, which is told by its sub-attribute value or, if
// there is none, by all that a client can write, is treated by the same rules, save that another immutable value makes it
// another element instead of an error. The readOnly sub-attributes of a single complex value that has a sub-attribute value,
// such as manager, belong to that value: they are dropped when it changes.
func (s *Schema) Replace(old, replacement scim.Document) (scim.Document, error) {
	out, f := s.root.merge(old, replacement)
	if f != nil {
		return nil, f.err()
	}
	out[schemasName] = s.Schemas(out)
	return out, nil
}

// merge returns the object that takes the place of old.
func (a *Attribute) merge(old, replacement map[string]any) (map[string]any, *fault) {
	out := maps.Clone(replacement)
	if out == nil {
		out = make(map[string]any)
	}
	for _, sub := range a.Sub {
		if sub.Name == schemasName && sub.parent == nil && sub.URN == "" {
			continue // it follows from the rest
		}
		v, f := sub.mergeValue(old[sub.Name], replacement[sub.Name])
		switch {
		case f != nil:
			return nil, f.inAttribute(sub.Name, sub.extension)
		case unassigned(v):
			delete(out, sub.Name)
		default:
			out[sub.Name] = v
		}
	}
	return out, nil
}

// mergeValue returns the value that takes the place of old.
func (a *Attribute) mergeValue(old, replacement any) (any, *fault) {
	if a.extension {
		was, _ := old.(map[string]any)
		is, _ := replacement.(map[string]any)
		return asAny(a.merge(was, is))
	}
	switch {
	case a.Mutability == ReadOnly:
		return old, nil
	case unassigned(old):
		return replacement, nil
	case a.Mutability == Immutable:
		if unassigned(replacement) || a.Equal(a.writable(old), replacement) {
			return old, nil
		}
		return nil, a.immutableFault(old, replacement)
	case unassigned(replacement):
		if a.Sensitive() {
			return old, nil
		}
		return nil, nil
	case a.keeps && a.MultiValued:
		return a.mergeLists(old, replacement), nil
	case a.keeps:
		return a.mergeSingle(old, replacement)
	}
	return replacement, nil
}

func (a *Attribute) immutableFault(old, replacement any) *fault {
	f := invalidValue("is immutable: it stays %s and cannot become %s", describe(old, a.secret), describe(replacement, a.secret))
	f.typ = scim.Mutability
	return f
}

// asAny keeps a nil map from becoming an interface that is not nil.
func asAny(object map[string]any, f *fault) (any, *fault) {
	if len(object) == 0 {
		return nil, f
	}
	return object, f
}

// mergeSingle merges the value of a complex attribute.
func (a *Attribute) mergeSingle(old, replacement any) (any, *fault) {
	was, ok := old.(map[string]any)
	is, also := replacement.(map[string]any)
	if !ok || !also {
		return replacement, nil
	}
	if value, ok := a.subs.find("value"); ok && !value.Equal(was[value.Name], is[value.Name]) {
		was = a.without(was, func(sub *Attribute) bool { return sub.Mutability == ReadOnly })
	}
	return asAny(a.merge(was, is))
}

// mergeLists merges elements that stay with what they were.
func (a *Attribute) mergeLists(old, replacement any) any {
	was, ok := old.([]any)
	is, also := replacement.([]any)
	if !ok || !also {
		return replacement
	}
	stored := make(map[string][]map[string]any, len(was))
	for _, e := range was {
		if object, ok := e.(map[string]any); ok {
			key := a.identity(object)
			stored[key] = append(stored[key], object)
		}
	}
	out := make([]any, len(is))
	for i, e := range is {
		out[i] = e
		object, ok := e.(map[string]any)
		if !ok {
			continue
		}
		key := a.identity(object)
		if same := stored[key]; len(same) > 0 {
			out[i] = a.mergeElement(same[0], object)
			stored[key] = same[1:]
		}
	}
	return out
}

// identity returns what tells an element from the others.
func (a *Attribute) identity(element map[string]any) string {
	if value, ok := a.subs.find("value"); ok {
		return value.Key(element[value.Name])
	}
	return a.Key(a.writable(element))
}

// mergeElement adds to an element what the client could not have sent or need not send.
func (a *Attribute) mergeElement(old, element map[string]any) map[string]any {
	out := maps.Clone(element)
	for _, sub := range a.Sub {
		was := old[sub.Name]
		keep := sub.Mutability == Immutable || sub.Sensitive()
		if sub.Mutability == ReadOnly || keep && unassigned(element[sub.Name]) {
			delete(out, sub.Name)
			if !unassigned(was) {
				out[sub.Name] = was
			}
		}
	}
	return out
}

// writable returns a value without its readOnly sub-attributes.
func (a *Attribute) writable(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return a.without(v, func(sub *Attribute) bool { return sub.Mutability == ReadOnly })
	case []any:
		if a.Type != Complex || !a.keeps {
			return v
		}
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = a.writable(e)
		}
		return out
	}
	return v
}

// without returns an object without some of its sub-attributes.
func (a *Attribute) without(object map[string]any, drop func(*Attribute) bool) map[string]any {
	out := maps.Clone(object)
	for _, sub := range a.Sub {
		if drop(sub) {
			delete(out, sub.Name)
		}
	}
	return out
}
