package provision

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/scimbridge/scim"
)

// dryTarget lets reads through and only counts writes: what a plan is made with.
type dryTarget struct {
	Target
	writes  atomic.Int64
	created atomic.Int64
}

// dryPrefix starts the ids of objects that a plan would create.
const dryPrefix = "new:"

func newDryTarget(t Target) *dryTarget {
	return &dryTarget{Target: t}
}

func (t *dryTarget) Create(_ context.Context, _ string, resource scim.Document) (scim.Document, error) {
	t.writes.Add(1)
	made := resource.Clone()
	made["id"] = fmt.Sprintf("%s%d", dryPrefix, t.created.Add(1))
	return made, nil
}

func (t *dryTarget) Update(context.Context, string, string, scim.Document, scim.Document) error {
	t.writes.Add(1)
	return nil
}

func (t *dryTarget) ChangeMembers(_ context.Context, resourceType, _ string, add, remove []string) error {
	t.writes.Add(int64(memberRequests(t.Profile(), resourceType, len(add)+len(remove))))
	return nil
}

func (t *dryTarget) Delete(context.Context, string, string) error {
	t.writes.Add(1)
	return nil
}
