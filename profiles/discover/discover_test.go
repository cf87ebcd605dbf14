package discover_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/discover"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

const token = "test-token"

// ours starts a server of this module with two users and a group.
func ours(t *testing.T, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	h, err := server.New(memory.New(), server.Options{Authenticator: server.BearerTokens(token)})
	if err != nil {
		t.Fatal(err)
	}
	var handler http.Handler = h
	if wrap != nil {
		handler = wrap(h)
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	c, err := client.New(s.URL, client.WithBearerToken(token))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ada@meridian.example", "grace@meridian.example"} {
		if _, err := c.Users().Create(t.Context(), scim.User{UserName: name, DisplayName: name, Active: scim.Bool(true)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"Engineering", "Sales"} {
		if _, err := c.Groups().Create(t.Context(), scim.Group{DisplayName: name}); err != nil {
			t.Fatal(err)
		}
	}
	return s.URL
}

// simulated starts a Postman simulator with two users and two groups.
func simulated(t *testing.T) *postmantest.Server {
	t.Helper()
	srv := postmantest.NewServer(t, postmantest.Options{RateLimits: []profiles.RateLimit{}})
	c, err := client.New(srv.URL, client.WithBearerToken(srv.Key), client.WithProfile(postman.Profile()), client.WithRateLimits())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ada@meridian.example", "grace@meridian.example"} {
		u := scim.User{UserName: name, Active: scim.Bool(true), Name: &scim.Name{GivenName: "Ada", FamilyName: "Byron"}}
		if _, err := c.Users().Create(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"Engineering", "Sales"} {
		if _, err := c.Groups().Create(t.Context(), scim.Group{DisplayName: name}); err != nil {
			t.Fatal(err)
		}
	}
	srv.ResetJournal()
	return srv
}

func probe(t *testing.T, url string, o discover.Options, key string) *discover.Report {
	t.Helper()
	r, err := discover.Probe(t.Context(), url, o, client.WithBearerToken(key), client.WithRateLimits())
	if err != nil {
		t.Fatal(err)
	}
	data, err := r.Profile.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := profiles.Decode(data); err != nil {
		t.Errorf("the profile cannot be read again: %v", err)
	}
	if missing, err := r.Profile.Unsourced(); err != nil || len(missing) > 0 {
		t.Errorf("no source for %v %v", missing, err)
	}
	if strings.Contains(string(data), key) {
		t.Error("the key is in the profile")
	}
	return r
}

func wantFindings(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// wantStatements compares parts of the profile, by their paths, with what they must be and how sure that is.
func wantStatements(t *testing.T, p *profiles.Profile, want map[string]string) {
	t.Helper()
	all, err := profiles.Compare(&profiles.Profile{}, p)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range all {
		flatten(got, d.Path, []byte(d.B))
	}
	for path, value := range want {
		have := got[path]
		if f, ok := p.Fact(path); ok && have != "" {
			have += " " + string(f.Basis)
		}
		if have != value {
			t.Errorf("%s: %q, want %q", path, have, value)
		}
	}
}

func flatten(into map[string]string, path string, value []byte) {
	var object map[string]jsontext.Value
	if json.Unmarshal(value, &object) != nil {
		into[path] = string(value)
		return
	}
	for name, v := range object {
		flatten(into, path+"/"+name, v)
	}
}

func TestProbeOfOurServer(t *testing.T) {
	r := probe(t, ours(t, nil), discover.Options{Name: "ours"}, token)
	wantFindings(t, r.Findings)
	wantStatements(t, r.Profile, map[string]string{
		"/etag":                                               "true observed",
		"/bulk/supported":                                     "true documented",
		"/paging/sortBy":                                      "true observed",
		"/paging/projection":                                  "true observed",
		"/paging/cursor":                                      "true observed",
		"/paging/maxCount":                                    "1000 documented",
		"/authentication/bearer/type":                         `"bearer" documented`,
		"/resources/User/operations/list":                     `"list" observed`,
		"/resources/User/operations/read":                     `"read" observed`,
		"/resources/User/operations/create":                   `"create" inferred`,
		"/resources/User/filterLogic":                         "",
		"/resources/User/attributes/userName/filter/eq":       `"eq" observed`,
		"/resources/User/attributes/userName/filter/co":       `"co" observed`,
		"/resources/User/attributes/userName/filter/le":       `"le" observed`,
		"/resources/User/attributes/userName/required":        "true documented",
		"/resources/User/attributes/userName/unique":          "true documented",
		"/resources/User/attributes/userName/filterCaseExact": "",
		"/resources/User/attributes/title/filter/eq":          `"eq" observed`,
		"/resources/User/attributes/title/filter/co":          `"co" inferred`,
		"/resources/User/attributes/active/filter/eq":         `"eq" observed`,
		"/resources/User/attributes/active/filter/co":         "",
		"/resources/User/attributes/password/filter/eq":       "",
		"/resources/User/attributes/emails.value/filter/eq":   `"eq" observed`,
		"/resources/Group/attributes/displayName/required":    "true documented",
		"/resources/User/deprovision":                         `"deactivate" inferred`,
	})
}

func TestProbeOfOurServerWithWrites(t *testing.T) {
	url := ours(t, nil)
	r := probe(t, url, discover.Options{Name: "ours", AllowWrites: true}, token)
	wantFindings(t, r.Findings)
	wantStatements(t, r.Profile, map[string]string{
		"/resources/User/operations/create":               `"create" observed`,
		"/resources/User/operations/update":               `"update" observed`,
		"/resources/User/operations/replace":              `"replace" observed`,
		"/resources/User/operations/delete":               `"delete" observed`,
		"/resources/User/put":                             "",
		"/resources/User/deprovision":                     `"deactivate" observed`,
		"/resources/User/attributes/userName/unique":      "true observed",
		"/resources/Group/operations/delete":              `"delete" observed`,
		"/resources/Group/deprovision":                    `"delete" observed`,
		"/resources/Group/membersOnCreate":                "true observed",
		"/resources/Group/patch/memberRemoval":            "",
		"/errors/refusals/a user exists already/status":   "409 observed",
		"/errors/refusals/a user exists already/scimType": `"uniqueness" observed`,
	})
	if len(r.Left) != 0 {
		t.Errorf("left: %v", r.Left)
	}
	c, err := client.New(url, client.WithBearerToken(token))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"User", "Group"} {
		if n, err := c.Documents(name).Count(t.Context(), filter.Filter{}); err != nil || n != 2 {
			t.Errorf("%d resources of type %s, %v; want the 2 that were there before", n, name, err)
		}
	}
}

func TestProbeOfPostman(t *testing.T) {
	srv := simulated(t)
	r := probe(t, srv.URL, discover.Options{Name: "team"}, srv.Key)
	wantFindings(t, r.Findings,
		"/ResourceTypes answers with a bare array instead of a list (RFC 7644 section 4).",
		"There is no /Schemas: it answers with 404 (RFC 7644 section 4).",
		`Answers are sent as "application/json" instead of application/scim+json (RFC 7644 section 8.1).`,
		"Filters of /Users on userName tell upper case from lower: true; RFC 7643 says false.",
		"The parameter attributes is ignored: userName was asked for, and active came as well (RFC 7644 section 3.9).",
		"Filters of /Groups on displayName tell upper case from lower: true; RFC 7643 says false.",
		"The parameter attributes is ignored: displayName was asked for, and members came as well (RFC 7644 section 3.9).",
	)
	wantStatements(t, r.Profile, map[string]string{
		"/discovery/resourceTypesIsArray": "true observed",
		"/discovery/noSchemas":            "true observed",
		"/paging/maxCount":                "100 documented",
		"/paging/projection":              "",
		"/paging/sortBy":                  "",
		"/paging/cursor":                  "",
		"/etag":                           "",
		"/bulk":                           "",
		"/resources/User/filterLogic":     `"none" observed`,
		"/resources/User/attributes/userName/filter/eq":       `"eq" observed`,
		"/resources/User/attributes/userName/filter/ne":       "",
		"/resources/User/attributes/userName/filterCaseExact": "true observed",
		"/resources/User/attributes/active/filter/eq":         `"eq" observed`,
		"/resources/User/attributes/externalId/filter/eq":     "",
		"/resources/User/attributes/name.givenName/filter/eq": "",
		"/resources/Group/attributes/displayName/filter/eq":   `"eq" observed`,
		"/resources/Group/attributes/members.value/filter/eq": "",
	})
	if writes := srv.Journal().Writes(); len(writes) > 0 {
		t.Errorf("without leave, it wrote:\n%s", writes)
	}
}

func TestProbeOfPostmanWithWrites(t *testing.T) {
	srv := simulated(t)
	r := probe(t, srv.URL, discover.Options{Name: "team", AllowWrites: true, Suffix: "0a1b"}, srv.Key)
	for _, want := range []string{
		"PUT leaves attributes as they are that it does not have; RFC 7644 section 3.5.1 has them removed.",
		"PUT of a group is answered with 501.",
		"DELETE of a User is answered with 501.",
	} {
		if !slices.Contains(r.Findings, want) {
			t.Errorf("%q is not among the findings %q", want, r.Findings)
		}
	}
	wantStatements(t, r.Profile, map[string]string{
		"/resources/User/put":                             `"merge" observed`,
		"/resources/User/operations/delete":               "",
		"/resources/User/operations/replace":              `"replace" observed`,
		"/resources/User/operations/update":               `"update" observed`,
		"/resources/User/deprovision":                     `"deactivate" observed`,
		"/resources/User/attributes/userName/unique":      "true observed",
		"/resources/User/attributes/userName/caseExact":   "",
		"/resources/User/attributes/emails.value/type":    "",
		"/resources/User/attributes/name.familyName/type": `"string" observed`,
		"/resources/Group/operations/replace":             "",
		"/resources/Group/operations/delete":              `"delete" observed`,
		"/resources/Group/attributes/displayName/unique":  "true observed",
		"/resources/Group/membersOnCreate":                "true observed",
		"/resources/Group/patch/memberRemoval":            "",
	})
	if len(r.Left) != 1 || !strings.Contains(r.Left[0], "scimbridge-probe-0a1b@example.com") || !strings.Contains(r.Left[0], "was deactivated") {
		t.Errorf("left: %q, want the test user", r.Left)
	}
	users := srv.Users()
	if len(users) != 3 || users[2].UserName != "scimbridge-probe-0a1b@example.com" || *users[2].Active {
		t.Errorf("users %+v, want the two from before and the test user, deactivated", users)
	}
	if len(srv.Groups()) != 2 {
		t.Errorf("groups %+v, want the two from before", srv.Groups())
	}
}

// What the two services differ in is what their documentation says they differ in.
func TestDifferencesBetweenTheTwo(t *testing.T) {
	srv := simulated(t)
	differences, err := profiles.Compare(
		probe(t, ours(t, nil), discover.Options{AllowWrites: true, Suffix: "0a1b"}, token).Profile,
		probe(t, srv.URL, discover.Options{AllowWrites: true, Suffix: "0a1b"}, srv.Key).Profile)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range differences {
		if !strings.HasPrefix(d.Path, "/baseUrls") && !strings.Contains(d.Path, "/attributes/") &&
			!strings.HasPrefix(d.Path, "/errors") && !strings.HasPrefix(d.Path, "/authentication") {
			got = append(got, d.String())
		}
	}
	want := []string{
		`/bulk: {"maxOperations":1000,"maxPayloadSize":16777216,"supported":true}, nothing`,
		`/discovery: nothing, {"noSchemas":true,"resourceTypesIsArray":true}`,
		`/etag: true, nothing`,
		`/paging/cursor: true, nothing`,
		`/paging/maxCount: 1000, 100`,
		`/paging/projection: true, nothing`,
		`/paging/sortBy: true, nothing`,
		`/resources/Group/filterLogic: nothing, "none"`,
		`/resources/Group/operations/replace: "replace", nothing`,
		`/resources/User/filterLogic: nothing, "none"`,
		`/resources/User/operations/delete: "delete", nothing`,
		`/resources/User/put: nothing, "merge"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
