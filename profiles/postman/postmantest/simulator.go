package postmantest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

// BasePath is where the simulator's endpoints are.
const BasePath = "/scim/v2"

// maxBody bounds what the simulator reads of a request, in bytes.
const maxBody = 1 << 20

// Simulator is an [http.Handler] that behaves like Postman's SCIM service for one team. It is safe for concurrent use; writes are
// carried out one after the other.
type Simulator struct {
	options Options
	store   *memory.Store
	scim    http.Handler

	// writes lets one write at a time through, so that checks of the team's state hold until the change is stored.
	writes sync.Mutex

	mu      sync.Mutex // guards what follows
	windows []*window
	journal []Request
	faults  []*Fault
	// pending are the ids of users who have not accepted their invitation.
	pending map[string]bool
	// names are the ids of users by their userNames in lower case.
	names map[string]string
}

// New returns a simulator.
func New(options Options) (*Simulator, error) {
	s := &Simulator{options: options.withDefaults(), store: memory.New(), pending: map[string]bool{}, names: map[string]string{}}
	for _, l := range s.options.RateLimits {
		s.windows = append(s.windows, &window{limit: l})
	}
	contentType := "application/json"
	if s.options.Switches.SCIMContentType {
		contentType = scim.ContentType
	}
	h, err := server.New(s.store, server.Options{
		ResourceTypes:  []server.ResourceType{userType(), groupType()},
		Authenticator:  server.Anonymous(), // the simulator has checked the key, and answers refusals its own way
		BasePath:       BasePath,
		Limits:         server.Limits{MaxBody: maxBody, MaxResults: 100, DefaultResults: 100},
		Hooks:          s.hooks(),
		PatchReply:     server.PatchReplyBody,
		MissingMembers: true, // checked in a hook, to answer as Postman does
		MemberDisplay:  s.memberDisplay,
		Off:            server.FeatureBulk | server.FeatureSort | server.FeatureETag | server.FeatureCursor,
		ContentType:    contentType,
		Now:            s.options.Now,
		NewID:          newID,
	})
	if err != nil {
		return nil, fmt.Errorf("postmantest: %w", err)
	}
	s.scim = h
	return s, nil
}

// newID returns an id as Postman's look: 48 hexadecimal digits (rule 12).
func newID() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails, see its documentation
	return hex.EncodeToString(b[:])
}

// Server is a simulator that listens on the loopback interface.
type Server struct {
	*Simulator
	// URL is the tenant URL, with a slash at the end.
	URL string
	// Key is the SCIM API key to use.
	Key string
}

// NewServer starts a simulator that is stopped at the end of the test.
func NewServer(t testing.TB, options Options) *Server {
	t.Helper()
	s, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return &Server{Simulator: s, URL: h.URL + BasePath + "/", Key: s.options.Key}
}

// ServeHTTP answers a request: first the key is checked, then the rate limit, then the route, then the body (rule 5).
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, BasePath), "/")
	entry := Request{Time: s.options.Now(), Method: r.Method, Path: path, Query: r.URL.RawQuery}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	entry.Body = string(body)
	answer := httptest.NewRecorder()
	fault := s.fault(r.Method, path)
	if fault != nil && fault.Delay > 0 {
		// Whoever gave up waiting gets no answer; the request is carried out all the same, as with any service.
		_ = s.options.wait(r.Context(), fault.Delay)
	}
	if fault != nil && !fault.Pass {
		if fault.AfterApply {
			s.answer(answer, r, path, body, err)
		}
		entry.Status = fault.Status
		s.record(entry)
		fault.write(w)
		return
	}
	s.answer(answer, r, path, body, err)
	entry.Status = answer.Code
	s.record(entry)
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	// A client that has gone away is not the simulator's concern.
	_, _ = w.Write(answer.Body.Bytes())
}

func (s *Simulator) answer(w http.ResponseWriter, r *http.Request, path string, body []byte, bodyErr error) {
	if !s.authorized(r) {
		if path == "/ResourceTypes" {
			writePlatformUnauthorized(w)
			return
		}
		s.writeError(w, refuse(http.StatusUnauthorized, "You can't access this team's SCIM service. Check the API key."))
		return
	}
	if !s.admit(w, r.Method) {
		return
	}
	if e := s.trouble(r.Method); e != nil {
		s.writeError(w, e)
		return
	}
	if !strings.HasPrefix(r.URL.Path, BasePath+"/") {
		writeNotFoundPage(w)
		return
	}
	if bodyErr != nil || len(body) > maxBody {
		s.writeError(w, scim.NewError(http.StatusBadRequest, scim.InvalidSyntax, "The request's body can't be read."))
		return
	}
	s.route(w, r, path, body)
}

