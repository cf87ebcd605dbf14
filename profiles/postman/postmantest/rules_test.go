package postmantest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
)

// Each test below is named after the numbered rule of the simulator that it checks.

// answer is what the simulator said.
type answer struct {
	status int
	header http.Header
	text   string
	doc    map[string]any // nil when the body is no JSON object
}

func (a answer) scimType() string {
	s, _ := a.doc["scimType"].(string)
	return s
}

type caller struct {
	*postmantest.Server
	t *testing.T
}

func start(t *testing.T, o postmantest.Options) caller {
	return caller{postmantest.NewServer(t, o), t}
}

func (c caller) do(method, path, body string) answer {
	c.t.Helper()
	return c.send(method, path, body, "Bearer "+c.Key)
}

func (c caller) send(method, path, body, authorization string) answer {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.URL+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	r.Header.Set("Content-Type", "application/scim+json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, text: string(data)}
	_ = json.Unmarshal(data, &a.doc)
	return a
}

// want fails the test unless the answer has a status and, when it is an error, the scimType.
func (c caller) want(a answer, status int, scimType string) {
	c.t.Helper()
	if a.status != status || a.scimType() != scimType {
		c.t.Errorf("status %d scimType %q, want %d %q: %s", a.status, a.scimType(), status, scimType, a.text)
	}
}

func (c caller) user(userName string) string {
	c.t.Helper()
	a := c.do("POST", "Users", userBody(userName))
	c.want(a, http.StatusCreated, "")
	id, _ := a.doc["id"].(string)
	return id
}

func userBody(userName string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"name":{"givenName":"Ada","familyName":"Byron"},"active":true}`, userName)
}

func (c caller) group(name string, members ...string) string {
	c.t.Helper()
	a := c.do("POST", "Groups", groupBody(name, members...))
	c.want(a, http.StatusCreated, "")
	id, _ := a.doc["id"].(string)
	return id
}

func groupBody(name string, members ...string) string {
	list := []string{}
	for _, m := range members {
		list = append(list, fmt.Sprintf(`{"value":%q}`, m))
	}
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":%q,"members":[%s]}`, name, strings.Join(list, ","))
}

func patchBody(operations string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":` + operations + `}`
}

// members returns the values of a group's members, in order.
func (a answer) members() []string {
	ids := []string{}
	list, _ := a.doc["members"].([]any)
	for _, m := range list {
		m, _ := m.(map[string]any)
		id, _ := m["value"].(string)
		ids = append(ids, id)
	}
	return ids
}

func (c caller) wantMembers(a answer, want ...string) {
	c.t.Helper()
	if want == nil {
		want = []string{}
	}
	if diff := cmp.Diff(want, a.members()); diff != "" {
		c.t.Errorf("members (-want +got):\n%s", diff)
	}
}

func TestRule01OnlyDocumentedRoutes(t *testing.T) {
	c := start(t, postmantest.Options{})
	for _, path := range []string{"Users", "Users/", "Groups", "ServiceProviderConfig", "ResourceTypes"} {
		c.want(c.do("GET", path, ""), http.StatusOK, "")
	}
	for _, path := range []string{"Schemas", "Me", "Bulk", "Users/1/groups", "ResourceTypes/User", ".search", ""} {
		a := c.do("GET", path, "")
		c.want(a, http.StatusNotFound, "")
		if a.doc["schemas"] != nil {
			t.Errorf("%s: a SCIM error, want the platform's own: %s", path, a.text)
		}
	}
}

func TestRule02Key(t *testing.T) {
	tests := []struct {
		name, authorization string
		options             postmantest.Options
		want                int
	}{
		{"bearer", "Bearer " + postmantest.DefaultKey, postmantest.Options{}, 200},
		{"scheme in any case", "bEARER " + postmantest.DefaultKey, postmantest.Options{}, 200},
		{"bare key", postmantest.DefaultKey, postmantest.Options{}, 200},
		{"bare key refused", postmantest.DefaultKey, postmantest.Options{Switches: postmantest.Switches{RefuseBareKey: true}}, 401},
		{"wrong", "Bearer wrong", postmantest.Options{}, 401},
		{"basic", "Basic " + postmantest.DefaultKey, postmantest.Options{}, 401},
		{"none", "", postmantest.Options{}, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, tt.options)
			c.want(c.send("GET", "Users", "", tt.authorization), tt.want, "")
		})
	}
}

func TestRule03Unauthorized(t *testing.T) {
	c := start(t, postmantest.Options{})
	a := c.send("GET", "Users", "", "Bearer wrong")
	if a.doc["status"] != "401" || a.doc["schemas"] == nil {
		t.Errorf("not a SCIM error: %s", a.text)
	}
	if a := c.send("GET", "ResourceTypes", "", "Bearer wrong"); a.status != 401 || a.doc["error"] == nil {
		t.Errorf("ResourceTypes: %d %s, want the platform's own error", a.status, a.text)
	}
}

