package patch

import (
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
)

// types tells package filter what the attributes of a schema are.
type types struct{ *schema.Schema }

var kinds = map[schema.Type]filter.Kind{
	schema.String: filter.String, schema.Boolean: filter.Boolean, schema.Decimal: filter.Decimal, schema.Integer: filter.Integer,
	schema.DateTime: filter.DateTime, schema.Binary: filter.Binary, schema.Reference: filter.Reference, schema.Complex: filter.Complex,
}

func (t types) AttrType(a filter.Attr) (filter.Type, bool) {
	at, ok := t.Lookup(a.String())
	if !ok {
		return filter.Type{}, false
	}
	name := filter.Attr{URN: at.URN, Name: at.Name}
	if p := at.Parent(); p != nil {
		name.Name, name.Sub = p.Name, at.Name
	}
	return filter.Type{Kind: kinds[at.Type], CaseExact: at.CaseExact, MultiValued: at.MultiValued, Canonical: name}, true
}
