package patch_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/schema"
)

func TestAsMemberDelta(t *testing.T) {
	tests := []struct {
		name, ops string
		want      patch.MemberDelta
		not       bool
	}{
		{
			name: "add and remove", ops: `{"op":"remove","path":"members[value eq \"u1\"]"},{"op":"add","path":"members","value":[{"value":"u3","display":"C"}]}`,
			want: patch.MemberDelta{Remove: []string{"u1"}, Add: []map[string]any{{"value": "u3", "display": "C"}}},
		},
		{
			name: "entra", ops: `{"op":"Add","path":"members","value":[{"$ref":null,"value":"u3"},{"value":"u3"}]},{"op":"Remove","path":"members","value":[{"value":"u1"},{"value":"gone"}]}`,
			want: patch.MemberDelta{Remove: []string{"u1", "gone"}, Add: []map[string]any{{"value": "u3"}}},
		},
		{name: "several in one filter", ops: `{"op":"remove","path":"members[value eq \"u1\" or value eq \"u2\"]"}`, want: patch.MemberDelta{Remove: []string{"u1", "u2"}}},
		{name: "added and removed", ops: `{"op":"add","path":"members","value":["u3"]},{"op":"remove","path":"members[value eq \"u3\"]"}`, want: patch.MemberDelta{Remove: []string{"u3"}}},
		{
			name: "removed and added", ops: `{"op":"remove","path":"members[value eq \"u1\"]"},{"op":"add","path":"members","value":[{"value":"u1"}]}`,
			want: patch.MemberDelta{Remove: []string{"u1"}, Add: []map[string]any{{"value": "u1"}}},
		},
		{name: "by the URN", ops: `{"op":"remove","path":"urn:ietf:params:scim:schemas:core:2.0:Group:members[value eq \"u1\"]"}`, want: patch.MemberDelta{Remove: []string{"u1"}}},

		{name: "a rename besides", ops: `{"op":"replace","value":{"displayName":"x"}},{"op":"add","path":"members","value":["u3"]}`, not: true},
		{name: "all members", ops: `{"op":"remove","path":"members"}`, not: true},
		{name: "a replacement", ops: `{"op":"replace","path":"members","value":[{"value":"u3"}]}`, not: true},
		{name: "another filter", ops: `{"op":"remove","path":"members[type eq \"User\"]"}`, not: true},
		{name: "a filter with and", ops: `{"op":"remove","path":"members[value eq \"u1\" and type eq \"User\"]"}`, not: true},
		{name: "a sub-attribute", ops: `{"op":"remove","path":"members[value eq \"u1\"].display"}`, not: true},
		{name: "an element without a value", ops: `{"op":"add","path":"members","value":[{"display":"x"}]}`, not: true},
		{name: "what Apply refuses", ops: `{"op":"add","path":"members","value":[{"value":{"x":1}}]}`, not: true},
		{name: "an unknown path", ops: `{"op":"add","path":"colours","value":["x"]}`, not: true},
		{name: "an add of nothing", ops: `{"op":"add","path":"members","value":null}`, not: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ops := decodeOps(t, tt.ops)
			got, ok := patch.AsMemberDelta(schema.Group(), ops, patch.Options{})
			if ok == tt.not {
				t.Fatalf("got %v, %t", got, ok)
			}
			if tt.not {
				return
			}
			tt.want.Attribute = "members"
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			doc := decode(t, groupDocument)
			result, err := patch.Apply(schema.Group(), doc, ops, patch.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(essence(schema.Group(), result.Document), essence(schema.Group(), applyDelta(doc, got))); diff != "" {
				t.Errorf("the delta does something else (-apply +delta):\n%s", diff)
			}
		})
	}
	if _, ok := patch.AsMemberDelta(schema.Group(), decodeOps(t, `{"op":"remove","path":"members[value eq \"u1\"]"}`), patch.Options{Strict: true}); ok {
		t.Error("a strict removal depends on who is there")
	}
	if _, ok := patch.AsMemberDelta(schema.User(), decodeOps(t, `{"op":"add","path":"emails","value":[{"value":"x"}]}`), patch.Options{}); ok {
		t.Error("e-mail addresses are no references")
	}
}

// applyDelta does what a store does with a delta.
func applyDelta(doc scim.Document, d patch.MemberDelta) scim.Document {
	doc = doc.Clone()
	members := make(map[string]any)
	for _, m := range doc["members"].([]any) {
		members[m.(map[string]any)["value"].(string)] = m
	}
	for _, id := range d.Remove {
		delete(members, id)
	}
	for _, m := range d.Add {
		if id := m["value"].(string); members[id] == nil {
			members[id] = m
		}
	}
	var list []any
	for _, m := range members {
		list = append(list, m)
	}
	doc["members"] = list
	return doc
}
