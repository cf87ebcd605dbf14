package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/scimbridge/scim"
)

// bulkJob is a bulk request being processed (RFC 7644 section 3.7).
type bulkJob struct {
	*call
	operations []*bulkOperation
	// creators has the operation of each bulkId.
	creators map[string]*bulkOperation
	// open are the operations that are waiting for others, which refer back to them: their resources are about to exist.
	open map[string]string
	// errorsLeft is how many more errors there may be, negative for any number.
	errorsLeft int
}

// bulkOperation is one operation of a bulk request, and what came of it.
type bulkOperation struct {
	method, path, bulkID, version string
	data                          scim.Document
	// refused is why the operation cannot be carried out at all.
	refused error
	// id is that of the resource which a POST creates. It is made beforehand, so that operations which refer to each
	// other can be carried out one after the other.
	id string
	// refersTo are the operations that create what this one refers to.
	refersTo []*bulkOperation

	state    bulkState
	status   int
	location string
	etag     string
	failure  *scim.Error
	to       route
}

type bulkState uint8

const (
	bulkWaiting bulkState = iota
	bulkOpen
	bulkDone
)

func (op *bulkOperation) failed() bool { return op.state == bulkDone && op.failure != nil }

func (c *call) bulk(ctx context.Context) (reply, error) {
	if !c.s.has(FeatureBulk) {
		return reply{}, scim.NewError(http.StatusNotImplemented, "", "this service has no bulk operations")
	}
	body, err := c.readBody(c.s.opts.Limits.MaxBulkBody)
	if err != nil {
		return reply{}, err
	}
	job, err := c.newBulkJob(body)
	if err != nil {
		return reply{}, err
	}
	for _, op := range job.operations {
		if job.errorsLeft == 0 {
			break
		}
		job.run(ctx, op)
	}
	return job.answer()
}

func (c *call) newBulkJob(body scim.Document) (*bulkJob, error) {
	job := &bulkJob{call: c, creators: make(map[string]*bulkOperation), open: make(map[string]string), errorsLeft: -1}
	switch n := member(body, "failOnErrors").(type) {
	case nil:
	case int64:
		if n > 0 {
			job.errorsLeft = int(n)
		}
	default:
		return nil, badRequest(scim.InvalidValue, "failOnErrors must be an integer")
	}
	list, ok := member(body, "Operations").([]any)
	if !ok {
		return nil, badRequest(scim.InvalidSyntax, "a bulk request needs an array of Operations")
	}
	if most := c.s.opts.Limits.MaxBulkOperations; len(list) > most {
		return nil, scim.NewError(http.StatusRequestEntityTooLarge, "",
			fmt.Sprintf("a bulk request may have at most %d operations, this one has %d", most, len(list)))
	}
	for _, e := range list {
		job.operations = append(job.operations, job.parse(e))
	}
	for _, op := range job.operations {
		job.connect(op)
	}
	return job, nil
}

// parse reads one operation.
func (job *bulkJob) parse(e any) *bulkOperation {
	op := &bulkOperation{}
	object, ok := e.(map[string]any)
	if !ok {
		op.refused = badRequest(scim.InvalidSyntax, "an operation must be an object")
		return op
	}
	text := func(name string) string {
		v := member(object, name)
		s, ok := v.(string)
		if !ok && v != nil && op.refused == nil {
			op.refused = badRequest(scim.InvalidSyntax, "%s must be a string", name)
		}
		return s
	}
	op.method, op.path = strings.ToUpper(text("method")), text("path")
	op.bulkID, op.version = text("bulkId"), text("version")
	data, ok := member(object, "data").(map[string]any)
	if list, isList := member(object, "data").([]any); isList && op.method == http.MethodPatch {
		data, ok = map[string]any{"Operations": list}, true // so it is in the example of RFC 7644 section 3.7.3
	}
	op.data = data
	switch op.method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		if !ok && op.refused == nil {
			op.refused = badRequest(scim.InvalidSyntax, "a %s needs data", op.method)
		}
	case http.MethodDelete:
	default:
		op.refused = badRequest(scim.InvalidSyntax, "method must be POST, PUT, PATCH or DELETE")
	}
	if op.method != http.MethodPost {
		return op
	}
	op.id = job.s.opts.NewID()
	switch {
	case op.bulkID == "" && op.refused == nil:
		op.refused = badRequest(scim.InvalidSyntax, "a POST needs a bulkId")
	case job.creators[op.bulkID] != nil:
		op.refused = badRequest(scim.InvalidValue, "the bulkId %.100q is used twice", op.bulkID)
	default:
		job.creators[op.bulkID] = op
	}
	return op
}

