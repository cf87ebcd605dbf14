package graph_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/mapping/expr"
	"github.com/scimbridge/scim/mapping/graph"
	"github.com/scimbridge/scim/profiles/postman"
)

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

type object = map[string]any

func load(t *testing.T, name string) *graph.Schema {
	t.Helper()
	s, err := graph.Load(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tree reads JSON; numbers stay as they are written.
func tree(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func compiled(t *testing.T, s *graph.Schema, at int, opts ...mapping.Option) *mapping.Mapping {
	t.Helper()
	mappings, err := s.Mappings()
	if err != nil {
		t.Fatal(err)
	}
	m, err := mapping.Compile(mappings[at], opts...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRoundTripLosesNothing(t *testing.T) {
	for _, name := range []string{"custom-scim-app.json", "postman.json"} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			s, err := graph.Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			want := tree(t, data)
			check := func(when string) {
				t.Helper()
				written, err := s.Format()
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, tree(t, written)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", when, diff)
				}
			}
			check("decoded")
			mappings, err := s.Mappings()
			if err != nil {
				t.Fatal(err)
			}
			// Also by way of our own JSON.
			own, err := mapping.File{Mappings: mappings}.Format()
			if err != nil {
				t.Fatal(err)
			}
			file, err := mapping.Decode(own)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(mappings, file.Mappings); diff != "" {
				t.Errorf("our JSON (-want +got):\n%s", diff)
			}
			if err := s.Update(file.Mappings...); err != nil {
				t.Fatal(err)
			}
			check("updated with what it had")
		})
	}
}

func TestDecodeKeepsWhatItDoesNotKnow(t *testing.T) {
	for _, text := range []string{
		`{}`,
		`{"id":null,"synchronizationRules":null,"future":{"a":[1,2.50,null]}}`,
		`{"synchronizationRules":[{"priority":0,"editable":false,"objectMappings":[{"enabled":false,"scope":null,"attributeMappings":[{"source":null,"defaultValue":"x","matchingPriority":0}]}]}]}`,
		`{"synchronizationRules":[{"objectMappings":[{"attributeMappings":[{"source":{"type":"Function","name":"F","parameters":[{"key":"a","value":null,"z":{"y":1}}],"@odata.type":"#t"}}],"scope":{"groups":[{"clauses":[{"targetOperand":{"values":null}}]}],"categoryFilterGroups":[]}}]}]}`,
		`{"directories":[{"objects":[{"attributes":[{"name":"a","referencedObjects":[{"referencedObjectName":"User"}],"anchor":false}]}]}]}`,
	} {
		s, err := graph.Decode([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		written, err := s.Format()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tree(t, []byte(text)), tree(t, written)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"no JSON", `{`, "EOF"},
		{"a list", `[]`, "array"},
		{"null", `null`, "not null"},
		{"null in a list", `{"directories":[null]}`, "not null"},
		{"a name given twice", `{"id":"a","id":"b"}`, "duplicate"},
		{"a value of the wrong type", `{"synchronizationRules":[{"priority":"first"}]}`, "priority"},
		{"nesting without end", strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200), "nested deeper"},
		{"text that is too long", `"` + strings.Repeat("a", 8<<20) + `"`, "longer than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := graph.Decode([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want it to say %q", err, tt.want)
			}
		})
	}
}

