package sqlquery

import (
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

// kept reports whether an attribute is that of the members which are in a table of their own, or a sub-attribute of it.
func (w *translator) kept(a *schema.Attribute) bool {
	if parent := a.Parent(); parent != nil {
		a = parent
	}
	return w.Members != nil && a.Name == server.Members && a.URN == "" && a.MultiValued && a.Type == schema.Complex
}

// member is the place of a row of the table of members.
func (w *translator) member(parent *schema.Attribute) place {
	at := place{base: w.Members.Search, parent: parent, columns: make(map[string]string, 1)}
	if value, ok := parent.SubAttribute("value"); ok {
		column := w.Members.Value
		if value.Type == schema.String && !value.CaseExact {
			column = w.Members.Folded
		}
		if column != "" {
			at.columns[value.Path()] = w.Dialect.collate(column)
		}
	}
	return at
}

// rest is the place of the members that are in the projection, because they have no value, or an empty one.
func (w *translator) rest() place { return place{base: w.Search} }

// groups returns the select of the groups of which a member is as the condition says.
func (w *translator) groups(c clause) clause {
	return c.wrap("SELECT "+w.Members.Key+" FROM "+w.Members.From+" WHERE "+w.Members.Scope+" AND ", "")
}

// has returns the condition that a group has a member which is as the condition says.
func (w *translator) has(c clause) clause {
	return c.wrap("EXISTS (SELECT 1 FROM "+w.Members.From+" WHERE "+w.Members.Scope+" AND "+w.Members.Key+" = "+w.Key+" AND ", ")")
}

func (w *translator) memberComparison(a *schema.Attribute, t test) part {
	on := func(at place) clause { return t.on(w.Dialect, at) }
	c, ok := w.some(a, w.member(a.Parent()), on)
	if !ok || !w.another() {
		return untranslated
	}
	if a.Name == "value" && t.refusesEmpty() {
		p := part{is: w.has(c), exact: t.exact, find: w.groups(c), whole: t.exact, rank: rankOf(t.op, len(t.texts))}
		if p.rank == point {
			p.is = w.among(p)
		}
		return p
	}
	others, ok := w.some(a, w.rest(), on)
	if !ok {
		return untranslated
	}
	return part{is: joined(" OR ", []clause{w.has(c), others}), exact: t.exact}
}

func rankOf(op filter.Op, texts int) rank {
	switch {
	case op == filter.OpEq && texts == 1:
		return point
	case op == filter.OpEq || op == filter.OpSw:
		return span
	}
	return sweep
}

func (w *translator) memberPresence(a *schema.Attribute, null bool) part {
	present := func(at place) clause { return w.present(a, at, null) }
	c, ok := always, true // a member that is kept apart has a value
	if parent := a.Parent(); parent != nil && a.Name != "value" {
		c, ok = w.some(a, w.member(parent), present)
	}
	others, known := w.some(a, w.rest(), present)
	if !ok || !known || !w.another() {
		return untranslated
	}
	return exactly(joined(" OR ", []clause{w.has(c), others}))
}

// memberPath is a value path on members.
func (w *translator) memberPath(a *schema.Attribute, n *filter.ValuePath) part {
	inner := w.translate(n.Term, w.member(a))
	if inner.is.isZero() || !w.another() {
		return untranslated
	}
	if best, ok := asksValue(n.Term); ok {
		p := part{is: w.has(inner.is), exact: inner.exact, find: w.groups(inner.is), whole: inner.exact, rank: best}
		if best == point {
			p.is = w.among(p)
		}
		return p
	}
	var others part
	c, ok := w.some(a, w.rest(), func(at place) clause {
		others = w.translate(n.Term, at)
		return others.is
	})
	if !ok || others.is.isZero() {
		return untranslated
	}
	return part{is: joined(" OR ", []clause{w.has(inner.is), c}), exact: inner.exact && others.exact}
}

// asksValue reports whether what matches has a value, which those members lack that are not kept apart, and how it is looked for.
func asksValue(n filter.Node) (best rank, ok bool) {
	terms := []filter.Node{n}
	if and, isAnd := n.(*filter.And); isAnd {
		terms = and.Terms
	}
	for _, t := range terms {
		c, isCompare := t.(*filter.Compare)
		if !isCompare || c.Op == filter.OpNe || c.Value.IsNull() || !isValue(c.Attr.Name) {
			continue
		}
		if text, _ := c.Value.Text(); !(test{op: c.Op, texts: []string{text}}).refusesEmpty() {
			continue
		}
		if r := rankOf(c.Op, 1); !ok || r < best {
			best, ok = r, true
		}
	}
	return best, ok
}
