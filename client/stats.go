package client

import (
	"sync/atomic"
	"time"
)

// Stats are the totals of a client since it was made.
type Stats struct {
	// Requests counts attempts: what the service received, or was meant to.
	Requests int64
	// Reads are the requests with method GET among them, Writes all others.
	Reads, Writes int64
	// Retries counts attempts after the first of a call.
	Retries int64
	// RateLimited counts answers with 429.
	RateLimited int64
	// Failures counts calls that returned an error, those refused before being sent included.
	Failures int64
	// Paced is how long requests waited for the rate limit, Backoff how long between their attempts, added over all of them.
	Paced, Backoff time.Duration
	// BytesSent and BytesReceived count bodies, after decompression.
	BytesSent, BytesReceived int64
}

type counters struct {
	reads, writes, retries, rateLimited, failures atomic.Int64
	paced, backoff                                atomic.Int64
	sent, received                                atomic.Int64
}

// Stats returns the totals so far. Under concurrent use its numbers may be of slightly different moments.
func (c *Client) Stats() Stats {
	s := &c.stats
	reads, writes := s.reads.Load(), s.writes.Load()
	return Stats{
		Requests: reads + writes, Reads: reads, Writes: writes,
		Retries: s.retries.Load(), RateLimited: s.rateLimited.Load(), Failures: s.failures.Load(),
		Paced: time.Duration(s.paced.Load()), Backoff: time.Duration(s.backoff.Load()),
		BytesSent: s.sent.Load(), BytesReceived: s.received.Load(),
	}
}
