package client_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles"
)

func TestErrorsAreReadInWhateverFormTheyCome(t *testing.T) {
	tests := []struct {
		name, kind, body string
		status           int
		want             scim.Error
	}{
		{
			name: "SCIM", status: 409,
			body: `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"scimType":"uniqueness","detail":"taken","status":"409"}`,
			want: scim.Error{Status: 409, Type: scim.Uniqueness, Detail: "taken"},
		},
		{name: "status as a number", status: 400, body: `{"detail":"no","status":400}`, want: scim.Error{Status: 400, Detail: "no"}},
		{name: "nulls", status: 400, body: `{"schemas":null,"detail":null,"scimType":null,"status":null}`, want: scim.Error{Status: 400}},
		{name: "status that contradicts", status: 403, body: `{"detail":"no","status":"200"}`, want: scim.Error{Status: 403, Detail: "no"}},
		{name: "names in another case", status: 400, body: `{"Detail":"no","ScimType":"invalidValue"}`, want: scim.Error{Status: 400, Type: scim.InvalidValue, Detail: "no"}},
		{name: "a name twice", status: 400, body: `{"detail":"no","detail":"no"}`, want: scim.Error{Status: 400, Detail: "no"}},
		{
			name: "problem details", status: 401, kind: "application/problem+json",
			body: `{"type":"https://api.example/problems/x","title":"Unauthorized","detail":"check the key","status":401}`,
			want: scim.Error{Status: 401, Detail: "check the key"},
		},
		{
			name: "Postman's platform", status: 404, body: `{"error":{"name":"NotFound","message":"no such route"},"status":"error"}`,
			want: scim.Error{Status: 404, Detail: "no such route"},
		},
		{
			name: "OAuth", status: 401, body: `{"error":"invalid_token","error_description":"it has expired"}`,
			want: scim.Error{Status: 401, Detail: "it has expired"},
		},
		{
			name: "SCIM 1.1", status: 404, body: `{"Errors":[{"description":"Resource 1 not found","code":"404"}]}`,
			want: scim.Error{Status: 404, Detail: "Resource 1 not found"},
		},
		{
			name: "a web page", status: 403, kind: "text/html; charset=utf-8",
			body: "<html><head><title>Sign in &amp;\n continue</title></head><body>…", want: scim.Error{Status: 403, Detail: "a web page titled Sign in & continue"},
		},
		{name: "a page without title", status: 403, body: "<p>no</p>", want: scim.Error{Status: 403, Detail: "a web page"}},
		{name: "text", status: 400, kind: "text/plain", body: "no\r\nway\x1b[31m", want: scim.Error{Status: 400, Detail: "no  way [31m"}},
		{name: "nothing", status: 400, body: "", want: scim.Error{Status: 400}},
		{name: "broken JSON", status: 400, body: `{"detail":"no`, want: scim.Error{Status: 400, Detail: `{"detail":"no`}},
		{name: "deep JSON", status: 400, body: strings.Repeat("[", 60000), want: scim.Error{Status: 400, Detail: strings.Repeat("[", 1000) + "…"}},
		{name: "invalid UTF-8", status: 400, body: "{\"detail\":\"a\xff\"}", want: scim.Error{Status: 400, Detail: "a\uFFFD"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
				resp := response(tt.status, tt.body)
				if tt.kind != "" {
					resp.Header.Set("Content-Type", tt.kind)
				}
				return resp, nil
			}))
			_, err := c.Users().Get(t.Context(), "1")
			got, ok := errors.AsType[*scim.Error](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			want := tt.want
			want.Method, want.Path, want.Attempts = "GET", "/Users/1", 1
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnswersThatAreNoResource(t *testing.T) {
	tests := []struct{ name, kind, body, want string }{
		{"a web page", "text/html", "<html>sign in</html>", "a web page instead of JSON"},
		{"a web page that calls itself JSON", "application/json", "<html>sign in</html>", "a web page instead of JSON"},
		{"text", "text/plain", "OK", `"text/plain" instead of JSON`},
		{"nothing", "application/json", "", "empty"},
		{"truncated JSON", "application/json", `{"id":"1","userName":"a`, "cannot be read"},
		{"text of no type", "", "OK", "it is not JSON"},
		{"an array", "application/json", `[]`, "another type than it should be: an array"},
		{"a number", "application/json", ` 1`, "another type than it should be: a number"},
		{"null", "application/json", `null`, "no id"},
		{"what has no id", "application/json", `{"message":"maintenance"}`, "no id"},
		{"a name that is a number", "application/json", `{"id":"1","userName":1}`, "/userName is of another type than it should be: a number"},
		{"a name twice", "application/json", `{"id":"1","id":"2"}`, "cannot be read"},
		{"more than allowed", "application/json", `{"id":"` + strings.Repeat("x", 2000) + `"}`, "longer than 1000 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
				n++
				resp := response(http.StatusOK, tt.body)
				resp.Header.Set("Content-Type", tt.kind)
				return resp, nil
			}), client.WithMaxResponse(1000))
			user, err := c.Users().Get(t.Context(), "1")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if n != 1 {
				t.Errorf("%d requests for what is the same each time", n)
			}
			if tt.name == "truncated JSON" && user.ID != "" {
				t.Errorf("a part of a resource was returned: %v", user)
			}
		})
	}
}

