package sqlquery_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server/internal/sqlquery"
)

// samples are documents for the table of TestWhere.
func samples(t testing.TB) []scim.Document {
	t.Helper()
	list := []scim.Document{
		{
			"text": "Anna", "exact": "Anna", "flag": true, "whole": 9007199254740993, "real": 1.5, "at": "2011-05-13T06:42:34+02:00", "bytes": "QUJD", "link": "https://example.com/A",
			"words": []any{"Red", "green"}, "numbers": []any{1.0, 2.5},
			"one":     map[string]any{"text": "Inner", "value": "One", "hyphened-tags": []any{"x", "Y"}},
			"many":    []any{map[string]any{"text": "work", "value": "anna@example.com", "primary": true}, map[string]any{"text": "home", "value": "anna@example.org"}},
			"members": []any{map[string]any{"value": "U1", "type": "User"}, map[string]any{"type": "Group"}},
			extension: map[string]any{"text": "Ext", "several": []any{map[string]any{"value": "S"}}},
		},
		{
			"text": "straße %_", "exact": "b", "flag": false, "whole": 9007199254740992, "real": -2.0, "at": "2011-05-13T04:42:34.5Z",
			"many":    []any{map[string]any{"text": "home", "value": "anna@example.com"}},
			"members": []any{map[string]any{"value": "U2"}},
			extension: map[string]any{"single": map[string]any{"value": "Boss"}},
		},
		{"text": "", "one": map[string]any{"text": ""}, "words": []any{""}},
		{"id": "nothing else"},
	}
	for i, doc := range list {
		canonical, err := things().Canonical(doc, schema.Options{Mode: schema.ModeAny})
		if err != nil {
			t.Fatal(err)
		}
		list[i] = canonical
	}
	return list
}

var whereTests = []struct{ filter, want string }{
	{`text eq "ANNA"`, "1"},
	{`exact eq "ANNA"`, ""},
	{`exact eq "Anna"`, "1"},
	{`text ne "anna"`, "234"},
	{`text eq ""`, "3"},
	{`text co "NN"`, "1"},
	{`text co "%"`, "2"},
	{`text co ""`, "123"},
	{`text sw "AN"`, "1"},
	{`text sw "stras"`, ""},
	{`text ew "_"`, "2"},
	{`text ew "nna"`, "1"},
	{`text gt "anna"`, "2"},
	{`text ge "anna"`, "12"},
	{`text lt "anna"`, "3"},
	{`text le "ANNA"`, "13"},
	{`text pr`, "12"},
	{`text eq null`, "4"},
	{`text ne null`, "123"},
	{`not (text pr)`, "34"},
	{`flag eq true`, "1"},
	{`flag ne true`, "234"},
	{`whole eq 9007199254740993`, "1"},
	{`whole gt 9007199254740992`, "1"},
	{`whole lt 9007199254740993`, "2"},
	{`real eq 1.50`, "1"},
	{`real lt 0`, "2"},
	{`real ge -2`, "12"},
	{`at eq "2011-05-13T04:42:34Z"`, "1"},
	{`at gt "2011-05-13T04:42:34Z"`, "2"},
	{`at le "2011-05-13T05:42:34.5+01:00"`, "12"},
	{`bytes eq "QUJD"`, "1"},
	{`link sw "https://example.com/A"`, "1"},
	{`link eq "https://example.com/a"`, ""},
	{`words eq "RED"`, "1"},
	{`words ne "red"`, "234"},
	{`words pr`, "1"},
	{`words ne null`, "13"},
	{`words[value sw "g"]`, "1"},
	{`words[not (value eq "red")]`, "13"},
	{`numbers gt 2`, "1"},
	{`numbers eq 1`, "1"},
	{`one pr`, "1"},
	{`one ne null`, "13"},
	{`one eq "one"`, "1"},
	{`one.text eq "INNER"`, "1"},
	{`one.hyphened-tags eq "y"`, "1"},
	{`one[text eq "inner" and value pr]`, "1"},
	{`one[not (value pr)]`, "3"},
	{`many eq "anna@example.org"`, "1"},
	{`many.value co "EXAMPLE.com"`, "12"},
	{`many[text eq "home" and value eq "anna@example.com"]`, "2"},
	{`many[text eq "work" and value eq "anna@example.com"]`, "1"},
	{`many[text eq "work"].value ne "x"`, "1234"},
	{`many[not (primary eq true)]`, "12"},
	{`many[text eq "work" or value ew "org"]`, "1"},
	{`many pr`, "12"},
	{`many.primary pr`, "1"},
	{`members eq "U1"`, "1"},
	{`members.value eq "u1"`, ""},
	{`members[value eq "U2"]`, "2"},
	{`members[value eq "U1" and type eq "user"]`, "1"},
	{`members.type eq "group"`, "1"},
	{`members[not (value pr)]`, "1"},
	{`members pr`, "12"},
	{`members.type pr`, "1"},
	{`members.value ne "U1"`, "234"},
	{extension + `:text eq "ext"`, "1"},
	{extension + `:several.value eq "s"`, "1"},
	{`several eq "s"`, "1"},
	{`single.value eq "boss"`, "2"},
	{extension + ` pr`, "12"},
	{`nosuch eq "x"`, ""},
	{`nosuch ne "x"`, "1234"},
	{`nosuch eq null`, "1234"},
	{`nosuch pr or text eq "anna"`, "1"},
	{`text eq "anna" or text eq "straße %_" or exact eq "b"`, "12"},
	{`text eq "anna" and (words eq "red" or many.value eq "x")`, "1"},
	{`not (text eq "anna" or flag eq false)`, "34"},
	{`not (many.value eq "anna@example.org" and text co "n")`, "234"},
	{`flag eq "true"`, "1"},
}

