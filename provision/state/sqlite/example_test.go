package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/state/sqlite"
)

// What happened to one person is asked of the state, also while a job runs.
func Example() {
	folder, err := os.MkdirTemp("", "state")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(folder) }()
	state, err := sqlite.Open(filepath.Join(folder, "state.db"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = state.Close() }()
	ctx := context.Background()
	zoe := &provision.Record{
		Head: provision.Head{SourceID: "E1", TargetID: "u-7", Flags: provision.Present | provision.InScope},
		Type: "User", Display: "zoe@example.com",
	}
	if err := state.Commit(ctx, "postman", &provision.Commit{Put: []*provision.Record{zoe}}); err != nil {
		fmt.Println(err)
		return
	}
	records, err := state.Scan(ctx, "postman", provision.Query{Text: "zoe@example.com"}, 0, 10)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range records {
		fmt.Println(r.SourceID, "is linked to", r.TargetID)
	}
	// Output: E1 is linked to u-7
}
