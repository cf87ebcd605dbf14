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
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitInStep
	case err != nil:
		return exitUsage
	}
	start := runService
	if o.demo() {
		start = runDemo
	}
	inStep, err := start(ctx, o, stdout)
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "provision: %v\n", err)
		return exitFailed
	case !inStep:
		return exitFailed
	}
	return exitInStep
}
