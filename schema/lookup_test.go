package schema_test

import (
	"strings"
	"testing"

	elimity "github.com/elimity-com/scim/schema"

	"github.com/scimbridge/scim/schema"
)

func TestLookup(t *testing.T) {
	tests := []struct {
		name string
		want string // path, empty when there is none
	}{
		{"userName", "userName"},
		{"USERNAME", "userName"},
		{"name.familyName", "name.familyName"},
		{"Name.FAMILYNAME", "name.familyName"},
		{"emails.value", "emails.value"},
		{"id", "id"},
		{"externalid", "externalId"},
		{"schemas", "schemas"},
		{"meta.lastModified", "meta.lastModified"},
		{"groups.$ref", "groups.$ref"},
		{userSchema + ":userName", "userName"},
		{strings.ToUpper(userSchema) + ":NAME.givenname", "name.givenName"},
		{userSchema + ":meta.created", "meta.created"},
		{enterprise, enterprise},
		{strings.ToLower(enterprise), enterprise},
		{enterprise + ":department", enterprise + ":department"},
		{strings.ToUpper(enterprise) + ":MANAGER.DISPLAYNAME", enterprise + ":manager.displayName"},
		{"department", ""},
		{"manager.value", ""},
		{"", ""},
		{"userName.value", ""},
		{"userName ", ""},
		{userSchema, ""},
		{enterprise + ":", ""},
		{enterprise + ":userName", ""},
		{"urn:example:other:userName", ""},
		{strings.Repeat("a", 1000), ""},
	}
	s := schema.User()
	for _, test := range tests {
		a, ok := s.Lookup(test.name)
		if ok != (test.want != "") || ok && a.Path() != test.want {
			t.Errorf("Lookup(%q) = %v, %v, want %q", test.name, a, ok, test.want)
		}
	}
}

func TestLookupFoldsASCIIOnly(t *testing.T) {
	// A letter outside ASCII that Unicode folds to one inside must not match a name.
	s := typed(t)
	if a, ok := s.Lookup("lin\u212A"); ok {
		t.Errorf("Lookup with a Kelvin sign found %v", a)
	}
}

func TestLookupLoose(t *testing.T) {
	other := elimity.Schema{ID: "urn:example:Other", Attributes: []elimity.CoreAttribute{
		elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "division"})),
		elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "title"})),
	}}
	s, err := schema.Compile(schema.CoreUser(),
		schema.Extension{Schema: schema.EnterpriseUser()}, schema.Extension{Schema: other})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"manager":       enterprise + ":manager",
		"Manager.VALUE": enterprise + ":manager.value",
		"title":         "title", // the core's
		"division":      "",      // two extensions have it
	} {
		a, ok := s.LookupLoose(name)
		if ok != (want != "") || ok && a.Path() != want {
			t.Errorf("LookupLoose(%q) = %v, %v, want %q", name, a, ok, want)
		}
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	s := schema.User()
	for _, name := range []string{"userName", "USERNAME", "Name.FamilyName", strings.ToUpper(enterprise) + ":MANAGER.VALUE", "nosuch"} {
		if n := testing.AllocsPerRun(100, func() { s.Lookup(name) }); n != 0 {
			t.Errorf("Lookup(%q) allocates %v times", name, n)
		}
	}
}

func TestAttribute(t *testing.T) {
	s := schema.User()
	manager, _ := s.Lookup(enterprise + ":manager")
	value, ok := manager.SubAttribute("VALUE")
	if !ok || value.Name != "value" || value.Parent() != manager || value.URN != enterprise {
		t.Errorf("manager.value = %+v, %v", value, ok)
	}
	password, _ := s.Lookup("password")
	if !password.Sensitive() || manager.Sensitive() {
		t.Error("password is sensitive, and manager is not")
	}
	extension, _ := s.Lookup(enterprise)
	if !extension.IsExtension() || manager.IsExtension() || len(extension.Sub) != 6 {
		t.Errorf("extension = %+v", extension)
	}
}

