package client

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/profiles"
)

// Kinds of error that only a client meets, for [errors.Is]. The error itself is always a [*scim.Error].
var (
	// ErrNotSent is what a request is that was refused before it was sent: the service is known to refuse it, or it cannot be
	// expressed.
	ErrNotSent = errors.New("client: not sent")
	// ErrOutcomeUnknown is what a create or a bulk request is of which nobody knows whether it was done: the connection was lost, or the
	// answer could not be read, and looking the object up gave no certainty.
	ErrOutcomeUnknown = errors.New("client: outcome unknown")
	// ErrQuotaExhausted is a 429 that waiting does not end: what the customer's plan allows is used up. The profile says how the service
	// tells it from the 429 of a rate limit, see [profiles.Errors]. The request was not done and is not tried again.
	ErrQuotaExhausted = errors.New("client: quota exhausted")
	// ErrNotModified is the answer to a read with [IfNoneMatch] when the caller's version is the current one.
	ErrNotModified = errors.New("client: not modified")
	// ErrAmbiguous is what a look-up is that found several resources where one was expected.
	ErrAmbiguous = errors.New("client: several resources match")
)

var errTimeout = errors.New("time limit of one attempt passed")

// unknownOutcome marks the cause of an error after which it is unknown what was done.
type unknownOutcome struct{ cause error }

func (u *unknownOutcome) Error() string {
	if u.cause == nil {
		return ErrOutcomeUnknown.Error()
	}
	return u.cause.Error()
}

func (u *unknownOutcome) Unwrap() []error {
	if u.cause == nil {
		return []error{ErrOutcomeUnknown}
	}
	return []error{ErrOutcomeUnknown, u.cause}
}

// notSent returns the error for a request that is not worth sending.
func notSent(status int, typ scim.ErrorType, attribute, detail string, args ...any) *scim.Error {
	return &scim.Error{
		Status: status, Type: typ, Attribute: attribute, Detail: fmt.Sprintf(detail, args...), Err: ErrNotSent,
	}
}

// maxErrorBody is how much of the body of a refusal is read.
const maxErrorBody = 64 << 10

// maxDetail is how much of what a service says is kept in an error, in bytes.
const maxDetail = 1000

// refusal makes an error of an answer that is not a success, whatever it looks like.
func (c *Client) refusal(r *request, resp *http.Response, body []byte) *scim.Error {
	e := &scim.Error{Status: resp.StatusCode, Method: r.method, Path: r.path}
	if resp.StatusCode == http.StatusNotModified {
		e.Detail, e.Err = "not modified", ErrNotModified
		return e
	}
	if resp.StatusCode < 400 {
		e.Detail = c.tidy(c.redirectDetail(resp))
		return e
	}
	detail, typ := readRefusal(resp, body)
	e.Detail, e.Type = c.tidy(detail), scim.ErrorType(c.tidy(typ))
	if tooManyRequests(resp, c.profile, body) {
		e.Status = http.StatusTooManyRequests
	}
	e.RetryAfter = parseRetryAfter(resp.Header, c.clock.Now())
	switch {
	case quotaExhausted(resp, c.profile, body):
		e.Err = ErrQuotaExhausted
	case e.RetryAfter == 0 && e.Status == http.StatusTooManyRequests && c.profile != nil:
		e.RetryAfter = time.Duration(c.profile.Errors.RetryAfterSeconds) * time.Second
	}
	return e
}

// tooManyRequests reports whether an answer is a 429, or one that the service hides in a 500.
func tooManyRequests(resp *http.Response, p *profiles.Profile, body []byte) bool {
	if resp.StatusCode == http.StatusTooManyRequests {
		return true
	}
	hidden := ""
	if p != nil {
		hidden = p.Errors.HiddenTooManyRequests
	}
	return hidden != "" && resp.StatusCode == http.StatusInternalServerError && bytes.Contains(body, []byte(hidden))
}

// quotaExhausted reports whether an answer is a 429 that waiting does not end.
func quotaExhausted(resp *http.Response, p *profiles.Profile, body []byte) bool {
	return p != nil && p.Errors.ExhaustedQuota != "" && tooManyRequests(resp, p, body) && bytes.Contains(body, []byte(p.Errors.ExhaustedQuota))
}

func judgeAnswer(resp *http.Response, p *profiles.Profile, body []byte) outcome {
	switch {
	case quotaExhausted(resp, p, body):
		return refused
	case tooManyRequests(resp, p, body):
		return postponed
	}
	return judge(resp.StatusCode)
}

