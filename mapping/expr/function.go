package expr

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Function is a function of your own, given to [WithFunctions]. [Func1], [Func2] and [Func3] make
// one from a Go function.
type Function struct {
	Signature
	// Pure says that the same arguments always give the same result, so that a call with constants
	// is made once, when the expression is compiled.
	Pure bool
	// Call gets one value for each argument written, already converted to the kinds of the
	// signature or null; optional arguments not written are null too. An error fails the object.
	// It must be safe for concurrent use and must not keep args.
	Call func(ctx context.Context, args []Value) (Value, error)
}

// Arg is a Go type that a parameter or result of a function may have. Null arrives as the zero value
// except in a Value; a list of texts is a []string.
type Arg interface {
	string | int64 | float64 | bool | time.Time | []string | Value
}

// Func1 makes a function of one parameter, whose kind follows from the Go type.
func Func1[R, A Arg](name, param string, call func(ctx context.Context, a A) (R, error)) Function {
	return newFunc[R](name, []Param{{Name: param, Kind: kindOf[A]()}}, func(ctx context.Context, args []Value) (R, error) {
		return call(ctx, argument[A](args[0]))
	})
}

// Func2 makes a function of two parameters, whose kinds follow from the Go types.
func Func2[R, A, B Arg](name string, params [2]string, call func(ctx context.Context, a A, b B) (R, error)) Function {
	list := []Param{{Name: params[0], Kind: kindOf[A]()}, {Name: params[1], Kind: kindOf[B]()}}
	return newFunc[R](name, list, func(ctx context.Context, args []Value) (R, error) {
		return call(ctx, argument[A](args[0]), argument[B](args[1]))
	})
}

// Func3 makes a function of three parameters, whose kinds follow from the Go types.
func Func3[R, A, B, C Arg](name string, params [3]string, call func(ctx context.Context, a A, b B, c C) (R, error)) Function {
	list := []Param{
		{Name: params[0], Kind: kindOf[A]()},
		{Name: params[1], Kind: kindOf[B]()},
		{Name: params[2], Kind: kindOf[C]()},
	}
	return newFunc[R](name, list, func(ctx context.Context, args []Value) (R, error) {
		return call(ctx, argument[A](args[0]), argument[B](args[1]), argument[C](args[2]))
	})
}

func newFunc[R Arg](name string, params []Param, call func(ctx context.Context, args []Value) (R, error)) Function {
	return Function{
		Signature: Signature{Name: name, Params: params, Result: kindOf[R]()},
		Call: func(ctx context.Context, args []Value) (Value, error) {
			r, err := call(ctx, args)
			if err != nil {
				return Value{}, err
			}
			return FromAny(r), nil
		},
	}
}

// kindOf is the kind that holds a Go type.
func kindOf[T Arg]() Kind {
	var zero T
	switch any(zero).(type) {
	case string:
		return KindString
	case int64:
		return KindInt
	case float64:
		return KindNumber
	case bool:
		return KindBool
	case time.Time:
		return KindTime
	case []string:
		return KindList
	}
	return KindAny
}

// argument converts a value that has the kind of T, or null, to T.
func argument[T Arg](v Value) T {
	var t T
	switch p := any(&t).(type) {
	case *string:
		*p = v.String()
	case *int64:
		*p, _ = v.Int()
	case *float64:
		*p, _ = v.Float()
	case *bool:
		*p, _ = v.Bool()
	case *time.Time:
		*p, _ = v.Time()
	case *[]string:
		for i := range v.Len() {
			*p = append(*p, v.At(i).String())
		}
	case *Value:
		*p = v
	}
	return t
}

// builtin checks the function and makes it callable.
func (fn Function) builtin() (*builtin, error) {
	if err := fn.valid(); err != nil {
		return nil, err
	}
	b := &builtin{Signature: fn.Signature, impure: !fn.Pure, foreign: true}
	b.Params = slices.Clone(fn.Params)
	b.run = func(f *frame, c *invocation) (Value, error) {
		if f.folding && f.ctx == nil {
			f.ctx = context.Background()
		}
		args := make([]Value, len(c.args))
		for i := range c.args {
			v, err := c.args[i].as(f, b.param(i).Kind)
			if err != nil {
				return Value{}, err
			}
			args[i] = v
		}
		v, err := fn.Call(f.ctx, args)
		if err != nil {
			return Value{}, c.fail(f, err, "%s", f.reason(err))
		}
		if v.kind == KindString {
			return c.text(f, v.str())
		}
		return v, nil
	}
	return b, nil
}

func (fn Function) valid() error {
	p := parser{text: fn.Name + "()"}
	if n, err := p.primary(0); err != nil || !p.done() || n.Kind != CallNode {
		return fmt.Errorf("the name of a function is letters, digits and _: %q", fn.Name)
	}
	if fn.Call == nil {
		return fmt.Errorf("function %s has no Call", fn.Name)
	}
	repeated := false
	for _, p := range fn.Params {
		switch p.Kind {
		case KindString, KindInt, KindNumber, KindBool, KindTime, KindList, KindAny:
		default:
			return fmt.Errorf("parameter %s of function %s: no argument has the kind %s", p.Name, fn.Name, p.Kind)
		}
		if repeated && !p.Repeated {
			return errors.New("only the last parameters of function " + fn.Name + " may be repeated")
		}
		repeated = p.Repeated
	}
	return nil
}

// as evaluates an argument as a kind of parameter.
func (a *arg) as(f *frame, kind Kind) (Value, error) {
	switch kind {
	case KindString:
		s, ok, err := a.nullable(f)
		if err != nil || !ok {
			return Value{}, err
		}
		return String(s), nil
	case KindInt:
		n, ok, err := a.integer(f)
		if err != nil || !ok {
			return Value{}, err
		}
		return Int(n), nil
	case KindNumber:
		return a.number(f)
	case KindBool:
		b, err := a.truth(f)
		return Bool(b), err
	case KindTime:
		t, ok, err := a.date(f)
		if err != nil || !ok {
			return Value{}, err
		}
		return timeValue(t), nil
	case KindList:
		v, err := a.value(f)
		if err != nil || v.kind == KindNull || v.kind == KindList {
			return v, err
		}
		return List(v), nil
	}
	return a.value(f)
}

// number evaluates an argument that is a number, whole or not; "" is null.
func (a *arg) number(f *frame) (Value, error) {
	v, err := a.single(f)
	if err != nil || v.IsNullOrEmpty() {
		return Value{}, err
	}
	if n, ok := v.number(); ok {
		return Number(n), nil
	}
	return Value{}, a.fail(f, nil, "a number is wanted, not %s", f.show(v))
}
