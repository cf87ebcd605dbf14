package sqlquery_test

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	elimity "github.com/elimity-com/scim/schema"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

// The URNs of the extensions. The second cannot be written in a filter, and needs quoting in SQL: its attributes are found without it.
const (
	extension = "urn:example:a.b%20c$d:2.0:Thing"
	oBrien    = "urn:example:o'brien:2.0:Thing"
)

// things returns a schema with attributes of every type: single and multi-valued, alone and in complex ones, in the core and in an
// extension.
func things() *schema.Schema {
	core := elimity.Schema{ID: "urn:example:2.0:Thing", Attributes: append(simple(true),
		complexOf("one", false), complexOf("many", true),
		elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "members", MultiValued: true, SubAttributes: []elimity.SimpleParams{
			elimity.SimpleStringParams(elimity.StringParams{Name: "value", CaseExact: true}),
			elimity.SimpleStringParams(elimity.StringParams{Name: "type"}),
		}}),
	)}
	e := elimity.Schema{ID: extension, Attributes: append(simple(true), complexOf("single", false), complexOf("several", true))}
	quoted := elimity.Schema{ID: oBrien, Attributes: []elimity.CoreAttribute{
		elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "quoted"})), complexOf("quotedMany", true),
	}}
	s, err := schema.Compile(core, schema.Extension{Schema: e}, schema.Extension{Schema: quoted})
	if err != nil {
		panic(err)
	}
	return s
}

// simple returns an attribute of each type but complex, and of several one with many values.
func simple(many bool) []elimity.CoreAttribute {
	var list []elimity.CoreAttribute
	for _, p := range simpleParams("link") {
		list = append(list, elimity.SimpleCoreAttribute(p))
	}
	if many {
		list = append(list,
			elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "words", MultiValued: true})),
			elimity.SimpleCoreAttribute(elimity.SimpleNumberParams(elimity.NumberParams{Name: "numbers", Type: elimity.AttributeTypeDecimal(), MultiValued: true})),
		)
	}
	return list
}

func simpleParams(reference string) []elimity.SimpleParams {
	return []elimity.SimpleParams{
		elimity.SimpleStringParams(elimity.StringParams{Name: "text"}),
		elimity.SimpleStringParams(elimity.StringParams{Name: "exact", CaseExact: true}),
		elimity.SimpleBooleanParams(elimity.BooleanParams{Name: "flag"}),
		elimity.SimpleNumberParams(elimity.NumberParams{Name: "whole", Type: elimity.AttributeTypeInteger()}),
		elimity.SimpleNumberParams(elimity.NumberParams{Name: "real", Type: elimity.AttributeTypeDecimal()}),
		elimity.SimpleDateTimeParams(elimity.DateTimeParams{Name: "at"}),
		elimity.SimpleBinaryParams(elimity.BinaryParams{Name: "bytes"}),
		elimity.SimpleReferenceParams(elimity.ReferenceParams{Name: reference, ReferenceTypes: []elimity.AttributeReferenceType{"external"}}),
	}
}

func complexOf(name string, many bool) elimity.CoreAttribute {
	subs := append(simpleParams("$ref"),
		elimity.SimpleStringParams(elimity.StringParams{Name: "value"}),
		elimity.SimpleBooleanParams(elimity.BooleanParams{Name: "primary"}),
		elimity.SimpleStringParams(elimity.StringParams{Name: "hyphened-tags", MultiValued: true}),
	)
	return elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: name, MultiValued: many, SubAttributes: subs})
}

// maker makes random documents and filters.
type maker struct {
	*rand.Rand
	schema *schema.Schema
	// attributes are all that a filter may name, with their sub-attributes.
	attributes []*schema.Attribute
	// plain says that the ids of members have no characters that a store refuses.
	plain bool
}

func newMaker(s *schema.Schema, seed uint64) *maker {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 7)), schema: s}
	for a := range s.Attributes() {
		if a.Sensitive() {
			continue
		}
		m.attributes = append(m.attributes, a)
		m.attributes = append(m.attributes, a.Sub...)
	}
	m.attributes = append(m.attributes, s.Extensions()...)
	return m
}

func pick[T any](m *maker, from ...T) T { return from[m.IntN(len(from))] }

// runes are those that databases, JSON and case folding stumble over.
var runes = []rune{
	'a', 'A', 'b', 'B', 'k', 'K', '\u212a', 'ß', 'ẞ', 'i', 'I', 'İ', 'ı', 'σ', 'ς', 'Σ', 'é', 'É', 'e', '\u0301', 's', 'ſ', 'ǆ', 'ǅ', 'Ǆ',
	'"', '\\', '\'', '\n', 0, 1, 2, 3, 4, '%', '_', '[', ']', '(', '$', ' ', '😀', '\ufeff', '\ufffd', '\uffff', '\ud7ff', '\ue000', '\U0010ffff', 0x7f,
}

