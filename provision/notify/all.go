package notify

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/scimbridge/scim/provision"
)

// All returns a notifier that tells several. When some of them fail, the notification is tried again with those alone, for as long as
// the program runs; after a restart the others may hear of it twice, with the same id.
func All(notifiers ...provision.Notifier) provision.Notifier {
	return &all{notifiers: slices.Clone(notifiers)}
}

type all struct {
	notifiers []provision.Notifier

	mu   sync.Mutex
	part []partly
}

// partly is a notification that some have had, by their places.
type partly struct {
	id  string
	had map[int]bool
}

// maxPartly bounds how many notifications are remembered. A job keeps about as many.
const maxPartly = 64

func (a *all) Notify(ctx context.Context, n provision.Notification) error {
	a.mu.Lock()
	had := a.take(n.ID)
	a.mu.Unlock()
	var errs []error
	for i, notifier := range a.notifiers {
		if had[i] {
			continue
		}
		if err := notifier.Notify(ctx, n); err != nil {
			errs = append(errs, err)
			continue
		}
		had[i] = true
	}
	if len(errs) > 0 && n.ID != "" {
		a.mu.Lock()
		if a.part = append(a.part, partly{n.ID, had}); len(a.part) > maxPartly {
			a.part = a.part[1:]
		}
		a.mu.Unlock()
	}
	return errors.Join(errs...)
}

// take returns who has had a notification, and forgets it.
func (a *all) take(id string) map[int]bool {
	i := slices.IndexFunc(a.part, func(p partly) bool { return id != "" && p.id == id })
	if i < 0 {
		return map[int]bool{}
	}
	had := a.part[i].had
	a.part = slices.Delete(a.part, i, i+1)
	return had
}
