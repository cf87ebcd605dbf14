// Provision keeps the users and groups of a SCIM service in step with a directory.
//
//	go run ./examples/provision      # a demonstration that needs nothing
//	go run ./examples/provision -h   # how to use it on a real service
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
)

// Exit statuses.
const (
	exitInStep = iota
	exitFailed
	exitUsage
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, realTime()))
}

// run is the program with what it gets from the world. The clock is for services; the demonstration has its own.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, c *clock) int {
	o, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitInStep
	case err != nil:
		return exitUsage
	}
	start := runService
	if o.demo() {
		start, c = runDemo, fastTime(o.speed)
	}
	inStep, err := start(ctx, o, stdout, c)
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintln(stderr, "provision: interrupted; what was done is in the state, and the next cycle goes on from there")
		return exitFailed
	case err != nil:
		fmt.Fprintf(stderr, "provision: %s\n", strings.TrimPrefix(err.Error(), "provision: "))
		return exitFailed
	case !inStep:
		return exitFailed
	}
	return exitInStep
}
