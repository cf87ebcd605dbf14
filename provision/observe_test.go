package provision_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/provision"
)

// TestTestConnection asks for a user whom nobody has, as Entra does, and expects an empty list.
func TestTestConnection(t *testing.T) {
	const list = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":%d,"startIndex":1,"itemsPerPage":%d,"Resources":[%s]}`
	const user = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"ada@example.com"}`
	for name, test := range map[string]struct {
		status int
		body   string
		want   string // part of the error; empty for none
	}{
		"an empty list":              {200, fmt.Sprintf(list, 0, 0, ""), ""},
		"a service without filters":  {200, fmt.Sprintf(list, 1, 1, user), "filter"},
		"no list, but not found":     {404, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404"}`, "there is no SCIM service at this address"},
		"a page for people":          {200, "<html>Sign in</html>", ""},
		"a credential that is wrong": {401, `{}`, "the credential is refused"},
		"rights that are missing":    {403, `{}`, "not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked string
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.Method + " " + r.URL.Path + " " + r.URL.Query().Get("filter")
				w.Header().Set("Content-Type", "application/scim+json")
				w.WriteHeader(test.status)
				_, _ = fmt.Fprint(w, test.body)
			}))
			defer s.Close()
			c, err := client.New(s.URL, client.WithBearerToken("secret-token"))
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t)
			w.target = provision.NewClientTarget(c)
			err = w.job().TestConnection(t.Context())
			if !strings.HasPrefix(asked, "GET /Users userName eq ") {
				t.Errorf("asked %q", asked)
			}
			if name == "a page for people" {
				if err == nil {
					t.Error("a page that is not SCIM is accepted")
				}
				return
			}
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("err = %v", err)
			}
			if err != nil && (!errors.Is(err, provision.ErrTargetUnusable) || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "secret-token")) {
				t.Errorf("err = %v", err)
			}
		})
	}
}

// counting is a directory that can say how much it has.
type counting struct{ *directory }

func (c *counting) Count(_ context.Context, objectType string) (int, error) {
	return len(c.objects[objectType]), nil
}

func TestProgressHasTotalsAndEstimates(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i))
	}
	var told []provision.Progress
	w.config.Progress = func(p provision.Progress) { told = append(told, p) }
	reads := func() []string {
		var list []string
		for _, p := range told {
			if p.Phase == provision.PhaseRead && p.Type == "User" {
				list = append(list, fmt.Sprintf("%d/%d %v", p.Done, p.Total, p.Estimated))
			}
		}
		told = nil
		return list
	}
	w.cycle()
	if diff := cmp.Diff([]string{"0/-1 false", "5/5 false"}, reads()); diff != "" {
		t.Errorf("nothing known (-want +got):\n%s", diff)
	}
	w.source.user("5", "u5@example.com")
	w.cycle()
	last := told[len(told)-1]
	if diff := cmp.Diff([]string{"0/5 true", "6/6 false"}, reads()); diff != "" {
		t.Errorf("estimated (-want +got):\n%s", diff)
	}
	if last.Avoided != 5 || last.Requests.Writes != 1 || last.Done != 1 || last.Total != 1 {
		t.Errorf("at the end: %+v", last)
	}
	w.config.Source = &counting{w.source}
	s, _ := w.cycle()
	if diff := cmp.Diff([]string{"0/6 false", "6/6 false"}, reads()); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	if s.Avoided() != 6 {
		t.Errorf("%d writes avoided", s.Avoided())
	}
}

type brokenSink struct{}

func (brokenSink) WriteEntries(context.Context, []provision.LogEntry) error {
	return errors.New("disk full")
}

func TestSinksThatFailDoNotStopTheJob(t *testing.T) {
	w := newWorld(t)
	var lines, logged bytes.Buffer
	w.config.Sinks = []provision.LogSink{brokenSink{}, provision.JSONLines(&lines)}
	w.config.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	w.source.user("1", "ada@example.com")
	s, writes := w.cycle()
	if len(writes) != 1 || !s.InStep() || s.SinkErrors == 0 {
		t.Errorf("writes %q, summary %+v", writes, s)
	}
	if !strings.Contains(logged.String(), "disk full") || lines.Len() == 0 {
		t.Errorf("logged %s, the other sink has %d bytes", logged.String(), lines.Len())
	}
	if log, err := w.job().Log(t.Context(), provision.LogQuery{}); err != nil || len(log) != 1 {
		t.Errorf("the state has %d entries, %v", len(log), err)
	}
}

