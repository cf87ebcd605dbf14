package patch

import (
	"errors"
	"math"
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
// would have lost most of them. Its request has no other members then.
//
// Requests are meant to be sent one after the other. Each is done whole or not at all, but together they are not.
func (d Dialect) Chunk(ops []scim.PatchOperation) [][]scim.PatchOperation {
	c := chunker{dialect: d}
	for _, op := range ops {
		c.add(op)
	}
	c.flush()
	return c.requests
}

// chunker fills one request after the other.
type chunker struct {
	dialect  Dialect
	requests [][]scim.PatchOperation
	// request is the one being filled, members how many it has.
	request []scim.PatchOperation
	members int
}

func (c *chunker) flush() {
	if len(c.request) > 0 {
		c.requests = append(c.requests, c.request)
	}
	c.request, c.members = nil, 0
}

// room returns how many more members the request may have.
func (c *chunker) room() int {
	if c.dialect.MembersPerRequest <= 0 {
		return math.MaxInt
	}
	return max(0, c.dialect.MembersPerRequest-c.members)
}

func (c *chunker) add(op scim.PatchOperation) {
	for list, splittable := memberList(op); splittable && len(list) > c.room(); list, splittable = memberList(op) {
		if room := c.room(); room > 0 {
			head := op
			head.Value, op.Value = list[:room:room], list[room:]
			c.append(head)
		}
		c.flush()
	}
	if memberCount(op) > c.room() {
		c.flush()
	}
	c.append(op)
}

// append adds an operation that is within what the request may have, or cannot be.
func (c *chunker) append(op scim.PatchOperation) {
	if most := c.dialect.OperationsPerRequest; most > 0 && len(c.request) >= most {
		c.flush()
	}
	c.request = append(c.request, op)
	c.members += memberCount(op)
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
	return list, ok && memberCount(op) > 0 && !strings.EqualFold(string(op.Op), string(scim.OpReplace))
}
