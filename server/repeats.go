package server

import (
	"maps"
	"slices"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server/internal/casefold"
)

// repeatable returns the attributes of which an element may be given twice: those with several values that have a type and a value. Members are
// settled with what else is to say of them.
func repeatable(sc *schema.Schema) map[string]*schema.Attribute {
	list := make(map[string]*schema.Attribute)
	for a := range sc.Attributes() {
		_, hasType := a.SubAttribute("type")
		_, hasValue := a.SubAttribute("value")
		if hasType && hasValue && a.MultiValued && a.URN == "" && a.Name != Members && a.Mutability != schema.ReadOnly {
			list[a.Name] = a
		}
	}
	return list
}

// joinRepeats makes one of the elements of an attribute that have the same type and value: clients should not be shown a combination twice (RFC
// 7643 section 2.4). Only the top level of doc is changed.
func (rt *resourceType) joinRepeats(doc scim.Document) {
	for name, v := range doc {
		list, ok := v.([]any)
		if !ok || len(list) < 2 {
			continue
		}
		if a, ok := rt.repeatable[name]; ok {
			doc[name] = joined(a, list)
		}
	}
}

// joined returns the elements without those that repeat another, which get what these have in addition. Neither list nor its elements are
// changed.
func joined(a *schema.Attribute, list []any) []any {
	if !repeats(a, list) {
		return list
	}
	kept := make([]any, 0, len(list))
	places := make(map[[2]string]int, len(list))
	for _, e := range list {
		key, ok := repeatKey(a, e)
		at, again := places[key]
		if ok && again {
			kept[at] = joinElement(kept[at].(map[string]any), e.(map[string]any))
			continue
		}
		if ok {
			places[key] = len(kept)
		}
		kept = append(kept, e)
	}
	return kept
}

// repeats reports whether an element repeats another. Mostly there are few, and none does.
func repeats(a *schema.Attribute, list []any) bool {
	var few [8][2]string
	if len(list) > len(few) {
		return true // or perhaps: it takes a map to see
	}
	keys := few[:0]
	for _, e := range list {
		key, ok := repeatKey(a, e)
		if ok && slices.Contains(keys, key) {
			return true
		}
		if ok {
			keys = append(keys, key)
		}
	}
	return false
}

// repeatKey returns the type and the value of an element as they are compared.
func repeatKey(a *schema.Attribute, element any) (key [2]string, ok bool) {
	object, _ := element.(map[string]any)
	for i, name := range [...]string{"type", "value"} {
		text, given := object[name].(string)
		if sub, found := a.SubAttribute(name); given && found && !sub.CaseExact {
			text = casefold.String(text)
		}
		key[i] = text
		ok = given // of the value
	}
	return key, ok
}

// joinElement returns an element with what another has in addition.
func joinElement(one, other map[string]any) map[string]any {
	one = maps.Clone(one)
	for name, v := range other {
		if _, has := one[name]; !has || name == "primary" && v == true {
			one[name] = v
		}
	}
	return one
}
