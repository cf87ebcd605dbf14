package expr

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// TestClassesHoldWhatDotNETSays checks the translated classes against the Unicode categories, for
// every character there is, and that each class and its negation part them all.
func TestClassesHoldWhatDotNETSays(t *testing.T) {
	for _, class := range []struct {
		is, isNot string
		holds     func(rune) bool
	}{
		{digitClass, `\P{Nd}`, func(r rune) bool { return unicode.Is(unicode.Nd, r) }},
		{wordClass, notWordClass, func(r rune) bool { return unicode.In(r, unicode.L, unicode.Mn, unicode.Nd, unicode.Pc) }},
		{spaceClass, notSpaceClass, func(r rune) bool { return r >= '\t' && r <= '\r' || r == '\u0085' || unicode.Is(unicode.Z, r) }},
	} {
		var all, in, out strings.Builder
		for r := range rune(unicode.MaxRune + 1) {
			if r >= 0xD800 && r <= 0xDFFF {
				continue // no characters
			}
			all.WriteRune(r)
			if class.holds(r) {
				in.WriteRune(r)
			} else {
				out.WriteRune(r)
			}
		}
		if regexp.MustCompile("["+class.is+"]").ReplaceAllString(all.String(), "") != out.String() {
			t.Errorf("[%s] does not hold what it should", class.is)
		}
		if regexp.MustCompile("["+class.isNot+"]").ReplaceAllString(all.String(), "") != in.String() {
			t.Errorf("[%s] does not hold what it should", class.isNot)
		}
	}
}
