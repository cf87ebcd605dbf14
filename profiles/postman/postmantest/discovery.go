package postmantest

// serviceProviderConfig is what GET /ServiceProviderConfig answers (rule 10).
const serviceProviderConfig = `{
  "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
  "documentationUri": "https://learning.postman.com/docs/administration/scim-provisioning/scim-provisioning-overview/",
  "patch": {"supported": true},
  "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
  "filter": {"supported": true, "maxResults": 100},
  "changePassword": {"supported": false},
  "sort": {"supported": false},
  "etag": {"supported": false},
  "authenticationSchemes": [{
    "name": "OAuth Bearer Token",
    "description": "A SCIM API key as a bearer token",
    "specUri": "http://www.rfc-editor.org/info/rfc6750",
    "type": "oauthbearertoken"
  }],
  "meta": {"resourceType": "ServiceProviderConfig", "location": "https://api.postman.com/scim/v2/ServiceProviderConfig"}
}`

// resourceTypes is what GET /ResourceTypes answers: an array without a ListResponse around it, in which the enterprise extension is
// called required although no user has it (rule 11).
const resourceTypes = `[
  {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
    "id": "User", "name": "User", "endpoint": "/Users", "description": "User account",
    "schema": "urn:ietf:params:scim:schemas:core:2.0:User",
    "schemaExtensions": [{"schema": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "required": true}]
  },
  {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
    "id": "Group", "name": "Group", "endpoint": "/Groups", "description": "Group",
    "schema": "urn:ietf:params:scim:schemas:core:2.0:Group"
  }
]`
