package provision_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/provision"
)

func wantPicture(t *testing.T, w *world, want ...string) {
	t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, w.app.picture()); diff != "" {
		t.Errorf("target (-want +got):\n%s", diff)
	}
}

func wantWrites(t *testing.T, writes []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, writes); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

func TestCycleProvisionsUsersThenGroupsThenMembers(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com", "jobTitle", "Engineer")
	w.source.user("2", "ben@example.com")
	w.source.user("3", "cal@example.com", "accountEnabled", false)
	w.source.group("g1", "Staff", "1", "2", "3", "ghost")
	w.source.group("g2", "Empty")
	s, writes := w.cycle()
	wantPicture(
		t, w,
		"group Empty []",
		"group Staff [ada@example.com ben@example.com]",
		"user ada@example.com Given1 Family1 active=true title=Engineer",
		"user ben@example.com Given2 Family2 active=true",
	)
	if len(writes) != 5 {
		t.Errorf("writes = %q, want 5", writes)
	}
	if !s.InStep() || s.WarningCount != 1 || s.Kind != provision.Initial || !strings.Contains(s.Warnings[0].Reason, "ghost") {
		t.Errorf("summary = %+v", s)
	}
	if s, writes := w.cycle(); len(writes) != 0 || s.Kind != provision.Incremental {
		t.Errorf("a second %s cycle wrote %q", s.Kind, writes)
	}
}

func TestGroupsAreCreatedWithMembersWhereTheTargetAllows(t *testing.T) {
	w := newWorld(t)
	w.app.profile.Resources[1].MembersOnCreate = true
	w.source.user("1", "ada@example.com")
	w.source.user("2", "ben@example.com")
	w.source.group("g1", "Staff", "1", "2")
	_, writes := w.cycle()
	if len(writes) != 3 {
		t.Errorf("writes = %q, want one for each object", writes)
	}
	wantPicture(t, w, "group Staff [ada@example.com ben@example.com]",
		"user ada@example.com Given1 Family1 active=true", "user ben@example.com Given2 Family2 active=true")

	t.Run("a refused member does not keep the group out", func(t *testing.T) {
		w.app.refusesMember["u-1"] = true
		w.source.group("g2", "More", "1", "2")
		s, _ := w.cycle()
		if got := w.app.picture()[0]; got != "group More [ben@example.com]" && got != "group More [ada@example.com]" {
			t.Errorf("got %s", got)
		}
		if got := codes(s); len(got) != 1 || s.Failures[0].Type != "Group" || !s.Failures[0].Reference {
			t.Errorf("failures = %v", got)
		}
	})
}

func TestChangesAreSentAsDeltas(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com", "jobTitle", "Engineer")
	w.source.user("2", "ben@example.com")
	w.source.group("g1", "Staff", "1")
	w.cycle()
	w.source.user("1", "ada@example.com", "surname", "Byron") // the title is cleared, too
	w.source.user("3", "cal@example.com")
	w.source.group("g1", "All Staff", "2", "3")
	_, writes := w.cycle()
	slices.Sort(writes)
	wantWrites(t, writes, "create User cal@example.com", "members Group g-3 +2 -1", "update Group g-3", "update User u-1")
	wantPicture(t, w, "group All Staff [ben@example.com cal@example.com]", "user ada@example.com Given1 Byron active=true",
		"user ben@example.com Given2 Family2 active=true", "user cal@example.com Given3 Family3 active=true")
}

func TestNullsAreSkippedByDefault(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com")
	w.cycle()
	w.source.user("1", "ada@example.com", "givenName", nil)
	if _, writes := w.cycle(); len(writes) != 0 {
		t.Errorf("writes = %q", writes)
	}
}

func TestLeavingAndComingBack(t *testing.T) {
	for name, drops := range map[string]bool{"a target that keeps memberships": false, "a target that drops them": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.app.dropsMemberships = drops
			w.source.user("1", "ada@example.com")
			w.source.user("2", "ben@example.com")
			w.source.group("g1", "Staff", "1", "2")
			w.cycle()
			w.source.user("1", "ada@example.com", "accountEnabled", false)
			s, writes := w.cycle()
			wantWrites(t, writes, "update User "+idOf(w, "ada@example.com"))
			if s.Types[0].Actions[provision.ActionDisable] != 1 {
				t.Errorf("actions = %v", s.Types[0].Actions)
			}
			if _, writes := w.cycle(); len(writes) != 0 {
				t.Errorf("a quiet cycle wrote %q", writes)
			}
			w.source.user("1", "ada@example.com")
			w.cycle()
			wantPicture(t, w, "group Staff [ada@example.com ben@example.com]", "user ada@example.com Given1 Family1 active=true",
				"user ben@example.com Given2 Family2 active=true")
			if _, writes := w.cycle(); len(writes) != 0 {
				t.Errorf("a quiet cycle wrote %q", writes)
			}
		})
	}
}

