package idptest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Entra plays what Microsoft Entra's provisioning service sends by default: its connection test, look-ups, and changes of users
// and groups, in a dialect that RFC 7644 does not have in all points.
func Entra(t *testing.T, target Target) {
	t.Helper()
	entra(asToday).run(t, target)
}

// EntraCompliant plays what Entra sends when the tenant URL has the flag aadOptscim062020, which Microsoft has announced as the future
// default.
func EntraCompliant(t *testing.T, target Target) {
	t.Helper()
	entra(compliant).run(t, target)
}

// entraDialect is how Entra writes operations.
type entraDialect struct {
	name                        string
	add, replace, remove        string
	disable, enable             string // the value of active
	pathless, membersByValueKey bool
}

var (
	asToday   = entraDialect{"Entra", "Add", "Replace", "Remove", `"False"`, `"True"`, false, false}
	compliant = entraDialect{"Entra with aadOptscim062020", "add", "replace", "remove", "false", "true", true, true}
)

func entra(d entraDialect) suite {
	checks := []check{
		{name: "connection test", play: (*session).entraConnects},
		{name: "connection test of groups", groups: true, play: func(s *session) {
			s.send(http.MethodGet, filtered("/Groups", quoted("displayName", s.name("nobody")))+"&excludedAttributes=members", "").
				none("Entra takes anything else for a service that is not SCIM, and puts the job into quarantine")
		}},
		{name: "schemas", play: (*session).entraReadsSchemas},
		{name: "create a user and find it again", play: (*session).entraCreates},
		{name: "user that exists is a conflict", play: func(s *session) {
			s.create("/Users", s.entraUser("alice"))
			s.refused("/Users", s.entraUser("alice"))
		}},
		{name: "nulls and a misspelt schema in a create", play: (*session).entraCreatesWithNulls},
		{name: "extension that is not in schemas", play: (*session).entraCreatesExtension},
		{name: "roles in a create", play: (*session).entraCreatesRoles},
		{name: "update single attributes", play: d.updates},
		{name: "value path creates what it does not find", play: d.createsByPath},
		{name: "names in any case", play: d.spells},
		{name: "disable and enable", play: d.disables},
		{name: "booleans as strings in any case", play: (*session).entraSendsBooleans},
		{name: "boolean as a string in a value path", play: d.filtersByBoolean},
		{name: "role as JSON in a string", play: d.addsRole},
		{name: "roles replaced", play: d.replacesRoles},
		{name: "manager in all shapes", play: d.setsManager},
		{name: "reference check", play: (*session).entraChecksReference},
		{name: "change the matching attribute", play: d.renamesUser},
		{name: "clear with null and the empty string", play: d.clears},
		{name: "values stay as they were sent", play: d.keepsValues},
		{name: "delete a user", delete: true, play: func(s *session) {
			name := s.address("alice")
			id := s.user(name)
			s.remove(userPath(id))
			s.find("/Users", quoted("userName", name)).none("a user that was deleted is not found")
			s.user(name) // Entra creates it anew when the person comes back, and a name that stays taken would be a conflict for ever
		}},
		{name: "create a group and find it again", groups: true, play: (*session).entraCreatesGroup},
		{name: "rename a group", groups: true, play: d.renamesGroup},
		{name: "add and remove members", groups: true, play: d.changesMembers},
		{name: "delete a group", groups: true, play: func(s *session) { s.remove(groupPath(s.group(s.name("Sales")))) }},
	}
	if d.pathless {
		checks = append(checks, check{name: "update many attributes without a path", play: d.updatesPathless})
	}
	return suite{name: d.name, checks: checks}
}

// op returns an operation. value is JSON.
func op(kind, path, value string) string {
	switch {
	case path == "":
		return fmt.Sprintf(`{"op":%q,"value":%s}`, kind, value)
	case value == "":
		return fmt.Sprintf(`{"op":%q,"path":%q}`, kind, path)
	}
	return fmt.Sprintf(`{"op":%q,"path":%q,"value":%s}`, kind, path, value)
}

