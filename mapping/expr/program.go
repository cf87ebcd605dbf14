package expr

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Program is a compiled expression. It is safe for concurrent use.
type Program struct {
	text       string
	node       *Node
	code       code
	attributes []string
	redacted   bool
	opts       *options
	frames     sync.Pool // of *frame of this program, so that an evaluation allocates only what its result needs
}

// String gives the text the program was compiled from.
func (p *Program) String() string { return p.text }

// Node gives the parsed expression. Do not change it.
func (p *Program) Node() *Node { return p.node }

// Attributes lists the source attributes the expression may read, each once, in the order they
// appear.
func (p *Program) Attributes() []string { return slices.Clone(p.attributes) }

// Type tells what kind of value comes out, [KindAny] if that depends on the source. Whatever the
// type, a result may also be null or one of the ignore kinds.
func (p *Program) Type() Kind { return p.code.kind }

// Constant gives the result of an expression that depends on nothing.
func (p *Program) Constant() (Value, bool) { return p.code.fixed, p.code.konst }

// NeverEmpty reports whether the result is known to be neither null nor "" nor an ignore value,
// whatever the source object holds. False means only that it is not known. An evaluation may still
// fail.
func (p *Program) NeverEmpty() bool { return p.code.filled }

// Redacted reports whether the expression uses Redact. Its results then must not appear in logs;
// the errors of its evaluation leave out the values.
func (p *Program) Redacted() bool { return p.redacted }

// AddsOnly reports whether the expression gives what AppRoleAssignmentsComplex gives, whose values are added to
// the target attribute and never replace or remove what is there: by itself, in Redact or IgnoreFlowIfNullOrEmpty, or
// as one of the values of IIF, Switch or Coalesce.
func (p *Program) AddsOnly() bool { return addsOnly(p.node) }

func addsOnly(n *Node) bool {
	if n.Kind != CallNode {
		return false
	}
	switch n.Name {
	case "AppRoleAssignmentsComplex":
		return true
	case "Redact", "IgnoreFlowIfNullOrEmpty", "IIF", "Switch", "Coalesce":
		// A key or a condition is one value and cannot be a list of roles.
		return slices.ContainsFunc(n.Args, addsOnly)
	}
	return false
}

// Eval gives the result for one object. A nil env is the zero [Env].
//
// The context goes to the hooks of env and to functions of your own, and ends long work. An error
// is an [*Error] that is [ErrEval], or that of the context.
func (p *Program) Eval(ctx context.Context, env *Env) (Value, error) {
	if p.code.konst {
		return p.code.fixed, nil
	}
	if env == nil {
		env = &Env{}
	}
	f, _ := p.frames.Get().(*frame)
	if f == nil {
		f = &frame{program: p}
	}
	f.ctx, f.env, f.work, f.hasNow = ctx, env, p.opts.limits.Work, false
	v, err := p.code.run.eval(f)
	f.ctx, f.env = nil, nil
	p.frames.Put(f)
	return settle(v, err)
}

// Step is one part of an expression with what it gave.
type Step struct {
	// Node is the part: a call, a comparison or an attribute.
	Node *Node
	// Value is what it gave, if Err is nil.
	Value Value
	Err   error
}

// Trace evaluates like [Program.Eval] and also returns each part that was evaluated, in the order
// they were done, the whole expression last. Constant parts and branches not taken do not appear.
// The values are those of the source even if the expression uses Redact. Trace is for explaining a
// result to a person; it is slower than Eval.
func (p *Program) Trace(ctx context.Context, env *Env) (Value, []Step, error) {
	if env == nil {
		env = &Env{}
	}
	steps := []Step{}
	f := &frame{program: p, ctx: ctx, env: env, work: p.opts.limits.Work, steps: &steps}
	v, err := p.code.run.eval(f)
	f.record(&p.code, v, err)
	v, err = settle(v, err)
	return v, steps, err
}

// record notes a step of a Trace.
func (f *frame) record(part *code, v Value, err error) {
	if !part.konst {
		v, err = settle(v, err)
		*f.steps = append(*f.steps, Step{Node: part.node, Value: v, Err: err})
	}
}

// settle turns the signal that a function met an ignore value into that value.
func settle(v Value, err error) (Value, error) {
	switch err {
	case nil:
		return v, nil
	case errIgnoreAttribute:
		return IgnoreAttribute(), nil
	case errIgnoreObject:
		return IgnoreObject(), nil
	}
	return Value{}, err
}

// evaluator is a compiled part of an expression.
type evaluator interface {
	eval(f *frame) (Value, error)
}

// frame is the state of one evaluation.
type frame struct {
	program  *Program
	ctx      context.Context
	env      *Env
	work     int64
	now      ticks
	hasNow   bool
	sawEmpty bool    // an attribute read since this was cleared was null or ""
	steps    *[]Step // what Trace collects, else nil
	folding  bool    // the compiler evaluates a constant part; there is no world to ask
}

// spend takes n from the work the evaluation may still do.
func (f *frame) spend(c *invocation, n int) error {
	const rare = 4096 // how much work makes it worth asking whether the caller still waits
	f.work -= int64(n)
	if f.work < 0 {
		return c.fail(f, ErrLimit, "the expression needs more work than the limit of %d allows", f.program.opts.limits.Work)
	}
	if n >= rare && f.ctx != nil {
		return f.ctx.Err()
	}
	return nil
}

// fits refuses a text that would be longer than the limit, before it is made.
func (f *frame) fits(c *invocation, size int) error {
	if size > f.program.opts.limits.Result {
		return c.fail(f, ErrLimit, "the result would be longer than the limit of %d bytes", f.program.opts.limits.Result)
	}
	return f.spend(c, size)
}

// clock gives the time of this evaluation.
func (f *frame) clock(c *invocation) (ticks, error) {
	if f.hasNow {
		return f.now, nil
	}
	if f.folding {
		return 0, errNotConstant
	}
	now := time.Now
	if f.env.Clock != nil {
		now = f.env.Clock
	}
	t, ok := ticksOf(now())
	if !ok {
		return 0, c.fail(f, nil, "the clock shows no year from 1 to 9999")
	}
	f.now, f.hasNow = t, true
	return t, nil
}

// quote shows a source value in a message, unless it must not be shown.
func (f *frame) quote(s string) string {
	if f.program.redacted {
		return "[Redact]"
	}
	return quote(s)
}

// reason shows an error that is not ours or that may quote a source value, unless that must not be shown.
func (f *frame) reason(err error) string {
	if f.program.redacted {
		return "it failed, for a reason that may hold the value [Redact]"
	}
	return err.Error()
}

// constant always gives the same value.
type constant struct{ value Value }

func (c *constant) eval(*frame) (Value, error) { return c.value, nil }

// attribute reads the source.
type attribute struct {
	name   string
	offset int
}

func (a *attribute) eval(f *frame) (Value, error) {
	var v Value
	if f.env.Source != nil {
		v, _ = f.env.Source.Value(a.name)
	}
	if v.kind == KindInvalid {
		return Value{}, &Error{
			Expression: f.program.text, Offset: a.offset, kind: ErrEval,
			Detail: "the attribute [" + a.name + "] holds a Go value an expression cannot use: " + v.str(),
		}
	}
	if v.IsNullOrEmpty() {
		f.sawEmpty = true
	}
	return v, nil
}