func TestSchemaNames(t *testing.T) {
	s := schema.User()
	if s.URN() != userSchema {
		t.Errorf("URN = %s", s.URN())
	}
	if list := s.Extensions(); len(list) != 1 || list[0].String() != enterprise || list[0].Required {
		t.Errorf("extensions = %v", list)
	}
}

func TestSubAttributesInherit(t *testing.T) {
	simple := elimity.SimpleStringParams(elimity.StringParams{Name: "value"})
	s, err := schema.Compile(elimity.Schema{ID: "urn:example:Thing", Attributes: []elimity.CoreAttribute{
		elimity.ComplexCoreAttribute(elimity.ComplexParams{
			Name: "computed", Mutability: elimity.AttributeMutabilityReadOnly(), SubAttributes: []elimity.SimpleParams{simple},
		}),
		elimity.ComplexCoreAttribute(elimity.ComplexParams{
			Name: "credential", Mutability: elimity.AttributeMutabilityWriteOnly(), Returned: elimity.AttributeReturnedNever(),
			SubAttributes: []elimity.SimpleParams{simple},
		}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if a, _ := s.Lookup("computed.value"); a.Mutability != schema.ReadOnly {
		t.Errorf("computed.value is %s", a.Mutability)
	}
	if a, _ := s.Lookup("credential.value"); a.Mutability != schema.WriteOnly || a.Returned != schema.ReturnedNever || !a.Sensitive() {
		t.Errorf("credential.value is %s, returned %s", a.Mutability, a.Returned)
	}
}

func TestAttributesInOrder(t *testing.T) {
	var got []string
	for a := range schema.Group().Attributes() {
		got = append(got, a.Path())
	}
	if want := "schemas id externalId meta displayName members"; strings.Join(got, " ") != want {
		t.Errorf("attributes = %v, want %s", got, want)
	}
	var first string
	for a := range schema.User().Attributes() {
		first = a.Name
		break
	}
	if first != "schemas" {
		t.Errorf("first attribute = %s", first)
	}
}

func TestCompileRefuses(t *testing.T) {
	text := func(name string) elimity.CoreAttribute {
		return elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: name}))
	}
	one := func(id string, attributes ...elimity.CoreAttribute) elimity.Schema {
		return elimity.Schema{ID: id, Attributes: attributes}
	}
	tests := []struct {
		name       string
		core       elimity.Schema
		extensions []elimity.Schema
		want       string
	}{
		{name: "no URN", core: one(""), want: "needs a URN"},
		{name: "not a URN", core: one("User"), want: "not a URN"},
		{name: "no URN of an extension", core: one("urn:a"), extensions: []elimity.Schema{one("")}, want: "needs a URN"},
		{name: "the core by another letter case of its URN", core: one("urn:zebra:Z"), extensions: []elimity.Schema{one("URN:ZEBRA:z")}, want: "is the core schema"},
		{name: "a name twice", core: one("urn:a", text("x"), text("X")), want: "X is defined twice"},
		{name: "a name twice in an extension", core: one("urn:a"), extensions: []elimity.Schema{one("urn:b", text("x"), text("X"))}, want: "X is defined twice"},
		{name: "extension twice", core: one("urn:a"), extensions: []elimity.Schema{one("urn:b"), one("URN:B")}, want: "defined twice"},
		{name: "core as extension", core: one("urn:a"), extensions: []elimity.Schema{one("urn:A")}, want: "is the core schema"},
		{name: "URN that is a name", core: one("urn:a", text("x")), extensions: []elimity.Schema{one("urn:a:x")}, want: "names two things"},
		{name: "schemas redefined", core: one("urn:a", text("schemas")), want: "list of strings"},
		{
			name: "sub-attribute with a dot",
			core: one("urn:a", elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "c", SubAttributes: []elimity.SimpleParams{
				elimity.SimpleStringParams(elimity.StringParams{Name: "x.y"}),
			}})),
			want: "not an attribute name",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var extensions []schema.Extension
			for _, e := range test.extensions {
				extensions = append(extensions, schema.Extension{Schema: e})
			}
			_, err := schema.Compile(test.core, extensions...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want one with %q", err, test.want)
			}
		})
	}
}
