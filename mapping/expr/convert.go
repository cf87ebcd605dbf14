package expr

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// integer reads a whole number from a scalar: an integer, a number without a fraction, or text in
// decimal or &H hexadecimal.
func (v Value) integer() (int64, bool) {
	switch v.kind {
	case KindInt:
		return int64(v.num), true
	case KindNumber:
		n := math.Float64frombits(v.num)
		// 2^63 is a float64, MaxInt64 is not: the upper bound is exclusive.
		return int64(n), n == math.Trunc(n) && n >= math.MinInt64 && n < -math.MinInt64
	case KindString:
		return parseInteger(v.str())
	}
	return 0, false
}

// number reads a number, whole or not, from a scalar.
func (v Value) number() (float64, bool) {
	if v.kind != KindString {
		return v.Float()
	}
	s := strings.TrimSpace(v.str())
	if _, ok := parseDecimal(s); ok {
		f, err := strconv.ParseFloat(s, 64)
		return f, err == nil
	}
	n, ok := parseInteger(s)
	return float64(n), ok
}

func parseInteger(s string) (int64, bool) {
	s = strings.TrimSpace(s)
	if len(s) > 2 && s[0] == '&' && s[1]|0x20 == 'h' {
		n, err := strconv.ParseUint(s[2:], 16, 64)
		return int64(n), err == nil && n <= math.MaxInt64
	}
	if strings.HasPrefix(s, "+") {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// truth is the value of a condition: the boolean true, a number other than 0, or such a number or
// the word true in any case as text. Everything else is false.
func (v Value) truth() bool {
	switch v.kind {
	case KindBool, KindInt:
		return v.num != 0
	case KindNumber:
		return math.Float64frombits(v.num) != 0
	case KindString:
		if strings.EqualFold(v.str(), "true") {
			return true
		}
		d, ok := parseDecimal(v.str())
		return ok && !d.isZero()
	}
	return false
}

// numeral is the value of a number constant. A number that does not print as it was written, such
// as 007 or 1.50, stays text: constants are texts in the service, and text reads as a number where
// one is wanted.
func numeral(literal string) Value {
	if literal[0] == '&' {
		if n, ok := parseInteger(literal); ok {
			return Int(n)
		}
		return String(literal)
	}
	if n, err := strconv.ParseInt(literal, 10, 64); err == nil && strconv.FormatInt(n, 10) == literal {
		return Int(n)
	}
	if f, err := strconv.ParseFloat(literal, 64); err == nil && strconv.FormatFloat(f, 'f', -1, 64) == literal {
		return Number(f)
	}
	return String(literal)
}

// decimal is a number as text, without sign, leading zeros and trailing zeros of the fraction, so
// that numbers of any length compare exactly.
type decimal struct {
	negative        bool
	whole, fraction string
}

// parseDecimal reads digits with an optional minus and an optional point; nothing else is a number
// to a comparison.
func parseDecimal(s string) (decimal, bool) {
	var d decimal
	s, d.negative = strings.CutPrefix(s, "-")
	d.whole, d.fraction, _ = strings.Cut(s, ".")
	if !allDigits(d.whole) || len(s) > len(d.whole) && !allDigits(d.fraction) {
		return decimal{}, false
	}
	d.whole = strings.TrimLeft(d.whole, "0")
	d.fraction = strings.TrimRight(d.fraction, "0")
	return d, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

func (d decimal) isZero() bool { return d.whole == "" && d.fraction == "" }

func (d decimal) compare(e decimal) int {
	if d.isZero() && e.isZero() {
		return 0
	}
	if d.negative != e.negative {
		if d.negative {
			return -1
		}
		return 1
	}
	order := cmp.Or(cmp.Compare(len(d.whole), len(e.whole)), strings.Compare(d.whole, e.whole), strings.Compare(d.fraction, e.fraction))
	if d.negative {
		return -order
	}
	return order
}
