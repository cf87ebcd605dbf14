package schema

import (
	"maps"
	"slices"
)

// stray returns the top-level attribute that a tolerant reader takes name for, although it is not what the attribute is
// called in a document: a qualified name, or that of an extension's attribute without its URN. It is nil when there is none.
func (c *canonicaliser) stray(in *Attribute, name string) *Attribute {
	if !c.Tolerant || c.schema == nil || in != c.schema.root {
		return nil
	}
	a, ok := c.schema.LookupLoose(name)
	if !ok || a.parent != nil {
		return nil
	}
	return a
}

// wraps reports whether a tolerant reader takes the attribute of that name for an object with core attributes, as extensions
// have one.
func (c *canonicaliser) wraps(in *Attribute, name string) bool {
	return c.Tolerant && c.schema != nil && in == c.schema.root && equalName(name, c.schema.core.urn)
}

// unwrap returns the document with the attributes that are in an object by the URN of the core schema at its top.
func (c *canonicaliser) unwrap(doc map[string]any) (map[string]any, *fault) {
	root := c.schema.root
	out := doc
	for _, wrapper := range slices.Sorted(maps.Keys(doc)) {
		if !c.wraps(root, wrapper) || doc[wrapper] == nil {
			continue
		}
		object, ok := asObject(doc[wrapper])
		if !ok {
			return nil, invalidValue("must be an object with core attributes").inAttribute(wrapper, true)
		}
		out = maps.Clone(out)
		delete(out, wrapper)
		for _, name := range slices.Sorted(maps.Keys(object)) {
			if object[name] == nil {
				continue
			}
			if out[name] != nil {
				return nil, invalidSyntax("is given twice, at the top and by the URN of the core schema").inAttribute(name, false)
			}
			out[name] = object[name]
		}
	}
	return out, nil
}

// settle returns a copy of the document in which every stray attribute is where it belongs.
func (c *canonicaliser) settle(doc map[string]any) (map[string]any, *fault) {
	c.strays = false
	doc, f := c.unwrap(doc)
	if f != nil {
		return nil, f
	}
	root := c.schema.root
	out := maps.Clone(doc)
	placed := make(map[*Attribute]bool)
	extensions := make(map[string]map[string]any)
	// In order, so that it is always the same fault that is found.
	for _, name := range slices.Sorted(maps.Keys(doc)) {
		value := doc[name]
		if _, ok := root.subs.find(name); ok || value == nil {
			continue
		}
		a := c.stray(root, name)
		if a == nil {
			continue
		}
		delete(out, name)
		home := out
		if a.URN != "" {
			object, f := c.extensionObject(doc, out, extensions, a.URN)
			if f != nil {
				return nil, f
			}
			home = object
		}
		if _, ok := home[a.Name]; ok && home[a.Name] != nil || placed[a] {
			f := invalidSyntax("is given twice, by different names")
			return nil, f.inAttribute(a.path, false)
		}
		placed[a] = true
		home[a.Name] = value
	}
	return out, nil
}

// extensionObject returns the object of an extension in out, a copy that may be changed.
func (c *canonicaliser) extensionObject(doc, out map[string]any, known map[string]map[string]any, urn string) (map[string]any, *fault) {
	if object, ok := known[urn]; ok {
		return object, nil
	}
	container, _ := c.schema.root.subs.find(urn)
	key := urn
	if names := spellings(doc, c.schema.root.subs.find, container); len(names) > 0 {
		key = names[0]
	}
	object := make(map[string]any)
	if given := out[key]; given != nil {
		found, ok := asObject(given)
		if !ok {
			return nil, wrongType(container, given).inAttribute(container.Name, true)
		}
		maps.Copy(object, found)
	}
	known[urn] = object
	out[key] = object
	return object, nil
}
