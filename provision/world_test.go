package provision_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/state/sqlite"
)

// clock is a virtual clock.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// After lets the time pass at once.
func (c *clock) After(d time.Duration) <-chan time.Time {
	c.advance(d)
	ch := make(chan time.Time, 1)
	ch <- c.Now()
	return ch
}

// directory is a source in memory.
type directory struct {
	objects map[string]map[string]map[string]any // by type and id
	deleted map[string]map[string]bool           // known to be gone for good
	extra   map[string][]provision.Entry
	fail    error
	failAt  int // entries of a type before the failure
	reads   int
}

func newDirectory() *directory {
	return &directory{objects: map[string]map[string]map[string]any{"User": {}, "Group": {}}, deleted: map[string]map[string]bool{"User": {}, "Group": {}}}
}

func (d *directory) user(id, name string, attributes ...any) {
	u := map[string]any{"userPrincipalName": name, "givenName": "Given" + id, "surname": "Family" + id, "accountEnabled": true}
	for i := 0; i < len(attributes); i += 2 {
		u[attributes[i].(string)] = attributes[i+1]
	}
	d.objects["User"][id] = u
}

func (d *directory) group(id, name string, members ...string) {
	list := []any{}
	for _, m := range members {
		list = append(list, m)
	}
	d.objects["Group"][id] = map[string]any{"displayName": name, "members": list}
}