func TestWhere(t *testing.T) {
	docs := samples(t)
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			for _, l := range layouts() {
				d.fill(t, things(), l, docs)
				for _, test := range whereTests {
					f, err := filter.Parse(test.filter, filter.QuotedBooleans())
					if err != nil {
						t.Fatal(err)
					}
					st := d.statement()
					c := st.table(l).Where(things(), f, st.add)
					found, _, err := st.rows("", c.SQL, "ORDER BY r.seq")
					if err != nil {
						t.Fatalf("%s: %v", test.filter, err)
					}
					got := strings.Trim(strings.ReplaceAll(fmt.Sprint(found), " ", ""), "[]")
					if got != test.want || !c.Exact {
						t.Errorf("%s (%s): found %q, exactly %v, want %q\n%s\n%q", test.filter, l, got, c.Exact, test.want, c.SQL, st.args)
					}
					// The table must say what the evaluator does.
					d.agree(t, things(), l, docs, f, false, 0)
				}
			}
		})
	}
}

// Whatever a filter asks for, its values are arguments.
func TestNoValueIsInTheText(t *testing.T) {
	const value = `q'z"--q`
	var filters []filter.Filter
	for _, path := range []string{"text", "exact", "words", "one.text", "many", "many.value", "members", extension + ":text", "bytes", "link"} {
		filters = append(filters, filter.Eq(path, value), filter.Ne(path, value))
		if path != "bytes" {
			filters = append(filters, filter.Co(path, value), filter.Sw(path, value), filter.Ew(path, value), filter.Gt(path, value), filter.Le(path, value))
		}
		if !strings.Contains(path, ".") && path != "many" && path != "members" {
			filters = append(filters, filter.Has(path, filter.Eq("value", value).Not()))
		}
	}
	filters = append(filters,
		filter.Has("many", filter.Eq("value", value).And(filter.Co("text", value))), filter.Has("members", filter.Eq("value", value)),
		filter.Eq("text", value).Or(filter.Eq("text", value+"2"), filter.Sw("exact", value)),
		filter.Gt("whole", 424242), filter.Eq("real", 4242.42), filter.Le("at", "4242-12-03T04:05:06Z"), filter.Eq("flag", true),
	)
	for _, d := range []sqlquery.Dialect{sqlquery.SQLite, sqlquery.PostgreSQL} {
		for _, l := range layouts() {
			for _, f := range filters {
				st := (database{dialect: d}).statement()
				c := st.table(l).Where(things(), f, st.add)
				for _, secret := range []string{"q'z", "q''z", "--q", "4242"} {
					if strings.Contains(c.SQL, secret) {
						t.Errorf("%s has its value in %s", f, c.SQL)
					}
				}
				if len(st.args) < 2 || !c.Exact {
					t.Errorf("%s became %s, exactly %v, with arguments %q", f, c.SQL, c.Exact, st.args)
				}
			}
		}
	}
}

