package expr

// Functions that choose among values and pass them on.

func flowFunctions() []builtin {
	return []builtin{
		{
			Signature: Signature{
				Name: "IIF", Result: KindAny,
				Params: []Param{
					param("condition", KindBool),
					anything("valueIfTrue").passedOn().lazily(),
					anything("valueIfFalse").passedOn().lazily(),
				},
				Help: "The first value if the condition holds, else the second; the other is not evaluated. " +
					"The condition is a comparison (=, <>, <, <=, >, >=) or anything CBool takes. " +
					"Two sides that both read as numbers compare as numbers, else as text, case-sensitive. Null compares as \"\".",
			},
			run:    iif,
			check:  checkIIF,
			choose: chooseIIF,
			kind:   func(args []arg) Kind { return commonKind(args[1:]) },
			filled: filledIIF,
		},
		{
			Signature: Signature{
				Name: "Switch", Result: KindAny,
				Params: []Param{
					text("source"),
					anything("defaultValue").optional().passedOn().lazily(),
					text("key1").lazily(), anything("value1").passedOn().lazily(),
					text("key").repeated().lazily(), anything("value").repeated().passedOn().lazily(),
				},
				Help: "The value whose key equals the source, case-sensitive; the first if several do. " +
					"Key \"\" matches null too. Without a match the default, null if it is left out. " +
					"Only the value chosen is evaluated.",
			},
			run:     switchRun,
			prepare: prepareSwitch,
			check:   checkSwitch,
			choose:  chooseSwitch,
			kind:    kindSwitch,
			filled:  filledSwitch,
		},
		{
			Signature: Signature{
				Name: "Coalesce", Result: KindAny,
				Params: []Param{anything("source1").passedOn(), anything("source").repeated().passedOn().lazily()},
				Help: "The first source that is neither null nor \"\"; if there is none, the last one as it is. " +
					"WithCoalesceNullOnly passes over null only.",
			},
			run:    coalesce,
			kind:   commonKind,
			filled: filledCoalesce,
		},
		{
			Signature: Signature{
				Name: "IgnoreFlowIfNullOrEmpty", Result: KindAny,
				Params: []Param{anything("expression").passedOn()},
				Help:   "The value, unless it is null or \"\": then the attribute is left out of the request. Not in the condition of IIF.",
			},
			run:    ignoreFlow,
			check:  checkIgnoreFlow,
			kind:   commonKind,
			filled: func(_ *compiler, c *invocation) bool { return c.args[0].filled },
		},
		{
			Signature: Signature{
				Name: "Redact", Result: KindAny,
				Params: []Param{anything("value").passedOn()},
				Help:   "The value unchanged. It does not appear in logs, and no value of the expression in errors.",
			},
			run:    func(f *frame, c *invocation) (Value, error) { return c.args[0].flow(f) },
			kind:   commonKind,
			filled: anyFilled,
		},
		{
			Signature: Signature{
				Name: "SelectUniqueValue", Result: KindAny,
				Params: []Param{anything("rule1"), anything("rule2").lazily(), anything("rule").repeated().lazily()},
				Help: "The first value that the target does not have yet; null and \"\" are passed over. " +
					"An error that is ErrAllTaken if all exist. Only as the whole expression.",
			},
			run:    selectUnique,
			check:  checkSelectUnique,
			kind:   commonKind,
			impure: true,
		},
		{
			Signature: Signature{
				Name: "DefaultDomain", Result: KindString,
				Help: "The default verified domain of the tenant; an error if there is none.",
			},
			run:    defaultDomain,
			filled: func(*compiler, *invocation) bool { return true },
			impure: true,
		},
		{
			Signature: Signature{
				Name: "CBool", Result: KindBool, Params: []Param{param("expression", KindBool)},
				Help: "True for true, a number other than 0, the text true in any case, or the text of such a number; otherwise False.",
			},
			run: func(f *frame, c *invocation) (Value, error) {
				b, err := c.args[0].truth(f)
				return Bool(b), err
			},
			filled: always,
		},
		{
			Signature: Signature{
				Name: "Not", Result: KindBool, Params: []Param{param("source", KindBool)},
				Help: "False for true and the text true in any case; True for anything else, 1 and null included.",
			},
			run:    not,
			filled: always,
		},
		predicate("IsNull", "True if the attribute is absent. An empty list is absent.", Value.IsNull),
		predicate("IsNothing", "IsNull under the name it has in Microsoft Graph.", Value.IsNull),
		predicate("IsNullOrEmpty", "True if the value is absent or \"\".", Value.IsNullOrEmpty),
		predicate("IsPresent", "True if the value is neither absent nor \"\".", func(v Value) bool { return !v.IsNullOrEmpty() }),
		predicate("IsString", "True if the value is a text, or a list of one text.", func(v Value) bool {
			return v.kind == KindString || v.Len() == 1 && v.At(0).kind == KindString
		}),
	}
}

