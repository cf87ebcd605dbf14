package filter

import "strings"

// CompileOption changes how a filter is compiled.
type CompileOption func(*compiler)

// UnknownAsAbsent treats attributes that the types do not know as attributes without a value, where
// Compile otherwise returns an error. RFC 7644 section 3.4.2.1 asks for it in queries over several
// resource types.
func UnknownAsAbsent() CompileOption { return func(c *compiler) { c.unknownAsAbsent = true } }

// Compile prepares the filter for resources of the types, or for documents of which nothing is known
// when t is nil. See the package comment for what filters mean.
//
// The error is an [*Error] of type invalidFilter that names the attribute: unknown, compared with an
// operator that is not for its type, or with a value that is not of its type. For an invalid Filter it
// is [Filter.Err].
func (f Filter) Compile(t Types, opts ...CompileOption) (*Predicate, error) {
	m, err := f.compile(t, opts, nil)
	if err != nil {
		return nil, err
	}
	return &Predicate{root: m}, nil
}

// CompileElement prepares a value filter, such as type eq "work", for the values of the attribute
// parent, such as emails. It fails as [Filter.Compile] does, and when f is not a value filter.
func (f Filter) CompileElement(t Types, parent Attr, opts ...CompileOption) (*ElementPredicate, error) {
	m, err := f.compile(t, opts, &parent)
	if err != nil {
		return nil, err
	}
	return &ElementPredicate{root: m}, nil
}

// Check returns the error that Compile returns, or nil.
func (f Filter) Check(t Types, opts ...CompileOption) error {
	_, err := f.Compile(t, opts...)
	return err
}

func (f Filter) compile(t Types, opts []CompileOption, parent *Attr) (matcher, error) {
	if f.err != nil || f.node == nil {
		return nil, f.err
	}
	c := compiler{types: t, quotedBooleans: f.quotedBooleans}
	for _, opt := range opts {
		opt(&c)
	}
	m, err := c.start(f.node, parent)
	if err != nil {
		return nil, err
	}
	return m, nil
}

type compiler struct {
	types           Types
	quotedBooleans  bool
	unknownAsAbsent bool
	parent          *parent // while in a value path
}

// parent is the attribute before the brackets of a value path.
type parent struct {
	attr Attr
	typ  Type
}

func (c *compiler) start(n Node, attr *Attr) (matcher, *Error) {
	if attr == nil {
		return c.compile(n)
	}
	if !isValueFilter(n) {
		return nil, noValueFilter(attr.String())
	}
	typ, ok, err := c.resolve(*attr)
	if err != nil || !ok {
		return constant(false), err
	}
	c.parent = &parent{attr: *attr, typ: typ}
	return c.compile(n)
}

func (c *compiler) compile(n Node) (matcher, *Error) {
	switch n := n.(type) {
	case *And:
		ms, err := c.compileAll(n.Terms)
		return allOf(ms), err
	case *Or:
		ms, err := c.compileAll(n.Terms)
		return anyOf(ms), err
	case *Not:
		m, err := c.compile(n.Term)
		return negation{m}, err
	case *ValuePath:
		return c.valuePath(n)
	case *Present:
		typ, ok, err := c.resolve(n.Attr)
		if err != nil || !ok {
			return constant(false), err
		}
		return &presence{field: c.field(typ)}, nil
	case *Compare:
		return c.compare(n)
	}
	return nil, typeError("", "found a node of no known type", "")
}

func (c *compiler) compileAll(nodes []Node) ([]matcher, *Error) {
	ms := make([]matcher, len(nodes))
	for i, n := range nodes {
		m, err := c.compile(n)
		if err != nil {
			return nil, err
		}
		ms[i] = m
	}
	return ms, nil
}

func (c *compiler) valuePath(n *ValuePath) (matcher, *Error) {
	typ, ok, err := c.resolve(n.Attr)
	if err != nil || !ok {
		return constant(false), err
	}
	c.parent = &parent{attr: n.Attr, typ: typ}
	term, err := c.compile(n.Term)
	c.parent = nil
	return &valuePath{field: c.field(typ), term: term}, err
}

