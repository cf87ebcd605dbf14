package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/scimbridge/scim/internal/postgres"
	"github.com/scimbridge/scim/provision"
)

// Commit applies changes in one transaction, in two round trips. When the connection is lost while the server commits, it
// is not known whether it did: an error is returned, and what the state holds is the truth.
//
// Without a lease the job is taken for the time of the commit.
func (s *Store) Commit(ctx context.Context, job string, c *provision.Commit) error {
	w, err := newWriter(c)
	if err != nil {
		return err
	}
	ctx, cancel := patient(ctx)
	defer cancel()
	if w.job, err = s.jobID(ctx, job, true); err != nil {
		return err
	}
	if s.fork != nil {
		return s.fork.commit(ctx, w)
	}
	s.mu.Lock()
	l := s.leases[job]
	s.mu.Unlock()
	for attempt := 1; ; attempt++ {
		err := s.commit(ctx, w, l)
		var u *undone
		if !errors.As(err, &u) || attempt == 5 {
			return err
		}
	}
}

// patient returns a context that ends a while after ctx: a commit is not torn by a program that is told to stop, because
// what was sent must be recorded.
func patient(ctx context.Context) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(patience, cancel) })
	return late, func() {
		stop()
		cancel()
	}
}

// undone is the error of a transaction that certainly changed nothing and may be tried again.
type undone struct{ error }

func (e *undone) Unwrap() error { return e.error }

func (s *Store) commit(ctx context.Context, w *writer, l *lease) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("postgres: commit: %w", err)
	}
	defer conn.Release()
	last, err := w.begin(ctx, conn.Conn(), l)
	if err != nil {
		// A connection in a failed transaction is closed by Release.
		return err
	}
	b := &pgx.Batch{}
	w.queue(b, last)
	b.Queue("COMMIT")
	if err := conn.SendBatch(ctx, b).Close(); err != nil {
		return w.failed(err)
	}
	w.done(last)
	return nil
}

// lockTimeout bounds how long a commit waits for records that a fork has changed. Nobody else has any locked.
const lockTimeout = "SET LOCAL lock_timeout = '10s'"

// begin begins the transaction and checks that the lease is still held. It returns the last key that is given.
func (w *writer) begin(ctx context.Context, conn *pgx.Conn, l *lease) (last int64, err error) {
	b := &pgx.Batch{}
	b.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
	var q *pgx.QueuedQuery
	switch {
	case l == nil:
		b.Queue("SET LOCAL lock_timeout = '2s'")
		b.Queue("SELECT pg_advisory_xact_lock("+advisory+")", w.job)
		q = b.Queue("UPDATE provision_leases SET epoch = epoch + 1, last_key = last_key + $2 WHERE job = $1 RETURNING last_key", w.job, w.added)
	case w.added > 0:
		b.Queue(lockTimeout)
		q = b.Queue("UPDATE provision_leases SET last_key = last_key + $3 WHERE job = $1 AND epoch = $2 RETURNING last_key", w.job, l.epoch, w.added)
	default:
		b.Queue(lockTimeout)
		// Commits of one holder need not wait for each other, but the next holder waits for them.
		q = b.Queue("SELECT last_key FROM provision_leases WHERE job = $1 AND epoch = $2 FOR SHARE", w.job, l.epoch)
	}
	q.QueryRow(func(row pgx.Row) error { return row.Scan(&last) })
	err = conn.SendBatch(ctx, b).Close()
	var server *pgconn.PgError
	switch {
	case err == nil:
		return last, nil
	case errors.Is(err, pgx.ErrNoRows):
		return 0, fmt.Errorf("%w: the lease was lost", provision.ErrBusy)
	case postgres.Is(err, postgres.LockNotAvailable):
		return 0, provision.ErrBusy
	case !errors.As(err, &server) && ctx.Err() == nil:
		// The connection had been lost before.
		return 0, &undone{fmt.Errorf("postgres: commit: %w", err)}
	}
	return 0, w.failed(err)
}

func (w *writer) failed(err error) error {
	switch {
	case postgres.Is(err, postgres.LockNotAvailable):
		return fmt.Errorf("%w: the records are locked", provision.ErrBusy)
	case postgres.Undone(err):
		return &undone{fmt.Errorf("postgres: commit: %w", err)}
	}
	var server *pgconn.PgError
	if errors.As(err, &server) && server.Code == postgres.UniqueViolation && server.ConstraintName == "provision_objects_target" {
		return w.taken()
	}
	return fmt.Errorf("postgres: commit: %w", err)
}

func (w *writer) taken() error {
	if len(w.put) == 1 {
		return fmt.Errorf("%w: %s %s", provision.ErrTargetTaken, w.put[0].Type, w.put[0].TargetID)
	}
	return provision.ErrTargetTaken
}

