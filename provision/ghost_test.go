package provision_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/provision"
)

// ghostTarget goes on finding objects that are gone, as services do whose search lags behind.
type ghostTarget struct {
	*application
	ghosts []scim.Document
	limit  int
}

func (g *ghostTarget) Find(ctx context.Context, resourceType string, f filter.Filter) ([]scim.Document, error) {
	if g.limit--; g.limit < 0 {
		panic("the cycle does not end")
	}
	p, err := f.Compile(nil)
	if err != nil {
		return nil, err
	}
	for _, doc := range g.ghosts {
		if resourceType == "User" && p.Match(doc) {
			return []scim.Document{doc.Clone()}, nil
		}
	}
	return g.application.Find(ctx, resourceType, f)
}

// An object that is gone is not taken for found because the target's search still shows it.
func TestGhostsAreNotFollowed(t *testing.T) {
	for name, taken := range map[string]bool{"the name is free again": false, "the name is still taken": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.source.user("u1", "u1@x")
			w.source.user("u2", "u2@x")
			w.source.group("g1", "G", "u1", "u2")
			w.cycle()
			ghost := w.app.objects["User"]["u-1"].Clone()
			if err := w.app.Delete(t.Context(), "User", "u-1"); err != nil {
				t.Fatal(err)
			}
			w.app.reserved["u1@x"] = taken
			g := &ghostTarget{application: w.app, ghosts: []scim.Document{ghost}, limit: 20}
			w.target = g
			w.source.objects["User"]["u1"]["surname"] = "Changed"
			s, writes := w.cycle()
			if s.InStep() == taken || len(writes) > 6 {
				t.Errorf("in step %v, failures %v, sent %v", s.InStep(), codes(s), writes)
			}
			if taken {
				// The service has caught up.
				w.app.reserved, g.ghosts = nil, nil
				if err := w.job().Restart(t.Context(), provision.ResetEscrows); err != nil {
					t.Fatal(err)
				}
				s, _ = w.cycle()
			}
			want := "group G [u1@x u2@x]"
			if picture := w.app.picture(); !s.InStep() || picture[0] != want || len(picture) != 3 {
				t.Errorf("in step %v: %v", s.InStep(), picture)
			}
		})
	}
}

// A link is not given up because the target once says that an object does not exist.
func TestNotFoundIsVerified(t *testing.T) {
	leave := func(w *world) { delete(w.source.objects["User"], "u1") }
	tests := map[string]struct {
		call   string
		policy provision.Policy
		change func(w *world)
		want   []string
	}{
		"an update": {
			"update",
			provision.Policy{Adopt: provision.AdoptNever},
			func(w *world) { w.source.objects["User"]["u1"]["surname"] = "Changed" },
			[]string{"u-1 true", "u-2 true"},
		},
		"a deactivation": {"update", provision.Policy{}, leave, []string{"u-1 false", "u-2 true"}},
		"a deletion":     {"delete", provision.Policy{Vanished: provision.LeaveDelete}, leave, []string{"u-2 true"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.config.Policy = tt.policy
			w.source.user("u1", "u1@x")
			w.source.user("u2", "u2@x")
			w.cycle()
			w.app.fault = func(call string) (error, bool) {
				if strings.HasPrefix(call, tt.call) {
					return scim.NewError(404, "", "no such resource"), false
				}
				return nil, false
			}
			tt.change(w)
			if s, _ := w.cycle(); s.InStep() {
				t.Error("in step")
			}
			w.app.fault = nil
			s, _ := w.cycle()
			var got []string
			for _, id := range slices.Sorted(maps.Keys(w.app.objects["User"])) {
				got = append(got, fmt.Sprint(id, " ", w.app.objects["User"][id]["active"]))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || !s.InStep() {
				t.Errorf("failures %v (-want +got):\n%s", codes(s), diff)
			}
		})
	}
}
