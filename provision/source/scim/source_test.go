package scim_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	core "github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/catalog"
	"github.com/scimbridge/scim/profiles/postman"
	"github.com/scimbridge/scim/profiles/postman/postmantest"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/source/scim"
	"github.com/scimbridge/scim/provision/state/sqlite"
	"github.com/scimbridge/scim/server"
)

func TestNewRefusesWhatCannotWork(t *testing.T) {
	aws, err := catalog.Profile("aws-iam-identity-center")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		options scim.Options
		profile *profiles.Profile
		want    string
	}{
		"a type twice":                 {scim.Options{Types: []scim.Type{{Name: "User"}, {Name: "User"}}}, nil, "twice"},
		"a type without name":          {scim.Options{Types: []scim.Type{{}}}, nil, "without name"},
		"a type that nobody knows":     {scim.Options{Types: []scim.Type{{Name: "Device"}}}, nil, "Device"},
		"a place of members":           {scim.Options{Types: []scim.Type{{Name: "Group", Members: "somewhere"}}}, nil, "members are"},
		"members that are never shown": {scim.Options{}, aws, "never shows"},
		"changes that cannot be had":   {scim.Options{Changes: true}, postman.Profile(), "meta.lastModified"},
		"a negative overlap":           {scim.Options{Overlap: -time.Second}, nil, "negative"},
		"a negative tolerance":         {scim.Options{Tolerance: -1}, nil, "negative"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, http.NotFoundHandler(), client.WithProfile(tt.profile))
			if _, err := scim.New(c, tt.options); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want one about %q", err, tt.want)
			}
		})
	}
}

func TestEntriesHaveSCIMAttributes(t *testing.T) {
	s := newService(t, 0)
	boss := s.user(t, "boss")
	made, err := s.Users().Create(t.Context(), core.User{
		UserName: "ada@example.com", ExternalID: "E1", Emails: []core.MultiValue{{Value: "ada@example.com", Type: "work"}},
		Enterprise: &core.EnterpriseUser{Department: "R&D", Manager: &core.Manager{Value: boss}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.group(t, "staff", made.ID)
	for name, tt := range map[string]struct {
		typ    scim.Type
		groups bool
	}{"usually": {scim.Type{Name: "User"}, false}, "with groups": {scim.Type{Name: "User", Exclude: []string{}}, true}} {
		t.Run(name, func(t *testing.T) {
			found, err := newSource(t, s.Client, scim.Options{Types: []scim.Type{tt.typ}}).Lookup(t.Context(), "User", []string{made.ID})
			if err != nil || len(found) != 1 {
				t.Fatal(found, err)
			}
			a := found[0].Attributes
			if _, has := a["groups"]; has != tt.groups {
				t.Errorf("groups: %v", a["groups"])
			}
			for _, gone := range []string{"meta", "schemas"} {
				if _, has := a[gone]; has {
					t.Errorf("%s is there", gone)
				}
			}
			enterprise, _ := a[core.EnterpriseUserSchema].(map[string]any)
			manager, _ := enterprise["manager"].(map[string]any)
			if a["externalId"] != "E1" || enterprise["department"] != "R&D" || manager["value"] != boss {
				t.Errorf("attributes %v", a)
			}
		})
	}
}

// A group in the list that is not found by its id is asked for again: somebody may just have deleted it, or the service may be behind.
func TestListedGroupThatIsNotFound(t *testing.T) {
	for name, tt := range map[string]struct {
		refusals int
		want     []string
	}{
		"it is found": {0, []string{"1", "2"}}, "not at first": {1, []string{"2", "1"}}, "it is gone": {2, []string{"2"}},
	} {
		t.Run(name, func(t *testing.T) {
			left := tt.refusals
			c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				id, single := strings.CutPrefix(r.URL.Path, "/scim/v2/Groups/")
				switch {
				case strings.HasSuffix(r.URL.Path, "/ServiceProviderConfig"):
					_, _ = w.Write([]byte(`{"patch":{"supported":true},"bulk":{"supported":false},"filter":{"supported":true}}`))
				case single && id == "1" && left > 0:
					left--
					w.WriteHeader(http.StatusNotFound)
				case single:
					fmt.Fprintf(w, `{"id":%q,"displayName":"G","members":[{"value":"u1"}]}`, id)
				case r.URL.Query().Get("startIndex") == "1":
					_, _ = w.Write([]byte(`{"totalResults":2,"Resources":[{"id":"1","displayName":"G"},{"id":"2","displayName":"H"}]}`))
				default:
					_, _ = w.Write([]byte(`{"totalResults":2,"Resources":[{"id":"2","displayName":"H"}]}`))
				}
			}))
			var got []string
			for e, err := range newSource(t, c, scim.Options{Types: []scim.Type{{Name: "Group"}}}).Entries(t.Context(), "Group") {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, e.ID)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
		})
	}
}

