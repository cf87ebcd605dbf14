package server_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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
		if events, err := feed.After(t.Context(), 1); err != nil || len(events) != 3 || events[0].Sequence != 2 || events[2].Sequence != 4 {
			t.Errorf("a feed that is full has %+v, %v, want the events 2 to 4", events, err)
		}
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

// Every kind of change is in the feed, those of bulk requests, too, and what was refused or changed nothing is not.
func TestFeedHasAllChanges(t *testing.T) {
	feed := server.NewFeed(100, func() time.Time { return testTime })
	s := newService(t, func(o *server.Options) { o.Hooks.After = feed.Record })
	s.user("a")
	s.user("b")
	s.create("/Groups", `{"displayName":"G","members":[{"value":"1"},{"value":"2"}]}`)
	user := func(kind server.ChangeKind, id string) server.Event {
		return server.Event{Kind: kind, Key: server.Key{Type: "User", ID: id}}
	}
	group := func(e server.Event) server.Event {
		e.Key = server.Key{Type: "Group", ID: "3"}
		return e
	}
	for _, tt := range []struct {
		name string
		do   func()
		want []server.Event
	}{
		{"PUT", func() { s.send("PUT", "/Users/1", `{"userName":"a","title":"T"}`).want(200) }, []server.Event{user(server.Replaced, "1")}},
		{"PUT of the same", func() { s.send("PUT", "/Users/1", `{"userName":"a","title":"T"}`).want(200) }, nil},
		{"PATCH", func() { s.patch("/Users/1", `{"op":"remove","path":"title"}`) }, []server.Event{user(server.Patched, "1")}},
		{"PATCH that is refused", func() { s.patch("/Users/1", `{"op":"remove","path":"userName"}`).want(400) }, nil},
		{"create that is refused", func() { s.send("POST", "/Users", `{"userName":"a"}`).want(409) }, nil},
		{
			"PATCH that sets all members",
			func() { s.patch("/Groups/3", `{"op":"replace","path":"members","value":[{"value":"2"}]}`) },
			[]server.Event{group(server.Event{Kind: server.Patched, MembersRemoved: []string{"1"}})},
		},
		{
			"PUT of a group",
			func() {
				s.send("PUT", "/Groups/3", `{"displayName":"G","members":[{"value":"1"},{"value":"2"}]}`).want(200)
			},
			[]server.Event{group(server.Event{Kind: server.Replaced, MembersAdded: []string{"1"}})},
		},
		{
			"delete of a member", func() { s.send("DELETE", "/Users/1", "").want(204) },
			[]server.Event{user(server.Deleted, "1"), group(server.Event{Kind: server.MembersLeft, MembersRemoved: []string{"1"}})},
		},
		{
			"bulk",
			func() {
				s.send("POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[`+
					`{"method":"PATCH","path":"/Users/2","data":{"Operations":[{"op":"add","path":"title","value":"T"}]}},{"method":"DELETE","path":"/Groups/3"}]}`).want(200)
			},
			[]server.Event{user(server.Patched, "2"), group(server.Event{Kind: server.Deleted, MembersReset: true})},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := feed.Last()
			tt.do()
			var got []server.Event
			if feed.Last() > before {
				var err error
				if got, err = feed.After(t.Context(), before); err != nil {
					t.Fatal(err)
				}
			}
			for i := range tt.want {
				tt.want[i].Sequence, tt.want[i].Time = before+uint64(i)+1, testTime
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}
