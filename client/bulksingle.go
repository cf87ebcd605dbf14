package client

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/scimbridge/scim"
)

// oneByOne does the operations by requests of their own, some at a time, each after those that it depends on.
func (b *bulkRun) oneByOne(ctx context.Context) {
	waitsFor, unblocks := b.dependencies()
	type outcome struct {
		index  int
		result BulkResult
		err    error
	}
	done := make(chan outcome)
	var ready []int
	for i := range b.operations {
		if waitsFor[i] == 0 {
			ready = append(ready, i)
		}
	}
	finish := func(i int) {
		for _, next := range unblocks[i] {
			if waitsFor[next]--; waitsFor[next] == 0 {
				at, _ := slices.BinarySearch(ready, next)
				ready = slices.Insert(ready, at, next)
			}
		}
	}
	running, finished := 0, make([]bool, len(b.operations))
	for running > 0 || len(ready) > 0 {
		for len(ready) > 0 && running < b.c.concurrency {
			i := ready[0]
			ready = ready[1:]
			op, missing := b.resolve(b.operations[i])
			switch {
			case b.stopped():
				b.leaveOut(i)
			case len(missing) > 0:
				b.fail(i, unresolved(missing[0]))
			default:
				running++
				go func() {
					result, err := b.c.bulkOperation(ctx, op)
					done <- outcome{i, result, err}
				}()
				continue
			}
			finished[i] = true
			finish(i)
		}
		if running == 0 {
			continue
		}
		o := <-done
		running--
		finished[o.index] = true
		if o.err != nil {
			b.fail(o.index, o.err)
		} else {
			b.succeed(o.index, o.result)
		}
		finish(o.index)
	}
	for i := range b.operations {
		if !finished[i] {
			b.fail(i, notSent(http.StatusConflict, scim.InvalidValue, "", "it refers, over others, to itself"))
		}
	}
}

// dependencies returns how many operations each waits for, and which wait for it. An operation waits for those that create what it refers to, and
// for the one before it on the same resource.
func (b *bulkRun) dependencies() (waitsFor []int, unblocks [][]int) {
	n := len(b.operations)
	waitsFor, unblocks = make([]int, n), make([][]int, n)
	creator := make(map[string]int)
	for i, op := range b.operations {
		if op.BulkID != "" && strings.EqualFold(op.Method, http.MethodPost) {
			creator[op.BulkID] = i
		}
	}
	last := make(map[string]int)
	for i, op := range b.operations {
		wait := func(on int) {
			waitsFor[i]++
			unblocks[on] = append(unblocks[on], i)
		}
		for _, bulkID := range references(op) {
			if on, ok := creator[bulkID]; ok {
				wait(on)
			}
		}
		if strings.EqualFold(op.Method, http.MethodPost) {
			continue
		}
		if before, ok := last[op.Path]; ok {
			wait(before)
		}
		last[op.Path] = i
	}
	return waitsFor, unblocks
}

// bulkOperation does one operation of a bulk request by a request of its own.
func (c *Client) bulkOperation(ctx context.Context, op scim.BulkOperation) (BulkResult, error) {
	endpoint, id, hasID := strings.Cut(strings.Trim(op.Path, "/"), "/")
	resources := &Resources[scim.Document]{c, c.kindAt("/" + endpoint)}
	method := strings.ToUpper(op.Method)
	id, err := url.PathUnescape(id)
	if err != nil || endpoint == "" || hasID == (method == http.MethodPost) {
		return BulkResult{}, notSent(http.StatusBadRequest, scim.InvalidPath, "", "%s with path %q is no operation of a bulk request", op.Method, op.Path)
	}
	result := BulkResult{Status: http.StatusOK, ID: id}
	switch method {
	case http.MethodPost:
		result.Status = http.StatusCreated
		result.Resource, err = resources.Create(ctx, op.Data)
		result.ID = result.Resource.ID()
	case http.MethodPut:
		result.Resource, err = resources.Replace(ctx, id, op.Data, IfMatch(op.Version))
	case http.MethodPatch:
		result.Resource, err = resources.patchBulk(ctx, id, op)
	case http.MethodDelete:
		result.Status = http.StatusNoContent
		err = resources.Delete(ctx, id, IfMatch(op.Version))
	default:
		err = notSent(http.StatusBadRequest, scim.InvalidSyntax, "", "%q is no method of a bulk request", op.Method)
	}
	if err != nil {
		return BulkResult{}, err
	}
	if meta, ok := member(result.Resource, "meta").(map[string]any); ok {
		result.Location, _ = member(meta, "location").(string)
		result.Version, _ = member(meta, "version").(string)
	}
	return result, nil
}

func (r *Resources[T]) patchBulk(ctx context.Context, id string, op scim.BulkOperation) (T, error) {
	var none T
	var request scim.PatchRequest
	if err := op.Data.Decode(&request); err != nil {
		return none, invalid(err)
	}
	updated, err := r.Patch(ctx, id, request.Operations, IfMatch(op.Version))
	if err != nil || updated == nil {
		return none, err
	}
	return *updated, nil
}

// kindAt returns the resource type that has an endpoint.
func (c *Client) kindAt(endpoint string) kind {
	if c.profile != nil {
		for _, r := range c.profile.Resources {
			if strings.EqualFold("/"+strings.Trim(r.Endpoint, "/"), endpoint) {
				return c.kind(r.Name)
			}
		}
	}
	for _, name := range []string{"User", "Group"} {
		if k := c.kind(name); strings.EqualFold(k.endpoint, endpoint) {
			return k
		}
	}
	return kind{name: strings.TrimPrefix(endpoint, "/"), endpoint: endpoint}
}
