package filter_test

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
)

var (
	_ encoding.TextMarshaler   = filter.Filter{}
	_ encoding.TextAppender    = filter.Filter{}
	_ encoding.TextUnmarshaler = (*filter.Filter)(nil)
	_ encoding.TextMarshaler   = filter.Path{}
	_ encoding.TextUnmarshaler = (*filter.Path)(nil)
)

type (
	named   string
	enabled bool
	level   int8
)

func TestBuild(t *testing.T) {
	at := time.Date(2011, 5, 13, 6, 42, 34, 500_000_000, time.FixedZone("CEST", 2*60*60))
	a, b, c := filter.Pr("a"), filter.Pr("b"), filter.Pr("c")
	var none filter.Filter
	tests := []struct {
		name string
		f    filter.Filter
		want string
	}{
		{"eq", filter.Eq("userName", "bjensen"), `userName eq "bjensen"`},
		{"ne", filter.Ne("userName", "bjensen"), `userName ne "bjensen"`},
		{"co", filter.Co("name.familyName", "x"), `name.familyName co "x"`},
		{"sw", filter.Sw("userName", "x"), `userName sw "x"`},
		{"ew", filter.Ew("userName", "x"), `userName ew "x"`},
		{"gt", filter.Gt("a", 1), `a gt 1`},
		{"ge", filter.Ge("a", 1), `a ge 1`},
		{"lt", filter.Lt("a", 1), `a lt 1`},
		{"le", filter.Le("a", 1), `a le 1`},
		{"pr", filter.Pr(enterpriseURN + ":manager"), enterpriseURN + `:manager pr`},
		{"has", filter.Has("emails", filter.Eq("type", "work")), `emails[type eq "work"]`},
		{"quotes cannot end the string", filter.Eq("userName", `" or "" eq "`), `userName eq "\" or \"\" eq \""`},

		{"null", filter.Eq("a", nil), `a eq null`},
		{"boolean", filter.Eq("a", true), `a eq true`},
		{"time", filter.Gt("a", at), `a gt "2011-05-13T04:42:34.5Z"`},
		{"float", filter.Eq("a", 1.5), `a eq 1.5`},
		{"float that is an integer", filter.Eq("a", 2.0), `a eq 2`},
		{"largest uint64", filter.Eq("a", uint64(math.MaxUint64)), `a eq 1.8446744073709552e+19`},
		{"uint", filter.Eq("a", uint(3)), `a eq 3`},
		{"named string", filter.Eq("a", named("x")), `a eq "x"`},
		{"named boolean", filter.Eq("a", enabled(true)), `a eq true`},
		{"named integer", filter.Eq("a", level(-3)), `a eq -3`},
		{"value of another filter", filter.Eq("a", filter.Eq("b", "x").Node().(*filter.Compare).Value), `a eq "x"`},

		{"and", a.And(b, c), `a pr and b pr and c pr`},
		{"or", a.Or(b, c), `a pr or b pr or c pr`},
		{"and of or", a.Or(b).And(c), `(a pr or b pr) and c pr`},
		{"or of and", a.And(b).Or(c), `a pr and b pr or c pr`},
		{"not", a.And(b).Not(), `not (a pr and b pr)`},
		{"and alone", a.And(), `a pr`},
		{"and with no filter", none.And(a, none), `a pr`},
		{"or with no filter", none.Or(none, a), `a pr`},
		{"no filter", none.And(none).Or(none), ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.f.Err(); err != nil {
				t.Fatal(err)
			}
			if got := tt.f.String(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if tt.want != "" && !filter.MustParse(tt.want).Equal(tt.f) {
				t.Error("parsing the text gives another filter")
			}
		})
	}
}

func TestBuild_leaves_its_operands_alone(t *testing.T) {
	base := filter.Pr("a").And(filter.Pr("b"))
	one, two := base.And(filter.Pr("c")), base.And(filter.Pr("d"))
	for f, want := range map[*filter.Filter]string{
		&base: `a pr and b pr`, &one: `a pr and b pr and c pr`, &two: `a pr and b pr and d pr`,
	} {
		if f.String() != want {
			t.Errorf("got %s, want %s", f, want)
		}
	}
}