// commit applies changes to the fork. A statement that fails would end its transaction, so it is looked for reasons before.
func (f *fork) commit(ctx context.Context, w *writer) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	last, ok := f.lastKeys[w.job]
	if !ok {
		if err := f.conn.QueryRow(ctx, "SELECT last_key FROM provision_leases WHERE job = $1", w.job).Scan(&last); err != nil {
			return fmt.Errorf("postgres: commit: %w", err)
		}
	}
	last += int64(w.added)
	w.keys(last)
	var taken bool
	if err := f.conn.QueryRow(ctx, takenTarget, w.job, w.keyList, w.types, w.targets, keysOf(w.job, w.c.Forget), w.c.ForgetAll).Scan(&taken); err != nil {
		return fmt.Errorf("postgres: commit: %w", err)
	}
	if taken {
		return w.taken()
	}
	b := &pgx.Batch{}
	w.queue(b, last)
	if err := f.conn.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("postgres: commit: %w", err)
	}
	f.lastKeys[w.job] = last
	w.done(last)
	return nil
}

// writer is what a commit writes, in columns.
type writer struct {
	c     *provision.Commit
	job   int32
	put   []*provision.Record
	added int

	// Of each record.
	keyList                []int64
	types, sources         []string
	longSources            []*string
	digests                [][]byte
	flags                  []int32
	targets                []string
	longTargets            []*string
	displays               []string
	dues                   []*time.Time
	details                []string
	values                 []string
	longValues             []*string
	precedences            []int32
	valueKeys              []int64
	valueTypes             []string
	valueOwners            []int
	jobData                *string
	logTimes               []time.Time
	logSources, logTargets []string
	logStatus, logCodes    []string
	logCycles, logData     []string
}

func newWriter(c *provision.Commit) (*writer, error) {
	w := &writer{c: c}
	// New records come first, so that a range of the columns is theirs.
	for _, r := range c.Put {
		if r.Key == 0 {
			w.put = append(w.put, r)
		}
	}
	w.added = len(w.put)
	for _, r := range c.Put {
		if r.Key != 0 {
			w.put = append(w.put, r)
		}
	}
	for i, r := range w.put {
		if err := w.add(i, r); err != nil {
			return nil, fmt.Errorf("postgres: write %s %s: %w", r.Type, r.SourceID, err)
		}
	}
	if c.Job != nil {
		data, err := json.Marshal(c.Job, json.Deterministic(true))
		if err != nil {
			return nil, fmt.Errorf("postgres: write job: %w", err)
		}
		text := string(data)
		w.jobData = &text
	}
	for i := range c.Log {
		if err := w.log(&c.Log[i]); err != nil {
			return nil, fmt.Errorf("postgres: write log: %w", err)
		}
	}
	return w, nil
}

func (w *writer) add(i int, r *provision.Record) error {
	data, err := json.Marshal(stored{r.Matching, r.Detail}, json.Deterministic(true))
	if err != nil {
		return err
	}
	source, longSource := short(r.SourceID)
	target, longTarget := short(r.TargetID)
	typ := encode(r.Type)
	w.types = append(w.types, typ)
	w.sources, w.longSources = append(w.sources, source), append(w.longSources, longSource)
	w.targets, w.longTargets = append(w.targets, target), append(w.longTargets, longTarget)
	w.digests, w.flags = append(w.digests, r.Digest[:]), append(w.flags, int32(r.Flags))
	w.displays, w.dues = append(w.displays, encode(r.Display)), append(w.dues, timestamp(r.Due))
	w.details = append(w.details, string(data))
	for p, text := range r.Matching {
		value, long := short(text)
		w.values, w.longValues = append(w.values, value), append(w.longValues, long)
		w.valueOwners, w.valueTypes = append(w.valueOwners, i), append(w.valueTypes, typ)
		w.precedences = append(w.precedences, int32(p))
	}
	return nil
}

func (w *writer) log(e *provision.LogEntry) error {
	data, err := json.Marshal(e, json.Deterministic(true))
	if err != nil {
		return err
	}
	code := ""
	if e.Status.Error != nil {
		code = string(e.Status.Error.Code)
	}
	source, _ := short(e.Source.ID)
	target, _ := short(e.Target.ID)
	cycle, _ := short(e.CycleID)
	w.logTimes, w.logSources, w.logTargets = append(w.logTimes, e.Time), append(w.logSources, source), append(w.logTargets, target)
	w.logStatus, w.logCodes = append(w.logStatus, encode(string(e.Status.Status))), append(w.logCodes, encode(code))
	w.logCycles, w.logData = append(w.logCycles, cycle), append(w.logData, string(data))
	return nil
}

// keys gives new records their keys, of which last is the last.
func (w *writer) keys(last int64) {
	w.keyList, w.valueKeys = w.keyList[:0], w.valueKeys[:0]
	for i, r := range w.put {
		n := r.Key
		if i < w.added {
			n = last - int64(w.added-1-i)
		}
		w.keyList = append(w.keyList, key(w.job, n))
	}
	for _, owner := range w.valueOwners {
		w.valueKeys = append(w.valueKeys, w.keyList[owner])
	}
}

// done tells the records their keys.
func (w *writer) done(last int64) {
	w.keys(last)
	for i, r := range w.put {
		r.Key = number(w.keyList[i])
	}
}

