package client_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/filter"
)

// FuzzAnswers gives a client whatever a service, or something that takes its place, may answer. No call may panic or go on for ever,
// and what an error says must be one printable line of bounded length.
func FuzzAnswers(f *testing.F) {
	f.Add(200, `{"totalResults":1,"Resources":[{"id":"1","userName":"a"}]}`, "application/scim+json", "300;w=60", "1")
	f.Add(200, `[{"id":"1"}]`, "application/json", `"default";r=0;t=1`, "Wed, 21 Oct 2015 07:28:00 GMT")
	f.Add(429, `{"schemas":null,"status":429,"detail":"a\u2028b"}`, "application/problem+json", "limit=1, remaining=0, reset=1", "-1")
	f.Add(500, "<html><title>\x1b[31m</title>", "text/html", "x;w=99999999999999999999", "99999999999999999999")
	f.Add(301, "", "", "", "")
	f.Add(308, "", "", strings.Repeat("\xbf\n\"", 400), "0")
	f.Fuzz(func(t *testing.T, status int, body, kind, rate, retry string) {
		if status < 200 || status > 599 {
			return
		}
		n := 0
		c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
			if n++; n > 100 {
				t.Fatal("it does not end")
			}
			resp := response(status, body)
			resp.Header = http.Header{
				"Content-Type": {kind}, "Ratelimit": {rate}, "Ratelimit-Policy": {rate}, "X-Ratelimit-Reset": {retry}, "Retry-After": {retry},
				"Location": {rate},
			}
			return resp, nil
		}), client.WithClock(&instantClock{}))
		_, get := c.Users().Get(t.Context(), "1")
		_, find := c.Groups().Find(t.Context(), "displayName", "x")
		_, created := c.Users().Create(t.Context(), scim.User{UserName: "a"})
		var list error
		for _, err := range c.Documents("User").List(t.Context(), client.Query{Filter: filter.Pr("userName"), Limit: 1000}) {
			list = err
		}
		_, types := c.ResourceTypes(t.Context())
		for _, err := range []error{get, find, created, list, types} {
			e, ok := errors.AsType[*scim.Error](err)
			if err != nil && !ok {
				t.Errorf("error of type %T: %v", err, err)
			}
			if ok && (len(e.Detail) > 2500 || !utf8.ValidString(e.Detail) || strings.IndexFunc(e.Detail, unicode.IsControl) >= 0) {
				t.Errorf("detail %q", e.Detail)
			}
		}
	})
}
