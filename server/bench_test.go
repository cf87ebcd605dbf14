package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

// benchUser is the body of a POST, as Entra and Okta send it.
const benchUser = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],` +
	`"userName":"%[1]s","externalId":"%[1]s","active":true,"displayName":"Taylor Lee","name":{"givenName":"Taylor","familyName":"Lee","formatted":"Taylor Lee"},` +
	`"emails":[{"primary":true,"type":"work","value":"%[1]s"}],"title":"Engineer",` +
	`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D","employeeNumber":"%[2]d"}}`

func benchName(n int) string { return fmt.Sprintf("user%07d@example.com", n) }

// sink is a ResponseWriter that keeps the status only.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header    { return s.header }
func (s *sink) WriteHeader(status int) { s.status = status }

func (s *sink) Write(p []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return len(p), nil
}

// SetReadDeadline is what the writers of net/http have.
func (s *sink) SetReadDeadline(time.Time) error { return nil }

// serve sends a request made beforehand, and fails unless the status is right.
func serve(b *testing.B, h http.Handler, r *http.Request, want int) {
	w := sink{header: make(http.Header)}
	h.ServeHTTP(&w, r)
	if w.status != want {
		b.Fatalf("%s %s: status %d, want %d", r.Method, r.URL, w.status, want)
	}
}

func benchRequest(b *testing.B, method, target, body string) *http.Request {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r, err := http.NewRequest(method, "http://example.com"+target, reader)
	if err != nil {
		b.Fatal(err)
	}
	r.RequestURI = target
	r.Header.Set("Authorization", "Bearer token")
	r.Header.Set("Content-Type", scim.ContentType)
	return r
}

func benchServer(b *testing.B, store server.Store) *server.Server {
	h, err := server.New(store, server.Options{Authenticator: server.BearerTokens("token")})
	if err != nil {
		b.Fatal(err)
	}
	return h
}

// population holds the stores that several benchmarks read; making a million users takes longer than reading them.
var population struct {
	sync.Mutex
	stores map[int]*memory.Store
}

// populated returns a store with users 0 to n-1, whose ids are their numbers.
func populated(b *testing.B, n int) *memory.Store {
	b.Helper()
	population.Lock()
	defer population.Unlock()
	if s := population.stores[n]; s != nil {
		return s
	}
	s := stored(b, n)
	if population.stores == nil {
		population.stores = make(map[int]*memory.Store)
	}
	population.stores[n] = s
	return s
}

// stored returns a new store with users 0 to n-1.
func stored(b *testing.B, n int) *memory.Store {
	b.Helper()
	s := memory.New()
	for i := range n {
		name := benchName(i)
		doc := scim.Document{
			"id": fmt.Sprint(i), "schemas": []any{scim.UserSchema}, "userName": name, "externalId": name, "active": true,
			"name":   map[string]any{"givenName": "Taylor", "familyName": "Lee"},
			"emails": []any{map[string]any{"value": name, "type": "work", "primary": true}},
			"title":  []string{"Engineer", "Guide", "Manager"}[i%3],
			"meta":   map[string]any{"resourceType": "User", "created": created, "lastModified": created},
		}
		r := server.Resource{
			Key: server.Key{Type: "User", ID: fmt.Sprint(i)}, Version: "v1", Document: doc,
			Unique: []server.Unique{{Scope: "User", Attribute: "userName", Value: name}}, Rendering: new(server.Rendering),
		}
		if err := s.Create(context.Background(), r); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func BenchmarkPost(b *testing.B) {
	h := benchServer(b, memory.New())
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		serve(b, h, benchRequest(b, "POST", "/scim/v2/Users", fmt.Sprintf(benchUser, benchName(n), n)), 201)
	}
}

func BenchmarkGet(b *testing.B) {
	h := benchServer(b, populated(b, 1000))
	r := benchRequest(b, "GET", "/scim/v2/Users/500", "")
	b.ReportAllocs()
	for b.Loop() {
		serve(b, h, r, 200)
	}
}

func BenchmarkPatchActive(b *testing.B) {
	store := memory.New()
	h := benchServer(b, store)
	serve(b, h, benchRequest(b, "POST", "/scim/v2/Users", fmt.Sprintf(benchUser, benchName(1), 1)), 201)
	page, err := store.Query(b.Context(), server.Query{Type: "User", Limit: 1})
	if err != nil {
		b.Fatal(err)
	}
	path := "/scim/v2/Users/" + page.Resources[0].ID
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"active","value":%v}]}`, n%2 == 0)
		serve(b, h, benchRequest(b, "PATCH", path, body), 200)
	}
}

func BenchmarkFilterUserName(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := benchServer(b, populated(b, n))
			r := benchRequest(b, "GET", "/scim/v2/Users?filter="+escape(`userName eq "`+benchName(n/2)+`"`), "")
			runtime.GC() // what building a million users leaves behind is not a request's to pay for
			b.ReportAllocs()
			for b.Loop() {
				serve(b, h, r, 200)
			}
		})
	}
}

func BenchmarkListWithoutIndex(b *testing.B) {
	h := benchServer(b, populated(b, 1_000_000))
	r := benchRequest(b, "GET", "/scim/v2/Users?count=100&filter="+escape(`title eq "guide"`), "")
	b.ReportAllocs()
	for b.Loop() {
		serve(b, h, r, 200)
	}
}

func BenchmarkPageOfAMillion(b *testing.B) {
	h := benchServer(b, populated(b, 1_000_000))
	r := benchRequest(b, "GET", "/scim/v2/Users?count=100&startIndex=500000", "")
	b.ReportAllocs()
	for b.Loop() {
		serve(b, h, r, 200)
	}
}

// BenchmarkMemberPatch adds a member to a group and removes it again.
func BenchmarkMemberPatch(b *testing.B) {
	for _, members := range []int{10, 100_000} {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			store := memory.New()
			h := benchServer(b, store)
			list := make([]any, members)
			for i := range list {
				list[i] = map[string]any{"value": fmt.Sprint(i), "type": "User"}
			}
			for _, r := range []server.Resource{
				{Key: server.Key{Type: "Group", ID: "g"}, Document: scim.Document{"id": "g", "displayName": "G", "members": list}},
				{Key: server.Key{Type: "User", ID: "new"}, Document: scim.Document{"id": "new", "userName": "new"}},
			} {
				if err := store.Create(b.Context(), r); err != nil {
					b.Fatal(err)
				}
			}
			bodies := []string{
				operations(`{"op":"Add","path":"members","value":[{"value":"new"}]}`), operations(`{"op":"Remove","path":"members","value":[{"value":"new"}]}`),
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				serve(b, h, benchRequest(b, "PATCH", "/scim/v2/Groups/g", bodies[n%2]), 204)
				n++
			}
		})
	}
}
