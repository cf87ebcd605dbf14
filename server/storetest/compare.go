package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

// Compare plays a random history of changes on two empty stores, and asks both the same random questions: filters, orders, pages by index and by
// cursor. It fails when their answers differ. want is a store that is known to be right; package memory has one, which evaluates filters on documents.
//
// The same seed gives the same history. A store that translates filters into another language should be compared with several thousand
// questions.
func Compare(t *testing.T, want, got server.Store, seed uint64, questions int) {
	t.Helper()
	compare(t, want, got, seed, questions)
}

func compare(t testing.TB, want, got server.Store, seed uint64, questions int) {
	t.Helper()
	c := &comparison{
		fixture: &fixture{TB: t, store: want, ctx: t.Context()}, stores: [2]server.Store{want, got},
		random: rand.New(rand.NewPCG(seed, 0)), versions: make(map[server.Key]string),
	}
	for n := range questions {
		if n%4 == 0 || n < 60 {
			c.change()
		}
		c.ask()
		if t.Failed() {
			t.Fatalf("seed %d, after %d questions", seed, n)
		}
	}
}

// comparison is two stores with the same history.
type comparison struct {
	*fixture
	stores   [2]server.Store
	random   *rand.Rand
	versions map[server.Key]string
}

// words are few, so that values meet: in another case, as a beginning or a part of another, empty, and beyond ASCII.
var words = []string{"", "a", "A", "b", "ab", "AB", "b a", "Zoë", "ZOË", "ſ", "s", "K", "k", "10", "9", "%", "_", `"`, `\`, "é\u0000", "\x01", "😀"}

var times = []string{"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.5Z", "2025-12-31T23:59:59Z", "2026-01-02T03:04:05.123456789Z"}

func pick[T any](c *comparison, list []T) T { return list[c.random.IntN(len(list))] }

func (c *comparison) chance(percent int) bool { return c.random.IntN(100) < percent }

// key returns a key of one of few resources.
func (c *comparison) key(typ string) server.Key {
	return server.Key{Tenant: pick(c, []string{"", "t"}), Type: typ, ID: fmt.Sprintf("%s%d", strings.ToLower(typ[:1]), c.random.IntN(30))}
}

// document returns the attributes of a random resource.
func (c *comparison) document(typ string) scim.Document {
	doc := scim.Document{}
	set := func(object map[string]any, name string, v any) {
		if c.chance(60) {
			object[name] = v
		}
	}
	if typ == "Group" {
		set(doc, "displayName", pick(c, words))
		list := []any{}
		seen := map[any]bool{}
		for range c.random.IntN(5) {
			e := c.element()
			if !c.hasMembers() && seen[e["value"]] { // a store to which members are an attribute like any other keeps both
				continue
			}
			seen[e["value"]] = true
			list = append(list, e)
		}
		if len(list) > 0 {
			doc["members"] = list
		}
		return doc
	}
	doc["userName"] = pick(c, words) + "x"
	for _, name := range []string{"externalId", "displayName", "title", "nickName"} {
		set(doc, name, pick(c, words))
	}
	set(doc, "active", c.chance(50))
	name := map[string]any{}
	set(name, "familyName", pick(c, words))
	set(name, "givenName", pick(c, words))
	if len(name) > 0 {
		doc["name"] = name
	}
	for _, name := range []string{"emails", "phoneNumbers"} {
		list := []any{}
		for n := range c.random.IntN(4) {
			object := map[string]any{"value": pick(c, words)}
			set(object, "type", pick(c, []string{"work", "home", "WORK"}))
			if n == 1 {
				set(object, "primary", true)
			}
			list = append(list, object)
		}
		if len(list) > 0 {
			doc[name] = list
		}
	}
	extension := map[string]any{}
	set(extension, "department", pick(c, words))
	set(extension, "employeeNumber", pick(c, words))
	if len(extension) > 0 && c.chance(70) {
		extension["manager"] = map[string]any{"value": fmt.Sprintf("u%d", c.random.IntN(30))}
	}
	if len(extension) > 0 {
		doc[scim.EnterpriseUserSchema] = extension
	}
	return doc
}

// hasMembers reports whether the store in question is a MemberStore.
func (c *comparison) hasMembers() bool {
	_, ok := c.stores[1].(server.MemberStore)
	return ok
}

func (c *comparison) element() map[string]any {
	object := map[string]any{"value": fmt.Sprintf("u%d", c.random.IntN(30))}
	if c.chance(70) {
		object["type"] = pick(c, []string{"User", "Group"})
	}
	return object
}

// change makes a change in both stores.
func (c *comparison) change() {
	c.Helper()
	typ := "User"
	if c.chance(30) {
		typ = "Group"
	}
	key := c.key(typ)
	r := c.resource(key, c.document(typ))
	r.Document["meta"].(map[string]any)["created"] = pick(c, times)
	if name, ok := r.Document["userName"].(string); ok && c.chance(80) {
		r.Unique = []server.Unique{{Scope: "User", Attribute: "userName", Value: strings.ToLower(name)}}
	}
	was := c.versions[key]
	var do func(s server.Store) error
	switch {
	case was == "":
		do = func(s server.Store) error { return s.Create(c.ctx, r) }
	case c.chance(20):
		do = func(s server.Store) error { return s.Delete(c.ctx, key, was) }
		r.Version = ""
	case typ == "Group" && c.chance(60) && c.hasMembers():
		u := server.MemberUpdate{Resource: r, Modified: epoch}
		for range c.random.IntN(3) {
			u.Add = append(u.Add, c.element())
		}
		if u.Reset = c.chance(20); !u.Reset {
			for n := range 30 {
				value := fmt.Sprintf("u%d", n)
				if c.chance(10) && !slices.ContainsFunc(u.Add, func(e map[string]any) bool { return e["value"] == value }) {
					u.Remove = append(u.Remove, value)
				}
			}
		}
		u.Document, u.Unique = nil, nil
		do = func(s server.Store) error {
			m, ok := s.(server.MemberStore)
			if !ok {
				return errors.New("one store is a MemberStore, the other is not")
			}
			result, err := m.UpdateMembers(c.ctx, u)
			if err == nil && !result.Changed {
				r.Version = was
			}
			return err
		}
	default:
		do = func(s server.Store) error { return s.Update(c.ctx, server.Update{Resource: r, IfVersion: was}) }
	}
	errs := [2]error{do(c.stores[0]), do(c.stores[1])}
	if fmt.Sprint(errs[0]) != fmt.Sprint(errs[1]) {
		c.Errorf("change of %v: got error %v, want %v", key, errs[1], errs[0])
	}
	if errs[0] == nil {
		c.versions[key] = r.Version
	}
}

// ask asks both stores the same.
func (c *comparison) ask() {
	c.Helper()
	typ, s := "User", schema.User()
	if c.chance(30) {
		typ, s = "Group", schema.Group()
	}
	q := c.queryOf(typ, s, c.filter(typ, 3))
	q.Tenant = pick(c, []string{"", "t"})
	if c.chance(40) {
		q.Order = server.Order{Attribute: c.attribute(s, pick(c, paths[typ])), Descending: c.chance(50)}
	}
	if typ == "Group" && c.chance(50) {
		q.Omit = []string{"members"}
	}
	q.Limit = c.random.IntN(8)
	cursor := c.chance(50) && q.Limit > 0
	if !cursor {
		q.Offset = c.random.IntN(12)
	}
	after := [2]string{} // each store reads its own cursors
	for {
		var pages [2]server.Page
		for i, store := range c.stores {
			var err error
			q.After = after[i]
			if pages[i], err = store.Query(c.ctx, q); err != nil {
				c.Fatalf("query %s after %q: %v", q.Filter, q.After, err)
			}
			after[i] = pages[i].Next
		}
		c.samePage(q, pages[0], pages[1])
		if !cursor || after[0] == "" || c.Failed() {
			return
		}
	}
}

func (c *comparison) samePage(q server.Query, want, got server.Page) {
	c.Helper()
	if q.Limit == 0 { // then it does not matter
		want.Next, got.Next = "", ""
	}
	if want.Total != got.Total || (want.Next == "") != (got.Next == "") || !slices.Equal(ids(want.Resources), ids(got.Resources)) {
		c.Errorf("%s: got %v of %d, next %q; want %v of %d, next %q", about(q),
			ids(got.Resources), got.Total, got.Next, ids(want.Resources), want.Total, want.Next)
		return
	}
	for i := range want.Resources {
		w, g := want.Resources[i], got.Resources[i]
		if slices.Contains(q.Omit, "members") { // which is a permission
			w.Document, g.Document = w.Document.Clone(), g.Document.Clone()
			delete(w.Document, "members")
			delete(g.Document, "members")
		}
		w.Rendering, g.Rendering = nil, nil
		c.wantResource(w, g)
	}
}

// paths are the attributes that are asked for.
var paths = map[string][]string{
	"User": {
		"userName", "externalId", "displayName", "title", "active", "name.familyName", "emails.value", "emails.type", "emails.primary",
		"phoneNumbers.value", "meta.created", "meta.resourceType", "id", scim.EnterpriseUserSchema + ":department",
		scim.EnterpriseUserSchema + ":employeeNumber", scim.EnterpriseUserSchema + ":manager.value",
	},
	"Group": {"displayName", "members.value", "members.type", "id", "meta.created"},
}

func (c *comparison) attribute(s *schema.Schema, path string) *schema.Attribute {
	c.Helper()
	a, ok := s.Lookup(path)
	if !ok {
		c.Fatalf("no attribute %s", path)
	}
	return a
}

// filter returns a random filter; empty for none.
func (c *comparison) filter(typ string, depth int) string {
	switch roll := c.random.IntN(10); {
	case depth == 3 && roll == 0:
		return ""
	case depth > 0 && roll < 3:
		return "(" + c.filter(typ, min(depth-1, 2)) + ") and (" + c.filter(typ, min(depth-1, 2)) + ")"
	case depth > 0 && roll < 5:
		return "(" + c.filter(typ, min(depth-1, 2)) + ") or (" + c.filter(typ, min(depth-1, 2)) + ")"
	case depth > 0 && roll < 6:
		return "not (" + c.filter(typ, min(depth-1, 2)) + ")"
	case roll < 7:
		return c.valuePath(typ)
	}
	return c.compare(typ, pick(c, paths[typ]), "")
}

// valuePath returns a filter on the elements of a multi-valued attribute.
func (c *comparison) valuePath(typ string) string {
	name := "members"
	if typ == "User" {
		name = pick(c, []string{"emails", "phoneNumbers"})
	}
	text := c.compare(typ, name+"."+pick(c, []string{"value", "type"}), name+".")
	if c.chance(60) {
		text += pick(c, []string{" and ", " or "}) + c.compare(typ, name+"."+pick(c, []string{"value", "type"}), name+".")
	}
	if c.chance(20) {
		text = "not (" + text + ")"
	}
	return name + "[" + text + "]"
}

// compare returns a comparison of an attribute, which is written without the prefix.
func (c *comparison) compare(typ, path, prefix string) string {
	s := schema.User()
	if typ == "Group" {
		s = schema.Group()
	}
	a := c.attribute(s, path)
	path = strings.TrimPrefix(path, prefix)
	if c.chance(10) {
		return path + " pr"
	}
	var value any
	ops := []string{"eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"}
	switch a.Type {
	case schema.Boolean:
		value, ops = c.chance(50), []string{"eq", "ne"}
	case schema.DateTime:
		value, ops = pick(c, times), []string{"eq", "ne", "gt", "ge", "lt", "le"}
	default:
		if value = pick(c, words); c.chance(20) {
			value = pick(c, words) + "x"
		}
		if a.Name == "value" && prefix == "members." || path == "members.value" || path == "id" {
			value = fmt.Sprintf("u%d", c.random.IntN(30))
		}
	}
	v, err := filter.ValueOf(value)
	if err != nil {
		c.Fatal(err)
	}
	return path + " " + pick(c, ops) + " " + v.String()
}
