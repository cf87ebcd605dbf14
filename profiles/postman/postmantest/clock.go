package postmantest

import (
	"context"
	"sync"
	"time"
)

// Clock is a virtual clock: its time stands still until it is moved, and whoever sleeps by it moves it instead of waiting. Given to a
// simulator and to the client that talks to it, an hour of rate limits passes in no time:
//
//	clock := postmantest.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
//	srv := postmantest.NewServer(t, postmantest.Options{Clock: clock})
//	c, err := client.New(srv.URL, client.WithBearerToken(srv.Key), client.WithClock(clock), …)
//
// It is safe for concurrent use. Several who sleep at once move it one after the other, by the sum of their times.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows a time.
func NewClock(start time.Time) *Clock { return &Clock{now: start} }

// Now returns the time on the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock forward.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Sleep moves the clock forward by d and returns nil at once, or the cause of ctx when that is done.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c.Advance(max(d, 0))
	return nil
}

// sleep waits in real time.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
