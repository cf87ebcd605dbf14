package killtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/scimbridge/scim/server"
)

// variable names the environment variable that has the DSN in processes to be killed.
const variable = "SCIMBRIDGE_KILLTEST_DSN"

// Serve serves the store that open opens, if this is a process that [Run] has started; it ends with Run's process at the latest. In any
// other it returns at once.
func Serve(open func(ctx context.Context, dsn string) (server.Store, error)) {
	dsn, ok := os.LookupEnv(variable)
	if !ok {
		return
	}
	go func() { // the end of standard input is that of the process which started this one
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	if err := serve(open, dsn); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(1)
}

func serve(open func(ctx context.Context, dsn string) (server.Store, error), dsn string) error {
	ctx := context.Background()
	store, err := open(ctx, dsn)
	if err != nil {
		return err
	}
	handler, err := server.New(store, server.Options{Authenticator: server.Anonymous()})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	s := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	return s.Serve(listener)
}
