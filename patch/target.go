package patch

import (
	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// Target is a document that is patched many times, such as a large group that a service holds in memory. What [Apply] has to do
// again for each request, it does once: it keeps an index of the elements of multi-valued attributes, so that adding a member to
// a group, or removing one, takes the same time whatever the size of the group.
//
// A Target is not safe for concurrent use. The documents it returns are, as long as nobody changes them.
type Target struct {
	schema *schema.Schema
	doc    map[string]any
	lists  map[*schema.Attribute]*list
}

// NewTarget returns a target for a document in canonical form, of which it takes possession: the document may be read afterwards, but not
// changed. Indexes are built when operations first need them.
func NewTarget(s *schema.Schema, doc scim.Document) *Target {
	return &Target{schema: s, doc: doc, lists: make(map[*schema.Attribute]*list)}
}

// Apply applies operations like [Apply], all of them or none, and reports whether they have changed anything.
func (t *Target) Apply(ops []scim.PatchOperation, opts Options) (changed bool, err error) {
	e := newEdit(t.schema, t.doc, opts)
	e.lists, e.eager = t.lists, true
	before := make(map[*schema.Attribute]bool, len(t.lists))
	for a, l := range t.lists {
		before[a] = l.changed
		l.begin()
	}
	if err := e.run(ops); err != nil {
		for a, l := range t.lists {
			l.rollback(before[a])
		}
		return false, err
	}
	for _, l := range t.lists {
		l.commit()
	}
	t.doc = e.root
	return e.changed, nil
}

// Document returns the document as it is now. It shares what has not changed with those returned before: treat it as read-only. The
// time it takes does not grow with the document as long as elements are only added, and otherwise grows with the length of
// the attributes that were changed since the last call.
func (t *Target) Document() scim.Document {
	t.doc = assemble(t.doc, false, t.lists)
	for _, l := range t.lists {
		l.changed = false
	}
	return t.doc
}

// DocumentWithout returns the document as it is now without the attributes named, which costs nothing for them. It serves readers who
// do not want the members of a group.
func (t *Target) DocumentWithout(attributes ...string) scim.Document {
	lists := make(map[*schema.Attribute]*list, len(t.lists))
	for a, l := range t.lists {
		lists[a] = l
	}
	var left []*schema.Attribute
	for _, name := range attributes {
		if a, ok := t.schema.Lookup(name); ok && a.Parent() == nil {
			delete(lists, a)
			left = append(left, a)
		}
	}
	root := cloneObject(t.doc)
	for _, a := range left {
		if object := holder(root, a); a.URN != "" && object != nil {
			object = cloneObject(object)
			delete(object, a.Name)
			root[a.URN] = object
		} else {
			delete(root, a.Name)
		}
	}
	return assemble(root, true, lists)
}

// Len returns how many elements a multi-valued attribute has, 0 for any other. The name may be any that [schema.Schema.Lookup]
// finds.
func (t *Target) Len(attribute string) int {
	l, ok := t.open(attribute)
	if !ok {
		return 0
	}
	return l.live
}

// Contains reports whether a multi-valued attribute has an element with a value: whether a group has a member. The value is compared as the schema
// says.
func (t *Target) Contains(attribute, value string) bool {
	l, ok := t.open(attribute)
	if !ok {
		return false
	}
	slots, _ := l.find(l.keyOf(value))
	return len(slots) > 0
}

func (t *Target) open(attribute string) (*list, bool) {
	a, ok := t.schema.Lookup(attribute)
	if !ok || !a.MultiValued || a.Parent() != nil {
		return nil, false
	}
	e := edit{schema: t.schema, root: t.doc, lists: t.lists, eager: true}
	return e.open(a), true
}
