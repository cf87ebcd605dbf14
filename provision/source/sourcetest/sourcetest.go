// Package sourcetest checks that a source does what package provision asks of one.
//
//	func TestSource(t *testing.T) {
//		sourcetest.Test(t, mySource, "User", "1", "2")
//	}
package sourcetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/provision"
)

// Test checks a source that holds exactly the objects of a type with the ids, two or more, and does not change meanwhile.
func Test(t *testing.T, s provision.Source, objectType string, ids ...string) {
	t.Helper()
	if len(ids) < 2 {
		t.Fatal("sourcetest: two ids are needed")
	}
	t.Run("entries come once each and the same each time", func(t *testing.T) {
		first, second := all(t, s, objectType), all(t, s, objectType)
		var got []string
		for id := range first {
			got = append(got, id)
		}
		slices.Sort(got)
		want := slices.Sorted(slices.Values(ids))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ids (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("a second read differs:\n%s", diff)
		}
	})
	t.Run("a read can be given up", func(t *testing.T) {
		for range s.Entries(t.Context(), objectType) {
			break
		}
	})
	t.Run("a read ends with its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, err := range s.Entries(ctx, objectType) {
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("err = %v, want the context's", err)
			}
		}
	})
	t.Run("an unknown type has no entries", func(t *testing.T) {
		if got := all(t, s, "No such type"); len(got) != 0 {
			t.Errorf("got %v", got)
		}
	})
	t.Run("lookup finds what is there", func(t *testing.T) { lookup(t, s, objectType, ids) })
	t.Run("values are of the kinds that mappings know", func(t *testing.T) {
		for _, e := range all(t, s, objectType) {
			if bad := unknown(e.Attributes); bad != nil {
				t.Errorf("%s: a value of type %T", e.ID, bad)
			}
		}
	})
	if c, ok := s.(provision.CountSource); ok {
		t.Run("count agrees", func(t *testing.T) {
			if n, err := c.Count(t.Context(), objectType); err != nil || n != -1 && n != len(ids) {
				t.Errorf("Count = %d, %v, want %d", n, err, len(ids))
			}
		})
	}
	if c, ok := s.(provision.ChangeSource); ok {
		t.Run("nothing has changed since now", func(t *testing.T) { unchanged(t, c, objectType) })
	}
}

func all(t *testing.T, s provision.Source, objectType string) map[string]provision.Entry {
	t.Helper()
	entries := map[string]provision.Entry{}
	for e, err := range s.Entries(t.Context(), objectType) {
		if err != nil {
			t.Fatal(err)
		}
		if _, again := entries[e.ID]; again || e.ID == "" {
			t.Errorf("id %q comes twice, or is empty", e.ID)
		}
		entries[e.ID] = e
	}
	return entries
}

func lookup(t *testing.T, s provision.Source, objectType string, ids []string) {
	want := all(t, s, objectType)
	found, err := s.Lookup(t.Context(), objectType, []string{ids[1], "no such id"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]provision.Entry{want[ids[1]]}, found); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func unchanged(t *testing.T, s provision.ChangeSource, objectType string) {
	mark, err := s.Watermark(t.Context())
	if err != nil || mark == "" {
		t.Fatalf("Watermark = %q, %v", mark, err)
	}
	for e, err := range s.Changes(t.Context(), objectType, mark) {
		if err != nil && !errors.Is(err, provision.ErrWatermarkExpired) {
			t.Errorf("err = %v", err)
		}
		if err == nil && e.ID == "" {
			t.Error("a change without id")
		}
	}
	for _, err := range s.Changes(t.Context(), objectType, "no such watermark") {
		if err != nil && !errors.Is(err, provision.ErrWatermarkExpired) {
			t.Errorf("an unknown watermark: err = %v, want ErrWatermarkExpired", err)
		}
	}
}

// unknown returns a value of a kind that mappings do not know, or nil.
func unknown(v any) any {
	switch v := v.(type) {
	case nil, string, bool, int64, float64, time.Time:
		return nil
	case []any:
		for _, e := range v {
			if bad := unknown(e); bad != nil {
				return bad
			}
		}
		return nil
	case map[string]any:
		for _, e := range v {
			if bad := unknown(e); bad != nil {
				return bad
			}
		}
		return nil
	}
	return v
}
