package client_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
)

// inMemory is a handler as a transport, so that it runs on the time of a synctest bubble.
type inMemory struct {
	http.Handler
	latency time.Duration
}

func (h inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := sleep(r.Context(), h.latency/2); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	h.ServeHTTP(w, in)
	resp := w.Result()
	resp.Request = r
	return resp, sleep(r.Context(), h.latency/2)
}

func postmanClient(t *testing.T, options postmantest.Options) (*client.Client, *postmantest.Simulator) {
	t.Helper()
	simulator, err := postmantest.New(options)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(postman.BaseURL, client.WithTransport(inMemory{simulator, 200 * time.Millisecond}),
		client.WithBearerToken(postmantest.DefaultKey), client.WithProfile(postman.Profile()))
	if err != nil {
		t.Fatal(err)
	}
	return c, simulator
}

func person(i int) scim.User {
	return scim.User{
		UserName: fmt.Sprintf("person%04d@example.com", i), Active: scim.Bool(true),
		Name: &scim.Name{GivenName: "Person", FamilyName: fmt.Sprint(i)},
	}
}

// TestThousandUsersIntoPostman holds the client to Postman's limit of 180 writes a minute: it is filled, and never passed.
func TestThousandUsersIntoPostman(t *testing.T) {
	for name, options := range map[string]postmantest.Options{
		"with rate headers":    {},
		"without rate headers": {Switches: postmantest.Switches{NoRateHeaders: true}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, simulator := postmanClient(t, options)
				begin := time.Now()
				var next atomic.Int64
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() {
						for i := next.Add(1); i <= 1000; i = next.Add(1) {
							if _, err := c.Users().Create(t.Context(), person(int(i))); err != nil {
								t.Error(err)
							}
						}
					})
				}
				wg.Wait()
				// Five full minutes of 180, and 100 more.
				if took, least := time.Since(begin), 5*time.Minute; took > least*102/100 {
					t.Errorf("took %v, more than 2%% over %v", took, least)
				}
				if got := c.Stats(); got.RateLimited > 0 || got.Writes != 1000 || got.Retries > 0 {
					t.Errorf("stats %+v", got)
				}
				if n := len(simulator.Users()); n != 1000 {
					t.Errorf("%d users", n)
				}
			})
		})
	}
}

// TestPostmanFromFirstToLast does everything that Postman lets a client do.
func TestPostmanFromFirstToLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		c, simulator := postmanClient(t, postmantest.Options{Switches: postmantest.Switches{StrictUserPatch: true, MembersNullAfterRename: true}})
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		one, err := c.Users().Create(ctx, person(1))
		must(err)
		two, err := c.Users().Create(ctx, person(2))
		must(err)

		renamed := one
		renamed.Name = &scim.Name{GivenName: "Taylor", FamilyName: "Lee"}
		renamed.UserName = "taylor.lee@example.com"
		one, err = c.Users().Update(ctx, one, renamed)
		must(err)
		if one.Name.GivenName != "Taylor" || one.UserName != "taylor.lee@example.com" {
			t.Errorf("updated user %+v", one)
		}
		found, err := c.Users().Find(ctx, "userName", "Taylor.Lee@example.com")
		must(err)
		if found.ID != one.ID {
			t.Errorf("found %v", found)
		}

		group, err := c.Groups().Create(ctx, scim.Group{DisplayName: "Guides", Members: []scim.Reference{{Value: one.ID}}})
		must(err)
		must(c.Groups().AddMembers(ctx, group.ID, two.ID))
		must(c.Groups().RemoveMembers(ctx, group.ID, one.ID))
		members, err := c.Groups().Members(ctx, group.ID)
		must(err)
		if diff := cmp.Diff([]string{two.ID}, members); diff != "" {
			t.Errorf("members (-want +got):\n%s", diff)
		}
		must(c.Groups().SetMembers(ctx, group.ID, one.ID))
		group, err = c.Groups().Get(ctx, group.ID)
		must(err)
		next := group
		next.DisplayName = "Tour Guides"
		updated, err := c.Groups().Update(ctx, group, next)
		must(err)
		if updated.DisplayName != "Tour Guides" || len(updated.Members) != 1 {
			t.Errorf("updated group %+v", updated)
		}

		inactive := two
		inactive.Active = scim.Bool(false)
		_, err = c.Users().Update(ctx, two, inactive)
		must(err)
		n, err := c.Users().Count(ctx, filter.Eq("active", false))
		must(err)
		if n != 1 {
			t.Errorf("%d inactive users", n)
		}
		types, err := c.ResourceTypes(ctx)
		must(err)
		if len(types) != 2 {
			t.Errorf("resource types %v", types)
		}
		must(c.Groups().Delete(ctx, group.ID))
		if len(simulator.Groups()) != 0 || len(simulator.Users()) != 2 {
			t.Errorf("left: %v, %v", simulator.Groups(), simulator.Users())
		}
		for _, r := range simulator.Journal() {
			if r.Status >= 400 {
				t.Errorf("%s %s was answered with %d", r.Method, r.Path, r.Status)
			}
		}
	})
}

func TestPostmanQuotaThatIsUsedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, service := postmanClient(t, postmantest.Options{})
		service.Inject(postmantest.Fault{ExhaustedQuota: true, Times: 2})
		begin := time.Now()
		_, err := c.Users().Create(t.Context(), person(1))
		var refused *scim.Error
		if !errors.Is(err, client.ErrQuotaExhausted) || !errors.Is(err, scim.ErrTooManyRequests) || !errors.As(err, &refused) || refused.Attempts != 1 {
			t.Errorf("create: %v", err)
		}
		if _, err := c.Users().Get(t.Context(), "1"); !errors.Is(err, client.ErrQuotaExhausted) {
			t.Errorf("get: %v", err)
		}
		if _, err := c.Users().Create(t.Context(), person(1)); err != nil {
			t.Errorf("create, with quota again: %v", err)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("took %v: nothing is gained by waiting", took)
		}
		if stats := c.Stats(); stats.RateLimited != 0 || stats.Retries != 0 {
			t.Errorf("stats %+v", stats)
		}
	})
}
