package server_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	elimity "github.com/elimity-com/scim/schema"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

func Example() {
	handler, err := server.New(memory.New(), server.Options{
		Authenticator: server.BearerTokens("secret"),
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/scim/v2/", handler)

	request := httptest.NewRequest("POST", "/scim/v2/Users", strings.NewReader(`{"userName":"taylor.lee@example.com"}`))
	request.Header.Set("Authorization", "Bearer secret")
	response := httptest.NewRecorder()
	mux.ServeHTTP(response, request)
	fmt.Println(response.Code, response.Header().Get("Content-Type"))
	// Output: 201 application/scim+json
}

// Hooks refuse and enrich changes.
func Example_hooks() {
	handler, err := server.New(memory.New(), server.Options{
		Authenticator: server.BearerTokens("secret"),
		Hooks: server.Hooks{
			BeforeCreate: func(_ context.Context, c *server.Change) error {
				name, _ := c.New["userName"].(string)
				if !strings.HasSuffix(name, "@example.com") {
					return scim.NewError(http.StatusBadRequest, scim.InvalidValue, "userName must end with @example.com")
				}
				return nil
			},
			After: func(_ context.Context, c server.Change) { fmt.Println(c.Kind, c.New["userName"]) },
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"lee@example.com", "lee@example.org"} {
		request := httptest.NewRequest("POST", "/Users", strings.NewReader(`{"userName":"`+name+`"}`))
		request.Header.Set("Authorization", "Bearer secret")
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, request)
		fmt.Println(response.Code)
	}
	// Output:
	// created lee@example.com
	// 201
	// 400
}

// A resource type of one's own is a schema and an endpoint.
func ExampleResourceType() {
	device := server.ResourceType{
		Name: "Device", Endpoint: "/Devices",
		Schema: elimity.Schema{
			ID: "urn:example:schemas:Device",
			Attributes: []elimity.CoreAttribute{
				elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "serial", Required: true})),
			},
		},
	}
	user := server.UserType()
	user.Unknown = schema.UnknownReject
	handler, err := server.New(memory.New(), server.Options{
		Authenticator: server.Anonymous(),
		ResourceTypes: []server.ResourceType{user, server.GroupType(), device},
	})
	if err != nil {
		log.Fatal(err)
	}
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, httptest.NewRequest("POST", "/Devices", strings.NewReader(`{"serial":"X1"}`)))
	fmt.Println(response.Code)
	// Output: 201
}

// span stands for one of OpenTelemetry's, which is used alike.
type span struct{ name string }

func (s *span) end(status int) { fmt.Println(s.name, status) }

// Tracing plugs in with Observe. With OpenTelemetry, the hook calls tracer.Start, and the function it returns span.SetAttributes and
// span.End.
func ExampleHooks_observe() {
	type spanKey struct{}
	handler, err := server.New(memory.New(), server.Options{
		Authenticator: server.Anonymous(),
		Hooks: server.Hooks{
			Observe: func(ctx context.Context, info server.RequestInfo) (context.Context, func(int)) {
				s := &span{name: "scim." + info.Operation + " " + info.ResourceType}
				return context.WithValue(ctx, spanKey{}, s), s.end
			},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/Users?count=5", nil))
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("DELETE", "/Groups/1", nil))
	// Output:
	// scim.list User 200
	// scim.delete Group 404
}

// Entra writes the roles of a user as JSON in a string, unless the mapping says otherwise. A hook makes roles of it.
func ExampleHooks_beforePatch() {
	handler, err := server.New(memory.New(), server.Options{
		Authenticator: server.Anonymous(),
		Hooks: server.Hooks{
			BeforePatch: func(_ context.Context, p *server.Patch) error {
				for i, op := range p.Operations {
					list, isList := op.Value.([]any)
					if !isList || !strings.EqualFold(op.Path, "roles") {
						continue
					}
					roles := make([]any, len(list))
					for n, element := range list {
						roles[n] = unwrapped(element)
					}
					p.Operations[i].Value = roles
				}
				return nil
			},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	send := func(method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", scim.ContentType)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	user := send("POST", "/Users", `{"userName":"alice"}`).Header().Get("Location")
	w := send("PATCH", user+"?attributes=roles", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
		{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"18d14569\",\"value\":\"Admin\",\"displayName\":\"Administrator\"}"}]}]}`)
	doc, err := scim.DecodeDocument(w.Body.Bytes())
	fmt.Println(w.Code, doc["roles"], err)
	// Output: 200 [map[display:Administrator value:Admin]] <nil>
}

// unwrapped returns a role as an object when it is JSON in a string, and else as it is.
func unwrapped(role any) any {
	object, _ := role.(map[string]any)
	text, _ := object["value"].(string)
	inner, err := scim.DecodeDocument([]byte(text))
	if err != nil {
		return role
	}
	return map[string]any{"value": inner["value"], "display": inner["displayName"]}
}
