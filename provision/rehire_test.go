package provision_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/provision"
)

// A person who left and comes back with a new employee number has the old account, by its e-mail.
func TestRehiredUnderANewID(t *testing.T) {
	for name, between := range map[string]bool{"after a while": true, "in one step": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.source.user("1", "ada@example.com")
			w.source.user("2", "ben@example.com")
			w.source.group("g1", "Staff", "1", "2")
			w.cycle()
			delete(w.source.objects["User"], "1")
			if between {
				w.cycle() // switches the account off
			}
			w.source.user("9", "ada@example.com")
			w.source.group("g1", "Staff", "9", "2")
			s, _ := w.cycle()
			if !s.InStep() {
				t.Errorf("failures: %v", codes(s))
			}
			want := []string{
				"group Staff [ada@example.com ben@example.com]",
				"user ada@example.com Given9 Family9 active=true", "user ben@example.com Given2 Family2 active=true",
			}
			wantPicture(t, w, want...)
			if s, _ := w.cycle(); s.Changed() != 0 || !s.InStep() {
				t.Errorf("the next cycle changed %d objects, failures %v", s.Changed(), codes(s))
			}
			wantPicture(t, w, want...)
		})
	}
}

// A directory that gives the addresses of leavers to others says so with its policy.
func TestAccountOfALeaverIsNotTakenOverAgainstThePolicy(t *testing.T) {
	w := newWorld(t)
	w.config.Policy.Adopt = provision.AdoptNever
	w.source.user("1", "ada@example.com")
	w.cycle()
	delete(w.source.objects["User"], "1")
	w.source.user("2", "ben@example.com")
	w.cycle()
	w.source.user("9", "ada@example.com")
	s, _ := w.cycle()
	if diff := cmp.Diff([]string{"9:EntryConflict"}, codes(s)); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	wantPicture(t, w, "user ada@example.com Given1 Family1 active=false", "user ben@example.com Given2 Family2 active=true")
}
