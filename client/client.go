package client

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/profiles"
)

// Client calls one SCIM service. It is safe for concurrent use; rate limits hold over all that is done with it, so use one Client per
// service and credential.
type Client struct {
	config
	base   *url.URL
	prefix string // base without query, without a slash at its end
	flags  string // the query of the base URL
	http   *http.Client
	pacer  *pacer
	stats  counters
	caps   capabilitiesCache
}

// New returns a client of the service at baseURL, which is the URL that Entra calls Tenant URL: everything before /Users. A slash at its
// end makes no difference, and query parameters, such as Entra's aadOptscim062020, are sent with every request.
//
// The URL must be https unless it is of a loopback address or [WithInsecureHTTP] is given. New returns an error for a URL or an option
// that cannot work; it sends nothing.
func New(baseURL string, options ...Option) (*Client, error) {
	c := &Client{config: defaultConfig()}
	for _, o := range options {
		if err := o(&c.config); err != nil {
			return nil, fmt.Errorf("client: %w", err)
		}
	}
	if c.tls != nil && (c.transport != nil || c.httpClient != nil && c.httpClient.Transport != nil) {
		return nil, errors.New("client: WithTLS does not reach a transport of the caller's; set the TLS configuration there")
	}
	if err := c.parseBase(baseURL); err != nil {
		return nil, fmt.Errorf("client: base URL: %w", err)
	}
	c.http = c.newHTTPClient(originOf(c.base))
	c.caps.turn = make(chan struct{}, 1)
	c.pacer = newPacer(c.clock, c.retry.Budget, c.rateLimits(), c.reads, c.writes)
	return c, nil
}

// parseBase never repeats the URL in an error: it may hold a credential by mistake.
func (c *Client) parseBase(text string) error {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil:
		return errors.New("not a URL")
	case u.Host == "" || u.Hostname() == "":
		return errors.New("it has no host; it looks like https://example.com/scim/v2")
	case u.User != nil:
		return errors.New("it holds a user name or password; use WithBasicAuth instead")
	case u.Fragment != "":
		return errors.New("it has a fragment")
	case u.Scheme == "http" && !c.insecureHTTP && !isLoopback(u.Hostname()):
		return errors.New("http would send the credential in the clear; use https, or WithInsecureHTTP")
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("the scheme is %q; https is needed", u.Scheme)
	}
	c.base = u
	c.flags = u.RawQuery
	c.prefix = u.Scheme + "://" + u.Host + strings.TrimRight(u.EscapedPath(), "/")
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *Client) rateLimits() []profiles.RateLimit {
	if c.limits != nil || c.profile == nil {
		return c.limits
	}
	return c.profile.RateLimits
}

// Profile returns what the client knows of the service, or nil.
func (c *Client) Profile() *profiles.Profile { return c.profile }

// String names the service, without query and credentials.
func (c *Client) String() string { return "SCIM service at " + c.prefix }

// LogValue is how a client is logged.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// CloseIdleConnections closes connections that are kept for later requests. A Client needs no other end.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

// url returns where a request goes. Path is escaped and begins with a slash; query is encoded.
func (c *Client) url(path, query string) string {
	switch {
	case c.flags == "" && query == "":
		return c.prefix + path
	case c.flags == "":
		return c.prefix + path + "?" + query
	case query == "":
		return c.prefix + path + "?" + c.flags
	}
	return c.prefix + path + "?" + c.flags + "&" + query
}

// mediaType is what requests are sent as.
func (c *Client) mediaType() string {
	if c.profile != nil && c.profile.MediaType != "" {
		return c.profile.MediaType
	}
	return scim.ContentType
}
