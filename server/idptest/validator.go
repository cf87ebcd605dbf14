package idptest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// MicrosoftValidator plays the 25 tests that Microsoft has the developers of a gallery app pass, each under its name there.
//
// Validate_Credentials looks at the lifetime of the token when it is a JWT, and Federated_Identity needs [Target.Federation].
func MicrosoftValidator(t *testing.T, target Target) {
	t.Helper()
	microsoftValidator().run(t, target)
}

// MicrosoftWebValidator plays the tests of Microsoft's older validator, the web page.
func MicrosoftWebValidator(t *testing.T, target Target) {
	t.Helper()
	microsoftWebValidator().run(t, target)
}

func microsoftValidator() suite {
	d := asToday
	return suite{name: "Microsoft validator", checks: []check{
		{name: "User_Create", play: (*session).entraCreates},
		{name: "User_Update", play: d.updates},
		{name: "User_Disable", play: d.disables},
		{name: "User_Delete", delete: true, play: func(s *session) {
			name := s.address("alice")
			s.remove(userPath(s.user(name)))
			s.find("/Users", quoted("userName", name)).none("a user that was deleted is not found")
		}},
		{name: "User_Update_Manager", play: d.changesManager},
		{name: "User_Restore", play: d.restoresUser},
		{name: "User_POD", play: d.provisionsUserOnDemand},
		{name: "Group_Create", groups: true, play: (*session).entraCreatesGroup},
		{name: "Group_Update", groups: true, play: d.renamesGroup},
		{name: "Group_Delete", groups: true, play: (*session).deletesGroup},
		{name: "Group_Add_Member", groups: true, play: func(s *session) {
			group, user := s.group(s.name("Sales")), s.user(s.address("alice"))
			s.patch(groupPath(group), "a member is added", op("Add", "members", fmt.Sprintf(`[{"$ref":null,"value":%q}]`, user)))
			s.wantMembers(group, "a member was added", user)
		}},
		{name: "Group_Remove_Member", groups: true, play: d.changesMembers},
		{name: "Group_POD", groups: true, play: d.provisionsGroupOnDemand},
		{name: "Group_Restore", groups: true, play: (*session).deletesGroup},
		{name: "SCIM_Schema_Discoverability", play: (*session).entraReadsSchemas},
		{name: "SCIM_Null_Update", play: d.clears},
		{name: "SCIM_User_Create", play: (*session).validatesUserCreate},
		{name: "SCIM_User_Update", play: d.renamesUser},
		{name: "SCIM_Group_Create", groups: true, play: (*session).entraCreatesGroup},
		{name: "SCIM_Group_Update", groups: true, play: d.renamesGroup},
		{name: "SCIM_Validate_Credentials", play: (*session).validatesCredentials},
		{name: "SCIM_Federated_Identity", play: (*session).exchangesAssertion},
		{name: "SCIM_User_Pagination", play: func(s *session) {
			s.paginates("/Users", func(i int) string { return s.user(s.address(fmt.Sprintf("u%d", i))) })
		}},
		{name: "SCIM_Group_Pagination", groups: true, play: func(s *session) {
			s.paginates("/Groups", func(i int) string { return s.group(s.name(fmt.Sprintf("g%d", i))) })
		}},
		{name: "SCIM_Update_Manager", play: d.changesManager},
	}}
}

func (d entraDialect) changesManager(s *session) {
	user := userPath(s.user(s.address("alice")))
	const path, why = enterpriseSchema + ":manager", "a manager is set, changed and removed with an empty value"
	for i, kind := range []string{d.add, d.replace} {
		manager := s.user(s.address(fmt.Sprintf("m%d", i)))
		s.patch(user, why, op(kind, path, quote(manager)))
		s.read(user).want(why, manager, enterpriseSchema, "manager", "value")
	}
	s.patch(user, why, op(d.replace, path, `""`))
	s.read(user).want(why, nil, enterpriseSchema, "manager")
}