func TestBuild_mistakes_make_an_invalid_filter(t *testing.T) {
	ok := filter.Pr("a")
	tests := []struct {
		name string
		f    filter.Filter
		want string // part of the error
	}{
		{"name with a space", filter.Eq("user name", "x"), `found " "`},
		{"name that is a filter", filter.Eq(`a eq "x" or b`, "x"), `found " "`},
		{"no name", filter.Pr(""), "an attribute name"},
		{"whole schema", filter.Pr("urn:example:2.0"), "an attribute name"},
		{"no such value", filter.Eq("a", struct{}{}), "a value of type struct {}"},
		{"nil pointer", filter.Eq("a", (*string)(nil)), "a value of type *string"},
		{"array", filter.Eq("a", []string{"x"}), "a value of type []string"},
		{"not a number", filter.Eq("a", math.NaN()), "a number that is NaN"},
		{"infinity", filter.Eq("a", math.Inf(-1)), "a number that is -Inf"},
		{"not UTF-8", filter.Eq("a", "\xff"), "a string that is not UTF-8"},
		{"year 10000", filter.Eq("a", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), "a time in the year 10000"},
		{"value path of nothing", filter.Has("a", filter.Filter{}), "a filter for the value path"},
		{"value path in a value path", filter.Has("a", filter.Has("b", ok)), "plain sub-attributes"},
		{"dotted name in a value path", filter.Has("a", filter.Pr("b.c").Not().Or(ok)), "plain sub-attributes"},
		{"qualified name in a value path", filter.Has("a", filter.Eq(userURN+":b", 1)), "plain sub-attributes"},
		{"value path after a sub-attribute", filter.Has("a.b", ok), "an attribute for the value path"},
		{"value path after no name", filter.Has("", ok), "an attribute name"},
		{"invalid filter in a value path", filter.Has("a", filter.Pr("1")), "an attribute name"},
		{"negation of nothing", filter.Filter{}.Not(), "the negation of no filter"},
		{"first of an and", filter.Pr("1").And(ok), "an attribute name"},
		{"second of an or", ok.Or(filter.Pr("1")), "an attribute name"},
		{"not", filter.Pr("1").Not(), "an attribute name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.f.Err()
			if !errors.Is(err, scim.ErrInvalidFilter) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want …%s…", err, tt.want)
			}
			_, marshalErr := tt.f.MarshalText()
			_, compileErr := tt.f.Compile(userTypes)
			for _, got := range []error{marshalErr, compileErr, tt.f.Check(userTypes)} {
				if got != err {
					t.Errorf("got %v, want %v", got, err)
				}
			}
			if tt.f.IsZero() || tt.f.Equal(tt.f) || tt.f.String() != "" || tt.f.Node() != nil || tt.f.Attributes() != nil {
				t.Errorf("passes for a filter: %q", tt.f)
			}
		})
	}
}

func TestEqual(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{`a eq 1`, `A EQ 1.0`, true},
		{`urn:Example:x:a.b pr`, `URN:example:x:A.B pr`, true},
		{`emails[type eq "x"]`, `Emails[Type eq "x"]`, true},
		{`urn:example:x:a pr`, `urn:example:y:a pr`, false},
		{`a eq "x"`, `a eq "X"`, false},
		{`a eq "1"`, `a eq 1`, false},
		{`a eq true`, `a eq 1`, false},
		{`a eq null`, `a eq 0`, false},
		{`a eq 1`, `a ne 1`, false},
		{`a pr`, `a eq null`, false},
		{`a eq null`, `a pr`, false},
		{`a pr and b pr`, `b pr and a pr`, false},
		{`a pr and b pr`, `a pr and b pr and c pr`, false},
		{`a pr or b pr`, `a pr and b pr`, false},
		{`a pr and b pr`, `a pr or b pr`, false},
		{`not (a pr)`, `a pr`, false},
		{`a[b pr]`, `a[c pr]`, false},
		{`a[b pr]`, `a.b pr`, false},
	}
	for _, tt := range tests {
		if got := filter.MustParse(tt.a).Equal(filter.MustParse(tt.b)); got != tt.want {
			t.Errorf("%s and %s: %v", tt.a, tt.b, got)
		}
	}
	if !(filter.Filter{}).Equal(filter.Filter{}) || (filter.Filter{}).Equal(filter.Pr("a")) || filter.Pr("a").Equal(filter.Filter{}) {
		t.Error("the zero Filter is equal to itself only")
	}
}

