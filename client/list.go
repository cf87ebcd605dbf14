package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles"
)

// List yields the resources of a query, page by page. While one page is being worked on the next is already on its way; no
// more than two are held. An error ends the list; it is yielded with the zero T.
//
//	for user, err := range c.Users().List(ctx, client.Query{}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(user.UserName)
//	}
//
// A list is read to its end whatever totalResults says: by as many resources as really came, until a page is empty, or is not full
// and the total agrees. A resource that comes twice because others were added meanwhile is yielded once. Resources that are created or
// deleted while a list is read can be missed all the same, as SCIM's pages are no snapshot: do not delete what a List is still
// yielding. A list by cursor ends with its cursors, and pages without resources may be among them. A service that gives the same pages again and
// again, and a resource without an id where [Query] does not choose attributes, are errors.
func (r *Resources[T]) List(ctx context.Context, q Query) iter.Seq2[T, error] {
	return r.items(ctx, q, http.MethodGet)
}

// Search is [Resources.List] with the query in the body of a POST (RFC 7644 section 3.4.3), so that what is searched for is in no URL and
// no access log.
func (r *Resources[T]) Search(ctx context.Context, q Query) iter.Seq2[T, error] {
	return r.items(ctx, q, http.MethodPost)
}

// Page returns one page of a query, as the service gives it: from its StartIndex, at most PageSize resources.
func (r *Resources[T]) Page(ctx context.Context, q Query) (scim.ListResponse[T], error) {
	l, failure := r.newLister(q, http.MethodGet)
	if failure != nil {
		return scim.ListResponse[T]{}, r.fail(failure)
	}
	return l.fetch(ctx, l.next)
}

func (r *Resources[T]) items(ctx context.Context, q Query, method string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		l, failure := r.newLister(q, method)
		if failure != nil {
			var none T
			yield(none, r.fail(failure))
			return
		}
		l.run(ctx, yield)
	}
}

// lister reads the pages of one list.
type lister[T any] struct {
	r      *Resources[T]
	q      Query
	method string
	filter filter.Filter
	// next is what to ask for, took how many resources have come.
	next pageRequest
	took int
	// ids are those of the last page, first those of the first one.
	ids, first map[string]bool
	// mark has the ids of an earlier page, of another one whenever the number of pages has doubled: whoever goes round in circles passes it.
	mark  map[string]bool
	pages int
	// empty counts pages without resources that came one after the other.
	empty int
	// single is set for a filter that at most one resource can match.
	single bool
	// surplus is set when the service says that all has come, and one more page is read to be sure.
	surplus bool
}

func (r *Resources[T]) newLister(q Query, method string) (*lister[T], *scim.Error) {
	op := profiles.List
	if method == http.MethodPost {
		op = profiles.Search
	}
	if err := r.offers(op); err != nil {
		return nil, err
	}
	f, err := r.kind.checkQuery(q, r.c.profile)
	if err != nil {
		return nil, err
	}
	l := &lister[T]{r: r, q: q, method: method, filter: f, single: r.kind.isUnique(f)}
	l.next = pageRequest{start: max(1, q.StartIndex), count: r.c.pageCount(q)}
	if p := r.c.profile; p != nil {
		if !p.Paging.Projection {
			l.q.Attributes, l.q.ExcludedAttributes = nil, nil
		}
		if p.Paging.Cursor && q.StartIndex == 0 {
			l.next.cursor = new(string)
		}
	}
	if q.Cursor != nil {
		l.next.cursor = q.Cursor
	}
	return l, nil
}

// isUnique reports whether a filter asks for the value of an attribute that is unique by the profile.
func (k *kind) isUnique(f filter.Filter) bool {
	c, ok := f.Node().(*filter.Compare)
	if !ok || c.Op != filter.OpEq || k.known == nil {
		return false
	}
	a, ok := k.known.Attribute(c.Attr.String())
	return ok && a.Unique
}

// pageCount returns how many resources to ask for at a time.
func (c *Client) pageCount(q Query) int {
	most := 0
	if c.profile != nil {
		most = c.profile.Paging.MaxCount
	}
	count := q.PageSize
	if count <= 0 {
		count = c.pageSize
	}
	if count <= 0 {
		count = most
	}
	if count <= 0 {
		count = DefaultPageSize
	}
	if most > 0 {
		count = min(count, most)
	}
	if q.Limit > 0 {
		count = min(count, q.Limit)
	}
	return count
}

// fetched is a page, or why there is none.
type fetched[T any] struct {
	page scim.ListResponse[T]
	err  error
}

