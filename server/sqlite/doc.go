// Package sqlite keeps SCIM resources in one SQLite file, without cgo and without a database server.
//
//	store, err := sqlite.Open(ctx, "scim.db")
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//	handler, err := server.New(store, server.Options{Authenticator: server.BearerTokens(token)})
//
// The file is made when it is not there, readable for its owner only, and brought up to date when it is of an older version of this
// package. One of a newer version is refused. It may be used by several processes of one machine at the same time. It must be on a
// local disk: SQLite's locks do not work reliably on network file systems.
//
// # What is kept when
//
// A change that a client was told of is in the file, whole: it survives the end of the process at any moment, and also a
// crash of the machine or a power cut, as far as the disk keeps what it says it has written. [Relaxed] trades the latter for
// speed: after a power cut the last changes may be missing, but the file is never damaged and no change is there by half.
//
// # What is fast
//
// Resources are found by id, by userName, externalId, displayName, e-mail address, member, and all attributes that are declared unique
// through indexes, whatever their number; [Indexed] takes more. An eq or sw of one of them in a filter is served by its index, also as
// a part of and, and of an or whose parts are all served. Other filters look at every resource, in the database where their translation
// to SQL is exact, else one document after the other.
//
// Members of groups are rows of their own. Adding one to a group writes one of them, whatever the size of the group.
//
// Readers work on the state of the moment when they began, and neither wait for a writer nor hold one up. Writers take turns. One that
// does not get its turn in time, because another process holds the file, gets a *scim.Error with status 503.
package sqlite
