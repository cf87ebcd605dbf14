package server_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/memory"
)

// plainStore is a store without its optional interfaces.
type plainStore struct{ server.Store }

// onBothStores runs a test on a store that keeps members apart, and on one that does not.
func onBothStores(t *testing.T, test func(t *testing.T, open func(...func(*server.Options)) *service)) {
	t.Run("member store", func(t *testing.T) {
		test(t, func(change ...func(*server.Options)) *service { return newServiceOn(t, memory.New(), change...) })
	})
	t.Run("plain store", func(t *testing.T) {
		test(t, func(change ...func(*server.Options)) *service {
			return newServiceOn(t, plainStore{memory.New()}, change...)
		})
	})
}

// wantMembers checks the members of a group.
func (s *service) wantMembers(group string, want ...string) {
	s.t.Helper()
	got := []string{}
	list, _ := s.get("/Groups/" + group).want(200).at("members").([]any)
	for _, e := range list {
		got = append(got, e.(map[string]any)["value"].(string))
	}
	if want == nil {
		want = []string{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("members of %s (-want +got):\n%s", group, diff)
	}
}

func TestMembersAreShownAsTheyAre(t *testing.T) {
	onBothStores(t, func(t *testing.T, open func(...func(*server.Options)) *service) {
		s := open()
		s.people()
		want := []any{
			map[string]any{"value": "5", "type": "Group", "display": "Guides", "$ref": "https://example.com/scim/v2/Groups/5"},
			map[string]any{"value": "1", "type": "User", "display": "Anna", "$ref": "https://example.com/scim/v2/Users/1"},
		}
		s.get("/Groups/6").wantAt("members", want)
		s.get("/Groups?filter="+escape(`displayName eq "All"`)).wantAt("Resources/0/members", want)
		etag := s.get("/Groups/6").Header.Get("ETag")
		s.get("/Groups/6", "If-None-Match", etag).want(304)
		s.patch("/Users/1", `{"op":"replace","path":"displayName","value":"Hanna"}`).want(200)
		s.get("/Groups/6").wantAt("members/1/display", "Hanna")
		// The version of the group is not that of its members' names, the entity-tag of the answer is.
		changed := s.get("/Groups/6", "If-None-Match", etag).want(200).wantAt("members/1/display", "Hanna").Header.Get("ETag")
		s.get("/Groups/6", "If-None-Match", changed).want(304)
		s.send("PATCH", "/Groups/6?attributes=id", operations(`{"op":"replace","path":"externalId","value":"x"}`), "If-Match", etag).want(200)
		// A display that the client gives is immutable.
		s.patch("/Groups/5", `{"op":"add","path":"members","value":[{"value":"3","display":"Charles","type":"User","$ref":"https://example.com/scim/v2/Users/3"}]}`)
		s.patch("/Users/3", `{"op":"replace","path":"displayName","value":"Carl"}`).want(200)
		s.get("/Groups/5").wantAt("members/2", map[string]any{"value": "3", "type": "User", "display": "Charles", "$ref": "https://example.com/scim/v2/Users/3"})
		s.get("/Groups?filter=" + escape(`members[display eq "charles"]`)).wantIDs("5")
		s.get("/Groups?filter=" + escape(`members[display eq "Carl"]`)).wantIDs()
		s.get("/Groups/6?attributes=members.value,members.display").wantAt("members/1", map[string]any{"value": "1", "display": "Hanna"})
	})
}

func TestGroupsOfAUser(t *testing.T) {
	onBothStores(t, func(t *testing.T, open func(...func(*server.Options)) *service) {
		s := open()
		s.people()
		guides := map[string]any{"value": "5", "type": "direct", "display": "Guides", "$ref": "https://example.com/scim/v2/Groups/5"}
		all := map[string]any{"value": "6", "type": "direct", "display": "All", "$ref": "https://example.com/scim/v2/Groups/6"}
		r := s.get("/Users/1").wantAt("groups", []any{guides, all})
		s.get("/Users/2").wantAt("groups", []any{guides})
		s.get("/Users/3").wantAt("groups", nil)
		s.get("/Users?attributes=groups").wantAt("Resources/1/groups", []any{guides})
		s.send("PUT", "/Users/3", `{"userName":"carl","groups":[{"value":"5"}]}`).want(200).wantAt("groups", nil)

		// The version of the user is not that of its groups, the entity-tag of the answer is.
		etag := r.Header.Get("ETag")
		s.get("/Users/1", "If-None-Match", etag).want(304)
		s.patch("/Groups/5", `{"op":"replace","path":"displayName","value":"Scouts"}`)
		changed := s.get("/Users/1", "If-None-Match", etag).want(200)
		if changed.Header.Get("ETag") == etag {
			t.Errorf("the groups of a user changed, its ETag %s did not", etag)
		}
		s.send("PATCH", "/Users/1", operations(`{"op":"add","path":"title","value":"T"}`), "If-Match", etag).want(200)

		indirect := open(func(o *server.Options) { o.IndirectGroups = true })
		indirect.people()
		all["type"] = "indirect"
		indirect.get("/Users/2").wantAt("groups", []any{guides, all})
		all["type"] = "direct"
		indirect.get("/Users/1").wantAt("groups", []any{guides, all})
		indirect.patch("/Groups/5", `{"op":"add","path":"members","value":[{"value":"6"}]}`)
		indirect.get("/Users/1").wantAt("groups", []any{guides, all})
	})
}

func TestMissingMembers(t *testing.T) {
	onBothStores(t, func(t *testing.T, open func(...func(*server.Options)) *service) {
		s := open()
		id := s.create("/Groups", `{"displayName":"G"}`)
		user := s.user("a")
		add := func(value string) string { return `{"op":"add","path":"members","value":[` + value + `]}` }
		s.send("POST", "/Groups", `{"displayName":"H","members":[{"value":"404"}]}`).wantError(400, scim.InvalidValue)
		s.send("PUT", "/Groups/"+id, `{"displayName":"G","members":[{"value":"404"}]}`).wantError(400, scim.InvalidValue)
		s.patch("/Groups/"+id, add(`{"value":"`+user+`"},{"value":"404"}`)).wantError(400, scim.InvalidValue)
		s.patch("/Groups/"+id, add(`{"value":"`+user+`","type":"Group"}`)).wantError(400, scim.InvalidValue)
		s.patch("/Groups/"+id, add(`{"value":"`+id+`"}`)).wantError(400, scim.InvalidValue)
		s.patch("/Groups/"+id, add(`{"display":"x"}`)).wantError(400, scim.InvalidValue)
		s.send("POST", "/Groups", `{"displayName":"H","members":[{"value":""}]}`).want(400)
		s.wantMembers(id)
		s.get("/Groups").wantIDs(id)

		tolerant := open(func(o *server.Options) { o.MissingMembers = true })
		id = tolerant.create("/Groups", `{"displayName":"G","members":[{"value":"404","display":"gone"}]}`)
		tolerant.get("/Groups/"+id).wantAt("members/0/display", "gone")
		tolerant.patch("/Groups/"+id, add(`{"value":"405"}`)).want(map[bool]int{true: 204, false: 200}[strings.Contains(t.Name(), "member")])
		tolerant.wantMembers(id, "404", "405")
	})
}

func TestDeletedUsersLeaveTheirGroups(t *testing.T) {
	onBothStores(t, func(t *testing.T, open func(...func(*server.Options)) *service) {
		var changes []string
		s := open(func(o *server.Options) {
			o.Hooks.After = func(_ context.Context, c server.Change) {
				changes = append(changes, fmt.Sprintf("%s %s %s %v", c.Kind, c.Type, c.ID, c.Members.Remove))
			}
		})
		s.people()
		before := s.get("/Groups/5").at("meta/version")
		changes = nil
		s.send("DELETE", "/Users/1", "").want(204)
		s.wantMembers("5", "2")
		s.wantMembers("6", "5")
		if s.get("/Groups/5").at("meta/version") == before {
			t.Error("a group lost a member and has its version still")
		}
		want := []string{"deleted User 1 []", "membersLeft Group 5 [1]", "membersLeft Group 6 [1]"}
		if diff := cmp.Diff(want, changes); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
		s.send("DELETE", "/Groups/5", "").want(204)
		s.wantMembers("6")
		s.get("/Users/2").wantAt("groups", nil)
	})
}

// tornStore fails in the middle of what takes several steps.
type tornStore struct {
	server.Store
	// beforeDelete is called in front of each Delete, and beforeUpdate in front of each change.
	beforeDelete, beforeUpdate func() error
}

func (s *tornStore) Delete(ctx context.Context, key server.Key, version string) error {
	if s.beforeDelete != nil {
		if err := s.beforeDelete(); err != nil {
			return err
		}
	}
	return s.Store.Delete(ctx, key, version)
}

func (s *tornStore) Update(ctx context.Context, u server.Update) error {
	if s.beforeUpdate != nil {
		if err := s.beforeUpdate(); err != nil {
			return err
		}
	}
	return s.Store.Update(ctx, u)
}

// interruption is what happens once, just before a store is written.
type interruption struct{ happen func() }

func (i *interruption) once() {
	if happen := i.happen; happen != nil {
		i.happen = nil
		happen()
	}
}

type interruptedStore struct {
	server.Store
	*interruption
}

func (s interruptedStore) Create(ctx context.Context, r server.Resource) error {
	s.once()
	return s.Store.Create(ctx, r)
}

func (s interruptedStore) Update(ctx context.Context, u server.Update) error {
	s.once()
	return s.Store.Update(ctx, u)
}

// interruptedMemberStore is an interruptedStore that keeps members apart.
type interruptedMemberStore struct {
	interruptedStore
	members server.MemberStore
}

func (s interruptedMemberStore) UpdateMembers(ctx context.Context, u server.MemberUpdate) (server.MemberResult, error) {
	s.once()
	return s.members.UpdateMembers(ctx, u)
}

func (s interruptedMemberStore) Memberships(ctx context.Context, tenant string, ids []string) (map[string][]server.Membership, error) {
	return s.members.Memberships(ctx, tenant, ids)
}

func TestMembersDeletedWhileTheyAreAddedLeaveAgain(t *testing.T) {
	memoryStore := memory.New()
	plain := interruptedStore{memoryStore, new(interruption)}
	for name, store := range map[string]server.Store{"member store": interruptedMemberStore{plain, memoryStore}, "plain store": plain} {
		t.Run(name, func(t *testing.T) {
			var left []string
			s := newServiceOn(t, store, func(o *server.Options) {
				o.NewID = nil
				o.Hooks.After = func(_ context.Context, c server.Change) {
					if c.Kind == server.MembersLeft {
						left = append(left, c.Members.Remove...)
					}
				}
			})
			group, stays := s.create("/Groups", `{"displayName":"G"}`), s.user("stays")
			var gone []string
			lose := func() string { // returns a user who is deleted at the next write
				user := s.user("gone")
				gone = append(gone, user)
				plain.happen = func() { s.send("DELETE", "/Users/"+user, "").want(204) }
				return user
			}
			members := func() string {
				return fmt.Sprintf(`[{"value":%q},{"value":%q}]`, lose(), stays)
			}
			s.patch("/Groups/"+group, `{"op":"add","path":"members","value":`+members()+`}`)
			s.wantMembers(group, stays)
			s.patch("/Groups/"+group, `{"op":"add","value":{"externalId":"x","members":`+members()+`}}`)
			s.wantMembers(group, stays)
			s.send("PUT", "/Groups/"+group, `{"displayName":"G","members":`+members()+`}`).want(200)
			s.wantMembers(group, stays)
			other, _ := s.send("POST", "/Groups", `{"displayName":"H","members":`+members()+`}`).want(201).at("id").(string)
			s.wantMembers(other, stays)
			if diff := cmp.Diff(gone, left); diff != "" {
				t.Errorf("who has left, as the hook saw it (-want +got):\n%s", diff)
			}
			s.send("DELETE", "/Users/"+stays, "").want(204)
		})
	}
}

func TestMemberPatchesThatLoseARace(t *testing.T) {
	memoryStore := memory.New()
	plain := interruptedStore{memoryStore, new(interruption)}
	for name, store := range map[string]server.Store{"member store": interruptedMemberStore{plain, memoryStore}, "plain store": plain} {
		t.Run(name, func(t *testing.T) {
			s := newServiceOn(t, store, func(o *server.Options) { o.NewID = nil })
			a, b, group := s.user("a"), s.user("b"), s.create("/Groups", `{"displayName":"G"}`)
			path := "/Groups/" + group
			member := func(id string) string { return fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, id) }
			title := func(name string) string { return fmt.Sprintf(`{"op":"replace","path":"displayName","value":%q}`, name) }

			// Both changes are kept, whatever each is of.
			plain.happen = func() { s.patch(path, `{"op":"add","path":"externalId","value":"x"}`) }
			s.patch(path, member(a), title("H"))
			s.get(path).wantAt("externalId", "x").wantAt("displayName", "H").wantAt("members/0/value", a)
			plain.happen = func() { s.patch(path, title("I")) }
			s.patch(path, member(b))
			s.get(path).wantAt("externalId", "x").wantAt("displayName", "I")
			s.wantMembers(group, a, b)

			// Who asked for one version is told.
			remove := operations(`{"op":"remove","path":"members"}`)
			for _, body := range []string{remove, operations(`{"op":"remove","path":"members"}`, title("never"))} {
				etag := s.get(path).Header.Get("ETag")
				plain.happen = func() { s.patch(path, title(etag)) }
				s.send("PATCH", path, body, "If-Match", etag).wantError(412, "")
				s.get(path).wantAt("displayName", etag)
				s.wantMembers(group, a, b)
			}
			plain.happen = func() { s.patch(path, title("J")) }
			s.send("PATCH", path, remove, "If-Match", "*")
			s.get(path).wantAt("displayName", "J").wantAt("members", nil)
			s.send("DELETE", path, "").want(204)
			for _, id := range []string{a, b} {
				s.send("DELETE", "/Users/"+id, "").want(204)
			}
		})
	}
}