func (s *session) entraConnects() {
	const unknown = "7c2ff2f1-4f6c-4e3e-9d0a-1a2b3c4d5e6f"
	const why = "Entra takes anything else for a service that is not SCIM, and puts the job into quarantine"
	s.find("/Users", quoted("userName", unknown)).none(why)
	s.send(http.MethodGet, filteredPlus("/Users", quoted("externalId", unknown)), "").none(why + "; a plus sign in the URL is a space")
	if s.target.Token == "" {
		return
	}
	r := s.request(http.MethodGet, filtered("/Users", quoted("userName", unknown)), "")
	r.Header.Set("Authorization", "Bearer not-"+s.target.Token)
	s.exchange(r, "").need("a wrong token is refused; the administrator is told that the credentials are invalid",
		http.StatusUnauthorized, http.StatusForbidden)
}

func (s *session) entraReadsSchemas() {
	a := s.send(http.MethodGet, "/Schemas", "")
	var user any
	for _, e := range a.list() {
		if at(e, "id") == userSchema {
			user = e
		}
	}
	if user == nil {
		a.fail("the schema %s is in the list", userSchema)
	}
	attributes, _ := at(user, "attributes").([]any)
	for _, e := range attributes {
		for _, name := range []string{"type", "mutability", "returned", "uniqueness"} {
			if text, _ := at(e, name).(string); text != "" && strings.ToLower(text[:1]) != text[:1] {
				a.fail("%s of %v is in camel case, it is %q", name, at(e, "name"), text)
			}
		}
	}
	if strings.Contains(strings.ReplaceAll(a.body, " ", ""), ":null") {
		a.fail("schemas have no nulls")
	}
}

// entraUser returns the user that Entra creates with its default mappings.
func (s *session) entraUser(name string) string {
	address := s.address(name)
	return fmt.Sprintf(`{"schemas":[%q,%q],"externalId":%q,"userName":%q,"active":true,`+
		`"emails":[{"primary":true,"type":"work","value":%q}],"meta":{"resourceType":"User"},`+
		`"name":{"formatted":"Alice Doe","familyName":"Doe","givenName":"Alice"},"roles":[]}`,
		userSchema, enterpriseSchema, s.name(name), address, address)
}

func (s *session) entraCreates() {
	a := s.create("/Users", s.entraUser("alice"))
	id, address := a.id(), s.address("alice")
	a.want("Entra reads back what it sent", address, "userName").
		want("Entra reads back what it sent", s.name("alice"), "externalId").
		want("Entra reads back what it sent", true, "active").
		want("Entra reads back what it sent", "Alice", "name", "givenName").
		wantTyped("Entra reads back what it sent", address, "emails", "work", "value")
	s.find("/Users", quoted("userName", address)).one(id, "a user is found by userName").
		want("Entra compares what the list shows", address, "Resources", 0, "userName").
		want("Entra compares what the list shows", true, "Resources", 0, "active")
	s.send(http.MethodGet, filteredPlus("/Users", quoted("userName", address)), "").one(id, "a plus sign in the URL is a space")
	s.find("/Users", quoted("externalId", s.name("alice"))).one(id, "a user is found by externalId")
	s.find("/Users", fmt.Sprintf(`emails[type eq "work"].value eq %q`, address)).one(id, "an e-mail address may be the matching attribute")
	s.find("/Users", quoted("username", strings.ToUpper(address))).one(id, "names in filters, and the value of userName, are the same in any case")
	s.read(userPath(id)).want("Entra compares what the resource shows", "Doe", "name", "familyName")
}

func (s *session) entraCreatesWithNulls() {
	address := s.address("alice")
	a := s.create("/Users", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0User"],"externalId":%q,"userName":%q,"active":true,`+
		`"addresses":null,"displayName":"Alice","emails":null,"meta":{"resourceType":"User"},"name":{"familyName":"Doe","givenName":"Alice"},`+
		`"phoneNumbers":null,"preferredLanguage":null,"title":null,"department":null,"manager":null}`, s.name("alice"), address))
	a.want("null is the same as nothing (RFC 7643 section 2.5)", nil, "title").want("the rest is stored", "Alice", "displayName")
}

