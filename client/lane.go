package client

import (
	"time"

	"golang.org/x/time/rate"
)

// lane is the queue of the requests that read, or of those that write. All but turn is guarded by the pacer's mutex.
type lane struct {
	// turn holds a value while a request is being let through, so that those behind it wait in order.
	turn chan struct{}
	// limiter is the rate that the caller asked for, or a lower one that a 429 taught.
	limiter *rate.Limiter
	ceiling rate.Limit
	// notBefore is what the service asked for with Retry-After.
	notBefore time.Time
	left      budget
	underWay  int

	// sent counts the requests since the rate was last lowered, which was at slowed.
	sent   int
	slowed time.Time
	first  time.Time
}

// budget is what the service says may still be sent before reset.
type budget struct {
	known    bool
	requests int
	reset    time.Time
}

// slowest is the rate under which no number of 429s brings a lane: one request in ten seconds. What the service asks for in Retry-After
// is waited for besides.
const slowest rate.Limit = 0.1

func (l *lane) start(ceiling rate.Limit) {
	l.turn = make(chan struct{}, 1)
	l.ceiling = ceiling
	l.limiter = rate.NewLimiter(ceiling, 1)
}

// pause returns how long the service wants no request of this lane.
func (l *lane) pause(now time.Time) time.Duration {
	wait := max(0, l.notBefore.Sub(now))
	if l.left.known && !now.Before(l.left.reset) {
		l.left = budget{}
	}
	if l.left.known && l.left.requests <= 0 {
		wait = max(wait, l.left.reset.Sub(now))
	}
	return wait
}

// reserve counts a request, or returns how long to wait until the rate allows it.
func (l *lane) reserve(now time.Time) time.Duration {
	r := l.limiter.ReserveN(now, 1)
	if d := r.DelayFrom(now); d > 0 {
		r.CancelAt(now)
		return d
	}
	if l.sent == 0 {
		l.first = now
	}
	l.sent++
	l.underWay++
	l.left.requests--
	return 0
}

// slowDown halves the rate after a 429, once for all the requests that were under way together.
func (l *lane) slowDown(sent, now time.Time, retryAfter time.Duration) {
	l.notBefore = later(l.notBefore, now.Add(retryAfter))
	if sent.Before(l.slowed) {
		return
	}
	observed := rate.Limit(float64(l.sent) / max(1, now.Sub(l.first).Seconds()))
	l.slowed, l.sent = l.notBefore, 0
	l.limiter.SetLimitAt(now, max(slowest, min(l.limiter.Limit(), observed)/2))
}

// speedUp takes the rate back towards the ceiling, doubling it about every 35 answers.
func (l *lane) speedUp(now time.Time) {
	limit := l.limiter.Limit()
	if limit == l.ceiling {
		return
	}
	limit *= 1.02
	if limit >= l.ceiling || limit > 1000 {
		limit = l.ceiling
	}
	l.limiter.SetLimitAt(now, limit)
}
