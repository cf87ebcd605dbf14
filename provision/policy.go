package provision

import (
	"fmt"
	"time"

	"github.com/scimbridge/scim"
)

// Policy is what a job may do, and when it must stop and ask. The zero value is the one to start with; every figure can be
// changed.
type Policy struct {
	// Adopt says what to do with target objects that match a source object but were not created by the job.
	Adopt Adopt `json:"adopt,omitzero"`
	// Verified is the path of the target attribute that says whether an account's e-mail address was verified, for [AdoptIfVerified],
	// such as emails[primary eq true].verified or one of an extension. SCIM has no such attribute by itself, and few services have one;
	// Postman's has none. Where several values are found, all must be true.
	Verified string `json:"verified,omitzero"`
	// MayAdopt decides about single target objects that Adopt allows; nil allows all. It is given the id of the
	// source object, what a create would send for it, and the governed attributes of the target object. A program uses it, for example, to adopt
	// only accounts of a domain that it owns. It is called from several goroutines.
	MayAdopt func(sourceID string, wanted, found scim.Document) bool `json:"-"`
	// Park returns a value that somebody may have for a moment, given the path and the value of a matching attribute such as userName.
	// It is asked when people are to have each other's values, which no order of changes can bring about where the target takes each
	// value once. It must return a value that nobody has, and that may be seen: a target may send a message about it. With nil, the
	// objects are reported and stay as they are. Chains, in which the last gives its value up, need no parking.
	Park func(attribute, value string) string `json:"-"`
	// Protected are objects never to be changed: source ids, target ids, or matching values in any case.
	Protected []string `json:"protected,omitempty"`
	// Enabled names the source attribute that says whether an object is enabled: accountEnabled when empty. Objects without
	// the attribute are enabled. It is a boolean, or the number or text 1 or 0, or one of the texts true, yes, false and no in any case.
	// An object with another value fails and is left as it is.
	Enabled string `json:"enabled,omitzero"`
	// OutOfScope is what happens to an object in the target when it leaves scope.
	OutOfScope Leave `json:"outOfScope,omitzero"`
	// Vanished is what happens when a full read of the source no longer has it.
	Vanished Leave `json:"vanished,omitzero"`
	// Deleted is what happens when the source says that it was deleted for good. The zero value means DELETE here, as the
	// source was explicit.
	Deleted Leave `json:"deleted,omitzero"`
	// DeleteAfter is how long after leaving the source a disabled object is deleted. 0 means never.
	DeleteAfter time.Duration `json:"deleteAfter,omitzero"`
	// Gone is what happens when the target object of somebody who should be there was deleted in the target. It is noticed when the
	// object is to be changed, and with Drift by and by in any case.
	Gone Gone `json:"gone,omitzero"`
	// Deletions limits how many objects one cycle may delete or disable.
	Deletions DeletionLimit `json:"deletions,omitzero"`
	// MaxShrink is by how many percent the number of objects of a type in the source may fall between two full reads; more is
	// a fault, and nothing is sent. 0 means 50, a negative number any. Types with fewer than 20 objects are not judged, but a
	// type that reads empty and was not empty before always is.
	MaxShrink int `json:"maxShrink,omitzero"`
	// Escrow says when failed objects are tried again.
	Escrow Escrow `json:"escrow,omitzero"`
	// Quarantine says when the job as a whole is in trouble.
	Quarantine Thresholds `json:"quarantine,omitzero"`
	// Drift is how often the target is read in full and changes made there are put back. 0 means never.
	Drift time.Duration `json:"drift,omitzero"`
	// FlattenGroups makes the members of groups that are in a group members of it themselves, however deep, for targets that know no
	// groups in groups. Groups that are out of scope or not assigned are looked into as well: they are not provisioned, but their
	// members count for the groups above them. Groups that contain each other have the members of all, and are reported.
	FlattenGroups bool `json:"flattenGroups,omitzero"`
	// ReadBack is how many written values of each attribute are read back from the target in a cycle, to notice what the target
	// accepts and does not keep; see [Altered]. 0 means none, and 3 is plenty. It costs a read for each object that is looked at.
	ReadBack int `json:"readBack,omitzero"`
	// KeepLog is how long provisioning log entries stay in the state: 30 days when 0.
	KeepLog time.Duration `json:"keepLog,omitzero"`
}

