package profiles_test

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles"
)

// guide returns the guide, and the profile that it works out.
func guide(t *testing.T) (string, *profiles.Profile) {
	t.Helper()
	data, err := os.ReadFile("../docs/guide-profile.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(string(data), -1)
	if len(blocks) != 1 {
		t.Fatalf("the guide has %d blocks of JSON, want one", len(blocks))
	}
	return string(data), decode(t, blocks[0][1])
}

// What the guide tells of its example must be so.
func TestGuide(t *testing.T) {
	text, p := guide(t)
	if missing, err := p.Unsourced(); err != nil || len(missing) > 0 {
		t.Errorf("without a fact: %v %v", missing, err)
	}
	for _, name := range []string{"profiles/postman", "profiles/catalog", "examples/probe", "docs/profile.schema.json"} {
		if _, err := os.Stat("../" + name); err != nil || !strings.Contains(text, strings.TrimPrefix(name, "docs/")) {
			t.Errorf("%s: %v", name, err)
		}
	}

	m, err := mapping.Compile(mapping.ObjectMapping{
		Name: "Users", Source: "User", Target: "User",
		Attributes: []mapping.AttributeMapping{
			{Target: "userName", Source: "mail"},
			{Target: "displayName", Source: "displayName"},
			{Target: "title", Source: "title", Matching: 1},
			{Target: "active", Expression: "Not([IsSoftDeleted])"},
		},
	}, mapping.WithProfile(p))
	if err != nil {
		t.Fatal(err)
	}
	problems := m.Check(p)
	if len(problems) != 1 || !strings.Contains(text, problems[0].String()) {
		t.Errorf("the guide does not have what the check says: %v", problems)
	}

	c, err := client.New("https://scim.widgets.example/v2/", client.WithProfile(p))
	if err != nil {
		t.Fatal(err)
	}
	for what, call := range map[string]func() error{
		"a create without userName": func() error {
			_, err := c.Users().Create(t.Context(), scim.User{DisplayName: "Ada"})
			return err
		},
		"a userName that is no address": func() error {
			_, err := c.Users().Create(t.Context(), scim.User{UserName: "ada", DisplayName: "Ada"})
			return err
		},
		"a filter with and": func() error {
			_, err := c.Users().First(t.Context(), filter.Eq("userName", "a").And(filter.Eq("externalId", "1")))
			return err
		},
		"a look-up by title": func() error {
			_, err := c.Users().Find(t.Context(), "title", "x")
			return err
		},
		"a PUT": func() error {
			_, err := c.Users().Replace(t.Context(), "1", scim.User{UserName: "a@b.example", DisplayName: "Ada"})
			return err
		},
	} {
		if err := call(); !errors.Is(err, client.ErrNotSent) {
			t.Errorf("%s: error %v, want one that was not sent", what, err)
		}
	}
	changes, err := plan(t, c)
	if err != nil || len(changes) != 1 || changes[0].Method != "PATCH" {
		t.Errorf("a change is sent as %+v, %v; want one PATCH", changes, err)
	}
}

func plan(t *testing.T, c *client.Client) ([]client.Change, error) {
	t.Helper()
	old := scim.User{ID: "1", UserName: "a@b.example", DisplayName: "Ada", Title: "Engineer"}
	new := old
	new.Title = "Director"
	return c.Users().PlanUpdate(t.Context(), old, new)
}
