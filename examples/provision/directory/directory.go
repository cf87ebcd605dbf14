// Package directory is the example's source: an invented company's people and groups, as its HR system would export them.
package directory

import _ "embed"

//go:generate go run generate.go

// People is people.csv, a row for each person.
//
//go:embed people.csv
var People []byte

// Groups is groups.csv, a row for each group, its members separated by semicolons.
//
//go:embed groups.csv
var Groups []byte