func idOf(w *world, userName string) string {
	for id, u := range w.app.objects["User"] {
		if u["userName"] == userName {
			return id
		}
	}
	return "nobody"
}

func TestVanishedRowsAreDisabledAndGroupsDeleted(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com")
	w.source.user("2", "ben@example.com")
	w.source.group("g1", "Staff", "1")
	w.source.group("g2", "Others", "2")
	w.cycle()
	delete(w.source.objects["User"], "1")
	delete(w.source.objects["Group"], "g1")
	w.cycle()
	wantPicture(t, w, "group Others [ben@example.com]", "user ada@example.com Given1 Family1 active=false", "user ben@example.com Given2 Family2 active=true")
	w.source.user("1", "ada@example.com")
	w.source.group("g1", "Staff", "1")
	w.cycle()
	wantPicture(t, w, "group Others [ben@example.com]", "group Staff [ada@example.com]",
		"user ada@example.com Given1 Family1 active=true", "user ben@example.com Given2 Family2 active=true")
}

func TestDuplicatesInTheSource(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "same@example.com")
	w.source.user("2", "Same@Example.com")
	w.source.user("3", "cal@example.com")
	s, writes := w.cycle()
	wantWrites(t, writes, "create User cal@example.com")
	if diff := cmp.Diff([]string{"1:DuplicateSourceEntries", "2:DuplicateSourceEntries"}, codes(s)); diff != "" {
		t.Error(diff)
	}
	if s.InStep() || !strings.Contains(s.Failures[0].Reason, "same@example.com") || s.Failures[0].Remedy == "" {
		t.Errorf("summary = %+v", s.Failures)
	}
	if s, writes := w.cycle(); len(writes) != 0 || len(codes(s)) != 2 {
		t.Errorf("second cycle: writes %q, failures %v", writes, codes(s))
	}
	w.source.user("2", "other@example.com")
	s, writes = w.cycle()
	slices.Sort(writes)
	wantWrites(t, writes, "create User other@example.com", "create User same@example.com")
	if !s.InStep() {
		t.Errorf("failures = %v", codes(s))
	}

	t.Run("a linked object that gets a double is left as it is", func(t *testing.T) {
		w.source.user("4", "CAL@example.com")
		w.source.user("3", "cal@example.com", "surname", "Changed")
		s, writes := w.cycle()
		if diff := cmp.Diff([]string{"3:DuplicateSourceEntries", "4:DuplicateSourceEntries"}, codes(s)); diff != "" || len(writes) != 0 {
			t.Errorf("writes %q, failures %s", writes, diff)
		}
	})
	t.Run("the double of one who leaves has the address, and so the account", func(t *testing.T) {
		w.source.user("3", "cal@example.com", "accountEnabled", false)
		delete(w.source.objects["User"], "3")
		s, _ := w.cycle()
		if !s.InStep() {
			t.Errorf("failures = %v", codes(s))
		}
		want := map[string]any{"givenName": "Given4", "familyName": "Family4"}
		if u := w.app.objects["User"][idOf(w, "cal@example.com")]; u["active"] != true || !cmp.Equal(u["name"], any(want)) {
			t.Errorf("cal's account is not that of the one who has the address now: %v", u)
		}
	})
}

func TestRepeatedSourceID(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com")
	w.source.user("2", "ben@example.com")
	w.source.extra = map[string][]provision.Entry{"User": {{ID: "1", Attributes: map[string]any{"userPrincipalName": "x@example.com", "surname": "X"}}}}
	for range 2 {
		s, _ := w.cycle()
		wantPicture(t, w, "user ben@example.com Given2 Family2 active=true")
		if diff := cmp.Diff([]string{"1:DuplicateSourceEntries"}, codes(s)); diff != "" {
			t.Error(diff)
		}
	}
	w.source.extra = nil
	if s, _ := w.cycle(); !s.InStep() || len(w.app.objects["User"]) != 2 {
		t.Errorf("after the file was mended: %v, %v", codes(s), w.app.picture())
	}
}

func TestDuplicatesInTheTarget(t *testing.T) {
	w := newWorld(t)
	w.mappings[0].Attributes[4] = mapping.AttributeMapping{Target: "nickName", Source: "nick", Matching: 2}
	w.app.put("User", scim.Document{"userName": "x", "nickName": "ace", "name": map[string]any{"familyName": "X"}})
	w.app.put("User", scim.Document{"userName": "y", "nickName": "ace", "name": map[string]any{"familyName": "Y"}})
	w.source.user("1", "ada@example.com", "nick", "ace")
	s, writes := w.cycle()
	if diff := cmp.Diff([]string{"1:DuplicateTargetEntries"}, codes(s)); diff != "" || len(writes) != 0 {
		t.Errorf("writes %q, failures %s", writes, diff)
	}
}