// Leave is what happens in the target to an object that is no longer to be there.
type Leave string

// Ways to leave.
const (
	// LeaveByDefault is [LeaveDisable]; for [Policy.Deleted] it is [LeaveDelete].
	LeaveByDefault Leave = ""
	// LeaveDisable disables the object, as the mapping of IsSoftDeleted says, or by active = false where the mapping says otherwise who is
	// active. A type that cannot be disabled, because its mapping has neither, is deleted if it is a group or the target's profile says that
	// deleting is its way, and left alone otherwise.
	LeaveDisable Leave = "disable"
	// LeaveDelete deletes it; where the target cannot delete, it is disabled.
	LeaveDelete Leave = "delete"
	// LeaveAlone does nothing. It is what SkipOutOfScopeDeletions does.
	LeaveAlone Leave = "nothing"
)

// Gone is what happens to an object whose target object was deleted behind the job's back.
type Gone string

// Ways to deal with deletions in the target.
const (
	// GoneRecreate matches the object anew, and creates it when nothing matches.
	GoneRecreate Gone = ""
	// GoneReport matches the object anew, and when nothing matches leaves the deletion as it is and reports InvalidAnchor. What is
	// reported is looked for again by the schedule of Escrow; [Job.Restart] with [ResetEscrows] lets it be created.
	GoneReport Gone = "report"
)

// DeletionLimit is how many objects of all types one cycle may delete or disable. When more are due, none is: they are held,
// the job goes into quarantine with [TooManyDeletes], and an administrator releases them or mends the source. Everything else
// goes on.
type DeletionLimit struct {
	// Count is the largest number allowed: 500 when 0, any when negative.
	Count int `json:"count,omitzero"`
	// Percent is the largest share of the linked objects allowed, and of those that are enabled: 20 when 0, any when negative. It is
	// judged from 10 deletions on, so that a small team can lose a member.
	Percent int `json:"percent,omitzero"`
}

// smallDeletion is the number of deletions up to which a percentage says nothing.
const smallDeletion = 10

// Exceeded reports whether a number of deletions is above the limit, given how many objects are linked, and says why.
func (l DeletionLimit) Exceeded(deletions, linked int) (why string, exceeded bool) {
	count, percent := l.Count, l.Percent
	if count == 0 {
		count = 500
	}
	if percent == 0 {
		percent = 20
	}
	if count > 0 && deletions > count {
		return fmt.Sprintf("%d objects would be deleted or disabled, and %d are allowed", deletions, count), true
	}
	if percent > 0 && deletions >= smallDeletion && deletions*100 > linked*percent {
		return fmt.Sprintf("%d of %d objects would be deleted or disabled, and %d%% are allowed", deletions, linked, percent), true
	}
	return "", false
}

// shrunk reports whether a full read is so much smaller than the one before that it must be a fault.
func (p Policy) shrunk(before, now int) bool {
	percent := p.MaxShrink
	if percent == 0 {
		percent = 50
	}
	switch {
	case percent < 0 || now >= before:
		return false
	case now == 0:
		return true
	case before < 20:
		return false
	}
	return (before-now)*100 > before*percent
}

func (p Policy) enabledAttribute() string {
	if p.Enabled == "" {
		return "accountEnabled"
	}
	return p.Enabled
}

func (p Policy) keepLog() time.Duration {
	if p.KeepLog == 0 {
		return 30 * 24 * time.Hour
	}
	return p.KeepLog
}