func TestText(t *testing.T) {
	var f filter.Filter
	if err := f.UnmarshalText([]byte(`title pr`)); err != nil || f.String() != `title pr` {
		t.Fatalf("%s, %v", f, err)
	}
	if err := f.UnmarshalText([]byte(`title`)); !errors.Is(err, scim.ErrInvalidFilter) || f.String() != `title pr` {
		t.Errorf("%s, %v", f, err)
	}
	if b, err := f.AppendText([]byte("filter=")); err != nil || string(b) != `filter=title pr` {
		t.Errorf("%s, %v", b, err)
	}
	if err := f.UnmarshalText(nil); err != nil || !f.IsZero() {
		t.Errorf("%s, %v", f, err)
	}
	if b, err := f.MarshalText(); err != nil || b == nil || len(b) != 0 {
		t.Errorf("%q, %v", b, err)
	}

	var p filter.Path
	if err := p.UnmarshalText([]byte(`a.`)); !errors.Is(err, scim.ErrInvalidPath) || !p.IsZero() {
		t.Errorf("%s, %v", p, err)
	}
	p = filter.Path{Attr: filter.Attr{Name: "emails"}, Filter: filter.Pr("bad name")}
	if _, err := p.MarshalText(); !errors.Is(err, scim.ErrInvalidFilter) {
		t.Errorf("got %v", err)
	}
	if err := p.UnmarshalText(nil); err != nil || !p.IsZero() || p.String() != "" {
		t.Errorf("%s, %v", p, err)
	}
}

