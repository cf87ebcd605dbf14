package postmantest

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Request is one request that the simulator answered, for tests to assert on.
type Request struct {
	// Time is by the simulator's clock.
	Time   time.Time
	Method string
	// Path is below the base URL, such as /Users/123.
	Path string
	// Query is as sent, not decoded.
	Query string
	// Body is what was sent, at most 1 MiB of it.
	Body string
	// Status is what was answered, 0 when the connection was dropped.
	Status int
}

// Write reports whether the request asked for a change.
func (r Request) Write() bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }

// String returns the request and its answer in a line, with ids left out so that it is the same in each run of a test:
// PATCH /Users/… 200.
func (r Request) String() string {
	collection, id, one := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/")
	if one && id != "" {
		collection += "/…"
	}
	return fmt.Sprintf("%s /%s %d", r.Method, collection, r.Status)
}

// Journal is a list of requests in the order in which they came.
type Journal []Request

// Only returns the requests with a method, or with any when that is empty, whose path begins with a prefix:
//
//	if n := len(srv.Journal().Only("POST", "/Users")); n != 1 { … }
func (j Journal) Only(method, prefix string) Journal {
	return j.where(func(r Request) bool {
		return (method == "" || r.Method == method) && strings.HasPrefix(r.Path, prefix)
	})
}

// Writes returns the requests that asked for a change.
func (j Journal) Writes() Journal { return j.where(Request.Write) }

// Refused returns the requests that were not answered with success.
func (j Journal) Refused() Journal {
	return j.where(func(r Request) bool { return r.Status < 200 || r.Status > 299 })
}

func (j Journal) where(keep func(Request) bool) Journal {
	var kept Journal
	for _, r := range j {
		if keep(r) {
			kept = append(kept, r)
		}
	}
	return kept
}

// String returns a line for each request.
func (j Journal) String() string {
	var b strings.Builder
	for _, r := range j {
		fmt.Fprintln(&b, r)
	}
	return b.String()
}

// Journal returns every request answered since the start or the last [Simulator.ResetJournal]. The Authorization header is never
// kept.
func (s *Simulator) Journal() Journal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(Journal(nil), s.journal...)
}

// ResetJournal forgets the requests so far.
func (s *Simulator) ResetJournal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal = nil
}

func (s *Simulator) record(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal = append(s.journal, r)
}