// An answer that is not a list, or not the service's, must not be taken for a service without users, or for a change that was made.
func TestAnswersFromWhatStandsInBetween(t *testing.T) {
	list := func(c *client.Client, ctx context.Context) error {
		for _, err := range c.Users().List(ctx, client.Query{}) {
			return err
		}
		return nil
	}
	find := func(c *client.Client, ctx context.Context) error {
		_, err := c.Users().Find(ctx, "userName", "a")
		return err
	}
	types := func(c *client.Client, ctx context.Context) error {
		_, err := c.ResourceTypes(ctx)
		return err
	}
	config := func(c *client.Client, ctx context.Context) error {
		_, err := c.ServiceProviderConfig(ctx)
		return err
	}
	del := func(c *client.Client, ctx context.Context) error { return c.Users().Delete(ctx, "1") }
	patch := func(c *client.Client, ctx context.Context) error {
		_, err := c.Users().Patch(ctx, "1", []scim.PatchOperation{{Op: scim.OpReplace, Path: "active", Value: false}})
		return err
	}
	const page = "<html><title>Sign in</title></html>"
	for name, test := range map[string]struct {
		call   func(*client.Client, context.Context) error
		status int
		body   string
		want   string // part of the error, empty for none
	}{
		"list: an object":                      {list, 200, `{"message":"maintenance"}`, "it is no list"},
		"list: null":                           {list, 200, `null`, "it is no list"},
		"list: empty, with its schema":         {list, 200, `{"schemas":["URN:ietf:params:scim:api:messages:2.0:ListResponse"]}`, ""},
		"find: an object":                      {find, 200, `{}`, "it is no list"},
		"resource types: an object":            {types, 200, `{}`, "it is no list"},
		"what the service supports: an object": {config, 200, `{"message":"maintenance"}`, "it is no ServiceProviderConfig"},
		"what the service supports: null":      {config, 200, `null`, "it is no ServiceProviderConfig"},
		"what the service supports: PATCH":     {config, 200, `{"patch":{"supported":true}}`, ""},
		"delete: a web page":                   {del, 200, page, "it is a web page"},
		"delete: a word":                       {del, 200, `deleted`, ""},
		"delete: another protocol":             {del, 101, ``, "101"},
		"change: a web page":                   {patch, 200, page, "it is a web page"},
		"change: JSON without resource":        {patch, 200, `{"status":"ok"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, transport(func(*http.Request) (*http.Response, error) { return response(test.status, test.body), nil }))
			err := test.call(c, t.Context())
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestAnswersToChangesWithoutTheResource(t *testing.T) {
	c := newClient(t, transport(func(*http.Request) (*http.Response, error) { return response(http.StatusOK, `{"status":"ok"}`), nil }))
	given := scim.User{ID: "1", UserName: "a"}
	if got, err := c.Users().Replace(t.Context(), "1", given); err != nil || got.UserName != "a" {
		t.Errorf("replace: %v, %v", got, err)
	}
	if got, err := c.Users().Patch(t.Context(), "1", []scim.PatchOperation{{Op: scim.OpReplace, Path: "active", Value: false}}); err != nil || got != nil {
		t.Errorf("patch: %v, %v", got, err)
	}
	changed := given
	changed.DisplayName = "A"
	c, err := client.New("https://service.example", client.WithProfile(profiles.Generic()), client.WithTransport(
		transport(func(*http.Request) (*http.Response, error) { return response(http.StatusOK, `{}`), nil })))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Users().Update(t.Context(), given, changed); err != nil || got.ID != "1" || got.DisplayName != "A" {
		t.Errorf("update: %v, %v", got, err)
	}
}

// A proxy that mixes up answers, or a service that redirects to itself, gives a resource that is another one's.
func TestAnswersWithAnotherResource(t *testing.T) {
	c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
		return response(http.StatusOK, `{"id":"B","userName":"b@example.com"}`), nil
	}))
	given := scim.User{ID: "a", UserName: "a@example.com"}
	changed := given
	changed.DisplayName = "A"
	if got, err := c.Users().Get(t.Context(), "a"); err == nil {
		t.Errorf("get: %v", got)
	}
	if got, err := c.Users().Get(t.Context(), "b"); err != nil || got.ID != "B" {
		t.Errorf("get in another case: %v, %v", got, err)
	}
	operations := []scim.PatchOperation{{Op: scim.OpReplace, Path: "displayName", Value: "A"}}
	if got, err := c.Users().Patch(t.Context(), "a", operations); err != nil || got != nil {
		t.Errorf("patch: %v, %v", got, err)
	}
	if got, err := c.Users().Replace(t.Context(), "a", changed); err != nil || got.UserName != given.UserName {
		t.Errorf("replace: %v, %v", got, err)
	}
	c = newClient(t, transport(func(*http.Request) (*http.Response, error) {
		return response(http.StatusOK, `{"id":"b","userName":"b@example.com"}`), nil
	}), client.WithProfile(&profiles.Profile{Resources: []profiles.Resource{
		{Name: "User", Endpoint: "/Users", Operations: []profiles.Operation{profiles.Replace}},
	}}))
	if got, err := c.Users().Update(t.Context(), given, changed); err != nil || got.ID != "a" {
		t.Errorf("update: %v, %v", got, err)
	}
}

// What is no resource is not one of a type that the caller brings either.
func TestAnswersThatAreNoResourceOfAnyType(t *testing.T) {
	type device struct {
		Name string `json:"name"`
	}
	for _, body := range []string{`{"totalResults":0,"Resources":[]}`, `null`, `{}`, `{"id":null,"name":"x"}`, `{"id":"","name":"x"}`} {
		c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
			return response(http.StatusOK, body), nil
		}), client.WithRetry(client.Retry{Attempts: 1}))
		devices := client.For[device](c, scim.ResourceType{Name: "Device", Endpoint: "/Devices"}, nil)
		if got, err := devices.Get(t.Context(), "1"); err == nil {
			t.Errorf("get of %s: %v", body, got)
		}
		if got, err := devices.Create(t.Context(), device{"x"}); !errors.Is(err, client.ErrOutcomeUnknown) {
			t.Errorf("create answered with %s: %v, %v", body, got, err)
		}
	}
}

// A line break is not a resource either.
func TestAnswersOfWhiteSpaceAreEmpty(t *testing.T) {
	c := newClient(t, transport(func(*http.Request) (*http.Response, error) { return response(http.StatusOK, "\r\n"), nil }))
	given := scim.User{ID: "1", UserName: "a@example.com"}
	changed := given
	changed.DisplayName = "A"
	if got, err := c.Users().Patch(t.Context(), "1", []scim.PatchOperation{{Op: scim.OpReplace, Path: "displayName", Value: "A"}}); err != nil || got != nil {
		t.Errorf("patch: %v, %v", got, err)
	}
	if got, err := c.Users().Replace(t.Context(), "1", given); err != nil || got.UserName != given.UserName {
		t.Errorf("replace: %v, %v", got, err)
	}
	put := client.WithProfile(&profiles.Profile{Resources: []profiles.Resource{
		{Name: "User", Endpoint: "/Users", Operations: []profiles.Operation{profiles.Replace}},
	}})
	c = newClient(t, transport(func(*http.Request) (*http.Response, error) { return response(http.StatusOK, "\n"), nil }), put)
	if got, err := c.Users().Update(t.Context(), given, changed); err != nil || got.DisplayName != "A" {
		t.Errorf("update: %v, %v", got, err)
	}
}

// The texts of a service are cut to a bounded length. What is cut must not be a credential of which a part is left.
func TestCredentialsAreTakenOutBeforeTextsAreCut(t *testing.T) {
	for before := 980; before <= 1000; before++ {
		c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
			return response(http.StatusBadRequest, `{"detail":"`+strings.Repeat("x", before)+secret+`"}`), nil
		}), client.WithHeader("X-API-Key", secret))
		if _, err := c.Users().Get(t.Context(), "1"); strings.Contains(err.Error(), secret[:6]) {
			t.Fatalf("after %d bytes: %v", before, err)
		}
	}
}

// A service repeats a credential in the parts that it takes it apart into, and anywhere in an answer.
func TestCredentialsAreTakenOutOfAllParts(t *testing.T) {
	basic := base64.StdEncoding.EncodeToString([]byte("admin:" + secret))
	tests := []struct {
		name       string
		credential client.Option
		body       string
		secret     string
	}{
		{"scimType", client.WithBearerToken(secret), `{"scimType":"` + secret + `","detail":"no"}`, secret},
		{"user name and password together", client.WithBasicAuth("admin", secret), `{"detail":"unknown: ` + basic + `"}`, basic},
		{"header without its scheme", client.WithHeader("Authorization", "Token "+secret), `{"detail":"unknown: ` + secret + `"}`, secret},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
				return response(http.StatusBadRequest, tt.body), nil
			}), tt.credential)
			if _, err := c.Users().Get(t.Context(), "1"); strings.Contains(err.Error(), tt.secret) {
				t.Error(err)
			}
		})
	}
}

// What a hook answers need not say which request it is to.
func TestRedirectsOfHooks(t *testing.T) {
	for _, to := range []string{"https://elsewhere.example/x", "/moved", ""} {
		c := newClient(t, transport(func(*http.Request) (*http.Response, error) { return response(http.StatusOK, `{"id":"1"}`), nil }),
			client.WithMiddleware(func(http.RoundTripper) http.RoundTripper {
				return transport(func(*http.Request) (*http.Response, error) {
					resp := response(http.StatusFound, "")
					resp.Header.Set("Location", to)
					return resp, nil
				})
			}))
		if _, err := c.Users().Get(t.Context(), "1"); err == nil || !strings.Contains(err.Error(), "redirect") {
			t.Errorf("%q: %v", to, err)
		}
	}
}

// serial is a source that has another token each time.
type serial struct{ n int }

func (s *serial) Token() (named, error) {
	s.n++
	return named(fmt.Sprintf("%s-%d", secret, s.n)), nil
}

// The answer to a request may come when others have been sent with newer tokens.
func TestTokensOfEarlierRequestsAreTakenOut(t *testing.T) {
	first := true
	var c *client.Client
	c = newClient(t, transport(func(r *http.Request) (*http.Response, error) {
		if !first {
			return response(http.StatusNotFound, `{}`), nil
		}
		first = false
		c.Users().Get(t.Context(), "2")
		return response(http.StatusBadRequest, `{"detail":"unknown: `+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")+`"}`), nil
	}), client.WithTokenSource(&serial{}))
	if _, err := c.Users().Get(t.Context(), "1"); strings.Contains(err.Error(), secret) {
		t.Error(err)
	}
}

