package mapping

// FilterGroup is a scoping filter: clauses that must all be true.
type FilterGroup struct {
	Name    string   `json:"name,omitzero"`
	Clauses []Clause `json:"clauses"`
}

// Clause is one condition on a source attribute.
type Clause struct {
	Attribute string   `json:"attribute"`
	Operator  Operator `json:"operator"`
	// Value is what the attribute is compared with; empty for operators that compare with nothing.
	Value string `json:"value,omitzero"`
	// Values are given instead of Value to compare with several: any of them for an operator that affirms, none of
	// them for one that begins with NOT.
	Values []string `json:"values,omitempty"`
}

// Operator is how a clause compares. The names are Entra's and must be written as they are here.
//
// An attribute that is absent, null or an empty text makes every clause false, also the negated ones, except IsNull. Texts
// are compared with their case. Numbers and booleans are compared as text, True and False in any case. A list matches when any of its
// values does; for an operator that begins with NOT, and for BitsClear, when all of them do.
type Operator string

// The operators.
const (
	Equals    Operator = "EQUALS"
	NotEquals Operator = "NOT EQUALS"
	IsTrue    Operator = "IS TRUE"
	IsFalse   Operator = "IS FALSE"
	// IsNull is true when the attribute is absent, null, or an empty text or list.
	IsNull    Operator = "IS NULL"
	IsNotNull Operator = "IS NOT NULL"
	// RegexMatch is true when the pattern matches the whole value, as Entra's examples suggest; with [WithRegexSearch], when
	// it is found anywhere in it. Patterns are those of
	// [github.com/scimbridge/scim/mapping/expr.CompileRegexp]: .NET's, where \w and \d know all scripts, without look-around and
	// back-references.
	RegexMatch    Operator = "REGEX MATCH"
	NotRegexMatch Operator = "NOT REGEX MATCH"
	// GreaterThan and GreaterThanOrEquals compare whole numbers; they are false of anything else. Leading zeros do not count.
	GreaterThan         Operator = "Greater_Than"
	GreaterThanOrEquals Operator = "Greater_Than_OR_EQUALS"
	// Includes is true when the value is part of the attribute's.
	Includes Operator = "Includes"
	EndsWith Operator = "ENDS_WITH"
	// BitsSet is true when the attribute and the value, whole numbers, have a bit in common. Entra's own text on it does not make
	// sense as it stands; this is what the names in Microsoft's sample code say.
	BitsSet Operator = "&"
	// BitsClear is true when they have none.
	BitsClear Operator = "!&"
)

// Operators returns all operators.
func Operators() []Operator {
	return []Operator{
		Equals, NotEquals, IsTrue, IsFalse, IsNull, IsNotNull, RegexMatch, NotRegexMatch,
		GreaterThan, GreaterThanOrEquals, Includes, EndsWith, BitsSet, BitsClear,
	}
}

// Unary reports whether the operator compares with nothing.
func (o Operator) Unary() bool {
	return o == IsTrue || o == IsFalse || o == IsNull || o == IsNotNull
}

// negated reports whether all values of a list must pass.
func (o Operator) negated() bool { return o == NotEquals || o == NotRegexMatch || o == BitsClear }
