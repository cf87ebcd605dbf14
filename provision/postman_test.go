package provision_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/source/csv"
	"github.com/scimbridge/scim/provision/state/sqlite"
)

// postmanMappings are those of the Entra tutorial.
func postmanMappings(t testing.TB) []*mapping.Mapping {
	t.Helper()
	file, err := mapping.Decode(postman.MappingJSON())
	if err != nil {
		t.Fatal(err)
	}
	var list []*mapping.Mapping
	for _, m := range file.Mappings {
		compiled, err := mapping.Compile(m, mapping.WithProfile(postman.Profile()))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, compiled)
	}
	return list
}

// virtual is the simulator's clock as a job wants one.
type virtual struct{ *postmantest.Clock }

func (c virtual) After(d time.Duration) <-chan time.Time {
	c.Advance(d)
	ch := make(chan time.Time, 1)
	ch <- c.Now()
	return ch
}

// TestPostman provisions a directory from CSV files into the Postman simulator, at Postman's rate, and counts what it costs.
func TestPostman(t *testing.T) {
	const people, groups, perGroup = 400, 12, 60
	clock := postmantest.NewClock(time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC))
	simulator := postmantest.NewServer(t, postmantest.Options{Clock: clock})
	url := simulator.URL
	c, err := client.New(url, client.WithBearerToken(postmantest.DefaultKey), client.WithProfile(postman.Profile()),
		client.WithClock(clock), client.WithInsecureHTTP())
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	write := func(renamed string) {
		rows := "id,userPrincipalName,givenName,surname,accountEnabled\n"
		for i := range people {
			name := fmt.Sprintf("Family%d", i)
			if i == 7 && renamed != "" {
				name = renamed
			}
			rows += fmt.Sprintf("e%d,User%d@example.com,Given%d,%s,true\n", i, i, i, name)
		}
		files["people.csv"] = &fstest.MapFile{Data: []byte(rows)}
	}
	write("")
	rows := "id,displayName,members\n"
	want := map[string][]string{}
	for g := range groups {
		rows += fmt.Sprintf("g%d,Group %d,", g, g)
		for i := range perGroup {
			rows += fmt.Sprintf("e%d;", (g*7+i)%people)
			want[fmt.Sprintf("Group %d", g)] = append(want[fmt.Sprintf("Group %d", g)], fmt.Sprintf("User%d@example.com", (g*7+i)%people))
		}
		rows += "\n"
	}
	files["groups.csv"] = &fstest.MapFile{Data: []byte(rows)}
	source, err := csv.New(
		csv.Table{Type: "User", File: "people.csv", FS: files, ID: "id", Booleans: []string{"accountEnabled"}},
		csv.Table{Type: "Group", File: "groups.csv", FS: files, ID: "id", Lists: map[string]string{"members": ";"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	state, err := sqlite.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = state.Close() }()
	job, err := provision.New(provision.Config{
		Name: "postman", Source: source, Target: provision.NewClientTarget(c), State: state, Mappings: postmanMappings(t), Clock: virtual{clock},
		// Each one that waits for the rate limit moves the virtual clock on, so only one may.
		Concurrency: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := job.TestConnection(t.Context()); err != nil {
		t.Fatal(err)
	}
	simulator.ResetJournal()
	begin := clock.Now()
	s, err := job.RunCycle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	took := clock.Now().Sub(begin)
	writes := len(simulator.Journal().Writes())
	reads := len(simulator.Journal()) - writes
	if !s.InStep() || writes > people+2*groups || reads > 10 || len(simulator.Journal().Refused()) != 0 || s.Requests.Writes != int64(writes) {
		t.Errorf("%d writes (the summary says %d), %d reads, refused %v, failures %v", writes, s.Requests.Writes, reads, simulator.Journal().Refused(), codes(s))
	}
	// The first minute's worth of requests may go out at once.
	if limit := time.Duration(writes) * time.Minute / 180; took > limit+limit*3/100 {
		t.Errorf("%d writes took %v, at 180 a minute that is %v", writes, took, limit)
	}
	names := map[string]string{}
	for _, u := range simulator.Users() {
		names[u.ID] = u.UserName
	}
	got := map[string][]string{}
	for _, g := range simulator.Groups() {
		for _, m := range g.Members {
			got[g.DisplayName] = append(got[g.DisplayName], names[m.Value])
		}
	}
	if diff := cmp.Diff(want, got, cmp.Transformer("sort", sortedStrings)); diff != "" || len(names) != people {
		t.Errorf("%d users; groups (-want +got):\n%s", len(names), diff)
	}

	t.Run("a second cycle writes nothing", func(t *testing.T) {
		simulator.ResetJournal()
		if _, err := job.RunCycle(t.Context()); err != nil || len(simulator.Journal()) != 0 {
			t.Errorf("%v, %v", err, simulator.Journal())
		}
	})
	t.Run("a change costs one write", func(t *testing.T) {
		write("Renamed")
		simulator.ResetJournal()
		s, err := job.RunCycle(t.Context())
		if err != nil || len(simulator.Journal().Writes()) != 1 || !s.InStep() {
			t.Errorf("%v, %v, %v", err, simulator.Journal(), codes(s))
		}
	})
	t.Run("a leaver is taken off the team and comes back into the groups", func(t *testing.T) {
		all := files["people.csv"].Data
		files["people.csv"] = &fstest.MapFile{Data: append([]byte(nil), replaceOnce(string(all), "e8,User8@example.com,Given8,Family8,true", "e8,User8@example.com,Given8,Family8,false")...)}
		if _, err := job.RunCycle(t.Context()); err != nil {
			t.Fatal(err)
		}
		active := func() *bool {
			for _, u := range simulator.Users() {
				if u.UserName == "User8@example.com" {
					return u.Active
				}
			}
			return nil
		}
		if a := active(); a == nil || *a {
			t.Error("the leaver is still active")
		}
		files["people.csv"] = &fstest.MapFile{Data: all}
		s, err := job.RunCycle(t.Context())
		if a := active(); err != nil || a == nil || !*a || !s.InStep() {
			t.Errorf("%v, %v", err, codes(s))
		}
		again := map[string][]string{}
		for _, g := range simulator.Groups() {
			for _, m := range g.Members {
				again[g.DisplayName] = append(again[g.DisplayName], names[m.Value])
			}
		}
		if diff := cmp.Diff(want, again, cmp.Transformer("sort", sortedStrings)); diff != "" {
			t.Errorf("groups (-want +got):\n%s", diff)
		}
	})
	t.Run("a wrong key is one clear line", func(t *testing.T) {
		c, err := client.New(url, client.WithBearerToken("wrong-secret"), client.WithProfile(postman.Profile()), client.WithInsecureHTTP())
		if err != nil {
			t.Fatal(err)
		}
		j, err := provision.New(provision.Config{Name: "x", Source: source, Target: provision.NewClientTarget(c), State: state, Mappings: postmanMappings(t)})
		if err != nil {
			t.Fatal(err)
		}
		err = j.TestConnection(t.Context())
		if err == nil || contains(err.Error(), "\n") || contains(err.Error(), "wrong-secret") || !contains(err.Error(), "the credential is refused") {
			t.Errorf("err = %v", err)
		}
	})
}
