package elimity_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	scim "github.com/elimity-com/scim"
	liberrors "github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/elimity"
	"github.com/scimbridge/scim/server/idptest"
)

func Example() {
	// What was given to scim.NewServer stays as it is.
	resourceTypes := []scim.ResourceType{{
		Name: "User", Endpoint: "/Users", Schema: schema.CoreUserSchema(), Handler: newDirectory("id", "userName"),
	}}
	handler, err := elimity.New(resourceTypes, server.Options{Authenticator: server.BearerTokens(os.Getenv("SCIM_TOKEN"), "secret")})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest(http.MethodGet, `/scim/v2/Users?filter=emails+co+"example.org"`, nil)
	r.Header.Set("Authorization", "Bearer secret")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output: 200 {"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"itemsPerPage":0,"startIndex":1,"Resources":[]}
}

// Identity providers can work with an existing handler, whatever it makes of filters and pages.
func TestIdentityProviders(t *testing.T) {
	tests := []struct {
		name   string
		change func(*app, *server.Options)
	}{
		{"handler without filters", nil},
		{"handler that filters", func(a *app, _ *server.Options) { a.users.filters, a.groups.filters = true, true }},
		{"handler without pages", func(a *app, _ *server.Options) { a.users.pageless, a.groups.pageless = true, true }},
		{"handler with small pages", func(a *app, _ *server.Options) { a.users.clamp, a.groups.clamp = 2, 2 }},
		{"handler without an order", func(a *app, _ *server.Options) { a.users.shuffled, a.groups.shuffled = true, true }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newApp(t, tt.change)
			if a.users.shuffled {
				a = newApp(t, tt.change, elimity.Options{Unordered: true})
			}
			idptest.All(t, idptest.Target{Handler: a.handler})
		})
	}
}

func TestPages(t *testing.T) {
	for name, change := range map[string]func(*app, *server.Options){
		"of the handler":        nil,
		"of 2 at most":          func(a *app, _ *server.Options) { a.users.clamp = 2 },
		"handler without pages": func(a *app, _ *server.Options) { a.users.pageless = true },
	} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t, change)
			for i := range 7 {
				a.user(fmt.Sprintf(`{"userName":"u%d","nickName":"n%d"}`, i, 9-i))
			}
			for query, want := range map[string][]string{
				"startIndex=1&count=3":                                 {"u0", "u1", "u2"},
				"startIndex=4&count=3":                                 {"u3", "u4", "u5"},
				"startIndex=7&count=3":                                 {"u6"},
				"startIndex=8&count=3":                                 {},
				"startIndex=2&count=3&sortBy=nickName":                 {"u5", "u4", "u3"},
				"startIndex=2&count=2&filter=userName%20gt%20%22u2%22": {"u4", "u5"},
			} {
				doc := a.send("GET", "/Users?"+query, "").want(http.StatusOK).doc()
				got := []string{}
				for _, r := range doc["Resources"].([]any) {
					got = append(got, r.(map[string]any)["userName"].(string))
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", query, diff)
				}
				if total := doc["totalResults"]; total != int64(7) && !strings.Contains(query, "filter") {
					t.Errorf("%s: totalResults %v", query, total)
				}
			}
		})
	}
}

// A handler that ranges over a map has no order. What a filter finds is found all the same, also when the handler is read in several pages.
func TestHandlersWithoutOrder(t *testing.T) {
	change := func(a *app, _ *server.Options) { a.users.shuffled = true }
	names := func(r answer) (list []string) {
		for _, u := range r.want(http.StatusOK).doc()["Resources"].([]any) {
			list = append(list, u.(map[string]any)["userName"].(string))
		}
		return list
	}
	all := []string{"u0", "u1", "u2", "u3", "u4", "u5", "u6"}
	t.Run("filter", func(t *testing.T) {
		a := newApp(t, change, elimity.Options{PageSize: 3})
		for _, name := range all {
			a.user(`{"userName":"` + name + `","title":"T"}`)
		}
		got := names(a.find(`title eq "T"`))
		slices.Sort(got)
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("users (-want +got):\n%s", diff)
		}
	})
	t.Run("pages", func(t *testing.T) {
		a := newApp(t, change, elimity.Options{Unordered: true})
		for _, name := range all {
			a.user(`{"userName":"` + name + `","title":"T"}`)
		}
		for _, query := range []string{"", "&filter=title%20pr", "&sortBy=title", "&sortBy=title&sortOrder=descending"} {
			var got []string
			for start := 1; start <= len(all); start += 3 {
				got = append(got, names(a.send("GET", fmt.Sprintf("/Users?startIndex=%d&count=3%s", start, query), ""))...)
			}
			if diff := cmp.Diff(all, got); diff != "" {
				t.Errorf("pages with %q (-want +got):\n%s", query, diff)
			}
		}
	})
}

