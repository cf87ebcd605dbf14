package schema

import (
	"slices"

	"github.com/scimbridge/scim/filter"
)

// Type is the data type of an attribute (RFC 7643 section 2.3).
type Type string

// The data types.
const (
	String    Type = "string"
	Boolean   Type = "boolean"
	Decimal   Type = "decimal"
	Integer   Type = "integer"
	DateTime  Type = "dateTime"
	Binary    Type = "binary"
	Reference Type = "reference"
	Complex   Type = "complex"
)

// Mutability says when the value of an attribute may be written (RFC 7643 section 7).
type Mutability string

// The kinds of mutability.
const (
	ReadWrite Mutability = "readWrite"
	// ReadOnly attributes are set by the service; what a client sends for them is ignored.
	ReadOnly Mutability = "readOnly"
	// Immutable attributes may be set once.
	Immutable Mutability = "immutable"
	// WriteOnly attributes are never returned and cannot be asked for in a filter.
	WriteOnly Mutability = "writeOnly"
)

// Returned says when an attribute is part of a response (RFC 7643 section 7).
type Returned string

// When an attribute is returned.
const (
	ReturnedDefault Returned = "default"
	ReturnedAlways  Returned = "always"
	// ReturnedRequest attributes are returned when the request names them.
	ReturnedRequest Returned = "request"
	ReturnedNever   Returned = "never"
)

// Uniqueness says among which resources a value occurs once (RFC 7643 section 7).
type Uniqueness string

// The kinds of uniqueness.
const (
	UniquenessNone Uniqueness = "none"
	// UniquenessServer values occur once among the resources of a type.
	UniquenessServer Uniqueness = "server"
	UniquenessGlobal Uniqueness = "global"
)

// Attribute is the definition of an attribute in a compiled [Schema] (RFC 7643 section 7). It is shared by
// all users of the schema: its fields are for reading.
//
// What a complex attribute says holds for its sub-attributes: those of a readOnly attribute are ReadOnly, and
// those of one that is never returned are ReturnedNever, whatever they were defined as. What is WriteOnly is ReturnedNever.
type Attribute struct {
	// Name is the attribute's name in the schema's spelling: the key of its value in a document, in the object of the
	// complex attribute it belongs to, or in the object of its extension. The name of an extension is its URN.
	Name string
	// URN is the schema of an extension's attribute; empty for the attributes of the core schema, the common
	// attributes, and extensions themselves.
	URN         string
	Type        Type
	MultiValued bool
	Required    bool
	// CaseExact says whether the case of a string makes a difference. It is true of references and binaries.
	CaseExact  bool
	Mutability Mutability
	Returned   Returned
	Uniqueness Uniqueness
	// CanonicalValues are suggestions; other values are allowed (RFC 7643 section 7).
	CanonicalValues []string
	// ReferenceTypes are what a reference may point to: names of resource types, external, or uri.
	ReferenceTypes []string
	Description    string
	// Sub are the sub-attributes of a complex attribute, or the attributes of an extension, in the schema's order.
	Sub []*Attribute

	path      string
	parent    *Attribute
	extension bool
	// position is the index in the list that the attribute was defined in.
	position int
	kind     filter.Kind
	subs     names
	// required are those of Sub that a client must give.
	required []*Attribute
	// primary is the sub-attribute of which one element may be true.
	primary *Attribute
	// secret says that no error may quote the value.
	secret bool
	// demands says that something in the value is required.
	demands bool
	// keeps says that a sub-attribute is not the client's to change as it likes.
	keeps bool
}

// Path returns the full name as used in filters and PATCH paths: userName, name.familyName,
// urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value.
func (a *Attribute) Path() string { return a.path }

// String returns the path.
func (a *Attribute) String() string { return a.path }

// Parent returns the complex attribute that a sub-attribute belongs to; nil for all others.
func (a *Attribute) Parent() *Attribute { return a.parent }

// IsExtension reports whether a stands for all of a schema extension: a complex attribute with the URN as its
// name.
func (a *Attribute) IsExtension() bool { return a.extension }

// SubAttribute returns the sub-attribute with the name given, in any case. It does not allocate.
func (a *Attribute) SubAttribute(name string) (*Attribute, bool) { return a.subs.find(name) }

// Sensitive reports whether the attribute's value must never be shown: it is writeOnly or never returned, as a password
// is. Filters may not ask for it (RFC 7644 section 7.5.2), and no error quotes it.
func (a *Attribute) Sensitive() bool {
	return a.Mutability == WriteOnly || a.Returned == ReturnedNever
}

// inherit applies to the sub-attributes what the complex attribute says about all of its value.
func (a *Attribute) inherit() {
	for _, sub := range a.Sub {
		if a.Mutability == ReadOnly || a.Mutability == WriteOnly && sub.Mutability != ReadOnly {
			sub.Mutability = a.Mutability
		}
		if a.Returned == ReturnedNever || sub.Mutability == WriteOnly {
			sub.Returned = ReturnedNever // RFC 7643 section 7: values of writeOnly attributes shall not be returned
		}
		sub.inherit()
	}
}

// index prepares the attribute and what is below it for lookups. Names must have been checked.
func (a *Attribute) index() {
	a.secret = a.Sensitive()
	a.kind = kind(a.Type)
	for i, sub := range a.Sub {
		sub.position = i
		a.subs.add(sub.Name, sub)
		sub.index()
		a.secret = a.secret || sub.secret && !a.extension
		if sub.Required && sub.Mutability != ReadOnly {
			a.required = append(a.required, sub)
		}
		a.demands = a.demands || sub.demands || len(a.required) > 0
		a.keeps = a.keeps || sub.keeps || sub.Mutability != ReadWrite || sub.Returned == ReturnedNever
		if a.MultiValued && sub.Type == Boolean && lower(sub.Name) == "primary" {
			a.primary = sub
		}
	}
	a.CanonicalValues = slices.Clone(a.CanonicalValues)
}
