package provision_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/provision"
)

func stepsOf(got *provision.OnDemand) []string {
	var list []string
	for _, s := range got.Steps {
		list = append(list, fmt.Sprintf("%s %s: %s", s.Type, s.Status, s.Description))
	}
	return list
}

func TestProvisionOnDemandShowsItsSteps(t *testing.T) {
	w := newWorld(t)
	w.mappings[0].Scope = []mapping.FilterGroup{{Name: "Staff", Clauses: []mapping.Clause{{Attribute: "department", Operator: mapping.NotEquals, Value: "Out"}}}}
	w.source.user("1", "ada@example.com", "department", "In")
	w.source.user("2", "ben@example.com", "department", "Out")
	w.source.user("3", "cal@example.com", "department", "In")
	w.app.put("User", scim.Document{"userName": "cal@example.com", "active": true, "name": map[string]any{"familyName": "Old"}})
	demand := func(id string) []string {
		t.Helper()
		got, err := w.job().ProvisionOnDemand(t.Context(), "User", id)
		if err != nil {
			t.Fatal(err)
		}
		return stepsOf(got)
	}
	read := "import success: The object was read from the source."
	in := "scoping success: The object is in scope."
	for _, test := range []struct {
		what, id string
		want     []string
	}{
		{"created", "1", []string{read, in, "matching success: Nothing in the target matches the object.", "export success: "}},
		{"in step", "1", []string{read, in, "matching success: The object is linked to u-2.", "processing skipped: There is nothing to change."}},
		{"matched", "3", []string{read, in, "matching success: The object matches u-1.", "export success: matches target object u-1"}},
		{"out of scope", "2", []string{read, "scoping skipped: The object is not in scope: " + outOfScope(t, w)}},
	} {
		if diff := cmp.Diff(test.want, demand(test.id)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.what, diff)
		}
	}
	w.app.reserved["dee@example.com"] = true
	w.source.user("4", "dee@example.com", "department", "In")
	if got := demand("4"); len(got) != 4 || got[3][:14] != "export failure" {
		t.Errorf("refused: %q", got)
	}
}

func outOfScope(t *testing.T, w *world) string {
	t.Helper()
	x, err := w.job().Explain(t.Context(), "User", "2")
	if err != nil || x.Reason == "" {
		t.Fatalf("%+v, %v", x, err)
	}
	return x.Reason
}

func TestProvisionOnDemandAddsTheChosenMembersAlone(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"1", "2", "3"} {
		w.source.user(id, "u"+id+"@x")
	}
	w.cycle()
	w.source.group("g", "Staff", "1", "2", "3")
	if _, err := w.job().ProvisionOnDemand(t.Context(), "Group", "g", "1"); err != nil {
		t.Fatal(err)
	}
	w.wantGroups("one chosen", "Staff [u1]")
	if _, err := w.job().ProvisionOnDemand(t.Context(), "Group", "g", "2"); err != nil {
		t.Fatal(err)
	}
	w.wantGroups("another chosen", "Staff [u1 u2]")
	w.cycle()
	w.wantGroups("the cycle after it", "Staff [u1 u2 u3]")
}

// rowsTwice looks up as a file does: an id that is there twice is found twice.
type rowsTwice struct{ *directory }

func (r rowsTwice) Lookup(ctx context.Context, objectType string, ids []string) ([]provision.Entry, error) {
	var found []provision.Entry
	for e, err := range r.Entries(ctx, objectType) {
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if id == e.ID {
				found = append(found, e)
			}
		}
	}
	return found, nil
}

func TestOnDemandSeesThatRowsContradict(t *testing.T) {
	w := newWorld(t)
	w.config.Source = rowsTwice{w.source}
	w.source.user("1", "ada@example.com")
	w.cycle()
	w.source.extra = map[string][]provision.Entry{"User": {{ID: "1", Attributes: map[string]any{
		"userPrincipalName": "ada@example.com", "givenName": "Given1", "surname": "Family1", "accountEnabled": false,
	}}}}
	j := w.job()
	if _, err := j.ProvisionOnDemand(t.Context(), "User", "1"); err != nil {
		t.Fatal(err)
	}
	wantPicture(t, w, "user ada@example.com Given1 Family1 active=true")
}
