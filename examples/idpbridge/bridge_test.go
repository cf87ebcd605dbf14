package main

import (
	"context"
	"fmt"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/scimbridge/scim/internal/postgrestest"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
	"github.com/scimbridge/scim/server/idptest"
)

// What Entra sends on the way of a person, from the hire to the end, each step in Postman before the next one is sent.
func TestEntrasRequestsArriveInPostman(t *testing.T) {
	for name, files := range map[string]func(t *testing.T, p *team) []string{
		"sqlite": func(_ *testing.T, p *team) []string {
			return []string{"-dsn", p.path("scim.db"), "-state", p.path("state.db")}
		},
		"memory": func(*testing.T, *team) []string { return []string{"-store", "memory"} },
		"postgres": func(t *testing.T, _ *team) []string {
			return []string{"-store", "postgres", "-dsn", postgrestest.Schema(t), "-state", postgrestest.Schema(t)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newTeam(t)
			b := start(t, world{}, p.args(files(t, p)...)...)
			b.must("GET", "/Users?filter="+url.QueryEscape(`userName eq "5b8b2aa6-7a47-4f13-8d1d-a1b7ffbd8f0d"`), "")
			b.must("GET", "/Users?filter="+url.QueryEscape(`userName eq "ada@example.com"`), "")
			ada := b.must("POST", "/Users", userBody("ada@example.com"))
			p.until(t, "a new user", func() bool { return p.active(t, "ada@example.com") })

			b.must("PATCH", "/Users/"+ada, patchBody("Replace", "name.familyName", `"Lovelace"`))
			p.until(t, "a new name", func() bool { return p.user(t, "ada@example.com").Name.FamilyName == "Lovelace" })

			staff := b.must("POST", "/Groups", groupBody("Staff"))
			b.must("PATCH", "/Groups/"+staff, patchBody("Add", "members", member(ada)))
			p.until(t, "a group with a member", func() bool { return p.members(t, "Staff") == "ada@example.com" })

			ben := b.must("POST", "/Users", userBody("ben@example.com"))
			b.must("PATCH", "/Groups/"+staff, patchBody("Add", "members", member(ben)))
			b.must("PATCH", "/Groups/"+staff, patchBody("Remove", "members", member(ada)))
			p.until(t, "members come and go", func() bool { return p.members(t, "Staff") == "ben@example.com" })

			before := len(p.Journal().Writes())
			b.must("PATCH", "/Users/"+ada, patchBody("Replace", "title", `"Countess"`))
			b.must("PATCH", "/Users/"+ada, patchBody("Replace", "active", `"False"`))
			p.until(t, "a disabled user", func() bool { return p.user(t, "ada@example.com") != nil && !p.active(t, "ada@example.com") })
			if writes := len(p.Journal().Writes()) - before; writes != 1 {
				t.Errorf("%d writes to Postman to disable a user, want 1:\n%s", writes, p.Journal().Writes())
			}

			b.must("PATCH", "/Users/"+ada, patchBody("Replace", "active", `"True"`))
			p.until(t, "a user who is enabled again", func() bool { return p.active(t, "ada@example.com") })
			b.must("DELETE", "/Users/"+ada, "")
			p.until(t, "a deleted user, whom Postman can only disable", func() bool { return !p.active(t, "ada@example.com") })
			b.must("DELETE", "/Groups/"+staff, "")
			p.until(t, "a deleted group", func() bool { return len(p.Groups()) == 0 })
			if out := b.end(exitStopped); strings.Contains(out, "not been sent") {
				t.Errorf("output %q", out)
			}
		})
	}
}

// Everything that Entra is known to send is accepted, and nobody whom it has deleted stays in Postman.
func TestEverythingThatEntraSends(t *testing.T) {
	p := newTeam(t)
	b := start(t, world{}, p.args("-max-deletes", "1000")...)
	to, err := url.Parse(b.url)
	if err != nil {
		t.Fatal(err)
	}
	to.Path = ""
	proxy := httputil.NewSingleHostReverseProxy(to)
	idptest.Entra(t, idptest.Target{Handler: proxy, BasePath: basePath, Token: token})
	b.must("POST", "/Users", userBody("last@example.com"))
	p.until(t, "the last change", func() bool {
		active := 0
		for _, u := range p.Users() {
			if *u.Active {
				active++
			}
		}
		return active == 1 && p.active(t, "last@example.com") && len(p.Groups()) == 0
	})
	b.end(exitStopped)
}

