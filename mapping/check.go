package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/mapping/expr"
	"github.com/scimbridge/scim/profiles"
)

// Severity says how bad a problem is.
type Severity string

// The severities.
const (
	// Failure: the mapping cannot work for this service.
	Failure Severity = "error"
	// Warning: it works, but perhaps not as meant.
	Warning Severity = "warning"
)

// Problem is something wrong with a mapping for a service.
type Problem struct {
	Severity Severity `json:"severity"`
	// Target is the target attribute concerned; empty when it is about the mapping as a whole.
	Target string `json:"target,omitzero"`
	Text   string `json:"text"`
}

// String returns one line.
func (p Problem) String() string {
	text := string(p.Severity) + ": "
	if p.Target != "" {
		text += p.Target + ": "
	}
	return text + p.Text
}

// Check holds the mapping against what a service can do. Without problems of severity [Failure], every object whose values are
// plausible can be written there.
//
// When the names of all attributes that the source has are given, Check also warns of attributes that the mapping reads and the source
// does not have, and of those that it has and the mapping does not read.
func (m *Mapping) Check(p *profiles.Profile, sourceAttributes ...string) []Problem {
	c := &checker{mapping: m}
	resource, ok := p.Resource(m.definition.Target)
	switch {
	case p == nil:
	case !ok:
		c.add(Failure, "", "%s has no resource type %s", p.Name, m.definition.Target)
	default:
		c.resource = resource
		c.checkResource()
	}
	if len(m.matching) == 0 {
		c.add(Failure, "", "no attribute is a matching attribute: objects that the target has already could not be found. %s", c.wouldMatch())
	}
	for i := range m.attributes {
		c.checkAttribute(&m.attributes[i])
	}
	if len(sourceAttributes) > 0 {
		c.checkSource(sourceAttributes)
	}
	return c.problems
}

type checker struct {
	mapping  *Mapping
	resource *profiles.Resource
	problems []Problem
}

func (c *checker) add(s Severity, target, format string, args ...any) {
	c.problems = append(c.problems, Problem{Severity: s, Target: target, Text: fmt.Sprintf(format, args...)})
}

// checkResource checks what the service demands and offers as a whole.
func (c *checker) checkResource() {
	m := c.mapping
	for _, a := range c.resource.Attributes {
		if !a.Required || a.Mutability == "readOnly" || a.Type == "complex" && c.hasSub(a.Path) {
			continue
		}
		if reason := c.unfilled(a.Path); reason != "" {
			c.add(Failure, a.Path, "%s", reason)
		}
	}
	if m.Allows(Create) && !c.resource.Offers(profiles.Create) {
		c.add(Warning, "", "the service cannot create objects of type %s", c.resource.Name)
	}
	if m.Allows(Update) && !c.resource.Offers(profiles.Update) && !c.resource.Offers(profiles.Replace) {
		c.add(Warning, "", "the service cannot update objects of type %s", c.resource.Name)
	}
	if m.Allows(Delete) && c.resource.Deprovision == profiles.Deactivate {
		if !c.maps("active") {
			c.add(Warning, "active", "the service deprovisions by setting active to false, and nothing is mapped to it")
		}
	}
}

// hasSub reports whether the profile describes sub-attributes, which then say what is required.
func (c *checker) hasSub(path string) bool {
	return slices.ContainsFunc(c.resource.Attributes, func(a profiles.Attribute) bool {
		return len(a.Path) > len(path) && strings.EqualFold(a.Path[:len(path)], path) && a.Path[len(path)] == '.'
	})
}

func (c *checker) maps(path string) bool { return len(c.filling(path)) > 0 }

// filling returns the mappings that put something into an attribute.
func (c *checker) filling(path string) []*attribute {
	var found []*attribute
	for i := range c.mapping.attributes {
		a := &c.mapping.attributes[i]
		whole := filter.Attr{URN: a.target.path.Attr.URN, Name: a.target.path.Attr.Name}.String()
		if strings.EqualFold(a.target.path.Target().String(), path) || strings.EqualFold(whole, path) {
			found = append(found, a)
		}
	}
	return found
}

// unfilled says why an attribute that is required never has a value.
func (c *checker) unfilled(path string) string {
	filling := c.filling(path)
	if len(filling) == 0 {
		return "the service requires it, and nothing is mapped to it"
	}
	for _, a := range filling {
		if !a.alwaysEmpty() || a.fallback != nil {
			return ""
		}
	}
	return "the service requires it, and its mapping gives no value, whatever the source has"
}

