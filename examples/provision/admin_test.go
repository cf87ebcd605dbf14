package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/profiles/postman/postmantest"
	"github.com/scimbridge/scim/provision/notify"
)

const smallPeople = `employeeId,userPrincipalName,givenName,surname,displayName,accountEnabled
E1,ada@meridian.example,Ada,Lovelace,Ada Lovelace,TRUE
E2,ben@meridian.example,Ben,Ngata,Ben Ngata,TRUE
E3,cal@meridian.example,Cal,Ito,Cal Ito,TRUE
E4,nobody@meridian.example,,Nemo,No Name,TRUE
`

const smallGroups = `groupId,displayName,members
G1,Staff,E1;E2;E3
G2,E1,E2
`

// ask runs a command that concerns the state alone: without the key, the directory and the profile.
func (w *world) ask(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	args = append([]string{"-tenant-url", w.url, "-state", w.path("state.db")}, args...)
	status = run(t.Context(), args, &out, &errs, realTime())
	return status, out.String(), errs.String()
}

func wantAll(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("the output lacks %q:\n%s", part, text)
		}
	}
}

func emails(w *world) []string {
	var list []string
	for _, u := range w.Users() {
		if *u.Active {
			list = append(list, u.UserName)
		}
	}
	slices.Sort(list)
	return list
}

func TestOnDemand(t *testing.T) {
	w := newWorld(t, []byte(smallPeople), []byte(smallGroups))
	t.Run("a user by the e-mail address", func(t *testing.T) {
		status, out, errs := w.run(t, "-on-demand", "ADA@meridian.example")
		if status != exitInStep || errs != "" {
			t.Errorf("exit status %d, stderr %q", status, errs)
		}
		wantAll(t, out, "On demand: User E1 (Ada Lovelace)", "1. import   found, enabled", "2. scope    in scope",
			"3. match    userName = ada@meridian.example; now linked to ", "4. action   create User E1 (Ada Lovelace): success",
			"name.givenName: (none) -> Ada")
		if diff := cmp.Diff([]string{"ada@meridian.example"}, emails(w)); diff != "" {
			t.Errorf("users (-want +got):\n%s", diff)
		}
	})
	t.Run("the same user again", func(t *testing.T) {
		w.ResetJournal()
		status, out, _ := w.run(t, "-on-demand", "E1")
		if status != exitInStep || w.writes() != 0 {
			t.Errorf("exit status %d, %d writes", status, w.writes())
		}
		wantAll(t, out, "linked to ", " before", "4. action   none: it is in step")
	})
	t.Run("a group with two of its members", func(t *testing.T) {
		status, out, errs := w.run(t, "-on-demand", "Staff", "-members", "E1, ben@meridian.example")
		if errs != "" {
			t.Errorf("exit status %d, stderr %q", status, errs)
		}
		wantAll(t, out, "On demand: Group G1 (Staff)", "create User E2")
		groups := w.Groups()
		if diff := cmp.Diff([]string{"ada@meridian.example", "ben@meridian.example"}, emails(w)); diff != "" || len(groups) != 1 || len(groups[0].Members) != 2 {
			t.Errorf("groups %+v, users (-want +got):\n%s", groups, diff)
		}
	})
	t.Run("a user who cannot be provisioned", func(t *testing.T) {
		status, out, _ := w.run(t, "-on-demand", "E4")
		if status != exitFailed {
			t.Errorf("exit status %d", status)
		}
		wantAll(t, out, "failure: MandatoryFieldsMissing", "what to do:")
	})
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"nobody":               {[]string{"-on-demand", "dot@meridian.example"}, `nobody in the directory is "dot@meridian.example"`},
		"a member of nobody":   {[]string{"-on-demand", "G1", "-members", "E9"}, `nobody in the directory is "E9"`},
		"a user's members":     {[]string{"-on-demand", "E1", "-members", "E2"}, "has no members"},
		"an id before a name":  {[]string{"-on-demand", "E1"}, ""},
		"a name without cases": {[]string{"-on-demand", "ben ngata"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, errs := w.run(t, tt.args...)
			if tt.want == "" && (status != exitInStep || errs != "") || tt.want != "" && (status != exitFailed || strings.Count(errs, "\n") != 1) {
				t.Errorf("exit status %d, stderr %q", status, errs)
			}
			wantAll(t, errs, tt.want)
		})
	}
}

