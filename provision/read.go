package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/scimbridge/scim/mapping"
)

// readBatch is how many source objects are compared with the state at a time, and recorded in one transaction.
const readBatch = 1024

// readAll reads the source, maps what changed, and finds what is gone. Nothing has been sent when it ends, so that a source that
// cannot be read, or cannot be believed, does no harm.
func (c *cycle) readAll(ctx context.Context) error {
	if c.only != nil {
		return c.readOnly(ctx)
	}
	changes, canTell := c.job.config.Source.(ChangeSource)
	if canTell {
		mark, err := changes.Watermark(ctx)
		if err != nil {
			return c.sourceFault(ctx, "", err)
		}
		c.watermark = mark
	} else {
		// There are no positions; that one cycle was completed is what is remembered.
		c.watermark = "read"
	}
	for _, r := range c.job.rules {
		c.seen[r.source] = &keySet{}
		err := error(ErrWatermarkExpired)
		if canTell && c.js.Watermark != "" {
			err = c.readChanges(ctx, r, changes)
			if err == nil && c.job.config.Assigned != nil {
				// Assignments change without the objects: all have to be asked about.
				err = ErrWatermarkExpired
			}
		}
		if errors.Is(err, ErrWatermarkExpired) {
			err = c.readFull(ctx, r)
		}
		if err == nil {
			err = c.remap(ctx, r)
		}
		if err != nil {
			return err
		}
	}
	// All types are judged before anything is concluded from any of them.
	for _, r := range c.job.rules {
		if err := c.checkShrink(r); err != nil {
			return err
		}
	}
	for _, r := range c.job.rules {
		if !c.full[r.source] {
			continue
		}
		if err := c.findVanished(ctx, r); err != nil {
			return err
		}
		if c.js.Read == nil {
			c.js.Read = map[string]int{}
		}
		c.js.Read[r.source] = c.types[r.source].Read
	}
	return c.findDuplicates(ctx)
}

func (c *cycle) sourceFault(ctx context.Context, typ string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &SourceFault{Type: typ, Err: err}
}

func (c *cycle) readFull(ctx context.Context, r *rule) error {
	total := -1
	if s, ok := c.job.config.Source.(CountSource); ok && c.job.config.Progress != nil && c.plan == nil {
		n, err := s.Count(ctx, r.source)
		if err != nil {
			return c.sourceFault(ctx, r.source, err)
		}
		total = n
	}
	c.estimated = false
	if before, known := c.js.Read[r.source]; total < 0 && known && before > 0 {
		total, c.estimated = before, true
	}
	c.full[r.source] = true
	c.types[r.source].Read, c.types[r.source].InStep = 0, 0
	// Changes may have been read before the source said that it cannot tell all of them.
	c.seen[r.source] = &keySet{}
	return c.readEntries(ctx, r, c.job.config.Source.Entries(ctx, r.source), total)
}

func (c *cycle) readChanges(ctx context.Context, r *rule, s ChangeSource) error {
	return c.readEntries(ctx, r, s.Changes(ctx, r.source, c.js.Watermark), -1)
}

func (c *cycle) readEntries(ctx context.Context, r *rule, entries func(func(Entry, error) bool), total int) error {
	batch := make([]Entry, 0, readBatch)
	var failure error
	c.progress(PhaseRead, r.source, 0, total)
	for e, err := range entries {
		if err != nil {
			failure = err
			break
		}
		if e.ID == "" {
			return &SourceFault{Type: r.source, Reason: "an object without id"}
		}
		if !utf8.ValidString(e.ID) {
			return &SourceFault{Type: r.source, Reason: fmt.Sprintf("the id %q is not UTF-8", e.ID)}
		}
		if batch = append(batch, e); len(batch) < readBatch {
			continue
		}
		if err := c.readEntryBatch(ctx, r, batch); err != nil {
			return err
		}
		batch = batch[:0]
		c.progress(PhaseRead, r.source, c.types[r.source].Read, total)
	}
	if failure != nil {
		if errors.Is(failure, ErrWatermarkExpired) {
			return failure
		}
		return c.sourceFault(ctx, r.source, failure)
	}
	if err := c.readEntryBatch(ctx, r, batch); err != nil {
		return err
	}
	c.estimated = false
	c.progress(PhaseRead, r.source, c.types[r.source].Read, c.types[r.source].Read)
	return nil
}

