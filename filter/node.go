package filter

// Node is a part of a filter: one of [*And], [*Or], [*Not], [*Compare], [*Present] and [*ValuePath].
// The nodes of a [Filter] are shared by all its copies and must not be changed.
//
// Filters are kept in a normal form: the terms of an And are never And, those of an Or never Or, both
// have at least two, and a value path is never inside another.
type Node interface{ node() }

// And is true when all its terms are.
type And struct{ Terms []Node }

// Or is true when any of its terms is.
type Or struct{ Terms []Node }

// Not is true when its term is not.
type Not struct{ Term Node }

// Compare compares an attribute with a value.
type Compare struct {
	Attr  Attr
	Op    Op
	Value Value
}

// Present is the operator pr: the attribute has a value that is not empty.
type Present struct{ Attr Attr }

// ValuePath is true when one value of a multi-valued complex attribute matches Term, in which every
// Attr has only a Name: that of a sub-attribute. Attr has no Sub.
type ValuePath struct {
	Attr Attr
	Term Node
}

func (*And) node()       {}
func (*Or) node()        {}
func (*Not) node()       {}
func (*Compare) node()   {}
func (*Present) node()   {}
func (*ValuePath) node() {}

// conjoin returns the And of nodes in normal form.
func conjoin(nodes []Node) Node {
	if len(nodes) == 1 {
		return nodes[0]
	}
	terms := make([]Node, 0, len(nodes))
	for _, n := range nodes {
		terms = appendAnd(terms, n)
	}
	return &And{Terms: terms}
}

// disjoin returns the Or of nodes in normal form.
func disjoin(nodes []Node) Node {
	if len(nodes) == 1 {
		return nodes[0]
	}
	terms := make([]Node, 0, len(nodes))
	for _, n := range nodes {
		terms = appendOr(terms, n)
	}
	return &Or{Terms: terms}
}

// appendAnd appends n to the terms of an And.
func appendAnd(terms []Node, n Node) []Node {
	if and, ok := n.(*And); ok {
		return append(terms, and.Terms...)
	}
	return append(terms, n)
}

// appendOr appends n to the terms of an Or.
func appendOr(terms []Node, n Node) []Node {
	if or, ok := n.(*Or); ok {
		return append(terms, or.Terms...)
	}
	return append(terms, n)
}

// walk calls visit for n and, while it returns true, for what is below n.
func walk(n Node, visit func(Node) bool) {
	if n == nil || !visit(n) {
		return
	}
	switch n := n.(type) {
	case *And:
		for _, t := range n.Terms {
			walk(t, visit)
		}
	case *Or:
		for _, t := range n.Terms {
			walk(t, visit)
		}
	case *Not:
		walk(n.Term, visit)
	case *ValuePath:
		walk(n.Term, visit)
	}
}

// equal reports whether two nodes are the same expression.
func equal(a, b Node) bool {
	switch a := a.(type) {
	case *And:
		b, ok := b.(*And)
		return ok && equalAll(a.Terms, b.Terms)
	case *Or:
		b, ok := b.(*Or)
		return ok && equalAll(a.Terms, b.Terms)
	case *Not:
		b, ok := b.(*Not)
		return ok && equal(a.Term, b.Term)
	case *Compare:
		b, ok := b.(*Compare)
		return ok && a.Op == b.Op && a.Value == b.Value && a.Attr.Equal(b.Attr)
	case *Present:
		b, ok := b.(*Present)
		return ok && a.Attr.Equal(b.Attr)
	case *ValuePath:
		b, ok := b.(*ValuePath)
		return ok && a.Attr.Equal(b.Attr) && equal(a.Term, b.Term)
	}
	return a == nil && b == nil
}

func equalAll(a, b []Node) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equal(a[i], b[i]) {
			return false
		}
	}
	return true
}