func TestUsersAreDeletedThoughTheirGroupIsGoneFirst(t *testing.T) {
	memoryStore := memory.New()
	plain := interruptedStore{memoryStore, new(interruption)}
	for name, store := range map[string]server.Store{"member store": interruptedMemberStore{plain, memoryStore}, "plain store": plain} {
		t.Run(name, func(t *testing.T) {
			s := newServiceOn(t, store, func(o *server.Options) { o.NewID = nil })
			user := s.user("a")
			group := s.create("/Groups", fmt.Sprintf(`{"displayName":"G","members":[{"value":%q}]}`, user))
			plain.happen = func() { s.send("DELETE", "/Groups/"+group, "").want(204) }
			s.send("DELETE", "/Users/"+user, "").want(204)
			s.get("/").wantIDs()
		})
	}
}

// dyingStore answers nothing any more as soon as something has been created in it.
type dyingStore struct {
	server.Store
	dead *bool
}

var errDead = errors.New("the database has gone away")

func (s dyingStore) Create(ctx context.Context, r server.Resource) error {
	err := s.Store.Create(ctx, r)
	*s.dead = err == nil
	return err
}

func (s dyingStore) Get(ctx context.Context, key server.Key, omit ...string) (server.Resource, error) {
	if *s.dead {
		return server.Resource{}, errDead
	}
	return s.Store.Get(ctx, key, omit...)
}

