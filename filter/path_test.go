package filter_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
)

func TestParsePath(t *testing.T) {
	attr := func(name, sub string) filter.Attr { return filter.Attr{Name: name, Sub: sub} }
	tests := []struct {
		name, text string
		want       filter.Path
		target     string
	}{
		// The examples of RFC 7644 section 3.5.2.
		{"RFC attribute", `members`, filter.Path{Attr: attr("members", "")}, "members"},
		{"RFC sub-attribute", `name.familyName`, filter.Path{Attr: attr("name", "familyName")}, "name.familyName"},
		{"RFC value filter", `addresses[type eq "work"]`, filter.Path{Attr: attr("addresses", ""), Filter: filter.Eq("type", "work")}, "addresses"},
		{
			"RFC member", `members[value eq "2819c223-7f76-453a-919d-413861904646"]`,
			filter.Path{Attr: attr("members", ""), Filter: filter.Eq("value", "2819c223-7f76-453a-919d-413861904646")},
			"members",
		},
		{
			"RFC sub-attribute of selected values", `members[value eq "2819c223-7f76-453a-919d-413861904646"].displayName`,
			filter.Path{Attr: attr("members", ""), Filter: filter.Eq("value", "2819c223-7f76-453a-919d-413861904646"), Sub: "displayName"},
			"members.displayName",
		},
		{
			"RFC two conditions", `emails[type eq "work" and value ew "example.com"]`,
			filter.Path{Attr: attr("emails", ""), Filter: filter.Eq("type", "work").And(filter.Ew("value", "example.com"))},
			"emails",
		},
		{
			"RFC street", `addresses[type eq "work"].streetAddress`,
			filter.Path{Attr: attr("addresses", ""), Filter: filter.Eq("type", "work"), Sub: "streetAddress"},
			"addresses.streetAddress",
		},

		{
			"sub-attribute of an extension", enterpriseURN + `:manager.value`,
			filter.Path{Attr: filter.Attr{URN: enterpriseURN, Name: "manager", Sub: "value"}},
			enterpriseURN + ":manager.value",
		},
		{
			"value filter in an extension", `urn:example:x:1.0:User:roles[primary eq true].display`,
			filter.Path{Attr: filter.Attr{URN: "urn:example:x:1.0:User", Name: "roles"}, Filter: filter.Eq("primary", true), Sub: "display"},
			"urn:example:x:1.0:User:roles.display",
		},
		{
			"whole extension that ends like an attribute", enterpriseURN,
			filter.Path{Attr: filter.Attr{URN: strings.TrimSuffix(enterpriseURN, ":User"), Name: "User"}},
			enterpriseURN,
		},
		{"whole extension", "urn:example:x:2.0", filter.Path{Attr: filter.Attr{URN: "urn:example:x:2.0"}}, "urn:example:x:2.0"},
		{"whole extension with a URL", "https://example.com/x", filter.Path{Attr: filter.Attr{URN: "https://example.com/x"}}, "https://example.com/x"},
		{"reference", `members[$ref eq "x"].$ref`, filter.Path{Attr: attr("members", ""), Filter: filter.Eq("$ref", "x"), Sub: "$ref"}, "members.$ref"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := filter.ParsePath(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if got.String() != tt.text {
				t.Errorf("prints %s", got)
			}
			if target := got.Target().String(); target != tt.target {
				t.Errorf("target is %s, want %s", target, tt.target)
			}
			text, err := got.MarshalText()
			if err != nil {
				t.Fatal(err)
			}
			var again filter.Path
			if err := again.UnmarshalText(text); err != nil || !again.Equal(got) {
				t.Errorf("reading %s again gives %v, %v", text, again, err)
			}
		})
	}
}

