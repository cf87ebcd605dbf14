package provision_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

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

// DeleteAfter counts from when somebody left the source, however long he was disabled before.
func TestDeleteAfterCountsFromLeaving(t *testing.T) {
	day := 24 * time.Hour
	tests := map[string]func(w *world){
		"gone from a full read":    func(w *world) { delete(w.source.objects["User"], "u1") },
		"said to be gone for good": func(w *world) { w.source.objects["User"]["u1"], w.source.deleted["User"]["u1"] = nil, true },
	}
	for name, leave := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.config.Policy.DeleteAfter, w.config.Policy.Deleted = 30*day, provision.LeaveDisable
			w.source.user("u1", "u1@x")
			w.source.user("u2", "u2@x")
			w.cycle()
			w.source.objects["User"]["u1"]["accountEnabled"] = false
			w.cycle()
			w.clock.advance(60 * day)
			leave(w)
			if w.source.objects["User"]["u1"] == nil {
				delete(w.source.objects["User"], "u1")
			}
			for _, wait := range []time.Duration{0, 20 * day, 9 * day} {
				w.clock.advance(wait)
				if _, writes := w.cycle(); len(writes) > 0 {
					t.Fatalf("sent before the time: %v", writes)
				}
			}
			w.clock.advance(2 * day)
			if _, writes := w.cycle(); len(writes) != 1 || writes[0] != "delete User u-1" {
				t.Errorf("sent when it is time: %v", writes)
			}
		})
	}
}

// What a source says to be gone is remembered only for as long as there is something to be done about it.
func TestTombstonesAreNotKept(t *testing.T) {
	w := newWorld(t)
	w.mappings[0].Scope = []mapping.FilterGroup{{Clauses: []mapping.Clause{{Attribute: "department", Operator: mapping.NotEquals, Value: "Out"}}}}
	for i := range 6 {
		department := "In"
		if i%2 == 1 {
			department = "Out"
		}
		w.source.user(fmt.Sprintf("u%d", i), fmt.Sprintf("u%d@x", i), "department", department)
	}
	w.source.group("g1", "G", "u0", "u1", "u2")
	w.cycle()
	for id := range w.source.objects["User"] {
		delete(w.source.objects["User"], id)
		w.source.deleted["User"][id] = true
	}
	w.source.deleted["User"]["unheard-of"] = true
	w.source.user("u9", "u9@x", "department", "In")
	for range 3 {
		w.cycle()
	}
	n, err := w.state.Count(t.Context(), w.name, provision.Query{Type: "User"})
	if err != nil || n != 1 {
		t.Errorf("%d people are remembered, %v", n, err)
	}
	// Who is only disabled for it is not looked at again and again.
	w = newWorld(t)
	w.config.Policy.Deleted = provision.LeaveDisable
	w.source.user("u1", "u1@x")
	w.source.user("u2", "u2@x")
	w.cycle()
	delete(w.source.objects["User"], "u1")
	w.source.deleted["User"]["u1"] = true
	w.cycle()
	s, _ := w.cycle()
	if entries, err := w.job().Log(t.Context(), provision.LogQuery{CycleID: s.CycleID}); err != nil || len(entries) > 0 {
		t.Errorf("log %+v, %v", entries, err)
	}
}

// On demand, nothing is released that is held.
func TestOnDemandReleasesNothing(t *testing.T) {
	w := newWorld(t)
	for i := range 30 {
		id := fmt.Sprintf("u%02d", i)
		w.source.user(id, id+"@x")
	}
	w.cycle()
	for i := range 14 {
		id := fmt.Sprintf("u%02d", i)
		if delete(w.source.objects["User"], id); i == 0 {
			w.source.user(id, id+"@x", "accountEnabled", false)
		}
	}
	w.cycle()
	for _, id := range []string{"u00", "u01"} {
		w.app.journal = nil
		got, err := w.job().ProvisionOnDemand(t.Context(), "User", id)
		if err != nil {
			t.Fatal(err)
		}
		if writes := w.app.writes(); len(writes) > 0 || got.Summary.Held != 14 {
			t.Errorf("%s: sent %v, and %d are held still", id, writes, got.Summary.Held)
		}
	}
}

// What says whether somebody is enabled is understood, or reported.
func TestEnabledIsUnderstood(t *testing.T) {
	tests := []struct {
		value  any
		active any
		fails  bool
	}{
		{true, true, false},
		{"TRUE ", true, false},
		{"yes", true, false},
		{"1", true, false},
		{int64(1), true, false},
		{float64(1), true, false},
		{"", true, false},
		{nil, true, false},
		{false, false, false},
		{" False", false, false},
		{"no", false, false},
		{"0", false, false},
		{int64(0), false, false},
		{float64(0), false, false},
		{"disabled", true, true},
		{"-1", true, true},
		{int64(2), true, true},
		{[]any{false}, true, true},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%T %v", tt.value, tt.value), func(t *testing.T) {
			w := newWorld(t)
			w.source.user("u1", "u1@x")
			w.cycle()
			w.source.objects["User"]["u1"]["accountEnabled"] = tt.value
			s, _ := w.cycle()
			if got := w.app.objects["User"]["u-1"]["active"]; got != tt.active || s.InStep() == tt.fails {
				t.Errorf("active is %v, in step %v", got, s.InStep())
			}
		})
	}
}

