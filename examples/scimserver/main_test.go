package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scimbridge/scim/internal/postgrestest"
	"github.com/scimbridge/scim/server/idptest"
	"github.com/scimbridge/scim/server/memory"
)

// program is a run of the program.
type program struct {
	t      *testing.T
	url    string
	lines  *bufio.Scanner
	stop   context.CancelFunc
	status chan int
	stderr bytes.Buffer // may be read when status has been received
}

// start runs the program on a free port and waits until it listens. Resources are kept in memory unless args say otherwise.
func start(t *testing.T, tokens string, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	p := &program{t: t, lines: bufio.NewScanner(r), stop: cancel, status: make(chan int, 1)}
	go func() {
		p.status <- run(ctx, append([]string{"-addr", "127.0.0.1:0", "-store", "memory"}, args...), tokens, w, &p.stderr)
		_ = w.Close()
	}()
	p.url = strings.TrimPrefix(p.line(), "SCIM service on ")
	return p
}

// line returns the next line of the program's output.
func (p *program) line() string {
	p.t.Helper()
	if !p.lines.Scan() {
		p.t.Fatalf("the program has ended with status %d: %s", <-p.status, p.stderr.String())
	}
	return p.lines.Text()
}

// end stops the program and returns the rest of its output.
func (p *program) end(status int) string {
	p.t.Helper()
	p.stop()
	var rest strings.Builder
	for p.lines.Scan() {
		rest.WriteString(p.lines.Text() + "\n")
	}
	if got := <-p.status; got != status {
		p.t.Errorf("exit status %d, want %d: %s", got, status, p.stderr.String())
	}
	return rest.String()
}

// get sends a request and returns its status and body.
func (p *program) get(path, token string) (int, []byte) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, body
}

func TestMakesATokenWhenThereIsNone(t *testing.T) {
	p := start(t, "")
	token, ok := strings.CutPrefix(p.line(), "Bearer token, shown only here: ")
	if !ok || len(token) < 26 {
		t.Fatalf("the token is %q", token)
	}
	if status, _ := p.get("/Users", token); status != http.StatusOK {
		t.Errorf("with the token: status %d", status)
	}
	for _, wrong := range []string{"", "x"} {
		if status, _ := p.get("/Users", wrong); status != http.StatusUnauthorized {
			t.Errorf("with the token %q: status %d", wrong, status)
		}
	}
	if rest := p.end(exitStopped); strings.Contains(rest, token) {
		t.Errorf("the token is shown again: %s", rest)
	}
}

func TestTakesTokensFromTheEnvironment(t *testing.T) {
	p := start(t, "new old", "-v", "-store", "memory")
	for _, token := range []string{"new", "old"} {
		if status, _ := p.get("/Users", token); status != http.StatusOK {
			t.Errorf("with the token %q: status %d", token, status)
		}
	}
	if status, _ := p.get("/Users", "new old"); status != http.StatusUnauthorized {
		t.Errorf("with both tokens as one: status %d", status)
	}
	p.get(`/Users?filter=userName+eq+%22secret%22`, "new")
	rest := p.end(exitStopped)
	if strings.Contains(rest, "Bearer") {
		t.Errorf("a token that is known is shown: %s", rest)
	}
	log := p.stderr.String()
	if !strings.Contains(log, "path=/scim/v2/Users") || strings.Contains(log, "secret") || strings.Contains(log, "new old") {
		t.Errorf("log:\n%s", log)
	}
}

func TestServesUsersAndGroupsBelowItsPath(t *testing.T) {
	p := start(t, "t")
	status, body := p.get("/ResourceTypes", "t")
	var types struct {
		Resources []struct {
			Endpoint         string `json:"endpoint"`
			SchemaExtensions []any  `json:"schemaExtensions"`
			Meta             struct {
				Location string `json:"location"`
			} `json:"meta"`
		}
	}
	if err := json.Unmarshal(body, &types); err != nil || status != http.StatusOK || len(types.Resources) != 2 {
		t.Fatalf("status %d, error %v: %s", status, err, body)
	}
	user, group := types.Resources[0], types.Resources[1]
	if user.Endpoint != "/Users" || len(user.SchemaExtensions) != 1 || group.Endpoint != "/Groups" {
		t.Errorf("resource types: %s", body)
	}
	if want := p.url + "/ResourceTypes/User"; user.Meta.Location != want {
		t.Errorf("location %q, want %q", user.Meta.Location, want)
	}
	if status, body := p.get("", "t"); status != http.StatusOK || !bytes.Contains(body, []byte("ListResponse")) {
		t.Errorf("query of the root: status %d: %s", status, body)
	}
	p.url = strings.TrimSuffix(p.url, basePath)
	if status, _ := p.get("/Users", "t"); status != http.StatusNotFound {
		t.Errorf("outside of %s: status %d", basePath, status)
	}
	p.end(exitStopped)
}

