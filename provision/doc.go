// Package provision keeps the people and groups of an application in step with a directory, by mappings, and without ever
// deactivating half a company by mistake.
//
//	people, err := csv.New(
//		csv.Table{Type: "User", File: "people.csv", ID: "employeeId", Booleans: []string{"accountEnabled"}},
//		csv.Table{Type: "Group", File: "groups.csv", ID: "groupId", Lists: map[string]string{"members": ";"}},
//	)
//	state, err := sqlite.Open("state.db")
//	c, err := client.New(tenantURL, client.WithBearerToken(token), client.WithProfile(profile))
//
//	job, err := provision.New(provision.Config{
//		Name: "postman", Source: people, Target: provision.NewClientTarget(c), State: state, Mappings: mappings,
//	})
//	plan, err := job.Plan(ctx)        // what would be done, and why; nothing is changed
//	summary, err := job.RunCycle(ctx) // do it
//	err = job.Run(ctx)                // do it every 40 minutes
//
// A [Source] gives objects with ids that stay the same. A mapping (package [github.com/scimbridge/scim/mapping]) says which of them are
// in scope, what they become, and how an existing object is recognised. A [Target] is the application. A [State] remembers what was done.
//
// # A cycle
//
// A cycle first reads: everything (initial), or what changed since the watermark (incremental). An object whose attributes and mapping are
// as before is done with at once. The others are mapped. Nothing has been sent until all has been read, so a source that
// cannot be read, reads empty, or is suddenly much smaller does no harm: it is a [*SourceFault].
//
// Then objects leave, are matched, created, updated: users first, groups after them, memberships last, in as few requests as the
// target allows. An object is linked to the target object it was matched to or that was created for it, and by that link it is known
// from then on. Nothing is sent that changes nothing: what the target holds of the governed attributes is remembered, and compared.
//
// A failure of one object does not stop the others. It is in the [Summary] with what to do about it, and is tried again by the
// schedule of [Escrow], or at once when the object changes.
//
// # Matching
//
// An object without link is looked for by its matching attributes, in their order of precedence. The first that finds something decides.
// Where that takes fewer requests, the target's list is read instead, and compared without regard to case where the target does
// not tell upper case from lower. Two source objects with the same matching value are both refused (DuplicateSourceEntries), as no
// rule could say who is meant; two target objects likewise (DuplicateTargetEntries); and no two source objects are ever linked
// to one target object. [Policy.Adopt] says whether objects that were there before are taken over: all that match
// ([AdoptMatching]), only those of which the target says that their e-mail address was verified ([AdoptIfVerified]), or none
// ([AdoptNever]). Objects in [Policy.Protected] are never touched.
//
// The target object of somebody who is no longer in the source goes to the one who has the matching value now: a person who is hired again
// under a new number has the old account. [Policy.Adopt] is asked there, too, for a directory that gives addresses of leavers to others.
//
// A mapping that uses SelectUniqueValue gets a value that neither the target has nor another object that is still to be created there, in
// this cycle or before a crash. [Config.Env] is what expressions see besides the object.
//
// # Values that are unique
//
// Somebody may be given an address that another one has until the same cycle. Who gives it up comes first, along chains of any length. People who
// swap addresses, so that nobody can go first, are reported, unless [Policy.Park] has a value that one of them may have for a moment.
//
// # Leaving
//
// An object leaves when it is disabled in the source, is out of scope, not assigned, deleted, or gone from a full read. The first sets
// the computed attribute IsSoftDeleted, which the mapping turns into active = false; [Policy.OutOfScope], [Policy.Vanished] and
// [Policy.Deleted] decide about the others. Groups cannot be disabled, and are deleted. An object that was disabled for leaving scope is
// managed no longer: it is not deleted with the source's. Only [Policy.Drift] still sees to it that it stays disabled. One that comes back
// is enabled again, with its memberships.
//
// Somebody whose own row in the source says that he is disabled loses access also when he cannot be dealt with otherwise: another row has
// his matching value, a value of his cannot be mapped, or the target refuses what else is to change. The link says whose account it is.
// Nothing but access is changed then, the object stays reported, and the limit of deletions applies. Where one id occurs in several rows,
// all of them must say so; if they contradict each other, nothing is done.
//
// When more objects would leave in one cycle than [DeletionLimit] allows, none does: the deletions are held, the job is in
// quarantine, and an administrator looks at [Job.Held] and calls [Job.Restart] with [ForceDeletes], or mends the source.
// The limit counts also those who are matched for the first time and are disabled in the source, and whoever's active becomes false, whatever
// attributes the mapping concludes that from.
//
// Who was deleted in the target by hand is made again, or reported: see [Policy.Gone]. It is noticed when the object changes, and with
// [Policy.Drift] in any case.
//
// # References
//
// Members and managers are sent when the objects that they refer to are linked. Those that cannot be resolved yet are remembered, shown as
// warnings, and sent in the cycle in which they can. Members whom a target refuses do not keep the others out.
//
// With [Policy.FlattenGroups] the members of groups in a group become its own, for targets that know no groups in groups. A change deep
// down reaches all groups above it in the same cycle, without a full read.
//
// # What the target keeps
//
// Some services answer with success and drop an attribute that they do not know, or keep it otherwise. With [Policy.ReadBack] a few of the
// objects written in a cycle are read again. What did not keep its value is reported once, as [Altered], in the summary, the log and the
// status, and [AmendProfile] writes it into the target's profile. It is not sent again for that, neither by later cycles nor by the repair
// of drift ([Policy.Drift]). An account that is enabled as before although it was disabled is a failure of its object, and is tried again;
// [NewClientTarget] looks for that in every answer, whatever ReadBack says.
//
// # Crashes
//
// Every step is recorded in one transaction, and every step may be repeated. A process killed at any point and started again ends with the
// target as if nothing had happened: a created object whose link was not recorded is found by matching. Only one process runs a job
// at a time ([ErrBusy]).
//
// # Log
//
// For each object and action there is a [LogEntry] with the fields of Microsoft Graph's provisioning log. It is kept in the state, where
// [Job.Log] finds it by user, status, code, cycle and time, and goes to each [LogSink]; one that fails does not stop the job. Values
// that the mapping redacts appear as the text [Redact]; credentials never appear.
//
// # Notifications
//
// [Config.Notify] is told when the job enters quarantine, which includes held deletions, a source that cannot be read and a target that
// cannot be used; when it is disabled; when it has recovered; when retries of objects have ended; and when the target is found not to keep
// an attribute. Each cause is told once, also when the program is started anew meanwhile, because what is to be told is kept in the state.
// What cannot be delivered never stops a cycle, and is tried again for a week. Package [github.com/scimbridge/scim/provision/notify] sends e-mails and webhooks.
package provision
