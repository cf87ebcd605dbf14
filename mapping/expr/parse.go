package expr

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxLength is how many characters an expression may have, as in Entra.
	MaxLength = 10_000

	// maxDepth is how deep calls may nest. Parsing, checking and evaluating recurse this deep.
	maxDepth = 250
)

// Parse reads an expression without asking whether its functions exist; see [Compile] for that.
// Text that is not an expression, is longer than [MaxLength] characters or nests deeper than 250
// calls gives an [*Error] that is [ErrSyntax] and carries the offset.
func Parse(text string) (*Node, error) {
	p := parser{text: text}
	if len(text) > MaxLength && utf8.RuneCountInString(text) > MaxLength {
		return nil, &Error{
			Expression: firstRunes(text, MaxLength), Offset: len(firstRunes(text, MaxLength)), kind: ErrSyntax,
			Detail: fmt.Sprintf("longer than %d characters", MaxLength),
		}
	}
	if !utf8.ValidString(text) {
		p.pos = len(text) - len(strings.TrimLeftFunc(text, func(r rune) bool { return r != utf8.RuneError }))
		return nil, p.fail("not UTF-8")
	}
	p.space()
	if p.done() {
		return nil, p.fail("empty expression")
	}
	n, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if !p.done() {
		return nil, p.unexpectedAfter()
	}
	return n, nil
}

type parser struct {
	text string
	pos  int
}

func (p *parser) done() bool { return p.pos >= len(p.text) }

// peek is the next byte, 0 at the end; a zero byte in the text belongs to no token, so that the
// two need no telling apart.
func (p *parser) peek() byte {
	if p.done() {
		return 0
	}
	return p.text[p.pos]
}

func (p *parser) space() {
	for !p.done() {
		r, size := utf8.DecodeRuneInString(p.text[p.pos:])
		if !unicode.IsSpace(r) && r != '\ufeff' {
			return
		}
		p.pos += size
	}
}

func (p *parser) fail(format string, args ...any) error {
	return p.failAt(p.pos, format, args...)
}

func (p *parser) failAt(offset int, format string, args ...any) error {
	return &Error{Expression: p.text, Offset: offset, Detail: fmt.Sprintf(format, args...), kind: ErrSyntax}
}

// expression reads a primary and, if an operator follows, the comparison it begins.
func (p *parser) expression(depth int) (*Node, error) {
	left, err := p.primary(depth)
	if err != nil {
		return nil, err
	}
	start := p.pos
	p.space()
	operator := p.operator()
	if operator == "" {
		p.pos = start
		return left, nil
	}
	p.space()
	right, err := p.primary(depth)
	if err != nil {
		return nil, err
	}
	p.space()
	if at := p.pos; p.operator() != "" {
		return nil, p.failAt(at, "comparisons cannot be chained; nest IIF instead")
	}
	return &Node{Kind: CompareNode, Name: operator, Args: []*Node{left, right}, Offset: left.Offset}, nil
}

func (p *parser) operator() string {
	for _, op := range [...]string{"<>", "<=", ">=", "=", "<", ">"} {
		if strings.HasPrefix(p.text[p.pos:], op) {
			p.pos += len(op)
			return op
		}
	}
	return ""
}

