package client

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/schema"
)

// Change is a request that changes one resource.
type Change struct {
	// Method is PATCH or PUT.
	Method string
	// Operations are those of a PATCH.
	Operations []scim.PatchOperation
	// Resource is the body of a PUT.
	Resource scim.Document
}

// Update makes a resource what new says, where old is what it was when it was read: it sends what the two differ in and nothing
// else, and nothing at all when they do not differ. It returns the resource as the service has it then; new where the service answers
// without it.
//
// The change is a PATCH in the dialect of the profile; a PUT where the service has no PATCH, or has none for an attribute concerned. A
// PUT has what changed where the profile says that the service merges, otherwise all of new. What the profile does not
// know, or calls readOnly or immutable, is left out. Members of a group are added and removed one by one, so that those whom somebody else
// has added meanwhile stay; many are split into requests as the service takes them, which are sent in order until one fails.
func (r *Resources[T]) Update(ctx context.Context, old, new T, options ...CallOption) (T, error) {
	id, changes, err := r.plan(ctx, old, new)
	if err != nil {
		return new, err
	}
	o := callOptions(options)
	updated := new
	for _, change := range changes {
		got, err := r.change(ctx, id, change, o)
		if err != nil {
			return updated, err
		}
		if got != nil {
			updated = r.withMembers(*got, new)
		}
		o.ifMatch = "" // the version is another after the first change
	}
	return updated, nil
}

// PlanUpdate returns the requests that [Resources.Update] would send, in order, and none when there is nothing to change. It sends nothing but,
// without a profile, the question what the service supports.
func (r *Resources[T]) PlanUpdate(ctx context.Context, old, new T) ([]Change, error) {
	_, changes, err := r.plan(ctx, old, new)
	return changes, err
}

func (r *Resources[T]) change(ctx context.Context, id string, change Change, o call) (*T, error) {
	if change.Method == http.MethodPatch {
		return r.Patch(ctx, id, change.Operations, IfMatch(o.ifMatch))
	}
	req, failure := r.request(http.MethodPut, id, profiles.Replace, o)
	if failure != nil {
		return nil, r.fail(failure)
	}
	var updated *T
	req.body, failure = encode(change.Resource)
	if failure != nil {
		return nil, r.fail(failure)
	}
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
	if err := r.do(ctx, req); err != nil {
		return nil, err
	}
	return updated, nil
}

// withMembers puts the members of new into a group that the service answers without them although it has them.
func (r *Resources[T]) withMembers(updated, new T) T {
	if p := r.c.profile; p == nil || !p.Has(profiles.MembersNullAfterUpdate) {
		return updated
	}
	switch u := any(&updated).(type) {
	case *scim.Group:
		if u.Members == nil {
			u.Members = any(new).(scim.Group).Members
		}
	case *scim.Document:
		if members, ok := any(new).(scim.Document)["members"]; ok && (*u)["members"] == nil && *u != nil {
			(*u)["members"] = members
		}
	}
	return updated
}

// plan finds the requests that make new of old.
func (r *Resources[T]) plan(ctx context.Context, old, new T) (id string, changes []Change, err error) {
	before, failure := r.state(old)
	if failure == nil {
		id = before.ID()
		_, failure = r.kind.path(id)
	}
	if failure != nil {
		return id, nil, r.fail(failure)
	}
	after, failure := r.state(new)
	if failure != nil {
		return id, nil, r.fail(failure)
	}
	after["id"] = id
	k := &r.kind
	before, after = k.writable(before), k.writable(after)
	changed, failure := k.changed(before, after)
	if failure != nil || len(changed) == 0 {
		return id, nil, r.failOrNil(failure)
	}
	verb, failure, err := r.verb(ctx, changed)
	if err != nil {
		return id, nil, err
	}
	if failure != nil {
		return id, nil, r.fail(failure)
	}
	if verb == http.MethodPut {
		return id, []Change{{Method: verb, Resource: k.replacement(before, after, changed)}}, nil
	}
	changes, failure = k.patches(before, after)
	return id, changes, r.failOrNil(failure)
}

// failOrNil is fail, and nil for no failure.
func (r *Resources[T]) failOrNil(failure *scim.Error) error {
	if failure == nil {
		return nil
	}
	return r.fail(failure)
}

// state returns a resource in canonical form, where the schema is known.
func (r *Resources[T]) state(resource T) (scim.Document, *scim.Error) {
	doc, err := scim.ToDocument(resource)
	if err != nil {
		return nil, unencodable(err)
	}
	if doc == nil {
		return nil, notSent(http.StatusBadRequest, scim.InvalidValue, "", "the document is nil")
	}
	if r.kind.schema == nil {
		return doc, nil
	}
	canonical, err := r.kind.schema.Canonical(doc, schema.Options{
		Mode: schema.ModeAny, Unknown: schema.UnknownKeep, Tolerant: true,
	})
	if err != nil {
		return nil, invalid(err)
	}
	return canonical, nil
}

