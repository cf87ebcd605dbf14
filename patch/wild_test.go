package patch_test

import (
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/schema"
)

const extended = `"` + enterprise + `":{"employeeNumber":"701984","manager":`

// wildTest is what a real client sends: want when tolerant, and how Strict refuses it. An empty strict means that Strict takes
// it, too, with the same outcome.
type wildTest struct {
	applyTest
	strict scim.ErrorType
}

var wildUserTests = []wildTest{
	// Microsoft Entra.
	{applyTest{
		name: "entra: op in title case", ops: `{"op":"Replace","path":"displayName","value":"A"}`, want: `{"displayName":"A"}`,
	}, scim.InvalidSyntax},
	{applyTest{name: "entra: active is a string", ops: `{"op":"replace","path":"active","value":"False"}`, want: `{"active":false}`}, scim.InvalidValue},
	{applyTest{name: "entra: active is a lower-case string", ops: `{"op":"replace","path":"active","value":"false"}`, want: `{"active":false}`}, scim.InvalidValue},
	{applyTest{name: "entra: active stays", ops: `{"op":"replace","path":"active","value":"True"}`}, scim.InvalidValue},
	{applyTest{name: "entra with its flag: active is a boolean", ops: `{"op":"replace","path":"active","value":false}`, want: `{"active":false}`}, ""},
	{applyTest{
		name: "entra: replace by value path", ops: `{"op":"replace","path":"emails[type eq \"work\"].value","value":"a@x"}`,
		want: `{"emails":[{"value":"a@x","type":"work","primary":true},{"value":"babs@example.org","type":"home"}]}`,
	}, ""},
	{applyTest{
		name: "entra: add creates what the value path does not find",
		ops:  `{"op":"add","path":"phoneNumbers[type eq \"mobile\"].value","value":"+1"}`,
		want: `{"phoneNumbers":[{"type":"mobile","value":"+1"}]}`,
	}, scim.NoTarget},
	{applyTest{
		name: "entra: replace creates what the value path does not find",
		ops:  `{"op":"replace","path":"emails[type eq \"other\"].Value","value":"o@x"}`,
		want: `{"emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"value":"babs@example.org","type":"home"},{"value":"o@x","type":"other"}]}`,
	}, scim.NoTarget},
	{applyTest{
		name: "entra: two sub-attributes of an address that is created",
		ops: `{"op":"add","path":"addresses[type eq \"other\"].Formatted","value":"F"},
			{"op":"add","path":"addresses[type eq \"other\"].country","value":"US"}`,
		want: `{"addresses":[{"type":"work","streetAddress":"100 Universal City Plaza","locality":"Hollywood"},{"type":"other","formatted":"F","country":"US"}]}`,
	}, scim.NoTarget},
	{applyTest{
		name: "entra: booleans in filters are strings",
		ops:  `{"op":"add","path":"roles[primary eq \"True\"].value","value":"Admin"}`,
		want: `{"roles":[{"primary":true,"value":"Admin"}]}`,
	}, scim.InvalidFilter},
	{applyTest{
		name: "entra: roles as JSON in a string",
		ops:  `{"op":"add","path":"roles","value":[{"value":"{\"id\":\"1\",\"value\":\"Admin\"}"}]}`,
		want: `{"roles":[{"value":"{\"id\":\"1\",\"value\":\"Admin\"}"}]}`,
	}, ""},
	{applyTest{
		name: "entra: roles replaced",
		ops:  `{"op":"replace","path":"roles","value":[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"User","value":"User"}]}`,
		want: `{"roles":[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"User","value":"User"}]}`,
	}, ""},
	{applyTest{
		name: "entra with its flag: dotted keys and qualified names without a path",
		ops:  `{"op":"replace","value":{"displayName":"X","name.givenName":"Y","` + enterprise + `:employeeNumber":"7"}}`,
		want: `{"displayName":"X","name":{"givenName":"Y","familyName":"Jensen"},
			"` + enterprise + `":{"employeeNumber":"7","manager":{"value":"m1","$ref":"https://example.com/Users/m1","displayName":"John"}}}`,
	}, scim.InvalidPath},
	{applyTest{
		name: "value path as a key without a path", ops: `{"op":"replace","value":{"emails[type eq \"work\"].value":"a@x"}}`,
		want: `{"emails":[{"value":"a@x","type":"work","primary":true},{"value":"babs@example.org","type":"home"}]}`,
	}, scim.InvalidPath},
	{applyTest{
		name: "manager is a string", ops: `{"op":"add","path":"` + enterprise + `:manager","value":"m2"}`,
		want: `{` + extended + `{"value":"m2"}}}`,
	}, scim.InvalidValue},
	{applyTest{
		name: "manager is an array without the URN", ops: `{"op":"add","path":"manager","value":[{"$ref":"https://example.com/Users/m2","value":"m2"}]}`,
		want: `{` + extended + `{"value":"m2","$ref":"https://example.com/Users/m2"}}}`,
	}, scim.InvalidPath},
	{applyTest{
		name: "manager is an object", ops: `{"op":"replace","path":"` + enterprise + `:manager","value":{"value":"m2"}}`,
		want: `{` + extended + `{"value":"m2"}}}`,
	}, ""},
	{applyTest{
		name: "manager by its value", ops: `{"op":"replace","path":"` + enterprise + `:manager.value","value":"m2"}`,
		want: `{` + extended + `{"value":"m2"}}}`,
	}, ""},
	{applyTest{name: "the same manager", ops: `{"op":"replace","path":"` + enterprise + `:manager","value":"m1"}`}, scim.InvalidValue},
	{applyTest{
		name: "manager is removed by an empty string", ops: `{"op":"replace","path":"` + enterprise + `:manager","value":""}`,
		want: `{"` + enterprise + `":{"employeeNumber":"701984"}}`,
	}, scim.InvalidValue},
	{applyTest{
		name: "manager is removed by an empty value", ops: `{"op":"replace","path":"` + enterprise + `:manager","value":{"value":""}}`,
		want: `{"` + enterprise + `":{"employeeNumber":"701984"}}`,
	}, "-"},
	{applyTest{
		name: "manager is removed by null", ops: `{"op":"replace","path":"` + enterprise + `:manager","value":null}`,
		want: `{"` + enterprise + `":{"employeeNumber":"701984"}}`,
	}, ""},
	{applyTest{
		name: "manager is removed", ops: `{"op":"remove","path":"` + enterprise + `:manager"}`,
		want: `{"` + enterprise + `":{"employeeNumber":"701984"}}`,
	}, ""},
	{applyTest{name: "an empty string takes a value away", ops: `{"op":"replace","path":"title","value":""}`, want: `{"title":null}`}, "-"},
	{applyTest{name: "null for an absent value path", ops: `{"op":"replace","path":"phoneNumbers[type eq \"work\"].value","value":null}`}, scim.NoTarget},
	{applyTest{
		name: "removing the value of an element removes the element", ops: `{"op":"remove","path":"emails[type eq \"home\"].value"}`,
		want: `{"emails":[{"value":"bjensen@example.com","type":"work","primary":true}]}`,
	}, "-"},
	{applyTest{name: "an unknown filter match is removed in vain", ops: `{"op":"remove","path":"emails[type eq \"other\"]"}`}, scim.NoTarget},
	{applyTest{
		name: "replace an element by a plain value", ops: `{"op":"replace","path":"emails[type eq \"home\"]","value":"h@x"}`,
		want: `{"emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"value":"h@x","type":"home"}]}`,
	}, scim.InvalidValue},
	{applyTest{name: "a scalar in an array", ops: `{"op":"replace","path":"title","value":["Chief"]}`, want: `{"title":"Chief"}`}, scim.InvalidValue},
	{applyTest{name: "single quotes", ops: `{"op":"remove","path":"emails[type eq 'home']"}`, want: `{"emails":[{"value":"bjensen@example.com","type":"work","primary":true}]}`}, scim.InvalidFilter},
	// Okta.
	{applyTest{name: "okta: deactivate", ops: `{"op":"replace","value":{"active":false}}`, want: `{"active":false}`}, ""},
	{applyTest{
		name: "okta: readOnly and unknown attributes in an object", want: `{"title":"Chief"}`,
		ops: `{"op":"replace","value":{"id":"other","schemas":[],"groups":[],"colour":"teal","title":"Chief"}}`,
	}, scim.InvalidPath},
	// OneLogin.
	{applyTest{name: "onelogin: id is null", ops: `{"op":"replace","value":{"id":null,"active":"false"}}`, want: `{"active":false}`}, scim.InvalidValue},
}

