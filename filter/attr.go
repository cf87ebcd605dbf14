package filter

import (
	"strings"

	"github.com/scimbridge/scim"
)

// Attr names an attribute as filters and paths do (RFC 7644 section 3.10): [URN ":"] Name ["." Sub].
// Names are kept as they were written; they are the same in any case.
type Attr struct {
	// URN is the schema that defines the attribute; empty when the name is not qualified.
	URN string
	// Name is the attribute. In the result of [ParseAttr] and [ParsePath] it is empty when the whole of
	// a schema is meant and its URN does not end like an attribute, as in urn:example:app:2.0.
	Name string
	// Sub is the sub-attribute, empty when the attribute itself is meant.
	Sub string
}

// ParseAttr reads the name of an attribute, such as
// urn:ietf:params:scim:schemas:core:2.0:User:name.familyName. It does not allocate. The error is an
// [*Error] of type invalidPath.
//
// The URN of a schema, which names all its attributes in a path or in the parameter attributes, cannot
// be told from a qualified name when it ends like one: urn:…:enterprise:2.0:User is read as the
// attribute User of urn:…:enterprise:2.0. Whoever knows the schemas compares [Attr.String] with their
// URNs first.
func ParseAttr(text string) (Attr, error) {
	p := parser{text: text, fault: scim.InvalidPath}
	a, err := p.attr(true)
	if err != nil {
		return Attr{}, err
	}
	if p.pos < len(text) {
		return Attr{}, p.unexpected("the end of the attribute name")
	}
	return a, nil
}

// String returns the name as it is written in a filter; empty for the zero Attr.
func (a Attr) String() string {
	if a.URN == "" && a.Sub == "" {
		return a.Name
	}
	return string(a.append(nil))
}

// WithSub returns the sub-attribute sub of a. Inside a value path, the attributes are those of its
// Attr: type in emails[type eq "work"] is emails with sub type.
func (a Attr) WithSub(sub string) Attr { return Attr{URN: a.URN, Name: a.Name, Sub: sub} }

func (a Attr) append(b []byte) []byte {
	b = append(b, a.URN...)
	if a.URN != "" && a.Name != "" {
		b = append(b, ':')
	}
	b = append(b, a.Name...)
	if a.Sub != "" {
		b = append(b, '.')
		b = append(b, a.Sub...)
	}
	return b
}

// Equal reports whether a and b are the same name, in any case.
func (a Attr) Equal(b Attr) bool {
	return strings.EqualFold(a.Name, b.Name) && strings.EqualFold(a.Sub, b.Sub) && strings.EqualFold(a.URN, b.URN)
}

// attr reads an attribute name. The text it keeps is part of p.text.
func (p *parser) attr(wholeSchema bool) (Attr, *Error) {
	start := p.pos
	colon := -1
	for p.pos < len(p.text) && isAttrByte(p.text[p.pos]) {
		if p.text[p.pos] == ':' {
			colon = p.pos
		}
		p.pos++
	}
	end := p.pos
	if colon < 0 {
		return p.local(start, end)
	}
	a, err := p.local(colon+1, end)
	if err != nil && wholeSchema && isURN(p.text[start:end]) {
		p.pos = end
		return Attr{URN: p.text[start:end]}, nil
	}
	a.URN = p.text[start:colon]
	if err == nil && !isURN(a.URN) {
		err = p.faultAt(start, "a schema URN before the attribute name")
	}
	return a, err
}

// local reads name[.sub], which must be all of the text from start to end.
func (p *parser) local(start, end int) (a Attr, err *Error) {
	dot := p.name(start, end)
	if dot == start {
		return a, p.faultAt(dot, "an attribute name")
	}
	a.Name = p.text[start:dot]
	if dot == end {
		return a, nil
	}
	if p.text[dot] != '.' {
		return a, p.faultAt(dot, "a letter, a digit, '-', '_' or '$' in an attribute name")
	}
	stop := p.name(dot+1, end)
	if stop != end || stop == dot+1 {
		return a, p.faultAt(stop, "the name of a sub-attribute")
	}
	a.Sub = p.text[dot+1 : end]
	return a, nil
}

// name returns where the name that begins at start ends; start itself when there is none.
func (p *parser) name(start, end int) int {
	if start == end || !isLetter(p.text[start]) && p.text[start] != '$' {
		return start
	}
	i := start + 1
	for i < end && isNameByte(p.text[i]) {
		i++
	}
	return i
}

func (p *parser) faultAt(pos int, expected string) *Error {
	p.pos = pos
	return p.unexpected(expected)
}

// isURN reports whether s, of which every byte is an isAttrByte, can be the URI of a schema: a scheme,
// a colon and something else (RFC 3986 section 3.1).
func isURN(s string) bool {
	colon := strings.IndexByte(s, ':')
	if colon < 1 || colon == len(s)-1 || s[len(s)-1] == ':' || !isLetter(s[0]) {
		return false
	}
	for i := 1; i < colon; i++ {
		if c := s[i]; !isLetter(c) && !isDigit(c) && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isNameByte reports whether c may follow the first byte of a name (nameChar in RFC 7643 section 2.1).
func isNameByte(c byte) bool {
	return isLetter(c) || isDigit(c) || c == '_' || c == '-' || c == '$'
}

// isAttrByte reports whether c may be in an attribute name or the URN before it. Of the characters of a
// URI, brackets, parentheses, quotes and the comma are left out: they delimit names.
func isAttrByte(c byte) bool {
	if isNameByte(c) {
		return true
	}
	switch c {
	case '.', ':', '/', '~', '%', '+', '#', '@', '=', '?', '&', '!', '*', ';':
		return true
	}
	return false
}
