package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/scimbridge/scim"
)

// request is one call on the service, however many attempts it takes.
type request struct {
	method string
	// path is below the base URL, escaped, and begins with a slash.
	path  string
	query string
	body  []byte

	ifMatch, ifNoneMatch string
	// once is set when sending the request a second time could have a second effect.
	once bool
	// decode reads the body of a success. The bytes are not its own after it returns.
	decode func(status int, header http.Header, body []byte) error
}

const accept = scim.ContentType + ", application/json;q=0.9"

// do sends a request until it succeeds, is refused, or may not be tried again. The error is a *scim.Error.
func (c *Client) do(ctx context.Context, r *request) error {
	err := c.try(ctx, r)
	if err != nil {
		c.stats.failures.Add(1)
		return err
	}
	return nil
}

func (c *Client) try(ctx context.Context, r *request) *scim.Error {
	waits := backoff{Retry: c.retry, random: c.random}
	maybeDone, renewed := false, false
	for attempt := 1; ; attempt++ {
		result, failure := c.attempt(ctx, r)
		if failure == nil {
			return nil
		}
		failure.Attempts = attempt
		if result == unsent {
			failure.Attempts--
			return failure
		}
		if r.method == http.MethodDelete && failure.Status == http.StatusNotFound && maybeDone {
			return nil // an earlier attempt has deleted it
		}
		maybeDone = maybeDone || result == unknown
		if result == unknown && r.once {
			failure.Err = &unknownOutcome{failure.Err}
			return failure
		}
		if failure.Status == http.StatusUnauthorized && !renewed && attempt < c.retry.Attempts && c.renew() {
			renewed = true
			c.stats.retries.Add(1)
			continue
		}
		wait, again := waits.next(failure.RetryAfter)
		if result == refused || !again || failure.Status == http.StatusInternalServerError && attempt > 1 {
			return failure
		}
		if err := c.pause(ctx, r, failure, wait); err != nil {
			return failure
		}
	}
}

// pause waits between two attempts. When the context ends the wait, the failure gets it as its cause.
func (c *Client) pause(ctx context.Context, r *request, failure *scim.Error, wait time.Duration) error {
	c.log.LogAttrs(ctx, slog.LevelWarn, "scim request failed, will be tried again",
		slog.String("method", r.method), slog.String("path", r.path),
		slog.Int("status", failure.Status), slog.Int("attempt", failure.Attempts), slog.Duration("wait", wait))
	c.stats.retries.Add(1)
	c.stats.backoff.Add(int64(wait))
	err := c.clock.Sleep(ctx, wait)
	if err != nil {
		failure.Err = err
		failure.Detail = fmt.Sprintf("gave up while waiting for another attempt: %v: %s", err, failure.Detail)
	}
	return err
}

// attempt sends a request once, and again to where the service redirects it.
func (c *Client) attempt(ctx context.Context, r *request) (outcome, *scim.Error) {
	to := c.url(r.path, r.query)
	for hop := 0; ; hop++ {
		result, failure, next := c.send(ctx, r, to)
		if next == "" || hop == maxRedirects {
			return result, failure
		}
		to = next
	}
}

// send sends a request to a URL, when the rate limit allows it. Next is where the answer redirects to, empty when it does not or leads away.
func (c *Client) send(ctx context.Context, r *request, to string) (result outcome, failure *scim.Error, next string) {
	given, err := c.pacer.acquire(ctx, r.method)
	if err != nil {
		return unsent, notAdmitted(r, err), ""
	}
	c.stats.paced.Add(int64(given.waited))
	status, header, failure, result, next := c.exchange(ctx, r, to)
	var retryAfter time.Duration
	tooFast := false
	if failure != nil {
		retryAfter, status = failure.RetryAfter, failure.Status
		// Of an exhausted quota there is no pace to be learnt.
		tooFast = status == http.StatusTooManyRequests && !errors.Is(failure, ErrQuotaExhausted)
	}
	c.pacer.done(given, status, header, retryAfter, tooFast)
	if tooFast {
		c.stats.rateLimited.Add(1)
	}
	return result, failure, next
}

// notAdmitted is the error of a request that the rate limit did not let through.
func notAdmitted(r *request, err error) *scim.Error {
	e := &scim.Error{Method: r.method, Path: r.path, Err: err, Detail: fmt.Sprintf("gave up while waiting for the rate limit: %v", err)}
	if blocked, ok := errors.AsType[*blockedError](err); ok {
		e.Status, e.RetryAfter, e.Err = http.StatusTooManyRequests, blocked.wait, ErrNotSent
		e.Detail = "not sent: " + blocked.Error()
	}
	return e
}

// exchange is one request and its answer.
func (c *Client) exchange(ctx context.Context, r *request, to string) (int, http.Header, *scim.Error, outcome, string) {
	begin := time.Now()
	limited, cancel := context.WithTimeoutCause(ctx, c.timeout, errTimeout)
	defer cancel()
	req, err := c.newRequest(limited, r, to)
	if err != nil {
		return 0, nil, &scim.Error{Method: r.method, Path: r.path, Err: err}, refused, ""
	}
	c.count(r)
	resp, err := c.http.Do(req)
	if err != nil {
		failure, result := c.networkError(ctx, limited, r, err)
		c.logAttempt(ctx, r, 0, begin)
		return 0, nil, failure, result, ""
	}
	defer resp.Body.Close()
	failure, result := c.answer(ctx, limited, r, resp)
	c.logAttempt(ctx, r, resp.StatusCode, begin)
	return resp.StatusCode, resp.Header, failure, result, c.redirection(r, resp)
}

