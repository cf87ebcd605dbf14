package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/scimbridge/scim/server"
)

const basePath = "/scim/v2"

// newHandler returns all that the program serves.
func newHandler(o *options, store server.Store, logger *slog.Logger) (http.Handler, error) {
	scim, err := server.New(store, server.Options{
		Authenticator: server.BearerTokens(o.tokens...),
		BasePath:      basePath,
		BaseURL:       o.baseURL,
		Logger:        logger,
		// Clients that are tried out here, and suites, may insist on the body of each change, and on members that come before their
		// users do. A service that knows its clients need not read groups for them, nor have members that are nobody.
		PatchReply:     server.PatchReplySmall,
		MissingMembers: true,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(basePath, scim) // queries of the root
	mux.Handle(basePath+"/", scim)
	return mux, nil
}

// serve runs the service until ctx is done, and then lets the requests that are under way come to their end.
func serve(ctx context.Context, o *options, stdout, stderr io.Writer) error {
	level := slog.LevelWarn
	if o.verbose {
		level = slog.LevelDebug
	}
	logger := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	store, closeStore, err := stores[o.store](ctx, o.dsn)
	if err != nil {
		return err
	}
	err = o.serve(ctx, store, logger, stdout)
	return errors.Join(err, closeStore())
}

// serve serves a store.
func (o *options) serve(ctx context.Context, store server.Store, logger *slog.Logger, stdout io.Writer) error {
	handler, err := newHandler(o, store, logger)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return err
	}
	s := &http.Server{
		Handler:           handler,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: 10 * time.Second,
		// Reading a body and answering take a minute each at most. Small answers have no time of their own: a client that sends one
		// request after the other and reads nothing is cut off by this.
		WriteTimeout:   5 * time.Minute,
		IdleTimeout:    2 * time.Minute,
		MaxHeaderBytes: 64 << 10,
	}
	stopped := make(chan error, 1)
	go func() { stopped <- o.accept(s, listener) }()
	o.announce(stdout, listener.Addr())

	select {
	case err := <-stopped:
		return err
	case <-ctx.Done():
	}
	return shutDown(s, o.grace, stdout)
}

func (o *options) accept(s *http.Server, listener net.Listener) error {
	if o.certFile != "" {
		return s.ServeTLS(listener, o.certFile, o.keyFile)
	}
	return s.Serve(listener)
}

// announce tells where the service is, and its token when nobody knows it yet.
func (o *options) announce(stdout io.Writer, addr net.Addr) {
	scheme := "http"
	if o.certFile != "" {
		scheme = "https"
	}
	fmt.Fprintf(stdout, "SCIM service on %s://%s%s\n", scheme, addr, basePath)
	if o.made {
		fmt.Fprintf(stdout, "Bearer token, shown only here: %s\n", o.tokens[0])
	}
	if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() && o.certFile == "" {
		fmt.Fprintln(stdout, "Without TLS: whoever can read the network can read the token. Use -tls-cert, or a proxy that has TLS.")
	}
}

// shutDown waits for the requests that are under way, but no longer than grace.
func shutDown(s *http.Server, grace time.Duration, stdout io.Writer) error {
	fmt.Fprintln(stdout, "Stopping: waiting for requests to end")
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := s.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		_ = s.Close() // the error that counts is that requests were cut off
		return fmt.Errorf("requests were still running after %s and have been cut off", grace)
	}
	return err
}
