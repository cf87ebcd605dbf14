package discover_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/discover"
)

// A service that ignores filters lists everything: no attribute may then be called filterable.
func TestFiltersThatAreIgnored(t *testing.T) {
	url := ours(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			q.Del("filter")
			r.URL.RawQuery = q.Encode()
			h.ServeHTTP(w, r)
		})
	})
	r := probe(t, url, discover.Options{}, token)
	user, _ := r.Profile.Resource("User")
	for _, a := range user.Attributes {
		if len(a.Filter) > 0 {
			t.Errorf("%s is called filterable", a.Path)
		}
	}
	found := strings.Join(r.Findings, "\n")
	if !strings.Contains(found, "Filters of /Users on these are ignored, and everything is listed: id, externalId, userName") ||
		!strings.Contains(found, "It states that filters are supported, and none works for /Groups.") {
		t.Errorf("findings:\n%s", found)
	}
}

func TestEmptyListsAnsweredWithNotFound(t *testing.T) {
	url := ours(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, r)
			if r.URL.Query().Has("filter") && bytes.Contains(answer.Body.Bytes(), []byte(`"totalResults":0`)) {
				http.NotFound(w, r)
				return
			}
			for name, values := range answer.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
		})
	})
	r := probe(t, url, discover.Options{}, token)
	wantStatements(t, r.Profile, map[string]string{
		"/paging/notFoundWhenEmpty":                     "true observed",
		"/resources/User/attributes/userName/filter/eq": `"eq" observed`,
	})
}

// A PUT may take active away with everything else that it leaves out; the user has it all the same.
func TestDeactivationAfterReplacement(t *testing.T) {
	r := probe(t, ours(t, nil), discover.Options{AllowWrites: true}, token)
	user, _ := r.Profile.Resource("User")
	if user.Deprovision != profiles.Deactivate {
		t.Errorf("deprovision %q, want it to be by active", user.Deprovision)
	}
}

func TestTotalsThatCannotBe(t *testing.T) {
	url := ours(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, r)
			body := answer.Body.Bytes()
			if r.URL.Path == "/Users" {
				body = bytes.Replace(body, []byte(`"totalResults":2`), []byte(`"totalResults":1`), 1)
			}
			if r.URL.Path == "/Groups" {
				body = bytes.Replace(body, []byte(`"itemsPerPage":2`), []byte(`"itemsPerPage":20`), 1)
			}
			w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
			w.WriteHeader(answer.Code)
			_, _ = w.Write(body)
		})
	})
	r := probe(t, url, discover.Options{}, token)
	if !r.Profile.Paging.TotalsUnreliable {
		t.Error("the totals are trusted")
	}
	found := strings.Join(r.Findings, "\n")
	for _, want := range []string{"In lists of /Users totalResults is missing, or less", "In lists of /Groups itemsPerPage is not the number"} {
		if !strings.Contains(found, want) {
			t.Errorf("%q is not among\n%s", want, found)
		}
	}
}

func TestRefusedCredential(t *testing.T) {
	_, err := discover.Probe(t.Context(), ours(t, nil), discover.Options{}, client.WithBearerToken("not-the-token"))
	if err == nil || !strings.Contains(err.Error(), "does not accept the credential") || strings.Contains(err.Error(), "not-the-token") {
		t.Errorf("error %v", err)
	}
}

func TestNoSCIMService(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }))
	defer page.Close()
	_, err := discover.Probe(t.Context(), page.URL, discover.Options{}, client.WithBearerToken(token))
	if err == nil || !strings.Contains(err.Error(), "check the base URL") {
		t.Errorf("error %v", err)
	}
}

// However the probe ends, nothing that it has created may stay.
func TestInterruptedProbeCleansUp(t *testing.T) {
	for _, moment := range []string{"creating the test user a second", "changing the test user", "changing the test group"} {
		t.Run(moment, func(t *testing.T) {
			url := ours(t, nil)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, err := discover.Probe(ctx, url, discover.Options{AllowWrites: true, Progress: func(step string) {
				if strings.HasPrefix(step, moment) {
					cancel()
				}
			}}, client.WithBearerToken(token))
			if err == nil {
				t.Error("no error although it was interrupted")
			}
			c, err := client.New(url, client.WithBearerToken(token))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"User", "Group"} {
				if n, err := c.Documents(name).Count(t.Context(), filter.Filter{}); err != nil || n != 2 {
					t.Errorf("%d resources of type %s, %v; want the 2 that were there before", n, name, err)
				}
			}
		})
	}
}

// When the probe ends before it knows whether an object was created, somebody has to look.
func TestInterruptedCreateIsReported(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	url := ours(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || !strings.Contains(r.Header.Get("User-Agent"), "interrupted") {
				h.ServeHTTP(w, r)
				return
			}
			h.ServeHTTP(httptest.NewRecorder(), r) // it is created, and the answer never comes
			cancel()
			<-r.Context().Done()
		})
	})
	r, err := discover.Probe(ctx, url, discover.Options{AllowWrites: true, Suffix: "0a1b"},
		client.WithBearerToken(token), client.WithUserAgent("interrupted"))
	if err == nil {
		t.Fatal("no error although it was interrupted")
	}
	if r == nil || len(r.Left) != 1 || !strings.Contains(r.Left[0], "may have been created") {
		t.Errorf("report %+v, want one line about the user who may have been created", r)
	}
}