func (d entraDialect) restoresUser(s *session) {
	name := s.address("alice")
	id := s.user(name)
	s.patch(userPath(id), "a user leaves", op(d.replace, "active", d.disable))
	s.find("/Users", quoted("userName", name)).one(id, "a user that comes back is looked for before it is created")
	s.patch(userPath(id), "a user comes back", op(d.replace, "active", d.enable), op(d.add, "title", `"T"`))
	s.read(userPath(id)).want("the user is back", true, "active").want("and was changed", "T", "title")
}

func (d entraDialect) provisionsUserOnDemand(s *session) {
	name := s.address("alice")
	s.find("/Users", quoted("userName", name)).none("the user is not there yet")
	id := s.create("/Users", s.entraUser("alice")).id()
	s.find("/Users", quoted("userName", name)).one(id, "the user is there when it is provisioned again")
	s.patch(userPath(id), "a user is changed", op(d.replace, "name.familyName", `"Smith"`))
	s.read(userPath(id)).want("the user was changed", "Smith", "name", "familyName")
}

func (d entraDialect) provisionsGroupOnDemand(s *session) {
	name := quoted("displayName", s.name("Sales"))
	find := func() *answer {
		return s.send(http.MethodGet, filtered("/Groups", name)+"&excludedAttributes=members", "")
	}
	find().none("the group is not there yet")
	id := s.create("/Groups", s.entraGroup("Sales")).id()
	find().one(id, "the group is there when it is provisioned again")
	var want, elements []string
	for i := range 5 {
		user := s.user(s.address(fmt.Sprintf("u%d", i)))
		want, elements = append(want, user), append(elements, fmt.Sprintf(`{"$ref":null,"value":%q}`, user))
	}
	s.patch(groupPath(id), "up to five members are provisioned with a group", op(d.add, "members", "["+strings.Join(elements, ",")+"]"))
	s.wantMembers(id, "members were added", want...)
}

func (s *session) deletesGroup() {
	s.remove(groupPath(s.group(s.name("Sales"))))
	s.find("/Groups", quoted("displayName", s.name("Sales"))).none("a group that was deleted is not found")
}

// validatesUserCreate takes 200 for an answer to a create, which Microsoft's test does, too.
func (s *session) validatesUserCreate() {
	a := s.send(http.MethodPost, "/Users", s.entraUser("alice")).need("a user is created", http.StatusCreated, http.StatusOK)
	s.created = append(s.created, userPath(a.id()))
	a.want("what was sent comes back", s.address("alice"), "userName")
}

func (s *session) validatesCredentials() {
	s.send(http.MethodGet, "/Users?startIndex=1&count=1", "").list()
	if s.target.Token == "" {
		return
	}
	for _, header := range []string{"", "Bearer not-" + s.target.Token} {
		r := s.request(http.MethodGet, "/Users?startIndex=1&count=1", "")
		r.Header.Del("Authorization")
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		a := s.exchange(r, "").need("without a valid token nobody gets in", http.StatusUnauthorized, http.StatusForbidden)
		if a.doc["Resources"] != nil {
			a.fail("no resources")
		}
	}
	if lifetime, ok := jwtLifetime(s.target.Token); ok {
		s.checkLifetime(lifetime)
	}
}

// checkLifetime checks how long an access token is good for.
func (s *session) checkLifetime(lifetime time.Duration) {
	if lifetime < time.Hour || lifetime > 6*time.Hour {
		s.outcome.failures = append(s.outcome.failures,
			fmt.Sprintf("%s: the token is good for %s. Needed: an hour at least, and six at most", s.provider, lifetime))
	}
}

