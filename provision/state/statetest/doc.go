// Package statetest checks that a [provision.State] does what the interface says.
//
//	func TestContract(t *testing.T) {
//		statetest.Run(t, func(t *testing.T) statetest.Open {
//			path := filepath.Join(t.TempDir(), "state.db")
//			return func(t *testing.T) provision.State { return open(t, path) }
//		})
//	}
//
// [Run] asks for a new, empty place for each of its tests, and opens the same place several times where it matters what another process
// sees.
package statetest
