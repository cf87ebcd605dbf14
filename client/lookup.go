package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
)

// First returns the first resource that a filter matches, in the order of the service. The error is [scim.ErrNotFound] when there is none.
func (r *Resources[T]) First(ctx context.Context, f filter.Filter) (T, error) {
	found, err := r.matches(ctx, f)
	if err == nil && len(found) == 0 {
		err = r.notFound(f)
	}
	if err != nil {
		var none T
		return none, err
	}
	return found[0], nil
}

// Find returns the one resource whose attribute has a value, such as the user with a userName. The error is [scim.ErrNotFound] when there
// is none, and [ErrAmbiguous] when there are several.
//
// Where the profile says that the service's filters tell upper case from lower although two values cannot differ in case alone, a
// value that is not found is looked for once more in lower case.
//
// What the service answers is checked: one that ignores the filter and answers with all its resources is an error, not a match.
func (r *Resources[T]) Find(ctx context.Context, attribute string, value any) (T, error) {
	var none T
	f := filter.Eq(attribute, value)
	found, err := r.matches(ctx, f)
	if text, ok := value.(string); ok && err == nil && len(found) == 0 {
		if lower := strings.ToLower(text); lower != text && r.kind.filterCaseExact(attribute) {
			found, err = r.matches(ctx, filter.Eq(attribute, lower))
		}
	}
	switch {
	case err != nil:
		return none, err
	case len(found) == 0:
		return none, r.notFound(f)
	case len(found) > 1:
		return none, &scim.Error{
			Method: http.MethodGet, Path: r.kind.endpoint, Attribute: attribute, Err: ErrAmbiguous,
			Detail: fmt.Sprintf("%d resources have the same %s", len(found), attribute),
		}
	}
	return found[0], nil
}

func (r *Resources[T]) notFound(f filter.Filter) error {
	e := &scim.Error{
		Status: http.StatusNotFound, Method: http.MethodGet, Path: r.kind.endpoint, Detail: "no " + r.kind.name + " matches the filter",
	}
	if attrs := f.Attributes(); len(attrs) == 1 {
		e.Attribute = attrs[0].String()
	}
	return e
}

// Count returns how many resources a filter matches; the zero Filter matches all. It asks for the total without resources. Where the
// profile says that totals cannot be trusted, or the service gives none, it reads the list, and counts.
func (r *Resources[T]) Count(ctx context.Context, f filter.Filter) (int, error) {
	if p := r.c.profile; p != nil && p.Paging.TotalsUnreliable {
		return r.countList(ctx, f)
	}
	l, failure := r.newLister(Query{Filter: f}, http.MethodGet)
	if failure != nil {
		return 0, r.fail(failure)
	}
	l.next = pageRequest{start: 1, count: 0}
	page, err := l.read(ctx, l.next)
	if err == nil && !page.hasTotal() {
		return r.countList(ctx, f)
	}
	return page.total(), err
}

func (r *Resources[T]) countList(ctx context.Context, f filter.Filter) (int, error) {
	n := 0
	for _, err := range r.List(ctx, Query{Filter: f, Attributes: []string{"id"}}) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// matches returns the resources on the first page that really match.
func (r *Resources[T]) matches(ctx context.Context, f filter.Filter) ([]T, error) {
	l, failure := r.newLister(Query{Filter: f}, http.MethodGet)
	if failure != nil {
		return nil, r.fail(failure)
	}
	page, err := l.fetch(ctx, l.next)
	if err != nil || len(page.Resources) == 0 {
		return nil, err
	}
	var found []T
	for _, resource := range page.Resources {
		ok, err := r.satisfies(resource, f)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, resource)
		}
	}
	if len(found) == 0 {
		return nil, &scim.Error{
			Method: http.MethodGet, Path: r.kind.endpoint,
			Detail: "the service answered with resources that do not match the filter: it does not support it",
		}
	}
	return found, nil
}

// satisfies reports whether a resource matches a filter, as far as it shows the attributes concerned.
func (r *Resources[T]) satisfies(resource T, f filter.Filter) (bool, error) {
	doc, err := scim.ToDocument(resource)
	if err != nil {
		return false, unencodable(err)
	}
	for _, a := range f.Attributes() {
		if _, shown := lookUp(doc, a); !shown {
			return true, nil
		}
	}
	p, err := f.Compile(r.kind.types())
	if err != nil {
		// The service knows attributes that the schema does not.
		if p, err = f.Compile(nil); err != nil {
			return false, err
		}
	}
	return p.Match(doc), nil
}

// types returns the schema for filters, nil when there is none.
func (k *kind) types() filter.Types {
	if k.schema == nil {
		return nil
	}
	return k.schema.LooseTypes()
}

// lookUp returns the value of an attribute, and whether the document has it. For what is in an array it returns the array.
func lookUp(doc map[string]any, a filter.Attr) (any, bool) {
	if a.URN != "" {
		if extension, ok := member(doc, a.URN).(map[string]any); ok {
			return lookUp(extension, filter.Attr{Name: a.Name, Sub: a.Sub})
		}
	}
	v := member(doc, a.Name)
	if object, ok := v.(map[string]any); ok && a.Sub != "" {
		v = member(object, a.Sub)
	}
	return v, v != nil
}

// filterCaseExact reports whether filters on an attribute miss values that differ in case, although the service takes them for the same.
func (k *kind) filterCaseExact(attribute string) bool {
	if k.known == nil {
		return false
	}
	a, ok := k.known.Attribute(attribute)
	return ok && a.FilterCaseExact && !a.CaseExact
}

// isUnknown reports whether it is unknown what became of a request.
func isUnknown(err error) bool { return errors.Is(err, ErrOutcomeUnknown) }
