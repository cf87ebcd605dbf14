package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles"
)

// ServiceProviderConfig returns what the service says it supports (RFC 7644 section 4).
func (c *Client) ServiceProviderConfig(ctx context.Context) (scim.ServiceProviderConfig, error) {
	var config scim.ServiceProviderConfig
	if c.profile != nil && c.profile.Discovery.NoServiceProviderConfig {
		return config, c.absent("/ServiceProviderConfig")
	}
	req := &request{method: http.MethodGet, path: "/ServiceProviderConfig"}
	req.decode = func(_ int, _ http.Header, body []byte) error {
		if err := decode(body, &config); err != nil {
			return err
		}
		return saysSomething(body)
	}
	if err := c.do(ctx, req); err != nil {
		return scim.ServiceProviderConfig{}, err
	}
	return config, nil
}

// saysSomething returns an error for JSON that is no ServiceProviderConfig: what says nothing of PATCH would be taken for a service that
// has none, and be sent whole resources to replace the ones it has.
func saysSomething(body []byte) error {
	var said struct {
		Schemas                                    []string
		Patch, Bulk, Filter, AuthenticationSchemes jsontext.Value
	}
	if err := decode(body, &said); err != nil {
		return err
	}
	if len(said.Schemas) == 0 && said.Patch == nil && said.Bulk == nil && said.Filter == nil && said.AuthenticationSchemes == nil {
		return errors.New("it is no ServiceProviderConfig: it says nothing of patch, bulk and filter")
	}
	return nil
}

// ResourceTypes returns the resource types of the service. It reads them from a list, and from the bare array that some services send.
func (c *Client) ResourceTypes(ctx context.Context) ([]scim.ResourceType, error) {
	if c.profile != nil && c.profile.Discovery.NoResourceTypes {
		return nil, c.absent("/ResourceTypes")
	}
	return discover[scim.ResourceType](ctx, c, "/ResourceTypes")
}

// Schemas returns the schemas of the service as documents (RFC 7643 section 7).
func (c *Client) Schemas(ctx context.Context) ([]scim.Document, error) {
	if c.profile != nil && c.profile.Discovery.NoSchemas {
		return nil, c.absent("/Schemas")
	}
	return discover[scim.Document](ctx, c, "/Schemas")
}

func (c *Client) absent(path string) error {
	c.stats.failures.Add(1)
	e := notSent(http.StatusNotFound, "", "", "%s has no %s", serviceName(c.profile), path)
	e.Method, e.Path = http.MethodGet, path
	return e
}

// maxDiscoveryPages bounds how many pages are read of a service whose total is never reached, as when it gives the same page again and again.
const maxDiscoveryPages = 20

// discover reads all pages of a discovery endpoint; services hardly ever make more than one.
func discover[T any](ctx context.Context, c *Client, path string) ([]T, error) {
	var all []T
	seen := map[string]bool{} // a service that ignores startIndex gives the same again
	for range maxDiscoveryPages {
		var page listBody[T]
		req := &request{method: http.MethodGet, path: path}
		if len(all) > 0 {
			p := pageRequest{start: len(all) + 1, count: DefaultPageSize}
			req.query = (&Query{}).parameters(filter.Filter{}, p)
		}
		req.decode = func(_ int, _ http.Header, body []byte) error {
			page = listBody[T]{}
			if bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")) {
				return decode(body, &page.Resources)
			}
			if err := decode(body, &page); err != nil {
				return err
			}
			return page.check()
		}
		if err := c.do(ctx, req); err != nil {
			return all, err
		}
		for _, resource := range page.Resources {
			text, failure := encode(resource)
			if failure == nil && seen[string(text)] {
				continue
			}
			seen[string(text)] = true
			all = append(all, resource)
		}
		if len(page.Resources) == 0 || len(all) >= page.total() {
			return all, nil
		}
	}
	return all, nil
}

// Capabilities are what a service can do, as its profile says, or else as it says itself.
type Capabilities struct {
	Patch, Sort, ETag, Filter bool
	// MaxResults is the largest page, 0 when unknown.
	MaxResults int
	// Bulk is whether the service takes bulk requests. MaxOperations and MaxPayload bound one; 0 is no bound that is known.
	Bulk                      bool
	MaxOperations, MaxPayload int
	// Cursor is whether lists can be read by cursor (RFC 9865).
	Cursor bool
}

// capabilitiesCache is what the service said. Who has put a value into turn may use it.
type capabilitiesCache struct {
	turn  chan struct{}
	known bool
	caps  Capabilities
}

// Capabilities returns what the service can do. What the profile says is taken from there, without a request; without a profile the
// service is asked once, and the answer kept. A service that has no ServiceProviderConfig is taken to do what RFC 7644 requires of all.
func (c *Client) Capabilities(ctx context.Context) (Capabilities, error) {
	if p := c.profile; p != nil {
		return capabilitiesIn(p), nil
	}
	select {
	case c.caps.turn <- struct{}{}:
		defer func() { <-c.caps.turn }()
	case <-ctx.Done():
		c.stats.failures.Add(1)
		return Capabilities{}, &scim.Error{
			Method: http.MethodGet, Path: "/ServiceProviderConfig", Err: context.Cause(ctx),
			Detail: fmt.Sprintf("gave up while waiting for another who asks the same: %v", context.Cause(ctx)),
		}
	}
	if c.caps.known {
		return c.caps.caps, nil
	}
	config, err := c.ServiceProviderConfig(ctx)
	switch {
	case errors.Is(err, scim.ErrNotFound) || errors.Is(err, scim.ErrNotImplemented) || errors.Is(err, scim.ErrForbidden):
		c.caps.caps = Capabilities{Patch: true, Filter: true}
	case err != nil:
		return Capabilities{}, err
	default:
		c.caps.caps = capabilitiesOf(config)
	}
	c.caps.known = true
	return c.caps.caps, nil
}

func capabilitiesIn(p *profiles.Profile) Capabilities {
	patches := len(p.Resources) == 0 // nothing is known, so the RFC holds
	for i := range p.Resources {
		patches = patches || p.Resources[i].Offers(profiles.Update)
	}
	return Capabilities{
		Patch: patches, Filter: true, ETag: p.ETag, Sort: p.Paging.SortBy, Cursor: p.Paging.Cursor, MaxResults: p.Paging.MaxCount,
		Bulk: p.Bulk.Supported, MaxOperations: p.Bulk.MaxOperations, MaxPayload: p.Bulk.MaxPayloadSize,
	}
}

func capabilitiesOf(s scim.ServiceProviderConfig) Capabilities {
	return Capabilities{
		Patch: s.Patch.Supported, Sort: s.Sort.Supported, ETag: s.ETag.Supported, Filter: s.Filter.Supported,
		MaxResults: s.Filter.MaxResults,
		Bulk:       s.Bulk.Supported, MaxOperations: s.Bulk.MaxOperations, MaxPayload: s.Bulk.MaxPayloadSize,
		Cursor: s.Pagination != nil && s.Pagination.Cursor,
	}
}
