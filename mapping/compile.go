package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/scimbridge/scim/mapping/expr"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/schema"
)

// Option changes how a mapping is compiled.
type Option func(*options)

type options struct {
	schema      *schema.Schema
	schemaGiven bool
	profile     *profiles.Profile
	expressions []expr.Option
	regexSearch bool
}

// WithSchema gives the schema of the target's resource type, by which target paths are spelled and values typed. The default
// is [schema.User] for the target User, [schema.Group] for Group, and none for others. Attributes that the schema does not have are
// allowed. Nil is no schema, for targets that are not SCIM resources.
func WithSchema(s *schema.Schema) Option {
	return func(o *options) { o.schema, o.schemaGiven = s, true }
}

// WithProfile types values by what a service's profile says of its attributes, before the schema.
func WithProfile(p *profiles.Profile) Option { return func(o *options) { o.profile = p } }

// WithExpressions changes how expressions are compiled: functions of your own, limits, and the readings of what Microsoft
// leaves open.
func WithExpressions(opts ...expr.Option) Option {
	return func(o *options) { o.expressions = append(o.expressions, opts...) }
}

// WithRegexSearch makes [RegexMatch] and [NotRegexMatch] look for the pattern anywhere in a value. By default it has to match
// the whole value.
func WithRegexSearch() Option { return func(o *options) { o.regexSearch = true } }

// maxAttributes bounds how many attribute mappings a mapping may have.
const maxAttributes = 1000

