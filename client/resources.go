package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/schema"
)

// Resources are the resources of one type at the service, as values of T. It holds no state of its own, costs nothing to make, and is
// safe for concurrent use.
type Resources[T any] struct {
	c    *Client
	kind kind
}

// kind is what the client knows of a resource type.
type kind struct {
	name, endpoint, urn string
	// known is what the profile says of it, nil when that is nothing.
	known *profiles.Resource
	// schema is nil for types of which the client has none.
	schema *schema.Schema
	// missing is set for a type that there is no endpoint for.
	missing bool
}

// Users returns the users of the service.
func (c *Client) Users() *Resources[scim.User] { return &Resources[scim.User]{c, c.kind("User")} }

// Groups returns the groups of the service.
func (c *Client) Groups() *Resources[scim.Group] { return &Resources[scim.Group]{c, c.kind("Group")} }

// Documents returns the resources of a type, such as User or Group, as documents: for programs that treat all types alike. Types
// other than those two must be in the profile; [For] takes any.
func (c *Client) Documents(resourceType string) *Resources[scim.Document] {
	return &Resources[scim.Document]{c, c.kind(resourceType)}
}

// For returns the resources of any type. T is a struct that JSON is read into, or [scim.Document]. When it has the method
// ResourceID() string, lists notice a resource that they were given twice.
//
// The name of the type finds what the profile knows of it; a Name that the profile does not have is not restricted. Schema may be nil:
// then [Resources.Update] replaces resources as a whole.
func For[T any](c *Client, resourceType scim.ResourceType, s *schema.Schema) *Resources[T] {
	k := kind{name: resourceType.Name, endpoint: resourceType.Endpoint, urn: resourceType.Schema, schema: s}
	k.known, _ = c.profile.Resource(k.name)
	k.missing = strings.Trim(k.endpoint, "/") == ""
	k.endpoint = "/" + strings.Trim(k.endpoint, "/")
	return &Resources[T]{c, k}
}

func (c *Client) kind(name string) kind {
	k := kind{name: name}
	switch {
	case strings.EqualFold(name, "User"):
		k = kind{name: "User", endpoint: "/Users", urn: scim.UserSchema, schema: schema.User()}
	case strings.EqualFold(name, "Group"):
		k = kind{name: "Group", endpoint: "/Groups", urn: scim.GroupSchema, schema: schema.Group()}
	}
	if known, ok := c.profile.Resource(name); ok {
		k.known = known
		k.endpoint = "/" + strings.Trim(known.Endpoint, "/")
		k.urn = known.Schema
	}
	k.missing = k.endpoint == ""
	return k
}

// path returns the path of one resource, or an error when the id cannot be in a path.
func (k *kind) path(id string) (string, *scim.Error) {
	switch id {
	case "":
		return "", notSent(http.StatusBadRequest, scim.InvalidValue, "id", "the id of the %s is empty", k.name)
	case ".", "..":
		// These are taken out of a path on the way, which would make another resource of it.
		return "", notSent(http.StatusBadRequest, scim.InvalidValue, "id", "%q cannot be the id of a resource", id)
	}
	return k.endpoint + "/" + url.PathEscape(id), nil
}

// Get returns the resource with the id. It returns [scim.ErrNotFound] when there is none, and [ErrNotModified] when [IfNoneMatch] was
// given and the version is still that. An answer with another id is an error.
func (r *Resources[T]) Get(ctx context.Context, id string, options ...CallOption) (T, error) {
	var resource T
	o := callOptions(options)
	req, err := r.request(http.MethodGet, id, profiles.Read, o)
	if err != nil {
		return resource, r.fail(err)
	}
	req.query = r.projection(o.attributes, o.excluded)
	req.decode = func(_ int, _ http.Header, body []byte) error {
		if err := decode(body, &resource); err != nil {
			return err
		}
		got := answeredID(&resource, body)
		switch {
		case got == "" && len(o.attributes) > 0: // what is left of a resource may be without its id at services that take attributes literally
		case got == "":
			return errNoID
		case !strings.EqualFold(got, id):
			return errors.New("it is another resource: its id is not the one that was asked for")
		}
		return nil
	}
	if err := r.do(ctx, req); err != nil {
		var none T // what was read before an error is not a resource
		return none, err
	}
	return resource, nil
}

// Replace makes a resource what is given (PUT, RFC 7644 section 3.5.1). Attributes that are left out lose their value, unless
// the profile says that the service merges. It returns what the service answers; resource itself where that is nothing.
func (r *Resources[T]) Replace(ctx context.Context, id string, resource T, options ...CallOption) (T, error) {
	req, err := r.request(http.MethodPut, id, profiles.Replace, callOptions(options))
	if err != nil {
		return resource, r.fail(err)
	}
	doc, failure := r.outgoing(resource)
	if failure == nil {
		doc["id"] = id
		failure = r.kind.checkReplace(doc)
	}
	if failure != nil {
		return resource, r.fail(failure)
	}
	return resource, r.send(ctx, req, id, doc, &resource)
}

