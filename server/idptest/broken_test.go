package idptest_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/idptest"
)

// asking changes the bodies of requests.
func asking(next http.Handler, change func(r *http.Request, body string) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		changed := change(r, string(body))
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(changed)), int64(len(changed))
		next.ServeHTTP(w, r)
	})
}

// answering changes answers.
func answering(next http.Handler, change func(r *http.Request, status int, body string) (int, string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		status, body := change(r, recorded.Code, recorded.Body.String())
		for name, values := range recorded.Header() {
			if name != "Content-Length" {
				w.Header()[name] = values
			}
		}
		w.WriteHeader(status)
		_, _ = io.Copy(w, bytes.NewBufferString(body))
	})
}

// refusing refuses requests whose method and body match.
func refusing(next http.Handler, method, pattern string) http.Handler {
	re := regexp.MustCompile(pattern)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method == method && re.Match(body) {
			w.Header().Set("Content-Type", "application/scim+json")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidValue"}`)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

func replaceAll(pattern, with string) func(*http.Request, int, string) (int, string) {
	re := regexp.MustCompile(pattern)
	return func(_ *http.Request, status int, body string) (int, string) {
		return status, re.ReplaceAllString(body, with)
	}
}

func isQuery(r *http.Request) bool { return r.Method == http.MethodGet && r.URL.Query().Has("filter") }

// Each of these services has one of the faults that are seen in the wild. The kit must find it, and name the sequences that break.
func TestFindsFaults(t *testing.T) {
	tests := []struct {
		name   string
		fault  func(http.Handler) http.Handler
		breaks []string
	}{
		{"a query without results is 404", func(h http.Handler) http.Handler {
			return answering(h, func(r *http.Request, status int, body string) (int, string) {
				if isQuery(r) && strings.Contains(body, `"totalResults":0`) {
					return 404, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404"}`
				}
				return status, body
			})
		}, []string{"Entra/connection test", "Entra with aadOptscim062020/connection test", "Microsoft validator/User_POD"}},
		{"Resources is null when empty", func(h http.Handler) http.Handler {
			return answering(h, replaceAll(`"Resources":\[\]`, `"Resources":null`))
		}, []string{"Entra/connection test", "PingOne/find users by name and by address"}},
		{"removal of members ignores the value", func(h http.Handler) http.Handler {
			re := regexp.MustCompile(`("op":"[Rr]emove","path":"members"),"value":\[.*?\]`)
			return asking(h, func(_ *http.Request, body string) string { return re.ReplaceAllString(body, "$1") })
		}, []string{"Entra/add and remove members", "JumpCloud/members with an array of values", "Microsoft validator/Group_Remove_Member"}},
		{"booleans as strings are refused", func(h http.Handler) http.Handler {
			return refusing(h, http.MethodPatch, `"active","value":"`)
		}, []string{"Entra/disable and enable", "Entra/booleans as strings in any case", "Microsoft validator/User_Disable"}},
		{"booleans come back as strings", func(h http.Handler) http.Handler {
			return answering(h, replaceAll(`"active":(true|false)`, `"active":"$1"`))
		}, []string{"Entra/create a user and find it again", "Okta wizard app/deactivate and reactivate by PUT"}},
		{"inactive users are hidden", func(h http.Handler) http.Handler {
			return answering(h, func(r *http.Request, status int, body string) (int, string) {
				if r.Method == http.MethodGet && !isQuery(r) && strings.Contains(body, `"active":false`) {
					return 404, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404"}`
				}
				return status, body
			})
		}, []string{"Entra/disable and enable", "Okta OIN app/deactivate and reactivate by PATCH", "JumpCloud/activation where users are deactivated"}},
		{"a duplicate is accepted", func(h http.Handler) http.Handler {
			return answering(h, func(_ *http.Request, status int, body string) (int, string) {
				if status == http.StatusConflict {
					return http.StatusOK, body
				}
				return status, body
			})
		}, []string{"Entra/user that exists is a conflict", "Okta OIN app/user that exists is a conflict", "Microsoft web validator/create a user that exists"}},
		{"a conflict does not say uniqueness", func(h http.Handler) http.Handler {
			return answering(h, replaceAll(`"scimType":"uniqueness",`, ""))
		}, []string{"Entra/user that exists is a conflict"}},
		{"itemsPerPage is what was asked for", func(h http.Handler) http.Handler {
			return answering(h, replaceAll(`"itemsPerPage":\d+`, `"itemsPerPage":100`))
		}, []string{"Okta OIN app/import users", "Microsoft validator/SCIM_User_Pagination"}},
		{"pages begin at 0", func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				q := r.URL.Query()
				if start := q.Get("startIndex"); start != "" && start != "1" {
					q.Set("startIndex", start[:len(start)-1]+string(start[len(start)-1]-1))
					r.URL.RawQuery = q.Encode()
				}
				h.ServeHTTP(w, r)
			})
		}, []string{"Microsoft validator/SCIM_User_Pagination", "Okta OIN app/import users"}},
		{"value paths create nothing", func(h http.Handler) http.Handler {
			return refusing(h, http.MethodPatch, `phoneNumbers\[`)
		}, []string{"Entra/value path creates what it does not find", "Entra/update single attributes"}},
		{"operations in title case are refused", func(h http.Handler) http.Handler {
			return refusing(h, http.MethodPatch, `"op":"[AR]`)
		}, []string{"Entra/rename a group", "Microsoft validator/Group_Add_Member"}},
		{"dotted keys are ignored", func(h http.Handler) http.Handler {
			re := regexp.MustCompile(`"name\.givenName":"Y",`)
			return asking(h, func(_ *http.Request, body string) string { return re.ReplaceAllString(body, "") })
		}, []string{"Entra with aadOptscim062020/update many attributes without a path"}},
		{"the manager is shown outside of its extension", func(h http.Handler) http.Handler {
			return answering(h, replaceAll(`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":\{"manager"`, `"x":{"manager"`))
		}, []string{"Entra/manager in all shapes", "Microsoft validator/SCIM_Update_Manager"}},
		{"a manager as a string is refused", func(h http.Handler) http.Handler {
			return refusing(h, http.MethodPatch, `manager","value":"[^"]`)
		}, []string{"Entra/manager in all shapes"}},
		{"excludedAttributes is ignored", func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				q := r.URL.Query()
				q.Del("excludedAttributes")
				r.URL.RawQuery = q.Encode()
				h.ServeHTTP(w, r)
			})
		}, []string{"Entra/create a group and find it again", "Microsoft validator/SCIM_Group_Create"}},
		{"a plus sign is not a space", func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "+", "%2B")
				h.ServeHTTP(w, r)
			})
		}, []string{"Entra/connection test", "Entra/create a user and find it again"}},
		{"errors are HTML", func(h http.Handler) http.Handler {
			return answering(h, func(_ *http.Request, status int, body string) (int, string) {
				if status >= 400 {
					return status, "<html>"
				}
				return status, body
			})
		}, []string{"Okta OIN app/errors are JSON", "Entra/user that exists is a conflict"}},
		{"passwords are shown", func(h http.Handler) http.Handler {
			return answering(h, replaceAll(`"userName"`, `"password":"another 5ecret","userName"`))
		}, []string{"Okta OIN app/change the password by PATCH", "Okta wizard app/change the password by PUT"}},
		{"unknown schemas of groups are refused", func(h http.Handler) http.Handler {
			return refusing(h, http.MethodPost, "ADSCIM")
		}, []string{"Entra/create a group and find it again"}},
		{"nulls are refused", func(h http.Handler) http.Handler {
			return refusing(h, http.MethodPost, "null")
		}, []string{"Entra/nulls and a misspelt schema in a create", "OneLogin/create, read and update a user from a template"}},
		{"nothing can be cleared", func(h http.Handler) http.Handler {
			return refusing(h, http.MethodPatch, `"value":(null|"")`)
		}, []string{"Microsoft validator/SCIM_Null_Update", "Entra/clear with null and the empty string"}},
		{"everybody gets in", func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Set("Authorization", "Bearer "+token)
				h.ServeHTTP(w, r)
			})
		}, []string{"Entra/connection test", "Microsoft validator/SCIM_Validate_Credentials"}},
		{"PUT with what is readOnly is refused", func(h http.Handler) http.Handler {
			return refusing(h, http.MethodPut, `"meta"`)
		}, []string{"Okta OIN app/update the profile", "Okta wizard app/rename a group and change its members by PUT"}},
		{"a filter on emails wants a sub-attribute", func(h http.Handler) http.Handler {
			return answering(h, func(r *http.Request, status int, body string) (int, string) {
				if strings.HasPrefix(r.URL.Query().Get("filter"), "emails eq") {
					return 400, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidFilter"}`
				}
				return status, body
			})
		}, []string{"PingOne/find users by name and by address"}},
		{"a reference is no attribute of filters", func(h http.Handler) http.Handler {
			return answering(h, func(r *http.Request, status int, body string) (int, string) {
				if strings.Contains(r.URL.Query().Get("filter"), "manager") {
					return 400, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidFilter"}`
				}
				return status, body
			})
		}, []string{"Entra/reference check"}},
		{"a handler that panics", func(http.Handler) http.Handler {
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("nil map") })
		}, []string{"OneLogin/connection test"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			failed, _, err := idptest.Failures(t.Context(), idptest.Target{Handler: tt.fault(newServer(t)), BasePath: "/scim/v2/", Token: token})
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range tt.breaks {
				if failed[name] == nil {
					t.Errorf("%s has passed", name)
				}
			}
		})
	}
}

