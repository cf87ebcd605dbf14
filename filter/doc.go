// Package filter reads, builds, checks and evaluates SCIM filters and the paths of PATCH operations
// (RFC 7644 sections 3.4.2.2 and 3.5.2).
//
//	f, err := filter.Parse(`userType eq "Employee" and emails[type eq "work" and value co "@example.com"]`)
//	p, err := f.Compile(types) // types is usually a *schema.Schema
//	p.Match(document)
//
// A client writes filters in Go instead of joining strings, so that quotes in a value cannot change
// what is asked:
//
//	f := filter.Eq("userName", name).And(filter.Pr("title").Not())
//	f.String() // userName eq "bjensen" and not (title pr)
//
// # Grammar
//
// [Parse] and [ParsePath] take the whole grammar of the RFC: attribute names, operators and the words
// and, or, not, true, false, null in any case; names qualified with a schema URN; JSON strings with
// their escapes; JSON numbers. They also take any amount of white space where the RFC has one space,
// and none next to a parenthesis. A value path may be followed by a sub-attribute,
//
//	emails[type eq "work"].value eq "bjensen@example.com"
//
// which Entra sends and the RFC's grammar lacks. It is understood as
//
//	emails[type eq "work" and value eq "bjensen@example.com"]
//
// and printed so; ne and eq null there are about all of the selected values, so that emails[type eq
// "work"].value ne "a" is not (emails[type eq "work" and value eq "a"]). Options admit what else is
// seen in practice: [SingleQuotes], [UnquotedStrings] and [QuotedBooleans].
//
// The text may come from anyone: its length, its nesting and the number of its terms are bounded
// ([MaxLength], [MaxDepth], [MaxTerms]), and reading, checking and compiling take time linear in its
// length.
//
// # What a filter means
//
// The RFC leaves some questions open. These are the answers here:
//
//   - An attribute without a value, with the value null, and with an empty array are the same (RFC 7643
//     section 2.5). Such an attribute makes every comparison false, except that eq null is true, and ne
//     is true with any value but null.
//   - ne is the negation of eq: nickName ne "x" is true of a resource without a nickName, and
//     emails.value ne "x" is true when none of the values is "x". The RFC calls ne "not identical" and
//     says that a multi-valued attribute matches when any of its values does; taken together literally,
//     emails.value ne "x" would be true of nearly every resource with two addresses, one of them "x".
//     Who asks for that can write emails[value ne "x"].
//   - pr is false for an empty string, an empty array, and a complex attribute or array that holds
//     nothing else, because the RFC asks for a "non-empty" value. An empty string is still a value to
//     every other operator: it is eq "" and ne null.
//   - A multi-valued attribute matches when any of its values does. A value path matches when one
//     element matches the whole expression in brackets. There, a simple value is its own attribute
//     value: schemas[value sw "urn:ietf"].
//   - A complex attribute compared with a value means its sub-attribute value: emails co "example.org"
//     is emails.value co "example.org", and manager eq "26118915" is manager.value eq "26118915".
//   - Strings are compared by Unicode's simple case folding, as by [strings.EqualFold], unless the
//     attribute is caseExact; co, sw, ew and the orders follow the same rule. Strings are ordered by
//     code point, after folding unless caseExact. The RFC names eq, co and sw only; treating ew and the
//     orders alike is the reading that does not surprise.
//   - A dateTime is compared as an instant, whatever its offset and fraction; without an offset it is
//     in UTC. Its text is not for co, sw and ew.
//   - Numbers are compared by value, exactly: 1.0 is eq 1.
//   - gt, ge, lt, le on boolean or binary attributes are invalidFilter (RFC 7644 table 3), and so are
//     co, sw, ew on anything but strings and references, an order against null, and a value that is not
//     of the attribute's type.
//   - not binds tightest, then and, then or.
//
// # Without a schema
//
// Compile with nil types evaluates what it finds: names are matched in any case, strings without regard
// to case except for id, externalId, meta.resourceType, meta.version, meta.location and $ref, which RFC
// 7643 declares caseExact. Two strings that are both dateTimes are compared as instants; meta.created
// and meta.lastModified are known to be dateTimes. Names qualified with a URN of the core schemas are
// looked for at the top, all others inside the object that has the URN as its name.
package filter