func TestCredentialsInValuesStayOutOfCauses(t *testing.T) {
	c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
		return response(http.StatusOK, `{"id":"1","meta":{"created":"`+secret+`"}}`), nil
	}), client.WithHeader("X-API-Key", secret))
	_, err := c.Users().Get(t.Context(), "1")
	if err == nil {
		t.Fatal("a date that is none was read")
	}
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%T: %v", err, err)
		}
	}
}

const secret = "sk-Very+Secret/0123456789=="

// TestCredentialsAreSentToTheServiceOnly leads a client with every kind of credential into redirects.
func TestCredentialsAreSentToTheServiceOnly(t *testing.T) {
	var other []http.Header
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		other = append(other, r.Header)
		answer(w, http.StatusOK, scim.Document{"id": "1"})
	}))
	defer thief.Close()
	target := ""
	code := http.StatusTemporaryRedirect
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			answer(w, http.StatusOK, scim.Document{"id": "1", "nickName": r.Header.Get("Authorization")})
			return
		}
		http.Redirect(w, r, target, code)
	}))
	defer service.Close()

	for name, credential := range map[string]client.Option{
		"bearer": client.WithBearerToken(secret),
		"basic":  client.WithBasicAuth("admin", secret),
		"header": client.WithHeader("Authorization", secret),
		"source": client.WithTokenSource(source{}),
	} {
		c, err := client.New(service.URL, credential)
		if err != nil {
			t.Fatal(err)
		}
		for _, code = range []int{301, 302, 303, 307, 308} {
			for _, target = range []string{thief.URL + "/x?y=z", strings.Replace(thief.URL, "127.0.0.1", "localhost", 1), "//" + strings.TrimPrefix(thief.URL, "http://")} {
				_, err := c.Users().Get(t.Context(), "1")
				if err == nil || !strings.Contains(err.Error(), "redirect to another host") {
					t.Errorf("%s, %d to %s: error %v", name, code, target, err)
				}
				if _, err := c.Users().Create(t.Context(), scim.User{UserName: "a"}); err == nil {
					t.Errorf("%s: a create was redirected", name)
				}
			}
		}
		code, target = http.StatusPermanentRedirect, "/moved"
		user, err := c.Users().Get(t.Context(), "1")
		if err != nil || user.NickName == "" {
			t.Errorf("%s: a redirect within the service: %v, %v", name, user.NickName, err)
		}
		code, target = http.StatusFound, "/moved"
		if _, err := c.Users().Create(t.Context(), scim.User{UserName: "a"}); err == nil {
			t.Errorf("%s: a create became a read by a redirect", name)
		}
	}
	if len(other) > 0 {
		t.Errorf("another host got %d requests: %v", len(other), other[0])
	}
}

