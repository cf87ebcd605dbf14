package patch

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// Result is what operations have made of a document.
type Result struct {
	// Document is the new document. It shares what was not changed with the old one: treat both as read-only, or [scim.Document.Clone]
	// one of them. It is the old document itself when nothing has changed.
	Document scim.Document
	// Changed reports whether an operation has changed anything. A server answers with 204, and gives no new version, when it
	// is false. A write or removal of a sensitive attribute, such as password, is always a change, so that nobody
	// can guess the old value.
	Changed bool
	// Sensitive reports whether an operation has written or removed a sensitive attribute. Then the document may be equal to the old one, and
	// must still be treated as another.
	Sensitive bool
}

// Apply returns the document after the operations, in their order: all of them, or an error and none. doc must be in
// canonical form ([schema.Schema.Canonical]) and is not changed; the result is in canonical form, too. doc and ops may be shared between
// goroutines.
//
// The time it takes grows with what the operations touch and with the length of the arrays they change. Use a [Target] to
// patch one large document many times.
//
// Errors are [*scim.Error] values with the 1-based index of the operation that failed and the path of the attribute:
//
//   - 400 invalidSyntax: an unknown op;
//   - 400 invalidPath, invalidFilter: a path that cannot be read, or that names no attribute;
//   - 400 noTarget: a remove without path, or a value filter that matches nothing (when Strict, when what it asks for
//     cannot be created, or when whole elements are to be replaced);
//   - 400 mutability: a change of what is readOnly or immutable, or the removal of what is required;
//   - 400 invalidValue: a value that is not of the attribute's type, or two primary elements;
//   - 403 sensitive: a value filter on an attribute that is never returned (RFC 7644 section 7.5.2);
//   - 400 tooMany, 413: a bound of [Options].
func Apply(s *schema.Schema, doc scim.Document, ops []scim.PatchOperation, opts Options) (Result, error) {
	e := newEdit(s, doc, opts)
	if err := e.run(ops); err != nil {
		return Result{}, err
	}
	if !e.changed {
		return Result{Document: doc}, nil
	}
	return Result{Document: assemble(e.root, e.ownRoot, e.lists), Changed: true, Sensitive: e.sensitive}, nil
}

// edit is one request being applied to a document. What it changes is copied first.
type edit struct {
	schema *schema.Schema
	opts   Options
	// root is the document; what is in lists takes the place of the attributes there.
	root  map[string]any
	lists map[*schema.Attribute]*list
	// ownRoot and owned say what was copied already: the root, and the objects of extensions and of complex attributes.
	ownRoot bool
	owned   map[*schema.Attribute]bool
	// extended holds, for each extension that was touched, whether it had attributes before.
	extended map[*schema.Attribute]bool
	// eager lets lists build an index at once.
	eager   bool
	changed bool
	// sensitive says that a sensitive attribute was written.
	sensitive    bool
	work, growth int
}

func newEdit(s *schema.Schema, doc scim.Document, opts Options) *edit {
	return &edit{schema: s, opts: opts.withDefaults(), root: doc}
}

func (e *edit) run(ops []scim.PatchOperation) error {
	if len(ops) == 0 && e.opts.Strict {
		return refuse(scim.InvalidSyntax, "", "a PATCH request needs at least one operation")
	}
	if len(ops) > e.opts.MaxOperations {
		return refuse(scim.TooMany, "", "a request may have at most %d operations, this one has %d", e.opts.MaxOperations, len(ops))
	}
	for i, op := range ops {
		if err := e.apply(op); err != nil {
			return inOperation(err, i+1)
		}
	}
	e.settleSchemas()
	return nil
}

// inOperation returns the error as one of an operation.
func inOperation(err error, index int) error {
	refused, ok := errors.AsType[*scim.Error](err)
	if !ok {
		return err
	}
	located := *refused
	located.Operation = index
	return &located
}

func (e *edit) apply(op scim.PatchOperation) error {
	kind, err := e.kind(op.Op)
	if err != nil {
		return err
	}
	if op.Path == "" {
		return e.applyPathless(kind, op.Value)
	}
	p, err := e.find(op.Path)
	if err != nil {
		return e.unlessIgnored(err)
	}
	if p.attr == nil {
		return e.applyPathless(kind, op.Value)
	}
	return e.applyAt(p, kind, op.Value)
}

func (e *edit) kind(op scim.PatchOp) (scim.PatchOp, error) {
	kind := op
	if !e.opts.Strict {
		kind = scim.PatchOp(strings.ToLower(strings.TrimSpace(string(op))))
	}
	switch kind {
	case scim.OpAdd, scim.OpReplace, scim.OpRemove:
		return kind, nil
	}
	return "", refuse(scim.InvalidSyntax, "", "op must be add, replace or remove")
}

// unlessIgnored returns the error of a path, or nil when it is that of an attribute which shall be ignored.
func (e *edit) unlessIgnored(err error) error {
	if e.opts.IgnoreUnknown && errors.Is(err, scim.ErrInvalidPath) {
		return nil
	}
	return err
}

// applyPathless applies an operation without a path: its value is an object of attributes.
func (e *edit) applyPathless(kind scim.PatchOp, value any) error {
	if kind == scim.OpRemove {
		return refuse(scim.NoTarget, "", "remove needs a path")
	}
	object, ok := value.(map[string]any)
	if !ok {
		return refuse(scim.InvalidValue, "", "without a path, the value must be an object of attributes")
	}
	seen := make(map[*schema.Attribute]string, len(object))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if err := e.applyNamed(kind, name, object[name], seen); err != nil {
			return err
		}
	}
	return nil
}

