package filter

import (
	"strings"

	"github.com/scimbridge/scim"
)

// Filter is a filter expression. It is immutable, may be copied, and is safe for concurrent use.
//
// The zero Filter is no filter: it matches everything, prints as the empty string, and is left out of And and Or.
//
// A Filter built from a name or a value that no filter can have is invalid. [Filter.Err] says why, and so do all methods
// that return an error; filters made from it are invalid, too.
type Filter struct {
	node           Node
	err            error
	quotedBooleans bool
}

// IsZero reports whether f is no filter.
func (f Filter) IsZero() bool { return f.node == nil && f.err == nil }

// Err returns why f is invalid, as an [*Error], or nil when it is not.
func (f Filter) Err() error { return f.err }

// Node returns the expression, nil when f is no filter or is invalid.
func (f Filter) Node() Node { return f.node }

// And returns the filter that matches what f and all gs match.
func (f Filter) And(gs ...Filter) Filter { return f.join(gs, conjoin) }

// Or returns the filter that matches what any of f and gs match. A zero Filter is left out, so that a filter can be
// built in a loop; Or of nothing but zero Filters is no filter.
func (f Filter) Or(gs ...Filter) Filter { return f.join(gs, disjoin) }

func (f Filter) join(gs []Filter, join func([]Node) Node) Filter {
	nodes := make([]Node, 0, len(gs)+1)
	if f.node != nil {
		nodes = append(nodes, f.node)
	}
	for _, g := range gs {
		if f.err == nil {
			f.err = g.err
		}
		if g.node != nil {
			nodes = append(nodes, g.node)
		}
		f.quotedBooleans = f.quotedBooleans || g.quotedBooleans
	}
	if f.err != nil {
		return Filter{err: f.err}
	}
	if len(nodes) > 0 {
		f.node = join(nodes)
	}
	return f
}

// Not returns the filter that matches what f does not. It is invalid when f is no filter, because what matches nothing cannot
// be written.
func (f Filter) Not() Filter {
	if f.IsZero() {
		return Filter{err: typeError("", "found the negation of no filter", "a filter")}
	}
	if f.err == nil {
		f.node = &Not{Term: f.node}
	}
	return f
}

// Equal reports whether f and g are the same expression: the same terms in the same order. Attribute names are the same in
// any case. Invalid filters are equal to nothing.
func (f Filter) Equal(g Filter) bool {
	return f.err == nil && g.err == nil && equal(f.node, g.node)
}

// Walk calls visit for every node, each before those inside it, which are left out when visit
// returns false.
func (f Filter) Walk(visit func(Node) bool) { walk(f.node, visit) }

// Attributes returns every attribute that f reads, each spelling once, in the order of the text. A value path
// gives its sub-attributes: emails[type eq "work"] gives emails.type.
func (f Filter) Attributes() []Attr {
	var attrs []Attr
	seen := make(map[Attr]bool)
	var visit func(parent *Attr) func(Node) bool
	add := func(parent *Attr, a Attr) {
		if parent != nil {
			a = Attr{URN: parent.URN, Name: parent.Name, Sub: a.Name}
		}
		if !seen[a] {
			seen[a] = true
			attrs = append(attrs, a)
		}
	}
	visit = func(parent *Attr) func(Node) bool {
		return func(n Node) bool {
			switch n := n.(type) {
			case *Compare:
				add(parent, n.Attr)
			case *Present:
				add(parent, n.Attr)
			case *ValuePath:
				walk(n.Term, visit(&n.Attr))
				return false
			}
			return true
		}
	}
	walk(f.node, visit(nil))
	return attrs
}

// String returns the filter as the RFC writes it, with one space between words, operators in lower case and no more
// parentheses than needed. Parse returns the same filter from it. It is empty when f is no filter or is invalid.
func (f Filter) String() string { return string(appendNode(nil, f.node)) }

// AppendText appends the filter to b as [Filter.String] writes it, or returns [Filter.Err].
func (f Filter) AppendText(b []byte) ([]byte, error) {
	if f.err != nil {
		return b, f.err
	}
	return appendNode(b, f.node), nil
}

// MarshalText returns the filter as [Filter.String] writes it, or [Filter.Err].
func (f Filter) MarshalText() ([]byte, error) { return f.AppendText([]byte{}) }

// UnmarshalText reads a filter like [Parse]; the empty text gives no filter.
func (f *Filter) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*f = Filter{}
		return nil
	}
	g, err := Parse(string(text))
	if err != nil {
		return err
	}
	*f = g
	return nil
}

