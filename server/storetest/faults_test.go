package storetest_test

import (
	"testing"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
	"github.com/scimbridge/scim/server/storetest"
)

func TestToyStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) server.Store { return new(toy) })
}

func TestToyMemberStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) server.Store { return new(memberToy) })
}

// Each of these stores breaks one promise. The suite must see it, and name the promise.
func TestFindsFaults(t *testing.T) {
	for _, tt := range []struct{ fault, breaks string }{
		{"create does not look at unique values", "unique values are refused to others"},
		{"update does not look at unique values", "unique values are refused to others"},
		{"a resource may not keep its own unique value", "unique values are refused to others"},
		{"unique values are those of all tenants", "tenants do not see each other"},
		{"unique values have no scope", "unique scopes do not meet"},
		{"unique values are the same in any case", "unique scopes do not meet"},
		{"unique values are looked at without the lock", "unique holds between concurrent creates"},
		{"unique values stay when a resource changes", "unique values are free again"},
		{"unique values stay when a resource is deleted", "unique values are free again"},
		{"ids are looked at without the lock", "an id is created once"},
		{"an id comes back to its old place", "ids are free again"},
		{"contexts are ignored", "a cancelled context ends calls"},
		{"an id is created twice", "create refuses an id that is there"},
		{"the document that was given is changed", "documents are not changed by the store"},
		{"text is in lower case", "create then get"},
		{"what is omitted is deleted", "get leaves out nothing but what may be omitted"},
		{"too much is omitted", "get leaves out nothing but what may be omitted"},
		{"the key lacks the tenant", "tenants do not see each other"},
		{"get forgets the tenant", "tenants do not see each other"},
		{"update forgets the tenant", "tenants do not see each other"},
		{"delete forgets the tenant", "tenants do not see each other"},
		{"query forgets the tenant", "tenants do not see each other"},
		{"get forgets the type", "create then get"},
		{"update forgets the type", "types do not meet"},
		{"delete forgets the type", "types do not meet"},
		{"query forgets the type", "types do not meet"},
		{"keys are the same in any case", "keys are what they are, byte by byte"},
		{"keys are joined", "keys are what they are, byte by byte"},
		{"update creates", "update needs the version"},
		{"update ignores the version", "update needs the version"},
		{"updates are lost", "compare and swap loses no update"},
		{"update merges", "update replaces the document"},
		{"what is handed out is changed", "what was read stays as it was"},
		{"half of an update is made when a value is taken", "update changes nothing when a value is taken"},
		{"the version stays", "update replaces the document"},
		{"readers see half of an update", "readers see whole changes"},
		{"a change moves a resource to the end", "query filters by what has changed"},
		{"delete of nothing succeeds", "delete"},
		{"delete ignores the version", "delete"},
		{"errors of views are swallowed", "query shows views"},
		{"views are called with the lock held", "query shows views"},
		{"views are ignored", "query shows views"},
		{"views see what is omitted", "query shows views"},
		{"filters are ignored", "query filters"},
		{"filters are ignored where there is an order", "query orders"},
		{"orders are ignored", "query orders"},
		{"the order of creation is that of ids", "equal resources are in the order of creation"},
		{"equal resources are in the order of ids", "equal resources are in the order of creation"},
		{"equal resources are turned around in descending order", "query orders"},
		{"cursors are offsets", "pages by cursor have what stays exactly once"},
		{"cursors are offsets in the order of creation", "pages by cursor have what stays exactly once"},
		{"cursors begin with a resource that may be gone", "pages by cursor have what stays exactly once"},
		{"the total is what follows the cursor", "query pages by cursor"},
		{"the total is that of the page", "query pages by index"},
		{"the total is that without the filter", "query filters"},
		{"offsets are ignored", "query pages by index"},
		{"limits are ignored", "query pages by index"},
		{"there is always a next page", "query pages by cursor"},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			failed := storetest.Failures(t, func() server.Store { return &toy{fault: tt.fault} })
			if failed[tt.breaks] == nil {
				t.Errorf("%q has passed; what failed is %q", tt.breaks, failed)
			}
		})
	}
}

// The same for what a MemberStore and a BatchStore promise.
func TestFindsFaultsOfMembers(t *testing.T) {
	for _, tt := range []struct{ fault, breaks string }{
		{"members are there twice", "members are added and removed"},
		{"get omits nothing", "get leaves out nothing but what may be omitted"},
		{"query omits nothing", "get leaves out nothing but what may be omitted"},
		{"nothing is kept", "update keeps what was not loaded"},
		{"updateMembers forgets the tenant", "tenants do not see each other"},
		{"updateMembers ignores the version", "members and document change together"},
		{"updateMembers ignores the version without a document", "members change under a version"},
		{"updateMembers leaves the time", "members are added and removed"},
		{"updateMembers forgets unique values", "members change nothing else"},
		{"updateMembers does not look at unique values", "members and document change together"},
		{"updateMembers changes what was handed out", "members change nothing else"},
		{"changes of members are lost", "concurrent member changes are all kept"},
		{"a change of nothing is a change", "members are added and removed"},
		{"the result has members", "members are added and removed"},
		{"reset removes nobody", "members are added and removed"},
		{"remove removes all", "members are added and removed"},
		{"add replaces", "members are added and removed"},
		{"members are added twice", "members are added and removed"},
		{"members are counted to the last", "members are counted"},
		{"what does not exist has no members", "members are counted"},
		{"countMembers forgets the tenant", "members are counted"},
		{"memberships forget the tenant", "tenants do not see each other"},
		{"memberships forget the type of the member", "memberships say the type of the member"},
		{"memberships are in no order", "members are found"},
		{"get many forgets the tenant", "get many"},
		{"get many needs all", "get many"},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			failed := storetest.Failures(t, func() server.Store { return &memberToy{toy{fault: tt.fault}} })
			if failed[tt.breaks] == nil {
				t.Errorf("%q has passed; what failed is %q", tt.breaks, failed)
			}
		})
	}
}

// Compare finds what few questions do not.
func TestCompareFindsFaults(t *testing.T) {
	for seed := range uint64(5) {
		for _, store := range []server.Store{new(toy), new(memberToy)} {
			if failed := storetest.CompareFailures(t, memory.New(), store, seed, 300); failed != nil {
				t.Errorf("%T without a fault, seed %d: %q", store, seed, failed)
			}
		}
	}
	for _, fault := range []string{
		"update merges", "the order of creation is that of ids", "query forgets the type", "there is always a next page",
		"equal resources are turned around in descending order", "add replaces", "unique values stay when a resource changes", "the total is what follows the cursor",
	} {
		t.Run(fault, func(t *testing.T) {
			if failed := storetest.CompareFailures(t, memory.New(), &memberToy{toy{fault: fault}}, 1, 300); failed == nil {
				t.Error("it has passed")
			}
		})
	}
}
