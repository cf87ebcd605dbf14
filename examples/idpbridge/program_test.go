package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
)

// childVariable makes the test binary run the program instead of the tests, so that it can be killed.
const childVariable = "SCIMBRIDGE_TEST_RUN_IDPBRIDGE"

const token = "the-token-of-the-identity-provider"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Args[0] = "idpbridge"
		main()
	}
	os.Exit(m.Run())
}

// team is a simulated Postman team without rate limits, which tells when it was asked something.
type team struct {
	*postmantest.Simulator
	url, folder string

	mu       sync.Mutex
	asked    chan struct{} // closed with the next request
	requests int
	down     bool
}

func newTeam(t *testing.T) *team {
	t.Helper()
	simulator, err := postmantest.New(postmantest.Options{RateLimits: []profiles.RateLimit{}})
	if err != nil {
		t.Fatal(err)
	}
	p := &team{Simulator: simulator, folder: t.TempDir(), asked: make(chan struct{})}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		down := p.down
		p.mu.Unlock()
		if down {
			w.WriteHeader(http.StatusServiceUnavailable)
		} else {
			simulator.ServeHTTP(w, r)
		}
		p.mu.Lock()
		p.requests++
		close(p.asked)
		p.asked = make(chan struct{})
		p.mu.Unlock()
	}))
	t.Cleanup(s.Close)
	p.url = s.URL + postmantest.BasePath + "/"
	unlimited := postman.Profile()
	unlimited.RateLimits, unlimited.Facts = nil, nil
	data, err := unlimited.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.path("profile.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *team) path(name string) string { return filepath.Join(p.folder, name) }

// setDown makes all requests be answered with 503, or as usual again.
func (p *team) setDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// next returns a channel that is closed with the next request.
func (p *team) next() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// count returns how many requests there were.
func (p *team) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

// until waits, from request to request, until the team is as it should be.
func (p *team) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	hung := time.After(2 * time.Minute) // no test waits so long but one that fails
	for {
		next := p.next()
		if is() {
			return
		}
		select {
		case <-next:
		case <-hung:
			journal := p.Journal()
			t.Fatalf("%s: it has not come to that. %d users, groups %+v, %d requests, the last ones:\n%s", what, len(p.Users()), p.Groups(),
				len(journal), journal[max(0, len(journal)-20):])
		}
	}
}

// user returns the user with an e-mail address, or nil. One who is there twice fails the test.
func (p *team) user(t *testing.T, email string) *scim.User {
	t.Helper()
	var found *scim.User
	for _, u := range p.Users() {
		if !strings.EqualFold(u.UserName, email) {
			continue
		}
		if found != nil {
			t.Errorf("%s is in Postman twice", email)
		}
		found = &u
	}
	return found
}

func (p *team) active(t *testing.T, email string) bool {
	t.Helper()
	u := p.user(t, email)
	return u != nil && *u.Active
}

// members returns the e-mail addresses of the members of a group.
func (p *team) members(t *testing.T, name string) string {
	t.Helper()
	emails := map[string]string{}
	for _, u := range p.Users() {
		emails[u.ID] = u.UserName
	}
	var list []string
	for _, g := range p.Groups() {
		if g.DisplayName != name {
			continue
		}
		for _, m := range g.Members {
			list = append(list, emails[m.Value])
		}
	}
	return strings.Join(list, " ")
}

// args are the command line of a bridge into the team, with its files in the team's folder unless another store is named.
func (p *team) args(more ...string) []string {
	args := []string{
		"-addr", "127.0.0.1:0", "-tenant-url", p.url, "-token-env", "SCIMBRIDGE_TEST_KEY", "-profile", p.path("profile.json"),
		"-settle", "10ms",
	}
	if !slices.Contains(more, "-store") {
		args = append(args, "-dsn", p.path("scim.db"), "-state", p.path("state.db"))
	}
	return append(args, more...)
}

var environment = map[string]string{"SCIM_TOKEN": token, "SCIMBRIDGE_TEST_KEY": postmantest.DefaultKey}

// wrongKey is an environment with a key that Postman does not know.
func wrongKey(name string) string {
	if name == "SCIMBRIDGE_TEST_KEY" {
		return "a-wrong-key"
	}
	return environment[name]
}

