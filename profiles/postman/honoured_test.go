package postman_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
)

// A profile is worth what those who read it make of it. The tests of this file show that the mapping and the client mind it.

// matchedBy returns the tutorial's mapping of users or groups with another matching attribute.
func matchedBy(t *testing.T, target, attribute string) mapping.ObjectMapping {
	t.Helper()
	file, err := mapping.Decode(postman.MappingJSON())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range file.Mappings {
		if m.Target != target {
			continue
		}
		found := false
		for i := range m.Attributes {
			a := &m.Attributes[i]
			a.Matching = 0
			if a.Target == attribute {
				a.Matching, found = 1, true
			}
		}
		if !found {
			m.Attributes = append(m.Attributes, mapping.AttributeMapping{Target: attribute, Source: "objectId", Matching: 1, Apply: mapping.OnCreate})
		}
		return m
	}
	t.Fatalf("no mapping of %s", target)
	return mapping.ObjectMapping{}
}

func TestMatchingAttributeMustBeFilterable(t *testing.T) {
	tests := []struct{ target, attribute, wouldDo string }{
		{"User", "name.givenName", "These would do: userName"},
		{"User", "name.familyName", "These would do: userName"},
		{"User", "externalId", "These would do: userName"},
		{"Group", "externalId", "These would do: displayName"},
		{"User", "userName", ""},
		{"Group", "displayName", ""},
	}
	for _, tt := range tests {
		t.Run(tt.target+" by "+tt.attribute, func(t *testing.T) {
			p := postman.Profile()
			m, err := mapping.Compile(matchedBy(t, tt.target, tt.attribute), mapping.WithProfile(p))
			if err != nil {
				t.Fatal(err)
			}
			var failures []string
			for _, problem := range m.Check(p) {
				if problem.Severity == mapping.Failure {
					failures = append(failures, problem.String())
				}
			}
			text := strings.Join(failures, "\n")
			if tt.wouldDo == "" {
				if text != "" {
					t.Errorf("refused: %s", text)
				}
				return
			}
			if !strings.Contains(text, tt.attribute+": the service cannot filter on it") || !strings.Contains(text, tt.wouldDo) {
				t.Errorf("got %q, want it to name %s and to say %q", text, tt.attribute, tt.wouldDo)
			}
		})
	}
}

func TestWhatPostmanRefusesIsNotSent(t *testing.T) {
	name := &scim.Name{GivenName: "Ada", FamilyName: "Byron"}
	tests := map[string]func(*client.Client) error{
		"a userName that is no e-mail address": func(c *client.Client) error {
			_, err := c.Users().Create(t.Context(), scim.User{UserName: "ada", Name: name, Active: scim.Bool(true)})
			return err
		},
		"a create without family name": func(c *client.Client) error {
			u := scim.User{UserName: "ada@meridian.example", Name: &scim.Name{GivenName: "Ada"}, Active: scim.Bool(true)}
			_, err := c.Users().Create(t.Context(), u)
			return err
		},
		"a change of userName to what is no address": func(c *client.Client) error {
			old := scim.User{ID: "1", UserName: "ada@meridian.example", Name: name, Active: scim.Bool(true)}
			new := old
			new.UserName = "ada"
			_, err := c.Users().Update(t.Context(), old, new)
			return err
		},
		"deleting a user": func(c *client.Client) error { return c.Users().Delete(t.Context(), "1") },
		"replacing a group": func(c *client.Client) error {
			_, err := c.Groups().Replace(t.Context(), "1", scim.Group{DisplayName: "Engineering"})
			return err
		},
		"a group without a name": func(c *client.Client) error {
			_, err := c.Groups().Create(t.Context(), scim.Group{})
			return err
		},
		"a look-up by what cannot be filtered": func(c *client.Client) error {
			_, err := c.Users().Find(t.Context(), "externalId", "42")
			return err
		},
		"an operator that is not eq": func(c *client.Client) error {
			_, err := c.Groups().First(t.Context(), filter.Sw("displayName", "Eng"))
			return err
		},
		"two comparisons": func(c *client.Client) error {
			_, err := c.Users().First(t.Context(), filter.Eq("userName", "a@b.example").And(filter.Eq("active", true)))
			return err
		},
		"sorting": func(c *client.Client) error {
			_, err := c.Users().Page(t.Context(), client.Query{SortBy: "userName"})
			return err
		},
		"reading schemas": func(c *client.Client) error {
			_, err := c.Schemas(t.Context())
			return err
		},
	}
	for what, call := range tests {
		t.Run(what, func(t *testing.T) {
			srv := postmantest.NewServer(t, postmantest.Options{})
			c, err := client.New(srv.URL, client.WithBearerToken(srv.Key), client.WithProfile(postman.Profile()))
			if err != nil {
				t.Fatal(err)
			}
			if err := call(c); !errors.Is(err, client.ErrNotSent) {
				t.Errorf("got error %v, want one that was not sent", err)
			}
			if journal := srv.Journal(); len(journal) > 0 {
				t.Errorf("Postman was asked: %+v", journal)
			}
		})
	}
}
