package client_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles"
)

// ignoreCause compares errors without what caused them.
var ignoreCause = cmpopts.IgnoreFields(scim.Error{}, "Err")

// newClient returns a client of a service that is a transport.
func newClient(t *testing.T, service http.RoundTripper, options ...client.Option) *client.Client {
	t.Helper()
	options = append([]client.Option{client.WithTransport(service)}, options...)
	c, err := client.New("https://service.example/scim/v2", options...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// transport is a service that is one function.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := f(r)
	if resp != nil && resp.Request == nil {
		resp.Request = r
	}
	return resp, err
}

// response is a SCIM answer.
func response(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {scim.ContentType}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	tests := []struct {
		name, url string
		option    client.Option
		want      string
	}{
		{"no URL", "", nil, "it has no host"},
		{"no host", "https:///scim", nil, "it has no host"},
		{"relative", "scim/v2", nil, "it has no host"},
		{"http", "http://service.example/scim", nil, "http would send the credential in the clear"},
		{"another scheme", "ftp://service.example/", nil, `the scheme is "ftp"`},
		{"password in the URL", "https://admin:hunter2@service.example/", nil, "use WithBasicAuth instead"},
		{"fragment", "https://service.example/#users", nil, "fragment"},
		{"empty token", "https://service.example/", client.WithBearerToken(" \n"), "token is empty"},
		{"token with a line break", "https://service.example/", client.WithBearerToken("hunter\r\n2"), "cannot be in an HTTP header"},
		{"header with an odd name", "https://service.example/", client.WithHeader("X Key", "hunter2"), "cannot be in an HTTP header"},
		{"user name with a colon", "https://service.example/", client.WithBasicAuth("a:b", "hunter2"), "colon"},
		{"negative rate", "https://service.example/", client.WithRate(-1, 0), "negative"},
		{"no timeout", "https://service.example/", client.WithTimeout(0), "positive"},
		{"not a URL", "https://service.example:hunter2/", nil, "not a URL"},
		{"header without a value", "https://service.example/", client.WithHeader("X-Key", ""), "cannot be in an HTTP header"},
		{"user agent with a line break", "https://service.example/", client.WithUserAgent("a\r\nb"), "user agent"},
		{"no size", "https://service.example/", client.WithMaxResponse(0), "positive"},
		{"no concurrency", "https://service.example/", client.WithConcurrency(0), "positive"},
		{"no page size", "https://service.example/", client.WithPageSize(-1), "positive"},
		{"rate limit of nothing", "https://service.example/", client.WithRateLimits(profiles.RateLimit{Requests: 1}), "positive"},
		{"no HTTP client", "https://service.example/", client.WithHTTPClient(nil), "nil"},
		{"no transport", "https://service.example/", client.WithTransport(nil), "nil"},
		{"no TLS configuration", "https://service.example/", client.WithTLS(nil), "nil"},
		{"no middleware", "https://service.example/", client.WithMiddleware(nil), "nil"},
		{"no clock", "https://service.example/", client.WithClock(nil), "nil"},
		{"no randomness", "https://service.example/", client.WithRandom(nil), "nil"},
		{"no logger", "https://service.example/", client.WithLogger(nil), "nil"},
		{"no token source", "https://service.example/", client.WithTokenSource[*token](nil), "nil"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var options []client.Option
			if tt.option != nil {
				options = append(options, tt.option)
			}
			_, err := client.New(tt.url, options...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one with %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter") {
				t.Errorf("the error holds a secret: %v", err)
			}
		})
	}
}

func TestURLs(t *testing.T) {
	tests := []struct {
		name, base, want string
		options          []client.Option
	}{
		{name: "without slash", base: "https://service.example/scim/v2", want: "https://service.example/scim/v2/Users/a%2Fb%3Fc"},
		{name: "with slash", base: "https://service.example/scim/v2/", want: "https://service.example/scim/v2/Users/a%2Fb%3Fc"},
		{
			name: "with flag", base: "https://service.example/scim?aadOptscim062020",
			want: "https://service.example/scim/Users/a%2Fb%3Fc?aadOptscim062020",
		},
		{name: "escaped path", base: "https://service.example/a%2Fb/", want: "https://service.example/a%2Fb/Users/a%2Fb%3Fc"},
		{name: "loopback over http", base: "http://127.0.0.1:8080", want: "http://127.0.0.1:8080/Users/a%2Fb%3Fc"},
		{
			name: "http when asked for", base: "http://service.example", options: []client.Option{client.WithInsecureHTTP()},
			want: "http://service.example/Users/a%2Fb%3Fc",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			options := append(tt.options, client.WithTransport(transport(func(r *http.Request) (*http.Response, error) {
				got = r.URL.String()
				return response(http.StatusOK, `{"id":"a/b?c"}`), nil
			})))
			c, err := client.New(tt.base, options...)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Users().Get(t.Context(), "a/b?c"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("URL (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIDsThatWouldNameAnotherResourceAreRefused(t *testing.T) {
	c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
		t.Errorf("sent %s %s", r.Method, r.URL)
		return response(http.StatusNoContent, ""), nil
	}))
	for _, id := range []string{"", ".", ".."} {
		if err := c.Users().Delete(t.Context(), id); err == nil {
			t.Errorf("id %q was accepted", id)
		}
	}
}
