package server_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	elimity "github.com/elimity-com/scim/schema"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

func TestCreateAndGet(t *testing.T) {
	s := newService(t)
	const want = `{
		"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
		"id":"1","externalId":"alice","userName":"alice@contoso.com","active":true,
		"name":{"givenName":"Alice"},"emails":[{"type":"work","value":"alice@contoso.com","primary":true}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"9","$ref":"https://example.com/scim/v2/Users/9"}},
		"meta":{"resourceType":"User","created":"2026-11-23T12:00:00.000Z","lastModified":"2026-11-23T12:00:00.000Z",
			"location":"https://example.com/scim/v2/Users/1","version":"\"v1\""}}`
	s.send("POST", "/scim/v2/Users", `{
		"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],
		"id":"chosen by the client","externalId":"alice","USERNAME":"alice@contoso.com","active":"True","password":"secret",
		"emails":[{"primary":true,"type":"work","value":"alice@contoso.com"}],"title":null,"unknown":1,
		"meta":{"resourceType":"User","created":"2001-01-01T00:00:00Z"},"name":{"givenName":"Alice"},"roles":[],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager":"9"}`).
		want(http.StatusCreated).wantDoc(want).
		wantHeader("Location", "https://example.com/scim/v2/Users/1").
		wantHeader("ETag", `"v1"`).
		wantHeader("Content-Type", "application/scim+json")
	s.get("/scim/v2/Users/1").want(http.StatusOK).wantDoc(want).wantHeader("ETag", `"v1"`)
	s.get("/scim/v2/Users/1/").want(http.StatusOK)
	s.get("/scim/v2/Users/2").wantError(http.StatusNotFound, "")
	s.get("/scim/v2/Groups/1").wantError(http.StatusNotFound, "")
}