// invalid makes the error of another package one of a request that is not sent.
func invalid(err error) *scim.Error {
	e, ok := errors.AsType[*scim.Error](err)
	if !ok {
		return &scim.Error{Status: http.StatusBadRequest, Type: scim.InvalidValue, Detail: err.Error(), Err: errors.Join(ErrNotSent, err)}
	}
	c := *e
	c.Err = errors.Join(ErrNotSent, e.Err)
	return &c
}

// writable returns a document without what a client cannot change at the service: meta, and what the profile does not know or calls readOnly or
// immutable. The id stays.
func (k *kind) writable(doc scim.Document) scim.Document {
	out := maps.Clone(doc)
	for name, value := range doc {
		switch {
		case strings.EqualFold(name, "id"):
		case strings.EqualFold(name, "meta") || strings.EqualFold(name, "schemas"):
			delete(out, name)
		case len(k.attributes()) == 0:
		case strings.Contains(name, ":"):
			k.keepKnown(out, name, name+":", value)
		case !k.isWritable(name):
			delete(out, name)
		default:
			k.keepKnown(out, name, name+".", value)
		}
	}
	return out
}

// keepKnown takes the sub-attributes out of a complex attribute, or the attributes out of an extension, that cannot be written.
func (k *kind) keepKnown(out scim.Document, name, prefix string, value any) {
	object, ok := value.(map[string]any)
	if !ok {
		return
	}
	kept := make(map[string]any, len(object))
	for sub, v := range object {
		if k.isWritable(prefix + sub) {
			kept[sub] = v
		}
	}
	out[name] = kept
	if len(kept) == 0 {
		delete(out, name)
	}
}

func (k *kind) isWritable(path string) bool {
	a, ok := k.known.Attribute(path)
	if ok {
		return a.Mutability != "readOnly" && a.Mutability != "immutable"
	}
	// What is in a complex attribute of which the profile does not list the parts is kept with it.
	parent, _, dotted := strings.Cut(path, ".")
	if _, ok := k.known.Attribute(parent); !dotted || !ok {
		return false
	}
	return !slices.ContainsFunc(k.known.Attributes, func(a profiles.Attribute) bool {
		return len(a.Path) > len(parent) && strings.EqualFold(a.Path[:len(parent)+1], parent+".")
	})
}