func (s *session) entraCreatesExtension() {
	a := s.create("/Users", fmt.Sprintf(`{"schemas":[%q],"userName":%q,"active":true,%q:{"department":"Sales","employeeNumber":"7"}}`,
		userSchema, s.address("alice"), enterpriseSchema))
	s.read(userPath(a.id())).want("extensions are stored though schemas does not list them", "Sales", enterpriseSchema, "department")
}

func (s *session) entraCreatesRoles() {
	for i, roles := range []string{
		`{"primary":true,"type":"WindowsAzureActiveDirectoryRole","value":"Admin"}`,
		`{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"Admin","value":"Admin"},` +
			`{"primary":false,"type":"WindowsAzureActiveDirectoryRole","displayName":"User","value":"User"}`,
	} {
		a := s.create("/Users", fmt.Sprintf(`{"schemas":[%q],"userName":%q,"active":true,"roles":[%s]}`,
			userSchema, s.address(fmt.Sprintf("alice%d", i)), roles))
		s.read(userPath(a.id())).want("roles are stored", "Admin", "roles", 0, "value")
	}
}

func (d entraDialect) updates(s *session) {
	id := s.create("/Users", s.entraUser("alice")).id()
	const why = "Entra sends one operation for each attribute: Add where there was no value, Replace otherwise"
	other := s.address("alice.other")
	s.patch(userPath(id), why,
		op(d.add, "displayName", `"A"`),
		op(d.replace, `emails[type eq "work"].value`, quote(other)),
		op(d.add, `phoneNumbers[type eq "mobile"].value`, `"+1 425 555 0100"`),
		op(d.replace, "name.familyName", `"B"`),
		op(d.add, `addresses[type eq "work"].streetAddress`, `"1 Main Street"`),
		op(d.add, `addresses[type eq "work"].locality`, `"Redmond"`),
		op(d.add, `addresses[type eq "work"].region`, `"WA"`),
		op(d.add, `addresses[type eq "work"].postalCode`, `"98052"`),
		op(d.add, `addresses[type eq "work"].country`, `"US"`),
		op(d.add, `addresses[type eq "work"].formatted`, `"18/2111"`),
		op(d.add, `phoneNumbers[type eq "fax"].value`, `"+1 425 555 0101"`),
		op(d.add, "title", `"Engineer"`),
		op(d.add, "preferredLanguage", `"en-US"`),
		op(d.replace, "name.formatted", `"Alice B"`),
		op(d.replace, enterpriseSchema+":employeeNumber", `"7"`),
		op(d.add, enterpriseSchema+":department", `"Sales"`))
	s.read(userPath(id)).
		want(why, "A", "displayName").want(why, "B", "name", "familyName").
		want("the other sub-attributes stay", "Alice", "name", "givenName").
		wantTyped(why, other, "emails", "work", "value").
		wantTyped(why, "+1 425 555 0100", "phoneNumbers", "mobile", "value").
		wantTyped(why, "1 Main Street", "addresses", "work", "streetAddress").
		wantTyped("the second operation adds to what the first has created", "Redmond", "addresses", "work", "locality").
		wantTyped(why, "WA", "addresses", "work", "region").wantTyped(why, "98052", "addresses", "work", "postalCode").
		wantTyped(why, "US", "addresses", "work", "country").wantTyped(why, "18/2111", "addresses", "work", "formatted").
		wantTyped(why, "+1 425 555 0101", "phoneNumbers", "fax", "value").
		want(why, "Engineer", "title").want(why, "en-US", "preferredLanguage").want(why, "Alice B", "name", "formatted").
		want(why, "7", enterpriseSchema, "employeeNumber").want(why, "Sales", enterpriseSchema, "department")
}

