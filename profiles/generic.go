package profiles

import "github.com/scimbridge/scim"

// Generic returns the profile of a service of which nothing is known but that it follows RFC 7644: every operation on users and
// groups, any attribute, no rate limit. Users are deactivated, groups deleted.
func Generic() *Profile {
	all := []Operation{Create, Read, List, Replace, Update, Delete}
	return &Profile{
		Name: "generic", Title: "Any SCIM 2.0 service",
		Resources: []Resource{
			{
				Name: "User", Endpoint: "/Users", Schema: scim.UserSchema,
				Operations: all, Deprovision: Deactivate,
			},
			{
				Name: "Group", Endpoint: "/Groups", Schema: scim.GroupSchema,
				Operations: all, Deprovision: DeleteObject, MembersOnCreate: true, NestedGroups: true,
			},
		},
		Paging: Paging{Projection: true},
	}
}
