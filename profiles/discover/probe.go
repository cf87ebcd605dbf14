package discover

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles"
)

// Options say what a probe may do. The zero value reads only.
type Options struct {
	// Name is that of the profile: "discovered" when empty. Title is the service's, for people.
	Name, Title string
	// AllowWrites lets the probe create, change and remove one user and one group.
	AllowWrites bool
	// Domain is that of the test user's e-mail address, for services that take only some: example.com when empty, which nobody
	// receives mail at.
	Domain string
	// Suffix makes the names of test objects unlike all others. It is random when empty.
	Suffix string
	// Progress, when it is not nil, is told what is tried next, in a few words.
	Progress func(step string)
}

// Report is what was found out.
type Report struct {
	// Profile is valid, and each of its statements has a fact.
	Profile *profiles.Profile
	// Findings are where the service does otherwise than it says, or than RFC 7644 wants, a sentence each.
	Findings []string
	// Left are test objects that could not be removed, a sentence each.
	Left []string
	// Requests is how many were sent.
	Requests int
}

// Probe asks the service at a base URL what it can do. The client options hold the credential, and may limit the pace; a profile among them
// is not used.
//
// It returns an error when the service cannot be reached, refuses the credential, or does not answer as a SCIM service at all, and when
// ctx ends; the test objects are removed all the same. The report then has no profile, only what could not be removed. It is nil
// when nothing was sent.
func Probe(ctx context.Context, baseURL string, o Options, options ...client.Option) (*Report, error) {
	p, err := newProbe(baseURL, o, options)
	if err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{p.discover, p.reads, p.writes} {
		if err := step(ctx); err != nil {
			return p.incomplete(), fmt.Errorf("probe: %w", err)
		}
	}
	p.limits()
	p.conclude()
	p.report.Requests = p.seen.requests
	if err := p.profile.Validate(); err != nil {
		return p.incomplete(), fmt.Errorf("probe: what was found makes no profile: %w", err)
	}
	return p.report, nil
}

// incomplete is the report of a probe that failed: what it left behind must be known all the same.
func (p *probe) incomplete() *Report {
	return &Report{Left: p.report.Left, Requests: p.seen.requests}
}

// probe is one run. It asks one thing after the other, so that the service is not strained and each answer belongs to its question.
type probe struct {
	client  *client.Client
	seen    *observer
	options Options
	report  *Report
	profile *profiles.Profile
	// config is what the service says it supports, nil when it does not say.
	config *scim.ServiceProviderConfig
	types  []*subject
}

// subject is a resource type under examination.
type subject struct {
	*profiles.Resource
	// defined are the attributes by the service's own schemas, or by RFC 7643 when it has none.
	defined []definition
	// stated says that the schemas are the service's.
	stated bool
	// total is how many resources there are, and sample some of them.
	total  int
	sample []scim.Document
	// emptyNotFound says that a filter without matches is answered with 404.
	emptyNotFound bool
}

func newProbe(baseURL string, o Options, options []client.Option) (*probe, error) {
	if o.Name == "" {
		o.Name = "discovered"
	}
	if o.Domain == "" {
		o.Domain = "example.com"
	}
	if o.Suffix == "" {
		var b [4]byte
		_, _ = rand.Read(b[:]) // never fails, see its documentation
		o.Suffix = hex.EncodeToString(b[:])
	}
	p := &probe{seen: &observer{limits: map[string]string{}}, options: o}
	p.profile = &profiles.Profile{
		Name: o.Name, Title: o.Title, Description: "Found out by a probe.", Facts: map[string]profiles.Fact{},
		BaseURLs: []profiles.BaseURL{{Name: "probed", URL: withoutQuery(baseURL)}},
	}
	p.report = &Report{Profile: p.profile}
	p.fact("/baseUrls", profiles.Observed, "the probe's base URL", "")
	var err error
	p.client, err = client.New(baseURL, append([]client.Option{
		client.WithRetry(client.Retry{Attempts: 4}),
		client.WithMiddleware(p.seen.wrap),
	}, append(options, client.WithProfile(nil))...)...)
	return p, err
}

func withoutQuery(baseURL string) string {
	u, err := url.Parse(strings.TrimSpace(baseURL)) // as the client reads it
	if err != nil {
		return ""
	}
	u.RawQuery, u.User = "", nil
	return u.String()
}

// fact records where the statement at a path comes from.
func (p *probe) fact(path string, basis profiles.Basis, source, note string) {
	p.profile.Facts[path] = profiles.Fact{Basis: basis, Source: source, Note: note}
}

func (p *probe) find(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(p.report.Findings, text) {
		p.report.Findings = append(p.report.Findings, text)
	}
}

func (p *probe) step(format string, args ...any) {
	if p.options.Progress != nil {
		p.options.Progress(fmt.Sprintf(format, args...))
	}
}

// get asks for a path below the base URL with exactly this query. The error is that of a service which cannot be asked at all; what
// it refuses is an answer.
func (p *probe) get(ctx context.Context, path string, query url.Values) (answer, error) {
	all := client.For[scim.Document](p.client, scim.ResourceType{Name: "probe", Endpoint: path}, nil)
	_, err := all.Page(withQuery(ctx, query), client.Query{})
	return p.settle(ctx, err)
}

// settle tells answers from failures.
func (p *probe) settle(ctx context.Context, err error) (answer, error) {
	a := p.seen.last
	p.seen.last = answer{} // what is not sent next has no answer, not this one
	switch {
	case ctx.Err() != nil:
		return a, context.Cause(ctx)
	case a.status == 0:
		return a, fmt.Errorf("the service gives no answer: %w", err)
	case a.status == http.StatusUnauthorized:
		return a, fmt.Errorf("the service does not accept the credential: %w", err)
	case a.status == http.StatusTooManyRequests:
		return a, fmt.Errorf("the service asks for too long a wait between requests: %w", err)
	}
	return a, nil
}

// refused records how the service says no to something, once for each kind.
func (p *probe) refused(a answer, when string) {
	r := profiles.Refusal{Status: a.status, When: when, Body: a.form()}
	if r.Status < 400 || r.Status > 599 {
		return
	}
	r.Type = a.scimType()
	p.profile.Errors.Refusals = append(p.profile.Errors.Refusals, r)
	p.fact("/errors/refusals", profiles.Observed, "what was refused while probing", "")
	if r.Body != profiles.SCIMBody {
		p.find("The refusal when %s is not the SCIM error that RFC 7644 section 3.12 wants.", when)
	}
}

// limits notes what the service told of its rate limits.
func (p *probe) limits() {
	for _, name := range rateHeaders {
		if _, ok := p.seen.limits[name]; ok {
			p.profile.RateLimitHeaders = append(p.profile.RateLimitHeaders, name)
			p.fact("/rateLimitHeaders", profiles.Observed, "the header fields of the answers", "")
		}
	}
}

// conclude gives every statement a fact: what nothing else vouches for is RFC 7644's.
func (p *probe) conclude() {
	missing, err := p.profile.Unsourced()
	if err != nil || len(missing) == 0 {
		return
	}
	p.fact("", profiles.Inferred, "RFC 7644", "The service neither states it nor was it tried.")
}
