package client

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// credential puts what authenticates a request into its header, and takes it out of texts. Both are closures, so that printing a Client
// with %+v shows no secret.
type credential struct {
	add    func(*http.Request) error
	redact func(string) string
	// refused is told of a request that was answered with 401, and renew then reports whether there is another credential to send.
	// Both are nil for a credential that never changes.
	refused func(*http.Request)
	renew   func() bool
}

// Token is an access token that can put itself into the Authorization header of a request. *oauth2.Token of golang.org/x/oauth2 is one.
type Token interface {
	SetAuthHeader(*http.Request)
}

// WithBearerToken authenticates with a token that is sent as "Authorization: Bearer <token>" (RFC 6750). Postman's SCIM API keys are
// such tokens. White space around the token, as a file or a terminal leaves it, is taken off. [New] returns an error for a token that is
// empty or cannot be in a header.
func WithBearerToken(token string) Option {
	return func(c *config) error {
		token := strings.TrimSpace(token)
		if token == "" {
			return errors.New("the bearer token is empty")
		}
		return c.setHeader("Authorization", "Bearer "+token)
	}
}

// WithHeader authenticates with a header of the caller's, such as "Authorization" with a bare key, or "X-API-Key". It is treated as a
// credential: sent to no other host, left out of logs and errors. It may be given several times, for several headers.
func WithHeader(name, value string) Option {
	return func(c *config) error { return c.setHeader(name, value) }
}

// WithBasicAuth authenticates with a user name and a password (RFC 7617). The user name cannot hold a colon.
func WithBasicAuth(username, password string) Option {
	return func(c *config) error {
		if strings.Contains(username, ":") {
			return errors.New("a user name for basic authentication cannot hold a colon")
		}
		value := "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
		return c.setHeader("Authorization", value, password)
	}
}

// WithTokenSource authenticates each attempt with a token from source, which should therefore keep a token for as long as it is
// valid. An oauth2.TokenSource of golang.org/x/oauth2 fits as it is:
//
//	client.WithTokenSource(config.TokenSource(ctx))
//
// When a token is refused with 401, source is asked again, and if it has another token by then, the request is sent once more with that;
// a 401 means that nothing was done, so this is safe for creates, too. A source that keeps tokens, as those of oauth2 do until a
// token's time is over, can have a method Invalidate(T) as well: it is called with the refused token before source is asked.
//
// The methods of source must be safe for concurrent use. Its errors are returned as they are, so they should hold no secret.
func WithTokenSource[T Token](source interface{ Token() (T, error) }) Option {
	return func(c *config) error {
		if source == nil {
			return errors.New("the token source is nil")
		}
		t := &tokens[T]{source: source}
		c.credentials = append(c.credentials, credential{add: t.add, redact: t.redact, refused: t.note, renew: t.renew})
		return nil
	}
}

// tokens is what is known of the tokens of a source.
type tokens[T Token] struct {
	source interface{ Token() (T, error) }

	mu sync.Mutex
	// last is the header that was sent last, of token; refused is the one that was answered with 401 last.
	last, refused string
	token         T
	// recent are the headers that were sent last: the answer to an earlier one may still come, and repeat it.
	recent []string
}

// recentTokens is how many tokens are remembered.
const recentTokens = 8

func (t *tokens[T]) add(r *http.Request) error {
	token, err := t.source.Token()
	if err != nil {
		return fmt.Errorf("get an access token: %w", err)
	}
	token.SetAuthHeader(r)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token, t.last = token, r.Header.Get("Authorization")
	if !slices.Contains(t.recent, t.last) {
		t.recent = append(t.recent[max(0, len(t.recent)+1-recentTokens):], t.last)
	}
	return nil
}

func (t *tokens[T]) redact(text string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, header := range t.recent {
		text = replaceSecrets(text, secretsIn(header)...)
	}
	return text
}

func (t *tokens[T]) note(r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refused = r.Header.Get("Authorization")
}

