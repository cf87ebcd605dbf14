package scim_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
)

func TestUserRoundTripKeepsWhatItDoesNotKnow(t *testing.T) {
	const text = `{
		"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:example:badge:1.0:User"],
		"id": "2819c223", "USERNAME": "bjensen", "active": false, "favouriteColour": "teal",
		"name": {"givenName": "Barbara", "pronounced": "bar-bra"},
		"emails": [{"value": "b@example.com", "type": "work", "primary": true, "verified": true}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "R&D", "floor": 7},
		"urn:example:badge:1.0:User": {"number": 9007199254740993}
	}`
	var user scim.User
	if err := json.Unmarshal([]byte(text), &user); err != nil {
		t.Fatal(err)
	}
	if user.UserName != "bjensen" || user.Active == nil || *user.Active || user.Enterprise.Department != "R&D" {
		t.Errorf("known attributes were not read: %+v", user)
	}
	got, err := scim.ToDocument(user)
	if err != nil {
		t.Fatal(err)
	}
	want := scim.Document{
		"schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:User", "urn:example:badge:1.0:User"},
		"id":      "2819c223", "userName": "bjensen", "active": false, "favouriteColour": "teal",
		"name": map[string]any{"givenName": "Barbara", "pronounced": "bar-bra"},
		"emails": []any{map[string]any{
			"value": "b@example.com", "type": "work", "primary": true, "verified": true,
		}},
		scim.EnterpriseUserSchema:    map[string]any{"department": "R&D", "floor": int64(7)},
		"urn:example:badge:1.0:User": map[string]any{"number": int64(9007199254740993)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("round trip (-want +got):\n%s", diff)
	}
}

func TestGroupRoundTrip(t *testing.T) {
	group := scim.Group{ID: "g1", DisplayName: "Tour Guides", Members: []scim.Reference{{Value: "u1", Display: "Babs"}}}
	doc, err := scim.ToDocument(group)
	if err != nil {
		t.Fatal(err)
	}
	var back scim.Group
	if err := doc.Decode(&back); err != nil {
		t.Fatal(err)
	}
	group.Schemas = []string{scim.GroupSchema}
	if diff := cmp.Diff(group, back); diff != "" {
		t.Errorf("round trip (-want +got):\n%s", diff)
	}
}

func TestDecodeDocument(t *testing.T) {
	tests := []struct {
		name, text string
		want       scim.Document
		detail     string // of the error; empty for none
	}{
		{
			name: "values", text: `{"s":"x","i":9223372036854775807,"f":1.5,"e":1e2,"t":true,"n":null,"a":[],"o":{}}`,
			want: scim.Document{
				"s": "x", "i": int64(9223372036854775807), "f": 1.5, "e": int64(100), "t": true, "n": nil,
				"a": []any{}, "o": map[string]any{},
			},
		},
		{name: "duplicate name", text: `{"a":1,"a":2}`, detail: "duplicate"},
		{name: "duplicate name inside", text: `{"a":{"b":1,"b":2}}`, detail: "duplicate"},
		{name: "invalid UTF-8", text: "{\"a\":\"\xff\"}", detail: "UTF-8"},
		{name: "text after", text: `{} {}`, detail: "text after"},
		{name: "array", text: `[]`, detail: "object is needed"},
		{name: "empty", text: ``, detail: "unexpected EOF"},
		{name: "cut off", text: `{"a":`, detail: "unexpected EOF"},
		{name: "number out of range", text: `{"a":1e999}`, detail: "out of range"},
		{name: "nested too deep", text: `{"a":` + strings.Repeat("[", 100_000), detail: "nested deeper"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := scim.DecodeDocument([]byte(tt.text))
			if tt.detail == "" {
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				return
			}
			if !errors.Is(err, scim.ErrInvalidSyntax) || !strings.Contains(err.Error(), tt.detail) {
				t.Errorf("got error %v, want invalidSyntax with %q", err, tt.detail)
			}
		})
	}
}