func (s dyingStore) Query(ctx context.Context, q server.Query) (server.Page, error) {
	if *s.dead {
		return server.Page{}, errDead
	}
	return s.Store.Query(ctx, q)
}

// dyingMemberStore is a dyingStore that keeps members apart.
type dyingMemberStore struct {
	dyingStore
	server.MemberStore
}

func (s dyingMemberStore) Create(ctx context.Context, r server.Resource) error {
	return s.dyingStore.Create(ctx, r)
}

func (s dyingMemberStore) Get(ctx context.Context, key server.Key, omit ...string) (server.Resource, error) {
	return s.dyingStore.Get(ctx, key, omit...)
}

func (s dyingMemberStore) Query(ctx context.Context, q server.Query) (server.Page, error) {
	return s.dyingStore.Query(ctx, q)
}

func (s dyingMemberStore) Update(ctx context.Context, u server.Update) error {
	return s.dyingStore.Update(ctx, u)
}

func (s dyingMemberStore) Delete(ctx context.Context, key server.Key, ifVersion string) error {
	return s.dyingStore.Delete(ctx, key, ifVersion)
}

func (s dyingMemberStore) Memberships(ctx context.Context, tenant string, ids []string) (map[string][]server.Membership, error) {
	if *s.dead {
		return nil, errDead
	}
	return s.MemberStore.Memberships(ctx, tenant, ids)
}

