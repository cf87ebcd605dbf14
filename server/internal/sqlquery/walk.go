package sqlquery

import (
	"slices"
	"strings"

	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

// Walk is an order as the table of entries has it: its index is walked along for a page, and nothing is sorted. It is for queries
// without a filter.
type Walk struct {
	// Entries is what follows FROM to have the entries of the attribute. Each is of another resource, whose number is in the
	// column Key, and its value in the column Value.
	Entries, Key, Value string
	// By is what follows ORDER BY.
	By string
	// Missing is the condition for resources without an entry. They are in the order of their creation, and come last, in
	// descending order first.
	Missing string

	descending bool
}

// Walk returns an order by its entries, and false when there are none, or when a resource may have several.
func (t Table) Walk(s *schema.Schema, o server.Order, add Adder) (Walk, bool) {
	if o.Attribute == nil || t.Lookup == nil || slices.ContainsFunc(route(s, o.Attribute), isMultiValued) {
		return Walk{}, false
	}
	id, ok := t.Lookup.Attributes[o.Attribute.Path()]
	if !ok {
		return Walk{}, false
	}
	l := t.Lookup
	w := Walk{
		Entries: l.From + " WHERE " + l.Scope + " AND " + l.Attribute + " = " + add(id), Key: l.Key, Value: l.Value,
		By: l.Value + ", " + l.Key, descending: o.Descending,
	}
	if o.Descending {
		w.By = l.Value + " DESC, " + l.Key
	}
	w.Missing = "NOT EXISTS (SELECT 1 FROM " + w.Entries + " AND " + l.Key + " = " + t.Key + ")"
	return w, true
}

// After returns the condition for entries after that of the resource with the key and the number given, and false when
// entries do not have the key as a whole.
func (w Walk) After(key string, number any, add Adder) (string, bool) {
	if len(key) > maxEntry {
		return "", false
	}
	k, n := add(key), add(number)
	if w.descending {
		return "(" + w.Value + " <= " + k + " AND (" + w.Value + " < " + k + " OR " + w.Key + " > " + n + "))", true
	}
	return "(" + w.Value + " >= " + k + " AND (" + w.Value + " > " + k + " OR " + w.Key + " > " + n + "))", true
}

// IsCut reports whether an entry has a part of a value only, so that it says nothing of its order among those with the same part.
func IsCut(value string) bool { return strings.HasSuffix(value, cut) }