// fastClock is time that runs a number of times faster than the world's.
type fastClock struct {
	began time.Time
	speed time.Duration
}

func (c fastClock) Now() time.Time { return c.began.Add(time.Since(c.began) * c.speed) }

func (c fastClock) After(d time.Duration) <-chan time.Time {
	return time.After(d/c.speed + time.Microsecond)
}

func (c fastClock) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-c.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// While Postman is down the bridge goes on accepting. Nothing of it is lost, and nothing comes twice.
func TestPostmanIsDown(t *testing.T) {
	p := newTeam(t)
	p.setDown(true)
	b := start(t, world{clock: fastClock{time.Now(), 1000}}, p.args()...)
	ids := map[string]string{}
	for i := range 12 {
		email := fmt.Sprintf("u%d@example.com", i)
		ids[email] = b.must("POST", "/Users", userBody(email))
	}
	staff := b.must("POST", "/Groups", groupBody("Staff"))
	b.must("PATCH", "/Groups/"+staff, patchBody("Add", "members", member(ids["u3@example.com"])))
	b.must("PATCH", "/Users/"+ids["u7@example.com"], patchBody("Replace", "active", `"False"`))
	for range 30 { // the first requests, and some of those that follow in quarantine
		<-p.next()
	}
	if n := len(p.Users()); n != 0 {
		t.Errorf("%d users are in a Postman that is down", n)
	}
	p.setDown(false)
	p.until(t, "everything, once Postman is up", func() bool {
		for i := range 12 {
			if p.active(t, fmt.Sprintf("u%d@example.com", i)) == (i == 7) {
				return false
			}
		}
		return p.members(t, "Staff") == "u3@example.com"
	})
	b.end(exitStopped)
}

// Two bridges over one database: each sends on what the other has accepted, too, and nothing comes twice.
func TestTwoBridgesOverOneDatabase(t *testing.T) {
	p := newTeam(t)
	files := []string{"-store", "postgres", "-dsn", postgrestest.Schema(t), "-state", postgrestest.Schema(t), "-full-every", "50ms"}
	clock := fastClock{time.Now(), 1000}
	first, second := start(t, world{clock: clock}, p.args(files...)...), start(t, world{clock: clock}, p.args(files...)...)
	var staff string
	for i := range 10 {
		b := []*program{first, second}[i%2]
		id := b.must("POST", "/Users", userBody(fmt.Sprintf("u%d@example.com", i)))
		if i == 4 {
			staff = b.must("POST", "/Groups", groupBody("Staff"))
		}
		if i == 5 {
			b.must("PATCH", "/Groups/"+staff, patchBody("Add", "members", member(id)))
		}
	}
	arrived := func() bool {
		for i := range 10 {
			if !p.active(t, fmt.Sprintf("u%d@example.com", i)) {
				return false
			}
		}
		return p.members(t, "Staff") == "u5@example.com"
	}
	p.until(t, "what both have accepted", arrived)
	first.end(exitStopped)
	last := second.must("POST", "/Users", userBody("last@example.com"))
	p.until(t, "what the one that is left has accepted", func() bool { return p.active(t, "last@example.com") })
	second.must("PATCH", "/Users/"+last, patchBody("Replace", "active", `"False"`))
	p.until(t, "what it disabled", func() bool { return !p.active(t, "last@example.com") })
	second.end(exitStopped)
}

func TestADatabaseThatIsRestarted(t *testing.T) {
	p := newTeam(t)
	database := postgrestest.Start(t)
	args := p.args("-store", "postgres", "-dsn", database.Database(t), "-state", database.Database(t))
	b := start(t, world{clock: fastClock{time.Now(), 1000}}, args...)
	b.must("POST", "/Users", userBody("ada@example.com"))
	p.until(t, "the first user", func() bool { return p.active(t, "ada@example.com") })
	database.Stop(t)
	b.stderr.until("the state cannot be used")
	database.Start(t)
	b.must("POST", "/Users", userBody("ben@example.com"))
	p.until(t, "the second user", func() bool { return p.active(t, "ben@example.com") })
	b.end(exitStopped)
}

