package benchmarks

import (
	"fmt"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/schema"
)

func group(members int) scim.Document {
	list := make([]any, members)
	for i := range list {
		list[i] = map[string]any{"value": fmt.Sprintf("user-%07d", i), "type": "User"}
	}
	return scim.Document{"schemas": []any{scim.GroupSchema}, "id": "g", "displayName": "All", "members": list}
}

// BenchmarkPatchMember adds one member to a group that is held ready, and removes it again. The time must not grow with the group.
func BenchmarkPatchMember(b *testing.B) {
	for _, n := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprintf("members=%d", n), func(b *testing.B) {
			target := patch.NewTarget(schema.Group(), group(n))
			add := []scim.PatchOperation{{Op: scim.OpAdd, Path: "members", Value: []any{map[string]any{"value": "newcomer"}}}}
			remove := []scim.PatchOperation{{Op: scim.OpRemove, Path: `members[value eq "newcomer"]`}}
			// The index is built by the first use.
			if _, err := target.Apply(add, patch.Options{}); err != nil {
				b.Fatal(err)
			}
			if _, err := target.Apply(remove, patch.Options{}); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if changed, err := target.Apply(add, patch.Options{}); err != nil || !changed {
					b.Fatal(changed, err)
				}
				if changed, err := target.Apply(remove, patch.Options{}); err != nil || !changed {
					b.Fatal(changed, err)
				}
			}
		})
	}
}

// BenchmarkDiffGroups compares two groups that differ in one member of a hundred.
func BenchmarkDiffGroups(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("members=%d", n), func(b *testing.B) {
			before, after := group(n), group(n)
			for i, m := range after["members"].([]any) {
				if i%100 == 0 {
					m.(map[string]any)["value"] = fmt.Sprintf("other-%07d", i)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				ops, err := patch.Diff(schema.Group(), before, after, patch.Dialect{})
				if err != nil || len(ops) == 0 {
					b.Fatal(len(ops), err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/member")
		})
	}
}