func TestWhatIsStoredIsAnsweredWith201(t *testing.T) {
	memoryStore, dead := memory.New(), new(bool)
	plain := dyingStore{memoryStore, dead}
	for name, store := range map[string]server.Store{"member store": dyingMemberStore{plain, memoryStore}, "plain store": plain} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			s := newServiceOn(t, store, withLog(&log), func(o *server.Options) { o.NewID = nil })
			*dead = false
			user, _ := s.send("POST", "/Users", `{"userName":"a","displayName":"A"}`).want(201).wantAt("userName", "a").at("id").(string)
			s.get("/Users/"+user).wantError(500, "")
			*dead = false
			group, _ := s.send("POST", "/Groups", fmt.Sprintf(`{"displayName":"G","members":[{"value":%q}]}`, user)).want(201).
				wantAt("members/0/value", user).wantAt("members/0/display", nil).at("id").(string)
			if !strings.Contains(log.String(), errDead.Error()) {
				t.Errorf("the log does not say what happened:\n%s", log.String())
			}
			*dead = false
			s.get("/Groups/"+group).want(200).wantAt("members/0/display", "A")
			s.send("DELETE", "/Groups/"+group, "").want(204)
			s.send("DELETE", "/Users/"+user, "").want(204)
		})
	}
}

func TestMembersThatDoNotExistYetAreNotDeleted(t *testing.T) {
	onBothStores(t, func(t *testing.T, open func(...func(*server.Options)) *service) {
		s := open(func(o *server.Options) { o.MissingMembers = true })
		group := s.create("/Groups", `{"displayName":"G","members":[{"value":"later"}]}`)
		s.send("DELETE", "/Users/later", "").wantError(404, "")
		s.wantMembers(group, "later")
	})
}

func TestPanicsAfterAChangeLeaveNothingHalfDone(t *testing.T) {
	onBothStores(t, func(t *testing.T, open func(...func(*server.Options)) *service) {
		var log strings.Builder
		s := open(withLog(&log), func(o *server.Options) {
			o.Hooks.After = func(context.Context, server.Change) { panic("what happened next") }
		})
		user := s.user("a")
		group := s.create("/Groups", fmt.Sprintf(`{"displayName":"G","members":[{"value":%q}]}`, user))
		s.patch("/Users/"+user, `{"op":"add","path":"title","value":"T"}`).want(200)
		s.send("DELETE", "/Users/"+user, "").want(204)
		s.wantMembers(group)
		if n := strings.Count(log.String(), "what happened next"); n != 5 {
			t.Errorf("%d panics are in the log, want 5:\n%s", n, log.String())
		}
	})
}

func TestDeletesAreNeverHalfDone(t *testing.T) {
	store := &tornStore{Store: memory.New()}
	deleted := func() {}
	s := newServiceOn(t, store, func(o *server.Options) {
		o.Hooks.After = func(_ context.Context, c server.Change) {
			if c.Kind == server.Deleted {
				deleted()
			}
		}
	})
	s.people()
	broken := func() error { return errors.New("disk full") }

	// What cannot be deleted keeps its groups.
	store.beforeDelete = broken
	s.send("DELETE", "/Users/1", "").wantError(500, "")
	s.wantMembers("5", "1", "2")
	version := s.get("/Users/1").Header.Get("ETag")
	store.beforeDelete = func() error {
		store.beforeDelete = nil
		s.patch("/Users/1", `{"op":"replace","path":"title","value":"T"}`).want(200)
		return nil
	}
	s.send("DELETE", "/Users/1", "", "If-Match", version).wantError(412, "")
	s.get("/Users/1").wantAt("title", "T").wantAt("groups/1/value", "6")

	// What could not leave its groups does so when the request comes again.
	store.beforeUpdate = broken
	s.send("DELETE", "/Users/1", "").wantError(500, "")
	s.get("/Users/1").wantError(404, "")
	store.beforeUpdate = nil
	s.send("DELETE", "/Users/1", "").wantError(404, "")
	s.wantMembers("5", "2")
	s.wantMembers("6", "5")

	// The client may go away meanwhile.
	ctx, cancel := context.WithCancel(t.Context())
	deleted = cancel
	s.sendWith(ctx, "DELETE", "/Users/2", "").want(204)
	s.wantMembers("5")
}

