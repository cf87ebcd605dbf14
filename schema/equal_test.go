package schema_test

import (
	"testing"

	"github.com/scimbridge/scim/schema"
)

func TestEqual(t *testing.T) {
	things, users := typed(t), schema.User()
	list := func(values ...any) []any { return values }
	tests := []struct {
		name   string
		schema *schema.Schema
		path   string
		v, w   any
		want   bool
	}{
		{"strings in different case", users, "userName", "Babs", "bABS", true},
		{"letters with several small forms", users, "userName", "\u212Aelvin ſ ς", "kelvin S σ", true},
		{"different strings", users, "userName", "Babs", "Bobs", false},
		{"caseExact", users, "externalId", "a", "A", false},
		{"ids of members", users, "groups", list(object{"value": "aB"}), list(object{"value": "Ab"}), false},
		{"references", things, "link", "https://a/B", "https://a/b", false},
		{"instants", things, "at", "2020-01-01T12:00:00Z", "2020-01-01T13:00:00.000+01:00", true},
		{"different instants", things, "at", "2020-01-01T12:00:00Z", "2020-01-01T12:00:00.001Z", false},
		{"text that is no dateTime", things, "at", "x", "X", false},
		{"data", things, "data", "aGk=", "aGk", true},
		{"different data", things, "data", "aGk=", "aGK=", false},
		{"numbers", things, "ratio", 2.0, int64(2), true},
		{"different numbers", things, "ratio", 2.5, int64(2), false},
		{"large numbers", things, "count", int64(1<<62 + 1), int64(1 << 62), false},
		{"booleans", things, "flag", true, true, true},
		{"boolean and string", things, "flag", true, "true", false},
		{"number and string", things, "text", "1", int64(1), false},
		{"null and absent", things, "text", nil, nil, true},
		{"null and empty array", things, "tags", nil, list(), true},
		{"empty array and string", things, "tags", list(), "x", false},
		{"empty string and absent", things, "text", "", nil, false},
		{"lists in different order", things, "tags", list("a", "B", "c"), list("C", "a", "b"), true},
		{"lists with repetitions", things, "tags", list("a", "a", "b"), list("a", "b", "b"), false},
		{"lists of different length", things, "tags", list("a"), list("a", "a"), false},
		{"objects", users, "name", object{"familyName": "A", "givenName": nil}, object{"familyName": "a"}, true},
		{"different objects", users, "name", object{"familyName": "A", "givenName": "x"}, object{"familyName": "a"}, false},
		{"object with less", users, "name", object{"familyName": "A"}, object{"familyName": "a", "givenName": "x"}, false},
		{"elements in different order", users, "emails", list(object{"value": "a", "type": "work"}, object{"value": "b"}), list(object{"value": "B"}, object{"type": "WORK", "value": "A"}), true},
		{"one element", users, "emails", object{"value": "a"}, object{"value": "A"}, true},
		{"unknown sub-attributes", users, "name", object{"nick": "a"}, object{"nick": "A"}, false},
		{"names that could be confused", users, "name", object{"a": "1", "b": "2"}, object{"a": "12", "b": ""}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, ok := test.schema.Lookup(test.path)
			if !ok {
				t.Fatalf("no attribute %s", test.path)
			}
			if got := a.Equal(test.v, test.w); got != test.want {
				t.Errorf("Equal(%v, %v) = %v", test.v, test.w, got)
			}
			if got := a.Equal(test.w, test.v); got != test.want {
				t.Errorf("Equal(%v, %v) = %v", test.w, test.v, got)
			}
			if got := a.Key(test.v) == a.Key(test.w); got != test.want {
				t.Errorf("keys %q and %q", a.Key(test.v), a.Key(test.w))
			}
		})
	}
}
