package mapping_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
)

func ExampleMapping_Merge() {
	m := mapping.MustCompile(mapping.ObjectMapping{Source: "User", Target: "User", Attributes: []mapping.AttributeMapping{
		{Target: `emails[type eq "work"].value`, Source: "mail", Matching: 1},
	}})
	current := scim.Document{
		"nickName": "Zoë",
		"emails": []any{
			map[string]any{"type": "home", "value": "zoe@home.example"},
			map[string]any{"type": "work", "value": "old@meridian.example", "primary": true},
		},
	}
	result, err := m.Map(context.Background(), map[string]any{"mail": "zoe@meridian.example"}, mapping.Env{})
	if err != nil {
		fmt.Println(err)
		return
	}
	body, _ := m.Merge(current, result).MarshalJSON()
	fmt.Println(string(body))
	// Output:
	// {"emails":[{"type":"home","value":"zoe@home.example"},{"primary":true,"type":"work","value":"zoe@meridian.example"}],"nickName":"Zoë"}
}

func TestMerge(t *testing.T) {
	type am = mapping.AttributeMapping
	other := func(values ...string) []any {
		var list []any
		for _, v := range values {
			list = append(list, object{"type": "other", "value": v})
		}
		return list
	}
	aliases := am{Target: `emails[type eq "other"].value`, Source: "x"}
	adding := aliases
	adding.Apply = mapping.AddValues
	tests := []struct {
		name     string
		mappings []am
		current  scim.Document
		source   object
		want     scim.Document
	}{
		{"a value is set and others stay", []am{{Target: "title", Source: "x"}}, scim.Document{"title": "a", "nickName": "n"}, object{"x": "b"}, scim.Document{"title": "b", "nickName": "n"}},
		{"nothing at all yet", []am{{Target: "name.givenName", Source: "x"}}, nil, object{"x": "b"}, scim.Document{"name": object{"givenName": "b"}}},
		{"a sub-attribute is set and its neighbours stay", []am{{Target: "name.givenName", Source: "x"}}, scim.Document{"name": object{"familyName": "F"}}, object{"x": "b"}, scim.Document{"name": object{"familyName": "F", "givenName": "b"}}},
		{"no value leaves the old one", []am{{Target: "title", Source: "x"}}, scim.Document{"title": "a"}, object{}, scim.Document{"title": "a"}},
		{"no value clears", []am{{Target: "title", Source: "x", NullFlow: mapping.ClearNull}}, scim.Document{"title": "a", "nickName": "n"}, object{}, scim.Document{"nickName": "n"}},
		{"clearing leaves no empty object", []am{{Target: enterprise + ":department", Source: "x", NullFlow: mapping.ClearNull}}, scim.Document{enterprise: object{"department": "a"}}, object{}, scim.Document{}},
		{"clearing what is not there", []am{{Target: enterprise + ":department", Source: "x", NullFlow: mapping.ClearNull}}, scim.Document{}, object{}, scim.Document{}},
		{"clearing an element's only value takes it out", []am{{Target: `emails[type eq "work"].value`, Source: "x", NullFlow: mapping.ClearNull}}, scim.Document{"emails": []any{object{"type": "work", "value": "w"}, object{"type": "home", "value": "h"}}}, object{}, scim.Document{"emails": []any{object{"type": "home", "value": "h"}}}},
		{"clearing the last element takes the list out", []am{{Target: `emails[type eq "work"].value`, Source: "x", NullFlow: mapping.ClearNull}}, scim.Document{"emails": []any{object{"type": "work", "value": "w"}}}, object{}, scim.Document{}},
		{"clearing the last element in an extension leaves no empty object", []am{{Target: `urn:example:desk:1.0:User:phones[type eq "work"].value`, Source: "x", NullFlow: mapping.ClearNull}}, scim.Document{"title": "a", "urn:example:desk:1.0:User": object{"phones": []any{object{"type": "work", "value": "1"}}}}, object{}, scim.Document{"title": "a"}},
		{"clearing one of an element's values leaves it", []am{{Target: `addresses[type eq "work"].country`, Source: "x", NullFlow: mapping.ClearNull}}, scim.Document{"addresses": []any{object{"type": "work", "country": "NO", "locality": "Oslo"}}}, object{}, scim.Document{"addresses": []any{object{"type": "work", "locality": "Oslo"}}}},
		{"an element is found in any case", []am{{Target: `emails[type eq "work"].value`, Source: "x"}}, scim.Document{"emails": []any{object{"type": "Work", "value": "w"}}}, object{"x": "b"}, scim.Document{"emails": []any{object{"type": "work", "value": "b"}}}},
		{"several values keep those that are there", []am{aliases}, scim.Document{"emails": other("c", "a")}, object{"x": []any{"a", "b"}}, scim.Document{"emails": other("b", "a")}},
		{"several values become fewer", []am{aliases}, scim.Document{"emails": append(other("a", "b"), object{"type": "home", "value": "h"})}, object{"x": "b"}, scim.Document{"emails": append(other("b"), object{"type": "home", "value": "h"})}},
		{"several values become more", []am{aliases}, scim.Document{"emails": other("a")}, object{"x": []any{"a", "b", "c"}}, scim.Document{"emails": other("a", "b", "c")}},
		{"values that are only added", []am{adding}, scim.Document{"emails": other("a")}, object{"x": []any{"b"}}, scim.Document{"emails": other("a", "b")}},
		{"values that are only added and are there", []am{adding}, scim.Document{"emails": other("a", "b")}, object{"x": []any{"b"}}, scim.Document{"emails": other("a", "b")}},
		{"a whole list is replaced", []am{{Target: "emails", Source: "x"}}, scim.Document{"emails": other("a")}, object{"x": []any{"b"}}, scim.Document{"emails": []any{object{"value": "b"}}}},
		{
			"numbers that are there are not added",
			[]am{{Target: "urn:x:y:shares", Source: "x", Type: mapping.TypeDecimal, MultiValued: true, Apply: mapping.AddValues}},
			scim.Document{"urn:x:y": object{"shares": []any{int64(1), 0.5}}},
			object{"x": []any{"1.0", "0.50", 2.0}},
			scim.Document{"urn:x:y": object{"shares": []any{int64(1), 0.5, int64(2)}}},
		},
		{"a whole list is only added to", []am{{Target: "emails", Source: "x", Apply: mapping.AddValues}}, scim.Document{"emails": other("a")}, object{"x": []any{"a", "b"}}, scim.Document{"emails": append(other("a"), object{"value": "b"})}},
		{"when empty, and it is", []am{{Target: "title", Source: "x", Apply: mapping.WhenEmpty}}, scim.Document{}, object{"x": "b"}, scim.Document{"title": "b"}},
		{"when empty, and it is not", []am{{Target: "title", Source: "x", Apply: mapping.WhenEmpty}}, scim.Document{"title": "a"}, object{"x": "b"}, scim.Document{"title": "a"}},
		{"when an element's value is empty", []am{{Target: `addresses[type eq "work"].country`, Source: "x", Apply: mapping.WhenEmpty}}, scim.Document{"addresses": []any{object{"type": "work", "locality": "Oslo"}}}, object{"x": "NO"}, scim.Document{"addresses": []any{object{"type": "work", "locality": "Oslo", "country": "NO"}}}},
		{"when an element's value is not", []am{{Target: `addresses[type eq "work"].country`, Source: "x", Apply: mapping.WhenEmpty}}, scim.Document{"addresses": []any{object{"type": "work", "country": "SE"}}}, object{"x": "NO"}, scim.Document{"addresses": []any{object{"type": "work", "country": "SE"}}}},
		{"only on create", []am{{Target: "title", Source: "x", Apply: mapping.OnCreate}}, scim.Document{"title": "a"}, object{"x": "b"}, scim.Document{"title": "a"}},
		{"references are apart", []am{{Target: enterprise + ":manager", Source: "x"}}, scim.Document{enterprise: object{"manager": object{"value": "1"}}}, object{"x": "E2"}, scim.Document{enterprise: object{"manager": object{"value": "1"}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := mapping.MustCompile(users(tt.mappings...))
			result := mapOne(t, users(tt.mappings...), tt.source)
			before, update := tt.current.Clone(), result.Update.Clone()
			got := m.Merge(tt.current, result)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(got, m.Merge(got, result)); diff != "" {
				t.Errorf("merging twice is not merging once (-once +twice):\n%s", diff)
			}
			if diff := cmp.Diff(before, tt.current); diff != "" {
				t.Errorf("the current document changed (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(update, result.Update); diff != "" {
				t.Errorf("the update changed (-before +after):\n%s", diff)
			}
		})
	}
}

// What a create made, an update with the same values leaves as it is.
func TestMergeAfterCreateChangesNothing(t *testing.T) {
	m := mapping.MustCompile(defaultUsers)
	result := mapOne(t, defaultUsers, person())
	if diff := cmp.Diff(result.Create, m.Merge(result.Create, result)); diff != "" {
		t.Errorf("(-create +merged):\n%s", diff)
	}
}