func TestDocumentCloneIsDeep(t *testing.T) {
	doc := scim.Document{"name": map[string]any{"givenName": "A"}, "emails": []any{map[string]any{"value": "a"}}}
	clone := doc.Clone()
	clone["name"].(map[string]any)["givenName"] = "B"
	clone["emails"].([]any)[0].(map[string]any)["value"] = "b"
	want := scim.Document{"name": map[string]any{"givenName": "A"}, "emails": []any{map[string]any{"value": "a"}}}
	if diff := cmp.Diff(want, doc); diff != "" {
		t.Errorf("changing the clone changed the document (-want +got):\n%s", diff)
	}
}

func TestError(t *testing.T) {
	cause := errors.New("connection reset")
	tests := []struct {
		name string
		err  *scim.Error
		is   error
		not  error
		text string
	}{
		{
			"status and type", &scim.Error{Status: 409, Type: scim.Uniqueness, Detail: "taken", Method: "POST", Path: "/Users"},
			scim.ErrUniqueness, scim.ErrNotFound, "scim: POST /Users: 409 uniqueness: taken",
		},
		{"status only", &scim.Error{Status: 404}, scim.ErrNotFound, scim.ErrConflict, "scim: 404 Not Found"},
		{
			"attribute", &scim.Error{Status: 400, Type: scim.InvalidValue, Attribute: "emails[2].value", Detail: "not a string"},
			scim.ErrInvalidValue, scim.ErrInvalidPath, "scim: 400 invalidValue: emails[2].value: not a string",
		},
		{
			"operation", &scim.Error{Status: 400, Type: scim.NoTarget, Operation: 3, Detail: "nothing there"},
			scim.ErrNoTarget, scim.ErrTooMany, "scim: 400 noTarget: operation 3: nothing there",
		},
		{"cause", &scim.Error{Method: "GET", Path: "/Users", Err: cause}, cause, scim.ErrNotFound, "scim: GET /Users: connection reset"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !errors.Is(tt.err, tt.is) {
				t.Errorf("errors.Is(%v, %v) is false", tt.err, tt.is)
			}
			if errors.Is(tt.err, tt.not) {
				t.Errorf("errors.Is(%v, %v) is true", tt.err, tt.not)
			}
			if got := tt.err.Error(); got != tt.text {
				t.Errorf("text %q, want %q", got, tt.text)
			}
		})
	}
}

func TestErrorJSON(t *testing.T) {
	data, err := json.Marshal(scim.NewError(400, scim.InvalidPath, "no such attribute"))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"scimType":"invalidPath","detail":"no such attribute","status":"400"}`
	if string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
	for _, text := range []string{want, `{"status":400,"scimType":"invalidPath","detail":"no such attribute"}`} {
		var got scim.Error
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(scim.Error{Status: 400, Type: scim.InvalidPath, Detail: "no such attribute"}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestPatchRequestIsReadInAnyCase(t *testing.T) {
	const text = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"operations":[
		{"OP":"Replace","Path":"active","value":"False"},
		{"op":"add","value":{"x":1}},
		{"op":"remove","path":"title"}]}`
	var got scim.PatchRequest
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := scim.NewPatchRequest(
		scim.PatchOperation{Op: "Replace", Path: "active", Value: "False"},
		scim.PatchOperation{Op: scim.OpAdd, Value: map[string]any{"x": int64(1)}},
		scim.PatchOperation{Op: scim.OpRemove, Path: "title"},
	)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUserStringHidesThePassword(t *testing.T) {
	user := scim.User{ID: "1", UserName: "bjensen", Password: "t1meMa$heen"}
	if s := user.String(); strings.Contains(s, user.Password) {
		t.Errorf("the password is in %q", s)
	}
}

