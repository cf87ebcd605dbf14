package expr

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// Kind says what a [Value] holds.
type Kind uint8

// The kinds of value. KindAny is never the kind of a value: it stands in signatures and in
// [Program.Type] where the kind is not known before the expression runs.
const (
	KindNull            Kind = iota // absent
	KindString                      // text
	KindInt                         // a whole number that fits 64 bits
	KindNumber                      // any other number, a float64
	KindBool                        // true or false, printed True and False
	KindTime                        // a moment in UTC, to 100 nanoseconds, of the years 1 to 9999
	KindList                        // one or more values of a multi-valued attribute
	KindComplex                     // sub-attributes by name
	KindIgnoreAttribute             // leave this attribute out of the request
	KindIgnoreObject                // leave this object out of the cycle
	KindInvalid                     // a Go value no expression can work on
	KindAny
)

var kindNames = [...]string{
	KindNull:            "null",
	KindString:          "string",
	KindInt:             "integer",
	KindNumber:          "number",
	KindBool:            "boolean",
	KindTime:            "date",
	KindList:            "list",
	KindComplex:         "complex value",
	KindIgnoreAttribute: "IgnoreAttributeFlow",
	KindIgnoreObject:    "IgnoreObjectFlow",
	KindInvalid:         "unsupported Go value",
	KindAny:             "any value",
}

// String gives the name messages use, such as "string" or "list".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "Kind(" + strconv.Itoa(int(k)) + ")"
}

// Value is one result of an expression, or one value of a source attribute.
// The zero Value is null. A Value does not change once made and may be shared between goroutines,
// as long as the slices and maps it was made from are left alone.
//
// Use [Value.Equal] to compare; Values cannot be compared by ==.
type Value struct {
	_ [0]func() // not comparable

	// A text is its first byte in p and its length in num, which is what a string is. The compiler
	// keeps a struct of up to four fields in registers: with a string and a pointer beside the
	// number and the kind an evaluation, which hands on little else, takes twice as long.
	p    unsafe.Pointer // of text its first byte, of lists and complex values a *compound
	num  uint64         // the length of text, the integer, the bits of the float, the boolean, or the ticks of the date
	kind Kind
}

// textValue makes a value of a kind that holds a text.
func textValue(kind Kind, s string) Value {
	return Value{kind: kind, p: unsafe.Pointer(unsafe.StringData(s)), num: uint64(len(s))}
}

// str is the text of a value that holds one: of KindString or KindInvalid.
func (v Value) str() string { return unsafe.String((*byte)(v.p), int(v.num)) }

// compound is what a value of KindList or KindComplex holds.
func (v Value) compound() *compound { return (*compound)(v.p) }

// size is the length of a text, 0 of anything else.
func (v Value) size() int {
	if v.kind != KindString {
		return 0
	}
	return int(v.num)
}

// compound holds what does not fit beside the other kinds. A list is either list or raw; raw holds
// values as a document has them and is converted one by one when it is read.
type compound struct {
	list   []Value
	raw    []any
	fields map[string]any
}

// Null is the value of an absent attribute.
func Null() Value { return Value{} }

// String is a text value. The empty text is a value, not null.
func String(s string) Value { return textValue(KindString, s) }

// Int is a whole number.
func Int(n int64) Value { return Value{kind: KindInt, num: uint64(n)} }

// Number is a number with a fraction.
func Number(f float64) Value { return Value{kind: KindNumber, num: math.Float64bits(f)} }

// Bool is a boolean, which prints as True or False.
func Bool(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.num = 1
	}
	return v
}

// Time is a moment, cut to 100 nanoseconds. Outside the years 1 to 9999 (in UTC) it is a value of
// [KindInvalid], because the language has no such dates.
func Time(t time.Time) Value {
	tk, ok := ticksOf(t)
	if !ok {
		return textValue(KindInvalid, "time.Time of year "+strconv.Itoa(t.UTC().Year()))
	}
	return timeValue(tk)
}

func timeValue(t ticks) Value { return Value{kind: KindTime, num: uint64(t)} }

// List is the value of a multi-valued attribute. Without values it is null, because SCIM does not
// tell an empty list from an absent one (RFC 7643 section 2.5).
func List(values ...Value) Value {
	if len(values) == 0 {
		return Value{}
	}
	return Value{kind: KindList, p: unsafe.Pointer(&compound{list: values})}
}

// Strings is a list of texts; without texts it is null.
func Strings(texts ...string) Value {
	values := make([]Value, len(texts))
	for i, s := range texts {
		values[i] = String(s)
	}
	return List(values...)
}

// Complex is a value with sub-attributes, held as a document holds it. A nil map is null.
func Complex(fields map[string]any) Value {
	if fields == nil {
		return Value{}
	}
	return Value{kind: KindComplex, p: unsafe.Pointer(&compound{fields: fields})}
}

