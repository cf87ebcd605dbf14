package schema

import "github.com/scimbridge/scim"

// CheckRequired returns an error when a canonical document lacks a required attribute, or a value in it a required
// sub-attribute: a [*scim.Error] with status 400, type invalidValue and the path of the first one in the schema's order.
// Attributes that are readOnly, or that no client can read, are not asked for. It is for documents that have been changed since
// [Schema.Canonical].
func (s *Schema) CheckRequired(doc scim.Document) error {
	c := canonicaliser{schema: s, Options: Options{Mode: ModeReplace}}
	return c.check(s.root, doc).err()
}

func (c *canonicaliser) check(a *Attribute, object map[string]any) *fault {
	if f := c.missing(a, object); f != nil {
		return f
	}
	for _, sub := range a.Sub {
		if !sub.demands {
			continue
		}
		if f := c.checkValue(sub, object[sub.Name]); f != nil {
			return f.inAttribute(sub.Name, sub.extension)
		}
	}
	return nil
}

func (c *canonicaliser) checkValue(a *Attribute, v any) *fault {
	switch v := v.(type) {
	case map[string]any:
		return c.check(a, v)
	case []any:
		for i, e := range v {
			if f := c.checkValue(a, e); f != nil {
				return f.inElement(i)
			}
		}
	}
	return nil
}