// A filter on the id reads one resource.
func TestFilterOnID(t *testing.T) {
	a := newApp(t, nil)
	a.user(`{"userName":"a"}`)
	a.user(`{"userName":"b"}`)
	a.find(`id eq "id-2"`).total(1).wantBody(`"userName":"b"`)
	a.find(`id eq "id-2" and userName eq "a"`).total(0)
	a.find(`id eq "none"`).total(0)
	if slices.Contains(a.users.calls, "GetAll") {
		t.Errorf("calls %q", a.users.calls)
	}
}

func TestEntityTags(t *testing.T) {
	a := newApp(t, nil)
	created := a.send("POST", "/Users", `{"userName":"a"}`).want(http.StatusCreated)
	path, tag := "/Users/id-1", created.Header().Get("ETag")
	if got := a.send("GET", path, "").Header().Get("ETag"); got != tag || tag == "" {
		t.Errorf("ETag %q after a create with %q", got, tag)
	}
	a.send("GET", path, "", "If-None-Match", tag).want(http.StatusNotModified)
	a.find(`meta.version eq "\"` + strings.Trim(tag, `"`) + `\""`).total(1)
	changed := a.send("PATCH", path, patchOf(`{"op":"add","path":"title","value":"T"}`), "If-Match", tag).want(http.StatusOK).Header().Get("ETag")
	if got := a.send("GET", path, "").Header().Get("ETag"); got != changed || changed == tag {
		t.Errorf("ETag %q after a change to %q", got, changed)
	}
	a.send("PUT", path, `{"userName":"b"}`, "If-Match", tag).want(http.StatusPreconditionFailed)
	a.send("DELETE", path, "", "If-Match", tag).want(http.StatusPreconditionFailed)
	// Somebody else changes the resource, behind the server's back.
	a.users.data["id-1"]["title"] = "other"
	a.send("PUT", path, `{"userName":"b"}`, "If-Match", changed).want(http.StatusPreconditionFailed)
	now := a.send("GET", path, "").Header().Get("ETag")
	a.send("DELETE", path, "", "If-Match", now).want(http.StatusNoContent)
	a.send("GET", path, "").want(http.StatusNotFound)
	a.send("DELETE", path, "").want(http.StatusNotFound)
}

// Handlers need not keep times. One that makes up a new time whenever it is asked has resources with the same entity-tag nevertheless.
func TestTimesOfHandlers(t *testing.T) {
	now := func(o *server.Options) {
		o.Now = func() time.Time { return time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC) }
	}
	a := newApp(t, func(a *app, o *server.Options) { a.users.timeless = true; now(o) })
	a.send("POST", "/Users", `{"userName":"a"}`).want(http.StatusCreated).wantBody(`"created":"2026-02-03T04:05:06.000Z"`, `"lastModified":"2026-02-03T04:05:06.000Z"`)
	a.send("GET", "/Users/id-1", "").want(http.StatusOK).wantNo(`"created"`)
	a = newApp(t, func(a *app, _ *server.Options) { a.users.restless = true })
	path := a.user(`{"userName":"a"}`)
	tag := a.send("GET", path, "").Header().Get("ETag")
	a.send("GET", path, "", "If-None-Match", tag).want(http.StatusNotModified)
	a.send("PATCH", path, patchOf(`{"op":"add","path":"title","value":"T"}`), "If-Match", tag).want(http.StatusOK)
}

