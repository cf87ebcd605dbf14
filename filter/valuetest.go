package filter

import (
	"strings"
	"time"
)

// stringTest compares strings.
type stringTest struct {
	op        Op
	want      string // folded unless caseExact
	caseExact bool
	search    searcher // for co
}

func newStringTest(op Op, want string, caseExact bool) *stringTest {
	t := &stringTest{op: op, want: want, caseExact: caseExact}
	if !caseExact {
		t.want = fold(want)
	}
	if op == OpCo {
		t.search = newSearcher(t.want, !caseExact)
	}
	return t
}

func (t *stringTest) passes(value any) bool {
	s, ok := value.(string)
	return ok && t.passesText(s)
}

func (t *stringTest) passesText(s string) bool {
	if t.op == OpCo {
		return t.search.in(s)
	}
	if t.caseExact {
		switch t.op {
		case OpEq:
			return s == t.want
		case OpSw:
			return strings.HasPrefix(s, t.want)
		case OpEw:
			return strings.HasSuffix(s, t.want)
		}
		return t.op.holds(strings.Compare(s, t.want))
	}
	switch t.op {
	case OpSw:
		return hasPrefixFold(s, t.want)
	case OpEw:
		return hasSuffixFold(s, t.want)
	}
	order, _ := compareFold(s, t.want)
	return t.op.holds(order)
}

// boolTest is eq with a boolean.
type boolTest bool

func (t boolTest) passes(value any) bool {
	b, ok := value.(bool)
	return ok && b == bool(t)
}

// untypedTest compares a string with a value of which the schema is not known.
type untypedTest struct {
	text    *stringTest
	instant *timeTest // nil when the string is not a dateTime, or for co, sw and ew
	boolean *boolTest // nil unless the string may stand for a boolean
}

func (t *untypedTest) passes(value any) bool {
	switch v := value.(type) {
	case string:
		if t.instant != nil {
			if at, ok := parseTime(v); ok {
				return t.instant.op.holds(at.Compare(t.instant.want))
			}
		}
		return t.text.passesText(v)
	case bool:
		return t.boolean != nil && t.boolean.passes(v)
	case time.Time:
		return t.instant != nil && t.instant.passes(v)
	}
	return false
}
