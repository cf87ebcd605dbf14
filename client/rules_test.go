package client_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles"
)

// TestWhatPostmanRefusesIsNotSent holds that every rule of the profile is told before a request is spent on it.
func TestWhatPostmanRefusesIsNotSent(t *testing.T) {
	list := func(c *client.Client, q client.Query) error {
		for _, err := range c.Users().List(t.Context(), q) {
			return err
		}
		return nil
	}
	name := &scim.Name{GivenName: "A", FamilyName: "B"}
	tests := []struct {
		name string
		call func(*client.Client) error
		kind error
		text []string // in the error
	}{
		{
			"delete a user", func(c *client.Client) error { return c.Users().Delete(t.Context(), "1") },
			scim.ErrNotImplemented,
			[]string{"Postman does not offer delete of a User", "set active to false instead"},
		},
		{
			"replace a group", func(c *client.Client) error {
				_, err := c.Groups().Replace(t.Context(), "1", scim.Group{DisplayName: "G"})
				return err
			},
			scim.ErrNotImplemented,
			[]string{"does not offer replace of a Group", "use Update or Patch instead"},
		},
		{
			"search", func(c *client.Client) error {
				for _, err := range c.Users().Search(t.Context(), client.Query{}) {
					return err
				}
				return nil
			}, scim.ErrNotImplemented, []string{"use List instead"},
		},
		{
			"filter by an attribute", func(c *client.Client) error { return list(c, client.Query{Filter: filter.Eq("externalId", "x")}) },
			scim.ErrInvalidFilter,
			[]string{"externalId eq", "userName eq", "active eq"},
		},
		{
			"filter with an operator", func(c *client.Client) error { return list(c, client.Query{Filter: filter.Sw("userName", "x")}) },
			scim.ErrInvalidFilter,
			[]string{"userName sw"},
		},
		{
			"filter inside another", func(c *client.Client) error {
				return list(c, client.Query{Filter: filter.Eq("userName", "x").And(filter.Has("emails", filter.Eq("type", "work")))})
			}, scim.ErrInvalidFilter, []string{"emails.type"},
		},
		{
			"filter that is none", func(c *client.Client) error { return list(c, client.Query{Filter: filter.Eq("user name", "x")}) },
			scim.ErrInvalidFilter, nil,
		},
		{
			"sort", func(c *client.Client) error { return list(c, client.Query{SortBy: "userName"}) },
			nil,
			[]string{"does not sort"},
		},
		{
			"create without userName", func(c *client.Client) error {
				_, err := c.Users().Create(t.Context(), scim.User{Name: name, Active: scim.Bool(true)})
				return err
			}, scim.ErrInvalidValue, []string{"userName is required"},
		},
		{
			"create with an empty name", func(c *client.Client) error {
				_, err := c.Documents("User").Create(t.Context(), scim.Document{
					"userName": "a@example.com", "active": true, "name": map[string]any{"givenName": "", "familyName": "B"},
				})
				return err
			}, scim.ErrInvalidValue, []string{"name.givenName is required"},
		},
		{
			"create with half a name", func(c *client.Client) error {
				_, err := c.Users().Create(t.Context(), scim.User{UserName: "a@example.com", Active: scim.Bool(true), Name: &scim.Name{GivenName: "A"}})
				return err
			}, scim.ErrInvalidValue, []string{"name.familyName is required"},
		},
		{
			"create with a userName that is no address", func(c *client.Client) error {
				_, err := c.Users().Create(t.Context(), scim.User{UserName: "a", Name: name, Active: scim.Bool(true)})
				return err
			}, scim.ErrInvalidValue, []string{"userName must be an e-mail address"},
		},
		{
			"filters joined", func(c *client.Client) error {
				_, err := c.Users().First(t.Context(), filter.Eq("userName", "a@example.com").And(filter.Eq("active", true)))
				return err
			}, scim.ErrInvalidFilter, []string{`does not support "and"`},
		},
		{
			"filter turned round", func(c *client.Client) error {
				_, err := c.Users().First(t.Context(), filter.Eq("active", true).Not())
				return err
			}, scim.ErrInvalidFilter, []string{`does not support "not"`},
		},
		{
			"patch to a userName that is no address", func(c *client.Client) error {
				_, err := c.Users().Patch(t.Context(), "1", []scim.PatchOperation{{Op: "replace", Path: "username", Value: "a"}})
				return err
			}, scim.ErrInvalidValue, []string{"userName must be an e-mail address"},
		},
		{
			"patch without a path to a userName that is no address", func(c *client.Client) error {
				_, err := c.Users().Patch(t.Context(), "1", []scim.PatchOperation{{Op: "replace", Value: map[string]any{"userName": "a"}}})
				return err
			}, scim.ErrInvalidValue, []string{"userName must be an e-mail address"},
		},
		{
			"patch what the service writes", func(c *client.Client) error {
				_, err := c.Users().Patch(t.Context(), "1", []scim.PatchOperation{{Op: "replace", Path: "meta.created", Value: "x"}})
				return err
			}, scim.ErrMutability, []string{"meta.created"},
		},
		{
			"patch nothing", func(c *client.Client) error {
				_, err := c.Users().Patch(t.Context(), "1", nil)
				return err
			}, scim.ErrInvalidSyntax, nil,
		},
		{
			"a type that nobody knows", func(c *client.Client) error {
				_, err := c.Documents("Device").Get(t.Context(), "1")
				return err
			}, nil, []string{`"Device"`, "client.For"},
		},
		{
			"schemas", func(c *client.Client) error {
				_, err := c.Schemas(t.Context())
				return err
			}, scim.ErrNotFound, []string{"Postman has no /Schemas"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
				t.Errorf("sent %s %s", r.Method, r.URL)
				return response(http.StatusOK, `{}`), nil
			}), postmanProfile(t))
			err := tt.call(c)
			if !errors.Is(err, client.ErrNotSent) || tt.kind != nil && !errors.Is(err, tt.kind) {
				t.Errorf("error %v, want one that was not sent and %v", err, tt.kind)
			}
			for _, text := range tt.text {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("error %q does not say %q", err, text)
				}
			}
			if got := c.Stats(); got.Requests != 0 || got.Failures != 1 {
				t.Errorf("stats %+v", got)
			}
		})
	}
}

