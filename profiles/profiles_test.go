package profiles_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/profiles"
)

const small = `{
  "name": "widgets",
  "resources": [{
    "name": "User", "endpoint": "/Users", "schema": "urn:ietf:params:scim:schemas:core:2.0:User",
    "operations": ["create", "list", "update"],
    "attributes": [{"path": "userName", "type": "string", "required": true, "filter": ["eq"]}]
  }]
}`

func TestDecodeRefusesWhatNobodyWouldFollow(t *testing.T) {
	tests := []struct {
		name, old, new, want string
	}{
		{"unknown field", `"required": true`, `"requierd": true`, "requierd"},
		{"unknown field of a dialect", `"operations"`, `"patch": {"shouting": true}, "operations"`, "shouting"},
		{"unknown form", `"operations"`, `"patch": {"form": "loud"}, "operations"`, "loud"},
		{"name", `"widgets"`, `"Widgets Ltd"`, "name"},
		{"operation", `"update"`, `"updaet"`, `"updaet" is not one of`},
		{"type", `"type": "string"`, `"type": "text"`, "resources/User/attributes/userName/type"},
		{"operator", `["eq"]`, `["equals"]`, `"equals" is not one of`},
		{"path", `"userName"`, `"user name"`, "is not an attribute path"},
		{"deactivate without active", `"operations"`, `"deprovision": "deactivate", "operations"`, "needs an attribute active"},
		{"delete without the operation", `"operations"`, `"deprovision": "delete", "operations"`, "delete is not among"},
		{"PATCH attribute that is not there", `"operations"`, `"patchAttributes": ["title"], "operations"`, `"title" is not among`},
		{"basis", `"resources"`, `"facts": {"": {"basis": "rumour"}}, "resources"`, "rumour"},
		{"rate", `"resources"`, `"rateLimits": [{"name": "read", "requests": 0, "seconds": 60}], "resources"`, "rateLimits/read"},
		{"fact about nothing", `"resources"`, `"facts": {"/resources/User/title": {"basis": "observed"}}, "resources"`, "about nothing"},
		{"quirk", `"resources"`, `"quirks": ["odd"], "resources"`, `"odd" is not one of`},
		{"filter logic", `"operations"`, `"filterLogic": "xor", "operations"`, "resources/User/filterLogic"},
		{"authentication", `"resources"`, `"authentication": [{"type": "handshake"}], "resources"`, `"handshake" is not one of`},
		{"base URL without TLS", `"resources"`, `"baseUrls": [{"name": "eu", "url": "http://scim.example.com/"}], "resources"`, "baseUrls/eu"},
		{"base URL with a password", `"resources"`, `"baseUrls": [{"name": "eu", "url": "https://a:b@scim.example.com/"}], "resources"`, "baseUrls/eu"},
		{"negative page", `"resources"`, `"paging": {"maxCount": -1}, "resources"`, "paging/maxCount"},
		{"negative members", `"operations"`, `"maxMembers": -1, "operations"`, "resources/User/maxMembers"},
		{"refusal that is none", `"resources"`, `"errors": {"refusals": [{"status": 200, "when": "always"}]}, "resources"`, "errors/refusals/0/status"},
		{"refusal without reason", `"resources"`, `"errors": {"refusals": [{"status": 400}]}, "resources"`, "errors/refusals/0/when"},
		{"error body", `"resources"`, `"errors": {"refusals": [{"status": 400, "when": "x", "body": "xml"}]}, "resources"`, "errors/refusals/0/body"},
		{"duplicate name", `"name": "widgets"`, `"name": "widgets", "name": "gadgets"`, "duplicate"},
		{"text after", small, small + "{}", "invalid character"},
	}
	if _, err := profiles.Decode([]byte(small)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := profiles.Decode([]byte(strings.Replace(small, tt.old, tt.new, 1)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestEncodeRoundTrip(t *testing.T) {
	for _, p := range []*profiles.Profile{profiles.Generic(), decode(t, small)} {
		data, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, decode(t, string(data))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p.Name, diff)
		}
	}
}

func decode(t *testing.T, text string) *profiles.Profile {
	t.Helper()
	p, err := profiles.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNamesAreMatchedInAnyCase(t *testing.T) {
	r, ok := decode(t, small).Resource("user")
	if !ok {
		t.Fatal("no resource for user")
	}
	if _, ok := r.Attribute("USERNAME"); !ok {
		t.Error("no attribute for USERNAME")
	}
	if _, ok := r.Attribute("nickName"); ok {
		t.Error("an attribute that is not there was found")
	}
	if r.Offers(profiles.Delete) || !r.Offers(profiles.Create) {
		t.Error("operations offered are wrong")
	}
}

func TestRateLimitCovers(t *testing.T) {
	writes := profiles.RateLimit{Methods: []string{"POST", "PATCH"}}
	if !writes.Covers("patch") || writes.Covers("GET") {
		t.Error("a limit must cover its methods and no others")
	}
	if !(profiles.RateLimit{}).Covers("GET") {
		t.Error("a limit that names no method covers all")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(small))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := profiles.Decode(data)
		if err != nil {
			return
		}
		again, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := profiles.Decode(again); err != nil {
			t.Fatal(err)
		}
	})
}

func TestFactOfTheNearestValue(t *testing.T) {
	p := decode(t, strings.Replace(small, `"resources"`, `"facts": {
		"/resources/User": {"basis": "documented", "source": "manual"},
		"/resources/User/attributes/userName/filter": {"basis": "observed", "source": "GET"}
	}, "paging": {"maxCount": 50}, "resources"`, 1))
	for path, want := range map[string]profiles.Basis{
		"/resources/User/operations/create":             profiles.Documented,
		"/resources/User/attributes/userName/type":      profiles.Documented,
		"/resources/User/attributes/userName/filter":    profiles.Observed,
		"/resources/User/attributes/userName/filter/eq": profiles.Observed,
		"/paging/maxCount":                              "",
	} {
		if f, ok := p.Fact(path); f.Basis != want || ok != (want != "") {
			t.Errorf("%s: basis %q, want %q", path, f.Basis, want)
		}
	}
	missing, err := p.Unsourced()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/paging/maxCount"}, missing); diff != "" {
		t.Errorf("unsourced (-want +got):\n%s", diff)
	}
}

