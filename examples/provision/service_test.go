package main

import (
	"bytes"
	"strings"
	"testing"
)

// A column that was renamed in the export would otherwise fail for each person by itself.
func TestAColumnThatTheMappingsReadIsMissing(t *testing.T) {
	people, groups := firstPart(t)
	w := newWorld(t, people, groups)
	w.write(t, "people.csv", bytes.Replace(people, []byte("surname"), []byte("lastName"), 1))
	status, _, stderr := w.run(t)
	if status != exitFailed || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "people.csv:1") || !strings.Contains(stderr, `"surname"`) {
		t.Errorf("exit status %d, stderr %q", status, stderr)
	}
	if strings.Contains(stderr, "provision: provision:") {
		t.Errorf("stderr repeats itself: %q", stderr)
	}
	if n := w.writes(); n != 0 {
		t.Errorf("%d writes were sent, want none", n)
	}
}

func TestJobsAreNamedAfterTheirService(t *testing.T) {
	for tenantURL, want := range map[string]string{
		"https://api.getpostman.com/scim/v2/":                     "api.getpostman.com-scim-v2",
		"https://api.getpostman.com/scim/v2":                      "api.getpostman.com-scim-v2",
		"https://scim.example/tenants/7?aadOptscim062020":         "scim.example-tenants-7",
		"http://127.0.0.1:8080/scim/v2/":                          "127.0.0.1-8080-scim-v2",
		"https://scim.example/tenants/8/?aadOptscim062020&x=a/b/": "scim.example-tenants-8",
	} {
		if got := jobName(tenantURL); got != want {
			t.Errorf("%s: got %s, want %s", tenantURL, got, want)
		}
	}
}
