package server_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

type spanKey struct{}

// tracedStore tells of the span that each read belongs to, and panics when asked for the user boom.
type tracedStore struct {
	server.Store
	tell func(string)
}

func (s tracedStore) Get(ctx context.Context, key server.Key, omit ...string) (server.Resource, error) {
	if key.ID == "boom" {
		panic("boom")
	}
	s.tell("store in " + fmt.Sprint(ctx.Value(spanKey{})))
	return s.Store.Get(ctx, key, omit...)
}

// Every request is observed once, with the status that the client gets, and the store and the hooks work in the context of the observer.
func TestObserve(t *testing.T) {
	var calls []string
	tell := func(text string) { calls = append(calls, text) }
	unobserved := false
	s := newServiceOn(t, tracedStore{memory.New(), tell}, func(o *server.Options) {
		o.Authenticator = server.AuthenticatorFunc(func(r *http.Request) (server.Identity, error) {
			if r.Header.Get("X-Stranger") != "" {
				return server.Identity{}, server.ErrUnauthenticated
			}
			return server.Identity{Tenant: "acme"}, nil
		})
		o.Hooks = server.Hooks{
			Observe: func(ctx context.Context, info server.RequestInfo) (context.Context, func(int)) {
				span := info.Operation + " " + info.ResourceType
				if info.Identity != (server.Identity{}) || info.Request == nil || info.ID == "" {
					t.Errorf("info %+v", info)
				}
				if unobserved {
					return ctx, nil
				}
				return context.WithValue(ctx, spanKey{}, span), func(status int) { tell(fmt.Sprintf("%s ends with %d", span, status)) }
			},
			BeforeDelete: func(ctx context.Context, _ *server.Change) error {
				info, _ := server.Info(ctx)
				tell("hook in " + fmt.Sprint(ctx.Value(spanKey{})) + " for " + info.Identity.Tenant)
				return nil
			},
			OnRead: func(_ context.Context, _ server.Key, doc scim.Document) (scim.Document, error) {
				return doc, nil
			},
		}
	})
	id := s.user("a")
	for _, tt := range []struct {
		method, path, body string
		header             []string
		want               []string
	}{
		{"GET", "/Users/" + id, "", nil, []string{"store in read User", "read User ends with 200"}},
		{"GET", "/Users/none", "", nil, []string{"store in read User", "read User ends with 404"}},
		{"GET", "/Users/" + id, "", []string{"X-Stranger", "1"}, []string{"read User ends with 401"}},
		{"GET", "/Users/boom", "", nil, []string{"read User ends with 500"}},
		{"POST", "/Users", `{"userName":`, nil, []string{"create User ends with 400"}},
		{"PUT", "/Users", `{}`, nil, []string{"unknown User ends with 405"}},
		{"HEAD", "/Users", "", nil, []string{"list User ends with 200"}},
		{"POST", "/", `{}`, nil, []string{"unknown  ends with 405"}},
		{"POST", "/Users/1", `{}`, nil, []string{"unknown User ends with 405"}},
		{"GET", "/Users/.search", "", nil, []string{"unknown User ends with 405"}},
		{"GET", "/Bulk", "", nil, []string{"unknown  ends with 405"}},
		{"DELETE", "/Schemas", "", nil, []string{"unknown  ends with 405"}},
		{"POST", "/.search", `{}`, nil, []string{"search  ends with 200"}},
		{"GET", "/Nothing", "", nil, []string{"unknown  ends with 404"}},
		{"GET", "/Schemas", "", nil, []string{"discover  ends with 200"}},
		{
			"POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"DELETE","path":"/Users/` + id + `"}]}`,
			nil,
			[]string{"store in bulk ", "hook in bulk  for acme", "bulk  ends with 200"},
		},
		{"DELETE", "/Users/" + id, "", nil, []string{"store in delete User", "delete User ends with 404"}},
	} {
		calls = nil
		s.send(tt.method, tt.path, tt.body, tt.header...)
		if diff := cmp.Diff(tt.want, calls); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.method, tt.path, diff)
		}
	}
	unobserved = true
	s.get("/Users").want(200)
}
