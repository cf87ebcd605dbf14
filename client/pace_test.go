package client_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles"
)

// limitedService counts requests like a service with a rate limit, and remembers when each arrived. It is a transport, so that it runs
// on the time of a synctest bubble.
type limitedService struct {
	limit   int
	window  time.Duration
	latency func() time.Duration
	headers func(h http.Header, left int, reset time.Duration)

	mu       sync.Mutex
	arrivals []time.Time
	refused  int
}

func (s *limitedService) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := sleep(r.Context(), s.latency()); err != nil {
		return nil, err
	}
	resp := s.arrive(time.Now())
	if err := sleep(r.Context(), s.latency()); err != nil {
		return nil, err
	}
	return resp, nil
}

func (s *limitedService) arrive(now time.Time) *http.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	recent := 0
	for i := len(s.arrivals) - 1; i >= 0 && now.Sub(s.arrivals[i]) < s.window; i-- {
		recent++
	}
	if recent >= s.limit {
		s.refused++
		return response(http.StatusTooManyRequests, `{"status":429,"detail":"slow down"}`)
	}
	s.arrivals = append(s.arrivals, now)
	resp := response(http.StatusOK, `{"id":"1"}`)
	if s.headers != nil {
		first := s.arrivals[len(s.arrivals)-1-recent]
		s.headers(resp.Header, s.limit-recent-1, s.window-now.Sub(first))
	}
	return resp
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run sends n writes over a number of workers and returns how long that took.
func run(t *testing.T, c *client.Client, n, workers int) time.Duration {
	t.Helper()
	begin := time.Now()
	var wg sync.WaitGroup
	var next atomic.Int64
	for range workers {
		wg.Go(func() {
			for next.Add(1) <= int64(n) {
				if _, err := c.Users().Replace(t.Context(), "1", scim.User{UserName: "a@example.com"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	return time.Since(begin)
}

func TestPacingFillsTheLimitAndNeverPassesIt(t *testing.T) {
	for _, workers := range []int{1, 8, 400} {
		t.Run(fmt.Sprintf("%d workers", workers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(1, uint64(workers)))
				var mu sync.Mutex
				s := &limitedService{limit: 180, window: time.Minute, latency: func() time.Duration {
					mu.Lock()
					defer mu.Unlock()
					return time.Duration(random.IntN(150)) * time.Millisecond
				}}
				c := newClient(t, s, client.WithRateLimits(profiles.RateLimit{Requests: 180, Seconds: 60}))
				took := run(t, c, 1000, workers)

				if s.refused > 0 {
					t.Errorf("%d requests were refused for the rate", s.refused)
				}
				// 180 at once and then 180 a minute: the last 100 may go after five minutes. Whoever sends one at a time needs their time, too.
				minimum := 5 * time.Minute
				if workers == 1 {
					minimum += 100 * 150 * time.Millisecond
				}
				if took > minimum*102/100 {
					t.Errorf("took %v, more than 2%% over the least that is possible, %v", took, minimum)
				}
				if got := busiest(s.arrivals, time.Minute); got > 180 {
					t.Errorf("%d requests arrived within a minute", got)
				}
			})
		})
	}
}

// busiest returns the most events that any span of the length holds.
func busiest(events []time.Time, length time.Duration) int {
	sort.Slice(events, func(i, j int) bool { return events[i].Before(events[j]) })
	most, from := 0, 0
	for to := range events {
		for events[to].Sub(events[from]) >= length {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

func TestPacingKeepsReadsAndWritesApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &limitedService{limit: 1 << 30, window: time.Minute, latency: func() time.Duration { return 0 }}
		c := newClient(t, s, client.WithRateLimits(
			profiles.RateLimit{Methods: []string{"GET"}, Requests: 3, Seconds: 60},
			profiles.RateLimit{Methods: []string{"PUT"}, Requests: 1, Seconds: 60},
		))
		run(t, c, 1, 1)
		begin := time.Now()
		for range 3 {
			if _, err := c.Users().Get(t.Context(), "1"); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("reads waited %v for the limit of the writes", took)
		}
		if got := c.Stats(); got.Paced != 0 || got.Reads != 3 || got.Writes != 1 {
			t.Errorf("stats %+v", got)
		}
	})
}

func TestPacingObeysWhatTheServiceStates(t *testing.T) {
	tests := []struct {
		name    string
		headers func(h http.Header, left int, reset time.Duration)
	}{
		{"policy", func(h http.Header, _ int, _ time.Duration) { h.Set("RateLimit-Policy", "60;w=60") }},
		{"policy with a name", func(h http.Header, _ int, _ time.Duration) { h.Set("RateLimit-Policy", `"default";q=60;w=60`) }},
		{"one field", func(h http.Header, left int, reset time.Duration) {
			h.Set("RateLimit", fmt.Sprintf("limit=60, remaining=%d, reset=%d", left, int(reset.Seconds()+1)))
		}},
		{"field with a name", func(h http.Header, left int, reset time.Duration) {
			h.Set("RateLimit", fmt.Sprintf(`"default";r=%d;t=%d`, left, int(reset.Seconds()+1)))
		}},
		{"three fields", func(h http.Header, left int, reset time.Duration) {
			h.Set("X-RateLimit-Limit", "60")
			h.Set("X-RateLimit-Remaining", fmt.Sprint(left))
			h.Set("X-RateLimit-Reset", fmt.Sprint(int(reset.Seconds()+1)))
		}},
		{"reset as a date", func(h http.Header, left int, reset time.Duration) {
			h.Set("RateLimit-Remaining", fmt.Sprint(left))
			h.Set("RateLimit-Reset", fmt.Sprint(time.Now().Add(reset).Unix()+1))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &limitedService{
					limit: 60, window: time.Minute, headers: tt.headers,
					latency: func() time.Duration { return 10 * time.Millisecond },
				}
				c := newClient(t, s)
				took := run(t, c, 150, 1)
				if s.refused > 0 {
					t.Errorf("%d requests were refused for the rate", s.refused)
				}
				if took > 3*time.Minute {
					t.Errorf("150 requests took %v", took)
				}
			})
		})
	}
}

// The first thing that a client hears may be that nothing is left.
func TestPacingWaitsWhenNothingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []func() (*http.Response, error){body(http.StatusOK, `{"id":"1"}`, "RateLimit-Remaining", "0", "RateLimit-Reset", "10"), ok}}
		c := newClient(t, s)
		for range 2 {
			if _, err := c.Users().Get(t.Context(), "1"); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff([]time.Duration{0, 10 * time.Second}, s.at); diff != "" {
			t.Errorf("times of the requests (-want +got):\n%s", diff)
		}
	})
}

