package schema

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"

	elimity "github.com/elimity-com/scim/schema"
)

// Schema is a core schema, its extensions and the common attributes (schemas, id, externalId, meta), compiled by
// [Compile]. It is immutable and safe for concurrent use.
type Schema struct {
	// root has all top-level attributes and the extensions as its sub-attributes.
	root *Attribute
	core part
	// extensions are in the order given to Compile.
	extensions []part
	// paths finds attributes by full path, with and without the URN of the core schema.
	paths names
	// loose finds the attributes of extensions by their bare name, where only one has it and the core does not.
	loose names
	// schemas is the common attribute that lists the URNs of a document.
	schemas *Attribute
	id      *Attribute
	// whole is what is returned of a document by default.
	whole *choice
}

// part is one of the schemas that a Schema was compiled from.
type part struct {
	urn, name, description string
	// value is the URN, ready to be put in a document.
	value any
	// attributes are those that the schema itself defines.
	attributes []*Attribute
	// container is the attribute that stands for an extension; nil for the core schema.
	container *Attribute
}

// Extension is a schema extension of a resource type.
type Extension struct {
	Schema elimity.Schema
	// Required says that every resource of the type must have attributes of the extension (RFC 7643 section 6).
	Required bool
}

// Compile joins a core schema, its extensions and the common attributes of RFC 7643 section 3.1 into one
// lookup. A core attribute that is named like a common one takes its place, so that a service can, say, make
// externalId required.
//
// It returns an error when a schema has no URN, when two have the same, or when a schema defines a name twice.
func Compile(core elimity.Schema, extensions ...Extension) (*Schema, error) {
	s := &Schema{root: &Attribute{Type: Complex, Mutability: ReadWrite, Returned: ReturnedDefault}}
	s.core = part{urn: core.ID, value: core.ID, name: core.Name.Value(), description: core.Description.Value()}
	if err := checkURN(core.ID); err != nil {
		return nil, err
	}
	for _, c := range core.Attributes {
		s.core.attributes = append(s.core.attributes, define(c))
	}
	s.root.Sub = withCommon(s.core.attributes)
	for _, e := range extensions {
		if err := s.extend(e); err != nil {
			return nil, err
		}
	}
	if err := checkNames(core.ID, s.root.Sub); err != nil {
		return nil, err
	}
	if err := checkSchemas(s.root.Sub); err != nil {
		return nil, err
	}
	if err := s.index(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Schema) extend(e Extension) error {
	if err := checkURN(e.Schema.ID); err != nil {
		return err
	}
	if equalName(e.Schema.ID, s.core.urn) {
		return fmt.Errorf("compile schema: extension %s is the core schema", e.Schema.ID)
	}
	container := &Attribute{
		Name: e.Schema.ID, Type: Complex, Required: e.Required, extension: true,
		Mutability: ReadWrite, Returned: ReturnedDefault, Uniqueness: UniquenessNone,
		Description: e.Schema.Description.Value(),
	}
	for _, c := range e.Schema.Attributes {
		container.Sub = append(container.Sub, define(c))
	}
	if err := checkNames(e.Schema.ID, container.Sub); err != nil {
		return err
	}
	s.root.Sub = append(s.root.Sub, container)
	s.extensions = append(s.extensions, part{
		urn: e.Schema.ID, value: e.Schema.ID, name: e.Schema.Name.Value(), description: e.Schema.Description.Value(),
		attributes: container.Sub, container: container,
	})
	return nil
}

func checkURN(urn string) error {
	switch {
	case urn == "":
		return errors.New("compile schema: a schema needs a URN as its id")
	case !strings.Contains(urn, ":"):
		// Without a colon it could not be told from an attribute name.
		return fmt.Errorf("compile schema: the id %q is not a URN", urn)
	}
	return nil
}

// checkNames refuses lists in which two attributes have one name in any case.
func checkNames(urn string, attributes []*Attribute) error {
	seen := make(map[string]bool, len(attributes))
	for _, a := range attributes {
		switch {
		case !a.extension && !validName(a.Name):
			return fmt.Errorf("compile schema %s: %q is not an attribute name", urn, a.Name)
		case seen[lower(a.Name)]:
			return fmt.Errorf("compile schema %s: %s is defined twice", urn, a.Name)
		}
		seen[lower(a.Name)] = true
		if err := checkNames(urn, a.Sub); err != nil {
			return err
		}
	}
	return nil
}

// validName reports whether name is an ATTRNAME of RFC 7643 section 2.1, or $ref.
func validName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || c == '$'
		if !letter && (i == 0 || c != '-' && c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return name != ""
}

// withCommon returns the common attributes, less those that the core schema defines itself, and its own.
func withCommon(core []*Attribute) []*Attribute {
	defined := make(map[string]bool, len(core))
	for _, a := range core {
		defined[lower(a.Name)] = true
	}
	var all []*Attribute
	for _, c := range elimity.CommonAttributes() {
		if !defined[lower(c.Name())] {
			all = append(all, common(c))
		}
	}
	return append(all, core...)
}

// common returns the definition of a common attribute.
func common(c elimity.CoreAttribute) *Attribute {
	a := define(c)
	if a.Name == schemasName {
		// A representation must say what it is (RFC 7643 section 3).
		a.Returned = ReturnedAlways
	}
	return a
}

const schemasName = "schemas"

// define translates a definition.
func define(c elimity.CoreAttribute) *Attribute {
	a := &Attribute{
		Name: c.Name(), Type: Type(c.AttributeType()), MultiValued: c.MultiValued(),
		Required: c.Required(), CaseExact: c.CaseExact(),
		Mutability: Mutability(c.Mutability()), Returned: Returned(c.Returned()), Uniqueness: Uniqueness(c.Uniqueness()),
		CanonicalValues: c.CanonicalValues(), Description: c.Description(),
	}
	for _, r := range c.ReferenceTypes() {
		a.ReferenceTypes = append(a.ReferenceTypes, string(r))
	}
	for _, sub := range c.SubAttributes() {
		a.Sub = append(a.Sub, define(sub))
	}
	return a
}

// index prepares the lookups.
func (s *Schema) index() error {
	s.root.inherit()
	s.root.index()
	for _, a := range s.root.Sub {
		if !a.extension {
			if err := s.name(a, nil, a.Name); err != nil {
				return err
			}
			continue
		}
		if !s.paths.add(a.Name, a) {
			return fmt.Errorf("compile schema: %s names two things", a.Name)
		}
		a.path = a.Name
		for _, sub := range a.Sub {
			sub.URN = a.Name
			if err := s.name(sub, nil, a.Name+":"+sub.Name); err != nil {
				return err
			}
		}
	}
	s.indexLoose()
	s.schemas, _ = s.root.subs.find(schemasName)
	s.id, _ = s.root.subs.find("id")
	s.whole = (&request{schema: s}).choose(s.root, true)
	return nil
}

// name gives an attribute its path, makes it known by it, and does the same for its sub-attributes.
func (s *Schema) name(a, parent *Attribute, path string) error {
	a.path, a.parent = path, parent
	known := s.paths.add(path, a)
	if a.URN == "" {
		known = known && s.paths.add(s.core.urn+":"+path, a)
	}
	if !known {
		return fmt.Errorf("compile schema: %s names two things", path)
	}
	for _, sub := range a.Sub {
		sub.URN = a.URN
		if err := s.name(sub, a, path+"."+sub.Name); err != nil {
			return err
		}
	}
	return nil
}

// indexLoose makes attributes of extensions known by their bare name, where that is not ambiguous.
func (s *Schema) indexLoose() {
	uses := make(map[string]int)
	for a := range s.Attributes() {
		uses[lower(a.Name)]++
	}
	for _, e := range s.extensions {
		for _, a := range e.attributes {
			if uses[lower(a.Name)] == 1 {
				s.addLoose(a, a.Name)
			}
		}
	}
}

func (s *Schema) addLoose(a *Attribute, path string) {
	s.loose.add(path, a)
	for _, sub := range a.Sub {
		s.addLoose(sub, path+"."+sub.Name)
	}
}

// checkSchemas refuses a core schema that makes something else of the attribute schemas.
func checkSchemas(attributes []*Attribute) error {
	for _, a := range attributes {
		if equalName(a.Name, schemasName) && (a.Name != schemasName || a.Type != String || !a.MultiValued) {
			return errors.New("compile schema: schemas is a list of strings in every schema")
		}
	}
	return nil
}

// URN returns the URN of the core schema.
func (s *Schema) URN() string { return s.core.urn }

// Extensions returns the extensions as attributes, in the order they were given to [Compile]: their Name is the
// URN, their Sub the attributes, and Required says whether a resource must have the extension.
func (s *Schema) Extensions() []*Attribute {
	list := make([]*Attribute, len(s.extensions))
	for i, e := range s.extensions {
		list[i] = e.container
	}
	return list
}

// Attributes yields the common attributes, those of the core schema, and those of each extension, in the order
// of their definition. Sub-attributes are in the field Sub of their attribute.
func (s *Schema) Attributes() iter.Seq[*Attribute] {
	return func(yield func(*Attribute) bool) {
		for _, a := range s.root.Sub {
			list := []*Attribute{a}
			if a.extension {
				list = a.Sub
			}
			for _, a := range list {
				if !yield(a) {
					return
				}
			}
		}
	}
}

// User returns the schema of users: [CoreUser] with the extension [EnterpriseUser].
func User() *Schema { return user() }

// Group returns the schema of groups: [CoreGroup].
func Group() *Schema { return group() }

// These are constants of the package, compiled when first asked for.
var (
	user = sync.OnceValue(func() *Schema {
		return mustCompile(CoreUser(), Extension{Schema: EnterpriseUser()})
	})
	group = sync.OnceValue(func() *Schema { return mustCompile(CoreGroup()) })
)

func mustCompile(core elimity.Schema, extensions ...Extension) *Schema {
	s, err := Compile(core, extensions...)
	if err != nil {
		panic(err)
	}
	return s
}
