package mapping_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/mapping"
)

// The expression builder's test box for a whole object.
func ExampleMapping_Explain() {
	users := postmanUsers
	users.Scope = []mapping.FilterGroup{{Name: "Engineering", Clauses: []mapping.Clause{
		{Attribute: "department", Operator: mapping.Equals, Value: "Engineering"},
	}}}
	m := mapping.MustCompile(users)
	fmt.Print(m.Explain(context.Background(), map[string]any{
		"userPrincipalName": "zoe.berg@meridian.example", "givenName": "Zoë", "department": "Sales", "IsSoftDeleted": true,
	}, mapping.Env{}))
	// Output:
	// Mapping Users
	// Out of scope: filter "Engineering": department EQUALS "Engineering" is not true
	//   no  scope, filter "Engineering": department EQUALS "Engineering"   (it is "Sales")
	// userName = "zoe.berg@meridian.example"
	//   direct userPrincipalName
	//   [userPrincipalName] is "zoe.berg@meridian.example"
	//   sent with creates and updates
	// active = false
	//   expression Switch([IsSoftDeleted], , "False", "True", "True", "False")
	//   [IsSoftDeleted] is True
	//   sent with creates and updates
	// name.givenName = "Zoë"
	//   direct givenName
	//   [givenName] is "Zoë"
	//   sent with creates and updates
	// name.familyName
	//   direct surname
	//   [surname] is null
	//   no value: left out of a create, left alone by an update
	// Found in the target by userName eq "zoe.berg@meridian.example"
}

func TestExplain(t *testing.T) {
	type am = mapping.AttributeMapping
	tests := []struct {
		name    string
		mapping am
		source  object
		want    []string
	}{
		{"an error, with the place in the expression", am{Expression: `Append("x", CDate([x]))`}, object{"x": "soon"}, []string{"the object fails", "error: mapping Users: title: expr:", "^"}},
		{"a default", am{Source: "x", Default: "Staff", NullFlow: mapping.ClearNull}, object{}, []string{`no value: a create sends the default "Staff", cleared by an update`}},
		{"a constant", am{Constant: "Staff"}, object{}, []string{`title = "Staff"`, `constant "Staff"`}},
		{"none", am{}, object{}, []string{"  none\n", "left out of a create, left alone by an update"}},
		{"only a create", am{Source: "x", Apply: mapping.OnCreate}, object{"x": "y"}, []string{"sent with a create only"}},
		{"an ignored attribute", am{Expression: "IgnoreFlowIfNullOrEmpty([x])"}, object{}, []string{"left out: the expression says so"}},
		{"an ignored object", am{Expression: `IIF([x] = "y", IgnoreObjectFlow, "z")`}, object{"x": "y"}, []string{"left out of this cycle"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.mapping.Target = "title"
			got := mapping.MustCompile(users(tt.mapping)).Explain(context.Background(), tt.source, mapping.Env{}).String()
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("got:\n%s\nwant it to say %q", got, want)
				}
			}
		})
	}
}

func TestExplainAgreesWithMap(t *testing.T) {
	m := mapping.MustCompile(postmanUsers)
	person := object{"userPrincipalName": "a@x", "givenName": "A", "surname": "B", "IsSoftDeleted": "True"}
	want, err := m.Map(context.Background(), person, mapping.Env{})
	if err != nil {
		t.Fatal(err)
	}
	got := m.Explain(context.Background(), person, mapping.Env{})
	if diff := cmp.Diff(want, got.Result, ignoreUnexported); diff != "" || got.Err != nil {
		t.Errorf("error %v (-map +explain):\n%s", got.Err, diff)
	}
}

func TestExplainHidesWhatIsRedacted(t *testing.T) {
	m := mapping.MustCompile(users(
		mapping.AttributeMapping{Target: "userName", Expression: "Redact([ssn])", Matching: 1},
		mapping.AttributeMapping{Target: "title", Source: "jobTitle"},
	))
	e := m.Explain(context.Background(), object{"ssn": "123-45", "jobTitle": "Lead"}, mapping.Env{})
	if text := e.String(); strings.Contains(text, "123-45") || !strings.Contains(text, "[Redact]") {
		t.Errorf("got:\n%s\nwant the value left out", text)
	}
	if diff := cmp.Diff([]string{"userName"}, e.Result.Redacted); diff != "" {
		t.Errorf("redacted (-want +got):\n%s", diff)
	}
	if got := e.Result.Create["userName"]; got != "123-45" {
		t.Errorf("got userName %v, want the value to flow", got)
	}
}
