package idptest_test

import (
	"testing"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/idptest"
	"github.com/scimbridge/scim/server/memory"
)

// A service tests in two lines that identity providers can work with it.
func Example() {
	_ = func(t *testing.T) {
		handler, err := server.New(memory.New(), server.Options{Authenticator: server.BearerTokens("secret")})
		if err != nil {
			t.Fatal(err)
		}
		target := idptest.Target{Handler: handler, BasePath: "/scim/v2", Token: "secret"}
		idptest.Entra(t, target)
		idptest.OktaOIN(t, target)
	}
}
