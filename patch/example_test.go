package patch_test

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/schema"
)

func ExampleApply() {
	doc := scim.Document{"userName": "bjensen", "active": true}

	// What Microsoft Entra sends to disable a user and give them a work address.
	result, err := patch.Apply(schema.User(), doc, []scim.PatchOperation{
		{Op: "Replace", Path: "active", Value: "False"},
		{Op: "Add", Path: `emails[type eq "work"].value`, Value: "bjensen@example.com"},
	}, patch.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Changed, result.Document["active"], result.Document["emails"])
	fmt.Println("the old document:", doc["active"])
	// Output:
	// true false [map[type:work value:bjensen@example.com]]
	// the old document: true
}

func ExampleApply_refused() {
	doc := scim.Document{"userName": "bjensen"}
	_, err := patch.Apply(schema.User(), doc, []scim.PatchOperation{
		{Op: scim.OpReplace, Path: "title", Value: "Guide"},
		{Op: scim.OpRemove, Path: "userName"},
	}, patch.Options{})
	if refused, ok := errors.AsType[*scim.Error](err); ok {
		fmt.Println(refused.Status, refused.Type, refused.Operation, refused.Attribute)
	}
	// Output: 400 mutability 2 userName
}

func ExampleTarget() {
	group := patch.NewTarget(schema.Group(), scim.Document{"displayName": "Guides"})
	for _, id := range []string{"u1", "u2", "u1"} {
		changed, err := group.Apply([]scim.PatchOperation{
			{Op: scim.OpAdd, Path: "members", Value: []any{map[string]any{"value": id}}},
		}, patch.Options{})
		fmt.Println(id, changed, err)
	}
	fmt.Println(group.Len("members"), group.Document()["members"])
	// Output:
	// u1 true <nil>
	// u2 true <nil>
	// u1 false <nil>
	// 2 [map[value:u1] map[value:u2]]
}

func ExampleDiff() {
	old := scim.Document{
		"userName": "bjensen", "active": true, "title": "Guide",
		"emails": []any{map[string]any{"type": "work", "value": "bjensen@example.com"}},
	}
	new := scim.Document{
		"userName": "bjensen", "active": false,
		"emails": []any{map[string]any{"type": "work", "value": "babs@example.com"}},
	}
	for _, dialect := range []patch.Dialect{patch.RFC7644(), patch.Entra()} {
		ops, err := patch.Diff(schema.User(), old, new, dialect)
		if err != nil {
			fmt.Println(err)
			return
		}
		printOperations(ops)
	}
	// Output:
	// {"op":"replace","path":"active","value":false}
	// {"op":"remove","path":"title"}
	// {"op":"replace","path":"emails[type eq \"work\"].value","value":"babs@example.com"}
	// {"op":"Replace","path":"active","value":"False"}
	// {"op":"Remove","path":"title"}
	// {"op":"Replace","path":"emails[type eq \"work\"].value","value":"babs@example.com"}
}

func ExampleDialect_MemberOperations() {
	dialect := patch.Dialect{MembersPerRequest: 2}
	ops, err := dialect.MemberOperations([]string{"u3", "u4", "u5"}, []string{"u1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, request := range dialect.Chunk(ops) {
		fmt.Println("request", i+1)
		printOperations(request)
	}
	// Output:
	// request 1
	// {"op":"remove","path":"members[value eq \"u1\"]"}
	// {"op":"add","path":"members","value":[{"value":"u3"}]}
	// request 2
	// {"op":"add","path":"members","value":[{"value":"u4"},{"value":"u5"}]}
}

func printOperations(ops []scim.PatchOperation) {
	for _, op := range ops {
		data, err := json.Marshal(op, json.Deterministic(true))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(string(data))
	}
}
