package elimity

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	elimity "github.com/elimity-com/scim"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

// attributes returns a document as handlers get it: a copy without what is readOnly, which is theirs or the server's.
func (rt *resourceType) attributes(doc scim.Document) (elimity.ResourceAttributes, error) {
	own, err := rt.schema.Canonical(doc, schema.Options{Mode: schema.ModePatch, Unknown: schema.UnknownKeep, Tolerant: true})
	if err != nil {
		return nil, err
	}
	own = own.Clone()
	for _, name := range []string{"id", "meta", "schemas"} {
		delete(own, name)
	}
	return elimity.ResourceAttributes(own), nil
}

// document returns a handler's resource in canonical form. It shares nothing with it.
func (s *store) document(ctx context.Context, rt *resourceType, r elimity.Resource) (scim.Document, error) {
	plain, err := plainObject(reflect.ValueOf(map[string]any(r.Attributes)), 0)
	if err != nil {
		return nil, fmt.Errorf("elimity: resource %s of type %s: %w", r.ID, rt.Name, err)
	}
	for name := range plain {
		if strings.EqualFold(name, "id") || strings.EqualFold(name, "meta") || strings.EqualFold(name, "schemas") {
			delete(plain, name)
		}
	}
	doc := s.canonical(ctx, rt, plain)
	doc["id"] = r.ID
	if r.ExternalID.Present() {
		doc["externalId"] = r.ExternalID.Value()
	}
	schemas := []any{rt.schema.URN()}
	for _, e := range rt.extensions {
		if object, ok := doc[e.ID].(map[string]any); ok && len(object) > 0 {
			schemas = append(schemas, e.ID)
		}
	}
	doc["schemas"] = schemas
	meta := map[string]any{"resourceType": rt.Name}
	if t := r.Meta.Created; t != nil && !t.IsZero() {
		meta["created"] = server.FormatTime(*t)
	}
	if t := r.Meta.LastModified; t != nil && !t.IsZero() {
		meta["lastModified"] = server.FormatTime(*t)
	}
	doc["meta"] = meta
	return doc, nil
}

// canonical returns attributes in canonical form. One that has no such form is left out, and logged: a resource that was stored long ago must
// not make a whole list unreadable.
func (s *store) canonical(ctx context.Context, rt *resourceType, plain map[string]any) scim.Document {
	options := schema.Options{Mode: schema.ModeAny, Unknown: schema.UnknownKeep, Tolerant: true}
	if doc, err := rt.schema.Canonical(plain, options); err == nil {
		return doc
	}
	kept := maps.Clone(plain)
	for _, name := range slices.Sorted(maps.Keys(plain)) {
		if _, err := rt.schema.Canonical(map[string]any{name: plain[name]}, options); err != nil {
			s.logger.LogAttrs(ctx, slog.LevelError, "a handler returned an attribute that its schema does not allow",
				slog.String("type", rt.Name), slog.String("error", err.Error()))
			delete(kept, name)
		}
	}
	doc, err := rt.schema.Canonical(kept, options)
	if err != nil { // the attributes contradict each other
		s.logger.LogAttrs(ctx, slog.LevelError, "a handler returned attributes that its schema does not allow",
			slog.String("type", rt.Name), slog.String("error", err.Error()))
		return scim.Document{}
	}
	return doc
}

// keepTimes gives a document that a handler returned without times those that the server has for it.
func keepTimes(doc, from scim.Document) {
	meta, _ := doc["meta"].(map[string]any)
	times, _ := from["meta"].(map[string]any)
	for _, name := range []string{"created", "lastModified"} {
		if meta[name] == nil && times[name] != nil {
			meta[name] = times[name]
		}
	}
}

// digest returns a digest of the content of a document. Times are left out: a handler that does not keep them makes up new ones.
func digest(doc scim.Document) string {
	content := maps.Clone(doc)
	delete(content, "meta")
	delete(content, "schemas")
	data, err := json.Marshal(map[string]any(content), json.Deterministic(true))
	if err != nil { // text that is not UTF-8: then it is never the same, and no condition holds
		data = fmt.Append(nil, err)
	}
	sum := sha256.Sum256(data)
	return base64.RawURLEncoding.EncodeToString(sum[:15])
}

// maxDepth bounds values that contain themselves.
const maxDepth = 32

var errDepth = errors.New("an attribute is nested too deeply")

// plain returns a copy of a Go value with the types that documents have.
func plain(v reflect.Value, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	if !v.IsValid() {
		return nil, nil
	}
	switch x := v.Interface().(type) {
	case time.Time:
		return x.UTC().Format(time.RFC3339Nano), nil
	case stdjson.Number:
		return number(x)
	case []byte:
		return base64.StdEncoding.EncodeToString(x), nil
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil, nil
		}
		return plain(v.Elem(), depth+1)
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if u := v.Uint(); u <= math.MaxInt64 {
			return int64(u), nil
		}
		return float64(v.Uint()), nil
	case reflect.Float32, reflect.Float64:
		return v.Float(), nil
	case reflect.Slice, reflect.Array:
		return plainArray(v, depth)
	case reflect.Map:
		if v.Type().Key().Kind() == reflect.String {
			return plainObject(v, depth)
		}
	}
	return viaJSON(v)
}

func plainArray(v reflect.Value, depth int) (any, error) {
	if v.Kind() == reflect.Slice && v.IsNil() {
		return nil, nil
	}
	list := make([]any, v.Len())
	for i := range list {
		var err error
		if list[i], err = plain(v.Index(i), depth+1); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func plainObject(v reflect.Value, depth int) (map[string]any, error) {
	object := make(map[string]any, v.Len())
	for entries := v.MapRange(); entries.Next(); {
		value, err := plain(entries.Value(), depth+1)
		if err != nil {
			return nil, err
		}
		object[entries.Key().String()] = value
	}
	return object, nil
}

func number(n stdjson.Number) (any, error) {
	if i, err := n.Int64(); err == nil {
		return i, nil
	}
	f, err := n.Float64()
	return f, err
}

// viaJSON takes a value for what the library would have written of it.
func viaJSON(v reflect.Value) (any, error) {
	data, err := stdjson.Marshal(v.Interface())
	if err != nil {
		return nil, err
	}
	doc, err := scim.DecodeDocument(slices.Concat([]byte(`{"value":`), data, []byte("}")))
	return doc["value"], err
}
