package storetest

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/scimbridge/scim/server"
)

// Failures runs what Run does, and returns what it says about each promise that is broken.
func Failures(t *testing.T, open func() server.Store) map[string][]string {
	patience = time.Second
	failed := make(map[string][]string)
	for _, c := range checks() {
		r := &recorder{TB: t}
		r.run(func() { c.run(&fixture{TB: r, store: open(), ctx: t.Context()}) })
		if r.failures != nil {
			failed[c.name] = r.failures
		}
	}
	return failed
}

// CompareFailures is Failures for Compare.
func CompareFailures(t *testing.T, want, got server.Store, seed uint64, questions int) []string {
	r := &recorder{TB: t}
	r.run(func() { compare(r, want, got, seed, questions) })
	return r.failures
}

// recorder is a test that keeps its failures to itself.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	failures []string
}

// run calls f where Fatal may end it.
func (r *recorder) run(f func()) {
	var wg sync.WaitGroup
	wg.Go(f)
	wg.Wait()
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.TB.Context() }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failures != nil
}

func (r *recorder) Error(args ...any)                 { r.Errorf("%s", fmt.Sprint(args...)) }
func (r *recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...); runtime.Goexit() }
func (r *recorder) Fatal(args ...any)                 { r.Error(args...); runtime.Goexit() }
func (r *recorder) Skip(...any)                       { runtime.Goexit() }
