// Package storetest checks that a [server.Store] keeps its promises.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) server.Store { return newStore(t) })
//	}
//
// The tests look at results only, and use nothing of the store but the interface. Optional interfaces are tested where the store
// implements them.
package storetest
