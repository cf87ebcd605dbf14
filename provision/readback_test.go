package provision_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/provision"
)

// lossy is an application that answers writes with success, and then does with them as it likes.
type lossy struct {
	*application
	lose func(was, now scim.Document)
}

func (l *lossy) Create(ctx context.Context, resourceType string, doc scim.Document) (scim.Document, error) {
	made, err := l.application.Create(ctx, resourceType, doc)
	if err == nil {
		l.lose(scim.Document{}, l.objects[resourceType][made.ID()])
	}
	return made, err
}

func (l *lossy) Update(ctx context.Context, resourceType, id string, before, after scim.Document) error {
	was := l.objects[resourceType][id].Clone()
	err := l.application.Update(ctx, resourceType, id, before, after)
	if err == nil {
		l.lose(was, l.objects[resourceType][id])
	}
	return err
}

func (w *world) loses(lose func(was, now scim.Document)) {
	w.target = &lossy{w.app, lose}
}

func altered(list []provision.Altered) []string {
	var texts []string
	for _, a := range list {
		texts = append(texts, fmt.Sprintf("%s %s %s", a.Resource, a.Attribute, a.Effect))
	}
	return sortedStrings(texts)
}

func TestReadBackReportsOnceWhatTheTargetDoesNotKeep(t *testing.T) {
	for name, test := range map[string]struct {
		lose func(was, now scim.Document)
		want []string
	}{
		"dropped": {func(_, now scim.Document) { delete(now, "title") }, []string{"User title dropped"}},
		"the old value kept": {func(was, now scim.Document) {
			if was["title"] != nil {
				now["title"] = was["title"]
			}
		}, []string{"User title keptOld"}},
		"changed": {func(_, now scim.Document) {
			if s, ok := now["title"].(string); ok {
				now["title"] = strings.ToUpper(s)
			}
		}, []string{"User title changed"}},
		"all kept":           {func(_, _ scim.Document) {}, nil},
		"more than was sent": {func(_, now scim.Document) { now["locale"] = "en" }, nil},
		"a name that the target writes otherwise": {func(_, now scim.Document) { now["userName"] = strings.ToUpper(now["userName"].(string)) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.loses(test.lose)
			w.config.Policy.ReadBack = 2
			p := &pager{}
			w.config.Notify = p
			for i := range 5 {
				w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i), "jobTitle", "Clerk")
			}
			first, _ := w.cycle()
			for i := range 5 {
				w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i), "jobTitle", "Chief")
			}
			second, _ := w.cycle()
			third, writes := w.cycle()
			if diff := cmp.Diff(test.want, altered(append(first.Altered, second.Altered...))); diff != "" {
				t.Errorf("altered (-want +got):\n%s", diff)
			}
			if len(third.Altered) != 0 || len(writes) != 0 {
				t.Errorf("nothing changed, but %v and %q", third.Altered, writes)
			}
			st, err := w.job().Status(t.Context())
			if err != nil || cmp.Diff(test.want, altered(st.Altered)) != "" {
				t.Errorf("status %v, %v", st.Altered, err)
			}
			log, err := w.job().Log(t.Context(), provision.LogQuery{Code: provision.AttributeNotKept})
			if err != nil || len(log) != len(test.want) || len(p.told) != len(test.want) {
				t.Errorf("%d log entries and %d notifications for %d causes, %v", len(log), len(p.told), len(test.want), err)
			}
			for _, e := range log {
				if e.Status.Status != provision.StatusWarning || e.Status.Error.RecommendedAction == "" || strings.Contains(e.Status.Error.Reason, "Chief") {
					t.Errorf("log entry %+v", e.Status)
				}
			}
			if len(test.want) > 0 && !strings.Contains(printed(t, first)+printed(t, second), "not kept: User: what was written to title") {
				t.Errorf("summary:\n%s", printed(t, second))
			}
		})
	}
}

func (w *world) gets() int {
	n := 0
	for _, call := range w.app.journal {
		if strings.HasPrefix(call, "get User") {
			n++
		}
	}
	return n
}

func TestReadBackIsSampled(t *testing.T) {
	w := newWorld(t)
	for i := range 50 {
		u := []any{"jobTitle", nil}
		if i > 46 {
			u[1] = "Chief"
		}
		w.source.user(fmt.Sprint(100+i), fmt.Sprintf("u%d@example.com", i), u...)
	}
	w.config.Policy.ReadBack = 2
	w.cycle()
	// Two that have the attributes of all, and two that have a title besides.
	if n := w.gets(); n != 4 {
		t.Errorf("%d objects were read back, want 4", n)
	}
	w.cycle()
	if n := w.gets(); n != 0 {
		t.Errorf("nothing was written, and %d objects were read back", n)
	}
}

