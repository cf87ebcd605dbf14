package patch_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/schema"
)

// cornerUserTests are what the RFC has no example of, tolerant.
var cornerUserTests = []applyTest{
	{name: "a filter on a complex attribute with one value", ops: `{"op":"replace","path":"name[familyName eq \"Jensen\"].givenName","value":"Babs"}`, want: `{"name":{"givenName":"Babs","familyName":"Jensen"}}`},
	{name: "that matches and replaces", ops: `{"op":"replace","path":"name[familyName eq \"Jensen\"]","value":{"givenName":"Babs"}}`, want: `{"name":{"givenName":"Babs","familyName":"Jensen"}}`},
	{name: "that matches and removes", ops: `{"op":"remove","path":"name[familyName eq \"Jensen\"]"}`, want: `{"name":null}`},
	{name: "that does not match", ops: `{"op":"replace","path":"name[familyName eq \"Smith\"].givenName","value":"Babs"}`, typ: scim.NoTarget},
	{name: "that removes nothing", ops: `{"op":"remove","path":"name[familyName eq \"Smith\"]"}`},
	{
		name: "that creates", ops: `{"op":"remove","path":"name"},{"op":"add","path":"name[familyName eq \"Smith\"].givenName","value":"Babs"}`,
		want: `{"name":{"givenName":"Babs","familyName":"Smith"}}`,
	},
	{
		name: "that creates a whole", ops: `{"op":"remove","path":"name"},{"op":"add","path":"name[familyName eq \"Smith\"]","value":{"givenName":"Babs"}}`,
		want: `{"name":{"givenName":"Babs","familyName":"Smith"}}`,
	},
	{name: "that would create nothing", ops: `{"op":"remove","path":"name"},{"op":"add","path":"name[familyName eq \"Smith\"].givenName","value":""}`, want: `{"name":null}`},
	{name: "an add of nothing", ops: `{"op":"add","path":"title","value":null},{"op":"add","path":"emails","value":null},{"op":"add","path":"emails[type eq \"work\"]","value":null}`},
	{name: "an add of nothing to sub-attributes", ops: `{"op":"add","path":"name","value":{"givenName":null}},{"op":"add","path":"emails[type eq \"work\"].value","value":""}`},
	{name: "an extension as a path", ops: `{"op":"add","path":"` + enterprise + `","value":{"Department":"Tours","colour":"teal"}}`, want: `{"` + enterprise + `":{"employeeNumber":"701984","department":"Tours","manager":{"value":"m1","$ref":"https://example.com/Users/m1","displayName":"John"}}}`},
	{name: "an extension that is no object", ops: `{"op":"add","path":"` + enterprise + `","value":"x"}`, typ: scim.InvalidValue},
	{name: "an attribute of an extension twice", ops: `{"op":"add","path":"` + enterprise + `","value":{"department":"a","Department":"b"}}`, typ: scim.InvalidSyntax},
	{name: "an extension replaced by null", ops: `{"op":"replace","path":"` + enterprise + `","value":null}`, want: `{"` + enterprise + `":null,"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]}`},
	{name: "a filter on an extension", ops: `{"op":"remove","path":"` + enterprise + `[department eq \"x\"]"}`, typ: scim.InvalidPath},
	{name: "several values for a filter", ops: `{"op":"replace","path":"emails[type eq \"work\"]","value":[{"value":"a"},{"value":"b"}]}`, typ: scim.InvalidValue},
	{name: "a filter that nothing can be made of", ops: `{"op":"add","path":"emails[type ne \"work\" and type ne \"home\"].value","value":"x"}`, typ: scim.NoTarget},
	{name: "a filter that contradicts itself", ops: `{"op":"add","path":"emails[type eq \"a\" and type eq \"b\"].value","value":"x"}`, typ: scim.NoTarget},
	{name: "a sub-attribute given twice", ops: `{"op":"add","path":"name","value":{"givenName":"a","GivenName":"b"}}`, typ: scim.InvalidSyntax},
	{name: "an add merges into the selected element", ops: `{"op":"add","path":"emails[type eq \"home\"]","value":{"display":"Home"}}`, want: `{"emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"value":"babs@example.org","type":"home","display":"Home"}]}`},
	{name: "an add of a plain value to the selected element", ops: `{"op":"add","path":"emails[type eq \"home\"]","value":"h@x"}`, want: `{"emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"value":"h@x","type":"home"}]}`},
	{name: "an element that was there is given more", ops: `{"op":"add","path":"emails","value":[{"value":"BABS@example.org","display":"Home"}]}`, want: `{"emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"value":"BABS@example.org","type":"home","display":"Home"}]}`},
	{name: "null removes the selected element", ops: `{"op":"replace","path":"emails[type eq \"home\"]","value":null}`, want: `{"emails":[{"value":"bjensen@example.com","type":"work","primary":true}]}`},
	{name: "a replace of an element that is not there", ops: `{"op":"replace","path":"emails[type eq \"other\"]","value":{"value":"o@x"}}`, typ: scim.NoTarget},
	{name: "a replace in an element of a kind that is not there", ops: `{"op":"replace","path":"emails[type eq \"OTHER\"].value","value":"o@x"}`, want: `{"emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"value":"babs@example.org","type":"home"},{"value":"o@x","type":"OTHER"}]}`},
	{name: "a replace in an element of an unheard-of kind", ops: `{"op":"replace","path":"emails[type eq \"nonexistent\"].value","value":"o@x"}`, typ: scim.NoTarget},
	{name: "a replace in an element that is told by its value", ops: `{"op":"replace","path":"emails[value eq \"o@x\"].display","value":"O"}`, typ: scim.NoTarget},
	{name: "an addition to an element of an unheard-of kind", ops: `{"op":"add","path":"emails[type eq \"nonexistent\"].value","value":"o@x"}`, want: `{"emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"value":"babs@example.org","type":"home"},{"value":"o@x","type":"nonexistent"}]}`},
	{name: "a replace of an element that is not there by null", ops: `{"op":"replace","path":"emails[type eq \"other\"]","value":null}`, typ: scim.NoTarget},
	{name: "a replace of an element by a key", ops: `{"op":"replace","value":{"emails[type eq \"other\"]":{"value":"o@x"}}}`, typ: scim.NoTarget},
	{name: "a replace of a whole that does not match", ops: `{"op":"remove","path":"name"},{"op":"replace","path":"name[familyName eq \"Smith\"]","value":{"givenName":"Babs"}}`, typ: scim.NoTarget, op: 2},
	{
		name: "a replace of a part of an element that is not there", ops: `{"op":"Replace","path":"phoneNumbers[type eq \"mobile\"].value","value":"+1"}`,
		want: `{"phoneNumbers":[{"type":"mobile","value":"+1"}]}`,
	},
	{
		name: "an add of an element that is not there", ops: `{"op":"add","path":"phoneNumbers[type eq \"mobile\"]","value":{"value":"+1"}}`,
		want: `{"phoneNumbers":[{"type":"mobile","value":"+1"}]}`,
	},
	{name: "listed elements without a value", ops: `{"op":"remove","path":"emails","value":[{"type":"HOME"}]}`, want: `{"emails":[{"value":"bjensen@example.com","type":"work","primary":true}]}`},
	{name: "listed elements by value and type", ops: `{"op":"remove","path":"emails","value":[{"value":"babs@example.org","type":"work"}]}`},
	{name: "a listed address", ops: `{"op":"remove","path":"addresses","value":[{"locality":"hollywood"}]}`, want: `{"addresses":null}`},
	{name: "the same address", ops: `{"op":"add","path":"addresses","value":[{"locality":"Hollywood","type":"work","streetAddress":"100 Universal City Plaza"}]}`},
	{
		name: "another address of the type", ops: `{"op":"add","path":"addresses","value":[{"type":"work"}]}`,
		want: `{"addresses":[{"type":"work","streetAddress":"100 Universal City Plaza","locality":"Hollywood"},{"type":"work"}]}`,
	},
	{name: "a sub-attribute of what is not there", ops: `{"op":"add","path":"phoneNumbers.value","value":"+1"}`, want: `{"phoneNumbers":[{"value":"+1"}]}`},
	{name: "schemas follow from the document", ops: `{"op":"add","path":"schemas","value":["urn:x:y"]}`},
	{name: "a malformed key", ops: `{"op":"add","value":{"emails[type":"x"}}`, typ: scim.InvalidFilter},
	{name: "white space", ops: `{"op":" Replace ","path":" title ","value":"Chief"}`, want: `{"title":"Chief"}`},
	{name: "the core URN without an object", ops: `{"op":"remove","path":"` + scim.UserSchema + `"}`, typ: scim.NoTarget},
	{name: "a list where one value is", ops: `{"op":"replace","path":"title","value":["a","b"]}`, typ: scim.InvalidValue},
	{name: "an empty list where one value is", ops: `{"op":"replace","path":"title","value":[]}`, want: `{"title":null}`},
	{name: "a required text that is empty", ops: `{"op":"replace","path":"userName","value":""}`, typ: scim.Mutability},
}

