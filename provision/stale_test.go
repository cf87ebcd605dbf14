package provision_test

import (
	"context"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/provision"
)

// What was read is not always all there is, nor still so when it is used.

func TestListCutShortDoesNotDecide(t *testing.T) {
	w := newWorld(t)
	w.app.profile.Paging.MaxCount = 2
	w.mappings[0].Attributes[4] = mapping.AttributeMapping{Target: "nickName", Source: "nick", Matching: 2}
	w.app.put("User", scim.Document{"userName": "other@example.com", "nickName": "ada", "active": true})
	for i := range 60 {
		w.app.put("User", scim.Document{"userName": fmt.Sprintf("x%d@example.com", i), "active": true})
	}
	// Ids are listed in the order of texts.
	w.app.objects["User"]["u-z"] = scim.Document{"id": "u-z", "userName": "ada@example.com", "active": true}
	w.source.user("1", "ada@example.com", "nick", "ada")
	for i := range 5 {
		w.source.user(fmt.Sprintf("n%d", i), fmt.Sprintf("n%d@example.com", i))
	}
	s, _ := w.cycle()
	if w.app.objects["User"]["u-1"]["name"] != nil || w.app.objects["User"]["u-z"]["name"] == nil {
		t.Errorf("%v %v", w.app.picture(), codes(s))
	}
}

func TestNewPersonHasTheAddressThatAnotherGivesUpNow(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com")
	w.cycle()
	w.source.user("1", "byron@example.com")
	w.source.user("2", "ada@example.com")
	for i := range 5 {
		w.source.user(fmt.Sprintf("n%d", i), fmt.Sprintf("n%d@example.com", i))
	}
	if s, _ := w.cycle(); !s.InStep() {
		t.Errorf("failures %v, %q", codes(s), w.app.journal)
	}
}

// expiring is a source that sees only late that it cannot tell all changes.
type expiring struct {
	*directory
	after int
	marks int
}

func (e *expiring) Watermark(context.Context) (string, error) {
	e.marks++
	return fmt.Sprint(e.marks), nil
}

func (e *expiring) Changes(ctx context.Context, objectType, _ string) iter.Seq2[provision.Entry, error] {
	return func(yield func(provision.Entry, error) bool) {
		n := 0
		for x, err := range e.Entries(ctx, objectType) {
			if n++; n > e.after || err != nil {
				break
			}
			if !yield(x, err) {
				return
			}
		}
		if objectType == "User" {
			yield(provision.Entry{}, provision.ErrWatermarkExpired)
		}
	}
}

func TestChangesThatEndInTheMiddle(t *testing.T) {
	w := newWorld(t)
	w.config.Source = &expiring{directory: w.source, after: 1030}
	for i := range 1100 {
		w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i))
	}
	w.cycle()
	if s, _ := w.cycle(); !s.InStep() {
		t.Errorf("%d failures", s.FailureCount)
	}
}

// staleGet reads from a replica that may not have heard of changes.
type staleGet struct {
	*application
	stale *bool
}

func (s *staleGet) Get(ctx context.Context, resourceType, id string) (scim.Document, error) {
	doc, err := s.application.Get(ctx, resourceType, id)
	if *s.stale && err == nil {
		doc["title"] = "Clerk"
	}
	return doc, err
}

func TestDriftAfterAStaleReadBack(t *testing.T) {
	w := newWorld(t)
	w.config.Policy.ReadBack, w.config.Policy.Drift = 3, time.Hour
	w.source.user("1", "ada@example.com", "jobTitle", "Clerk")
	w.cycle()
	w.source.user("1", "ada@example.com", "jobTitle", "Director")
	// A replica is asked that has not heard of the change.
	stale := true
	w.target = &staleGet{w.app, &stale}
	w.cycle()
	stale = false
	w.clock.advance(time.Hour)
	w.cycle() // all is well
	w.app.objects["User"]["u-1"]["title"] = "Clerk"
	w.clock.advance(time.Hour)
	w.cycle()
	wantPicture(t, w, "user ada@example.com Given1 Family1 active=true title=Director")
}

