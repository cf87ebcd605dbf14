package patch_test

import (
	"fmt"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/schema"
)

// manyMembers is the size of a large group.
const manyMembers = 100_000

// largeGroup returns a group with members from the first id to before the last.
func largeGroup(first, last int) scim.Document {
	members := make([]any, 0, last-first)
	for i := first; i < last; i++ {
		members = append(members, map[string]any{"value": memberID(i), "display": "Member", "type": "User"})
	}
	return scim.Document{
		"schemas": []any{scim.GroupSchema}, "id": "g1", "displayName": "Everyone", "members": members,
	}
}

func memberID(i int) string { return fmt.Sprintf("2819c223-7f76-453a-919d-%012d", i) }

func memberPath(id string) string { return `members[value eq "` + id + `"]` }

func BenchmarkTargetMember(b *testing.B) {
	for _, size := range []int{100, manyMembers} {
		b.Run(fmt.Sprintf("add and remove in %d", size), func(b *testing.B) {
			target := patch.NewTarget(schema.Group(), largeGroup(0, size))
			id := memberID(size)
			add := []scim.PatchOperation{{Op: scim.OpAdd, Path: "members", Value: []any{map[string]any{"value": id}}}}
			remove := []scim.PatchOperation{{Op: scim.OpRemove, Path: memberPath(id)}}
			if !target.Contains("members", memberID(0)) { // builds the index
				b.Fatal("the first member is missing")
			}
			b.ReportAllocs()
			for b.Loop() {
				for _, ops := range [][]scim.PatchOperation{add, remove} {
					if changed, err := target.Apply(ops, patch.Options{}); err != nil || !changed {
						b.Fatal(changed, err)
					}
				}
			}
		})
	}
}

func BenchmarkTargetIndex(b *testing.B) {
	doc := largeGroup(0, manyMembers)
	b.ReportAllocs()
	for b.Loop() {
		if !patch.NewTarget(schema.Group(), doc).Contains("members", memberID(0)) {
			b.Fatal("the first member is missing")
		}
	}
}

func BenchmarkApply(b *testing.B) {
	user := decode(b, userDocument)
	group := largeGroup(0, manyMembers)
	var removals []scim.PatchOperation
	for i := range 100 {
		removals = append(removals, scim.PatchOperation{Op: scim.OpRemove, Path: memberPath(memberID(i * 1000))})
	}
	var added []any
	for i := range 1000 {
		added = append(added, map[string]any{"value": memberID(manyMembers + i)})
	}
	tests := []struct {
		name   string
		schema *schema.Schema
		doc    scim.Document
		ops    []scim.PatchOperation
	}{
		{"replace on a user", schema.User(), user, []scim.PatchOperation{{Op: scim.OpReplace, Path: "active", Value: false}}},
		{"value path on a user", schema.User(), user, []scim.PatchOperation{{Op: scim.OpReplace, Path: `emails[type eq "work"].value`, Value: "x@example.com"}}},
		{"one member into 100000", schema.Group(), group, []scim.PatchOperation{{Op: scim.OpAdd, Path: "members", Value: added[:1]}}},
		{"100 members out of 100000", schema.Group(), group, removals},
		{"1000 members into 2", schema.Group(), decode(b, groupDocument), []scim.PatchOperation{{Op: scim.OpAdd, Path: "members", Value: added}}},
		{"100000 members replaced", schema.Group(), group, []scim.PatchOperation{{Op: scim.OpReplace, Path: "members", Value: largeGroup(5, manyMembers+5)["members"]}}},
	}
	for _, bb := range tests {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if result, err := patch.Apply(bb.schema, bb.doc, bb.ops, patch.Options{}); err != nil || !result.Changed {
					b.Fatal(result.Changed, err)
				}
			}
		})
	}
}

func BenchmarkDiff(b *testing.B) {
	user := decode(b, userDocument)
	other := user.Clone()
	other["title"] = "Chief"
	delete(user, "password")
	delete(other, "password")
	for _, bb := range []struct {
		name     string
		schema   *schema.Schema
		old, new scim.Document
	}{
		{"users", schema.User(), user, other},
		{"groups of 10000", schema.Group(), largeGroup(0, 10_000), largeGroup(10, 10_010)},
		{"groups of 100000", schema.Group(), largeGroup(0, manyMembers), largeGroup(10, manyMembers+10)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if ops, err := patch.Diff(bb.schema, bb.old, bb.new, patch.Dialect{}); err != nil || len(ops) == 0 {
					b.Fatal(len(ops), err)
				}
			}
		})
	}
}
