package schema

import (
	"slices"

	"github.com/scimbridge/scim"
)

// Mode is what a document is being read for.
type Mode uint8

const (
	// ModeCreate is for a resource to be created: what is readOnly is dropped, what is required must be there.
	ModeCreate Mode = iota
	// ModeReplace is for the new state of a resource (PUT). It differs from ModeCreate in that required attributes
	// which are writeOnly or never returned may be absent: no client could have read them. [Schema.Replace] keeps
	// their old value.
	ModeReplace
	// ModePatch is for a part of a resource, such as the value of a PATCH operation: what is readOnly is dropped,
	// nothing is required.
	ModePatch
	// ModeAny is for a resource as its service shows it: readOnly attributes stay, nothing is required, and several
	// primary elements are let pass.
	ModeAny
)

func (m Mode) dropsReadOnly() bool { return m != ModeAny }

// requires reports whether an attribute that is required must be given in this mode.
func (m Mode) requires(a *Attribute) bool {
	return m == ModeCreate || m == ModeReplace && !a.Sensitive()
}

// Unknown is what to do with attributes that the schema does not define, at any level.
type Unknown uint8

const (
	// UnknownIgnore drops them, as RFC 7644 section 3.3 has it for requests.
	UnknownIgnore Unknown = iota
	// UnknownKeep keeps them with the name and the value they came with, so that reading and writing back loses
	// nothing.
	UnknownKeep
	// UnknownReject makes them an error. One with the value null is not one: it says nothing.
	UnknownReject
)

// Options are how [Schema.Canonical] reads. The zero value is for a resource to be created by a client that
// follows the RFC.
type Options struct {
	Mode    Mode
	Unknown Unknown
	// Tolerant admits what widespread clients send in place of what the RFC asks for:
	//
	//   - "True" and "False", in any case, for a boolean; numbers in a string; numbers for a string;
	//   - an array of one element for an attribute with a single value;
	//   - one value for an attribute with several, which becomes an array;
	//   - a plain value for a complex attribute that has a sub-attribute value, such as manager and
	//     emails; an empty string there means none;
	//   - an attribute of an extension at the top level, by its qualified name or, where no other
	//     attribute has it, its bare name; a core attribute by its qualified name, or in an object by the URN of
	//     the core schema;
	//   - line breaks and spaces in base64, and characters in a reference that a URI must escape;
	//   - a single string for schemas.
	Tolerant bool
	// Reuse lets the result take over the objects and arrays of the document, which saves most of the work when it is nearly in
	// canonical form. The document must not be used afterwards, not even when there is an error.
	Reuse bool
}

// Canonical returns the document in canonical form, which the package comment defines. doc is not changed, unless
// [Options.Reuse] is set, and may hold
// other Go types than a [scim.Document]: all kinds of integers, slices and maps with string keys, pointers,
// named types, [time.Time] and [encoding/json.Number] are understood.
//
// In ModeCreate and ModeReplace the attribute schemas is filled in, whatever it was. In the other modes it is there when it
// was given.
//
// The error is a [*scim.Error] with status 400 and the type invalidValue, or invalidSyntax for a name that occurs
// twice in different case.
func (s *Schema) Canonical(doc map[string]any, opts Options) (scim.Document, error) {
	c := canonicaliser{schema: s, Options: opts}
	out, f := c.document(doc)
	if f != nil {
		return nil, f.err()
	}
	return out, nil
}

// Canonical returns the canonical form of a value of the attribute: of the whole array when it is multi-valued. It is
// nil when the value is unassigned: null, an empty array, an object without attributes. Options are as for
// [Schema.Canonical], and so is the error.
func (a *Attribute) Canonical(value any, opts Options) (any, error) {
	c := canonicaliser{Options: opts}
	v, f := c.value(a, value)
	if f != nil {
		f.inAttribute(a.path, a.extension)
		return nil, f.err()
	}
	return v, nil
}

