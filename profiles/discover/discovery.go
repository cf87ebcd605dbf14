package discover

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/schema"
)

// Where statements come from.
const (
	configSource  = "GET /ServiceProviderConfig"
	typesSource   = "GET /ResourceTypes"
	schemasSource = "GET /Schemas"
	rfcSchemas    = "RFC 7643 section 4"
)

// discover reads what the service says about itself (RFC 7644 section 4).
func (p *probe) discover(ctx context.Context) error {
	p.step("reading what the service says about itself")
	config, err := p.client.ServiceProviderConfig(ctx)
	if err := p.discovery(ctx, err, "/ServiceProviderConfig", &p.profile.Discovery.NoServiceProviderConfig); err != nil {
		return err
	}
	if err == nil {
		p.config = &config
		p.readConfig()
	}
	types, err := p.client.ResourceTypes(ctx)
	array := err == nil && p.seen.last.isArray()
	if err := p.discovery(ctx, err, "/ResourceTypes", &p.profile.Discovery.NoResourceTypes); err != nil {
		return err
	}
	if array {
		p.profile.Discovery.ResourceTypesIsArray = true
		p.fact("/discovery/resourceTypesIsArray", profiles.Observed, typesSource, "")
		p.find("/ResourceTypes answers with a bare array instead of a list (RFC 7644 section 4).")
	}
	documents, err := p.client.Schemas(ctx)
	if err := p.discovery(ctx, err, "/Schemas", &p.profile.Discovery.NoSchemas); err != nil {
		return err
	}
	p.readTypes(types, documents)
	return nil
}

// discovery notes a discovery endpoint that does not answer.
func (p *probe) discovery(ctx context.Context, err error, path string, missing *bool) error {
	if err == nil {
		return nil
	}
	a, failure := p.settle(ctx, err)
	if failure != nil {
		return failure
	}
	*missing = true
	name := map[string]string{
		"/ServiceProviderConfig": "noServiceProviderConfig", "/ResourceTypes": "noResourceTypes", "/Schemas": "noSchemas",
	}[path]
	p.fact("/discovery/"+name, profiles.Observed, fmt.Sprintf("GET %s, answered with %d", path, a.status), "")
	p.find("There is no %s: it answers with %d (RFC 7644 section 4).", path, a.status)
	return nil
}

func (p *probe) readConfig() {
	c := p.config
	p.profile.ETag = c.ETag.Supported
	if c.ETag.Supported {
		p.fact("/etag", profiles.Documented, configSource, "")
	}
	if c.Bulk.Supported {
		p.profile.Bulk = profiles.Bulk{
			Supported: true, MaxOperations: max(c.Bulk.MaxOperations, 0), MaxPayloadSize: max(c.Bulk.MaxPayloadSize, 0),
		}
		p.fact("/bulk", profiles.Documented, configSource, "")
	}
	p.profile.Paging.SortBy = c.Sort.Supported
	if c.Sort.Supported {
		p.fact("/paging/sortBy", profiles.Documented, configSource, "")
	}
	if c.Filter.MaxResults > 0 {
		p.profile.Paging.MaxCount = c.Filter.MaxResults
		p.fact("/paging/maxCount", profiles.Documented, configSource, "It states this of filters.")
	}
	if c.Pagination != nil && c.Pagination.Cursor {
		p.profile.Paging.Cursor = true
		p.fact("/paging/cursor", profiles.Documented, configSource, "")
	}
	p.readSchemes(c.AuthenticationSchemes)
}

func (p *probe) readSchemes(schemes []scim.AuthenticationScheme) {
	kinds := map[string]string{"oauthbearertoken": "bearer", "oauth2": "oauth2", "httpbasic": "basic"}
	for _, s := range schemes {
		if kind := kinds[strings.ToLower(s.Type)]; kind != "" {
			p.profile.Authentication = append(p.profile.Authentication, profiles.AuthenticationScheme{Type: kind, Description: s.Description})
			p.fact("/authentication", profiles.Documented, configSource, "")
		}
	}
}

// maxTypes and maxAttributes bound what is tried, and so the number of requests.
const (
	maxTypes      = 20
	maxAttributes = 300
)

// definition is what a schema says of an attribute.
type definition struct {
	profiles.Attribute
	returned string
}

