package postmantest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
)

// The profile says in which ways Postman refuses; the simulator must refuse in these, each with the status, the scimType and the form of
// body that the profile has.
func TestSimulatorRefusesAsTheProfileSays(t *testing.T) {
	type options = postmantest.Options
	provoke := map[string]func(t *testing.T) answer{
		"the body is incomplete, or a PATCH operation is not supported": func(t *testing.T) answer {
			return start(t, options{}).do("POST", "Users", `{}`)
		},
		"the filter is not supported": func(t *testing.T) answer {
			return start(t, options{}).do("GET", "Users?filter=userName+ne+%22a%22", "")
		},
		"the new userName is no e-mail address, or its domain is not verified": func(t *testing.T) answer {
			c := start(t, options{})
			return c.do("PUT", "Users/"+c.user("a@meridian.example"), `{"userName":"a"}`)
		},
		"no seat is free": func(t *testing.T) answer {
			c := start(t, options{Seats: 1})
			c.user("a@meridian.example")
			return c.do("POST", "Users", userBody("b@meridian.example"))
		},
		"the team no longer exists": func(t *testing.T) answer {
			return start(t, options{Trouble: postmantest.TeamGone}).do("GET", "Users", "")
		},
		"the team's plan is not Enterprise": func(t *testing.T) answer {
			return start(t, options{Trouble: postmantest.NotEnterprise}).do("POST", "Users", userBody("a@meridian.example"))
		},
		"the key is missing or wrong": func(t *testing.T) answer {
			return start(t, options{}).send("GET", "Users", "", "Bearer wrong")
		},
		"the key is missing or wrong, on /ResourceTypes": func(t *testing.T) answer {
			return start(t, options{}).send("GET", "ResourceTypes", "", "Bearer wrong")
		},
		"the admin who made the key has left the team": func(t *testing.T) answer {
			return start(t, options{Trouble: postmantest.AdminLeft}).do("GET", "Users", "")
		},
		"a Team Admin's key is used on a Super Admin": func(t *testing.T) answer {
			c := start(t, options{TeamAdminKey: true, SuperAdmins: []string{"a@meridian.example"}})
			return c.do("PUT", "Users/"+c.user("a@meridian.example"), `{"active":false}`)
		},
		"the user or group is not in the team": func(t *testing.T) answer { return start(t, options{}).do("GET", "Users/1", "") },
		"the endpoint does not exist":          func(t *testing.T) answer { return start(t, options{}).do("GET", "Schemas", "") },
		"the user is a member already, or the group exists": func(t *testing.T) answer {
			c := start(t, options{})
			c.group("Engineering")
			return c.do("POST", "Groups", groupBody("Engineering"))
		},
		"the account belongs to another team, and its domain is not verified": func(t *testing.T) answer {
			c := start(t, options{VerifiedDomains: []string{}, Accounts: map[string]postmantest.Account{"a@other.example": postmantest.OtherTeam}})
			return c.do("POST", "Users", userBody("a@other.example"))
		},
		"the rate limit is reached": func(t *testing.T) answer {
			c := start(t, options{RateLimits: []profiles.RateLimit{{Name: "read", Requests: 1, Seconds: 60}}})
			c.do("GET", "Users", "")
			return c.do("GET", "Users", "")
		},
		"what the team's plan allows is used up": func(t *testing.T) answer {
			c := start(t, options{})
			c.Inject(postmantest.Fault{ExhaustedQuota: true})
			return c.do("GET", "Users", "")
		},
		"the service failed; its text asks to try again": func(t *testing.T) answer {
			c := start(t, options{})
			c.Inject(postmantest.Fault{Status: http.StatusInternalServerError})
			return c.do("GET", "Users", "")
		},
		"a user is to be deleted": func(t *testing.T) answer { return start(t, options{}).do("DELETE", "Users/1", "") },
		"the platform is overloaded": func(t *testing.T) answer {
			c := start(t, options{})
			c.Inject(postmantest.Fault{Status: http.StatusServiceUnavailable, HTML: true})
			return c.do("GET", "Users", "")
		},
	}
	refusals := postman.Profile().Errors.Refusals
	if len(refusals) != len(provoke) {
		t.Errorf("the profile has %d refusals, %d are tried", len(refusals), len(provoke))
	}
	for _, want := range refusals {
		t.Run(want.When, func(t *testing.T) {
			if provoke[want.When] == nil {
				t.Fatal("nothing here provokes it")
			}
			a := provoke[want.When](t)
			if a.status != want.Status || a.scimType() != string(want.Type) || bodyForm(a) != want.Body {
				t.Errorf("%d %q, form %q: %s", a.status, a.scimType(), bodyForm(a), a.text)
			}
		})
	}
}

