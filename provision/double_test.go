package provision_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/provision"
)

func (w *world) active(name string) any { return w.app.objects["User"][idOf(w, name)]["active"] }

// Somebody who left does not keep access because of a row too many.
func TestLeaversWithADoubleLoseAccess(t *testing.T) {
	t.Run("another row has the same matching value", func(t *testing.T) {
		w := newWorld(t)
		w.source.user("1", "ada@example.com")
		w.source.user("9", "zoe@example.com")
		w.cycle()
		w.source.user("1", "ada@example.com", "accountEnabled", false, "surname", "Changed")
		w.source.user("2", "ada@example.com")
		if x, err := w.job().Explain(t.Context(), "User", "1"); err != nil || x.Next != provision.ActionDisable {
			t.Errorf("explained before: %+v, %v", x, err)
		}
		s, writes := w.cycle()
		wantWrites(t, writes, "update User u-1")
		if diff := cmp.Diff([]string{"1:DuplicateSourceEntries", "2:DuplicateSourceEntries"}, codes(s)); diff != "" {
			t.Error(diff)
		}
		wantPicture(t, w, "user ada@example.com Given1 Family1 active=false", "user zoe@example.com Given9 Family9 active=true")
		if s.Types[0].Actions[provision.ActionDisable] != 1 {
			t.Errorf("actions %v", s.Types[0].Actions)
		}
		if s, writes := w.cycle(); len(writes) != 0 || len(codes(s)) != 2 {
			t.Errorf("second cycle: writes %q, failures %v", writes, codes(s))
		}
		// Nothing comes back by itself, and nothing else is changed, until it is clear who is meant.
		w.source.user("1", "ada@example.com", "surname", "Changed")
		if s, writes := w.cycle(); len(writes) != 0 || len(codes(s)) != 2 {
			t.Errorf("enabled again: writes %q, failures %v", writes, codes(s))
		}
		delete(w.source.objects["User"], "2")
		if s, _ := w.cycle(); !s.InStep() {
			t.Errorf("failures %v", codes(s))
		}
		wantPicture(t, w, "user ada@example.com Given1 Changed active=true", "user zoe@example.com Given9 Family9 active=true")
	})
	t.Run("the double came first", func(t *testing.T) {
		w := newWorld(t)
		w.source.user("1", "ada@example.com")
		w.cycle()
		w.source.user("2", "ada@example.com")
		if _, writes := w.cycle(); len(writes) != 0 || w.active("ada@example.com") != true {
			t.Errorf("writes %q", writes)
		}
		w.source.user("1", "ada@example.com", "accountEnabled", false)
		if s, _ := w.cycle(); w.active("ada@example.com") != false || len(codes(s)) != 2 {
			t.Errorf("active %v, failures %v", w.active("ada@example.com"), codes(s))
		}
	})
	t.Run("a value does not fit", func(t *testing.T) {
		w := newWorld(t)
		w.mappings[0].Attributes[4] = mapping.AttributeMapping{Target: "title", Expression: `FormatDateTime([since], , "yyyy-MM-dd", "yyyy")`}
		w.source.user("1", "ada@example.com", "since", "2020-01-01")
		w.cycle()
		w.source.user("1", "ada@example.com", "since", "long ago")
		if s, writes := w.cycle(); len(writes) != 0 || len(codes(s)) != 1 {
			t.Fatalf("writes %q, failures %v", writes, codes(s))
		}
		w.source.user("1", "ada@example.com", "since", "long ago", "accountEnabled", false)
		s, _ := w.cycle()
		if w.active("ada@example.com") != false || len(codes(s)) != 1 {
			t.Errorf("active %v, failures %v", w.active("ada@example.com"), codes(s))
		}
		if _, writes := w.cycle(); len(writes) != 0 {
			t.Errorf("writes %q", writes)
		}
	})
	t.Run("the limit of deletions applies", func(t *testing.T) {
		w := newWorld(t)
		w.config.Policy.Deletions = provision.DeletionLimit{Count: 1}
		for _, id := range []string{"1", "2", "3"} {
			w.source.user(id, "u"+id+"@example.com")
		}
		w.cycle()
		for _, id := range []string{"1", "2"} {
			w.source.user(id, "u"+id+"@example.com", "accountEnabled", false)
			w.source.user("x"+id, "u"+id+"@example.com")
		}
		s, writes := w.cycle()
		if len(writes) != 0 || s.Held != 2 {
			t.Errorf("writes %q, %d held", writes, s.Held)
		}
		if err := w.job().Restart(t.Context(), provision.ForceDeletes); err != nil {
			t.Fatal(err)
		}
		if s, writes := w.cycle(); len(writes) != 2 || s.Held != 0 {
			t.Errorf("released: writes %q, %d held", writes, s.Held)
		}
	})
	t.Run("the target fails, and the process is killed", func(t *testing.T) {
		for at := range 6 {
			w := newWorld(t)
			w.source.user("1", "ada@example.com")
			w.cycle()
			w.source.user("1", "ada@example.com", "accountEnabled", false)
			w.source.user("2", "ada@example.com")
			for _, applied := range []bool{false, true} {
				n := 0
				w.app.fault = func(call string) (error, bool) {
					if n++; n <= at/2 {
						return nil, false
					}
					if at%2 == 0 {
						return errCrash, applied
					}
					return scim.NewError(500, "", "no"), applied
				}
				_, _ = w.job().RunCycle(t.Context())
			}
			w.app.fault = nil
			s, _ := w.cycle()
			if diff := cmp.Diff([]string{"1:DuplicateSourceEntries", "2:DuplicateSourceEntries"}, codes(s)); diff != "" || w.active("ada@example.com") != false {
				t.Errorf("fault %d: active %v, failures %s", at, w.active("ada@example.com"), diff)
			}
			if _, writes := w.cycle(); len(writes) != 0 {
				t.Errorf("fault %d: writes %q", at, writes)
			}
		}
	})
	t.Run("a protected one keeps it", func(t *testing.T) {
		w := newWorld(t)
		w.source.user("1", "ada@example.com")
		w.cycle()
		w.config.Policy.Protected = []string{"ADA@example.com"}
		w.source.user("1", "ada@example.com", "accountEnabled", false)
		w.source.user("2", "ada@example.com")
		if _, writes := w.cycle(); len(writes) != 0 {
			t.Errorf("writes %q", writes)
		}
	})
}

