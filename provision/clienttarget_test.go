package provision_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/provision"
)

// TestUpdateByPut changes objects of a service that has PUT alone. What the change does not concern is sent back as it was read, or the PUT
// would take it away.
func TestUpdateByPut(t *testing.T) {
	list := func(elements ...any) []any { return elements }
	email := func(typ, value string) map[string]any { return map[string]any{"type": typ, "value": value} }
	for name, test := range map[string]struct {
		current, before, after, want scim.Document
	}{
		"a value": {
			scim.Document{"userName": "ada", "title": "Clerk", "nickName": "A"},
			scim.Document{"title": "Clerk"},
			scim.Document{"title": "Engineer"},
			scim.Document{"userName": "ada", "title": "Engineer", "nickName": "A"},
		},
		"a value is cleared": {
			scim.Document{"userName": "ada", "title": "Clerk", "nickName": "A"},
			scim.Document{"title": "Clerk"},
			scim.Document{},
			scim.Document{"userName": "ada", "nickName": "A"},
		},
		"part of an object": {
			scim.Document{"userName": "ada", "name": map[string]any{"givenName": "Ada", "familyName": "Byron", "middleName": "A."}},
			scim.Document{"name": map[string]any{"givenName": "Ada", "familyName": "Byron"}},
			scim.Document{"name": map[string]any{"givenName": "Ada", "familyName": "Lovelace"}},
			scim.Document{"userName": "ada", "name": map[string]any{"givenName": "Ada", "familyName": "Lovelace", "middleName": "A."}},
		},
		"several values of one type": {
			scim.Document{"userName": "ada", "emails": list(email("other", "a@x"), email("other", "b@x"), email("home", "h@x"))},
			scim.Document{"emails": list(email("other", "a@x"), email("other", "b@x"))},
			scim.Document{"emails": list(email("other", "a@x"), email("other", "c@x"), email("other", "d@x"))},
			scim.Document{"userName": "ada", "emails": list(email("other", "a@x"), email("other", "c@x"), email("home", "h@x"), email("other", "d@x"))},
		},
		"one value of several of a type is taken away": {
			scim.Document{"userName": "ada", "emails": list(email("other", "a@x"), email("other", "b@x"), email("other", "foreign@x"))},
			scim.Document{"emails": list(email("other", "a@x"), email("other", "b@x"))},
			scim.Document{"emails": list(email("other", "b@x"))},
			scim.Document{"userName": "ada", "emails": list(email("other", "b@x"), email("other", "foreign@x"))},
		},
		"what is not governed of an element": {
			scim.Document{"userName": "ada", "emails": list(map[string]any{"type": "work", "value": "a@x", "primary": true})},
			scim.Document{"emails": list(email("work", "a@x"))},
			scim.Document{"emails": list(email("work", "b@x"))},
			scim.Document{"userName": "ada", "emails": list(map[string]any{"type": "work", "value": "b@x", "primary": true})},
		},
		"what others changed": {
			scim.Document{"userName": "ada", "title": "Changed", "nickName": "A"},
			scim.Document{"title": "Clerk", "nickName": "A"},
			scim.Document{"title": "Clerk", "nickName": "B"},
			scim.Document{"userName": "ada", "title": "Changed", "nickName": "B"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var put scim.Document
			service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/scim+json")
				if r.Method == http.MethodPut {
					body, _ := io.ReadAll(r.Body)
					_ = json.Unmarshal(body, &put)
				} else if r.Method != http.MethodGet {
					w.WriteHeader(http.StatusNotImplemented)
					return
				}
				answer := test.current.Clone()
				answer["id"], answer["schemas"] = "1", []any{scim.UserSchema}
				_ = json.MarshalWrite(w, answer)
			}))
			defer service.Close()
			c, err := client.New(service.URL, client.WithInsecureHTTP(), client.WithBearerToken("x"), client.WithProfile(&profiles.Profile{
				Name: "put", Title: "PUT alone", Resources: []profiles.Resource{{
					Name: "User", Endpoint: "/Users", Schema: scim.UserSchema, Operations: []profiles.Operation{profiles.Read, profiles.Replace},
				}},
			}))
			if err != nil {
				t.Fatal(err)
			}
			if err := provision.NewClientTarget(c).Update(t.Context(), "User", "1", test.before, test.after); err != nil {
				t.Fatal(err)
			}
			delete(put, "id")
			delete(put, "schemas")
			if diff := cmp.Diff(test.want, put); diff != "" {
				t.Errorf("PUT (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFindChecksWhatItCannotSee looks for a value that the service does not show: what it answers is believed only if it answers otherwise for a
// value that nobody has.
func TestFindChecksWhatItCannotSee(t *testing.T) {
	admin := map[string]any{"schemas": []any{scim.UserSchema}, "id": "1", "userName": "admin@x"}
	for name, test := range map[string]struct {
		found   func(filter string) bool
		want    []string
		wantErr bool
	}{
		"the filter is ignored": {func(string) bool { return true }, nil, true},
		"the filter is obeyed":  {func(filter string) bool { return strings.Contains(filter, `"7"`) }, []string{"1"}, false},
		"nobody has the value":  {func(string) bool { return false }, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				list := []any{}
				if test.found(r.URL.Query().Get("filter")) {
					list = append(list, admin)
				}
				w.Header().Set("Content-Type", "application/scim+json")
				_ = json.MarshalWrite(w, map[string]any{
					"schemas": []any{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, "totalResults": len(list), "Resources": list,
				})
			}))
			defer service.Close()
			c, err := client.New(service.URL, client.WithInsecureHTTP(), client.WithBearerToken("x"))
			if err != nil {
				t.Fatal(err)
			}
			target := provision.NewClientTarget(c)
			for range 3 {
				docs, err := target.Find(t.Context(), "User", filter.Eq("externalId", "7"))
				var ids []string
				for _, doc := range docs {
					ids = append(ids, doc.ID())
				}
				if (err != nil) != test.wantErr || err == nil && !slices.Equal(ids, test.want) {
					t.Errorf("found %v, %v", ids, err)
				}
			}
			if !test.wantErr && len(test.want) > 0 && asked != 4 {
				t.Errorf("asked %d times for 3 values", asked)
			}
		})
	}
}