var wildGroupTests = []wildTest{
	{applyTest{
		name: "entra: add a member with a null reference", ops: `{"op":"Add","path":"members","value":[{"$ref":null,"value":"u3"}]}`,
		want: `{"members":[{"value":"u1","$ref":"https://example.com/Users/u1","display":"Barbara","type":"User"},{"value":"u2","display":"James"},{"value":"u3"}]}`,
	}, scim.InvalidSyntax},
	{applyTest{name: "add a member that is there", ops: `{"op":"add","path":"members","value":[{"value":"u1"}]}`}, ""},
	{applyTest{name: "add a member that is there by another name", ops: `{"op":"add","path":"members","value":[{"value":"u1","display":"Babs"}]}`}, scim.Mutability},
	{applyTest{
		name: "add members as plain strings", ops: `{"op":"add","path":"members","value":["u3"]}`,
		want: `{"members":[{"value":"u1","$ref":"https://example.com/Users/u1","display":"Barbara","type":"User"},{"value":"u2","display":"James"},{"value":"u3"}]}`,
	}, scim.InvalidValue},
	{applyTest{
		name: "entra: remove the members given and no others", ops: `{"op":"remove","path":"members","value":[{"$ref":null,"value":"u1"},{"value":"gone"}]}`,
		want: `{"members":[{"value":"u2","display":"James"}]}`,
	}, scim.InvalidValue},
	{applyTest{
		name: "remove one member given as an object", ops: `{"op":"remove","path":"members","value":{"Value":"u1"}}`,
		want: `{"members":[{"value":"u2","display":"James"}]}`,
	}, scim.InvalidValue},
	{applyTest{name: "remove an empty list of members", ops: `{"op":"remove","path":"members","value":[]}`}, scim.InvalidValue},
	{applyTest{
		name: "okta: rename with id", ops: `{"op":"replace","value":{"id":"g1","displayName":"Hosts"}}`, want: `{"displayName":"Hosts"}`,
	}, scim.Mutability},
	{applyTest{
		name: "okta: membership", want: `{"members":[{"value":"u2","display":"James"},{"value":"u3","display":"bob@x"}]}`,
		ops: `{"op":"remove","path":"members[value eq \"u1\"]"},{"op":"add","path":"members","value":[{"value":"u3","display":"bob@x"}]}`,
	}, ""},
	{applyTest{name: "okta: push of an empty list", ops: `{"op":"replace","path":"members","value":[]}`, want: `{"members":null}`}, ""},
	{applyTest{
		name: "okta: push without a path", ops: `{"op":"replace","value":{"members":[{"value":"u2"},{"value":"u9"}]}}`,
		want: `{"members":[{"value":"u2","display":"James"},{"value":"u9"}]}`,
	}, ""},
	{applyTest{name: "push of the same members", ops: `{"op":"replace","path":"members","value":[{"value":"u2"},{"value":"u1"},{"value":"u2"}]}`}, ""},
	{applyTest{name: "a member who has left is not brought back", typ: scim.NoTarget, ops: `{"op":"replace","path":"members[value eq \"u9\"].display","value":"x"}`}, scim.NoTarget},
	{applyTest{name: "a member cannot become another", typ: scim.Mutability, ops: `{"op":"replace","path":"members[value eq \"u1\"].value","value":"u9"}`}, scim.Mutability},
	{applyTest{name: "a member by its own value", ops: `{"op":"replace","path":"members[value eq \"u1\"].value","value":"u1"}`}, ""},
	{applyTest{
		name: "remove members by several filters", want: `{"members":null}`,
		ops: `{"op":"remove","path":"members[value eq \"u1\" or value eq \"u2\"]"}`,
	}, ""},
}

