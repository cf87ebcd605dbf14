package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/scimbridge/scim"
)

// reply is what a request is answered with.
type reply struct {
	status int
	// body is JSON; nil for none.
	body     []byte
	location string
	// shown is where the resource is that body shows all of, and would show again.
	shown string
	etag  string
	// key is that of the resource the reply is about; bulk responses need it.
	key Key
}

// readBody returns the body of the request as a document.
func (c *call) readBody(limit int64) (scim.Document, error) {
	if err := checkContent(c.r); err != nil {
		return nil, err
	}
	c.readsBody = true
	// Not every ResponseWriter has deadlines. With those that have none, the timeout ends what comes after the body only.
	timed := false
	rc := http.NewResponseController(c.w)
	if timeout := c.s.opts.Limits.Timeout; timeout > 0 {
		timed = rc.SetReadDeadline(time.Now().Add(timeout)) == nil
	}
	if c.r.ContentLength > limit {
		c.passOver()
		return nil, tooLarge(limit)
	}
	data, err := readAll(c.s.buffer(), http.MaxBytesReader(c.w, c.r.Body, limit))
	if err != nil {
		// The deadline stays: net/http reads what is left of the body, and would wait for it.
		return nil, bodyError(err, limit)
	}
	if timed {
		_ = rc.SetReadDeadline(time.Time{})
	}
	doc, err := scim.DecodeDocument(data)
	c.s.putBuffer(data)
	return doc, err
}

// mostPassedOver is how much of a body that is too large is read all the same.
const mostPassedOver = 128 << 20

// passOver reads a body that is too large, and forgets it. Many clients look for the answer only when they have sent all, and would learn
// of a broken connection in place of the limit. One that waits to be told to send the body is not told.
func (c *call) passOver() {
	if c.r.ContentLength > mostPassedOver || c.r.Header.Get("Expect") != "" {
		return
	}
	_, _ = io.Copy(io.Discard, c.r.Body)
}

// readAll appends what r has to b. The length that the client gives is not trusted with memory.
func readAll(b []byte, r io.Reader) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func bodyError(err error, limit int64) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return scim.NewError(http.StatusRequestTimeout, "", "the body did not arrive in time")
	}
	return badRequest(scim.InvalidSyntax, "the body could not be read to its end")
}

func tooLarge(limit int64) error {
	return scim.NewError(http.StatusRequestEntityTooLarge, "", "the body is larger than "+strconv.FormatInt(limit, 10)+" bytes")
}

// checkContent refuses bodies that are not plain JSON.
func checkContent(r *http.Request) error {
	switch encoding := r.Header.Get("Content-Encoding"); strings.ToLower(encoding) {
	case "", "identity":
	default:
		return scim.NewError(http.StatusUnsupportedMediaType, "", "the body must not be compressed")
	}
	media, parameters, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case "", scim.ContentType, "application/json":
	default:
		return scim.NewError(http.StatusUnsupportedMediaType, "", "the body must be application/scim+json or application/json")
	}
	if name, value, ok := strings.Cut(strings.ToLower(parameters), "="); ok && strings.TrimSpace(name) == "charset" {
		if value = strings.Trim(strings.TrimSpace(value), `"`); value != "utf-8" && value != "utf8" {
			return scim.NewError(http.StatusUnsupportedMediaType, "", "the body must be UTF-8")
		}
	}
	return nil
}

// contentType returns the type of the response.
func (c *call) contentType() string {
	if c.s.opts.ContentType != "" {
		return c.s.opts.ContentType
	}
	if prefersPlainJSON(c.r.Header["Accept"]) {
		return "application/json"
	}
	return scim.ContentType
}

