package benchmarks

import (
	"testing"

	elimity "github.com/elimity-com/scim/schema"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// BenchmarkCanonical checks a full user and brings it to canonical form. The peer checks the core attributes and the extension's in two
// calls, as its own server does.
func BenchmarkCanonical(b *testing.B) {
	doc, err := scim.DecodeDocument([]byte(fullUser))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("validator=elimity", func(b *testing.B) {
		core, enterprise := elimity.CoreUserSchema(), elimity.ExtensionEnterpriseUser()
		body := map[string]any(doc)
		extension := doc[scim.EnterpriseUserSchema].(map[string]any)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := core.Validate(body); err != nil {
				b.Fatal(err)
			}
			if _, err := enterprise.Validate(extension); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("validator=ours", func(b *testing.B) {
		s := schema.User()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Canonical(doc, schema.Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
