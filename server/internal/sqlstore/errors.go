package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
)

// wrap says what was being done when an error came. Errors that are part of the store's contract stay as they are.
func wrap(doing string, err error) error {
	if err == nil || errors.Is(err, server.ErrNotFound) || errors.Is(err, server.ErrExists) || errors.Is(err, server.ErrVersion) {
		return err
	}
	if _, ok := errors.AsType[*server.TakenError](err); ok {
		return err
	}
	if _, ok := errors.AsType[*scim.Error](err); ok {
		return err
	}
	return fmt.Errorf("sqlstore: %s: %w", doing, err)
}

// Busy returns the error for a database that could not do what it was asked for now, and may be able to soon: 503 with Retry-After.
func Busy(cause error) error {
	return &scim.Error{
		Status: http.StatusServiceUnavailable, Detail: "the directory is busy; try again", RetryAfter: 2 * time.Second, Err: cause,
	}
}

// Patience is how long a database is waited for unless the program says otherwise.
const Patience = 10 * time.Second

// Retry is RetryFor with [Patience].
func Retry(ctx context.Context, again func(error) bool, try func() error) error {
	return RetryFor(ctx, Patience, again, try)
}

// RetryFor calls try until it succeeds, fails for good, or has failed for as long as patience; then the result is [Busy]. Between two
// tries it waits, ever longer. Again says whether an error may be gone at the next try.
func RetryFor(ctx context.Context, patience time.Duration, again func(error) bool, try func() error) error {
	end := time.Now().Add(patience)
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		err := try()
		if err == nil || !again(err) {
			return err
		}
		pause := wait/2 + rand.N(wait)
		if time.Now().Add(pause).After(end) {
			return Busy(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
