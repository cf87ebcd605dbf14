package mapping_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
)

func TestLoad(t *testing.T) {
	f, err := mapping.Load("testdata/postman.json")
	if err != nil {
		t.Fatal(err)
	}
	users, ok := f.Mapping("user")
	if !ok {
		t.Fatal("there is no mapping of users")
	}
	if diff := cmp.Diff(postmanUsers.Attributes, users.Attributes); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	groups, _ := f.Mapping("Group")
	if diff := cmp.Diff(postmanGroups, groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if !mapping.MustCompile(users).InScope(object{"userPrincipalName": "a", "department": "Sales"}).In {
		t.Error("Sales is out of scope")
	}
	if _, ok := f.Mapping("Device"); ok {
		t.Error("there is a mapping of devices")
	}
	if _, err := mapping.Load(filepath.Join(t.TempDir(), "none.json")); !os.IsNotExist(unwrap(err)) {
		t.Errorf("got error %v, want that there is no such file", err)
	}
}

func unwrap(err error) error {
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if !ok || os.IsNotExist(err) {
			return err
		}
		err = inner.Unwrap()
	}
}

// What the guide shows must work.
func TestGuide(t *testing.T) {
	guide, err := os.ReadFile("../docs/mapping.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(guide), "```json\n")
	text, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the guide has no JSON")
	}
	f, err := mapping.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	result := mapOne(t, f.Mappings[0], object{"userPrincipalName": "a@x", "IsSoftDeleted": false})
	want := scim.Document{"userName": "a@x", "active": true, "name": object{"givenName": "-", "familyName": "-"}, "locale": "nb-NO"}
	if diff := cmp.Diff(want, result.Create); diff != "" {
		t.Errorf("create (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"title"}, result.Clear); diff != "" {
		t.Errorf("clear (-want +got):\n%s", diff)
	}
}

func TestFileRoundTrip(t *testing.T) {
	everything := mapping.ObjectMapping{
		Name: "Users", Source: "User", Target: "User", Disabled: true, Actions: []mapping.Action{mapping.Create, mapping.Update},
		Scope:      []mapping.FilterGroup{{Name: "A", Clauses: []mapping.Clause{{Attribute: "a", Operator: mapping.Equals, Values: []string{"x", "y"}}}}},
		InputScope: []mapping.FilterGroup{{Clauses: []mapping.Clause{{Attribute: "a", Operator: mapping.IsNull}}}},
		Filter:     `a eq "x"`,
		Attributes: []mapping.AttributeMapping{
			{Target: "userName", Source: "a", Matching: 1, FlowAlways: true, Note: "n"},
			{Target: "title", Constant: "c", Apply: mapping.WhenEmpty},
			{Target: "emails", Expression: "[b]", Apply: mapping.AddValues, NullFlow: mapping.ClearNull},
			{Target: "urn:x:y:z", Default: "1", Type: mapping.TypeInteger, MultiValued: true},
		},
	}
	want := mapping.File{Schema: "mapping.schema.json", Mappings: []mapping.ObjectMapping{everything, defaultUsers, postmanGroups}}
	data, err := want.Format()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"as written": data, "with a byte order mark": append([]byte("\ufeff"), data...)} {
		got, err := mapping.Decode(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"no JSON", `{`, "EOF"},
		{"text after it", `{"mappings":[]} x`, "invalid character"},
		{"a name that is not known", `{"mappings":[{"source":"User","traget":"User"}]}`, "traget"},
		{"a name given twice", `{"mappings":[],"mappings":[]}`, "duplicate"},
		{"an action that is not known", `{"mappings":[{"actions":["explode"]}]}`, `unknown action "explode"`},
		{"a value of the wrong type", `{"mappings":[{"attributes":[{"target":"a","matching":"first"}]}]}`, "matching"},
		{"an apply that is not known", `{"mappings":[{"attributes":[{"target":"a","apply":"sometimes"}]}]}`, `unknown apply "sometimes"`},
		{"a null flow that is not known", `{"mappings":[{"attributes":[{"target":"a","nullFlow":"erase"}]}]}`, `unknown nullFlow "erase"`},
		{"a type that is not known", `{"mappings":[{"attributes":[{"target":"a","type":"date"}]}]}`, `unknown type "date"`},
		{"nesting without end", `{"mappings":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}", "nested deeper"},
		{"text that is too long", `"` + strings.Repeat("a", 8<<20) + `"`, "longer than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := mapping.Decode([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want it to say %q", err, tt.want)
			}
		})
	}
}

