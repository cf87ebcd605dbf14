package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimbridge/scim"
)

// The bounds of one bulk request where the service states none.
const (
	defaultBulkOperations = 1000
	defaultBulkPayload    = 1 << 20
)

// bulkEnvelope is more than the JSON of a bulk request has besides its operations.
const bulkEnvelope = 256

// batch is the operations of one bulk request.
type batch struct {
	indexes    []int
	operations []scim.BulkOperation
	size       int
}

// inBatches sends the operations in as few bulk requests as the service's limits allow, one after the other.
func (b *bulkRun) inBatches(ctx context.Context, caps Capabilities) {
	limit, payload := caps.MaxOperations, caps.MaxPayload
	if limit <= 0 {
		limit = defaultBulkOperations
	}
	if payload <= 0 {
		payload = defaultBulkPayload
	}
	taken := make(map[string]bool, len(b.operations))
	for _, op := range b.operations {
		taken[op.BulkID] = true
	}
	var current batch
	for i, op := range b.operations {
		op.Method = strings.ToUpper(op.Method)
		if op.Method == http.MethodPost && op.BulkID == "" {
			op.BulkID = freeBulkID(i, taken)
		}
		body, failure := encode(op)
		if failure != nil {
			b.fail(i, failure)
			continue
		}
		size := len(body) + 1
		if size+bulkEnvelope > payload {
			// It is too large for a bulk request; what comes before must be done first.
			b.sendBatch(ctx, &current)
			current = batch{}
			b.single(ctx, i)
			continue
		}
		if len(current.indexes) == limit || current.size+size+bulkEnvelope > payload {
			b.sendBatch(ctx, &current)
			current = batch{}
		}
		current.indexes = append(current.indexes, i)
		current.operations = append(current.operations, op)
		current.size += size
	}
	b.sendBatch(ctx, &current)
}

// freeBulkID returns a bulkId that no operation has, so that the answer to one can be told.
func freeBulkID(i int, taken map[string]bool) string {
	id := "operation-" + strconv.Itoa(i+1)
	for taken[id] {
		id += "-"
	}
	return id
}

// single does one operation by a request of its own.
func (b *bulkRun) single(ctx context.Context, i int) {
	if b.stopped() {
		b.leaveOut(i)
		return
	}
	op, missing := b.resolve(b.operations[i])
	if len(missing) > 0 {
		b.fail(i, unresolved(missing[0]))
		return
	}
	result, err := b.c.bulkOperation(ctx, op)
	if err != nil {
		b.fail(i, err)
		return
	}
	b.succeed(i, result)
}

func unresolved(bulkID string) *scim.Error {
	return notSent(http.StatusConflict, scim.InvalidValue, "",
		"it refers to bulkId %q, and no operation before it, or in the same request, has created that", bulkID)
}

// sendBatch sends one bulk request. It splits it when the service finds it too large.
func (b *bulkRun) sendBatch(ctx context.Context, all *batch) {
	if b.stopped() {
		for _, i := range all.indexes {
			b.leaveOut(i)
		}
		return
	}
	sent := b.resolved(all)
	if len(sent.indexes) == 0 {
		return
	}
	request := scim.BulkRequest{Schemas: []string{scim.BulkRequestSchema}, Operations: sent.operations}
	if b.failOnErrors > 0 {
		request.FailOnErrors = b.failOnErrors - b.failures
	}
	results, err := b.c.postBulk(ctx, request)
	switch {
	case errors.Is(err, scim.ErrTooLarge) && len(sent.indexes) > 1:
		half := len(sent.indexes) / 2
		b.sendBatch(ctx, &batch{indexes: sent.indexes[:half], operations: sent.operations[:half]})
		b.sendBatch(ctx, &batch{indexes: sent.indexes[half:], operations: sent.operations[half:]})
	case err != nil:
		for _, i := range sent.indexes {
			b.fail(i, err)
		}
	default:
		b.collect(&sent, results)
	}
}

// resolved returns a batch without the operations that refer to what does not and will not exist; those fail.
func (b *bulkRun) resolved(all *batch) batch {
	sent := batch{indexes: slices.Clone(all.indexes)}
	for {
		creates := map[string]bool{}
		for _, i := range sent.indexes {
			creates[b.operations[i].BulkID] = true
		}
		before := len(sent.indexes)
		sent.operations = nil
		sent.indexes = slices.DeleteFunc(sent.indexes, func(i int) bool {
			op, missing := b.resolve(all.operations[slices.Index(all.indexes, i)])
			for _, bulkID := range missing {
				if !creates[bulkID] {
					b.fail(i, unresolved(bulkID))
					return true
				}
			}
			sent.operations = append(sent.operations, op)
			return false
		})
		if len(sent.indexes) == before {
			return sent
		}
	}
}

