package filter_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
)

func TestMatch(t *testing.T) {
	tests := []struct {
		name, text string
		want       bool
	}{
		// Examples of RFC 7644 section 3.4.2.2, against the user of RFC 7643.
		{"RFC eq", `userName eq "bjensen@example.com"`, true},
		{"RFC eq of another", `userName eq "bjensen"`, false},
		{"RFC co", `name.familyName co "O'Malley"`, false},
		{"RFC co of part", `name.familyName co "ens"`, true},
		{"RFC sw in another case", `userName sw "BJ"`, true},
		{"RFC sw qualified", `urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"`, false},
		{"RFC pr", `title pr`, true},
		{"RFC gt itself", `meta.lastModified gt "2011-05-13T04:42:34Z"`, false},
		{"RFC ge itself", `meta.lastModified ge "2011-05-13T04:42:34Z"`, true},
		{"RFC lt later", `meta.lastModified lt "2011-05-13T04:42:35Z"`, true},
		{"RFC le earlier", `meta.lastModified le "2011-05-13T04:42:33Z"`, false},
		{"RFC and", `title pr and userType eq "Employee"`, true},
		{"RFC or", `title pr or userType eq "Intern"`, true},
		{"RFC schemas", `schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`, true},
		{"RFC emails without sub-attribute", `userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`, true},
		{"RFC not", `userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`, false},
		{"RFC emails.type", `userType eq "Employee" and (emails.type eq "work")`, true},
		{"RFC value path", `userType eq "Employee" and emails[type eq "work" and value co "@example.com"]`, true},
		{"RFC two value paths", `emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`, true},
		{"emails co of no address", `emails co "example.org"`, false},

		// Multi-valued attributes.
		{"any value", `emails.value eq "babs@jensen.org"`, true},
		{"values of different elements", `emails.type eq "work" and emails.value eq "babs@jensen.org"`, true},
		{"one element has to match", `emails[type eq "work" and value eq "babs@jensen.org"]`, false},
		{"value after brackets", `emails[type eq "home"].value eq "babs@jensen.org"`, true},
		{"value after brackets of another element", `emails[type eq "work"].value eq "babs@jensen.org"`, false},
		{"ne after brackets", `emails[type eq "work"].value ne "babs@jensen.org"`, true},
		{"nothing selected, ne after brackets", `emails[type eq "other"].value ne "x"`, true},
		{"nothing selected, pr after brackets", `emails[type eq "other"].value pr`, false},
		{"nothing selected, eq null after brackets", `emails[type eq "other"].value eq null`, true},
		{"absent in an element", `emails[primary eq null]`, true},
		{"parentheses in brackets", `emails[(type eq "home" or type eq "work") and not (value co "example")]`, true},
		{"simple values", `tags eq "red"`, true},
		{"simple values as value", `tags[value eq "BLUE"]`, true},
		{"simple references as value", `schemas[value sw "urn:ietf"]`, true},
		{"numbers", `numbers gt 4`, true},
		{"no number", `numbers gt 5`, false},
		{"empty array", `addresses[type pr]`, false},
		{"empty array in not", `not (addresses[type pr])`, true},

		// ne, and attributes without a value.
		{"ne", `userType ne "Intern"`, true},
		{"ne itself in another case", `userType ne "EMPLOYEE"`, false},
		{"ne absent", `displayName ne "x"`, true},
		{"eq absent", `displayName eq "x"`, false},
		{"gt absent", `displayName gt ""`, false},
		{"not eq absent", `not (displayName eq "x")`, true},
		{"ne is about all values", `emails.value ne "babs@jensen.org"`, false},
		{"ne of no value", `emails.value ne "x"`, true},
		{"ne of some element", `emails[value ne "babs@jensen.org"]`, true},
		{"eq null absent", `displayName eq null`, true},
		{"eq null present", `title eq null`, false},
		{"ne null absent", `displayName ne null`, false},
		{"ne null present", `title ne null`, true},
		{"eq null of an empty array", `addresses eq null`, true},
		{"eq null of an empty string", `nickName eq null`, false},
		{"eq null of a complex attribute", `name eq null`, false},
		{"pr absent", `displayName pr`, false},
		{"pr of an empty string", `nickName pr`, false},
		{"eq empty string", `nickName eq ""`, true},
		{"pr of an empty array", `addresses pr`, false},
		{"pr of false is true", `emails.primary pr`, true},
		{"pr of complex", `name pr`, true},
		{"pr of multi-valued complex", `emails pr`, true},

		// Case.
		{"caseExact differs", `id eq "2819C223-7F76-453A-919D-413861904646"`, false},
		{"caseExact sw", `meta.version sw "w/"`, false},
		{"caseExact ew", `meta.version ew "\""`, true},
		{"caseExact co", `id co "453a"`, true},
		{"caseExact co differs", `id co "453A"`, false},
		{"reference is caseExact", `groups.$ref co "/groups/"`, false},
		{"reference", `groups.$ref ew "/Groups/e9e30dba"`, true},
		{"co in another case", `title co "R GUI"`, true},
		{"ew in another case", `title ew "GUIDE"`, true},
		{"sw whole", `title sw "tour guide"`, true},
		{"sw longer", `title sw "tour guides"`, false},
		{"ew longer", `title ew "a tour guide"`, false},
		{"co empty", `title co ""`, true},
		{"co empty absent", `displayName co ""`, false},
		{"order of strings", `title gt "TOUR" and title lt "tourist"`, true},
		{"name in any case", `USERNAME eq "bjensen@example.com" and Name.FAMILYNAME eq "jensen"`, true},

		// Types.
		{"boolean", `active eq true`, true},
		{"boolean ne", `active ne true`, false},
		{"boolean ne absent", `not (active ne true)`, true},
		{"integer", `logins eq 7 and logins ge 7 and logins lt 8`, true},
		{"integer and decimal are one", `logins eq 7.0`, true},
		{"decimal", `score gt 2.4 and score le 2.5`, true},
		{"decimal with integer", `score gt 2 and score lt 3`, true},
		{"instant with offset", `meta.created eq "2010-01-23T05:56:22+01:00"`, true},
		{"instant with fraction", `meta.created eq "2010-01-23T04:56:22.000Z"`, true},
		{"instant without offset", `meta.created eq "2010-01-23T04:56:22"`, true},
		{"instant later by text only", `meta.created lt "2010-01-23T04:00:00-01:00"`, true},

		// Extensions.
		{"extension", enterpriseURN + `:employeeNumber eq "701984"`, true},
		{"extension in any case", strings.ToUpper(enterpriseURN) + `:EMPLOYEENUMBER eq "701984"`, true},
		{"extension and core", enterpriseURN + `:department co "tour" and userName pr`, true},
		{"extension sub-attribute", enterpriseURN + `:manager.value eq "26118915"`, true},
		{"extension complex means value", enterpriseURN + `:manager eq "26118915"`, true},
		{"extension other", enterpriseURN + `:manager eq "1"`, false},

		// Escapes.
		{"escape", `meta.version eq "W\/\"3694e05e9dff591\""`, true},
		{"unicode escape", `title eq "\u0054our Guide"`, true},

		// Precedence.
		{"and before or", `title pr or title pr and displayName pr`, true},
		{"parentheses before and", `(title pr or title pr) and displayName pr`, false},
		{"not before and", `not (displayName pr) and title pr`, true},
	}
	for _, tt := range tests {
		for mode, ts := range map[string]filter.Types{"typed": userTypes, "untyped": nil} {
			t.Run(mode+"/"+tt.name, func(t *testing.T) {
				p, err := filter.MustParse(tt.text).Compile(ts)
				if err != nil {
					t.Fatal(err)
				}
				if got := p.Match(babs()); got != tt.want {
					t.Errorf("%s is %v", tt.text, got)
				}
			})
		}
	}
}

