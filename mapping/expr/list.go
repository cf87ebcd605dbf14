package expr

import (
	"maps"
	"slices"
	"strings"
)

// Functions that make or read lists.

func listFunctions() []builtin {
	return []builtin{
		{
			Signature: Signature{
				Name: "Count", Result: KindInt, Params: []Param{anything("attribute")},
				Help: "The number of values: 0 for null, 1 for a single value.",
			},
			run: func(f *frame, c *invocation) (Value, error) {
				v, err := c.args[0].value(f)
				return Int(int64(v.Len())), err
			},
			filled: always,
		},
		{
			Signature: Signature{
				Name: "Item", Result: KindAny, Params: []Param{anything("attribute"), param("index", KindInt)},
				Help: "A value of a list by its position, from 1. A position the list does not have is an error; null stays null.",
			},
			run: func(f *frame, c *invocation) (Value, error) { return item(f, c, true) },
		},
		{
			Signature: Signature{
				Name: "RemoveDuplicates", Result: KindList, Params: []Param{anything("attribute")},
				Help: "The different values, each where it stood first. Texts that differ in case are different, " +
					"unless compiled WithIgnoreCaseOfDuplicates. A single value becomes a list of one. Null stays null.",
			},
			run:    removeDuplicates,
			filled: func(_ *compiler, c *invocation) bool { return c.args[0].filled },
		},
		{
			Signature: Signature{
				Name: "Split", Result: KindList, Params: []Param{text("source"), text("delimiter")},
				Help: "The parts of the text between the delimiters as a list, empty ones included; WithTrimSplit takes the spaces off each part. " +
					"Null and \"\" give null.",
			},
			run:   split,
			check: checkSplit,
		},
	}
}

func item(f *frame, c *invocation, must bool) (Value, error) {
	v, err := c.args[0].value(f)
	if err != nil {
		return Value{}, err
	}
	index, err := c.args[1].count(f)
	if err != nil {
		return Value{}, err
	}
	if v.IsNull() {
		return Value{}, nil
	}
	if index < 1 || index > int64(v.Len()) {
		if !must {
			return Value{}, nil
		}
		return Value{}, c.args[1].fail(f, nil, "there is no value %s: the positions are 1 to %d", f.digits(index), v.Len())
	}
	one := v.At(int(index) - 1)
	if one.kind == KindInvalid {
		return Value{}, c.args[0].fail(f, nil, "a Go value that an expression cannot use: %s", one.str())
	}
	return one, nil
}

func removeDuplicates(f *frame, c *invocation) (Value, error) {
	v, err := c.args[0].value(f)
	if err != nil || v.kind == KindNull {
		return Value{}, err
	}
	seen := make(map[string]bool, v.Len())
	var kept []Value
	for i := range v.Len() {
		one := v.At(i)
		key := identity(one, f.program.opts.ignoreCaseOfDuplicates)
		if err := f.spend(c, 64+len(key)); err != nil {
			return Value{}, err
		}
		if !seen[key] {
			seen[key] = true
			kept = append(kept, one)
		}
	}
	return List(kept...), nil
}

// identity is a text that two values share if they are duplicates.
func identity(v Value, ignoreCase bool) string {
	var b strings.Builder
	writeIdentity(&b, v, ignoreCase, 0)
	return b.String()
}

func writeIdentity(b *strings.Builder, v Value, ignoreCase bool, depth int) {
	if depth > maxPrintDepth {
		return
	}
	b.WriteByte('0' + byte(v.kind))
	switch v.kind {
	case KindList:
		for i := range v.Len() {
			writeIdentity(b, v.At(i), ignoreCase, depth+1)
		}
		b.WriteByte(0)
	case KindComplex:
		for _, name := range slices.Sorted(maps.Keys(v.compound().fields)) {
			writeIdentity(b, String(name), false, depth+1)
			writeIdentity(b, v.Field(name), ignoreCase, depth+1)
		}
		b.WriteByte(0)
	default:
		s := v.String()
		if ignoreCase {
			s = strings.Map(foldRune, s)
		}
		b.WriteString(strings.ReplaceAll(s, "\x00", "\x00\x00"))
		b.WriteByte(0)
	}
}

func split(f *frame, c *invocation) (Value, error) {
	s, err := c.args[0].text(f)
	if err != nil {
		return Value{}, err
	}
	delimiter, err := c.args[1].text(f)
	if err != nil {
		return Value{}, err
	}
	if delimiter == "" {
		return Value{}, c.args[1].fail(f, nil, "a delimiter cannot be empty")
	}
	if s == "" {
		return Value{}, nil
	}
	if err := f.spend(c, len(s)); err != nil {
		return Value{}, err
	}
	const itemSize = 16 // what an item counts against the limit of a result, at least
	items := strings.Count(s, delimiter) + 1
	if err := f.fits(c, items*itemSize); err != nil {
		return Value{}, err
	}
	list := make([]Value, 0, items)
	for part := range strings.SplitSeq(s, delimiter) {
		if f.program.opts.trimSplit {
			part = strings.Trim(part, " ")
		}
		list = append(list, String(part))
	}
	return List(list...), nil
}

func checkSplit(c *compiler, call *invocation) error {
	if a := &call.args[1]; a.konst && a.fixed.IsNullOrEmpty() {
		return c.failArg(a, "a delimiter cannot be empty")
	}
	return nil
}
