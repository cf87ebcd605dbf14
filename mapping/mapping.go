package mapping

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/mapping/expr"
	"github.com/scimbridge/scim/schema"
)

// Mapping is a compiled [ObjectMapping]. It is safe for concurrent use.
type Mapping struct {
	definition  ObjectMapping
	name        string
	attributes  []attribute
	matching    []int // indexes into attributes, by precedence
	scope       groups
	inputScope  groups
	filter      *filter.Predicate
	filterNames []string
	layout      layout
	sources     map[string]*sourceAttribute
	sourceNames []string
	addOnly     []string
	always      []string
	redacted    []string
	schema      *schema.Schema // of the target; nil when there was none
	runs        sync.Pool
}

// attribute is a compiled attribute mapping.
type attribute struct {
	definition AttributeMapping
	kind       Kind
	target     target
	source     *sourceAttribute
	constant   any
	program    *expr.Program
	fallback   any // the default; nil when there is none
	unique     bool
}

// Definition returns what the mapping was compiled from. It is not to be changed.
func (m *Mapping) Definition() ObjectMapping { return m.definition }

// Name returns the mapping's name.
func (m *Mapping) Name() string { return m.name }

// Allows reports whether an action is allowed in the target. A disabled mapping allows none.
func (m *Mapping) Allows(a Action) bool {
	if m.definition.Disabled {
		return false
	}
	return len(m.definition.Actions) == 0 || slices.Contains(m.definition.Actions, a)
}

// SourceAttributes returns the names of all attributes that the mapping reads from source objects, those of scoping filters included:
// what a source has to deliver. A name may be a path into the object.
func (m *Mapping) SourceAttributes() []string { return slices.Clone(m.sourceNames) }

// TargetAttributes returns the paths of all attributes that the mapping may set, in the order of the mapping.
func (m *Mapping) TargetAttributes() []string {
	names := make([]string, len(m.attributes))
	for i := range m.attributes {
		names[i] = m.attributes[i].target.name
	}
	return names
}

// MatchingAttributes returns the paths of the attributes that objects are found by, in the order in which they are tried.
func (m *Mapping) MatchingAttributes() []string {
	names := make([]string, len(m.matching))
	for i, at := range m.matching {
		names[i] = m.attributes[at].target.name
	}
	return names
}

// ReferenceAttributes returns the paths of the attributes that refer to other objects.
func (m *Mapping) ReferenceAttributes() []string {
	var names []string
	for i := range m.attributes {
		if m.attributes[i].target.reference {
			names = append(names, m.attributes[i].target.name)
		}
	}
	return names
}

// Env is what expressions may see of the world besides the object. The zero Env has the machine's clock and secure random
// numbers, and makes DefaultDomain and SelectUniqueValue fail.
type Env struct {
	// Clock gives the time for Now. Nil is time.Now.
	Clock func() time.Time
	// Rand gives the bytes for RandomString and Guid. Nil is crypto/rand.
	Rand io.Reader
	// NewGUID gives the result of Guid. Nil is a random one.
	NewGUID func() string
	// DefaultDomain gives the result of DefaultDomain.
	DefaultDomain func(ctx context.Context) (string, error)
	// Taken reports whether an object of the target has a value in an attribute already, for SelectUniqueValue.
	Taken func(ctx context.Context, target, value string) (bool, error)
}

// Result is what an object becomes in the target. Its documents share nothing with the source object or with each other. They have
// no schemas attribute, because that depends on the service. AddOnly, Always and Redacted are the same for every object, and not to be
// changed.
type Result struct {
	// Create is what a create sends.
	Create scim.Document
	// Update has the attributes that an update governs, with the values they are to have.
	Update scim.Document
	// WhenEmpty has the attributes that an update sets only where the target has no value. Nil when there are none.
	WhenEmpty scim.Document
	// Clear are the paths whose value an update removes.
	Clear []string
	// AddOnly are the paths of attributes whose other values in the target are to be left there.
	AddOnly []string
	// Always are the paths of attributes that are sent with each update even when unchanged.
	Always []string
	// Matching are the values to find the object by, in the order in which they are to be tried. It is empty when the object
	// has a value for none of the matching attributes; such an object cannot be provisioned.
	Matching []Match
	// References are the attributes that refer to other objects.
	References []Reference
	// Redacted are the paths of attributes whose values must not appear in logs.
	Redacted []string
	// IgnoreObject says that an expression asked to leave the whole object out of this cycle. Nothing else is set then.
	IgnoreObject bool
}

