package patch

import (
	"errors"
	"net/http"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
)

// place is where an operation works: its path as the schema understands it.
type place struct {
	// attr is the attribute, or the extension, that the path names; nil for the whole resource.
	attr *schema.Attribute
	// sub is the sub-attribute that the path ends at, nil when it ends at attr.
	sub *schema.Attribute
	// filter selects elements of attr; the zero Filter when the path has no brackets.
	filter filter.Filter
	match  *filter.ElementPredicate
	// cost is how many comparisons the filter makes for an element.
	cost int
}

// path returns the place as a path for error messages.
func (p place) path() string {
	switch {
	case p.attr == nil:
		return ""
	case p.sub != nil:
		return p.sub.Path()
	}
	return p.attr.Path()
}

// filtered reports whether the path has a value filter.
func (p place) filtered() bool { return !p.filter.IsZero() }

// find returns the place that a path means.
func (e *edit) find(path string) (place, error) {
	if !e.opts.Strict {
		path = strings.TrimSpace(path)
	}
	if p, ok := e.named(path); ok {
		return p, nil
	}
	parsed, err := filter.ParsePath(path, e.pathOptions()...)
	if err != nil {
		return place{}, asPathError(err)
	}
	p, ok := e.named(parsed.Target().String())
	if !ok {
		return place{}, unknownAttribute(parsed.Target().String())
	}
	if parsed.Filter.IsZero() {
		return p, nil
	}
	return e.filteredPlace(p, parsed)
}

// named returns the place of a path without brackets.
func (e *edit) named(path string) (place, bool) {
	find := e.schema.LookupLoose
	if e.opts.Strict {
		find = e.schema.Lookup
	}
	a, ok := find(path)
	switch {
	case !ok && strings.EqualFold(path, e.schema.URN()):
		return place{}, true
	case !ok:
		return place{}, false
	case a.Parent() != nil:
		return place{attr: a.Parent(), sub: a}, true
	}
	return place{attr: a}, true
}

func (e *edit) pathOptions() []filter.Option {
	if e.opts.Strict {
		return nil
	}
	return []filter.Option{filter.SingleQuotes(), filter.QuotedBooleans()}
}

func (e *edit) filteredPlace(p place, parsed filter.Path) (place, error) {
	if p.attr == nil || p.attr.IsExtension() || p.attr.Type != schema.Complex && !p.attr.MultiValued {
		return place{}, refuse(scim.InvalidPath, p.path(), "%s has no values that a filter could choose from", p.path())
	}
	for _, a := range parsed.Filter.Attributes() {
		sub, ok := p.attr.SubAttribute(a.Name)
		if p.attr.Sensitive() || ok && sub.Sensitive() {
			err := refuse(scim.Sensitive, p.path(), "%s may not be asked for in a filter", a.Name)
			err.Status = http.StatusForbidden
			return place{}, err
		}
	}
	match, err := parsed.Filter.CompileElement(e.schema, canonicalAttr(p.attr))
	if err != nil {
		return place{}, asPathError(err)
	}
	p.filter, p.match = parsed.Filter, match
	p.filter.Walk(func(n filter.Node) bool {
		switch n.(type) {
		case *filter.Compare, *filter.Present:
			p.cost++
		}
		return true
	})
	return p, nil
}

// canonicalAttr returns the name of an attribute for package filter.
func canonicalAttr(a *schema.Attribute) filter.Attr { return filter.Attr{URN: a.URN, Name: a.Name} }

// asPathError returns the SCIM error in an error of package filter.
func asPathError(err error) error {
	if refused, ok := errors.AsType[*scim.Error](err); ok {
		return refused
	}
	return err
}

func unknownAttribute(name string) *scim.Error {
	const most = 80
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "…"
	}
	return refuse(scim.InvalidPath, name, "%q is not an attribute of the schema", name)
}

// wanted returns what an element must have to match the filter of the path: the sub-attributes that it compares with eq.
// It returns false when the filter asks for anything else, or for the identity of an element, which must not come into being
// because a change of it came too late.
func (p place) wanted() (map[string]any, bool) {
	terms, ok := p.filter.Equalities()
	if !ok {
		return nil, false
	}
	element := make(map[string]any, len(terms))
	for _, t := range terms {
		sub, ok := p.attr.SubAttribute(t.Attr.Name)
		if !ok || t.Value.IsNull() || sub.Mutability == schema.Immutable || sub.Mutability == schema.ReadOnly {
			return nil, false
		}
		element[sub.Name] = t.Value.Any()
	}
	return element, true
}

// identity returns the value that the filter demands of an element, if it demands one.
func (p place) identity() (any, bool) {
	nodes := []filter.Node{p.filter.Node()}
	if and, ok := p.filter.Node().(*filter.And); ok {
		nodes = and.Terms
	}
	for _, n := range nodes {
		c, ok := n.(*filter.Compare)
		if ok && c.Op == filter.OpEq && !c.Value.IsNull() && strings.EqualFold(c.Attr.Name, "value") {
			return c.Value.Any(), true
		}
	}
	return nil, false
}
