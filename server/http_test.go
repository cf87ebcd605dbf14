package server_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

func TestMethods(t *testing.T) {
	s := newService(t)
	s.user("a")
	for _, tt := range []struct {
		method, path string
		allow        string
	}{
		{"PUT", "/Users", "GET, HEAD, POST"},
		{"DELETE", "/Groups", "GET, HEAD, POST"},
		{"POST", "/Users/1", "GET, HEAD, PUT, PATCH, DELETE"},
		{"OPTIONS", "/Users/1", "GET, HEAD, PUT, PATCH, DELETE"},
		{"GET", "/Users/.search", "POST"},
		{"DELETE", "/ServiceProviderConfig", "GET, HEAD"},
		{"POST", "/Schemas", "GET, HEAD"},
		{"PATCH", "/ResourceTypes/User", "GET, HEAD"},
	} {
		s.send(tt.method, tt.path, "").wantError(405, "").wantHeader("Allow", tt.allow)
	}
	r := s.send("HEAD", "/Users/1", "").want(200)
	if r.Body != "" || r.Header.Get("Content-Length") == "" {
		t.Errorf("HEAD has the body %q and the Content-Length %q", r.Body, r.Header.Get("Content-Length"))
	}
	for _, path := range []string{"/Nothing", "/Users/1/emails", "/users", "/Bulk/1", "/Me/x", "/Users/1/Users/1", "/ServiceProviderConfig/x"} {
		s.get(path).wantError(404, "")
	}
}

func TestContentTypes(t *testing.T) {
	s := newService(t)
	const body = `{"userName":"%s"}`
	for i, typ := range []string{"application/scim+json", "application/json; charset=utf-8", "Application/SCIM+JSON;charset=UTF-8", ""} {
		s.send("POST", "/Users", fmt.Sprintf(body, fmt.Sprint("u", i)), "Content-Type", typ).want(201)
	}
	for _, typ := range []string{"text/plain", "application/xml", "multipart/form-data; boundary=x", "application/json; charset=latin1", ";"} {
		r := s.send("POST", "/Users", fmt.Sprintf(body, "x"), "Content-Type", typ)
		if typ == ";" {
			r.want(201)
			continue
		}
		r.wantError(415, "")
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = io.Copy(z, strings.NewReader(`{"userName":"`+strings.Repeat("a", 10<<20)+`"}`))
	_ = z.Close()
	s.send("POST", "/Users", zipped.String(), "Content-Encoding", "gzip").wantError(415, "")

	for accept, want := range map[string]string{
		"application/json":                              "application/json",
		"application/scim+json, application/json":       "application/scim+json",
		"text/html":                                     "application/scim+json",
		"*/*":                                           "application/scim+json",
		"application/json, text/plain, */*":             "application/json",
		"APPLICATION/JSON; charset=utf-8":               "application/json",
		"application/scim+json;q=0.5, application/json": "application/json",
		"application/json;q=0.5, application/scim+json": "application/scim+json",
		"application/json;q=0.5, application/*":         "application/scim+json",
		"application/json; q=0, */*; q=0.1":             "application/scim+json",
		"application/json;q=x, */*;q=0.9":               "application/json",
		"application/json-seq":                          "application/scim+json",
	} {
		s.get("/Users", "Accept", accept).wantHeader("Content-Type", want)
	}
	s.get("/Users/404", "Accept", "application/json").wantHeader("Content-Type", "application/json")
	plain := newService(t, func(o *server.Options) { o.ContentType = "application/json" })
	plain.get("/Users").wantHeader("Content-Type", "application/json")
}

func TestLocationBehindProxiesAndPrefixes(t *testing.T) {
	location := func(t *testing.T, configure func(*server.Options), wrap func(http.Handler) http.Handler, target string, header ...string) string {
		t.Helper()
		s := newService(t, func(o *server.Options) {
			o.BaseURL = ""
			configure(o)
		})
		s.Handler = wrap(s.Handler)
		r := s.send("POST", target, `{"userName":"a"}`, header...).want(201)
		got := r.Header.Get("Location")
		r.wantAt("meta/location", got)
		return got
	}
	trust := func(o *server.Options) { o.TrustForwarded = true }
	none := func(*server.Options) {}
	plain := func(h http.Handler) http.Handler { return h }
	mux := func(pattern string) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			m := http.NewServeMux()
			m.Handle(pattern, h)
			return m
		}
	}
	for _, tt := range []struct {
		name      string
		configure func(*server.Options)
		wrap      func(http.Handler) http.Handler
		target    string
		header    []string
		want      string
	}{
		{"root", none, plain, "/Users", nil, "http://example.com/Users/1"},
		{"prefix", none, mux("/scim/v2/"), "/scim/v2/Users", nil, "http://example.com/scim/v2/Users/1"},
		{"prefix of the tenant", none, mux("/t/{tenant}/scim/"), "/t/acme/scim/Users", nil, "http://example.com/t/acme/scim/Users/1"},
		{"strip prefix", none, func(h http.Handler) http.Handler { return http.StripPrefix("/scim/v2", h) }, "/scim/v2/Users", nil, "http://example.com/scim/v2/Users/1"},
		{"base path", func(o *server.Options) { o.BasePath = "scim/v2/" }, mux("/scim/v2/"), "/scim/v2/Users", nil, "http://example.com/scim/v2/Users/1"},
		{"base path named like an endpoint", func(o *server.Options) { o.BasePath = "/Users/scim" }, plain, "/Users/scim/Users", nil, "http://example.com/Users/scim/Users/1"},
		{"escaped prefix", none, plain, "/a%2Fb/Users", nil, "http://example.com/a%2Fb/Users/1"},
		{"TLS", none, plain, "https://example.org/Users", nil, "https://example.org/Users/1"},
		{"BaseURL", func(o *server.Options) { o.BaseURL = "https://x.example/y/" }, plain, "/scim/Users", nil, "https://x.example/y/Users/1"},
		{"forwarded, not trusted", none, plain, "/Users", []string{"X-Forwarded-Host", "evil.example"}, "http://example.com/Users/1"},
		{"X-Forwarded", trust, plain, "/v2/Users", []string{
			"X-Forwarded-Proto", "https", "X-Forwarded-Host", "a.example:8443, b.example", "X-Forwarded-Prefix", "/scim/",
		}, "https://a.example:8443/scim/v2/Users/1"},
		{"Forwarded", trust, plain, "/Users", []string{"Forwarded", `for=1.2.3.4;proto=HTTPS;host="c.example", for=x;host=y`}, "https://c.example/Users/1"},
		{"nonsense", trust, plain, "/Users", []string{"X-Forwarded-Proto", "javascript", "X-Forwarded-Host", "a/b"}, "http://example.com/Users/1"},
		{"empty prefix", trust, plain, "/v2/Users", []string{"X-Forwarded-Prefix", "/"}, "http://example.com/v2/Users/1"},
		{"two prefixes", trust, plain, "/v2/Users", []string{"X-Forwarded-Prefix", "/a/b, /c"}, "http://example.com/a/b/v2/Users/1"},
		{"prefix with a space", trust, plain, "/v2/Users", []string{"X-Forwarded-Prefix", "/a b"}, "http://example.com/v2/Users/1"},
		{"prefix with a query", trust, plain, "/v2/Users", []string{"X-Forwarded-Prefix", "/a?b"}, "http://example.com/v2/Users/1"},
		{"prefix that is not UTF-8", trust, plain, "/v2/Users", []string{"X-Forwarded-Prefix", "/a\xff"}, "http://example.com/v2/Users/1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := location(t, tt.configure, tt.wrap, tt.target, tt.header...); got != tt.want {
				t.Errorf("location %s, want %s", got, tt.want)
			}
		})
	}
}