// IgnoreAttribute tells the caller to leave the target attribute out of the request.
func IgnoreAttribute() Value { return Value{kind: KindIgnoreAttribute} }

// IgnoreObject tells the caller to leave the whole object out of this cycle.
func IgnoreObject() Value { return Value{kind: KindIgnoreObject} }

// FromAny converts a value of a document: nil, string, bool, any integer or float type, []any,
// []string, map[string]any, [time.Time], a [Value], or a named type or pointer whose underlying
// type is one of these. Lists and maps are kept, not copied, so do not change them while the Value
// is in use. A value of any other type becomes one of [KindInvalid], and an expression that reads
// it fails with an error naming the attribute.
func FromAny(v any) Value {
	switch v := v.(type) {
	case nil:
		return Value{}
	case string:
		return String(v)
	case bool:
		return Bool(v)
	case int64:
		return Int(v)
	case float64:
		return Number(v)
	case []any:
		if len(v) == 0 {
			return Value{}
		}
		return Value{kind: KindList, p: unsafe.Pointer(&compound{raw: v})}
	case map[string]any:
		return Complex(v)
	case int:
		return Int(int64(v))
	case []string:
		return Strings(v...)
	case time.Time:
		return Time(v)
	case Value:
		return v
	case []Value:
		return List(v...)
	}
	return fromNamed(reflect.ValueOf(v))
}

