package provision_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/state/sqlite"
)

// crashWorld is a job in the middle of its life: the cycle to come makes, takes over, changes, disables and deletes accounts, and changes a
// group and its members.
func crashWorld(t *testing.T, path string) *world {
	t.Helper()
	w := newWorldOn(t, openState(t, path))
	withManagers(w)
	w.config.Policy.Vanished = provision.LeaveDelete
	for i := range 5 {
		w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i), "boss", "0")
	}
	w.source.group("g1", "Staff", "0", "1", "2", "3", "4")
	w.source.group("g2", "Dissolved", "0")
	w.cycle()
	w.app.put("User", map[string]any{"userName": "there@example.com", "active": true, "name": map[string]any{"familyName": "There"}})
	w.source.user("1", "renamed@example.com", "boss", "2")
	w.source.user("2", "u2@example.com", "accountEnabled", false)
	delete(w.source.objects["User"], "3")
	w.source.user("4", "u1@example.com", "boss", "0")
	w.source.user("5", "new@example.com", "boss", "0")
	w.source.user("6", "there@example.com", "boss", "5")
	w.source.group("g1", "Everybody", "0", "1", "4", "5", "6")
	w.source.group("g3", "New", "5", "6")
	delete(w.source.objects["Group"], "g2")
	return w
}

func openState(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestCrashAtEveryPoint kills a cycle before and after each of its commits and of its calls to the target, one after the other, opens the state
// file again and goes on. Each time the target ends as if nothing had happened.
func TestCrashAtEveryPoint(t *testing.T) {
	w := crashWorld(t, filepath.Join(t.TempDir(), "state.db"))
	w.cycle()
	want := w.app.picture()
	for point := 1; ; point++ {
		path := filepath.Join(t.TempDir(), fmt.Sprintf("%d.db", point))
		w := crashWorld(t, path)
		k := &killer{left: point - 1}
		whole := w.state
		w.target, w.state = &mortalTarget{w.app, k}, &mortalState{whole, k}
		if _, err := w.job().RunCycle(t.Context()); !k.dead {
			if err != nil || point < 20 {
				t.Fatalf("the cycle ended after %d commits and calls: %v", point, err)
			}
			t.Logf("killed at %d points", point-1)
			return
		}
		if err := whole.Close(); err != nil {
			t.Fatal(err)
		}
		w.target, w.state = w.app, openState(t, path)
		if s, _ := w.cycle(); !s.InStep() {
			t.Errorf("killed at point %d: failures %v", point, codes(s))
		}
		if diff := cmp.Diff(want, w.app.picture()); diff != "" {
			t.Errorf("killed at point %d: target (-want +got):\n%s", point, diff)
		}
		if _, writes := w.cycle(); len(writes) > 0 {
			t.Errorf("killed at point %d: the next cycle wrote %q", point, writes)
		}
	}
}
