package patch_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/schema"
)

const enterprise = scim.EnterpriseUserSchema

// The documents that the tables start from.
const (
	userDocument = `{
		"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
		"id": "u1", "userName": "bjensen", "active": true, "title": "Guide", "password": "t1meMa$heen",
		"name": {"givenName": "Barbara", "familyName": "Jensen"},
		"emails": [
			{"value": "bjensen@example.com", "type": "work", "primary": true},
			{"value": "babs@example.org", "type": "home"}
		],
		"addresses": [{"type": "work", "streetAddress": "100 Universal City Plaza", "locality": "Hollywood"}],
		"groups": [{"value": "g1", "display": "Guides"}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
			"employeeNumber": "701984",
			"manager": {"value": "m1", "$ref": "https://example.com/Users/m1", "displayName": "John"}
		},
		"meta": {"resourceType": "User"}
	}`
	groupDocument = `{
		"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
		"id": "g1", "displayName": "Tour Guides",
		"members": [
			{"value": "u1", "$ref": "https://example.com/Users/u1", "display": "Barbara", "type": "User"},
			{"value": "u2", "display": "James"}
		]
	}`
)

// applyTest is a row of a table. want holds the attributes that change, null for those that go; the others must stay as they are.
// Without want nothing may change. When typ is set, the operation with index op must fail with it.
type applyTest struct {
	name, ops, want string
	typ             scim.ErrorType
	op              int
	status          int
}

