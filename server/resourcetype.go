package server

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/elimity-com/scim/schema"

	"github.com/scimbridge/scim"
	compiled "github.com/scimbridge/scim/schema"
)

// ResourceType is a kind of resource that the server has (RFC 7643 section 6). [UserType] and [GroupType] return the usual two;
// their fields can be changed before they are given to [New].
type ResourceType struct {
	// Name is unique among the types, in any case: User.
	Name string
	// Endpoint is where the resources are: /Users.
	Endpoint    string
	Description string
	// Schema is the core schema, and Extensions those that add to it.
	Schema     schema.Schema
	Extensions []compiled.Extension

	// Operations are what clients may do; 0 means all. What is left out is answered with Refusal.
	Operations Operations
	// Refusal answers operations that are not offered; nil means 501 (RFC 7644 section 3.12).
	Refusal *scim.Error

	// Unique are attributes, by path, of which a value occurs once among the resources of the type, besides those that the schema
	// says it of: userName does, a group's displayName does not.
	Unique []string
	// Unknown says what to do with attributes in requests which the schema does not have; the zero value ignores them.
	Unknown compiled.Unknown
	// Strict refuses what package schema and package patch tolerate from clients that do not follow the RFC to the letter, such as
	// the booleans "True" and "False", and bodies whose attribute schemas is missing or not that of the type or message. Identity providers
	// depend on the tolerance: Entra, for one, sends schemas that there are not.
	Strict bool
	// PutMerges makes PUT leave attributes as they are that the request does not have. RFC 7644 section 3.5.1 has them removed.
	PutMerges bool
	// IgnoreUnknownPaths makes PATCH pass over operations on attributes that the schema does not have, instead of 400 invalidPath.
	IgnoreUnknownPaths bool
}

// Operations is a set of things that clients do with resources.
type Operations uint8

// Operations. Search is POST to .search of the type, Read is GET of one resource, List is GET of the endpoint.
const (
	OpCreate Operations = 1 << iota
	OpRead
	OpList
	OpReplace
	OpPatch
	OpDelete
	OpSearch

	// OpAll is all of them.
	OpAll = OpCreate | OpRead | OpList | OpReplace | OpPatch | OpDelete | OpSearch
)

// UserType returns the type of users, with the enterprise extension, at /Users.
func UserType() ResourceType {
	return ResourceType{
		Name: "User", Endpoint: "/Users", Description: "User Account",
		Schema:     compiled.CoreUser(),
		Extensions: []compiled.Extension{{Schema: compiled.EnterpriseUser()}},
	}
}

// GroupType returns the type of groups, at /Groups.
func GroupType() ResourceType {
	return ResourceType{
		Name: "Group", Endpoint: "/Groups", Description: "Group",
		Schema: compiled.CoreGroup(),
	}
}

// resourceType is a ResourceType made ready for requests.
type resourceType struct {
	ResourceType
	schema *compiled.Schema
	// segment is the endpoint without its slash.
	segment string
	unique  []*compiled.Attribute
	// members is the attribute that lists the members of groups, and groups that of the groups of a user; nil for types without.
	members, groups *compiled.Attribute
	// memberTypes are the types that members can be of.
	memberTypes []string
	// references are the complex attributes that point to one resource, such as manager.
	references []*compiled.Attribute
	// hidden are attributes at the top of documents that are not shown unless asked for, or ever, and mixed those of which parts
	// are not.
	hidden, mixed []string
	// repeatable are the attributes of which an element may be given twice, by name.
	repeatable map[string]*compiled.Attribute
	// hashes says that there is a password, which may be stored as a hash.
	hashes bool
	// sensitive are the attributes that are never shown.
	sensitive []*compiled.Attribute
	// standard is what a client sees that asks for no attributes in particular.
	standard view
}

