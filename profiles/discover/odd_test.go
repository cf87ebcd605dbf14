package discover_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles/discover"
)

// A service that ignores filters lists everything: no attribute may then be called filterable.
func TestFiltersThatAreIgnored(t *testing.T) {
	url := ours(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			q.Del("filter")
			r.URL.RawQuery = q.Encode()
			h.ServeHTTP(w, r)
		})
	})
	r := probe(t, url, discover.Options{}, token)
	user, _ := r.Profile.Resource("User")
	for _, a := range user.Attributes {
		if len(a.Filter) > 0 && a.Type != "boolean" {
			t.Errorf("%s is called filterable", a.Path)
		}
	}
	found := strings.Join(r.Findings, "\n")
	if !strings.Contains(found, "Filters of /Users on these are ignored, and everything is listed: id, externalId, userName") ||
		!strings.Contains(found, "It states that filters are supported, and none works for /Groups.") {
		t.Errorf("findings:\n%s", found)
	}
}

func TestEmptyListsAnsweredWithNotFound(t *testing.T) {
	url := ours(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, r)
			if r.URL.Query().Has("filter") && bytes.Contains(answer.Body.Bytes(), []byte(`"totalResults":0`)) {
				http.NotFound(w, r)
				return
			}
			for name, values := range answer.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
		})
	})
	r := probe(t, url, discover.Options{}, token)
	wantStatements(t, r.Profile, map[string]string{
		"/paging/notFoundWhenEmpty":                     "true observed",
		"/resources/User/attributes/userName/filter/eq": `"eq" observed`,
	})
}

func TestRefusedCredential(t *testing.T) {
	_, err := discover.Probe(t.Context(), ours(t, nil), discover.Options{}, client.WithBearerToken("not-the-token"))
	if err == nil || !strings.Contains(err.Error(), "does not accept the credential") || strings.Contains(err.Error(), "not-the-token") {
		t.Errorf("error %v", err)
	}
}

func TestNoSCIMService(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }))
	defer page.Close()
	_, err := discover.Probe(t.Context(), page.URL, discover.Options{}, client.WithBearerToken(token))
	if err == nil || !strings.Contains(err.Error(), "check the base URL") {
		t.Errorf("error %v", err)
	}
}

// However the probe ends, nothing that it has created may stay.
func TestInterruptedProbeCleansUp(t *testing.T) {
	for _, moment := range []string{"creating the test user a second", "changing the test user", "changing the test group"} {
		t.Run(moment, func(t *testing.T) {
			url := ours(t, nil)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, err := discover.Probe(ctx, url, discover.Options{AllowWrites: true, Progress: func(step string) {
				if strings.HasPrefix(step, moment) {
					cancel()
				}
			}}, client.WithBearerToken(token))
			if err == nil {
				t.Error("no error although it was interrupted")
			}
			c, err := client.New(url, client.WithBearerToken(token))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"User", "Group"} {
				if n, err := c.Documents(name).Count(t.Context(), filter.Filter{}); err != nil || n != 2 {
					t.Errorf("%d resources of type %s, %v; want the 2 that were there before", n, name, err)
				}
			}
		})
	}
}
