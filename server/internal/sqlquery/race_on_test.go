//go:build race

package sqlquery_test

// The race detector makes SQLite some twenty times slower, and these tests have no goroutines of their own to look at.
const (
	defaultRounds = 2
	longest       = 1000
)
