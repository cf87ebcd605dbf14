package client_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles"
)

// certificate returns a certificate for a client, signed by itself.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "provisioner"}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestTLS(t *testing.T) {
	own, clients := certificate(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, scim.Document{"id": "1", "userName": r.TLS.PeerCertificates[0].Subject.CommonName})
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	server.StartTLS()
	defer server.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())

	config := &tls.Config{RootCAs: trusted, Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS10}
	c, err := client.New(server.URL, client.WithTLS(config))
	if err != nil {
		t.Fatal(err)
	}
	user, err := c.Users().Get(t.Context(), "1")
	if err != nil || user.UserName != "provisioner" {
		t.Errorf("%v, error %v", user, err)
	}
	if config.MinVersion != tls.VersionTLS10 {
		t.Error("the configuration given was changed")
	}
	c.CloseIdleConnections()

	stranger, err := client.New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, err = stranger.Users().Get(t.Context(), "1")
	refused, _ := errors.AsType[*scim.Error](err)
	if refused == nil || refused.Attempts != 1 || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody trusts: %v", err)
	}
}

// A configuration that is not used, such as a private certificate authority, must not be thought to protect.
func TestTLSWithATransportThatHasItsOwn(t *testing.T) {
	own := &http.Transport{}
	for name, option := range map[string]client.Option{
		"transport": client.WithTransport(own), "HTTP client": client.WithHTTPClient(&http.Client{Transport: own}),
	} {
		if _, err := client.New("https://service.example/", client.WithTLS(&tls.Config{}), option); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := client.New("https://service.example/", client.WithTLS(&tls.Config{}), client.WithHTTPClient(&http.Client{})); err != nil {
		t.Errorf("HTTP client without a transport: %v", err)
	}
}

func TestAnswersOfAnySizeMayBeAllowed(t *testing.T) {
	c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
		return response(http.StatusOK, `{"id":"1"}`), nil
	}), client.WithMaxResponse(math.MaxInt64))
	if user, err := c.Users().Get(t.Context(), "1"); err != nil || user.ID != "1" {
		t.Errorf("%v, %v", user, err)
	}
}

func TestWithHTTPClient(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		cookie, _ := r.Cookie("session")
		doc := scim.Document{"id": "1"}
		if cookie != nil {
			doc["userName"] = cookie.Value
		}
		answer(w, http.StatusOK, doc)
	}))
	defer server.Close()
	jar, _ := cookiejar.New(nil)
	h := &http.Client{Jar: jar, Transport: server.Client().Transport}
	c, err := client.New(server.URL, client.WithHTTPClient(h), client.WithBearerToken(secret))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"", "1"} {
		user, err := c.Users().Get(t.Context(), "1")
		if err != nil || user.UserName != want {
			t.Errorf("%v, error %v", user, err)
		}
	}
	if h.CheckRedirect != nil || h.Transport != server.Client().Transport {
		t.Error("the HTTP client given was changed")
	}
}

func TestConditionsAndProjections(t *testing.T) {
	var got []string
	current := `W/"2"`
	c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
		got = append(got, strings.TrimSpace(r.Method+" "+r.URL.RawQuery+" "+r.Header.Get("If-Match")+r.Header.Get("If-None-Match")))
		switch {
		case r.Header.Get("If-None-Match") == current:
			return response(http.StatusNotModified, ""), nil
		case r.Header.Get("If-Match") != "" && r.Header.Get("If-Match") != current:
			return response(http.StatusPreconditionFailed, `{"detail":"changed"}`), nil
		}
		return response(http.StatusOK, `{"id":"1","meta":{"version":"W/\"2\""}}`), nil
	}), client.WithProfile(profiles.Generic()))
	users := c.Users()
	patch := []scim.PatchOperation{{Op: scim.OpReplace, Path: "active", Value: false}}
	user, err := users.Get(t.Context(), "1", client.Attributes("userName", "emails"), client.ExcludedAttributes("groups"))
	if err != nil || user.Meta.Version != current {
		t.Errorf("%v, error %v", user, err)
	}
	if _, err := users.Get(t.Context(), "1", client.IfNoneMatch(current)); !errors.Is(err, client.ErrNotModified) {
		t.Errorf("unchanged: %v", err)
	}
	if _, err := users.Patch(t.Context(), "1", patch, client.IfMatch(current)); err != nil {
		t.Errorf("current version: %v", err)
	}
	if _, err := users.Patch(t.Context(), "1", patch, client.IfMatch(`W/"1"`)); !errors.Is(err, scim.ErrPrecondition) {
		t.Errorf("old version: %v", err)
	}
	if _, err := users.Replace(t.Context(), "1", user, client.IfMatch(`W/"1"`)); !errors.Is(err, scim.ErrPrecondition) {
		t.Errorf("old version: %v", err)
	}
	if err := users.Delete(t.Context(), "1", client.IfMatch(`W/"1"`)); !errors.Is(err, scim.ErrPrecondition) {
		t.Errorf("old version: %v", err)
	}
	want := []string{
		"GET attributes=userName%2Cemails&excludedAttributes=groups", `GET  W/"2"`, `PATCH  W/"2"`, `PATCH  W/"1"`, `PUT  W/"1"`, `DELETE  W/"1"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// TestDependencies holds that a program which imports only the client gets neither a database driver nor a server with it.
func TestDependencies(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the go command is not there")
	}
	out, err := exec.Command(goTool, "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range strings.Fields(string(out)) {
		for _, unwanted := range []string{"sqlite", "modernc.org", "pgx", "database/sql", "scimbridge/scim/server", "scimbridge/scim/provision", "scimbridge/scim/mapping"} {
			if strings.Contains(pkg, unwanted) {
				t.Errorf("the client depends on %s", pkg)
			}
		}
	}
}