// TestMemberPatches holds the way of changing members without loading them to the way of loading the group.
func TestMemberPatches(t *testing.T) {
	tests := []struct {
		name string
		ops  []string
		want []string // of a group that had 1, 2, 3
	}{
		{"add one", []string{`{"op":"add","path":"members","value":[{"value":"4"}]}`}, []string{"1", "2", "3", "4"}},
		{"add one as an object", []string{`{"op":"Add","path":"members","value":{"value":"4"}}`}, []string{"1", "2", "3", "4"}},
		{"add as Entra does", []string{`{"op":"Add","path":"members","value":[{"$ref":null,"value":"4"}]}`}, []string{"1", "2", "3", "4"}},
		{"add what is there", []string{`{"op":"add","path":"members","value":[{"value":"2"},{"value":"4"},{"value":"4"}]}`}, []string{"1", "2", "3", "4"}},
		{"add without path", []string{`{"op":"add","value":{"members":[{"value":"4"}]}}`}, []string{"1", "2", "3", "4"}},
		{"remove with a value array", []string{`{"op":"Remove","path":"members","value":[{"$ref":null,"value":"2"}]}`}, []string{"1", "3"}},
		{"remove with an empty array", []string{`{"op":"Remove","path":"members","value":[]}`}, []string{"1", "2", "3"}},
		{"remove by path", []string{`{"op":"remove","path":"members[value eq \"2\"]"}`}, []string{"1", "3"}},
		{"remove several by path", []string{`{"op":"remove","path":"members[value eq \"2\" or value eq \"1\"]"}`}, []string{"3"}},
		{"remove none by path", []string{`{"op":"remove","path":"members[value eq \"9\"]"}`}, []string{"1", "2", "3"}},
		{"remove all", []string{`{"op":"remove","path":"members"}`}, nil},
		{"replace", []string{`{"op":"replace","path":"members","value":[{"value":"4"},{"value":"2"}]}`}, []string{"2", "4"}},
		{"replace by nothing", []string{`{"op":"replace","path":"members","value":[]}`}, nil},
		{"replace without path", []string{`{"op":"replace","value":{"members":[{"value":"4"}]}}`}, []string{"4"}},
		{"by another attribute", []string{`{"op":"remove","path":"members[type eq \"User\"]"}`}, nil},
		{"with the URN", []string{`{"op":"remove","path":"urn:ietf:params:scim:schemas:core:2.0:Group:members[value eq \"1\"]"}`}, []string{"2", "3"}},
		{"in order", []string{
			`{"op":"remove","path":"members[value eq \"2\"]"}`, `{"op":"add","path":"members","value":[{"value":"4"},{"value":"2"}]}`,
			`{"op":"remove","path":"members[value eq \"4\"]"}`,
		}, []string{"1", "2", "3"}},
		{"reset, then add and remove", []string{
			`{"op":"remove","path":"members"}`, `{"op":"add","path":"members","value":[{"value":"4"},{"value":"1"}]}`,
			`{"op":"remove","path":"members","value":[{"value":"1"}]}`,
		}, []string{"4"}},
		{"as Okta does", []string{
			`{"op":"replace","value":{"id":"5","displayName":"renamed"}}`, `{"op":"remove","path":"members[value eq \"1\"]"}`,
			`{"op":"add","path":"members","value":[{"value":"4","display":"d@x"}]}`,
		}, []string{"2", "3", "4"}},
		{"members and name in one object", []string{`{"op":"replace","value":{"displayName":"renamed","members":[{"value":"4"}]}}`}, []string{"4"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onBothStores(t, func(t *testing.T, open func(...func(*server.Options)) *service) {
				s := open()
				for n := range 4 {
					s.user(fmt.Sprint("u", n))
				}
				s.create("/Groups", `{"displayName":"G","members":[{"value":"1"},{"value":"2"},{"value":"3"}]}`)
				version := s.get("/Groups/5").at("meta/version")
				r := s.patch("/Groups/5", tt.ops...)
				if r.Status != 200 && r.Status != 204 {
					t.Fatalf("status %d: %s", r.Status, r.Body)
				}
				got := map[string]bool{}
				group := s.get("/Groups/5")
				list, _ := group.at("members").([]any)
				for _, e := range list {
					got[e.(map[string]any)["value"].(string)] = true
				}
				want := map[string]bool{}
				for _, id := range tt.want {
					want[id] = true
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("members (-want +got):\n%s", diff)
				}
				renamed := strings.Contains(strings.Join(tt.ops, ""), "renamed")
				same := cmp.Equal(want, map[string]bool{"1": true, "2": true, "3": true}) && !renamed
				// A plain store writes the array, in which a member that went and came back is in another place.
				unchanged := group.at("meta/version") == version
				if unchanged && !same || !unchanged && same && strings.HasSuffix(t.Name(), "member_store") {
					t.Errorf("the version is the same: %v, the group is: %v", unchanged, same)
				}
				if renamed != (group.at("displayName") == "renamed") {
					t.Errorf("displayName is %v", group.at("displayName"))
				}
			})
		})
	}
}

