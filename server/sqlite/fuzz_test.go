package sqlite_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
)

// Cursors come from clients: one that nobody has given out is refused, or finds a page like any other.
func FuzzCursor(f *testing.F) {
	for _, after := range []string{
		`{"s":1}`, `{"s":-1}`, `{"s":1,"k":{"p":true,"t":"a"}}`, `{"s":9223372036854775807,"k":{}}`, `{"s":1,"k":{"p":true,"i":1,"f":1e300}}`,
		`{"s":1,"k":{"p":true,"t":"\u0000"}}`, `{`, `null`, `[]`, "\xff", `{"s":1e400}`,
	} {
		for order := range 3 {
			f.Add(after, order)
		}
	}
	s := open(f, filepath.Join(f.TempDir(), "scim.db"))
	create(f, s, user(1), user(2), user(3))
	orders := []string{"", "userName", "active", "meta.created", "emails.value", "id"}
	f.Fuzz(func(t *testing.T, after string, order int) {
		q := query(t, "User", "")
		q.After = after
		if path := orders[uint(order)%uint(len(orders))]; path != "" {
			a, ok := q.Schema.Lookup(path)
			if !ok {
				t.Fatalf("no attribute %s", path)
			}
			q.Order = server.Order{Attribute: a, Descending: order < 0}
		}
		page, err := s.Query(t.Context(), q)
		if e, refused := errors.AsType[*scim.Error](err); err != nil && (!refused || e.Status != http.StatusBadRequest) {
			t.Errorf("cursor %q: %v", after, err)
		}
		if err == nil && page.Total != 3 {
			t.Errorf("cursor %q: total %d", after, page.Total)
		}
	})
}
