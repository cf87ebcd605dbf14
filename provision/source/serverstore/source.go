package serverstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/source/internal/resource"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

// Options say what of a store is read. The zero value reads all users and groups of a store with one tenant, in full each time.
type Options struct {
	// Feed is where the server tells of changes. Without it everything is read in each cycle.
	Feed *server.Feed
	// Tenant is whose resources are read, as in [server.Identity].
	Tenant string
	// ResourceTypes are those of the server. Nil means users and groups.
	ResourceTypes []server.ResourceType
	// FullEvery is how often everything is read although the feed has all changes: 24 hours when 0, never when negative.
	FullEvery time.Duration
	// Now is the clock, and NewID makes a text unlike all before. Nil means the machine's, and random.
	Now   func() time.Time
	NewID func() string
}

// Source reads the resources in a store. It is a [provision.ChangeSource]. Like any source it is for one job at a time; its feed
// and its store may be used by others meanwhile.
type Source struct {
	store   server.Store
	options Options
	types   map[string]*schema.Schema
	// id tells watermarks of this source from those of others, also of other processes.
	id string
}

var _ provision.ChangeSource = (*Source)(nil)

// New returns a source of the resources in a store. It returns an error when the schema of a resource type is malformed.
func New(store server.Store, options Options) (*Source, error) {
	if options.ResourceTypes == nil {
		options.ResourceTypes = []server.ResourceType{server.UserType(), server.GroupType()}
	}
	if options.FullEvery == 0 {
		options.FullEvery = 24 * time.Hour
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.NewID == nil {
		options.NewID = rand.Text
	}
	s := &Source{store: store, options: options, types: map[string]*schema.Schema{}, id: options.NewID()}
	for _, t := range options.ResourceTypes {
		compiled, err := schema.Compile(t.Schema, t.Extensions...)
		if err != nil {
			return nil, fmt.Errorf("serverstore: resource type %s: %w", t.Name, err)
		}
		s.types[t.Name] = compiled
	}
	return s, nil
}

// Policy returns a policy that suits the resources of a service: they are enabled by active, and what is no longer there was deleted. Its
// fields can be changed. Failed objects are tried again sooner than Entra's provisioning does, as the change that failed does not come
// a second time: within minutes at first, and each hour after that. Quarantine lets a job try again every quarter of an hour at least.
func Policy() provision.Policy {
	return provision.Policy{
		Enabled: "active", Vanished: provision.LeaveDelete, Deleted: provision.LeaveDelete,
		Escrow: provision.Escrow{
			After: []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}, Every: time.Hour,
		},
		Quarantine: provision.Thresholds{MaxInterval: 15 * time.Minute},
	}
}

// pageSize is how many resources are read at a time.
const pageSize = 500

// Entries yields every resource of a type.
func (s *Source) Entries(ctx context.Context, objectType string) iter.Seq2[provision.Entry, error] {
	return func(yield func(provision.Entry, error) bool) {
		compiled, ok := s.types[objectType]
		if !ok {
			return
		}
		if err := s.entries(ctx, objectType, compiled, func(e provision.Entry) bool { return yield(e, nil) }); err != nil {
			yield(provision.Entry{}, err)
		}
	}
}

func (s *Source) entries(ctx context.Context, objectType string, compiled *schema.Schema, yield func(provision.Entry) bool) error {
	var seen resource.Seen
	began := s.last()
	q := server.Query{Tenant: s.options.Tenant, Type: objectType, Schema: compiled, Limit: pageSize}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := s.store.Query(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Resources {
			r := &page.Resources[i]
			if seen.Mark(r.ID, 1) == 0 && !yield(s.entry(r)) {
				return nil
			}
		}
		if page.Next == "" {
			break
		}
		q.After = page.Next
	}
	return s.moved(ctx, objectType, began, func(r *server.Resource) bool {
		return seen.Mark(r.ID, 1) != 0 || yield(s.entry(r))
	})
}

// moved yields what was changed during a read: a store may pass over a resource that changes between two pages, and whoever is passed over
// looks like somebody who left.
func (s *Source) moved(ctx context.Context, objectType string, began uint64, yield func(*server.Resource) bool) error {
	changed, err := s.changed(ctx, objectType, began)
	if err != nil {
		return fmt.Errorf("more was changed during the read than the feed can hold: %w", err)
	}
	found, err := s.get(ctx, objectType, changed)
	if err != nil {
		return err
	}
	for _, id := range changed {
		if r := found[id]; r != nil && !yield(r) {
			return nil
		}
	}
	return nil
}

// entry makes an entry of a resource as a client would see it.
func (s *Source) entry(r *server.Resource) provision.Entry {
	return resource.Entry(s.types[r.Type].Project(r.Document, schema.Projection{}), []string{"groups"})
}

// Lookup returns those of the resources that exist.
func (s *Source) Lookup(ctx context.Context, objectType string, ids []string) ([]provision.Entry, error) {
	if s.types[objectType] == nil {
		return nil, nil
	}
	found, err := s.get(ctx, objectType, ids)
	if err != nil {
		return nil, err
	}
	var entries []provision.Entry
	for _, id := range ids {
		if r := found[id]; r != nil {
			entries = append(entries, s.entry(r))
			delete(found, id) // an id that is there twice is one resource
		}
	}
	return entries, nil
}