func (d entraDialect) createsByPath(s *session) {
	for i, kind := range []string{d.add, d.replace} {
		id := s.user(s.address(fmt.Sprintf("alice%d", i)))
		const why = "a value path that matches nothing creates the element from its filter, also with Replace, where RFC 7644 has noTarget"
		s.patch(userPath(id), why, op(kind, `phoneNumbers[type eq "work"].value`, `"+1"`), op(kind, `emails[type eq "other"].value`, quote(s.address("other"))))
		s.read(userPath(id)).
			wantTyped(why, "+1", "phoneNumbers", "work", "value").wantTyped(why, s.address("other"), "emails", "other", "value").
			wantTyped("the elements that were there stay", s.address(fmt.Sprintf("alice%d", i)), "emails", "work", "value")
	}
}

func (d entraDialect) spells(s *session) {
	a := s.create("/Users", fmt.Sprintf(`{"schemas":[%q],"UserName":%q,"ACTIVE":true,"displayname":"Alice"}`, userSchema, s.address("alice")))
	const why = "names of attributes, and operations, are the same in any case"
	a.want(why, "Alice", "displayName")
	s.patch(userPath(a.id()), why,
		op(d.add, `emails[type eq "other"].Value`, quote(s.address("other"))), op(strings.ToUpper(d.add), `addresses[type eq "other"].Formatted`, `"X"`),
		op(strings.ToLower(d.replace), "DISPLAYNAME", `"B"`), op(d.add, strings.ToUpper(enterpriseSchema)+":Department", `"Sales"`))
	s.read(userPath(a.id())).want(why, "B", "displayName").wantTyped(why, s.address("other"), "emails", "other", "value").
		wantTyped(why, "X", "addresses", "other", "formatted").want(why, "Sales", enterpriseSchema, "department")
}

func (d entraDialect) disables(s *session) {
	name := s.address("alice")
	id := s.user(name)
	s.patch(userPath(id), "Entra disables users so, as a rule instead of deleting them", op(d.replace, "active", d.disable))
	s.wantActive(id, name, false)
	s.patch(userPath(id), "Entra enables users so", op(d.replace, "active", d.enable))
	s.wantActive(id, name, true)
}

// wantActive checks that a user is there, whether it is active or not, with a boolean that says so.
func (s *session) wantActive(id, userName string, active bool) {
	s.read(userPath(id)).want("active is a boolean", active, "active")
	s.find("/Users", quoted("userName", userName)).one(id, "an inactive user is found like any other; else it would be created again").
		want("active is a boolean", active, "Resources", 0, "active")
}

func (s *session) entraSendsBooleans() {
	name := s.address("alice")
	id := s.user(name)
	for _, tt := range []struct {
		value  string
		active bool
	}{{`"False"`, false}, {`"True"`, true}, {`"false"`, false}, {`"true"`, true}, {"false", false}, {"true", true}} {
		s.patch(userPath(id), "Entra sends booleans in all of these forms", op("Replace", "active", tt.value))
		s.read(userPath(id)).want("active is a boolean, whatever form it came in", tt.active, "active")
	}
}

func (d entraDialect) filtersByBoolean(s *session) {
	a := s.create("/Users", fmt.Sprintf(`{"schemas":[%q],"userName":%q,"active":true,"roles":[{"primary":"True","value":"User"}]}`,
		userSchema, s.address("alice")))
	const why = `the value "True" in a value path is the boolean`
	s.patch(userPath(a.id()), why, op(d.replace, `roles[primary eq "True"].value`, `"Admin"`))
	r := s.read(userPath(a.id())).want(why, "Admin", "roles", 0, "value")
	if r.at("roles", 1) != nil {
		r.fail("one role: %s", why)
	}
}

func (d entraDialect) addsRole(s *session) {
	id := s.user(s.address("alice"))
	const role = `{"id":"18d14569-c3bd-439b-9a66-3a2aee01d14f","value":"Admin","displayName":"Admin"}`
	s.patch(userPath(id), "Entra writes a role as JSON in a string", op(d.add, "roles", `[{"value":`+quote(role)+`}]`))
	a := s.read(userPath(id))
	if value := a.at("roles", 0, "value"); value != role && value != "Admin" {
		a.fail("roles / 0 / value is the string as it was sent, or the value in it")
	}
}

