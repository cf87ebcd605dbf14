package patch

import (
	"maps"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// get returns the value of an attribute, nil for none. For a multi-valued attribute that was opened it is not up to date.
func (e *edit) get(a *schema.Attribute) any { return holder(e.root, a)[a.Name] }

// holder returns the object that has the attribute: the document, or that of an extension in it, which may be nil.
func holder(root map[string]any, a *schema.Attribute) map[string]any {
	if a.URN == "" {
		return root
	}
	object, _ := root[a.URN].(map[string]any)
	return object
}

// put gives an attribute a value, or takes it away when v is nil.
func (e *edit) put(a *schema.Attribute, v any) {
	e.touch(a)
	assign(e.ownedHolder(a), a.Name, v)
	e.changed = true
}

func (e *edit) ownedRoot() map[string]any {
	if !e.ownRoot {
		e.root, e.ownRoot = cloneObject(e.root), true
	}
	return e.root
}

func (e *edit) ownedHolder(a *schema.Attribute) map[string]any {
	root := e.ownedRoot()
	if a.URN == "" {
		return root
	}
	ext, _ := e.schema.Lookup(a.URN)
	object, _ := root[a.URN].(map[string]any)
	if !e.owned[ext] {
		object = cloneObject(object)
		root[a.URN] = object
		if e.owned == nil {
			e.owned = make(map[*schema.Attribute]bool)
		}
		e.owned[ext] = true
	}
	return object
}

// touch remembers whether the extension of an attribute was in use, before it is changed.
func (e *edit) touch(a *schema.Attribute) {
	if a.URN == "" {
		return
	}
	ext, _ := e.schema.Lookup(a.URN)
	if _, ok := e.extended[ext]; ok {
		return
	}
	if e.extended == nil {
		e.extended = make(map[*schema.Attribute]bool)
	}
	e.extended[ext] = e.hasAttributes(ext)
}

// hasAttributes reports whether an attribute of an extension has a value.
func (e *edit) hasAttributes(ext *schema.Attribute) bool {
	for _, a := range ext.Sub {
		if e.present(a) {
			return true
		}
	}
	return false
}

// present reports whether an attribute has a value.
func (e *edit) present(a *schema.Attribute) bool {
	if l, ok := e.lists[a]; ok {
		return l.live > 0
	}
	return e.get(a) != nil
}

// open returns the elements of a multi-valued attribute.
func (e *edit) open(a *schema.Attribute) *list {
	if l, ok := e.lists[a]; ok {
		return l
	}
	var elements []any
	switch v := e.get(a).(type) {
	case nil:
	case []any:
		elements = v
	default:
		elements = []any{v}
	}
	l := newList(a, elements)
	l.eager = e.eager
	if e.eager {
		l.begin()
	}
	if e.lists == nil {
		e.lists = make(map[*schema.Attribute]*list)
	}
	e.lists[a] = l
	return l
}

// assemble returns the document with the elements of the lists that were changed. own says that root may be written.
func assemble(root map[string]any, own bool, lists map[*schema.Attribute]*list) scim.Document {
	if !own {
		root = maps.Clone(root)
	}
	for a, l := range lists {
		if !l.changed {
			continue
		}
		into := root
		if a.URN != "" {
			object, _ := root[a.URN].(map[string]any)
			into = cloneObject(object)
			root[a.URN] = into
		}
		if l.live == 0 {
			delete(into, a.Name)
		} else {
			into[a.Name] = l.elements()
		}
	}
	for urn, v := range root {
		if object, ok := v.(map[string]any); ok && len(object) == 0 {
			delete(root, urn)
		}
	}
	return root
}
