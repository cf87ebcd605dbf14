package filter

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/scimbridge/scim"
)

// Parse reads a filter. The result keeps parts of text.
//
// The error is an [*Error] of type invalidFilter that says at which byte what was expected; an empty
// text is one, too.
func Parse(text string, opts ...Option) (Filter, error) {
	p := parser{text: text, options: newOptions(opts), fault: scim.InvalidFilter}
	n, err := p.whole()
	if err != nil {
		return Filter{}, err
	}
	return Filter{node: n, quotedBooleans: p.options.quotedBooleans}, nil
}

// MustParse is [Parse] for a text that is known to be a filter; it panics when it is not.
func MustParse(text string, opts ...Option) Filter {
	f, err := Parse(text, opts...)
	if err != nil {
		panic(err)
	}
	return f
}

// parser reads text from pos on, by recursive descent and without looking back, so that its time is
// linear.
type parser struct {
	text    string
	pos     int
	depth   int
	terms   int
	inside  bool // in the brackets of a value path
	options options
	fault   scim.ErrorType
}

func (p *parser) whole() (Node, *Error) {
	if err := p.acceptable(); err != nil {
		return nil, err
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.skipSpace(); p.pos < len(p.text) {
		return nil, p.unexpected(`"and", "or" or the end of the filter`)
	}
	return n, nil
}

// acceptable checks what can be checked of a text before reading it.
func (p *parser) acceptable() *Error {
	if len(p.text) > p.options.maxLength {
		return p.tooMuch(p.options.maxLength, "bytes")
	}
	if utf8.ValidString(p.text) {
		return nil
	}
	for i, r := range p.text {
		if _, n := utf8.DecodeRuneInString(p.text[i:]); r == utf8.RuneError && n == 1 {
			p.pos = i
			break
		}
	}
	return &Error{Type: p.fault, Offset: p.pos, Found: "found bytes that are not UTF-8"}
}

// or reads terms joined by "or".
func (p *parser) or() (Node, *Error) {
	n, err := p.and()
	if err != nil || !p.keyword("or") {
		return n, err
	}
	terms := appendOr(make([]Node, 0, termRoom), n)
	for {
		if n, err = p.and(); err != nil {
			return nil, err
		}
		terms = appendOr(terms, n)
		if !p.keyword("or") {
			return &Or{Terms: terms}, nil
		}
	}
}

// and reads terms joined by "and".
func (p *parser) and() (Node, *Error) {
	n, err := p.term()
	if err != nil || !p.keyword("and") {
		return n, err
	}
	terms := appendAnd(make([]Node, 0, termRoom), n)
	for {
		if n, err = p.term(); err != nil {
			return nil, err
		}
		terms = appendAnd(terms, n)
		if !p.keyword("and") {
			return &And{Terms: terms}, nil
		}
	}
}

// termRoom is for how many terms there is room before the first growth; most filters have no more.
const termRoom = 4

// term reads a group, a negated group, a comparison or a value path.
func (p *parser) term() (Node, *Error) {
	p.skipSpace()
	if p.next('(') {
		return p.group('(', ')')
	}
	start := p.pos
	attr, err := p.attr(false)
	if err != nil {
		if start == len(p.text) || !isAttrByte(p.text[start]) {
			err.Expected = `an attribute name, "not" or "("`
		}
		return nil, err
	}
	if p.next('[') {
		return p.valuePath(start, attr)
	}
	if strings.EqualFold(p.text[start:p.pos], "not") && p.nextAfterSpace('(') {
		n, err := p.group('(', ')')
		if err != nil {
			return nil, err
		}
		return &Not{Term: n}, nil
	}
	if p.inside && (attr.URN != "" || attr.Sub != "") {
		p.pos = start
		return nil, p.unexpected("the plain name of a sub-attribute in the brackets")
	}
	return p.comparison(attr)
}

// group reads what is between the brackets, the first of which is next.
func (p *parser) group(opening, closing byte) (Node, *Error) {
	if p.depth++; p.depth > p.options.maxDepth {
		return nil, p.tooMuch(p.options.maxDepth, "levels of parentheses and brackets")
	}
	p.pos++
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.skipSpace(); !p.next(closing) {
		return nil, p.unexpected(`"and", "or" or "` + string(rune(closing)) + `" to close "` + string(rune(opening)) + `"`)
	}
	p.pos++
	p.depth--
	return n, nil
}

// comparison reads the operator and the value that follow an attribute.
func (p *parser) comparison(attr Attr) (Node, *Error) {
	if p.terms++; p.terms > p.options.maxTerms {
		return nil, p.tooMuch(p.options.maxTerms, "comparisons")
	}
	if !p.skipSpace() {
		return nil, p.unexpected("white space and an operator after the attribute name")
	}
	start := p.pos
	for p.pos < len(p.text) && isNameByte(p.text[p.pos]) {
		p.pos++
	}
	word := p.text[start:p.pos]
	if strings.EqualFold(word, "pr") {
		return &Present{Attr: attr}, nil
	}
	op, ok := parseOp(word)
	if !ok {
		p.pos = start
		return nil, p.unexpected("an operator: eq, ne, co, sw, ew, gt, ge, lt, le or pr")
	}
	if !p.skipSpace() {
		return nil, p.unexpected("white space and a value after the operator")
	}
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	return &Compare{Attr: attr, Op: op, Value: v}, nil
}

// valuePath reads a value filter, and the comparison of a sub-attribute of what it selects where there
// is one. The attribute before the bracket began at start.
func (p *parser) valuePath(start int, attr Attr) (Node, *Error) {
	term, err := p.valueFilter(start, attr)
	if err != nil {
		return nil, err
	}
	if !p.next('.') {
		return &ValuePath{Attr: attr, Term: term}, nil
	}
	sub, err := p.subAttribute()
	if err != nil {
		return nil, err
	}
	n, err := p.comparison(Attr{Name: sub})
	if err != nil {
		return nil, err
	}
	return narrow(attr, term, n), nil
}

// valueFilter reads the brackets after attr.
func (p *parser) valueFilter(start int, attr Attr) (Node, *Error) {
	if p.inside {
		return nil, p.unexpected("an operator: there are no value paths inside a value path")
	}
	if attr.Sub != "" {
		p.pos = start
		return nil, p.unexpected("an attribute before the bracket, not a sub-attribute")
	}
	fault := p.fault
	p.inside, p.fault = true, scim.InvalidFilter
	n, err := p.group('[', ']')
	p.inside, p.fault = false, fault
	return n, err
}

// subAttribute reads "." and a name.
func (p *parser) subAttribute() (string, *Error) {
	start := p.pos + 1
	p.pos = p.name(start, len(p.text))
	if p.pos == start {
		return "", p.unexpected("the name of a sub-attribute")
	}
	return p.text[start:p.pos], nil
}

// narrow returns attr[term].sub op value in the RFC's grammar. ne and eq null are about all of the
// selected values, as they are for a multi-valued attribute, so they become the negation of their
// contrary.
func narrow(attr Attr, term, n Node) Node {
	c, ok := n.(*Compare)
	negated := ok && (c.Op == OpNe) != c.Value.IsNull() && (c.Op == OpNe || c.Op == OpEq)
	if negated {
		contrary := OpEq + OpNe - c.Op
		n = &Compare{Attr: c.Attr, Op: contrary, Value: c.Value}
	}
	var path Node = &ValuePath{Attr: attr, Term: conjoin([]Node{term, n})}
	if negated {
		path = &Not{Term: path}
	}
	return path
}

// keyword reads word, in any case, when it is what joins the term just read to another. There is white
// space or a closing bracket before it: values end at nothing else.
func (p *parser) keyword(word string) bool {
	i := p.pos
	for i < len(p.text) && isSpace(p.text[i]) {
		i++
	}
	end := i + len(word)
	if end > len(p.text) || !strings.EqualFold(p.text[i:end], word) {
		return false
	}
	if end < len(p.text) && !isDelimiter(p.text[end]) {
		return false
	}
	p.pos = end
	return true
}

// next reports whether c is the next byte.
func (p *parser) next(c byte) bool { return p.pos < len(p.text) && p.text[p.pos] == c }

// nextAfterSpace goes to the next byte that is not white space if it is c.
func (p *parser) nextAfterSpace(c byte) bool {
	i := p.pos
	for i < len(p.text) && isSpace(p.text[i]) {
		i++
	}
	if i == len(p.text) || p.text[i] != c {
		return false
	}
	p.pos = i
	return true
}

// skipSpace goes to the next byte that is not white space and reports whether it went anywhere.
func (p *parser) skipSpace() bool {
	start := p.pos
	for p.pos < len(p.text) && isSpace(p.text[p.pos]) {
		p.pos++
	}
	return p.pos > start
}

// unexpected is the error that something else than expected is next.
func (p *parser) unexpected(expected string) *Error {
	return p.unexpectedText(p.found(), expected)
}

// unexpectedText is unexpected for what may be the value of a comparison, which is described but not
// repeated.
func (p *parser) unexpectedText(found, expected string) *Error {
	return &Error{Type: p.fault, Offset: p.pos, Found: "found " + found, Expected: expected}
}

// found describes what is next. A word is repeated up to the end of a name, a string not at all.
func (p *parser) found() string {
	if p.pos >= len(p.text) {
		return "the end"
	}
	if c := p.text[p.pos]; c == '"' || c == '\'' {
		return "a string"
	}
	end := p.pos
	for end < len(p.text) && isAttrByte(p.text[end]) && end-p.pos <= maxWord {
		end++
	}
	if end == p.pos {
		_, n := utf8.DecodeRuneInString(p.text[p.pos:])
		end += n
	}
	return strconv.Quote(shorten(p.text[p.pos:end], maxWord))
}

func (p *parser) tooMuch(limit int, of string) *Error {
	return &Error{Type: p.fault, Offset: p.pos, Found: "too complex", Expected: "at most " + strconv.Itoa(limit) + " " + of}
}