func TestMatchingByPrecedence(t *testing.T) {
	w := newWorld(t)
	w.mappings[0].Attributes[4] = mapping.AttributeMapping{Target: "nickName", Source: "nick", Matching: 2}
	byNick := w.app.put("User", scim.Document{"userName": "old@example.com", "nickName": "ace", "name": map[string]any{"familyName": "X"}})
	byName := w.app.put("User", scim.Document{"userName": "ben@example.com", "nickName": "bee", "name": map[string]any{"familyName": "Y"}})
	w.source.user("1", "ada@example.com", "nick", "ace")
	w.source.user("2", "ben@example.com", "nick", "ace2")
	w.cycle()
	if len(w.app.objects["User"]) != 2 || w.app.objects["User"][byNick]["userName"] != "ada@example.com" || w.app.objects["User"][byName]["nickName"] != "ace2" {
		t.Errorf("target = %v", w.app.objects["User"])
	}
}

func TestNoMatchingValue(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "")
	s, writes := w.cycle()
	if diff := cmp.Diff([]string{"1:ImportSkipped"}, codes(s)); diff != "" || len(writes) != 0 {
		t.Errorf("writes %q, failures %s", writes, diff)
	}
}

func TestRequiredValueMissing(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com", "surname", nil)
	s, writes := w.cycle()
	if diff := cmp.Diff([]string{"1:MandatoryFieldsMissing"}, codes(s)); diff != "" || len(writes) != 0 || s.Failures[0].Attribute != "name.familyName" {
		t.Errorf("writes %q, failures %+v", writes, s.Failures)
	}
}

func TestColdStart(t *testing.T) {
	fill := func(w *world, n int) {
		for i := range n {
			w.source.user(fmt.Sprintf("%04d", i), fmt.Sprintf("user%d@example.com", i))
		}
	}
	count := func(w *world, verb string) (n int) {
		for _, j := range w.app.journal {
			if strings.HasPrefix(j, verb) {
				n++
			}
		}
		return n
	}
	t.Run("a target with accounts is listed once", func(t *testing.T) {
		w := newWorld(t)
		fill(w, 300)
		for i := range 250 {
			w.app.put("User", scim.Document{
				"userName": fmt.Sprintf("User%d@Example.com", i), "active": true,
				"name": map[string]any{"givenName": fmt.Sprintf("Given%04d", i), "familyName": fmt.Sprintf("Family%04d", i)},
			})
		}
		s, writes := w.cycle()
		if len(writes) != 50 || count(w, "find") != 0 || count(w, "list User") != 1 {
			t.Errorf("%d writes, %d look-ups, %d lists", len(writes), count(w, "find"), count(w, "list User"))
		}
		// The spelling of the accounts' names is the target's: it takes both for the same.
		if s.Types[0].Actions[provision.ActionLink] != 250 || s.Types[0].Actions[provision.ActionCreate] != 50 {
			t.Errorf("actions = %v", s.Types[0].Actions)
		}
	})
	t.Run("a few new people are looked up", func(t *testing.T) {
		w := newWorld(t)
		fill(w, 300)
		w.cycle()
		fill(w, 302)
		_, writes := w.cycle()
		if len(writes) != 2 || count(w, "find") != 2 || count(w, "list") != 0 {
			t.Errorf("%d writes, %d look-ups, %d lists", len(writes), count(w, "find"), count(w, "list"))
		}
	})
	t.Run("a list much longer than the look-ups is given up", func(t *testing.T) {
		w := newWorld(t)
		w.app.profile.Paging.MaxCount = 10
		for i := range 1000 {
			w.app.put("User", scim.Document{"userName": fmt.Sprintf("other%d", i), "name": map[string]any{"familyName": "X"}})
		}
		fill(w, 5)
		w.cycle()
		if len(w.app.objects["User"]) != 1005 || count(w, "find") != 5 {
			t.Errorf("%d users, %d look-ups", len(w.app.objects["User"]), count(w, "find"))
		}
	})
}

func TestConflictWithAnotherSpelling(t *testing.T) {
	w := newWorld(t)
	id := w.app.put("User", scim.Document{"userName": "Ada@Example.com", "active": true, "name": map[string]any{"familyName": "Old"}})
	// One person is looked up, which misses the other spelling; the create is refused, and the list shows who has it.
	w.source.user("1", "ada@example.com")
	s, _ := w.cycle()
	if len(w.app.objects["User"]) != 1 || !s.InStep() {
		t.Fatalf("target = %v, failures = %v", w.app.picture(), codes(s))
	}
	if u := w.app.objects["User"][id]; u["userName"] != "Ada@Example.com" || u["name"].(map[string]any)["familyName"] != "Family1" {
		t.Errorf("user = %v", u)
	}
}

func TestConflictThatNobodySees(t *testing.T) {
	w := newWorld(t)
	w.app.reserved["ada@example.com"] = true
	w.source.user("1", "ada@example.com")
	s, _ := w.cycle()
	if diff := cmp.Diff([]string{"1:EntryConflict"}, codes(s)); diff != "" || !strings.Contains(s.Failures[0].Remedy, "invitation") {
		t.Errorf("failures = %+v", s.Failures)
	}
}

