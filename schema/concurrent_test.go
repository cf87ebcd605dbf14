package schema_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// TestConcurrentUse is for the race detector: one schema, one projection and one document serve many readers.
func TestConcurrentUse(t *testing.T) {
	s := schema.User()
	doc, err := s.Canonical(decode(t, fullUser), schema.Options{Mode: schema.ModeAny})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Projection([]string{"name.familyName,emails.value"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := s.Project(doc, p)
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for range 20 {
				if _, err := s.Canonical(doc, schema.Options{Tolerant: true}); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(want, s.Project(doc, p)); diff != "" {
					t.Error(diff)
				}
				if replaced, err := s.Replace(doc, scim.Document{"userName": "b"}); err != nil || replaced.ID() != doc.ID() {
					t.Errorf("%v, %v", replaced, err)
				}
				s.Lookup("NAME.familyName")
				s.Definitions()
			}
		})
	}
	readers.Wait()
}
