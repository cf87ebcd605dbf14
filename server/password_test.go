package server_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

func TestPasswordsAreStoredAsHashes(t *testing.T) {
	store := memory.New()
	var seen []string
	h := newServiceOn(t, store, func(o *server.Options) {
		o.HashPasswords = true
		o.Hooks.BeforeCreate = func(_ context.Context, c *server.Change) error {
			seen = append(seen, fmt.Sprint("before ", c.New["password"]))
			return nil
		}
		o.Hooks.After = func(_ context.Context, c server.Change) {
			if password, ok := c.New["password"].(string); ok {
				seen = append(seen, "after "+password)
			}
		}
	})
	const urn = `"schemas":["` + scim.UserSchema + `"]`
	if answer := h.send("POST", "/Users", `{`+urn+`,"userName":"a","password":"first secret"}`); answer.Status != 201 || strings.Contains(answer.Body, "assword") {
		t.Fatalf("status %d: %s", answer.Status, answer.Body)
	}
	const id = "1"
	stored := func() string {
		t.Helper()
		r, err := store.Get(t.Context(), server.Key{Type: "User", ID: id})
		if err != nil {
			t.Fatal(err)
		}
		password, _ := r.Document["password"].(string)
		return password
	}
	first := stored()
	if !strings.HasPrefix(first, "$argon2id$v=19$m=19456,t=2,p=1$") || !server.VerifyPassword(first, "first secret") || server.VerifyPassword(first, "First secret") {
		t.Errorf("the store has the password %q", first)
	}
	if want := "before first secret"; seen[0] != want || seen[1] != "after "+first {
		t.Errorf("hooks have seen %q", seen)
	}
	patch := func(operation string) {
		t.Helper()
		body := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + operation + `]}`
		if answer := h.send("PATCH", "/Users/"+id, body); answer.Status != 200 && answer.Status != 204 {
			t.Errorf("PATCH %s: status %d: %s", operation, answer.Status, answer.Body)
		}
	}
	for _, change := range []struct {
		name string
		do   func()
		same bool
		want string
	}{
		{"PATCH of another attribute", func() { patch(`{"op":"replace","path":"title","value":"T"}`) }, true, "first secret"},
		{"PUT without the password", func() { h.send("PUT", "/Users/"+id, `{`+urn+`,"userName":"b"}`) }, true, "first secret"},
		{"PATCH with the same password", func() { patch(`{"op":"replace","path":"password","value":"first secret"}`) }, false, "first secret"},
		{"PATCH with another", func() { patch(`{"op":"replace","value":{"password":"second"}}`) }, false, "second"},
		{"PUT with another", func() { h.send("PUT", "/Users/"+id, `{`+urn+`,"userName":"b","password":"third"}`) }, false, "third"},
		{"a password that looks like a hash", func() { patch(`{"op":"replace","path":"password","value":"` + first + `"}`) }, false, first},
	} {
		before := stored()
		change.do()
		after := stored()
		if change.same && after != before {
			t.Errorf("%s: the hash was made anew", change.name)
		}
		if after == change.want || !server.VerifyPassword(after, change.want) {
			t.Errorf("%s: the store has %q", change.name, after)
		}
	}
	patch(`{"op":"remove","path":"password"}`)
	if got := stored(); got != "" {
		t.Errorf("after its removal the password is %q", got)
	}
}

// Passwords that were stored before the option was on become hashes when their user is changed.
func TestPasswordsDoNotReachTheHookAfter(t *testing.T) {
	for hashed, want := range map[bool]bool{true: false, false: true} {
		var seen []string
		h := newService(t, func(o *server.Options) {
			o.HashPasswords = hashed
			o.Hooks.After = func(_ context.Context, c server.Change) { seen = append(seen, fmt.Sprintf("%+v", c)) }
		})
		h.create("/Users", `{"userName":"a","password":"first secret"}`)
		for _, op := range []string{
			`{"op":"replace","path":"password","value":"first secret"}`,
			`{"op":"add","value":{"title":"T","` + scim.UserSchema + `:PassWord":"second secret"}}`,
			`{"op":"add","value":{"` + scim.UserSchema + `":{"password":"third secret"}}}`,
			`{"op":"remove","path":"PASSWORD","value":"third secret"}`,
			`{"op":"add","path":"title","value":"no surprise"}`,
		} {
			h.patch("/Users/1", op).want(200)
		}
		h.send("PUT", "/Users/1", `{"userName":"a","password":"fourth secret"}`).want(200)
		all := strings.Join(seen, "\n")
		if got := strings.Contains(all, " secret"); got != want || !strings.Contains(all, "no surprise") || len(seen) != 7 {
			t.Errorf("hashed %t: the hook has seen %d changes:\n%s", hashed, len(seen), all)
		}
	}
}

func TestPlainPasswordsBecomeHashes(t *testing.T) {
	store := memory.New()
	newServiceOn(t, store).send("POST", "/Users", `{"schemas":["`+scim.UserSchema+`"],"userName":"a","password":"plain"}`)
	h := newServiceOn(t, store, func(o *server.Options) { o.HashPasswords = true })
	h.send("PATCH", "/Users/1", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"title","value":"T"}]}`)
	r, err := store.Get(t.Context(), server.Key{Type: "User", ID: "1"})
	if err != nil {
		t.Fatal(err)
	}
	if password, _ := r.Document["password"].(string); !server.VerifyPassword(password, "plain") {
		t.Errorf("the store has %q", password)
	}
}

func TestVerifyPasswordRefusesWhatIsNoHash(t *testing.T) {
	for _, hash := range []string{
		"", "plain", "$argon2id$v=19$m=19456,t=2,p=1$$", "$argon2id$v=19$m=4294967295,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=0,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "$2a$10$abc", "$$$$$",
	} {
		if server.VerifyPassword(hash, "plain") || server.VerifyPassword(hash, "") {
			t.Errorf("%q is a hash of a password", hash)
		}
	}
}
