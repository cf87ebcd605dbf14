package filter

import (
	"cmp"
	"math"
)

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
	v, err := ValueOf(value)
	return v, err == nil && (v.kind == intValue || v.kind == floatValue)
}

// compareNumbers orders two numbers exactly. It returns false when one is not a number in the sense of
// IEEE 754.
func compareNumbers(a, b Value) (order int, ok bool) {
	switch {
	case a.kind == intValue && b.kind == intValue:
		return cmp.Compare(int64(a.bits), int64(b.bits)), true
	case a.kind == intValue:
		return compareIntFloat(int64(a.bits), math.Float64frombits(b.bits))
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
