package client_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/catalog"
	"github.com/scimbridge/scim/schema"
)

// randomValue returns a value of an attribute, nil for none. There are few, so that two documents often have the same.
func randomValue(r *rand.Rand, a *schema.Attribute) any {
	if a.Mutability == schema.ReadOnly || a.Sensitive() || !a.Required && r.IntN(3) == 0 {
		return nil
	}
	if !a.MultiValued {
		return randomSingle(r, a)
	}
	var elements []any
	seen := map[string]bool{}
	for range r.IntN(4) {
		v := randomSingle(r, a)
		object, ok := v.(map[string]any)
		if ok {
			delete(object, "primary")
		}
		if key := fmt.Sprint(object["value"], object["type"]); v != nil && !seen[key] && (!ok || object["value"] != nil) {
			elements, seen[key] = append(elements, v), true
			seen[fmt.Sprint(object["value"])] = true
		}
	}
	if len(elements) > 0 && r.IntN(2) == 0 {
		if object, ok := elements[0].(map[string]any); ok {
			if _, has := a.SubAttribute("primary"); has {
				object["primary"] = true
			}
		}
	}
	if len(elements) == 0 {
		return nil
	}
	return elements
}

func randomSingle(r *rand.Rand, a *schema.Attribute) any {
	switch a.Type {
	case schema.Boolean:
		return r.IntN(2) == 0
	case schema.Reference:
		return nil // they follow from the values
	case schema.Binary:
		return []string{"QQ==", "Qg=="}[r.IntN(2)]
	case schema.Complex:
		object := map[string]any{}
		for _, sub := range a.Sub {
			if v := randomValue(r, sub); v != nil && sub.Mutability != schema.Immutable || sub.Name == "value" {
				object[sub.Name] = v
			}
		}
		if object["value"] == nil {
			delete(object, "value")
		}
		if len(object) == 0 {
			return nil
		}
		return object
	}
	return []string{"a@example.com", "b@example.com", `c"d\@example.com`, "work", "home"}[r.IntN(5)]
}

func randomDocument(t *testing.T, r *rand.Rand, s *schema.Schema) scim.Document {
	t.Helper()
	doc := scim.Document{"id": "1"}
	for a := range s.Attributes() {
		into := map[string]any(doc)
		if a.URN != "" {
			inner, ok := doc[a.URN].(map[string]any)
			if !ok {
				inner = map[string]any{}
				doc[a.URN] = inner
			}
			into = inner
		}
		if v := randomValue(r, a); v != nil && a.Name != "schemas" {
			into[a.Name] = v
		}
	}
	canonical, err := s.Canonical(doc, schema.Options{Mode: schema.ModeAny})
	if err != nil {
		t.Fatal(err)
	}
	return canonical
}

// TestUpdatesOfEveryProfileLeadToWhatIsWanted does what a correct service does with the requests of an update, for every profile there is.
// Afterwards nothing is left to be changed.
func TestUpdatesOfEveryProfileLeadToWhatIsWanted(t *testing.T) {
	known := map[string]*profiles.Profile{"none": nil}
	for _, name := range catalog.Names() {
		p, err := catalog.Profile(name)
		if err != nil {
			t.Fatal(err)
		}
		known[name] = p
	}
	schemas := map[string]*schema.Schema{"User": schema.User(), "Group": schema.Group()}
	for name, p := range known {
		for typ, s := range schemas {
			t.Run(name+"/"+typ, func(t *testing.T) {
				c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
					return response(http.StatusNotFound, `{}`), nil // it has no ServiceProviderConfig
				}), client.WithProfile(p))
				r := rand.New(rand.NewPCG(7, uint64(len(name))))
				for range 150 {
					a, b := randomDocument(t, r, s), randomDocument(t, r, s)
					if r.IntN(2) == 0 {
						b = maps.Clone(b)
						for k := range a {
							if r.IntN(4) > 0 {
								b[k] = a[k]
							}
						}
					}
					checkUpdate(t, c.Documents(typ), s, p, a, b)
					if t.Failed() {
						return
					}
				}
			})
		}
	}
}

func checkUpdate(t *testing.T, r *client.Resources[scim.Document], s *schema.Schema, p *profiles.Profile, a, b scim.Document) {
	t.Helper()
	changes, err := r.PlanUpdate(t.Context(), a, b)
	if err != nil {
		t.Fatalf("%v\nfrom %v\nto   %v", err, a, b)
	}
	doc := a
	for _, change := range changes {
		if change.Method == http.MethodPatch {
			result, err := patch.Apply(s, doc, change.Operations, patch.Options{})
			if err != nil {
				t.Fatalf("%v\nfrom %v\nto   %v\nby   %v", err, a, b, change)
			}
			doc = result.Document
			continue
		}
		replaced := maps.Clone(change.Resource)
		known, ok := p.Resource(map[bool]string{true: "User", false: "Group"}[s.URN() == scim.UserSchema])
		if ok && known.Put == profiles.PutMerges {
			replaced = maps.Clone(doc)
			maps.Copy(replaced, change.Resource)
		}
		if doc, err = s.Canonical(replaced, schema.Options{Mode: schema.ModeAny}); err != nil {
			t.Fatalf("%v\nfrom %v\nto   %v\nby   %v", err, a, b, change)
		}
		doc["id"] = "1"
	}
	left, err := r.PlanUpdate(t.Context(), doc, b)
	if err != nil || len(left) > 0 {
		t.Errorf("still to do: %v, %v\nfrom %v\nto   %v\nby   %v", left, err, a, b, changes)
	}
}
