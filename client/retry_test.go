package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles"
)

// script is a service that answers each request with the next of its answers, and the last one from then on. It remembers when
// requests came.
type script struct {
	answers []func() (*http.Response, error)
	at      []time.Duration
	log     []string
	begin   time.Time
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.begin.IsZero() {
		s.begin = time.Now()
	}
	if r.Body != nil {
		io.Copy(io.Discard, r.Body)
	}
	s.at = append(s.at, time.Since(s.begin))
	s.log = append(s.log, r.Method+" "+strings.TrimPrefix(r.URL.Path, "/scim/v2"))
	next := s.answers[min(len(s.at), len(s.answers))-1]
	resp, err := next()
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

func status(code int, headers ...string) func() (*http.Response, error) {
	return body(code, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"detail":"no"}`, headers...)
}

func body(code int, text string, headers ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		resp := response(code, text)
		for i := 0; i < len(headers); i += 2 {
			resp.Header.Set(headers[i], headers[i+1])
		}
		return resp, nil
	}
}

func broken(err error) func() (*http.Response, error) {
	return func() (*http.Response, error) { return nil, err }
}

// cut answers with the first bytes of a body and then an error.
func cut(code int, text string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		resp := response(code, text)
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(text), errorReader{syscall.ECONNRESET}))
		return resp, nil
	}
}

type errorReader struct{ error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.error }

var (
	ok      = body(http.StatusOK, `{"id":"1","userName":"a@example.com"}`)
	created = body(http.StatusCreated, `{"id":"1","userName":"a@example.com"}`)
	reset   = broken(&net.OpError{Op: "read", Err: syscall.ECONNRESET})
	noDial  = broken(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
)

// noJitter makes every wait the longest it can be.
var noJitter = client.WithRandom(func() float64 { return 1 })

func TestRetries(t *testing.T) {
	get := func(c *client.Client, ctx context.Context) error {
		_, err := c.Users().Get(ctx, "1")
		return err
	}
	put := func(c *client.Client, ctx context.Context) error {
		_, err := c.Users().Replace(ctx, "1", scim.User{UserName: "a@example.com"})
		return err
	}
	del := func(c *client.Client, ctx context.Context) error { return c.Users().Delete(ctx, "1") }
	date := func(d time.Duration) string {
		// A bubble begins at this time.
		return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(d).Format(http.TimeFormat)
	}
	tests := []struct {
		name    string
		call    func(*client.Client, context.Context) error
		answers []func() (*http.Response, error)
		options []client.Option
		at      []time.Duration // of the requests
		want    error           // nil for success
	}{
		{
			name: "429 with seconds", call: get,
			answers: []func() (*http.Response, error){status(429, "Retry-After", "7"), ok},
			at:      []time.Duration{0, 7 * time.Second},
		},
		{
			name: "proxy without an answer", call: put,
			answers: []func() (*http.Response, error){status(520, "Retry-After", "7"), status(522, "Retry-After", "7"), ok},
			at:      []time.Duration{0, 7 * time.Second, 14 * time.Second},
		},
		{
			name: "proxy that trusts no certificate", call: put,
			answers: []func() (*http.Response, error){status(526)},
			at:      []time.Duration{0}, want: &scim.Error{Status: 526},
		},
		{
			name: "429 with a date", call: get,
			answers: []func() (*http.Response, error){status(429, "Retry-After", date(9*time.Second)), ok},
			at:      []time.Duration{0, 9 * time.Second},
		},
		{
			name: "429 with a date by the service's own clock", call: get,
			answers: []func() (*http.Response, error){
				status(429, "Retry-After", date(time.Hour+9*time.Second), "Date", date(time.Hour)), ok,
			},
			at: []time.Duration{0, 9 * time.Second},
		},
		{
			name: "429 with a field of Postman's", call: get,
			answers: []func() (*http.Response, error){status(429, "X-RateLimit-RetryAfter", "5"), ok},
			at:      []time.Duration{0, 5 * time.Second},
		},
		{
			name: "429 without a word, and a profile that knows", call: get,
			answers: []func() (*http.Response, error){status(429), ok},
			options: []client.Option{client.WithProfile(&profiles.Profile{Errors: profiles.Errors{RetryAfterSeconds: 60}})},
			at:      []time.Duration{0, time.Minute},
		},
		{
			name: "429 hidden in a 500", call: get,
			answers: []func() (*http.Response, error){
				body(500, `{"detail":"Error 429: exceeded"}`, "Retry-After", "3"), body(500, `{"detail":"Error 429: exceeded"}`, "Retry-After", "3"), ok,
			},
			options: []client.Option{client.WithProfile(&profiles.Profile{Errors: profiles.Errors{HiddenTooManyRequests: "Error 429"}})},
			at:      []time.Duration{0, 3 * time.Second, 6 * time.Second},
		},
		{
			name: "429 that waiting does not end", call: put,
			answers: []func() (*http.Response, error){body(429, `{"error":{"name":"quotaIsGone"}}`, "Retry-After", "1")},
			options: []client.Option{client.WithProfile(&profiles.Profile{Errors: profiles.Errors{ExhaustedQuota: "quotaIsGone", RetryAfterSeconds: 60}})},
			at:      []time.Duration{0}, want: client.ErrQuotaExhausted,
		},
		{
			name: "429 of a rate limit, where the profile knows another", call: get,
			answers: []func() (*http.Response, error){body(429, `{"error":{"name":"rateLimited"}}`, "Retry-After", "1"), ok},
			options: []client.Option{client.WithProfile(&profiles.Profile{Errors: profiles.Errors{ExhaustedQuota: "quotaIsGone"}})},
			at:      []time.Duration{0, time.Second},
		},
		{
			name: "503 again and again waits longer each time, up to a maximum", call: get,
			answers: []func() (*http.Response, error){status(503)},
			options: []client.Option{client.WithRetry(client.Retry{Attempts: 5, Base: time.Second, Max: 3 * time.Second})},
			at:      []time.Duration{0, 1 * time.Second, 3 * time.Second, 6 * time.Second, 9 * time.Second},
			want:    scim.ErrUnavailable,
		},
		{
			name: "the budget ends it", call: get,
			answers: []func() (*http.Response, error){status(429, "Retry-After", "40")},
			options: []client.Option{client.WithRetry(client.Retry{Attempts: 50, Budget: 100 * time.Second})},
			at:      []time.Duration{0, 40 * time.Second, 80 * time.Second},
			want:    scim.ErrTooManyRequests,
		},
		{
			name: "a wait that is longer than the budget ends it at once", call: get,
			answers: []func() (*http.Response, error){status(429, "Retry-After", "86400")},
			at:      []time.Duration{0}, want: scim.ErrTooManyRequests,
		},
		{
			name: "a connection that breaks", call: put,
			answers: []func() (*http.Response, error){reset, noDial, cut(200, `{"id":`), ok},
			options: []client.Option{client.WithRetry(client.Retry{Base: time.Second, Max: time.Second})},
			at:      []time.Duration{0, 1 * time.Second, 2 * time.Second, 3 * time.Second},
		},
		{
			name: "500 once more", call: put,
			answers: []func() (*http.Response, error){status(500)},
			options: []client.Option{client.WithRetry(client.Retry{Base: time.Second})},
			at:      []time.Duration{0, time.Second}, want: &scim.Error{Status: 500},
		},
		{
			name: "a refusal is final", call: put,
			answers: []func() (*http.Response, error){status(400)},
			at:      []time.Duration{0}, want: &scim.Error{Status: 400},
		},
		{
			name: "a delete that had gone through", call: del,
			answers: []func() (*http.Response, error){reset, status(404)},
			options: []client.Option{client.WithRetry(client.Retry{Base: time.Second})},
			at:      []time.Duration{0, time.Second},
		},
		{
			name: "a delete of what is not there", call: del,
			answers: []func() (*http.Response, error){status(429, "Retry-After", "1"), status(404)},
			at:      []time.Duration{0, time.Second}, want: scim.ErrNotFound,
		},
		{
			name: "never again", call: get,
			answers: []func() (*http.Response, error){status(503)},
			options: []client.Option{client.WithRetry(client.Retry{Attempts: 1})},
			at:      []time.Duration{0}, want: scim.ErrUnavailable,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: tt.answers}
				c := newClient(t, s, append(tt.options, noJitter)...)
				err := tt.call(c, t.Context())
				if diff := cmp.Diff(tt.at, s.at); diff != "" {
					t.Errorf("times of the requests (-want +got):\n%s", diff)
				}
				refused, _ := errors.AsType[*scim.Error](err)
				switch want := tt.want.(type) {
				case nil:
					if err != nil {
						t.Errorf("error %v", err)
					}
					return
				case *scim.Error:
					if refused == nil || refused.Status != want.Status {
						t.Errorf("error %v, want status %d", err, want.Status)
					}
				default:
					if !errors.Is(err, want) {
						t.Errorf("error %v, want %v", err, want)
					}
				}
				if refused != nil && refused.Attempts != len(tt.at) {
					t.Errorf("the error counts %d attempts of %d", refused.Attempts, len(tt.at))
				}
			})
		})
	}
}

func TestRetriesEndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, &script{answers: []func() (*http.Response, error){status(429, "Retry-After", "60")}})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		_, err := c.Users().Get(ctx, "1")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 10*time.Second {
			t.Errorf("error %v after %v", err, time.Since(begin))
		}
		if !errors.Is(err, scim.ErrTooManyRequests) {
			t.Errorf("the error does not say what was waited for: %v", err)
		}
	})
}

func TestRequestsFailAtOnceWhileTheServiceWantsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []func() (*http.Response, error){status(429, "Retry-After", "86400"), ok}}
		c := newClient(t, s)
		for want := range 2 {
			_, err := c.Users().Get(t.Context(), "1")
			refused, _ := errors.AsType[*scim.Error](err)
			if !errors.Is(err, scim.ErrTooManyRequests) || refused.RetryAfter != 24*time.Hour || errors.Is(err, client.ErrNotSent) != (want == 1) {
				t.Errorf("error %v after %v", err, refused.RetryAfter)
			}
		}
		if len(s.at) != 1 {
			t.Errorf("%d requests", len(s.at))
		}
		time.Sleep(24 * time.Hour)
		if _, err := c.Users().Get(t.Context(), "1"); err != nil {
			t.Errorf("a day later: %v", err)
		}
	})
}

// What one request was told to wait for, others wait for, too.
func TestUnavailableServicesAreLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []func() (*http.Response, error){status(503, "Retry-After", "10"), ok}}
		c := newClient(t, s, client.WithRetry(client.Retry{Attempts: 1}))
		if _, err := c.Users().Get(t.Context(), "1"); !errors.Is(err, scim.ErrUnavailable) {
			t.Fatalf("error %v", err)
		}
		if _, err := c.Users().Get(t.Context(), "1"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]time.Duration{0, 10 * time.Second}, s.at); diff != "" {
			t.Errorf("times of the requests (-want +got):\n%s", diff)
		}
	})
}

func TestConflictNamesTheAttribute(t *testing.T) {
	c := newClient(t, &script{answers: []func() (*http.Response, error){status(409)}}, postmanProfile(t))
	_, err := c.Users().Create(t.Context(), person(1))
	if refused, _ := errors.AsType[*scim.Error](err); refused == nil || refused.Attribute != "userName" {
		t.Errorf("error %v", err)
	}
}

func TestCreateOfUnknownOutcome(t *testing.T) {
	const (
		none     = `{"totalResults":0,"Resources":[]}`
		mine     = `{"totalResults":1,"Resources":[{"id":"1","userName":"A@example.com","active":true,"meta":{"created":"2000-01-01T00:00:00Z"}}]}`
		older    = `{"totalResults":1,"Resources":[{"id":"1","userName":"a@example.com","active":true,"meta":{"created":"1999-12-31T00:00:00Z"}}]}`
		renamed  = `{"totalResults":1,"Resources":[{"id":"1","userName":"a@example.com","displayName":"B","active":true}]}`
		regiven  = `{"totalResults":1,"Resources":[{"id":"1","userName":"a@example.com","name":{"givenName":"G"},"active":true}]}`
		nobody   = `{"totalResults":1,"Resources":[{"userName":"a@example.com","active":true}]}`
		inactive = `{"totalResults":1,"Resources":[{"id":"1","userName":"a@example.com","active":false}]}`
	)
	tests := []struct {
		name    string
		answers []func() (*http.Response, error)
		log     []string
		want    error
	}{
		{
			name:    "answer lost, and it is there",
			answers: []func() (*http.Response, error){reset, body(200, mine)},
			log:     []string{"POST /Users", "GET /Users"},
		},
		{
			name:    "answer cut short, and it is there",
			answers: []func() (*http.Response, error){cut(201, `{"id":"1","userName`), body(200, mine)},
			log:     []string{"POST /Users", "GET /Users"},
		},
		{
			name:    "answer without a body, and it is there",
			answers: []func() (*http.Response, error){body(201, ""), body(200, mine)},
			log:     []string{"POST /Users", "GET /Users"},
		},
		{
			name:    "answer without an id, and it is there",
			answers: []func() (*http.Response, error){body(201, `{"userName":"a@example.com"}`), body(200, mine)},
			log:     []string{"POST /Users", "GET /Users"},
		},
		{
			name:    "request took too long to arrive",
			answers: []func() (*http.Response, error){status(408), created},
			log:     []string{"POST /Users", "POST /Users"},
		},
		{
			name:    "gateway gave up, and it is not there",
			answers: []func() (*http.Response, error){status(504), body(200, none), created},
			log:     []string{"POST /Users", "GET /Users", "POST /Users"},
		},
		{
			name:    "proxy in front gave up, and it is there",
			answers: []func() (*http.Response, error){status(524), body(200, mine)},
			log:     []string{"POST /Users", "GET /Users"},
		},
		{
			name:    "the first one was only slow",
			answers: []func() (*http.Response, error){reset, body(200, none), status(409), body(200, mine)},
			log:     []string{"POST /Users", "GET /Users", "POST /Users", "GET /Users"},
		},
		{
			name:    "another resource has the name",
			answers: []func() (*http.Response, error){reset, body(200, inactive)},
			log:     []string{"POST /Users", "GET /Users"}, want: scim.ErrUniqueness,
		},
		{
			name:    "another resource has the name, by a text",
			answers: []func() (*http.Response, error){reset, body(200, renamed)},
			log:     []string{"POST /Users", "GET /Users"}, want: scim.ErrUniqueness,
		},
		{
			name:    "another resource has the name, by a part",
			answers: []func() (*http.Response, error){reset, body(200, regiven)},
			log:     []string{"POST /Users", "GET /Users"}, want: scim.ErrUniqueness,
		},
		{
			name:    "what is found has no id",
			answers: []func() (*http.Response, error){reset, body(200, nobody)},
			log:     []string{"POST /Users", "GET /Users"}, want: scim.ErrUniqueness,
		},
		{
			name:    "the resource was there before",
			answers: []func() (*http.Response, error){reset, body(200, older)},
			log:     []string{"POST /Users", "GET /Users"}, want: scim.ErrConflict,
		},
		{
			name:    "looking is refused",
			answers: []func() (*http.Response, error){reset, status(403)},
			log:     []string{"POST /Users", "GET /Users"}, want: client.ErrOutcomeUnknown,
		},
		{
			name:    "no connection was made",
			answers: []func() (*http.Response, error){noDial, created},
			log:     []string{"POST /Users", "POST /Users"},
		},
		{
			name:    "postponed",
			answers: []func() (*http.Response, error){status(429, "Retry-After", "1"), created},
			log:     []string{"POST /Users", "POST /Users"},
		},
		{
			name:    "refused",
			answers: []func() (*http.Response, error){status(409)},
			log:     []string{"POST /Users"}, want: scim.ErrConflict,
		},
		{
			name:    "lost each time",
			answers: []func() (*http.Response, error){reset, body(200, none), reset, body(200, none), reset, body(200, none), reset},
			log:     []string{"POST /Users", "GET /Users", "POST /Users", "GET /Users", "POST /Users"}, want: client.ErrOutcomeUnknown,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: tt.answers}
				c := newClient(t, s, client.WithRetry(client.Retry{Attempts: 3}))
				user, err := c.Users().Create(t.Context(), scim.User{
					UserName: "a@example.com", DisplayName: "A", Name: &scim.Name{GivenName: "A"}, Active: scim.Bool(true),
				})
				if diff := cmp.Diff(tt.log, s.log); diff != "" {
					t.Errorf("requests (-want +got):\n%s", diff)
				}
				if !errors.Is(err, tt.want) {
					t.Errorf("error %v, want %v", err, tt.want)
				}
				if tt.want == nil && user.ID != "1" {
					t.Errorf("user %v", user)
				}
			})
		})
	}
}

