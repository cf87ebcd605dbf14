package patch

import (
	"errors"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
)

// members is the attribute of a group that holds its members.
const members = "members"

// MemberOperations returns the operations that remove members from a group and add others, by their ids: what a client sends that knows the
// change and not the group. Removals come first. Use [Dialect.Chunk] to split them into requests.
//
// It returns an error when the dialect is [ReplaceAll] and a member shall be removed: only [Dialect.ReplaceMembers], which needs to know all who
// stay, can do that.
func (d Dialect) MemberOperations(add, remove []string) ([]scim.PatchOperation, error) {
	if len(remove) > 0 && d.MemberRemoval == ReplaceAll {
		return nil, errors.New("patch: the service removes members only by replacing all of them")
	}
	ops := d.removals(filter.Attr{Name: members}, "value", anyOf(remove))
	if len(add) > 0 {
		ops = append(ops, d.operation(scim.OpAdd, members, references(add)))
	}
	return ops, nil
}

// ReplaceMembers returns the operation that makes the ids given the members of a group, and nobody else.
func (d Dialect) ReplaceMembers(ids []string) scim.PatchOperation {
	return d.operation(scim.OpReplace, members, references(ids))
}

func anyOf(ids []string) []any {
	values := make([]any, len(ids))
	for i, id := range ids {
		values[i] = id
	}
	return values
}

// references returns elements that refer to the ids.
func references(ids []string) []any {
	elements := make([]any, len(ids))
	for i, id := range ids {
		elements[i] = map[string]any{"value": id}
	}
	return elements
}

// Chunk splits operations into requests that keep to MembersPerRequest and OperationsPerRequest, in their order. A list of members to be
// added or removed is split where it must be. A list that replaces all members is not, as long as it may be: in between, the group
// would have lost most of them. It is a request of its own then.
//
// Requests are meant to be sent one after the other. Each is done whole or not at all, but together they are not.
func (d Dialect) Chunk(ops []scim.PatchOperation) [][]scim.PatchOperation {
	var requests [][]scim.PatchOperation
	var request []scim.PatchOperation
	count := 0
	flush := func() {
		if len(request) > 0 {
			requests = append(requests, request)
		}
		request, count = nil, 0
	}
	for _, op := range ops {
		for {
			if d.OperationsPerRequest > 0 && len(request) == d.OperationsPerRequest {
				flush()
			}
			room := d.MembersPerRequest - count
			n := memberCount(op)
			if d.MembersPerRequest <= 0 || n <= room {
				request, count = append(request, op), count+n
				break
			}
			list, splittable := memberList(op)
			if !splittable {
				flush()
				request, count = append(request, op), n
				break
			}
			if room <= 0 {
				flush()
				continue
			}
			head := op
			head.Value, op.Value = list[:room:room], list[room:]
			request = append(request, head)
			flush()
		}
	}
	flush()
	return requests
}

// memberCount returns how many members an operation adds, removes or sets.
func memberCount(op scim.PatchOperation) int {
	path, _, filtered := strings.Cut(op.Path, "[")
	if !strings.EqualFold(path, members) {
		return 0
	}
	if list, ok := op.Value.([]any); ok {
		return len(list)
	}
	if filtered || op.Value != nil {
		return 1
	}
	return 0
}

// memberList returns the members that an operation adds or removes, and whether that can be done in parts.
func memberList(op scim.PatchOperation) ([]any, bool) {
	list, ok := op.Value.([]any)
	return list, ok && !strings.EqualFold(string(op.Op), string(scim.OpReplace))
}