// applyNamed applies one attribute of an operation without a path. seen has the attributes that came before it.
func (e *edit) applyNamed(kind scim.PatchOp, name string, value any, seen map[*schema.Attribute]string) error {
	p, err := e.findKey(name)
	switch {
	case err != nil && !e.opts.Strict && errors.Is(err, scim.ErrInvalidPath):
		return nil
	case err != nil:
		return e.unlessIgnored(err)
	}
	if p.attr == nil {
		return e.applyPathless(kind, value)
	}
	if !p.filtered() {
		target := p.attr
		if p.sub != nil {
			target = p.sub
		}
		if other, twice := seen[target]; twice {
			return refuse(scim.InvalidSyntax, target.Path(), "%s is given twice, as %q and %q", target.Path(), other, name)
		}
		seen[target] = name
	}
	if !e.opts.Strict && (p.attr.Mutability == schema.ReadOnly || p.sub != nil && p.sub.Mutability == schema.ReadOnly) {
		return nil
	}
	return e.applyAt(p, kind, value)
}

// findKey returns the place that a name in an object of attributes means.
func (e *edit) findKey(name string) (place, error) {
	p, err := e.find(name)
	if err == nil && e.opts.Strict && (p.attr == nil || p.sub != nil || p.filtered()) {
		return place{}, unknownAttribute(name)
	}
	return p, err
}

// applyAt applies an operation to the attribute that its path names.
func (e *edit) applyAt(p place, kind scim.PatchOp, value any) error {
	if p.attr.Name == "schemas" && p.attr.URN == "" && !e.opts.Strict {
		return nil // it follows from what the document holds
	}
	if p.attr.Mutability == schema.ReadOnly || p.sub != nil && p.sub.Mutability == schema.ReadOnly {
		return refuse(scim.Mutability, p.path(), "%s is readOnly", p.path())
	}
	if p.attr.Sensitive() || p.sub != nil && p.sub.Sensitive() || kind == scim.OpRemove && value != nil && holdsSecret(p.attr) {
		// Whether there was something to remove must not be told, either.
		e.changed, e.sensitive = true, true
	}
	switch {
	case p.attr.IsExtension():
		return e.applyExtension(p, kind, value)
	case p.attr.MultiValued:
		return e.applyMultiple(p, kind, value)
	case p.filtered():
		return e.applySelected(p, kind, value)
	case p.sub != nil:
		return e.applySub(p, kind, value)
	}
	return e.applySingle(p.attr, kind, value)
}

// applyExtension applies an operation to all of an extension.
func (e *edit) applyExtension(p place, kind scim.PatchOp, value any) error {
	if kind == scim.OpRemove || kind == scim.OpReplace && value == nil {
		return e.removeExtension(p.attr)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return refuse(scim.InvalidValue, p.path(), "the value of an extension must be an object of its attributes")
	}
	seen := make(map[*schema.Attribute]bool, len(object))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		a, ok := p.attr.SubAttribute(name)
		if !ok && !e.opts.Strict {
			continue
		}
		if !ok {
			return unknownAttribute(p.attr.Name + ":" + name)
		}
		if seen[a] {
			return refuse(scim.InvalidSyntax, a.Path(), "%s is given twice", a.Path())
		}
		seen[a] = true
		if a.Mutability == schema.ReadOnly && !e.opts.Strict {
			continue
		}
		if err := e.applyAt(place{attr: a}, kind, object[name]); err != nil {
			return err
		}
	}
	return nil
}

func (e *edit) removeExtension(ext *schema.Attribute) error {
	if ext.Required {
		return refuse(scim.Mutability, ext.Path(), "%s is required", ext.Path())
	}
	for _, a := range ext.Sub {
		if a.Mutability == schema.ReadOnly || !e.present(a) {
			continue
		}
		if err := e.applyAt(place{attr: a}, scim.OpRemove, nil); err != nil {
			return err
		}
	}
	return nil
}

// settleSchemas lists the extensions that have come into use, and takes out those that have not stayed so.
func (e *edit) settleSchemas() {
	if !e.changed {
		return
	}
	e.closeSchemas()
	listed, ok := e.root["schemas"].([]any)
	if !ok {
		return
	}
	for _, ext := range e.schema.Extensions() {
		before, touched := e.extended[ext]
		now := touched && e.hasAttributes(ext)
		if !touched || before == now {
			continue
		}
		listed = slices.DeleteFunc(slices.Clone(listed), func(urn any) bool {
			s, ok := urn.(string)
			return ok && strings.EqualFold(s, ext.Name)
		})
		if now {
			listed = append(listed, ext.Name)
		}
		e.ownedRoot()["schemas"] = listed
	}
}

// closeSchemas brings the attribute schemas up to date in the document.
func (e *edit) closeSchemas() {
	a, _ := e.schema.Lookup("schemas")
	l, ok := e.lists[a]
	if !ok {
		return
	}
	if l.changed {
		e.ownedRoot()["schemas"] = l.elements()
	}
	delete(e.lists, a)
}

// spend accounts for elements that were looked at.
func (e *edit) spend(elements int) error {
	e.work += elements
	if e.work > e.opts.MaxWork {
		return refuse(scim.TooMany, "", "the operations look at more than %d elements", e.opts.MaxWork)
	}
	return nil
}

// grow accounts for a value that is about to be written a number of times.
func (e *edit) grow(value any, times int) error {
	e.growth += size(value) * times
	if e.growth > e.opts.MaxGrowth {
		err := refuse("", "", "the operations write more than %d bytes", e.opts.MaxGrowth)
		err.Status = http.StatusRequestEntityTooLarge
		return err
	}
	return nil
}