func TestAttributes(t *testing.T) {
	f := filter.MustParse(`title pr and (name.familyName eq "x" or not (emails[type eq "work" and value pr])) or title eq "y" or ` +
		enterpriseURN + `:manager.value eq "1" or ` + userURN + `:ims[type pr]`)
	want := []filter.Attr{
		{Name: "title"},
		{Name: "name", Sub: "familyName"},
		{Name: "emails", Sub: "type"},
		{Name: "emails", Sub: "value"},
		{URN: enterpriseURN, Name: "manager", Sub: "value"},
		{URN: userURN, Name: "ims", Sub: "type"},
	}
	if diff := cmp.Diff(want, f.Attributes()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestWalk_leaves_out_what_visit_declines(t *testing.T) {
	f := filter.MustParse(`a pr and not (b pr or c[d pr])`)
	for _, tt := range []struct{ declined, want string }{
		{"", "And Present Not Or Present ValuePath Present"},
		{"Not", "And Present Not"},
		{"ValuePath", "And Present Not Or Present ValuePath"},
	} {
		var visited []string
		f.Walk(func(n filter.Node) bool {
			visited = append(visited, strings.TrimPrefix(fmt.Sprintf("%T", n), "*filter."))
			return visited[len(visited)-1] != tt.declined
		})
		if got := strings.Join(visited, " "); got != tt.want {
			t.Errorf("declining %q: got %s, want %s", tt.declined, got, tt.want)
		}
	}
	filter.Filter{}.Walk(func(n filter.Node) bool {
		t.Errorf("no filter has a node %v", n)
		return true
	})
}

func TestEqualities(t *testing.T) {
	tests := []struct {
		text string
		want []string // nil when there are none
	}{
		{`type eq "work"`, []string{`type eq "work"`}},
		{`type eq "work" and primary eq true`, []string{`type eq "work"`, `primary eq true`}},
		{`type eq "work" and (primary eq true and value eq "x")`, []string{`type eq "work"`, `primary eq true`, `value eq "x"`}},
		{`type eq "work" and TYPE eq "work"`, []string{`type eq "work"`}},
		{`display eq null`, []string{`display eq null`}},
		{`type eq "work" and type eq "home"`, nil},
		{`type eq "work" or type eq "home"`, nil},
		{`type ne "work"`, nil},
		{`type eq "work" and value pr`, nil},
		{`type eq "work" and value sw "x"`, nil},
		{`not (type eq "work")`, nil},
		{`emails.type eq "work"`, nil},
		{userURN + `:title eq "x"`, nil},
		{`emails[type eq "work"]`, nil},
	}
	for _, tt := range tests {
		terms, ok := filter.MustParse(tt.text).Equalities()
		var got []string
		for _, c := range terms {
			got = append(got, c.Attr.String()+" "+c.Op.String()+" "+c.Value.String())
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || ok != (tt.want != nil) {
			t.Errorf("%s: %v, -want +got\n%s", tt.text, ok, diff)
		}
	}
	if _, ok := (filter.Filter{}).Equalities(); ok {
		t.Error("no filter has equalities")
	}
}

func TestValue(t *testing.T) {
	tests := []struct {
		in, any any
		text    string
	}{
		{nil, nil, "null"},
		{"a\"b", "a\"b", `"a\"b"`},
		{false, false, "false"},
		{int32(-5), int64(-5), "-5"},
		{2.5, 2.5, "2.5"},
		{float32(4), int64(4), "4"},
		{math.MaxFloat64, math.MaxFloat64, "1.7976931348623157e+308"},
	}
	for _, tt := range tests {
		v, err := filter.ValueOf(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		if v.Any() != tt.any || v.String() != tt.text || v.IsNull() != (tt.in == nil) {
			t.Errorf("%v: got %#v, %s, null %v", tt.in, v.Any(), v, v.IsNull())
		}
		text, ok := v.Text()
		if want, isText := tt.in.(string); text != want || ok != isText {
			t.Errorf("%v: got text %q, %v", tt.in, text, ok)
		}
	}
	if (filter.Value{}) != filter.MustParse("a eq null").Node().(*filter.Compare).Value {
		t.Error("the zero Value is not null")
	}
}

func TestNames_of_operators_and_kinds(t *testing.T) {
	if got := filter.OpEq.String() + filter.OpLe.String() + filter.Op(0).String() + filter.Op(99).String(); got != "eqle????" {
		t.Error(got)
	}
	if got := filter.DateTime.String() + " " + filter.Kind(0).String() + " " + filter.Kind(99).String(); got != "dateTime unknown unknown" {
		t.Error(got)
	}
}

// A stack that overflows takes the process with it, so what is built has a bound as what is parsed has.
func TestBuiltFiltersHaveABoundOnTheirDepth(t *testing.T) {
	not, turns, flat := filter.Eq("a", 1), filter.Eq("a", 1), filter.Eq("a", 1).And(slices.Repeat([]filter.Filter{filter.Eq("b", 1)}, 20_000)...)
	for i := range 9_999 {
		not = not.Not()
		if i%2 == 0 {
			turns = turns.And(filter.Eq("b", 1))
		} else {
			turns = turns.Or(filter.Eq("b", 1))
		}
	}
	for name, f := range map[string]filter.Filter{"not": not, "and and or in turn": turns, "and": flat, "many at once": filter.Filter{}.And(not, turns)} {
		if _, err := f.Compile(nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if f := flat.And(flat); f.Err() != nil {
		t.Errorf("terms of the same level: %v", f.Err())
	}
	for name, f := range map[string]filter.Filter{
		"not": not.Not().Not(), "in turn": turns.Or(flat).And(flat), "value path": filter.Has("a", not.Not()).Not(),
	} {
		if f.Err() == nil || !errors.Is(f.Err(), scim.ErrInvalidFilter) || !f.Not().Equal(f) && f.Not().Err() == nil {
			t.Errorf("%s: %v", name, f.Err())
		}
	}
	for range 100_000 {
		turns = turns.Or(filter.Eq("a", 1)).And(filter.Eq("b", 1)).Not()
	}
	if turns.Err() == nil {
		t.Error("no bound")
	}
}