func (d entraDialect) replacesRoles(s *session) {
	id := s.user(s.address("alice"))
	const why = "the roles of a user are replaced as a whole"
	s.patch(userPath(id), why, op(d.add, "roles", `[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"Admin","value":"Admin"}]`))
	s.patch(userPath(id), why, op("replace", "roles", `[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"User","value":"User"}]`))
	a := s.read(userPath(id)).want(why, "User", "roles", 0, "value")
	if a.at("roles", 1) != nil {
		a.fail("one role: %s", why)
	}
}

func (d entraDialect) setsManager(s *session) {
	user := userPath(s.user(s.address("alice")))
	managers := []string{s.user(s.address("m0")), s.user(s.address("m1"))}
	const short, full = "manager", enterpriseSchema + ":manager"
	shapes := []struct{ path, value string }{
		{full, `%q`},
		{full, `{"value":%q}`},
		{full, `[{"value":%q}]`},
		{short, `[{"$ref":"https://scim.example/Users/m","value":%q}]`},
		{short, `%q`},
		{short, `{"value":%q}`},
	}
	for i, shape := range shapes {
		kind, manager := d.add, managers[i%2]
		if i%2 == 1 {
			kind = d.replace
		}
		s.patch(user, "Entra has sent the manager in this form", op(kind, shape.path, fmt.Sprintf(shape.value, manager)))
		s.read(user).want("the manager is shown in the extension; else Entra sends it again in every cycle", manager, enterpriseSchema, "manager", "value")
	}
	s.patch(user, "Entra has removed the manager with an empty value", op(d.replace, full, `""`))
	s.read(user).want("the manager was removed", nil, enterpriseSchema, "manager")
	s.patch(user, "Entra sets the manager", op(d.add, full, quote(managers[0])))
	s.patch(user, "Entra removes the manager", op(d.remove, full, ""))
	s.read(user).want("the manager was removed", nil, enterpriseSchema, "manager")
}

func (s *session) entraChecksReference() {
	id, manager := s.user(s.address("alice")), s.user(s.address("manager"))
	s.patch(userPath(id), "Entra sets the manager", op("Add", enterpriseSchema+":manager", quote(manager)))
	find := func(who string) *answer {
		return s.send(http.MethodGet, filtered("/Users", quoted("id", id)+" and "+quoted("manager", who))+"&attributes=id", "")
	}
	find(manager).one(id, "a reference is looked up by the id that it holds").want("only what was asked for is shown", nil, "Resources", 0, "userName")
	find(id).none("the reference is to another user")
}

func (d entraDialect) renamesUser(s *session) {
	id := s.user(s.address("alice"))
	name := s.address("alice.smith")
	s.patch(userPath(id), "user names change", op(d.replace, "userName", quote(name)))
	s.find("/Users", quoted("userName", name)).one(id, "a user is found by its new name")
	s.find("/Users", quoted("userName", s.address("alice"))).none("a user is not found by its old name")
}

func (d entraDialect) clears(s *session) {
	for i, value := range []string{`""`, "null"} {
		a := s.create("/Users", fmt.Sprintf(`{"schemas":[%q],"userName":%q,"active":true,"title":"T","nickName":"N"}`,
			userSchema, s.address(fmt.Sprintf("alice%d", i))))
		const why = "an attribute that is set to nothing has no value any more"
		s.patch(userPath(a.id()), why, op(d.replace, "title", value))
		s.wantCleared(userPath(a.id()), why, "title")
	}
}

// wantCleared checks that an attribute has no value, or an empty one.
func (s *session) wantCleared(path, why, attribute string) {
	a := s.read(path)
	if v := a.at(attribute); v != nil && v != "" {
		a.fail("%s is gone or empty: %s", attribute, why)
	}
}

func (d entraDialect) keepsValues(s *session) {
	name := s.name("Alice.MacDonald") + "@" + s.target.Domain
	id := s.user(name)
	const why = "a value that comes back in another form is sent again in every cycle"
	s.patch(userPath(id), why, op(d.add, "displayName", `"  Alice   MacDonald "`), op(d.add, `phoneNumbers[type eq "work"].value`, `"+1 (425) 555-0100"`))
	s.read(userPath(id)).want(why, name, "userName").want(why, "  Alice   MacDonald ", "displayName").
		wantTyped(why, "+1 (425) 555-0100", "phoneNumbers", "work", "value")
}