var cornerStrictTests = []applyTest{
	{name: "no operation", ops: `[]`, typ: scim.InvalidSyntax, op: -1},
	{name: "an add of nothing", ops: `{"op":"add","path":"title","value":null}`, typ: scim.InvalidValue},
	{name: "an add of no elements", ops: `{"op":"add","path":"emails","value":null}`, typ: scim.InvalidValue},
	{name: "a required text that is empty", ops: `{"op":"replace","path":"userName","value":""}`, typ: scim.InvalidValue},
	{name: "a text that is empty", ops: `{"op":"replace","path":"title","value":""}`, want: `{"title":""}`},
	{name: "a removal of one sub-attribute leaves the others", ops: `{"op":"remove","path":"emails[type eq \"home\"].value"}`, want: `{"emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"type":"home"}]}`},
	{name: "an unknown sub-attribute", ops: `{"op":"replace","path":"name","value":{"maidenName":"x"}}`, typ: scim.InvalidValue},
	{name: "an unknown sub-attribute beside a known one", ops: `{"op":"replace","path":"name","value":{"maidenName":"x","givenName":"B"}}`, typ: scim.InvalidValue},
	{name: "an unknown attribute of an extension", ops: `{"op":"add","path":"` + enterprise + `","value":{"colour":"teal"}}`, typ: scim.InvalidPath},
	{name: "replaced without what the filter asks for", ops: `{"op":"replace","path":"emails[type eq \"home\"]","value":{"value":"h@x"}}`, want: `{"emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"value":"h@x"}]}`},
	{name: "a filter on one value that does not match", ops: `{"op":"remove","path":"name[familyName eq \"Smith\"]"}`, typ: scim.NoTarget},
	{name: "schemas", ops: `{"op":"add","path":"schemas","value":["urn:x:y"]}`, typ: scim.Mutability},
	{name: "schemas that are there", ops: `{"op":"add","path":"schemas","value":["` + enterprise + `"]}`},
}

