package schema

import elimity "github.com/elimity-com/scim/schema"

// CoreUser returns the schema of users (RFC 7643 sections 4.1 and 8.7.1).
func CoreUser() elimity.Schema { return elimity.CoreUserSchema() }

// CoreGroup returns the schema of groups.
func CoreGroup() elimity.Schema { return elimity.CoreGroupSchema() }

// EnterpriseUser returns the enterprise extension of users.
func EnterpriseUser() elimity.Schema { return elimity.ExtensionEnterpriseUser() }
