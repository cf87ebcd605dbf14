package provision_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles"
)

func TestValuesThatAreOnlyAdded(t *testing.T) {
	w := newWorld(t)
	w.app.profile.Resources[0].Attributes = append(w.app.profile.Resources[0].Attributes, profiles.Attribute{Path: "badges", Type: "string", MultiValued: true})
	w.mappings[0].Attributes[4] = mapping.AttributeMapping{Target: "badges", Source: "badges", Apply: mapping.AddValues, Type: mapping.TypeString, MultiValued: true}
	id := w.app.put("User", scim.Document{"userName": "ada@example.com", "active": true, "badges": []any{"own"}, "name": map[string]any{"familyName": "X"}})
	w.source.user("1", "ada@example.com", "badges", []any{"a", "b"})
	w.cycle()
	w.source.user("1", "ada@example.com", "badges", []any{"b", "c"})
	w.cycle()
	if diff := cmp.Diff([]any{"own", "a", "b", "c"}, w.app.objects["User"][id]["badges"]); diff != "" {
		t.Error(diff)
	}
	if _, writes := w.cycle(); len(writes) != 0 {
		t.Errorf("a quiet cycle wrote %q", writes)
	}
}

func TestReferencesForNewObjectsOnly(t *testing.T) {
	w := newWorld(t)
	w.mappings[0].Attributes[4] = mapping.AttributeMapping{Target: "manager", Source: "boss", Type: mapping.TypeReference, Apply: mapping.OnCreate}
	w.app.put("User", scim.Document{"userName": "old@example.com", "active": true, "name": map[string]any{"familyName": "X"}})
	w.source.user("1", "ada@example.com", "boss", "2")
	w.source.user("2", "ben@example.com")
	w.source.user("3", "old@example.com", "boss", "2")
	w.cycle()
	want := []string{
		"user ada@example.com Given1 Family1 active=true manager=ben@example.com", "user ben@example.com Given2 Family2 active=true",
		"user old@example.com Given3 Family3 active=true",
	}
	wantPicture(t, w, want...)
	w.source.user("1", "ada@example.com", "boss", "3")
	w.cycle()
	wantPicture(t, w, want...)
	if s, writes := w.cycle(); len(writes) != 0 || !s.InStep() {
		t.Errorf("a quiet cycle wrote %q", writes)
	}
}

// spy keeps what updates were told.
type spy struct {
	*application
	before []scim.Document
}

func (s *spy) Update(ctx context.Context, resourceType, id string, before, after scim.Document) error {
	s.before = append(s.before, before)
	return s.application.Update(ctx, resourceType, id, before, after)
}

func TestValuesThatAreSentWithEachUpdate(t *testing.T) {
	w := newWorld(t)
	w.mappings[0].Attributes[4].FlowAlways = true
	s := &spy{application: w.app}
	w.target = s
	w.source.user("1", "ada@example.com", "jobTitle", "Engineer")
	w.cycle()
	if _, writes := w.cycle(); len(writes) != 0 {
		t.Errorf("a quiet cycle wrote %q", writes)
	}
	w.source.user("1", "ada@example.com", "jobTitle", "Engineer", "surname", "Changed")
	w.cycle()
	if len(s.before) != 1 || s.before[0]["title"] != nil || s.before[0]["userName"] != "ada@example.com" {
		t.Errorf("updates were told the target holds %v", s.before)
	}
}
