// Probe finds out what a SCIM service can do by asking it, and writes it down as a profile.
//
//	go run ./examples/probe -h
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

	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles/discover"
)

// Exit statuses.
const (
	exitDone = iota
	exitFailed
	exitUsage
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		return exitUsage
	}
	if err := probe(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "probe: %v\n", err)
		return exitFailed
	}
	return exitDone
}

// probe asks the service, and writes the profile and what there is to say of it.
func probe(ctx context.Context, o *options, stdout, stderr io.Writer) error {
	var known *comparison
	if o.compare != "" {
		var err error
		if known, err = loadComparison(o.compare); err != nil {
			return err
		}
	}
	progress := func(step string) { fmt.Fprintf(stderr, "… %s\n", step) }
	if o.quiet {
		progress = nil
	}
	report, err := discover.Probe(ctx, o.tenantURL, discover.Options{
		Name: o.name, Title: o.title, AllowWrites: o.allowWrites, Domain: o.domain, Progress: progress,
	}, client.WithBearerToken(os.Getenv(o.tokenEnv)))
	if report != nil {
		tellLeft(stderr, report)
	}
	if err != nil {
		return err
	}
	data, err := report.Profile.Encode()
	if err != nil {
		return err
	}
	if o.out == "" {
		tell(stderr, report, known)
		_, err = stdout.Write(data)
		return err
	}
	if err := os.WriteFile(o.out, data, 0o644); err != nil {
		return err
	}
	tell(stdout, report, known)
	fmt.Fprintf(stdout, "\nThe profile is in %s.\n", o.out)
	return nil
}
