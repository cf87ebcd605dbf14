package client_test

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
)

// fullUser is a user as a directory writes one, about 1.2 kB.
func fullUser(i int) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],`+
		`"id":"2819c223-7f76-453a-919d-%012d","externalId":"70198%04d","userName":"bjensen%d@example.com",`+
		`"name":{"formatted":"Ms. Barbara J Jensen, III","familyName":"Jensen","givenName":"Barbara","middleName":"Jane"},`+
		`"displayName":"Babs Jensen","title":"Tour Guide","preferredLanguage":"en-US","locale":"en-US","timezone":"America/Los_Angeles","active":true,`+
		`"emails":[{"value":"bjensen%d@example.com","type":"work","primary":true},{"value":"babs%d@jensen.org","type":"home"}],`+
		`"phoneNumbers":[{"value":"555-555-5555","type":"work"},{"value":"555-555-4444","type":"mobile"}],`+
		`"groups":[{"value":"e9e30dba-f08f-4109-8486-d5c6a331660a","$ref":"https://example.com/v2/Groups/e9e30dba","display":"Tour Guides"}],`+
		`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"701984","costCenter":"4130","department":"Tour Operations",`+
		`"manager":{"value":"26118915-6090-4610-87e4-49d8ca9f808d","displayName":"John Smith"}},`+
		`"meta":{"resourceType":"User","created":"2010-01-23T04:56:22Z","lastModified":"2011-05-13T04:42:34Z","version":"W\/\"3694e05e9dff591\"",`+
		`"location":"https://example.com/v2/Users/2819c223"}}`, i, i, i, i, i)
}

// BenchmarkGetUser compares reading one user with what a program does by hand with net/http, over an in-memory transport, so that the difference
// is this package's cost, and over loopback.
func BenchmarkGetUser(b *testing.B) {
	text := []byte(fullUser(1))
	memory := transport(func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {scim.ContentType}}, Request: r,
			Body: io.NopCloser(bytes.NewReader(text)), ContentLength: int64(len(text)),
		}, nil
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", scim.ContentType)
		w.Write(text)
	}))
	defer server.Close()
	for name, where := range map[string]struct {
		url       string
		transport http.RoundTripper
	}{
		"memory":   {"https://service.example", memory},
		"loopback": {server.URL, server.Client().Transport},
	} {
		b.Run(name+"/plain", func(b *testing.B) {
			b.ReportAllocs()
			h := &http.Client{Transport: where.transport}
			for b.Loop() {
				req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, where.url+"/Users/1", nil)
				if err != nil {
					b.Fatal(err)
				}
				req.Header.Set("Accept", scim.ContentType)
				req.Header.Set("Authorization", "Bearer "+secret)
				resp, err := h.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				data, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil {
					b.Fatal(err)
				}
				var user scim.User
				if err := user.UnmarshalJSON(data); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/client", func(b *testing.B) {
			b.ReportAllocs()
			c, err := client.New(where.url, client.WithTransport(where.transport), client.WithBearerToken(secret))
			if err != nil {
				b.Fatal(err)
			}
			users := c.Users()
			for b.Loop() {
				if _, err := users.Get(b.Context(), "2819c223-7f76-453a-919d-000000000001"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// plainUser has the fields of scim.User without its methods, for a decoder that knows neither.
type plainUser struct {
	Schemas           []string         `json:"schemas,omitempty"`
	ID                string           `json:"id"`
	ExternalID        string           `json:"externalId"`
	UserName          string           `json:"userName"`
	Name              *plainName       `json:"name"`
	DisplayName       string           `json:"displayName"`
	Title             string           `json:"title"`
	PreferredLanguage string           `json:"preferredLanguage"`
	Locale            string           `json:"locale"`
	Timezone          string           `json:"timezone"`
	Active            *bool            `json:"active"`
	Emails            []plainValue     `json:"emails"`
	PhoneNumbers      []plainValue     `json:"phoneNumbers"`
	Groups            []plainReference `json:"groups"`
	Enterprise        *plainEnterprise `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
	Meta              *plainMeta       `json:"meta"`
}

type (
	plainName struct {
		Formatted  string `json:"formatted"`
		FamilyName string `json:"familyName"`
		GivenName  string `json:"givenName"`
		MiddleName string `json:"middleName"`
	}
	plainValue struct {
		Value   string `json:"value"`
		Type    string `json:"type"`
		Primary bool   `json:"primary"`
	}
	plainReference struct {
		Value   string `json:"value"`
		Ref     string `json:"$ref"`
		Display string `json:"display"`
	}
	plainEnterprise struct {
		EmployeeNumber string `json:"employeeNumber"`
		CostCenter     string `json:"costCenter"`
		Department     string `json:"department"`
		Manager        *struct {
			Value       string `json:"value"`
			DisplayName string `json:"displayName"`
		} `json:"manager"`
	}
	plainMeta struct {
		ResourceType string `json:"resourceType"`
		Created      string `json:"created"`
		LastModified string `json:"lastModified"`
		Version      string `json:"version"`
		Location     string `json:"location"`
	}
)

// BenchmarkDecodePage compares reading a page of 100 users with encoding/json: into the same structs, and into structs without methods.
func BenchmarkDecodePage(b *testing.B) {
	var page bytes.Buffer
	page.WriteString(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":100,"startIndex":1,"itemsPerPage":100,"Resources":[`)
	for i := range 100 {
		if i > 0 {
			page.WriteByte(',')
		}
		page.WriteString(fullUser(i))
	}
	page.WriteString(`]}`)
	text := page.Bytes()
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			var list scim.ListResponse[scim.User]
			if err := stdjson.Unmarshal(text, &list); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json-plain", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			var list scim.ListResponse[plainUser]
			if err := stdjson.Unmarshal(text, &list); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("client", func(b *testing.B) {
		c, err := client.New("https://service.example", client.WithTransport(transport(func(*http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(text)), ContentLength: int64(len(text)),
			}, nil
		})))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, err := c.Users().Page(b.Context(), client.Query{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkListMillion lists 1,000,000 users from a loopback server, and reports the most memory that was in use.
func BenchmarkListMillion(b *testing.B) {
	const total, size = 1_000_000, 100
	var resources bytes.Buffer
	for i := range size {
		if i > 0 {
			resources.WriteByte(',')
		}
		fmt.Fprintf(&resources, `{"id":"%%06d%02d","userName":"user%02d@example.com","active":true}`, i, i)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, _ := strconv.Atoi(r.URL.Query().Get("startIndex"))
		page := bytes.ReplaceAll(resources.Bytes(), []byte("%06d"), []byte(fmt.Sprintf("%06d", start/size)))
		if start > total {
			page = nil
		}
		fmt.Fprintf(w, `{"totalResults":%d,"startIndex":%d,"itemsPerPage":%d,"Resources":[%s]}`, total, start, size, page)
	}))
	defer server.Close()
	c, err := client.New(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		runtime.GC()
		n, most := 0, uint64(0)
		for user, err := range c.Users().List(b.Context(), client.Query{}) {
			if err != nil {
				b.Fatal(err)
			}
			if user.ID == "" {
				b.Fatal("a user without id")
			}
			if n++; n%50_000 == 0 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapInuse)
			}
		}
		if n != total {
			b.Fatalf("%d users", n)
		}
		b.ReportMetric(float64(most)/(1<<20), "MiB-heap")
	}
}
