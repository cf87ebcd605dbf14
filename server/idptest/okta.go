package idptest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// OktaOIN plays what the apps of the Okta Integration Network send: profiles by PUT, activation and passwords by PATCH, groups by PATCH.
func OktaOIN(t *testing.T, target Target) {
	t.Helper()
	oktaOIN().run(t, target)
}

// OktaWizard plays what apps made with Okta's App Integration Wizard send: PUT for everything.
func OktaWizard(t *testing.T, target Target) {
	t.Helper()
	oktaWizard().run(t, target)
}

var oktaHeader = http.Header{"User-Agent": {"Okta SCIM Client 1.0.0"}}

// oktaBoth are what all Okta apps send.
func oktaBoth() []check {
	return []check{
		{name: "look for a user that is not there", play: func(s *session) {
			a := s.send(http.MethodGet, filtered("/Users", quoted("userName", s.address("nobody")))+"&startIndex=1&count=100", "")
			if a.code != http.StatusNotFound {
				a.none("Okta creates the user when nothing was found")
			}
		}},
		{name: "create a user", play: (*session).oktaCreates},
		{name: "user that exists is a conflict", play: func(s *session) {
			s.create("/Users", s.oktaUser("alice"))
			s.refused("/Users", s.oktaUser("alice"))
		}},
		{name: "import users", play: func(s *session) {
			for i := range 3 {
				s.user(s.address(fmt.Sprintf("u%d", i)))
			}
			s.oktaImports("/Users")
		}},
		{name: "import groups", groups: true, play: func(s *session) {
			for i := range 3 {
				s.group(s.name(fmt.Sprintf("g%d", i)))
			}
			s.oktaImports("/Groups")
		}},
		{name: "update the profile", play: (*session).oktaUpdates},
		{name: "errors are JSON", play: func(s *session) {
			s.send(http.MethodGet, "/Users/no-such-user", "").need("there is no such user", http.StatusNotFound).
				want("Okta reads errors as JSON", "404", "status")
		}},
		{name: "create a group and find it again", groups: true, play: func(s *session) {
			id := s.group(s.name("Sales"))
			s.send(http.MethodGet, filtered("/Groups", quoted("displayName", s.name("Sales")))+"&startIndex=1&count=100", "").
				one(id, "a group is found by displayName")
			s.read(groupPath(id)).want("a group is shown", s.name("Sales"), "displayName")
		}},
		{name: "delete a group", groups: true, play: func(s *session) { s.remove(groupPath(s.group(s.name("Sales")))) }},
	}
}

func oktaOIN() suite {
	return suite{name: "Okta OIN app", header: oktaHeader, checks: append(oktaBoth(),
		check{name: "deactivate and reactivate by PATCH", play: func(s *session) {
			name := s.address("alice")
			id := s.create("/Users", s.oktaUser("alice")).id()
			for _, active := range []bool{false, true} {
				a := s.patch(userPath(id), "Okta never deletes users, it deactivates them", op("replace", "", fmt.Sprintf(`{"active":%t}`, active)))
				if a.code == http.StatusOK {
					a.want("the answer shows the user as it is now", active, "active").want("the answer shows all of the user", name, "userName")
				}
				s.wantActive(id, name, active)
			}
		}},
		check{name: "change the password by PATCH", play: func(s *session) {
			id := s.create("/Users", s.oktaUser("alice")).id()
			s.patch(userPath(id), "Okta synchronizes passwords", op("replace", "", `{"password":"another 5ecret"}`)).wantNoPassword()
			s.read(userPath(id)).wantNoPassword()
		}},
		check{name: "rename a group and change its members in one request", groups: true, play: (*session).oktaPushesChanges},
		check{name: "push all members of a group", groups: true, play: (*session).oktaPushesAll},
	)}
}