// jwtLifetime returns the time between the issue and the end of a token, when it is a JWT that has both.
func jwtLifetime(token string) (time.Duration, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return 0, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return 0, false
	}
	var claims struct {
		Issued  float64 `json:"iat"`
		Expires float64 `json:"exp"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.Issued == 0 || claims.Expires == 0 {
		return 0, false
	}
	return time.Duration((claims.Expires - claims.Issued) * float64(time.Second)), true
}

// exchangesAssertion gets a token for the assertion of an identity provider, and uses it.
func (s *session) exchangesAssertion() {
	f := s.target.Federation
	if f == nil {
		s.outcome.skipped = "the target has no Federation"
		return
	}
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {f.ClientID}, "client_assertion": {f.Assertion},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}
	s.exchange(s.tokenRequest(form, f.Assertion+"x"), "a form with a wrong client_assertion").
		need("a wrong assertion is refused (RFC 6749 section 5.2)", http.StatusBadRequest, http.StatusUnauthorized)
	a := s.exchange(s.tokenRequest(form, f.Assertion), "a form with grant_type, client_id and client_assertion").need("a token is issued", http.StatusOK)
	token, _ := a.at("access_token").(string)
	if kind, _ := a.at("token_type").(string); token == "" || !strings.EqualFold(kind, "Bearer") {
		a.fail("an access_token of type Bearer")
		return
	}
	seconds, ok := a.at("expires_in").(int64)
	if !ok {
		a.fail("expires_in is a number of seconds")
	}
	s.checkLifetime(time.Duration(seconds) * time.Second)
	r := s.request(http.MethodGet, "/Users?startIndex=1&count=1", "")
	r.Header.Set("Authorization", "Bearer "+token)
	s.exchange(r, "").list()
}

func (s *session) tokenRequest(form url.Values, assertion string) *http.Request {
	form.Set("client_assertion", assertion)
	body := form.Encode()
	r := s.request(http.MethodPost, "", body)
	r.URL.Path, r.RequestURI = s.target.Federation.Path, s.target.Federation.Path
	r.Header.Del("Authorization")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	return r
}

// paginates reads pages of five when there are eleven resources at least.
func (s *session) paginates(endpoint string, create func(i int) string) {
	var want []string
	for i := range 11 {
		want = append(want, create(i))
	}
	got := s.pages(endpoint, 5)
	for _, id := range want {
		if !slices.Contains(got, id) {
			s.send(http.MethodGet, endpoint+"?startIndex=1&count=5", "").fail("the pages have all resources; %q was on none", id)
			return
		}
	}
}

func microsoftWebValidator() suite {
	d := asToday
	return suite{name: "Microsoft web validator", checks: []check{
		{name: "create a user and find it", play: (*session).entraCreates},
		{name: "create a user that exists", play: func(s *session) {
			s.create("/Users", s.entraUser("alice"))
			s.refused("/Users", s.entraUser("alice"))
		}},
		{name: "add an attribute", play: func(s *session) { s.updatesAndFinds("Add", "nickName", "title") }},
		{name: "replace an attribute", play: func(s *session) { s.updatesAndFinds("Replace", "displayName", "displayName") }},
		{name: "change the joining property", play: d.renamesUser},
		{name: "disable a user", play: func(s *session) {
			name := s.address("alice")
			id := s.user(name)
			s.patch(userPath(id), "a user is disabled", op("Replace", "active", "false"))
			s.wantActive(id, name, false)
		}},
		{name: "delete a user", delete: true, play: func(s *session) { s.remove(userPath(s.user(s.address("alice")))) }},
		{name: "create a group and find it", groups: true, play: (*session).entraCreatesGroup},
		{name: "update a group", groups: true, play: d.renamesGroup},
		{name: "add and remove a member", groups: true, play: d.changesMembers},
		{name: "delete a group", groups: true, play: (*session).deletesGroup},
	}}
}

// updatesAndFinds changes attributes, and reads the change with a filter.
func (s *session) updatesAndFinds(kind string, attributes ...string) {
	name := s.address("alice")
	id := s.user(name)
	for _, attribute := range attributes {
		s.patch(userPath(id), "an attribute is changed", op(kind, attribute, `"X"`))
		s.find("/Users", quoted("userName", name)).one(id, "a user is found after a change").
			want("the change shows", "X", "Resources", 0, attribute)
	}
}
