// Package graph reads and writes the JSON in which Microsoft Entra keeps a provisioning job's mappings: the synchronizationSchema of
// Microsoft Graph, which the portal shows under "Review your schema".
//
//	s, err := graph.Load("schema.json") // as downloaded from the portal
//	mappings, err := s.Mappings()       // as package mapping has them
//	m, err := mapping.Compile(mappings[0])
//
// Nothing is lost on the way: what a [Schema] does not know it keeps, down to members that are null, and [Schema.Format] writes it
// again. [Schema.Update] puts changed mappings back and leaves everything else as it was.
//
// # Expressions
//
// Entra writes an expression twice: as text, and as a tree of functions with their parameters. Where there is a text it is what
// counts; [Source.Node] reads the tree where there is none, and [NewSource] writes both.
//
// # What the two forms do not share
//
// A rule's containerFilter and groupFilter and a scope's categoryFilterGroups have no place in package mapping. Where they hold
// something, Mappings refuses the schema, because without them more objects would be in scope.
//
// A filter in SCIM's filter language ([mapping.ObjectMapping].Filter), and clearing of values (NullFlow) where the attribute
// definitions do not have flowNullValues, have no place in Entra's form: Update and New refuse them. So do types of target attributes other
// than those of the attribute definitions, which New makes and Update leaves alone. Notes are left out.
package graph
