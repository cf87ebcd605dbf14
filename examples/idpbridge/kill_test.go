package main

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/scimbridge/scim/internal/postgrestest"
)

// An identity provider writes with several connections, and the program is killed in the middle of it, again and again. In the end
// everything that was acknowledged is in Postman, once.
func TestKilledUnderWritesNothingIsLost(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { killUnderWrites(t, 6) })
	t.Run("postgres", func(t *testing.T) {
		killUnderWrites(t, 3, "-store", "postgres", "-dsn", postgrestest.Schema(t), "-state", postgrestest.Schema(t))
	})
}

func killUnderWrites(t *testing.T, rounds int, files ...string) {
	p := newTeam(t)
	args := p.args(append(files, "-max-deletes", "100000")...)
	random := rand.New(rand.NewPCG(1, 2))
	var acknowledged, disabled sync.Map
	var b *program
	for round := range rounds {
		b = startProcess(t, args...)
		// It is killed at that number of requests to Postman; the first one tests the connection.
		after := p.count() + 2 + random.IntN(40)
		killed := make(chan struct{})
		go func() {
			defer close(killed)
			for next := p.next(); p.count() < after; next = p.next() {
				<-next
			}
			b.kill()
		}()
		var writers sync.WaitGroup
		for writer := range 3 {
			writers.Go(func() {
				for i := range 200 {
					email := fmt.Sprintf("r%d-w%d-%d@example.com", round, writer, i)
					id, err := b.send("POST", "/Users", userBody(email))
					if err != nil {
						return // the program is dead
					}
					acknowledged.Store(email, true)
					if i%3 != 2 {
						continue
					}
					if _, err := b.send("PATCH", "/Users/"+id, patchBody("Replace", "active", `"False"`)); err != nil {
						disabled.Store(email, "unknown") // it may have been done, or not
						return
					}
					disabled.Store(email, "yes")
				}
			})
		}
		writers.Wait()
		<-killed
		<-b.ended
	}
	b = startProcess(t, args...)
	total := 0
	p.until(t, "all that was acknowledged", func() bool {
		// The users are read once, as the simulator is asked after each request.
		active := map[string]bool{}
		for _, u := range p.Users() {
			if _, twice := active[u.UserName]; twice {
				t.Fatalf("%s is in Postman twice", u.UserName)
			}
			active[u.UserName] = *u.Active
		}
		good := true
		total = 0
		acknowledged.Range(func(email, _ any) bool {
			total++
			is, there := active[email.(string)]
			state, _ := disabled.Load(email)
			switch state {
			case "yes":
				// Who was disabled before the first cycle that saw them need not be in Postman at all.
				good = good && !is
			case "unknown":
			default:
				good = good && there && is
			}
			return good
		})
		return good
	})
	b.end(exitStopped)
	if total < rounds {
		t.Errorf("only %d users were acknowledged in %d rounds", total, rounds)
	}
	t.Logf("%d users were acknowledged", total)

	// Nothing is sent a second time.
	p.ResetJournal()
	b = startProcess(t, args...)
	b.must("POST", "/Users", userBody("the.last@example.com"))
	p.until(t, "the last user", func() bool { return p.active(t, "the.last@example.com") })
	b.end(exitStopped)
	if writes := p.Journal().Writes(); len(writes) != 1 {
		t.Errorf("%d writes after a restart with nothing to do but one, want 1:\n%s", len(writes), writes)
	}
}