// The header Content-Location is the same as meta.location (RFC 7643 section 3.1), where all of a resource is shown.
func TestContentLocation(t *testing.T) {
	s := newService(t, func(o *server.Options) {
		o.Authenticator = server.AuthenticatorFunc(func(*http.Request) (server.Identity, error) {
			return server.Identity{Me: server.Key{Type: "User", ID: "1"}}, nil
		})
	})
	const user, header = "https://example.com/scim/v2/Users/1", "Content-Location"
	s.send("POST", "/Users", `{"userName":"a"}`).want(201).wantAt("meta/location", user).wantHeader(header, user)
	s.get("/Users/1").wantAt("meta/location", user).wantHeader(header, user)
	s.send("HEAD", "/Users/1", "").want(200).wantHeader(header, user)
	s.get("/Me").wantAt("meta/location", user).wantHeader(header, user)
	s.get("/Users/1", "If-None-Match", "*").want(304).wantHeader(header, user)
	s.send("PUT", "/Users/1", `{"userName":"b"}`).want(200).wantHeader(header, user)
	s.patch("/Users/1", `{"op":"add","path":"title","value":"T"}`).want(200).wantHeader(header, user)
	s.get("/Users/1?attributes=userName").want(200).wantHeader(header, "")
	s.get("/Users/1?excludedAttributes=title").want(200).wantHeader(header, "")
	s.get("/Users").want(200).wantHeader(header, "")
	s.get("/Users/2").want(404).wantHeader(header, "")
	s.send("DELETE", "/Users/1", "").want(204).wantHeader(header, "")
}

// A request without a Host, as HTTP/1.0 admits it, has reached the service at an address.
func TestLocationWithoutHost(t *testing.T) {
	backend := httptest.NewServer(newService(t, func(o *server.Options) { o.BaseURL = "" }))
	defer backend.Close()
	conn, err := net.Dial("tcp", backend.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "GET /scim/v2/ServiceProviderConfig HTTP/1.0\r\n\r\n")
	answer, err := io.ReadAll(conn)
	if want := `"location":"` + backend.URL + `/scim/v2/ServiceProviderConfig"`; err != nil || !strings.Contains(string(answer), want) {
		t.Errorf("error %v, want %s in %s", err, want, answer)
	}
}

func TestIDsInPathsAreUnescapedOnce(t *testing.T) {
	ids := []string{"a/b", "a%2Fb", "ü", "a b", ".."}
	next := 0
	s := newService(t, func(o *server.Options) {
		o.NewID = func() string { next++; return ids[next-1] }
	})
	for i, id := range ids {
		r := s.send("POST", "/scim/Users", fmt.Sprintf(`{"userName":"u%d"}`, i)).want(201).wantAt("id", id)
		path := strings.TrimPrefix(r.Header.Get("Location"), "https://example.com/scim/v2")
		s.get("/scim"+path).want(200).wantAt("id", id)
	}
}

func TestBasePath(t *testing.T) {
	s := newService(t, func(o *server.Options) { o.BasePath = "/scim/v2" })
	s.user("a")
	s.get("/scim/v2").wantIDs("1")
	s.get("/scim/v2/?filter=" + escape(`userName eq "a"`)).wantIDs("1")
	s.get("/scim/v2/Users/1").want(200)
	s.get("/scim/v2x/Users/1").wantError(404, "")
	s.get("/other/Users/1").wantError(404, "")

	tenants := newService(t, func(o *server.Options) { o.BaseURL, o.BasePath = "", "/t/{tenant}/scim" })
	tenants.user("a")
	for _, tenant := range []string{"acme", "Users", "Groups", "Bulk", "a%2Fb"} {
		base := "/t/" + tenant + "/scim"
		tenants.get(base+"/Users/1").want(200).wantAt("meta/location", "http://example.com"+base+"/Users/1")
		tenants.get(base + "/Users/").wantIDs("1")
		tenants.get(base).wantIDs("1")
		tenants.get(base + "/Groups").wantIDs()
	}
	for _, path := range []string{"/t//scim/Users/1", "/t/acme/scimx/Users/1", "/t/acme", "/t/acme/Users/1", "/x/acme/scim/Users/1"} {
		tenants.get(path).wantError(404, "")
	}
	tenants.get("/Users/1").want(200).wantAt("meta/location", "http://example.com/Users/1")
}