// authorized checks the key (rule 2).
func (s *Simulator) authorized(r *http.Request) bool {
	value := r.Header.Get("Authorization")
	scheme, key, found := strings.Cut(value, " ")
	switch {
	case found && strings.EqualFold(scheme, "Bearer"):
	case !found && !s.options.Switches.RefuseBareKey:
		key = value
	default:
		return false
	}
	return subtle.ConstantTimeCompare([]byte(strings.TrimSpace(key)), []byte(s.options.Key)) == 1
}

// admit counts the request against the rate limits, and answers it when it is over one (rules 8 and 9).
func (s *Simulator) admit(w http.ResponseWriter, method string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	for _, win := range s.windows {
		if !win.limit.Covers(method) {
			continue
		}
		passed := win.take(now)
		if !s.options.Switches.NoRateHeaders {
			win.headers(w.Header(), now, !passed)
		}
		if !passed {
			detail := fmt.Sprintf("The limit of %d %s requests a minute is reached. Wait a minute.", win.limit.Requests, win.limit.Name)
			if s.options.Switches.TextStatusIn429 {
				s.writeError(w, refuse(http.StatusTooManyRequests, detail))
			} else {
				writeTooManyRequests(w, detail)
			}
			return false
		}
	}
	return true
}

func (s *Simulator) trouble(method string) *scim.Error {
	switch s.options.Trouble {
	case AdminLeft:
		return refuse(http.StatusForbidden, "The admin who made this key isn't on the team any more.")
	case TeamGone:
		return refuse(http.StatusBadRequest, "This team doesn't exist any more.")
	case NotEnterprise:
		if method == http.MethodPost {
			return refuse(http.StatusBadRequest, "SCIM needs the Enterprise plan.")
		}
	}
	return nil
}

// route answers what Postman documents, and nothing else (rules 1 and 6).
func (s *Simulator) route(w http.ResponseWriter, r *http.Request, path string, body []byte) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	switch {
	case path == "/ServiceProviderConfig" && r.Method == http.MethodGet:
		writeBody(w, http.StatusOK, []byte(serviceProviderConfig))
	case path == "/ResourceTypes" && r.Method == http.MethodGet:
		writeBody(w, http.StatusOK, []byte(resourceTypes))
	case len(parts) == 1 && (parts[0] == "Users" || parts[0] == "Groups"):
		switch r.Method {
		case http.MethodGet:
			s.list(w, r, parts[0])
		case http.MethodPost:
			s.create(w, r, parts[0], body)
		default:
			writeNotFoundPage(w)
		}
	case len(parts) == 2 && parts[0] == "Users" && parts[1] != "":
		s.object(w, r, body, http.MethodGet, http.MethodPut, http.MethodPatch)
	case len(parts) == 2 && parts[0] == "Groups" && parts[1] != "":
		s.object(w, r, body, http.MethodGet, http.MethodPatch, http.MethodDelete)
	default:
		writeNotFoundPage(w)
	}
}

// object answers requests about one user or group.
func (s *Simulator) object(w http.ResponseWriter, r *http.Request, body []byte, methods ...string) {
	for _, m := range methods {
		if r.Method == m {
			r.URL.RawQuery = s.keptQuery(r).Encode()
			s.serve(w, r, body)
			return
		}
	}
	userDelete := r.Method == http.MethodDelete
	if s.options.Switches.NotFoundForBadMethods && !userDelete {
		writeNotFoundPage(w)
		return
	}
	s.writeError(w, scim.NewError(http.StatusNotImplemented, scim.InvalidSyntax, "This operation isn't supported."))
}

// create answers a POST. A deactivated user may be activated by it (rule 15).
func (s *Simulator) create(w http.ResponseWriter, r *http.Request, collection string, body []byte) {
	if collection == "Users" && s.options.Switches.ReactivateOnCreate {
		if user, ok := s.deactivated(body); ok {
			s.reactivate(w, r, user.ID, body)
			return
		}
	}
	r.URL.RawQuery = ""
	s.serve(w, r, body)
}