func TestFiltersAreWrittenAsTheServiceWantsThem(t *testing.T) {
	f := filter.Eq("active", false)
	tests := []struct {
		name   string
		f      filter.Filter
		quirks []profiles.Quirk
		want   string
	}{
		{"RFC", f, nil, `active eq false`},
		{"quoted booleans", f, []profiles.Quirk{profiles.StringFilterBooleans}, `active eq "false"`},
		{
			"quoted booleans inside", filter.Pr("title").And(filter.Has("emails", filter.Eq("primary", true).And(filter.Sw("value", "a"))), f.Or(filter.Gt("age", 7)).Not()),
			[]profiles.Quirk{profiles.StringFilterBooleans},
			`title pr and emails[primary eq "true" and value sw "a"] and not (active eq "false" or age gt 7)`,
		},
		{
			"every operator", filter.Ne("active", true).Or(filter.Co("a", "x"), filter.Ew("a", "x"), filter.Ge("a", 1), filter.Lt("a", 1), filter.Le("a", "x"), filter.Gt("a", 2.5)),
			[]profiles.Quirk{profiles.StringFilterBooleans},
			`active ne "true" or a co "x" or a ew "x" or a ge 1 or a lt 1 or a le "x" or a gt 2.5`,
		},
		{"no filter", filter.Filter{}, []profiles.Quirk{profiles.StringFilterBooleans}, ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
				got = r.URL.Query().Get("filter")
				return response(http.StatusOK, `{"Resources":[]}`), nil
			}), client.WithProfile(&profiles.Profile{Quirks: tt.quirks}))
			for _, err := range c.Users().List(t.Context(), client.Query{Filter: tt.f}) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("filter (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFindLooksForLowerCaseWhereFiltersMissIt(t *testing.T) {
	s := newService()
	defer s.Close()
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		f := r.URL.Query().Get("filter")
		if f != `userName eq "taylor.lee@example.com"` {
			answer(w, http.StatusOK, scim.ListResponse[scim.Document]{})
			return true
		}
		return false
	}
	s.add("Users", scim.Document{"userName": "taylor.lee@example.com"})
	c, err := client.New(s.URL, postmanProfile(t))
	if err != nil {
		t.Fatal(err)
	}
	user, err := c.Users().Find(t.Context(), "userName", "Taylor.Lee@example.com")
	if err != nil || user.ID != "1" {
		t.Errorf("%v, error %v", user, err)
	}
}

