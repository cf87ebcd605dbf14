package patch_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	elimity "github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"
	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/schema"
)

func repeat(n int, op scim.PatchOperation) []scim.PatchOperation {
	ops := make([]scim.PatchOperation, n)
	for i := range ops {
		ops[i] = op
	}
	return ops
}

func TestApplyBounds(t *testing.T) {
	tests := []struct {
		name   string
		schema *schema.Schema
		doc    scim.Document
		ops    []scim.PatchOperation
		opts   patch.Options
		status int // 0 when it is within the bounds
	}{
		{
			name: "1,001 operations", schema: schema.User(), doc: scim.Document{"userName": "x"}, status: 400,
			ops: repeat(1001, scim.PatchOperation{Op: scim.OpReplace, Path: "title", Value: "x"}),
		},
		{
			name: "1,000 operations", schema: schema.User(), doc: scim.Document{"userName": "x"},
			ops: repeat(1000, scim.PatchOperation{Op: scim.OpReplace, Path: "title", Value: "x"}),
		},
		{
			name: "value filters over all members, again and again", schema: schema.Group(), doc: largeGroup(0, 20_000), status: 400,
			ops: repeat(1000, scim.PatchOperation{Op: scim.OpRemove, Path: `members[display co "nobody"]`}),
		},
		{
			name: "a filter of many terms costs as much", schema: schema.Group(), doc: largeGroup(0, 20_000), status: 400,
			ops: []scim.PatchOperation{{Op: scim.OpRemove, Path: `members[display co "x"` + strings.Repeat(` or display co "x"`, 250) + `]`}},
		},
		{
			name: "members by their value are found at once", schema: schema.Group(), doc: largeGroup(0, 20_000),
			ops: repeat(1000, scim.PatchOperation{Op: scim.OpRemove, Path: memberPath("nobody")}),
		},
		{
			name: "a long text for each of many elements", schema: deviceSchema(t), status: 413,
			doc: scim.Document{"label": "x", "owners": references(20_000)},
			ops: []scim.PatchOperation{{Op: scim.OpReplace, Path: "owners.role", Value: strings.Repeat("x", 10_000)}},
		},
		{
			name: "addresses that have nothing to find them by", schema: schema.User(), doc: scim.Document{"userName": "x"}, status: 400,
			ops: []scim.PatchOperation{{Op: scim.OpAdd, Path: "addresses", Value: addresses(5000)}},
		},
		{
			name: "bounds of one's own", schema: schema.User(), doc: scim.Document{"userName": "x"}, status: 413, opts: patch.Options{MaxGrowth: 10},
			ops: []scim.PatchOperation{{Op: scim.OpReplace, Path: "title", Value: "longer than ten bytes"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := patch.Apply(tt.schema, tt.doc, tt.ops, tt.opts)
			if tt.status == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			refused, ok := errors.AsType[*scim.Error](err)
			if !ok || refused.Status != tt.status {
				t.Fatalf("got %v, want status %d", err, tt.status)
			}
			if tt.status == 400 && refused.Type != scim.TooMany {
				t.Errorf("got %s, want tooMany", refused.Type)
			}
		})
	}
}

func references(n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = map[string]any{"value": memberID(i)}
	}
	return list
}

func addresses(n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = map[string]any{"formatted": fmt.Sprint(i)}
	}
	return list
}

