package idptest_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/scimbridge/scim/server/idptest"
)

// fault makes a service wrong in one point.
type fault func(http.Handler) http.Handler

// status has requests with a method answered with another status, with or without the body.
func status(method string, from, to int, body bool) fault {
	return func(h http.Handler) http.Handler {
		return answering(h, func(r *http.Request, status int, text string) (int, string) {
			switch {
			case r.Method != method || status != from:
				return status, text
			case body:
				return to, text
			}
			return to, ""
		})
	}
}

// understanding has the service read something else in the bodies of requests.
func understanding(method, pattern, as string) fault {
	re := regexp.MustCompile(pattern)
	return func(h http.Handler) http.Handler {
		return asking(h, func(r *http.Request, body string) string {
			if r.Method != method {
				return body
			}
			return re.ReplaceAllString(body, as)
		})
	}
}

// querying has the service read something else in queries.
func querying(change func(q url.Values)) fault {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			change(q)
			r.URL.RawQuery = q.Encode()
			h.ServeHTTP(w, r)
		})
	}
}

func refuses(method, pattern string) fault {
	return func(h http.Handler) http.Handler { return refusing(h, method, pattern) }
}

func answers(pattern, with string) fault {
	return func(h http.Handler) http.Handler { return answering(h, replaceAll(pattern, with)) }
}

// withoutHeader leaves a header out of requests or, when it is one of those, of answers.
func withoutHeader(name string) fault {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del(name)
			h.ServeHTTP(&headerless{w, name}, r)
		})
	}
}

type headerless struct {
	http.ResponseWriter
	name string
}

func (w *headerless) WriteHeader(status int) {
	w.Header().Del(w.name)
	w.ResponseWriter.WriteHeader(status)
}

// withHeader has answers say something else in a header.
func withHeader(name, value string) fault {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			recorded := httptest.NewRecorder()
			h.ServeHTTP(recorded, r)
			maps.Copy(w.Header(), recorded.Header())
			w.Header().Set(name, value)
			w.WriteHeader(recorded.Code)
			fmt.Fprint(w, recorded.Body)
		})
	}
}

// turning turns the order around whenever pages are read from the first.
func turning() fault {
	descending := false
	return querying(func(q url.Values) {
		if start := q.Get("startIndex"); start == "1" {
			descending = !descending
		} else if start == "" {
			return
		}
		q.Set("sortBy", "id")
		if descending {
			q.Set("sortOrder", "descending")
		}
	})
}

// unsupported answers requests with 415 whose Content-Type has text in it.
func unsupported(text string) fault {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.Header.Get("Content-Type"), text) {
				w.WriteHeader(http.StatusUnsupportedMediaType)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
}

