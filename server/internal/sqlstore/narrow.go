package sqlstore

import (
	"strconv"
	"strings"

	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/casefold"
)

func place(n int) string { return "$" + strconv.Itoa(n) }

// narrower finds conditions that every match of a filter meets and that an index serves.
type narrower struct {
	*clause
	shape *shape
}

// narrow returns a condition that all resources of the shape which match the filter meet; false when no index helps.
func (n narrower) narrow(node filter.Node) (string, bool) {
	switch node := node.(type) {
	case *filter.And:
		return n.all(node.Terms, n.narrow)
	case *filter.Or:
		var parts []string
		for _, t := range node.Terms {
			part, ok := n.narrow(t)
			if !ok {
				return "", false
			}
			parts = append(parts, part)
		}
		return "(" + strings.Join(parts, " OR ") + ")", len(parts) > 0
	case *filter.Compare:
		return n.compare(node.Attr, node)
	case *filter.ValuePath:
		terms := []filter.Node{node.Term}
		if and, ok := node.Term.(*filter.And); ok {
			terms = and.Terms
		}
		return n.all(terms, func(t filter.Node) (string, bool) {
			c, ok := t.(*filter.Compare)
			if !ok {
				return "", false
			}
			return n.compare(filter.Attr{URN: node.Attr.URN, Name: node.Attr.Name, Sub: c.Attr.Name}, c)
		})
	}
	return "", false
}

// all returns the conditions of those terms that have one: every one of them has to be met.
func (n narrower) all(terms []filter.Node, narrow func(filter.Node) (string, bool)) (string, bool) {
	var parts []string
	for _, t := range terms {
		if part, ok := narrow(t); ok {
			parts = append(parts, part)
		}
	}
	return "(" + strings.Join(parts, " AND ") + ")", len(parts) > 0
}

// compare returns the condition for an eq or sw of an indexed attribute.
func (n narrower) compare(name filter.Attr, c *filter.Compare) (string, bool) {
	text, ok := c.Value.Text()
	if !ok || text == "" || c.Op != filter.OpEq && c.Op != filter.OpSw {
		return "", false
	}
	if a, ok := n.shape.schema.AttrLoose(name); ok && c.Op == filter.OpEq {
		switch {
		case a.Path() == "id" && a.CaseExact:
			return n.withID(text), true
		case isMember(a):
			return n.withMember(text), true
		}
	}
	a, ok := n.shape.isIndexed(name)
	if !ok {
		return "", false
	}
	key := termKey(casefold.String(text))
	at := n.arg(key)
	condition := "value = " + at
	if c.Op == filter.OpSw {
		condition = "value >= " + at
		if end, ok := after(key); ok {
			condition += " AND value < " + n.arg(end)
		}
	}
	return "r.seq IN (SELECT owner FROM terms WHERE tenant = $1 AND type = $2 AND attribute = " + n.arg(a.Path()) + " AND " + condition + ")", true
}

// none is a condition that nothing meets.
const none = "r.seq < 0"

func (n narrower) withID(id string) string {
	if !plain(id) {
		return none
	}
	return "r.id = " + n.arg(id)
}

// isMember reports whether an attribute is the value of members, by which the table members can be asked.
func isMember(a *schema.Attribute) bool {
	if a.Type == schema.Complex {
		a, _ = a.SubAttribute("value")
	}
	return a != nil && a.CaseExact && a.Path() == server.Members+".value"
}

func (n narrower) withMember(value string) string {
	if !plain(value) {
		return none
	}
	return "r.seq IN (SELECT owner FROM members WHERE tenant = $1 AND value = " + n.arg(value) + ")"
}

// after returns the least text that is greater than all that begin with prefix. There is none when prefix is nothing but the last
// character there is.
func after(prefix string) (string, bool) {
	runes := []rune(prefix)
	for i := len(runes) - 1; i >= 0; i-- {
		next := runes[i] + 1
		if next == 0xd800 { // surrogates are no characters
			next = 0xe000
		}
		if next <= 0x10ffff {
			return string(append(runes[:i], next)), true
		}
	}
	return "", false
}
