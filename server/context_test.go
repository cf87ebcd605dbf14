package server_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

// contextStore hands the context of each Get to a test.
type contextStore struct {
	server.Store
	get func(context.Context)
}

func (s contextStore) Get(ctx context.Context, _ server.Key, _ ...string) (server.Resource, error) {
	s.get(ctx)
	return server.Resource{}, server.ErrNotFound
}

func TestContextsOfRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept context.Context
		var check func(context.Context)
		s := newServiceOn(t, contextStore{memory.New(), func(ctx context.Context) {
			kept = ctx
			check(ctx)
		}}, func(o *server.Options) { o.Limits.Timeout = time.Minute })

		check = func(ctx context.Context) {
			deadline, ok := ctx.Deadline()
			if !ok || time.Until(deadline) != time.Minute || ctx.Err() != nil {
				t.Errorf("deadline %v %v, error %v", deadline, ok, ctx.Err())
			}
			if info, ok := server.Info(ctx); !ok || info.Operation != "read" || info.ResourceType != "User" {
				t.Errorf("info %+v", info)
			}
			derived, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			<-derived.Done()
			if !errors.Is(derived.Err(), context.DeadlineExceeded) || ctx.Err() != nil {
				t.Errorf("after a second: derived %v, own %v", derived.Err(), ctx.Err())
			}
		}
		s.get("/Users/1").want(404)
		if !errors.Is(kept.Err(), context.Canceled) {
			t.Errorf("after the request the context's error is %v", kept.Err())
		}
		<-kept.Done()

		check = func(ctx context.Context) {
			<-ctx.Done()
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				t.Errorf("waiting ended with %v", ctx.Err())
			}
		}
		s.get("/Users/1").want(404)

		check = func(ctx context.Context) {
			time.Sleep(2 * time.Minute)
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				t.Errorf("after two minutes the error is %v", ctx.Err())
			}
			<-ctx.Done()
		}
		s.get("/Users/1").want(404)

		check = func(context.Context) {}
		s.get("/Users/1").want(404)
		<-kept.Done() // made after the end
		if !errors.Is(kept.Err(), context.Canceled) {
			t.Errorf("a context asked late has the error %v", kept.Err())
		}

		outer, cancel := context.WithCancel(t.Context())
		check = func(ctx context.Context) {
			cancel()
			<-ctx.Done()
			if !errors.Is(ctx.Err(), context.Canceled) {
				t.Errorf("a client that has gone gives %v", ctx.Err())
			}
		}
		s.sendWith(outer, "GET", "/Users/1", "").want(404)
	})
}
