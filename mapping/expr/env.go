package expr

import (
	"context"
	"io"
	"time"
)

// Source gives the attributes of the object an expression is evaluated for: always the whole
// object, never only what changed in it, because Switch and IIF decide by what they find absent.
//
// Value returns false, or a null value, for an attribute the object does not have. The names asked
// for are those between the brackets of the expression, in its spelling. If an Env is used by
// several goroutines, its Source must be safe for that.
type Source interface {
	Value(name string) (Value, bool)
}

// SourceFunc is a function used as a [Source].
type SourceFunc func(name string) (Value, bool)

// Value calls f.
func (f SourceFunc) Value(name string) (Value, bool) { return f(name) }

// Attributes is a [Source] made of Go values, which [FromAny] converts. Names are compared as they
// are written.
type Attributes map[string]any

// Value returns the attribute of that name.
func (a Attributes) Value(name string) (Value, bool) {
	v, ok := a[name]
	return FromAny(v), ok
}

// Env is what an evaluation may see of the world. The zero Env is an object without attributes, the
// machine's clock and its secure random numbers. An Env is not changed by an evaluation and may be
// used by many at once if what it holds may.
type Env struct {
	// Source gives the attributes. Nil is an object without any.
	Source Source
	// Clock gives the time for Now, and the date of a text that has only a time. It is asked at most
	// once an evaluation, so that Now() equals Now(). Nil is time.Now.
	Clock func() time.Time
	// Rand gives the bytes for RandomString and Guid. Nil is crypto/rand.
	Rand io.Reader
	// NewGUID gives the result of Guid. Nil is a random (version 4) GUID from Rand.
	NewGUID func() string
	// DefaultDomain gives the result of DefaultDomain. Nil, or an empty name, is an error.
	DefaultDomain func(ctx context.Context) (string, error)
	// Taken reports whether a value exists already in the target attribute that the expression
	// fills. SelectUniqueValue asks it for each candidate in turn. Nil is an error.
	Taken func(ctx context.Context, value string) (bool, error)
}
