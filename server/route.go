package server

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/scimbridge/scim"
)

// endpoint is what a path stands for.
type endpoint uint8

const (
	unknownEndpoint  endpoint = iota
	rootEndpoint              // the base URL itself
	rootSearch                // /.search
	collection                // /Users
	collectionSearch          // /Users/.search
	resource                  // /Users/<id>
	me                        // /Me
	bulk                      // /Bulk
	serviceProviderConfig
	resourceTypes
	schemas
)

// route is where a request goes.
type route struct {
	endpoint endpoint
	typ      *resourceType
	// id is that of the resource, or of the schema or resource type; empty for all of them.
	id string
}

// protocolEndpoints are those that every service has.
var protocolEndpoints = map[string]endpoint{
	"Me": me, "Bulk": bulk, ".search": rootSearch,
	"ServiceProviderConfig": serviceProviderConfig, "ResourceTypes": resourceTypes, "Schemas": schemas,
}

// route returns where a request goes, and the escaped path in front of it.
func (s *Server) route(r *http.Request) (route, string) {
	path := strings.TrimSuffix(r.URL.EscapedPath(), "/")
	prefix, rest := s.split(path)
	if outer := strings.TrimSuffix(outerPath(r), "/"); strings.HasSuffix(outer, rest) {
		prefix = outer[:len(outer)-len(rest)]
	}
	return s.parse(rest), prefix
}

// outerPath returns the path that the client sent, of which [http.StripPrefix] may have taken off a part.
func outerPath(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(path, "/") { // an absolute URL, as proxies send it
		if u, err := url.Parse(path); err == nil {
			return u.EscapedPath()
		}
	}
	return path
}

// split returns the part of a path that is in front of the endpoint, and what is left.
func (s *Server) split(path string) (prefix, rest string) {
	if base := s.opts.BasePath; base != "" {
		end := baseEnd(base, path)
		return path[:end], path[end:]
	}
	for at := 0; at < len(path); {
		end := strings.IndexByte(path[at+1:], '/') + at + 1
		if end == at {
			end = len(path)
		}
		if s.isEndpoint(path[at+1 : end]) {
			return path[:at], path[at:]
		}
		at = end
	}
	return "", path
}

// baseEnd returns where the base path ends in a path, 0 when the path does not begin with it. A segment such as {tenant} stands for any.
func baseEnd(base, path string) int {
	end := 0
	for want := range strings.SplitSeq(base[1:], "/") {
		if !strings.HasPrefix(path[end:], "/") {
			return 0
		}
		got, _, _ := strings.Cut(path[end+1:], "/")
		wild := strings.HasPrefix(want, "{") && strings.HasSuffix(want, "}")
		if got == "" || got != want && !wild {
			return 0
		}
		end += 1 + len(got)
	}
	return end
}

func (s *Server) isEndpoint(segment string) bool {
	_, ok := s.endpoints[segment]
	return ok || protocolEndpoints[segment] != unknownEndpoint
}

// parse returns where a path without prefix goes.
func (s *Server) parse(path string) route {
	if path == "" {
		return route{endpoint: rootEndpoint}
	}
	head, id, hasID := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if hasID && (id == "" || strings.Contains(id, "/")) {
		return route{}
	}
	id, err := url.PathUnescape(id)
	if err != nil {
		return route{}
	}
	if rt, ok := s.endpoints[head]; ok {
		switch {
		case !hasID:
			return route{endpoint: collection, typ: rt}
		case id == ".search":
			return route{endpoint: collectionSearch, typ: rt}
		}
		return route{endpoint: resource, typ: rt, id: id}
	}
	e := protocolEndpoints[head]
	if hasID && e != schemas && e != resourceTypes {
		return route{}
	}
	return route{endpoint: e, id: id}
}

// operationName says in a word what a request does; of one with a method that the endpoint does not have it is unknown.
func operationName(to route, method string) string {
	isRead, isPost := method == http.MethodGet || method == http.MethodHead, method == http.MethodPost
	switch to.endpoint {
	case collection, rootEndpoint:
		switch {
		case isRead:
			return "list"
		case isPost && to.endpoint == collection:
			return "create"
		}
	case resource, me:
		switch method {
		case http.MethodGet, http.MethodHead:
			return "read"
		case http.MethodPut:
			return "replace"
		case http.MethodPatch:
			return "patch"
		case http.MethodDelete:
			return "delete"
		}
	case collectionSearch, rootSearch:
		if isPost {
			return "search"
		}
	case bulk:
		if isPost {
			return "bulk"
		}
	case serviceProviderConfig, resourceTypes, schemas:
		if isRead {
			return "discover"
		}
	}
	return "unknown"
}

// methodError is a request with a method that its endpoint does not have.
type methodError struct{ allow string }

func (e *methodError) Error() string { return "method not allowed" }

func (e *methodError) Unwrap() error {
	return scim.NewError(http.StatusMethodNotAllowed, "", "this endpoint takes "+e.allow)
}

// dispatch serves a request whose sender is known.
func (c *call) dispatch(ctx context.Context, to route) (reply, error) {
	method := c.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var allow string
	switch to.endpoint {
	case collection, rootEndpoint:
		switch {
		case method == http.MethodGet:
			return c.list(ctx, to)
		case method == http.MethodPost && to.typ != nil:
			return c.create(ctx, to)
		}
		allow = "GET, HEAD, POST"
		if to.typ == nil {
			allow = "GET, HEAD"
		}
	case resource:
		return c.dispatchResource(ctx, to, method)
	case me:
		return c.dispatchMe(ctx, method)
	case collectionSearch, rootSearch:
		if method == http.MethodPost {
			return c.search(ctx, to)
		}
		allow = "POST"
	case bulk:
		if method == http.MethodPost {
			return c.bulk(ctx)
		}
		allow = "POST"
	case serviceProviderConfig, resourceTypes, schemas:
		if method == http.MethodGet {
			return c.discover(to)
		}
		allow = "GET, HEAD"
	default:
		return reply{}, scim.NewError(http.StatusNotFound, "", "no such endpoint")
	}
	return reply{}, &methodError{allow: allow}
}

func (c *call) dispatchResource(ctx context.Context, to route, method string) (reply, error) {
	switch method {
	case http.MethodGet:
		return c.get(ctx, to)
	case http.MethodPut:
		return c.replace(ctx, to)
	case http.MethodPatch:
		return c.patch(ctx, to)
	case http.MethodDelete:
		return c.delete(ctx, to)
	}
	return reply{}, &methodError{allow: "GET, HEAD, PUT, PATCH, DELETE"}
}

// dispatchMe serves /Me, which stands for the resource of who is asking (RFC 7644 section 3.11).
func (c *call) dispatchMe(ctx context.Context, method string) (reply, error) {
	self := c.info.Identity.Me
	rt, ok := c.s.typeNamed(self.Type)
	if !ok || self.ID == "" || method == http.MethodPost {
		return reply{}, scim.NewError(http.StatusNotImplemented, "", "who is asking has no resource of their own")
	}
	// In any response: who asks for an alias learns what it stands for.
	c.w.Header().Set("Location", c.location(rt, self.ID))
	return c.dispatchResource(ctx, route{endpoint: resource, typ: rt, id: self.ID}, method)
}
