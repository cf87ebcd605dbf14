package provision_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/provision"
)

// These are histories that TestConvergence came upon, told one by one: rules that are right by themselves, and met each other.

func withManagers(w *world) {
	w.mappings[0].Attributes[4] = mapping.AttributeMapping{Target: "manager", Source: "boss", Type: mapping.TypeReference, NullFlow: mapping.ClearNull}
}

func TestTwoNewPeopleWithOneAddressMatchedByAnotherAttribute(t *testing.T) {
	w := newWorld(t)
	w.mappings[0].Attributes[0].Matching = 2
	w.mappings[0].Attributes = append(w.mappings[0].Attributes, mapping.AttributeMapping{Target: "externalId", Source: "employeeId", Matching: 1})
	w.source.user("1", "ada@example.com", "employeeId", "1")
	w.source.user("2", "ada@example.com", "employeeId", "2")
	s, _ := w.cycle()
	if diff := cmp.Diff([]string{"2:DuplicateSourceEntries"}, codes(s)); diff != "" {
		t.Error(diff)
	}
	// The one who has it gives it up; the other has not changed, and is tried again by the schedule.
	w.source.user("1", "byron@example.com", "employeeId", "1")
	w.cycle()
	w.clock.advance(25 * time.Hour)
	if s, _ := w.cycle(); !s.InStep() {
		t.Errorf("failures = %v", codes(s))
	}
	wantPicture(t, w, "user ada@example.com Given2 Family2 active=true", "user byron@example.com Given1 Family1 active=true")
}

func TestHeldDeactivationIsNotForgottenOverReferences(t *testing.T) {
	w := newWorld(t)
	withManagers(w)
	w.config.Policy.Deletions.Count = 1
	for i := range 4 {
		w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i), "boss", "0")
	}
	w.cycle()
	for i := 1; i < 4; i++ {
		w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i), "accountEnabled", false)
	}
	if s, _ := w.cycle(); s.Held != 3 {
		t.Fatalf("%d held", s.Held)
	}
	if err := w.job().Restart(t.Context(), provision.ForceDeletes); err != nil {
		t.Fatal(err)
	}
	w.cycle()
	for i := 1; i < 4; i++ {
		if name := fmt.Sprintf("u%d@example.com", i); w.app.objects["User"][idOf(w, name)]["active"] != false {
			t.Errorf("%s is still active", name)
		}
	}
}

func TestHeirHasNoneOfTheGroupsOfTheOneWhoLeft(t *testing.T) {
	w := newWorld(t)
	withManagers(w)
	w.source.user("0", "boss@example.com")
	w.source.user("1", "ada@example.com", "boss", "0")
	w.source.user("2", "ben@example.com", "boss", "1")
	w.source.group("g1", "Administrators", "1", "2")
	w.source.group("g2", "Staff", "1", "2")
	w.cycle()
	delete(w.source.objects["User"], "1")
	w.source.user("9", "ada@example.com")
	w.source.group("g2", "Staff", "2", "9")
	w.cycle()
	w.cycle()
	// Administrators has not changed in the source: it still names the one who left.
	wantPicture(t, w, "user boss@example.com Given0 Family0 active=true", "user ada@example.com Given9 Family9 active=true",
		"user ben@example.com Given2 Family2 active=true", "group Administrators [ben@example.com]", "group Staff [ada@example.com ben@example.com]")
}

func TestAdoptedAccountsLoseManagersTheyShouldNotHave(t *testing.T) {
	w := newWorld(t)
	withManagers(w)
	w.source.user("0", "boss@example.com")
	w.cycle()
	w.app.put("User", scim.Document{
		"userName": "ada@example.com", "active": true, "name": map[string]any{"givenName": "Given1", "familyName": "Family1"},
		"manager": map[string]any{"value": idOf(w, "boss@example.com")},
	})
	w.source.user("1", "ada@example.com")
	w.cycle()
	wantPicture(t, w, "user boss@example.com Given0 Family0 active=true", "user ada@example.com Given1 Family1 active=true")
}

func TestMemberWhoIsGoneFromTheTargetIsMadeAgain(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com")
	w.source.user("2", "ben@example.com")
	w.source.group("g1", "Staff", "1")
	w.cycle()
	delete(w.app.objects["User"], idOf(w, "ben@example.com"))
	w.source.group("g1", "Staff", "1", "2")
	s, _ := w.cycle()
	if len(s.Failures) > 0 || s.WarningCount != 1 {
		t.Errorf("failures %v, warnings %v", codes(s), s.Warnings)
	}
	w.cycle()
	wantPicture(t, w, "user ada@example.com Given1 Family1 active=true", "user ben@example.com Given2 Family2 active=true",
		"group Staff [ada@example.com ben@example.com]")
}

