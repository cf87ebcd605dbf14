package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

// The tests in this file send what is unusual but legal, or just not, and hold the answers to the RFCs.

const (
	userURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// babs is a user with an attribute of nearly every kind.
const babs = `{
	"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
	"userName":"babs","externalId":"701984","name":{"formatted":"Ms. Barbara Jensen","familyName":"Jensen","givenName":"Barbara"},
	"displayName":"Babs","profileUrl":"https://login.example.com/bjensen","title":"Tour Guide","userType":"Employee",
	"preferredLanguage":"en-US","locale":"en-US","timezone":"America/Los_Angeles","active":true,"password":"t1meMa$heen",
	"emails":[{"value":"w@example.com","type":"work","primary":true},{"value":"h@example.org","type":"home"}],
	"phoneNumbers":[{"value":"tel:555-555-5555","type":"work"}],
	"photos":[{"value":"https://photos.example.com/F","type":"photo"}],
	"addresses":[{"type":"work","streetAddress":"100 Universal City Plaza","locality":"Hollywood","primary":true}],
	"x509Certificates":[{"value":"MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjELMAkGA1UEBhMCVVMx"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"701984","costCenter":"4130","department":"Tours"}}`

func TestCreateByTheRFC(t *testing.T) { // RFC 7644 section 3.3, RFC 7643 sections 2.5, 3 and 3.1
	s := newService(t)
	r := s.send("POST", "/Users", babs).want(201).wantAt("id", "1").wantAt("password", nil)
	r.wantHeader("Location", r.at("meta/location").(string)).wantHeader("ETag", r.at("meta/version").(string))
	for name, body := range map[string]string{
		"without schemas":             `{"userName":"u1"}`,
		"schemas in other case":       `{"SCHEMAS":["URN:ietf:params:scim:schemas:core:2.0:user"],"USERNAME":"u2"}`,
		"an unknown schema":           `{"schemas":["` + userURN + `","urn:example:unknown:1.0"],"userName":"u3","urn:example:unknown:1.0":{"x":1}}`,
		"a listed extension unused":   `{"schemas":["` + userURN + `","` + enterpriseURN + `"],"userName":"u4"}`,
		"an id of the client's":       `{"schemas":["` + userURN + `"],"userName":"u5","id":"mine","meta":{"version":"W/\"x\"","location":"x"},"groups":[{"value":"g"}]}`,
		"null, [] and {}":             `{"schemas":["` + userURN + `"],"userName":"u6","title":null,"emails":[],"name":{}}`,
		"an empty extension":          `{"schemas":["` + userURN + `"],"userName":"u7","` + enterpriseURN + `":{}}`,
		"an unassigned extension":     `{"schemas":["` + userURN + `"],"userName":"u8","` + enterpriseURN + `":null}`,
		"an extension not in schemas": `{"schemas":["` + userURN + `"],"userName":"u9","` + enterpriseURN + `":{"department":"D"}}`,
	} {
		r := s.send("POST", "/Users", body).want(201)
		want := []any{userURN}
		if name == "an extension not in schemas" {
			want = append(want, enterpriseURN)
		}
		r.wantAt("schemas", want).wantAt("title", nil).wantAt("emails", nil).wantAt("name", nil).wantAt("groups", nil)
		if r.at("id") == "mine" || r.at("meta/resourceType") != "User" || !strings.HasPrefix(r.at("meta/location").(string), "https://") {
			t.Errorf("%s: %s", name, r.Body)
		}
	}
	for name, tt := range map[string]struct {
		body string
		typ  scim.ErrorType
	}{
		"a boolean for an array of objects": {`{"userName":"x","emails":true}`, scim.InvalidValue},
		"a boolean for a string":            {`{"userName":"x","title":true}`, scim.InvalidValue},
		"a string for a boolean":            {`{"userName":"x","active":"maybe"}`, scim.InvalidValue},
		"an array for an object":            {`{"userName":"x","name":[{"givenName":"a"},{"givenName":"b"}]}`, scim.InvalidValue},
		"binary that is none":               {`{"userName":"x","x509Certificates":[{"value":"%%%"}]}`, scim.InvalidValue},
		"null for what is required":         {`{"userName":null}`, scim.InvalidValue},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			s.send("POST", "/Users", tt.body).wantError(400, tt.typ)
		})
	}
}