// vaultSchema has elements with a part that is never returned.
func vaultSchema(t *testing.T) *schema.Schema {
	t.Helper()
	s, err := schema.Compile(elimity.Schema{
		ID: "urn:example:vault:1.0:Vault",
		Attributes: []elimity.CoreAttribute{
			elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "pin", Returned: elimity.AttributeReturnedNever()})),
			elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{
				Name: "codes", MultiValued: true, Returned: elimity.AttributeReturnedNever(),
			})),
			elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "keys", MultiValued: true, SubAttributes: []elimity.SimpleParams{
				elimity.SimpleStringParams(elimity.StringParams{Name: "value"}),
				elimity.SimpleStringParams(elimity.StringParams{
					Name: "secret", Returned: elimity.AttributeReturnedNever(), Mutability: elimity.AttributeMutabilityWriteOnly(),
				}),
			}}),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestApplyDoesNotAnswerQuestionsAboutSecrets(t *testing.T) {
	s := vaultSchema(t)
	doc := scim.Document{"keys": []any{map[string]any{"value": "k1", "secret": "hunter2"}}}
	for _, path := range []string{
		`keys[secret eq "hunter2"]`, `keys[secret eq "other"]`, `keys[value eq "k1" and secret sw "h"].value`, `keys[not (secret pr)]`,
	} {
		for _, op := range []scim.PatchOp{scim.OpAdd, scim.OpReplace, scim.OpRemove} {
			_, err := patch.Apply(s, doc, []scim.PatchOperation{{Op: op, Path: path, Value: "x"}}, patch.Options{})
			refused, ok := errors.AsType[*scim.Error](err)
			if !ok || refused.Status != 403 || refused.Type != scim.Sensitive {
				t.Errorf("%s %s: got %v, want 403 sensitive", op, path, err)
			}
		}
	}
	for _, secret := range []string{"hunter2", "other"} {
		result, err := patch.Apply(s, doc, []scim.PatchOperation{{Op: scim.OpReplace, Path: `keys[value eq "k1"].secret`, Value: secret}}, patch.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !result.Changed {
			t.Errorf("writing %q tells that it was the secret", secret)
		}
	}
	for _, tt := range []struct {
		op      scim.PatchOperation
		refused bool
	}{
		{scim.PatchOperation{Op: scim.OpRemove, Path: "keys", Value: []any{map[string]any{"secret": "hunter2"}}}, true},
		{scim.PatchOperation{Op: scim.OpRemove, Path: "keys", Value: []any{map[string]any{"secret": "other"}}}, true},
		{scim.PatchOperation{Op: scim.OpRemove, Path: "keys", Value: []any{map[string]any{"value": "k2", "secret": "other"}}}, false},
		{scim.PatchOperation{Op: scim.OpRemove, Path: "keys", Value: []any{map[string]any{"value": "k1", "secret": "other"}}}, false},
		{scim.PatchOperation{Op: scim.OpRemove, Path: `keys[value eq "k1"].secret`}, false},
		{scim.PatchOperation{Op: scim.OpRemove, Path: "codes", Value: []any{"hunter2"}}, false},
		{scim.PatchOperation{Op: scim.OpRemove, Path: "codes", Value: []any{"other"}}, false},
		{scim.PatchOperation{Op: scim.OpRemove, Path: "pin"}, false},
		{scim.PatchOperation{Op: scim.OpReplace, Path: "pin"}, false},
	} {
		for _, doc := range []scim.Document{doc, {"codes": []any{"hunter2"}, "pin": "hunter2", "keys": []any{map[string]any{"value": "k1"}}}} {
			result, err := patch.Apply(s, doc, []scim.PatchOperation{tt.op}, patch.Options{})
			refused, _ := errors.AsType[*scim.Error](err)
			if tt.refused != (refused != nil && refused.Status == 403 && refused.Type == scim.Sensitive) || !tt.refused && (!result.Changed || !result.Sensitive) {
				t.Errorf("%v on %v: changed %t, sensitive %t, %v", tt.op, doc, result.Changed, result.Sensitive, err)
			}
		}
	}
}

func TestErrorsDoNotHoldPasswords(t *testing.T) {
	doc := decode(t, userDocument)
	for _, value := range []any{map[string]any{"p": "t0psecret"}, []any{"t0psecret", "t0psecret"}} {
		_, err := patch.Apply(schema.User(), doc, []scim.PatchOperation{{Op: scim.OpReplace, Path: "password", Value: value}}, patch.Options{})
		if err == nil || strings.Contains(err.Error(), "t0psecret") {
			t.Errorf("got error %v", err)
		}
	}
}

func TestIgnoreUnknown(t *testing.T) {
	doc := decode(t, userDocument)
	ops := decodeOps(t, `{"op":"replace","path":"colour","value":"teal"},{"op":"replace","path":"title","value":"Chief"}`)
	for _, strict := range []bool{false, true} {
		result, err := patch.Apply(schema.User(), doc, ops, patch.Options{IgnoreUnknown: true, Strict: strict})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(change(t, userDocument, `{"title":"Chief"}`), result.Document); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestTarget(t *testing.T) {
	target := patch.NewTarget(schema.Group(), largeGroup(0, 1000))
	apply := func(text string) bool {
		t.Helper()
		changed, err := target.Apply(decodeOps(t, text), patch.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return changed
	}
	first := target.Document()
	if !apply(`{"op":"add","path":"members","value":[{"value":"new"}]}`) || apply(`{"op":"add","path":"members","value":[{"value":"new"}]}`) {
		t.Error("a member is added once")
	}
	second := target.Document()
	for i := range 900 {
		apply(`{"op":"remove","path":"` + strings.ReplaceAll(memberPath(memberID(i)), `"`, `\"`) + `"}`)
	}
	if target.Len("members") != 101 || !target.Contains("members", "new") || target.Contains("members", memberID(0)) {
		t.Errorf("%d members are left", target.Len("members"))
	}
	if _, err := target.Apply(decodeOps(t, `{"op":"remove","path":"members"},{"op":"add","path":"members","value":["a"]},{"op":"remove","path":"displayName"}`), patch.Options{}); err == nil {
		t.Error("displayName is required")
	}
	for name, got := range map[string]int{
		"before": len(first["members"].([]any)), "after an addition": len(second["members"].([]any)) - 1, "after removals": len(target.Document()["members"].([]any)) + 899,
	} {
		if got != 1000 {
			t.Errorf("%s: the document has not the members it had: %d", name, got)
		}
	}
	want := scim.Document{"schemas": []any{scim.GroupSchema}, "id": "g1", "displayName": "Everyone"}
	if diff := cmp.Diff(want, target.DocumentWithout("MEMBERS")); diff != "" {
		t.Errorf("without members (-want +got):\n%s", diff)
	}
	if target.Len("displayName") != 0 || target.Len("nonsense") != 0 || target.Contains("displayName", "Everyone") {
		t.Error("only multi-valued attributes have elements")
	}
}

func TestTargetDocumentWithoutAnAttributeOfAnExtension(t *testing.T) {
	target := patch.NewTarget(deviceSchema(t), decode(t, deviceDocument))
	got := target.DocumentWithout("urn:example:lease:1.0:Device:payers", "ports")
	want := change(t, deviceDocument, `{"ports":null,"urn:example:lease:1.0:Device":null}`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(decode(t, deviceDocument), target.Document()); diff != "" {
		t.Errorf("the target has changed (-want +got):\n%s", diff)
	}
}

func TestApplySurvivesHostilePaths(t *testing.T) {
	doc := decode(t, userDocument)
	deep := strings.Repeat("(", 100_000)
	paths := []string{
		"emails[" + deep, "emails[" + deep + `type eq "x"` + strings.Repeat(")", 100_000) + "]", "emails[" + strings.Repeat("not (", 100_000),
		"emails[" + strings.Repeat(`type eq "x" or `, 100_000) + `type eq "x"]`, strings.Repeat("a.", 100_000), strings.Repeat("urn:", 100_000) + "x",
		"emails[type eq \"" + strings.Repeat("x", 1<<20) + "\"]", "emails[type eq \"\xff\"]", "emails]", "[]", "emails[]", ".", ":", "\x00",
	}
	for _, path := range paths {
		for _, op := range []scim.PatchOperation{
			{Op: scim.OpReplace, Path: path, Value: "x"}, {Op: scim.OpRemove, Path: path}, {Op: scim.OpAdd, Value: map[string]any{path + "[x": "x"}},
		} {
			_, err := patch.Apply(schema.User(), doc, []scim.PatchOperation{op}, patch.Options{})
			if op.Path == "" && err == nil {
				continue // an unknown attribute
			}
			refused, ok := errors.AsType[*scim.Error](err)
			if !ok || refused.Status != 400 || len(refused.Error()) > 1000 {
				t.Errorf("%.20s…: got %.200v", path, err)
			}
		}
	}
}

// Elements with one value between them are taken out one by one in linear time: were each searched among the others, this test would
// run for minutes.
func TestRemovingManyElementsWithTheSameValue(t *testing.T) {
	const n = 300_000
	emails := make([]any, n)
	for i := range emails {
		emails[i] = map[string]any{"value": "same@example.com", "type": fmt.Sprint(i)}
	}
	ops := []scim.PatchOperation{
		// Several look-ups, so that an index is built.
		{Op: scim.OpAdd, Path: "emails", Value: []any{"a@example.com", "b@example.com", "c@example.com", "d@example.com"}},
		{Op: scim.OpRemove, Path: `emails[value sw "same"]`},
	}
	result, err := patch.Apply(schema.User(), scim.Document{"userName": "x", "emails": emails}, ops, patch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(result.Document["emails"].([]any)); got != 4 {
		t.Errorf("%d elements are left, want 4", got)
	}
}