func TestCreateRefuses(t *testing.T) {
	s := newService(t)
	s.user("bjensen")
	tests := []struct {
		name, body string
		status     int
		typ        scim.ErrorType
	}{
		{"no userName", `{"displayName":"x"}`, 400, scim.InvalidValue},
		{"empty userName", `{"userName":""}`, 400, scim.InvalidValue},
		{"wrong type", `{"userName":{"x":1}}`, 400, scim.InvalidValue},
		{"taken", `{"userName":"bjensen"}`, 409, scim.Uniqueness},
		{"taken in another case", `{"userName":"BJensen"}`, 409, scim.Uniqueness},
		{"no JSON", `{"userName":`, 400, scim.InvalidSyntax},
		{"not an object", `[]`, 400, scim.InvalidSyntax},
		{"a name twice", `{"userName":"a","userName":"b"}`, 400, scim.InvalidSyntax},
		{"a name twice in different case", `{"userName":"a","username":"b"}`, 400, scim.InvalidSyntax},
		{"two objects", `{"userName":"a"}{}`, 400, scim.InvalidSyntax},
		{"two primary addresses", `{"userName":"a","emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, 400, scim.InvalidValue},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.t = t
			s.send("POST", "/Users", tt.body).wantError(tt.status, tt.typ)
		})
	}
	s.t = t
	s.get("/Users").wantIDs("1")
}

func TestReplace(t *testing.T) {
	s := newService(t)
	id := s.create("/Users", `{"userName":"a","title":"T","password":"secret","name":{"givenName":"A","familyName":"B"}}`)
	s.send("PUT", "/Users/"+id, `{"userName":"a","id":"other","nickName":"N","meta":{"created":"2001-01-01T00:00:00Z"}}`).
		want(http.StatusOK).wantHeader("ETag", `"v2"`).
		wantAt("id", id).wantAt("nickName", "N").wantAt("title", nil).wantAt("name", nil).
		wantAt("meta/created", created).wantAt("meta/version", `"v2"`)
	s.send("PUT", "/Users/"+id, `{"userName":"a","nickName":"N"}`).want(http.StatusOK).wantHeader("ETag", `"v2"`)
	s.send("PUT", "/Users/"+id, `{"nickName":"N"}`).wantError(400, scim.InvalidValue)
	s.user("b")
	s.send("PUT", "/Users/"+id, `{"userName":"B"}`).wantError(409, scim.Uniqueness)
	s.send("PUT", "/Users/404", `{"userName":"c"}`).wantError(404, "")
	s.get("/Users/"+id).wantAt("userName", "a")
}

func TestReplaceMerges(t *testing.T) {
	s := newService(t, func(o *server.Options) {
		user := server.UserType()
		user.PutMerges = true
		o.ResourceTypes = []server.ResourceType{user}
	})
	id := s.create("/Users", `{"userName":"a","title":"T","name":{"givenName":"A","familyName":"B"}}`)
	s.send("PUT", "/Users/"+id, `{"name":{"givenName":"C"}}`).want(http.StatusOK).
		wantAt("userName", "a").wantAt("title", "T").wantAt("name", map[string]any{"givenName": "C", "familyName": "B"})
	s.send("PUT", "/Users/"+id, `{"userName":"b","active":false}`).want(http.StatusOK).wantAt("userName", "b").wantAt("active", false)
}

func TestDelete(t *testing.T) {
	s := newService(t)
	id := s.user("a")
	r := s.send("DELETE", "/Users/"+id, "").want(http.StatusNoContent)
	if r.Body != "" {
		t.Errorf("the answer to DELETE has the body %q", r.Body)
	}
	s.get("/Users/"+id).wantError(404, "")
	s.send("DELETE", "/Users/"+id, "").wantError(404, "")
	s.user("a")
}

func TestPatch(t *testing.T) {
	s := newService(t)
	id := s.create("/Users", `{"userName":"a","active":true}`)
	path := "/Users/" + id
	s.patch(path, `{"op":"Replace","path":"active","value":"False"}`).want(200).
		wantAt("active", false).wantAt("meta/version", `"v2"`).wantHeader("ETag", `"v2"`)
	r := s.patch(path, `{"op":"replace","value":{"active":false}}`).want(204).wantHeader("ETag", `"v2"`)
	if r.Body != "" {
		t.Errorf("204 with the body %q", r.Body)
	}
	s.send("PATCH", path+"?attributes=active", operations(`{"op":"replace","path":"active","value":false}`)).
		want(200).wantDoc(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","active":false}`)
	s.patch(path, `{"op":"add","path":"title","value":"T"}`, `{"op":"replace","path":"nosuch","value":1}`).
		wantError(400, scim.InvalidPath)
	s.get(path).wantAt("title", nil).wantAt("meta/version", `"v2"`)
	s.patch(path, `{"op":"remove","path":"userName"}`).wantError(400, scim.Mutability)
	s.patch(path, `{"op":"replace","path":"id","value":"x"}`).wantError(400, scim.Mutability)
	s.patch(path, `{"op":"remove","path":"groups"}`).wantError(400, scim.Mutability)
	s.patch(path, `{"op":"replace","path":"emails[password eq \"x\"].value","value":"x"}`).want(400)
	s.patch(path, `{"op":"jump","path":"title","value":"x"}`).wantError(400, scim.InvalidSyntax)
	s.send("PATCH", path, `{"Operations":[]}`).wantError(400, scim.InvalidSyntax)
	s.send("PATCH", path, `{}`).wantError(400, scim.InvalidSyntax)
	s.send("PATCH", path, `{"Operations":[{"path":"title"}]}`).wantError(400, scim.InvalidSyntax)
	s.user("b")
	s.patch(path, `{"op":"replace","path":"userName","value":"B"}`).wantError(409, scim.Uniqueness)
	s.patch("/Users/404", `{"op":"replace","path":"active","value":true}`).wantError(404, "")
}

func TestPatchNeedsAValue(t *testing.T) {
	onBothStores(t, func(t *testing.T, open func(...func(*server.Options)) *service) {
		s := open()
		s.create("/Users", `{"userName":"a","title":"T"}`)
		s.create("/Groups", `{"displayName":"G","members":[{"value":"1"}]}`)
		for _, op := range []string{
			`{"op":"add","path":"title"}`, `{"op":"Add","path":"emails"}`, `{"op":"replace","path":"title"}`, `{"op":"Replace","path":"active"}`,
			`{"op":"add"}`, `{"op":"replace"}`, `{"op":"add","path":"title","values":"x"}`,
		} {
			s.patch("/Users/1", `{"op":"replace","path":"nickName","value":"N"}`, op).wantError(400, scim.InvalidValue)
		}
		for _, op := range []string{`{"op":"add","path":"members"}`, `{"op":"replace","path":"members"}`} {
			s.patch("/Groups/2", op).wantError(400, scim.InvalidValue)
		}
		s.bulk(0, `{"method":"PATCH","path":"/Users/1","data":`+operations(`{"op":"add","path":"title"}`)+`}`).wantStatuses("PATCH 400")
		s.get("/Users/1").wantAt("title", "T").wantAt("nickName", nil)
		s.wantMembers("2", "1")

		// Null is a value: that which is none.
		s.patch("/Users/1", `{"op":"add","path":"title","value":null}`).want(204)
		s.patch("/Users/1", `{"op":"replace","path":"title","VALUE":null}`).want(200).wantAt("title", nil)
		s.patch("/Groups/2", `{"op":"remove","path":"members"}`)
		s.wantMembers("2")
	})
}

func TestNamesInSeveralCasesAlwaysMeanTheSame(t *testing.T) {
	s := newService(t)
	s.user("a")
	for range 50 {
		s.send("PATCH", "/Users/1", `{"Operations":[{"op":"add","PATH":"title","Path":"nickName","VALUE":"upper","Value":"lower"}]}`).
			wantAt("title", "upper").wantAt("nickName", nil)
		s.patch("/Users/1", `{"OP":"add","op":"remove","path":"title"}`).want(200).wantAt("title", nil)
		s.send("POST", "/Users", `{"userName":"b","USERNAME":"c"}`).wantError(400, scim.InvalidSyntax)
	}
}

func TestReplaceOfElementsThatAreNotThere(t *testing.T) {
	s := newService(t)
	s.create("/Users", `{"userName":"a","emails":[{"value":"h@x","type":"home"}]}`)
	s.patch("/Users/1", `{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"w@x"}}`).wantError(400, scim.NoTarget)
	s.patch("/Users/1", `{"op":"Replace","path":"emails[type eq \"work\"].value","value":"w@x"}`).want(200).
		wantAt("emails/1", map[string]any{"type": "work", "value": "w@x"})
	s.patch("/Users/1", `{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"v@x"}}`).want(200).
		wantAt("emails/1/value", "v@x")

	strict := newService(t, func(o *server.Options) {
		users := server.UserType()
		users.Strict = true
		o.ResourceTypes = []server.ResourceType{users}
	})
	strict.create("/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a"}`)
	strict.patch("/Users/1", `{"op":"replace","path":"emails[type eq \"work\"].value","value":"w@x"}`).wantError(400, scim.NoTarget)
}

// A type and a value occur in one element only (RFC 7643 section 2.4).
func TestRepeatedElementsAreOne(t *testing.T) {
	const repeated = `[{"value":"a@x","type":"work"},{"value":"b@x","type":"work"},{"value":"A@x","type":"Work","primary":true,"display":"A"},
		{"value":"a@x"},{"type":"work"},{"value":"a@x","type":"work","display":"no"}]`
	const want = `[{"value":"a@x","type":"work","primary":true,"display":"A"},{"value":"b@x","type":"work"},{"value":"a@x"},{"type":"work"}]`
	wantEmails := func(r response) {
		t.Helper()
		got, err := scim.Document{"emails": r.at("emails")}.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		response{t, r.what, r.Status, r.Header, string(got)}.wantDoc(`{"emails":` + want + `}`)
	}
	s := newService(t)
	wantEmails(s.send("POST", "/Users", `{"userName":"a","emails":`+repeated+`}`).want(201))
	wantEmails(s.get("/Users/1"))
	s.send("PUT", "/Users/1", `{"userName":"a"}`).want(200)
	wantEmails(s.send("PUT", "/Users/1", `{"userName":"a","emails":`+repeated+`}`).want(200))
	s.patch("/Users/1", `{"op":"remove","path":"emails"}`).want(200)
	wantEmails(s.patch("/Users/1", `{"op":"replace","path":"emails","value":`+repeated+`}`).want(200))
	s.patch("/Users/1", `{"op":"replace","path":"emails","value":`+repeated+`}`).want(204)
	var many []string
	for n := range 20 {
		many = append(many, fmt.Sprintf(`{"value":"%d@x"}`, n%10))
	}
	s.send("PUT", "/Users/1", `{"userName":"a","emails":[`+strings.Join(many, ",")+`]}`).want(200).wantAt("emails/9/value", "9@x").wantAt("emails/10", nil)
	// Two certificates differ in case alone.
	s.send("POST", "/Users", `{"userName":"b","x509Certificates":[{"value":"QUJD"},{"value":"qUJD"}]}`).want(201).wantAt("x509Certificates/1/value", "qUJD")
}

func TestPatchReply(t *testing.T) {
	change := `{"op":"replace","path":"title","value":"T"}`
	for _, tt := range []struct {
		name      string
		reply     server.PatchReply
		user      int // status of a change
		unchanged int // status of a change that is none
		group     int // status of a change of members
	}{
		{"auto", server.PatchReplyAuto, 200, 204, 204},
		{"body", server.PatchReplyBody, 200, 200, 200},
		{"empty", server.PatchReplyEmpty, 204, 204, 204},
		{"small", server.PatchReplySmall, 200, 204, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, func(o *server.Options) { o.PatchReply = tt.reply })
			id := s.user("a")
			group := s.create("/Groups", `{"displayName":"G"}`)
			s.patch("/Users/"+id, change).want(tt.user)
			s.patch("/Users/"+id, change).want(tt.unchanged)
			r := s.patch("/Groups/"+group, `{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`).want(tt.group)
			if tt.group == 200 {
				r.wantAt("members/0/value", id)
			}
		})
	}
}

func TestPasswordIsNeverShown(t *testing.T) {
	var log strings.Builder
	s := newService(t, withLog(&log))
	const secret = "t1meMa$heen"
	bodies := []string{
		s.send("POST", "/Users", `{"userName":"a","password":"`+secret+`"}`).want(201).Body,
		s.get("/Users/1?attributes=password,userName").want(200).Body,
		s.send("PUT", "/Users/1", `{"userName":"a","title":"x","password":"`+secret+`"}`).want(200).Body,
		s.patch("/Users/1", `{"op":"replace","path":"password","value":"`+secret+`2"}`).want(200).Body,
		s.patch("/Users/1", `{"op":"replace","path":"password","value":["`+secret+`","x"]}`).want(400).Body,
		s.send("POST", "/Users", `{"userName":"b","password":{"x":"`+secret+`"}}`).want(400).Body,
		s.filter(`password eq "`+secret+`"`).wantError(403, scim.Sensitive).Body,
		s.filter(`userName eq "a" and not (PASSWORD pr)`).wantError(403, scim.Sensitive).Body,
		s.get("/Users?sortBy=password").wantError(403, scim.Sensitive).Body,
		s.send("POST", "/Users/.search", `{"filter":"urn:ietf:params:scim:schemas:core:2.0:User:password sw \"t\""}`).
			wantError(403, scim.Sensitive).Body,
		s.send("POST", "/.search", `{"filter":"password sw \"t\""}`).wantError(403, scim.Sensitive).Body,
		s.get("/Users?attributes=password").want(200).Body,
	}
	for _, body := range bodies {
		if strings.Contains(body, secret) {
			t.Errorf("the password is in the answer %s", body)
		}
	}
	if strings.Contains(log.String(), "t1me") {
		t.Errorf("the password is in the log:\n%s", log.String())
	}
}

func TestProjection(t *testing.T) {
	s := newService(t)
	s.create("/Users", `{"userName":"a","title":"T","name":{"givenName":"A","familyName":"B"}}`)
	s.create("/Groups", `{"displayName":"G","members":[{"value":"1"}]}`)
	s.get("/Users/1?attributes=name.givenName").want(200).
		wantDoc(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","name":{"givenName":"A"}}`)
	s.get("/Users/1?excludedAttributes=name,meta,groups,id").want(200).
		wantDoc(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"a","title":"T"}`)
	s.get("/Groups?excludedAttributes=members").wantIDs("2").wantAt("Resources/0/members", nil).wantAt("Resources/0/displayName", "G")
	s.get("/Groups?attributes=members.value").wantAt("Resources/0/members", []any{map[string]any{"value": "1"}})
	s.get("/Groups/2?attributes=displayName").wantAt("members", nil)
	s.send("POST", "/Users?attributes=userName", `{"userName":"c"}`).want(201).
		wantDoc(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"3","userName":"c"}`)
	s.send("PUT", "/Users/3?attributes=userName", `{"userName":"d"}`).want(200).wantAt("meta", nil).wantAt("userName", "d")
}