func TestApplyCorners(t *testing.T) {
	runApply(t, schema.User(), userDocument, patch.Options{}, cornerUserTests)
	t.Run("strict", func(t *testing.T) {
		runApply(t, schema.User(), userDocument, patch.Options{Strict: true}, cornerStrictTests)
	})
}

// Enough elements that they are indexed, and names that differ in more than ASCII letters.
func TestTargetFindsValuesInAnyCase(t *testing.T) {
	var tags []any
	for i := range 50 {
		tags = append(tags, fmt.Sprintf("tag%d", i))
	}
	tags = append(tags, "ÉCOLE", "Kelvin \u212a", "ſtraße")
	target := patch.NewTarget(deviceSchema(t), scim.Document{"label": "x", "codes": []any{"a"}, "tags": tags})
	for _, same := range []string{"TAG7", "école", "kelvin k", "STRAßE", "Straße"} {
		if !target.Contains("tags", same) {
			t.Errorf("%q is not found", same)
		}
		changed, err := target.Apply([]scim.PatchOperation{{Op: scim.OpAdd, Path: "tags", Value: []any{same}}}, patch.Options{})
		if changed || err != nil {
			t.Errorf("%q is there: got %t, %v", same, changed, err)
		}
	}
	for _, other := range []string{"ecole", "tag50", "strasse"} {
		if target.Contains("tags", other) {
			t.Errorf("%q is found", other)
		}
	}
}

