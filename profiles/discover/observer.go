package discover

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim"
)

// maxBody is how much of an answer is looked at, in bytes.
const maxBody = 8 << 20

// answer is what the service said to one request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// observer is a middleware of the client that keeps the last answer as it came, and gives requests another query. It is used by one
// goroutine at a time.
type observer struct {
	next     http.RoundTripper
	last     answer
	requests int
	limits   map[string]string // header fields about rate limits that were seen, by name
}

type queryKey struct{}

// withQuery makes the requests under a context have a query, whatever the client would send.
func withQuery(ctx context.Context, q url.Values) context.Context {
	return context.WithValue(ctx, queryKey{}, q)
}

func (o *observer) wrap(next http.RoundTripper) http.RoundTripper {
	o.next = next
	return o
}

func (o *observer) RoundTrip(r *http.Request) (*http.Response, error) {
	if q, ok := r.Context().Value(queryKey{}).(url.Values); ok {
		r = r.Clone(r.Context())
		r.URL.RawQuery = q.Encode()
	}
	o.requests++
	o.last = answer{}
	response, err := o.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		response.Body.Close()
		return nil, err
	}
	// What is beyond the bound is left to the client, which has one of its own.
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), response.Body), response.Body}
	o.last = answer{status: response.StatusCode, header: response.Header, body: body}
	o.noteLimits(response.Header)
	return response, nil
}

// rateHeaders are the header fields in which services tell the state of their rate limits.
var rateHeaders = []string{
	"RateLimit", "RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset",
	"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset",
	"Retry-After",
}

func (o *observer) noteLimits(h http.Header) {
	for _, name := range rateHeaders {
		if v := h.Get(name); v != "" {
			o.limits[name] = v
		}
	}
}

// list is what is read of an answer to a query.
type list struct {
	TotalResults *int            `json:"totalResults"`
	ItemsPerPage *int            `json:"itemsPerPage"`
	NextCursor   string          `json:"nextCursor"`
	Resources    []scim.Document `json:"Resources"`
}

// list reads the answer as a list. It returns false when it is none.
func (a answer) list() (list, bool) {
	var l list
	if a.status != http.StatusOK || json.Unmarshal(a.body, &l) != nil {
		return list{}, false
	}
	return l, l.TotalResults != nil || l.Resources != nil
}

// isArray reports whether the answer is a bare JSON array.
func (a answer) isArray() bool {
	return bytes.HasPrefix(bytes.TrimLeft(a.body, " \t\r\n"), []byte("["))
}
