// Package patch changes SCIM documents by PATCH operations, and finds the operations that lead from one document to another
// (RFC 7644 section 3.5.2).
//
//	result, err := patch.Apply(schema.User(), doc, request.Operations, patch.Options{})
//	if err != nil {
//		return err // a *scim.Error with the scimType and the index of the operation; doc is as it was
//	}
//	if result.Changed {
//		save(result.Document)
//	}
//
// [Apply] does what the RFC says, all operations or none, and never changes the document it is given. A [Target] is for a
// document that is patched again and again, such as a group with 100,000 members.
//
// The other way leads [Diff], and [Dialect.MemberOperations] where only the change is known:
//
//	ops, err := patch.Diff(schema.User(), old, new, patch.Entra())
//	for _, request := range dialect.Chunk(ops) {
//		send(scim.NewPatchRequest(request...))
//	}
//
// Operations may come from anyone: what they may cost is bounded by [Options].
//
// # What is tolerated
//
// Identity providers in the wild do not send what RFC 7644 describes. Unless [Options.Strict] is set, these are understood, too:
//
//   - op in any case; white space around op and path;
//   - booleans as "True" and "False", numbers as strings, one value where several are allowed and an array of one where one is;
//     the manager, or a member, as a plain string;
//   - add with a value filter that matches nothing, and replace of a sub-attribute behind one that asks for a kind of elements, such as
//     emails[type eq "work"].value: what its eq terms ask for is created. A member is not: it may just have left. As RFC 7644 section
//     3.5.2.3 says, noTarget refuses a replace of whole elements that are not there, emails[type eq "work"], of one that is told by
//     its value, and of a kind that is not among the canonical values of the schema;
//   - remove with a list of values: these are removed and no others;
//   - objects without a path whose keys are dotted (name.givenName), qualified with a URN, or value paths. What is readOnly or unknown in
//     them is left out, such as the id that Okta sends with a new group name;
//   - attributes of an extension without its URN, where no other attribute has the name;
//   - an empty string, which takes the value of a single-valued attribute away; an element that has lost
//     its value goes, too, when nothing but type, primary and display is left;
//   - single-quoted strings and quoted booleans in value filters;
//   - remove by a value filter that matches nothing, which changes nothing;
//   - an added member that is there already with another display name or URI, which keeps its own;
//   - a change of schemas, which follows from what the document holds.
//
// # What the RFC leaves open
//
//   - An added value is there already when an element with the same value is: of members and other references by value alone,
//     otherwise by value and type. Its other sub-attributes are merged into that element.
//   - replace without a filter keeps what a client cannot write, readOnly and immutable sub-attributes, of the elements that stay. The
//     order of elements does not matter.
//   - When the value of an element or of the manager changes, its readOnly sub-attributes and its $ref are dropped: they were about the
//     old one.
//   - An operation that makes an element primary takes it from the others; one that makes two elements primary is
//     refused.
//   - The attribute schemas follows the extensions that an operation has brought into use or removed.
//
// # Dialects
//
// How operations are written for a service is a [Dialect]: the zero value is RFC 7644's form, and the wild has others.
package patch
