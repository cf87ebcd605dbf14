package notify_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/notify"
)

// FuzzVerify looks for a signature that is taken although it was made without the secret.
func FuzzVerify(f *testing.F) {
	f.Add("1", "1767603600", "v1,AAAA", []byte("{}"))
	f.Add("1", "-9223372036854775808", "v1, v1,", []byte(nil))
	f.Add("", "99999999999999999999", "v1a,x\tv1,y", []byte("\x00"))
	f.Fuzz(func(t *testing.T, id, timestamp, signature string, body []byte) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {signature}}
		if err := notify.Verify(h, body, hookSecret, hookTime); err == nil {
			t.Errorf("taken: %q %q %q", id, timestamp, signature)
		}
	})
}

// FuzzText looks for a notification that breaks out of its lines.
func FuzzText(f *testing.F) {
	f.Add("postman", "quarantine", "TooManyDeletes", "12 are held", "Look.", "c-1")
	f.Add("a\r\nBcc: b", "x\x00", "\u2028", "\xff\xfe", "\n\n", "\x85")
	f.Fuzz(func(t *testing.T, job, kind, reason, message, remedy, cycle string) {
		n := provision.Notification{
			Job: job, Kind: provision.NotificationKind(kind), Reason: provision.QuarantineReason(reason), Message: message, Remedy: remedy, CycleID: cycle,
			Time: time.Unix(0, 0),
		}
		if s := notify.Subject(n); strings.ContainsFunc(s, unicode.IsControl) {
			t.Errorf("subject %q", s)
		}
		if lines := strings.Count(notify.Text(n), "\n"); lines > 14 {
			t.Errorf("%d lines in\n%s", lines, notify.Text(n))
		}
	})
}
