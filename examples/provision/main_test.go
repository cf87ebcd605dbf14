package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/examples/provision/directory"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
)

// childVariable makes the test binary run the program instead of the tests, so that it can be killed.
const childVariable = "SCIMBRIDGE_TEST_RUN_PROVISION"

const tokenVariable = "SCIMBRIDGE_TEST_KEY"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr, realTime()))
	}
	os.Exit(m.Run())
}

// world is a simulated Postman team without rate limits, a directory, and the command line that brings the two together.
type world struct {
	*postmantest.Simulator
	url    string
	folder string
	// hook, when set, is called before and after each write is carried out. When it says so, the write and its answer are lost.
	hook atomic.Pointer[func(after bool) (lost bool)]
}

func newWorld(t *testing.T, people, groups []byte) *world {
	t.Helper()
	simulator, err := postmantest.New(postmantest.Options{RateLimits: []profiles.RateLimit{}})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Simulator: simulator, folder: t.TempDir()}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		hook := w.hook.Load()
		if hook == nil || r.Method == http.MethodGet {
			simulator.ServeHTTP(rw, r)
			return
		}
		if (*hook)(false) {
			panic(http.ErrAbortHandler) // closes the connection
		}
		answer := httptest.NewRecorder()
		simulator.ServeHTTP(answer, r)
		if (*hook)(true) {
			panic(http.ErrAbortHandler)
		}
		for name, values := range answer.Header() {
			rw.Header()[name] = values
		}
		rw.WriteHeader(answer.Code)
		_, _ = rw.Write(answer.Body.Bytes())
	}))
	t.Cleanup(server.Close)
	w.url = server.URL + postmantest.BasePath + "/"
	w.write(t, "people.csv", people)
	w.write(t, "groups.csv", groups)
	unlimited := postman.Profile()
	unlimited.RateLimits = nil
	unlimited.Facts = nil
	data, err := unlimited.Encode()
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "profile.json", data)
	t.Setenv(tokenVariable, postmantest.DefaultKey)
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.folder, name) }

func (w *world) write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(w.path(name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w *world) args(more ...string) []string {
	return append([]string{
		"-tenant-url", w.url, "-token-env", tokenVariable, "-quiet", "-profile", w.path("profile.json"),
		"-users", w.path("people.csv"), "-groups", w.path("groups.csv"), "-state", w.path("state.db"),
	}, more...)
}

func (w *world) run(t *testing.T, more ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), w.args(more...), &out, &errs, realTime())
	return status, out.String(), errs.String()
}

func (w *world) writes() int {
	n := 0
	for _, r := range w.Journal() {
		if r.Write() {
			n++
		}
	}
	return n
}

// person and team are what the simulator must hold, worked out from the CSV files without the mapping engine.
type person struct {
	UserName, GivenName, FamilyName string
	Active                          bool
}

type team struct {
	Name    string
	Members []string // userNames, sorted
}

func rows(t *testing.T, data []byte) []map[string]string {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]string
	for _, r := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = r[i]
		}
		all = append(all, row)
	}
	return all
}

// expected says who must be in the service after a first run: everybody who is enabled, has both names, and shares the e-mail with nobody.
func expected(t *testing.T, people, groups []byte) (users map[string]person, teams map[string]team) {
	t.Helper()
	times := map[string]int{}
	for _, r := range rows(t, people) {
		times[strings.ToLower(r["userPrincipalName"])]++
	}
	users, byID := map[string]person{}, map[string]string{}
	for _, r := range rows(t, people) {
		mail := r["userPrincipalName"]
		if r["accountEnabled"] != "TRUE" || r["givenName"] == "" || times[strings.ToLower(mail)] > 1 {
			continue
		}
		users[mail] = person{mail, r["givenName"], r["surname"], true}
		byID[r["employeeId"]] = mail
	}
	teams = map[string]team{}
	for _, r := range rows(t, groups) {
		g := team{Name: r["displayName"]}
		for _, id := range strings.Split(r["members"], ";") {
			if mail, ok := byID[id]; ok {
				g.Members = append(g.Members, mail)
			}
		}
		slices.Sort(g.Members)
		teams[g.Name] = g
	}
	return users, teams
}

