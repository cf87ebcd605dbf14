// Package discover finds out what a SCIM service can do by asking it, and writes it down as a profile.
//
//	report, err := discover.Probe(ctx, "https://widgets.example/scim/v2", discover.Options{Name: "widgets"},
//		client.WithBearerToken(os.Getenv("WIDGETS_TOKEN")))
//	data, err := report.Profile.Encode() // to keep and edit, see docs/guide-profile.md
//
// It reads /ServiceProviderConfig, /ResourceTypes and /Schemas, and then tries what they say with requests that only read: a filter on each
// attribute with a value that nothing has, pages of several sizes, an id that does not exist, sorting, projection, cursors. Each statement of
// the profile says in its facts whether the service states it (documented), did it (observed), or whether RFC 7644 is all there is to go
// by (inferred). Where the service does otherwise than it says, what it does counts, and [Report.Findings] tells.
//
// With [Options.AllowWrites] it also creates a user and a group, both named scimbridge-probe with some random digits, changes them, and removes
// them again; a user who cannot be removed is deactivated. [Report.Left] has what is left of them.
//
// A service that holds nothing reveals less: a filter that is ignored and one that matches nothing look alike there.
package discover
