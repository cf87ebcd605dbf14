package server_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

// people creates users 1 to 4 and groups 5 and 6; user 1 is in both groups, and group 5 is in group 6.
func (s *service) people() {
	s.t.Helper()
	s.create("/Users", `{"userName":"anna@example.com","displayName":"Anna","externalId":"E1","active":true,
		"emails":[{"value":"anna@home.example","type":"home"},{"value":"anna@work.example","type":"work","primary":true}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D","manager":{"value":"2"}}}`)
	s.create("/Users", `{"userName":"bert@example.com","displayName":"bert","active":false,"title":"Engineer"}`)
	s.create("/Users", `{"userName":"carl+x@example.com","name":{"familyName":"O'Neil"}}`)
	s.create("/Users", `{"userName":"dora@example.com","title":"engineer","active":true}`)
	s.create("/Groups", `{"displayName":"Guides","members":[{"value":"1"},{"value":"2"}]}`)
	s.create("/Groups", `{"displayName":"All","members":[{"value":"5"},{"value":"1"}]}`)
}

func TestFilter(t *testing.T) {
	s := newService(t)
	s.people()
	for _, tt := range []struct {
		filter string
		want   []string
	}{
		{`userName eq "ANNA@example.com"`, []string{"1"}},
		{`userName eq "carl+x@example.com"`, []string{"3"}},
		{`USERNAME Eq "nobody"`, nil},
		{`userName eq nobody`, nil}, // as old documents have it
		{`externalId eq E1`, []string{"1"}},
		{`externalId eq "e1"`, nil},
		{`id eq "2"`, []string{"2"}},
		{`active eq true`, []string{"1", "4"}},
		{`active eq "False"`, []string{"2"}},
		{`active eq 'false'`, []string{"2"}},
		{`emails[type eq "work"].value eq "anna@work.example"`, []string{"1"}},
		{`emails[type eq "home" and value co "work"]`, nil},
		{`emails eq "anna@home.example"`, []string{"1"}},
		{`emails co "example"`, []string{"1"}},
		{`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "d"`, []string{"4"}},
		{`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "2"`, []string{"1"}},
		{`id eq "1" and urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "2"`, []string{"1"}},
		{`title pr and not (active eq true)`, []string{"2"}},
		{`meta.resourceType eq "User"`, []string{"1", "2", "3", "4"}},
		{`meta.lastModified ge "2026-11-23T12:00:00Z"`, []string{"1", "2", "3", "4"}},
		{`meta.location eq "https://example.com/scim/v2/Users/3"`, []string{"3"}},
		{`meta.version eq "\"v3\""`, []string{"3"}},
		{`groups.value eq "5"`, []string{"1", "2"}},
		{`groups[display eq "all"]`, []string{"1"}},
		{`groups pr`, []string{"1", "2"}},
	} {
		s.filter(tt.filter).wantIDs(tt.want...).wantAt("totalResults", int64(len(tt.want)))
		s.send("POST", "/Users/.search", fmt.Sprintf(`{"filter":%q}`, tt.filter)).wantIDs(tt.want...)
	}
	s.get("/Groups?excludedAttributes=members&filter=displayName+eq+%22guides%22").wantIDs("5").wantAt("Resources/0/members", nil)
	s.get("/Groups?filter="+escape(`members.value eq "1"`)).wantIDs("5", "6")
	s.get("/Groups?filter=" + escape(`members[value eq "5"]`)).wantIDs("6")
	s.get("/Groups?filter="+escape(`members.display eq "anna"`)).wantIDs("5", "6")
	s.get("/Groups?filter=" + escape(`members.type eq "Group"`)).wantIDs("6")
}

func TestFilterRefuses(t *testing.T) {
	s := newService(t)
	for _, tt := range []struct {
		name, filter string
	}{
		{"half", `userName eq`},
		{"unknown attribute", `nosuch eq "x"`},
		{"unknown sub-attribute", `emails[nosuch eq "x"]`},
		{"wrong type", `active gt "x"`},
		{"100,000 parentheses", strings.Repeat("(", 100_000)},
		{"deep", strings.Repeat("(", 40) + `title pr` + strings.Repeat(")", 40)},
		{"long", `title eq "` + strings.Repeat("x", 20_000) + `"`},
		{"many terms", strings.Repeat(`title pr or `, 1500) + `title pr`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.t = t
			s.filter(tt.filter).wantError(400, scim.InvalidFilter)
			s.send("POST", "/Users/.search", fmt.Sprintf(`{"filter":%q}`, tt.filter)).wantError(400, scim.InvalidFilter)
		})
	}
}

