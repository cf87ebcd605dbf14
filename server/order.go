package server

import (
	"cmp"
	"strings"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server/internal/casefold"
)

// Order is the order of a result (RFC 7644 section 3.4.2.3). The zero Order is that of creation.
type Order struct {
	// Attribute is what to order by; nil for the order of creation. It is never complex, nor sensitive.
	Attribute  *schema.Attribute
	Descending bool
}

// SortKey is the place of a resource in an [Order], ties aside.
type SortKey struct {
	// Present is false when the resource has no value. Such resources come last, or first in descending order.
	Present bool `json:"p,omitzero"`
	// Text is the value of a string, in one case when case does not count, and of a dateTime.
	Text string `json:"t,omitzero"`
	// Int and Float are the value of a number, Float of one that is no integer; Int is 1 for the boolean true.
	Int   int64   `json:"i,omitzero"`
	Float float64 `json:"f,omitzero"`
}

// Key returns the place of a document. Of a multi-valued attribute the primary value counts, or the first.
func (o Order) Key(doc scim.Document) SortKey {
	if o.Attribute == nil {
		return SortKey{}
	}
	return o.key(o.value(doc))
}

// Compare returns -1, 0 or 1 when the resource with the key a comes before that with b, beside it, or after it.
func (o Order) Compare(a, b SortKey) int {
	c := cmp.Or(
		-compareBool(a.Present, b.Present),
		cmp.Compare(a.Text, b.Text),
		compareNumber(a, b),
	)
	if o.Descending {
		return -c
	}
	return c
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// compareNumber keeps integers apart from floats as long as it can: beyond 53 bits they would lose digits.
func compareNumber(a, b SortKey) int {
	if a.Float == 0 && b.Float == 0 {
		return cmp.Compare(a.Int, b.Int)
	}
	return cmp.Compare(float64(a.Int)+a.Float, float64(b.Int)+b.Float)
}

func (o Order) key(v any) SortKey {
	switch v := v.(type) {
	case string:
		return SortKey{Present: true, Text: o.text(v)}
	case bool:
		if v {
			return SortKey{Present: true, Int: 1}
		}
		return SortKey{Present: true}
	case int64:
		return SortKey{Present: true, Int: v}
	case float64:
		return SortKey{Present: true, Float: v}
	}
	return SortKey{}
}

func (o Order) text(v string) string {
	switch {
	case o.Attribute.Type == schema.DateTime:
		// With a fraction of fixed width, the order of the text is that of the instants.
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return t.UTC().Format("2006-01-02T15:04:05.000000000Z")
		}
		return v
	case o.Attribute.CaseExact:
		return v
	}
	return casefold.String(v)
}

// value returns the value that counts.
func (o Order) value(doc scim.Document) any {
	object := map[string]any(doc)
	if o.Attribute.URN != "" {
		object, _ = doc[o.Attribute.URN].(map[string]any)
	}
	parent := o.Attribute.Parent()
	if parent == nil {
		return first(object[o.Attribute.Name])
	}
	element, _ := first(object[parent.Name]).(map[string]any)
	return first(element[o.Attribute.Name])
}

// first returns the primary element of an array, or else the first, and anything else as it is.
func first(v any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	for _, e := range list {
		if object, ok := e.(map[string]any); ok && object["primary"] == true {
			return e
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// sortable returns the attribute that a client asked to order by, which for a complex one is its value.
func sortable(s *schema.Schema, name string) (*schema.Attribute, bool) {
	a, ok := s.Lookup(strings.TrimSpace(name))
	if ok && a.Type == schema.Complex {
		a, ok = a.SubAttribute("value")
	}
	return a, ok
}
