package schema

import (
	"slices"

	"github.com/elimity-com/scim/optional"
	elimity "github.com/elimity-com/scim/schema"
)

// CoreUser returns the schema of users (RFC 7643 section 4.1).
//
// It is elimity's CoreUserSchema with groups.value caseExact. RFC 7643 section 8.7.1 prints it as false, but the value is the id
// of a group, and an id is caseExact (section 3.1): groups aB and Ab are two. Where elimity departs from section
// 8.7.1 the text of the RFC supports it, and it is left: addresses have the sub-attribute primary (section 2.4), and
// references and binaries are caseExact (sections 2.3.6 and 2.3.7).
func CoreUser() elimity.Schema {
	return replaceAttribute(elimity.CoreUserSchema(), elimity.ComplexParams{
		Name:        "groups",
		Description: optional.NewString("The groups that the user belongs to, directly or through other groups. Changes go through the groups."),
		MultiValued: true,
		Mutability:  elimity.AttributeMutabilityReadOnly(),
		SubAttributes: []elimity.SimpleParams{
			idOf("The id of the group.", elimity.AttributeMutabilityReadOnly()),
			refTo("The URI of the group.", elimity.AttributeMutabilityReadOnly(), "User", "Group"),
			text("display", "A name of the group for people to read.", elimity.AttributeMutabilityReadOnly()),
			text("type", "Whether the membership is direct or indirect.", elimity.AttributeMutabilityReadOnly(), "direct", "indirect"),
		},
	})
}

// CoreGroup returns the schema of groups (RFC 7643 section 4.2). It is elimity's CoreGroupSchema with members.value
// caseExact, for the reason given at [CoreUser]. As there, displayName is required, which the text of the RFC says and
// section 8.7.1 does not, and members have the sub-attribute display of section 2.4.
func CoreGroup() elimity.Schema {
	return replaceAttribute(elimity.CoreGroupSchema(), elimity.ComplexParams{
		Name:        "members",
		Description: optional.NewString("The members of the group."),
		MultiValued: true,
		SubAttributes: []elimity.SimpleParams{
			idOf("The id of the member.", elimity.AttributeMutabilityImmutable()),
			refTo("The URI of the member.", elimity.AttributeMutabilityImmutable(), "User", "Group"),
			text("type", "What the member is: a User or a Group.", elimity.AttributeMutabilityImmutable(), "User", "Group"),
			text("display", "A name of the member for people to read.", elimity.AttributeMutabilityImmutable()),
		},
	})
}

// EnterpriseUser returns the enterprise extension of users (RFC 7643 section 4.3). It is elimity's ExtensionEnterpriseUser
// with manager.value caseExact, for the reason given at [CoreUser].
func EnterpriseUser() elimity.Schema {
	return replaceAttribute(elimity.ExtensionEnterpriseUser(), elimity.ComplexParams{
		Name:        "manager",
		Description: optional.NewString("The user's manager."),
		SubAttributes: []elimity.SimpleParams{
			idOf("The id of the manager's user.", elimity.AttributeMutabilityReadWrite()),
			refTo("The URI of the manager's user.", elimity.AttributeMutabilityReadWrite(), "User"),
			text("displayName", "The displayName of the manager.", elimity.AttributeMutabilityReadOnly()),
		},
	})
}

// replaceAttribute returns the schema with another definition of an attribute that it has.
func replaceAttribute(s elimity.Schema, p elimity.ComplexParams) elimity.Schema {
	s.Attributes = slices.Clone(s.Attributes)
	for i, a := range s.Attributes {
		if a.Name() == p.Name {
			s.Attributes[i] = elimity.ComplexCoreAttribute(p)
		}
	}
	return s
}

func idOf(description string, m elimity.AttributeMutability) elimity.SimpleParams {
	return elimity.SimpleStringParams(elimity.StringParams{
		Name: "value", CaseExact: true, Mutability: m, Description: optional.NewString(description),
	})
}

func refTo(description string, m elimity.AttributeMutability, types ...elimity.AttributeReferenceType) elimity.SimpleParams {
	return elimity.SimpleReferenceParams(elimity.ReferenceParams{
		Name: "$ref", Mutability: m, Description: optional.NewString(description), ReferenceTypes: types,
	})
}

func text(name, description string, m elimity.AttributeMutability, canonical ...string) elimity.SimpleParams {
	return elimity.SimpleStringParams(elimity.StringParams{
		Name: name, Mutability: m, Description: optional.NewString(description), CanonicalValues: canonical,
	})
}