func TestRule04Trouble(t *testing.T) {
	tests := []struct {
		trouble   postmantest.Trouble
		get, post int
	}{
		{postmantest.AdminLeft, 403, 403},
		{postmantest.TeamGone, 400, 400},
		{postmantest.NotEnterprise, 200, 400},
	}
	for _, tt := range tests {
		t.Run(string(tt.trouble), func(t *testing.T) {
			c := start(t, postmantest.Options{Trouble: tt.trouble})
			c.want(c.do("GET", "Users", ""), tt.get, "")
			c.want(c.do("POST", "Users", userBody("a@meridian.example")), tt.post, "")
		})
	}
}

func TestRule05KeyThenRateThenRouteThenBody(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := start(t, postmantest.Options{Now: func() time.Time { return now }})
	for range 180 {
		c.want(c.do("POST", "Nowhere", "not JSON"), http.StatusNotFound, "")
	}
	c.want(c.send("POST", "Nowhere", "", "Bearer wrong"), http.StatusUnauthorized, "")
	c.want(c.do("POST", "Nowhere", "not JSON"), http.StatusTooManyRequests, "")
	c.want(c.do("GET", "Nowhere", ""), http.StatusNotFound, "")
}

func TestRule06UnsupportedMethods(t *testing.T) {
	c := start(t, postmantest.Options{})
	c.want(c.do("DELETE", "Users/"+c.user("a@meridian.example"), ""), http.StatusNotImplemented, "invalidSyntax")
	c.want(c.do("DELETE", "Users/unknown", ""), http.StatusNotImplemented, "invalidSyntax")
	group := c.group("One")
	c.want(c.do("PUT", "Groups/"+group, groupBody("Two")), http.StatusNotImplemented, "invalidSyntax")
	c.want(c.do("PUT", "Users", userBody("b@meridian.example")), http.StatusNotFound, "")
	c = start(t, postmantest.Options{Switches: postmantest.Switches{NotFoundForBadMethods: true}})
	c.want(c.do("PUT", "Groups/"+c.group("One"), groupBody("Two")), http.StatusNotFound, "")
	c.want(c.do("DELETE", "Users/unknown", ""), http.StatusNotImplemented, "invalidSyntax")
}

func TestRule07ContentType(t *testing.T) {
	for want, o := range map[string]postmantest.Options{
		"application/json":      {},
		"application/scim+json": {Switches: postmantest.Switches{SCIMContentType: true}},
	} {
		if got := start(t, o).do("GET", "Users", "").header.Get("Content-Type"); !strings.HasPrefix(got, want) {
			t.Errorf("Content-Type %q, want %q", got, want)
		}
	}
}

func TestRule08RateLimits(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := start(t, postmantest.Options{Now: func() time.Time { return now }})
	for i := range 300 {
		if a := c.do("GET", "Users?count=0", ""); a.status != http.StatusOK {
			t.Fatalf("read %d: %d %s", i+1, a.status, a.text)
		}
	}
	a := c.do("GET", "Users?count=0", "")
	c.want(a, http.StatusTooManyRequests, "")
	if a.doc["status"] != 429.0 {
		t.Errorf("status %v, want the number 429", a.doc["status"])
	}
	asText := start(t, postmantest.Options{
		RateLimits: []profiles.RateLimit{{Name: "read", Requests: 1, Seconds: 60}}, Switches: postmantest.Switches{TextStatusIn429: true},
	})
	asText.do("GET", "Users", "")
	if a := asText.do("GET", "Users", ""); a.doc["status"] != "429" {
		t.Errorf("status %v, want the string 429", a.doc["status"])
	}
	c.user("writes@meridian.example") // are counted apart
	now = now.Add(time.Minute)
	c.want(c.do("GET", "Users?count=0", ""), http.StatusOK, "")
}