// serve hands the request to package server, one write at a time.
func (s *Simulator) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	if r.Method != http.MethodGet {
		s.writes.Lock()
		defer s.writes.Unlock()
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	answer := httptest.NewRecorder()
	s.scim.ServeHTTP(answer, r)
	s.finish(answer, r, body)
	for _, name := range []string{"ETag", "Location", "X-Request-Id", "Www-Authenticate"} {
		answer.Header().Del(name)
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// writeError answers with an error, its apostrophes as the switch says.
func (s *Simulator) writeError(w http.ResponseWriter, e *scim.Error) {
	e.Detail = s.wording(e.Detail)
	writeError(w, e)
}

func (s *Simulator) wording(detail string) string {
	if s.options.Switches.CurlyApostrophes {
		return strings.ReplaceAll(detail, "'", "’")
	}
	return detail
}

// Users returns all users, deactivated ones too, in the order of their creation.
func (s *Simulator) Users() []scim.User { return read[scim.User](s, "User") }

// Groups returns all groups with their members, in the order of their creation.
func (s *Simulator) Groups() []scim.Group { return read[scim.Group](s, "Group") }

func read[T any](s *Simulator, typ string) []T {
	all := []T{}
	for _, doc := range s.documents(typ, filter.Filter{}) {
		var v T
		if err := s.visible(typ, doc).Decode(&v); err != nil {
			// What the server's schema let in is what the struct can hold.
			panic(fmt.Sprintf("postmantest: stored %s cannot be read: %v", typ, err))
		}
		all = append(all, v)
	}
	return all
}

// documents returns the stored documents of a type that match a filter.
func (s *Simulator) documents(typ string, f filter.Filter) []scim.Document {
	compiled := schemaOf(typ)
	q := server.Query{Type: typ, Schema: compiled, Filter: f, Limit: 1000}
	if !f.IsZero() {
		match, err := f.Compile(compiled)
		if err != nil {
			panic(fmt.Sprintf("postmantest: %v", err))
		}
		q.Match = match
	}
	var all []scim.Document
	for {
		page, err := s.store.Query(context.Background(), q)
		if err != nil {
			panic(fmt.Sprintf("postmantest: %v", err))
		}
		for _, r := range page.Resources {
			all = append(all, r.Document)
		}
		if page.Next == "" {
			return all
		}
		q.After = page.Next
	}
}

// Accept makes the user with an e-mail address accept the pending invitation. It reports whether there was one.
func (s *Simulator) Accept(email string) bool {
	user, ok := s.userByName(email)
	if !ok {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.pending[user.ID()]
	delete(s.pending, user.ID())
	return was
}

func (s *Simulator) isPending(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending[id]
}

// Seed puts users into the team as if they had joined long ago. It returns them with their ids.
func (s *Simulator) Seed(users ...scim.User) ([]scim.User, error) {
	s.writes.Lock()
	defer s.writes.Unlock()
	now := server.FormatTime(s.options.Now())
	seeded := make([]scim.User, len(users))
	for i, u := range users {
		u.ID = newID()
		u.Schemas = []string{scim.UserSchema}
		doc, err := scim.ToDocument(u)
		if err != nil {
			return nil, fmt.Errorf("postmantest: %w", err)
		}
		if doc, err = schemaOf("User").Canonical(doc, canonicalOptions); err != nil {
			return nil, fmt.Errorf("postmantest: user %s: %w", u.UserName, err)
		}
		doc["id"], doc["schemas"] = u.ID, []any{scim.UserSchema}
		doc["meta"] = map[string]any{"resourceType": "User", "created": now, "lastModified": now}
		key := server.Key{Type: "User", ID: u.ID}
		err = s.store.Create(context.Background(), server.Resource{Key: key, Version: newID(), Document: doc})
		if err != nil {
			return nil, fmt.Errorf("postmantest: user %s: %w", u.UserName, err)
		}
		s.name(doc, nil)
		seeded[i] = u
	}
	return seeded, nil
}

// Now returns the simulator's time.
func (s *Simulator) Now() time.Time { return s.options.Now() }
