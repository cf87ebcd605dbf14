package client_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles"
)

// bulkService answers bulk requests: it creates whatever is posted, refuses users named "taken", and answers all else with 200.
type bulkService struct {
	mu       sync.Mutex
	config   string
	requests []scim.BulkRequest
	singles  []string
	answer   func(n int, op scim.BulkOperation) string // of one operation, as JSON
	tooLarge int                                       // operations of a request that are too many
	err      error
}

func (s *bulkService) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/scim/v2")
	if path == "/ServiceProviderConfig" {
		return response(http.StatusOK, s.config), nil
	}
	if path != "/Bulk" {
		s.singles = append(s.singles, r.Method+" "+path)
		return response(http.StatusOK, `{"id":"single"}`), nil
	}
	data, _ := io.ReadAll(r.Body)
	var request scim.BulkRequest
	if err := json.Unmarshal(data, &request); err != nil {
		return nil, err
	}
	s.requests = append(s.requests, request)
	if s.tooLarge > 0 && len(request.Operations) >= s.tooLarge {
		return response(http.StatusRequestEntityTooLarge, `{"detail":"too large"}`), nil
	}
	if s.err != nil {
		return nil, s.err
	}
	var answers []string
	failures := 0
	for n, op := range request.Operations {
		if request.FailOnErrors > 0 && failures == request.FailOnErrors {
			break
		}
		if op.Data["userName"] == "taken" {
			failures++
		}
		answers = append(answers, s.answer(n, op))
	}
	return response(http.StatusOK, `{"Operations":[`+strings.Join(answers, ",")+`]}`), nil
}

func usual(_ int, op scim.BulkOperation) string {
	if op.Data["userName"] == "taken" {
		return fmt.Sprintf(`{"method":"POST","bulkId":%q,"status":"409","response":{"scimType":"uniqueness","detail":"userName is taken","status":"409"}}`, op.BulkID)
	}
	if op.Method == http.MethodPost {
		return fmt.Sprintf(`{"method":"POST","bulkId":%q,"status":"201","version":"W/\"1\"","location":"https://service.example/scim/v2%s/id-of-%s"}`, op.BulkID, op.Path, op.BulkID)
	}
	return fmt.Sprintf(`{"method":%q,"status":{"code":"200"},"location":"https://service.example/scim/v2%s"}`, op.Method, op.Path)
}

func bulkConfig(operations, payload int) string {
	return fmt.Sprintf(`{"bulk":{"supported":true,"maxOperations":%d,"maxPayloadSize":%d}}`, operations, payload)
}

func post(bulkID, userName string) scim.BulkOperation {
	return scim.BulkOperation{Method: "POST", Path: "/Users", BulkID: bulkID, Data: scim.Document{"userName": userName}}
}

func group(bulkID string, members ...string) scim.BulkOperation {
	elements := []any{}
	for _, m := range members {
		elements = append(elements, map[string]any{"value": m})
	}
	return scim.BulkOperation{Method: "POST", Path: "/Groups", BulkID: bulkID, Data: scim.Document{"displayName": bulkID, "members": elements}}
}