func TestDefaultMapping(t *testing.T) {
	s := load(t, "custom-scim-app.json")
	t.Run("a person with everything", func(t *testing.T) {
		result, err := compiled(t, s, 0).Map(context.Background(), object{
			"userPrincipalName": "zoe.berg@meridian.example", "IsSoftDeleted": false, "displayName": "Zoë Berg", "jobTitle": "Designer",
			"mail": "zoe@meridian.example", "preferredLanguage": "nb-NO", "givenName": "Zoë", "surname": "Berg",
			"physicalDeliveryOfficeName": "Oslo 3", "streetAddress": "Storgata 1", "city": "Oslo", "state": "Oslo", "postalCode": "0155",
			"country": "NO", "telephoneNumber": "+47 22 00 00 00", "mobile": "+47 900 00 000", "facsimileTelephoneNumber": "+47 22 00 00 01",
			"mailNickname": "zoe", "employeeId": "E10001", "department": "Design", "manager": "E10002",
		}, mapping.Env{})
		if err != nil {
			t.Fatal(err)
		}
		want := scim.Document{
			"userName": "zoe.berg@meridian.example", "active": true, "displayName": "Zoë Berg", "title": "Designer",
			"emails":            []any{object{"type": "work", "value": "zoe@meridian.example"}},
			"preferredLanguage": "nb-NO", "name": object{"givenName": "Zoë", "familyName": "Berg", "formatted": "Zoë Berg"},
			"addresses": []any{object{
				"type": "work", "formatted": "Oslo 3", "streetAddress": "Storgata 1", "locality": "Oslo", "region": "Oslo",
				"postalCode": "0155", "country": "NO",
			}},
			"phoneNumbers": []any{
				object{"type": "work", "value": "+47 22 00 00 00"},
				object{"type": "mobile", "value": "+47 900 00 000"},
				object{"type": "fax", "value": "+47 22 00 00 01"},
			},
			"externalId": "zoe",
			enterprise:   object{"employeeNumber": "E10001", "department": "Design"},
		}
		if diff := cmp.Diff(want, result.Create); diff != "" {
			t.Errorf("create (-want +got):\n%s", diff)
		}
		if got := result.References; len(got) != 1 || got[0].Target != enterprise+":manager" || got[0].IDs[0] != "E10002" {
			t.Errorf("got references %v, want the manager E10002", got)
		}
	})
	t.Run("a person with next to nothing", func(t *testing.T) {
		result, err := compiled(t, s, 0).Map(context.Background(), object{"userPrincipalName": "ola@meridian.example", "IsSoftDeleted": true, "surname": "Nordmann"}, mapping.Env{})
		if err != nil {
			t.Fatal(err)
		}
		want := scim.Document{
			"userName": "ola@meridian.example", "active": false, "name": object{"familyName": "Nordmann", "formatted": "Nordmann"},
		}
		if diff := cmp.Diff(want, result.Create); diff != "" {
			t.Errorf("create (-want +got):\n%s", diff)
		}
	})
	t.Run("a group", func(t *testing.T) {
		result, err := compiled(t, s, 1).Map(context.Background(), object{"displayName": "Designers", "objectId": "G1", "members": []any{"E1"}}, mapping.Env{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(scim.Document{"displayName": "Designers", "externalId": "G1"}, result.Create); diff != "" {
			t.Errorf("create (-want +got):\n%s", diff)
		}
		if got := result.References; len(got) != 1 || got[0].Target != "members" || !got[0].MultiValued {
			t.Errorf("got references %v, want members", got)
		}
	})
}

func TestPostmanMapping(t *testing.T) {
	s, p := load(t, "postman.json"), postman.Profile()
	users, groups := compiled(t, s, 0, mapping.WithProfile(p)), compiled(t, s, 1, mapping.WithProfile(p))
	if problems := append(users.Check(p), groups.Check(p)...); len(problems) > 0 {
		t.Errorf("got problems %v, want none", problems)
	}
	result, err := users.Map(context.Background(), object{"userPrincipalName": "a@x", "IsSoftDeleted": "False", "givenName": "A", "surname": "B", "department": "Sales"}, mapping.Env{})
	if err != nil {
		t.Fatal(err)
	}
	want := scim.Document{"userName": "a@x", "active": true, "name": object{"givenName": "A", "familyName": "B"}}
	if diff := cmp.Diff(want, result.Create); diff != "" {
		t.Errorf("create (-want +got):\n%s", diff)
	}
	if !users.InScope(object{"userPrincipalName": "a@x", "department": "Sales"}).In || users.InScope(object{"userPrincipalName": "a@x", "department": "Facilities"}).In {
		t.Error("the scoping filter lets in whom it should keep out, or the other way round")
	}
}

func TestUpdateChangesOnlyWhatDiffers(t *testing.T) {
	s := load(t, "postman.json")
	mappings, err := s.Mappings()
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.Format()
	if err != nil {
		t.Fatal(err)
	}
	users := mappings[0]
	users.Scope = nil
	users.Actions = []mapping.Action{mapping.Create, mapping.Update}
	users.Attributes[2].Default = "-"
	users.Attributes[3] = mapping.AttributeMapping{Target: "name.familyName", Expression: `IIF([surname] = "", "-", ToUpper([surname], ))`, Apply: mapping.OnCreate}
	if err := s.Update(users); err != nil {
		t.Fatal(err)
	}
	again, err := s.Mappings()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(users, again[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Everything else is there as before: only a few places of the trees differ.
	after, err := s.Format()
	if err != nil {
		t.Fatal(err)
	}
	got := tree(t, after).(object)
	want := tree(t, before).(object)
	rules := func(v object) []any { return v["synchronizationRules"].([]any) }
	if diff := cmp.Diff(want["directories"], got["directories"]); diff != "" {
		t.Errorf("directories (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(rules(want)[1], rules(got)[1]); diff != "" {
		t.Errorf("the rule of groups (-want +got):\n%s", diff)
	}
	attributes := func(v object) []any {
		return rules(v)[0].(object)["objectMappings"].([]any)[0].(object)["attributeMappings"].([]any)
	}
	wantGiven := attributes(want)[2].(object)
	wantGiven["defaultValue"] = "-"
	if diff := cmp.Diff(wantGiven, attributes(got)[2]); diff != "" {
		t.Errorf("name.givenName (-want +got):\n%s", diff)
	}
}

func TestUpdateRefuses(t *testing.T) {
	s := load(t, "postman.json")
	mappings, err := s.Mappings()
	if err != nil {
		t.Fatal(err)
	}
	before, _ := s.Format()
	tests := []struct {
		name   string
		change func(*mapping.ObjectMapping)
		want   string
	}{
		{"a mapping it does not have", func(m *mapping.ObjectMapping) { m.Name = "People" }, "no mapping People"},
		{"a filter in SCIM's language", func(m *mapping.ObjectMapping) { m.Filter = "a pr" }, "filter"},
		{"null flow", func(m *mapping.ObjectMapping) { m.Attributes[2].NullFlow = mapping.ClearNull }, "flowNullValues"},
		{"the type of an attribute", func(m *mapping.ObjectMapping) {
			m.Attributes = append(m.Attributes, mapping.AttributeMapping{Target: "urn:x:y:level", Source: "l", Type: mapping.TypeInteger})
		}, "attribute definitions"},
		{"another type of SCIM's own attribute", func(m *mapping.ObjectMapping) { m.Attributes[2].Type = mapping.TypeInteger }, "attribute definitions"},
		{"an expression that is none", func(m *mapping.ObjectMapping) {
			m.Attributes[2] = mapping.AttributeMapping{Target: "title", Expression: "("}
		}, "title"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			changed := mappings[0]
			changed.Attributes = append([]mapping.AttributeMapping(nil), changed.Attributes...)
			tt.change(&changed)
			if err := s.Update(mappings[1], changed); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want it to say %q", err, tt.want)
			}
			if after, _ := s.Format(); string(after) != string(before) {
				t.Error("the schema changed although the update failed")
			}
		})
	}
}

func TestMappings(t *testing.T) {
	convert := func(t *testing.T, objectMapping string) (mapping.ObjectMapping, error) {
		t.Helper()
		s, err := graph.Decode([]byte(`{
			"directories": [
				{"name": "S", "objects": [{"name": "User", "attributes": [{"name": "a", "flowNullValues": true}, {"name": "b"}]}]},
				{"name": "T", "objects": [{"name": "User", "attributes": [
					{"name": "title", "type": "String", "flowNullValues": true}, {"name": "nickName", "type": "String", "flowNullValues": true},
					{"name": "urn:x:y:level", "type": "Integer"}, {"name": "urn:x:y:tags", "type": "String", "multivalued": true},
					{"name": "urn:x:y:boss", "type": "Reference"}, {"name": "urn:x:y:on", "type": "boolean"}, {"name": "active", "type": "String"}]}]}],
			"synchronizationRules": [{"sourceDirectoryName": "S", "targetDirectoryName": "T", "objectMappings": [` + objectMapping + `]}]}`))
		if err != nil {
			t.Fatal(err)
		}
		mappings, err := s.Mappings()
		if err != nil {
			return mapping.ObjectMapping{}, err
		}
		return mappings[0], nil
	}
	attribute := func(text string) string {
		return `{"name": "N", "enabled": true, "sourceObjectName": "User", "targetObjectName": "User", "attributeMappings": [` + text + `]}`
	}
	type am = mapping.AttributeMapping
	attributes := []struct {
		name, text string
		want       am
	}{
		{"direct", `{"targetAttributeName": "title", "source": {"type": "Attribute", "name": "b", "expression": "[b]"}}`, am{Target: "title", Source: "b"}},
		{"constant", `{"targetAttributeName": "title", "source": {"type": "Constant", "name": "Say \"x\"", "expression": "\"Say \\\"x\\\"\""}}`, am{Target: "title", Constant: `Say "x"`}},
		{"none with a default", `{"targetAttributeName": "title", "source": null, "defaultValue": "x"}`, am{Target: "title", Default: "x"}},
		{"a text counts before the tree", `{"targetAttributeName": "title", "source": {"type": "Function", "name": "Append", "expression": "Append([b],  \"x\")", "parameters": []}}`, am{Target: "title", Expression: `Append([b],  "x")`}},
		{"a tree without text", `{"targetAttributeName": "title", "source": {"type": "Function", "name": "Append", "parameters": [{"key": "suffix", "value": {"type": "Constant", "name": "x"}}, {"key": "source", "value": {"type": "Attribute", "name": "b"}}]}}`, am{Target: "title", Expression: `Append([b], "x")`}},
		{"a tree that names the keys of Switch", `{"targetAttributeName": "title", "source": {"type": "Function", "name": "Switch", "parameters": [{"key": "source", "value": {"type": "Attribute", "name": "b"}}, {"key": "False", "value": {"type": "Constant", "name": "True"}}]}}`, am{Target: "title", Expression: `Switch([b], , "False", "True")`}},
		{"a tree with a gap", `{"targetAttributeName": "title", "source": {"type": "Function", "name": "Replace", "parameters": [{"key": "source", "value": {"type": "Attribute", "name": "b"}}, {"key": "RegularExpression", "value": {"type": "Constant", "name": "x+"}}, {"key": "Replacement", "value": {"type": "Constant", "name": ""}}]}}`, am{Target: "title", Expression: `Replace([b], , "x+", , "")`}},
		{"only on create", `{"targetAttributeName": "title", "flowType": "ObjectAddOnly", "source": {"type": "Attribute", "name": "b"}}`, am{Target: "title", Source: "b", Apply: mapping.OnCreate}},
		{"when empty, always", `{"targetAttributeName": "title", "flowType": "AttributeAddOnly", "flowBehavior": "FlowAlways", "source": {"type": "Attribute", "name": "b"}}`, am{Target: "title", Source: "b", Apply: mapping.WhenEmpty, FlowAlways: true}},
		{"kinds of source in any case", `{"targetAttributeName": "title", "source": {"type": "constant", "name": "b"}}`, am{Target: "title", Constant: "b"}},
		{"types in any case", `{"targetAttributeName": "urn:x:y:on", "source": {"type": "Attribute", "name": "b"}}`, am{Target: "urn:x:y:on", Source: "b", Type: mapping.TypeBoolean}},
		{"a priority below zero is none", `{"targetAttributeName": "title", "matchingPriority": -1, "source": {"type": "Attribute", "name": "b"}}`, am{Target: "title", Source: "b"}},
		{"matching", `{"targetAttributeName": "title", "matchingPriority": 2, "source": {"type": "Attribute", "name": "b"}}`, am{Target: "title", Source: "b", Matching: 2}},
		{"null flow when both sides have it", `{"targetAttributeName": "title", "source": {"type": "Attribute", "name": "a"}}`, am{Target: "title", Source: "a", NullFlow: mapping.ClearNull}},
		{"an integer of an extension", `{"targetAttributeName": "urn:x:y:level", "source": {"type": "Attribute", "name": "b"}}`, am{Target: "urn:x:y:level", Source: "b", Type: mapping.TypeInteger}},
		{"a list of an extension", `{"targetAttributeName": "urn:x:y:tags", "source": {"type": "Attribute", "name": "b"}}`, am{Target: "urn:x:y:tags", Source: "b", Type: mapping.TypeString, MultiValued: true}},
		{"a reference of an extension", `{"targetAttributeName": "urn:x:y:boss", "source": {"type": "Attribute", "name": "b"}}`, am{Target: "urn:x:y:boss", Source: "b", Type: mapping.TypeReference}},
		{"the type of SCIM's own attributes is SCIM's", `{"targetAttributeName": "active", "source": {"type": "Attribute", "name": "b"}}`, am{Target: "active", Source: "b"}},
	}
	for _, tt := range attributes {
		t.Run(tt.name, func(t *testing.T) {
			m, err := convert(t, attribute(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, m.Attributes[0]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("a mapping that is off, with one action, in two kinds of scope", func(t *testing.T) {
		m, err := convert(t, `{"name": "N", "enabled": false, "flowTypes": "Add", "sourceObjectName": "User", "targetObjectName": "`+enterprise+`", "scope": {
			"groups": [{"name": "g", "clauses": [{"operatorName": "IS NULL", "sourceOperandName": "a", "targetOperand": {"values": []}}]}],
			"inputFilterGroups": [{"clauses": [{"operatorName": "EQUALS", "sourceOperandName": "b", "targetOperand": {"values": ["x", "y"]}}]}]}}`)
		if err != nil {
			t.Fatal(err)
		}
		want := mapping.ObjectMapping{
			Name: "N", Source: "User", Target: "User", Disabled: true, Actions: []mapping.Action{mapping.Create},
			Scope:      []mapping.FilterGroup{{Name: "g", Clauses: []mapping.Clause{{Attribute: "a", Operator: mapping.IsNull}}}},
			InputScope: []mapping.FilterGroup{{Clauses: []mapping.Clause{{Attribute: "b", Operator: mapping.Equals, Values: []string{"x", "y"}}}}},
		}
		if diff := cmp.Diff(want, m); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	refused := []struct{ name, text, want string }{
		{"an unknown flow type", attribute(`{"targetAttributeName": "title", "flowType": "Sometimes"}`), `mapping N: title: unknown flowType "Sometimes"`},
		{"an unknown kind of source", attribute(`{"targetAttributeName": "title", "source": {"type": "Oracle", "name": "x"}}`), "Oracle"},
		{"a filter by category", `{"name": "N", "scope": {"categoryFilterGroups": [{"clauses": []}, {"clauses": [{"operatorName": "IS TRUE", "sourceOperandName": "a"}]}]}}`, "N: categoryFilterGroups"},
		{"an unknown action", `{"name": "N", "flowTypes": "Add, Explode"}`, "Explode"},
	}
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := convert(t, tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want it to say %q", err, tt.want)
			}
		})
	}
}

// What keeps objects out of a rule must not be lost on the way to a mapping that lets them in.
func TestFiltersOfRules(t *testing.T) {
	tests := []struct{ name, members, want string }{
		{"none", ``, ""},
		{"null", `"containerFilter": null, "groupFilter": null,`, ""},
		{"without items", `"containerFilter": {"includedContainers": []}, "groupFilter": {"includedGroups": null},`, ""},
		{"annotated", `"containerFilter": {"@odata.type": "#t", "includedContainers@odata.count": 0, "includedContainers": []},`, ""},
		{"annotated containers", `"containerFilter": {"@odata.type": "#t", "includedContainers": ["OU=Staff"]},`, "containerFilter"},
		{"containers", `"containerFilter": {"includedContainers": ["OU=Staff"]},`, "containerFilter"},
		{"groups", `"groupFilter": {"includedGroups": ["g1"]},`, "groupFilter"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := graph.Decode([]byte(`{"synchronizationRules": [{` + tt.members + `"objectMappings": [{"name": "N"}]}]}`))
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Mappings()
			if got := err != nil; got != (tt.want != "") || got && !strings.Contains(err.Error(), "mapping N: "+tt.want) {
				t.Errorf("got error %v, want it to say %q", err, tt.want)
			}
		})
	}
}

func TestUpdateWithWhatItHad(t *testing.T) {
	for _, text := range []string{
		`{"synchronizationRules":[{"objectMappings":[{}]}]}`,
		`{"synchronizationRules":[{"objectMappings":[{"enabled":true,"attributeMappings":null,"flowTypes":null,"scope":null}]}]}`,
		`{"synchronizationRules":[{"objectMappings":[{"enabled":true,"attributeMappings":[],"flowTypes":"None","scope":{"groups":null}}]}]}`,
		`{"synchronizationRules":[{"objectMappings":[{"flowTypes":"Delete,Add,Update","attributeMappings":[{"targetAttributeName":"a","source":{"type":"Attribute","name":"b"}},{"targetAttributeName":"c","source":{"type":"Constant","name":"","expression":"\"\""}}]}]}]}`,
	} {
		s, err := graph.Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		mappings, err := s.Mappings()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Update(mappings...); err != nil {
			t.Fatal(err)
		}
		written, err := s.Format()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tree(t, []byte(text)), tree(t, written)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestUpdateTurnsOn(t *testing.T) {
	for _, flowTypes := range []string{"None", "Add", ""} {
		s, err := graph.Decode([]byte(`{"synchronizationRules":[{"objectMappings":[{"name":"N","flowTypes":"` + flowTypes + `"}]}]}`))
		if err != nil {
			t.Fatal(err)
		}
		mappings, err := s.Mappings()
		if err != nil {
			t.Fatal(err)
		}
		want := mappings[0]
		want.Disabled = false
		if err := s.Update(want); err != nil {
			t.Fatal(err)
		}
		got, err := s.Mappings()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]mapping.ObjectMapping{want}, got); diff != "" {
			t.Errorf("flowTypes %q (-want +got):\n%s", flowTypes, diff)
		}
	}
}

// A large schema must not take time for each mapping times each definition, nor a tree for each function times each that there is.
func TestCostGrowsWithTheSchemaOnly(t *testing.T) {
	const many = 100
	allocations := func(attributes int) float64 {
		s := &graph.Schema{Directories: []graph.Directory{{Name: "D", Objects: []graph.ObjectDefinition{{Name: "U"}}}}}
		for i := range attributes {
			definition := graph.AttributeDefinition{Name: fmt.Sprint(i)}
			s.Directories[0].Objects[0].Attributes = append(s.Directories[0].Objects[0].Attributes, definition)
		}
		r := graph.Rule{SourceDirectoryName: "D", TargetDirectoryName: "D"}
		r.ObjectMappings = slices.Repeat([]graph.ObjectMapping{{SourceObjectName: "U", TargetObjectName: "U"}}, many)
		s.Rules = []graph.Rule{r}
		return testing.AllocsPerRun(1, func() {
			if _, err := s.Mappings(); err != nil {
				t.Error(err)
			}
		})
	}
	if few, more := allocations(1), allocations(5000); more > few+10*many {
		t.Errorf("%d mappings allocate %v times with one definition, and %v times with many", many, few, more)
	}
	call := graph.Source{Type: graph.Function, Name: "ToLower"}
	all := graph.Source{Type: graph.Function, Name: "Join"}
	all.Parameters = slices.Repeat([]graph.Parameter{{Key: "x", Value: &call}}, many)
	if got := testing.AllocsPerRun(1, func() { _, _ = all.Node() }); got > 50*many {
		t.Errorf("a tree of %d functions allocates %v times", many, got)
	}
}

func TestTreeAndTextAgree(t *testing.T) {
	for _, text := range []string{
		`[mail]`, `"x"`, `Append([a], "b")`, `Join(" ", [a], [b], [c], "d")`, `Switch([a], , "k", "v", "l", [b])`, `Switch([a], "d", "k", "v")`,
		`IIF([a] = "x", [b], IIF([c] <> "y", "1", IgnoreAttributeFlow))`, `Replace([a], , "x+", , "", , )`, `Mid([a], 1, 2)`, `Guid()`,
		`Coalesce([a], [b], "c")`, `InStr([a], "b", 1, vbTextCompare)`, `Trim([a])`,
	} {
		n, err := expr.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		// The texts are taken away, so that the tree alone has to say it.
		back, err := bare(graph.NewSource(n)).Node()
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, want := back.String(), n.String()
		// What a tree cannot hold: arguments left out at the end, and that a constant is no text.
		want = strings.TrimSuffix(want, ", , )") + map[bool]string{true: ")"}[strings.HasSuffix(want, ", , )")]
		for _, word := range []string{"IgnoreAttributeFlow", "vbTextCompare", "1", "2"} {
			want = strings.ReplaceAll(want, ", "+word, `, "`+word+`"`)
		}
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// bare takes the texts out of a tree.
func bare(s *graph.Source) *graph.Source {
	s.Expression = ""
	for i := range s.Parameters {
		bare(s.Parameters[i].Value)
	}
	return s
}

func TestNew(t *testing.T) {
	want := mapping.ObjectMapping{Name: "Users", Source: "User", Target: "User", Attributes: []mapping.AttributeMapping{
		{Target: "userName", Source: "upn", Matching: 1},
		{Target: "locale", Constant: "nb-NO", Apply: mapping.OnCreate, FlowAlways: true},
		{Target: "title", Default: "Staff"},
		{Target: "active", Expression: `Switch([off], "True", "1", "False")`},
		{Target: "urn:x:y:level", Source: "level", Type: mapping.TypeInteger},
		{Target: "urn:x:y:tags", Source: "tags", Type: mapping.TypeString, MultiValued: true},
		{Target: "urn:x:y:text", Source: "text"},
	}, Scope: []mapping.FilterGroup{{Clauses: []mapping.Clause{{Attribute: "a", Operator: mapping.Equals, Values: []string{"x", "y"}}}}}}
	s, err := graph.New("HR", "Postman", want)
	if err != nil {
		t.Fatal(err)
	}
	data, err := s.Format()
	if err != nil {
		t.Fatal(err)
	}
	again, err := graph.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	got, err := again.Mappings()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]mapping.ObjectMapping{want}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNewRefusesWhatGraphCannotSay(t *testing.T) {
	for name, a := range map[string]mapping.AttributeMapping{
		"a type that Graph does not have": {Target: "urn:x:y:z", Source: "a", Type: mapping.TypeDecimal},
		"another type of SCIM's own":      {Target: "title", Source: "a", Type: mapping.TypeBoolean},
	} {
		_, err := graph.New("HR", "Postman", mapping.ObjectMapping{Name: "N", Source: "User", Target: "User", Attributes: []mapping.AttributeMapping{a}})
		if err == nil || !strings.Contains(err.Error(), "attribute definitions") {
			t.Errorf("%s: got error %v, want it to say where types are", name, err)
		}
	}
	single := mapping.AttributeMapping{Target: "urn:x:y:z", Source: "a", Type: mapping.TypeString}
	if _, err := graph.New("HR", "Postman", mapping.ObjectMapping{Source: "User", Target: "User", Attributes: []mapping.AttributeMapping{single}}); err != nil {
		t.Errorf("a single text: %v", err)
	}
}

// A mapping exported from the portal runs as it is.
func Example() {
	s, err := graph.Load("testdata/postman.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	mappings, err := s.Mappings()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, definition := range mappings {
		m, err := mapping.Compile(definition, mapping.WithProfile(postman.Profile()))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(m, m.TargetAttributes())
	}
	// Output:
	// Provision Microsoft Entra ID Users: User to User, 4 attributes [userName active name.givenName name.familyName]
	// Provision Microsoft Entra ID Groups: Group to Group, 2 attributes [displayName members]
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"directories":[{"name":"T","objects":[{"name":"User","attributes":[{"name":"urn:x:y:a","type":"Integer","multivalued":true}]}]}],"synchronizationRules":[{"priority":1,"targetDirectoryName":"T","objectMappings":[{"name":"N","enabled":true,"flowTypes":"Add, Update","sourceObjectName":"User","targetObjectName":"User","attributeMappings":[{"targetAttributeName":"userName","matchingPriority":1,"source":{"type":"Attribute","name":"upn"}},{"targetAttributeName":"urn:x:y:a","defaultValue":null,"source":{"expression":"Switch([a], , \"k\", \"1\")"}}],"scope":{"groups":[{"clauses":[{"operatorName":"REGEX MATCH","sourceOperandName":"a","targetOperand":{"values":["a.*"]}}]}]}}]}]}`))
	f.Add([]byte(`{"synchronizationRules":[{"objectMappings":[{"scope":{"groups":[]},"attributeMappings":[{"x":null},{"source":{"type":"Function","name":"Switch","parameters":[{"value":{}}]}}]}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := graph.Decode(data)
		if err != nil {
			return
		}
		written, err := s.Format()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if diff := cmp.Diff(tree(t, bom(data)), tree(t, written)); diff != "" {
			t.Fatalf("round trip (-want +got):\n%s", diff)
		}
		mappings, err := s.Mappings()
		if err != nil {
			return
		}
		for _, m := range mappings {
			_, _ = mapping.Compile(m)
		}
	})
}

func bom(data []byte) []byte { return []byte(strings.TrimPrefix(string(data), "\ufeff")) }

func TestNode(t *testing.T) {
	a, b := &graph.Source{Type: graph.Attribute, Name: "a"}, &graph.Source{Type: graph.Constant, Name: `say "b"`}
	function := func(name string, parameters ...graph.Parameter) *graph.Source {
		return &graph.Source{Type: graph.Function, Name: name, Parameters: parameters}
	}
	deep := a
	for range 100 {
		deep = function("ToLower", graph.Parameter{Key: "source", Value: deep})
	}
	tests := []struct {
		name   string
		source *graph.Source
		want   string // or what the error says, after a !
	}{
		{"an attribute", a, `[a]`},
		{"a constant", b, `"say \"b\""`},
		{"a text counts before what is beside it", &graph.Source{Type: graph.Constant, Name: "1", Expression: "[c]"}, `[c]`},
		{"a text inside a tree", function("ToLower", graph.Parameter{Key: "source", Value: &graph.Source{Expression: `Left([a], 2)`}}), `ToLower(Left([a], 2))`},
		{"a comparison", function("IIF", graph.Parameter{Key: "condition", Value: function("<>", graph.Parameter{Key: "left", Value: a}, graph.Parameter{Key: "right", Value: b})}, graph.Parameter{Key: "valueIfFalse", Value: a}), `IIF([a] <> "say \"b\"", , [a])`},
		{"parameters of a function nobody knows keep their order", function("Frob", graph.Parameter{Key: "x", Value: a}, graph.Parameter{Key: "y", Value: b}), `Frob([a], "say \"b\"")`},
		{"a parameter without a value is left out", function("Append", graph.Parameter{Key: "source"}, graph.Parameter{Key: "suffix", Value: b}), `Append(, "say \"b\"")`},
		{"no type", &graph.Source{Name: "x"}, `!unknown type ""`},
		{"no type in a tree", function("ToLower", graph.Parameter{Key: "source", Value: &graph.Source{Type: "?"}}), `!unknown type "?"`},
		{"no type in a comparison", function("=", graph.Parameter{Value: &graph.Source{Type: "?"}}, graph.Parameter{Value: a}), `!unknown type "?"`},
		{"a text that is no expression", &graph.Source{Expression: "("}, `!expr:`},
		{"functions without end", deep, `!nested too deep`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := tt.source.Node()
			if says, fails := strings.CutPrefix(tt.want, "!"); fails {
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("got error %v, want it to say %q", err, says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := n.String(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestTypesOfAttributes(t *testing.T) {
	for of, want := range map[string]mapping.Type{
		"String": "", "Integer": mapping.TypeInteger, "Reference": mapping.TypeReference, "Binary": mapping.TypeBinary,
		"Boolean": mapping.TypeBoolean, "DateTime": mapping.TypeDateTime, "": "",
	} {
		s := &graph.Schema{
			Directories: []graph.Directory{{Name: "T", Objects: []graph.ObjectDefinition{{
				Name: "User", Attributes: []graph.AttributeDefinition{{Name: "urn:x:y:z", Type: of}},
			}}}},
			Rules: []graph.Rule{{TargetDirectoryName: "T", ObjectMappings: []graph.ObjectMapping{{
				Name: "N", SourceObjectName: "User", TargetObjectName: "User",
				AttributeMappings: []graph.AttributeMapping{{TargetAttributeName: "urn:x:y:z"}},
			}}}},
		}
		mappings, err := s.Mappings()
		if err != nil {
			t.Fatal(err)
		}
		if got := mappings[0].Attributes[0].Type; got != want {
			t.Errorf("%s: got %q, want %q", of, got, want)
		}
	}
}

func TestRulesComeByPriority(t *testing.T) {
	rule := func(priority int, name string) graph.Rule {
		return graph.Rule{Priority: priority, ObjectMappings: []graph.ObjectMapping{{Name: name}}}
	}
	s := &graph.Schema{Rules: []graph.Rule{rule(2, "second"), rule(1, "first"), rule(2, "third")}}
	mappings, err := s.Mappings()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range mappings {
		got = append(got, m.Name)
	}
	if diff := cmp.Diff([]string{"first", "second", "third"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
