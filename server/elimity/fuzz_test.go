package elimity_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	scim "github.com/elimity-com/scim"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/elimity"
)

// people are resources as handlers keep them.
func people() []scim.ResourceAttributes {
	return []scim.ResourceAttributes{
		{"userName": "bjensen", "active": true, "title": "", "emails": []interface{}{map[string]interface{}{"value": "bjensen@example.org", "type": "work"}}},
		{"userName": "ΣΊΣΥΦΟΣ", "displayName": "σίσυφος", "nickName": "a\"b\\c", "name": map[string]interface{}{"familyName": "Jensen"}},
		{
			"userName": "Zoë", "displayName": "ZOË", "active": false, "preferredLanguage": "en-US", "profileUrl": "https://example.org/zoe",
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": map[string]interface{}{"department": "R&D", "manager": map[string]interface{}{"value": "1"}},
		},
		{"userName": "x", "emails": []map[string]interface{}{{"value": "x", "primary": true}}, "roles": []string{"admin"}},
	}
}

// A handler that calls PassesFilter finds what one that ignores filters finds: what the library gets wrong never shows, and nothing panics.
func FuzzFilters(f *testing.F) {
	for _, seed := range []string{
		`userName eq "bjensen"`, `userName eq "σίσυφος" or displayName eq "ΣΊΣΥΦΟΣ"`, `displayName co "zoë" and active eq false`, `nickName eq "a\"b\\c"`,
		`not (userName sw "b") and (title pr or nickName ne "x")`, `emails co "example.org"`, `emails[type eq "work" and value ew ".org"]`,
		`emails.primary eq true`, `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department sw "R"`, `name.familyName gt "A"`,
		`id eq "1"`, `externalId eq null`, `meta.created gt "2020-01-01T00:00:00Z"`, `profileUrl co "zoe"`, `roles eq "admin"`, `title eq ""`,
		`userName sw "B" and not (emails pr)`, `manager eq "1"`,
	} {
		f.Add(seed)
	}
	ignoring, filtering, whole := fuzzed(f, false), fuzzed(f, true), fuzzed(f, false, elimity.Options{Filters: elimity.FiltersWhole})
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "ſ") {
			t.Skip()
		}
		want := ask(t, ignoring, text)
		for name, h := range map[string]http.Handler{"PassesFilter": filtering, "whole filters": whole} {
			if got := ask(t, h, text); got != want {
				t.Errorf("%s: with %s\n%s\nwithout\n%s", text, name, got, want)
			}
		}
	})
}

func fuzzed(f *testing.F, filters bool, options ...elimity.Options) http.Handler {
	f.Helper()
	a := &app{users: newDirectory("id", "userName"), groups: newDirectory("group", "")}
	a.users.filters = filters
	for i, attributes := range people() {
		id := fmt.Sprint(i)
		a.users.ids, a.users.data[id] = append(a.users.ids, id), attributes
	}
	h, err := elimity.New(a.types(), server.Options{Authenticator: server.Anonymous()}, options...)
	if err != nil {
		f.Fatal(err)
	}
	return h
}

func ask(t *testing.T, h http.Handler, filter string) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/Users?filter="+url.QueryEscape(filter), nil))
	if w.Code != http.StatusOK && w.Code != http.StatusBadRequest && w.Code != http.StatusForbidden {
		t.Errorf("%s: status %d: %s", filter, w.Code, w.Body)
	}
	return fmt.Sprint(w.Code, w.Body)
}
