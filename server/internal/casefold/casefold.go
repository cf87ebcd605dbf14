// Package casefold gives strings that differ in case only one form.
package casefold

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// String returns s in the form that it shares with every string it is equal to under [strings.EqualFold]. It does not allocate when
// s has that form already.
func String(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf {
			return strings.Map(fold, s)
		}
	}
	return s
}

// fold returns the least rune of those that differ from r in case only, in lower case when it is ASCII.
func fold(r rune) rune {
	if r >= utf8.RuneSelf {
		least := r
		for n := unicode.SimpleFold(r); n != r; n = unicode.SimpleFold(n) {
			least = min(least, n)
		}
		r = least
	}
	if 'A' <= r && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}