func oktaWizard() suite {
	return suite{name: "Okta wizard app", header: oktaHeader, checks: append(oktaBoth(),
		check{name: "deactivate and reactivate by PUT", play: func(s *session) {
			name := s.address("alice")
			id := s.create("/Users", s.oktaUser("alice")).id()
			for _, active := range []bool{false, true} {
				s.put(userPath(id), func(user map[string]any) { user["active"] = active }).
					want("the answer shows the user as it is now", active, "active")
				s.wantActive(id, name, active)
			}
		}},
		check{name: "change the password by PUT", play: func(s *session) {
			id := s.create("/Users", s.oktaUser("alice")).id()
			s.put(userPath(id), func(user map[string]any) { user["password"] = "another 5ecret" }).wantNoPassword()
			s.read(userPath(id)).wantNoPassword()
		}},
		check{name: "rename a group and change its members by PUT", groups: true, play: (*session).oktaPutsGroup},
	)}
}

// oktaUser returns the user that Okta creates.
func (s *session) oktaUser(name string) string {
	address := s.address(name)
	return fmt.Sprintf(`{"schemas":[%q],"userName":%q,"name":{"givenName":"Alice","familyName":"Doe"},`+
		`"emails":[{"primary":true,"value":%q,"type":"work"}],"displayName":"Alice Doe","locale":"en-US","externalId":%q,`+
		`"groups":[],"password":"1mz050nq","active":true}`, userSchema, address, address, "00u"+s.name(name))
}

func (a *answer) wantNoPassword() *answer {
	if a.at("password") != nil || strings.Contains(a.body, "5ecret") || strings.Contains(a.body, "1mz050nq") {
		a.fail("a password is never shown")
	}
	return a
}

func (s *session) oktaCreates() {
	a := s.create("/Users", s.oktaUser("alice")).wantNoPassword()
	address := s.address("alice")
	a.want("Okta reads back what it sent", address, "userName").want("Okta reads back what it sent", "00u"+s.name("alice"), "externalId").
		want("Okta reads back what it sent", true, "active").want("Okta reads back what it sent", "Doe", "name", "familyName").
		want("Okta reads back what it sent", true, "emails", 0, "primary")
	s.send(http.MethodGet, filtered("/Users", quoted("userName", address))+"&startIndex=1&count=100", "").one(a.id(), "a user is found by userName")
}

// oktaImports reads all pages, twice: the order must be the same.
func (s *session) oktaImports(endpoint string) {
	var first []string
	for again := range 2 {
		ids := s.pages(endpoint, 2)
		if again == 0 {
			first = ids
			continue
		}
		if !slices.Equal(first, ids) {
			a := s.send(http.MethodGet, endpoint+"?startIndex=1&count=2", "")
			a.fail("the pages have the same order every time; the ids were %q, and then %q", first, ids)
		}
	}
	a := s.send(http.MethodGet, endpoint+"?startIndex=1&count=100", "")
	a.list()
	a.want("Okta reads it as an integer", int64(1), "startIndex")
	if _, ok := a.at("itemsPerPage").(int64); !ok {
		a.fail("itemsPerPage is an integer")
	}
}

// pages reads all pages of an endpoint and returns the ids on them.
func (s *session) pages(endpoint string, size int) []string {
	const most = 1000
	var ids []string
	seen := make(map[string]bool)
	for page := range most {
		a := s.send(http.MethodGet, fmt.Sprintf("%s?startIndex=%d&count=%d", endpoint, page*size+1, size), "")
		resources := a.list()
		if len(resources) > size {
			a.fail("a page has at most the %d resources that were asked for", size)
		}
		if start := a.at("startIndex"); start != nil && start != int64(page*size+1) {
			a.fail("startIndex is that of the page's first resource, %d", page*size+1)
		}
		for _, r := range resources {
			id, _ := at(r, "id").(string)
			if seen[id] {
				a.fail("each resource is on one page; %q was on one before", id)
			}
			seen[id] = true
			ids = append(ids, id)
		}
		if total, _ := a.at("totalResults").(int64); int64(page*size+size) >= total {
			if int(total) != len(ids) {
				a.fail("the pages have all %d resources; they had %d", total, len(ids))
			}
			break
		}
	}
	return ids
}

