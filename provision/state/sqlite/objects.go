package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim/provision"
)

// Heads returns the heads of objects by their source ids.
func (s *Store) Heads(ctx context.Context, job, objectType string, ids []string) ([]provision.Head, error) {
	k, err := s.kindID(ctx, job, objectType, false)
	if err != nil || k == 0 {
		return nil, err
	}
	heads := make([]provision.Head, 0, len(ids))
	err = inChunks(ctx, s, "SELECT key, source_id, digest, flags, target_id FROM objects WHERE kind = ? AND source_id IN (?)", []any{k}, ids,
		func(rows *sql.Rows) error {
			h, err := scanHead(rows)
			heads = append(heads, h)
			return err
		})
	return heads, err
}

func scanHead(rows *sql.Rows) (h provision.Head, err error) {
	var digest sql.RawBytes
	if err := rows.Scan(&h.Key, &h.SourceID, &digest, &h.Flags, &h.TargetID); err != nil {
		return h, err
	}
	copy(h.Digest[:], digest)
	return h, nil
}

const recordColumns = `SELECT o.key, k.type, o.source_id, o.digest, o.flags, o.target_id, o.display, o.due, d.data
FROM objects o JOIN kinds k ON k.id = o.kind JOIN details d ON d.key = o.key`

// Records returns records by their keys.
func (s *Store) Records(ctx context.Context, _ string, keys []int64) ([]provision.Record, error) {
	records := make([]provision.Record, 0, len(keys))
	err := inChunks(ctx, s, recordColumns+" WHERE o.key IN (?)", nil, keys, func(rows *sql.Rows) error {
		r, err := scanRecord(rows)
		records = append(records, r)
		return err
	})
	return records, err
}

// stored is what the data of a record is in the file.
type stored struct {
	Matching []string `json:"matching,omitempty"`
	provision.Detail
}

func scanRecord(rows *sql.Rows) (r provision.Record, err error) {
	var digest, data sql.RawBytes
	var due int64
	if err := rows.Scan(&r.Key, &r.Type, &r.SourceID, &digest, &r.Flags, &r.TargetID, &r.Display, &due, &data); err != nil {
		return r, err
	}
	copy(r.Digest[:], digest)
	r.Due = fromUnix(due)
	var d stored
	if err := json.Unmarshal(data, &d); err != nil {
		return r, fmt.Errorf("record %d: %w", r.Key, err)
	}
	r.Matching, r.Detail = d.Matching, d.Detail
	return r, nil
}

// needsAttention reports whether a query is about the few objects that there is something to do about.
func needsAttention(q provision.Query) bool {
	return q.Dirty || q.Pending || q.Failed || q.Held || q.Rejoin || q.Creating
}

// indexed has SQLite use the index of those. By itself it takes one of all objects for as good, and looks at every one of them.
func indexed(from string, q provision.Query) string {
	if !needsAttention(q) {
		return from
	}
	return strings.Replace(from, "FROM objects o", "FROM objects o INDEXED BY objects_attention", 1)
}

// where returns the condition of a query. It names the flags of the partial index so that SQLite uses it.
func (s *Store) where(ctx context.Context, job string, q provision.Query) (text string, args []any, none bool, err error) {
	if q.Type != "" {
		k, err := s.kindID(ctx, job, q.Type, false)
		if err != nil || k == 0 {
			return "", nil, true, err
		}
		text, args = "o.kind = ?", []any{k}
	} else {
		id, err := s.jobID(ctx, job, false)
		if err != nil || id == 0 {
			return "", nil, true, err
		}
		text, args = "o.kind IN (SELECT id FROM kinds WHERE job = ?)", []any{id}
	}
	if needsAttention(q) {
		text += " AND (o.flags & 2174) <> 0"
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
			text += fmt.Sprintf(" AND (o.flags & %d) <> 0", f.flag)
		}
	}
	if !q.DueBefore.IsZero() {
		text, args = text+" AND o.due <= ?", append(args, unixTime(q.DueBefore))
	}
	if q.Linked {
		text += " AND o.target_id <> ''"
	}
	if q.Unlinked {
		text += " AND o.target_id = ''"
	}
	if q.Text != "" {
		text, args = text+" AND (o.source_id = ? OR o.target_id = ? OR o.display = ?)", append(args, q.Text, q.Text, q.Text)
	}
	return text, args, false, nil
}

