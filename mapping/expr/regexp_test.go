package expr

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
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

func TestCompileRegexp(t *testing.T) {
	tests := []struct {
		name, pattern, text string
		n                   int
		want                [][]int
	}{
		{"letters of all scripts", `\w+`, "Süd!", -1, [][]int{{0, 4}}},
		{"an end before a line feed", `b$`, "ab\n", -1, [][]int{{1, 2}}},
		{"words of all scripts", `\bÖl\b`, "(Öl)", 1, [][]int{{1, 4}}},
		{"an empty match after another", `a*`, "ba", -1, [][]int{{0, 0}, {1, 2}, {2, 2}}},
		{"only as many as asked for", `a*`, "ba", 2, [][]int{{0, 0}, {1, 2}}},
		{"the first that is empty", `a*`, "ba", 1, [][]int{{0, 0}}},
		{"none asked for", `a`, "a", 0, nil},
		{"none there", `x`, "a", -1, nil},
		{"groups, one of which takes no part", `(?<x>a)|(b)`, "b", -1, [][]int{{0, 1, -1, -1, 0, 1}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			re, err := CompileRegexp(tt.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, re.FindAllStringSubmatchIndex(tt.text, tt.n)); diff != "" {
				t.Errorf("matches (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("names of groups", func(t *testing.T) {
		re, err := CompileRegexp(`(?<x>a)(b)`)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"", "x", ""}, re.SubexpNames()); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
	})
	t.Run("a feature that takes more than linear time is refused", func(t *testing.T) {
		_, err := CompileRegexp(`(a)\1`)
		if err == nil || !strings.Contains(err.Error(), "back-reference") {
			t.Errorf("got error %v, want it to name the back-reference", err)
		}
	})
}
