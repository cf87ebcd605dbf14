package filter_test

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/filter"
)

// maker makes random filters and documents for userTypes.
type maker struct{ *rand.Rand }

func newMaker(seed uint64) maker { return maker{rand.New(rand.NewPCG(seed, 1))} }

func pick[T any](m maker, from ...T) T { return from[m.IntN(len(from))] }

// text returns a short string that is likely to be equal to, part of or another case of one made
// before.
func (m maker) text() string {
	var b strings.Builder
	for range m.IntN(5) {
		b.WriteRune(pick(m, 'a', 'A', 'b', 'B', 'k', '\u212a', 'é', 'É', 's', 'ſ', '"', '\\', '\n', 0, '😀', 'σ', 'ς', '(', ']', ' '))
	}
	return b.String()
}

func (m maker) instant() string {
	return pick(m, "2010-01-23T04:56:22Z", "2010-01-23T04:56:22.5Z", "2010-01-23T05:56:22+01:00", "2010-01-23T04:56:22.50Z", "2012-02-29T00:00:00-11:30")
}

// number returns an integer or a decimal small enough for the model to be exact.
func (m maker) number() any {
	if m.IntN(2) == 0 {
		return int64(m.IntN(7) - 3)
	}
	return float64(m.IntN(14)-7)/2 + 0.25
}

// value returns a value of a kind that is not complex.
func (m maker) value(k filter.Kind) any {
	switch k {
	case filter.Boolean:
		return m.IntN(2) == 0
	case filter.Integer:
		return int64(m.IntN(7) - 3)
	case filter.Decimal:
		return m.number()
	case filter.DateTime:
		return m.instant()
	}
	return m.text()
}

func (m maker) attr() filter.Type {
	names := []string{
		"id", "userName", "title", "active", "logins", "score", "tags", "numbers", "schemas", "name", "name.familyName", "emails",
		"emails.value", "emails.type", "emails.primary", "ims", "meta.created", "meta.version", "x509Certificates", "groups.$ref", "addresses",
		enterpriseURN + ":department", enterpriseURN + ":manager", enterpriseURN + ":manager.value",
	}
	a, err := filter.ParseAttr(pick(m, names...))
	if err != nil {
		panic(err)
	}
	t, ok := userTypes.AttrType(a)
	if !ok {
		panic(a)
	}
	return t
}

// compare returns a comparison that is right for the type.
func (m maker) compare(name string, t filter.Type) filter.Filter {
	if t.Kind == filter.Complex {
		sub := t.Canonical
		sub.Sub = "value"
		value, ok := userTypes.AttrType(sub)
		if !ok {
			return pick(m, filter.Eq(name, nil), filter.Ne(name, nil), filter.Pr(name))
		}
		t = value
	}
	v := m.value(t.Kind)
	fs := []filter.Filter{filter.Eq(name, v), filter.Ne(name, v), filter.Pr(name), filter.Eq(name, nil), filter.Ne(name, nil)}
	if t.Kind != filter.Boolean && t.Kind != filter.Binary {
		fs = append(fs, filter.Gt(name, v), filter.Ge(name, v), filter.Lt(name, v), filter.Le(name, v))
	}
	if s, ok := v.(string); ok && (t.Kind == filter.String || t.Kind == filter.Reference) {
		fs = append(fs, filter.Co(name, s), filter.Sw(name, s), filter.Ew(name, s))
	}
	return pick(m, fs...)
}

// filter returns an expression no deeper than depth.
func (m maker) filter(depth int, term func() filter.Filter) filter.Filter {
	if depth == 0 {
		return term()
	}
	below := func() filter.Filter { return m.filter(m.IntN(depth), term) }
	switch m.IntN(4) {
	case 0:
		return below().And(below(), below())
	case 1:
		return below().Or(below())
	case 2:
		return below().Not()
	}
	return term()
}