// A service that leaves members out of its lists has groups of nobody there.
func TestMembersThatListsLeaveOut(t *testing.T) {
	const groups = 3
	newGroups := func(t *testing.T, versions, inList bool) (*scim.Source, *[]string, map[string]string) {
		version := map[string]string{"1": "a", "2": "a", "3": "a"}
		var reads []string
		group := func(id string, members bool) string {
			var parts []string
			if members && id != "3" {
				parts = append(parts, `"members":[{"value":"u2"},{"value":"u1","display":"One"},{"value":"u`+version[id]+`"}]`)
			}
			if versions && (members || inList) {
				parts = append(parts, fmt.Sprintf(`"meta":{"version":"W/\"%s\""}`, version[id]))
			}
			return strings.TrimSuffix(fmt.Sprintf(`{"id":%q,"displayName":"G",%s`, id, strings.Join(parts, ",")), ",") + "}"
		}
		c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path := strings.TrimPrefix(r.URL.Path, "/scim/v2")
			id, single := strings.CutPrefix(path, "/Groups/")
			switch {
			case path == "/ServiceProviderConfig":
				fmt.Fprintf(w, `{"patch":{"supported":true},"bulk":{"supported":false},"filter":{"supported":true},"etag":{"supported":%v}}`, versions)
			case single && version[id] == "":
				w.WriteHeader(http.StatusNotFound)
			case single && r.Header.Get("If-None-Match") == fmt.Sprintf(`W/"%s"`, version[id]):
				reads = append(reads, id+" not modified")
				w.WriteHeader(http.StatusNotModified)
			case single:
				reads = append(reads, id)
				_, _ = w.Write([]byte(group(id, true)))
			case r.URL.Query().Get("startIndex") == "1":
				fmt.Fprintf(w, `{"totalResults":%d,"Resources":[%s,%s,%s]}`, groups, group("1", false), group("2", false), group("3", false))
			default:
				fmt.Fprintf(w, `{"totalResults":%d,"Resources":[%s]}`, groups, group("3", false))
			}
		}))
		return newSource(t, c, scim.Options{Types: []scim.Type{{Name: "Group"}}}), &reads, version
	}
	members := func(t *testing.T, s *scim.Source) map[string]any {
		t.Helper()
		all := map[string]any{}
		for e, err := range s.Entries(t.Context(), "Group") {
			if err != nil {
				t.Fatal(err)
			}
			all[e.ID] = e.Attributes["members"]
		}
		return all
	}
	for name, tt := range map[string]struct {
		versions, inList bool
		again            []string
	}{
		"versions are in lists":         {true, true, []string{"2"}},
		"versions are in single groups": {true, false, []string{"1 not modified", "2", "3 not modified"}},
		"there are no versions":         {false, false, []string{"1", "2", "3"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, reads, version := newGroups(t, tt.versions, tt.inList)
			want := map[string]any{"1": []any{"u1", "u2", "ua"}, "2": []any{"u1", "u2", "ua"}, "3": []any{}}
			if diff := cmp.Diff(want, members(t, s)); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"1", "2", "3"}, *reads); diff != "" {
				t.Errorf("groups read (-want +got):\n%s", diff)
			}
			*reads, version["2"] = nil, "b"
			want["2"] = []any{"u1", "u2", "ub"}
			if diff := cmp.Diff(want, members(t, s)); diff != "" {
				t.Errorf("members, the second time (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.again, *reads); diff != "" {
				t.Errorf("groups read the second time (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("a group that is deleted between the list and its read", func(t *testing.T) {
		s, _, version := newGroups(t, false, false)
		delete(version, "2")
		if got := members(t, s); len(got) != 2 {
			t.Errorf("got %v", got)
		}
	})
}

func TestListsAreAskedToLeaveMembersOut(t *testing.T) {
	s := newService(t, server.FeatureCursor)
	ada := s.user(t, "ada")
	s.group(t, "staff", ada)
	s.journal = nil
	source := newSource(t, s.Client, scim.Options{Types: []scim.Type{{Name: "Group", Members: scim.MembersRead}}})
	for e, err := range source.Entries(t.Context(), "Group") {
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]any{ada}, e.Attributes["members"]); diff != "" {
			t.Errorf("members (-want +got):\n%s", diff)
		}
	}
	if list := s.requests("GET /Groups?"); len(list) == 0 || !strings.Contains(list[0], "excludedAttributes=members") {
		t.Errorf("requests %q", list)
	}
}

