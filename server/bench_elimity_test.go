package server_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"

	elimity "github.com/elimity-com/scim"
	elimityerrors "github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/optional"
	elimityschema "github.com/elimity-com/scim/schema"

	"github.com/scimbridge/scim/server/memory"
)

// The benchmarks in this file compare the server with that of elimity-com/scim, in one run, doing the same work on the same requests.

// elimityUsers is what a user of that library writes: its resources in a map.
type elimityUsers struct {
	mu    sync.Mutex
	users map[string]elimity.ResourceAttributes
	ids   []string
}

func (e *elimityUsers) resource(id string) (elimity.Resource, error) {
	attributes, ok := e.users[id]
	if !ok {
		return elimity.Resource{}, elimityerrors.ScimErrorResourceNotFound(id)
	}
	// The library changes the map that it is given.
	return elimity.Resource{
		ID: id, Attributes: maps.Clone(attributes), ExternalID: optional.NewString(benchName(500)),
		Meta: elimity.Meta{Created: &testTime, LastModified: &testTime, Version: "v1"},
	}, nil
}

func (e *elimityUsers) Create(_ *http.Request, attributes elimity.ResourceAttributes) (elimity.Resource, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	id := fmt.Sprint(len(e.ids))
	e.users[id] = attributes
	e.ids = append(e.ids, id)
	return e.resource(id)
}

func (e *elimityUsers) Get(_ *http.Request, id string) (elimity.Resource, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.resource(id)
}

func (e *elimityUsers) GetAll(_ *http.Request, p elimity.ListRequestParams) (elimity.Page, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	page := elimity.Page{Resources: []elimity.Resource{}}
	for _, id := range e.ids {
		if p.FilterValidator != nil && p.FilterValidator.PassesFilter(e.users[id]) != nil {
			continue
		}
		page.TotalResults++
		if page.TotalResults >= p.StartIndex && len(page.Resources) < p.Count {
			r, err := e.resource(id)
			if err != nil {
				return page, err
			}
			page.Resources = append(page.Resources, r)
		}
	}
	return page, nil
}

func (e *elimityUsers) Replace(_ *http.Request, id string, attributes elimity.ResourceAttributes) (elimity.Resource, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.users[id] = attributes
	return e.resource(id)
}

func (e *elimityUsers) Delete(_ *http.Request, id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.users, id)
	e.ids = slices.DeleteFunc(e.ids, func(other string) bool { return other == id })
	return nil
}

// Patch applies the replacement of simple attributes, which is all that the benchmark sends.
func (e *elimityUsers) Patch(_ *http.Request, id string, operations []elimity.PatchOperation) (elimity.Resource, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, op := range operations {
		e.users[id][op.Path.AttributePath.AttributeName] = op.Value
	}
	return e.resource(id)
}

func elimityServer(b *testing.B, users int) http.Handler {
	b.Helper()
	handler := &elimityUsers{users: make(map[string]elimity.ResourceAttributes)}
	for n := range users {
		name := benchName(n)
		_, err := handler.Create(nil, elimity.ResourceAttributes{
			"userName": name, "active": true, "title": "Guide", "name": map[string]any{"givenName": "Taylor", "familyName": "Lee"},
			"emails": []any{map[string]any{"value": name, "type": "work", "primary": true}},
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	s, err := elimity.NewServer(&elimity.ServerArgs{
		ServiceProviderConfig: &elimity.ServiceProviderConfig{SupportFiltering: true, SupportPatch: true},
		ResourceTypes: []elimity.ResourceType{{
			ID: optional.NewString("User"), Name: "User", Endpoint: "/Users", Schema: elimityschema.CoreUserSchema(),
			SchemaExtensions: []elimity.SchemaExtension{{Schema: elimityschema.ExtensionEnterpriseUser()}},
			Handler:          handler,
		}},
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func BenchmarkAgainstElimity(b *testing.B) {
	run := func(name string, h http.Handler, status int, request func(n int) *http.Request) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n++
				serve(b, h, request(n), status)
			}
		})
	}
	post := func(prefix string) func(int) *http.Request {
		return func(n int) *http.Request {
			return benchRequest(b, "POST", prefix+"/Users", fmt.Sprintf(benchUser, benchName(n), n))
		}
	}
	getUser := benchRequest(b, "GET", "/Users/500", "")
	get := func(int) *http.Request { return getUser }
	patch := func(n int) *http.Request {
		return benchRequest(b, "PATCH", "/Users/500", operations(fmt.Sprintf(`{"op":"replace","path":"active","value":%v}`, n%2 == 0)))
	}
	filtered := benchRequest(b, "GET", "/Users?filter="+escape(`userName eq "`+benchName(500)+`"`), "")
	filter := func(int) *http.Request { return filtered }
	run("post/elimity", elimityServer(b, 0), 201, post(""))
	run("post/ours", benchServer(b, memory.New()), 201, post(""))
	run("get/elimity", elimityServer(b, 1000), 200, get)
	run("get/ours", benchServer(b, populated(b, 1000)), 200, get)
	run("patch active/elimity", elimityServer(b, 1000), 200, patch)
	run("patch active/ours", benchServer(b, populated(b, 1000)), 200, patch)
	run("userName eq of 1000/elimity", elimityServer(b, 1000), 200, filter)
	run("userName eq of 1000/ours", benchServer(b, populated(b, 1000)), 200, filter)
}