const bulkIDPrefix = "bulkId:"

// quotedBulkID is a reference in the value filter of a PATCH path.
var quotedBulkID = regexp.MustCompile(`"bulkId:([^"\\]+)"`)

// connect finds the operations that op refers to.
func (job *bulkJob) connect(op *bulkOperation) {
	seen := make(map[*bulkOperation]bool)
	refer := func(bulkID string) string {
		creator, ok := job.creators[bulkID]
		switch {
		case !ok:
			if op.refused == nil {
				op.refused = badRequest(scim.InvalidValue, "no operation has the bulkId %.100q", bulkID)
			}
			return bulkIDPrefix + bulkID
		case creator != op && !seen[creator]:
			seen[creator] = true
			op.refersTo = append(op.refersTo, creator)
		}
		return creator.id
	}
	if at := strings.Index(op.path, "/"+bulkIDPrefix); at >= 0 {
		op.path = op.path[:at+1] + refer(op.path[at+1+len(bulkIDPrefix):])
	}
	if op.data != nil {
		op.data, _ = replaceReferences(map[string]any(op.data), refer).(map[string]any)
	}
}

// replaceReferences returns a value with the ids that refer returns in the place of references. The value is not changed.
func replaceReferences(v any, refer func(string) string) any {
	switch v := v.(type) {
	case string:
		if bulkID, ok := strings.CutPrefix(v, bulkIDPrefix); ok {
			return refer(bulkID)
		}
		if strings.Contains(v, `"`+bulkIDPrefix) {
			return quotedBulkID.ReplaceAllStringFunc(v, func(quoted string) string {
				return `"` + refer(quoted[1+len(bulkIDPrefix):len(quoted)-1]) + `"`
			})
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			out[name] = replaceReferences(value, refer)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = replaceReferences(value, refer)
		}
		return out
	}
	return v
}

// run carries out an operation, after those that it refers to. Operations that refer to each other in a circle are carried out
// in any order; when one of them fails, those that counted on it are undone.
func (job *bulkJob) run(ctx context.Context, op *bulkOperation) {
	if op.state != bulkWaiting {
		return
	}
	op.state = bulkOpen
	if op.refused == nil {
		op.to, op.refused = job.target(op)
	}
	if op.method == http.MethodPost && op.to.typ != nil {
		job.open[op.id] = op.to.typ.Name
		defer delete(job.open, op.id)
	}
	for _, other := range op.refersTo {
		if job.errorsLeft == 0 {
			break
		}
		job.run(ctx, other)
	}
	if job.errorsLeft == 0 { // too late for this one, and for those that were carried out because it was expected to be
		op.state = bulkWaiting
		job.undo(ctx, op)
		return
	}
	err := op.refused
	for _, other := range op.refersTo {
		if err == nil && other.failed() {
			err = scim.NewError(http.StatusConflict, "", fmt.Sprintf("the operation with the bulkId %.100q failed", other.bulkID))
		}
	}
	if err == nil {
		err = job.carryOut(ctx, op)
	}
	op.state = bulkDone
	if err != nil {
		job.fail(ctx, op, err)
	}
}

// target returns where an operation goes.
func (job *bulkJob) target(op *bulkOperation) (route, error) {
	to := job.s.parse("/" + strings.Trim(op.path, "/"))
	switch {
	case to.endpoint == collection && op.method == http.MethodPost:
	case to.endpoint == resource && op.method != http.MethodPost:
		op.location = job.call.location(to.typ, to.id)
	case to.endpoint == collection || to.endpoint == resource:
		return to, scim.NewError(http.StatusMethodNotAllowed, "", "the path does not take the method")
	default:
		return to, scim.NewError(http.StatusNotFound, "", "the path is that of no resource")
	}
	return to, nil
}

