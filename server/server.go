package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/scimbridge/scim"
)

// Server is a SCIM service: an [http.Handler] for mounting under any path of any router. Make one with [New]. It is safe for
// concurrent use, starts no goroutines, and needs no closing.
type Server struct {
	opts    Options
	store   Store
	members MemberStore // nil when the store is none
	batch   BatchStore  // nil when the store is none
	types   []*resourceType
	// endpoints holds the types by their path segment.
	endpoints map[string]*resourceType
	discovery discovery
	hasher    *hasher // nil when passwords are stored as they are
	filters   filterOptions
	// buffers has *[]byte for responses.
	buffers sync.Pool
}

// New returns a server for the resources in store. It fails when the options contradict each other or a schema is malformed.
func New(store Store, options Options) (*Server, error) {
	if store == nil {
		return nil, errors.New("server: no Store")
	}
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts: options, store: store, endpoints: make(map[string]*resourceType), filters: newFilterOptions(options.Limits),
	}
	if s.opts.MemberDisplay == nil {
		s.opts.MemberDisplay = s.memberDisplay
	}
	s.members, _ = store.(MemberStore)
	s.batch, _ = store.(BatchStore)
	if options.HashPasswords {
		s.hasher = newHasher()
	}
	if s.types, err = compileTypes(options.ResourceTypes); err != nil {
		return nil, err
	}
	for _, rt := range s.types {
		s.endpoints[rt.segment] = rt
	}
	if s.discovery, err = s.describe(); err != nil {
		return nil, err
	}
	return s, nil
}

// has reports whether a feature is on.
func (s *Server) has(f Features) bool { return s.opts.Off&f == 0 }

// typeNamed returns the type with a name.
func (s *Server) typeNamed(name string) (*resourceType, bool) {
	for _, rt := range s.types {
		if rt.Name == name {
			return rt, true
		}
	}
	return nil, false
}

// ServeHTTP serves one request. Whatever goes wrong is answered with a SCIM error, a panic of the store or a hook included.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{s: s, w: w, r: r, start: s.opts.Now()}
	c.info.ID = requestID(r)
	c.info.Request = r
	w.Header()["X-Request-Id"] = []string{c.info.ID}
	defer c.finish()
	limited := &requestContext{Context: r.Context(), info: &c.info}
	if s.opts.Limits.Timeout > 0 {
		limited.deadline = time.Now().Add(s.opts.Limits.Timeout)
	}
	defer limited.end()
	var ctx context.Context = limited
	to, prefix := s.route(r)
	c.info.BaseURL = s.baseURL(r, prefix)
	c.info.Operation = operationName(to, r.Method)
	if to.typ != nil {
		c.info.ResourceType = to.typ.Name
	}
	if s.opts.Hooks.Observe != nil {
		var end func(status int)
		if ctx, end = s.opts.Hooks.Observe(ctx, c.info); end != nil {
			c.end = end
		}
	}
	answer, err := c.serve(ctx, to)
	if err != nil {
		c.fail(ctx, err)
		return
	}
	c.write(answer)
	s.putBuffer(answer.body)
}

// maxBuffer is the largest buffer that is kept: one huge response must not hold its memory for ever.
const maxBuffer = 64 << 10

// buffer returns an empty buffer for a response.
func (s *Server) buffer() []byte {
	if b, ok := s.buffers.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, 2048)
}

// putBuffer takes back the buffer of a response that has been sent.
func (s *Server) putBuffer(b []byte) {
	if cap(b) >= 1024 && cap(b) <= maxBuffer {
		s.buffers.Put(&b)
	}
}

// call is one HTTP request being served.
type call struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	info   RequestInfo
	start  time.Time
	status int
	// readsBody says that the body is read, or was.
	readsBody bool
	// end tells the observer that the call is over; nil for none.
	end func(status int)
}

// tenant is whose resources the call is about.
func (c *call) tenant() string { return c.info.Identity.Tenant }

func (c *call) key(rt *resourceType, id string) Key {
	return Key{Tenant: c.tenant(), Type: rt.Name, ID: id}
}

func (c *call) serve(ctx context.Context, to route) (reply, error) {
	identity, err := c.s.opts.Authenticator.Authenticate(c.r)
	if err != nil {
		return reply{}, err
	}
	c.info.Identity = identity
	return c.dispatch(ctx, to)
}

