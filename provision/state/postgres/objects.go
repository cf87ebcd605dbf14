package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"

	"github.com/scimbridge/scim/provision"
)

const headColumns = "o.key, o.source_id, o.long_source_id, o.digest, o.flags, o.target_id, o.long_target_id"

// headRow is a head as it is stored.
type headRow struct {
	source, target         string
	longSource, longTarget *string
	digest                 []byte
	flags                  int32
}

func (row *headRow) head(h *provision.Head) {
	h.SourceID, h.TargetID = full(row.source, row.longSource), full(row.target, row.longTarget)
	copy(h.Digest[:], row.digest)
	h.Flags = provision.Flags(row.flags)
}

func scanHead(into *[]provision.Head) func(pgx.Rows) error {
	var row headRow
	return func(rows pgx.Rows) error {
		var h provision.Head
		row.longSource, row.longTarget = nil, nil
		if err := rows.Scan(&h.Key, &row.source, &row.longSource, &row.digest, &row.flags, &row.target, &row.longTarget); err != nil {
			return err
		}
		h.Key = number(h.Key)
		row.head(&h)
		*into = append(*into, h)
		return nil
	}
}

// indexed returns what stands for texts in an index.
func indexed(texts []string) []string {
	list := make([]string, len(texts))
	for i, text := range texts {
		list[i], _ = short(text)
	}
	return list
}

// Heads returns the heads of objects by their source ids.
func (s *Store) Heads(ctx context.Context, job, objectType string, ids []string) ([]provision.Head, error) {
	id, err := s.jobID(ctx, job, false)
	if err != nil || id == 0 || len(ids) == 0 {
		return nil, err
	}
	heads := make([]provision.Head, 0, len(ids))
	err = s.query(ctx, scanHead(&heads), "SELECT "+headColumns+` FROM unnest($3::text[]) u(id), LATERAL (
	SELECT * FROM provision_objects WHERE job = $1 AND type = $2 AND source_id = u.id LIMIT 1
) o`, id, encode(objectType), indexed(ids))
	return heads, err
}

// keyBits are how many bits of a key in the database are those of the key in the interface.
const keyBits = 40

// key returns a record's key in the database.
func key(job int32, n int64) int64 { return int64(job)<<keyBits | n }

func number(key int64) int64 { return key & (1<<keyBits - 1) }

const selectRecords = "SELECT " + headColumns + ", o.type, o.display, o.due, d.data" +
	" FROM provision_objects o JOIN provision_details d ON d.key = o.key"

// stored is what the data of a record is in the database.
type stored struct {
	Matching []string `json:"matching,omitempty"`
	provision.Detail
}

func scanRecord(into *[]provision.Record) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var r provision.Record
		var row headRow
		var data []byte
		var due *time.Time
		err := rows.Scan(&r.Key, &row.source, &row.longSource, &row.digest, &row.flags, &row.target, &row.longTarget,
			&r.Type, &r.Display, &due, &data)
		if err != nil {
			return err
		}
		r.Key = number(r.Key)
		row.head(&r.Head)
		r.Type, r.Display, r.Due = decode(r.Type), decode(r.Display), fromTimestamp(due)
		var d stored
		if err := json.Unmarshal(data, &d); err != nil {
			return fmt.Errorf("record %d: %w", r.Key, err)
		}
		r.Matching, r.Detail = d.Matching, d.Detail
		*into = append(*into, r)
		return nil
	}
}

func keysOf(job int32, numbers []int64) []int64 {
	keys := make([]int64, len(numbers))
	for i, n := range numbers {
		keys[i] = key(job, n)
	}
	return keys
}

// Records returns records by their keys.
func (s *Store) Records(ctx context.Context, job string, keys []int64) ([]provision.Record, error) {
	id, err := s.jobID(ctx, job, false)
	if err != nil || id == 0 || len(keys) == 0 {
		return nil, err
	}
	records := make([]provision.Record, 0, len(keys))
	err = s.query(ctx, scanRecord(&records), selectRecords+" WHERE o.key = ANY($1::bigint[])", keysOf(id, keys))
	return records, err
}

// Linked returns the key of the record that is linked to a target object.
func (s *Store) Linked(ctx context.Context, job, objectType, targetID string) (int64, error) {
	id, err := s.jobID(ctx, job, false)
	if err != nil || id == 0 || targetID == "" {
		return 0, err
	}
	target, _ := short(targetID)
	found, _, err := one[int64](ctx, s, "SELECT key FROM provision_objects WHERE job = $1 AND type = $2 AND target_id = $3 AND target_id <> ''",
		id, encode(objectType), target)
	return number(found), err
}

// condition is the condition of a query, with its parameters.
type condition struct {
	text string
	args []any
}

func (c *condition) param(v any) string {
	c.args = append(c.args, v)
	return fmt.Sprintf("$%d", len(c.args))
}

