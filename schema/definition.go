package schema

import "github.com/scimbridge/scim"

// Definitions returns the core schema and the extensions as resources of the endpoint /Schemas (RFC 7643 section 7), in this
// order. Their meta lacks the location, which only the service knows. Each call returns new documents.
func (s *Schema) Definitions() []scim.Document {
	list := []scim.Document{s.core.definition()}
	for _, e := range s.extensions {
		list = append(list, e.definition())
	}
	return list
}

func (p part) definition() scim.Document {
	doc := scim.Document{
		schemasName:  []any{scim.SchemaSchema},
		"id":         p.urn,
		"attributes": definitions(p.attributes),
		"meta":       map[string]any{"resourceType": "Schema"},
	}
	setText(doc, "name", p.name)
	setText(doc, "description", p.description)
	return doc
}

func definitions(attributes []*Attribute) []any {
	list := make([]any, len(attributes))
	for i, a := range attributes {
		list[i] = a.definition()
	}
	return list
}

// definition returns the attribute as RFC 7643 section 7 describes one: caseExact for texts, uniqueness for all, as clients look for it.
func (a *Attribute) definition() map[string]any {
	d := map[string]any{
		"name": a.Name, "type": string(a.Type), "multiValued": a.MultiValued, "required": a.Required,
		"mutability": string(a.Mutability), "returned": string(a.Returned), "uniqueness": string(a.Uniqueness),
	}
	setText(d, "description", a.Description)
	switch a.Type {
	case Complex:
		d["subAttributes"] = definitions(a.Sub)
	case String, Reference, Binary:
		d["caseExact"] = a.CaseExact
	}
	if len(a.CanonicalValues) > 0 {
		d["canonicalValues"] = texts(a.CanonicalValues)
	}
	if len(a.ReferenceTypes) > 0 {
		d["referenceTypes"] = texts(a.ReferenceTypes)
	}
	return d
}

func setText(object map[string]any, name, text string) {
	if text != "" {
		object[name] = text
	}
}

func texts(list []string) []any {
	values := make([]any, len(list))
	for i, s := range list {
		values[i] = s
	}
	return values
}
