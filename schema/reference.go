package schema

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// canonicalReference returns a URI reference (RFC 7643 section 2.3.7, RFC 3986) with its scheme and host in lower case.
// Characters beyond ASCII are let pass, as in an IRI. When tolerant, characters that must be escaped are.
func canonicalReference(s string, tolerant bool) (string, bool) {
	if tolerant {
		s = escapeURI(strings.TrimSpace(s))
	}
	for i := range len(s) {
		if !uriByte(s[i]) || s[i] == '%' && !escaped(s[i:]) {
			return "", false
		}
	}
	if !utf8.ValidString(s) {
		return "", false
	}
	for _, r := range s {
		if r >= utf8.RuneSelf && (unicode.IsSpace(r) || unicode.IsControl(r)) {
			return "", false
		}
	}
	end := prefixEnd(s)
	for i := range end {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			return lower(s[:end]) + s[end:], true
		}
	}
	return s, true
}

// prefixEnd returns where the part of a URI ends in which case makes no difference: the scheme, and the host if there is
// one. User information before a host is left as it is, and then so is the host.
func prefixEnd(s string) int {
	rest := strings.IndexAny(s, ":/?#")
	if rest <= 0 || s[rest] != ':' || !validScheme(s[:rest]) {
		return 0
	}
	rest++
	if !strings.HasPrefix(s[rest:], "//") {
		return rest
	}
	end := len(s)
	if i := strings.IndexAny(s[rest+2:], "/?#"); i >= 0 {
		end = rest + 2 + i
	}
	if strings.ContainsAny(s[rest:end], "@%") {
		return rest
	}
	return end
}

func validScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || c != '+' && c != '-' && c != '.' && (c < '0' || c > '9')) {
			return false
		}
	}
	return true
}

// uriByte reports whether c may be in a URI reference, or in a character beyond ASCII.
func uriByte(c byte) bool {
	if c <= ' ' || c == 0x7F {
		return false
	}
	return strings.IndexByte("\"<>\\^`{|}", c) < 0
}

// escaped reports whether s begins with a percent sign and two hexadecimal digits.
func escaped(s string) bool {
	return len(s) >= 3 && hexDigit(s[1]) && hexDigit(s[2])
}

func hexDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// escapeURI percent-encodes what a URI cannot hold, control characters excepted.
func escapeURI(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		printable := c >= ' ' && c != 0x7F
		if printable && !uriByte(c) || c == '%' && !escaped(s[i:]) {
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