func TestOperationsThatAreNotOffered(t *testing.T) {
	s := newService(t, func(o *server.Options) {
		user := server.UserType()
		user.Operations = server.OpAll &^ (server.OpDelete | server.OpSearch)
		group := server.GroupType()
		group.Operations = server.OpRead
		group.Refusal = scim.NewError(http.StatusMethodNotAllowed, scim.InvalidSyntax, "groups are made elsewhere")
		o.ResourceTypes = []server.ResourceType{user, group}
	})
	s.user("a")
	s.send("DELETE", "/Users/1", "").wantError(501, "")
	s.send("POST", "/Users/.search", `{}`).wantError(501, "")
	s.send("POST", "/Groups", `{"displayName":"G"}`).wantError(405, scim.InvalidSyntax).wantAt("detail", "groups are made elsewhere")
	s.get("/Groups").wantError(405, scim.InvalidSyntax)
	s.send("PATCH", "/Groups/1", operations()).wantError(405, scim.InvalidSyntax)
	s.get("/Groups/1").wantError(404, "")
}

func TestCustomType(t *testing.T) {
	device := server.ResourceType{
		Name: "Device", Endpoint: "/Devices",
		Schema: elimity.Schema{
			ID: "urn:example:Device",
			Attributes: []elimity.CoreAttribute{
				elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{
					Name: "serial", Required: true, CaseExact: true,
					Uniqueness: elimity.AttributeUniquenessServer(), Mutability: elimity.AttributeMutabilityImmutable(),
				})),
				elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "label"})),
				elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{
					Name: "note", Returned: elimity.AttributeReturnedRequest(),
				})),
			},
		},
		Extensions: []schema.Extension{{Schema: elimity.Schema{
			ID: "urn:example:Owner",
			Attributes: []elimity.CoreAttribute{
				elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "team"})),
			},
		}}},
		Unique:  []string{"label"},
		Unknown: schema.UnknownReject,
	}
	s := newService(t, func(o *server.Options) { o.ResourceTypes = []server.ResourceType{device} })
	s.send("POST", "/Devices", `{"serial":"X","label":"L","note":"N","urn:example:Owner":{"team":"T"}}`).want(201).wantAt("note", nil).
		wantAt("schemas", []any{"urn:example:Device", "urn:example:Owner"})
	s.get("/Devices/1?attributes=note").wantAt("note", "N")
	s.send("POST", "/Devices", `{"serial":"X"}`).wantError(409, scim.Uniqueness)
	s.send("POST", "/Devices", `{"serial":"Y","label":"l"}`).wantError(409, scim.Uniqueness)
	s.create("/Devices", `{"serial":"x"}`)
	s.send("POST", "/Devices", `{"serial":"Z","colour":"red"}`).wantError(400, scim.InvalidValue)
	s.send("PUT", "/Devices/1", `{"serial":"Y","label":"L"}`).wantError(400, scim.Mutability)
	s.get("/Devices?filter=urn:example:Owner:team%20eq%20%22t%22").wantIDs("1")
	s.get("/Users").wantError(404, "")
	s.get("/Schemas/urn:example:Owner").want(200).wantAt("attributes/0/name", "team")
}

