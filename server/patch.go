package server

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/patch"
)

func (c *call) patch(ctx context.Context, to route) (reply, error) {
	if err := to.typ.allows(OpPatch); err != nil {
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
	if to.typ.Strict {
		if err := checkSchemas(body, scim.PatchOpSchema); err != nil {
			return reply{}, err
		}
	}
	ops, err := patchOperations(body)
	if err != nil {
		return reply{}, err
	}
	outcome, err := c.patchWith(ctx, to, ops, c.conditions())
	if err != nil {
		return reply{}, err
	}
	return c.answerPatch(ctx, to, v, outcome)
}

// answerPatch answers a PATCH that was applied.
func (c *call) answerPatch(ctx context.Context, to route, v view, outcome patched) (reply, error) {
	reads := c.r.URL.RawQuery != "" && c.r.URL.Query().Has("attributes")
	withBody := outcome.changed && !outcome.partial
	switch c.s.opts.PatchReply {
	case PatchReplyBody:
		withBody = true
	case PatchReplyEmpty:
		withBody = false
	case PatchReplySmall:
		small, err := c.isSmall(ctx, v, outcome)
		if err != nil {
			return reply{}, err
		}
		withBody = outcome.changed && small
	}
	if !withBody && !reads {
		return reply{status: http.StatusNoContent, etag: etag(outcome.Version, ""), key: outcome.Key}, nil
	}
	if outcome.partial && v.members {
		var err error
		if outcome.Resource, err = c.load(ctx, to); err != nil {
			return reply{}, err
		}
	}
	answer, err := c.answerWith(ctx, http.StatusOK, v, outcome.Resource)
	answer.location = ""
	return answer, err
}

// fewMembers is up to how many members PatchReplySmall shows.
const fewMembers = 100

// isSmall reports whether a resource that was changed can be shown without reading many members.
func (c *call) isSmall(ctx context.Context, v view, outcome patched) (bool, error) {
	if !outcome.changed || !outcome.partial || !v.members {
		return true, nil
	}
	counter, ok := c.s.store.(MemberCounter)
	if !ok {
		return false, nil
	}
	n, err := counter.CountMembers(ctx, outcome.Key, fewMembers+1)
	if errors.Is(err, ErrNotFound) {
		return false, nil // it has been deleted since: what there is to say is that the change was made
	}
	return n <= fewMembers, err
}

// patchOperations returns the operations of a PATCH request (RFC 7644 section 3.5.2).
func patchOperations(body scim.Document) ([]scim.PatchOperation, error) {
	list, ok := member(body, "Operations").([]any)
	if !ok || len(list) == 0 {
		return nil, badRequest(scim.InvalidSyntax, "a PATCH needs an array of Operations with at least one")
	}
	ops := make([]scim.PatchOperation, len(list))
	for i, e := range list {
		object, ok := e.(map[string]any)
		if !ok {
			return nil, inOperation(i, badRequest(scim.InvalidSyntax, "an operation must be an object"))
		}
		op, ok := member(object, "op").(string)
		if !ok {
			return nil, inOperation(i, badRequest(scim.InvalidSyntax, "op must be add, replace or remove"))
		}
		path := member(object, "path")
		text, ok := path.(string)
		if !ok && path != nil {
			return nil, inOperation(i, badRequest(scim.InvalidPath, "path must be a string"))
		}
		value, given := lookUp(object, "value")
		if kind := strings.ToLower(strings.TrimSpace(op)); !given && (kind == "add" || kind == "replace") {
			return nil, inOperation(i, badRequest(scim.InvalidValue, "%s needs a value", kind))
		}
		ops[i] = scim.PatchOperation{Op: scim.PatchOp(op), Path: text, Value: value}
	}
	return ops, nil
}

func inOperation(index int, e *scim.Error) error {
	e.Operation = index + 1
	return e
}

// member returns the member of a JSON object with a name in any case; nil when there is none.
func member(object map[string]any, name string) any {
	v, _ := lookUp(object, name)
	return v
}

// lookUp returns the member of a JSON object with a name in any case, and whether there is one. Of several, it is the one in the name's own
// case, or else the first in the order of their bytes: the same at every time.
func lookUp(object map[string]any, name string) (value any, found bool) {
	if v, ok := object[name]; ok {
		return v, true
	}
	first := ""
	for n, v := range object {
		if strings.EqualFold(n, name) && (!found || n < first) {
			value, found, first = v, true, n
		}
	}
	return value, found
}

// patched is a resource after a PATCH.
type patched struct {
	Resource
	changed bool
	// partial says that Document is without members, which were not loaded.
	partial bool
}

// patchWith applies the operations of a PATCH.
func (c *call) patchWith(ctx context.Context, to route, ops []scim.PatchOperation, conditions conditions) (patched, error) {
	if most := c.s.opts.Limits.MaxPatchOperations; len(ops) > most {
		return patched{}, badRequest(scim.TooMany, "a PATCH may have at most %d operations, this one has %d", most, len(ops))
	}
	if hook := c.s.opts.Hooks.BeforePatch; hook != nil {
		p := Patch{Key: c.key(to.typ, to.id), Operations: slices.Clone(ops)}
		if err := hook(ctx, &p); err != nil {
			return patched{}, err
		}
		ops = p.Operations
	}
	if c.s.members != nil {
		rest, members, ok, err := to.typ.splitMembers(ops)
		if err != nil {
			return patched{}, err
		}
		if ok {
			return c.patchMembers(ctx, to, ops, rest, members, conditions)
		}
	}
	return retry(ctx, func() (patched, error) {
		var omit []string
		if to.typ.members != nil && c.s.members != nil && !mentions(ops, Members) && c.s.opts.Hooks.BeforeUpdate == nil {
			omit = omitMembers
		}
		old, err := c.load(ctx, to, omit...)
		if err != nil {
			return patched{}, err
		}
		if err := conditions.check(old.Version); err != nil {
			return patched{}, err
		}
		doc, sensitive, err := c.apply(to.typ, old.Document, ops)
		if err != nil {
			return patched{}, err
		}
		change := Change{Kind: Patched, New: doc, Operations: ops, Partial: omit != nil}
		r, err := c.update(ctx, to.typ, old, change, sensitive)
		return patched{Resource: r, changed: r.Version != old.Version, partial: change.Partial}, err
	})
}

// mentions reports whether an operation may touch the attribute.
func mentions(ops []scim.PatchOperation, name string) bool {
	holds := func(s string) bool { return strings.Contains(strings.ToLower(s), name) }
	for _, op := range ops {
		if holds(op.Path) {
			return true
		}
		object, _ := op.Value.(map[string]any)
		for key := range object {
			if op.Path == "" && holds(key) {
				return true
			}
		}
	}
	return false
}

// apply returns the document after the operations, which may be changed at its top level, and whether they have written what is
// never shown.
func (c *call) apply(rt *resourceType, doc scim.Document, ops []scim.PatchOperation) (after scim.Document, sensitive bool, err error) {
	result, err := patch.Apply(rt.schema, doc, ops, patch.Options{
		Strict: rt.Strict, IgnoreUnknown: rt.IgnoreUnknownPaths, MaxOperations: c.s.opts.Limits.MaxPatchOperations,
	})
	if err != nil {
		return nil, false, err
	}
	if !result.Changed { // then it is the old document
		return maps.Clone(result.Document), false, nil
	}
	rt.joinRepeats(result.Document)
	return result.Document, result.Sensitive, nil
}

// patchMembers applies a PATCH that changes members in a way which does not depend on them, so that they need not be loaded.
// rest are the operations on other attributes.
func (c *call) patchMembers(ctx context.Context, to route, ops, rest []scim.PatchOperation, members MemberChange, conditions conditions) (patched, error) {
	return retry(ctx, func() (patched, error) {
		old, err := c.load(ctx, to, Members)
		if err != nil {
			return patched{}, err
		}
		if err := conditions.check(old.Version); err != nil {
			return patched{}, err
		}
		change := Change{Kind: Patched, Key: old.Key, Old: old.Document, Partial: true, Members: members, Operations: ops}
		change.Members.Add = cloneElements(members.Add)
		var sensitive bool
		if change.New, sensitive, err = c.apply(to.typ, old.Document, rest); err != nil {
			return patched{}, err
		}
		if err := c.admit(ctx, to.typ, to.id, change.Members.Add, nil); err != nil {
			return patched{}, err
		}
		if hook := c.s.opts.Hooks.BeforeUpdate; hook != nil {
			before := change.New
			change.New = before.Clone()
			if err := hook(ctx, &change); err != nil {
				return patched{}, err
			}
			change.New = maps.Clone(change.New) // it may be the hook's
			if err := change.complete(before); err != nil {
				return patched{}, err
			}
		}
		return c.storeMembers(ctx, to.typ, old, change, conditions, sensitive)
	})
}

// storeMembers stores a change of members, and of the document when it is another one or was given what is never shown.
func (c *call) storeMembers(ctx context.Context, rt *resourceType, old Resource, change Change, conditions conditions, sensitive bool) (patched, error) {
	now := c.s.opts.Now()
	u := MemberUpdate{
		Resource: Resource{Key: old.Key, Version: c.s.opts.NewVersion(), Schema: rt.schema}, Modified: now, MemberChange: change.Members,
	}
	if sensitive || !equalDocuments(old.Document, change.New) {
		var err error
		if u.Document, err = c.s.hasher.protect(ctx, rt, old.Document, change.New); err != nil {
			return patched{}, err
		}
		setModified(u.Document, now)
		delete(u.Document, Members) // they are the store's; a hook may have put some there
		u.Unique = rt.uniqueValues(change.New)
	}
	// A change of members alone is right whatever else changes, unless the client asked for one version.
	if u.Document != nil || conditions.match.given && !conditions.match.any {
		u.IfVersion = old.Version
	}
	result, err := c.s.members.UpdateMembers(ctx, u)
	if err != nil {
		return patched{}, err
	}
	if result.Changed {
		change.New = result.Resource.Document
		change.Members = settled(change.Members, result)
		c.after(ctx, c.s.hasher.withoutPasswords(rt, change, sensitive))
		c.expel(ctx, old.Key, change.Members.Add, nil)
	}
	return patched{Resource: result.Resource, changed: result.Changed, partial: true}, nil
}

// settled returns the part of a change that the store made.
func settled(c MemberChange, r MemberResult) MemberChange {
	added := make(map[string]bool, len(r.Added))
	for _, value := range r.Added {
		added[value] = true
	}
	out := MemberChange{Remove: r.Removed}
	for _, e := range c.Add {
		if value, _ := MemberValue(e); added[value] {
			out.Add = append(out.Add, e)
		}
	}
	return out
}

func cloneElements(list []map[string]any) []map[string]any {
	out := make([]map[string]any, len(list))
	for i, e := range list {
		out[i] = maps.Clone(e)
	}
	return out
}
