package mapping

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/scimbridge/scim/mapping/expr"
)

// dateTime writes a moment as SCIM does (RFC 7643 section 2.3.5).
func dateTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999999Z07:00") }

// scalar gives the text of a single value; dates as SCIM writes them.
func scalar(v expr.Value) string {
	if t, ok := v.Time(); ok {
		return dateTime(t)
	}
	if k := v.Kind(); k == expr.KindList || k == expr.KindComplex || k == expr.KindInvalid {
		return ""
	}
	return v.String()
}

// boolean reads a boolean in the forms that sources and expressions have for one.
func boolean(v expr.Value) (value, ok bool) {
	if b, ok := v.Bool(); ok {
		return b, true
	}
	if n, ok := v.Int(); ok {
		return n == 1, n == 0 || n == 1
	}
	if v.Kind() != expr.KindString {
		return false, false
	}
	switch s := strings.TrimSpace(v.String()); {
	case strings.EqualFold(s, "true"), s == "1":
		return true, true
	case strings.EqualFold(s, "false"), s == "0":
		return false, true
	}
	return false, false
}

// integer reads a whole number.
func integer(v expr.Value) (int64, bool) {
	switch v.Kind() {
	case expr.KindInt:
		return v.Int()
	case expr.KindNumber:
		f, _ := v.Float()
		if f == math.Trunc(f) && math.Abs(f) < 1<<63 {
			return int64(f), true
		}
	case expr.KindString:
		n, err := strconv.ParseInt(strings.TrimSpace(v.String()), 10, 64)
		return n, err == nil
	}
	return 0, false
}

// named gives a kind its article.
func named(k expr.Kind) string {
	if k == expr.KindInt {
		return "an " + k.String()
	}
	return "a " + k.String()
}

// errSeveral is the cause of the error when a list of values is mapped to an attribute that has one.
var errSeveral = errors.New("the target attribute has one value and the source has several")

// convert converts a value to what a document holds for the type of a target attribute. direct says that no expression was
// involved: dates are then written as SCIM does even where the target is text. A target of which nothing is known takes a list as
// it is.
func (t *target) convert(v expr.Value, direct bool) (any, error) {
	if t.multiValued || t.spreads && v.Len() > 1 || !t.known && v.Kind() == expr.KindList {
		return t.convertList(v, direct)
	}
	if v.Kind() == expr.KindList {
		if v.Len() > 1 {
			return nil, errSeveral
		}
		v = v.At(0)
	}
	if v.IsNull() {
		return nil, nil
	}
	return t.convertOne(v, direct)
}

func (t *target) convertList(v expr.Value, direct bool) (any, error) {
	list := make([]any, 0, v.Len())
	for i := range v.Len() {
		one := v.At(i)
		if one.IsNull() || direct && one.IsNullOrEmpty() {
			continue
		}
		converted, err := t.convertOne(one, direct)
		if err != nil {
			return nil, err
		}
		if converted != nil { // an empty text is no value but of a text
			list = append(list, converted)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	return list, nil
}

func (t *target) convertOne(v expr.Value, direct bool) (any, error) {
	if v.Kind() == expr.KindInvalid {
		return nil, fmt.Errorf("the source holds a Go value that cannot be mapped: %s", v)
	}
	if v.Kind() == expr.KindComplex && t.kind != TypeComplex && t.kind != "" {
		return nil, fmt.Errorf("the value has sub-attributes, and a %s is needed", t.kind)
	}
	switch t.kind {
	case "":
		if moment, ok := v.Time(); ok && direct {
			return dateTime(moment), nil
		}
		if v.Kind() == expr.KindNumber {
			return number(v), nil
		}
		return v.Any(), nil
	case TypeBoolean:
		if b, ok := boolean(v); ok {
			return b, nil
		}
		if v.IsNullOrEmpty() {
			return nil, nil
		}
		return nil, fmt.Errorf("a boolean is needed, and the value is %s that is neither True nor False", named(v.Kind()))
	case TypeInteger:
		if n, ok := integer(v); ok {
			return n, nil
		}
		if v.IsNullOrEmpty() {
			return nil, nil
		}
		return nil, fmt.Errorf("a whole number is needed, and the value is %s that is none", named(v.Kind()))
	case TypeDecimal:
		return decimal(v)
	case TypeDateTime:
		return moment(v)
	case TypeBinary:
		return binary(v)
	case TypeComplex:
		return t.convertComplex(v, direct)
	}
	if _, ok := v.Time(); ok && direct {
		return scalar(v), nil
	}
	return v.String(), nil
}

// convertComplex makes an object of a simple value: its sub-attribute value.
func (t *target) convertComplex(v expr.Value, direct bool) (any, error) {
	if v.Kind() == expr.KindComplex {
		return v.Any(), nil
	}
	if v.IsNullOrEmpty() {
		return nil, nil
	}
	text := v.String()
	if direct {
		text = scalar(v)
	}
	return map[string]any{"value": text}, nil
}

// decimal reads a number, whole or not.
func decimal(v expr.Value) (any, error) {
	if v.IsNullOrEmpty() {
		return nil, nil
	}
	if n, ok := integer(v); ok {
		return n, nil // exactly, also where a float64 is not
	}
	f, ok := v.Float()
	if v.Kind() == expr.KindString {
		var err error
		f, err = strconv.ParseFloat(strings.TrimSpace(v.String()), 64)
		ok = err == nil
	}
	if !ok || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, fmt.Errorf("a number is needed, and the value is %s that is none", named(v.Kind()))
	}
	return number(expr.Number(f)), nil
}

// number gives a number as a document that was read has it: a whole one as an int64, so that the two compare equal.
func number(v expr.Value) any {
	if n, ok := integer(v); ok {
		return n
	}
	return v.Any()
}

// dateLayouts are how texts that stand for dates are written: RFC 3339 and what the expression language prints.
var dateLayouts = [...]string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02", "1/2/2006 3:04:05 PM"}

func moment(v expr.Value) (any, error) {
	if t, ok := v.Time(); ok {
		return dateTime(t), nil
	}
	if v.IsNullOrEmpty() {
		return nil, nil
	}
	if v.Kind() == expr.KindString {
		text := strings.TrimSpace(v.String())
		for _, layout := range dateLayouts {
			if t, err := time.Parse(layout, text); err == nil {
				return dateTime(t), nil
			}
		}
	}
	return nil, fmt.Errorf("a date such as 2006-01-02T15:04:05Z is needed, and the value is %s that is none", named(v.Kind()))
}

func binary(v expr.Value) (any, error) {
	if v.IsNullOrEmpty() {
		return nil, nil
	}
	text := v.String()
	if _, err := base64.StdEncoding.DecodeString(text); v.Kind() != expr.KindString || err != nil {
		return nil, errors.New("base64 is needed, and the value is none")
	}
	return text, nil
}
