package mapping_test

import (
	"context"
	"fmt"

	"github.com/scimbridge/scim/mapping"
)

// postmanUsers is the mapping of Microsoft's tutorial for Postman.
var postmanUsers = mapping.ObjectMapping{
	Name: "Users", Source: "User", Target: "User",
	Attributes: []mapping.AttributeMapping{
		{Target: "userName", Source: "userPrincipalName", Matching: 1},
		{Target: "active", Expression: `Switch([IsSoftDeleted], , "False", "True", "True", "False")`},
		{Target: "name.givenName", Source: "givenName"},
		{Target: "name.familyName", Source: "surname"},
	},
}

// postmanGroups is its mapping of groups.
var postmanGroups = mapping.ObjectMapping{
	Name: "Groups", Source: "Group", Target: "Group",
	Attributes: []mapping.AttributeMapping{
		{Target: "displayName", Source: "displayName", Matching: 1},
		{Target: "members", Source: "members"},
	},
}

func Example() {
	m, err := mapping.Compile(postmanUsers)
	if err != nil {
		fmt.Println(err)
		return
	}
	person := map[string]any{
		"userPrincipalName": "zoe.berg@meridian.example",
		"givenName":         "Zoë",
		"surname":           "Berg",
		"IsSoftDeleted":     false,
	}
	result, err := m.Map(context.Background(), person, mapping.Env{})
	if err != nil {
		fmt.Println(err)
		return
	}
	body, _ := result.Create.MarshalJSON()
	fmt.Println(string(body))
	for _, match := range result.Matching {
		fmt.Println("find by", match.Filter())
	}
	// Output:
	// {"active":true,"name":{"familyName":"Berg","givenName":"Zoë"},"userName":"zoe.berg@meridian.example"}
	// find by userName eq "zoe.berg@meridian.example"
}

func ExampleMapping_InScope() {
	users := postmanUsers
	users.Scope = []mapping.FilterGroup{{
		Name: "Engineering",
		Clauses: []mapping.Clause{
			{Attribute: "department", Operator: mapping.Equals, Value: "Engineering"},
			{Attribute: "userPrincipalName", Operator: mapping.IsNotNull},
		},
	}}
	m := mapping.MustCompile(users)
	fmt.Println(m.InScope(map[string]any{"userPrincipalName": "a@x.example", "department": "Engineering"}).In)
	fmt.Println(m.InScope(map[string]any{"userPrincipalName": "b@x.example", "department": "Sales"}).Reason)
	// Output:
	// true
	// filter "Engineering": department EQUALS "Engineering" is not true
}

// References are filled in once the target ids of the objects they refer to are known.
func ExampleReference_Put() {
	m := mapping.MustCompile(postmanGroups)
	group := map[string]any{"displayName": "Designers", "members": []any{"E1", "E2"}}
	result, err := m.Map(context.Background(), group, mapping.Env{})
	if err != nil {
		fmt.Println(err)
		return
	}
	targetIDs := map[string]string{"E1": "901", "E2": "902"}
	for _, r := range result.References {
		var ids []string
		for _, id := range r.IDs {
			ids = append(ids, targetIDs[id])
		}
		r.Put(result.Create, ids...)
	}
	body, _ := result.Create.MarshalJSON()
	fmt.Println(string(body))
	// Output:
	// {"displayName":"Designers","members":[{"value":"901"},{"value":"902"}]}
}