// answering is a service that answers paths with texts, and everything else with an empty list.
func answering(texts map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/scim+json")
		text, ok := texts[r.URL.Path]
		switch {
		case ok:
		case strings.Contains(r.URL.Path[1:], "/"):
			w.WriteHeader(http.StatusNotFound)
			text = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404"}`
		default:
			text = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"Resources":[]}`
		}
		_, _ = w.Write([]byte(text))
	})
}

// direct calls a handler without a network.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

// Whatever a service says of itself, the probe must end with a profile that can be read.
func TestOddDiscovery(t *testing.T) {
	list := func(resources string) string {
		return `{"totalResults":9,"Resources":[` + resources + `]}`
	}
	many := strings.Repeat(`{"name":"a","type":"string"},`, 3)
	for i := range 400 {
		many += fmt.Sprintf(`{"name":"attribute%d","type":"string"},`, i)
	}
	types := `{"name":"User","endpoint":"https://svc.example/scim/Users","schema":"urn:x:User"},` +
		`{"name":"user","endpoint":"/Users"},{"name":"","endpoint":"/X"},{"name":"Nowhere"}`
	odd := httptest.NewServer(answering(map[string]string{
		"/ServiceProviderConfig": `{"filter":{"supported":true,"maxResults":-5},"bulk":{"supported":true,"maxOperations":-1},
			"pagination":{"cursor":true},"authenticationSchemes":[{"type":"OAuthBearerToken"},{"type":"magic"}]}`,
		"/ResourceTypes": list(types),
		"/Schemas": list(`{"id":"URN:X:USER","attributes":[` + many + `{"name":"not a name","type":"string"},
			{"name":"half","type":"STRANGE","mutability":"READONLY","required":true}]}`),
	}))
	defer odd.Close()
	r := probe(t, odd.URL, discover.Options{}, token)
	user, ok := r.Profile.Resource("User")
	if len(r.Profile.Resources) != 1 || !ok || user.Endpoint != "/Users" {
		t.Fatalf("resources %+v", r.Profile.Resources)
	}
	if len(user.Attributes) != 300 || r.Requests > 400 {
		t.Errorf("%d attributes, %d requests; want both bounded", len(user.Attributes), r.Requests)
	}
	found := strings.Join(r.Findings, "\n")
	for _, want := range []string{`"user" was passed over`, `"Nowhere" was passed over`, `such as "not a name"`, "the first 300 were tried"} {
		if !strings.Contains(found, want) {
			t.Errorf("%q is not among\n%s", want, found)
		}
	}
}

// FuzzProbe feeds the probe with schemas and lists that no service should send.
func FuzzProbe(f *testing.F) {
	f.Add(`{"Resources":[{"id":"urn:ietf:params:scim:schemas:core:2.0:User","attributes":[{"name":"userName","type":"string"}]}]}`, `[]`)
	f.Add(`[]`, `{"totalResults":2,"Resources":[{"userName":1},{"userName":"A","meta":{"version":3}}],"nextCursor":"x"}`)
	f.Add(`{"Resources":[{"id":"urn:ietf:params:scim:schemas:core:2.0:User","attributes":[{"name":"a/b~c"},{"name":""}]}]}`, `null`)
	f.Fuzz(func(t *testing.T, schemas, users string) {
		if len(schemas) > 2000 || len(users) > 2000 {
			return
		}
		odd := direct{answering(map[string]string{"/Schemas": schemas, "/Users": users})}
		r, err := discover.Probe(t.Context(), "https://odd.example", discover.Options{}, client.WithTransport(odd))
		if err != nil {
			return
		}
		if _, err := r.Profile.Encode(); err != nil {
			t.Fatal(err)
		}
		if missing, err := r.Profile.Unsourced(); err != nil || len(missing) > 0 {
			t.Fatalf("without a fact: %v %v", missing, err)
		}
	})
}

// What could not be asked must not take the answer to the question before for its own.
func TestResourceTypesWithOddEndpoints(t *testing.T) {
	odd := strings.Repeat("x", 1000)
	url := ours(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/ResourceTypes" {
				h.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/scim+json")
			fmt.Fprintf(w, `{"totalResults":4,"Resources":[
				{"name":"User","endpoint":"/Users","schema":"urn:ietf:params:scim:schemas:core:2.0:User"},
				{"name":"Escaped","endpoint":"/%%zz","schema":"urn:a"},
				{"name":"Control","endpoint":"/a\u007fb","schema":"urn:b"},
				{"name":"Query","endpoint":"/Users?x=","schema":"urn:c"},
				{"name":"Parent","endpoint":"/../admin","schema":"urn:e"},
				{"name":%q,"endpoint":"","schema":"urn:d"}]}`, odd)
		})
	})
	r := probe(t, url, discover.Options{}, token)
	var names []string
	for _, resource := range r.Profile.Resources {
		names = append(names, resource.Name)
	}
	if strings.Join(names, " ") != "User" {
		t.Errorf("resource types %v", names)
	}
	if found := strings.Join(r.Findings, "\n"); !strings.Contains(found, `"Control" was passed over`) || strings.Contains(found, odd) {
		t.Errorf("findings:\n%s", found)
	}
}

// The query of a base URL may hold a key. A profile is kept and passed on.
func TestBaseURLsOfProfilesHaveNoQuery(t *testing.T) {
	url := ours(t, nil)
	r := probe(t, " "+url+"?key=hunter2\n", discover.Options{}, token)
	if got := r.Profile.BaseURLs[0].URL; got != url {
		t.Errorf("base URL %q, want %q", got, url)
	}
}