func (m maker) userFilter() filter.Filter {
	return m.filter(4, func() filter.Filter {
		if m.IntN(4) > 0 {
			t := m.attr()
			return m.compare(t.Canonical.String(), t)
		}
		parent := pick(m, "emails", "tags", "schemas", "groups", "name")
		return filter.Has(parent, m.filter(2, func() filter.Filter {
			subs := map[string][]string{
				"emails": {"value", "type", "primary"}, "tags": {"value"}, "schemas": {"value"}, "groups": {"value", "$ref"}, "name": {"givenName", "familyName"},
			}
			sub := pick(m, subs[parent]...)
			t, ok := userTypes.AttrType(filter.Attr{Name: parent, Sub: sub})
			if !ok {
				t, _ = userTypes.AttrType(filter.Attr{Name: parent})
			}
			return m.compare(sub, t)
		}))
	})
}

// typeNames puts userTypes in an order, so that a seed always makes the same documents.
var typeNames = slices.Sorted(maps.Keys(userTypes))

// document returns a document in which every attribute is sometimes missing, null, empty or there.
func (m maker) document() map[string]any {
	doc := make(map[string]any)
	for _, name := range typeNames {
		t := userTypes[name]
		if a := t.Canonical; a.Sub == "" {
			m.set(container(doc, a.URN), a.Name, m.attribute(t))
		}
	}
	return doc
}

func container(doc map[string]any, urn string) map[string]any {
	if urn == "" {
		return doc
	}
	if doc[urn] == nil {
		doc[urn] = make(map[string]any)
	}
	return doc[urn].(map[string]any)
}

func (m maker) set(object map[string]any, name string, v any) {
	switch m.IntN(8) {
	case 0:
	case 1:
		object[name] = nil
	default:
		object[name] = v
	}
}

func (m maker) attribute(t filter.Type) any {
	if !t.MultiValued {
		return m.single(t)
	}
	array := []any{}
	for range m.IntN(4) {
		array = append(array, m.single(t))
	}
	return array
}

func (m maker) single(t filter.Type) any {
	if t.Kind != filter.Complex {
		return m.value(t.Kind)
	}
	object := make(map[string]any)
	for _, name := range typeNames {
		sub := userTypes[name]
		if a := sub.Canonical; a.Sub != "" && a.Name == t.Canonical.Name && a.URN == t.Canonical.URN {
			m.set(object, a.Sub, m.single(sub))
		}
	}
	return object
}

func TestProperty_printing_and_parsing_give_the_same_filter(t *testing.T) {
	m := newMaker(1)
	for range 20_000 {
		f := m.userFilter()
		g, err := filter.Parse(f.String())
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if !g.Equal(f) || g.String() != f.String() {
			t.Fatalf("\n got %s\nwant %s", g, f)
		}
	}
}

// Taking away any pair of parentheses that is printed gives another filter, or none.
func TestProperty_no_parentheses_are_needless(t *testing.T) {
	m := newMaker(2)
	for range 2_000 {
		f := m.filter(4, func() filter.Filter { return filter.Pr(pick(m, "a", "b", "c")) })
		text := f.String()
		for i := range text {
			if text[i] != '(' {
				continue
			}
			without := text[:i] + text[i+1:closing(text, i)] + text[closing(text, i)+1:]
			if g, err := filter.Parse(without); err == nil && g.Equal(f) {
				t.Fatalf("%s has needless parentheses at byte %d", text, i)
			}
		}
	}
}

