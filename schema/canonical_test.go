package schema_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	elimity "github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

const (
	enterprise = scim.EnterpriseUserSchema
	userSchema = scim.UserSchema
)

type named bool

// object is short for the documents in tables.
type object = map[string]any

func decode(t testing.TB, text string) scim.Document {
	t.Helper()
	doc, err := scim.DecodeDocument([]byte(text))
	if err != nil {
		t.Fatalf("decode %s: %v", text, err)
	}
	return doc
}

// typed is a schema with one attribute of each type.
func typed(t testing.TB) *schema.Schema {
	t.Helper()
	simple := func(p elimity.SimpleParams) elimity.CoreAttribute { return elimity.SimpleCoreAttribute(p) }
	number := func(name string, typ elimity.AttributeDataType) elimity.CoreAttribute {
		return simple(elimity.SimpleNumberParams(elimity.NumberParams{Name: name, Type: typ}))
	}
	s, err := schema.Compile(elimity.Schema{
		ID: "urn:example:Thing",
		Attributes: []elimity.CoreAttribute{
			simple(elimity.SimpleStringParams(elimity.StringParams{Name: "text"})),
			simple(elimity.SimpleStringParams(elimity.StringParams{Name: "exact", CaseExact: true, Mutability: elimity.AttributeMutabilityImmutable()})),
			simple(elimity.SimpleStringParams(elimity.StringParams{Name: "tags", MultiValued: true})),
			simple(elimity.SimpleBooleanParams(elimity.BooleanParams{Name: "flag"})),
			number("count", elimity.AttributeTypeInteger()),
			number("ratio", elimity.AttributeTypeDecimal()),
			simple(elimity.SimpleDateTimeParams(elimity.DateTimeParams{Name: "at"})),
			simple(elimity.SimpleBinaryParams(elimity.BinaryParams{Name: "data"})),
			simple(elimity.SimpleReferenceParams(elimity.ReferenceParams{Name: "link"})),
			simple(elimity.SimpleStringParams(elimity.StringParams{Name: "pin", Returned: elimity.AttributeReturnedNever(), Mutability: elimity.AttributeMutabilityWriteOnly(), Required: false})),
			elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "part", SubAttributes: []elimity.SimpleParams{
				elimity.SimpleStringParams(elimity.StringParams{Name: "value", Required: true}),
				elimity.SimpleStringParams(elimity.StringParams{Name: "label", Mutability: elimity.AttributeMutabilityReadOnly()}),
				elimity.SimpleStringParams(elimity.StringParams{Name: "marks", MultiValued: true}),
			}}),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCanonicalValues(t *testing.T) {
	s := typed(t)
	tests := []struct {
		name     string
		in       object
		tolerant bool
		want     object
		err      string
	}{
		{name: "string", in: object{"text": "x"}, want: object{"text": "x"}},
		{name: "empty string is a value", in: object{"text": ""}, want: object{"text": ""}},
		{name: "number for string", in: object{"text": int64(7)}, err: "text: must be a string, not 7"},
		{name: "number for string, tolerant", in: object{"text": int64(7)}, tolerant: true, want: object{"text": "7"}},
		{name: "decimal for string, tolerant", in: object{"text": 1e21}, tolerant: true, want: object{"text": "1000000000000000000000"}},
		{name: "boolean for string, tolerant", in: object{"text": true}, tolerant: true, err: "text: must be a string, not true"},
		{name: "invalid UTF-8", in: object{"text": "\xff"}, err: `text: must be a string, not the string "\xff"`},
		{name: "object for string", in: object{"text": object{"a": "b"}}, err: "text: must be a string, not an object"},

		{name: "boolean", in: object{"flag": false}, want: object{"flag": false}},
		{name: "string for boolean", in: object{"flag": "False"}, err: `flag: must be a boolean (true or false), not the string "False"`},
		{name: "string for boolean, tolerant", in: object{"flag": "False"}, tolerant: true, want: object{"flag": false}},
		{name: "other string for boolean, tolerant", in: object{"flag": "yes"}, tolerant: true, err: `flag: must be a boolean (true or false), not the string "yes"`},
		{name: "number for boolean, tolerant", in: object{"flag": int64(1)}, tolerant: true, err: "flag: must be a boolean (true or false), not 1"},

		{name: "largest integer", in: object{"count": int64(1<<63 - 1)}, want: object{"count": int64(1<<63 - 1)}},
		{name: "whole float64", in: object{"count": 5.0}, want: object{"count": int64(5)}},
		{name: "fraction for integer", in: object{"count": 5.5}, err: "count: must be an integer of at most 64 bits, not 5.5"},
		{name: "number beyond exactness", in: object{"count": 1e19}, err: "count: must be an integer of at most 64 bits, not 1e+19"},
		{name: "string for integer", in: object{"count": "12"}, err: `count: must be an integer of at most 64 bits, not the string "12"`},
		{name: "string for integer, tolerant", in: object{"count": " 12"}, tolerant: true, want: object{"count": int64(12)}},
		{name: "decimal", in: object{"ratio": 0.5}, want: object{"ratio": 0.5}},
		{name: "integer for decimal", in: object{"ratio": int64(2)}, want: object{"ratio": 2.0}},
		{name: "string for decimal, tolerant", in: object{"ratio": "2.5"}, tolerant: true, want: object{"ratio": 2.5}},
		{name: "infinity, tolerant", in: object{"ratio": "Inf"}, tolerant: true, err: `ratio: must be a number, not the string "Inf"`},

		{name: "dateTime in UTC", in: object{"at": "2011-05-13T04:42:34Z"}, want: object{"at": "2011-05-13T04:42:34Z"}},
		{name: "dateTime with offset", in: object{"at": "2011-05-13T06:42:34.500+02:00"}, want: object{"at": "2011-05-13T04:42:34.5Z"}},
		{name: "dateTime without offset", in: object{"at": "2011-05-13T04:42:34"}, want: object{"at": "2011-05-13T04:42:34Z"}},
		{name: "end of day", in: object{"at": "2011-12-31T24:00:00Z"}, want: object{"at": "2012-01-01T00:00:00Z"}},
		{name: "no such day", in: object{"at": "2011-02-30T00:00:00Z"}, err: `at: must be a dateTime such as 2008-01-23T04:56:22Z, not the string "2011-02-30T00:00:00Z"`},
		{name: "date alone", in: object{"at": "2011-02-03"}, err: `at: must be a dateTime such as 2008-01-23T04:56:22Z, not the string "2011-02-03"`},
		{name: "time.Time", in: object{"at": time.Date(2020, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))}, want: object{"at": "2020-01-02T02:04:05Z"}},

		{name: "base64", in: object{"data": "aGk/"}, want: object{"data": "aGk/"}},
		{name: "base64 without padding", in: object{"data": "aGk"}, want: object{"data": "aGk="}},
		{name: "base64 for URLs", in: object{"data": "_-8"}, want: object{"data": "/+8="}},
		{name: "base64 with bits that mean nothing", in: object{"data": "aGl="}, want: object{"data": "aGk="}},
		{name: "base64 with line break", in: object{"data": "aG\nk="}, err: `data: must be a string of base64, not the string "aG\nk="`},
		{name: "base64 with line break, tolerant", in: object{"data": "aG\nk="}, tolerant: true, want: object{"data": "aGk="}},
		{name: "base64 of one byte", in: object{"data": "/+=="}, want: object{"data": "/w=="}},
		{name: "base64 of one byte, canonical", in: object{"data": "09=="}, err: "", want: object{"data": "0w=="}},
		{name: "padding without data", in: object{"data": "===="}, err: `data: must be a string of base64, not the string "===="`},
		{name: "padding in the wrong place", in: object{"data": "aGk=="}, err: `data: must be a string of base64, not the string "aGk=="`},
		{name: "not base64", in: object{"data": "%%%"}, err: `data: must be a string of base64, not the string "%%%"`},
		{name: "impossible length", in: object{"data": "aGkaa"}, err: `data: must be a string of base64, not the string "aGkaa"`},
		{name: "bytes", in: object{"data": []byte("hi")}, want: object{"data": "aGk="}},

		{name: "reference", in: object{"link": "HTTPS://Example.COM/Me?A#B"}, want: object{"link": "https://example.com/Me?A#B"}},
		{name: "relative reference", in: object{"link": "../Users/A1"}, want: object{"link": "../Users/A1"}},
		{name: "URN", in: object{"link": "URN:Example:A"}, want: object{"link": "urn:Example:A"}},
		{name: "reference with a colon in its path", in: object{"link": "Users/A:B"}, want: object{"link": "Users/A:B"}},
		{name: "reference with user", in: object{"link": "HTTP://Me@Host/"}, want: object{"link": "http://Me@Host/"}},
		{name: "reference beyond ASCII", in: object{"link": "https://example.com/Jürgen"}, want: object{"link": "https://example.com/Jürgen"}},
		{name: "reference with a space beyond ASCII", in: object{"link": "a\u2003b"}, err: `link: must be a string with a URI, not the string "a\u2003b"`},
		{name: "reference with half an escape", in: object{"link": "a%2"}, err: `link: must be a string with a URI, not the string "a%2"`},
		{name: "reference with a space", in: object{"link": "http://a/b c"}, err: `link: must be a string with a URI, not the string "http://a/b c"`},
		{name: "reference with a space, tolerant", in: object{"link": " http://a/b c%"}, tolerant: true, want: object{"link": "http://a/b%20c%25"}},
		{name: "reference with a control character, tolerant", in: object{"link": "http://a/\x01"}, tolerant: true, err: `link: must be a string with a URI, not the string "http://a/\x01"`},

		{name: "array for one value", in: object{"text": []any{"x"}}, err: "text: must be a string, not an array of 1"},
		{name: "array for one value, tolerant", in: object{"text": []any{"x"}}, tolerant: true, want: object{"text": "x"}},
		{name: "array of two for one value, tolerant", in: object{"text": []any{"x", "y"}}, tolerant: true, err: "text: must be a string, not an array of 2"},
		{name: "arrays in arrays, tolerant", in: object{"text": []any{[]any{"x"}}}, tolerant: true, err: "text: must be a string, not an array of 1"},
		{name: "empty array for one value is absent", in: object{"text": []any{}}, want: object{}},
		{name: "one value for an array", in: object{"tags": "x"}, err: `tags: must be an array (each element a string), not the string "x"`},
		{name: "one value for an array, tolerant", in: object{"tags": "x"}, tolerant: true, want: object{"tags": []any{"x"}}},
		{name: "wrong element", in: object{"tags": []any{"x", true}}, err: "tags[1]: must be a string, not true"},
		{name: "null elements are dropped", in: object{"tags": []any{nil, "x"}}, want: object{"tags": []any{"x"}}},
		{name: "null and empty are absent", in: object{"text": nil, "tags": []any{nil}, "part": object{}}, want: object{}},

		{name: "sub-attribute", in: object{"PART": object{"Value": "x", "label": int64(1)}}, want: object{"part": object{"value": "x"}}},
		{name: "required sub-attribute", in: object{"part": object{"marks": []any{"x"}}}, err: "part.value: is required and must be a string"},
		{name: "deep path", in: object{"part": object{"value": "x", "marks": []any{"y", object{}}}}, err: "part.marks[1]: must be a string, not an object"},
		{name: "string for object", in: object{"part": "x"}, err: `part: must be an object with value, label, marks, not the string "x"`},
		{name: "string for object, tolerant", in: object{"part": "x"}, tolerant: true, want: object{"part": object{"value": "x"}}},
		{name: "array for object, tolerant", in: object{"part": []any{object{"value": "x"}}}, tolerant: true, want: object{"part": object{"value": "x"}}},
		{name: "empty string for object, tolerant", in: object{"part": ""}, tolerant: true, want: object{}},

		{name: "secret value", in: object{"pin": int64(1234)}, err: "pin: must be a string, not a value that is not shown"},
		{name: "other Go types", in: object{
			"text": (*string)(nil), "count": uint8(3), "tags": []string{"x"}, "ratio": json.Number("1.5"),
			"part": map[string]string{"value": "x"},
		}, want: object{"count": int64(3), "tags": []any{"x"}, "ratio": 1.5, "part": object{"value": "x"}}},
		{name: "named Go types", in: object{
			"text": schema.ReadOnly, "flag": named(true), "tags": [2]string{"x", "y"}, "count": json.Number("3"), "ratio": float32(0.5),
			"part": &object{"value": uint64(1) << 63},
		}, tolerant: true, want: object{
			"text": "readOnly", "flag": true, "tags": []any{"x", "y"}, "count": int64(3), "ratio": 0.5,
			"part": object{"value": "9223372036854776000"},
		}},
		{name: "json.Number that is none", in: object{"count": json.Number("x")}, err: `count: must be a number, not "x"`},
		{name: "not a number", in: object{"ratio": math.NaN()}, err: "ratio: must be a number, not NaN"},
		{name: "map that is no object", in: object{"part": map[int]string{}}, err: "part: cannot hold a Go value of type map[int]string"},
		{name: "Go type that JSON has not", in: object{"text": make(chan int)}, err: "text: cannot hold a Go value of type chan int"},
		{name: "long string is cut", in: object{"flag": "ääääääääääääääääääääääääääääääää"}, err: `flag: must be a boolean (true or false), not the string "ääääääääääääääääääää"…`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := s.Canonical(test.in, schema.Options{Tolerant: test.tolerant})
			if test.err != "" {
				checkRefusal(t, err, test.err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := scim.Document(test.want)
			want["schemas"] = []any{"urn:example:Thing"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("canonical form (-want +got):\n%s", diff)
			}
		})
	}
}

// checkRefusal checks that err is a SCIM error with the detail given, which begins with the attribute.
func checkRefusal(t *testing.T, err error, detail string) {
	t.Helper()
	var refusal *scim.Error
	if !errors.As(err, &refusal) {
		t.Fatalf("error = %v, want a *scim.Error: %s", err, detail)
	}
	if refusal.Detail != detail {
		t.Errorf("detail:\n got %s\nwant %s", refusal.Detail, detail)
	}
	if refusal.Status != 400 {
		t.Errorf("status = %d, want 400", refusal.Status)
	}
	if refusal.Attribute == "" || !strings.HasPrefix(detail, refusal.Attribute+": ") {
		t.Errorf("attribute = %q, want that of %q", refusal.Attribute, detail)
	}
}