// held is what the simulator holds. An e-mail or a name that is there twice fails the test.
func held(t *testing.T, s *postmantest.Simulator) (users map[string]person, teams map[string]team) {
	t.Helper()
	users, byID := map[string]person{}, map[string]string{}
	for _, u := range s.Users() {
		if _, twice := users[u.UserName]; twice {
			t.Errorf("user %s is there twice", u.UserName)
		}
		users[u.UserName] = person{u.UserName, u.Name.GivenName, u.Name.FamilyName, u.Active == nil || *u.Active}
		byID[u.ID] = u.UserName
	}
	teams = map[string]team{}
	for _, g := range s.Groups() {
		if _, twice := teams[g.DisplayName]; twice {
			t.Errorf("group %s is there twice", g.DisplayName)
		}
		h := team{Name: g.DisplayName}
		for _, m := range g.Members {
			h.Members = append(h.Members, byID[m.Value])
		}
		slices.Sort(h.Members)
		teams[g.DisplayName] = h
	}
	return users, teams
}

func (w *world) check(t *testing.T, people, groups []byte) {
	t.Helper()
	wantUsers, wantTeams := expected(t, people, groups)
	gotUsers, gotTeams := held(t, w.Simulator)
	if diff := cmp.Diff(wantUsers, gotUsers); diff != "" {
		t.Errorf("users in the service (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantTeams, gotTeams); diff != "" {
		t.Errorf("groups in the service (-want +got):\n%s", diff)
	}
}

func TestDemonstrationEndsInStep(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var out, errs bytes.Buffer
	if status := run(t.Context(), []string{"-speed", "2000"}, &out, &errs, realTime()); status != exitInStep {
		t.Fatalf("exit status %d\n%s\n%s", status, &out, &errs)
	}
	for _, want := range []string{
		"2000 times as fast", "Plan of the initial cycle", "Plan of the incremental cycle", "DuplicateSourceEntries",
		"MandatoryFieldsMissing: name.givenName", "Provisioning log:", "Every object in scope is in step.",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, &out)
		}
	}
	if strings.Contains(out.String()+errs.String(), postmantest.DefaultKey) {
		t.Error("the key is in the output")
	}
}

func TestTheServiceHoldsWhatTheDirectorySays(t *testing.T) {
	w := newWorld(t, directory.People, directory.Groups)
	status, stdout, stderr := w.run(t)
	if status != exitFailed || stderr != "" {
		t.Errorf("exit status %d, want %d because seven objects cannot be provisioned; stderr %q\n%s", status, exitFailed, stderr, stdout)
	}
	w.check(t, directory.People, directory.Groups)

	t.Run("a second run sends nothing", func(t *testing.T) {
		w.ResetJournal()
		if status, stdout, stderr := w.run(t); status != exitFailed || stderr != "" {
			t.Errorf("exit status %d, stderr %q\n%s", status, stderr, stdout)
		}
		if n := w.writes(); n != 0 {
			t.Errorf("%d writes, want none", n)
		}
		w.check(t, directory.People, directory.Groups)
	})
}

func TestTwoPeopleWithOneEmail(t *testing.T) {
	w := newWorld(t, directory.People, directory.Groups)
	w.run(t)
	codes := map[string]string{}
	for _, e := range readLog(t, w.path("provisioning.jsonl")) {
		if e.Status.Error.Code != "" && e.Source.Type == "User" && e.Status.Status == "failure" {
			codes[e.Source.ID] = e.Status.Error.Code
		}
	}
	want := map[string]string{
		"E10641": "DuplicateSourceEntries", "E10642": "DuplicateSourceEntries",
		"E10101": "MandatoryFieldsMissing", "E10301": "MandatoryFieldsMissing", "E10501": "MandatoryFieldsMissing",
		"E10701": "MandatoryFieldsMissing", "E10901": "MandatoryFieldsMissing",
	}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Errorf("failures in the log (-want +got):\n%s", diff)
	}
	for _, u := range w.Users() {
		if strings.EqualFold(u.UserName, "front.desk@meridian.example") {
			t.Errorf("%s was provisioned although two people claim it", u.UserName)
		}
	}
}

type logLine struct {
	Source struct {
		ID   string `json:"id"`
		Type string `json:"identityType"`
	} `json:"sourceIdentity"`
	Status struct {
		Status string `json:"status"`
		Error  struct {
			Code string `json:"errorCode"`
		} `json:"errorInformation"`
	} `json:"provisioningStatusInfo"`
}