func TestStatus(t *testing.T) {
	w := newWorld(t, []byte(smallPeople), []byte(smallGroups))
	t.Run("without a state", func(t *testing.T) {
		status, out, errs := w.ask(t, "-status")
		if status != exitFailed || out != "" || !strings.Contains(errs, "there is no state") {
			t.Errorf("exit status %d, %q, %q", status, out, errs)
		}
		if _, err := os.Stat(w.path("state.db")); err == nil {
			t.Error("asking for the status made a state")
		}
	})
	w.run(t)
	w.ResetJournal()
	status, out, errs := w.ask(t, "-status")
	if status != exitFailed || errs != "" {
		t.Errorf("exit status %d, stderr %q: one object is not in step", status, errs)
	}
	wantAll(t, out, ": Active", "cycles          1", "last cycle      initial", "all in step     never",
		"User            3 linked, 1 failed, 0 held", "Group           2 linked, 0 failed, 0 held")

	w.write(t, "people.csv", []byte(strings.Replace(smallPeople, ",,Nemo", ",Noel,Nemo", 1)))
	w.run(t)
	w.ResetJournal()
	if status, out, errs = w.ask(t, "-status"); status != exitInStep || errs != "" {
		t.Errorf("exit status %d, stderr %q\n%s", status, errs, out)
	}
	wantAll(t, out, "cycles          2", "User            4 linked, 0 failed, 0 held")
	if n := len(w.Journal()); n != 0 {
		t.Errorf("%d requests were sent to the service", n)
	}
}

// company is a directory of a number of people.
func company(people int) []byte {
	var b strings.Builder
	b.WriteString("employeeId,userPrincipalName,givenName,surname,displayName,accountEnabled\n")
	for i := range people {
		fmt.Fprintf(&b, "E%d,u%d@meridian.example,U,Nr%d,U Nr%d,TRUE\n", i, i, i, i)
	}
	return []byte(b.String())
}

func TestReleaseDeletes(t *testing.T) {
	w := newWorld(t, company(40), []byte("groupId,displayName,members\n"))
	if status, out, errs := w.run(t); status != exitInStep {
		t.Fatalf("exit status %d, %s%s", status, out, errs)
	}
	w.write(t, "people.csv", company(25))
	if status, _, _ := w.run(t); status != exitFailed || len(emails(w)) != 40 {
		t.Fatalf("exit status %d, %d people", status, len(emails(w)))
	}
	status, out, _ := w.ask(t, "-status")
	if status != exitFailed {
		t.Errorf("exit status %d", status)
	}
	wantAll(t, out, ": Quarantine", "15 held", "TooManyDeletes")

	status, out, errs := w.ask(t, "-release-deletes")
	if status != exitInStep || errs != "" || len(emails(w)) != 40 {
		t.Errorf("exit status %d, stderr %q, %d people", status, errs, len(emails(w)))
	}
	wantAll(t, out, "User E39 (U Nr39)", "15 deletions or deactivations were held; they go ahead in the next cycle")
	if status, out, errs := w.run(t); status != exitInStep || len(emails(w)) != 25 {
		t.Errorf("exit status %d, %d people\n%s%s", status, len(emails(w)), out, errs)
	}
	if _, out, _ := w.ask(t, "-release-deletes"); !strings.Contains(out, "0 deletions") {
		t.Errorf("out %q", out)
	}
}

func TestRestart(t *testing.T) {
	w := newWorld(t, []byte(smallPeople), []byte(smallGroups))
	w.run(t)
	for _, tt := range []struct{ scopes, says, next string }{
		{"watermark", "Watermark", "The initial cycle"},
		{"ESCROWS, quarantineState", "Escrows, QuarantineState", "The incremental cycle"},
		{"forceDeletes", "ForceDeletes", "The incremental cycle"},
		{"connectorDataStore", "ConnectorDataStore", "The initial cycle"},
		{"full", "Full", "The initial cycle"},
	} {
		t.Run(tt.scopes, func(t *testing.T) {
			status, out, errs := w.ask(t, "-restart", tt.scopes)
			if status != exitInStep || errs != "" {
				t.Errorf("exit status %d, stderr %q", status, errs)
			}
			wantAll(t, out, "is reset: "+tt.says+".")
			w.ResetJournal()
			_, out, _ = w.run(t)
			wantAll(t, out, tt.next)
			if n := w.writes(); n != 0 {
				t.Errorf("%d writes after the restart, want none: what is there is recognised", n)
			}
		})
	}
}

