//go:build !race

package main

// killPoints is at how many points of a run the program is killed.
const killPoints = 20