func TestAuthentication(t *testing.T) {
	s := newService(t, func(o *server.Options) { o.Authenticator = server.BearerTokens("old", "new", "") })
	for _, authorization := range []string{"Bearer old", "bearer new", "BEARER  new"} {
		s.get("/Users", "Authorization", authorization).want(200)
	}
	for _, authorization := range []string{"", "Bearer", "Bearer ", "Bearer x", "Bearer olde", "Basic old", "old", "Bearer old new"} {
		r := s.send("POST", "/Users", `{"userName":"a"}`, "Authorization", authorization).wantError(401, "")
		if !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Bearer ") {
			t.Errorf("%q is answered with WWW-Authenticate %q", authorization, r.Header.Get("WWW-Authenticate"))
		}
		if authorization != "" && strings.Contains(r.Body, authorization) {
			t.Errorf("the credential is in the answer %s", r.Body)
		}
	}
	s.get("/Nothing").wantError(401, "").wantHeader("WWW-Authenticate", `Bearer realm="SCIM"`) // RFC 6750 section 3.1: no error without a token
	s.get("/Users", "Authorization", "Bearer x").wantHeader("WWW-Authenticate", `Bearer realm="SCIM", error="invalid_token"`)
	s.get("/Users", "Authorization", "Bearer new").wantIDs()

	failing := newService(t, func(o *server.Options) {
		o.Authenticator = server.AuthenticatorFunc(func(r *http.Request) (server.Identity, error) {
			switch r.URL.Path {
			case "/forbidden/Users":
				return server.Identity{}, scim.NewError(403, "", "the key was revoked")
			case "/wrapped/Users":
				return server.Identity{}, fmt.Errorf("check token abc: %w", server.ErrUnauthenticated)
			}
			return server.Identity{}, errors.New("database password hunter2 is wrong")
		})
	})
	failing.get("/forbidden/Users").wantError(403, "").wantAt("detail", "the key was revoked")
	failing.get("/wrapped/Users").wantError(401, "").wantAt("detail", "authentication failed")
	if r := failing.get("/Users").wantError(500, ""); strings.Contains(r.Body, "hunter2") {
		t.Errorf("the cause is in the answer %s", r.Body)
	}
}

func TestTenantsDoNotSeeEachOther(t *testing.T) {
	onBothStores(t, func(t *testing.T, open func(...func(*server.Options)) *service) {
		s := open(func(o *server.Options) {
			o.Authenticator = server.TenantTokens{"ta": {Tenant: "a"}, "tb": {Tenant: "b", Me: server.Key{Tenant: "a", Type: "User", ID: "1"}}}.Authenticator()
		})
		as := func(token string) *service {
			other := *s
			other.header = http.Header{"Authorization": {"Bearer " + token}}
			return &other
		}
		a, b := as("ta"), as("tb")
		user := a.user("same")
		group := a.create("/Groups", fmt.Sprintf(`{"displayName":"G","members":[{"value":%q}]}`, user))
		other := b.user("same")
		b.get("/Users").wantIDs(other)
		b.get("/").wantIDs(other)
		b.get("/?cursor&sortBy=meta.created").wantIDs(other)
		b.filter(`groups.value eq "` + group + `" or id eq "` + user + `"`).wantIDs()
		b.get("/Groups?filter=" + escape(`members.value eq "`+user+`"`)).wantIDs()
		b.get("/Users/"+user).wantError(404, "")
		b.get("/Me").wantError(404, "")
		b.send("PUT", "/Users/"+user, `{"userName":"x"}`).wantError(404, "")
		b.patch("/Groups/"+group, `{"op":"remove","path":"members"}`).wantError(404, "")
		b.patch("/Groups/"+group, `{"op":"add","path":"members","value":[{"value":"`+other+`"}]}`).wantError(404, "")
		b.send("DELETE", "/Users/"+user, "").wantError(404, "")
		b.send("POST", "/Groups", fmt.Sprintf(`{"displayName":"G","members":[{"value":%q}]}`, user)).wantError(400, scim.InvalidValue)
		b.bulk(
			0,
			`{"method":"DELETE","path":"/Users/`+user+`"}`,
			`{"method":"PATCH","path":"/Groups/`+group+`","data":{"Operations":[{"op":"remove","path":"members"}]}}`,
			post("g", "/Groups", fmt.Sprintf(`{"displayName":"G","members":[{"value":%q}]}`, user)),
		).wantStatuses("DELETE 404", "PATCH 404", "g 400")
		a.get("/Users/"+user).want(200).wantAt("groups/0/value", group)
		a.get("/Groups/"+group).wantAt("members/0/value", user).wantAt("members/1", nil)
		a.send("DELETE", "/Users/"+user, "").want(204)
		a.wantMembers(group)
	})
}

