package sqlstore

import (
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/sqlquery"
)

// position is where a page begins: after the resource with the sequence number and, in an order, with the key.
type position struct {
	Seq int64           `json:"s"`
	Key *server.SortKey `json:"k,omitzero"`
}

func parsePosition(text string) (p position, err error) {
	if text == "" {
		return p, nil
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return p, scim.NewError(400, scim.InvalidCursor, "the cursor is not one of this query")
	}
	return p, nil
}

func (p position) String() string {
	data, err := json.Marshal(p)
	if err != nil { // only for text that is not UTF-8, which documents do not hold
		return ""
	}
	return string(data)
}

// text returns the key as the database has it; nil for none.
func (p position) text(o server.Order) *string {
	if p.Key == nil || !p.Key.Present || o.Attribute == nil {
		return nil
	}
	var v any
	switch k := p.Key; o.Attribute.Type {
	case schema.Boolean:
		v = k.Int != 0
	case schema.Integer, schema.Decimal:
		if v = k.Int; k.Float != 0 {
			v = k.Float
		}
	default:
		v = k.Text
	}
	text, ok := sqlquery.Text(o.Attribute, v)
	if !ok {
		return nil
	}
	return &text
}

// search is a query at work.
type search struct {
	server.Query
	store *Store
	after position
	// shape is what the schema of the query asks for, and id its number.
	shape *shape
	id    int64
	// stale says that there are resources of other shapes.
	stale bool
}

// Query returns a page of the resources. Total and page are of one moment, unless the query has a View.
func (s *Store) Query(ctx context.Context, q server.Query) (server.Page, error) {
	page, err := s.query(ctx, q)
	return page, wrap("query", err)
}

func (s *Store) query(ctx context.Context, q server.Query) (page server.Page, err error) {
	sc := &search{Query: q, store: s, shape: s.shape(q.Type, q.Schema)}
	if sc.after, err = parsePosition(q.After); err != nil {
		return page, err
	}
	if !possible(server.Key{Tenant: q.Tenant, Type: q.Type}) {
		return page, nil
	}
	if sc.id, err = s.shapeID(ctx, sc.shape, false); err != nil {
		return page, err
	}
	if q.View != nil {
		// Views ask the store, too: the transaction must not wait for them.
		err := s.db.Read(ctx, func(tx Tx) (err error) {
			sc.stale, err = sc.hasStale(ctx, tx)
			return err
		})
		if err != nil {
			return page, err
		}
		return sc.scan(ctx, func(do func(Tx) error) error { return s.db.Read(ctx, do) })
	}
	err = s.db.Read(ctx, func(tx Tx) error {
		page, err = sc.inOne(ctx, tx)
		return err
	})
	return page, err
}

// inOne returns the page from one transaction.
func (s *search) inOne(ctx context.Context, tx Tx) (server.Page, error) {
	simple := s.Match == nil && s.Order.Attribute == nil
	if !simple {
		var err error
		if s.stale, err = s.hasStale(ctx, tx); err != nil {
			return server.Page{}, err
		}
	}
	if page, ok, err := s.walked(ctx, tx); ok || err != nil {
		return page, err
	}
	order, ok := s.table().Order(s.Schema, s.Query.Order)
	c, exact := s.clause()
	if ok && (simple || !s.stale) && exact {
		return s.selected(ctx, tx, c, order)
	}
	return s.scan(ctx, func(do func(Tx) error) error { return do(tx) })
}

// hasStale reports whether there are resources of another shape. Their search and terms say nothing.
func (s *search) hasStale(ctx context.Context, tx Tx) (stale bool, err error) {
	err = tx.Query(ctx, func(Row) error { stale = true; return nil },
		"SELECT 1 WHERE EXISTS (SELECT 1 FROM resources r WHERE "+s.store.dialect.OfType+" AND r.shape < $3)"+
			" OR EXISTS (SELECT 1 FROM resources r WHERE "+s.store.dialect.OfType+" AND r.shape > $3)", s.Tenant, s.Type, s.id)
	return stale, err
}

// clause is a part of a statement, whose first arguments are tenant and type.
type clause struct {
	where string
	args  []any
}

// arg adds an argument and returns its placeholder.
func (c *clause) arg(v any) string {
	c.args = append(c.args, v)
	return "$" + strconv.Itoa(len(c.args))
}

func (c *clause) and(condition string) { c.where += " AND " + condition }

