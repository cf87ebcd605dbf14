package client

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/scimbridge/scim/profiles"
)

// pacer lets requests go when no limit of the service forbids it.
//
// A limit of N requests in a window is kept by N slots. A request takes a slot before it is sent, and the slot is free again one window
// after the answer was received. The service counted the request at some moment in between. So two requests that used the same slot
// were counted a full window apart, however long they were under way, and no window of the service, sliding or fixed, holds more
// than N. A token bucket cannot promise that: requests that leave evenly spaced may arrive close together. The price is the
// time of one answer per window.
//
// Requests that read and requests that write wait in two queues, each first come, first served.
type pacer struct {
	clock Clock
	// patience is the longest that the service may ask to wait before its requests fail at once.
	patience time.Duration
	read     lane
	write    lane

	mu      sync.Mutex
	windows []*window
	// answered is closed and made anew whenever a request has ended.
	answered chan struct{}
}

// window is one limit of the service: at most size requests in any span of the length.
type window struct {
	limit  profiles.RateLimit
	size   int
	length time.Duration
	// used counts the slots that are taken. Those of answered requests become free at the times in free, in order.
	used int
	free []time.Time
}

// permit is the right to send one request. It is given back with [pacer.done].
type permit struct {
	method string
	// sent is when the permit was given, waited how long that took.
	sent   time.Time
	waited time.Duration
	// windows is how many windows there were then: a later one has no slot of this request.
	windows int
}

// margin is added to the length of a window: the clocks of client and service do not tick alike.
func margin(length time.Duration) time.Duration { return length / 1000 }

func newPacer(clock Clock, patience time.Duration, limits []profiles.RateLimit, reads, writes rate.Limit) *pacer {
	p := &pacer{clock: clock, patience: patience, answered: make(chan struct{})}
	p.read.start(reads)
	p.write.start(writes)
	for _, l := range limits {
		if l.Requests > 0 && l.Seconds > 0 {
			p.windows = append(p.windows, &window{limit: l, size: l.Requests, length: l.Window()})
		}
	}
	return p
}

func (p *pacer) lane(method string) *lane {
	if method == http.MethodGet || method == http.MethodHead {
		return &p.read
	}
	return &p.write
}

// blockedError says that the service wants no requests for longer than the client has patience.
type blockedError struct{ wait time.Duration }

func (e *blockedError) Error() string {
	return fmt.Sprintf("the service has asked to wait %v more", e.wait.Round(time.Second))
}

// acquire waits until a request may be sent. It returns the cause of ctx when that is done first, and a [*blockedError] at once when the
// service has asked to wait too long.
func (p *pacer) acquire(ctx context.Context, method string) (permit, error) {
	begin := p.clock.Now()
	l := p.lane(method)
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return permit{}, context.Cause(ctx)
	}
	for {
		if ctx.Err() != nil {
			return permit{}, context.Cause(ctx)
		}
		now := p.clock.Now()
		switch o := p.try(l, method, now); {
		case o.err != nil:
			return permit{}, o.err
		case o.answered != nil:
			select {
			case <-o.answered:
			case <-ctx.Done():
			}
		case o.wait > 0:
			if err := p.clock.Sleep(ctx, o.wait); err != nil {
				return permit{}, err
			}
		default:
			return permit{method: method, sent: now, waited: now.Sub(begin), windows: o.windows}, nil
		}
	}
}

// admission is what try decided. Without error, wait and answered the request may go.
type admission struct {
	err error
	// wait is how long to wait, answered what to wait for, before it is worth another try.
	wait     time.Duration
	answered <-chan struct{}
	// windows is how many windows a slot was taken of.
	windows int
}

// try takes a slot of every limit, or none.
func (p *pacer) try(l *lane, method string, now time.Time) admission {
	p.mu.Lock()
	defer p.mu.Unlock()
	if asked := l.notBefore.Sub(now); asked > p.patience {
		return admission{err: &blockedError{asked}}
	}
	wait := l.pause(now)
	for _, w := range p.windows {
		if !w.limit.Covers(method) {
			continue
		}
		d, ok := w.wait(now)
		if !ok {
			return admission{answered: p.answered}
		}
		wait = max(wait, d)
	}
	if wait == 0 {
		wait = l.reserve(now)
	}
	if wait > 0 {
		return admission{wait: wait}
	}
	for _, w := range p.windows {
		if w.limit.Covers(method) {
			w.used++
		}
	}
	return admission{windows: len(p.windows)}
}

// wait returns how long it takes until a slot is free; ok is false when that depends on a request that is not answered yet.
func (w *window) wait(now time.Time) (d time.Duration, ok bool) {
	expired := 0
	for expired < len(w.free) && !w.free[expired].After(now) {
		expired++
	}
	w.free = w.free[expired:]
	w.used -= expired
	missing := w.used - w.size + 1
	if missing <= 0 {
		return 0, true
	}
	if missing > len(w.free) {
		return 0, false
	}
	return w.free[missing-1].Sub(now), true
}

// done gives back a permit once the request has ended, and learns from the answer: header is nil when there was none, and tooFast is
// set when it said that the pace is too high.
func (p *pacer) done(given permit, status int, header http.Header, retryAfter time.Duration, tooFast bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	for _, w := range p.windows[:given.windows] {
		if w.limit.Covers(given.method) {
			w.free = append(w.free, now.Add(w.length+margin(w.length)))
		}
	}
	l := p.lane(given.method)
	l.underWay--
	if header != nil {
		p.learn(l, given, header, now)
	}
	switch {
	case tooFast:
		l.slowDown(given.sent, now, retryAfter)
	case status == http.StatusServiceUnavailable && retryAfter > 0:
		l.notBefore = later(l.notBefore, now.Add(retryAfter))
	case status > 0 && status != http.StatusTooManyRequests:
		l.speedUp(now)
	}
	close(p.answered)
	p.answered = make(chan struct{})
}

// learn takes over what the service says of its limits, where that is stricter than what is known.
func (p *pacer) learn(l *lane, given permit, header http.Header, now time.Time) {
	said := parseRateHeaders(header, now)
	// What is about a longer time is not for pacing: a day's or a month's quota is used up at any pace, and then a 429 says so.
	if said.limit > 0 && said.window > 0 && said.window <= p.patience {
		p.narrow(l, given.method, said.limit, said.window, now)
	}
	if said.remaining >= 0 && said.reset > 0 && said.reset <= p.patience {
		// Requests that are under way may not be counted in what the service says is left.
		l.left = budget{known: true, requests: said.remaining - l.underWay, reset: now.Add(said.reset)}
	}
}

// narrow makes a limit that the service states hold. It never makes a limit of the profile wider: services have been seen to send the
// figures of another of their limits.
func (p *pacer) narrow(l *lane, method string, size int, length time.Duration, now time.Time) {
	for _, w := range p.windows {
		if w.limit.Covers(method) && w.length == length {
			w.size = min(w.size, size)
			return
		}
	}
	limit := profiles.RateLimit{Name: "stated by the service", Requests: size}
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if p.lane(m) == l {
			limit.Methods = append(limit.Methods, m)
		}
	}
	// What is under way, and what was just answered, counts already.
	w := &window{limit: limit, size: size, length: length, used: l.underWay + 1}
	for range w.used {
		w.free = append(w.free, now.Add(length+margin(length)))
	}
	p.windows = append(p.windows, w)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