// Who looks for what was created before the service is back, and creates it again after, may create it twice.
func TestCreateLooksWhenTheServiceIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []func() (*http.Response, error){
			status(http.StatusServiceUnavailable, "Retry-After", "60"), body(http.StatusOK, `{"totalResults":0,"Resources":[]}`), ok,
		}}
		if _, err := newClient(t, s).Users().Create(t.Context(), scim.User{UserName: "a@example.com"}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"POST /Users", "GET /Users", "POST /Users"}, s.log); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		if s.at[1] < time.Minute {
			t.Errorf("it was looked for after %v", s.at[1])
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []func() (*http.Response, error){status(http.StatusServiceUnavailable, "Retry-After", "3600")}}
		_, err := newClient(t, s).Users().Create(t.Context(), scim.User{UserName: "a@example.com"})
		if !errors.Is(err, client.ErrOutcomeUnknown) || len(s.log) != 1 {
			t.Errorf("asked to wait for an hour: %v, requests %v", err, s.log)
		}
	})
}

func TestCreateThatTheContextEndsIsOfUnknownOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Users().Create(ctx, scim.User{UserName: "a@example.com"})
		if !errors.Is(err, client.ErrOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func TestAttemptsHaveATimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
			if n++; n < 3 {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return ok()
		}), client.WithTimeout(10*time.Second), client.WithRetry(client.Retry{Base: time.Second, Max: time.Second}), noJitter)
		begin := time.Now()
		if _, err := c.Users().Get(t.Context(), "1"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 22*time.Second {
			t.Errorf("took %v", took)
		}
	})
}