func TestMatch_zero_filter_matches_everything(t *testing.T) {
	p, err := filter.Filter{}.Compile(userTypes)
	if err != nil || !p.Match(nil) || !p.Match(babs()) {
		t.Errorf("%v, %v", p, err)
	}
	if !new(filter.Predicate).Match(nil) || !new(filter.ElementPredicate).Match(nil) {
		t.Error("a zero predicate does not match")
	}
}

func TestMatch_documents_of_other_shapes(t *testing.T) {
	tests := []struct {
		name, text string
		doc        map[string]any
		want       bool
	}{
		{"nil document", `title pr`, nil, false},
		{"nil document ne", `title ne "x"`, nil, true},
		{"null", `title pr`, map[string]any{"title": nil}, false},
		{"null eq null", `title eq null`, map[string]any{"title": nil}, true},
		{"array of null", `emails pr`, map[string]any{"emails": []any{nil}}, false},
		{"array of null in a value path", `emails[type ne "x"]`, map[string]any{"emails": []any{nil}}, false},
		{"array of empty objects", `emails pr`, map[string]any{"emails": []any{map[string]any{"value": nil, "type": ""}}}, false},
		{"empty complex", `name pr`, map[string]any{"name": map[string]any{}}, false},
		{"empty complex eq null", `name eq null`, map[string]any{"name": map[string]any{}}, true},
		{"array of objects of a narrow type", `emails.value eq "a"`, map[string]any{"emails": []map[string]any{{"value": "a"}}}, true},
		{"array of objects of a narrow type in a value path", `emails[value eq "a"]`, map[string]any{"emails": []map[string]any{{"value": "a"}}}, true},
		{"array of objects of a narrow type pr", `emails pr`, map[string]any{"emails": []map[string]any{{"value": "a"}}}, true},
		{"array of strings of a narrow type", `tags eq "a"`, map[string]any{"tags": []string{"b", "A"}}, true},
		{"object for a multi-valued attribute", `emails.value eq "a"`, map[string]any{"emails": map[string]any{"value": "a"}}, true},
		{"object for a multi-valued attribute in a value path", `emails[value eq "a"]`, map[string]any{"emails": map[string]any{"value": "a"}}, true},
		{"string for a complex attribute is its value", `emails eq "a"`, map[string]any{"emails": []any{"a"}}, true},
		{"string for a complex attribute is its value by name", `emails.value eq "a"`, map[string]any{"emails": []any{"a"}}, true},
		{"string for a complex attribute is no other", `emails.type eq "a"`, map[string]any{"emails": []any{"a"}}, false},
		{"string for a complex attribute has no other", `emails.type pr`, map[string]any{"emails": []any{"a"}}, false},
		{"string for an extension", enterpriseURN + `:department pr`, map[string]any{enterpriseURN: "x"}, false},
		{"int", `logins eq 1`, map[string]any{"logins": 1}, true},
		{"uint8", `logins eq 1`, map[string]any{"logins": uint8(1)}, true},
		{"float32", `logins eq 1`, map[string]any{"logins": float32(1)}, true},
		{"string for an integer", `logins eq 1`, map[string]any{"logins": "1"}, false},
		{"string for a boolean", `active eq true`, map[string]any{"active": "true"}, false},
		{"number for a string", `title eq "1"`, map[string]any{"title": 1}, false},
		{"text that is no dateTime", `meta.created gt "2010-01-23T04:56:22Z"`, map[string]any{"meta": map[string]any{"created": "yesterday"}}, false},
		{"text that is almost a dateTime", `meta.created gt "2010-01-23T04:56:22Z"`, map[string]any{"meta": map[string]any{"created": "2010-13-23T04:56:22Z"}}, false},
		{"time.Time", `meta.created gt "2010-01-23T04:56:22Z"`, map[string]any{"meta": map[string]any{"created": time.Now()}}, true},
		{"another Go type is present", `title pr`, map[string]any{"title": struct{}{}}, true},
		{"another Go type equals nothing", `title eq "x"`, map[string]any{"title": struct{}{}}, false},
	}
	for _, tt := range tests {
		for mode, ts := range map[string]filter.Types{"typed": userTypes, "untyped": nil} {
			t.Run(mode+"/"+tt.name, func(t *testing.T) {
				p, err := filter.MustParse(tt.text).Compile(ts)
				if err != nil {
					t.Fatal(err)
				}
				if got := p.Match(tt.doc); got != tt.want {
					t.Errorf("%s is %v of %v", tt.text, got, tt.doc)
				}
			})
		}
	}
}

