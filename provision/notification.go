package provision

import (
	"context"
	"fmt"
	"time"
)

// Notification tells an administrator about something to look at, or that there is nothing to look at any more.
type Notification struct {
	// ID stays the same when the notification is tried again, so that a receiver can tell repetitions.
	ID   string           `json:"id"`
	Kind NotificationKind `json:"kind"`
	Job  string           `json:"job"`
	// Reason is why the job is in quarantine, or was.
	Reason QuarantineReason `json:"reason,omitzero"`
	// Message says what happened. It may quote the target or the source, but no credentials.
	Message string `json:"message"`
	// Remedy says what to do next.
	Remedy string `json:"recommendedAction"`
	// CycleID is the cycle in which it happened; the provisioning log has the details.
	CycleID string    `json:"cycleId,omitzero"`
	Time    time.Time `json:"time"`
}

// NotificationKind is what a [Notification] is about.
type NotificationKind string

// Kinds of notification.
const (
	// NotifyQuarantine: the job has entered quarantine, or is in it for another reason than before.
	NotifyQuarantine NotificationKind = "quarantine"
	// NotifyDisabled: the job was in quarantine for so long that it runs no more cycles.
	NotifyDisabled NotificationKind = "disabled"
	// NotifyRecovered: a cycle went well after a quarantine.
	NotifyRecovered NotificationKind = "recovered"
	// NotifyGivenUp: retries of some objects have ended.
	NotifyGivenUp NotificationKind = "givenUp"
	// NotifyAltered: attributes do not keep what is written to them: see [Altered].
	NotifyAltered NotificationKind = "altered"
)

// Notifier tells administrators. Package [github.com/scimbridge/scim/provision/notify] has one for e-mail and one for webhooks.
//
// An error does not stop the job. It is logged, and the notification is tried again, by the next process if need be, for a week. Notify
// must return when its context ends.
type Notifier interface {
	Notify(ctx context.Context, n Notification) error
}

// NotifierFunc is a function as a [Notifier].
type NotifierFunc func(ctx context.Context, n Notification) error

// Notify calls the function.
func (f NotifierFunc) Notify(ctx context.Context, n Notification) error { return f(ctx, n) }

// Undelivered is a notification that has not been delivered yet.
type Undelivered struct {
	Notification Notification `json:"notification"`
	Tries        int          `json:"tries,omitzero"`
	// Next is when it is tried again.
	Next time.Time `json:"next,omitzero"`
}

const (
	// notifyTimeout bounds one attempt to deliver a notification.
	notifyTimeout = 30 * time.Second
	// keepUndelivered is how long a notification is tried.
	keepUndelivered = 7 * 24 * time.Hour
	// maxUndelivered bounds the outbox; the oldest notification goes first.
	maxUndelivered = 50
)

// quarantineRemedies are what to do about a quarantine.
var quarantineRemedies = map[QuarantineReason]string{
	EncounteredBaseEscrowThreshold:       remedyFailures,
	EncounteredTotalEscrowThreshold:      remedyFailures,
	EncounteredEscrowProportionThreshold: remedyFailures,
	EncounteredQuarantineException: "Mend what the message says. The job tries again by itself, more and more rarely, at least once a day; " +
		"start it to try at once. Users and groups in the target stay as they are.",
	TooManyDeletes: "Look at the held deletions. If these people and groups are to leave, release them by a restart with ForceDeletes. " +
		"If not, correct the source or the scope: the deletions are then dropped in the next cycle. Everything else goes on meanwhile.",
	IngestionInterrupted: "Correct the source. Nothing was sent to the target, and nobody has lost access. " +
		"If the source is meant to be as it is now, restart with ForceDeletes.",
}

const remedyFailures = "Look at the failures in the provisioning log, the most frequent code first: many failures at once mostly have one cause, " +
	"such as a mapping or a right that is missing. What is mended is tried again by itself; restart with Escrows to have it at once."

