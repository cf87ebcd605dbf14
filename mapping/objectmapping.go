package mapping

import (
	"fmt"
	"slices"
)

// ObjectMapping says which objects of a source become which objects of a target, and how. It is plain data; [Compile] makes it
// work.
type ObjectMapping struct {
	// Name is for people: logs and errors start with it. Empty is Source to Target.
	Name string `json:"name,omitzero"`
	// Source and Target are the types of object: the name of a type in the source, and of a SCIM resource type.
	Source string `json:"source"`
	Target string `json:"target"`
	// Disabled turns the mapping off as a whole.
	Disabled bool `json:"disabled,omitzero"`
	// Actions are what may be done in the target. None means all three. Disabling an object is an update.
	Actions []Action `json:"actions,omitempty"`
	// Scope are the scoping filters. An object must match one of them; without any, every object is in scope. An object that
	// stops matching is deprovisioned.
	Scope []FilterGroup `json:"scope,omitempty"`
	// InputScope is like Scope, but objects that do not match are left as they are instead of being deprovisioned. Both must
	// let an object in.
	InputScope []FilterGroup `json:"inputScope,omitempty"`
	// Filter is a scoping filter in SCIM's filter language over the source object (RFC 7644 section 3.4.2.2), for what Scope
	// cannot say. Both must let an object in.
	Filter     string             `json:"filter,omitzero"`
	Attributes []AttributeMapping `json:"attributes"`
}

// AttributeMapping says what one target attribute gets. At most one of Source, Constant and Expression is set: the mapping is
// Direct, Constant, Expression, or None.
type AttributeMapping struct {
	// Target is the SCIM path of the attribute.
	Target string `json:"target"`
	// Source is an attribute of the source object.
	Source string `json:"source,omitzero"`
	// Constant is the text of a fixed value.
	Constant string `json:"constant,omitzero"`
	// Expression computes the value.
	Expression string `json:"expression,omitzero"`
	// Default is the text of the value that a create sends when there is none. Updates never use it.
	Default string `json:"default,omitzero"`
	// Matching is the precedence, from 1, with which the attribute is used to find the object in the target. 0 is not at
	// all. An object that has several values for it fails.
	Matching int   `json:"matching,omitzero"`
	Apply    Apply `json:"apply,omitzero"`
	// NullFlow says what an update does when there is no value.
	NullFlow NullFlow `json:"nullFlow,omitzero"`
	// FlowAlways sends the attribute with each update of the object, even when the value is what was sent before.
	FlowAlways bool `json:"flowAlways,omitzero"`
	// Type is the type of the target attribute, for attributes that neither the schema nor the profile given to Compile knows.
	// Empty for what they say, or a string.
	Type Type `json:"type,omitzero"`
	// MultiValued goes with Type.
	MultiValued bool `json:"multiValued,omitzero"`
	// Note is for people.
	Note string `json:"note,omitzero"`
}

// Kind says where the value comes from.
func (a AttributeMapping) Kind() Kind {
	switch {
	case a.Expression != "":
		return Expression
	case a.Source != "":
		return Direct
	case a.Constant != "":
		return Constant
	}
	return None
}

// Kind is the kind of an attribute mapping.
type Kind string

// The kinds of attribute mapping.
const (
	Direct     Kind = "direct"
	Constant   Kind = "constant"
	Expression Kind = "expression"
	// None leaves the attribute alone; a create sends its default.
	None Kind = "none"
)

// Action is something that may be done with objects in the target.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
)

// UnmarshalText reads an action. It returns an error for one that is not known.
func (a *Action) UnmarshalText(text []byte) error {
	return oneOf(a, "action", text, Create, Update, Delete)
}

// Apply says when an attribute mapping is applied.
type Apply string

// When an attribute mapping is applied.
const (
	// Always is with creates and updates.
	Always Apply = ""
	// OnCreate is with creates only.
	OnCreate Apply = "create"
	// WhenEmpty is with creates, and with updates of objects whose attribute has no value. It is not for references.
	WhenEmpty Apply = "whenEmpty"
	// AddValues is always, but values that the target has besides are left there. It is for attributes with several values that
	// are not references.
	AddValues Apply = "addValues"
)

// UnmarshalText reads one of the constants. It returns an error for anything else.
func (a *Apply) UnmarshalText(text []byte) error {
	return oneOf(a, "apply", text, Always, OnCreate, WhenEmpty, AddValues)
}

// NullFlow says what an update does with an attribute for which the source has no value.
type NullFlow string

// What an update does when there is no value.
const (
	// SkipNull leaves the attribute alone, as Entra does.
	SkipNull NullFlow = ""
	// ClearNull removes the target's value.
	ClearNull NullFlow = "clear"
)

// UnmarshalText reads one of the constants. It returns an error for anything else.
func (n *NullFlow) UnmarshalText(text []byte) error {
	return oneOf(n, "nullFlow", text, SkipNull, ClearNull)
}

// Type is the type of a target attribute: those of RFC 7643 section 2.3, where a reference is to another provisioned object.
type Type string

// The types of target attributes.
const (
	TypeString    Type = "string"
	TypeBoolean   Type = "boolean"
	TypeDecimal   Type = "decimal"
	TypeInteger   Type = "integer"
	TypeDateTime  Type = "dateTime"
	TypeBinary    Type = "binary"
	TypeComplex   Type = "complex"
	TypeReference Type = "reference"
)

// UnmarshalText reads a type. It returns an error for one that is not known.
func (t *Type) UnmarshalText(text []byte) error {
	return oneOf(t, "type", text, "", TypeString, TypeBoolean, TypeDecimal, TypeInteger, TypeDateTime, TypeBinary, TypeComplex, TypeReference)
}

// oneOf sets v to the text if it is allowed.
func oneOf[T ~string](v *T, what string, text []byte, allowed ...T) error {
	if !slices.Contains(allowed, T(text)) {
		var names []T
		for _, a := range allowed {
			if a != "" {
				names = append(names, a)
			}
		}
		return fmt.Errorf("unknown %s %q: one of %q is needed", what, text, names)
	}
	*v = T(text)
	return nil
}
