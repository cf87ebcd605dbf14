package server

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server/internal/casefold"
)

// requestedView returns how the client wants to see the resource that its request is about.
func (c *call) requestedView(rt *resourceType) (view, error) {
	if c.r.URL.RawQuery == "" {
		return rt.standard, nil
	}
	query, err := c.query()
	if err != nil {
		return view{}, err
	}
	return c.s.view(rt, query["attributes"], query["excludedAttributes"])
}

func (c *call) get(ctx context.Context, to route) (reply, error) {
	if err := to.typ.allows(OpRead); err != nil {
		return reply{}, err
	}
	v, err := c.requestedView(to.typ)
	if err != nil {
		return reply{}, err
	}
	r, err := c.load(ctx, to, v.omit()...)
	if err != nil {
		return reply{}, err
	}
	conditions := c.conditions()
	if conditions.match.given && !conditions.match.matchesVersion(r.Version) {
		return reply{}, toSCIM(ErrVersion)
	}
	answer, err := c.answerWith(ctx, http.StatusOK, v, r)
	if err != nil {
		return reply{}, err
	}
	if conditions.noneMatch.given && conditions.noneMatch.matchesTag(answer.etag) {
		return notModified(answer), nil
	}
	answer.location = ""
	return answer, nil
}

// load returns the resource that the request is about.
func (c *call) load(ctx context.Context, to route, omit ...string) (Resource, error) {
	r, err := c.s.store.Get(ctx, c.key(to.typ, to.id), omit...)
	if errors.Is(err, ErrNotFound) {
		return r, notFound(to.id)
	}
	return r, err
}

// answerWith returns the reply that shows one resource.
func (c *call) answerWith(ctx context.Context, status int, v view, r Resource) (reply, error) {
	list, err := c.show(ctx, v, []Resource{r})
	if err != nil {
		return reply{}, err
	}
	if status == http.StatusOK && c.r.Method == http.MethodGet {
		list[0].rendering = r.Rendering // what was read once will be read again
	}
	body, err := list[0].append(c.s.buffer())
	answer := reply{status: status, body: body, location: list[0].location, etag: list[0].etag, key: r.Key}
	if v.standard {
		answer.shown = answer.location
	}
	return answer, err
}

// canonical returns what the client sent in canonical form. The body is used up.
func (rt *resourceType) canonical(body scim.Document, mode schema.Mode) (scim.Document, error) {
	if rt.Strict {
		known := []string{rt.schema.URN()}
		for _, e := range rt.schema.Extensions() {
			known = append(known, e.Name)
		}
		if err := checkSchemas(body, known...); err != nil {
			return nil, err
		}
	}
	doc, err := rt.schema.Canonical(body, schema.Options{Mode: mode, Unknown: rt.Unknown, Tolerant: !rt.Strict, Reuse: true})
	rt.joinRepeats(doc)
	return doc, err
}

// checkSchemas refuses a body whose attribute schemas lacks the first of the URNs, or has others than these (RFC 7643 section 3).
func checkSchemas(body scim.Document, known ...string) error {
	list, _ := member(body, "schemas").([]any)
	found := false
	for _, e := range list {
		urn, _ := e.(string)
		if !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, urn) }) {
			return schemasError("schemas: %.200q is not a schema of this message", urn)
		}
		found = found || strings.EqualFold(urn, known[0])
	}
	if !found {
		return schemasError("schemas: %s is missing", known[0])
	}
	return nil
}

func schemasError(format string, args ...any) error {
	e := badRequest(scim.InvalidValue, format, args...)
	e.Attribute = "schemas"
	return e
}

func (c *call) create(ctx context.Context, to route) (reply, error) {
	if err := to.typ.allows(OpCreate); err != nil {
		return reply{}, err
	}
	v, err := c.requestedView(to.typ)
	if err != nil {
		return reply{}, err
	}
	body, err := c.readBody(c.s.opts.Limits.MaxBody)
	if err != nil {
		return reply{}, err
	}
	r, err := c.createFrom(ctx, to.typ, c.s.opts.NewID(), body, nil)
	if err != nil {
		return reply{}, err
	}
	answer, err := c.answerWith(ctx, http.StatusCreated, v, r)
	if err == nil {
		return answer, nil
	}
	// It is stored: whoever is told to try again would be told that it exists. What has to be looked up for the answer can be read later.
	c.s.opts.Logger.LogAttrs(ctx, slog.LevelError, "a new resource is shown without its groups and the names of its members",
		slog.String("request", c.info.ID), slog.String("error", err.Error()))
	v.groups, v.display = false, false
	return c.answerWith(ctx, http.StatusCreated, v, r)
}