func TestMemberPatchRefuses(t *testing.T) {
	onBothStores(t, func(t *testing.T, open func(...func(*server.Options)) *service) {
		s := open()
		s.user("a")
		s.create("/Groups", `{"displayName":"G","members":[{"value":"1"}]}`)
		s.patch("/Groups/2", `{"op":"remove","path":"members"}`, `{"op":"remove","path":"displayName"}`).wantError(400, scim.Mutability)
		s.patch("/Groups/2", `{"op":"remove","path":"members"}`, `{"op":"add","path":"members[","value":1}`).want(400)
		s.patch("/Groups/2", `{"op":"remove","path":"members"}`, `{"op":"add","path":"members","value":7}`).want(400)
		s.patch("/Groups/2", `{"op":"remove","path":"members"}`, `{"op":"x","path":"members"}`).wantError(400, scim.InvalidSyntax)
		s.patch("/Groups/404", `{"op":"remove","path":"members"}`).wantError(404, "")
		s.wantMembers("2", "1")
	})
}

func TestConcurrentMemberPatchesAreAllKept(t *testing.T) {
	onBothStores(t, func(t *testing.T, open func(...func(*server.Options)) *service) {
		s := open()
		const users = 24
		for n := range users {
			s.user(fmt.Sprint("u", n))
		}
		group := s.create("/Groups", `{"displayName":"G"}`)
		var wg sync.WaitGroup
		for n := range users {
			wg.Go(func() {
				s.patch("/Groups/"+group, fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":"%d"}]}`, n+1),
					fmt.Sprintf(`{"op":"replace","path":"displayName","value":"G%d"}`, n))
				s.get("/Groups/" + group)
			})
		}
		wg.Wait()
		list, _ := s.get("/Groups/" + group).at("members").([]any)
		if len(list) != users {
			t.Errorf("%d users were added at the same time, %d are members", users, len(list))
		}
	})
}

// loadCounter fails a test that loads the members of a group.
type loadCounter struct {
	*memory.Store
	t *testing.T
}

func (c loadCounter) Get(ctx context.Context, key server.Key, omit ...string) (server.Resource, error) {
	r, err := c.Store.Get(ctx, key, omit...)
	if r.Document["members"] != nil {
		c.t.Errorf("the members of %s were loaded", key.ID)
	}
	return r, err
}

func (c loadCounter) Query(ctx context.Context, q server.Query) (server.Page, error) {
	page, err := c.Store.Query(ctx, q)
	for _, r := range page.Resources {
		if r.Document["members"] != nil {
			c.t.Errorf("the members of %s were loaded", r.ID)
		}
	}
	return page, err
}

func (c loadCounter) Update(context.Context, server.Update) error {
	return errors.New("the group is written as a whole")
}

func TestMembersAreNotLoadedWithoutNeed(t *testing.T) {
	s := newServiceOn(t, loadCounter{memory.New(), t})
	s.user("a")
	s.user("b")
	s.create("/Groups", `{"displayName":"G","members":[{"value":"1"}]}`)
	s.get("/Groups?excludedAttributes=members").wantIDs("3")
	s.get("/Groups/3?attributes=displayName").want(200)
	s.get("/Groups?excludedAttributes=members&filter=" + escape(`members.value eq "1"`)).wantIDs("3")
	s.patch("/Groups/3", `{"op":"Add","path":"members","value":[{"value":"2"}]}`).want(204)
	s.patch("/Groups/3", `{"op":"replace","value":{"displayName":"H"}}`, `{"op":"remove","path":"members[value eq \"1\"]"}`).want(204)
	s.get("/Users/1").wantAt("groups", nil)
	s.get("/Users/2").wantAt("groups/0/display", "H")
	s.send("DELETE", "/Users/2", "").want(204)
	s.send("DELETE", "/Groups/3", "").want(204)
}

// PatchReplySmall shows the members of small groups, and does not read those of others.
func TestSmallGroupsAreShownAfterAPatch(t *testing.T) {
	add := func(from, to int) string {
		var list []string
		for n := from; n <= to; n++ {
			list = append(list, fmt.Sprintf(`{"value":"u%d"}`, n))
		}
		return `{"op":"add","path":"members","value":[` + strings.Join(list, ",") + `]}`
	}
	store := &counter{Store: memory.New()}
	open := func(store server.Store) *service {
		return newServiceOn(t, store, func(o *server.Options) { o.PatchReply, o.MissingMembers = server.PatchReplySmall, true })
	}
	s := open(store)
	s.create("/Groups", `{"displayName":"G"}`)
	s.patch("/Groups/1", add(1, 99)).want(200).wantAt("members/98/value", "u99")
	s.patch("/Groups/1", add(1, 99)).want(204)
	s.patch("/Groups/1", add(100, 100)).want(200).wantAt("members/99/value", "u100")
	s.patch("/Groups/1", `{"op":"replace","path":"displayName","value":"H"}`).want(200).wantAt("members/99/value", "u100")
	store.reset()
	s.patch("/Groups/1", add(101, 101)).want(204)
	s.patch("/Groups/1", `{"op":"replace","path":"displayName","value":"I"}`).want(204)
	whole := "/Groups/1?excludedAttributes=members"
	s.patch(whole, `{"op":"replace","path":"displayName","value":"J"}`).want(200).wantAt("displayName", "J").wantAt("members", nil)
	s.patch(whole, add(102, 102)).want(200).wantAt("members", nil)
	if store.members > 2 { // those that were added
		t.Errorf("%d members of a large group were read or written", store.members)
	}

	plain := open(struct{ server.MemberStore }{memory.New()})
	plain.create("/Groups", `{"displayName":"G"}`)
	plain.patch("/Groups/1", add(1, 1)).want(204)
	plain.patch(whole, add(2, 2)).want(200).wantAt("displayName", "G")
}

