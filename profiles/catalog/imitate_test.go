package catalog_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

// recorded is a server of this module that keeps what it was sent.
type recorded struct {
	http.Handler
	sent []string // method and path without ids, and the body
}

func (h *recorded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		h.sent = append(h.sent, r.Method+" "+strings.Join(strings.Split(r.URL.Path, "/")[:2], "/")+" "+operations(body))
	}
	h.Handler.ServeHTTP(w, r)
}

// operations are those of a PATCH, or the names in the body of a PUT.
func operations(body []byte) string {
	var patch struct {
		Operations json.RawMessage
	}
	if json.Unmarshal(body, &patch) == nil && patch.Operations != nil {
		return string(patch.Operations)
	}
	return ""
}

func imitate(t *testing.T, name string) (*recorded, *client.Client) {
	t.Helper()
	next := 0
	s, err := server.New(memory.New(), server.Options{Authenticator: server.Anonymous(), NewID: func() string {
		next++
		return fmt.Sprintf("id%d", next)
	}})
	if err != nil {
		t.Fatal(err)
	}
	h := &recorded{Handler: s}
	listening := httptest.NewServer(h)
	t.Cleanup(listening.Close)
	c, err := client.New(listening.URL, client.WithProfile(load(t, name)), client.WithRateLimits())
	if err != nil {
		t.Fatal(err)
	}
	return h, c
}

// A client with an identity provider's profile writes as it does, and our server ends in the right state.
func TestClientsWriteAsIdentityProvidersDo(t *testing.T) {
	tests := []struct {
		name string
		want []string
	}{
		{"entra", []string{
			`PATCH /Users [{"op":"Replace","path":"name.givenName","value":"Augusta"}]`,
			`PATCH /Users [{"op":"Replace","path":"active","value":"False"}]`,
			`PATCH /Groups [{"op":"Add","path":"members","value":[{"value":"id1"}]}]`,
			`PATCH /Groups [{"op":"Remove","path":"members","value":[{"value":"id1"}]}]`,
		}},
		{"entra-optscim", []string{
			`PATCH /Users [{"op":"replace","value":{"name.givenName":"Augusta"}}]`,
			`PATCH /Users [{"op":"replace","value":{"active":false}}]`,
			`PATCH /Groups [{"op":"add","path":"members","value":[{"value":"id1"}]}]`,
			`PATCH /Groups [{"op":"remove","path":"members[value eq \"id1\"]"}]`,
		}},
		{"okta", []string{
			`PUT /Users `,
			`PATCH /Users [{"op":"replace","value":{"active":false}}]`,
			`PATCH /Groups [{"op":"add","path":"members","value":[{"value":"id1"}]}]`,
			`PATCH /Groups [{"op":"remove","path":"members[value eq \"id1\"]"}]`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, c := imitate(t, tt.name)
			ctx := t.Context()
			ada, err := c.Users().Create(ctx, scim.User{
				UserName: "ada@meridian.example", Name: &scim.Name{GivenName: "Ada", FamilyName: "Byron"}, Active: scim.Bool(true),
			})
			if err != nil {
				t.Fatal(err)
			}
			renamed := ada
			renamed.Name = &scim.Name{GivenName: "Augusta", FamilyName: "Byron"}
			renamed, err = c.Users().Update(ctx, ada, renamed)
			if err != nil {
				t.Fatal(err)
			}
			gone := renamed
			gone.Active = scim.Bool(false)
			if _, err := c.Users().Update(ctx, renamed, gone); err != nil {
				t.Fatal(err)
			}
			group, err := c.Groups().Create(ctx, scim.Group{DisplayName: "Engineering"})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Groups().AddMembers(ctx, group.ID, ada.ID); err != nil {
				t.Fatal(err)
			}
			if err := c.Groups().RemoveMembers(ctx, group.ID, ada.ID); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, h.sent); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
			found, err := c.Users().Find(ctx, "userName", "ada@meridian.example")
			if err != nil || found.Name.GivenName != "Augusta" || *found.Active {
				t.Errorf("the server has %+v, %v", found, err)
			}
			if members, err := c.Groups().Members(ctx, group.ID); err != nil || len(members) != 0 {
				t.Errorf("members %v, %v", members, err)
			}
		})
	}
}

func TestMembersInPortionsOfAHundred(t *testing.T) {
	h, c := imitate(t, "aws-iam-identity-center")
	ctx := t.Context()
	var ids []string
	for i := range 250 {
		name := fmt.Sprintf("user%d", i)
		u, err := c.Users().Create(ctx, scim.User{UserName: name, DisplayName: name, Name: &scim.Name{GivenName: name, FamilyName: "Doe"}})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, u.ID)
	}
	group, err := c.Groups().Create(ctx, scim.Group{DisplayName: "Everyone"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Groups().AddMembers(ctx, group.ID, ids...); err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, s := range h.sent {
		sizes = append(sizes, strings.Count(s, `"value":"id`))
	}
	if diff := cmp.Diff([]int{100, 100, 50}, sizes); diff != "" {
		t.Errorf("members in each request (-want +got):\n%s", diff)
	}
}

func TestGitHubTakesOneComparison(t *testing.T) {
	_, c := imitate(t, "github-enterprise")
	f := filter.Eq("userName", "ada").And(filter.Eq("externalId", "1"))
	if _, err := c.Users().First(t.Context(), f); err == nil || !strings.Contains(err.Error(), `does not support "and"`) {
		t.Errorf("error %v", err)
	}
}
