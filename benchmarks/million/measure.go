package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

type loader interface {
	Load(ctx context.Context, resources iter.Seq2[server.Resource, error]) (int, error)
}

type measurement struct {
	users, members, requests int
	handler                  http.Handler
	random                   *rand.Rand
}

// run prints the figures of a store.
func (m *measurement) run(ctx context.Context, s *store, load bool) (err error) {
	m.random = rand.New(rand.NewPCG(1, 2))
	fmt.Printf("%s, %d CPUs, load average %s\n", runtime.Version(), runtime.NumCPU(), loadAverage())
	if load {
		start := time.Now()
		n, err := s.Load(ctx, m.resources())
		if err != nil {
			return err
		}
		took := time.Since(start)
		fmt.Printf("load: %d resources, %d members in %.1f s, %.0f a second\n", n, m.members, took.Seconds(), float64(n+m.members)/took.Seconds())
	}
	size, err := s.size(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("size: %.0f MB, %d bytes a user\n", float64(size)/1e6, size/int64(m.users))
	m.handler, err = server.New(s.Store, server.Options{Authenticator: server.Anonymous()})
	if err != nil {
		return err
	}
	fmt.Printf("\n%-44s %8s %10s %10s %10s\n", "request", "number", "p50 ms", "p99 ms", "max ms")
	return m.requestAll()
}

const groupID = "large"

func userID(n int) string   { return fmt.Sprintf("00000000-0000-7000-8000-%012d", n) }
func userName(n int) string { return fmt.Sprintf("user%07d@example.com", n) }

// resources are the users, and a group of the first of them.
func (m *measurement) resources() iter.Seq2[server.Resource, error] {
	return func(yield func(server.Resource, error) bool) {
		for n := range m.users {
			if !yield(user(n), nil) {
				return
			}
		}
		members := make([]any, m.members)
		for n := range members {
			members[n] = map[string]any{"value": userID(n), "type": "User"}
		}
		yield(resource("Group", groupID, schema.Group(), scim.Document{
			"schemas": []any{scim.GroupSchema}, "displayName": "Everybody", "members": members,
		}), nil)
	}
}

func user(n int) server.Resource {
	name := userName(n)
	r := resource("User", userID(n), schema.User(), scim.Document{
		"schemas": []any{scim.UserSchema, scim.EnterpriseUserSchema}, "userName": name, "externalId": fmt.Sprintf("E%07d", n), "active": n%10 != 0,
		"displayName": fmt.Sprintf("Taylor Lee %d", n),
		"name":        map[string]any{"givenName": "Taylor", "familyName": "Lee", "formatted": fmt.Sprintf("Taylor Lee %d", n)},
		"emails":      []any{map[string]any{"value": name, "type": "work", "primary": true}},
		"title":       []string{"Engineer", "Guide", "Manager"}[n%3],
		scim.EnterpriseUserSchema: map[string]any{
			"department": fmt.Sprintf("Department %d", n%1000), "employeeNumber": fmt.Sprint(n),
		},
	})
	r.Unique = []server.Unique{{Scope: "User", Attribute: "userName", Value: name}}
	return r
}

func resource(typ, id string, s *schema.Schema, doc scim.Document) server.Resource {
	now := server.FormatTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	doc["id"] = id
	doc["meta"] = map[string]any{"resourceType": typ, "created": now, "lastModified": now}
	return server.Resource{Key: server.Key{Type: typ, ID: id}, Version: "v1", Document: doc, Schema: s}
}

// kind is one kind of request.
type kind struct {
	name, method string
	// number is how many are sent; 0 for the usual number.
	number int
	// request returns path and body of one.
	request func(n int) (path, body string)
	status  int
}

func (m *measurement) requestAll() error {
	any := func() int { return m.random.IntN(m.users) }
	query := func(filter, rest string) string { return "/Users?filter=" + url.QueryEscape(filter) + rest }
	fresh := time.Now().UnixNano() // what was made in a run before is there still
	kinds := []kind{
		{"GET by id", "GET", 0, func(int) (string, string) { return "/Users/" + userID(any()), "" }, 200},
		{"GET userName eq", "GET", 0, func(int) (string, string) { return query(`userName eq "`+userName(any())+`"`, ""), "" }, 200},
		{"GET emails.value eq", "GET", 0, func(int) (string, string) { return query(`emails.value eq "`+userName(any())+`"`, ""), "" }, 200},
		{"GET first page, 100", "GET", m.requests / 10, func(int) (string, string) { return "/Users?count=100", "" }, 200},
		{"GET page in the middle, 100", "GET", 20, func(int) (string, string) {
			return fmt.Sprintf("/Users?count=100&startIndex=%d", m.users/2), ""
		}, 200},
		{"GET userName sw, 1,000 match, page of 100", "GET", m.requests / 10, func(int) (string, string) {
			return query(fmt.Sprintf(`userName sw "user%04d"`, any()/1000), "&count=100"), ""
		}, 200},
		{"GET page of a filter without index, 100", "GET", 10, func(n int) (string, string) {
			return query(fmt.Sprintf(`title eq "Guide" and %s:department eq "Department %d"`, scim.EnterpriseUserSchema, n*3+1), "&count=100"), ""
		}, 200},
		{"GET sorted by userName, first page of 100", "GET", 3, func(int) (string, string) { return "/Users?sortBy=userName&count=100", "" }, 200},
		{"GET group without members", "GET", 0, func(int) (string, string) { return "/Groups/" + groupID + "?excludedAttributes=members", "" }, 200},
		{"GET group with all members", "GET", 3, func(int) (string, string) { return "/Groups/" + groupID, "" }, 200},
		{"GET groups of a member", "GET", 0, func(int) (string, string) {
			return "/Groups?excludedAttributes=members&filter=" + url.QueryEscape(`members.value eq "`+userID(m.random.IntN(m.members))+`"`), ""
		}, 200},
		{"PATCH one member in", "PATCH", 0, func(n int) (string, string) {
			return "/Groups/" + groupID, patch("add", "members", `[{"value":"`+userID(m.members+n)+`"}]`)
		}, 204},
		{"PATCH one member out", "PATCH", 0, func(n int) (string, string) {
			return "/Groups/" + groupID, patch("remove", fmt.Sprintf(`members[value eq \"%s\"]`, userID(m.members+n)), "")
		}, 204},
		{"PATCH of a user", "PATCH", 0, func(int) (string, string) {
			return "/Users/" + userID(any()), patch("replace", "nickName", fmt.Sprintf(`"%d-%d"`, fresh, m.random.Int()))
		}, 200},
		{"POST user", "POST", 0, func(n int) (string, string) {
			name := fmt.Sprintf("new-%d-%d@example.com", fresh, n)
			return "/Users", `{"schemas":["` + scim.UserSchema + `"],"userName":"` + name + `","externalId":"` + name + `","displayName":"New One",` +
				`"emails":[{"value":"` + name + `","type":"work","primary":true}],"active":true}`
		}, 201},
	}
	for _, k := range kinds {
		if err := m.measure(k); err != nil {
			return err
		}
	}
	return nil
}

func patch(op, path, value string) string {
	text := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"` + op + `","path":"` + path + `"`
	if value != "" {
		text += `,"value":` + value
	}
	return text + "}]}"
}

// answer is a ResponseWriter that keeps the status, and the body of what fails.
type answer struct {
	header http.Header
	status int
	body   strings.Builder
}

func (a *answer) Header() http.Header    { return a.header }
func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(p []byte) (int, error) {
	if a.status >= 400 {
		a.body.Write(p)
	}
	return len(p), nil
}

// measure sends the requests of a kind one after the other.
func (m *measurement) measure(k kind) error {
	number := k.number
	if number == 0 {
		number = m.requests
	}
	took := make([]time.Duration, number)
	for n := range took {
		path, body := k.request(n)
		r, err := http.NewRequest(k.method, "http://example.com"+path, io.NopCloser(strings.NewReader(body)))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", scim.ContentType)
		a := &answer{header: make(http.Header), status: http.StatusOK}
		start := time.Now()
		m.handler.ServeHTTP(a, r)
		took[n] = time.Since(start)
		if a.status != k.status {
			return fmt.Errorf("%s %s: status %d, want %d: %s", k.method, path, a.status, k.status, a.body.String())
		}
	}
	slices.Sort(took)
	at := func(percent int) float64 { return float64(took[(number-1)*percent/100]) / float64(time.Millisecond) }
	fmt.Printf("%-44s %8d %10.3f %10.3f %10.3f\n", k.name, number, at(50), at(99), at(100))
	return nil
}

// loadAverage returns how busy the machine is; empty where that is not known.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
