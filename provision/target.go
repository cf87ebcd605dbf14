package provision

import (
	"context"
	"iter"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles"
)

// Target is the application that objects are provisioned into. [NewClientTarget] makes one of a SCIM client.
//
// Documents go in and come out as package scim describes them. Errors are [*scim.Error] values where the application answered
// or could not be reached; anything else is taken for a fault of the program. Retries and pacing are the target's own: an error
// that it returns is final for this attempt.
//
// All methods are safe for concurrent use.
type Target interface {
	// Profile describes the application. It is never nil and does not change.
	Profile() *profiles.Profile
	// TestConnection checks that the application answers and accepts the credentials.
	TestConnection(ctx context.Context) error
	// List yields every resource of a type. It ends with the first error. Members may be left out.
	List(ctx context.Context, resourceType string) iter.Seq2[scim.Document, error]
	// Find returns the resources that a filter matches, as the application compares. The filters are of the form
	// userName eq "x", or emails[type eq "work" and value eq "x"].
	Find(ctx context.Context, resourceType string, f filter.Filter) ([]scim.Document, error)
	// Get returns one resource, with all members.
	Get(ctx context.Context, resourceType, id string) (scim.Document, error)
	// Create makes a resource and returns it with its id.
	Create(ctx context.Context, resourceType string, resource scim.Document) (scim.Document, error)
	// Update changes a resource from what the job believes it holds to what it should hold. Both documents have the governed
	// attributes only: an attribute in neither is left alone, one only in before is cleared. It does nothing when the two
	// are equal.
	Update(ctx context.Context, resourceType, id string, before, after scim.Document) error
	// ChangeMembers adds members to a group and removes others, given by their ids, in as few requests as the application
	// allows. Adding a member that is there, or removing one that is not, is no error.
	ChangeMembers(ctx context.Context, resourceType, id string, add, remove []string) error
	// Delete removes a resource.
	Delete(ctx context.Context, resourceType, id string) error
}

// RequestCounter is a [Target] that counts what it sends. It makes the figures of a [Summary] exact; without it they are counted
// by method calls.
type RequestCounter interface {
	// Requests returns the requests sent since the target was made.
	Requests() Requests
}

// Requests counts requests to a target.
type Requests struct {
	Reads  int64 `json:"reads"`
	Writes int64 `json:"writes"`
	// Throttled counts the answers with status 429.
	Throttled int64 `json:"throttled,omitzero"`
	// WaitedMilliseconds is how long requests waited before they were sent, so as to keep to the target's rate limit, added over all of
	// them. What a request waits before it is sent again is not in it.
	WaitedMilliseconds int64 `json:"waitedMilliseconds,omitzero"`
}

// Sub returns the requests made since an earlier count.
func (r Requests) Sub(earlier Requests) Requests {
	return Requests{
		r.Reads - earlier.Reads, r.Writes - earlier.Writes, r.Throttled - earlier.Throttled, r.WaitedMilliseconds - earlier.WaitedMilliseconds,
	}
}