func TestDriftRepairDoesNotWriteAgainWhatIsNotKept(t *testing.T) {
	for name, lose := range map[string]func(was, now scim.Document){
		"dropped": func(_, now scim.Document) { delete(now, "title") },
		"changed": func(_, now scim.Document) {
			if s, ok := now["title"].(string); ok {
				now["title"] = "* " + strings.TrimPrefix(s, "* ")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.config.Policy.Drift = 24 * time.Hour
			w.loses(lose)
			for i := range 4 {
				w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i), "jobTitle", "Clerk")
			}
			w.cycle()
			var counts []int
			for range 4 {
				w.clock.advance(24 * time.Hour)
				_, writes := w.cycle()
				counts = append(counts, len(writes))
			}
			// What is found to differ is put back once, and what the target made of that is known from then on.
			if diff := cmp.Diff([]int{4, 0, 0, 0}, counts); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
			// A real change is still put back.
			w.app.objects["User"][idOf(w, "u1@example.com")]["name"] = map[string]any{"givenName": "X", "familyName": "Y"}
			w.clock.advance(24 * time.Hour)
			_, writes := w.cycle()
			if diff := cmp.Diff([]string{"update User " + idOf(w, "u1@example.com")}, writes); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
			w.clock.advance(24 * time.Hour)
			if _, writes := w.cycle(); len(writes) != 0 {
				t.Errorf("put back again: %q", writes)
			}
		})
	}
}

func TestAmendProfile(t *testing.T) {
	p := postman.Profile()
	at := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	seen := func(attribute string, effect provision.Effect, intact int) provision.Altered {
		return provision.Altered{Type: "Person", Resource: "User", Attribute: attribute, Effect: effect, Objects: 2, Intact: intact, First: at}
	}
	amended, left, err := provision.AmendProfile(p, []provision.Altered{
		seen("externalId", provision.Dropped, 0), seen("userName", provision.KeptOld, 0), seen("name.givenName", provision.Changed, 0),
		seen("title", provision.Dropped, 0), seen("active", provision.KeptOld, 3), seen(`emails[type eq "work"].value`, provision.Dropped, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := altered(left); cmp.Diff([]string{"User active keptOld", `User emails[type eq "work"].value dropped`}, got) != "" {
		t.Errorf("left %q", got)
	}
	before, _ := p.Resource("User")
	after, _ := amended.Resource("User")
	if _, ok := before.Attribute("externalId"); !ok {
		t.Error("the given profile was changed")
	}
	if _, ok := after.Attribute("externalId"); ok {
		t.Error("externalId is still there")
	}
	if a, _ := after.Attribute("userName"); a.Mutability != "immutable" {
		t.Errorf("userName: %+v", a)
	}
	fact, _ := amended.Fact("/resources/User/attributes/userName/mutability")
	if fact.Basis != profiles.Observed || !strings.Contains(fact.Note, "2026-01-05") {
		t.Errorf("fact %+v", fact)
	}
	if unsourced, err := amended.Unsourced(); err != nil || len(unsourced) != 0 {
		t.Errorf("without a fact: %q, %v", unsourced, err)
	}
	// A mapping is warned now.
	m := mapping.MustCompile(mapping.ObjectMapping{Source: "Person", Target: "User", Attributes: []mapping.AttributeMapping{
		{Target: "userName", Source: "mail", Matching: 1}, {Target: "externalId", Source: "employeeId"},
	}})
	var warned bool
	for _, problem := range m.Check(amended) {
		warned = warned || problem.Target == "externalId" && problem.Severity == mapping.Warning
	}
	if !warned {
		t.Error("the mapping is not warned of externalId")
	}
	if _, left, err := provision.AmendProfile(profiles.Generic(), []provision.Altered{seen("title", provision.Dropped, 0)}); err != nil || len(left) != 1 {
		t.Errorf("a profile that lists nothing: left %v, %v", left, err)
	}
}

func printed(t *testing.T, s *provision.Summary) string {
	t.Helper()
	var b strings.Builder
	if _, err := s.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAccountsThatStayEnabledAreFailures(t *testing.T) {
	w := newWorld(t)
	w.config.Policy.ReadBack, w.config.Policy.Drift = 3, time.Hour
	for _, id := range []string{"1", "2", "3"} {
		w.source.user(id, "u"+id+"@example.com")
	}
	w.cycle()
	w.loses(func(was, now scim.Document) {
		if now["active"] == false {
			now["active"] = was["active"]
		}
	})
	w.source.user("1", "u1@example.com", "accountEnabled", false)
	if s, _ := w.cycle(); !slices.Equal(codes(s), []string{"1:AttributeNotKept"}) {
		t.Errorf("failures %v", codes(s))
	}
	// The second one is told of as well, and the first is tried again.
	delete(w.source.objects["User"], "2")
	w.clock.advance(time.Hour)
	if s, _ := w.cycle(); !slices.Equal(codes(s), []string{"1:AttributeNotKept", "2:AttributeNotKept"}) {
		t.Errorf("failures %v", codes(s))
	}
	w.target = w.app
	w.clock.advance(7 * time.Hour)
	if s, _ := w.cycle(); !s.InStep() {
		t.Errorf("failures %v", codes(s))
	}
	for _, id := range []string{"1", "2"} {
		if u := w.app.objects["User"]["u-"+id]; u["active"] != false {
			t.Errorf("%s is still enabled", id)
		}
	}
	w.clock.advance(7 * time.Hour)
	if _, writes := w.cycle(); len(writes) != 0 {
		t.Errorf("writes %q", writes)
	}
}