// Rows with one id are one object that contradicts itself, unless they agree that it should have no access.
func TestRowsWithOneIDMustAgree(t *testing.T) {
	on := map[string]any{"userPrincipalName": "ada@example.com", "givenName": "Ada", "surname": "B"}
	with := func(name string, v any) map[string]any {
		m := maps.Clone(on)
		m[name] = v
		return m
	}
	disabled, out := with("accountEnabled", false), with("department", "Out")
	for name, test := range map[string]struct {
		rows    []map[string]any
		deleted bool
		active  bool
	}{
		"both disabled":                  {rows: []map[string]any{disabled, disabled}},
		"both out of scope":              {rows: []map[string]any{out, out}},
		"one disabled, one out of scope": {rows: []map[string]any{disabled, out}},
		"out of scope, disabled":         {rows: []map[string]any{out, disabled}},
		"disabled and deleted":           {rows: []map[string]any{disabled}, deleted: true},
		"enabled, then disabled":         {rows: []map[string]any{on, disabled}, active: true},
		"disabled, then enabled":         {rows: []map[string]any{disabled, on}, active: true},
		"out of scope, then enabled":     {rows: []map[string]any{out, on}, active: true},
		"enabled and deleted":            {rows: []map[string]any{on}, deleted: true, active: true},
		"two of three disabled":          {rows: []map[string]any{disabled, on, disabled}, active: true},
		"three disabled":                 {rows: []map[string]any{disabled, disabled, disabled}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.config.Policy.Deletions = provision.DeletionLimit{Count: -1, Percent: -1}
			w.mappings[0].Scope = []mapping.FilterGroup{{Clauses: []mapping.Clause{{Attribute: "department", Operator: mapping.NotEquals, Value: "Out"}}}}
			on["department"], disabled["department"] = "In", "In"
			w.source.objects["User"]["1"] = on
			w.source.user("2", "ben@example.com", "department", "In")
			w.cycle()
			w.source.objects["User"]["1"] = test.rows[0]
			w.source.extra = map[string][]provision.Entry{}
			for _, row := range test.rows[1:] {
				w.source.extra["User"] = append(w.source.extra["User"], provision.Entry{ID: "1", Attributes: row})
			}
			if test.deleted {
				w.source.extra["User"] = append(w.source.extra["User"], provision.Entry{ID: "1", Deleted: true})
			}
			for range 3 {
				s, _ := w.cycle()
				if diff := cmp.Diff([]string{"1:DuplicateSourceEntries"}, codes(s)); diff != "" {
					t.Error(diff)
				}
				if got := w.active("ada@example.com"); got != test.active {
					t.Errorf("active = %v", got)
				}
			}
			if _, writes := w.cycle(); len(writes) != 0 {
				t.Errorf("writes %q", writes)
			}
			w.source.extra = nil
			w.source.objects["User"]["1"] = on
			if s, _ := w.cycle(); !s.InStep() || w.active("ada@example.com") != true {
				t.Errorf("mended: %v, active %v", codes(s), w.active("ada@example.com"))
			}
		})
	}
}

