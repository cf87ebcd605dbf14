package postman_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
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

// Every fact must be about something that the profile says.
func TestFactsPointSomewhere(t *testing.T) {
	p := postman.Profile()
	data, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	for pointer, fact := range p.Facts {
		if !resolves(tree, pointer) {
			t.Errorf("fact %q is about nothing in the profile", pointer)
		}
		if fact.Basis == profiles.Documented && fact.Source == "" && fact.Note == "" {
			t.Errorf("fact %q is documented, but does not say where", pointer)
		}
	}
}

func resolves(tree any, pointer string) bool {
	for _, step := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		if pointer == "" {
			return true
		}
		switch node := tree.(type) {
		case map[string]any:
			next, ok := node[step]
			if !ok {
				return false
			}
			tree = next
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(node) {
				return false
			}
			tree = node[i]
		default:
			return false
		}
	}
	return true
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
