package patch_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/schema"
)

// FuzzApply applies whatever a client may send to a user, a group and a device, and checks what must hold of every outcome.
func FuzzApply(f *testing.F) {
	for kind, tests := range [][]applyTest{rfcUserTests, rfcGroupTests, deviceTests} {
		for _, tt := range tests {
			f.Add(byte(kind), tt.ops)
		}
	}
	for kind, tests := range [][]wildTest{wildUserTests, wildGroupTests} {
		for _, tt := range tests {
			f.Add(byte(kind), tt.ops)
		}
	}
	schemas := []*schema.Schema{schema.User(), schema.Group(), deviceSchema(f)}
	documents := []string{userDocument, groupDocument, deviceDocument}
	f.Fuzz(func(t *testing.T, kind byte, text string) {
		var request scim.PatchRequest
		if json.Unmarshal([]byte(`{"Operations":[`+text+`]}`), &request) != nil {
			t.Skip()
		}
		s, document := schemas[int(kind)%3], documents[int(kind)%3]
		opts := patch.Options{Strict: kind&4 != 0, IgnoreUnknown: kind&8 != 0, MaxWork: 10_000, MaxGrowth: 1 << 20}
		checkApply(t, s, decode(t, document), request.Operations, opts)
	})
}

func checkApply(t *testing.T, s *schema.Schema, doc scim.Document, ops []scim.PatchOperation, opts patch.Options) {
	t.Helper()
	before := doc.Clone()
	target := patch.NewTarget(s, doc.Clone())
	changed, targetErr := target.Apply(ops, opts)
	result, err := patch.Apply(s, doc, ops, opts)
	if diff := cmp.Diff(before, doc); diff != "" {
		t.Fatalf("the document was changed (-want +got):\n%s", diff)
	}
	if (err == nil) != (targetErr == nil) || changed != result.Changed {
		t.Fatalf("a target gives %t, %v; Apply gives %t, %v", changed, targetErr, result.Changed, err)
	}
	if err != nil {
		if refused, ok := errors.AsType[*scim.Error](err); !ok || refused.Status < 400 || refused.Status > 499 {
			t.Fatalf("got error %v", err)
		}
		if diff := cmp.Diff(doc, target.Document()); diff != "" {
			t.Fatalf("a refused request has changed the target (-want +got):\n%s", diff)
		}
		return
	}
	if diff := cmp.Diff(result.Document, target.Document()); diff != "" {
		t.Fatalf("a target has another outcome (-apply +target):\n%s", diff)
	}
	canonical, err := s.Canonical(result.Document, schema.Options{Mode: schema.ModeAny, Unknown: schema.UnknownReject})
	if err != nil {
		t.Fatalf("the result is wrong: %v", err)
	}
	if diff := cmp.Diff(canonical, result.Document); diff != "" {
		t.Fatalf("the result is not canonical (-want +got):\n%s", diff)
	}
	if !result.Changed {
		if diff := cmp.Diff(before, result.Document); diff != "" {
			t.Fatalf("not changed, but (-want +got):\n%s", diff)
		}
	}
}

// FuzzTarget runs random requests, among them ones that fail, against a target and checks that it stays what the
// same requests make of the document by Apply.
func FuzzTarget(f *testing.F) {
	f.Add(uint64(1))
	schemas := []*schema.Schema{schema.User(), schema.Group(), deviceSchema(f)}
	f.Fuzz(func(t *testing.T, seed uint64) {
		g := generator{rand.New(rand.NewPCG(seed, 0)), schemas[seed%3]}
		doc := g.document()
		target := patch.NewTarget(g.schema, doc.Clone())
		for range 20 {
			ops, err := patch.Diff(g.schema, doc, g.variant(doc), patch.Dialect{})
			if err != nil {
				continue // the variant has lost what is immutable
			}
			if g.IntN(3) == 0 {
				ops = append(ops, scim.PatchOperation{Op: scim.OpReplace, Path: "id", Value: "x"})
			}
			result, err := patch.Apply(g.schema, doc, ops, patch.Options{})
			changed, targetErr := target.Apply(ops, patch.Options{})
			if (err == nil) != (targetErr == nil) || changed != result.Changed {
				t.Fatalf("a target gives %t, %v; Apply gives %t, %v", changed, targetErr, result.Changed, err)
			}
			if err == nil {
				doc = result.Document
			}
			if g.IntN(2) == 0 {
				if diff := cmp.Diff(doc, target.Document()); diff != "" {
					t.Fatalf("after %v (-apply +target):\n%s", ops, diff)
				}
			}
		}
	})
}

