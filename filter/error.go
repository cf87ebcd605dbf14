package filter

import (
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/scimbridge/scim"
)

// Error says why a filter or a path is refused.
//
// It unwraps to a [*scim.Error] with status 400 and the same type, attribute and text, so that
// errors.As finds what a server has to answer and errors.Is(err, scim.ErrInvalidFilter) works.
type Error struct {
	// Type is invalidFilter, or invalidPath when the fault is in a PATCH path outside its value filter
	// (RFC 7644 table 9).
	Type scim.ErrorType
	// Offset is the byte in the text at which the fault is, from 0 to the length of the text. It is -1
	// when the fault is not in a text: for a filter built in Go or checked against types.
	Offset int
	// Attribute is the attribute concerned, where there is one. A very long name is cut.
	Attribute string
	// Found is what the fault is. It repeats a word of the text, cut when it is long, but nothing that
	// stands where a value does: that may be confidential.
	Found string
	// Expected is what would have been accepted.
	Expected string
}

// Error returns one line without the text that was read, which may be long.
func (e *Error) Error() string { return "filter: " + e.detail() }

// Unwrap returns the error as a [*scim.Error].
func (e *Error) Unwrap() error {
	err := scim.NewError(http.StatusBadRequest, e.Type, e.detail())
	err.Attribute = e.Attribute
	return err
}

func (e *Error) detail() string {
	text := "invalid filter"
	if e.Type == scim.InvalidPath {
		text = "invalid path"
	}
	if e.Offset >= 0 {
		text += " at byte " + strconv.Itoa(e.Offset)
	}
	text += ": "
	if e.Attribute != "" {
		text += e.Attribute + ": "
	}
	text += e.Found
	if e.Expected != "" {
		text += ", expected " + e.Expected
	}
	return text
}

// typeError is an error about an attribute, found without looking at a text.
func typeError(attribute, found, expected string) *Error {
	return &Error{
		Type: scim.InvalidFilter, Offset: -1, Attribute: shorten(attribute, maxName), Found: found, Expected: expected,
	}
}

// How much of the text an error repeats, in bytes: of an attribute name and of any other word.
const (
	maxName = 200
	maxWord = 32
)

// shorten returns the first bytes of s, no more than limit and an ellipsis.
func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "…"
}