func TestReplaceByTheRFC(t *testing.T) { // RFC 7644 section 3.5.1
	s := newService(t)
	s.send("POST", "/Users", babs).want(201)
	s.create("/Groups", `{"displayName":"G","members":[{"value":"1"}]}`)
	// What is readOnly is ignored, what is left out is removed, and the password stays.
	s.send("PUT", "/Users/1", `{"schemas":["`+userURN+`"],"id":"9","userName":"babs","groups":[],"meta":{"resourceType":"Other","created":"2001-01-01T00:00:00Z"}}`).
		want(200).wantDoc(`{"schemas":["` + userURN + `"],"id":"1","userName":"babs",
		"groups":[{"value":"2","display":"G","type":"direct","$ref":"https://example.com/scim/v2/Groups/2"}],
		"meta":{"resourceType":"User","created":"` + created + `","lastModified":"` + created + `","location":"https://example.com/scim/v2/Users/1","version":"` +
		strings.ReplaceAll(s.get("/Users/1").at("meta/version").(string), `"`, `\"`) + `"}}`)
	s.send("PUT", "/Users/1", `{"schemas":["`+userURN+`"]}`).wantError(400, scim.InvalidValue)
	s.send("PUT", "/Users/1", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"x"}`).wantError(400, scim.InvalidValue)
	s.send("PUT", "/Users/1?attributes=userName", `{"userName":"babs2"}`).want(200).
		wantDoc(`{"schemas":["` + userURN + `"],"id":"1","userName":"babs2"}`)
	s.send("PUT", "/Users/404", `{"userName":"x"}`).wantError(404, "")
	s.send("PUT", "/Users", `{"userName":"x"}`).wantError(405, "")
}

func TestProjectionByTheRFC(t *testing.T) { // RFC 7644 section 3.9, RFC 7643 section 7
	s := newService(t)
	s.send("POST", "/Users", babs).want(201)
	for query, want := range map[string]string{
		"attributes=userName":                                                   `"userName":"babs"`,
		"attributes=USERNAME":                                                   `"userName":"babs"`,
		"attributes=userName,title":                                             `"userName":"babs","title":"Tour Guide"`,
		"attributes=userName%2C%20title":                                        `"userName":"babs","title":"Tour Guide"`,
		"attributes=userName&attributes=title":                                  `"userName":"babs","title":"Tour Guide"`,
		"attributes=name.familyName":                                            `"name":{"familyName":"Jensen"}`,
		"attributes=emails.value":                                               `"emails":[{"value":"w@example.com"},{"value":"h@example.org"}]`,
		"attributes=urn:ietf:params:scim:schemas:core:2.0:User:title":           `"title":"Tour Guide"`,
		"attributes=urn:ietf:params:scim:schemas:core:2.0:User:name.familyName": `"name":{"familyName":"Jensen"}`,
		"attributes=" + enterpriseURN + ":department":                           `"` + enterpriseURN + `":{"department":"Tours"}`,
		"attributes=" + enterpriseURN:                                           `"` + enterpriseURN + `":{"employeeNumber":"701984","costCenter":"4130","department":"Tours"}`,
		"attributes=password":                                                   ``,
		"attributes=id":                                                         ``,
		"attributes=schemas":                                                    ``,
		"attributes=nosuch":                                                     ``,
		"attributes=meta.resourceType":                                          `"meta":{"resourceType":"User"}`,
		"attributes=userName.x":                                                 ``,
		"excludedAttributes=id,schemas,name,emails,phoneNumbers,photos,addresses,x509Certificates,meta,profileUrl,userType,preferredLanguage,locale,timezone,active,displayName,externalId,title," + enterpriseURN: `"userName":"babs"`,
	} {
		t.Run(query, func(t *testing.T) {
			s.t = t
			if want != "" {
				want = "," + want
			}
			schemas := `"` + userURN + `","` + enterpriseURN + `"`
			s.get("/Users/1?" + query).want(200).wantDoc(`{"schemas":[` + schemas + `],"id":"1"` + want + `}`)
			if list := s.get("/Users?" + query).want(200).at("Resources").([]any); len(list) != 1 {
				t.Errorf("a list with %d resources", len(list))
			} else if diff := cmp.Diff(map[string]any(s.get("/Users/1?"+query).doc()), list[0]); diff != "" {
				t.Errorf("alone and in a list (-alone +list):\n%s", diff)
			}
		})
	}
	s.t = t
	s.send("POST", "/Users?attributes=title", `{"userName":"x","title":"T"}`).want(201).wantDoc(`{"schemas":["` + userURN + `"],"id":"2","title":"T"}`)
	s.send("POST", "/Users?excludedAttributes=meta,title", `{"userName":"y","title":"T"}`).want(201).wantDoc(`{"schemas":["` + userURN + `"],"id":"3","userName":"y"}`)
	s.get("/Users/1?excludedAttributes=name.familyName,emails.type").wantAt("name", map[string]any{"formatted": "Ms. Barbara Jensen", "givenName": "Barbara"}).
		wantAt("emails/0", map[string]any{"value": "w@example.com", "primary": true})
}

func TestListsByTheRFC(t *testing.T) { // RFC 7644 sections 3.4.2, 3.4.2.3 and 3.4.2.4
	s := newService(t)
	s.people()
	for query, want := range map[string][]string{
		"count=0": {}, "count=-1": {}, "count=2": {"1", "2"}, "startIndex=0": {"1", "2", "3", "4"}, "startIndex=-5&count=1": {"1"},
		"startIndex=4": {"4"}, "startIndex=5": {}, "startIndex=1000000000000000000000": {}, "count=1000000000000000000000": {"1", "2", "3", "4"},
		"sortBy=userName": {"1", "2", "3", "4"}, "sortBy=USERNAME&sortOrder=Descending": {"4", "3", "2", "1"},
		"sortBy=title": {"2", "4", "1", "3"}, "sortBy=title&sortOrder=descending": {"1", "3", "2", "4"},
		"sortBy=emails": {"1", "2", "3", "4"}, "sortBy=name.familyName": {"3", "1", "2", "4"}, "sortBy=meta.created": {"1", "2", "3", "4"},
		"sortBy=urn:ietf:params:scim:schemas:core:2.0:User:userName&sortOrder=descending": {"4", "3", "2", "1"},
		"sortBy=" + enterpriseURN + ":department":                                         {"1", "2", "3", "4"},
		"sortOrder=descending": {"1", "2", "3", "4"},
		"filter=":              {"1", "2", "3", "4"},
	} {
		t.Run(query, func(t *testing.T) {
			s.t = t
			r := s.get("/Users?"+query).wantIDs(want...).wantAt("totalResults", int64(4))
			r.wantAt("schemas", []any{scim.ListResponseSchema})
			if start, ok := r.at("startIndex").(int64); !ok || start < 1 {
				t.Errorf("startIndex %v", r.at("startIndex"))
			}
		})
	}
	s.t = t
	for _, query := range []string{"count=x", "startIndex=1.5", "sortBy=nosuch", "sortBy=userName&sortOrder=up"} {
		s.get("/Users?"+query).wantError(400, scim.InvalidValue)
	}
	s.get("/Users?filter=userName%20eq").wantError(400, scim.InvalidFilter)
	s.get("/Users?filter=%zz").want(400)
	s.get("/Users?filter=userName+eq+%22nobody%22").wantDoc(`{"schemas":["` + scim.ListResponseSchema + `"],"totalResults":0,"itemsPerPage":0,"startIndex":1,"Resources":[]}`)
}

func TestFiltersByTheRFC(t *testing.T) { // RFC 7644 section 3.4.2.2
	s := newService(t)
	s.send("POST", "/Users", babs).want(201)
	s.create("/Users", `{"userName":"jim","active":false,"meta":{},"emails":[{"value":"jim@example.com","type":"home"}]}`)
	for filter, want := range map[string][]string{
		`userName eq "BABS"`: {"1"}, `USERNAME EQ "babs"`: {"1"}, `userName ne "babs"`: {"2"}, `userName co "ab"`: {"1"}, `userName sw "J"`: {"2"},
		`userName ew "m"`: {"2"}, `title pr`: {"1"}, `not (title pr)`: {"2"}, `title eq null`: {"2"}, `title ne null`: {"1"},
		`userName gt "babs"`: {"2"}, `userName ge "babs"`: {"1", "2"}, `userName lt "jim"`: {"1"}, `userName le "jim"`: {"1", "2"},
		`active eq true`: {"1"}, `active eq false`: {"2"}, `active ne true`: {"2"},
		`externalId eq "701984"`: {"1"}, `id eq "2"`: {"2"},
		`meta.resourceType eq "User"`: {"1", "2"}, `meta.created ge "2026-11-23T12:00:00Z"`: {"1", "2"}, `meta.lastModified gt "2030-01-01T00:00:00+02:00"`: {},
		`emails.value eq "h@example.org"`: {"1"}, `emails eq "h@example.org"`: {"1"}, `emails co "example.com"`: {"1", "2"},
		`emails[type eq "work" and value co "@example.com"]`: {"1"}, `emails[type eq "home" and value co "@example.com"]`: {"2"},
		`emails[type eq "work"].value eq "w@example.com"`: {"1"}, `emails[not (type eq "work")]`: {"1", "2"},
		`urn:ietf:params:scim:schemas:core:2.0:User:userName eq "babs"`: {"1"}, enterpriseURN + `:department eq "tours"`: {"1"},
		enterpriseURN + `:employeeNumber pr`: {"1"}, `urn:ietf:params:scim:schemas:core:2.0:User:name.familyName sw "j"`: {"1"},
		`title pr and userName eq "babs" or userName eq "jim"`: {"1", "2"}, `title pr and (userName eq "babs" or userName eq "jim")`: {"1"},
		`userName eq "babs" and not (active eq false)`: {"1"}, `schemas eq "` + enterpriseURN + `"`: {"1"},
		`(userName eq "jim")`: {"2"}, `name pr`: {"1"}, `userName eq "b\u0061bs"`: {"1"}, `profileUrl eq "https://login.example.com/bjensen"`: {"1"},
	} {
		t.Run(filter, func(t *testing.T) {
			s.t = t
			s.filter(filter).wantIDs(want...)
			body, err := scim.Document{"schemas": []any{scim.SearchRequestSchema}, "filter": filter}.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			s.send("POST", "/Users/.search", string(body)).wantIDs(want...)
		})
	}
	s.t = t
	for _, filter := range []string{
		`nosuch eq 1`, `userName xx "a"`, `userName eq "a`, `userName`, `eq "a"`, `(userName pr`, `userName pr)`, `userName pr and`, `not userName pr`,
		`userName eq "a" "b"`, `emails[type eq "work"`, `active gt true`, `userName eq {"a":1}`, `urn:nosuch:userName eq "a"`, `emails[nosuch eq 1]`,
	} {
		s.filter(filter).wantError(400, scim.InvalidFilter)
	}
	for _, filter := range []string{`password eq "t1meMa$heen"`, `password pr`, `userName eq "babs" and password sw "t"`, userURN + `:password co "x"`, `not (PASSWORD pr)`} {
		s.filter(filter).wantError(403, scim.Sensitive)
	}
	s.get("/Users?sortBy=password").wantError(403, scim.Sensitive)
}

