package client

import (
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

// Retry says how often and how long a request is tried again. A field that is zero has its default.
//
// A request is tried again after 408, 425, 429, 502, 503, 504, the 520 to 524 that proxies invented for a service which gave
// them no answer, and after a network error. A 500 is tried once more. What the service asks
// for in Retry-After is waited for; otherwise the wait starts at Base, doubles with each attempt up to Max, and is made random
// between half and all of that, so that clients which failed together do not come back together.
//
// A create is sent again only when it is certain that the first one had no effect: see [Resources.Create].
type Retry struct {
	// Attempts is how many times one request is sent at most, 6 by default. 1 means never again.
	Attempts int
	// Budget is how long one request may wait between its attempts in all, 5 minutes by default. A request whose next wait
	// would pass the budget fails at once, and so do others like it until the time that the service has asked for is over. Waiting for
	// the service's rate limit before an attempt does not count.
	Budget time.Duration
	// Base is the first wait, 500 milliseconds by default; Max the longest, 30 seconds by default.
	Base, Max time.Duration
}

func (r Retry) withDefaults() Retry {
	if r.Attempts <= 0 {
		r.Attempts = 6
	}
	if r.Budget <= 0 {
		r.Budget = 5 * time.Minute
	}
	if r.Base <= 0 {
		r.Base = 500 * time.Millisecond
	}
	if r.Max <= 0 {
		r.Max = 30 * time.Second
	}
	return r
}

// backoff is the waits of one request.
type backoff struct {
	Retry
	random  func() float64
	attempt int
	spent   time.Duration
}

// next returns how long to wait before the next attempt. It returns false when there shall be none.
func (b *backoff) next(asked time.Duration) (time.Duration, bool) {
	b.attempt++
	if b.attempt >= b.Attempts {
		return 0, false
	}
	wait := asked
	if wait == 0 {
		ceiling := b.Max
		if shift := b.attempt - 1; shift < 30 {
			ceiling = min(b.Max, b.Base<<shift)
		}
		wait = ceiling/2 + time.Duration(b.random()*float64(ceiling/2))
	}
	if b.spent+wait > b.Budget {
		return 0, false
	}
	b.spent += wait
	return wait, true
}

// outcome is what is known of a request that did not succeed.
type outcome int

const (
	// refused: the service answered, and did not do it. Sending it again would be refused again.
	refused outcome = iota
	// postponed: the service did not do it now, and may do it later.
	postponed
	// unknown: it may have been done or not.
	unknown
	// unsent: the context ended before it was sent.
	unsent
)

// judge returns what is known of a request from its answer's status.
func judge(status int) outcome {
	switch status {
	case http.StatusTooManyRequests, http.StatusRequestTimeout, http.StatusTooEarly:
		return postponed
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return unknown
	}
	if status >= firstProxyStatus && status <= lastProxyStatus {
		return unknown
	}
	return refused
}

// The statuses of proxies whose service gave an empty answer, refused the connection, or took too long: it may have done what was asked.
const firstProxyStatus, lastProxyStatus = 520, 524

// judgeError returns what is known of a request that was not answered.
func judgeError(err error) outcome {
	var final interface{ final() }
	var certificate *tls.CertificateVerificationError
	var op *net.OpError
	switch {
	case errors.As(err, &final), errors.As(err, &certificate):
		return refused
	case errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect"):
		return postponed // no connection was made, so nothing was sent
	}
	return unknown
}

// jitter is the default source of randomness for waits. It needs no seed and no secrecy.
func jitter() float64 { return rand.Float64() }