// tell puts a notification into the outbox. It is recorded together with what it is about, and delivered after that.
func (c *cycle) tell(kind NotificationKind, reason QuarantineReason, message, remedy string) {
	j := c.job
	if j.config.Notify == nil || c.plan != nil {
		return
	}
	c.js.Outbox = append(c.js.Outbox, Undelivered{Notification: Notification{
		ID: j.config.NewID(), Kind: kind, Job: j.config.Name, Reason: reason, Message: message, Remedy: remedy,
		CycleID: c.sum.CycleID, Time: j.now(),
	}})
	if n := len(c.js.Outbox); n > maxUndelivered {
		c.js.Outbox = c.js.Outbox[n-maxUndelivered:]
	}
}

// tellQuarantine says that the job is in quarantine for another reason than before.
func (c *cycle) tellQuarantine(reason QuarantineReason, message string) {
	c.js.Told = reason
	c.tell(NotifyQuarantine, reason, message, quarantineRemedies[reason])
}

// tellDisabled says that the job runs no more.
func (c *cycle) tellDisabled(q *Quarantine) {
	days := int(c.began.Sub(q.SeriesBegan).Hours() / 24)
	c.tell(NotifyDisabled, q.Reason, fmt.Sprintf("the job was in quarantine for %d days and runs no more cycles: %s", days, q.Message),
		"Mend the cause, and then start the job.")
}

// tellRecovered says that a quarantine is over, to those who heard of it.
func (c *cycle) tellRecovered() {
	if c.js.Told == "" {
		return
	}
	c.tell(NotifyRecovered, c.js.Told, "a cycle went well; the job keeps its schedule again", "Nothing.")
	c.js.Told = ""
}

// tellGivenUp says that some objects are not tried again.
func (c *cycle) tellGivenUp() {
	if c.gaveUp == 0 {
		return
	}
	c.tell(NotifyGivenUp, "", fmt.Sprintf("%d objects failed for so long that they are not tried again", c.gaveUp),
		"Look at them in the provisioning log. What changes in the source is tried again; restart with Escrows to have all tried again.")
}

// deliver sends the notifications that are due, and keeps those that could not be sent.
func (j *Job) deliver(ctx context.Context, js *JobState) error {
	if j.config.Notify == nil || len(js.Outbox) == 0 {
		return nil
	}
	now := j.now()
	round, cancel := context.WithTimeout(ctx, 2*notifyTimeout)
	defer cancel()
	left := make([]Undelivered, 0, len(js.Outbox))
	for _, u := range js.Outbox {
		if round.Err() != nil || u.Next.After(now) {
			left = append(left, u)
			continue
		}
		err := j.notify(round, u.Notification)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			left = append(left, u)
		case now.Sub(u.Notification.Time) > keepUndelivered:
			j.config.Logger.Error("notification dropped", "job", j.config.Name, "kind", u.Notification.Kind, "tries", u.Tries+1, "error", err)
		default:
			u.Tries++
			u.Next = now.Add(min(time.Minute<<min(u.Tries-1, 6), time.Hour))
			left = append(left, u)
			j.config.Logger.Warn("notification not delivered", "job", j.config.Name, "kind", u.Notification.Kind, "next", u.Next, "error", err)
		}
	}
	js.Outbox = left
	return j.config.State.Commit(context.WithoutCancel(ctx), j.config.Name, &Commit{Job: js})
}

func (j *Job) notify(ctx context.Context, n Notification) error {
	ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()
	return j.config.Notify.Notify(ctx, n)
}

// untilDelivery returns how long it is until a notification is to be tried again.
func (j *Job) untilDelivery(js *JobState) (time.Duration, bool) {
	if j.config.Notify == nil || len(js.Outbox) == 0 {
		return 0, false
	}
	next := js.Outbox[0].Next
	for _, u := range js.Outbox[1:] {
		if u.Next.Before(next) {
			next = u.Next
		}
	}
	return max(next.Sub(j.now()), 0), true
}