// Match is a value to find an object in the target by.
type Match struct {
	// Attribute is the path of the target attribute.
	Attribute string
	Value     any
	path      filter.Path
}

// Filter returns the filter that finds the object: userName eq "…", or emails[type eq "work" and value eq "…"]. It is invalid when
// Attribute is no path.
func (m Match) Filter() filter.Filter {
	p := m.path
	if p.IsZero() {
		var err error
		if p, err = filter.ParsePath(m.Attribute); err != nil {
			return filter.Eq(m.Attribute, m.Value) // which says that it is invalid
		}
	}
	if p.Filter.IsZero() {
		return filter.Eq(p.Target().String(), m.Value)
	}
	whole := filter.Attr{URN: p.Attr.URN, Name: p.Attr.Name}
	return filter.Has(whole.String(), p.Filter.And(filter.Eq(p.Sub, m.Value)))
}

// Reference is an attribute that refers to other objects, such as manager or members.
type Reference struct {
	// Target is the path of the attribute.
	Target string
	// IDs are ids of source objects. Without any, the target's value is to be removed: a group whose last member left, or
	// a mapping with [ClearNull].
	IDs []string
	// MultiValued says whether the attribute can refer to several objects.
	MultiValued bool
	// OnCreate says that the reference is set for new objects only.
	OnCreate bool
	path     filter.Path
}

// Put sets the attribute in a document to the ids of target objects, as SCIM writes them: {"value": id}, or a list of these.
// Without ids it removes the attribute. A Target that is no path leaves the document alone.
func (r Reference) Put(doc scim.Document, ids ...string) {
	p := r.path
	if p.IsZero() {
		var err error
		if p, err = filter.ParsePath(r.Target); err != nil {
			return
		}
	}
	object := map[string]any(doc)
	for _, key := range []string{p.Attr.URN, outer(p)} {
		if key == "" {
			continue
		}
		inner, ok := object[key].(map[string]any)
		if !ok && len(ids) == 0 {
			return
		}
		if !ok {
			inner = make(map[string]any)
			object[key] = inner
		}
		object = inner
	}
	key := p.Attr.Name
	if p.Attr.Sub != "" {
		key = p.Attr.Sub
	}
	switch {
	case len(ids) == 0:
		delete(object, key)
	case r.MultiValued:
		list := make([]any, len(ids))
		for i, id := range ids {
			list[i] = map[string]any{"value": id}
		}
		object[key] = list
	default:
		object[key] = map[string]any{"value": ids[0]}
	}
}

// outer is the complex attribute that a sub-attribute is in.
func outer(p filter.Path) string {
	if p.Attr.Sub == "" {
		return ""
	}
	return p.Attr.Name
}

// run is what mapping one object needs, kept for the next.
type run struct {
	env     expr.Env
	object  sourceObject
	creates builder
	updates builder
	fills   builder
}

// Map computes what an object becomes. It does not look at the mapping's scope: see [Mapping.InScope].
//
// The context goes to the functions of env and to the functions of expressions. The error is an [*Error] that names the target attribute
// concerned; the object must then not be provisioned in this cycle. errors.Is with the sentinels of package expr, or with
// [ErrValue], tells the cause.
func (m *Mapping) Map(ctx context.Context, source map[string]any, env Env) (Result, error) {
	return m.mapObject(ctx, source, &env, nil)
}

