package server_test

import (
	"testing"

	elimity "github.com/elimity-com/scim/schema"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

// TestReadAgain reads resources several times, between changes of all kinds: what is kept of one reading must not outlive
// its truth.
func TestReadAgain(t *testing.T) {
	s := newService(t)
	s.create("/Users", `{"userName":"a","title":"T"}`)
	s.create("/Groups", `{"displayName":"G"}`)
	read := func(path, attribute string, want any) {
		t.Helper()
		for range 3 {
			s.get(path).want(200).wantAt(attribute, want)
		}
	}
	read("/Users/1", "title", "T")
	s.patch("/Users/1", `{"op":"replace","path":"title","value":"U"}`)
	read("/Users/1", "title", "U")
	s.send("PUT", "/Users/1", `{"userName":"a","title":"V"}`)
	read("/Users/1", "title", "V")
	s.patch("/Groups/2", `{"op":"add","path":"members","value":[{"value":"1"}]}`)
	read("/Users/1", "groups/0/display", "G")
	read("/Groups/2", "members/0/value", "1")
	s.patch("/Groups/2", `{"op":"replace","path":"displayName","value":"H"}`, `{"op":"remove","path":"members"}`)
	read("/Groups/2", "displayName", "H")
	read("/Groups/2", "members", nil)
	read("/Users/1", "groups", nil)
	s.patch("/Users/1", `{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"1"}`)
	read("/Users/1", scim.EnterpriseUserSchema+"/manager/$ref", "https://example.com/scim/v2/Users/1")
	s.get("/Users/1?attributes=title").wantDoc(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User",
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"id":"1","title":"V"}`)
}

func TestServersOfOneStoreShowWhatTheirSchemasDo(t *testing.T) {
	userType := func(returned elimity.AttributeReturned) server.ResourceType {
		return server.ResourceType{Name: "User", Endpoint: "/Users", Schema: elimity.Schema{
			ID: scim.UserSchema,
			Attributes: []elimity.CoreAttribute{
				elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "userName"})),
				elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "badge", Returned: returned})),
			},
		}}
	}
	store := memory.New()
	with := func(returned elimity.AttributeReturned) *service {
		return newServiceOn(t, store, func(o *server.Options) { o.ResourceTypes = []server.ResourceType{userType(returned)} })
	}
	open, closed := with(elimity.AttributeReturnedDefault()), with(elimity.AttributeReturnedNever())
	open.create("/Users", `{"userName":"a","badge":"7"}`)
	for range 3 {
		open.get("/Users/1").wantAt("badge", "7")
		closed.get("/Users/1").wantAt("badge", nil)
	}
}
