package sqlquery

import (
	"unicode/utf8"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// Entry is a value of an attribute that has a row in the table of [Lookup].
type Entry struct {
	// Path is the path of the attribute.
	Path string
	// Value is what [Text] returns, cut when it is longer than an index takes: it has 504 bytes at most.
	Value string
}

// maxEntry is how long an entry may be, in bytes, without being cut. PostgreSQL takes some 2,700 bytes for all columns of an index.
const maxEntry = 500

// cut is at the end of values that are not there as a whole. It ends nothing else, see Escape.
const cut = string(lead)

// Entries returns the values of those attributes of a document that the paths name, in the schema's spelling; each value once. A
// path that the schema does not have, or that of a complex attribute, is passed over.
func Entries(s *schema.Schema, doc scim.Document, paths ...string) []Entry {
	var list []Entry
	for _, path := range paths {
		a, ok := s.Lookup(path)
		if !ok || a.Type == schema.Complex || a.Sensitive() {
			continue
		}
		from := len(list)
		var seen map[Entry]bool // once there are many
		eachValue(doc, route(s, a), func(v any) {
			text, ok := Text(a, v)
			e := Entry{Path: a.Path(), Value: entryValue(text)}
			if !ok || seen[e] || seen == nil && contains(list[from:], e) {
				return
			}
			list = append(list, e)
			switch {
			case seen != nil:
				seen[e] = true
			case len(list)-from == few:
				seen = make(map[Entry]bool, 2*few)
				for _, e := range list[from:] {
					seen[e] = true
				}
			}
		})
	}
	return list
}

// few is up to how many entries it pays to look at all to find one.
const few = 32

func contains(list []Entry, e Entry) bool {
	for i := range list {
		if list[i] == e {
			return true
		}
	}
	return false
}

// entryValue returns a text as it is in an entry.
func entryValue(text string) string {
	if len(text) <= maxEntry {
		return text
	}
	end := maxEntry
	for !utf8.RuneStart(text[end]) {
		end--
	}
	// A replacement made by Escape stays whole or goes.
	for i := 1; i <= 2; i++ {
		if text[end-i] == lead {
			end -= i
			break
		}
	}
	return text[:end] + cut
}

// route returns the attributes on the way to a: its extension, the complex attribute it belongs to, itself.
func route(s *schema.Schema, a *schema.Attribute) []*schema.Attribute {
	way := make([]*schema.Attribute, 0, 3)
	if a.URN != "" {
		if extension, ok := s.Lookup(a.URN); ok {
			way = append(way, extension)
		}
	}
	if parent := a.Parent(); parent != nil {
		way = append(way, parent)
	}
	return append(way, a)
}

// eachValue calls do for every value at the end of the way.
func eachValue(object map[string]any, way []*schema.Attribute, do func(any)) {
	a, v := way[0], object[way[0].Name]
	list, ok := v.([]any)
	if !ok || !a.MultiValued {
		list = []any{v}
	}
	for _, v := range list {
		switch {
		case v == nil:
		case len(way) == 1:
			do(v)
		default:
			if object, ok := v.(map[string]any); ok {
				eachValue(object, way[1:], do)
			} else if way[1].Name == "value" && len(way) == 2 {
				do(v)
			}
		}
	}
}