// finish logs the call. It must be deferred: it turns a panic into a response.
func (c *call) finish() {
	if p := recover(); p != nil {
		if p == http.ErrAbortHandler {
			panic(p)
		}
		c.s.opts.Logger.LogAttrs(c.r.Context(), slog.LevelError, "panic while serving a SCIM request",
			slog.String("request", c.info.ID), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
		if c.status != 0 {
			panic(http.ErrAbortHandler) // a part of the response is on its way: only the connection's end can tell
		}
		c.writeError(internalError())
	}
	if c.end != nil {
		c.end(c.status)
	}
	if !c.s.opts.Logger.Enabled(c.r.Context(), slog.LevelDebug) {
		return
	}
	c.s.opts.Logger.LogAttrs(c.r.Context(), slog.LevelDebug, "SCIM request",
		slog.String("request", c.info.ID), slog.String("method", c.r.Method), slog.String("path", c.r.URL.Path),
		slog.Int("status", c.status), slog.Duration("took", c.s.opts.Now().Sub(c.start)),
		slog.String("tenant", c.info.Identity.Tenant), slog.String("name", c.info.Identity.Name))
}

// fail answers with an error.
func (c *call) fail(ctx context.Context, err error) {
	answer := c.answer(ctx, err)
	if wrong, ok := errors.AsType[*methodError](err); ok {
		c.w.Header().Set("Allow", wrong.allow)
	}
	if answer.Status == http.StatusUnauthorized {
		challenge := `Bearer realm="SCIM"`
		if _, sent := BearerToken(c.r); sent {
			challenge += `, error="invalid_token"`
		}
		c.w.Header().Set("WWW-Authenticate", challenge)
	}
	c.writeError(answer)
}

// answer returns the SCIM error that the client gets for err. What is not meant for it is logged.
func (c *call) answer(ctx context.Context, err error) *scim.Error {
	answer := toSCIM(err)
	if answer == nil {
		answer = internalError()
		if ctx.Err() != nil {
			answer = unavailable("the request took too long")
		}
		c.s.opts.Logger.LogAttrs(ctx, slog.LevelError, "SCIM request failed",
			slog.String("request", c.info.ID), slog.String("method", c.r.Method), slog.String("path", c.r.URL.Path),
			slog.String("error", err.Error()))
	}
	if c.s.opts.Hooks.OnError != nil {
		if other := c.s.opts.Hooks.OnError(ctx, err, answer); other != nil {
			answer = other
		}
	}
	return answer
}

// toSCIM returns what the client may know of an error, nil for nothing.
func toSCIM(err error) *scim.Error {
	if e, ok := errors.AsType[*scim.Error](err); ok && e.Status >= 400 && e.Status < 600 {
		return e
	}
	if e, ok := errors.AsType[*TakenError](err); ok {
		taken := scim.NewError(http.StatusConflict, scim.Uniqueness, "another resource has this "+e.Unique.Attribute)
		taken.Attribute = e.Unique.Attribute
		return taken
	}
	switch {
	case errors.Is(err, ErrUnauthenticated):
		return scim.NewError(http.StatusUnauthorized, "", "authentication failed")
	case errors.Is(err, ErrNotFound):
		return scim.NewError(http.StatusNotFound, "", "no such resource")
	case errors.Is(err, ErrExists):
		return scim.NewError(http.StatusConflict, scim.Uniqueness, "a resource with this id exists")
	case errors.Is(err, ErrVersion):
		return scim.NewError(http.StatusPreconditionFailed, "", "the resource was changed: its version is another one")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return unavailable("the request took too long")
	}
	return nil
}

func internalError() *scim.Error {
	return scim.NewError(http.StatusInternalServerError, "", "internal error; the server's log says more under the request id")
}

// retryAfter is when to try again, as clients are told with a 503 that does not say it.
const retryAfter = time.Second

func unavailable(detail string) *scim.Error {
	return scim.NewError(http.StatusServiceUnavailable, "", detail)
}

func badRequest(typ scim.ErrorType, format string, args ...any) *scim.Error {
	return scim.NewError(http.StatusBadRequest, typ, fmt.Sprintf(format, args...))
}

// notFound says which resource there is not. The id is the client's own.
func notFound(id string) *scim.Error {
	return scim.NewError(http.StatusNotFound, "", fmt.Sprintf("no resource has the id %.100q", id))
}

// requestID returns the id that the request came with, or a new one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if id == "" || len(id) > 128 {
		return newRequestID()
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return newRequestID()
		}
	}
	return id
}

// newRequestID returns an id that is unlike others. It need not be a secret.
func newRequestID() string {
	var b [26]byte
	return string(strconv.AppendUint(strconv.AppendUint(b[:0], rand.Uint64(), 32), rand.Uint64(), 32))
}