// The JSON Schema for editors must say what Decode takes: the same members, the same words.
func TestJSONSchemaAgrees(t *testing.T) {
	data, err := os.ReadFile("../docs/mapping.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type definition struct {
		Properties map[string]struct {
			Enum  []string
			Items struct{ Enum []string }
		}
		AdditionalProperties *bool
	}
	var schema struct {
		definition
		Defs map[string]definition `json:"$defs"`
	}
	if err := json.Unmarshal(data, &schema, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		got  definition
		of   any
	}{
		{"the file", schema.definition, mapping.File{}},
		{"objectMapping", schema.Defs["objectMapping"], mapping.ObjectMapping{}},
		{"attributeMapping", schema.Defs["attributeMapping"], mapping.AttributeMapping{}},
		{"filterGroup", schema.Defs["filterGroup"], mapping.FilterGroup{}},
		{"clause", schema.Defs["clause"], mapping.Clause{}},
	} {
		var want, got []string
		for i := range reflect.TypeOf(tt.of).NumField() {
			name, _, _ := strings.Cut(reflect.TypeOf(tt.of).Field(i).Tag.Get("json"), ",")
			want = append(want, name)
		}
		for name := range tt.got.Properties {
			got = append(got, name)
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-code +schema):\n%s", tt.name, diff)
		}
		if tt.got.AdditionalProperties == nil || *tt.got.AdditionalProperties {
			t.Errorf("%s takes members that Decode refuses", tt.name)
		}
	}
	var operators []string
	for _, o := range mapping.Operators() {
		operators = append(operators, string(o))
	}
	if diff := cmp.Diff(operators, schema.Defs["clause"].Properties["operator"].Enum); diff != "" {
		t.Errorf("operators (-code +schema):\n%s", diff)
	}
	attribute := schema.Defs["attributeMapping"].Properties
	for _, tt := range []struct {
		name  string
		words []string
		read  interface{ UnmarshalText([]byte) error }
	}{
		{"apply", attribute["apply"].Enum, new(mapping.Apply)},
		{"nullFlow", attribute["nullFlow"].Enum, new(mapping.NullFlow)},
		{"type", attribute["type"].Enum, new(mapping.Type)},
		{"actions", schema.Defs["objectMapping"].Properties["actions"].Items.Enum, new(mapping.Action)},
	} {
		if len(tt.words) == 0 {
			t.Errorf("%s: the schema has no words", tt.name)
		}
		for _, word := range tt.words {
			if err := tt.read.UnmarshalText([]byte(word)); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"$schema":"x","mappings":[{"source":"User","target":"User","filter":"a eq 1","actions":["create"],"scope":[{"clauses":[{"attribute":"a","operator":"REGEX MATCH","value":"a+"}]}],"attributes":[{"target":"emails[type eq \"work\"].value","source":"mail","matching":1},{"target":"active","expression":"Switch([a], , \"x\", \"True\")","apply":"create"}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := mapping.Decode(data)
		if err != nil {
			return
		}
		written, err := file.Format()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := mapping.Decode(written)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if second, err := again.Format(); err != nil || string(second) != string(written) {
			t.Fatalf("written %s, then %s (%v)", written, second, err)
		}
		for _, definition := range file.Mappings {
			m, err := mapping.Compile(definition)
			if err != nil {
				continue
			}
			m.InScope(person())
			m.Check(nil)
			e := m.Explain(t.Context(), person(), mapping.Env{})
			_ = e.String()
			if e.Err == nil {
				merged := m.Merge(scim.Document{"emails": []any{object{"type": "work", "value": "w"}}}, e.Result)
				if diff := cmp.Diff(merged, m.Merge(merged, e.Result)); diff != "" {
					t.Errorf("merging twice is not merging once (-once +twice):\n%s", diff)
				}
			}
			_, _ = mapping.Reverse(definition)
		}
	})
}

func FuzzScope(f *testing.F) {
	f.Add("a", "REGEX MATCH", "(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")
	f.Add("a.b", "&", "0x10", "17")
	f.Add("emails[type eq \"work\"]", "NOT REGEX MATCH", "\\p{L}+", "é")
	f.Fuzz(func(t *testing.T, attribute, operator, operand, value string) {
		definition := users()
		definition.Scope = []mapping.FilterGroup{{Clauses: []mapping.Clause{{Attribute: attribute, Operator: mapping.Operator(operator), Value: operand}}}}
		m, err := mapping.Compile(definition)
		if err != nil {
			return
		}
		if m.InScope(object{}).In != (operator == string(mapping.IsNull)) {
			t.Errorf("%s %s: an absent attribute decides otherwise than by IS NULL", attribute, operator)
		}
		for _, v := range []any{value, []any{value, int64(1)}, object{"value": value}, []any{object{"type": "work", "value": value}}} {
			scope := m.InScope(object{attribute: v})
			if scope.In == (scope.Reason != "") {
				t.Errorf("got %+v, want a reason exactly when out of scope", scope)
			}
		}
	})
}