func TestRule09RateHeaders(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	o := postmantest.Options{Now: func() time.Time { return now }}
	c := start(t, o)
	for range 180 {
		c.do("POST", "Users", "")
	}
	a := c.do("POST", "Users", "")
	for name, want := range map[string]string{
		"Retry-After": "60", "RetryAfter": "60", "X-RateLimit-RetryAfter": "60",
		"RateLimit-Limit": "180", "RateLimit-Remaining": "0", "X-RateLimit-Reset": "60",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	o.Switches.NoRateHeaders = true
	for name := range start(t, o).do("GET", "Users", "").header {
		if strings.Contains(strings.ToLower(name), "rate") {
			t.Errorf("header %s, want none", name)
		}
	}
}

func TestRule10ServiceProviderConfig(t *testing.T) {
	a := start(t, postmantest.Options{}).do("GET", "ServiceProviderConfig", "")
	var config scim.ServiceProviderConfig
	if err := json.Unmarshal([]byte(a.text), &config); err != nil {
		t.Fatal(err)
	}
	if !config.Patch.Supported || config.Bulk.Supported || config.Sort.Supported || config.ETag.Supported ||
		config.ChangePassword.Supported || !config.Filter.Supported || config.Filter.MaxResults != 100 {
		t.Errorf("features: %s", a.text)
	}
}

func TestRule11ResourceTypesIsAnArray(t *testing.T) {
	a := start(t, postmantest.Options{}).do("GET", "ResourceTypes", "")
	var types []scim.ResourceType
	if err := json.Unmarshal([]byte(a.text), &types); err != nil {
		t.Fatal(err)
	}
	if len(types) != 2 || types[0].Name != "User" || !types[0].SchemaExtensions[0].Required || types[1].Name != "Group" {
		t.Errorf("%s", a.text)
	}
}

func TestRule12IdAndMeta(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	c := start(t, postmantest.Options{Now: func() time.Time { return now }})
	id := c.user("a@meridian.example")
	if !regexp.MustCompile(`^[0-9a-f]{48}$`).MatchString(id) {
		t.Errorf("id %q", id)
	}
	now = now.Add(time.Hour)
	a := c.do("PATCH", "Users/"+id, patchBody(`[{"op":"replace","value":{"active":false}}]`))
	want := map[string]any{"resourceType": "User", "created": "2026-01-02T03:04:05.678Z", "lastModified": "2026-01-02T04:04:05.678Z"}
	if diff := cmp.Diff(want, a.doc["meta"]); diff != "" {
		t.Errorf("meta (-want +got):\n%s", diff)
	}
}

func TestRule13ResponseHoldsDocumentedAttributesOnly(t *testing.T) {
	c := start(t, postmantest.Options{})
	a := c.do("POST", "Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a@meridian.example","externalId":"42",
		"name":{"givenName":"Ada","familyName":"Byron","middleName":"K"},"active":true,"title":"Countess","displayName":"Ada","locale":"en-GB",
		"emails":[{"value":"a@meridian.example"}],"password":"secret","groups":["x"],"roles":[{"value":"admin"}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Engines"}}`)
	c.want(a, http.StatusCreated, "")
	delete(a.doc, "meta")
	delete(a.doc, "id")
	want := map[string]any{
		"schemas": []any{scim.UserSchema}, "userName": "a@meridian.example", "externalId": "42", "active": true,
		"name": map[string]any{"givenName": "Ada", "familyName": "Byron"},
	}
	if diff := cmp.Diff(want, a.doc); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if a := c.do("POST", "Users", userBody("b@meridian.example")); a.doc["externalId"] != nil {
		t.Error("an externalId that was never given is returned")
	}
	if h := a.header; h.Get("ETag")+h.Get("Location") != "" {
		t.Errorf("headers that Postman does not send: %v", h)
	}
}

func TestRule14Create(t *testing.T) {
	c := start(t, postmantest.Options{})
	tests := map[string]string{
		"no userName":    `{"name":{"givenName":"A","familyName":"B"},"active":true}`,
		"no e-mail":      `{"userName":"ada","name":{"givenName":"A","familyName":"B"},"active":true}`,
		"no given name":  `{"userName":"a@meridian.example","name":{"familyName":"B"},"active":true}`,
		"no family name": `{"userName":"a@meridian.example","name":{"givenName":"A"},"active":true}`,
		"empty name":     `{"userName":"a@meridian.example","name":{},"active":true}`,
		"malformed":      `{"userName":`,
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) { c.want(c.do("POST", "Users", body), http.StatusBadRequest, "invalidSyntax") })
	}
	a := c.do("POST", "Users", `{"userName":"a@meridian.example","name":{"givenName":"A","familyName":"B"}}`)
	if a.status != http.StatusCreated || a.doc["active"] != true {
		t.Errorf("without active: %d %s, want an active user", a.status, a.text)
	}
}

func TestRule15Duplicates(t *testing.T) {
	c := start(t, postmantest.Options{})
	id := c.user("a@meridian.example")
	c.want(c.do("POST", "Users", userBody("a@meridian.example")), http.StatusConflict, "uniqueness")
	c.want(c.do("POST", "Users", userBody("A@Meridian.example")), http.StatusConflict, "uniqueness")
	deactivate := patchBody(`[{"op":"replace","value":{"active":false}}]`)
	c.want(c.do("PATCH", "Users/"+id, deactivate), http.StatusOK, "")
	c.want(c.do("POST", "Users", userBody("a@meridian.example")), http.StatusConflict, "uniqueness")

	c = start(t, postmantest.Options{Switches: postmantest.Switches{ReactivateOnCreate: true}})
	id = c.user("a@meridian.example")
	c.do("PATCH", "Users/"+id, deactivate)
	a := c.do("POST", "Users", userBody("a@meridian.example"))
	if a.status != http.StatusCreated || a.doc["id"] != id || a.doc["active"] != true {
		t.Errorf("%d %s, want the same user, active again", a.status, a.text)
	}
	if n := len(c.Users()); n != 1 {
		t.Errorf("%d users, want one", n)
	}
}

func TestRule16Accounts(t *testing.T) {
	options := postmantest.Options{
		VerifiedDomains: []string{"meridian.example"},
		Accounts: map[string]postmantest.Account{
			"own@meridian.example": postmantest.Standalone, "own@elsewhere.example": postmantest.Standalone,
			"other@meridian.example": postmantest.OtherTeam, "other@elsewhere.example": postmantest.OtherTeam,
		},
	}
	tests := []struct {
		userName string
		status   int
		pending  bool
	}{
		{"new@elsewhere.example", http.StatusCreated, false},
		{"own@meridian.example", http.StatusCreated, false},
		{"own@elsewhere.example", http.StatusCreated, true},
		{"other@meridian.example", http.StatusCreated, false},
		{"other@elsewhere.example", http.StatusConflict, false},
	}
	for _, tt := range tests {
		t.Run(tt.userName, func(t *testing.T) {
			c := start(t, options)
			a := c.do("POST", "Users", userBody(tt.userName))
			if a.status != tt.status {
				t.Fatalf("%d %s, want %d", a.status, a.text, tt.status)
			}
			if a.status != http.StatusCreated {
				return
			}
			id, _ := a.doc["id"].(string)
			joined := c.do("POST", "Groups", groupBody("G", id)).status == http.StatusCreated
			if joined == tt.pending {
				t.Errorf("can be a member: %v, want %v", joined, !tt.pending)
			}
			if accepted := c.Accept(tt.userName); accepted != tt.pending {
				t.Errorf("there was an invitation to accept: %v, want %v", accepted, tt.pending)
			}
			if tt.pending {
				c.group("After", id)
			}
		})
	}
}

func TestRule17Seats(t *testing.T) {
	c := start(t, postmantest.Options{Seats: 1})
	id := c.user("a@meridian.example")
	c.want(c.do("POST", "Users", userBody("b@meridian.example")), http.StatusBadRequest, "")
	c.do("PATCH", "Users/"+id, patchBody(`[{"op":"replace","value":{"active":false}}]`))
	c.user("b@meridian.example")
}

func TestRule18RolesAreNotShown(t *testing.T) {
	c := start(t, postmantest.Options{})
	if a := c.do("GET", "Users/"+c.user("a@meridian.example"), ""); a.doc["roles"] != nil {
		t.Errorf("roles are shown: %s", a.text)
	}
}

func TestRule19GetOne(t *testing.T) {
	c := start(t, postmantest.Options{})
	id := c.user("a@meridian.example")
	c.do("PATCH", "Users/"+id, patchBody(`[{"op":"replace","value":{"active":false}}]`))
	if a := c.do("GET", "Users/"+id, ""); a.status != http.StatusOK || a.doc["active"] != false {
		t.Errorf("a deactivated user: %d %s", a.status, a.text)
	}
	c.want(c.do("GET", "Users/unknown", ""), http.StatusNotFound, "")
}

func TestRule20PutMerges(t *testing.T) {
	c := start(t, postmantest.Options{})
	a := c.do("POST", "Users", `{"userName":"a@meridian.example","externalId":"1","name":{"givenName":"Ada","familyName":"Byron"}}`)
	id, _ := a.doc["id"].(string)
	a = c.do("PUT", "Users/"+id, `{"externalId":"2","title":"x","name":{"familyName":"Lovelace"}}`)
	c.want(a, http.StatusOK, "")
	want := map[string]any{"givenName": "Ada", "familyName": "Lovelace"}
	if diff := cmp.Diff(want, a.doc["name"]); diff != "" {
		t.Errorf("name (-want +got):\n%s", diff)
	}
	if a.doc["userName"] != "a@meridian.example" || a.doc["active"] != true || a.doc["externalId"] != "1" {
		t.Errorf("what the request left out was changed: %s", a.text)
	}
}

func TestRule21ChangeOfUserName(t *testing.T) {
	verified := []string{"meridian.example"}
	tests := []struct {
		name, to string
		options  postmantest.Options
		status   int
		scimType string
	}{
		{"verified domain", "new@meridian.example", postmantest.Options{VerifiedDomains: verified}, 200, ""},
		{"unverified domain", "new@elsewhere.example", postmantest.Options{VerifiedDomains: verified}, 400, ""},
		{"no e-mail", "new", postmantest.Options{VerifiedDomains: verified}, 400, ""},
		{"Team Admin's key", "new@meridian.example", postmantest.Options{VerifiedDomains: verified, TeamAdminKey: true}, 403, ""},
		{"taken", "B@meridian.example", postmantest.Options{VerifiedDomains: verified}, 409, "uniqueness"},
		{"case only", "A@meridian.example", postmantest.Options{VerifiedDomains: verified}, 200, ""},
		{"as it was before 2024", "new@meridian.example", postmantest.Options{Switches: postmantest.Switches{UserNameFixed: true}}, 400, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, tt.options)
			id := c.user("a@meridian.example")
			c.user("b@meridian.example")
			c.want(c.do("PATCH", "Users/"+id, patchBody(fmt.Sprintf(`[{"op":"replace","path":"userName","value":%q}]`, tt.to))), tt.status, tt.scimType)
			c.want(c.do("PUT", "Users/"+id, fmt.Sprintf(`{"userName":%q}`, tt.to)), tt.status, tt.scimType)
		})
	}
}