// TestSwitchingOffIsVerified ends somebody's access in services that do not do what they are told.
func TestSwitchingOffIsVerified(t *testing.T) {
	attributes := []profiles.Attribute{{Path: "userName", Type: "string"}, {Path: "active", Type: "boolean"}}
	for name, test := range map[string]struct {
		attributes []profiles.Attribute
		// answers to the PATCH and, if there is one, to the GET after it; empty for 204.
		patched, read string
		wantRequests  []string
		wantErr       bool
	}{
		"done":                       {attributes, `{"id":"1","active":false}`, "", []string{"PATCH"}, false},
		"answered without resource":  {attributes, "", "", []string{"PATCH"}, false},
		"active is not shown":        {attributes, `{"id":"1"}`, "", []string{"PATCH"}, false},
		"answered as it was before":  {attributes, `{"id":"1","active":true}`, `{"id":"1","active":false}`, []string{"PATCH", "GET"}, false},
		"not done":                   {attributes, `{"id":"1","active":true}`, `{"id":"1","active":"True"}`, []string{"PATCH", "GET"}, true},
		"the profile does not know":  {attributes[:1], "", "", nil, true},
		"the profile knows no names": {nil, `{"id":"1","active":false}`, "", []string{"PATCH"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var requests []string
			service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests = append(requests, r.Method)
				answer := test.read
				if r.Method == http.MethodPatch {
					answer = test.patched
				}
				if answer == "" {
					w.WriteHeader(http.StatusNoContent)
					return
				}
				w.Header().Set("Content-Type", "application/scim+json")
				_, _ = io.WriteString(w, answer)
			}))
			defer service.Close()
			c, err := client.New(service.URL, client.WithInsecureHTTP(), client.WithBearerToken("x"), client.WithProfile(&profiles.Profile{
				Name: "app", Title: "App", Resources: []profiles.Resource{{
					Name: "User", Endpoint: "/Users", Schema: scim.UserSchema, Attributes: test.attributes,
					Operations: []profiles.Operation{profiles.Read, profiles.Update},
				}},
			}))
			if err != nil {
				t.Fatal(err)
			}
			before, after := scim.Document{"userName": "a", "active": true}, scim.Document{"userName": "b", "active": false}
			if name == "the profile does not know" {
				after["userName"] = "a"
			}
			err = provision.NewClientTarget(c).Update(t.Context(), "User", "1", before, after)
			var f *provision.Failure
			if errors.As(err, &f) != test.wantErr || err != nil && f == nil {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(test.wantRequests, requests); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}