func TestPages(t *testing.T) {
	s := newService(t, func(o *server.Options) {
		o.Limits.MaxResults = 5
		o.Limits.DefaultResults = 3
	})
	s.get("/Users").wantIDs().
		wantDoc(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}`)
	for i := range 7 {
		s.user(fmt.Sprint("u", i))
	}
	for _, tt := range []struct {
		query string
		start int64
		want  []string
	}{
		{"", 1, []string{"1", "2", "3"}},
		{"startIndex=3&count=2", 3, []string{"3", "4"}},
		{"startIndex=0&count=1", 1, []string{"1"}},
		{"startIndex=-5&count=1", 1, []string{"1"}},
		{"startIndex=7&count=100", 7, []string{"7"}},
		{"startIndex=8", 8, nil},
		{"startIndex=99999999999999999999", 1<<63 - 1, nil},
		{"count=100", 1, []string{"1", "2", "3", "4", "5"}},
		{"count=0", 1, nil},
		{"count=-1", 1, nil},
		{"startIndex=2&count=2&filter=userName+ne+%22u2%22", 2, []string{"2", "4"}},
	} {
		r := s.get("/Users?"+tt.query).wantIDs(tt.want...).wantAt("startIndex", tt.start)
		total := int64(7)
		if strings.Contains(tt.query, "filter") {
			total = 6
		}
		r.wantAt("totalResults", total)
	}
	for _, path := range []string{"/Users?", "/?", "/Users?sortBy=userName&", "/?sortBy=userName&", "/?sortBy=userName&filter=userName+pr&"} {
		s.get(path+"startIndex=9223372036854775807&count=5").wantIDs().wantAt("totalResults", int64(7))
	}
	s.send("POST", "/Users/.search", `{"startIndex":9223372036854775807,"count":9223372036854775807,"sortBy":"userName"}`).wantIDs()
	s.get("/Users?startIndex=x").wantError(400, scim.InvalidValue)
	s.get("/Users?count=1.5").wantError(400, scim.InvalidValue)
	s.get("/Users?filter=%zz").wantError(400, scim.InvalidSyntax)
	s.send("POST", "/Users/.search", `{"startIndex":6,"count":5,"attributes":["userName"]}`).wantIDs("6", "7").
		wantAt("Resources/0/meta", nil).wantAt("startIndex", int64(6))
	s.send("POST", "/Users/.search", `{"count":"x"}`).wantError(400, scim.InvalidValue)
	s.send("POST", "/Users/.search", `{"attributes":[1]}`).wantError(400, scim.InvalidValue)
	s.send("POST", "/Users/.search", `{"filter":1}`).wantError(400, scim.InvalidValue)
}

func TestSort(t *testing.T) {
	s := newService(t)
	s.people()
	s.get("/Users?sortBy=userName&sortOrder=descending").wantIDs("4", "3", "2", "1")
	s.get("/Users?sortBy=title").wantIDs("2", "4", "1", "3")
	s.get("/Users?sortBy=title&sortOrder=Descending").wantIDs("1", "3", "2", "4")
	s.get("/Users?sortBy=emails&startIndex=1&count=1").wantIDs("1").wantAt("totalResults", int64(4))
	s.get("/Users?sortBy=urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department").wantIDs("1", "2", "3", "4")
	s.get("/Users?sortBy=groups.display").wantIDs("1", "2", "3", "4")
	s.get("/Users?sortBy=nosuch").wantError(400, scim.InvalidValue)
	s.get("/Users?sortBy=name").wantError(400, scim.InvalidValue)
	s.get("/Users?sortBy=title&sortOrder=sideways").wantError(400, scim.InvalidValue)
	off := newService(t, func(o *server.Options) { o.Off = server.FeatureSort })
	off.get("/Users?sortBy=nosuch").wantIDs()
	off.get("/ServiceProviderConfig").wantAt("sort/supported", false)
}

func TestCursors(t *testing.T) {
	now := testTime
	s := newService(t, func(o *server.Options) {
		o.Now = func() time.Time { return now }
		o.Limits.CursorTimeout = time.Minute
	})
	s.people()
	read := func(query string) (pages [][]string) {
		t.Helper()
		cursor := ""
		for {
			r := s.get("/Users?cursor="+cursor+"&"+query).want(200).wantAt("startIndex", nil)
			var ids []string
			for _, e := range r.at("Resources").([]any) {
				ids = append(ids, e.(map[string]any)["id"].(string))
			}
			pages = append(pages, ids)
			next, ok := r.at("nextCursor").(string)
			if !ok {
				return pages
			}
			cursor = next
		}
	}
	for query, want := range map[string][][]string{
		"count=3":                 {{"1", "2", "3"}, {"4"}},
		"count=4":                 {{"1", "2", "3", "4"}},
		"":                        {{"1", "2", "3", "4"}},
		"count=1&filter=title+pr": {{"2"}, {"4"}},
		"count=3&sortBy=title&sortOrder=descending": {{"1", "3", "2"}, {"4"}},
		"count=2&filter=groups+pr":                  {{"1", "2"}},
	} {
		if diff := cmp.Diff(want, read(query)); diff != "" {
			t.Errorf("pages of %q (-want +got):\n%s", query, diff)
		}
	}
	s.get("/Users?count=2").wantAt("nextCursor", nil)
	next := s.get("/Users?cursor&count=1").want(200).at("nextCursor").(string)
	s.get("/Users?cursor="+next+"&filter=title+pr").wantError(400, scim.InvalidCursor)
	s.get("/Users?startIndex=2&cursor="+next).wantError(400, "invalidValue")
	for _, bad := range []string{"x", "%20", next + "A", strings.Repeat("A", 20_000), "e30", "bnVsbA", next[:len(next)/2]} {
		s.get("/Users?cursor="+bad).wantError(400, scim.InvalidCursor)
	}
	s.get("/Groups?cursor="+next).wantError(400, scim.InvalidCursor)
	s.get("/?cursor="+next).wantError(400, scim.InvalidCursor)
	s.send("POST", "/Users/.search", `{"cursor":"`+next+`","count":1}`).wantIDs("2")
	s.get("/Users?count=x&cursor="+next).wantError(400, scim.InvalidCount)
	s.get("/Users?count=x").wantError(400, scim.InvalidValue)
	s.get("/Users?count=-1&cursor="+next).wantIDs().wantAt("totalResults", int64(4))
	now = now.Add(2 * time.Minute)
	s.get("/Users?cursor="+next).wantError(400, scim.ExpiredCursor)
}

func TestCursorsBehindLongValues(t *testing.T) {
	s := newService(t)
	for _, c := range []string{"c", "a", "b"} {
		s.create("/Users", fmt.Sprintf(`{"userName":%q,"title":%q}`, c, strings.Repeat(c, 50_000)))
	}
	next := ""
	for _, want := range []string{"2", "3", "1"} {
		r := s.send("POST", "/Users/.search", fmt.Sprintf(`{"sortBy":"title","count":1,"attributes":["id"],"cursor":%q}`, next)).wantIDs(want)
		next, _ = r.at("nextCursor").(string)
	}
	if next != "" {
		t.Errorf("a cursor of %d bytes after the last page", len(next))
	}
	s.send("POST", "/Users/.search", fmt.Sprintf(`{"cursor":%q}`, strings.Repeat("A", 2<<20))).wantError(400, scim.InvalidCursor)
}

func TestRootQuery(t *testing.T) {
	s := newService(t)
	s.people()
	s.get("/").wantIDs("1", "2", "3", "4", "5", "6").wantAt("totalResults", int64(6))
	s.get("/?startIndex=4&count=2").wantIDs("4", "5").wantAt("totalResults", int64(6))
	s.get("/?startIndex=6&count=2").wantIDs("6")
	s.get("/?count=0").wantIDs().wantAt("totalResults", int64(6))
	s.send("POST", "/.search", `{"filter":"displayName sw \"a\" or userName sw \"c\""}`).wantIDs("1", "3", "6")
	s.send("POST", "/scim/v2/.search", `{"filter":"meta.resourceType eq Group"}`).wantIDs("5", "6")
	s.send("POST", "/.search", `{"sortBy":"displayName"}`).wantIDs("6", "1", "2", "5", "3", "4").wantAt("totalResults", int64(6))
	s.send("POST", "/.search", `{"sortBy":"displayName","startIndex":2,"count":3,"attributes":["displayName"]}`).wantIDs("1", "2", "5").
		wantAt("Resources/0/meta", nil)
	s.send("POST", "/.search", `{"sortBy":"displayName","count":0}`).wantIDs().wantAt("totalResults", int64(6))
	var pages []string
	cursor := ""
	for range 10 {
		r := s.get("/?count=3&cursor=" + cursor).want(200)
		for _, e := range r.at("Resources").([]any) {
			pages = append(pages, e.(map[string]any)["id"].(string))
		}
		next, ok := r.wantAt("totalResults", int64(6)).at("nextCursor").(string)
		if !ok {
			break
		}
		cursor = next
	}
	if diff := cmp.Diff([]string{"1", "2", "3", "4", "5", "6"}, pages); diff != "" {
		t.Errorf("pages by cursor (-want +got):\n%s", diff)
	}
	s.send("POST", "/", `{}`).wantError(405, "").wantHeader("Allow", "GET, HEAD")
}

// withoutNext is a store that has no next page for one without resources, which it need not.
type withoutNext struct{ *memory.Store }

func (s withoutNext) Query(ctx context.Context, q server.Query) (server.Page, error) {
	page, err := s.Store.Query(ctx, q)
	if q.Limit == 0 {
		page.Next = ""
	}
	return page, err
}

// A page without resources is followed by those that would have been on it.
func TestCursorOfAnEmptyPage(t *testing.T) {
	s := newServiceOn(t, withoutNext{memory.New()})
	s.people()
	for _, query := range []string{"", "sortBy=id&"} {
		first := s.get("/?"+query+"cursor&count=0").wantIDs().wantAt("totalResults", int64(6)).at("nextCursor").(string)
		page := s.get("/?"+query+"count=2&cursor="+first).wantIDs("1", "2").at("nextCursor").(string)
		again := s.get("/?"+query+"count=0&cursor="+page).wantIDs().wantAt("totalResults", int64(6)).at("nextCursor").(string)
		s.get("/?"+query+"cursor="+again).wantIDs("3", "4", "5", "6").wantAt("nextCursor", nil)
	}
	s.get("/Users?cursor&count=0&filter=title+eq+x").wantAt("nextCursor", nil)
}

// pages reads all pages of a query, in which % stands for the cursor.
func (s *service) pages(query string, between func(page int)) (pages [][]string) {
	s.t.Helper()
	cursor := ""
	for n := 1; ; n++ {
		r := s.get(strings.Replace(query, "%", cursor, 1)).want(200)
		ids := []string{}
		for _, e := range r.at("Resources").([]any) {
			ids = append(ids, e.(map[string]any)["id"].(string))
		}
		pages = append(pages, ids)
		next, ok := r.at("nextCursor").(string)
		if !ok {
			return pages
		}
		if n > 100 {
			s.t.Fatalf("%s has no end: %v", query, pages)
		}
		cursor = next
		if between != nil {
			between(n)
		}
	}
}

func TestOrderedCursorsOverSeveralTypes(t *testing.T) {
	s := newService(t)
	s.people()
	for query, want := range map[string][][]string{
		"/?cursor=%&sortBy=displayName&count=1":                       {{"6"}, {"1"}, {"2"}, {"5"}, {"3"}, {"4"}},
		"/?cursor=%&sortBy=displayName&count=2":                       {{"6", "1"}, {"2", "5"}, {"3", "4"}},
		"/?cursor=%&sortBy=displayName&count=4":                       {{"6", "1", "2", "5"}, {"3", "4"}},
		"/?cursor=%&sortBy=displayName&count=6":                       {{"6", "1", "2", "5", "3", "4"}},
		"/?cursor=%&sortBy=displayName&sortOrder=descending&count=5":  {{"3", "4", "5", "2", "1"}, {"6"}},
		"/?cursor=%&sortBy=userName&count=4&attributes=id":            {{"1", "2", "3", "4"}, {"5", "6"}},
		"/?cursor=%&sortBy=displayName&filter=displayName+pr&count=3": {{"6", "1", "2"}, {"5"}},
	} {
		if diff := cmp.Diff(want, s.pages(query, nil)); diff != "" {
			t.Errorf("pages of %s (-want +got):\n%s", query, diff)
		}
	}
	r := s.get("/?cursor&sortBy=displayName&count=2").want(200).wantAt("totalResults", int64(6)).wantAt("startIndex", nil)
	next := r.at("nextCursor").(string)
	s.get("/?cursor="+next+"&sortBy=displayName&count=0").wantIDs().wantAt("totalResults", int64(6))
	for _, path := range []string{"/?cursor=" + next, "/?sortBy=userName&cursor=" + next, "/Users?sortBy=displayName&cursor=" + next} {
		s.get(path).wantError(400, scim.InvalidCursor)
	}

	// What comes and goes between the pages does not make others come twice or not at all.
	seen := map[string]int{}
	for _, page := range s.pages("/?cursor=%&sortBy=displayName&count=2", func(page int) {
		switch page {
		case 1:
			s.create("/Users", `{"userName":"early","displayName":"AAA"}`)
			s.send("DELETE", "/Users/1", "").want(204)
		case 2:
			s.create("/Groups", `{"displayName":"ZZZ"}`)
		}
	}) {
		for _, id := range page {
			seen[id]++
		}
	}
	if diff := cmp.Diff(map[string]int{"6": 1, "1": 1, "2": 1, "5": 1, "3": 1, "4": 1}, seen); diff != "" {
		t.Errorf("how often each was in a page (-want +got):\n%s", diff)
	}
}

// changingStore calls before in front of each query.
type changingStore struct {
	server.Store
	before func()
}

func (s *changingStore) Query(ctx context.Context, q server.Query) (server.Page, error) {
	if s.before != nil {
		s.before()
	}
	return s.Store.Query(ctx, q)
}

func TestOrderedCursorsAreReadAgainWhenSomethingChanges(t *testing.T) {
	inner := memory.New()
	store := &changingStore{Store: plainStore{inner}}
	s := newServiceOn(t, store)
	s.people()
	queries := 0
	store.before = func() {
		if queries++; queries == 3 { // the page was read, where it ends was not
			if err := inner.Delete(t.Context(), server.Key{Type: "User", ID: "1"}, ""); err != nil {
				t.Error(err)
			}
		}
	}
	if diff := cmp.Diff([][]string{{"6", "2"}, {"5", "3"}, {"4"}}, s.pages("/?cursor=%&sortBy=displayName&count=2", nil)); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	last := "6"
	store.before = func() { // another group All every time
		queries++
		if err := inner.Delete(t.Context(), server.Key{Type: "Group", ID: last}, ""); err != nil {
			t.Error(err)
		}
		last = fmt.Sprint("new", queries)
		if err := inner.Create(t.Context(), server.Resource{
			Key: server.Key{Type: "Group", ID: last}, Version: "v", Document: scim.Document{"id": last, "displayName": "All"},
		}); err != nil {
			t.Error(err)
		}
	}
	s.get("/?cursor&sortBy=displayName&count=2").wantError(503, "").wantHeader("Retry-After", "1")
}

func TestBeforeQueryNarrowsAndRefuses(t *testing.T) {
	s := newService(t, func(o *server.Options) {
		o.Hooks.BeforeQuery = func(_ context.Context, q *server.Query) error {
			if len(q.Filter.Attributes()) > 1 {
				return scim.NewError(400, scim.InvalidFilter, "too clever")
			}
			q.Filter = q.Filter.And(filter.Eq("active", true))
			return nil
		}
	})
	s.create("/Users", `{"userName":"a","active":true}`)
	s.create("/Users", `{"userName":"b","active":false}`)
	s.get("/Users").wantIDs("1")
	s.filter(`userName eq "b"`).wantIDs()
	s.filter(`userName eq "b" or title pr`).wantError(400, scim.InvalidFilter).wantAt("detail", "too clever")
}
