package client

import (
	"crypto/tls"
	"net/http"
	"time"

	"github.com/hashicorp/go-cleanhttp"
)

// maxRedirects is how many redirects within the service are followed for one request.
const maxRedirects = 3

// newHTTPClient puts hooks around the credentials around the transport.
func (c *config) newHTTPClient(own origin) *http.Client {
	h := http.Client{}
	if c.httpClient != nil {
		h = *c.httpClient
	}
	t := h.Transport
	switch {
	case c.transport != nil:
		t = c.transport
	case t == nil:
		t = c.newTransport()
	}
	t = &authTransport{next: t, origin: own, credentials: c.credentials}
	for i := len(c.middleware) - 1; i >= 0; i-- {
		t = c.middleware[i](t)
	}
	h.Transport = t
	// The client follows redirects itself, each as a request that the rate limits count.
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &h
}

func (c *config) newTransport() http.RoundTripper {
	t := cleanhttp.DefaultPooledTransport()
	t.TLSClientConfig = &tls.Config{}
	if c.tls != nil {
		t.TLSClientConfig = c.tls
	}
	t.TLSClientConfig.MinVersion = max(t.TLSClientConfig.MinVersion, tls.VersionTLS12)
	t.ResponseHeaderTimeout = c.timeout
	t.MaxResponseHeaderBytes = 1 << 20
	t.IdleConnTimeout = 60 * time.Second
	t.MaxIdleConnsPerHost = max(t.MaxIdleConnsPerHost, c.concurrency)
	return t
}
