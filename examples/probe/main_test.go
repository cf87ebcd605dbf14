package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

const (
	variable = "PROBE_TEST_TOKEN"
	token    = "a-token-that-nobody-may-see"
)

// ours starts a server of this module.
func ours(t *testing.T) string {
	t.Helper()
	h, err := server.New(memory.New(), server.Options{Authenticator: server.BearerTokens(token)})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// invoke runs the program, and fails the test when the token is in what it says.
func invoke(t *testing.T, args ...string) (status int, out, errs string) {
	t.Helper()
	t.Setenv(variable, token)
	var stdout, stderr bytes.Buffer
	status = run(t.Context(), args, &stdout, &stderr)
	if strings.Contains(stdout.String()+stderr.String(), token) {
		t.Error("the token is shown")
	}
	return status, stdout.String(), stderr.String()
}

func TestProfileOnStandardOutput(t *testing.T) {
	status, out, errs := invoke(t, "-tenant-url", ours(t), "-token-env", variable, "-name", "widgets", "-title", "Widgets")
	if status != exitDone {
		t.Fatalf("exit status %d: %s", status, errs)
	}
	p, err := profiles.Decode([]byte(out))
	if err != nil {
		t.Fatalf("standard output is no profile: %v\n%s", err, out)
	}
	if p.Name != "widgets" || p.Title != "Widgets" {
		t.Errorf("profile %s %q", p.Name, p.Title)
	}
	for _, want := range []string{
		"… filtering /Users by userName", "User at /Users: ", "can be filtered by id, externalId, userName", "The service does what it says",
	} {
		if !strings.Contains(errs, want) {
			t.Errorf("%q is not in\n%s", want, errs)
		}
	}
}

func TestProfileInFileAndComparison(t *testing.T) {
	srv := postmantest.NewServer(t, postmantest.Options{Key: token, RateLimits: []profiles.RateLimit{}})
	file := filepath.Join(t.TempDir(), "team.json")
	status, out, errs := invoke(t, "-tenant-url", srv.URL, "-token-env", variable, "-out", file, "-compare", "postman", "-quiet")
	if status != exitDone || errs != "" {
		t.Fatalf("exit status %d: %s", status, errs)
	}
	if _, err := profiles.Load(file); err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		"There is no /Schemas", "first what postman says, then what was found", `/resources/User/operations/delete: nothing, "delete"`,
		"The profile is in " + file,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if writes := srv.Journal().Writes(); len(writes) > 0 {
		t.Errorf("without leave, it wrote:\n%s", writes)
	}
}

func TestWritesWithLeave(t *testing.T) {
	srv := postmantest.NewServer(t, postmantest.Options{Key: token, RateLimits: []profiles.RateLimit{}})
	status, _, errs := invoke(t, "-tenant-url", srv.URL, "-token-env", variable, "-allow-writes", "-domain", "meridian.example", "-quiet")
	if status != exitDone {
		t.Fatalf("exit status %d: %s", status, errs)
	}
	users := srv.Users()
	if len(users) != 1 || *users[0].Active || !strings.HasSuffix(users[0].UserName, "@meridian.example") || len(srv.Groups()) != 0 {
		t.Errorf("users %+v, groups %+v: want the test user, deactivated, and no group", users, srv.Groups())
	}
	if !strings.Contains(errs, "left behind: User scimbridge-probe-") || !strings.Contains(errs, "was deactivated") {
		t.Errorf("what is left is not told:\n%s", errs)
	}
}

func TestRefusedToken(t *testing.T) {
	srv := postmantest.NewServer(t, postmantest.Options{Key: "another"})
	status, out, errs := invoke(t, "-tenant-url", srv.URL, "-token-env", variable)
	if status != exitFailed || out != "" || !strings.Contains(errs, "does not accept the credential") {
		t.Errorf("exit status %d: %q %q", status, out, errs)
	}
}

func TestUsage(t *testing.T) {
	if err := os.Unsetenv("PROBE_TEST_EMPTY"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, want string
		args       []string
	}{
		{"nothing", "-tenant-url is needed", nil},
		{"no token", "-token-env is needed", []string{"-tenant-url", "https://a.example"}},
		{"empty variable", "PROBE_TEST_EMPTY is empty", []string{"-tenant-url", "https://a.example", "-token-env", "PROBE_TEST_EMPTY"}},
		{"unknown flag", "-token", []string{"-token", "x"}},
		{"argument", `what is "x"?`, []string{"-tenant-url", "https://a.example", "-token-env", variable, "x"}},
		{"domain without writes", "-allow-writes", []string{"-tenant-url", "https://a.example", "-token-env", variable, "-domain", "b.example"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, errs := invoke(t, tt.args...)
			if status != exitUsage || out != "" || !strings.Contains(errs, tt.want) {
				t.Errorf("exit status %d: %q %q", status, out, errs)
			}
		})
	}
	status, _, errs := invoke(t, "-h")
	if status != exitDone || !strings.Contains(errs, "Exit status:") {
		t.Errorf("-h: exit status %d: %s", status, errs)
	}
	if status, _, errs := invoke(t, "-tenant-url", "http://a.example", "-token-env", variable); status != exitFailed || !strings.Contains(errs, "https") {
		t.Errorf("http: exit status %d: %s", status, errs)
	}
}
