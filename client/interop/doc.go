// Package interop holds package client against SCIM servers that nobody here wrote, on loopback. It has tests only.
//
// The server of scimmy runs on Node. It is installed with
//
//	npm ci --prefix client/interop/testdata/scimmy
//
// and its tests are left out, with a message, where it is not installed, unless the environment has CI set.
package interop
