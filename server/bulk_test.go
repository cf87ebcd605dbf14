package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
)

func (s *service) bulk(failOnErrors int, ops ...string) response {
	s.t.Helper()
	return s.send("POST", "/Bulk", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"failOnErrors":%d,"Operations":[%s]}`,
		failOnErrors, strings.Join(ops, ",")))
}

// wantStatuses checks the outcome of every operation, each as bulkId or method, and status.
func (r response) wantStatuses(want ...string) response {
	r.t.Helper()
	r.want(200).wantAt("schemas", []any{scim.BulkResponseSchema})
	got := []string{}
	for _, e := range r.at("Operations").([]any) {
		op := e.(map[string]any)
		name, ok := op["bulkId"].(string)
		if !ok {
			name, _ = op["method"].(string)
		}
		status := op["status"].(string)
		got = append(got, name+" "+status)
		if _, failed := op["response"]; failed != (status[0] == '4' || status[0] == '5') {
			r.t.Errorf("operation %v has a response, or lacks one", op)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("outcome (-want +got):\n%s\n%s", diff, r.Body)
	}
	return r
}

func post(bulkID, path, data string) string {
	return fmt.Sprintf(`{"method":"POST","path":%q,"bulkId":%q,"data":%s}`, path, bulkID, data)
}

func TestBulk(t *testing.T) {
	s := newService(t)
	old := s.user("old")
	gone := s.user("gone")
	s.bulk(
		0,
		post("a", "/Users", `{"userName":"alice"}`),
		post("g", "/Groups", `{"displayName":"G","members":[{"value":"bulkId:a"}]}`),
		`{"method":"patch","path":"/Users/`+old+`","version":"W/\"v1\"","data":{"Operations":[{"op":"add","path":"title","value":"T"}]}}`,
		`{"method":"PUT","path":"/Users/`+old+`","version":"\"v1\"","data":{"userName":"x"}}`,
		`{"method":"DELETE","path":"/Users/`+gone+`"}`,
		`{"method":"DELETE","path":"/Users/404"}`,
		`{"method":"GET","path":"/Users/`+old+`"}`,
		`{"method":"POST","path":"/Users/`+old+`","bulkId":"x","data":{}}`,
		`{"method":"PUT","path":"/Users","data":{}}`,
		`{"method":"POST","path":"/Nothing","bulkId":"y","data":{}}`,
		`{"method":"POST","path":"/Users","data":{"userName":"no bulkId"}}`,
		`{"method":"PATCH","path":"/Users/`+old+`"}`,
		post("a", "/Users", `{"userName":"twice"}`),
		`7`,
	).wantStatuses("a 201", "g 201", "PATCH 200", "PUT 412", "DELETE 204", "DELETE 404", "GET 400", "x 405", "PUT 405", "y 404",
		"POST 400", "PATCH 400", "a 400", " 400").
		wantAt("Operations/0/location", "https://example.com/scim/v2/Users/3").
		wantAt("Operations/3/location", "https://example.com/scim/v2/Users/1").
		wantAt("Operations/3/response/status", "412").
		wantAt("Operations/2/version", `"v5"`)
	s.get("/Groups").wantAt("Resources/0/members/0/value", "3")
	s.get("/Users").wantIDs("1", "3")
}

// TestBulkOfTheRFC sends the example of RFC 7644 section 3.7.3, in which the data of a PATCH is an array.
func TestBulkOfTheRFC(t *testing.T) {
	s := newService(t)
	s.create("/Users", `{"userName":"bob"}`)
	s.create("/Users", `{"userName":"dave","nickName":"D"}`)
	s.create("/Users", `{"userName":"gone"}`)
	s.bulk(
		1,
		post("qwerty", "/Users", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:User"],"userName":"Alice"}`),
		`{"method":"PUT","path":"/Users/1","version":"W/\"v1\"","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"Bob"}}`,
		`{"method":"PATCH","path":"/Users/2","version":"W/\"v2\"","data":[{"op":"remove","path":"nickName"},{"op":"add","path":"userName","value":"Dave"}]}`,
		`{"method":"DELETE","path":"/Users/3","version":"W/\"v3\""}`,
	).wantStatuses("qwerty 201", "PUT 200", "PATCH 200", "DELETE 204").
		wantAt("Operations/0/location", "https://example.com/scim/v2/Users/4").wantAt("Operations/3/location", "https://example.com/scim/v2/Users/3")
	s.get("/Users/2").wantAt("userName", "Dave").wantAt("nickName", nil)
	s.bulk(0, `{"method":"PUT","path":"/Users/1","data":[{"userName":"x"}]}`, `{"method":"PATCH","path":"/Users/1","data":[7]}`).wantStatuses("PUT 400", "PATCH 400")
}