// A duplicate whose row changes in another attribute is still one.
func TestDuplicatesThatChangeStayDuplicates(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "same@example.com")
	w.source.user("2", "same@example.com")
	w.cycle()
	w.source.user("1", "same@example.com", "surname", "Changed")
	s, writes := w.cycle()
	if diff := cmp.Diff([]string{"1:DuplicateSourceEntries", "2:DuplicateSourceEntries"}, codes(s)); diff != "" || len(writes) != 0 {
		t.Errorf("writes %q, failures %s", writes, diff)
	}
}

// What an administrator allows is that they are disabled, and not what is to become of them later.
func TestReleaseOfADoubleIsForOnce(t *testing.T) {
	w := newWorld(t)
	w.config.Policy.Deletions.Count, w.config.Policy.Vanished = 1, provision.LeaveDelete
	w.source.user("0", "boss@example.com")
	for _, id := range []string{"1", "2", "3"} {
		w.source.user(id, "u"+id+"@example.com")
	}
	w.cycle()
	for _, id := range []string{"1", "2", "3"} {
		w.source.user(id, "u"+id+"@example.com", "accountEnabled", false)
		w.source.user("double"+id, "u"+id+"@example.com", "accountEnabled", false)
	}
	w.cycle()
	if err := w.job().Restart(t.Context(), provision.ForceDeletes); err != nil {
		t.Fatal(err)
	}
	if s, _ := w.cycle(); s.Held != 0 || w.app.objects["User"]["u-2"]["active"] != false {
		t.Fatalf("%d held, %v", s.Held, w.app.picture())
	}
	for _, id := range []string{"1", "2", "3"} {
		delete(w.source.objects["User"], id)
		delete(w.source.objects["User"], "double"+id)
	}
	if s, writes := w.cycle(); s.Held != 3 || len(writes) != 0 {
		t.Errorf("%d held, %q", s.Held, writes)
	}
}

// The account of somebody whose create was not answered is known only when it has been looked for. What was said of him before holds then, too.
func TestDoublesAndAnswersThatWereLost(t *testing.T) {
	for name, test := range map[string]struct {
		change func(w *world)
		code   string
		active bool
	}{
		"a leaver with a double": {func(w *world) {
			w.source.user("1", "ada@example.com", "accountEnabled", false)
			w.source.user("2", "ada@example.com")
		}, "1:DuplicateSourceEntries", false},
		"rows that contradict each other": {func(w *world) {
			w.source.user("1", "ada@example.com", "accountEnabled", false)
			w.source.extra = map[string][]provision.Entry{"User": {{ID: "1", Attributes: map[string]any{
				"userPrincipalName": "ada@example.com", "givenName": "Given1", "surname": "Family1", "accountEnabled": true,
			}}}}
		}, "1:DuplicateSourceEntries", true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.source.user("1", "ada@example.com")
			w.app.fault = func(call string) (error, bool) {
				if contains(call, "create") || contains(call, "find") && len(w.app.objects["User"]) > 0 {
					return &scim.Error{Attempts: 3, Err: errUnreachable}, true
				}
				return nil, false
			}
			w.cycle()
			w.app.fault = nil
			test.change(w)
			s, _ := w.cycle()
			if u := w.app.objects["User"]["u-1"]; u["active"] != test.active || !slices.Contains(codes(s), test.code) {
				t.Errorf("active %v, failures %v", u["active"], codes(s))
			}
		})
	}
}