// run yields the resources. The goroutine that reads the next page has ended when run returns.
func (l *lister[T]) run(ctx context.Context, yield func(T, error) bool) {
	ctx, cancel := context.WithCancel(ctx)
	var ahead chan fetched[T]
	defer func() {
		cancel()
		if ahead != nil {
			<-ahead
		}
	}()
	var got fetched[T]
	got.page, got.err = l.fetch(ctx, l.next)
	for {
		last, err := l.advance(&got)
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		if !last {
			ahead = make(chan fetched[T], 1)
			go l.readAhead(ctx, ahead, l.next)
		}
		for _, resource := range got.page.Resources {
			if !yield(resource, nil) {
				return
			}
		}
		if last {
			return
		}
		got, ahead = <-ahead, nil
	}
}

func (l *lister[T]) readAhead(ctx context.Context, to chan<- fetched[T], next pageRequest) {
	page, err := l.fetch(ctx, next)
	to <- fetched[T]{page, err}
}

// advance takes a page, leaves in it what is new, and decides where the next one begins. It reports whether this was the last.
func (l *lister[T]) advance(got *fetched[T]) (last bool, err error) {
	if got.err != nil {
		if l.surplus && (errors.Is(got.err, scim.ErrNotFound) || isStatus(got.err, http.StatusBadRequest)) {
			got.page.Resources = nil
			return true, nil // there was nothing behind the end
		}
		return true, got.err
	}
	page := &got.page
	if err := l.checkIDs(page.Resources); err != nil {
		return true, err
	}
	came := len(page.Resources)
	if came == 0 {
		return l.afterEmpty(page.NextCursor)
	}
	l.empty = 0
	if l.single && came <= 1 {
		return true, nil // no second page can have another
	}
	all := l.complete(page)
	if !l.dropKnown(page) {
		if l.surplus {
			return true, nil
		}
		return true, l.circle()
	}
	l.took += len(page.Resources)
	if l.q.Limit > 0 && l.took >= l.q.Limit {
		page.Resources = page.Resources[:len(page.Resources)-(l.took-l.q.Limit)]
		return true, nil
	}
	if l.next.cursor != nil || page.NextCursor != "" {
		cursor := page.NextCursor
		l.next.cursor = &cursor
		return cursor == "", nil
	}
	short := came < l.next.count
	l.next.start += came
	l.surplus = all
	return all && short && !l.unreliable(), nil
}

// maxEmptyPages is how many pages without resources a list by cursor may have one after the other.
const maxEmptyPages = 1000

// afterEmpty decides whether a list goes on after a page without resources. One by cursor does as long as it has another cursor: a service may
// look for the matches of a filter in parts, and find none in one of them.
func (l *lister[T]) afterEmpty(cursor string) (last bool, err error) {
	if cursor == "" || l.next.cursor != nil && cursor == *l.next.cursor {
		return true, nil
	}
	if l.empty++; l.empty > maxEmptyPages {
		return true, &scim.Error{
			Method: l.method, Path: l.r.kind.endpoint,
			Detail: fmt.Sprintf("the service gave %d pages without resources and always another cursor", l.empty),
		}
	}
	l.next.cursor = &cursor
	return false, nil
}

// checkIDs returns an error for a list with something that is no resource. Where attributes were chosen an id may be missing, as for Get.
func (l *lister[T]) checkIDs(resources []T) error {
	if len(l.q.Attributes) > 0 {
		return nil
	}
	for i := range resources {
		if err := hasID(&resources[i]); err != nil {
			return &scim.Error{
				Method: l.method, Path: l.r.kind.endpoint, Err: err, Detail: fmt.Sprintf("the list cannot be read: /Resources/%d: %v", i, err),
			}
		}
	}
	return nil
}

// circle is the error for a service that gives a page which it gave before.
func (l *lister[T]) circle() *scim.Error {
	asked := fmt.Sprintf("for the resources from index %d on", l.next.start)
	if l.next.cursor != nil {
		asked = "with another cursor"
	}
	return &scim.Error{
		Method: l.method, Path: l.r.kind.endpoint,
		Detail: "the service gave the same page again when asked " + asked + ": it does not page",
	}
}

// complete reports whether the service says that there is nothing behind a page.
func (l *lister[T]) complete(page *scim.ListResponse[T]) bool {
	return l.next.start-1+len(page.Resources) >= page.TotalResults
}

func (l *lister[T]) unreliable() bool {
	return l.r.c.profile != nil && l.r.c.profile.Paging.TotalsUnreliable
}

