package client

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"github.com/scimbridge/scim/profiles"
)

// Option changes what [New] returns.
type Option func(*config) error

// Middleware wraps the transport of a client, to observe or change requests and answers. What it returns must be safe for
// concurrent use.
type Middleware func(http.RoundTripper) http.RoundTripper

type config struct {
	profile      *profiles.Profile
	credentials  []credential
	insecureHTTP bool
	httpClient   *http.Client
	transport    http.RoundTripper
	tls          *tls.Config
	middleware   []Middleware
	timeout      time.Duration
	maxResponse  int64
	retry        Retry
	limits       []profiles.RateLimit
	reads        rate.Limit
	writes       rate.Limit
	clock        Clock
	random       func() float64
	log          *slog.Logger
	userAgent    string
	concurrency  int
	pageSize     int
}

// Defaults of the options.
const (
	// DefaultTimeout is how long one attempt may take, until the end of its answer.
	DefaultTimeout = 60 * time.Second
	// DefaultMaxResponse is how many bytes an answer may have, after decompression.
	DefaultMaxResponse = 64 << 20
	// DefaultConcurrency is how many requests [Client.Bulk] keeps under way where the service has no bulk of its own.
	DefaultConcurrency = 4
	// DefaultPageSize is how many resources are asked for at a time where no profile says better.
	DefaultPageSize = 100
)

func defaultConfig() config {
	return config{
		timeout: DefaultTimeout, maxResponse: DefaultMaxResponse, retry: Retry{}.withDefaults(),
		reads: rate.Inf, writes: rate.Inf, clock: systemClock{}, random: jitter,
		log: slog.New(slog.DiscardHandler), userAgent: "scimbridge", concurrency: DefaultConcurrency,
	}
}

// WithProfile tells the client what is particular to the service: its limits, what it refuses, how it wants changes written. Without a
// profile the service is taken to follow RFC 7644. The profile must not be changed afterwards.
func WithProfile(p *profiles.Profile) Option {
	return func(c *config) error {
		c.profile = p
		return nil
	}
}

// WithInsecureHTTP allows a base URL with http on any host. Credentials and people's data are then readable on the way.
func WithInsecureHTTP() Option {
	return func(c *config) error {
		c.insecureHTTP = true
		return nil
	}
}

// WithHTTPClient uses the transport, cookies and timeout of an [http.Client]. Its CheckRedirect is not used: see the package's rules for
// redirects. It is not changed.
func WithHTTPClient(h *http.Client) Option {
	return func(c *config) error {
		if h == nil {
			return errors.New("the HTTP client is nil")
		}
		c.httpClient = h
		return nil
	}
}

// WithTransport uses a transport of the caller's in place of the pooled one.
func WithTransport(t http.RoundTripper) Option {
	return func(c *config) error {
		if t == nil {
			return errors.New("the transport is nil")
		}
		c.transport = t
		return nil
	}
}

// WithTLS sets the TLS configuration of the client's own transport, for client certificates or a private certificate authority. A
// MinVersion below TLS 1.2 is raised to that. It cannot be combined with [WithTransport], nor with [WithHTTPClient] of a client that has a transport: these
// have their own, and [New] returns an error.
func WithTLS(t *tls.Config) Option {
	return func(c *config) error {
		if t == nil {
			return errors.New("the TLS configuration is nil")
		}
		c.tls = t.Clone()
		return nil
	}
}

// WithMiddleware puts a hook around the transport; the first one given is the outermost. It sees every attempt and every redirect, with
// no credential in the header: those are added below it.
func WithMiddleware(m Middleware) Option {
	return func(c *config) error {
		if m == nil {
			return errors.New("the middleware is nil")
		}
		c.middleware = append(c.middleware, m)
		return nil
	}
}

// WithTimeout limits how long one attempt may take, from sending to the end of the answer: [DefaultTimeout] unless given. The context
// limits the whole of a call, its waits included.
func WithTimeout(d time.Duration) Option {
	return func(c *config) error {
		if d <= 0 {
			return errors.New("the timeout must be positive")
		}
		c.timeout = d
		return nil
	}
}

// WithMaxResponse limits the size of an answer in bytes: [DefaultMaxResponse] unless given. A longer answer is an error.
func WithMaxResponse(bytes int64) Option {
	return func(c *config) error {
		if bytes <= 0 {
			return errors.New("the size of an answer must be positive")
		}
		c.maxResponse = min(bytes, math.MaxInt64-1) // one more is read, to see whether there is
		return nil
	}
}

// WithRetry says how failed requests are tried again.
func WithRetry(r Retry) Option {
	return func(c *config) error {
		c.retry = r.withDefaults()
		return nil
	}
}

// WithRateLimits replaces the rate limits of the profile. Without arguments there are none but what the service states itself.
func WithRateLimits(limits ...profiles.RateLimit) Option {
	return func(c *config) error {
		for _, l := range limits {
			if l.Requests <= 0 || l.Seconds <= 0 {
				return errors.New("a rate limit needs a positive number of requests and of seconds")
			}
		}
		c.limits = append([]profiles.RateLimit{}, limits...)
		return nil
	}
}

// WithRate spaces requests evenly, at most so many a second, for those that read and those that write. It comes on top of the rate
// limits, which allow bursts; 0 leaves one as it is.
func WithRate(reads, writes rate.Limit) Option {
	return func(c *config) error {
		if reads < 0 || writes < 0 {
			return errors.New("a rate cannot be negative")
		}
		if reads > 0 {
			c.reads = reads
		}
		if writes > 0 {
			c.writes = writes
		}
		return nil
	}
}

// WithClock sets the clock for tests and simulations.
func WithClock(clock Clock) Option {
	return func(c *config) error {
		if clock == nil {
			return errors.New("the clock is nil")
		}
		c.clock = clock
		return nil
	}
}

// WithRandom sets where the jitter of waits comes from: numbers in [0,1). It must be safe for concurrent use.
func WithRandom(random func() float64) Option {
	return func(c *config) error {
		if random == nil {
			return errors.New("the source of random numbers is nil")
		}
		c.random = random
		return nil
	}
}

// WithLogger logs every attempt at level debug, with method, path, status and duration, and every wait before another attempt at level
// warn. Neither holds queries, bodies or credentials. Without it nothing is logged.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) error {
		if l == nil {
			return errors.New("the logger is nil")
		}
		c.log = l
		return nil
	}
}

// WithUserAgent sets the User-Agent header, "scimbridge" unless given.
func WithUserAgent(name string) Option {
	return func(c *config) error {
		if !validHeader("User-Agent", name) {
			return errors.New("the user agent cannot be in an HTTP header")
		}
		c.userAgent = name
		return nil
	}
}

// WithConcurrency sets how many requests [Client.Bulk] keeps under way where the service has no bulk: [DefaultConcurrency] unless
// given.
func WithConcurrency(n int) Option {
	return func(c *config) error {
		if n <= 0 {
			return errors.New("the concurrency must be positive")
		}
		c.concurrency = n
		return nil
	}
}

// WithPageSize sets how many resources are asked for at a time, unless a [Query] says otherwise: the most that the profile allows, or
// [DefaultPageSize], unless given.
func WithPageSize(n int) Option {
	return func(c *config) error {
		if n <= 0 {
			return errors.New("the page size must be positive")
		}
		c.pageSize = n
		return nil
	}
}
