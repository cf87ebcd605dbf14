package provision

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
)

// Documents of governed attributes are compared, joined and taken apart here. Elements of a list that have a type, such as e-mail
// addresses, are told apart by it, because a mapping governs those of one type and not the others.

// merge returns a document with the values of another put over its own.
func merge(base, over scim.Document) scim.Document {
	if len(base) == 0 {
		return over.Clone()
	}
	merged := base.Clone()
	for name, v := range over.Clone() {
		merged[name] = mergeValue(merged[name], v)
	}
	return merged
}

func mergeValue(base, over any) any {
	switch over := over.(type) {
	case map[string]any:
		old, ok := base.(map[string]any)
		if !ok {
			return over
		}
		for name, v := range over {
			old[name] = mergeValue(old[name], v)
		}
		return old
	case []any:
		old, ok := base.([]any)
		if !ok || !typed(over) {
			return over
		}
		for _, element := range over {
			if i := sameType(old, element); i >= 0 {
				old[i] = mergeValue(old[i], element)
			} else {
				old = append(old, element)
			}
		}
		return old
	}
	return over
}

// typed reports whether all elements of a list say of which type they are.
func typed(list []any) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(e any) bool { return typeOf(e) == "" })
}

func typeOf(element any) string {
	object, _ := element.(map[string]any)
	text, _ := object["type"].(string)
	return text
}

// sameType returns the place of the element with the same type, or -1.
func sameType(list []any, element any) int {
	want := typeOf(element)
	return slices.IndexFunc(list, func(e any) bool { return strings.EqualFold(typeOf(e), want) })
}

// project returns what a document has of the attributes that a shape has.
func project(doc, shape scim.Document) scim.Document {
	got, _ := projectValue(map[string]any(doc), map[string]any(shape)).(map[string]any)
	return got
}

func projectValue(v, shape any) any {
	switch shape := shape.(type) {
	case map[string]any:
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		kept := map[string]any{}
		for name, s := range shape {
			if got := projectValue(field(object, name), s); got != nil {
				kept[name] = got
			}
		}
		if len(kept) == 0 {
			return nil
		}
		return kept
	case []any:
		list, ok := v.([]any)
		if !ok || !typed(shape) {
			return cloneAny(v)
		}
		var kept []any
		for _, s := range shape {
			if i := sameType(list, s); i >= 0 {
				if got := projectValue(list[i], s); got != nil {
					kept = append(kept, got)
				}
			}
		}
		if kept == nil {
			return nil
		}
		return kept
	}
	return cloneAny(v)
}

func cloneAny(v any) any { return scim.Document{"": v}.Clone()[""] }

// field looks an attribute up in any case, as services spell names in their own way.
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

// difference returns what one document has otherwise than another.
func difference(from, to scim.Document) scim.Document {
	diff := scim.Document{}
	for name, v := range to {
		old := from[name]
		if equalValue(old, v) {
			continue
		}
		inner, isMap := v.(map[string]any)
		before, wasMap := old.(map[string]any)
		if isMap && wasMap {
			diff[name] = map[string]any(difference(before, inner))
		} else {
			diff[name] = cloneAny(v)
		}
	}
	return diff
}

// equalDocs reports whether two documents say the same. The order of lists does not matter (RFC 7643 section 2.4), nor does an
// attribute with null or an empty list differ from none.
func equalDocs(a, b scim.Document) bool {
	return equalValue(map[string]any(a), map[string]any(b))
}

func equalValue(a, b any) bool {
	if empty(a) || empty(b) {
		return empty(a) && empty(b)
	}
	switch a := a.(type) {
	case map[string]any:
		other, ok := b.(map[string]any)
		return ok && equalObjects(a, other)
	case []any:
		other, ok := b.([]any)
		return ok && equalLists(a, other)
	case float64:
		if i, ok := b.(int64); ok {
			return a == float64(i)
		}
	case int64:
		if f, ok := b.(float64); ok {
			return f == float64(a)
		}
	}
	return a == b
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, inner := range v {
			if !empty(inner) {
				return false
			}
		}
		return true
	}
	return false
}

func equalObjects(a, b map[string]any) bool {
	for name, v := range a {
		if !equalValue(v, b[name]) {
			return false
		}
	}
	for name, v := range b {
		if _, ok := a[name]; !ok && !empty(v) {
			return false
		}
	}
	return true
}

func equalLists(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	used := make([]bool, len(b))
	for _, v := range a {
		i := slices.IndexFunc(b, func(w any) bool { return equalValue(v, w) })
		for i >= 0 && used[i] {
			next := slices.IndexFunc(b[i+1:], func(w any) bool { return equalValue(v, w) })
			if next < 0 {
				return false
			}
			i += 1 + next
		}
		if i < 0 {
			return false
		}
		used[i] = true
	}
	return true
}

