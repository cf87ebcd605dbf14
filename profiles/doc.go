// Package profiles describes SCIM services: what each one offers, demands, limits and gets wrong.
//
// A [Profile] is plain data. The client refuses with it what the service would refuse, the mapping is checked against it before
// anything runs, the provisioning engine paces itself and deprovisions by it, and a simulator can be built from it. It is written
// once, as a Go value or as JSON:
//
//	p, err := profiles.Load("my-service.json")
//
// Postman's is in package [github.com/scimbridge/scim/profiles/postman], others are in [github.com/scimbridge/scim/profiles/catalog].
// [Generic] is the profile of a service of which nothing is known but that it follows RFC 7644.
// Package [github.com/scimbridge/scim/profiles/discover] makes a profile by asking the service; docs/guide-profile.md tells how to write one,
// and docs/profile.schema.json helps an editor to.
//
// # Facts
//
// What a profile says may be documented by the service's maker, observed on the service, or inferred. [Profile.Facts] tells
// which, and where it comes from, so that nobody has to take a guess for a promise.
package profiles
