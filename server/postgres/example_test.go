package postgres_test

import (
	"context"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/postgres"
)

// Any number of processes serve the same users and groups.
func Example() {
	ctx := context.Background()
	store, err := postgres.Open(ctx, os.Getenv("SCIM_DSN"))
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	handler, err := server.New(store, server.Options{Authenticator: server.BearerTokens(os.Getenv("SCIM_TOKEN"))})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/scim/v2/", handler)
	s := &http.Server{Addr: ":8880", ReadHeaderTimeout: time.Minute}
	log.Print(s.ListenAndServe())
}
