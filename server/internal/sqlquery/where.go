package sqlquery

import (
	"slices"
	"strconv"
	"strings"

	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
)

// Condition is a filter in SQL.
type Condition struct {
	// SQL is a boolean expression, in parentheses where it needs them.
	SQL string
	// Exact says that SQL is true of exactly the resources that match. Otherwise it is true of these and maybe of others, and the
	// filter must be evaluated on the documents.
	Exact bool
	// Keyed says that SQL itself leads to its resources, through Lookup or Members: no other condition need be served by an index.
	Keyed bool
}

// The bounds of a condition. SQLite takes 32,766 arguments, PostgreSQL 65,535; both nest as deep as this, and much deeper.
const (
	maxArgs  = 8_000
	maxSQL   = 512 << 10
	maxDepth = 100
	// maxSelects is how many selects there may be inside. PostgreSQL takes time to plan them that grows with the square of their number.
	maxSelects = 50
)

// Where returns the condition for resources that match a filter, which must have been checked against the schema; TRUE for the
// zero Filter. What the schema does not have has no value.
func (t Table) Where(s *schema.Schema, f filter.Filter, add Adder) Condition {
	if f.Node() == nil {
		return Condition{SQL: always.sql, Exact: f.Err() == nil}
	}
	w := translator{Table: t, schema: s}
	p := w.translate(f.Node(), place{base: t.Search, columns: t.Columns})
	c := w.use(p)
	if c.isZero() || len(c.args) > maxArgs || len(c.sql) > maxSQL {
		return Condition{SQL: always.sql}
	}
	return Condition{SQL: c.bind(add), Exact: p.exact, Keyed: p.driven || !p.find.isZero()}
}

// part is the translation of a part of a filter.
type part struct {
	// is is the condition; empty when there is none.
	is clause
	// exact says that is is true of nothing else than what matches.
	exact bool
	// find selects the keys of resources among which all that match are; empty when there is no index for them. It is for
	// the filter as a whole only, not for what is in a value path.
	find clause
	// rank says what find costs.
	rank rank
	// whole says that find has nothing else than what matches.
	whole bool
	// driven says that is finds its resources through an index by itself.
	driven bool
}

// rank is the cost of looking something up.
type rank uint8

const (
	point rank = iota // the entries with one value
	span              // those with several, or with a range of them
	sweep             // all of an attribute
)

// untranslated is a part that may be true of anything.
var untranslated part

func exactly(c clause) part { return part{is: c, exact: true} }

func constant(b bool) part {
	if b {
		return exactly(always)
	}
	return exactly(never)
}

// translator translates one filter.
type translator struct {
	Table
	schema  *schema.Schema
	aliases int
	selects int
	depth   int
}

// use returns the condition of a part with what finds its resources.
func (w *translator) use(p part) clause {
	switch {
	case p.find.isZero() || p.driven:
		return p.is
	case p.whole || p.is.isZero():
		return w.among(p)
	}
	return joined(" AND ", []clause{w.among(p), p.is})
}

// among returns the condition that a resource is one of those that were found.
func (w *translator) among(p part) clause {
	if w.Dialect == PostgreSQL && p.rank != point {
		// PostgreSQL would make a join of IN, on the grounds of how many entries it thinks there are. It knows how the values of all
		// attributes together are spread, not those of one. This way it has the number before it looks for the first resource.
		return p.find.wrap(w.Key+" = ANY (ARRAY(", "))")
	}
	return p.find.wrap(w.Key+" IN (", ")")
}

// another reports whether there may be one more select.
func (w *translator) another() bool {
	w.selects++
	return w.selects <= maxSelects
}

// place is where attributes are looked for: in a resource, or in a value of one of its attributes.
type place struct {
	// base is the JSON value; empty when there is none. names lead from there to the attributes.
	base  string
	names []string
	// text is the value itself when it is no object.
	text string
	// columns are the attributes that are not looked for in base, by their path.
	columns map[string]string
	// parent is the attribute whose value the place is; nil for a resource.
	parent *schema.Attribute
}

func (w *translator) translate(n filter.Node, at place) part {
	if w.depth++; w.depth > maxDepth {
		w.depth--
		return untranslated
	}
	defer func() { w.depth-- }()
	switch n := n.(type) {
	case *filter.And:
		return w.and(n.Terms, at)
	case *filter.Or:
		return w.or(n.Terms, at)
	case *filter.Not:
		return w.not(w.translate(n.Term, at))
	case *filter.ValuePath:
		return w.valuePath(n, at)
	case *filter.Present:
		a, known := w.resolve(n.Attr, at)
		if !known {
			return constant(false)
		}
		return w.presence(a, at, false)
	case *filter.Compare:
		return w.compare(n, at)
	}
	return untranslated
}

// maxDrivers is how many indexes are used for one and. Databases plan joins, which many of them would be.
const maxDrivers = 4