func bodyForm(a answer) profiles.ErrorBody {
	if a.doc == nil {
		return profiles.TextBody
	}
	if _, ok := a.doc["schemas"]; !ok {
		return profiles.JSONBody
	}
	if _, number := a.doc["status"].(float64); number {
		return profiles.NumericStatusBody
	}
	return profiles.SCIMBody
}

func TestSlowAnswers(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	clock := postmantest.NewClock(began)
	c := start(t, postmantest.Options{Clock: clock})
	c.Inject(postmantest.Fault{Method: "GET", Delay: time.Minute, Pass: true})
	c.Inject(postmantest.Fault{Method: "POST", Delay: time.Hour, Status: 503})
	c.want(c.do("GET", "Users", ""), http.StatusOK, "")
	if got := clock.Now().Sub(began); got != time.Minute {
		t.Errorf("it took %v, want a minute", got)
	}
	c.want(c.do("POST", "Users", userBody("a@meridian.example")), http.StatusServiceUnavailable, "")
	if got := clock.Now().Sub(began); got != time.Minute+time.Hour {
		t.Errorf("it took %v in all, want an hour and a minute", got)
	}
}

// The request's end must end the delay: the test would otherwise take a day.
func TestSlowAnswerEndsWithTheRequest(t *testing.T) {
	simulator, err := postmantest.New(postmantest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	simulator.Inject(postmantest.Fault{Delay: 24 * time.Hour, Pass: true})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, postmantest.BasePath+"/Users", nil)
	simulator.ServeHTTP(httptest.NewRecorder(), r)
	if got := len(simulator.Journal()); got != 1 {
		t.Errorf("%d requests in the journal, want 1", got)
	}
}

func TestVirtualClockMindsTheContext(t *testing.T) {
	clock := postmantest.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	before := clock.Now()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := clock.Sleep(ctx, time.Hour); err == nil {
		t.Error("slept although the context was done")
	}
	if err := clock.Sleep(t.Context(), -time.Hour); err != nil {
		t.Error(err)
	}
	if clock.Now() != before {
		t.Errorf("the clock shows %v, want %v", clock.Now(), before)
	}
}

func TestJournalSelections(t *testing.T) {
	c := start(t, postmantest.Options{})
	id := c.user("a@meridian.example")
	c.group("Engineering", id)
	c.do("GET", "Users/"+id, "")
	c.do("DELETE", "Users/"+id, "")
	j := c.Journal()
	for name, tt := range map[string]struct {
		got  postmantest.Journal
		want string
	}{
		"all":           {j, "POST /Users 201\nPOST /Groups 201\nGET /Users/… 200\nDELETE /Users/… 501\n"},
		"writes":        {j.Writes(), "POST /Users 201\nPOST /Groups 201\nDELETE /Users/… 501\n"},
		"refused":       {j.Refused(), "DELETE /Users/… 501\n"},
		"creates":       {j.Only("POST", ""), "POST /Users 201\nPOST /Groups 201\n"},
		"about users":   {j.Only("", "/Users"), "POST /Users 201\nGET /Users/… 200\nDELETE /Users/… 501\n"},
		"none of these": {j.Only("PATCH", "/Groups"), ""},
	} {
		if got := tt.got.String(); got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, tt.want)
		}
	}
	if strings.Contains(j[1].Body, c.Key) || !strings.Contains(j[1].Body, "Engineering") {
		t.Errorf("body %q", j[1].Body)
	}
	c.ResetJournal()
	if len(c.Journal()) != 0 {
		t.Error("the journal was not forgotten")
	}
}
