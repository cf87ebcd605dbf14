package expr

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What can go wrong, for errors.Is.
var (
	// ErrSyntax is the cause of every error of [Parse].
	ErrSyntax = errors.New("not an expression")
	// ErrCheck is the cause of every error that [Compile] adds to those of Parse: an unknown
	// function, a missing argument, a constant of the wrong type, a form that cannot work.
	ErrCheck = errors.New("not a valid expression")
	// ErrEval is the cause of an error that one object's values bring about. The object fails;
	// the expression may be right for the next.
	ErrEval = errors.New("cannot be evaluated")
	// ErrLimit is the cause of an error that says a bound of [Limits] was reached. Such an error is
	// also an ErrEval or, met while compiling, an ErrCheck.
	ErrLimit = errors.New("limit reached")
	// ErrAllTaken is the cause of an ErrEval that says that every candidate of SelectUniqueValue
	// exists in the target already.
	ErrAllTaken = errors.New("every candidate value is taken in the target")
)

// Error is the type of every error of this package except those of a context. errors.Is tells which of the causes
// above it is, and also finds what a hook of [Env] or a function of [WithFunctions] returned.
type Error struct {
	// Expression is the text of the expression.
	Expression string
	// Offset is the byte position in Expression that the error is about.
	Offset int
	// Function is the function concerned, "" if none is.
	Function string
	// Argument is the name of the argument concerned, "" if none is, and Index its position from 1.
	Argument string
	Index    int
	// Detail says what is wrong and, where that is known, what to write instead. It may quote up to
	// 40 characters of a source value, except from expressions that use Redact.
	Detail string

	kind  error // ErrSyntax, ErrCheck or ErrEval
	cause error // ErrLimit, ErrAllTaken, or the error of a hook
}

// Error tells everything on one line. See [Error.Snippet] for the place.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("expr: ")
	if e.Function != "" {
		b.WriteString(e.Function)
		if e.Argument != "" {
			b.WriteString(" argument ")
			b.WriteString(strconv.Itoa(e.Index))
			b.WriteString(" (")
			b.WriteString(e.Argument)
			b.WriteString(")")
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Detail)
	b.WriteString(" (at offset ")
	b.WriteString(strconv.Itoa(e.Offset))
	b.WriteByte(')')
	return b.String()
}

// Unwrap gives the causes.
func (e *Error) Unwrap() []error {
	causes := []error{e.kind}
	if e.cause != nil {
		causes = append(causes, e.cause)
	}
	return causes
}

// snippetRunes is how much of the line is shown before and after the caret.
const snippetRunes = 36

// Snippet shows the part of the expression the error is about and, on a second line, a caret below
// the place. Print it with a fixed-width font.
func (e *Error) Snippet() string {
	offset := min(max(e.Offset, 0), len(e.Expression))
	start := strings.LastIndexAny(e.Expression[:offset], "\r\n") + 1
	end := len(e.Expression)
	if i := strings.IndexAny(e.Expression[offset:], "\r\n"); i >= 0 {
		end = offset + i
	}
	before, after := e.Expression[start:offset], e.Expression[offset:end]
	var lead, trail string
	if n := utf8.RuneCountInString(before); n > snippetRunes {
		before, lead = lastRunes(before, snippetRunes), "…"
	}
	if n := utf8.RuneCountInString(after); n > snippetRunes {
		after, trail = firstRunes(after, snippetRunes), "…"
	}
	before, after = printable(lead+before), printable(after+trail)
	return before + after + "\n" + strings.Repeat(" ", utf8.RuneCountInString(before)) + "^"
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func lastRunes(s string, n int) string {
	for i := len(s); i > 0; n-- {
		if n == 0 {
			return s[i:]
		}
		_, size := utf8.DecodeLastRuneInString(s[:i])
		i -= size
	}
	return s
}

// printable keeps each rune one column wide and harmless on a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == utf8.RuneError || !strconv.IsPrint(r):
			return '·'
		}
		return r
	}, s)
}

// quote shows a value in a message, shortened.
func quote(s string) string {
	const most = 40
	if utf8.RuneCountInString(s) > most {
		s = firstRunes(s, most) + "…"
	}
	return strconv.Quote(s)
}