func TestAdoption(t *testing.T) {
	exists := func(w *world) string {
		return w.app.put("User", scim.Document{"userName": "ada@example.com", "active": true, "name": map[string]any{"familyName": "Old"}})
	}
	t.Run("never", func(t *testing.T) {
		w := newWorld(t)
		exists(w)
		w.config.Policy.Adopt = provision.AdoptNever
		w.source.user("1", "ada@example.com")
		s, writes := w.cycle()
		if diff := cmp.Diff([]string{"1:EntryConflict"}, codes(s)); diff != "" || len(writes) != 0 {
			t.Errorf("writes %q, failures %s", writes, diff)
		}
	})
	t.Run("decided by the program", func(t *testing.T) {
		w := newWorld(t)
		exists(w)
		var asked []string
		w.config.Policy.MayAdopt = func(id string, wanted, found scim.Document) bool {
			asked = append(asked, fmt.Sprint(id, wanted["userName"], found["userName"]))
			return false
		}
		w.source.user("1", "ada@example.com")
		if s, _ := w.cycle(); len(codes(s)) != 1 || len(asked) != 1 || asked[0] != "1ada@example.comada@example.com" {
			t.Errorf("failures %v, asked %q", codes(s), asked)
		}
	})
	t.Run("what the job itself created is its own even when the link was lost", func(t *testing.T) {
		w := newWorld(t)
		w.config.Policy.Adopt = provision.AdoptNever
		w.source.user("1", "ada@example.com")
		down := false
		w.app.fault = func(call string) (error, bool) {
			if down || strings.HasPrefix(call, "create") {
				down = true
				return errUnreachable, strings.HasPrefix(call, "create")
			}
			return nil, false
		}
		w.cycle()
		w.app.fault = nil
		if s, _ := w.cycle(); !s.InStep() || len(w.app.objects["User"]) != 1 {
			t.Errorf("failures %v, target %v", codes(s), w.app.picture())
		}
	})
}

func TestTwoSourcesAreNeverLinkedToOneTarget(t *testing.T) {
	w := newWorld(t)
	w.mappings[0].Attributes[4] = mapping.AttributeMapping{Target: "nickName", Source: "nick", Matching: 2}
	w.app.put("User", scim.Document{"userName": "old@example.com", "nickName": "ace", "name": map[string]any{"familyName": "X"}})
	w.source.user("1", "ada@example.com", "nick", "ace")
	w.source.user("2", "ben@example.com", "nick", "ace")
	s, _ := w.cycle()
	if got := codes(s); len(got) != 1 || !strings.HasSuffix(got[0], "DuplicateSourceEntries") || len(w.app.objects["User"]) != 1 {
		t.Errorf("failures %v, target %v", got, w.app.picture())
	}
}

func TestProtectedObjectsAreNotTouched(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "owner@example.com")
	w.source.user("2", "ben@example.com")
	w.cycle()
	w.config.Policy.Protected = []string{"OWNER@example.com"}
	w.source.user("1", "owner@example.com", "surname", "Changed", "accountEnabled", false)
	_, writes := w.cycle()
	delete(w.source.objects["User"], "1")
	_, more := w.cycle()
	if len(writes)+len(more) != 0 {
		t.Errorf("writes = %q %q", writes, more)
	}
}

func TestPendingMembersAreLinkedWhenTheyCome(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com")
	w.source.group("g1", "Staff", "1", "2")
	s, _ := w.cycle()
	if s.WarningCount != 1 || s.Warnings[0].Code != provision.UnableToResolveReferenceAttributeValue {
		t.Errorf("warnings = %+v", s.Warnings)
	}
	w.source.user("2", "ben@example.com")
	s, writes := w.cycle()
	wantWrites(t, writes, "create User ben@example.com", "members Group g-2 +1 -0")
	if s.WarningCount != 0 {
		t.Errorf("warnings = %+v", s.Warnings)
	}
}

func TestManagers(t *testing.T) {
	w := newWorld(t)
	w.mappings[0].Attributes[4] = mapping.AttributeMapping{Target: "manager", Source: "boss", Type: mapping.TypeReference, NullFlow: mapping.ClearNull}
	w.source.user("1", "ada@example.com", "boss", "2")
	w.source.user("2", "ben@example.com", "boss", "3")
	w.cycle()
	wantPicture(t, w, "user ada@example.com Given1 Family1 active=true manager=ben@example.com", "user ben@example.com Given2 Family2 active=true")
	w.source.user("3", "cal@example.com")
	w.cycle()
	wantPicture(t, w, "user ada@example.com Given1 Family1 active=true manager=ben@example.com",
		"user ben@example.com Given2 Family2 active=true manager=cal@example.com", "user cal@example.com Given3 Family3 active=true")
	w.source.user("1", "ada@example.com")
	w.cycle()
	if got := w.app.picture()[0]; got != "user ada@example.com Given1 Family1 active=true" {
		t.Errorf("got %s", got)
	}
}