// dropKnown takes out of a page what was in the one before, which happens when resources are added in between, or in the first, which
// happens when a service begins anew at its end. It reports whether any is left: none is of a page that came before as a whole.
func (l *lister[T]) dropKnown(page *scim.ListResponse[T]) bool {
	ids := make(map[string]bool, len(page.Resources))
	kept := page.Resources[:0]
	marked := 0
	for i := range page.Resources {
		id := idOf(&page.Resources[i])
		if id != "" {
			ids[id] = true
			if l.mark[id] {
				marked++
			}
			if l.ids[id] || l.first[id] {
				continue
			}
		}
		kept = append(kept, page.Resources[i])
	}
	if marked == len(page.Resources) {
		kept = nil
	}
	if l.pages++; l.pages&(l.pages-1) == 0 {
		l.mark = ids
	}
	l.ids = ids
	if l.first == nil {
		l.first = ids
	}
	page.Resources = kept
	return len(kept) > 0
}

// idOf returns the id of a resource, empty when it is not known how to find it.
func idOf(resource any) string {
	id, _ := idIn(resource)
	return id
}

// idIn returns the id of a resource, and whether it is known where such a resource has it.
func idIn(resource any) (id string, known bool) {
	switch r := resource.(type) {
	case *scim.User:
		return r.ID, true
	case *scim.Group:
		return r.ID, true
	case *scim.Document:
		return r.ID(), true
	case interface{ ResourceID() string }:
		return r.ResourceID(), true
	}
	return "", false
}

func isStatus(err error, status int) bool {
	e, ok := errors.AsType[*scim.Error](err)
	return ok && e.Status == status
}

// fetch reads one page.
func (l *lister[T]) fetch(ctx context.Context, p pageRequest) (scim.ListResponse[T], error) {
	page, err := l.read(ctx, p)
	return page.response(), err
}

// read reads one page as the service wrote it.
func (l *lister[T]) read(ctx context.Context, p pageRequest) (page listBody[T], err error) {
	req := &request{method: l.method, path: l.r.kind.endpoint}
	req.decode = func(_ int, _ http.Header, body []byte) error {
		if err := decode(body, &page); err != nil {
			return err
		}
		return page.check()
	}
	if l.method == http.MethodPost {
		req.path += "/.search"
		body, failure := encode(l.q.search(l.filter, p))
		if failure != nil {
			return page, l.r.fail(failure)
		}
		req.body = body
	} else {
		req.query = l.q.parameters(l.filter, p)
	}
	err = l.r.do(ctx, req)
	if err != nil && !l.filter.IsZero() && errors.Is(err, scim.ErrNotFound) && l.notFoundIsEmpty() {
		return listBody[T]{TotalResults: new(number)}, nil
	}
	return page, err
}

func (l *lister[T]) notFoundIsEmpty() bool {
	return l.r.c.profile != nil && l.r.c.profile.Paging.NotFoundWhenEmpty
}

// listBody is a list as services really write it.
type listBody[T any] struct {
	Schemas        []string `json:"schemas"`
	TotalResults   *number  `json:"totalResults"`
	StartIndex     number   `json:"startIndex"`
	ItemsPerPage   number   `json:"itemsPerPage"`
	NextCursor     string   `json:"nextCursor"`
	PreviousCursor string   `json:"previousCursor"`
	Resources      []T      `json:"Resources"`
}

// check returns an error for JSON that is no list: an empty one would be taken for a service that has no resources.
func (b *listBody[T]) check() error {
	if b.TotalResults != nil || b.Resources != nil || slices.ContainsFunc(b.Schemas, isListURN) {
		return nil
	}
	return errors.New("it is no list: it has neither totalResults nor Resources")
}

func isListURN(urn string) bool { return strings.EqualFold(urn, scim.ListResponseSchema) }

// hasTotal reports whether the service says how many resources there are.
func (b *listBody[T]) hasTotal() bool { return b.TotalResults != nil && *b.TotalResults != noNumber }

func (b *listBody[T]) total() int {
	if b.TotalResults == nil {
		return 0
	}
	return b.TotalResults.orZero()
}

func (b *listBody[T]) response() scim.ListResponse[T] {
	return scim.ListResponse[T]{
		Schemas: b.Schemas, TotalResults: b.total(), StartIndex: b.StartIndex.orZero(),
		ItemsPerPage: b.ItemsPerPage.orZero(), NextCursor: b.NextCursor, PreviousCursor: b.PreviousCursor,
		Resources: b.Resources,
	}
}

// number is an integer that may be written as 2, 2.0 or "2". What is none of these is noNumber: no list is refused for its totals.
type number int

const noNumber number = -1

func (n number) orZero() int { return max(0, int(n)) }

// UnmarshalJSONFrom reads the number.
func (n *number) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	v, err := d.ReadValue()
	if err != nil {
		return err
	}
	*n = noNumber
	f, err := strconv.ParseFloat(string(bytes.Trim(v, `"`)), 64)
	if err == nil && f >= 0 && f < 1<<31 {
		*n = number(f)
	}
	return nil
}

var _ json.UnmarshalerFrom = (*number)(nil)
