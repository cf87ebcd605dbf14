package serverstore_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/source/serverstore"
	"github.com/scimbridge/scim/provision/source/sourcetest"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

// service is a SCIM service with its store and its feed.
type service struct {
	t       *testing.T
	handler http.Handler
	store   server.Store
	feed    *server.Feed
}

func newService(t *testing.T, store server.Store, feedSize int) *service {
	t.Helper()
	feed := server.NewFeed(feedSize, nil)
	tokens := server.TenantTokens{"one": {Tenant: ""}, "two": {Tenant: "two"}}
	h, err := server.New(store, server.Options{Authenticator: tokens.Authenticator(), Hooks: server.Hooks{After: feed.Record}})
	if err != nil {
		t.Fatal(err)
	}
	return &service{t, h, store, feed}
}

// do sends a request and returns the id in the answer.
func (s *service) do(token, method, path, body string) string {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, "https://scim.example"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if w.Code >= 300 {
		s.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	doc, _ := scim.DecodeDocument(w.Body.Bytes())
	return doc.ID()
}

func (s *service) user(name string) string {
	s.t.Helper()
	return s.do("one", "POST", "/Users", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"active":true,"password":"Hunter2!"}`, name))
}

func (s *service) group(name string, members ...string) string {
	s.t.Helper()
	var list []string
	for _, id := range members {
		list = append(list, fmt.Sprintf(`{"value":%q}`, id))
	}
	return s.do("one", "POST", "/Groups", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":%q,"members":[%s]}`, name, strings.Join(list, ",")))
}

func (s *service) patch(path, op string) {
	s.t.Helper()
	s.do("one", "PATCH", path, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+op+`]}`)
}

func (s *service) source(o serverstore.Options) *serverstore.Source {
	s.t.Helper()
	if o.Feed == nil {
		o.Feed = s.feed
	}
	source, err := serverstore.New(s.store, o)
	if err != nil {
		s.t.Fatal(err)
	}
	return source
}

func mark(t *testing.T, s provision.ChangeSource) string {
	t.Helper()
	m, err := s.Watermark(t.Context())
	if err != nil || m == "" {
		t.Fatalf("Watermark = %q, %v", m, err)
	}
	return m
}

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

func TestSourceContract(t *testing.T) {
	for name, wrap := range map[string]func(server.Store) server.Store{
		"store": func(s server.Store) server.Store { return s },
		"store with five methods": func(s server.Store) server.Store {
			return struct{ server.Store }{s}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, wrap(memory.New()), 100)
			ada, ben := s.user("ada@example.com"), s.user("ben@example.com")
			groups := []string{s.group("staff", ada, ben), s.group("none")}
			s.do("two", "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"other@example.com"}`)
			sourcetest.Test(t, s.source(serverstore.Options{}), "User", ada, ben)
			sourcetest.Test(t, s.source(serverstore.Options{}), "Group", groups...)
			withoutFeed, err := serverstore.New(s.store, serverstore.Options{})
			if err != nil {
				t.Fatal(err)
			}
			sourcetest.Test(t, withoutFeed, "User", ada, ben)
		})
	}
}

func TestManyResourcesComeInPages(t *testing.T) {
	s := newService(t, memory.New(), 10)
	var want []string
	for i := range 1203 {
		want = append(want, s.user(fmt.Sprintf("u%d@example.com", i)))
	}
	var got []string
	for e, err := range s.source(serverstore.Options{}).Entries(t.Context(), "User") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestEntriesAreWhatAClientSees(t *testing.T) {
	s := newService(t, memory.New(), 10)
	ada := s.user("ada@example.com")
	staff := s.group("staff", ada)
	source := s.source(serverstore.Options{})
	users, err := source.Lookup(t.Context(), "User", []string{ada, "nobody", ada})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]provision.Entry{{ID: ada, Attributes: map[string]any{"id": ada, "userName": "ada@example.com", "active": true}}}, users); diff != "" {
		t.Errorf("user (-want +got):\n%s", diff)
	}
	groups, err := source.Lookup(t.Context(), "Group", []string{staff})
	if err != nil {
		t.Fatal(err)
	}
	want := []provision.Entry{{ID: staff, Attributes: map[string]any{"id": staff, "displayName": "staff", "members": []any{ada}}}}
	if diff := cmp.Diff(want, groups); diff != "" {
		t.Errorf("group (-want +got):\n%s", diff)
	}
}

