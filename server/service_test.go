package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

// service is a server under test. Its ids are 1, 2, 3 …, its versions v1, v2, v3 …, and its clock stands.
type service struct {
	t *testing.T
	http.Handler
	header http.Header // sent with every request
}

var testTime = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const created = "2026-11-23T12:00:00.000Z"

// newService returns a server whose options change may change.
func newService(t *testing.T, change ...func(*server.Options)) *service {
	t.Helper()
	return newServiceOn(t, memory.New(), change...)
}

func newServiceOn(t *testing.T, store server.Store, change ...func(*server.Options)) *service {
	t.Helper()
	var ids, versions atomic.Int64
	options := server.Options{
		Authenticator: server.Anonymous(),
		BaseURL:       "https://example.com/scim/v2",
		Now:           func() time.Time { return testTime },
		NewID:         func() string { return fmt.Sprint(ids.Add(1)) },
		NewVersion:    func() string { return fmt.Sprintf("v%d", versions.Add(1)) },
	}
	for _, f := range change {
		f(&options)
	}
	h, err := server.New(store, options)
	if err != nil {
		t.Fatal(err)
	}
	return &service{t: t, Handler: h, header: http.Header{}}
}

// response is an answer of a service.
type response struct {
	t      *testing.T
	what   string
	Status int
	Header http.Header
	Body   string
}

// send sends a request with a body, which is left out when it is empty. More are pairs of header names and values.
func (s *service) send(method, path, body string, more ...string) response {
	s.t.Helper()
	return s.sendWith(s.t.Context(), method, path, body, more...)
}

func (s *service) sendWith(ctx context.Context, method, path, body string, more ...string) response {
	s.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(ctx, method, path, reader)
	if body != "" {
		r.Header.Set("Content-Type", scim.ContentType)
	}
	for name, values := range s.header {
		r.Header[name] = values
	}
	for i := 0; i < len(more); i += 2 {
		r.Header.Set(more[i], more[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return response{s.t, method + " " + path, w.Code, w.Header(), w.Body.String()}
}

func (s *service) get(path string, more ...string) response {
	s.t.Helper()
	return s.send("GET", path, "", more...)
}

// filter queries users.
func (s *service) filter(filter string) response {
	s.t.Helper()
	return s.get("/Users?filter=" + escape(filter))
}

func escape(filter string) string {
	return strings.NewReplacer(" ", "%20", `"`, "%22", "&", "%26", "+", "%2B", "#", "%23", "%", "%25").Replace(filter)
}

// want checks the status.
func (r response) want(status int) response {
	r.t.Helper()
	if r.Status != status {
		r.t.Fatalf("%s: status %d, want %d\n%s", r.what, r.Status, status, r.Body)
	}
	return r
}

// wantError checks that the answer is a SCIM error.
func (r response) wantError(status int, typ scim.ErrorType) response {
	r.t.Helper()
	r.want(status)
	doc := r.doc()
	got, _ := doc["scimType"].(string)
	if got != string(typ) || doc["status"] != fmt.Sprint(status) || doc["detail"] == "" {
		r.t.Errorf("%s: got error %s, want status %d and scimType %q", r.what, r.Body, status, typ)
	}
	if diff := cmp.Diff([]any{scim.ErrorSchema}, doc["schemas"]); diff != "" {
		r.t.Errorf("%s: schemas of the error (-want +got):\n%s", r.what, diff)
	}
	return r
}

// wantHeader checks a header.
func (r response) wantHeader(name, want string) response {
	r.t.Helper()
	if got := r.Header.Get(name); got != want {
		r.t.Errorf("%s: %s is %q, want %q", r.what, name, got, want)
	}
	return r
}

// doc returns the body.
func (r response) doc() scim.Document {
	r.t.Helper()
	doc, err := scim.DecodeDocument([]byte(r.Body))
	if err != nil {
		r.t.Fatalf("%s: body %q: %v", r.what, r.Body, err)
	}
	return doc
}

// wantDoc checks the body, which want has as JSON.
func (r response) wantDoc(want string) response {
	r.t.Helper()
	doc, err := scim.DecodeDocument([]byte(want))
	if err != nil {
		r.t.Fatal(err)
	}
	if diff := cmp.Diff(doc, r.doc()); diff != "" {
		r.t.Errorf("%s: body (-want +got):\n%s", r.what, diff)
	}
	return r
}

// at returns what is in the body at a path such as Resources.0.id; nil when there is nothing.
func (r response) at(path string) any {
	r.t.Helper()
	var v any = map[string]any(r.doc())
	for name := range strings.SplitSeq(path, "/") {
		switch w := v.(type) {
		case map[string]any:
			v = w[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(w) {
				return nil
			}
			v = w[i]
		default:
			return nil
		}
	}
	return v
}

// wantAt checks what is in the body at a path such as emails/0/value.
func (r response) wantAt(path string, want any) response {
	r.t.Helper()
	if diff := cmp.Diff(want, r.at(path)); diff != "" {
		r.t.Errorf("%s: %s (-want +got):\n%s\nin %s", r.what, path, diff, r.Body)
	}
	return r
}

// wantIDs checks which resources a list has.
func (r response) wantIDs(want ...string) response {
	r.t.Helper()
	r.want(http.StatusOK)
	got := []string{}
	list, ok := r.at("Resources").([]any)
	if !ok {
		r.t.Fatalf("%s: no Resources in %s", r.what, r.Body)
	}
	for _, e := range list {
		id, _ := e.(map[string]any)["id"].(string)
		got = append(got, id)
	}
	if want == nil {
		want = []string{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("%s: ids (-want +got):\n%s", r.what, diff)
	}
	return r.wantAt("itemsPerPage", int64(len(got)))
}

// create creates a resource and returns its id.
func (s *service) create(path, body string) string {
	s.t.Helper()
	id, _ := s.send("POST", path, body).want(http.StatusCreated).at("id").(string)
	return id
}

func (s *service) user(userName string) string {
	s.t.Helper()
	return s.create("/Users", fmt.Sprintf(`{"userName":%q}`, userName))
}

// operations returns the body of a PATCH.
func operations(ops ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + strings.Join(ops, ",") + `]}`
}

func (s *service) patch(path string, ops ...string) response {
	s.t.Helper()
	return s.send("PATCH", path, operations(ops...))
}