func always(*compiler, *invocation) bool { return true }

func anyFilled(_ *compiler, c *invocation) bool {
	for i := range c.args {
		if c.args[i].filled {
			return true
		}
	}
	return false
}

func predicate(name, help string, holds func(Value) bool) builtin {
	return builtin{
		Signature: Signature{Name: name, Result: KindBool, Params: []Param{anything("expression")}, Help: help},
		run: func(f *frame, c *invocation) (Value, error) {
			v, err := c.args[0].value(f)
			return Bool(holds(v)), err
		},
		filled: always,
	}
}

// commonKind is the kind all arguments share, as far as it is known. Null and the ignore values
// may come out whatever the kind, so they do not count.
func commonKind(args []arg) Kind {
	kind := KindNull
	for i := range args {
		switch k := args[i].kind; {
		case k == KindNull || k == KindIgnoreAttribute || k == KindIgnoreObject || k == kind:
		case kind == KindNull:
			kind = k
		default:
			return KindAny
		}
	}
	return kind
}

func iif(f *frame, c *invocation) (Value, error) {
	if f.program.opts.nullConditionsFail {
		return iifNullFails(f, c)
	}
	holds, err := c.args[0].truth(f)
	if err != nil {
		return Value{}, err
	}
	if holds {
		return c.args[1].flow(f)
	}
	return c.args[2].flow(f)
}

// iifNullFails is IIF with the documented limit: a condition that reads an empty attribute fails.
func iifNullFails(f *frame, c *invocation) (Value, error) {
	outside := f.sawEmpty
	f.sawEmpty = false
	holds, err := c.args[0].truth(f)
	holds = holds && !f.sawEmpty
	f.sawEmpty = f.sawEmpty || outside
	if err != nil {
		return Value{}, err
	}
	if holds {
		return c.args[1].flow(f)
	}
	return c.args[2].flow(f)
}

func checkIIF(c *compiler, call *invocation) error {
	condition := &call.args[0]
	var refused string
	condition.node.Walk(func(n *Node) bool {
		if n.Kind == CallNode && n.Name == "IgnoreFlowIfNullOrEmpty" {
			refused = "IgnoreFlowIfNullOrEmpty cannot be part of a condition: put it around the IIF"
		}
		return refused == ""
	})
	if refused == "" && c.opts.strict && asksForEmpty(condition.node) {
		refused = "Entra does not support conditions about an empty attribute: use Switch([attribute], [attribute], \"\", \"…\")"
	}
	if refused != "" {
		return c.failArg(condition, "%s", refused)
	}
	return nil
}

// asksForEmpty recognises the forms that the reference declares unsupported.
func asksForEmpty(n *Node) bool {
	switch n.Kind {
	case CallNode:
		switch n.Name {
		case "IsNull", "IsNullOrEmpty", "IsPresent":
			return true
		case "Not", "CBool":
			return len(n.Args) == 1 && asksForEmpty(n.Args[0])
		}
	case CompareNode:
		return isEmptyText(n.Args[0]) || isEmptyText(n.Args[1])
	}
	return false
}

func isEmptyText(n *Node) bool { return n.Kind == TextNode && n.Text == "" }

