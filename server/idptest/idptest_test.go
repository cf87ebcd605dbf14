package idptest_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/idptest"
	"github.com/scimbridge/scim/server/memory"
)

const token = "secret-token"

func newServer(t *testing.T, change ...func(*server.Options)) http.Handler {
	t.Helper()
	options := server.Options{Authenticator: server.BearerTokens(token, "federated-token")}
	for _, f := range change {
		f(&options)
	}
	h, err := server.New(memory.New(), options)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// withTokens adds a token endpoint to a service.
func withTokens(scim http.Handler, lifetime time.Duration) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/scim/v2/", scim)
	mux.HandleFunc("POST /oauth/token", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.FormValue("client_id") != "entra" || r.FormValue("client_assertion") != "signed" || r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"invalid_client"}`)
			return
		}
		fmt.Fprintf(w, `{"access_token":"federated-token","token_type":"Bearer","expires_in":%d}`, int(lifetime.Seconds()))
	})
	return mux
}

func TestOurServerPasses(t *testing.T) {
	replies := map[string]server.PatchReply{
		"PATCH answered as needed":                server.PatchReplyAuto,
		"PATCH answered with body":                server.PatchReplyBody,
		"PATCH answered without body":             server.PatchReplyEmpty,
		"PATCH of few members answered with body": server.PatchReplySmall,
	}
	for name, reply := range replies {
		t.Run(name, func(t *testing.T) {
			handler := newServer(t, func(o *server.Options) { o.PatchReply = reply })
			idptest.All(t, idptest.Target{
				Handler: withTokens(handler, time.Hour), BasePath: "/scim/v2", Token: token,
				Federation: &idptest.Federation{Path: "/oauth/token", ClientID: "entra", Assertion: "signed"},
			})
		})
	}
}

// A store needs no more than its five methods for identity providers.
func TestOurServerPassesOnAnyStore(t *testing.T) {
	handler, err := server.New(struct{ server.Store }{memory.New()}, server.Options{Authenticator: server.BearerTokens(token)})
	if err != nil {
		t.Fatal(err)
	}
	idptest.All(t, idptest.Target{Handler: handler, BasePath: "/scim/v2", Token: token})
}

// A service that refuses what does not follow the RFC to the letter works with those who follow it only.
func TestStrictServer(t *testing.T) {
	handler := newServer(t, func(o *server.Options) {
		user, group := server.UserType(), server.GroupType()
		user.Strict, group.Strict = true, true
		o.ResourceTypes = []server.ResourceType{user, group}
	})
	target := idptest.Target{Handler: handler, BasePath: "/scim/v2", Token: token}
	idptest.OktaWizard(t, target)
	idptest.PingOne(t, target)
	failed, _, err := idptest.Failures(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"Entra/disable and enable", "Entra/create a group and find it again", "Okta OIN app/rename a group and change its members in one request",
		"OneLogin/create, read and update a user from a template", "JumpCloud/members with an array of values",
	} {
		if failed[name] == nil {
			t.Errorf("%s has passed", name)
		}
	}
}

func TestMicrosoftValidatorHas25Tests(t *testing.T) {
	if n := idptest.Checks("Microsoft validator"); n != 25 {
		t.Errorf("there are %d", n)
	}
}
