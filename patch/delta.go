package patch

import (
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
)

// MemberDelta is a change of the members of a group that can be made without knowing who they are now: remove some, then add some. A store
// that makes it at once never loses what another request adds meanwhile, and spares reading the group.
type MemberDelta struct {
	// Attribute is the full path of the attribute, such as members.
	Attribute string
	// Remove are the values of the elements to be taken out, where they are there.
	Remove []string
	// Add are the elements to be put in, where none with their value is there. They are in canonical form, each value once.
	Add []map[string]any
}

// AsMemberDelta returns the change that operations make when all they do is to add elements to, and remove elements by their value from, one
// attribute whose elements refer to resources: what identity providers send, in all the forms that [Apply] takes.
//
// It returns false for anything else, and for operations that Apply would refuse or that depend on what is there: Apply is for these.
func AsMemberDelta(s *schema.Schema, ops []scim.PatchOperation, opts Options) (MemberDelta, bool) {
	d := deltaReader{edit: newEdit(s, nil, opts), at: make(map[string]int)}
	if len(ops) == 0 || len(ops) > d.edit.opts.MaxOperations {
		return MemberDelta{}, false
	}
	for _, op := range ops {
		if !d.read(op) {
			return MemberDelta{}, false
		}
	}
	return d.delta(), true
}

// deltaReader follows what operations do to each element.
type deltaReader struct {
	edit *edit
	attr *schema.Attribute
	keys *list
	// fates are in the order in which elements were first named; at finds them by key.
	fates []fate
	at    map[string]int
}

// fate is what becomes of an element.
type fate struct {
	value  string
	remove bool
	add    map[string]any
}

func (d *deltaReader) read(op scim.PatchOperation) bool {
	kind, err := d.edit.kind(op.Op)
	if err != nil || op.Path == "" {
		return false
	}
	p, err := d.edit.find(op.Path)
	if err != nil || p.attr == nil || p.sub != nil || !d.about(p.attr) {
		return false
	}
	switch {
	case kind == scim.OpAdd && !p.filtered() && op.Value != nil:
		return d.addAll(op.Value)
	case kind == scim.OpRemove && !d.edit.opts.Strict && p.filtered():
		return d.removeMatching(p.filter.Node())
	case kind == scim.OpRemove && !d.edit.opts.Strict && op.Value != nil:
		return d.removeAll(op.Value)
	}
	return false
}

// about reports whether all operations so far are about this attribute, and it is one that a delta can be of.
func (d *deltaReader) about(a *schema.Attribute) bool {
	if d.attr == nil {
		value, ok := a.SubAttribute("value")
		if !ok || value.Type != schema.String || !a.MultiValued || !isReference(a) || a.Required || a.Mutability != schema.ReadWrite {
			return false
		}
		for _, sub := range a.Sub {
			if sub.Mutability == schema.ReadWrite && sub != value {
				return false // adding an element that is there would change it
			}
		}
		d.attr, d.keys = a, newList(a, nil)
	}
	return a == d.attr
}

func (d *deltaReader) addAll(value any) bool {
	elements, err := d.edit.elements(d.attr, value)
	if err != nil {
		return false
	}
	for _, element := range elements {
		object, ok := element.(map[string]any)
		if !ok || !refersTo(d.attr, element) {
			return false
		}
		f := d.fate(object)
		if f.add == nil {
			f.add = object
		}
	}
	return true
}

func (d *deltaReader) removeAll(value any) bool {
	elements, err := d.edit.elements(d.attr, value)
	if err != nil {
		return false
	}
	for _, element := range elements {
		object, ok := element.(map[string]any)
		if !ok || !refersTo(d.attr, element) {
			return false
		}
		d.remove(object)
	}
	return true
}

// removeMatching removes what a filter selects, if it is nothing but value eq comparisons joined by or.
func (d *deltaReader) removeMatching(n filter.Node) bool {
	nodes := []filter.Node{n}
	if or, ok := n.(*filter.Or); ok {
		nodes = or.Terms
	}
	for _, n := range nodes {
		c, ok := n.(*filter.Compare)
		if !ok || c.Op != filter.OpEq || !strings.EqualFold(c.Attr.Name, d.keys.sub.Name) {
			return false
		}
		text, ok := c.Value.Text()
		if !ok {
			return false
		}
		d.remove(map[string]any{d.keys.sub.Name: text})
	}
	return true
}

func (d *deltaReader) remove(object map[string]any) {
	f := d.fate(object)
	f.remove, f.add = true, nil
}

// fate returns what becomes of the element with the value of object.
func (d *deltaReader) fate(object map[string]any) *fate {
	key := d.keys.key(object)
	i, ok := d.at[key]
	if !ok {
		i = len(d.fates)
		d.at[key] = i
		value, _ := object[d.keys.sub.Name].(string)
		d.fates = append(d.fates, fate{value: value})
	}
	return &d.fates[i]
}

func (d *deltaReader) delta() MemberDelta {
	delta := MemberDelta{Attribute: d.attr.Path()}
	for _, f := range d.fates {
		if f.remove {
			delta.Remove = append(delta.Remove, f.value)
		}
		if f.add != nil {
			delta.Add = append(delta.Add, f.add)
		}
	}
	return delta
}
