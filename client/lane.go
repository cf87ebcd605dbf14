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

	// slowed is when the rate was last lowered.
	slowed time.Time
	recent tally
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
	l.underWay++
	l.left.requests--
	return 0
}

// slowDown obeys a 429. When that does not say how long to wait, the rate is lowered, once for all the requests that were under way
// together, to a little under the one at which the service answered in the last minute: that much it has allowed, whatever its limit is.
func (l *lane) slowDown(sent, now time.Time, retryAfter time.Duration) {
	l.notBefore = later(l.notBefore, now.Add(retryAfter))
	if retryAfter > 0 || sent.Before(l.slowed) {
		return
	}
	l.slowed = now
	allowed := rate.Limit(0.9 * float64(l.recent.sum(now)) / tallySeconds)
	l.limiter.SetLimitAt(now, max(slowest, min(l.limiter.Limit(), allowed)))
}

// speedUp takes the rate back towards the ceiling, doubling it every 70 answers.
func (l *lane) speedUp(now time.Time) {
	l.recent.add(now)
	limit := l.limiter.Limit()
	if limit == l.ceiling {
		return
	}
	limit *= 1.01
	if limit >= l.ceiling || limit > 1000 {
		limit = l.ceiling
	}
	l.limiter.SetLimitAt(now, limit)
}

// tallySeconds is how long a tally goes back.
const tallySeconds = 60

// tally counts events of the last minute by the second.
type tally struct {
	counts [tallySeconds]int
	last   int64 // the second that was counted last
}

func (t *tally) add(now time.Time) {
	t.forget(now)
	t.counts[place(now.Unix())]++
}

func (t *tally) sum(now time.Time) int {
	t.forget(now)
	n := 0
	for _, c := range t.counts {
		n += c
	}
	return n
}

// forget clears the seconds that have come up for reuse.
func (t *tally) forget(now time.Time) {
	second := now.Unix()
	if second < t.last-tallySeconds {
		t.last = second - tallySeconds // the clock was put back, and what was counted before says nothing
	}
	for s := max(t.last+1, second-tallySeconds+1); s <= second; s++ {
		t.counts[place(s)] = 0
	}
	t.last = max(t.last, second)
}

// place is where a second is counted, also one before 1970, which is where clocks begin that nobody has set.
func place(second int64) int { return int((second%tallySeconds + tallySeconds) % tallySeconds) }
