package scim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	core "github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/source/scim"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

// handler is a transport that calls a handler.
type handler struct{ http.Handler }

func (h handler) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}

// service is a SCIM service with its journal.
type service struct {
	*client.Client
	handler http.Handler
	now     time.Time
	journal []string
}

// newService starts a service of ours, with a client of it.
func newService(t *testing.T, off server.Features, options ...client.Option) *service {
	t.Helper()
	s := &service{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	h, err := server.New(memory.New(), server.Options{
		Authenticator: server.Anonymous(), BasePath: "/scim/v2", Off: off, Now: func() time.Time { return s.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.handler = h
	s.Client = newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.journal = append(s.journal, r.Method+" "+strings.TrimPrefix(r.URL.RequestURI(), "/scim/v2"))
		h.ServeHTTP(w, r)
	}), options...)
	return s
}

func newClient(t *testing.T, h http.Handler, options ...client.Option) *client.Client {
	t.Helper()
	c, err := client.New("https://hr.example/scim/v2", append([]client.Option{client.WithTransport(handler{h})}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *service) clock() time.Time { return s.now }

func (s *service) user(t *testing.T, name string) string {
	t.Helper()
	u, err := s.Users().Create(t.Context(), core.User{
		UserName: name + "@example.com", Active: core.Bool(true), Name: &core.Name{GivenName: name, FamilyName: "Doe"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return u.ID
}

func (s *service) group(t *testing.T, name string, members ...string) string {
	t.Helper()
	g := core.Group{DisplayName: name}
	for _, id := range members {
		g.Members = append(g.Members, core.Reference{Value: id})
	}
	made, err := s.Groups().Create(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	return made.ID
}

// requests returns the requests of a kind since the last call.
func (s *service) requests(prefix string) []string {
	var found []string
	for _, r := range s.journal {
		if strings.HasPrefix(r, prefix) {
			found = append(found, r)
		}
	}
	s.journal = nil
	return found
}

func newSource(t *testing.T, c *client.Client, o scim.Options) *scim.Source {
	t.Helper()
	s, err := scim.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ids reads all entries of a type.
func ids(t *testing.T, s provision.Source, typ string) ([]string, error) {
	t.Helper()
	var all []string
	for e, err := range s.Entries(t.Context(), typ) {
		if err != nil {
			return all, err
		}
		if slices.Contains(all, e.ID) {
			t.Errorf("%s came twice", e.ID)
		}
		all = append(all, e.ID)
	}
	return all, nil
}

// changed reads the changes since a watermark.
func changed(t *testing.T, s provision.ChangeSource, typ, since string) ([]provision.Entry, error) {
	t.Helper()
	var all []provision.Entry
	for e, err := range s.Changes(t.Context(), typ, since) {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

func mark(t *testing.T, s provision.ChangeSource) string {
	t.Helper()
	m, err := s.Watermark(t.Context())
	if err != nil || m == "" {
		t.Fatalf("Watermark = %q, %v", m, err)
	}
	return m
}

// lister is a service that has only a list of users, and single users, without filters and without discovery.
type lister struct {
	// users are the ids, in the order of the list.
	users []string
	// page, when set, writes a page in place of the usual one; it returns a status other than 200 for an error.
	page func(start, count int) (status, total int, ids []string)
	// before is called before each page.
	before func()
	pages  []int
}

func (l *lister) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/scim/v2")
	w.Header().Set("Content-Type", core.ContentType)
	if id, ok := strings.CutPrefix(path, "/Users/"); ok {
		if !slices.Contains(l.users, id) {
			http.Error(w, `{"status":"404"}`, http.StatusNotFound)
			return
		}
		fmt.Fprint(w, user(id))
		return
	}
	if path != "/Users" {
		http.Error(w, `{"status":"404"}`, http.StatusNotFound)
		return
	}
	if l.before != nil {
		l.before()
	}
	start, _ := strconv.Atoi(r.URL.Query().Get("startIndex"))
	count, _ := strconv.Atoi(r.URL.Query().Get("count"))
	l.pages = append(l.pages, start)
	status, total, ids := http.StatusOK, len(l.users), l.from(start, count)
	if l.page != nil {
		status, total, ids = l.page(start, count)
	}
	if status != http.StatusOK {
		http.Error(w, fmt.Sprintf(`{"status":"%d"}`, status), status)
		return
	}
	var list []string
	for _, id := range ids {
		list = append(list, user(id))
	}
	fmt.Fprintf(w, `{"totalResults":%d,"startIndex":%d,"itemsPerPage":%d,"Resources":[%s]}`, total, start, len(ids), strings.Join(list, ","))
}

func user(id string) string {
	return fmt.Sprintf(`{"id":%q,"userName":"u%s@example.com","active":true}`, id, id)
}

// from returns a page.
func (l *lister) from(start, count int) []string {
	first := min(max(start-1, 0), len(l.users))
	return l.users[first:min(first+count, len(l.users))]
}

func numbers(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = strconv.Itoa(i + 1)
	}
	return list
}
