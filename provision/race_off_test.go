//go:build !race

package provision_test

const (
	raceDetector = false
	// defaultSeeds is how many histories TestConvergence plays.
	defaultSeeds = 2000
)
