package sqlquery

// Table says where a store keeps what a query looks at. Its strings are SQL, as they stand in a statement whose FROM has the
// table of resources; placeholders in them are those that the store has numbered itself.
type Table struct {
	Dialect Dialect
	// Key is the number of a resource, which grows in the order of creation: r.seq. It is never NULL.
	Key string
	// Search is its projection: r.search.
	Search string
	// Strict says that attributes of extensions are not found without their URN ([server.Query.Strict]).
	Strict bool
	// Columns are single values that have a column of their own, by the path of the attribute. A column holds what [Text] returns
	// for the value, and NULL when there is none; for meta.lastModified, say, r.modified. What the projection has for the same
	// attribute is not looked at. It must be none of Members.
	//
	// In PostgreSQL, a column that is to be ordered by or searched by its beginning needs the collation "C".
	Columns map[string]string
	// Lookup is the table with the entries; nil when there is none.
	Lookup *Lookup
	// Members is the table of the members of groups; nil when they are in projections as any other attribute is. If it is set,
	// projections must be made of documents without those elements of members that [server.MemberValue] says are kept apart.
	Members *Members
}

// Lookup is a table with a row for every [Entry] of a resource, and a unique index that begins with what Scope names, Attribute and Value.
type Lookup struct {
	// From is the table and its alias: entry e.
	From string
	// Scope is the condition for rows of the tenant and the type that are asked for: e.tenant = $1 AND e.type = $2.
	Scope string
	// Key is the number of the resource, e.seq; Attribute the column with what Attributes has for a path, and Value that with
	// Entry.Value. In PostgreSQL, Value needs the collation "C".
	Key, Attribute, Value string
	// Attributes are the paths that were given to [Entries], and what stands for them in the table: the path itself, or a number.
	Attributes map[string]any
}

// Members is a table with a row for every member that is kept apart.
type Members struct {
	// From is the table and its alias: member m.
	From string
	// Scope is the condition for rows of the tenant and the type of group that are asked for.
	Scope string
	// Key is the number of the group.
	Key string
	// Value is the column with the member's value, escaped by [Escape]. It must have an index, together with what Scope names.
	Value string
	// Folded is the column with what [Text] returns for the value where a schema does not declare it caseExact; empty when there
	// is none, and such filters are not translated.
	Folded string
	// Search is the column with the projection of the element by [ProjectMember]; empty when there is none, and filters that look at
	// anything but the value are not translated.
	Search string
}
