package memory

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tidwall/btree"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/casefold"
)

// indexed is an attribute with an index.
type indexed struct {
	path string
	attr filter.Attr
}

// entry says that a resource has a value, which is folded whether case counts or not: an index finds candidates only.
type entry struct {
	value    string
	sequence uint64
	rec      *record
}

func (a entry) less(b entry) bool {
	if a.value != b.value {
		return a.value < b.value
	}
	return a.sequence < b.sequence
}

// indexEntry is an entry of one of the indexes.
type indexEntry struct{ path, value string }

// entriesOf returns the entries of a document, each once.
func (s *Store) entriesOf(doc scim.Document) []indexEntry {
	list := make([]indexEntry, 0, len(s.indexed))
	for _, i := range s.indexed {
		holder := map[string]any(doc)
		if i.attr.URN != "" {
			holder, _ = doc[i.attr.URN].(map[string]any)
		}
		each(holder[i.attr.Name], func(v any) {
			if i.attr.Sub != "" {
				object, _ := v.(map[string]any)
				v = object[i.attr.Sub]
			}
			text, ok := v.(string)
			if e := (indexEntry{i.path, casefold.String(text)}); ok && (len(list) > few || !slices.Contains(list, e)) {
				list = append(list, e)
			}
		})
	}
	if len(list) > few {
		slices.SortFunc(list, indexEntry.compare)
		list = slices.Compact(list)
	}
	return list
}

// few is up to how many entries it pays to look at all to find one.
const few = 32

func (e indexEntry) compare(other indexEntry) int {
	return cmp.Or(cmp.Compare(e.path, other.path), cmp.Compare(e.value, other.value))
}

// without calls do for every entry in list that is not in other.
func without(list, other []indexEntry, do func(indexEntry)) {
	var set map[indexEntry]bool
	if len(other) > few {
		set = make(map[indexEntry]bool, len(other))
		for _, e := range other {
			set[e] = true
		}
	}
	for _, e := range list {
		if !set[e] && (set != nil || !slices.Contains(other, e)) {
			do(e)
		}
	}
}

func each(v any, do func(any)) {
	if list, ok := v.([]any); ok {
		for _, e := range list {
			do(e)
		}
		return
	}
	do(v)
}

// reindex gives a record other entries than it had.
func (tab *table) reindex(rec *record, sequence uint64, entries []indexEntry) {
	without(rec.entries, entries, func(e indexEntry) { tab.indexes[e.path].Delete(entry{value: e.value, sequence: sequence}) })
	without(entries, rec.entries, func(e indexEntry) { tab.indexes[e.path].Set(entry{e.value, sequence, rec}) })
	rec.entries = entries
}

// maxCandidates is how many resources an index may give; with more, looking at all in their order is no worse.
const maxCandidates = 100_000

// finder finds the resources that can match a filter with the indexes. The lock must be held while it does.
type finder struct {
	tenant *tenant
	table  *table
	typ    string
	schema *schema.Schema
}

// candidates returns the resources among which all that match are, in the order of their creation, and false when no index helps.
func (f finder) candidates(n filter.Node) ([]*version, bool) {
	found, ok := f.search(n)
	if !ok {
		return nil, false
	}
	slices.SortFunc(found, func(a, b *version) int { return cmp.Compare(a.sequence, b.sequence) })
	return slices.CompactFunc(found, func(a, b *version) bool { return a.sequence == b.sequence }), true
}

func (f finder) search(n filter.Node) ([]*version, bool) {
	switch n := n.(type) {
	case *filter.And:
		return fewest(n.Terms, f.search)
	case *filter.Or:
		var all []*version
		for _, t := range n.Terms {
			found, ok := f.search(t)
			if all = append(all, found...); !ok || len(all) > maxCandidates {
				return nil, false
			}
		}
		return all, true
	case *filter.Compare:
		return f.compare(n.Attr, n)
	case *filter.ValuePath:
		terms := []filter.Node{n.Term}
		if and, ok := n.Term.(*filter.And); ok {
			terms = and.Terms
		}
		return fewest(terms, func(t filter.Node) ([]*version, bool) {
			c, ok := t.(*filter.Compare)
			if !ok {
				return nil, false
			}
			return f.compare(filter.Attr{URN: n.Attr.URN, Name: n.Attr.Name, Sub: c.Attr.Name}, c)
		})
	}
	return nil, false
}

// fewest returns the least of what is found for terms that all have to be true.
func fewest(terms []filter.Node, search func(filter.Node) ([]*version, bool)) (best []*version, ok bool) {
	for _, t := range terms {
		if found, served := search(t); served && (!ok || len(found) < len(best)) {
			best, ok = found, true
		}
		if ok && len(best) <= 1 {
			break
		}
	}
	return best, ok
}

// compare returns the resources that have a value which an eq or sw asks for.
func (f finder) compare(name filter.Attr, c *filter.Compare) ([]*version, bool) {
	text, ok := c.Value.Text()
	if !ok || c.Op != filter.OpEq && c.Op != filter.OpSw {
		return nil, false
	}
	a, ok := f.schema.Attr(name)
	if ok && a.Type == schema.Complex {
		a, ok = a.SubAttribute("value")
	}
	if !ok || a.Type != schema.String {
		return nil, false
	}
	path, folded := a.Path(), casefold.String(text)
	switch {
	case path == "id" && a.CaseExact && c.Op == filter.OpEq:
		if rec := f.table.byID[text]; rec != nil {
			return []*version{rec.current}, true
		}
		return nil, true
	case path == server.Members+".value" && c.Op == filter.OpEq && folded != "": // members with an empty value are in documents
		return f.groupsOf(folded)
	}
	index, ok := f.table.indexes[path]
	if !ok {
		return nil, false
	}
	return withValue(index, folded, c.Op == filter.OpSw)
}

// withValue returns the resources with a value, or with one that begins with it.
func withValue(index *btree.BTreeG[entry], value string, prefix bool) ([]*version, bool) {
	var found []*version
	index.Ascend(entry{value: value}, func(e entry) bool {
		if e.value != value && !(prefix && strings.HasPrefix(e.value, value)) {
			return false
		}
		found = append(found, e.rec.current)
		return len(found) <= maxCandidates
	})
	return found, len(found) <= maxCandidates
}

// groupsOf returns the groups of the type with a member.
func (f finder) groupsOf(folded string) ([]*version, bool) {
	var found []*version
	f.tenant.members.Ascend(membership{folded: folded}, func(m membership) bool {
		if m.folded != folded {
			return false
		}
		if m.group.current.resource.Type == f.typ {
			found = append(found, m.group.current)
		}
		return len(found) <= maxCandidates
	})
	return found, len(found) <= maxCandidates
}
