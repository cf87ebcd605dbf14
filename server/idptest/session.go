package idptest

import (
	"context"
	"crypto/rand"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim"
)

// outcome is what came of a check.
type outcome struct {
	failures []string
	// skipped says why the check was not played.
	skipped string
}

// session is one check being played.
type session struct {
	ctx      context.Context
	target   Target
	provider string
	header   http.Header
	// unique is a part of every name, so that a check can be played again on the same service.
	unique  string
	sent    int
	outcome outcome
	// created are the paths of what was created.
	created []string
}

// ended ends a check whose next requests would make no sense. It never leaves play.
type ended struct{}

// play plays a check. It does not panic, whatever the handler does.
func (s suite) play(ctx context.Context, target Target, c check) outcome {
	p := &session{ctx: ctx, target: target, provider: s.name, header: s.header, unique: strings.ToLower(rand.Text()[:8])}
	switch {
	case c.groups && target.NoGroups:
		p.outcome.skipped = "the service has no groups"
	case c.delete && target.KeepsUsers:
		p.outcome.skipped = "the service does not delete users"
	default:
		p.playOut(c)
	}
	return p.outcome
}

func (s *session) playOut(c check) {
	defer s.cleanUp()
	defer func() {
		if v := recover(); v != nil && v != any(ended{}) {
			panic(v)
		}
	}()
	c.play(s)
}

// cleanUp deletes what was created, the last first. That it fails is no failure: a check says so when it matters.
func (s *session) cleanUp() {
	for _, path := range slices.Backward(s.created) {
		if s.target.KeepsUsers && strings.HasPrefix(path, "/Users/") {
			continue
		}
		s.serve(s.request(http.MethodDelete, path, ""))
	}
}

// name returns a name that nothing else has.
func (s *session) name(base string) string { return base + "-" + s.unique }

// address returns an e-mail address that nobody else has.
func (s *session) address(base string) string { return s.name(base) + "@" + s.target.Domain }

// answer is what came back for a request.
type answer struct {
	s       *session
	number  int
	request string
	code    int
	header  http.Header
	body    string
	doc     map[string]any
	// other says that the answer is not one of SCIM, but of a token endpoint.
	other bool
}

func (s *session) request(method, path, body string) *http.Request {
	r := httptest.NewRequestWithContext(s.ctx, method, "https://scim.example"+s.target.BasePath+path, strings.NewReader(body))
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	} else {
		r.Header.Set("Content-Type", scim.ContentType+"; charset=utf-8")
	}
	r.Header.Set("Accept", scim.ContentType)
	if s.target.Token != "" {
		r.Header.Set("Authorization", "Bearer "+s.target.Token)
	}
	for _, header := range []http.Header{s.header, s.target.Header} {
		for name, values := range header {
			if name != "Content-Type" || body != "" {
				r.Header[name] = values
			}
		}
	}
	return r
}

// serve returns the handler's answer, and what it panicked with.
func (s *session) serve(r *http.Request) (w *httptest.ResponseRecorder, panicked any) {
	w = httptest.NewRecorder()
	defer func() { panicked = recover() }()
	s.target.Handler.ServeHTTP(w, r)
	return w, nil
}

// send sends a request and checks what holds for all answers.
func (s *session) send(method, path, body string) *answer {
	return s.exchange(s.request(method, path, body), body)
}

// exchange sends a request that was made by hand. body is how it is shown.
func (s *session) exchange(r *http.Request, body string) *answer {
	s.sent++
	a := &answer{s: s, number: s.sent, request: r.Method + " " + r.URL.RequestURI(), other: !strings.HasPrefix(r.URL.Path, s.target.BasePath)}
	if body != "" {
		a.request += "\n" + body
	}
	w, panicked := s.serve(r)
	if panicked != nil {
		s.outcome.failures = append(s.outcome.failures, fmt.Sprintf("%s, request %d: %s\nThe handler panicked: %v", s.provider, a.number, a.request, panicked))
		panic(ended{})
	}
	a.code, a.header, a.body = w.Code, w.Header(), w.Body.String()
	a.checkForm()
	return a
}

