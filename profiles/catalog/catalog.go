// Package catalog has ready-made profiles by name, made from documentation alone.
//
//	p, err := catalog.Profile("aws-iam-identity-center")
//
// Services: aws-iam-identity-center, github-enterprise, slack, and [github.com/scimbridge/scim/profiles/postman], whose package has more to
// offer. generic is any service that follows RFC 7644.
//
// Identity providers, which call services: entra, entra-optscim (Entra under the flag aadOptscim062020) and okta. A client with one of these
// profiles writes as they do, which is how a server is tested against them:
//
//	p, err := catalog.Profile("entra")
//	c, err := client.New(server.URL, client.WithProfile(p))
//
// Nothing in these profiles but Postman's has been tried on the service itself. Each statement says in its facts which page it is from, and
// whether it is there or inferred; package [github.com/scimbridge/scim/profiles/discover] finds out what a service really does.
package catalog

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/postman"
)

//go:embed *.json
var files embed.FS

// Names returns the names of all profiles, in alphabetical order.
func Names() []string {
	names := []string{"generic", "postman"}
	entries, err := files.ReadDir(".")
	if err != nil {
		return names // cannot be: the folder is compiled in
	}
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".json"))
	}
	slices.Sort(names)
	return names
}

// Profile returns the profile of a name. Each call returns a value of its own, which the caller may change. The error of an unknown
// name lists those that there are.
func Profile(name string) (*profiles.Profile, error) {
	switch name {
	case "generic":
		return profiles.Generic(), nil
	case "postman":
		return postman.Profile(), nil
	}
	data, err := files.ReadFile(name + ".json")
	if err != nil {
		return nil, fmt.Errorf("no profile is called %q; there are %s", name, strings.Join(Names(), ", "))
	}
	p, err := profiles.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", name, err)
	}
	return p, nil
}
