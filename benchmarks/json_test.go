package benchmarks

import (
	stdjson "encoding/json"
	"testing"

	"github.com/scimbridge/scim"
)

// fullUser is the enterprise user of RFC 7643 section 8.3, shortened to what servers really hold.
const fullUser = `{
  "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
  "externalId": "701984",
  "userName": "bjensen@example.com",
  "name": {"formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen", "givenName": "Barbara", "middleName": "Jane", "honorificPrefix": "Ms.", "honorificSuffix": "III"},
  "displayName": "Babs Jensen",
  "nickName": "Babs",
  "profileUrl": "https://login.example.com/bjensen",
  "emails": [{"value": "bjensen@example.com", "type": "work", "primary": true}, {"value": "babs@jensen.org", "type": "home"}],
  "addresses": [
    {"type": "work", "streetAddress": "100 Universal City Plaza", "locality": "Hollywood", "region": "CA", "postalCode": "91608", "country": "US", "formatted": "100 Universal City Plaza\nHollywood, CA 91608 USA", "primary": true},
    {"type": "home", "streetAddress": "456 Hollywood Blvd", "locality": "Hollywood", "region": "CA", "postalCode": "91608", "country": "US"}
  ],
  "phoneNumbers": [{"value": "555-555-5555", "type": "work"}, {"value": "555-555-4444", "type": "mobile"}],
  "ims": [{"value": "someaimhandle", "type": "aim"}],
  "photos": [{"value": "https://photos.example.com/profilephoto/72930000000Ccne/F", "type": "photo"}],
  "userType": "Employee",
  "title": "Tour Guide",
  "preferredLanguage": "en-US",
  "locale": "en-US",
  "timezone": "America/Los_Angeles",
  "active": true,
  "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
    "employeeNumber": "701984", "costCenter": "4130", "organization": "Universal Studios", "division": "Theme Park", "department": "Tour Operations",
    "manager": {"value": "26118915-6090-4610-87e4-49d8ca9f808d", "displayName": "John Smith"}
  }
}`

func BenchmarkDecodeUser(b *testing.B) {
	data := []byte(fullUser)
	b.Run("into=Document/json=encoding-json", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			var doc map[string]any
			if err := stdjson.Unmarshal(data, &doc); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("into=Document/json=ours", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, err := scim.DecodeDocument(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	type plainUser scim.User // without the methods, so that the standard library decodes it field by field
	b.Run("into=struct/json=encoding-json", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			var user plainUser
			if err := stdjson.Unmarshal(data, &user); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("into=struct/json=ours", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			var user scim.User
			if err := user.UnmarshalJSON(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEncodeUser(b *testing.B) {
	doc, err := scim.DecodeDocument([]byte(fullUser))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("from=Document/json=encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := stdjson.Marshal(map[string]any(doc)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("from=Document/json=ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := doc.MarshalJSON(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
