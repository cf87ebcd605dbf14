package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/profiles"
)

// match finds target objects for the objects in scope that have no link, by reading the target's list when that takes fewer requests
// than looking each up. What is looked up one by one is looked up in [cycle.export].
func (c *cycle) match(ctx context.Context, r *rule) error {
	if c.only != nil {
		return nil
	}
	name := c.job.config.Name
	unlinked, err := c.state.Count(ctx, name, Query{Type: r.source, Dirty: true, DueBefore: c.began, Unlinked: true})
	if err != nil || unlinked == 0 {
		return err
	}
	linked, err := c.state.Count(ctx, name, Query{Type: r.source, Linked: true})
	if err != nil {
		return err
	}
	// The target has at least as many objects as are linked.
	if !r.offers(profiles.List) || unlinked <= 2 || linked/c.pageSize()+1 >= unlinked {
		return nil
	}
	err = c.list(ctx, r, unlinked)
	if errors.Is(err, errNoList) {
		// They are looked up one by one. Others are not to wait for it, and least of all those who leave.
		c.job.config.Logger.Warn("the list cannot be read; objects are looked up one by one", "job", c.job.config.Name, "type", r.source, "error", err)
		return nil
	}
	return err
}

// list reads the target's list, and notes what matches. When it turns out to be longer than look-ups would be, it stops and leaves the
// rest to them.
func (c *cycle) list(ctx context.Context, r *rule, lookups int) error {
	page := c.pageSize()
	docs := make([]scim.Document, 0, page)
	n := 0
	c.reads.Add(1)
	for doc, err := range c.target.List(ctx, r.target) {
		if err = c.checked(ctx, err); err != nil {
			return listError(err)
		}
		if docs = append(docs, doc); len(docs) == page {
			if err := c.noteCandidates(ctx, r, docs); err != nil {
				return err
			}
			docs = docs[:0]
			c.progress(PhaseMatch, r.source, n, -1)
		}
		if n++; n%page == 0 {
			c.reads.Add(1)
		}
		if n/page > max(lookups, 10) {
			return nil
		}
	}
	if err := c.noteCandidates(ctx, r, docs); err != nil {
		return err
	}
	c.progress(PhaseMatch, r.source, n, n)
	c.listed[r.source] = true
	return nil
}

func listError(err error) error {
	if fatal(err) {
		return err
	}
	return fmt.Errorf("%w: %w (%w)", ErrTargetUnusable, errNoList, err)
}

// errNoList says that a target answers, and not with its list.
var errNoList = errors.New("its list cannot be read")

// noteCandidates finds the objects that listed ones match.
func (c *cycle) noteCandidates(ctx context.Context, r *rule, docs []scim.Document) error {
	byValue := map[string][]scim.Document{}
	var values []string
	for _, doc := range docs {
		for i, path := range r.m.MatchingAttributes() {
			for _, v := range r.matching[i].values(doc) {
				key := r.matchKey(path, v)
				if byValue[key] == nil {
					values = append(values, key)
				}
				byValue[key] = append(byValue[key], doc)
			}
		}
	}
	found, err := c.state.Matching(ctx, c.job.config.Name, r.source, values)
	if err != nil || len(found) == 0 {
		return err
	}
	keys := make([]int64, 0, len(found))
	for _, m := range found {
		keys = append(keys, m.Key)
	}
	records, err := c.state.Records(ctx, c.job.config.Name, keys)
	if err != nil {
		return err
	}
	byKey := make(map[int64]*Record, len(records))
	for i := range records {
		byKey[records[i].Key] = &records[i]
	}
	commit := &Commit{KeepMatching: true}
	for _, m := range found {
		rec := byKey[m.Key]
		if rec == nil || rec.TargetID != "" {
			continue
		}
		for _, doc := range byValue[m.Value] {
			c.addCandidate(r, rec, m.Precedence, doc)
		}
		if !slices.Contains(commit.Put, rec) {
			commit.Put = append(commit.Put, rec)
		}
	}
	// They are kept in the state and not in memory, as there can be as many as there are objects.
	return c.commit(ctx, commit)
}

// maxFound is how many candidates of one object are kept.
const maxFound = 10

func (c *cycle) addCandidate(r *rule, rec *Record, precedence int, doc scim.Document) {
	known := c.found(rec)
	if known == nil || precedence < known.Precedence {
		known = &Found{Cycle: c.sum.CycleID, Precedence: precedence}
		rec.Found = known
	}
	if precedence > known.Precedence || len(known.Documents) >= maxFound {
		return
	}
	if slices.ContainsFunc(known.Documents, func(d scim.Document) bool { return d.ID() == doc.ID() }) {
		return
	}
	// Only what is governed is kept.
	shape := r.shape(rec.Want)
	for path := range rec.Want.Refs {
		if l, err := locate(path); err == nil && path != r.members {
			reference := scim.Document{}
			l.refer(reference, []string{""})
			shape = merge(shape, reference)
		}
	}
	kept := scim.Document(project(doc, shape))
	if kept == nil {
		kept = scim.Document{}
	}
	kept["id"] = doc.ID()
	if c.verified != nil {
		c.verified.keep(kept, doc)
	}
	known.Documents = append(known.Documents, kept)
}

