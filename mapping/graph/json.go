package graph

import "github.com/go-json-experiment/json/jsontext"

// The methods below read and write each type with its Extra. The local types have the fields and not the methods, which would call
// themselves.

// UnmarshalJSONFrom keeps members without a field in Extra.
func (v *Schema) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type fields Schema
	*v = Schema{}
	return read(d, (*fields)(v), &v.Extra)
}

// MarshalJSONTo writes Extra after the fields.
func (v Schema) MarshalJSONTo(e *jsontext.Encoder) error {
	type fields Schema
	return write(e, fields(v), v.Extra)
}

// UnmarshalJSONFrom keeps members without a field in Extra.
func (v *Directory) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type fields Directory
	*v = Directory{}
	return read(d, (*fields)(v), &v.Extra)
}

// MarshalJSONTo writes Extra after the fields.
func (v Directory) MarshalJSONTo(e *jsontext.Encoder) error {
	type fields Directory
	return write(e, fields(v), v.Extra)
}

// UnmarshalJSONFrom keeps members without a field in Extra.
func (v *ObjectDefinition) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type fields ObjectDefinition
	*v = ObjectDefinition{}
	return read(d, (*fields)(v), &v.Extra)
}

// MarshalJSONTo writes Extra after the fields.
func (v ObjectDefinition) MarshalJSONTo(e *jsontext.Encoder) error {
	type fields ObjectDefinition
	return write(e, fields(v), v.Extra)
}

// UnmarshalJSONFrom keeps members without a field in Extra.
func (v *AttributeDefinition) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type fields AttributeDefinition
	*v = AttributeDefinition{}
	return read(d, (*fields)(v), &v.Extra)
}

// MarshalJSONTo writes Extra after the fields.
func (v AttributeDefinition) MarshalJSONTo(e *jsontext.Encoder) error {
	type fields AttributeDefinition
	return write(e, fields(v), v.Extra)
}

// UnmarshalJSONFrom keeps members without a field in Extra.
func (v *Rule) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type fields Rule
	*v = Rule{}
	return read(d, (*fields)(v), &v.Extra)
}

// MarshalJSONTo writes Extra after the fields.
func (v Rule) MarshalJSONTo(e *jsontext.Encoder) error {
	type fields Rule
	return write(e, fields(v), v.Extra)
}

// UnmarshalJSONFrom keeps members without a field in Extra.
func (v *ObjectMapping) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type fields ObjectMapping
	*v = ObjectMapping{}
	return read(d, (*fields)(v), &v.Extra)
}

// MarshalJSONTo writes Extra after the fields.
func (v ObjectMapping) MarshalJSONTo(e *jsontext.Encoder) error {
	type fields ObjectMapping
	return write(e, fields(v), v.Extra)
}

// UnmarshalJSONFrom keeps members without a field in Extra.
func (v *AttributeMapping) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type fields AttributeMapping
	*v = AttributeMapping{}
	return read(d, (*fields)(v), &v.Extra)
}

// MarshalJSONTo writes Extra after the fields.
func (v AttributeMapping) MarshalJSONTo(e *jsontext.Encoder) error {
	type fields AttributeMapping
	return write(e, fields(v), v.Extra)
}

// UnmarshalJSONFrom keeps members without a field in Extra.
func (v *Source) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type fields Source
	*v = Source{}
	return read(d, (*fields)(v), &v.Extra)
}

// MarshalJSONTo writes Extra after the fields.
func (v Source) MarshalJSONTo(e *jsontext.Encoder) error {
	type fields Source
	return write(e, fields(v), v.Extra)
}

// UnmarshalJSONFrom keeps members without a field in Extra.
func (v *Parameter) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type fields Parameter
	*v = Parameter{}
	return read(d, (*fields)(v), &v.Extra)
}

// MarshalJSONTo writes Extra after the fields.
func (v Parameter) MarshalJSONTo(e *jsontext.Encoder) error {
	type fields Parameter
	return write(e, fields(v), v.Extra)
}

// UnmarshalJSONFrom keeps members without a field in Extra.
func (v *Filter) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type fields Filter
	*v = Filter{}
	return read(d, (*fields)(v), &v.Extra)
}

// MarshalJSONTo writes Extra after the fields.
func (v Filter) MarshalJSONTo(e *jsontext.Encoder) error {
	type fields Filter
	return write(e, fields(v), v.Extra)
}

// UnmarshalJSONFrom keeps members without a field in Extra.
func (v *FilterGroup) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type fields FilterGroup
	*v = FilterGroup{}
	return read(d, (*fields)(v), &v.Extra)
}

// MarshalJSONTo writes Extra after the fields.
func (v FilterGroup) MarshalJSONTo(e *jsontext.Encoder) error {
	type fields FilterGroup
	return write(e, fields(v), v.Extra)
}

// UnmarshalJSONFrom keeps members without a field in Extra.
func (v *FilterClause) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type fields FilterClause
	*v = FilterClause{}
	return read(d, (*fields)(v), &v.Extra)
}

// MarshalJSONTo writes Extra after the fields.
func (v FilterClause) MarshalJSONTo(e *jsontext.Encoder) error {
	type fields FilterClause
	return write(e, fields(v), v.Extra)
}

// UnmarshalJSONFrom keeps members without a field in Extra.
func (v *FilterOperand) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type fields FilterOperand
	*v = FilterOperand{}
	return read(d, (*fields)(v), &v.Extra)
}

// MarshalJSONTo writes Extra after the fields.
func (v FilterOperand) MarshalJSONTo(e *jsontext.Encoder) error {
	type fields FilterOperand
	return write(e, fields(v), v.Extra)
}
