package postmantest

import (
	"net/http"
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
	// Status is what was answered.
	Status int
}

// Write reports whether the request asked for a change.
func (r Request) Write() bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }

// Journal returns every request answered since the start or the last [Simulator.ResetJournal], the first first. The Authorization
// header is never kept.
func (s *Simulator) Journal() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.journal...)
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
