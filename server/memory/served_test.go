package memory

import (
	"fmt"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

// What an index serves looks at what it finds, and at nothing else.
func TestIndexesAreUsed(t *testing.T) {
	const department = scim.EnterpriseUserSchema + ":department"
	s := New(department, "title", "no path[")
	for n := range 100 {
		id := fmt.Sprintf("u%02d", n)
		doc := scim.Document{
			"id": id, "userName": id + "@example.com", "externalId": "E" + id, "displayName": fmt.Sprintf("name %d", n%10), "nickName": id, "active": true,
			"emails": []any{
				map[string]any{"value": id + "@example.com", "type": "work"}, map[string]any{"value": fmt.Sprintf("home%d@example.com", n%5), "type": "home"},
			},
			scim.EnterpriseUserSchema: map[string]any{"department": fmt.Sprintf("D%d", n%4)},
		}
		if err := s.Create(t.Context(), server.Resource{Key: server.Key{Type: "User", ID: id}, Document: doc}); err != nil {
			t.Fatal(err)
		}
		group := scim.Document{"id": "g" + id, "displayName": "g" + id, "members": []any{map[string]any{"value": fmt.Sprintf("u%02d", n%7)}}}
		if err := s.Create(t.Context(), server.Resource{Key: server.Key{Type: "Group", ID: "g" + id}, Document: group}); err != nil {
			t.Fatal(err)
		}
	}
	const all = -1
	tests := []struct {
		typ, filter string
		looks       int // at how many resources; all when no index serves it
	}{
		{"User", `userName eq "U07@EXAMPLE.COM"`, 1},
		{"User", `userName eq "nobody"`, 0},
		{"User", `userName sw "u0"`, 10},
		{"User", `externalId eq "Eu07"`, 1},
		{"User", `displayName eq "NAME 3"`, 10},
		{"User", `id eq "u07"`, 1},
		{"User", `id eq "U07"`, 0},
		{"User", `emails.value eq "home1@example.com"`, 20},
		{"User", `emails eq "home1@example.com"`, 20},
		{"User", `emails[type eq "work" and value eq "u07@example.com"]`, 1},
		{"User", `emails[type eq "work"].value eq "u07@example.com"`, 1},
		{"User", `active eq true and userName eq "u07@example.com"`, 1},
		{"User", `displayName eq "name 3" and userName eq "u07@example.com"`, 1},
		{"User", `userName eq "u07@example.com" or externalId eq "Eu08"`, 2},
		{"User", department + ` eq "d1"`, 25},
		{"User", `title eq "none"`, 0},
		{"User", `userName eq "u07@example.com" or nickName eq "u08"`, all},
		{"User", `nickName eq "u07"`, all},
		{"User", `userName co "u07"`, all},
		{"User", `not (userName eq "u07@example.com")`, all},
		{"User", `userName ne "u07@example.com"`, all},
		{"Group", `members.value eq "u03"`, 14},
		{"Group", `members[value eq "u03"]`, 14},
		{"Group", `members eq "u99"`, 0},
		{"Group", `displayName eq "gu07" and members[value eq "u00"]`, 1},
	}
	for _, tt := range tests {
		t.Run(tt.filter, func(t *testing.T) {
			q := server.Query{Type: tt.typ, Schema: schema.User()}
			if tt.typ == "Group" {
				q.Schema = schema.Group()
			}
			var err error
			if q.Filter, err = filter.Parse(tt.filter); err != nil {
				t.Fatal(err)
			}
			if q.Match, err = q.Filter.Compile(q.Schema); err != nil {
				t.Fatal(err)
			}
			src, ok := s.source(q)
			if !ok {
				t.Fatal("there is nothing to look at")
			}
			looks := len(src.list)
			if src.all != nil {
				looks = all
			}
			if looks != tt.looks {
				t.Errorf("it looks at %d resources, want %d", looks, tt.looks)
			}
		})
	}
}
