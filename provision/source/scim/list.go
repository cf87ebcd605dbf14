package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	core "github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/provision/source/internal/resource"
)

// ErrIncomplete says that a list could not be read in full, though no request failed: there were fewer resources than the service said, or the
// list moved while it was read. Nobody may be taken for gone then.
var ErrIncomplete = errors.New("the list is incomplete")

// Passes is how often a list is read before it is given up as incomplete.
const Passes = 3

// maxIdle is how many pages in a row may bring nothing new.
const maxIdle = 100

// list is one list on its way to its end.
type list struct {
	resources *client.Resources[core.Document]
	query     client.Query
	// cursor says that the list is read by cursor.
	cursor bool
	// counted says that totals can be trusted, tolerance how many resources fewer are taken for deletions during the read.
	counted   bool
	tolerance int

	seen resource.Seen
	pass uint8
	// most is the largest total of this pass, came how many resources did, idle how many pages brought none.
	most, came, idle int
	yield            func(core.Document) bool
}

// errStopped ends a read that the caller has given up.
var errStopped = errors.New("stopped")

// read yields each resource once.
func (l *list) read(ctx context.Context, yield func(core.Document) bool) error {
	l.yield = yield
	var err error
	for range Passes {
		l.pass++
		l.most, l.came, l.idle = 0, 0, 0
		if l.cursor {
			err = l.readByCursor(ctx)
		} else {
			err = l.readByIndex(ctx)
		}
		if err == nil {
			err = l.check()
		}
		if !errors.Is(err, ErrIncomplete) {
			break
		}
	}
	if errors.Is(err, errStopped) {
		return nil
	}
	return err
}

// check compares what came with what the service said there is.
func (l *list) check() error {
	if missing := l.most - l.came; l.counted && missing > l.tolerance {
		return fmt.Errorf("%w: the service says that there are %d resources, and gave %d", ErrIncomplete, l.most, l.came)
	}
	return nil
}

func (l *list) page(ctx context.Context, q client.Query) ([]core.Document, string, error) {
	page, err := l.resources.Page(ctx, q)
	if err != nil {
		return nil, "", err
	}
	l.most = max(l.most, page.TotalResults)
	for _, doc := range page.Resources {
		if doc.ID() == "" {
			return nil, "", errors.New("the list has a resource without id")
		}
	}
	return page.Resources, page.NextCursor, nil
}

// take yields what is new among resources that follow on those read before.
func (l *list) take(docs []core.Document) error {
	before := l.came
	for _, doc := range docs {
		mark := l.seen.Mark(doc.ID(), l.pass)
		if mark != l.pass {
			l.came++
		}
		if mark == 0 && !l.yield(doc) {
			return errStopped
		}
	}
	if l.came > before {
		l.idle = 0
		return nil
	}
	return l.idled()
}

// idled counts a page that brought nothing new, so that no list is read for ever.
func (l *list) idled() error {
	if l.idle++; l.idle > maxIdle {
		return fmt.Errorf("%w: %d pages in a row brought nothing new", ErrIncomplete, l.idle)
	}
	return nil
}

func (l *list) readByCursor(ctx context.Context) error {
	q := l.query
	q.Cursor = new(string)
	for {
		docs, next, err := l.page(ctx, q)
		if err != nil {
			return err
		}
		if err := l.take(docs); err != nil || next == "" {
			return err
		}
		if next == *q.Cursor {
			return fmt.Errorf("%w: the next cursor is the one just used", ErrIncomplete)
		}
		q.Cursor = &next
	}
}

// readByIndex reads pages that overlap by one resource. When that one is not where it was, something in front of it was added or
// removed, and the place is looked for.
func (l *list) readByIndex(ctx context.Context) error {
	docs, _, err := l.page(ctx, l.query)
	if err != nil || len(docs) == 0 {
		return err
	}
	p := newPlace(docs)
	if err := l.take(docs); err != nil {
		return err
	}
	for {
		q := l.query
		q.StartIndex = p.next()
		docs, _, err := l.page(ctx, q)
		if err != nil && p.apart() && l.behindTheEnd(err) {
			return nil
		}
		if err != nil {
			return err
		}
		fresh, end, err := p.turn(docs, q.StartIndex)
		switch {
		case err != nil:
			return err
		case end && len(docs) > 1 && !l.counted:
			return fmt.Errorf("%w: the service gave the same page again when asked for the next one: it does not page", ErrIncomplete)
		case end:
			return nil
		}
		if err := l.take(fresh); err != nil {
			return err
		}
	}
}

// behindTheEnd reports whether an error only says that there is nothing behind the last resource, of which there were enough.
func (l *list) behindTheEnd(err error) bool {
	e, ok := errors.AsType[*core.Error](err)
	return ok && (e.Status == http.StatusBadRequest || e.Status == http.StatusNotFound) && l.counted && l.came >= l.most
}
