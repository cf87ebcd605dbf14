package interop_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	elimity "github.com/elimity-com/scim"
	elimityerrors "github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/optional"
	elimityschema "github.com/elimity-com/scim/schema"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/schema"
)

// handler keeps resources of one type in memory for elimity-com/scim's server, which routes, validates and writes JSON. That library leaves
// evaluating filters and applying operations to its users; here the packages of this module do it.
type handler struct {
	key    string // the unique attribute
	schema *schema.Schema

	mu      sync.Mutex
	next    int
	objects map[string]scim.Document
	order   []string
}

func (h *handler) resource(id string, doc scim.Document) elimity.Resource {
	attributes := elimity.ResourceAttributes(maps.Clone(doc.Clone()))
	delete(attributes, "schemas")
	now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	r := elimity.Resource{ID: id, Attributes: attributes, Meta: elimity.Meta{Created: &now, LastModified: &now}}
	if x, ok := doc["externalId"].(string); ok {
		r.ExternalID = optional.NewString(x)
	}
	return r
}

func (h *handler) canonical(attributes map[string]any) (scim.Document, error) {
	doc, err := h.schema.Canonical(attributes, schema.Options{Mode: schema.ModeCreate, Tolerant: true})
	if err != nil {
		return nil, elimityerrors.ScimErrorBadParams([]string{err.Error()})
	}
	return doc, nil
}

func (h *handler) Create(_ *http.Request, attributes elimity.ResourceAttributes) (elimity.Resource, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	doc, err := h.canonical(attributes)
	if err != nil {
		return elimity.Resource{}, err
	}
	for _, other := range h.objects {
		if strings.EqualFold(fmt.Sprint(other[h.key]), fmt.Sprint(doc[h.key])) {
			return elimity.Resource{}, elimityerrors.ScimErrorUniqueness
		}
	}
	h.next++
	id := strconv.Itoa(h.next)
	h.objects[id], h.order = doc, append(h.order, id)
	return h.resource(id, doc), nil
}

func (h *handler) Get(_ *http.Request, id string) (elimity.Resource, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if doc, ok := h.objects[id]; ok {
		return h.resource(id, doc), nil
	}
	return elimity.Resource{}, elimityerrors.ScimErrorResourceNotFound(id)
}

func (h *handler) GetAll(r *http.Request, params elimity.ListRequestParams) (elimity.Page, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	predicate := &filter.Predicate{}
	if text := r.URL.Query().Get("filter"); text != "" {
		f, err := filter.Parse(text)
		if err == nil {
			predicate, err = f.Compile(h.schema)
		}
		if err != nil {
			return elimity.Page{}, elimityerrors.ScimErrorInvalidFilter
		}
	}
	page := elimity.Page{Resources: []elimity.Resource{}}
	for _, id := range h.order {
		doc, ok := h.objects[id]
		if !ok || !predicate.Match(doc) {
			continue
		}
		page.TotalResults++
		if page.TotalResults >= params.StartIndex && len(page.Resources) < params.Count {
			page.Resources = append(page.Resources, h.resource(id, doc))
		}
	}
	return page, nil
}

func (h *handler) Replace(_ *http.Request, id string, attributes elimity.ResourceAttributes) (elimity.Resource, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.objects[id] == nil {
		return elimity.Resource{}, elimityerrors.ScimErrorResourceNotFound(id)
	}
	doc, err := h.canonical(attributes)
	if err != nil {
		return elimity.Resource{}, err
	}
	h.objects[id] = doc
	return h.resource(id, doc), nil
}

func (h *handler) Delete(_ *http.Request, id string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.objects[id] == nil {
		return elimityerrors.ScimErrorResourceNotFound(id)
	}
	delete(h.objects, id)
	return nil
}

func (h *handler) Patch(_ *http.Request, id string, operations []elimity.PatchOperation) (elimity.Resource, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.objects[id] == nil {
		return elimity.Resource{}, elimityerrors.ScimErrorResourceNotFound(id)
	}
	var ops []scim.PatchOperation
	for _, op := range operations {
		o := scim.PatchOperation{Op: scim.PatchOp(op.Op), Value: op.Value}
		if op.Path != nil {
			o.Path = op.Path.String()
		}
		ops = append(ops, o)
	}
	result, err := patch.Apply(h.schema, h.objects[id], ops, patch.Options{})
	if err != nil {
		return elimity.Resource{}, elimityerrors.ScimErrorBadParams([]string{err.Error()})
	}
	h.objects[id] = result.Document
	if !result.Changed {
		return elimity.Resource{}, nil
	}
	return h.resource(id, result.Document), nil
}

func TestElimity(t *testing.T) {
	s, err := elimity.NewServer(&elimity.ServerArgs{
		ServiceProviderConfig: &elimity.ServiceProviderConfig{MaxResults: 100, SupportFiltering: true, SupportPatch: true},
		ResourceTypes: []elimity.ResourceType{
			{
				Name: "User", Endpoint: "/Users", Schema: elimityschema.CoreUserSchema(),
				SchemaExtensions: []elimity.SchemaExtension{{Schema: elimityschema.ExtensionEnterpriseUser()}},
				Handler:          &handler{key: "userName", schema: schema.User(), objects: map[string]scim.Document{}},
			},
			{
				Name: "Group", Endpoint: "/Groups", Schema: elimityschema.CoreGroupSchema(),
				Handler: &handler{key: "displayName", schema: schema.Group(), objects: map[string]scim.Document{}},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	// The library leaves authentication to its users, too.
	guarded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer interop" {
			http.Error(w, "wrong token", http.StatusUnauthorized)
			return
		}
		s.ServeHTTP(w, r)
	})
	listener := httptest.NewServer(guarded)
	defer listener.Close()
	run(t, server{url: listener.URL, token: "interop", unique: true, enterprise: true})
}
