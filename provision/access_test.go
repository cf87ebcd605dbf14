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

// directActive maps active from a source attribute, without IsSoftDeleted.
func directActive(attribute mapping.AttributeMapping) mapping.ObjectMapping {
	m := userMapping()
	attribute.Target = "active"
	m.Attributes[1] = attribute
	return m
}

// statusMapping maps active from an attribute that is not the one that says who is enabled.
func statusMapping() mapping.ObjectMapping {
	return directActive(mapping.AttributeMapping{Expression: `Switch([status], "True", "left", "False")`})
}

func TestAccessEndsAlthoughTheRestIsRefused(t *testing.T) {
	// What the target answers to a change of the family name to Refused.
	tests := map[string]struct {
		mapping mapping.ObjectMapping
		refusal error
	}{
		"a user name that is taken":         {mapping: userMapping()},
		"a value that does not fit":         {mapping: userMapping(), refusal: scim.NewError(400, scim.InvalidValue, "no such title")},
		"a right that the owner lacks":      {mapping: userMapping(), refusal: scim.NewError(403, "", "not this attribute")},
		"a fault about what was sent":       {mapping: userMapping(), refusal: scim.NewError(500, "", "oops")},
		"active mapped from accountEnabled": {mapping: directActive(mapping.AttributeMapping{Source: "accountEnabled"})},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.mappings[0] = tt.mapping
			w.source.user("u1", "u1@x")
			w.source.user("u2", "u2@x")
			w.source.group("g1", "G", "u1", "u2")
			w.cycle()
			w.app.put("User", scim.Document{"userName": "other@x", "active": true})
			w.source.user("u1", "other@x", "accountEnabled", false)
			if tt.refusal != nil {
				refusing := refusingTarget{w.app, tt.refusal}
				w.target = refusing
			}
			s, _ := w.cycle()
			if w.app.objects["User"]["u-1"]["active"] != false {
				t.Fatalf("the account is enabled: %v, failures %+v", w.app.picture(), s.Failures)
			}
			if s.FailureCount != 1 || s.InStep() {
				t.Errorf("%d failures, in step %v: the refusal is not reported", s.FailureCount, s.InStep())
			}
			if s.Types[0].Actions[provision.ActionDisable] != 1 {
				t.Errorf("the summary says %v", s.Types[0].Actions)
			}
			entries, err := w.job().Log(t.Context(), provision.LogQuery{ID: "u1", CycleID: s.CycleID, Status: provision.StatusSuccess})
			if err != nil || len(entries) != 1 || entries[0].Action != provision.ActionDisable {
				t.Errorf("log %+v, %v", entries, err)
			}
			if _, writes := w.cycle(); len(writes) > 0 {
				t.Errorf("the next cycle sends %v", writes)
			}
			// It is enabled again like any other.
			w.target = w.app
			w.source.user("u1", "u1@x")
			s, _ = w.cycle()
			if !s.InStep() || w.app.objects["User"]["u-1"]["active"] != true {
				t.Errorf("in step %v: %v", s.InStep(), w.app.picture())
			}
		})
	}
}

// refusingTarget refuses to give anybody the user name other@x.
type refusingTarget struct {
	*application
	refusal error
}

func (t refusingTarget) Update(ctx context.Context, resourceType, id string, before, after scim.Document) error {
	if after["userName"] != before["userName"] {
		return t.refusal
	}
	return t.application.Update(ctx, resourceType, id, before, after)
}

// A deactivation counts whatever the mapping concludes it from.
func TestLimitCountsAllThatIsSwitchedOff(t *testing.T) {
	tests := map[string]struct {
		mapping   mapping.ObjectMapping
		attribute string
		off       any
	}{
		"by IsSoftDeleted":              {userMapping(), "accountEnabled", false},
		"by the attribute itself":       {directActive(mapping.AttributeMapping{Source: "accountEnabled"}), "accountEnabled", false},
		"by another attribute":          {statusMapping(), "status", "left"},
		"by IsSoftDeleted and another":  {directActive(mapping.AttributeMapping{Expression: `IIF([status]="left", "False", Not([IsSoftDeleted]))`}), "status", "left"},
		"by an attribute that has gone": {directActive(mapping.AttributeMapping{Expression: `IIF(IsPresent([status]), "True", "False")`}), "status", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.mappings[0] = tt.mapping
			for i := range 30 {
				id := fmt.Sprintf("u%02d", i)
				w.source.user(id, id+"@x", "status", "here")
			}
			w.cycle()
			for i := range 25 {
				u := w.source.objects["User"][fmt.Sprintf("u%02d", i)]
				u[tt.attribute] = tt.off
				if tt.off == nil {
					delete(u, tt.attribute)
				}
			}
			s, writes := w.cycle()
			if s.Held != 25 || len(writes) > 0 {
				t.Fatalf("%d are held, and this was sent: %v", s.Held, writes)
			}
			if err := w.job().Restart(t.Context(), provision.ForceDeletes); err != nil {
				t.Fatal(err)
			}
			s, writes = w.cycle()
			if !s.InStep() || len(writes) != 25 || s.Types[0].Actions[provision.ActionDisable] != 25 {
				t.Errorf("in step %v, %d writes, %v", s.InStep(), len(writes), s.Types[0].Actions)
			}
			if s, writes := w.cycle(); !s.InStep() || len(writes) > 0 {
				t.Errorf("in step %v, and the next cycle sends %v", s.InStep(), writes)
			}
		})
	}
}

// Who cannot be disabled, as active is not mapped, is not taken to be disabled for what the source says.
func TestNotMappedIsNotDisabled(t *testing.T) {
	w := newWorld(t)
	m := userMapping()
	m.Attributes = append(m.Attributes[:1:1], m.Attributes[2:]...)
	m.Scope = []mapping.FilterGroup{{Clauses: []mapping.Clause{{Attribute: "department", Operator: mapping.NotEquals, Value: "Out"}}}}
	w.mappings[0] = m
	w.config.Policy.OutOfScope = provision.LeaveDelete
	w.source.user("u1", "u1@x", "department", "In")
	w.source.user("u2", "u2@x", "department", "In")
	w.cycle()
	w.source.user("u1", "u1@x", "department", "In", "accountEnabled", false, "surname", "Changed")
	w.cycle()
	w.source.user("u1", "u1@x", "department", "Out", "accountEnabled", false, "surname", "Changed")
	w.cycle()
	if diff := cmp.Diff([]string{"user u2@x Givenu2 Familyu2 active=<nil>"}, w.app.picture()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
