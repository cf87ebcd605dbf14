package server_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"

	elimity "github.com/elimity-com/scim"
	elimityerrors "github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/optional"
	elimityschema "github.com/elimity-com/scim/schema"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
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

func elimityServer(b *testing.B) http.Handler {
	b.Helper()
	handler := &elimityUsers{users: make(map[string]elimity.ResourceAttributes)}
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

// ourServer gives users the ids that elimityUsers gives them, so that both answer the same requests.
func ourServer(b *testing.B) http.Handler {
	b.Helper()
	made := -1
	h, err := server.New(memory.New(), server.Options{
		Authenticator: server.BearerTokens("token"),
		NewID: func() string {
			made++
			return strconv.Itoa(made)
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	return h
}

// idleServer does nothing with a request. Over loopback, it shows what of the time is net/http's.
func idleServer(status int) http.Handler {
	text := bytes.Repeat([]byte("x"), 700)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", scim.ContentType)
		w.WriteHeader(status)
		_, _ = w.Write(text)
	})
}

// load is a request that is sent again and again, to a service that has users.
type load struct {
	name   string
	method string
	status int
	// user is the body with which the users are made, and how many there are.
	user  string
	users int
	// target and body are those of the requests of one of several clients. What body returns is good until it is called again.
	target func(client int) string
	body   func(client int) func() []byte
}

var loads = []load{
	{
		name: "post", method: "POST", status: http.StatusCreated, user: benchUser,
		target: func(int) string { return "/Users" }, body: func(client int) func() []byte { return numbered(benchUser, client) },
	},
	{
		name: "post full", method: "POST", status: http.StatusCreated, user: fullUser,
		target: func(int) string { return "/Users" }, body: func(client int) func() []byte { return numbered(fullUser, client) },
	},
	{name: "get", method: "GET", status: http.StatusOK, user: benchUser, users: 1000, target: userOf, body: nothing},
	{name: "get full", method: "GET", status: http.StatusOK, user: fullUser, users: 1000, target: userOf, body: nothing},
	{name: "patch active", method: "PATCH", status: http.StatusOK, user: benchUser, users: 1000, target: userOf, body: toggling},
	{name: "patch active full", method: "PATCH", status: http.StatusOK, user: fullUser, users: 1000, target: userOf, body: toggling},
	{
		name: "userName eq of 1000", method: "GET", status: http.StatusOK, user: benchUser, users: 1000, body: nothing,
		target: func(client int) string { return "/Users?filter=" + escape(`userName eq "`+benchName(500+client)+`"`) },
	},
}

// fullUser is a user with most of what RFC 7643 has for one.
const fullUser = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],` +
	`"userName":"%[1]s","externalId":"%[1]s","active":true,"displayName":"Dr. Taylor M Lee","nickName":"Tay","title":"Engineer",` +
	`"name":{"givenName":"Taylor","familyName":"Lee","middleName":"Morgan","honorificPrefix":"Dr.","formatted":"Dr. Taylor M Lee"},` +
	`"userType":"Employee","preferredLanguage":"en-GB","locale":"en-GB","timezone":"Europe/London","profileUrl":"https://people.example.com/%[2]d",` +
	`"emails":[{"primary":true,"type":"work","value":"%[1]s"},{"type":"home","value":"taylor@home.example"}],` +
	`"phoneNumbers":[{"type":"work","value":"+44 20 7946 0001"},{"type":"mobile","value":"+44 7700 900001"}],` +
	`"addresses":[{"type":"work","streetAddress":"1 Long Lane","locality":"London","postalCode":"SE1 4PG","country":"GB","primary":true},` +
	`{"type":"home","streetAddress":"2 Short Street","locality":"Leeds","region":"West Yorkshire","postalCode":"LS1 1AA","country":"GB"}],` +
	`"ims":[{"type":"xmpp","value":"taylor@chat.example"}],"photos":[{"type":"photo","value":"https://photos.example.com/%[2]d"}],` +
	`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D","employeeNumber":"%[2]d","costCenter":"4130",` +
	`"organization":"Example","division":"Products","manager":{"value":"26118915","displayName":"Jordan Diaz"}}}`

func userOf(client int) string { return "/Users/" + strconv.Itoa(500+client) }

func nothing(int) func() []byte { return func() []byte { return nil } }

// toggling returns bodies that switch a user off and on again.
func toggling(int) func() []byte {
	patches := [][]byte{
		[]byte(operations(`{"op":"replace","path":"active","value":true}`)), []byte(operations(`{"op":"replace","path":"active","value":false}`)),
	}
	sent := 0
	return func() []byte {
		sent++
		return patches[sent%2]
	}
}

// numbered returns bodies of users, each with another name. Only digits change from one to the next: making them must cost nothing.
func numbered(user string, client int) func() []byte {
	const zero = "0000000"
	body := []byte(fmt.Sprintf(user, benchName(0), client))
	var holes []int
	for at := 0; ; {
		next := bytes.Index(body[at:], []byte(zero))
		if next < 0 {
			break
		}
		holes = append(holes, at+next)
		at += next + len(zero)
	}
	n := client * 1_000_000
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

// services are those that are compared. The users that a load needs are there.
var services = []struct {
	name string
	open func(b *testing.B, l load) http.Handler
}{
	{"elimity", func(b *testing.B, l load) http.Handler { return filled(b, elimityServer(b), l) }},
	{"ours", func(b *testing.B, l load) http.Handler { return filled(b, ourServer(b), l) }},
	{"idle", func(_ *testing.B, l load) http.Handler { return idleServer(l.status) }},
}

// filled makes the users of a load.
func filled(b *testing.B, h http.Handler, l load) http.Handler {
	b.Helper()
	for n := range l.users {
		serve(b, h, benchRequest(b, "POST", "/Users", fmt.Sprintf(l.user, benchName(n), n)), http.StatusCreated)
	}
	return h
}

// body is the body of a request that is sent again.
type body struct{ bytes.Reader }

func (*body) Close() error { return nil }

// BenchmarkAgainstElimity calls the handlers.
func BenchmarkAgainstElimity(b *testing.B) {
	for _, l := range loads {
		for _, s := range services[:2] {
			b.Run(l.name+"/"+s.name, func(b *testing.B) {
				h, next := s.open(b, l), l.body(0)
				r := benchRequest(b, l.method, l.target(0), "")
				content := new(body)
				b.ReportAllocs()
				for b.Loop() {
					data := next()
					content.Reset(data)
					r.Body, r.ContentLength = content, int64(len(data))
					serve(b, h, r, l.status)
				}
			})
		}
	}
}
