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
	ascii := true
	for i := range len(s) {
		c := s[i]
		if !uriBytes[c] || c == '%' && !escaped(s[i:]) {
			return "", false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if !ascii && !printable(s) {
		return "", false
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

// uriBytes says which bytes may be in a URI reference, or in a character beyond ASCII.
var uriBytes = func() (allowed [256]bool) {
	for c := range allowed {
		allowed[c] = c > ' ' && c != 0x7F && !strings.ContainsRune("\"<>\\^`{|}", rune(c))
	}
	return allowed
}()

// printable reports whether s is UTF-8 without spaces and control characters.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	})
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
	var b []byte
	kept := 0
	for i := range len(s) {
		c := s[i]
		if uriBytes[c] && (c != '%' || escaped(s[i:])) || c < ' ' || c == 0x7F {
			continue
		}
		b = append(b, s[kept:i]...)
		b = append(b, '%', digits[c>>4], digits[c&15])
		kept = i + 1
	}
	if kept == 0 {
		return s
	}
	return string(append(b, s[kept:]...))
}
