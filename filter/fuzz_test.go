package filter_test

import (
	"errors"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
)

// filterSeeds are what the fuzzing of filters starts from; testdata/fuzz has more.
var filterSeeds = []string{
	`userName eq "bjensen"`,
	`userName Eq 'x' and not (title pr) or emails[type eq "work" and value co "@example.com"]`,
	`emails[not (type eq "work")].value ne "a" or emails[type pr].value eq null`,
	enterpriseURN + `:manager.value ge "2" and meta.created le "2010-01-23T04:56:22Z"`,
	`a eq -1.5e+3 or b ne null or c sw "\"\\\u00e9\ud83d\ude00" and (d lt true)`,
	`active eq "true" or active ne bare`,
	`((((((((a pr))))))))`,
	`not[not pr] and and eq 1 or or pr`,
}

// printable takes what is printed of a text, which may be longer, because an escape or a number can be,
// and deeper, because of what follows the brackets of a value path.
func printable(text string) []filter.Option {
	return []filter.Option{filter.MaxLength(10*len(text) + 100), filter.MaxDepth(filter.DefaultMaxDepth + 2)}
}

// everyOption reads all that can be read.
func everyOption() []filter.Option {
	return []filter.Option{filter.SingleQuotes(), filter.UnquotedStrings(), filter.QuotedBooleans()}
}

func FuzzParse(f *testing.F) {
	for _, s := range filterSeeds {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, text string, tolerant bool) {
		var opts []filter.Option
		if tolerant {
			opts = everyOption()
		}
		got, err := filter.Parse(text, opts...)
		if err != nil {
			checkParseError(t, text, err)
			return
		}
		again, err := filter.Parse(got.String(), printable(text)...)
		if err != nil {
			t.Fatalf("%q prints as %q: %v", text, got, err)
		}
		if !again.Equal(got) || again.String() != got.String() {
			t.Fatalf("%q prints as %q, which is %q", text, got, again)
		}
		for _, a := range got.Attributes() {
			if b, err := filter.ParseAttr(a.String()); err != nil || b != a {
				t.Fatalf("attribute %#v is read as %#v, %v", a, b, err)
			}
		}
		if err := got.Check(userTypes); err != nil && !errors.Is(err, scim.ErrInvalidFilter) {
			t.Fatalf("%q: %v", text, err)
		}
	})
}

func FuzzParsePath(f *testing.F) {
	for _, s := range []string{
		`members`, `name.familyName`, `addresses[type eq "work"].streetAddress`, enterpriseURN, enterpriseURN + `:manager`,
		`urn:example:2.0`, `https://example.com/x`, `emails[not (type eq 'x' or primary eq "True")]`, `tags[value eq x]`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := filter.ParsePath(text, everyOption()...)
		if err != nil {
			checkParseError(t, text, err)
			return
		}
		again, err := filter.ParsePath(got.String(), printable(text)...)
		if err != nil || !again.Equal(got) || again.String() != got.String() {
			t.Fatalf("%q prints as %q, which is %q, %v", text, got, again, err)
		}
		if err := got.Check(userTypes); err != nil && !errors.Is(err, scim.ErrInvalidPath) && !errors.Is(err, scim.ErrInvalidFilter) {
			t.Fatalf("%q: %v", text, err)
		}
		if p, err := got.Compile(nil); err == nil {
			p.Match("x")
			p.Match(map[string]any{"type": "x"})
		}
	})
}

func checkParseError(t *testing.T, text string, err error) {
	t.Helper()
	var got *filter.Error
	if !errors.As(err, &got) || got.Offset < 0 || got.Offset > len(text) || len(err.Error()) > 500 {
		t.Fatalf("%q: %v", text, err)
	}
}

func FuzzCompileMatch(f *testing.F) {
	for i, doc := range []string{
		`{"userName":"bjensen","title":"","emails":[{"value":"a@example.com","type":"work"},null,"x"],"active":true}`,
		`{"emails":{"value":{"value":[1,2.5,"x"]}},"name":{"familyName":"Jensen"},"tags":["a",["b"]]}`,
		`{"meta":{"created":"2010-01-23T04:56:22Z"},"` + enterpriseURN + `":{"manager":{"value":"26118915"}},"USERNAME":"x","logins":9007199254740993}`,
	} {
		for j, text := range filterSeeds {
			f.Add(text, doc, (i+j)%2 == 0)
		}
	}
	f.Fuzz(func(t *testing.T, text, doc string, typed bool) {
		expr, err := filter.Parse(text, everyOption()...)
		if err != nil {
			return
		}
		object, err := scim.DecodeDocument([]byte(doc))
		if err != nil {
			return
		}
		var types filter.Types
		if typed {
			types = userTypes
		}
		p, err := expr.Compile(types, filter.UnknownAsAbsent())
		if err != nil {
			if !errors.Is(err, scim.ErrInvalidFilter) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		got := p.Match(object)
		negation, err := expr.Not().Compile(types, filter.UnknownAsAbsent())
		if err != nil {
			t.Fatalf("%q compiles and its negation does not: %v", text, err)
		}
		if negation.Match(object) == got {
			t.Fatalf("%q and its negation are both %v of %s", text, got, doc)
		}
		again, err := filter.MustParse(expr.String(), append(printable(text), filter.QuotedBooleans())...).Compile(types, filter.UnknownAsAbsent())
		if err != nil || again.Match(object) != got {
			t.Fatalf("%q and what it prints as, %q, differ of %s: %v", text, expr, doc, err)
		}
	})
}