func TestRequestsAsThePostmanProfileWantsThem(t *testing.T) {
	var got []string
	c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
		got = append(got, r.Method+" "+r.Header.Get("Content-Type")+" "+r.Header.Get("Accept")+" "+r.URL.RawQuery)
		return response(http.StatusOK, `{"id":"1"}`), nil
	}), postmanProfile(t))
	if _, err := c.Users().Patch(t.Context(), "1", []scim.PatchOperation{{Op: "replace", Value: map[string]any{"active": false}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Groups().Get(t.Context(), "1", client.ExcludedAttributes("members")); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"PATCH application/json application/scim+json, application/json;q=0.9 ",
		"GET  application/scim+json, application/json;q=0.9 ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// A service that can filter on parts of addresses, by some operators, and join comparisons with and alone.
func TestFiltersInsideValuePathsAreChecked(t *testing.T) {
	p := &profiles.Profile{Name: "some", Resources: []profiles.Resource{{
		Name: "User", Endpoint: "/Users", Schema: scim.UserSchema, Operations: []profiles.Operation{profiles.List}, FilterLogic: profiles.AndOnly,
		Attributes: []profiles.Attribute{
			{Path: "emails.type", Type: "string", Filter: []string{"eq"}},
			{Path: "emails.value", Type: "string", Filter: []string{"eq", "pr"}},
			{Path: "title", Type: "string", Filter: []string{"pr"}},
		},
	}}}
	for text, refused := range map[string]string{
		`emails[type eq "work" and value eq "a"]`:             "",
		`emails[value pr]`:                                    "",
		scim.UserSchema + `:title pr`:                         "",
		`emails[type eq "work" and not (value sw "a")]`:       "emails.value sw",
		`emails[type eq "work" or (type pr and value pr)]`:    "emails.type pr",
		`title pr and emails[value eq "a" or display co "b"]`: "emails.display co",
		`title pr or emails[value pr]`:                        `does not support "or"`,
		`title eq "x"`:                                        "title eq",
	} {
		sent := 0
		c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
			sent++
			return response(http.StatusOK, `{"Resources":[]}`), nil
		}), client.WithProfile(p))
		var err error
		for _, err = range c.Users().List(t.Context(), client.Query{Filter: filter.MustParse(text)}) {
		}
		if (refused == "") != (err == nil) || err != nil && (!strings.Contains(err.Error(), refused) || sent > 0) {
			t.Errorf("%s: %v after %d requests, want %q", text, err, sent, refused)
		}
	}
}