func TestRule22PatchOfUsers(t *testing.T) {
	forms := []struct {
		name, operations string
		documented       bool
		check            string // name of an attribute that must be changed
	}{
		{"active without path", `[{"op":"replace","value":{"active":false}}]`, true, "active"},
		{"userName", `[{"op":"replace","path":"userName","value":"new@meridian.example"}]`, true, "userName"},
		{"Entra active", `[{"op":"Replace","path":"active","value":"False"}]`, false, "active"},
		{"Entra name", `[{"op":"Replace","path":"name.givenName","value":"New"}]`, false, "name"},
		{"dotted keys", `[{"op":"replace","value":{"name.givenName":"New"}}]`, false, "name"},
	}
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			c := start(t, postmantest.Options{})
			id := c.user("a@meridian.example")
			before := c.do("GET", "Users/"+id, "")
			a := c.do("PATCH", "Users/"+id, patchBody(f.operations))
			c.want(a, http.StatusOK, "")
			if cmp.Equal(before.doc[f.check], a.doc[f.check]) {
				t.Errorf("%s was not changed: %s", f.check, a.text)
			}
			strict := start(t, postmantest.Options{Switches: postmantest.Switches{StrictUserPatch: true}})
			a = strict.do("PATCH", "Users/"+strict.user("a@meridian.example"), patchBody(f.operations))
			if f.documented {
				strict.want(a, http.StatusOK, "")
			} else {
				strict.want(a, http.StatusBadRequest, "invalidSyntax")
			}
		})
	}
}

