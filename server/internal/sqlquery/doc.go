// Package sqlquery lets a store answer SCIM queries in SQL: filters, orders and cursors become conditions for SQLite and
// PostgreSQL, which give the answer that [filter.Predicate] and [server.Order] give.
//
// Beside each document a store keeps its projection, a JSON object that [Project] makes for searching. A query is then made of
// parts:
//
//	args := []any{q.Tenant, q.Type}
//	add := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
//	table := sqlquery.Table{Dialect: sqlquery.PostgreSQL, Key: "r.seq", Search: "r.search"}
//	where := table.Where(q.Schema, q.Filter, add)
//	order, ok := table.Order(q.Schema, q.Order)
//	rows, err := db.QueryContext(ctx, "SELECT r.document FROM resources r WHERE r.tenant = $1 AND r.type = $2 AND "+where.SQL+
//		" ORDER BY "+order.By, args...)
//
// No value of a filter is ever part of the text: values are arguments, and what the text has of a filter are names in the schema's
// spelling.
//
// # Projection
//
// All values in a projection are strings, made so that the order of their bytes is the order of the values: strings are folded as
// filters do unless they are caseExact, a dateTime is in UTC with nine digits of fraction, a number has its exponent before its
// digits, a boolean is t or f. So whatever is compared is compared as text, byte by byte, which both databases do alike. Names are
// those of the schema, attributes of an extension are in an object under its URN, and multi-valued attributes are arrays with the
// element first that counts when resources are ordered. Attributes that are never returned, such as the password, are left out: no
// filter may ask for them. Neither is text that a database refuses: U+0000 and three more control characters are replaced, see
// [Escape].
//
// A projection belongs to one state of a schema: when types, caseExact, the number of values or the names of attributes change,
// projections have to be made anew, and so they have when [Version] changes.
//
// Documents must be canonical (see package schema). A value of another type than the schema says is present and equal to nothing.
//
// # Indexes
//
// [Entries] returns the values of some attributes for a table with an index, from which an eq or sw is then served, and in which
// co, ew and the orders are looked for instead of in every projection. [Table.Lookup] says where it is. A store may also keep
// single values in columns of the resource ([Table.Columns]), and the members of groups in a table of their own ([Table.Members]).
package sqlquery