func TestFailuresAreReadable(t *testing.T) {
	h := refusing(newServer(t), http.MethodPatch, `"active","value":"F`)
	failed, _, err := idptest.Failures(t.Context(), idptest.Target{Handler: h, BasePath: "scim/v2", Token: token, Domain: "example.org"})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(failed["Entra/disable and enable"], "\n---\n")
	const want = `^Entra, request 2: PATCH /scim/v2/Users/[-0-9a-f]+
{"schemas":\["urn:ietf:params:scim:api:messages:2.0:PatchOp"\],"Operations":\[{"op":"Replace","path":"active","value":"False"}\]}
Answer: 400 Bad Request
{"schemas":\["urn:ietf:params:scim:api:messages:2.0:Error"\],"status":"400","scimType":"invalidValue"}
Needed: status 200 or 204: Entra disables users so, as a rule instead of deleting them$`
	if !regexp.MustCompile(want).MatchString(got) {
		t.Errorf("failure:\n%s\nwant:\n%s", got, want)
	}
	if strings.Contains(got, token) {
		t.Error("the failure has the token")
	}
}

func TestCleansUp(t *testing.T) {
	h := newServer(t)
	if _, _, err := idptest.Failures(t.Context(), idptest.Target{Handler: h, Token: token}); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/Users", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), `"totalResults":0`) {
		t.Errorf("users are left: %s", w.Body)
	}
}