func TestTargetsThatCannotBeUsed(t *testing.T) {
	for name, test := range map[string]struct {
		fault error
		want  string
	}{
		"a refused credential": {scim.NewError(401, "", "no"), "the credential is refused"},
		"a weak credential":    {scim.NewError(403, "", "no"), "not allowed"},
		"no service":           {scim.NewError(404, "", "no"), "check the tenant URL"},
		"no quota":             {&scim.Error{Status: 429, Err: client.ErrQuotaExhausted}, "quota is used up; wait until"},
		"nobody there":         {errUnreachable, "cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.source.user("1", "ada@example.com")
			w.app.fault = func(string) (error, bool) { return test.fault, false }
			var told []provision.Notification
			w.config.Notify = provision.NotifierFunc(func(_ context.Context, n provision.Notification) error {
				told = append(told, n)
				return nil
			})
			for range 2 {
				err := w.failing()
				if !errors.Is(err, provision.ErrTargetUnusable) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("err = %v", err)
				}
			}
			st, err := w.job().Status(t.Context())
			if err != nil || st.Code != provision.StatusQuarantine || st.Quarantine.Reason != provision.EncounteredQuarantineException {
				t.Errorf("status = %+v, %v", st, err)
			}
			if len(told) != 1 {
				t.Errorf("told %d times, want once for one cause", len(told))
			}
			w.app.fault = nil
			w.cycle()
			if st, _ := w.job().Status(t.Context()); st.Code != provision.StatusActive {
				t.Errorf("after a good cycle: %v", st.Code)
			}
		})
	}
	t.Run("it fails on the way", func(t *testing.T) {
		w := newWorld(t)
		for i := range 50 {
			w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i))
		}
		n := 0
		w.app.fault = func(call string) (error, bool) {
			if n++; n > 20 {
				return errUnreachable, false
			}
			return nil, false
		}
		if err := w.failing(); !errors.Is(err, provision.ErrTargetUnusable) {
			t.Errorf("err = %v", err)
		}
		if n > 60 {
			t.Errorf("%d calls, of a target that is down since the 20th", n)
		}
	})
}

func TestSourcesThatCannotBeTrusted(t *testing.T) {
	fill := func(w *world) {
		for i := range 40 {
			w.source.user(fmt.Sprintf("%02d", i), fmt.Sprintf("u%d@example.com", i))
		}
		w.source.group("g", "Staff", "01")
		w.config.Policy.Deletions = provision.DeletionLimit{Count: -1, Percent: -1}
		w.cycle()
	}
	for name, spoil := range map[string]func(*directory){
		"it fails half-way": func(d *directory) {
			d.user("00", "changed@example.com")
			d.fail, d.failAt = errors.New("disk gone"), 20
		},
		"it reads empty":   func(d *directory) { clear(d.objects["User"]) },
		"no groups at all": func(d *directory) { clear(d.objects["Group"]) },
		"it shrinks": func(d *directory) {
			for i := range 30 {
				delete(d.objects["User"], fmt.Sprintf("%02d", i))
			}
			d.group("g", "Changed")
		},
		"an object without id": func(d *directory) { d.user("", "x@example.com") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			fill(w)
			before := w.app.picture()
			spoil(w.source)
			err := w.failing()
			if _, ok := errors.AsType[*provision.SourceFault](err); !ok {
				t.Errorf("err = %v", err)
			}
			if diff := cmp.Diff(before, w.app.picture()); diff != "" || len(w.app.journal) > 0 {
				t.Errorf("calls %q, target %s", w.app.journal, diff)
			}
			w.source.fail = nil
			fillAgain := newWorld(t)
			fill(fillAgain)
			w.source.objects = fillAgain.source.objects
			s, _ := w.cycle()
			if diff := cmp.Diff(before, w.app.picture()); diff != "" || !s.InStep() {
				t.Errorf("after the source was mended: %s", diff)
			}
		})
	}
	t.Run("it is meant", func(t *testing.T) {
		w := newWorld(t)
		fill(w)
		clear(w.source.objects["Group"])
		_ = w.failing()
		if err := w.job().Restart(t.Context(), provision.ForceDeletes); err != nil {
			t.Fatal(err)
		}
		w.cycle()
		if len(w.app.objects["Group"]) != 0 {
			t.Error("the group is still there")
		}
	})
}