func TestReleaseEndsWhenTheSourceIsMended(t *testing.T) {
	w := newWorld(t)
	w.config.Policy.Deletions.Count = 1
	leave := func() {
		for _, id := range []string{"1", "2", "3"} {
			delete(w.source.objects["User"], id)
		}
	}
	stay := func() {
		for i := range 4 {
			w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i))
		}
	}
	stay()
	w.cycle()
	leave()
	w.cycle()
	if err := w.job().Restart(t.Context(), provision.ForceDeletes); err != nil {
		t.Fatal(err)
	}
	stay()
	if s, writes := w.cycle(); !s.InStep() || len(writes) != 0 {
		t.Fatalf("failures %v, %q", codes(s), writes)
	}
	leave()
	if s, writes := w.cycle(); s.Held != 3 || len(writes) != 0 {
		t.Errorf("%d held, %q", s.Held, writes)
	}
}

func TestLeaverWhoIsEnabledInTheTargetBeforeTheDeletionIsDisabledAgain(t *testing.T) {
	w := newWorld(t)
	w.config.Policy.Drift, w.config.Policy.DeleteAfter = time.Hour, 48*time.Hour
	w.source.user("1", "ada@example.com")
	w.source.user("2", "ben@example.com")
	w.cycle()
	delete(w.source.objects["User"], "1")
	w.cycle()
	w.app.objects["User"]["u-1"]["active"] = true
	w.clock.advance(time.Hour)
	w.cycle()
	wantPicture(t, w, "user ada@example.com Given1 Family1 active=false", "user ben@example.com Given2 Family2 active=true")
	w.clock.advance(time.Hour)
	if _, writes := w.cycle(); len(writes) != 0 {
		t.Errorf("writes %q", writes)
	}
	w.clock.advance(48 * time.Hour)
	w.cycle()
	wantPicture(t, w, "user ben@example.com Given2 Family2 active=true")
}

func TestWhoLeftTheScopeAndIsEnabledInTheTargetIsDisabledAgain(t *testing.T) {
	w := newWorld(t)
	w.config.Policy.Drift = time.Hour
	w.source.user("1", "ada@example.com")
	w.source.user("2", "ben@example.com")
	w.cycle()
	w.config.Assigned = func(_ context.Context, _ string, e provision.Entry) (bool, error) { return e.ID != "1", nil }
	w.cycle()
	w.app.objects["User"]["u-1"]["active"] = true
	w.clock.advance(time.Hour)
	w.cycle()
	wantPicture(t, w, "user ada@example.com Given1 Family1 active=false", "user ben@example.com Given2 Family2 active=true")
}

// silent is a source that has never changed since.
type silent struct{ *directory }

func (silent) Watermark(context.Context) (string, error) { return "same", nil }

func (silent) Changes(context.Context, string, string) iter.Seq2[provision.Entry, error] {
	return func(func(provision.Entry, error) bool) {}
}

func TestDisconnectedObjectIsMatchedInTheNextCycle(t *testing.T) {
	w := newWorld(t)
	w.config.Source = silent{w.source}
	w.source.user("1", "ada@example.com")
	w.cycle()
	if err := w.job().Restart(t.Context(), provision.ResetWatermark); err != nil {
		t.Fatal(err)
	}
	w.app.fault = func(call string) (error, bool) {
		if contains(call, "update") {
			return scim.NewError(400, scim.InvalidValue, "no"), false
		}
		return nil, false
	}
	w.source.user("1", "ada@example.com", "jobTitle", "Clerk")
	w.cycle()
	w.app.fault = nil
	j := w.job()
	if err := j.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := j.Disconnect(t.Context(), "User", "1"); err != nil {
		t.Fatal(err)
	}
	if err := j.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, _ := w.cycle(); !s.InStep() || w.app.objects["User"]["u-1"]["title"] != "Clerk" {
		t.Errorf("failures %v, %v", codes(s), w.app.picture())
	}
}
