package expr

import (
	"errors"
	"fmt"
	"strconv"
)

// Signals that end an evaluation without being failures of it.
var (
	errIgnoreAttribute = errors.New("attribute ignored")
	errIgnoreObject    = errors.New("object ignored")
	errNotConstant     = errors.New("depends on more than constants")
)

// invocation is a compiled function call. Its function pulls the arguments it needs, so that what it does
// not need is not evaluated.
type invocation struct {
	run    runFunc
	args   []arg
	name   string
	offset int
}

type runFunc func(f *frame, c *invocation) (Value, error)

func (c *invocation) eval(f *frame) (Value, error) {
	if f.work--; f.work < 0 {
		return Value{}, f.spend(c, 0)
	}
	return c.run(f, c)
}

// fail is an error about the whole call.
func (c *invocation) fail(f *frame, cause error, format string, args ...any) error {
	return &Error{
		Expression: f.program.text, Offset: c.offset, Function: c.name,
		Detail: fmt.Sprintf(format, args...), kind: ErrEval, cause: cause,
	}
}

// text returns a text result, counting the work of making it.
func (c *invocation) text(f *frame, s string) (Value, error) {
	if err := f.fits(c, len(s)); err != nil {
		return Value{}, err
	}
	return String(s), nil
}

// arg is one argument of a call.
type arg struct {
	code
	call   *invocation
	name   string
	index  int // from 1
	offset int
}

// given reports whether the argument was written.
func (a *arg) given() bool { return a.run != nil }

func (a *arg) fail(f *frame, cause error, format string, args ...any) error {
	e := a.call.fail(f, cause, format, args...).(*Error)
	e.Offset, e.Argument, e.Index = a.offset, a.name, a.index
	return e
}

// failOf is an error about the argument's value, such as a pattern, with the reason of somebody else.
func (a *arg) failOf(f *frame, reason error) error {
	return a.fail(f, reason, "%s", f.reason(reason))
}

// flow evaluates an argument whose value is passed on as it is, ignore values included.
func (a *arg) flow(f *frame) (Value, error) {
	if a.run == nil {
		return Value{}, nil
	}
	v, err := a.run.eval(f)
	if f.steps != nil {
		f.record(&a.code, v, err)
	}
	return v, err
}

// value evaluates an argument; an ignore value ends the evaluation.
func (a *arg) value(f *frame) (Value, error) {
	v, err := a.flow(f)
	switch {
	case err != nil:
		return Value{}, err
	case v.kind == KindIgnoreAttribute:
		return Value{}, errIgnoreAttribute
	case v.kind == KindIgnoreObject:
		return Value{}, errIgnoreObject
	}
	return v, nil
}

// single evaluates an argument of which one value is wanted. A list of one value is that value.
func (a *arg) single(f *frame) (Value, error) {
	if a.run == nil {
		return Value{}, nil
	}
	v, err := a.run.eval(f)
	if f.steps != nil {
		f.record(&a.code, v, err)
	}
	if err == nil && v.kind < KindList { // the usual case, without a detour
		return v, nil
	}
	return a.reduce(f, v, err)
}

// reduce makes a single value of what is none yet.
func (a *arg) reduce(f *frame, v Value, err error) (Value, error) {
	if err != nil {
		return Value{}, err
	}
	if v.kind == KindList && v.Len() == 1 {
		v = v.At(0)
	}
	switch v.kind {
	case KindIgnoreAttribute:
		return Value{}, errIgnoreAttribute
	case KindIgnoreObject:
		return Value{}, errIgnoreObject
	case KindList:
		return Value{}, a.fail(f, nil, "one value is wanted and there are %d: take one with Item or put them together with Join", v.Len())
	case KindComplex:
		return Value{}, a.fail(f, nil, "one value is wanted and there is a complex value with sub-attributes")
	case KindInvalid:
		return Value{}, a.fail(f, nil, "a Go value that an expression cannot use: %s", v.str())
	}
	return v, nil
}

// text evaluates an argument that is used as text; null is "".
func (a *arg) text(f *frame) (string, error) {
	s, _, err := a.nullable(f)
	return s, err
}

// nullable evaluates an argument that is used as text and tells null from "".
func (a *arg) nullable(f *frame) (s string, ok bool, err error) {
	v, err := a.single(f)
	if err != nil || v.kind == KindNull {
		return "", false, err
	}
	if v.kind == KindString {
		return v.str(), true, nil
	}
	s, _ = v.scalarText()
	return s, true, nil
}

// integer evaluates an argument that is a whole number; false is null or "".
func (a *arg) integer(f *frame) (n int64, ok bool, err error) {
	v, err := a.single(f)
	if err != nil || v.IsNullOrEmpty() {
		return 0, false, err
	}
	n, ok = v.integer()
	if !ok {
		return 0, false, a.fail(f, nil, "a whole number is wanted, not %s", f.show(v))
	}
	return n, true, nil
}

// count evaluates an argument that must be a whole number.
func (a *arg) count(f *frame) (int64, error) {
	n, ok, err := a.integer(f)
	if err == nil && !ok {
		err = a.fail(f, nil, "a whole number is wanted and there is none")
	}
	return n, err
}

// truth evaluates a condition.
func (a *arg) truth(f *frame) (bool, error) {
	v, err := a.single(f)
	return v.truth(), err
}

// date evaluates an argument that is a date; false is null or "". Text is read as CDate reads it,
// because a date attribute of a document is text.
func (a *arg) date(f *frame) (t ticks, ok bool, err error) {
	v, err := a.single(f)
	if err != nil || v.IsNullOrEmpty() {
		return 0, false, err
	}
	switch v.kind {
	case KindTime:
		return ticks(v.num), true, nil
	case KindString:
		if t, ok = parseDate(v.str()); ok {
			return t, true, nil
		}
	}
	return 0, false, a.fail(f, nil, "%s is not a date; one is written like 2012-03-16, 2012-03-16T08:30:00-07:00 or 3/16/2012 7:00:00 AM", f.show(v))
}

// digits shows a number that came from the source.
func (f *frame) digits(n int64) string { return f.quote(strconv.FormatInt(n, 10)) }

// show describes a value in a message.
func (f *frame) show(v Value) string {
	text, _ := v.scalarText()
	if v.kind == KindString {
		return f.quote(text)
	}
	return fmt.Sprintf("the %s %s", v.kind, f.quote(text))
}
