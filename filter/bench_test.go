package filter_test

import (
	"testing"

	"github.com/scimbridge/scim/filter"
)

func BenchmarkParse(b *testing.B) {
	for _, bm := range []struct{ name, text string }{
		{"eq", `userName eq "taylor-lee@example.com"`},
		{"three_clauses", `userType eq "Employee" and emails[type eq "work" and value co "@example.com"] or title pr`},
		{"escapes", `name.familyName co "O\"Malley \u00e9"`},
		{"qualified", enterpriseURN + `:employeeNumber eq "701984"`},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := filter.Parse(bm.text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParsePath(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := filter.ParsePath(`members[value eq "2819c223-7f76-453a-919d-413861904646"].displayName`); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	doc := babs()
	for _, bm := range []struct{ name, text string }{
		{"eq", `userName eq "bjensen@example.com"`},
		{"eq_caseExact", `id eq "2819c223-7f76-453a-919d-413861904646"`},
		{"co", `userName co "example"`},
		{"dateTime", `meta.lastModified gt "2011-05-13T04:42:33Z"`},
		{"value_path", `emails[type eq "home" and value co "@jensen.org"]`},
		{"extension", enterpriseURN + `:manager eq "26118915"`},
	} {
		p, err := filter.MustParse(bm.text).Compile(userTypes)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !p.Match(doc) {
					b.Fatal("no match")
				}
			}
		})
	}
}

func BenchmarkMatchElement(b *testing.B) {
	path, err := filter.ParsePath(`members[value eq "2819c223-7f76-453a-919d-413861904646"]`)
	if err != nil {
		b.Fatal(err)
	}
	p, err := path.Compile(nil)
	if err != nil {
		b.Fatal(err)
	}
	var member any = map[string]any{"value": "2819c223-7f76-453a-919d-413861904646", "type": "User"}
	b.ReportAllocs()
	for b.Loop() {
		if !p.Match(member) {
			b.Fatal("no match")
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	f := filter.MustParse(`userType eq "Employee" and emails[type eq "work" and value co "@example.com"] or title pr`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Compile(userTypes); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkString(b *testing.B) {
	f := filter.MustParse(`userType eq "Employee" and emails[type eq "work" and value co "@example.com"] or title pr`)
	b.ReportAllocs()
	for b.Loop() {
		_ = f.String()
	}
}
