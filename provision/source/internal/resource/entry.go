// Package resource makes entries of a provisioning source out of SCIM resources.
package resource

import (
	"slices"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/provision"
)

// Members is the attribute that holds the members of a group.
const Members = "members"

// housekeeping are attributes that are about the resource as the service keeps it: they change when nothing changed that anybody maps.
var housekeeping = []string{"schemas", "meta"}

// Entry returns a resource as an entry: its attributes under their SCIM names, without schemas, meta and those in drop, and its members as
// their ids. It shares values with the document.
func Entry(doc scim.Document, drop []string) provision.Entry {
	attributes := make(map[string]any, len(doc))
	for name, value := range doc {
		switch {
		case has(housekeeping, name) || has(drop, name):
		case strings.EqualFold(name, Members):
			attributes[Members] = IDs(value)
		default:
			attributes[name] = value
		}
	}
	return provision.Entry{ID: doc.ID(), Attributes: attributes}
}

func has(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// IDs returns the ids in a list of references: elements are objects with a value, or ids as such. They are in order and each there once, so
// that a list which comes in another order is the same.
func IDs(list any) []any {
	elements, _ := list.([]any)
	ids := make([]string, 0, len(elements))
	for _, e := range elements {
		if object, ok := e.(map[string]any); ok {
			e = object["value"]
		}
		if id, ok := e.(string); ok && id != "" {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	values := make([]any, len(ids))
	for i, id := range ids {
		values[i] = id
	}
	return values
}