// createFrom stores a new resource. pending are ids that are about to exist, which members may have.
func (c *call) createFrom(ctx context.Context, rt *resourceType, id string, body scim.Document, pending map[string]string) (Resource, error) {
	doc, err := rt.canonical(body, schema.ModeCreate)
	if err != nil {
		return Resource{}, err
	}
	now := FormatTime(c.s.opts.Now())
	doc["id"] = id
	doc["meta"] = map[string]any{"resourceType": rt.Name, "created": now, "lastModified": now}
	change := Change{Kind: Created, Key: c.key(rt, id), New: doc}
	if change.Members, err = c.admitMembers(ctx, rt, id, nil, doc, pending); err != nil {
		return Resource{}, err
	}
	if hook := c.s.opts.Hooks.BeforeCreate; hook != nil {
		before := scim.Document{"id": id, "schemas": doc["schemas"], "meta": doc["meta"]}
		if err := hook(ctx, &change); err != nil {
			return Resource{}, err
		}
		if err := change.complete(before); err != nil {
			return Resource{}, err
		}
	}
	if change.New, err = c.s.hasher.protect(ctx, rt, nil, change.New); err != nil {
		return Resource{}, err
	}
	r := Resource{
		Key: change.Key, Version: c.s.opts.NewVersion(), Document: change.New, Unique: rt.uniqueValues(change.New),
		Schema: rt.schema, Rendering: new(Rendering),
	}
	r.ID = change.New.ID()
	if err := c.s.store.Create(ctx, r); err != nil {
		return Resource{}, err
	}
	change.ID = r.ID
	c.after(ctx, change)
	c.expel(ctx, r.Key, change.Members.Add, pending)
	return r, nil
}

// after tells the hook of a change that was made. A panic of the hook must not keep back what belongs to the change, nor what the client is
// told of it.
func (c *call) after(ctx context.Context, change Change) {
	hook := c.s.opts.Hooks.After
	if hook == nil {
		return
	}
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler {
			panic(p)
		}
		c.s.opts.Logger.LogAttrs(ctx, slog.LevelError, "panic in the hook After",
			slog.String("request", c.info.ID), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
	}()
	hook(ctx, change)
}

// uniqueValues returns what no other resource may have of a document.
func (rt *resourceType) uniqueValues(doc scim.Document) []Unique {
	var list []Unique
	for _, a := range rt.unique {
		holder := map[string]any(doc)
		if a.URN != "" {
			holder, _ = doc[a.URN].(map[string]any)
		}
		scope := rt.Name
		if a.Uniqueness == schema.UniquenessGlobal {
			scope = ""
		}
		add := func(v any) {
			if v == nil || v == "" {
				return
			}
			list = append(list, Unique{Scope: scope, Attribute: a.Path(), Value: uniqueValue(a, v)})
		}
		if p := a.Parent(); p != nil {
			each(holder[p.Name], func(e any) {
				object, _ := e.(map[string]any)
				each(object[a.Name], add)
			})
			continue
		}
		each(holder[a.Name], add)
	}
	return list
}

func uniqueValue(a *schema.Attribute, v any) string {
	text, ok := v.(string)
	switch {
	case !ok:
		return a.Key(v)
	case a.CaseExact:
		return text
	}
	return casefold.String(text)
}

// each calls do for every element of an array, or for a value that is none.
func each(v any, do func(any)) {
	list, ok := v.([]any)
	if !ok {
		do(v)
		return
	}
	for _, e := range list {
		do(e)
	}
}

func (c *call) replace(ctx context.Context, to route) (reply, error) {
	if err := to.typ.allows(OpReplace); err != nil {
		return reply{}, err
	}
	v, err := c.requestedView(to.typ)
	if err != nil {
		return reply{}, err
	}
	body, err := c.readBody(c.s.opts.Limits.MaxBody)
	if err != nil {
		return reply{}, err
	}
	r, err := c.replaceWith(ctx, to, body, c.conditions())
	if err != nil {
		return reply{}, err
	}
	return c.answerWith(ctx, http.StatusOK, v, r)
}

// replaceWith gives a resource the state that a PUT asks for.
func (c *call) replaceWith(ctx context.Context, to route, body scim.Document, conditions conditions) (Resource, error) {
	mode := schema.ModeReplace
	if to.typ.PutMerges {
		mode = schema.ModePatch // what is required may be missing: it is there already
	}
	received, err := to.typ.canonical(body, mode)
	if err != nil {
		return Resource{}, err
	}
	sensitive := to.typ.hasSensitive(received)
	return retry(ctx, func() (Resource, error) {
		old, err := c.load(ctx, to)
		if err != nil {
			return old, err
		}
		if err := conditions.check(old.Version); err != nil {
			return old, err
		}
		target := received
		if to.typ.PutMerges {
			target = merge(old.Document, received)
		}
		doc, err := to.typ.schema.Replace(old.Document, target)
		if err != nil {
			return old, err
		}
		return c.update(ctx, to.typ, old, Change{Kind: Replaced, New: doc}, sensitive)
	})
}