func TestUniquenessAmongTheResourcesOfOneTypeOrOfAll(t *testing.T) { // RFC 7643 section 7
	typeWith := func(name string, u elimity.AttributeUniqueness) server.ResourceType {
		return server.ResourceType{Name: name, Endpoint: name + "s", Schema: elimity.Schema{ID: "urn:example:" + name, Attributes: []elimity.CoreAttribute{
			elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "serial", Uniqueness: u})),
		}}}
	}
	for _, tt := range []struct {
		uniqueness       elimity.AttributeUniqueness
		same, other, nth int
	}{
		{elimity.AttributeUniquenessNone(), 201, 201, 200},
		{elimity.AttributeUniquenessServer(), 409, 201, 409},
		{elimity.AttributeUniquenessGlobal(), 409, 409, 409},
	} {
		s := newService(t, func(o *server.Options) {
			o.ResourceTypes = []server.ResourceType{typeWith("Card", tt.uniqueness), typeWith("Badge", tt.uniqueness)}
		})
		s.create("/Cards", `{"serial":"A"}`)
		s.send("POST", "/Cards", `{"serial":"a"}`).want(tt.same)
		s.send("POST", "/Badges", `{"serial":"A"}`).want(tt.other)
		other := s.create("/Cards", `{"serial":"B"}`)
		s.patch("/Cards/"+other, `{"op":"replace","path":"serial","value":"A"}`).want(tt.nth)
		s.send("PUT", "/Cards/"+other, `{"serial":"a"}`).want(tt.nth)
		s.send("PUT", "/Cards/"+other, `{"serial":"b"}`).want(200) // its own
	}
}

