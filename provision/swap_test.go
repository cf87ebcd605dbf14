package provision_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/provision"
)

// ring has n people take the address of the next one; the last takes the first's, or a new one.
func ring(w *world, n int, closed bool) {
	for i := range n {
		next := fmt.Sprintf("u%d@example.com", (i+1)%n)
		if i == n-1 && !closed {
			next = "new@example.com"
		}
		w.source.user(fmt.Sprint(i), next)
	}
}

func line(w *world, n int) {
	for i := range n {
		w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i))
	}
	w.cycle()
}

func wantRing(t *testing.T, w *world, n int) {
	t.Helper()
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf("user u%d@example.com Given%d Family%d active=true", (i+1)%n, i, i))
	}
	wantPicture(t, w, want...)
}

func TestAddressesAreHandedOnInAChain(t *testing.T) {
	w := newWorld(t)
	line(w, 6)
	ring(w, 6, false)
	s, writes := w.cycle()
	// All but the last are refused once, as nobody asks the target who has what.
	if !s.InStep() || len(writes) > 6+5 {
		t.Errorf("failures %v, %d writes", codes(s), len(writes))
	}
}

func TestSwappedAddressesAreReported(t *testing.T) {
	w := newWorld(t)
	line(w, 3)
	ring(w, 2, true)
	s, _ := w.cycle()
	if len(s.Failures) != 2 || !contains(fmt.Sprint(s.Failures), "waits, by itself or through others") {
		t.Errorf("failures = %+v", s.Failures)
	}
	wantPicture(t, w, "user u0@example.com Given0 Family0 active=true", "user u1@example.com Given1 Family1 active=true",
		"user u2@example.com Given2 Family2 active=true")
}

func TestSwappedAddressesAreParkedByPolicy(t *testing.T) {
	for n := 2; n < 5; n++ {
		for lost := range 2 {
			t.Run(fmt.Sprintf("ring of %d, %d answers lost", n, lost), func(t *testing.T) {
				w := newWorld(t)
				w.config.Policy.Park = func(attribute, value string) string {
					if attribute != "userName" {
						t.Errorf("asked about %s", attribute)
					}
					return "moving." + value
				}
				line(w, n)
				ring(w, n, true)
				w.app.fault = func(call string) (error, bool) {
					for _, u := range w.app.objects["User"] {
						if lost > 0 && contains(fmt.Sprint(u["userName"]), "moving") {
							lost--
							return &scim.Error{Attempts: 3, Err: errUnreachable}, true
						}
					}
					return nil, false
				}
				w.cycle()
				w.clock.advance(7 * time.Hour)
				if s, _ := w.cycle(); !s.InStep() {
					t.Errorf("failures = %v", codes(s))
				}
				wantRing(t, w, n)
			})
		}
	}
}

func TestOneOfARingThatCannotBeParked(t *testing.T) {
	w := newWorld(t)
	w.config.Policy.Park = func(_, value string) string { return value }
	line(w, 2)
	ring(w, 2, true)
	if s, _ := w.cycle(); len(s.Failures) != 2 || s.Failures[0].Code != provision.EntryConflict {
		t.Errorf("failures = %+v", s.Failures)
	}
}

func TestWhoWasParkedForNothingHasTheOldAddress(t *testing.T) {
	w := newWorld(t)
	w.config.Policy.Park = func(_, value string) string { return "moving." + value }
	line(w, 2)
	ring(w, 2, true)
	parked, refused := false, false
	w.app.fault = func(call string) (error, bool) {
		if parked && !refused && contains(call, "update") {
			refused = true
			return scim.NewError(403, "", "no"), false
		}
		return nil, false
	}
	w.app.watch = func(_, _ string, _, after scim.Document) {
		parked = parked || contains(fmt.Sprint(after["userName"]), "moving")
	}
	s, _ := w.cycle()
	if !parked || !refused || len(s.Failures) != 2 {
		t.Fatalf("parked %v, failures %v", parked, codes(s))
	}
	wantPicture(t, w, "user u0@example.com Given0 Family0 active=true", "user u1@example.com Given1 Family1 active=true")
	w.clock.advance(7 * time.Hour)
	if s, _ := w.cycle(); !s.InStep() {
		t.Errorf("failures = %v", codes(s))
	}
	wantRing(t, w, 2)
}