// table says where the database has what a query looks at.
func (s *search) table() sqlquery.Table {
	t := sqlquery.Table{
		Dialect: s.store.dialect.SQL, Key: "r.seq", Search: "r.search", Columns: map[string]string{"id": "r.id"}, Strict: s.Strict,
		Members: &sqlquery.Members{From: "members m", Scope: "m.tenant = $1", Key: "m.owner", Value: "m.value"},
	}
	if s.shape != nil {
		t.Lookup = &sqlquery.Lookup{
			From: "terms t", Scope: "t.tenant = $1 AND t.type = $2", Key: "t.owner", Attribute: "t.attribute", Value: "t.value",
			Attributes: make(map[string]any, len(s.shape.indexed)),
		}
		for _, path := range s.shape.indexed {
			t.Lookup.Attributes[path] = path
		}
	}
	return t
}

const fromResources = " FROM resources r WHERE "

// clause returns a clause for resources among which are all that match; exact says that there are no others. It trusts what was made
// under another shape with nothing.
func (s *search) clause() (c *clause, exact bool) {
	c = &clause{where: fromResources + s.store.dialect.OfType, args: []any{s.Tenant, s.Type}}
	if s.Match == nil {
		return c, true
	}
	if s.shape == nil {
		return c, false
	}
	var condition sqlquery.Condition
	if s.View == nil { // else the filter looks at what is not stored
		condition = s.table().Where(s.Schema, s.Filter, c.arg)
	}
	switch {
	case condition.SQL == "" || condition.SQL == "TRUE":
		return c, condition.Exact
	case condition.Keyed && !s.stale:
		c.where = fromResources + sameType
	case s.stale:
		id := c.arg(s.id)
		condition.SQL = "(r.shape < " + id + " OR r.shape > " + id + " OR " + condition.SQL + ")"
	}
	c.and(condition.SQL)
	return c, condition.Exact && !s.stale
}

// selected returns the page that the database finds by itself.
func (s *search) selected(ctx context.Context, tx Tx, c *clause, order sqlquery.Order) (page server.Page, err error) {
	matching, args := c.where, slices.Clone(c.args)
	if s.After != "" {
		c.and(order.After(s.after.text(s.Order), s.after.Seq, c.arg))
	}
	text := "SELECT " + columns + c.where + " ORDER BY " + order.By + " LIMIT " + c.arg(more(s.Limit)) + " OFFSET " + c.arg(int64(s.Offset))
	list, err := rows(ctx, tx, text, c.args...)
	if err != nil {
		return page, err
	}
	found := list[:min(len(list), s.Limit)]
	beyond := len(list) > s.Limit
	if beyond {
		page.Next = s.next(found)
	}
	if s.Total {
		switch {
		case !beyond && s.After == "" && (len(found) > 0 || s.Offset == 0):
			page.Total = s.Offset + len(found)
		case s.Match == nil:
			page.Total, err = s.size(ctx, tx)
		default:
			err = tx.Query(ctx, func(r Row) error { return r.Scan(&page.Total) }, "SELECT count(*)"+matching, args...)
		}
	}
	if err != nil {
		return page, err
	}
	page.Resources, err = s.resources(ctx, tx, found)
	return page, err
}

// size returns how many resources of the type there are.
func (s *search) size(ctx context.Context, tx Tx) (n int, err error) {
	err = tx.Query(ctx, func(r Row) error { return r.Scan(&n) },
		"SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM counts WHERE tenant = $1 AND type = $2", s.Tenant, s.Type)
	return n, err
}

// next returns where the page after these rows begins.
func (s *search) next(found []row) string {
	if len(found) == 0 && s.Order.Attribute != nil {
		return s.After
	}
	if len(found) == 0 {
		return s.after.String()
	}
	last := found[len(found)-1]
	p := position{Seq: last.seq}
	if s.Order.Attribute != nil {
		key := s.Order.Key(last.resource.Document)
		p.Key = &key
	}
	return p.String()
}

// more is how many rows are read to know whether there are more than limit.
func more(limit int) int64 {
	if limit == math.MaxInt {
		return math.MaxInt64
	}
	return int64(limit) + 1
}

// resources returns rows as resources, with members when they are wanted.
func (s *search) resources(ctx context.Context, tx Tx, list []row) ([]server.Resource, error) {
	out := make([]server.Resource, len(list))
	if !s.omits(server.Members) {
		pointers := make([]*row, len(list))
		for i := range list {
			pointers[i] = &list[i]
		}
		if err := addMembers(ctx, tx, pointers); err != nil {
			return nil, err
		}
	}
	for i, r := range list {
		out[i] = r.resource
	}
	return out, nil
}
