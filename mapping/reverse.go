package mapping

import (
	"fmt"
	"strings"

	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/mapping/expr"
	"github.com/scimbridge/scim/schema"
)

// Reverse turns a mapping round, so that SCIM documents become objects of the directory: what a server that stands before a
// directory needs for documents coming in.
//
//	back, problems := mapping.Reverse(users)
//	m, err := mapping.Compile(back, mapping.WithSchema(nil))
//	result, err := m.Map(ctx, document, mapping.Env{})
//
// Direct mappings are turned round as they are; so is an attribute in Redact, CStr or IgnoreFlowIfNullOrEmpty, and a Switch whose keys
// and values are constants. Matching attributes stay matching attributes. Other expressions cannot be turned round: problems
// names them. References stay references: ids of the target to be resolved to those of the directory. Constants, defaults, mappings of the kind None and scoping filters are left out, because they say nothing about
// documents. What is cleared in a document is cleared in the object.
func Reverse(definition ObjectMapping) (reversed ObjectMapping, problems []Problem) {
	reversed = ObjectMapping{
		Name: definition.Name, Source: definition.Target, Target: definition.Source,
		Disabled: definition.Disabled, Actions: definition.Actions,
	}
	if reversed.Name != "" {
		reversed.Name += ", reversed"
	}
	filled := make(map[string]string)
	for _, a := range definition.Attributes {
		back, reason := reverseAttribute(a, definition.Target)
		if reason == "" && back.Target != "" && filled[back.Target] != "" {
			reason = fmt.Sprintf("%s is filled from %s already", back.Target, filled[back.Target])
		}
		if reason != "" {
			problems = append(problems, Problem{Severity: Warning, Target: a.Target, Text: reason})
			continue
		}
		if back.Target == "" {
			continue
		}
		filled[back.Target] = a.Target
		reversed.Attributes = append(reversed.Attributes, back)
	}
	if len(definition.Scope)+len(definition.InputScope) > 0 || definition.Filter != "" {
		problems = append(problems, Problem{Severity: Warning, Text: "scoping filters are about objects of the directory and were left out"})
	}
	return reversed, problems
}

// reverseAttribute turns one mapping round. An empty target is nothing to turn round.
func reverseAttribute(a AttributeMapping, resourceType string) (back AttributeMapping, reason string) {
	back = AttributeMapping{Source: a.Target, Matching: a.Matching, NullFlow: ClearNull}
	if a.Apply == OnCreate {
		back.Apply, back.NullFlow = OnCreate, SkipNull
	}
	switch a.Kind() {
	case Direct:
		back.Target = a.Source
		if target, ok := standardAttribute(a.Target, resourceType); a.Type == TypeReference || ok && refers(target) {
			back.Type, back.MultiValued = TypeReference, a.MultiValued || ok && target.MultiValued
		}
	case Expression:
		n, err := expr.Parse(a.Expression)
		if err != nil {
			return back, err.Error()
		}
		if reason := reverseExpression(&back, n, a.Target, resourceType); reason != "" {
			return back, reason
		}
	default:
		return AttributeMapping{}, ""
	}
	if _, err := filter.ParsePath(back.Target); err != nil {
		return back, fmt.Sprintf("%q cannot be the name of a target attribute", back.Target)
	}
	return back, ""
}

// reverseExpression turns an expression round.
func reverseExpression(back *AttributeMapping, n *expr.Node, target, resourceType string) (reason string) {
	n = unwrapped(n)
	if n.Kind == expr.AttributeNode {
		back.Target = n.Name
		return ""
	}
	if n.Kind != expr.CallNode || n.Name != "Switch" || len(n.Args) < 4 || n.Args[0].Kind != expr.AttributeNode {
		return "the expression cannot be turned round: only an attribute, or a Switch of an attribute, can"
	}
	if strings.Contains(target, "]") {
		return "a Switch cannot read an attribute with a value filter"
	}
	args := []*expr.Node{expr.Attribute(target), expr.Omitted()}
	attribute, known := standardAttribute(target, resourceType)
	seen := make(map[string]bool)
	for i := 2; i+1 < len(n.Args); i += 2 {
		key, value := n.Args[i], n.Args[i+1]
		if key.Kind != expr.TextNode || value.Kind != expr.TextNode {
			return "the Switch cannot be turned round: a key or a value is no text"
		}
		text := value.Text
		if known && attribute.Type == schema.Boolean {
			// A document has a boolean, which Switch sees as True or False.
			text = asBoolean(text)
		}
		if seen[text] {
			return fmt.Sprintf("the Switch cannot be turned round: two of its keys give %q", value.Text)
		}
		seen[text] = true
		args = append(args, expr.Text(text), expr.Text(key.Text))
	}
	back.Target, back.Source = n.Args[0].Name, ""
	back.Expression = expr.Call("Switch", args...).String()
	return ""
}

// unwrapped takes off functions that leave a value as it is.
func unwrapped(n *expr.Node) *expr.Node {
	for n.Kind == expr.CallNode && len(n.Args) == 1 {
		switch n.Name {
		case "Redact", "CStr", "IgnoreFlowIfNullOrEmpty":
			n = n.Args[0]
		default:
			return n
		}
	}
	return n
}

// standardAttribute finds a target in SCIM's own schemas.
func standardAttribute(target, resourceType string) (*schema.Attribute, bool) {
	s := schema.User()
	if strings.EqualFold(resourceType, "Group") {
		s = schema.Group()
	}
	return s.Lookup(target)
}

// asBoolean is the text that expressions have for a boolean.
func asBoolean(text string) string {
	b, ok := boolean(expr.String(text))
	if !ok {
		return text
	}
	return expr.Bool(b).String()
}
