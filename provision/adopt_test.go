package provision_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/provision"
)

func TestAdoptIfVerified(t *testing.T) {
	const extension = "urn:example:params:scim:schemas:extension:Account:2.0:User"
	const inEmails = "emails[primary eq true].verified"
	emails := func(verified ...any) []any {
		var list []any
		for i, v := range verified {
			list = append(list, map[string]any{"value": "ada@example.com", "primary": i == 0, "verified": v})
		}
		return list
	}
	for name, test := range map[string]struct {
		verified string
		found    scim.Document
		// listed: the target's list is read, and not the object looked up.
		listed  bool
		refused string
	}{
		"verified":                     {verified: extension + ":emailVerified", found: scim.Document{extension: map[string]any{"emailVerified": true}}},
		"verified, from a list":        {verified: extension + ":emailVerified", found: scim.Document{extension: map[string]any{"emailVerified": true}}, listed: true},
		"verified, as a text":          {verified: "emailVerified", found: scim.Document{"emailVerified": "True"}},
		"verified, at the address":     {verified: inEmails, found: scim.Document{"emails": emails(true)}},
		"another address is not":       {verified: inEmails, found: scim.Document{"emails": emails(true, false)}},
		"this one is not, but another": {verified: inEmails, found: scim.Document{"emails": emails(false, true)}, refused: "the target says in " + inEmails + " that its address is not verified"},
		"one of several is not":        {verified: "emails.verified", found: scim.Document{"emails": emails(true, false)}, refused: "not verified"},
		"not verified":                 {verified: "emailVerified", found: scim.Document{"emailVerified": false}, refused: "the target says in emailVerified that its address is not verified"},
		"not verified, from a list":    {verified: "emailVerified", found: scim.Document{"emailVerified": false}, listed: true, refused: "not verified"},
		"nothing said":                 {verified: "emailVerified", found: scim.Document{}, refused: "does not say whether its address is verified"},
		"no attribute known":           {found: scim.Document{"emailVerified": true}, refused: "no attribute is known by which the target says so (Policy.Verified)"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.config.Policy.Adopt, w.config.Policy.Verified = provision.AdoptIfVerified, test.verified
			test.found["userName"], test.found["active"] = "ada@example.com", true
			w.app.put("User", test.found)
			w.source.user("1", "ada@example.com")
			if test.listed {
				for _, id := range []string{"2", "3", "4", "5"} {
					w.source.user(id, "u"+id+"@example.com")
				}
			}
			plan, err := w.job().Plan(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			s, _ := w.cycle()
			if test.refused == "" {
				if !s.InStep() || w.app.objects["User"]["u-1"]["name"] == nil {
					t.Errorf("failures %v, target %v", codes(s), w.app.picture())
				}
				return
			}
			if diff := cmp.Diff([]string{"1:EntryConflict"}, codes(s)); diff != "" || w.app.objects["User"]["u-1"]["name"] != nil {
				t.Fatalf("failures %v, target %v", codes(s), w.app.picture())
			}
			if reason := s.Failures[0].Reason; !strings.Contains(reason, test.refused) {
				t.Errorf("reason %q", reason)
			}
			if text := plan.String(); !strings.Contains(text, test.refused) {
				t.Errorf("plan:\n%s", text)
			}
		})
	}
}

// Who is found by a value that anybody can give to an account is not who has the verified address.
func TestAdoptIfVerifiedNeedsTheAddressToMatch(t *testing.T) {
	w := newWorld(t)
	w.mappings[0].Attributes[4] = mapping.AttributeMapping{Target: "nickName", Source: "nick", Matching: 2}
	w.config.Policy.Adopt, w.config.Policy.Verified = provision.AdoptIfVerified, "emailVerified"
	w.app.put("User", scim.Document{"userName": "eve@example.org", "nickName": "ada", "emailVerified": true})
	w.source.user("1", "ada@example.com", "nick", "ada")
	s, writes := w.cycle()
	if len(writes) != 0 || len(s.Failures) != 1 || !strings.Contains(s.Failures[0].Reason, "it was found by nickName, whose value is no e-mail address") {
		t.Errorf("writes %q, failures %+v", writes, s.Failures)
	}
}