func TestCursorsTellNothingOfOtherTenants(t *testing.T) {
	cursor := func(others int) any {
		s := newService(t, func(o *server.Options) {
			o.Authenticator = server.TenantTokens{"ta": {Tenant: "a"}, "tb": {Tenant: "b"}}.Authenticator()
		})
		for n := range 3 {
			s.send("POST", "/Users", fmt.Sprintf(`{"userName":"u%d"}`, n), "Authorization", "Bearer ta").want(201)
			for m := range others {
				s.send("POST", "/Users", fmt.Sprintf(`{"userName":"u%d-%d"}`, n, m), "Authorization", "Bearer tb").want(201)
			}
		}
		return s.get("/Users?cursor&count=2", "Authorization", "Bearer ta").at("nextCursor")
	}
	if alone, among := cursor(0), cursor(5); alone == nil || alone != among {
		t.Errorf("the cursor of a tenant that is alone is %v, and %v among others", alone, among)
	}
}

func TestMe(t *testing.T) {
	s := newService(t, func(o *server.Options) {
		o.Authenticator = server.AuthenticatorFunc(func(r *http.Request) (server.Identity, error) {
			return server.Identity{Me: server.Key{Type: "User", ID: r.Header.Get("X-User")}}, nil
		})
	})
	s.user("a")
	const location = "https://example.com/scim/v2/Users/1"
	s.get("/Me", "X-User", "1").want(200).wantAt("userName", "a").wantAt("meta/location", location).wantHeader("Location", location)
	s.get("/Me", "X-User", "1", "If-None-Match", "*").want(304).wantHeader("Location", location)
	s.get("/Me", "X-User", "1", "If-Match", `"x"`).wantError(412, "").wantHeader("Location", location)
	s.send("PATCH", "/Me", operations(`{"op":"replace","path":"title","value":"T"}`), "X-User", "1").want(200).wantAt("title", "T").
		wantHeader("Location", location)
	s.send("PATCH", "/Me", operations(`{"op":"replace","path":"title","value":"T"}`), "X-User", "1").want(204).wantHeader("Location", location)
	s.send("PUT", "/Me", `{"userName":"b"}`, "X-User", "1").want(200).wantAt("userName", "b").wantHeader("Location", location)
	s.get("/Me").wantError(501, "").wantHeader("Location", "")
	s.send("POST", "/Me", `{}`, "X-User", "1").wantError(501, "")
	s.get("/Me", "X-User", "404").wantError(404, "")
	s.send("DELETE", "/Me", "", "X-User", "1").want(204).wantHeader("Location", location)
	s.get("/Users").wantIDs()
}

func TestConditionalRequests(t *testing.T) {
	s := newService(t)
	s.user("a") // version v1
	title := operations(`{"op":"replace","path":"title","value":"T"}`)
	s.get("/Users/1", "If-None-Match", `"v1"`).want(304).wantHeader("ETag", `"v1"`)
	s.get("/Users/1", "If-None-Match", `"x", W/"v1"`).want(304)
	s.get("/Users/1", "If-None-Match", `*`).want(304)
	s.get("/Users/1", "If-None-Match", `"v0"`).want(200)
	for _, method := range []string{"GET", "HEAD"} {
		for match, status := range map[string]int{`"v1"`: 200, `W/"v1"`: 200, `*`: 200, `"v0", "v1"`: 200, `"v0"`: 412, `"v10"`: 412, `"v"`: 412} {
			s.send(method, "/Users/1", "", "If-Match", match).want(status)
		}
	}
	s.get("/Users/1", "If-Match", `"v0"`, "If-None-Match", `"v1"`).wantError(412, "") // RFC 9110 section 13.2.2
	s.get("/Users/1", "If-Match", `"v1"`, "If-None-Match", `"v1"`).want(304)
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		body := map[string]string{"PUT": `{"userName":"b"}`, "PATCH": title}[method]
		s.send(method, "/Users/1", body, "If-Match", `"v0"`).wantError(412, "")
		s.send(method, "/Users/1", body, "If-None-Match", `*`).wantError(412, "")
		s.send(method, "/Users/404", body, "If-Match", `*`).wantError(404, "")
	}
	s.send("PATCH", "/Users/1", title, "If-Match", `"v0", "v1"`).want(200).wantHeader("ETag", `"v2"`)
	s.send("PATCH", "/Users/1", title, "If-Match", `"v1"`).wantError(412, "")
	s.send("PUT", "/Users/1", `{"userName":"b"}`, "If-Match", `W/"v2"`).want(200).wantHeader("ETag", `"v3"`)
	s.send("DELETE", "/Users/1", "", "If-Match", `*`).want(204)

	off := newService(t, func(o *server.Options) { o.Off = server.FeatureETag })
	off.send("POST", "/Users", `{"userName":"a"}`).want(201).wantHeader("ETag", "").wantAt("meta/version", nil)
	off.send("DELETE", "/Users/1", "", "If-Match", `"x"`).want(204)
}

// racingStore lets another request change the resource between the reading and the writing of one.
type racingStore struct {
	server.Store
	between func()
}

func (s *racingStore) Update(ctx context.Context, u server.Update) error {
	if between := s.between; between != nil {
		s.between = nil
		between()
	}
	return s.Store.Update(ctx, u)
}

func TestLostRaces(t *testing.T) {
	store := &racingStore{Store: memory.New()}
	s := newServiceOn(t, store)
	s.user("a")
	other := func() { s.patch("/Users/1", `{"op":"replace","path":"nickName","value":"N"}`).want(200) }
	store.between = other
	s.patch("/Users/1", `{"op":"replace","path":"title","value":"T"}`).want(200).wantAt("title", "T").wantAt("nickName", "N")
	version := s.get("/Users/1").Header.Get("ETag")
	store.between = func() { s.patch("/Users/1", `{"op":"replace","path":"nickName","value":"M"}`).want(200) }
	s.send("PATCH", "/Users/1", operations(`{"op":"replace","path":"title","value":"U"}`), "If-Match", version).wantError(412, "")
	s.get("/Users/1").wantAt("title", "T").wantAt("nickName", "M")
}

