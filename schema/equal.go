package schema

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Equal reports whether two values of the attribute mean the same. Strings differ in case only if the attribute is CaseExact;
// dateTimes are compared as instants, binaries as data, numbers by value; objects by their sub-attributes, where one that is
// unassigned is like an absent one; and the values of a multi-valued attribute as a collection whose order means
// nothing. v and w are both a whole value, or both one element of a multi-valued attribute. The time taken is linear.
func (a *Attribute) Equal(v, w any) bool {
	if unassigned(v) || unassigned(w) {
		return unassigned(v) && unassigned(w)
	}
	switch v := v.(type) {
	case string:
		w, ok := w.(string)
		return ok && (v == w || a.equalText(v, w))
	case []any:
		w, ok := w.([]any)
		return ok && a.equalLists(v, w)
	case map[string]any:
		w, ok := w.(map[string]any)
		return ok && a.equalObjects(v, w)
	}
	return a.Key(v) == a.Key(w)
}

func (a *Attribute) equalText(v, w string) bool {
	switch a.Type {
	case DateTime:
		t, ok := parseTime(v)
		u, also := parseTime(w)
		return ok && also && t.Equal(u)
	case Binary:
		return canonicalText(a.Type, v) == canonicalText(a.Type, w)
	}
	return !a.CaseExact && strings.EqualFold(v, w)
}

func (a *Attribute) equalLists(v, w []any) bool {
	if len(v) != len(w) {
		return false
	}
	// Lists that are equal mostly have one order.
	same := 0
	for same < len(v) && a.Equal(v[same], w[same]) {
		same++
	}
	v, w = v[same:], w[same:]
	if len(v) == 0 {
		return true
	}
	count := make(map[string]int, len(v))
	for _, e := range v {
		count[a.Key(e)]++
	}
	for _, e := range w {
		key := a.Key(e)
		if count[key] == 0 {
			return false
		}
		count[key]--
	}
	return true
}

func (a *Attribute) equalObjects(v, w map[string]any) bool {
	for name, value := range v {
		sub, ok := a.subs.find(name)
		if !ok {
			sub = anything
		}
		if !sub.Equal(value, w[name]) {
			return false
		}
	}
	for name, value := range w {
		if _, ok := v[name]; !ok && !unassigned(value) {
			return false
		}
	}
	return true
}

// anything is the definition of attributes that no schema defines.
var anything = &Attribute{CaseExact: true}

// unassigned reports whether a value is like an absent one (RFC 7643 section 2.5).
func unassigned(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// Key returns a text that two values of the attribute have in common exactly when they are [Attribute.Equal]. It is for
// maps; its form may change.
func (a *Attribute) Key(v any) string { return string(a.appendKey(nil, v)) }

func (a *Attribute) appendKey(b []byte, v any) []byte {
	if unassigned(v) {
		return append(b, '-')
	}
	switch v := v.(type) {
	case string:
		b = append(b, '"')
		if a.CaseExact || a.Type == DateTime || a.Type == Binary {
			v = canonicalText(a.Type, v)
		} else {
			v = foldCase(v)
		}
		return appendText(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(append(b, '#'), v, 10)
	case float64:
		return appendNumber(append(b, '#'), v)
	case []any:
		return a.appendListKey(b, v)
	case map[string]any:
		return a.appendObjectKey(b, v)
	}
	return append(b, '?')
}

// appendText appends s so that what follows cannot be taken for a part of it.
func appendText(b []byte, s string) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 10)
	return append(append(b, ':'), s...)
}

// appendNumber writes whole numbers as int64 values are written.
func appendNumber(b []byte, f float64) []byte {
	if f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
		return strconv.AppendInt(b, int64(f), 10)
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

func (a *Attribute) appendListKey(b []byte, list []any) []byte {
	keys := make([]string, len(list))
	for i, e := range list {
		keys[i] = a.Key(e)
	}
	slices.Sort(keys)
	b = append(b, '[')
	for _, key := range keys {
		b = appendText(b, key)
	}
	return append(b, ']')
}

func (a *Attribute) appendObjectKey(b []byte, object map[string]any) []byte {
	names := make([]string, 0, len(object))
	for name, value := range object {
		if !unassigned(value) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	b = append(b, '{')
	for _, name := range names {
		sub, ok := a.subs.find(name)
		if !ok {
			sub = anything
		}
		b = sub.appendKey(appendText(b, name), object[name])
	}
	return append(b, '}')
}

// canonicalText returns the canonical form of a dateTime or binary, where it has one.
func canonicalText(t Type, s string) string {
	switch t {
	case DateTime:
		if c, ok := canonicalTime(s); ok {
			return c
		}
	case Binary:
		if c, ok := canonicalBase64(s, false); ok {
			return c
		}
	}
	return s
}

// foldCase returns a text that all strings have in common which strings.EqualFold calls equal.
func foldCase(s string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf {
			if 'a' <= r && r <= 'z' {
				return r - 'a' + 'A'
			}
			return r
		}
		// The least of all letters that differ in case only: A-Z for those that have one there.
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, s)
}
