// Package sqlstore keeps SCIM resources in the tables of a SQL database: what packages sqlite and postgres have in common.
//
//	store := sqlstore.New(db, sqlstore.Options{})
//
// A database is a [DB], which runs transactions, and a [Dialect], which says how its SQL differs. The package of a database makes
// the tables, and has one list of migrations for that.
//
// # Tables
//
// The types are those of SQLite; elsewhere INTEGER is 64 bits wide, and TEXT is compared byte by byte.
//
//	resources  seq INTEGER PRIMARY KEY   the order of creation, from [Tx.Sequence]
//	           tenant, type, id TEXT     UNIQUE together; also indexed: (tenant, type, seq), (tenant, type, shape)
//	           version TEXT
//	           document TEXT             the resource as JSON, without the members that are kept apart
//	           members INTEGER           1 when there may be rows in members; 0 when there are none
//	           shape INTEGER             how search was made; 0 when it was not
//	           search JSON, or NULL      the document as filters and orders see it: see package sqlquery
//	uniques    tenant, scope, attribute, value TEXT   PRIMARY KEY together: a value that no other resource may have
//	           owner INTEGER             the resource's seq; indexed
//	terms      tenant, type, attribute, value TEXT, owner INTEGER   PRIMARY KEY together: an index of values; also indexed: owner
//	members    tenant TEXT, owner, position INTEGER   PRIMARY KEY together: the members of the group with this seq, in order
//	           value TEXT                UNIQUE with tenant before it and owner behind it
//	           element TEXT, or NULL     the sub-attributes but value, as JSON, when there are some
//	counts     tenant, type TEXT, slot INTEGER   PRIMARY KEY together; n INTEGER: their sum is how many resources there are
//	shapes     id INTEGER PRIMARY KEY, given by the database from 1; fingerprint TEXT UNIQUE
//
// # Search and terms
//
// The column search and the table terms are made from the document under the schema of its type, when it is written. What they hold
// depends on the schema, on which attributes are indexed, and on this program; the shape of a row names the three. A query trusts rows
// of its own shape. Others are evaluated one by one, so that every answer is right while a new version of a program, or
// of a schema, is rolled out. [Store.Reindex] gives all rows the current shape.
//
// # Queries
//
// A filter that package sqlquery translates is evaluated by the database. For others the documents are read in the order of
// their creation, a few at a time, and evaluated here. In both cases the terms narrow what is looked at, as far as the filter asks for
// values of indexed attributes.
package sqlstore
