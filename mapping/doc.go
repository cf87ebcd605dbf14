// Package mapping says what an object of a directory becomes in a SCIM service: which objects, which attributes with which
// values, and by what an existing object is recognised. It is the model of Microsoft Entra's attribute mappings and scoping filters,
// written in Go, in a short JSON, or read from Entra's own (package
// [github.com/scimbridge/scim/mapping/graph]).
//
//	m, err := mapping.Compile(mapping.ObjectMapping{
//		Name: "Users", Source: "User", Target: "User",
//		Attributes: []mapping.AttributeMapping{
//			{Target: "userName", Source: "userPrincipalName", Matching: 1},
//			{Target: "active", Expression: `Switch([IsSoftDeleted], , "False", "True", "True", "False")`},
//			{Target: "name.givenName", Source: "givenName"},
//			{Target: "name.familyName", Source: "surname"},
//		},
//	})
//	if problems := m.Check(profile); …
//	if m.InScope(person).In {
//		result, err := m.Map(ctx, person, mapping.Env{})
//		// result.Create, result.Update, result.Matching, …
//	}
//
// Compile finds all that is wrong with a mapping by itself, [Mapping.Check] all that is wrong with it for one service, both before
// anything runs. [Mapping.Explain] tells for one object, step by step, what each attribute mapping gave and why.
//
// A [Mapping] does no I/O of its own, and is safe for concurrent use.
//
// # Where a value comes from
//
// An attribute mapping has one of four kinds: Direct ([AttributeMapping.Source]), Constant, Expression (see package
// [github.com/scimbridge/scim/mapping/expr]), or None of these, which leaves the attribute alone but for its default.
//
// A source attribute is looked up by its name, as written. A source object may itself be a SCIM document, or any other that has
// objects in it: a name that it does not have as it stands is tried as a SCIM path, such as name.familyName or
// emails[type eq "work"].value.
//
// # What happens without a value
//
// A source attribute that is absent, null, an empty list or, in a Direct mapping, an empty text has no value. Then a create sends
// the mapping's default, if there is one, and an update leaves the attribute alone: what was cleared in the source stays in
// the target, as with Entra. [ClearNull] clears it there instead. An empty text that an expression gives is a value.
//
// # Where a value goes
//
// A target is a SCIM path: userName, name.givenName, emails[type eq "work"].value, or one of these after a schema's URN and a colon.
// It is brought to the schema's spelling, and values to the attribute's type: the text "True" becomes true where the target is
// boolean. Mappings with the same value filter fill one element of the list. A list of values mapped to
// emails[type eq "other"].value makes an element for each.
//
// What an update does to an object that the target has is computed by [Mapping.Merge], element by element; package patch makes
// operations of the difference.
//
// Values that refer to other objects, such as manager and members, are not part of the documents. They are in
// [Result.References], as ids of the source, to be resolved when the objects that they refer to are known.
//
// # Scope
//
// Clauses of a [FilterGroup] must all be true, and one group of a mapping at least. The operators are Entra's, in its spelling. See
// [Operator] for their rules. [ObjectMapping.Filter] takes an expression in SCIM's filter language besides; both must
// let an object in.
package mapping