// closing returns where the parenthesis at open is closed.
func closing(text string, open int) int {
	depth := 0
	for i := open; ; i++ {
		switch text[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
}

func TestProperty_predicates_mean_what_the_model_says(t *testing.T) {
	m := newMaker(3)
	matched := 0
	for range 20_000 {
		f, doc := m.userFilter(), m.document()
		p, err := f.Compile(userTypes)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		want := model{scope: doc}.holds(f.Node())
		if got := p.Match(doc); got != want {
			t.Fatalf("%s is %v, want %v, of %v", f, got, want, doc)
		}
		if want {
			matched++
		}
	}
	if matched < 2_000 || matched > 18_000 {
		t.Errorf("%d of 20,000 filters match: the test shows little", matched)
	}
}

func TestProperty_not_turns_a_match_around(t *testing.T) {
	m := newMaker(4)
	for range 2_000 {
		f, g, doc := m.userFilter(), m.userFilter(), m.document()
		match := func(f filter.Filter) bool {
			p, err := f.Compile(userTypes)
			if err != nil {
				t.Fatal(err)
			}
			return p.Match(doc)
		}
		if match(f.Not()) == match(f) {
			t.Fatalf("%s and its negation are the same of %v", f, doc)
		}
		if match(f.And(g).Not()) != match(f.Not().Or(g.Not())) {
			t.Fatalf("De Morgan does not hold for %s and %s", f, g)
		}
	}
}

func TestProperty_sub_attribute_after_brackets_is_one_more_condition(t *testing.T) {
	m := newMaker(5)
	for range 2_000 {
		value, doc := m.text(), m.document()
		inside := filter.Has("emails", filter.Eq("type", "a").And(filter.Eq("value", value)))
		want, err := inside.Compile(userTypes)
		if err != nil {
			t.Fatal(err)
		}
		literal := filter.Eq("x", value).Node().(*filter.Compare).Value.String()
		got, err := filter.MustParse(`emails[type eq "a"].value eq ` + literal).Compile(userTypes)
		if err != nil {
			t.Fatal(err)
		}
		if got.Match(doc) != want.Match(doc) {
			t.Fatalf("%s differs of %v", inside, doc)
		}
	}
}

func TestProperty_case_is_folded_as_EqualFold_does(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.Is(unicode.Cs, r) {
			continue
		}
		for _, other := range []rune{unicode.ToUpper(r), unicode.ToLower(r), unicode.ToTitle(r), unicode.SimpleFold(r)} {
			a, b := string(r), string(other)
			if a == b {
				continue
			}
			want := strings.EqualFold(a, b)
			for _, f := range []filter.Filter{filter.Eq("title", b), filter.Co("title", b), filter.Sw("title", b), filter.Ew("title", b)} {
				p, err := f.Compile(userTypes)
				if err != nil {
					t.Fatal(err)
				}
				if got := p.Match(map[string]any{"title": a}); got != want {
					t.Fatalf("%s is %v of %q", f, got, a)
				}
			}
		}
	}
}

// Searching needs to be right for needles that repeat themselves, too, with and without regard to case.
func TestProperty_co_finds_what_Contains_finds(t *testing.T) {
	m := newMaker(6)
	word := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "aab"[m.IntN(3)]
		}
		return string(b)
	}
	found := 0
	for range 20_000 {
		text, needle := word(m.IntN(200)), word(m.IntN(9))
		if m.IntN(2) == 0 {
			period := needle + "a"
			needle = strings.Repeat(period, 60/len(period))
			text += needle[:m.IntN(len(needle))] + word(3) + needle[m.IntN(3):]
		}
		want := strings.Contains(text, needle)
		for _, attr := range []string{"title", "id"} {
			p, err := filter.Co(attr, needle).Compile(userTypes)
			if err != nil {
				t.Fatal(err)
			}
			if p.Match(map[string]any{attr: text}) != want {
				t.Fatalf("%s co %q is not %v of %q", attr, needle, want, text)
			}
		}
		if want {
			found++
		}
	}
	if found < 2_000 || found > 18_000 {
		t.Errorf("%d of 20,000 are found: the test shows little", found)
	}
}

func TestProperty_numbers_keep_their_value(t *testing.T) {
	m := newMaker(7)
	for range 20_000 {
		var n any = int64(m.Uint64())
		if m.IntN(2) == 0 {
			n = math.Float64frombits(m.Uint64())
		}
		f := filter.Eq("score", n)
		if f.Err() != nil { // NaN or an infinity
			continue
		}
		g, err := filter.Parse(f.String())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(f, g); diff != "" {
			t.Fatal(diff)
		}
		p, err := g.Compile(userTypes)
		if err != nil {
			t.Fatal(err)
		}
		if !p.Match(map[string]any{"score": n}) {
			t.Fatalf("%v is not %s", n, f)
		}
	}
}
