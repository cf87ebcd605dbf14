package client_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
)

// service is a small SCIM service for tests: users and groups, index paging, filters. It answers PATCH by recording it.
type service struct {
	*httptest.Server
	mu      sync.Mutex
	next    int
	objects map[string]map[string]scim.Document // by endpoint and id
	order   map[string][]string
	patches []scim.PatchRequest
	log     []string
	// before may answer a request in the service's place; it is asked first.
	before func(w http.ResponseWriter, r *http.Request) bool
}

func newService() *service {
	s := newHandler()
	s.Server = httptest.NewServer(s)
	return s
}

func newHandler() *service {
	return &service{objects: map[string]map[string]scim.Document{}, order: map[string][]string{}}
}

// requests returns the requests so far, as "METHOD path?query".
func (s *service) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.log...)
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := r.Method + " " + r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		line += "?" + r.URL.RawQuery
	}
	s.log = append(s.log, line)
	if s.before != nil && s.before(w, r) {
		return
	}
	s.serve(w, r)
}

func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	endpoint, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case r.Method == http.MethodPost && id == "":
		s.create(w, r, endpoint)
	case r.Method == http.MethodGet && id == "":
		s.list(w, endpoint, r.URL.Query().Get("filter"), r.URL.Query().Get("startIndex"), r.URL.Query().Get("count"))
	case r.Method == http.MethodPost && id == ".search":
		var q scim.SearchRequest
		json.NewDecoder(r.Body).Decode(&q)
		s.list(w, endpoint, q.Filter, strconv.Itoa(*q.StartIndex), strconv.Itoa(*q.Count))
	case s.objects[endpoint][id] == nil:
		refuse(w, http.StatusNotFound, "", "no such resource")
	default:
		s.one(w, r, endpoint, id)
	}
}

func (s *service) one(w http.ResponseWriter, r *http.Request, endpoint, id string) {
	switch r.Method {
	case http.MethodGet:
		answer(w, http.StatusOK, s.objects[endpoint][id])
	case http.MethodPut:
		var doc scim.Document
		json.NewDecoder(r.Body).Decode(&doc)
		doc["id"] = id
		s.objects[endpoint][id] = doc
		answer(w, http.StatusOK, doc)
	case http.MethodPatch:
		var p scim.PatchRequest
		json.NewDecoder(r.Body).Decode(&p)
		s.patches = append(s.patches, p)
		w.WriteHeader(http.StatusNoContent)
	case http.MethodDelete:
		delete(s.objects[endpoint], id)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s *service) create(w http.ResponseWriter, r *http.Request, endpoint string) {
	var doc scim.Document
	if err := json.NewDecoder(r.Body).Decode(&doc); err != nil {
		refuse(w, http.StatusBadRequest, scim.InvalidSyntax, err.Error())
		return
	}
	for _, have := range s.objects[endpoint] {
		if have["userName"] != nil && have["userName"] == doc["userName"] {
			refuse(w, http.StatusConflict, scim.Uniqueness, "userName is taken")
			return
		}
	}
	answer(w, http.StatusCreated, s.add(endpoint, doc))
}

// add stores a resource. The caller holds the lock, or nobody else knows the service yet.
func (s *service) add(endpoint string, doc scim.Document) scim.Document {
	s.next++
	doc["id"] = strconv.Itoa(s.next)
	if s.objects[endpoint] == nil {
		s.objects[endpoint] = map[string]scim.Document{}
	}
	s.objects[endpoint][doc.ID()] = doc
	s.order[endpoint] = append(s.order[endpoint], doc.ID())
	return doc
}

func (s *service) addUsers(n int) *service {
	for i := range n {
		s.add("Users", scim.Document{"userName": fmt.Sprintf("user%04d@example.com", i+1), "active": i%2 == 0})
	}
	return s
}

func (s *service) list(w http.ResponseWriter, endpoint, text, startIndex, counted string) {
	var p filter.Predicate
	if text != "" {
		f, err := filter.Parse(text)
		if err != nil {
			refuse(w, http.StatusBadRequest, scim.InvalidFilter, err.Error())
			return
		}
		compiled, _ := f.Compile(nil)
		p = *compiled
	}
	matches := []scim.Document{}
	for _, id := range s.order[endpoint] {
		if doc := s.objects[endpoint][id]; doc != nil && p.Match(doc) {
			matches = append(matches, doc)
		}
	}
	total := len(matches)
	start, _ := strconv.Atoi(startIndex)
	count, err := strconv.Atoi(counted)
	if err != nil {
		count = 100
	}
	matches = matches[min(max(start, 1)-1, total):]
	matches = matches[:min(count, len(matches))]
	answer(w, http.StatusOK, scim.ListResponse[scim.Document]{
		Schemas: []string{scim.ListResponseSchema}, TotalResults: total, StartIndex: start, ItemsPerPage: len(matches), Resources: matches,
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", scim.ContentType)
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, typ scim.ErrorType, detail string) {
	answer(w, status, scim.NewError(status, typ, detail))
}