// TestResourcesOfTwoTypesWithOneID holds users apart from groups in stores whose ids are unique within a type only.
func TestResourcesOfTwoTypesWithOneID(t *testing.T) {
	onBothStores(t, func(t *testing.T, open func(...func(*server.Options)) *service) {
		ids := []string{"1", "2", "1", "2", "3", "4", "5"}
		s := open(func(o *server.Options) {
			o.NewID = func() (id string) {
				id, ids = ids[0], ids[1:]
				return id
			}
			o.IndirectGroups = true
		})
		s.user("anna")
		s.user("ben")
		s.create("/Groups", `{"displayName":"One"}`)
		s.create("/Groups", `{"displayName":"Two"}`)
		s.create("/Groups", `{"displayName":"Users","members":[{"value":"1","type":"user"}]}`)
		s.create("/Groups", `{"displayName":"Groups","members":[{"value":"1","type":"Group"},{"value":"2","$ref":"../Groups/2"}]}`)
		groups := func(path string) (names []string) {
			list, _ := s.get(path).want(200).at("groups").([]any)
			for _, g := range list {
				names = append(names, g.(map[string]any)["display"].(string))
			}
			return names
		}
		check := func(path string, want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, groups(path)); diff != "" {
				t.Errorf("groups of %s (-want +got):\n%s", path, diff)
			}
		}
		check("/Users/1", "Users")
		check("/Users/2")
		s.get("/Groups/4").wantAt("members/1/type", "Group").wantAt("members/1/display", "Two")
		s.patch("/Groups/1", `{"op":"add","path":"members","value":[{"value":"1","type":"User"}]}`)
		check("/Users/1", "One", "Users", "Groups")
		s.send("PUT", "/Groups/3", `{"displayName":"Users","members":[{"value":"1","type":"User"},{"value":"1","type":"Group"}]}`).
			wantError(400, scim.InvalidValue)

		s.send("DELETE", "/Groups/1", "").want(204)
		s.wantMembers("3", "1")
		s.wantMembers("4", "2")
		s.send("DELETE", "/Users/2", "").want(204)
		s.wantMembers("4", "2")
	})
}

// typelessStore forgets the types of members, as the handlers of an old service may.
type typelessStore struct{ server.Store }

func (s typelessStore) Create(ctx context.Context, r server.Resource) error {
	list, _ := r.Document["members"].([]any)
	for i, e := range list {
		list[i] = map[string]any{"value": e.(map[string]any)["value"]}
	}
	return s.Store.Create(ctx, r)
}

func TestMembersWithoutTypeAreTheLikeliestThatThereIs(t *testing.T) {
	ids := []string{"1", "1", "2", "3"}
	s := newServiceOn(t, typelessStore{memory.New()}, func(o *server.Options) {
		o.NewID = func() (id string) {
			id, ids = ids[0], ids[1:]
			return id
		}
		o.IndirectGroups = true
	})
	s.user("anna")
	s.create("/Groups", `{"displayName":"One"}`)
	s.create("/Groups", `{"displayName":"Two"}`)
	s.create("/Groups", `{"displayName":"Three","members":[{"value":"1"},{"value":"2"}]}`)
	s.get("/Users/1").wantAt("groups/0/display", "Three")
	s.send("DELETE", "/Groups/1", "").want(204)
	s.wantMembers("3", "1", "2")
	s.send("DELETE", "/Groups/2", "").want(204)
	s.wantMembers("3", "1")
	s.send("DELETE", "/Users/1", "").want(204)
	s.wantMembers("3")
}

// counter counts what is asked of a store, and the members that it returns or is given.
type counter struct {
	*memory.Store
	calls, members int
}

func (c *counter) seen(docs ...scim.Document) {
	for _, doc := range docs {
		list, _ := doc["members"].([]any)
		c.members += len(list)
	}
}

func (c *counter) reset() { c.calls, c.members = 0, 0 }

func (c *counter) Get(ctx context.Context, key server.Key, omit ...string) (server.Resource, error) {
	r, err := c.Store.Get(ctx, key, omit...)
	c.calls++
	c.seen(r.Document)
	return r, err
}

func (c *counter) GetMany(ctx context.Context, keys []server.Key, omit ...string) ([]server.Resource, error) {
	list, err := c.Store.GetMany(ctx, keys, omit...)
	c.calls++
	for _, r := range list {
		c.seen(r.Document)
	}
	return list, err
}

func (c *counter) Query(ctx context.Context, q server.Query) (server.Page, error) {
	page, err := c.Store.Query(ctx, q)
	c.calls++
	for _, r := range page.Resources {
		c.seen(r.Document)
	}
	return page, err
}

func (c *counter) Update(ctx context.Context, u server.Update) error {
	c.calls++
	c.seen(u.Document)
	return c.Store.Update(ctx, u)
}

func (c *counter) UpdateMembers(ctx context.Context, u server.MemberUpdate) (server.MemberResult, error) {
	c.calls++
	c.members += len(u.Add) + len(u.Remove)
	c.seen(u.Document)
	r, err := c.Store.UpdateMembers(ctx, u)
	c.seen(r.Resource.Document)
	return r, err
}

