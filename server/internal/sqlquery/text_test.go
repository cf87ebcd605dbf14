package sqlquery_test

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	elimity "github.com/elimity-com/scim/schema"

	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server/internal/sqlquery"
)

// attribute returns an attribute of the schema of things.
func attribute(t testing.TB, path string) *schema.Attribute {
	t.Helper()
	a, ok := things().Lookup(path)
	if !ok {
		t.Fatalf("no attribute %s", path)
	}
	return a
}

func TestText(t *testing.T) {
	for _, test := range []struct {
		path  string
		value any
		want  string // - when the value is not of the type
	}{
		{"text", "BJensen", "bjensen"},
		{"text", "\u212aELVIN ſς", "kelvin sΣ"},
		{"text", "", ""},
		{"text", int64(1), "-"},
		{"exact", "BJensen", "BJensen"},
		{"exact", "a\x00b", "a\x01\x02\x02b"},
		{"link", "HTTPS://a", "HTTPS://a"},
		{"bytes", "QUJD", "QUJD"},
		{"flag", true, "t"},
		{"flag", false, "f"},
		{"flag", "true", "-"},
		{"at", "2011-05-13T04:42:34Z", "2011-05-13T04:42:34.000000000Z"},
		{"at", "2011-05-13T06:42:34.5+02:00", "2011-05-13T04:42:34.500000000Z"},
		{"at", "2011-05-13T04:42:34", "2011-05-13T04:42:34.000000000Z"},
		{"at", "9999-12-31T23:59:59-01:00", ":10000-01-01T00:59:59.000000000Z"},
		{"at", "0000-01-01T00:00:00+01:00", "-0001-12-31T23:00:00.000000000Z"},
		{"at", "tomorrow", "-"},
		{"at", time.Date(2011, 5, 13, 4, 42, 34, 0, time.UTC), "2011-05-13T04:42:34.000000000Z"},
		{"whole", int64(0), "1"},
		{"whole", int64(1), "250011"},
		{"whole", int64(1200), "2500412"},
		{"whole", int64(-1200), "0499587~"},
		{"whole", 3, "250013"},
		{"whole", "3", "-"},
		{"real", 1.0, "250011"},
		{"real", 0.1, "250001"},
		{"real", math.Copysign(0, -1), "1"},
		{"real", float64(1 << 60), "250191152921504606846976"},
		{"real", math.NaN(), "-"},
		{"real", nil, "-"},
	} {
		got, ok := sqlquery.Text(attribute(t, test.path), test.value)
		if !ok {
			got = "-"
		}
		if got != test.want {
			t.Errorf("Text(%s, %#v) = %q, want %q", test.path, test.value, got, test.want)
		}
	}
}

// The text of numbers has to order them as filters do: exactly, whatever mixture of integers and floats they are.
func TestNumbersAreOrderedAsText(t *testing.T) {
	m := newMaker(things(), 3)
	real := attribute(t, "real")
	number := func() any {
		switch m.IntN(4) {
		case 0:
			return m.whole()
		case 1:
			return m.real()
		case 2:
			return int64(m.Uint64())
		}
		for {
			if f := math.Float64frombits(m.Uint64()); f-f == 0 { // neither NaN nor infinite
				return f
			}
		}
	}
	for range 200_000 {
		a, b := number(), number()
		if m.IntN(3) == 0 {
			b = near(a, m.IntN(2) == 0)
		}
		textA, _ := sqlquery.Text(real, a)
		textB, _ := sqlquery.Text(real, b)
		if got, want := strings.Compare(textA, textB), exact(a).Cmp(exact(b)); got != want {
			t.Fatalf("%v is %q, %v is %q: ordered %d as text, %d as numbers", a, textA, b, textB, got, want)
		}
	}
}

// near returns the same number in another type, or one beside it.
func near(v any, same bool) any {
	switch v := v.(type) {
	case int64:
		if same {
			return float64(v)
		}
		return v ^ 1
	case float64:
		if same && math.Abs(v) < 1<<63 {
			return int64(v)
		}
		return math.Nextafter(v, 0)
	}
	return v
}

func exact(v any) *big.Float {
	if i, ok := v.(int64); ok {
		return new(big.Float).SetInt64(i)
	}
	return new(big.Float).SetFloat64(v.(float64))
}

func FuzzEscape(f *testing.F) {
	f.Add("a\x00b", "\x00")
	f.Add("\x01\x02", "\x02")
	f.Add("\x01", "\x01\x02")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := sqlquery.Escape(a), sqlquery.Escape(b)
		if strings.ContainsRune(x, 0) {
			t.Errorf("%q keeps its NUL", x)
		}
		for name, relation := range map[string]func(a, b string) bool{
			"is equal to": func(a, b string) bool { return a == b },
			"contains":    strings.Contains,
			"starts with": strings.HasPrefix,
			"ends with":   strings.HasSuffix,
			"is before":   func(a, b string) bool { return a < b },
		} {
			if got, want := relation(x, y), relation(a, b); got != want {
				t.Errorf("%q %s %q: %v, escaped: %v", a, name, b, want, got)
			}
		}
	})
}