func compileTypes(types []ResourceType) ([]*resourceType, error) {
	if len(types) == 0 {
		return nil, errors.New("server: no resource types")
	}
	list := make([]*resourceType, 0, len(types))
	seen := make(map[string]bool)
	for _, t := range types {
		rt, err := compileType(t)
		if err != nil {
			return nil, err
		}
		for _, name := range []string{"name " + strings.ToLower(t.Name), "endpoint " + strings.ToLower(rt.segment)} {
			if seen[name] {
				return nil, fmt.Errorf("server: two resource types have the %s", name)
			}
			seen[name] = true
		}
		list = append(list, rt)
	}
	for _, rt := range list {
		if rt.members != nil {
			rt.memberTypes = findMemberTypes(rt, list)
		}
	}
	return list, nil
}

// reserved are the endpoints of the protocol (RFC 7644 section 3.2).
var reserved = []string{"Me", "Bulk", ".search", "ServiceProviderConfig", "ResourceTypes", "Schemas"}

func compileType(t ResourceType) (*resourceType, error) {
	rt := &resourceType{ResourceType: t, segment: strings.TrimPrefix(t.Endpoint, "/")}
	switch {
	case t.Name == "":
		return nil, errors.New("server: a resource type without a name")
	case rt.segment == "" || strings.ContainsAny(rt.segment, "/?#%{}"):
		return nil, fmt.Errorf("server: resource type %s: the endpoint %q is not one path segment", t.Name, t.Endpoint)
	}
	for _, name := range reserved {
		if strings.EqualFold(rt.segment, name) {
			return nil, fmt.Errorf("server: resource type %s: the endpoint %q is reserved", t.Name, t.Endpoint)
		}
	}
	rt.Endpoint = "/" + rt.segment
	if rt.Operations == 0 {
		rt.Operations = OpAll
	}
	var err error
	if rt.schema, err = compiled.Compile(t.Schema, t.Extensions...); err != nil {
		return nil, fmt.Errorf("server: resource type %s: %w", t.Name, err)
	}
	rt.inspect()
	rt.inspectReturned()
	rt.repeatable = repeatable(rt.schema)
	rt.hashes = hasPassword(rt.schema)
	rt.standard = rt.viewOf(compiled.Projection{})
	rt.standard.standard = true
	for _, path := range t.Unique {
		a, ok := rt.schema.Lookup(path)
		if !ok || a.Type == compiled.Complex {
			return nil, fmt.Errorf("server: resource type %s: %q cannot be unique: it is not a simple attribute", t.Name, path)
		}
		if a.Sensitive() {
			return nil, fmt.Errorf("server: resource type %s: %q cannot be unique: it is never shown, and a 409 would tell who asks that it is taken", t.Name, path)
		}
		if !slices.Contains(rt.unique, a) {
			rt.unique = append(rt.unique, a)
		}
	}
	return rt, nil
}

// inspect finds the attributes that the server treats in a special way.
func (rt *resourceType) inspect() {
	for a := range rt.schema.Attributes() {
		if a.Name == "id" || a.Name == "meta" || a.Name == "schemas" {
			continue
		}
		for _, u := range append([]*compiled.Attribute{a}, a.Sub...) {
			if u.Uniqueness == compiled.UniquenessServer || u.Uniqueness == compiled.UniquenessGlobal {
				rt.unique = append(rt.unique, u)
			}
		}
		value, hasValue := a.SubAttribute("value")
		_, hasRef := a.SubAttribute("$ref")
		switch {
		case !hasValue || value.Type != compiled.String:
		case a.Name == Members && a.URN == "" && a.MultiValued:
			rt.members = a
		case a.Name == "groups" && a.URN == "" && a.MultiValued && a.Mutability == compiled.ReadOnly:
			rt.groups = a
		case hasRef && !a.MultiValued:
			rt.references = append(rt.references, a)
		}
	}
}

// allows returns the error of an operation that the type does not offer.
func (rt *resourceType) allows(op Operations) error {
	switch {
	case rt.Operations&op != 0:
		return nil
	case rt.Refusal != nil:
		return rt.Refusal
	}
	return scim.NewError(http.StatusNotImplemented, "", "this service does not offer the operation for "+rt.Name+" resources")
}
