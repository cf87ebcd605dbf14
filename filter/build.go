package filter

import "github.com/scimbridge/scim"

// Eq returns the filter attr eq value. See [ValueOf] for the values there are. The filter is invalid
// when there is no such attribute name or value.
func Eq(attr string, value any) Filter { return compare(attr, OpEq, value) }

// Ne returns the filter attr ne value, like [Eq].
func Ne(attr string, value any) Filter { return compare(attr, OpNe, value) }

// Co returns the filter attr co value (contains), like [Eq].
func Co(attr, value string) Filter { return compare(attr, OpCo, value) }

// Sw returns the filter attr sw value (starts with), like [Eq].
func Sw(attr, value string) Filter { return compare(attr, OpSw, value) }

// Ew returns the filter attr ew value (ends with), like [Eq].
func Ew(attr, value string) Filter { return compare(attr, OpEw, value) }

// Gt returns the filter attr gt value (greater than), like [Eq].
func Gt(attr string, value any) Filter { return compare(attr, OpGt, value) }

// Ge returns the filter attr ge value (greater than or equal to), like [Eq].
func Ge(attr string, value any) Filter { return compare(attr, OpGe, value) }

// Lt returns the filter attr lt value (less than), like [Eq].
func Lt(attr string, value any) Filter { return compare(attr, OpLt, value) }

// Le returns the filter attr le value (less than or equal to), like [Eq].
func Le(attr string, value any) Filter { return compare(attr, OpLe, value) }

func compare(attr string, op Op, value any) Filter {
	a, err := attribute(attr)
	if err != nil {
		return Filter{err: err}
	}
	v, cause := ValueOf(value)
	if cause != nil {
		return Filter{err: typeError(attr, "found "+cause.Error(), "a string, a number, a boolean, a time or nil")}
	}
	return Filter{node: &Compare{Attr: a, Op: op, Value: v}}
}

// Pr returns the filter attr pr: the attribute has a value.
func Pr(attr string) Filter {
	a, err := attribute(attr)
	if err != nil {
		return Filter{err: err}
	}
	return Filter{node: &Present{Attr: a}}
}

// Has returns the value path attr[f]: one value of attr matches f. It is invalid when f is no filter,
// has a value path itself, or names anything but plain sub-attributes.
func Has(attr string, f Filter) Filter {
	a, err := attribute(attr)
	switch {
	case err != nil:
		return Filter{err: err}
	case f.err != nil:
		return f
	case f.node == nil:
		return Filter{err: typeError(attr, "found no filter", "a filter for the value path")}
	case a.Sub != "":
		return Filter{err: typeError(attr, "found a sub-attribute", "an attribute for the value path")}
	}
	if !isValueFilter(f.node) {
		return Filter{err: noValueFilter(attr)}
	}
	return Filter{node: &ValuePath{Attr: a, Term: f.node}, quotedBooleans: f.quotedBooleans, nested: f.nested + 1}.bounded()
}

// noValueFilter is the error that what is in the brackets after attr cannot be there.
func noValueFilter(attr string) *Error {
	return typeError(attr, "found a value path or a qualified name inside a value path", "plain sub-attributes")
}

// isValueFilter reports whether n can be in the brackets of a value path.
func isValueFilter(n Node) bool {
	ok := true
	walk(n, func(n Node) bool {
		switch n := n.(type) {
		case *ValuePath:
			ok = false
		case *Compare:
			ok = ok && n.Attr.URN == "" && n.Attr.Sub == ""
		case *Present:
			ok = ok && n.Attr.URN == "" && n.Attr.Sub == ""
		}
		return ok
	})
	return ok
}

// attribute reads the attribute name given to a constructor.
func attribute(text string) (Attr, *Error) {
	p := parser{text: text, fault: scim.InvalidFilter}
	a, err := p.attr(false)
	if err == nil && p.pos < len(text) {
		err = p.unexpected("the end of the attribute name")
	}
	return a, err
}
