package graph_test

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/mapping/graph"
)

// The JSON Schema must say what the types hold.
func TestJSONSchemaAgrees(t *testing.T) {
	data, err := os.ReadFile("../../docs/synchronization.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type definition struct {
		Properties map[string]any `json:"properties"`
	}
	var schema struct {
		Properties map[string]any        `json:"properties"`
		Defs       map[string]definition `json:"$defs"`
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		got  map[string]any
		of   any
	}{
		{"the schema", schema.Properties, graph.Schema{}},
		{"directory", schema.Defs["directory"].Properties, graph.Directory{}},
		{"objectDefinition", schema.Defs["objectDefinition"].Properties, graph.ObjectDefinition{}},
		{"attributeDefinition", schema.Defs["attributeDefinition"].Properties, graph.AttributeDefinition{}},
		{"rule", schema.Defs["rule"].Properties, graph.Rule{}},
		{"objectMapping", schema.Defs["objectMapping"].Properties, graph.ObjectMapping{}},
		{"attributeMapping", schema.Defs["attributeMapping"].Properties, graph.AttributeMapping{}},
		{"source", schema.Defs["source"].Properties, graph.Source{}},
		{"parameter", schema.Defs["parameter"].Properties, graph.Parameter{}},
		{"filter", schema.Defs["filter"].Properties, graph.Filter{}},
		{"filterGroup", schema.Defs["filterGroup"].Properties, graph.FilterGroup{}},
		{"filterClause", schema.Defs["filterClause"].Properties, graph.FilterClause{}},
		{"filterOperand", schema.Defs["filterOperand"].Properties, graph.FilterOperand{}},
	} {
		var want, got []string
		for i := range reflect.TypeOf(tt.of).NumField() {
			if name, _, _ := strings.Cut(reflect.TypeOf(tt.of).Field(i).Tag.Get("json"), ","); name != "-" {
				want = append(want, name)
			}
		}
		for name := range tt.got {
			got = append(got, name)
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-code +schema):\n%s", tt.name, diff)
		}
	}
}