// queue adds the statements of the commit to a batch.
func (w *writer) queue(b *pgx.Batch, last int64) {
	w.keys(last)
	for _, table := range []string{"objects", "details", "matching"} {
		if w.c.ForgetAll {
			b.Queue("DELETE FROM provision_"+table+" WHERE key > $1 AND key < $2", key(w.job, 0), key(w.job+1, 0))
		}
		if len(w.c.Forget) > 0 {
			b.Queue("DELETE FROM provision_"+table+" WHERE key = ANY($1::bigint[])", keysOf(w.job, w.c.Forget))
		}
	}
	w.queueRecords(b)
	if w.jobData != nil {
		b.Queue("UPDATE provision_jobs SET data = $2 WHERE id = $1", w.job, *w.jobData)
	}
	if len(w.logData) > 0 {
		b.Queue(insertLog, w.job, w.logTimes, w.logSources, w.logTargets, w.logStatus, w.logCodes, w.logCycles, w.logData)
	}
	if !w.c.LogBefore.IsZero() {
		b.Queue("DELETE FROM provision_log WHERE job = $1 AND time < $2", w.job, w.c.LogBefore)
	}
}

func (w *writer) queueRecords(b *pgx.Batch) {
	n := w.added
	if old := len(w.put) - n; old > 0 {
		keys, targets := w.keyList[n:], w.targets[n:]
		if old > 1 {
			// What one record leaves another may take, in whichever order the rows are updated.
			b.Queue(leaveTargets, keys, targets)
		}
		b.Queue(updateObjects, keys, w.digests[n:], w.flags[n:], targets, w.longTargets[n:], w.displays[n:], w.dues[n:])
		b.Queue(updateDetails, keys, w.details[n:])
		b.Queue(deleteMatching, keys, w.valueKeys, w.values, w.precedences)
	}
	if n > 0 {
		b.Queue(insertObjects, w.job, w.keyList[:n], w.types[:n], w.sources[:n], w.longSources[:n], w.digests[:n], w.flags[:n],
			w.targets[:n], w.longTargets[:n], w.displays[:n], w.dues[:n])
		b.Queue(insertDetails, w.keyList[:n], w.details[:n])
	}
	if len(w.values) > 0 {
		b.Queue(insertMatching, w.job, w.valueTypes, w.values, w.longValues, w.valueKeys, w.precedences)
	}
}

const (
	insertObjects = `INSERT INTO provision_objects (job, key, type, source_id, long_source_id, digest, flags, target_id, long_target_id, display, due)
SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::integer[], $8::text[], $9::text[], $10::text[], $11::timestamptz[])`

	updateObjects = `UPDATE provision_objects o SET digest = u.digest, flags = u.flags, target_id = u.target_id, long_target_id = u.long_target_id,
	display = u.display, due = u.due
FROM unnest($1::bigint[], $2::bytea[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
	u(key, digest, flags, target_id, long_target_id, display, due)
WHERE o.key = u.key`

	leaveTargets = `UPDATE provision_objects o SET target_id = '' FROM unnest($1::bigint[], $2::text[]) u(key, target_id)
WHERE o.key = u.key AND o.target_id <> '' AND o.target_id <> u.target_id`

	insertDetails = `INSERT INTO provision_details (key, data) SELECT * FROM unnest($1::bigint[], $2::text[])`

	updateDetails = `UPDATE provision_details d SET data = u.data FROM unnest($1::bigint[], $2::text[]) u(key, data)
WHERE d.key = u.key AND d.data <> u.data`

	// Values that stay are not written anew.
	deleteMatching = `DELETE FROM provision_matching m WHERE m.key = ANY($1::bigint[]) AND NOT EXISTS (
	SELECT FROM unnest($2::bigint[], $3::text[], $4::integer[]) u(key, value, precedence)
	WHERE u.key = m.key AND u.value = m.value AND u.precedence = m.precedence)`

	// Of a value that a record has twice the first counts.
	insertMatching = `INSERT INTO provision_matching (job, type, value, long_value, key, precedence)
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::integer[])
ON CONFLICT (job, type, value, key) DO NOTHING`

	insertLog = `INSERT INTO provision_log (job, time, source_id, target_id, status, code, cycle, data)
SELECT $1, * FROM unnest($2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])`

	// takenTarget tells whether two records would be linked to one target object after a commit.
	takenTarget = `SELECT EXISTS (
	SELECT FROM unnest($2::bigint[], $3::text[], $4::text[]) u(key, type, target_id) WHERE u.target_id <> ''
	GROUP BY u.type, u.target_id HAVING count(*) > 1
) OR NOT $6::boolean AND EXISTS (
	SELECT FROM unnest($2::bigint[], $3::text[], $4::text[]) u(key, type, target_id)
	JOIN provision_objects o ON o.job = $1 AND o.type = u.type AND o.target_id = u.target_id AND o.target_id <> ''
	WHERE o.key <> ALL($2::bigint[]) AND o.key <> ALL(coalesce($5::bigint[], '{}'))
)`
)
