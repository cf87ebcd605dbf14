package sqlquery

import "strings"

// clause is SQL whose arguments are not numbered yet: each is a mark in the text.
type clause struct {
	sql  string
	args []any
}

// mark stands for an argument. Names in statements have no control characters.
const mark = "\x00"

func sql(text string, args ...any) clause { return clause{text, args} }

var (
	always = sql("TRUE")
	never  = sql("FALSE")
)

func (c clause) isZero() bool { return c.sql == "" }

// wrap puts text before and after c.
func (c clause) wrap(before, after string) clause { return clause{before + c.sql + after, c.args} }

// follow appends d to c.
func (c clause) follow(d clause) clause {
	return clause{c.sql + d.sql, append(c.args[:len(c.args):len(c.args)], d.args...)}
}

// joined returns the clauses with a word between them, in parentheses that are nested no deeper than the logarithm of their
// number: SQLite bounds the depth of expressions.
func joined(word string, list []clause) clause {
	switch len(list) {
	case 1:
		return list[0]
	case 2:
	default:
		half := len(list) / 2
		list = []clause{joined(word, list[:half]), joined(word, list[half:])}
	}
	return list[0].wrap("(", word).follow(list[1].wrap("", ")"))
}

// marks returns n marks with commas between them.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat(mark+", ", n), ", ") }

// Adder adds an argument to a statement and returns the placeholder that stands for it, such as $3. The same placeholder may occur in
// the text more than once.
type Adder func(value any) (placeholder string)

// bind returns the text with a placeholder for every mark.
func (c clause) bind(add Adder) string {
	known := make(map[any]string, len(c.args))
	var b strings.Builder
	rest := c.sql
	for _, arg := range c.args {
		before, after, _ := strings.Cut(rest, mark)
		if known[arg] == "" {
			known[arg] = add(arg)
		}
		b.WriteString(before)
		b.WriteString(known[arg])
		rest = after
	}
	b.WriteString(rest)
	return b.String()
}
