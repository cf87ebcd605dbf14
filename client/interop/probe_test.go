package interop_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/discover"
	scimserver "github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

// TestProbeOfScimmy asks a service that nobody here wrote what it can do, and holds the profile against that of our own server.
func TestProbeOfScimmy(t *testing.T) {
	theirs := startScimmy(t)
	handler, err := scimserver.New(memory.New(), scimserver.Options{Authenticator: scimserver.BearerTokens(theirs.token)})
	if err != nil {
		t.Fatal(err)
	}
	ours := httptest.NewServer(handler)
	t.Cleanup(ours.Close)
	probe := func(url string) *discover.Report {
		report, err := discover.Probe(t.Context(), url, discover.Options{AllowWrites: true, Suffix: "0a1b"}, client.WithBearerToken(theirs.token))
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Left) > 0 {
			t.Errorf("%s: left behind: %q", url, report.Left)
		}
		return report
	}
	report := probe(theirs.url)
	findings := strings.Join(report.Findings, "\n")
	if !strings.Contains(findings, "itemsPerPage is not the number of resources that came") {
		t.Errorf("scimmy counts itemsPerPage in its own way, and the findings do not tell:\n%s", findings)
	}
	differences, err := profiles.Compare(probe(ours.URL).Profile, report.Profile)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range differences {
		if !strings.HasPrefix(d.Path, "/baseUrls") && !strings.Contains(d.Path, "/attributes/") && !strings.HasPrefix(d.Path, "/errors") &&
			!strings.HasPrefix(d.Path, "/authentication") {
			got = append(got, d.String())
		}
	}
	// As scimmy states them in its ServiceProviderConfig, and as it was seen to do.
	want := []string{
		`/bulk/maxPayloadSize: 16777216, 1048576`,
		`/etag: true, nothing`,
		`/paging/cursor: true, nothing`,
		`/paging/maxCount: 1000, 200`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
