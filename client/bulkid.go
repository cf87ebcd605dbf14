package client

import (
	"net/url"
	"strings"

	"github.com/scimbridge/scim"
)

// bulkPrefix begins a reference to a resource that another operation creates (RFC 7644 section 3.7.2).
const bulkPrefix = "bulkId:"

// references returns the bulkIds that an operation refers to.
func references(op scim.BulkOperation) []string {
	var ids []string
	collect := func(bulkID string) string {
		ids = append(ids, bulkID)
		return bulkPrefix + bulkID // as it was
	}
	if _, bulkID, ok := strings.Cut(op.Path, "/"+bulkPrefix); ok {
		collect(bulkID)
	}
	visitStrings(map[string]any(op.Data.Clone()), func(text string) string { return rewrite(text, collect) })
	return ids
}

// resolve returns an operation in which references to resources that exist by now are their ids. The operation given is not changed. Missing
// has the bulkIds that are not known.
func (b *bulkRun) resolve(op scim.BulkOperation) (resolved scim.BulkOperation, missing []string) {
	lookUp := func(bulkID string) string {
		if id, ok := b.ids[bulkID]; ok {
			return id
		}
		missing = append(missing, bulkID)
		return bulkPrefix + bulkID
	}
	resolved = op
	if endpoint, bulkID, ok := strings.Cut(op.Path, "/"+bulkPrefix); ok {
		if id := lookUp(bulkID); !strings.HasPrefix(id, bulkPrefix) {
			resolved.Path = endpoint + "/" + url.PathEscape(id)
		}
	}
	if op.Data != nil {
		resolved.Data = op.Data.Clone()
		visitStrings(map[string]any(resolved.Data), func(text string) string { return rewrite(text, lookUp) })
	}
	return resolved, missing
}

// rewrite replaces the references in a string: the string itself, or the values that a path with a filter compares with.
func rewrite(text string, replace func(bulkID string) string) string {
	if bulkID, ok := strings.CutPrefix(text, bulkPrefix); ok {
		return replace(bulkID)
	}
	const quoted = `"` + bulkPrefix
	if !strings.Contains(text, quoted) {
		return text
	}
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, quoted)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		bulkID, rest, _ := strings.Cut(after, `"`)
		out.WriteString(`"` + replace(bulkID) + `"`)
		text = rest
	}
}

// visitStrings replaces every string in an object or an array.
func visitStrings(v any, replace func(string) string) {
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			v[i] = visited(e, replace)
		}
	case map[string]any:
		for name, e := range v {
			v[name] = visited(e, replace)
		}
	}
}

func visited(v any, replace func(string) string) any {
	if text, ok := v.(string); ok {
		return replace(text)
	}
	visitStrings(v, replace)
	return v
}