func TestHeldDeletions(t *testing.T) {
	w := newWorld(t)
	for i := range 50 {
		w.source.user(fmt.Sprintf("%02d", i), fmt.Sprintf("u%d@example.com", i))
	}
	w.cycle()
	leave := func(from, to int) {
		for i := from; i < to; i++ {
			w.source.user(fmt.Sprintf("%02d", i), fmt.Sprintf("u%d@example.com", i), "accountEnabled", false)
		}
	}
	leave(0, 12)
	w.source.user("49", "u49@example.com", "surname", "Changed")
	s, writes := w.cycle()
	wantWrites(t, writes, "update User "+idOf(w, "u49@example.com"))
	if s.Held != 12 || s.InStep() {
		t.Errorf("held = %d", s.Held)
	}
	staged, err := w.job().Log(t.Context(), provision.LogQuery{CycleID: s.CycleID})
	if err != nil || len(staged) != 13 {
		t.Fatalf("log: %d entries, %v", len(staged), err)
	}
	if st, _ := w.job().Status(t.Context()); st.Quarantine == nil || st.Quarantine.Reason != provision.TooManyDeletes || st.Held["User"] != 12 {
		t.Errorf("status = %+v", st)
	}
	if _, writes := w.cycle(); len(writes) != 0 {
		t.Errorf("held deletions were sent: %q", writes)
	}
	held, err := w.job().Held(t.Context(), 100)
	if err != nil || len(held) != 12 {
		t.Errorf("Held = %d, %v", len(held), err)
	}

	t.Run("released ones go ahead, later ones are judged by themselves", func(t *testing.T) {
		if err := w.job().Restart(t.Context(), provision.ForceDeletes); err != nil {
			t.Fatal(err)
		}
		leave(12, 24)
		s, writes := w.cycle()
		if len(writes) != 12 || s.Held != 12 {
			t.Errorf("%d writes, %d held", len(writes), s.Held)
		}
	})
	t.Run("a mended source lets go of them", func(t *testing.T) {
		for i := 12; i < 24; i++ {
			w.source.user(fmt.Sprintf("%02d", i), fmt.Sprintf("u%d@example.com", i))
		}
		s, writes := w.cycle()
		if len(writes) != 0 || s.Held != 0 || !s.InStep() {
			t.Errorf("writes %q, held %d", writes, s.Held)
		}
		if st, _ := w.job().Status(t.Context()); st.Quarantine != nil {
			t.Errorf("quarantine = %+v", st.Quarantine)
		}
	})
}

func TestEscrowRetriesBySchedule(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com")
	w.source.user("2", "ben@example.com")
	tries := 0
	w.app.fault = func(call string) (error, bool) {
		if call == "create User ada@example.com" {
			tries++
			return scim.NewError(400, scim.InvalidValue, "not this one"), false
		}
		return nil, false
	}
	start := w.clock.Now().Add(40 * time.Minute)
	var at []time.Duration
	for w.clock.Now().Sub(start) < 80*time.Hour {
		before := tries
		w.cycle()
		if tries > before {
			at = append(at, w.clock.Now().Sub(start))
		}
	}
	var hours []int
	for _, d := range at {
		hours = append(hours, int(d.Hours()))
	}
	if diff := cmp.Diff([]int{0, 6, 12, 24, 48, 72}, hours); diff != "" {
		t.Errorf("tried after hours (-want +got):\n%s", diff)
	}
	t.Run("a change in the source is tried at once", func(t *testing.T) {
		before := tries
		w.source.user("1", "ada@example.com", "surname", "Changed")
		w.cycle()
		if tries != before+1 {
			t.Errorf("tried %d times", tries-before)
		}
	})
	t.Run("success ends it", func(t *testing.T) {
		w.app.fault = nil
		w.clock.advance(7 * time.Hour)
		if s, _ := w.cycle(); !s.InStep() {
			t.Errorf("failures = %v", codes(s))
		}
	})
}

func TestLinkedObjectsThatAreGone(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com")
	w.source.user("2", "ben@example.com")
	w.source.group("g1", "Staff", "1", "2")
	w.cycle()
	delete(w.app.objects["User"], idOf(w, "ada@example.com"))
	for _, g := range w.app.objects["Group"] {
		g["members"] = g["members"].([]any)[1:]
	}
	w.source.user("1", "ada@example.com", "surname", "Changed")
	w.cycle()
	wantPicture(t, w, "group Staff [ada@example.com ben@example.com]", "user ada@example.com Given1 Changed active=true", "user ben@example.com Given2 Family2 active=true")
	t.Run("one that leaves is as it should be", func(t *testing.T) {
		delete(w.app.objects["User"], idOf(w, "ben@example.com"))
		w.source.user("2", "ben@example.com", "accountEnabled", false)
		if s, _ := w.cycle(); !s.InStep() || len(w.app.objects["User"]) != 1 {
			t.Errorf("failures %v, target %v", codes(s), w.app.picture())
		}
	})
	t.Run("a group", func(t *testing.T) {
		clear(w.app.objects["Group"])
		w.source.user("3", "cal@example.com")
		w.source.group("g1", "Staff", "1", "3")
		w.cycle()
		w.cycle()
		if got := w.app.picture()[0]; got != "group Staff [ada@example.com cal@example.com]" {
			t.Errorf("got %s", got)
		}
	})
}

