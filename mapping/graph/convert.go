package graph

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/mapping/expr"
	"github.com/scimbridge/scim/schema"
)

// Mappings returns all object mappings as package mapping has them, by the priority of their rules. They are not compiled. The error
// names the mapping and the attribute.
func (s *Schema) Mappings() ([]mapping.ObjectMapping, error) {
	rules := slices.Clone(s.Rules)
	slices.SortStableFunc(rules, func(a, b Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	var mappings []mapping.ObjectMapping
	defined := s.definitions()
	for i := range rules {
		for k := range rules[i].ObjectMappings {
			m, err := defined.mapping(&rules[i], &rules[i].ObjectMappings[k])
			if err != nil {
				return nil, err
			}
			mappings = append(mappings, m)
		}
	}
	return mappings, nil
}

// mapping converts an object mapping. What the rule's directories say of attributes goes with it.
func (d definitions) mapping(r *Rule, o *ObjectMapping) (mapping.ObjectMapping, error) {
	m := mapping.ObjectMapping{Name: o.Name, Source: o.SourceObjectName, Target: resourceType(o.TargetObjectName), Disabled: !o.Enabled}
	source := d[objectType{r.SourceDirectoryName, o.SourceObjectName}]
	target := d[objectType{r.TargetDirectoryName, o.TargetObjectName}]
	fail := func(attribute string, err error) (mapping.ObjectMapping, error) {
		return m, fmt.Errorf("graph: mapping %s: %s: %w", o.Name, attribute, err)
	}
	if name := unread(r, o); name != "" {
		return fail(name, errors.New("this filter cannot be read, and without it more objects would be in scope: use the groups or inputFilterGroups of the scope"))
	}
	var err error
	if m.Actions, err = actions(o.FlowTypes); err != nil {
		return fail("flowTypes", err)
	}
	if len(m.Actions) == 0 {
		m.Disabled = true
	} else if len(m.Actions) == len(allActions) {
		m.Actions = nil
	}
	if o.Scope != nil {
		m.Scope, m.InputScope = filterGroups(o.Scope.Groups), filterGroups(o.Scope.InputFilterGroups)
	}
	for i := range o.AttributeMappings {
		from := &o.AttributeMappings[i]
		a, err := from.convert()
		if err != nil {
			return fail(from.TargetAttributeName, err)
		}
		definition := target.get(from.TargetAttributeName)
		if a.Source != "" && definition.FlowNullValues && source.get(a.Source).FlowNullValues {
			a.NullFlow = mapping.ClearNull
		}
		if !standard(from.TargetAttributeName, m.Target) {
			a.Type, a.MultiValued = attributeType(definition)
		}
		m.Attributes = append(m.Attributes, a)
	}
	return m, nil
}

// unread names a filter, other than those of the scope that package mapping has, that keeps objects out; empty when there is none.
func unread(r *Rule, o *ObjectMapping) string {
	for _, name := range []string{"containerFilter", "groupFilter"} {
		if filters(r.Extra[name]) {
			return name
		}
	}
	if o.Scope != nil && filters(o.Scope.Extra["categoryFilterGroups"]) {
		return "categoryFilterGroups"
	}
	return ""
}

// filters reports whether a member has anything in it: null, a list without items and an object of these do not filter.
func filters(member jsontext.Value) bool {
	d := jsontext.NewDecoder(bytes.NewReader(member))
	for {
		token, err := d.ReadToken()
		if err != nil {
			return false
		}
		kind, length := d.StackIndex(d.StackDepth())
		name := kind == jsontext.KindBeginObject && length%2 == 1
		switch token.Kind() {
		case jsontext.KindBeginObject, jsontext.KindEndObject, jsontext.KindBeginArray, jsontext.KindEndArray, jsontext.KindNull:
		default:
			if !name {
				return true
			}
			if strings.Contains(token.String(), "@odata.") { // says what the object is, and nothing of what it filters
				if err := d.SkipValue(); err != nil {
					return false
				}
			}
		}
	}
}

// resourceType is the SCIM resource type that a type of object of the target is: custom SCIM apps name it by a schema.
func resourceType(object string) string {
	switch object {
	case scim.UserSchema, scim.EnterpriseUserSchema:
		return "User"
	case scim.GroupSchema:
		return "Group"
	}
	return object
}

// definitions are the attributes that a schema defines, by the type of object.
type definitions map[objectType]attributes

type objectType struct{ directory, object string }

// attributes are the attributes of a type of object by name.
type attributes map[string]*AttributeDefinition

// get returns the definition of an attribute, empty when there is none.
func (a attributes) get(name string) AttributeDefinition {
	if d := a[name]; d != nil {
		return *d
	}
	return AttributeDefinition{}
}

// definitions indexes what the schema defines, once for all its mappings.
func (s *Schema) definitions() definitions {
	all := make(definitions)
	for i := range s.Directories {
		d := &s.Directories[i]
		for k := range d.Objects {
			o := &d.Objects[k]
			of := objectType{d.Name, o.Name}
			if all[of] == nil {
				all[of] = make(attributes, len(o.Attributes))
			}
			for n := range o.Attributes {
				all[of][o.Attributes[n].Name] = &o.Attributes[n]
			}
		}
	}
	return all
}

// standard reports whether a target is an attribute of SCIM's own schemas, whose type is known.
func standard(target, object string) bool {
	p, err := filter.ParsePath(target, filter.SingleQuotes())
	if err != nil {
		return false
	}
	s := schema.User()
	if strings.EqualFold(object, "Group") {
		s = schema.Group()
	}
	_, ok := s.Attr(p.Target())
	return ok
}

// attributeType is the type of an attribute as package mapping has it; empty for a single text, which needs no mention.
func attributeType(d AttributeDefinition) (t mapping.Type, multiValued bool) {
	switch strings.ToLower(d.Type) { // Microsoft's own examples write it in either case
	case "integer":
		t = mapping.TypeInteger
	case "reference":
		t = mapping.TypeReference
	case "binary":
		t = mapping.TypeBinary
	case "boolean":
		t = mapping.TypeBoolean
	case "datetime":
		t = mapping.TypeDateTime
	case "string":
		if d.MultiValued {
			t = mapping.TypeString
		}
	}
	return t, d.MultiValued && t != ""
}

// allActions are the actions in Graph's order and with its names.
var allActions = []struct {
	name   string
	action mapping.Action
}{{"Add", mapping.Create}, {"Update", mapping.Update}, {"Delete", mapping.Delete}}

// actions reads flow types, which are flags joined by commas. Without any text all are meant; None is none.
func actions(flowTypes string) ([]mapping.Action, error) {
	var found []mapping.Action
	if strings.TrimSpace(flowTypes) == "" {
		flowTypes = "Add, Update, Delete"
	}
	for part := range strings.SplitSeq(flowTypes, ",") {
		part = strings.TrimSpace(part)
		if strings.EqualFold(part, "None") {
			continue
		}
		at := slices.IndexFunc(allActions, func(a struct {
			name   string
			action mapping.Action
		},
		) bool {
			return strings.EqualFold(a.name, part)
		})
		if at < 0 {
			return nil, fmt.Errorf("unknown action %q: Add, Update, Delete or None is needed", part)
		}
		if !slices.Contains(found, allActions[at].action) {
			found = append(found, allActions[at].action)
		}
	}
	return found, nil
}

// flowTypes writes actions.
func flowTypes(actions []mapping.Action) string {
	var names []string
	for _, a := range allActions {
		if len(actions) == 0 || slices.Contains(actions, a.action) {
			names = append(names, a.name)
		}
	}
	return strings.Join(names, ", ")
}

func filterGroups(groups []FilterGroup) []mapping.FilterGroup {
	var converted []mapping.FilterGroup
	for _, g := range groups {
		to := mapping.FilterGroup{Name: g.Name}
		for _, c := range g.Clauses {
			to.Clauses = append(to.Clauses, c.convert())
		}
		converted = append(converted, to)
	}
	return converted
}

func (c *FilterClause) convert() mapping.Clause {
	to := mapping.Clause{Attribute: c.SourceOperandName, Operator: mapping.Operator(c.OperatorName)}
	if c.TargetOperand == nil || to.Operator.Unary() {
		return to
	}
	switch values := c.TargetOperand.Values; len(values) {
	case 0:
	case 1:
		to.Value = values[0]
	default:
		to.Values = slices.Clone(values)
	}
	return to
}

// flowTypesOf are the ways to apply a mapping and Graph's names for them. ValueAddOnly adds values and removes none, as
// MultiValueAddOnly does.
var flowTypesOf = []struct {
	name  string
	apply mapping.Apply
}{
	{"Always", mapping.Always},
	{"ObjectAddOnly", mapping.OnCreate},
	{"MultiValueAddOnly", mapping.AddValues},
	{"ValueAddOnly", mapping.AddValues},
	{"AttributeAddOnly", mapping.WhenEmpty},
}

// convert converts an attribute mapping.
func (a *AttributeMapping) convert() (mapping.AttributeMapping, error) {
	to := mapping.AttributeMapping{
		Target: a.TargetAttributeName, Default: a.DefaultValue, Matching: max(a.MatchingPriority, 0), FlowAlways: a.FlowBehavior == "FlowAlways",
	}
	if a.FlowType != "" {
		known := false
		for _, f := range flowTypesOf {
			if strings.EqualFold(f.name, a.FlowType) {
				to.Apply, known = f.apply, true
			}
		}
		if !known {
			return to, fmt.Errorf("unknown flowType %q", a.FlowType)
		}
	}
	switch s := a.Source; {
	case s == nil || s.Type == "" && s.Name == "" && s.Expression == "":
	case s.kind() == Attribute && s.Name != "":
		to.Source = s.Name
	case s.kind() == Constant && s.Name != "":
		to.Constant = s.Name
	default:
		text, err := s.Text()
		if err != nil {
			return to, err
		}
		to.Expression = text
	}
	return to, nil
}

// graphTypes are Graph's names for types.
var graphTypes = map[mapping.Type]string{
	mapping.TypeString: "String", mapping.TypeInteger: "Integer", mapping.TypeReference: "Reference",
	mapping.TypeBinary: "Binary", mapping.TypeBoolean: "Boolean", mapping.TypeDateTime: "DateTime",
}

// New makes a schema of mappings: one rule from one directory to another, with definitions of those target attributes only of which a
// mapping says the type.
func New(sourceDirectory, targetDirectory string, mappings ...mapping.ObjectMapping) (*Schema, error) {
	s := &Schema{Rules: []Rule{{
		Name: sourceDirectory + " to " + targetDirectory, Priority: 1, Editable: true,
		SourceDirectoryName: sourceDirectory, TargetDirectoryName: targetDirectory,
	}}}
	r := &s.Rules[0]
	for _, m := range mappings {
		s.define(targetDirectory, m)
		r.ObjectMappings = append(r.ObjectMappings, ObjectMapping{
			Name: m.Name, Enabled: true, FlowTypes: flowTypes(nil), SourceObjectName: m.Source, TargetObjectName: m.Target,
		})
	}
	defined := s.definitions()
	for i, m := range mappings {
		if err := defined.put(r, &r.ObjectMappings[i], m); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// define adds definitions of the target attributes whose type a mapping gives to a schema being made.
func (s *Schema) define(directory string, m mapping.ObjectMapping) {
	object := ObjectDefinition{Name: m.Target}
	for _, a := range m.Attributes {
		if name := graphTypes[a.Type]; name != "" && !standard(a.Target, m.Target) {
			object.Attributes = append(object.Attributes, AttributeDefinition{
				Name: a.Target, Type: name, MultiValued: a.MultiValued, Mutability: "ReadWrite",
			})
		}
	}
	if len(object.Attributes) == 0 {
		return
	}
	if len(s.Directories) == 0 {
		s.Directories = []Directory{{Name: directory}}
	}
	s.Directories[0].Objects = append(s.Directories[0].Objects, object)
}

// Update puts mappings back into the schema they are from. Each is found by its name and types of object. What is not different is
// left as it was, with all that package mapping does not know of. On an error the schema is as it was.
func (s *Schema) Update(mappings ...mapping.ObjectMapping) error {
	rules := make([]Rule, len(s.Rules))
	for i := range s.Rules {
		rules[i] = s.Rules[i]
		rules[i].ObjectMappings = slices.Clone(s.Rules[i].ObjectMappings)
	}
	defined := s.definitions()
	for _, m := range mappings {
		r, o := find(rules, m)
		if o == nil {
			return fmt.Errorf("graph: the schema has no mapping %s from %s to %s", m.Name, m.Source, m.Target)
		}
		if err := defined.put(r, o, m); err != nil {
			return err
		}
	}
	s.Rules = rules
	return nil
}

func find(rules []Rule, m mapping.ObjectMapping) (*Rule, *ObjectMapping) {
	for i := range rules {
		for k := range rules[i].ObjectMappings {
			o := &rules[i].ObjectMappings[k]
			if o.Name == m.Name && o.SourceObjectName == m.Source && resourceType(o.TargetObjectName) == m.Target {
				return &rules[i], o
			}
		}
	}
	return nil, nil
}

// put changes an object mapping, which is the caller's own but for what it points to, to what m says.
func (d definitions) put(r *Rule, o *ObjectMapping, m mapping.ObjectMapping) error {
	was, err := d.mapping(r, o)
	if err != nil {
		return err
	}
	if m.Filter != "" {
		return fmt.Errorf("graph: mapping %s: filter: Entra has no filters in SCIM's language: use its scoping filters", m.Name)
	}
	if was.Disabled != m.Disabled {
		o.Enabled = !m.Disabled
	}
	allowed, _ := actions(o.FlowTypes)
	turnedOn := was.Disabled && !m.Disabled && len(allowed) == 0 // it was off because it had no action
	if turnedOn || !slices.Equal(was.Actions, m.Actions) {
		o.FlowTypes = flowTypes(m.Actions)
	}
	if !slices.EqualFunc(was.Scope, m.Scope, equalGroups) || !slices.EqualFunc(was.InputScope, m.InputScope, equalGroups) {
		scope := Filter{}
		if o.Scope != nil {
			scope = *o.Scope
		}
		scope.Groups, scope.InputFilterGroups = newFilterGroups(m.Scope), newFilterGroups(m.InputScope)
		o.Scope = &scope
	}
	changedMappings := make([]AttributeMapping, 0, len(m.Attributes))
	target := d[objectType{r.TargetDirectoryName, o.TargetObjectName}]
	for _, a := range m.Attributes {
		changed, err := putAttribute(o, was, a)
		if err == nil && !target.say(a, m.Target) {
			err = errors.New("type and multiValued are said by the attribute definitions in Entra's form: change them there")
		}
		if err != nil {
			return fmt.Errorf("graph: mapping %s: %s: %w", m.Name, a.Target, err)
		}
		changedMappings = append(changedMappings, changed)
	}
	if len(changedMappings)+len(o.AttributeMappings) > 0 {
		o.AttributeMappings = changedMappings
	}
	return nil
}

// say reports whether the definitions give a target attribute the type that its mapping does.
func (defined attributes) say(a mapping.AttributeMapping, object string) bool {
	type typed struct {
		mapping.Type
		multiValued bool
	}
	give, need := typed{}, typed{a.Type, a.MultiValued}
	if !standard(a.Target, object) {
		give.Type, give.multiValued = attributeType(defined.get(a.Target))
	}
	if need.Type == "" || need == (typed{mapping.TypeString, false}) {
		need = typed{} // a single text needs no mention
	}
	return give == need
}

// putAttribute returns an attribute mapping as a says, made from the one there was for the same target.
func putAttribute(o *ObjectMapping, was mapping.ObjectMapping, a mapping.AttributeMapping) (AttributeMapping, error) {
	a.Note = ""
	at := slices.IndexFunc(was.Attributes, func(b mapping.AttributeMapping) bool { return b.Target == a.Target })
	to := AttributeMapping{TargetAttributeName: a.Target, FlowType: "Always", FlowBehavior: "FlowWhenChanged"}
	from := mapping.AttributeMapping{Target: a.Target}
	if at >= 0 {
		to, from = o.AttributeMappings[at], was.Attributes[at]
	}
	if from == a && at >= 0 {
		return to, nil
	}
	if from.NullFlow != a.NullFlow {
		return to, errors.New("nullFlow is said by the attribute definitions in Entra's form: change flowNullValues there")
	}
	to.DefaultValue, to.MatchingPriority = a.Default, a.Matching
	if from.Apply != a.Apply {
		for _, f := range slices.Backward(flowTypesOf) {
			if f.apply == a.Apply {
				to.FlowType = f.name
			}
		}
	}
	if from.FlowAlways != a.FlowAlways {
		to.FlowBehavior = "FlowWhenChanged"
		if a.FlowAlways {
			to.FlowBehavior = "FlowAlways"
		}
	}
	if from.Source == a.Source && from.Constant == a.Constant && from.Expression == a.Expression {
		return to, nil
	}
	var err error
	to.Source, err = newSource(a)
	return to, err
}

// newSource writes where a value comes from.
func newSource(a mapping.AttributeMapping) (*Source, error) {
	switch a.Kind() {
	case mapping.Direct:
		return NewSource(expr.Attribute(a.Source)), nil
	case mapping.Constant:
		return NewSource(expr.Text(a.Constant)), nil
	case mapping.Expression:
		n, err := expr.Parse(a.Expression)
		if err != nil {
			return nil, err
		}
		s := NewSource(n)
		s.Expression = a.Expression
		return s, nil
	}
	return nil, nil
}

func equalGroups(a, b mapping.FilterGroup) bool {
	return a.Name == b.Name && slices.EqualFunc(a.Clauses, b.Clauses, func(c, d mapping.Clause) bool {
		return c.Attribute == d.Attribute && c.Operator == d.Operator && c.Value == d.Value && slices.Equal(c.Values, d.Values)
	})
}

func newFilterGroups(groups []mapping.FilterGroup) []FilterGroup {
	converted := make([]FilterGroup, 0, len(groups))
	for _, g := range groups {
		to := FilterGroup{Name: g.Name, Clauses: []FilterClause{}}
		for _, c := range g.Clauses {
			values := slices.Clone(c.Values)
			if c.Value != "" {
				values = []string{c.Value}
			}
			if values == nil {
				values = []string{}
			}
			to.Clauses = append(to.Clauses, FilterClause{
				OperatorName: string(c.Operator), SourceOperandName: c.Attribute, TargetOperand: &FilterOperand{Values: values},
			})
		}
		converted = append(converted, to)
	}
	return converted
}