func (d *directory) Entries(_ context.Context, objectType string) iter.Seq2[provision.Entry, error] {
	return func(yield func(provision.Entry, error) bool) {
		d.reads++
		n := 0
		for _, id := range slices.Sorted(maps.Keys(d.objects[objectType])) {
			if d.fail != nil && n >= d.failAt {
				break
			}
			n++
			if !yield(provision.Entry{ID: id, Attributes: maps.Clone(d.objects[objectType][id])}, nil) {
				return
			}
		}
		if d.fail != nil {
			yield(provision.Entry{}, d.fail)
			return
		}
		for _, id := range slices.Sorted(maps.Keys(d.deleted[objectType])) {
			if !yield(provision.Entry{ID: id, Deleted: true}, nil) {
				return
			}
		}
		for _, e := range d.extra[objectType] {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (d *directory) Lookup(_ context.Context, objectType string, ids []string) ([]provision.Entry, error) {
	var found []provision.Entry
	for _, id := range ids {
		if o, ok := d.objects[objectType][id]; ok {
			found = append(found, provision.Entry{ID: id, Attributes: maps.Clone(o)})
		}
	}
	return found, d.fail
}

// application is a target in memory: user names and group names are unique without regard to case, filters tell case.
type application struct {
	mu      sync.Mutex
	profile *profiles.Profile
	objects map[string]map[string]scim.Document
	next    int
	journal []string
	// fault is asked before each call, and may return an error to be given before or after the call takes effect.
	fault func(call string) (err error, applied bool)
	// dropsMemberships: disabling an account takes it out of its groups.
	dropsMemberships bool
	// refusesMember are user ids that cannot be members.
	refusesMember map[string]bool
	// reserved are user names refused with 409 although nobody is seen to have them.
	reserved map[string]bool
	pages    int
	// watch is told of each change, unless nil.
	watch func(resourceType, id string, before, after scim.Document)
}

func newApplication() *application {
	operations := []profiles.Operation{profiles.Create, profiles.Read, profiles.List, profiles.Update, profiles.Delete}
	return &application{
		profile: &profiles.Profile{
			Name: "app", Title: "The application",
			Resources: []profiles.Resource{
				{
					Name: "User", Endpoint: "/Users", Schema: scim.UserSchema, Operations: operations,
					Attributes: []profiles.Attribute{
						{Path: "userName", Type: "string", Required: true, Filter: []string{"eq"}, Unique: true, FilterCaseExact: true},
						{Path: "active", Type: "boolean"},
						{Path: "name", Type: "complex"},
						{Path: "name.givenName", Type: "string"},
						{Path: "name.familyName", Type: "string", Required: true},
						{Path: "title", Type: "string"},
						{Path: "nickName", Type: "string", Filter: []string{"eq"}},
						{Path: "externalId", Type: "string", Filter: []string{"eq"}, CaseExact: true},
						{Path: "manager", Type: "reference"},
					},
					Deprovision: profiles.Deactivate,
				},
				{
					Name: "Group", Endpoint: "/Groups", Schema: scim.GroupSchema, Operations: operations,
					Attributes: []profiles.Attribute{
						{Path: "displayName", Type: "string", Required: true, Filter: []string{"eq"}, Unique: true, FilterCaseExact: true},
						{Path: "members", Type: "complex", MultiValued: true},
					},
					Deprovision: profiles.DeleteObject,
				},
			},
			Paging:     profiles.Paging{MaxCount: 100},
			RateLimits: []profiles.RateLimit{{Name: "write", Methods: []string{"POST", "PUT", "PATCH", "DELETE"}, Requests: 180, Seconds: 60}},
		},
		objects:       map[string]map[string]scim.Document{"User": {}, "Group": {}},
		refusesMember: map[string]bool{}, reserved: map[string]bool{},
	}
}

func (a *application) Profile() *profiles.Profile { return a.profile }

// call runs one request, with its faults.
func (a *application) call(what string, do func() error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var err error
	applied := true
	if a.fault != nil {
		err, applied = a.fault(what)
	}
	if err != nil && !applied {
		return err
	}
	a.journal = append(a.journal, what)
	if own := do(); own != nil {
		return own
	}
	return err
}

func (a *application) writes() []string {
	var writes []string
	for _, w := range a.journal {
		switch verb, _, _ := strings.Cut(w, " "); verb {
		case "create", "update", "members", "delete":
			writes = append(writes, w)
		}
	}
	return writes
}

func (a *application) TestConnection(context.Context) error {
	return a.call("test", func() error { return nil })
}

func (a *application) List(_ context.Context, resourceType string) iter.Seq2[scim.Document, error] {
	return func(yield func(scim.Document, error) bool) {
		var docs []scim.Document
		if err := a.call("list "+resourceType, func() error {
			for _, id := range slices.Sorted(maps.Keys(a.objects[resourceType])) {
				docs = append(docs, a.objects[resourceType][id].Clone())
			}
			return nil
		}); err != nil {
			yield(nil, err)
			return
		}
		a.pages += (len(docs) + 99) / 100
		for _, doc := range docs {
			if !yield(doc, nil) {
				return
			}
		}
	}
}

func (a *application) Find(_ context.Context, resourceType string, f filter.Filter) (found []scim.Document, err error) {
	err = a.call("find "+resourceType+" "+f.String(), func() error {
		terms, ok := f.Equalities()
		if !ok || len(terms) != 1 {
			return scim.NewError(400, scim.InvalidFilter, "unsupported filter")
		}
		for _, id := range slices.Sorted(maps.Keys(a.objects[resourceType])) {
			doc := a.objects[resourceType][id]
			if v, _ := doc[terms[0].Attr.Name].(string); v != "" && v == terms[0].Value.Any() {
				found = append(found, doc.Clone())
			}
		}
		return nil
	})
	return found, err
}

func (a *application) Get(_ context.Context, resourceType, id string) (doc scim.Document, err error) {
	err = a.call("get "+resourceType+" "+id, func() error {
		known, ok := a.objects[resourceType][id]
		if !ok {
			return scim.NewError(404, "", "no such resource")
		}
		doc = known.Clone()
		return nil
	})
	return doc, err
}

func (a *application) changed(resourceType, id string, before, after scim.Document) {
	if a.watch != nil {
		a.watch(resourceType, id, before, after)
	}
}

func uniqueName(resourceType string) string {
	if resourceType == "Group" {
		return "displayName"
	}
	return "userName"
}

func (a *application) taken(resourceType, id string, doc scim.Document) error {
	name := uniqueName(resourceType)
	value, _ := doc[name].(string)
	if a.reserved[value] && id == "" {
		return scim.NewError(409, scim.Uniqueness, "reserved")
	}
	for other, have := range a.objects[resourceType] {
		if v, _ := have[name].(string); other != id && strings.EqualFold(v, value) {
			return scim.NewError(409, scim.Uniqueness, "value in use")
		}
	}
	return nil
}

func (a *application) Create(_ context.Context, resourceType string, doc scim.Document) (made scim.Document, err error) {
	err = a.call(fmt.Sprintf("create %s %v", resourceType, doc[uniqueName(resourceType)]), func() error {
		if err := a.taken(resourceType, "", doc); err != nil {
			return err
		}
		members, _ := doc["members"].([]any)
		for _, m := range members {
			if err := a.member(m.(map[string]any)["value"].(string)); err != nil {
				return err
			}
		}
		a.next++
		id := fmt.Sprintf("%s-%d", strings.ToLower(resourceType[:1]), a.next)
		doc = doc.Clone()
		doc["id"] = id
		a.objects[resourceType][id] = doc
		a.changed(resourceType, id, nil, doc)
		made = doc.Clone()
		return nil
	})
	return made, err
}

// put adds an object that was there before.
func (a *application) put(resourceType string, doc scim.Document) string {
	a.next++
	id := fmt.Sprintf("%s-%d", strings.ToLower(resourceType[:1]), a.next)
	doc["id"] = id
	a.objects[resourceType][id] = doc
	return id
}

func (a *application) Update(_ context.Context, resourceType, id string, before, after scim.Document) error {
	return a.call(fmt.Sprintf("update %s %s", resourceType, id), func() error {
		doc, ok := a.objects[resourceType][id]
		if !ok {
			return scim.NewError(404, "", "no such resource")
		}
		changed := doc.Clone()
		for name := range before {
			if _, kept := after[name]; !kept {
				delete(changed, name)
			}
		}
		for name, v := range after.Clone() {
			// As a PATCH does it: what is not to change is as it is.
			if !reflect.DeepEqual(before[name], v) {
				changed[name] = v
			}
		}
		if err := a.taken(resourceType, id, changed); err != nil {
			return err
		}
		a.objects[resourceType][id] = changed
		a.changed(resourceType, id, doc, changed)
		if changed["active"] == false && a.dropsMemberships {
			for _, g := range a.objects["Group"] {
				g["members"] = withoutMember(g, id)
			}
		}
		return nil
	})
}

func withoutMember(group scim.Document, id string) []any {
	members, _ := group["members"].([]any)
	return slices.DeleteFunc(slices.Clone(members), func(m any) bool { return m.(map[string]any)["value"] == id })
}

func (a *application) member(id string) error {
	u, ok := a.objects["User"][id]
	switch {
	case !ok, a.refusesMember[id]:
		return scim.NewError(404, "", "no such member")
	case a.dropsMemberships && u["active"] == false:
		return scim.NewError(400, "", "the member is not active")
	}
	return nil
}

func (a *application) ChangeMembers(_ context.Context, resourceType, id string, add, remove []string) error {
	return a.call(fmt.Sprintf("members %s %s +%d -%d", resourceType, id, len(add), len(remove)), func() error {
		g, ok := a.objects[resourceType][id]
		if !ok {
			return scim.NewError(404, "", "no such group")
		}
		for _, m := range add {
			if err := a.member(m); err != nil {
				return err
			}
		}
		before := g.Clone()
		for _, m := range append(slices.Clone(remove), add...) {
			g["members"] = withoutMember(g, m)
		}
		for _, m := range add {
			g["members"] = append(g["members"].([]any), map[string]any{"value": m})
		}
		a.changed(resourceType, id, before, g)
		return nil
	})
}

func (a *application) Delete(_ context.Context, resourceType, id string) error {
	return a.call(fmt.Sprintf("delete %s %s", resourceType, id), func() error {
		doc, ok := a.objects[resourceType][id]
		if !ok {
			return scim.NewError(404, "", "no such resource")
		}
		delete(a.objects[resourceType], id)
		a.changed(resourceType, id, doc, nil)
		for _, g := range a.objects["Group"] {
			g["members"] = withoutMember(g, id)
		}
		return nil
	})
}

// picture shows what the application holds, without ids: members by user name.
func (a *application) picture() []string {
	var lines []string
	for _, u := range a.objects["User"] {
		name, _ := u["name"].(map[string]any)
		line := fmt.Sprintf("user %v %v %v active=%v", u["userName"], name["givenName"], name["familyName"], u["active"])
		if u["title"] != nil {
			line += fmt.Sprintf(" title=%v", u["title"])
		}
		if m, ok := u["manager"].(map[string]any); ok {
			line += fmt.Sprintf(" manager=%v", a.objects["User"][m["value"].(string)]["userName"])
		}
		lines = append(lines, line)
	}
	for _, g := range a.objects["Group"] {
		var members []string
		list, _ := g["members"].([]any)
		for _, m := range list {
			members = append(members, fmt.Sprint(a.objects["User"][m.(map[string]any)["value"].(string)]["userName"]))
		}
		slices.Sort(members)
		lines = append(lines, fmt.Sprintf("group %v %v", g["displayName"], members))
	}
	slices.Sort(lines)
	return lines
}

func userMapping() mapping.ObjectMapping {
	return mapping.ObjectMapping{
		Name: "Users", Source: "User", Target: "User",
		Attributes: []mapping.AttributeMapping{
			{Target: "userName", Source: "userPrincipalName", Matching: 1},
			{Target: "active", Expression: `Switch([IsSoftDeleted], , "False", "True", "True", "False")`},
			{Target: "name.givenName", Source: "givenName"},
			{Target: "name.familyName", Source: "surname"},
			{Target: "title", Source: "jobTitle", NullFlow: mapping.ClearNull},
		},
	}
}

func groupMapping() mapping.ObjectMapping {
	return mapping.ObjectMapping{
		Name: "Groups", Source: "Group", Target: "Group",
		Attributes: []mapping.AttributeMapping{
			{Target: "displayName", Source: "displayName", Matching: 1},
			{Target: "members", Source: "members"},
		},
	}
}

// world is a job with all that belongs to it.
type world struct {
	t        testing.TB
	name     string
	clock    *clock
	source   *directory
	app      *application
	state    provision.State
	mappings []mapping.ObjectMapping
	config   provision.Config
	target   provision.Target
	ids      atomic.Int64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	state, err := sqlite.Memory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = state.Close() })
	return newWorldOn(t, state)
}

func newWorldOn(t testing.TB, state provision.State) *world {
	w := &world{
		t: t, name: "job", clock: newClock(), source: newDirectory(), app: newApplication(), state: state,
		mappings: []mapping.ObjectMapping{userMapping(), groupMapping()},
	}
	w.target = w.app
	return w
}

func (w *world) job() *provision.Job {
	w.t.Helper()
	c := w.config
	c.Name, c.Target, c.State = w.name, w.target, w.state
	if c.Clock == nil {
		c.Clock = w.clock
	}
	if c.Source == nil {
		c.Source = w.source
	}
	if c.Concurrency == 0 {
		c.Concurrency = 1
	}
	c.NewID = func() string { return fmt.Sprintf("id-%d", w.ids.Add(1)) }
	for _, m := range w.mappings {
		compiled, err := mapping.Compile(m, mapping.WithProfile(w.app.profile))
		if err != nil {
			w.t.Fatal(err)
		}
		c.Mappings = append(c.Mappings, compiled)
	}
	job, err := provision.New(c)
	if err != nil {
		w.t.Fatal(err)
	}
	return job
}

// cycle runs one cycle that must go well, and returns its summary and what was written.
func (w *world) cycle() (*provision.Summary, []string) {
	w.t.Helper()
	w.app.journal = nil
	w.clock.advance(40 * time.Minute)
	s, err := w.job().RunCycle(w.t.Context())
	if err != nil {
		w.t.Fatalf("cycle: %v", err)
	}
	return s, w.app.writes()
}

// failing runs one cycle that must fail as a whole.
func (w *world) failing() error {
	w.t.Helper()
	w.app.journal = nil
	w.clock.advance(40 * time.Minute)
	_, err := w.job().RunCycle(w.t.Context())
	if err == nil {
		w.t.Fatal("the cycle went well")
	}
	return err
}

// codes returns the failures of a summary as id:code.
func codes(s *provision.Summary) []string {
	var list []string
	for _, f := range s.Failures {
		list = append(list, f.SourceID+":"+string(f.Code))
	}
	slices.SortFunc(list, cmp.Compare[string])
	return list
}

var errUnreachable = &scim.Error{Method: "GET", Path: "/Users", Attempts: 3, Err: errors.New("connection refused")}

func sortedStrings(list []string) []string {
	return slices.Sorted(slices.Values(list))
}

func contains(s, part string) bool { return strings.Contains(s, part) }

func replaceOnce(s, old, new string) string { return strings.Replace(s, old, new, 1) }