func FuzzDiff(f *testing.F) {
	f.Add(uint64(1))
	schemas := []*schema.Schema{schema.User(), schema.Group(), deviceSchema(f)}
	f.Fuzz(func(t *testing.T, seed uint64) {
		g := generator{rand.New(rand.NewPCG(seed, 1)), schemas[seed%3]}
		a, b := g.document(), g.document()
		if g.IntN(2) == 0 {
			b = g.variant(a)
		}
		sameImmutables(g.schema, a, b)
		for name, d := range dialects() {
			checkDiff(t, g.schema, a, b, d, understoodByTheRFC(name) && g.IntN(2) == 0)
		}
	})
}

// FuzzOperations applies random operations that make sense more often than random bytes do.
func FuzzOperations(f *testing.F) {
	f.Add(uint64(1))
	schemas := []*schema.Schema{schema.User(), schema.Group(), deviceSchema(f)}
	f.Fuzz(func(t *testing.T, seed uint64) {
		g := generator{rand.New(rand.NewPCG(seed, 2)), schemas[seed%3]}
		doc := g.document()
		for range 5 {
			ops := make([]scim.PatchOperation, 1+g.IntN(3))
			for i := range ops {
				ops[i] = g.operation()
			}
			checkApply(t, g.schema, doc, ops, patch.Options{Strict: g.IntN(4) == 0, MaxGrowth: 1 << 20})
		}
	})
}

// operation returns an operation of which any part may be wrong.
func (g generator) operation() scim.PatchOperation {
	op := scim.PatchOperation{Op: []scim.PatchOp{scim.OpAdd, scim.OpReplace, scim.OpRemove, "Add", "Replace", "Remove"}[g.IntN(6)]}
	if g.IntN(6) == 0 {
		object := make(map[string]any)
		for range 1 + g.IntN(3) {
			path, v := g.target()
			object[path] = v
		}
		op.Value = object
		return op
	}
	op.Path, op.Value = g.target()
	if g.IntN(4) == 0 {
		op.Value = nil
	}
	return op
}

// target returns a path and a value, which mostly fits.
func (g generator) target() (string, any) {
	var all []*schema.Attribute
	for a := range g.schema.Attributes() {
		all = append(all, a)
	}
	a := all[g.IntN(len(all))]
	path, at := a.Path(), a
	if a.MultiValued && g.IntN(2) == 0 {
		path += "[" + g.filter(a) + "]"
	}
	if len(a.Sub) > 0 && g.IntN(2) == 0 {
		at = a.Sub[g.IntN(len(a.Sub))]
		path += "." + at.Name
	}
	switch g.IntN(8) {
	case 0:
		return path, []any{"", true, "True", int64(1), []any{}, []any{nil, "a"}, map[string]any{}, map[string]any{"value": ""}, map[string]any{"VALUE": "a", "$ref": nil}}[g.IntN(9)]
	case 1:
		return path, g.single(at)
	}
	return path, g.value(at)
}

func (g generator) filter(a *schema.Attribute) string {
	name := "value"
	if len(a.Sub) > 0 {
		name = a.Sub[g.IntN(len(a.Sub))].Name
	}
	literal := []string{`"a"`, `"B"`, `"work"`, `true`, `"True"`, `1`, `null`, `"https://example.com/1"`}[g.IntN(8)]
	text := name + " " + []string{"eq", "eq", "eq", "ne", "co"}[g.IntN(5)] + " " + literal
	switch g.IntN(6) {
	case 0:
		return text + " and " + g.filter(a)
	case 1:
		return text + " or value pr"
	}
	return text
}