// Elements that share a value, so that the index has to hold several under one key.
func TestTargetKeepsElementsOfOneValueApart(t *testing.T) {
	var emails []any
	for i := range 60 {
		emails = append(emails, map[string]any{"value": fmt.Sprintf("a%d@example.com", i%3), "type": fmt.Sprintf("t%d", i)})
	}
	target := patch.NewTarget(schema.User(), scim.Document{"userName": "x", "emails": emails})
	left := append([]any{}, emails...)
	for _, i := range []int{59, 0, 30, 3, 56, 57} {
		op := scim.PatchOperation{Op: scim.OpRemove, Path: fmt.Sprintf(`emails[value eq "a%d@example.com" and type eq "t%d"]`, i%3, i)}
		if changed, err := target.Apply([]scim.PatchOperation{op}, patch.Options{}); !changed || err != nil {
			t.Fatal(changed, err)
		}
		refused := []scim.PatchOperation{{Op: scim.OpRemove, Path: `emails[value eq "a1@example.com"]`}, {Op: scim.OpRemove, Path: "userName"}}
		if _, err := target.Apply(refused, patch.Options{}); err == nil {
			t.Fatal("userName is required")
		}
		left[i] = nil
	}
	var want []any
	for _, e := range left {
		if e != nil {
			want = append(want, e)
		}
	}
	if diff := cmp.Diff(want, target.Document()["emails"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if changed, err := target.Apply([]scim.PatchOperation{{Op: scim.OpRemove, Path: `emails[value eq "A0@example.com"]`}}, patch.Options{}); !changed || err != nil {
		t.Fatal(changed, err)
	}
	if target.Contains("emails", "a0@example.com") || target.Len("emails") == 0 {
		t.Errorf("%d are left", target.Len("emails"))
	}
}

func TestDiffOfComplexAttributes(t *testing.T) {
	tests := []struct {
		name, old, new string
		want           []string
	}{
		{
			"an immutable part changes", `{"maker":{"value":"a","code":"1"}}`, `{"maker":{"value":"a","code":"2"}}`,
			[]string{`{"op":"remove","path":"maker"}`, `{"op":"replace","path":"maker","value":{"code":"2","value":"a"}}`},
		},
		{
			"its value goes and the reference stays", `{"maker":{"value":"a","$ref":"https://x/1"}}`, `{"maker":{"$ref":"https://x/1"}}`,
			[]string{`{"op":"remove","path":"maker.value"}`, `{"op":"replace","path":"maker.$ref","value":"https://x/1"}`},
		},
		{
			"its value changes and a part goes", `{"maker":{"value":"a","aliases":["x"]}}`, `{"maker":{"value":"b"}}`,
			[]string{`{"op":"replace","path":"maker","value":{"value":"b"}}`, `{"op":"remove","path":"maker.aliases"}`},
		},
		{"several values in another order", `{"maker":{"aliases":["x","y"]}}`, `{"maker":{"aliases":["y","x"]}}`, []string{}},
		{
			"a simple value less", `{"tags":["x","y","z"]}`, `{"tags":["z","x"]}`,
			[]string{`{"op":"remove","path":"tags[value eq \"y\"]"}`},
		},
		{"a simple value in another case", `{"tags":["x","y"]}`, `{"tags":["X","y"]}`, []string{`{"op":"replace","path":"tags","value":["X","y"]}`}},
		{"a number less", `{"slots":[1,2]}`, `{"slots":[2]}`, []string{`{"op":"replace","path":"slots","value":[2]}`}},
		{
			"an element loses a part", `{"ports":[{"value":1,"type":"lan"},{"value":2,"type":"wan"}]}`, `{"ports":[{"type":"lan","value":1},{"value":2}]}`,
			[]string{`{"op":"replace","path":"ports","value":[{"type":"lan","value":1},{"value":2}]}`},
		},
		{
			"a reference changes in what it is not known by", `{"owners":[{"value":"a","role":"x","notify":true}]}`, `{"owners":[{"value":"a","role":"y"}]}`,
			[]string{`{"op":"replace","path":"owners[value eq \"a\"].role","value":"y"}`, `{"op":"remove","path":"owners[value eq \"a\"].notify"}`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := patch.Diff(deviceSchema(t), decode(t, tt.old), decode(t, tt.new), patch.Dialect{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, asJSON(t, got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
