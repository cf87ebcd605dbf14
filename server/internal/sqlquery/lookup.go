package sqlquery

import (
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
)

// lookUp returns a part that only knows how to find the resources of which a value passes the test; an empty one when the attribute has no
// entries.
func (w *translator) lookUp(a *schema.Attribute, t test) part {
	if w.Lookup == nil {
		return part{}
	}
	id, ok := w.Lookup.Attributes[a.Path()]
	if !ok || !w.another() {
		return part{}
	}
	p := part{rank: sweep}
	value := w.Lookup.Value
	var c clause
	switch longest := longest(t.texts); t.op {
	case filter.OpEq:
		p.rank, p.whole = span, longest <= maxEntry
		if len(t.texts) == 1 {
			p.rank = point
		}
		c = t.entries().equal(value)
	case filter.OpSw, filter.OpGt, filter.OpGe, filter.OpLt, filter.OpLe:
		if longest > maxEntry-utf8Max {
			return part{} // entries are cut before it
		}
		if t.op == filter.OpSw {
			p.rank = span
		}
		p.whole = true
		c = t.ranged(w.Dialect, value)
	case filter.OpCo, filter.OpEw:
		// Of an entry that is cut only the beginning is known.
		c = joined(" OR ", []clause{t.ranged(w.Dialect, value), sql(w.Dialect.endsWith(value, mark, 1), cut)})
	}
	p.find = sql("SELECT "+w.Lookup.Key+" FROM "+w.Lookup.From+" WHERE "+w.Lookup.Scope+" AND "+w.Lookup.Attribute+" = "+mark+" AND ", id).follow(c)
	return p
}

// utf8Max is how much earlier than at maxEntry an entry may be cut: a replacement by Escape has three bytes, a character four.
const utf8Max = 6

func longest(texts []string) (n int) {
	for _, text := range texts {
		n = max(n, len(text))
	}
	return n
}

// entries returns the test for entries in place of texts.
func (t test) entries() test {
	texts := make([]string, len(t.texts))
	for i, text := range t.texts {
		texts[i] = entryValue(text)
	}
	t.texts = texts
	return t
}

// lookUpWithin returns how to find the resources of which one value of the attribute can match the filter in the brackets of a value path.
func (w *translator) lookUpWithin(n filter.Node, parent *schema.Attribute) (best part) {
	switch n := n.(type) {
	case *filter.And:
		for _, t := range n.Terms {
			p := w.lookUpWithin(t, parent)
			if !p.find.isZero() && (best.find.isZero() || p.rank < best.rank) {
				best = p
			}
		}
		best.whole = false
	case *filter.Or:
		finds := make([]clause, len(n.Terms))
		best.whole = true
		for i, t := range n.Terms {
			p := w.lookUpWithin(t, parent)
			if finds[i] = p.find; p.find.isZero() || i >= maxUnion {
				return part{}
			}
			best.rank, best.whole = max(best.rank, p.rank), best.whole && p.whole
		}
		best.find = union(finds)
	case *filter.Compare:
		a, known := w.resolve(n.Attr, place{parent: parent})
		if !known || n.Value.IsNull() || a.Type == schema.Complex {
			return part{}
		}
		if t, ok := newTest(a, n.Op, []filter.Value{n.Value}); ok {
			return w.lookUp(a, t)
		}
	}
	return best
}