// source is shaped like an oauth2.TokenSource.
type source struct{}

func (source) Token() (*token, error) { return &token{}, nil }

type token struct{}

func (*token) SetAuthHeader(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) }

func TestCredentialsStayOutOfErrorsAndLogs(t *testing.T) {
	basic := base64.StdEncoding.EncodeToString([]byte("admin:" + secret))
	for name, credential := range map[string]client.Option{
		"bearer": client.WithBearerToken(secret),
		"basic":  client.WithBasicAuth("admin", secret),
		"header": client.WithHeader("X-API-Key", secret),
		"source": client.WithTokenSource(source{}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				n := 0
				hooked := ""
				c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
					n++
					sent := r.Header.Get("Authorization") + r.Header.Get("X-API-Key")
					if sent == "" {
						t.Error("the request was sent without credential")
					}
					if n%2 == 0 {
						return nil, fmt.Errorf("proxy: refused with header %s", sent)
					}
					resp := response(http.StatusServiceUnavailable, `{"detail":"bad credential `+sent+`"}`)
					resp.Request = r // as http.Transport does
					return resp, nil
				}), credential,
					client.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
					client.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
						return transport(func(r *http.Request) (*http.Response, error) {
							hooked += fmt.Sprint(r.Header)
							resp, err := next.RoundTrip(r)
							if err == nil {
								hooked += fmt.Sprint(resp.Request.Header)
							}
							return resp, err
						})
					}))
				texts := map[string]string{"client %v": fmt.Sprintf("%v", c), "client %+v": fmt.Sprintf("%+v", c), "client %#v": fmt.Sprintf("%#v", c)}
				for i := range 2 {
					_, err := c.Users().Get(t.Context(), "1")
					if i == 1 {
						c, _ = client.New("https://service.example", credential, client.WithRetry(client.Retry{Attempts: 1}))
					}
					texts[fmt.Sprintf("error %d", i)] = fmt.Sprintf("%v %+v", err, err)
					for e := err; e != nil; e = errors.Unwrap(e) {
						texts[fmt.Sprintf("error %d", i)] += e.Error()
					}
				}
				texts["log"], texts["hook"] = log.String(), hooked
				for where, text := range texts {
					for _, s := range []string{secret, basic} {
						if strings.Contains(text, s) {
							t.Errorf("%s holds the secret: %s", where, text)
						}
					}
				}
				if !strings.Contains(log.String(), "method=GET") {
					t.Errorf("log: %s", log.String())
				}
			})
		})
	}
}