func readLog(t *testing.T, file string) []logLine {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []logLine
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var l logLine
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
			t.Fatalf("a log line is not JSON: %v\n%s", err, scanner.Text())
		}
		all = append(all, l)
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// firstPart is a directory of the first people and groups, small enough to run many times.
func firstPart(t *testing.T) (people, groups []byte) {
	t.Helper()
	lines := func(data []byte, n int) []byte {
		return []byte(strings.Join(strings.SplitAfter(string(data), "\n")[:n+1], ""))
	}
	return lines(directory.People, 110), lines(directory.Groups, 25)
}

func TestKilledAtAnyPointItEndsTheSame(t *testing.T) {
	people, groups := firstPart(t)
	total := writesOfOneRun(t, people, groups)
	for i := range killPoints {
		// Half of the kills come before the service carries a write out, half after, when only the answer is lost.
		at, after := 1+i*(total-1)/(killPoints-1), i%2 == 1
		t.Run(fmt.Sprintf("write %d of %d, after=%v", at, total, after), func(t *testing.T) {
			w := newWorld(t, people, groups)
			w.runAndKill(t, at, after)
			w.run(t)
			w.check(t, people, groups)
			w.ResetJournal()
			w.run(t)
			if n := w.writes(); n != 0 {
				t.Errorf("a run after the repaired one sends %d writes, want none", n)
			}
		})
	}
}

func writesOfOneRun(t *testing.T, people, groups []byte) int {
	t.Helper()
	w := newWorld(t, people, groups)
	w.run(t)
	return w.writes()
}

// runAndKill runs the program as a process of its own and kills it at a write.
func (w *world) runAndKill(t *testing.T, at int, after bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self, w.args()...)
	child.Env = append(os.Environ(), childVariable+"=1")
	var output bytes.Buffer
	child.Stdout, child.Stderr = &output, &output
	var seen atomic.Int64
	var killed atomic.Bool
	started := make(chan *os.Process, 1)
	hook := func(isAfter bool) bool {
		if killed.Load() {
			return true // what a dead process was about to send is not sent
		}
		if isAfter == after && seen.Add(1) == int64(at) {
			killed.Store(true)
			_ = (<-started).Kill()
			return true
		}
		return false
	}
	w.hook.Store(&hook)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	started <- child.Process
	err = child.Wait()
	w.hook.Store(nil)
	if !killed.Load() || err == nil {
		t.Fatalf("the program ended by itself (%v) before it was killed:\n%s", err, &output)
	}
}

func TestOneClearLineAndNonZeroExit(t *testing.T) {
	people, groups := firstPart(t)
	tests := []struct {
		name    string
		prepare func(t *testing.T, w *world) (args []string)
		want    []string // in the one line
	}{
		{
			"wrong key", func(t *testing.T, w *world) []string {
				t.Setenv(tokenVariable, "not-the-key-of-this-team")
				return w.args()
			},
			[]string{"credential", "401"},
		},
		{
			"unreachable host", func(t *testing.T, w *world) []string {
				gone := httptest.NewServer(http.NotFoundHandler())
				gone.Close()
				return append(w.args(), "-tenant-url", gone.URL+"/scim/v2/")
			},
			[]string{"cannot be reached"},
		},
		{
			"no SCIM at that address", func(t *testing.T, w *world) []string {
				other := httptest.NewServer(http.NotFoundHandler())
				t.Cleanup(other.Close)
				return append(w.args(), "-tenant-url", other.URL+"/wrong/")
			},
			[]string{"tenant URL"},
		},
		{
			"malformed people", func(t *testing.T, w *world) []string {
				lines := strings.SplitAfter(string(people), "\n")
				lines[3] = strings.Replace(lines[3], ",", ",\"", 1)
				w.write(t, "people.csv", []byte(strings.Join(lines, "")))
				return w.args()
			},
			[]string{"people.csv:", "line 4"},
		},
		{
			"a field too few", func(t *testing.T, w *world) []string {
				w.write(t, "groups.csv", []byte("groupId,displayName,members\nG1,One,E10001\nG2\n"))
				return w.args()
			},
			[]string{"groups.csv:3"},
		},
		{
			"a column is missing", func(t *testing.T, w *world) []string {
				w.write(t, "people.csv", []byte("userPrincipalName,givenName\na@meridian.example,A\n"))
				return w.args()
			},
			[]string{"people.csv", "employeeId"},
		},
		{
			"the source reads empty", func(t *testing.T, w *world) []string {
				w.run(t)
				w.ResetJournal()
				w.write(t, "people.csv", people[:bytes.IndexByte(people, '\n')+1])
				return w.args()
			},
			[]string{"User"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, people, groups)
			args := tt.prepare(t, w)
			var out, errs bytes.Buffer
			if status := run(t.Context(), args, &out, &errs, fastTime(1000)); status != exitFailed {
				t.Errorf("exit status %d, want %d", status, exitFailed)
			}
			if n := strings.Count(errs.String(), "\n"); n != 1 {
				t.Errorf("%d lines on stderr, want one:\n%s", n, &errs)
			}
			for _, want := range tt.want {
				if !strings.Contains(errs.String(), want) {
					t.Errorf("stderr %q lacks %q", &errs, want)
				}
			}
			if strings.Contains(out.String()+errs.String(), os.Getenv(tokenVariable)) {
				t.Error("the key is in the output")
			}
			if n := w.writes(); n != 0 {
				t.Errorf("%d writes were sent, want none", n)
			}
		})
	}
}