// A resource that is asked for by its id has it, whether the handler says so or not; of a new one nobody else knows it.
func TestHandlersThatLeaveOutIDs(t *testing.T) {
	a := newApp(t, nil)
	path := a.user(`{"userName":"a"}`)
	a.users.nameless = true
	a.send("GET", path, "").want(http.StatusOK).wantBody(`"id":"id-1"`)
	a.find(`id eq "id-1"`).total(1).wantBody(`"id":"id-1"`)
	changed := a.send("PUT", path, `{"userName":"b"}`).want(http.StatusOK).wantBody(`"id":"id-1"`)
	if got, want := a.send("GET", path, "").Header().Get("ETag"), changed.Header().Get("ETag"); got != want {
		t.Errorf("ETag %q after a PUT with %q", got, want)
	}
	a.send("POST", "/Users", `{"userName":"c"}`).want(http.StatusInternalServerError)
}

// What a handler gets is its own: what it does with it is not seen by clients.
func TestHandlersMayChangeWhatTheyGet(t *testing.T) {
	a := newApp(t, nil)
	path := a.user(`{"userName":"a"}`)
	a.users.replace = func(_ string, attributes scim.ResourceAttributes) (scim.Resource, error) {
		attributes["userName"] = "scribble"
		attributes["name"].(map[string]interface{})["givenName"] = "scribble"
		attributes["emails"].([]interface{})[0].(map[string]interface{})["value"] = "scribble"
		return scim.Resource{}, nil
	}
	a.send("PUT", path, `{"userName":"b","name":{"givenName":"B"},"emails":[{"value":"b@example.com"}]}`).want(http.StatusOK).
		wantBody(`"userName":"b"`, `"givenName":"B"`, `"value":"b@example.com"`).wantNo("scribble")
}

// An attribute of an extension is not taken for the one of the same name in the schema itself.
func TestFilterOnAnExtensionWithNamesOfTheSchema(t *testing.T) {
	users := newDirectory("id", "userName")
	users.filters = true
	a := newApp(t, nil)
	a.users = users
	var err error
	a.handler, err = elimity.New([]scim.ResourceType{{
		Name: "User", Endpoint: "/Users", Schema: schema.CoreUserSchema(), Handler: users,
		SchemaExtensions: []scim.SchemaExtension{{Schema: schema.Schema{ID: "urn:example:Extension", Attributes: []schema.CoreAttribute{
			schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{Name: "title"})),
		}}}},
	}}, server.Options{Authenticator: server.Anonymous()})
	if err != nil {
		t.Fatal(err)
	}
	a.user(`{"userName":"a","title":"core","urn:example:Extension":{"title":"more"}}`)
	a.find(`urn:example:Extension:title eq "more"`).total(1)
	a.find(`urn:example:Extension:title eq "core"`).total(0)
	a.find(`title eq "core" and urn:example:Extension:title eq "more"`).total(1)
}

// A PATCH that changes nothing writes nothing.
func TestPatchWithoutChange(t *testing.T) {
	a := newApp(t, nil)
	path := a.user(`{"userName":"a","active":true}`)
	a.send("PATCH", path, patchOf(`{"op":"replace","path":"active","value":true}`)).want(http.StatusNoContent)
	if slices.Contains(a.users.calls, "Replace") {
		t.Errorf("calls %q", a.users.calls)
	}
}

func TestConcurrentPatches(t *testing.T) {
	a := newApp(t, nil)
	var members []string
	for i := range 20 {
		members = append(members, a.user(fmt.Sprintf(`{"userName":"u%d"}`, i))[len("/Users/"):])
	}
	a.send("POST", "/Groups", `{"displayName":"g"}`).want(http.StatusCreated)
	var wait sync.WaitGroup
	for _, id := range members {
		wait.Go(func() {
			r := a.send("PATCH", "/Groups/group-1", patchOf(fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, id)))
			if r.Code != http.StatusOK {
				t.Errorf("status %d: %s", r.Code, r.Body)
			}
		})
	}
	wait.Wait()
	list, _ := a.send("GET", "/Groups/group-1", "").want(http.StatusOK).doc()["members"].([]any)
	if len(list) != len(members) {
		t.Errorf("%d members of %d", len(list), len(members))
	}
}