// prefersPlainJSON reports whether application/json suits a client better than application/scim+json (RFC 9110 section 12.5.1). Of two
// that suit it as well, it is the one that is named. A client that accepts neither gets the latter.
func prefersPlainJSON(accept []string) bool {
	var plain, own, wild float64
	named := false // application/scim+json is
	for _, list := range accept {
		for media := range strings.SplitSeq(list, ",") {
			media, parameters, _ := strings.Cut(media, ";")
			switch strings.ToLower(strings.TrimSpace(media)) {
			case "application/json":
				plain = quality(parameters)
			case scim.ContentType:
				own, named = quality(parameters), true
			case "application/*", "*/*":
				wild = max(wild, quality(parameters))
			}
		}
	}
	if !named {
		own = wild
	}
	return plain > own || plain == own && plain > 0 && !named
}

// quality returns the weight among the parameters of a media range, which is 1 when there is none.
func quality(parameters string) float64 {
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		if q, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil && q >= 0 && q <= 1 {
			return q
		}
	}
	return 1
}

// write sends a reply.
func (c *call) write(r reply) {
	// Names are in canonical form, and values share an array: setting them one by one costs as much as finding a resource.
	h := c.w.Header()
	values := make([]string, 0, 5)
	set := func(name, value string) {
		values = append(values, value)
		h[name] = values[len(values)-1 : len(values) : len(values)]
	}
	if r.location != "" {
		set("Location", r.location)
	}
	if r.shown != "" { // the same as meta.location (RFC 7643 section 3.1)
		set("Content-Location", r.shown)
	}
	if r.etag != "" && c.s.has(FeatureETag) {
		set("Etag", r.etag)
	}
	if r.body != nil {
		set("Content-Type", c.contentType())
		set("Content-Length", strconv.Itoa(len(r.body)))
	}
	c.status = r.status
	c.leaveBody()
	c.w.WriteHeader(r.status)
	if r.body != nil && c.r.Method != http.MethodHead {
		c.send(r.body)
	}
}

// leaveBody bounds how long the client may take to send a body that nobody has read: net/http reads it before it sends the answer.
func (c *call) leaveBody() {
	timeout := c.s.opts.Limits.Timeout
	if c.readsBody || c.r.ContentLength == 0 || timeout <= 0 {
		return
	}
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Now().Add(timeout)) // not every ResponseWriter has deadlines
}

// largeBody is more than what a connection takes at once, whether the client reads or not.
const largeBody = 16 << 10

// send writes the body of a response. A client that does not read it in time is cut off: it must not hold the response for ever.
func (c *call) send(body []byte) {
	timeout := c.s.opts.Limits.Timeout
	if len(body) <= largeBody || timeout <= 0 {
		_, _ = c.w.Write(body) // a client that has gone away is not an error of ours
		return
	}
	if s, ok := c.r.Context().Value(http.ServerContextKey).(*http.Server); ok && s.WriteTimeout > 0 {
		_, _ = c.w.Write(body) // the host has set a time of its own
		return
	}
	rc := http.NewResponseController(c.w)
	timed := rc.SetWriteDeadline(time.Now().Add(timeout)) == nil
	_, _ = c.w.Write(body)
	if timed {
		_ = rc.Flush() // while there is a deadline
		_ = rc.SetWriteDeadline(time.Time{})
	}
}

func (c *call) writeError(e *scim.Error) {
	wait := e.RetryAfter
	if wait <= 0 && e.Status == http.StatusServiceUnavailable {
		wait = retryAfter
	}
	if wait > 0 {
		seconds := int64((wait + time.Second - 1) / time.Second)
		c.w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	body, err := e.MarshalJSON()
	if err != nil { // only text that is not UTF-8
		body, _ = scim.NewError(e.Status, e.Type, http.StatusText(e.Status)).MarshalJSON()
	}
	c.write(reply{status: e.Status, body: body})
}

// retry calls try again while it fails because another request came between. One of those that compete always succeeds, so
// that the others get on, too.
func retry[T any](ctx context.Context, try func() (T, error)) (T, error) {
	const most = 100
	var zero T
	for range most {
		r, err := try()
		if !errors.Is(err, ErrVersion) {
			return r, err
		}
		if ctx.Err() != nil {
			return zero, ctx.Err()
		}
	}
	return zero, unavailable("too many requests change this resource at the same time")
}
