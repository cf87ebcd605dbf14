package server

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// appendJSON appends a document value as JSON, the names of objects in order. Documents are as package scim describes them;
// anything else that a hook put there is written as the JSON library does.
func appendJSON(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case string:
		return appendString(b, v)
	case bool:
		return strconv.AppendBool(b, v), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case map[string]any:
		return appendObject(b, v)
	case []any:
		return appendArray(b, v)
	}
	data, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return b, fmt.Errorf("encode a value of type %T: %w", v, err)
	}
	return append(b, data...), nil
}

func appendObject(b []byte, object map[string]any) ([]byte, error) {
	// Most objects have few names: these need no memory of their own.
	var few [24]string
	names := few[:0]
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return appendMembers(b, names, func(b []byte, name string) ([]byte, error) { return appendJSON(b, object[name]) })
}

// appendMembers appends an object with these names, whose values are appended by value.
func appendMembers(b []byte, names []string, value func([]byte, string) ([]byte, error)) ([]byte, error) {
	b = append(b, '{')
	var err error
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendString(b, name); err != nil {
			return b, err
		}
		if b, err = value(append(b, ':'), name); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

func appendArray(b []byte, list []any) ([]byte, error) {
	b = append(b, '[')
	var err error
	for i, e := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendJSON(b, e); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

func appendString(b []byte, s string) ([]byte, error) { return jsontext.AppendQuote(b, s) }