func TestParsePath_reports_where_and_what(t *testing.T) {
	tests := []struct {
		name, text string
		typ        scim.ErrorType
		offset     int
		expected   string // part of it
	}{
		{"empty", ``, scim.InvalidPath, 0, "an attribute name"},
		{"filter", `userName eq "x"`, scim.InvalidPath, 9, "the end of the path"},
		{"open bracket", `emails[type eq "work"`, scim.InvalidFilter, 21, `"]" to close "["`},
		{"empty brackets", `emails[]`, scim.InvalidFilter, 7, "an attribute name"},
		{"fault in brackets", `emails[type is "work"]`, scim.InvalidFilter, 12, "an operator"},
		{"fault after brackets", `emails[type eq "work"]value`, scim.InvalidPath, 22, "the end of the path"},
		{"no name after brackets", `emails[type eq "work"].`, scim.InvalidPath, 23, "the name of a sub-attribute"},
		{"two names after brackets", `emails[type eq "work"].a.b`, scim.InvalidPath, 24, "the end of the path"},
		{"two brackets", `emails[type pr][value pr]`, scim.InvalidPath, 15, "the end of the path"},
		{"sub-attribute before brackets", `name.emails[type pr]`, scim.InvalidPath, 0, "not a sub-attribute"},
		{"brackets after a whole schema", `urn:example:2.0[type pr]`, scim.InvalidPath, 15, "the end of the path"},
		{"three levels", `a.b.c`, scim.InvalidPath, 3, "the name of a sub-attribute"},
		{"slashes", `/emails/0`, scim.InvalidPath, 0, "an attribute name"},
		{"not UTF-8", "a\xff", scim.InvalidPath, 1, ""},
		{"too long", strings.Repeat("a", 65537), scim.InvalidPath, 0, "at most 65536 bytes"},
		{"too deep", "a[" + strings.Repeat("(", 100_0), scim.InvalidFilter, 33, "at most 32 levels"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := filter.ParsePath(tt.text)
			var got *filter.Error
			if !errors.As(err, &got) {
				t.Fatalf("ParsePath(%q) = %v, %v", tt.text, p, err)
			}
			if got.Type != tt.typ || got.Offset != tt.offset || !strings.Contains(got.Expected, tt.expected) {
				t.Errorf("%v\n got %s, offset %d, %s\nwant %s, offset %d, …%s…", err, got.Type, got.Offset, got.Expected, tt.typ, tt.offset, tt.expected)
			}
			if !errors.Is(err, scim.ErrInvalidPath) && !errors.Is(err, scim.ErrInvalidFilter) || !p.IsZero() {
				t.Errorf("%v is neither invalidPath nor invalidFilter, or there is a path %v", err, p)
			}
		})
	}
}

func TestPath_compile_selects_elements(t *testing.T) {
	tests := []struct {
		name, path string
		value      any
		want       bool
	}{
		{"eq", `emails[type eq "work"]`, map[string]any{"type": "Work"}, true},
		{"eq of another", `emails[type eq "work"]`, map[string]any{"type": "home"}, false},
		{"with sub-attribute", `emails[type eq "work"].value`, map[string]any{"type": "work"}, true},
		{"no filter", `emails`, map[string]any{"type": "home"}, true},
		{"boolean", `emails[primary eq true]`, map[string]any{"primary": true}, true},
		{"absent ne", `emails[type ne "work"]`, map[string]any{}, true},
		{"not and", `emails[not (type eq "work") and value co "@X"]`, map[string]any{"type": "home", "value": "a@x.org"}, true},
		{"caseExact", `groups[$ref eq "a"]`, map[string]any{"$ref": "A"}, false},
		{"value is itself", `tags[value eq "red"]`, "RED", true},
		{"value is not itself", `tags[value eq "red"]`, "blue", false},
		{"integer is itself", `numbers[value gt 3]`, int64(4), true},
		{"URN", userURN + `:emails[type eq "work"]`, map[string]any{"type": "work"}, true},
		{"a simple value where an object should be", `emails[type eq "work"]`, "work", false},
		{"a simple value where an object should be is value", `emails[value eq "work"]`, "work", true},
		{"null", `emails[type eq "work"]`, nil, false},
	}
	for _, tt := range tests {
		for mode, ts := range map[string]filter.Types{"typed": userTypes, "untyped": nil} {
			t.Run(mode+"/"+tt.name, func(t *testing.T) {
				path, err := filter.ParsePath(tt.path)
				if err != nil {
					t.Fatal(err)
				}
				p, err := path.Compile(ts)
				if err != nil {
					t.Fatal(err)
				}
				if got := p.Match(tt.value); got != tt.want {
					t.Errorf("%v of %v", got, tt.value)
				}
			})
		}
	}
}