// get returns those of the resources that exist, by their ids.
func (s *Source) get(ctx context.Context, objectType string, ids []string) (map[string]*server.Resource, error) {
	found := map[string]*server.Resource{}
	keys := make([]server.Key, len(ids))
	for i, id := range ids {
		keys[i] = server.Key{Tenant: s.options.Tenant, Type: objectType, ID: id}
	}
	if batch, ok := s.store.(server.BatchStore); ok {
		for chunk := range slices.Chunk(keys, pageSize) {
			resources, err := batch.GetMany(ctx, chunk)
			if err != nil {
				return nil, err
			}
			for i := range resources {
				found[resources[i].ID] = &resources[i]
			}
		}
		return found, nil
	}
	for _, key := range keys {
		r, err := s.store.Get(ctx, key)
		if errors.Is(err, server.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found[key.ID] = &r
	}
	return found, nil
}

// watermark is a place in the feed of one process.
type watermark struct {
	Source   string `json:"s"`
	Sequence uint64 `json:"n"`
	// Period numbers the spans of Options.FullEvery.
	Period int64 `json:"p,omitzero"`
}

// Watermark returns the number of the latest change in the feed.
func (s *Source) Watermark(context.Context) (string, error) {
	data, err := json.Marshal(watermark{s.id, s.last(), s.period()})
	return string(data), err
}

func (s *Source) last() uint64 {
	if s.options.Feed == nil {
		return 0
	}
	return s.options.Feed.Last()
}

func (s *Source) period() int64 {
	if s.options.FullEvery < 0 {
		return 0
	}
	return s.options.Now().UnixNano() / int64(s.options.FullEvery)
}

// Changes yields the resources that the feed says were changed since a watermark, as they are now, and those that were deleted. It yields
// [provision.ErrWatermarkExpired] when the feed does not have all changes since then.
func (s *Source) Changes(ctx context.Context, objectType, since string) iter.Seq2[provision.Entry, error] {
	return func(yield func(provision.Entry, error) bool) {
		if s.types[objectType] == nil {
			return
		}
		var w watermark
		err := json.Unmarshal([]byte(since), &w)
		if err != nil || s.options.Feed == nil || w.Source != s.id || w.Period != s.period() {
			yield(provision.Entry{}, provision.ErrWatermarkExpired)
			return
		}
		changed, err := s.changed(ctx, objectType, w.Sequence)
		if errors.Is(err, server.ErrFeedGap) {
			err = provision.ErrWatermarkExpired
		}
		if err == nil {
			err = s.yieldChanged(ctx, objectType, changed, yield)
		}
		if err != nil {
			yield(provision.Entry{}, err)
		}
	}
}

func (s *Source) yieldChanged(ctx context.Context, objectType string, ids []string, yield func(provision.Entry, error) bool) error {
	for chunk := range slices.Chunk(ids, pageSize) {
		found, err := s.get(ctx, objectType, chunk)
		if err != nil {
			return err
		}
		for _, id := range chunk {
			e := provision.Entry{ID: id, Deleted: true}
			if r := found[id]; r != nil {
				e = s.entry(r)
			}
			if !yield(e, nil) {
				return nil
			}
		}
	}
	return nil
}

// changed returns the ids of the resources that the feed says were changed after a number, each once.
func (s *Source) changed(ctx context.Context, objectType string, after uint64) ([]string, error) {
	if after == s.last() {
		return nil, ctx.Err()
	}
	// There is an event, or a gap: this does not wait.
	events, err := s.options.Feed.After(ctx, after)
	if err != nil {
		return nil, err
	}
	var ids []string
	known := map[string]bool{}
	for _, e := range events {
		if s.concerns(e) && e.Key.Type == objectType && !known[e.Key.ID] {
			known[e.Key.ID] = true
			ids = append(ids, e.Key.ID)
		}
	}
	return ids, nil
}

func (s *Source) concerns(e server.Event) bool {
	return e.Key.Tenant == s.options.Tenant && s.types[e.Key.Type] != nil
}

// Trigger returns a channel that receives when something was changed, for [provision.Config]. Changes that come within settle of the first
// one are announced together with it, so that a person and its memberships take one cycle. The channel receives until ctx ends;
// it is never closed. Without a feed it never receives.
func (s *Source) Trigger(ctx context.Context, settle time.Duration) <-chan struct{} {
	triggered := make(chan struct{}, 1)
	if s.options.Feed != nil {
		go s.follow(ctx, settle, s.options.Feed.Last(), triggered)
	}
	return triggered
}

func (s *Source) follow(ctx context.Context, settle time.Duration, sequence uint64, triggered chan<- struct{}) {
	for {
		events, err := s.options.Feed.After(ctx, sequence)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			sequence = events[len(events)-1].Sequence
			if !slices.ContainsFunc(events, s.concerns) {
				continue
			}
		}
		if settle > 0 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(settle):
			}
		}
		// What came meanwhile, or was forgotten, is read by the cycle that begins now.
		sequence = s.options.Feed.Last()
		select {
		case triggered <- struct{}{}:
		default: // a cycle is due already
		}
	}
}
