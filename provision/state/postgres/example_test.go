package postgres_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/state/postgres"
)

// What failed is asked of the state, on any machine, also while a job runs.
func Example() {
	ctx := context.Background()
	state, err := postgres.Open(ctx, os.Getenv("STATE_DSN"))
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = state.Close() }()
	failed, err := state.Scan(ctx, "postman", provision.Query{Failed: true}, 0, 10)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range failed {
		fmt.Println(r.Display, r.Failure.Reason)
	}
}