func TestMembersAndGroups(t *testing.T) {
	a := newApp(t, nil)
	user := a.user(`{"userName":"a","displayName":"Alice"}`)
	a.send("POST", "/Groups", `{"displayName":"Sales","members":[{"value":"id-1"}]}`).want(http.StatusCreated).
		wantBody(`"display":"Alice"`, `"$ref":"https://example.com/scim/v2/Users/id-1"`)
	a.send("GET", user, "").want(http.StatusOK).wantBody(`"groups":[{`, `"display":"Sales"`)
	a.send("POST", "/Groups", `{"displayName":"x","members":[{"value":"nobody"}]}`).want(http.StatusBadRequest)
	a.send("DELETE", user, "").want(http.StatusNoContent)
	a.send("GET", "/Groups/group-1", "").want(http.StatusOK).wantNo("members")
}

// Handlers number their resources, each type by itself: a user and a group with one id are still two.
func TestUsersAndGroupsWithTheSameIDs(t *testing.T) {
	for _, typed := range []bool{true, false} {
		t.Run(fmt.Sprintf("type is stored: %v", typed), func(t *testing.T) {
			a := newApp(t, func(a *app, _ *server.Options) {
				a.users.prefix, a.groups.prefix = "n", "n"
				if !typed {
					a.groups.shape = withoutMemberTypes
				}
			})
			a.user(`{"userName":"a","displayName":"Alice"}`)
			a.send("POST", "/Groups", `{"displayName":"One"}`).want(http.StatusCreated)
			a.send("POST", "/Groups", `{"displayName":"Staff","members":[{"value":"n-1"}]}`).want(http.StatusCreated)
			a.send("GET", "/Users/n-1", "").want(http.StatusOK).wantBody(`"display":"Staff"`)
			a.send("DELETE", "/Groups/n-1", "").want(http.StatusNoContent)
			a.send("GET", "/Groups/n-2", "").want(http.StatusOK).wantBody(`"value":"n-1"`)
			a.send("DELETE", "/Users/n-1", "").want(http.StatusNoContent)
			a.send("GET", "/Groups/n-2", "").want(http.StatusOK).wantNo("n-1")
		})
	}
}

func withoutMemberTypes(attributes scim.ResourceAttributes) scim.ResourceAttributes {
	members, ok := attributes["members"].([]any)
	if !ok {
		return attributes
	}
	plain := make([]any, len(members))
	for i, m := range members {
		plain[i] = map[string]any{"value": m.(map[string]any)["value"]}
	}
	attributes["members"] = plain
	return attributes
}

// With the option, a PATCH reaches the handler's Patch, in the library's terms.
func TestPatchOption(t *testing.T) {
	a := newApp(t, nil, elimity.Options{Patch: true})
	path := a.user(`{"userName":"a","active":true,"title":"T"}`)
	a.send("PATCH", path, patchOf(
		`{"op":"Replace","path":"Active","value":"False"}`, `{"op":"remove","path":"title"}`, `{"op":"Add","path":"NICKNAME","value":"N"}`,
	)).want(http.StatusOK)
	got := make(map[string]any)
	for _, op := range a.users.patched[0] {
		got[op.Op+" "+op.Path.String()] = op.Value
	}
	want := map[string]any{"replace active": false, "remove title": nil, "replace nickName": "N"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
	a.send("GET", path, "").wantBody(`"active":false`, `"nickName":"N"`).wantNo(`"title"`)
	a.send("PUT", path, `{"userName":"b"}`).want(http.StatusOK)
	if n := slices.Index(a.users.calls, "Replace"); n < 0 || slices.Contains(a.users.calls[:n], "Replace") {
		t.Errorf("calls %q", a.users.calls)
	}
}

// A path with a value filter is in the library's terms, too.
func TestPatchOptionWithValuePaths(t *testing.T) {
	a := newApp(t, nil, elimity.Options{Patch: true})
	path := a.user(`{"userName":"a","emails":[{"value":"x","type":"work"},{"value":"y","type":"home"},{"value":"z","type":"other"}]}`)
	a.send("PATCH", path, patchOf(`{"op":"remove","path":"emails[type eq \"home\"]"}`))
	var got []string
	for _, op := range a.users.patched[0] {
		if op.Path.ValueExpression == nil || op.Path.AttributePath.AttributeName != "emails" {
			t.Errorf("path %+v", op.Path)
		}
		got = append(got, op.Op+" "+op.Path.String())
	}
	if len(got) != 1 || !strings.HasPrefix(got[0], "remove emails[") || !strings.Contains(got[0], `eq "`) {
		t.Errorf("operations %q", got)
	}
}

func TestHandlerWithoutReplace(t *testing.T) {
	for name, refusal := range map[string]error{"501": liberrors.ScimError{Status: 501}, "405": &liberrors.ScimError{Status: 405}} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t, nil)
			path := a.user(`{"userName":"a","active":true}`)
			a.users.replace = func(string, scim.ResourceAttributes) (scim.Resource, error) { return scim.Resource{}, refusal }
			a.send("PATCH", path, patchOf(`{"op":"replace","path":"active","value":false}`)).want(http.StatusOK)
			a.send("GET", path, "").wantBody(`"active":false`)
			a.users.err = func(method string) error {
				if method == "Patch" {
					return liberrors.ScimError{Status: 501, Detail: "read only"}
				}
				return nil
			}
			status := map[string]int{"501": http.StatusNotImplemented, "405": http.StatusMethodNotAllowed}[name]
			a.send("PUT", path, `{"userName":"b"}`).want(status) // what Replace has said
		})
	}
}