// fromNamed converts the types FromAny's switch does not name. Values of a decoded document never
// come here.
func fromNamed(v reflect.Value) Value {
	switch v.Kind() {
	case reflect.String:
		return String(v.String())
	case reflect.Bool:
		return Bool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Int(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if v.Uint() > math.MaxInt64 {
			return String(strconv.FormatUint(v.Uint(), 10))
		}
		return Int(int64(v.Uint()))
	case reflect.Float32, reflect.Float64:
		return Number(v.Float())
	case reflect.Pointer:
		if v.IsNil() {
			return Value{}
		}
		if v.Elem().Kind() != reflect.Pointer {
			return FromAny(v.Elem().Interface())
		}
	case reflect.Map:
		if m := reflect.TypeFor[map[string]any](); v.CanConvert(m) {
			return Complex(v.Convert(m).Interface().(map[string]any))
		}
	case reflect.Slice:
		if l := reflect.TypeFor[[]any](); v.CanConvert(l) {
			return FromAny(v.Convert(l).Interface())
		}
		if v.Type().Elem().Kind() == reflect.Slice {
			break // a list of lists is no attribute value, and could contain itself
		}
		list := make([]Value, v.Len())
		for i := range list {
			list[i] = FromAny(v.Index(i).Interface())
		}
		return List(list...)
	}
	return textValue(KindInvalid, v.Type().String())
}

// Kind tells what v holds.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether v is absent.
func (v Value) IsNull() bool { return v.kind == KindNull }

// IsNullOrEmpty reports whether v is absent or the empty text.
func (v Value) IsNullOrEmpty() bool {
	return v.kind == KindNull || v.kind == KindString && v.num == 0
}

// Ignored reports whether v is [IgnoreAttribute] or [IgnoreObject].
func (v Value) Ignored() bool {
	return v.kind == KindIgnoreAttribute || v.kind == KindIgnoreObject
}

// Int returns the whole number v holds.
func (v Value) Int() (int64, bool) {
	if v.kind != KindInt {
		return 0, false
	}
	return int64(v.num), true
}

// Float returns the number v holds, whole or not.
func (v Value) Float() (float64, bool) {
	switch v.kind {
	case KindInt:
		return float64(int64(v.num)), true
	case KindNumber:
		return math.Float64frombits(v.num), true
	}
	return 0, false
}

// Bool returns the boolean v holds.
func (v Value) Bool() (value, ok bool) {
	return v.kind == KindBool && v.num == 1, v.kind == KindBool
}

// Time returns the moment v holds, in UTC.
func (v Value) Time() (time.Time, bool) {
	if v.kind != KindTime {
		return time.Time{}, false
	}
	return ticks(v.num).time(), true
}

// Len is the number of values: 0 for null, the length of a list, otherwise 1.
func (v Value) Len() int {
	switch v.kind {
	case KindNull:
		return 0
	case KindList:
		return v.compound().len()
	default:
		return 1
	}
}

// At returns value i of a list, counting from 0; any other value is a list of itself.
// Outside 0 to Len()-1 it is null.
func (v Value) At(i int) Value {
	switch {
	case i < 0 || i >= v.Len():
		return Value{}
	case v.kind == KindList:
		return v.compound().at(i)
	default:
		return v
	}
}

// Field returns a sub-attribute of a complex value, null if it has none of that name. Names are
// compared as they are written.
func (v Value) Field(name string) Value {
	if v.kind != KindComplex {
		return Value{}
	}
	return FromAny(v.compound().fields[name])
}

func (c *compound) len() int {
	if c.raw != nil {
		return len(c.raw)
	}
	return len(c.list)
}

func (c *compound) at(i int) Value {
	if c.raw != nil {
		return FromAny(c.raw[i])
	}
	return c.list[i]
}

// String gives the text an expression sees where it wants text: null is "", booleans are True and
// False, dates print as M/d/yyyy h:mm:ss tt in UTC. A list prints its values between brackets, a
// complex value its sub-attributes between braces; those two are for people, an expression refuses
// to use them as text.
func (v Value) String() string {
	switch v.kind {
	case KindString:
		return v.str()
	case KindList, KindComplex:
		var b strings.Builder
		v.describe(&b, 0)
		return b.String()
	case KindIgnoreAttribute, KindIgnoreObject:
		return v.kind.String()
	case KindInvalid:
		return "<" + v.str() + ">"
	}
	text, _ := v.scalarText()
	return text
}

// scalarText is the text of a value that has one without choosing among several.
func (v Value) scalarText() (string, bool) {
	switch v.kind {
	case KindNull:
		return "", true
	case KindString:
		return v.str(), true
	case KindInt:
		return strconv.FormatInt(int64(v.num), 10), true
	case KindNumber:
		return strconv.FormatFloat(math.Float64frombits(v.num), 'f', -1, 64), true
	case KindBool:
		return boolText(v.num == 1), true
	case KindTime:
		return string(ticks(v.num).appendText(nil)), true
	}
	return "", false
}

func boolText(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// maxPrintDepth bounds how deep String, Equal and Any follow nested values, so that a map that
// contains itself cannot overflow the stack. Documents are refused at half that depth.
const maxPrintDepth = 64

func (v Value) describe(b *strings.Builder, depth int) {
	switch {
	case depth > maxPrintDepth:
		b.WriteString("…")
	case v.kind == KindList:
		b.WriteByte('[')
		for i := range v.compound().len() {
			if i > 0 {
				b.WriteString(", ")
			}
			v.compound().at(i).describe(b, depth+1)
		}
		b.WriteByte(']')
	case v.kind == KindComplex:
		b.WriteByte('{')
		for i, name := range slices.Sorted(maps.Keys(v.compound().fields)) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(name)
			b.WriteString(": ")
			FromAny(v.compound().fields[name]).describe(b, depth+1)
		}
		b.WriteByte('}')
	case v.kind == KindNull:
		b.WriteString("null")
	default:
		b.WriteString(v.String())
	}
}

// Any converts v to what a document holds: nil, string, int64, float64, bool, []any or
// map[string]any. A date becomes the text the language prints, M/d/yyyy h:mm:ss tt; use
// [Value.Time] for another form. The ignore values and invalid values give nil. The result shares
// nothing with v.
func (v Value) Any() any { return v.toAny(0) }

func (v Value) toAny(depth int) any {
	if depth > maxPrintDepth {
		return nil
	}
	switch v.kind {
	case KindString:
		return v.str()
	case KindInt:
		return int64(v.num)
	case KindNumber:
		return math.Float64frombits(v.num)
	case KindBool:
		return v.num == 1
	case KindTime:
		return v.String()
	case KindList:
		list := make([]any, v.compound().len())
		for i := range list {
			list[i] = v.compound().at(i).toAny(depth + 1)
		}
		return list
	case KindComplex:
		fields := make(map[string]any, len(v.compound().fields))
		for name, field := range v.compound().fields {
			fields[name] = FromAny(field).toAny(depth + 1)
		}
		return fields
	}
	return nil
}

// Equal reports whether both hold the same kind and value. Lists are compared in order.
func (v Value) Equal(w Value) bool { return v.equal(w, 0) }

func (v Value) equal(w Value, depth int) bool {
	if v.kind != w.kind || depth > maxPrintDepth {
		return false
	}
	switch v.kind {
	case KindList:
		if v.compound().len() != w.compound().len() {
			return false
		}
		for i := range v.compound().len() {
			if !v.compound().at(i).equal(w.compound().at(i), depth+1) {
				return false
			}
		}
		return true
	case KindComplex:
		if len(v.compound().fields) != len(w.compound().fields) {
			return false
		}
		for name, field := range v.compound().fields {
			other, ok := w.compound().fields[name]
			if !ok || !FromAny(field).equal(FromAny(other), depth+1) {
				return false
			}
		}
		return true
	case KindString, KindInvalid:
		return v.str() == w.str()
	}
	return v.num == w.num
}