func (m *maker) text() string {
	var b strings.Builder
	for range m.IntN(5) {
		b.WriteRune(pick(m, runes...))
	}
	if m.IntN(100) == 0 {
		return strings.Repeat("x", 494+m.IntN(12)) + b.String()
	}
	return b.String()
}

func (m *maker) whole() int64 {
	return pick(m, 0, 1, -1, 2, 10, 11, -10, 1<<53-1, 1<<53, 1<<53+1, -1<<53-1, math.MaxInt64, math.MinInt64, math.MaxInt64-1, int64(m.IntN(5)))
}

func (m *maker) real() float64 {
	return pick(m, 0, math.Copysign(0, -1), 1, -1, 1.5, -1.5, 1.25, 0.1, 0.3, 0.1+0.2, 10, 1e300, -1e300, 5e-324, math.MaxFloat64, 1<<53, 1<<53+2, 1<<62, 1<<63, -1<<63, 1<<64, float64(m.IntN(3)))
}

func (m *maker) instant() string {
	t := time.Date(2020, 2, 28+m.IntN(3), m.IntN(2)*23, 59, m.IntN(2)*59, pick(m, 0, 1, 1000, 500_000_000, 999_999_999, 120_000_000), time.UTC)
	switch m.IntN(12) {
	case 0:
		return pick(m, "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00")
	case 1:
		return t.Format("2006-01-02T15:04:05")
	case 2:
		return t.Format("2006-01-02T15:04:05.000Z")
	case 3, 4:
		return t.In(time.FixedZone("", pick(m, 3600, -12600))).Format(time.RFC3339Nano)
	}
	return t.Format(time.RFC3339Nano)
}

// scalar returns a value of an attribute that is not complex; of the filter's side, one that may be compared with it.
func (m *maker) scalar(a *schema.Attribute) any {
	switch a.Type {
	case schema.Boolean:
		return m.IntN(2) == 0
	case schema.Integer:
		return m.whole()
	case schema.Decimal:
		return m.real()
	case schema.DateTime:
		return m.instant()
	case schema.Binary:
		return base64.StdEncoding.EncodeToString([]byte(m.text()))
	case schema.Reference:
		return pick(m, "https://example.com/A", "https://example.com/a", "urn:x:y", "../Users/1")
	}
	return m.text()
}

func (m *maker) value(a *schema.Attribute) any {
	if a.MultiValued {
		list := make([]any, m.IntN(4))
		primary := m.IntN(4)
		for i := range list {
			list[i] = m.single(a)
			if object, ok := list[i].(map[string]any); ok && i != primary {
				delete(object, "primary")
			}
		}
		return list
	}
	return m.single(a)
}

func (m *maker) single(a *schema.Attribute) any {
	if a.Type != schema.Complex {
		for {
			v := m.scalar(a)
			if _, err := a.CanonicalElement(v, schema.Options{Mode: schema.ModeAny}); err == nil {
				return v
			}
		}
	}
	object := make(map[string]any)
	for _, sub := range a.Sub {
		if m.IntN(3) == 0 {
			object[sub.Name] = m.value(sub)
		}
	}
	if m.IntN(15) == 0 {
		object["unheardOf"] = pick[any](m, "", "x", int64(1), []any{""}, map[string]any{"a": ""})
	}
	if m.IntN(15) == 0 && !a.IsExtension() {
		object = map[string]any{a.Sub[0].Name: ""}
	}
	return object
}

// document returns a canonical document.
func (m *maker) document(id string) scim.Document {
	doc := scim.Document{}
	for a := range m.schema.Attributes() {
		if a.URN == "" && m.IntN(2) == 0 {
			doc[a.Name] = m.value(a)
		}
	}
	for _, e := range m.schema.Extensions() {
		if m.IntN(2) == 0 {
			doc[e.Name] = m.single(e)
		}
	}
	if list, ok := doc[server.Members].([]any); ok {
		if m.plain {
			plainIDs(list)
		}
		doc[server.Members] = distinct(list)
	}
	doc["id"] = id
	doc["schemas"] = []any{m.schema.URN()}
	doc, err := m.schema.Canonical(doc, schema.Options{Mode: schema.ModeAny, Unknown: schema.UnknownKeep})
	if err != nil {
		panic(fmt.Sprintf("the generator makes documents that are not canonical: %v", err))
	}
	return doc
}

// plainIDs takes out of the values of members what cannot be in an id.
func plainIDs(list []any) {
	for _, e := range list {
		object, _ := e.(map[string]any)
		if value, ok := object["value"].(string); ok {
			object["value"] = strings.Map(func(r rune) rune {
				if r < ' ' {
					return -1
				}
				return r
			}, value)
		}
	}
}

