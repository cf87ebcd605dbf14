package mapping

import (
	"errors"
	"strings"
)

// Error says what is wrong with a mapping, or which of its attributes could not be computed for an object. It never holds more of
// an object's values than the error it wraps.
type Error struct {
	// Mapping is the name of the object mapping.
	Mapping string
	// Target is the target attribute concerned; empty when it is about the mapping as a whole.
	Target string
	// Err is the cause: an [*github.com/scimbridge/scim/mapping/expr.Error] when it is about an expression.
	Err error
}

// Error returns one line.
func (e *Error) Error() string {
	text := "mapping " + e.Mapping + ": "
	if e.Target != "" {
		text += e.Target + ": "
	}
	return text + strings.TrimPrefix(e.Err.Error(), "mapping: ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// What can be wrong, for errors.Is.
var (
	// ErrInvalid is the cause of every error of [Compile].
	ErrInvalid = errors.New("invalid mapping")
	// ErrValue is the cause of an error of [Mapping.Map] when a value cannot be what the target attribute needs.
	ErrValue = errors.New("value does not fit")
)

// causeError is an error with a sentinel as its second cause.
type causeError struct {
	error
	cause error
}

func (e causeError) Unwrap() []error { return []error{e.error, e.cause} }