// A channel that is closed is no reason for one cycle after the other.
func TestClosedTrigger(t *testing.T) {
	w := newWorld(t)
	w.source.user("u1", "u1@x")
	trigger := make(chan struct{})
	close(trigger)
	ctx, cancel := context.WithCancel(t.Context())
	cycles, waits := 0, 0
	w.config.Trigger, w.config.CycleEnded = trigger, func(*provision.Summary, error) { cycles++ }
	w.config.Clock = waitingClock{w.clock, func() {
		// The first wait ends with the channel, the second does not.
		if waits++; waits == 2 {
			cancel()
		}
	}}
	if err := w.job().Run(ctx); err != nil || cycles != 1 {
		t.Errorf("%d cycles without time going by, %v", cycles, err)
	}
}

// waitingClock stands still.
type waitingClock struct {
	*clock
	asked func()
}

func (c waitingClock) After(time.Duration) <-chan time.Time {
	c.asked()
	return nil
}

// The accounts of those who left long ago do not make room for more to leave at once.
func TestLimitIsAShareOfThoseEnabled(t *testing.T) {
	w := newWorld(t)
	hire := func(from, to int) {
		for i := from; i < to; i++ {
			id := fmt.Sprintf("u%03d", i)
			w.source.user(id, id+"@x")
		}
	}
	leave := func(from, to int) (*provision.Summary, []string) {
		for i := from; i < to; i++ {
			delete(w.source.objects["User"], fmt.Sprintf("u%03d", i))
		}
		return w.cycle()
	}
	hire(0, 200)
	w.cycle()
	for left := 0; left < 160; left += 8 {
		leave(left, left+8)
	}
	if s, writes := leave(160, 170); s.Held != 10 || len(writes) > 0 {
		t.Errorf("of 40 who are enabled 10 left: %d are held, and this was sent: %v", s.Held, writes)
	}
	hire(160, 170)
	if s, writes := leave(160, 168); s.Held != 0 || len(writes) != 8 {
		t.Errorf("of 40 who are enabled 8 left: %d are held, and this was sent: %v", s.Held, writes)
	}
	// Deleting those who are disabled is no end of access, and is judged by the number of all.
	w.config.Policy.DeleteAfter = 100 * time.Hour
	w.cycle()
	w.clock.advance(100*time.Hour - 800*time.Minute)
	if s, _ := w.cycle(); s.Held != 0 || s.Types[0].Actions[provision.ActionDelete] < 10 {
		t.Errorf("of 200 who are linked some are to be deleted: %d are held, %v", s.Held, s.Types[0].Actions)
	}
}

// An account that begins switched off becomes a member when it is switched on.
func TestAccountsThatBeginSwitchedOff(t *testing.T) {
	w := newWorld(t)
	w.mappings[0] = statusMapping()
	w.app.dropsMemberships = true
	w.source.user("u1", "u1@x", "status", "left")
	w.source.user("u2", "u2@x")
	w.source.group("g1", "G", "u1", "u2")
	if s, _ := w.cycle(); !s.InStep() || w.app.picture()[0] != "group G [u2@x]" {
		t.Errorf("failures %v, %v", codes(s), w.app.picture())
	}
	w.source.user("u1", "u1@x", "status", "here")
	if s, _ := w.cycle(); !s.InStep() || w.app.picture()[0] != "group G [u1@x u2@x]" {
		t.Errorf("failures %v, %v", codes(s), w.app.picture())
	}
}

// Retries of most objects end. Those that are to end somebody's access do not.
func TestAccessIsEndedHoweverLongItTakes(t *testing.T) {
	for name, leave := range map[string]func(w *world){
		"left":                   func(w *world) { delete(w.source.objects["User"], "u1") },
		"disabled in the source": func(w *world) { w.source.objects["User"]["u1"]["accountEnabled"] = false },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.source.user("u1", "u1@x")
			w.source.user("u2", "u2@x")
			w.cycle()
			leave(w)
			w.source.objects["User"]["u2"]["surname"] = "Changed"
			w.app.fault = func(call string) (error, bool) {
				if strings.HasPrefix(call, "update") {
					return scim.NewError(403, "", "not now"), false
				}
				return nil, false
			}
			for range 60 {
				w.clock.advance(24 * time.Hour)
				w.cycle()
			}
			w.app.fault = nil
			w.clock.advance(24 * time.Hour)
			s, writes := w.cycle()
			if diff := cmp.Diff([]string{"update User u-1"}, writes); diff != "" || w.app.objects["User"]["u-1"]["active"] != false {
				t.Errorf("%v (-want +got):\n%s", w.app.picture(), diff)
			}
			if diff := cmp.Diff([]string{"u2:InsufficientRights"}, codes(s)); diff != "" {
				t.Errorf("failures (-want +got):\n%s", diff)
			}
		})
	}
}

