package filter_test

import (
	"strings"

	"github.com/scimbridge/scim/filter"
)

const (
	userURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// types is a filter.Types made from a list, keyed by the name in lower case.
type types map[string]filter.Type

func (ts types) AttrType(a filter.Attr) (filter.Type, bool) {
	if strings.EqualFold(a.URN, userURN) {
		a.URN = ""
	}
	t, ok := ts[strings.ToLower(a.String())]
	return t, ok
}

// userTypes are the attributes of RFC 7643's User that the tests use, and some of types that it does
// not have.
var userTypes = newTypes(`
	schemas                reference multi
	id                     string    exact
	externalId             string    exact
	meta                   complex
	meta.resourceType      string    exact
	meta.created           dateTime
	meta.lastModified      dateTime
	meta.location          reference
	meta.version           string    exact
	userName               string
	displayName            string
	nickName               string
	title                  string
	userType               string
	active                 boolean
	name                   complex
	name.familyName        string
	name.givenName         string
	emails                 complex   multi
	emails.value           string
	emails.type            string
	emails.primary         boolean
	emails.display         string
	ims                    complex   multi
	ims.value              string
	ims.type               string
	addresses              complex   multi
	addresses.type         string
	addresses.streetAddress string
	x509Certificates       complex   multi
	x509Certificates.value binary
	groups                 complex   multi
	groups.value           string
	groups.$ref            reference
	logins                 integer
	score                  decimal
	tags                   string    multi
	numbers                integer   multi
	` + enterpriseURN + ` employeeNumber string
	` + enterpriseURN + ` department     string
	` + enterpriseURN + ` manager        complex
	` + enterpriseURN + ` manager.value  string
	` + enterpriseURN + ` manager.$ref   reference
`)

func newTypes(list string) types {
	kinds := make(map[string]filter.Kind)
	for k := filter.String; k <= filter.Complex; k++ {
		kinds[k.String()] = k
	}
	ts := make(types)
	for line := range strings.Lines(list) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		var a filter.Attr
		if strings.HasPrefix(words[0], "urn:") {
			a.URN, words = words[0], words[1:]
		}
		a.Name, a.Sub, _ = strings.Cut(words[0], ".")
		t := filter.Type{Kind: kinds[words[1]], Canonical: a}
		for _, w := range words[2:] {
			t.CaseExact = t.CaseExact || w == "exact"
			t.MultiValued = t.MultiValued || w == "multi"
		}
		ts[strings.ToLower(a.String())] = t
	}
	return ts
}

// babs is the user of RFC 7643 section 8.3, shortened.
func babs() map[string]any {
	return map[string]any{
		"schemas":    []any{userURN, enterpriseURN},
		"id":         "2819c223-7f76-453a-919d-413861904646",
		"externalId": "701984",
		"userName":   "bjensen@example.com",
		"name":       map[string]any{"familyName": "Jensen", "givenName": "Barbara"},
		"title":      "Tour Guide",
		"userType":   "Employee",
		"active":     true,
		"emails": []any{
			map[string]any{"value": "bjensen@example.com", "type": "work", "primary": true},
			map[string]any{"value": "babs@jensen.org", "type": "home"},
		},
		"ims":       []any{map[string]any{"value": "someaimhandle", "type": "aim"}},
		"addresses": []any{},
		"groups":    []any{map[string]any{"value": "e9e30dba", "$ref": "https://example.com/v2/Groups/e9e30dba"}},
		"tags":      []any{"Red", "blue"},
		"numbers":   []any{int64(3), int64(5)},
		"logins":    int64(7),
		"score":     2.5,
		"nickName":  "",
		"meta": map[string]any{
			"resourceType": "User",
			"created":      "2010-01-23T04:56:22Z",
			"lastModified": "2011-05-13T04:42:34Z",
			"version":      `W/"3694e05e9dff591"`,
			"location":     "https://example.com/v2/Users/2819c223",
		},
		enterpriseURN: map[string]any{
			"employeeNumber": "701984",
			"department":     "Tour Operations",
			"manager":        map[string]any{"value": "26118915", "$ref": "../Users/26118915"},
		},
	}
}
