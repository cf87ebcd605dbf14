package provision_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/state/sqlite"
)

// crowd is a source of many people, made up as they are read.
type crowd int

func (n crowd) Entries(_ context.Context, objectType string) iter.Seq2[provision.Entry, error] {
	return func(yield func(provision.Entry, error) bool) {
		if objectType != "User" {
			return
		}
		for i := range int(n) {
			e := provision.Entry{ID: fmt.Sprintf("E%07d", i), Attributes: map[string]any{
				"userPrincipalName": fmt.Sprintf("person.%d@example.com", i), "givenName": "Given", "surname": "Family",
				"department": "Engineering", "accountEnabled": true,
			}}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (n crowd) Lookup(context.Context, string, []string) ([]provision.Entry, error) { return nil, nil }

// BenchmarkUnchangedCycle reads a directory of which nothing changed: what a job does most of the time. SCIMBRIDGE_PEOPLE is how many
// people it has.
func BenchmarkUnchangedCycle(b *testing.B) {
	job, _ := crowdJob(b, filepath.Join(b.TempDir(), "state.db"))
	begin := time.Now()
	if s, err := job.RunCycle(b.Context()); err != nil || !s.InStep() {
		b.Fatalf("%v, %v", s, err)
	}
	initial := time.Since(begin)
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		s, err := job.RunCycle(b.Context())
		if err != nil || s.Changed() != 0 || s.Types[0].InStep != people(b) {
			b.Fatalf("%+v, %v", s, err)
		}
	}
	reportCycles(b)
	b.ReportMetric(float64(people(b))/initial.Seconds(), "initial-objects/s")
}

// BenchmarkInitialCycle provisions a directory into an empty target that takes everything at once.
func BenchmarkInitialCycle(b *testing.B) {
	for b.Loop() {
		job, _ := crowdJob(b, filepath.Join(b.TempDir(), "state.db"))
		if s, err := job.RunCycle(b.Context()); err != nil || s.Changed() != people(b) {
			b.Fatalf("%v, %v", s, err)
		}
	}
	reportCycles(b)
}

// BenchmarkAdoptingCycle takes over a target that has everybody already.
func BenchmarkAdoptingCycle(b *testing.B) {
	for b.Loop() {
		job, target := crowdJob(b, filepath.Join(b.TempDir(), "state.db"))
		target.everybody = people(b)
		if s, err := job.RunCycle(b.Context()); err != nil || s.Types[0].Actions[provision.ActionLink] != people(b) {
			b.Fatalf("%+v, %v", s, err)
		}
	}
	reportCycles(b)
}

func people(b *testing.B) int {
	text := os.Getenv("SCIMBRIDGE_PEOPLE")
	if text == "" {
		return 20_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func crowdJob(b *testing.B, path string) (*provision.Job, *sink) {
	b.Helper()
	state, err := sqlite.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = state.Close() })
	target := &sink{application: newApplication()}
	compiled, err := mapping.Compile(userMapping(), mapping.WithProfile(target.profile))
	if err != nil {
		b.Fatal(err)
	}
	job, err := provision.New(provision.Config{
		Name: "job", Source: crowd(people(b)), Target: target, State: state, Mappings: []*mapping.Mapping{compiled},
	})
	if err != nil {
		b.Fatal(err)
	}
	return job, target
}

// reportCycles tells how fast cycles were, and the most memory that the process ever had, as the operating system counts it.
func reportCycles(b *testing.B) {
	b.ReportMetric(float64(people(b))*float64(b.N)/b.Elapsed().Seconds(), "objects/s")
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmHWM:" {
			kilobytes, _ := strconv.ParseFloat(fields[1], 64)
			b.ReportMetric(kilobytes/1024, "peak-MB")
		}
	}
}

// sink is a target that takes everything and keeps nothing. It may have everybody from the beginning.
type sink struct {
	*application
	everybody int
}

func (s *sink) Create(_ context.Context, _ string, doc scim.Document) (scim.Document, error) {
	made := doc.Clone()
	made["id"] = "t-" + doc["userName"].(string)
	return made, nil
}

func (s *sink) List(context.Context, string) iter.Seq2[scim.Document, error] {
	return func(yield func(scim.Document, error) bool) {
		for i := range s.everybody {
			name := fmt.Sprintf("person.%d@example.com", i)
			doc := scim.Document{
				"id": "t-" + name, "userName": name, "active": true, "name": map[string]any{"givenName": "Given", "familyName": "Family"},
			}
			if !yield(doc, nil) {
				return
			}
		}
	}
}
