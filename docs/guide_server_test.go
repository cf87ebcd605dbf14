// Package docs_test compiles and runs the code of the guides.
package docs_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	elimity "github.com/elimity-com/scim"
	elimityschema "github.com/elimity-com/scim/schema"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	adapter "github.com/scimbridge/scim/server/elimity"
	"github.com/scimbridge/scim/server/idptest"
	"github.com/scimbridge/scim/server/memory"
	"github.com/scimbridge/scim/server/sqlite"
)

func TestKeepingInAFile(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx := t.Context()
	store, err := sqlite.Open(ctx, "scim.db")
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	h, err := server.New(store, server.Options{Authenticator: server.BearerTokens("secret")})
	if err != nil {
		t.Fatal(err)
	}
	if w := get(t, h, "/Users", "secret"); w.Code != http.StatusOK {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

func newHandler(t *testing.T) http.Handler {
	t.Helper()
	h, err := server.New(memory.New(), server.Options{Authenticator: server.BearerTokens("secret")})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestProvisioning(t *testing.T) {
	idptest.All(t, idptest.Target{Handler: newHandler(t), BasePath: "/scim/v2", Token: "secret"})
}

// router is what routers such as chi have: Mount leaves the path of requests as it is.
type router interface {
	Mount(pattern string, h http.Handler)
}

type prefixRouter struct{ *http.ServeMux }

func (r prefixRouter) Mount(pattern string, h http.Handler) { r.Handle(pattern+"/", h) }

func mount(mux *http.ServeMux, router router, store server.Store) error {
	handler, err := server.New(store, server.Options{
		Authenticator: server.BearerTokens(os.Getenv("SCIM_TOKEN"), os.Getenv("SCIM_TOKEN_BEFORE")),
		BasePath:      "/scim/v2",
	})
	if err != nil {
		return err
	}
	mux.Handle("/scim/v2/", handler)

	router.Mount("/scim/v2", handler)
	return nil
}

func TestMounting(t *testing.T) {
	t.Setenv("SCIM_TOKEN", "new")
	t.Setenv("SCIM_TOKEN_BEFORE", "old")
	mux, routed := http.NewServeMux(), http.NewServeMux()
	if err := mount(mux, prefixRouter{routed}, memory.New()); err != nil {
		t.Fatal(err)
	}
	for _, h := range []http.Handler{mux, routed} {
		for token, status := range map[string]int{"new": 200, "old": 200, "": 401} {
			if got := get(t, h, "/scim/v2/Users", token); got.Code != status {
				t.Errorf("token %q: status %d: %s", token, got.Code, got.Body)
			}
		}
	}
}

func get(t *testing.T, h http.Handler, path, token string) *httptest.ResponseRecorder {
	t.Helper()
	return send(t, h, http.MethodGet, path, token, "")
}

func send(t *testing.T, h http.Handler, method, path, token, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

type customer struct{ ID, Name string }

type directory map[string]customer

func (d directory) ByToken(_ context.Context, token string) (customer, error) {
	c, ok := d[token]
	if !ok {
		return c, errors.New("no such customer")
	}
	return c, nil
}

func TestTenants(t *testing.T) {
	customers := directory{"a": {ID: "1"}, "b": {ID: "2"}}
	authenticator := server.AuthenticatorFunc(func(r *http.Request) (server.Identity, error) {
		token, ok := server.BearerToken(r)
		if !ok {
			return server.Identity{}, server.ErrUnauthenticated
		}
		customer, err := customers.ByToken(r.Context(), token)
		if err != nil {
			return server.Identity{}, server.ErrUnauthenticated
		}
		return server.Identity{Tenant: customer.ID, Name: customer.Name}, nil
	})
	h, err := server.New(memory.New(), server.Options{Authenticator: authenticator})
	if err != nil {
		t.Fatal(err)
	}
	if w := send(t, h, http.MethodPost, "/Users", "a", `{"userName":"x"}`); w.Code != http.StatusCreated {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	for token, part := range map[string]string{"a": `"totalResults":1`, "b": `"totalResults":0`, "c": `"status":"401"`, "": `"status":"401"`} {
		if w := get(t, h, "/Users", token); !strings.Contains(w.Body.String(), part) {
			t.Errorf("token %q: %s", token, w.Body)
		}
	}
}

type endings []string

func (e *endings) End(_ context.Context, _, id string) { *e = append(*e, id) }

func TestHooks(t *testing.T) {
	var ended endings
	sessions := &ended
	hooks := server.Hooks{
		BeforeCreate: func(ctx context.Context, c *server.Change) error {
			name, _ := c.New["userName"].(string)
			if c.Type == "User" && !strings.HasSuffix(name, "@example.com") {
				return scim.NewError(http.StatusBadRequest, scim.InvalidValue, "userName must be an address of example.com")
			}
			return nil
		},
		After: func(ctx context.Context, c server.Change) {
			if c.Type == "User" && (c.Kind == server.Deleted || c.New != nil && c.New["active"] == false) {
				sessions.End(ctx, c.Tenant, c.ID)
			}
		},
	}
	h, err := server.New(memory.New(), server.Options{
		Authenticator: server.Anonymous(), Hooks: hooks, NewID: func() string { return "1" },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method, path, body string
		status, ended      int
	}{
		{http.MethodPost, "/Users", `{"userName":"a@example.org"}`, 400, 0},
		{http.MethodPost, "/Users", `{"userName":"a@example.com","active":true}`, 201, 0},
		{http.MethodPatch, "/Users/1", `{"Operations":[{"op":"replace","path":"active","value":"False"}]}`, 200, 1},
		{http.MethodDelete, "/Users/1", "", 204, 2},
	} {
		w := send(t, h, tt.method, tt.path, "", tt.body)
		if w.Code != tt.status || len(ended) != tt.ended {
			t.Errorf("%s: status %d, want %d; %d sessions ended, want %d: %s", tt.method, w.Code, tt.status, len(ended), tt.ended, w.Body)
		}
	}
}

func TestResourceTypes(t *testing.T) {
	badge := elimityschema.Schema{
		ID: "urn:example:badge",
		Attributes: []elimityschema.CoreAttribute{
			elimityschema.SimpleCoreAttribute(elimityschema.SimpleStringParams(elimityschema.StringParams{Name: "number"})),
		},
	}
	options := server.Options{Authenticator: server.Anonymous()}
	user := server.UserType()
	user.Extensions = append(user.Extensions, schema.Extension{Schema: badge})
	options.ResourceTypes = []server.ResourceType{user, server.GroupType()}
	h, err := server.New(memory.New(), options)
	if err != nil {
		t.Fatal(err)
	}
	w := send(t, h, http.MethodPost, "/Users", "", `{"userName":"a","urn:example:badge":{"number":"7"}}`)
	if w.Code != http.StatusCreated || !strings.Contains(w.Body.String(), `"number":"7"`) {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

// empty is a handler without resources.
type empty struct{ elimity.ResourceHandler }

func (empty) GetAll(*http.Request, elimity.ListRequestParams) (elimity.Page, error) {
	return elimity.Page{}, nil
}

func before(config *elimity.ServiceProviderConfig, resourceTypes []elimity.ResourceType) (http.Handler, error) {
	// before
	old, err := elimity.NewServer(&elimity.ServerArgs{ServiceProviderConfig: config, ResourceTypes: resourceTypes})
	return old, err
}

func after(resourceTypes []elimity.ResourceType) (http.Handler, error) {
	// after
	handler, err := adapter.New(resourceTypes, server.Options{
		Authenticator: server.BearerTokens(os.Getenv("SCIM_TOKEN")),
	})
	return handler, err
}

func TestMoving(t *testing.T) {
	t.Setenv("SCIM_TOKEN", "secret")
	types := []elimity.ResourceType{{Name: "User", Endpoint: "/Users", Schema: elimityschema.CoreUserSchema(), Handler: empty{}}}
	old, err := before(&elimity.ServiceProviderConfig{}, types)
	if err != nil {
		t.Fatal(err)
	}
	moved, err := after(types)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range []http.Handler{old, moved} {
		if w := get(t, h, "/Users", "secret"); w.Code != http.StatusOK {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
	}
}

// The code of the guide is that of the tests above.
func TestServerGuideIsCompiled(t *testing.T) {
	guide, err := os.ReadFile("guide-server.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("guide_server_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(guide), "```go\n")[1:]
	if len(blocks) != 9 {
		t.Errorf("the guide has %d blocks of Go", len(blocks))
	}
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		if !strings.Contains(flat(string(source)), flat(code)) {
			t.Errorf("this code of the guide is not in guide_server_test.go:\n%s", code)
		}
	}
}

// flat folds white space, so that indentation does not matter.
func flat(code string) string { return strings.Join(strings.Fields(code), " ") }