func TestDiscovery(t *testing.T) {
	s := newService(t, func(o *server.Options) { o.DocumentationURI = "https://example.com/help" })
	s.get("/ServiceProviderConfig").want(200).wantDoc(`{
		"schemas":["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],"documentationUri":"https://example.com/help",
		"patch":{"supported":true},"bulk":{"supported":true,"maxOperations":1000,"maxPayloadSize":16777216},
		"filter":{"supported":true,"maxResults":1000},"changePassword":{"supported":true},"sort":{"supported":true},"etag":{"supported":true},
		"pagination":{"cursor":true,"index":true,"defaultPaginationMethod":"index","defaultPageSize":100,"maxPageSize":1000,"cursorTimeout":3600},
		"authenticationSchemes":[{"type":"oauthbearertoken","name":"OAuth Bearer Token","description":"Authentication with a bearer token",
			"specUri":"https://www.rfc-editor.org/info/rfc6750","primary":true}],
		"meta":{"resourceType":"ServiceProviderConfig","location":"https://example.com/scim/v2/ServiceProviderConfig"}}`)
	s.get("/ResourceTypes").wantIDs("User", "Group").wantAt("totalResults", int64(2))
	s.get("/ResourceTypes/User").want(200).wantDoc(`{
		"schemas":["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],"id":"User","name":"User","endpoint":"/Users","description":"User Account",
		"schema":"urn:ietf:params:scim:schemas:core:2.0:User",
		"schemaExtensions":[{"schema":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","required":false}],
		"meta":{"resourceType":"ResourceType","location":"https://example.com/scim/v2/ResourceTypes/User"}}`)
	s.get("/ResourceTypes/Nothing").wantError(404, "")
	s.get("/Schemas").wantIDs(scim.UserSchema, scim.EnterpriseUserSchema, scim.GroupSchema)
	s.get("/Schemas/"+strings.ToUpper(scim.GroupSchema)).want(200).wantAt("id", scim.GroupSchema).
		wantAt("schemas", []any{scim.SchemaSchema}).
		wantAt("meta/location", "https://example.com/scim/v2/Schemas/"+scim.GroupSchema)
	s.get("/Schemas/urn:nothing").wantError(404, "")
	s.get("/Schemas?filter="+escape(`id eq "x"`)).wantError(403, "")
	s.get("/ResourceTypes?filter="+escape(`id eq "x"`)).wantError(403, "")
	for _, one := range []string{"/ServiceProviderConfig", "/ResourceTypes/User", "/Schemas/" + scim.GroupSchema} {
		if got, want := s.get(one+"?filter=x&sortBy=id&startIndex=9&count=0").want(200).Body, s.get(one).Body; got != want {
			t.Errorf("%s with parameters: %s, want %s", one, got, want)
		}
	}
	s.get("/ServiceProviderConfig?attributes=patch&startIndex=5").want(200)
}

func TestErrorsOfTheStoreStayInside(t *testing.T) {
	const secret = "pq: password authentication failed for user scim"
	for _, tt := range []struct {
		name   string
		err    error
		status int
		typ    scim.ErrorType
	}{
		{"any", errors.New(secret), 500, ""},
		{"wrapped not found", fmt.Errorf("%s: %w", secret, server.ErrNotFound), 404, ""},
		{"exists", fmt.Errorf("%s: %w", secret, server.ErrExists), 409, scim.Uniqueness},
		{"version", fmt.Errorf("%s: %w", secret, server.ErrVersion), 412, ""},
		{"taken", fmt.Errorf("%s: %w", secret, &server.TakenError{Unique: server.Unique{Attribute: "userName", Value: secret}}), 409, scim.Uniqueness},
		{"SCIM error", fmt.Errorf("%s: %w", secret, scim.NewError(507, "", "out of space")), 507, ""},
		{"SCIM error without status", &scim.Error{Detail: secret}, 500, ""},
		{"SCIM error of success", scim.NewError(200, "", secret), 500, ""},
		{"SCIM error of redirection", scim.NewError(302, "", secret), 500, ""},
		{"SCIM error out of range", scim.NewError(700, "", secret), 500, ""},
		{"no text at all", scim.NewError(507, "", "a\xffb"), 507, ""},
		{"deadline", context.DeadlineExceeded, 503, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log strings.Builder
			s := newServiceOn(t, failingStore{tt.err}, withLog(&log))
			answers := []response{
				s.send("POST", "/Users", `{"userName":"a"}`).wantError(tt.status, tt.typ),
				s.get("/Users/1"), s.get("/Users"), s.send("PUT", "/Users/1", `{"userName":"a"}`),
				s.patch("/Users/1", `{"op":"remove","path":"title"}`), s.send("DELETE", "/Users/1", ""),
				s.bulk(0, `{"method":"DELETE","path":"/Users/1"}`),
			}
			for _, r := range answers {
				if strings.Contains(r.Body, "pq:") || r.Status == 0 {
					t.Errorf("%s is answered with %d %s", r.what, r.Status, r.Body)
				}
			}
			if tt.status == 500 && !strings.Contains(log.String(), secret) {
				t.Error("the cause is not in the log")
			}
			if tt.status == 503 {
				answers[0].wantHeader("Retry-After", "1")
			}
		})
	}
}