func TestChangesAreThoseOfTheFeed(t *testing.T) {
	s := newService(t, memory.New(), 100)
	ada, ben, cal := s.user("ada@example.com"), s.user("ben@example.com"), s.user("cal@example.com")
	staff := s.group("staff", ada, cal)
	source := s.source(serverstore.Options{})
	since := mark(t, source)
	if got, err := changed(t, source, "User", since); err != nil || len(got) != 0 {
		t.Fatalf("nothing has changed: %v, %v", got, err)
	}
	s.patch("/Users/"+ben, `{"op":"replace","path":"active","value":false}`)
	s.patch("/Users/"+ben, `{"op":"replace","path":"title","value":"T"}`)
	s.do("one", "DELETE", "/Users/"+cal, "")
	dot := s.user("dot@example.com")
	s.do("two", "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"other@example.com"}`)
	got, err := changed(t, source, "User", since)
	if err != nil {
		t.Fatal(err)
	}
	want := []provision.Entry{
		{ID: ben, Attributes: map[string]any{"id": ben, "userName": "ben@example.com", "active": false, "title": "T"}},
		{ID: cal, Deleted: true},
		{ID: dot, Attributes: map[string]any{"id": dot, "userName": "dot@example.com", "active": true}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	got, err = changed(t, source, "Group", since)
	if err != nil {
		t.Fatal(err)
	}
	// A user who is deleted leaves the groups.
	want = []provision.Entry{{ID: staff, Attributes: map[string]any{"id": staff, "displayName": "staff", "members": []any{ada}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if got, err := changed(t, source, "User", mark(t, source)); err != nil || len(got) != 0 {
		t.Errorf("after the next watermark: %v, %v", got, err)
	}
}

func TestWhatTheFeedCannotTellIsReadInFull(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	s := newService(t, memory.New(), 3)
	s.user("ada@example.com")
	source := s.source(serverstore.Options{FullEvery: time.Hour, Now: clock})
	since := mark(t, source)
	expired := func(name string, s provision.ChangeSource, since string, want error) {
		t.Helper()
		if _, err := changed(t, s, "User", since); !errors.Is(err, want) {
			t.Errorf("%s: err = %v, want %v", name, err, want)
		}
	}
	expired("at once", source, since, nil)
	expired("another source, as after a restart", s.source(serverstore.Options{FullEvery: time.Hour, Now: clock}), since, provision.ErrWatermarkExpired)
	for i := range 4 {
		if i == 3 {
			expired("a feed that has all", source, since, nil)
		}
		s.user(fmt.Sprintf("u%d@example.com", i))
	}
	expired("a feed that has forgotten one", source, since, provision.ErrWatermarkExpired)
	since = mark(t, source)
	now = now.Add(time.Hour)
	expired("an hour later", source, since, provision.ErrWatermarkExpired)
	never := s.source(serverstore.Options{FullEvery: -1, Now: clock})
	since = mark(t, never)
	now = now.Add(10_000 * time.Hour)
	expired("never", never, since, nil)
}

// movingStore passes over a resource that is changed between two pages, as a store that pages by the time of change would.
type movingStore struct {
	*memory.Store
	between func()
	hide    string
}

func (m *movingStore) Query(ctx context.Context, q server.Query) (server.Page, error) {
	q.Limit = 2
	page, err := m.Store.Query(ctx, q)
	page.Resources = slices.DeleteFunc(slices.Clone(page.Resources), func(r server.Resource) bool { return r.ID == m.hide })
	if m.between != nil {
		m.between()
		m.between = nil
	}
	return page, err
}

func TestWhatChangesDuringAReadIsNotMissed(t *testing.T) {
	store := &movingStore{Store: memory.New()}
	s := newService(t, store, 100)
	var want []string
	for i := range 5 {
		want = append(want, s.user(fmt.Sprintf("u%d@example.com", i)))
	}
	store.between = func() {
		store.hide = want[3]
		s.patch("/Users/"+want[3], `{"op":"replace","path":"title","value":"new"}`)
	}
	var got []string
	for e, err := range s.source(serverstore.Options{}).Entries(t.Context(), "User") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.ID)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTrigger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, memory.New(), 3)
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		triggered := s.source(serverstore.Options{}).Trigger(ctx, time.Second)
		received := func() bool {
			synctest.Wait()
			select {
			case <-triggered:
				return true
			default:
				return false
			}
		}
		if received() {
			t.Error("triggered before anything was changed")
		}
		s.user("ada@example.com")
		s.user("ben@example.com")
		if received() {
			t.Error("triggered before the changes have settled")
		}
		<-triggered
		if d := time.Since(began); d != time.Second {
			t.Errorf("triggered after %s", d)
		}
		time.Sleep(time.Minute)
		if received() {
			t.Error("two changes at once triggered twice")
		}
		s.do("two", "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"other@example.com"}`)
		time.Sleep(time.Minute)
		if received() {
			t.Error("another tenant's change triggered")
		}
		for i := range 20 { // more than the feed holds, and nobody receives
			s.user(fmt.Sprintf("u%d@example.com", i))
			time.Sleep(2 * time.Second)
		}
		if !received() {
			t.Error("changes did not trigger")
		}
		if received() {
			t.Error("a cycle that is due already was triggered again")
		}
		cancel()
		synctest.Wait() // the goroutine has ended, or the test does not
	})
}
