package postmantest

import (
	"context"
	"net/http"
	"net/mail"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/server"
)

// beforeUserCreate checks a POST (rules 14 to 17).
func (s *Simulator) beforeUserCreate(c *server.Change) error {
	userName := str(c.New, "userName")
	name, _ := c.New["name"].(map[string]any)
	switch {
	case !isEmail(userName):
		return syntax("userName", "userName must be an e-mail address.")
	case str(name, "givenName") == "" || str(name, "familyName") == "":
		return syntax("name", "name.givenName and name.familyName are needed.")
	}
	if _, taken := s.userByName(userName); taken {
		return scim.NewError(http.StatusConflict, scim.Uniqueness, "The user is on this team already.")
	}
	if s.options.account(userName) == OtherTeam && !s.options.verified(userName) {
		return scim.NewError(http.StatusConflict, scim.Uniqueness, "The user's account belongs to another team.")
	}
	if _, ok := c.New["active"]; !ok {
		c.New["active"] = true
	}
	if active(c.New) {
		return s.seat()
	}
	return nil
}

// invited reports whether a new user must accept an invitation first: those who have an account, outside the verified domains
// (rule 16).
func (s *Simulator) invited(user scim.Document) bool {
	email := str(user, "userName")
	return s.options.account(email) == Standalone && !s.options.verified(email)
}

// seat reports whether one more user can be active (rules 17 and 24).
func (s *Simulator) seat() error {
	if s.options.Seats == 0 {
		return nil
	}
	taken := len(s.documents("User", filter.Eq("active", true)))
	if taken < s.options.Seats {
		return nil
	}
	return refuse(http.StatusBadRequest, "The team has no free seat.")
}

// beforeUserUpdate checks a PUT or PATCH (rules 20, 21, 24 and 25).
func (s *Simulator) beforeUserUpdate(c *server.Change) error {
	restore(c.New, c.Old, "externalId")
	if err := s.renamed(c); err != nil {
		return err
	}
	was, is := active(c.Old), active(c.New)
	if was && !is && s.options.TeamAdminKey && s.options.superAdmin(str(c.Old, "userName")) {
		return refuse(http.StatusForbidden, "A Team Admin's key can't deactivate a Super Admin.")
	}
	if !was && is {
		return s.seat()
	}
	return nil
}

// renamed checks a change of userName (rule 21).
func (s *Simulator) renamed(c *server.Change) error {
	was, is := str(c.Old, "userName"), str(c.New, "userName")
	if was == is {
		return nil
	}
	switch {
	case s.options.Switches.UserNameFixed:
		return refuse(http.StatusBadRequest, "userName can't be changed.")
	case !isEmail(is):
		return refuse(http.StatusBadRequest, "userName must be an e-mail address.")
	case !s.options.verified(is):
		return refuse(http.StatusBadRequest, "The team hasn't verified the domain of the new userName.")
	case s.options.TeamAdminKey:
		return refuse(http.StatusForbidden, "Only a Super Admin's key can change userName.")
	}
	if other, taken := s.userByName(is); taken && other.ID() != c.ID {
		return scim.NewError(http.StatusConflict, scim.Uniqueness, "Another user has this userName.")
	}
	return nil
}

// restore undoes a change of an attribute that later requests cannot change.
func restore(doc, old scim.Document, name string) {
	if v, ok := old[name]; ok {
		doc[name] = v
		return
	}
	delete(doc, name)
}

// beforeUserPatch refuses what PATCH of a user does not do (rules 22 and 23).
func (s *Simulator) beforeUserPatch(p *server.Patch) error {
	for _, o := range p.Operations {
		if !strings.EqualFold(string(o.Op), string(scim.OpReplace)) {
			return syntax("", "The operation "+string(o.Op)+" isn't supported for users.")
		}
		if s.options.Switches.StrictUserPatch && !documentedUserPatch(o) {
			return syntax("", "Only active without a path and the path userName are supported.")
		}
	}
	return nil
}

// documentedUserPatch reports whether an operation has one of the two forms that the reference shows.
func documentedUserPatch(o scim.PatchOperation) bool {
	if o.Path == "userName" {
		_, ok := o.Value.(string)
		return ok
	}
	value, ok := o.Value.(map[string]any)
	if !ok || o.Path != "" || len(value) != 1 {
		return false
	}
	_, ok = value["active"].(bool)
	return ok
}

// userByName finds a user in any case, as uniqueness does (rule 15).
func (s *Simulator) userByName(userName string) (scim.Document, bool) {
	s.mu.Lock()
	id, ok := s.names[strings.ToLower(userName)]
	s.mu.Unlock()
	if !ok {
		return nil, false
	}
	user, err := s.store.Get(context.Background(), server.Key{Type: "User", ID: id})
	return user.Document, err == nil
}

// name remembers under which userName a user is found.
func (s *Simulator) name(user, old scim.Document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.names, strings.ToLower(str(old, "userName")))
	s.names[strings.ToLower(str(user, "userName"))] = user.ID()
}

// deactivated returns the deactivated user whom the body of a POST is about.
func (s *Simulator) deactivated(body []byte) (scim.User, bool) {
	var u scim.User
	if err := json.Unmarshal(body, &u); err != nil {
		return scim.User{}, false
	}
	doc, ok := s.userByName(u.UserName)
	if !ok || active(doc) {
		return scim.User{}, false
	}
	return scim.User{ID: doc.ID()}, true
}

// reactivate carries out a POST of a deactivated user as the PUT that it amounts to, and answers it with 201.
func (s *Simulator) reactivate(w http.ResponseWriter, r *http.Request, id string, body []byte) {
	put := r.Clone(r.Context())
	put.Method = http.MethodPut
	put.URL.Path = BasePath + "/Users/" + id
	put.URL.RawQuery = ""
	s.serve(createdWriter{w}, put, body)
}

// createdWriter turns 200 into 201.
type createdWriter struct{ http.ResponseWriter }

func (w createdWriter) WriteHeader(status int) {
	if status == http.StatusOK {
		status = http.StatusCreated
	}
	w.ResponseWriter.WriteHeader(status)
}

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && strings.Contains(s[strings.LastIndexByte(s, '@'):], ".")
}

// str returns a string attribute, or "".
func str(doc map[string]any, name string) string {
	s, _ := doc[name].(string)
	return s
}

func syntax(attribute, detail string) *scim.Error {
	return &scim.Error{Status: http.StatusBadRequest, Type: scim.InvalidSyntax, Attribute: attribute, Detail: detail}
}