// CanonicalElement is Canonical for one element of a multi-valued attribute.
func (a *Attribute) CanonicalElement(value any, opts Options) (any, error) {
	c := canonicaliser{Options: opts}
	v, f := c.single(a, value)
	if f != nil {
		f.inAttribute(a.path, a.extension)
		return nil, f.err()
	}
	return v, nil
}

// canonicaliser brings one document to canonical form.
type canonicaliser struct {
	Options
	// schema is nil for the value of an attribute alone.
	schema *Schema
	// strays is true once an attribute was seen that is known by a name for paths only.
	strays bool
}

func (c *canonicaliser) document(doc map[string]any) (map[string]any, *fault) {
	out, f := c.object(c.schema.root, doc)
	if c.strays {
		if doc, f = c.settle(doc); f == nil {
			out, f = c.object(c.schema.root, doc)
		}
	}
	if f != nil {
		return nil, f
	}
	if c.Mode == ModeCreate || c.Mode == ModeReplace {
		out[schemasName] = c.schema.Schemas(out)
	}
	return out, nil
}

// object returns the canonical form of a complex value.
func (c *canonicaliser) object(a *Attribute, in map[string]any) (map[string]any, *fault) {
	if c.Reuse {
		done, f := c.inPlace(a, in)
		if done {
			return in, f
		}
		// Strays at the top may have to be settled, for which all must be as it was.
		c.Reuse = c.schema == nil || a != c.schema.root
	}
	o := objectReader{canonicaliser: c, attribute: a, in: in, out: make(map[string]any, c.size(a, len(in)))}
	// Mostly names are spelled as in the schema, and looking for those is faster than going through a map.
	exact := len(a.Sub) <= 3*len(in)
	found := 0
	if exact {
		found = o.readExact()
	}
	if found < len(in) {
		o.readOthers(exact)
	}
	if o.fault != nil {
		return nil, o.fault
	}
	if o.unknown > 1 && c.Unknown == UnknownKeep {
		if f := unknownTwice(a, o.out); f != nil {
			return nil, f
		}
	}
	return o.out, c.missing(a, o.out)
}

// inPlace brings a complex value to canonical form where it is. It does nothing, and returns false, unless all names are spelled as in
// the schema: then one cannot stand in the way of another.
func (c *canonicaliser) inPlace(a *Attribute, object map[string]any) (bool, *fault) {
	type given struct {
		sub   *Attribute
		value any
	}
	var few [24]given
	list := few[:0]
	for _, sub := range a.Sub {
		if value, ok := object[sub.Name]; ok {
			list = append(list, given{sub, value})
		}
	}
	if len(list) < len(object) {
		return false, nil
	}
	o := objectReader{canonicaliser: c, attribute: a, in: object, out: object}
	for _, g := range list {
		if o.drops(g.sub, g.value) {
			delete(object, g.sub.Name)
			continue
		}
		o.read(g.sub, g.value)
	}
	if o.fault != nil {
		return true, o.fault
	}
	return true, c.missing(a, object)
}

// size returns how many attributes the canonical form of an object may have.
func (c *canonicaliser) size(a *Attribute, given int) int {
	if c.Unknown != UnknownKeep {
		given = min(given, len(a.Sub))
	}
	if c.schema != nil && a == c.schema.root {
		given++ // for schemas
	}
	return given
}

// objectReader reads the attributes of one object. When several are wrong, it keeps the fault of the first by name, so that
// equal documents have equal errors.
type objectReader struct {
	*canonicaliser
	attribute *Attribute
	in, out   map[string]any
	unknown   int
	fault     *fault
	// at is the name that the fault is about, and twice says that the name is what is wrong.
	at    string
	twice bool
}

// readExact reads the attributes that are spelled as in the schema, and returns how many there are.
func (o *objectReader) readExact() int {
	found := 0
	for _, sub := range o.attribute.Sub {
		if value, ok := o.in[sub.Name]; ok {
			found++
			o.read(sub, value)
		}
	}
	return found
}

