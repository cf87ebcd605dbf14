//go:build race

package provision_test

// Under the race detector SQLite is an order of magnitude slower, so less is played: what it looks for shows in few histories too.
const (
	raceDetector = true
	defaultSeeds = 80
)