// mapObject is Map. With an explanation it notes what each attribute gave, and goes on after an error.
func (m *Mapping) mapObject(ctx context.Context, source map[string]any, env *Env, e *Explanation) (Result, error) {
	r, _ := m.runs.Get().(*run)
	if r == nil {
		r = &run{}
	}
	defer m.release(r)
	m.start(r, source, env)
	result := Result{AddOnly: m.addOnly, Always: m.always, Redacted: m.redacted}
	if len(m.matching) > 0 {
		result.Matching = make([]Match, len(m.matching))
	}
	var first error
	for i := range m.attributes {
		a := &m.attributes[i]
		out, err := m.evaluate(ctx, a, r, env)
		if err != nil {
			err = &Error{Mapping: m.name, Target: a.target.name, Err: err}
		}
		if e != nil {
			e.note(m, a, source, out, err)
		}
		switch {
		case err != nil && e == nil:
			return Result{}, err
		case err != nil && first == nil:
			first = err
		case err != nil:
		case out.ignoreObject:
			return Result{IgnoreObject: true}, nil
		case !out.ignore:
			m.put(&result, r, i, a, out)
		}
	}
	if first != nil {
		return Result{}, first
	}
	result.Create = m.document(&r.creates)
	result.Update = m.document(&r.updates)
	result.WhenEmpty = r.fills.document()
	result.Matching = slices.DeleteFunc(result.Matching, func(m Match) bool { return m.Value == nil })
	return result, nil
}

func (m *Mapping) start(r *run, source map[string]any, env *Env) {
	r.object = sourceObject{mapping: m, object: source}
	r.env = expr.Env{
		Source: &r.object, Clock: env.Clock, Rand: env.Rand, NewGUID: env.NewGUID, DefaultDomain: env.DefaultDomain,
	}
	r.creates.reset(m.layout)
	r.updates.reset(m.layout)
	r.fills.reset(m.layout)
}

func (m *Mapping) release(r *run) {
	r.object, r.env = sourceObject{}, expr.Env{}
	clear(r.creates.objects)
	clear(r.updates.objects)
	clear(r.fills.objects)
	m.runs.Put(r)
}

func (m *Mapping) document(b *builder) scim.Document {
	if d := b.document(); d != nil {
		return d
	}
	return scim.Document{}
}

// outcome is what an attribute mapping gave for an object.
type outcome struct {
	// value is converted to the type of the target; nil when there is none.
	value        any
	ids          []string // of a reference
	ignore       bool
	ignoreObject bool
}

// evaluate computes one attribute.
func (m *Mapping) evaluate(ctx context.Context, a *attribute, r *run, env *Env) (outcome, error) {
	switch a.kind {
	case None:
		return outcome{}, nil
	case Constant:
		return outcome{value: cloneComposite(a.constant)}, nil
	case Direct:
		v := a.source.value(r.object.object)
		if s, ok := v.(string); ok && a.target.takesText() {
			if s == "" {
				return outcome{}, nil
			}
			// v and not s, which would be copied into a new interface.
			return outcome{value: v}, nil
		}
		value := expr.FromAny(v)
		if value.IsNullOrEmpty() || value.Len() == 0 || value.Len() == 1 && value.At(0).IsNullOrEmpty() {
			return outcome{}, nil
		}
		return a.convert(value)
	}
	if a.unique {
		r.env.Taken = nil
		if env.Taken != nil {
			r.env.Taken = func(ctx context.Context, value string) (bool, error) { return env.Taken(ctx, a.target.name, value) }
		}
	}
	value, err := a.program.Eval(ctx, &r.env)
	if err != nil {
		return outcome{}, err
	}
	switch value.Kind() {
	case expr.KindNull:
		return outcome{}, nil
	case expr.KindIgnoreAttribute:
		return outcome{ignore: true}, nil
	case expr.KindIgnoreObject:
		return outcome{ignoreObject: true}, nil
	}
	return a.convert(value)
}

// takesText reports whether a text of the source is the value as it is.
func (t *target) takesText() bool {
	return (t.kind == TypeString || t.kind == "") && !t.multiValued && !t.reference
}