// location is where a path leads in a document.
type location struct {
	path     filter.Path
	elements *filter.ElementPredicate
}

func locate(text string) (location, error) {
	p, err := filter.ParsePath(text)
	if err != nil {
		return location{}, err
	}
	l := location{path: p}
	if !p.Filter.IsZero() {
		if l.elements, err = p.Compile(nil); err != nil {
			return location{}, err
		}
	}
	return l, nil
}

// values returns the single values at a location.
func (l location) values(doc map[string]any) []any {
	if urn := l.path.Attr.URN; urn != "" && !strings.HasPrefix(urn, "urn:ietf:params:scim:schemas:core:") {
		doc, _ = field(doc, urn).(map[string]any)
	}
	sub := l.path.Target().Sub
	var found []any
	for _, v := range asList(field(doc, l.path.Attr.Name)) {
		object, isObject := v.(map[string]any)
		if l.elements != nil && !l.elements.Match(v) {
			continue
		}
		if sub != "" && isObject {
			v = field(object, sub)
		}
		found = append(found, asList(v)...)
	}
	return found
}

// keep takes the attribute that a location is in over into a document that does not have it.
func (l location) keep(into, from map[string]any) {
	name := l.path.Attr.Name
	if urn := l.path.Attr.URN; urn != "" && !strings.HasPrefix(urn, "urn:ietf:params:scim:schemas:core:") {
		name = urn
	}
	if v := field(from, name); v != nil {
		into[name] = cloneAny(v)
	}
}

func asList(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// set gives the single value at a location without filter another value.
func (l location) set(doc map[string]any, value any) {
	if l.elements != nil {
		return
	}
	if urn := l.path.Attr.URN; urn != "" && !strings.HasPrefix(urn, "urn:ietf:params:scim:schemas:core:") {
		doc, _ = doc[urn].(map[string]any)
	}
	if doc == nil {
		return
	}
	if l.path.Attr.Sub == "" {
		doc[l.path.Attr.Name] = value
	} else if object, ok := doc[l.path.Attr.Name].(map[string]any); ok {
		object[l.path.Attr.Sub] = value
	}
}

// refer sets a reference to target objects in an empty document: one object with their id, or a list of such.
func (l location) refer(doc map[string]any, ids []string) {
	if len(ids) == 0 {
		return
	}
	if urn := l.path.Attr.URN; urn != "" && !strings.HasPrefix(urn, "urn:ietf:params:scim:schemas:core:") {
		inner := map[string]any{}
		doc[urn] = inner
		doc = inner
	}
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = map[string]any{"value": id}
	}
	if len(list) == 1 && !strings.EqualFold(l.path.Attr.Name, "members") {
		doc[l.path.Attr.Name] = list[0]
		return
	}
	doc[l.path.Attr.Name] = list
}

// referred returns the target ids that a reference of a document has.
func (l location) referred(doc map[string]any) []string {
	if urn := l.path.Attr.URN; urn != "" && !strings.HasPrefix(urn, "urn:ietf:params:scim:schemas:core:") {
		doc, _ = field(doc, urn).(map[string]any)
	}
	var ids []string
	for _, v := range asList(field(doc, l.path.Attr.Name)) {
		if object, ok := v.(map[string]any); ok {
			v = field(object, "value")
		}
		if id, ok := v.(string); ok && id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// matchFilter returns the filter that finds a matching value.
func matchFilter(m MatchValue) (filter.Filter, error) {
	p, err := filter.ParsePath(m.Attribute)
	if err != nil {
		return filter.Filter{}, err
	}
	if p.Filter.IsZero() {
		return filter.Eq(p.Target().String(), m.Value), nil
	}
	whole := filter.Attr{URN: p.Attr.URN, Name: p.Attr.Name}
	f := filter.Has(whole.String(), p.Filter.And(filter.Eq(p.Sub, m.Value)))
	return f, f.Err()
}

// changes lists how two documents differ, attribute by attribute. Values of redacted paths are not shown.
func changes(before, after scim.Document, redacted []string) []Change {
	old, now := map[string]any{}, map[string]any{}
	flatten(old, "", map[string]any(before))
	flatten(now, "", map[string]any(after))
	var list []Change
	for _, path := range sortedKeys(now) {
		if !equalValue(old[path], now[path]) {
			list = append(list, Change{path, old[path], now[path]})
		}
	}
	for _, path := range sortedKeys(old) {
		if _, ok := now[path]; !ok && !empty(old[path]) {
			list = append(list, Change{path, old[path], nil})
		}
	}
	for i := range list {
		if isRedacted(list[i].Attribute, redacted) {
			list[i].Old, list[i].New = hide(list[i].Old), hide(list[i].New)
		}
	}
	return list
}

func hide(v any) any {
	if v == nil {
		return nil
	}
	return Redacted
}

// isRedacted reports whether a path, or the attribute that it is in, is to be hidden. What is hidden in one element of a list is
// hidden in all.
func isRedacted(path string, redacted []string) bool {
	whole, _, _ := strings.Cut(path, "[")
	for _, r := range redacted {
		attribute, _, hasFilter := strings.Cut(r, "[")
		if strings.EqualFold(r, path) || strings.HasPrefix(path, r+".") || strings.HasPrefix(r, path+".") ||
			hasFilter && strings.EqualFold(attribute, whole) {
			return true
		}
	}
	return false
}

func flatten(into map[string]any, prefix string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			path := name
			if prefix != "" {
				separator := "."
				if strings.HasPrefix(prefix, "urn:") && !strings.Contains(prefix, " ") {
					separator = ":"
				}
				path = prefix + separator + name
			}
			flatten(into, path, inner)
		}
		return
	case []any:
		if typed(v) {
			for _, e := range v {
				flatten(into, fmt.Sprintf("%s[type eq %q]", prefix, typeOf(e)), withoutType(e))
			}
			return
		}
	}
	if !empty(v) {
		into[prefix] = v
	}
}