// found returns the target objects that a list of this cycle had for an object, or nil.
func (c *cycle) found(rec *Record) *Found {
	if rec.Found == nil || rec.Found.Cycle != c.sum.CycleID {
		return nil
	}
	return rec.Found
}

// candidates returns the target objects that an object without link matches, or nil.
func (c *cycle) candidates(ctx context.Context, r *rule, rec *Record) (*Found, error) {
	found := c.found(rec)
	switch {
	case !c.listed[r.source]:
		// A list that was cut short may lack just what comes first.
		return c.lookUp(ctx, r, rec.Want.Match)
	case found == nil || !c.repeating:
		return found, nil
	}
	return c.stillFound(ctx, r, rec, found)
}

// stillFound returns those of the target objects in a list that still match, after this cycle has changed and removed some.
func (c *cycle) stillFound(ctx context.Context, r *rule, rec *Record, found *Found) (*Found, error) {
	if found.Precedence >= len(rec.Want.Match) {
		return c.lookUp(ctx, r, rec.Want.Match)
	}
	match := rec.Want.Match[found.Precedence]
	place := slices.Index(r.m.MatchingAttributes(), match.Attribute)
	still := &Found{Cycle: found.Cycle, Precedence: found.Precedence}
	for _, listed := range found.Documents {
		if c.wasRemoved(r, listed.ID()) {
			continue
		}
		c.reads.Add(1)
		doc, err := c.target.Get(ctx, r.target, listed.ID())
		if err = c.checked(ctx, err); errors.Is(err, scim.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if place >= 0 && slices.ContainsFunc(r.matching[place].values(doc), func(v any) bool {
			return r.matchKey(match.Attribute, v) == r.matchKey(match.Attribute, match.Value)
		}) {
			still.Documents = append(still.Documents, doc)
		}
	}
	if len(still.Documents) == 0 {
		return c.lookUp(ctx, r, rec.Want.Match)
	}
	return still, nil
}

// findAgain gives records at hand the target objects that a list has been found to have for them since they were loaded.
func (c *cycle) findAgain(ctx context.Context, records []*Record) error {
	byKey := make(map[int64]*Record, len(records))
	keys := make([]int64, 0, len(records))
	for _, rec := range records {
		byKey[rec.Key] = rec
		keys = append(keys, rec.Key)
	}
	for chunk := range slices.Chunk(keys, readBatch) {
		recorded, err := c.state.Records(ctx, c.job.config.Name, chunk)
		if err != nil {
			return err
		}
		for i := range recorded {
			byKey[recorded[i].Key].Found = recorded[i].Found
		}
	}
	return nil
}

// lookUp looks the target object of one source object up, by the matching attributes in their order.
func (c *cycle) lookUp(ctx context.Context, r *rule, match []MatchValue) (*Found, error) {
	for i, m := range match {
		if !c.filterable(r, m.Attribute) {
			continue
		}
		f, err := matchFilter(m)
		if err != nil {
			return nil, &Failure{Code: InternalError, Reason: err.Error(), Attribute: m.Attribute}
		}
		docs, err := c.find(ctx, r, f)
		if text, ok := m.Value.(string); ok && err == nil && len(docs) == 0 && r.missesCase(m.Attribute) && strings.ToLower(text) != text {
			// Services that take both spellings for the same often keep the one in lower case.
			if f, err = matchFilter(MatchValue{m.Attribute, strings.ToLower(text)}); err == nil {
				docs, err = c.find(ctx, r, f)
			}
		}
		if err != nil {
			return nil, err
		}
		// A plan deletes nothing, and services may show for a while what they have deleted.
		docs = slices.DeleteFunc(docs, func(doc scim.Document) bool { return c.wasRemoved(r, doc.ID()) })
		if len(docs) > 0 {
			return &Found{Precedence: i, Documents: docs}, nil
		}
	}
	return nil, nil
}

func (c *cycle) filterable(r *rule, path string) bool {
	if r.resource == nil || len(r.resource.Attributes) == 0 {
		return true
	}
	a, ok := r.resource.Attribute(path)
	return ok && slices.Contains(a.Filter, "eq")
}

// errLeft says that a target object is, or was until just now, linked to a source object that is no longer in the source. Who matches it may take it over once
// all others are done with: what is still to be done about the one who left may be under way.
var errLeft = errors.New("the target object is that of a source object which has left")

// accept decides whether a candidate may be linked, and returns its document, and the record of the one who left it behind, if any.
func (c *cycle) accept(ctx context.Context, r *rule, rec *Record, found *Found) (scim.Document, *Record, error) {
	attribute := ""
	if found.Precedence < len(rec.Want.Match) {
		attribute = rec.Want.Match[found.Precedence].Attribute
	}
	if len(found.Documents) > 1 {
		return nil, nil, &Failure{
			Code: DuplicateTargetEntries, Attribute: attribute,
			Reason: fmt.Sprintf("%d objects in the target have the same %s", len(found.Documents), attribute),
		}
	}
	doc := found.Documents[0]
	if doc.ID() == "" {
		return nil, nil, &Failure{Code: ServiceIncompatible, Reason: "the target answered with an object without id"}
	}
	other, left, err := c.owner(ctx, r, doc.ID(), rec)
	switch {
	case err != nil:
		return nil, nil, err
	case left != nil && !c.repeating:
		return nil, nil, errLeft
	case c.wasRemoved(r, doc.ID()):
		// It was found before this cycle deleted it. Nothing is found so when it is looked for again.
		return nil, nil, errLeft
	case left != nil && (left.Flags.Has(Held) || left.doubtful()):
		return nil, nil, &Failure{
			Code: EntryConflict, Attribute: attribute, Transient: true,
			Reason: fmt.Sprintf("target object %s matches, and is that of source object %s, which has left and is not done with", doc.ID(), other),
			Remedy: "release the held deletions, if there are any; otherwise nothing: it is tried again",
		}
	case left == nil && other != "":
		// The other one may give the value up, without a change of this one.
		return nil, nil, &Failure{
			Code: DuplicateSourceEntries, Attribute: attribute, Transient: true,
			Reason: fmt.Sprintf("target object %s matches, but it is linked to source object %s", doc.ID(), other),
		}
	}
	if rec.Flags.Has(Creating) && left == nil {
		// It is our own: a create was sent just now, and its answer was lost.
		return doc, nil, nil
	}
	if c.protects[foldText(doc.ID())] || left != nil && c.protected(r, left) {
		return nil, nil, &Failure{Code: EntrySynchronizationSkipped, Reason: "target object " + doc.ID() + " matches, and is protected"}
	}
	if left != nil {
		// What was done about the one who left is known here sooner than from the target.
		doc = left.made(doc.ID())
	}
	if why := c.refusal(rec, found.Precedence, found.Documents[0], doc); why != "" {
		return nil, nil, &Failure{
			Code: EntryConflict, Attribute: attribute,
			Reason: fmt.Sprintf("target object %s matches, and %s", doc.ID(), why),
			Remedy: "allow the job to adopt it, or rename or remove it in the target",
		}
	}
	return doc, left, nil
}

// made returns the record's target object as the job made it.
func (rec *Record) made(id string) scim.Document {
	doc := rec.Sent.Clone()
	if doc == nil {
		doc = scim.Document{}
	}
	doc["id"] = id
	return doc
}

// owner returns the source object that a target object is linked to, if that is another than the given one; and its record, if it has
// left the source. Otherwise the given one has claimed the target object for this cycle.
func (c *cycle) owner(ctx context.Context, r *rule, targetID string, rec *Record) (other string, left *Record, err error) {
	c.claimsMu.Lock()
	defer c.claimsMu.Unlock()
	claim := claimOf(r, targetID)
	if other, ok := c.claims[claim]; ok && other != rec.SourceID {
		return other, nil, nil
	}
	for _, other := range c.job.rules {
		if other.target != r.target {
			continue
		}
		key, err := c.state.Linked(ctx, c.job.config.Name, other.source, targetID)
		if err != nil {
			return "", nil, err
		}
		if key == 0 || key == rec.Key {
			continue
		}
		records, err := c.state.Records(ctx, c.job.config.Name, []int64{key})
		if err != nil || len(records) == 0 {
			return "", nil, err
		}
		if !records[0].Flags.Has(Present) {
			return records[0].SourceID, &records[0], nil
		}
		return records[0].SourceID, nil, nil
	}
	c.claims[claim] = rec.SourceID
	return "", nil, nil
}

func claimOf(r *rule, targetID string) string { return r.target + "\x00" + targetID }

// claim notes that a target object was made for a source object: others may find it before that is recorded.
func (c *cycle) claim(r *rule, targetID, sourceID string) {
	c.claimsMu.Lock()
	defer c.claimsMu.Unlock()
	c.claims[claimOf(r, targetID)] = sourceID
	delete(c.removed, claimOf(r, targetID))
}

// noteRemoved notes that a target object was deleted: others may have found it before.
func (c *cycle) noteRemoved(r *rule, targetID string) {
	c.claimsMu.Lock()
	defer c.claimsMu.Unlock()
	c.removed[claimOf(r, targetID)] = true
}

func (c *cycle) wasRemoved(r *rule, targetID string) bool {
	c.claimsMu.Lock()
	defer c.claimsMu.Unlock()
	return c.removed[claimOf(r, targetID)]
}

// unclaim lets go of the claims of objects whose links are recorded by now.
func (c *cycle) unclaim(records []*Record) {
	c.claimsMu.Lock()
	defer c.claimsMu.Unlock()
	for _, rec := range records {
		if r := c.job.rule(rec.Type); rec.TargetID != "" && r != nil && c.claims[claimOf(r, rec.TargetID)] == rec.SourceID {
			delete(c.claims, claimOf(r, rec.TargetID))
		}
	}
}