func TestRule23PatchIsAllOrNothing(t *testing.T) {
	c := start(t, postmantest.Options{})
	id := c.user("a@meridian.example")
	for _, operations := range []string{
		`[{"op":"add","value":{"active":false}}]`, `[{"op":"remove","path":"name"}]`, `[]`,
		`[{"op":"replace","value":{"active":false}},{"op":"add","path":"userName","value":"b@meridian.example"}]`,
	} {
		c.want(c.do("PATCH", "Users/"+id, patchBody(operations)), http.StatusBadRequest, "invalidSyntax")
	}
	c.want(c.do("PATCH", "Users/"+id, patchBody(`[{"op":"replace","path":"favouriteColour","value":"teal"}]`)), http.StatusOK, "")
	if a := c.do("GET", "Users/"+id, ""); a.doc["active"] != true {
		t.Errorf("a refused PATCH changed the user: %s", a.text)
	}
}

func TestRule24DeactivationLeavesTheTeam(t *testing.T) {
	off, on := patchBody(`[{"op":"replace","value":{"active":false}}]`), patchBody(`[{"op":"replace","value":{"active":true}}]`)
	for name, keep := range map[string]bool{"dropped from groups": false, "kept in groups": true} {
		t.Run(name, func(t *testing.T) {
			c := start(t, postmantest.Options{Seats: 2, Switches: postmantest.Switches{KeepGroupsOnDeactivate: keep}})
			a, b := c.user("a@meridian.example"), c.user("b@meridian.example")
			group := c.group("G", a, b)
			c.want(c.do("PATCH", "Users/"+a, off), http.StatusOK, "")
			if keep {
				c.wantMembers(c.do("GET", "Groups/"+group, ""), a, b)
			} else {
				c.wantMembers(c.do("GET", "Groups/"+group, ""), b)
			}
			c.user("c@meridian.example") // takes the seat
			c.want(c.do("PATCH", "Users/"+a, on), http.StatusBadRequest, "")
		})
	}
}

func TestRule25SuperAdmins(t *testing.T) {
	off := patchBody(`[{"op":"replace","value":{"active":false}}]`)
	c := start(t, postmantest.Options{TeamAdminKey: true, SuperAdmins: []string{"a@meridian.example"}})
	c.want(c.do("PATCH", "Users/"+c.user("a@meridian.example"), off), http.StatusForbidden, "")
	c.want(c.do("PATCH", "Users/"+c.user("b@meridian.example"), off), http.StatusOK, "")
}

