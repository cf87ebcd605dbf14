package client

import (
	"context"
	"net/http"
	"slices"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/profiles"
)

// AddMembers adds resources to a group by their ids. Those who are members stay so.
func (r *Resources[T]) AddMembers(ctx context.Context, groupID string, ids ...string) error {
	return r.ChangeMembers(ctx, groupID, ids, nil)
}

// RemoveMembers removes resources from a group by their ids. Whether it is an error that one is no member is up to the service.
func (r *Resources[T]) RemoveMembers(ctx context.Context, groupID string, ids ...string) error {
	return r.ChangeMembers(ctx, groupID, nil, ids)
}

// ChangeMembers adds resources to a group and removes others, by their ids. Removals come first. Many are sent in several requests, as
// the service takes them, in order until one fails; nothing is sent when there are none.
//
// Where the profile says that the service can only replace all members, the group is read before somebody is removed. If the service tells
// versions, the change fails with [scim.ErrPrecondition] when the group has changed in between.
func (r *Resources[T]) ChangeMembers(ctx context.Context, groupID string, add, remove []string) error {
	if len(add) == 0 && len(remove) == 0 {
		return nil
	}
	if err := r.hasMembers(); err != nil {
		return r.fail(err)
	}
	d := r.kind.dialect()
	if len(remove) > 0 && d.MemberRemoval == patch.ReplaceAll {
		return r.changeByReplacing(ctx, groupID, add, remove)
	}
	operations, err := d.MemberOperations(unique(add), unique(remove))
	if err != nil {
		return r.fail(invalid(err))
	}
	for _, chunk := range d.Chunk(operations) {
		if _, err := r.Patch(ctx, groupID, chunk); err != nil {
			return err
		}
	}
	return nil
}

// SetMembers makes the ids given the members of a group, and nobody else. It reads the group and then sends who is to be added and
// who is to be removed; nothing when all is as it should be. It never writes back what it has read: members who join meanwhile stay
// until the next time, and so do those whom the service does not show, as some do from the 101st on.
func (r *Resources[T]) SetMembers(ctx context.Context, groupID string, ids ...string) error {
	if err := r.hasMembers(); err != nil {
		return r.fail(err)
	}
	have, version, err := r.members(ctx, groupID)
	if err != nil {
		return err
	}
	add, remove := subtract(ids, have), subtract(have, ids)
	if len(remove) > 0 && r.kind.dialect().MemberRemoval == patch.ReplaceAll {
		return r.replaceMembers(ctx, groupID, ids, version)
	}
	return r.ChangeMembers(ctx, groupID, add, remove)
}

// Members returns the ids of the members of a group, as the service shows them.
func (r *Resources[T]) Members(ctx context.Context, groupID string) ([]string, error) {
	ids, _, err := r.members(ctx, groupID)
	return ids, err
}

func (r *Resources[T]) members(ctx context.Context, groupID string) (ids []string, version string, err error) {
	// Everything but members is left out by services that can.
	group, err := (&Resources[scim.Group]{r.c, r.kind}).Get(ctx, groupID, Attributes("members", "meta"))
	if err != nil {
		return nil, "", err
	}
	for _, m := range group.Members {
		if m.Value != "" {
			ids = append(ids, m.Value)
		}
	}
	if group.Meta != nil {
		version = group.Meta.Version
	}
	return ids, version, nil
}

// hasMembers refuses resource types that are known to have no members, and services that are known to have no PATCH.
func (r *Resources[T]) hasMembers() *scim.Error {
	if s := r.kind.schema; s != nil {
		if _, ok := s.Lookup("members"); !ok {
			return notSent(http.StatusBadRequest, scim.InvalidPath, "members", "a %s has no members", r.kind.name)
		}
	}
	return r.offers(profiles.Update)
}

func (r *Resources[T]) changeByReplacing(ctx context.Context, groupID string, add, remove []string) error {
	have, version, err := r.members(ctx, groupID)
	if err != nil {
		return err
	}
	left := append(subtract(have, remove), subtract(add, have)...)
	if len(add) == 0 && len(left) == len(have) {
		return nil
	}
	return r.replaceMembers(ctx, groupID, left, version)
}

func (r *Resources[T]) replaceMembers(ctx context.Context, groupID string, ids []string, version string) error {
	all := r.kind.dialect().ReplaceMembers(unique(ids))
	_, err := r.Patch(ctx, groupID, []scim.PatchOperation{all}, IfMatch(version))
	return err
}

// subtract returns the ids of a that are not in b.
func subtract(a, b []string) []string {
	gone := make(map[string]bool, len(b))
	for _, id := range b {
		gone[id] = true
	}
	var rest []string
	for _, id := range a {
		if !gone[id] {
			rest = append(rest, id)
		}
	}
	return rest
}

// unique returns ids without those that occurred before.
func unique(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		again := seen[id]
		seen[id] = true
		return again
	})
}