func TestReplacementsAndGroupsThatAreKnownToBeRefused(t *testing.T) {
	c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
		t.Errorf("sent %s %s", r.Method, r.URL)
		return response(http.StatusOK, `{}`), nil
	}), client.WithProfile(&profiles.Profile{Name: "some", Resources: []profiles.Resource{
		{
			Name: "User", Endpoint: "/Users", Schema: scim.UserSchema, Operations: []profiles.Operation{profiles.Replace},
			Attributes: []profiles.Attribute{{Path: "userName", Type: "string", Required: true}},
		},
		{Name: "Group", Endpoint: "/Groups", Schema: scim.GroupSchema, Operations: []profiles.Operation{profiles.Create}, MaxMembers: 1, MembersOnCreate: true},
	}}))
	if _, err := c.Users().Replace(t.Context(), "1", scim.User{DisplayName: "A"}); !errors.Is(err, client.ErrNotSent) || !strings.Contains(err.Error(), "userName is required") {
		t.Errorf("replace: %v", err)
	}
	full := scim.Group{DisplayName: "G", Members: []scim.Reference{{Value: "a"}, {Value: "b"}}}
	if _, err := c.Groups().Create(t.Context(), full); !errors.Is(err, client.ErrNotSent) || !strings.Contains(err.Error(), "at most 1 members") {
		t.Errorf("create: %v", err)
	}
	if _, err := c.Users().Create(t.Context(), scim.User{UserName: "a"}); !errors.Is(err, client.ErrNotSent) || !strings.Contains(err.Error(), "some does not offer create") {
		t.Errorf("create: %v", err)
	}
}

// Where two values may differ in case alone, a value in another case is another value.
func TestFindLooksOnceWhereCaseCounts(t *testing.T) {
	n := 0
	c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
		n++
		return response(http.StatusOK, `{"totalResults":0,"Resources":[]}`), nil
	}), profileOf(func(r *profiles.Resource) {
		r.Attributes = []profiles.Attribute{{Path: "userName", Type: "string", Filter: []string{"eq"}, CaseExact: true, FilterCaseExact: true}}
	}))
	if _, err := c.Users().Find(t.Context(), "userName", "Taylor"); !errors.Is(err, scim.ErrNotFound) || n != 1 {
		t.Errorf("error %v after %d requests", err, n)
	}
}

// The format of one attribute says nothing of the values of others.
func TestPatchOfAnotherAttributeIsSent(t *testing.T) {
	s := &recorder{answers: map[string]string{"PATCH": `{"id":"1"}`}}
	c := newClient(t, s, postmanProfile(t))
	for _, op := range []scim.PatchOperation{
		{Op: scim.OpReplace, Path: "name.givenName", Value: "A"},
		{Op: scim.OpReplace, Value: map[string]any{"active": false}},
		{Op: scim.OpRemove, Path: "userName", Value: "A"},
	} {
		if _, err := c.Users().Patch(t.Context(), "1", []scim.PatchOperation{op}); err != nil {
			t.Errorf("%v: %v", op, err)
		}
	}
	if len(s.log) != 3 {
		t.Errorf("requests %v", s.log)
	}
}

func TestRefusedOperationsAreNamedByTheirIndex(t *testing.T) {
	_, err := newClient(t, &recorder{}, postmanProfile(t)).Users().Patch(t.Context(), "1", []scim.PatchOperation{
		{Op: scim.OpReplace, Path: "active", Value: false}, {Op: scim.OpReplace, Path: "userName", Value: "a"},
	})
	if refused, _ := errors.AsType[*scim.Error](err); refused == nil || refused.Operation != 2 || refused.Attribute != "userName" {
		t.Errorf("error %v", err)
	}
}

func TestCountReadsTheListWhereTotalsLie(t *testing.T) {
	for name, test := range map[string]struct {
		paging profiles.Paging
		want   int
	}{
		"totals are true": {profiles.Paging{}, 1000},
		"totals lie":      {profiles.Paging{TotalsUnreliable: true}, 3},
	} {
		c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
			if r.URL.Query().Get("startIndex") != "1" {
				return response(http.StatusOK, `{"totalResults":1000,"Resources":[]}`), nil
			}
			return response(http.StatusOK, `{"totalResults":1000,"Resources":[{"id":"1"},{"id":"2"},{"id":"3"}]}`), nil
		}), client.WithProfile(&profiles.Profile{Paging: test.paging}))
		if n, err := c.Users().Count(t.Context(), filter.Filter{}); err != nil || n != test.want {
			t.Errorf("%s: %d, error %v", name, n, err)
		}
	}
}
