package filter

// Op is a comparison operator of RFC 7644 table 3. The operator pr is a node of its own, [Present].
type Op uint8

// The comparison operators. The zero Op is none of them.
const (
	OpEq Op = iota + 1 // equal
	OpNe               // not equal
	OpCo               // contains
	OpSw               // starts with
	OpEw               // ends with
	OpGt               // greater than
	OpGe               // greater than or equal to
	OpLt               // less than
	OpLe               // less than or equal to
)

// opNames is indexed by Op: two letters each.
const opNames = "??eqnecoswewgtgeltle"

// String returns the operator as it is written in a filter, such as eq.
func (o Op) String() string {
	if o > OpLe {
		o = 0
	}
	return opNames[2*o : 2*o+2]
}

// substring reports whether o is co, sw or ew.
func (o Op) substring() bool { return o >= OpCo && o <= OpEw }

// holds reports whether o, which is eq or an order, is true of two values that compare as order says:
// negative, zero or positive.
func (o Op) holds(order int) bool {
	switch o {
	case OpEq:
		return order == 0
	case OpGt:
		return order > 0
	case OpGe:
		return order >= 0
	case OpLt:
		return order < 0
	case OpLe:
		return order <= 0
	}
	return false
}

// parseOp returns the operator that word names in any case.
func parseOp(word string) (Op, bool) {
	if len(word) != 2 {
		return 0, false
	}
	a, b := word[0]|0x20, word[1]|0x20
	for o := OpEq; o <= OpLe; o++ {
		if opNames[2*o] == a && opNames[2*o+1] == b {
			return o, true
		}
	}
	return 0, false
}
