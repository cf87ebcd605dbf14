package postmantest

import (
	"context"
	"net/http"
	"slices"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/server"
)

// beforeGroupCreate checks a POST (rules 27 and 32).
func (s *Simulator) beforeGroupCreate(c *server.Change) error {
	name := str(c.New, "displayName")
	if name == "" {
		return syntax("displayName", "displayName is needed.")
	}
	if s.groupNamed(name) {
		return scim.NewError(http.StatusConflict, scim.Uniqueness, "A group of this name exists already.")
	}
	return s.checkMembers(c.Members)
}

// beforeGroupUpdate checks a PATCH (rules 29 and 32).
func (s *Simulator) beforeGroupUpdate(c *server.Change) error {
	if c.New != nil && c.Old != nil {
		restore(c.New, c.Old, "externalId")
		was, is := str(c.Old, "displayName"), str(c.New, "displayName")
		switch {
		case is == "":
			return syntax("displayName", "displayName is needed.")
		case was != is && s.groupNamed(is):
			return scim.NewError(http.StatusConflict, scim.Uniqueness, "A group of this name exists already.")
		}
	}
	return s.checkMembers(c.Members)
}

func (s *Simulator) groupNamed(name string) bool {
	return len(s.documents("Group", filter.Eq("displayName", name))) > 0
}

// checkMembers refuses members who are not on the team: unknown ids, people who have not accepted their invitation, deactivated users;
// and groups (rules 16, 27 and 32).
func (s *Simulator) checkMembers(change server.MemberChange) error {
	for _, m := range change.Add {
		id, ok := server.MemberValue(m)
		if !ok {
			return syntax("members", "A member needs a value.")
		}
		if _, err := s.store.Get(context.Background(), server.Key{Type: "Group", ID: id}, server.Members); err == nil {
			return syntax("members", "A group can't be a member.")
		}
		user, err := s.store.Get(context.Background(), server.Key{Type: "User", ID: id})
		onTeam := err == nil && !s.isPending(id) && (active(user.Document) || s.options.Switches.KeepGroupsOnDeactivate)
		if !onTeam {
			status := s.options.Switches.UnknownMemberStatus
			if status == 0 {
				status = http.StatusNotFound
			}
			return refuse(status, "A member isn't on this team.")
		}
	}
	return nil
}

// visibleMembers returns the members as Postman shows them: value and display, and nobody whose invitation is pending.
func (s *Simulator) visibleMembers(group scim.Document) []any {
	shown := []any{}
	members, _ := group["members"].([]any)
	for _, m := range members {
		id, ok := server.MemberValue(m)
		if !ok || s.isPending(id) {
			continue
		}
		member := map[string]any{"value": id}
		if user, err := s.store.Get(context.Background(), server.Key{Type: "User", ID: id}); err == nil {
			member["display"] = s.memberDisplay(user.Key, user.Document)
		}
		shown = append(shown, member)
	}
	return shown
}

// memberDisplay is the person's name, or e-mail (rule 28).
func (s *Simulator) memberDisplay(_ server.Key, user scim.Document) string {
	if s.options.Switches.EmailAsDisplay {
		return str(user, "userName")
	}
	name, _ := user["name"].(map[string]any)
	return str(name, "givenName") + " " + str(name, "familyName")
}

// leaveGroups takes a deactivated user out of all groups (rule 24).
func (s *Simulator) leaveGroups(ctx context.Context, id string) {
	groups, err := s.store.Memberships(ctx, "", []string{id})
	if err != nil {
		return
	}
	for _, g := range groups[id] {
		// The group can only be gone meanwhile, which is as good.
		_, _ = s.store.UpdateMembers(ctx, server.MemberUpdate{
			Resource: server.Resource{Key: g.Key, Version: newID()}, Modified: s.options.Now(),
			MemberChange: server.MemberChange{Remove: []string{id}},
		})
	}
}

// beforeGroupDelete deactivates members who are in no other group, where the switch says so (rule 31).
func (s *Simulator) beforeGroupDelete(ctx context.Context, c *server.Change) error {
	if !s.options.Switches.CascadeGroupDelete {
		return nil
	}
	group, err := s.store.Get(ctx, c.Key)
	if err != nil {
		return err
	}
	members, _ := group.Document["members"].([]any)
	for _, m := range members {
		id, _ := server.MemberValue(m)
		in, err := s.store.Memberships(ctx, "", []string{id})
		if err != nil {
			return err
		}
		elsewhere := slices.ContainsFunc(in[id], func(g server.Membership) bool { return g.ID != c.ID })
		if elsewhere {
			continue
		}
		if err := s.deactivate(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (s *Simulator) deactivate(ctx context.Context, id string) error {
	user, err := s.store.Get(ctx, server.Key{Type: "User", ID: id})
	if err != nil {
		return nil // not a user any more
	}
	was := user.Version
	user.Document = server.Modified(user.Document, s.options.Now())
	user.Document["active"] = false
	user.Version = newID()
	return s.store.Update(ctx, server.Update{Resource: user, IfVersion: was})
}