func TestEntries(t *testing.T) {
	long := strings.Repeat("é", 300)
	doc := map[string]any{
		"text": "Anna", "words": []any{"b", "B", "a"},
		"many": []any{map[string]any{"value": "X"}, map[string]any{"exact": "X"}, map[string]any{"value": "x"}},
		extension: map[string]any{
			"text":    strings.Repeat("x", 497) + "\x00\x00",
			"several": []any{map[string]any{"value": long}},
		},
	}
	got := sqlquery.Entries(things(), doc, "text", "words", "many.value", extension+":text", extension+":several.value", "one", "nothing", "whole")
	want := []sqlquery.Entry{
		{"text", "anna"},
		{"words", "b"},
		{"words", "a"},
		{"many.value", "x"},
		{extension + ":text", strings.Repeat("x", 497) + "\x01\x02\x02\x01"},
		{extension + ":several.value", strings.Repeat("É", 250) + "\x01"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestEntriesOfManyValues(t *testing.T) {
	words := func(n int) map[string]any {
		var list []any
		for i := range n {
			list = append(list, fmt.Sprint("w", i), fmt.Sprint("W", i))
		}
		return map[string]any{"text": "first", "words": list}
	}
	for _, n := range []int{1, 31, 32, 33, 500} {
		want := []sqlquery.Entry{{"text", "first"}}
		for i := range n {
			want = append(want, sqlquery.Entry{"words", fmt.Sprint("w", i)})
		}
		if got := sqlquery.Entries(things(), words(n), "text", "words"); !slices.Equal(got, want) {
			t.Errorf("%d words: got %q\nwant %q", n, got, want)
		}
	}
	took := func(n int) time.Duration {
		least, doc := time.Hour, words(n)
		for range 3 {
			start := time.Now()
			sqlquery.Entries(things(), doc, "words")
			least = min(least, time.Since(start))
		}
		return least
	}
	few, many := took(2_000), took(16_000)
	if many > 40*few { // 64 times, if it grew with the square
		t.Errorf("2,000 words took %v, 16,000 took %v", few, many)
	}
}

// A value of an attribute that filters may not ask for must not be anywhere.
func TestSecretsAreNotKept(t *testing.T) {
	core := elimity.Schema{ID: "urn:example:Account", Attributes: []elimity.CoreAttribute{
		elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{
			Name: "password", Mutability: elimity.AttributeMutabilityWriteOnly(), Returned: elimity.AttributeReturnedNever(),
		})),
		elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "key", SubAttributes: []elimity.SimpleParams{
			elimity.SimpleStringParams(elimity.StringParams{Name: "secret", Returned: elimity.AttributeReturnedNever()}),
			elimity.SimpleStringParams(elimity.StringParams{Name: "name"}),
		}}),
	}}
	s, err := schema.Compile(core)
	if err != nil {
		t.Fatal(err)
	}
	doc := map[string]any{"password": "hunter2", "key": map[string]any{"secret": "hunter2"}}
	projection, err := sqlquery.Project(s, doc)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(projection), `{"key":{}}`; got != want {
		t.Errorf("projection %s, want %s", got, want)
	}
	if entries := sqlquery.Entries(s, doc, "password", "key.secret"); len(entries) > 0 {
		t.Errorf("entries %q, want none", entries)
	}
	table := sqlquery.Table{Dialect: sqlquery.SQLite, Key: "r.seq", Search: "r.search"}
	for _, f := range []filter.Filter{filter.Eq("password", "x"), filter.Pr("key.secret"), filter.Has("key", filter.Pr("secret"))} {
		c := table.Where(s, f, func(any) string { t.Errorf("%s has an argument", f); return "" })
		if c.SQL != "TRUE" || c.Exact {
			t.Errorf("%s became %+v", f, c)
		}
	}
}

func TestProject(t *testing.T) {
	doc, err := things().Canonical(map[string]any{
		"id": "7", "text": "Anna", "exact": "Anna", "flag": true, "whole": 5, "at": "2011-05-13T06:42:34+02:00", "unheardOf": "x",
		"words": []any{"Z", "a"},
		"one":   map[string]any{"text": "", "unheardOf": ""},
		"many": []any{
			map[string]any{"value": "A"}, map[string]any{"value": "B", "primary": true}, map[string]any{"text": ""}, map[string]any{"unheardOf": "x"},
		},
		extension: map[string]any{"text": "N\x00", "single": map[string]any{"unheardOf": "x"}},
	}, schema.Options{Mode: schema.ModeAny, Unknown: schema.UnknownKeep})
	if err != nil {
		t.Fatal(err)
	}
	projection, err := sqlquery.Project(things(), doc)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"7","text":"anna","exact":"Anna","flag":"t","whole":"250015","at":"2011-05-13T04:42:34.000000000Z","words":["z","a"],` +
		`"one":{"text":"","~":""},` +
		`"many":[{"value":"b","primary":"t"},{"value":"a"},{"text":"","~":""},{}],` +
		`"urn:example:a.b%20c$d:2.0:Thing":{"text":"n\u0001\u0002\u0002","single":{}}}`
	if got := string(projection); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What a canonical document does not have is there, and equal to nothing.
func TestProjectOfOtherTypes(t *testing.T) {
	doc := map[string]any{
		"text": int64(5), "at": "tomorrow", "words": "one", "one": "plain", "many": []any{nil, "plain", map[string]any{}, map[string]any{"text": nil}},
		"exact": nil, "numbers": []any{}, "flag": []any{true},
	}
	projection, err := sqlquery.Project(things(), doc)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"text":null,"flag":null,"at":null,"words":["one"],"one":{"value":"plain"},` +
		`"many":[{"value":"plain"},{"~":"nothing"},{"~":"nothing"}]}`
	if got := string(projection); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, err := sqlquery.Project(things(), map[string]any{"exact": "\xff"}); err == nil {
		t.Error("text that is not UTF-8 was projected")
	}
}