func TestPlanSendsNothingAndLeavesNothing(t *testing.T) {
	people, groups := firstPart(t)
	w := newWorld(t, people, groups)
	status, stdout, stderr := w.run(t, "-plan")
	if status != exitInStep || stderr != "" {
		t.Errorf("exit status %d, stderr %q", status, stderr)
	}
	if n := w.writes(); n != 0 {
		t.Errorf("%d writes were sent, want none", n)
	}
	users, _ := expected(t, people, groups)
	for mail := range users {
		if !strings.Contains(stdout, mail) {
			t.Errorf("%s is not in the plan", mail)
		}
	}
	// The plan must not have been taken for a cycle.
	w.run(t)
	w.check(t, people, groups)
}

// A service that was never provisioned is not in step because another one is.
func TestOneStateFileForTwoServices(t *testing.T) {
	people, groups := firstPart(t)
	first, second := newWorld(t, people, groups), newWorld(t, people, groups)
	first.run(t)
	second.run(t, "-state", first.path("state.db"))
	second.check(t, people, groups)
	first.ResetJournal()
	first.run(t, "-tenant-url", strings.TrimSuffix(first.url, "/"))
	if n := first.writes(); n != 0 {
		t.Errorf("%d writes were sent to the first service again, want none", n)
	}
}

func TestCommandLine(t *testing.T) {
	t.Setenv("SCIMBRIDGE_TEST_EMPTY", "")
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"unknown flag", []string{"-tokn-env", "X"}, "tokn-env"},
		{"a word", []string{"postman"}, `"postman"`},
		{"no token", []string{"-tenant-url", "https://scim.example"}, "-token-env"},
		{"empty token", []string{"-tenant-url", "https://scim.example", "-token-env", "SCIMBRIDGE_TEST_EMPTY", "-users", "x"}, "is empty"},
		{"flag without effect", []string{"-users", "people.csv"}, "-tenant-url"},
		{"plan and interval", []string{"-plan", "-interval", "40m"}, "do not go together"},
		{"speed", []string{"-speed", "0"}, "-speed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if status := run(t.Context(), tt.args, &out, &errs, realTime()); status != exitUsage {
				t.Errorf("exit status %d, want %d", status, exitUsage)
			}
			if !strings.Contains(errs.String(), tt.want) {
				t.Errorf("stderr %q lacks %q", &errs, tt.want)
			}
		})
	}
	var out, errs bytes.Buffer
	if status := run(t.Context(), []string{"-h"}, &out, &errs, realTime()); status != exitInStep || !strings.Contains(errs.String(), "Exit status") {
		t.Errorf("-h: exit status %d\n%s", status, &errs)
	}
}

func TestTheDayFitsTheDirectory(t *testing.T) {
	folder := t.TempDir()
	people, groups := filepath.Join(folder, "people.csv"), filepath.Join(folder, "groups.csv")
	for file, data := range map[string][]byte{people: directory.People, groups: directory.Groups} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	steps := 0
	if err := liveTheDay(people, groups, func(string) { steps++ }); err != nil {
		t.Fatal(err)
	}
	if steps != len(theDay) {
		t.Errorf("%d steps were told, want %d", steps, len(theDay))
	}
	after, err := os.ReadFile(people)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(rows(t, after)), len(rows(t, directory.People))+2; got != want {
		t.Errorf("%d people after the day, want %d", got, want)
	}
}
