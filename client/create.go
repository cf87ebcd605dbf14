package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles"
)

// Create creates a resource (RFC 7644 section 3.3) and returns it as the service has it, with its id. An id and a meta that
// resource holds are not sent. The error is [scim.ErrConflict] when the service has such a resource already.
//
// A create is never sent twice blindly. When the connection is lost, or the answer cannot be read or has no id, the resource is looked for by its
// unique attribute (the profile's; userName or displayName where there is none, else externalId). If it is there and is what was sent,
// it is returned. If it is not there, it is created again. If that gives no certainty, the error is [ErrOutcomeUnknown].
//
// Where the profile says that a group cannot be created with members, they are added after it; an error of that comes with the group.
func (r *Resources[T]) Create(ctx context.Context, resource T) (T, error) {
	var none T
	if err := r.offers(profiles.Create); err != nil {
		return none, r.fail(err)
	}
	doc, err := r.outgoing(resource)
	if err == nil {
		err = r.kind.checkCreate(doc)
	}
	if err != nil {
		return none, r.fail(err)
	}
	members, separate := r.kind.takeMembers(doc)
	created, failure := r.create(ctx, doc)
	if failure != nil || !separate {
		return created, failure
	}
	id := idOf(&created)
	if id == "" {
		return created, r.fail(invalid(errors.New("the group was created, but its members were not added: its id is not known")))
	}
	return created, r.AddMembers(ctx, id, members...)
}

// takeMembers takes the members out of a group that the service cannot create with them.
func (k *kind) takeMembers(doc scim.Document) (ids []string, separate bool) {
	if k.known == nil || k.known.MembersOnCreate {
		return nil, false
	}
	for name, value := range doc {
		elements, ok := value.([]any)
		if !ok || !strings.EqualFold(name, "members") {
			continue
		}
		for _, e := range elements {
			if m, ok := e.(map[string]any); ok {
				e = member(m, "value")
			}
			if id, ok := e.(string); ok {
				ids = append(ids, id)
			}
		}
		delete(doc, name)
	}
	return ids, len(ids) > 0
}

func (r *Resources[T]) create(ctx context.Context, doc scim.Document) (T, error) {
	var none T
	body, failure := encode(doc)
	if failure != nil {
		return none, r.fail(failure)
	}
	begin := r.c.clock.Now()
	waits := backoff{Retry: r.c.retry, random: r.c.random}
	doubt := error(nil) // why it is not known whether an earlier request created it
	for {
		created, err := r.post(ctx, body)
		switch {
		case err == nil:
			return created, nil
		case isUnknown(err):
			doubt = err
		case doubt == nil || !errors.Is(err, scim.ErrConflict):
			return none, r.kind.nameConflict(err)
		}
		found, there, err := r.settle(ctx, doc, begin, doubt, &waits)
		if err != nil || there {
			return found, err
		}
	}
}

// nameConflict adds the attribute to a conflict that can only be of one.
func (k *kind) nameConflict(err error) error {
	e, ok := errors.AsType[*scim.Error](err)
	if !ok || k.known == nil || e.Status != http.StatusConflict || e.Attribute != "" {
		return err
	}
	if unique := k.keyAttributes(); len(unique) == 1 {
		named := *e
		named.Attribute = unique[0]
		return &named
	}
	return err
}

// post sends the create once.
func (r *Resources[T]) post(ctx context.Context, body []byte) (T, error) {
	var created T
	req := &request{method: http.MethodPost, path: r.kind.endpoint, body: body, once: true}
	req.decode = func(_ int, _ http.Header, body []byte) error {
		if err := decode(body, &created); err != nil {
			return err
		}
		if answeredID(&created, body) == "" {
			return errNoID
		}
		return nil
	}
	if err := r.do(ctx, req); err != nil {
		var none T
		return none, err
	}
	return created, nil
}

