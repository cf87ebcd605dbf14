package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct {
		name   string
		args   []string
		status int
		want   []string // in the output or the errors
	}{
		{"Postman's mapping on sample people", nil, exitFine, []string{
			"In scope", `userName = "zoe.berg@meridian.example"`, `"givenName": "Zoë"`, "Out of scope: filter \"Has a mailbox",
			"[surname] is null", "active = false",
		}},
		{"a person of the command line", []string{"userPrincipalName=a@x", "department=Sales"}, exitFine, []string{"In scope", `userName = "a@x"`}},
		{"a mapping of Entra's", []string{"-mapping", "../../mapping/graph/testdata/custom-scim-app.json", "-profile", "none", "mail=a@x"}, exitFine, []string{`emails[type eq "work"].value = "a@x"`}},
		{"Entra's JSON in ours", []string{"-mapping", "../../mapping/graph/testdata/postman.json", "-convert"}, exitFine, []string{`"source": "userPrincipalName"`, `"operator": "NOT EQUALS"`}},
		{"a group", []string{"-type", "Group", "displayName=Designers", "members=E1"}, exitFine, []string{"then members, once E1 is in the service"}},
		{"a mapping that does not fit", []string{"-mapping", file("m.json", `{"mappings":[{"source":"User","target":"User","attributes":[{"target":"userName","source":"upn","matching":1}]}]}`), "upn=a"}, exitProblems, []string{"error: active: the service requires it"}},
		{"a mapping that is none", []string{"-mapping", file("bad.json", `{"mappings":1}`)}, exitProblems, []string{"mapping: "}},
		{"an object from a file", []string{"-object", file("o.json", `{"userPrincipalName":"b@x"}`)}, exitFine, []string{`"b@x"`}},
		{"a secret", []string{"-profile", "none", "-mapping", file("s.json", `{"mappings":[{"source":"User","target":"User","attributes":[{"target":"userName","expression":"Redact([upn])","matching":1}]}]}`), "upn=hush"}, exitFine, []string{"userName = \"[Redact]\"", "is secret"}},
		{"an expression", []string{"-expression", `Left([surname], 3)`, "surname=Berg"}, exitFine, []string{`[surname] is "Berg"`, `"Ber", a string`}},
		{"an expression that is none", []string{"-expression", `Lfet([surname], 3)`}, exitProblems, []string{"did you mean Left?", "^"}},
		{"an expression that fails", []string{"-expression", `CDate([surname])`, "surname=Berg"}, exitProblems, []string{"error: expr: CDate"}},
		{"an argument that is none", []string{"surname"}, exitUsage, []string{"attribute=value"}},
		{"a type that is not mapped", []string{"-type", "Device"}, exitProblems, []string{"no mapping of objects of type Device"}},
		{"help", []string{"-h"}, exitFine, []string{"Usage: mapping"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			if got := run(context.Background(), tt.args, &out, &out); got != tt.status {
				t.Errorf("got status %d, want %d", got, tt.status)
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("got:\n%s\nwant it to say %q", out.String(), want)
				}
			}
			if strings.Contains(out.String(), "hush") {
				t.Errorf("a secret was shown:\n%s", out.String())
			}
		})
	}
}