// readItem is an entry on its way through a batch.
type readItem struct {
	entry    Entry
	assigned bool
	digest   Digest
	rec      *Record
	// same says that neither the object nor the mapping has changed.
	same bool
}

// readEntryBatch compares entries with the state, and maps those that changed.
func (c *cycle) readEntryBatch(ctx context.Context, r *rule, batch []Entry) error {
	if len(batch) == 0 {
		return nil
	}
	t := c.types[r.source]
	t.Read += len(batch)
	heads, err := c.heads(ctx, r, batch)
	if err != nil {
		return err
	}
	var changed []*readItem
	fresh := map[string]*readItem{}
	for _, e := range batch {
		item := &readItem{entry: e, assigned: true}
		if assigned := c.job.config.Assigned; assigned != nil {
			if item.assigned, err = assigned(ctx, r.source, e); err != nil {
				return c.sourceFault(ctx, r.source, err)
			}
		}
		item.digest = r.digest(e, item.assigned)
		head, known := heads[e.ID]
		switch {
		case !known:
			if first := fresh[e.ID]; first != nil {
				first.digest = Digest{}
				continue
			}
			fresh[e.ID] = item
			item.rec = &Record{Head: Head{SourceID: e.ID}, Type: r.source}
			changed = append(changed, item)
		case c.seen[r.source] != nil && c.seen[r.source].add(head.Key):
			// The id came before. A zero digest is never equal, so that both are looked at again in each cycle.
			item.digest = Digest{}
			item.rec = &Record{Head: head}
			changed = append(changed, item)
		case head.Digest == item.digest && (head.Flags.Has(Present) || head.Flags.Has(HardDeleted) && e.Deleted):
			if c.sum.Kind == Initial && c.only == nil && !e.Deleted {
				// The time, or what expressions see besides the object, may be other than they were.
				item.rec, item.same = &Record{Head: head}, true
				changed = append(changed, item)
				continue
			}
			if head.Flags&(Dirty|Failed|Held) == 0 && !e.Deleted {
				t.InStep++
			}
		default:
			item.rec = &Record{Head: head}
			changed = append(changed, item)
		}
	}
	return c.readChanged(ctx, r, changed)
}

func (c *cycle) heads(ctx context.Context, r *rule, batch []Entry) (map[string]Head, error) {
	ids := make([]string, len(batch))
	for i, e := range batch {
		ids[i] = e.ID
	}
	found, err := c.state.Heads(ctx, c.job.config.Name, r.source, ids)
	if err != nil {
		return nil, err
	}
	heads := make(map[string]Head, len(found))
	for _, h := range found {
		heads[h.SourceID] = h
	}
	return heads, nil
}

// readChanged maps entries that are new or changed and records what they should become.
func (c *cycle) readChanged(ctx context.Context, r *rule, items []*readItem) error {
	if len(items) == 0 {
		return nil
	}
	if err := c.loadRecords(ctx, items); err != nil {
		return err
	}
	commit := &Commit{}
	for _, item := range items {
		if err := c.readOne(ctx, r, item); err != nil {
			return err
		}
		if item.rec.Key == 0 && item.rec.finished() {
			// It was gone before anything was known of it, and nothing is to be remembered.
			continue
		}
		if !slices.Contains(commit.Put, item.rec) {
			commit.Put = append(commit.Put, item.rec)
		}
	}
	commit.Put = slices.DeleteFunc(commit.Put, func(rec *Record) bool {
		forgotten := c.job.forgettable(rec)
		if forgotten {
			commit.Forget = append(commit.Forget, rec.Key)
		}
		return forgotten
	})
	if err := c.commit(ctx, commit); err != nil {
		return err
	}
	if set := c.seen[r.source]; set != nil {
		for _, item := range items {
			set.add(item.rec.Key)
		}
	}
	return nil
}

