package sqlite_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

// A password that is stored as a hash is nowhere in the file, and not in its log either.
func TestPasswordIsNotInTheFile(t *testing.T) {
	const secret = "correct horse battery staple"
	for _, hashed := range []bool{true, false} {
		path := filepath.Join(t.TempDir(), "scim.db")
		store := open(t, path)
		handler, err := server.New(store, server.Options{Authenticator: server.Anonymous(), HashPasswords: hashed})
		if err != nil {
			t.Fatal(err)
		}
		send := func(method, path, body string, want int) {
			t.Helper()
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
			if w.Code != want || strings.Contains(w.Body.String(), "assword") {
				t.Errorf("%s: status %d: %s", method, w.Code, w.Body)
			}
		}
		send("POST", "/Users", `{"schemas":["`+scim.UserSchema+`"],"userName":"a","password":"`+secret+`"}`, http.StatusCreated)
		page, err := store.Query(t.Context(), server.Query{Type: "User", Schema: schema.User(), Limit: 1})
		if err != nil || len(page.Resources) != 1 {
			t.Fatalf("%v, %v", page, err)
		}
		send("PATCH", "/Users/"+page.Resources[0].ID, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],`+
			`"Operations":[{"op":"replace","value":{"password":"`+secret+`","title":"T"}}]}`, http.StatusOK)
		found := false
		for _, suffix := range []string{"", "-wal", "-shm"} {
			data, err := os.ReadFile(path + suffix)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			found = found || bytes.Contains(data, []byte(secret))
		}
		if found == hashed {
			t.Errorf("hashed %v: the password is in the file: %v", hashed, found)
		}
	}
}
