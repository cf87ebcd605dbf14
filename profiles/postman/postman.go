// Package postman is the profile of the Postman API platform's SCIM service.
//
//	c, err := client.New(postman.BaseURL, client.WithBearerToken(key), client.WithProfile(postman.Profile()))
//
// The key is a SCIM API key from Postman's Team Settings, Authentication; SCIM needs the Enterprise plan with single sign-on.
//
// What a user of the service should know, all of it in the profile too:
//
//   - Users have userName (the account's e-mail), active, name.givenName and name.familyName, all required; externalId is kept from the
//     create. Everything else is ignored. Groups have displayName and members.
//   - Users can be looked up by userName and by active, groups by displayName, with eq alone. The look-up tells upper case from lower,
//     yet a user whose e-mail differs in case only is refused as a duplicate.
//   - Users cannot be deleted: DELETE answers 501. active false takes them off the team, active true brings them back.
//   - userName can be changed only within domains that the team has verified, with a Super Admin's key.
//   - PUT changes what it is given and leaves the rest; there is none for groups. PATCH of a user is documented for active and
//     userName, of a group for displayName and members.
//   - 300 reads and 180 writes a minute for a team; pages of 100; no sorting, no bulk, no ETag, no /Schemas.
//   - A 429 is for a minute, unless its body says serviceLimitExhausted: then what the plan allows is used up, and the client does not try
//     again.
//   - A person must have joined the team before becoming a member of a group, and a group cannot be a member.
//   - Deleting a group may deactivate its members, by Postman's own words.
//
// Package postmantest, below this one, is a server that behaves like it, for tests.
package postman

import (
	"bytes"
	_ "embed"

	"github.com/scimbridge/scim/profiles"
)

// Tenant URLs. Data of teams in the European Union is behind a host of its own.
const (
	BaseURL   = "https://api.getpostman.com/scim/v2/"
	BaseURLEU = "https://api.eu.postman.com/scim/v2/"
)

//go:embed postman.json
var profileJSON []byte

//go:embed mapping.json
var mappingJSON []byte

// MappingJSON returns the attribute mappings that Microsoft's tutorial gives for Postman, in the JSON form of package mapping: pass it to
// mapping.Decode. Users are read from userPrincipalName, givenName, surname and the computed IsSoftDeleted, and matched by userName;
// groups from displayName and members, and matched by displayName. The caller may change the bytes.
func MappingJSON() []byte { return bytes.Clone(mappingJSON) }

// Profile returns what is known of the service. Each call returns a value of its own, which the caller may change.
func Profile() *profiles.Profile {
	p, err := profiles.Decode(profileJSON)
	if err != nil {
		// The file is compiled in and tested: it is sound or the program was built from broken sources.
		panic(err)
	}
	return p
}
