package idptest

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Target is the service under test.
type Target struct {
	// Handler is the service. It is called directly, without a network; it is required. To test a service elsewhere, use an
	// [net/http/httputil.ReverseProxy] to it.
	Handler http.Handler
	// BasePath is the path in front of /Users, such as /scim/v2.
	BasePath string
	// Token is sent as bearer token, unless it is empty.
	Token string
	// Header is sent with every request, for services that want other credentials.
	Header http.Header

	// Domain ends all user names and e-mail addresses; empty means idptest.example.
	Domain string
	// NoGroups leaves out what needs groups.
	NoGroups bool
	// KeepsUsers says that the service does not delete users, only deactivates them. What deletes users is left out.
	KeepsUsers bool
	// Federation is the token endpoint. Without it, [MicrosoftValidator] does not test tokens made for an assertion.
	Federation *Federation
}

// Federation is a token endpoint (RFC 6749) that takes the assertion of an identity provider (RFC 7523) for a client secret.
type Federation struct {
	// Path is that of the endpoint on the target's handler, such as /oauth/token.
	Path string
	// ClientID and Assertion, a JWT, are what a token is asked for with.
	ClientID, Assertion string
}

func (target Target) withDefaults() (Target, error) {
	if target.Handler == nil {
		return target, errors.New("idptest: the target has no Handler")
	}
	if _, err := url.Parse("https://scim.example" + target.BasePath); err != nil {
		return target, err
	}
	if target.BasePath = strings.Trim(target.BasePath, "/"); target.BasePath != "" {
		target.BasePath = "/" + target.BasePath
	}
	if target.Domain == "" {
		target.Domain = "idptest.example"
	}
	return target, nil
}

// check is one sequence of requests.
type check struct {
	name   string
	groups bool // it needs groups
	delete bool // it deletes users
	play   func(*session)
}

// suite is what one provider sends.
type suite struct {
	name   string
	header http.Header
	checks []check
}

// All plays every provider and both test suites, each as a subtest.
func All(t *testing.T, target Target) {
	t.Helper()
	for _, s := range suites() {
		t.Run(s.name, func(t *testing.T) { s.run(t, target) })
	}
}

func suites() []suite {
	return []suite{
		entra(asToday), entra(compliant), microsoftValidator(), microsoftWebValidator(),
		oktaOIN(), oktaWizard(), oneLogin(), jumpCloud(), pingOne(),
	}
}

// run plays the checks of a suite as subtests.
func (s suite) run(t *testing.T, target Target) {
	t.Helper()
	target, err := target.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.checks {
		t.Run(c.name, func(t *testing.T) {
			outcome := s.play(t.Context(), target, c)
			for _, f := range outcome.failures {
				t.Error(f)
			}
			if outcome.skipped != "" {
				t.Skip(outcome.skipped)
			}
		})
	}
}