// bulkAnswer is the answer to one operation as services really write it.
type bulkAnswer struct {
	Method   string         `json:"method"`
	BulkID   string         `json:"bulkId"`
	Location string         `json:"location"`
	Version  string         `json:"version"`
	Status   jsontext.Value `json:"status"`
	Response scim.Document  `json:"response"`
}

// status reads "201", 201 and the {"code":"201"} of a draft.
func (a *bulkAnswer) status() int {
	text := strings.Trim(string(a.Status), `{} "code:`)
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

func (c *Client) postBulk(ctx context.Context, bulk scim.BulkRequest) ([]bulkAnswer, error) {
	body, failure := encode(bulk)
	if failure != nil {
		return nil, failure
	}
	var answer struct {
		Operations []bulkAnswer `json:"Operations"`
	}
	err := c.do(ctx, &request{method: http.MethodPost, path: "/Bulk", body: body, once: true, decode: into(&answer)})
	return answer.Operations, err
}

// collect matches the answers with the operations: by bulkId, else by the resource, else by their place.
func (b *bulkRun) collect(sent *batch, answers []bulkAnswer) {
	byPlace := len(answers) == len(sent.operations)
	left := slices.Clone(answers)
	for n, i := range sent.indexes {
		op := sent.operations[n]
		known := b.withPath(op)
		at := slices.IndexFunc(left, func(a bulkAnswer) bool { return a.matches(op) || a.matches(known) })
		switch {
		case at >= 0:
			b.record(i, op, &left[at])
			left[at] = bulkAnswer{} // matches nothing any more
		case byPlace && left[n].anonymous():
			b.record(i, op, &left[n])
			left[n] = bulkAnswer{}
		case b.stopped():
			b.leaveOut(i)
		default:
			b.fail(i, &scim.Error{
				Method: http.MethodPost, Path: "/Bulk", Err: ErrOutcomeUnknown,
				Detail: "the service's answer says nothing of this operation",
			})
		}
	}
}

// withPath returns an operation with the id in its path of a resource that was created in the same request: the answer has that.
func (b *bulkRun) withPath(op scim.BulkOperation) scim.BulkOperation {
	target, _ := b.resolve(scim.BulkOperation{Path: op.Path})
	op.Path = target.Path
	return op
}

// matches reports whether an answer is to an operation.
func (a *bulkAnswer) matches(op scim.BulkOperation) bool {
	if a.BulkID != "" || op.Method == http.MethodPost {
		return a.BulkID != "" && a.BulkID == op.BulkID
	}
	return strings.EqualFold(a.Method, op.Method) && a.Location != "" && strings.HasSuffix(a.Location, op.Path)
}

// anonymous reports whether an answer does not say which operation it is to.
func (a *bulkAnswer) anonymous() bool { return a.BulkID == "" && a.Location == "" && len(a.Status) > 0 }

// record takes the answer to one operation.
func (b *bulkRun) record(i int, op scim.BulkOperation, a *bulkAnswer) {
	status := a.status()
	if status >= 200 && status < 300 {
		result := BulkResult{Status: status, Location: a.Location, Version: a.Version, Resource: a.Response, ID: a.Response.ID()}
		if result.ID == "" {
			result.ID = idFrom(a.Location)
		}
		if result.ID == "" && op.Method != http.MethodPost {
			result.ID = idFrom(op.Path)
		}
		if bulkID, ok := strings.CutPrefix(result.ID, bulkPrefix); ok {
			result.ID = b.ids[bulkID] // the resource was created in the same request
		}
		b.succeed(i, result)
		return
	}
	e := &scim.Error{Status: status, Method: op.Method, Path: op.Path, Attempts: 1}
	e.Detail = b.c.tidy(findText(map[string]any(a.Response), 0))
	text, _ := member(a.Response, "scimType").(string)
	e.Type = scim.ErrorType(b.c.tidy(text))
	b.fail(i, e)
	b.results[i].Location = a.Location
}

// idFrom returns the last part of a location.
func idFrom(location string) string {
	location, _, _ = strings.Cut(location, "?")
	id, err := url.PathUnescape(location[strings.LastIndexByte(location, '/')+1:])
	if err != nil {
		return ""
	}
	return id
}
