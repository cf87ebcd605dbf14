package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/examples/provision/directory"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
)

// simulation is a Postman team on this machine.
type simulation struct {
	*postmantest.Simulator
	url  string
	http *http.Server
}

// startSimulator starts the simulator on a port of the loopback interface, with accounts in it that were there before.
func startSimulator(ctx context.Context, c *clock) (*simulation, error) {
	simulator, err := postmantest.New(postmantest.Options{Now: c.Now, VerifiedDomains: []string{"meridian.example"}})
	if err != nil {
		return nil, err
	}
	if _, err := simulator.Seed(accountsBefore()...); err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &simulation{Simulator: simulator, url: "http://" + listener.Addr().String() + postmantest.BasePath + "/"}
	s.http = &http.Server{Handler: simulator, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.http.Serve(listener) }() // ends with stop
	return s, nil
}

func (s *simulation) stop() { _ = s.http.Close() }

// accountsBefore are the accounts that the team had before provisioning began: people who are in the directory, one of them under an old
// name and one who has left since, and two accounts that are nobody's in the directory and must be left alone.
func accountsBefore() []scim.User {
	user := func(userName, given, family string) scim.User {
		return scim.User{
			UserName: userName, Name: &scim.Name{GivenName: given, FamilyName: family}, Active: scim.Bool(true),
		}
	}
	return []scim.User{
		user("harper.whitmore@meridian.example", "Harper", "Whitmore"),
		user("zoe.saint-exupery@meridian.example", "Zoe", "Saint Exupery"), // without her accents
		user("inaki.simoes@meridian.example", "Iñaki", "Simões"),           // the directory writes it with capitals
		user("giorgos.nikolaou3@meridian.example", "Γιώργος", "Νικολάου"),  // switched off in the directory
		user("ci-bot@meridian.example", "CI", "Bot"),
		user("auditor@partner.example", "External", "Auditor"),
	}
}

// runDemo shows what the program does, without anything outside this machine.
func runDemo(ctx context.Context, o *options, stdout io.Writer, c *clock) (inStep bool, err error) {
	r := newReport(stdout, o.quiet)
	simulator, err := startSimulator(ctx, c)
	if err != nil {
		return false, err
	}
	defer simulator.stop()
	w, err := demoWiring(simulator, c)
	if err != nil {
		return false, err
	}
	w.report = r
	r.say("A demonstration on this machine. Nothing outside it is touched.\n")
	r.say("  directory  %s, %s", w.users, filepath.Base(w.groups))
	r.say("  service    a Postman simulator at %s with %d accounts in it", simulator.url, len(simulator.Users()))
	r.say("  clock      the simulator's runs %g times as fast as the world's (-speed), and with it Postman's limits of", o.speed)
	r.say("             300 reads and 180 writes a minute\n")
	b, err := connect(w)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.job.TestConnection(ctx); err != nil {
		return false, err
	}
	r.say("Test Connection: the service answers and accepts the key.")
	if o.plan {
		return true, showPlan(ctx, b.job, stdout)
	}
	return demoCycles(ctx, b, w, r)
}

// demoCycles runs the initial cycle, lets the day pass, and runs an incremental one.
func demoCycles(ctx context.Context, b *bridge, w wiring, r *report) (inStep bool, err error) {
	if _, err := cycle(ctx, b.job, r); err != nil {
		return false, err
	}
	r.heading("A day passes in the directory")
	err = liveTheDay(w.users, w.groups, func(news string) { r.say("  - %s", news) })
	if err != nil {
		return false, err
	}
	last, err := cycle(ctx, b.job, r)
	if err != nil {
		return false, err
	}
	r.end(w.log, w.state)
	return last.InStep(), nil
}

// demoWiring puts the directory into a folder of its own, which stays for a look at the log and the state.
func demoWiring(s *simulation, c *clock) (wiring, error) {
	folder, err := os.MkdirTemp("", "scimbridge-provision-")
	if err != nil {
		return wiring{}, err
	}
	w := wiring{
		tenantURL: s.url, key: postmantest.DefaultKey, clock: c, profile: postman.Profile(),
		users: filepath.Join(folder, "people.csv"), groups: filepath.Join(folder, "groups.csv"),
		state: filepath.Join(folder, "state.db"), log: filepath.Join(folder, "provisioning.jsonl"),
	}
	for file, data := range map[string][]byte{w.users: directory.People, w.groups: directory.Groups} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			return wiring{}, err
		}
	}
	f, err := mapping.Decode(postman.MappingJSON())
	if err != nil {
		return wiring{}, fmt.Errorf("the built-in mappings: %w", err)
	}
	w.mappings = f.Mappings
	return w, nil
}
