package client

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// rateHeaders is what an answer says about rate limits. A value that is not said is -1 (remaining) or 0.
type rateHeaders struct {
	limit     int
	window    time.Duration
	remaining int
	reset     time.Duration
}

// parseRateHeaders reads the header fields that are in use for rate limits: RateLimit and RateLimit-Policy of the IETF's drafts, and the
// three fields of their forerunners with and without X-.
func parseRateHeaders(h http.Header, now time.Time) rateHeaders {
	said := rateHeaders{remaining: -1}
	if v := h.Get("RateLimit"); v != "" {
		said.readParameters(v)
	}
	if v := h.Get("RateLimit-Policy"); v != "" {
		said.readPolicy(v)
	}
	if n, ok := firstNumber(h, "RateLimit-Remaining", "X-RateLimit-Remaining", "X-Rate-Limit-Remaining"); ok && said.remaining < 0 {
		said.remaining = int(n)
	}
	if n, ok := firstNumber(h, "RateLimit-Reset", "X-RateLimit-Reset", "X-Rate-Limit-Reset"); ok && said.reset == 0 {
		said.reset = untilReset(n, now)
	}
	return said
}

// readParameters reads limit=100, remaining=50, reset=30 and the later "default";r=50;t=30.
func (s *rateHeaders) readParameters(v string) {
	for part := range strings.FieldsFuncSeq(v, func(r rune) bool { return r == ',' || r == ';' || r == ' ' }) {
		name, text, _ := strings.Cut(part, "=")
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > maxHeaderNumber {
			continue
		}
		switch strings.ToLower(name) {
		case "remaining", "r":
			s.remaining = n
		case "reset", "t":
			s.reset = time.Duration(n) * time.Second
		}
	}
}

// readPolicy reads 300;w=60 and the later "default";q=300;w=60. Of several policies it takes the first.
func (s *rateHeaders) readPolicy(v string) {
	first, _, _ := strings.Cut(v, ",")
	for part := range strings.SplitSeq(first, ";") {
		name, text, named := strings.Cut(strings.TrimSpace(part), "=")
		if !named {
			name, text = "q", name
		}
		n, err := strconv.Atoi(text)
		if err != nil || n <= 0 || n > maxHeaderNumber {
			continue
		}
		switch strings.ToLower(name) {
		case "q":
			s.limit = n
		case "w":
			s.window = time.Duration(n) * time.Second
		}
	}
}

// maxHeaderNumber bounds what a header may say: a year in seconds. More is taken for nonsense, or for a date.
const maxHeaderNumber = 365 * 24 * 3600

func firstNumber(h http.Header, names ...string) (int64, bool) {
	for _, name := range names {
		text, _, _ := strings.Cut(h.Get(name), ",")
		if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil && n >= 0 {
			return n, true
		}
	}
	return 0, false
}

// untilReset understands both ways in which a reset is given: in seconds from now, and as the seconds of a date.
func untilReset(n int64, now time.Time) time.Duration {
	if n <= maxHeaderNumber {
		return time.Duration(n) * time.Second
	}
	d := time.Unix(n, 0).Sub(now)
	if d < 0 || d > maxHeaderNumber*time.Second {
		return 0
	}
	return d
}

// parseRetryAfter returns how long an answer asks to wait, in either form of RFC 9110 section 10.2.3, or in the fields that some
// services use instead. It returns 0 when it does not say.
func parseRetryAfter(h http.Header, now time.Time) time.Duration {
	if n, ok := firstNumber(h, "Retry-After", "RetryAfter", "X-RateLimit-RetryAfter", "X-RateLimit-Retry-After"); ok {
		return time.Duration(min(n, maxHeaderNumber)) * time.Second
	}
	at, err := http.ParseTime(h.Get("Retry-After"))
	if err != nil {
		return 0
	}
	// The service meant its own clock, which its Date tells.
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(0, at.Sub(now)), maxHeaderNumber*time.Second)
}