// settle finds out whether a create whose answer is missing was done. It returns the resource when it was, and no error when it was not
// and may be sent again.
func (r *Resources[T]) settle(
	ctx context.Context, doc scim.Document, begin time.Time, doubt error, waits *backoff,
) (found T, there bool, err error) {
	key, ok := r.kind.key(doc)
	var asked time.Duration
	if e, ok := errors.AsType[*scim.Error](doubt); ok {
		asked = e.RetryAfter
	}
	wait, again := waits.next(asked)
	if !ok || !again || ctx.Err() != nil {
		return found, false, doubt
	}
	// A service that was slow to answer may still be at work, and one that is unavailable says when it will be back.
	if r.c.clock.Sleep(ctx, wait) != nil {
		return found, false, doubt
	}
	candidates, err := r.matches(ctx, key)
	if err != nil {
		return found, false, stillUnknown(doubt, "looking for it failed: "+err.Error())
	}
	for _, candidate := range candidates {
		have, err := scim.ToDocument(candidate)
		if err == nil && hasID(&candidate) == nil && isEcho(doc, have) && !olderThan(have, begin) {
			return candidate, true, nil
		}
	}
	if len(candidates) > 0 {
		return found, false, r.taken(key)
	}
	return found, false, nil
}

func stillUnknown(doubt error, why string) error {
	e, ok := errors.AsType[*scim.Error](doubt)
	if !ok {
		return doubt
	}
	c := *e
	c.Detail += "; " + why
	return &c
}

// taken is the error for a create that another resource is in the way of.
func (r *Resources[T]) taken(key filter.Filter) *scim.Error {
	e := &scim.Error{
		Status: http.StatusConflict, Type: scim.Uniqueness, Method: http.MethodPost, Path: r.kind.endpoint,
		Detail: fmt.Sprintf("the answer was lost, and the service has another %s with this value", r.kind.name),
	}
	if attrs := key.Attributes(); len(attrs) > 0 {
		e.Attribute = attrs[0].String()
	}
	return e
}

// key returns the filter by which a resource that was just created can be found.
func (k *kind) key(doc scim.Document) (filter.Filter, bool) {
	for _, attribute := range k.keyAttributes() {
		a, err := filter.ParseAttr(attribute)
		if err != nil {
			continue
		}
		if v, _ := lookUp(doc, a); v != nil {
			if text, ok := v.(string); ok && text != "" {
				return filter.Eq(attribute, text), true
			}
		}
	}
	return filter.Filter{}, false
}

func (k *kind) keyAttributes() []string {
	if k.known != nil && len(k.known.Attributes) > 0 {
		var keys []string
		for _, a := range k.known.Attributes {
			if a.Unique && filterable(&a, "eq") {
				keys = append(keys, a.Path)
			}
		}
		return keys
	}
	switch k.name {
	case "User":
		return []string{"userName"}
	case "Group":
		return []string{"displayName"}
	}
	return []string{"externalId"}
}

// isEcho reports whether a resource can be what a create made of a document: what both have is the same. Attributes that the service
// does not keep are missing in the resource, and arrays may come back in other forms; neither is held against it.
func isEcho(sent, have map[string]any) bool {
	for name, want := range sent {
		if strings.EqualFold(name, "schemas") {
			continue
		}
		switch got := member(have, name).(type) {
		case nil, []any:
		case map[string]any:
			if object, ok := want.(map[string]any); !ok || !isEcho(object, got) {
				return false
			}
		case string:
			if text, ok := want.(string); ok && !strings.EqualFold(text, got) {
				return false
			}
		default:
			if want != got {
				return false
			}
		}
	}
	return true
}

// clockSkew is how far the clocks of client and service may be apart.
const clockSkew = 15 * time.Minute

// olderThan reports whether a resource says that it was there before.
func olderThan(have scim.Document, begin time.Time) bool {
	created, _ := lookUp(have, filter.Attr{Name: "meta", Sub: "created"})
	text, _ := created.(string)
	t, err := time.Parse(time.RFC3339, text)
	return err == nil && t.Before(begin.Add(-clockSkew))
}
