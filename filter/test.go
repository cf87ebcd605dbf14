package filter

import (
	"cmp"
	"math"
	"reflect"
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

// numberTest compares numbers.
type numberTest struct {
	op   Op
	want Value // an integer or a float
}

func (t *numberTest) passes(value any) bool {
	v, ok := numberOf(value)
	if !ok {
		return false
	}
	order, ok := compareNumbers(v, t.want)
	return ok && t.op.holds(order)
}

// numberOf returns a document's number.
func numberOf(value any) (Value, bool) {
	switch n := value.(type) {
	case int64:
		return intOf(n), true
	case float64:
		return floatOf(n), true
	case string, bool:
		return Value{}, false
	}
	switch reflect.ValueOf(value).Kind() {
	case reflect.String, reflect.Bool, reflect.Invalid:
		return Value{}, false
	}
	v, err := ValueOf(value)
	return v, err == nil && (v.kind == intValue || v.kind == floatValue)
}

// compareNumbers orders two numbers exactly. It returns false when one is not a number in the sense of IEEE 754.
func compareNumbers(a, b Value) (order int, ok bool) {
	switch {
	case a.kind == intValue && b.kind == intValue:
		return cmp.Compare(int64(a.bits), int64(b.bits)), true
	case a.kind == intValue:
		order, ok = compareIntFloat(int64(a.bits), math.Float64frombits(b.bits))
		return order, ok
	case b.kind == intValue:
		order, ok = compareIntFloat(int64(b.bits), math.Float64frombits(a.bits))
		return -order, ok
	}
	x, y := math.Float64frombits(a.bits), math.Float64frombits(b.bits)
	return cmp.Compare(x, y), x == x && y == y
}

func compareIntFloat(i int64, f float64) (int, bool) {
	switch {
	case f != f:
		return 0, false
	case f >= 1<<63:
		return -1, true
	case f < -1<<63:
		return 1, true
	}
	whole := math.Trunc(f)
	if order := cmp.Compare(i, int64(whole)); order != 0 {
		return order, true
	}
	return cmp.Compare(0, f-whole), true
}

// timeTest compares instants.
type timeTest struct {
	op   Op
	want time.Time
}

func (t *timeTest) passes(value any) bool {
	switch v := value.(type) {
	case string:
		at, ok := parseTime(v)
		return ok && t.op.holds(at.Compare(t.want))
	case time.Time:
		return t.op.holds(v.Compare(t.want))
	}
	return false
}

// parseTime reads a dateTime (RFC 7643 section 2.3.5); one without an offset is in UTC.
func parseTime(s string) (time.Time, bool) {
	const shortest = len("2006-01-02T15:04:05")
	if len(s) < shortest || s[4] != '-' || s[10] != 'T' {
		return time.Time{}, false
	}
	layout := time.RFC3339
	if last := s[len(s)-1]; last != 'Z' && s[max(len(s)-6, shortest-1)] != '+' && s[max(len(s)-6, shortest-1)] != '-' {
		layout = "2006-01-02T15:04:05"
	}
	t, err := time.Parse(layout, s)
	return t, err == nil
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
