package idptest

import (
	"fmt"
	"net/http"
	"testing"
)

// OneLogin plays what OneLogin sends. Its bodies are made from templates that administrators edit, so that booleans may be strings.
func OneLogin(t *testing.T, target Target) {
	t.Helper()
	oneLogin().run(t, target)
}

// JumpCloud plays what JumpCloud sends, the activation of the integration first.
func JumpCloud(t *testing.T, target Target) {
	t.Helper()
	jumpCloud().run(t, target)
}

// PingOne plays what PingOne and PingFederate send.
func PingOne(t *testing.T, target Target) {
	t.Helper()
	pingOne().run(t, target)
}

func oneLogin() suite {
	header := http.Header{"Accept": {"application/json"}, "Content-Type": {"application/json"}}
	return suite{name: "OneLogin", header: header, checks: []check{
		{name: "connection test", play: func(s *session) {
			a := s.find("/Users", quoted("userName", s.address("nobody")))
			if a.code != http.StatusNotFound {
				a.none("there is no such user")
			}
			s.wantJSON(a)
		}},
		{name: "create, read and update a user from a template", play: (*session).oneLoginTemplates},
		{name: "list users and groups", groups: true, play: func(s *session) {
			s.user(s.address("alice"))
			s.group(s.name("Sales"))
			for _, endpoint := range []string{"/Users", "/Groups"} {
				if a := s.send(http.MethodGet, endpoint, ""); len(a.list()) == 0 {
					a.fail("what was created is listed")
				}
			}
		}},
		{name: "change the members of a group", groups: true, play: func(s *session) {
			u := []string{s.user(s.address("u0")), s.user(s.address("u1"))}
			group := s.group(s.name("Sales"))
			s.patch(groupPath(group), "OneLogin adds members", op("add", "members", fmt.Sprintf(`[{"value":%q},{"value":%q}]`, u[0], u[1])))
			s.wantMembers(group, "members were added", u...)
			s.patch(groupPath(group), "OneLogin removes a member", op("remove", fmt.Sprintf("members[value eq %q]", u[0]), ""))
			s.wantMembers(group, "a member was removed", u[1])
		}},
		{name: "delete a user", delete: true, play: func(s *session) { s.remove(userPath(s.user(s.address("alice")))) }},
	}}
}

// wantJSON checks that a client which asks for application/json gets it.
func (s *session) wantJSON(a *answer) {
	if a.body != "" && !isPlainJSON(a.header.Get("Content-Type")) {
		a.fail("a request with Accept: application/json is answered with it, the answer has %q", a.header.Get("Content-Type"))
	}
}

func isPlainJSON(contentType string) bool {
	const media = "application/json"
	return len(contentType) >= len(media) && contentType[:len(media)] == media
}

func (s *session) oneLoginTemplates() {
	template := func(title string) string {
		return fmt.Sprintf(`{"schemas":[%q,%q],"id":null,"userName":%q,"active":"true","displayName":"Alice Doe","title":%q,`+
			`"name":{"givenName":"Alice","familyName":"Doe","formatted":"Alice Doe"},"emails":[{"value":%q,"type":"work","primary":"true"}],`+
			`%q:{"department":"Sales","manager":{"managerId":"42","displayName":"Bob"}}}`,
			userSchema, enterpriseSchema, s.address("alice"), title, s.address("alice"), enterpriseSchema)
	}
	a := s.create("/Users", template("Engineer")).want("a boolean that came as a string is one", true, "active").
		want("a boolean that came as a string is one", true, "emails", 0, "primary").
		want("the other attributes of the extension are stored, whatever becomes of a manager in the form of SCIM 1.1",
			"Sales", enterpriseSchema, "department")
	s.wantJSON(a)
	id := a.id()
	s.wantJSON(s.read(userPath(id)).want("the user is shown", "Engineer", "title"))
	s.send(http.MethodPut, userPath(id), template("Manager")).need("OneLogin sends the whole user", http.StatusOK).
		want("the user was changed", "Manager", "title").want("the id stays, though the request has null", id, "id")
	s.find("/Users", quoted("userName", s.address("alice"))).one(id, "a user is found by userName")
}

