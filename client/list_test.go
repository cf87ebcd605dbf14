package client_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles"
)

// pages is a service that has only a list of users, numbered from 1. The function writes a page: start and count are what was asked for.
type pages struct {
	page func(start, count int) (total int, ids []int)
	log  []string
}

func (p *pages) RoundTrip(r *http.Request) (*http.Response, error) {
	q := r.URL.Query()
	start, _ := strconv.Atoi(q.Get("startIndex"))
	count, _ := strconv.Atoi(q.Get("count"))
	p.log = append(p.log, fmt.Sprintf("%d+%d", start, count))
	total, ids := p.page(start, count)
	if ids == nil {
		return response(http.StatusBadRequest, `{"detail":"startIndex is too large"}`), nil
	}
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"%d"}`, id)
	}
	return response(http.StatusOK, fmt.Sprintf(`{"totalResults":%d,"itemsPerPage":%d,"Resources":[%s]}`, total, count, &b)), nil
}

// upTo returns the numbers from start to end, at most count of them, and never nil.
func upTo(start, end, count int) []int {
	ids := []int{}
	for i := start; i <= end && len(ids) < count; i++ {
		ids = append(ids, i)
	}
	return ids
}

func TestListReadsToTheEnd(t *testing.T) {
	unreliable := client.WithProfile(&profiles.Profile{Paging: profiles.Paging{TotalsUnreliable: true, MaxCount: 10}})
	ten := client.WithPageSize(10)
	tests := []struct {
		name    string
		page    func(start, count int) (int, []int)
		options []client.Option
		query   client.Query
		want    int // users, 1 to want
		log     []string
		err     string
	}{
		{
			name: "short last page", options: []client.Option{ten}, want: 25, log: []string{"1+10", "11+10", "21+10"},
			page: func(start, count int) (int, []int) { return 25, upTo(start, 25, count) },
		},
		{
			name: "full last page", options: []client.Option{ten}, want: 20, log: []string{"1+10", "11+10", "21+10"},
			page: func(start, count int) (int, []int) { return 20, upTo(start, 20, count) },
		},
		{
			name: "full last page, and a service that refuses to read on", options: []client.Option{ten}, want: 20,
			log: []string{"1+10", "11+10", "21+10"},
			page: func(start, count int) (int, []int) {
				if start > 20 {
					return 0, nil
				}
				return 20, upTo(start, 20, count)
			},
		},
		{
			name: "nobody", options: []client.Option{ten}, want: 0, log: []string{"1+10"},
			page: func(int, int) (int, []int) { return 0, []int{} },
		},
		{
			name: "total is the length of the page", options: []client.Option{ten}, want: 25, log: []string{"1+10", "11+10", "21+10"},
			page: func(start, count int) (int, []int) {
				ids := upTo(start, 25, count)
				return len(ids), ids
			},
		},
		{
			name: "pages smaller than asked for", options: []client.Option{ten}, want: 10, log: []string{"1+10", "5+10", "9+10"},
			page: func(start, _ int) (int, []int) { return 10, upTo(start, 10, 4) },
		},
		{
			name: "total too large", options: []client.Option{ten}, want: 12, log: []string{"1+10", "11+10", "13+10"},
			page: func(start, count int) (int, []int) { return 1000, upTo(start, 12, count) },
		},
		{
			name: "totals that the profile calls unreliable", options: []client.Option{unreliable}, want: 12,
			log:  []string{"1+10", "11+10", "13+10"},
			page: func(start, count int) (int, []int) { return 1, upTo(start, 12, count) },
		},
		{
			name: "users added in front meanwhile", options: []client.Option{ten}, want: 18, log: []string{"1+10", "11+10", "21+10"},
			page: func(start, count int) (int, []int) {
				if start > 1 {
					start -= 2 // two were put in front, which moves the others back
				}
				return 20, upTo(start, 18, count)
			},
		},
		{
			name: "a service without pages", options: []client.Option{ten}, want: 15, log: []string{"1+10", "16+10"},
			page: func(int, int) (int, []int) { return 15, upTo(1, 15, 15) },
		},
		{
			name: "the first page over and over", options: []client.Option{ten}, want: 10, log: []string{"1+10", "11+10"},
			page: func(int, int) (int, []int) { return 1000, upTo(1, 10, 10) }, err: "it does not page",
		},
		{
			name: "the first page once more, which would make up the total", options: []client.Option{ten}, want: 10, log: []string{"1+10", "11+10"},
			page: func(int, int) (int, []int) { return 15, upTo(1, 10, 10) }, err: "it does not page",
		},
		{
			name: "a service that begins anew at its end", options: []client.Option{unreliable}, want: 20, log: []string{"1+10", "11+10", "21+10"},
			page: func(start, count int) (int, []int) { return 1, upTo((start-1)%20+1, 20, count) },
		},
		{
			name: "a limit", options: []client.Option{ten}, query: client.Query{Limit: 13}, want: 13, log: []string{"1+10", "11+10"},
			page: func(start, count int) (int, []int) { return 25, upTo(start, 25, count) },
		},
		{
			name: "a limit below the page", options: []client.Option{ten}, query: client.Query{Limit: 3}, want: 3, log: []string{"1+3"},
			page: func(start, count int) (int, []int) { return 25, upTo(start, 25, count) },
		},
		{
			name: "a page size above what the profile allows", options: []client.Option{unreliable}, query: client.Query{PageSize: 500}, want: 1,
			log:  []string{"1+10", "2+10"},
			page: func(start, count int) (int, []int) { return 1, upTo(start, 1, count) },
		},
		{
			name: "an error on the second page", options: []client.Option{ten}, want: 10, log: []string{"1+10", "11+10"}, err: "400",
			page: func(start, count int) (int, []int) {
				if start > 1 {
					return 0, nil
				}
				return 25, upTo(start, 25, count)
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &pages{page: tt.page}
			c := newClient(t, s, tt.options...)
			var got []string
			var failure error
			for user, err := range c.Users().List(t.Context(), tt.query) {
				if err != nil {
					failure = err
					continue
				}
				got = append(got, user.ID)
			}
			var want []string
			for i := range tt.want {
				want = append(want, strconv.Itoa(i+1))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.log, s.log); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if (failure == nil) != (tt.err == "") || failure != nil && !strings.Contains(failure.Error(), tt.err) {
				t.Errorf("error %v, want %q", failure, tt.err)
			}
		})
	}
}

func TestListOfAUniqueValueIsOneRequest(t *testing.T) {
	n := 0
	c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
		n++
		return response(http.StatusOK, `{"totalResults":1000,"Resources":[{"id":"1","userName":"a@example.com"}]}`), nil
	}), postmanProfile(t))
	for _, err := range c.Users().List(t.Context(), client.Query{Filter: filter.Eq("userName", "a@example.com")}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestListThatIsLeftEndsItsReadAhead(t *testing.T) {
	started := make(chan struct{}, 1)
	ended := make(chan error, 1)
	c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
		if r.URL.Query().Get("startIndex") != "1" {
			started <- struct{}{}
			<-r.Context().Done()
			ended <- r.Context().Err()
			return nil, r.Context().Err()
		}
		return response(http.StatusOK, `{"totalResults":9,"Resources":[{"id":"1"},{"id":"2"}]}`), nil
	}), client.WithPageSize(2))
	for range c.Users().List(t.Context(), client.Query{}) {
		<-started
		break
	}
	select {
	case <-ended:
	default:
		t.Error("the next page is still being read")
	}
}

func TestListByCursor(t *testing.T) {
	var log []string
	c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
		log = append(log, r.URL.RawQuery)
		switch r.URL.Query().Get("cursor") {
		case "":
			return response(http.StatusOK, `{"totalResults":3,"nextCursor":"b c","Resources":[{"id":"1"},{"id":"2"}]}`), nil
		case "b c":
			return response(http.StatusOK, `{"totalResults":3,"Resources":[{"id":"3"}]}`), nil
		}
		return response(http.StatusBadRequest, `{"scimType":"invalidCursor"}`), nil
	}), client.WithProfile(&profiles.Profile{Paging: profiles.Paging{Cursor: true}}), client.WithPageSize(2))
	n := 0
	for _, err := range c.Users().List(t.Context(), client.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if diff := cmp.Diff([]string{"cursor=&count=2", "cursor=b%20c&count=2"}, log); diff != "" || n != 3 {
		t.Errorf("%d users, requests (-want +got):\n%s", n, diff)
	}
}

// A list by cursor ends, whatever the service does, and holds all there is: cursors may come back, and pages may be empty.
func TestListByCursorEnds(t *testing.T) {
	const page = `{"totalResults":9,"nextCursor":%q,"Resources":[%s]}`
	tests := []struct {
		name string
		next func(cursor string) (next, resource string)
		want []string
		err  string
	}{
		{
			name: "a page without resources among others", want: []string{"0", "2"},
			next: func(cursor string) (string, string) {
				return map[string]string{"": "1", "1": "2"}[cursor], map[string]string{"": `{"id":"0"}`, "2": `{"id":"2"}`}[cursor]
			},
		},
		{
			name: "the last page over and over, without resources", want: []string{"0"},
			next: func(cursor string) (string, string) { return "1", map[string]string{"": `{"id":"0"}`}[cursor] },
		},
		{
			name: "one cursor for all pages", want: []string{"0"}, err: "the same page again",
			next: func(string) (string, string) { return "1", `{"id":"0"}` },
		},
		{
			name: "a circle that the first page is not in", want: []string{"", "1", "2", "3", "4", "2"}, err: "the same page again",
			next: func(cursor string) (string, string) {
				return map[string]string{"": "1", "1": "2", "2": "3", "3": "4", "4": "2"}[cursor], `{"id":"u` + cursor + `"}`
			},
		},
		{
			name: "no resources, and always another cursor", err: "pages without resources",
			next: func(cursor string) (string, string) { return cursor + "x", "" },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
				if n++; n > 2000 {
					return response(http.StatusGone, "the list does not end"), nil
				}
				next, resource := tt.next(r.URL.Query().Get("cursor"))
				return response(http.StatusOK, fmt.Sprintf(page, next, resource)), nil
			}))
			var got []string
			var failure error
			for user, err := range c.Users().List(t.Context(), client.Query{Cursor: new(string)}) {
				if failure = err; err == nil {
					got = append(got, strings.TrimPrefix(user.ID, "u"))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
			if (failure == nil) != (tt.err == "") || failure != nil && !strings.Contains(failure.Error(), tt.err) {
				t.Errorf("error %v, want %q", failure, tt.err)
			}
		})
	}
}

// What is no resource must not be taken for one, as it would be of a user whose id is empty.
func TestListsOfWhatAreNoResources(t *testing.T) {
	for name, body := range map[string]string{
		"null":       `{"totalResults":1,"Resources":[null]}`,
		"empty":      `{"totalResults":1,"Resources":[{}]}`,
		"without id": `{"totalResults":2,"Resources":[{"id":"1"},{"userName":"b@example.com"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, transport(func(*http.Request) (*http.Response, error) { return response(http.StatusOK, body), nil }))
			for user, err := range c.Users().List(t.Context(), client.Query{}) {
				if err == nil {
					t.Errorf("user %v", user)
				}
			}
			for user, err := range c.Documents("User").List(t.Context(), client.Query{}) {
				if err == nil {
					t.Errorf("document %v", user)
				}
			}
		})
	}
}

