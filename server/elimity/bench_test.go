package elimity_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	scim "github.com/elimity-com/scim"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/elimity"
)

// BenchmarkThousandUsers measures requests to a handler that keeps 1,000 users.
func BenchmarkThousandUsers(b *testing.B) {
	a := &app{users: newDirectory("id", ""), groups: newDirectory("group", "")}
	for i := range 1000 {
		id, name := fmt.Sprint(i), fmt.Sprintf("user%d@example.org", i)
		a.users.ids = append(a.users.ids, id)
		a.users.data[id] = scim.ResourceAttributes{
			"userName": name, "active": true, "displayName": name, "name": map[string]interface{}{"givenName": "A", "familyName": name},
			"emails": []interface{}{map[string]interface{}{"value": name, "type": "work", "primary": true}},
		}
	}
	for _, filters := range []bool{false, true} {
		a.users.filters = filters
		h, err := elimity.New(a.types(), server.Options{Authenticator: server.Anonymous()})
		if err != nil {
			b.Fatal(err)
		}
		for _, request := range []struct{ name, method, path, body string }{
			{"GET by id", "GET", "/Users/500?excludedAttributes=groups", ""},
			{"userName eq", "GET", "/Users?excludedAttributes=groups&filter=userName+eq+%22user500@example.org%22", ""},
			{"page of 100", "GET", "/Users?excludedAttributes=groups&startIndex=501&count=100", ""},
			{"PATCH active", "PATCH", "/Users/500?attributes=active", patchOf(`{"op":"replace","path":"active","value":%t}`)},
		} {
			b.Run(fmt.Sprintf("handler filters=%t/%s", filters, request.name), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					body := strings.ReplaceAll(request.body, "%t", fmt.Sprint(i%2 == 0))
					w := httptest.NewRecorder()
					h.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), request.method, request.path, strings.NewReader(body)))
					if w.Code != http.StatusOK {
						b.Fatal(w.Code, w.Body)
					}
					a.users.calls, a.users.params, a.users.received = nil, nil, nil
				}
			})
		}
	}
}
