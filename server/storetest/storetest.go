package storetest

import (
	"testing"

	"github.com/scimbridge/scim/server"
)

// Run tests stores that open returns: an empty one for every call.
func Run(t *testing.T, open func(t *testing.T) server.Store) {
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			c.run(&fixture{TB: t, store: open(t), ctx: t.Context()})
		})
	}
}

// check is one promise of a store.
type check struct {
	name string
	run  func(*fixture)
}

func checks() []check {
	return []check{
		{"create then get", testCreate},
		{"create refuses an id that is there", testCreateExists},
		{"get leaves out nothing but what may be omitted", testOmit},
		{"unique values are refused to others", testUnique},
		{"unique values are free again", testUniqueFreed},
		{"unique scopes do not meet", testUniqueScopes},
		{"documents are not changed by the store", testGivenDocuments},
		{"update replaces the document", testUpdate},
		{"update needs the version", testUpdateVersion},
		{"update changes nothing when a value is taken", testUpdateTaken},
		{"update keeps what was not loaded", testKeep},
		{"delete", testDelete},
		{"ids are free again", testRecreate},
		{"what was read stays as it was", testSnapshot},
		{"tenants do not see each other", testTenants},
		{"types do not meet", testTypes},
		{"keys are what they are, byte by byte", testKeys},
		{"query filters", testFilters},
		{"query filters by what has changed", testFiltersFollowChanges},
		{"query pages by index", testIndexPages},
		{"query pages by cursor", testCursorPages},
		{"query orders", testOrder},
		{"equal resources are in the order of creation", testOrderOfCreation},
		{"query shows views", testView},
		{"pages by cursor have what stays exactly once", testCursorUnderChange},
		{"compare and swap loses no update", testConcurrentUpdates},
		{"readers see whole changes", testConcurrentReads},
		{"unique holds between concurrent creates", testConcurrentCreates},
		{"an id is created once", testConcurrentCreatesOfOneID},
		{"a cancelled context ends calls", testContext},
		{"members are added and removed", testMembers},
		{"members and document change together", testMembersWithDocument},
		{"members change under a version", testMembersUnderVersion},
		{"members change nothing else", testMembersAlone},
		{"members are counted", testCountMembers},
		{"members are found", testMemberships},
		{"memberships say the type of the member", testMembershipTypes},
		{"concurrent member changes are all kept", testConcurrentMembers},
		{"get many", testGetMany},
	}
}
