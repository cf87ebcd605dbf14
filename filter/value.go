package filter

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"
)

// Value is what an attribute is compared with: a string, a boolean, a number or null. The zero Value is
// null. Values are equal under == when they are the same value; a number with a fraction of zero is the
// same as the integer.
type Value struct {
	kind valueKind
	text string
	bits uint64 // of an int64, a float64 or a bool
}

type valueKind uint8

const (
	nullValue valueKind = iota
	stringValue
	boolValue
	intValue
	floatValue
)

// maxExact is the largest integer up to which every integer is a float64 too.
const maxExact = 1 << 53

// ValueOf returns the Value of a Go value: nil, a string, a bool, an integer, a float, a [time.Time],
// which becomes a dateTime in UTC, or a type with one of these underneath. It returns an error for
// anything else, for a string that is not UTF-8, for NaN and the infinities, and for a time outside the
// years 0 to 9999.
func ValueOf(v any) (Value, error) {
	switch v := v.(type) {
	case nil:
		return Value{}, nil
	case Value:
		return v, nil
	case string:
		return stringOf(v)
	case time.Time:
		if y := v.UTC().Year(); y < 0 || y > 9999 {
			return Value{}, fmt.Errorf("a time in the year %d", y)
		}
		return Value{kind: stringValue, text: v.UTC().Format(time.RFC3339Nano)}, nil
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.String:
		return stringOf(r.String())
	case reflect.Bool:
		return boolOf(r.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return intOf(r.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if u := r.Uint(); u > math.MaxInt64 {
			return floatOf(float64(u)), nil
		}
		return intOf(int64(r.Uint())), nil
	case reflect.Float32, reflect.Float64:
		if f := r.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return Value{}, fmt.Errorf("a number that is %v", f)
		}
		return floatOf(r.Float()), nil
	}
	return Value{}, fmt.Errorf("a value of type %T", v)
}

func stringOf(s string) (Value, error) {
	if !utf8.ValidString(s) {
		return Value{}, fmt.Errorf("a string that is not UTF-8")
	}
	return Value{kind: stringValue, text: s}, nil
}

func boolOf(b bool) Value {
	v := Value{kind: boolValue}
	if b {
		v.bits = 1
	}
	return v
}

func intOf(i int64) Value { return Value{kind: intValue, bits: uint64(i)} }

// floatOf makes an integer of a float that is one exactly, so that 1.0 and 1 are the same Value.
func floatOf(f float64) Value {
	if f == math.Trunc(f) && math.Abs(f) <= maxExact {
		return intOf(int64(f))
	}
	return Value{kind: floatValue, bits: math.Float64bits(f)}
}

// Any returns the value as a string, bool, int64 or float64, or nil for null.
func (v Value) Any() any {
	switch v.kind {
	case stringValue:
		return v.text
	case boolValue:
		return v.bits != 0
	case intValue:
		return int64(v.bits)
	case floatValue:
		return math.Float64frombits(v.bits)
	}
	return nil
}

// Text returns the string that v is, and whether it is one.
func (v Value) Text() (string, bool) { return v.text, v.kind == stringValue }

// IsNull reports whether v is null.
func (v Value) IsNull() bool { return v.kind == nullValue }

// String returns the value as it is written in a filter, a string in quotes.
func (v Value) String() string { return string(v.append(nil)) }

func (v Value) append(b []byte) []byte {
	switch v.kind {
	case stringValue:
		return appendString(b, v.text)
	case boolValue:
		return strconv.AppendBool(b, v.bits != 0)
	case intValue:
		return strconv.AppendInt(b, int64(v.bits), 10)
	case floatValue:
		return strconv.AppendFloat(b, math.Float64frombits(v.bits), 'g', -1, 64)
	}
	return append(b, "null"...)
}

// describe names the kind of v for an error; the value itself may be confidential.
func (v Value) describe() string {
	return [...]string{"null", "a string", "a boolean", "an integer", "a decimal number"}[v.kind]
}

// appendString writes s as a JSON string with the escapes it needs and no others.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= ' ':
			b = append(b, c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
	}
	return append(b, '"')
}