func TestRefusedMembersDoNotKeepOthersOut(t *testing.T) {
	w := newWorld(t)
	var members []string
	for i := range 64 {
		id := fmt.Sprintf("%02d", i)
		w.source.user(id, id+"@example.com")
		members = append(members, id)
	}
	w.config.Concurrency = 1
	w.source.group("g", "Staff", members...)
	w.app.refusesMember["u-8"] = true
	w.app.refusesMember["u-41"] = true
	s, writes := w.cycle()
	for _, g := range w.app.objects["Group"] {
		if n := len(g["members"].([]any)); n != 62 {
			t.Errorf("%d members, want 62", n)
		}
	}
	if len(s.Failures) != 1 || !strings.Contains(s.Failures[0].Reason, "07, 40") || len(writes) > 64+1+30 {
		t.Errorf("%d writes, failures %+v", len(writes), s.Failures)
	}
	clear(w.app.refusesMember)
	w.clock.advance(6 * time.Hour)
	if s, _ := w.cycle(); !s.InStep() {
		t.Errorf("failures = %v", codes(s))
	}
}

func TestScopeAndAssignment(t *testing.T) {
	w := newWorld(t)
	w.mappings[0].Scope = []mapping.FilterGroup{{Clauses: []mapping.Clause{{Attribute: "department", Operator: mapping.Equals, Value: "Sales"}}}}
	assigned := map[string]bool{"1": true, "2": true, "3": true}
	w.config.Assigned = func(_ context.Context, typ string, e provision.Entry) (bool, error) {
		return typ == "Group" || assigned[e.ID], nil
	}
	w.source.user("1", "ada@example.com", "department", "Sales")
	w.source.user("2", "ben@example.com", "department", "Legal")
	w.source.user("3", "cal@example.com", "department", "Sales")
	_, writes := w.cycle()
	slices.Sort(writes)
	wantWrites(t, writes, "create User ada@example.com", "create User cal@example.com")
	w.source.user("1", "ada@example.com", "department", "Legal", "surname", "Changed")
	assigned["3"] = false
	_, writes = w.cycle()
	if len(writes) != 2 {
		t.Errorf("writes = %q", writes)
	}
	// Only access ends: other attributes of an object out of scope are not touched.
	wantPicture(t, w, "user ada@example.com Given1 Family1 active=false", "user cal@example.com Given3 Family3 active=false")
	x, err := w.job().Explain(t.Context(), "User", "1")
	if err != nil || x.InScope || !strings.Contains(x.Reason, "department EQUALS") {
		t.Errorf("Explain = %+v, %v", x, err)
	}
	if _, writes = w.cycle(); len(writes) != 0 {
		t.Errorf("a quiet cycle wrote %q", writes)
	}
}

