package provision_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/provision"
)

// What people are bitten by in other engines cannot happen here. The tests of this file show what has no other place. The rest:
//
//   - accounts that were there before, taken over silently or for ever in conflict: TestAdoption, TestConflictWithAnotherSpelling;
//   - mass or surprise deletions: TestSourcesThatCannotBeTrusted, TestHeldDeletions;
//   - throttling: TestThrottlingIsWaitedOut; limits of members for each request, and a call for each member: TestCost;
//   - crashes, duplicates, remote edits, time-outs: TestCrashAtEveryPoint, TestConvergence, TestLinkedObjectsThatAreGone, TestDriftIsRepaired;
//   - who leaves scope and keeps access: TestDeprovisioning;
//   - nulls, unknown attributes, media types: TestLaxAnswersAreUnderstood, TestNullsAreSkippedByDefault;
//   - members who are not created yet: TestPendingMembersAreLinkedWhenTheyCome.

func TestIDsSurviveEveryChange(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com")
	w.source.group("g1", "Staff", "1")
	w.cycle()
	user, group := idOf(w, "ada@example.com"), ""
	for id := range w.app.objects["Group"] {
		group = id
	}
	w.source.user("1", "byron@example.com", "surname", "Byron")
	w.source.group("g1", "Everybody", "1")
	w.cycle()
	w.source.user("1", "byron@example.com", "surname", "Byron", "accountEnabled", false)
	w.cycle()
	w.source.user("1", "byron@example.com", "surname", "Byron")
	w.cycle()
	if idOf(w, "byron@example.com") != user || w.app.objects["Group"][group]["displayName"] != "Everybody" || w.app.next != 2 {
		t.Errorf("target = %v", w.app.objects)
	}
}

func TestExternalIDIsNoCredential(t *testing.T) {
	// An account that merely claims an externalId equal to a source id is somebody else's unless the mapping matches by it.
	w := newWorld(t)
	w.app.put("User", scim.Document{"userName": "admin@example.com", "externalId": "1", "active": true, "name": map[string]any{"familyName": "Admin"}})
	w.source.user("1", "ada@example.com")
	w.cycle()
	wantPicture(t, w, "user admin@example.com <nil> Admin active=true", "user ada@example.com Given1 Family1 active=true")
}

func TestEveryDeactivationIsExplained(t *testing.T) {
	w := newWorld(t)
	w.mappings[0].Scope = []mapping.FilterGroup{{Name: "Sales only", Clauses: []mapping.Clause{{Attribute: "department", Operator: mapping.Equals, Value: "Sales"}}}}
	for i := range 3 {
		w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i), "department", "Sales")
	}
	w.cycle()
	w.source.user("0", "u0@example.com", "department", "Sales", "accountEnabled", false)
	w.source.user("1", "u1@example.com", "department", "Legal")
	delete(w.source.objects["User"], "2")
	s, _ := w.cycle()
	log, err := w.job().Log(t.Context(), provision.LogQuery{CycleID: s.CycleID})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range log {
		got[e.Source.ID] = string(e.Action) + ": " + e.Steps[len(e.Steps)-1].Description
	}
	want := map[string]string{
		"0": "disable: disabled in the source",
		"1": `disable: out of scope: filter "Sales only": department EQUALS "Sales" is not true`,
		"2": "disable: no longer in the source",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLargeGroupsCostWhatTheyChange(t *testing.T) {
	w := newWorld(t)
	w.app.profile.Resources[1].Patch.MembersPerRequest = 100
	var members []string
	for i := range 250 {
		id := fmt.Sprintf("%03d", i)
		w.source.user(id, id+"@example.com")
		members = append(members, id)
	}
	w.source.group("g", "Staff", members...)
	s, _ := w.cycle()
	if s.Requests.Writes != 250+1+3 {
		t.Errorf("%d writes", s.Requests.Writes)
	}
	w.source.group("g", "Staff", members[1:]...)
	_, writes := w.cycle()
	if len(writes) != 1 || !strings.HasSuffix(writes[0], "+0 -1") {
		t.Errorf("one member left, and %q was sent", writes)
	}
}

func TestSetsOnlyWhereThereIsNoValue(t *testing.T) {
	w := newWorld(t)
	w.mappings[0].Attributes[2].Apply = mapping.WhenEmpty
	w.app.put("User", scim.Document{"userName": "ada@example.com", "active": true, "name": map[string]any{"givenName": "Augusta", "familyName": "X"}})
	w.source.user("1", "ada@example.com")
	w.source.user("2", "ben@example.com")
	w.cycle()
	wantPicture(t, w, "user ada@example.com Augusta Family1 active=true", "user ben@example.com Given2 Family2 active=true")
	if _, writes := w.cycle(); len(writes) != 0 {
		t.Errorf("a quiet cycle wrote %q", writes)
	}
}
