package schema_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	elimity "github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// fullUser is shaped like the user of RFC 7643 section 8.3.
const fullUser = `{
	"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
	"id": "2819c223-7f76-453a-919d-413861904646",
	"externalId": "701984",
	"userName": "bjensen@example.com",
	"name": {
		"formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen", "givenName": "Barbara",
		"middleName": "Jane", "honorificPrefix": "Ms.", "honorificSuffix": "III"
	},
	"displayName": "Babs Jensen",
	"nickName": "Babs",
	"profileUrl": "https://login.example.com/bjensen",
	"emails": [
		{"value": "bjensen@example.com", "type": "work", "primary": true},
		{"value": "babs@jensen.org", "type": "home"}
	],
	"addresses": [
		{
			"streetAddress": "100 Universal City Plaza", "locality": "Hollywood", "region": "CA", "postalCode": "91608",
			"country": "USA", "formatted": "100 Universal City Plaza\nHollywood, CA 91608 USA", "type": "work", "primary": true
		},
		{
			"streetAddress": "456 Hollywood Blvd", "locality": "Hollywood", "region": "CA", "postalCode": "91608",
			"country": "USA", "formatted": "456 Hollywood Blvd\nHollywood, CA 91608 USA", "type": "home"
		}
	],
	"phoneNumbers": [{"value": "555-555-5555", "type": "work"}, {"value": "555-555-4444", "type": "mobile"}],
	"ims": [{"value": "someaimhandle", "type": "aim"}],
	"photos": [
		{"value": "https://photos.example.com/profilephoto/72930000000Ccne/F", "type": "photo"},
		{"value": "https://photos.example.com/profilephoto/72930000000Ccne/T", "type": "thumbnail"}
	],
	"userType": "Employee",
	"title": "Tour Guide",
	"preferredLanguage": "en-US",
	"locale": "en-US",
	"timezone": "America/Los_Angeles",
	"active": true,
	"password": "t1meMa$heen",
	"groups": [
		{"value": "e9e30dba-f08f-4109-8486-d5c6a331660a", "$ref": "../Groups/e9e30dba-f08f-4109-8486-d5c6a331660a", "display": "Tour Guides"},
		{"value": "fc348aa8-3835-40eb-a20b-c726e15c55b5", "$ref": "../Groups/fc348aa8-3835-40eb-a20b-c726e15c55b5", "display": "Employees"}
	],
	"x509Certificates": [{"value": "MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjELMAkGA1UEBhMCVVMxEzAR"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
		"employeeNumber": "701984", "costCenter": "4130", "organization": "Universal Studios", "division": "Theme Park",
		"department": "Tour Operations",
		"manager": {"value": "26118915-6090-4610-87e4-49d8ca9f808d", "$ref": "../Users/26118915-6090-4610-87e4-49d8ca9f808d", "displayName": "John Smith"}
	},
	"meta": {
		"resourceType": "User", "created": "2010-01-23T04:56:22Z", "lastModified": "2011-05-13T04:42:34Z",
		"version": "W/\"a330bc54f0671c9\"", "location": "https://example.com/v2/Users/2819c223-7f76-453a-919d-413861904646"
	}
}`

func TestCanonicalAnyKeepsAFullUser(t *testing.T) {
	doc := decode(t, fullUser)
	got, err := schema.User().Canonical(doc, schema.Options{Mode: schema.ModeAny, Unknown: schema.UnknownReject})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decode(t, fullUser), got); diff != "" {
		t.Errorf("canonical form (-want +got):\n%s", diff)
	}
}

func TestCanonicalCreateDropsReadOnly(t *testing.T) {
	want := decode(t, fullUser)
	delete(want, "id")
	delete(want, "meta")
	delete(want, "groups")
	delete(want[enterprise].(object)["manager"].(object), "displayName")
	for _, mode := range []schema.Mode{schema.ModeCreate, schema.ModeReplace, schema.ModePatch} {
		got, err := schema.User().Canonical(decode(t, fullUser), schema.Options{Mode: mode})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("mode %d (-want +got):\n%s", mode, diff)
		}
	}
}

