// Package patch changes SCIM documents by PATCH operations, and finds the operations that lead from one document to another
// (RFC 7644 section 3.5.2).
//
// How operations are written for a service is a [Dialect]: the zero value is RFC 7644's form, and the wild has others.
package patch