func TestPath_check(t *testing.T) {
	tests := []struct {
		path string
		want error
	}{
		{`emails[type eq "work"].value`, nil},
		{`tags[value eq "x"]`, nil},
		{`bogus`, scim.ErrInvalidPath},
		{`name.bogus`, scim.ErrInvalidPath},
		{`bogus[type eq "work"]`, scim.ErrInvalidPath},
		{`emails[type eq "work"].bogus`, scim.ErrInvalidPath},
		{`emails[bogus eq "work"]`, scim.ErrInvalidFilter},
		{`emails[primary gt true]`, scim.ErrInvalidFilter},
		{`tags[type eq "x"]`, scim.ErrInvalidFilter},
	}
	for _, tt := range tests {
		path, err := filter.ParsePath(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		if err := path.Check(userTypes); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.path, err, tt.want)
		}
	}
}

func TestCompileElement_refuses_what_is_no_value_filter(t *testing.T) {
	for _, f := range []filter.Filter{
		filter.Eq("name.familyName", "x"),
		filter.Pr(enterpriseURN + ":manager"),
		filter.Has("emails", filter.Pr("type")),
		filter.Eq("bad name", 1),
	} {
		if _, err := f.CompileElement(userTypes, filter.Attr{Name: "emails"}); !errors.Is(err, scim.ErrInvalidFilter) {
			t.Errorf("%s: got %v", f, err)
		}
	}
}

func TestCompileElement_of_an_unknown_attribute(t *testing.T) {
	f, parent := filter.Eq("type", "work"), filter.Attr{Name: "bogus"}
	if _, err := f.CompileElement(userTypes, parent); !errors.Is(err, scim.ErrInvalidFilter) {
		t.Errorf("got %v", err)
	}
	p, err := f.CompileElement(userTypes, parent, filter.UnknownAsAbsent())
	if err != nil || p.Match(map[string]any{"type": "work"}) {
		t.Errorf("got %v, or it matches", err)
	}
}

func TestParseAttr(t *testing.T) {
	tests := []struct {
		text string
		want filter.Attr
	}{
		{"userName", filter.Attr{Name: "userName"}},
		{"name.familyName", filter.Attr{Name: "name", Sub: "familyName"}},
		{"$ref", filter.Attr{Name: "$ref"}},
		{userURN + ":name.familyName", filter.Attr{URN: userURN, Name: "name", Sub: "familyName"}},
		{"urn:a:b", filter.Attr{URN: "urn:a", Name: "b"}},
		{"urn:example:app:2.0", filter.Attr{URN: "urn:example:app:2.0"}},
		{"urn:example:com.example.app", filter.Attr{URN: "urn:example:com.example.app"}},
	}
	for _, tt := range tests {
		got, err := filter.ParseAttr(tt.text)
		if err != nil || got != tt.want || got.String() != tt.text {
			t.Errorf("%s: got %#v, %v, printed %s", tt.text, got, err, got)
		}
	}
	for _, text := range []string{"", " userName", "userName ", "a b", "a,b", "a.b.c", "1a", "a:b", "urn:", "urn:a:", ":a", "a[b pr]", "é", "not (a pr)"} {
		if got, err := filter.ParseAttr(text); !errors.Is(err, scim.ErrInvalidPath) {
			t.Errorf("%q: got %#v, %v", text, got, err)
		}
	}
}
