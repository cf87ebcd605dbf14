package provision

import (
	"context"
	"errors"
	"time"

	"github.com/scimbridge/scim"
)

// State is where a job remembers what it did: the links between source and target objects, what was last sent, failures and
// when to try again, the watermark, quarantine. Package provision/state/sqlite keeps it in a file.
//
// Every change is one call of Commit, which happens wholly or not at all; a job may be killed between any two and goes on
// from there. All methods are safe for concurrent use.
type State interface {
	// Acquire takes the lease of a job, so that two processes never run it at once. It returns [ErrBusy] when another holds
	// it. The lease ends with release, or with the process, however that ends.
	Acquire(ctx context.Context, job string) (release func() error, err error)
	// Job returns what is known of a job, or the zero value.
	Job(ctx context.Context, job string) (JobState, error)
	// Heads returns what a cycle needs to know of objects to see that nothing changed, by their ids in the source. Unknown
	// ids are left out.
	Heads(ctx context.Context, job, objectType string, ids []string) ([]Head, error)
	// Records returns whole records by their keys, in any order. Unknown keys are left out.
	Records(ctx context.Context, job string, keys []int64) ([]Record, error)
	// Scan returns up to limit records that a query selects and whose key is above after, in the order of keys.
	Scan(ctx context.Context, job string, q Query, after int64, limit int) ([]Record, error)
	// ScanHeads does the same with heads.
	ScanHeads(ctx context.Context, job string, q Query, after int64, limit int) ([]Head, error)
	// Count returns how many records a query selects.
	Count(ctx context.Context, job string, q Query) (int, error)
	// Linked returns the key of the record that is linked to a target object, or 0.
	Linked(ctx context.Context, job, objectType, targetID string) (int64, error)
	// Matching returns the records that have a matching value, for each of the values.
	Matching(ctx context.Context, job, objectType string, values []string) ([]MatchingRecord, error)
	// Duplicates returns the records that share their first matching value with another one, those with the same value
	// next to each other.
	Duplicates(ctx context.Context, job, objectType string) ([]MatchingRecord, error)
	// Commit applies changes. New records (key 0) are given their keys, in the slice passed.
	Commit(ctx context.Context, job string, c *Commit) error
	// Log returns provisioning log entries, the newest first.
	Log(ctx context.Context, job string, q LogQuery) ([]LogEntry, error)
	// Fork returns a copy that can be changed without changing this one, for planning. Closing it throws it away.
	Fork(ctx context.Context) (State, error)
	Close() error
}

// ErrBusy is returned when another process runs the same job.
var ErrBusy = errors.New("provision: the job is being run by another process")

// ErrTargetTaken is returned by [State.Commit] for a record that would be linked to a target object which another record is
// linked to.
var ErrTargetTaken = errors.New("provision: the target object is linked to another source object")

// Commit is a set of changes to a [State].
type Commit struct {
	// Job replaces what is known of the job, unless nil.
	Job *JobState
	// Put are records to be added (key 0) or replaced.
	Put []*Record
	// KeepMatching says that the Matching of all Put records is what it was when they were recorded before, so that it need not be
	// written again.
	KeepMatching bool
	// Forget are keys of records to be removed.
	Forget []int64
	// ForgetAll removes all records of the job.
	ForgetAll bool
	// Log are provisioning log entries to be kept, and LogBefore the time before which old ones are dropped.
	Log       []LogEntry
	LogBefore time.Time
}

func (c *Commit) empty() bool {
	return c.Job == nil && len(c.Put) == 0 && len(c.Forget) == 0 && !c.ForgetAll && len(c.Log) == 0 && c.LogBefore.IsZero()
}

// Query selects records. Conditions are combined with "and"; the zero value selects all of a job.
type Query struct {
	// Type is a source object type.
	Type string
	// Present selects those that were in the source when it was last read.
	Present bool
	// Dirty selects those whose target object is not known to hold what it should.
	Dirty bool
	// DueBefore selects those whose next retry is not later, if it is not zero.
	DueBefore time.Time
	// Pending selects those with references to objects that cannot be referred to yet.
	Pending bool
	// Failed selects those with a failure.
	Failed bool
	// Held selects those whose deletion or deactivation is held back.
	Held bool
	// Linked selects those that are linked to a target object, Unlinked those that are not.
	Linked, Unlinked bool
	// Rejoin selects those whose memberships must be sent again.
	Rejoin bool
	// Creating selects those for which a create was sent whose outcome is not known.
	Creating bool
	// Text selects those whose source id, target id or display name equals it.
	Text string
}

