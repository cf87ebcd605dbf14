package filter

import (
	"strconv"
	"strings"
)

// Filter is a filter expression. It is immutable, may be copied, and is safe for concurrent use.
//
// The zero Filter is no filter: it matches everything, prints as the empty string, and is left out of
// And and Or.
//
// A Filter built from a name or a value that no filter can have is invalid, and so is one that was nested in others more than 10,000
// times. [Filter.Err] says why, and so do all methods that return an error; filters made from it are invalid, too.
type Filter struct {
	node           Node
	err            error
	quotedBooleans bool
	// nested is how many levels And, Or, Not and Has have put around what was parsed or compared.
	nested uint16
}

// IsZero reports whether f is no filter.
func (f Filter) IsZero() bool { return f.node == nil && f.err == nil }

// Err returns why f is invalid, as an [*Error], or nil when it is not.
func (f Filter) Err() error { return f.err }

// Node returns the expression, nil when f is no filter or is invalid.
func (f Filter) Node() Node { return f.node }

// And returns the filter that matches what f and all gs match.
func (f Filter) And(gs ...Filter) Filter { return f.join(gs, conjoin) }

// Or returns the filter that matches what any of f and gs match. A zero Filter is left out, so that a
// filter can be built in a loop; Or of nothing but zero Filters is no filter.
func (f Filter) Or(gs ...Filter) Filter { return f.join(gs, disjoin) }

func (f Filter) join(gs []Filter, join func([]Node) Node) Filter {
	nodes := make([]Node, 0, len(gs)+1)
	if f.node != nil {
		nodes = append(nodes, f.node)
	}
	all := append([]Filter{f}, gs...)
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
	if len(nodes) < 2 {
		return f
	}
	f.nested = 0
	for _, g := range all {
		levels := g.nested
		if !sameKind(f.node, g.node) { // otherwise its terms were taken over
			levels++
		}
		f.nested = max(f.nested, levels)
	}
	return f.bounded()
}

// sameKind reports whether two nodes are both And or both Or.
func sameKind(a, b Node) bool {
	switch a.(type) {
	case *And:
		_, ok := b.(*And)
		return ok
	case *Or:
		_, ok := b.(*Or)
		return ok
	}
	return false
}

// bounded returns f, or an invalid filter when f is nested so deeply that those who walk it would need too large a stack.
func (f Filter) bounded() Filter {
	if f.nested <= depthCeiling {
		return f
	}
	return Filter{err: typeError("", "found more than "+strconv.Itoa(depthCeiling)+" levels", "fewer filters inside each other")}
}

// Not returns the filter that matches what f does not. It is invalid when f is no filter, because what
// matches nothing cannot be written.
func (f Filter) Not() Filter {
	if f.IsZero() {
		return Filter{err: typeError("", "found the negation of no filter", "a filter")}
	}
	if f.err == nil {
		f.node = &Not{Term: f.node}
		f.nested++
		return f.bounded()
	}
	return f
}

// Equal reports whether f and g are the same expression: the same terms in the same order. Attribute
// names are the same in any case. Invalid filters are equal to nothing.
func (f Filter) Equal(g Filter) bool {
	return f.err == nil && g.err == nil && equal(f.node, g.node)
}

// Walk calls visit for every node, each before those inside it, which are left out when visit returns
// false.
func (f Filter) Walk(visit func(Node) bool) { walk(f.node, visit) }

// Attributes returns every attribute that f reads, each spelling once, in the order of the text. A
// value path gives its sub-attributes: emails[type eq "work"] gives emails.type.
func (f Filter) Attributes() []Attr {
	var attrs []Attr
	seen := make(map[Attr]bool)
	add := func(a Attr) {
		if !seen[a] {
			seen[a] = true
			attrs = append(attrs, a)
		}
	}
	eachAttr(f.node, func(a Attr) Attr { return a }, add)
	return attrs
}

// eachAttr calls add for every attribute in n, under the full name that qualify gives it.
func eachAttr(n Node, qualify func(Attr) Attr, add func(Attr)) {
	walk(n, func(n Node) bool {
		switch n := n.(type) {
		case *Compare:
			add(qualify(n.Attr))
		case *Present:
			add(qualify(n.Attr))
		case *ValuePath:
			eachAttr(n.Term, func(a Attr) Attr { return n.Attr.WithSub(a.Name) }, add)
			return false
		}
		return true
	})
}

// String returns the filter as the RFC writes it, with one space between words, operators in lower case
// and no more parentheses than needed. Parse returns the same filter from it. It is empty when f is no
// filter or is invalid.
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

// Equalities returns the comparisons of f when f is nothing but eq comparisons of plain names joined by
// and, no two of which contradict each other. They are what a value has to have to match f: PATCH
// creates from them the element that emails[type eq "work"] does not find.
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