func TestCanonicalSharesNothing(t *testing.T) {
	in := decode(t, fullUser)
	in["custom"] = object{"a": []any{object{"b": "c"}}}
	before := in.Clone()
	got, err := schema.User().Canonical(in, schema.Options{Mode: schema.ModeAny, Unknown: schema.UnknownKeep})
	if err != nil {
		t.Fatal(err)
	}
	scribble(got)
	if diff := cmp.Diff(before, in); diff != "" {
		t.Errorf("writing to the result changed the input (-before +after):\n%s", diff)
	}
}

// scribble overwrites everything in a document.
func scribble(v any) {
	switch v := v.(type) {
	case scim.Document:
		scribble(object(v))
	case object:
		for name, value := range v {
			scribble(value)
			v[name] = "scribbled"
		}
	case []any:
		for i, value := range v {
			scribble(value)
			v[i] = "scribbled"
		}
	}
}

func TestCanonicalDocument(t *testing.T) {
	strict := schema.Options{Unknown: schema.UnknownReject}
	keep := schema.Options{Unknown: schema.UnknownKeep}
	tolerant := schema.Options{Tolerant: true}
	core := `"schemas":["` + userSchema + `"]`
	both := `"schemas":["` + userSchema + `","` + enterprise + `"]`
	tests := []struct {
		name string
		in   string
		opts schema.Options
		want string
		err  string
	}{
		{name: "names in any case", in: `{"USERNAME":"a","Name":{"FAMILYNAME":"b"},"EMAILS":[{"VALUE":"c"}]}`, want: `{` + core + `,"userName":"a","name":{"familyName":"b"},"emails":[{"value":"c"}]}`},
		{name: "extension in any case", in: `{"userName":"a","URN:IETF:params:scim:schemas:extension:enterprise:2.0:user":{"DEPARTMENT":"d"}}`, want: `{` + both + `,"userName":"a","` + enterprise + `":{"department":"d"}}`},
		{name: "a name twice", in: `{"userName":"a","username":"b"}`, err: "userName: is given twice, as userName and username"},
		{name: "a name twice, once null", in: `{"userName":"a","username":null}`, err: "userName: is given twice, as userName and username"},
		{name: "a readOnly name twice", in: `{"userName":"a","id":"1","ID":"2"}`, err: "id: is given twice, as ID and id"},
		{name: "a sub-attribute twice", in: `{"userName":"a","emails":[{"value":"x"},{"type":"a","TYPE":"b"}]}`, err: "emails[1].type: is given twice, as TYPE and type"},
		{name: "twice comes before wrong", in: `{"userName":"a","active":"x","ACTIVE":true}`, err: "active: is given twice, as ACTIVE and active"},
		{name: "the first of several faults", in: `{"userName":1,"title":2,"active":"x","nickName":{},"locale":[3]}`, err: `active: must be a boolean (true or false), not the string "x"`},
		{name: "unknown name twice, kept", in: `{"userName":"a","favColor":1,"FAVCOLOR":2}`, opts: keep, err: "favColor: is given twice, as FAVCOLOR and favColor"},

		{name: "required", in: `{"displayName":"x"}`, err: "userName: is required and must be a string"},
		{name: "required but null", in: `{"userName":null}`, err: "userName: is required and must be a string"},
		{name: "required but empty", in: `{"userName":""}`, err: "userName: is required and must not be empty"},
		{name: "wrong comes before missing", in: `{"title":5}`, err: "title: must be a string, not 5"},
		{name: "not required in a part", in: `{"displayName":"x"}`, opts: schema.Options{Mode: schema.ModePatch}, want: `{"displayName":"x"}`},

		{name: "unknown ignored", in: `{"userName":"a","favColor":"red","name":{"nick":"x"}}`, want: `{` + core + `,"userName":"a"}`},
		{name: "unknown kept", in: `{"userName":"a","favColor":"red","name":{"nick":"x"},"urn:example:Custom:1.0":{"a":[null,{"b":null}],"c":1}}`, opts: keep, want: `{` + core + `,"userName":"a","favColor":"red","name":{"nick":"x"},"urn:example:Custom:1.0":{"c":1}}`},
		{name: "unknown rejected", in: `{"userName":"a","favColor":"red"}`, opts: strict, err: "favColor: is not an attribute of " + userSchema},
		{name: "unknown sub-attribute rejected", in: `{"userName":"a","emails":[{"value":"x"},{"valu":"y"}]}`, opts: strict, err: "emails[1].valu: is not an attribute of emails, which has value, display, type, primary"},
		{name: "unknown attribute of an extension rejected", in: `{"userName":"a","` + enterprise + `":{"dept":"y"}}`, opts: strict, err: enterprise + ":dept: is not an attribute of " + enterprise + ", which has employeeNumber, costCenter, organization, division, department, manager"},
		{name: "unknown null is nothing", in: `{"userName":"a","favColor":null}`, opts: strict, want: `{` + core + `,"userName":"a"}`},
		{name: "the first of several unknown", in: `{"userName":"a","z":1,"y":2,"x":3}`, opts: strict, err: "x: is not an attribute of " + userSchema},
		{name: "long unknown name is cut", in: `{"userName":"a","` + strings.Repeat("n", 1000) + `":1}`, opts: strict, err: `"` + strings.Repeat("n", 40) + `"…: is not an attribute of ` + userSchema},

		{name: "schemas filled in", in: `{"userName":"a"}`, opts: strict, want: `{` + core + `,"userName":"a"}`},
		{name: "extension absent from schemas", in: `{` + core + `,"userName":"a","` + enterprise + `":{"division":"x"}}`, opts: strict, want: `{` + both + `,"userName":"a","` + enterprise + `":{"division":"x"}}`},
		{name: "extension listed without attributes", in: `{` + both + `,"userName":"a","` + enterprise + `":{}}`, opts: strict, want: `{` + core + `,"userName":"a"}`},
		{name: "schemas in another case", in: `{"schemas":["URN:ietf:params:scim:schemas:core:2.0:user"],"userName":"a"}`, opts: strict, want: `{` + core + `,"userName":"a"}`},
		{name: "mistyped schema ignored", in: `{"schemas":["urn:ietf:params:scim:schemas:extension:enterprise:2.0User"],"userName":"a"}`, want: `{` + core + `,"userName":"a"}`},
		{name: "unknown schema kept", in: `{"schemas":["urn:x:y"],"userName":"a"}`, opts: keep, want: `{"schemas":["` + userSchema + `","urn:x:y"],"userName":"a"}`},
		{name: "unknown schema rejected", in: `{"schemas":["` + userSchema + `","urn:x:y"],"userName":"a"}`, opts: strict, err: `schemas[1]: must be ` + userSchema + ` or one of its extensions, not the string "urn:x:y"`},
		{name: "schemas not a list", in: `{"schemas":"` + userSchema + `","userName":"a"}`, err: `schemas: must be an array (each element a string), not the string "urn:ietf:params:scim:schemas:core:2.0:Us"…`},
		{name: "schemas not a list, tolerant", in: `{"schemas":"` + userSchema + `","userName":"a"}`, opts: tolerant, want: `{` + core + `,"userName":"a"}`},
		{name: "schemas of a part stay", in: `{"schemas":["` + strings.ToLower(enterprise) + `"]}`, opts: schema.Options{Mode: schema.ModeAny}, want: `{"schemas":["` + enterprise + `"]}`},

		{name: "object for a multi-valued attribute", in: `{"userName":"a","emails":{"value":"x"}}`, err: "emails: must be an array (each element an object with value, display, type, primary), not an object"},
		{name: "object for a multi-valued attribute, tolerant", in: `{"userName":"a","emails":{"value":"x"}}`, opts: tolerant, want: `{` + core + `,"userName":"a","emails":[{"value":"x"}]}`},
		{name: "strings for objects, tolerant", in: `{"userName":"a","emails":["x",""]}`, opts: tolerant, want: `{` + core + `,"userName":"a","emails":[{"value":"x"}]}`},
		{name: "two primary elements", in: `{"userName":"a","emails":[{"value":"x","primary":true},{"value":"y","primary":false},{"value":"z","primary":true}]}`, opts: tolerant, err: "emails[2].primary: must be true in one element at most; it is in element 0 already"},
		{name: "two primary elements of a service", in: `{"emails":[{"value":"x","primary":true},{"value":"z","primary":true}]}`, opts: schema.Options{Mode: schema.ModeAny}, want: `{"emails":[{"value":"x","primary":true},{"value":"z","primary":true}]}`},

		{name: "password is not in an error", in: `{"userName":"a","password":["hunter2","x"]}`, err: "password: must be a string, not an array of 2"},
		{name: "Entra's disabled user, tolerant", in: `{"userName":"a","active":"False"}`, opts: tolerant, want: `{` + core + `,"userName":"a","active":false}`},
		{name: "manager as a string, tolerant", in: `{"userName":"a","` + enterprise + `":{"manager":"m1"}}`, opts: tolerant, want: `{` + both + `,"userName":"a","` + enterprise + `":{"manager":{"value":"m1"}}}`},
		{name: "manager as an array, tolerant", in: `{"userName":"a","` + enterprise + `":{"manager":[{"$ref":"https://e.x/Users/m1","value":"m1"}]}}`, opts: tolerant, want: `{` + both + `,"userName":"a","` + enterprise + `":{"manager":{"value":"m1","$ref":"https://e.x/Users/m1"}}}`},
		{name: "manager with null reference", in: `{"userName":"a","` + enterprise + `":{"manager":{"$ref":null,"value":"m1"}}}`, want: `{` + both + `,"userName":"a","` + enterprise + `":{"manager":{"value":"m1"}}}`},
		{name: "manager removed with an empty string, tolerant", in: `{"userName":"a","` + enterprise + `":{"manager":""}}`, opts: tolerant, want: `{` + core + `,"userName":"a"}`},
		{name: "manager as a string, strict", in: `{"userName":"a","` + enterprise + `":{"manager":"m1"}}`, err: enterprise + `:manager: must be an object with value, $ref, displayName, not the string "m1"`},

		{name: "qualified names, tolerant", in: `{"` + userSchema + `:userName":"a","` + strings.ToUpper(enterprise) + `:department":"d","` + enterprise + `":{"division":"v"}}`, opts: tolerant, want: `{` + both + `,"userName":"a","` + enterprise + `":{"department":"d","division":"v"}}`},
		{name: "bare name of an extension's attribute, tolerant", in: `{"userName":"a","manager":"m1","Department":"d"}`, opts: tolerant, want: `{` + both + `,"userName":"a","` + enterprise + `":{"department":"d","manager":{"value":"m1"}}}`},
		{name: "bare null beside the extension, tolerant", in: `{"userName":"a","department":null,"` + enterprise + `":{"department":"d"}}`, opts: tolerant, want: `{` + both + `,"userName":"a","` + enterprise + `":{"department":"d"}}`},
		{name: "qualified and nested, tolerant", in: `{"userName":"a","department":"x","` + enterprise + `":{"department":"d"}}`, opts: tolerant, err: enterprise + ":department: is given twice, by different names"},
		{name: "qualified and bare, tolerant", in: `{"userName":"a","department":"x","` + enterprise + `:department":"d"}`, opts: tolerant, err: enterprise + ":department: is given twice, by different names"},
		{name: "qualified and short, tolerant", in: `{"username":"a","` + userSchema + `:userName":"b"}`, opts: tolerant, err: "userName: is given twice, as userName and username"},
		{name: "qualified beside a wrong extension, tolerant", in: `{"userName":"a","department":"x","` + enterprise + `":"d"}`, opts: tolerant, err: enterprise + `: must be an object with employeeNumber, costCenter, organization, division, department, manager, not the string "d"`},
		{name: "core attributes by the URN of their schema, tolerant", in: `{"displayName":"n","` + strings.ToUpper(userSchema) + `":{"USERNAME":"a","title":null,"emails":[{"value":"x"}],"department":"d"}}`, opts: tolerant, want: `{` + both + `,"displayName":"n","userName":"a","emails":[{"value":"x"}],"` + enterprise + `":{"department":"d"}}`},
		{name: "by the URN and at the top, tolerant", in: `{"userName":"a","` + userSchema + `":{"userName":"a"}}`, opts: tolerant, err: "userName: is given twice, at the top and by the URN of the core schema"},
		{name: "by the URN and, in other letters, at the top, tolerant", in: `{"username":"a","` + userSchema + `":{"userName":"a"}}`, opts: tolerant, err: "userName: is given twice, as userName and username"},
		{name: "by the URN beside null, tolerant", in: `{"userName":null,"` + userSchema + `":{"userName":"a"}}`, opts: tolerant, want: `{` + core + `,"userName":"a"}`},
		{name: "no object by the URN, tolerant", in: `{"userName":"a","` + userSchema + `":"b"}`, opts: tolerant, err: userSchema + ": must be an object with core attributes"},
		{name: "an object by the URN in itself, tolerant", in: `{"userName":"a","` + userSchema + `":{"` + userSchema + `":{"title":"t"}}}`, opts: tolerant, want: `{` + core + `,"userName":"a"}`},
		{name: "core attributes by the URN of their schema, strict", in: `{"userName":"a","` + userSchema + `":{"title":"t"}}`, opts: strict, err: userSchema + ": is not an attribute of " + userSchema},
		{name: "qualified names, strict", in: `{"userName":"a","` + enterprise + `:department":"d"}`, opts: strict, err: shortened(enterprise+":department") + ": is not an attribute of " + userSchema},
		{name: "several strays wrong, tolerant", in: `{"userName":"a","department":"x","division":"y","` + enterprise + `":{"division":"d","department":"e"}}`, opts: tolerant, err: enterprise + ":department: is given twice, by different names"},
		{name: "dotted names are unknown", in: `{"userName":"a","name.familyName":"d"}`, opts: schema.Options{Tolerant: true, Unknown: schema.UnknownReject}, err: "name.familyName: is not an attribute of " + userSchema},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for i := range 8 { // the order of a map must not matter
				test.opts.Reuse = i%2 == 1
				got, err := schema.User().Canonical(decode(t, test.in), test.opts)
				if test.err != "" {
					checkRefusal(t, err, test.err)
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(decode(t, test.want), got); diff != "" {
					t.Fatalf("canonical form (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// shortened is how a long name from outside is shown.
func shortened(name string) string {
	if len(name) <= 80 {
		return name
	}
	return fmt.Sprintf("%q…", name[:40])
}

func TestCanonicalErrorTypes(t *testing.T) {
	s := schema.User()
	for text, want := range map[string]scim.ErrorType{
		`{"userName":"a","USERNAME":"b"}`: scim.InvalidSyntax,
		`{"userName":5}`:                  scim.InvalidValue,
		`{}`:                              scim.InvalidValue,
	} {
		_, err := s.Canonical(decode(t, text), schema.Options{})
		if e, ok := err.(*scim.Error); !ok || e.Type != want {
			t.Errorf("%s: error = %v, want type %s", text, err, want)
		}
	}
}

func TestCanonicalRequiredExtension(t *testing.T) {
	s, err := schema.Compile(schema.CoreUser(), schema.Extension{Schema: schema.EnterpriseUser(), Required: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Canonical(object{"userName": "a"}, schema.Options{})
	checkRefusal(t, err, enterprise+": is required and must be an object with employeeNumber, costCenter, organization, division, department, manager")
	if _, err = s.Canonical(object{"userName": "a", enterprise: object{"division": "x"}}, schema.Options{}); err != nil {
		t.Error(err)
	}
}

func TestCanonicalReplaceDoesNotRequireSecrets(t *testing.T) {
	secret := elimity.StringParams{
		Name: "secret", Required: true,
		Mutability: elimity.AttributeMutabilityWriteOnly(), Returned: elimity.AttributeReturnedNever(),
	}
	s, err := schema.Compile(elimity.Schema{ID: "urn:example:Thing", Attributes: []elimity.CoreAttribute{
		elimity.SimpleCoreAttribute(elimity.SimpleStringParams(secret)),
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Canonical(object{}, schema.Options{Mode: schema.ModeCreate})
	checkRefusal(t, err, "secret: is required and must be a string")
	if _, err = s.Canonical(object{}, schema.Options{Mode: schema.ModeReplace}); err != nil {
		t.Error(err)
	}
}

func TestCanonicalBoundsDepth(t *testing.T) {
	var deep any = "x"
	for range 100_000 {
		deep = []any{deep}
	}
	_, err := schema.User().Canonical(object{"userName": "a", "custom": deep}, schema.Options{Unknown: schema.UnknownKeep})
	if e, ok := err.(*scim.Error); !ok || !strings.HasSuffix(e.Detail, "is nested deeper than 32 levels") {
		t.Errorf("error = %v", err)
	}
	_, err = schema.User().Canonical(object{"userName": deep}, schema.Options{Tolerant: true})
	checkRefusal(t, err, "userName: must be a string, not an array of 1")
}

func TestCanonicalOfOneNameInEverySpelling(t *testing.T) {
	// Listing the spellings again for each of them would take many minutes.
	const name = "preferredLanguage"
	in := object{"userName": "a"}
	for i := range 1 << 15 {
		spelling := []byte(name)
		for bit := range len(spelling) {
			if i>>bit&1 == 1 {
				spelling[bit] ^= 0x20
			}
		}
		in[string(spelling)] = "en"
	}
	_, err := schema.User().Canonical(in, schema.Options{})
	checkRefusal(t, err, "preferredLanguage: is given twice, as PREFERREDLANGUAge and PREFERREDLANGUage and PREFERREDLANGuAge and PREFERREDLANGuage")
}

func TestCanonicalOfManyAttributes(t *testing.T) {
	// More attributes than fit in the space that is usually enough to remember which were seen.
	s := wide(t, 1000)
	in := object{"a999": "x", "A999": "y"}
	_, err := s.Canonical(in, schema.Options{})
	checkRefusal(t, err, "a999: is given twice, as A999 and a999")
	delete(in, "A999")
	got, err := s.Canonical(in, schema.Options{})
	if err != nil || got["a999"] != "x" {
		t.Errorf("got %v, %v", got, err)
	}
}

func wide(t *testing.T, attributes int) *schema.Schema {
	t.Helper()
	var list []elimity.CoreAttribute
	for i := range attributes {
		list = append(list, elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: fmt.Sprint("a", i)})))
	}
	s, err := schema.Compile(elimity.Schema{ID: "urn:example:Wide", Attributes: list})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAttributeCanonical(t *testing.T) {
	s := schema.User()
	lookup := func(path string) *schema.Attribute {
		a, ok := s.Lookup(path)
		if !ok {
			t.Fatalf("no attribute %s", path)
		}
		return a
	}
	tolerant := schema.Options{Mode: schema.ModePatch, Tolerant: true}

	got, err := lookup(enterprise+":manager").Canonical("m1", tolerant)
	if diff := cmp.Diff(object{"value": "m1"}, got); err != nil || diff != "" {
		t.Errorf("manager: %v\n%s", err, diff)
	}
	got, err = lookup("emails").CanonicalElement(object{"VALUE": "x", "primary": "True"}, tolerant)
	if diff := cmp.Diff(object{"value": "x", "primary": true}, got); err != nil || diff != "" {
		t.Errorf("element: %v\n%s", err, diff)
	}
	got, err = lookup("emails").Canonical([]any{}, tolerant)
	if err != nil || got != nil {
		t.Errorf("empty list = %v, %v, want nil", got, err)
	}
	_, err = lookup("emails").Canonical([]any{object{"value": "a"}, object{"value": 1.5}}, schema.Options{})
	checkRefusal(t, err, "emails[1].value: must be a string, not 1.5")
	_, err = lookup(enterprise+":manager").Canonical(object{"value": true}, tolerant)
	checkRefusal(t, err, enterprise+":manager.value: must be a string, not true")
	_, err = lookup("name.familyName").Canonical(true, tolerant)
	checkRefusal(t, err, "name.familyName: must be a string, not true")
	_, err = lookup(enterprise).Canonical(object{"division": true}, tolerant)
	checkRefusal(t, err, enterprise+":division: must be a string, not true")
	_, err = lookup("password").Canonical(int64(77), schema.Options{})
	if strings.Contains(err.Error(), "77") {
		t.Errorf("the error shows the password: %v", err)
	}
}

func TestSchemasAreNotWithoutEnd(t *testing.T) {
	list := []any{userSchema}
	for n := range 999 {
		list = append(list, fmt.Sprint("urn:example:", n))
	}
	opts := schema.Options{Unknown: schema.UnknownKeep}
	got, err := schema.User().Canonical(scim.Document{"userName": "a", "schemas": list}, opts)
	if err != nil || len(got["schemas"].([]any)) != 1000 {
		t.Fatalf("1,000 schemas: %v, %v", got, err)
	}
	list = append(list, "urn:example:one")
	_, err = schema.User().Canonical(scim.Document{"userName": "a", "schemas": list}, opts)
	if refused, ok := errors.AsType[*scim.Error](err); !ok || refused.Type != scim.InvalidValue || refused.Attribute != "schemas" {
		t.Errorf("1,001 schemas: %v", err)
	}
}