// readOthers reads all attributes, without those that readExact has read.
func (o *objectReader) readOthers(exact bool) {
	var few [4]uint64
	seen := few[:]
	if len(o.attribute.Sub) > 64*len(few) {
		seen = make([]uint64, len(o.attribute.Sub)/64+1)
	}
	for name, value := range o.in {
		sub, ok := o.attribute.subs.find(name)
		if !ok {
			o.readUnknown(name, value)
			continue
		}
		twice := false
		if exact {
			if sub.Name == name {
				continue
			}
			_, twice = o.in[sub.Name]
		}
		word, bit := sub.position/64, uint64(1)<<(sub.position%64)
		if twice || seen[word]&bit != 0 {
			o.refuseTwice(sub)
			continue
		}
		seen[word] |= bit
		o.read(sub, value)
	}
}

// read reads the value of one attribute.
func (o *objectReader) read(sub *Attribute, value any) {
	if o.drops(sub, value) || o.fault != nil && sub.Name >= o.at {
		return
	}
	v, f := o.value(sub, value)
	switch {
	case f != nil:
		o.fault, o.at, o.twice = f.inAttribute(sub.Name, sub.extension), sub.Name, false
	case v != nil:
		o.out[sub.Name] = v
	case o.Reuse: // out may be what was read
		delete(o.out, sub.Name)
	}
}

// drops reports whether an attribute is left out whatever its value is.
func (o *objectReader) drops(sub *Attribute, value any) bool {
	return value == nil || sub.Mutability == ReadOnly && o.Mode.dropsReadOnly()
}

// refuseTwice notes that an attribute occurs under several spellings. That comes before what may be wrong with its value,
// which depends on the spelling that is read first.
func (o *objectReader) refuseTwice(sub *Attribute) {
	if o.fault != nil && (sub.Name > o.at || sub.Name == o.at && o.twice) {
		return
	}
	f := invalidSyntax("is given twice, as %s", quoteAll(spellings(o.in, o.attribute.subs.find, sub)))
	o.fault, o.at, o.twice = f.inAttribute(sub.Name, sub.extension), sub.Name, true
}

// readUnknown reads an attribute that the schema does not define.
func (o *objectReader) readUnknown(name string, value any) {
	if value == nil {
		return
	}
	if o.stray(o.attribute, name) != nil || o.wraps(o.attribute, name) {
		o.strays = true
		return
	}
	o.unknown++
	if o.Unknown == UnknownIgnore || o.fault != nil && name >= o.at {
		return
	}
	if f := o.keepUnknown(name, value); f != nil {
		o.fault, o.at, o.twice = f.inAttribute(shortName(name), false), name, false
	}
}

// keepUnknown keeps or rejects an attribute that the schema does not define.
func (o *objectReader) keepUnknown(name string, value any) *fault {
	switch {
	case o.Unknown == UnknownKeep:
		v, f := cloneUnknown(value, 1)
		if v != nil && f == nil {
			o.out[name] = v
		}
		return f
	case o.attribute.path == "":
		return invalidValue("is not an attribute of %s", o.schema.core.urn)
	}
	return invalidValue("is not an attribute of %s, which has %s", o.attribute.path, o.attribute.subNames())
}

// missing returns the fault of the first required sub-attribute that is absent.
func (c *canonicaliser) missing(a *Attribute, object map[string]any) *fault {
	for _, sub := range a.required {
		if !c.Mode.requires(sub) || sub.Name == schemasName && sub == c.schemasAttribute() {
			continue
		}
		if v := object[sub.Name]; v == nil || v == "" {
			f := invalidValue("is required and must be %s", sub.allowed())
			if v == "" {
				f = invalidValue("is required and must not be empty")
			}
			return f.inAttribute(sub.Name, sub.extension)
		}
	}
	return nil
}

