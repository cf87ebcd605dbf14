package elimity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	scim "github.com/elimity-com/scim"
	elimity "github.com/elimity-com/scim/schema"

	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

// Filters is how much of a filter a handler's GetAll gets to see.
type Filters uint8

const (
	// FiltersSafe leaves only comparisons of top-level strings, which PassesFilter evaluates rightly, and leaves others out so that the
	// handler returns too many resources rather than too few. Without any, FilterValidator is nil.
	FiltersSafe Filters = iota
	// FiltersWhole passes every filter as it is, except those on what handlers do not have, such as the groups of a user. It is for
	// handlers that translate GetFilter, to SQL for example, and do not call PassesFilter.
	FiltersWhole
	// FiltersNone passes none: FilterValidator is always nil.
	FiltersNone
)

// Options are what the server's options do not have. The zero value is useful.
type Options struct {
	// Filters says what GetAll gets of filters.
	Filters Filters
	// Patch has PATCH requests call the handler's Patch in place of Replace.
	Patch bool
	// PageSize is the Count with which all resources are read, 1,000 when it is 0.
	PageSize int
	// Unordered says that GetAll returns resources in no order, as one that ranges over a map does. Lists are then read whole and ordered by id,
	// since pages need an order that is the same for each of them.
	Unordered bool
}

// New returns a server for the handlers of resource types. Nil options.ResourceTypes mean those, as [ResourceTypes] returns them; others
// must have the same names, and can say what the server does with requests, such as Strict.
//
// The features bulk and cursor of the options are turned off. The hook BeforeCreate is called before the handler's Create. HashPasswords is refused:
// what becomes of a password is the handler's business, which gets it as it was sent.
func New(types []scim.ResourceType, options server.Options, more ...Options) (*server.Server, error) {
	var own Options
	if len(more) > 0 {
		own = more[len(more)-1]
	}
	if own.PageSize <= 0 {
		own.PageSize = 1000
	}
	if options.HashPasswords {
		return nil, errors.New("elimity: handlers get passwords as they were sent, HashPasswords cannot be kept")
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.ResourceTypes == nil {
		options.ResourceTypes = ResourceTypes(types)
	}
	s, err := newStore(types, own, options.Logger)
	if err != nil {
		return nil, err
	}
	for _, t := range options.ResourceTypes {
		if s.types[t.Name] == nil {
			return nil, fmt.Errorf("elimity: the resource type %s has no handler", t.Name)
		}
	}
	options.Off |= server.FeatureBulk | server.FeatureCursor
	options.Hooks.BeforeCreate = s.beforeCreate(options.Hooks.BeforeCreate)
	return server.New(s, options)
}

// ResourceTypes returns resource types as package server describes them.
func ResourceTypes(types []scim.ResourceType) []server.ResourceType {
	list := make([]server.ResourceType, len(types))
	for i, t := range types {
		list[i] = server.ResourceType{
			Name: t.Name, Endpoint: t.Endpoint, Description: t.Description.Value(), Schema: t.Schema, Extensions: extensions(t),
		}
	}
	return list
}

func extensions(t scim.ResourceType) []schema.Extension {
	list := make([]schema.Extension, len(t.SchemaExtensions))
	for i, e := range t.SchemaExtensions {
		list[i] = schema.Extension{Schema: e.Schema, Required: e.Required}
	}
	return list
}

// resourceType is a type, with what is worked out of it once.
type resourceType struct {
	scim.ResourceType
	schema     *schema.Schema
	extensions []elimity.Schema
}

func compileTypes(types []scim.ResourceType) (map[string]*resourceType, error) {
	compiled := make(map[string]*resourceType, len(types))
	for _, t := range types {
		if t.Handler == nil {
			return nil, fmt.Errorf("elimity: the resource type %s has no Handler", t.Name)
		}
		s, err := schema.Compile(t.Schema, extensions(t)...)
		if err != nil {
			return nil, fmt.Errorf("elimity: resource type %s: %w", t.Name, err)
		}
		rt := &resourceType{ResourceType: t, schema: s}
		for _, e := range t.SchemaExtensions {
			rt.extensions = append(rt.extensions, e.Schema)
		}
		compiled[t.Name] = rt
	}
	if len(compiled) == 0 {
		return nil, errors.New("elimity: no resource types")
	}
	return compiled, nil
}

// beforeCreate returns the hook that has the handler create a resource, because only then there is an id. What the handler says that it has
// stored takes the place of what was sent.
func (s *store) beforeCreate(before func(context.Context, *server.Change) error) func(context.Context, *server.Change) error {
	return func(ctx context.Context, c *server.Change) error {
		if before != nil {
			if err := before(ctx, c); err != nil {
				return err
			}
		}
		rt, err := s.typeOf(c.Key)
		if err != nil {
			return err
		}
		attributes, err := rt.attributes(c.New)
		if err != nil {
			return err
		}
		r, err := rt.Handler.Create(request(ctx), attributes)
		if err != nil {
			return convert(err)
		}
		if r.ID == "" {
			return fmt.Errorf("elimity: Create of %s returned a resource without an id", rt.Name)
		}
		created, err := s.document(ctx, rt, r)
		if err != nil {
			return err
		}
		keepTimes(created, c.New)
		c.New, c.ID = created, r.ID
		return nil
	}
}
