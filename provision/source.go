package provision

import (
	"context"
	"errors"
	"iter"
)

// Entry is one object of a source: a person, a group.
type Entry struct {
	// ID identifies the object in the source for as long as it exists. It is never reused and never derived from a value
	// that people change, such as an e-mail address.
	ID string
	// Attributes are the object's values: string, bool, int64, float64, time.Time, nil, []any of those, map[string]any.
	// References to other objects, such as members of a group, are their ids in the source.
	Attributes map[string]any
	// Deleted says that the source knows this object to be gone for good. Attributes may then be empty.
	Deleted bool
}

// Source is where people and groups come from.
//
// A job calls one method at a time; an implementation need not be safe for concurrent use. The contract suite for
// implementers is package sourcetest.
type Source interface {
	// Entries yields every object of a type, each id once, in any order. It ends with the first error it yields: an entry
	// that cannot be read makes the whole read fail, because an object left out by mistake looks like one that left. A type
	// that the source does not have yields nothing.
	Entries(ctx context.Context, objectType string) iter.Seq2[Entry, error]
	// Lookup returns those of the objects with the ids that exist.
	Lookup(ctx context.Context, objectType string, ids []string) ([]Entry, error)
}

// ChangeSource is a [Source] that can tell what changed. Without it every cycle reads everything, and compares with what it
// knows.
type ChangeSource interface {
	Source
	// Watermark returns the source's present position. It is asked for before a read, so that what changes during the read is
	// seen again in the next one.
	Watermark(ctx context.Context) (string, error)
	// Changes yields the objects that were created, changed or deleted since a position, each in full and in its newest
	// state. It yields [ErrWatermarkExpired] when it cannot say; the job then reads everything.
	Changes(ctx context.Context, objectType, since string) iter.Seq2[Entry, error]
}

// CountSource is a [Source] that can say how many objects it has before reading them, so that progress has a total.
type CountSource interface {
	Source
	// Count returns how many objects of a type [Source.Entries] would yield, or -1 when that is not known.
	Count(ctx context.Context, objectType string) (int, error)
}

// ErrWatermarkExpired is yielded by a [ChangeSource] that cannot tell what changed since a position. It is not a failure: the
// job reads everything instead.
var ErrWatermarkExpired = errors.New("provision: the source cannot tell changes since this watermark")
