package server

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
)

// query returns the parameters of the request's URL. A plus sign is a space.
func (c *call) query() (url.Values, error) {
	values, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return nil, badRequest(scim.InvalidSyntax, "the query of the URL is not properly encoded")
	}
	return values, nil
}

// searchRequest is a query as the client wrote it, in a URL or in the body of a POST to .search.
type searchRequest struct {
	attributes, excluded      []string
	filter, sortBy, sortOrder string
	startIndex, count         *int
	cursor                    *string
}

// list serves GET of an endpoint, or of the base URL.
func (c *call) list(ctx context.Context, to route) (reply, error) {
	if to.typ != nil {
		if err := to.typ.allows(OpList); err != nil {
			return reply{}, err
		}
	}
	values, err := c.query()
	if err != nil {
		return reply{}, err
	}
	sr := searchRequest{
		attributes: values["attributes"], excluded: values["excludedAttributes"],
		filter: values.Get("filter"), sortBy: values.Get("sortBy"), sortOrder: values.Get("sortOrder"),
	}
	if sr.startIndex, err = intParameter(values, "startIndex"); err != nil {
		return reply{}, err
	}
	if sr.count, err = intParameter(values, "count"); err != nil {
		if values.Has("cursor") && c.s.has(FeatureCursor) { // RFC 9865 section 2.1
			err = badRequest(scim.InvalidCount, "count must be an integer")
		}
		return reply{}, err
	}
	if values.Has("cursor") {
		cursor := values.Get("cursor")
		sr.cursor = &cursor
	}
	return c.answerSearch(ctx, to, sr)
}

func intParameter(values url.Values, name string) (*int, error) {
	text := strings.TrimSpace(values.Get(name))
	if text == "" {
		return nil, nil
	}
	n, err := strconv.Atoi(text)
	if errors.Is(err, strconv.ErrRange) {
		err = nil // Atoi returns the nearest int
	}
	if err != nil {
		return nil, badRequest(scim.InvalidValue, "%s must be an integer", name)
	}
	return &n, nil
}

// search serves POST to .search (RFC 7644 section 3.4.3).
func (c *call) search(ctx context.Context, to route) (reply, error) {
	if to.typ != nil {
		if err := to.typ.allows(OpSearch); err != nil {
			return reply{}, err
		}
	}
	body, err := c.readBody(c.s.opts.Limits.MaxBody)
	if err != nil {
		return reply{}, err
	}
	if to.typ != nil && to.typ.Strict {
		if err := checkSchemas(body, scim.SearchRequestSchema); err != nil {
			return reply{}, err
		}
	}
	sr, err := parseSearch(body)
	if err != nil {
		return reply{}, err
	}
	return c.answerSearch(ctx, to, sr)
}

// parseSearch reads a SearchRequest.
func parseSearch(body scim.Document) (searchRequest, error) {
	var sr searchRequest
	var err error
	text := func(name string) (s string) {
		if v := member(body, name); v != nil && err == nil {
			var ok bool
			if s, ok = v.(string); !ok {
				err = badRequest(scim.InvalidValue, "%s must be a string", name)
			}
		}
		return s
	}
	number := func(name string) *int {
		v := member(body, name)
		if v == nil || err != nil {
			return nil
		}
		n, ok := v.(int64)
		if !ok {
			err = badRequest(scim.InvalidValue, "%s must be an integer", name)
			return nil
		}
		i := int(n)
		return &i
	}
	names := func(name string) (list []string) {
		each(member(body, name), func(v any) {
			if s, ok := v.(string); ok {
				list = append(list, s)
			} else if v != nil && err == nil {
				err = badRequest(scim.InvalidValue, "%s must be an array of strings", name)
			}
		})
		return list
	}
	sr.attributes, sr.excluded = names("attributes"), names("excludedAttributes")
	sr.filter, sr.sortBy, sr.sortOrder = text("filter"), text("sortBy"), text("sortOrder")
	sr.startIndex, sr.count = number("startIndex"), number("count")
	if member(body, "cursor") != nil {
		cursor := text("cursor")
		sr.cursor = &cursor
	}
	return sr, err
}

// answerSearch answers a query of one type, or of all.
func (c *call) answerSearch(ctx context.Context, to route, sr searchRequest) (reply, error) {
	types := c.s.types
	if to.typ != nil {
		types = []*resourceType{to.typ}
	}
	queries, err := c.queries(types, sr)
	if err != nil {
		return reply{}, err
	}
	window, err := c.window(to, sr)
	if err != nil {
		return reply{}, err
	}
	var result result
	switch {
	case len(queries) > 1 && queries[0].ordered && window.cursor != nil:
		result, err = c.mergedFromCursor(ctx, queries, window)
	case len(queries) > 1 && queries[0].ordered:
		result, err = c.merged(ctx, queries, window)
	case window.cursor != nil:
		result, err = c.fromCursor(ctx, queries, window)
	default:
		result, err = c.fromIndex(ctx, queries, window)
	}
	if err != nil {
		return reply{}, err
	}
	return c.answerList(window, result)
}