// distinct returns members without those that have the value of one before.
func distinct(list []any) []any {
	seen := make(map[string]bool)
	return slices.DeleteFunc(list, func(e any) bool {
		value, ok := server.MemberValue(e)
		again := ok && seen[value]
		seen[value] = true
		return again
	})
}

// filter returns a filter that the schema takes. Half of the values in it are in one of the documents, or a part of one.
func (m *maker) filter(docs []scim.Document, depth int) filter.Filter {
	for {
		f := m.expression(docs, depth)
		if f.Err() == nil && !f.IsZero() && f.Check(m.schema.LooseTypes(), filter.UnknownAsAbsent()) == nil {
			return f
		}
	}
}

func (m *maker) expression(docs []scim.Document, depth int) filter.Filter {
	if depth > 0 && m.IntN(2) == 0 {
		f := m.expression(docs, depth-1)
		switch m.IntN(3) {
		case 0:
			return f.Not()
		case 1:
			return f.And(m.expression(docs, depth-1))
		}
		return f.Or(m.expression(docs, depth-1))
	}
	a := pick(m, m.attributes...)
	if m.IntN(10) == 0 && a.Type != schema.Complex {
		f := filter.Eq(a.Path(), m.valueIn(docs, a, m.scalar(a)))
		for range m.IntN(4) {
			f = f.Or(filter.Eq(m.spell(a.Path()), m.valueIn(docs, a, m.scalar(a))))
		}
		return f
	}
	if m.IntN(4) == 0 && a.Parent() == nil && !a.IsExtension() {
		return filter.Has(m.spell(a.Path()), m.inBrackets(docs, a, depth))
	}
	return m.term(docs, a, m.spell(a.Path()))
}

// inBrackets returns a filter for one value of an attribute.
func (m *maker) inBrackets(docs []scim.Document, a *schema.Attribute, depth int) filter.Filter {
	sub, name := a, "value"
	if a.Type == schema.Complex {
		sub = pick(m, a.Sub...)
		name = sub.Name
	}
	f := m.term(docs, sub, m.spell(name))
	if m.IntN(3) > 0 {
		return f
	}
	switch m.IntN(3) {
	case 0:
		return f.Not()
	case 1:
		return f.And(m.inBrackets(docs, a, depth))
	}
	return f.Or(m.inBrackets(docs, a, depth))
}

// spell writes a name in another case, or without its URN, or misspells it.
func (m *maker) spell(name string) string {
	if strings.HasPrefix(name, oBrien) {
		return name[strings.LastIndex(name, ":")+1:]
	}
	switch m.IntN(12) {
	case 0:
		return strings.ToUpper(name)
	case 1:
		return name[strings.LastIndex(name, ":")+1:]
	case 2:
		if m.IntN(5) == 0 {
			return name + "x"
		}
	}
	return name
}

func (m *maker) term(docs []scim.Document, a *schema.Attribute, name string) filter.Filter {
	ops := []func(string, any) filter.Filter{filter.Eq, filter.Ne, filter.Gt, filter.Ge, filter.Lt, filter.Le}
	switch m.IntN(10) {
	case 0, 1:
		return filter.Pr(name)
	case 2:
		return pick(m, filter.Eq, filter.Ne)(name, nil)
	}
	if a.Type == schema.Complex {
		if value, ok := a.SubAttribute("value"); ok {
			a = value
		}
	}
	v := m.scalar(a)
	if m.IntN(2) == 0 {
		v = m.valueIn(docs, a, v)
	}
	text, isText := v.(string)
	if isText && a.Type != schema.DateTime && m.IntN(2) == 0 {
		part := m.part(text)
		return pick(m, filter.Co, filter.Sw, filter.Ew)(name, part)
	}
	if isText && a.Type == schema.String {
		v = pick(m, text, strings.ToUpper(text), strings.ToLower(text))
	}
	return pick(m, ops...)(name, v)
}

// part returns a part of a text.
func (m *maker) part(text string) string {
	r := []rune(text)
	if len(r) == 0 {
		return text
	}
	from := m.IntN(len(r))
	to := from + m.IntN(len(r)-from+1)
	return pick(m, string(r[from:to]), string(r[:to]), string(r[from:]))
}

// valueIn returns a value that one of the documents has, or otherwise.
func (m *maker) valueIn(docs []scim.Document, a *schema.Attribute, otherwise any) any {
	for range 4 {
		var v any = map[string]any(pick(m, docs...))
		for _, name := range []string{a.URN, parentName(a), a.Name} {
			if list, ok := v.([]any); ok && len(list) > 0 {
				v = pick(m, list...)
			}
			if object, ok := v.(map[string]any); ok && name != "" {
				v = object[name]
			}
		}
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = pick(m, list...)
		}
		switch v.(type) {
		case string, bool, int64, float64:
			return v
		}
	}
	return otherwise
}

func parentName(a *schema.Attribute) string {
	if p := a.Parent(); p != nil {
		return p.Name
	}
	return ""
}