// chooseIIF drops the branch a constant condition rules out.
func chooseIIF(_ *compiler, call *invocation) (code, bool) {
	condition := &call.args[0]
	if !condition.konst || condition.fixed.kind >= KindList {
		return code{}, false
	}
	if condition.fixed.truth() {
		return call.args[1].code, true
	}
	return call.args[2].code, true
}

func filledIIF(c *compiler, call *invocation) bool {
	whenTrue, whenFalse := call.args[1].filled, call.args[2].filled
	if name, ifPresent, ok := presence(call.args[0].node); ok && !c.opts.nullConditionsFail {
		whenTrue = whenTrue || ifPresent && isAttribute(call.args[1].node, name)
		whenFalse = whenFalse || !ifPresent && isAttribute(call.args[2].node, name)
	}
	return whenTrue && whenFalse
}

// presence recognises a condition that tells whether an attribute is empty, and which way.
func presence(n *Node) (name string, ifPresent, ok bool) {
	switch {
	case n.Kind == CallNode && len(n.Args) == 1 && n.Name == "Not":
		name, ifPresent, ok = presence(n.Args[0])
		return name, !ifPresent, ok
	case n.Kind == CallNode && len(n.Args) == 1 && n.Args[0].Kind == AttributeNode:
		return n.Args[0].Name, n.Name == "IsPresent", n.Name == "IsPresent" || n.Name == "IsNullOrEmpty"
	case n.Kind == CompareNode && n.Args[0].Kind == AttributeNode && isEmptyText(n.Args[1]):
		return n.Args[0].Name, n.Name == "<>", n.Name == "<>" || n.Name == "="
	}
	return "", false, false
}

func isAttribute(n *Node, name string) bool {
	return n != nil && n.Kind == AttributeNode && n.Name == name
}

// switchRun is a Switch with keys that depend on the source object.
func switchRun(f *frame, c *invocation) (Value, error) {
	source, err := c.args[0].text(f)
	if err != nil {
		return Value{}, err
	}
	for i := 2; i < len(c.args); i += 2 {
		key, err := c.args[i].text(f)
		if err != nil {
			return Value{}, err
		}
		if key == source {
			return c.args[i+1].flow(f)
		}
	}
	return c.args[1].flow(f)
}

// prepareSwitch looks the value up when all keys are constants, as they nearly always are.
func prepareSwitch(_ *compiler, call *invocation) (runFunc, error) {
	const few = 8 // comparing so many keys takes no longer than hashing the source
	keys := make([]string, 0, len(call.args)/2)
	for i := 2; i < len(call.args); i += 2 {
		if !call.args[i].konst || call.args[i].fixed.Ignored() {
			return switchRun, nil
		}
		keys = append(keys, call.args[i].fixed.String())
	}
	if len(keys) <= few {
		return func(f *frame, c *invocation) (Value, error) {
			source, err := c.args[0].text(f)
			if err != nil {
				return Value{}, err
			}
			for i, key := range keys {
				if key == source {
					return c.args[2*i+3].flow(f)
				}
			}
			return c.args[1].flow(f)
		}, nil
	}
	values := make(map[string]int, len(keys))
	for i, key := range keys {
		if _, ok := values[key]; !ok {
			values[key] = 2*i + 3
		}
	}
	return func(f *frame, c *invocation) (Value, error) {
		source, err := c.args[0].text(f)
		if err != nil {
			return Value{}, err
		}
		if i, ok := values[source]; ok {
			return c.args[i].flow(f)
		}
		return c.args[1].flow(f)
	}, nil
}

func checkSwitch(c *compiler, call *invocation) error {
	source := &call.args[0]
	if c.opts.strict && source.node.Kind == CallNode {
		switch source.node.Name {
		case "IsNull", "IsNullOrEmpty", "IsPresent":
			return c.failArg(source, "Entra warns against %s as the source of Switch: use key \"\" for an empty attribute", source.node.Name)
		}
	}
	return nil
}