func TestPacingDoesNotWaitForQuotasOfAMonth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &limitedService{
			limit: 1000, window: time.Minute, latency: func() time.Duration { return 0 },
			headers: func(h http.Header, _ int, _ time.Duration) {
				h.Set("RateLimit-Policy", "2;w=2592000")
				h.Set("RateLimit-Remaining", "0")
				h.Set("RateLimit-Reset", "2592000")
			},
		}
		if took := run(t, newClient(t, s), 10, 1); took != 0 {
			t.Errorf("10 requests took %v", took)
		}
	})
}

func TestPacingSlowsDownAfter429(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &limitedService{limit: 60, window: time.Minute, latency: func() time.Duration { return 50 * time.Millisecond }}
		c := newClient(t, s, client.WithRetry(client.Retry{Attempts: 20, Budget: time.Hour}))
		took := run(t, c, 300, 4)
		if s.refused > 100 {
			t.Errorf("%d of 300 requests were refused", s.refused)
		}
		if took > 8*time.Minute {
			t.Errorf("took %v where four minutes are possible", took)
		}
	})
}

func TestPacingWithRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &limitedService{limit: 1000, window: time.Second, latency: func() time.Duration { return 0 }}
		c := newClient(t, s, client.WithRate(0, 2))
		took := run(t, c, 21, 4)
		if took != 10*time.Second {
			t.Errorf("21 writes at 2 a second took %v", took)
		}
	})
}