func TestPagesByCursorOfTheCaller(t *testing.T) {
	var log []string
	c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
		log = append(log, r.URL.RawQuery)
		return response(http.StatusOK, `{"totalResults":3,"nextCursor":"b c","Resources":[{"id":"1"}]}`), nil
	}))
	page, err := c.Users().Page(t.Context(), client.Query{Cursor: new(string), PageSize: 1})
	if err != nil || page.NextCursor != "b c" {
		t.Fatalf("next %q, %v", page.NextCursor, err)
	}
	if _, err := c.Users().Page(t.Context(), client.Query{Cursor: &page.NextCursor, PageSize: 1}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"cursor=&count=1", "cursor=b%20c&count=1"}, log); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestListSaysWhatIsAskedFor(t *testing.T) {
	q := client.Query{
		Filter:     filter.Eq("userName", `o"brien+1@example.com`).And(filter.Eq("active", true)),
		Attributes: []string{"userName", "name.givenName"}, ExcludedAttributes: []string{"groups"},
		SortBy: "userName", Descending: true, StartIndex: 7, PageSize: 5,
	}
	var got url.Values
	var posted string
	s := transport(func(r *http.Request) (*http.Response, error) {
		got = r.URL.Query()
		if strings.Contains(r.URL.RawQuery, "+") {
			t.Errorf("a plus sign in %s", r.URL.RawQuery)
		}
		if r.Body != nil {
			data, _ := io.ReadAll(r.Body)
			posted = r.URL.Path + " " + string(data)
		}
		return response(http.StatusOK, `{"totalResults":0,"Resources":[]}`), nil
	})
	c := newClient(t, s)
	for _, err := range c.Users().List(t.Context(), q) {
		t.Fatal(err)
	}
	want := url.Values{
		"filter":     {`userName eq "o\"brien+1@example.com" and active eq true`},
		"attributes": {"userName,name.givenName"}, "excludedAttributes": {"groups"},
		"sortBy": {"userName"}, "sortOrder": {"descending"}, "startIndex": {"7"}, "count": {"5"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
	for _, err := range c.Users().Search(t.Context(), q) {
		t.Fatal(err)
	}
	wantPosted := `/scim/v2/Users/.search {"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],` +
		`"attributes":["userName","name.givenName"],"excludedAttributes":["groups"],` +
		`"filter":"userName eq \"o\\\"brien+1@example.com\" and active eq true","sortBy":"userName","sortOrder":"descending","startIndex":7,"count":5}`
	if diff := cmp.Diff(wantPosted, posted); diff != "" || len(got) != 0 {
		t.Errorf("search with query %v (-want +got):\n%s", got, diff)
	}
}

func TestListsInTheWild(t *testing.T) {
	tests := []struct {
		name, body string
		status     int
		want       []string
	}{
		{"null", `{"totalResults":0,"Resources":null}`, 200, nil},
		{"no resources", `{"totalResults":0}`, 200, nil},
		{"numbers as strings, names in lower case", `{"totalresults":"1","itemsperpage":1.0,"resources":[{"ID":"1"}]}`, 200, []string{"1"}},
		{"a total that is none", `{"totalResults":null,"Resources":[{"id":"1"}]}`, 200, []string{"1"}},
		{"not found", `{"detail":"no user"}`, 404, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
				if n++; n > 1 {
					return response(http.StatusOK, `{"Resources":[]}`), nil
				}
				return response(tt.status, tt.body), nil
			}), client.WithProfile(&profiles.Profile{Paging: profiles.Paging{NotFoundWhenEmpty: true}}))
			var got []string
			for user, err := range c.Users().List(t.Context(), client.Query{Filter: filter.Pr("userName")}) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, user.ID)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFindFirstCount(t *testing.T) {
	s := newService()
	defer s.Close()
	s.addUsers(230)
	s.add("Users", scim.Document{"userName": "user0001@example.com"})
	c, err := client.New(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	users := c.Users()
	if user, err := users.Find(t.Context(), "userName", "user0017@example.com"); err != nil || user.ID != "17" {
		t.Errorf("Find: %v, %v", user, err)
	}
	if _, err := users.Find(t.Context(), "userName", "nobody@example.com"); !errors.Is(err, scim.ErrNotFound) {
		t.Errorf("Find of nobody: %v", err)
	}
	if _, err := users.Find(t.Context(), "userName", "user0001@example.com"); !errors.Is(err, client.ErrAmbiguous) {
		t.Errorf("Find of two: %v", err)
	}
	if user, err := users.First(t.Context(), filter.Eq("active", false)); err != nil || user.ID != "2" {
		t.Errorf("First: %v, %v", user, err)
	}
	if _, err := users.First(t.Context(), filter.Eq("title", "x")); !errors.Is(err, scim.ErrNotFound) {
		t.Errorf("First of nobody: %v", err)
	}
	if n, err := users.Count(t.Context(), filter.Eq("active", false)); err != nil || n != 115 {
		t.Errorf("Count: %d, %v", n, err)
	}
	distrust, err := client.New(s.URL, client.WithProfile(&profiles.Profile{Paging: profiles.Paging{TotalsUnreliable: true}}))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := distrust.Users().Count(t.Context(), filter.Filter{}); err != nil || n != 231 {
		t.Errorf("Count without totals: %d, %v", n, err)
	}
}

// A service that does not say how many there are does not say that there are none.
func TestCountReadsTheListWhereThereIsNoTotal(t *testing.T) {
	for _, total := range []string{`"totalResults":"many",`, `"totalResults":null,`, `"totalResults":-1,`, ""} {
		t.Run(total, func(t *testing.T) {
			c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
				if r.URL.Query().Get("startIndex") != "1" {
					return response(http.StatusOK, `{"Resources":[]}`), nil
				}
				return response(http.StatusOK, `{`+total+`"Resources":[{"id":"1"},{"id":"2"}]}`), nil
			}))
			if n, err := c.Users().Count(t.Context(), filter.Filter{}); err != nil || n != 2 {
				t.Errorf("%d, %v; want 2", n, err)
			}
		})
	}
}

func TestFindNoticesThatTheFilterWasIgnored(t *testing.T) {
	c := newClient(t, transport(func(*http.Request) (*http.Response, error) {
		return response(http.StatusOK, `{"totalResults":2,"Resources":[{"id":"1","userName":"a"},{"id":"2","userName":"b"}]}`), nil
	}))
	if user, err := c.Users().Find(t.Context(), "userName", "c"); err == nil || !strings.Contains(err.Error(), "does not support it") {
		t.Errorf("%v, error %v", user, err)
	}
	if user, err := c.Users().Find(t.Context(), "userName", "B"); err != nil || user.ID != "2" {
		t.Errorf("%v, error %v", user, err)
	}
	if user, err := c.Users().First(t.Context(), filter.Eq("nickName", "not returned")); err != nil || user.ID != "1" {
		t.Errorf("%v, error %v", user, err)
	}
}
