package profiles

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/patch"
)

// The JSON Schema in docs is what editors and other programs know of profiles. The tests of this file keep it to what Decode takes.

func publishedSchema(t *testing.T) map[string]any {
	t.Helper()
	data, err := os.ReadFile("../docs/profile.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s map[string]any
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchemaHasTheFieldsOfTheCode(t *testing.T) {
	published := publishedSchema(t)
	definitions := published["$defs"].(map[string]any)
	ofCode := map[string]reflect.Type{
		"": reflect.TypeFor[Profile](), "baseUrl": reflect.TypeFor[BaseURL](), "authenticationScheme": reflect.TypeFor[AuthenticationScheme](),
		"discovery": reflect.TypeFor[Discovery](), "resource": reflect.TypeFor[Resource](), "attribute": reflect.TypeFor[Attribute](),
		"dialect": reflect.TypeFor[patch.Dialect](), "paging": reflect.TypeFor[Paging](), "bulk": reflect.TypeFor[Bulk](),
		"rateLimit": reflect.TypeFor[RateLimit](), "errors": reflect.TypeFor[Errors](), "refusal": reflect.TypeFor[Refusal](),
		"fact": reflect.TypeFor[Fact](),
	}
	if len(definitions) != len(ofCode)-1 {
		t.Errorf("the schema has %d definitions, want %d", len(definitions), len(ofCode)-1)
	}
	for name, typ := range ofCode {
		node, _ := definitions[name].(map[string]any)
		if name == "" {
			node = published
		}
		if node["additionalProperties"] != false {
			t.Errorf("%q takes members that Decode refuses", name)
		}
		var inCode, inSchema []string
		for i := range typ.NumField() {
			tag, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			inCode = append(inCode, tag)
		}
		properties, _ := node["properties"].(map[string]any)
		for property, description := range properties {
			inSchema = append(inSchema, property)
			d := description.(map[string]any)
			if d["description"] == nil && d["$ref"] == nil {
				t.Errorf("%s.%s has no description", name, property)
			}
		}
		slices.Sort(inCode)
		slices.Sort(inSchema)
		if diff := cmp.Diff(inCode, inSchema); diff != "" {
			t.Errorf("%q (-code +schema):\n%s", name, diff)
		}
	}
}

func TestSchemaHasTheWordsOfTheCode(t *testing.T) {
	published := publishedSchema(t)
	for at, want := range map[string][]string{
		"resource.operations[]":     texts(operations),
		"resource.filterLogic":      texts([]FilterLogic{AllLogic, AndOnly, NoLogic}),
		"resource.put":              texts([]PutSemantics{PutReplaces, PutMerges}),
		"resource.deprovision":      texts([]Deprovision{Keep, Deactivate, DeleteObject}),
		"attribute.type":            attributeTypes,
		"attribute.filter[]":        operators,
		"attribute.mutability":      mutabilities,
		"attribute.format":          texts([]Format{"", Email}),
		"authenticationScheme.type": authentication,
		"refusal.body":              texts(errorBodies),
		"fact.basis":                texts(bases),
		"dialect.form":              texts([]patch.Form{patch.FormPath, patch.FormPathless, patch.FormDotted}),
		"dialect.memberRemoval":     texts([]patch.MemberRemoval{patch.ValuePath, patch.ValueArray, patch.ReplaceAll}),
		"":                          texts(quirks),
	} {
		definition, property, _ := strings.Cut(at, ".")
		node, _ := published["$defs"].(map[string]any)[definition].(map[string]any)
		if at == "" {
			node, property = published, "quirks[]"
		}
		properties, _ := node["properties"].(map[string]any)
		name, list := strings.CutSuffix(property, "[]")
		value, _ := properties[name].(map[string]any)
		if list {
			value, _ = value["items"].(map[string]any)
		}
		var got []string
		for _, word := range anys(value["enum"]) {
			got = append(got, word.(string))
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))); diff != "" {
			t.Errorf("%s (-code +schema):\n%s", at, diff)
		}
	}
}

func texts[T ~string](values []T) []string {
	var out []string
	for _, v := range values {
		out = append(out, string(v))
	}
	return out
}

func anys(v any) []any {
	list, _ := v.([]any)
	return list
}