// Whoever has mended the cause of a quarantine and starts the program anew does not wait for the next attempt of the old one.
func TestAStartEndsAQuarantine(t *testing.T) {
	p := newTeam(t)
	b := start(t, world{getenv: wrongKey}, p.args("-interval", "10m")...)
	b.must("POST", "/Users", userBody("ada@example.com"))
	b.stderr.until("msg=quarantine")
	b.end(exitStopped)
	b = start(t, world{}, p.args()...)
	p.until(t, "what was accepted with a wrong key", func() bool { return p.active(t, "ada@example.com") })
	b.end(exitStopped)
}

func TestAFailureOfOneRequestIsTriedAgain(t *testing.T) {
	p := newTeam(t)
	p.Inject(postmantest.Fault{Method: "POST", Path: "/Users", Status: 503, Times: 20})
	b := start(t, world{clock: fastClock{time.Now(), 1000}}, p.args()...)
	b.must("POST", "/Users", userBody("ada@example.com"))
	p.until(t, "a user after 20 refusals", func() bool { return p.active(t, "ada@example.com") })
	b.end(exitStopped)
}

// After the signal, what was accepted is sent on before the program ends.
func TestStoppingFinishesWhatIsUnderWay(t *testing.T) {
	p := newTeam(t)
	b := startProcess(t, p.args("-settle", "300ms")...)
	b.must("POST", "/Users", userBody("ada@example.com"))
	b.end(exitStopped)
	if !p.active(t, "ada@example.com") {
		t.Errorf("the program has ended before it sent on what it had accepted: %s", b.stderr.String())
	}
}

// When Postman is down then, the program ends all the same, and sends it after the next start.
func TestStoppingWhilePostmanIsDown(t *testing.T) {
	p := newTeam(t)
	b := start(t, world{}, p.args()...)
	b.must("POST", "/Users", userBody("ada@example.com"))
	p.until(t, "the first user", func() bool { return p.active(t, "ada@example.com") })
	b.end(exitStopped)
	p.setDown(true)
	b = start(t, world{}, p.args("-grace", "300ms")...)
	b.must("POST", "/Users", userBody("ben@example.com"))
	if out := b.end(exitStopped); !strings.Contains(out, "have not been sent on yet") {
		t.Errorf("output %q", out)
	}
	p.setDown(false)
	p.ResetJournal()
	b = start(t, world{}, p.args()...)
	p.until(t, "what was accepted before the restart", func() bool { return p.active(t, "ben@example.com") })
	b.end(exitStopped)
	if writes := p.Journal().Writes(); len(writes) != 1 {
		t.Errorf("%d writes after the restart, want the one that was missing:\n%s", len(writes), writes)
	}
}

func TestADeletionBeforeACrashIsADeletion(t *testing.T) {
	p := newTeam(t)
	b := startProcess(t, p.args()...)
	staff := b.must("POST", "/Groups", groupBody("Staff"))
	ada := b.must("POST", "/Users", userBody("ada@example.com"))
	b.must("POST", "/Users", userBody("ben@example.com"))
	b.must("POST", "/Groups", groupBody("Others"))
	p.until(t, "all", func() bool {
		return p.active(t, "ada@example.com") && p.active(t, "ben@example.com") && len(p.Groups()) == 2
	})
	p.setDown(true)
	b.must("DELETE", "/Users/"+ada, "")
	b.must("DELETE", "/Groups/"+staff, "")
	b.kill()
	<-b.ended
	p.setDown(false)
	b = startProcess(t, p.args()...)
	p.until(t, "deletions", func() bool { return !p.active(t, "ada@example.com") && len(p.Groups()) == 1 })
	b.end(exitStopped)
	if !p.active(t, "ben@example.com") || p.Groups()[0].DisplayName != "Others" {
		t.Errorf("users %+v, groups %+v", p.Users(), p.Groups())
	}
}