// typeQuery is the part of a query that is about one type.
type typeQuery struct {
	Query
	view view
	// ordered says that the client asked for an order, though this type may not have the attribute.
	ordered bool
}

// queries returns the query for each of the types.
func (c *call) queries(types []*resourceType, sr searchRequest) ([]typeQuery, error) {
	f, err := c.parseFilter(sr.filter, types)
	if err != nil {
		return nil, err
	}
	list := make([]typeQuery, 0, len(types))
	for _, rt := range types {
		q := typeQuery{ordered: sr.sortBy != "" && c.s.has(FeatureSort)}
		if q.view, err = c.s.view(rt, sr.attributes, sr.excluded); err != nil {
			return nil, err
		}
		q.Query = Query{
			Tenant: c.tenant(), Type: rt.Name, Schema: rt.schema, Filter: f, Omit: q.view.omit(),
		}
		if q.Order, err = c.order(rt, sr, len(types) > 1); err != nil {
			return nil, err
		}
		if err := c.prepare(rt, &q.Query, len(types) > 1); err != nil {
			return nil, err
		}
		list = append(list, q)
	}
	return list, nil
}

func (c *call) parseFilter(text string, types []*resourceType) (filter.Filter, error) {
	if strings.TrimSpace(text) == "" {
		return filter.Filter{}, nil
	}
	for _, rt := range types {
		if rt.Strict {
			return filter.Parse(text, c.s.filters.strict...)
		}
	}
	return filter.Parse(text, c.s.filters.tolerant...)
}

// filterOptions are how filters are read.
type filterOptions struct{ strict, tolerant []filter.Option }

func newFilterOptions(limits Limits) filterOptions {
	strict := []filter.Option{filter.MaxLength(limits.MaxFilterLength), filter.MaxDepth(limits.MaxFilterDepth)}
	return filterOptions{
		strict:   strict,
		tolerant: slices.Concat(strict, []filter.Option{filter.SingleQuotes(), filter.UnquotedStrings(), filter.QuotedBooleans()}),
	}
}

// order returns the order that the client asked for. Among several types, one need not have the attribute.
func (c *call) order(rt *resourceType, sr searchRequest, several bool) (Order, error) {
	if sr.sortBy == "" || !c.s.has(FeatureSort) {
		return Order{}, nil
	}
	a, ok := sortable(rt.schema, sr.sortBy)
	switch {
	case !ok && several:
		return Order{}, nil
	case !ok:
		return Order{}, badRequest(scim.InvalidValue, "sortBy: %.100q is not an attribute that resources can be ordered by", sr.sortBy)
	case a.Sensitive():
		return Order{}, sensitive(a)
	case a.Type == schema.Binary:
		return Order{}, badRequest(scim.InvalidValue, "sortBy: %s is binary", a.Path())
	}
	o := Order{Attribute: a}
	switch strings.ToLower(sr.sortOrder) {
	case "", "ascending":
	case "descending":
		o.Descending = true
	default:
		return o, badRequest(scim.InvalidValue, "sortOrder must be ascending or descending")
	}
	return o, nil
}

func sensitive(a *schema.Attribute) error {
	e := scim.NewError(http.StatusForbidden, scim.Sensitive, a.Path()+" must not be asked for in a query")
	e.Attribute = a.Path()
	return e
}

// prepare checks the filter of a query and compiles it, after the hook has had its say.
func (c *call) prepare(rt *resourceType, q *Query, several bool) error {
	var options []filter.CompileOption
	if several {
		options = append(options, filter.UnknownAsAbsent())
	}
	looks := q.Order.Attribute != nil && rt.derived(q.Order.Attribute)
	q.Strict = rt.Strict
	types, lookUp := filter.Types(rt.schema), rt.schema.Attr
	if !rt.Strict { // Entra, for one, asks for manager eq "…", without the URN of the extension
		types, lookUp = rt.schema.LooseTypes(), rt.schema.AttrLoose
	}
	if err := rt.schema.CheckSensitive(q.Filter); err != nil {
		return err
	}
	for _, name := range q.Filter.Attributes() {
		// Of a name that is not known, Compile says what is wrong.
		if a, ok := lookUp(name); ok {
			looks = looks || rt.derived(a)
		}
	}
	if !q.Filter.IsZero() {
		match, err := q.Filter.Compile(types, options...)
		if err != nil {
			return err
		}
		q.Match = match
	}
	if looks {
		q.View = func(ctx context.Context, r Resource) (scim.Document, error) {
			list, err := c.dress(ctx, rt.whole(), []Resource{r})
			if err != nil {
				return nil, err
			}
			return list[0].whole(), nil
		}
	}
	return nil
}

