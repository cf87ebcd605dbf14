package filter_test

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/scimbridge/scim/filter"
)

// model is what a filter means, written as plainly as can be and without a thought for speed, to
// compare predicates with. It takes userTypes for granted and canonical documents.
type model struct {
	scope  map[string]any
	parent *filter.Attr
}

func (m model) holds(n filter.Node) bool {
	switch n := n.(type) {
	case *filter.And:
		return !slices.ContainsFunc(n.Terms, func(t filter.Node) bool { return !m.holds(t) })
	case *filter.Or:
		return slices.ContainsFunc(n.Terms, m.holds)
	case *filter.Not:
		return !m.holds(n.Term)
	case *filter.ValuePath:
		_, elements := m.find(n.Attr)
		return slices.ContainsFunc(elements, func(e any) bool {
			object, ok := e.(map[string]any)
			if !ok {
				object = map[string]any{"value": e}
			}
			return model{scope: object, parent: &n.Attr}.holds(n.Term)
		})
	case *filter.Present:
		_, values := m.find(n.Attr)
		return slices.ContainsFunc(values, func(v any) bool { return hasLeaf(v, func(leaf any) bool { return leaf != "" }) })
	case *filter.Compare:
		return m.compares(n)
	}
	panic("unknown node")
}

func (m model) compares(n *filter.Compare) bool {
	typ, values := m.find(n.Attr)
	if n.Value.IsNull() {
		unassigned := !slices.ContainsFunc(values, func(v any) bool { return hasLeaf(v, func(any) bool { return true }) })
		return unassigned == (n.Op == filter.OpEq)
	}
	if typ.Kind == filter.Complex {
		a := typ.Canonical
		a.Sub = "value"
		typ, values = m.find(a)
	}
	if n.Op == filter.OpNe {
		return !slices.ContainsFunc(values, func(v any) bool { return leafHolds(typ, filter.OpEq, v, n.Value.Any()) })
	}
	return slices.ContainsFunc(values, func(v any) bool { return leafHolds(typ, n.Op, v, n.Value.Any()) })
}

// find returns the type of an attribute and all its values in the scope.
func (m model) find(a filter.Attr) (filter.Type, []any) {
	full := a
	if m.parent != nil {
		full = filter.Attr{URN: m.parent.URN, Name: m.parent.Name, Sub: a.Name}
	}
	typ, ok := userTypes.AttrType(full)
	if !ok && m.parent != nil {
		typ, _ = userTypes.AttrType(*m.parent)
	}
	a = typ.Canonical
	scope := m.scope
	if m.parent != nil {
		a = filter.Attr{Name: cmp.Or(a.Sub, "value")}
	}
	if a.URN != "" {
		scope, _ = scope[a.URN].(map[string]any)
	}
	values := flatten(scope[a.Name])
	if a.Sub == "" {
		return typ, values
	}
	var subs []any
	for _, v := range values {
		if object, ok := v.(map[string]any); ok {
			subs = append(subs, flatten(object[a.Sub])...)
		} else if a.Sub == "value" {
			subs = append(subs, v)
		}
	}
	return typ, subs
}

func flatten(v any) []any {
	array, ok := v.([]any)
	if !ok {
		if v == nil {
			return nil
		}
		return []any{v}
	}
	var all []any
	for _, e := range array {
		all = append(all, flatten(e)...)
	}
	return all
}

func hasLeaf(v any, good func(any) bool) bool {
	switch v := v.(type) {
	case nil:
		return false
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return hasLeaf(e, good) })
	case map[string]any:
		for _, e := range v {
			if hasLeaf(e, good) {
				return true
			}
		}
		return false
	}
	return good(v)
}

func leafHolds(typ filter.Type, op filter.Op, v, want any) bool {
	switch typ.Kind {
	case filter.Boolean:
		return v == want
	case filter.Integer, filter.Decimal:
		x, ok := float(v)
		y, _ := float(want)
		return ok && ordered(op, cmp.Compare(x, y))
	case filter.DateTime:
		s, _ := v.(string)
		x, err := time.Parse(time.RFC3339, s)
		y, _ := time.Parse(time.RFC3339, want.(string))
		return err == nil && ordered(op, x.Compare(y))
	}
	s, ok := v.(string)
	if !ok {
		return false
	}
	x, y := []rune(s), []rune(want.(string))
	if !typ.CaseExact && typ.Kind == filter.String {
		x, y = slices.Collect(folded(x)), slices.Collect(folded(y))
	}
	switch op {
	case filter.OpCo:
		return strings.Contains(string(x), string(y))
	case filter.OpSw:
		return len(x) >= len(y) && slices.Equal(x[:len(y)], y)
	case filter.OpEw:
		return len(x) >= len(y) && slices.Equal(x[len(x)-len(y):], y)
	}
	return ordered(op, slices.Compare(x, y))
}

// folded replaces each rune by the least of those that differ in case only, of ASCII letters the small
// one.
func folded(runes []rune) func(func(rune) bool) {
	return func(yield func(rune) bool) {
		for _, r := range runes {
			least := r
			for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
				least = min(least, f)
			}
			if 'A' <= least && least <= 'Z' {
				least += 'a' - 'A'
			}
			if !yield(least) {
				return
			}
		}
	}
}

func float(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func ordered(op filter.Op, order int) bool {
	return map[filter.Op]bool{
		filter.OpEq: order == 0, filter.OpGt: order > 0, filter.OpGe: order >= 0, filter.OpLt: order < 0, filter.OpLe: order <= 0,
	}[op]
}