func TestMatch_without_types(t *testing.T) {
	tests := []struct {
		name, text string
		doc        map[string]any
		want       bool
	}{
		{"document names in any case", `emails[Type eq "work"]`, map[string]any{"EMAILS": []any{map[string]any{"type": "WORK"}}}, true},
		{"exact name wins", `title eq "a"`, map[string]any{"Title": "b", "title": "a", "TITLE": "c"}, true},
		{"first in order wins among others", `title eq "a"`, map[string]any{"Title": "b", "TITLE": "a", "tITLE": "c"}, true},
		{"caseExact common attribute", `ID eq "A"`, map[string]any{"id": "a"}, false},
		{"caseExact with core URN", userURN + `:id eq "A"`, map[string]any{"id": "a"}, false},
		{"id inside an element is not common", `members[id eq "A"]`, map[string]any{"members": []any{map[string]any{"id": "a"}}}, true},
		{"caseExact reference", `members.$ref eq "A"`, map[string]any{"members": []any{map[string]any{"$ref": "a"}}}, false},
		{"caseExact reference in brackets", `members[$ref eq "A"]`, map[string]any{"members": []any{map[string]any{"$ref": "a"}}}, false},
		{"unknown URN", `urn:example:x:dept eq "a"`, map[string]any{"urn:example:X": map[string]any{"Dept": "A"}}, true},
		{"dateTimes", `at eq "2010-01-23T05:56:22+01:00"`, map[string]any{"at": "2010-01-23T04:56:22Z"}, true},
		{"dateTime with text", `at gt "2010-01-23T05:56:22+01:00"`, map[string]any{"at": "yesterday"}, true},
		{"dateTimes as text for sw", `at sw "2010-01-23t"`, map[string]any{"at": "2010-01-23T04:56:22Z"}, true},
		{"large integers exactly", `n eq 9007199254740993`, map[string]any{"n": int64(9007199254740992)}, false},
		{"large integer and decimal", `n gt 9007199254740992`, map[string]any{"n": 9007199254740994.0}, true},
		{"integer and larger decimal", `n lt 1e19`, map[string]any{"n": int64(1)}, true},
		{"integer and smaller decimal", `n gt -1e19`, map[string]any{"n": int64(1)}, true},
		{"integer and fraction", `n lt 1.5`, map[string]any{"n": int64(1)}, true},
		{"largest integer and decimal", `n lt 9223372036854775808`, map[string]any{"n": int64(math.MaxInt64)}, true},
		{"smallest integer and decimal", `n lt -9223372036854775809`, map[string]any{"n": int64(math.MinInt64)}, false},
		{"not a number", `n ge 1.5`, map[string]any{"n": math.NaN()}, false},
		{"not a number against an integer", `n le 1`, map[string]any{"n": math.NaN()}, false},
		{"nil pointer", `n ge 1`, map[string]any{"n": (*int)(nil)}, false},
		{"object", `n[value ge 1]`, map[string]any{"n": struct{}{}}, false},
		{"time.Time", `n ge "2010-01-23T04:56:22Z"`, map[string]any{"n": time.Now()}, true},
		{"time.Time and text", `n ge "yesterday"`, map[string]any{"n": time.Now()}, false},
		{"dateTimes not equal", `n ne "2010-01-23T04:56:22Z"`, map[string]any{"n": "2010-01-23T04:56:23Z"}, true},
		{"decimals", `n lt 1.5`, map[string]any{"n": 1.25}, true},
		{"string and number", `n eq 1`, map[string]any{"n": "1"}, false},
		{"number and string", `n eq "1"`, map[string]any{"n": int64(1)}, false},
		{"boolean and string", `n eq true`, map[string]any{"n": "true"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := filter.MustParse(tt.text).Compile(nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match(tt.doc); got != tt.want {
				t.Errorf("%s is %v of %v", tt.text, got, tt.doc)
			}
		})
	}
}

func TestMatch_folds_case_as_Unicode_does(t *testing.T) {
	tests := []struct {
		name, text, value string
		want              bool
	}{
		{"accented letter", `title eq "ZOË"`, "zoë", true},
		{"Greek sigma at the end", `title eq "ΣΊΣΥΦΟΣ"`, "σίσυφος", true},
		{"Kelvin sign is a k", `title eq "k"`, "\u212a", true},
		{"k is a Kelvin sign", `title eq "\u212a"`, "K", true},
		{"long s in the middle", `title co "MISSI"`, "miſſissippi", true},
		{"sw over runes of different lengths", `title sw "kk"`, "\u212a\u212ax", true},
		{"ew over runes of different lengths", `title ew "\u212a\u212a"`, "xkK", true},
		{"dotted capital I is no i", `title eq "i"`, "İ", false},
		{"sharp s is not ss", `title eq "ss"`, "ß", false},
		{"Cyrillic contains", `title co "ВАН"`, "Иванов", true},
		{"order beyond ASCII", `title gt "z"`, "É", true},
		{"ew in the middle of a rune", `title ew "\u00a9"`, "é", false},
		{"co needs more than it has", `title co "aab"`, "aaaaa", false},
		{"co falls back", `title co "AABAAC"`, "aabaabaac", true},
		{"co falls back beyond ASCII", `title co "ÉÉA"`, "ééééa", true},
		{"ew shorter value", `title ew "abc"`, "bc", false},
		{"value that is not UTF-8", `title co "a"`, "\xff\xffA", true},
		{"ew of a value that is not UTF-8", `title ew "a"`, "\xffA", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := filter.MustParse(tt.text).Compile(userTypes)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match(map[string]any{"title": tt.value}); got != tt.want {
				t.Errorf("%s is %v of %q", tt.text, got, tt.value)
			}
		})
	}
}

