package provision_test

import (
	"fmt"
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

// Many services take an account that is disabled out of its groups: who has it next is to be in them all the same.
func TestRehiredUnderANewIDIsBackInTheGroups(t *testing.T) {
	w := newWorld(t)
	w.app.dropsMemberships = true
	w.source.user("1", "ada@example.com")
	w.source.user("2", "ben@example.com")
	w.source.group("g1", "Staff", "1", "2")
	w.cycle()
	delete(w.source.objects["User"], "1")
	w.cycle()
	w.source.user("9", "ada@example.com")
	w.source.group("g1", "Staff", "9", "2")
	w.cycle()
	w.cycle()
	wantPicture(t, w, "group Staff [ada@example.com ben@example.com]",
		"user ada@example.com Given9 Family9 active=true", "user ben@example.com Given2 Family2 active=true")
}

// A directory that is built anew deletes everybody and has them under new ids, all at once. The accounts are in the target's list, which is read
// before, and deleted by the time the new ones have theirs.
func TestRecreatedWhileTheOldOneIsDeleted(t *testing.T) {
	for _, concurrency := range []int{1, 4} {
		w := newWorld(t)
		w.config.Concurrency = concurrency
		for i := range 5 {
			w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i))
		}
		w.cycle()
		for i := range 5 {
			delete(w.source.objects["User"], fmt.Sprint(i))
			w.source.deleted["User"][fmt.Sprint(i)] = true
			w.source.user(fmt.Sprintf("new%d", i), fmt.Sprintf("u%d@example.com", i), "givenName", fmt.Sprintf("Given%d", i), "surname", fmt.Sprintf("Family%d", i))
		}
		w.cycle()
		w.cycle()
		if n := len(w.app.objects["User"]); n != 5 {
			t.Errorf("%d people have an account: %q", n, w.app.journal)
		}
	}
}

func TestProtectedAccountOfALeaverIsNotTakenOver(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com")
	w.source.user("2", "ben@example.com")
	w.cycle()
	w.config.Policy.Protected = []string{"1"}
	delete(w.source.objects["User"], "1")
	w.cycle()
	w.source.user("9", "ada@example.com")
	w.cycle()
	wantPicture(t, w, "user ada@example.com Given1 Family1 active=true", "user ben@example.com Given2 Family2 active=true")
}