func TestShowLog(t *testing.T) {
	w := newWorld(t, []byte(smallPeople), []byte(smallGroups))
	w.run(t)
	w.write(t, "people.csv", []byte(strings.Replace(smallPeople, "Ngata,Ben Ngata", "Ito,Ben Ito", 1)))
	w.run(t)
	tests := []struct {
		name  string
		args  []string
		lines int
		has   []string
	}{
		{"all", nil, 7, []string{"create User E1 (Ada Lovelace): success", "update User E2 (Ben Ito): success", "name.familyName: Ngata -> Ito"}},
		{"by outcome", []string{"-outcome", "failure"}, 1, []string{"fail User E4 (No Name): failure: MandatoryFieldsMissing: name.givenName"}},
		{"by e-mail address", []string{"-user", "BEN@meridian.example"}, 2, []string{"update User E2", "create User E2"}},
		{"by id", []string{"-user", "E2"}, 2, []string{"update User E2", "create User E2"}},
		{"by display name", []string{"-user", "ada lovelace"}, 1, []string{"create User E1"}},
		{"a group", []string{"-user", "Staff"}, 1, []string{"create Group G1 (Staff)"}},
		{"by user and outcome", []string{"-user", "E2", "-outcome", "failure"}, 0, []string{"The log has no such entry."}},
		{"since", []string{"-since", "1h"}, 7, nil},
		{"since tomorrow", []string{"-since", time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)}, 0, []string{"The log has no such entry."}},
		{"until an hour ago", []string{"-until", "1h"}, 0, nil},
		{"until", []string{"-until", time.Now().Add(time.Hour).Format(time.RFC3339)}, 7, nil},
		{"at most", []string{"-limit", "2"}, 2, []string{"update User E2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, out, errs := w.ask(t, append(tt.args, "-show-log")...)
			if status != exitInStep || errs != "" {
				t.Errorf("exit status %d, stderr %q", status, errs)
			}
			lines := 0
			for line := range strings.Lines(out) {
				if strings.HasPrefix(line, "20") {
					lines++
				}
			}
			if lines != tt.lines {
				t.Errorf("%d entries, want %d:\n%s", lines, tt.lines, out)
			}
			wantAll(t, out, tt.has...)
		})
	}
	if status, _, errs := w.ask(t, "-show-log", "-user", "dot@meridian.example"); status != exitFailed || !strings.Contains(errs, "knows nobody") {
		t.Errorf("exit status %d, stderr %q", status, errs)
	}
}

func TestCommandsThatDoNotGoTogether(t *testing.T) {
	t.Setenv(tokenVariable, postmantest.DefaultKey)
	t.Setenv("SCIMBRIDGE_TEST_EMPTY", "")
	service := []string{"-tenant-url", "https://scim.example/v2", "-token-env", tokenVariable, "-users", "people.csv"}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-plan", "-status"}, "-plan and -status do not go together"},
		{[]string{"-on-demand", "E1", "-restart", "full"}, "-on-demand and -restart do not go together"},
		{[]string{"-status", "-interval", "40m"}, "-status and -interval"},
		{[]string{"-members", "E1"}, "-members goes with -on-demand"},
		{[]string{"-restart", "everything"}, `unknown reset scope "everything"`},
		{[]string{"-user", "E1"}, "go with -show-log"},
		{[]string{"-show-log", "-outcome", "good"}, "-outcome is one of"},
		{[]string{"-show-log", "-since", "yesterday"}, "-since yesterday"},
		{[]string{"-show-log", "-since", "-1h"}, "-since -1h"},
		{[]string{"-show-log", "-limit", "-1"}, "-limit"},
		{[]string{"-smtp", "mail.example:587"}, "go with -mail-to"},
		{[]string{"-mail-to", "it@example.com"}, "needs -smtp"},
		{[]string{"-mail-to", "it@example.com", "-smtp", "mail.example"}, "mail.example"},
		{[]string{"-mail-to", "it@example.com", "-smtp", "mail.example:587", "-mail-user", "u"}, "-mail-password-env"},
		{[]string{"-mail-to", "it@example.com", "-smtp", "mail.example:587", "-mail-user", "u", "-mail-password-env", "SCIMBRIDGE_TEST_EMPTY"}, "is empty"},
		{[]string{"-webhook", "https://hooks.example"}, "-webhook-secret-env"},
		{[]string{"-webhook", "https://hooks.example", "-webhook-secret-env", "SCIMBRIDGE_TEST_EMPTY"}, "is empty"},
		{[]string{"-webhook", "http://hooks.example", "-webhook-secret-env", tokenVariable}, "https"},
	} {
		var out, errs bytes.Buffer
		if status := run(t.Context(), append(service, tt.args...), &out, &errs, realTime()); status != exitUsage || !strings.Contains(errs.String(), tt.want) {
			t.Errorf("%q: exit status %d, stderr %q lacks %q", tt.args, status, &errs, tt.want)
		}
		if strings.Contains(errs.String(), postmantest.DefaultKey) {
			t.Errorf("%q: a secret is in %q", tt.args, &errs)
		}
	}
	for _, args := range [][]string{{"-status"}, {"-on-demand", "E1"}, {"-show-log"}, {"-mail-to", "it@example.com", "-smtp", "mail.example:587"}} {
		var out, errs bytes.Buffer
		if status := run(t.Context(), args, &out, &errs, realTime()); status != exitUsage || !strings.Contains(errs.String(), "-tenant-url") {
			t.Errorf("%q: exit status %d, stderr %q", args, status, &errs)
		}
	}
}