// A service that redirects counts both requests.
func TestPacingCountsRedirects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var arrivals []time.Time
		c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
			arrivals = append(arrivals, time.Now())
			if strings.HasSuffix(r.URL.Path, "/") {
				return response(http.StatusOK, `{"id":"1","userName":"a@example.com"}`), nil
			}
			resp := response(http.StatusPermanentRedirect, "")
			resp.Header.Set("Location", r.URL.Path+"/")
			resp.Request = r
			return resp, nil
		}), client.WithRateLimits(profiles.RateLimit{Requests: 11, Seconds: 60}))
		for range 20 {
			if _, err := c.Users().Replace(t.Context(), "1", scim.User{UserName: "a@example.com"}); err != nil {
				t.Fatal(err)
			}
		}
		if n := busiest(arrivals, time.Minute); n > 11 || len(arrivals) != 40 {
			t.Errorf("%d requests, %d of them within a minute", len(arrivals), n)
		}
		if n := c.Stats().Requests; n != 40 {
			t.Errorf("%d requests are counted", n)
		}
	})
}

// handClock is put forward by hand, and by what waits for it.
type handClock struct{ now time.Time }

func (c *handClock) Now() time.Time { return c.now }

func (c *handClock) Sleep(ctx context.Context, d time.Duration) error {
	c.now = c.now.Add(d)
	return context.Cause(ctx)
}

// A clock may begin anywhere, and jump: a simulation's at the zero time, a computer's wherever it is put.
func TestPacingWithClocksThatJump(t *testing.T) {
	for name, begin := range map[string]time.Time{
		"zero time": {}, "before 1970": time.Unix(-61, 0), "now": time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
	} {
		t.Run(name, func(t *testing.T) {
			clock := &handClock{begin}
			n := 0
			c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
				if n++; n%7 == 0 {
					return response(http.StatusTooManyRequests, `{}`), nil
				}
				return response(http.StatusOK, `{"id":"1"}`), nil
			}), client.WithClock(clock), client.WithRateLimits(profiles.RateLimit{Requests: 5, Seconds: 60}))
			for _, jump := range []time.Duration{time.Second, time.Minute, -2 * time.Minute, time.Second, 1000 * time.Hour, -time.Second, 0} {
				for range 3 {
					if _, err := c.Users().Get(t.Context(), "1"); err != nil {
						t.Fatalf("at %v: %v", clock.now, err)
					}
				}
				clock.now = clock.now.Add(jump)
			}
			// What the clock was put back can have to be waited for, and no more.
			if took := clock.now.Sub(begin); took > 1001*time.Hour {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestPacingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &limitedService{limit: 1, window: time.Minute, latency: func() time.Duration { return 0 }}
		c := newClient(t, s, client.WithRateLimits(profiles.RateLimit{Requests: 1, Seconds: 60}))
		run(t, c, 1, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Users().Get(ctx, "1")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error %v", err)
		}
		refused, _ := errors.AsType[*scim.Error](err)
		want := &scim.Error{Method: "GET", Path: "/Users/1", Detail: "gave up while waiting for the rate limit: context deadline exceeded"}
		if diff := cmp.Diff(want, refused, ignoreCause); diff != "" {
			t.Errorf("error (-want +got):\n%s", diff)
		}
		time.Sleep(2 * time.Minute)
		if _, err := c.Users().Get(t.Context(), "1"); err != nil {
			t.Errorf("the request that gave up has kept its place: %v", err)
		}
	})
}