func TestServesIdentityProviders(t *testing.T) {
	o, err := parseOptions([]string{"-store", "memory"}, "t", io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := newHandler(o, memory.New(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	idptest.All(t, idptest.Target{Handler: handler, BasePath: basePath, Token: "t"})
}

// Clients that insist on a body, and on members whose users come later, can be tried out.
func TestIsLenientWithGroups(t *testing.T) {
	p := start(t, "t")
	status, body := p.send(http.MethodPost, "/Groups", "t", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g"}`)
	var group struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(body, &group); err != nil || status != http.StatusCreated {
		t.Fatalf("create: status %d, error %v: %s", status, err, body)
	}
	const patch = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[%s]}`
	for _, operation := range []string{
		`{"op":"add","path":"members","value":[{"value":"later"}]}`,
		`{"op":"replace","path":"displayName","value":"h"}`,
	} {
		status, body := p.send(http.MethodPatch, "/Groups/"+group.ID, "t", fmt.Sprintf(patch, operation))
		if status != http.StatusOK || !bytes.Contains(body, []byte(`"later"`)) {
			t.Errorf("%s: status %d: %s", operation, status, body)
		}
	}
	if status, _ := p.send(http.MethodPatch, "/Groups/"+group.ID, "t", fmt.Sprintf(patch, `{"op":"remove","path":"members"}`)); status != http.StatusOK {
		t.Errorf("remove: status %d", status)
	}
	p.end(exitStopped)
}

func TestShowsTheURLThatClientsSee(t *testing.T) {
	p := start(t, "t", "-base-url", "https://example.com/directory")
	if _, body := p.get("/ServiceProviderConfig", "t"); !bytes.Contains(body, []byte(`"https://example.com/directory/ServiceProviderConfig"`)) {
		t.Errorf("body %s", body)
	}
	p.end(exitStopped)
}

// A request whose body is on its way when the signal comes is answered.
func TestStopsGracefully(t *testing.T) {
	p := start(t, "t")
	r, w := io.Pipe()
	reading := make(chan struct{})
	ctx := httptrace.WithClientTrace(context.WithoutCancel(t.Context()), &httptrace.ClientTrace{Got100Continue: func() { close(reading) }})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/Users", r)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer t")
	request.Header.Set("Content-Type", "application/scim+json")
	request.Header.Set("Expect", "100-continue") // which the service sends when it begins to read the body
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	defer client.CloseIdleConnections()
	answered := make(chan int, 1)
	go func() {
		response, err := client.Do(request)
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		_ = response.Body.Close()
		answered <- response.StatusCode
	}()
	<-reading
	if _, err := io.WriteString(w, `{"userName":`); err != nil {
		t.Fatal(err)
	}
	p.stop()
	if line := p.line(); !strings.HasPrefix(line, "Stopping") {
		t.Errorf("output %q", line)
	}
	if _, err := io.WriteString(w, `"a"}`); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	if status := <-answered; status != http.StatusCreated {
		t.Errorf("the request under way got status %d", status)
	}
	p.end(exitStopped)
}

func TestCutsOffWhatDoesNotEnd(t *testing.T) {
	p := start(t, "t", "-grace", "1ns")
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimSuffix(strings.TrimPrefix(p.url, "http://"), basePath))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const head = "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"
	if _, err := io.WriteString(conn, head); err != nil {
		t.Fatal(err)
	}
	// The interim answer says that the server waits for the body.
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("answer %q, error %v", line, err)
	}
	p.end(exitFailed)
	if !strings.Contains(p.stderr.String(), "cut off") {
		t.Errorf("standard error %q", p.stderr.String())
	}
}

func TestServesTLS(t *testing.T) {
	cert, key, pool := certificate(t)
	p := start(t, "t", "-tls-cert", cert, "-tls-key", key)
	defer p.end(exitStopped)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/ServiceProviderConfig", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer t")
	response, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || !bytes.Contains(body, []byte(`"`+p.url+"/ServiceProviderConfig")) || !strings.HasPrefix(p.url, "https://") {
		t.Errorf("error %v, body %s", err, body)
	}
}

// certificate makes a certificate for 127.0.0.1, in files.
func certificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	certFile, keyFile = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for file, data := range map[string][]byte{certFile: text, keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return certFile, keyFile, pool
}

func TestCommandLine(t *testing.T) {
	tests := []struct {
		name   string
		args   []string
		status int
		says   string
	}{
		{"help", []string{"-h"}, exitStopped, "SCIM_TOKEN=... scimserver"},
		{"unknown flag", []string{"-x"}, exitUsage, "-x"},
		{"an argument", []string{"serve"}, exitUsage, `"serve"`},
		{"unknown store", []string{"-store", "oracle"}, exitUsage, "memory and postgres and sqlite"},
		{"file for memory", []string{"-store", "memory", "-dsn", "x"}, exitFailed, "-dsn"},
		{"malformed connection string", []string{"-store", "postgres", "-dsn", "port=many"}, exitFailed, "percent-encoded"},
		{"file that cannot be", []string{"-dsn", filepath.Join(t.TempDir(), "no", "x")}, exitFailed, "no such file"},
		{"certificate without key", []string{"-tls-cert", "a"}, exitUsage, "go together"},
		{"negative grace", []string{"-grace", "-1s"}, exitUsage, "-grace"},
		{"relative base URL", []string{"-base-url", "/scim"}, exitFailed, "BaseURL"},
		{"address that is none", []string{"-addr", "127.0.0.1:99999"}, exitFailed, "99999"},
		{"certificate that is not there", []string{
			"-addr", "127.0.0.1:0", "-tls-cert", filepath.Join(t.TempDir(), "c"), "-tls-key", filepath.Join(t.TempDir(), "k"),
		}, exitFailed, "no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir()) // scim.db is made here
			var stdout, stderr bytes.Buffer
			status := run(t.Context(), tt.args, "t", &stdout, &stderr)
			said := stderr.String()
			if status == exitStopped {
				said = stdout.String()
			}
			if status != tt.status || !strings.Contains(said, tt.says) {
				t.Errorf("status %d, want %d; said %q, want it to contain %q", status, tt.status, said, tt.says)
			}
		})
	}
}

func TestKeepsResourcesInPostgreSQL(t *testing.T) {
	dsn := postgrestest.Schema(t)
	one, other := start(t, "t", "-store", "postgres", "-dsn", dsn), start(t, "t", "-store", "postgres", "-dsn", dsn)
	if status := one.post("/Users", "t", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"zoe"}`); status != http.StatusCreated {
		t.Errorf("create: status %d", status)
	}
	if status, body := other.get("/Users?filter=userName+eq+%22zoe%22", "t"); status != http.StatusOK || !bytes.Contains(body, []byte(`"zoe"`)) {
		t.Errorf("the other program: status %d: %s", status, body)
	}
	one.end(exitStopped)
	other.end(exitStopped)
}

// What one run of the program has stored the next one has, by default in a file of the working directory.
func TestKeepsResourcesInAFile(t *testing.T) {
	t.Chdir(t.TempDir())
	for run, args := range [][]string{{"-store", "sqlite"}, {"-store", "sqlite", "-dsn", "scim.db"}} {
		p := start(t, "t", args...)
		if status, body := p.get("/Users?filter=userName+eq+%22zoe%22", "t"); status != http.StatusOK || bytes.Contains(body, []byte(`"zoe"`)) != (run == 1) {
			t.Errorf("run %d: status %d: %s", run, status, body)
		}
		if run == 0 {
			response := p.post("/Users", "t", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"zoe"}`)
			if response != http.StatusCreated {
				t.Errorf("create: status %d", response)
			}
		}
		p.end(exitStopped)
	}
	if _, err := os.Stat("scim.db"); err != nil {
		t.Error(err)
	}
}

// post sends a body and returns the status.
func (p *program) post(path, token, body string) int {
	p.t.Helper()
	status, _ := p.send(http.MethodPost, path, token, body)
	return status
}

// send sends a body and returns the status and the body of the response.
func (p *program) send(method, path, token, body string) (int, []byte) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/scim+json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, answer
}
