package patch

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/scimbridge/scim/schema"
)

// list is the elements of a multi-valued attribute while they are being changed.
//
// Elements stay in their slots, and a removed one leaves a hole, so that adding and removing take constant time and the order
// is kept. An index finds elements by their value. Changes can be undone.
type list struct {
	attr *schema.Attribute
	// sub is the sub-attribute that identifies an element, nil when elements are simple values or have none.
	sub   *schema.Attribute
	items []any
	live  int
	// shared is how many of the first slots others read: they are copied before one of them is written.
	shared int
	// changed says that the elements are not those of the document any more; version counts their changes.
	changed bool
	version int

	// eager builds the index at the first look-up; otherwise it is built when several have shown that it pays.
	eager   bool
	lookups int
	// heads has the last slot of each key, chain its neighbours among the slots with that key; nil while there is no index.
	heads map[string]int32
	chain []neighbours

	// journal is what to put back, last first, kept while recording.
	recording bool
	journal   []entry
}

// neighbours are the slots of the elements with the same key on either side of one, -1 for none. Both are kept, so that an element
// is taken out in constant time however many share its key.
type neighbours struct{ before, after int32 }

// hole is in the slot of a removed element.
type hole struct{}

// entry is one change: what a slot held, or the whole list before it was reset.
type entry struct {
	slot  int
	old   any
	whole *list
}

const (
	// appended is the slot of an entry whose element was appended.
	appended = -1
	// fewElements are searched faster than indexed.
	fewElements = 16
	// fewLookups are done faster without building an index.
	fewLookups = 3
)

// newList opens the elements of an attribute. It does not change them.
func newList(attr *schema.Attribute, elements []any) *list {
	l := &list{attr: attr, items: slices.Clip(elements), live: len(elements), shared: len(elements)}
	if sub, ok := attr.SubAttribute("value"); ok {
		l.sub = sub
	}
	return l
}

// keyed reports whether elements can be told apart by a key.
func (l *list) keyed() bool { return l.attr.Type != schema.Complex || l.sub != nil }

func (l *list) caseExact() bool {
	if l.sub != nil {
		return l.sub.CaseExact
	}
	return l.attr.CaseExact
}

// key returns what identifies an element; elements without a value share one.
func (l *list) key(element any) string {
	v := element
	if object, ok := element.(map[string]any); ok {
		if l.sub == nil {
			return "\x00"
		}
		v = object[l.sub.Name]
	}
	return l.keyOf(v)
}

// keyOf returns the key of the elements that have the value v.
func (l *list) keyOf(v any) string {
	switch v := v.(type) {
	case string:
		if l.caseExact() {
			return v
		}
		return fold(v)
	case bool:
		return "\x00" + strconv.FormatBool(v)
	case int64:
		return "\x00" + strconv.FormatInt(v, 10)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return "\x00" + strconv.FormatInt(int64(v), 10)
		}
		return "\x00" + strconv.FormatFloat(v, 'g', -1, 64)
	}
	return "\x00"
}

// has reports whether the slot holds an element.
func (l *list) has(slot int) bool {
	_, isHole := l.items[slot].(hole)
	return !isHole
}

// slots returns the slots of all elements in their order.
func (l *list) slots() []int {
	slots := make([]int, 0, l.live)
	for i := range l.items {
		if l.has(i) {
			slots = append(slots, i)
		}
	}
	return slots
}

// find returns the slots of the elements with a key, and how many elements it has looked at.
func (l *list) find(key string) (slots []int, work int) {
	if l.heads == nil && !l.worthIndex() {
		return l.scan(key), l.live
	}
	l.buildIndex()
	head, ok := l.heads[key]
	if !ok {
		return nil, 1
	}
	for slot := head; slot >= 0; slot = l.chain[slot].before {
		slots = append(slots, int(slot))
	}
	return slots, len(slots)
}

func (l *list) worthIndex() bool {
	if l.live <= fewElements || !l.keyed() {
		return false
	}
	l.lookups++
	return l.eager || l.lookups > fewLookups
}

// expect announces look-ups.
func (l *list) expect(lookups int) { l.lookups += lookups }

func (l *list) scan(key string) (slots []int) {
	for i, item := range l.items {
		if _, isHole := item.(hole); !isHole && l.hasKey(item, key) {
			slots = append(slots, i)
		}
	}
	return slots
}

