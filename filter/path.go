package filter

import (
	"github.com/scimbridge/scim"
)

// Path is the target of a PATCH operation (RFC 7644 section 3.5.2): an attribute, a sub-attribute, the
// values of a multi-valued attribute that a filter selects, or a sub-attribute of these. The zero Path
// is no path.
type Path struct {
	// Attr is the attribute; its Sub is empty when there is a Filter. See [ParseAttr] for paths that
	// name a whole schema.
	Attr Attr
	// Filter selects values of Attr by their sub-attributes: type eq "work" in emails[type eq "work"].
	// It is the zero Filter when there are no brackets.
	Filter Filter
	// Sub is the sub-attribute after the brackets, as value in emails[type eq "work"].value.
	Sub string
}

// ParsePath reads the path of a PATCH operation. The result keeps parts of text.
//
// The error is an [*Error] that says at which byte what was expected; its type is invalidPath, or
// invalidFilter when the fault is in the brackets, as RFC 7644 table 9 has it.
func ParsePath(text string, opts ...Option) (Path, error) {
	p := parser{text: text, options: newOptions(opts), fault: scim.InvalidPath}
	path, err := p.path()
	if err != nil {
		return Path{}, err
	}
	return path, nil
}

func (p *parser) path() (Path, *Error) {
	if err := p.acceptable(); err != nil {
		return Path{}, err
	}
	p.skipSpace()
	start := p.pos
	a, err := p.attr(true)
	if err != nil {
		return Path{}, err
	}
	path := Path{Attr: a}
	if p.next('[') && a.Name != "" {
		n, err := p.valueFilter(start, a)
		if err != nil {
			return Path{}, err
		}
		path.Filter = Filter{node: n, quotedBooleans: p.options.quotedBooleans}
		if p.next('.') {
			if path.Sub, err = p.subAttribute(); err != nil {
				return Path{}, err
			}
		}
	}
	if p.skipSpace(); p.pos < len(p.text) {
		return Path{}, p.unexpected("the end of the path")
	}
	return path, nil
}

// IsZero reports whether p is no path.
func (p Path) IsZero() bool { return p.Attr == Attr{} && p.Filter.IsZero() && p.Sub == "" }

// Target returns the attribute or sub-attribute that the path ends at, the brackets left out:
// emails.value for emails[type eq "work"].value.
func (p Path) Target() Attr {
	a := p.Attr
	if p.Sub != "" {
		a.Sub = p.Sub
	}
	return a
}

// String returns the path as the RFC writes it; ParsePath returns the same path from it.
func (p Path) String() string {
	if p.Filter.IsZero() {
		return p.Target().String()
	}
	return string(p.append(nil))
}

func (p Path) append(b []byte) []byte {
	if p.Filter.IsZero() {
		return p.Target().append(b)
	}
	b = append(p.Attr.append(b), '[')
	b = append(appendNode(b, p.Filter.node), ']')
	if p.Sub != "" {
		b = append(append(b, '.'), p.Sub...)
	}
	return b
}

// Equal reports whether p and q are the same path; see [Filter.Equal].
func (p Path) Equal(q Path) bool {
	return p.Target().Equal(q.Target()) && p.Filter.Equal(q.Filter)
}

// MarshalText returns the path as [Path.String] writes it, or why its filter is invalid.
func (p Path) MarshalText() ([]byte, error) {
	if err := p.Filter.Err(); err != nil {
		return nil, err
	}
	return p.append([]byte{}), nil
}

// UnmarshalText reads a path like [ParsePath]; the empty text gives no path.
func (p *Path) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*p = Path{}
		return nil
	}
	q, err := ParsePath(string(text))
	if err != nil {
		return err
	}
	*p = q
	return nil
}

// Compile compiles the filter of the path for the values of the attribute it is about, as
// [Filter.CompileElement] does. It also returns an error when the attribute, or the sub-attribute the
// path ends at, is unknown to t; the type of an error outside the brackets is invalidPath. Without a
// filter the predicate matches every value.
func (p Path) Compile(t Types) (*ElementPredicate, error) {
	if t != nil {
		if _, ok := t.AttrType(p.Target()); !ok {
			err := typeError(p.Target().String(), "found no such attribute", "")
			err.Type = scim.InvalidPath
			return nil, err
		}
	}
	return p.Filter.CompileElement(t, p.Attr)
}

// Check reports whether the path can be compiled for t; see [Path.Compile].
func (p Path) Check(t Types) error {
	_, err := p.Compile(t)
	return err
}