// checkForm checks what holds for the answers to all requests.
func (a *answer) checkForm() {
	if a.body == "" {
		return
	}
	if a.code == http.StatusNoContent {
		a.fail("an answer with status 204 has no body")
		return
	}
	if a.code == http.StatusUnauthorized {
		return // often answered by what is in front of the service
	}
	media, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil || media != scim.ContentType && media != "application/json" {
		a.fail("the Content-Type of the answer must be application/scim+json or application/json, it is %q", a.header.Get("Content-Type"))
	}
	doc, err := scim.DecodeDocument([]byte(a.body))
	if err != nil {
		a.fail("the body must be a JSON object: %v", err)
		return
	}
	a.doc = doc
	if a.code >= http.StatusBadRequest && !a.other && (!a.has(scim.ErrorSchema, "schemas") || a.at("status") != fmt.Sprint(a.code)) {
		a.fail(`an error must be a SCIM error, with schemas and with the status as a string (RFC 7644 section 3.12)`)
	}
}

// fail records a failure.
func (a *answer) fail(need string, args ...any) {
	const most = 2000
	body := a.body
	if len(body) > most {
		body = body[:most] + " …"
	}
	if body != "" {
		body = "\n" + body
	}
	a.s.outcome.failures = append(a.s.outcome.failures, fmt.Sprintf("%s, request %d: %s\nAnswer: %d %s%s\nNeeded: %s",
		a.s.provider, a.number, a.request, a.code, http.StatusText(a.code), body, fmt.Sprintf(need, args...)))
}

// need records a failure and ends the check unless the status is one of those.
func (a *answer) need(why string, statuses ...int) *answer {
	if !slices.Contains(statuses, a.code) {
		words := make([]string, len(statuses))
		for i, status := range statuses {
			words[i] = fmt.Sprint(status)
		}
		a.fail("status %s: %s", strings.Join(words, " or "), why)
		panic(ended{})
	}
	return a
}

// at returns what is in the body at a path of names and indexes; nil when there is nothing.
func (a *answer) at(path ...any) any { return at(a.doc, path...) }

func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := v.(map[string]any)
			v = object[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return nil
			}
			v = list[step]
		}
	}
	return v
}

// has reports whether the array at a path has a string.
func (a *answer) has(value string, path ...any) bool {
	list, _ := a.at(path...).([]any)
	return slices.Contains(list, any(value))
}

// want records a failure when what is in the body at a path is not as it should be.
func (a *answer) want(why string, want any, path ...any) *answer {
	if got := a.at(path...); got != want {
		a.fail("%s is %v, not %v: %s", describe(path), quote(want), quote(got), why)
	}
	return a
}

// typed returns a sub-attribute of the element of a multi-valued attribute that has a type.
func (a *answer) typed(attribute, typ, sub string) any {
	list, _ := a.at(attribute).([]any)
	for _, e := range list {
		if element, _ := e.(map[string]any); element["type"] == typ {
			return element[sub]
		}
	}
	return nil
}

// wantTyped is want for a sub-attribute of the element that has a type.
func (a *answer) wantTyped(why string, want any, attribute, typ, sub string) *answer {
	if got := a.typed(attribute, typ, sub); got != want {
		a.fail(`%s[type eq %q].%s is %v, not %v: %s`, attribute, typ, sub, quote(want), quote(got), why)
	}
	return a
}

// id returns the id of the resource, and ends the check when there is none.
func (a *answer) id() string {
	id, _ := a.at("id").(string)
	if id == "" {
		a.fail("every resource has an id, a string")
		panic(ended{})
	}
	return id
}

func describe(path []any) string {
	words := make([]string, len(path))
	for i, step := range path {
		words[i] = fmt.Sprint(step)
	}
	return strings.Join(words, " / ")
}

// quote returns a value as JSON.
func quote(v any) string {
	data, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}

// filtered returns a path with a filter, its spaces as %20.
func filtered(path, filter string) string {
	return path + "?filter=" + strings.ReplaceAll(url.QueryEscape(filter), "+", "%20")
}

// filteredPlus returns a path with a filter, its spaces as +.
func filteredPlus(path, filter string) string { return path + "?filter=" + url.QueryEscape(filter) }
