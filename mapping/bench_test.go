package mapping_test

import (
	"context"
	"testing"

	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles/postman"
)

// defaultUsers is the mapping that a custom SCIM app in Entra starts with.
var defaultUsers = mapping.ObjectMapping{
	Name: "Users", Source: "User", Target: "User",
	Attributes: []mapping.AttributeMapping{
		{Target: "userName", Source: "userPrincipalName", Matching: 1},
		{Target: "active", Expression: `Switch([IsSoftDeleted], , "False", "True", "True", "False")`},
		{Target: "displayName", Source: "displayName"},
		{Target: "title", Source: "jobTitle"},
		{Target: `emails[type eq "work"].value`, Source: "mail"},
		{Target: "preferredLanguage", Source: "preferredLanguage"},
		{Target: "name.givenName", Source: "givenName"},
		{Target: "name.familyName", Source: "surname"},
		{Target: "name.formatted", Expression: `Join(" ", [givenName], [surname])`},
		{Target: `addresses[type eq "work"].formatted`, Source: "physicalDeliveryOfficeName"},
		{Target: `addresses[type eq "work"].streetAddress`, Source: "streetAddress"},
		{Target: `addresses[type eq "work"].locality`, Source: "city"},
		{Target: `addresses[type eq "work"].region`, Source: "state"},
		{Target: `addresses[type eq "work"].postalCode`, Source: "postalCode"},
		{Target: `addresses[type eq "work"].country`, Source: "country"},
		{Target: `phoneNumbers[type eq "work"].value`, Source: "telephoneNumber"},
		{Target: `phoneNumbers[type eq "mobile"].value`, Source: "mobile"},
		{Target: `phoneNumbers[type eq "fax"].value`, Source: "facsimileTelephoneNumber"},
		{Target: "externalId", Source: "mailNickname"},
		{Target: enterprise + ":employeeNumber", Source: "employeeId"},
		{Target: enterprise + ":department", Source: "department"},
		{Target: enterprise + ":manager", Source: "manager"},
	},
}

// person has every attribute that the default mapping reads.
func person() map[string]any {
	return map[string]any{
		"userPrincipalName": "zoe.berg@meridian.example", "IsSoftDeleted": false, "displayName": "Zoë Berg", "jobTitle": "Designer",
		"mail": "zoe@meridian.example", "preferredLanguage": "nb-NO", "givenName": "Zoë", "surname": "Berg",
		"physicalDeliveryOfficeName": "Oslo 3", "streetAddress": "Storgata 1", "city": "Oslo", "state": "Oslo", "postalCode": "0155",
		"country": "NO", "telephoneNumber": "+47 22 00 00 00", "mobile": "+47 900 00 000", "facsimileTelephoneNumber": "+47 22 00 00 01",
		"mailNickname": "zoe", "employeeId": "E10001", "department": "Design", "manager": "E10002",
	}
}

func benchmarkMap(b *testing.B, definition mapping.ObjectMapping) {
	m, err := mapping.Compile(definition, mapping.WithProfile(postman.Profile()))
	if err != nil {
		b.Fatal(err)
	}
	ctx, source := context.Background(), person()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Map(ctx, source, mapping.Env{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMapPostman(b *testing.B) { benchmarkMap(b, postmanUsers) }

func BenchmarkMapDefault(b *testing.B) { benchmarkMap(b, defaultUsers) }

func BenchmarkInScope(b *testing.B) {
	users := postmanUsers
	users.Scope = []mapping.FilterGroup{{Clauses: []mapping.Clause{
		clause("department", mapping.Equals, "Design"),
		clause("userPrincipalName", mapping.RegexMatch, `.*@meridian\.example`),
		clause("mail", mapping.IsNotNull, ""),
	}}}
	m := mapping.MustCompile(users)
	source := person()
	b.ReportAllocs()
	for b.Loop() {
		if !m.InScope(source).In {
			b.Fatal("out of scope")
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := mapping.Compile(defaultUsers); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMerge(b *testing.B) {
	m := mapping.MustCompile(defaultUsers)
	result, err := m.Map(context.Background(), person(), mapping.Env{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		m.Merge(result.Create, result)
	}
}