func TestTypesThatContradictEachOther(t *testing.T) {
	valid := server.UserType()
	for name, change := range map[string]func(*server.Options){
		"no authenticator": func(o *server.Options) { o.Authenticator = nil },
		"a name twice":     func(o *server.Options) { o.ResourceTypes = []server.ResourceType{valid, valid} },
		"no name": func(o *server.Options) {
			o.ResourceTypes = []server.ResourceType{{Endpoint: "/X", Schema: valid.Schema}}
		},
		"no endpoint": func(o *server.Options) { o.ResourceTypes = []server.ResourceType{{Name: "X", Schema: valid.Schema}} },
		"reserved endpoint": func(o *server.Options) {
			o.ResourceTypes = []server.ResourceType{{Name: "X", Endpoint: "/bulk", Schema: valid.Schema}}
		},
		"endpoint of two segments": func(o *server.Options) {
			o.ResourceTypes = []server.ResourceType{{Name: "X", Endpoint: "/a/b", Schema: valid.Schema}}
		},
		"no schema":        func(o *server.Options) { o.ResourceTypes = []server.ResourceType{{Name: "X", Endpoint: "/X"}} },
		"unknown unique":   func(o *server.Options) { o.ResourceTypes[0].Unique = []string{"nosuch"} },
		"unique password":  func(o *server.Options) { o.ResourceTypes[0].Unique = []string{"password"} },
		"no types":         func(o *server.Options) { o.ResourceTypes = []server.ResourceType{} },
		"relative BaseURL": func(o *server.Options) { o.BaseURL = "/scim/v2" },
		"a negative limit": func(o *server.Options) { o.Limits.MaxResults = -1 },
		"a negative body":  func(o *server.Options) { o.Limits.MaxBulkBody = -1 },
		"a page by default that is larger than any": func(o *server.Options) { o.Limits.DefaultResults = 1001 },
	} {
		options := server.Options{Authenticator: server.Anonymous(), ResourceTypes: []server.ResourceType{server.UserType()}}
		change(&options)
		if _, err := server.New(&panickingStore{}, options); err == nil {
			t.Errorf("%s: New returned no error", name)
		}
	}
	if _, err := server.New(nil, server.Options{Authenticator: server.Anonymous()}); err == nil {
		t.Error("no store: New returned no error")
	}
}

