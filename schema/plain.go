package schema

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/scimbridge/scim"
)

// plain returns a Go value as one of the types of a [scim.Document]; its elements stay as they are.
func plain(v any) (any, *fault) {
	switch v := v.(type) {
	case nil, string, bool, int64, float64, []any, map[string]any:
		if s, ok := v.(string); ok && !utf8.ValidString(s) {
			return nil, invalidValue("must be UTF-8")
		}
		return v, nil
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		if n, err := v.Float64(); err == nil {
			return n, nil
		}
		return nil, invalidValue("must be a number, not %s", shorten(v.String()))
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), nil
	case []byte:
		return base64.StdEncoding.EncodeToString(v), nil
	}
	return plainKind(reflect.ValueOf(v))
}

// plainKind is plain for types that are known by their kind only, such as named ones.
func plainKind(v reflect.Value) (any, *fault) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil, nil
		}
		return plain(v.Elem().Interface())
	case reflect.String:
		return plain(v.String())
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if v.Uint() > math.MaxInt64 {
			return float64(v.Uint()), nil
		}
		return int64(v.Uint()), nil
	case reflect.Float32, reflect.Float64:
		return v.Float(), nil
	case reflect.Slice, reflect.Array:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = v.Index(i).Interface()
		}
		return list, nil
	case reflect.Map:
		if v.Type().Key().Kind() == reflect.String {
			object := make(map[string]any, v.Len())
			for key, value := range v.Seq2() {
				object[key.String()] = value.Interface()
			}
			return object, nil
		}
	}
	return nil, invalidValue("cannot hold a Go value of type %s", v.Type())
}

// asList returns a value that is an array in JSON.
func asList(v any) ([]any, bool) {
	if list, ok := v.([]any); ok {
		return list, true
	}
	p, f := plain(v)
	list, ok := p.([]any)
	return list, ok && f == nil
}

// asObject returns a value that is an object in JSON.
func asObject(v any) (map[string]any, bool) {
	if object, ok := v.(map[string]any); ok {
		return object, true
	}
	p, f := plain(v)
	object, ok := p.(map[string]any)
	return object, ok && f == nil
}

// cloneUnknown returns a deep copy of a value that no schema describes, in the types of a document; nil when
// it is unassigned.
func cloneUnknown(v any, depth int) (any, *fault) {
	if depth > scim.MaxDepth {
		return nil, invalidValue("is nested deeper than %d levels", scim.MaxDepth)
	}
	p, f := plain(v)
	if f != nil {
		return nil, f
	}
	switch p := p.(type) {
	case float64:
		if !finite(p) {
			return nil, invalidValue("must be a finite number")
		}
	case map[string]any:
		return cloneObject(p, depth)
	case []any:
		return cloneList(p, depth)
	}
	return p, nil
}

func cloneObject(object map[string]any, depth int) (any, *fault) {
	out := make(map[string]any, len(object))
	// In order, so that it is always the same fault that is found.
	for _, name := range slices.Sorted(maps.Keys(object)) {
		v, f := cloneUnknown(object[name], depth+1)
		switch {
		case f != nil:
			return nil, f.inAttribute(shortName(name), false)
		case !utf8.ValidString(name):
			return nil, invalidValue("must have names in UTF-8")
		case v != nil:
			out[name] = v
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

func cloneList(list []any, depth int) (any, *fault) {
	out := make([]any, 0, len(list))
	for i, element := range list {
		v, f := cloneUnknown(element, depth+1)
		if f != nil {
			return nil, f.inElement(i)
		}
		if v != nil {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// unknownTwice returns the fault of an unknown attribute that occurs in out under two spellings.
func unknownTwice(a *Attribute, out map[string]any) *fault {
	seen := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(out)) {
		if _, ok := a.subs.find(name); ok {
			continue
		}
		if other, ok := seen[lower(name)]; ok {
			f := invalidSyntax("is given twice, as %s", quoteAll([]string{other, name}))
			return f.inAttribute(shortName(name), false)
		}
		seen[lower(name)] = name
	}
	return nil
}

// shortName returns a name that came from outside as it can be shown in a path.
func shortName(name string) string {
	const most = 80
	if len(name) > most || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == utf8.RuneError }) {
		return shorten(name)
	}
	return name
}

func quoteAll(names []string) string {
	short := make([]string, 0, len(names))
	for _, name := range names[:min(len(names), 4)] {
		short = append(short, shortName(name))
	}
	return strings.Join(short, " and ")
}