// compare compiles a comparison. ne is the negation of eq, and eq null that of ne null.
func (c *compiler) compare(n *Compare) (matcher, *Error) {
	typ, ok, err := c.resolve(n.Attr)
	if err != nil {
		return nil, err
	}
	if !ok {
		return constant((n.Op == OpNe) != n.Value.IsNull() && (n.Op == OpNe || n.Op == OpEq)), nil
	}
	if n.Value.IsNull() {
		return c.compareNull(n, typ)
	}
	if typ.Kind == Complex {
		if typ, ok = c.valueOf(n.Attr); !ok {
			return nil, c.refuse(n.Attr, "a comparison of a complex attribute", "one of its sub-attributes")
		}
	}
	test, err := c.test(n, typ)
	if err != nil {
		return nil, err
	}
	var m matcher = &comparison{field: c.field(typ), test: test}
	if n.Op == OpNe {
		m = negation{m}
	}
	return m, nil
}

func (c *compiler) compareNull(n *Compare, typ Type) (matcher, *Error) {
	var m matcher = &presence{field: c.field(typ), emptyText: true}
	switch n.Op {
	case OpNe:
		return m, nil
	case OpEq:
		return negation{m}, nil
	}
	return nil, c.refuse(n.Attr, n.Op.String()+" null", "eq or ne with null")
}

// resolve returns the type of an attribute, in a value path that of a sub-attribute of the parent. It
// returns false when there is no such attribute and that is no error.
func (c *compiler) resolve(a Attr) (Type, bool, *Error) {
	if c.types == nil {
		return untyped(c.parent, a), true, nil
	}
	if c.parent == nil {
		return c.lookup(a)
	}
	typ, ok := c.types.AttrType(c.parent.attr.WithSub(a.Name))
	switch {
	case ok:
		// Values are looked up in the parent's, not in the document.
		typ.Canonical = Attr{Name: typ.Canonical.Sub}
		return typ, true, nil
	case c.parent.typ.Kind != Complex && isValueName(a.Name):
		typ = c.parent.typ
		typ.Canonical = Attr{Name: "value"}
		return typ, true, nil
	}
	return c.unknown(a)
}

func (c *compiler) lookup(a Attr) (Type, bool, *Error) {
	if typ, ok := c.types.AttrType(a); ok {
		return typ, true, nil
	}
	return c.unknown(a)
}

func (c *compiler) unknown(a Attr) (Type, bool, *Error) {
	if c.unknownAsAbsent {
		return Type{}, false, nil
	}
	return Type{}, false, c.refuse(a, "no such attribute", "")
}

// valueOf returns the type of the sub-attribute value of a complex attribute, which stands for the
// attribute in comparisons.
func (c *compiler) valueOf(a Attr) (Type, bool) {
	if c.parent != nil || a.Sub != "" {
		return Type{}, false
	}
	return c.types.AttrType(a.WithSub("value"))
}

// refuse is an error about an attribute, which it names in full.
func (c *compiler) refuse(a Attr, found, expected string) *Error {
	if c.parent != nil {
		a = c.parent.attr.WithSub(a.Name)
	}
	return typeError(a.String(), "found "+found, expected)
}

func (c *compiler) field(typ Type) field {
	a := typ.Canonical
	return field{urn: a.URN, name: a.Name, sub: a.Sub, anyCase: c.types == nil}
}

