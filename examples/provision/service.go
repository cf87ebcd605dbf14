package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/catalog"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/source/csv"
	"github.com/scimbridge/scim/provision/state/sqlite"
)

// bridge is a directory, a service, and a job between them.
type bridge struct {
	job      *provision.Job
	source   provision.Source
	mappings []*mapping.Mapping
	state    *sqlite.Store
	log      *os.File
}

// wiring is what a bridge is made of.
type wiring struct {
	tenantURL, key string
	users, groups  string
	state, log     string
	profile        *profiles.Profile
	mappings       []mapping.ObjectMapping
	interval       time.Duration
	notify         provision.Notifier
	clock          *clock
	report         *report
	// local says that neither the directory nor the service is asked anything.
	local bool
}

func connect(w wiring) (*bridge, error) {
	options := []client.Option{client.WithProfile(w.profile), client.WithClock(w.clock)}
	if !w.local {
		options = append(options, client.WithBearerToken(w.key))
	}
	service, err := client.New(w.tenantURL, options...)
	if err != nil {
		return nil, err
	}
	b := &bridge{}
	if b.mappings, err = compile(w); err != nil {
		return nil, err
	}
	if b.source, err = openDirectory(w, b.mappings); err != nil {
		return nil, err
	}
	if b.state, err = sqlite.Open(w.state); err != nil {
		return nil, err
	}
	var sinks []provision.LogSink
	if !w.local {
		// The log tells who works where: only its owner may read it.
		if b.log, err = os.OpenFile(w.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
			return nil, errors.Join(err, b.close())
		}
		sinks = append(sinks, provision.JSONLines(b.log))
	}
	b.job, err = provision.New(provision.Config{
		Name:       jobName(w.tenantURL),
		Source:     b.source,
		Target:     provision.NewClientTarget(service),
		State:      b.state,
		Mappings:   b.mappings,
		Interval:   w.interval,
		Sinks:      sinks,
		Progress:   w.report.progress,
		Notify:     w.notify,
		CycleEnded: w.report.cycleEnded,
		Clock:      w.clock,
	})
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

// jobName names a job after its service, so that a state file used for another service holds nothing of this one: what one has, the
// other lacks. The state makes a file name of it.
func jobName(tenantURL string) string {
	address, _, _ := strings.Cut(tenantURL, "?")
	if _, after, found := strings.Cut(address, "://"); found {
		address = after
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(":/\\", r) {
			return '-'
		}
		return r
	}, strings.TrimRight(address, "/"))
}

func (b *bridge) close() error {
	err := b.state.Close()
	if b.log != nil {
		err = errors.Join(err, b.log.Close())
	}
	return err
}

// openDirectory reads people and groups from CSV files, which must have all columns that the mappings read. Without a file of groups
// there are none, and those of the service are left alone.
func openDirectory(w wiring, mappings []*mapping.Mapping) (provision.Source, error) {
	if w.local {
		return csv.New()
	}
	tables := []csv.Table{{
		Type: "User", File: w.users, ID: "employeeId", Booleans: []string{"accountEnabled"}, Require: columns(mappings, "User"),
	}}
	if w.groups != "" {
		tables = append(tables, csv.Table{
			Type: "Group", File: w.groups, ID: "groupId", Lists: map[string]string{"members": ";"}, Require: columns(mappings, "Group"),
		})
	}
	return csv.New(tables...)
}

// columns returns the columns that the mappings of a type read.
func columns(mappings []*mapping.Mapping, objectType string) []string {
	var names []string
	for _, m := range mappings {
		if m.Definition().Source != objectType {
			continue
		}
		for _, name := range m.SourceAttributes() {
			// Whether somebody has left is worked out by the job.
			if !strings.EqualFold(name, "IsSoftDeleted") {
				names = append(names, name)
			}
		}
	}
	return names
}

// compile makes the mappings ready, those of groups only where there are groups.
func compile(w wiring) ([]*mapping.Mapping, error) {
	var compiled []*mapping.Mapping
	for _, definition := range w.mappings {
		if definition.Source == "Group" && w.groups == "" && !w.local {
			continue
		}
		m, err := mapping.Compile(definition, mapping.WithProfile(w.profile))
		if err != nil {
			return nil, err
		}
		compiled = append(compiled, m)
	}
	return compiled, nil
}

// runService provisions into a real service.
func runService(ctx context.Context, o *options, stdout io.Writer, c *clock) (inStep bool, err error) {
	profile, err := loadProfile(o.profile)
	if err != nil {
		return false, err
	}
	mappings, err := loadMappings(o.mapping)
	if err != nil {
		return false, err
	}
	if o.local() {
		if err := checkState(o.state); err != nil {
			return false, err
		}
	}
	r := newReport(stdout, o.quiet)
	b, err := connect(wiring{
		tenantURL: o.tenantURL, key: os.Getenv(o.tokenEnv), users: o.users, groups: o.groups,
		state: o.state, log: o.log, profile: profile, mappings: mappings, interval: o.interval, notify: o.notifier(),
		clock: c, report: r, local: o.local(),
	})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if o.local() {
		return administer(ctx, b, o, r)
	}
	if err := b.job.TestConnection(ctx); err != nil {
		if o.plan || o.onDemand != "" || ctx.Err() != nil {
			return false, err
		}
		// The cycle ends with it as well. So it is in the status, and those who are to be told are told.
		_, _ = cycle(ctx, b.job, r)
		return false, err
	}
	r.say("Test Connection: %s accepts the key.", o.tenantURL)
	switch {
	case o.plan:
		return true, showPlan(ctx, b.job, stdout)
	case o.onDemand != "":
		return provisionOnDemand(ctx, b, o.onDemand, o.members, r)
	case o.interval > 0:
		err = b.job.Run(ctx)
		return r.inStep, err
	}
	summary, err := cycle(ctx, b.job, r)
	if err != nil {
		return false, err
	}
	r.end(o.log, o.state)
	return summary.InStep(), nil
}

func showPlan(ctx context.Context, job *provision.Job, stdout io.Writer) error {
	plan, err := job.Plan(ctx)
	if err != nil {
		return err
	}
	_, err = plan.WriteTo(stdout)
	return err
}

// cycle shows the plan in short, runs one cycle, and reports it.
func cycle(ctx context.Context, job *provision.Job, r *report) (*provision.Summary, error) {
	switch plan, err := job.Plan(ctx); {
	case err == nil:
		r.plan(plan)
	case ctx.Err() != nil || errors.Is(err, provision.ErrBusy):
		return nil, err
	}
	// What kept the plan from being made ends the cycle, too. A plan leaves nothing behind; the cycle is in the status, and administrators are told.
	summary, err := job.RunCycle(ctx)
	r.progressDone()
	if summary != nil {
		r.summary(summary)
	}
	return summary, err
}

// loadProfile takes a profile of the catalog by its name, or a file.
func loadProfile(name string) (*profiles.Profile, error) {
	if slices.Contains(catalog.Names(), name) {
		return catalog.Profile(name)
	}
	return profiles.Load(name)
}

func loadMappings(file string) ([]mapping.ObjectMapping, error) {
	if file == "" {
		f, err := mapping.Decode(postman.MappingJSON())
		return f.Mappings, err
	}
	f, err := mapping.Load(file)
	if err != nil {
		return nil, fmt.Errorf("read mappings: %w", err)
	}
	return f.Mappings, nil
}
