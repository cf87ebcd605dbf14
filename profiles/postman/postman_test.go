package postman_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/postman"
)

// The two attribute tables of the Microsoft Entra tutorial "Configure Postman for automatic user provisioning", row by row.
func TestProfileAgreesWithTheEntraTutorial(t *testing.T) {
	tests := []struct {
		resource, attribute, typ string
		filterable, required     bool
	}{
		{"User", "userName", "string", true, true},
		{"User", "active", "boolean", false, true},
		{"User", "name.givenName", "string", false, true},
		{"User", "name.familyName", "string", false, true},
		{"Group", "displayName", "string", true, true},
		{"Group", "members", "complex", false, false},
	}
	p := postman.Profile()
	for _, tt := range tests {
		t.Run(tt.resource+"/"+tt.attribute, func(t *testing.T) {
			r, ok := p.Resource(tt.resource)
			if !ok {
				t.Fatal("no such resource")
			}
			a, ok := r.Attribute(tt.attribute)
			if !ok {
				t.Fatal("no such attribute")
			}
			if a.Type != tt.typ {
				t.Errorf("type %s, want %s", a.Type, tt.typ)
			}
			if a.Required != tt.required {
				t.Errorf("required %v, want %v", a.Required, tt.required)
			}
			if tt.filterable && len(a.Filter) == 0 {
				t.Error("cannot be filtered on, but the tutorial matches on it")
			}
			if len(a.Filter) > 0 && !cmp.Equal(a.Filter, []string{"eq"}) {
				t.Errorf("filter operators %v, want eq alone", a.Filter)
			}
		})
	}
}

func TestOperations(t *testing.T) {
	want := map[string][]profiles.Operation{
		"User":  {profiles.Create, profiles.Read, profiles.List, profiles.Replace, profiles.Update},
		"Group": {profiles.Create, profiles.Read, profiles.List, profiles.Update, profiles.Delete},
	}
	got := map[string][]profiles.Operation{}
	for _, r := range postman.Profile().Resources {
		got[r.Name] = r.Operations
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRateLimits(t *testing.T) {
	perMinute := func(method string) int {
		for _, l := range postman.Profile().RateLimits {
			if l.Covers(method) && l.Window() == time.Minute {
				return l.Requests
			}
		}
		return 0
	}
	for method, want := range map[string]int{
		http.MethodGet: 300, http.MethodPost: 180, http.MethodPut: 180, http.MethodPatch: 180, http.MethodDelete: 180,
	} {
		if got := perMinute(method); got != want {
			t.Errorf("%s: %d a minute, want %d", method, got, want)
		}
	}
}

// Nobody shall have to take a guess for a promise: each statement has a source.
func TestEveryStatementHasItsSource(t *testing.T) {
	p := postman.Profile()
	missing, err := p.Unsourced()
	if err != nil {
		t.Fatal(err)
	}
	if len(missing) > 0 {
		t.Errorf("no fact says where these come from:\n%s", strings.Join(missing, "\n"))
	}
	for path, fact := range p.Facts {
		if fact.Basis == profiles.Documented && fact.Source == "" {
			t.Errorf("%s is documented, but the source is missing", path)
		}
		if fact.Basis == profiles.Inferred && fact.Note == "" {
			t.Errorf("%s is inferred, but from what?", path)
		}
	}
}

func TestBasisOfWhatIsNotPromised(t *testing.T) {
	tests := map[string]profiles.Basis{
		"/resources/User/attributes/userName/filter":       profiles.Documented,
		"/resources/User/attributes/externalId/mutability": profiles.Inferred,
		"/resources/User/filterLogic":                      profiles.Inferred,
		"/resources/Group/deleteEffect":                    profiles.Documented,
		"/paging/maxCount":                                 profiles.Inferred,
		"/rateLimits/write/requests":                       profiles.Documented,
		"/errors/retryAfterSeconds":                        profiles.Inferred,
	}
	for path, want := range tests {
		if got, ok := postman.Profile().Fact(path); !ok || got.Basis != want {
			t.Errorf("%s: %q, want %q", path, got.Basis, want)
		}
	}
}

func TestProfileIsTheCallers(t *testing.T) {
	postman.Profile().Resources[0].Endpoint = "/changed"
	if got := postman.Profile().Resources[0].Endpoint; got != "/Users" {
		t.Errorf("a change of one caller's profile shows in another's: %s", got)
	}
}

func ExampleProfile() {
	user, _ := postman.Profile().Resource("User")
	for _, a := range user.Attributes {
		if len(a.Filter) > 0 {
			fmt.Println(a.Path, "can be matched on with", a.Filter)
		}
	}
	fmt.Println("users can be deleted:", user.Offers(profiles.Delete))
	// Output:
	// userName can be matched on with [eq]
	// active can be matched on with [eq]
	// users can be deleted: false
}
