package notify_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/notify"
)

const hookSecret = "0123456789abcdef0123456789abcdef"

var hookTime = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

func TestWebhookIsSignedJSON(t *testing.T) {
	var header http.Header
	var body []byte
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer s.Close()
	hook := notify.Webhook{URL: s.URL + "/hook", Secret: hookSecret, Transport: s.Client().Transport, Now: func() time.Time { return hookTime }}
	if err := hook.Notify(t.Context(), held()); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"id": "7c0e", "kind": "quarantine", "job": "postman", "reason": "TooManyDeletes",
		"message":           "12 deletions or deactivations are held; release them, or mend the source or the scope",
		"recommendedAction": "Look at the held deletions.", "cycleId": "c-1", "time": "2026-01-05T09:00:00Z",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	// Computed here by the specification, and not by the package.
	mac := hmac.New(sha256.New, []byte(hookSecret))
	fmt.Fprintf(mac, "7c0e.%d.%s", hookTime.Unix(), body)
	if got, want := header.Get("Webhook-Signature"), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)); got != want {
		t.Errorf("signature = %s, want %s", got, want)
	}
	for name, test := range map[string]struct {
		now    time.Time
		body   []byte
		secret string
		good   bool
	}{
		"as received":     {hookTime, body, hookSecret, true},
		"a minute later":  {hookTime.Add(time.Minute), body, hookSecret, true},
		"an hour later":   {hookTime.Add(time.Hour), body, hookSecret, false},
		"an hour before":  {hookTime.Add(-time.Hour), body, hookSecret, false},
		"another body":    {hookTime, bytes.ToUpper(body), hookSecret, false},
		"another secret":  {hookTime, body, hookSecret + "x", false},
		"a secret as tag": {hookTime, body, "whsec_" + base64.StdEncoding.EncodeToString([]byte(hookSecret)), true},
	} {
		err := notify.Verify(header, test.body, test.secret, test.now)
		if (err == nil) != test.good || err != nil && !errors.Is(err, notify.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := notify.Verify(http.Header{}, body, hookSecret, hookTime); !errors.Is(err, notify.ErrSignature) {
		t.Errorf("without signature: %v", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader("no"))}
}

func TestWebhookTriesAgainWithinBounds(t *testing.T) {
	for name, test := range map[string]struct {
		answers []*http.Response
		tries   int
		took    time.Duration
		good    bool
	}{
		"an overload that passes":    {[]*http.Response{answer(503), answer(500), answer(200)}, 3, 3 * time.Second, true},
		"an overload that stays":     {[]*http.Response{answer(503), answer(503), answer(503), answer(200)}, 3, 3 * time.Second, false},
		"no answer":                  {[]*http.Response{nil, answer(202)}, 2, time.Second, true},
		"a receiver that says when":  {[]*http.Response{answer(429, "Retry-After", "7"), answer(200)}, 2, 7 * time.Second, true},
		"a receiver that says never": {[]*http.Response{answer(429, "Retry-After", "999999999"), answer(200)}, 2, 10 * time.Second, true},
		"a refusal":                  {[]*http.Response{answer(403), answer(200)}, 1, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin, tries := time.Now(), 0
				hook := notify.Webhook{URL: "https://hooks.example.com/T0K3N", Secret: hookSecret}
				hook.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
					a := test.answers[tries]
					if tries++; a == nil {
						return nil, errors.New("connection refused")
					}
					return a, nil
				})
				err := hook.Notify(t.Context(), held())
				if (err == nil) != test.good || tries != test.tries || time.Since(begin) != test.took {
					t.Errorf("err = %v, %d tries in %s", err, tries, time.Since(begin))
				}
				if err != nil && strings.Contains(err.Error(), "T0K3N") {
					t.Errorf("the address is in the error: %v", err)
				}
			})
		})
	}
	t.Run("a receiver that hangs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			hook := notify.Webhook{URL: "https://hooks.example.com/T0K3N", Secret: hookSecret, Tries: 2}
			hook.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			})
			err := hook.Notify(t.Context(), held())
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 21*time.Second || strings.Contains(err.Error(), "T0K3N") {
				t.Errorf("err = %v after %s", err, time.Since(begin))
			}
		})
	})
}

func TestWebhookDoesNotFollowRedirects(t *testing.T) {
	var stolen atomic.Int64
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	defer thief.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := httptest.NewServer(http.RedirectHandler(thief.URL, status))
		err := notify.Webhook{URL: s.URL, Secret: hookSecret}.Notify(t.Context(), held())
		s.Close()
		if err == nil || !strings.Contains(err.Error(), "redirects are not followed") {
			t.Errorf("%d: err = %v", status, err)
		}
	}
	if stolen.Load() != 0 {
		t.Errorf("%d requests were sent on", stolen.Load())
	}
}

func TestWebhookSettingsAreChecked(t *testing.T) {
	for name, hook := range map[string]notify.Webhook{
		"no address":          {Secret: hookSecret},
		"no TLS":              {URL: "http://hooks.example.com/T0K3N", Secret: hookSecret},
		"no web address":      {URL: "ftp://hooks.example.com/T0K3N", Secret: hookSecret},
		"no secret":           {URL: "https://hooks.example.com/T0K3N"},
		"a short secret":      {URL: "https://hooks.example.com/T0K3N", Secret: "short"},
		"a secret not base64": {URL: "https://hooks.example.com/T0K3N", Secret: "whsec_!!!"},
	} {
		err := hook.Notify(t.Context(), held())
		if err == nil || strings.Contains(err.Error(), "T0K3N") {
			t.Errorf("%s: err = %v", name, err)
		}
	}
	hook := notify.Webhook{URL: "https://hooks.example.com/T0K3N", Secret: hookSecret}
	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "hook", hook, "settings", struct{ H notify.Webhook }{hook})
	if shown := fmt.Sprintf("%v %+v %#v %v %s", hook, hook, hook, struct{ H notify.Webhook }{hook}, b.String()); strings.Contains(shown, hookSecret) || strings.Contains(shown, "T0K3N") {
		t.Errorf("shown: %s", shown)
	}
}

func TestAllTellsTheOthersWhenOneFails(t *testing.T) {
	var first, second int
	broken := errors.New("broken")
	both := notify.All(
		provision.NotifierFunc(func(context.Context, provision.Notification) error { first++; return nil }),
		provision.NotifierFunc(func(context.Context, provision.Notification) error { second++; return broken }),
	)
	if err := both.Notify(t.Context(), held()); !errors.Is(err, broken) {
		t.Errorf("err = %v", err)
	}
	broken = nil
	if err := both.Notify(t.Context(), held()); err != nil || first != 1 || second != 2 {
		t.Errorf("err = %v, told %d and %d times", err, first, second)
	}
	other := held()
	other.ID = "other"
	if err := both.Notify(t.Context(), other); err != nil || first != 2 || second != 3 {
		t.Errorf("err = %v, told %d and %d times", err, first, second)
	}
}
