package mapping

import (
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/mapping/expr"
)

// sourceAttribute reads one attribute of source objects.
type sourceAttribute struct {
	name string
	// path is the name read as a SCIM path, nil when it is a plain name or no path.
	path *sourcePath
}

// sourcePath leads into an object that has objects in it.
type sourcePath struct {
	urn, attribute, sub string
	core                bool
	elements            *filter.ElementPredicate
}

// newSourceAttribute prepares the reading of an attribute. A name that is no SCIM path is only looked up as it stands.
func newSourceAttribute(name string) *sourceAttribute {
	a := &sourceAttribute{name: name}
	if !strings.ContainsAny(name, ".:[") {
		return a
	}
	p, err := filter.ParsePath(name)
	if err != nil || p.Attr.Name == "" {
		return a
	}
	path := &sourcePath{urn: p.Attr.URN, attribute: p.Attr.Name, sub: p.Target().Sub, core: isCore(p.Attr.URN)}
	if !p.Filter.IsZero() {
		if path.elements, err = p.Compile(nil); err != nil {
			return a
		}
	}
	a.path = path
	return a
}

// isCore reports whether the attributes of a schema are at the top of a document.
func isCore(urn string) bool {
	return strings.EqualFold(urn, scim.UserSchema) || strings.EqualFold(urn, scim.GroupSchema)
}

// value returns the attribute's value in an object, nil when it has none.
func (a *sourceAttribute) value(source map[string]any) any {
	v, ok := source[a.name]
	if ok || a.path == nil {
		return v
	}
	return a.path.value(source)
}

func (p *sourcePath) value(source map[string]any) any {
	if p.urn != "" && !p.core {
		source, _ = field(source, p.urn).(map[string]any)
	}
	v := field(source, p.attribute)
	switch v := v.(type) {
	case map[string]any:
		if p.elements != nil && !p.elements.Match(v) {
			return nil
		}
		if p.sub != "" {
			return field(v, p.sub)
		}
		return v
	case []any:
		return p.list(v)
	}
	if p.sub != "" && !strings.EqualFold(p.sub, "value") || p.elements != nil {
		return nil
	}
	return v
}

// list gives what the path finds in the elements of a list: nothing, one value, or a list of them.
func (p *sourcePath) list(elements []any) any {
	var found []any
	for _, e := range elements {
		if p.elements != nil && !p.elements.Match(e) {
			continue
		}
		if object, ok := e.(map[string]any); ok && p.sub != "" {
			e = field(object, p.sub)
		} else if p.sub != "" && !strings.EqualFold(p.sub, "value") {
			continue
		}
		if e != nil {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 0:
		return nil
	case 1:
		return found[0]
	}
	return found
}

// field looks a name up as written, and then in any case, as SCIM has it.
func field(object map[string]any, name string) any {
	if v, ok := object[name]; ok {
		return v
	}
	for key, v := range object {
		if strings.EqualFold(key, name) {
			return v
		}
	}
	return nil
}

// sourceObject is an object as expressions read it. It is an [expr.Source].
type sourceObject struct {
	mapping *Mapping
	object  map[string]any
}

// Value returns an attribute of the object.
func (s *sourceObject) Value(name string) (expr.Value, bool) {
	if v, ok := s.object[name]; ok {
		return expr.FromAny(v), true
	}
	// What has no path was looked up just now.
	if a := s.mapping.sources[name]; a != nil && a.path != nil {
		v := a.path.value(s.object)
		return expr.FromAny(v), v != nil
	}
	return expr.Value{}, false
}
