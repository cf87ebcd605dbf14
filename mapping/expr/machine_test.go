package expr

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// matchesOf lists all matches the machine finds.
func matchesOf(t testing.TB, pattern, s string) [][]int {
	t.Helper()
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		t.Skip(err)
	}
	if patternSize(tree) > maxPatternSize || tree.MaxCap() > maxGroups {
		t.Skip("too large")
	}
	m, err := newMachine(tree)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]int
	err = m.each(s, func(int) error { return nil }, func(match []int) error {
		all = append(all, slices.Clone(match))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// withoutAbutting leaves out empty matches right after another match, which Go does not report.
func withoutAbutting(all [][]int) [][]int {
	var kept [][]int
	for i, match := range all {
		if i > 0 && match[0] == match[1] && match[0] == all[i-1][1] {
			continue
		}
		kept = append(kept, match)
	}
	return kept
}

// FuzzMachine compares the machine with the standard library where the two must agree.
func FuzzMachine(f *testing.F) {
	for _, seed := range [][2]string{
		{`(a*)(b|c)??d`, "aabd cd d"},
		{`(?:(a)|(b))*`, "abab"},
		{`(a|ab)(c|bcd)(d*)`, "abcd"},
		{`^\d+|x$`, "12 x"},
		{`\b\w+?\B`, "foo bar"},
		{`(?i)K|ſ`, "kKsS"},
		{`(?:.*z|.)`, "aaaa"},
		{`(?m)^$`, "a\n\nb"},
		{`()|a`, "aa"},
		{`x{2,3}?y{0,2}`, "xxxyy"},
		{`[^a]\pL`, "éab"},
		{`\z|\A`, ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(s) > 64 || !isASCII(s) || strings.HasSuffix(s, "\n") {
			return // Unicode word boundaries and the last line differ on purpose
		}
		got := withoutAbutting(matchesOf(t, pattern, s))
		want := regexp.MustCompile(pattern).FindAllStringSubmatchIndex(s, -1)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q in %q (-regexp +machine):\n%s", pattern, s, diff)
		}
	})
}

func TestMachineStopsWhenTheBudgetIsSpent(t *testing.T) {
	p, err := compilePattern(`(?:.*z|.)`, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := &frame{work: 1 << 20, program: &Program{opts: newOptions(nil)}}
	err = p.each(f, &invocation{}, strings.Repeat("a", 100_000), func([]int) error { return nil })
	if e, ok := err.(*Error); !ok || e.cause != ErrLimit {
		t.Errorf("got %v, want the limit", err)
	}
}