// readTypes makes a subject of each resource type.
func (p *probe) readTypes(types []scim.ResourceType, documents []scim.Document) {
	if len(types) == 0 {
		types = []scim.ResourceType{
			{Name: "User", Endpoint: "/Users", Schema: scim.UserSchema}, {Name: "Group", Endpoint: "/Groups", Schema: scim.GroupSchema},
		}
	}
	byURN := map[string]scim.Document{}
	for _, d := range documents {
		byURN[strings.ToLower(d.ID())] = d
	}
	seen := map[string]bool{}
	for _, t := range types {
		if t.Name == "" || !isPath(relative(t.Endpoint)) || seen[strings.ToLower(t.Name)] || len(seen) == maxTypes {
			p.find("/ResourceTypes has a type without a name or a path as its endpoint, one twice, or more than %d: %.60q was passed over.", maxTypes, t.Name)
			continue
		}
		seen[strings.ToLower(t.Name)] = true
		r := profiles.Resource{
			Name: t.Name, Endpoint: "/" + strings.Trim(relative(t.Endpoint), "/"), Schema: t.Schema,
			Operations: []profiles.Operation{profiles.Create, profiles.Read, profiles.List, profiles.Replace, profiles.Update, profiles.Delete},
		}
		s := &subject{}
		s.defined, s.stated = definitions(t, byURN)
		s.defined = p.sound(t.Name, s.defined)
		p.profile.Resources = append(p.profile.Resources, r)
		p.types = append(p.types, s)
		p.fact(resourcePath(r.Name), profiles.Documented, typesSource, "")
		if p.profile.Discovery.NoResourceTypes {
			p.fact(resourcePath(r.Name), profiles.Inferred, "RFC 7643 section 4", "")
		}
		p.fact(resourcePath(r.Name)+"/operations", profiles.Inferred, "RFC 7644 section 3", "Writing was not tried.")
	}
	for i, s := range p.types {
		s.Resource = &p.profile.Resources[i]
		p.patchStated(s)
	}
}

// sound leaves out attributes that no profile can have, and those beyond what can be tried.
func (p *probe) sound(typ string, all []definition) []definition {
	var out, odd []definition
	for _, d := range all {
		if _, err := filter.ParseAttr(d.Path); err != nil {
			odd = append(odd, d)
			continue
		}
		out = append(out, d)
	}
	if len(odd) > 0 {
		p.find("The schema of %s has %d attributes whose names are none (RFC 7643 section 2.1), such as %.60q.", typ, len(odd), odd[0].Path)
	}
	if len(out) > maxAttributes {
		p.find("The schema of %s has %d attributes; the first %d were tried.", typ, len(out), maxAttributes)
		out = out[:maxAttributes]
	}
	return out
}

// relative returns the path of an endpoint, which some services give as a URL.
func relative(endpoint string) string {
	if _, rest, ok := strings.Cut(endpoint, "://"); ok {
		return rest[strings.LastIndexByte(rest, '/')+1:]
	}
	return endpoint
}

// isPath reports whether an endpoint is a path below the base URL, and nothing else that a URL may have.
func isPath(endpoint string) bool {
	u, err := url.Parse("/" + strings.Trim(endpoint, "/"))
	if err != nil || u.Path == "/" || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(endpoint, "?#") {
		return false
	}
	return !slices.ContainsFunc(strings.Split(u.Path, "/"), func(step string) bool { return step == "." || step == ".." })
}

func resourcePath(name string) string { return "/resources/" + pointer(name) }

func attributePath(resource, path string) string {
	return resourcePath(resource) + "/attributes/" + pointer(path)
}

func pointer(step string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(step)
}

// patchStated leaves PATCH out where the service says that there is none.
func (p *probe) patchStated(s *subject) {
	if p.config == nil || p.config.Patch.Supported {
		return
	}
	s.drop(profiles.Update)
	p.fact(resourcePath(s.Name)+"/operations", profiles.Documented, configSource, "PATCH is not supported. Writing was not tried.")
}

func (s *subject) drop(o profiles.Operation) {
	var kept []profiles.Operation
	for _, have := range s.Operations {
		if have != o {
			kept = append(kept, have)
		}
	}
	s.Operations = kept
}

