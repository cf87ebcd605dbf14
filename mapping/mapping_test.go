package mapping_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
)

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// object is a JSON object in tests.
type object = map[string]any

// users makes a mapping of users with some attribute mappings.
func users(attributes ...mapping.AttributeMapping) mapping.ObjectMapping {
	return mapping.ObjectMapping{Name: "Users", Source: "User", Target: "User", Attributes: attributes}
}

// mapOne maps one object.
func mapOne(t *testing.T, definition mapping.ObjectMapping, source object, opts ...mapping.Option) mapping.Result {
	t.Helper()
	m, err := mapping.Compile(definition, opts...)
	if err != nil {
		t.Fatal(err)
	}
	before := maps.Clone(source)
	result, err := m.Map(context.Background(), source, mapping.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, source); diff != "" {
		t.Errorf("the source object changed (-before +after):\n%s", diff)
	}
	return result
}

var ignoreUnexported = cmpopts.IgnoreUnexported(mapping.Match{}, mapping.Reference{})

func TestTargets(t *testing.T) {
	tests := []struct {
		name    string
		mapping mapping.AttributeMapping
		value   any
		want    scim.Document
	}{
		{"a plain attribute", mapping.AttributeMapping{Target: "title"}, "Lead", scim.Document{"title": "Lead"}},
		{"spelled otherwise", mapping.AttributeMapping{Target: "USERNAME"}, "a", scim.Document{"userName": "a"}},
		{"a sub-attribute", mapping.AttributeMapping{Target: "name.givenName"}, "Zoë", scim.Document{"name": object{"givenName": "Zoë"}}},
		{"after the core schema's URN", mapping.AttributeMapping{Target: "urn:ietf:params:scim:schemas:core:2.0:User:name.GivenName"}, "Zoë", scim.Document{"name": object{"givenName": "Zoë"}}},
		{"of an extension", mapping.AttributeMapping{Target: enterprise + ":department"}, "Ops", scim.Document{enterprise: object{"department": "Ops"}}},
		{"of an extension nobody knows", mapping.AttributeMapping{Target: "urn:ietf:params:scim:schemas:extension:Meridian:2.0:User:costCentre"}, "7", scim.Document{"urn:ietf:params:scim:schemas:extension:Meridian:2.0:User": object{"costCentre": "7"}}},
		{"an element chosen by a value filter", mapping.AttributeMapping{Target: `emails[type eq "work"].value`}, "a@x", scim.Document{"emails": []any{object{"type": "work", "value": "a@x"}}}},
		{"an element, spelled otherwise", mapping.AttributeMapping{Target: `Addresses[Type eq "work"].Formatted`}, "1 High St", scim.Document{"addresses": []any{object{"type": "work", "formatted": "1 High St"}}}},
		{"an element chosen by two conditions", mapping.AttributeMapping{Target: `emails[type eq "work" and primary eq true].value`}, "a@x", scim.Document{"emails": []any{object{"type": "work", "primary": true, "value": "a@x"}}}},
		{"an element chosen by a boolean in quotes", mapping.AttributeMapping{Target: `roles[primary eq "True"].value`}, "admin", scim.Document{"roles": []any{object{"primary": true, "value": "admin"}}}},
		{"several values for one element's attribute", mapping.AttributeMapping{Target: `emails[type eq "other"].value`}, []any{"a", "b"}, scim.Document{"emails": []any{object{"type": "other", "value": "a"}, object{"type": "other", "value": "b"}}}},
		{"a sub-attribute of a list", mapping.AttributeMapping{Target: "emails.value"}, []any{"a", "b"}, scim.Document{"emails": []any{object{"value": "a"}, object{"value": "b"}}}},
		{"a list of simple values for a list of objects", mapping.AttributeMapping{Target: "emails"}, []any{"a", "b"}, scim.Document{"emails": []any{object{"value": "a"}, object{"value": "b"}}}},
		{"one value for a list", mapping.AttributeMapping{Target: "emails"}, "a", scim.Document{"emails": []any{object{"value": "a"}}}},
		{"an object for an element", mapping.AttributeMapping{Target: `addresses[type eq "home"]`}, object{"locality": "Oslo"}, scim.Document{"addresses": []any{object{"type": "home", "locality": "Oslo"}}}},
		{"the text True for a boolean", mapping.AttributeMapping{Target: "active"}, "True", scim.Document{"active": true}},
		{"a number for a boolean", mapping.AttributeMapping{Target: "active"}, int64(0), scim.Document{"active": false}},
		{"a number for a text", mapping.AttributeMapping{Target: "title"}, int64(7), scim.Document{"title": "7"}},
		{"a boolean for a text", mapping.AttributeMapping{Target: "title"}, true, scim.Document{"title": "True"}},
		{"a date for a text", mapping.AttributeMapping{Target: "title"}, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), scim.Document{"title": "2026-01-02T03:04:05Z"}},
		{"a list of one for a single value", mapping.AttributeMapping{Target: "title"}, []any{"Lead"}, scim.Document{"title": "Lead"}},
		{"digits for an integer", mapping.AttributeMapping{Target: "urn:x:y:level", Type: mapping.TypeInteger}, "12", scim.Document{"urn:x:y": object{"level": int64(12)}}},
		{"a text for a decimal", mapping.AttributeMapping{Target: "urn:x:y:level", Type: mapping.TypeDecimal}, "1.5", scim.Document{"urn:x:y": object{"level": 1.5}}},
		{"the language's date for a dateTime", mapping.AttributeMapping{Target: "urn:x:y:hired", Type: mapping.TypeDateTime}, "3/16/2020 7:00:00 AM", scim.Document{"urn:x:y": object{"hired": "2020-03-16T07:00:00Z"}}},
		{"an offset for a dateTime", mapping.AttributeMapping{Target: "urn:x:y:hired", Type: mapping.TypeDateTime}, "2020-03-16T07:00:00+02:00", scim.Document{"urn:x:y": object{"hired": "2020-03-16T05:00:00Z"}}},
		{"a list for an attribute given as one", mapping.AttributeMapping{Target: "urn:x:y:tags", Type: mapping.TypeString, MultiValued: true}, []any{"a", nil, "b"}, scim.Document{"urn:x:y": object{"tags": []any{"a", "b"}}}},
		{"anything for an attribute nobody knows", mapping.AttributeMapping{Target: "urn:x:y:any"}, []any{"a", int64(1)}, scim.Document{"urn:x:y": object{"any": []any{"a", int64(1)}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.mapping.Source = "x"
			m, err := mapping.Compile(users(tt.mapping))
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.Map(context.Background(), object{"x": tt.value}, mapping.Env{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Create); diff != "" {
				t.Errorf("create (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, got.Update); diff != "" {
				t.Errorf("update (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMappingsShareElements(t *testing.T) {
	got := mapOne(t, users(
		mapping.AttributeMapping{Target: `addresses[type eq "work"].locality`, Source: "city"},
		mapping.AttributeMapping{Target: `emails[type eq "work"].value`, Source: "mail"},
		mapping.AttributeMapping{Target: `addresses[type eq "work"].country`, Source: "country"},
		mapping.AttributeMapping{Target: `addresses[type eq "home"].locality`, Source: "homeCity"},
		mapping.AttributeMapping{Target: `emails[type eq "other"].value`, Source: "aliases"},
		mapping.AttributeMapping{Target: `emails[type eq "Work"].display`, Source: "city"},
		mapping.AttributeMapping{Target: "name.givenName", Source: "first"},
		mapping.AttributeMapping{Target: "name.familyName", Source: "last"},
	), object{
		"city": "Oslo", "country": "NO", "mail": "a@x", "aliases": []any{"b@x", "c@x"}, "homeCity": "Bergen", "first": "Ada", "last": "Berg",
	})
	want := scim.Document{
		"addresses": []any{object{"type": "work", "locality": "Oslo", "country": "NO"}, object{"type": "home", "locality": "Bergen"}},
		"emails":    []any{object{"type": "work", "value": "a@x", "display": "Oslo"}, object{"type": "other", "value": "b@x"}, object{"type": "other", "value": "c@x"}},
		"name":      object{"givenName": "Ada", "familyName": "Berg"},
	}
	if diff := cmp.Diff(want, got.Create); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDocumentsAreIndependent(t *testing.T) {
	source := object{"mails": []any{object{"value": "a@x"}}}
	got := mapOne(t, users(mapping.AttributeMapping{Target: "emails", Source: "mails"}), source)
	got.Create["emails"].([]any)[0].(object)["value"] = "changed"
	want := []any{object{"value": "a@x"}}
	if diff := cmp.Diff(want, got.Update["emails"]); diff != "" {
		t.Errorf("update (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, source["mails"]); diff != "" {
		t.Errorf("source (-want +got):\n%s", diff)
	}
}

func TestNoValue(t *testing.T) {
	type outcome struct {
		Create, Update scim.Document
		Clear          []string
	}
	tests := []struct {
		name    string
		mapping mapping.AttributeMapping
		value   any
		want    outcome
	}{
		{"null is skipped", mapping.AttributeMapping{Source: "x"}, nil, outcome{}},
		{"an empty text of the source is skipped", mapping.AttributeMapping{Source: "x"}, "", outcome{}},
		{"an empty list is skipped", mapping.AttributeMapping{Source: "x"}, []any{}, outcome{}},
		{"a list of an empty text is skipped", mapping.AttributeMapping{Source: "x", Default: "Staff"}, []any{""}, outcome{Create: scim.Document{"title": "Staff"}}},
		{"a default goes with the create only", mapping.AttributeMapping{Source: "x", Default: "Staff"}, nil, outcome{Create: scim.Document{"title": "Staff"}}},
		{"a default is not for values", mapping.AttributeMapping{Source: "x", Default: "Staff"}, "Lead", outcome{Create: scim.Document{"title": "Lead"}, Update: scim.Document{"title": "Lead"}}},
		{"null flow clears", mapping.AttributeMapping{Source: "x", NullFlow: mapping.ClearNull}, nil, outcome{Clear: []string{"title"}}},
		{"null flow clears and the default is created", mapping.AttributeMapping{Source: "x", NullFlow: mapping.ClearNull, Default: "Staff"}, nil, outcome{Create: scim.Document{"title": "Staff"}, Clear: []string{"title"}}},
		{"null flow does not clear what only a create sets", mapping.AttributeMapping{Source: "x", NullFlow: mapping.ClearNull, Apply: mapping.OnCreate}, nil, outcome{}},
		{"only a create", mapping.AttributeMapping{Source: "x", Apply: mapping.OnCreate}, "Lead", outcome{Create: scim.Document{"title": "Lead"}}},
		{"None leaves alone", mapping.AttributeMapping{}, "Lead", outcome{}},
		{"None with a default", mapping.AttributeMapping{Default: "Staff"}, "Lead", outcome{Create: scim.Document{"title": "Staff"}}},
		{"a constant", mapping.AttributeMapping{Constant: "Staff"}, nil, outcome{Create: scim.Document{"title": "Staff"}, Update: scim.Document{"title": "Staff"}}},
		{"a path that is not there", mapping.AttributeMapping{Source: "x.y"}, "Lead", outcome{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.mapping.Target = "title"
			result := mapOne(t, users(tt.mapping), object{"x": tt.value})
			got := outcome{result.Create, result.Update, result.Clear}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestListsWithoutValues(t *testing.T) {
	tests := []struct {
		name    string
		mapping mapping.AttributeMapping
		want    scim.Document
	}{
		{"empty texts of the source", mapping.AttributeMapping{Target: "urn:x:y:tags", Source: "list", Type: mapping.TypeString, MultiValued: true}, scim.Document{"urn:x:y": object{"tags": []any{"a", "b"}}}},
		{"nothing but empty texts", mapping.AttributeMapping{Target: "urn:x:y:tags", Source: "none", Type: mapping.TypeString, MultiValued: true}, scim.Document{}},
		{"empty texts that an expression gives", mapping.AttributeMapping{Target: "urn:x:y:tags", Expression: `Split([text], ",")`, Type: mapping.TypeString, MultiValued: true}, scim.Document{"urn:x:y": object{"tags": []any{"a", "", "b"}}}},
		{"empty texts for elements", mapping.AttributeMapping{Target: "emails", Expression: `Split([text], ",")`}, scim.Document{"emails": []any{object{"value": "a"}, object{"value": "b"}}}},
		{"empty texts for numbers", mapping.AttributeMapping{Target: "urn:x:y:levels", Expression: `Split([digits], ",")`, Type: mapping.TypeInteger, MultiValued: true}, scim.Document{"urn:x:y": object{"levels": []any{int64(1), int64(2)}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			source := object{"list": []any{"", "a", nil, "b"}, "none": []any{"", ""}, "text": "a,,b", "digits": "1,,2"}
			if diff := cmp.Diff(tt.want, mapOne(t, users(tt.mapping), source).Create); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhenEmpty(t *testing.T) {
	got := mapOne(t, users(mapping.AttributeMapping{Target: "title", Source: "x", Apply: mapping.WhenEmpty}), object{"x": "Lead"})
	want := mapping.Result{Create: scim.Document{"title": "Lead"}, Update: scim.Document{}, WhenEmpty: scim.Document{"title": "Lead"}}
	if diff := cmp.Diff(want, got, ignoreUnexported); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMatching(t *testing.T) {
	definition := users(
		mapping.AttributeMapping{Target: "externalId", Source: "employeeId", Matching: 2},
		mapping.AttributeMapping{Target: "title", Source: "jobTitle"},
		mapping.AttributeMapping{Target: "userName", Source: "upn", Matching: 1},
		mapping.AttributeMapping{Target: `emails[type eq "work"].value`, Source: "mail", Matching: 3},
	)
	filters := func(source object) (texts []string) {
		for _, m := range mapOne(t, definition, source).Matching {
			texts = append(texts, m.Filter().String())
		}
		return texts
	}
	tests := []struct {
		name   string
		source object
		want   []string
	}{
		{"in the order of precedence", object{"employeeId": "7", "upn": `a"b@x`, "mail": "m@x"}, []string{
			`userName eq "a\"b@x"`, `externalId eq "7"`, `emails[type eq "work" and value eq "m@x"]`,
		}},
		{"without those that have no value", object{"upn": "", "mail": "m@x"}, []string{`emails[type eq "work" and value eq "m@x"]`}},
		{"none at all", object{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, filters(tt.source)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	extended := users(mapping.AttributeMapping{Target: "urn:x:y:badge", Source: "badge", Matching: 1})
	t.Run("a list of one is its value", func(t *testing.T) {
		result := mapOne(t, extended, object{"badge": []any{"7"}})
		if got := result.Matching[0].Filter().String(); got != `urn:x:y:badge eq "7"` {
			t.Errorf("got the filter %s", got)
		}
	})
	for name, source := range map[string]object{
		"several values in elements of a list": {"mail": []any{"m@x", "n@x"}},
		"several values":                       {"badge": []any{"7", "8"}},
		"a value with sub-attributes":          {"badge": object{"number": "7"}},
		"a list of one with sub-attributes":    {"badge": []any{object{"number": "7"}}},
	} {
		t.Run("no object can be found by "+name, func(t *testing.T) {
			of := extended
			if source["mail"] != nil {
				of = definition
			}
			_, err := mapping.MustCompile(of).Map(t.Context(), source, mapping.Env{})
			if !errors.Is(err, mapping.ErrValue) {
				t.Errorf("got error %v, want ErrValue", err)
			}
		})
	}
}

func TestReferences(t *testing.T) {
	manager := mapping.AttributeMapping{Target: enterprise + ":manager", Source: "manager"}
	clearing := manager
	clearing.NullFlow = mapping.ClearNull
	byValue := manager
	byValue.Target += ".value"
	group := func(a mapping.AttributeMapping) mapping.ObjectMapping {
		return mapping.ObjectMapping{Name: "Groups", Source: "Group", Target: "Group", Attributes: []mapping.AttributeMapping{a}}
	}
	members := group(mapping.AttributeMapping{Target: "members", Source: "members"})
	tests := []struct {
		name    string
		mapping mapping.ObjectMapping
		value   any
		want    []mapping.Reference
	}{
		{"a manager", users(manager), "E1", []mapping.Reference{{Target: enterprise + ":manager", IDs: []string{"E1"}}}},
		{"a manager mapped to the value", users(byValue), "E1", []mapping.Reference{{Target: enterprise + ":manager", IDs: []string{"E1"}}}},
		{"a manager as a SCIM object", users(manager), object{"value": "E1", "displayName": "Ada"}, []mapping.Reference{{Target: enterprise + ":manager", IDs: []string{"E1"}}}},
		{"no manager", users(manager), nil, nil},
		{"no manager, to be cleared", users(clearing), nil, []mapping.Reference{{Target: enterprise + ":manager"}}},
		{"members", members, []any{"E1", object{"id": "E2"}, ""}, []mapping.Reference{{Target: "members", IDs: []string{"E1", "E2"}, MultiValued: true}}},
		{"no members any more", members, nil, []mapping.Reference{{Target: "members", MultiValued: true}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			definition := tt.mapping
			got := mapOne(t, definition, object{definition.Attributes[0].Source: tt.value})
			if diff := cmp.Diff(tt.want, got.References, ignoreUnexported, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(got.Create) > 0 {
				t.Errorf("the document has %v, want references apart from it", got.Create)
			}
		})
	}
	t.Run("two managers are refused", func(t *testing.T) {
		_, err := mapping.MustCompile(users(manager)).Map(context.Background(), object{"manager": []any{"E1", "E2"}}, mapping.Env{})
		if !errors.Is(err, mapping.ErrValue) {
			t.Errorf("got error %v, want ErrValue", err)
		}
	})
	t.Run("made again from what was kept of them", func(t *testing.T) {
		doc := scim.Document{}
		mapping.Reference{Target: enterprise + ":manager"}.Put(doc, "42")
		mapping.Reference{Target: "members", MultiValued: true}.Put(doc, "1", "2")
		mapping.Reference{Target: "team.lead"}.Put(doc, "3")
		mapping.Reference{Target: "no path"}.Put(doc, "4")
		mapping.Reference{Target: "urn:example:desk:1.0:User:mate"}.Put(doc)
		mapping.Reference{Target: "desk.mate"}.Put(doc)
		want := scim.Document{
			enterprise: object{"manager": object{"value": "42"}}, "members": []any{object{"value": "1"}, object{"value": "2"}},
			"team": object{"lead": object{"value": "3"}},
		}
		if diff := cmp.Diff(want, doc); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		match := mapping.Match{Attribute: `emails[type eq "work"].value`, Value: "a"}.Filter().String()
		if want := `emails[type eq "work" and value eq "a"]`; match != want {
			t.Errorf("got filter %s, want %s", match, want)
		}
		if (mapping.Match{Attribute: "no path", Value: "a"}).Filter().Err() == nil {
			t.Error("a match of no path makes a filter")
		}
	})
	t.Run("put into a document and taken out again", func(t *testing.T) {
		r := mapOne(t, users(manager), object{"manager": "E1"}).References[0]
		doc := scim.Document{"userName": "a"}
		r.Put(doc)
		r.Put(doc, "42")
		want := scim.Document{"userName": "a", enterprise: object{"manager": object{"value": "42"}}}
		if diff := cmp.Diff(want, doc); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		r.Put(doc)
		if diff := cmp.Diff(scim.Document{"userName": "a", enterprise: object{}}, doc); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestScimDocumentsAsSource(t *testing.T) {
	source := object{
		"userName": "a", "name": object{"familyName": "Berg"},
		"emails":   []any{object{"type": "home", "value": "h@x"}, object{"type": "work", "value": "w@x"}},
		enterprise: object{"manager": object{"value": "17"}},
	}
	got := mapOne(t, users(
		mapping.AttributeMapping{Target: "userName", Source: `emails[type eq "work"].value`, Matching: 1},
		mapping.AttributeMapping{Target: "displayName", Source: "name.familyName"},
		mapping.AttributeMapping{Target: "nickName", Source: "urn:ietf:params:scim:schemas:core:2.0:User:username"},
		mapping.AttributeMapping{Target: enterprise + ":manager", Source: enterprise + ":manager.value"},
		mapping.AttributeMapping{Target: "emails", Source: "emails.value"},
	), source)
	want := scim.Document{
		"userName": "w@x", "displayName": "Berg", "nickName": "a", "emails": []any{object{"value": "h@x"}, object{"value": "w@x"}},
	}
	if diff := cmp.Diff(want, got.Create); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(got.References) != 1 || got.References[0].IDs[0] != "17" {
		t.Errorf("got references %v, want the manager 17", got.References)
	}
}

func TestErrorsNameTheTarget(t *testing.T) {
	tests := []struct {
		name   string
		target string
		value  any
	}{
		{"a text for a boolean", "active", "maybe"},
		{"several values for one", "title", []any{"a", "b"}},
		{"a Go value", "title", struct{}{}},
		{"an object for a text", "title", object{"a": "b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := mapping.MustCompile(users(mapping.AttributeMapping{Target: tt.target, Source: "x"}))
			_, err := m.Map(context.Background(), object{"x": tt.value}, mapping.Env{})
			var e *mapping.Error
			if !errors.As(err, &e) || e.Target != tt.target || !errors.Is(err, mapping.ErrValue) {
				t.Errorf("got error %v, want ErrValue about %s", err, tt.target)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	type am = mapping.AttributeMapping
	tests := []struct {
		name    string
		mapping mapping.ObjectMapping
		want    string
	}{
		{"no types of object", mapping.ObjectMapping{}, "source and target"},
		{"no target", users(am{Source: "x"}), "a target is needed"},
		{"a target that is no path", users(am{Target: "a b", Source: "x"}), "invalid path at byte"},
		{"a schema for a target", users(am{Target: "urn:a:b:2.0", Source: "x"}), "schema"},
		{"a value filter that describes no element", users(am{Target: `emails[type ne "work"].value`, Source: "x"}), "only eq"},
		{"a target twice, in any spelling", users(am{Target: "title", Source: "x"}, am{Target: "urn:ietf:params:scim:schemas:core:2.0:User:TITLE", Source: "y"}), "has a mapping already"},
		{"two kinds at once", users(am{Target: "title", Source: "x", Constant: "y"}), "more than one"},
		{"an expression that is none", users(am{Target: "title", Expression: "Join("}), "expr"},
		{"a constant of the wrong type", users(am{Target: "active", Constant: "perhaps"}), "a boolean is needed"},
		{"a default of the wrong type", users(am{Target: "active", Source: "x", Default: "perhaps"}), "a boolean is needed"},
		{"a default for a reference", users(am{Target: enterprise + ":manager", Source: "x", Default: "E1"}), "cannot have a default"},
		{"a constant for a reference", users(am{Target: enterprise + ":manager", Constant: "E1"}), "a constant cannot be one"},
		{"one precedence twice", users(am{Target: "title", Source: "x", Matching: 1}, am{Target: "userName", Source: "x", Matching: 1}), "matching precedence 1"},
		{"a precedence below zero", users(am{Target: "title", Source: "x", Matching: -1}), "from 1"},
		{"a reference that matches", users(am{Target: enterprise + ":manager", Source: "x", Matching: 1}), "cannot be a matching attribute"},
		{"values added to references", users(am{Target: "urn:x:y:peers", Source: "x", Type: mapping.TypeReference, MultiValued: true, Apply: mapping.AddValues}), `cannot have apply "addValues"`},
		{"a reference where the target has none", users(am{Target: enterprise + ":manager", Source: "x", Apply: mapping.WhenEmpty}), `cannot have apply "whenEmpty"`},
		{"a list that matches", users(am{Target: "emails", Source: "x", Matching: 1}), "single simple value"},
		{"nothing that matches", users(am{Target: "title", Default: "x", Matching: 1}), "needs a source"},
		{"values added to a single one", users(am{Target: "title", Source: "x", Apply: mapping.AddValues}), "several values"},
		{"an apply that is none", users(am{Target: "title", Source: "x", Apply: "sometimes"}), `unknown apply "sometimes"`},
		{"a null flow that is none", users(am{Target: "title", Source: "x", NullFlow: "maybe"}), `unknown nullFlow "maybe"`},
		{"a type that is none", users(am{Target: "title", Source: "x", Type: "text"}), `unknown type "text"`},
		{"an action that is none", mapping.ObjectMapping{Source: "User", Target: "User", Actions: []mapping.Action{"add"}}, `unknown action "add"`},
		{"a whole and a part of it", users(am{Target: "name", Source: "x"}, am{Target: "name.givenName", Source: "y"}), "name.givenName is mapped, too"},
		{"a part and the whole of it", users(am{Target: "name.givenName", Source: "y"}, am{Target: "name", Source: "x"}), "name.givenName is mapped, too"},
		{"a list and one of its elements", users(am{Target: `emails[type eq "work"].value`, Source: "y"}, am{Target: "emails", Source: "x"}), "mapped as a whole and in parts"},
		{"a list and its values", users(am{Target: "emails", Source: "x"}, am{Target: "emails.value", Source: "x"}), "emails.value is mapped, too"},
		{"an extension and one of its attributes", users(am{Target: enterprise + ":department", Source: "y"}, am{Target: enterprise, Source: "x"}), ":department is mapped, too"},
		{"a filter that is none", mapping.ObjectMapping{Source: "User", Target: "User", Filter: "a eq"}, "filter: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := mapping.Compile(tt.mapping)
			if !errors.Is(err, mapping.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want it to say %q", err, tt.want)
			}
		})
	}
}

func TestCompileJoinsErrors(t *testing.T) {
	_, err := mapping.Compile(users(
		mapping.AttributeMapping{Target: "active", Constant: "perhaps"},
		mapping.AttributeMapping{Target: "title", Source: "x", Constant: "y"},
	))
	for _, want := range []string{"mapping Users: active: ", "mapping Users: title: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want it to say %q", err, want)
		}
	}
}

func TestAllows(t *testing.T) {
	definition := users()
	if m := mapping.MustCompile(definition); !m.Allows(mapping.Delete) {
		t.Error("a mapping that names no actions refuses one")
	}
	definition.Actions = []mapping.Action{mapping.Create}
	if m := mapping.MustCompile(definition); m.Allows(mapping.Delete) || !m.Allows(mapping.Create) {
		t.Error("a mapping does not allow exactly the actions it names")
	}
	definition.Disabled = true
	if m := mapping.MustCompile(definition); m.Allows(mapping.Create) {
		t.Error("a disabled mapping allows an action")
	}
}

func TestNames(t *testing.T) {
	definition := users(
		mapping.AttributeMapping{Target: "USERNAME", Source: "upn", Matching: 1},
		mapping.AttributeMapping{Target: "title", Expression: `Join(" ", [grade], [jobTitle])`},
		mapping.AttributeMapping{Target: enterprise + ":manager", Source: "manager"},
	)
	definition.Scope = []mapping.FilterGroup{{Clauses: []mapping.Clause{clause("department", mapping.IsNotNull, "")}}}
	definition.Filter = "site eq 1 or grade pr"
	m := mapping.MustCompile(definition)
	for _, tt := range []struct {
		what      string
		got, want []string
	}{
		{"source", m.SourceAttributes(), []string{"upn", "grade", "jobTitle", "manager", "department", "site"}},
		{"target", m.TargetAttributes(), []string{"userName", "title", enterprise + ":manager"}},
		{"matching", m.MatchingAttributes(), []string{"userName"}},
		{"reference", m.ReferenceAttributes(), []string{enterprise + ":manager"}},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s attributes (-want +got):\n%s", tt.what, diff)
		}
	}
}

func contains(text, part string) bool { return strings.Contains(text, part) }