// program is a run of the program, in this process or in one of its own.
type program struct {
	t      *testing.T
	url    string
	lines  chan string // of standard output
	stop   func()
	kill   func()
	ended  chan int
	rest   string // of standard output, once the program has ended
	stderr syncBuffer
}

// syncBuffer may be read while it is written.
type syncBuffer struct {
	mu      sync.Mutex
	b       bytes.Buffer
	written chan struct{} // closed with the next write
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.written != nil {
		close(s.written)
		s.written = nil
	}
	return s.b.Write(p)
}

// until waits, from write to write, until a text has been written.
func (s *syncBuffer) until(text string) {
	for {
		s.mu.Lock()
		if strings.Contains(s.b.String(), text) {
			s.mu.Unlock()
			return
		}
		if s.written == nil {
			s.written = make(chan struct{})
		}
		next := s.written
		s.mu.Unlock()
		<-next
	}
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// start runs the program in this process, and waits until it listens.
func start(t *testing.T, w world, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, out := io.Pipe()
	p := &program{t: t, lines: readLines(r), stop: cancel, ended: make(chan int, 1)}
	w.stdout, w.stderr = out, &p.stderr
	if w.getenv == nil {
		w.getenv = func(name string) string { return environment[name] }
	}
	go func() {
		p.ended <- run(ctx, w, args)
		_ = out.Close()
	}()
	p.listening()
	return p
}

// startProcess runs the program as a process of its own, which can be killed.
func startProcess(t *testing.T, args ...string) *program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self, args...)
	child.Env = append(os.Environ(), childVariable+"=1")
	for name, value := range environment {
		child.Env = append(child.Env, name+"="+value)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, ended: make(chan int, 1)}
	child.Stderr = &p.stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	p.lines = readLines(out)
	p.stop = func() { _ = child.Process.Signal(syscall.SIGTERM) }
	p.kill = func() { _ = child.Process.Kill() }
	p.listening()
	go func() {
		for line := range p.lines {
			p.rest += line + "\n"
		}
		_ = child.Wait()
		p.ended <- child.ProcessState.ExitCode()
	}()
	return p
}

// readLines reads to the end, so that the program never waits for who reads it.
func readLines(r io.Reader) chan string {
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(r); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	return lines
}

func (p *program) listening() {
	p.t.Helper()
	line, ok := <-p.lines
	if !ok {
		p.t.Fatalf("the program has ended: %s", p.stderr.String())
	}
	p.url = strings.TrimPrefix(line, "SCIM service on ")
}

// end stops the program, and returns what it wrote since it listens.
func (p *program) end(status int) string {
	p.t.Helper()
	p.stop()
	got := <-p.ended
	for line := range p.lines {
		p.rest += line + "\n"
	}
	if got != status {
		p.t.Errorf("exit status %d, want %d: %s", got, status, p.stderr.String())
	}
	for _, secret := range []string{token, postmantest.DefaultKey} {
		if strings.Contains(p.rest+p.stderr.String(), secret) {
			p.t.Errorf("%q is in the output", secret)
		}
	}
	return p.rest
}

// send sends a request of the identity provider, and returns the id in the answer. The error is that there was no good answer.
func (p *program) send(method, path, body string) (string, error) {
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", scim.ContentType)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode >= 300 {
		return "", fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, data)
	}
	if len(data) == 0 {
		return "", nil
	}
	doc, err := scim.DecodeDocument(data)
	return doc.ID(), err
}

func (p *program) must(method, path, body string) string {
	p.t.Helper()
	id, err := p.send(method, path, body)
	if err != nil {
		p.t.Fatalf("%v\n%s", err, p.stderr.String())
	}
	return id
}

// The bodies are those that Entra sends.

func userBody(email string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],`+
		`"externalId":%[1]q,"userName":%[1]q,"active":true,"displayName":"D","emails":[{"primary":true,"type":"work","value":%[1]q}],`+
		`"meta":{"resourceType":"User"},"name":{"formatted":"Given Family","familyName":"Family","givenName":"Given"},"roles":[]}`, email)
}

func groupBody(name string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],`+
		`"externalId":%[1]q,"displayName":%[1]q,"meta":{"resourceType":"Group"}}`, name)
}

func patchBody(op, path, value string) string {
	if value != "" {
		value = `,"value":` + value
	}
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":%q,"path":%q%s}]}`, op, path, value)
}

func member(id string) string { return fmt.Sprintf(`[{"$ref":null,"value":%q}]`, id) }