func withoutType(element any) any {
	object, _ := element.(map[string]any)
	kept := make(map[string]any, len(object))
	for name, v := range object {
		if name != "type" {
			kept[name] = v
		}
	}
	return kept
}

// text returns a value as the provisioning log shows it.
func text(v any) *string {
	if v == nil {
		return nil
	}
	if s, ok := v.(string); ok {
		return &s
	}
	data, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return nil
	}
	s := string(data)
	return &s
}

// rebase makes the same change to a document that leads from before to after. What that does not concern stays as it is.
func rebase(doc, before, after map[string]any) map[string]any {
	changed := make(map[string]any, len(doc))
	for name, v := range doc {
		changed[name] = v
	}
	for _, name := range sortedKeys(union(before, after)) {
		old, now := before[name], after[name]
		if equalValue(old, now) {
			continue
		}
		key := spelling(changed, name)
		if v := rebaseValue(changed[key], old, now); empty(v) {
			delete(changed, key)
		} else {
			changed[key] = v
		}
	}
	return changed
}

func union(a, b map[string]any) map[string]any {
	all := make(map[string]any, len(a)+len(b))
	for name := range a {
		all[name] = nil
	}
	for name := range b {
		all[name] = nil
	}
	return all
}

// spelling returns how an object writes a name.
func spelling(object map[string]any, name string) string {
	if _, ok := object[name]; ok {
		return name
	}
	for key := range object {
		if strings.EqualFold(key, name) {
			return key
		}
	}
	return name
}

func rebaseValue(v, old, now any) any {
	nowObject, isObject := now.(map[string]any)
	oldObject, wasObject := old.(map[string]any)
	if object, ok := v.(map[string]any); ok && (isObject || now == nil && wasObject) {
		return rebase(object, oldObject, nowObject)
	}
	nowList, isList := now.([]any)
	oldList, wasList := old.([]any)
	if list, ok := v.([]any); ok && (isList || now == nil && wasList) {
		return rebaseList(list, oldList, nowList)
	}
	return cloneAny(now)
}

// rebaseList takes elements out of a list and adds others. One that was changed keeps what is not governed of it.
func rebaseList(list, old, now []any) []any {
	removed, added := without(old, now), without(now, old)
	changed := slices.Clone(list)
	for _, was := range removed {
		i := slices.IndexFunc(changed, func(e any) bool { return covers(e, was) })
		if i < 0 {
			continue
		}
		becomes := slices.IndexFunc(added, func(e any) bool { return typeOf(e) != "" && strings.EqualFold(typeOf(e), typeOf(was)) })
		if becomes < 0 {
			changed = slices.Delete(changed, i, i+1)
			continue
		}
		changed[i] = rebaseValue(changed[i], was, added[becomes])
		added = slices.Delete(added, becomes, becomes+1)
	}
	for _, e := range added {
		if !slices.ContainsFunc(changed, func(have any) bool { return covers(have, e) }) {
			changed = append(changed, cloneAny(e))
		}
	}
	return changed
}

// without returns the elements of a list that another list does not have.
func without(list, other []any) []any {
	return slices.DeleteFunc(slices.Clone(list), func(e any) bool {
		return slices.ContainsFunc(other, func(o any) bool { return equalValue(e, o) })
	})
}

// covers reports whether an element has all that another has; it may have more.
func covers(element, part any) bool {
	object, ok := element.(map[string]any)
	want, isObject := part.(map[string]any)
	if !ok || !isObject {
		return equalValue(element, part)
	}
	for name, v := range want {
		if !equalValue(field(object, name), v) {
			return false
		}
	}
	return true
}