// Filters of any size are either translated into something that the database takes or not at all.
func TestBounds(t *testing.T) {
	chain := func(n int, join func(filter.Filter, ...filter.Filter) filter.Filter, term func(i int) filter.Filter) filter.Filter {
		list := make([]filter.Filter, n)
		for i := range list {
			list[i] = term(i)
		}
		return join(filter.Filter{}, list...)
	}
	value := func(i int) string { return fmt.Sprintf("value %d", i) }
	deep := func(n int) filter.Filter {
		f := filter.Eq("text", "anna")
		for i := range n {
			f = f.Not().And(filter.Ne("text", value(i))).Or(filter.Pr("exact"))
		}
		return f
	}
	long := strings.Repeat("a", 100_000)
	kinds := []func(i int) filter.Filter{
		func(i int) filter.Filter { return filter.Eq("text", value(i)) },
		func(i int) filter.Filter { return filter.Sw("text", value(i)) },
		func(i int) filter.Filter { return filter.Has("many", filter.Eq("value", value(i))) },
		func(i int) filter.Filter { return filter.Has("many", filter.Eq("value", value(i)).Not()) },
		func(i int) filter.Filter { return filter.Eq("members.value", value(i)) },
		func(i int) filter.Filter { return filter.Eq("whole", i).And(filter.Co("words", value(i))) },
		func(i int) filter.Filter { return filter.Ne("text", value(i)) },
	}
	filters := []filter.Filter{
		deep(5), deep(40), deep(2000), filter.Eq("text", long), filter.Sw("text", long), filter.Co("text", long), filter.Ew("text", long), filter.Gt("text", long),
		filter.Co("one.exact", long), filter.Sw("one.exact", long),
	}
	for _, kind := range kinds {
		for _, n := range []int{10, 200, longest} {
			filters = append(filters, chain(n, filter.Filter.And, kind), chain(n, filter.Filter.Or, kind))
		}
	}
	docs := samples(t)
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			for _, l := range layouts() {
				d.fill(t, things(), l, docs)
				for _, f := range filters {
					d.agree(t, things(), l, docs, f, false, 0)
				}
			}
		})
	}
}

// An or of equalities, as programs make it that look for a list of people, is one look in the index.
func TestManyEqualitiesAreOne(t *testing.T) {
	f := filter.Eq("text", "a").Or(filter.Eq("TEXT", "B"), filter.Eq("text", "c"))
	st := (database{dialect: sqlquery.SQLite}).statement()
	got := st.table(layout{lookup: true}).Where(things(), f, st.add).SQL
	const want = "r.seq IN (SELECT e.owner FROM terms e WHERE e.tenant = ?1 AND e.attribute = ?2 AND e.value IN (?3, ?4, ?5))"
	if got != want || !slices.Equal(st.args, []any{"t", "text", "a", "b", "c"}) {
		t.Errorf("got  %s\nwant %s\nargs %q", got, want, st.args)
	}
}

// FuzzWhere gives any text as a filter to SQLite and to the evaluator.
func FuzzWhere(f *testing.F) {
	for _, test := range whereTests {
		f.Add(test.filter)
	}
	f.Add(`text eq "\u0000" or not (many[value co "\u0001" and not (primary pr)])`)
	f.Add(`one[text ne null] and real le 1e308`)
	docs := samples(f)
	d := openSQLite(f)
	l := layout{lookup: true, members: true, columns: true}
	d.fill(f, things(), l, docs)
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := filter.Parse(text, filter.QuotedBooleans(), filter.MaxTerms(50))
		if err != nil || parsed.Check(things().LooseTypes(), filter.UnknownAsAbsent()) != nil {
			return
		}
		d.agree(t, things(), l, docs, parsed, false, 0)
		d.agree(t, things(), l, docs, parsed, true, 0)
	})
}
