package mapping_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/postman"
)

// without returns the Postman users mapping with one target left out, and others added.
func without(target string, added ...mapping.AttributeMapping) mapping.ObjectMapping {
	m := postmanUsers
	m.Attributes = slices.DeleteFunc(slices.Clone(m.Attributes), func(a mapping.AttributeMapping) bool { return a.Target == target })
	m.Attributes = append(m.Attributes, added...)
	return m
}

func TestCheckPostman(t *testing.T) {
	type am = mapping.AttributeMapping
	tests := []struct {
		name    string
		mapping mapping.ObjectMapping
		want    []string // each the beginning of a problem and what it says
	}{
		{"the tutorial's mapping of users", postmanUsers, nil},
		{"the tutorial's mapping of groups", postmanGroups, nil},
		{"a required attribute that is not mapped", without("name.givenName"), []string{"error: name.givenName|nothing is mapped"}},
		{"a required attribute that is always empty", without("name.givenName", am{Target: "name.givenName", Expression: `Switch([x], "", "a", "")`}), []string{"error: name.givenName|gives no value"}},
		{"a required attribute without a source", without("name.givenName", am{Target: "name.givenName"}), []string{"error: name.givenName|gives no value", "warning: name.givenName|does nothing"}},
		{"a required attribute with a default for its absence", without("name.givenName", am{Target: "name.givenName", Default: "-"}), nil},
		{"a matching attribute that cannot be filtered on", without("userName", am{Target: "userName", Source: "upn"}, am{Target: "externalId", Source: "id", Apply: mapping.OnCreate, Matching: 1}), []string{"error: externalId|These would do: userName", "warning: externalId|only a create"}},
		{"no matching attribute", without("userName", am{Target: "userName", Source: "upn"}), []string{"error: |These would do: userName"}},
		{"the id", without("", am{Target: "id", Source: "x"}), []string{"error: id|gives objects their id"}},
		{"a read-only attribute", without("", am{Target: "meta.created", Source: "x"}), []string{"error: meta.created|read-only"}},
		{"an attribute that Postman does not keep", without("", am{Target: "title", Source: "x"}), []string{"warning: title|It keeps userName, active, name.givenName"}},
		{"an immutable attribute that updates send", without("", am{Target: "externalId", Source: "x"}), []string{"warning: externalId|cannot be changed"}},
		{"an expression with a result that is no boolean", without("active", am{Target: "active", Expression: `Switch([x], "False", "1", "Yes")`}), []string{`error: active|can give "Yes"`}},
		{"an expression with a date for a boolean", without("active", am{Target: "active", Expression: `CDate([x])`}), []string{"error: active|of type boolean"}},
		{"an expression with a list for a single value", without("name.givenName", am{Target: "name.givenName", Expression: `Split([x], ",")`}), []string{"error: name.givenName|gives a list"}},
		{"a resource type that Postman does not have", mapping.ObjectMapping{Source: "Device", Target: "Device", Attributes: []am{{Target: "name", Source: "n", Matching: 1}}}, []string{"error: |no resource type Device"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := postman.Profile()
			m, err := mapping.Compile(tt.mapping, mapping.WithProfile(p))
			if err != nil {
				t.Fatal(err)
			}
			got := m.Check(p)
			if len(got) != len(tt.want) {
				t.Fatalf("got %d problems, want %d:\n%v", len(got), len(tt.want), got)
			}
			for i, want := range tt.want {
				begin, says, _ := strings.Cut(want, "|")
				if text := got[i].String(); !strings.HasPrefix(text, begin) || !strings.Contains(text, says) {
					t.Errorf("problem %d: got %s, want %s … %s", i, text, begin, says)
				}
			}
		})
	}
}

func TestCheckSource(t *testing.T) {
	m := mapping.MustCompile(postmanUsers)
	var got []string
	for _, p := range m.Check(postman.Profile(), "UserPrincipalName", "givenName", "surname", "department") {
		got = append(got, p.String())
	}
	want := []string{
		"warning: the mapping reads userPrincipalName, which the source does not have. Names are compared as they are written: it has UserPrincipalName",
		"warning: the source attribute UserPrincipalName is mapped to nothing",
		"warning: the source attribute department is mapped to nothing",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCheckWithoutProfile(t *testing.T) {
	m := mapping.MustCompile(without("", mapping.AttributeMapping{Target: "groups", Source: "x"}, mapping.AttributeMapping{Target: "colour", Source: "y"}, mapping.AttributeMapping{Target: "department", Source: "z"}))
	var got []string
	for _, p := range m.Check(nil) {
		got = append(got, p.String())
	}
	want := []string{"error: groups: the attribute is read-only", "warning: colour: the schema of User has no such attribute", "warning: department: the schema of User has no such attribute: did you mean " + enterprise + ":department?"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCheckOffers(t *testing.T) {
	p := &profiles.Profile{Name: "small", Resources: []profiles.Resource{{
		Name: "User", Operations: []profiles.Operation{profiles.List}, Deprovision: profiles.Deactivate,
	}}}
	m := mapping.MustCompile(users(mapping.AttributeMapping{Target: "userName", Source: "x", Matching: 1}))
	var got []string
	for _, problem := range m.Check(p) {
		got = append(got, problem.String())
	}
	want := []string{
		"warning: the service cannot create objects of type User",
		"warning: the service cannot update objects of type User",
		"warning: active: the service deprovisions by setting active to false, and nothing is mapped to it",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A mapping is held against the service before anything runs.
func ExampleMapping_Check() {
	users := postmanUsers
	users.Attributes = []mapping.AttributeMapping{
		{Target: "externalId", Source: "employeeId", Matching: 1, Apply: mapping.OnCreate},
		{Target: "userName", Source: "mail"},
		{Target: "active", Constant: "True"},
		{Target: "name.givenName", Source: "givenName"},
	}
	profile := postman.Profile()
	m := mapping.MustCompile(users, mapping.WithProfile(profile))
	for _, problem := range m.Check(profile) {
		if problem.Severity == mapping.Failure {
			fmt.Println(problem)
		}
	}
	// Output:
	// error: name.familyName: the service requires it, and nothing is mapped to it
	// error: externalId: the service cannot filter on it, so it cannot be a matching attribute. These would do: userName
}

func TestCheckReadsConstantsAsTheyCome(t *testing.T) {
	tests := []struct {
		name, expression string
		failures         int
	}{
		{"a hexadecimal number", `IIF([x] = "1", &HF, 1)`, 0},
		{"a list of numbers", `Split("1,2", ",")`, 0},
		{"a list with a text", `Split("1,b", ",")`, 1},
		{"a text", `IIF([x] = "1", "b", 1)`, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := mapping.MustCompile(users(
				mapping.AttributeMapping{Target: "userName", Source: "upn", Matching: 1},
				mapping.AttributeMapping{Target: "urn:x:y:levels", Expression: tt.expression, Type: mapping.TypeInteger, MultiValued: true},
			))
			failures := 0
			for _, p := range m.Check(nil) {
				if p.Severity == mapping.Failure {
					failures++
				}
			}
			if failures != tt.failures {
				t.Errorf("got %v, want %d failures", m.Check(nil), tt.failures)
			}
		})
	}
}
