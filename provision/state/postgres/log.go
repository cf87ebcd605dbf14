package postgres

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"

	"github.com/scimbridge/scim/provision"
)

// Log returns log entries, the newest first.
func (s *Store) Log(ctx context.Context, job string, q provision.LogQuery) ([]provision.LogEntry, error) {
	id, err := s.jobID(ctx, job, false)
	if err != nil || id == 0 {
		return nil, err
	}
	c := &condition{}
	c.text = "job = " + c.param(id)
	if q.ID != "" {
		object, _ := short(q.ID)
		p := c.param(object)
		c.text += " AND (source_id = " + p + " OR target_id = " + p + ")"
	}
	if q.Status != "" {
		c.text += " AND status = " + c.param(encode(string(q.Status)))
	}
	if q.Code != "" {
		c.text += " AND code = " + c.param(encode(string(q.Code)))
	}
	if q.CycleID != "" {
		cycle, _ := short(q.CycleID)
		c.text += " AND cycle = " + c.param(cycle)
	}
	if !q.Since.IsZero() {
		c.text += " AND time >= " + c.param(q.Since)
	}
	if !q.Until.IsZero() {
		c.text += " AND time < " + c.param(q.Until)
	}
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	var entries []provision.LogEntry
	err = s.query(ctx, func(rows pgx.Rows) error {
		var data []byte
		var e provision.LogEntry
		if err := rows.Scan(&data); err != nil {
			return err
		}
		if err := json.Unmarshal(data, &e); err != nil {
			return fmt.Errorf("read log: %w", err)
		}
		entries = append(entries, e)
		return nil
	}, "SELECT data FROM provision_log WHERE "+c.text+" ORDER BY time DESC, id DESC LIMIT "+c.param(limit), c.args...)
	return entries, err
}