func TestClientsAreToldWhenToTryAgain(t *testing.T) {
	busy := func(status int, after time.Duration) error {
		e := scim.NewError(status, "", "not now")
		e.RetryAfter = after
		return fmt.Errorf("pool is empty: %w", e)
	}
	for _, tt := range []struct {
		name  string
		err   error
		retry string
	}{
		{"503 that says when", busy(503, 30*time.Second), "30"},
		{"503 that does not", busy(503, 0), "1"},
		{"429 that says when", busy(429, 1500*time.Millisecond), "2"},
		{"429 that does not", busy(429, 0), ""},
		{"500", busy(500, 0), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServiceOn(t, failingStore{tt.err})
			for _, r := range []response{
				s.send("POST", "/Users", `{"userName":"a"}`), s.get("/Users/1"), s.get("/Users"),
				s.patch("/Users/1", `{"op":"remove","path":"title"}`), s.send("DELETE", "/Users/1", ""),
			} {
				r.wantHeader("Retry-After", tt.retry)
			}
		})
	}
}

// failingStore answers everything with an error.
type failingStore struct{ err error }

func (s failingStore) Create(context.Context, server.Resource) error { return s.err }
func (s failingStore) Update(context.Context, server.Update) error   { return s.err }
func (s failingStore) Get(context.Context, server.Key, ...string) (server.Resource, error) {
	return server.Resource{}, s.err
}

func (s failingStore) Query(context.Context, server.Query) (server.Page, error) {
	return server.Page{}, s.err
}
func (s failingStore) Delete(context.Context, server.Key, string) error { return s.err }

func TestPanicsAreAnswered(t *testing.T) {
	var log strings.Builder
	s := newServiceOn(t, &panickingStore{}, withLog(&log))
	s.send("POST", "/Users", `{"userName":"a"}`).wantError(500, "")
	s.get("/Users/1").wantError(500, "")
	s.bulk(0, post("a", "/Users", `{"userName":"a"}`), `{"method":"DELETE","path":"/Users/1"}`).wantStatuses("a 500", "DELETE 500")
	if !strings.Contains(log.String(), "panickingStore") {
		t.Errorf("the log has no stack:\n%s", log.String())
	}
	hooked := newService(t, func(o *server.Options) {
		o.Hooks.BeforeCreate = func(context.Context, *server.Change) error { panic("hook") }
	})
	hooked.send("POST", "/Users", `{"userName":"a"}`).wantError(500, "")
	hooked.get("/Users").wantIDs()
}

func TestBodiesFromHell(t *testing.T) {
	s := newService(t, func(o *server.Options) { o.Limits.MaxBody = 64 << 10 })
	s.user("a")
	s.create("/Groups", `{"displayName":"G"}`)
	const valid = `{"userName":"b","Operations":[{"op":"replace","path":"title","value":"T"}]}`
	for _, tt := range []struct {
		name, body string
		status     int
		typ        scim.ErrorType
	}{
		{"none", "", 400, scim.InvalidSyntax},
		{"truncated", valid[:30], 400, scim.InvalidSyntax},
		{"nested objects", strings.Repeat(`{"a":`, 10_000) + "1", 400, scim.InvalidSyntax},
		{"nested arrays", `{"userName":"b","emails":` + strings.Repeat("[", 30_000), 400, scim.InvalidSyntax},
		{"invalid UTF-8", "{\"userName\":\"\xff\"}", 400, scim.InvalidSyntax},
		{"lone surrogate", `{"userName":"\ud800"}`, 400, scim.InvalidSyntax},
		{"a name twice", `{"userName":"b","userName":"c"}`, 400, scim.InvalidSyntax},
		{"trailing data", valid + "x", 400, scim.InvalidSyntax},
		{"number out of range", `{"userName":1e999}`, 400, scim.InvalidSyntax},
		{"byte order mark", "\ufeff" + valid, 400, scim.InvalidSyntax},
		{"too large", `{"userName":"` + strings.Repeat("a", 70_000) + `"}`, 413, ""},
		{"null", "null", 400, scim.InvalidSyntax},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.t = t
			for _, target := range []string{"POST /Users", "PUT /Users/1", "PATCH /Users/1", "PATCH /Groups/2", "POST /Users/.search", "POST /.search"} {
				method, path, _ := strings.Cut(target, " ")
				s.send(method, path, tt.body).wantError(tt.status, tt.typ)
			}
		})
	}
	s.t = t
	s.get("/Users").wantIDs("1")
	s.get("/Users/1").wantAt("title", nil).wantAt("meta/version", `"v1"`)
}

// endless is a body of any length.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

func TestEndlessBodyIsNotReadToItsEnd(t *testing.T) {
	s := newService(t)
	body := &endless{}
	r := httptest.NewRequest("POST", "/Users", body)
	r.ContentLength = -1
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != 413 || body.read > 9<<20 {
		t.Errorf("status %d after %d bytes, want 413 after 8 MiB", w.Code, body.read)
	}
	r = httptest.NewRequest("POST", "/Users", strings.NewReader("{}"))
	r.ContentLength = 1 << 40
	w = httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != 413 {
		t.Errorf("a length of 1 TiB is answered with %d, want 413", w.Code)
	}
}

func TestSlowClientsAreCutOff(t *testing.T) {
	s := newService(t, func(o *server.Options) { o.Limits.Timeout = 50 * time.Millisecond })
	backend := httptest.NewServer(s)
	defer backend.Close()
	conn, err := net.Dial("tcp", backend.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "POST /Users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusRequestTimeout {
		t.Errorf("status %d, want 408", response.StatusCode)
	}
	s.get("/Users").wantIDs()
}

