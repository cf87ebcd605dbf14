package server

import (
	"context"
	"sync"
	"time"
)

// requestContext is the context of one request. It is that of [context.WithDeadline], but makes the timer when somebody waits for it:
// most requests are answered without anyone waiting, and the timer would be a good part of their cost.
type requestContext struct {
	context.Context // that of the HTTP request
	info            *RequestInfo
	deadline        time.Time // zero for none

	mu     sync.Mutex
	timed  context.Context // with the timer, once made
	cancel context.CancelFunc
	ended  bool
}

type infoKey struct{}

// Value returns what is known about the request, for [Info].
func (c *requestContext) Value(key any) any {
	if _, ok := key.(infoKey); ok {
		return c.info
	}
	return c.Context.Value(key)
}

// Deadline returns the earlier of the request's deadline and its own.
func (c *requestContext) Deadline() (time.Time, bool) {
	outer, ok := c.Context.Deadline()
	if c.deadline.IsZero() || ok && outer.Before(c.deadline) {
		return outer, ok
	}
	return c.deadline, true
}

// Done returns a channel that is closed when the time is over, the client has gone, or the request has been answered.
func (c *requestContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed == nil {
		if c.deadline.IsZero() {
			c.timed, c.cancel = context.WithCancel(c.Context)
		} else {
			c.timed, c.cancel = context.WithDeadline(c.Context, c.deadline)
		}
		if c.ended {
			c.cancel()
		}
	}
	return c.timed.Done()
}

// Err returns why Done is closed, or would be.
func (c *requestContext) Err() error {
	c.mu.Lock()
	timed, ended := c.timed, c.ended
	c.mu.Unlock()
	switch {
	case timed != nil:
		return timed.Err()
	case c.Context.Err() != nil:
		return c.Context.Err()
	case ended:
		return context.Canceled
	case !c.deadline.IsZero() && !time.Now().Before(c.deadline):
		// Who sees this error expects Done to be closed.
		<-c.Done()
		return context.DeadlineExceeded
	}
	return nil
}

// end frees what the context holds.
func (c *requestContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.cancel != nil {
		c.cancel()
	}
}
