package expr_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/mapping/expr"
)

type (
	named    string
	document map[string]any
	list     []any
	numbers  []int
)

func TestFromAny(t *testing.T) {
	text := "x"
	for _, test := range []struct {
		in   any
		kind expr.Kind
		text string
		out  any
	}{
		{nil, expr.KindNull, "", nil},
		{"x", expr.KindString, "x", "x"},
		{"", expr.KindString, "", ""},
		{named("x"), expr.KindString, "x", "x"},
		{&text, expr.KindString, "x", "x"},
		{(*string)(nil), expr.KindNull, "", nil},
		{true, expr.KindBool, "True", true},
		{false, expr.KindBool, "False", false},
		{42, expr.KindInt, "42", int64(42)},
		{int64(math.MinInt64), expr.KindInt, "-9223372036854775808", int64(math.MinInt64)},
		{uint8(7), expr.KindInt, "7", int64(7)},
		{uint64(math.MaxUint64), expr.KindString, "18446744073709551615", "18446744073709551615"},
		{2.5, expr.KindNumber, "2.5", 2.5},
		{float32(0.5), expr.KindNumber, "0.5", 0.5},
		{1e21, expr.KindNumber, "1000000000000000000000", 1e21},
		{json.Number("12"), expr.KindString, "12", "12"},
		{time.Date(2024, 2, 29, 0, 5, 9, 0, time.FixedZone("", -3600)), expr.KindTime, "2/29/2024 1:05:09 AM", "2/29/2024 1:05:09 AM"},
		{[]any{"a", int64(1), nil}, expr.KindList, "[a, 1, null]", []any{"a", int64(1), nil}},
		{[]any{}, expr.KindNull, "", nil},
		{[]string{"a", "b"}, expr.KindList, "[a, b]", []any{"a", "b"}},
		{[]string(nil), expr.KindNull, "", nil},
		{list{"a"}, expr.KindList, "[a]", []any{"a"}},
		{numbers{1, 2}, expr.KindList, "[1, 2]", []any{int64(1), int64(2)}},
		{[]expr.Value{expr.Int(1)}, expr.KindList, "[1]", []any{int64(1)}},
		{map[string]any{"b": []any{true}, "a": "x"}, expr.KindComplex, "{a: x, b: [True]}", map[string]any{"b": []any{true}, "a": "x"}},
		{document{"a": document{"b": 1}}, expr.KindComplex, "{a: {b: 1}}", map[string]any{"a": map[string]any{"b": int64(1)}}},
		{map[string]any(nil), expr.KindNull, "", nil},
		{expr.IgnoreObject(), expr.KindIgnoreObject, "IgnoreObjectFlow", nil},
		{struct{}{}, expr.KindInvalid, "<struct {}>", nil},
		{[][]string{{"a"}}, expr.KindInvalid, "<[][]string>", nil},
		{map[int]string{1: "a"}, expr.KindInvalid, "<map[int]string>", nil},
		{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), expr.KindInvalid, "<time.Time of year 10000>", nil},
	} {
		v := expr.FromAny(test.in)
		if v.Kind() != test.kind || v.String() != test.text {
			t.Errorf("FromAny(%#v) is the %s %q, want the %s %q", test.in, v.Kind(), v, test.kind, test.text)
		}
		if diff := cmp.Diff(test.out, v.Any()); diff != "" {
			t.Errorf("FromAny(%#v).Any() (-want +got):\n%s", test.in, diff)
		}
		if !v.Equal(expr.FromAny(test.in)) {
			t.Errorf("FromAny(%#v) does not equal itself", test.in)
		}
	}
}

