package provision_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/provision"
)

func TestExplainSaysWhereValuesComeFrom(t *testing.T) {
	w := newWorld(t)
	w.mappings[0].Scope = []mapping.FilterGroup{{Name: "Staff", Clauses: []mapping.Clause{{Attribute: "department", Operator: mapping.Equals, Value: "In"}}}}
	w.mappings[0].Attributes[2] = mapping.AttributeMapping{Target: "name.givenName", Expression: `Redact([salary])`}
	w.mappings[0].Attributes[3] = mapping.AttributeMapping{Target: "name.familyName", Constant: "Byron"}
	w.source.user("1", "ada@example.com", "department", "Out", "salary", "S3CRET", "jobTitle", "Clerk", "accountEnabled", false)
	x, err := w.job().Explain(t.Context(), "User", "1")
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Conditions) != 1 || x.Conditions[0].True || !strings.Contains(x.String(), "scope: ") || x.InScope {
		t.Errorf("conditions %+v", x.Conditions)
	}
	want := []provision.Origin{
		{Attribute: "userName", Kind: mapping.Direct, From: "userPrincipalName", Value: "ada@example.com", Inputs: map[string]string{"userPrincipalName": `"ada@example.com"`}},
		{
			Attribute: "active", Kind: mapping.Expression, From: `Switch([IsSoftDeleted], , "False", "True", "True", "False")`, Value: false,
			Inputs: map[string]string{"IsSoftDeleted": "True"},
		},
		{Attribute: "name.givenName", Kind: mapping.Expression, From: `Redact([salary])`, Value: provision.Redacted},
		{Attribute: "name.familyName", Kind: mapping.Constant, From: `"Byron"`, Value: "Byron"},
		{Attribute: "title", Kind: mapping.Direct, From: "jobTitle", Value: "Clerk", Inputs: map[string]string{"jobTitle": `"Clerk"`}},
	}
	if diff := cmp.Diff(want, x.Values, cmpopts.IgnoreFields(provision.Origin{}, "Outcome")); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	data, err := json.Marshal(x)
	if err != nil || strings.Contains(string(data)+x.String(), "S3CRET") {
		t.Errorf("%s, %v", data, err)
	}
	if len(w.app.journal) != 0 {
		t.Errorf("the target was asked: %q", w.app.journal)
	}
}
