package graph

import (
	"bytes"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Extra are the members of a JSON object that have no field of their own, and those whose field has its zero value, such as null, so
// that they are written again. A field that is set wins over its entry here.
type Extra map[string]jsontext.Value

// read reads an object into a struct and keeps what the struct does not hold. fields is a pointer to a struct type without methods.
func read(d *jsontext.Decoder, fields any, extra *Extra) error {
	raw, err := d.ReadValue()
	if err != nil {
		return err
	}
	if raw.Kind() == jsontext.KindNull {
		// Where null is allowed there is a pointer, and this is not called.
		return errors.New("an object is needed, not null")
	}
	raw = raw.Clone() // the decoder reuses its buffer
	if err := json.Unmarshal(raw, fields, d.Options()); err != nil {
		return err
	}
	held := set(reflect.ValueOf(fields).Elem())
	members, err := split(raw)
	if err != nil {
		return err
	}
	for name, value := range members {
		if held[name] {
			continue
		}
		if *extra == nil {
			*extra = make(Extra)
		}
		(*extra)[name] = value
	}
	return nil
}

// set names the members whose field is not zero.
func set(v reflect.Value) map[string]bool {
	names := make(map[string]bool, v.NumField())
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if name != "-" && !v.Field(i).IsZero() {
			names[name] = true
		}
	}
	return names
}

// split takes an object apart.
func split(object jsontext.Value) (map[string]jsontext.Value, error) {
	members := make(map[string]jsontext.Value)
	d := jsontext.NewDecoder(bytes.NewReader(object))
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	for d.PeekKind() != jsontext.KindEndObject {
		token, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		name := token.String()
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		members[name] = value.Clone()
	}
	return members, nil
}

// write writes a struct and what was kept beside it, in order of the names.
func write(e *jsontext.Encoder, fields any, extra Extra) error {
	if len(extra) == 0 {
		return json.MarshalEncode(e, fields)
	}
	data, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	d := jsontext.NewDecoder(bytes.NewReader(data))
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	if err := e.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for d.PeekKind() != jsontext.KindEndObject {
		value, err := d.ReadValue() // a name, then its value
		if err != nil {
			return err
		}
		if err := e.WriteValue(value); err != nil {
			return err
		}
	}
	held := set(reflect.ValueOf(fields))
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		if held[name] {
			continue
		}
		if err := e.WriteToken(jsontext.String(name)); err != nil {
			return err
		}
		if err := e.WriteValue(extra[name]); err != nil {
			return err
		}
	}
	return e.WriteToken(jsontext.EndObject)
}
