package schema

import (
	"net/http"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
)

// Attr returns the attribute that a parsed filter or path names. Like [Schema.Lookup] it takes any case and does not
// allocate, save for names that the schema does not have.
func (s *Schema) Attr(name filter.Attr) (*Attribute, bool) {
	home := s.root
	if name.URN != "" && !equalName(name.URN, s.core.urn) {
		extension, ok := s.root.subs.find(name.URN)
		if !ok || !extension.extension {
			// The URN of an extension looks like an attribute: urn:example:2.0:User is User of urn:example:2.0.
			a, ok := s.paths.find(name.String())
			return a, ok && a.extension
		}
		home = extension
	}
	return home.below(name)
}

// AttrLoose is Attr with the names that [Schema.LookupLoose] knows.
func (s *Schema) AttrLoose(name filter.Attr) (*Attribute, bool) {
	a, ok := s.Attr(name)
	if ok || name.URN != "" {
		return a, ok
	}
	if a, ok = s.loose.find(name.Name); !ok || name.Sub == "" {
		return a, ok
	}
	return a.subs.find(name.Sub)
}

// below returns the attribute of a complex attribute that is called name, without regard to the URN.
func (a *Attribute) below(name filter.Attr) (*Attribute, bool) {
	if name.Name == "" {
		return a, a.extension
	}
	found, ok := a.subs.find(name.Name)
	if !ok || name.Sub == "" {
		return found, ok
	}
	return found.subs.find(name.Sub)
}

// AttrType makes the schema the [filter.Types] that filters are checked and compiled with.
func (s *Schema) AttrType(name filter.Attr) (filter.Type, bool) {
	a, ok := s.Attr(name)
	if !ok {
		return filter.Type{}, false
	}
	return a.filterType(), true
}

// LooseTypes returns the schema for filters of clients in the wild: it also knows the attributes of extensions without
// their URN, as [Schema.LookupLoose] does. Entra, for one, asks for manager eq "…".
func (s *Schema) LooseTypes() filter.Types { return looseTypes{s} }

type looseTypes struct{ schema *Schema }

func (t looseTypes) AttrType(name filter.Attr) (filter.Type, bool) {
	a, ok := t.schema.AttrLoose(name)
	if !ok {
		return filter.Type{}, false
	}
	return a.filterType(), true
}

func (a *Attribute) filterType() filter.Type {
	canonical := filter.Attr{URN: a.URN, Name: a.Name}
	if a.parent != nil {
		canonical.Name, canonical.Sub = a.parent.Name, a.Name
	}
	return filter.Type{Kind: a.kind, CaseExact: a.CaseExact, MultiValued: a.MultiValued, Canonical: canonical}
}

// kind returns the data type as package filter has it.
func kind(t Type) filter.Kind {
	switch t {
	case String:
		return filter.String
	case Boolean:
		return filter.Boolean
	case Decimal:
		return filter.Decimal
	case Integer:
		return filter.Integer
	case DateTime:
		return filter.DateTime
	case Binary:
		return filter.Binary
	case Reference:
		return filter.Reference
	}
	return filter.Complex
}

// CheckSensitive returns an error when a filter asks for the value of a [Attribute.Sensitive] attribute, also by the name of the complex
// attribute whose value it is, or in a value path as the value of a simple one. Whoever may ask whether a password starts with "a" can find it out. The error is a [*scim.Error] with
// status 403 and type sensitive. RFC 7644 section 7.5.2 has that for filters in a URL; what the body of a search may not ask is
// answered in the same way. Names that the schema does not have are for [filter.Filter.Check] to refuse.
func (s *Schema) CheckSensitive(f filter.Filter) error {
	for _, name := range f.Attributes() {
		a, ok := s.AttrLoose(name)
		if !ok && name.Sub != "" {
			// password[value sw "a"] and password.value are about the password, too: the evaluator takes what is simple for its own value.
			a, ok = s.AttrLoose(filter.Attr{URN: name.URN, Name: name.Name})
			ok = ok && a.Sensitive()
		}
		if !ok {
			continue
		}
		// emails co "x" is about emails.value.
		if value, ok := a.SubAttribute("value"); ok {
			a = value
		}
		if a.Sensitive() {
			return &scim.Error{
				Status: http.StatusForbidden, Type: scim.Sensitive, Attribute: a.path, Detail: a.path + " must not be asked for in a filter",
			}
		}
	}
	return nil
}