func TestLogIsFoundByUserStatusAndTime(t *testing.T) {
	w := newWorld(t)
	w.config.Tenant = "meridian"
	w.source.user("1", "ada@example.com", "displayName", "Ada Byron")
	w.source.user("2", "ben@example.com")
	w.app.reserved["cal@example.com"] = true
	w.source.user("3", "cal@example.com")
	w.cycle()
	first := w.clock.Now()
	w.source.user("1", "ada@example.com", "displayName", "Ada Byron", "surname", "King")
	w.cycle()
	for name, test := range map[string]struct {
		query provision.LogQuery
		want  []string
	}{
		"all, the newest first":  {provision.LogQuery{}, []string{"1 update", "3 other", "2 create", "1 create"}},
		"by source id":           {provision.LogQuery{User: "1"}, []string{"1 update", "1 create"}},
		"by target id":           {provision.LogQuery{User: "u-1"}, []string{"1 update", "1 create"}},
		"by display name":        {provision.LogQuery{User: "Ada Byron"}, []string{"1 update", "1 create"}},
		"by user name, any case": {provision.LogQuery{User: "ADA@Example.com"}, []string{"1 update", "1 create"}},
		"the newest of one":      {provision.LogQuery{User: "ada@example.com", Limit: 1}, []string{"1 update"}},
		"of nobody":              {provision.LogQuery{User: "zoe@example.com"}, nil},
		"by status":              {provision.LogQuery{Status: provision.StatusFailure}, []string{"3 other"}},
		"by code":                {provision.LogQuery{Code: provision.EntryConflict}, []string{"3 other"}},
		"since":                  {provision.LogQuery{Since: first.Add(time.Minute)}, []string{"1 update"}},
		"until":                  {provision.LogQuery{Until: first.Add(time.Minute)}, []string{"3 other", "2 create", "1 create"}},
		"by user and time":       {provision.LogQuery{User: "ada@example.com", Until: first.Add(time.Minute)}, []string{"1 create"}},
	} {
		entries, err := w.job().Log(t.Context(), test.query)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range entries {
			got = append(got, e.Source.ID+" "+string(e.Action))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	entries, err := w.job().Log(t.Context(), provision.LogQuery{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(entries[0])
	if err != nil || !strings.Contains(string(data), `"tenantId":"meridian"`) || !strings.Contains(string(data), `"servicePrincipal":{"id":"app","displayName":"The application"}`) {
		t.Errorf("%s, %v", data, err)
	}
}

func TestPlansAreCompared(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com")
	w.source.user("2", "ben@example.com")
	plan := func() *provision.Plan {
		p, err := w.job().Plan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		data, err := p.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var saved provision.Plan
		if err := saved.UnmarshalJSON(data); err != nil {
			t.Fatal(err)
		}
		if list := p.Compare(&saved); len(list) != 0 {
			t.Errorf("saved and read again: %v", list)
		}
		return &saved
	}
	before := plan()
	if list := before.Compare(plan()); len(list) != 0 {
		t.Errorf("the same: %v", list)
	}
	delete(w.source.objects["User"], "1")
	w.source.user("2", "ben@example.com", "surname", "Okri")
	w.source.user("3", "cal@example.com")
	var got []string
	for _, d := range before.Compare(plan()) {
		got = append(got, strings.SplitN(d.String(), "\n", 2)[0])
	}
	want := []string{"create of User 1 is no longer due", "create of User 2 is now create       User 2 (ben@example.com)", "create of User 3 is new"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExplainTellsOfFailuresAndRetries(t *testing.T) {
	w := newWorld(t)
	w.app.reserved["ada@example.com"] = true
	w.source.user("1", "ada@example.com")
	w.cycle()
	calls := len(w.app.journal)
	x, err := w.job().Explain(t.Context(), "User", "1")
	if err != nil || x.Failure == nil || x.Failure.Code != provision.EntryConflict || !strings.Contains(x.NextWhy, "tried again at 2026-01-05T15:40:00Z") {
		t.Errorf("%+v, %v", x, err)
	}
	w.source.user("1", "ada@example.com", "surname", "King")
	if x, err := w.job().Explain(t.Context(), "User", "1"); err != nil || x.Failure != nil || strings.Contains(x.NextWhy, "again") {
		t.Errorf("changed since: %+v, %v", x, err)
	}
	if len(w.app.journal) != calls {
		t.Error("the target was asked")
	}
}