// put reads a resource, changes it and sends it back as a whole.
func (s *session) put(path string, change func(map[string]any)) *answer {
	doc := s.read(path).doc
	change(doc)
	return s.send(http.MethodPut, path, quote(doc)).
		need("a resource as it was read, changed in one attribute, is accepted, with id, meta and groups in it", http.StatusOK)
}

func (s *session) oktaUpdates() {
	id := s.create("/Users", s.oktaUser("alice")).id()
	s.put(userPath(id), func(user map[string]any) {
		user["name"] = map[string]any{"givenName": "Alice", "familyName": "Smith"}
		user["displayName"] = "Alice Smith"
		user["groups"] = []any{}
		delete(user, "locale")
	}).want("the answer shows the user as it is now", "Smith", "name", "familyName").want("the id stays", id, "id")
	s.read(userPath(id)).want("the profile was changed", "Alice Smith", "displayName").want("what a PUT lacks is removed", nil, "locale").
		want("what a PUT has stays", "00u"+s.name("alice"), "externalId")
}

func (s *session) oktaPushesChanges() {
	u := []string{s.user(s.address("u0")), s.user(s.address("u1")), s.user(s.address("u2"))}
	group := s.group(s.name("Sales"))
	element := func(i int) string {
		return fmt.Sprintf(`{"value":%q,"display":%q}`, u[i], s.address(fmt.Sprintf("u%d", i)))
	}
	rename := op("replace", "", fmt.Sprintf(`{"id":%q,"displayName":%q}`, group, s.name("Marketing")))
	const why = "Okta sends the name with every change of the members, and removes and adds members in one request"
	s.patch(groupPath(group), why, rename, op("add", "members", "["+element(0)+","+element(1)+"]"))
	s.wantMembers(group, why, u[0], u[1])
	s.patch(groupPath(group), why, rename, op("remove", fmt.Sprintf("members[value eq %q]", u[0]), ""), op("add", "members", "["+element(2)+"]"))
	s.wantMembers(group, why, u[1], u[2])
	s.read(groupPath(group)).want("the group has its new name", s.name("Marketing"), "displayName").want("the id stays", group, "id")
}

func (s *session) oktaPushesAll() {
	u := []string{s.user(s.address("u0")), s.user(s.address("u1")), s.user(s.address("u2"))}
	group := s.group(s.name("Sales"))
	list := func(ids ...string) string {
		elements := make([]string, len(ids))
		for i, id := range ids {
			elements[i] = fmt.Sprintf(`{"value":%q}`, id)
		}
		return "[" + strings.Join(elements, ",") + "]"
	}
	const why = "a push replaces all members"
	s.patch(groupPath(group), why, op("replace", "members", list(u[0], u[1])))
	s.wantMembers(group, why, u[0], u[1])
	s.patch(groupPath(group), why, op("replace", "", `{"members":`+list(u[1], u[2])+`}`))
	s.wantMembers(group, why+", also without a path", u[1], u[2])
	s.patch(groupPath(group), why, op("replace", "members", list()))
	s.wantMembers(group, "an empty list removes all members")
}

func (s *session) oktaPutsGroup() {
	u := []string{s.user(s.address("u0")), s.user(s.address("u1"))}
	group := s.group(s.name("Sales"))
	member := func(id string) any { return map[string]any{"value": id, "display": "Alice"} }
	s.put(groupPath(group), func(g map[string]any) {
		g["displayName"], g["members"] = s.name("Marketing"), []any{member(u[0]), member(u[1])}
	})
	s.wantMembers(group, "a PUT replaces the members", u...)
	s.put(groupPath(group), func(g map[string]any) { g["members"] = []any{member(u[1])} }).
		want("the answer shows the group as it is now", s.name("Marketing"), "displayName")
	s.wantMembers(group, "a PUT replaces the members", u[1])
}
