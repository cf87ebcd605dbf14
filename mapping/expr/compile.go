package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Compile checks an expression and prepares it for evaluation. Everything that can be known without
// a source object is known here: names and number of arguments, constants of the wrong type, regular
// expressions, date formats. Parts that depend on nothing are evaluated once.
//
// Errors are of type [*Error]: [ErrSyntax] or [ErrCheck], with the place.
func Compile(text string, opts ...Option) (*Program, error) {
	node, err := Parse(text)
	if err != nil {
		return nil, err
	}
	return compile(text, node, newOptions(opts))
}

// CompileNode compiles a tree as [Compile] compiles the text it prints as; errors give offsets in
// that text.
func CompileNode(node *Node, opts ...Option) (*Program, error) {
	if reason := node.check(); reason != "" {
		return nil, &Error{Detail: reason, kind: ErrSyntax}
	}
	text := node.String()
	parsed, err := Parse(text)
	if err != nil {
		return nil, err
	}
	if !parsed.same(node) {
		return nil, &Error{
			Expression: text, kind: ErrSyntax,
			Detail: "the tree holds a name, number, keyword or operator the language cannot write: it would be read differently",
		}
	}
	return compile(text, parsed, newOptions(opts))
}

func compile(text string, node *Node, opts *options) (*Program, error) {
	functions, err := opts.table()
	if err != nil {
		return nil, &Error{Expression: text, Detail: err.Error(), kind: ErrCheck, cause: err}
	}
	p := &Program{text: text, node: node, opts: opts}
	c := &compiler{text: text, root: node, functions: functions, opts: opts}
	c.frame = &frame{program: p, work: opts.limits.Work, folding: true, env: &Env{}}
	node.Walk(func(n *Node) bool {
		switch {
		case n.Kind == CallNode && n.Name == "Redact":
			p.redacted = true
		case n.Kind == AttributeNode && !slices.Contains(p.attributes, n.Name):
			p.attributes = append(p.attributes, n.Name)
		}
		return true
	})
	result := Param{Kind: KindAny, flow: true}
	if p.code, err = c.compile(node, &result); err != nil {
		return nil, err
	}
	p.code.filled = p.code.filled && !c.mayIgnore
	for _, name := range c.named {
		if !slices.Contains(p.attributes, name) {
			p.attributes = append(p.attributes, name)
		}
	}
	return p, nil
}

type compiler struct {
	text      string
	root      *Node
	functions map[string]*builtin
	opts      *options
	frame     *frame   // evaluates constant parts
	lazy      int      // how many enclosing arguments may stay unevaluated
	inside    bool     // an enclosing function works on the value, so that it is not the result
	named     []string // attributes read by name rather than by an AttributeNode
	mayIgnore bool     // some part may give an ignore value
}

// code is a compiled part with what is known about it.
type code struct {
	run    evaluator
	kind   Kind // KindAny if not known; apart from null
	node   *Node
	fixed  Value // the value of a constant
	konst  bool
	filled bool // never null, "" or ignored, nor a list with such a value
}

func (c *compiler) fail(n *Node, format string, args ...any) error {
	return &Error{Expression: c.text, Offset: n.Offset, Detail: fmt.Sprintf(format, args...), kind: ErrCheck}
}

// failArg is an error about one argument of a call.
func (c *compiler) failArg(a *arg, format string, args ...any) error {
	return &Error{
		Expression: c.text, Offset: a.offset, Function: a.call.name, Argument: a.name, Index: a.index,
		Detail: fmt.Sprintf(format, args...), kind: ErrCheck,
	}
}

func (c *compiler) failCall(call *invocation, format string, args ...any) error {
	return &Error{
		Expression: c.text, Offset: call.offset, Function: call.name,
		Detail: fmt.Sprintf(format, args...), kind: ErrCheck,
	}
}

// compile compiles a node that stands where p says.
func (c *compiler) compile(n *Node, p *Param) (code, error) {
	switch n.Kind {
	case TextNode:
		return constantCode(n, String(n.Text)), nil
	case NumberNode:
		return constantCode(n, numeral(n.Text)), nil
	case AttributeNode:
		return code{run: &attribute{name: n.Name, offset: n.Offset}, kind: KindAny, node: n}, nil
	case KeywordNode:
		return c.keyword(n, p)
	case CompareNode:
		return c.comparison(n, p)
	default:
		return c.call(n)
	}
}