// merge returns old with the attributes of received in the place of its own. Complex attributes with one value are merged, too.
func merge(old, received map[string]any) map[string]any {
	out := maps.Clone(old)
	for name, v := range received {
		object, ok := v.(map[string]any)
		was, also := out[name].(map[string]any)
		if ok && also {
			v = merge(was, object)
		}
		out[name] = v
	}
	return out
}

// update stores the new state of a resource, change.New, unless it is the old one. It may change the top level of change.New. sensitive says
// that the client has given a value which is never shown: whether it is the old one must not be learned from the answer.
func (c *call) update(ctx context.Context, rt *resourceType, old Resource, change Change, sensitive bool) (Resource, error) {
	change.Key, change.Old = old.Key, old.Document
	var err error
	if change.Members, err = c.admitMembers(ctx, rt, old.ID, old.Document, change.New, nil); err != nil {
		return old, err
	}
	if hook := c.s.opts.Hooks.BeforeUpdate; hook != nil {
		before := change.New
		change.New = before.Clone() // it shares values with the old document
		if err := hook(ctx, &change); err != nil {
			return old, err
		}
		change.New = maps.Clone(change.New) // it may be the hook's
		if err := change.complete(before); err != nil {
			return old, err
		}
	}
	if !sensitive && equalDocuments(old.Document, change.New) {
		return old, nil
	}
	if change.New, err = c.s.hasher.protect(ctx, rt, old.Document, change.New); err != nil {
		return old, err
	}
	setModified(change.New, c.s.opts.Now())
	r := Resource{
		Key: old.Key, Version: c.s.opts.NewVersion(), Document: change.New, Unique: rt.uniqueValues(change.New),
		Schema: rt.schema, Rendering: new(Rendering),
	}
	u := Update{Resource: r, IfVersion: old.Version}
	if change.Partial {
		u.Keep = omitMembers
	}
	if err := c.s.store.Update(ctx, u); err != nil {
		return old, err
	}
	c.after(ctx, c.s.hasher.withoutPasswords(rt, change, sensitive))
	c.expel(ctx, r.Key, change.Members.Add, nil)
	return r, nil
}

// equalDocuments reports whether two documents are identical. The order of the elements of an array counts.
func equalDocuments(a, b scim.Document) bool {
	return equalValues(map[string]any(a), map[string]any(b))
}

func equalValues(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, v := range a {
			if w, ok := b[name]; !ok || !equalValues(v, w) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equalValues)
	case nil, string, bool, int64, float64:
		return a == b
	}
	return reflect.DeepEqual(a, b) // what a hook has put there
}

func (c *call) delete(ctx context.Context, to route) (reply, error) {
	if err := to.typ.allows(OpDelete); err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusNoContent}, c.remove(ctx, to, c.conditions())
}

// remove deletes a resource, and takes it out of the groups that it is a member of.
//
// It leaves its groups afterwards: when it cannot be deleted, it keeps them. When it cannot leave them all, the same request
// can be sent again and does the rest, though there is nothing to delete any more.
func (c *call) remove(ctx context.Context, to route, conditions conditions) error {
	_, err := retry(ctx, func() (Resource, error) { return c.removeAlone(ctx, to, conditions) })
	gone := errors.Is(err, ErrNotFound)
	switch {
	case gone && c.s.opts.MissingMembers: // groups may have who does not exist yet
		return notFound(to.id)
	case err != nil && !gone:
		return err
	}
	// Whoever asked for it may have lost patience, but half of it is done.
	ctx, cancel := c.s.detached(ctx)
	defer cancel()
	if err := c.leaveGroups(ctx, c.key(to.typ, to.id)); err != nil {
		return err
	}
	if gone {
		return notFound(to.id)
	}
	return nil
}

// detached returns a context for what must be done even if the client has gone or its time is over. It has a time of its own.
func (s *Server) detached(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = context.WithoutCancel(ctx)
	if s.opts.Limits.Timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.opts.Limits.Timeout)
}

// removeAlone deletes a resource. The error wraps [ErrNotFound] when there is none.
func (c *call) removeAlone(ctx context.Context, to route, conditions conditions) (Resource, error) {
	var omit []string
	hooks := c.s.opts.Hooks
	if to.typ.members != nil && hooks.BeforeDelete == nil && hooks.After == nil {
		omit = omitMembers
	}
	old, err := c.s.store.Get(ctx, c.key(to.typ, to.id), omit...)
	if err != nil {
		return old, err
	}
	if err := conditions.check(old.Version); err != nil {
		return old, err
	}
	change := Change{Kind: Deleted, Key: old.Key, Old: old.Document}
	change.Members.Reset = to.typ.members != nil
	if hooks.BeforeDelete != nil {
		if err := hooks.BeforeDelete(ctx, &change); err != nil {
			return old, err
		}
	}
	if err := c.s.store.Delete(ctx, old.Key, old.Version); err != nil {
		return old, err
	}
	c.after(ctx, change)
	return old, nil
}
