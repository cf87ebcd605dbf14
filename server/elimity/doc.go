// Package elimity serves the resource handlers of an existing github.com/elimity-com/scim server, as they are, behind package server.
//
//	handler, err := elimity.New(resourceTypes, server.Options{
//		Authenticator: server.BearerTokens(os.Getenv("SCIM_TOKEN")),
//	})
//
// resourceTypes are those that were given to scim.NewServer in its ServerArgs. Their handlers get what they got before, and everything
// else is done by package server: routing, schema validation, PATCH, filters, sortBy, attributes, entity-tags, groups of users and
// members of groups, limits, errors and the discovery endpoints.
//
// # What a handler sees
//
// Create, Get, GetAll, Replace and Delete are called as that library documents. Attributes are canonical: names as the schema spells
// them, integers as int64, arrays as []interface{}, objects as map[string]interface{}, extensions below their URN. They belong to
// the handler. The request has no body, because that has been read.
//
// A PATCH is applied here and reaches the handler as Replace with the result. With [Options.Patch] it reaches Patch instead, as the fewest
// operations that have the same effect, for handlers whose Replace would lose what clients never see, such as a password. So it does when
// Replace answers 501 or 405.
//
// Resources that handlers return may hold any Go types. They are copied: nothing that a handler returns is changed here.
//
// # Filters
//
// Filters are parsed and evaluated by package filter, whatever the handler makes of them. GetAll gets a FilterValidator, so that it can
// read less; its expressions are made from the parsed and bounded filter, and no text from the network reaches the library's parser. What
// the validator has depends on [Options.Filters]: by default only comparisons which the library's PassesFilter evaluates as RFC 7644
// has it, so that neither its panics nor its mistakes show.
//
// A query that has a filter or an order reads all resources that GetAll returns for the validator. One for an id calls Get. Another is
// a page of GetAll, in the handler's order, which has to be the same for each page: of a handler that ranges over a map, say so with
// Options.Unordered.
//
// # What differs from package server with a store of its own
//
// Handlers have no versions that a change could be bound to. The version of a resource is made from its content, and changes of one
// resource by the same process wait for each other: no change is lost between them, but one is possible between processes.
// After a restart a resource that was written before may have another entity-tag with the same content.
//
// Handlers choose ids, so there are no bulk requests, whose references need ids before there are resources. There are no cursors, because
// handlers have pages by index only. Uniqueness is what Create and Replace say: return ScimErrorUniqueness.
//
// Groups of users are found by reading the groups, and members are looked up, with the groups' and the users' handlers. Leave the attribute
// groups out of the schema of users to save the first; exclude members to save the second.
package elimity
