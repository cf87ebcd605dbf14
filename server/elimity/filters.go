package elimity

import (
	"unicode"
	"unicode/utf8"

	elimity "github.com/elimity-com/scim/filter"
	parser "github.com/scim2/filter-parser/v2"

	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
)

// validator returns what GetAll gets of a filter, nil for nothing.
func (rt *resourceType) validator(n filter.Node, how Filters) *elimity.Validator {
	if n == nil || how == FiltersNone {
		return nil
	}
	e := rt.safe(n)
	if how == FiltersWhole {
		e = rt.expression(n, nil)
	}
	if e == nil {
		return nil
	}
	v := elimity.NewFilterValidator(e, rt.Schema, rt.extensions...)
	return &v
}

// safe returns an expression that matches at least what n matches, also when PassesFilter evaluates it; nil when that could be anything.
//
// PassesFilter is wrong about ne, about extensions and about sub-attributes, and panics on complex attributes and on integers. It does not
// find id and externalId among the attributes that handlers keep.
func (rt *resourceType) safe(n filter.Node) parser.Expression {
	switch n := n.(type) {
	case *filter.And:
		var left parser.Expression
		for _, t := range n.Terms {
			left = join(parser.AND, left, rt.safe(t))
		}
		return left
	case *filter.Or:
		var left parser.Expression
		for _, t := range n.Terms {
			e := rt.safe(t)
			if e == nil {
				return nil
			}
			left = join(parser.OR, left, e)
		}
		return left
	case *filter.Compare:
		if rt.isSafe(n) {
			return rt.expression(n, nil)
		}
	}
	return nil
}

func (rt *resourceType) isSafe(n *filter.Compare) bool {
	switch n.Op {
	case filter.OpEq, filter.OpCo, filter.OpSw, filter.OpEw:
	default:
		return false
	}
	text, isText := n.Value.Text()
	a, ok := rt.schema.AttrLoose(n.Attr)
	if !isText || !ok || !a.CaseExact && !lowersAsItFolds(text) || a.Parent() != nil || a.URN != "" || a.MultiValued || a.Type != schema.String {
		return false
	}
	_, own := rt.Schema.Attributes.ContainsAttribute(a.Name)
	return own
}

// lowersAsItFolds reports whether whatever is the same as text in another case, as package filter sees it, is so in lower case, too,
// which is what PassesFilter compares: σ and ς are not. ASCII passes, although the long ſ is an s in another case: no name has it, and nearly
// every one has an s.
func lowersAsItFolds(text string) bool {
	for _, r := range text {
		if r < utf8.RuneSelf {
			continue
		}
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			if unicode.ToLower(f) != unicode.ToLower(r) {
				return false
			}
		}
	}
	return true
}

// join combines two expressions, of which one may be missing.
func join(op parser.LogicalOperator, left, right parser.Expression) parser.Expression {
	switch {
	case left == nil:
		return right
	case right == nil:
		return left
	}
	return &parser.LogicalExpression{Left: left, Right: right, Operator: op}
}

// expression returns a filter in the library's terms. parent is the attribute whose brackets it stands in.
func (rt *resourceType) expression(n filter.Node, parent *schema.Attribute) parser.Expression {
	switch n := n.(type) {
	case *filter.And:
		return rt.chain(parser.AND, n.Terms, parent)
	case *filter.Or:
		return rt.chain(parser.OR, n.Terms, parent)
	case *filter.Not:
		return &parser.NotExpression{Expression: rt.expression(n.Term, parent)}
	case *filter.Compare:
		return &parser.AttributeExpression{
			AttributePath: rt.path(n.Attr, parent), Operator: parser.CompareOperator(n.Op.String()), CompareValue: value(n.Value),
		}
	case *filter.Present:
		return &parser.AttributeExpression{AttributePath: rt.path(n.Attr, parent), Operator: parser.PR}
	case *filter.ValuePath:
		a, _ := rt.schema.AttrLoose(n.Attr)
		return &parser.ValuePath{AttributePath: rt.path(n.Attr, nil), ValueFilter: rt.expression(n.Term, a)}
	}
	return nil
}

func (rt *resourceType) chain(op parser.LogicalOperator, terms []filter.Node, parent *schema.Attribute) parser.Expression {
	var left parser.Expression
	for _, t := range terms {
		left = join(op, left, rt.expression(t, parent))
	}
	return left
}

// path returns the name of an attribute as the schema spells it.
func (rt *resourceType) path(name filter.Attr, parent *schema.Attribute) parser.AttributePath {
	if parent != nil {
		if a, ok := parent.SubAttribute(name.Name); ok {
			name.Name = a.Name
		}
		return parser.AttributePath{AttributeName: name.Name}
	}
	if a, ok := rt.schema.AttrLoose(name); ok {
		name = filter.Attr{URN: a.URN, Name: a.Name}
		if p := a.Parent(); p != nil {
			name.Name, name.Sub = p.Name, a.Name
		}
	}
	p := parser.AttributePath{AttributeName: name.Name}
	if name.URN != "" {
		p.URIPrefix = &name.URN
	}
	if name.Sub != "" {
		p.SubAttribute = &name.Sub
	}
	return p
}

// value returns a value as the library's parser reads it: integers are int.
func value(v filter.Value) any {
	if i, ok := v.Any().(int64); ok {
		return int(i)
	}
	return v.Any()
}
