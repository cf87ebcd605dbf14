package provision_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/state/sqlite"
)

// TestCost provisions a company into an empty Postman team, at Postman's rate, and counts what it costs. The time is virtual: it passes while
// all sleep. An answer takes 80 milliseconds of it.
func TestCost(t *testing.T) {
	people, groups, perGroup := 10_000, 500, 120
	if raceDetector {
		people, groups, perGroup = 1000, 50, 60
	}
	synctest.Test(t, func(t *testing.T) {
		simulator, err := postmantest.New(postmantest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		state, err := sqlite.Memory()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = state.Close() }()
		c, err := client.New("https://postman.example/scim/v2", client.WithBearerToken(postmantest.DefaultKey),
			client.WithProfile(postman.Profile()), client.WithTransport(distant{simulator, 80 * time.Millisecond}))
		if err != nil {
			t.Fatal(err)
		}
		source := &changing{directory: newDirectory()}
		for i := range people {
			source.user(fmt.Sprintf("e%05d", i), fmt.Sprintf("User%d@example.com", i))
		}
		for g := range groups {
			source.group(fmt.Sprintf("g%03d", g), fmt.Sprintf("Group %d", g), someOf(people, g*19, perGroup)...)
		}
		job, err := provision.New(provision.Config{
			Name: "postman", Source: source, Target: provision.NewClientTarget(c), State: state, Mappings: postmanMappings(t),
		})
		if err != nil {
			t.Fatal(err)
		}
		count := func() (s *provision.Summary, writes, reads int, took time.Duration) {
			simulator.ResetJournal()
			begin := time.Now()
			s, err := job.RunCycle(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			journal := simulator.Journal()
			if refused := journal.Refused(); !s.InStep() || len(refused) > 0 {
				t.Fatalf("refused %v, failures %v", refused, codes(s))
			}
			writes = len(journal.Writes())
			if s.Requests.Writes != int64(writes) || s.Requests.Throttled != 0 {
				t.Errorf("the summary says %+v, and the service had %d writes", s.Requests, writes)
			}
			return s, writes, len(journal) - writes, time.Since(begin)
		}

		_, writes, reads, took := count()
		t.Logf("cold: %d writes, %d reads, %v", writes, reads, took)
		const pages = 2 // one of users and one of groups, both empty
		if writes > people+2*groups || reads > writes/100+pages {
			t.Errorf("cold start: %d writes, %d reads", writes, reads)
		}
		ideal := time.Duration(writes) * time.Minute / 180
		if off := math.Abs(float64(took-ideal)) / float64(ideal); off > 0.03 && !raceDetector {
			// The first minute's worth goes out at once, so that a small scope is faster.
			t.Errorf("cold start: %d writes took %v, at 180 a minute that is %v", writes, took, ideal)
		}
		wantTeam(t, simulator, source.directory)

		if _, writes, reads, _ = count(); writes+reads > 0 {
			t.Errorf("nothing changed: %d writes, %d reads", writes, reads)
		}

		changes := source.change()
		s, writes, reads, _ := count()
		t.Logf("%d changes: %d writes, %d reads", changes, writes, reads)
		if s.Kind != provision.Incremental || changes != 25 || writes > changes {
			t.Errorf("%s cycle with %d changes: %d writes", s.Kind, changes, writes)
		}
		for _, r := range simulator.Journal() {
			if !r.Write() && r.Path == "/Users" && r.Query == "" || reads > changes {
				t.Fatalf("%d reads, among them %v", reads, r)
			}
		}
		wantTeam(t, simulator, source.directory)
	})
}

// someOf returns the ids of people one after the other.
func someOf(people, from, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("e%05d", (from+i)%people)
	}
	return ids
}

