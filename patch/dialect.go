package patch

import "fmt"

// Dialect says how operations are written for a service. The zero value is RFC 7644's form: op in lower case, JSON booleans, one
// operation with a path per attribute, members removed by value path.
//
// A Dialect is plain data; profiles hold one for each resource type.
type Dialect struct {
	// TitleCaseOps writes Add, Replace and Remove, as Microsoft Entra does.
	TitleCaseOps bool `json:"titleCaseOps,omitzero"`
	// StringBooleans writes booleans as "True" and "False", as Microsoft Entra does.
	StringBooleans bool `json:"stringBooleans,omitzero"`
	// AddAbsent writes add where the attribute has no value yet, as Microsoft Entra does. Otherwise a single value is always
	// written with replace, which RFC 7644 section 3.5.2.3 takes for an add in that case and which some services offer alone.
	AddAbsent bool `json:"addAbsent,omitzero"`
	// Form is how attributes with a single value are written.
	Form Form `json:"form,omitzero"`
	// Pathless lists attributes, by full path, that are written without a path as a nested object whatever Form says: each in an
	// operation of its own unless several of them change, which share one.
	Pathless []string `json:"pathless,omitempty"`
	// PathlessID puts the resource's id into every object written without a path, as Okta does when it renames a group.
	PathlessID bool `json:"pathlessId,omitzero"`
	// MemberRemoval is how values are taken out of members, and of other attributes whose elements refer to resources.
	MemberRemoval MemberRemoval `json:"memberRemoval,omitzero"`
	// MembersPerRequest is how many members one request may add and remove together, 0 for no limit. [Diff] and
	// [Dialect.MemberOperations] return all operations; [Dialect.Chunk] splits them into requests.
	MembersPerRequest int `json:"membersPerRequest,omitzero"`
	// OperationsPerRequest is how many operations one request may hold, 0 for no limit.
	OperationsPerRequest int `json:"operationsPerRequest,omitzero"`
}

// Form is how operations on attributes with a single value are written.
type Form string

const (
	// FormPath is one operation with a path for each attribute: {"op":"replace","path":"name.givenName","value":"Y"}.
	FormPath Form = ""
	// FormPathless is one replace without a path, its value a nested object: {"op":"replace","value":{"name":{"givenName":"Y"}}}.
	FormPathless Form = "pathless"
	// FormDotted is one replace without a path, its value an object keyed by full paths:
	// {"op":"replace","value":{"name.givenName":"Y"}}. It is Microsoft Entra's form under the flag aadOptscim062020.
	FormDotted Form = "dotted"
)

// UnmarshalText reads a form. It returns an error for one that is not known.
func (f *Form) UnmarshalText(text []byte) error {
	switch v := Form(text); v {
	case FormPath, FormPathless, FormDotted:
		*f = v
		return nil
	}
	return fmt.Errorf("patch: unknown form %q: pathless, dotted or none is allowed", text)
}

// MemberRemoval is how values are taken out of members.
type MemberRemoval string

const (
	// ValuePath removes each value by a path with a filter: {"op":"remove","path":"members[value eq \"1\"]"}.
	ValuePath MemberRemoval = ""
	// ValueArray removes values by a list of them: {"op":"remove","path":"members","value":[{"value":"1"}]}. RFC 7644 does not know
	// this form; Microsoft Entra sends it. A service that follows the RFC to the letter removes all members when it gets it.
	ValueArray MemberRemoval = "valueArray"
	// ReplaceAll removes nothing by itself: the whole attribute is replaced by what shall be left.
	ReplaceAll MemberRemoval = "replaceAll"
)

// UnmarshalText reads a way of removal. It returns an error for one that is not known.
func (m *MemberRemoval) UnmarshalText(text []byte) error {
	switch v := MemberRemoval(text); v {
	case ValuePath, ValueArray, ReplaceAll:
		*m = v
		return nil
	}
	return fmt.Errorf("patch: unknown member removal %q: valueArray, replaceAll or none is allowed", text)
}

// RFC7644 returns the zero Dialect: what RFC 7644 asks for and nothing else.
func RFC7644() Dialect { return Dialect{} }

// Entra returns the dialect in which Microsoft Entra writes by default.
func Entra() Dialect {
	return Dialect{TitleCaseOps: true, StringBooleans: true, AddAbsent: true, MemberRemoval: ValueArray}
}

// EntraOptSCIM returns the dialect in which Microsoft Entra writes under the flag aadOptscim062020.
func EntraOptSCIM() Dialect { return Dialect{Form: FormDotted} }

// Okta returns the dialect in which Okta writes.
func Okta() Dialect { return Dialect{Form: FormPathless, PathlessID: true} }
