// Package memory keeps SCIM resources in memory: for tests, for simulators of services, and for services that load all of their
// directory when they start.
//
//	handler, err := server.New(memory.New(), server.Options{Authenticator: server.BearerTokens(token)})
//
// Nothing is written to disk: what the process held is gone when it ends.
//
// Resources are found by id, userName, externalId, displayName, e-mail address and member through indexes, whatever
// their number; [New] takes more attributes. An eq or sw of one of them in a filter is served by its index, also as a part of and, and
// of an or whose parts are all served. Other filters look at every resource.
//
// Every query works on the resources as they were when it began, and neither waits for changes nor holds them up. A change of a few
// members of a group costs the same in a group of any size.
package memory