// narrow lets the hook change a query before it is sent to the store.
func (c *call) narrow(ctx context.Context, q *Query) error {
	hook := c.s.opts.Hooks.BeforeQuery
	if hook == nil {
		return nil
	}
	before := q.Filter
	if err := hook(ctx, q); err != nil {
		return err
	}
	if before.IsZero() && q.Filter.IsZero() || before.Equal(q.Filter) {
		return nil
	}
	rt, ok := c.s.typeNamed(q.Type)
	if !ok {
		return errors.New("BeforeQuery has changed the type of the query")
	}
	q.Match = nil
	return c.prepare(rt, q, true)
}

func (c *call) ask(ctx context.Context, q Query) (Page, error) {
	if err := c.narrow(ctx, &q); err != nil {
		return Page{}, err
	}
	return c.s.store.Query(ctx, q)
}

// window is the part of the result that the client wants.
type window struct {
	// start is the 1-based index of the first resource, and count how many.
	start, count int
	// cursor is nil for pages by index.
	cursor *string
	// digest is of what the client asked for: a cursor is good for the same question only.
	digest string
}

// offset returns how many resources are in front of the window, or so many that there are none behind them: where the window ends must be
// an int, too.
func (w window) offset() int { return min(w.start-1, math.MaxInt/2) }

func (c *call) window(to route, sr searchRequest) (window, error) {
	limits := c.s.opts.Limits
	w := window{start: 1, count: limits.DefaultResults, digest: sr.digest(to)}
	if sr.startIndex != nil {
		w.start = max(1, *sr.startIndex)
	}
	if sr.count != nil {
		w.count = min(max(0, *sr.count), limits.MaxResults)
	}
	if sr.cursor != nil && c.s.has(FeatureCursor) {
		w.cursor = sr.cursor
		if sr.startIndex != nil {
			return w, badRequest(scim.InvalidValue, "a request has startIndex or cursor, not both")
		}
	}
	return w, nil
}

// result is what a query has found.
type result struct {
	total int
	shown []shown
	next  string
}

// fromIndex returns a page by its index. The resources of several types follow one another.
func (c *call) fromIndex(ctx context.Context, queries []typeQuery, w window) (result, error) {
	var r result
	offset, left := w.offset(), w.count
	for _, q := range queries {
		q.Offset, q.Limit, q.Total = max(0, offset-r.total), left, true
		page, err := c.ask(ctx, q.Query)
		if err != nil {
			return r, err
		}
		list, err := c.show(ctx, q.view, page.Resources)
		if err != nil {
			return r, err
		}
		r.shown = append(r.shown, list...)
		r.total += page.Total
		left -= len(page.Resources)
	}
	return r, nil
}

// fromCursor returns the page that a cursor points to, or the first (RFC 9865).
func (c *call) fromCursor(ctx context.Context, queries []typeQuery, w window) (result, error) {
	var r result
	position, err := c.openCursor(*w.cursor, w.digest)
	if err != nil {
		return r, err
	}
	if position.Type >= len(queries) || position.Merge != nil {
		return r, invalidCursor()
	}
	left := w.count
	for i, q := range queries {
		q.Limit, q.Total = left, true
		switch {
		case i < position.Type || r.next != "":
			q.Limit = 0
		case i == position.Type:
			q.After = position.After
		}
		page, err := c.ask(ctx, q.Query)
		if err != nil {
			return r, err
		}
		list, err := c.show(ctx, q.view, page.Resources)
		if err != nil {
			return r, err
		}
		r.shown = append(r.shown, list...)
		r.total += page.Total
		if r.next != "" || i < position.Type || w.count == 0 {
			continue
		}
		left -= len(page.Resources)
		switch {
		case page.Next != "":
			r.next = c.sealCursor(cursor{Type: i, After: page.Next, Digest: w.digest})
		case left == 0 && i+1 < len(queries):
			r.next = c.sealCursor(cursor{Type: i + 1, Digest: w.digest})
		}
	}
	if w.count == 0 && r.total > 0 { // the next page begins where this one does
		r.next = c.sealCursor(cursor{Type: position.Type, After: position.After, Digest: w.digest})
	}
	return r, nil
}

// answerList answers with a ListResponse (RFC 7644 section 3.4.2).
func (c *call) answerList(w window, r result) (reply, error) {
	b := c.s.buffer()
	b = append(b, `{"schemas":["`+scim.ListResponseSchema+`"],"totalResults":`...)
	b = strconv.AppendInt(b, int64(r.total), 10)
	b = append(b, `,"itemsPerPage":`...)
	b = strconv.AppendInt(b, int64(len(r.shown)), 10)
	if w.cursor == nil {
		b = append(b, `,"startIndex":`...)
		b = strconv.AppendInt(b, int64(w.start), 10)
	}
	var err error
	if r.next != "" {
		b = append(b, `,"nextCursor":`...)
		if b, err = appendString(b, r.next); err != nil {
			return reply{}, err
		}
	}
	b = append(b, `,"Resources":[`...)
	for i := range r.shown {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = r.shown[i].append(b); err != nil {
			return reply{}, err
		}
	}
	return reply{status: http.StatusOK, body: append(b, "]}"...)}, nil
}
