package idptest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	userSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupSchema      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// create creates a resource and returns the answer, which shows it.
func (s *session) create(endpoint, body string) *answer {
	a := s.send(http.MethodPost, endpoint, body).need("what is created is answered with the resource", http.StatusCreated)
	s.created = append(s.created, endpoint+"/"+url.PathEscape(a.id()))
	if a.header.Get("Location") == "" {
		a.fail("the header Location has the URL of what was created (RFC 7644 section 3.3)")
	}
	if list, _ := a.at("schemas").([]any); len(list) == 0 {
		a.fail("every resource says in schemas what it is (RFC 7643 section 3)")
	}
	return a
}

// user creates a user with the attributes that every provider sends, and returns its id.
func (s *session) user(userName string) string {
	return s.create("/Users", fmt.Sprintf(
		`{"schemas":[%q],"externalId":%q,"userName":%q,"active":true,"name":{"givenName":"Alice","familyName":"Doe"},`+
			`"emails":[{"primary":true,"type":"work","value":%q}]}`,
		userSchema, "ext-"+userName, userName, userName)).id()
}

// group creates a group without members and returns its id.
func (s *session) group(displayName string) string {
	return s.create("/Groups", fmt.Sprintf(`{"schemas":[%q],"displayName":%q,"members":[]}`, groupSchema, displayName)).id()
}

func userPath(id string) string { return "/Users/" + url.PathEscape(id) }

func groupPath(id string) string { return "/Groups/" + url.PathEscape(id) }

// read returns a resource, which must be there.
func (s *session) read(path string) *answer {
	return s.send(http.MethodGet, path, "").need("a resource that exists is returned, an inactive user, too", http.StatusOK)
}

// patch sends operations, each as JSON. The answer is 200 with the resource, or 204.
func (s *session) patch(path, why string, operations ...string) *answer {
	return s.send(http.MethodPatch, path, patchBody(operations...)).need(why, http.StatusOK, http.StatusNoContent)
}

func patchBody(operations ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + strings.Join(operations, ",") + `]}`
}

// list checks that the answer is a list, and returns its resources.
func (a *answer) list() []any {
	a.need("a query is answered with a list, one without results, too", http.StatusOK)
	if !a.has("urn:ietf:params:scim:api:messages:2.0:ListResponse", "schemas") {
		a.fail("a list has the schema urn:ietf:params:scim:api:messages:2.0:ListResponse")
	}
	total, ok := a.at("totalResults").(int64)
	if !ok {
		a.fail("totalResults is an integer")
	}
	resources, ok := a.at("Resources").([]any)
	if !ok {
		a.fail("Resources is an array, an empty one when nothing was found")
	}
	if int(total) < len(resources) {
		a.fail("totalResults is at least the number of Resources")
	}
	if n := a.at("itemsPerPage"); n != nil && n != int64(len(resources)) {
		a.fail("itemsPerPage is how many Resources there are: %d", len(resources))
	}
	return resources
}

// none checks that the list is empty.
func (a *answer) none(why string) {
	if len(a.list()) > 0 || a.at("totalResults") != int64(0) {
		a.fail("an empty list with totalResults 0: %s", why)
	}
}

// one checks that the list has one resource, with an id.
func (a *answer) one(id, why string) *answer {
	resources := a.list()
	if len(resources) != 1 || at(resources, 0, "id") != id {
		a.fail("a list of one resource, with the id %q: %s", id, why)
		panic(ended{})
	}
	return a
}

// find queries one endpoint with a filter.
func (s *session) find(endpoint, filter string) *answer {
	return s.send(http.MethodGet, filtered(endpoint, filter), "")
}

func quoted(attribute, value string) string { return fmt.Sprintf("%s eq %q", attribute, value) }

// wantMembers reads a group and checks which members it has.
func (s *session) wantMembers(group, why string, want ...string) {
	a := s.read(groupPath(group))
	list, _ := a.at("members").([]any)
	got := make([]string, 0, len(list))
	for _, e := range list {
		value, _ := at(e, "value").(string)
		got = append(got, value)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		a.fail("the members are %q, not %q: %s", want, got, why)
	}
}

// remove deletes a resource, and checks that it is gone.
func (s *session) remove(path string) {
	s.send(http.MethodDelete, path, "").need("what is deleted is answered without a body", http.StatusNoContent)
	s.send(http.MethodGet, path, "").need("a resource that was deleted is gone", http.StatusNotFound)
}

// refused checks that a resource that exists already cannot be created.
func (s *session) refused(endpoint, body string) {
	a := s.send(http.MethodPost, endpoint, body).need("a second resource with the same name is a conflict", http.StatusConflict)
	a.want("the provider tells this conflict from others by it (RFC 7644 section 3.12)", "uniqueness", "scimType")
}
