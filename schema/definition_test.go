package schema_test

import (
	"maps"
	"testing"

	elimity "github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

func TestDefinitions(t *testing.T) {
	docs := schema.User().Definitions()
	if len(docs) != 2 || docs[0].ID() != userSchema || docs[1].ID() != enterprise {
		t.Fatalf("definitions of %v", docs)
	}
	attributes := make(map[string]any)
	for _, a := range docs[0]["attributes"].([]any) {
		attributes[a.(object)["name"].(string)] = a
	}
	got := object{"userName": attributes["userName"], "active": attributes["active"], "name": maps.Clone(attributes["name"].(object))}
	delete(got["name"].(object), "subAttributes")
	sub := attributes["photos"].(object)["subAttributes"].([]any)
	got["photos.value"], got["photos.type"] = sub[0], sub[2]
	for _, a := range got {
		delete(a.(object), "description")
	}
	want := object{
		"userName": object{
			"name": "userName", "type": "string", "multiValued": false, "required": true, "caseExact": false,
			"mutability": "readWrite", "returned": "default", "uniqueness": "server",
		},
		"name": object{
			"name": "name", "type": "complex", "multiValued": false, "required": false,
			"mutability": "readWrite", "returned": "default", "uniqueness": "none",
		},
		"active": object{
			"name": "active", "type": "boolean", "multiValued": false, "required": false,
			"mutability": "readWrite", "returned": "default", "uniqueness": "none",
		},
		"photos.value": object{
			"name": "value", "type": "reference", "multiValued": false, "required": false, "caseExact": true,
			"mutability": "readWrite", "returned": "default", "uniqueness": "none", "referenceTypes": []any{"external"},
		},
		"photos.type": object{
			"name": "type", "type": "string", "multiValued": false, "required": false, "caseExact": false,
			"mutability": "readWrite", "returned": "default", "uniqueness": "none", "canonicalValues": []any{"photo", "thumbnail"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, name := range []string{"id", "externalId", "meta", "schemas"} {
		if _, ok := attributes[name]; ok {
			t.Errorf("the common attribute %s is in the definition of User", name)
		}
	}
	if docs[0]["name"] != "User" || docs[0]["meta"].(object)["resourceType"] != "Schema" {
		t.Errorf("definition: %v", docs[0])
	}
}

func TestDefinitionsAreDocuments(t *testing.T) {
	for _, doc := range append(schema.User().Definitions(), schema.Group().Definitions()...) {
		text, err := doc.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(doc, decode(t, string(text))); diff != "" {
			t.Errorf("after a round trip through JSON:\n%s", diff)
		}
	}
}

// TestRFCSchemas holds the schemas that this package gives out against what RFC 7643 says and elimity has otherwise or not.
func TestRFCSchemas(t *testing.T) {
	users, groups := schema.User(), schema.Group()
	tests := []struct {
		schema *schema.Schema
		path   string
		check  func(*schema.Attribute) bool
	}{
		{users, "id", func(a *schema.Attribute) bool {
			return a.CaseExact && a.Mutability == schema.ReadOnly && a.Returned == schema.ReturnedAlways
		}},
		{users, "schemas", func(a *schema.Attribute) bool { return a.Returned == schema.ReturnedAlways && a.MultiValued }},
		{users, "userName", func(a *schema.Attribute) bool {
			return a.Required && !a.CaseExact && a.Uniqueness == schema.UniquenessServer
		}},
		{users, "password", func(a *schema.Attribute) bool {
			return a.Mutability == schema.WriteOnly && a.Returned == schema.ReturnedNever
		}},
		{users, "addresses.primary", func(a *schema.Attribute) bool { return a.Type == schema.Boolean }},
		{users, "groups", func(a *schema.Attribute) bool { return a.Mutability == schema.ReadOnly && len(a.Sub) == 4 }},
		{users, "groups.value", func(a *schema.Attribute) bool { return a.CaseExact && a.Mutability == schema.ReadOnly }},
		{users, "x509Certificates.value", func(a *schema.Attribute) bool { return a.Type == schema.Binary }},
		{users, enterprise + ":manager.value", func(a *schema.Attribute) bool { return a.CaseExact && a.Mutability == schema.ReadWrite }},
		{users, enterprise + ":manager.displayName", func(a *schema.Attribute) bool { return a.Mutability == schema.ReadOnly }},
		{groups, "displayName", func(a *schema.Attribute) bool { return a.Required }},
		{groups, "members.value", func(a *schema.Attribute) bool { return a.CaseExact && a.Mutability == schema.Immutable }},
		{groups, "members.$ref", func(a *schema.Attribute) bool { return a.Type == schema.Reference && len(a.ReferenceTypes) == 2 }},
		{groups, "members.display", func(a *schema.Attribute) bool { return a.Mutability == schema.Immutable }},
	}
	for _, test := range tests {
		if a, ok := test.schema.Lookup(test.path); !ok || !test.check(a) {
			t.Errorf("%s is %+v", test.path, a)
		}
	}
}

// TestRFCSchemasLoseNothing checks that our versions of elimity's schemas have all that those have.
func TestRFCSchemasLoseNothing(t *testing.T) {
	for _, pair := range [][2]elimity.Schema{
		{elimity.CoreUserSchema(), schema.CoreUser()},
		{elimity.CoreGroupSchema(), schema.CoreGroup()},
		{elimity.ExtensionEnterpriseUser(), schema.EnterpriseUser()},
	} {
		theirs, ours := outline(t, pair[0]), outline(t, pair[1])
		if diff := cmp.Diff(theirs, ours); diff != "" {
			t.Errorf("%s (-elimity +ours):\n%s", pair[0].ID, diff)
		}
	}
}

// outline lists the attributes of a schema with all that they are, save the caseExact of ids.
func outline(t *testing.T, s elimity.Schema) map[string]any {
	t.Helper()
	compiled, err := schema.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	list := make(map[string]any)
	var add func(a *schema.Attribute)
	add = func(a *schema.Attribute) {
		exact := a.CaseExact
		switch a.Path() {
		case "groups.value", "members.value", "manager.value":
			exact = true
		}
		list[a.Path()] = []any{
			a.Type, a.MultiValued, a.Required, exact, a.Mutability, a.Returned, a.Uniqueness, a.CanonicalValues, a.ReferenceTypes,
		}
		for _, sub := range a.Sub {
			add(sub)
		}
	}
	for a := range compiled.Attributes() {
		add(a)
	}
	return list
}

func TestSchemas(t *testing.T) {
	got := schema.User().Schemas(scim.Document{
		"schemas":  []any{"urn:x:y", userSchema, "urn:x:y"},
		enterprise: object{"division": "d"},
	})
	if diff := cmp.Diff([]any{userSchema, enterprise, "urn:x:y"}, got); diff != "" {
		t.Error(diff)
	}
}