// wantTeam compares a team with the directory that it comes from.
func wantTeam(t *testing.T, simulator *postmantest.Simulator, d *directory) {
	t.Helper()
	want, got := map[string][]string{}, map[string][]string{}
	for _, u := range d.objects["User"] {
		want["active "+fmt.Sprint(u["accountEnabled"])] = append(want["active "+fmt.Sprint(u["accountEnabled"])], fmt.Sprintf("%v %v", u["userPrincipalName"], u["surname"]))
	}
	for _, g := range d.objects["Group"] {
		name := fmt.Sprint(g["displayName"])
		for _, m := range g["members"].([]any) {
			if u := d.objects["User"][m.(string)]; u["accountEnabled"] == true {
				want[name] = append(want[name], fmt.Sprint(u["userPrincipalName"]))
			}
		}
	}
	names, active := map[string]string{}, map[string]bool{}
	for _, u := range simulator.Users() {
		names[u.ID], active[u.ID] = u.UserName, u.Active != nil && *u.Active
		key := fmt.Sprintf("active %v", active[u.ID])
		got[key] = append(got[key], fmt.Sprintf("%s %s", u.UserName, u.Name.FamilyName))
	}
	for _, g := range simulator.Groups() {
		for _, m := range g.Members {
			if active[m.Value] {
				got[g.DisplayName] = append(got[g.DisplayName], names[m.Value])
			}
		}
	}
	if diff := cmp.Diff(want, got, cmp.Transformer("sort", sortedStrings)); diff != "" {
		t.Errorf("team (-want +got):\n%s", diff)
	}
}

// changing is a directory that can tell what changed.
type changing struct {
	*directory
	changed []provision.Entry
}

func (c *changing) Watermark(context.Context) (string, error) { return fmt.Sprint(len(c.changed)), nil }

func (c *changing) Changes(_ context.Context, objectType, since string) iter.Seq2[provision.Entry, error] {
	return func(yield func(provision.Entry, error) bool) {
		var from int
		if _, err := fmt.Sscan(since, &from); err != nil {
			yield(provision.Entry{}, errors.New("no watermark"))
			return
		}
		for _, e := range c.changed[from:] {
			if c.objects[objectType][e.ID] != nil && !yield(e, nil) {
				return
			}
		}
	}
}

// change makes 25 changes of all kinds.
func (c *changing) change() int {
	for i := range 5 {
		c.user(fmt.Sprintf("e%05d", 20_000+i), fmt.Sprintf("Hired%d@example.com", i))
		c.note("User", fmt.Sprintf("e%05d", 20_000+i))
	}
	for i := range 10 {
		id := fmt.Sprintf("e%05d", 100+i)
		c.objects["User"][id]["surname"] = "Married"
		c.note("User", id)
	}
	for i := range 3 {
		id := fmt.Sprintf("e%05d", 200+i)
		c.objects["User"][id]["accountEnabled"] = false
		c.note("User", id)
	}
	for i := range 2 {
		id := fmt.Sprintf("g%03d", i)
		c.objects["Group"][id]["displayName"] = fmt.Sprintf("Renamed %d", i)
		c.note("Group", id)
	}
	for i := range 5 {
		// The new ones join a group, and somebody leaves it.
		id := fmt.Sprintf("g%03d", 10+i)
		g := c.objects["Group"][id]
		g["members"] = append(slices.Clone(g["members"].([]any)[1:]), fmt.Sprintf("e%05d", 20_000+i))
		c.note("Group", id)
	}
	return len(c.changed)
}

func (c *changing) note(objectType, id string) {
	c.changed = append(c.changed, provision.Entry{ID: id, Attributes: c.objects[objectType][id]})
}

// distant is a service at the end of a line, without a network.
type distant struct {
	http.Handler
	latency time.Duration
}

func (d distant) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(d.latency)
	// A server sees a body in any case.
	received := r.Clone(r.Context())
	if r.Body == nil {
		received.Body = http.NoBody
	}
	defer func() { _ = received.Body.Close() }()
	w := httptest.NewRecorder()
	d.ServeHTTP(w, received)
	return w.Result(), nil
}