// Digest is a fingerprint of a source object together with the mapping it is read with.
type Digest [16]byte

// Head is the part of a [Record] that says whether there is anything to do.
type Head struct {
	// Key identifies the record in its state; it is small and positive.
	Key      int64
	SourceID string
	// TargetID links to the target object; empty when there is no link.
	TargetID string
	Digest   Digest
	Flags    Flags
}

// Flags are facts about a [Record] that can be queried.
type Flags uint16

// Flags of a record.
const (
	// Present: the object was in the source when it was last read.
	Present Flags = 1 << iota
	// Dirty: the target object is not known to hold what it should.
	Dirty
	// Pending: some references cannot be resolved yet.
	Pending
	// Failed: the last attempt failed.
	Failed
	// Held: a deletion or deactivation is held back for an administrator to allow.
	Held
	// Released: an administrator allowed the deletion or deactivation.
	Released
	// Rejoin: the object was enabled again, and its memberships must be sent again.
	Rejoin
	// InScope: the object is to be in the target.
	InScope
	// SoftDeleted: the object is disabled in the source.
	SoftDeleted
	// Disabled: the target object was deprovisioned.
	Disabled
	// Created: the job made the target object; without it, the object was there before.
	Created
	// Creating: a create was about to be sent, and its outcome has not been recorded.
	Creating
	// Duplicate: another source object has the same matching value, or the same id.
	Duplicate
	// HardDeleted: the source said that the object is gone for good.
	HardDeleted
	// GivenUp: retries have ended; only a change of the source starts them again.
	GivenUp
	// Unsure: a change was about to be sent, and it is not known whether the target has it.
	Unsure
)

// Has reports whether all of some flags are set.
func (f Flags) Has(g Flags) bool { return f&g == g }

// With returns the flags with some set or cleared.
func (f Flags) With(g Flags, on bool) Flags {
	if on {
		return f | g
	}
	return f &^ g
}

// Record is what a job knows about one source object.
type Record struct {
	Head
	// Type is the source object type.
	Type string
	// Display names the object for people.
	Display string
	// Due is when a failed object is tried again.
	Due time.Time
	// Matching are the matching values, normalised, the first one first. Only objects in scope have any.
	Matching []string
	Detail
}

// Detail is the part of a [Record] that is never queried by.
type Detail struct {
	// Want is what the mapping said when the object was last read.
	Want Want `json:"want,omitzero"`
	// Sent holds the governed attributes as the target is known to hold them.
	Sent scim.Document `json:"sent,omitempty"`
	// Tried holds them as they may be, for each change of which it is not known whether it took effect; an empty one stands
	// for a deletion.
	Tried []scim.Document `json:"tried,omitempty"`
	// Intent are the matching values of an object for which a create was sent whose outcome is not known.
	Intent []MatchValue `json:"intent,omitempty"`
	// SentRefs are the references the target is known to hold: source ids by target path.
	SentRefs map[string][]string `json:"sentRefs,omitempty"`
	// UnsureRefs are references about to be added or removed, of which it is not known whether the target has them.
	UnsureRefs map[string][]string `json:"unsureRefs,omitempty"`
	// Unresolved are references that could not be sent yet: source ids by target path.
	Unresolved map[string][]string `json:"unresolved,omitempty"`
	// Waiting are references to objects that are disabled in the target: they are sent when those are enabled.
	Waiting map[string][]string `json:"waiting,omitempty"`
	// Gone says that the target object was deleted behind the job's back.
	Gone bool `json:"gone,omitzero"`
	// Direct are the members of a group as the source gave them, where groups are flattened. Want.Refs then has those it is to have.
	Direct []string `json:"direct,omitempty"`
	// Found are the target objects that a list was found to have for the object, in the cycle that read the list.
	Found *Found `json:"found,omitempty"`
	// Reason says why the object is not in scope.
	Reason string `json:"reason,omitzero"`
	// Altered is what the target made of values that it did not keep as they were sent.
	Altered []AlteredValue `json:"altered,omitempty"`
	// Left is when the object was deprovisioned.
	Left    time.Time `json:"left,omitzero"`
	Failure *Failure  `json:"failure,omitempty"`
}

