package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/scimbridge/scim"
)

// Hooks are called while requests are served, from many goroutines at once. A nil one is left out.
//
// A hook that returns an error ends the request. A [*scim.Error] is shown to the client as it is; any other becomes 500, and only
// the log has its text. A hook may be called again for the same request, when a change has to be made anew because another one
// came between.
type Hooks struct {
	// BeforeCreate, BeforeUpdate and BeforeDelete are called when everything has been checked and before the store is. The first
	// two may change or replace Change.New, which must stay canonical; what is readOnly is not checked again. The id of a new resource
	// is better made by Options.NewID, as references of a bulk request are to that one. The id, schemas and meta of a document
	// that lacks them stay as they were.
	BeforeCreate, BeforeUpdate, BeforeDelete func(ctx context.Context, c *Change) error
	// BeforePatch may change the operations of a PATCH before they are applied.
	BeforePatch func(ctx context.Context, p *Patch) error
	// BeforeQuery may refuse a query, or narrow it. A changed Filter is checked and compiled anew; Match need not be set.
	BeforeQuery func(ctx context.Context, q *Query) error
	// After is called when a change has been stored, before the client is told. It cannot undo it; a panic
	// of it is logged and changes nothing else.
	After func(ctx context.Context, c Change)
	// OnRead returns the document that the client gets in place of doc, which is complete but for what was never loaded, and
	// belongs to the hook. Attributes and excludedAttributes are applied to the result, and what is never
	// returned is taken out of it.
	OnRead func(ctx context.Context, key Key, doc scim.Document) (scim.Document, error)
	// Observe is called when a request comes in, before it is known who sends it; Identity of info is empty. The request is
	// served with the context that it returns. The function that it returns, which may be nil, is called with the status of the
	// answer when the request is over. Tracing and metrics plug in here.
	Observe func(ctx context.Context, info RequestInfo) (context.Context, func(status int))
	// OnError may replace the error that the client gets. err is what happened; answer what would be sent. The answer must not be
	// changed: to send another, return another.
	OnError func(ctx context.Context, err error, answer *scim.Error) *scim.Error
}

// ChangeKind says how a resource was changed.
type ChangeKind string

// Kinds of change.
const (
	Created  ChangeKind = "created"
	Replaced ChangeKind = "replaced" // by PUT
	Patched  ChangeKind = "patched"
	Deleted  ChangeKind = "deleted"
	// MembersLeft is the change of a group because a member of it was deleted.
	MembersLeft ChangeKind = "membersLeft"
)

// Change is the change of one resource.
type Change struct {
	Kind ChangeKind
	Key
	// Old is the document before, nil when the resource is created; New the one after, nil when it is deleted. Both have
	// what is never returned, such as the password. Old must not be changed.
	//
	// When Partial is set they are without members, because these were not loaded; both may then be nil, when nothing but
	// members is changed.
	Old, New scim.Document
	Partial  bool
	// Members is how the members change, of resources that have some.
	Members MemberChange
	// Operations are those of a PATCH. The hook After gets none when they may have a password that was stored as a hash.
	Operations []scim.PatchOperation
}

// complete gives New what no resource is without, and a hook has left out: as before has it. The id of a resource that exists stays.
func (c *Change) complete(before scim.Document) error {
	if c.New == nil {
		return errors.New("a hook has taken the document away")
	}
	if c.Kind != Created || c.New.ID() == "" {
		c.New["id"] = before["id"]
	}
	for _, name := range [...]string{"schemas", "meta"} {
		if c.New[name] == nil {
			c.New[name] = before[name]
		}
	}
	return nil
}

// Patch is a PATCH request.
type Patch struct {
	Key
	Operations []scim.PatchOperation
}

// RequestInfo is what is known about the request being served.
type RequestInfo struct {
	// ID is in the log, and in the response as X-Request-Id.
	ID       string
	Identity Identity
	// BaseURL is the service's URL as the client sees it, without a slash at the end.
	BaseURL string
	// Operation says what the request does: create, read, list, replace, patch, delete, search, bulk, discover or unknown.
	Operation string
	// ResourceType is the name of the type that the path names; empty when it names none.
	ResourceType string
	// Request is the HTTP request. Its body has been read, or will be by the server.
	Request *http.Request
}

// Info returns what is known about the request that ctx belongs to. Hooks and stores get such a context.
func Info(ctx context.Context) (RequestInfo, bool) {
	info, ok := ctx.Value(infoKey{}).(*RequestInfo)
	if !ok {
		return RequestInfo{}, false
	}
	return *info, true
}