func constantCode(n *Node, v Value) code {
	filled := v.Len() > 0 && !v.Ignored()
	for i := range v.Len() {
		filled = filled && !v.At(i).IsNullOrEmpty()
	}
	return code{run: &constant{v}, kind: v.kind, node: n, fixed: v, konst: true, filled: filled}
}

func (c *compiler) keyword(n *Node, p *Param) (code, error) {
	switch n.Name {
	case keywordIgnoreAttribute, keywordIgnoreObject:
		if !p.flow || c.opts.strict && c.inside {
			return code{}, c.fail(n, "%s can stand only where its value is the result: as a value of IIF, Switch or Coalesce", n.Name)
		}
		c.mayIgnore = true
		if n.Name == keywordIgnoreObject {
			return constantCode(n, IgnoreObject()), nil
		}
		return constantCode(n, IgnoreAttribute()), nil
	}
	if !p.keyword {
		return code{}, c.fail(n, "%s can stand only as the compareType of InStr", n.Name)
	}
	return constantCode(n, String(n.Name)), nil
}

func (c *compiler) comparison(n *Node, p *Param) (code, error) {
	if p.Kind != KindBool {
		return code{}, c.fail(n, "a comparison can stand only as a condition, of IIF, CBool or Not")
	}
	cmp := &comparison{operator: n.Name}
	cmp.call = invocation{name: "comparison", offset: n.Offset, args: make([]arg, 2)}
	side := Param{Name: "left", Kind: KindString}
	for i, name := range [...]string{"left", "right"} {
		side.Name = name
		if err := c.argument(&cmp.call, i, n.Args[i], &side); err != nil {
			return code{}, err
		}
	}
	out := code{run: cmp, kind: KindBool, node: n, filled: true}
	return c.fold(out, &cmp.call)
}

func (c *compiler) call(n *Node) (code, error) {
	b := c.functions[n.Name]
	if b == nil {
		return code{}, c.unknown(n)
	}
	nodes := n.arguments()
	if err := c.arity(n, &b.Signature, len(nodes)); err != nil {
		return code{}, err
	}
	c.mayIgnore = c.mayIgnore || b.foreign
	out := &invocation{run: b.run, name: n.Name, offset: n.Offset}
	out.args = make([]arg, max(len(nodes), len(b.Params)-b.group()))
	for i := range out.args {
		node := Omitted()
		node.Offset = n.Offset
		if i < len(nodes) {
			node = nodes[i]
		}
		if err := c.argument(out, i, node, b.param(i)); err != nil {
			return code{}, err
		}
	}
	if b.check != nil {
		if err := b.check(c, out); err != nil {
			return code{}, err
		}
	}
	if b.choose != nil {
		if chosen, ok := b.choose(c, out); ok {
			return chosen, nil
		}
	}
	if b.prepare != nil {
		var err error
		if out.run, err = b.prepare(c, out); err != nil {
			return code{}, err
		}
	}
	result := code{run: out, kind: b.Result, node: n}
	if b.kind != nil {
		result.kind = b.kind(out.args)
	}
	if b.filled != nil {
		result.filled = b.filled(c, out)
	}
	if b.impure {
		return result, nil
	}
	return c.fold(result, out)
}

// argument compiles one argument and checks it against its parameter.
func (c *compiler) argument(call *invocation, i int, n *Node, p *Param) error {
	a := &call.args[i]
	*a = arg{call: call, name: p.Name, index: i + 1, offset: n.Offset}
	a.code = code{kind: KindNull, node: n, konst: true}
	if n.Kind == OmittedNode {
		if !p.Optional {
			return c.failArg(a, "this argument must be given")
		}
		return nil
	}
	if p.lazy {
		c.lazy++
		defer func() { c.lazy-- }()
	}
	defer func(outside bool) { c.inside = outside }(c.inside)
	c.inside = c.inside || !p.flow
	var err error
	if a.code, err = c.compile(n, p); err != nil {
		return err
	}
	if reason := misfit(a, p); reason != "" {
		return c.failArg(a, "%s", reason)
	}
	return nil
}