func TestMatch_changes_nothing(t *testing.T) {
	doc := babs()
	p, err := filter.MustParse(`EMAILS[type eq "x"] or displayName ne null or title co "nothing"`).Compile(nil)
	if err != nil || p.Match(doc) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(babs(), doc); diff != "" {
		t.Errorf("the document has changed, -want +got\n%s", diff)
	}
}

func TestCompile_refuses(t *testing.T) {
	tests := []struct{ name, text, attribute, found, expected string }{
		{"unknown attribute", `bogus eq "x"`, "bogus", "found no such attribute", ""},
		{"unknown attribute pr", `bogus pr`, "bogus", "found no such attribute", ""},
		{"unknown attribute eq null", `bogus eq null`, "bogus", "found no such attribute", ""},
		{"unknown sub-attribute", `emails.bogus eq "x"`, "emails.bogus", "found no such attribute", ""},
		{"unknown URN", `urn:example:x:userName pr`, "urn:example:x:userName", "found no such attribute", ""},
		{"core attribute under extension", enterpriseURN + `:userName pr`, enterpriseURN + ":userName", "found no such attribute", ""},
		{"unknown attribute of a value path", `bogus[nosuch eq "x"]`, "bogus", "found no such attribute", ""},
		{"unknown sub-attribute in a value path", `emails[nosuch eq "x"]`, "emails.nosuch", "found no such attribute", ""},
		{"sub-attribute of a simple attribute", `tags[type eq "x"]`, "tags.type", "found no such attribute", ""},
		{"deep in the expression", `title pr or not (title pr and (emails[not (bogus pr)]))`, "emails.bogus", "found no such attribute", ""},
		{"gt on boolean", `active gt true`, "active", "found gt on type boolean", "eq, ne or pr"},
		{"co on boolean", `active co "t"`, "active", "found co on type boolean", "eq, ne or pr"},
		{"ge on binary", `x509Certificates.value ge "YQ=="`, "x509Certificates.value", "found ge on type binary", "eq, ne or pr"},
		{"sw on binary", `x509Certificates sw "YQ=="`, "x509Certificates", "found sw on type binary", "eq, ne or pr"},
		{"co on integer", `logins co "1"`, "logins", "found co on type integer", "eq, ne, gt, ge, lt, le or pr"},
		{"sw on decimal", `score sw 1`, "score", "found sw on type decimal", "eq, ne, gt, ge, lt, le or pr"},
		{"sw on dateTime", `meta.created sw "2010"`, "meta.created", "found sw on type dateTime", "eq, ne, gt, ge, lt, le or pr"},
		{"gt null", `title gt null`, "title", "found gt null", "eq or ne with null"},
		{"co null", `title co null`, "title", "found co null", "eq or ne with null"},
		{"number for a string", `title eq 1`, "title", "found an integer", "a string"},
		{"boolean for a string", `title ne true`, "title", "found a boolean", "a string"},
		{"number for a reference", `schemas eq 1`, "schemas", "found an integer", "a string"},
		{"string for a boolean", `active eq "true"`, "active", "found a string", "true or false"},
		{"string for an integer", `logins eq "1"`, "logins", "found a string", "a number of type integer"},
		{"decimal for an integer", `logins eq 1.5`, "logins", "found a decimal number", "a number of type integer"},
		{"string for a decimal", `score ne "1"`, "score", "found a string", "a number of type decimal"},
		{"text for a dateTime", `meta.created eq "yesterday"`, "meta.created", "found a string", "a string with a dateTime such as 2011-05-13T04:42:34Z"},
		{"date for a dateTime", `meta.created eq "2010-01-23"`, "meta.created", "found a string", "a string with a dateTime such as 2011-05-13T04:42:34Z"},
		{"number for binary", `x509Certificates eq 1`, "x509Certificates", "found an integer", "a string"},
		{"complex without value", `name eq "x"`, "name", "found a comparison of a complex attribute", "one of its sub-attributes"},
		{"in a value path", `emails[primary gt true]`, "emails.primary", "found gt on type boolean", "eq, ne or pr"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := filter.MustParse(tt.text).Compile(userTypes)
			if p != nil {
				t.Error("returned a predicate")
			}
			var got *filter.Error
			if !errors.As(err, &got) {
				t.Fatalf("got %v", err)
			}
			want := filter.Error{Type: scim.InvalidFilter, Offset: -1, Attribute: tt.attribute, Found: tt.found, Expected: tt.expected}
			if *got != want {
				t.Errorf("\n got %#v\nwant %#v", *got, want)
			}
			if err := filter.MustParse(tt.text).Check(userTypes); err == nil || err.Error() != got.Error() {
				t.Errorf("Check returns %v", err)
			}
			var root *scim.Error
			if !errors.As(err, &root) || root.Attribute != tt.attribute || root.Status != 400 {
				t.Errorf("becomes %#v", root)
			}
		})
	}
}