// location returns where an answer redirects to. A hook may have made the answer, without the request that it is to.
func (c *Client) location(resp *http.Response) (*url.URL, error) {
	text := resp.Header.Get("Location")
	if text == "" {
		return nil, http.ErrNoLocation
	}
	if resp.Request != nil && resp.Request.URL != nil {
		return resp.Request.URL.Parse(text)
	}
	return c.base.Parse(text)
}

// redirection returns the URL that an answer redirects to, when it is of the service itself and the method stays.
func (c *Client) redirection(r *request, resp *http.Response) string {
	switch resp.StatusCode {
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
		if r.method != http.MethodGet {
			return "" // by custom these make a GET of it
		}
	default:
		return ""
	}
	to, err := c.location(resp)
	if err != nil || originOf(to) != originOf(c.base) {
		return ""
	}
	to.User = nil // that is no credential of the caller's
	return to.String()
}

func (c *Client) count(r *request) {
	if r.method == http.MethodGet {
		c.stats.reads.Add(1)
	} else {
		c.stats.writes.Add(1)
	}
	c.stats.sent.Add(int64(len(r.body)))
}

func (c *Client) logAttempt(ctx context.Context, r *request, status int, begin time.Time) {
	if !c.log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	c.log.LogAttrs(ctx, slog.LevelDebug, "scim request", slog.String("method", r.method), slog.String("path", r.path),
		slog.Int("status", status), slog.Duration("took", time.Since(begin)))
}

func (c *Client) newRequest(ctx context.Context, r *request, to string) (*http.Request, error) {
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, to, body)
	if err != nil {
		return nil, errors.New("the request cannot be made: its URL is malformed")
	}
	req.Header["Accept"] = []string{accept}
	req.Header["User-Agent"] = []string{c.userAgent}
	if r.body != nil {
		req.Header["Content-Type"] = []string{c.mediaType()}
	}
	if r.ifMatch != "" {
		req.Header["If-Match"] = []string{r.ifMatch}
	}
	if r.ifNoneMatch != "" {
		req.Header["If-None-Match"] = []string{r.ifNoneMatch}
	}
	return req, nil
}

// buffers are reused for bodies: what is decoded from them is copied.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// largestPooled is the size above which a buffer is left to the garbage collector.
const largestPooled = 1 << 20

// answer reads a response and decides what it means.
func (c *Client) answer(ctx, limited context.Context, r *request, resp *http.Response) (*scim.Error, outcome) {
	buf := buffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= largestPooled {
			buf.Reset()
			buffers.Put(buf)
		}
	}()
	success := resp.StatusCode >= 200 && resp.StatusCode < 300
	limit := c.maxResponse
	if !success {
		limit = min(limit, maxErrorBody)
	}
	n, err := buf.ReadFrom(io.LimitReader(resp.Body, limit+1))
	c.stats.received.Add(n)
	if !success {
		return c.refusal(r, resp, buf.Bytes()), judgeAnswer(resp, c.profile, buf.Bytes())
	}
	if err != nil {
		return c.networkError(ctx, limited, r, err)
	}
	if n > limit {
		return c.unreadable(r, resp, fmt.Errorf("the answer is longer than %d bytes", limit)), refusedUnlessOnce(r)
	}
	if r.decode == nil {
		if isPage(resp, buf.Bytes()) {
			return c.unreadable(r, resp, errPage), refused // what stands in the way of a service has not done what was asked
		}
		return nil, refused
	}
	if err := r.decode(resp.StatusCode, resp.Header, buf.Bytes()); err != nil {
		return c.unreadable(r, resp, notJSON(resp, buf.Bytes(), err)), refusedUnlessOnce(r)
	}
	return nil, refused
}

// refusedUnlessOnce is what an unreadable success means: it cannot be read the next time either, but what was done is unknown.
func refusedUnlessOnce(r *request) outcome {
	if r.once {
		return unknown
	}
	return refused
}

// networkError says why there was no answer, or only a part of one. It never holds the URL, whose query has people's names.
func (c *Client) networkError(ctx, limited context.Context, r *request, err error) (*scim.Error, outcome) {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	failure := &scim.Error{Method: r.method, Path: r.path}
	result := judgeError(err)
	switch {
	case ctx.Err() != nil:
		err, result = context.Cause(ctx), refused
		if r.once {
			result = unknown
		}
	case limited.Err() != nil:
		err = fmt.Errorf("no answer within %v: %w", c.timeout, errTimeout)
	}
	if text := err.Error(); c.redact(text) != text {
		err = errors.New(c.redact(text))
	}
	// net/http quotes what it cannot read, such as a Location of any length.
	failure.Err, failure.Detail = err, "the service was not reached: "+tidy(err.Error())
	if result == unknown {
		failure.Detail = "the connection failed before the answer was complete: " + tidy(err.Error())
	}
	return failure, result
}