func (p *parser) primary(depth int) (*Node, error) {
	if depth > maxDepth {
		return nil, p.fail("nested deeper than %d calls", maxDepth)
	}
	switch c := p.peek(); {
	case c == '"':
		return p.quoted()
	case c == '[':
		return p.attribute()
	case c == '-' || isDigit(c):
		return p.number()
	case c == '&':
		return p.hexadecimal()
	case isWordStart(c):
		return p.word(depth)
	}
	return nil, p.unexpected()
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWordStart(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' }

func isWordPart(c byte) bool { return isWordStart(c) || isDigit(c) }

func (p *parser) unexpected() error {
	if p.done() {
		return p.fail("the expression ends where a value is expected")
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	switch r {
	case '“', '”', '„', '‘', '’', '\'', '«', '»':
		return p.fail("text is written between straight double quotes, not %q", r)
	case ')', ',':
		return p.fail("a value is expected before %q", r)
	}
	return p.fail("unexpected %q: a function, [attribute], \"text\" or number is expected", r)
}

// unexpectedAfter explains what cannot follow a complete expression. People who know other
// languages write operators here.
func (p *parser) unexpectedAfter() error {
	rest := p.text[p.pos:]
	r, _ := utf8.DecodeRuneInString(rest)
	end := 0
	for end < len(rest) && isWordPart(rest[end]) {
		end++
	}
	switch word := strings.ToUpper(rest[:end]); {
	case word == "AND" || word == "OR" || word == "NOT":
		return p.fail("there is no operator %s: nest IIF on the true path for AND, on the false path for OR", word)
	case r == '&' || r == '+':
		return p.fail("there is no operator %q: use Join or Append", r)
	case strings.ContainsRune("-*/%^!", r):
		return p.fail("there is no operator %q", r)
	case r == ')':
		return p.fail("a ) without its (")
	case r == ',':
		return p.fail("a comma outside a function's parentheses")
	}
	return p.fail("unexpected %q after a complete expression", r)
}

// quoted reads a text constant. Only \\ and \" are escapes; a backslash before anything else stays,
// because published expressions hold regular expressions with single backslashes.
func (p *parser) quoted() (*Node, error) {
	start := p.pos
	p.pos++
	var b strings.Builder
	for plain := p.pos; !p.done(); {
		switch p.text[p.pos] {
		case '"':
			b.WriteString(p.text[plain:p.pos])
			p.pos++
			return &Node{Kind: TextNode, Text: b.String(), Offset: start}, nil
		case '\\':
			if next := p.pos + 1; next < len(p.text) && (p.text[next] == '\\' || p.text[next] == '"') {
				b.WriteString(p.text[plain:p.pos])
				plain = next
				p.pos++
			}
		}
		p.pos++
	}
	return nil, p.failAt(start, "the text that begins here has no closing quote")
}

// attribute reads [name]. A name may itself hold a value filter in brackets, as in
// [emails[type eq "work"].value]; brackets inside the filter's quotes do not count.
func (p *parser) attribute() (*Node, error) {
	start := p.pos
	depth, quoted := 0, false
	for ; !p.done(); p.pos++ {
		switch c := p.text[p.pos]; {
		case depth > 1 && c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			depth++
		case c == ']':
			depth--
		}
		if depth > 0 {
			continue
		}
		name := strings.TrimSpace(p.text[start+1 : p.pos])
		p.pos++
		if name == "" {
			return nil, p.failAt(start, "an attribute without a name")
		}
		return &Node{Kind: AttributeNode, Name: name, Offset: start}, nil
	}
	return nil, p.failAt(start, "the attribute that begins here has no closing bracket")
}

func (p *parser) number() (*Node, error) {
	start := p.pos
	if p.peek() == '-' {
		p.pos++
	}
	whole := p.digits()
	if whole && p.peek() == '.' {
		p.pos++
		whole = p.digits()
	}
	if !whole || isWordPart(p.peek()) {
		return nil, p.failAt(start, "a number is written with digits and at most one point, such as -10 or 42568.75")
	}
	return &Node{Kind: NumberNode, Text: p.text[start:p.pos], Offset: start}, nil
}

func (p *parser) digits() bool {
	start := p.pos
	for isDigit(p.peek()) {
		p.pos++
	}
	return p.pos > start
}

func (p *parser) hexadecimal() (*Node, error) {
	start := p.pos
	p.pos++
	if p.peek()|0x20 != 'h' {
		return nil, p.failAt(start, "unexpected '&': a hexadecimal number is written &HF7, and texts are put together by Join or Append")
	}
	p.pos++
	first := p.pos
	for isHex(p.peek()) {
		p.pos++
	}
	if p.pos == first || isWordPart(p.peek()) {
		return nil, p.failAt(start, "a hexadecimal number is written &HF7")
	}
	return &Node{Kind: NumberNode, Text: p.text[start:p.pos], Offset: start}, nil
}

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

// Keywords of the language.
const (
	keywordBinaryCompare   = "vbBinaryCompare"
	keywordTextCompare     = "vbTextCompare"
	keywordIgnoreAttribute = "IgnoreAttributeFlow"
	keywordIgnoreObject    = "IgnoreObjectFlow"
)

func (p *parser) word(depth int) (*Node, error) {
	start := p.pos
	for isWordPart(p.peek()) {
		p.pos++
	}
	name := p.text[start:p.pos]
	end := p.pos
	p.space()
	if p.peek() == '(' {
		return p.call(name, start, depth)
	}
	p.pos = end
	switch name {
	case keywordBinaryCompare, keywordTextCompare, keywordIgnoreAttribute, keywordIgnoreObject:
		return &Node{Kind: KeywordNode, Name: name, Offset: start}, nil
	}
	return nil, p.failAt(start, "%s is no keyword: an attribute is written [%[1]s], a text \"%[1]s\", a function %[1]s(…)", name)
}

// call reads the arguments. An empty place between commas is an argument left out.
func (p *parser) call(name string, start, depth int) (*Node, error) {
	n := &Node{Kind: CallNode, Name: name, Offset: start}
	open := p.pos
	p.pos++
	p.space()
	if p.peek() == ')' {
		p.pos++
		return n, nil
	}
	for {
		arg := &Node{Kind: OmittedNode, Offset: p.pos}
		if c := p.peek(); c != ',' && c != ')' && !p.done() {
			var err error
			if arg, err = p.expression(depth + 1); err != nil {
				return nil, err
			}
		}
		n.Args = append(n.Args, arg)
		p.space()
		switch {
		case p.peek() == ')':
			p.pos++
			return n, nil
		case p.peek() == ',':
			p.pos++
			p.space()
		case p.done():
			return nil, p.failAt(open, "the parenthesis of %s is never closed", name)
		default:
			return nil, p.afterArgument(name)
		}
	}
}

func (p *parser) afterArgument(name string) error {
	switch c := p.peek(); {
	case c == '"' || c == '[' || isWordPart(c):
		err := p.unexpectedAfter()
		if e := err.(*Error); strings.HasPrefix(e.Detail, "unexpected") {
			e.Detail = "a comma or ) is missing in the arguments of " + name
		}
		return err
	}
	return p.unexpectedAfter()
}