// Equalities returns the comparisons of f when f is nothing but eq comparisons of plain names joined by and, no two of which
// contradict each other. They are what a value has to have to match f: PATCH creates from
// them the element that emails[type eq "work"] does not find.
func (f Filter) Equalities() (terms []*Compare, ok bool) {
	nodes := []Node{f.node}
	if and, isAnd := f.node.(*And); isAnd {
		nodes = and.Terms
	}
	seen := make(map[string]Value, len(nodes))
	for _, n := range nodes {
		c, isCompare := n.(*Compare)
		if !isCompare || c.Op != OpEq || c.Attr.URN != "" || c.Attr.Sub != "" {
			return nil, false
		}
		name := strings.ToLower(c.Attr.Name)
		switch v, repeated := seen[name]; {
		case !repeated:
			seen[name] = c.Value
			terms = append(terms, c)
		case v != c.Value:
			return nil, false
		}
	}
	return terms, true
}

// Eq returns the filter attr eq value. See [ValueOf] for the values there are. The filter is
// invalid when there is no such attribute name or value.
func Eq(attr string, value any) Filter { return compare(attr, OpEq, value) }

// Ne returns the filter attr ne value, like [Eq].
func Ne(attr string, value any) Filter { return compare(attr, OpNe, value) }

// Co returns the filter attr co value (contains), like [Eq].
func Co(attr, value string) Filter { return compare(attr, OpCo, value) }

// Sw returns the filter attr sw value (starts with), like [Eq].
func Sw(attr, value string) Filter { return compare(attr, OpSw, value) }

// Ew returns the filter attr ew value (ends with), like [Eq].
func Ew(attr, value string) Filter { return compare(attr, OpEw, value) }

// Gt returns the filter attr gt value (greater than), like [Eq].
func Gt(attr string, value any) Filter { return compare(attr, OpGt, value) }

// Ge returns the filter attr ge value (greater than or equal to), like [Eq].
func Ge(attr string, value any) Filter { return compare(attr, OpGe, value) }

// Lt returns the filter attr lt value (less than), like [Eq].
func Lt(attr string, value any) Filter { return compare(attr, OpLt, value) }

// Le returns the filter attr le value (less than or equal to), like [Eq].
func Le(attr string, value any) Filter { return compare(attr, OpLe, value) }

func compare(attr string, op Op, value any) Filter {
	a, err := attribute(attr)
	if err != nil {
		return Filter{err: err}
	}
	v, cause := ValueOf(value)
	if cause != nil {
		return Filter{err: typeError(attr, "found "+cause.Error(), "a string, a number, a boolean, a time or nil")}
	}
	return Filter{node: &Compare{Attr: a, Op: op, Value: v}}
}

// Pr returns the filter attr pr: the attribute has a value.
func Pr(attr string) Filter {
	a, err := attribute(attr)
	if err != nil {
		return Filter{err: err}
	}
	return Filter{node: &Present{Attr: a}}
}

// Has returns the value path attr[f]: one value of attr matches f. It is invalid when f is no filter, has a
// value path itself, or names anything but plain sub-attributes.
func Has(attr string, f Filter) Filter {
	a, err := attribute(attr)
	switch {
	case err != nil:
		return Filter{err: err}
	case f.err != nil:
		return f
	case f.node == nil:
		return Filter{err: typeError(attr, "found no filter", "a filter for the value path")}
	case a.Sub != "":
		return Filter{err: typeError(attr, "found a sub-attribute", "an attribute for the value path")}
	}
	if !isValueFilter(f.node) {
		return Filter{err: typeError(attr, "found a value path or a qualified name inside a value path", "plain sub-attributes")}
	}
	return Filter{node: &ValuePath{Attr: a, Term: f.node}, quotedBooleans: f.quotedBooleans}
}

// isValueFilter reports whether n can be in the brackets of a value path.
func isValueFilter(n Node) bool {
	ok := true
	walk(n, func(n Node) bool {
		switch n := n.(type) {
		case *ValuePath:
			ok = false
		case *Compare:
			ok = ok && n.Attr.URN == "" && n.Attr.Sub == ""
		case *Present:
			ok = ok && n.Attr.URN == "" && n.Attr.Sub == ""
		}
		return ok
	})
	return ok
}

// attribute reads the attribute name given to a constructor.
func attribute(text string) (Attr, *Error) {
	p := parser{text: text, fault: scim.InvalidFilter}
	a, err := p.attr(false)
	if err == nil && p.pos < len(text) {
		err = p.unexpected("the end of the attribute name")
	}
	return a, err
}