func TestRule26Strangers(t *testing.T) {
	for want, o := range map[int]postmantest.Options{
		http.StatusNotFound:  {},
		http.StatusForbidden: {Switches: postmantest.Switches{ForbiddenForStrangers: true}},
	} {
		c := start(t, o)
		c.want(c.do("PUT", "Users/unknown", `{"active":false}`), want, "")
		c.want(c.do("PATCH", "Users/unknown", patchBody(`[{"op":"replace","value":{"active":false}}]`)), want, "")
		c.want(c.do("GET", "Users/unknown", ""), http.StatusNotFound, "")
	}
}

func TestRule27CreateGroup(t *testing.T) {
	c := start(t, postmantest.Options{})
	id := c.user("a@meridian.example")
	c.want(c.do("POST", "Groups", `{"members":[]}`), http.StatusBadRequest, "invalidSyntax")
	group := c.group("One", id)
	c.wantMembers(c.do("GET", "Groups/"+group, ""), id)
	c.want(c.do("POST", "Groups", groupBody("One")), http.StatusConflict, "uniqueness")
	c.want(c.do("POST", "Groups", groupBody("Two", "unknown")), http.StatusNotFound, "")
	if a := c.do("POST", "Groups", `{"displayName":"Three","externalId":"3"}`); a.doc["externalId"] != "3" {
		t.Errorf("externalId is not returned: %s", a.text)
	}
	c = start(t, postmantest.Options{Switches: postmantest.Switches{UnknownMemberStatus: 400}})
	c.want(c.do("POST", "Groups", groupBody("Two", "unknown")), http.StatusBadRequest, "")
}

func TestRule28Members(t *testing.T) {
	for want, o := range map[string]postmantest.Options{
		"Ada Byron":          {},
		"a@meridian.example": {Switches: postmantest.Switches{EmailAsDisplay: true}},
	} {
		c := start(t, o)
		id := c.user("a@meridian.example")
		a := c.do("GET", "Groups/"+c.group("One", id), "")
		if diff := cmp.Diff([]any{map[string]any{"value": id, "display": want}}, a.doc["members"]); diff != "" {
			t.Errorf("members (-want +got):\n%s", diff)
		}
	}
}

func TestRule29PatchOfGroups(t *testing.T) {
	c := start(t, postmantest.Options{})
	x, y, z := c.user("x@meridian.example"), c.user("y@meridian.example"), c.user("z@meridian.example")
	tests := []struct {
		name, operations string
		want             []string
		displayName      string
	}{
		{"G1 rename", `[{"op":"replace","value":{"id":"%G","displayName":"New"}}]`, []string{x, y}, "New"},
		{"G2 add", `[{"op":"add","path":"members","value":[{"value":"` + z + `","display":"Z"}]}]`, []string{x, y, z}, "Old"},
		{"G2 again", `[{"op":"add","path":"members","value":[{"value":"` + x + `"}]}]`, []string{x, y}, "Old"},
		{"G3 remove", `[{"op":"remove","path":"members[value eq \"` + x + `\"]"}]`, []string{y}, "Old"},
		{"G3 not a member", `[{"op":"remove","path":"members[value eq \"` + z + `\"]"}]`, []string{x, y}, "Old"},
		{"G4 both", `[{"op":"remove","path":"members[value eq \"` + x + `\"]"},{"op":"add","path":"members","value":[{"value":"` + z + `"}]}]`, []string{y, z}, "Old"},
		{"G5 full set", `[{"op":"replace","path":"members","value":[{"value":"` + z + `"}]}]`, []string{z}, "Old"},
		{"all", `[{"op":"remove","path":"members"}]`, nil, "Old"},
		{"Entra rename", `[{"op":"Replace","path":"displayName","value":"New"}]`, []string{x, y}, "New"},
		{"Entra add", `[{"op":"Add","path":"members","value":[{"$ref":null,"value":"` + z + `"}]}]`, []string{x, y, z}, "Old"},
		{"Entra remove", `[{"op":"Remove","path":"members","value":[{"$ref":null,"value":"` + x + `"}]}]`, []string{y}, "Old"},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := caller{c.Server, t}
			group := c.group("Old", x, y)
			a := c.do("PATCH", "Groups/"+group, patchBody(strings.ReplaceAll(tt.operations, "%G", group)))
			c.want(a, http.StatusOK, "")
			a = c.do("GET", "Groups/"+group, "")
			c.wantMembers(a, tt.want...)
			if a.doc["displayName"] != tt.displayName {
				t.Errorf("displayName %v, want %s", a.doc["displayName"], tt.displayName)
			}
			c.do("PATCH", "Groups/"+group, patchBody(fmt.Sprintf(`[{"op":"replace","value":{"displayName":"done %d"}}]`, i)))
		})
	}
	t.Run("rename answers with members null", func(t *testing.T) {
		c := start(t, postmantest.Options{Switches: postmantest.Switches{MembersNullAfterRename: true}})
		group := c.group("Old", c.user("x@meridian.example"))
		a := c.do("PATCH", "Groups/"+group, patchBody(`[{"op":"replace","value":{"displayName":"New"}}]`))
		if v, there := a.doc["members"]; !there || v != nil {
			t.Errorf("members %v, want null", v)
		}
	})
}

