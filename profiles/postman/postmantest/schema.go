package postmantest

import (
	"sync"

	elimity "github.com/elimity-com/scim/schema"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

// What Postman keeps of users and groups, and nothing else: attributes that are not here are ignored in requests (rules 13 and 14).
// Nothing is required and nothing unique here, because hooks answer both as Postman does. Names are caseExact, because filters
// are (rule 35).

func userSchema() elimity.Schema {
	return elimity.Schema{ID: scim.UserSchema, Attributes: elimity.Attributes{
		text("userName", true),
		elimity.ComplexCoreAttribute(elimity.ComplexParams{
			Name:          "name",
			SubAttributes: []elimity.SimpleParams{plainText("givenName", true), plainText("familyName", true)},
		}),
		elimity.SimpleCoreAttribute(elimity.SimpleBooleanParams(elimity.BooleanParams{Name: "active"})),
	}}
}

func groupSchema() elimity.Schema {
	return elimity.Schema{ID: scim.GroupSchema, Attributes: elimity.Attributes{
		text("displayName", true),
		elimity.ComplexCoreAttribute(elimity.ComplexParams{
			Name: "members", MultiValued: true,
			SubAttributes: []elimity.SimpleParams{plainText("value", true), plainText("display", false)},
		}),
	}}
}

func text(name string, exact bool) elimity.CoreAttribute {
	return elimity.SimpleCoreAttribute(plainText(name, exact))
}

func plainText(name string, exact bool) elimity.SimpleParams {
	return elimity.SimpleStringParams(elimity.StringParams{Name: name, CaseExact: exact})
}

// canonicalOptions are how the simulator brings documents of its own to canonical form.
var canonicalOptions = schema.Options{}

var compiledSchemas = sync.OnceValue(func() map[string]*schema.Schema {
	compiled := map[string]*schema.Schema{}
	for name, s := range map[string]elimity.Schema{"User": userSchema(), "Group": groupSchema()} {
		c, err := schema.Compile(s)
		if err != nil {
			// They are constants of this file, and tested.
			panic(err)
		}
		compiled[name] = c
	}
	return compiled
})

func schemaOf(typ string) *schema.Schema { return compiledSchemas()[typ] }

func userType() server.ResourceType {
	return server.ResourceType{
		Name: "User", Endpoint: "/Users", Schema: userSchema(), PutMerges: true, IgnoreUnknownPaths: true,
		Operations: server.OpCreate | server.OpRead | server.OpList | server.OpReplace | server.OpPatch,
	}
}

func groupType() server.ResourceType {
	return server.ResourceType{
		Name: "Group", Endpoint: "/Groups", Schema: groupSchema(), IgnoreUnknownPaths: true,
		Operations: server.OpCreate | server.OpRead | server.OpList | server.OpPatch | server.OpDelete,
	}
}
