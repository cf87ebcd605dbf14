package filter

import "strings"

// Predicate is a compiled filter. It is immutable and safe for concurrent use. The zero Predicate
// matches everything.
type Predicate struct{ root matcher }

// Match reports whether the resource matches the filter. The document is as scim.Document describes, its
// names in the schema's spelling unless the filter was compiled without types. Slices of strings and of
// objects, and numbers of any Go type, are understood, too; a value of another Go type is present and
// equal to nothing. Match changes nothing.
func (p *Predicate) Match(doc map[string]any) bool { return p.root == nil || p.root.match(doc) }

// ElementPredicate is a compiled value filter: what stands in the brackets of emails[type eq "work"].
// It is immutable and safe for concurrent use. The zero ElementPredicate matches everything.
type ElementPredicate struct{ root matcher }

// Match reports whether one value of the attribute matches. The value of a complex attribute is an
// object; a value that is none is its own sub-attribute value.
func (p *ElementPredicate) Match(value any) bool { return p.root == nil || p.root.match(value) }

// matcher decides about a scope: a document or one value of an attribute.
type matcher interface{ match(scope any) bool }

type allOf []matcher

func (ms allOf) match(scope any) bool {
	for _, m := range ms {
		if !m.match(scope) {
			return false
		}
	}
	return true
}

type anyOf []matcher

func (ms anyOf) match(scope any) bool {
	for _, m := range ms {
		if m.match(scope) {
			return true
		}
	}
	return false
}

type negation struct{ term matcher }

func (m negation) match(scope any) bool { return !m.term.match(scope) }

// constant is what remains of a term about an attribute that does not exist.
type constant bool

func (m constant) match(any) bool { return bool(m) }

// comparison is true when some value of the field passes the test.
type comparison struct {
	field
	test valueTest
}

// valueTest decides about one value that is neither null nor an array nor an object.
type valueTest interface{ passes(value any) bool }

func (c *comparison) match(scope any) bool { return c.some(c.get(scope), c.sub) }

// some reports whether a value below v passes. When sub is empty, v stands for itself, and an object
// for its sub-attribute value.
func (c *comparison) some(v any, sub string) bool {
	switch v := v.(type) {
	case nil:
		return false
	case []any:
		for _, e := range v {
			if c.some(e, sub) {
				return true
			}
		}
		return false
	case map[string]any:
		if sub == "" {
			sub = "value"
		}
		return c.some(c.member(v, sub), "")
	}
	if array, ok := elements(v); ok {
		return c.some(array, sub)
	}
	return (sub == "" || isValueName(sub)) && c.test.passes(v)
}

// presence is true when the field has a value: one that is not empty for pr, any for ne null.
type presence struct {
	field
	emptyText bool // an empty string is a value
}

func (p *presence) match(scope any) bool { return p.some(p.get(scope), p.sub) }

func (p *presence) some(v any, sub string) bool {
	switch v := v.(type) {
	case nil:
		return false
	case []any:
		for _, e := range v {
			if p.some(e, sub) {
				return true
			}
		}
		return false
	case map[string]any:
		if sub != "" {
			return p.some(p.member(v, sub), "")
		}
		for _, e := range v {
			if p.some(e, "") {
				return true
			}
		}
		return false
	}
	if array, ok := elements(v); ok {
		return p.some(array, sub)
	}
	if text, ok := v.(string); ok && text == "" && !p.emptyText {
		return false
	}
	return sub == "" || isValueName(sub)
}

// valuePath is true when one value of the field matches the term.
type valuePath struct {
	field
	term matcher
}

func (p *valuePath) match(scope any) bool { return p.some(p.get(scope)) }

func (p *valuePath) some(v any) bool {
	if v == nil {
		return false
	}
	array, ok := v.([]any)
	if !ok {
		array, ok = elements(v)
	}
	if !ok {
		return p.term.match(v)
	}
	for _, e := range array {
		if e != nil && p.term.match(e) {
			return true
		}
	}
	return false
}

// field is where an attribute is in a scope.
type field struct {
	urn, name, sub string
	anyCase        bool // the names are not in the schema's spelling
}

// get returns the attribute before its sub-attribute.
func (f *field) get(scope any) any {
	object, ok := scope.(map[string]any)
	if !ok {
		if isValueName(f.name) {
			return scope
		}
		return nil
	}
	if f.urn != "" {
		if object, ok = f.member(object, f.urn).(map[string]any); !ok {
			return nil
		}
	}
	return f.member(object, f.name)
}

func (f *field) member(object map[string]any, name string) any {
	v, ok := object[name]
	if ok || !f.anyCase {
		return v
	}
	return memberInAnyCase(object, name)
}

// memberInAnyCase returns the member that differs from name in case only; of several the first in
// order, so that the answer does not depend on chance.
func memberInAnyCase(object map[string]any, name string) (value any) {
	found := ""
	for k, v := range object {
		if strings.EqualFold(k, name) && (found == "" || k < found) {
			found, value = k, v
		}
	}
	return value
}

// isValueName reports whether name is that of the sub-attribute that stands for the whole.
func isValueName(name string) bool { return len(name) == 5 && strings.EqualFold(name, "value") }

// elements returns v as an array when it is an array of a narrower Go type.
func elements(v any) ([]any, bool) {
	switch v := v.(type) {
	case []string:
		return widen(v), true
	case []map[string]any:
		return widen(v), true
	}
	return nil, false
}

func widen[T any](vs []T) []any {
	array := make([]any, len(vs))
	for i, v := range vs {
		array[i] = v
	}
	return array
}