// Patch changes a resource by operations (RFC 7644 section 3.5.2). They are sent as they are, in one request: [Resources.Update] finds them
// from two versions of the resource, and writes them as the service wants them. It returns the resource as the service answers, or nil
// where it answers without it, or with something that does not have its id.
func (r *Resources[T]) Patch(ctx context.Context, id string, operations []scim.PatchOperation, options ...CallOption) (*T, error) {
	req, err := r.request(http.MethodPatch, id, profiles.Update, callOptions(options))
	if err != nil {
		return nil, r.fail(err)
	}
	if len(operations) == 0 {
		return nil, r.fail(notSent(http.StatusBadRequest, scim.InvalidSyntax, "", "a PATCH needs at least one operation"))
	}
	if err := r.kind.checkPatch(operations); err != nil {
		return nil, r.fail(err)
	}
	var updated *T
	req.decode = func(_ int, _ http.Header, body []byte) error {
		if isBlank(body) {
			return nil
		}
		var received T
		if err := decode(body, &received); err != nil {
			return err
		}
		if strings.EqualFold(answeredID(&received, body), id) {
			updated = &received
		}
		return nil
	}
	req.body, err = encode(scim.NewPatchRequest(operations...))
	if err != nil {
		return nil, r.fail(err)
	}
	if err := r.do(ctx, req); err != nil {
		return nil, err
	}
	return updated, nil
}

// Delete deletes a resource. It returns [scim.ErrNotFound] when there is none with the id.
func (r *Resources[T]) Delete(ctx context.Context, id string, options ...CallOption) error {
	req, err := r.request(http.MethodDelete, id, profiles.Delete, callOptions(options))
	if err != nil {
		return r.fail(err)
	}
	return r.do(ctx, req)
}

// request prepares a request for one resource.
func (r *Resources[T]) request(method, id string, op profiles.Operation, o call) (*request, *scim.Error) {
	if err := r.offers(op); err != nil {
		return nil, err
	}
	path, err := r.kind.path(id)
	if err != nil {
		return nil, err
	}
	return &request{method: method, path: path, ifMatch: o.ifMatch, ifNoneMatch: o.ifNoneMatch}, nil
}

// send sends a document and reads the resource that is answered, if one is.
func (r *Resources[T]) send(ctx context.Context, req *request, id string, doc scim.Document, answer *T) error {
	body, err := encode(doc)
	if err != nil {
		return r.fail(err)
	}
	req.body = body
	req.decode = func(_ int, _ http.Header, body []byte) error {
		if isBlank(body) {
			return nil
		}
		var received T
		if err := decode(body, &received); err != nil {
			return err
		}
		if strings.EqualFold(answeredID(&received, body), id) {
			*answer = received
		}
		return nil
	}
	return r.do(ctx, req)
}

func (r *Resources[T]) do(ctx context.Context, req *request) error { return r.c.do(ctx, req) }

// fail counts a call that was refused before anything was sent.
func (r *Resources[T]) fail(err *scim.Error) error {
	r.c.stats.failures.Add(1)
	return err
}

// outgoing returns a resource as it is sent: without what only the service writes, and with its schemas.
func (r *Resources[T]) outgoing(resource T) (scim.Document, *scim.Error) {
	doc, err := scim.ToDocument(resource)
	if err != nil {
		return nil, unencodable(err)
	}
	if doc == nil {
		doc = scim.Document{}
	}
	for name := range doc {
		if strings.EqualFold(name, "id") || strings.EqualFold(name, "meta") {
			delete(doc, name)
		}
	}
	if _, ok := doc["schemas"]; !ok {
		doc["schemas"] = r.kind.schemas(doc)
	}
	return doc, nil
}

// schemas returns the URNs of the schemas that a document uses.
func (k *kind) schemas(doc scim.Document) []any {
	var urns []any
	if k.urn != "" {
		urns = append(urns, k.urn)
	}
	for name := range doc {
		if strings.HasPrefix(strings.ToLower(name), "urn:") {
			urns = append(urns, name)
		}
	}
	return urns
}

func encode(v any) ([]byte, *scim.Error) {
	body, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return nil, unencodable(err)
	}
	return body, nil
}

func unencodable(err error) *scim.Error {
	return &scim.Error{
		Status: http.StatusBadRequest, Type: scim.InvalidValue, Err: errors.Join(ErrNotSent, err),
		Detail: fmt.Sprintf("the resource cannot be written as JSON: %v", err),
	}
}

// decode reads one resource or message, names in any case.
func decode(body []byte, v any) error {
	return json.Unmarshal(body, v, json.MatchCaseInsensitiveNames(true))
}

// isBlank reports whether an answer has nothing in it: a line break, which some services put behind what they leave out, is nothing.
func isBlank(body []byte) bool { return len(bytes.TrimSpace(body)) == 0 }

// hasID returns an error for what cannot be a resource of a service: it has no id where such resources have theirs.
func hasID(resource any) error {
	if id, known := idIn(resource); known && id == "" {
		return errNoID
	}
	return nil
}

var errNoID = errors.New("the resource has no id")

// answeredID returns the id of a resource in an answer, also when it is of a type that does not tell where it has its id. Ids are
// compared in any case: not every service gives back the case in which it was asked for one.
func answeredID(resource any, body []byte) string {
	if id, known := idIn(resource); known {
		return id
	}
	var raw struct {
		ID any `json:"id"`
	}
	if err := decode(body, &raw); err != nil || raw.ID == nil {
		return ""
	}
	return fmt.Sprint(raw.ID)
}

// into returns a decode function for a request whose answer must have a body.
func into(v any) func(int, http.Header, []byte) error {
	return func(_ int, _ http.Header, body []byte) error { return decode(body, v) }
}
