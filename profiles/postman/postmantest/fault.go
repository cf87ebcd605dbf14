package postmantest

import (
	"fmt"
	"net/http"
	"time"

	"github.com/scimbridge/scim"
)

// Fault makes the simulator fail in place of answering, or answer late.
//
//	srv.Inject(postmantest.Fault{Status: 429, RetryAfter: 30 * time.Second, Times: 3}) // a burst of refusals
//	srv.Inject(postmantest.Fault{ExhaustedQuota: true, Times: 1000})                   // what the plan allows is used up
//	srv.Inject(postmantest.Fault{Method: "POST", Status: 0, AfterApply: true})         // created, but nobody is told
//	srv.Inject(postmantest.Fault{Delay: time.Minute, Pass: true})                      // slow, but right
type Fault struct {
	// Method and Path limit the fault to requests with that method, and to paths that begin so. Empty means all.
	Method, Path string
	// Status is the answer: 429, 500, 503 … 0 drops the connection without one.
	Status int
	// RetryAfter is sent along when it is not 0, in whole seconds.
	RetryAfter time.Duration
	// HTML answers with a page instead of a SCIM error, as a gateway does.
	HTML bool
	// ExhaustedQuota answers as the platform does when what the team's plan allows is used up: 429, with a body that tells it from the
	// 429 of a rate limit. Status and HTML do not count then.
	ExhaustedQuota bool
	// Delay is how long the answer is held back. It ends early with the request's context, and takes no time with [Options.Clock].
	Delay time.Duration
	// Pass answers as usual after the delay: Status, ExhaustedQuota, RetryAfter, HTML and AfterApply do not count then.
	Pass bool
	// AfterApply carries the request out first, so that only its answer is lost.
	AfterApply bool
	// Skip lets that many requests pass first. Times is how many then fail; 0 means one.
	Skip, Times int
}

// Inject adds a fault. Faults are tried in the order in which they were added, and the first that fits a request is used.
func (s *Simulator) Inject(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	if f.ExhaustedQuota {
		f.Status = http.StatusTooManyRequests
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// fault returns the fault that this request meets, or nil.
func (s *Simulator) fault(method, path string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.Times == 0 || (f.Method != "" && f.Method != method) || !hasPrefix(path, f.Path) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		f.Times--
		return f
	}
	return nil
}

func hasPrefix(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }

// write answers with the fault.
func (f *Fault) write(w http.ResponseWriter) {
	if f.Status == 0 {
		// net/http takes this for a wish to close the connection without an answer, and does not log it.
		panic(http.ErrAbortHandler)
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(ceilSeconds(f.RetryAfter)))
	}
	if f.ExhaustedQuota {
		writeQuotaExhausted(w)
		return
	}
	if f.HTML {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(f.Status)
		fmt.Fprintf(w, "<html><body><h1>%d %s</h1></body></html>", f.Status, http.StatusText(f.Status))
		return
	}
	writeError(w, scim.NewError(f.Status, "", "This did not work. Try again."))
}
