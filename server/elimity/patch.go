package elimity

import (
	"net/http"
	"strings"

	elimity "github.com/elimity-com/scim"
	parser "github.com/scim2/filter-parser/v2"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/schema"
)

// patch has the handler's Patch make one document of another.
func (rt *resourceType) patch(r *http.Request, id string, old, doc scim.Document) (elimity.Resource, error) {
	operations, err := rt.operations(old, doc)
	if err != nil || len(operations) == 0 {
		return elimity.Resource{}, err
	}
	return rt.Handler.Patch(r, id, operations)
}

// operations returns the fewest operations that make one document of another.
func (rt *resourceType) operations(old, doc scim.Document) ([]elimity.PatchOperation, error) {
	known := schema.Options{Mode: schema.ModeAny, Tolerant: true}
	before, err := rt.schema.Canonical(old, known)
	if err != nil {
		return nil, err
	}
	after, err := rt.schema.Canonical(doc, known)
	if err != nil {
		return nil, err
	}
	changes, err := patch.Diff(rt.schema, before, after, patch.Dialect{})
	if err != nil {
		return nil, err
	}
	operations := make([]elimity.PatchOperation, len(changes))
	for i, c := range changes {
		operations[i] = elimity.PatchOperation{Op: strings.ToLower(string(c.Op)), Value: c.Value}
		if c.Path == "" {
			continue
		}
		if operations[i].Path, err = rt.patchPath(c.Path); err != nil {
			return nil, err
		}
	}
	return operations, nil
}

// patchPath returns the path of an operation in the library's terms.
func (rt *resourceType) patchPath(text string) (*parser.Path, error) {
	p, err := filter.ParsePath(text)
	if err != nil {
		return nil, err
	}
	path := &parser.Path{AttributePath: rt.path(p.Attr, nil)}
	if n := p.Filter.Node(); n != nil {
		a, _ := rt.schema.AttrLoose(p.Attr)
		path.ValueExpression = rt.expression(n, a)
	}
	if p.Sub != "" {
		path.SubAttribute = &p.Sub
	}
	return path, nil
}
