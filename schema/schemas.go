package schema

import "slices"

// Schemas returns what the attribute schemas of a canonical document has to be: the URN of the core schema, those of the
// extensions that have attributes in it, and those it lists already which are not of this schema.
func (s *Schema) Schemas(doc map[string]any) []any {
	list := append(make([]any, 0, 1+len(s.extensions)), s.core.value)
	for _, e := range s.extensions {
		if object, ok := doc[e.urn].(map[string]any); ok && len(object) > 0 {
			list = append(list, e.value)
		}
	}
	given, _ := doc[schemasName].([]any)
	for _, v := range given {
		urn, ok := v.(string)
		if known := s.urn(urn); ok && known == nil && !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}

// urn returns the URN of one of the schemas, given in any case, as a value in the right spelling; nil when it is none.
func (s *Schema) urn(urn string) any {
	if equalName(urn, s.core.urn) {
		return s.core.value
	}
	for _, e := range s.extensions {
		if equalName(urn, e.urn) {
			return e.value
		}
	}
	return nil
}

// isSchemas reports whether a is the attribute that lists the schemas of the document being read.
func (a *Attribute) isSchemas(c *canonicaliser) bool {
	return c.schema != nil && a == c.schema.schemas
}

// maxSchemas bounds the attribute schemas, every URN of which is compared with those before it.
const maxSchemas = 1000

// schemas returns the canonical form of the list that the client gave.
func (c *canonicaliser) schemas(list []any) (any, *fault) {
	if len(list) > maxSchemas {
		return nil, invalidValue("must have at most %d values, not %d", maxSchemas, len(list))
	}
	out := make([]any, 0, len(list))
	for i, element := range list {
		v, f := c.single(c.schema.schemas, element)
		if f != nil {
			return nil, f.inElement(i)
		}
		given, ok := v.(string)
		if !ok {
			continue
		}
		urn := c.schema.urn(given)
		switch {
		case urn != nil:
			v = urn
		case c.Unknown == UnknownReject:
			f := invalidValue("must be %s or one of its extensions, not %s", c.schema.core.urn, describe(v, false))
			return nil, f.inElement(i)
		case c.Unknown == UnknownIgnore:
			continue
		}
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}