// redirectDetail names where a redirect leads by its origin only: the rest may hold what the request held.
func (c *Client) redirectDetail(resp *http.Response) string {
	location, err := c.location(resp)
	if err != nil {
		return "a redirect that leads nowhere"
	}
	if originOf(location) != originOf(c.base) {
		return fmt.Sprintf("redirect to another host, %s://%s, not followed so that no credential reaches it; "+
			"if the service has moved, change the base URL", location.Scheme, location.Host)
	}
	return "redirect not followed; check the base URL"
}

// unreadable is the error for a success whose body is of no use.
func (c *Client) unreadable(r *request, resp *http.Response, cause error) *scim.Error {
	if text := cause.Error(); c.redact(text) != text {
		cause = errors.New(c.redact(text))
	}
	return &scim.Error{
		Method: r.method, Path: r.path, Err: cause,
		Detail: c.tidy(fmt.Sprintf("answer %d cannot be read: %v", resp.StatusCode, cause)),
	}
}

var errPage = errors.New("it is a web page instead of JSON: is the base URL right, and does the way there need no sign-in?")

// notJSON says that a body is a web page, or something else than JSON, where that is why it cannot be decoded.
func notJSON(resp *http.Response, body []byte, cause error) error {
	start := bytes.TrimLeft(body, " \t\r\n")
	if len(start) > 0 && (start[0] == '{' || start[0] == '[') {
		return misfit(cause)
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case len(start) == 0:
		return errors.New("it is empty where a resource was expected")
	case isPage(resp, body):
		return errPage
	case jsontext.Value(body).IsValid():
		return misfit(cause)
	case kind == "":
		return errors.New("it is not JSON")
	}
	return fmt.Errorf("it is %q instead of JSON", kind)
}

// isPage reports whether a body is a web page.
func isPage(resp *http.Response, body []byte) bool {
	start := bytes.TrimLeft(body, " \t\r\n")
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return len(start) > 0 && (start[0] == '<' || strings.Contains(kind, "html"))
}

// misfit words an error about JSON that is not of the form it should have, without the names of Go's types.
func misfit(cause error) error {
	wrong, ok := errors.AsType[*json.SemanticError](cause)
	if !ok {
		return cause
	}
	at := "it"
	if wrong.JSONPointer != "" {
		at = string(wrong.JSONPointer)
	}
	if wrong.Err != nil {
		return fmt.Errorf("%s: %w", at, wrong.Err)
	}
	return fmt.Errorf("%s is of another type than it should be: %s", at, kindName(wrong.JSONKind))
}

func kindName(k jsontext.Kind) string {
	switch k {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 'n':
		return "null"
	}
	return "a boolean"
}

// readRefusal finds the text for a person, and the scimType, in the body of a refusal: a SCIM error, problem details (RFC 9457), the
// errors of OAuth (RFC 6750) and of SCIM 1.1, other JSON that has a message, a web page, or plain text.
func readRefusal(resp *http.Response, body []byte) (detail, typ string) {
	text := strings.TrimSpace(string(body))
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		var v any
		err := json.Unmarshal(body, &v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		if err == nil {
			detail = findText(v, 0)
			if m, ok := v.(map[string]any); ok {
				typ, _ = member(m, "scimType").(string)
			}
			return detail, typ
		}
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if strings.Contains(kind, "html") || strings.HasPrefix(text, "<") {
		return pageTitle(text), ""
	}
	return text, ""
}

// textNames are where JSON errors keep their text, the most telling first.
var textNames = []string{"detail", "error_description", "message", "description", "title", "error", "errors", "name"}

// findText looks for a text in JSON of a shape that nobody has agreed on.
func findText(v any, depth int) string {
	if depth > 4 {
		return ""
	}
	switch v := v.(type) {
	case string:
		return v
	case []any:
		for _, e := range v {
			if s := findText(e, depth+1); s != "" {
				return s
			}
		}
	case map[string]any:
		for _, name := range textNames {
			if s := findText(member(v, name), depth+1); s != "" {
				return s
			}
		}
	}
	return ""
}

// member returns a member of an object by its name in any case.
func member(m map[string]any, name string) any {
	if v, ok := m[name]; ok {
		return v
	}
	for k, v := range m {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}

var titlePattern = regexp.MustCompile(`(?is)<title[^>]*>(.{1,300}?)</title>`)

func pageTitle(page string) string {
	if m := titlePattern.FindStringSubmatch(page); m != nil {
		return "a web page titled " + strings.Join(strings.Fields(html.UnescapeString(m[1])), " ")
	}
	return "a web page"
}

// tidy makes a text that came from outside fit to be shown. Credentials are taken out first, while they are whole.
func (c *Client) tidy(text string) string { return tidy(c.redact(text)) }

// tidy makes one line of printable text of bounded length, so that what a service says can be logged.
func tidy(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "") + "…"
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
	return strings.TrimSpace(text)
}
