package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	service := []string{"-tenant-url", "https://scim.example/v2"}
	keys := map[string]string{"SCIM_TOKEN": "t", "POSTMAN_SCIM_API_KEY": "k"}
	tests := []struct {
		name string
		env  map[string]string
		args []string
		want string
	}{
		{"unknown flag", nil, []string{"-stor", "memory"}, "stor"},
		{"a word", nil, []string{"postman"}, `"postman"`},
		{"a store that there is not", nil, []string{"-store", "csv"}, `-store "csv"`},
		{"memory has no name", nil, []string{"-store", "memory", "-dsn", "x"}, "-dsn"},
		{"a certificate without key", nil, []string{"-tls-cert", "x"}, "-tls-key"},
		{"a negative time", nil, []string{"-grace", "-1s"}, "-grace"},
		{"no interval", nil, []string{"-interval", "0"}, "-interval"},
		{"no token", map[string]string{"POSTMAN_SCIM_API_KEY": "k"}, service, "SCIM_TOKEN is empty"},
		{"no key", map[string]string{"SCIM_TOKEN": "t"}, service, "POSTMAN_SCIM_API_KEY is empty"},
		{"no key of another name", keys, append(service, "-token-env", "OTHER"), "OTHER is empty"},
		{"a state for what is forgotten", keys, append(service, "-store", "memory", "-state", "x.db"), "-state"},
		{"a flag without effect", nil, []string{"-mapping", "x.json"}, "-tenant-url"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			w := world{getenv: func(name string) string { return tt.env[name] }, stdout: &out, stderr: &errs}
			if status := run(t.Context(), w, tt.args); status != exitUsage || !strings.Contains(errs.String(), tt.want) || out.Len() > 0 {
				t.Errorf("exit status %d, stderr %q lacks %q", status, &errs, tt.want)
			}
		})
	}
	var out bytes.Buffer
	w := world{getenv: func(string) string { return "" }, stdout: &out, stderr: io.Discard}
	if status := run(t.Context(), w, []string{"-h"}); status != exitStopped || !strings.Contains(out.String(), "Exit status") {
		t.Errorf("-h: exit status %d\n%s", status, &out)
	}
}

func TestWhatCannotBegin(t *testing.T) {
	p := newTeam(t)
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"an address that is no address": {p.args("-addr", "nowhere:0"), "nowhere"},
		"a folder that is not there":    {p.args("-dsn", filepath.Join(p.folder, "no", "scim.db")), "scim.db"},
		"a profile that is not there":   {p.args("-profile", p.path("no.json")), "no.json"},
		"a mapping that is not there":   {p.args("-mapping", p.path("no.json")), "no.json"},
		"an insecure application":       {p.args("-tenant-url", "http://scim.example/v2"), "https"},
	} {
		t.Run(name, func(t *testing.T) {
			var errs bytes.Buffer
			w := world{getenv: func(name string) string { return environment[name] }, stdout: io.Discard, stderr: &errs}
			if status := run(t.Context(), w, tt.args); status != exitFailed || !strings.Contains(errs.String(), tt.want) || strings.Count(errs.String(), "\n") != 1 {
				t.Errorf("exit status %d, stderr %q lacks %q", status, &errs, tt.want)
			}
		})
	}
}

func TestAWrongKeyIsToldAtTheStart(t *testing.T) {
	p := newTeam(t)
	b := start(t, world{getenv: wrongKey}, p.args()...)
	b.stderr.until("the credential is refused")
	b.must("POST", "/Users", userBody("ada@example.com"))
	b.stderr.until("msg=quarantine")
	b.end(exitStopped)
	if errs := b.stderr.String(); !strings.Contains(errs, "credential") || strings.Contains(errs, "a-wrong-key") {
		t.Errorf("stderr %q", errs)
	}
}

// Without arguments the program needs nothing, tells what to try, and that works.
func TestDemonstration(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	b := start(t, world{getenv: func(string) string { return "" }}, "-addr", "127.0.0.1:0", "-settle", "10ms")
	var lines []string
	for line := range b.lines {
		lines = append(lines, line)
		if strings.HasPrefix(line, "  curl -s") {
			break
		}
	}
	text := strings.Join(lines, "\n")
	made := after(text, "Bearer token, shown only here: ")
	postman := after(text, "simulated Postman at ")
	postman = strings.TrimSuffix(postman, ";")
	if made == "" || postman == "" || !strings.Contains(text, "export SCIM_TOKEN="+made) || !strings.Contains(text, b.url+"/Users -d") {
		t.Fatalf("output:\n%s", text)
	}
	do := func(method, url, key, body string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		data, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode >= 300 {
			t.Fatalf("%s %s: %d %s %v", method, url, resp.StatusCode, data, err)
		}
		return string(data)
	}
	do("POST", b.url+"/Users", made, userBody("ada@example.com"))
	key := after(text, "  curl -s -H 'Authorization: Bearer ")
	if users := do("GET", postman+"/Users", strings.TrimSuffix(key, "'"), ""); !strings.Contains(users, "totalResults") {
		t.Errorf("Postman's users: %s", users)
	}
	b.stop() // what was accepted is sent on first, and the simulator ends last
	<-b.ended
	if errs := b.stderr.String(); !strings.Contains(errs, "msg=create") || strings.Contains(errs, "ada@example.com") {
		t.Errorf("stderr %s", errs)
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) != 0 {
		t.Errorf("the demonstration leaves %v, %v", left, err)
	}
}

// after returns the word behind a text.
func after(text, prefix string) string {
	_, rest, _ := strings.Cut(text, prefix)
	word, _, _ := strings.Cut(rest, "\n")
	word, _, _ = strings.Cut(word, " ")
	return word
}