func TestHandlersGetTheRequest(t *testing.T) {
	var seen *http.Request
	a := newApp(t, nil)
	a.handler = func() http.Handler {
		h, err := elimity.New([]scim.ResourceType{{
			Name: "User", Endpoint: "/Users", Schema: schema.CoreUserSchema(), Handler: spy{a.users, func(r *http.Request) { seen = r }},
		}}, server.Options{Authenticator: server.Anonymous()})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}()
	a.send("GET", "/scim/Users/x", "", "X-Tenant", "contoso")
	if seen == nil || seen.URL.Path != "/scim/Users/x" || seen.Header.Get("X-Tenant") != "contoso" || seen.Body != http.NoBody {
		t.Errorf("request %+v", seen)
	}
}

// spy is a handler that tells of the requests it gets.
type spy struct {
	scim.ResourceHandler
	tell func(*http.Request)
}

func (s spy) Get(r *http.Request, id string) (scim.Resource, error) {
	s.tell(r)
	return s.ResourceHandler.Get(r, id)
}

func TestHooksComeFirst(t *testing.T) {
	a := newApp(t, func(_ *app, o *server.Options) {
		o.Hooks.BeforeCreate = func(_ context.Context, c *server.Change) error {
			c.New["title"] = "enriched"
			return nil
		}
	})
	a.send("POST", "/Users", `{"userName":"a"}`).want(http.StatusCreated).wantBody(`"title":"enriched"`)
	if a.users.data["id-1"]["title"] != "enriched" {
		t.Errorf("the handler has %v", a.users.data["id-1"])
	}
}

func TestAttributesThatNoSchemaAllows(t *testing.T) {
	a := newApp(t, func(a *app, _ *server.Options) {
		a.users.shape = func(attributes scim.ResourceAttributes) scim.ResourceAttributes {
			attributes["active"] = "perhaps"
			return attributes
		}
	})
	path := a.user(`{"userName":"a","title":"T"}`)
	a.send("GET", path, "").want(http.StatusOK).wantBody(`"title":"T"`).wantNo("perhaps")
	a.find(`active eq true`).total(0)
}

func TestNewRefuses(t *testing.T) {
	user := scim.ResourceType{Name: "User", Endpoint: "/Users", Schema: schema.CoreUserSchema(), Handler: newDirectory("id", "")}
	without := user
	without.Handler = nil
	for name, tt := range map[string]struct {
		types   []scim.ResourceType
		options server.Options
	}{
		"no types":             {nil, server.Options{Authenticator: server.Anonymous()}},
		"no handler":           {[]scim.ResourceType{without}, server.Options{Authenticator: server.Anonymous()}},
		"hashed passwords":     {[]scim.ResourceType{user}, server.Options{Authenticator: server.Anonymous(), HashPasswords: true}},
		"no authenticator":     {[]scim.ResourceType{user}, server.Options{}},
		"type without handler": {[]scim.ResourceType{user}, server.Options{Authenticator: server.Anonymous(), ResourceTypes: []server.ResourceType{server.GroupType()}}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := elimity.New(tt.types, tt.options); err == nil {
				t.Error("no error")
			}
		})
	}
}
