package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
)

// instantClock is a clock on which waiting takes no time.
type instantClock struct {
	mu     sync.Mutex
	waited time.Duration
}

func (c *instantClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.waited)
}

func (c *instantClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waited += d
	return ctx.Err()
}

// proxy stands between a client and a service, and does harm to the first requests of one method.
type proxy struct {
	service *service
	method  string
	times   int // how many requests suffer
	// harm treats a request on its raw connection; forward gets the service's answer as it would be sent.
	harm func(conn net.Conn, forward func() []byte)

	mu   sync.Mutex
	seen int
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	suffers := r.Method == p.method && p.seen < p.times
	if suffers {
		p.seen++
	}
	p.mu.Unlock()
	if !suffers {
		p.service.ServeHTTP(w, r)
		return
	}
	// The service must have the body before the connection is taken over.
	body, _ := io.ReadAll(r.Body)
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	p.harm(conn, func() []byte {
		r.Body = io.NopCloser(bytes.NewReader(body))
		recorder := httptest.NewRecorder()
		p.service.ServeHTTP(recorder, r)
		resp := recorder.Result()
		resp.ContentLength = int64(recorder.Body.Len())
		var b bytes.Buffer
		resp.Write(&b)
		return b.Bytes()
	})
}

// abort closes a connection with a reset.
func abort(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// split returns the header and the body of an answer.
func split(answer []byte) (header, body []byte) {
	i := bytes.Index(answer, []byte("\r\n\r\n")) + 4
	return answer[:i], answer[i:]
}

func raw(status int, headers, body string) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Length: %d\r\n%s\r\n%s", status, http.StatusText(status), len(body), headers, body)
}

func TestFaultsBetweenClientAndService(t *testing.T) {
	var strayed sync.Map
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { strayed.Store(r.URL.String(), r.Header) }))
	defer other.Close()
	const always = 1000
	tests := []struct {
		name  string
		times int
		harm  func(conn net.Conn, forward func() []byte)
		get   error // of reading; nil for success
		// create is the error of creating, and done whether the service has the user then.
		create error
		done   bool
	}{
		{
			name: "reset before the service sees the request", times: 2, done: true,
			harm: func(conn net.Conn, _ func() []byte) { abort(conn) },
		},
		{
			name: "reset before the answer", times: 1, done: true,
			harm: func(conn net.Conn, forward func() []byte) { forward(); abort(conn) },
		},
		{
			name: "reset in the middle of the body", times: 1, done: true,
			harm: func(conn net.Conn, forward func() []byte) {
				header, body := split(forward())
				conn.Write(append(header, body[:len(body)/2]...))
				abort(conn)
			},
		},
		{
			name: "body ends early", times: 1, done: true,
			harm: func(conn net.Conn, forward func() []byte) {
				header, body := split(forward())
				conn.Write(append(header, body[:len(body)/2]...))
			},
		},
		{
			name: "truncated JSON", times: 1, get: errAny, done: true,
			harm: func(conn net.Conn, forward func() []byte) {
				_, body := split(forward())
				conn.Write(raw(200, "Content-Type: application/json\r\n", string(body[:len(body)/2])))
			},
		},
		{
			name: "latency beyond the time limit", times: 1, done: true,
			harm: func(conn net.Conn, forward func() []byte) {
				forward()
				io.Copy(io.Discard, conn) // until the client gives up
			},
		},
		{
			name: "slow drip", times: 1, done: true,
			harm: func(conn net.Conn, forward func() []byte) {
				for _, b := range forward() {
					if _, err := conn.Write([]byte{b}); err != nil {
						return
					}
					time.Sleep(20 * time.Millisecond)
				}
			},
		},
		{
			name: "429s with Retry-After", times: 3, done: true,
			harm: func(conn net.Conn, _ func() []byte) { conn.Write(raw(429, "Retry-After: 30\r\n", "{}")) },
		},
		{
			name: "429s without Retry-After", times: 3, done: true,
			harm: func(conn net.Conn, _ func() []byte) { conn.Write(raw(429, "", "{}")) },
		},
		{
			name: "429s without end", times: always, get: scim.ErrTooManyRequests, create: scim.ErrTooManyRequests,
			harm: func(conn net.Conn, _ func() []byte) { conn.Write(raw(429, "", "{}")) },
		},
		{
			name: "500 once", times: 1, done: true,
			harm: func(conn net.Conn, _ func() []byte) { conn.Write(raw(500, "", `{"detail":"try again"}`)) },
		},
		{
			name: "500s without end", times: always, get: errAny, create: client.ErrOutcomeUnknown,
			harm: func(conn net.Conn, _ func() []byte) { conn.Write(raw(500, "", "oops")) },
		},
		{
			name: "500 although it was done", times: 1, done: true,
			harm: func(conn net.Conn, forward func() []byte) { forward(); conn.Write(raw(500, "", "oops")) },
		},
		{
			name: "the answer twice", times: 1, done: true,
			harm: func(conn net.Conn, forward func() []byte) {
				answer := forward()
				conn.Write(append(answer, answer...))
			},
		},
		{
			name: "redirect to another host", times: always, get: errAny, create: errAny,
			harm: func(conn net.Conn, _ func() []byte) { conn.Write(raw(307, "Location: "+other.URL+"/steal\r\n", "")) },
		},
		{
			name: "web page", times: always, get: errAny, create: client.ErrOutcomeUnknown,
			harm: func(conn net.Conn, _ func() []byte) {
				conn.Write(raw(200, "Content-Type: text/html\r\n", "<html>Please sign in</html>"))
			},
		},
		{
			name: "no HTTP", times: 1, done: true,
			harm: func(conn net.Conn, _ func() []byte) { conn.Write([]byte("SSH-2.0-OpenSSH_9.6\r\n")) },
		},
		{
			name: "endless header", times: 1, done: true,
			harm: func(conn net.Conn, _ func() []byte) {
				conn.Write([]byte("HTTP/1.1 200 OK\r\n"))
				line := []byte("X-Filler: " + strings.Repeat("x", 8000) + "\r\n")
				for {
					if _, err := conn.Write(line); err != nil {
						return
					}
				}
			},
		},
		{
			name: "a body of 1 GB", times: 1, get: errAny, done: true,
			harm: func(conn net.Conn, forward func() []byte) {
				forward()
				const size = 1 << 30
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", size)
				chunk := bytes.Repeat([]byte(" "), 64<<10)
				for sent := 0; sent < size; sent += len(chunk) {
					if _, err := conn.Write(chunk); err != nil {
						return
					}
				}
			},
		},
	}
	for _, tt := range tests {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(tt.name+"/"+method, func(t *testing.T) {
				leaks := watchGoroutines(t)
				p := &proxy{service: newHandler(), method: method, times: tt.times, harm: tt.harm}
				p.service.add("Users", scim.Document{"userName": "reader@example.com"})
				server := httptest.NewServer(p)
				c, err := client.New(server.URL, client.WithBearerToken(secret), client.WithTimeout(200*time.Millisecond),
					client.WithClock(&instantClock{}), client.WithMaxResponse(1<<20), client.WithRetry(client.Retry{Attempts: 5}))
				if err != nil {
					t.Fatal(err)
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				var failure, want error
				if method == http.MethodGet {
					_, failure = c.Users().Get(t.Context(), "1")
					want = tt.get
				} else {
					_, failure = c.Users().Create(t.Context(), scim.User{UserName: "new@example.com"})
					want = tt.create
					if n := p.service.named("new@example.com"); n > 1 || tt.done != (n == 1) {
						t.Errorf("the service has %d users of the name, error %v", n, failure)
					}
				}
				runtime.ReadMemStats(&after)
				if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
					t.Errorf("%d MiB were allocated", used>>20)
				}
				switch {
				case want == nil && failure != nil, want != nil && failure == nil, want != errAny && !errors.Is(failure, want):
					t.Errorf("error %v, want %v", failure, want)
				case failure != nil && strings.Contains(fmt.Sprintf("%+v", failure), secret):
					t.Errorf("the error holds the credential: %v", failure)
				}
				c.CloseIdleConnections()
				server.Close()
				leaks()
			})
		}
	}
	strayed.Range(func(url, header any) bool {
		t.Errorf("another host got a request for %v: %v", url, header)
		return true
	})
}

