package filter_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
)

// TestParse_prints_canonically reads each filter and compares how it is printed; want is empty when
// that is how it was written.
func TestParse_prints_canonically(t *testing.T) {
	tests := []struct{ name, text, want string }{
		// Every example of RFC 7644, sections 3.4.2.2 and 3.4.3.
		{"RFC eq", `userName eq "bjensen"`, ""},
		{"RFC co", `name.familyName co "O'Malley"`, ""},
		{"RFC sw", `userName sw "J"`, ""},
		{"RFC qualified name", `urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"`, ""},
		{"RFC pr", `title pr`, ""},
		{"RFC gt", `meta.lastModified gt "2011-05-13T04:42:34Z"`, ""},
		{"RFC ge", `meta.lastModified ge "2011-05-13T04:42:34Z"`, ""},
		{"RFC lt", `meta.lastModified lt "2011-05-13T04:42:34Z"`, ""},
		{"RFC le", `meta.lastModified le "2011-05-13T04:42:34Z"`, ""},
		{"RFC and", `title pr and userType eq "Employee"`, ""},
		{"RFC or", `title pr or userType eq "Intern"`, ""},
		{"RFC schemas", `schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`, ""},
		{"RFC group", `userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`, ""},
		{"RFC not", `userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`, ""},
		{"RFC needless group", `userType eq "Employee" and (emails.type eq "work")`, `userType eq "Employee" and emails.type eq "work"`},
		{"RFC value path", `userType eq "Employee" and emails[type eq "work" and value co "@example.com"]`, ""},
		{"RFC two value paths", `emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`, ""},
		{"RFC search request", `displayName sw "smith"`, ""},
		{"RFC operator in another case", `userName Eq "john"`, `userName eq "john"`},
		{"RFC name in another case", `Username eq "john"`, ""},

		{"sub-attribute of qualified name", enterpriseURN + `:manager.value eq "26118915"`, ""},
		{"qualified value path", userURN + `:emails[type eq "work"]`, ""},
		{"URN with a hyphen", `urn:example:my-app:1.0:User:team-name eq "a"`, ""},
		{"URL as schema", `https://example.com/schemas/v1.2/ext:badge eq "a"`, ""},
		{"name with every character", `a-b_C9$ eq 1`, ""},
		{"reference", `groups.$ref eq "https://example.com"`, ""},
		{"reference inside brackets", `groups[$ref pr]`, ""},

		{"words in any case", `A PR AND NOT (b Pr) OR c Co "x"`, `A pr and not (b pr) or c co "x"`},
		{"true", `active eq true`, ""},
		{"false in another case", `active eq False`, `active eq false`},
		{"null", `title eq null`, ""},
		{"attributes called as the words", `not pr and and pr or or eq null`, ""},
		{"attribute not before a bracket", `not[pr pr]`, ""},

		{"integer", `a eq 12`, ""},
		{"negative integer", `a eq -12`, ""},
		{"largest integer", `a eq 9223372036854775807`, ""},
		{"smallest integer", `a eq -9223372036854775808`, ""},
		{"integer too large for 64 bits", `a eq 9223372036854775808`, `a eq 9.223372036854776e+18`},
		{"minus zero", `a eq -0`, `a eq 0`},
		{"minus zero as decimal", `a eq -0.0`, `a eq 0`},
		{"decimal", `a eq 1.25`, ""},
		{"decimal without fraction", `a eq 1.0`, `a eq 1`},
		{"exponent", `a eq 1.5e3`, `a eq 1500`},
		{"negative exponent", `a eq 15E-4`, `a eq 0.0015`},
		{"large exponent", `a eq 1e+300`, ""},
		{"tiny number", `a eq 1e-400`, `a eq 0`},

		{"escapes", `a eq "\"\\\/\b\f\n\r\t\u00e9\u0001"`, "a eq \"\\\"\\\\/\\u0008\\u000c\\n\\r\\té\\u0001\""},
		{"surrogate pair", `a eq "\ud83d\ude00"`, `a eq "😀"`},
		{"text beyond ASCII", `a eq "Zoë 😀"`, ""},
		{"empty string", `a eq ""`, ""},
		{"string with filter syntax", `a eq ") or (b pr"`, ""},

		{"precedence", `a pr or b pr and not (c pr) or d pr`, ""},
		{"and of or keeps its parentheses", `(a pr or b pr) and c pr`, ""},
		{"needless parentheses", `((a pr) or ((b pr) and (c pr)))`, `a pr or b pr and c pr`},
		{"and is associative", `a pr and (b pr and (c pr and d pr))`, `a pr and b pr and c pr and d pr`},
		{"and is associative on the left", `((a pr and b pr) and c pr) and d pr`, `a pr and b pr and c pr and d pr`},
		{"or is associative", `(a pr or b pr) or (c pr or d pr)`, `a pr or b pr or c pr or d pr`},
		{"double negation", `not (not (a pr))`, ""},
		{"negated value path", `not (emails[type eq "work"])`, ""},
		{"nested parentheses in a value path", `emails[((type eq "work") and (value pr or (display pr)))]`, `emails[type eq "work" and (value pr or display pr)]`},
		{"not in a value path", `emails[not (type eq "work")]`, ""},

		{"white space", "\t( a  eq\n1 )  and\r\nemails[ type eq 2 ] ", `a eq 1 and emails[type eq 2]`},
		{"no white space at parentheses", `(a pr)and(b pr)or not(c pr)and emails[d pr]or e pr`, `a pr and b pr or not (c pr) and emails[d pr] or e pr`},

		{"sub-attribute after a value path", `emails[type eq "work"].value eq "a@b"`, `emails[type eq "work" and value eq "a@b"]`},
		{"pr after a value path", `emails[type eq "work"].value pr and a pr`, `emails[type eq "work" and value pr] and a pr`},
		{"or inside, sub-attribute after a value path", `emails[type eq "work" or primary eq true].value sw "a"`, `emails[(type eq "work" or primary eq true) and value sw "a"]`},
		{"ne after a value path", `emails[type eq "work"].value ne "a"`, `not (emails[type eq "work" and value eq "a"])`},
		{"eq null after a value path", `emails[type eq "work"].value eq null`, `not (emails[type eq "work" and value ne null])`},
		{"ne null after a value path", `emails[type eq "work"].value ne null`, `emails[type eq "work" and value ne null]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if want == "" {
				want = tt.text
			}
			f, err := filter.Parse(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := f.String(); got != want {
				t.Errorf("Parse(%q) prints\n got %s\nwant %s", tt.text, got, want)
			}
			again, err := filter.Parse(f.String())
			if err != nil {
				t.Fatalf("parsing what was printed: %v", err)
			}
			if !again.Equal(f) || again.String() != f.String() {
				t.Errorf("parsing %q again gives %q", f, again)
			}
		})
	}
}

func TestParse_reports_where_and_what(t *testing.T) {
	tests := []struct {
		name, text string
		offset     int
		found      string
		expected   string // part of it
	}{
		{"empty", ``, 0, "found the end", "an attribute name"},
		{"only white space", `  `, 2, "found the end", "an attribute name"},
		{"unknown operator", `userName regex "x"`, 9, `found "regex"`, "an operator"},
		{"no operator", `userName`, 8, "found the end", "white space and an operator"},
		{"no value", `userName eq`, 11, "found the end", "a value"},
		{"nothing after space", `userName eq `, 12, "found the end", "a string in double quotes"},
		{"bare word", `userName eq bjensen`, 12, "found a word without quotes", "a string in double quotes"},
		{"single quotes", `userName eq 'bjensen'`, 12, "found a string", "a string in double quotes"},
		{"open string", `userName eq "bjensen`, 20, "found the end", "the closing quote"},
		{"open string after escape", `a eq "\"`, 8, "found the end", "the closing quote"},
		{"text after string", `a eq "x"y`, 8, "found more text right after the value", "white space"},
		{"unknown escape", `a eq "ab\x"`, 8, `found "\\"`, "one of the escapes"},
		{"short unicode escape", `a eq "\u12"`, 6, `found "\\"`, "one of the escapes"},
		{"lone high surrogate", `a eq "\ud83d"`, 6, `found "\\"`, "no lone surrogate"},
		{"lone low surrogate", `a eq "\ude00"`, 6, `found "\\"`, "no lone surrogate"},
		{"two high surrogates", `a eq "\ud83d\ud83d"`, 6, `found "\\"`, "no lone surrogate"},
		{"signed unicode escape", `a eq "\u+123"`, 6, `found "\\"`, "one of the escapes"},
		{"control character", "a eq \"x\ny\"", 7, `found "\n"`, "an escape"},
		{"control character after escape", "a eq \"\\n\ny\"", 8, `found "\n"`, "an escape"},
		{"not UTF-8", "a eq \"x\xff\"", 7, "found bytes that are not UTF-8", ""},
		{"leading zero", `a eq 012`, 5, "found a word without quotes", "a number"},
		{"no digits after point", `a eq 1.`, 5, "found a word without quotes", "a number"},
		{"no digits after e", `a eq 1e+`, 5, "found a word without quotes", "a number"},
		{"only a backslash", `a eq "\`, 6, `found "\\"`, "one of the escapes"},
		{"no digits before point", `a eq .5`, 5, "found a word without quotes", "a number"},
		{"plus sign", `a eq +1`, 5, "found a word without quotes", "a number"},
		{"hexadecimal", `a eq 0x1F`, 5, "found a word without quotes", "a number"},
		{"infinity", `a eq 1e400`, 5, "found a word without quotes", "a number"},
		{"not a number", `a eq NaN`, 5, "found a word without quotes", "a number"},
		{"array", `a eq [1]`, 5, `found "["`, "a string in double quotes"},
		{"two filters", `a pr b pr`, 5, `found "b"`, `"and", "or"`},
		{"nothing after and", `a pr and`, 8, "found the end", "an attribute name"},
		{"no space before and", `a eq "x"and b pr`, 8, "found more text right after the value", "white space"},
		{"no space after and", `a pr and"b"`, 5, `found "and"`, `"and", "or"`},
		{"not without parentheses", `not a pr`, 4, `found "a"`, "an operator"},
		{"open group", `(a pr`, 5, "found the end", `")" to close "("`},
		{"open bracket", `a[b pr`, 6, "found the end", `"]" to close "["`},
		{"wrong closing", `a[b pr)`, 6, `found ")"`, `"]" to close "["`},
		{"extra closing", `a pr)`, 4, `found ")"`, `"and", "or"`},
		{"empty group", `()`, 1, `found ")"`, `an attribute name, "not" or "("`},
		{"empty brackets", `emails[]`, 7, `found "]"`, `an attribute name`},
		{"value path in a value path", `a[b[c pr]]`, 3, `found "["`, "an operator"},
		{"dotted name in brackets", `a[b.c pr]`, 2, `found "b.c"`, "plain name"},
		{"qualified name in brackets", `a[urn:b:c pr]`, 2, `found "urn:b:c"`, "plain name"},
		{"brackets after a sub-attribute", `a.b[c pr]`, 0, `found "a.b"`, "not a sub-attribute"},
		{"dot without a name after brackets", `a[b pr]. eq 1`, 8, `found " "`, "name of a sub-attribute"},
		{"no operator after brackets", `a[b pr].c`, 9, "found the end", "operator"},
		{"space before brackets", `a [b pr]`, 2, `found "["`, "an operator"},
		{"digit first", `1a pr`, 0, `found "1a"`, "an attribute name"},
		{"empty sub-attribute", `a. pr`, 2, `found " "`, "name of a sub-attribute"},
		{"three levels", `a.b.c pr`, 3, `found ".c"`, "name of a sub-attribute"},
		{"slash in a name", `a/b pr`, 1, `found "/b"`, "in an attribute name"},
		{"qualified without a scheme", `a:b pr`, 0, `found "a:b"`, "schema URN"},
		{"and without a word after it", `a pr and)`, 8, `found ")"`, "an attribute name"},
		{"word that begins with and", `a pr android`, 5, `found "android"`, `"and", "or"`},
		{"scheme with an underscore", `a_b:c:d pr`, 0, `found "a_b:c:d"`, "schema URN"},
		{"URN without a name", `urn:a:2.0 pr`, 6, `found "2.0"`, "an attribute name"},
		{"letter beyond ASCII", `é pr`, 0, `found "é"`, "an attribute name"},
		{"long word is cut", "a " + strings.Repeat("x", 99), 2, `found "` + strings.Repeat("x", 32) + `…"`, "an operator"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := filter.Parse(tt.text)
			var got *filter.Error
			if !errors.As(err, &got) {
				t.Fatalf("Parse(%q) = %q, %v, want an *Error", tt.text, f, err)
			}
			if got.Offset != tt.offset || got.Found != tt.found || !strings.Contains(got.Expected, tt.expected) {
				t.Errorf("Parse(%q): %v\n got offset %d, %s, %s\nwant offset %d, %s, …%s…", tt.text, err,
					got.Offset, got.Found, got.Expected, tt.offset, tt.found, tt.expected)
			}
			if !f.IsZero() {
				t.Errorf("returned filter %q with the error", f)
			}
		})
	}
}

func TestParse_error_becomes_invalidFilter(t *testing.T) {
	_, err := filter.Parse(`userName regex "secret"`)
	var got *scim.Error
	if !errors.As(err, &got) {
		t.Fatalf("%v is no *scim.Error", err)
	}
	want := &scim.Error{
		Status: http.StatusBadRequest, Type: scim.InvalidFilter,
		Detail: `invalid filter at byte 9: found "regex", expected an operator: eq, ne, co, sw, ew, gt, ge, lt, le or pr`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if !errors.Is(err, scim.ErrInvalidFilter) {
		t.Error("errors.Is(err, scim.ErrInvalidFilter) is false")
	}
}

// A value may be a password: no error may repeat it.
func TestParse_error_never_repeats_a_value(t *testing.T) {
	for _, text := range []string{
		`password eq hunter2`, `password eq 'hunter2'`, `password eq "hunter2`, `password eq "x"hunter2`,
		`password eq "\xhunter2"`, `password regex "hunter2"`, `password eq -hunter2`, `(password eq "hunter2"`,
	} {
		_, err := filter.Parse(text)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Parse(%q): %v", text, err)
		}
	}
}

func TestParse_options(t *testing.T) {
	tests := []struct {
		name, text string
		opt        filter.Option
		want       string
	}{
		{"single quotes", `userName eq 'x@y'`, filter.SingleQuotes(), `userName eq "x@y"`},
		{"double quote in single quotes", `a eq 'say "x"'`, filter.SingleQuotes(), `a eq "say \"x\""`},
		{"single quote escaped in single quotes", `a eq 'O\'Malley'`, filter.SingleQuotes(), `a eq "O'Malley"`},
		{"single quote in double quotes", `a eq "O'Malley"`, filter.SingleQuotes(), `a eq "O'Malley"`},
		{"unquoted, from the RFC's prose", `(meta.resourceType eq User) or (meta.resourceType eq Group)`, filter.UnquotedStrings(), `meta.resourceType eq "User" or meta.resourceType eq "Group"`},
		{"unquoted with punctuation", `userName eq a.b+c@d.example and a pr`, filter.UnquotedStrings(), `userName eq "a.b+c@d.example" and a pr`},
		{"unquoted number", `a eq 12`, filter.UnquotedStrings(), `a eq 12`},
		{"unquoted null", `a eq null`, filter.UnquotedStrings(), `a eq null`},
		{"quoted boolean stays a string", `active eq "True"`, filter.QuotedBooleans(), `active eq "True"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := filter.Parse(tt.text, tt.opt)
			if err != nil {
				t.Fatal(err)
			}
			if f.String() != tt.want {
				t.Errorf("got %s, want %s", f, tt.want)
			}
		})
	}
}

func TestParse_refuses_what_is_too_large(t *testing.T) {
	or := func(n int) string { return strings.TrimSuffix(strings.Repeat(`userName eq "a" or `, n), " or ") }
	tests := []struct {
		name, text string
		opts       []filter.Option
		expected   string // empty when it must be accepted
	}{
		{"100,000 nested parentheses", strings.Repeat("(", 100_000), []filter.Option{filter.MaxLength(1 << 20)}, "at most 32 levels"},
		{"100,000 nested parentheses are too long as well", strings.Repeat("(", 100_000), nil, "at most 65536 bytes"},
		{"10,000 nested nots", strings.Repeat("not (", 10_000), nil, "at most 32 levels"},
		{"32 levels", strings.Repeat("(", 32) + "a pr" + strings.Repeat(")", 32), nil, ""},
		{"33 levels", strings.Repeat("(", 33) + "a pr" + strings.Repeat(")", 33), nil, "at most 32 levels"},
		{"brackets count", strings.Repeat("(", 32) + "a[b pr]" + strings.Repeat(")", 32), nil, "at most 32 levels"},
		{"many groups side by side", strings.TrimSuffix(strings.Repeat("(a pr) and ", 1000), " and "), nil, ""},
		{"chosen depth", "((a pr))", []filter.Option{filter.MaxDepth(1)}, "at most 1 levels"},
		{"depth has a ceiling", strings.Repeat("(", 1_000_000), []filter.Option{filter.MaxDepth(1 << 30), filter.MaxLength(1 << 30)}, "at most 10000 levels"},
		{"1,000 terms", or(1000), nil, ""},
		{"1,001 terms", or(1001), nil, "at most 1000 comparisons"},
		{"4,000 terms", or(4000), []filter.Option{filter.MaxLength(1 << 20)}, "at most 1000 comparisons"},
		{"4,000 terms when allowed", or(4000), []filter.Option{filter.MaxLength(1 << 20), filter.MaxTerms(4000)}, ""},
		{"terms in brackets count", "a[b pr and c pr]", []filter.Option{filter.MaxTerms(1)}, "at most 1 comparisons"},
		{"100 KB literal", `a eq "` + strings.Repeat("x", 100_000) + `"`, nil, "at most 65536 bytes"},
		{"100 KB literal when allowed", `a eq "` + strings.Repeat("x", 100_000) + `"`, []filter.Option{filter.MaxLength(1 << 20)}, ""},
		{"zero bounds are the defaults", or(1000), []filter.Option{filter.MaxLength(0), filter.MaxTerms(0), filter.MaxDepth(-1)}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := filter.Parse(tt.text, tt.opts...)
			if tt.expected == "" {
				if err != nil {
					t.Fatal(err)
				}
				if _, err := f.Compile(nil); err != nil {
					t.Error(err)
				}
				return
			}
			var got *filter.Error
			if !errors.As(err, &got) || !strings.Contains(got.Expected, tt.expected) {
				t.Errorf("got %v, want %s", err, tt.expected)
			}
		})
	}
}

func TestMustParse_panics_on_a_mistake(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	filter.MustParse("userName")
}