// RFC 7643 has no complex attributes inside others; a schema may.
func TestCompile_refuses_a_complex_sub_attribute(t *testing.T) {
	ts := newTypes("deep complex\ndeep.inner complex")
	for _, text := range []string{`deep.inner eq "x"`, `deep[inner eq "x"]`} {
		err := filter.MustParse(text).Check(ts)
		if want := "filter: invalid filter: deep.inner: found a comparison of a complex attribute, expected one of its sub-attributes"; err == nil || err.Error() != want {
			t.Errorf("%s: got %v", text, err)
		}
	}
	if err := filter.MustParse(`deep.inner pr and deep[inner eq null]`).Check(ts); err != nil {
		t.Error(err)
	}
}

func TestCompile_error_cuts_a_long_name(t *testing.T) {
	err := filter.MustParse(strings.Repeat("a", 10_000) + " pr").Check(userTypes)
	var got *filter.Error
	if !errors.As(err, &got) || got.Attribute != strings.Repeat("a", 200)+"…" || len(err.Error()) > 300 {
		t.Errorf("got %v", err)
	}
}

func TestCompile_without_types_refuses(t *testing.T) {
	for text, found := range map[string]string{
		`a co 1`:     "found co with an integer",
		`a sw true`:  "found sw with a boolean",
		`a gt true`:  "found gt with a boolean",
		`a le false`: "found le with a boolean",
		`a gt null`:  "found gt null",
		`a ew null`:  "found ew null",
	} {
		var got *filter.Error
		if err := filter.MustParse(text).Check(nil); !errors.As(err, &got) || got.Found != found {
			t.Errorf("%s: got %v, want %s", text, err, found)
		}
	}
}