// errAny stands for any error.
var errAny = errors.New("any error")

// named returns how many users have a name.
func (s *service) named(userName string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, doc := range s.objects["Users"] {
		if doc["userName"] == userName {
			n++
		}
	}
	return n
}

// watchGoroutines returns a function that fails the test when goroutines of this module or of connections are left which were not there
// before.
func watchGoroutines(t *testing.T) func() {
	t.Helper()
	before := runtime.NumGoroutine()
	return func() {
		t.Helper()
		// Connections that were closed take a moment to end.
		for range 200 {
			if runtime.NumGoroutine() <= before {
				return
			}
			runtime.Gosched()
			time.Sleep(5 * time.Millisecond)
		}
		stacks := make([]byte, 1<<20)
		t.Errorf("goroutines are left:\n%s", stacks[:runtime.Stack(stacks, true)])
	}
}

func TestListThroughFaults(t *testing.T) {
	leaks := watchGoroutines(t)
	s := newHandler().addUsers(250)
	p := &proxy{service: s, method: http.MethodGet, times: 2, harm: func(conn net.Conn, forward func() []byte) {
		answer := forward()
		conn.Write(answer[:len(answer)/3])
		abort(conn)
	}}
	server := httptest.NewServer(p)
	c, err := client.New(server.URL, client.WithClock(&instantClock{}))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range c.Users().List(t.Context(), client.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 250 {
		t.Errorf("%d users", n)
	}
	for range c.Users().List(t.Context(), client.Query{}) {
		break
	}
	if got := c.Stats(); got.Retries != 2 || got.BytesReceived == 0 {
		t.Errorf("stats %+v", got)
	}
	c.CloseIdleConnections()
	server.Close()
	leaks()
}
