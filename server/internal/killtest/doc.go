// Package killtest checks that a store keeps what clients were told is kept, when the process of their server is killed at any
// moment.
//
//	func TestMain(m *testing.M) {
//		killtest.Serve(open) // in the process to be killed it does not return
//		os.Exit(m.Run())
//	}
//
//	func TestKill(t *testing.T) { killtest.Run(t, filepath.Join(t.TempDir(), "scim.db"), 50) }
//
// In each round a process serves SCIM over HTTP from the store that the rounds before have left, several clients write to it, and after some
// answers it is killed. The next process must show every change that was answered, and of those that were not each either whole
// or not at all.
//
// [Share] lets two such processes work on one store at the same time.
package killtest
