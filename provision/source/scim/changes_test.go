package scim_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	core "github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/source/scim"
)

func TestChangesAreWhatWasModified(t *testing.T) {
	s := newService(t, 0)
	ada, ben := s.user(t, "ada"), s.user(t, "ben")
	staff := s.group(t, "staff", ada)
	s.now = s.now.Add(time.Hour)
	source := newSource(t, s.Client, scim.Options{Changes: true, Now: s.clock})
	since := mark(t, source)
	s.now = s.now.Add(time.Minute)
	s.journal = nil

	if got, err := changed(t, source, "User", since); err != nil || len(got) != 0 {
		t.Fatalf("nothing has changed: %v, %v", got, err)
	}
	// One page that is empty, and one question for the total.
	if got := s.requests("GET /Users"); len(got) != 2 || !strings.Contains(got[0], "meta.lastModified%20gt%20%222026-03-01T12%3A55") {
		t.Errorf("requests %q", got)
	}
	cal := s.user(t, "cal")
	if _, err := s.Users().Patch(t.Context(), ben, []core.PatchOperation{{Op: core.OpReplace, Path: "active", Value: false}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Groups().AddMembers(t.Context(), staff, cal); err != nil {
		t.Fatal(err)
	}
	entries, err := changed(t, source, "User", since)
	if err != nil {
		t.Fatal(err)
	}
	want := []provision.Entry{
		{ID: ben, Attributes: map[string]any{
			"id": ben, "userName": "ben@example.com", "active": false, "name": map[string]any{"givenName": "ben", "familyName": "Doe"},
		}},
		{ID: cal, Attributes: map[string]any{
			"id": cal, "userName": "cal@example.com", "active": true, "name": map[string]any{"givenName": "cal", "familyName": "Doe"},
		}},
	}
	if diff := cmp.Diff(want, entries); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	entries, err = changed(t, source, "Group", since)
	if err != nil || len(entries) != 1 {
		t.Fatalf("groups %v, %v", entries, err)
	}
	if diff := cmp.Diff([]any{ada, cal}, entries[0].Attributes["members"]); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}

// Deletions do not show in a list of what was modified. They show in the number of resources.
func TestADeletionMakesEverythingBeRead(t *testing.T) {
	s := newService(t, 0)
	ada := s.user(t, "ada")
	s.user(t, "ben")
	s.now = s.now.Add(time.Hour)
	source := newSource(t, s.Client, scim.Options{Changes: true, Now: s.clock})
	since := mark(t, source)
	s.now = s.now.Add(time.Minute)
	s.user(t, "cal") // makes the total what it was
	if err := s.Users().Delete(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	if got, err := changed(t, source, "User", since); !errors.Is(err, provision.ErrWatermarkExpired) || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := changed(t, source, "Group", since); err != nil || len(got) != 0 {
		t.Errorf("groups did not change: %v, %v", got, err)
	}
	if _, err := changed(t, source, "User", mark(t, source)); err != nil {
		t.Errorf("the next cycle: %v", err)
	}
}

func TestEverythingIsReadOnceInAWhile(t *testing.T) {
	for name, tt := range map[string]struct {
		every, later time.Duration
		want         error
	}{
		"before":         {6 * time.Hour, 5 * time.Hour, nil},
		"after":          {6 * time.Hour, 6 * time.Hour, provision.ErrWatermarkExpired},
		"never":          {-1, 1000 * time.Hour, nil},
		"24 h by itself": {0, 24 * time.Hour, provision.ErrWatermarkExpired},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, 0)
			s.user(t, "ada")
			source := newSource(t, s.Client, scim.Options{Changes: true, Now: s.clock, FullEvery: tt.every})
			since := mark(t, source)
			s.now = s.now.Add(tt.later)
			if _, err := changed(t, source, "User", since); !errors.Is(err, tt.want) {
				t.Errorf("err = %v, want %v", err, tt.want)
			}
		})
	}
}

