package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/catalog"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/source/serverstore"
	"github.com/scimbridge/scim/server"
)

// basePath is where the service for the identity provider is.
const basePath = "/scim/v2"

// feedSize is how many changes may come while a cycle runs, without everything having to be read after it.
const feedSize = 10_000

//go:embed mapping.json
var defaultMapping []byte

// bridge is a service, an application, and a job between the two.
type bridge struct {
	handler http.Handler
	source  *serverstore.Source
	state   provision.State
	job     *provision.Job
	logger  *slog.Logger
	// cycled receives after each cycle, again when one is to be run for another reason than a change.
	cycled, again chan struct{}
	open          closers
}

func (b *bridge) close() error { return b.open.close() }

// newBridge wires the bridge. ctx is how long the job is told of changes.
func newBridge(ctx context.Context, o *options, w world, logger *slog.Logger) (b *bridge, err error) {
	b = &bridge{logger: logger, cycled: make(chan struct{}, 1), again: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	store, err := openStore(ctx, o, &b.open)
	if err != nil {
		return b, err
	}
	feed := server.NewFeed(feedSize, nil)
	if b.handler, err = newHandler(o, store, feed, logger); err != nil {
		return b, err
	}
	if b.source, err = serverstore.New(store, serverstore.Options{Feed: feed, FullEvery: o.fullEvery}); err != nil {
		return b, err
	}
	if b.state, err = openState(ctx, o, &b.open); err != nil {
		return b, err
	}
	config, err := jobConfig(o, w)
	if err != nil {
		return b, err
	}
	config.Source, config.State, config.Logger = b.source, b.state, logger
	config.Trigger = b.triggers(ctx, o.settle)
	config.Sinks = []provision.LogSink{provision.SlogSink(logger)}
	config.CycleEnded = b.cycleEnded
	b.job, err = provision.New(config)
	return b, err
}

// pause is how long until something is tried again that another process, or a database that restarts, stands in the way of.
const pause = 250 * time.Millisecond

// triggers returns a channel that receives when a cycle is to be run.
func (b *bridge) triggers(ctx context.Context, settle time.Duration) <-chan struct{} {
	changes, triggers := b.source.Trigger(ctx, settle), make(chan struct{}, 1)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-changes:
			case <-b.again:
			}
			raise(triggers)
		}
	}()
	return triggers
}

// cycleEnded has a cycle run again soon when another process was running one: it may have read the store before the last change.
func (b *bridge) cycleEnded(_ *provision.Summary, err error) {
	if errors.Is(err, provision.ErrBusy) {
		time.AfterFunc(pause, func() { raise(b.again) })
	}
	raise(b.cycled)
}

// raise sends to a channel that holds one signal, unless it has one.
func raise(to chan<- struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// run runs the job until ctx ends, also over a state that cannot be used for a time: what is accepted meanwhile is in the store.
func (b *bridge) run(ctx context.Context) {
	for {
		err := b.job.Run(ctx)
		if ctx.Err() != nil {
			return
		}
		b.logger.Error("the state cannot be used; it is tried again", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// newHandler returns what the identity provider writes to.
func newHandler(o *options, store server.Store, feed *server.Feed, logger *slog.Logger) (http.Handler, error) {
	scim, err := server.New(store, server.Options{
		Authenticator: server.BearerTokens(o.tokens...),
		BasePath:      basePath,
		BaseURL:       o.baseURL,
		Logger:        logger,
		Hooks:         server.Hooks{After: feed.Record},
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(basePath, scim) // queries of the root
	mux.Handle(basePath+"/", scim)
	return mux, nil
}

// jobConfig is what concerns the application.
func jobConfig(o *options, w world) (provision.Config, error) {
	profile, err := loadProfile(o.profile)
	if err != nil {
		return provision.Config{}, err
	}
	options := []client.Option{client.WithBearerToken(o.key), client.WithProfile(profile)}
	if w.clock != nil {
		options = append(options, client.WithClock(w.clock))
	}
	application, err := client.New(o.tenantURL, options...)
	if err != nil {
		return provision.Config{}, err
	}
	mappings, err := loadMappings(o.mapping, profile)
	if err != nil {
		return provision.Config{}, err
	}
	policy := serverstore.Policy()
	if o.maxDeletes > 0 {
		policy.Deletions = provision.DeletionLimit{Count: o.maxDeletes, Percent: -1}
	}
	config := provision.Config{
		Name: jobName(o.tenantURL), Target: provision.NewClientTarget(application), Mappings: mappings, Policy: policy, Interval: o.interval,
	}
	if w.clock != nil {
		config.Clock = w.clock
	}
	return config, nil
}

// jobName names the job after its application, as examples/provision does, so that the state can be looked at with that.
func jobName(tenantURL string) string {
	address, _, _ := strings.Cut(tenantURL, "?")
	if _, after, found := strings.Cut(address, "://"); found {
		address = after
	}
	return strings.NewReplacer(":", "-", "/", "-", `\`, "-").Replace(strings.TrimRight(address, "/"))
}

// loadProfile takes a profile of the catalog by its name, or a file.
func loadProfile(name string) (*profiles.Profile, error) {
	if slices.Contains(catalog.Names(), name) {
		return catalog.Profile(name)
	}
	return profiles.Load(name)
}

func loadMappings(file string, profile *profiles.Profile) ([]*mapping.Mapping, error) {
	f, err := mapping.Decode(defaultMapping)
	if file != "" {
		f, err = mapping.Load(file)
	}
	if err != nil {
		return nil, fmt.Errorf("read mappings: %w", err)
	}
	var compiled []*mapping.Mapping
	for _, definition := range f.Mappings {
		m, err := mapping.Compile(definition, mapping.WithProfile(profile))
		if err != nil {
			return nil, err
		}
		compiled = append(compiled, m)
	}
	return compiled, nil
}

// testConnection says early when the application cannot be used. The bridge runs all the same: what it accepts meanwhile is sent later.
func (b *bridge) testConnection(ctx context.Context) {
	switch err := b.job.TestConnection(ctx); {
	case ctx.Err() != nil:
	case err != nil:
		b.logger.Error("the application cannot be used; what is accepted is stored, and sent when it can", "error", err)
	default:
		b.logger.Info("the application answers and accepts the key")
	}
}

// begin makes a new attempt at once when the job is in quarantine, as whoever starts the program anew may have mended the cause. A job
// that was paused or disabled stays so.
func (b *bridge) begin(ctx context.Context) error {
	status, err := b.job.Status(ctx)
	if err != nil {
		return err
	}
	switch status.Code {
	case provision.StatusQuarantine:
		if err := b.job.Restart(ctx, provision.ResetQuarantineState); !errors.Is(err, provision.ErrBusy) {
			return err
		}
	case provision.StatusPaused, provision.StatusDisabled:
		b.logger.Warn("nothing is sent on before the job is started again: examples/provision -restart quarantineState", "job", status.Code)
	}
	return nil
}

// drain waits until everything accepted so far has been sent on, and reports whether that was so before ctx ended. It does not wait for an
// application that is known to be unusable.
func (b *bridge) drain(ctx context.Context) (drained bool, err error) {
	for {
		js, err := b.state.Job(ctx, b.job.Name())
		if err != nil {
			return false, ignoreEnd(ctx, err)
		}
		mark, err := b.source.Watermark(ctx)
		switch {
		case err != nil:
			return false, ignoreEnd(ctx, err)
		case js.Watermark == mark:
			return true, nil
		case js.Quarantine != nil:
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-b.cycled:
		}
	}
}

func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// wait bounds what is done after the signal.
func wait(grace time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), grace)
}
