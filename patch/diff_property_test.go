package patch_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"testing"

	elimity "github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"
	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/schema"
)

// dialects are all that a profile can ask for, as far as they change what is written.
func dialects() map[string]patch.Dialect {
	return map[string]patch.Dialect{
		"rfc":          patch.RFC7644(),
		"entra":        patch.Entra(),
		"entra flag":   patch.EntraOptSCIM(),
		"okta":         patch.Okta(),
		"pathless":     {Form: patch.FormPathless},
		"replace all":  {MemberRemoval: patch.ReplaceAll},
		"value array":  {MemberRemoval: patch.ValueArray, AddAbsent: true},
		"one pathless": {Pathless: []string{"active", "name.givenName", "displayName"}, PathlessID: true},
	}
}

// understoodByTheRFC tells the dialects that Strict takes.
func understoodByTheRFC(name string) bool {
	return name == "rfc" || name == "pathless" || name == "replace all"
}

// deviceSchema has what users and groups have not: immutable attributes, values that are not strings, references that can change,
// several values in a sub-attribute.
func deviceSchema(t testing.TB) *schema.Schema {
	t.Helper()
	str := func(name string, params elimity.StringParams) elimity.SimpleParams {
		params.Name = name
		return elimity.SimpleStringParams(params)
	}
	s, err := schema.Compile(elimity.Schema{
		ID: "urn:example:device:1.0:Device",
		Attributes: []elimity.CoreAttribute{
			elimity.SimpleCoreAttribute(str("label", elimity.StringParams{Required: true})),
			elimity.SimpleCoreAttribute(str("serial", elimity.StringParams{Mutability: elimity.AttributeMutabilityImmutable()})),
			elimity.SimpleCoreAttribute(str("tags", elimity.StringParams{MultiValued: true})),
			elimity.SimpleCoreAttribute(str("codes", elimity.StringParams{MultiValued: true, CaseExact: true, Required: true})),
			elimity.SimpleCoreAttribute(elimity.SimpleNumberParams(elimity.NumberParams{Name: "slots", MultiValued: true, Type: elimity.AttributeTypeInteger()})),
			elimity.SimpleCoreAttribute(elimity.SimpleNumberParams(elimity.NumberParams{Name: "weight", Type: elimity.AttributeTypeDecimal()})),
			elimity.SimpleCoreAttribute(elimity.SimpleDateTimeParams(elimity.DateTimeParams{Name: "bought"})),
			elimity.SimpleCoreAttribute(elimity.SimpleBooleanParams(elimity.BooleanParams{Name: "locked"})),
			elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "owners", MultiValued: true, SubAttributes: []elimity.SimpleParams{
				str("value", elimity.StringParams{}),
				elimity.SimpleReferenceParams(elimity.ReferenceParams{Name: "$ref"}),
				str("role", elimity.StringParams{}),
				elimity.SimpleBooleanParams(elimity.BooleanParams{Name: "notify"}),
			}}),
			elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "ports", MultiValued: true, SubAttributes: []elimity.SimpleParams{
				elimity.SimpleNumberParams(elimity.NumberParams{Name: "value", Type: elimity.AttributeTypeInteger()}),
				str("type", elimity.StringParams{}),
				str("uses", elimity.StringParams{MultiValued: true}),
				str("state", elimity.StringParams{Mutability: elimity.AttributeMutabilityReadOnly()}),
			}}),
			elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "maker", SubAttributes: []elimity.SimpleParams{
				str("value", elimity.StringParams{}),
				elimity.SimpleReferenceParams(elimity.ReferenceParams{Name: "$ref"}),
				str("code", elimity.StringParams{Mutability: elimity.AttributeMutabilityImmutable()}),
				str("aliases", elimity.StringParams{MultiValued: true}),
			}}),
		},
	}, schema.Extension{Schema: elimity.Schema{
		ID: "urn:example:lease:1.0:Device",
		Attributes: []elimity.CoreAttribute{
			elimity.SimpleCoreAttribute(str("until", elimity.StringParams{})),
			elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "payers", MultiValued: true, SubAttributes: []elimity.SimpleParams{
				str("value", elimity.StringParams{Mutability: elimity.AttributeMutabilityImmutable()}),
				str("display", elimity.StringParams{}),
			}}),
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// generator makes random documents in canonical form. Values are few, so that they often coincide.
type generator struct {
	*rand.Rand
	schema *schema.Schema
}

func (g generator) document() scim.Document {
	doc := scim.Document{"id": "r1"}
	for a := range g.schema.Attributes() {
		if a.Mutability == schema.ReadOnly || a.Name == "schemas" || !a.Required && g.IntN(3) == 0 {
			continue
		}
		into := map[string]any(doc)
		if a.URN != "" {
			if into[a.URN] == nil {
				into[a.URN] = map[string]any{}
			}
			into = into[a.URN].(map[string]any)
		}
		if v := g.value(a); v != nil {
			into[a.Name] = v
		}
	}
	canonical, err := g.schema.Canonical(doc, schema.Options{Mode: schema.ModeAny, Unknown: schema.UnknownReject})
	if err != nil {
		panic(err)
	}
	canonical["schemas"] = g.schema.Schemas(canonical)
	return canonical
}

func (g generator) value(a *schema.Attribute) any {
	if !a.MultiValued {
		return g.single(a)
	}
	count := g.IntN(5)
	if a.Required {
		count++
	}
	var elements []any
	seen := make(map[string]bool)
	primary := false
	for range count {
		element := g.single(a)
		key := fmt.Sprint(element)
		if object, ok := element.(map[string]any); ok {
			if isReference(a) {
				key = fmt.Sprint(object["value"])
			}
			if object["primary"] == true && primary {
				continue
			}
			primary = primary || object["primary"] == true
		}
		if !seen[key] && element != nil {
			elements = append(elements, element)
		}
		seen[key] = true
	}
	if len(elements) == 0 {
		return nil
	}
	return elements
}

func isReference(a *schema.Attribute) bool {
	value, ok := a.SubAttribute("value")
	_, ref := a.SubAttribute("$ref")
	return ok && (ref || value.Mutability == schema.Immutable)
}

func (g generator) single(a *schema.Attribute) any {
	switch a.Type {
	case schema.Boolean:
		return g.IntN(2) == 0
	case schema.Integer:
		return int64(g.IntN(4))
	case schema.Decimal:
		return float64(g.IntN(4)) / 2
	case schema.DateTime:
		return fmt.Sprintf("2011-05-1%dT04:42:34Z", g.IntN(4))
	case schema.Reference:
		return fmt.Sprintf("https://example.com/%d", g.IntN(4))
	case schema.Binary:
		return []string{"QQ==", "Qg==", "Qw=="}[g.IntN(3)]
	case schema.Complex:
		return g.object(a)
	}
	if a.Mutability == schema.Immutable && a.Parent() == nil {
		return "fixed"
	}
	return []string{"a", "b", "c", `d"e\`, "work", "home"}[g.IntN(6)]
}

// object makes an element. Immutable sub-attributes of a reference follow from its value: they cannot be changed.
func (g generator) object(a *schema.Attribute) any {
	object := make(map[string]any)
	for _, sub := range a.Sub {
		if sub.Mutability == schema.ReadOnly && g.IntN(2) == 0 || g.IntN(3) == 0 && (sub.Name != "value" || !isReference(a)) {
			continue
		}
		object[sub.Name] = g.value(sub)
	}
	if value, ok := object["value"]; ok && isReference(a) {
		for _, sub := range a.Sub {
			if sub.Mutability == schema.Immutable && sub.Name != "value" {
				object[sub.Name] = "https://example.com/" + url.PathEscape(fmt.Sprint(value))
			}
		}
	}
	if len(object) == 0 {
		return nil
	}
	return object
}

// essence returns what of a document a client can write: the elements of arrays in one order, each once.
func essence(s *schema.Schema, doc scim.Document) map[string]any {
	out := make(map[string]any)
	for a := range s.Attributes() {
		holder := map[string]any(doc)
		if a.URN != "" {
			holder, _ = doc[a.URN].(map[string]any)
		}
		v := holder[a.Name]
		if v == nil || a.Mutability == schema.ReadOnly || a.Sensitive() {
			continue
		}
		elements, ok := v.([]any)
		if !ok {
			elements = []any{v}
		}
		var texts []string
		for _, element := range elements {
			if object, ok := element.(map[string]any); ok {
				object = maps.Clone(object)
				for name, v := range object {
					sub, _ := a.SubAttribute(name)
					if list, ok := v.([]any); ok {
						object[name] = slices.SortedFunc(slices.Values(list), func(x, y any) int { return cmpText(x, y) })
					}
					if sub.Mutability == schema.ReadOnly {
						delete(object, name)
					}
				}
				if len(object) == 0 {
					continue
				}
				element = object
			}
			texts = append(texts, fmt.Sprint(element))
		}
		slices.Sort(texts)
		if len(texts) > 0 {
			out[a.Path()] = slices.Compact(texts)
		}
	}
	return out
}

func cmpText(x, y any) int {
	switch a, b := fmt.Sprint(x), fmt.Sprint(y); {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// sameImmutables gives b the immutable attributes of a, without which there is no way from one to the other.
func sameImmutables(s *schema.Schema, a, b scim.Document) {
	for attr := range s.Attributes() {
		if attr.Mutability == schema.Immutable && attr.Name != "schemas" && a[attr.Name] != nil {
			b[attr.Name] = a[attr.Name]
		}
	}
}

func TestApplyDiffLeadsFromOneDocumentToTheOther(t *testing.T) {
	schemas := map[string]*schema.Schema{"user": schema.User(), "group": schema.Group(), "device": deviceSchema(t)}
	for schemaName, s := range schemas {
		for dialectName, dialect := range dialects() {
			t.Run(schemaName+"/"+dialectName, func(t *testing.T) {
				g := generator{rand.New(rand.NewPCG(1, 2)), s}
				for range 120 {
					a, b := g.document(), g.document()
					if g.IntN(2) == 0 {
						b = g.variant(a)
					}
					sameImmutables(s, a, b)
					checkDiff(t, s, a, b, dialect, false)
					if understoodByTheRFC(dialectName) {
						checkDiff(t, s, a, b, dialect, true)
					}
					if t.Failed() {
						return
					}
				}
			})
		}
	}
}

// variant returns a document that differs from doc in one attribute at most.
func (g generator) variant(doc scim.Document) scim.Document {
	other, out := g.document(), doc.Clone()
	names := slices.Sorted(maps.Keys(other))
	name := names[g.IntN(len(names))]
	out[name] = other[name]
	out["schemas"] = g.schema.Schemas(out)
	return out
}

func checkDiff(t *testing.T, s *schema.Schema, a, b scim.Document, d patch.Dialect, strict bool) {
	t.Helper()
	before, after := a.Clone(), b.Clone()
	ops, err := patch.Diff(s, a, b, d)
	if err != nil {
		t.Fatalf("Diff: %v\nfrom %v\nto   %v", err, a, b)
	}
	got, err := patch.Apply(s, a, ops, patch.Options{Strict: strict && len(ops) > 0})
	if err != nil {
		t.Fatalf("Apply: %v\nfrom %v\nto   %v\nops  %v", err, a, b, ops)
	}
	if diff := cmp.Diff(essence(s, b), essence(s, got.Document)); diff != "" {
		t.Fatalf("strict %t (-want +got):\n%s\nfrom %v\nto   %v\nops  %v", strict, diff, a, b, ops)
	}
	if diff := cmp.Diff(b["schemas"], got.Document["schemas"]); diff != "" {
		t.Fatalf("schemas (-want +got):\n%s\nfrom %v\nto   %v\nops  %v", diff, a, b, ops)
	}
	if _, err := s.Canonical(got.Document, schema.Options{Mode: schema.ModeAny, Unknown: schema.UnknownReject}); err != nil {
		t.Fatalf("the result is not canonical: %v", err)
	}
	again, err := patch.Diff(s, got.Document, b, d)
	if err != nil {
		t.Fatal(err)
	}
	again = slices.DeleteFunc(again, func(op scim.PatchOperation) bool { return writesPassword(op) })
	if len(again) > 0 {
		t.Fatalf("there is still a difference: %v\nfrom %v\nto   %v\nops  %v", again, a, b, ops)
	}
	if diff := cmp.Diff(before, a); diff != "" {
		t.Fatalf("the old document was changed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(after, b); diff != "" {
		t.Fatalf("the new document was changed (-want +got):\n%s", diff)
	}
}

// writesPassword reports whether an operation writes what must always be written.
func writesPassword(op scim.PatchOperation) bool {
	object, ok := op.Value.(map[string]any)
	if !ok {
		return op.Path == "password"
	}
	names := maps.Clone(object)
	delete(names, "id")
	_, ok = names["password"]
	return ok && len(names) == 1
}