func (d entraDialect) updatesPathless(s *session) {
	id := s.create("/Users", s.entraUser("alice")).id()
	const why = "an object without a path has dotted names and qualified names as keys"
	other := s.address("alice.other")
	s.patch(userPath(id), why,
		op("replace", `emails[type eq "work"].value`, quote(other)),
		op("replace", "", `{"displayName":"X","name.givenName":"Y","active":false,"`+enterpriseSchema+`:employeeNumber":"7","`+enterpriseSchema+`:department":"Sales"}`))
	s.read(userPath(id)).want(why, "X", "displayName").want(why, "Y", "name", "givenName").want(why, false, "active").
		want("the other sub-attributes stay", "Doe", "name", "familyName").
		want(why, "7", enterpriseSchema, "employeeNumber").want(why, "Sales", enterpriseSchema, "department").
		wantTyped(why, other, "emails", "work", "value")
}

// entraGroup returns the group that Entra creates.
func (s *session) entraGroup(name string) string {
	return fmt.Sprintf(`{"schemas":[%q,"http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],`+
		`"externalId":%q,"displayName":%q,"meta":{"resourceType":"Group"}}`, groupSchema, "object-"+s.name(name), s.name(name))
}

func (s *session) entraCreatesGroup() {
	a := s.create("/Groups", s.entraGroup("Sales"))
	id := a.id()
	a.want("Entra reads back what it sent", s.name("Sales"), "displayName").
		want("Entra reads back what it sent", "object-"+s.name("Sales"), "externalId")
	s.patch(groupPath(id), "Entra adds members", op("Add", "members", fmt.Sprintf(`[{"$ref":null,"value":%q}]`, s.user(s.address("alice")))))
	found := s.send(http.MethodGet, "/Groups?excludedAttributes=members&"+filtered("", quoted("displayName", s.name("Sales")))[1:], "").
		one(id, "a group is found by displayName")
	found.want("members that were excluded are not shown", nil, "Resources", 0, "members")
	s.read(groupPath(id)+"?excludedAttributes=members").want("members that were excluded are not shown", nil, "members").
		want("the rest is shown", s.name("Sales"), "displayName")
}

func (d entraDialect) renamesGroup(s *session) {
	id := s.create("/Groups", s.entraGroup("Sales")).id()
	s.patch(groupPath(id), "Entra renames groups", op(d.replace, "displayName", quote(s.name("Marketing"))))
	s.find("/Groups", quoted("displayName", s.name("Marketing"))).one(id, "a group is found by its new name")
}

func (d entraDialect) changesMembers(s *session) {
	group := s.create("/Groups", s.entraGroup("Sales")).id()
	u := []string{s.user(s.address("u0")), s.user(s.address("u1")), s.user(s.address("u2"))}
	element := func(id string) string { return fmt.Sprintf(`{"$ref":null,"value":%q}`, id) }
	s.patch(groupPath(group), "Entra adds a member", op(d.add, "members", "["+element(u[0])+"]"))
	s.wantMembers(group, "a member was added", u[0])
	s.patch(groupPath(group), "Entra adds several members", op(d.add, "members", "["+element(u[1])+","+element(u[2])+"]"))
	s.wantMembers(group, "two members were added", u...)
	s.patch(groupPath(group), "a member that is one already changes nothing", op(d.add, "members", "["+element(u[1])+"]"))
	s.wantMembers(group, "no member is there twice", u...)
	if d.membersByValueKey {
		s.patch(groupPath(group), "Entra removes a member by a value path", op(d.remove, fmt.Sprintf("members[value eq %q]", u[1]), ""))
	} else {
		s.patch(groupPath(group), "Entra removes members with an array of values", op(d.remove, "members", "["+element(u[1])+"]"))
	}
	s.wantMembers(group, "only the member that was named is removed; a service that ignores the value empties the group", u[0], u[2])
}
