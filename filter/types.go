package filter

// Types says what attributes there are. A *schema.Schema is one. It must be safe for concurrent use.
type Types interface {
	// AttrType returns the type of the attribute that a names in any case, with or without URN, and
	// false when there is none. When a.Sub is set, the type is that of the sub-attribute.
	AttrType(a Attr) (Type, bool)
}

// Type is what a filter has to know about an attribute (RFC 7643 section 2).
type Type struct {
	// Kind is the data type.
	Kind Kind
	// CaseExact says that strings which differ in case are different. References and binary values are
	// caseExact whatever it says.
	CaseExact bool
	// MultiValued says that the attribute has an array of values. For a sub-attribute it is about the
	// sub-attribute alone.
	MultiValued bool
	// Canonical is the name in the schema's own spelling. Its URN is empty for attributes at the top of
	// a document, and the name of the object that holds the attribute for those of an extension.
	Canonical Attr
}

// Kind is the data type of an attribute (RFC 7643 section 2.3).
type Kind uint8

// The data types. The zero Kind is none of them.
const (
	String Kind = iota + 1
	Boolean
	Decimal
	Integer
	DateTime
	Binary
	Reference
	Complex
)

// String returns the data type as a schema names it, such as dateTime.
func (k Kind) String() string {
	names := [...]string{"unknown", "string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"}
	if int(k) >= len(names) {
		k = 0
	}
	return names[k]
}
