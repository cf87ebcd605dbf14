package sqlquery

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server/internal/casefold"
)

// Text returns the string that stands for a value of the attribute in a projection, and false when the value is not of the
// attribute's type.
func Text(a *schema.Attribute, value any) (string, bool) {
	switch a.Type {
	case schema.String:
		text, ok := value.(string)
		if !a.CaseExact {
			text = casefold.String(text)
		}
		return Escape(text), ok
	case schema.Reference, schema.Binary:
		text, ok := value.(string)
		return Escape(text), ok
	case schema.Boolean:
		b, ok := value.(bool)
		return boolText(b), ok
	case schema.DateTime:
		return instantText(value)
	case schema.Integer, schema.Decimal:
		return numberText(value)
	}
	return "", false
}

func boolText(b bool) string {
	if b {
		return "t"
	}
	return "f"
}

// instantText returns a dateTime in UTC with nine digits of fraction. The few instants outside the years 0 to 9999, which an offset
// makes, keep their place before and after the others.
func instantText(value any) (string, bool) {
	t, ok := value.(time.Time)
	if text, isText := value.(string); isText {
		t, ok = filter.ParseDateTime(text)
	}
	if !ok {
		return "", false
	}
	text := t.UTC().Format("2006-01-02T15:04:05.000000000Z")
	if t.UTC().Year() > 9999 {
		text = ":" + text // which comes after all digits, as the minus sign of a negative year comes before them
	}
	return text, true
}

// numberText returns a number as a sign (0, 1, 2 for negative, zero, positive), the exponent in four digits and the digits of the
// fraction without zeros at the end; for negative numbers with every digit d replaced by 9-d, and a ~ after the last one.
func numberText(value any) (string, bool) {
	v, err := filter.ValueOf(value)
	if err != nil {
		return "", false
	}
	var digits string
	exponent := 0
	switch n := v.Any().(type) {
	case int64:
		digits = strconv.FormatInt(n, 10)
	case float64:
		digits, exponent = floatDigits(n)
	default:
		return "", false
	}
	digits, negative := strings.CutPrefix(digits, "-")
	if exponent += len(digits); digits == "0" {
		return "1", true
	}
	b := make([]byte, 0, len(digits)+6)
	b = append(b, '2')
	b = append(b, strconv.Itoa(exponent+5000)...)
	b = append(b, strings.TrimRight(digits, "0")...)
	if !negative {
		return string(b), true
	}
	b[0] = '0'
	for i := 1; i < len(b); i++ {
		b[i] = '9' - b[i] + '0'
	}
	return string(append(b, '~')), true
}

// floatDigits returns the sign and digits of a number that is these digits times ten to the exponent. Integers that an int64 might
// be equal to have all their digits; others the fewest that are no other float's, which are in the order of the floats.
func floatDigits(f float64) (digits string, exponent int) {
	if f == math.Trunc(f) && math.Abs(f) < 1<<64 {
		return strconv.FormatFloat(f, 'f', 0, 64), 0
	}
	mantissa, power, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	exponent, _ = strconv.Atoi(power)
	whole, fraction, _ := strings.Cut(mantissa, ".")
	return whole + fraction, exponent - len(fraction)
}

// The characters that no projection has as such, and the ones that their replacements are made of.
const (
	lead, low, high = '\x01', '\x02', '\x03'
	reserved        = "\x00\x01\x02\x03"
)

// Escape replaces U+0000, which a database does not take in a text, and the three characters that the replacements are made of.
// One string is part of another, or comes before it, exactly when their escaped forms are and do.
func Escape(s string) string {
	i := strings.IndexAny(s, reserved)
	if i < 0 {
		return s
	}
	b := append(make([]byte, 0, len(s)+8), s[:i]...)
	for ; i < len(s); i++ {
		c := s[i]
		if c > high {
			b = append(b, c)
			continue
		}
		b = append(b, lead, low+c>>1, low+c&1)
	}
	return string(b)
}