// definitions returns the attributes of a resource type from the service's schemas, or from RFC 7643 where it has none of that name.
func definitions(t scim.ResourceType, byURN map[string]scim.Document) (all []definition, stated bool) {
	common := []definition{{Attribute: profiles.Attribute{Path: "id", Type: "string", Mutability: "readOnly", CaseExact: true}}}
	stated = byURN[strings.ToLower(t.Schema)] != nil
	if !stated {
		byURN = map[string]scim.Document{}
		for _, s := range []*schema.Schema{schema.User(), schema.Group()} {
			for _, d := range s.Definitions() {
				byURN[strings.ToLower(d.ID())] = d
			}
		}
		if byURN[strings.ToLower(t.Schema)] == nil {
			return nil, false
		}
	}
	external := definition{Attribute: profiles.Attribute{Path: "externalId", Type: "string", CaseExact: true}}
	all = append(common, external)
	all = append(all, attributes(byURN[strings.ToLower(t.Schema)], "")...)
	for _, e := range t.SchemaExtensions {
		all = append(all, attributes(byURN[strings.ToLower(e.Schema)], e.Schema+":")...)
	}
	return unique(all), stated
}

// unique leaves out attributes that are there twice, as when a schema lists the common ones.
func unique(all []definition) []definition {
	at := map[string]int{}
	var out []definition
	for _, d := range all {
		key := strings.ToLower(d.Path)
		if i, ok := at[key]; ok {
			out[i] = d
			continue
		}
		at[key] = len(out)
		out = append(out, d)
	}
	return out
}

// described is the JSON of an attribute in a schema (RFC 7643 section 7).
type described struct {
	Name          string      `json:"name"`
	Type          string      `json:"type"`
	MultiValued   bool        `json:"multiValued"`
	Required      bool        `json:"required"`
	CaseExact     bool        `json:"caseExact"`
	Mutability    string      `json:"mutability"`
	Returned      string      `json:"returned"`
	Uniqueness    string      `json:"uniqueness"`
	SubAttributes []described `json:"subAttributes"`
}

func attributes(document scim.Document, prefix string) []definition {
	data, err := json.Marshal(document)
	if err != nil || document == nil {
		return nil
	}
	var s struct {
		Attributes []described `json:"attributes"`
	}
	if json.Unmarshal(data, &s) != nil {
		return nil
	}
	var all []definition
	for _, a := range s.Attributes {
		if strings.EqualFold(a.Name, "schemas") || strings.EqualFold(a.Name, "meta") {
			continue
		}
		all = append(all, a.definition(prefix+a.Name))
		for _, sub := range a.SubAttributes {
			d := sub.definition(prefix + a.Name + "." + sub.Name)
			d.Required = d.Required && a.Required && !a.MultiValued
			if strings.EqualFold(a.Mutability, "readOnly") {
				d.Mutability = "readOnly"
			}
			if strings.EqualFold(a.Returned, "never") {
				d.returned = "never"
			}
			all = append(all, d)
		}
	}
	return all
}

func (a described) definition(path string) definition {
	d := definition{Attribute: profiles.Attribute{
		Path: path, Type: knownType(a.Type), MultiValued: a.MultiValued, Required: a.Required, CaseExact: a.CaseExact,
		Unique: strings.EqualFold(a.Uniqueness, "server") || strings.EqualFold(a.Uniqueness, "global"),
	}, returned: strings.ToLower(a.Returned)}
	for _, m := range []string{"readOnly", "writeOnly", "immutable"} {
		if strings.EqualFold(a.Mutability, m) {
			d.Mutability = m
		}
	}
	d.Required = d.Required && d.Mutability != "readOnly"
	return d
}

func knownType(t string) string {
	for _, known := range []string{"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"} {
		if strings.EqualFold(t, known) {
			return known
		}
	}
	return "string" // the default (RFC 7643 section 2.2)
}

// form tells the form of an error's body.
func (a answer) form() profiles.ErrorBody {
	var e struct {
		Schemas []string `json:"schemas"`
		Status  any      `json:"status"`
	}
	if json.Unmarshal(a.body, &e) != nil {
		return profiles.TextBody
	}
	_, number := e.Status.(float64)
	switch {
	case strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json"):
		return profiles.ProblemBody
	case len(e.Schemas) == 0 || e.Schemas[0] != scim.ErrorSchema:
		return profiles.JSONBody
	case number:
		return profiles.NumericStatusBody
	}
	return profiles.SCIMBody
}

func (a answer) scimType() scim.ErrorType {
	var e struct {
		Type string `json:"scimType"`
	}
	if json.Unmarshal(a.body, &e) != nil {
		return ""
	}
	return scim.ErrorType(e.Type)
}
