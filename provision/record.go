package provision

import (
	"strings"
	"time"

	"github.com/scimbridge/scim"
)

// What happens to an object is noted here: in its record, in the summary, in the plan and in the provisioning log.

// foldText is how ids and names given by people are compared.
func foldText(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// waitsForSource are failures that only a change in the source can end.
func (f *Failure) waitsForSource() bool {
	if f.Remap {
		return false
	}
	switch f.Code {
	case ImportSkipped, MandatoryFieldsMissing:
		return true
	case DuplicateSourceEntries:
		return !f.Transient
	}
	// The values were computed and do not fit; there was no request.
	return f.Code == UnprocessableEntity && strings.HasPrefix(f.Remedy, "correct the value in the source, or")
}

// fail notes that an object failed, and when it is tried again.
func (c *cycle) fail(r *rule, rec *Record, f *Failure) {
	now := c.began
	if f.Remedy == "" {
		f.Remedy = remedies[f.Code]
	}
	f.Reason = strings.ToValidUTF8(f.Reason, "\uFFFD")
	f.First, f.Tries = now, 1
	if rec.Failure != nil && rec.Failure.Reference == f.Reference {
		f.First, f.Tries = rec.Failure.First, rec.Failure.Tries+1
	}
	rec.Failure = f
	hadGivenUp := rec.Flags.Has(GivenUp)
	rec.Flags = rec.Flags.With(Failed|Dirty, true).With(GivenUp, false)
	due, again := c.policy.Escrow.Next(f.First, now, f.Tries, f.Transient)
	switch {
	case f.waitsForSource():
		rec.Due = never
	case !again && rec.keepsAccess():
		// Nothing in the source is going to change for somebody who has left.
		rec.Due = now.Add(c.policy.Escrow.every())
	case !again:
		rec.Due = never
		rec.Flags |= GivenUp
		if !hadGivenUp {
			c.gaveUp++
		}
	default:
		rec.Due = due
	}
	c.note(r, rec, step{action: ActionFail, code: f.Code, reason: f.Reason}, 0, nil)
}

// keepsAccess reports whether a target object is enabled that is to be disabled or deleted.
func (rec *Record) keepsAccess() bool {
	return rec.TargetID != "" && !rec.Flags.Has(Disabled) && (rec.leaving() || rec.Flags.Has(SoftDeleted))
}

// skipped notes that nothing is done with an object.
func (c *cycle) skipped(r *rule, rec *Record, reason string) {
	c.note(r, rec, step{action: ActionSkip, code: EntrySynchronizationSkipped, reason: reason}, 0, nil)
}

// staged notes that a deletion is held back.
func (c *cycle) staged(r *rule, rec *Record, why string) {
	c.note(r, rec, step{action: ActionStagedDelete, reason: why, before: rec.Sent}, 0, nil)
}

// succeeded clears what an earlier failure left.
func (rec *Record) succeeded() {
	rec.Failure, rec.Due = nil, time.Time{}
	rec.Flags &^= Failed | Dirty | Held | Released | GivenUp
}

// sure notes that the target holds what was sent.
func (rec *Record) sure() {
	rec.Tried = nil
	rec.Flags &^= Unsure
}

// sureOf notes that the target holds what was sent of some attributes. What it holds of others stays in doubt.
func (rec *Record) sureOf(attributes scim.Document) {
	var doubts []scim.Document
	for _, tried := range rec.Tried {
		// It was there, so it had not been deleted.
		if now := merge(tried, attributes); len(tried) > 0 && !equalDocs(now, rec.Sent) {
			doubts = append(doubts, now)
		}
	}
	rec.Tried = doubts
	rec.Flags = rec.Flags.With(Unsure, len(doubts) > 0)
}

// note counts a step, puts it into the plan, and logs it.
func (c *cycle) note(r *rule, rec *Record, s step, writes int, took *time.Duration) {
	t := c.types[r.source]
	// References that cannot be resolved are warnings, and the object is counted for what was done to itself.
	if s.action != ActionStagedDelete && (s.action != ActionSkip || s.code != UnableToResolveReferenceAttributeValue) {
		t.Actions[s.action]++
	}
	list := changes(s.before, s.after, rec.Want.Redacted)
	if s.action == ActionDelete || s.action == ActionStagedDelete {
		list = nil
	}
	target := rec.TargetID
	if strings.HasPrefix(target, dryPrefix) {
		target = ""
	}
	if c.plan != nil {
		reason := s.reason
		if s.action == ActionFail && rec.Failure != nil {
			reason = rec.Failure.about()
		}
		c.plan.Operations = append(c.plan.Operations, Operation{
			Type: r.source, SourceID: rec.SourceID, TargetID: target, Display: rec.Display, Action: s.action, Code: s.code,
			Reason: reason, Changes: list, Writes: writes,
		})
		return
	}
	c.pending = append(c.pending, c.entry(r, rec, s, list, took))
}

// entry makes the log entry of a step.
func (c *cycle) entry(r *rule, rec *Record, s step, list []Change, took *time.Duration) LogEntry {
	j := c.job
	profile := c.target.Profile()
	e := LogEntry{
		ID: j.config.NewID(), Time: j.now(), TenantID: j.config.Tenant, JobID: j.config.Name, CycleID: c.sum.CycleID, ChangeID: j.config.NewID(),
		Action:       graphAction(s.action),
		InitiatedBy:  LogInitiator{DisplayName: "Provisioning service", InitiatorType: "system"},
		Service:      LogService{ID: profile.Name, DisplayName: profile.Title},
		SourceSystem: LogSystem{ID: "source", DisplayName: "Source", Details: map[string]string{}},
		TargetSystem: LogSystem{ID: profile.Name, DisplayName: profile.Title, Details: map[string]string{}},
		Source:       LogIdentity{ID: rec.SourceID, DisplayName: rec.Display, IdentityType: r.source, Details: map[string]string{}},
		Target:       LogIdentity{ID: rec.TargetID, DisplayName: rec.Display, IdentityType: r.target, Details: map[string]string{}},
		Status:       LogStatus{Status: StatusSuccess},
		Modified:     []ModifiedProperty{},
	}
	if took != nil {
		e.Duration = took.Milliseconds()
	}
	for _, ch := range list {
		e.Modified = append(e.Modified, ModifiedProperty{ch.Attribute, text(ch.Old), text(ch.New)})
	}
	e.Status = statusOf(rec, s)
	e.Steps = stepsOf(rec, s, e.Status.Status)
	return e
}

func graphAction(a Action) Action {
	switch a {
	case ActionCreate, ActionUpdate, ActionDisable, ActionDelete, ActionStagedDelete:
		return a
	}
	return "other"
}

func statusOf(rec *Record, s step) LogStatus {
	switch s.action {
	case ActionFail:
		e := &LogError{Code: s.code, Reason: s.reason, Category: "nonServiceFailure"}
		if f := rec.Failure; f != nil {
			e.AdditionalDetails, e.RecommendedAction = f.Attribute, f.Remedy
			if f.Transient || f.Code == InternalError {
				e.Category = "failure"
			}
		}
		return LogStatus{StatusFailure, e}
	case ActionSkip:
		return LogStatus{StatusSkipped, &LogError{Code: s.code, Reason: s.reason, Category: "success"}}
	case ActionStagedDelete:
		return LogStatus{StatusWarning, &LogError{
			Code: Code(TooManyDeletes), Reason: s.reason, Category: "nonServiceFailure",
			RecommendedAction: "release the held deletions, or mend the source or the scope",
		}}
	}
	if s.code != "" {
		return LogStatus{StatusWarning, &LogError{
			Code: s.code, Reason: s.reason, Category: "nonServiceFailure", RecommendedAction: remedies[s.code],
		}}
	}
	return LogStatus{Status: StatusSuccess}
}

// stepsOf lists the steps on the object's way, up to the one where it ended.
func stepsOf(rec *Record, s step, status Status) []LogStep {
	in := "True"
	if !rec.Flags.Has(InScope) {
		in = "False"
	}
	active := "True"
	if rec.Flags.Has(SoftDeleted) || !rec.Flags.Has(Present) {
		active = "False"
	}
	steps := []LogStep{
		{Name: "EntryImport", Type: "import", Status: StatusSuccess, Description: "The object was read from the source.", Details: map[string]string{}},
		{
			Name: "EntrySynchronizationScoping", Type: "scoping", Status: StatusSuccess, Description: "It was found out whether the object is in scope.",
			Details: map[string]string{"IsActive": active, "IsEffectivelyEntitledForProvisioning": in, "ScopeEvaluationResult": rec.Reason},
		},
	}
	last := LogStep{Status: status, Description: s.reason, Details: map[string]string{}}
	switch s.action {
	case ActionSkip:
		last.Name, last.Type, last.Details["SkipReason"] = "EntrySynchronizationSkip", "processing", string(s.code)
	case ActionCreate:
		last.Name, last.Type = "EntryExportAdd", "export"
	case ActionDelete:
		last.Name, last.Type = "EntryExportDelete", "export"
	case ActionLink:
		last.Name, last.Type = "EntrySynchronizationAdd", "matching"
	case ActionStagedDelete:
		last.Name, last.Type = "EntrySynchronizationDelete", "processing"
	default:
		last.Name, last.Type = "EntryExportUpdate", "export"
	}
	if rec.Failure != nil && rec.Failure.Reference || s.code == UnableToResolveReferenceAttributeValue {
		last.Name, last.Type = "EntryReferenceResolution", "referenceResolution"
	}
	last.Details["ReportableIdentifier"] = rec.Display
	return append(steps, last)
}

// linked notes that a record has a link to a target object of which the governed attributes are known.
func (rec *Record) linkTo(id string, sent scim.Document) {
	rec.TargetID, rec.Gone = id, false
	rec.Sent = sent
	if rec.Sent == nil {
		rec.Sent = scim.Document{}
	}
}

// lost unlinks a record whose target object was deleted behind the job's back.
func (rec *Record) lost() {
	rec.unlink()
	rec.Gone = true
}

// unlink forgets the target object, because it is gone. Memberships of a new one must be sent again.
func (rec *Record) unlink() {
	rec.TargetID, rec.Sent = "", nil
	rec.SentRefs, rec.UnsureRefs, rec.Unresolved, rec.Waiting, rec.Altered = nil, nil, nil, nil, nil
	rec.sure()
	rec.Flags = rec.Flags.With(Rejoin, true).With(Disabled|Created|Pending, false)
}
