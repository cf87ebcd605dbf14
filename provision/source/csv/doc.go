// Package csv reads people and groups from CSV files, as an HR system exports them.
//
//	source, err := csv.New(
//		csv.Table{Type: "User", File: "people.csv", ID: "employeeId"},
//		csv.Table{Type: "Group", File: "groups.csv", ID: "groupId", Lists: map[string]string{"members": ";"}},
//	)
//
// The first line has the names of the columns; each becomes an attribute of the same name, unless [Table.Rename] or [Table.Ignore]
// says otherwise. Members of a group are the ids of people: in one column with a separator between them ([Table.Lists]), or in a
// file of their own with a line for each ([Table.Links]).
//
// # What is refused
//
// A file is refused as a whole when any part of it cannot be read, because a person left out by mistake looks like one who left. The
// [*Error] names the file, the line and the column. Refused are: a quote out of place, a line with too few or too many fields, a
// line without id, an id that occurs twice when [Table.UniqueIDs] is set, a column that is named twice or missing, text that
// is not in the encoding, and anything beyond [Limits].
//
// # Encodings
//
// UTF-8 and, by their byte order mark, UTF-16 in both orders are recognised. Other encodings are named in [Table.Encoding].
//
// # Changes
//
// CSV files do not say what changed. The watermark is a digest of the files: when it is the same, nothing changed and nothing is
// read; otherwise everything is, and the job compares.
package csv