// chooseSwitch drops what a constant source rules out.
func chooseSwitch(_ *compiler, call *invocation) (code, bool) {
	if !call.args[0].konst || call.args[0].fixed.Ignored() {
		return code{}, false
	}
	source := call.args[0].fixed.String()
	for i := 2; i < len(call.args); i += 2 {
		if !call.args[i].konst || call.args[i].fixed.Ignored() {
			return code{}, false
		}
		if call.args[i].fixed.String() == source {
			return call.args[i+1].code, true
		}
	}
	if !call.args[1].given() {
		return constantCode(call.args[0].node, Null()), true
	}
	return call.args[1].code, true
}

func kindSwitch(args []arg) Kind {
	values := []arg{args[1]}
	for i := 3; i < len(args); i += 2 {
		values = append(values, args[i])
	}
	return commonKind(values)
}

// filledSwitch knows the documented form Switch([a], [a], "", "Other"), where the default is only
// reached when the attribute has a value.
func filledSwitch(_ *compiler, call *invocation) bool {
	source := call.args[0].node
	rest := call.args[1].filled
	for i := 2; i < len(call.args); i += 2 {
		if !call.args[i+1].filled {
			return false
		}
		if isEmptyText(call.args[i].node) && source.Kind == AttributeNode && isAttribute(call.args[1].node, source.Name) {
			rest = true
		}
	}
	return rest
}

func coalesce(f *frame, c *invocation) (Value, error) {
	last := len(c.args) - 1
	for i := range last {
		v, err := c.args[i].flow(f)
		if err != nil {
			return Value{}, err
		}
		if !v.IsNull() && (f.program.opts.coalesceNullOnly || !v.IsNullOrEmpty()) {
			return v, nil
		}
	}
	return c.args[last].flow(f)
}

func filledCoalesce(c *compiler, call *invocation) bool {
	if c.opts.coalesceNullOnly {
		return call.args[0].filled
	}
	return anyFilled(c, call)
}

func ignoreFlow(f *frame, c *invocation) (Value, error) {
	v, err := c.args[0].flow(f)
	if err == nil && v.IsNullOrEmpty() {
		return IgnoreAttribute(), nil
	}
	return v, err
}

func checkIgnoreFlow(c *compiler, call *invocation) error {
	c.mayIgnore = c.mayIgnore || !call.args[0].filled
	if c.opts.strict && c.inside {
		return c.failCall(call, "it decides whether the attribute flows, so it must be outermost")
	}
	return nil
}

func selectUnique(f *frame, c *invocation) (Value, error) {
	if f.env.Taken == nil {
		return Value{}, c.fail(f, nil, "there is no target to ask: Env.Taken is not set")
	}
	candidates := 0
	for i := range c.args {
		v, err := c.args[i].single(f)
		if err != nil {
			return Value{}, err
		}
		candidate, _ := v.scalarText()
		if candidate == "" {
			continue
		}
		candidates++
		taken, err := f.env.Taken(f.ctx, candidate)
		if err != nil {
			return Value{}, c.args[i].fail(f, err, "asking the target whether the value is taken: %s", f.reason(err))
		}
		if !taken {
			return v, nil
		}
	}
	if candidates == 0 {
		return Value{}, nil
	}
	return Value{}, c.fail(f, ErrAllTaken, "all %d candidate values exist in the target already", candidates)
}

func checkSelectUnique(c *compiler, call *invocation) error {
	if call.offset != c.root.Offset {
		return c.failCall(call, "it must be the whole expression and cannot stand inside another function")
	}
	return nil
}

func defaultDomain(f *frame, c *invocation) (Value, error) {
	if f.env.DefaultDomain == nil {
		return Value{}, c.fail(f, nil, "the default domain is not known: Env.DefaultDomain is not set")
	}
	domain, err := f.env.DefaultDomain(f.ctx)
	if err != nil {
		return Value{}, c.fail(f, err, "asking for the default domain: %v", err)
	}
	if domain == "" {
		return Value{}, c.fail(f, nil, "the tenant has no default domain")
	}
	return c.text(f, domain)
}

func not(f *frame, c *invocation) (Value, error) {
	v, err := c.args[0].single(f)
	if err != nil {
		return Value{}, err
	}
	one, known := v.asBool()
	return Bool(!known || one == 0), nil
}