// TestLargeGroupIsNeverTouchedAsAWhole holds what changes or shows a part of a group of 100,000 members to a cost that has nothing to
// do with their number.
func TestLargeGroupIsNeverTouchedAsAWhole(t *testing.T) {
	const size = 100_000
	store := &counter{Store: memory.New()}
	list := make([]any, size)
	for i := range list {
		list[i] = map[string]any{"value": fmt.Sprint("m", i), "type": "User"}
	}
	if err := store.Create(t.Context(), server.Resource{
		Key: server.Key{Type: "Group", ID: "big"}, Version: "v0",
		Document: scim.Document{"id": "big", "displayName": "Big", "schemas": []any{scim.GroupSchema}, "members": list},
	}); err != nil {
		t.Fatal(err)
	}
	s := newServiceOn(t, store, func(o *server.Options) { o.IndirectGroups = true })
	s.user("one")
	s.user("two")
	patch := func(ops ...string) func() { return func() { s.patch("/Groups/big", ops...).want(204) } }
	for _, tt := range []struct {
		name string
		do   func()
		// calls and members are what it may cost at most.
		calls, members int
		// inside says that the store itself looks at the members.
		inside bool
	}{
		{"add a member", patch(`{"op":"add","path":"members","value":[{"value":"1"}]}`), 4, 1, false},
		{"add one that is there", patch(`{"op":"Add","path":"members","value":[{"$ref":null,"value":"1"}]}`), 4, 1, false},
		{"exchange members and rename", patch(
			`{"op":"replace","value":{"displayName":"Bigger"}}`, `{"op":"remove","path":"members[value eq \"1\"]"}`,
			`{"op":"add","path":"members","value":[{"value":"2"}]}`,
		), 4, 2, false},
		{"remove with a value array", patch(`{"op":"Remove","path":"members","value":[{"value":"2"},{"value":"m7"},{"value":"nobody"}]}`), 3, 3, false},
		{"remove by several values", patch(`{"op":"remove","path":"members[value eq \"m8\" or value eq \"m9\"]"}`), 3, 2, false},
		{"rename", patch(`{"op":"replace","path":"displayName","value":"Big"}`), 3, 0, false},
		{"rename by an object", patch(`{"op":"replace","value":{"id":"big","displayName":"Large"}}`), 3, 0, false},
		{"in bulk", func() {
			s.bulk(0, `{"method":"PATCH","path":"/Groups/big","data":`+operations(`{"op":"add","path":"members","value":[{"value":"1"}]}`)+`}`).wantStatuses("PATCH 200")
		}, 4, 1, false},
		{"read without members", func() { s.get("/Groups/big?excludedAttributes=members").want(200).wantAt("members", nil) }, 1, 0, false},
		{"read a name", func() { s.get("/Groups/big?attributes=displayName").want(200).wantAt("displayName", "Large") }, 1, 0, false},
		{"list without members", func() { s.get("/Groups?excludedAttributes=members").wantIDs("big") }, 1, 0, false},
		{"search without members", func() {
			s.send("POST", "/Groups/.search", `{"excludedAttributes":["members"],"filter":"displayName eq \"large\"","sortBy":"displayName"}`).wantIDs("big")
		}, 1, 0, false},
		{"find by a member", func() {
			s.get("/Groups?excludedAttributes=members&filter=" + escape(`members[value eq "m5"]`)).wantIDs("big")
		}, 1, 0, true},
		{"everything without members", func() { s.get("/?excludedAttributes=members").wantIDs("1", "2", "big") }, 3, 0, false},
		{"read a member", func() { s.get("/Users/1").want(200).wantAt("groups/0/display", "Large") }, 1, 0, false},
		{"delete a member", func() { s.send("DELETE", "/Users/1", "").want(204) }, 4, 1, false},
		{"delete the group", func() { s.send("DELETE", "/Groups/big", "").want(204) }, 3, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.t = t
			store.reset()
			before := allocated()
			tt.do()
			// A copy of the members would be 1.6 MB of pointers alone.
			if bytes := allocated() - before; bytes > 256<<10 && !tt.inside {
				t.Errorf("%d bytes were allocated", bytes)
			}
			if store.calls > tt.calls || store.members > tt.members {
				t.Errorf("%d calls of the store with %d members, want at most %d and %d", store.calls, store.members, tt.calls, tt.members)
			}
		})
	}
}

// allocated returns how many bytes the process has allocated so far.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// What a request does must not depend on what the store offers.
func TestOddRemovalsOfMembersAreTheSameOnEveryStore(t *testing.T) {
	onBothStores(t, func(t *testing.T, open func(...func(*server.Options)) *service) {
		s := open()
		s.people()
		s.patch("/Groups/6", `{"op":"remove","value":{"members":[{"value":"1"}]}}`).wantError(400, scim.NoTarget)
		s.patch("/Groups/6", `{"op":"add","value":{"members":[{"value":"2"}]}}`, `{"op":"remove","value":{"members":[{"value":"1"}]}}`).wantError(400, scim.NoTarget)
		s.wantMembers("6", "5", "1")
		s.patch("/Groups/6", `{"op":"remove","path":"members","value":[{"$ref":"https://example.com/scim/v2/Users/nobody"}]}`).want(204)
		s.wantMembers("6", "5", "1")
		s.patch("/Groups/6", `{"op":"remove","path":"members","value":[{"type":"Group"},{"value":"nobody"}]}`).want(200)
		s.wantMembers("6", "1")
	})
}