// schemasAttribute returns the attribute that is filled in instead of required.
func (c *canonicaliser) schemasAttribute() *Attribute {
	if c.schema == nil {
		return nil
	}
	return c.schema.schemas
}

// value returns the canonical form of the value of an attribute; nil when it is unassigned.
func (c *canonicaliser) value(a *Attribute, v any) (any, *fault) {
	if !a.MultiValued {
		return c.single(a, v)
	}
	list, ok := v.([]any)
	if !ok {
		if list, ok = asList(v); !ok {
			return c.wrap(a, v)
		}
	}
	if a.isSchemas(c) {
		return c.schemas(list)
	}
	return c.list(a, list)
}

// wrap deals with a single value where several are expected.
func (c *canonicaliser) wrap(a *Attribute, v any) (any, *fault) {
	p, f := plain(v)
	if f != nil {
		return nil, f
	}
	if p == nil {
		return nil, nil
	}
	if !c.Tolerant {
		return nil, invalidValue("must be an array (each element %s), not %s", a.allowed(), describe(p, a.secret))
	}
	if a.isSchemas(c) {
		return c.schemas([]any{p})
	}
	// The path of a fault is that of the value as it was sent: it has no index.
	e, f := c.single(a, p)
	if f != nil || e == nil {
		return nil, f
	}
	return []any{e}, nil
}

func (c *canonicaliser) list(a *Attribute, list []any) (any, *fault) {
	out := c.elements(list)
	primary := -1
	for i, element := range list {
		v, f := c.single(a, element)
		if f != nil {
			return nil, f.inElement(i)
		}
		if v == nil {
			// What is left must not move: list may be read again.
			out = slices.Clip(out)
			continue
		}
		out = append(out, v)
		if a.primary == nil || c.Mode == ModeAny {
			continue
		}
		if object, ok := v.(map[string]any); ok && object[a.primary.Name] == true {
			if primary >= 0 {
				f := invalidValue("must be true in one element at most; it is in element %d already", primary)
				return nil, f.inAttribute(a.primary.Name, false).inElement(i)
			}
			primary = i
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// elements returns an empty array with room for those of list.
func (c *canonicaliser) elements(list []any) []any {
	if c.Reuse {
		return list[:0]
	}
	return make([]any, 0, len(list))
}

// single returns the canonical form of one value; nil when it is unassigned.
func (c *canonicaliser) single(a *Attribute, v any) (any, *fault) {
	if v == nil {
		return nil, nil
	}
	if a.Type != Complex {
		return c.scalar(a, v)
	}
	object, ok := v.(map[string]any)
	if !ok {
		if object, ok = asObject(v); !ok {
			return c.notObject(a, v)
		}
	}
	if len(object) == 0 {
		return nil, nil
	}
	out, f := c.object(a, object)
	if f != nil || len(out) == 0 {
		return nil, f
	}
	return out, nil
}

// notObject deals with a value that is no object where one is expected.
func (c *canonicaliser) notObject(a *Attribute, v any) (any, *fault) {
	if list, ok := asList(v); ok {
		return c.onlyElement(a, list)
	}
	p, f := plain(v)
	if f != nil || p == nil {
		return nil, f
	}
	value, ok := a.subs.find("value")
	if !c.Tolerant || !ok {
		return nil, wrongType(a, p)
	}
	if p == "" {
		return nil, nil
	}
	if _, f := c.single(value, p); f != nil {
		return nil, wrongType(a, p)
	}
	return c.single(a, map[string]any{value.Name: p})
}

// onlyElement deals with an array where a single value is expected. An empty one is unassigned (RFC 7643
// section 2.5).
func (c *canonicaliser) onlyElement(a *Attribute, list []any) (any, *fault) {
	if len(list) == 0 {
		return nil, nil
	}
	if !c.Tolerant || len(list) > 1 {
		return nil, wrongType(a, list)
	}
	if _, nested := asList(list[0]); nested {
		return nil, wrongType(a, list)
	}
	return c.single(a, list[0])
}