func TestAWebhookIsToldOfHeldDeletions(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	t.Setenv("SCIMBRIDGE_TEST_SECRET", secret)
	var told []string
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		if err := notify.Verify(r.Header, body.Bytes(), secret, time.Now()); err != nil {
			t.Errorf("the signature: %v", err)
		}
		told = append(told, body.String())
	}))
	defer hook.Close()
	w := newWorld(t, company(40), []byte("groupId,displayName,members\n"))
	flags := []string{"-webhook", hook.URL, "-webhook-secret-env", "SCIMBRIDGE_TEST_SECRET"}
	w.run(t, flags...)
	w.write(t, "people.csv", company(25))
	w.run(t, flags...)
	if len(told) != 1 || !strings.Contains(told[0], "TooManyDeletes") || strings.Contains(told[0], secret) {
		t.Errorf("told %q", told)
	}
}

// What ends a cycle before anything is sent is in the status all the same, and those who are to be told are told.
func TestATroubleIsRecordedAndTold(t *testing.T) {
	t.Setenv("SCIMBRIDGE_TEST_SECRET", "0123456789abcdef0123456789abcdef")
	tests := map[string]struct {
		prepare func(t *testing.T, w *world)
		want    string
	}{
		"the directory reads empty": {func(t *testing.T, w *world) {
			w.write(t, "people.csv", company(0))
		}, "IngestionInterrupted"},
		"the directory cannot be read": {func(t *testing.T, w *world) {
			w.write(t, "people.csv", []byte("employeeId\n"))
		}, "IngestionInterrupted"},
		"the key is refused": {func(t *testing.T, w *world) {
			t.Setenv(tokenVariable, "not-the-key-of-this-team")
			w.write(t, "people.csv", company(41))
		}, "EncounteredQuarantineException"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var told bytes.Buffer
			hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = told.ReadFrom(r.Body) }))
			defer hook.Close()
			flags := []string{"-webhook", hook.URL, "-webhook-secret-env", "SCIMBRIDGE_TEST_SECRET"}
			w := newWorld(t, company(40), []byte("groupId,displayName,members\n"))
			w.run(t, flags...)
			w.ResetJournal()
			tt.prepare(t, w)
			if status, _, stderr := w.run(t, flags...); status != exitFailed || stderr == "" || w.writes() > 0 {
				t.Errorf("exit status %d, stderr %q, %d writes", status, stderr, w.writes())
			}
			if !strings.Contains(told.String(), tt.want) {
				t.Errorf("told %q", &told)
			}
			if status, stdout, _ := w.run(t, "-status"); status != exitFailed || !strings.Contains(stdout, tt.want) {
				t.Errorf("exit status %d, status %s", status, stdout)
			}
		})
	}
}

func TestHeldDeletionsAreNotInStep(t *testing.T) {
	w := newWorld(t, company(40), []byte("groupId,displayName,members\n"))
	w.run(t)
	w.write(t, "people.csv", company(25))
	status, stdout, _ := w.run(t)
	if status != exitFailed || strings.Contains(stdout, "is in step.") || !strings.Contains(stdout, "-release-deletes") {
		t.Errorf("exit status %d:\n%s", status, stdout)
	}
}

func TestInterrupted(t *testing.T) {
	w := newWorld(t, company(40), []byte("groupId,displayName,members\n"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	if status := run(ctx, w.args(), &out, &errs, fastTime(1000)); status != exitFailed || !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("exit status %d, stderr %q", status, &errs)
	}
}

// The commands are also those of the program as a process of its own.
func TestTheProgramAsAProcess(t *testing.T) {
	w := newWorld(t, []byte(smallPeople), []byte(smallGroups))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	process := func(args ...string) (int, string) {
		child := exec.CommandContext(t.Context(), self, args...)
		child.Env = append(os.Environ(), childVariable+"=1")
		out, err := child.CombinedOutput()
		if child.ProcessState == nil {
			t.Fatal(err)
		}
		return child.ProcessState.ExitCode(), string(out)
	}
	if status, out := process(w.args("-on-demand", "ada@meridian.example")...); status != exitInStep || !strings.Contains(out, "create User E1") {
		t.Errorf("-on-demand: exit status %d\n%s", status, out)
	}
	if status, out := process("-tenant-url", w.url, "-state", w.path("state.db"), "-show-log", "-user", "ada@meridian.example"); status != exitInStep ||
		!strings.Contains(out, "create User E1") {
		t.Errorf("-show-log: exit status %d\n%s", status, out)
	}
	if status, out := process("-status", "-plan"); status != exitUsage || !strings.Contains(out, "do not go together") {
		t.Errorf("exit status %d\n%s", status, out)
	}
}