func (w *translator) and(terms []filter.Node, at place) part {
	all := part{exact: true}
	list := make([]clause, 0, len(terms))
	drivers := 0
	for _, n := range terms {
		p := w.translate(n, at)
		all.exact = all.exact && p.exact
		c := p.is
		if !p.find.isZero() && p.rank == point {
			if drivers++; drivers <= maxDrivers {
				c = w.use(p)
				all.driven = true
			} else if !c.isZero() {
				c = c.wrap("(", ") IS TRUE") // which keeps PostgreSQL from making a join of it
			}
		}
		all.driven = all.driven || p.driven && !c.isZero()
		if !p.find.isZero() && (all.find.isZero() || p.rank < all.rank) {
			all.find, all.rank = p.find, p.rank
		}
		if !c.isZero() {
			list = append(list, c)
		}
	}
	if len(list) > 0 {
		all.is = joined(" AND ", list)
	}
	return all
}

func (w *translator) or(terms []filter.Node, at place) part {
	parts := w.alternatives(terms, at)
	all := part{exact: true, whole: true, rank: span}
	finds := make([]clause, 0, len(parts))
	for _, p := range parts {
		all.exact = all.exact && p.exact
		all.whole = all.whole && p.whole
		all.rank = max(all.rank, p.rank)
		if !p.find.isZero() {
			finds = append(finds, p.find)
		}
	}
	served := len(finds) == len(parts)
	if served && len(finds) <= maxUnion {
		all.find = union(finds)
	}
	all.whole = all.whole && !all.find.isZero()
	list := make([]clause, 0, len(parts))
	for _, p := range parts {
		if p.is.isZero() {
			return part{find: all.find, rank: all.rank}
		}
		c := p.is
		if p.whole && p.rank == point {
			c = w.use(p)
		}
		list = append(list, c)
	}
	all.is = joined(" OR ", list)
	return all
}

// maxUnion is how many selects are joined into one. SQLite joins 500 at most.
const maxUnion = 100

func union(finds []clause) clause {
	all := finds[0]
	for _, find := range finds[1:] {
		all = all.follow(find.wrap(" UNION ALL ", ""))
	}
	return all
}

// alternatives translates the terms of an or. Comparisons of one attribute by eq become one.
func (w *translator) alternatives(terms []filter.Node, at place) []part {
	parts := make([]part, 0, len(terms))
	values := make(map[*schema.Attribute][]filter.Value)
	var order []*schema.Attribute
	for _, n := range terms {
		c, ok := n.(*filter.Compare)
		if !ok || c.Op != filter.OpEq || c.Value.IsNull() {
			parts = append(parts, w.translate(n, at))
			continue
		}
		a, known := w.resolve(c.Attr, at)
		if !known {
			parts = append(parts, constant(false))
			continue
		}
		if values[a] == nil {
			order = append(order, a)
		}
		values[a] = append(values[a], c.Value)
	}
	for _, a := range order {
		parts = append(parts, w.comparison(a, filter.OpEq, values[a], at))
	}
	return parts
}

func (w *translator) not(p part) part {
	switch {
	case p.whole && (p.rank == point || w.Dialect == SQLite): // PostgreSQL compares each with each when there are many
		return exactly(p.find.wrap("("+w.Key+" IN (", ")) IS NOT TRUE"))
	case p.exact:
		// What is NULL, because there is no value to compare, is not true.
		return exactly(p.is.wrap("(", ") IS NOT TRUE"))
	}
	return untranslated
}

// resolve returns the attribute that a filter names, and false when there is none.
func (w *translator) resolve(name filter.Attr, at place) (*schema.Attribute, bool) {
	switch {
	case at.parent == nil && w.Strict:
		return w.schema.Attr(name)
	case at.parent == nil:
		return w.schema.AttrLoose(name)
	case at.parent.Type == schema.Complex:
		return at.parent.SubAttribute(name.Name)
	}
	return at.parent, isValue(name.Name)
}

func isValue(name string) bool { return strings.EqualFold(name, "value") }

func (w *translator) compare(c *filter.Compare, at place) part {
	a, known := w.resolve(c.Attr, at)
	null := c.Value.IsNull()
	switch {
	case !known:
		return constant(c.Op == filter.OpEq && null || c.Op == filter.OpNe && !null)
	case null && c.Op == filter.OpNe:
		return w.presence(a, at, true)
	case null && c.Op == filter.OpEq:
		return w.not(w.presence(a, at, true))
	case null:
		return untranslated
	case c.Op == filter.OpNe:
		return w.not(w.comparison(a, filter.OpEq, []filter.Value{c.Value}, at))
	}
	return w.comparison(a, c.Op, []filter.Value{c.Value}, at)
}

// comparison compares an attribute with a value, by eq with several.
func (w *translator) comparison(a *schema.Attribute, op filter.Op, values []filter.Value, at place) part {
	if a.Type == schema.Complex {
		var ok bool
		if a, ok = a.SubAttribute("value"); !ok || at.parent != nil {
			return untranslated
		}
	}
	t, ok := newTest(a, op, values)
	if !ok || a.Sensitive() {
		return untranslated
	}
	if at.parent == nil && w.kept(a) {
		return w.memberComparison(a, t)
	}
	c, ok := w.some(a, at, func(at place) clause { return t.on(w.Dialect, at) })
	if !ok {
		return untranslated
	}
	var p part
	if at.parent == nil {
		p = w.lookUp(a, t)
	}
	p.is, p.exact = c, t.exact
	return p
}

