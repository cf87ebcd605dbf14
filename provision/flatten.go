package provision

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Where groups are flattened ([Policy.FlattenGroups]), the record of a group has its members as the source gave them in Direct, and those
// that it should have in the target in Want.Refs. The second follows from the first of all groups below it, and is worked out anew when
// one of these changed.

// regroup notes the members of a group that was read. What the group should have in the target stays as it is until flattenGroups.
func (c *cycle) regroup(r *rule, rec *Record, o *outcome) {
	if !r.flatten || o.ignore || o.err != nil {
		return
	}
	direct := o.want.Refs[r.members]
	wanted := rec.Want.Refs[r.members]
	if !slices.Equal(rec.Direct, direct) || rec.Key == 0 || !rec.Flags.Has(InScope) {
		rec.Direct = direct
		c.regrouped[rec.SourceID] = true
	}
	if o.scope.In && o.want.Refs != nil {
		o.want.Refs[r.members] = wanted
	}
}

// ungroup notes that a group is no more.
func (c *cycle) ungroup(r *rule, rec *Record) {
	if r.flatten {
		rec.Direct = nil
		delete(rec.Want.Refs, r.members)
		c.regrouped[rec.SourceID] = true
	}
}

// groupGraph says which groups are in which. Members that are no groups are not in it, as there can be very many.
type groupGraph struct {
	nodes map[string]*groupNode
	// people are ids of groups that are also those of people. A member with such an id is the person, as in [cycle.resolve].
	people map[string]bool
	// bereft are the groups of which a member was a group, and is none any more.
	bereft []string
}

type groupNode struct {
	rule              *rule
	key               int64
	children, parents []string
}

// flattenGroups works out the members of groups below which something changed.
func (c *cycle) flattenGroups(ctx context.Context) error {
	if !c.policy.FlattenGroups || len(c.regrouped) == 0 && !c.regroupAll {
		return nil
	}
	g, err := c.groupGraph(ctx)
	if err != nil {
		return err
	}
	affected := slices.AppendSeq(g.bereft, maps.Keys(c.regrouped))
	if c.regroupAll {
		affected = slices.Collect(maps.Keys(g.nodes))
	}
	var keys []int64
	for _, id := range g.reach(affected, above) {
		keys = append(keys, g.nodes[id].key)
	}
	slices.Sort(keys)
	for chunk := range slices.Chunk(keys, readBatch) {
		records, err := c.state.Records(ctx, c.job.config.Name, chunk)
		if err != nil {
			return err
		}
		commit := &Commit{}
		for i := range records {
			if err := c.flattenGroup(ctx, g, &records[i], commit); err != nil {
				return err
			}
		}
		if err := c.commit(ctx, commit); err != nil {
			return err
		}
	}
	return c.noteCircles(ctx, g)
}

