package mapping_test

import (
	"strings"
	"testing"
	"time"

	"github.com/scimbridge/scim/mapping"
)

func clause(attribute string, op mapping.Operator, value string) mapping.Clause {
	return mapping.Clause{Attribute: attribute, Operator: op, Value: value}
}

func scoped(t *testing.T, groups ...[]mapping.Clause) *mapping.Mapping {
	t.Helper()
	users := postmanUsers
	for _, clauses := range groups {
		users.Scope = append(users.Scope, mapping.FilterGroup{Clauses: clauses})
	}
	m, err := mapping.Compile(users)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestClause(t *testing.T) {
	absent := map[string]any{}
	of := func(v any) map[string]any { return map[string]any{"x": v} }
	tests := []struct {
		name   string
		clause mapping.Clause
		object map[string]any
		want   bool
	}{
		{"EQUALS is case-sensitive", clause("x", mapping.Equals, "Sales"), of("sales"), false},
		{"EQUALS finds the same text", clause("x", mapping.Equals, "Sales"), of("Sales"), true},
		{"EQUALS compares numbers as text", clause("x", mapping.Equals, "12"), of(int64(12)), true},
		{"EQUALS compares booleans in any case", clause("x", mapping.Equals, "true"), of(true), true},
		{"EQUALS on a list is true when any value is", clause("x", mapping.Equals, "b"), of([]any{"a", "b"}), true},
		{"EQUALS on an object is false", clause("x", mapping.Equals, "b"), of(map[string]any{"value": "b"}), false},
		{"NOT EQUALS of another text", clause("x", mapping.NotEquals, "Sales"), of("sales"), true},
		{"NOT EQUALS of null is false", clause("x", mapping.NotEquals, "Sales"), of(nil), false},
		{"NOT EQUALS of an absent attribute is false", clause("x", mapping.NotEquals, "Sales"), absent, false},
		{"NOT EQUALS of an empty text is false", clause("x", mapping.NotEquals, "Sales"), of(""), false},
		{"NOT EQUALS on a list needs all values to differ", clause("x", mapping.NotEquals, "b"), of([]any{"a", "b"}), false},
		{"IS TRUE of true", clause("x", mapping.IsTrue, ""), of(true), true},
		{"IS TRUE of the text True", clause("x", mapping.IsTrue, ""), of("True"), true},
		{"IS TRUE of another text is false", clause("x", mapping.IsTrue, ""), of("yes"), false},
		{"IS TRUE of null is false", clause("x", mapping.IsTrue, ""), absent, false},
		{"IS FALSE of false", clause("x", mapping.IsFalse, ""), of(false), true},
		{"IS FALSE of null is false", clause("x", mapping.IsFalse, ""), absent, false},
		{"IS NULL of an empty text", clause("x", mapping.IsNull, ""), of(""), true},
		{"IS NULL of an absent attribute", clause("x", mapping.IsNull, ""), absent, true},
		{"IS NULL of an empty list", clause("x", mapping.IsNull, ""), of([]any{}), true},
		{"IS NULL of false is false", clause("x", mapping.IsNull, ""), of(false), false},
		{"IS NOT NULL of zero", clause("x", mapping.IsNotNull, ""), of(int64(0)), true},
		{"IS NOT NULL of an empty text is false", clause("x", mapping.IsNotNull, ""), of(""), false},
		{"REGEX MATCH of seven digits", clause("x", mapping.RegexMatch, "(1[0-9][0-9][0-9][0-9][0-9][0-9])"), of("1234567"), true},
		{"REGEX MATCH is of the whole value", clause("x", mapping.RegexMatch, "([1-9][0-9])"), of("123"), false},
		{"REGEX MATCH of a domain", clause("x", mapping.RegexMatch, `.*\@domain.com`), of("a@domain.com"), true},
		{"REGEX MATCH takes the alternatives as a whole", clause("x", mapping.RegexMatch, "a|b"), of("bc"), false},
		{"REGEX MATCH of an integer", clause("x", mapping.RegexMatch, "1."), of(int64(12)), true},
		{"REGEX MATCH knows letters outside ASCII", clause("x", mapping.RegexMatch, `\w+`), of("Süd"), true},
		{"REGEX MATCH knows digits outside ASCII", clause("x", mapping.RegexMatch, `\d{2}`), of("٤٢"), true},
		{"REGEX MATCH knows all white space", clause("x", mapping.RegexMatch, `a\sb`), of("a\u00a0b"), true},
		{"REGEX MATCH knows words outside ASCII", clause("x", mapping.RegexMatch, `.*\bÖl\b.*`), of("Abteilung Öl"), true},
		{"REGEX MATCH reads .NET's escapes", clause("x", mapping.RegexMatch, `\u0041.*\Z`), of("Ab"), true},
		{"NOT REGEX MATCH knows letters outside ASCII", clause("x", mapping.NotRegexMatch, `\w+`), of("Süd"), false},
		{"REGEX MATCH of null is false", clause("x", mapping.RegexMatch, ".*"), absent, false},
		{"NOT REGEX MATCH of another text", clause("x", mapping.NotRegexMatch, "S.*"), of("Marketing"), true},
		{"NOT REGEX MATCH of an empty text is false", clause("x", mapping.NotRegexMatch, "^S"), of(""), false},
		{"Greater_Than of the same number is false", clause("x", mapping.GreaterThan, "10"), of(int64(10)), false},
		{"Greater_Than of a larger one", clause("x", mapping.GreaterThan, "10"), of(int64(11)), true},
		{"Greater_Than compares digits as a number", clause("x", mapping.GreaterThan, "9"), of("10"), true},
		{"Greater_Than of a text is false", clause("x", mapping.GreaterThan, "9"), of("many"), false},
		{"Greater_Than reads leading zeros as decimal", clause("x", mapping.GreaterThan, "0500"), of("0400"), false},
		{"Greater_Than takes digits that octal does not have", clause("x", mapping.GreaterThan, "0089"), of("0090"), true},
		{"& takes hexadecimal digits", clause("x", mapping.BitsSet, "0x0A"), of(int64(8)), true},
		{"Greater_Than_OR_EQUALS of the same number", clause("x", mapping.GreaterThanOrEquals, "10"), of(int64(10)), true},
		{"Includes a part", clause("x", mapping.Includes, "ale"), of("Sales"), true},
		{"Includes is case-sensitive", clause("x", mapping.Includes, "sal"), of("Sales"), false},
		{"ENDS_WITH an ending", clause("x", mapping.EndsWith, "@x.example"), of("a@x.example"), true},
		{"ENDS_WITH is case-sensitive", clause("x", mapping.EndsWith, "@X.example"), of("a@x.example"), false},
		{"& with a bit in common", clause("x", mapping.BitsSet, "2"), of(int64(514)), true},
		{"& without", clause("x", mapping.BitsSet, "2"), of(int64(512)), false},
		{"!& without a bit in common", clause("x", mapping.BitsClear, "2"), of(int64(512)), true},
		{"!& with one", clause("x", mapping.BitsClear, "2"), of(int64(514)), false},
		{"!& of null is false", clause("x", mapping.BitsClear, "2"), absent, false},
		{"several values affirm any", mapping.Clause{Attribute: "x", Operator: mapping.Equals, Values: []string{"a", "b"}}, of("b"), true},
		{"several values deny all", mapping.Clause{Attribute: "x", Operator: mapping.NotEquals, Values: []string{"a", "b"}}, of("b"), false},
		{"a path into the object", clause("name.familyName", mapping.Equals, "Berg"), map[string]any{"name": map[string]any{"familyName": "Berg"}}, true},
		{"a date as SCIM writes it", clause("x", mapping.Includes, "2026-01"), of(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := scoped(t, []mapping.Clause{tt.clause})
			if got := m.InScope(tt.object).In; got != tt.want {
				t.Errorf("in scope: got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestScope(t *testing.T) {
	a, b, c := clause("a", mapping.IsTrue, ""), clause("b", mapping.IsTrue, ""), clause("c", mapping.IsTrue, "")
	object := func(a, b, c bool) map[string]any { return map[string]any{"a": a, "b": b, "c": c} }
	t.Run("clauses of a group must all be true, of groups one", func(t *testing.T) {
		m := scoped(t, []mapping.Clause{a, b}, []mapping.Clause{c})
		for _, tt := range []struct {
			object map[string]any
			want   bool
		}{
			{object(false, true, false), false},
			{object(true, true, false), true},
			{object(false, false, true), true},
			{object(true, false, false), false},
		} {
			if got := m.InScope(tt.object).In; got != tt.want {
				t.Errorf("%v: got %v, want %v", tt.object, got, tt.want)
			}
		}
	})
	t.Run("the reason names what was not true in each group", func(t *testing.T) {
		got := scoped(t, []mapping.Clause{a, b}, []mapping.Clause{c}).InScope(object(true, false, false)).Reason
		want := `filter 1: b IS TRUE is not true; filter 2: c IS TRUE is not true`
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("without filters everything is in scope", func(t *testing.T) {
		if !scoped(t).InScope(nil).In {
			t.Error("an object is out of scope of a mapping without filters")
		}
	})
	t.Run("an object outside the input scope is held", func(t *testing.T) {
		users := postmanUsers
		users.InputScope = []mapping.FilterGroup{{Clauses: []mapping.Clause{a}}}
		got := mapping.MustCompile(users).InScope(object(false, true, true))
		if got.In || !got.Hold {
			t.Errorf("got %+v, want it held", got)
		}
	})
	t.Run("the filter language sees dates, lists and paths", func(t *testing.T) {
		users := postmanUsers
		users.Filter = `hired lt "2026-01-01T00:00:00Z" and (tags eq "red" or not (emails[type eq "work"]))`
		m := mapping.MustCompile(users)
		person := map[string]any{
			"hired": time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC),
			"tags":  []any{"blue", "red"},
		}
		if got := m.InScope(person); !got.In {
			t.Errorf("got %+v, want it in scope", got)
		}
		person["hired"] = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
		if got := m.InScope(person); got.In || !strings.Contains(got.Reason, "hired lt") {
			t.Errorf("got %+v, want it out of scope", got)
		}
		if _, ok := person["hired"].(time.Time); !ok {
			t.Error("the source object was changed")
		}
	})
	t.Run("regular expressions search when asked to", func(t *testing.T) {
		users := postmanUsers
		users.Scope = []mapping.FilterGroup{{Clauses: []mapping.Clause{clause("x", mapping.RegexMatch, "b")}}}
		m := mapping.MustCompile(users, mapping.WithRegexSearch())
		if !m.InScope(map[string]any{"x": "abc"}).In {
			t.Error("b is not found in abc")
		}
	})
}

func TestCompileRefusesClauses(t *testing.T) {
	tests := []struct {
		name   string
		clause mapping.Clause
		want   string
	}{
		{"an operator spelled otherwise", clause("x", "Greater Than", "1"), `did you mean "Greater_Than"?`},
		{"an operator that is not there", clause("x", "LIKE", "1"), "unknown operator"},
		{"IsMemberOf", clause("x", "IsMemberOf", "g"), "not supported"},
		{"no attribute", clause("", mapping.IsNull, ""), "needs an attribute"},
		{"a value for a unary operator", clause("x", mapping.IsNull, "y"), "compares with nothing"},
		{"no value for a binary one", clause("x", mapping.Equals, ""), "needs a value"},
		{"a text where a number is needed", clause("x", mapping.GreaterThan, "ten"), "whole number"},
		{"a pattern with look-ahead", clause("x", mapping.RegexMatch, "(?=a)"), "look-ahead"},
		{"digits grouped by underscores", clause("x", mapping.GreaterThan, "1_000"), "whole number"},
		{"a sign within hexadecimal digits", clause("x", mapping.BitsSet, "0x-1"), "whole number"},
		{"a pattern that closes the group it is put in", clause("x", mapping.RegexMatch, "a)|(?:b"), "unexpected )"},
		{"a pattern that is too long", clause("x", mapping.RegexMatch, strings.Repeat("a", 10_001)), "bytes long"},
		{"a pattern that would grow too large", clause("x", mapping.RegexMatch, "((a{100}){100}){100}"), "repeat"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			users := postmanUsers
			users.Scope = []mapping.FilterGroup{{Clauses: []mapping.Clause{tt.clause}}}
			_, err := mapping.Compile(users)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want it to say %q", err, tt.want)
			}
		})
	}
}