func TestMembersThatAreCutOff(t *testing.T) {
	s := newService(t, 0)
	ada, ben := s.user(t, "ada"), s.user(t, "ben")
	s.group(t, "staff", ada, ben)
	for most, want := range map[int]error{0: nil, 2: scim.ErrIncomplete, 3: nil} {
		source := newSource(t, s.Client, scim.Options{Types: []scim.Type{{Name: "Group", MaxShown: most}}})
		if _, err := ids(t, source, "Group"); !errors.Is(err, want) {
			t.Errorf("%d members shown: err = %v, want %v", most, err, want)
		}
	}
}

// From one SCIM service into another, with a list that once ends early.
func TestFromOneServiceIntoAnother(t *testing.T) {
	s := newService(t, 0)
	ada, ben := s.user(t, "ada"), s.user(t, "ben")
	for i := range 8 {
		s.user(t, fmt.Sprintf("u%d", i))
	}
	s.group(t, "staff", ada, ben)
	broken := false
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken && r.URL.Query().Get("cursor") != "" && strings.HasSuffix(r.URL.Path, "/Users") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if broken && strings.HasSuffix(r.URL.Path, "/Users") {
			// What is there less the last two, with a total that agrees: the page after it is the one that fails.
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "count=100", "count=8", 1)
		}
		r.RequestURI = r.URL.RequestURI()
		s.handler.ServeHTTP(w, r)
	}))
	target := postmantest.NewServer(t, postmantest.Options{})
	pc, err := client.New(target.URL, client.WithBearerToken(target.Key), client.WithProfile(postman.Profile()))
	if err != nil {
		t.Fatal(err)
	}
	state, err := sqlite.Open(t.TempDir() + "/state.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = state.Close() })
	profile := mapping.WithProfile(postman.Profile())
	job, err := provision.New(provision.Config{
		Name: "hr", Source: newSource(t, c, scim.Options{Now: s.clock}), Target: provision.NewClientTarget(pc), State: state,
		Policy: provision.Policy{Enabled: "active"},
		Mappings: []*mapping.Mapping{
			mapping.MustCompile(mapping.ObjectMapping{Source: "User", Target: "User", Attributes: []mapping.AttributeMapping{
				{Target: "userName", Source: "userName", Matching: 1},
				{Target: "active", Expression: `Switch([IsSoftDeleted], , "False", "True", "True", "False")`},
				{Target: "name.givenName", Source: "name.givenName"},
				{Target: "name.familyName", Source: "name.familyName"},
			}}, profile),
			mapping.MustCompile(mapping.ObjectMapping{Source: "Group", Target: "Group", Attributes: []mapping.AttributeMapping{
				{Target: "displayName", Source: "displayName", Matching: 1}, {Target: "members", Source: "members"},
			}}, profile),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := job.RunCycle(t.Context()); err != nil || !sum.InStep() {
		t.Fatalf("%+v, %v", sum, err)
	}
	active := func() (n int) {
		for _, u := range target.Users() {
			if *u.Active {
				n++
			}
		}
		return n
	}
	if groups := target.Groups(); active() != 10 || len(groups) != 1 || len(groups[0].Members) != 2 {
		t.Fatalf("%d users, groups %+v", active(), groups)
	}

	broken = true
	var fault *provision.SourceFault
	if _, err := job.RunCycle(t.Context()); !errors.As(err, &fault) || !errors.Is(err, core.ErrForbidden) {
		t.Errorf("a list that cannot be read to its end: %v", err)
	}
	if active() != 10 {
		t.Errorf("%d users are active after a list that could not be read to its end, want 10", active())
	}

	broken = false
	if err := s.Users().Delete(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Users().Patch(t.Context(), ben, []core.PatchOperation{{Op: core.OpReplace, Path: "active", Value: false}}); err != nil {
		t.Fatal(err)
	}
	if _, err := job.RunCycle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if active() != 8 {
		t.Errorf("%d users are active, want 8: one was deleted and one disabled", active())
	}
}
