package mapping_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
)

// A bridge applies the mapping of its directory to SCIM documents that an identity provider sends.
func ExampleReverse() {
	back, problems := mapping.Reverse(postmanUsers)
	fmt.Println(len(problems), "problems")
	m := mapping.MustCompile(back, mapping.WithSchema(nil))
	result, err := m.Map(context.Background(), map[string]any{
		"userName": "zoe.berg@meridian.example",
		"active":   false,
		"name":     map[string]any{"givenName": "Zoë", "familyName": "Berg"},
	}, mapping.Env{})
	if err != nil {
		fmt.Println(err)
		return
	}
	body, _ := result.Create.MarshalJSON()
	fmt.Println(string(body))
	fmt.Println("find by", result.Matching[0].Attribute)
	// Output:
	// 0 problems
	// {"IsSoftDeleted":"True","givenName":"Zoë","surname":"Berg","userPrincipalName":"zoe.berg@meridian.example"}
	// find by userPrincipalName
}

func TestReverse(t *testing.T) {
	type am = mapping.AttributeMapping
	tests := []struct {
		name    string
		mapping am
		want    am // no target: nothing or a problem
		problem string
	}{
		{"direct", am{Target: "name.givenName", Source: "givenName"}, am{Target: "givenName", Source: "name.givenName", NullFlow: mapping.ClearNull}, ""},
		{"direct from an element", am{Target: `emails[type eq "work"].value`, Source: "mail"}, am{Target: "mail", Source: `emails[type eq "work"].value`, NullFlow: mapping.ClearNull}, ""},
		{"only on create", am{Target: "externalId", Source: "id", Apply: mapping.OnCreate}, am{Target: "id", Source: "externalId", Apply: mapping.OnCreate}, ""},
		{"an attribute in Redact", am{Target: "title", Expression: "Redact([x])"}, am{Target: "x", Source: "title", NullFlow: mapping.ClearNull}, ""},
		{"a Switch of texts", am{Target: "userType", Expression: `Switch([kind], , "E", "Employee", "C", "Contractor")`}, am{Target: "kind", Expression: `Switch([userType], , "Employee", "E", "Contractor", "C")`, NullFlow: mapping.ClearNull}, ""},
		{"a Switch of booleans written otherwise", am{Target: "active", Expression: `Switch([off], "true", "1", "false", "0", "true")`}, am{Target: "off", Expression: `Switch([active], , "False", "1", "True", "0")`, NullFlow: mapping.ClearNull}, ""},
		{"a Switch with two keys for a value", am{Target: "active", Expression: `Switch([off], , "1", "False", "yes", "false")`}, am{}, `two of its keys give "false"`},
		{"a Switch with a computed value", am{Target: "title", Expression: `Switch([off], , "1", [x])`}, am{}, "is no text"},
		{"another expression", am{Target: "title", Expression: `ToUpper([x], )`}, am{}, "cannot be turned round"},
		{"a constant", am{Target: "title", Constant: "x"}, am{}, ""},
		{"none", am{Target: "title", Default: "x"}, am{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, problems := mapping.Reverse(users(tt.mapping))
			var want []am
			if tt.want.Target != "" {
				want = []am{tt.want}
			}
			if diff := cmp.Diff(want, got.Attributes); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (tt.problem == "") != (len(problems) == 0) || len(problems) > 0 && !contains(problems[0].Text, tt.problem) {
				t.Errorf("got problems %v, want %q", problems, tt.problem)
			}
			if _, err := mapping.Compile(got, mapping.WithSchema(nil)); err != nil {
				t.Errorf("the reversed mapping: %v", err)
			}
		})
	}
}

func TestReverseUndoes(t *testing.T) {
	source := person()
	forth := mapOne(t, defaultUsers, source)
	back, problems := mapping.Reverse(defaultUsers)
	if len(problems) != 1 || problems[0].Target != "name.formatted" {
		t.Errorf("got problems %v, want one about name.formatted", problems)
	}
	forth.References[0].Put(forth.Create, forth.References[0].IDs...)
	got := mapOne(t, back, forth.Create, mapping.WithSchema(nil))
	want := scim.Document(source)
	want["IsSoftDeleted"] = "False"
	delete(want, "manager")
	if diff := cmp.Diff(want, got.Create); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]mapping.Reference{{Target: "manager", IDs: []string{"E10002"}}}, got.References, ignoreUnexported); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}
