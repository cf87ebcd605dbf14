package sqlquery

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
)

// test compares a text with what a filter asks for.
type test struct {
	op filter.Op
	// texts are those that eq wants one of; of all other operators there is one.
	texts []string
	// exact is false when the database tests less than the filter does.
	exact bool
}

// maxNeedle is how long what co looks for may be, in bytes, for a database to look for it: it may take the product of both lengths.
const maxNeedle = 512

// newTest returns the test, and false for what no filter that has been checked asks for.
func newTest(a *schema.Attribute, op filter.Op, values []filter.Value) (test, bool) {
	t := test{op: op, exact: true}
	for _, v := range values {
		text, ok := operand(a, v)
		if !ok {
			return t, false
		}
		t.texts = append(t.texts, text)
	}
	switch op {
	case filter.OpCo:
		t.exact = len(t.texts[0]) <= maxNeedle
	case filter.OpEq, filter.OpSw, filter.OpEw, filter.OpGt, filter.OpGe, filter.OpLt, filter.OpLe:
	default:
		return t, false
	}
	return t, len(t.texts) > 0
}

// operand returns the text of a filter's value. A string may stand for a boolean ([filter.QuotedBooleans]).
func operand(a *schema.Attribute, v filter.Value) (string, bool) {
	if text, ok := v.Text(); ok && a.Type == schema.Boolean {
		return boolText(strings.EqualFold(text, "true")), true
	}
	return Text(a, v.Any())
}

// refusesEmpty reports whether the empty string does not pass.
func (t test) refusesEmpty() bool {
	return t.op != filter.OpLt && t.op != filter.OpLe && !slices.Contains(t.texts, "")
}

// on returns the condition for the text at a place.
func (t test) on(d Dialect, at place) clause {
	if at.text == "" {
		return t.scan(d, d.text(at.base, at.names...))
	}
	return t.ranged(d, at.text)
}

// scan returns the condition for a text that has to be taken out of something.
func (t test) scan(d Dialect, text string) clause {
	if t.op == filter.OpSw && t.texts[0] != "" {
		return sql(d.startsWith(text, mark, utf8.RuneCountInString(t.texts[0])), t.texts[0])
	}
	return t.ranged(d, text)
}

// ranged returns the condition for a text that may be in an index.
func (t test) ranged(d Dialect, text string) clause {
	want := t.texts[0]
	switch t.op {
	case filter.OpEq:
		return t.equal(text)
	case filter.OpCo:
		if want == "" || !t.exact {
			return sql(text + " IS NOT NULL")
		}
		return sql(d.contains(text, mark), want)
	case filter.OpEw:
		if want == "" {
			return sql(text + " IS NOT NULL")
		}
		return sql(d.endsWith(text, mark, utf8.RuneCountInString(want)), want)
	case filter.OpSw:
		if want == "" {
			return sql(text + " IS NOT NULL")
		}
		if end, ok := after(want); ok {
			return sql("("+text+" >= "+mark+" AND "+text+" < "+mark+")", want, end)
		}
		return sql(text+" >= "+mark, want)
	case filter.OpGt:
		return sql(text+" > "+mark, want)
	case filter.OpGe:
		return sql(text+" >= "+mark, want)
	case filter.OpLt:
		return sql(text+" < "+mark, want)
	}
	return sql(text+" <= "+mark, want)
}

func (t test) equal(text string) clause {
	if len(t.texts) == 1 {
		return sql(text+" = "+mark, t.texts[0])
	}
	args := make([]any, len(t.texts))
	for i, text := range t.texts {
		args[i] = text
	}
	return sql(text+" IN ("+marks(len(args))+")", args...)
}

// after returns the first string after all that begin with prefix, and false when nothing comes after them.
func after(prefix string) (string, bool) {
	for prefix != "" {
		r, n := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-n]
		switch r {
		case utf8.MaxRune:
			continue
		case 0xD7FF:
			r = 0xDFFF // surrogates are no characters
		}
		return prefix + string(r+1), true
	}
	return "", false
}
