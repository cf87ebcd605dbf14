package patch

import (
	"fmt"
	"net/http"

	"github.com/scimbridge/scim"
)

// The bounds that hold where [Options] gives none.
const (
	// DefaultMaxOperations is how many operations one request may have.
	DefaultMaxOperations = 1000
	// DefaultMaxWork is how many elements the value filters of one request may look at, all operations together. An element that
	// is looked at by a filter of several comparisons counts as often, one that is written several times. It is about half a second.
	DefaultMaxWork = 4_000_000
	// DefaultMaxGrowth is how many bytes of JSON one request may write into a document, 32 MiB.
	DefaultMaxGrowth = 32 << 20
)

// Options change how operations are applied. The zero value is tolerant, and has the default bounds.
type Options struct {
	// Strict refuses everything that RFC 7644 does not know. The package documentation lists what is tolerated without it.
	Strict bool
	// IgnoreUnknown leaves out operations on attributes that the schema does not have. Without it they fail with invalidPath, so
	// that a client never takes for done what was not.
	IgnoreUnknown bool
	// MaxOperations bounds the operations of one request, 0 means [DefaultMaxOperations]. More are refused with 400 tooMany.
	MaxOperations int
	// MaxWork bounds how many elements are looked at, 0 means [DefaultMaxWork]. More is refused with 400 tooMany.
	MaxWork int
	// MaxGrowth bounds how many bytes of JSON are written, 0 means [DefaultMaxGrowth]. A value written to each of many elements
	// counts as often. More is refused with status 413, before it is written.
	MaxGrowth int
}

func (o Options) withDefaults() Options {
	if o.MaxOperations <= 0 {
		o.MaxOperations = DefaultMaxOperations
	}
	if o.MaxWork <= 0 {
		o.MaxWork = DefaultMaxWork
	}
	if o.MaxGrowth <= 0 {
		o.MaxGrowth = DefaultMaxGrowth
	}
	return o
}

// refuse returns the error of an operation on the attribute named.
func refuse(typ scim.ErrorType, attribute, format string, args ...any) *scim.Error {
	err := scim.NewError(http.StatusBadRequest, typ, fmt.Sprintf(format, args...))
	err.Attribute = attribute
	return err
}
