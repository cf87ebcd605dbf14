package mapping_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/mapping"
)

func TestConversion(t *testing.T) {
	moment := time.Date(2026, 1, 2, 3, 4, 5, 600, time.FixedZone("", 3600))
	tests := []struct {
		name  string
		typ   mapping.Type
		value any
		want  any
		fails string // what the error says
	}{
		{"boolean of a boolean", mapping.TypeBoolean, true, true, ""},
		{"boolean of text in any case", mapping.TypeBoolean, " TRUE ", true, ""},
		{"boolean of 1", mapping.TypeBoolean, "1", true, ""},
		{"boolean of 2", mapping.TypeBoolean, int64(2), nil, "a boolean is needed"},
		{"boolean of a date", mapping.TypeBoolean, moment, nil, "a boolean is needed"},
		{"integer of an integer", mapping.TypeInteger, int64(-7), int64(-7), ""},
		{"integer of any Go integer", mapping.TypeInteger, uint8(7), int64(7), ""},
		{"integer of digits", mapping.TypeInteger, " 42 ", int64(42), ""},
		{"integer of a whole float", mapping.TypeInteger, 42.0, int64(42), ""},
		{"integer of a fraction", mapping.TypeInteger, 42.5, nil, "a whole number is needed"},
		{"integer of a float too large", mapping.TypeInteger, 1e300, nil, "a whole number is needed"},
		{"integer of digits too many", mapping.TypeInteger, "99999999999999999999", nil, "a whole number is needed"},
		{"integer of a boolean", mapping.TypeInteger, true, nil, "a whole number is needed"},
		{"decimal of an integer", mapping.TypeDecimal, int64(7), int64(7), ""},
		{"decimal of a float", mapping.TypeDecimal, 1.5, 1.5, ""},
		{"decimal of text", mapping.TypeDecimal, "-1.5e3", int64(-1500), ""}, // as a document that is read has it
		{"decimal of text with a fraction", mapping.TypeDecimal, "-1.5", -1.5, ""},
		{"decimal of a whole float", mapping.TypeDecimal, 2.0, int64(2), ""},
		{"a number for an attribute that nobody knows", "", 2.0, int64(2), ""},
		{"a fraction for an attribute that nobody knows", "", 2.5, 2.5, ""},
		{"decimal of digits", mapping.TypeDecimal, "12", int64(12), ""},
		{"decimal of text that is infinite", mapping.TypeDecimal, "Inf", nil, "a number is needed"},
		{"decimal of text that is no number", mapping.TypeDecimal, "NaN", nil, "a number is needed"},
		{"decimal of a boolean", mapping.TypeDecimal, false, nil, "a number is needed"},
		{"dateTime of a date", mapping.TypeDateTime, moment, "2026-01-02T02:04:05.0000006Z", ""},
		{"dateTime of a day", mapping.TypeDateTime, "2026-01-02", "2026-01-02T00:00:00Z", ""},
		{"dateTime without an offset", mapping.TypeDateTime, "2026-01-02T03:04:05", "2026-01-02T03:04:05Z", ""},
		{"dateTime of text that is no date", mapping.TypeDateTime, "soon", nil, "a date such as"},
		{"dateTime of a number", mapping.TypeDateTime, int64(5), nil, "a date such as"},
		{"binary of base64", mapping.TypeBinary, "SGVsbG8=", "SGVsbG8=", ""},
		{"binary of anything else", mapping.TypeBinary, "Hello!", nil, "base64 is needed"},
		{"string of a float", mapping.TypeString, 0.25, "0.25", ""},
		{"string of an object", mapping.TypeString, object{"a": "b"}, nil, "has sub-attributes"},
		{"string of a function", mapping.TypeString, math.Sqrt, nil, "cannot be mapped"},
		{"complex of an object", mapping.TypeComplex, object{"a": int64(1)}, object{"a": int64(1)}, ""},
		{"complex of a text", mapping.TypeComplex, "x", object{"value": "x"}, ""},
		{"complex of a date", mapping.TypeComplex, moment, object{"value": "2026-01-02T02:04:05.0000006Z"}, ""},
		{"no value in a list of nothing", mapping.TypeString, []any{nil}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := mapping.MustCompile(users(mapping.AttributeMapping{Target: "urn:x:y:z", Source: "x", Type: tt.typ}))
			result, err := m.Map(context.Background(), object{"x": tt.value}, mapping.Env{})
			if tt.fails != "" {
				if !errors.Is(err, mapping.ErrValue) || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("got error %v, want it to say %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			extension, _ := result.Create["urn:x:y"].(object)
			if diff := cmp.Diff(tt.want, extension["z"]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// An error must not tell a log what the source's value is.
func TestConversionErrorsHoldNoValues(t *testing.T) {
	for _, typ := range []mapping.Type{mapping.TypeBoolean, mapping.TypeInteger, mapping.TypeDecimal, mapping.TypeDateTime, mapping.TypeBinary} {
		m := mapping.MustCompile(users(mapping.AttributeMapping{Target: "urn:x:y:z", Source: "x", Type: typ}))
		_, err := m.Map(context.Background(), object{"x": "hush hush"}, mapping.Env{})
		if err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: got error %v, want one without the value", typ, err)
		}
	}
}

func TestCheckTypes(t *testing.T) {
	tests := []struct {
		typ        mapping.Type
		expression string
		want       string // empty when it fits
	}{
		{mapping.TypeInteger, `Len([x])`, ""},
		{mapping.TypeInteger, `CBool([x] = "a")`, "gives a boolean"},
		{mapping.TypeDecimal, `CDate([x])`, "gives a date"},
		{mapping.TypeDateTime, `Now()`, ""},
		{mapping.TypeDateTime, `Len([x])`, "gives an integer"},
		{mapping.TypeString, `Now()`, ""},
		{mapping.TypeBoolean, `IIF([x] = "a", "True", "0")`, ""},
		{mapping.TypeBoolean, `IIF([x] = "a", "True", "no")`, `can give "no"`},
		{mapping.TypeInteger, `Coalesce([x], "many")`, `can give "many"`},
		{mapping.TypeInteger, `IgnoreFlowIfNullOrEmpty(Switch([x], "3443", "Dr.", "3444"))`, ""},
		{mapping.TypeReference, `CDate([x])`, "gives a date"},
		{mapping.TypeReference, `Append("E", [x])`, ""},
		{"", `Split([x], ",")`, "gives a list"},
	}
	for _, tt := range tests {
		t.Run(string(tt.typ)+" "+tt.expression, func(t *testing.T) {
			m := mapping.MustCompile(users(
				mapping.AttributeMapping{Target: "userName", Source: "u", Matching: 1},
				mapping.AttributeMapping{Target: "title", Expression: tt.expression, Type: tt.typ},
			))
			problems := m.Check(nil)
			switch {
			case tt.want == "" && len(problems) > 0:
				t.Errorf("got %v, want no problem", problems)
			case tt.want != "" && (len(problems) != 1 || !strings.Contains(problems[0].Text, tt.want)):
				t.Errorf("got %v, want one that says %q", problems, tt.want)
			}
		})
	}
}
