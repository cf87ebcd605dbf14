package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles"
)

func TestDiscovery(t *testing.T) {
	const user, group = `{"name":"User","endpoint":"/Users","schema":"u"}`, `{"name":"Group","endpoint":"/Groups","schema":"g"}`
	want := []scim.ResourceType{{Name: "User", Endpoint: "/Users", Schema: "u"}, {Name: "Group", Endpoint: "/Groups", Schema: "g"}}
	tests := []struct {
		name string
		list []string // pages
	}{
		{"list", []string{`{"totalResults":2,"Resources":[` + user + `,` + group + `]}`}},
		{"bare array", []string{"\n [" + user + "," + group + "]"}},
		{"list without total", []string{`{"Resources":[` + user + `,` + group + `]}`}},
		{"two pages", []string{`{"totalResults":2,"Resources":[` + user + `]}`, `{"totalResults":2,"Resources":[` + group + `]}`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
				n++
				if n == 2 && r.URL.RawQuery != "startIndex=2&count=100" {
					t.Errorf("query %s", r.URL.RawQuery)
				}
				return response(http.StatusOK, tt.list[n-1]), nil
			}))
			got, err := c.ResourceTypes(t.Context())
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("error %v, types (-want +got):\n%s", err, diff)
			}
		})
	}
}

// A service that ignores startIndex gives its first page for ever, when its total is more than that page holds.
func TestDiscoveryEnds(t *testing.T) {
	n := 0
	c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
		n++
		return response(http.StatusOK, `{"totalResults":1000000,"Resources":[{"name":"User","endpoint":"/Users","schema":"u"}]}`), nil
	}))
	types, err := c.ResourceTypes(t.Context())
	if err != nil || n != 20 {
		t.Errorf("%d requests, %v; want 20 and no error", n, err)
	}
	if len(types) != 1 {
		t.Errorf("%d resource types, want each once", len(types))
	}
}

func TestCapabilities(t *testing.T) {
	const config = `{"patch":{"supported":true},"bulk":{"supported":true,"maxOperations":100,"maxPayloadSize":1000},` +
		`"filter":{"supported":true,"maxResults":200},"changePassword":{"supported":false},"sort":{"supported":true},"etag":{"supported":true}}`
	said := client.Capabilities{
		Patch: true, Sort: true, ETag: true, Filter: true, MaxResults: 200, Bulk: true, MaxOperations: 100, MaxPayload: 1000,
	}
	tests := []struct {
		name     string
		status   int
		options  []client.Option
		want     client.Capabilities
		requests int
	}{
		{"what the service says, asked once", 200, nil, said, 1},
		{"a service that does not say", 404, nil, client.Capabilities{Patch: true, Filter: true}, 1},
		{
			"what the profile says instead", 200,
			[]client.Option{client.WithProfile(&profiles.Profile{Paging: profiles.Paging{MaxCount: 7}})},
			client.Capabilities{Patch: true, Filter: true, MaxResults: 7},
			0,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
				n++
				return response(tt.status, config), nil
			}), tt.options...)
			for range 3 {
				got, err := c.Capabilities(t.Context())
				if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
					t.Errorf("error %v, capabilities (-want +got):\n%s", err, diff)
				}
			}
			if n != tt.requests {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// Who waits for the answer to somebody else's question waits no longer than the context says.
func TestCapabilitiesEndWithTheContext(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
		close(asked)
		<-answer
		return response(http.StatusNotFound, `{}`), nil
	}))
	first := make(chan error)
	go func() {
		_, err := c.Capabilities(t.Context())
		first <- err
	}()
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	second := make(chan error, 1)
	go func() {
		_, err := c.Capabilities(ctx)
		second <- err
	}()
	select {
	case err := <-second:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the second call waits for the first")
	}
	close(answer)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

func TestSchemasAndConfig(t *testing.T) {
	c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/Schemas") {
			return response(http.StatusOK, `{"totalResults":1,"Resources":[{"id":"urn:x","name":"X"}]}`), nil
		}
		return response(http.StatusOK, `{"documentationUri":"https://docs.example","authenticationSchemes":[{"type":"oauthbearertoken"}]}`), nil
	}))
	schemas, err := c.Schemas(t.Context())
	if err != nil || len(schemas) != 1 || schemas[0].ID() != "urn:x" {
		t.Errorf("%v, error %v", schemas, err)
	}
	config, err := c.ServiceProviderConfig(t.Context())
	if err != nil || config.DocumentationURI != "https://docs.example" {
		t.Errorf("%v, error %v", config, err)
	}
}

func TestForAnyType(t *testing.T) {
	type device struct {
		ID     string `json:"id,omitzero"`
		Serial string `json:"serialNumber"`
	}
	s := newService()
	defer s.Close()
	c, err := client.New(s.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	devices := client.For[device](c, scim.ResourceType{Name: "Device", Endpoint: "/Devices", Schema: "urn:example:Device"}, nil)
	created, err := devices.Create(t.Context(), device{Serial: "42"})
	if err != nil || created.ID != "1" {
		t.Fatalf("%v, error %v", created, err)
	}
	changed, err := devices.Update(t.Context(), created, device{Serial: "43"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := devices.Get(t.Context(), "1")
	if err != nil || got.Serial != changed.Serial && got.Serial != "43" {
		t.Errorf("%v, error %v", got, err)
	}
	for d, err := range devices.List(t.Context(), client.Query{}) {
		if err != nil || d.Serial != "43" {
			t.Errorf("%v, error %v", d, err)
		}
	}
	want := `[POST /Devices GET /ServiceProviderConfig PUT /Devices/1 GET /Devices/1 GET /Devices?startIndex=1&count=100]`
	if diff := cmp.Diff(want, fmt.Sprint(s.requests())); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}