// panickingStore panics whatever is asked of it.
type panickingStore struct{}

func (*panickingStore) Create(context.Context, server.Resource) error { panic("create") }
func (*panickingStore) Update(context.Context, server.Update) error   { panic("update") }
func (*panickingStore) Get(context.Context, server.Key, ...string) (server.Resource, error) {
	panic("get")
}

func (*panickingStore) Query(context.Context, server.Query) (server.Page, error) { panic("query") }
func (*panickingStore) Delete(context.Context, server.Key, string) error         { panic("delete") }

func TestPartsOfAttributesThatAreNotShown(t *testing.T) {
	text := func(name string, p elimity.StringParams) elimity.SimpleParams {
		p.Name = name
		return elimity.SimpleStringParams(p)
	}
	card := server.ResourceType{
		Name: "Card", Endpoint: "/Cards",
		Schema: elimity.Schema{
			ID: "urn:example:Card",
			Attributes: []elimity.CoreAttribute{
				elimity.ComplexCoreAttribute(elimity.ComplexParams{
					Name: "keys", MultiValued: true,
					SubAttributes: []elimity.SimpleParams{
						text("serial", elimity.StringParams{Uniqueness: elimity.AttributeUniquenessGlobal()}),
						text("pin", elimity.StringParams{Returned: elimity.AttributeReturnedNever()}),
						text("note", elimity.StringParams{Returned: elimity.AttributeReturnedRequest()}),
					},
				}),
				elimity.ComplexCoreAttribute(elimity.ComplexParams{
					Name: "codes", MultiValued: true,
					SubAttributes: []elimity.SimpleParams{text("value", elimity.StringParams{Returned: elimity.AttributeReturnedNever()})},
				}),
				elimity.SimpleCoreAttribute(elimity.SimpleNumberParams(elimity.NumberParams{Name: "weight", Type: elimity.AttributeTypeDecimal()})),
				elimity.SimpleCoreAttribute(elimity.SimpleNumberParams(elimity.NumberParams{
					Name: "number", Type: elimity.AttributeTypeInteger(), Uniqueness: elimity.AttributeUniquenessServer(),
				})),
			},
		},
		Extensions: []schema.Extension{{Schema: elimity.Schema{
			ID: "urn:example:Secret", Attributes: []elimity.CoreAttribute{
				elimity.SimpleCoreAttribute(text("code", elimity.StringParams{Returned: elimity.AttributeReturnedNever()})),
				elimity.SimpleCoreAttribute(text("room", elimity.StringParams{})),
			},
		}}},
	}
	s := newService(t, func(o *server.Options) { o.ResourceTypes = []server.ResourceType{card} })
	s.create("/Cards", `{"weight":2.5,"number":1,"keys":[{"serial":"A","pin":"1234","note":"N"},{"serial":"B"}],"urn:example:Secret":{"code":"X","room":"R"}}`)
	s.create("/Cards", `{"weight":10,"number":9007199254740993}`)
	s.create("/Cards", `{"weight":-0.5}`)
	for range 2 {
		s.get("/Cards/1").wantAt("keys", []any{map[string]any{"serial": "A"}, map[string]any{"serial": "B"}}).
			wantAt("urn:example:Secret", map[string]any{"room": "R"}).wantAt("weight", 2.5)
		s.get("/Cards").wantAt("Resources/0/keys/0/pin", nil).wantAt("Resources/0/urn:example:Secret/code", nil)
	}
	s.get("/Cards/1?attributes=keys.note").wantAt("keys/0", map[string]any{"note": "N"})
	s.get("/Cards?sortBy=weight").wantIDs("3", "1", "2")
	s.get("/Cards?sortBy=number&sortOrder=descending").wantIDs("3", "2", "1")
	s.get("/Cards?sortBy=keys.pin").wantError(403, scim.Sensitive)
	s.get("/Cards?filter="+escape(`keys[pin eq "1234"]`)).wantError(403, scim.Sensitive)
	s.get("/Cards?filter="+escape(`codes sw "1"`)).wantError(403, scim.Sensitive)
	s.patch("/Cards/1", `{"op":"remove","path":"keys[pin sw \"1\"]"}`).wantError(403, scim.Sensitive)
	s.send("POST", "/Cards", `{"keys":[{"serial":"x"},{"serial":"b"}]}`).wantError(409, scim.Uniqueness)
	s.send("POST", "/Cards", `{"number":9007199254740993}`).wantError(409, scim.Uniqueness)
	s.create("/Cards", `{"number":9007199254740992}`)
}
