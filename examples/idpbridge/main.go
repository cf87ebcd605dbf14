// Idpbridge accepts SCIM from an identity provider, such as Entra or Okta, and has every change in Postman seconds later.
//
//	go run ./examples/idpbridge      # on http://127.0.0.1:8880/scim/v2, into a simulated Postman; it prints what to try with curl
//	go run ./examples/idpbridge -h   # how to use it with a real one
//
// What an identity provider was told is stored in a database is sent on, also when the program is killed in between, and when Postman is
// down for a day. The whole is these lines, see newBridge:
//
//	feed := server.NewFeed(10_000, nil)
//	handler, err := server.New(store, server.Options{Authenticator: tokens, Hooks: server.Hooks{After: feed.Record}})
//	source, err := serverstore.New(store, serverstore.Options{Feed: feed})
//	job, err := provision.New(provision.Config{
//		Name: "postman", Source: source, Target: provision.NewClientTarget(client), State: state, Mappings: mappings,
//		Policy: serverstore.Policy(), Trigger: source.Trigger(ctx, time.Second),
//	})
//	go job.Run(ctx)
//	http.ListenAndServe(addr, handler)
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/provision"
)

// Exit statuses.
const (
	exitStopped = iota
	exitFailed
	exitUsage
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once, so that nobody has to wait for a slow service.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, world{getenv: os.Getenv, stdout: os.Stdout, stderr: os.Stderr}, os.Args[1:]))
}

// world is what the program gets from outside.
type world struct {
	getenv         func(string) string
	stdout, stderr io.Writer
	// clock is the time by which requests to the application are sent and repeated, nil for the machine's.
	clock interface {
		client.Clock
		provision.Clock
	}
}

// run runs the bridge until ctx is done.
func run(ctx context.Context, w world, args []string) int {
	o, err := parseOptions(args, w)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitStopped
	case err != nil:
		return exitUsage
	}
	if err := serve(ctx, o, w); err != nil {
		fmt.Fprintf(w.stderr, "idpbridge: %s\n", strings.TrimPrefix(err.Error(), "provision: "))
		return exitFailed
	}
	return exitStopped
}