func TestValueAccessors(t *testing.T) {
	if n, ok := expr.Int(-5).Int(); !ok || n != -5 {
		t.Errorf("Int: %d, %t", n, ok)
	}
	if _, ok := expr.Number(5).Int(); ok {
		t.Error("a number with a fraction is an integer")
	}
	if x, ok := expr.Int(-5).Float(); !ok || x != -5 {
		t.Errorf("Float: %v, %t", x, ok)
	}
	if x, ok := expr.Number(2.5).Float(); !ok || x != 2.5 {
		t.Errorf("Float: %v, %t", x, ok)
	}
	if _, ok := expr.String("1").Float(); ok {
		t.Error("a text is a number")
	}
	if b, ok := expr.Bool(true).Bool(); !ok || !b {
		t.Errorf("Bool: %t, %t", b, ok)
	}
	if _, ok := expr.Int(1).Bool(); ok {
		t.Error("an integer is a boolean")
	}
	at := time.Date(1, 1, 1, 0, 0, 0, 123_456_789, time.UTC)
	if got, ok := expr.Time(at).Time(); !ok || !got.Equal(at.Truncate(100)) {
		t.Errorf("Time: %v, %t", got, ok)
	}
	if _, ok := expr.Null().Time(); ok {
		t.Error("null is a date")
	}
	v := expr.Strings("a", "b")
	if v.Len() != 2 || v.At(1).String() != "b" || !v.At(2).IsNull() || !v.At(-1).IsNull() {
		t.Errorf("a list of %d: %v", v.Len(), v)
	}
	if one := expr.String("a"); one.Len() != 1 || !one.At(0).Equal(one) || !one.At(1).IsNull() {
		t.Error("a single value is no list of itself")
	}
	if c := expr.Complex(map[string]any{"value": "m1"}); c.Field("value").String() != "m1" || !c.Field("other").IsNull() || !v.Field("value").IsNull() {
		t.Error("Field")
	}
}

func TestValueEqual(t *testing.T) {
	different := []expr.Value{
		expr.Null(), expr.String(""), expr.String("1"), expr.Int(1), expr.Int(0), expr.Number(1), expr.Bool(true), expr.Bool(false), expr.Time(time.Unix(0, 0)),
		expr.Strings("1"), expr.Strings("1", "2"), expr.Strings("2", "1"), expr.Complex(map[string]any{}), expr.Complex(map[string]any{"a": 1}),
		expr.Complex(map[string]any{"b": 1}), expr.Complex(map[string]any{"a": 2}), expr.IgnoreAttribute(), expr.IgnoreObject(),
	}
	for i, v := range different {
		for j, w := range different {
			if v.Equal(w) != (i == j) {
				t.Errorf("%s %v and %s %v: equal is %t", v.Kind(), v, w.Kind(), w, v.Equal(w))
			}
		}
	}
	if !expr.Strings("a", "b").Equal(expr.FromAny([]any{"a", "b"})) {
		t.Error("the same list made two ways is not equal")
	}
}

func TestAnySharesNothing(t *testing.T) {
	inner := map[string]any{"value": "m1"}
	v := expr.FromAny([]any{inner})
	out := v.Any().([]any)
	out[0].(map[string]any)["value"] = "changed"
	if inner["value"] != "m1" {
		t.Error("changing the result changed the source")
	}
}

func TestValuesThatContainThemselves(t *testing.T) {
	loop := map[string]any{}
	loop["self"] = loop
	v := expr.FromAny(loop)
	_ = v.String()
	_ = v.Any()
	if v.Equal(expr.FromAny(loop)) {
		t.Error("a value without end equals itself")
	}
	p, err := expr.Compile(`Count(RemoveDuplicates([a]))`)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.Eval(t.Context(), &expr.Env{Source: expr.Attributes{"a": []any{loop, loop}}}); err != nil || got.String() != "1" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestKindNames(t *testing.T) {
	for kind := expr.KindNull; kind <= expr.KindAny; kind++ {
		if kind.String() == "" {
			t.Errorf("kind %d has no name", kind)
		}
	}
	if got := expr.Kind(200).String(); got != "Kind(200)" {
		t.Error(got)
	}
}
