// Package postgres keeps SCIM resources in PostgreSQL, so that any number of processes on any number of machines serve the same directory.
//
//	store, err := postgres.Open(ctx, "postgres://scim@db.example.com/directory?sslmode=verify-full")
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//	handler, err := server.New(store, server.Options{Authenticator: server.BearerTokens(token)})
//
// PostgreSQL 14 and later are supported. The processes keep nothing in memory that another one would have to know: each can be stopped
// or killed at any time, and others go on.
//
// # Tables
//
// Open makes the tables, or brings them to the version of this package, however many processes start at the same time. Tables of a newer
// version are refused. They are in a schema named scim, which is made when it is not there; when the connection string has a
// search_path they are in its first schema instead. Once they are there, the right to read and write them is all that is needed.
//
// # What is kept when
//
// A change that a client was told of is committed, whole. Unique values, such as userName, are kept unique by the database, also between
// processes. Changes of one resource wait for each other; those of members of one group do as well, but each costs only what it changes.
//
// # When the database fails
//
// A transaction that was undone because of others (a deadlock, a serialization failure), or whose connection was lost before it was to be
// committed, is run again for some seconds. When that does not help, the result is a *scim.Error with status 503 and RetryAfter. It is
// the same when the connection is lost while a change is being committed: then nobody knows whether it was, and it is not repeated. When
// the context ends, the statement that runs is cancelled on the server.
//
// # What is fast
//
// Resources are found by id, by userName, externalId, displayName, e-mail address, member, and all attributes that are declared unique
// through indexes, whatever their number; [Indexed] takes more. An eq or sw of one of them in a filter is served by its index, also as
// a part of and, and of an or whose parts are all served.
//
// # Poolers
//
// Statements are planned for the values that they have, and none is kept prepared on the server. So a pooler that shares connections between
// transactions can be in between; PgBouncer needs ignore_startup_parameters = search_path, and the search path set for the role.
package postgres
