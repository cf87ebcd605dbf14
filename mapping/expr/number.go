package expr

// Functions that work on numbers.

func numberFunctions() []builtin {
	return []builtin{
		{
			Signature: Signature{
				Name: "BitAnd", Result: KindInt, Params: []Param{param("value1", KindInt), param("value2", KindInt)},
				Help: "The bits set in both numbers, which may be written as &HF7. Null if either is null.",
			},
			run: func(f *frame, c *invocation) (Value, error) {
				return bits(f, c, func(a, b int64) int64 { return a & b })
			},
			filled: func(_ *compiler, c *invocation) bool { return c.args[0].filled && c.args[1].filled },
		},
	}
}

func bits(f *frame, c *invocation, combine func(a, b int64) int64) (Value, error) {
	a, ok, err := c.args[0].integer(f)
	if err != nil {
		return Value{}, err
	}
	b, alsoOK, err := c.args[1].integer(f)
	if err != nil || !ok || !alsoOK {
		return Value{}, err
	}
	return Int(combine(a, b)), nil
}