func TestAdoptionIsExplainedWithoutARequest(t *testing.T) {
	for name, test := range map[string]struct {
		policy provision.Policy
		want   string
	}{
		"all":              {provision.Policy{}, "one that is there already is adopted"},
		"never":            {provision.Policy{Adopt: provision.AdoptNever}, "left alone"},
		"verified":         {provision.Policy{Adopt: provision.AdoptIfVerified, Verified: "emailVerified"}, "if the target says in emailVerified"},
		"verified nowhere": {provision.Policy{Adopt: provision.AdoptIfVerified}, "no attribute is known by which"},
	} {
		w := newWorld(t)
		w.config.Policy = test.policy
		w.source.user("1", "ada@example.com")
		x, err := w.job().Explain(t.Context(), "User", "1")
		if err != nil || !strings.HasSuffix(x.NextWhy, test.want) && !strings.Contains(x.NextWhy, test.want) || len(w.app.journal) != 0 {
			t.Errorf("%s: %+v, %v, calls %q", name, x, err, w.app.journal)
		}
	}
}

func TestPoliciesThatDoNotExistAreRefused(t *testing.T) {
	w := newWorld(t)
	m, err := mapping.Compile(userMapping())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []provision.Policy{{Adopt: "sometimes"}, {Adopt: provision.AdoptIfVerified, Verified: "no path ["}} {
		if _, err := provision.New(provision.Config{
			Name: "n", Source: w.source, Target: w.app, State: w.state, Mappings: []*mapping.Mapping{m}, Policy: p,
		}); err == nil {
			t.Errorf("%+v is accepted", p)
		}
	}
}

