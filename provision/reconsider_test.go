package provision_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/provision"
)

// What was left undone is done when the policy, or the mapping, says otherwise.
func TestAnotherPolicyAppliesToWhoLeftBefore(t *testing.T) {
	tests := map[string]struct {
		before, after provision.Policy
		// wait is the time until the second policy.
		wait time.Duration
		want []string
	}{
		"gone, and disabled now":         {provision.Policy{Vanished: provision.LeaveAlone}, provision.Policy{}, 0, []string{"update User u-1"}},
		"gone, and deleted now":          {provision.Policy{}, provision.Policy{Vanished: provision.LeaveDelete}, 0, []string{"delete User u-1"}},
		"gone, and deleted after a time": {provision.Policy{}, provision.Policy{DeleteAfter: time.Hour}, 2 * time.Hour, []string{"delete User u-1"}},
		"out of scope, and disabled now": {provision.Policy{OutOfScope: provision.LeaveAlone}, provision.Policy{}, 0, []string{"update User u-2"}},
		"deleted, and disabled now": {
			provision.Policy{Deleted: provision.LeaveAlone}, provision.Policy{Deleted: provision.LeaveDisable}, 0, []string{"update User u-3"},
		},
		"protected, and not any more": {
			provision.Policy{Protected: []string{"u-1", "u-4"}}, provision.Policy{}, 0, []string{"update User u-1", "update User u-4"},
		},
		"nothing else": {provision.Policy{}, provision.Policy{OutOfScope: provision.LeaveDelete}, 0, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.mappings[0].Scope = []mapping.FilterGroup{{Clauses: []mapping.Clause{{Attribute: "department", Operator: mapping.NotEquals, Value: "Out"}}}}
			w.config.Policy = tt.before
			for _, id := range []string{"u1", "u2", "u3", "u4", "u5"} {
				w.source.user(id, id+"@x", "department", "In")
			}
			w.cycle()
			delete(w.source.objects["User"], "u1")
			w.source.user("u2", "u2@x", "department", "Out")
			delete(w.source.objects["User"], "u3")
			w.source.deleted["User"]["u3"] = true
			w.source.user("u4", "u4@x", "department", "In", "surname", "Changed")
			w.cycle()
			w.clock.advance(tt.wait)
			w.config.Policy = tt.after
			s, writes := w.cycle()
			if diff := cmp.Diff(tt.want, sortedStrings(writes)); diff != "" || !s.InStep() {
				t.Errorf("in step %v (-want +got):\n%s", s.InStep(), diff)
			}
			if _, writes := w.cycle(); len(writes) > 0 {
				t.Errorf("and then %v", writes)
			}
		})
	}
}

// Those who left when the mapping could not disable anybody are disabled when it can.
func TestAnotherMappingAppliesToWhoLeftBefore(t *testing.T) {
	w := newWorld(t)
	without := userMapping()
	without.Attributes = append(without.Attributes[:1:1], without.Attributes[2:]...)
	// The length has to be a number, so that u2 cannot be mapped in the end.
	needy := userMapping()
	needy.Attributes[2] = mapping.AttributeMapping{Target: "name.givenName", Expression: `Mid([givenName], 1, [length])`}
	w.mappings[0] = without
	for _, id := range []string{"u1", "u2", "u3"} {
		w.source.user(id, id+"@x", "length", "3")
	}
	w.cycle()
	delete(w.source.objects["User"], "u1")
	w.source.user("u2", "u2@x", "length", "three", "accountEnabled", false)
	w.cycle()
	w.mappings[0] = needy
	w.cycle()
	for id, want := range map[string]any{"u-1": false, "u-2": false, "u-3": true} {
		if got := w.app.objects["User"][id]["active"]; got != want {
			t.Errorf("%s is active: %v", id, got)
		}
	}
}

// A restart with Watermark maps anew what is as it was.
func TestRestartMapsAnew(t *testing.T) {
	w := newWorld(t)
	domain := func(name string) func(context.Context) (string, error) {
		return func(context.Context) (string, error) {
			if name == "" {
				return "", errors.New("no domain")
			}
			return name, nil
		}
	}
	w.mappings[0].Attributes[4] = mapping.AttributeMapping{Target: "title", Expression: "DefaultDomain()"}
	w.source.user("u1", "u1@x")
	w.source.user("u2", "u1@x") // a duplicate
	w.source.user("u3", "u3@x")
	w.app.reserved["u4@x"] = true // refused
	w.source.user("u4", "u4@x")
	w.config.Env.DefaultDomain = domain("a.example")
	w.cycle()
	w.config.Env.DefaultDomain = domain("b.example")
	if s, writes := w.cycle(); len(writes) > 0 || s.FailureCount != 3 {
		t.Errorf("sent without a restart: %v, failures %v", writes, codes(s))
	}
	due := func() (list []time.Time) {
		status, err := w.job().Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range status.LastCycle.Failures {
			list = append(list, f.Due, f.First)
		}
		return list
	}
	before := due()
	restart := func() {
		t.Helper()
		if err := w.job().Restart(t.Context(), provision.ResetWatermark); err != nil {
			t.Fatal(err)
		}
	}
	restart()
	s, writes := w.cycle()
	if diff := cmp.Diff([]string{"update User u-1"}, writes); diff != "" || w.app.objects["User"]["u-1"]["title"] != "b.example" {
		t.Errorf("%v (-want +got):\n%s", w.app.picture(), diff)
	}
	if diff := cmp.Diff(before, due()); diff != "" {
		t.Errorf("failures %v are due at other times (-want +got):\n%s", codes(s), diff)
	}
	// Who could not be mapped can be now.
	w.config.Env.DefaultDomain = domain("")
	restart()
	if s, _ = w.cycle(); s.FailureCount != 4 {
		t.Errorf("failures %v", codes(s))
	}
	w.config.Env.DefaultDomain = domain("c.example")
	restart()
	if s, _ = w.cycle(); s.FailureCount != 3 || w.app.objects["User"]["u-1"]["title"] != "c.example" {
		t.Errorf("failures %v, %v", codes(s), w.app.picture())
	}
}

// Text that is not UTF-8 is a failure of its object.
func TestTextThatIsNotUTF8(t *testing.T) {
	for name, broken := range map[string]map[string]any{
		"a user name": {"userPrincipalName": "u2\xff@x"},
		"a name":      {"displayName": "u2\xff", "surname": "u2\xff"},
		"unused":      {"objectGUID": "\xff\xfe"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.source.user("u1", "u1@x")
			w.source.user("u2", "u2@x")
			for attribute, v := range broken {
				w.source.objects["User"]["u2"][attribute] = v
			}
			w.source.group("g1", "G", "u1", "u2", "u\xff")
			s, _ := w.cycle()
			want := []string{"g1:UnprocessableEntity", "u2:UnprocessableEntity"}
			if name == "unused" {
				want = want[:1]
			}
			if diff := cmp.Diff(want, codes(s)); diff != "" || len(w.app.objects["User"]) != 3-len(want) {
				t.Errorf("%v (-want +got):\n%s", w.app.picture(), diff)
			}
		})
	}
	w := newWorld(t)
	w.source.user("u\xff", "u1@x")
	if err := w.failing(); !errors.As(err, new(*provision.SourceFault)) {
		t.Errorf("an id: %v", err)
	}
}
