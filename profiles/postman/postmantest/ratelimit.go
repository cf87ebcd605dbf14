package postmantest

import (
	"net/http"
	"strconv"
	"time"

	"github.com/scimbridge/scim/profiles"
)

// window lets a number of requests through in any stretch of its length. It keeps the times of those it let through: the strictest
// reading of "180 a minute", which a client that keeps to it passes under every other reading too.
type window struct {
	limit  profiles.RateLimit
	passed []time.Time
}

// take reports whether one more request may pass now, and counts it if so.
func (w *window) take(now time.Time) bool {
	w.expire(now)
	if len(w.passed) >= w.limit.Requests {
		return false
	}
	w.passed = append(w.passed, now)
	return true
}

func (w *window) expire(now time.Time) {
	n := 0
	for n < len(w.passed) && now.Sub(w.passed[n]) >= w.limit.Window() {
		n++
	}
	w.passed = w.passed[n:]
}

// wait is how long it takes until the next request can pass.
func (w *window) wait(now time.Time) time.Duration {
	if len(w.passed) < w.limit.Requests {
		return 0
	}
	return w.limit.Window() - now.Sub(w.passed[0])
}

// headers tells the state in the three ways that Postman's API documentation names (rule 9).
func (w *window) headers(h http.Header, now time.Time, refused bool) {
	limit, remaining := strconv.Itoa(w.limit.Requests), strconv.Itoa(w.limit.Requests-len(w.passed))
	reset := 0
	if len(w.passed) > 0 {
		reset = ceilSeconds(w.limit.Window() - now.Sub(w.passed[0]))
	}
	for _, prefix := range []string{"RateLimit-", "X-RateLimit-"} {
		h.Set(prefix+"Limit", limit)
		h.Set(prefix+"Remaining", remaining)
		h.Set(prefix+"Reset", strconv.Itoa(reset))
	}
	if refused {
		for _, name := range []string{"Retry-After", "RetryAfter", "X-RateLimit-RetryAfter"} {
			h.Set(name, strconv.Itoa(ceilSeconds(w.wait(now))))
		}
	}
}

func ceilSeconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
