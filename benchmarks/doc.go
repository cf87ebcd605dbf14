// Package benchmarks measures scimbridge beside the libraries that do the same work, in one run. It is a module of its own, so that
// nobody who imports scimbridge imports its peers.
//
//	cd benchmarks && go test -run '^$' -bench . -benchmem
package benchmarks
