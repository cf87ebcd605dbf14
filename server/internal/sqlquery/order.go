package sqlquery

import (
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

// Order is the order of a result in SQL. Resources that are equal in it are in the order of their creation.
type Order struct {
	// Key is the expression for the value that counts, NULL for a resource without one; empty for the order of creation. Together
	// with Table.Key it makes a cursor.
	Key string
	// By is what follows ORDER BY.
	By string

	number     string
	descending bool
}

// Order returns an order in SQL, and false when it cannot be had in SQL: that of members, which are in a table of their own.
func (t Table) Order(s *schema.Schema, o server.Order) (Order, bool) {
	a := o.Attribute
	if a == nil {
		return Order{By: t.Key, number: t.Key}, true
	}
	way := route(s, a)
	if t.Members != nil && way[0].Name == server.Members || a.Sensitive() || a.Type == schema.Complex || !writable(namesOf(way)) {
		return Order{}, false
	}
	order := Order{Key: t.sortKey(a, way), number: t.Key, descending: o.Descending}
	order.By = order.Key + " ASC NULLS LAST, " + t.Key
	if o.Descending {
		order.By = order.Key + " DESC NULLS FIRST, " + t.Key
	}
	return order, true
}

func namesOf(way []*schema.Attribute) []string {
	names := make([]string, len(way))
	for i, a := range way {
		names[i] = a.Name
	}
	return names
}

// sortKey returns the value that counts. Projections have the element that counts first.
func (t Table) sortKey(a *schema.Attribute, way []*schema.Attribute) string {
	if column, ok := t.Columns[a.Path()]; ok {
		return column
	}
	steps := make([]step, len(way))
	for i, a := range way {
		steps[i] = step{a.Name, a.MultiValued}
	}
	return t.Dialect.first(t.Search, steps)
}

// After returns the condition for resources that come after the one with the key and the number given; key is nil when Key was
// NULL, and for the order of creation.
func (o Order) After(key *string, number any, add Adder) string {
	later := o.number + " > " + add(number)
	switch {
	case o.Key == "":
		return later
	case key == nil && o.descending:
		return "(" + o.Key + " IS NOT NULL OR " + later + ")"
	case key == nil:
		return "(" + o.Key + " IS NULL AND " + later + ")"
	}
	k := add(*key)
	if o.descending {
		return "(" + o.Key + " <= " + k + " AND (" + o.Key + " < " + k + " OR " + later + "))"
	}
	return "(" + o.Key + " IS NULL OR " + o.Key + " >= " + k + " AND (" + o.Key + " > " + k + " OR " + later + "))"
}
