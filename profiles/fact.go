package profiles

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// Fact returns where the statement at a path comes from: the entry of [Profile.Facts] for the path itself, or else for the nearest
// value around it. The form of paths is described there. It returns false when there is none.
func (p *Profile) Fact(path string) (Fact, bool) {
	for {
		if f, ok := p.Facts[path]; ok {
			return f, true
		}
		if path == "" {
			return Fact{}, false
		}
		path = path[:max(strings.LastIndexByte(path, '/'), 0)]
	}
}

// Unsourced returns the paths of all that the profile says without a fact to tell where it comes from, in order. What names the profile
// is no statement about the service.
func (p *Profile) Unsourced() ([]string, error) {
	said, err := p.statements()
	if err != nil {
		return nil, err
	}
	var missing []string
	for path, leaf := range said {
		if _, ok := p.Fact(path); leaf && !ok && !slices.Contains([]string{"/$schema", "/name", "/title", "/description", "/client"}, path) {
			missing = append(missing, path)
		}
	}
	slices.Sort(missing)
	return missing, nil
}

// statements returns the path of every value in the profile's JSON form but the facts themselves, and whether it has no values below it.
func (p *Profile) statements() (map[string]bool, error) {
	bare := *p
	bare.Facts = nil
	tree, err := bare.tree()
	if err != nil {
		return nil, err
	}
	said := map[string]bool{}
	gather(said, "", tree)
	return said, nil
}

// tree returns the profile's JSON form.
func (p *Profile) tree() (any, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("profiles: %w", err)
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		return nil, fmt.Errorf("profiles: %w", err)
	}
	return tree, nil
}

func gather(said map[string]bool, path string, node any) {
	said[path] = false
	switch node := node.(type) {
	case map[string]any:
		for name, v := range node {
			gather(said, path+"/"+escape(name), v)
		}
	case []any:
		for i, v := range node {
			gather(said, path+"/"+escape(elementName(i, v)), v)
		}
	default:
		said[path] = true
	}
}

// elementName is what an element of a list goes by.
func elementName(i int, element any) string {
	switch element := element.(type) {
	case string:
		return element
	case map[string]any:
		for _, key := range []string{"name", "path", "type", "when"} {
			if name, ok := element[key].(string); ok && name != "" {
				return name
			}
		}
	}
	return strconv.Itoa(i)
}

var escaper = strings.NewReplacer("~", "~0", "/", "~1")

func escape(step string) string { return escaper.Replace(step) }