// loadRecords fills in the records of which only the heads are known.
func (c *cycle) loadRecords(ctx context.Context, items []*readItem) error {
	var keys []int64
	for _, item := range items {
		if item.rec.Key != 0 {
			keys = append(keys, item.rec.Key)
		}
	}
	records, err := c.state.Records(ctx, c.job.config.Name, keys)
	if err != nil {
		return err
	}
	byKey := make(map[int64]*Record, len(records))
	for i := range records {
		byKey[records[i].Key] = &records[i]
	}
	for _, item := range items {
		if rec := byKey[item.rec.Key]; rec != nil {
			item.rec = rec
		}
	}
	return nil
}

// readOne works out what an entry should become in the target.
func (c *cycle) readOne(ctx context.Context, r *rule, item *readItem) error {
	rec, e := item.rec, item.entry
	if item.same && rec.Failure != nil && (rec.Flags.Has(Duplicate) || rec.Failure.Remap || !rec.Failure.waitsForSource()) {
		// It is tried again when it is due.
		return nil
	}
	rec.Digest = item.digest
	old, was := rec.Matching, rec.Flags
	rec.Flags = rec.Flags.With(Present, !e.Deleted).With(HardDeleted, e.Deleted)
	before := rec.Failure
	gaveUp := rec.Flags & GivenUp
	rec.reset()
	if item.digest == (Digest{}) {
		return c.readDouble(ctx, r, item, was)
	}
	if e.Deleted {
		if was.Has(Present) {
			rec.leaves(c.began)
		}
		rec.Matching = nil
		c.ungroup(r, rec)
		r.learnDisable(rec)
		rec.Flags = rec.Flags.With(Dirty, rec.TargetID != "" || rec.Flags.Has(Dirty))
		c.rematched[r.source] = c.rematched[r.source] || len(old) > 0
		return nil
	}
	o := r.evaluate(ctx, e, item.assigned, rec.TargetID != "", c.policy.enabledAttribute(), c.env(r, rec))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := endsCycle(o.err); err != nil {
		return err
	}
	if o.err != nil && before != nil && before.Remap {
		// It is tried again, and not for a change in the source.
		rec.Failure, rec.Flags = before, rec.Flags|gaveUp
	}
	c.settleRead(r, rec, e, o)
	c.reserve(r, rec)
	if !slices.Equal(old, rec.Matching) || was.Has(Duplicate) {
		c.rematched[r.source] = true
	}
	if rec.Flags&(Dirty|Failed|Held) == 0 && rec.Flags.Has(InScope) {
		c.types[r.source].InStep++
	}
	return nil
}

// reset forgets failures: the object changed, and is tried afresh.
func (rec *Record) reset() {
	rec.Failure, rec.Due = nil, time.Time{}
	rec.Flags &^= Failed | GivenUp | Duplicate
}

// settleRead records what mapping an entry gave.
func (c *cycle) settleRead(r *rule, rec *Record, e Entry, o outcome) {
	c.regroup(r, rec, &o)
	if o.scope.In && !o.soft && !o.ignore {
		// What was allowed is not to happen any more. Should the object leave another time, it is asked again.
		rec.Flags &^= Released
	}
	switch {
	case o.ignore:
		// Left as it is: neither provisioned nor deprovisioned.
		rec.Reason = o.scope.Reason
		if rec.TargetID == "" {
			rec.Flags &^= InScope | Dirty
			rec.Matching = nil
		}
		return
	case o.err != nil && o.scope.In:
		rec.Flags = (rec.Flags | InScope | Dirty).With(SoftDeleted, o.soft)
		r.learnDisable(rec)
		rec.Display = displayOf(e)
		rec.Matching = nil
		if c.fail(r, rec, mappingFailure(o.err)); rec.Failure.Remap {
			// No digest is equal to this, so that it is mapped again when it is read again.
			rec.Digest = Digest{}
		}
		c.wake(r, rec)
		return
	}
	wasIn := rec.Flags.Has(InScope)
	rec.Display = displayOf(e)
	rec.Flags = rec.Flags.With(InScope, o.scope.In).With(SoftDeleted, o.soft && o.scope.In)
	rec.Reason = o.scope.Reason
	if !o.scope.In {
		rec.Matching = nil
		if o.err == nil && rec.TargetID != "" {
			rec.Want.Disable, rec.Want.Redacted = o.want.Disable, o.want.Redacted
		}
		r.learnDisable(rec)
		leaving := rec.TargetID != "" && (!rec.Flags.Has(Disabled) || rec.doubtful())
		rec.Flags = rec.Flags.With(Dirty, leaving)
		if !leaving && (wasIn || rec.Key == 0) {
			c.skipped(r, rec, rec.Reason)
		}
		return
	}
	rec.Want = o.want
	rec.Matching = r.matchKeys(o.want)
	rec.Flags = rec.Flags.With(Dirty, c.needs(r, rec))
}