func jumpCloud() suite {
	return suite{name: "JumpCloud", checks: []check{
		{name: "activation", groups: true, delete: true, play: func(s *session) {
			s.send(http.MethodGet, "/Users?startIndex=1&count=1", "").list()
			user, group := s.user(s.address("test")), s.group(s.name("test"))
			s.patch(groupPath(group), "a test user becomes a member of a test group", op("add", "members", fmt.Sprintf(`[{"value":%q}]`, user)))
			s.wantMembers(group, "the test user is a member", user)
			s.remove(groupPath(group))
			s.remove(userPath(user))
		}},
		{name: "activation where users are deactivated", play: func(s *session) {
			name := s.address("test")
			id := s.user(name)
			s.put(userPath(id), func(user map[string]any) { user["active"] = false })
			s.wantActive(id, name, false)
		}},
		{name: "look up, create and update a user", play: func(s *session) {
			name := s.address("alice")
			s.find("/Users", quoted("userName", name)).none("the user is not there yet")
			id := s.user(name)
			s.find("/Users", quoted("userName", name)).one(id, "a user is found by userName")
			s.put(userPath(id), func(user map[string]any) { user["displayName"] = "Alice" }).want("the user was changed", "Alice", "displayName")
		}},
		{name: "deprovision and provision a user again", play: func(s *session) {
			name := s.address("alice")
			id := s.user(name)
			for _, active := range []bool{false, true} {
				s.patch(userPath(id), "a user that loses its access is deactivated", op("replace", "active", fmt.Sprint(active)))
				s.wantActive(id, name, active)
			}
		}},
		{name: "members with an array of values", groups: true, play: func(s *session) {
			u := []string{s.user(s.address("u0")), s.user(s.address("u1"))}
			group := s.group(s.name("Sales"))
			s.patch(groupPath(group), "JumpCloud adds members", op("add", "members", fmt.Sprintf(`[{"value":%q},{"value":%q}]`, u[0], u[1])))
			s.patch(groupPath(group), "JumpCloud removes members as Entra does", op("remove", "members", fmt.Sprintf(`[{"value":%q}]`, u[0])))
			s.wantMembers(group, "only the member that was named is removed", u[1])
		}},
	}}
}

func pingOne() suite {
	return suite{name: "PingOne", checks: []check{
		{name: "find users by name and by address", play: func(s *session) {
			name := s.address("alice")
			s.find("/Users", quoted("emails", name)).none("the user is not there yet")
			id := s.user(name)
			s.find("/Users", quoted("userName", name)).one(id, "the unique identifier may be userName")
			s.find("/Users", quoted("emails", name)).one(id, "the unique identifier may be workEmail: emails without a sub-attribute means its value")
		}},
		{name: "create a disabled user and enable it", play: func(s *session) {
			name := s.address("alice")
			id := s.create("/Users", fmt.Sprintf(`{"schemas":[%q],"userName":%q,"active":false,"name":{"givenName":"Alice","familyName":"Doe"},`+
				`"emails":[{"type":"work","value":%q,"primary":true}]}`, userSchema, name, name)).want("PingOne creates disabled users", false, "active").id()
			s.put(userPath(id), func(user map[string]any) { user["active"] = true })
			s.wantActive(id, name, true)
		}},
		{name: "update and disable by PUT", play: func(s *session) {
			name := s.address("alice")
			id := s.user(name)
			s.put(userPath(id), func(user map[string]any) { user["title"] = "Engineer" }).want("the user was changed", "Engineer", "title")
			s.put(userPath(id), func(user map[string]any) { user["active"] = false })
			s.wantActive(id, name, false)
		}},
		{name: "update by PATCH", play: func(s *session) {
			id := s.user(s.address("alice"))
			s.patch(userPath(id), "PingFederate sends PATCH where the service supports it", op("replace", "title", `"Engineer"`))
			s.read(userPath(id)).want("the user was changed", "Engineer", "title")
		}},
		{name: "delete a user", delete: true, play: func(s *session) { s.remove(userPath(s.user(s.address("alice")))) }},
		{name: "merge and overwrite members", groups: true, play: func(s *session) {
			u := []string{s.user(s.address("u0")), s.user(s.address("u1"))}
			group := s.group(s.name("Sales"))
			s.patch(groupPath(group), "members are merged", op("add", "members", fmt.Sprintf(`[{"value":%q}]`, u[0])))
			s.patch(groupPath(group), "members are merged", op("add", "members", fmt.Sprintf(`[{"value":%q}]`, u[1])))
			s.wantMembers(group, "members are merged", u...)
			s.put(groupPath(group), func(g map[string]any) { g["members"] = []any{map[string]any{"value": u[1]}} })
			s.wantMembers(group, "members are overwritten", u[1])
		}},
	}}
}