// some returns the condition that a value of the attribute is as the test wants it, which gets the place of a value that
// is not in an array, or of an element.
func (w *translator) some(a *schema.Attribute, at place, test func(place) clause) (clause, bool) {
	if at.text != "" {
		return test(at), true
	}
	way := []*schema.Attribute{a}
	if at.parent == nil {
		way = route(w.schema, a)
	}
	if column, ok := at.columns[a.Path()]; ok {
		return test(place{text: column, parent: a, columns: at.columns}), true
	}
	if at.base == "" || !writable(namesOf(way)) || slices.ContainsFunc(way, isMultiValued) && !w.another() {
		return clause{}, false
	}
	return w.descend(way, at, test), true
}

func isMultiValued(a *schema.Attribute) bool { return a.MultiValued }

func (w *translator) descend(way []*schema.Attribute, at place, test func(place) clause) clause {
	a := way[0]
	names := append(at.names[:len(at.names):len(at.names)], a.Name)
	switch {
	case !a.MultiValued && len(way) == 1:
		return test(place{base: at.base, names: names, parent: a, columns: at.columns})
	case !a.MultiValued:
		return w.descend(way[1:], place{base: at.base, names: names, columns: at.columns}, test)
	}
	w.aliases++
	alias := "x" + strconv.Itoa(w.aliases)
	if a.Type != schema.Complex {
		inner := test(place{text: w.Dialect.element(alias), parent: a})
		return inner.wrap("EXISTS (SELECT 1 FROM "+w.Dialect.eachText(at.base, names, alias)+" WHERE ", ")")
	}
	inside := place{base: alias + ".value", parent: a}
	var inner clause
	if len(way) == 1 {
		inner = test(inside)
	} else {
		inner = w.descend(way[1:], inside, test)
	}
	return inner.wrap("EXISTS (SELECT 1 FROM "+w.Dialect.each(at.base, names, alias)+" WHERE ", ")")
}

// presence is true when there is a value: one that is not empty, or any when null is set.
func (w *translator) presence(a *schema.Attribute, at place, null bool) part {
	if a.Sensitive() {
		return untranslated
	}
	if at.parent == nil && w.kept(a) {
		return w.memberPresence(a, null)
	}
	c, ok := w.some(a, at, func(at place) clause { return w.present(a, at, null) })
	if !ok {
		return untranslated
	}
	return exactly(c)
}

func (w *translator) present(a *schema.Attribute, at place, null bool) clause {
	_, column := at.columns[a.Path()]
	switch {
	case column && null:
		return sql(at.text + " IS NOT NULL")
	case column:
		return sql(at.text + " <> ''")
	case at.text != "" && null:
		return always // it is an element of an array
	case at.text != "":
		return sql("(" + at.text + " IS NULL OR " + at.text + " <> '')")
	case a.Type == schema.Complex:
		return w.presentObject(a, at, null)
	case null:
		return sql(w.Dialect.node(at.base, at.names...) + " IS NOT NULL")
	}
	return sql(w.Dialect.node(at.base, at.names...) + " <> " + w.Dialect.emptyText())
}

func (w *translator) presentObject(a *schema.Attribute, at place, null bool) clause {
	hole := append(at.names[:len(at.names):len(at.names)], hollow)
	switch {
	case a.MultiValued && null:
		return sql("coalesce(" + w.Dialect.text(at.base, hollow) + ", '') <> 'nothing'")
	case a.MultiValued:
		return sql(w.Dialect.text(at.base, hollow) + " IS NULL")
	}
	there := w.Dialect.node(at.base, at.names...) + " IS NOT NULL"
	if null {
		return sql(there)
	}
	return sql("(" + there + " AND " + w.Dialect.text(at.base, hole...) + " IS NULL)")
}

// valuePath is true when one value of the attribute matches the term.
func (w *translator) valuePath(n *filter.ValuePath, at place) part {
	a, known := w.resolve(n.Attr, at)
	switch {
	case !known:
		return constant(false)
	case a.IsExtension() || a.Sensitive() || a.Parent() != nil:
		return untranslated
	case w.kept(a):
		return w.memberPath(a, n)
	}
	var inner part
	c, ok := w.some(a, at, func(value place) clause {
		there := w.present(a, value, true)
		if a.Type != schema.Complex && value.text == "" {
			value = place{text: w.Dialect.text(value.base, value.names...), parent: a}
		}
		if inner = w.translate(n.Term, value); a.MultiValued {
			return inner.is
		}
		return joined(" AND ", []clause{there, inner.is})
	})
	if !ok || inner.is.isZero() {
		return untranslated
	}
	p := w.lookUpWithin(n.Term, a)
	p.is, p.exact = c, inner.exact
	return p
}