// TestDeprovisioning has the rows of Entra's table of what happens to objects that leave.
func TestDeprovisioning(t *testing.T) {
	inactive := "user ada@example.com Given1 Family1 active=false"
	active := "user ada@example.com Given1 Family1 active=true"
	disable := func(w *world) { w.source.user("1", "ada@example.com", "accountEnabled", false) }
	unassign := func(w *world) {
		w.config.Assigned = func(_ context.Context, _ string, e provision.Entry) (bool, error) { return e.ID != "1", nil }
	}
	purge := func(w *world) {
		delete(w.source.objects["User"], "1")
		w.source.deleted["User"]["1"] = true
	}
	noMapping := func(w *world) { w.mappings[0].Attributes = slices.Delete(w.mappings[0].Attributes, 1, 2) }
	deletes := func(w *world) {
		noMapping(w)
		w.app.profile.Resources[0].Deprovision = profiles.DeleteObject
	}
	for name, test := range map[string]struct {
		configure func(*world)
		leave     []func(*world)
		want      string // of ada; empty when she is gone
	}{
		"disabled in the source":        {nil, []func(*world){disable}, inactive},
		"unassigned":                    {nil, []func(*world){unassign}, inactive},
		"soft-deleted in the directory": {nil, []func(*world){func(w *world) { w.source.user("1", "ada@example.com", "IsSoftDeleted", true) }}, inactive},
		"out of the scoping filter": {
			func(w *world) {
				w.mappings[0].Scope = []mapping.FilterGroup{{Clauses: []mapping.Clause{{Attribute: "jobTitle", Operator: mapping.IsNull}}}}
				w.mappings[0].Attributes = w.mappings[0].Attributes[:4]
			},
			[]func(*world){func(w *world) { w.source.user("1", "ada@example.com", "jobTitle", "Consultant") }},
			inactive,
		},
		"DELETE on disabling, where the target knows no other way":    {deletes, []func(*world){disable}, ""},
		"DELETE on unassignment, where the target knows no other way": {deletes, []func(*world){unassign}, ""},
		"do nothing, where the target knows no other way": {
			func(w *world) {
				deletes(w)
				w.config.Policy.OutOfScope = provision.LeaveAlone
			},
			[]func(*world){disable},
			strings.Replace(active, "true", "<nil>", 1),
		},
		"deleted for good":                            {nil, []func(*world){purge}, ""},
		"disabled, then deleted for good":             {nil, []func(*world){disable, purge}, ""},
		"unassigned, then deleted: managed no longer": {nil, []func(*world){unassign, purge}, inactive},
		"do nothing: no IsSoftDeleted mapping":        {noMapping, []func(*world){disable}, strings.Replace(active, "true", "<nil>", 1)},
		"do nothing: no mapping, unassigned":          {noMapping, []func(*world){unassign}, strings.Replace(active, "true", "<nil>", 1)},
		"do nothing: SkipOutOfScopeDeletions":         {func(w *world) { w.config.Policy.OutOfScope = provision.LeaveAlone }, []func(*world){unassign}, active},
		"DELETE on unassignment":                      {func(w *world) { w.config.Policy.OutOfScope = provision.LeaveDelete }, []func(*world){unassign}, ""},
		"do nothing when deleted: no delete action":   {func(w *world) { w.mappings[0].Actions = []mapping.Action{mapping.Create} }, []func(*world){purge}, active},
		"no delete action, but updates: disabled":     {func(w *world) { w.mappings[0].Actions = []mapping.Action{mapping.Create, mapping.Update} }, []func(*world){purge}, inactive},
		"the target does not offer DELETE: disabled": {func(w *world) {
			w.app.profile.Resources[0].Operations = []profiles.Operation{"create", "read", "list", "update"}
		}, []func(*world){purge}, inactive},
		"the source forgets her: disabled":          {nil, []func(*world){func(w *world) { delete(w.source.objects["User"], "1") }}, inactive},
		"the source forgets her: DELETE by policy":  {func(w *world) { w.config.Policy.Vanished = provision.LeaveDelete }, []func(*world){func(w *world) { delete(w.source.objects["User"], "1") }}, ""},
		"the source forgets her: nothing by policy": {func(w *world) { w.config.Policy.Vanished = provision.LeaveAlone }, []func(*world){func(w *world) { delete(w.source.objects["User"], "1") }}, active},
		"another attribute is set": {func(w *world) {
			w.mappings[0].Attributes[1] = mapping.AttributeMapping{Target: "title", Expression: `IIF([IsSoftDeleted]="True", "left", "here")`}
			w.mappings[0].Attributes = w.mappings[0].Attributes[:4]
		}, []func(*world){unassign}, strings.Replace(active, "true", "<nil> title=left", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for i := range 6 {
				w.source.user(fmt.Sprint(10+i), fmt.Sprintf("u%d@example.com", i))
			}
			w.source.user("1", "ada@example.com")
			if test.configure != nil {
				test.configure(w)
			}
			w.cycle()
			for _, leave := range test.leave {
				leave(w)
				w.cycle()
			}
			got := ""
			for _, line := range w.app.picture() {
				if strings.Contains(line, "ada@") {
					got = line
				}
			}
			if got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			if _, writes := w.cycle(); len(writes) != 0 {
				t.Errorf("a quiet cycle wrote %q", writes)
			}
		})
	}
}

func TestDisabledPeopleAreNotCreatedButExistingAccountsAreDisabled(t *testing.T) {
	w := newWorld(t)
	w.app.put("User", scim.Document{"userName": "ben@example.com", "active": true, "name": map[string]any{"familyName": "Old"}})
	w.source.user("1", "ada@example.com", "accountEnabled", false)
	w.source.user("2", "ben@example.com", "accountEnabled", "FALSE")
	s, _ := w.cycle()
	wantPicture(t, w, "user ben@example.com Given2 Family2 active=false")
	if !s.InStep() {
		t.Errorf("failures = %v", codes(s))
	}
}

func TestDeleteAfter(t *testing.T) {
	w := newWorld(t)
	w.config.Policy.DeleteAfter = 30 * 24 * time.Hour
	w.source.user("1", "ada@example.com")
	w.source.user("2", "ben@example.com")
	w.source.user("3", "cal@example.com")
	w.cycle()
	delete(w.source.objects["User"], "1")
	w.source.user("2", "ben@example.com", "accountEnabled", false)
	w.cycle()
	w.clock.advance(29 * 24 * time.Hour)
	if _, writes := w.cycle(); len(writes) != 0 {
		t.Errorf("too early: %q", writes)
	}
	w.clock.advance(24 * time.Hour)
	_, writes := w.cycle()
	if len(writes) != 1 || !strings.HasPrefix(writes[0], "delete") || idOf(w, "ada@example.com") != "nobody" {
		t.Errorf("writes = %q", writes)
	}
	if _, writes = w.cycle(); len(writes) != 0 {
		t.Errorf("afterwards: %q", writes)
	}
}
