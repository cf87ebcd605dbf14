package profiles

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
)

// Difference is a statement in which two profiles differ.
type Difference struct {
	// Path is that of the statement, in the form of [Profile.Facts].
	Path string `json:"path"`
	// A and B are what the two profiles have there as JSON, empty where one has nothing.
	A string `json:"a,omitzero"`
	B string `json:"b,omitzero"`
}

// String returns one line, as in /paging/maxCount: 100, 50.
func (d Difference) String() string {
	const nothing = "nothing"
	return fmt.Sprintf("%s: %s, %s", d.Path, cmp.Or(d.A, nothing), cmp.Or(d.B, nothing))
}

// Compare returns the statements in which two profiles differ, in the order of their paths. What names a profile, and where its statements
// come from, is left aside, and so is the order of lists.
func Compare(a, b *Profile) ([]Difference, error) {
	left, err := a.named()
	if err != nil {
		return nil, err
	}
	right, err := b.named()
	if err != nil {
		return nil, err
	}
	return compare(nil, "", left, right)
}

// named returns the profile as nested objects, in which elements of lists go by their names.
func (p *Profile) named() (any, error) {
	bare := *p
	bare.SchemaURL, bare.Name, bare.Title, bare.Description, bare.Facts = "", "", "", "", nil
	tree, err := bare.tree()
	return nameElements(tree), err
}

func nameElements(node any) any {
	switch node := node.(type) {
	case map[string]any:
		for name, v := range node {
			node[name] = nameElements(v)
		}
	case []any:
		elements := make(map[string]any, len(node))
		for i, v := range node {
			elements[elementName(i, v)] = nameElements(v)
		}
		return elements
	}
	return node
}

func compare(found []Difference, path string, a, b any) ([]Difference, error) {
	left, leftIs := a.(map[string]any)
	right, rightIs := b.(map[string]any)
	if leftIs && rightIs {
		both := maps.Clone(left)
		maps.Copy(both, right)
		for _, name := range slices.Sorted(maps.Keys(both)) {
			var err error
			if found, err = compare(found, path+"/"+escape(name), left[name], right[name]); err != nil {
				return found, err
			}
		}
		return found, nil
	}
	if !leftIs && !rightIs && a == b {
		return found, nil
	}
	d := Difference{Path: path}
	for _, side := range []struct {
		text  *string
		value any
	}{{&d.A, a}, {&d.B, b}} {
		if side.value == nil {
			continue
		}
		data, err := json.Marshal(side.value, json.Deterministic(true))
		if err != nil {
			return found, fmt.Errorf("profiles: %w", err)
		}
		*side.text = string(data)
	}
	return append(found, d), nil
}