// Whoever leaves is disabled also where the mapping says from another attribute who is active.
func TestLeavingWithoutIsSoftDeleted(t *testing.T) {
	scope := []mapping.FilterGroup{{Clauses: []mapping.Clause{{Attribute: "department", Operator: mapping.NotEquals, Value: "Out"}}}}
	onCreate := directActive(mapping.AttributeMapping{Source: "accountEnabled", Apply: mapping.OnCreate})
	tests := map[string]struct {
		mapping mapping.ObjectMapping
		leave   func(w *world)
		want    any
	}{
		"gone":             {directActive(mapping.AttributeMapping{Source: "accountEnabled"}), func(w *world) { delete(w.source.objects["User"], "u1") }, false},
		"out of scope":     {directActive(mapping.AttributeMapping{Source: "accountEnabled"}), func(w *world) { w.source.objects["User"]["u1"]["department"] = "Out" }, false},
		"by an expression": {statusMapping(), func(w *world) { delete(w.source.objects["User"], "u1") }, false},
		"by a constant":    {directActive(mapping.AttributeMapping{Constant: "true"}), func(w *world) { delete(w.source.objects["User"], "u1") }, false},
		"for new accounts": {onCreate, func(w *world) { delete(w.source.objects["User"], "u1") }, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tt.mapping.Scope = scope
			w.mappings[0] = tt.mapping
			w.source.user("u1", "u1@x", "department", "In")
			w.source.user("u2", "u2@x", "department", "In")
			w.cycle()
			was := w.source.objects["User"]["u1"]
			tt.leave(w)
			w.cycle()
			if got := w.app.objects["User"]["u-1"]["active"]; got != tt.want {
				t.Errorf("active is %v", got)
			}
			was["department"] = "In"
			w.source.objects["User"]["u1"] = was
			if s, _ := w.cycle(); !s.InStep() || w.app.objects["User"]["u-1"]["active"] != true {
				t.Errorf("back, and not active: %v", w.app.picture())
			}
		})
	}
}

// Whoever leaves the scope leaves, also when the mapping would ignore him in it.
func TestIgnoredOutOfScope(t *testing.T) {
	w := newWorld(t)
	w.mappings[0].Scope = []mapping.FilterGroup{{Clauses: []mapping.Clause{{Attribute: "department", Operator: mapping.NotEquals, Value: "Out"}}}}
	w.mappings[0].Attributes[4] = mapping.AttributeMapping{Target: "title", Expression: `IIF([mail]="", IgnoreObjectFlow, [jobTitle])`}
	w.source.user("u1", "u1@x", "department", "In", "mail", "m", "jobTitle", "Clerk")
	w.source.user("u2", "u2@x", "department", "In", "mail", "m", "jobTitle", "Clerk")
	w.cycle()
	w.source.user("u1", "u1@x", "department", "Out", "mail", "", "jobTitle", "Clerk")
	w.source.user("u2", "u2@x", "department", "In", "mail", "", "jobTitle", "Changed")
	if _, writes := w.cycle(); len(writes) != 1 || w.app.objects["User"]["u-1"]["active"] != false {
		t.Errorf("sent %v: %v", writes, w.app.picture())
	}
}

// A list that cannot be read keeps nobody in.
func TestListThatCannotBeRead(t *testing.T) {
	for name, drift := range map[string]time.Duration{"for matching": 0, "for drift": time.Hour} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.source.user("u1", "u1@x")
			w.source.user("u2", "u2@x")
			w.cycle()
			w.config.Policy.Drift = drift
			w.app.fault = func(call string) (error, bool) {
				if strings.HasPrefix(call, "list") {
					return scim.NewError(500, "", "too much"), false
				}
				return nil, false
			}
			delete(w.source.objects["User"], "u1")
			w.app.put("User", scim.Document{"userName": "u3@x", "active": true, "name": map[string]any{"familyName": "Old"}})
			for _, id := range []string{"u3", "u4", "u5", "u6"} {
				w.source.user(id, id+"@x")
			}
			w.clock.advance(40 * time.Minute)
			_, err := w.job().RunCycle(t.Context())
			if (drift > 0) != errors.Is(err, provision.ErrTargetUnusable) {
				t.Errorf("the cycle ended with %v", err)
			}
			if w.app.objects["User"]["u-1"]["active"] != false || len(w.app.objects["User"]) != 6 {
				t.Errorf("%v", w.app.picture())
			}
		})
	}
}
