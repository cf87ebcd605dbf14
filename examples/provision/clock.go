package main

import (
	"context"
	"time"
)

// clock is time that may run faster than the world's. The simulator, the client's pacing and the job share one, so that all agree on what a
// minute is.
type clock struct {
	began time.Time
	speed float64
}

// realTime is the world's time.
func realTime() *clock { return fastTime(1) }

// fastTime runs a number of times faster than the world's time, from now on.
func fastTime(speed float64) *clock { return &clock{began: time.Now(), speed: speed} }

// Now returns the time on this clock.
func (c *clock) Now() time.Time {
	return c.began.Add(time.Duration(float64(time.Since(c.began)) * c.speed))
}

// Sleep waits for a time on this clock.
func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(c.real(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// After sends on the channel when a time on this clock has passed.
func (c *clock) After(d time.Duration) <-chan time.Time { return time.After(c.real(d)) }

// real returns how long a time on this clock takes in the world, rounded up so that it has passed on the clock, too.
func (c *clock) real(d time.Duration) time.Duration {
	return time.Duration(float64(d)/c.speed) + time.Microsecond
}