// Found are target objects that an object without link matches.
type Found struct {
	// Cycle is the cycle that found them; in another they are of no use.
	Cycle string `json:"cycle"`
	// Precedence is 0 for the first matching attribute.
	Precedence int `json:"precedence,omitzero"`
	// Documents have the ids and the governed attributes. There are a few at most, as two are one too many.
	Documents []scim.Document `json:"documents"`
}

// Want is the outcome of mapping one source object.
type Want struct {
	// Create is what a create sends, without references.
	Create scim.Document `json:"create,omitempty"`
	// Update has the governed attributes, without references.
	Update scim.Document `json:"update,omitempty"`
	// WhenEmpty has attributes that are only set where the target has no value.
	WhenEmpty scim.Document `json:"whenEmpty,omitempty"`
	// Clear are governed target paths that must have no value.
	Clear []string `json:"clear,omitempty"`
	// Disable is what ends the object's access: the governed attributes that differ when the object is soft-deleted.
	Disable scim.Document `json:"disable,omitempty"`
	// Match are the matching attributes in precedence order.
	Match []MatchValue `json:"match,omitempty"`
	// Refs are the references: source ids by target path. A path without ids is to have no value.
	Refs map[string][]string `json:"refs,omitempty"`
	// Always are target paths that are sent with each update.
	Always []string `json:"always,omitempty"`
	// OnceRefs are the paths of references that are set for new objects only.
	OnceRefs []string `json:"onceRefs,omitempty"`
	// Redacted are target paths whose values are not to be shown.
	Redacted []string `json:"redacted,omitempty"`
}

// MatchValue is a value by which a target object is looked for.
type MatchValue struct {
	Attribute string `json:"attribute"`
	Value     any    `json:"value"`
}

// MatchingRecord is a record that has a matching value.
type MatchingRecord struct {
	Value string
	Key   int64
	// Precedence is 0 for the first matching attribute.
	Precedence int
}

// JobState is what a [State] keeps about a job as a whole.
type JobState struct {
	// Watermark is the source's position at the last completed cycle; empty makes the next cycle an initial one.
	Watermark string `json:"watermark,omitzero"`
	// Rules is the fingerprint of the mappings, and of what the policy says about who leaves and who is protected. When they change, the next
	// cycle is an initial one.
	Rules string `json:"rules,omitzero"`
	// Cycles counts the cycles begun.
	Cycles int64 `json:"cycles,omitzero"`
	// Unread is set while a cycle reads the source. When a cycle finds it set, an earlier one did not get to the end of that.
	Unread bool `json:"unread,omitzero"`
	// Read counts the source objects of each type at the last full read.
	Read map[string]int `json:"read,omitempty"`
	// Paused: Run waits until the job is started again.
	Paused bool `json:"paused,omitzero"`
	// Disabled: the job was in quarantine for too long, and must be started again.
	Disabled bool `json:"disabled,omitzero"`
	// AllowShrink lets the next full read be as small as it is.
	AllowShrink bool        `json:"allowShrink,omitzero"`
	Quarantine  *Quarantine `json:"quarantine,omitempty"`
	// LastCycle is the summary of the last cycle, LastSuccess the time of the last one without job-level error, and
	// SteadyState the last time everything was in step.
	LastCycle   *Summary  `json:"lastCycle,omitempty"`
	LastSuccess time.Time `json:"lastSuccess,omitzero"`
	SteadyState time.Time `json:"steadyState,omitzero"`
	// LastFullRead and LastDrift are when the source was last read in full and the target last compared.
	LastFullRead time.Time `json:"lastFullRead,omitzero"`
	LastDrift    time.Time `json:"lastDrift,omitzero"`
	// Outbox are the notifications to be delivered, the oldest first, and Told is the quarantine that was told of last and is not
	// over.
	Outbox []Undelivered    `json:"outbox,omitempty"`
	Told   QuarantineReason `json:"told,omitzero"`
	// Circles are the groups that contain each other, as last found.
	Circles []GroupCircle `json:"circles,omitempty"`
	// Altered are the attributes that were found not to keep what is written.
	Altered []Altered `json:"altered,omitempty"`
}