// A service whose clock is behind, or where a change shows late, has changes that seem older than the watermark.
func TestChangesReachBackBehindTheWatermark(t *testing.T) {
	s := newService(t, 0)
	ada := s.user(t, "ada")
	s.now = s.now.Add(time.Hour)
	ahead := func() time.Time { return s.now.Add(4 * time.Minute) }
	source := newSource(t, s.Client, scim.Options{Changes: true, Now: ahead})
	since := mark(t, source)
	if _, err := s.Users().Patch(t.Context(), ada, []core.PatchOperation{{Op: core.OpReplace, Path: "active", Value: false}}); err != nil {
		t.Fatal(err)
	}
	if got, err := changed(t, source, "User", since); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestChangesThatCannotBeToldExpireTheWatermark(t *testing.T) {
	modified := `{"id":"1","meta":{"created":"2026-01-01T00:00:00Z","lastModified":"2026-01-01T00:00:00Z"}}`
	tests := map[string]struct {
		status int
		body   string
	}{
		"the filter is ignored":         {http.StatusOK, `{"totalResults":1,"Resources":[` + modified + `]}`},
		"no time of the change is told": {http.StatusOK, `{"totalResults":1,"Resources":[{"id":"1"}]}`},
		"the filter is refused":         {http.StatusBadRequest, `{"status":"400","scimType":"invalidFilter"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case !strings.HasSuffix(r.URL.Path, "/Users"):
					w.WriteHeader(http.StatusNotFound)
				case r.URL.Query().Has("filter"):
					w.WriteHeader(tt.status)
					_, _ = w.Write([]byte(tt.body))
				default:
					_, _ = w.Write([]byte(`{"totalResults":1,"Resources":[` + modified + `]}`))
				}
			}))
			source := newSource(t, c, scim.Options{Types: users, Changes: true})
			got, err := changed(t, source, "User", mark(t, source))
			if !errors.Is(err, provision.ErrWatermarkExpired) || len(got) != 0 {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	t.Run("a service that is not said to filter", func(t *testing.T) {
		s := newService(t, 0)
		source := newSource(t, s.Client, scim.Options{})
		if _, err := changed(t, source, "User", mark(t, source)); !errors.Is(err, provision.ErrWatermarkExpired) {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("a request that fails", func(t *testing.T) {
		s := newService(t, 0)
		source := newSource(t, s.Client, scim.Options{Changes: true, Now: s.clock})
		since := mark(t, source)
		refused := newSource(t, newClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })),
			scim.Options{Changes: true, Now: s.clock})
		if _, err := changed(t, refused, "User", since); !errors.Is(err, core.ErrForbidden) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestTheProfileTellsHowChangesAreFiltered(t *testing.T) {
	profile := func(ops ...string) *profiles.Profile {
		return &profiles.Profile{Name: "hr", Resources: []profiles.Resource{{
			Name: "User", Endpoint: "/Users", Schema: core.UserSchema, Operations: []profiles.Operation{profiles.List, profiles.Read},
			Attributes: []profiles.Attribute{
				{Path: "userName", Type: "string"}, {Path: "meta.lastModified", Type: "dateTime", Filter: ops},
			},
		}}}
	}
	for name, tt := range map[string]struct {
		ops  []string
		want string
	}{"gt": {[]string{"eq", "ge", "gt"}, "%20gt%20"}, "ge": {[]string{"ge"}, "%20ge%20"}} {
		t.Run(name, func(t *testing.T) {
			var journal []string
			c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				journal = append(journal, r.URL.RequestURI())
				_, _ = w.Write([]byte(`{"totalResults":0,"Resources":[]}`))
			}), client.WithProfile(profile(tt.ops...)))
			source := newSource(t, c, scim.Options{Types: users})
			if _, err := changed(t, source, "User", mark(t, source)); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(journal, "\n"), tt.want) {
				t.Errorf("requests %q", journal)
			}
		})
	}
	if _, err := scim.New(newClient(t, http.NotFoundHandler(), client.WithProfile(profile("eq"))), scim.Options{Types: users, Changes: true}); err == nil {
		t.Error("changes were asked for that the profile says cannot be had")
	}
}
