package provision_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

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
	people := 20_000
	if text := os.Getenv("SCIMBRIDGE_PEOPLE"); text != "" {
		var err error
		if people, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	state, err := sqlite.Open(filepath.Join(b.TempDir(), "state.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = state.Close() }()
	app := newApplication()
	compiled, err := mapping.Compile(userMapping(), mapping.WithProfile(app.profile))
	if err != nil {
		b.Fatal(err)
	}
	job, err := provision.New(provision.Config{
		Name: "job", Source: crowd(people), Target: &sink{app}, State: state, Mappings: []*mapping.Mapping{compiled},
	})
	if err != nil {
		b.Fatal(err)
	}
	if s, err := job.RunCycle(b.Context()); err != nil || !s.InStep() {
		b.Fatalf("%v, %v", s, err)
	}
	var memory runtime.MemStats
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		s, err := job.RunCycle(b.Context())
		if err != nil || s.Changed() != 0 || s.Types[0].InStep != people {
			b.Fatalf("%+v, %v", s, err)
		}
	}
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(people)*float64(b.N)/b.Elapsed().Seconds(), "objects/s")
	b.ReportMetric(float64(memory.Sys)/(1<<20), "MB")
}

// sink is a target that takes everything and keeps nothing.
type sink struct{ *application }

func (s *sink) Create(_ context.Context, _ string, doc scim.Document) (scim.Document, error) {
	made := doc.Clone()
	made["id"] = "t-" + doc["userName"].(string)
	return made, nil
}

func (s *sink) List(context.Context, string) iter.Seq2[scim.Document, error] {
	return func(func(scim.Document, error) bool) {}
}