func TestCompile_unknown_as_absent(t *testing.T) {
	for text, want := range map[string]bool{
		`bogus eq "x"`:                   false,
		`bogus pr`:                       false,
		`bogus ne "x"`:                   true,
		`bogus eq null`:                  true,
		`bogus ne null`:                  false,
		`bogus gt 1`:                     false,
		`bogus[type eq "x"]`:             false,
		`emails[bogus pr]`:               false,
		`emails[bogus ne "x"]`:           true,
		`title pr and not (members pr)`:  true,
		`members eq "1" or title sw "T"`: true,
	} {
		p, err := filter.MustParse(text).Compile(userTypes, filter.UnknownAsAbsent())
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(babs()); got != want {
			t.Errorf("%s is %v", text, got)
		}
	}
	if err := filter.MustParse(`active gt true`).Check(userTypes, filter.UnknownAsAbsent()); err == nil {
		t.Error("an operator that is not for its type is accepted")
	}
}

func TestQuotedBooleans(t *testing.T) {
	tests := []struct {
		text string
		want bool
	}{
		{`active eq "True"`, true},
		{`active eq "false"`, false},
		{`active ne "FALSE"`, true},
		{`emails[primary eq "true"].value eq "bjensen@example.com"`, true},
		{`title eq "true"`, false},
	}
	for _, tt := range tests {
		for mode, ts := range map[string]filter.Types{"typed": userTypes, "untyped": nil} {
			f, err := filter.Parse(tt.text, filter.QuotedBooleans())
			if err != nil {
				t.Fatal(err)
			}
			// The switch has to survive being combined with other filters.
			p, err := filter.Pr("id").And(f.Not().Not()).Compile(ts)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match(babs()); got != tt.want {
				t.Errorf("%s: %s is %v", mode, tt.text, got)
			}
		}
	}
	f, err := filter.Parse(`active eq "yes"`, filter.QuotedBooleans())
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Check(userTypes); err == nil {
		t.Error(`"yes" is taken for a boolean`)
	}
	if f, err = filter.Parse(`title eq "true"`, filter.QuotedBooleans()); err != nil {
		t.Fatal(err)
	}
	if p, err := f.Compile(userTypes); err != nil || !p.Match(map[string]any{"title": "TRUE"}) {
		t.Errorf("a string attribute is not equal to the string any more: %v", err)
	}
}

func TestMatch_is_safe_for_concurrent_use(t *testing.T) {
	p, err := filter.MustParse(`title co "GUIDE" and emails[type eq "work"] and meta.created gt "2009-01-23T04:56:22Z"`).Compile(userTypes)
	if err != nil {
		t.Fatal(err)
	}
	doc := babs()
	done := make(chan bool)
	for range 4 {
		go func() {
			ok := true
			for range 100 {
				ok = ok && p.Match(doc)
			}
			done <- ok
		}()
	}
	for range 4 {
		if !<-done {
			t.Error("did not match")
		}
	}
}
