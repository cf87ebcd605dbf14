//go:build race

package main

// killPoints is lower under the race detector, which makes a run ten times as slow: what it looks for shows at any point, and all points
// are tried without it.
const killPoints = 4
