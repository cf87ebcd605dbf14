package notify

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/hashicorp/go-cleanhttp"

	"github.com/scimbridge/scim/provision"
)

// Webhook sends notifications as JSON by HTTP POST. The body is a [provision.Notification]. Any status from 200 to 299 is success.
// It is safe for concurrent use.
//
// The request is signed as the Standard Webhooks specification says: the header webhook-signature has "v1," and the base64 text of the
// HMAC-SHA256 of webhook-id, webhook-timestamp and the body, joined by full stops. [Verify] checks it, and so do libraries for that
// specification in other languages.
type Webhook struct {
	// URL is where to. It must be https, unless it is on this machine.
	URL string `json:"-"`
	// Secret is the key of the signature, at least 16 bytes; with the prefix whsec_ the rest is base64 of the key. It is never
	// sent.
	Secret string `json:"-"`
	// Tries is how often a notification is sent at most when there is no answer, or one with status 408, 429 or 5xx: 3 when 0.
	Tries int
	// Pause is the time before the second try, and doubles for each further one: a second when 0. A Retry-After of the receiver is
	// followed instead when it is no longer than 10 seconds.
	Pause time.Duration
	// Timeout bounds one try: 10 seconds when 0.
	Timeout time.Duration
	// Transport sends the requests; nil is one of its own. It may be given for a proxy or a certificate authority of one's own.
	Transport http.RoundTripper `json:"-"`
	// Now is the time that is signed; nil is the machine's.
	Now func() time.Time `json:"-"`
}

var _ provision.Notifier = Webhook{}

// maxRetryAfter is the longest wait that a receiver can ask for.
const maxRetryAfter = 10 * time.Second

// Check reports what is wrong with the settings, without sending anything. [Webhook.Notify] returns the same error.
func (w Webhook) Check() error {
	u, err := url.Parse(w.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		// The address itself may be a secret.
		return errors.New("notify: webhook: the address is not one of http or https")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return fmt.Errorf("notify: webhook: %s is not on this machine, so https is needed", u.Hostname())
	}
	_, err = key(w.Secret)
	return err
}

// Notify sends the notification. The error names the host and the status; it holds neither the secret nor the path of the address.
func (w Webhook) Notify(ctx context.Context, n provision.Notification) error {
	if err := w.Check(); err != nil {
		return err
	}
	body, err := json.Marshal(&n, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("notify: webhook: %w", err)
	}
	transport := w.Transport
	if transport == nil {
		transport = cleanhttp.DefaultTransport()
	}
	c := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	pause := cmp.Or(w.Pause, time.Second)
	for left := cmp.Or(w.Tries, 3); ; left-- {
		wait, err := w.try(ctx, c, n.ID, body)
		if err == nil {
			return nil
		}
		if wait < 0 || left <= 1 {
			return err
		}
		if err := sleep(ctx, max(wait, pause)); err != nil {
			return err
		}
		pause *= 2
	}
}

// final as a wait means that there is nothing to wait for.
const final = time.Duration(-1)

// try sends the notification once. When that fails, it returns how long to wait at least before the next try, or final.
func (w Webhook) try(ctx context.Context, c *http.Client, id string, body []byte) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(w.Timeout, 10*time.Second))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return final, errors.New("notify: webhook: the address cannot be used")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "scimbridge")
	if err := sign(request.Header, w.Secret, idText(id), w.now(), body); err != nil {
		return final, err
	}
	response, err := c.Do(request)
	if err != nil {
		var e *url.Error
		if errors.As(err, &e) {
			// It has the whole address in it.
			err = e.Err
		}
		return 0, fmt.Errorf("notify: webhook to %s: %w", request.URL.Host, err)
	}
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
	_ = response.Body.Close()
	if response.StatusCode/100 == 2 {
		return 0, nil
	}
	err = fmt.Errorf("notify: webhook to %s: the answer is %d", request.URL.Host, response.StatusCode)
	switch s := response.StatusCode; {
	case s/100 == 3:
		return final, fmt.Errorf("%w, and redirects are not followed", err)
	case s == http.StatusRequestTimeout, s == http.StatusTooManyRequests, s/100 == 5:
		return retryAfter(response.Header), err
	}
	return final, err
}

func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(min(seconds, 3600))*time.Second, maxRetryAfter)
}

func (w Webhook) now() time.Time {
	if w.Now == nil {
		return time.Now()
	}
	return w.Now()
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// String names the receiver's host; the path may be a secret.
func (w Webhook) String() string {
	u, err := url.Parse(w.URL)
	if err != nil {
		return "webhook"
	}
	return "webhook to " + u.Host
}

// GoString is String.
func (w Webhook) GoString() string { return w.String() }

// LogValue is String.
func (w Webhook) LogValue() slog.Value { return slog.StringValue(w.String()) }
