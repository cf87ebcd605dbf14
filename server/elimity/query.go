package elimity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strconv"

	elimity "github.com/elimity-com/scim"
	library "github.com/elimity-com/scim/filter"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
)

func (s *store) Query(ctx context.Context, q server.Query) (server.Page, error) {
	rt, err := s.typeOf(server.Key{Type: q.Type})
	if err != nil {
		return server.Page{}, err
	}
	offset := q.Offset
	if q.After != "" {
		if offset, err = strconv.Atoi(q.After); err != nil || offset < 0 {
			return server.Page{}, scim.NewError(400, scim.InvalidCursor, "the cursor is not one of this query")
		}
	}
	if q.Match == nil && q.Order.Attribute == nil && !s.options.Unordered {
		return s.slice(ctx, rt, q, offset)
	}
	found, err := s.matching(ctx, rt, q)
	if err != nil {
		return server.Page{}, err
	}
	start := min(offset, len(found))
	page := server.Page{Total: len(found), Resources: found[start:min(start+q.Limit, len(found))]}
	if end := start + len(page.Resources); end < len(found) {
		page.Next = strconv.Itoa(end)
	}
	return page, nil
}

// slice returns a page of all resources in the handler's order.
func (s *store) slice(ctx context.Context, rt *resourceType, q server.Query, offset int) (server.Page, error) {
	var page server.Page
	var failed error
	total, err := s.read(ctx, rt, nil, offset, q.Limit, func(r elimity.Resource) bool {
		if q.Limit == 0 {
			return false
		}
		var resource server.Resource
		if resource, failed = s.resource(ctx, rt, server.Key{Tenant: q.Tenant, Type: q.Type}, r); failed != nil {
			return false
		}
		page.Resources = append(page.Resources, resource)
		return len(page.Resources) < q.Limit
	})
	if err = errors.Join(failed, err); err != nil {
		return server.Page{}, err
	}
	page.Total = total
	if end := offset + len(page.Resources); end < total && len(page.Resources) > 0 {
		page.Next = strconv.Itoa(end)
	}
	return page, nil
}

// matching returns all resources that match a query, in its order.
func (s *store) matching(ctx context.Context, rt *resourceType, q server.Query) ([]server.Resource, error) {
	var found []ordered
	var failed error
	keep := func(r elimity.Resource) bool {
		failed = s.keep(ctx, rt, q, r, &found)
		return failed == nil
	}
	if id, ok := idOf(q); ok {
		r, err := rt.Handler.Get(request(ctx), id)
		switch err := convert(err); {
		case err == nil:
			if r.ID == "" {
				r.ID = id
			}
			keep(r)
		case !errors.Is(err, server.ErrNotFound):
			return nil, err
		}
	} else {
		var v *library.Validator
		if q.View == nil { // else the filter is about what handlers do not have
			v = rt.validator(q.Filter.Node(), s.options.Filters)
		}
		if _, err := s.read(ctx, rt, v, 0, s.options.PageSize, keep); err != nil {
			return nil, err
		}
	}
	if failed != nil {
		return nil, failed
	}
	slices.SortStableFunc(found, func(a, b ordered) int {
		if byOrder := q.Order.Compare(a.key, b.key); byOrder != 0 || !s.options.Unordered {
			return byOrder
		}
		return cmp.Compare(a.ID, b.ID)
	})
	list := make([]server.Resource, len(found))
	for i := range found {
		list[i] = found[i].Resource
	}
	return list, nil
}

// ordered is a resource with its place.
type ordered struct {
	server.Resource
	key server.SortKey
}

// keep adds a handler's resource to what was found when it matches.
func (s *store) keep(ctx context.Context, rt *resourceType, q server.Query, r elimity.Resource, found *[]ordered) error {
	doc, err := s.document(ctx, rt, r)
	if err != nil {
		return err
	}
	resource := server.Resource{Key: server.Key{Tenant: q.Tenant, Type: q.Type, ID: r.ID}, Document: doc}
	seen := doc
	if q.View != nil {
		resource.Version = s.versions.of(resource.Key, doc) // a view shows it
		if seen, err = q.View(ctx, resource); err != nil {
			return err
		}
	}
	if q.Match != nil && !q.Match.Match(seen) {
		return nil
	}
	if q.View == nil { // not before: it costs much, and most resources do not match
		resource.Version = s.versions.of(resource.Key, doc)
	}
	*found = append(*found, ordered{Resource: resource, key: q.Order.Key(seen)})
	return nil
}

// idOf returns the id that everything which matches the query has.
func idOf(q server.Query) (string, bool) {
	terms, ok := q.Filter.Equalities()
	if !ok {
		return "", false
	}
	for _, t := range terms {
		if a, known := q.Schema.Attr(t.Attr); known && a.Name == "id" && a.Parent() == nil && a.URN == "" {
			return t.Value.Text()
		}
	}
	return "", false
}

// read yields the resources that GetAll returns, from an offset on, until yield returns false. It returns how many the handler says that there
// are in all.
//
// A handler need not know pages: one that returns all its resources every time is understood. A resource that comes twice, because
// the order has changed between two pages, is yielded once; since another has been passed over then, a handler that is read from the
// beginning is asked for everything at once.
func (s *store) read(ctx context.Context, rt *resourceType, v *library.Validator, offset, size int, yield func(elimity.Resource) bool) (int, error) {
	seen := make(map[string]bool)
	moved, mayAskAgain := false, offset == 0
	for total := -1; ; {
		params := elimity.ListRequestParams{Count: size, StartIndex: offset + 1, FilterValidator: v}
		page, err := s.getAll(ctx, rt, params)
		if err != nil {
			return 0, err
		}
		if total < 0 {
			total = page.TotalResults
		}
		list, whole := page.Resources, len(page.Resources) > size
		if left := page.TotalResults - offset; whole || offset > 0 && len(list) > max(0, left) {
			list, whole = list[min(offset, len(list)):], true
			total = max(total, len(page.Resources))
		}
		fresh := 0
		for _, r := range list {
			if seen[r.ID] {
				moved = moved || !whole
				continue
			}
			seen[r.ID] = true
			fresh++
			if !yield(r) {
				return total, nil
			}
		}
		offset += len(list)
		if ctx.Err() == nil && !whole && fresh > 0 && offset < page.TotalResults {
			continue
		}
		if !moved || !mayAskAgain || ctx.Err() != nil {
			return total, ctx.Err()
		}
		mayAskAgain, offset, size = false, 0, max(total, page.TotalResults)
	}
}

// getAll calls the handler. One that panics over a filter, as PassesFilter may over the handler's own resources, is asked again without.
func (s *store) getAll(ctx context.Context, rt *resourceType, params elimity.ListRequestParams) (page elimity.Page, err error) {
	if params.FilterValidator == nil {
		page, err = rt.Handler.GetAll(request(ctx), params)
		return page, convert(err)
	}
	page, err = s.guarded(ctx, rt, params)
	if _, panicked := errors.AsType[*panicError](err); panicked {
		params.FilterValidator = nil
		return s.getAll(ctx, rt, params)
	}
	return page, convert(err)
}

type panicError struct{ value any }

func (e *panicError) Error() string { return fmt.Sprintf("the handler panicked: %v", e.value) }

func (s *store) guarded(ctx context.Context, rt *resourceType, params elimity.ListRequestParams) (page elimity.Page, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.logger.LogAttrs(ctx, slog.LevelError, "a handler panicked over a filter; it is asked again without",
				slog.String("type", rt.Name), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			err = &panicError{p}
		}
	}()
	return rt.Handler.GetAll(request(ctx), params)
}
