package schema_test

import (
	"errors"
	"testing"

	elimity "github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// guarded is a schema with attributes of each mutability, alone and as sub-attributes.
func guarded(t *testing.T) *schema.Schema {
	t.Helper()
	text := func(name string, m elimity.AttributeMutability, exact bool) elimity.SimpleParams {
		return elimity.SimpleStringParams(elimity.StringParams{Name: name, Mutability: m, CaseExact: exact})
	}
	subs := func() []elimity.SimpleParams {
		return []elimity.SimpleParams{
			text("value", elimity.AttributeMutabilityReadWrite(), false),
			text("fixed", elimity.AttributeMutabilityImmutable(), false),
			text("shown", elimity.AttributeMutabilityReadOnly(), false),
			text("secret", elimity.AttributeMutabilityWriteOnly(), false),
		}
	}
	s, err := schema.Compile(elimity.Schema{ID: "urn:example:Thing", Attributes: []elimity.CoreAttribute{
		elimity.SimpleCoreAttribute(text("plain", elimity.AttributeMutabilityReadWrite(), false)),
		elimity.SimpleCoreAttribute(text("fixed", elimity.AttributeMutabilityImmutable(), false)),
		elimity.SimpleCoreAttribute(text("exact", elimity.AttributeMutabilityImmutable(), true)),
		elimity.SimpleCoreAttribute(text("shown", elimity.AttributeMutabilityReadOnly(), false)),
		elimity.SimpleCoreAttribute(text("secret", elimity.AttributeMutabilityWriteOnly(), false)),
		elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "one", SubAttributes: subs()}),
		elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "many", MultiValued: true, SubAttributes: subs()}),
		elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "bare", MultiValued: true, SubAttributes: subs()[1:]}),
		elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "set", MultiValued: true, SubAttributes: subs(), Mutability: elimity.AttributeMutabilityImmutable()}),
	}}, schema.Extension{Schema: elimity.Schema{ID: "urn:example:Extra", Attributes: []elimity.CoreAttribute{
		elimity.SimpleCoreAttribute(text("fixed", elimity.AttributeMutabilityImmutable(), false)),
		elimity.SimpleCoreAttribute(text("shown", elimity.AttributeMutabilityReadOnly(), false)),
		elimity.SimpleCoreAttribute(text("plain", elimity.AttributeMutabilityReadWrite(), false)),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReplaceBringsSchemasUpToDate(t *testing.T) {
	s := schema.User()
	full := decode(t, `{"schemas":["`+userSchema+`","`+enterprise+`"],"userName":"a","`+enterprise+`":{"department":"D"}}`)
	plain := decode(t, `{"schemas":["`+userSchema+`"],"userName":"a"}`)
	for _, tt := range []struct{ old, new scim.Document }{{full, plain}, {plain, full}} {
		got, err := s.Replace(tt.old, tt.new)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.new, got); diff != "" {
			t.Errorf("replaced (-want +got):\n%s", diff)
		}
	}
}

func TestReplace(t *testing.T) {
	const extra = "urn:example:Extra"
	list := func(values ...any) []any { return values }
	tests := []struct {
		name     string
		old, new object
		want     object
		err      string
	}{
		{name: "readOnly stays", old: object{"id": "1", "meta": object{"version": "1"}, "shown": "x"}, new: object{"shown": "y"}, want: object{"id": "1", "meta": object{"version": "1"}, "shown": "x"}},
		{name: "readOnly cannot be brought in", old: object{}, new: object{"shown": "y"}, want: object{}},
		{name: "what is absent is cleared", old: object{"plain": "x", "one": object{"value": "v"}}, new: object{}, want: object{}},
		{name: "what is there is taken", old: object{"plain": "x"}, new: object{"plain": "y", "custom": "z"}, want: object{"plain": "y", "custom": "z"}},
		{name: "immutable stays when absent", old: object{"fixed": "x"}, new: object{}, want: object{"fixed": "x"}},
		{name: "immutable can be set once", old: object{}, new: object{"fixed": "x"}, want: object{"fixed": "x"}},
		{name: "immutable in another case is the same", old: object{"fixed": "x"}, new: object{"fixed": "X"}, want: object{"fixed": "x"}},
		{name: "immutable and caseExact", old: object{"exact": "x"}, new: object{"exact": "X"}, err: `exact: is immutable: it stays the string "x" and cannot become the string "X"`},
		{name: "immutable changed", old: object{"fixed": "x"}, new: object{"fixed": "y"}, err: `fixed: is immutable: it stays the string "x" and cannot become the string "y"`},
		{name: "secret stays when absent", old: object{"secret": "x"}, new: object{}, want: object{"secret": "x"}},
		{name: "secret can be changed", old: object{"secret": "x"}, new: object{"secret": "y"}, want: object{"secret": "y"}},

		{name: "sub-attributes that the client cannot send stay", old: object{"one": object{"value": "v", "shown": "s", "secret": "x", "fixed": "f"}}, new: object{"one": object{"value": "V"}}, want: object{"one": object{"value": "V", "shown": "s", "secret": "x", "fixed": "f"}}},
		{name: "readOnly sub-attributes go with the value they describe", old: object{"one": object{"value": "v", "shown": "s"}}, new: object{"one": object{"value": "w"}}, want: object{"one": object{"value": "w"}}},
		{name: "immutable sub-attribute changed", old: object{"one": object{"value": "v", "fixed": "x"}}, new: object{"one": object{"value": "v", "fixed": "y"}}, err: `one.fixed: is immutable: it stays the string "x" and cannot become the string "y"`},

		{
			name: "elements that stay keep what they had",
			old:  object{"many": list(object{"value": "a", "shown": "sa", "fixed": "fa"}, object{"value": "b", "shown": "sb"})},
			new:  object{"many": list(object{"value": "c"}, object{"value": "A"})},
			want: object{"many": list(object{"value": "c"}, object{"value": "A", "shown": "sa", "fixed": "fa"})},
		},
		{
			name: "elements can be exchanged for others with the same value",
			old:  object{"many": list(object{"value": "a", "fixed": "x"})},
			new:  object{"many": list(object{"value": "a", "fixed": "y"})},
			want: object{"many": list(object{"value": "a", "fixed": "y"})},
		},
		{
			name: "elements without value are told by what is written",
			old:  object{"bare": list(object{"fixed": "a", "shown": "sa"})},
			new:  object{"bare": list(object{"fixed": "b"}, object{"fixed": "A"}, object{"fixed": "a"})},
			want: object{"bare": list(object{"fixed": "b"}, object{"fixed": "A", "shown": "sa"}, object{"fixed": "a"})},
		},
		{
			name: "immutable list in another order is the same",
			old:  object{"set": list(object{"value": "a", "shown": "s"}, object{"value": "b"})},
			new:  object{"set": list(object{"value": "b"}, object{"value": "a"})},
			want: object{"set": list(object{"value": "a", "shown": "s"}, object{"value": "b"})},
		},
		{
			name: "immutable list changed",
			old:  object{"set": list(object{"value": "a"})}, new: object{"set": list(object{"value": "a"}, object{"value": "b"})},
			err: "set: is immutable: it stays an array of 1 and cannot become an array of 2",
		},
		{name: "extension", old: object{extra: object{"fixed": "f", "shown": "s", "plain": "p"}}, new: object{}, want: object{extra: object{"fixed": "f", "shown": "s"}}},
		{name: "extension cleared", old: object{extra: object{"plain": "p"}}, new: object{}, want: object{}},
		{name: "extension changed", old: object{extra: object{"fixed": "f"}}, new: object{extra: object{"fixed": "g"}}, err: extra + `:fixed: is immutable: it stays the string "f" and cannot become the string "g"`},
	}
	s := guarded(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			old, replacement := scim.Document(test.old), scim.Document(test.new)
			oldBefore, newBefore := old.Clone(), replacement.Clone()
			got, err := s.Replace(old, replacement)
			if diff := cmp.Diff([]scim.Document{oldBefore, newBefore}, []scim.Document{old, replacement}); diff != "" {
				t.Errorf("the arguments have changed:\n%s", diff)
			}
			if test.err != "" {
				checkRefusal(t, err, test.err)
				if !errors.Is(err, scim.ErrMutability) {
					t.Errorf("error = %v, want type mutability", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := scim.Document(test.want)
			want["schemas"] = []any{"urn:example:Thing"}
			if want[extra] != nil {
				want["schemas"] = []any{"urn:example:Thing", extra}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReplaceDoesNotShowSecrets(t *testing.T) {
	pin := elimity.StringParams{Name: "pin", Mutability: elimity.AttributeMutabilityImmutable(), Returned: elimity.AttributeReturnedNever()}
	s, err := schema.Compile(elimity.Schema{ID: "urn:example:Thing", Attributes: []elimity.CoreAttribute{
		elimity.SimpleCoreAttribute(elimity.SimpleStringParams(pin)),
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Replace(scim.Document{"pin": "1234"}, scim.Document{"pin": "5678"})
	checkRefusal(t, err, "pin: is immutable: it stays a string and cannot become a string")
}

func TestReplaceMembersIsLinear(t *testing.T) {
	// With a search for each member this would be 10^9 steps.
	const n = 30_000
	members := func(extra ...any) []any {
		list := make([]any, 0, n)
		for i := range n {
			list = append(list, object{"value": string(rune('a'+i%26)) + string(rune(0x4E00+i/26))})
		}
		return append(list, extra...)
	}
	old := scim.Document{"displayName": "g", "members": members()}
	got, err := schema.Group().Replace(old, scim.Document{"displayName": "g", "members": members(object{"value": "new"})})
	if err != nil || len(got["members"].([]any)) != n+1 {
		t.Errorf("%v, %v", len(got["members"].([]any)), err)
	}
}

func TestCheckRequired(t *testing.T) {
	things := typed(t)
	tests := []struct {
		name   string
		schema *schema.Schema
		doc    scim.Document
		err    string
	}{
		{name: "all there", schema: schema.User(), doc: scim.Document{"userName": "a"}},
		{name: "attribute", schema: schema.User(), doc: scim.Document{"displayName": "a"}, err: "userName: is required and must be a string"},
		{name: "sub-attribute", schema: things, doc: scim.Document{"part": object{"label": "x"}}, err: "part.value: is required and must be a string"},
		{name: "extension", schema: strictExtension(t), doc: scim.Document{"userName": "a"}, err: "urn:example:Extra: is required and must be an object with codes"},
		{name: "element of an extension", schema: strictExtension(t), doc: scim.Document{"userName": "a", "urn:example:Extra": object{
			"codes": []any{object{"value": "x"}, object{"type": "y"}},
		}}, err: "urn:example:Extra:codes[1].value: is required and must be a string"},
		{name: "absent complex attribute", schema: things, doc: scim.Document{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.schema.CheckRequired(test.doc)
			if test.err == "" && err == nil {
				return
			}
			checkRefusal(t, err, test.err)
		})
	}
}

// strictExtension is User with a required extension whose elements have a required sub-attribute.
func strictExtension(t *testing.T) *schema.Schema {
	t.Helper()
	s, err := schema.Compile(schema.CoreUser(), schema.Extension{Required: true, Schema: elimity.Schema{
		ID: "urn:example:Extra", Attributes: []elimity.CoreAttribute{
			elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "codes", MultiValued: true, SubAttributes: []elimity.SimpleParams{
				elimity.SimpleStringParams(elimity.StringParams{Name: "value", Required: true}),
				elimity.SimpleStringParams(elimity.StringParams{Name: "type"}),
			}}),
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