func TestBulkReferences(t *testing.T) {
	s := newService(t)
	s.bulk(
		0,
		post("g", "/Groups", `{"displayName":"G","members":[{"value":"bulkId:a","type":"User"},{"value":"bulkId:h"}]}`),
		`{"method":"PATCH","path":"/Groups/bulkId:g","data":{"Operations":[{"op":"remove","path":"members[value eq \"bulkId:b\"]"},
			{"op":"add","path":"members","value":[{"value":"bulkId:c"}]}]}}`,
		`{"method":"PUT","path":"/Users/bulkId:c","data":{"userName":"carol","title":"T"}}`,
		post("h", "/Groups", `{"displayName":"H","members":[{"value":"bulkId:b"}]}`),
		post("a", "/Users", `{"userName":"alice","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"bulkId:b"}}}`),
		post("b", "/Users", `{"userName":"bob"}`),
		post("c", "/Users", `{"userName":"carol"}`),
		post("d", "/Users", `{"userName":"dora","title":"bulkId:none"}`),
	).wantStatuses("g 201", "PATCH 200", "PUT 200", "h 201", "a 201", "b 201", "c 201", "d 400")
	ids := make(map[string]any)
	users := s.get("/Users")
	for _, e := range users.at("Resources").([]any) {
		u := e.(map[string]any)
		ids[u["userName"].(string)] = u["id"]
	}
	groups := s.get("/Groups?attributes=members.value,displayName")
	members := make(map[string]any)
	for _, e := range groups.at("Resources").([]any) {
		g := e.(map[string]any)
		ids[g["displayName"].(string)] = g["id"]
		members[g["displayName"].(string)] = g["members"]
	}
	value := func(name string) any { return map[string]any{"value": ids[name]} }
	want := map[string]any{"G": []any{value("alice"), value("H"), value("carol")}, "H": []any{value("bob")}}
	if diff := cmp.Diff(want, members); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	s.get("/Users/"+ids["alice"].(string)).
		wantAt("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager/value", ids["bob"])
	s.get("/Users/"+ids["carol"].(string)).wantAt("title", "T")
}

func TestBulkCircularReferences(t *testing.T) {
	s := newService(t)
	s.bulk(
		0,
		post("a", "/Groups", `{"displayName":"A","members":[{"value":"bulkId:b"}]}`),
		post("b", "/Groups", `{"displayName":"B","members":[{"value":"bulkId:a"}]}`),
	).wantStatuses("a 201", "b 201").wantAt("Operations/0/location", "https://example.com/scim/v2/Groups/1")
	s.get("/Groups/1").wantAt("members/0/value", "2").wantAt("members/0/type", "Group")
	s.get("/Groups/2").wantAt("members/0/value", "1").wantAt("members/0/type", "Group")
}

func TestBulkUndoesACircleThatFails(t *testing.T) {
	s := newService(t)
	s.bulk(
		0,
		post("a", "/Groups", `{"members":[{"value":"bulkId:b"}]}`), // without displayName
		post("b", "/Groups", `{"displayName":"B","members":[{"value":"bulkId:c"}]}`),
		post("c", "/Groups", `{"displayName":"C","members":[{"value":"bulkId:a"}]}`),
		post("d", "/Groups", `{"displayName":"D","members":[{"value":"bulkId:c"}]}`),
		post("e", "/Groups", `{"displayName":"E"}`),
	).wantStatuses("a 400", "b 409", "c 409", "d 409", "e 201")
	s.get("/Groups").wantIDs("5")
}

func TestBulkStopsAfterErrors(t *testing.T) {
	s := newService(t)
	bad := `{"method":"DELETE","path":"/Users/404"}`
	s.bulk(2, bad, post("a", "/Users", `{"userName":"a"}`), bad, post("b", "/Users", `{"userName":"b"}`), bad).
		wantStatuses("DELETE 404", "a 201", "DELETE 404")
	s.get("/Users").wantIDs("1")
	s.bulk(
		1,
		post("g", "/Groups", `{"displayName":"G","members":[{"value":"bulkId:u"}]}`),
		post("u", "/Users", `{}`),
	).wantStatuses("u 400")
	s.get("/Groups").wantIDs()
	// What was carried out in a circle goes again when the circle cannot be closed any more.
	s.bulk(
		1,
		post("e", "/Groups", `{"displayName":"E","members":[{"value":"bulkId:a"}]}`),
		post("a", "/Groups", `{"displayName":"A","members":[{"value":"bulkId:b"},{"value":"bulkId:u"}]}`),
		post("b", "/Groups", `{"displayName":"B","members":[{"value":"bulkId:c"}]}`),
		post("c", "/Groups", `{"displayName":"C","members":[{"value":"bulkId:a"}]}`),
		post("u", "/Users", `{}`),
	).wantStatuses("b 409", "c 409", "u 400")
	s.get("/Groups").wantIDs()
}

func TestBulkLimits(t *testing.T) {
	s := newService(t, func(o *server.Options) {
		o.Limits.MaxBulkOperations = 2
		o.Limits.MaxBulkBody = 1000
	})
	op := post("a", "/Users", `{"userName":"a"}`)
	s.bulk(0, op, op, op).wantError(413, "")
	s.bulk(0, post("a", "/Users", `{"userName":"`+strings.Repeat("a", 1000)+`"}`)).wantError(413, "")
	s.send("POST", "/Bulk", `{"Operations":{}}`).wantError(400, scim.InvalidSyntax)
	s.send("POST", "/Bulk", `{"failOnErrors":"x","Operations":[]}`).wantError(400, scim.InvalidValue)
	s.get("/Bulk").wantError(405, "").wantHeader("Allow", "POST")
	s.get("/Users").wantIDs()
	s.get("/ServiceProviderConfig").wantAt("bulk", map[string]any{"supported": true, "maxOperations": int64(2), "maxPayloadSize": int64(1000)})

	off := newService(t, func(o *server.Options) { o.Off = server.FeatureBulk })
	off.bulk(0, op).wantError(501, "")
	off.get("/ServiceProviderConfig").wantAt("bulk/supported", false)
}
