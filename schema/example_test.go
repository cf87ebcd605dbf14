package schema_test

import (
	"fmt"

	elimity "github.com/elimity-com/scim/schema"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// A document as Entra sends it becomes one that the rest of a program can rely on.
func Example() {
	received, err := scim.DecodeDocument([]byte(`{
		"UserName": "taylor.lee@example.com",
		"active": "True",
		"name": {"familyname": "Lee"},
		"roles": [],
		"title": null,
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": "26118915"}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	user, err := schema.User().Canonical(received, schema.Options{Mode: schema.ModeCreate, Tolerant: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(user["userName"], user["active"], user["name"], user["roles"], user["title"])
	fmt.Println(user[scim.EnterpriseUserSchema])
	fmt.Println(user["schemas"])
	// Output:
	// taylor.lee@example.com true map[familyName:Lee] <nil> <nil>
	// map[manager:map[value:26118915]]
	// [urn:ietf:params:scim:schemas:core:2.0:User urn:ietf:params:scim:schemas:extension:enterprise:2.0:User]
}

func ExampleSchema_Canonical_error() {
	_, err := schema.User().Canonical(scim.Document{
		"userName": "taylor.lee@example.com",
		"emails": []any{
			map[string]any{"value": "taylor.lee@example.com"},
			map[string]any{"value": int64(42)},
		},
	}, schema.Options{})
	fmt.Println(err)
	// Output: scim: 400 invalidValue: emails[1].value: must be a string, not 42
}

func ExampleCompile() {
	badge := elimity.Schema{
		ID: "urn:example:params:scim:schemas:extension:badge:1.0:User",
		Attributes: []elimity.CoreAttribute{
			elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{
				Name: "number", Required: true, Mutability: elimity.AttributeMutabilityImmutable(),
			})),
		},
	}
	users, err := schema.Compile(schema.CoreUser(), schema.Extension{Schema: badge})
	if err != nil {
		fmt.Println(err)
		return
	}
	number, ok := users.Lookup("URN:example:params:scim:schemas:extension:badge:1.0:user:NUMBER")
	fmt.Println(ok, number.Name, number.Type, number.Mutability)
	// Output: true number string immutable
}

func ExampleSchema_Project() {
	users := schema.User()
	projection, err := users.Projection([]string{"userName,emails.value"}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(users.Project(scim.Document{
		"id": "2819c223", "userName": "taylor", "password": "t1meMa$heen", "title": "Tour Guide",
		"emails": []any{map[string]any{"value": "taylor@example.com", "type": "work"}},
	}, projection))
	// Output: map[emails:[map[value:taylor@example.com]] id:2819c223 userName:taylor]
}

func ExampleSchema_Replace() {
	users := schema.User()
	stored := scim.Document{"id": "2819c223", "userName": "taylor", "title": "Guide", "password": "t1meMa$heen"}
	replaced, err := users.Replace(stored, scim.Document{"userName": "taylor.lee"})
	fmt.Println(replaced, err)
	// Output: map[id:2819c223 password:t1meMa$heen schemas:[urn:ietf:params:scim:schemas:core:2.0:User] userName:taylor.lee] <nil>
}
