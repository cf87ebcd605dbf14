package server

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim"
)

// discovery is what the server says about itself (RFC 7644 section 4), written once.
type discovery struct {
	config  template
	types   definitions
	schemas definitions
}

// definitions are the resources of one discovery endpoint.
type definitions struct {
	all  template
	byID map[string]template // the ids in lower case
}

// template is a JSON text with gaps for the base URL.
type template [][]byte

// gap stands for the base URL in documents that become templates. It cannot be in them otherwise: it is not valid in a
// URL.
const gap = "{base URL}"

func newTemplate(v any) (template, error) {
	data, err := json.Marshal(v, json.Deterministic(true))
	return bytes.Split(data, []byte(gap)), err
}

// fill returns the text for a base URL.
func (t template) fill(base string) ([]byte, error) {
	quoted, err := appendString(nil, base)
	if err != nil {
		return nil, err
	}
	return bytes.Join(t, quoted[1:len(quoted)-1]), nil
}

func (s *Server) describe() (discovery, error) {
	var d discovery
	var err error
	if d.config, err = newTemplate(s.config()); err != nil {
		return d, err
	}
	if d.types, err = define(s.typeDefinitions()); err != nil {
		return d, err
	}
	d.schemas, err = define(s.schemaDefinitions())
	return d, err
}

func define(docs []scim.Document) (definitions, error) {
	d := definitions{byID: make(map[string]template)}
	for _, doc := range docs {
		t, err := newTemplate(doc)
		if err != nil {
			return d, err
		}
		d.byID[strings.ToLower(doc.ID())] = t
	}
	var err error
	d.all, err = newTemplate(scim.ListResponse[scim.Document]{
		Schemas: []string{scim.ListResponseSchema}, TotalResults: len(docs), StartIndex: 1, ItemsPerPage: len(docs), Resources: docs,
	})
	return d, err
}

func (s *Server) config() scim.ServiceProviderConfig {
	limits := s.opts.Limits
	config := scim.ServiceProviderConfig{
		Schemas:               []string{scim.ServiceProviderConfigSchema},
		DocumentationURI:      s.opts.DocumentationURI,
		Filter:                scim.FilterSupported{Supported: true, MaxResults: limits.MaxResults},
		Sort:                  scim.Supported{Supported: s.has(FeatureSort)},
		ETag:                  scim.Supported{Supported: s.has(FeatureETag)},
		AuthenticationSchemes: s.opts.AuthenticationSchemes,
		Meta:                  &scim.Meta{ResourceType: "ServiceProviderConfig", Location: gap + "/ServiceProviderConfig"},
		Pagination: &scim.PaginationSupported{
			Index: true, Cursor: s.has(FeatureCursor), DefaultPaginationMethod: "index",
			DefaultPageSize: limits.DefaultResults, MaxPageSize: limits.MaxResults,
		},
	}
	if config.Pagination.Cursor {
		config.Pagination.CursorTimeout = int(limits.CursorTimeout.Seconds())
	}
	if s.has(FeatureBulk) {
		config.Bulk = scim.BulkSupported{
			Supported: true, MaxOperations: limits.MaxBulkOperations, MaxPayloadSize: int(limits.MaxBulkBody),
		}
	}
	for _, rt := range s.types {
		config.Patch.Supported = config.Patch.Supported || rt.Operations&OpPatch != 0
		_, password := rt.schema.Lookup("password")
		config.ChangePassword.Supported = config.ChangePassword.Supported || password && rt.Operations&(OpPatch|OpReplace) != 0
	}
	return config
}

func (s *Server) typeDefinitions() []scim.Document {
	docs := make([]scim.Document, 0, len(s.types))
	for _, rt := range s.types {
		doc := scim.Document{
			"schemas": []any{scim.ResourceTypeSchema},
			"id":      rt.Name, "name": rt.Name, "endpoint": rt.Endpoint, "schema": rt.schema.URN(),
			"meta": map[string]any{"resourceType": "ResourceType", "location": gap + "/ResourceTypes/" + rt.Name},
		}
		if rt.Description != "" {
			doc["description"] = rt.Description
		}
		var extensions []any
		for _, e := range rt.schema.Extensions() {
			extensions = append(extensions, map[string]any{"schema": e.Name, "required": e.Required})
		}
		if extensions != nil {
			doc["schemaExtensions"] = extensions
		}
		docs = append(docs, doc)
	}
	return docs
}

// schemaDefinitions returns every schema once, though several types may have an extension in common.
func (s *Server) schemaDefinitions() []scim.Document {
	var docs []scim.Document
	seen := make(map[string]bool)
	for _, rt := range s.types {
		for _, doc := range rt.schema.Definitions() {
			if id := strings.ToLower(doc.ID()); !seen[id] {
				seen[id] = true
				doc["meta"] = map[string]any{"resourceType": "Schema", "location": gap + "/Schemas/" + doc.ID()}
				docs = append(docs, doc)
			}
		}
	}
	return docs
}

// discover serves the discovery endpoints.
func (c *call) discover(to route) (reply, error) {
	if lists := to.endpoint != serviceProviderConfig && to.id == ""; lists && c.r.URL.RawQuery != "" && c.r.URL.Query().Get("filter") != "" {
		// RFC 7644 section 4 has it so, that nobody takes all for what a filter has left. Where there is one document, the
		// parameter is passed over like all others.
		return reply{}, scim.NewError(http.StatusForbidden, "", "this endpoint cannot be filtered")
	}
	t, ok := c.s.discovery.config, true
	switch to.endpoint {
	case resourceTypes:
		t, ok = c.s.discovery.types.find(to.id)
	case schemas:
		t, ok = c.s.discovery.schemas.find(to.id)
	}
	if !ok {
		return reply{}, notFound(to.id)
	}
	body, err := t.fill(c.info.BaseURL)
	return reply{status: http.StatusOK, body: body}, err
}

func (d definitions) find(id string) (template, bool) {
	if id == "" {
		return d.all, true
	}
	t, ok := d.byID[strings.ToLower(id)]
	return t, ok
}
