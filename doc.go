// Package scim is the vocabulary of SCIM 2.0: users, groups, errors and messages as Go types,
// and the [Document] that engines work on.
//
//	user := scim.User{
//		UserName: "taylor.lee@example.com",
//		Name:     &scim.Name{GivenName: "Taylor", FamilyName: "Lee"},
//		Active:   scim.Bool(true),
//	}
//
// The package holds types and their JSON form, and does no I/O. What works with them is in the
// packages beside it:
//
//   - [github.com/scimbridge/scim/client] calls a SCIM service,
//   - [github.com/scimbridge/scim/server] is one, as an [net/http.Handler],
//   - [github.com/scimbridge/scim/mapping] turns directory entries into SCIM documents,
//   - [github.com/scimbridge/scim/profiles] says what one service can and cannot do,
//   - [github.com/scimbridge/scim/provision] keeps a service in step with a directory.
//
// # Two views of a resource
//
// Programs that know what they are looking for use the structs [User] and [Group]. Attributes that a
// struct has no field for are kept in its Extra map and written back, so that reading a resource and
// sending it again loses nothing.
//
// Engines, which must treat any schema alike, use a [Document]: the resource as a tree of maps and
// slices. [DecodeDocument] and [Document.Decode] lead from one view to the other.
//
// # JSON
//
// JSON is read strictly, as an identity system must: a name that occurs twice in one object, invalid
// UTF-8, and text after the value are errors instead of a silent choice. Attribute names are matched
// in any case (RFC 7643 section 2.1).
//
// # Errors
//
// Everything that speaks SCIM reports a refusal as an [*Error]. Test for a kind with [errors.Is] and
// one of the Err values, and take the details with [errors.As].
package scim
