package catalog_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/catalog"
)

func load(t *testing.T, name string) *profiles.Profile {
	t.Helper()
	p, err := catalog.Profile(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNames(t *testing.T) {
	want := []string{"aws-iam-identity-center", "entra", "entra-optscim", "generic", "github-enterprise", "okta", "postman", "slack"}
	if diff := cmp.Diff(want, catalog.Names()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := catalog.Profile("nobody"); err == nil || !strings.Contains(err.Error(), "github-enterprise, okta") {
		t.Errorf("error %v, want one that lists the names", err)
	}
	if _, err := catalog.Profile("../catalog/slack"); err == nil {
		t.Error("a path is taken for a name")
	}
}

func TestEveryStatementHasItsSource(t *testing.T) {
	for _, name := range catalog.Names() {
		if name == "generic" {
			continue // it is RFC 7644
		}
		t.Run(name, func(t *testing.T) {
			p := load(t, name)
			if p.Name != name || p.Title == "" {
				t.Errorf("it is called %q, %q", p.Name, p.Title)
			}
			missing, err := p.Unsourced()
			if err != nil {
				t.Fatal(err)
			}
			if len(missing) > 0 {
				t.Errorf("no fact says where these come from:\n%s", strings.Join(missing, "\n"))
			}
			for path, f := range p.Facts {
				if f.Basis == profiles.Documented && f.Source == "" || f.Basis == profiles.Inferred && f.Note == "" {
					t.Errorf("%s: %+v does not say from where", path, f)
				}
			}
		})
	}
}

// The identity providers' dialects are written out in their profiles, and must be those of package patch.
func TestDialectsOfIdentityProviders(t *testing.T) {
	for name, want := range map[string]patch.Dialect{"entra": patch.Entra(), "entra-optscim": patch.EntraOptSCIM(), "okta": patch.Okta()} {
		p := load(t, name)
		if !p.Client {
			t.Errorf("%s is not called a client", name)
		}
		group, _ := p.Resource("Group")
		if diff := cmp.Diff(want, group.Patch); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestFactsThatMatter(t *testing.T) {
	aws, github, slack := load(t, "aws-iam-identity-center"), load(t, "github-enterprise"), load(t, "slack")
	group, _ := aws.Resource("Group")
	if group.Patch.MembersPerRequest != 100 || group.Offers(profiles.Replace) || !aws.Paging.Cursor {
		t.Errorf("AWS: %+v", group)
	}
	user, _ := github.Resource("User")
	if user.FilterLogic != profiles.NoLogic || user.Deprovision != profiles.Deactivate {
		t.Errorf("GitHub: %+v", user)
	}
	if id, ok := user.Attribute("externalId"); !ok || !id.Required || !cmp.Equal(id.Filter, []string{"eq"}) {
		t.Errorf("GitHub: externalId %+v", id)
	}
	if got := slack.RateLimits[1].Requests; got != 180 || slack.Paging.MaxCount != 1000 {
		t.Errorf("Slack: %d writes a minute, pages of %d", got, slack.Paging.MaxCount)
	}
}