// alwaysEmpty reports whether a mapping is known to give no value for any object.
func (a *attribute) alwaysEmpty() bool {
	switch a.kind {
	case Direct:
		return false
	case Constant:
		return a.constant == nil || emptyText(a.constant)
	case Expression:
		if v, ok := a.program.Constant(); ok {
			return v.IsNullOrEmpty() || v.Ignored()
		}
		results, all := possible(a.program.Node())
		return all && !slices.ContainsFunc(results, func(s string) bool { return s != "" })
	}
	return true
}

// possible returns the texts that an expression can result in; all is false when there are others than those, which
// depend on the source. An absent value is the empty text.
func possible(n *expr.Node) (texts []string, all bool) {
	switch n.Kind {
	case expr.TextNode:
		return []string{n.Text}, true
	case expr.NumberNode:
		if p, err := expr.CompileNode(n); err == nil { // &HF is 15
			v, ok := p.Constant()
			return []string{v.String()}, ok
		}
	case expr.OmittedNode, expr.KeywordNode:
		return []string{""}, true
	case expr.CallNode:
		return possibleOfCall(n)
	}
	return nil, false
}

func possibleOfCall(n *expr.Node) (texts []string, all bool) {
	var results []*expr.Node
	switch n.Name {
	case "Switch":
		if len(n.Args) < 2 {
			return nil, false
		}
		results = append(results, n.Args[1])
		for i := 3; i < len(n.Args); i += 2 {
			results = append(results, n.Args[i])
		}
	case "IIF":
		if len(n.Args) < 2 {
			return nil, false
		}
		results = n.Args[1:]
	case "Coalesce", "SelectUniqueValue", "Redact", "IgnoreFlowIfNullOrEmpty":
		results = n.Args
	default:
		return nil, false
	}
	all = true
	for _, r := range results {
		found, known := possible(r)
		texts, all = append(texts, found...), all && known
	}
	return texts, all
}

// checkAttribute checks one attribute mapping.
func (c *checker) checkAttribute(a *attribute) {
	c.checkTarget(a)
	c.checkType(a)
	if a.definition.Matching > 0 {
		c.checkMatching(a)
	}
	if a.kind == None && a.fallback == nil {
		c.add(Warning, a.target.name, "the mapping has neither a source nor a default, and does nothing")
	}
}

// profiled finds what the profile says of a target; known is false when the profile lists attributes and this is none of them.
func (c *checker) profiled(a *attribute) (described *profiles.Attribute, known bool) {
	if c.resource == nil || len(c.resource.Attributes) == 0 {
		return nil, true
	}
	p := a.target.path
	if described, ok := c.resource.Attribute(p.Target().String()); ok {
		return described, true
	}
	whole, ok := c.resource.Attribute(filter.Attr{URN: p.Attr.URN, Name: p.Attr.Name}.String())
	return whole, ok && !c.hasSub(whole.Path)
}

// checkTarget checks that the service has the target attribute, and lets it be written.
func (c *checker) checkTarget(a *attribute) {
	name := a.target.name
	described, known := c.profiled(a)
	readOnly := a.target.readOnly
	if described != nil {
		readOnly = described.Mutability == "readOnly"
	}
	switch {
	case strings.EqualFold(name, "id"):
		c.add(Failure, name, "the service gives objects their id: it cannot be mapped to")
	case readOnly:
		c.add(Failure, name, "the attribute is read-only")
	case !known:
		c.add(Warning, name, "the service is not known to keep this attribute. It keeps %s", c.writable())
	case described != nil && described.Mutability == "immutable" && a.definition.Apply != OnCreate:
		c.add(Warning, name, `the attribute cannot be changed once it is set: apply "create" avoids updates that fail or do nothing`)
	case c.resource == nil && c.mapping.schema != nil && !a.target.known && a.target.path.Attr.URN == "":
		c.add(Warning, name, "the schema of %s has no such attribute%s", c.mapping.definition.Target, c.meant(a))
	}
}

// meant names the attribute of an extension that was perhaps meant.
func (c *checker) meant(a *attribute) string {
	if found, ok := c.mapping.schema.LookupLoose(a.target.path.Target().String()); ok {
		return ": did you mean " + found.Path() + "?"
	}
	return ""
}

// writable lists the attributes that the service keeps.
func (c *checker) writable() string {
	var names []string
	for _, a := range c.resource.Attributes {
		if a.Mutability != "readOnly" && !c.hasSub(a.Path) {
			names = append(names, a.Path)
		}
	}
	return strings.Join(names, ", ")
}