// hasKey is l.key(element) == key without allocating.
func (l *list) hasKey(element any, key string) bool {
	v := element
	if object, ok := element.(map[string]any); ok && l.sub != nil {
		v = object[l.sub.Name]
	}
	s, ok := v.(string)
	switch {
	case !ok:
		return l.key(element) == key
	case l.caseExact():
		return s == key
	}
	return s == key || strings.EqualFold(s, key)
}

func (l *list) buildIndex() {
	if l.heads != nil {
		return
	}
	l.heads = make(map[string]int32, l.live)
	l.chain = make([]neighbours, len(l.items))
	for i := range l.items {
		if l.has(i) {
			l.link(i)
		}
	}
}

func (l *list) link(slot int) {
	if l.heads == nil {
		return
	}
	key := l.key(l.items[slot])
	head, ok := l.heads[key]
	if !ok {
		head = -1
	}
	if head >= 0 {
		l.chain[head].after = int32(slot)
	}
	l.chain[slot] = neighbours{before: head, after: -1}
	l.heads[key] = int32(slot)
}

func (l *list) unlink(slot int) {
	if l.heads == nil {
		return
	}
	at := l.chain[slot]
	if at.before >= 0 {
		l.chain[at.before].after = at.after
	}
	switch {
	case at.after >= 0:
		l.chain[at.after].before = at.before
	case at.before >= 0:
		l.heads[l.key(l.items[slot])] = at.before
	default:
		delete(l.heads, l.key(l.items[slot]))
	}
}

// set puts an element in a slot that holds one.
func (l *list) set(slot int, element any) {
	l.note(entry{slot: slot, old: l.items[slot]})
	l.put(slot, element)
}

// remove takes the element out of a slot.
func (l *list) remove(slot int) { l.set(slot, hole{}) }

// put stores what a slot holds, hole or element, and keeps the index and the count.
func (l *list) put(slot int, content any) {
	if slot < l.shared {
		l.items, l.shared = slices.Clone(l.items), 0
	}
	if l.has(slot) {
		l.unlink(slot)
		l.live--
	}
	l.items[slot] = content
	if l.has(slot) {
		l.link(slot)
		l.live++
	}
	l.touch()
}

func (l *list) append(element any) {
	l.note(entry{slot: appended})
	l.items = append(l.items, element)
	if l.heads != nil {
		l.chain = append(l.chain, neighbours{})
	}
	l.link(len(l.items) - 1)
	l.live++
	l.touch()
}

// reset puts other elements in place of all.
func (l *list) reset(elements []any) {
	before := *l
	l.note(entry{whole: &before})
	l.items, l.live, l.shared = elements, len(elements), 0
	l.heads, l.chain, l.lookups = nil, nil, 0
	l.touch()
}

func (l *list) touch() {
	l.changed = true
	l.version++
}

func (l *list) note(e entry) {
	if l.recording {
		l.journal = append(l.journal, e)
	}
}

// begin starts to record what is changed.
func (l *list) begin() { l.recording, l.journal = true, l.journal[:0] }

// commit keeps what was changed since begin. When most slots are holes they are closed, which costs no more than the removals
// that made them.
func (l *list) commit() {
	l.recording, l.journal = false, nil
	if holes := len(l.items) - l.live; holes > l.live+fewElements {
		l.items, l.shared = l.elements(), 0
		l.heads, l.chain = nil, nil
	}
}

// rollback undoes what was changed since begin.
func (l *list) rollback(changed bool) {
	journal := l.journal
	l.recording, l.journal = false, nil
	for _, e := range slices.Backward(journal) {
		switch {
		case e.whole != nil:
			*l = *e.whole
			l.recording, l.journal = false, nil
		case e.slot == appended:
			l.put(len(l.items)-1, hole{})
			l.items = l.items[:len(l.items)-1]
			if l.heads != nil {
				l.chain = l.chain[:len(l.items)]
			}
		default:
			l.put(e.slot, e.old)
		}
	}
	l.changed = changed
}

// elements returns the elements in their order. The list does not change what it has returned.
func (l *list) elements() []any {
	if len(l.items) == l.live {
		l.shared = len(l.items)
		return slices.Clip(l.items)
	}
	elements := make([]any, 0, l.live)
	for i, item := range l.items {
		if l.has(i) {
			elements = append(elements, item)
		}
	}
	return elements
}

// findsText reports whether find gives all elements that a filter with value eq and a text can match.
func (l *list) findsText() bool {
	typ := l.attr.Type
	if l.sub != nil {
		typ = l.sub.Type
	}
	return typ == schema.String || typ == schema.Reference
}