// changed returns the full paths of the attributes in which two documents differ.
func (k *kind) changed(before, after scim.Document) ([]string, *scim.Error) {
	operations, err := k.difference(before, after, patch.Dialect{})
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, op := range operations {
		path := op.Path
		if p, err := filter.ParsePath(op.Path); err == nil {
			path = p.Target().String()
		}
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// difference returns the operations that make after of before, those on attributes that the schema does not have included.
func (k *kind) difference(before, after scim.Document, d patch.Dialect) ([]scim.PatchOperation, *scim.Error) {
	if k.schema == nil {
		return differ(before, after, "", d), nil
	}
	strangers := differ(k.strangers(before), k.strangers(after), "", d)
	operations, err := patch.Diff(k.schema, k.natives(before), k.natives(after), d)
	if err != nil {
		return nil, invalid(err)
	}
	return append(operations, strangers...), nil
}

// strangers returns the attributes of a document that the schema does not have.
func (k *kind) strangers(doc scim.Document) scim.Document {
	out := scim.Document{}
	for name, value := range doc {
		a, ok := k.schema.Lookup(name)
		if object, isObject := value.(map[string]any); ok && a.IsExtension() && isObject {
			for sub, v := range object {
				if _, known := a.SubAttribute(sub); !known {
					within(out, name)[sub] = v
				}
			}
			continue
		}
		if !ok {
			out[name] = value
		}
	}
	return out
}

// natives returns a document without its strangers.
func (k *kind) natives(doc scim.Document) scim.Document {
	out := scim.Document{}
	for name, value := range doc {
		a, ok := k.schema.Lookup(name)
		if object, isObject := value.(map[string]any); ok && a.IsExtension() && isObject {
			for sub, v := range object {
				if _, known := a.SubAttribute(sub); known {
					within(out, name)[sub] = v
				}
			}
			continue
		}
		if ok {
			out[name] = value
		}
	}
	return out
}

func within(doc scim.Document, name string) map[string]any {
	object, ok := doc[name].(map[string]any)
	if !ok {
		object = map[string]any{}
		doc[name] = object
	}
	return object
}

// differ returns an operation for each attribute that has another value in after, by its plain value.
func differ(before, after map[string]any, prefix string, d patch.Dialect) []scim.PatchOperation {
	var operations []scim.PatchOperation
	names := maps.Clone(after)
	if names == nil {
		names = map[string]any{}
	}
	maps.Copy(names, before)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		old, new := before[name], after[name]
		oldObject, _ := old.(map[string]any)
		newObject, isObject := new.(map[string]any)
		switch {
		case strings.EqualFold(name, "id") || sameValue(old, new):
		case prefix == "" && strings.Contains(name, ":") && (isObject || new == nil):
			operations = append(operations, differ(oldObject, newObject, name+":", d)...)
		case new == nil:
			operations = append(operations, scim.PatchOperation{Op: spell(scim.OpRemove, d), Path: prefix + name})
		default:
			operations = append(operations, scim.PatchOperation{Op: spell(scim.OpReplace, d), Path: prefix + name, Value: new})
		}
	}
	return operations
}

func spell(op scim.PatchOp, d patch.Dialect) scim.PatchOp {
	if d.TitleCaseOps {
		return scim.PatchOp(strings.ToUpper(string(op[:1]))) + op[1:]
	}
	return op
}

// sameValue compares two values of a document.
func sameValue(a, b any) bool {
	x, err := json.Marshal(a, json.Deterministic(true))
	y, err2 := json.Marshal(b, json.Deterministic(true))
	return err == nil && err2 == nil && string(x) == string(y)
}

// verb returns the method that can change the attributes.
func (r *Resources[T]) verb(ctx context.Context, changed []string) (string, *scim.Error, error) {
	k := &r.kind
	canPatch, canPut := true, true
	switch {
	case k.known != nil:
		canPatch, canPut = k.known.Offers(profiles.Update), k.known.Offers(profiles.Replace)
	case r.c.profile == nil:
		caps, err := r.c.Capabilities(ctx)
		if err != nil {
			return "", nil, err
		}
		canPatch = caps.Patch
	}
	// Without a schema it is not known what a PATCH of an attribute would mean.
	if canPatch && k.patchable(changed) && (k.schema != nil || !canPut) {
		return http.MethodPatch, nil, nil
	}
	if canPut {
		return http.MethodPut, nil, nil
	}
	return "", notSent(http.StatusNotImplemented, "", changed[0], "%s cannot change %s of a %s: it has neither PATCH nor PUT for it",
		serviceName(r.c.profile), changed[0], k.name), nil
}

// patchable reports whether the service changes all the attributes by PATCH.
func (k *kind) patchable(changed []string) bool {
	if k.known == nil || len(k.known.PatchAttributes) == 0 {
		return true
	}
	for _, path := range changed {
		if !slices.ContainsFunc(k.known.PatchAttributes, func(a string) bool { return covers(a, path) }) {
			return false
		}
	}
	return true
}

// covers reports whether an attribute is, or is a part of, another.
func covers(attribute, path string) bool {
	return strings.EqualFold(attribute, path) ||
		len(path) > len(attribute) && path[len(attribute)] == '.' && strings.EqualFold(attribute, path[:len(attribute)])
}

// replacement returns the body of a PUT.
func (k *kind) replacement(before, after scim.Document, changed []string) scim.Document {
	if k.known == nil || k.known.Put != profiles.PutMerges {
		doc := maps.Clone(after)
		doc["schemas"] = k.schemas(doc)
		return doc
	}
	doc := scim.Document{}
	for _, path := range changed {
		for name := range joined(before, after) {
			if strings.EqualFold(name, path) || startsWithName(path, name) {
				doc[name] = after[name] // nil, which clears it, when after has none
			}
		}
	}
	doc["schemas"] = k.schemas(doc)
	return doc
}

// startsWithName reports whether a path is of a part of the attribute, or in the extension, that has the name.
func startsWithName(path, name string) bool {
	return len(path) > len(name) && (path[len(name)] == '.' || path[len(name)] == ':') && strings.EqualFold(path[:len(name)], name)
}

func joined(a, b scim.Document) scim.Document {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// patches returns the requests of a PATCH in the dialect of the service.
func (k *kind) patches(before, after scim.Document) ([]Change, *scim.Error) {
	d := k.dialect()
	operations, err := k.difference(before, after, d)
	if err != nil {
		return nil, err
	}
	var changes []Change
	for _, chunk := range d.Chunk(operations) {
		changes = append(changes, Change{Method: http.MethodPatch, Operations: chunk})
	}
	return changes, nil
}

func (k *kind) dialect() patch.Dialect {
	if k.known == nil {
		return patch.Dialect{}
	}
	return k.known.Patch
}