// outline is a result in a few words.
func outline(results []client.BulkResult) []string {
	var lines []string
	for _, r := range results {
		line := fmt.Sprint(r.Status, " ", r.ID)
		if r.Err != nil {
			line = r.Err.Error()
			for text, err := range map[string]error{" (not sent)": client.ErrNotSent, " (unknown)": client.ErrOutcomeUnknown} {
				if errors.Is(r.Err, err) {
					line += text
				}
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func TestBulkRequests(t *testing.T) {
	tests := []struct {
		name       string
		service    *bulkService
		operations []scim.BulkOperation
		failOn     int
		want       []string // results
		sent       []string // operations of each bulk request
		singles    []string
	}{
		{
			name: "one request", service: &bulkService{config: bulkConfig(10, 100_000), answer: usual},
			operations: []scim.BulkOperation{
				post("a", "a"), post("", "b"), group("g", "bulkId:a", "42"),
				{Method: "DELETE", Path: "/Users/7"},
				{Method: "PATCH", Path: "/Users/7", Data: scim.Document{}},
			},
			want: []string{"201 id-of-a", "201 id-of-operation-2", "201 id-of-g", "200 7", "200 7"},
			sent: []string{"POST/Users POST/Users POST/Groups[bulkId:a 42] DELETE/Users/7 PATCH/Users/7"},
		},
		{
			name: "references across requests are ids by then", service: &bulkService{config: bulkConfig(2, 0), answer: usual},
			operations: []scim.BulkOperation{
				post("a", "a"), post("b", "b"), group("g", "bulkId:a", "bulkId:b"),
				{Method: "PATCH", Path: "/Groups/bulkId:g", Data: scim.Document{"Operations": []any{
					map[string]any{"op": "remove", "path": `members[value eq "bulkId:a"]`},
				}}},
				{Method: "PATCH", Path: "/Groups/bulkId:g", Data: scim.Document{}},
			},
			want: []string{"201 id-of-a", "201 id-of-b", "201 id-of-g", "200 id-of-g", "200 id-of-g"},
			sent: []string{"POST/Users POST/Users", `POST/Groups[id-of-a id-of-b] PATCH/Groups/bulkId:g{members[value eq "id-of-a"]}`, "PATCH/Groups/id-of-g"},
		},
		{
			name: "failures", service: &bulkService{config: bulkConfig(10, 0), answer: usual},
			operations: []scim.BulkOperation{post("a", "taken"), post("b", "b"), post("c", "bulkId:nobody")},
			want: []string{
				"scim: POST /Users: 409 uniqueness: operation 1: userName is taken", "201 id-of-b",
				`scim: 409 invalidValue: operation 3: it refers to bulkId "nobody", and no operation before it, or in the same request, has created that (not sent)`,
			},
			sent: []string{"POST/Users POST/Users"},
		},
		{
			name: "a reference to what failed before", service: &bulkService{config: bulkConfig(1, 0), answer: usual},
			operations: []scim.BulkOperation{post("a", "taken"), group("g", "bulkId:a")},
			want: []string{
				"scim: POST /Users: 409 uniqueness: operation 1: userName is taken",
				`scim: 409 invalidValue: operation 2: it refers to bulkId "a", and no operation before it, or in the same request, has created that (not sent)`,
			},
			sent: []string{"POST/Users"},
		},
		{
			name: "stops after failures", service: &bulkService{config: bulkConfig(3, 0), answer: usual}, failOn: 1,
			operations: []scim.BulkOperation{post("a", "a"), post("b", "taken"), post("c", "c"), post("d", "d")},
			want: []string{
				"201 id-of-a", "scim: POST /Users: 409 uniqueness: operation 2: userName is taken",
				"scim: operation 3: left out after 1 operations had failed (not sent)", "scim: operation 4: left out after 1 operations had failed (not sent)",
			},
			sent: []string{"POST/Users POST/Users POST/Users"},
		},
		{
			name: "split by size, and one that is too large by itself", service: &bulkService{config: bulkConfig(100, 500), answer: usual},
			operations: []scim.BulkOperation{
				post("a", strings.Repeat("a", 100)), post("b", strings.Repeat("b", 100)), post("c", strings.Repeat("c", 1000)), post("d", "d"),
			},
			want:    []string{"201 id-of-a", "201 id-of-b", "201 single", "201 id-of-d"},
			sent:    []string{"POST/Users", "POST/Users", "POST/Users"},
			singles: []string{"POST /Users"},
		},
		{
			name: "split when the service finds it too large", service: &bulkService{config: bulkConfig(100, 0), answer: usual, tooLarge: 2},
			operations: []scim.BulkOperation{post("a", "a"), post("b", "b"), group("g", "bulkId:a")},
			want:       []string{"201 id-of-a", "201 id-of-b", "201 id-of-g"},
			sent:       []string{"POST/Users POST/Users POST/Groups[bulkId:a]", "POST/Users", "POST/Users POST/Groups[id-of-a]", "POST/Users", "POST/Groups[id-of-a]"},
		},
		{
			name:       "the answer is lost",
			service:    &bulkService{config: bulkConfig(100, 0), answer: usual, err: syscall.ECONNRESET},
			operations: []scim.BulkOperation{post("a", "a")},
			want:       []string{"scim: POST /Bulk: operation 1: the connection failed before the answer was complete: connection reset by peer (unknown)"},
			sent:       []string{"POST/Users"},
		},
		{
			name: "too large by themselves: one that refers to nobody, one that fails, and one that is left out", failOn: 2,
			service: &bulkService{config: bulkConfig(100, 300), answer: usual},
			operations: []scim.BulkOperation{
				group("", "bulkId:nobody", strings.Repeat("x", 500)),
				{Method: "POST", Path: "/Users/7", Data: scim.Document{"userName": strings.Repeat("x", 500)}},
				group("", strings.Repeat("x", 500)),
			},
			want: []string{
				`scim: 409 invalidValue: operation 1: it refers to bulkId "nobody", and no operation before it, or in the same request, has created that (not sent)`,
				`scim: 400 invalidPath: operation 2: POST with path "/Users/7" is no operation of a bulk request (not sent)`,
				"scim: operation 3: left out after 2 operations had failed (not sent)",
			},
		},
		{
			name: "an answer that leaves one out", service: &bulkService{config: bulkConfig(100, 0), answer: func(n int, op scim.BulkOperation) string {
				if n == 0 {
					return `{"method":"POST","bulkId":"z","status":"oops"}`
				}
				return usual(n, op)
			}},
			operations: []scim.BulkOperation{post("a", "a"), post("b", "b")},
			want:       []string{"scim: POST /Bulk: operation 1: the service's answer says nothing of this operation (unknown)", "201 id-of-b"},
			sent:       []string{"POST/Users POST/Users"},
		},
		{
			name: "a reference to what was created without an id",
			service: &bulkService{config: bulkConfig(1, 0), answer: func(_ int, op scim.BulkOperation) string {
				return fmt.Sprintf(`{"method":"POST","bulkId":%q,"status":"201"}`, op.BulkID)
			}},
			operations: []scim.BulkOperation{post("a", "a"), group("g", "bulkId:a")},
			want: []string{
				"201 ", `scim: 409 invalidValue: operation 2: it refers to bulkId "a", and no operation before it, or in the same request, has created that (not sent)`,
			},
			sent: []string{"POST/Users"},
		},
		{
			name: "answers without bulkId, and numbers for the status",
			service: &bulkService{config: bulkConfig(100, 0), answer: func(n int, _ scim.BulkOperation) string {
				return fmt.Sprintf(`{"status":%d,"response":{"id":"%d"}}`, 200+n, n)
			}},
			operations: []scim.BulkOperation{post("a", "a"), post("b", "b")},
			want:       []string{"200 0", "201 1"}, sent: []string{"POST/Users POST/Users"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t, tt.service)
			results, err := c.Bulk(t.Context(), scim.BulkRequest{FailOnErrors: tt.failOn, Operations: tt.operations})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, outline(results)); diff != "" {
				t.Errorf("results (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.sent, outlineRequests(tt.service.requests)); diff != "" {
				t.Errorf("bulk requests (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.singles, tt.service.singles); diff != "" {
				t.Errorf("other requests (-want +got):\n%s", diff)
			}
		})
	}
}

func outlineRequests(requests []scim.BulkRequest) []string {
	var lines []string
	for _, r := range requests {
		var words []string
		for _, op := range r.Operations {
			word := op.Method + op.Path
			if members, ok := op.Data["members"].([]any); ok {
				var ids []string
				for _, m := range members {
					ids = append(ids, m.(map[string]any)["value"].(string))
				}
				word += fmt.Sprint(ids)
			}
			if patches, ok := op.Data["Operations"].([]any); ok {
				word += fmt.Sprintf("{%v}", patches[0].(map[string]any)["path"])
			}
			words = append(words, word)
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return lines
}

// The answer to an operation on what the same request has created says where that is.
func TestBulkAnswersWithTheIDsOfNewResources(t *testing.T) {
	s := &bulkService{config: bulkConfig(10, 10000), answer: func(n int, op scim.BulkOperation) string {
		op.Path = strings.ReplaceAll(op.Path, "bulkId:", "id-of-")
		return usual(n, op)
	}}
	results, err := newClient(t, s).Bulk(t.Context(), scim.BulkRequest{Operations: []scim.BulkOperation{
		group("g"), group("h"),
		{Method: "PATCH", Path: "/Groups/bulkId:g", Data: scim.Document{"displayName": "G"}},
		{Method: "DELETE", Path: "/Groups/bulkId:h"},
		{Method: "post", Path: "/Users", Data: scim.Document{"userName": "a"}},
		post("operation-5", "b"),
	}})
	want := []string{"201 id-of-g", "201 id-of-h", "200 id-of-g", "200 id-of-h", "201 id-of-operation-5-", "201 id-of-operation-5"}
	if diff := cmp.Diff(want, outline(results)); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestBulkOneByOne(t *testing.T) {
	s := newService()
	defer s.Close()
	s.add("Users", scim.Document{"userName": "taken"})
	c, err := client.New(s.URL, client.WithProfile(profiles.Generic()))
	if err != nil {
		t.Fatal(err)
	}
	operations := []scim.BulkOperation{
		group("g", "bulkId:a", "bulkId:b"),
		post("a", "a"),
		post("t", "taken"),
		{Method: "PATCH", Path: "/Groups/bulkId:g", Data: scim.Document{"Operations": []any{
			map[string]any{"op": "remove", "path": `members[value eq "bulkId:a"]`},
		}}},
		post("b", "b"),
		{Method: "PUT", Path: "/Users/bulkId:b", Data: scim.Document{"userName": "b2"}},
		{Method: "DELETE", Path: "/Users/bulkId:b"},
		group("x", "bulkId:y"), group("y", "bulkId:x"),
		group("z", "bulkId:t"),
		{Method: "GET", Path: "/Users/1"},
		{Method: "DELETE", Path: "/Users"},
	}
	results, err := c.Bulk(t.Context(), scim.BulkRequest{Operations: operations})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"201", "201", "409 uniqueness: operation 3", "200", "201", "200", "204", "it refers, over others, to itself", "it refers, over others, to itself",
		`operation 10: it refers to bulkId "t"`, `"GET" is no method`, "is no operation",
	} {
		if line := outline(results)[i]; !strings.Contains(line, want) {
			t.Errorf("operation %d: %s, want %s", i+1, line, want)
		}
	}
	a, b := results[1].ID, results[4].ID
	members := []any{map[string]any{"value": a}, map[string]any{"value": b}}
	if diff := cmp.Diff(members, s.objects["Groups"][results[0].ID]["members"]); diff != "" {
		t.Errorf("members of the group (-want +got):\n%s", diff)
	}
	if len(s.patches) != 1 || s.patches[0].Operations[0].Path != `members[value eq "`+a+`"]` {
		t.Errorf("patches %v", s.patches)
	}
	if s.objects["Users"][b] != nil {
		t.Error("the user that was to be deleted is there")
	}
}

func TestBulkOneByOneKeepsSomeUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		running, most := 0, 0
		c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			running--
			mu.Unlock()
			return response(http.StatusCreated, `{"id":"1"}`), nil
		}), client.WithProfile(profiles.Generic()), client.WithConcurrency(3))
		var operations []scim.BulkOperation
		for i := range 9 {
			operations = append(operations, post("", fmt.Sprint(i)))
		}
		begin := time.Now()
		if _, err := c.Bulk(t.Context(), scim.BulkRequest{Operations: operations}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); most != 3 || took != 3*time.Second {
			t.Errorf("%d requests at a time, took %v", most, took)
		}
	})
}