// needs reports whether there is something to send for an object in scope.
func (c *cycle) needs(r *rule, rec *Record) bool {
	if rec.TargetID == "" || rec.Flags.Has(Unsure) || r.softDelete && rec.Flags.Has(SoftDeleted) != rec.Flags.Has(Disabled) {
		return true
	}
	return !equalDocs(rec.Sent, r.governed(rec.Sent, rec.Want)) || needsReferences(rec)
}

// needsReferences reports whether the references sent are others than those wanted, as far as they can be resolved.
func needsReferences(rec *Record) bool {
	for path, want := range rec.Want.Refs {
		if rec.settledRef(path) {
			continue
		}
		if len(subtract(rec.UnsureRefs[path], rec.Waiting[path])) > 0 {
			return true
		}
		have := slices.Concat(rec.SentRefs[path], rec.Unresolved[path], rec.Waiting[path])
		slices.Sort(have)
		if !slices.Equal(slices.Compact(have), want) {
			return true
		}
	}
	return false
}

// settledRef reports whether a reference is set for new objects only, and this one is new no longer.
func (rec *Record) settledRef(path string) bool {
	return slices.Contains(rec.Want.OnceRefs, path) && (!rec.Flags.Has(Created) || len(rec.SentRefs[path]) > 0)
}

// mappingFailure words an error of the mapping.
func mappingFailure(err error) *Failure {
	if f := uniqueFailure(err); f != nil {
		return f
	}
	f := &Failure{
		Code: UnprocessableEntity, Reason: err.Error(),
		Remedy: "correct the value in the source, or the mapping of the attribute",
	}
	var e *mapping.Error
	if errors.As(err, &e) {
		f.Attribute = e.Target
		f.Reason = strings.TrimPrefix(e.Err.Error(), "mapping: ")
	}
	return f
}

// displayOf names an entry for people.
func displayOf(e Entry) string {
	for _, name := range []string{"displayName", "userPrincipalName", "userName", "mail", "name"} {
		if s, ok := e.Attributes[name].(string); ok && s != "" {
			return strings.ToValidUTF8(s, "\uFFFD")
		}
	}
	return e.ID
}

// checkShrink refuses a full read that is much smaller than the one before.
func (c *cycle) checkShrink(r *rule) error {
	before, known := c.js.Read[r.source]
	now := c.types[r.source].Read
	if !c.full[r.source] || !known || c.js.AllowShrink || !c.policy.shrunk(before, now) {
		return nil
	}
	reason := fmt.Sprintf("only %d objects were read, and %d the time before; nothing was sent (if this is meant, release the deletions)", now, before)
	if now == 0 {
		reason = fmt.Sprintf("it reads empty, and %d objects were read the time before; nothing was sent (if this is meant, release the deletions)", before)
	}
	return &SourceFault{Type: r.source, Reason: reason}
}

// findVanished finds what a full read no longer had.
func (c *cycle) findVanished(ctx context.Context, r *rule) error {
	name := c.job.config.Name
	var after int64
	for {
		heads, err := c.state.ScanHeads(ctx, name, Query{Type: r.source, Present: true}, after, 4*readBatch)
		if err != nil || len(heads) == 0 {
			return err
		}
		after = heads[len(heads)-1].Key
		var gone []int64
		for _, h := range heads {
			if !c.seen[r.source].has(h.Key) {
				gone = append(gone, h.Key)
			}
		}
		if err := c.markVanished(ctx, r, gone); err != nil {
			return err
		}
	}
}