// Scan returns the records that a query selects.
func (s *Store) Scan(ctx context.Context, job string, q provision.Query, after int64, limit int) ([]provision.Record, error) {
	var records []provision.Record
	err := s.scan(ctx, job, q, after, limit, recordColumns, func(rows *sql.Rows) error {
		r, err := scanRecord(rows)
		records = append(records, r)
		return err
	})
	return records, err
}

// ScanHeads returns the heads of the records that a query selects.
func (s *Store) ScanHeads(ctx context.Context, job string, q provision.Query, after int64, limit int) ([]provision.Head, error) {
	var heads []provision.Head
	err := s.scan(ctx, job, q, after, limit, "SELECT o.key, o.source_id, o.digest, o.flags, o.target_id FROM objects o", func(rows *sql.Rows) error {
		h, err := scanHead(rows)
		heads = append(heads, h)
		return err
	})
	return heads, err
}

func (s *Store) scan(ctx context.Context, job string, q provision.Query, after int64, limit int, columns string, scan func(*sql.Rows) error) error {
	where, args, none, err := s.where(ctx, job, q)
	if err != nil || none {
		return err
	}
	st, err := s.stmt(ctx, indexed(columns, q)+" WHERE "+where+" AND o.key > ? ORDER BY o.key LIMIT ?")
	if err != nil {
		return err
	}
	return scanRows(ctx, st, append(args, after, limit), scan)
}

// Count returns how many records a query selects.
func (s *Store) Count(ctx context.Context, job string, q provision.Query) (n int, err error) {
	where, args, none, err := s.where(ctx, job, q)
	if err != nil || none {
		return 0, err
	}
	st, err := s.stmt(ctx, indexed("SELECT count(*) FROM objects o", q)+" WHERE "+where)
	if err != nil {
		return 0, err
	}
	if err := st.QueryRowContext(ctx, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("sqlite: %w", err)
	}
	return n, nil
}

// Matching returns the records that have one of the matching values.
func (s *Store) Matching(ctx context.Context, job, objectType string, values []string) ([]provision.MatchingRecord, error) {
	k, err := s.kindID(ctx, job, objectType, false)
	if err != nil || k == 0 {
		return nil, err
	}
	var found []provision.MatchingRecord
	err = inChunks(ctx, s, "SELECT value, key, precedence FROM matching WHERE kind = ? AND value IN (?)", []any{k}, values, scanMatching(&found))
	return found, err
}

func scanMatching(into *[]provision.MatchingRecord) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var m provision.MatchingRecord
		err := rows.Scan(&m.Value, &m.Key, &m.Precedence)
		*into = append(*into, m)
		return err
	}
}

// Duplicates returns the records that share their first matching value.
func (s *Store) Duplicates(ctx context.Context, job, objectType string) ([]provision.MatchingRecord, error) {
	k, err := s.kindID(ctx, job, objectType, false)
	if err != nil || k == 0 {
		return nil, err
	}
	st, err := s.stmt(ctx, `SELECT value, key, precedence FROM matching WHERE kind = ?1 AND precedence = 0 AND value IN (
	SELECT value FROM matching WHERE kind = ?1 AND precedence = 0 GROUP BY value HAVING count(*) > 1) ORDER BY value, key`)
	if err != nil {
		return nil, err
	}
	var found []provision.MatchingRecord
	err = scanRows(ctx, st, []any{k}, scanMatching(&found))
	return found, err
}