func TestRule30TolerantRename(t *testing.T) {
	c := start(t, postmantest.Options{})
	group := c.group("Old")
	a := c.do("PATCH", "Groups/"+group,
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PutOp"],"Operations":[{"op":"replace","value":{"id":"another","displayName":"New"}}]}`)
	if a.status != http.StatusOK || a.doc["displayName"] != "New" || a.doc["id"] != group {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestRule31DeleteGroup(t *testing.T) {
	for name, cascade := range map[string]bool{"members stay": false, "cascade": true} {
		t.Run(name, func(t *testing.T) {
			c := start(t, postmantest.Options{Switches: postmantest.Switches{CascadeGroupDelete: cascade}})
			only, both := c.user("only@meridian.example"), c.user("both@meridian.example")
			group := c.group("One", only, both)
			c.group("Two", both)
			c.want(c.do("DELETE", "Groups/"+group, ""), http.StatusNoContent, "")
			c.want(c.do("GET", "Groups/"+group, ""), http.StatusNotFound, "")
			c.want(c.do("DELETE", "Groups/"+group, ""), http.StatusNotFound, "")
			if got := c.do("GET", "Users/"+only, "").doc["active"]; got != !cascade {
				t.Errorf("the member of no other group is active: %v, want %v", got, !cascade)
			}
			if got := c.do("GET", "Users/"+both, "").doc["active"]; got != true {
				t.Error("the member of another group was deactivated")
			}
		})
	}
}

func TestRule32NoNestedGroups(t *testing.T) {
	c := start(t, postmantest.Options{})
	inner := c.group("Inner")
	c.want(c.do("POST", "Groups", groupBody("Outer", inner)), http.StatusBadRequest, "invalidSyntax")
}

func TestRule33Pages(t *testing.T) {
	c := start(t, postmantest.Options{})
	var users []scim.User
	for i := range 130 {
		users = append(users, scim.User{UserName: fmt.Sprintf("u%03d@meridian.example", i), Name: &scim.Name{GivenName: "A", FamilyName: "B"}, Active: scim.Bool(true)})
	}
	if _, err := c.Seed(users...); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		query               string
		length, start, each int
	}{
		{"", 100, 1, 100},
		{"?count=1000", 100, 1, 100},
		{"?count=10&startIndex=126", 5, 126, 5},
		{"?startIndex=131", 0, 131, 0},
		{"?count=0", 0, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			var list scim.ListResponse[scim.User]
			a := c.do("GET", "Users"+tt.query, "")
			if err := json.Unmarshal([]byte(a.text), &list); err != nil {
				t.Fatal(err)
			}
			if len(list.Resources) != tt.length || list.ItemsPerPage != tt.each || list.TotalResults != 130 || list.Resources == nil {
				t.Errorf("%d resources, itemsPerPage %d, totalResults %d: want %d, %d, 130",
					len(list.Resources), list.ItemsPerPage, list.TotalResults, tt.length, tt.each)
			}
		})
	}
	for _, query := range []string{"?startIndex=0", "?startIndex=-1", "?startIndex=x", "?count=x", "?count=-1"} {
		c.want(c.do("GET", "Users"+query, ""), http.StatusBadRequest, "invalidSyntax")
	}
	clamped := start(t, postmantest.Options{Switches: postmantest.Switches{ClampStartIndex: true}})
	clamped.want(clamped.do("GET", "Users?startIndex=0", ""), http.StatusOK, "")
}

func TestRule34StableOrder(t *testing.T) {
	c := start(t, postmantest.Options{})
	var want []string
	for i := range 20 {
		want = append(want, c.user(fmt.Sprintf("u%02d@meridian.example", (i*7)%20)))
	}
	c.do("PATCH", "Users/"+want[3], patchBody(`[{"op":"replace","value":{"active":false}}]`))
	var got []string
	for page := range 4 {
		a := c.do("GET", fmt.Sprintf("Users?count=5&startIndex=%d", page*5+1), "")
		list, _ := a.doc["Resources"].([]any)
		for _, r := range list {
			id, _ := r.(map[string]any)["id"].(string)
			got = append(got, id)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order of creation (-want +got):\n%s", diff)
	}
}

func TestRule35Filters(t *testing.T) {
	c := start(t, postmantest.Options{})
	x, y := c.user("x+1@meridian.example"), c.user("y@meridian.example")
	c.do("PATCH", "Users/"+y, patchBody(`[{"op":"replace","value":{"active":false}}]`))
	g := c.group(`The "A" Team`)
	tests := []struct {
		collection, filter string
		want               []string // nil for 400
	}{
		{"Users", `userName eq "x+1@meridian.example"`, []string{x}},
		{"Users", `userName EQ "x+1@meridian.example"`, []string{x}},
		{"Users", `userName eq 'x+1@meridian.example'`, []string{x}},
		{"Users", `userName eq "X+1@meridian.example"`, []string{}},
		{"Users", `active eq "false"`, []string{y}},
		{"Users", `active eq "true"`, []string{x}},
		{"Users", `active eq true`, []string{x}},
		{"Users", `username eq "x+1@meridian.example"`, nil},
		{"Users", `userName ne "x"`, nil},
		{"Users", `externalId eq "1"`, nil},
		{"Users", `id eq "` + x + `"`, nil},
		{"Users", `userName eq "a" or userName eq "b"`, nil},
		{"Users", `userName`, nil},
		{"Groups", `displayName eq "The \"A\" Team"`, []string{g}},
		{"Groups", `displayName eq "the \"a\" team"`, []string{}},
		{"Groups", `displayName ne "x"`, nil},
		{"Groups", `userName eq "x"`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.filter, func(t *testing.T) {
			c := caller{c.Server, t}
			a := c.do("GET", tt.collection+"?filter="+url.QueryEscape(tt.filter), "")
			if tt.want == nil {
				c.want(a, http.StatusBadRequest, "")
				return
			}
			got := []string{}
			list, _ := a.doc["Resources"].([]any)
			for _, r := range list {
				id, _ := r.(map[string]any)["id"].(string)
				got = append(got, id)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s", diff, a.text)
			}
		})
	}
}

func TestRule36NoMatchAndIgnoredParameters(t *testing.T) {
	c := start(t, postmantest.Options{})
	id := c.user("a@meridian.example")
	c.group("One", id)
	a := c.do("GET", "Users?filter="+url.QueryEscape(`userName eq "nobody@meridian.example"`), "")
	if list, ok := a.doc["Resources"].([]any); a.status != http.StatusOK || !ok || len(list) != 0 || a.doc["totalResults"] != 0.0 {
		t.Errorf("no match: %d %s", a.status, a.text)
	}
	const query = "Groups?attributes=id&sortBy=displayName&sortOrder=descending&excludedAttributes=members"
	if a := c.do("GET", query, ""); !strings.Contains(a.text, id) || !strings.Contains(a.text, "displayName") {
		t.Errorf("the parameters were not ignored: %s", a.text)
	}
	c = start(t, postmantest.Options{Switches: postmantest.Switches{HonourExcludedMembers: true}})
	id = c.user("a@meridian.example")
	c.group("One", id)
	if a := c.do("GET", "Groups?excludedAttributes=members", ""); strings.Contains(a.text, id) {
		t.Errorf("members are there: %s", a.text)
	}
}

func TestRule37RequestedItemsPerPage(t *testing.T) {
	c := start(t, postmantest.Options{Switches: postmantest.Switches{RequestedItemsPerPage: true}})
	c.user("a@meridian.example")
	for query, want := range map[string]float64{"": 100, "?count=7": 7} {
		if a := c.do("GET", "Users"+query, ""); a.doc["itemsPerPage"] != want {
			t.Errorf("%q: itemsPerPage %v, want %v", query, a.doc["itemsPerPage"], want)
		}
	}
}

func TestFaults(t *testing.T) {
	c := start(t, postmantest.Options{Switches: postmantest.Switches{CurlyApostrophes: true}})
	c.Inject(postmantest.Fault{Method: "GET", Status: 500})
	c.Inject(postmantest.Fault{Method: "GET", Status: 503, HTML: true, Skip: 1})
	c.Inject(postmantest.Fault{Method: "POST", Path: "/Users", Status: 500, AfterApply: true})
	c.want(c.do("GET", "Users", ""), 500, "")
	c.want(c.do("GET", "Users", ""), 200, "")
	if a := c.do("GET", "Users", ""); a.status != 503 || !strings.Contains(a.text, "<html>") {
		t.Errorf("%d %s, want a page with 503", a.status, a.text)
	}
	c.want(c.do("POST", "Users", userBody("a@meridian.example")), 500, "")
	if len(c.Users()) != 1 {
		t.Error("the request was not carried out before its answer was lost")
	}
	if a := c.send("GET", "Users", "", ""); !strings.Contains(a.text, "can’t") {
		t.Errorf("no curly apostrophe: %s", a.text)
	}
	journal := c.Journal()
	var statuses []int
	for _, r := range journal {
		statuses = append(statuses, r.Status)
	}
	if diff := cmp.Diff([]int{500, 200, 503, 500, 401}, statuses); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
	if !journal[3].Write() || journal[3].Path != "/Users" || !strings.Contains(journal[3].Body, "a@meridian.example") {
		t.Errorf("journal entry %+v", journal[3])
	}
}