func FuzzDecodeDocument(f *testing.F) {
	f.Add([]byte(`{"a":[1,2.5,"x",null,true,{"b":{}}]}`))
	f.Add([]byte(`{"a":1,"a":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := scim.DecodeDocument(data)
		if err != nil {
			return
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
			t.Errorf("decoding what was encoded (-want +got):\n%s", diff)
		}
	})
}

func BenchmarkDecodeDocument(b *testing.B) {
	data := []byte(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bjensen@example.com","name":{"givenName":"Barbara","familyName":"Jensen"},"active":true,"emails":[{"value":"bjensen@example.com","type":"work","primary":true}]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := scim.DecodeDocument(data); err != nil {
			b.Fatal(err)
		}
	}
}

func TestPatchOperationsHaveTheValueThatTheyNeed(t *testing.T) {
	for _, tt := range []struct {
		op   scim.PatchOperation
		json string
	}{
		{scim.PatchOperation{Op: scim.OpAdd, Path: "title", Value: "T"}, `{"op":"add","path":"title","value":"T"}`},
		{scim.PatchOperation{Op: scim.OpReplace, Path: "title"}, `{"op":"replace","path":"title","value":null}`},
		{scim.PatchOperation{Op: "Add"}, `{"op":"Add","value":null}`},
		{scim.PatchOperation{Op: scim.OpRemove, Path: "title"}, `{"op":"remove","path":"title"}`},
		{scim.PatchOperation{Op: "Remove", Path: "members", Value: []any{map[string]any{"value": "1"}}}, `{"op":"Remove","path":"members","value":[{"value":"1"}]}`},
	} {
		for name, marshal := range map[string]func(any) ([]byte, error){
			"json v1": json.Marshal, "json v2": func(v any) ([]byte, error) { return jsonv2.Marshal(v) },
		} {
			if got, err := marshal(tt.op); err != nil || string(got) != tt.json {
				t.Errorf("%s: got %s, %v, want %s", name, got, err, tt.json)
			}
		}
		var got scim.PatchOperation
		if err := json.Unmarshal([]byte(tt.json), &got); err != nil {
			t.Errorf("%s: %v", tt.json, err)
		}
		if diff := cmp.Diff(tt.op, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.json, diff)
		}
	}
	for _, text := range []string{`{"op":"add","path":"title"}`, `{"op":" Replace ","path":"title"}`, `{"OP":"replace","Path":"title","val":1}`} {
		var request scim.PatchRequest
		err := json.Unmarshal([]byte(`{"Operations":[`+text+`]}`), &request)
		if !errors.Is(err, scim.ErrInvalidValue) {
			t.Errorf("%s: got error %v, want invalidValue", text, err)
		}
	}
}

// A dateTime of RFC 7643 section 2.3.5 may be without an offset. One in meta must not make a whole list unreadable.
func TestTimesInMeta(t *testing.T) {
	tests := []struct{ text, want string }{
		{`"2011-05-13T04:42:34Z"`, "2011-05-13T04:42:34Z"},
		{`"2011-05-13T04:42:34.5+02:00"`, "2011-05-13T02:42:34.5Z"},
		{`"2011-05-13T04:42:34"`, "2011-05-13T04:42:34Z"},
		{`"2011-05-13T04:42:34.25"`, "2011-05-13T04:42:34.25Z"},
		{`""`, "0001-01-01T00:00:00Z"},
		{`null`, "0001-01-01T00:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			var user scim.User
			in := `{"id":"1","META":{"Created":` + tt.text + `,"resourceType":"User","more":9007199254740993}}`
			if err := user.UnmarshalJSON([]byte(in)); err != nil {
				t.Fatal(err)
			}
			if got := user.Meta.Created.UTC().Format(time.RFC3339Nano); got != tt.want {
				t.Errorf("created %s, want %s", got, tt.want)
			}
			if user.Meta.ResourceType != "User" || user.Meta.Extra["more"] != int64(9007199254740993) {
				t.Errorf("meta %+v", user.Meta)
			}
		})
	}
	var user scim.User
	if err := user.UnmarshalJSON([]byte(`{"meta":{"created":"yesterday"}}`)); err == nil {
		t.Errorf("created %v", user.Meta.Created)
	}
}