// Log returns log entries, the newest first.
func (s *Store) Log(ctx context.Context, job string, q provision.LogQuery) ([]provision.LogEntry, error) {
	id, err := s.jobID(ctx, job, false)
	if err != nil || id == 0 {
		return nil, err
	}
	text, args := "SELECT data FROM log WHERE job = ?", []any{id}
	add := func(condition string, values ...any) {
		text, args = text+" AND "+condition, append(args, values...)
	}
	if q.ID != "" {
		add("(source_id = ? OR target_id = ?)", q.ID, q.ID)
	}
	if q.Status != "" {
		add("status = ?", string(q.Status))
	}
	if q.Code != "" {
		add("code = ?", string(q.Code))
	}
	if q.CycleID != "" {
		add("cycle = ?", q.CycleID)
	}
	if !q.Since.IsZero() {
		add("time >= ?", unixTime(q.Since))
	}
	if !q.Until.IsZero() {
		add("time < ?", unixTime(q.Until))
	}
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	rows, err := s.db.QueryContext(ctx, text+" ORDER BY time DESC, id DESC LIMIT ?", append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var entries []provision.LogEntry
	for rows.Next() {
		var data sql.RawBytes
		var e provision.LogEntry
		if err := rows.Scan(&data); err != nil {
			return nil, fmt.Errorf("sqlite: %w", err)
		}
		if err := json.Unmarshal(data, &e); err != nil {
			return nil, fmt.Errorf("sqlite: read log: %w", err)
		}
		entries = append(entries, e)
	}
	return entries, rows.Err()
}

// Commit applies changes in one transaction.
func (s *Store) Commit(ctx context.Context, job string, c *provision.Commit) error {
	// A commit is not torn by a cancelled context: what was sent must be recorded.
	ctx = context.WithoutCancel(ctx)
	id, err := s.jobID(ctx, job, true)
	if err != nil {
		return err
	}
	kinds := map[string]int64{}
	for _, r := range c.Put {
		if kinds[r.Type] != 0 {
			continue
		}
		if kinds[r.Type], err = s.kindID(ctx, job, r.Type, true); err != nil {
			return err
		}
	}
	statements := map[string]*sql.Stmt{}
	for _, text := range []string{insertObject, updateObject, putDetail, deleteMatching, insertMatching, insertLog} {
		if statements[text], err = s.stmt(ctx, text); err != nil {
			return err
		}
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	w := &writer{tx: tx, statements: statements, job: id, kinds: kinds, keepMatching: c.KeepMatching}
	if err := w.commit(c); err != nil {
		w.forgetKeys()
		return err
	}
	if err := tx.Commit(); err != nil {
		w.forgetKeys()
		return fmt.Errorf("sqlite: commit: %w", err)
	}
	return nil
}

const (
	insertObject = `INSERT INTO objects (kind, source_id, digest, flags, target_id, display, due) VALUES (?, ?, ?, ?, ?, ?, ?)`
	updateObject = `UPDATE objects SET digest = ?, flags = ?, target_id = ?, display = ?, due = ? WHERE key = ?`
	putDetail    = `INSERT INTO details (key, data) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET data = excluded.data`

	deleteMatching = `DELETE FROM matching WHERE key = ?`
	insertMatching = `INSERT OR IGNORE INTO matching (kind, value, key, precedence) VALUES (?, ?, ?, ?)`
	insertLog      = `INSERT INTO log (job, time, source_id, target_id, status, code, cycle, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
)

// writer is one transaction at work.
type writer struct {
	tx         *sql.Tx
	statements map[string]*sql.Stmt
	bound      map[string]*sql.Stmt
	job        int64
	kinds      map[string]int64
	fresh      []*provision.Record
	// keepMatching leaves the matching values of known records as they are.
	keepMatching bool
}

func (w *writer) exec(text string, args ...any) (sql.Result, error) {
	if w.bound == nil {
		w.bound = map[string]*sql.Stmt{}
	}
	st, ok := w.bound[text]
	if !ok {
		st = w.tx.Stmt(w.statements[text])
		w.bound[text] = st
	}
	return st.Exec(args...)
}

// forgetKeys takes back the keys of records that were not added after all.
func (w *writer) forgetKeys() {
	for _, r := range w.fresh {
		r.Key = 0
	}
}

func (w *writer) commit(c *provision.Commit) error {
	if c.ForgetAll {
		for _, text := range []string{
			"DELETE FROM details WHERE key IN (SELECT key FROM objects WHERE kind IN (SELECT id FROM kinds WHERE job = ?))",
			"DELETE FROM matching WHERE kind IN (SELECT id FROM kinds WHERE job = ?)",
			"DELETE FROM objects WHERE kind IN (SELECT id FROM kinds WHERE job = ?)",
		} {
			if _, err := w.tx.Exec(text, w.job); err != nil {
				return fmt.Errorf("sqlite: %w", err)
			}
		}
	}
	for _, key := range c.Forget {
		for _, text := range []string{"DELETE FROM objects WHERE key = ?", "DELETE FROM details WHERE key = ?", deleteMatching} {
			if _, err := w.tx.Exec(text, key); err != nil {
				return fmt.Errorf("sqlite: %w", err)
			}
		}
	}
	for _, r := range c.Put {
		if err := w.put(r); err != nil {
			return err
		}
	}
	if c.Job != nil {
		data, err := json.Marshal(c.Job, json.Deterministic(true))
		if err == nil {
			_, err = w.tx.Exec("UPDATE jobs SET data = ? WHERE id = ?", data, w.job)
		}
		if err != nil {
			return fmt.Errorf("sqlite: write job: %w", err)
		}
	}
	return w.log(c)
}

func (w *writer) put(r *provision.Record) error {
	data, err := json.Marshal(stored{r.Matching, r.Detail})
	if err != nil {
		return fmt.Errorf("sqlite: write %s %s: %w", r.Type, r.SourceID, err)
	}
	k := w.kinds[r.Type]
	isNew := r.Key == 0
	if isNew {
		res, err := w.exec(insertObject, k, r.SourceID, r.Digest[:], int64(r.Flags), r.TargetID, r.Display, unixTime(r.Due))
		if err != nil {
			return putError(r, err)
		}
		if r.Key, err = res.LastInsertId(); err != nil {
			return putError(r, err)
		}
		w.fresh = append(w.fresh, r)
	} else if _, err := w.exec(updateObject, r.Digest[:], int64(r.Flags), r.TargetID, r.Display, unixTime(r.Due), r.Key); err != nil {
		return putError(r, err)
	} else if !w.keepMatching {
		if _, err := w.exec(deleteMatching, r.Key); err != nil {
			return putError(r, err)
		}
	}
	if isNew || !w.keepMatching {
		for i, value := range r.Matching {
			if _, err := w.exec(insertMatching, k, value, r.Key, i); err != nil {
				return putError(r, err)
			}
		}
	}
	if _, err := w.exec(putDetail, r.Key, data); err != nil {
		return putError(r, err)
	}
	return nil
}

func putError(r *provision.Record, err error) error {
	if strings.Contains(err.Error(), "objects.target_id") {
		return fmt.Errorf("%w: %s %s", provision.ErrTargetTaken, r.Type, r.TargetID)
	}
	return fmt.Errorf("sqlite: write %s %s: %w", r.Type, r.SourceID, err)
}

func (w *writer) log(c *provision.Commit) error {
	for i := range c.Log {
		e := &c.Log[i]
		data, err := json.Marshal(e, json.Deterministic(true))
		if err != nil {
			return fmt.Errorf("sqlite: write log: %w", err)
		}
		code := ""
		if e.Status.Error != nil {
			code = string(e.Status.Error.Code)
		}
		_, err = w.exec(insertLog, w.job, unixTime(e.Time), e.Source.ID, e.Target.ID, string(e.Status.Status), code, e.CycleID, data)
		if err != nil {
			return fmt.Errorf("sqlite: write log: %w", err)
		}
	}
	if !c.LogBefore.IsZero() {
		if _, err := w.tx.Exec("DELETE FROM log WHERE job = ? AND time < ?", w.job, unixTime(c.LogBefore)); err != nil {
			return fmt.Errorf("sqlite: trim log: %w", err)
		}
	}
	return nil
}
