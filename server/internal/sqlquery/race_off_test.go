//go:build !race

package sqlquery_test

const (
	// defaultRounds is how many seeds the random tests try.
	defaultRounds = 12
	// longest is how many terms the longest filters have.
	longest = 12_000
)