// carryOut carries out an operation whose references are resolved. A panic is the operation's alone.
func (job *bulkJob) carryOut(ctx context.Context, op *bulkOperation) (err error) {
	defer func() {
		if p := recover(); p != nil {
			job.s.opts.Logger.LogAttrs(ctx, slog.LevelError, "panic while serving a bulk operation",
				slog.String("request", job.info.ID), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			err = internalError()
		}
	}()
	rt := op.to.typ
	if err := rt.allows(bulkOperations[op.method]); err != nil {
		return err
	}
	conditions := conditions{match: parseCondition(op.version)}
	if !job.s.has(FeatureETag) {
		conditions.match = condition{}
	}
	switch op.method {
	case http.MethodPost:
		r, err := job.createFrom(ctx, rt, op.id, op.data, job.open)
		op.status, op.etag, op.location = http.StatusCreated, etag(r.Version, ""), job.call.location(rt, r.ID)
		return err
	case http.MethodPut:
		r, err := job.replaceWith(ctx, op.to, op.data, conditions)
		op.status, op.etag = http.StatusOK, etag(r.Version, "")
		return err
	case http.MethodPatch:
		ops, err := patchOperations(op.data)
		if err != nil {
			return err
		}
		r, err := job.patchWith(ctx, op.to, ops, conditions)
		op.status, op.etag = http.StatusOK, etag(r.Version, "")
		return err
	}
	op.status = http.StatusNoContent
	return job.remove(ctx, op.to, conditions)
}

var bulkOperations = map[string]Operations{
	http.MethodPost: OpCreate, http.MethodPut: OpReplace, http.MethodPatch: OpPatch, http.MethodDelete: OpDelete,
}

// fail records that an operation failed, and undoes those that were carried out because it was expected to succeed.
func (job *bulkJob) fail(ctx context.Context, op *bulkOperation, err error) {
	job.record(ctx, op, err)
	job.undo(ctx, op)
}

// undo deletes what refers to the resource of an operation, which there will not be.
func (job *bulkJob) undo(ctx context.Context, op *bulkOperation) {
	for _, other := range job.operations {
		if other.state != bulkDone || other.failed() || other.method != http.MethodPost {
			continue
		}
		for _, referred := range other.refersTo {
			if referred == op {
				undo := job.remove(ctx, route{endpoint: resource, typ: other.to.typ, id: other.id}, conditions{})
				if undo != nil {
					job.s.opts.Logger.LogAttrs(ctx, slog.LevelError, "a bulk operation could not be undone",
						slog.String("request", job.info.ID), slog.String("id", other.id), slog.String("error", undo.Error()))
				}
				job.fail(ctx, other, scim.NewError(http.StatusConflict, "",
					fmt.Sprintf("the operation with the bulkId %.100q, to which this one refers, was not carried out", op.bulkID)))
				break
			}
		}
	}
}

func (job *bulkJob) record(ctx context.Context, op *bulkOperation, err error) {
	op.failure = job.call.answer(ctx, err)
	op.status, op.etag = op.failure.Status, ""
	if op.method == http.MethodPost {
		op.location = ""
	}
	if job.errorsLeft > 0 {
		job.errorsLeft--
	}
}

// answer returns the BulkResponse: what came of the operations that were carried out, in the order of the request.
func (job *bulkJob) answer() (reply, error) {
	b := append(make([]byte, 0, 128+256*len(job.operations)), `{"schemas":["`+scim.BulkResponseSchema+`"],"Operations":[`...)
	first := true
	for _, op := range job.operations {
		if op.state != bulkDone {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		object := map[string]any{"method": op.method, "status": strconv.Itoa(op.status)}
		for name, value := range map[string]string{"bulkId": op.bulkID, "location": op.location} {
			if value != "" {
				object[name] = value
			}
		}
		if op.etag != "" && job.s.has(FeatureETag) {
			object["version"] = op.etag
		}
		if op.failure != nil {
			object["response"] = op.failure
		}
		var err error
		if b, err = appendObject(b, object); err != nil {
			return reply{}, err
		}
	}
	return reply{status: http.StatusOK, body: append(b, "]}"...)}, nil
}