// deviceTests are about what users and groups have not.
var deviceTests = []applyTest{
	{
		name: "an immutable attribute can be given once", ops: `{"op":"add","path":"maker.code","value":"c"}`,
		want: `{"maker":{"value":"acme","code":"c"}}`,
	},
	{name: "and not again", ops: `{"op":"replace","path":"serial","value":"other"}`, typ: scim.Mutability},
	{name: "unless it is the same in another case", ops: `{"op":"replace","path":"serial","value":"SN1"}`},
	{name: "nor can it be removed", ops: `{"op":"remove","path":"serial"}`, typ: scim.Mutability},
	{name: "references that are not caseExact", ops: `{"op":"remove","path":"urn:example:lease:1.0:Device:payers[value eq \"P1\"]"}`, want: `{"urn:example:lease:1.0:Device":{"payers":[{"value":"p2"}]}}`},
	{name: "an immutable value in another case stays", ops: `{"op":"replace","path":"urn:example:lease:1.0:Device:payers","value":[{"value":"P2"},{"value":"P1","display":"One"}]}`},
	{
		name: "elements that are not touched keep what is readOnly", ops: `{"op":"replace","path":"ports[value eq 1].type","value":"lan"}`,
		want: `{"ports":[{"value":1,"state":"up","type":"lan"},{"value":2,"state":"down"}]}`,
	},
	{
		name: "so do elements that are replaced by themselves", ops: `{"op":"replace","path":"ports","value":[{"value":2,"type":"wan"},{"value":3}]}`,
		want: `{"ports":[{"value":2,"type":"wan","state":"down"},{"value":3}]}`,
	},
	{
		name: "a new value does not inherit what was said about the old one", ops: `{"op":"replace","path":"ports[value eq 1].value","value":9}`,
		want: `{"ports":[{"value":9},{"value":2,"state":"down"}]}`,
	},
	{name: "a required list cannot be emptied", ops: `{"op":"remove","path":"codes"}`, typ: scim.Mutability},
	{name: "nor by its last element", ops: `{"op":"remove","path":"codes[value eq \"a\"]"}`, typ: scim.Mutability},
	{name: "caseExact values differ in case", ops: `{"op":"add","path":"codes","value":["a","A"]}`, want: `{"codes":["a","A"]}`},
	{name: "others do not", ops: `{"op":"add","path":"tags","value":["X","x"]}`},
	{name: "replacing a simple value", ops: `{"op":"replace","path":"tags[value eq \"x\"]","value":"z"}`, want: `{"tags":["z","y"]}`},
	{name: "a simple value by another that is there", ops: `{"op":"replace","path":"tags[value eq \"x\"]","value":"y"}`, want: `{"tags":["y"]}`},
	{name: "removing listed simple values", ops: `{"op":"remove","path":"tags","value":["Y","none"]}`, want: `{"tags":["x"]}`},
	{name: "adding to a sub-attribute with several values", ops: `{"op":"add","path":"maker.aliases","value":["A","b"]}`, want: `{"maker":{"value":"acme","aliases":["A","b"]}}`},
	{name: "integers", ops: `{"op":"add","path":"slots","value":[1,"2",3.0]}`, want: `{"slots":[1,2,3]}`},
	{name: "dateTimes are equal as instants", ops: `{"op":"replace","path":"bought","value":"2011-05-13T06:42:34+02:00"}`},
	{
		name: "an extension comes into use", ops: `{"op":"remove","path":"urn:example:lease:1.0:Device:payers"}, {"op":"add","path":"until","value":"x"}`,
		want: `{"urn:example:lease:1.0:Device":{"until":"x"}}`,
	},
}

