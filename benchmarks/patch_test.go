package benchmarks

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	peer "github.com/elimity-com/scim"
	elimity "github.com/elimity-com/scim/schema"
	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/schema"
)

// BenchmarkPatch reads the body of a PATCH and deals with its operations. elimity only validates them: applying them is left to
// its user. Ours are applied to a user of a few attributes, and to a group of 1,000 members.
func BenchmarkPatch(b *testing.B) {
	tests := []struct {
		name, path, operations string
		schema                 *schema.Schema
		doc                    scim.Document
	}{
		{
			"value-path", "/Users/1", `{"op":"replace","path":"emails[type eq \"work\"].value","value":"x@example.com"}`, schema.User(),
			scim.Document{"userName": "bjensen", "emails": []any{map[string]any{"type": "work", "value": "bjensen@example.com"}}},
		},
		{"remove-100-members", "/Groups/1", removals(100), schema.Group(), groupOf(1000)},
		{"add-1000-members", "/Groups/1", `{"op":"add","path":"members","value":[` + newMembers(1000) + `]}`, schema.Group(), groupOf(1000)},
	}
	for _, bb := range tests {
		body := `{"schemas":["` + scim.PatchOpSchema + `"],"Operations":[` + bb.operations + `]}`
		b.Run("request="+bb.name+"/server=elimity-validates", func(b *testing.B) {
			server := peerServer(b)
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				server.ServeHTTP(w, httptest.NewRequest(http.MethodPatch, bb.path, strings.NewReader(body)))
				if w.Code != http.StatusOK && w.Code != http.StatusNoContent {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
		b.Run("request="+bb.name+"/server=ours-applies", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var request scim.PatchRequest
				if err := json.Unmarshal([]byte(body), &request); err != nil {
					b.Fatal(err)
				}
				if result, err := patch.Apply(bb.schema, bb.doc, request.Operations, patch.Options{}); err != nil || !result.Changed {
					b.Fatal(result.Changed, err)
				}
			}
		})
	}
}

// BenchmarkPatchLargeGroup adds a member and removes it again, in groups that are held as targets.
func BenchmarkPatchLargeGroup(b *testing.B) {
	for _, members := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			target := patch.NewTarget(schema.Group(), groupOf(members))
			add := []scim.PatchOperation{{Op: scim.OpAdd, Path: "members", Value: []any{map[string]any{"value": "new"}}}}
			remove := []scim.PatchOperation{{Op: scim.OpRemove, Path: `members[value eq "new"]`}}
			if target.Contains("members", "new") { // builds the index
				b.Fatal("new is no member yet")
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

// BenchmarkDiffLargeGroup compares two groups that differ in 20 members.
func BenchmarkDiffLargeGroup(b *testing.B) {
	for _, members := range []int{10_000, 100_000, 300_000, 1_000_000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			old, new := groupOf(members), groupOf(members+10)
			new["members"] = new["members"].([]any)[10:]
			b.ReportAllocs()
			for b.Loop() {
				if ops, err := patch.Diff(schema.Group(), old, new, patch.Dialect{}); err != nil || len(ops) != 11 {
					b.Fatal(len(ops), err)
				}
			}
		})
	}
}

func memberID(i int) string { return fmt.Sprintf("2819c223-7f76-453a-919d-%012d", i) }

func groupOf(n int) scim.Document {
	members := make([]any, n)
	for i := range members {
		members[i] = map[string]any{"value": memberID(i)}
	}
	return scim.Document{"schemas": []any{scim.GroupSchema}, "displayName": "Guides", "members": members}
}

func removals(n int) string {
	ops := make([]string, n)
	for i := range ops {
		ops[i] = `{"op":"remove","path":"members[value eq \"` + memberID(i) + `\"]"}`
	}
	return strings.Join(ops, ",")
}

func newMembers(n int) string {
	elements := make([]string, n)
	for i := range elements {
		elements[i] = `{"value":"` + memberID(1_000_000+i) + `"}`
	}
	return strings.Join(elements, ",")
}

// peerServer is elimity's server with handlers that do nothing.
func peerServer(b *testing.B) http.Handler {
	b.Helper()
	server, err := peer.NewServer(&peer.ServerArgs{
		ServiceProviderConfig: &peer.ServiceProviderConfig{SupportPatch: true},
		ResourceTypes: []peer.ResourceType{
			{Name: "User", Endpoint: "/Users", Schema: elimity.CoreUserSchema(), Handler: idle{}},
			{Name: "Group", Endpoint: "/Groups", Schema: elimity.CoreGroupSchema(), Handler: idle{}},
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	return server
}

// idle answers every PATCH without having done it.
type idle struct{ peer.ResourceHandler }

func (idle) Patch(*http.Request, string, []peer.PatchOperation) (peer.Resource, error) {
	return peer.Resource{ID: "1", Attributes: peer.ResourceAttributes{}}, nil
}
