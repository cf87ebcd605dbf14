package postgres_test

import (
	"fmt"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/internal/postgrestest"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/state/postgres"
)

// batch is how many records a cycle reads and records at a time.
const batch = 1024

func benchState(b *testing.B) *postgres.Store {
	b.Helper()
	server := postgrestest.Start(b, "fsync=on", "full_page_writes=on")
	s, err := postgres.Open(b.Context(), server.Database(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	release, err := s.Acquire(b.Context(), "job")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = release() })
	return s
}

func people(from, n int) (records []*provision.Record, ids []string) {
	for i := range n {
		id := fmt.Sprintf("E%07d", from+i)
		name := fmt.Sprintf("person.%d@example.com", from+i)
		doc := scim.Document{
			"userName": name, "active": true, "name": map[string]any{"givenName": "Given", "familyName": "Family"},
			"emails": []any{map[string]any{"value": name, "type": "work", "primary": true}},
		}
		ids = append(ids, id)
		records = append(records, &provision.Record{
			Head: provision.Head{SourceID: id, TargetID: "t-" + id, Digest: provision.Digest{byte(i)}, Flags: provision.Present | provision.InScope},
			Type: "User", Display: name, Matching: []string{"userName\x00" + name},
			Detail: provision.Detail{Want: provision.Want{Create: doc, Update: doc}, Sent: doc},
		})
	}
	return records, ids
}

func perSecond(b *testing.B, n int) {
	b.Helper()
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkAdd adds records as an initial cycle does.
func BenchmarkAdd(b *testing.B) {
	s := benchState(b)
	b.ReportAllocs()
	b.ResetTimer()
	added := 0
	for b.Loop() {
		b.StopTimer()
		records, _ := people(added, batch)
		added += batch
		b.StartTimer()
		if err := s.Commit(b.Context(), "job", &provision.Commit{Put: records}); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, batch)
}

// BenchmarkHeads reads what an incremental or unchanged cycle compares with.
func BenchmarkHeads(b *testing.B) {
	s := benchState(b)
	const n = 100 * batch
	for i := 0; i < n; i += batch {
		records, _ := people(i, batch)
		if err := s.Commit(b.Context(), "job", &provision.Commit{Put: records}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	next := 0
	for b.Loop() {
		b.StopTimer()
		_, ids := people(next, batch)
		next = (next + batch) % n
		b.StartTimer()
		heads, err := s.Heads(b.Context(), "job", "User", ids)
		if err != nil || len(heads) != batch {
			b.Fatal(len(heads), err)
		}
	}
	perSecond(b, batch)
}

// BenchmarkExport records single changes before and after they are sent, by as many as a job runs at once.
func BenchmarkExport(b *testing.B) {
	s := benchState(b)
	records, _ := people(0, batch)
	if err := s.Commit(b.Context(), "job", &provision.Commit{Put: records}); err != nil {
		b.Fatal(err)
	}
	next := make(chan *provision.Record, batch)
	for _, r := range records {
		next <- r
	}
	b.SetParallelism(4)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			r := <-next
			r.Flags ^= provision.Unsure
			if err := s.Commit(b.Context(), "job", &provision.Commit{Put: []*provision.Record{r}}); err != nil {
				b.Error(err)
			}
			next <- r
		}
	})
	perSecond(b, 1)
}