func where(job int32, q provision.Query, after int64) *condition {
	c := &condition{}
	c.text = "o.key > " + c.param(key(job, after)) + " AND o.key < " + c.param(key(job+1, 0))
	if q.Type != "" {
		// The planner is not to take the index that begins with job and type.
		c.text += " AND (o.type = " + c.param(encode(q.Type)) + ") IS TRUE"
	}
	if q.Dirty || q.Pending || q.Failed || q.Held || q.Rejoin || q.Creating {
		c.text += " AND o.attention"
	}
	for _, f := range []struct {
		flag provision.Flags
		on   bool
	}{
		{provision.Present, q.Present},
		{provision.Dirty, q.Dirty},
		{provision.Pending, q.Pending},
		{provision.Failed, q.Failed},
		{provision.Held, q.Held},
		{provision.Rejoin, q.Rejoin},
		{provision.Creating, q.Creating},
	} {
		if f.on {
			c.text += fmt.Sprintf(" AND (o.flags & %d) <> 0", f.flag)
		}
	}
	if !q.DueBefore.IsZero() {
		c.text += " AND (o.due IS NULL OR o.due <= " + c.param(timestamp(q.DueBefore)) + ")"
	}
	if q.Linked {
		c.text += " AND o.target_id <> ''"
	}
	if q.Unlinked {
		c.text += " AND o.target_id = ''"
	}
	if q.Text != "" {
		id, _ := short(q.Text)
		object, name := c.param(id), c.param(encode(q.Text))
		c.text += " AND (o.source_id = " + object + " OR o.target_id = " + object + " OR o.display = " + name + ")"
	}
	return c
}

// Scan returns the records that a query selects.
func (s *Store) Scan(ctx context.Context, job string, q provision.Query, after int64, limit int) ([]provision.Record, error) {
	var records []provision.Record
	err := s.scan(ctx, job, q, after, limit, selectRecords, scanRecord(&records))
	return records, err
}

// ScanHeads returns the heads of the records that a query selects.
func (s *Store) ScanHeads(ctx context.Context, job string, q provision.Query, after int64, limit int) ([]provision.Head, error) {
	var heads []provision.Head
	err := s.scan(ctx, job, q, after, limit, "SELECT "+headColumns+" FROM provision_objects o", scanHead(&heads))
	return heads, err
}

func (s *Store) scan(ctx context.Context, job string, q provision.Query, after int64, limit int, columns string, scan func(pgx.Rows) error) error {
	id, err := s.jobID(ctx, job, false)
	if err != nil || id == 0 {
		return err
	}
	c := where(id, q, after)
	text := columns + " WHERE " + c.text + " ORDER BY o.key LIMIT " + c.param(limit)
	return s.query(ctx, scan, text, c.args...)
}

// Count returns how many records a query selects.
func (s *Store) Count(ctx context.Context, job string, q provision.Query) (int, error) {
	id, err := s.jobID(ctx, job, false)
	if err != nil || id == 0 {
		return 0, err
	}
	c := where(id, q, 0)
	n, _, err := one[int](ctx, s, "SELECT count(*) FROM provision_objects o WHERE "+c.text, c.args...)
	return n, err
}

// Matching returns the records that have one of the matching values.
func (s *Store) Matching(ctx context.Context, job, objectType string, values []string) ([]provision.MatchingRecord, error) {
	id, err := s.jobID(ctx, job, false)
	if err != nil || id == 0 || len(values) == 0 {
		return nil, err
	}
	var found []provision.MatchingRecord
	err = s.query(ctx, scanMatching(&found),
		`SELECT m.value, m.long_value, m.key, m.precedence FROM unnest($3::text[]) u(value), LATERAL (
	SELECT * FROM provision_matching WHERE job = $1 AND type = $2 AND value = u.value OFFSET 0
) m`, id, encode(objectType), indexed(values))
	return found, err
}

func scanMatching(into *[]provision.MatchingRecord) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var m provision.MatchingRecord
		var value string
		var long *string
		if err := rows.Scan(&value, &long, &m.Key, &m.Precedence); err != nil {
			return err
		}
		m.Key, m.Value = number(m.Key), full(value, long)
		*into = append(*into, m)
		return nil
	}
}

// Duplicates returns the records that share their first matching value.
func (s *Store) Duplicates(ctx context.Context, job, objectType string) ([]provision.MatchingRecord, error) {
	id, err := s.jobID(ctx, job, false)
	if err != nil || id == 0 {
		return nil, err
	}
	var found []provision.MatchingRecord
	// One pass in the order of the index: a join with itself is quadratic where the planner has no statistics yet, which is after the first read.
	err = s.query(ctx, scanMatching(&found), `SELECT value, long_value, key, precedence FROM (
	SELECT value, long_value, key, precedence, count(*) OVER (PARTITION BY value) AS sharing FROM provision_matching
	WHERE job = $1 AND type = $2 AND precedence = 0
) AS matching WHERE sharing > 1 ORDER BY value, key`, id, encode(objectType))
	return found, err
}
