package client_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/postman"
)

// recorder is a service that remembers requests as "METHOD path body" and answers with nothing, or with a body for a method.
type recorder struct {
	log     []string
	answers map[string]string
}

func (s *recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	line := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/scim/v2")
	if r.Body != nil {
		data, _ := io.ReadAll(r.Body)
		line += " " + string(data)
	}
	s.log = append(s.log, line)
	if answer, ok := s.answers[r.Method]; ok {
		return response(http.StatusOK, answer), nil
	}
	return response(http.StatusNoContent, ""), nil
}

func postmanProfile(t *testing.T) client.Option {
	t.Helper()
	return client.WithProfile(postman.Profile())
}

// profileOf returns a profile with one resource type, users, that offers all operations but is changed by a function.
func profileOf(change func(*profiles.Resource)) client.Option {
	p := profiles.Generic()
	for i := range p.Resources {
		change(&p.Resources[i])
	}
	return client.WithProfile(p)
}

func patchBody(operations string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + operations + `]}`
}

func TestUpdateSendsWhatChanged(t *testing.T) {
	generic := client.WithProfile(profiles.Generic())
	tests := []struct {
		name     string
		old, new string
		options  []client.Option
		log      []string
	}{
		{
			name: "nothing", options: []client.Option{generic},
			old: `{"id":"1","userName":"a@example.com","emails":[{"value":"x"},{"value":"y"}],"meta":{"version":"1"}}`,
			new: `{"id":"1","userName":"a@example.com","emails":[{"value":"y"},{"value":"x"}]}`,
		},
		{
			name: "one attribute", options: []client.Option{generic},
			old: `{"id":"1","userName":"a@example.com","name":{"givenName":"A","familyName":"B"}}`,
			new: `{"id":"1","userName":"a@example.com","name":{"givenName":"C","familyName":"B"}}`,
			log: []string{`PATCH /Users/1 ` + patchBody(`{"op":"replace","path":"name.givenName","value":"C"}`)},
		},
		{
			name: "attributes that the schema does not have", options: []client.Option{generic},
			old: `{"id":"1","userName":"a","shoeSize":42,"hat":"red","urn:example:badge:1.0:User":{"number":1,"kept":true}}`,
			new: `{"id":"1","userName":"a","shoeSize":43,"urn:example:badge:1.0:User":{"number":2,"kept":true}}`,
			log: []string{`PATCH /Users/1 ` + patchBody(`{"op":"remove","path":"hat"},{"op":"replace","path":"shoeSize","value":43},`+
				`{"op":"replace","path":"urn:example:badge:1.0:User:number","value":2}`)},
		},
		{
			name: "attributes that the schema of an extension does not have", options: []client.Option{generic},
			old: `{"id":"1","userName":"a","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"d","shift":"day","badge":1}}`,
			new: `{"id":"1","userName":"a","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"e","shift":"night"}}`,
			log: []string{`PATCH /Users/1 ` + patchBody(`{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"e"},`+
				`{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:badge"},`+
				`{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:shift","value":"night"}`)},
		},
		{
			name: "in Entra's dialect", options: []client.Option{profileOf(func(r *profiles.Resource) { r.Patch = patch.Entra() })},
			old: `{"id":"1","userName":"a","active":true}`, new: `{"id":"1","userName":"a","active":false,"hat":"red"}`,
			log: []string{`PATCH /Users/1 ` + patchBody(`{"op":"Replace","path":"active","value":"False"},{"op":"Replace","path":"hat","value":"red"}`)},
		},
		{
			name: "a service without PATCH",
			options: []client.Option{profileOf(func(r *profiles.Resource) {
				r.Operations = []profiles.Operation{profiles.Read, profiles.Replace}
			})},
			old: `{"id":"1","userName":"a","title":"x","meta":{"version":"1"},"groups":[{"value":"g"}]}`, new: `{"id":"1","userName":"a","nickName":"n","hat":"red","meta":{"version":"1"}}`,
			log: []string{`PUT /Users/1 {"hat":"red","id":"1","nickName":"n","schemas":["` + scim.UserSchema + `"],"userName":"a"}`},
		},
		{
			name: "Postman: active", options: []client.Option{postmanProfile(t)},
			old: `{"id":"1","userName":"a@example.com","active":true}`, new: `{"id":"1","userName":"a@example.com","active":false}`,
			log: []string{`PATCH /Users/1 ` + patchBody(`{"op":"replace","value":{"active":false}}`)},
		},
		{
			name: "Postman: userName", options: []client.Option{postmanProfile(t)},
			old: `{"id":"1","userName":"a@example.com","active":true}`, new: `{"id":"1","userName":"b@example.com","active":true}`,
			log: []string{`PATCH /Users/1 ` + patchBody(`{"op":"replace","path":"userName","value":"b@example.com"}`)},
		},
		{
			name: "Postman: a name goes by PUT, whole, with what else changed", options: []client.Option{postmanProfile(t)},
			old: `{"id":"1","userName":"a@example.com","active":true,"name":{"givenName":"A","familyName":"B"}}`,
			new: `{"id":"1","userName":"a@example.com","active":false,"name":{"givenName":"C","familyName":"B"}}`,
			log: []string{`PUT /Users/1 {"active":false,"name":{"familyName":"B","givenName":"C"},"schemas":["` + scim.UserSchema + `"]}`},
		},
		{
			name: "Postman: what it does not keep, or does not change", options: []client.Option{postmanProfile(t)},
			old: `{"id":"1","userName":"a@example.com","externalId":"x"}`,
			new: `{"id":"1","userName":"a@example.com","externalId":"y","emails":[{"value":"z"}],"title":"t",` +
				`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"d"}}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &recorder{}
			c := newClient(t, s, tt.options...)
			var old, new scim.Document
			if err := errors.Join(json.Unmarshal([]byte(tt.old), &old), json.Unmarshal([]byte(tt.new), &new)); err != nil {
				t.Fatal(err)
			}
			before, after := old.Clone(), new.Clone()
			changes, err := c.Documents("User").PlanUpdate(t.Context(), old, new)
			if err != nil || len(changes) != len(tt.log) || len(s.log) > 0 {
				t.Errorf("plan of %d changes, error %v, %d requests", len(changes), err, len(s.log))
			}
			if _, err := c.Documents("User").Update(t.Context(), old, new); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.log, s.log); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]scim.Document{before, after}, []scim.Document{old, new}); diff != "" {
				t.Errorf("the documents given were changed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUpdateAsksWhetherThereIsPATCH(t *testing.T) {
	s := &recorder{answers: map[string]string{"GET": `{"patch":{"supported":false}}`, "PUT": `{"id":"1","userName":"b"}`}}
	c := newClient(t, s)
	for range 2 {
		user, err := c.Users().Update(t.Context(), scim.User{ID: "1", UserName: "a"}, scim.User{UserName: "b"})
		if err != nil || user.UserName != "b" {
			t.Fatal(user, err)
		}
	}
	put := `PUT /Users/1 {"id":"1","schemas":["` + scim.UserSchema + `"],"userName":"b"}`
	if diff := cmp.Diff([]string{"GET /ServiceProviderConfig", put, put}, s.log); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// An error of this package is a *scim.Error itself, for those who do not use errors.As as well.
func TestUpdateThatIsNotOfferedIsASCIMError(t *testing.T) {
	c := newClient(t, transport(func(*http.Request) (*http.Response, error) { return response(http.StatusOK, `{}`), nil }),
		profileOf(func(r *profiles.Resource) { r.Operations = []profiles.Operation{profiles.Read} }))
	_, err := c.Users().Update(t.Context(), scim.User{ID: "1", Title: "a"}, scim.User{ID: "1", Title: "b"})
	if _, ok := err.(*scim.Error); !ok || !errors.Is(err, client.ErrNotSent) {
		t.Errorf("%T: %v", err, err)
	}
}

// A document that is nil is more likely a mistake than the wish to empty the resource.
func TestUpdateRefusesNilDocuments(t *testing.T) {
	c := newClient(t, transport(func(*http.Request) (*http.Response, error) { return response(http.StatusOK, `{"id":"1"}`), nil }))
	devices := client.For[scim.Document](c, scim.ResourceType{Name: "Device", Endpoint: "/Devices"}, nil)
	if got, err := devices.Update(t.Context(), scim.Document{"id": "1", "name": "x"}, nil); !errors.Is(err, client.ErrNotSent) {
		t.Errorf("%v, %v", got, err)
	}
}

// Members that are plain ids, as identity providers send them, are not lost where members are added after the create.
func TestCreateAddsMembersThatArePlainIDs(t *testing.T) {
	var sent string
	c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPatch {
			data, _ := io.ReadAll(r.Body)
			sent = string(data)
		}
		return response(http.StatusOK, `{"id":"1"}`), nil
	}), profileOf(func(r *profiles.Resource) { r.MembersOnCreate = false }))
	group := scim.Document{"displayName": "A", "members": []any{"7", map[string]any{"value": "8"}}}
	if _, err := c.Documents("Group").Create(t.Context(), group); err != nil {
		t.Fatal(err)
	}
	if want := patchBody(`{"op":"add","path":"members","value":[{"value":"7"},{"value":"8"}]}`); sent != want {
		t.Errorf("sent %s, want %s", sent, want)
	}
}

func TestUpdateErrors(t *testing.T) {
	s := &recorder{}
	c := newClient(t, s, profileOf(func(r *profiles.Resource) { r.Operations = []profiles.Operation{profiles.Read} }))
	_, err := c.Users().Update(t.Context(), scim.User{ID: "1", UserName: "a"}, scim.User{ID: "1", UserName: "b"})
	if !errors.Is(err, client.ErrNotSent) || !errors.Is(err, scim.ErrNotImplemented) || !strings.Contains(err.Error(), "cannot change userName") {
		t.Errorf("no way to change it: %v", err)
	}
	if _, err := c.Users().Update(t.Context(), scim.User{UserName: "a"}, scim.User{UserName: "b"}); !errors.Is(err, client.ErrNotSent) {
		t.Errorf("no id: %v", err)
	}
	if len(s.log) > 0 {
		t.Errorf("requests %v", s.log)
	}
}

func TestMembers(t *testing.T) {
	entra := profileOf(func(r *profiles.Resource) {
		r.Patch.MemberRemoval = patch.ValueArray
		r.Patch.MembersPerRequest = 2
	})
	replace := profileOf(func(r *profiles.Resource) { r.Patch.MemberRemoval = patch.ReplaceAll })
	group := `{"id":"g","displayName":"G","members":[{"value":"a"},{"value":"b"},{"value":"c"}],"meta":{"version":"W/\"7\""}}`
	tests := []struct {
		name    string
		options []client.Option
		call    func(*client.Client) error
		log     []string
	}{
		{
			name: "add", options: []client.Option{postmanProfile(t)},
			call: func(c *client.Client) error { return c.Groups().AddMembers(t.Context(), "g", "x", "y", "x") },
			log:  []string{`PATCH /Groups/g ` + patchBody(`{"op":"add","path":"members","value":[{"value":"x"},{"value":"y"}]}`)},
		},
		{
			name: "remove", options: []client.Option{postmanProfile(t)},
			call: func(c *client.Client) error { return c.Groups().RemoveMembers(t.Context(), "g", "a") },
			log:  []string{`PATCH /Groups/g ` + patchBody(`{"op":"remove","path":"members[value eq \"a\"]"}`)},
		},
		{
			name: "set", options: []client.Option{postmanProfile(t)},
			call: func(c *client.Client) error { return c.Groups().SetMembers(t.Context(), "g", "b", "d") },
			log: []string{
				`GET /Groups/g`,
				`PATCH /Groups/g ` + patchBody(`{"op":"remove","path":"members[value eq \"a\"]"},{"op":"remove","path":"members[value eq \"c\"]"},`+
					`{"op":"add","path":"members","value":[{"value":"d"}]}`),
			},
		},
		{
			name: "set what is set", call: func(c *client.Client) error { return c.Groups().SetMembers(t.Context(), "g", "c", "b", "a") },
			log: []string{`GET /Groups/g`},
		},
		{
			name: "in several requests", options: []client.Option{entra},
			call: func(c *client.Client) error { return c.Groups().SetMembers(t.Context(), "g", "c", "d", "e") },
			log: []string{
				`GET /Groups/g`,
				`PATCH /Groups/g ` + patchBody(`{"op":"remove","path":"members","value":[{"value":"a"},{"value":"b"}]}`),
				`PATCH /Groups/g ` + patchBody(`{"op":"add","path":"members","value":[{"value":"d"},{"value":"e"}]}`),
			},
		},
		{
			name: "remove where all must be replaced", options: []client.Option{replace},
			call: func(c *client.Client) error { return c.Groups().RemoveMembers(t.Context(), "g", "b") },
			log:  []string{`GET /Groups/g`, `PATCH /Groups/g ` + patchBody(`{"op":"replace","path":"members","value":[{"value":"a"},{"value":"c"}]}`)},
		},
		{
			name: "remove nobody where all must be replaced", options: []client.Option{replace},
			call: func(c *client.Client) error { return c.Groups().RemoveMembers(t.Context(), "g", "z") },
			log:  []string{`GET /Groups/g`},
		},
		{
			name: "set where all must be replaced", options: []client.Option{replace},
			call: func(c *client.Client) error { return c.Groups().SetMembers(t.Context(), "g", "b", "d") },
			log:  []string{`GET /Groups/g`, `PATCH /Groups/g ` + patchBody(`{"op":"replace","path":"members","value":[{"value":"b"},{"value":"d"}]}`)},
		},
		{
			name: "create where members come later", options: []client.Option{profileOf(func(r *profiles.Resource) { r.MembersOnCreate = false })},
			call: func(c *client.Client) error {
				_, err := c.Groups().Create(t.Context(), scim.Group{DisplayName: "G", Members: []scim.Reference{{Value: "a"}}})
				return err
			},
			log: []string{
				`POST /Groups {"displayName":"G","schemas":["` + scim.GroupSchema + `"]}`,
				`PATCH /Groups/g ` + patchBody(`{"op":"add","path":"members","value":[{"value":"a"}]}`),
			},
		},
		{
			name: "update of a group", options: []client.Option{postmanProfile(t)},
			call: func(c *client.Client) error {
				old := scim.Group{ID: "g", DisplayName: "G", Members: []scim.Reference{{Value: "a", Display: "A"}, {Value: "b"}}}
				new := scim.Group{DisplayName: "H", Members: []scim.Reference{{Value: "b"}, {Value: "c"}}}
				got, err := c.Groups().Update(t.Context(), old, new)
				if diff := cmp.Diff(new.Members, got.Members); diff != "" {
					t.Errorf("members (-want +got):\n%s", diff)
				}
				return err
			},
			log: []string{`PATCH /Groups/g ` + patchBody(`{"op":"replace","value":{"displayName":"H","id":"g"}},{"op":"remove","path":"members[value eq \"a\"]"},`+
				`{"op":"add","path":"members","value":[{"value":"c"}]}`)},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &recorder{answers: map[string]string{"GET": group, "POST": `{"id":"g"}`, "PATCH": `{"id":"g","displayName":"H","members":null}`}}
			c := newClient(t, s, tt.options...)
			if err := tt.call(c); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.log, s.log); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUsersHaveNoMembers(t *testing.T) {
	s := &recorder{}
	if err := newClient(t, s).Users().AddMembers(t.Context(), "1", "2"); !errors.Is(err, client.ErrNotSent) || len(s.log) > 0 {
		t.Errorf("error %v, requests %v", err, s.log)
	}
}