func TestCompare(t *testing.T) {
	a := decode(t, small)
	b := decode(t, strings.NewReplacer(
		`"widgets"`, `"gadgets", "title": "Gadgets"`,
		`"create", "list", "update"`, `"update", "create", "delete"`,
		`"filter": ["eq"]`, `"filter": ["eq", "sw"], "format": "email"`,
		`"resources"`, `"paging": {"maxCount": 50}, "resources"`,
	).Replace(small))
	got, err := profiles.Compare(a, b)
	if err != nil {
		t.Fatal(err)
	}
	want := []profiles.Difference{
		{Path: "/paging", B: `{"maxCount":50}`},
		{Path: "/resources/User/attributes/userName/filter/sw", B: `"sw"`},
		{Path: "/resources/User/attributes/userName/format", B: `"email"`},
		{Path: "/resources/User/operations/delete", B: `"delete"`},
		{Path: "/resources/User/operations/list", A: `"list"`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := profiles.Compare(a, a); err != nil || len(got) != 0 {
		t.Errorf("a profile differs from itself: %v %v", got, err)
	}
	if text := want[4].String(); text != `/resources/User/operations/list: "list", nothing` {
		t.Error(text)
	}
}

func TestLoad(t *testing.T) {
	write := func(name, text string) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	whole, err := profiles.Generic().Encode()
	if err != nil {
		t.Fatal(err)
	}
	p, err := profiles.Load(write("whole.json", string(whole)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(profiles.Generic(), p); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		write("broken.json", `{"name":`):                     "broken.json",
		write("misspelt.json", `{"name":"x","resource":[]}`): `"resource"`,
		write("large.json", strings.Repeat(" ", 2<<20)):      "larger than 1048576 bytes",
		filepath.Join(t.TempDir(), "nothing.json"):           "nothing.json",
		t.TempDir(): "directory",
	} {
		if _, err := profiles.Load(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", name, err, want)
		}
	}
}

func TestNothingIsKnownWithoutAProfile(t *testing.T) {
	var none *profiles.Profile
	if _, ok := none.Resource("User"); ok || none.Has(profiles.StringFilterBooleans) {
		t.Error("a nil profile knows something")
	}
	if p := (&profiles.Profile{Quirks: []profiles.Quirk{profiles.MembersNullAfterUpdate}}); !p.Has(profiles.MembersNullAfterUpdate) || p.Has(profiles.StringFilterBooleans) {
		t.Error("Has does not tell the oddities apart")
	}
}

// The generic profile forbids nothing that RFC 7644 allows: groups are created with their members, and may be members.
func TestGenericForbidsNothing(t *testing.T) {
	p := profiles.Generic()
	if missing, err := p.Unsourced(); err != nil || !slices.IsSorted(missing) || p.Validate() != nil {
		t.Errorf("unsourced %v, error %v, validation %v", missing, err, p.Validate())
	}
	for _, name := range []string{"User", "Group"} {
		r, ok := p.Resource(name)
		if !ok {
			t.Fatalf("no %s", name)
		}
		for _, o := range []profiles.Operation{profiles.Create, profiles.Read, profiles.List, profiles.Replace, profiles.Update, profiles.Delete} {
			if !r.Offers(o) {
				t.Errorf("%s: no %s", name, o)
			}
		}
		if name == "Group" && (!r.MembersOnCreate || !r.NestedGroups || r.MaxMembers != 0) {
			t.Errorf("groups: %+v", r)
		}
		if len(r.Attributes) > 0 || r.FilterLogic != profiles.AllLogic {
			t.Errorf("%s: attributes %v, filter logic %q", name, r.Attributes, r.FilterLogic)
		}
	}
}
