package provision_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/provision"
)

// pager remembers what it was told, and can be out of order.
type pager struct {
	told  []provision.Notification
	fails error
	tries int
}

func (p *pager) Notify(_ context.Context, n provision.Notification) error {
	p.tries++
	if p.fails != nil {
		return p.fails
	}
	p.told = append(p.told, n)
	return nil
}

func (p *pager) kinds() []string {
	var list []string
	for _, n := range p.told {
		list = append(list, strings.TrimSuffix(fmt.Sprintf("%s %s", n.Kind, n.Reason), " "))
	}
	return list
}

func TestNotifiesOncePerCauseAndOfItsEnd(t *testing.T) {
	w := newWorld(t)
	w.config.Policy.Deletions = provision.DeletionLimit{Count: 2}
	p := &pager{}
	w.config.Notify = p
	for i := range 8 {
		w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i))
	}
	w.cycle()
	for i := range 4 {
		delete(w.source.objects["User"], fmt.Sprint(i))
	}
	w.cycle() // each cycle is a new Job over the same state, as after a restart
	w.cycle()
	w.source.fail = errors.New("the file is locked")
	w.failing()
	w.failing()
	w.source.fail = nil
	if err := w.job().Restart(t.Context(), provision.ForceDeletes); err != nil {
		t.Fatal(err)
	}
	w.cycle()
	w.cycle()
	w.app.fault = func(string) (error, bool) { return scim.NewError(401, "", "no"), false }
	w.source.user("9", "u9@example.com")
	w.failing()
	want := []string{
		"quarantine TooManyDeletes", "quarantine IngestionInterrupted", "recovered IngestionInterrupted", "quarantine EncounteredQuarantineException",
	}
	if diff := cmp.Diff(want, p.kinds()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	for i, n := range p.told {
		if n.ID == "" || n.Job != "job" || n.Message == "" || n.Remedy == "" || n.CycleID == "" || n.Time.IsZero() {
			t.Errorf("notification %d is incomplete: %+v", i, n)
		}
	}
	if !strings.Contains(p.told[0].Message, "4 deletions") || !strings.Contains(p.told[0].Remedy, "ForceDeletes") {
		t.Errorf("told %+v", p.told[0])
	}
}

func TestNotificationsThatFailAreTriedAgain(t *testing.T) {
	t.Run("in the next cycle, by another process", func(t *testing.T) {
		w := newWorld(t)
		p := &pager{fails: errors.New("no route to host")}
		w.config.Notify = p
		var logged bytes.Buffer
		w.config.Logger = slog.New(slog.NewTextHandler(&logged, nil))
		w.source.fail = errors.New("the file is locked")
		err := w.failing()
		if fault := (*provision.SourceFault)(nil); !errors.As(err, &fault) {
			t.Errorf("err = %v, want that of the source", err)
		}
		if !strings.Contains(logged.String(), "no route to host") {
			t.Errorf("the log does not say why: %s", logged.String())
		}
		if st, err := w.job().Status(t.Context()); err != nil || st.Undelivered != 1 {
			t.Errorf("status = %+v, %v", st, err)
		}
		p.fails, w.source.fail = nil, nil
		w.cycle()
		if diff := cmp.Diff([]string{"quarantine IngestionInterrupted", "recovered IngestionInterrupted"}, p.kinds()); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
		w.cycle()
		if len(p.told) != 2 {
			t.Errorf("told again: %q", p.kinds())
		}
	})
	t.Run("between cycles, more and more rarely", func(t *testing.T) {
		w := newWorld(t)
		w.source.fail = errors.New("the file is locked")
		ctx, end := context.WithCancel(t.Context())
		defer end()
		var at []time.Duration
		start := w.clock.Now()
		w.config.Notify = provision.NotifierFunc(func(context.Context, provision.Notification) error {
			if at = append(at, w.clock.Now().Sub(start)); len(at) == 5 {
				end()
			}
			return errors.New("no route to host")
		})
		if err := w.job().Run(ctx); err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{0, time.Minute, 3 * time.Minute, 7 * time.Minute, 15 * time.Minute}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Errorf("tried after (-want +got):\n%s", diff)
		}
	})
	t.Run("until they are a week old", func(t *testing.T) {
		w := newWorld(t)
		p := &pager{fails: errors.New("no route to host")}
		w.config.Notify = p
		w.source.fail = errors.New("the file is locked")
		w.failing()
		w.source.fail = nil
		for range 9 {
			w.clock.advance(24 * time.Hour)
			w.cycle()
		}
		if st, err := w.job().Status(t.Context()); err != nil || st.Undelivered != 0 {
			t.Errorf("status = %+v, %v", st, err)
		}
	})
}

// A plan changes nothing, so it tells nobody.
func TestPlansNotifyNobody(t *testing.T) {
	w := newWorld(t)
	p := &pager{}
	w.config.Notify = p
	w.source.fail = errors.New("the file is locked")
	if _, err := w.job().Plan(t.Context()); err == nil {
		t.Fatal("planned from a source that cannot be read")
	}
	if p.tries != 0 {
		t.Errorf("told %d times", p.tries)
	}
}

func TestNotifiesOfObjectsGivenUpAndOfTheEnd(t *testing.T) {
	w := newWorld(t)
	p := &pager{}
	w.config.Notify = p
	w.app.reserved["ada@example.com"] = true
	w.source.user("1", "ada@example.com")
	for range 40 {
		w.clock.advance(24 * time.Hour)
		w.cycle()
	}
	w.source.fail = errors.New("the file is locked")
	for range 31 {
		w.clock.advance(24 * time.Hour)
		w.failing()
	}
	if diff := cmp.Diff([]string{"givenUp", "quarantine IngestionInterrupted", "disabled IngestionInterrupted"}, p.kinds()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}
