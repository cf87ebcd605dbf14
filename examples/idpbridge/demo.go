package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/scimbridge/scim/profiles/postman/postmantest"
)

// demonstration is a simulated Postman team on this machine, and a folder for the files of the bridge.
type demonstration struct {
	url    string
	folder string
	http   *http.Server
}

// startDemo starts a simulated Postman on a free port, and has the options name it.
func startDemo(ctx context.Context, o *options) (*demonstration, error) {
	simulator, err := postmantest.New(postmantest.Options{})
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &demonstration{
		url:  "http://" + listener.Addr().String() + postmantest.BasePath,
		http: &http.Server{Handler: simulator, ReadHeaderTimeout: 10 * time.Second},
	}
	if d.folder, err = os.MkdirTemp("", "scimbridge-idpbridge-"); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	o.tenantURL, o.key = d.url, postmantest.DefaultKey
	o.state = filepath.Join(d.folder, "bridge-state.db")
	if o.dsn == "" && o.store == "sqlite" {
		o.dsn = filepath.Join(d.folder, "scim.db")
	}
	go func() { _ = d.http.Serve(listener) }() // ends with stop
	return d, nil
}

func (d *demonstration) stop() {
	_ = d.http.Close()
	_ = os.RemoveAll(d.folder) // what is left is in the folder for temporary files
}

// explain says what to try.
func (d *demonstration) explain(stdout io.Writer, url string, o *options) {
	if o.made {
		fmt.Fprintf(stdout, "Bearer token, shown only here: %s\n", o.tokens[0])
	}
	fmt.Fprintf(stdout, `Changes go to a simulated Postman at %[2]s; all is gone when this program ends.

Do what an identity provider does:

  export SCIM_TOKEN=%[3]s
  scim() { curl -s -H "Authorization: Bearer $SCIM_TOKEN" -H 'Content-Type: application/scim+json' "$@"; echo; }
  scim %[1]s/Users -d '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],
      "userName":"ada@example.com","name":{"givenName":"Ada","familyName":"Lovelace"},"active":true}'
  scim -X PATCH %[1]s/Users/ID -d '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
      "Operations":[{"op":"Replace","path":"active","value":"False"}]}'

and see what is in Postman a second later:

  curl -s -H 'Authorization: Bearer %[4]s' %[2]s/Users
`, url, d.url, o.shownToken(), postmantest.DefaultKey)
}

// shownToken is the token as the commands have it: one that was made here, or a word in the place of one that is a secret.
func (o *options) shownToken() string {
	if o.made {
		return o.tokens[0]
	}
	return "..."
}
