package server_test

import (
	"io"
	"log/slog"

	"github.com/scimbridge/scim/server"
)

// withLog writes all that is logged to w.
func withLog(w io.Writer) func(*server.Options) {
	return func(o *server.Options) {
		o.Logger = slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
}
