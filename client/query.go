package client

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
)

// Query says which resources a list holds, and in what form (RFC 7644 section 3.4.2). The zero Query is all of them.
type Query struct {
	Filter filter.Filter
	// Attributes asks for these attributes only, ExcludedAttributes for all but these.
	Attributes, ExcludedAttributes []string
	// SortBy is an attribute that the service shall sort by, in ascending order unless Descending.
	SortBy     string
	Descending bool
	// StartIndex is the 1-based index of the first resource. 0 is 1.
	StartIndex int
	// Cursor is where a list that is read by cursor (RFC 9865) goes on: NextCursor of the page before, or a pointer to an empty text for
	// the first page. Nil leaves the way to the client: by cursor where the profile says that there are cursors and StartIndex is 0,
	// otherwise by index.
	Cursor *string
	// PageSize is how many resources are asked for at a time, 0 for the client's default. It is lowered to what the profile allows.
	PageSize int
	// Limit is how many resources the list holds at most, 0 for all.
	Limit int
}

// pageRequest is the part of a query that differs from page to page.
type pageRequest struct {
	start, count int
	cursor       *string
}

// parameters returns the query as URL parameters.
func (q *Query) parameters(f filter.Filter, p pageRequest) string {
	var b strings.Builder
	add := func(name, value string) {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(name)
		b.WriteByte('=')
		b.WriteString(escapeQuery(value))
	}
	if !f.IsZero() {
		add("filter", f.String())
	}
	if len(q.Attributes) > 0 {
		add("attributes", strings.Join(q.Attributes, ","))
	}
	if len(q.ExcludedAttributes) > 0 {
		add("excludedAttributes", strings.Join(q.ExcludedAttributes, ","))
	}
	if q.SortBy != "" {
		add("sortBy", q.SortBy)
		if q.Descending {
			add("sortOrder", "descending")
		}
	}
	if p.cursor != nil {
		add("cursor", *p.cursor)
	} else {
		add("startIndex", strconv.Itoa(p.start))
	}
	add("count", strconv.Itoa(p.count))
	return b.String()
}

// search returns the query as the body of a POST to .search.
func (q *Query) search(f filter.Filter, p pageRequest) scim.SearchRequest {
	s := scim.SearchRequest{
		Schemas: []string{scim.SearchRequestSchema}, Filter: f.String(),
		Attributes: q.Attributes, ExcludedAttributes: q.ExcludedAttributes,
		SortBy: q.SortBy, Count: &p.count,
	}
	if q.SortBy != "" && q.Descending {
		s.SortOrder = "descending"
	}
	if p.cursor != nil {
		s.Cursor = p.cursor
	} else {
		s.StartIndex = &p.start
	}
	return s
}

// escapeQuery escapes a value with %20 for a space: not every service takes the plus sign for one.
func escapeQuery(value string) string { return strings.ReplaceAll(url.QueryEscape(value), "+", "%20") }

// projection returns the parameters that choose attributes.
func (r *Resources[T]) projection(attributes, excluded []string) string {
	if p := r.c.profile; p != nil && !p.Paging.Projection {
		return ""
	}
	var parts []string
	if len(attributes) > 0 {
		parts = append(parts, "attributes="+escapeQuery(strings.Join(attributes, ",")))
	}
	if len(excluded) > 0 {
		parts = append(parts, "excludedAttributes="+escapeQuery(strings.Join(excluded, ",")))
	}
	return strings.Join(parts, "&")
}