func TestBodiesThatNobodyReadsHoldNoConnection(t *testing.T) {
	s := newService(t, func(o *server.Options) {
		o.Limits.Timeout = 50 * time.Millisecond
		o.Authenticator = server.BearerTokens("secret")
	})
	backend := httptest.NewServer(s)
	defer backend.Close()
	for _, tt := range []struct {
		name, head string
		status     int
	}{
		{"no token", "POST /Users HTTP/1.1\r\nContent-Length: 100\r\n", 401},
		{"no token and no length", "POST /Users HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", 401},
		{"no endpoint", "POST /Nothing HTTP/1.1\r\nAuthorization: Bearer secret\r\nContent-Length: 100\r\n", 404},
		{"no such method", "PUT /Users HTTP/1.1\r\nAuthorization: Bearer secret\r\nContent-Length: 100\r\n", 405},
		{"no such type", "POST /Users HTTP/1.1\r\nAuthorization: Bearer secret\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n", 415},
		{"a body for GET", "GET /Users HTTP/1.1\r\nAuthorization: Bearer secret\r\nContent-Length: 100\r\n", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", backend.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			_, _ = io.WriteString(conn, tt.head+"Host: x\r\n\r\n")
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("no answer: %v", err)
			}
			_ = response.Body.Close()
			if response.StatusCode != tt.status {
				t.Errorf("status %d, want %d", response.StatusCode, tt.status)
			}
			if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Errorf("the connection stays open: %v", err)
			}
		})
	}
}

func TestClientsThatDoNotReadAreCutOff(t *testing.T) {
	store := memory.New()
	patient := newServiceOn(t, store)
	for n := range 4 { // more than what fits between the two ends of a connection
		patient.create("/Users", fmt.Sprintf(`{"userName":"u%d","title":%q}`, n, strings.Repeat("x", 4<<20)))
	}
	s := newServiceOn(t, store, func(o *server.Options) { o.Limits.Timeout = time.Second })
	done := make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		s.ServeHTTP(w, r)
	}))
	defer backend.Close()
	conn, err := net.Dial("tcp", backend.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "GET /Users HTTP/1.1\r\nHost: x\r\n\r\n")
	<-done // or the test times out
	if n, _ := io.Copy(io.Discard, conn); n >= 16<<20 {
		t.Errorf("%d bytes could be read, want a part of the response", n)
	}
}

func TestLargeBodiesAreReadAndRefusedOverConnections(t *testing.T) {
	s := newService(t)
	backend := httptest.NewServer(s)
	defer backend.Close()
	for range 2 {
		response, err := http.Post(backend.URL+"/Users", scim.ContentType, io.LimitReader(&endless{}, 100<<20))
		if err == nil { // the client may see the end of the connection before the answer
			_ = response.Body.Close()
			if response.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("100 MiB are answered with %d", response.StatusCode)
			}
		}
	}
	response, err := http.Get(backend.URL + "/Users")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || response.StatusCode != 200 || !strings.Contains(string(body), `"totalResults":0`) {
		t.Errorf("afterwards: %d %s, %v", response.StatusCode, body, err)
	}
}

// A client that sends all of its request before it looks for an answer learns what was wrong with it.
func TestClientsThatSendAllOfALargeBodyGetTheAnswer(t *testing.T) {
	backend := httptest.NewServer(newService(t))
	defer backend.Close()
	const length = 64 << 20 // more than what fits between the two ends of a connection
	for _, path := range []string{"/Users", "/Users/.search", "/Bulk"} {
		conn, err := net.Dial("tcp", backend.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, length)
		if _, err := io.CopyN(conn, &endless{}, length); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if response.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: status %d, want 413", path, response.StatusCode)
		}
		_ = response.Body.Close()
		_ = conn.Close()
	}
}

// A client that asks first is told before it has sent anything.
func TestClientsThatAskFirstDoNotSendALargeBody(t *testing.T) {
	backend := httptest.NewServer(newService(t))
	defer backend.Close()
	conn, err := net.Dial("tcp", backend.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "POST /Users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 67108864\r\nExpect: 100-continue\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d, want 413 and no 100", response.StatusCode)
	}
}

// slowStore takes until the request is over.
type slowStore struct{ server.Store }

func (s slowStore) Get(ctx context.Context, _ server.Key, _ ...string) (server.Resource, error) {
	<-ctx.Done()
	return server.Resource{}, fmt.Errorf("driver gave up: %s", ctx.Err())
}

func TestSlowStoresAreTimedOut(t *testing.T) {
	s := newServiceOn(t, slowStore{memory.New()}, func(o *server.Options) { o.Limits.Timeout = time.Millisecond })
	s.get("/Users/1").wantError(503, "").wantHeader("Retry-After", "1")
}

func TestRequestIDs(t *testing.T) {
	var log strings.Builder
	s := newService(t, withLog(&log), func(o *server.Options) {
		o.Authenticator = server.AuthenticatorFunc(func(*http.Request) (server.Identity, error) {
			return server.Identity{Tenant: "acme", Name: "entra"}, nil
		})
	})
	s.get("/Users?filter="+escape(`userName eq "private"`), "X-Request-Id", "given-1").wantHeader("X-Request-Id", "given-1")
	line := log.String()
	for _, want := range []string{"request=given-1", "method=GET", "path=/Users", "status=200", "tenant=acme", "name=entra"} {
		if !strings.Contains(line, want) {
			t.Errorf("%q is not in the log line %s", want, line)
		}
	}
	if strings.Contains(line, "private") {
		t.Errorf("the filter is in the log line %s", line)
	}
	seen := map[string]bool{}
	for _, id := range []string{"", "a b", "x\ny", strings.Repeat("x", 200), ""} {
		got := s.get("/Users", "X-Request-Id", id).Header.Get("X-Request-Id")
		if got == "" || got == id || seen[got] {
			t.Errorf("X-Request-Id %q is answered with %q", id, got)
		}
		seen[got] = true
	}
}

