// Package schema compiles SCIM schemas into lookups and holds documents against them: it brings what a
// client sent to one canonical form, or says which attribute is wrong and why.
//
//	s := schema.User() // the core User with the enterprise extension
//	doc, err := s.Canonical(received, schema.Options{Mode: schema.ModeCreate, Tolerant: true})
//	view := s.Project(doc, projection) // what attributes= and excludedAttributes= leave
//
// Schemas are written as values of github.com/elimity-com/scim/schema and compiled once, with
// their extensions, by [Compile]. A compiled [Schema] is immutable and safe for concurrent use.
//
// # Names
//
// [Schema.Lookup] finds an attribute by every name SCIM gives it, in any case: userName, name.familyName,
// urn:ietf:params:scim:schemas:core:2.0:User:name.familyName, meta.created, and the attributes of
// extensions by their qualified name. Names are ASCII (RFC 7643 section 2.1) and so is what "any case" means.
//
// # Canonical form
//
// In a canonical document
//
//   - attribute names are spelled as in the schema, and each occurs once;
//   - values are of the attribute's type: string, bool, int64, float64, []any, map[string]any;
//   - nothing is unassigned: null, an empty array and an object without attributes are absent (RFC
//     7643 section 2.5). An empty string is a value, but not one for a required attribute;
//   - a dateTime is RFC 3339 in UTC with the fewest digits, so that equal instants are equal strings. One
//     without an offset is taken to be in UTC;
//   - binary is base64 of the standard alphabet with padding (RFC 4648 section 4);
//   - the scheme and host of a reference are lower case (RFC 3986 section 6.2.2.1);
//   - schemas lists the core schema and the extensions that have attributes in the document.
//
// Canonical is idempotent, and its result shares nothing with what it was given.
//
// # Errors
//
// Every error about a document is a [*scim.Error] with status 400. Its Attribute is the full path of
// the value concerned, such as emails[2].value, and its Detail says what was given and what
// is allowed. The value of an attribute that is writeOnly or never returned, such as a password, is not in it. When
// several attributes are wrong the error is about the first by name, always the same one.
package schema
