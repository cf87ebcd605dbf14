package notify_test

import (
	"strings"
	"testing"

	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/notify"
)

// Every notification that a job sends has a subject that says what it is about.
func TestSubjectsSayWhatHappened(t *testing.T) {
	seen := map[string]bool{}
	for _, n := range []provision.Notification{
		{Kind: provision.NotifyQuarantine, Reason: provision.TooManyDeletes},
		{Kind: provision.NotifyQuarantine, Reason: provision.IngestionInterrupted},
		{Kind: provision.NotifyQuarantine, Reason: provision.EncounteredQuarantineException},
		{Kind: provision.NotifyQuarantine, Reason: provision.EncounteredBaseEscrowThreshold},
		{Kind: provision.NotifyDisabled},
		{Kind: provision.NotifyRecovered},
		{Kind: provision.NotifyGivenUp},
		{Kind: provision.NotifyAltered},
	} {
		n.Job = "postman"
		subject := notify.Subject(n)
		if text := strings.TrimPrefix(subject, "[postman] "); len(strings.Fields(text)) < 3 || seen[text] {
			t.Errorf("%s %s: subject %q", n.Kind, n.Reason, subject)
		}
		seen[strings.TrimPrefix(subject, "[postman] ")] = true
		if over := strings.Contains(notify.Text(n), "when it is over"); over != (n.Kind == provision.NotifyQuarantine) {
			t.Errorf("%s promises to tell when it is over: %v", n.Kind, over)
		}
	}
	for _, reason := range []provision.QuarantineReason{provision.EncounteredTotalEscrowThreshold, provision.EncounteredEscrowProportionThreshold} {
		if s := notify.Subject(provision.Notification{Job: "j", Kind: provision.NotifyQuarantine, Reason: reason}); s != "[j] too many objects fail" {
			t.Errorf("%s: %q", reason, s)
		}
	}
}
