package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// serve runs the bridge until ctx is done, and then finishes what is under way.
func serve(ctx context.Context, o *options, w world) (err error) {
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	logger := slog.New(slog.NewTextHandler(w.stderr, &slog.HandlerOptions{Level: level}))
	var demo *demonstration
	if o.demo() {
		if demo, err = startDemo(ctx, o); err != nil {
			return err
		}
		defer demo.stop()
	}
	o.defaults()
	// The job outlives the signal, until what was accepted before it has been sent on.
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	b, err := newBridge(work, o, w, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.begin(ctx); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return err
	}
	s := &http.Server{
		Handler:           b.handler,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	served := make(chan error, 1)
	var working sync.WaitGroup
	defer working.Wait() // before the store and the state are closed
	defer stopWork()
	go func() { served <- o.accept(s, listener) }()
	working.Go(func() { b.run(work) })
	working.Go(func() { b.testConnection(work) })
	o.announce(w.stdout, listener.Addr(), demo)

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	return b.shutDown(s, o.grace, w.stdout)
}

// defaults fills in the names of files.
func (o *options) defaults() {
	if o.dsn == "" && o.store == "sqlite" {
		o.dsn = "scim.db"
	}
	if o.state == "" {
		o.state = "bridge-state.db"
	}
}

func (o *options) accept(s *http.Server, listener net.Listener) error {
	if o.certFile != "" {
		return s.ServeTLS(listener, o.certFile, o.keyFile)
	}
	return s.Serve(listener)
}

// announce tells where the service is, and in the demonstration what to try.
func (o *options) announce(stdout io.Writer, addr net.Addr, demo *demonstration) {
	scheme := "http"
	if o.certFile != "" {
		scheme = "https"
	}
	url := fmt.Sprintf("%s://%s%s", scheme, addr, basePath)
	fmt.Fprintf(stdout, "SCIM service on %s\n", url)
	if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() && o.certFile == "" {
		fmt.Fprintln(stdout, "Without TLS: whoever can read the network can read the token. Use -tls-cert, or a proxy that has TLS.")
	}
	if demo != nil {
		demo.explain(stdout, url, o)
		return
	}
	fmt.Fprintf(stdout, "Changes go to %s\n", o.tenantURL)
}

// shutDown lets the requests that are under way come to their end, and then the job catch up, for no longer than grace.
func (b *bridge) shutDown(s *http.Server, grace time.Duration, stdout io.Writer) error {
	fmt.Fprintln(stdout, "Stopping: finishing what is under way")
	ctx, cancel := wait(grace)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		_ = s.Close() // the error that counts is that requests were cut off
		if !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		return fmt.Errorf("requests were still running after %s and have been cut off", grace)
	}
	drained, err := b.drain(ctx)
	if err == nil && !drained {
		fmt.Fprintln(stdout, "Some changes have not been sent on yet. They are stored, and are sent after the next start.")
	}
	return err
}