func TestPatchByTheRFC(t *testing.T) { // RFC 7644 section 3.5.2
	element := func(pairs ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i].(string)] = pairs[i+1]
		}
		return m
	}
	for _, tt := range []struct {
		name, ops string
		at        string
		want      any
	}{
		{"add without path", `{"op":"add","value":{"nickName":"N","name":{"middleName":"M"}}}`, "name/middleName", "M"},
		{"add to a complex attribute keeps the rest", `{"op":"add","path":"name","value":{"middleName":"M"}}`, "name/familyName", "Jensen"},
		{"replace of a complex attribute keeps the rest", `{"op":"replace","path":"name","value":{"familyName":"Smith"}}`, "name/givenName", "Barbara"},
		{"add replaces a single value", `{"op":"add","path":"title","value":"T2"}`, "title", "T2"},
		{"add appends to an array", `{"op":"add","path":"emails","value":[{"value":"n@x"}]}`, "emails/2", element("value", "n@x")},
		{"add of what is there", `{"op":"add","path":"title","value":"T"},{"op":"add","path":"emails","value":[{"value":"h@example.org","type":"home"}]}`, "emails/2", nil},
		{"replace of an array", `{"op":"replace","path":"emails","value":[{"value":"n@x"}]}`, "emails", []any{element("value", "n@x")}},
		{"replace of what is absent adds", `{"op":"replace","path":"nickName","value":"N"}`, "nickName", "N"},
		{"replace by a filter", `{"op":"replace","path":"emails[type eq \"home\"].value","value":"n@x"}`, "emails/1/value", "n@x"},
		{"primary moves", `{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}`, "emails/0/primary", false},
		{"primary moves with a new element", `{"op":"add","path":"emails","value":[{"value":"n@x","primary":true}]}`, "emails/0/primary", false},
		{"replace of all that match", `{"op":"replace","path":"emails[value pr].display","value":"D"}`, "emails/1/display", "D"},
		{"remove of an attribute", `{"op":"remove","path":"title"}`, "title", nil},
		{"remove of a sub-attribute", `{"op":"remove","path":"name.givenName"}`, "name/givenName", nil},
		{"remove by a filter", `{"op":"remove","path":"emails[type eq \"work\"]"}`, "emails", []any{element("value", "h@example.org", "type", "home")}},
		{"remove of the last element", `{"op":"remove","path":"phoneNumbers[type eq \"work\"]"}`, "phoneNumbers", nil},
		{"remove of what is absent", `{"op":"remove","path":"nickName"},{"op":"add","path":"nickName","value":"N"}`, "nickName", "N"},
		{"the core URN", `{"op":"replace","path":"` + userURN + `:title","value":"T2"}`, "title", "T2"},
		{"an extension's attribute", `{"op":"replace","path":"` + enterpriseURN + `:department","value":"D2"}`, enterpriseURN + "/department", "D2"},
		{"an extension as an object", `{"op":"add","value":{"` + enterpriseURN + `":{"division":"V"}}}`, enterpriseURN + "/division", "V"},
		{"an extension that goes", `{"op":"remove","path":"` + enterpriseURN + `"}`, "schemas", []any{userURN}},
		{"names in any case", `{"OP":"RePlace","PATH":"TITLE","VALUE":"T2"}`, "title", "T2"},
		{"operations see those before", `{"op":"add","path":"nickName","value":"A"},{"op":"replace","path":"nickName","value":"B"}`, "nickName", "B"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t)
			s.send("POST", "/Users", babs).want(201)
			s.patch("/Users/1", tt.ops).want(200).wantAt(tt.at, tt.want).wantHeader("ETag", `"v2"`)
			s.get("/Users/1").wantAt(tt.at, tt.want)
		})
	}
	s := newService(t)
	s.send("POST", "/Users", babs).want(201)
	for _, tt := range []struct {
		name, ops string
		typ       scim.ErrorType
	}{
		{"remove without path", `{"op":"remove"}`, scim.NoTarget},
		{"remove of what is required", `{"op":"remove","path":"userName"}`, scim.Mutability},
		{"replace of what is readOnly", `{"op":"replace","path":"id","value":"2"}`, scim.Mutability},
		{"add to what is readOnly", `{"op":"add","path":"groups","value":[{"value":"g"}]}`, scim.Mutability},
		{"meta", `{"op":"replace","path":"meta.created","value":"2001-01-01T00:00:00Z"}`, scim.Mutability},
		{"an unknown attribute", `{"op":"add","path":"nosuch","value":1}`, scim.InvalidPath},
		{"an unknown sub-attribute", `{"op":"add","path":"name.nosuch","value":1}`, scim.InvalidPath},
		{"an unknown URN", `{"op":"add","path":"urn:x:y:z","value":1}`, scim.InvalidPath},
		{"a path that cannot be read", `{"op":"add","path":"emails[","value":1}`, scim.InvalidFilter},
		{"a path with two dots", `{"op":"add","path":"name.a.b","value":1}`, scim.InvalidPath},
		{"the wrong type", `{"op":"replace","path":"active","value":"x"}`, scim.InvalidValue},
		{"an unknown op", `{"op":"move","path":"title","value":"x"}`, scim.InvalidSyntax},
		{"no op", `{"path":"title","value":"x"}`, scim.InvalidSyntax},
		{"a filter that matches nothing", `{"op":"replace","path":"emails[type eq \"other\"]","value":{"value":"x"}}`, scim.NoTarget},
		{"two primaries", `{"op":"add","path":"emails","value":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, scim.InvalidValue},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.t = t
			s.patch("/Users/1", `{"op":"replace","path":"nickName","value":"half"}`, tt.ops).wantError(400, tt.typ)
			s.get("/Users/1").wantAt("nickName", nil).wantAt("meta/version", `"v1"`)
		})
	}
	s.t = t
	s.patch("/Users/1", `{"op":"replace","path":"emails[password eq \"x\"].value","value":"x"}`).want(400)
}

func TestPasswordsInValuePathsByTheRFC(t *testing.T) { // RFC 7644 section 7.5.2
	s := newService(t)
	s.send("POST", "/Users", babs).want(201)
	s.patch("/Users/1", `{"op":"replace","path":"password","value":"new"}`).want(200).wantAt("password", nil)
	s.patch("/Users/1", `{"op":"replace","path":"password","value":"new"}`).want(200).wantAt("password", nil)
	s.send("PATCH", "/Users/1?attributes=password", operations(`{"op":"replace","path":"password","value":"newer"}`)).want(200).wantAt("password", nil)
	s.send("PUT", "/Users/1?attributes=password", `{"userName":"babs","password":"newest"}`).want(200).wantAt("password", nil)
	s.send("POST", "/Users/.search", `{"attributes":["password","userName"]}`).want(200).wantAt("Resources/0/password", nil)
	s.send("POST", "/.search", `{"filter":"password pr"}`).wantError(403, scim.Sensitive)
	s.send("POST", "/Users/.search", `{"sortBy":"password"}`).wantError(403, scim.Sensitive)
}

func TestEndpointsByTheRFC(t *testing.T) { // RFC 7644 sections 3.2, 3.12, 4
	s := newService(t)
	s.user("a")
	for _, path := range []string{"/Nothing", "/Users/1/x", "/scim/v2/Nothing", "/Users/nobody", "/Groups/1", "/Schemas/urn:x", "/ResourceTypes/X", "/Bulk/x"} {
		r := s.get(path).wantError(404, "").wantHeader("Content-Type", scim.ContentType)
		if strings.Contains(r.Body, "<") {
			t.Errorf("%s is answered with %s", path, r.Body)
		}
	}
	for _, request := range []string{"POST /Schemas", "PUT /ServiceProviderConfig", "DELETE /ResourceTypes/User", "PATCH /Schemas", "GET /Bulk", "PATCH /Users", "PUT /Groups", "TRACE /Users"} {
		method, path, _ := strings.Cut(request, " ")
		if s.send(method, path, "").wantError(405, "").Header.Get("Allow") == "" {
			t.Errorf("%s is refused without Allow", request)
		}
	}
	for _, path := range []string{"/Users", "/Users/", "/Users/1", "/Users/1/", "/Schemas", "/Schemas/", "/ResourceTypes/User/", "/ServiceProviderConfig/"} {
		s.get(path).want(200)
		if r := s.send("HEAD", path, "").want(200); r.Body != "" {
			t.Errorf("HEAD %s has the body %s", path, r.Body)
		}
	}
	s.send("POST", "/Users/", `{"userName":"b"}`).want(201)
	s.send("POST", "/Users/.search/", `{}`).wantIDs("1", "2")
	for _, accept := range []string{"", "*/*", "application/*", "application/json", "application/scim+json", "application/scim+json;q=0.9, application/json;q=0.8", "text/html"} {
		s.get("/Users/1", "Accept", accept).want(200)
	}
	r := s.get("/Schemas").want(200).wantAt("totalResults", int64(3)).wantAt("startIndex", int64(1)).wantAt("itemsPerPage", int64(3))
	for _, e := range r.at("Resources").([]any) {
		for _, a := range e.(map[string]any)["attributes"].([]any) {
			checkAttributeDefinition(t, "", a.(map[string]any))
		}
	}
}

// checkAttributeDefinition checks that a definition says all that RFC 7643 section 7 asks for.
func checkAttributeDefinition(t *testing.T, prefix string, a map[string]any) {
	t.Helper()
	name := prefix + fmt.Sprint(a["name"])
	for _, key := range []string{"name", "type", "multiValued", "description", "required", "mutability", "returned"} {
		if a[key] == nil {
			t.Errorf("%s has no %s", name, key)
		}
	}
	switch a["type"] {
	case "complex":
		subs, _ := a["subAttributes"].([]any)
		if len(subs) == 0 {
			t.Errorf("%s has no subAttributes", name)
		}
		for _, sub := range subs {
			checkAttributeDefinition(t, name+".", sub.(map[string]any))
		}
	case "string":
		if a["caseExact"] == nil || a["uniqueness"] == nil {
			t.Errorf("%s has no caseExact or uniqueness", name)
		}
	case "reference":
		if refs, _ := a["referenceTypes"].([]any); len(refs) == 0 {
			t.Errorf("%s has no referenceTypes", name)
		}
	}
}

func TestFeaturesThatAreOffByTheRFC(t *testing.T) {
	s := newService(t, func(o *server.Options) {
		o.Off = server.FeatureBulk | server.FeatureSort | server.FeatureETag | server.FeatureCursor
	})
	s.user("b")
	s.user("a")
	s.get("/ServiceProviderConfig").want(200).wantAt("bulk/supported", false).wantAt("sort/supported", false).wantAt("etag/supported", false).
		wantAt("pagination/cursor", false).wantAt("bulk/maxOperations", int64(0)).wantAt("bulk/maxPayloadSize", int64(0))
	s.send("POST", "/Bulk", `{}`).wantError(501, "")
	s.get("/Users?sortBy=userName").wantIDs("1", "2")
	s.get("/Users?cursor&count=1").wantIDs("1").wantAt("nextCursor", nil).wantAt("startIndex", int64(1))
	s.get("/Me").wantError(501, "")
	s.get("/Users/1", "If-None-Match", `*`).want(200).wantHeader("ETag", "").wantAt("meta/version", nil)
}

func TestSchemasByTheRFCWhenStrict(t *testing.T) { // RFC 7643 section 3
	s := newService(t, func(o *server.Options) {
		users := server.UserType()
		users.Strict = true
		o.ResourceTypes = []server.ResourceType{users}
	})
	s.send("POST", "/Users", babs).want(201)
	s.send("PUT", "/Users/1", babs).want(200)
	const title = `"Operations":[{"op":"add","path":"title","value":"T"}]`
	for _, schemas := range []string{`"schemas":[],`, ``, `"schemas":null,`, `"schemas":["urn:x:y"],`, `"schemas":["` + enterpriseURN + `"],`, `"schemas":["` + userURN + `","urn:x:y"],`, `"schemas":[7],`} {
		s.send("POST", "/Users", `{`+schemas+`"userName":"b"}`).wantError(400, scim.InvalidValue)
		s.send("PUT", "/Users/1", `{`+schemas+`"userName":"b"}`).wantError(400, scim.InvalidValue)
		s.send("PATCH", "/Users/1", `{`+schemas+title+`}`).wantError(400, scim.InvalidValue)
		s.send("POST", "/Users/.search", `{`+schemas+`"filter":"title pr"}`).wantError(400, scim.InvalidValue)
	}
	s.patch("/Users/1", `{"op":"add","path":"title","value":"T"}`).want(200)
	s.send("POST", "/Users/.search", `{"schemas":["`+scim.SearchRequestSchema+`"],"filter":"title pr"}`).wantIDs("1")
	s.get("/Users/1").wantAt("userName", "babs")
}

func TestLimitsByTheRFC(t *testing.T) { // RFC 7644 sections 3.4.2.4, 3.5.2, 3.7.4
	s := newService(t, func(o *server.Options) {
		o.Limits = server.Limits{MaxPatchOperations: 2, MaxResults: 2, DefaultResults: 1, MaxFilterLength: 50, MaxFilterDepth: 2, MaxBody: 1000}
	})
	for n := range 3 {
		s.user(fmt.Sprint("u", n))
	}
	op := `{"op":"replace","path":"title","value":"T"}`
	s.patch("/Users/1", op, op, op).wantError(400, scim.TooMany)
	s.patch("/Users/1", op, op).want(200)
	group, member := s.create("/Groups", `{"displayName":"G"}`), `{"op":"add","path":"members","value":[{"value":"1"}]}`
	s.patch("/Groups/"+group, member, member, member).wantError(400, scim.TooMany)
	s.wantMembers(group)
	s.get("/Users").wantIDs("1").wantAt("totalResults", int64(3))
	s.get("/Users?count=100").wantIDs("1", "2").wantAt("totalResults", int64(3))
	s.send("POST", "/Users/.search", `{"count":100}`).wantIDs("1", "2")
	s.filter(`userName eq "`+strings.Repeat("x", 50)+`"`).wantError(400, scim.InvalidFilter)
	s.filter(`not (not (not (title pr)))`).wantError(400, scim.InvalidFilter)
	s.send("PUT", "/Users/1", `{"userName":"`+strings.Repeat("x", 1000)+`"}`).wantError(413, "")
	s.get("/ServiceProviderConfig").wantAt("filter/maxResults", int64(2)).wantAt("pagination/maxPageSize", int64(2)).wantAt("pagination/defaultPageSize", int64(1))
}

func TestUnknownAttributesByPolicy(t *testing.T) {
	const body = `{"userName":"a","shoeSize":44,"name":{"givenName":"A","maidenName":"B"},"urn:x:y":{"z":1}}`
	open := func(t *testing.T, policy schema.Unknown, ignorePaths bool) *service {
		return newService(t, func(o *server.Options) {
			users := server.UserType()
			users.Unknown, users.IgnoreUnknownPaths = policy, ignorePaths
			o.ResourceTypes = []server.ResourceType{users}
		})
	}
	t.Run("ignore", func(t *testing.T) {
		s := open(t, schema.UnknownIgnore, false)
		s.send("POST", "/Users", body).want(201).wantAt("shoeSize", nil).wantAt("name/maidenName", nil).wantAt("urn:x:y", nil).wantAt("name/givenName", "A")
		s.patch("/Users/1", `{"op":"add","path":"shoeSize","value":45}`).wantError(400, scim.InvalidPath)
		s.patch("/Users/1", `{"op":"add","value":{"shoeSize":45,"title":"T"}}`).want(200).wantAt("title", "T")
	})
	t.Run("keep", func(t *testing.T) {
		s := open(t, schema.UnknownKeep, false)
		s.send("POST", "/Users", body).want(201).wantAt("shoeSize", int64(44)).wantAt("name/maidenName", "B").wantAt("urn:x:y/z", int64(1))
		s.get("/Users/1").wantAt("shoeSize", int64(44))
	})
	t.Run("reject", func(t *testing.T) {
		s := open(t, schema.UnknownReject, false)
		s.send("POST", "/Users", body).wantError(400, scim.InvalidValue)
		s.send("POST", "/Users", `{"userName":"a","shoeSize":null}`).want(201)
		s.send("PUT", "/Users/1", body).wantError(400, scim.InvalidValue)
	})
	t.Run("ignore paths", func(t *testing.T) {
		s := open(t, schema.UnknownIgnore, true)
		s.user("a")
		s.patch("/Users/1", `{"op":"add","path":"shoeSize","value":45}`, `{"op":"add","path":"title","value":"T"}`).want(200).wantAt("title", "T")
	})
}