// groupGraph reads the groups.
func (c *cycle) groupGraph(ctx context.Context) (*groupGraph, error) {
	g := &groupGraph{nodes: map[string]*groupNode{}, people: map[string]bool{}}
	for _, r := range c.job.rules {
		if !r.flatten {
			continue
		}
		var after int64
		for {
			heads, err := c.state.ScanHeads(ctx, c.job.config.Name, Query{Type: r.source, Present: true}, after, 4*readBatch)
			if err != nil {
				return nil, err
			}
			if len(heads) == 0 {
				break
			}
			after = heads[len(heads)-1].Key
			for _, h := range heads {
				g.nodes[h.SourceID] = &groupNode{rule: r, key: h.Key}
			}
		}
	}
	if err := c.findPeople(ctx, g); err != nil {
		return nil, err
	}
	for _, r := range c.job.rules {
		if !r.flatten {
			continue
		}
		if err := c.each(ctx, Query{Type: r.source, Present: true}, func(rec *Record) error {
			n := g.nodes[rec.SourceID]
			if n == nil || n.key != rec.Key {
				return nil
			}
			for _, id := range rec.Direct {
				if child := g.member(id); child != nil {
					n.children = append(n.children, id)
					child.parents = append(child.parents, rec.SourceID)
				} else if c.regrouped[id] {
					g.bereft = append(g.bereft, rec.SourceID)
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// member returns the group that a member is, if it is one.
func (g *groupGraph) member(id string) *groupNode {
	if g.people[id] {
		return nil
	}
	return g.nodes[id]
}

func (c *cycle) findPeople(ctx context.Context, g *groupGraph) error {
	ids := slices.Sorted(maps.Keys(g.nodes))
	for _, r := range c.job.rules {
		if r.isGroup() {
			continue
		}
		for chunk := range slices.Chunk(ids, readBatch) {
			heads, err := c.state.Heads(ctx, c.job.config.Name, r.source, chunk)
			if err != nil {
				return err
			}
			for _, h := range heads {
				if h.Flags.Has(Present) {
					g.people[h.SourceID] = true
				}
			}
		}
	}
	return nil
}

// reach returns the groups that can be reached, those begun with included, in order.
func (g *groupGraph) reach(from []string, next func(*groupNode) []string) []string {
	seen := map[string]bool{}
	var list []string
	for work := slices.Clone(from); len(work) > 0; {
		id := work[len(work)-1]
		work = work[:len(work)-1]
		n := g.nodes[id]
		if n == nil || seen[id] {
			continue
		}
		seen[id] = true
		list = append(list, id)
		work = append(work, next(n)...)
	}
	slices.Sort(list)
	return list
}

func below(n *groupNode) []string { return n.children }

func above(n *groupNode) []string { return n.parents }

// flattenGroup works out the members of one group.
func (c *cycle) flattenGroup(ctx context.Context, g *groupGraph, rec *Record, commit *Commit) error {
	n := g.nodes[rec.SourceID]
	if n == nil || !rec.Flags.Has(InScope) || rec.leaving() || rec.Want.Refs == nil {
		return nil
	}
	members, err := c.membersBelow(ctx, g, rec)
	if err != nil || slices.Equal(members, rec.Want.Refs[n.rule.members]) {
		return err
	}
	// Without members the attribute is still one that is to have no value.
	rec.Want.Refs[n.rule.members] = members
	if rec.Failure == nil || !rec.Failure.waitsForSource() {
		was := rec.Flags
		rec.Flags = rec.Flags.With(Dirty, c.needs(n.rule, rec) || was&(Failed|Dirty) != 0)
		if c.full[n.rule.source] && was&(Dirty|Failed|Held) == 0 && rec.Flags.Has(Dirty) {
			c.types[n.rule.source].InStep--
		}
	}
	commit.Put = append(commit.Put, rec)
	return nil
}

// flattenAlone works out the members of one group as it was just read, with the groups below it as they were read last.
func (c *cycle) flattenAlone(ctx context.Context, r *rule, rec *Record) error {
	if !r.flatten || !rec.Flags.Has(InScope) || rec.Want.Refs == nil {
		return nil
	}
	g, err := c.groupGraph(ctx)
	if err != nil {
		return err
	}
	n := &groupNode{rule: r, key: rec.Key}
	for _, id := range rec.Direct {
		if g.member(id) != nil {
			n.children = append(n.children, id)
		}
	}
	g.nodes[rec.SourceID] = n
	rec.Want.Refs[r.members], err = c.membersBelow(ctx, g, rec)
	return err
}

// membersBelow returns the members of a group and of all groups below it that are not such groups themselves.
func (c *cycle) membersBelow(ctx context.Context, g *groupGraph, rec *Record) ([]string, error) {
	own := g.nodes[rec.SourceID]
	if own == nil || len(own.children) == 0 {
		return slices.Clone(rec.Direct), nil
	}
	people := map[string]bool{}
	add := func(direct []string) {
		for _, id := range direct {
			if g.member(id) == nil {
				people[id] = true
			}
		}
	}
	var keys []int64
	for _, id := range g.reach(own.children, below) {
		keys = append(keys, g.nodes[id].key)
	}
	add(rec.Direct)
	for chunk := range slices.Chunk(keys, readBatch) {
		records, err := c.state.Records(ctx, c.job.config.Name, chunk)
		if err != nil {
			return nil, err
		}
		for i := range records {
			add(records[i].Direct)
		}
	}
	return slices.Sorted(maps.Keys(people)), nil
}

// circles returns the groups that contain each other, or themselves.
func (g *groupGraph) circles() [][]string {
	// What has nothing above it or nothing below it is in no circle, and when it is taken away, others are so too.
	up, down := map[string]int{}, map[string]int{}
	var work []string
	for id, n := range g.nodes {
		up[id], down[id] = len(n.parents), len(n.children)
		if up[id] == 0 || down[id] == 0 {
			work = append(work, id)
		}
	}
	out := map[string]bool{}
	for len(work) > 0 {
		id := work[len(work)-1]
		work = work[:len(work)-1]
		if out[id] {
			continue
		}
		out[id] = true
		for _, p := range g.nodes[id].parents {
			if down[p]--; down[p] == 0 {
				work = append(work, p)
			}
		}
		for _, ch := range g.nodes[id].children {
			if up[ch]--; up[ch] == 0 {
				work = append(work, ch)
			}
		}
	}
	var found [][]string
	done := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(g.nodes)) {
		if out[id] || done[id] {
			continue
		}
		done[id] = true
		over := map[string]bool{}
		for _, other := range g.reach(g.nodes[id].parents, above) {
			over[other] = true
		}
		if !over[id] {
			continue
		}
		circle := slices.DeleteFunc(g.reach([]string{id}, below), func(other string) bool { return !over[other] })
		for _, other := range circle {
			done[other] = true
		}
		found = append(found, circle)
	}
	return found
}

// maxCircles bounds how many circles are remembered, and how many groups of each.
const maxCircles = 100

// noteCircles reports groups that contain each other, each circle once in the log.
func (c *cycle) noteCircles(ctx context.Context, g *groupGraph) error {
	var list []GroupCircle
	for _, circle := range g.circles() {
		if len(list) == maxCircles {
			break
		}
		n := g.nodes[circle[0]]
		now := GroupCircle{Type: n.rule.source, Groups: circle[:min(len(circle), maxCircles)]}
		list = append(list, now)
		if slices.ContainsFunc(c.js.Circles, func(old GroupCircle) bool { return slices.Equal(old.Groups, now.Groups) }) {
			continue
		}
		records, err := c.state.Records(ctx, c.job.config.Name, []int64{n.key})
		if err != nil {
			return err
		}
		if len(records) > 0 {
			c.note(n.rule, &records[0], step{action: ActionSkip, code: GroupsContainEachOther, reason: now.String()}, 0, nil)
		}
	}
	c.js.Circles = list
	return c.commit(ctx, &Commit{})
}

// GroupCircle are groups of the source that contain each other.
type GroupCircle struct {
	// Type is the source object type.
	Type string `json:"type"`
	// Groups are their ids, in order.
	Groups []string `json:"groups"`
}

// String returns one line.
func (g GroupCircle) String() string {
	if len(g.Groups) == 1 {
		return fmt.Sprintf("group %s contains itself", g.Groups[0])
	}
	return fmt.Sprintf("groups %s contain each other; each has the members of all", strings.Join(g.Groups, ", "))
}

func (g GroupCircle) warning() ObjectFailure {
	return ObjectFailure{Type: g.Type, SourceID: g.Groups[0], Failure: Failure{
		Code: GroupsContainEachOther, Reason: g.String(), Reference: true, Remedy: remedies[GroupsContainEachOther],
	}}
}