func TestLeavesOutWhatTheServiceHasNot(t *testing.T) {
	var methods []string
	service := newServer(t)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete || strings.Contains(r.URL.Path, "/Groups") {
			methods = append(methods, r.Method+" "+r.URL.Path)
		}
		service.ServeHTTP(w, r)
	})
	_, skipped, err := idptest.Failures(t.Context(), idptest.Target{Handler: h, Token: token, NoGroups: true, KeepsUsers: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(methods) > 0 {
		t.Errorf("requests: %q", slices.Compact(methods))
	}
	for _, name := range []string{"Entra/delete a user", "Entra/rename a group", "Microsoft validator/SCIM_Federated_Identity"} {
		if skipped[name] == "" {
			t.Errorf("%s was played", name)
		}
	}
}

func TestTargetWithoutHandler(t *testing.T) {
	if _, _, err := idptest.Failures(t.Context(), idptest.Target{}); err == nil {
		t.Error("no error")
	}
}

// A JWT tells how long it is good for.
func TestLifetimeOfTokens(t *testing.T) {
	const head, tail = "eyJhbGciOiJub25lIn0.", ".c2lnbmF0dXJl"
	tests := []struct {
		name, token string
		ok          bool
	}{
		{"an hour", head + "eyJpYXQiOjEwMDAsImV4cCI6NDYwMH0" + tail, true},       // {"iat":1000,"exp":4600}
		{"a day", head + "eyJpYXQiOjEwMDAsImV4cCI6ODc0MDB9" + tail, false},       // {"iat":1000,"exp":87400}
		{"five minutes", head + "eyJpYXQiOjEwMDAsImV4cCI6MTMwMH0" + tail, false}, // {"iat":1000,"exp":1300}
		{"not said", head + "eyJpYXQiOjEwMDB9" + tail, true},                     // {"iat":1000}
		{"no JWT", "a.b.c", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newServer(t, func(o *server.Options) { o.Authenticator = server.BearerTokens(tt.token) })
			failed, _, err := idptest.Failures(t.Context(), idptest.Target{Handler: h, Token: tt.token})
			if err != nil {
				t.Fatal(err)
			}
			if got := failed["Microsoft validator/SCIM_Validate_Credentials"]; (got == nil) != tt.ok {
				t.Errorf("failures %q", got)
			}
		})
	}
}

// What Entra's older documentation shows, and other services need not take.
func TestFiltersWithoutQuotes(t *testing.T) {
	h := newServer(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/scim/v2/Users?filter=externalId+eq+jyoung", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"totalResults":0`) {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}
