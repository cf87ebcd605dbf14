package server_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/server"
)

func TestFeedFollowsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := server.NewFeed(3, nil)
		s := newService(t, func(o *server.Options) { o.Hooks.After = feed.Record })
		got := make(chan []server.Event)
		go func() {
			events, err := feed.After(t.Context(), 0)
			if err != nil {
				t.Error(err)
			}
			got <- events
		}()
		synctest.Wait() // the follower waits now
		s.user("a")
		events := <-got
		if len(events) != 1 || events[0].Kind != server.Created || events[0].Key != (server.Key{Type: "User", ID: "1"}) {
			t.Errorf("after a create the feed has %+v", events)
		}
		s.create("/Groups", `{"displayName":"G","members":[{"value":"1"}]}`)
		s.patch("/Groups/2", `{"op":"remove","path":"members[value eq \"1\"]"}`)
		s.patch("/Groups/2", `{"op":"remove","path":"members[value eq \"1\"]"}`) // changes nothing
		events, err := feed.After(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		want := []server.Event{
			{Sequence: 2, Kind: server.Created, Key: server.Key{Type: "Group", ID: "2"}, MembersAdded: []string{"1"}},
			{Sequence: 3, Kind: server.Patched, Key: server.Key{Type: "Group", ID: "2"}, MembersRemoved: []string{"1"}},
		}
		for i := range events {
			want[i].Time = events[i].Time
		}
		if diff := cmp.Diff(want, events); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		s.user("b")
		if _, err := feed.After(t.Context(), 0); !errors.Is(err, server.ErrFeedGap) {
			t.Errorf("asking for a forgotten event gives %v, want ErrFeedGap", err)
		}
		if _, err := feed.After(t.Context(), 9); !errors.Is(err, server.ErrFeedGap) {
			t.Errorf("asking for what was never sent gives %v, want ErrFeedGap", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := feed.After(ctx, feed.Last()); !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want that of the context", err)
		}
	})
}
