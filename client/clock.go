package client

import (
	"context"
	"time"
)

// Clock is where a [Client] takes the time from and how it waits. The default is the computer's clock; a test or a simulation gives
// its own with [WithClock]. Its methods are called from several goroutines.
//
// The clock rules rate limits, waits between attempts and dates in Retry-After. The time that one attempt may take, and the deadline
// of a context, are always the computer's.
type Clock interface {
	Now() time.Time
	// Sleep returns nil after d, or the cause of ctx as soon as ctx is done.
	Sleep(ctx context.Context, d time.Duration) error
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