const deviceDocument = `{
	"schemas": ["urn:example:device:1.0:Device", "urn:example:lease:1.0:Device"],
	"label": "d", "serial": "sn1", "tags": ["x", "y"], "codes": ["a"], "slots": [1], "bought": "2011-05-13T04:42:34Z",
	"ports": [{"value": 1, "state": "up"}, {"value": 2, "state": "down"}], "maker": {"value": "acme"},
	"urn:example:lease:1.0:Device": {"payers": [{"value": "p1", "display": "One"}, {"value": "p2"}]}
}`

func TestApplyMutabilityAndCase(t *testing.T) {
	runApply(t, deviceSchema(t), deviceDocument, patch.Options{}, deviceTests)
}

func TestApplyWild(t *testing.T) {
	for _, table := range []struct {
		schema   *schema.Schema
		document string
		tests    []wildTest
	}{{schema.User(), userDocument, wildUserTests}, {schema.Group(), groupDocument, wildGroupTests}} {
		for _, tt := range table.tests {
			t.Run("tolerant", func(t *testing.T) {
				runApply(t, table.schema, table.document, patch.Options{}, []applyTest{tt.applyTest})
			})
			if tt.strict == "-" {
				continue // Strict takes it for something else
			}
			strict := tt.applyTest
			strict.typ = tt.strict
			t.Run("strict", func(t *testing.T) {
				runApply(t, table.schema, table.document, patch.Options{Strict: true}, []applyTest{strict})
			})
		}
	}
}