// hiding is a service that keeps deleted users. byID and inLists say whether it hides them.
func hiding(byID, inLists bool) fault {
	return func(h http.Handler) http.Handler {
		var deleted []string
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, id, isUser := strings.Cut(r.URL.Path, "/Users/")
			if isUser && r.Method == http.MethodDelete && !slices.Contains(deleted, id) {
				deleted = append(deleted, id)
				w.WriteHeader(http.StatusNoContent)
				return
			}
			recorded := httptest.NewRecorder()
			h.ServeHTTP(recorded, r)
			code, body := recorded.Code, recorded.Body.String()
			switch {
			case isUser && byID && slices.Contains(deleted, id):
				code, body = http.StatusNotFound, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404"}`
			case isQuery(r) && inLists && slices.ContainsFunc(deleted, func(id string) bool { return strings.Contains(body, `"id":"`+id) }):
				body = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"Resources":[]}`
			}
			w.Header().Set("Content-Type", "application/scim+json")
			w.Header().Set("Location", recorded.Header().Get("Location"))
			w.WriteHeader(code)
			fmt.Fprint(w, body)
		})
	}
}

// Each of these services is wrong in one point. The kit names a sequence that needs it, and says what is needed.
func TestSaysWhatIsNeeded(t *testing.T) {
	const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	tests := []struct {
		name          string
		fault         fault
		breaks, needs string
	}{
		{"create is answered with 200", status("POST", 201, 200, true), "Entra/create a user and find it again", "status 201"},
		{"create is answered without a body", status("POST", 201, 201, false), "Okta OIN app/create a user", "every resource has an id"},
		{"no Location", withoutHeader("Location"), "Entra/create a user and find it again", "Location"},
		{"no schemas", answers(`"schemas":\["urn:ietf:params:scim:schemas:core:2.0:User"[^\]]*\],`, ""), "JumpCloud/activation", "schemas"},
		{"delete is answered with 200", status("DELETE", 204, 200, true), "Entra/delete a user", "status 204"},
		{"delete is accepted for later", status("DELETE", 204, 202, true), "OneLogin/delete a user", "status 204"},
		{"PATCH is accepted for later", status("PATCH", 200, 202, true), "Entra/disable and enable", "status 200 or 204"},
		{"PATCH is answered with 200 and nothing", status("PATCH", 200, 200, false), "Okta OIN app/deactivate and reactivate by PATCH", "the answer shows the user"},
		{"PUT is answered without a body", status("PUT", 200, 204, false), "Okta wizard app/update the profile", "status 200"},
		{"userName is compared as it is", querying(func(q url.Values) {
			if f := q.Get("filter"); strings.HasPrefix(f, "username") {
				q.Set("filter", `userName eq "other"`)
			}
		}), "Entra/create a user and find it again", "in any case"},
		{"filters are ignored", querying(func(q url.Values) { q.Del("filter") }), "Entra/change the matching attribute", "not found by its old name"},
		{"and is ignored", querying(func(q url.Values) {
			f, _, _ := strings.Cut(q.Get("filter"), " and ")
			q.Set("filter", f)
		}), "Entra/reference check", "reference"},
		{
			"members are replaced instead of added", understanding("PATCH", `(?i)"op":"add","path":"members"`, `"op":"replace","path":"members"`),
			"Entra/add and remove members", "members were added",
		},
		{
			"one member of several is added", understanding("PATCH", `("path":"members","value":\[\{[^}]*\}),.*?\]`, `$1]`),
			"JumpCloud/members with an array of values", "only the member that was named",
		},
		{
			"a value path removes all members", understanding("PATCH", `members\[[^\]]*\]`, `members`),
			"Entra with aadOptscim062020/add and remove members", "empties the group",
		},
		{"404 is JSON and no SCIM error", func(h http.Handler) http.Handler {
			return answering(h, func(_ *http.Request, status int, body string) (int, string) {
				if status == http.StatusNotFound {
					return status, `{"error":"not found"}`
				}
				return status, body
			})
		}, "Okta OIN app/errors are JSON", "must be a SCIM error"},
		{"404 has no body", status("GET", 404, 404, false), "Okta OIN app/errors are JSON", "errors as JSON"},
		{"a conflict has no body", status("POST", 409, 409, false), "Entra/user that exists is a conflict", "uniqueness"},
		{"what is gone is 410", status("GET", 404, 410, false), "Entra/delete a user", "status 404"},
		{"the status of an error is a number", answers(`"status":"(\d+)"`, `"status":$1`), "Entra/user that exists is a conflict", "status as a string"},
		{"active is ignored in PATCH", understanding("PATCH", `"path":"active"`, `"path":"nickName"`), "Entra/disable and enable", "active is false"},
		{"active is ignored without a path", understanding("PATCH", `"active":`, `"ignored":`), "Okta OIN app/deactivate and reactivate by PATCH", "active is false"},
		{"active is ignored in PUT", understanding("PUT", `"active":false`, `"active":true`), "Okta wizard app/deactivate and reactivate by PUT", "active is false"},
		{"active is ignored in POST", understanding("POST", `"active":false`, `"active":true`), "PingOne/create a disabled user and enable it", "active is false"},
		{"deleted users are shown", hiding(false, false), "Entra/delete a user", "deleted is gone"},
		{"deleted users are found", hiding(true, false), "Entra/delete a user", "deleted is not found"},
		{"names of deleted users stay taken", hiding(true, true), "Entra/delete a user", "status 201"},
		{"startIndex is 1 on every page", answers(`"startIndex":\d+`, `"startIndex":1`), "Okta OIN app/import users", "startIndex"},
		{"startIndex is ignored", querying(func(q url.Values) { q.Del("startIndex") }), "Microsoft validator/SCIM_User_Pagination", "on one page"},
		{"count is ignored", querying(func(q url.Values) { q.Del("count") }), "Microsoft validator/SCIM_Group_Pagination", "at most the 5"},
		{"totalResults is a string", answers(`"totalResults":(\d+)`, `"totalResults":"$1"`), "Okta OIN app/import groups", "totalResults is an integer"},
		{"externalId is not kept", understanding("POST", `"externalId":"[^"]*",`, ""), "Entra/create a group and find it again", "externalId"},
		{"PUT refuses a null id", refuses("PUT", `"id":null`), "OneLogin/create, read and update a user from a template", "status 200"},
		{"PUT keeps what it lacks", understanding("PUT", `^\{`, `{"locale":"en-US",`), "Okta OIN app/update the profile", "what a PUT lacks is removed"},
		{"meta is refused", refuses("POST", `"meta"`), "Entra/create a group and find it again", "status 201"},
		{"groups are refused", refuses("POST", `"groups"`), "Okta OIN app/create a user", "status 201"},
		{"names have one case", refuses("POST", `"UserName"`), "Entra/names in any case", "status 201"},
		{"roles are refused", refuses("POST", `"roles":\[\{`), "Entra/roles in a create", "status 201"},
		{"JSON in a string is refused", refuses("PATCH", `\\"displayName\\"`), "Entra/role as JSON in a string", "JSON in a string"},
		{
			"qualified keys are ignored", understanding("PATCH", `,"`+enterprise+`:[a-zA-Z]*":"[^"]*"`, ""),
			"Entra with aadOptscim062020/update many attributes without a path", "qualified names as keys",
		},
		{
			"the first operation counts", understanding("PATCH", `("Operations":\[\{.*?\}),\{"op".*\]\}$`, `$1]}`),
			"Entra/update single attributes", "one operation for each attribute",
		},
		{
			"an object without path must not have the id", refuses("PATCH", `"value":\{"id"`),
			"Okta OIN app/rename a group and change its members in one request", "sends the name",
		},
		{"members without a path are refused", refuses("PATCH", `"value":\{"members"`), "Okta OIN app/push all members of a group", "a push replaces"},
		{"a group cannot be emptied", refuses("PATCH", `"members","value":\[\]`), "Okta OIN app/push all members of a group", "a push replaces"},
		{"$ref must not be null", refuses("PATCH", `"\$ref":null`), "Entra/add and remove members", "adds a member"},
		{"the path manager is refused", refuses("PATCH", `"path":"manager"`), "Entra/manager in all shapes", "in this form"},
		{"a manager in an array is refused", refuses("PATCH", `manager","value":\[`), "Entra/manager in all shapes", "in this form"},
		{"an empty manager is refused", refuses("PATCH", `manager","value":""`), "Microsoft validator/User_Update_Manager", "empty value"},
		{
			"removal of a manager is refused", refuses("PATCH", `"remove","path":"urn[^"]*manager"`),
			"Entra with aadOptscim062020/manager in all shapes", "removes the manager",
		},
		{"application/json is refused", unsupported("application/json"), "OneLogin/create, read and update a user from a template", "status 201"},
		{"a charset is refused", unsupported("charset"), "Entra/create a user and find it again", "status 201"},
		{"the answer is always application/scim+json", withoutHeader("Accept"), "OneLogin/connection test", "application/json"},
		{"values are trimmed", understanding("PATCH", `"  Alice`, `"Alice`), "Entra/values stay as they were sent", "in another form"},
		{"user names are in lower case", answers(`Alice\.MacDonald`, `alice.macdonald`), "Entra/values stay as they were sent", "in another form"},
		{"value paths mean all elements", understanding("PATCH", `emails\[[^\]]*\]`, `emails`), "Entra/value path creates what it does not find", "value path"},
		{"the element has not the type of the filter", answers(`"type":"mobile"`, `"type":"other"`), "Microsoft validator/User_Update", `type eq "mobile"`},
		{
			"an extension must be in schemas", refuses("POST", `"schemas":\["urn:ietf:params:scim:schemas:core:2.0:User"\],.*"`+enterprise+`":`),
			"Entra with aadOptscim062020/extension that is not in schemas", "status 201",
		},
		{"misspelt schemas are refused", refuses("POST", `core:2.0User`), "Entra/nulls and a misspelt schema in a create", "status 201"},
		{
			"roles are added instead of replaced", understanding("PATCH", `"op":"replace","path":"roles"`, `"op":"add","path":"roles"`),
			"Entra/roles replaced", "replaced as a whole",
		},
		{"a boolean in a value path is no string", refuses("PATCH", `primary eq \\"True\\"`), "Entra/boolean as a string in a value path", "is the boolean"},
		{"what is created has no name", answers(`"userName":"[^"]*",?`, ""), "Microsoft validator/SCIM_User_Create", "what was sent comes back"},
		{
			"some attributes are ignored in PATCH", understanding("PATCH", `"path":"(nickName|displayName)"`, `"path":"userType"`),
			"Microsoft web validator/add an attribute", "the change shows",
		},
		{"a group is not found by name", querying(func(q url.Values) {
			if strings.HasPrefix(q.Get("filter"), "displayName") {
				q.Set("filter", `displayName eq "other"`)
			}
		}), "Okta OIN app/create a group and find it again", "found by displayName"},
		{"an empty list has no body", func(h http.Handler) http.Handler {
			return answering(h, func(_ *http.Request, status int, body string) (int, string) {
				if strings.Contains(body, `"totalResults":0`) {
					return http.StatusNoContent, ""
				}
				return status, body
			})
		}, "Okta wizard app/look for a user that is not there", "answered with a list"},
		{"PATCH of a title is refused", refuses("PATCH", `"path":"title"`), "PingOne/update by PATCH", "sends PATCH"},
		{
			"PUT does not change members", understanding("PUT", `"members":\[`, `"ignored":[`),
			"Okta wizard app/rename a group and change its members by PUT", "a PUT replaces the members",
		},
		{"204 has a body", status("PATCH", 200, 204, true), "Entra/disable and enable", "204 has no body"},
		{"everything is text", withHeader("Content-Type", "text/plain"), "Okta OIN app/create a user", "the Content-Type of the answer must be"},
		{
			"a list has no schema", answers(`"schemas":\["urn:ietf:params:scim:api:messages:2.0:ListResponse"\],`, ""),
			"Entra/connection test", "a list has the schema",
		},
		{"totalResults is always 0", answers(`"totalResults":\d+`, `"totalResults":0`), "Entra/create a user and find it again", "at least the number of Resources"},
		{"totalResults is too large", answers(`"totalResults":(\d+)`, `"totalResults":${1}0`), "Okta OIN app/import groups", "the pages have all"},
		{"itemsPerPage is missing", answers(`"itemsPerPage":\d+,`, ""), "Okta OIN app/import users", "itemsPerPage is an integer"},
		{"pages have another order every time", turning(), "Okta wizard app/import users", "the same order every time"},
		{"strangers see resources", func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				stranger := r.Header.Get("Authorization") != "Bearer "+token
				r.Header.Set("Authorization", "Bearer "+token)
				recorded := httptest.NewRecorder()
				h.ServeHTTP(recorded, r)
				code := recorded.Code
				if stranger {
					code = http.StatusForbidden
				}
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Location", recorded.Header().Get("Location"))
				w.WriteHeader(code)
				fmt.Fprint(w, recorded.Body)
			})
		}, "Microsoft validator/SCIM_Validate_Credentials", "no resources"},
		{"lists without a query are empty", func(h http.Handler) http.Handler {
			return answering(h, func(r *http.Request, status int, body string) (int, string) {
				if r.URL.RawQuery == "" && strings.Contains(body, "ListResponse") {
					return status, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"Resources":[]}`
				}
				return status, body
			})
		}, "OneLogin/list users and groups", "what was created is listed"},
		{
			"the schema of users has another name", answers(`"id":"urn:ietf:params:scim:schemas:core:2.0:User"`, `"id":"User"`),
			"Microsoft validator/SCIM_Schema_Discoverability", "is in the list",
		},
		{
			"a value path adds", understanding("PATCH", `"path":"roles\[[^]]*\].value","value":"Admin"`, `"path":"roles","value":[{"value":"User"},{"value":"Admin"}]`),
			"Entra/boolean as a string in a value path", "one role",
		},
		{"replaced roles stay", understanding("PATCH", `"op":"replace","path":"roles"`, `"op":"add","path":"roles"`), "Entra with aadOptscim062020/roles replaced", "one role"},
		{"schemas are in Pascal case", answers(`"mutability":"readWrite"`, `"mutability":"ReadWrite"`), "Entra/schemas", "camel case"},
		{"schemas have nulls", answers(`"multiValued"`, `"canonicalValues":null,"multiValued"`), "Microsoft validator/SCIM_Schema_Discoverability", "no nulls"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			failed, _, err := idptest.Failures(t.Context(), idptest.Target{Handler: tt.fault(newServer(t)), BasePath: "/scim/v2/", Token: token})
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(failed[tt.breaks], "\n\n")
			_, needed, _ := strings.Cut(got, "\nNeeded: ")
			if !strings.Contains(needed, tt.needs) {
				t.Errorf("%s does not say %q:\n%s", tt.breaks, tt.needs, got)
			}
		})
	}
}

// A token endpoint that makes tokens of the wrong kind is found, too.
func TestFindsFaultsOfTokenEndpoints(t *testing.T) {
	const sequence = "Microsoft validator/SCIM_Federated_Identity"
	good := `{"access_token":"federated-token","token_type":"Bearer","expires_in":3600}`
	tests := []struct {
		name, token string
		trusting    bool // any assertion will do
		needs       string
	}{
		{"as it should be", good, false, ""},
		{"any assertion will do", good, true, "a wrong assertion is refused"},
		{"tokens for a day", `{"access_token":"federated-token","token_type":"Bearer","expires_in":86400}`, false, "six at most"},
		{"tokens for a minute", `{"access_token":"federated-token","token_type":"Bearer","expires_in":60}`, false, "an hour at least"},
		{"not said for how long", `{"access_token":"federated-token","token_type":"Bearer"}`, false, "expires_in"},
		{"no token", `{"token_type":"Bearer","expires_in":3600}`, false, "an access_token"},
		{"no bearer token", `{"access_token":"federated-token","token_type":"mac","expires_in":3600}`, false, "of type Bearer"},
		{"a token that opens nothing", `{"access_token":"x","token_type":"Bearer","expires_in":3600}`, false, "status 200"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.Handle("/scim/v2/", newServer(t))
			mux.HandleFunc("POST /oauth/token", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if !tt.trusting && r.FormValue("client_assertion") != "signed" {
					w.WriteHeader(http.StatusUnauthorized)
					fmt.Fprint(w, `{"error":"invalid_client"}`)
					return
				}
				fmt.Fprint(w, tt.token)
			})
			failed, _, err := idptest.Failures(t.Context(), idptest.Target{
				Handler: mux, BasePath: "/scim/v2", Token: token,
				Federation: &idptest.Federation{Path: "/oauth/token", ClientID: "entra", Assertion: "signed"},
			})
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(failed[sequence], "\n\n")
			if (got == "") != (tt.needs == "") || !strings.Contains(got, tt.needs) {
				t.Errorf("failures do not say %q:\n%s", tt.needs, got)
			}
		})
	}
}
