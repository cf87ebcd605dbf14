package expr

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Signature describes a function of the language.
type Signature struct {
	Name string
	// Params are the parameters in order. Those at the end that are Repeated form one group, which
	// may be given any number of times: the key and value of Switch, for example.
	Params []Param
	// Result is what comes out, unless it is null; KindAny if that depends on the arguments.
	Result Kind
	// Help says in a sentence or two what the function does, also with null and at the edges.
	Help string
}

// Param is one parameter of a function.
type Param struct {
	Name string
	// Kind is what the function works with. A KindString parameter takes every single value as its
	// text; KindInt takes text with digits; KindTime takes text of the source that CDate could read.
	Kind Kind
	// Optional parameters may be left out, by an empty place between commas too.
	Optional bool
	// Repeated parameters, the last of a signature, may be given any number of times, or not at all.
	Repeated bool

	flow    bool // passed on as it is: may be an ignore value
	lazy    bool // may stay unevaluated
	keyword bool // may be vbBinaryCompare or vbTextCompare
}

// String prints the signature as the reference does: Left(String, NumChars).
func (s Signature) String() string {
	var b strings.Builder
	b.WriteString(s.Name)
	b.WriteByte('(')
	for i, p := range s.Params {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.Name)
		if p.Repeated && i == len(s.Params)-1 {
			b.WriteString(", …")
		}
	}
	b.WriteByte(')')
	return b.String()
}

// group is how many parameters at the end repeat together.
func (s *Signature) group() int {
	n := 0
	for n < len(s.Params) && s.Params[len(s.Params)-1-n].Repeated {
		n++
	}
	return n
}

// param is the parameter that argument i (from 0) is for.
func (s *Signature) param(i int) *Param {
	if i < len(s.Params) {
		return &s.Params[i]
	}
	group := s.group()
	fixed := len(s.Params) - group
	return &s.Params[fixed+(i-fixed)%group]
}

// required is how many arguments there must be.
func (s *Signature) required() int {
	for n := len(s.Params); n > 0; n-- {
		if p := s.Params[n-1]; !p.Optional && !p.Repeated {
			return n
		}
	}
	return 0
}

// Signatures lists the functions an expression compiled with these options may call, by name.
func Signatures(opts ...Option) []Signature {
	functions, _ := newOptions(opts).table()
	list := make([]Signature, 0, len(functions))
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		s := functions[name].Signature
		s.Params = slices.Clone(s.Params)
		list = append(list, s)
	}
	return list
}

// builtin is a function of the language.
type builtin struct {
	Signature
	// run evaluates a call. A function that reads a regular expression or a format has prepare
	// instead, which does so once and returns what to run.
	run     runFunc
	prepare func(c *compiler, call *invocation) (runFunc, error)
	// check refuses calls that can never work, beyond what the signature says.
	check func(c *compiler, call *invocation) error
	// choose returns the argument a call with these constants comes down to.
	choose func(c *compiler, call *invocation) (code, bool)
	// kind gives the kind of the result where it is that of some arguments.
	kind func(args []arg) Kind
	// filled reports whether the result is never empty, given what is known of the arguments.
	filled func(c *compiler, call *invocation) bool
	// impure functions give another result each time, or ask the world.
	impure bool
	// foreign functions are not ours and may return anything.
	foreign bool
}

// Parameters, as the tables of functions write them.

func param(name string, kind Kind) Param { return Param{Name: name, Kind: kind} }

func text(name string) Param { return param(name, KindString) }

func anything(name string) Param { return param(name, KindAny) }

func (p Param) optional() Param {
	p.Optional = true
	return p
}

func (p Param) repeated() Param {
	p.Repeated, p.Optional = true, true
	return p
}

func (p Param) passedOn() Param {
	p.flow = true
	return p
}

func (p Param) lazily() Param {
	p.lazy = true
	return p
}

func (p Param) orKeyword() Param {
	p.keyword = true
	return p
}

// table collects functions by name.
func table(lists ...[]builtin) map[string]*builtin {
	functions := map[string]*builtin{}
	for _, list := range lists {
		for i := range list {
			functions[list[i].Name] = &list[i]
		}
	}
	return functions
}

// table gives the functions these options allow. The built-in tables are made once and only read.
func (o *options) table() (map[string]*builtin, error) {
	base := coreFunctions()
	if !o.connect && len(o.functions) == 0 {
		return base, nil
	}
	functions := maps.Clone(base)
	if o.connect {
		maps.Copy(functions, connectFunctions())
	}
	for _, fn := range o.functions {
		b, err := fn.builtin()
		if err != nil {
			return functions, err
		}
		if base[fn.Name] != nil || o.connect && connectFunctions()[fn.Name] != nil {
			return functions, fmt.Errorf("the language has a function %s already", fn.Name)
		}
		functions[fn.Name] = b
	}
	return functions, nil
}
