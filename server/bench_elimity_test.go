package server_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	elimity "github.com/elimity-com/scim"
	elimityerrors "github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/optional"
	elimityschema "github.com/elimity-com/scim/schema"
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

// load is requests that are made beforehand, so that what is measured is the service.
type load struct {
	method, target string
	status         int
	body           func() []byte
}

// loads returns what both servers are measured with.
func loads() map[string]load {
	patches := [][]byte{
		[]byte(operations(`{"op":"replace","path":"active","value":true}`)), []byte(operations(`{"op":"replace","path":"active","value":false}`)),
	}
	sent := 0
	nothing := func() []byte { return nil }
	return map[string]load{
		"post": {"POST", "/Users", http.StatusCreated, numbered(fmt.Sprintf(benchUser, benchName(0), 0))},
		"get":  {"GET", "/Users/500", http.StatusOK, nothing},
		"patch active": {"PATCH", "/Users/500", http.StatusOK, func() []byte {
			sent++
			return patches[sent%2]
		}},
		"userName eq of 1000": {"GET", "/Users?filter=" + escape(`userName eq "`+benchName(500)+`"`), http.StatusOK, nothing},
	}
}

// numbered returns bodies in which the number 0000000 of the first is counted up.
func numbered(first string) func() []byte {
	const zero = "0000000"
	body, n := []byte(first), 0
	var holes []int
	for at := strings.Index(first, zero); at >= 0; {
		holes = append(holes, at)
		next := strings.Index(first[at+len(zero):], zero)
		if next < 0 {
			break
		}
		at += len(zero) + next
	}
	return func() []byte {
		n++
		for _, at := range holes {
			for left, i := n, at+len(zero)-1; i >= at; i-- {
				body[i] = byte('0' + left%10)
				left /= 10
			}
		}
		return body
	}
}

// body is the body of a request that is sent again.
type body struct{ bytes.Reader }

func (*body) Close() error { return nil }

// BenchmarkAgainstElimity calls the handlers.
func BenchmarkAgainstElimity(b *testing.B) {
	compare(b, func(b *testing.B, h http.Handler, l load) {
		r := benchRequest(b, l.method, l.target, "")
		content := new(body)
		for b.Loop() {
			data := l.body()
			content.Reset(data)
			r.Body, r.ContentLength = content, int64(len(data))
			serve(b, h, r, l.status)
		}
	})
}

// BenchmarkLoopbackAgainstElimity sends the same requests over loopback: one client, one connection, one request after the
// other. An empty handler, which reads the body and answers with as many bytes as ours, shows what of it is the client and net/http.
func BenchmarkLoopbackAgainstElimity(b *testing.B) {
	compare(b, overLoopback)
}

// compare runs a benchmark for both servers and every load.
func compare(b *testing.B, run func(b *testing.B, h http.Handler, l load)) {
	for _, name := range []string{"post", "get", "patch active", "userName eq of 1000"} {
		users := 1000
		if name == "post" {
			users = 0
		}
		for _, s := range []struct {
			name string
			open func() http.Handler
		}{
			{"elimity", func() http.Handler { return elimityServer(b, users) }},
			{"ours", func() http.Handler { return benchServer(b, stored(b, users)) }},
		} {
			b.Run(name+"/"+s.name, func(b *testing.B) {
				h := s.open()
				b.ReportAllocs()
				run(b, h, loads()[name])
			})
		}
	}
}
