package provision_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
	"github.com/scimbridge/scim/provision"
)

// difficult is a service that alters the answers of another one.
type difficult struct {
	http.Handler
	// instead answers a request itself, and reports that it did.
	instead func(http.ResponseWriter, *http.Request) bool
	// alter changes a resource in an answer.
	alter func(map[string]any)
}

func (d difficult) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if d.instead != nil && d.instead(w, r) {
		return
	}
	recorder := httptest.NewRecorder()
	d.Handler.ServeHTTP(recorder, r)
	body := recorder.Body.Bytes()
	var doc map[string]any
	if d.alter != nil && json.Unmarshal(body, &doc) == nil {
		list, isList := doc["Resources"].([]any)
		for _, e := range list {
			d.alter(e.(map[string]any))
		}
		if doc["id"] != nil && !isList {
			d.alter(doc)
		}
		body, _ = json.Marshal(doc)
		recorder.Header().Set("Content-Type", "text/json; charset=UTF-8")
		recorder.Header().Del("Content-Length")
	}
	for name, values := range recorder.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(recorder.Code)
	_, _ = io.Copy(w, bytes.NewReader(body))
}

// provisioning runs a job of forty people in two groups against a service, in virtual time.
func provisioning(t *testing.T, service http.Handler, check func(w *world, cycle func() *provision.Summary)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c, err := client.New("https://postman.example/scim/v2", client.WithBearerToken(postmantest.DefaultKey),
			client.WithProfile(postman.Profile()), client.WithTransport(distant{service, 50 * time.Millisecond}))
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t)
		for i, id := range someOf(40, 0, 40) {
			w.source.user(id, id+"@example.com")
			w.source.group([]string{"g0", "g1"}[i%2], []string{"Even", "Odd"}[i%2], someOf(40, i%2, 20)...)
		}
		job, err := provision.New(provision.Config{
			Name: "job", Source: w.source, Target: provision.NewClientTarget(c), State: w.state, Mappings: postmanMappings(t),
		})
		if err != nil {
			t.Fatal(err)
		}
		check(w, func() *provision.Summary {
			s, err := job.RunCycle(t.Context())
			if err != nil || !s.InStep() {
				t.Fatalf("%v, failures %v", err, codes(s))
			}
			return s
		})
		_ = w.state.Close()
	})
}

func TestThrottlingIsWaitedOut(t *testing.T) {
	limits := []profiles.RateLimit{{Name: "write", Methods: []string{"POST", "PUT", "PATCH", "DELETE"}, Requests: 20, Seconds: 60}}
	for name, silent := range map[string]bool{"others use most of the limit, and the service says what is left": false, "it does not say": true} {
		t.Run(name, func(t *testing.T) {
			simulator := newSimulator(t, postmantest.Options{RateLimits: limits, Switches: postmantest.Switches{NoRateHeaders: silent}})
			provisioning(t, simulator, func(_ *world, cycle func() *provision.Summary) {
				begin := time.Now()
				s := cycle()
				took := time.Since(begin)
				// Those that are on their way when others use up the limit are refused, whatever the service says.
				least, most := int64(0), int64(4)
				if silent {
					least, most = 1, 20
				}
				if n := s.Requests.Throttled; n < least || n > most || !silent && s.Requests.WaitedMilliseconds < 60_000 || took < time.Minute || took > 5*time.Minute {
					t.Errorf("%+v in %v", s.Requests, took)
				}
			})
		})
	}
	t.Run("a 429 is hidden in a 500", func(t *testing.T) {
		var mu sync.Mutex
		n, refused := 0, make(map[string]bool)
		service := difficult{Handler: newSimulator(t, postmantest.Options{}), instead: func(w http.ResponseWriter, r *http.Request) bool {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			request := r.Method + r.URL.String() + string(body)
			mu.Lock()
			defer mu.Unlock()
			// Each request is refused once at most, or chance could refuse one of them until its attempts have run out.
			if n++; n%7 != 0 || refused[request] {
				return false
			}
			refused[request] = true
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"429","detail":"rate limit exceeded"}`)
			return true
		}}
		provisioning(t, service, func(_ *world, cycle func() *provision.Summary) {
			cycle()
			if s := cycle(); s.Requests.Writes != 0 {
				t.Errorf("the second cycle sent %+v", s.Requests)
			}
		})
	})
}

// TestLaxAnswersAreUnderstood has a service that answers with nulls, unknown attributes, names in another case and another media type. What it
// has is recognised, and nothing is sent twice.
func TestLaxAnswersAreUnderstood(t *testing.T) {
	simulator := newSimulator(t, postmantest.Options{})
	service := difficult{Handler: simulator, alter: func(doc map[string]any) {
		doc["nickName"], doc["x-internal"], doc["urn:example:ext"] = nil, map[string]any{"shard": 7}, map[string]any{"a": nil}
		if name, ok := doc["name"].(map[string]any); ok {
			name["formatted"], name["unknown"] = nil, "x"
		}
		for _, attribute := range []string{"active", "userName", "displayName"} {
			if v, ok := doc[attribute]; ok {
				delete(doc, attribute)
				doc[strings.ToUpper(attribute[:1])+attribute[1:]] = v
			}
		}
	}}
	provisioning(t, service, func(w *world, cycle func() *provision.Summary) {
		cycle()
		if s := cycle(); s.Requests.Writes != 0 {
			t.Errorf("the second cycle sent %+v", s.Requests)
		}
		for id := range w.source.objects["User"] {
			w.source.objects["User"][id]["surname"] = "Renamed"
			break
		}
		if s := cycle(); s.Requests.Writes != 1 {
			t.Errorf("one change was sent as %+v", s.Requests)
		}
	})
	if n := len(simulator.Users()); n != 40 {
		t.Errorf("%d users", n)
	}
}

func newSimulator(t *testing.T, options postmantest.Options) *postmantest.Simulator {
	t.Helper()
	s, err := postmantest.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