func TestGroupThatCannotBeReadDoesNotEndTheLookForDrift(t *testing.T) {
	w := newWorld(t)
	w.config.Policy.Drift = time.Hour
	w.source.user("1", "ada@example.com")
	w.source.group("g1", "Staff", "1")
	w.cycle()
	w.app.objects["User"][idOf(w, "ada@example.com")]["name"] = map[string]any{"givenName": "X", "familyName": "Y"}
	w.app.fault = func(call string) (error, bool) {
		if contains(call, "get Group") {
			return scim.NewError(500, "", "oops"), false
		}
		return nil, false
	}
	w.clock.advance(time.Hour)
	w.cycle()
	wantPicture(t, w, "user ada@example.com Given1 Family1 active=true", "group Staff [ada@example.com]")
}

// TestLeaverKeepsWhatIsInDoubt has somebody leave of whom it is not known whether the last change took effect. Nothing but the end of their
// access is sent then, and when they come back the doubt is still there.
func TestLeaverKeepsWhatIsInDoubt(t *testing.T) {
	for _, applied := range []bool{true, false} {
		t.Run(fmt.Sprintf("applied %v", applied), func(t *testing.T) {
			w := newWorld(t)
			unassigned := false
			w.config.Assigned = func(context.Context, string, provision.Entry) (bool, error) { return !unassigned, nil }
			w.source.user("1", "ada@example.com")
			w.cycle()
			w.app.fault = func(call string) (error, bool) {
				if contains(call, "update") {
					return &scim.Error{Attempts: 3, Err: errors.New("reset by peer")}, applied
				}
				return nil, false
			}
			w.source.user("1", "byron@example.com")
			w.cycle()
			w.app.fault = nil
			var sent []scim.Document
			w.app.watch = func(_, _ string, before, after scim.Document) {
				was := before.Clone()
				was["active"] = after["active"]
				if diff := cmp.Diff(was, after); diff != "" && unassigned {
					t.Errorf("more than the end of access was sent: %s", diff)
				}
				sent = append(sent, after)
			}
			unassigned = true
			w.cycle()
			if _, writes := w.cycle(); len(writes) > 0 || len(sent) != 1 || sent[0]["active"] != false {
				t.Errorf("sent %v, then %q", sent, writes)
			}
			// The old name is wanted again: it is not known whether the target has it.
			unassigned = false
			w.source.user("1", "ada@example.com")
			w.cycle()
			names := []string{}
			for _, u := range w.app.objects["User"] {
				names = append(names, fmt.Sprint(u["userName"], u["active"]))
			}
			if !slices.Equal(names, []string{"ada@example.comtrue"}) {
				t.Errorf("names = %v", names)
			}
		})
	}
}

func TestReferencesToSomebodyWhoWasDeletedAreSentWhenTheyReturn(t *testing.T) {
	w := newWorld(t)
	withManagers(w)
	w.source.user("1", "ada@example.com", "boss", "9")
	w.source.user("9", "boss@example.com")
	w.source.group("g1", "Staff", "1", "9")
	w.cycle()
	delete(w.source.objects["User"], "9")
	w.source.deleted["User"]["9"] = true
	w.cycle()
	// Nothing refers to who is gone.
	wantPicture(t, w, "user ada@example.com Given1 Family1 active=true", "group Staff [ada@example.com]")
	delete(w.source.deleted["User"], "9")
	w.source.user("9", "back@example.com")
	w.cycle()
	wantPicture(t, w, "user ada@example.com Given1 Family1 active=true manager=back@example.com", "user back@example.com Given9 Family9 active=true",
		"group Staff [ada@example.com back@example.com]")
}

// TestAssignmentsChangeWithoutTheDirectory has somebody lose the assignment while the source, which tells changes, has none to tell.
func TestAssignmentsChangeWithoutTheDirectory(t *testing.T) {
	w := newWorld(t)
	w.config.Source = unchanging{w.source}
	assigned := true
	w.config.Assigned = func(context.Context, string, provision.Entry) (bool, error) { return assigned, nil }
	w.source.user("1", "ada@example.com")
	w.cycle()
	wantPicture(t, w, "user ada@example.com Given1 Family1 active=true")
	assigned = false
	w.cycle()
	wantPicture(t, w, "user ada@example.com Given1 Family1 active=false")
	assigned = true
	w.cycle()
	wantPicture(t, w, "user ada@example.com Given1 Family1 active=true")
	if _, writes := w.cycle(); len(writes) != 0 {
		t.Errorf("a quiet cycle wrote %q", writes)
	}
}

// unchanging is a source that never has a change to tell.
type unchanging struct{ provision.Source }

func (unchanging) Watermark(context.Context) (string, error) { return "1", nil }

func (unchanging) Changes(context.Context, string, string) iter.Seq2[provision.Entry, error] {
	return func(func(provision.Entry, error) bool) {}
}