// misfit says why an argument cannot be what its parameter wants, as far as that is known.
func misfit(a *arg, p *Param) string {
	if a.konst && a.fixed.Ignored() || p.flow || p.Kind == KindAny {
		return ""
	}
	switch a.kind {
	case KindList:
		if p.Kind != KindList {
			return "a list stands where one value is wanted: take one with Item or put them together with Join"
		}
		return ""
	case KindComplex:
		return "a complex value with sub-attributes stands where one value is wanted"
	}
	switch p.Kind {
	case KindInt, KindNumber:
		switch {
		case a.kind == KindBool || a.kind == KindTime:
			return "a number is wanted, not a " + a.kind.String()
		case a.konst && !a.fixed.IsNullOrEmpty():
			if _, ok := a.fixed.integer(); p.Kind == KindInt && !ok {
				return "a whole number is wanted, not " + quote(a.fixed.String())
			}
			if _, ok := a.fixed.number(); !ok {
				return "a number is wanted, not " + quote(a.fixed.String())
			}
		}
	case KindBool:
		if a.kind == KindTime {
			return "a condition is wanted, not a date"
		}
	case KindTime:
		switch a.kind {
		case KindString:
			return "a date is wanted and this is text: wrap it in CDate"
		case KindInt, KindNumber, KindBool:
			return "a date is wanted, not a " + a.kind.String()
		}
	}
	return ""
}

// arity checks the number of arguments.
func (c *compiler) arity(n *Node, s *Signature, given int) error {
	group, fixed := s.group(), len(s.Params)
	extra := 0
	if group > 0 {
		fixed -= group
		extra = (given - fixed) % group
	}
	least := s.required()
	switch {
	case given < least:
		return c.failCall(&invocation{name: n.Name, offset: n.Offset}, "%s given, at least %d needed: %s", arguments(given), least, s)
	case group == 0 && given > fixed:
		return c.failCall(&invocation{name: n.Name, offset: n.Offset}, "%s given, at most %d allowed: %s", arguments(given), fixed, s)
	case given > fixed && extra != 0:
		return c.failCall(&invocation{name: n.Name, offset: n.Offset}, "%s given, but those at the end come in groups of %d: %s", arguments(given), group, s)
	}
	return nil
}

func arguments(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", n)
}

// fold evaluates a call whose arguments are constants. If that fails, the call always fails: an
// error, unless the call stands where it may never be reached.
func (c *compiler) fold(in code, call *invocation) (code, error) {
	for i := range call.args {
		if !call.args[i].konst {
			return in, nil
		}
	}
	v, err := settle(in.run.eval(c.frame))
	switch {
	case err == nil:
		return constantCode(in.node, v), nil
	case errors.Is(err, errNotConstant):
		return in, nil
	case c.lazy > 0 && !errors.Is(err, ErrLimit):
		return in, nil
	}
	var e *Error
	if errors.As(err, &e) {
		e.kind = ErrCheck
	}
	return code{}, err
}

// unknown explains a call of a function that does not exist.
func (c *compiler) unknown(n *Node) error {
	if _, ok := connectFunctions()[n.Name]; ok {
		return c.fail(n, "unknown function %s: it belongs to Entra Connect and is there only if compiled with WithConnectFunctions", n.Name)
	}
	if near := c.nearest(n.Name); near != "" {
		return c.fail(n, "unknown function %s: did you mean %s?", n.Name, near)
	}
	return c.fail(n, "unknown function %s", n.Name)
}

// nearest finds the function whose name differs least, if that is little enough to be a slip.
func (c *compiler) nearest(name string) string {
	best, least := "", len(name)/5+2
	for known := range c.functions {
		d := distance(strings.ToLower(name), strings.ToLower(known))
		if d < least || d == least && best != "" && known < best {
			best, least = known, d
		}
	}
	return best
}

// distance counts the letters to insert, remove or replace, and the neighbours to swap, to make b of a.
func distance(a, b string) int {
	if len(a) > 64 {
		return len(a) // longer than any function's name
	}
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			change := row[j]
			if a[i] != b[j] {
				change++
			}
			next[j+1] = min(change, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