// checkMatching checks that objects can be found by an attribute.
func (c *checker) checkMatching(a *attribute) {
	described, known := c.profiled(a)
	switch {
	case c.resource == nil || len(c.resource.Attributes) == 0:
	case !known || described == nil || !slices.Contains(described.Filter, "eq"):
		c.add(Failure, a.target.name, "the service cannot filter on it, so it cannot be a matching attribute. %s", c.wouldMatch())
	}
	if a.alwaysEmpty() {
		c.add(Failure, a.target.name, "it is a matching attribute, and its mapping gives no value, whatever the source has")
	}
	if a.definition.Apply == OnCreate {
		c.add(Warning, a.target.name, "it is a matching attribute that only a create sets: objects whose value changes in the source will not be found again by it")
	}
}

// wouldMatch names the attributes that could be matching attributes.
func (c *checker) wouldMatch() string {
	if c.resource == nil {
		return "Give one of them a matching precedence"
	}
	var names []string
	for _, a := range c.resource.Attributes {
		if slices.Contains(a.Filter, "eq") && a.Type != "boolean" && a.Type != "complex" {
			names = append(names, a.Path)
		}
	}
	if len(names) == 0 {
		return "The service has no attribute that would do"
	}
	return "These would do: " + strings.Join(names, ", ")
}

// checkType checks that what comes out of an expression can be what the target needs, as far as that is known beforehand. Constants and
// defaults were converted by Compile.
func (c *checker) checkType(a *attribute) {
	if a.kind != Expression {
		return
	}
	t := &a.target
	name := t.name
	kind := a.program.Type()
	switch {
	case t.reference && (kind == expr.KindBool || kind == expr.KindTime || kind == expr.KindNumber):
		c.add(Failure, name, "a reference is the id of another object, and the expression gives %s", named(kind))
		return
	case !t.reference && !t.multiValued && !t.spreads && kind == expr.KindList:
		c.add(Failure, name, "the attribute has one value, and the expression gives a list")
		return
	case !fits(kind, t.kind):
		c.add(Failure, name, "the attribute is of type %s, and the expression gives %s", t.kind, named(kind))
		return
	}
	if t.reference || t.kind == "" {
		return
	}
	texts, _ := possible(a.program.Node())
	if v, ok := a.program.Constant(); ok {
		texts = nil
		for i := range v.Len() {
			texts = append(texts, v.At(i).String())
		}
	}
	for _, text := range texts {
		if _, err := t.convertOne(expr.String(text), false); err != nil && text != "" {
			c.add(Failure, name, "the expression can give %q: %v", short(text), err)
		}
	}
}

// fits reports whether a kind of result can be a type of attribute.
func fits(k expr.Kind, t Type) bool {
	switch t {
	case TypeBoolean:
		return k != expr.KindTime && k != expr.KindComplex && k != expr.KindNumber
	case TypeInteger, TypeDecimal:
		return k != expr.KindTime && k != expr.KindComplex && k != expr.KindBool
	case TypeDateTime:
		return k != expr.KindBool && k != expr.KindComplex && k != expr.KindInt && k != expr.KindNumber
	case TypeString, TypeBinary:
		return k != expr.KindComplex
	}
	return true
}

// checkSource compares what the mapping reads with what the source has.
func (c *checker) checkSource(names []string) {
	read := make(map[string]bool)
	for _, name := range c.mapping.sourceNames {
		read[name] = true
		if p := c.mapping.sources[name].path; p != nil {
			read[p.attribute] = true
		}
		if !slices.Contains(names, name) && !c.inside(name, names) && !computed(name) {
			c.add(Warning, "", "the mapping reads %s, which the source does not have%s", name, nearest(name, names))
		}
	}
	for _, name := range names {
		if !read[name] && !computed(name) {
			c.add(Warning, "", "the source attribute %s is mapped to nothing", name)
		}
	}
}

// inside reports whether a name is a path into one of the attributes that the source has.
func (c *checker) inside(name string, names []string) bool {
	p := c.mapping.sources[name].path
	if p == nil {
		return false
	}
	return slices.ContainsFunc(names, func(n string) bool {
		return strings.EqualFold(n, p.attribute) || p.urn != "" && strings.EqualFold(n, p.urn)
	})
}

// computed reports whether the engine adds the attribute to every object.
func computed(name string) bool { return name == "IsSoftDeleted" }

// nearest names the attribute that was perhaps meant.
func nearest(name string, names []string) string {
	for _, n := range names {
		if strings.EqualFold(squeeze(n), squeeze(name)) {
			return ". Names are compared as they are written: it has " + n
		}
	}
	return ""
}
