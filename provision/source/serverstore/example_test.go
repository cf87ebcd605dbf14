package serverstore_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/source/serverstore"
	"github.com/scimbridge/scim/provision/state/sqlite"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

// What is written to a SCIM service of ours arrives in Postman, here a simulator.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	fail := func(err error) {
		if err != nil {
			panic(err)
		}
	}

	// The service that an identity provider writes to.
	store, feed := memory.New(), server.NewFeed(1000, nil)
	handler, err := server.New(store, server.Options{Authenticator: server.BearerTokens("secret"), Hooks: server.Hooks{After: feed.Record}})
	fail(err)

	// The application.
	simulator, err := postmantest.New(postmantest.Options{})
	fail(err)
	application := httptest.NewServer(simulator)
	defer application.Close()
	c, err := client.New(application.URL+postmantest.BasePath, client.WithBearerToken(postmantest.DefaultKey), client.WithProfile(postman.Profile()))
	fail(err)

	// The job between the two.
	source, err := serverstore.New(store, serverstore.Options{Feed: feed})
	fail(err)
	state, err := sqlite.Memory()
	fail(err)
	defer state.Close()
	cycles := make(chan *provision.Summary, 10)
	job, err := provision.New(provision.Config{
		Name: "bridge", Source: source, Target: provision.NewClientTarget(c), State: state, Policy: serverstore.Policy(),
		Mappings: []*mapping.Mapping{mapping.MustCompile(mapping.ObjectMapping{Source: "User", Target: "User", Attributes: []mapping.AttributeMapping{
			{Target: "userName", Source: "userName", Matching: 1},
			{Target: "active", Expression: `Switch([IsSoftDeleted], , "False", "True", "True", "False")`},
			{Target: "name.givenName", Source: "name.givenName"},
			{Target: "name.familyName", Source: "name.familyName"},
		}}, mapping.WithProfile(postman.Profile()))},
		Trigger:    source.Trigger(ctx, 10*time.Millisecond),
		CycleEnded: func(s *provision.Summary, _ error) { cycles <- s },
	})
	fail(err)
	ended := make(chan error)
	go func() { ended <- job.Run(ctx) }()
	<-cycles // the first one finds nobody

	r := httptest.NewRequest(http.MethodPost, "/Users", strings.NewReader(
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","name":{"givenName":"Ada","familyName":"Lovelace"}}`))
	r.Header.Set("Authorization", "Bearer secret")
	handler.ServeHTTP(httptest.NewRecorder(), r)
	<-cycles // the next one follows by itself
	for _, u := range simulator.Users() {
		fmt.Println(u.UserName, *u.Active)
	}
	stop()
	fail(<-ended)
	// Output: ada@example.com true
}