func (c *cycle) markVanished(ctx context.Context, r *rule, keys []int64) error {
	if len(keys) == 0 {
		return nil
	}
	records, err := c.state.Records(ctx, c.job.config.Name, keys)
	if err != nil {
		return err
	}
	commit := &Commit{}
	for i := range records {
		rec := &records[i]
		c.rematched[r.source] = c.rematched[r.source] || len(rec.Matching) > 0
		c.ungroup(r, rec)
		rec.leaves(c.began)
		rec.vanish()
		r.learnDisable(rec)
		c.put(commit, rec)
	}
	return c.commit(ctx, commit)
}

// leaves notes when an object that was disabled already has left the source: [Policy.DeleteAfter] counts from then. Of others it counts from when
// they are disabled.
func (rec *Record) leaves(now time.Time) {
	if rec.Flags.Has(Disabled) {
		rec.Left = now
	}
}

// vanish notes that the object is not in the source. The digest goes, so that the object is looked at when it comes back unchanged.
func (rec *Record) vanish() {
	rec.reset()
	rec.Flags = rec.Flags.With(Present, false).With(Dirty, true)
	rec.Digest, rec.Matching = Digest{}, nil
}

// findDuplicates finds objects that share their first matching value. None of them is provisioned.
func (c *cycle) findDuplicates(ctx context.Context) error {
	for _, r := range c.job.rules {
		if !c.rematched[r.source] {
			continue
		}
		found, err := c.state.Duplicates(ctx, c.job.config.Name, r.source)
		if err != nil {
			return err
		}
		if err := c.markDuplicates(ctx, r, found); err != nil {
			return err
		}
	}
	return nil
}

// markDuplicates marks those found, and lets go of those that are duplicates no longer.
func (c *cycle) markDuplicates(ctx context.Context, r *rule, found []MatchingRecord) error {
	sharing := map[string][]int64{}
	valueOf := map[int64]string{}
	keys := make([]int64, 0, len(found))
	for _, m := range found {
		sharing[m.Value] = append(sharing[m.Value], m.Key)
		valueOf[m.Key] = m.Value
		keys = append(keys, m.Key)
	}
	records, err := c.state.Records(ctx, c.job.config.Name, keys)
	if err != nil {
		return err
	}
	ids := map[int64]string{}
	for i := range records {
		ids[records[i].Key] = records[i].SourceID
	}
	commit := &Commit{}
	for i := range records {
		rec := &records[i]
		var others []string
		for _, key := range sharing[valueOf[rec.Key]] {
			if key != rec.Key {
				others = append(others, ids[key])
			}
		}
		slices.Sort(others)
		attribute, value, _ := strings.Cut(valueOf[rec.Key], "\x00")
		if isRedacted(attribute, rec.Want.Redacted) {
			value = Redacted
		}
		reason := fmt.Sprintf("%s %q is also that of %s in the source", attribute, value, strings.Join(others, ", "))
		if rec.Flags.Has(Duplicate) && rec.Failure != nil && rec.Failure.Reason == reason {
			continue
		}
		rec.Flags |= Duplicate | Dirty
		c.fail(r, rec, &Failure{Code: DuplicateSourceEntries, Reason: reason, Attribute: attribute})
		c.wake(r, rec)
		commit.Put = append(commit.Put, rec)
	}
	if err := c.releaseDuplicates(ctx, r, valueOf, commit); err != nil {
		return err
	}
	return c.commit(ctx, commit)
}

func (c *cycle) releaseDuplicates(ctx context.Context, r *rule, still map[int64]string, commit *Commit) error {
	return c.each(ctx, Query{Type: r.source, Failed: true}, func(rec *Record) error {
		if _, duplicate := still[rec.Key]; duplicate || !rec.Flags.Has(Duplicate) {
			return nil
		}
		rec.reset()
		rec.Flags = rec.Flags.With(Dirty, !rec.Flags.Has(InScope) || c.needs(r, rec))
		commit.Put = append(commit.Put, rec)
		return nil
	})
}

// each calls a function for all records of a query. The function must not change which records the query selects, but for the one
// that it is given.
func (c *cycle) each(ctx context.Context, q Query, do func(*Record) error) error {
	var after int64
	for {
		records, err := c.state.Scan(ctx, c.job.config.Name, q, after, readBatch)
		if err != nil || len(records) == 0 {
			return err
		}
		after = records[len(records)-1].Key
		for i := range records {
			if err := do(&records[i]); err != nil {
				return err
			}
		}
	}
}
