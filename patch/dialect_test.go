package patch_test

import (
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/scimbridge/scim/patch"
)

func TestDialectJSON(t *testing.T) {
	tests := []struct {
		name, text string
		dialect    patch.Dialect
	}{
		{"the zero value is the RFC's", `{}`, patch.RFC7644()},
		{
			"entra", `{"titleCaseOps":true,"stringBooleans":true,"addAbsent":true,"memberRemoval":"valueArray"}`,
			patch.Entra(),
		},
		{"entra with its flag", `{"form":"dotted"}`, patch.EntraOptSCIM()},
		{"okta", `{"form":"pathless","pathlessId":true}`, patch.Okta()},
		{
			"limits", `{"pathless":["active"],"membersPerRequest":100,"operationsPerRequest":10}`,
			patch.Dialect{Pathless: []string{"active"}, MembersPerRequest: 100, OperationsPerRequest: 10},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data, err := json.Marshal(tt.dialect)
			if err != nil {
				t.Fatal(err)
			}
			if string(data) != tt.text {
				t.Errorf("got %s, want %s", data, tt.text)
			}
			var got patch.Dialect
			if err := json.Unmarshal([]byte(tt.text), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.dialect, got); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDialectJSONRefusesUnknownWords(t *testing.T) {
	for _, text := range []string{`{"form":"flat"}`, `{"memberRemoval":"all"}`} {
		var d patch.Dialect
		if err := json.Unmarshal([]byte(text), &d); err == nil {
			t.Errorf("%s was read as %+v", text, d)
		}
	}
}