// SelectUniqueValue gives each new hire a value of his own.
func TestUniqueValues(t *testing.T) {
	const rules = `SelectUniqueValue([givenName], Append([givenName], "2"), Append([givenName], "3"))`
	setup := func(t *testing.T) *world {
		w := newWorld(t)
		w.app.profile.Resources[0].Attributes = append(w.app.profile.Resources[0].Attributes, profiles.Attribute{
			Path: "displayName", Type: "string", Filter: []string{"eq"}, FilterCaseExact: true, Unique: true,
		})
		w.mappings[0].Attributes = append(w.mappings[0].Attributes, mapping.AttributeMapping{Target: "displayName", Expression: rules, Apply: mapping.OnCreate})
		return w
	}
	names := func(w *world) []string {
		var list []string
		for _, u := range w.app.objects["User"] {
			list = append(list, u["userName"].(string)+" "+u["displayName"].(string))
		}
		return sortedStrings(list)
	}
	t.Run("two of one name in one cycle", func(t *testing.T) {
		w := setup(t)
		w.source.user("1", "a@x", "givenName", "Ada")
		w.source.user("2", "b@x", "givenName", "ada")
		plan, err := w.job().Plan(t.Context())
		if err != nil || !strings.Contains(plan.String(), `"ada2"`) {
			t.Errorf("plan %v, %v", plan, err)
		}
		w.cycle()
		if diff := cmp.Diff([]string{"a@x Ada", "b@x ada2"}, names(w)); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
		w.source.user("3", "c@x", "givenName", "Ada")
		w.source.user("1", "a@x", "givenName", "Ada", "surname", "Byron")
		w.cycle()
		if diff := cmp.Diff([]string{"a@x Ada", "b@x ada2", "c@x Ada3"}, names(w)); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
	})
	t.Run("on both sides of a crash", func(t *testing.T) {
		for at := range 12 {
			for _, applied := range []bool{false, true} {
				w := setup(t)
				w.source.user("1", "a@x", "givenName", "Ada")
				n := 0
				w.app.fault = func(string) (error, bool) {
					if n++; n > at {
						return errCrash, applied && n == at+1
					}
					return nil, false
				}
				_, _ = w.job().RunCycle(t.Context())
				w.app.fault = nil
				w.source.user("2", "b@x", "givenName", "Ada")
				if at%2 == 0 {
					w.source.user("1", "a@x", "givenName", "Ada", "surname", "Byron")
				}
				w.cycle()
				w.cycle()
				if diff := cmp.Diff([]string{"a@x Ada", "b@x Ada2"}, names(w)); diff != "" {
					t.Errorf("killed at call %d, applied %v (-want +got):\n%s", at, applied, diff)
				}
			}
		}
	})
	t.Run("a value that somebody has whom the job does not manage", func(t *testing.T) {
		w := setup(t)
		w.app.put("User", scim.Document{"userName": "other@x", "displayName": "Ada", "name": map[string]any{"familyName": "X"}})
		w.source.user("1", "a@x", "givenName", "Ada")
		w.cycle()
		if diff := cmp.Diff([]string{"a@x Ada2", "other@x Ada"}, names(w)); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
	})
	t.Run("many at once read the list instead", func(t *testing.T) {
		w := setup(t)
		for i := range 120 {
			w.source.user(string(rune('a'+i/26))+string(rune('a'+i%26)), string(rune('a'+i/26))+string(rune('a'+i%26))+"@x")
		}
		s, _ := w.cycle()
		finds := 0
		for _, call := range w.app.journal {
			if strings.Contains(call, "displayName") {
				finds++
			}
		}
		if !s.InStep() || finds > 60 {
			t.Errorf("%d look-ups, failures %v", finds, codes(s))
		}
	})
	t.Run("an attribute that cannot be looked up", func(t *testing.T) {
		w := setup(t)
		w.app.profile.Resources[0].Attributes[9].Filter = nil
		w.app.put("User", scim.Document{"userName": "other@x", "displayName": "ADA", "name": map[string]any{"familyName": "X"}})
		w.source.user("1", "a@x", "givenName", "Ada")
		w.cycle()
		if diff := cmp.Diff([]string{"a@x Ada2", "other@x ADA"}, names(w)); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
	})
	t.Run("all taken, until one is free", func(t *testing.T) {
		for name, source := range map[string]func(*world) provision.Source{
			"a source that tells changes": func(w *world) provision.Source { return &feed{directory: w.source} },
			"one that does not":           func(w *world) provision.Source { return w.source },
		} {
			w := setup(t)
			w.config.Source = source(w)
			for _, taken := range []string{"Ada", "ada2", "Ada3"} {
				w.app.put("User", scim.Document{"userName": taken + "@other", "displayName": taken, "name": map[string]any{"familyName": "X"}})
			}
			w.source.user("1", "a@x", "givenName", "Ada")
			s, _ := w.cycle()
			if diff := cmp.Diff([]string{"1:EntryConflict"}, codes(s)); diff != "" || s.Failures[0].Attribute != "displayName" || s.Failures[0].Due.IsZero() {
				t.Errorf("%s: failures %+v", name, s.Failures)
			}
			delete(w.app.objects["User"], "u-2")
			w.clock.advance(7 * 60 * 60 * 1e9)
			if s, _ := w.cycle(); !s.InStep() || w.app.objects["User"]["u-4"]["displayName"] != "Ada2" {
				t.Errorf("%s: failures %+v, %v", name, s.Failures, names(w))
			}
		}
	})
	t.Run("all taken, until an administrator frees one and says so", func(t *testing.T) {
		w := setup(t)
		w.config.Source = &feed{directory: w.source}
		for _, taken := range []string{"Ada", "ada2", "Ada3"} {
			w.app.put("User", scim.Document{"userName": taken + "@other", "displayName": taken, "name": map[string]any{"familyName": "X"}})
		}
		w.source.user("1", "a@x", "givenName", "Ada")
		w.cycle()
		delete(w.app.objects["User"], "u-2")
		if err := w.job().Restart(t.Context(), provision.ResetEscrows); err != nil {
			t.Fatal(err)
		}
		if s, _ := w.cycle(); !s.InStep() || w.app.objects["User"]["u-4"]["displayName"] != "Ada2" {
			t.Errorf("failures %+v, %v", s.Failures, names(w))
		}
	})
	t.Run("a target that does not answer", func(t *testing.T) {
		w := setup(t)
		w.source.user("1", "a@x", "givenName", "Ada")
		w.app.fault = func(call string) (error, bool) {
			if strings.Contains(call, "displayName") {
				return scim.NewError(500, "", "no"), false
			}
			return nil, false
		}
		if s, _ := w.cycle(); cmp.Diff([]string{"1:InternalServerError"}, codes(s)) != "" {
			t.Errorf("failures %+v", s.Failures)
		}
		w.app.fault = nil
		if s, _ := w.cycle(); !s.InStep() {
			t.Errorf("failures %+v", s.Failures)
		}
	})
	t.Run("explained without a request", func(t *testing.T) {
		w := setup(t)
		w.source.user("1", "a@x", "givenName", "Ada")
		if x, err := w.job().Explain(t.Context(), "User", "1"); err != nil || x.Failure != nil || len(w.app.journal) != 0 {
			t.Errorf("%+v, %v, calls %q", x, err, w.app.journal)
		}
	})
}

func TestExpressionsSeeWhatTheProgramGives(t *testing.T) {
	w := newWorld(t)
	w.mappings[0].Attributes[4] = mapping.AttributeMapping{Target: "title", Expression: `DefaultDomain()`}
	w.config.Env = mapping.Env{DefaultDomain: func(context.Context) (string, error) { return "meridian.example", nil }}
	w.source.user("1", "ada@example.com")
	w.cycle()
	if got := w.app.objects["User"]["u-1"]["title"]; got != "meridian.example" {
		t.Errorf("title = %v", got)
	}
}