// Rules that tie one part of a profile to another are beyond a JSON Schema; all others must be told alike.
func TestSchemaAcceptsWhatDecodeAccepts(t *testing.T) {
	const valid = `{
		"$schema": "profile.schema.json", "name": "widgets", "title": "Widgets", "description": "d", "client": false,
		"baseUrls": [{"name": "eu", "url": "https://eu.widgets.example/scim/"}],
		"authentication": [{"type": "bearer", "description": "d"}],
		"discovery": {"noSchemas": true},
		"resources": [{
			"name": "User", "endpoint": "/Users", "schema": "urn:ietf:params:scim:schemas:core:2.0:User",
			"operations": ["create", "list"], "filterLogic": "and", "put": "merge", "deprovision": "deactivate", "maxMembers": 5,
			"attributes": [{"path": "active", "type": "boolean", "filter": ["eq"], "mutability": "readWrite", "format": "email"}],
			"patch": {"form": "dotted", "memberRemoval": "valueArray", "membersPerRequest": 3, "pathless": ["active"]},
			"patchAttributes": ["active"]
		}],
		"paging": {"maxCount": 10}, "bulk": {"supported": true, "maxOperations": 5}, "etag": true,
		"rateLimits": [{"name": "read", "methods": ["GET"], "requests": 3, "seconds": 60, "per": "team"}],
		"rateLimitHeaders": ["Retry-After"],
		"errors": {"retryAfterSeconds": 1, "refusals": [{"status": 409, "scimType": "uniqueness", "body": "json", "when": "it exists"}]},
		"quirks": ["stringFilterBooleans"], "facts": {"/paging/maxCount": {"basis": "observed", "source": "s", "note": "n"}}
	}`
	edits := []struct{ old, new string }{
		{``, ``},
		{`"etag": true`, `"etag": false`},
		{`"etag": true`, `"etag": "true"`},
		{`"etag": true`, `"etags": true`},
		{`"name": "widgets"`, `"name": "Widgets"`},
		{`"name": "widgets", `, ``},
		{`"name": "widgets"`, `"name": 1`},
		{`"bearer"`, `"handshake"`},
		{`"https://eu.widgets.example/scim/"`, `"ftp://eu.widgets.example"`},
		{`"https://eu.widgets.example/scim/"`, `"https://a:b@eu.widgets.example"`},
		{`"noSchemas"`, `"noschemas"`},
		{`"endpoint": "/Users", `, ``},
		{`"/Users"`, `"Users"`},
		{`["create", "list"]`, `[]`},
		{`["create", "list"]`, `["make"]`},
		{`["create", "list"]`, `"create"`},
		{`"filterLogic": "and"`, `"filterLogic": ""`},
		{`"filterLogic": "and"`, `"filterLogic": "xor"`},
		{`"put": "merge"`, `"put": "mix"`},
		{`"deactivate"`, `"expel"`},
		{`"maxMembers": 5`, `"maxMembers": -5`},
		{`"maxMembers": 5`, `"maxMembers": 5.5`},
		{`"type": "boolean"`, `"type": "bool"`},
		{`["eq"]`, `["equals"]`},
		{`"readWrite"`, `"writeRead"`},
		{`"email"`, `"phone"`},
		{`"dotted"`, `"loud"`},
		{`"valueArray"`, `"fire"`},
		{`"membersPerRequest"`, `"membersPerRequests"`},
		{`"maxCount": 10`, `"maxCount": -1`},
		{`"requests": 3`, `"requests": 0`},
		{`"seconds": 60`, `"seconds": 0`},
		{`"status": 409`, `"status": 200`},
		{`"body": "json"`, `"body": "xml"`},
		{`"it exists"`, `""`},
		{`"stringFilterBooleans"`, `"odd"`},
		{`"observed"`, `"rumour"`},
		{`"basis": "observed", `, ``},
	}
	published := publishedSchema(t)
	refused := 0
	for _, e := range edits {
		text := strings.Replace(valid, e.old, e.new, 1)
		if e.old != e.new && text == valid {
			t.Fatalf("%s is not in the document", e.old)
		}
		var doc any
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		_, decoded := Decode([]byte(text))
		conforms := conform(published, published, doc)
		if (decoded == nil) != (conforms == nil) {
			t.Errorf("%s for %s: Decode says %v, the schema %v", e.new, e.old, decoded, conforms)
		}
		if decoded != nil {
			refused++
		}
	}
	if refused != len(edits)-3 {
		t.Errorf("%d of %d documents were refused, want all but 3", refused, len(edits))
	}
}

// conform checks a value against a schema. It knows the keywords that the published schema uses, and fails on others.
func conform(root, schema map[string]any, v any) error {
	if name, ok := schema["$ref"].(string); ok {
		definition := root["$defs"].(map[string]any)[strings.TrimPrefix(name, "#/$defs/")].(map[string]any)
		return conform(root, definition, v)
	}
	for keyword, rule := range schema {
		if err := obey(root, schema, keyword, rule, v); err != nil {
			return err
		}
	}
	return nil
}

func obey(root, schema map[string]any, keyword string, rule, v any) error {
	ok := true
	object, _ := v.(map[string]any)
	number, isNumber := v.(float64)
	text, isText := v.(string)
	list, isList := v.([]any)
	switch keyword {
	case "$schema", "$defs", "title", "description", "default", "format":
	case "type":
		is := map[string]bool{"object": object != nil, "array": isList, "string": isText, "integer": isNumber && number == float64(int(number))}
		_, is["boolean"] = v.(bool)
		ok = is[rule.(string)]
	case "enum":
		ok = slices.Contains(rule.([]any), v)
	case "pattern":
		ok = !isText || regexp.MustCompile(rule.(string)).MatchString(text)
	case "minLength":
		ok = !isText || float64(len(text)) >= rule.(float64)
	case "minimum":
		ok = !isNumber || number >= rule.(float64)
	case "maximum":
		ok = !isNumber || number <= rule.(float64)
	case "minItems":
		ok = !isList || float64(len(list)) >= rule.(float64)
	case "items":
		for _, element := range list {
			if err := conform(root, rule.(map[string]any), element); err != nil {
				return err
			}
		}
	case "required":
		for _, name := range rule.([]any) {
			if _, there := object[name.(string)]; !there {
				return fmt.Errorf("%s is missing", name)
			}
		}
	case "properties", "additionalProperties":
		return conformMembers(root, schema, object)
	default:
		return fmt.Errorf("the test does not know the keyword %s", keyword)
	}
	if !ok {
		return fmt.Errorf("%v breaks %s %v", v, keyword, rule)
	}
	return nil
}

func conformMembers(root, schema, object map[string]any) error {
	properties, _ := schema["properties"].(map[string]any)
	for name, value := range object {
		rule, known := properties[name].(map[string]any)
		if !known {
			if rule, known = schema["additionalProperties"].(map[string]any); !known {
				return fmt.Errorf("unknown member %s", name)
			}
		}
		if err := conform(root, rule, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func TestPublishedProfilesConform(t *testing.T) {
	files, err := filepath.Glob("catalog/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no profiles: %v", err)
	}
	for _, file := range append(files, "postman/postman.json") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var doc any
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		published := publishedSchema(t)
		if err := conform(published, published, doc); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