func decode(t testing.TB, text string) scim.Document {
	t.Helper()
	doc, err := scim.DecodeDocument([]byte(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return doc
}

func decodeOps(t testing.TB, text string) []scim.PatchOperation {
	t.Helper()
	if !strings.HasPrefix(strings.TrimSpace(text), "[") {
		text = "[" + text + "]"
	}
	var request scim.PatchRequest
	if err := json.Unmarshal([]byte(`{"Operations":`+text+`}`), &request); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return request.Operations
}

func runApply(t *testing.T, s *schema.Schema, document string, opts patch.Options, tests []applyTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := decode(t, document)
			ops := decodeOps(t, tt.ops)
			target := patch.NewTarget(s, doc.Clone())
			changed, targetErr := target.Apply(ops, opts)
			got, err := patch.Apply(s, doc, ops, opts)
			if diff := cmp.Diff(decode(t, document), doc); diff != "" {
				t.Fatalf("Apply has changed the document it was given (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(decodeOps(t, tt.ops), ops); diff != "" {
				t.Fatalf("Apply has changed the operations it was given (-want +got):\n%s", diff)
			}
			if (err == nil) != (targetErr == nil) || err != nil && err.Error() != targetErr.Error() {
				t.Fatalf("a Target fails with %v, Apply with %v", targetErr, err)
			}
			if tt.typ != "" || tt.status != 0 {
				checkRefusal(t, tt, err)
				if diff := cmp.Diff(doc, target.Document()); diff != "" {
					t.Errorf("a refused request has changed the target (-want +got):\n%s", diff)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := doc.Clone()
			if tt.want != "" {
				for name, v := range decode(t, tt.want) {
					if v == nil {
						delete(want, name)
					} else {
						want[name] = v
					}
				}
			}
			if diff := cmp.Diff(want, got.Document); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want, target.Document()); diff != "" {
				t.Errorf("target (-want +got):\n%s", diff)
			}
			if got.Changed != (tt.want != "") || changed != got.Changed {
				t.Errorf("changed is %t, of the target %t", got.Changed, changed)
			}
		})
	}
}

func checkRefusal(t *testing.T, tt applyTest, err error) {
	t.Helper()
	refused, ok := errors.AsType[*scim.Error](err)
	if !ok {
		t.Fatalf("got error %v, want %s", err, tt.typ)
	}
	status := tt.status
	if status == 0 {
		status = 400
	}
	if refused.Status != status || refused.Type != tt.typ || refused.Operation != wantedOperation(tt) {
		t.Errorf("got %v, want status %d, %s in operation %d", err, status, tt.typ, wantedOperation(tt))
	}
}

// The examples of RFC 7644 section 3.5.2, which must work in every mode.
var rfcGroupTests = []applyTest{
	{
		name: "add a member",
		ops: `{"op":"add","path":"members","value":[
			{"display":"Babs Jensen","$ref":"https://example.com/v2/Users/2819c223","value":"2819c223"}]}`,
		want: `{"members":[
			{"value":"u1","$ref":"https://example.com/Users/u1","display":"Barbara","type":"User"},{"value":"u2","display":"James"},
			{"display":"Babs Jensen","$ref":"https://example.com/v2/Users/2819c223","value":"2819c223"}]}`,
	},
	{
		name: "remove a member",
		ops:  `{"op":"remove","path":"members[value eq \"u1\"]"}`,
		want: `{"members":[{"value":"u2","display":"James"}]}`,
	},
	{name: "remove all members", ops: `{"op":"remove","path":"members"}`, want: `{"members":null}`},
	{
		name: "remove one member and add another",
		ops: `{"op":"remove","path":"members[value eq \"u1\"]"},
			{"op":"add","path":"members","value":[{"display":"James Smith","value":"08e1d05d"}]}`,
		want: `{"members":[{"value":"u2","display":"James"},{"display":"James Smith","value":"08e1d05d"}]}`,
	},
	{
		name: "replace all members",
		ops:  `{"op":"replace","path":"members","value":[{"value":"u8","display":"Babs"},{"value":"u9","display":"James"}]}`,
		want: `{"members":[{"value":"u8","display":"Babs"},{"value":"u9","display":"James"}]}`,
	},
}

var rfcUserTests = []applyTest{
	{
		name: "add attributes without a path",
		ops:  `{"op":"add","value":{"emails":[{"value":"babs@jensen.org","type":"home"}],"nickname":"Babs"}}`,
		want: `{"nickName":"Babs","emails":[
			{"value":"bjensen@example.com","type":"work","primary":true},{"value":"babs@example.org","type":"home"},
			{"value":"babs@jensen.org","type":"home"}]}`,
	},
	{
		name: "remove by a filter of two terms",
		ops:  `{"op":"remove","path":"emails[type eq \"work\" and value ew \"example.com\"]"}`,
		want: `{"emails":[{"value":"babs@example.org","type":"home"}]}`,
	},
	{
		name: "replace the selected element",
		ops: `{"op":"replace","path":"addresses[type eq \"work\"]","value":
			{"type":"work","streetAddress":"911 Universal City Plaza","region":"CA","primary":true}}`,
		want: `{"addresses":[{"type":"work","streetAddress":"911 Universal City Plaza","region":"CA","primary":true}]}`,
	},
	{
		name: "replace a sub-attribute of the selected element",
		ops:  `{"op":"replace","path":"addresses[type eq \"work\"].streetAddress","value":"1010 Broadway Ave"}`,
		want: `{"addresses":[{"type":"work","streetAddress":"1010 Broadway Ave","locality":"Hollywood"}]}`,
	},
	{
		name: "replace attributes without a path",
		ops: `{"op":"replace","value":{"emails":[{"value":"bjensen@example.com","type":"work","primary":true},
			{"value":"babs@jensen.org","type":"home"}],"nickname":"Babs"}}`,
		want: `{"nickName":"Babs","emails":[
			{"value":"bjensen@example.com","type":"work","primary":true},{"value":"babs@jensen.org","type":"home"}]}`,
	},
	{
		name: "replace merges into a complex attribute",
		ops:  `{"op":"replace","path":"name","value":{"givenName":"Babs"}}`,
		want: `{"name":{"givenName":"Babs","familyName":"Jensen"}}`,
	},
	{name: "replace a sub-attribute", ops: `{"op":"replace","path":"name.familyName","value":"Smith"}`, want: `{"name":{"givenName":"Barbara","familyName":"Smith"}}`},
	{name: "replace an absent attribute adds it", ops: `{"op":"replace","path":"nickName","value":"Babs"}`, want: `{"nickName":"Babs"}`},
	{name: "add replaces a single value", ops: `{"op":"add","path":"title","value":"Chief"}`, want: `{"title":"Chief"}`},
	{name: "add the value that is there", ops: `{"op":"add","path":"title","value":"Guide"}`},
	{name: "add the element that is there", ops: `{"op":"add","path":"emails","value":[{"value":"babs@example.org","type":"home"}]}`},
	{name: "replace by the same elements in another order", ops: `{"op":"replace","path":"emails","value":[
		{"type":"home","value":"babs@example.org"},{"value":"bjensen@example.com","type":"work","primary":true}]}`},
	{
		name: "a new primary takes it from the old one",
		ops:  `{"op":"add","path":"emails","value":[{"value":"new@example.com","type":"other","primary":true}]}`,
		want: `{"emails":[{"value":"bjensen@example.com","type":"work","primary":false},{"value":"babs@example.org","type":"home"},
			{"value":"new@example.com","type":"other","primary":true}]}`,
	},
	{
		name: "primary of a selected element takes it from the old one",
		ops:  `{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}`,
		want: `{"emails":[{"value":"bjensen@example.com","type":"work","primary":false},
			{"value":"babs@example.org","type":"home","primary":true}]}`,
	},
	{name: "two primary elements", ops: `{"op":"replace","path":"emails[value pr].primary","value":true}`, typ: scim.InvalidValue},
	{
		name: "two primary values", typ: scim.InvalidValue,
		ops: `{"op":"add","path":"emails","value":[{"value":"a","primary":true},{"value":"b","primary":true}]}`,
	},
	{name: "remove an attribute", ops: `{"op":"remove","path":"title"}`, want: `{"title":null}`},
	{name: "remove an absent attribute", ops: `{"op":"remove","path":"nickName"}`},
	{name: "remove a sub-attribute", ops: `{"op":"remove","path":"name.givenName"}`, want: `{"name":{"familyName":"Jensen"}}`},
	{
		name: "removing the last sub-attribute removes the attribute",
		ops:  `{"op":"remove","path":"name.givenName"},{"op":"remove","path":"name.familyName"}`,
		want: `{"name":null}`,
	},
	{
		name: "remove a sub-attribute of all elements", ops: `{"op":"remove","path":"emails.type"}`,
		want: `{"emails":[{"value":"bjensen@example.com","primary":true},{"value":"babs@example.org"}]}`,
	},
	{name: "null is no value", ops: `{"op":"replace","path":"title","value":null}`, want: `{"title":null}`},
	{name: "null in an object is no value", ops: `{"op":"replace","value":{"title":null,"name":{"givenName":null}}}`, want: `{"title":null,"name":{"familyName":"Jensen"}}`},
	{
		name: "an attribute of an extension", ops: `{"op":"replace","path":"` + enterprise + `:employeeNumber","value":"7"}`,
		want: `{"` + enterprise + `":{"employeeNumber":"7","manager":{"value":"m1","$ref":"https://example.com/Users/m1","displayName":"John"}}}`,
	},
	{
		name: "an extension without a path", ops: `{"op":"add","value":{"` + enterprise + `":{"department":"Tours"}}}`,
		want: `{"` + enterprise + `":{"employeeNumber":"701984","department":"Tours","manager":{"value":"m1","$ref":"https://example.com/Users/m1","displayName":"John"}}}`,
	},
	{
		name: "removing the last attribute of an extension takes its schema off",
		ops:  `{"op":"remove","path":"` + enterprise + `:employeeNumber"},{"op":"remove","path":"` + enterprise + `:manager"}`,
		want: `{"` + enterprise + `":null,"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]}`,
	},
	{
		name: "remove an extension", ops: `{"op":"remove","path":"` + enterprise + `"}`,
		want: `{"` + enterprise + `":null,"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]}`,
	},
	{
		name: "a new manager drops what was said about the old one",
		ops:  `{"op":"replace","path":"` + enterprise + `:manager","value":{"value":"m2"}}`,
		want: `{"` + enterprise + `":{"employeeNumber":"701984","manager":{"value":"m2"}}}`,
	},
	{
		name: "a core attribute by its URN and in another case",
		ops:  `{"op":"replace","path":"URN:ietf:params:scim:schemas:core:2.0:user:Name.FamilyName","value":"Smith"}`,
		want: `{"name":{"givenName":"Barbara","familyName":"Smith"}}`,
	},
	{name: "the core URN is the resource", ops: `{"op":"replace","path":"` + scim.UserSchema + `","value":{"title":"Chief"}}`, want: `{"title":"Chief"}`},
	{name: "writing the same password is a change", ops: `{"op":"replace","path":"password","value":"t1meMa$heen"}`, want: `{"password":"t1meMa$heen"}`},

	{name: "remove without a path", ops: `{"op":"remove"}`, typ: scim.NoTarget},
	{name: "unknown op", ops: `{"op":"copy","path":"title"}`, typ: scim.InvalidSyntax},
	{name: "unknown attribute", ops: `{"op":"replace","path":"favouriteColour","value":"teal"}`, typ: scim.InvalidPath},
	{name: "unknown sub-attribute", ops: `{"op":"replace","path":"name.maidenName","value":"x"}`, typ: scim.InvalidPath},
	{name: "malformed path", ops: `{"op":"replace","path":"emails[type eq","value":"x"}`, typ: scim.InvalidFilter},
	{name: "filter on an attribute that the schema does not have", ops: `{"op":"remove","path":"emails[colour eq \"x\"]"}`, typ: scim.InvalidFilter},
	{name: "filter on a simple attribute", ops: `{"op":"replace","path":"title[value eq \"x\"]","value":"y"}`, typ: scim.InvalidPath},
	{name: "readOnly attribute", ops: `{"op":"replace","path":"id","value":"x"}`, typ: scim.Mutability},
	{name: "readOnly groups", ops: `{"op":"add","path":"groups","value":[{"value":"g9"}]}`, typ: scim.Mutability},
	{name: "readOnly sub-attribute", ops: `{"op":"replace","path":"meta.resourceType","value":"x"}`, typ: scim.Mutability},
	{name: "remove what is required", ops: `{"op":"remove","path":"userName"}`, typ: scim.Mutability},
	{name: "null for what is required", ops: `{"op":"replace","path":"userName","value":null}`, typ: scim.Mutability},
	{name: "wrong type", ops: `{"op":"replace","path":"active","value":"maybe"}`, typ: scim.InvalidValue},
	{name: "wrong type in an element", ops: `{"op":"add","path":"emails","value":[{"value":{"x":1}}]}`, typ: scim.InvalidValue},
	{name: "no object without a path", ops: `{"op":"add","value":"x"}`, typ: scim.InvalidValue},
	{
		name: "the second operation fails", typ: scim.Mutability, op: 2,
		ops: `{"op":"replace","path":"title","value":"Chief"},{"op":"remove","path":"userName"}`,
	},
	{
		name: "a name given twice in different case", typ: scim.InvalidSyntax,
		ops: `{"op":"replace","value":{"title":"a","Title":"b"}}`,
	},
}

func TestApplyRFC(t *testing.T) {
	for _, opts := range []struct {
		name string
		patch.Options
	}{{"tolerant", patch.Options{}}, {"strict", patch.Options{Strict: true}}} {
		t.Run(opts.name, func(t *testing.T) {
			runApply(t, schema.User(), userDocument, opts.Options, rfcUserTests)
			runApply(t, schema.Group(), groupDocument, opts.Options, rfcGroupTests)
		})
	}
}

func TestApplyKeepsWhatItDoesNotChange(t *testing.T) {
	doc := decode(t, userDocument)
	got, err := patch.Apply(schema.User(), doc, decodeOps(t, `{"op":"replace","path":"title","value":"Guide"}`), patch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Changed {
		t.Error("nothing was changed, but Changed is true")
	}
	want := maps.Clone(doc)
	if diff := cmp.Diff(want, got.Document); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// wantedOperation is the index of the operation that must fail: the first, unless the row says otherwise; -1 stands for none.
func wantedOperation(tt applyTest) int {
	switch tt.op {
	case 0:
		return 1
	case -1:
		return 0
	}
	return tt.op
}