// renew reports whether the source has another token than the one that was refused.
func (t *tokens[T]) renew() bool {
	t.mu.Lock()
	refused, token, current := t.refused, t.token, t.refused == t.last
	t.mu.Unlock()
	// Another request may have got a new token meanwhile, which must not be thrown away.
	if s, ok := t.source.(interface{ Invalidate(T) }); ok && current {
		s.Invalidate(token)
	}
	token, err := t.source.Token()
	if err != nil {
		return false
	}
	trial := http.Request{Header: make(http.Header)}
	token.SetAuthHeader(&trial)
	return trial.Header.Get("Authorization") != refused
}

// setHeader adds a credential that is one header. Neither its value must be seen, nor what follows the scheme in it, nor other secrets.
func (c *config) setHeader(name, value string, others ...string) error {
	if !validHeader(name, value) {
		return errors.New("a credential has a name or a value that cannot be in an HTTP header")
	}
	secrets := append(secretsIn(value), others...)
	c.credentials = append(c.credentials, credential{
		add: func(r *http.Request) error {
			r.Header.Set(name, value)
			return nil
		},
		redact: func(text string) string { return replaceSecrets(text, secrets...) },
	})
	return nil
}

// validHeader says before the first request what net/http would say at each.
func validHeader(name, value string) bool {
	if name == "" || value == "" {
		return false
	}
	for _, r := range name {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r) {
			return false
		}
	}
	for i := range len(value) {
		if b := value[i]; b < ' ' && b != '\t' || b == 0x7f {
			return false
		}
	}
	return true
}

// secretsIn returns what must not be seen of the value of a header that authenticates: all of it, and what follows its scheme, as in Bearer
// <token>.
func secretsIn(value string) []string {
	_, bare, _ := strings.Cut(value, " ")
	return []string{value, strings.TrimSpace(bare)}
}

const redacted = "[redacted]"

// authorizationText is what a credential looks like that a service, or a program between, repeats in an error.
var authorizationText = regexp.MustCompile(`(?i)\b(bearer|basic)\s+[a-z0-9._~+/-]{8,}=*`)

func replaceSecrets(text string, secrets ...string) string {
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, redacted)
		}
	}
	return text
}

// redact takes every credential out of a text that came from outside.
func (c *Client) redact(text string) string {
	for _, cred := range c.credentials {
		text = cred.redact(text)
	}
	return authorizationText.ReplaceAllString(text, "$1 "+redacted)
}

// authTransport adds the credentials, and does so only to requests for the service's own origin. It is below every hook, so that a
// hook which logs headers logs no credential.
type authTransport struct {
	next        http.RoundTripper
	origin      origin
	credentials []credential
}

// credentialError marks that no request was sent because there was nothing to authenticate it with.
type credentialError struct{ error }

func (e credentialError) Unwrap() error { return e.error }

// final marks an error that another attempt would meet again.
func (e credentialError) final() {}

func (t *authTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if originOf(r.URL) != t.origin || len(t.credentials) == 0 {
		return t.next.RoundTrip(r)
	}
	// A RoundTripper must not change the request that it is given.
	signed := *r
	signed.Header = r.Header.Clone()
	for _, c := range t.credentials {
		if err := c.add(&signed); err != nil {
			if r.Body != nil {
				r.Body.Close()
			}
			return nil, credentialError{err}
		}
	}
	resp, err := t.next.RoundTrip(&signed)
	if err != nil {
		return resp, err
	}
	if resp.StatusCode == http.StatusUnauthorized {
		for _, c := range t.credentials {
			if c.refused != nil {
				c.refused(&signed)
			}
		}
	}
	// A hook sees the request that led to an answer, too.
	resp.Request = r
	return resp, nil
}

// renew reports whether a request that was answered with 401 is worth another attempt.
func (c *Client) renew() bool {
	for _, cred := range c.credentials {
		if cred.renew != nil && cred.renew() {
			return true
		}
	}
	return false
}

// CloseIdleConnections is found by [http.Client.CloseIdleConnections].
func (t *authTransport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// origin is what a credential is for.
type origin struct{ scheme, host string }

func originOf(u *url.URL) origin {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return origin{u.Scheme, host}
}
