package expr

import (
	"cmp"
	"strings"
)

// comparison is a compiled comparison of two values.
type comparison struct {
	call     invocation // for its arguments and its place in messages
	operator string
}

func (c *comparison) eval(f *frame) (Value, error) {
	left, err := c.call.args[0].single(f)
	if err != nil {
		return Value{}, err
	}
	right, err := c.call.args[1].single(f)
	if err != nil {
		return Value{}, err
	}
	if err := f.spend(&c.call, 1+min(left.size(), right.size())); err != nil {
		return Value{}, err
	}
	order := compare(left, right)
	switch c.operator {
	case "=":
		return Bool(order == 0), nil
	case "<>":
		return Bool(order != 0), nil
	case "<":
		return Bool(order < 0), nil
	case "<=":
		return Bool(order <= 0), nil
	case ">":
		return Bool(order > 0), nil
	default:
		return Bool(order >= 0), nil
	}
}

// compare orders two scalars: as dates if one is a date and the other can be read as one, as
// booleans likewise, as numbers if both read as numbers, otherwise as text, byte by byte and
// case-sensitive. Null is "".
func compare(l, r Value) int {
	switch {
	case l.kind == KindString && r.kind == KindString:
		if l.str() == r.str() {
			return 0
		}
	case l.kind == KindInt && r.kind == KindInt:
		return cmp.Compare(int64(l.num), int64(r.num))
	case l.kind == KindTime || r.kind == KindTime:
		if lt, ok := l.asDate(); ok {
			if rt, ok := r.asDate(); ok {
				return cmp.Compare(lt, rt)
			}
		}
	case l.kind == KindBool || r.kind == KindBool:
		if lb, ok := l.asBool(); ok {
			if rb, ok := r.asBool(); ok {
				return cmp.Compare(lb, rb)
			}
		}
	}
	lt, _ := l.scalarText()
	rt, _ := r.scalarText()
	if ld, ok := parseDecimal(lt); ok {
		if rd, ok := parseDecimal(rt); ok {
			return ld.compare(rd)
		}
	}
	return strings.Compare(lt, rt)
}

func (v Value) asDate() (ticks, bool) {
	switch v.kind {
	case KindTime:
		return ticks(v.num), true
	case KindString:
		return parseDate(v.str())
	}
	return 0, false
}

// asBool reads a boolean as 0 or 1.
func (v Value) asBool() (int, bool) {
	switch {
	case v.kind == KindBool:
		return int(v.num), true
	case v.kind == KindString && strings.EqualFold(v.str(), "true"):
		return 1, true
	case v.kind == KindString && strings.EqualFold(v.str(), "false"):
		return 0, true
	}
	return 0, false
}
