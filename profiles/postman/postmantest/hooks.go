package postmantest

import (
	"context"
	"net/http"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
)

// hooks are where Postman's rules are put into package server.
func (s *Simulator) hooks() server.Hooks {
	return server.Hooks{
		BeforeCreate: func(ctx context.Context, c *server.Change) error {
			if c.Type == "User" {
				return s.beforeUserCreate(c)
			}
			return s.beforeGroupCreate(c)
		},
		BeforeUpdate: func(ctx context.Context, c *server.Change) error {
			if c.Type == "User" {
				return s.beforeUserUpdate(c)
			}
			return s.beforeGroupUpdate(c)
		},
		BeforePatch: func(ctx context.Context, p *server.Patch) error {
			if p.Type == "User" {
				return s.beforeUserPatch(p)
			}
			return nil
		},
		BeforeDelete: func(ctx context.Context, c *server.Change) error { return s.beforeGroupDelete(ctx, c) },
		After:        s.after,
		OnRead: func(ctx context.Context, key server.Key, doc scim.Document) (scim.Document, error) {
			return s.visible(key.Type, doc), nil
		},
		OnError: s.onError,
	}
}

// visible returns what Postman shows of a resource (rules 13 and 28).
func (s *Simulator) visible(typ string, doc scim.Document) scim.Document {
	schema := scim.UserSchema
	if typ == "Group" {
		schema = scim.GroupSchema
	}
	out := scim.Document{"schemas": []any{schema}}
	for _, name := range []string{"id", "userName", "name", "displayName", "externalId", "active"} {
		if v, ok := doc[name]; ok {
			out[name] = v
		}
	}
	if meta, ok := doc["meta"].(map[string]any); ok {
		out["meta"] = map[string]any{
			"resourceType": meta["resourceType"], "created": meta["created"], "lastModified": meta["lastModified"],
		}
	}
	if typ == "Group" {
		out["members"] = s.visibleMembers(doc)
	}
	return out
}

// onError words refusals as Postman does: no scimType but invalidSyntax and uniqueness, and none for filters.
func (s *Simulator) onError(ctx context.Context, _ error, answer *scim.Error) *scim.Error {
	e := &scim.Error{Status: answer.Status, Type: answer.Type, Detail: s.wording(answer.Detail)}
	switch {
	case e.Type == scim.InvalidFilter:
		e.Type = ""
	case e.Type != "" && e.Type != scim.Uniqueness:
		e.Type = scim.InvalidSyntax
	}
	info, ok := server.Info(ctx)
	if !ok || e.Status != http.StatusNotFound || !s.options.Switches.ForbiddenForStrangers {
		return e
	}
	if m := info.Request.Method; m == http.MethodPut || m == http.MethodPatch {
		e.Status = http.StatusForbidden
	}
	return e
}

// after does what follows from a stored change.
func (s *Simulator) after(ctx context.Context, c server.Change) {
	if c.Type != "User" || c.New == nil {
		return
	}
	s.name(c.New, c.Old)
	if c.Kind == server.Created && s.invited(c.New) {
		s.mu.Lock()
		s.pending[c.ID] = true
		s.mu.Unlock()
	}
	if c.Old != nil && active(c.Old) && !active(c.New) && !s.options.Switches.KeepGroupsOnDeactivate {
		s.leaveGroups(ctx, c.ID)
	}
}

func active(user scim.Document) bool {
	a, ok := user["active"].(bool)
	return !ok || a
}
