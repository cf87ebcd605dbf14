package provision_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/provision"
)

func TestResetScopes(t *testing.T) {
	// A job in quarantine, over a source that tells changes, with one object that failed and four deletions that are held.
	setup := func(t *testing.T) (*world, *feed) {
		w := newWorld(t)
		f := &feed{directory: w.source}
		w.config.Source = f
		w.config.Policy.Deletions.Count = 2
		w.app.reserved["eve@example.com"] = true
		for _, id := range []string{"1", "2", "3", "4", "5", "6"} {
			w.source.user(id, "u"+id+"@example.com")
		}
		w.source.user("e", "eve@example.com")
		w.cycle()
		for _, id := range []string{"1", "2", "3", "4"} {
			w.source.user(id, "u"+id+"@example.com", "accountEnabled", false)
		}
		if s, _ := w.cycle(); s.Held != 4 || s.FailureCount != 1 {
			t.Fatalf("held %d, failed %d", s.Held, s.FailureCount)
		}
		w.app.reserved = nil
		return w, f
	}
	type outcome struct {
		Kind       provision.CycleKind
		Held       int
		Failed     int
		FullReads  int // of users
		Created    int
		Quarantine bool // before the cycle
	}
	for name, test := range map[string]struct {
		scopes string
		want   outcome
	}{
		"Watermark":       {"Watermark", outcome{Kind: provision.Initial, Held: 4, Failed: 1, FullReads: 1, Quarantine: true}},
		"Escrows":         {"Escrows", outcome{Kind: provision.Incremental, Held: 4, Created: 1, Quarantine: true}},
		"QuarantineState": {"QuarantineState", outcome{Kind: provision.Incremental, Held: 4, Failed: 1}},
		// What was held is forgotten with the links. Who matches and is disabled in the source is held again.
		"ConnectorDataStore":   {"ConnectorDataStore", outcome{Kind: provision.Initial, Held: 4, Created: 1, FullReads: 1, Quarantine: true}},
		"Full":                 {"Full", outcome{Kind: provision.Initial, Held: 4, Created: 1, FullReads: 1}},
		"ForceDeletes":         {"ForceDeletes", outcome{Kind: provision.Incremental, Failed: 1}},
		"several, in any case": {"forcedeletes, WATERMARK,escrows", outcome{Kind: provision.Initial, Created: 1, FullReads: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			w, f := setup(t)
			scopes, err := provision.ParseResetScopes(test.scopes)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.job().Restart(t.Context(), scopes...); err != nil {
				t.Fatal(err)
			}
			st, err := w.job().Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			f.full = 0
			s, writes := w.cycle()
			got := outcome{Kind: s.Kind, Held: s.Held, Failed: s.FailureCount, FullReads: f.full / 2, Quarantine: st.Quarantine != nil}
			for _, call := range writes {
				if strings.HasPrefix(call, "create") {
					got.Created++
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\nwrites %q", diff, writes)
			}
			active := 0
			for _, u := range w.app.objects["User"] {
				if u["active"] == true {
					active++
				}
			}
			if s.Held > 0 && active < 6 {
				t.Errorf("%d accounts are active, although the deletions are held", active)
			}
		})
	}
	if _, err := provision.ParseResetScopes("Everything"); err == nil {
		t.Error("an unknown scope is accepted")
	}
}

func TestAccountsDeletedByHand(t *testing.T) {
	setup := func(t *testing.T, gone provision.Gone) (*world, string) {
		w := newWorld(t)
		w.config.Policy.Drift = 24 * time.Hour
		w.config.Policy.Gone = gone
		w.source.user("1", "ada@example.com")
		w.source.user("2", "ben@example.com")
		w.source.group("g", "Staff", "1", "2")
		w.cycle()
		delete(w.app.objects["User"], idOf(w, "ada@example.com"))
		w.app.objects["Group"]["g-3"]["members"] = w.app.objects["Group"]["g-3"]["members"].([]any)[1:]
		w.clock.advance(24 * time.Hour)
		return w, "group Staff [ada@example.com ben@example.com]"
	}
	t.Run("are made again, with their memberships", func(t *testing.T) {
		w, whole := setup(t, provision.GoneRecreate)
		s, _ := w.cycle()
		wantPicture(t, w, whole, "user ada@example.com Given1 Family1 active=true", "user ben@example.com Given2 Family2 active=true")
		if !s.InStep() {
			t.Errorf("failures %v", codes(s))
		}
	})
	t.Run("are reported, and left so until an administrator says otherwise", func(t *testing.T) {
		w, whole := setup(t, provision.GoneReport)
		plan, err := w.job().Plan(t.Context())
		if err != nil || !strings.Contains(plan.String(), "deleted in the target, and the policy is to leave it so") {
			t.Errorf("plan %v, %v", plan, err)
		}
		s, writes := w.cycle()
		if diff := cmp.Diff([]string{"1:InvalidAnchor"}, codes(s)); diff != "" || len(writes) != 0 {
			t.Errorf("writes %q, failures %s", writes, diff)
		}
		w.source.user("1", "ada@example.com", "surname", "Changed")
		if s, writes := w.cycle(); len(writes) != 0 || len(codes(s)) != 1 {
			t.Errorf("changed in the source: writes %q, failures %v", writes, codes(s))
		}
		if err := w.job().Restart(t.Context(), provision.ResetEscrows); err != nil {
			t.Fatal(err)
		}
		if s, _ := w.cycle(); !s.InStep() {
			t.Errorf("released: failures %v", codes(s))
		}
		wantPicture(t, w, whole, "user ada@example.com Given1 Changed active=true", "user ben@example.com Given2 Family2 active=true")
	})
	t.Run("are found again when they were made anew by hand", func(t *testing.T) {
		w, _ := setup(t, provision.GoneReport)
		w.cycle()
		w.app.put("User", scim.Document{"userName": "ada@example.com", "active": true, "name": map[string]any{"familyName": "Other"}})
		w.clock.advance(24 * time.Hour)
		if s, _ := w.cycle(); !s.InStep() || len(w.app.objects["User"]) != 2 {
			t.Errorf("failures %v, target %v", codes(s), w.app.picture())
		}
	})
	t.Run("are reported also when a change finds them gone", func(t *testing.T) {
		w, _ := setup(t, provision.GoneReport)
		w.config.Policy.Drift = 0
		w.source.user("1", "ada@example.com", "surname", "Changed")
		s, _ := w.cycle()
		if diff := cmp.Diff([]string{"1:InvalidAnchor"}, codes(s)); diff != "" || len(w.app.objects["User"]) != 1 {
			t.Errorf("failures %s, target %v", diff, w.app.picture())
		}
	})
}

func TestConnections(t *testing.T) {
	w := newWorld(t)
	w.config.Policy.Adopt = provision.AdoptNever
	w.source.user("1", "ada@example.com", "displayName", "Ada Byron")
	w.source.user("2", "ben@example.com")
	w.cycle()
	job := w.job()
	want := []provision.Connection{{Type: "User", SourceAnchor: "1", TargetAnchor: "u-1", DisplayName: "Ada Byron", Created: true}}
	for _, name := range []string{"1", "u-1", "Ada Byron", "ADA@example.com"} {
		got, err := job.Connections(t.Context(), name)
		if err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if got, err := job.Connections(t.Context(), "nobody"); err != nil || len(got) != 0 {
		t.Errorf("nobody: %+v, %v", got, err)
	}
	if err := job.Disconnect(t.Context(), "User", "1"); !errors.Is(err, provision.ErrNotPaused) {
		t.Errorf("while it runs: %v", err)
	}
	if err := job.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := job.Disconnect(t.Context(), "User", "1"); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := job.Connections(t.Context(), "1"); len(got) != 0 || len(w.app.journal) > 20 {
		t.Errorf("still there: %+v", got)
	}
	if err := job.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The account is somebody else's now, as far as is known.
	if s, _ := w.cycle(); cmp.Diff([]string{"1:EntryConflict"}, codes(s)) != "" {
		t.Errorf("failures %v", codes(s))
	}
	if err := job.Disconnect(t.Context(), "Printer", "1"); err == nil {
		t.Error("a type without mapping is accepted")
	}
}

// A column that reads disabled for everybody does no harm either when the job is new, and the target is not.
func TestTheLimitAppliesToWhoIsMatched(t *testing.T) {
	for name, listed := range map[string]bool{"by the list": true, "one by one": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.config.Policy.Deletions = provision.DeletionLimit{Count: 3}
			if !listed {
				w.app.profile.Resources[0].Operations = slices.DeleteFunc(w.app.profile.Resources[0].Operations, func(o profiles.Operation) bool { return o == profiles.List })
			}
			for i := range 5 {
				w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i), "accountEnabled", false)
				w.app.put("User", scim.Document{"userName": fmt.Sprintf("u%d@example.com", i), "active": true, "name": map[string]any{"familyName": "X"}})
			}
			plan, err := w.job().Plan(t.Context())
			if err != nil || plan.Held == "" || plan.Requests.Writes != 0 {
				t.Errorf("plan %+v, %v", plan, err)
			}
			s, writes := w.cycle()
			if s.Held != 5 || len(writes) != 0 {
				t.Errorf("%d held, writes %q", s.Held, writes)
			}
			// Three are few enough.
			for i := range 2 {
				w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i))
			}
			if s, _ := w.cycle(); s.Held != 0 || s.Types[0].Actions[provision.ActionDisable] != 3 {
				t.Errorf("%d held, %v", s.Held, s.Types[0].Actions)
			}
		})
	}
	t.Run("together with those who leave", func(t *testing.T) {
		w := newWorld(t)
		w.config.Policy.Deletions = provision.DeletionLimit{Count: 3}
		for i := range 2 {
			w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i))
		}
		w.cycle()
		for i := range 4 {
			w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i), "accountEnabled", false)
			if i > 1 {
				w.app.put("User", scim.Document{"userName": fmt.Sprintf("u%d@example.com", i), "active": true, "name": map[string]any{"familyName": "X"}})
			}
		}
		s, writes := w.cycle()
		if s.Held != 2 || len(writes) != 2 {
			t.Errorf("%d held, writes %q", s.Held, writes)
		}
	})
}
