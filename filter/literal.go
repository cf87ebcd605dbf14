package filter

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const expectedValue = "a string in double quotes, a number, true, false or null"

const expectedEscape = `one of the escapes \" \\ \/ \b \f \n \r \t and ` +
	`\u with four hexadecimal digits that are no lone surrogate`

// value reads the value of a comparison.
func (p *parser) value() (Value, *Error) {
	if p.pos == len(p.text) {
		return Value{}, p.unexpected(expectedValue)
	}
	var v Value
	var err *Error
	switch c := p.text[p.pos]; {
	case c == '"', c == '\'' && p.options.singleQuotes:
		v.kind = stringValue
		v.text, err = p.quoted(c)
	default:
		v, err = p.word()
	}
	if err != nil {
		return Value{}, err
	}
	if p.pos < len(p.text) && !isDelimiter(p.text[p.pos]) {
		return Value{}, p.unexpectedText("more text right after the value", "white space")
	}
	return v, nil
}

// word reads a value that is not in quotes.
func (p *parser) word() (Value, *Error) {
	start := p.pos
	for p.pos < len(p.text) && !isDelimiter(p.text[p.pos]) && p.text[p.pos] != '"' && p.text[p.pos] != '\'' {
		p.pos++
	}
	word := p.text[start:p.pos]
	switch {
	case strings.EqualFold(word, "true"):
		return boolOf(true), nil
	case strings.EqualFold(word, "false"):
		return boolOf(false), nil
	case strings.EqualFold(word, "null"):
		return Value{}, nil
	}
	if v, ok := number(word); ok {
		return v, nil
	}
	if p.options.unquoted && word != "" {
		return Value{kind: stringValue, text: word}, nil
	}
	p.pos = start
	if word != "" {
		return Value{}, p.unexpectedText("a word without quotes", expectedValue)
	}
	return Value{}, p.unexpected(expectedValue)
}

// number reads a JSON number (RFC 8259 section 6). One too large for a float64 is none.
func number(s string) (Value, bool) {
	i := 0
	if strings.HasPrefix(s, "-") {
		i = 1
	}
	digits := countDigits(s[i:])
	if digits == 0 || digits > 1 && s[i] == '0' {
		return Value{}, false
	}
	i += digits
	if i == len(s) {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return intOf(n), true
		}
	}
	if i < len(s) && s[i] == '.' {
		digits = countDigits(s[i+1:])
		if digits == 0 {
			return Value{}, false
		}
		i += 1 + digits
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		digits = countDigits(s[i:])
		if digits == 0 {
			return Value{}, false
		}
		i += digits
	}
	if i != len(s) {
		return Value{}, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return Value{}, false
	}
	return floatOf(f), true
}

func countDigits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

// quoted reads a string in quotes. Without escapes it is a part of p.text.
func (p *parser) quoted(quote byte) (string, *Error) {
	start := p.pos + 1
	for p.pos = start; p.pos < len(p.text); p.pos++ {
		switch c := p.text[p.pos]; {
		case c == quote:
			p.pos++
			return p.text[start : p.pos-1], nil
		case c == '\\':
			return p.escaped(start, quote)
		case c < ' ':
			return "", p.unexpected("an escape for the control character")
		}
	}
	return "", p.unexpected("the closing quote of the string")
}

// escaped reads the rest of a string that has begun at start, from its first backslash.
func (p *parser) escaped(start int, quote byte) (string, *Error) {
	b := append(make([]byte, 0, p.pos-start+16), p.text[start:p.pos]...)
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		switch {
		case c == quote:
			p.pos++
			return string(b), nil
		case c < ' ':
			return "", p.unexpected("an escape for the control character")
		case c != '\\':
			b = append(b, c)
			p.pos++
			continue
		}
		r, width := p.escape(quote)
		if width == 0 {
			return "", p.unexpected(expectedEscape)
		}
		b = utf8.AppendRune(b, r)
		p.pos += width
	}
	return "", p.unexpected("the closing quote of the string")
}

// escape returns what the escape at p.pos stands for and how long it is; 0 when it is none.
func (p *parser) escape(quote byte) (rune, int) {
	rest := p.text[p.pos:]
	if len(rest) < 2 {
		return 0, 0
	}
	switch c := rest[1]; c {
	case '"', '\\', '/', quote:
		return rune(c), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	}
	r, ok := unicodeEscape(rest)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	low, ok := unicodeEscape(rest[6:])
	if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// unicodeEscape reads \uXXXX.
func unicodeEscape(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[2:6], 16, 16)
	return rune(n), err == nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// isDelimiter reports whether c ends a word.
func isDelimiter(c byte) bool {
	return isSpace(c) || c == '(' || c == ')' || c == '[' || c == ']'
}
