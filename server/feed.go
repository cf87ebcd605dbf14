package server

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Feed keeps the latest changes for programs that follow them, such as a bridge to another service. Its method Record is for
// [Hooks.After]. Make one with [NewFeed]; it is safe for concurrent use.
//
// A Feed is memory: it forgets the oldest events when it is full, and all when the process ends. A follower that was too slow
// gets [ErrFeedGap], reads everything once, and goes on from [Feed.Last].
type Feed struct {
	now func() time.Time

	mu sync.Mutex
	// events is a ring: the event with the number n is at (n-1) mod its length.
	events []Event
	last   uint64
	// changed is closed when there is a new event.
	changed chan struct{}
}

// Event is one change. It has no document: a follower reads the resource as it is now.
type Event struct {
	// Sequence numbers events from 1, without gaps.
	Sequence uint64
	Time     time.Time
	Kind     ChangeKind
	Key      Key
	// MembersAdded and MembersRemoved are the ids of members that a group gained and lost.
	MembersAdded, MembersRemoved []string
	// MembersReset says that a group lost all members that it had.
	MembersReset bool
}

// ErrFeedGap says that events have been forgotten before they were read.
var ErrFeedGap = errors.New("server: the feed no longer has the events asked for")

// NewFeed returns a feed of the latest events, of which it keeps size, at least 1. A nil now means [time.Now].
func NewFeed(size int, now func() time.Time) *Feed {
	if now == nil {
		now = time.Now
	}
	return &Feed{now: now, events: make([]Event, max(1, size)), changed: make(chan struct{})}
}

// Record adds a change.
func (f *Feed) Record(_ context.Context, c Change) {
	e := Event{Time: f.now(), Kind: c.Kind, Key: c.Key, MembersRemoved: c.Members.Remove, MembersReset: c.Members.Reset}
	for _, element := range c.Members.Add {
		if value, ok := MemberValue(element); ok {
			e.MembersAdded = append(e.MembersAdded, value)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	e.Sequence = f.last
	f.events[(f.last-1)%uint64(len(f.events))] = e
	close(f.changed)
	f.changed = make(chan struct{})
}

// Last returns the number of the latest event, 0 when there was none.
func (f *Feed) Last() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// After returns the events after a sequence number, at least one: it waits until there is one, or ctx is done. It returns ErrFeedGap
// when some of them have been forgotten, or when there was no such number yet.
func (f *Feed) After(ctx context.Context, sequence uint64) ([]Event, error) {
	for {
		events, changed, err := f.since(sequence)
		if err != nil || len(events) > 0 {
			return events, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

func (f *Feed) since(sequence uint64) ([]Event, <-chan struct{}, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	size := uint64(len(f.events))
	if sequence > f.last || f.last-sequence > size {
		return nil, nil, ErrFeedGap
	}
	events := make([]Event, 0, f.last-sequence)
	for n := sequence; n < f.last; n++ {
		events = append(events, f.events[n%size])
	}
	return events, f.changed, nil
}
