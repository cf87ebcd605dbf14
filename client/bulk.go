package client

import (
	"context"
	"errors"

	"github.com/scimbridge/scim"
)

// BulkResult is what became of one operation of [Client.Bulk].
type BulkResult struct {
	// Status is the HTTP status, 0 when there was none.
	Status int
	// ID is that of the resource, empty when it is not known.
	ID string
	// Location and Version are as the service gives them, and may be empty.
	Location, Version string
	// Resource is the resource where the service shows it.
	Resource scim.Document
	// Err is nil when the operation was done. It is a [*scim.Error] with the 1-based index of the operation.
	Err error
}

// bulkRun is one call of Bulk.
type bulkRun struct {
	c          *Client
	operations []scim.BulkOperation
	results    []BulkResult
	// ids are those of the resources that were created, by bulkId.
	ids          map[string]string
	failOnErrors int
	failures     int
}

// Bulk does many operations: in bulk requests where the service takes them (RFC 7644 section 3.7), otherwise one by one, some at a time
// ([WithConcurrency]). The results are in the order of the operations, one for each, and say what became of it.
//
// An operation may refer to a resource that another creates by its bulkId: as "bulkId:<id>" in its data, in its path, or in a path with a
// filter. Requests are split as the service's limits want it. Operations on the same resource are done in order. One by one,
// an operation waits for those that it refers to; where two refer to each other, both fail.
//
// With FailOnErrors the rest is left out once so many have failed. Operations that were left out, and those that refer to one that failed,
// have an error that is [ErrNotSent]. When the answer to a bulk request is lost, its operations have an error that is
// [ErrOutcomeUnknown]; they are not repeated.
//
// The error that Bulk itself returns is that of asking the service what it supports. Failed operations are in the results only.
func (c *Client) Bulk(ctx context.Context, request scim.BulkRequest) ([]BulkResult, error) {
	caps, err := c.Capabilities(ctx)
	if err != nil {
		return nil, err
	}
	run := &bulkRun{
		c: c, operations: request.Operations, failOnErrors: request.FailOnErrors,
		results: make([]BulkResult, len(request.Operations)), ids: map[string]string{},
	}
	if caps.Bulk {
		run.inBatches(ctx, caps)
	} else {
		run.oneByOne(ctx)
	}
	return run.results, nil
}

// stopped reports whether enough operations have failed to leave out the rest.
func (b *bulkRun) stopped() bool { return b.failOnErrors > 0 && b.failures >= b.failOnErrors }

// fail sets the error of an operation.
func (b *bulkRun) fail(i int, err error) {
	e, ok := errors.AsType[*scim.Error](err)
	if !ok {
		e = invalid(err)
	}
	located := *e
	located.Operation = i + 1
	b.results[i].Status, b.results[i].Err = e.Status, &located
	b.failures++
}

// leaveOut marks an operation that is not done because too many others have failed.
func (b *bulkRun) leaveOut(i int) {
	e := notSent(0, "", "", "left out after %d operations had failed", b.failures)
	e.Operation = i + 1
	b.results[i].Err = e
}

// succeed records an operation that was done.
func (b *bulkRun) succeed(i int, result BulkResult) {
	b.results[i] = result
	if id := b.operations[i].BulkID; id != "" && result.ID != "" {
		b.ids[id] = result.ID
	}
}