func (a *attribute) convert(v expr.Value) (outcome, error) {
	if a.target.reference {
		ids, err := references(v)
		if err == nil && len(ids) > 1 && !a.target.multiValued {
			err = errSeveral
		}
		if err != nil {
			return outcome{}, causeError{err, ErrValue}
		}
		return outcome{ids: ids}, nil
	}
	if a.definition.Matching > 0 {
		var err error
		if v, err = single(v); err != nil {
			return outcome{}, causeError{err, ErrValue}
		}
	}
	value, err := a.target.convert(v, a.kind == Direct)
	if err != nil {
		return outcome{}, causeError{err, ErrValue}
	}
	return outcome{value: value}, nil
}

// single is the one simple value that an object can be found by. With several no object would be found, and a second one created.
func single(v expr.Value) (expr.Value, error) {
	if v.Len() > 1 {
		return v, fmt.Errorf("a matching attribute needs a single value, and there are %d", v.Len())
	}
	if v = v.At(0); v.Kind() == expr.KindComplex {
		return v, errors.New("a matching attribute needs a simple value, and this one has sub-attributes")
	}
	return v, nil
}

// references reads the ids of source objects: texts, or objects with a value or an id.
func references(v expr.Value) ([]string, error) {
	ids := make([]string, 0, v.Len())
	for i := range v.Len() {
		one := v.At(i)
		if one.Kind() == expr.KindComplex {
			if id := one.Field("value"); !id.IsNullOrEmpty() {
				one = id
			} else {
				one = one.Field("id")
			}
		}
		if one.IsNullOrEmpty() {
			continue
		}
		if k := one.Kind(); k != expr.KindString && k != expr.KindInt {
			return nil, errors.New("the id of an object is needed, and the value is " + named(k))
		}
		ids = append(ids, one.String())
	}
	return ids, nil
}

// put adds an outcome to the result.
func (m *Mapping) put(result *Result, r *run, i int, a *attribute, out outcome) {
	if a.target.reference {
		a.refer(result, out.ids)
		return
	}
	for at, of := range m.matching {
		if of == i && !emptyText(out.value) {
			result.Matching[at] = Match{Attribute: a.target.name, Value: out.value, path: a.target.path}
		}
	}
	if out.value == nil {
		if a.fallback != nil {
			r.creates.set(&a.target, cloneComposite(a.fallback))
		}
		if a.definition.NullFlow == ClearNull && a.definition.Apply == Always && a.kind != None {
			result.Clear = append(result.Clear, a.target.name)
		}
		return
	}
	r.creates.set(&a.target, out.value)
	switch a.definition.Apply {
	case Always, AddValues:
		r.updates.set(&a.target, cloneComposite(out.value))
	case WhenEmpty:
		r.fills.set(&a.target, cloneComposite(out.value))
	}
}

func emptyText(v any) bool {
	s, ok := v.(string)
	return ok && s == ""
}

// refer adds a reference to the result. A list of references without values is one of which the last has gone.
func (a *attribute) refer(result *Result, ids []string) {
	onCreate := a.definition.Apply == OnCreate
	if len(ids) == 0 && !a.target.multiValued && (a.definition.NullFlow != ClearNull || onCreate) {
		return
	}
	result.References = append(result.References, Reference{
		Target: a.target.name, IDs: ids, MultiValued: a.target.multiValued, OnCreate: onCreate, path: a.target.path,
	})
}

// cloneComposite copies lists and objects, so that no two documents share one.
func cloneComposite(v any) any {
	switch v := v.(type) {
	case []any:
		c := make([]any, len(v))
		for i := range v {
			c[i] = cloneComposite(v[i])
		}
		return c
	case map[string]any:
		c := make(map[string]any, len(v))
		for name, f := range v {
			c[name] = cloneComposite(f)
		}
		return c
	}
	return v
}

// String returns the mapping's name and how many attributes it has.
func (m *Mapping) String() string {
	return fmt.Sprintf("%s: %s to %s, %d attributes", m.name, m.definition.Source, m.definition.Target, len(m.attributes))
}
