// Scimserver is a SCIM 2.0 service with users, the enterprise extension and groups, kept in a SQLite file or in
// memory.
//
//	go run ./examples/scimserver      # on http://127.0.0.1:8880/scim/v2, with a token that it prints
//	go run ./examples/scimserver -h   # what else it can do
//
// It is for trying clients and identity providers, for conformance suites, and as a pattern for a service of one's own: see serve.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit statuses.
const (
	exitStopped = iota
	exitFailed
	exitUsage
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once, so that nobody has to wait for slow clients.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Getenv("SCIM_TOKEN"), os.Stdout, os.Stderr))
}

// run runs the service until ctx is done. tokens is what the environment says about them.
func run(ctx context.Context, args []string, tokens string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, tokens, stdout, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitStopped
	case err != nil:
		return exitUsage
	}
	if err := serve(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "scimserver: %v\n", err)
		return exitFailed
	}
	return exitStopped
}
