package patch

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/scimbridge/scim/schema"
)

// fold returns s in a form that is equal for two strings exactly when strings.EqualFold says that they are. It
// does not allocate when s is in that form already, as ids mostly are.
func fold(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf {
			return strings.Map(foldRune, s)
		}
	}
	return s
}

// foldRune returns one and the same rune for all that differ in case only: a lower-case letter of ASCII when there is one
// among them.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		return asciiLower(r)
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return asciiLower(least)
}

func asciiLower(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

// equal reports whether two document values are identical. The order of the elements of an array counts.
func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && equalObjects(a, b)
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i], b[i]) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case map[string]any, []any:
		return false
	}
	return a == b
}

func equalObjects(a, b map[string]any) bool {
	if len(a) != len(b) {
		return false
	}
	for name, v := range a {
		w, ok := b[name]
		if !ok || !equal(v, w) {
			return false
		}
	}
	return true
}

// covers reports whether object has every sub-attribute of part, with like values.
func covers(a *schema.Attribute, object, part map[string]any) bool {
	for name, v := range part {
		w, ok := object[name]
		if !ok {
			return false
		}
		sub, known := a.SubAttribute(name)
		if known && !sub.Equal(v, w) || !known && !equal(v, w) {
			return false
		}
	}
	return true
}

// indexAlike returns where v is among values, -1 when it is not.
func indexAlike(a *schema.Attribute, values []any, v any) int {
	for i, w := range values {
		if a.Equal(v, w) {
			return i
		}
	}
	return -1
}

// size returns about how many bytes v has as JSON.
func size(v any) int {
	switch v := v.(type) {
	case string:
		return len(v) + 2
	case map[string]any:
		n := 2
		for name, value := range v {
			n += len(name) + 4 + size(value)
		}
		return n
	case []any:
		n := 2
		for _, value := range v {
			n += 1 + size(value)
		}
		return n
	case int64:
		return len(strconv.FormatInt(v, 10))
	case float64:
		return 8
	}
	return 5
}
