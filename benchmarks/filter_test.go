package benchmarks

import (
	"strings"
	"testing"

	elimityfilter "github.com/elimity-com/scim/filter"
	elimity "github.com/elimity-com/scim/schema"
	peer "github.com/scim2/filter-parser/v2"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
)

var filters = []struct{ name, text string }{
	{"eq", `userName eq "taylor-lee@example.com"`},
	{"three-clauses", `userType eq "Employee" and emails[type eq "work" and value co "@example.com"] and meta.lastModified gt "2011-05-13T04:42:34Z"`},
}

func BenchmarkParseFilter(b *testing.B) {
	for _, f := range filters {
		b.Run("filter="+f.name+"/parser=scim2-filter-parser", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := peer.ParseFilter([]byte(f.text)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("filter="+f.name+"/parser=ours", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := filter.Parse(f.text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMatch asks whether one user matches a filter that was read before.
func BenchmarkMatch(b *testing.B) {
	doc, err := scim.DecodeDocument([]byte(strings.Replace(fullUser, "bjensen@example.com", "taylor-lee@example.com", 1)))
	if err != nil {
		b.Fatal(err)
	}
	doc, err = schema.User().Canonical(doc, schema.Options{})
	if err != nil {
		b.Fatal(err)
	}
	const text = `userName eq "taylor-lee@example.com"`
	b.Run("evaluator=elimity", func(b *testing.B) {
		v, err := elimityfilter.NewValidator(text, elimity.CoreUserSchema())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if err := v.PassesFilter(doc); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("evaluator=ours", func(b *testing.B) {
		p, err := filter.MustParse(text).Compile(schema.User())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if !p.Match(doc) {
				b.Fatal("no match")
			}
		}
	})
}