// test returns the test that n asks for of an attribute's values; for ne that of eq.
func (c *compiler) test(n *Compare, typ Type) (valueTest, *Error) {
	op, v := n.Op, n.Value
	if op == OpNe {
		op = OpEq
	}
	switch typ.Kind {
	case Boolean, Binary:
		if op != OpEq {
			return nil, c.refuse(n.Attr, n.Op.String()+" on type "+typ.Kind.String(), "eq, ne or pr")
		}
	case Integer, Decimal, DateTime:
		if op.substring() {
			return nil, c.refuse(n.Attr, n.Op.String()+" on type "+typ.Kind.String(), "eq, ne, gt, ge, lt, le or pr")
		}
	case String, Reference:
	default:
		return c.untypedTest(n, op, typ)
	}
	test, expected := c.typedTest(typ, op, v)
	if test == nil {
		return nil, c.refuse(n.Attr, v.describe(), expected)
	}
	return test, nil
}

// typedTest returns the test, or the value it expected instead of v.
func (c *compiler) typedTest(typ Type, op Op, v Value) (test valueTest, expected string) {
	text, isText := v.Text()
	switch typ.Kind {
	case Boolean:
		if b, ok := c.boolean(v); ok {
			return boolTest(b), ""
		}
		return nil, "true or false"
	case Integer, Decimal:
		if v.kind == intValue || v.kind == floatValue && typ.Kind == Decimal {
			return &numberTest{op: op, want: v}, ""
		}
		return nil, "a number of type " + typ.Kind.String()
	case DateTime:
		if at, ok := parseTime(text); ok {
			return &timeTest{op: op, want: at}, ""
		}
		return nil, "a string with a dateTime such as 2011-05-13T04:42:34Z"
	}
	if isText {
		return newStringTest(op, text, typ.CaseExact || typ.Kind != String), ""
	}
	return nil, "a string"
}

// untypedTest returns the test for an attribute of which the type is not known.
func (c *compiler) untypedTest(n *Compare, op Op, typ Type) (valueTest, *Error) {
	v := n.Value
	switch {
	case v.kind != stringValue && op.substring():
		return nil, c.refuse(n.Attr, n.Op.String()+" with "+v.describe(), "a string")
	case v.kind == boolValue && op != OpEq:
		return nil, c.refuse(n.Attr, n.Op.String()+" with "+v.describe(), "eq or ne")
	case v.kind == boolValue:
		return boolTest(v.bits != 0), nil
	case v.kind != stringValue:
		return &numberTest{op: op, want: v}, nil
	}
	t := &untypedTest{text: newStringTest(op, v.text, typ.CaseExact)}
	if at, ok := parseTime(v.text); ok && !op.substring() {
		t.instant = &timeTest{op: op, want: at}
	}
	if b, ok := c.boolean(v); ok && op == OpEq {
		boolean := boolTest(b)
		t.boolean = &boolean
	}
	return t, nil
}

// boolean returns the boolean that v is or, where that is allowed, spells.
func (c *compiler) boolean(v Value) (value, ok bool) {
	if v.kind == stringValue && c.quotedBooleans {
		value = strings.EqualFold(v.text, "true")
		return value, value || strings.EqualFold(v.text, "false")
	}
	return v.bits != 0, v.kind == boolValue
}

// corePrefix begins the URN of every schema whose attributes are at the top of a document.
const corePrefix = "urn:ietf:params:scim:schemas:core:2.0:"

// untyped returns what is known of an attribute without a schema: how RFC 7643 declares the common
// attributes.
func untyped(p *parent, a Attr) Type {
	if p != nil {
		return Type{Canonical: Attr{Name: a.Name}, CaseExact: strings.EqualFold(a.Name, "$ref")}
	}
	if len(a.URN) > len(corePrefix) && strings.EqualFold(a.URN[:len(corePrefix)], corePrefix) {
		a.URN = ""
	}
	typ := Type{Canonical: a, CaseExact: strings.EqualFold(a.Sub, "$ref")}
	if a.URN != "" {
		return typ
	}
	switch strings.ToLower(a.String()) {
	case "id", "externalid", "meta.resourcetype", "meta.version", "meta.location":
		typ.CaseExact = true
	case "meta.created", "meta.lastmodified":
		typ.Kind = DateTime
	}
	return typ
}