// Compile checks a mapping and prepares it: paths, expressions, patterns and constants are read once.
//
// The error joins all that is wrong, each an [*Error] that names the mapping and the target attribute. errors.Is(err, [ErrInvalid]) is
// true of it.
func Compile(definition ObjectMapping, opts ...Option) (*Mapping, error) {
	c := newCompiler(definition, opts)
	m := c.mapping
	var errs []error
	fail := func(target string, err error) {
		errs = append(errs, &Error{Mapping: m.name, Target: target, Err: causeError{err, ErrInvalid}})
	}
	if len(definition.Attributes) > maxAttributes {
		fail("", fmt.Errorf("%d attribute mappings are more than the %d allowed", len(definition.Attributes), maxAttributes))
		return nil, errors.Join(errs...)
	}
	if definition.Target == "" || definition.Source == "" {
		fail("", errors.New("source and target, the types of object, are needed"))
	}
	for _, action := range definition.Actions {
		if err := action.UnmarshalText([]byte(action)); err != nil {
			fail("", err)
		}
	}
	seen := make(map[string]bool)
	for _, d := range definition.Attributes {
		a, err := c.attributeMapping(d)
		if err == nil && seen[strings.ToLower(a.target.name)] {
			err = errors.New("this target has a mapping already")
		}
		if err != nil {
			fail(d.Target, err)
			continue
		}
		seen[strings.ToLower(a.target.name)] = true
		m.attributes = append(m.attributes, *a)
	}
	for i := range m.attributes {
		if err := c.asAWhole(&m.attributes[i]); err != nil {
			fail(m.attributes[i].definition.Target, err)
		}
	}
	var err error
	if m.scope, err = c.compileGroups("scope", definition.Scope); err != nil {
		fail("", err)
	}
	if m.inputScope, err = c.compileGroups("inputScope", definition.InputScope); err != nil {
		fail("", err)
	}
	if err = c.compileFilter(definition.Filter); err != nil {
		fail("", fmt.Errorf("filter: %w", err))
	}
	if err = c.order(); err != nil {
		fail("", err)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	m.layout, m.schema = c.layout, c.schema
	m.collect()
	return m, nil
}

// compiler is the state of a compilation.
type compiler struct {
	mapping    *Mapping
	options    options
	schema     *schema.Schema
	profile    *profiles.Resource
	layout     layout
	containers map[string]int
}

func newCompiler(definition ObjectMapping, opts []Option) *compiler {
	c := &compiler{layout: layout{{}}, containers: make(map[string]int)}
	for _, opt := range opts {
		opt(&c.options)
	}
	c.schema = c.options.schema
	switch {
	case c.options.schemaGiven:
	case strings.EqualFold(definition.Target, "User"):
		c.schema = schema.User()
	case strings.EqualFold(definition.Target, "Group"):
		c.schema = schema.Group()
	}
	c.profile, _ = c.options.profile.Resource(definition.Target)
	c.mapping = &Mapping{definition: definition, name: definition.Name, sources: make(map[string]*sourceAttribute)}
	if c.mapping.name == "" {
		c.mapping.name = definition.Source + " to " + definition.Target
	}
	return c
}

// source returns the reader of a source attribute and notes that the mapping reads it.
func (c *compiler) source(name string) *sourceAttribute {
	m := c.mapping
	if a, ok := m.sources[name]; ok {
		return a
	}
	a := newSourceAttribute(name)
	m.sources[name] = a
	m.sourceNames = append(m.sourceNames, name)
	return a
}

// attributeMapping compiles one attribute mapping.
func (c *compiler) attributeMapping(d AttributeMapping) (*attribute, error) {
	given := 0
	for _, text := range []string{d.Source, d.Constant, d.Expression} {
		if text != "" {
			given++
		}
	}
	if given > 1 {
		return nil, errors.New("more than one of source, constant and expression is given")
	}
	if d.Matching < 0 {
		return nil, errors.New("matching is a precedence from 1, or 0")
	}
	if err := d.knownWords(); err != nil {
		return nil, err
	}
	t, err := c.newTarget(d)
	if err != nil {
		return nil, err
	}
	a := &attribute{definition: d, kind: d.Kind(), target: *t}
	if err := c.value(a); err != nil {
		return nil, err
	}
	return a, c.plausible(a)
}

// knownWords refuses settings that are not one of their constants, as reading JSON does.
func (a AttributeMapping) knownWords() error {
	return errors.Join(
		a.Apply.UnmarshalText([]byte(a.Apply)), a.NullFlow.UnmarshalText([]byte(a.NullFlow)), a.Type.UnmarshalText([]byte(a.Type)))
}

// asAWhole refuses a target that is mapped as a whole while another mapping fills a part of it: one would undo the other.
func (c *compiler) asAWhole(a *attribute) error {
	for i, part := range c.layout {
		if i == 0 || part.parent != a.target.container || part.key != a.target.key || a.target.key == "" {
			continue
		}
		for j := range c.mapping.attributes {
			for at := c.mapping.attributes[j].target.container; at > 0; at = c.layout[at].parent {
				if at == i {
					return fmt.Errorf("it cannot be mapped as a whole and in parts: %s is mapped, too", c.mapping.attributes[j].target.name)
				}
			}
		}
	}
	return nil
}

// value compiles where the value comes from.
func (c *compiler) value(a *attribute) (err error) {
	d := &a.definition
	switch a.kind {
	case Direct:
		a.source = c.source(d.Source)
	case Constant:
		if a.target.reference {
			return errors.New("a reference is the id of another object: a constant cannot be one")
		}
		if a.constant, err = a.target.convert(expr.String(d.Constant), false); err != nil {
			return fmt.Errorf("constant %q: %w", short(d.Constant), err)
		}
	case Expression:
		if a.program, err = expr.Compile(d.Expression, c.options.expressions...); err != nil {
			return err
		}
		for _, name := range a.program.Attributes() {
			c.source(name)
		}
		a.program.Node().Walk(func(n *expr.Node) bool {
			a.unique = a.unique || n.Kind == expr.CallNode && n.Name == "SelectUniqueValue"
			return true
		})
	}
	if d.Default == "" {
		return nil
	}
	if a.target.reference {
		return errors.New("a reference is the id of another object: it cannot have a default")
	}
	if a.fallback, err = a.target.convert(expr.String(d.Default), false); err != nil {
		return fmt.Errorf("default %q: %w", short(d.Default), err)
	}
	return nil
}

// plausible refuses combinations that cannot work.
func (c *compiler) plausible(a *attribute) error {
	d := &a.definition
	switch {
	case d.Matching > 0 && a.target.reference:
		return errors.New("a reference cannot be a matching attribute: what it refers to is not known while objects are matched")
	case a.target.reference && (d.Apply == WhenEmpty || d.Apply == AddValues):
		return fmt.Errorf("a reference is set by creates and updates, or by creates only: it cannot have apply %q", d.Apply)
	case d.Matching > 0 && a.kind == None:
		return errors.New("a matching attribute needs a source, a constant or an expression")
	case d.Matching > 0 && (a.target.multiValued || a.target.kind == TypeComplex):
		return errors.New("a matching attribute needs a single simple value")
	case a.unique && d.Matching > 0:
		return errors.New("SelectUniqueValue cannot give the value of a matching attribute: it would never find what it is to match")
	case a.unique && d.Apply != OnCreate:
		return errors.New(`SelectUniqueValue needs apply "create": on an update it would find the object's own value taken and change it`)
	case d.Apply == AddValues && !a.target.multiValued && !a.target.spreads && a.target.known:
		return errors.New("addValues is for attributes with several values")
	}
	return nil
}

// order sorts the matching attributes by precedence.
func (c *compiler) order() error {
	m := c.mapping
	for i := range m.attributes {
		if m.attributes[i].definition.Matching > 0 {
			m.matching = append(m.matching, i)
		}
	}
	precedence := func(i int) int { return m.attributes[i].definition.Matching }
	slices.SortStableFunc(m.matching, func(i, j int) int { return cmp.Compare(precedence(i), precedence(j)) })
	for k := 1; k < len(m.matching); k++ {
		if i, j := m.matching[k-1], m.matching[k]; precedence(i) == precedence(j) {
			return errors.New("matching precedence " + strconv.Itoa(precedence(i)) + " is given to both " +
				m.attributes[i].target.name + " and " + m.attributes[j].target.name)
		}
	}
	return nil
}

// collect gathers what is the same for every object.
func (m *Mapping) collect() {
	for i := range m.attributes {
		a := &m.attributes[i]
		if a.definition.Apply == AddValues || a.program != nil && a.program.AddsOnly() {
			m.addOnly = append(m.addOnly, a.target.name)
		}
		if a.definition.FlowAlways {
			m.always = append(m.always, a.target.name)
		}
		if a.program != nil && a.program.Redacted() {
			m.redacted = append(m.redacted, a.target.name)
		}
	}
	m.addOnly, m.always, m.redacted = slices.Clip(m.addOnly), slices.Clip(m.always), slices.Clip(m.redacted)
}

// MustCompile is [Compile] for mappings that are part of a program. It panics on an error.
func MustCompile(definition ObjectMapping, opts ...Option) *Mapping {
	m, err := Compile(definition, opts...)
	if err != nil {
		panic(err)
	}
	return m
}
