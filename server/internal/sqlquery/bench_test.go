package sqlquery_test

import (
	"strconv"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server/internal/sqlquery"
)

// person is a user as directories have them.
func person(t testing.TB, n int) scim.Document {
	t.Helper()
	name := "User" + strconv.Itoa(n)
	doc, err := schema.User().Canonical(map[string]any{
		"id": "018f3a9e-0000-7000-8000-" + strconv.Itoa(100_000_000_000+n), "schemas": []any{scim.UserSchema, scim.EnterpriseUserSchema},
		"userName": name + "@Example.com", "externalId": strconv.Itoa(n), "displayName": name + " Jensen", "active": n%10 != 0, "title": "Engineer",
		"name":         map[string]any{"givenName": name, "familyName": "Jensen", "formatted": name + " Jensen"},
		"emails":       []any{map[string]any{"value": name + "@Example.com", "type": "work", "primary": true}, map[string]any{"value": name + "@home.example", "type": "home"}},
		"phoneNumbers": []any{map[string]any{"value": "+1-555-" + strconv.Itoa(n), "type": "work"}},
		scim.EnterpriseUserSchema: map[string]any{
			"employeeNumber": strconv.Itoa(n), "department": "Department " + strconv.Itoa(n%50), "manager": map[string]any{"value": strconv.Itoa(n / 10)},
		},
		"meta": map[string]any{"resourceType": "User", "created": "2026-01-02T03:04:05.678Z", "lastModified": "2026-01-02T03:04:05.678Z"},
	}, schema.Options{Mode: schema.ModeAny})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// What a write of a user costs beside the write.
func BenchmarkProject(b *testing.B) {
	doc := person(b, 4711)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sqlquery.Project(schema.User(), doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEntries(b *testing.B) {
	doc := person(b, 4711)
	b.ReportAllocs()
	for b.Loop() {
		sqlquery.Entries(schema.User(), doc, "userName", "externalId", "displayName", "emails.value")
	}
}

func BenchmarkWhere(b *testing.B) {
	for name, text := range map[string]string{
		"eq":         `userName eq "bjensen@example.com"`,
		"value_path": `emails[type eq "work" and value co "@example.com"]`,
		"three":      `active eq true and (displayName sw "b" or meta.lastModified gt "2026-01-02T03:04:05Z")`,
	} {
		b.Run(name, func(b *testing.B) {
			f, err := filter.Parse(text)
			if err != nil {
				b.Fatal(err)
			}
			table := sqlquery.Table{Dialect: sqlquery.PostgreSQL, Key: "r.seq", Search: "r.search", Lookup: &sqlquery.Lookup{
				From: "terms t", Scope: "t.tenant = $1 AND t.type = $2", Key: "t.owner", Attribute: "t.attribute", Value: "t.value",
				Attributes: map[string]any{"userName": "userName", "displayName": "displayName", "emails.value": "emails.value"},
			}}
			args := make([]any, 0, 16)
			b.ReportAllocs()
			for b.Loop() {
				args = args[:2]
				c := table.Where(schema.User(), f, func(v any) string {
					args = append(args, v)
					return "$" + strconv.Itoa(len(args))
				})
				if !c.Exact {
					b.Fatal(c)
				}
			}
		})
	}
}
