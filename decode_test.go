package scim_test

import (
	stdjson "encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
)

// TestListsAreReadAlikeByBothJSONPackages holds the one-pass reading of lists to what reading each resource by itself gives.
func TestListsAreReadAlikeByBothJSONPackages(t *testing.T) {
	const users = `{"Resources":[{"ID":"1","USERNAME":"a","active":false,"shoeSize":9007199254740993,` +
		`"emails":[{"value":"x","verified":true}],"urn:example:badge:1.0:User":{"number":1}},{"id":"2","members":null}]}`
	const groups = `{"Resources":[{"id":"1","DisplayName":"G","members":[{"value":"u","ref":1}],"owner":{"value":2}},{"id":"2","members":null}]}`
	var slow, fast scim.ListResponse[scim.User]
	if err := stdjson.Unmarshal([]byte(users), &slow); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(users), &fast); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(slow, fast); diff != "" || fast.Resources[0].Extra["shoeSize"] != int64(9007199254740993) {
		t.Errorf("users (-one by one +in one pass):\n%s", diff)
	}
	var slowGroups, fastGroups scim.ListResponse[scim.Group]
	if err := stdjson.Unmarshal([]byte(groups), &slowGroups); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(groups), &fastGroups); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(slowGroups, fastGroups); diff != "" || len(fastGroups.Resources) != 2 || fastGroups.Resources[0].DisplayName != "G" {
		t.Errorf("groups (-one by one +in one pass):\n%s", diff)
	}
	for _, text := range []string{`{"Resources":[{"active":"yes"}]}`, `{"Resources":[{"id":"1","id":"2"}]}`} {
		if err := json.Unmarshal([]byte(text), &fast); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}

func TestNumbersAreReadByTheirValue(t *testing.T) {
	tests := []struct {
		text string
		want any
	}{
		{"182", int64(182)},
		{"182.0", int64(182)},
		{"1.82e2", int64(182)},
		{"-0", int64(0)},
		{"-0.0", int64(0)},
		{"2.5", 2.5},
		{"9007199254740993", int64(9007199254740993)},
		{"9223372036854775807", int64(9223372036854775807)},
		{"-9223372036854775808", int64(-9223372036854775808)},
		{"9223372036854775808", float64(9223372036854775808)},
		{"9007199254740993.0", int64(9007199254740993)},
		{"9223372036854775807e0", int64(9223372036854775807)},
		{"1e17", int64(1e17)},
		{"1e300", 1e300},
		{"1e-300", 1e-300},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			doc, err := scim.DecodeDocument([]byte(`{"n":` + tt.text + `}`))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, doc["n"]); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			text, err := doc.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			again, err := scim.DecodeDocument(text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(doc, again); diff != "" {
				t.Errorf("decoding %s (-want +got):\n%s", text, diff)
			}
		})
	}
}

func TestDecodeDocumentKeepsTextAndNamesThePlaceOfErrors(t *testing.T) {
	for text, want := range map[string]scim.Document{
		`{}`: {},
		`{"userName":"userName","a":[],"b":[[],{}],"c":"\u00e9\n\"","\u0061b":"work"}`: {
			"userName": "userName", "a": []any{}, "b": []any{[]any{}, map[string]any{}}, "c": "é\n\"", "ab": "work",
		},
		` { "x" : { "y" : null , "z" : [ true , false , 1 , -2.5 ] } } `: {
			"x": map[string]any{"y": nil, "z": []any{true, false, int64(1), -2.5}},
		},
	} {
		got, err := scim.DecodeDocument([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for text, want := range map[string]string{
		`{"a":1,"b":{"x":1,"x":2}}`:                "invalid JSON at byte 21: duplicate name in an object",
		`{"a":1,"\u0061":1}`:                       "invalid JSON at byte 15: duplicate name in an object",
		`{"userName":{"userName":1},"userName":2}`: "invalid JSON at byte 37: duplicate name in an object",
		`{"a":[1,2}`:                               "invalid JSON at byte 9: ",
		`{"a":1e999}`:                              "invalid JSON at byte 10: number out of range",
		`{"a":tru}`:                                "invalid JSON at byte ",
	} {
		_, err := scim.DecodeDocument([]byte(text))
		refusal, ok := errors.AsType[*scim.Error](err)
		if !ok || refusal.Type != scim.InvalidSyntax || !strings.HasPrefix(refusal.Detail, want) {
			t.Errorf("%s: got error %v, want %s", text, err, want)
		}
	}
}

// What one document leaves behind in a decoder must not be seen in the next, however the first ended.
func TestDocumentsAreReadAlikeAfterAnyOther(t *testing.T) {
	const good = `{"userName":"taylor","emails":[{"value":"t@example.com"},{"value":"u@example.com"}],"active":true}`
	want := scim.Document{
		"userName": "taylor", "active": true,
		"emails": []any{map[string]any{"value": "t@example.com"}, map[string]any{"value": "u@example.com"}},
	}
	many := `{"members":[` + strings.Repeat(`{"value":"x"},`, 5000) + `{"value":"y"}]}`
	before := map[string]string{
		"nothing": ``, "no object": `[1]`, "ends early": `{"a":[1,2,{"b":[3,`, "twice": `{"a":1,"b":{"c":1,"c":2}}`, "text behind": good + `{"x":1}`,
		"too deep": strings.Repeat(`{"a":[`, scim.MaxDepth), "large": many, "invalid UTF-8": "{\"a\":\"\xff\"}", "good": good,
	}
	for name, text := range before {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 20 {
				_, _ = scim.DecodeDocument([]byte(text))
				got, err := scim.DecodeDocument([]byte(good))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("document (-want +got):\n%s", diff)
				}
			}
		})
	}
}
