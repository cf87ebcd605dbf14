package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

func BenchmarkCanonicalUser(b *testing.B) {
	s, doc := schema.User(), decode(b, fullUser)
	for name, opts := range map[string]schema.Options{
		"create":   {Mode: schema.ModeCreate},
		"tolerant": {Mode: schema.ModeCreate, Tolerant: true},
		"any":      {Mode: schema.ModeAny, Unknown: schema.UnknownKeep},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Canonical(doc, opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCanonicalGroup(b *testing.B) {
	var members []any
	for i := range 10_000 {
		id := fmt.Sprintf("2819c223-7f76-453a-919d-%012d", i)
		members = append(members, object{"value": id, "$ref": "https://example.com/v2/Users/" + id, "type": "User"})
	}
	s, doc := schema.Group(), scim.Document{"displayName": "g", "members": members}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Canonical(doc, schema.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	s := schema.User()
	for name, path := range map[string]string{
		"as spelled": "name.familyName",
		"any case":   "NAME.FamilyName",
		"URN":        strings.ToUpper(enterprise) + ":manager.value",
		"unknown":    "name.nosuch",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Lookup(path)
			}
		})
	}
}

func BenchmarkProject(b *testing.B) {
	s, doc := schema.User(), decode(b, fullUser)
	for name, attributes := range map[string][]string{
		"default": nil,
		"three":   {"userName", "name.familyName", "emails.value"},
	} {
		p, err := s.Projection(attributes, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Project(doc, p)
			}
		})
	}
}
