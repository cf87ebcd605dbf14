package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

// FuzzRequest sends any request. Whatever it is, it is answered in SCIM's terms, no panic is caught on the way, nothing secret is
// shown, and what is read back afterwards is a valid list.
func FuzzRequest(f *testing.F) {
	for _, seed := range []struct{ method, target, body string }{
		{"GET", `/Users?filter=emails[type%20eq%20"work"].value%20co%20"x"&sortBy=userName&count=2`, ""},
		{"GET", "/scim/v2/Users/1?attributes=name.givenName&excludedAttributes=meta", ""},
		{"GET", "/?cursor=&count=1", ""},
		{"GET", "/Users?cursor=eyJkIjoiIn0", ""},
		{"POST", "/Users", `{"userName":"b","emails":[{"value":"x","primary":true}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager":"1"}`},
		{"PUT", "/Users/1", `{"userName":"c","password":"secret-password","active":"False"}`},
		{"PATCH", "/Users/1", operations(`{"op":"Add","path":"emails[type eq \"work\"].value","value":"y"}`, `{"op":"replace","value":{"name.givenName":"Z"}}`)},
		{"PATCH", "/Groups/2", operations(`{"op":"Remove","path":"members","value":[{"value":"1"}]}`, `{"op":"add","path":"members","value":{"value":"1"}}`)},
		{"PATCH", "/Groups/2", operations(`{"op":"remove","path":"members[value eq \"1\" or value eq \"2\"]"}`)},
		{"POST", "/Users/.search", `{"filter":"groups.value eq \"2\"","startIndex":1,"count":1,"cursor":null}`},
		{"POST", "/.search", `{"sortBy":"displayName","sortOrder":"descending"}`},
		{"POST", "/Bulk", `{"failOnErrors":1,"Operations":[{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"x","members":[{"value":"bulkId:g"}]}}]}`},
		{"DELETE", "/Users/1", ""},
		{"GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", ""},
	} {
		f.Add(seed.method, seed.target, seed.body)
	}
	f.Fuzz(func(t *testing.T, method, target, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || strings.ContainsAny(method, " \r\n\t\x00") || method == "" {
			t.Skip()
		}
		var ids atomic.Int64
		var log strings.Builder
		s := newService(t, withLog(&log), func(o *server.Options) {
			o.NewID = func() string { return fmt.Sprint(ids.Add(1)) }
			o.BaseURL = ""
		})
		s.create("/Users", `{"userName":"a","password":"secret-password","emails":[{"value":"x","type":"work"}]}`)
		s.create("/Groups", `{"displayName":"G","members":[{"value":"1"}]}`)
		log.Reset()

		r := &http.Request{
			Method: method, URL: u, RequestURI: target, Host: "example.com", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{}, Body: http.NoBody, ContentLength: int64(len(body)),
		}
		if body != "" {
			r.Body = httptest.NewRequest("POST", "/", strings.NewReader(body)).Body
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code < 200 || w.Code >= 600 || w.Code == 500 {
			t.Errorf("%s %s with %q: status %d\n%s\n%s", method, target, body, w.Code, w.Body, log.String())
		}
		if strings.Contains(log.String(), "panic") {
			t.Errorf("%s %s with %q: %s", method, target, body, log.String())
		}
		if w.Body.Len() > 0 && !jsontext.Value(w.Body.Bytes()).IsValid() {
			t.Errorf("%s %s with %q: the answer is not JSON: %s", method, target, body, w.Body)
		}
		if strings.Contains(w.Body.String(), "secret-password") && !strings.Contains(body+target, "secret-password") {
			t.Errorf("%s %s with %q: the password is in the answer %s", method, target, body, w.Body)
		}
		list := s.get("/").want(200)
		if n := len(list.at("Resources").([]any)); int64(n) != list.at("totalResults") {
			t.Errorf("after %s %s: %d of %v resources are listed", method, target, n, list.at("totalResults"))
		}
	})
}

// FuzzMemberPatch holds the way of changing members without loading them to that of package patch, on any two operations.
func FuzzMemberPatch(f *testing.F) {
	f.Add("add", "members", `[{"value":"4"}]`, "remove", `members[value eq "1"]`, `null`)
	f.Add("Remove", "members", `[{"value":"1"}]`, "replace", "members", `{"value":"3"}`)
	f.Add("replace", "", `{"members":[{"value":"2"}],"displayName":"x"}`, "add", "", `{"members":[]}`)
	f.Add("remove", `members[value eq "1" or value eq "2"]`, `null`, "add", `members`, `["3"]`)
	f.Fuzz(func(t *testing.T, op1, path1, value1, op2, path2, value2 string) {
		for _, v := range []string{value1, value2} {
			if !jsontext.Value(v).IsValid() {
				t.Skip()
			}
		}
		quote := func(s string) string {
			b, err := jsontext.AppendQuote(nil, s)
			if err != nil {
				t.Skip()
			}
			return string(b)
		}
		body := operations(
			fmt.Sprintf(`{"op":%s,"path":%s,"value":%s}`, quote(op1), quote(path1), value1),
			fmt.Sprintf(`{"op":%s,"path":%s,"value":%s}`, quote(op2), quote(path2), value2),
		)
		outcome := func(store server.Store) (bool, map[string]bool, any) {
			s := newServiceOn(t, store)
			for n := range 4 {
				s.user(fmt.Sprint("u", n))
			}
			s.create("/Groups", `{"displayName":"G","members":[{"value":"1"},{"value":"2"},{"value":"3"}]}`)
			r := s.send("PATCH", "/Groups/5", body)
			group := s.get("/Groups/5")
			members := map[string]bool{}
			list, _ := group.at("members").([]any)
			for _, e := range list {
				members[e.(map[string]any)["value"].(string)] = true
			}
			return r.Status < 300, members, group.at("displayName")
		}
		ok, members, name := outcome(memory.New())
		plainOK, plainMembers, plainName := outcome(plainStore{memory.New()})
		if ok != plainOK || fmt.Sprint(members) != fmt.Sprint(plainMembers) || name != plainName {
			t.Errorf("%s\nwithout loading: %v %v %v\nloaded:          %v %v %v", body, ok, members, name, plainOK, plainMembers, plainName)
		}
	})
}