func TestTokenSourceError(t *testing.T) {
	c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
		t.Error("sent without a token")
		return ok()
	}), client.WithTokenSource(brokenSource{}))
	_, err := c.Users().Get(t.Context(), "1")
	if !errors.Is(err, errNoToken) {
		t.Errorf("error %v", err)
	}
}

var errNoToken = errors.New("no token to be had")

type brokenSource struct{}

func (brokenSource) Token() (*token, error) { return nil, errNoToken }

// rotating is a token source that has a token for each of its names. It goes on to the next by itself, or when it is told to.
type rotating struct {
	names    []string
	asked    int
	refused  []string
	byItself bool
}

func (s *rotating) Token() (named, error) {
	s.asked++
	name := s.names[0]
	if s.byItself && len(s.names) > 1 {
		s.names = s.names[1:]
	}
	return named(name), nil
}

type named string

func (n named) SetAuthHeader(r *http.Request) { r.Header.Set("Authorization", "Bearer "+string(n)) }

// forgetful is one that is told which tokens were refused.
type forgetful struct{ rotating }

func (s *forgetful) Invalidate(n named) {
	s.refused = append(s.refused, string(n))
	if len(s.names) > 1 {
		s.names = s.names[1:]
	}
}

func TestRefusedTokensAreRenewedOnce(t *testing.T) {
	for name, test := range map[string]struct {
		source interface{ Token() (named, error) }
		retry  client.Retry
		want   []string // the tokens that were sent
		fails  bool
	}{
		"the source has a new one":               {source: &rotating{names: []string{"old", "good"}, byItself: true}, want: []string{"old", "good"}},
		"the source is told, and gets a new one": {source: &forgetful{rotating{names: []string{"old", "good"}}}, want: []string{"old", "good"}},
		"the source has the same still":          {source: &rotating{names: []string{"old"}}, want: []string{"old"}, fails: true},
		"the source is told, and has no other":   {source: &forgetful{rotating{names: []string{"old"}}}, want: []string{"old"}, fails: true},
		"the new one is refused, too":            {source: &forgetful{rotating{names: []string{"old", "older", "good"}}}, want: []string{"old", "older"}, fails: true},
		"never twice": {
			source: &forgetful{rotating{names: []string{"old", "good"}}}, retry: client.Retry{Attempts: 1}, want: []string{"old"}, fails: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var sent, bodies []string
			c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				sent, bodies = append(sent, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")), append(bodies, string(body))
				if sent[len(sent)-1] != "good" {
					return response(http.StatusUnauthorized, `{"detail":"expired"}`), nil
				}
				return response(http.StatusCreated, `{"id":"1","userName":"a"}`), nil
			}), client.WithTokenSource(test.source), client.WithRetry(test.retry))
			_, err := c.Users().Create(t.Context(), scim.User{UserName: "a"})
			if test.fails != errors.Is(err, scim.ErrUnauthorized) || !test.fails && err != nil {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(test.want, sent); diff != "" {
				t.Errorf("tokens sent (-want +got):\n%s", diff)
			}
			if bodies[0] != bodies[len(bodies)-1] || bodies[0] == "" {
				t.Errorf("bodies %q", bodies)
			}
		})
	}
}