func TestHooks(t *testing.T) {
	var calls []string
	s := newService(t, func(o *server.Options) {
		o.PatchReply = server.PatchReplyBody
		o.Hooks = server.Hooks{
			BeforeCreate: func(ctx context.Context, c *server.Change) error {
				info, ok := server.Info(ctx)
				if !ok || info.BaseURL != "https://example.com/scim/v2" || info.Request.Method != "POST" {
					t.Errorf("info %+v", info)
				}
				if c.New["userName"] == "refused" {
					return scim.NewError(403, "", "not this one")
				}
				c.New["displayName"] = "enriched"
				return nil
			},
			BeforeUpdate: func(_ context.Context, c *server.Change) error {
				calls = append(calls, fmt.Sprintf("before %s %v -> %v %v %d", c.Kind, c.Old["title"], c.New["title"], c.Partial, len(c.Operations)))
				if c.New["title"] == "refused" {
					return errors.New("internal matter")
				}
				if name, ok := c.New["name"].(map[string]any); ok {
					name["formatted"] = "by hook"
				}
				return nil
			},
			BeforePatch: func(_ context.Context, p *server.Patch) error {
				for i := range p.Operations {
					if p.Operations[i].Path == "nickname_" {
						p.Operations[i].Path = "nickName"
					}
				}
				return nil
			},
			BeforeDelete: func(_ context.Context, c *server.Change) error {
				return scim.NewError(501, "", "nobody is deleted: "+c.Old["userName"].(string))
			},
			After: func(_ context.Context, c server.Change) {
				calls = append(calls, fmt.Sprintf("after %s %s", c.Kind, c.ID))
			},
			OnRead: func(_ context.Context, key server.Key, doc scim.Document) (scim.Document, error) {
				doc["userType"] = key.Type
				doc["password"] = "leaked?"
				return doc, nil
			},
			OnError: func(_ context.Context, err error, answer *scim.Error) *scim.Error {
				if answer.Status == 404 {
					return scim.NewError(410, "", "gone: "+err.Error())
				}
				return nil
			},
		}
	})
	s.send("POST", "/Users", `{"userName":"a","name":{"givenName":"A"}}`).want(201).
		wantAt("displayName", "enriched").wantAt("userType", "User").wantAt("password", nil)
	s.send("POST", "/Users", `{"userName":"refused"}`).wantError(403, "").wantAt("detail", "not this one")
	s.patch("/Users/1", `{"op":"replace","path":"title","value":"T"}`).want(200).wantAt("name/formatted", "by hook")
	s.patch("/Users/1", `{"op":"replace","path":"title","value":"T"}`).want(200)
	s.patch("/Users/1", `{"op":"replace","path":"title","value":"refused"}`).wantError(500, "")
	s.patch("/Users/1", `{"op":"replace","path":"nickname_","value":"N"}`).want(200).wantAt("nickName", "N")
	s.send("PUT", "/Users/1", `{"userName":"a"}`).want(200)
	s.send("DELETE", "/Users/1", "").wantError(501, "").wantAt("detail", "nobody is deleted: a")
	s.get("/Users/404").wantError(410, "")
	s.get("/Users/1?attributes=userType").wantAt("userType", "User")
	want := []string{
		"after created 1", "before patched <nil> -> T false 1", "after patched 1", "before patched T -> T false 1",
		"before patched T -> refused false 1", "before patched T -> T false 1", "after patched 1",
		"before replaced T -> <nil> false 0", "after replaced 1",
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestHooksCannotTakeAwayWhatEveryResourceHas(t *testing.T) {
	onBothStores(t, func(t *testing.T, open func(...func(*server.Options)) *service) {
		var log strings.Builder
		replace := func(_ context.Context, c *server.Change) error {
			switch c.New["externalId"] {
			case "nothing":
				c.New = nil
			case "another":
				c.New = scim.Document{"userName": "another", "displayName": "another", "externalId": "another"}
			case "less":
				delete(c.New, "id")
				delete(c.New, "meta")
				delete(c.New, "schemas")
			case "stranger":
				if c.Kind != server.Created {
					c.New["id"] = "stranger"
				}
			}
			return nil
		}
		s := open(withLog(&log), func(o *server.Options) { o.Hooks.BeforeCreate, o.Hooks.BeforeUpdate = replace, replace })
		for _, path := range []string{"/Users", "/Groups"} {
			s.send("POST", path, `{"userName":"x","displayName":"x","externalId":"nothing"}`).wantError(500, "")
			s.get(path).wantIDs()
			for _, kind := range []string{"another", "less", "stranger"} {
				r := s.send("POST", path, fmt.Sprintf(`{"userName":%q,"displayName":"x","externalId":%q}`, kind, kind)).want(201)
				id, _ := r.at("id").(string)
				for _, r := range []response{
					r, s.get(path + "/" + id).want(200),
					s.send("PUT", path+"/"+id, fmt.Sprintf(`{"userName":%q,"displayName":"y","externalId":%q}`, kind, kind)).want(200),
					s.send("PATCH", path+"/"+id+"?attributes=id,schemas,meta", operations(`{"op":"add","path":"displayName","value":"z"}`)).want(200),
					s.get(path + "/" + id).want(200),
				} {
					r.wantAt("id", id).wantAt("meta/created", created).wantAt("meta/location", "https://example.com/scim/v2"+path+"/"+id)
					if list, _ := r.at("schemas").([]any); len(list) != 1 {
						t.Errorf("%s: schemas %v", r.what, list)
					}
				}
				s.patch(path+"/"+id, `{"op":"add","path":"externalId","value":"nothing"}`).wantError(500, "")
				s.get(path+"/"+id).want(200).wantAt("externalId", kind)
			}
		}
		if !strings.Contains(log.String(), "taken the document away") {
			t.Errorf("the log does not say why:\n%s", log.String())
		}
	})
}
